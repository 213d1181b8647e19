/* Collections, quarantine, audit and figures of the memory backend; its life. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/store_mem.h"

/* ---- collections ---- */

static int64_t
collection_find(struct store *s, const char *name, char *uuid_out, struct err *e)
{
	struct mem *m = mem_of(s);

	(void)e;
	for (size_t i = 0; i < m->ncollections; i++) {
		if (strcmp(m->collections[i].name, name) == 0) {
			memcpy(uuid_out, m->collections[i].uuid, UUID_TEXT + 1);
			return (int64_t)i + 1;
		}
	}
	return 0;
}

static int64_t
collection_add(struct store *s, const char *name, const char *uuid, struct err *e)
{
	struct mem *m = mem_of(s);
	struct mem_collection *c;

	for (size_t i = 0; i < m->ncollections; i++)
		if (strcmp(m->collections[i].uuid, uuid) == 0)
			return err_set(e, ERR_CONFLICT, "the id %s belongs to collection %s", uuid,
			    m->collections[i].name);
	m->collections = arena_grow(m->arena, m->collections, m->ncollections,
	    &m->collections_cap, sizeof(*m->collections));
	c = &m->collections[m->ncollections++];
	memset(c, 0, sizeof(*c));
	c->name = mem_str(m, name);
	snprintf(c->uuid, sizeof(c->uuid), "%s", uuid);
	return (int64_t)m->ncollections;
}

static int
view_digest(struct store *s, int64_t cid, uint8_t out[32], struct err *e)
{
	struct mem *m = mem_of(s);

	(void)e;
	memset(out, 0, 32);
	if (cid >= 1 && (size_t)cid <= m->ncollections)
		memcpy(out, m->collections[cid - 1].digest, 32);
	return 0;
}

static int
view_set_digest(struct store *s, int64_t cid, const uint8_t digest[32], struct err *e)
{
	struct mem *m = mem_of(s);

	(void)e;
	if (cid >= 1 && (size_t)cid <= m->ncollections)
		memcpy(m->collections[cid - 1].digest, digest, 32);
	return 0;
}

/* ---- quarantine ---- */

void
mem_quarantine_add(struct mem *m, const struct store_quarantine *x)
{
	struct quarantine_row *r;

	m->quarantine = arena_grow(m->arena, m->quarantine, m->nquarantine, &m->quarantine_cap,
	    sizeof(*m->quarantine));
	r = &m->quarantine[m->nquarantine++];
	*r = (struct quarantine_row){ .qid = ++m->last_qid, .at_us = clock_wall_us(),
	    .state = "held", .q = *x };
	r->q.source = mem_str(m, x->source);
	r->q.input = mem_str(m, x->input);
	r->q.format = mem_str(m, x->format);
	r->q.code = mem_str(m, x->code);
	r->q.path = mem_str(m, x->path);
	r->q.reason = mem_str(m, x->reason);
	r->q.collection = mem_str(m, x->collection);
	r->q.object_id = arena_slice(m->arena, x->object_id);
	r->q.bytes = arena_slice(m->arena, x->bytes);
}

static int
quarantine_set(struct store *s, int64_t qid, const char *state, struct err *e)
{
	struct mem *m = mem_of(s);

	for (size_t i = 0; i < m->nquarantine; i++) {
		if (m->quarantine[i].qid == qid) {
			m->quarantine[i].state = mem_str(m, state);
			return 0;
		}
	}
	return err_set(e, ERR_REFERENCE, "nothing in quarantine has the number %lld",
	    (long long)qid);
}

static int
quarantine_trim(struct store *s, size_t max_rows, uint64_t max_bytes, size_t *n, struct err *e)
{
	struct mem *m = mem_of(s);
	uint64_t bytes = 0;
	size_t keep = 0;

	(void)e;
	while (keep < m->nquarantine && keep < max_rows) {
		bytes += m->quarantine[m->nquarantine - keep - 1].q.bytes.n;
		if (bytes > max_bytes)
			break;
		keep++;
	}
	*n = m->nquarantine - keep;
	if (*n > 0)
		memmove(m->quarantine, m->quarantine + *n, keep * sizeof(*m->quarantine));
	m->nquarantine = keep;
	return 0;
}

static int
quarantine_rows(struct store *s, int64_t qid, int64_t after_qid, size_t max, bool all_states,
    struct arena *mem, struct quarantine_row **rows, size_t *n, struct err *e)
{
	struct mem *m = mem_of(s);
	size_t cap = 0;

	(void)e;
	*n = 0;
	for (size_t i = 0; i < m->nquarantine && *n < max; i++) {
		const struct quarantine_row *r = &m->quarantine[i];

		if (qid != 0 ? r->qid != qid : r->qid <= after_qid ||
		    (!all_states && strcmp(r->state, "held") != 0))
			continue;
		*rows = arena_grow(mem, *rows, *n, &cap, sizeof(**rows));
		(*rows)[*n] = *r;
		if (qid == 0)
			(*rows)[*n].q.bytes = SLICE_EMPTY;
		(*n)++;
	}
	return 0;
}

/* ---- audit ---- */

int
mem_add_audit(struct store *s, const struct store_audit *a, const char *extra, struct err *e)
{
	struct mem *m = mem_of(s);
	struct strbuf line = STRBUF_INIT;

	(void)e;
	store_seal(s, &line, a->members, extra);
	m->audit = arena_grow(m->arena, m->audit, m->naudit, &m->audit_cap, sizeof(*m->audit));
	m->audit[m->naudit++] = arena_slice(m->arena, strbuf_slice(&line));
	strbuf_fini(&line);
	return 0;
}

static int
audit_each(struct store *s, uint64_t after_seq, store_audit_fn *fn, void *ctx, struct err *e)
{
	struct mem *m = mem_of(s);

	(void)e;
	for (size_t i = (size_t)after_seq; i < m->naudit; i++)
		if (!fn(ctx, i + 1, m->audit[i]))
			break;
	return 0;
}

/* ---- figures and life ---- */

static int
figures(struct store *s, struct store_figures *out, struct err *e)
{
	struct mem *m = mem_of(s);

	(void)e;
	for (size_t i = 0; i < m->nversions; i++)
		out->objects += m->versions[i].obj == (int64_t)i + 1;
	for (size_t i = 0; i < m->nquarantine; i++) {
		bool held = strcmp(m->quarantine[i].state, "held") == 0;

		out->quarantined += held;
		out->quarantined_bytes += held ? m->quarantine[i].q.bytes.n : 0;
	}
	for (size_t i = 0; i < m->nstatuses; i++) {
		out->pending += m->statuses[i].st.pending;
		out->pending_bytes += m->statuses[i].st.pending ? m->statuses[i].st.errand->bytes : 0;
	}
	out->versions = m->nversions;
	out->members = m->nmembers;
	out->sources = m->nsources;
	out->sightings = m->sightings;
	return 0;
}

static int
begin(struct store *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

static void
rollback(struct store *s)
{
	(void)s;
}

static void
close_all(struct store *s)
{
	struct mem *m = mem_of(s);

	queue_fini(s);
	mem_notes_free(m);
	mem_statuses_free(m);
	arena_free(m->arena);
	free(m);
}

static const struct store_ops mem_ops = {
	.failed_leaves_no_trace = true,
	.close = close_all, .begin = begin, .commit = begin, .rollback = rollback,
	.put_txn = mem_put_txn, .add_audit = mem_add_audit, .removable = mem_removable,
	.take_out = mem_take_out, .lease_end_all = mem_lease_end_all,
	.join = mem_join, .outbox_update = mem_outbox_update,
	.outbox_requeue = mem_outbox_requeue, .quarantine_set = quarantine_set,
	.quarantine_trim = quarantine_trim, .status_expire = mem_status_expire,
	.collection_find = collection_find, .collection_add = collection_add,
	.view_digest = view_digest, .view_set_digest = view_set_digest,
	.page = mem_page, .object = mem_object, .scan = mem_scan, .outbox_lease = mem_outbox_lease,
	.outbox_due_us = mem_outbox_due_us, .outbox_counts = mem_outbox_counts,
	.quarantine_rows = quarantine_rows, .status_get = mem_status_get,
	.pending = mem_pending, .audit_each = audit_each,
	.figures = figures, .note_set = mem_note_set, .notes = mem_notes,
};

struct store *
store_mem_open(const struct store_conf *conf, struct err *e)
{
	struct mem *m = xcalloc(1, sizeof(*m));

	m->store.ops = &mem_ops;
	m->arena = arena_new();
	uuid_v4(m->store.id);
	if (queue_init(&m->store, conf, e) < 0) {
		close_all(&m->store);
		return NULL;
	}
	return &m->store;
}
