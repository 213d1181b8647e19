/*
 * sandbox.h -- what a process may not do any more, for good.
 *
 *	            user     files (Landlock)                       system calls (seccomp)
 *	storekeeper its own  the folder of the database             no network, no programs
 *	worker      its own  reads the database; spools; bodies     no programs
 *	translator  its own  none                                   none that opens anything
 *
 * Owns:    the lists of system calls; nothing that lasts.
 * Called:  once by each child of the master, when it has what it needs and has not read a stranger's byte.
 * Never:   gives anything back. What the kernel does not know (Landlock) is logged once and done without.
 */
#ifndef GATEWAY_SANDBOX_H
#define GATEWAY_SANDBOX_H

#include "gateway/process.h"

struct sandbox_path {
	const char	*path;		/* file or folder; one that does not exist is skipped */
	bool		 write;		/* else it is read only */
	bool		 foreign;	/* somebody else's: skipped if it cannot be looked at */
};

struct sandbox {
	enum process_kind	 kind;
	uint32_t		 uid, gid;	/* to become, when we are root */
	const struct sandbox_path *paths;
	size_t			 npaths;
};

/* -1 and *e if it cannot be had: then the process must not go on. */
int	sandbox_enter(const struct sandbox *s, struct err *e);

#endif
