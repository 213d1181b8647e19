#include "gateway/store.h"

#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/store_impl.h"

struct store *
store_open(const struct store_conf *conf, struct err *e)
{
	return conf->path == NULL ? store_mem_open(conf, e) : store_sqlite_open(conf, e);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	walk_cancel_all(s);
	queue_flush(s);
	s->ops->close(s);
}

const char *
store_id(const struct store *s)
{
	return s->id;
}

/* ---- jobs: writes on their way into a group ---- */

/* A job of `size` bytes (its head is a struct job) in an arena of its own. */
static void *
job_new(size_t size, int (*run)(struct store *, struct job *, struct err *),
    void (*finish)(struct job *, const struct err *))
{
	struct arena *mem = arena_new();
	struct job *j = arena_alloc(mem, size);

	j->mem = mem;
	j->run = run;
	j->finish = finish;
	return j;
}

/* What most writes carry: something to call when they are durable. */
struct done_job {
	struct job		 j;
	store_done_cb		*done;
	void			*arg;
	struct store_txn	*txn;
	struct store_audit	 audit;
	const struct store_audit *records;
	size_t			 nrecords;
	const struct outbox_update *updates;
	size_t			 nupdates;
	int64_t			 cid, qid;
	const int64_t		*join, *leave;
	size_t			 njoin, nleave;
	bool			 distinct;
	const char		*state;
};

static void
finish_done(struct job *j, const struct err *e)
{
	struct done_job *d = (struct done_job *)j;

	if (d->done != NULL)
		d->done(d->arg, e);
}

static struct done_job *
done_job(int (*run)(struct store *, struct job *, struct err *), store_done_cb *done, void *arg)
{
	struct done_job *d = job_new(sizeof(*d), run, finish_done);

	d->done = done;
	d->arg = arg;
	return d;
}

static int
run_txn(struct store *s, struct job *j, struct err *e)
{
	struct done_job *d = (struct done_job *)j;

	return s->ops->put_txn(s, d->txn, j->scratch, e);
}

void
store_commit(struct store *s, struct store_txn *txn, store_done_cb *done, void *arg)
{
	struct done_job *d = done_job(run_txn, done, arg);

	d->txn = txn;
	queue_add(s, &d->j, false);
}

static int
run_audit(struct store *s, struct job *j, struct err *e)
{
	return s->ops->add_audit(s, &((struct done_job *)j)->audit, "", e);
}

void
store_audit_add(struct store *s, const char *members, store_done_cb *done, void *arg)
{
	struct done_job *d = done_job(run_audit, done, arg);

	d->audit.members = arena_str(d->j.mem, slice_of(members));
	queue_add(s, &d->j, true);
}

static int
run_join(struct store *s, struct job *j, struct err *e)
{
	struct done_job *d = (struct done_job *)j;

	return s->ops->join(s, d->cid, d->distinct, d->join, d->njoin, d->leave, d->nleave,
	    j->scratch, e);
}

static const int64_t *
copy_ids(struct arena *mem, const int64_t *v, size_t n)
{
	int64_t *to = arena_raw(mem, (n + 1) * sizeof(*to));

	if (n > 0)
		memcpy(to, v, n * sizeof(*v));
	return to;
}

static void
add_join(struct store *s, int64_t cid, bool distinct, const int64_t *join, size_t njoin,
    const int64_t *leave, size_t nleave, store_done_cb *done, void *arg)
{
	struct done_job *d = done_job(run_join, done, arg);

	d->cid = cid;
	d->distinct = distinct;
	d->join = copy_ids(d->j.mem, join, njoin);
	d->njoin = njoin;
	d->leave = copy_ids(d->j.mem, leave, nleave);
	d->nleave = nleave;
	queue_add(s, &d->j, false);
}

void
store_join(struct store *s, int64_t cid, const int64_t *join, size_t njoin, const int64_t *leave,
    size_t nleave, store_done_cb *done, void *arg)
{
	add_join(s, cid, false, join, njoin, leave, nleave, done, arg);
}

void
store_join_distinct(struct store *s, int64_t cid, const int64_t *join, size_t njoin,
    const int64_t *leave, size_t nleave, store_done_cb *done, void *arg)
{
	add_join(s, cid, true, join, njoin, leave, nleave, done, arg);
}

static int
run_update(struct store *s, struct job *j, struct err *e)
{
	struct done_job *d = (struct done_job *)j;

	if (s->ops->outbox_update(s, d->updates, d->nupdates, j->scratch, e) < 0)
		return -1;
	for (size_t i = 0; i < d->nrecords; i++)
		if (s->ops->add_audit(s, &d->records[i], "", e) < 0)
			return -1;
	return 0;
}

/* Updates and records are copied: the contract asks nothing of their life. */
static void
copy_updates(struct done_job *d, const struct outbox_update *u, size_t n,
    const struct store_audit *audit, size_t naudit)
{
	struct outbox_update *v = arena_alloc(d->j.mem, (n + 1) * sizeof(*v));
	struct store_audit *a = arena_alloc(d->j.mem, (naudit + 1) * sizeof(*a));

	for (size_t i = 0; i < n; i++) {
		v[i] = u[i];
		if (u[i].reason != NULL)
			v[i].reason = arena_str(d->j.mem, slice_of(u[i].reason));
	}
	for (size_t i = 0; i < naudit; i++) {
		a[i] = audit[i];
		a[i].members = arena_str(d->j.mem, slice_of(audit[i].members));
	}
	d->updates = v;
	d->nupdates = n;
	d->records = a;
	d->nrecords = naudit;
}

void
store_outbox_update(struct store *s, const struct outbox_update *u, size_t n,
    const struct store_audit *audit, size_t naudit, store_done_cb *done, void *arg)
{
	struct done_job *d = done_job(run_update, done, arg);

	copy_updates(d, u, n, audit, naudit);
	queue_add(s, &d->j, false);
}

static int
run_quarantine_set(struct store *s, struct job *j, struct err *e)
{
	struct done_job *d = (struct done_job *)j;

	return s->ops->quarantine_set(s, d->qid, d->state, e);
}

void
store_quarantine_set(struct store *s, int64_t qid, const char *state, store_done_cb *done,
    void *arg)
{
	struct done_job *d = done_job(run_quarantine_set, done, arg);

	d->qid = qid;
	d->state = arena_str(d->j.mem, slice_of(state));
	queue_add(s, &d->j, false);
}

/* ---- writes that count ---- */

struct count_job {
	struct job		 j;
	store_count_cb		*cb;
	void			*arg;
	size_t			 n;
	struct page_query	 q;
	struct store_audit	 audit;
	const char		*peer;
	bool			 denied;
	size_t			 max_rows;
	uint64_t		 max_bytes;
	int64_t			 before_us;
};

static void
finish_count(struct job *j, const struct err *e)
{
	struct count_job *c = (struct count_job *)j;

	if (c->cb != NULL)
		c->cb(c->arg, e == NULL ? c->n : 0, e);
}

static struct count_job *
count_job(int (*run)(struct store *, struct job *, struct err *), store_count_cb *cb, void *arg)
{
	struct count_job *c = job_new(sizeof(*c), run, finish_count);

	c->cb = cb;
	c->arg = arg;
	return c;
}

static int
run_remove(struct store *s, struct job *j, struct err *e)
{
	struct count_job *c = (struct count_job *)j;

	if (s->ops->take_out(s, &c->q, j->scratch, &c->n, e) < 0)
		return -1;
	if (c->audit.members == NULL)
		return 0;
	return s->ops->add_audit(s, &c->audit,
	    arena_fmt(j->scratch, ",\"removed\":%zu", c->n), e);
}

void
store_remove(struct store *s, const struct page_query *q, const char *audit_members,
    store_count_cb *cb, void *arg)
{
	struct count_job *c = count_job(run_remove, cb, arg);

	c->q = *q;
	c->q.ids = arena_slices(c->j.mem, q->ids, q->nids);
	c->q.types = NULL;
	c->q.ntypes = 0;
	c->q.spec_versions = arena_slices(c->j.mem, q->spec_versions, q->nspec_versions);
	c->q.version_keys = arena_slices(c->j.mem, q->version_keys, q->nversion_keys);
	if (audit_members != NULL)
		c->audit.members = arena_str(c->j.mem, slice_of(audit_members));
	queue_add(s, &c->j, false);
}

static int
run_requeue(struct store *s, struct job *j, struct err *e)
{
	struct count_job *c = (struct count_job *)j;

	return s->ops->outbox_requeue(s, c->peer, c->denied, &c->n, e);
}

void
store_outbox_requeue(struct store *s, const char *peer, bool denied, store_count_cb *cb, void *arg)
{
	struct count_job *c = count_job(run_requeue, cb, arg);

	c->denied = denied;
	c->peer = peer == NULL ? NULL : arena_str(c->j.mem, slice_of(peer));
	queue_add(s, &c->j, false);
}

static int
run_trim(struct store *s, struct job *j, struct err *e)
{
	struct count_job *c = (struct count_job *)j;

	return s->ops->quarantine_trim(s, c->max_rows, c->max_bytes, &c->n, e);
}

void
store_quarantine_trim(struct store *s, size_t max_rows, uint64_t max_bytes, store_count_cb *cb,
    void *arg)
{
	struct count_job *c = count_job(run_trim, cb, arg);

	c->max_rows = max_rows;
	c->max_bytes = max_bytes;
	queue_add(s, &c->j, false);
}

static int
run_expire(struct store *s, struct job *j, struct err *e)
{
	struct count_job *c = (struct count_job *)j;

	return s->ops->status_expire(s, c->before_us, &c->n, e);
}

void
store_status_expire(struct store *s, int64_t before_us, store_count_cb *cb, void *arg)
{
	struct count_job *c = count_job(run_expire, cb, arg);

	c->before_us = before_us;
	queue_add(s, &c->j, false);
}

/* ---- at once ---- */

int64_t
store_collection(struct store *s, const char *name, const char *uuid, char *uuid_out,
    struct err *e)
{
	return s->ops->collection(s, name, uuid, uuid_out, e);
}

int
store_view_digest(struct store *s, int64_t cid, uint8_t out[32], struct err *e)
{
	return s->ops->view_digest(s, cid, out, e);
}

int
store_view_set_digest(struct store *s, int64_t cid, const uint8_t digest[32], struct err *e)
{
	return s->ops->view_set_digest(s, cid, digest, e);
}

int64_t
store_outbox_due_us(struct store *s, const char *peer)
{
	return s->ops->outbox_due_us(s, peer);
}

int
store_outbox_counts(struct store *s, const char *peer, struct outbox_counts *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	return s->ops->outbox_counts(s, peer, out, e);
}

int
store_audit_each(struct store *s, uint64_t after_seq, store_audit_fn *fn, void *ctx, struct err *e)
{
	return s->ops->audit_each(s, after_seq, fn, ctx, e);
}

/* ---- reads ---- */

void
store_page(struct store *s, const struct page_query *q, store_page_cb *cb, void *arg)
{
	walk_page(s, q, cb, arg);
}

bool
store_epoch(struct store *s, struct store_epoch *out)
{
	return s->ops->epoch != NULL && s->ops->epoch(s, out);
}

void
store_scan(struct store *s, int64_t after_vid, size_t max, store_page_cb *cb, void *arg)
{
	struct arena *mem = arena_new();
	struct store_page page = { 0 };
	struct err e = ERR_INIT;
	int rc = s->ops->scan(s, after_vid, max, mem, &page, &e);

	cb(arg, rc < 0 ? NULL : &page, rc < 0 ? &e : NULL);
	arena_free(mem);
}

void
store_object(struct store *s, struct slice id, store_object_cb *cb, void *arg)
{
	struct arena *mem = arena_new();
	struct store_object o = { .warnings = "" };
	struct err e = ERR_INIT;
	bool found = false;
	int rc = s->ops->object(s, id, mem, &o, &found, &e);

	cb(arg, rc == 0 && found ? &o : NULL, rc < 0 ? &e : NULL);
	arena_free(mem);
}

void
store_outbox_lease(struct store *s, const char *peer, const char *owner, int64_t now_us,
    int64_t lease_us, size_t max_items, size_t max_bytes, outbox_lease_cb *cb, void *arg)
{
	struct arena *mem = arena_new();
	struct outbox_item *items = NULL;
	struct err e = ERR_INIT;
	size_t n = 0;
	int rc;

	(void)owner;		/* leases live with the process that holds the store, see below */
	rc = s->ops->outbox_lease(s, peer, now_us, lease_us, max_items, max_bytes, mem, &items,
	    &n, &e);
	cb(arg, rc < 0 ? NULL : items, rc < 0 ? 0 : n, rc < 0 ? &e : NULL);
	arena_free(mem);
}

static void
quarantine_rows(struct store *s, int64_t qid, int64_t after_qid, size_t max, bool all_states,
    store_quarantine_cb *cb, void *arg)
{
	struct arena *mem = arena_new();
	struct quarantine_row *rows = NULL;
	struct err e = ERR_INIT;
	size_t n = 0;
	int rc = s->ops->quarantine_rows(s, qid, after_qid, max, all_states, mem, &rows, &n, &e);

	cb(arg, rc < 0 ? NULL : rows, rc < 0 ? 0 : n, rc < 0 ? &e : NULL);
	arena_free(mem);
}

void
store_quarantine_list(struct store *s, int64_t after_qid, size_t max, bool all_states,
    store_quarantine_cb *cb, void *arg)
{
	quarantine_rows(s, 0, after_qid, max, all_states, cb, arg);
}

void
store_quarantine_get(struct store *s, int64_t qid, store_quarantine_cb *cb, void *arg)
{
	quarantine_rows(s, qid, 0, 1, true, cb, arg);
}

void
store_status_get(struct store *s, const char *id, store_status_cb *cb, void *arg)
{
	struct arena *mem = arena_new();
	struct store_status st = { .n = 0 };
	struct err e = ERR_INIT;
	bool found = false;
	int rc = s->ops->status_get(s, id, mem, &st, &found, &e);

	cb(arg, rc == 0 && found ? &st : NULL, rc < 0 ? &e : NULL);
	arena_free(mem);
}

int
store_figures(struct store *s, struct store_figures *out, struct err *e)
{
	int64_t now_us = clock_wall_us();

	memset(out, 0, sizeof(*out));
	out->commits = s->commits;
	out->syncs = s->syncs;
	out->commit_us_total = s->commit_us_total;
	out->commit_us_max = s->commit_us_max;
	out->date_ahead_us = s->last_us > now_us ? s->last_us - now_us : 0;
	out->audit_records = s->audit_seq;
	out->failures = s->failures;
	out->damages = s->damages;
	memcpy(out->trouble, s->trouble, sizeof(out->trouble));
	return s->ops->figures(s, out, e);
}
