/*
 * json_walk.h -- JSON read where it lies: nothing is built, nothing allocated.
 *
 *	{ "type": "indicator", "labels": [ "a", "b" ] }
 *	  ^name   ^value        ^name     ^value		json_walk() calls back for each
 *
 * Owns:    nothing but a cursor on the stack.
 * Called:  by object_skim (what does the text of an object say of itself?), by readers that take a large
 *          document apart into its elements.
 * Never:   takes what json_parse refuses, with two exceptions: it does not look for doubled names, and
 *          does not count values.
 *          (tests/fuzz/fuzz_json_walk.c holds the two against each other.)
 */
#ifndef BASE_JSON_WALK_H
#define BASE_JSON_WALK_H

#include "gateway/base/slice.h"

struct arena;

/* One member of an object, or element of a list (then name.p is NULL): both as written, the name without
 * its quotes. Return false to stop. */
typedef bool	json_walk_fn(void *ctx, struct slice name, struct slice value);

/* Go once through `text`, which must be one JSON value with nothing but blanks around it, nested at most
 * `depth` (0 = 128, at most 1,000) deep. If it is an object or list, fn (NULL is fine) is called for each
 * child, which has been checked to its last byte by then. False if the text is none, or fn said no. */
bool		 json_walk(struct slice text, unsigned depth, json_walk_fn *fn, void *ctx);

/* The same for a text that is large: `passed` is told every few megabytes how far the walk is. */
typedef void	json_walk_passed_fn(void *arg, const char *place);
bool		 json_walk_far(struct slice text, unsigned depth, json_walk_fn *fn, void *ctx,
		    json_walk_passed_fn *passed, void *arg);

/* Is it JSON? If not, *end is about where it stops to be. */
bool		 json_walk_end(struct slice text, unsigned depth, json_walk_passed_fn *passed, void *arg,
		    size_t *end);

/* A value as json_walk gave it. The kind is told by its first byte. */
static inline bool
json_walk_is(struct slice value, char first)
{
	return value.n > 0 && value.p[0] == first;
}

/* The content of a string (or of a name: `quoted` false). Points into the text unless it has escapes. */
struct slice	 json_walk_text(struct slice raw, bool quoted, struct arena *mem);

#endif
