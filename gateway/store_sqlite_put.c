#include "gateway/base/clock.h"
#include "gateway/store_sqlite_put.h"

enum { PROBES_MAX = 64 };

/* ---- ids ---- */

int
sq_object(struct sq *q, struct slice id, int64_t *obj, int64_t *key, struct err *e)
{
	*key = sq_hash(q, id);
	/* two ids with one hash: the later one has the next free number */
	for (int i = 0; i < PROBES_MAX; i++, *key = (*key + 1) & INT64_MAX) {
		sqlite3_stmt *st = sq_bind(q, SQ_OBJECT_BY_KEY, e, "i", *key);
		int rc = st == NULL ? -1 : sq_step(q, st, e);
		struct head h;
		bool same;

		if (rc <= 0)
			return rc;
		*obj = sqlite3_column_int64(st, 0);
		sq_reset(st);
		st = sq_bind(q, SQ_VERSION_HEAD, e, "i", *obj);
		rc = st == NULL ? -1 : sq_step(q, st, e);
		if (rc < 0)
			return -1;
		sq_head_read(rc > 0 ? sq_col(st, COL_HEAD) : SLICE_EMPTY, &h);
		same = slice_eq(h.id, id);
		sq_reset(st);
		if (same)
			return 1;
	}
	return err_set(e, ERR_STORE, "no free number for an object");
}

/* ---- sources ---- */

/* The message row that all puts of the transaction share. */
static int
message(struct putting *w, int64_t *mid, struct err *e)
{
	const struct store_source *src = &w->t->source;

	if (w->mid == 0) {
		if (sq_run(w->q, SQ_MESSAGE_ADD, e, "issis", w->source->pno,
		    src->advisory == NULL ? "" : src->advisory, src->hops == NULL ? "" : src->hops,
		    src->received_us, src->request == NULL ? "" : src->request) < 0)
			return -1;
		w->mid = sqlite3_last_insert_rowid(w->q->db);
	}
	*mid = w->mid;
	return 0;
}

static int
add_source(struct putting *w, int64_t vid, struct err *e)
{
	const struct store_source *src = &w->t->source;
	int64_t mid;

	if (message(w, &mid, e) < 0 || sq_run(w->q, SQ_SOURCE_ADD, e, "iiiiti", vid,
	    w->source->pno, mid, (int64_t)src->origin, slice_of(src->audience),
	    src->received_us) < 0)
		return -1;
	w->q->count[N_SOURCES]++;
	return 0;
}

/* Count one more giving. A source hardly ever says another origin or audience than before, so that is tried
 * first. */
static int
see_source_again(struct putting *w, int64_t vid, struct err *e)
{
	const struct store_source *src = &w->t->source;
	int rc = sq_run(w->q, SQ_SOURCE_AGAIN, e, "iiiti", vid, w->source->pno,
	    (int64_t)src->origin, slice_of(src->audience), src->received_us);
	sqlite3_stmt *st;
	enum origin was;
	struct slice said;

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	st = sq_bind(w->q, SQ_SOURCE_GET, e, "ii", vid, w->source->pno);
	rc = st == NULL ? -1 : sq_step(w->q, st, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return add_source(w, vid, e);
	was = (enum origin)sqlite3_column_int(st, 0);
	said = sq_copy(st, 1, w->mem);
	sq_reset(st);
	store_merge_origin(&was, &said, src->origin, slice_of(src->audience));
	return sq_run(w->q, SQ_SOURCE_SET, e, "iiiti", vid, w->source->pno, (int64_t)was, said,
	    src->received_us) < 0 ? -1 : 0;
}

/* The same version again: count it, and let the strictest source decide what it is for us. */
static int
see_again(struct putting *w, const struct store_put *p, int64_t vid, const struct head *here,
    struct err *e)
{
	const struct store_source *src = &w->t->source;
	struct head h = *here;

	if (see_source_again(w, vid, e) < 0)
		return -1;
	store_merge_origin(&h.origin, &h.audience, src->origin, slice_of(src->audience));
	store_merge_label(&h.tlp, &h.by_default, p);
	if (h.origin == here->origin && slice_eq(h.audience, here->audience) &&
	    h.tlp == here->tlp)
		return 0;
	w->q->count[N_TURNS]++;
	return sq_run(w->q, SQ_VERSION_TURN, e, "ib", vid, sq_head_write(&h, w->mem)) < 0 ? -1 : 0;
}

/* ---- copies ---- */

/* Where to look for a fingerprint first. It is a digest already, but one that a sender can choose: hence
 * the key. */
static size_t
place_of(const struct sq *q, struct slice fp)
{
	uint64_t part[FINGERPRINT_LEN / 8], key[2], h = 0;

	memcpy(part, fp.p, sizeof(part));
	memcpy(key, q->key, sizeof(key));
	for (size_t i = 0; i < COUNTOF(part); i++) {
		h = (h ^ part[i] ^ key[i % 2]) * (key[(i + 1) % 2] | 1);
		h ^= h >> 29;
	}
	return (size_t)h;
}

/* The group of a fingerprint, read once a transaction: an envelope of a hundred thousand copies of one
 * thing would read it as often. */
static struct copies *
group_of(struct putting *w, const struct copy *of, struct err *e)
{
	struct copies *c;

	if (w->groups == NULL) {
		for (w->ngroups = 16; w->ngroups < 2 * w->t->nputs; w->ngroups *= 2)
			;
		w->groups = arena_alloc(w->mem, w->ngroups * sizeof(*w->groups));
	}
	for (size_t i = place_of(w->q, of->fp);; i++) {
		c = &w->groups[i & (w->ngroups - 1)];
		if (slice_eq(c->of.fp, of->fp))
			return c;
		if (c->of.fp.n == 0)
			break;
	}
	c->of = *of;
	return sq_copies(w->q, c, w->mem, e) < 0 ? NULL : c;
}

/* The group as this put sees it; o->copies.of says of what. */
int
sq_put_copies(struct putting *w, struct one *o, struct err *e)
{
	const struct copies *group;

	if (o->looked || o->copies.of.fp.n != FINGERPRINT_LEN)
		return 0;
	if ((group = group_of(w, &o->copies.of, e)) == NULL)
		return -1;
	o->looked = true;
	o->copies.v = group->v;
	o->copies.n = group->n;
	return 0;
}

/* A version that was just added belongs to its group from now on. */
static int
join_group(struct putting *w, const struct copy *of, struct err *e)
{
	struct copies *group;

	if (of->fp.n != FINGERPRINT_LEN)
		return 0;
	if ((group = group_of(w, of, e)) == NULL)
		return -1;
	for (size_t i = 0; i < group->n; i++)
		if (group->v[i].vid == of->vid)
			return 0;		/* read after it was added */
	if (group->n == COPIES_MAX)
		return 0;
	group->v = arena_grow(w->mem, group->v, group->n, &group->cap, sizeof(*group->v));
	group->v[group->n++] = *of;
	return 0;
}

/* ---- outcomes ---- */

static int
queue_for_peers(struct putting *w, struct one *o, struct err *e)
{
	for (size_t i = 0; i < o->p->npeers; i++) {
		struct party *peer = sq_party(w->q, o->p->peers[i], true, e);
		int64_t mid;
		int covered = 0;

		if (peer == NULL || message(w, &mid, e) < 0)
			return -1;
		if (peer == w->source)
			continue;
		if (o->new_id)		/* a new version of a known id is never covered */
			covered = sq_peer_covered(w->q, &o->copies, peer->pno, e);
		if (covered < 0 || sq_deliver(w->q, peer, o->vid, mid, o->p->lane,
		    covered ? DELIVERY_COVERED : DELIVERY_QUEUED, w->now_us, e) < 0)
			return -1;
		o->p->queued += !covered;
	}
	return 0;
}

static int
add_version(struct putting *w, struct one *o, struct err *e)
{
	const struct store_put *p = o->p;
	const struct object *b = p->object;
	const struct store_source *src = &w->t->source;
	const struct head h = {
		.id = b->id, .type = b->type, .spec = b->spec_version, .shown = b->version,
		.created_by = b->created_by, .valid_until = b->valid_until_key,
		.fp = b->has_fp ? slice_from(b->fp, FINGERPRINT_LEN) : SLICE_EMPTY,
		.audience = src->origin == ORIGIN_OWN ? SLICE_EMPTY : slice_of(src->audience),
		.desk = p->embargo_desk,
		.tlp = p->tlp, .by_default = p->tlp_by_default, .pap = p->pap, .phase = b->phase,
		.origin = src->origin, .flags = b->flags, .sectors = b->sectors,
		.first_us = o->date_us,
	};

	o->vid = w->q->next_vid++;
	if (o->new_id)
		o->obj = o->vid;
	return sq_run(w->q, SQ_VERSION_ADD, e, "iitbzbsb", o->vid, o->obj, b->version_key,
	    slice_from(p->content, sizeof(p->content)), b->has_fp ? sq_fp_key(h.fp) : (int64_t)0,
	    sq_head_write(&h, w->mem), p->warnings, b->bytes) < 0 ? -1 : 0;
}

/* A new version as covering sees it. */
static struct copy
copy_of(const struct one *o)
{
	const struct object *b = o->p->object;

	return (struct copy){
		.vid = o->vid, .obj = o->obj, .id = b->id,
		.fp = b->has_fp ? slice_from(b->fp, FINGERPRINT_LEN) : SLICE_EMPTY,
		.facts = { o->p->tlp, o->p->pap, b->flags, b->valid_until_key },
	};
}

static int
put_new(struct putting *w, struct one *o, struct err *e)
{
	struct sq *q = w->q;

	o->p->outcome = STORE_NEW;
	o->spec = o->p->object->spec_version;
	o->date_us = store_next_date(&q->store);
	if (add_version(w, o, e) < 0)
		return -1;
	if (o->new_id && sq_run(q, SQ_OBJECT_ADD, e, "ii", o->key, o->obj) < 0)
		return -1;
	q->count[N_VERSIONS]++;
	q->count[N_OBJECTS] += o->new_id;
	o->copies.of = copy_of(o);
	if (sq_put_copies(w, o, e) < 0)
		return -1;
	o->p->linked = sq_is_linked(&o->copies);
	q->count[N_SIGHTINGS] += o->p->linked;
	if (add_source(w, o->vid, e) < 0 || sq_put_kept(w, o, true, e) < 0 ||
	    queue_for_peers(w, o, e) < 0)
		return -1;
	return join_group(w, &o->copies.of, e);
}

static int
put_known(struct putting *w, struct one *o, const struct head *h, struct err *e)
{
	struct sq *q = w->q;

	o->p->outcome = STORE_KNOWN;
	o->copies.of = (struct copy){
		.vid = o->vid, .obj = o->obj, .id = h->id, .fp = h->fp,
		.facts = { h->tlp, h->pap, h->flags, h->valid_until },
	};
	q->count[N_SIGHTINGS]++;
	if (see_again(w, o->p, o->vid, h, e) < 0 ||
	    sq_peer_gave(q, w->source, o->vid, e) < 0 || sq_put_kept(w, o, false, e) < 0)
		return -1;
	o->p->shown_us = o->shown_us > 0 ? o->shown_us : h->first_us;
	return 0;
}

static int
put_conflict(struct putting *w, struct one *o, struct err *e)
{
	struct store_quarantine row = store_conflict_row(w->t, o->p);

	o->p->outcome = STORE_CONFLICT;
	return sq_quarantine_add(w->q, &row, w->now_us, e);
}

/* 1 if the stored version says what the new one says, whose bytes differ; 0 if not. */
static int
says_the_same(struct putting *w, const struct one *o, struct err *e)
{
	sqlite3_stmt *st = sq_bind(w->q, SQ_VERSION_ROW, e, "i", o->vid);
	struct store_row row;

	if (st == NULL || sq_step(w->q, st, e) <= 0)
		return -1;
	sq_row(st, w->mem, &row);
	sq_reset(st);
	return store_same_content(o->p, row.bytes);
}

/* What a row of SQ_VERSION_KNOWN or SQ_VERSION_FIND says. */
static void
take_version(struct putting *w, struct one *o, sqlite3_stmt *st, struct head *h, bool *same)
{
	o->obj = sqlite3_column_int64(st, 0);
	o->vid = sqlite3_column_int64(st, 1);
	*same = slice_eq(sq_col(st, 2), slice_from(o->p->content, sizeof(o->p->content)));
	sq_head_read(sq_copy(st, 3, w->mem), h);
	sq_reset(st);
}

/* The same where the number of the id is taken by another, or this version of it is not here. */
static int
find_slowly(struct putting *w, struct one *o, struct head *h, bool *same, struct err *e)
{
	const struct object *b = o->p->object;
	int rc = sq_object(w->q, b->id, &o->obj, &o->key, e);
	sqlite3_stmt *st;

	o->new_id = rc == 0;
	if (rc <= 0)
		return rc;
	st = sq_bind(w->q, SQ_VERSION_FIND, e, "it", o->obj, b->version_key);
	rc = st == NULL ? -1 : sq_step(w->q, st, e);
	if (rc > 0)
		take_version(w, o, st, h, same);
	return rc;
}

/* The version of this put: 1 and o->vid, *h and *same (its content); 0 if it is not here, and o->new_id
 * tells whether its id is; -1 on trouble. Nearly always the first look at the number of the id tells
 * all. */
static int
find(struct putting *w, struct one *o, struct head *h, bool *same, struct err *e)
{
	const struct object *b = o->p->object;
	sqlite3_stmt *st;
	int rc;

	o->key = sq_hash(w->q, b->id);
	st = sq_bind(w->q, SQ_VERSION_KNOWN, e, "it", o->key, b->version_key);
	if (st == NULL || (rc = sq_step(w->q, st, e)) < 0)
		return -1;
	o->new_id = rc == 0;
	if (rc == 0)
		return 0;
	take_version(w, o, st, h, same);
	if (o->vid != 0 && slice_eq(h->id, b->id))
		return 1;
	return find_slowly(w, o, h, same, e);
}

static int
put(struct putting *w, struct one *o, struct err *e)
{
	struct head h;
	bool same;
	int rc;

	o->p->linked = false;
	o->p->queued = 0;
	if ((rc = find(w, o, &h, &same, e)) < 0)
		return -1;
	if (rc == 0) {
		rc = put_new(w, o, e);
		o->p->shown_us = o->date_us;
		return rc;
	}
	o->spec = h.spec;
	o->p->shown_us = h.first_us;
	if (!same) {
		if ((rc = says_the_same(w, o, e)) < 0)
			return -1;
		same = rc > 0;
	}
	return same ? put_known(w, o, &h, e) : put_conflict(w, o, e);
}

static int
put_all(struct putting *w, struct err *e)
{
	struct one *all = arena_alloc(w->mem, (w->t->nputs + 1) * sizeof(*all));

	for (size_t i = 0; i < w->t->nputs; i++) {
		all[i].p = &w->t->puts[i];
		if (put(w, &all[i], e) < 0)
			return -1;
	}
	return sq_put_views(w, all, e);
}

static int
check_numbers(const struct putting *w, const int64_t *cids, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (cids[i] < 1 || cids[i] > w->q->max_cid)
			return err_set(e, ERR_REFERENCE, "no collection has the number %lld",
			    (long long)cids[i]);
	return 0;
}

static int
check_put(const struct putting *w, const struct store_put *p, struct err *e)
{
	return check_numbers(w, p->collections, p->ncollections, e) < 0 ||
	    check_numbers(w, p->views, p->nviews, e) < 0 ||
	    check_numbers(w, p->follow, p->nfollow, e) < 0 ||
	    check_numbers(w, p->distinct, p->ndistinct, e) < 0 ? -1 : 0;
}

int
sq_put_txn(struct store *s, struct store_txn *t, struct arena *mem, struct err *e)
{
	struct sq *q = sq_of(s);
	struct putting w = { .q = q, .t = t, .mem = mem, .now_us = clock_wall_us() };

	if (t->status != NULL && sq_status_check(q, t->status, e) < 0)
		return -1;
	q->dirty = true;
	w.source = t->nputs == 0 ? NULL : sq_party(q, t->source.name, true, e);
	if (t->nputs > 0 && w.source == NULL)
		return -1;
	for (size_t i = 0; i < t->nputs; i++)
		if (check_put(&w, &t->puts[i], e) < 0)
			return -1;
	sq_support_begin(q);
	if (put_all(&w, e) < 0)
		return -1;
	for (size_t i = 0; i < t->nquarantine; i++)
		if (sq_quarantine_add(q, &t->quarantine[i], w.now_us, e) < 0)
			return -1;
	store_fill_status(t, mem);
	if (t->status != NULL && sq_status_add(q, t->status, w.now_us, e) < 0)
		return -1;
	for (size_t i = 0; i < t->naudit; i++)
		if (sq_add_audit(s, &t->audit[i],
		    t->audit[i].counts ? store_count_members(t, mem) : "", e) < 0)
			return -1;
	return 0;
}
