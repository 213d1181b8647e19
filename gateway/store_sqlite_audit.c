/* The audit log read straight from the file, beside a node that may be writing it. Part of store.h. */
#include <sys/stat.h>
#include <errno.h>

#include "gateway/store_sqlite.h"

enum { WAIT_MS = 5000 };

static int
fail(sqlite3 *db, const char *path, struct err *e)
{
	return err_set(e, ERR_STORE, "%s: %s", path, db == NULL ? "no memory" : sqlite3_errmsg(db));
}

/* Open for reading. In WAL mode a reader needs the shared index, which it may have to make: hence
 * READWRITE, query_only, and no checkpoint at the end. NULL and *e on trouble. */
sqlite3 *
sq_open_quietly(const char *path, struct err *e)
{
	sqlite3 *db = NULL;
	struct stat st;

	if (stat(path, &st) < 0) {
		err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, WAIT_MS) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA query_only = ON", NULL, NULL, NULL) != SQLITE_OK) {
		fail(db, path, e);
		sqlite3_close(db);
		return NULL;
	}
	return db;
}

int
store_audit_each_file(const char *path, store_audit_fn *fn, void *ctx, struct err *e)
{
	sqlite3 *db = sq_open_quietly(path, e);
	sqlite3_stmt *st = NULL;
	int step = SQLITE_ERROR;

	if (db == NULL)
		return -1;
	if (sqlite3_prepare_v2(db, "SELECT seq, line FROM audit ORDER BY seq", -1, &st, NULL) ==
	    SQLITE_OK) {
		while ((step = sqlite3_step(st)) == SQLITE_ROW) {
			const char *line = (const char *)sqlite3_column_text(st, 1);
			size_t n = (size_t)sqlite3_column_bytes(st, 1);

			if (!fn(ctx, (uint64_t)sqlite3_column_int64(st, 0),
			    line == NULL ? SLICE_EMPTY : slice_from(line, n))) {
				step = SQLITE_DONE;
				break;
			}
		}
	}
	if (step != SQLITE_DONE)
		fail(db, path, e);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return step == SQLITE_DONE ? 0 : -1;
}

const char *
store_library(void)
{
	return sqlite3_libversion();
}
