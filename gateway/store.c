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
	s->road->close(s);
	s->ops->close(s);
}

const char *
store_id(const struct store *s)
{
	return s->id;
}

/* ---- writes ---- */

static struct job *
new_done(enum ask_kind kind, store_done_cb *done, void *arg)
{
	struct job *j = job_new(kind);

	j->done = done;
	j->arg = arg;
	return j;
}

static struct job *
new_count(enum ask_kind kind, store_count_cb *counted, void *arg)
{
	struct job *j = job_new(kind);

	j->counted = counted;
	j->arg = arg;
	return j;
}

/* What a caller gave for the time of a call, as long as the job lives. */
static const char *
copy_text(struct job *j, const char *s)
{
	return s == NULL ? NULL : arena_str(j->mem, slice_of(s));
}

static const int64_t *
copy_numbers(struct job *j, const int64_t *v, size_t n)
{
	int64_t *to = arena_raw(j->mem, (n + 1) * sizeof(*to));

	if (n > 0)
		memcpy(to, v, n * sizeof(*v));
	return to;
}

static void
set_audit(struct job *j, const struct store_audit *audit, size_t n)
{
	struct store_audit *v = arena_alloc(j->mem, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i] = audit[i];
		v[i].members = copy_text(j, audit[i].members);
	}
	j->ask.audit = v;
	j->ask.naudit = n;
}

static void
submit(struct store *s, struct job *j)
{
	s->road->submit(s, j);
}

void
store_commit(struct store *s, struct store_txn *txn, store_done_cb *done, void *arg)
{
	struct job *j = new_done(ASK_COMMIT, done, arg);

	j->ask.txn = txn;
	submit(s, j);
}

void
store_audit_add(struct store *s, const char *members, store_done_cb *done, void *arg)
{
	struct job *j = new_done(ASK_AUDIT, done, arg);

	set_audit(j, &(struct store_audit){ .members = members }, 1);
	submit(s, j);
}

static void
submit_join(struct store *s, int64_t cid, bool distinct, const char *supporters,
    const int64_t *join, size_t njoin, const int64_t *leave, size_t nleave, store_done_cb *done,
    void *arg)
{
	struct job *j = new_done(ASK_JOIN, done, arg);

	j->ask.cid = cid;
	j->ask.distinct = distinct;
	j->ask.text = arena_str(j->mem, slice_of(supporters));
	j->ask.join = copy_numbers(j, join, njoin);
	j->ask.njoin = njoin;
	j->ask.leave = copy_numbers(j, leave, nleave);
	j->ask.nleave = nleave;
	submit(s, j);
}

void
store_join(struct store *s, int64_t cid, const char *supporters, const int64_t *join, size_t njoin,
    const int64_t *leave, size_t nleave, store_done_cb *done, void *arg)
{
	submit_join(s, cid, false, supporters, join, njoin, leave, nleave, done, arg);
}

void
store_join_distinct(struct store *s, int64_t cid, const char *supporters, const int64_t *join,
    size_t njoin, const int64_t *leave, size_t nleave, store_done_cb *done, void *arg)
{
	submit_join(s, cid, true, supporters, join, njoin, leave, nleave, done, arg);
}

void
store_outbox_update(struct store *s, const struct outbox_update *u, size_t n,
    const struct store_audit *audit, size_t naudit, store_done_cb *done, void *arg)
{
	struct job *j = new_done(ASK_UPDATE, done, arg);
	struct outbox_update *v = arena_alloc(j->mem, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i] = u[i];
		v[i].reason = copy_text(j, u[i].reason);
	}
	j->ask.updates = v;
	j->ask.nupdates = n;
	set_audit(j, audit, naudit);
	submit(s, j);
}

void
store_quarantine_set(struct store *s, int64_t qid, const char *state, store_done_cb *done,
    void *arg)
{
	struct job *j = new_done(ASK_QUARANTINE_SET, done, arg);

	j->ask.qid = qid;
	j->ask.name = copy_text(j, state);
	submit(s, j);
}

void
store_remove(struct store *s, const struct page_query *q, const char *audit_members,
    store_count_cb *cb, void *arg)
{
	struct job *j = new_count(ASK_REMOVE, cb, arg);
	struct err e = ERR_INIT;
	int64_t *vids = NULL;

	j->ask.cid = q->cid;
	if (s->ops->removable(s, q, j->mem, &vids, &j->ask.nleave, &e) < 0) {
		job_end(j, &e);
		return;
	}
	j->ask.leave = vids;
	if (audit_members != NULL)
		set_audit(j, &(struct store_audit){ .members = audit_members }, 1);
	submit(s, j);
}

void
store_outbox_requeue(struct store *s, const char *peer, bool denied, store_count_cb *cb, void *arg)
{
	struct job *j = new_count(ASK_REQUEUE, cb, arg);

	j->ask.denied = denied;
	j->ask.name = copy_text(j, peer);
	submit(s, j);
}

void
store_quarantine_trim(struct store *s, size_t max_rows, uint64_t max_bytes, store_count_cb *cb,
    void *arg)
{
	struct job *j = new_count(ASK_QUARANTINE_TRIM, cb, arg);

	j->ask.max_rows = max_rows;
	j->ask.max_bytes = max_bytes;
	submit(s, j);
}

void
store_status_expire(struct store *s, int64_t before_us, store_count_cb *cb, void *arg)
{
	struct job *j = new_count(ASK_STATUS_EXPIRE, cb, arg);

	j->ask.now_us = before_us;
	submit(s, j);
}

void
store_note_set(struct store *s, const char *space, const char *name, const char *text,
    store_done_cb *done, void *arg)
{
	struct job *j = new_done(ASK_NOTE, done, arg);
	struct err e = ERR_INIT;

	if (text != NULL && strlen(text) > ASK_NOTE_MAX) {
		err_set(&e, ERR_LIMIT, "a note of more than a MiB");
		job_end(j, &e);
		return;
	}
	j->ask.space = copy_text(j, space);
	j->ask.name = copy_text(j, name);
	j->ask.text = copy_text(j, text);
	submit(s, j);
}

void
store_outbox_lease(struct store *s, const char *peer, const char *owner, int64_t now_us,
    int64_t lease_us, size_t max_items, size_t max_bytes, outbox_lease_cb *cb, void *arg)
{
	struct job *j = job_new(ASK_LEASE);

	j->leased = cb;
	j->arg = arg;
	j->ask.name = copy_text(j, peer);
	j->ask.owner = copy_text(j, owner);
	j->ask.now_us = now_us;
	j->ask.lease_us = lease_us;
	j->ask.max_rows = max_items;
	j->ask.max_bytes = max_bytes;
	submit(s, j);
}

void
store_outbox_release(struct store *s, const char *owner)
{
	s->ops->lease_end_all(s, owner);
}

/* ---- synchronous ---- */

/* The answer to a job that somebody waits for. He may give up before it comes. */
struct wait {
	bool		answered, abandoned;
	int		rc;
	struct err	*e;
	struct job	*job;
	int64_t		cid;
	char		*uuid_out;
};

static void
on_answer(void *arg, const struct err *e)
{
	struct wait *w = arg;

	if (w->abandoned) {
		free(w);
		return;
	}
	w->answered = true;
	w->rc = e == NULL ? 0 : -1;
	if (e != NULL && w->e != NULL)
		*w->e = *e;
	w->cid = w->job->ask.cid;
	if (e == NULL && w->uuid_out != NULL)
		memcpy(w->uuid_out, w->job->ask.uuid_out, sizeof(w->job->ask.uuid_out));
}

/* Submit, wait, and tell: 0 or -1 and *e; *cid and *uuid_out from the answer. */
static int
ask_and_wait(struct store *s, struct job *j, int64_t *cid, char *uuid_out, struct err *e)
{
	struct wait *w = xcalloc(1, sizeof(*w));
	int rc;

	w->job = j;
	w->e = e;
	w->uuid_out = uuid_out;
	j->done = on_answer;
	j->arg = w;
	submit(s, j);
	if (!w->answered)
		s->road->wait(s, j, &w->answered);
	if (!w->answered) {
		w->abandoned = true;
		return err_set(e, ERR_BUSY, "the storekeeper does not answer");
	}
	rc = w->rc;
	if (cid != NULL)
		*cid = w->cid;
	free(w);
	return rc;
}

int64_t
store_collection(struct store *s, const char *name, const char *uuid, char *uuid_out,
    struct err *e)
{
	int64_t cid = s->ops->collection_find(s, name, uuid_out, e);
	struct job *j;

	if (cid != 0)
		return cid;
	j = job_new(ASK_COLLECTION);
	j->ask.name = copy_text(j, name);
	j->ask.uuid = copy_text(j, uuid);
	return ask_and_wait(s, j, &cid, uuid_out, e) < 0 ? -1 : cid;
}

int
store_view_digest(struct store *s, int64_t cid, uint8_t out[32], struct err *e)
{
	return s->ops->view_digest(s, cid, out, e);
}

int
store_view_set_digest(struct store *s, int64_t cid, const uint8_t digest[32], struct err *e)
{
	struct job *j = job_new(ASK_DIGEST);

	j->ask.cid = cid;
	memcpy(j->ask.digest, digest, sizeof(j->ask.digest));
	return ask_and_wait(s, j, NULL, NULL, e);
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

const char *
store_note_get(struct store *s, const char *space, const char *name, struct arena *mem,
    struct err *e)
{
	struct store_note *v = NULL;
	size_t n = 0;

	return s->ops->notes(s, space, name, mem, &v, &n, e) < 0 || n == 0 ? NULL : v[0].text;
}

/* Read first, then told: fn may ask the store something else. */
int
store_note_each(struct store *s, const char *space, store_note_fn *fn, void *ctx, struct err *e)
{
	struct arena *mem = arena_new();
	struct store_note *v = NULL;
	size_t n = 0;
	int rc = s->ops->notes(s, space, NULL, mem, &v, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!fn(ctx, v[i].name, v[i].text))
			break;
	arena_free(mem);
	return rc;
}

static int
by_request_time(const void *a, const void *b)
{
	const struct store_status *x = a, *y = b;

	if (x->requested_us != y->requested_us)
		return x->requested_us < y->requested_us ? -1 : 1;
	return strcmp(x->id, y->id);
}

int
store_pending_each(struct store *s, store_pending_fn *fn, void *ctx, struct err *e)
{
	struct arena *mem = arena_new();
	struct store_status *v = NULL;
	size_t n = 0;
	int rc = s->ops->pending(s, mem, &v, &n, e);

	if (n > 0)
		qsort(v, n, sizeof(*v), by_request_time);
	for (size_t i = 0; rc == 0 && i < n && fn(ctx, &v[i]); i++)
		;
	arena_free(mem);
	return rc;
}

uint64_t
store_damages(const struct store *s)
{
	return s->damages;
}

int
store_figures(struct store *s, struct store_figures *out, struct err *e)
{
	int64_t now_us = clock_wall_us();

	memset(out, 0, sizeof(*out));
	s->road->figures(s, out);
	if (s->ops->figures(s, out, e) < 0)
		return -1;
	out->date_ahead_us = s->last_us > now_us ? s->last_us - now_us : 0;
	out->audit_records = s->audit_seq;
	return 0;
}

void
store_count_in(struct store *s, struct stats *stats)
{
	s->stats = stats;
}
