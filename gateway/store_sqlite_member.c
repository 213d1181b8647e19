/*
 * Memberships, and the class that makes a page one range of the key (cid, class, date_us).
 *
 * What a reader gets by default is, of the versions added after A, the greatest of each id. Let `over`
 * of a member be the greatest date of a greater version of its id in the collection (0: none). Then it
 * is chosen exactly if over <= A. Three cases never mix:
 *
 *	CLASS_LAST   over = 0            chosen whatever A is
 *	CLASS_PAST   over > own date     never chosen: who may see it by date may see the greater one
 *	CLASS_LATE   0 < over < date     came behind a greater version: chosen if over <= A
 *
 * so the common page is a range of CLASS_LAST, and with added_after one of CLASS_LATE beside it.
 *
 * When versions of one id differ in specification version, the greatest of these counts first, and a
 * filter on it changes who is greatest. Such groups are rare: all their members are CLASS_MIXED, and
 * readers look at the whole group (store_choose).
 */
#include <stdlib.h>

#include "gateway/store_sqlite.h"

/* A member that is not CLASS_PAST. */
struct live {
	enum member_class class;
	int64_t		 date_us;
	bool		 greater;	/* than the new one */
	bool		 same_spec;
};

enum { LIVE_MAX = 64 };

/* The dates of a new member's greater versions, and what becomes of the smaller ones. */
struct standing {
	struct live	live[LIVE_MAX];
	size_t		n;
	bool		mixed;		/* the group is mixed already */
	bool		more;		/* than LIVE_MAX */
};

static int
read_live(struct sq *q, const struct member *m, struct standing *x, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_MEMBER_LIVE, e, "ii", m->obj, m->cid);
	int rc = -1;

	x->n = 0;
	x->mixed = x->more = false;
	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		struct live *l = &x->live[x->n];
		struct head h;

		l->class = (enum member_class)sqlite3_column_int(st, 0);
		l->date_us = sqlite3_column_int64(st, 1);
		sq_head_read(sq_col(st, 3), &h);
		l->same_spec = slice_eq(h.spec, m->spec);
		l->greater = slice_cmp(sq_col(st, 4), m->version_key) > 0;
		x->mixed = x->mixed || l->class == CLASS_MIXED || !l->same_spec;
		if (x->mixed || ++x->n == LIVE_MAX) {
			x->more = true;
			sq_reset(st);
			return 0;
		}
	}
	return rc;
}

static int
add(struct sq *q, const struct member *m, enum member_class class, int64_t over_us,
    struct err *e)
{
	if (sq_run(q, SQ_MEMBER_ADD, e, "iiiiiii", m->cid, (int64_t)class, m->date_us, m->vid,
	    m->obj, (int64_t)m->kind, over_us) < 0)
		return -1;
	q->count[N_MEMBERS]++;
	q->dirty = true;
	return 0;
}

static int
move(struct sq *q, int64_t cid, enum member_class from, int64_t date_us, enum member_class to,
    int64_t over_us, struct err *e)
{
	return sq_run(q, SQ_MEMBER_MOVE, e, "iiiii", cid, (int64_t)from, date_us, (int64_t)to,
	    over_us) < 0 ? -1 : 0;
}

/* A member of a group as regroup sorts it. */
struct ranked {
	const struct version_choice *v;
	enum member_class class, want;
	int64_t		 over_us;
};

static int
by_version(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return slice_cmp(y->v->version_key, x->v->version_key);	/* greatest first */
}

/* What class each of a group ought to have; `r` is sorted, greatest first. */
static void
rank(struct ranked *r, size_t n)
{
	int64_t over_us = 0;
	bool mixed = false;

	for (size_t i = 1; i < n; i++)
		mixed = mixed || !slice_eq(r[i].v->spec, r[0].v->spec);
	for (size_t i = 0; i < n; i++) {
		r[i].over_us = mixed ? 0 : over_us;
		r[i].want = mixed ? CLASS_MIXED : over_us == 0 ? CLASS_LAST :
		    over_us > r[i].v->date_us ? CLASS_PAST : CLASS_LATE;
		if (r[i].v->date_us > over_us)
			over_us = r[i].v->date_us;
	}
}

int
sq_group_is_ranked(struct sq *q, int64_t cid, int64_t obj, struct arena *mem, struct err *e)
{
	struct version_choice *v;
	struct ranked *r;
	size_t n;

	if (sq_member_group(q, cid, obj, mem, &v, &n, e) < 0)
		return -1;
	r = arena_alloc(mem, (n + 1) * sizeof(*r));
	for (size_t i = 0; i < n; i++)
		r[i] = (struct ranked){ .v = &v[i], .class = (enum member_class)v[i].class };
	qsort(r, n, sizeof(*r), by_version);
	rank(r, n);
	for (size_t i = 0; i < n; i++)
		if (r[i].class != r[i].want ||		/* of the past it does not matter when */
		    (r[i].want != CLASS_PAST && r[i].over_us != r[i].v->over_us))
			return 0;
	return 1;
}

/* Set the classes of a whole group anew: after a removal, or when it becomes mixed. */
static int
regroup(struct sq *q, int64_t cid, int64_t obj, struct arena *mem, struct err *e)
{
	struct version_choice *v;
	struct ranked *r;
	size_t n;

	if (sq_member_group(q, cid, obj, mem, &v, &n, e) < 0)
		return -1;
	r = arena_alloc(mem, (n + 1) * sizeof(*r));
	for (size_t i = 0; i < n; i++)
		r[i] = (struct ranked){ .v = &v[i], .class = (enum member_class)v[i].class };
	qsort(r, n, sizeof(*r), by_version);
	rank(r, n);
	for (size_t i = 0; i < n; i++) {
		if (r[i].class == r[i].want && r[i].over_us == r[i].v->over_us)
			continue;
		if (move(q, cid, r[i].class, r[i].v->date_us, r[i].want, r[i].over_us, e) < 0)
			return -1;
	}
	return 0;
}

/* The ordinary case: one specification version, few members that are not past. */
static int
join_plain(struct sq *q, const struct member *m, const struct standing *x, struct err *e)
{
	int64_t over_us = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct live *l = &x->live[i];

		if (l->greater && l->date_us > over_us)
			over_us = l->date_us;
		if (!l->greater && move(q, m->cid, l->class, l->date_us, CLASS_PAST, m->date_us,
		    e) < 0)
			return -1;
	}
	return add(q, m, over_us == 0 ? CLASS_LAST : CLASS_LATE, over_us, e);
}

int
sq_join(struct sq *q, const struct member *m, bool alone, struct err *e)
{
	struct standing x;
	struct arena *mem;
	int rc;

	if (alone)
		return add(q, m, CLASS_LAST, 0, e);
	q->count[N_TURNS]++;
	if (read_live(q, m, &x, e) < 0)
		return -1;
	if (!x.more)
		return join_plain(q, m, &x, e);
	if (add(q, m, CLASS_MIXED, 0, e) < 0)
		return -1;
	if (x.mixed && x.n == 0 && x.live[0].class == CLASS_MIXED)
		return 0;		/* the others are mixed already */
	mem = arena_new();
	rc = regroup(q, m->cid, m->obj, mem, e);
	arena_free(mem);
	return rc;
}

int64_t
sq_member_date(struct sq *q, int64_t cid, int64_t obj, int64_t vid, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_MEMBER_DATE, e, "iii", obj, cid, vid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	int64_t date_us;

	if (rc <= 0)
		return rc;
	date_us = sqlite3_column_int64(st, 0);
	sq_reset(st);
	return date_us;
}

int
sq_is_in(struct sq *q, int64_t cid, int64_t obj, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_MEMBER_IN, e, "ii", obj, cid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);

	if (rc > 0)
		sq_reset(st);
	return rc;
}

int
sq_member_group(struct sq *q, int64_t cid, int64_t obj, struct arena *mem,
    struct version_choice **v, size_t *n, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_MEMBER_GROUP, e, "ii", obj, cid);
	size_t cap = 0;
	int rc = -1;

	*v = NULL;
	*n = 0;
	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		struct head h;

		sq_head_read(sq_col(st, 3), &h);
		*v = arena_grow(mem, *v, *n, &cap, sizeof(**v));
		(*v)[(*n)++] = (struct version_choice){
			.class = sqlite3_column_int(st, 0),
			.date_us = sqlite3_column_int64(st, 1),
			.vid = sqlite3_column_int64(st, 2),
			.over_us = sqlite3_column_int64(st, 5),
			.spec = arena_slice(mem, h.spec), .version_key = sq_copy(st, 4, mem),
		};
	}
	return rc;
}

/* Take the chosen ones of a group out. */
static int
take_out(struct sq *q, int64_t cid, int64_t obj, struct version_choice *v, size_t n,
    struct arena *mem, struct err *e)
{
	size_t gone = 0;

	for (size_t i = 0; i < n; i++) {
		if (!v[i].chosen)
			continue;
		if (sq_run(q, SQ_MEMBER_DEL, e, "iii", cid, (int64_t)v[i].class,
		    v[i].date_us) < 0)
			return -1;
		gone++;
	}
	q->count[N_MEMBERS] -= (int64_t)gone;
	q->count[N_TURNS] += gone > 0;
	q->dirty = true;
	return gone == 0 || gone == n ? 0 : regroup(q, cid, obj, mem, e);
}

/* What the reader may not have is not his to take out: it is left where it is. 1 if he may, 0, -1 on
 * trouble. */
static int
may_remove(struct sq *q, const struct page_query *pq, int64_t vid, struct err *e)
{
	sqlite3_stmt *st;
	struct store_row row;
	int rc;

	if (pq->admit == NULL)
		return 1;
	st = sq_bind(q, SQ_VERSION_HEAD, e, "i", vid);
	if (st == NULL || (rc = sq_step(q, st, e)) < 0)
		return -1;
	if (rc == 0)
		return 0;
	sq_row_here(st, &row);
	rc = pq->admit(pq->admit_ctx, &row);
	sq_reset(st);
	return rc;
}

int
sq_removable(struct store *s, const struct page_query *pq, struct arena *mem, int64_t **vids,
    size_t *n, struct err *e)
{
	struct sq *q = sq_of(s);
	struct version_choice *v;
	int64_t obj, key;
	size_t count;
	int rc;

	*n = 0;
	if (pq->nids != 1)
		return err_set(e, ERR_VALUE, "one object at a time can be removed");
	if ((rc = sq_object(q, pq->ids[0], &obj, &key, e)) <= 0)
		return rc;
	if (sq_member_group(q, pq->cid, obj, mem, &v, &count, e) < 0)
		return -1;
	store_choose_removed(pq, v, count);
	*vids = arena_alloc(mem, (count + 1) * sizeof(**vids));
	for (size_t i = 0; i < count; i++) {
		if (!v[i].chosen)
			continue;
		if ((rc = may_remove(q, pq, v[i].vid, e)) < 0)
			return -1;
		if (rc > 0)
			(*vids)[(*n)++] = v[i].vid;
	}
	return 0;
}

/* Type, specification version and key of a version, for joining a view. */
static int
member_of_vid(struct sq *q, int64_t cid, int64_t vid, struct arena *mem, struct member *m,
    struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_VERSION_HEAD, e, "i", vid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	struct head h;

	if (rc <= 0)
		return rc;
	sq_head_read(sq_copy(st, COL_HEAD, mem), &h);
	*m = (struct member){
		.cid = cid, .vid = vid, .obj = sqlite3_column_int64(st, COL_OBJ),
		.kind = sq_kind(h.type), .spec = h.spec,
		.version_key = sq_copy(st, COL_VKEY, mem),
	};
	sq_reset(st);
	return 1;
}

static int
by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
sq_take_out(struct store *s, int64_t cid, const int64_t *vids, size_t n, struct arena *mem,
    size_t *gone, struct err *e)
{
	struct sq *q = sq_of(s);
	int64_t *sorted = arena_raw(mem, (n + 1) * sizeof(*sorted));
	struct version_choice *v;
	struct member m;
	size_t count;
	int rc = n == 0 ? 0 : member_of_vid(q, cid, vids[0], mem, &m, e);

	*gone = 0;
	if (rc <= 0)
		return rc;
	memcpy(sorted, vids, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_number);
	if (sq_member_group(q, cid, m.obj, mem, &v, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		v[i].chosen = bsearch(&v[i].vid, sorted, n, sizeof(*sorted), by_number) != NULL;
		*gone += v[i].chosen;
	}
	return take_out(q, cid, m.obj, v, count, mem, e);
}

/* 1 if a copy that says as much as this version is in; not if another version of its id is. */
static int
is_covered(struct sq *q, const struct member *m, struct arena *mem, struct err *e)
{
	struct copies c;
	int rc = sq_is_in(q, m->cid, m->obj, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (sq_copies_of(q, m->vid, &c, mem, e) < 0)
		return -1;
	return sq_view_covered(q, &c, m->cid, e);
}

static int
join_vid(struct sq *q, int64_t cid, bool distinct, int64_t vid, struct arena *mem, struct err *e)
{
	struct member m;
	int rc = member_of_vid(q, cid, vid, mem, &m, e);

	if (rc <= 0)
		return rc;
	m.date_us = sq_member_date(q, cid, m.obj, m.vid, e);
	if (m.date_us != 0)
		return m.date_us < 0 ? -1 : 0;
	if (distinct && (rc = is_covered(q, &m, mem, e)) != 0)
		return rc < 0 ? -1 : 0;
	m.date_us = store_next_date(&q->store);
	return sq_join(q, &m, false, e);
}

int
sq_join_views(struct store *s, int64_t cid, bool distinct, struct slice supporters,
    const int64_t *join, size_t njoin,
    const int64_t *leave, size_t nleave, struct arena *mem, struct err *e)
{
	struct sq *q = sq_of(s);
	size_t gone;

	if (cid < 1 || cid > q->max_cid)
		return err_set(e, ERR_REFERENCE, "no collection has the number %lld",
		    (long long)cid);
	sq_support_begin(q);
	if (sq_support(q, cid, supporters, 0, mem, e) < 0)
		return -1;
	for (size_t i = 0; i < njoin; i++)
		if (join_vid(q, cid, distinct, join[i], mem, e) < 0)
			return -1;
	for (size_t i = 0; i < nleave; i++)
		if (sq_take_out(s, cid, &leave[i], 1, mem, &gone, e) < 0)
			return -1;
	return 0;
}
