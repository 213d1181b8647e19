/*
 * cmd_document_series.c -- from objects on the shelf to a document of containers, some at a time. Part of
 * cmd_document.h.
 *
 *	shelf	[ batch 1: a report and what it holds | batch 2 ... | ... ]
 *	put	own objects of the batch + those that they name, wherever they stand (latest versions)
 *
 * All versions of an id belong to the batch that gave it first. In memory are the hash of every id with its
 * place, and one batch.
 */
#include <stdlib.h>

#include "formats/refs.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_document.h"
#include "gateway/cmd_ids.h"
#include "gateway/cmd_progress.h"

enum { PART_BYTES = 64 << 10, FOLLOWED_MAX = 4 };

/* An object on the shelf: of an id, the latest version. */
struct place {
	uint64_t	id;
	uint32_t	at, batch;
};

struct series {
	struct giving			*g;
	const struct format_series	*ops;
	struct place			*ids;		/* sorted by id */
	size_t				 nids;
	struct place			*moved;		/* versions of an earlier batch; by it */
	size_t				 nmoved, moved_cap, next_moved;
	uint32_t			*rest;		/* what no container took */
	size_t				 nrest, rest_cap;
};

/* A batch being gathered. */
struct gathering {
	struct series	*s;
	struct arena	*mem;
	struct advisory	 adv;
	uint32_t	*at;		/* of the own ones, on the shelf */
	size_t		 own, cap;
	struct ids	*ids;
	bool		 failed;
};

bool
documents_are_series(const struct documents *d)
{
	bool any = false;

	for (size_t i = 0; i < d->nsources; i++) {
		if (d->sources[i].whole == NULL)
			continue;
		if (!d->sources[i].format->split->containers)
			return false;
		any = true;
	}
	return any && d->to->series != NULL && shelf_count(d->shelf) < UINT32_MAX;
}

/* ---- who is where ---- */

static int
compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int
compare_moved(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Is the version at `b` later than the one at `a`? */
static bool
is_later(struct shelf *shelf, uint32_t a, uint32_t b)
{
	struct arena *mem = arena_new();
	struct object x, y;
	struct kept k;
	bool later = false;

	if (shelf_get(shelf, a, &k) && shelf_load(shelf, &k, mem, true, &x) &&
	    shelf_get(shelf, b, &k) && shelf_load(shelf, &k, mem, true, &y))
		later = slice_cmp(y.version_key, x.version_key) > 0;
	arena_free(mem);
	return later;
}

/* All versions of one id: the latest into *out; those of later batches go to the first. */
static void
settle_versions(struct series *s, const struct place *v, size_t n, struct place *out)
{
	*out = v[0];
	for (size_t i = 1; i < n; i++) {
		if (is_later(s->g->d->shelf, out->at, v[i].at))
			out->at = v[i].at;
		if (v[i].batch == v[0].batch)
			continue;
		s->moved = xgrow(s->moved, s->nmoved, &s->moved_cap, sizeof(*s->moved));
		s->moved[s->nmoved++] = (struct place){ v[i].id, v[i].at, v[0].batch };
	}
}

static void
find_places(struct series *s)
{
	struct shelf *shelf = s->g->d->shelf;
	struct place *v = xcalloc(shelf_count(shelf) + 1, sizeof(*v));
	struct kept k;
	size_t n = 0;

	for (size_t i = 0; i < shelf_count(shelf); i++)
		if (shelf_get(shelf, i, &k))
			v[n++] = (struct place){ k.id, (uint32_t)i, k.batch };
	qsort(v, n, sizeof(*v), compare_places);
	s->ids = v;
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && v[to].id == v[from].id; to++)
			;
		settle_versions(s, v + from, to - from, &v[s->nids]);
		s->nids++;
	}
	if (s->nmoved > 1)
		qsort(s->moved, s->nmoved, sizeof(*s->moved), compare_moved);
}

/* The place of an id, or NULL. */
static const struct place *
find_place(const struct series *s, uint64_t id)
{
	size_t lo = 0, hi = s->nids;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->ids[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->nids && s->ids[lo].id == id ? &s->ids[lo] : NULL;
}

/* ---- gathering a batch ---- */

static void
load(struct gathering *b, size_t at)
{
	struct shelf *shelf = b->s->g->d->shelf;
	struct kept k;
	struct object *o = advisory_add(&b->adv, b->mem);

	if (!shelf_get(shelf, at, &k) || !shelf_load(shelf, &k, b->mem, true, o)) {
		b->adv.n--;
		b->failed = true;
		return;
	}
	ids_add(b->ids, o->id, SLICE_EMPTY);
}

static void
load_own(struct gathering *b, size_t at)
{
	b->at = arena_grow(b->mem, b->at, b->own, &b->cap, sizeof(*b->at));
	b->at[b->own++] = (uint32_t)at;
	load(b, at);
}

/* refs_fn: what is named must be there. */
static bool
on_ref(void *arg, const char *member, struct slice id)
{
	struct gathering *b = arg;
	const struct place *p;

	(void)member;
	p = find_place(b->s, shelf_hash(b->s->g->d->shelf, id));
	if (p != NULL && !ids_add(b->ids, id, SLICE_EMPTY))
		load(b, p->at);
	return !b->failed;
}

static bool
is_container(const struct object *o)
{
	return slice_is(o->type, "report") || slice_is(o->type, "grouping");
}

/* What the own ones name, and what that names in turn. */
static void
load_named(struct gathering *b)
{
	size_t from = 0;

	b->own = b->adv.n;
	for (int round = 0; round < FOLLOWED_MAX && from < b->adv.n; round++) {
		size_t to = b->adv.n;

		for (; from < to && !b->failed; from++)
			if (from < b->own || !is_container(&b->adv.objects[from]))
				refs_each(b->adv.objects[from].tree, on_ref, b);
	}
}

static int
lost(struct series *s)
{
	return err_set(s->g->e, ERR_IO, "an object that was put by cannot be had again");
}

static void
keep_rest(struct series *s, const struct gathering *b, const bool *rest)
{
	for (size_t i = 0; i < b->own; i++) {
		if (!rest[i])
			continue;
		s->rest = xgrow(s->rest, s->nrest, &s->rest_cap, sizeof(*s->rest));
		s->rest[s->nrest++] = b->at[i];
	}
}

/* Write what was gathered. */
static int
put(struct series *s, struct gathering *b, bool last)
{
	struct batch batch = { .adv = &b->adv, .last = last };
	int rc;

	load_named(b);
	if (b->failed)
		return lost(s);
	b->adv.id = s->g->d->id;
	batch.own = b->own;
	batch.rest = arena_alloc(b->mem, b->own + 1);
	rc = s->ops->put(s->g->w, &batch, &s->g->out, s->g->e);
	account_take(s->g->d->account, LEG_WRITING, NULL);
	if (rc == 0 && !last)
		keep_rest(s, b, batch.rest);
	return rc < 0 ? -1 : documents_flush(s->g, PART_BYTES);
}

static void
gathering_init(struct gathering *b, struct series *s)
{
	*b = (struct gathering){ .s = s, .mem = arena_new(), .ids = ids_new() };
}

static void
gathering_fini(struct gathering *b)
{
	ids_free(b->ids);
	arena_free(b->mem);
}

/* ---- the whole document ---- */

/* The batch that begins at *i, which moves behind it. */
static int
put_batch(struct series *s, size_t *i)
{
	struct shelf *shelf = s->g->d->shelf;
	size_t n = shelf_count(shelf);
	struct gathering b;
	struct kept first, k;
	int rc = 0;

	if (!shelf_find(shelf, *i, &first))
		return lost(s);
	gathering_init(&b, s);
	for (; *i < n && shelf_find(shelf, *i, &k) && k.batch == first.batch; ++*i) {
		const struct place *p = find_place(s, k.id);

		if (shelf_get(shelf, *i, &k) && p != NULL && p->batch == k.batch)
			load_own(&b, *i);
	}
	while (s->next_moved < s->nmoved && s->moved[s->next_moved].batch == first.batch)
		load_own(&b, s->moved[s->next_moved++].at);
	if (b.own > 0)
		rc = put(s, &b, false);
	gathering_fini(&b);
	work_bar_show(s->g->d->bar, "writing", "", *i, n);
	return rc;
}

static int
put_rest(struct series *s)
{
	struct gathering b;
	int rc;

	if (s->nrest == 0)
		return 0;
	gathering_init(&b, s);
	for (size_t i = 0; i < s->nrest; i++)
		load_own(&b, s->rest[i]);
	rc = put(s, &b, true);
	gathering_fini(&b);
	return rc;
}

static int
look(struct series *s)
{
	struct shelf *shelf = s->g->d->shelf;

	for (size_t i = 0; i < shelf_count(shelf); i++) {
		struct arena *mem;
		const struct place *p;
		struct object o;
		struct kept k;
		bool there;

		if (!shelf_get(shelf, i, &k) || (p = find_place(s, k.id)) == NULL || p->at != i)
			continue;
		mem = arena_new();
		there = shelf_load(shelf, &k, mem, false, &o);
		if (there)
			s->ops->look(s->g->w, &o);
		arena_free(mem);
		if (!there)
			return lost(s);
	}
	return 0;
}

static int
write_all(struct series *s)
{
	size_t i = 0;
	int rc;

	find_places(s);
	if (look(s) < 0)
		return -1;
	rc = s->ops->head(s->g->w, &s->g->out, s->g->e);
	if (rc != 0)
		return rc;
	while (i < shelf_count(s->g->d->shelf))
		if (put_batch(s, &i) < 0)
			return -1;
	if (put_rest(s) < 0 || s->ops->tail(s->g->w, &s->g->out, s->g->e) < 0)
		return -1;
	account_take(s->g->d->account, LEG_WRITING, NULL);
	return documents_flush(s->g, 0);
}

int
documents_write_series(struct giving *g, const struct write_job *job)
{
	struct series s = { .g = g, .ops = g->d->to->series };
	int rc = -1;

	g->w = s.ops->begin(job, g->e);
	if (g->w == NULL)
		return -1;
	rc = write_all(&s);
	s.ops->end(g->w);
	free(s.ids);
	free(s.moved);
	free(s.rest);
	return rc;
}
