/*
 * idmap.h -- from an id to a number, for the ids of one message.
 *
 * Owns:    a list in the message's arena, in buckets by a hash of the ids. Within a bucket it is sorted, so
 *          ids that were chosen to share one cost a search by halves and no more.
 * Called:  by readers, advisory_settle, router and release: add all, sort once, then find. Who must find
 *	    between adding uses the other pair, insert and seek, on a map of its own.
 * Never:   copies the ids, or puts them in an order that means anything.
 */
#ifndef FORMATS_IDMAP_H
#define FORMATS_IDMAP_H

#include <stdint.h>

#include "gateway/base/slice.h"

struct arena;

struct idmap_entry {
	struct slice	id;
	size_t		value;
	uint64_t	hash;		/* of the id, once sorted */
};

struct idmap {
	struct idmap_entry	*v;
	size_t			 n, cap;
	struct arena		*mem;
	struct idmap_entry	*spare;		/* what the next sorting deals into: as many as v */
	uint32_t		*start;		/* of each bucket, and the end; NULL: unsorted */
	unsigned		 bits;		/* of the hash, from its top: the number of the bucket */
};

enum { IDMAP_NONE = -1 };

/* The hash of an id, for tables of one's own. Anybody can make two that are the same. */
uint64_t	idmap_hash(struct slice id);

void	idmap_add(struct idmap *m, struct arena *mem, struct slice id, size_t value);
/* Make it ready to be searched, but for what is added later: after this, equal ids lie together in the
 * order of their values. */
void	idmap_sort(struct idmap *m);
/* The place of the first entry of `id`, or of another id if it is not there. */
size_t	idmap_place(const struct idmap *m, struct slice id);
/* The lowest value of `id`, or IDMAP_NONE. */
long	idmap_find(const struct idmap *m, struct slice id);

/*
 * The same, always ready. The entries lie in sorted runs, as long as the binary digits of their number say:
 * 13 are 8 + 4 + 1, and the next one gives 8 + 4 + 2.
 */
void	idmap_insert(struct idmap *m, struct arena *mem, struct slice id, size_t value);
/* A value of `id` that was inserted, or IDMAP_NONE. */
long	idmap_seek(const struct idmap *m, struct slice id);

#endif
