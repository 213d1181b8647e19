/* What lies on the desk beside the objects: collections, statuses, audit, figures. */
#include <stdio.h>

#include "gateway/base/codec.h"
#include "gateway/store_sqlite.h"

/* ---- collections ---- */

/* Nobody else may have this UUID. */
static int
check_uuid(struct sq *q, const char *uuid, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_COLLECTION_BY_UUID, e, "s", uuid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);

	if (rc > 0) {
		err_set(e, ERR_CONFLICT, "the id %s belongs to collection %.*s", uuid,
		    SLICE_ARG(sq_col(st, 1)));
		sq_reset(st);
	}
	return rc == 0 ? 0 : -1;
}

int64_t
sq_collection_add(struct store *s, const char *name, const char *uuid, struct err *e)
{
	struct sq *q = sq_of(s);

	if (check_uuid(q, uuid, e) < 0 || sq_begin(q, e) < 0)
		return -1;
	if (sq_run(q, SQ_COLLECTION_ADD, e, "ss", name, uuid) == 1) {
		q->max_cid = sqlite3_last_insert_rowid(q->db);
		if (sq_commit(q, e) == 0)
			return q->max_cid;
	}
	sq_rollback(q);
	return -1;
}

int64_t
sq_collection_find(struct store *s, const char *name, char *uuid_out, struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = sq_bind(q, SQ_COLLECTION_BY_NAME, e, "s", name);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	int64_t cid;

	if (rc <= 0)
		return rc;
	cid = sqlite3_column_int64(st, 0);
	snprintf(uuid_out, UUID_TEXT + 1, "%.*s", SLICE_ARG(sq_col(st, 1)));
	sq_reset(st);
	return cid;
}

int
sq_view_digest(struct store *s, int64_t cid, uint8_t out[32], struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = sq_bind(q, SQ_DIGEST_GET, e, "i", cid);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	struct slice d;

	memset(out, 0, 32);
	if (rc <= 0)
		return rc;
	d = sq_col(st, 0);
	if (d.n == 32)
		memcpy(out, d.p, 32);
	sq_reset(st);
	return 0;
}

int
sq_view_set_digest(struct store *s, int64_t cid, const uint8_t digest[32], struct err *e)
{
	struct sq *q = sq_of(s);

	if (sq_begin(q, e) < 0)
		return -1;
	if (sq_run(q, SQ_DIGEST_SET, e, "ib", cid, slice_from(digest, 32)) >= 0 &&
	    sq_commit(q, e) == 0)
		return 0;
	sq_rollback(q);
	return -1;
}

/* ---- statuses: entries are one blob, since nobody asks for a part ---- */

static void
put_text(struct strbuf *b, struct slice s)
{
	uint32_t n = (uint32_t)s.n;

	strbuf_add(b, &n, sizeof(n));
	strbuf_addsl(b, s);
}

/* The next text of a blob; false when it is cut short. */
static bool
take_text(struct slice *rest, struct slice *out)
{
	uint32_t n;

	if (rest->n < sizeof(n))
		return false;
	memcpy(&n, rest->p, sizeof(n));
	if (n > rest->n - sizeof(n))
		return false;
	*out = slice_from(rest->p + sizeof(n), n);
	*rest = slice_from(out->p + n, rest->n - sizeof(n) - n);
	return true;
}

int
sq_status_add(struct sq *q, const struct store_status *st, struct err *e)
{
	struct strbuf b = STRBUF_INIT;
	int rc;

	for (size_t i = 0; i < st->n; i++) {
		const struct store_status_entry *x = &st->entries[i];

		strbuf_addc(&b, x->failed ? 'f' : 's');
		put_text(&b, x->id);
		put_text(&b, x->version);
		put_text(&b, slice_of(x->message));
	}
	if (b.n == 0)
		strbuf_addc(&b, '-');
	rc = sq_run(q, SQ_STATUS_ADD, e, "ssib", st->id, st->user == NULL ? "" : st->user,
	    st->requested_us, strbuf_slice(&b));
	strbuf_fini(&b);
	return rc < 0 ? -1 : 0;
}

static int
read_entries(struct slice blob, struct arena *mem, struct store_status *out, struct err *e)
{
	size_t cap = 0;

	while (blob.n > 0 && blob.p[0] != '-') {
		struct store_status_entry x = { .failed = blob.p[0] == 'f', .put = -1 };
		struct slice message;

		blob = slice_from(blob.p + 1, blob.n - 1);
		if (!take_text(&blob, &x.id) || !take_text(&blob, &x.version) ||
		    !take_text(&blob, &message))
			return err_set(e, ERR_STORE, "a status cannot be read");
		x.message = message.n == 0 ? NULL : arena_str(mem, message);
		out->entries = arena_grow(mem, out->entries, out->n, &cap, sizeof(x));
		out->entries[out->n++] = x;
	}
	return 0;
}

int
sq_status_get(struct store *s, const char *id, struct arena *mem, struct store_status *out,
    bool *found, struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = sq_bind(q, SQ_STATUS_GET, e, "s", id);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	struct slice blob;

	if (rc <= 0)
		return rc;
	snprintf(out->id, sizeof(out->id), "%.*s", SLICE_ARG(sq_col(st, 0)));
	out->user = arena_str(mem, sq_col(st, 1));
	out->requested_us = sqlite3_column_int64(st, 2);
	blob = sq_copy(st, 3, mem);
	sq_reset(st);
	*found = true;
	return read_entries(blob, mem, out, e);
}

int
sq_status_expire(struct store *s, int64_t before_us, size_t *n, struct err *e)
{
	int rc = sq_run(sq_of(s), SQ_STATUS_EXPIRE, e, "i", before_us);

	*n = rc < 0 ? 0 : (size_t)rc;
	return rc < 0 ? -1 : 0;
}

/* ---- audit ---- */

int
sq_add_audit(struct store *s, const struct store_audit *a, const char *extra, struct err *e)
{
	struct sq *q = sq_of(s);
	struct strbuf line = STRBUF_INIT;
	int rc;

	store_seal(s, &line, a->members, extra);
	rc = sq_run(q, SQ_AUDIT_ADD, e, "it", (int64_t)s->audit_seq, strbuf_slice(&line));
	strbuf_fini(&line);
	return rc < 0 ? -1 : 0;
}

int
sq_audit_each(struct store *s, uint64_t after_seq, store_audit_fn *fn, void *ctx, struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = sq_bind(q, SQ_AUDIT_EACH, e, "i", (int64_t)after_seq);
	int rc = -1;

	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		if (!fn(ctx, (uint64_t)sqlite3_column_int64(st, 0), sq_col(st, 1))) {
			sq_reset(st);
			return 0;
		}
	}
	return rc;
}

/* ---- figures ---- */

int
sq_figures(struct store *s, struct store_figures *out, struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = sq_bind(q, SQ_QUARANTINE_COUNT, e, "");

	if (st == NULL || sq_step(q, st, e) < 0)
		return -1;
	out->quarantined = (uint64_t)sqlite3_column_int64(st, 0);
	out->quarantined_bytes = (uint64_t)sqlite3_column_int64(st, 1);
	sq_reset(st);
	out->objects = (uint64_t)q->count[N_OBJECTS];
	out->versions = (uint64_t)q->count[N_VERSIONS];
	out->members = (uint64_t)q->count[N_MEMBERS];
	out->sources = (uint64_t)q->count[N_SOURCES];
	out->sightings = (uint64_t)q->count[N_SIGHTINGS];
	return 0;
}
