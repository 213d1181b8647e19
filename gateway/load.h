/*
 * load.h -- everything that a node reads from files, read and checked before any of it is used.
 *
 * Owns:    configuration, trust, credentials and keys from the reading until they are taken over.
 * Called:  at start and at each reload: by one.c and master.c from disk, by a worker from its bundle.
 * Never:   keeps half: it is all there and fits together, or there are complaints.
 */
#ifndef GATEWAY_LOAD_H
#define GATEWAY_LOAD_H

#include "gateway/base/lines.h"
#include "gateway/keys.h"

struct bundle;
struct config;
struct credentials;
struct listen_conf;
struct tls;
struct trust;
struct warnlist;

struct loaded {
	struct config		*config;
	struct trust		*trust;
	struct credentials	*credentials;
	struct warnlist		*warnings;
	struct keys		 keys;
	struct tls		**contexts;	/* one a listen line */
	size_t			 ncontexts;
};

/* From disk, with every check there is. `record` (NULL: none) gets each file for the kinds of
 * processes that need it. -1 and complaints if anything at all is wrong. */
int	load_all(struct loaded *l, const char *path, struct bundle *record, struct complaints *c);
/* What a worker needs, checked by the master already; reads through file_overlay. keys.audit stays zero,
 * `common` (keys.h) is given. */
int	load_worker(struct loaded *l, const char *path, const uint8_t common[32],
	    struct complaints *c);
/* What is left in it; all of it zero is fine. */
void	loaded_free(struct loaded *l);
/* Print them, one a line. */
void	load_print(const struct complaints *c);

#endif
