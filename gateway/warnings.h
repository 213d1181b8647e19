/*
 * warnings.h -- the warning list of this node: the built-in rows, and what its administrator calls own.
 *
 * Owns:    how `warnings` of tocsin.conf and `aliases` of trust.conf become rows of a warnlist
 *          (formats/warnlist.h).
 * Called:  by load.c at start and at each reload, by config_check; the feeds ask the list.
 * Never:   changes a list that is in use.
 */
#ifndef GATEWAY_WARNINGS_H
#define GATEWAY_WARNINGS_H

struct complaints;
struct config;
struct trust;
struct warnlist;

/* Sealed; NULL with complaints. `trust` NULL: no aliases. The file goes through file_read. */
struct warnlist	*warnings_load(const struct config *conf, const struct trust *trust,
		    struct complaints *c);
void		 warnings_free(struct warnlist *w);	/* NULL is fine */

#endif
