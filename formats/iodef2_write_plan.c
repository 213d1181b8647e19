/*
 * iodef2_write_plan.c -- which object goes into which Incident (mapping.md 2.1).
 *
 *	report, grouping, incident	each an Incident; a report with exactly one incident takes it in
 *	what their object_refs name	into the first that names it
 *	what hangs on those		relationships with their source, sightings with what was seen,
 *					notes with what they are about, SCOs with who refers to them
 *	the rest			a default Incident, if anything of it has a native form
 */
#include <stdlib.h>

#include "formats/idmap.h"
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"

static void
index_add(struct iw *w, struct iw_index *ix, struct slice key, struct iw_obj *ob)
{
	if (key.n == 0)
		return;
	ix->v = arena_grow(w->mem, ix->v, ix->n, &ix->cap, sizeof(*ix->v));
	ix->v[ix->n++] = (struct iw_ref){ key, idmap_hash(key), ob };
}

static int
key_cmp(const struct iw_ref *a, const struct iw_ref *b)
{
	return a->hash != b->hash ? (a->hash > b->hash) - (a->hash < b->hash) : slice_cmp(a->key, b->key);
}

static int
ref_cmp(const void *va, const void *vb)
{
	const struct iw_ref *a = va, *b = vb;
	int c = key_cmp(a, b);

	if (c != 0)
		return c;
	return a->obj < b->obj ? -1 : a->obj > b->obj;	/* rows of one array: bundle order */
}

static void
index_sort(struct iw_index *ix)
{
	if (ix->n > 1)
		qsort(ix->v, ix->n, sizeof(*ix->v), ref_cmp);
}

const struct iw_ref *
iw_rows(const struct iw_index *ix, struct slice key, size_t *n)
{
	const struct iw_ref wanted = { key, idmap_hash(key), NULL };
	size_t lo = 0, hi = ix->n, mid, end;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (key_cmp(&ix->v[mid], &wanted) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < ix->n && slice_eq(ix->v[end].key, key); end++)
		;
	*n = end - lo;
	return ix->n == 0 ? NULL : ix->v + lo;
}

struct iw_obj *
iw_find(const struct iw *w, struct slice id)
{
	const struct iw_ref *r;
	size_t n;

	if (id.n == 0)
		return NULL;
	r = iw_rows(&w->by_id, id, &n);
	return n == 0 ? NULL : r->obj;
}

static struct iw_obj *
rel_of(const struct iw_index *ix, struct slice key, const char *type)
{
	const struct iw_ref *r;
	size_t n;

	for (r = iw_rows(ix, key, &n); n > 0; n--, r++)
		if (type == NULL || slice_is(json_member(r->obj->o->tree, "relationship_type"), type))
			return r->obj;
	return NULL;
}

struct iw_obj *
iw_rel_to(const struct iw *w, struct slice target, const char *type)
{
	return rel_of(&w->by_target, target, type);
}

/* Is `b` a later version of the same id than `a`? Equal versions: the first stays. */
static bool
is_later(const struct object *a, const struct object *b)
{
	return slice_cmp(b->version_key, a->version_key) > 0;
}

/* Keep one row an id in by_id: the latest version. */
static void
keep_latest(struct iw_index *ix)
{
	size_t i, out = 0;

	index_sort(ix);
	for (i = 0; i < ix->n; i++) {
		if (out > 0 && slice_eq(ix->v[out - 1].key, ix->v[i].key)) {
			if (is_later(ix->v[out - 1].obj->o, ix->v[i].obj->o))
				ix->v[out - 1] = ix->v[i];
		} else {
			ix->v[out++] = ix->v[i];
		}
	}
	ix->n = out;
	for (i = 0; i < out; i++)
		ix->v[i].obj->latest = true;
}

void
iw_index_build(struct iw *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		index_add(w, &w->by_id, w->v[i].o->id, &w->v[i]);
		index_add(w, &w->versions, w->v[i].o->id, &w->v[i]);
	}
	keep_latest(&w->by_id);
	index_sort(&w->versions);
	for (i = 0; i < w->n; i++) {
		struct iw_obj *ob = &w->v[i];
		const json *t = ob->o->tree, *ref;

		if (!ob->latest)
			continue;
		index_add(w, &w->by_creator, json_member(t, "created_by_ref"), ob);
		ref = json_first(json_get(t, "where_sighted_refs"));
		for (; ref != NULL; ref = json_next(ref))
			index_add(w, &w->by_place, json_slice(ref), ob);
		if (slice_is(ob->o->type, "relationship")) {
			index_add(w, &w->by_source, json_member(t, "source_ref"), ob);
			index_add(w, &w->by_target, json_member(t, "target_ref"), ob);
		} else if (slice_is(ob->o->type, "language-content")) {
			index_add(w, &w->by_language, json_member(t, "object_ref"), ob);
		}
	}
	index_sort(&w->by_source);
	index_sort(&w->by_target);
	index_sort(&w->by_language);
	index_sort(&w->by_creator);
	index_sort(&w->by_place);
}

static size_t
hash_of(struct slice s)
{
	size_t h = 14695981039346656037u, i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h;
}

/* The place of `id` in the table: where it is, or the free slot where it would go. */
static struct slice *
id_slot(struct slice *table, size_t cap, struct slice id)
{
	size_t i = hash_of(id) & (cap - 1);

	while (table[i].p != NULL && !slice_eq(table[i], id))
		i = (i + 1) & (cap - 1);
	return &table[i];
}

bool
iw_take_id(struct iw *w, struct slice id)
{
	struct slice *old = w->used_ids, *slot;
	size_t i, old_cap = w->used_ids_cap;

	if (w->series != NULL)
		return iw_series_take_id(w, id);
	if (2 * (w->nused_ids + 1) > old_cap) {
		w->used_ids_cap = old_cap == 0 ? 64 : 2 * old_cap;
		w->used_ids = arena_alloc(w->mem, w->used_ids_cap * sizeof(*w->used_ids));
		for (i = 0; i < old_cap; i++)
			if (old[i].p != NULL)
				*id_slot(w->used_ids, w->used_ids_cap, old[i]) = old[i];
	}
	slot = id_slot(w->used_ids, w->used_ids_cap, id);
	if (slot->p != NULL)
		return false;
	*slot = id;
	w->nused_ids++;
	return true;
}

static struct iw_incident *
incident_add(struct iw *w)
{
	struct iw_incident *inc;

	w->incidents = arena_grow(w->mem, w->incidents, w->nincidents, &w->incidents_cap,
	    sizeof(*w->incidents));
	inc = &w->incidents[w->nincidents++];
	memset(inc, 0, sizeof(*inc));
	return inc;
}

static bool
is_list_container(struct slice type)
{
	return slice_is(type, "report") || slice_is(type, "grouping");
}

/* The one incident that a report names, NULL if it names none or several. */
static struct iw_obj *
sole_incident(const struct iw *w, const struct iw_obj *report)
{
	struct iw_obj *found = NULL, *ob;
	json *ref;

	for (ref = json_first(json_get(report->o->tree, "object_refs")); ref != NULL;
	    ref = json_next(ref)) {
		if (!slice_starts(json_slice(ref), "incident--"))
			continue;
		ob = iw_find(w, json_slice(ref));
		if (found != NULL || ob == NULL)
			return NULL;
		found = ob;
	}
	return found != NULL && !found->container && !found->elsewhere ? found : NULL;
}

static void
make_containers(struct iw *w)
{
	struct iw_incident *inc;
	struct iw_obj *ob;
	size_t i;

	for (i = 0; i < w->n; i++) {
		ob = &w->v[i];
		if (!ob->latest || ob->elsewhere || !is_list_container(ob->o->type))
			continue;
		ob->container = true;
		ob->merged = sole_incident(w, ob);
		if (ob->merged != NULL) {
			ob->merged->container = true;
			ob->merged->merged = ob;
		}
	}
	for (i = 0; i < w->n; i++) {
		ob = &w->v[i];
		if (!ob->latest || ob->elsewhere)
			continue;
		if (is_list_container(ob->o->type)) {
			inc = incident_add(w);
			inc->report = ob;
			inc->incident = ob->merged;
		} else if (slice_is(ob->o->type, "incident") && ob->merged == NULL) {
			ob->container = true;
			inc = incident_add(w);
			inc->incident = ob;
		} else {
			continue;
		}
		ob->incident = w->nincidents;
		if (ob->merged != NULL)
			ob->merged->incident = w->nincidents;
	}
}

static void
put_in(const struct iw *w, struct slice id, size_t incident)
{
	struct iw_obj *ob = iw_find(w, id);

	if (ob != NULL && ob->incident == 0 && !ob->elsewhere)
		ob->incident = incident;
}

static void
follow_lists(struct iw *w)
{
	size_t i;
	json *ref;

	for (i = 0; i < w->n; i++) {
		struct iw_obj *ob = &w->v[i];

		if (!ob->container || !is_list_container(ob->o->type))
			continue;
		for (ref = json_first(json_get(ob->o->tree, "object_refs")); ref != NULL;
		    ref = json_next(ref))
			put_in(w, json_slice(ref), ob->incident);
	}
}

/* Every property X_ref and X_refs of a member draws SCOs after it. */
static void
follow_scos(const struct iw *w, const struct iw_obj *ob)
{
	json *m, *ref;
	struct slice name;

	for (m = json_first(ob->o->tree); m != NULL; m = json_next(m)) {
		name = slice_of(json_name(m));
		if (slice_ends(name, "_ref")) {
			if (slice_starts(name, "created_by"))
				continue;
			ref = m;
		} else if (slice_ends(name, "_refs") && json_is_list(m) &&
		    !slice_starts(name, "object_marking")) {
			ref = json_first(m);
		} else {
			continue;
		}
		for (; ref != NULL; ref = json_is_list(m) ? json_next(ref) : NULL) {
			struct iw_obj *to = iw_find(w, json_slice(ref));

			if (to != NULL && to->o->class == OBJECT_SCO)
				put_in(w, to->o->id, ob->incident);
		}
	}
}

/* Where an object goes because of what it is about; 0 = nowhere by that. */
static size_t
incident_of_subject(const struct iw *w, const struct iw_obj *ob)
{
	static const char *const single[] = { "source_ref", "sighting_of_ref", "sample_ref",
	    "object_ref", NULL };
	struct iw_obj *to;
	json *ref;
	size_t i;

	for (i = 0; single[i] != NULL; i++)
		if ((to = iw_find(w, json_member(ob->o->tree, single[i]))) != NULL &&
		    to->incident != 0)
			return to->incident;
	if (slice_is(ob->o->type, "observed-data"))
		return 0;
	for (ref = json_first(json_get(ob->o->tree, "object_refs")); ref != NULL;
	    ref = json_next(ref))
		if ((to = iw_find(w, json_slice(ref))) != NULL && to->incident != 0)
			return to->incident;
	return 0;
}

static void
follow_subjects(struct iw *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		struct iw_obj *ob = &w->v[i];

		if (ob->latest && ob->incident == 0 && !ob->elsewhere && ob->o->class != OBJECT_SCO)
			ob->incident = incident_of_subject(w, ob);
	}
}

/* Does it become an element of its own kind? The others are only residue. */
bool
iw_has_native_form(const struct object *o)
{
	static const char *const types[] = {
		"identity", "indicator", "observed-data", "sighting", "threat-actor", "intrusion-set",
		"campaign", "malware", "tool", "attack-pattern", "vulnerability", "infrastructure",
		"course-of-action", "note", "malware-analysis", NULL
	};
	size_t i;

	for (i = 0; types[i] != NULL; i++)
		if (slice_is(o->type, types[i]))
			return true;
	return o->class == OBJECT_SCO;
}

/* An identity that only signs other objects appears where these are written. */
bool
iw_only_signs(const struct iw *w, const struct iw_obj *identity)
{
	struct slice id = identity->o->id;
	size_t n;

	if (!slice_is(identity->o->type, "identity"))
		return false;
	iw_rows(&w->by_source, id, &n);
	if (n > 0)
		return false;
	iw_rows(&w->by_target, id, &n);
	if (n > 0)
		return false;
	iw_rows(&w->by_creator, id, &n);
	return n > 0;
}

/* Whoever only signs is a part of the first Incident that has something signed so. */
static void
follow_signatures(struct iw *w)
{
	const struct iw_ref *rows;
	size_t i, k, n;

	for (i = 0; i < w->n; i++) {
		struct iw_obj *ob = &w->v[i];

		if (!ob->latest || ob->incident != 0 || ob->elsewhere || !iw_only_signs(w, ob))
			continue;
		rows = iw_rows(&w->by_creator, ob->o->id, &n);
		for (k = 0; k < n && ob->incident == 0; k++)
			ob->incident = rows[k].obj->incident;
	}
}

static bool
needs_default(const struct iw *w, const struct iw_obj *ob)
{
	return ob->latest && ob->incident == 0 && !ob->elsewhere && iw_has_native_form(ob->o) &&
	    !iw_only_signs(w, ob);
}

/* Of some of many: leave what would need a default Incident for the last batch. */
static void
leave_rest(struct iw *w)
{
	size_t i;

	for (i = 0; i < w->batch->own; i++) {
		w->v[i].rest = w->nincidents == 0 || needs_default(w, &w->v[i]);
		w->batch->rest[i] = w->v[i].rest;
	}
}

/* The Incident of those that no container names. A document without any Incident is not valid. */
static void
make_default(struct iw *w)
{
	bool needed = w->nincidents == 0;
	size_t i;

	for (i = 0; i < w->n && !needed; i++)
		needed = needs_default(w, &w->v[i]);
	if (w->batch != NULL && !w->batch->last) {
		leave_rest(w);
		needed = false;
	}
	if (needed)
		incident_add(w);
	else
		follow_signatures(w);
	if (w->nincidents == 0)
		return;
	for (i = 0; i < w->n; i++)
		if (w->v[i].latest && w->v[i].incident == 0 && !w->v[i].elsewhere && !w->v[i].rest)
			w->v[i].incident = needed ? w->nincidents : 1;
}

void
iw_plan(struct iw *w)
{
	struct iw_incident *inc;
	size_t i, round;

	make_containers(w);
	follow_lists(w);
	for (round = 0; round < 2; round++) {
		follow_subjects(w);
		for (i = 0; i < w->n; i++)
			if (w->v[i].latest && w->v[i].incident != 0)
				follow_scos(w, &w->v[i]);
	}
	make_default(w);
	for (i = 0; i < w->n; i++) {
		if (w->v[i].incident == 0 || w->v[i].container || !w->v[i].latest)
			continue;
		inc = &w->incidents[w->v[i].incident - 1];
		inc->members = arena_grow(w->mem, inc->members, inc->nmembers, &inc->members_cap,
		    sizeof(struct iw_obj *));
		inc->members[inc->nmembers++] = &w->v[i];
	}
}
