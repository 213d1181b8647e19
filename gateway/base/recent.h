/*
 * recent.h -- a bounded table of the keys used last.
 *
 * Owns:    its entries: a 16-byte key and a value of a fixed size each. Memory grows with use up to
 *          `max` entries and never beyond: then the oldest goes.
 * Called:  by the local halves of dedup and limiter.
 * Never:   hashes: keys are pieces of a MAC already, so nobody outside can aim at one chain.
 *
 *	buckets[key]  -> entry -> entry            found in one or two steps
 *	oldest <-> ... <-> newest                  the order in which they go
 *
 * Find, put, touch and drop cost the same whatever the table holds. Pointers to values are good until
 * the next recent_put.
 */
#ifndef BASE_RECENT_H
#define BASE_RECENT_H

#include <stdint.h>

#include "gateway/base/slice.h"

struct recent;

enum { RECENT_KEY = 16 };

struct recent	*recent_new(size_t max, size_t value_size);
void		 recent_free(struct recent *t);		/* NULL is fine */
/* The value of a key, or NULL. */
void		*recent_find(const struct recent *t, const uint8_t key[RECENT_KEY]);
/* The value of a key, which is the newest now; zeroed if it was not there. NULL only if max is 0. */
void		*recent_put(struct recent *t, const uint8_t key[RECENT_KEY]);
void		 recent_drop(struct recent *t, const uint8_t key[RECENT_KEY]);
/* The value of the oldest key, or NULL; and away with it. */
void		*recent_oldest(const struct recent *t);
void		 recent_drop_oldest(struct recent *t);
size_t		 recent_count(const struct recent *t);

#endif
