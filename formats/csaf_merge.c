/*
 * csaf_merge.c -- somebody edited a document that carries originals: what was edited goes into
 * them.
 *
 * Three sides: the originals (O), what the document says natively (N), and what a fresh writing of
 * the originals says natively (B). Where N and B agree nobody changed anything, however much CSAF
 * had to approximate; where they differ the value of N goes into the original, which becomes a
 * later version. Parts are known by their keys, which do not depend on what the document is
 * called.
 */
#include <stdlib.h>

#include "formats/csaf_read.h"
#include "formats/csaf_write.h"
#include "gateway/base/arena.h"

struct merge {
	struct csaf_originals	*os;
	struct csaf_reading	*now;		/* N */
	struct csaf_reading	 base;		/* B */
	struct csaf_writing	 w;		/* the fresh writing: parts are originals */
	struct arena		*mem;
	struct idmap		 now_keys;	/* key -> now->v */
	struct idmap		 ids;		/* id that N or B made -> original */
	struct idmap		 relations;	/* ends -> original */
	bool			*taken;		/* of now->v: told by an original */
	csaf_warn_fn		*warn;
	void			*ctx;
};

/* Order by address; only used to find one. */
static int
by_element(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct csaf_written *)a)->element;
	uintptr_t y = (uintptr_t)((const struct csaf_written *)b)->element;

	return (x > y) - (x < y);
}

/* The original whose element this was made of, by its place; -1: none. */
static long
original_of(const struct merge *g, const struct csaf_made *m)
{
	struct csaf_written want = { m->from, NULL }, *found;

	if (m->from == NULL || m->source != NULL || g->w.nwritten == 0)
		return IDMAP_NONE;
	found = bsearch(&want, g->w.written, g->w.nwritten, sizeof(want), by_element);
	if (found == NULL || !slice_eq(found->part->o->type, json_member(m->tree, "type")))
		return IDMAP_NONE;
	return idmap_find(&g->os->by_id, found->part->o->id);
}

/* "type source target" of a relationship. */
static struct slice
ends_of(const struct merge *g, struct slice type, struct slice from, struct slice to)
{
	return slice_of(arena_fmt(g->mem, "%.*s %.*s %.*s", SLICE_ARG(type), SLICE_ARG(from),
	    SLICE_ARG(to)));
}

static void
index_relations(struct merge *g)
{
	for (size_t i = 0; i < g->os->n; i++) {
		const struct csaf_original *o = &g->os->v[i];

		if (slice_is(o->o.type, "relationship") && !o->ignored)
			idmap_add(&g->relations, g->mem, ends_of(g,
			    json_member(o->o.tree, "relationship_type"),
			    json_member(o->o.tree, "source_ref"), json_member(o->o.tree, "target_ref")), i);
	}
	idmap_sort(&g->relations);
}

/* The original of a relationship: the one between the originals of its ends. */
static long
relation_of(const struct merge *g, const struct csaf_made *m)
{
	long from = idmap_find(&g->ids, m->source->id), to = idmap_find(&g->ids, m->target->id);

	return from < 0 || to < 0 ? IDMAP_NONE : idmap_find(&g->relations, ends_of(g,
	    json_member(m->tree, "relationship_type"), g->os->v[from].o.id, g->os->v[to].o.id));
}

/* Write the originals afresh and read that; false if they make no document. */
static bool
make_base(struct merge *g, struct advisory *adv)
{
	struct write_job job = { .adv = adv, .csirt = arena_str(g->mem, g->os->csirt),
	    .received = g->now->job->received };
	struct write_job *own = arena_alloc(g->mem, sizeof(*own));
	struct err e = ERR_INIT;

	*own = job;
	for (size_t i = 0; i < g->os->n; i++)
		if (!g->os->v[i].ignored)
			*advisory_add(adv, g->mem) = g->os->v[i].o;
	csaf_write_start(&g->w, own, g->mem);
	g->w.native_only = true;
	if (!csaf_plan(&g->w))
		return false;
	csaf_write_native(&g->w);
	qsort(g->w.written, g->w.nwritten, sizeof(*g->w.written), by_element);
	g->base = (struct csaf_reading){ .job = g->now->job, .mem = g->mem, .root = g->w.root,
	    .ledger = ledger_new(g->mem) };
	return csaf_derive(&g->base, &e) == 0;
}

/* The place in now->v of the part with this key, or -1. */
static long
same_part(const struct merge *g, const struct csaf_made *m)
{
	return idmap_find(&g->now_keys, m->key);
}

/* The id that stands for what N or B made: that of its original. */
static struct slice
translate(const struct merge *g, struct slice id)
{
	long i = idmap_find(&g->ids, id);

	return i == IDMAP_NONE ? id : g->os->v[i].o.id;
}

/* Put the ids of originals into the references of a tree. */
static void
translate_tree(const struct merge *g, json *tree)
{
	static const char *const refs[] = { "created_by_ref", "source_ref", "target_ref" };
	json *list = json_get(tree, "object_refs"), *out;

	for (size_t i = 0; i < COUNTOF(refs); i++)
		if (json_get(tree, refs[i]) != NULL)
			json_put_str(g->mem, tree, refs[i], translate(g, json_member(tree, refs[i])));
	if (list == NULL)
		return;
	out = json_list(g->mem);
	for (json *k = json_first(list); k != NULL; k = json_next(k))
		json_push(out, json_string(g->mem, translate(g, json_slice(k))));
	json_put(g->mem, tree, "object_refs", out);
}

/* Two references name the same thing, whatever else one of them says. */
static bool
same_reference(const json *a, const json *b)
{
	if (!json_is_object(a) || !json_is_object(b))
		return json_equal(a, b);
	return slice_eq(json_member(a, "url"), json_member(b, "url")) &&
	    slice_eq(json_member(a, "external_id"), json_member(b, "external_id"));
}

/* Lists: what went from B to N goes from O, what came comes. */
static bool
merge_list(struct merge *g, json *tree, const char *name, const json *was, const json *is)
{
	struct csaf_set had = { .values = { 0 } }, has = { .values = { 0 } }, own = { .values = { 0 } };
	json *list = json_get(tree, name), *next;
	bool changed = false;

	csaf_set_fill(&had, g->mem, was);
	csaf_set_fill(&has, g->mem, is);
	csaf_set_fill(&own, g->mem, list);
	for (json *k = json_first(was); k != NULL; k = json_next(k)) {
		if (csaf_set_has(&has, g->mem, k))
			continue;
		for (json *o = json_first(list); o != NULL; o = next) {
			next = json_next(o);
			if (same_reference(o, k) && !csaf_set_has(&has, g->mem, o)) {
				json_detach(list, o);
				changed = true;
				break;
			}
		}
	}
	for (json *k = json_first(is); k != NULL; k = json_next(k)) {
		if (csaf_set_has(&had, g->mem, k) || csaf_set_has(&own, g->mem, k))
			continue;
		if (list == NULL)
			list = json_put(g->mem, tree, name, json_list(g->mem));
		json_push(list, json_copy(g->mem, k));
		changed = true;
	}
	if (list != NULL && json_first(list) == NULL)
		json_remove(tree, name);
	return changed;
}

/* Properties that are not the object's own to say. */
static bool
is_bookkeeping(const char *name)
{
	static const char *const names[] = {
		"id", "type", "spec_version", "created", "modified", "created_by_ref",
		"object_marking_refs", "extensions",
	};

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* One property of B or N. True if the original changed. */
static bool
merge_property(struct merge *g, json *tree, const char *name, const json *was, const json *is)
{
	if (is_bookkeeping(name) || (was != NULL && is != NULL && json_equal(was, is)))
		return false;
	if (json_is_list(was) || json_is_list(is))
		return merge_list(g, tree, name, was, is);
	if (was != NULL && strcmp(name, "name") == 0 && json_get(tree, "description") != NULL &&
	    slice_is(json_member(tree, "type"), "course-of-action") &&
	    !slice_eq(json_member(tree, "name"), json_slice(was)))
		return false;	/* follows from the details only */
	if (is == NULL)
		json_remove(tree, name);
	else
		json_put(g->mem, tree, name, json_copy(g->mem, is));
	return true;
}

/* What N says otherwise than B goes into the original. */
static void
merge_one(struct merge *g, struct csaf_original *o, const struct csaf_made *b, const struct csaf_made *n)
{
	json *was = json_copy(g->mem, b->tree), *is = json_copy(g->mem, n->tree);
	struct slice title = json_member(n->from, "title");
	bool changed = false;

	translate_tree(g, was);
	translate_tree(g, is);
	for (json *k = json_first(was); k != NULL; k = json_next(k))
		changed |= merge_property(g, o->o.tree, json_name(k), k, json_get(is, json_name(k)));
	for (json *k = json_first(is); k != NULL; k = json_next(k))
		if (json_get(was, json_name(k)) == NULL)
			changed |= merge_property(g, o->o.tree, json_name(k), NULL, k);
	if (slice_is(o->o.type, "vulnerability") && title.n > 0 &&
	    !slice_eq(title, json_member(b->from, "title"))) {
		json_put_str(g->mem, o->o.tree, "name", title);
		changed = true;
	}
	if (!changed)
		return;
	csaf_bump(g->mem, o->o.tree, g->now->modified);
	o->changed = true;
}

/* Tie what B and N made to the originals: objects first, then relationships between them. */
static void
match(struct merge *g, long *of_base)
{
	struct idmap ids = { 0 };

	for (size_t i = 0; i < g->base.n; i++) {
		const struct csaf_made *b = g->base.v[i];
		long n = same_part(g, b);

		of_base[i] = original_of(g, b);
		if (of_base[i] == IDMAP_NONE)
			continue;
		idmap_add(&ids, g->mem, b->id, (size_t)of_base[i]);
		if (n >= 0)
			idmap_add(&ids, g->mem, g->now->v[n]->id, (size_t)of_base[i]);
	}
	idmap_sort(&ids);
	g->ids = ids;
	for (size_t i = 0; i < g->base.n; i++)
		if (g->base.v[i]->source != NULL)
			of_base[i] = relation_of(g, g->base.v[i]);
}

/* What was left out of the document is left out here too, but for what is not its own. */
static void
remove_original(struct merge *g, struct csaf_original *o)
{
	const char *path;

	if (slice_is(o->o.type, "report") || slice_is(o->o.type, "identity") ||
	    slice_is(o->o.type, "marking-definition"))
		return;
	path = arena_fmt(g->mem, "document.notes[%zu].text", o->note);
	o->ignored = true;
	g->warn(g->ctx, "ORIGINAL_REMOVED", path, "the document no longer says what this object said");
}

/* Go through what the originals say natively. */
static void
merge_all(struct merge *g, const long *of_base)
{
	for (size_t i = 0; i < g->base.n; i++) {
		struct csaf_made *b = g->base.v[i];
		long n = same_part(g, b);

		if (n >= 0 && b->source == NULL)
			g->taken[n] = true;
		if (of_base[i] == IDMAP_NONE) {
			if (n >= 0 && b->source != NULL)
				g->taken[n] = true;
			continue;
		}
		if (n >= 0)
			merge_one(g, &g->os->v[of_base[i]], b, g->now->v[n]);
		else
			remove_original(g, &g->os->v[of_base[i]]);
		if (n >= 0)
			g->taken[n] = true;
	}
}

/* What nobody told stays as a new object, with the ids of originals in it. */
static void
keep_new(struct merge *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->now->n; i++) {
		if (g->taken[i])
			continue;
		translate_tree(g, g->now->v[i]->tree);
		g->now->v[n++] = g->now->v[i];
	}
	g->now->n = n;
}

/* See csaf_read.h. */
void
csaf_originals_merge(struct csaf_originals *os, struct csaf_reading *r, csaf_warn_fn *warn, void *ctx)
{
	struct merge g = { .os = os, .now = r, .mem = r->mem, .warn = warn, .ctx = ctx };
	struct advisory adv = { .n = 0 };
	long *of_base;

	if (!make_base(&g, &adv))
		return;		/* they go beside a document of its own */
	for (size_t i = 0; i < r->n; i++)
		idmap_add(&g.now_keys, r->mem, r->v[i]->key, i);
	idmap_sort(&g.now_keys);
	g.taken = arena_alloc(r->mem, r->n + 1);
	index_relations(&g);
	of_base = arena_alloc(r->mem, (g.base.n + 1) * sizeof(*of_base));
	match(&g, of_base);
	merge_all(&g, of_base);
	keep_new(&g);
	os->merged = true;
}
