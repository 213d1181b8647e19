/* What lies on the desk beside the objects: collections, audit, figures. */
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
	st = sq_bind(q, SQ_PENDING_SUM, e, "");
	if (st == NULL || sq_step(q, st, e) < 0)
		return -1;
	out->pending = (uint64_t)sqlite3_column_int64(st, 0);
	out->pending_bytes = (uint64_t)sqlite3_column_int64(st, 1);
	sq_reset(st);
	out->objects = (uint64_t)q->count[N_OBJECTS];
	out->versions = (uint64_t)q->count[N_VERSIONS];
	out->members = (uint64_t)q->count[N_MEMBERS];
	out->sources = (uint64_t)q->count[N_SOURCES];
	out->sightings = (uint64_t)q->count[N_SIGHTINGS];
	return 0;
}
