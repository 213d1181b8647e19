#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/store_sqlite.h"

void
sq_stop(struct sq *q, const char *why)
{
	if (q->broken != NULL || q->lock_fd < 0)
		return;
	q->broken = why;
	snprintf(q->store.trouble, sizeof(q->store.trouble),
	    "the store writes nothing more until a restart: %s", why);
	log_event(LOG_ERROR, "store.stopped", LF_S("why", why));
}

/* A page of the file is not what it was when it was written, or cannot be read (SQLite says the same of
 * both). Readers are served around it. A write that needs it is the last one: it could carry it further. */
static void
meet_damage(struct sq *q, const char *what)
{
	sq_damage(q, what, sqlite3_errmsg(q->db));
	if (sqlite3_txn_state(q->db, NULL) == SQLITE_TXN_WRITE)
		sq_stop(q, "its file is damaged, or the disk cannot read it");
}

void
sq_damage(struct sq *q, const char *what, const char *why)
{
	q->store.damages++;
	log_event(LOG_ERROR, "store.damaged", LF_S("at", what), LF_S("error", why),
	    LF_S("do", "tocsin check --store names what is lost"));
}

/* What a reader meets while another process opens or mends the file. */
static bool
is_passing(int code)
{
	return code == SQLITE_BUSY || code == SQLITE_READONLY || code == SQLITE_CANTOPEN ||
	    code == SQLITE_PROTOCOL;
}

int
sq_fail(struct sq *q, struct err *e, const char *what)
{
	int code = sqlite3_extended_errcode(q->db);

	if (q->lock_fd < 0 && is_passing(code & 0xff))
		return err_set(e, ERR_BUSY, "%s: %s (%d)", what, sqlite3_errmsg(q->db), code);
	switch (code & 0xff) {
	case SQLITE_TOOBIG:
		return err_set(e, ERR_LIMIT, "%s: %s", what, sqlite3_errmsg(q->db));
	case SQLITE_CONSTRAINT:
		return err_set(e, ERR_CONFLICT, "%s: %s", what, sqlite3_errmsg(q->db));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		meet_damage(q, what);
		break;
	case SQLITE_IOERR:
		/* after a failed sync nobody knows what of the file is on the disk */
		if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
			sq_stop(q, "a sync to disk failed");
		break;
	}
	return err_set(e, ERR_STORE, "%s: %s (%d)%s", what, sqlite3_errmsg(q->db), code,
	    q->broken != NULL ? "; nothing more is written until a restart" : "");
}

sqlite3_stmt *
sq_prepare(struct sq *q, const char *text, struct err *e)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v3(q->db, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) == SQLITE_OK)
		return st;
	sq_fail(q, e, text);
	return NULL;
}

void
sq_reset(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

static int
bind_slice(sqlite3_stmt *st, int i, struct slice s, char kind)
{
	if (s.n == 0 && kind == 'b')
		return sqlite3_bind_null(st, i);
	if (kind == 'b')
		return sqlite3_bind_blob64(st, i, s.p, s.n, SQLITE_STATIC);
	return sqlite3_bind_text64(st, i, s.n == 0 ? "" : s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
}

static int
bind_number(sqlite3_stmt *st, int i, int64_t v, char kind)
{
	return v == 0 && kind == 'z' ? sqlite3_bind_null(st, i) : sqlite3_bind_int64(st, i, v);
}

static int
bind_all(sqlite3_stmt *st, const char *kinds, va_list ap)
{
	int rc = SQLITE_OK;

	for (int i = 1; *kinds != '\0' && rc == SQLITE_OK; kinds++, i++) {
		if (*kinds == 'i' || *kinds == 'z')
			rc = bind_number(st, i, va_arg(ap, int64_t), *kinds);
		else if (*kinds == 's')
			rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
		else
			rc = bind_slice(st, i, va_arg(ap, struct slice), *kinds);
	}
	return rc;
}

static sqlite3_stmt *
bind_list(struct sq *q, enum sq_id id, struct err *e, const char *kinds, va_list ap)
{
	sqlite3_stmt *st = q->stmt[id];

	if (st == NULL) {
		st = q->stmt[id] = sq_prepare(q, sq_text[id], e);
		if (st == NULL)
			return NULL;
	}
	if (bind_all(st, kinds, ap) != SQLITE_OK) {
		sq_fail(q, e, "bind");
		return NULL;
	}
	return st;
}

sqlite3_stmt *
sq_bind(struct sq *q, enum sq_id id, struct err *e, const char *kinds, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, kinds);
	st = bind_list(q, id, e, kinds, ap);
	va_end(ap);
	return st;
}

int
sq_step(struct sq *q, sqlite3_stmt *st, struct err *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		sq_fail(q, e, "store");
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int
sq_run(struct sq *q, enum sq_id id, struct err *e, const char *kinds, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, kinds);
	st = bind_list(q, id, e, kinds, ap);
	va_end(ap);
	if (st == NULL)
		return -1;
	if (sq_step(q, st, e) != 0) {
		sqlite3_reset(st);
		return -1;
	}
	return sqlite3_changes(q->db);
}

struct slice
sq_col(sqlite3_stmt *st, int col)
{
	const void *p = sqlite3_column_blob(st, col);

	return p == NULL ? SLICE_EMPTY : slice_from(p, (size_t)sqlite3_column_bytes(st, col));
}

struct slice
sq_copy(sqlite3_stmt *st, int col, struct arena *mem)
{
	struct slice s = sq_col(st, col);

	return s.n == 0 ? SLICE_EMPTY : arena_slice(mem, s);
}
