/* Pages and objects of the memory backend, by looking at everything. */
#include <stdlib.h>

#include "gateway/store_mem.h"

struct version_choice *
mem_group(struct mem *m, int64_t cid, int64_t obj, struct arena *mem, size_t *n)
{
	struct version_choice *v = NULL;
	size_t cap = 0;

	*n = 0;
	for (size_t i = 0; i < m->nmembers; i++) {
		const struct mem_version *x = mem_version(m, m->members[i].vid);

		if (m->members[i].cid != cid || x->obj != obj)
			continue;
		v = arena_grow(mem, v, *n, &cap, sizeof(*v));
		v[(*n)++] = (struct version_choice){ .vid = x->row.vid,
		    .date_us = m->members[i].date_us, .spec = x->row.spec_version,
		    .version_key = x->row.version_key };
	}
	return v;
}

static struct store_row
row_of(struct mem *m, int64_t vid, int64_t date_us, bool bytes, struct arena *mem)
{
	const struct mem_version *v = mem_version(m, vid);
	struct store_row row = v->row;

	row.date_added_us = date_us;
	if (date_us != 0)
		row.version = store_shown(v->shown, date_us, mem);
	if (!bytes)
		row.bytes = SLICE_EMPTY;
	return row;
}

static bool
admitted(const struct page_query *q, const struct store_row *row)
{
	return q->admit == NULL || q->admit(q->admit_ctx, row);
}

/* All chosen versions of the collection in order of date; n counts. */
static struct version_choice *
choose_all(struct mem *m, const struct page_query *q, struct arena *mem, struct store_page *out,
    size_t *n)
{
	struct version_choice *all = NULL;
	size_t cap = 0;

	*n = 0;
	for (size_t i = 0; i < m->nversions; i++) {
		const struct mem_version *first = &m->versions[i];
		struct version_choice *v;
		size_t count;

		if (first->obj != first->row.vid ||
		    (q->nids > 0 && !slice_in(first->row.id, q->ids, q->nids)))
			continue;
		v = mem_group(m, q->cid, first->obj, mem, &count);
		store_choose(q, v, count);
		for (size_t k = 0; k < count; k++) {
			struct store_row row = row_of(m, v[k].vid, v[k].date_us, false, mem);

			if (q->nids > 0 && admitted(q, &row)) {
				out->any_version = true;
				if (store_keyword_hits(q, v[k].version_key))
					out->any_match = true;
			}
			if (!v[k].chosen ||
			    (q->ntypes > 0 && !slice_in(row.type, q->types, q->ntypes)))
				continue;
			all = arena_grow(mem, all, *n, &cap, sizeof(*all));
			all[(*n)++] = v[k];
		}
	}
	if (*n > 0)
		qsort(all, *n, sizeof(*all), store_by_date);
	return all;
}

int
mem_page(struct store *s, struct page_walk *w, struct err *e)
{
	struct mem *m = mem_of(s);
	size_t n;
	struct version_choice *v = choose_all(m, &w->q, w->mem, &w->page, &n);

	(void)e;
	for (size_t i = 0; i < n && !w->page.more; i++) {
		struct store_row row = row_of(m, v[i].vid, v[i].date_us, w->q.want_bytes, w->mem);

		if (v[i].date_us <= w->from_us || walk_is_past(w, v[i].date_us) ||
		    !admitted(&w->q, &row))
			continue;
		w->page.more = walk_is_full(w, &row);
		if (!w->page.more && !walk_give(w, &row))
			*walk_add(w, &row) = row;
	}
	return 0;
}

/* ---- objects ---- */

static void
add_delivery(struct store_object *o, struct arena *mem, size_t *cap, const char *peer,
    const char *state, const char *reason, int64_t at_us)
{
	o->delivery = arena_grow(mem, o->delivery, o->ndelivery, cap, sizeof(*o->delivery));
	o->delivery[o->ndelivery].peer = peer;
	o->delivery[o->ndelivery].state = state;
	o->delivery[o->ndelivery].reason = reason;
	o->delivery[o->ndelivery++].at_us = at_us;
}

static void
tell(struct mem *m, const struct mem_version *v, struct arena *mem, struct store_object *out)
{
	struct store_sighting *sightings = NULL;
	size_t cap = 0, delivery_cap = 0;

	for (size_t i = 0; i < m->nsources; i++) {
		const struct mem_source *src = &m->sources[i];
		const struct mem_version *of = mem_version(m, src->vid);

		if (of != v && !mem_linked(of, v))
			continue;
		sightings = arena_grow(mem, sightings, out->nsightings, &cap, sizeof(*sightings));
		sightings[out->nsightings++] = (struct store_sighting){ .id = of->row.id,
		    .source = src->name, .origin = src->origin, .advisory = src->advisory,
		    .hops = src->hops, .first_us = src->first_us, .last_us = src->last_us,
		    .count = src->count };
		if (of == v && src->origin != ORIGIN_OWN)
			add_delivery(out, mem, &delivery_cap, src->name, "gave", "",
			    src->first_us);
	}
	out->sightings = sightings;
	for (size_t i = 0; i < m->ndeliveries; i++) {
		const struct mem_delivery *d = &m->deliveries[i];

		if (d->vid == v->row.vid && d->state != MEM_GONE)
			add_delivery(out, mem, &delivery_cap, d->peer, mem_state_word(d->state),
			    d->reason, d->at_us);
	}
}

int
mem_object(struct store *s, struct slice id, struct arena *mem, struct store_object *out,
    bool *found, struct err *e)
{
	struct mem *m = mem_of(s);
	const struct mem_version *best = NULL;

	(void)e;
	for (size_t i = 0; i < m->nversions; i++) {
		const struct mem_version *v = &m->versions[i];

		if (slice_eq(v->row.id, id) && (best == NULL ||
		    slice_cmp(v->row.version_key, best->row.version_key) > 0))
			best = v;
	}
	*found = best != NULL;
	if (best == NULL)
		return 0;
	out->row = best->row;
	out->warnings = best->warnings;
	tell(m, best, mem, out);
	return 0;
}

int
mem_scan(struct store *s, int64_t after_vid, size_t max, struct arena *mem,
    struct store_page *out, struct err *e)
{
	struct mem *m = mem_of(s);
	size_t from = after_vid < 0 ? 0 : (size_t)after_vid;
	size_t left = from >= m->nversions ? 0 : m->nversions - from;
	struct store_row *rows;

	(void)e;
	out->n = left > max ? max : left;
	out->more = left > max;
	rows = arena_alloc(mem, (out->n + 1) * sizeof(*rows));
	for (size_t i = 0; i < out->n; i++)
		rows[i] = m->versions[from + i].row;
	out->rows = rows;
	return 0;
}
