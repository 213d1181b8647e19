/* Single objects with all that is known about them, and scans over all versions. */
#include "gateway/store_sqlite.h"

enum { SIGHTINGS_MAX = 1000, DELIVERIES_MAX = 1000 };

/* What is gathered about one version. */
struct story {
	struct sq		*q;
	struct arena		*mem;
	struct store_sighting	*sightings;
	size_t			 nsightings, sightings_cap;
	size_t			 delivery_cap;
	struct store_object	*out;
};

static void
add_delivery(struct story *w, struct slice peer, const char *state, struct slice reason,
    int64_t at_us)
{
	struct store_object *o = w->out;

	if (o->ndelivery == DELIVERIES_MAX)
		return;
	o->delivery = arena_grow(w->mem, o->delivery, o->ndelivery, &w->delivery_cap,
	    sizeof(*o->delivery));
	o->delivery[o->ndelivery].peer = arena_str(w->mem, peer);
	o->delivery[o->ndelivery].state = state;
	o->delivery[o->ndelivery].reason = arena_str(w->mem, reason);
	o->delivery[o->ndelivery++].at_us = at_us;
}

/* Sources of one version; those of the version itself also say which peers gave it to us. */
static int
add_sightings(struct story *w, int64_t vid, struct slice id, bool itself, struct err *e)
{
	sqlite3_stmt *st = sq_bind(w->q, SQ_SOURCE_SIGHTINGS, e, "i", vid);
	int rc = -1;

	while (st != NULL && (rc = sq_step(w->q, st, e)) > 0) {
		struct store_sighting *x;

		if (w->nsightings == SIGHTINGS_MAX) {
			sq_reset(st);
			return 0;
		}
		w->sightings = arena_grow(w->mem, w->sightings, w->nsightings, &w->sightings_cap,
		    sizeof(*w->sightings));
		x = &w->sightings[w->nsightings++];
		x->id = id;
		x->source = arena_str(w->mem, sq_col(st, 0));
		x->origin = (enum origin)sqlite3_column_int(st, 1);
		x->advisory = arena_str(w->mem, sq_col(st, 2));
		x->hops = arena_str(w->mem, sq_col(st, 3));
		x->first_us = sqlite3_column_int64(st, 4);
		x->last_us = sqlite3_column_int64(st, 5);
		x->count = (uint32_t)sqlite3_column_int64(st, 6);
		if (itself && x->origin != ORIGIN_OWN)
			add_delivery(w, slice_of(x->source), "gave", SLICE_EMPTY, x->first_us);
	}
	return rc;
}

static int
add_copies(struct story *w, int64_t vid, struct err *e)
{
	struct copies c;

	if (sq_copies_of(w->q, vid, &c, w->mem, e) < 0)
		return -1;
	for (size_t i = 0; i < c.n && w->nsightings < SIGHTINGS_MAX; i++)
		if (c.v[i].obj != c.of.obj &&
		    add_sightings(w, c.v[i].vid, c.v[i].id, false, e) < 0)
			return -1;
	return 0;
}

static int
add_deliveries(struct story *w, int64_t vid, struct err *e)
{
	sqlite3_stmt *st = sq_bind(w->q, SQ_DELIVERY_LIST, e, "i", vid);
	int rc = -1;

	while (st != NULL && (rc = sq_step(w->q, st, e)) > 0)
		add_delivery(w, sq_col(st, 0),
		    delivery_word((enum delivery_state)sqlite3_column_int(st, 1)), sq_col(st, 2),
		    sqlite3_column_int64(st, 3));
	return rc;
}

int
sq_object_get(struct store *s, struct slice id, struct arena *mem, struct store_object *out,
    bool *found, struct err *e)
{
	struct story w = { .q = sq_of(s), .mem = mem, .out = out };
	sqlite3_stmt *st;
	int64_t obj, key;
	int rc = sq_object(w.q, id, &obj, &key, e);

	*found = false;
	if (rc <= 0)
		return rc;
	st = sq_bind(w.q, SQ_VERSION_LAST, e, "i", obj);
	rc = st == NULL ? -1 : sq_step(w.q, st, e);
	if (rc <= 0)
		return rc;
	sq_row(st, mem, &out->row);
	out->warnings = arena_str(mem, sq_col(st, COL_BYTES + 1));
	sq_reset(st);
	if (add_sightings(&w, out->row.vid, out->row.id, true, e) < 0 ||
	    add_copies(&w, out->row.vid, e) < 0 || add_deliveries(&w, out->row.vid, e) < 0)
		return -1;
	out->sightings = w.sightings;
	out->nsightings = w.nsightings;
	*found = true;
	return 0;
}

int
sq_scan(struct store *s, int64_t after_vid, size_t max, struct arena *mem, struct store_page *out,
    struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = sq_bind(q, SQ_VERSION_SCAN, e, "i", after_vid);
	struct store_row *rows = NULL;
	size_t cap = 0;
	int rc = -1;

	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		if (out->n == max) {
			out->more = true;
			sq_reset(st);
			rc = 0;
			break;
		}
		rows = arena_grow(mem, rows, out->n, &cap, sizeof(*rows));
		sq_row(st, mem, &rows[out->n++]);
	}
	out->rows = rows;
	return rc;
}
