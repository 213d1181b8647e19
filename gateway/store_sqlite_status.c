/* Statuses of POSTs. Entries are blobs, since nobody asks for one: of a status that was written at once in
 * its row, of one that was worked off in parts a row each. */
#include <stdio.h>

#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"
#include "gateway/store_sqlite.h"

/* ---- entries ---- */

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

static void
put_entries(struct strbuf *b, const struct store_status *st)
{
	for (size_t i = 0; i < st->n; i++) {
		const struct store_status_entry *x = &st->entries[i];

		strbuf_addc(b, x->failed ? 'f' : 's');
		put_text(b, x->id);
		put_text(b, x->version);
		put_text(b, slice_of(x->message));
	}
	if (b->n == 0)
		strbuf_addc(b, '-');
}

static int
take_entries(struct slice blob, struct arena *mem, struct store_status *out, size_t *cap,
    struct err *e)
{
	while (blob.n > 0 && blob.p[0] != '-') {
		struct store_status_entry x = { .failed = blob.p[0] == 'f', .put = -1 };
		struct slice message;

		blob = slice_from(blob.p + 1, blob.n - 1);
		if (!take_text(&blob, &x.id) || !take_text(&blob, &x.version) ||
		    !take_text(&blob, &message))
			return err_set(e, ERR_STORE, "a status cannot be read");
		x.message = message.n == 0 ? NULL : arena_str(mem, message);
		out->entries = arena_grow(mem, out->entries, out->n, cap, sizeof(x));
		out->entries[out->n++] = x;
	}
	return 0;
}

/* ---- writing ---- */

int
sq_status_check(struct sq *q, const struct store_status *st, struct err *e)
{
	sqlite3_stmt *row;
	int64_t done_us = 1, total = 0, done = 0;
	int rc;

	if (st->step != STATUS_PART && st->step != STATUS_LAST)
		return 0;
	row = sq_bind(q, SQ_STATUS_GET, e, "s", st->id);
	rc = row == NULL ? -1 : sq_step(q, row, e);
	if (rc < 0)
		return -1;
	if (rc > 0) {
		done_us = sqlite3_column_int64(row, 3);
		total = sqlite3_column_int64(row, 4);
		done = sqlite3_column_int64(row, 5) + sqlite3_column_int64(row, 6);
		sq_reset(row);
	}
	return store_status_follows(st, done_us == 0, (uint64_t)total, (uint64_t)done, e);
}

static int
open_errand(struct sq *q, const struct store_status *st, struct err *e)
{
	const struct store_errand *x = st->errand;

	return sq_run(q, SQ_PENDING_ADD, e, "ssssiib", st->id, x->source, x->collection,
	    x->request, (int64_t)x->strict, (int64_t)x->bytes, slice_from(x->sha256, sizeof(x->sha256)));
}

static int
add_part(struct sq *q, const struct store_status *st, struct slice entries, int64_t now_us,
    struct err *e)
{
	if (st->n > 0 && (sq_run(q, SQ_PART_ADD, e, "sib", st->id, (int64_t)st->from, entries) < 0 ||
	    sq_run(q, SQ_STATUS_COUNT, e, "sii", st->id, (int64_t)st->succeeded,
	    (int64_t)st->failed) < 0))
		return -1;
	if (st->step == STATUS_PART)
		return 0;
	if (sq_run(q, SQ_PENDING_DEL, e, "s", st->id) < 0)
		return -1;
	return sq_run(q, SQ_STATUS_DONE, e, "sis", st->id, now_us, st->rest);
}

int
sq_status_add(struct sq *q, const struct store_status *st, int64_t now_us, struct err *e)
{
	struct strbuf b = STRBUF_INIT;
	bool open = st->step == STATUS_OPEN;
	int rc = 0;

	put_entries(&b, st);
	if (st->step == STATUS_PART || st->step == STATUS_LAST)
		rc = add_part(q, st, strbuf_slice(&b), now_us, e);
	else if (st->step != STATUS_DRAFT)
		rc = sq_run(q, SQ_STATUS_ADD, e, "ssibiiii", st->id, st->user == NULL ? "" : st->user,
		    st->requested_us, strbuf_slice(&b), open ? (int64_t)0 : now_us, (int64_t)st->total,
		    (int64_t)st->succeeded, (int64_t)st->failed);
	if (rc >= 0 && open)
		rc = open_errand(q, st, e);
	strbuf_fini(&b);
	return rc < 0 ? -1 : 0;
}

int
sq_status_expire(struct store *s, int64_t before_us, size_t *n, struct err *e)
{
	int rc = sq_run(sq_of(s), SQ_PART_EXPIRE, e, "i", before_us);

	if (rc >= 0)
		rc = sq_run(sq_of(s), SQ_STATUS_EXPIRE, e, "i", before_us);
	*n = rc < 0 ? 0 : (size_t)rc;
	return rc < 0 ? -1 : 0;
}

/* ---- reading ---- */

static int
take_parts(struct sq *q, struct arena *mem, struct store_status *out, size_t *cap, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_PART_EACH, e, "s", out->id);
	int rc = -1;

	while (st != NULL && (rc = sq_step(q, st, e)) > 0)
		if (take_entries(sq_copy(st, 0, mem), mem, out, cap, e) < 0) {
			sq_reset(st);
			return -1;
		}
	return rc;
}

int
sq_status_get(struct store *s, const char *id, struct arena *mem, struct store_status *out,
    bool *found, struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = sq_bind(q, SQ_STATUS_GET, e, "s", id);
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	struct slice blob, rest;
	const char *why;
	size_t cap = 0;

	if (rc <= 0)
		return rc;
	snprintf(out->id, sizeof(out->id), "%.*s", SLICE_ARG(sq_col(st, 0)));
	out->user = arena_str(mem, sq_col(st, 1));
	out->requested_us = sqlite3_column_int64(st, 2);
	out->pending = sqlite3_column_int64(st, 3) == 0;
	out->total = (uint64_t)sqlite3_column_int64(st, 4);
	out->succeeded = (uint64_t)sqlite3_column_int64(st, 5);
	out->failed = (uint64_t)sqlite3_column_int64(st, 6);
	rest = sq_col(st, 7);
	why = rest.n == 0 ? NULL : arena_str(mem, rest);
	blob = sq_copy(st, 8, mem);
	sq_reset(st);
	*found = true;
	if (out->pending)
		return 0;
	out->entries = arena_raw(mem, (size_t)(out->total + 1) * sizeof(*out->entries));
	cap = (size_t)(out->total + 1);
	if (take_entries(blob, mem, out, &cap, e) < 0 || take_parts(q, mem, out, &cap, e) < 0)
		return -1;
	if (out->total == 0)		/* written before there were counts */
		store_count_status(out);
	store_status_add_rest(out, why, mem);
	return 0;
}

int
sq_pending(struct store *s, struct arena *mem, struct store_status **v, size_t *n, struct err *e)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = sq_bind(q, SQ_PENDING_EACH, e, "");
	size_t cap = 0;
	int rc = -1;

	while (st != NULL && (rc = sq_step(q, st, e)) > 0) {
		struct store_errand *x = arena_alloc(mem, sizeof(*x));
		struct slice sum = sq_col(st, 11);
		struct store_status *to;

		*v = arena_grow(mem, *v, *n, &cap, sizeof(**v));
		to = &(*v)[(*n)++];
		*to = (struct store_status){ .pending = true, .errand = x,
		    .user = arena_str(mem, sq_col(st, 1)),
		    .requested_us = sqlite3_column_int64(st, 2),
		    .total = (uint64_t)sqlite3_column_int64(st, 3),
		    .succeeded = (uint64_t)sqlite3_column_int64(st, 4),
		    .failed = (uint64_t)sqlite3_column_int64(st, 5) };
		snprintf(to->id, sizeof(to->id), "%.*s", SLICE_ARG(sq_col(st, 0)));
		x->source = arena_str(mem, sq_col(st, 6));
		x->collection = arena_str(mem, sq_col(st, 7));
		x->request = arena_str(mem, sq_col(st, 8));
		x->strict = sqlite3_column_int64(st, 9) != 0;
		x->bytes = (uint64_t)sqlite3_column_int64(st, 10);
		if (sum.n == sizeof(x->sha256))
			memcpy(x->sha256, sum.p, sum.n);
	}
	return rc;
}
