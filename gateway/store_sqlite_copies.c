/* Linked copies: versions under other ids with the same fingerprint (rulings 1). */
#include "gateway/store_sqlite.h"

int64_t
sq_fp_key(struct slice fp)
{
	int64_t v;

	memcpy(&v, fp.p, sizeof(v));
	return v;
}

/* From the columns vid, obj and head at these places. */
static void
read_copy(sqlite3_stmt *st, int vid, int obj, int head, struct copy *c, struct arena *mem)
{
	struct head h;

	sq_head_read(sq_copy(st, head, mem), &h);
	c->vid = sqlite3_column_int64(st, vid);
	c->obj = sqlite3_column_int64(st, obj);
	c->id = h.id;
	c->fp = h.fp;
	c->facts = (struct copy_facts){ h.tlp, h.pap, h.flags, h.valid_until };
}

int
sq_copies(struct sq *q, struct copies *c, struct arena *mem, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	c->v = NULL;
	c->n = c->cap = 0;
	if (c->of.fp.n != FINGERPRINT_LEN)
		return 0;
	st = sq_bind(q, SQ_VERSION_COPIES, e, "ii", sq_fp_key(c->of.fp), (int64_t)COPIES_MAX);
	if (st == NULL)
		return -1;
	while ((rc = sq_step(q, st, e)) > 0) {
		c->v = arena_grow(mem, c->v, c->n, &c->cap, sizeof(*c->v));
		read_copy(st, 0, 1, 2, &c->v[c->n], mem);
		c->n += slice_eq(c->v[c->n].fp, c->of.fp);
	}
	return rc;
}

bool
sq_is_linked(const struct copies *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].obj != c->of.obj)
			return true;
	return false;
}

static bool
covers(const struct copies *c, size_t i)
{
	return c->v[i].obj != c->of.obj && store_covers(&c->v[i].facts, &c->of.facts);
}

int
sq_copies_of(struct sq *q, int64_t vid, struct copies *c, struct arena *mem, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_VERSION_HEAD, e, "i", vid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);

	memset(c, 0, sizeof(*c));
	if (rc <= 0)
		return rc;
	read_copy(st, COL_VID, COL_OBJ, COL_HEAD, &c->of, mem);
	sq_reset(st);
	return sq_copies(q, c, mem, e);
}

/* Has the peer given us this version, or got it, or is it on its way? */
static int
peer_has(struct sq *q, int64_t pno, int64_t vid, struct err *e)
{
	enum delivery_state state;
	int64_t oid;
	int rc = sq_delivery_of(q, pno, vid, &oid, &state, e);
	sqlite3_stmt *st;

	if (rc < 0 || (rc > 0 && (state == DELIVERY_QUEUED || state == DELIVERY_WAITS ||
	    state == DELIVERY_SENT)))
		return rc;
	st = sq_bind(q, SQ_SOURCE_GET, e, "ii", vid, pno);
	rc = st == NULL ? -1 : sq_step(q, st, e);
	if (rc > 0)
		sq_reset(st);
	return rc;
}

int
sq_peer_covered(struct sq *q, const struct copies *c, int64_t pno, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		int rc;

		if (!covers(c, i))
			continue;
		if ((rc = peer_has(q, pno, c->v[i].vid, e)) != 0)
			return rc;
	}
	return 0;
}

int
sq_view_covered(struct sq *q, const struct copies *c, int64_t cid, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		int64_t date_us;

		if (!covers(c, i))
			continue;
		date_us = sq_member_date(q, cid, c->v[i].obj, c->v[i].vid, e);
		if (date_us != 0)
			return date_us < 0 ? -1 : 1;
	}
	return 0;
}

/* If this copy was left out for one peer and nothing covers it any more, it is queued. */
static int
recheck(struct sq *q, struct party *peer, const struct copies *c, int64_t now_us, struct err *e)
{
	enum delivery_state state;
	int64_t oid;
	int rc = sq_delivery_of(q, peer->pno, c->of.vid, &oid, &state, e);

	if (rc <= 0 || state != DELIVERY_COVERED)
		return rc < 0 ? -1 : 0;
	if ((rc = sq_peer_covered(q, c, peer->pno, e)) != 0)
		return rc < 0 ? -1 : 0;
	return sq_deliver_after_all(q, peer, oid, now_us, e);
}

int
sq_uncover(struct sq *q, struct party *peer, int64_t vid, int64_t now_us, struct arena *mem,
    struct err *e)
{
	struct copies c;
	int64_t obj;

	if (peer->count[DELIVERY_COVERED] == 0)
		return 0;
	if (sq_copies_of(q, vid, &c, mem, e) < 0)
		return -1;
	obj = c.of.obj;
	for (size_t i = 0; i < c.n; i++) {
		if (c.v[i].obj == obj)
			continue;
		c.of = c.v[i];		/* the group is the same */
		if (recheck(q, peer, &c, now_us, e) < 0)
			return -1;
	}
	return 0;
}
