/*
 * json.h -- JSON, strictly, and cJSON's doorman.
 *
 * Owns:    our own one-pass parser that builds cJSON nodes in an arena (json_parse.c), the reading
 *          and editing of such trees (json.c), what their values mean (json_value.c), and their
 *          printing (json_print.c). Nobody else includes cJSON.
 * Called:  by formats, TAXII, admin, audit: whoever reads or writes JSON.
 * Never:   lets through what cJSON would (RFC 8259 and 7493): bad UTF-8, BOM, duplicate names,
 *          lone surrogates, raw control characters, leading zeros, NaN, text after the value,
 *          nesting past the limit. Never loses a digit: a number that is not a plain integer
 *          within +-(2^53-1) (decimals, exponents, huge integers, -0) keeps its text (cJSON_Raw),
 *          and so does a string that holds \u0000.
 *
 * All nodes live in the arena: never free them, never hand them to cJSON functions that do.
 * Lookups are case-sensitive. `json` is cJSON's node: what is in it is the business of these files
 * alone, and visible only because a message has as many nodes as words (json_node.h).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/json_node.h"
#include "gateway/base/slice.h"

struct arena;
struct strbuf;

struct json_limits {
	unsigned	depth;		/* 0 = 128; never more than 1,000 */
	size_t		nodes;		/* 0 = 4,000,000 */
	size_t		bytes;		/* of the whole text; 0 = no limit here */
};

/* The text of one element of a list, as it stood in the input, and where. */
struct json_item {
	json		*node;
	struct slice	 text;		/* borrowed from the input */
	size_t		 offset;
};

struct json_doc {
	json			*root;
	struct json_item	*items;		/* elements of root.objects, or of root itself */
	size_t			 nitems;	/* if it is a list; none otherwise */
};

/* Parse one JSON text. `in` must outlive nothing: strings are copied into the arena (items[].text
 * is the exception, it borrows from `in`). Codes: ERR_SYNTAX, ERR_ENCODING (bad UTF-8, lone
 * surrogate, a name with \u0000), ERR_DUPLICATE, ERR_DEPTH, ERR_LIMIT (also for a number of more
 * than 4,096 bytes or 15 digits of exponent); e->at has line, column and offset. */
int	 json_parse(struct slice in, const struct json_limits *lim, struct arena *mem,
	    struct json_doc *out, struct err *e);

/* Reading: most of it is in json_node.h. NULL is a legal argument everywhere and gives NULL / false / 0. */
json	*json_at(const json *list, size_t i);			/* O(i): do not loop with it */
size_t	 json_count(const json *o);				/* children */
bool	 json_is_number(const json *o);
bool	 json_int(const json *o, int64_t *out);	/* an integer that fits (1, 1.0 and 1e3 too) */
bool	 json_double(const json *o, double *out);	/* false for 1e400 */
/* The number's text as written ("1.10"), into the arena; empty unless a number. */
struct slice json_number_text(struct arena *mem, const json *o);
/* Deep equality: names in any order, lists in order, numbers by exact value (1.0 is 1, and
 * 9007199254740993 is not ...992), strings bytewise. */
bool	 json_equal(const json *a, const json *b);

/* Building; everything is copied into the arena. Adding returns the added node; a NULL value adds
 * nothing. A node has one parent: detach or copy it before it is added elsewhere. json_put looks
 * for the name first, so it costs O(members). */
json	*json_object(struct arena *mem);
json	*json_list(struct arena *mem);
/* Bytes that are no UTF-8 become U+FFFD. */
json	*json_string(struct arena *mem, struct slice s);
json	*json_integer(struct arena *mem, int64_t v);
json	*json_boolean(struct arena *mem, bool v);
json	*json_null(struct arena *mem);
/* Printed as it stands; text is one JSON value. Lists and objects stay closed to the readers. */
json	*json_raw(struct arena *mem, struct slice text);
json	*json_copy(struct arena *mem, const json *o);		/* deep */
/* Replaces or appends. */
json	*json_put(struct arena *mem, json *o, const char *name, json *value);
json	*json_put_str(struct arena *mem, json *o, const char *name, struct slice s);
json	*json_put_int(struct arena *mem, json *o, const char *name, int64_t v);
json	*json_put_bool(struct arena *mem, json *o, const char *name, bool v);
/* The same for a name that is known not to be there yet: the object is not looked through. */
json	*json_append(struct arena *mem, json *o, const char *name, json *value);
json	*json_push(json *list, json *value);
/* Add a member that was detached, under the name it has. */
json	*json_adopt(json *o, json *member);
/* Give a member another name, which must not be there yet. NULL is fine. */
void	 json_rename(struct arena *mem, json *member, const char *name);
/* Make a string node say something else. */
void	 json_assign(struct arena *mem, json *string, struct slice s);
/* Put `value` in the place of an element of a list. */
json	*json_replace(json *list, json *old, json *value);
void	 json_remove(json *o, const char *name);
/* Detach the child from its parent (no memory is freed). */
void	 json_detach(json *parent, json *child);

/* Compact text, members in the order they stand. Strings: only what JSON requires is escaped. */
void	 json_print(struct strbuf *out, const json *o);
/* Canonical form (RFC 8785, JCS): members sorted by UTF-16 units, numbers as ECMAScript writes the
 * nearest double (those beyond its range keep their text). */
void	 json_print_jcs(struct strbuf *out, const json *o);
/* The same without those n members (nodes of the tree, at any depth). */
void	 json_print_jcs_without(struct strbuf *out, const json *o, const json *const *v, size_t n);
/* Version of cJSON. */
const char *json_library(void);
/* A string literal with quotes; bytes that are no UTF-8 become U+FFFD. */
void	 json_print_string(struct strbuf *out, struct slice s);

#endif
