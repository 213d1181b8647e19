#include <stdio.h>

#include "gateway/base/codec.h"
#include "gateway/store_impl.h"

struct job *
job_new(enum ask_kind kind)
{
	struct arena *mem = arena_new();
	struct job *j = arena_alloc(mem, sizeof(*j));

	j->mem = mem;
	j->ask.kind = kind;
	return j;
}

void
job_end(struct job *j, const struct err *e)
{
	const struct ask *a = &j->ask;

	if (j->counted != NULL)
		j->counted(j->arg, e == NULL ? (size_t)a->count : 0, e);
	else if (j->leased != NULL)
		j->leased(j->arg, e == NULL ? a->items : NULL, e == NULL ? a->nitems : 0, e);
	else if (j->done != NULL)
		j->done(j->arg, e);
	arena_free(j->scratch);
	arena_free(j->mem);
}

/* ---- one function a kind ---- */

static int
add_records(struct store *s, struct job *j, const char *extra, struct err *e)
{
	for (size_t i = 0; i < j->ask.naudit; i++)
		if (s->ops->add_audit(s, &j->ask.audit[i], extra, e) < 0)
			return -1;
	return 0;
}

static int
run_commit(struct store *s, struct job *j, struct err *e)
{
	return s->ops->put_txn(s, j->ask.txn, j->scratch, e);
}

static int
run_audit(struct store *s, struct job *j, struct err *e)
{
	return add_records(s, j, "", e);
}

static int
run_remove(struct store *s, struct job *j, struct err *e)
{
	struct ask *a = &j->ask;
	size_t gone = 0;

	if (s->ops->take_out(s, a->cid, a->leave, a->nleave, j->scratch, &gone, e) < 0)
		return -1;
	a->count = gone;
	return add_records(s, j, arena_fmt(j->scratch, ",\"removed\":%zu", gone), e);
}

static int
run_join(struct store *s, struct job *j, struct err *e)
{
	const struct ask *a = &j->ask;

	return s->ops->join(s, a->cid, a->distinct, slice_of(a->text), a->join, a->njoin, a->leave,
	    a->nleave, j->scratch, e);
}

static int
run_update(struct store *s, struct job *j, struct err *e)
{
	if (s->ops->outbox_update(s, j->ask.updates, j->ask.nupdates, j->scratch, e) < 0)
		return -1;
	return add_records(s, j, "", e);
}

/* What a backend counts, as the answer. */
static int
counted(struct ask *a, int rc, size_t n)
{
	a->count = n;
	return rc;
}

static int
run_requeue(struct store *s, struct job *j, struct err *e)
{
	size_t n = 0;
	int rc = s->ops->outbox_requeue(s, j->ask.name, j->ask.denied, &n, e);

	return counted(&j->ask, rc, n);
}

static int
run_quarantine_set(struct store *s, struct job *j, struct err *e)
{
	return s->ops->quarantine_set(s, j->ask.qid, j->ask.name, e);
}

static int
run_trim(struct store *s, struct job *j, struct err *e)
{
	size_t n = 0;
	int rc = s->ops->quarantine_trim(s, (size_t)j->ask.max_rows, j->ask.max_bytes, &n, e);

	return counted(&j->ask, rc, n);
}

static int
run_expire(struct store *s, struct job *j, struct err *e)
{
	size_t n = 0;
	int rc = s->ops->status_expire(s, j->ask.now_us, &n, e);

	return counted(&j->ask, rc, n);
}

static int
run_lease(struct store *s, struct job *j, struct err *e)
{
	return s->ops->outbox_lease(s, &j->ask, j->mem, &j->ask.items, &j->ask.nitems, e);
}

/* Another may have made it meanwhile. */
static int
run_collection(struct store *s, struct job *j, struct err *e)
{
	struct ask *a = &j->ask;

	a->cid = s->ops->collection_find(s, a->name, a->uuid_out, e);
	if (a->cid != 0)
		return a->cid < 0 ? -1 : 0;
	if (a->uuid == NULL)
		uuid_v4(a->uuid_out);
	else
		snprintf(a->uuid_out, sizeof(a->uuid_out), "%s", a->uuid);
	a->cid = s->ops->collection_add(s, a->name, a->uuid_out, e);
	return a->cid < 0 ? -1 : 0;
}

static int
run_digest(struct store *s, struct job *j, struct err *e)
{
	return s->ops->view_set_digest(s, j->ask.cid, j->ask.digest, e);
}

static int
run_note(struct store *s, struct job *j, struct err *e)
{
	const struct ask *a = &j->ask;

	return s->ops->note_set(s, a->space, a->name, a->text, e);
}

static int (*const runs[ASK_KINDS])(struct store *, struct job *, struct err *) = {
	[ASK_COMMIT] = run_commit, [ASK_AUDIT] = run_audit, [ASK_REMOVE] = run_remove,
	[ASK_JOIN] = run_join, [ASK_UPDATE] = run_update, [ASK_REQUEUE] = run_requeue,
	[ASK_QUARANTINE_SET] = run_quarantine_set, [ASK_QUARANTINE_TRIM] = run_trim,
	[ASK_STATUS_EXPIRE] = run_expire, [ASK_LEASE] = run_lease,
	[ASK_COLLECTION] = run_collection, [ASK_DIGEST] = run_digest, [ASK_NOTE] = run_note,
};

bool
job_is_immediate(const struct job *j)
{
	static const bool immediate[ASK_KINDS] = {
		[ASK_LEASE] = true, [ASK_COLLECTION] = true, [ASK_DIGEST] = true,
	};

	return immediate[j->ask.kind];
}

int
job_run(struct store *s, struct job *j, struct err *e)
{
	return runs[j->ask.kind](s, j, e);
}
