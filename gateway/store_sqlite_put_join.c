/* store_sqlite_put_join.c -- which collections the puts of a transaction join, and in which order. Part of
 * store_sqlite_put.h. */
#include "gateway/store_sqlite_put.h"
#include "formats/refs.h"

/* Return its date there, -1 on trouble. `date_us`: the one it has already, or 0. */
static int64_t
join_one(struct putting *w, struct one *o, int64_t cid, int64_t date_us, struct err *e)
{
	struct member m = {
		.cid = cid, .vid = o->vid, .obj = o->obj, .kind = sq_kind(o->p->object->type),
		.spec = o->spec, .version_key = o->p->object->version_key,
	};

	if (date_us != 0)
		return date_us;
	if (o->date_us == 0)
		o->date_us = store_next_date(&w->q->store);
	m.date_us = o->date_us;
	return sq_join(w->q, &m, o->new_id, e) < 0 ? -1 : m.date_us;
}

/* One row a fingerprint group: joined unless a copy that says as much is in. A new version of an id that
 * is in always joins. */
static int
join_distinct(struct putting *w, struct one *o, int64_t cid, int64_t date_us, struct err *e)
{
	int rc;

	if (date_us != 0)
		return date_us < 0 ? -1 : 0;
	rc = o->new_id ? 0 : sq_is_in(w->q, cid, o->obj, e);
	if (rc == 0)
		rc = sq_put_copies(w, o, e) < 0 ? -1 : sq_view_covered(w->q, &o->copies, cid, e) * 2;
	if (rc < 0 || rc == 2)
		return rc < 0 ? -1 : 0;
	return join_one(w, o, cid, 0, e) < 0 ? -1 : 0;
}

static bool
listed(int64_t cid, const int64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == cid)
			return true;
	return false;
}

/* A collection may stand in the lists twice: what others lend is added to what is its own. */
int
sq_put_kept(struct putting *w, struct one *o, bool new_version, struct err *e)
{
	const struct store_put *p = o->p;
	int64_t date_us = 0;

	for (size_t i = 0; i < p->ncollections; i++) {
		if (listed(p->collections[i], p->collections, i))
			continue;
		if (!new_version)
			date_us = sq_member_date(w->q, p->collections[i], o->obj, o->vid, e);
		date_us = join_one(w, o, p->collections[i], date_us, e);
		if (date_us < 0)
			return -1;
		if (i == 0)
			o->shown_us = date_us;
		date_us = 0;
	}
	return 0;
}

/* Join one view, after the supporting objects that this one names. */
static int
join_view(struct putting *w, struct one *o, int64_t cid, bool distinct, struct err *e)
{
	bool new = o->p->outcome == STORE_NEW && !o->supports;
	int64_t date_us = new ? 0 : sq_member_date(w->q, cid, o->obj, o->vid, e);

	if (date_us != 0)
		return date_us < 0 ? -1 : 0;
	if (sq_support(w->q, cid, o->p->supporters, 0, w->mem, e) < 0)
		return -1;
	if (o->supports)	/* what it names may name it in turn, and have brought it */
		date_us = sq_member_date(w->q, cid, o->obj, o->vid, e);
	o->date_us = 0;		/* a date of its own: others have come in between */
	if (distinct)
		return join_distinct(w, o, cid, date_us, e);
	return join_one(w, o, cid, date_us, e) < 0 ? -1 : 0;
}

static int
join_views(struct putting *w, struct one *o, struct err *e)
{
	const struct store_put *p = o->p;

	for (size_t i = 0; i < p->nviews; i++)
		if (!listed(p->views[i], p->collections, p->ncollections) &&
		    !listed(p->views[i], p->views, i) &&
		    join_view(w, o, p->views[i], false, e) < 0)
			return -1;
	for (size_t i = 0; i < p->ndistinct; i++)
		if (!listed(p->distinct[i], p->collections, p->ncollections) &&
		    !listed(p->distinct[i], p->views, p->nviews) &&
		    !listed(p->distinct[i], p->distinct, i) &&
		    join_view(w, o, p->distinct[i], true, e) < 0)
			return -1;
	return 0;
}

/* A version that has come is brought to those who name it. */
static int
support_others(struct putting *w, const struct one *o, struct err *e)
{
	const struct object *b = o->p->object;
	const struct member m = {
		.vid = o->vid, .obj = o->obj, .kind = sq_kind(b->type), .spec = o->spec,
		.version_key = b->version_key,
	};

	return o->p->outcome != STORE_NEW ? 0 :
	    sq_support_came(w->q, &m, o->p, o->new_id, w->mem, e);
}

/* Views, when all objects of the transaction are there: supporting objects first, so that who reads a
 * view never meets a name that comes later. */
int
sq_put_views(struct putting *w, struct one *all, struct err *e)
{
	for (int others = 0; others < 2; others++) {
		for (size_t i = 0; i < w->t->nputs; i++) {
			struct one *o = &all[i];

			o->supports = refs_is_supporting(o->p->object->type);
			if (o->supports != (others == 0) || o->p->outcome == STORE_CONFLICT)
				continue;
			if (o->supports && support_others(w, o, e) < 0)
				return -1;
			/* another version of it may be in by now */
			o->new_id = o->new_id && !o->supports;
			if (join_views(w, o, e) < 0)
				return -1;
		}
	}
	return 0;
}
