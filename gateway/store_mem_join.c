/* Members of the memory backend: what joins which collection, and what leaves it. */
#include "gateway/store_mem.h"
#include "formats/refs.h"

int
mem_check(const struct mem *m, const int64_t *cids, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (cids[i] < 1 || (size_t)cids[i] > m->ncollections)
			return err_set(e, ERR_REFERENCE, "no collection has the number %lld",
			    (long long)cids[i]);
	return 0;
}

bool
mem_is_member(const struct mem *m, int64_t cid, int64_t vid, int64_t *date_us)
{
	for (size_t i = 0; i < m->nmembers; i++) {
		if (m->members[i].cid == cid && m->members[i].vid == vid) {
			*date_us = m->members[i].date_us;
			return true;
		}
	}
	return false;
}

/* Is any version of an id in the collection? */
static bool
is_in(struct mem *m, int64_t cid, int64_t obj)
{
	for (size_t i = 0; i < m->nmembers; i++)
		if (m->members[i].cid == cid && mem_version(m, m->members[i].vid)->obj == obj)
			return true;
	return false;
}

void
mem_join_one(struct mem *m, int64_t cid, int64_t vid, int64_t *date_us)
{
	int64_t there;

	if (mem_is_member(m, cid, vid, &there))
		return;
	if (*date_us == 0)
		*date_us = store_next_date(&m->store);
	m->members = arena_grow(m->arena, m->members, m->nmembers, &m->members_cap,
	    sizeof(*m->members));
	m->members[m->nmembers++] = (struct mem_member){ cid, vid, *date_us };
}

static bool
view_covered(struct mem *m, int64_t cid, const struct mem_version *v)
{
	for (size_t i = 0; i < m->nmembers; i++)
		if (m->members[i].cid == cid &&
		    mem_covers(mem_version(m, m->members[i].vid), v))
			return true;
	return false;
}

/* ---- supporting objects: as store_sqlite_support.c ---- */

enum { SUPPORT_DEPTH = 3 };

static void	support(struct mem *m, int64_t cid, struct slice ids, int depth);

/* The greatest version of an id, NULL if there is none. */
static struct mem_version *
greatest(struct mem *m, struct slice id)
{
	struct mem_version *best = NULL;

	for (size_t i = 0; i < m->nversions; i++) {
		struct mem_version *v = &m->versions[i];

		if (slice_eq(v->row.id, id) && (best == NULL ||
		    slice_cmp(v->row.version_key, best->row.version_key) > 0))
			best = v;
	}
	return best;
}

static void
bring(struct mem *m, int64_t cid, const struct mem_version *v, int depth)
{
	int64_t date_us = 0, vid = v->row.vid;

	support(m, cid, v->supporters, depth + 1);
	mem_join_one(m, cid, vid, &date_us);
}

static void
want(struct mem *m, int64_t cid, struct slice id)
{
	for (size_t i = 0; i < m->nwanted; i++)
		if (m->wanted[i].cid == cid && slice_eq(m->wanted[i].id, id))
			return;
	m->wanted = arena_grow(m->arena, m->wanted, m->nwanted, &m->wanted_cap,
	    sizeof(*m->wanted));
	m->wanted[m->nwanted++] = (struct mem_wanted){ arena_slice(m->arena, id), cid };
}

static void
support(struct mem *m, int64_t cid, struct slice ids, int depth)
{
	while (ids.n > 0 && depth < SUPPORT_DEPTH) {
		struct slice id = slice_cut(&ids, ' ');
		const struct mem_version *v = greatest(m, id);

		if (v == NULL)
			want(m, cid, id);
		else if (!is_in(m, cid, v->obj) && v->row.facts.tlp != TLP_RED &&
		    refs_is_supporting(v->row.type))
			bring(m, cid, v, depth);
	}
}

/* A supporting object has come. */
static void
support_others(struct mem *m, const struct store_put *p, int64_t vid)
{
	const struct mem_version *v = mem_version(m, vid);

	if (p->tlp == TLP_RED)
		return;
	for (size_t i = 0; i < m->nwanted; i++) {
		struct mem_wanted w = m->wanted[i];

		if (!slice_eq(w.id, p->object->id))
			continue;
		m->wanted[i--] = m->wanted[--m->nwanted];
		bring(m, w.cid, v, 0);
	}
	for (size_t i = 0; i < p->nfollow && v->obj != vid; i++)
		if (is_in(m, p->follow[i], v->obj))
			bring(m, p->follow[i], v, 0);
}

static void
put_views(struct mem *m, const struct store_put *p, int64_t vid)
{
	const struct mem_version *v = mem_version(m, vid);

	for (size_t i = 0; i < p->nviews + p->ndistinct; i++) {
		bool distinct = i >= p->nviews;
		int64_t cid = distinct ? p->distinct[i - p->nviews] : p->views[i], date_us = 0;

		if (mem_is_member(m, cid, vid, &date_us))
			continue;
		support(m, cid, p->supporters, 0);
		if (!distinct || is_in(m, cid, v->obj) || !view_covered(m, cid, v))
			mem_join_one(m, cid, vid, &date_us);
	}
}

void
mem_put_views(struct mem *m, const struct store_txn *t, const int64_t *vids)
{
	for (int others = 0; others < 2; others++) {
		for (size_t i = 0; i < t->nputs; i++) {
			const struct store_put *p = &t->puts[i];
			bool supports = refs_is_supporting(p->object->type);

			if (supports != (others == 0) || vids[i] == 0)
				continue;
			if (supports && p->outcome == STORE_NEW)
				support_others(m, p, vids[i]);
			put_views(m, p, vids[i]);
		}
	}
}

/* ---- members leave and join ---- */

static void
leave(struct mem *m, int64_t cid, int64_t vid)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->nmembers; i++)
		if (m->members[i].cid != cid || m->members[i].vid != vid)
			m->members[kept++] = m->members[i];
	m->nmembers = kept;
}

int
mem_removable(struct store *s, const struct page_query *q, struct arena *mem, int64_t **vids,
    size_t *n, struct err *e)
{
	struct mem *m = mem_of(s);
	int64_t obj = 0;
	struct version_choice *v;
	size_t count;

	*n = 0;
	if (q->nids != 1)
		return err_set(e, ERR_VALUE, "one object at a time can be removed");
	for (size_t i = 0; i < m->nversions && obj == 0; i++)
		if (slice_eq(m->versions[i].row.id, q->ids[0]))
			obj = m->versions[i].obj;
	v = mem_group(m, q->cid, obj, mem, &count);
	store_choose_removed(q, v, count);
	*vids = arena_alloc(mem, (count + 1) * sizeof(**vids));
	for (size_t i = 0; i < count; i++)
		if (v[i].chosen && (q->admit == NULL ||
		    q->admit(q->admit_ctx, &mem_version(m, v[i].vid)->row)))
			(*vids)[(*n)++] = v[i].vid;
	return 0;
}

int
mem_take_out(struct store *s, int64_t cid, const int64_t *vids, size_t n, struct arena *mem,
    size_t *gone, struct err *e)
{
	struct mem *m = mem_of(s);
	size_t before = m->nmembers;

	(void)mem;
	if (mem_check(m, &cid, 1, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		leave(m, cid, vids[i]);
	*gone = before - m->nmembers;
	return 0;
}

int
mem_join(struct store *s, int64_t cid, bool distinct, struct slice supporters,
    const int64_t *joined, size_t njoin,
    const int64_t *left, size_t nleave, struct arena *mem, struct err *e)
{
	struct mem *m = mem_of(s);

	(void)mem;
	if (mem_check(m, &cid, 1, e) < 0)
		return -1;
	support(m, cid, supporters, 0);
	for (size_t i = 0; i < njoin; i++) {
		int64_t date_us = 0;

		if (joined[i] < 1 || (size_t)joined[i] > m->nversions)
			continue;
		if (!distinct || is_in(m, cid, mem_version(m, joined[i])->obj) ||
		    !view_covered(m, cid, mem_version(m, joined[i])))
			mem_join_one(m, cid, joined[i], &date_us);
	}
	for (size_t i = 0; i < nleave; i++)
		leave(m, cid, left[i]);
	return 0;
}
