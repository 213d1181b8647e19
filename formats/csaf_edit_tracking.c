/*
 * csaf_edit_tracking.c -- a document whose objects have a later version has one too: whoever takes
 * it compares its version and dates, nothing else.
 */
#include <stdio.h>

#include "formats/csaf_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

/* The latest `modified` of what stands in the document; empty if none is later than `than`. */
static struct slice
latest(struct csaf_writing *w, struct slice than)
{
	struct slice best, found = SLICE_EMPTY;

	if (!stamp_key(w->mem, csaf_time(w->mem, than), &best))
		return SLICE_EMPTY;
	for (size_t i = 0; i < w->n; i++) {
		struct slice t = json_member(w->v[i].tree, "modified"), key;

		if (!w->v[i].native || slice_is(w->v[i].o->type, "identity") || t.n == 0 ||
		    !stamp_key(w->mem, t, &key) || slice_cmp(key, best) <= 0)
			continue;
		best = key;
		found = t;
	}
	return found;
}

/* The number after this one, in its scheme; empty if there is none. */
static struct slice
next_number(struct csaf_writing *w, struct slice now)
{
	struct csaf_version v;
	unsigned long long major, minor;

	if (!csaf_version_parse(now, &v) || !slice_u64(v.major, &major) || major > 1000000000)
		return SLICE_EMPTY;
	if (!v.semantic)
		return slice_of(arena_fmt(w->mem, "%llu", major + 1));
	if (!slice_u64(v.minor, &minor) || minor > 1000000000)
		return SLICE_EMPTY;
	return slice_of(arena_fmt(w->mem, "%llu.%llu.0", major, minor + 1));
}

/* See csaf_write.h. */
void
csaf_edit_tracking(struct csaf_writing *w)
{
	json *tracking = json_get(w->document, "tracking"), *list, *to;
	struct slice date = latest(w, json_member(tracking, "current_release_date"));
	struct slice number = next_number(w, json_member(tracking, "version"));

	if (date.n == 0 || number.n == 0)
		return;
	list = json_get(tracking, "revision_history");
	if (!json_is_list(list))
		list = json_put(w->mem, tracking, "revision_history", json_list(w->mem));
	json_put_str(w->mem, tracking, "current_release_date", date);
	json_put_str(w->mem, tracking, "version", number);
	to = json_push(list, json_object(w->mem));
	json_put_str(w->mem, to, "date", date);
	json_put_str(w->mem, to, "number", number);
	json_put_str(w->mem, to, "summary", SLICE_LIT("Changed objects"));
	csaf_generated(w, "document/tracking/version", "objects of the document have a later version");
}
