/* stix20_markings.c -- see stix20.h: markings in the words of the other version. */
#include "formats/stix20.h"
#include "gateway/base/arena.h"

void
stix20_selectors(struct stix20 *c, json *o, stix20_selector_fn *fn, void *ctx)
{
	size_t n = 0;

	for (json *g = json_first(json_get(o, "granular_markings")); g != NULL; g = json_next(g)) {
		json *had = json_get(g, "selectors"), *now = json_list(c->mem);

		if (!json_is_list(had))
			continue;
		for (const json *s = json_first(had); s != NULL && n++ < STIX20_SELECTORS;
		    s = json_next(s))
			fn(ctx, json_slice(s), now);
		if (json_first(now) == NULL)
			json_push(now, json_string(c->mem, SLICE_LIT("id")));
		if (!json_equal(had, now))
			json_put(c->mem, g, "selectors", now);
	}
}

/* The id by which 2.0 says that level or the next stronger one; `id` itself if it is no TLP marking. */
static struct slice
tlp1_of(struct slice id)
{
	enum tlp level = tlp_of_marking_id(id);
	const char *one = tlp1_marking_id(level);

	if (level == TLP_UNSET)
		return id;
	return slice_of(one != NULL ? one : tlp1_marking_id(TLP_RED));
}

/* Say each of the list by its TLP 1.0 id, and none of these twice. */
static void
list_down(struct arena *mem, json *list)
{
	bool said[TLP_LEVELS] = { false };

	for (json *m = json_first(list), *next; m != NULL; m = next) {
		struct slice id = tlp1_of(json_slice(m));
		enum tlp level = tlp_of_marking_id(id);

		next = json_next(m);
		if (level == TLP_UNSET)
			continue;
		if (said[level])
			json_detach(list, m);
		else
			json_assign(mem, m, id);
		said[level] = true;
	}
}

void
stix20_markings_down(struct stix20 *c, json *o)
{
	json *list = json_get(o, "granular_markings");

	list_down(c->mem, json_get(o, "object_marking_refs"));
	for (json *g = json_first(list), *next; g != NULL; g = next) {
		json *ref = json_get(g, "marking_ref");

		next = json_next(g);
		if (json_str(ref) != NULL)
			json_assign(c->mem, ref, tlp1_of(json_slice(ref)));
		else if (ref == NULL && json_get(g, "lang") != NULL)
			json_detach(list, g);
	}
	if (json_is_list(list) && json_first(list) == NULL)
		json_detach(o, list);
}
