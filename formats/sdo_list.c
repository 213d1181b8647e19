/* sdo_list.c -- see sdo_list.h. */
#include "formats/sdo_list.h"

enum { DOUBLES_MAX = 32 };

/* Append to a list of strings unless it is there (long lists: among the first). */
void
sdo_list_add(struct arena *mem, json *tree, const char *name, struct slice value)
{
	json *list = json_get(tree, name);
	size_t seen = 0;

	if (value.n == 0)
		return;
	if (list == NULL)
		list = json_put(mem, tree, name, json_list(mem));
	for (json *m = json_first(list); m != NULL && seen++ < DOUBLES_MAX; m = json_next(m))
		if (slice_eq(json_slice(m), value))
			return;
	json_push(list, json_string(mem, value));
}

/* Append an external reference unless it is there. */
void
sdo_reference(struct arena *mem, json *tree, const char *source, struct slice external_id,
    struct slice url, struct slice description)
{
	json *list = json_get(tree, "external_references"), *ref;
	size_t seen = 0;

	if (external_id.n == 0 && url.n == 0 && description.n == 0)
		return;
	if (list == NULL)
		list = json_put(mem, tree, "external_references", json_list(mem));
	ref = json_object(mem);
	json_put_str(mem, ref, "source_name", slice_of(source));
	if (description.n > 0)
		json_put_str(mem, ref, "description", description);
	if (url.n > 0)
		json_put_str(mem, ref, "url", url);
	if (external_id.n > 0)
		json_put_str(mem, ref, "external_id", external_id);
	for (json *m = json_first(list); m != NULL && seen++ < DOUBLES_MAX; m = json_next(m))
		if (json_equal(m, ref))
			return;
	json_push(list, ref);
}
