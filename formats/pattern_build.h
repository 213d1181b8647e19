/*
 * pattern_build.h -- trees of STIX patterns, piece by piece.
 *
 * Owns:    tests from paths, joining, brackets, negation; the text of what was built.
 * Called:  by the readers of formats that say in other words what to look for, and by observe.c.
 * Never:   orders or merges anything: what was built first is written first.
 */
#ifndef FORMATS_PATTERN_BUILD_H
#define FORMATS_PATTERN_BUILD_H

#include "formats/pattern.h"

/* A list being collected. */
struct pat_list {
	struct pat_node	**v;
	size_t		 n, cap;
};
/* NULL is left out. */
void		 pattern_add(struct pat_list *l, struct arena *mem, struct pat_node *p);

/* The test of a path ("file:hashes.'SHA-256'") against values of one kind: several with PAT_IN, one else.
 * NULL if that is no path. */
struct pat_node	*pattern_test(struct arena *mem, const char *path, enum pat_op op,
		    enum pat_literal_kind kind, const struct slice *values, size_t n);
/* A node over all kids. Those of the same kind are taken in; one alone stays what it is; NULL for none. */
struct pat_node	*pattern_node(struct arena *mem, enum pat_kind kind, struct pat_node *const *kids,
		    size_t n);
/* All or any of them: in one bracket where STIX allows it (comparisons; all of them of one object), else
 * each in its own. */
struct pat_node	*pattern_join(struct arena *mem, bool all, struct pat_node *const *kids, size_t n);
/* Any of these whole patterns: [a] OR [b] is [a OR b]. */
struct pat_node	*pattern_either(struct arena *mem, struct pat_node *const *kids, size_t n);
/* The comparison in a bracket; an observation stays what it is. */
struct pat_node	*pattern_bracket(struct arena *mem, struct pat_node *p);
/* The opposite, by De Morgan, inside brackets and between them; NULL where STIX cannot say it. */
struct pat_node	*pattern_negate(struct arena *mem, const struct pat_node *p);

/* It stands between brackets, or joins what does. */
bool		 pattern_is_observation(const struct pat_node *p);
/* The object type that all tests below speak of; empty if they differ. */
struct slice	 pattern_object(const struct pat_node *p);
/* Some step of the test's path is [*]: "some value differs" is not "no value equals". */
bool		 pattern_has_any(const struct pat_node *test);
/* As a whole pattern, in the arena; false and *e if it is more than a pattern may be. */
bool		 pattern_text(struct arena *mem, struct pat_node *p, struct slice *out, struct err *e);

#endif
