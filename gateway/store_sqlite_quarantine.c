/* Quarantine: what was refused, whole, until somebody has looked or it is the oldest of too much. */
#include "gateway/store_sqlite.h"

int
sq_quarantine_add(struct sq *q, const struct store_quarantine *x, int64_t now_us, struct err *e)
{
	return sq_run(q, SQ_QUARANTINE_ADD, e, "itttttiiitttib", now_us, slice_of(x->source),
	    slice_of(x->input), slice_of(x->format), slice_of(x->code), slice_of(x->path),
	    (int64_t)x->line, (int64_t)x->column, (int64_t)x->offset,
	    slice_of(x->reason), x->object_id, slice_of(x->collection), (int64_t)x->bytes.n,
	    x->bytes) < 0 ? -1 : 0;
}

int
sq_quarantine_set(struct store *s, int64_t qid, const char *state, struct err *e)
{
	int rc = sq_run(sq_of(s), SQ_QUARANTINE_SET, e, "is", qid, state);

	return rc > 0 ? 0 : rc < 0 ? -1 :
	    err_set(e, ERR_REFERENCE, "nothing in quarantine has the number %lld", (long long)qid);
}

/* The youngest that has to go, 0 if all may stay: walks from the youngest. */
static int64_t
find_cut(struct sq *q, size_t max_rows, uint64_t max_bytes, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_QUARANTINE_SIZES, e, "");
	uint64_t bytes = 0;
	size_t rows = 0;
	int rc = -1;

	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		int64_t qid = sqlite3_column_int64(st, 0);

		bytes += (uint64_t)sqlite3_column_int64(st, 1);
		if (++rows > max_rows || bytes > max_bytes) {
			sq_reset(st);
			return qid;
		}
	}
	return rc;
}

int
sq_quarantine_trim(struct store *s, size_t max_rows, uint64_t max_bytes, size_t *n, struct err *e)
{
	struct sq *q = sq_of(s);
	int64_t cut = find_cut(q, max_rows, max_bytes, e);
	int rc = cut <= 0 ? (int)cut : sq_run(q, SQ_QUARANTINE_DEL, e, "i", cut);

	*n = rc > 0 ? (size_t)rc : 0;
	return rc < 0 ? -1 : 0;
}

static void
read_row(sqlite3_stmt *st, struct arena *mem, struct quarantine_row *r)
{
	r->qid = sqlite3_column_int64(st, 0);
	r->at_us = sqlite3_column_int64(st, 1);
	r->state = arena_str(mem, sq_col(st, 2));
	r->q = (struct store_quarantine){
		.source = arena_str(mem, sq_col(st, 3)), .input = arena_str(mem, sq_col(st, 4)),
		.format = arena_str(mem, sq_col(st, 5)), .code = arena_str(mem, sq_col(st, 6)),
		.path = arena_str(mem, sq_col(st, 7)),
		.line = (uint32_t)sqlite3_column_int64(st, 8),
		.column = (uint32_t)sqlite3_column_int64(st, 9),
		.offset = (uint64_t)sqlite3_column_int64(st, 10),
		.reason = arena_str(mem, sq_col(st, 11)), .object_id = sq_copy(st, 12, mem),
		.collection = arena_str(mem, sq_col(st, 13)),
		.bytes = sqlite3_column_count(st) > 14 ? sq_copy(st, 14, mem) : SLICE_EMPTY,
	};
}

int
sq_quarantine_rows(struct store *s, int64_t qid, int64_t after_qid, size_t max, bool all_states,
    struct arena *mem, struct quarantine_row **rows, size_t *n, struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = qid != 0 ? sq_bind(q, SQ_QUARANTINE_GET, e, "i", qid) :
	    sq_bind(q, SQ_QUARANTINE_LIST, e, "iii", after_qid, (int64_t)all_states, (int64_t)max);
	size_t cap = 0;
	int rc = -1;

	*n = 0;
	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		*rows = arena_grow(mem, *rows, *n, &cap, sizeof(**rows));
		read_row(st, mem, &(*rows)[(*n)++]);
	}
	return rc;
}
