/*
 * names.h -- from a name of a fixed table to the number of its row.
 *
 * Owns:    a small open hash of names that are in this program: it is built once and holds nothing of any
 *          input, so no input can make it slow.
 * Called:  by tables of names that every object looks into: types, properties, classes of IODEF.
 * Never:   copies a name.
 */
#ifndef FORMATS_NAMES_H
#define FORMATS_NAMES_H

#include <stdint.h>

#include "gateway/base/json_node.h"

enum { NAMES_BITS = 8, NAMES_SLOTS = 1 << NAMES_BITS, NAMES_MAX = NAMES_SLOTS / 2, NAMES_NONE = 255 };

struct names {
	const char	*name[NAMES_SLOTS];	/* NULL: free */
	uint8_t		 number[NAMES_SLOTS];
	unsigned	 n;			/* at most NAMES_MAX, so that a search ends soon */
};

/* Add a name that is not there yet. */
void	names_add(struct names *t, const char *name, unsigned number);

/* Where a search for names of this tag (json_node.h) begins. */
static inline unsigned
names_start(unsigned tag)
{
	return (tag >> 16) * 0x9e3779b1u >> (32 - NAMES_BITS);
}

/* The number of a member's name, or NAMES_NONE. */
static inline unsigned
names_find_member(const struct names *t, const char *name, unsigned tag)
{
	for (unsigned i = names_start(tag); t->name[i] != NULL; i = (i + 1) % NAMES_SLOTS)
		if (strcmp(t->name[i], name) == 0)
			return t->number[i];
	return NAMES_NONE;
}

/* The number of a name, or NAMES_NONE. */
static inline unsigned
names_find(const struct names *t, struct slice s)
{
	unsigned tag = s.n == 0 ? 0 : JSON_TAG(s.p[0], s.p[s.n - 1], s.n);

	for (unsigned i = names_start(tag); t->name[i] != NULL; i = (i + 1) % NAMES_SLOTS)
		if (slice_is(s, t->name[i]))
			return t->number[i];
	return NAMES_NONE;
}

#endif
