/*
 * json_impl.h -- what the files behind json.h share.
 *
 * Owns:    the shape of raw nodes.
 * Called:  by json.c, json_parse.c, json_value.c, json_print.c only.
 * Never:   included by anyone else, because cJSON comes with it.
 *
 * A raw string (one that holds U+0000) keeps its literal, and behind the literal's NUL its content:
 *
 *	valuestring --> " a \ u 0 0 0 0 b " NUL | a NUL b NUL		valueint = 3
 */
#ifndef BASE_JSON_IMPL_H
#define BASE_JSON_IMPL_H

#include <limits.h>

#include "gateway/base/json.h"

enum {
	JSON_DEPTH_CEILING = 1000,	/* readers and printers recurse */
	JSON_NUMBER_MAX = 4096,		/* bytes of a number's text */
	JSON_EXPONENT_MAX = 15,		/* digits of its exponent */
	JSON_STRING_MAX = INT_MAX - 1	/* bytes: cJSON counts in int */
};

/* Integers up to here fit a double exactly: 2^53-1. */
#define JSON_INTEGER_MAX	INT64_C(9007199254740991)

/* Give a node a name: the bytes stay where they are. */
static inline void
json_set_name(cJSON *n, struct slice name)
{
	unsigned tag = name.n == 0 ? 0 : JSON_TAG(name.p[0], name.p[name.n - 1], name.n);

	n->string = (char *)name.p;
	n->type = (int)(((unsigned)n->type & ~JSON_TAG_MASK) | tag);
}

/* Make n a string: the bytes, and the NUL behind them, stay where they are. */
static inline void
json_set_text(cJSON *n, struct slice s)
{
	n->type = cJSON_String;
	n->valuestring = (char *)s.p;
	n->valueint = (int)s.n;
}

/* Make n a raw string; both texts are copied. */
void	json_set_raw_string(struct arena *mem, cJSON *n, struct slice literal,
	    struct slice content);
/* Make n a plain integer; v lies within +-(2^53-1). */
void	json_set_integer(cJSON *n, int64_t v);

/* Make n, which has no `next`, the last child. */
static inline void
json_link(cJSON *parent, cJSON *n)
{
	if (parent->child == NULL) {
		parent->child = n;
	} else {
		n->prev = parent->child->prev;
		n->prev->next = n;
	}
	parent->child->prev = n;
}

/* First byte of a raw node's text, NUL if n is not raw. */
static inline char
json_raw_first(const cJSON *n)
{
	return json_kind(n) == cJSON_Raw ? n->valuestring[0] : '\0';
}

/* The tree behind a raw node that is neither number nor string; o itself if it is not such a node,
 * NULL if the text is no JSON. */
const json *json_expand(struct arena *mem, const json *o);

#endif
