/*
 * Pages: a few ranges of member, each in order of date, merged.
 *
 * The common page reads one range (CLASS_LAST) and an empty one (CLASS_MIXED). added_after adds
 * CLASS_LATE; keywords other than `last` read every class; match[type] reads one range a type; ids are
 * looked up one by one.
 *
 * All ranges of a turn are read in one transaction: what another process commits between two of them would
 * otherwise be seen in the second and missed in the first, behind a date that the client goes on from.
 */
#include <stdlib.h>

#include "gateway/store_sqlite.h"

/* One range that is being read. */
struct cursor {
	sqlite3_stmt	*st;
	enum member_class class;
	bool		 slim;
	int64_t		 date_us;	/* of its row; INT64_MAX at the end */
};

/* One page being made, this turn. */
struct paging {
	struct sq		*q;
	struct page_walk	*walk;
	const struct page_query	*pq;		/* of the walk */
	struct arena		*mem;		/* of the walk */
	struct cursor		 cursor[RANGE_CURSORS];
	size_t			 ncursors;
	size_t			 used[RANGES];
};

static bool
is_admitted(const struct paging *w, const struct store_row *row)
{
	return w->pq->admit == NULL || w->pq->admit(w->pq->admit_ctx, row);
}

/* ---- ranges ---- */

static int
advance(struct paging *w, struct cursor *c, struct err *e)
{
	int rc = sq_step(w->q, c->st, e);

	c->date_us = rc > 0 ? sqlite3_column_int64(c->st, COL_DATE) : INT64_MAX;
	return rc;
}

static int
open_range(struct paging *w, enum sq_range range, enum member_class class, int64_t kind,
    struct err *e)
{
	size_t at = w->used[range]++;
	sqlite3_stmt **st = &w->q->range[range][at];
	struct cursor *c = &w->cursor[w->ncursors++];

	if (*st == NULL && (*st = sq_prepare(w->q, sq_range_text[range], e)) == NULL)
		return -1;
	c->st = *st;
	c->class = class;
	c->slim = range == RANGE_SLIM || range == RANGE_SLIM_HEAD;
	if (sqlite3_bind_int64(*st, 1, w->pq->cid) != SQLITE_OK ||
	    sqlite3_bind_int64(*st, 2, class) != SQLITE_OK ||
	    sqlite3_bind_int64(*st, 3, w->walk->from_us) != SQLITE_OK ||
	    (kind >= 0 && sqlite3_bind_int64(*st, 4, kind) != SQLITE_OK))
		return sq_fail(w->q, e, "bind");
	return advance(w, c, e) < 0 ? -1 : 0;
}

/* Which classes can hold rows that the query chooses. */
static bool
class_counts(const struct page_query *pq, enum member_class class)
{
	if (!store_query_is_last(pq) || class == CLASS_LAST || class == CLASS_MIXED)
		return true;
	return class == CLASS_LATE && pq->added_after_us >= 0;
}

/* The statement for a class. Rows of CLASS_LAST that are shown as they come need little of themselves. */
static enum sq_range
range_of(const struct page_query *pq, enum member_class class)
{
	if (class == CLASS_LAST && pq->take != NULL && store_query_is_last(pq))
		return pq->want_bytes ? RANGE_SLIM : RANGE_SLIM_HEAD;
	return pq->want_bytes ? RANGE_ALL : RANGE_ALL_HEAD;
}

static int
open_ranges(struct paging *w, struct err *e)
{
	const struct page_query *pq = w->pq;
	bool kinds = pq->ntypes > 0 && pq->ntypes <= RANGE_CURSORS / CLASSES;

	for (int class = 0; class < CLASSES; class++) {
		if (!class_counts(pq, class))
			continue;
		if (!kinds && open_range(w, range_of(pq, class), class, -1, e) < 0)
			return -1;
		for (size_t i = 0; kinds && i < pq->ntypes; i++)
			if (!slice_in(pq->types[i], pq->types, i) &&
			    open_range(w, pq->want_bytes ? RANGE_KIND : RANGE_KIND_HEAD, class,
			    sq_kind(pq->types[i]), e) < 0)
				return -1;
	}
	return 0;
}

static void
close_ranges(struct paging *w)
{
	for (size_t i = 0; i < w->ncursors; i++)
		if (w->cursor[i].st != NULL)
			sq_reset(w->cursor[i].st);
}

static struct cursor *
next_cursor(struct paging *w)
{
	struct cursor *best = NULL;

	for (size_t i = 0; i < w->ncursors; i++)
		if (w->cursor[i].date_us != INT64_MAX &&
		    (best == NULL || w->cursor[i].date_us < best->date_us))
			best = &w->cursor[i];
	return best;
}

/* ---- choosing ---- */

/* Ask the whole group of an id about one version. */
static int
ask_group(struct paging *w, int64_t obj, int64_t vid, struct err *e)
{
	struct arena *mem = arena_new();
	struct version_choice *v;
	size_t n;
	int rc = sq_member_group(w->q, w->pq->cid, obj, mem, &v, &n, e);

	if (rc == 0) {
		store_choose(w->pq, v, n);
		for (size_t i = 0; i < n; i++)
			if (v[i].vid == vid)
				rc = v[i].chosen;
	}
	arena_free(mem);
	return rc;
}

/* Is the row under the cursor one that the query chooses? 1, 0, -1 on trouble. */
static int
is_chosen(struct paging *w, const struct cursor *c, const struct store_row *row, struct err *e)
{
	const struct page_query *pq = w->pq;
	bool last = pq->last || store_query_is_last(pq);

	if ((pq->ntypes > 0 && !slice_in(row->type, pq->types, pq->ntypes)) ||
	    (pq->nspec_versions > 0 &&
	    !slice_in(row->spec_version, pq->spec_versions, pq->nspec_versions)))
		return 0;
	if (c->class != CLASS_MIXED) {
		if (pq->all || slice_in(row->version_key, pq->version_keys, pq->nversion_keys))
			return 1;
		if (last && (c->class == CLASS_LAST || (c->class == CLASS_LATE &&
		    sqlite3_column_int64(c->st, COL_OVER) <= pq->added_after_us)))
			return 1;
		if (!pq->first)
			return 0;
	}
	return ask_group(w, sqlite3_column_int64(c->st, COL_OBJ), row->vid, e);
}

/* Look at the row under the cursor: into the page with it, or not. */
static int
look_at(struct paging *w, const struct cursor *c, struct err *e)
{
	struct page_walk *walk = w->walk;
	struct store_row row;
	int rc;

	if (c->slim)
		sq_row_slim(c->st, &row);
	else
		sq_row_here(c->st, &row);
	if ((rc = is_chosen(w, c, &row, e)) < 0)
		return -1;
	if (rc == 0 || !is_admitted(w, &row)) {
		walk->vain++;
	} else if (walk_is_full(walk, &row)) {
		walk->page.more = true;
	} else if (w->pq->take == NULL) {
		sq_row_keep(c->st, &row, w->mem, walk_add(walk, &row));
	} else {
		row.version = store_shown(row.version, row.date_added_us, w->mem);
		walk_give(walk, &row);
	}
	return 0;
}

/* Damage stops a page, but what lies before it is served: the page ends there, the next one is refused. */
static int
stop_before_damage(struct paging *w, uint64_t damages_before, struct err *e)
{
	if (w->walk->page.n == 0 || w->q->store.damages == damages_before)
		return -1;
	*e = (struct err)ERR_INIT;
	w->walk->page.more = true;
	return 0;
}

static int
walk_ranges(struct paging *w, struct err *e)
{
	uint64_t damages = w->q->store.damages;
	struct page_walk *walk = w->walk;
	struct cursor *c;
	int rc = open_ranges(w, e);

	while (rc >= 0 && !walk->page.more && (c = next_cursor(w)) != NULL &&
	    !walk_is_past(walk, c->date_us)) {
		if (walk->vain_max > 0 && walk->vain >= walk->vain_max) {
			walk->unfinished = true;
			break;
		}
		if ((rc = look_at(w, c, e)) < 0)
			break;
		walk->from_us = c->date_us;
		rc = advance(w, c, e);
	}
	close_ranges(w);
	return rc < 0 ? stop_before_damage(w, damages, e) : 0;
}

/* ---- by id ---- */

static int
read_version(struct paging *w, const struct version_choice *v, bool bytes, struct store_row *row,
    struct err *e)
{
	sqlite3_stmt *st = sq_bind(w->q, bytes ? SQ_VERSION_ROW : SQ_VERSION_HEAD, e, "i", v->vid);
	int rc = st == NULL ? -1 : sq_step(w->q, st, e);
	struct head h;

	if (rc <= 0)
		return rc;
	sq_row(st, w->mem, row);
	sq_head_read(sq_col(st, COL_HEAD), &h);
	row->date_added_us = v->date_us;
	if (h.shown.n == 0)
		row->version = store_shown(h.shown, v->date_us, w->mem);
	sq_reset(st);
	return 1;
}

/* What of this id the reader could have, whatever the date filters (any_version, any_match). */
static int
look_for_any(struct paging *w, const struct version_choice *v, size_t n, struct err *e)
{
	struct store_page *out = &w->walk->page;

	for (size_t i = 0; i < n && !(out->any_version && out->any_match); i++) {
		bool hit = store_keyword_hits(w->pq, v[i].version_key);
		struct store_row row;
		int rc;

		if (out->any_version && !hit)
			continue;
		if ((rc = read_version(w, &v[i], false, &row, e)) < 0)
			return -1;
		if (rc == 0 || !is_admitted(w, &row))
			continue;
		out->any_version = true;
		out->any_match = out->any_match || hit;
	}
	return 0;
}

/* The chosen versions of every id asked for, sorted by date. */
static int
choose_ids(struct paging *w, struct version_choice **all, size_t *n, struct err *e)
{
	size_t cap = 0;

	for (size_t i = 0; i < w->pq->nids; i++) {
		struct version_choice *v;
		int64_t obj, key;
		size_t count;
		int rc;

		if (slice_in(w->pq->ids[i], w->pq->ids, i))
			continue;
		if ((rc = sq_object(w->q, w->pq->ids[i], &obj, &key, e)) < 0)
			return -1;
		if (rc == 0)
			continue;
		if (sq_member_group(w->q, w->pq->cid, obj, w->mem, &v, &count, e) < 0 ||
		    look_for_any(w, v, count, e) < 0)
			return -1;
		store_choose(w->pq, v, count);
		for (size_t k = 0; k < count; k++) {
			if (!v[k].chosen || v[k].date_us <= w->walk->from_us ||
			    walk_is_past(w->walk, v[k].date_us))
				continue;
			*all = arena_grow(w->mem, *all, *n, &cap, sizeof(**all));
			(*all)[(*n)++] = v[k];
		}
	}
	if (*n > 0)
		qsort(*all, *n, sizeof(**all), store_by_date);
	return 0;
}

static int
walk_ids(struct paging *w, struct err *e)
{
	struct page_walk *walk = w->walk;
	struct version_choice *all = NULL;
	size_t n = 0;

	if (choose_ids(w, &all, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n && !walk->page.more; i++) {
		struct store_row row;
		int rc = read_version(w, &all[i], w->pq->want_bytes, &row, e);

		if (rc < 0)
			return -1;
		if (rc == 0 || !is_admitted(w, &row) ||
		    (w->pq->ntypes > 0 && !slice_in(row.type, w->pq->types, w->pq->ntypes)))
			continue;
		walk->page.more = walk_is_full(walk, &row);
		if (!walk->page.more && !walk_give(walk, &row))
			*walk_add(walk, &row) = row;
	}
	return 0;
}

int
sq_page(struct store *s, struct page_walk *walk, struct err *e)
{
	struct paging w = { .q = sq_of(s), .walk = walk, .pq = &walk->q, .mem = walk->mem };
	struct err end = ERR_INIT;
	int rc;

	if (sq_run(w.q, SQ_READ, e, "") < 0)
		return -1;
	rc = walk->q.nids > 0 ? walk_ids(&w, e) : walk_ranges(&w, e);
	if (sq_run(w.q, SQ_COMMIT, &end, "") < 0 && !sqlite3_get_autocommit(w.q->db))
		sq_run(w.q, SQ_ROLLBACK, &end, "");
	return rc;
}
