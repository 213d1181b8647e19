/*
 * json_node.h -- the inside of a tree, as far as readers of every node must see it.
 *
 * Owns:    what the fields of a cJSON node mean in our trees, and the readers that are a look at one of
 *          them.
 * Called:  as part of json.h, and by tables of names (JSON_TAG).
 * Never:   names a function of cJSON's; outside of json*.[ch] nobody names a field.
 *
 * In our trees, other than in cJSON's own:
 *	type		above bit 16: the tag of the member's name, so that a search looks only at names
 *			that are very likely the one wanted
 *	valueint	of strings: the length
 */
#ifndef BASE_JSON_NODE_H
#define BASE_JSON_NODE_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "gateway/base/slice.h"

typedef struct cJSON json;

/* What tells names apart at a glance: five bits each of the length, the first byte and the last. For string
 * literals it is a constant, in tables too. */
#define JSON_TAG(first, last, length)									\
	((((unsigned)(length) & 31) << 10 | ((unsigned)(first) & 31) << 5 | ((unsigned)(last) & 31)) << 16)
#define JSON_TAG_OF(literal)	JSON_TAG((literal)[0], (literal)[sizeof(literal) - 2], sizeof(literal) - 1)
#define JSON_TAG_MASK		0x7fff0000u

static inline unsigned
json_tag(const char *name)
{
	size_t n = strlen(name);

	return n == 0 ? 0 : JSON_TAG(name[0], name[n - 1], n);
}

/* cJSON_Object, cJSON_String, ...; cJSON_Invalid for NULL. */
static inline int
json_kind(const json *o)
{
	return o == NULL ? cJSON_Invalid : o->type & 0xff;
}

/* The tag of a member's name. */
static inline unsigned
json_name_tag(const json *member)
{
	return (unsigned)member->type & JSON_TAG_MASK;
}

/* The first child of an object or list. */
static inline json *
json_first(const json *o)
{
	return json_kind(o) == cJSON_Object || json_kind(o) == cJSON_Array ? o->child : NULL;
}

static inline json *
json_next(const json *child)
{
	return child == NULL ? NULL : child->next;
}

/* NULL in lists. */
static inline const char *
json_name(const json *member)
{
	return member == NULL ? NULL : member->string;
}

/* Is that the member's name? Is it the end of it? Quick for string literals. */
static inline bool
json_name_is(const json *member, const char *name)
{
	return json_name_tag(member) == json_tag(name) && member->string != NULL &&
	    strcmp(member->string, name) == 0;
}

static inline bool
json_name_ends(const json *member, const char *end)
{
	size_t n = strlen(end);

	return ((json_name_tag(member) >> 16 ^ (unsigned)end[n - 1]) & 31) == 0 && member->string != NULL &&
	    slice_ends(slice_of(member->string), end);
}

/* The member of that name, whose tag it is. */
json	*json_find(const json *o, const char *name, unsigned tag);

/* A member of an object. */
static inline json *
json_get(const json *o, const char *name)
{
	return name == NULL ? NULL : json_find(o, name, json_tag(name));
}

static inline bool
json_is_object(const json *o)
{
	return json_kind(o) == cJSON_Object;
}

static inline bool
json_is_list(const json *o)
{
	return json_kind(o) == cJSON_Array;
}

/* Also strings kept raw because of \u0000. */
static inline bool
json_is_string(const json *o)
{
	return json_kind(o) == cJSON_String || (json_kind(o) == cJSON_Raw && o->valuestring[0] == '"');
}

static inline bool
json_is_bool(const json *o)
{
	return json_kind(o) == cJSON_True || json_kind(o) == cJSON_False;
}

static inline bool
json_is_null(const json *o)
{
	return json_kind(o) == cJSON_NULL;
}

/* True only for `true`. */
static inline bool
json_bool(const json *o)
{
	return json_kind(o) == cJSON_True;
}

/* NULL unless a string (and not a raw one). */
static inline const char *
json_str(const json *o)
{
	return json_kind(o) == cJSON_String ? o->valuestring : NULL;
}

/* The content of a string that is kept raw; empty unless it is one. */
struct slice	json_raw_slice(const json *o);

/* The content, NUL bytes included if it holds \u0000; empty unless a string. */
static inline struct slice
json_slice(const json *o)
{
	if (json_kind(o) == cJSON_String)
		return slice_from(o->valuestring, (size_t)o->valueint);
	return json_raw_slice(o);
}

/* Shortcut: the string member `name`, or the empty slice. */
static inline struct slice
json_member(const json *o, const char *name)
{
	return json_slice(json_get(o, name));
}

#endif
