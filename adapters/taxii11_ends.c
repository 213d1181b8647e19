/*
 * What relationships of a page stand on. STIX 1.x tells a relationship inside of one of its ends: where
 * that is not in the page, it is shown along, or nobody would ever tell of the relationship.
 */
#include <stdlib.h>

#include "adapters/taxii11_serve.h"
#include "gateway/base/arena.h"

enum { ENDS_MAX = 500, BYTES_MAX = 1 << 20 };

static int
by_id(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void
add(struct arena *mem, struct slice **v, size_t *n, size_t *cap, struct slice id)
{
	if (id.n == 0)
		return;
	*v = arena_grow(mem, *v, *n, cap, sizeof(**v));
	(*v)[(*n)++] = id;
}

/* The target tells it of these: what is done against something, and who is behind an incident. */
static bool
stands_in_target(struct slice source, struct slice target)
{
	return slice_starts(source, "course-of-action--") || (slice_starts(source, "incident--") &&
	    slice_starts(target, "campaign--"));
}

void
taxii11_ends_note(struct taxii11_ends *ends, struct arena *mem, const struct store_row *row)
{
	static const struct json_limits limits = { .depth = 64, .nodes = 20000, .bytes = BYTES_MAX };
	struct slice source, target;
	struct json_doc doc;
	struct err e = ERR_INIT;

	add(mem, &ends->shown, &ends->nshown, &ends->shown_cap, arena_slice(mem, row->id));
	if ((!slice_is(row->type, "relationship") && !slice_is(row->type, "sighting")) ||
	    json_parse(row->bytes, &limits, mem, &doc, &e) < 0)
		return;
	source = json_member(doc.root, "source_ref");
	target = json_member(doc.root, "target_ref");
	if (slice_is(row->type, "sighting"))
		source = json_member(doc.root, "sighting_of_ref");
	if (stands_in_target(source, target))
		source = target;
	add(mem, &ends->needed, &ends->nneeded, &ends->needed_cap, arena_slice(mem, source));
}

size_t
taxii11_ends_missing(struct taxii11_ends *ends)
{
	size_t n = 0;

	if (ends->nneeded == 0)
		return 0;
	qsort(ends->shown, ends->nshown, sizeof(*ends->shown), by_id);
	qsort(ends->needed, ends->nneeded, sizeof(*ends->needed), by_id);
	for (size_t i = 0; i < ends->nneeded && n < ENDS_MAX; i++) {
		struct slice id = ends->needed[i];

		if ((n == 0 || !slice_eq(ends->needed[n - 1], id)) && bsearch(&id, ends->shown,
		    ends->nshown, sizeof(*ends->shown), by_id) == NULL)
			ends->needed[n++] = id;
	}
	ends->nneeded = n;
	return n;
}
