/*
 * Supporting objects (identities, marking and extension definitions) in views: what a view shows names none
 * that the store has and the view has not.
 *
 *	support(vid -> ids)	what a version of a supporting object names itself: read when it joins
 *	wanted(idk, cid)	an id that something in that view names, and that has not come yet
 */
#include "gateway/store_sqlite.h"
#include "formats/refs.h"

/* In one transaction: ids looked up, and ids remembered. Who names more has them in views so far. */
enum { LOOKUPS_MAX = 100000, WANTED_MAX = 10000 };

void
sq_support_begin(struct sq *q)
{
	q->support_left = LOOKUPS_MAX;
	q->wanted_left = WANTED_MAX;
}

/* The greatest version of an object as a member of the view, if it may be one: 1, 0, -1 on trouble. */
static int
greatest(struct sq *q, int64_t cid, int64_t obj, struct arena *mem, struct member *m, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_VERSION_LAST, e, "i", obj);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	struct head h;

	if (rc <= 0)
		return rc;
	sq_head_read(sq_copy(st, COL_HEAD, mem), &h);
	*m = (struct member){
		.cid = cid, .vid = sqlite3_column_int64(st, COL_VID), .obj = obj,
		.kind = sq_kind(h.type), .spec = h.spec, .version_key = sq_copy(st, COL_VKEY, mem),
	};
	sq_reset(st);
	return h.tlp != TLP_RED && refs_is_supporting(h.type);
}

/* Join it, after what it names itself. */
static int
join(struct sq *q, struct member *m, int depth, struct arena *mem, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_SUPPORT_GET, e, "i", m->vid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	struct slice ids;

	if (rc < 0)
		return -1;
	if (rc > 0) {
		ids = sq_copy(st, 0, mem);
		sq_reset(st);
		if (sq_support(q, m->cid, ids, depth + 1, mem, e) < 0)
			return -1;
		/* it may have come in by a circle */
		if ((rc = sq_is_in(q, m->cid, m->obj, e)) < 0)
			return -1;
		if (rc > 0 && sq_member_date(q, m->cid, m->obj, m->vid, e) != 0)
			return 0;
	}
	m->date_us = store_next_date(&q->store);
	return sq_join(q, m, false, e);
}

static int
support_one(struct sq *q, int64_t cid, struct slice id, int depth, struct arena *mem, struct err *e)
{
	int64_t obj, key;
	struct member m;
	int rc = sq_object(q, id, &obj, &key, e);

	if (rc < 0)
		return -1;
	if (rc == 0 && q->wanted_left == 0)
		return 0;
	if (rc == 0) {
		q->wanted_left--;
		return sq_run(q, SQ_WANTED_ADD, e, "ii", sq_hash(q, id), cid) < 0 ? -1 : 0;
	}
	if ((rc = sq_is_in(q, cid, obj, e)) != 0)
		return rc < 0 ? -1 : 0;
	if ((rc = greatest(q, cid, obj, mem, &m, e)) <= 0)
		return rc;
	return join(q, &m, depth, mem, e);
}

int
sq_support(struct sq *q, int64_t cid, struct slice ids, int depth, struct arena *mem, struct err *e)
{
	while (ids.n > 0 && depth < SUPPORT_DEPTH && q->support_left > 0) {
		q->support_left--;
		if (support_one(q, cid, slice_cut(&ids, ' '), depth, mem, e) < 0)
			return -1;
	}
	return 0;
}

/* The views that wait for an id, which they do no longer. */
static int
take_wanted(struct sq *q, struct slice id, struct arena *mem, int64_t **cids, size_t *n,
    struct err *e)
{
	int64_t key = sq_hash(q, id);
	sqlite3_stmt *st = sq_bind(q, SQ_WANTED_GET, e, "i", key);
	size_t cap = 0;
	int rc = -1;

	*cids = NULL;
	*n = 0;
	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		*cids = arena_grow(mem, *cids, *n, &cap, sizeof(**cids));
		(*cids)[(*n)++] = sqlite3_column_int64(st, 0);
	}
	if (rc < 0)
		return -1;
	return *n > 0 && sq_run(q, SQ_WANTED_DEL, e, "i", key) < 0 ? -1 : 0;
}

static int
bring(struct sq *q, const struct member *m, int64_t cid, struct arena *mem, struct err *e)
{
	struct member to = *m;
	int64_t date_us = sq_member_date(q, cid, m->obj, m->vid, e);

	if (date_us != 0)
		return date_us < 0 ? -1 : 0;
	to.cid = cid;
	return join(q, &to, 0, mem, e);
}

int
sq_support_came(struct sq *q, const struct member *m, const struct store_put *p, bool new_id,
    struct arena *mem, struct err *e)
{
	int64_t *cids;
	size_t n;

	if (p->supporters.n > 0 &&
	    sq_run(q, SQ_SUPPORT_SET, e, "it", m->vid, p->supporters) < 0)
		return -1;
	if (p->tlp == TLP_RED)
		return 0;
	if (take_wanted(q, p->object->id, mem, &cids, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (bring(q, m, cids[i], mem, e) < 0)
			return -1;
	for (size_t i = 0; i < p->nfollow && !new_id; i++) {
		int rc = sq_is_in(q, p->follow[i], m->obj, e);

		if (rc < 0 || (rc > 0 && bring(q, m, p->follow[i], mem, e) < 0))
			return -1;
	}
	return 0;
}
