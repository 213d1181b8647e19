/* json_node.c -- see json_node.h: what is longer than a look. */
#include "gateway/base/json_impl.h"

/* The member of that name, whose tag it is. */
json *
json_find(const json *o, const char *name, unsigned tag)
{
	if (json_kind(o) != cJSON_Object)
		return NULL;
	for (json *n = o->child; n != NULL; n = n->next)
		if (json_name_tag(n) == tag && strcmp(n->string, name) == 0)
			return n;
	return NULL;
}

/* The content of a string that is kept raw. */
struct slice
json_raw_slice(const json *o)
{
	if (json_raw_first(o) != '"')
		return SLICE_EMPTY;
	return slice_from(o->valuestring + strlen(o->valuestring) + 1, (size_t)o->valueint);
}
