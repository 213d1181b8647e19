#include "formats/refs.h"

static bool
each_of_list(const json *list, const char *member, refs_fn *fn, void *ctx)
{
	for (const json *item = json_first(list); item != NULL; item = json_next(item))
		if (json_str(item) != NULL && !fn(ctx, member, json_slice(item)))
			return false;
	return true;
}

/* Extension keys that are extension-definition ids are references too. */
static bool
each_extension(const json *extensions, refs_fn *fn, void *ctx)
{
	for (const json *x = json_first(extensions); x != NULL; x = json_next(x))
		if (slice_starts(slice_of(json_name(x)), "extension-definition--") &&
		    !fn(ctx, "extensions", slice_of(json_name(x))))
			return false;
	return true;
}

bool
refs_each(const json *tree, refs_fn *fn, void *ctx)
{
	for (const json *m = json_first(tree); m != NULL; m = json_next(m)) {
		const char *text = json_str(m), *name = json_name(m);

		if (name == NULL || (text == NULL && json_first(m) == NULL)) {
			/* an element of a list, or nothing that could hold a reference */
			if (text == NULL && !refs_each(m, fn, ctx))
				return false;
		} else if (text != NULL) {
			if (json_name_ends(m, "_ref") && !fn(ctx, name, json_slice(m)))
				return false;
		} else if (json_is_list(m) && json_name_ends(m, "_refs")) {
			if (!each_of_list(m, name, fn, ctx))
				return false;
		} else if ((json_name_is(m, "extensions") && !each_extension(m, fn, ctx)) ||
		    !refs_each(m, fn, ctx)) {
			return false;
		}
	}
	return true;
}

bool
refs_is_supporting(struct slice type)
{
	return slice_is(type, "marking-definition") || slice_is(type, "extension-definition") ||
	    slice_is(type, "identity");
}
