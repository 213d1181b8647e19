/*
 * idmap.h -- from an id to a number, for the ids of one message.
 *
 * Owns:    a sorted list in the message's arena: no hash, so no input can make it slow.
 * Called:  by readers, advisory_settle, router and release: add all, sort once, then find.
 * Never:   copies the ids.
 */
#ifndef FORMATS_IDMAP_H
#define FORMATS_IDMAP_H

#include "gateway/base/slice.h"

struct arena;

struct idmap_entry {
	struct slice	id;
	size_t		value;
};

struct idmap {
	struct idmap_entry	*v;
	size_t			 n, cap;
};

enum { IDMAP_NONE = -1 };

void	idmap_add(struct idmap *m, struct arena *mem, struct slice id, size_t value);
/* Sort by id, then value: after this, equal ids lie together in the order of their values. */
void	idmap_sort(struct idmap *m);
/* The place of the first entry of `id`, or of what comes after it. */
size_t	idmap_place(const struct idmap *m, struct slice id);
/* The lowest value of `id`, or IDMAP_NONE. */
long	idmap_find(const struct idmap *m, struct slice id);

#endif
