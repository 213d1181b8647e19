/*
 * warnlist.h -- values that must not end up in a block list, and why.
 *
 * Owns:    the built-in rows (special-purpose networks and names, documentation, hashes of nothing)
 *          and what an administrator adds: own networks, own domains, names of this node.
 * Called:  by the outputs of flat.h; filled once, when a configuration is loaded.
 * Never:   reads a file, drops anything by itself, or calls a value good: it only says "look twice".
 *
 * Networks are sorted ranges (binary search), names a hash of suffixes: one label at a time. A network
 * hits when it overlaps a listed one; a domain below or above one, or a whole top-level one; a URL by
 * its host; a mail address by its domain.
 */
#ifndef FORMATS_WARNLIST_H
#define FORMATS_WARNLIST_H

#include "formats/flat.h"

struct warnlist;

struct warnlist	*warnlist_new(void);		/* the built-in rows */
void		 warnlist_free(struct warnlist *w);	/* NULL is fine */
/* Add a network, an address, a domain (with all below it) or a hash, in any spelling of value.h. The
 * reason ("own network") is copied. False if it is none of these. */
bool		 warnlist_add(struct warnlist *w, struct slice value, const char *reason);
/* The same for each line of a text (blank lines and # comments set aside). Returns the number of the
 * first line that is none, 0 if all are taken. */
size_t		 warnlist_add_lines(struct warnlist *w, struct slice text, const char *reason);
/* No more is added; before the first question. */
void		 warnlist_seal(struct warnlist *w);
/* The reason in words, or NULL. `value` is canonical. */
const char	*warnlist_hit(const struct warnlist *w, enum flat_type type, struct slice value);
size_t		 warnlist_count(const struct warnlist *w);	/* rows, built-in ones included */

#endif
