/*
 * Deliveries: outbox and ledger in one table, one row a (version, peer).
 *
 *	QUEUED --lease--> (leased, in memory) --> SENT | DENIED | DEAD
 *	  ^  ^                   |
 *	  |  +---- when due -----+--> WAITS | HELD
 *	COVERED  (queued after all when what covered it comes to nothing)
 */
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/store_sqlite.h"

enum { PROMOTE_MAX = 1000 };

const char *
delivery_word(enum delivery_state state)
{
	static const char *const words[DELIVERY_STATES] = {
		[DELIVERY_QUEUED] = "queued", [DELIVERY_WAITS] = "queued",
		[DELIVERY_HELD] = "held", [DELIVERY_SENT] = "sent", [DELIVERY_DENIED] = "denied",
		[DELIVERY_DEAD] = "dead", [DELIVERY_COVERED] = "covered",
	};

	return words[state];
}

static void
count(struct party *p, enum delivery_state state, int64_t by)
{
	p->count[state] += by;
	p->dirty = true;
}

/* ---- leases ---- */

static size_t
lease_place(const struct party *p, int64_t oid)
{
	size_t lo = 0, hi = p->nleases;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->leases[mid].oid < oid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
lease_set(struct party *p, struct lease l)
{
	size_t at = lease_place(p, l.oid);

	if (at < p->nleases && p->leases[at].oid == l.oid) {
		p->leases[at] = l;
		return;
	}
	if (p->nleases == p->leases_cap) {
		p->leases_cap = p->leases_cap * 2 + 16;
		p->leases = xrealloc(p->leases, p->leases_cap * sizeof(*p->leases));
	}
	memmove(&p->leases[at + 1], &p->leases[at], (p->nleases - at) * sizeof(*p->leases));
	p->leases[at] = l;
	p->nleases++;
}

static void
lease_drop(struct party *p, int64_t oid)
{
	size_t at = lease_place(p, oid);

	if (at == p->nleases || p->leases[at].oid != oid)
		return;
	p->nleases--;
	memmove(&p->leases[at], &p->leases[at + 1], (p->nleases - at) * sizeof(*p->leases));
}

/* Until when a delivery is leased, 0 if it is not. */
static int64_t
lease_until(const struct party *p, int64_t oid)
{
	size_t at = lease_place(p, oid);

	return at < p->nleases && p->leases[at].oid == oid ? p->leases[at].until_us : 0;
}

void
sq_lease_note(struct store *s, const char *peer, int64_t oid, int64_t until_us)
{
	struct err e = ERR_INIT;
	struct party *p = sq_party(sq_of(s), peer, false, &e);

	if (p != NULL)
		lease_set(p, (struct lease){ oid, until_us, 0 });
}

void
sq_lease_end(struct store *s, int64_t oid)
{
	struct sq *q = sq_of(s);

	for (size_t i = 0; i < q->nparties; i++)
		lease_drop(q->parties[i], oid);
}

void
sq_lease_end_all(struct store *s, const char *owner)
{
	struct sq *q = sq_of(s);
	uint64_t gone = store_owner(owner);

	for (size_t i = 0; i < q->nparties; i++) {
		struct party *p = q->parties[i];
		size_t kept = 0;

		for (size_t k = 0; k < p->nleases; k++)
			if (owner != NULL && p->leases[k].owner != gone)
				p->leases[kept++] = p->leases[k];
		p->nleases = kept;
	}
}

/* ---- making ---- */

int
sq_deliver(struct sq *q, struct party *peer, int64_t vid, int64_t mid, int lane,
    enum delivery_state state, int64_t now_us, struct err *e)
{
	if (sq_run(q, SQ_DELIVERY_ADD, e, "iiiiii", peer->pno, vid, mid, (int64_t)lane,
	    (int64_t)state, now_us) < 0)
		return -1;
	count(peer, state, 1);
	return 0;
}

int
sq_delivery_of(struct sq *q, int64_t pno, int64_t vid, int64_t *oid, enum delivery_state *state,
    struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_DELIVERY_OF, e, "ii", vid, pno);
	int rc = st == NULL ? -1 : sq_step(q, st, e);

	if (rc <= 0)
		return rc;
	*oid = sqlite3_column_int64(st, 0);
	*state = (enum delivery_state)sqlite3_column_int(st, 1);
	sq_reset(st);
	return 1;
}

int
sq_deliver_after_all(struct sq *q, struct party *peer, int64_t oid, int64_t now_us,
    struct err *e)
{
	if (sq_run(q, SQ_DELIVERY_QUEUE, e, "ii", oid, now_us) < 0)
		return -1;
	count(peer, DELIVERY_COVERED, -1);
	count(peer, DELIVERY_QUEUED, 1);
	return 0;
}

int
sq_peer_gave(struct sq *q, struct party *peer, int64_t vid, struct err *e)
{
	enum delivery_state state;
	int64_t oid;
	int rc = sq_delivery_of(q, peer->pno, vid, &oid, &state, e);

	if (rc <= 0 || state == DELIVERY_SENT || state == DELIVERY_DENIED)
		return rc < 0 ? -1 : 0;
	if (sq_run(q, SQ_DELIVERY_DEL, e, "i", oid) < 0)
		return -1;
	count(peer, state, -1);
	return 0;
}

/* ---- leasing ---- */

/* What was postponed until now joins the queue again. */
static int
promote(struct sq *q, struct party *peer, int64_t now_us, struct err *e)
{
	int64_t oid[PROMOTE_MAX];
	enum delivery_state was[PROMOTE_MAX];
	sqlite3_stmt *st = sq_bind(q, SQ_DELIVERY_LATER, e, "iii", peer->pno, now_us,
	    (int64_t)PROMOTE_MAX);
	size_t n = 0;
	int rc = -1;

	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		oid[n] = sqlite3_column_int64(st, 0);
		was[n++] = (enum delivery_state)sqlite3_column_int(st, 1);
	}
	if (rc < 0 || n == 0)
		return rc;
	if (sq_begin(q, e) < 0)
		return -1;
	for (size_t i = 0; i < n && rc >= 0; i++) {
		rc = sq_run(q, SQ_DELIVERY_QUEUE, e, "ii", oid[i], now_us);
		count(peer, was[i], -1);
		count(peer, DELIVERY_QUEUED, 1);
	}
	if (rc >= 0 && sq_commit(q, e) == 0)
		return 0;
	sq_rollback(q);
	return -1;
}

/* What one lease gathers. */
struct leasing {
	struct outbox_item *v;
	int64_t		*vid;		/* parallel */
	size_t		 n, cap, vid_cap;
	int64_t		 mid;
};

/* The run of free deliveries of one message at the head of the queue. */
static int
gather(struct sq *q, struct party *peer, int64_t now_us, size_t max, struct arena *mem,
    struct leasing *l, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_DELIVERY_READY, e, "i", peer->pno);
	int rc = -1;

	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		int64_t oid = sqlite3_column_int64(st, 0), mid = sqlite3_column_int64(st, 2);
		struct outbox_item *it;

		if (lease_until(peer, oid) > now_us)
			continue;
		if (l->n == max || (l->n > 0 && mid != l->mid)) {
			sq_reset(st);
			return 0;
		}
		l->mid = mid;
		l->v = arena_grow(mem, l->v, l->n, &l->cap, sizeof(*l->v));
		l->vid = arena_grow(mem, l->vid, l->n, &l->vid_cap, sizeof(*l->vid));
		it = &l->v[l->n];
		l->vid[l->n++] = sqlite3_column_int64(st, 1);
		it->oid = oid;
		it->attempts = (uint32_t)sqlite3_column_int64(st, 3);
		it->queued_us = sqlite3_column_int64(st, 4);
		it->advisory = arena_str(mem, sq_col(st, 5));
		it->hops = arena_str(mem, sq_col(st, 6));
		it->source = arena_str(mem, sq_col(st, 7));
		it->request = arena_str(mem, sq_col(st, 8));
	}
	return rc;
}

/* Read one item as it was stored. 1; 0 if it is damaged, which is told; -1 on other trouble. */
static int
read_item(struct sq *q, int64_t vid, struct arena *mem, struct outbox_item *it, struct err *e)
{
	uint64_t before = q->store.damages;
	sqlite3_stmt *st = sq_bind(q, SQ_VERSION_WHOLE, e, "i", vid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	uint8_t now[SHA256_LEN];
	struct slice hash;

	if (rc < 0)
		return q->store.damages == before ? -1 : 0;
	if (rc == 0) {
		sq_damage(q, "an object on its way to a peer", "it is not there");
		return 0;
	}
	sq_row(st, mem, &it->row);
	hash = sq_copy(st, COL_BYTES + 1, mem);
	sq_reset(st);
	digest_sha256(it->row.bytes, now);
	if (hash.n == sizeof(now) && memcmp(hash.p, now, sizeof(now)) == 0 && it->row.id.n > 0)
		return 1;
	sq_damage(q, arena_str(mem, it->row.id), "its bytes are not those that were stored");
	return 0;
}

/* What is damaged here is never sent on: its delivery ends. */
static int
give_up(struct sq *q, struct party *p, const struct outbox_item *it, struct err *e)
{
	int64_t now_us = clock_wall_us();

	*e = (struct err)ERR_INIT;
	if (sq_begin(q, e) < 0)
		return -1;
	count(p, DELIVERY_QUEUED, -1);
	count(p, DELIVERY_DEAD, 1);
	if (sq_run(q, SQ_DELIVERY_SET, e, "iiiiis", it->oid, (int64_t)DELIVERY_DEAD,
	    (int64_t)it->attempts, INT64_C(0), now_us, "damaged in our store") >= 0 &&
	    sq_commit(q, e) == 0)
		return 0;
	sq_rollback(q);
	return -1;
}

/* The rows of what was gathered, at most max_bytes of them; damaged ones fall out. */
static int
read_items(struct sq *q, struct party *p, struct leasing *l, size_t max_bytes, struct arena *mem,
    struct err *e)
{
	size_t n = 0, bytes = 0;

	for (size_t i = 0; i < l->n; i++) {
		int rc = read_item(q, l->vid[i], mem, &l->v[i], e);

		if (rc < 0 || (rc == 0 && give_up(q, p, &l->v[i], e) < 0))
			return -1;
		if (rc == 0)
			continue;
		bytes += l->v[i].row.bytes.n;
		if (n > 0 && max_bytes > 0 && bytes > max_bytes)
			break;
		l->v[n++] = l->v[i];
	}
	l->n = n;
	return 0;
}

int
sq_outbox_lease(struct store *s, const struct ask *a, struct arena *mem,
    struct outbox_item **items, size_t *n, struct err *e)
{
	struct sq *q = sq_of(s);
	struct party *p = sq_party(q, a->name, false, e);
	struct leasing l = { .n = 0 };

	*n = 0;
	if (p == NULL)
		return 0;
	if (q->broken != NULL)		/* what is sent could not be booked */
		return err_set(e, ERR_STORE, "nothing can be booked: %s", q->broken);
	do {
		l.n = 0;
		if (promote(q, p, a->now_us, e) < 0 || gather(q, p, a->now_us,
		    a->max_rows == 0 ? 1 : (size_t)a->max_rows, mem, &l, e) < 0)
			return -1;
		*n = l.n;
		if (read_items(q, p, &l, a->max_bytes, mem, e) < 0)
			return -1;
	} while (*n > 0 && l.n == 0);	/* all of them were damaged: the next ones */
	*n = l.n;
	for (size_t i = 0; i < *n; i++)
		lease_set(p, (struct lease){ l.v[i].oid, a->now_us + a->lease_us,
		    store_owner(a->owner) });
	*items = l.v;
	return 0;
}

int64_t
sq_outbox_due_us(struct store *s, const char *peer)
{
	struct sq *q = sq_of(s);
	struct err e = ERR_INIT;
	struct party *p = sq_party(q, peer, false, &e);
	int64_t due = INT64_MAX;
	sqlite3_stmt *st;

	if (p == NULL || p->count[DELIVERY_QUEUED] + p->count[DELIVERY_WAITS] +
	    p->count[DELIVERY_HELD] == 0)
		return INT64_MAX;
	st = sq_bind(q, SQ_DELIVERY_DUE_READY, &e, "i", p->pno);
	while (st != NULL && sq_step(q, st, &e) > 0) {
		int64_t until = lease_until(p, sqlite3_column_int64(st, 0));

		if (until < due)
			due = until;
		if (until == 0) {	/* free: due at once, whatever the clock says */
			sq_reset(st);
			return 0;
		}
	}
	st = sq_bind(q, SQ_DELIVERY_DUE_LATER, &e, "i", p->pno);
	if (st != NULL && sq_step(q, st, &e) > 0) {
		if (sqlite3_column_int64(st, 0) < due)
			due = sqlite3_column_int64(st, 0);
		sq_reset(st);
	}
	return due;
}

/* ---- booking ---- */

static enum delivery_state
state_after(enum outbox_result r)
{
	static const enum delivery_state states[] = {
		[OUTBOX_SENT] = DELIVERY_SENT, [OUTBOX_RETRY] = DELIVERY_WAITS,
		[OUTBOX_DENIED] = DELIVERY_DENIED, [OUTBOX_HELD] = DELIVERY_HELD,
		[OUTBOX_DEAD] = DELIVERY_DEAD,
	};

	return states[r];
}

static int
update_one(struct sq *q, const struct outbox_update *u, int64_t now_us, struct arena *mem,
    struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_DELIVERY_GET, e, "i", u->oid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	enum delivery_state was, now = state_after(u->result);
	struct party *peer;
	int64_t vid, attempts;

	if (rc <= 0)
		return rc;	/* gone: the peer gave it to us meanwhile */
	peer = sq_party_by_no(q, sqlite3_column_int64(st, 0));
	vid = sqlite3_column_int64(st, 1);
	was = (enum delivery_state)sqlite3_column_int(st, 2);
	attempts = sqlite3_column_int64(st, 3);
	sq_reset(st);
	if (peer == NULL)
		return err_set(e, ERR_STORE, "a delivery for nobody we know");
	if (was == DELIVERY_SENT || was == DELIVERY_COVERED)
		return 0;
	attempts += u->result != OUTBOX_HELD && u->result != OUTBOX_DENIED;
	if (sq_run(q, SQ_DELIVERY_SET, e, "iiiiis", u->oid, (int64_t)now, attempts, u->due_us,
	    now_us, u->reason) < 0)
		return -1;
	count(peer, was, -1);
	count(peer, now, 1);
	if (now == DELIVERY_HELD || now == DELIVERY_DENIED || now == DELIVERY_DEAD)
		return sq_uncover(q, peer, vid, now_us, mem, e);
	return 0;
}

int
sq_outbox_update(struct store *s, const struct outbox_update *u, size_t n, struct arena *mem,
    struct err *e)
{
	struct sq *q = sq_of(s);
	int64_t now_us = clock_wall_us();

	for (size_t i = 0; i < n; i++) {
		sq_lease_end(s, u[i].oid);	/* no rollback undoes it: then it is due again */
		if (update_one(q, &u[i], now_us, mem, e) < 0)
			return -1;
	}
	return 0;
}

/* The peer's deliveries in one state are due now; -1 if that fails. */
static int
free_all(struct sq *q, struct party *p, enum sq_id id, enum delivery_state state,
    size_t *n, struct err *e)
{
	int freed = sq_run(q, id, e, "ii", p->pno, clock_wall_us());

	if (freed < 0)
		return -1;
	count(p, state, -freed);
	count(p, DELIVERY_QUEUED, freed);
	*n += (size_t)freed;
	return 0;
}

int
sq_outbox_requeue(struct store *s, const char *peer, bool denied, size_t *n, struct err *e)
{
	struct sq *q = sq_of(s);

	*n = 0;
	for (size_t i = 0; i < q->nparties; i++) {
		struct party *p = q->parties[i];

		if (peer != NULL && strcmp(peer, p->name) != 0)
			continue;
		if (free_all(q, p, SQ_DELIVERY_FREE_WAITS, DELIVERY_WAITS, n, e) < 0 ||
		    free_all(q, p, SQ_DELIVERY_FREE_HELD, DELIVERY_HELD, n, e) < 0 ||
		    free_all(q, p, SQ_DELIVERY_FREE_DEAD, DELIVERY_DEAD, n, e) < 0 ||
		    (denied && free_all(q, p, SQ_DELIVERY_FREE_DENIED, DELIVERY_DENIED, n, e) < 0))
			return -1;
	}
	return 0;
}

/* ---- counting ---- */

/* The first column of a statement's only row into *least, if smaller. */
static int
take_least(struct sq *q, sqlite3_stmt *st, int64_t *least, struct err *e)
{
	int rc = st == NULL ? -1 : sq_step(q, st, e);

	if (rc > 0 && sqlite3_column_type(st, 0) == SQLITE_INTEGER &&
	    (*least == 0 || sqlite3_column_int64(st, 0) < *least))
		*least = sqlite3_column_int64(st, 0);
	if (rc > 0)
		sq_reset(st);
	return rc < 0 ? -1 : 0;
}

static int
add_counts(struct sq *q, const struct party *p, struct outbox_counts *out, struct err *e)
{
	out->queued += (uint64_t)(p->count[DELIVERY_QUEUED] + p->count[DELIVERY_WAITS]);
	out->held += (uint64_t)p->count[DELIVERY_HELD];
	out->dead += (uint64_t)p->count[DELIVERY_DEAD];
	out->sent += (uint64_t)p->count[DELIVERY_SENT];
	out->denied += (uint64_t)p->count[DELIVERY_DENIED];
	for (int64_t lane = 0; lane <= 1; lane++)
		if (take_least(q, sq_bind(q, SQ_DELIVERY_OLDEST_READY, e, "ii", p->pno, lane),
		    &out->oldest_us, e) < 0)
			return -1;
	return take_least(q, sq_bind(q, SQ_DELIVERY_OLDEST_LATER, e, "i", p->pno),
	    &out->oldest_us, e);
}

int
sq_outbox_counts(struct store *s, const char *peer, struct outbox_counts *out, struct err *e)
{
	struct sq *q = sq_of(s);

	for (size_t i = 0; i < q->nparties; i++)
		if ((peer == NULL || strcmp(peer, q->parties[i]->name) == 0) &&
		    add_counts(q, q->parties[i], out, e) < 0)
			return -1;
	return 0;
}
