/*
 * admin.h -- the control socket: what `tocsin status`, `peer`, `explain`, `quarantine`, ... ask a
 * running node.
 *
 *	request   {"cmd":"explain","object":"indicator--...","peer":"cert-b"} LF
 *	answer    {"ok":true,...} LF, then the socket is closed;  {"ok":false,"error":"..."} if not
 *
 * Owns:    the socket (mode 0600), the table of commands, their answers as JSON.
 * Called:  by serve.c; the other end is cmd_control.c.
 * Never:   changes trust (that is the file's job) and never answers anyone but the node's own user and
 *          root.
 */
#ifndef GATEWAY_ADMIN_H
#define GATEWAY_ADMIN_H

#include <stdbool.h>

#include "gateway/base/err.h"

struct gateway;
struct admin;
struct strbuf;

/* Done, or not and why: lines of complaints. */
typedef void admin_done_cb(void *arg, bool good, const char *why);

/* What the process lends: what concerns more than this process, and figures that only adapters know. */
struct admin_hooks {
	void	*ctx;
	/* All or nothing; done exactly once, at once or later. */
	void	(*reload)(void *ctx, admin_done_cb *done, void *arg);
	/* The binary on disk takes over; done once it is known to be fit, or never. NULL: not possible. */
	void	(*upgrade)(void *ctx, admin_done_cb *done, void *arg);
	/* The link to this peer may work again: tell whoever has it. */
	void	(*retry)(void *ctx, const char *peer);
	/* Addresses that are being served, comma separated. */
	void	(*listening)(void *ctx, char *text, size_t cap);
	void	*listening_ctx;
	/* With the same ctx. Begin a run of that pull now: NULL, or why not. */
	const char *(*pull)(void *ctx, const char *name);
	/* What it does and did, as members of an object; false if there is none. */
	bool	(*pull_show)(void *ctx, const char *name, struct strbuf *out);
	/* All of them, as elements of a list. */
	void	(*pull_list)(void *ctx, struct strbuf *out);
};

/* Bind and listen at `path`; a socket there that nobody answers on is replaced. -1 and *e if somebody
 * does, or it cannot be made. */
int		 admin_socket_open(const char *path, struct err *e);
/* Answer on the listening socket `fd` (consumed). `path`, unless NULL, is removed at the end. */
struct admin	*admin_new(struct gateway *g, int fd, const char *path,
		    const struct admin_hooks *hooks);
void		 admin_free(struct admin *a);

#endif
