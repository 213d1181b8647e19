/* Opening and closing: the lock, the file, its settings, its schema. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/store_sqlite.h"
#include "gateway/store_sqlite_vfs.h"

enum {
	APPLICATION_ID = 0x546f6373,	/* "Tocs" */
	LENGTH_MAX = 256 << 20,
	SQL_MAX = 100000,
	BUSY_MS = 5000,			/* foreign readers that checkpoint or recover */
	LOCK_MS = 1000, LOCK_STEP_MS = 10	/* for the owner of a node that was killed just now */
};

/* Take the lock, or wait for an owner who is dying. */
static int
wait_for_lock(int fd)
{
	static const struct timespec step = { 0, LOCK_STEP_MS * 1000000L };
	int rc;

	for (int ms = 0; (rc = flock(fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK && ms < LOCK_MS;
	    ms += LOCK_STEP_MS)
		nanosleep(&step, NULL);
	return rc;
}

/* One process owns the file: the lock stands beside it and is taken before anything else. */
static int
take_lock(struct sq *q, const char *path, struct err *e)
{
	struct strbuf name = STRBUF_INIT;
	int rc = 0;

	strbuf_addf(&name, "%s.lock", path);
	q->lock_fd = open(name.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (q->lock_fd < 0)
		rc = err_set(e, ERR_IO, "%s: %s", name.p, strerror(errno));
	else if (wait_for_lock(q->lock_fd) < 0)
		rc = err_set(e, errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO,
		    "%s: %s", path, errno == EWOULDBLOCK ? "another process has this store open" :
		    strerror(errno));
	strbuf_fini(&name);
	return rc;
}

/* The readers' group sees the folder and nothing of its siblings. */
static int
make_folder(const char *path, bool group_reads, struct err *e)
{
	struct slice name = file_folder(path);
	char *folder = xstrndup(name.p, name.n);
	int rc = dir_make(folder, group_reads ? 0750 : 0700, e);

	free(folder);
	return rc;
}

/* Run a constant pragma; its single answer as an integer, or -1. */
int64_t
sq_pragma(struct sq *q, const char *text, struct err *e)
{
	sqlite3_stmt *st = sq_prepare(q, text, e);
	int64_t v = 0;
	int rc;

	if (st == NULL)
		return -1;
	if ((rc = sq_step(q, st, e)) > 0)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc < 0 ? -1 : v;
}

static bool
journal_is_wal(struct sq *q, struct err *e)
{
	sqlite3_stmt *st = sq_prepare(q, "PRAGMA journal_mode = WAL", e);
	bool yes = st != NULL && sq_step(q, st, e) > 0 && slice_is(sq_col(st, 0), "wal");

	sqlite3_finalize(st);
	return yes;
}

int
sq_defend(struct sq *q, struct err *e)
{
	sqlite3_limit(q->db, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	sqlite3_limit(q->db, SQLITE_LIMIT_SQL_LENGTH, SQL_MAX);
	sqlite3_limit(q->db, SQLITE_LIMIT_VARIABLE_NUMBER, 32);
	sqlite3_limit(q->db, SQLITE_LIMIT_ATTACHED, 0);
	if (sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) != SQLITE_OK)
		return err_set(e, ERR_STORE, "this SQLite lacks its defences");
	return 0;
}

/* The settings that durability and safety hang on, read back where SQLite may say no in silence. */
static int
configure(struct sq *q, bool writes_only, struct err *e)
{
	static const char *const words[] = {
		"PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON",
		"PRAGMA cell_size_check = ON", "PRAGMA foreign_keys = ON",
		"PRAGMA temp_store = MEMORY",
		/* mapped pages are let go after each use: a scattered page took three times as long */
		"PRAGMA mmap_size = 0", "PRAGMA journal_size_limit = 67108864",
		"PRAGMA wal_autocheckpoint = 0",
	};

	sqlite3_busy_timeout(q->db, BUSY_MS);
	if (sq_defend(q, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (sq_pragma(q, words[i], e) < 0)
			return -1;
	/* 16 MiB hold the inner pages of the indexes; 400,000 objects took no longer than with 64 */
	if (sq_pragma(q, writes_only ? "PRAGMA cache_size = -16384" :
	    "PRAGMA cache_size = -65536", e) < 0)
		return -1;
	if (!journal_is_wal(q, e))
		return e->code != ERR_NONE ? -1 :
		    err_set(e, ERR_STORE, "the store's folder does not allow a write-ahead log");
	if (sq_pragma(q, "PRAGMA synchronous", e) != 2)
		return err_set(e, ERR_STORE, "SQLite does not sync every commit");
	return 0;
}

/* Ours, or empty: anything else is left alone. */
int64_t
sq_schema_version(struct sq *q, const char *path, struct err *e)
{
	int64_t app = sq_pragma(q, "PRAGMA application_id", e);
	int64_t version = sq_pragma(q, "PRAGMA user_version", e);
	int64_t tables = sq_pragma(q, "SELECT count(*) FROM sqlite_schema", e);

	if (app < 0 || version < 0 || tables < 0)
		return -1;
	if (app != APPLICATION_ID && (app != 0 || tables != 0))
		return err_set(e, ERR_STORE, "%s: a database, but not one of ours", path);
	if (version > (int64_t)sq_nsteps)
		return err_set(e, ERR_STORE, "%s: made by a newer version (schema %lld, we know %zu)",
		    path, (long long)version, sq_nsteps);
	return version;
}

/* The row that every store has once: its name and the key of its object numbers. */
static int
make_state(struct sq *q, struct err *e)
{
	char id[UUID_TEXT + 1];
	uint8_t key[sizeof(q->key)];

	uuid_v4(id);
	random_bytes(key, sizeof(key));
	return sq_run(q, SQ_STATE_ADD, e, "sb", id, slice_from(key, sizeof(key)));
}

static int
migrate(struct sq *q, const char *path, struct err *e)
{
	int64_t version = sq_schema_version(q, path, e);

	if (version < 0 || (size_t)version == sq_nsteps)
		return version < 0 ? -1 : 0;
	if (sq_begin(q, e) < 0)
		return -1;
	for (size_t i = (size_t)version; i < sq_nsteps; i++)
		if (sqlite3_exec(q->db, sq_steps[i], NULL, NULL, NULL) != SQLITE_OK)
			return sq_fail(q, e, "schema");
	if (version == 0 && make_state(q, e) < 0)
		return -1;
	return sq_run(q, SQ_COMMIT, e, "") < 0 ? -1 : 0;
}

static int
on_log(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct sq *q = ctx;

	(void)db;
	(void)name;
	q->log_pages = pages;
	return SQLITE_OK;
}

void
sq_close(struct store *s)
{
	struct sq *q = sq_of(s);

	for (size_t i = 0; i < SQ_COUNT; i++)
		sqlite3_finalize(q->stmt[i]);
	for (size_t i = 0; i < (size_t)RANGES * RANGE_CURSORS; i++)
		sqlite3_finalize(q->range[i / RANGE_CURSORS][i % RANGE_CURSORS]);
	if (q->db != NULL && sqlite3_close(q->db) != SQLITE_OK)
		log_event(LOG_ERROR, "store.close", LF_S("error", sqlite3_errmsg(q->db)));
	for (size_t i = 0; i < q->nparties; i++)
		sq_party_free(q->parties[i]);
	free(q->parties);
	strbuf_fini(&q->scratch);
	if (q->lock_fd >= 0)
		close(q->lock_fd);
	queue_fini(s);
	free(q);
}

static int
op_begin(struct store *s, struct err *e)
{
	return sq_begin(sq_of(s), e);
}

static int
op_commit(struct store *s, struct err *e)
{
	return sq_commit(sq_of(s), e);
}

static void
op_rollback(struct store *s)
{
	sq_rollback(sq_of(s));
}

static const struct store_ops sqlite_ops = {
	.close = sq_close, .begin = op_begin, .commit = op_commit, .rollback = op_rollback,
	.put_txn = sq_put_txn, .add_audit = sq_add_audit, .removable = sq_removable,
	.take_out = sq_take_out, .lease_note = sq_lease_note, .lease_end = sq_lease_end,
	.lease_end_all = sq_lease_end_all,
	.join = sq_join_views, .outbox_update = sq_outbox_update,
	.outbox_requeue = sq_outbox_requeue, .quarantine_set = sq_quarantine_set,
	.quarantine_trim = sq_quarantine_trim, .status_expire = sq_status_expire,
	.collection_find = sq_collection_find, .collection_add = sq_collection_add,
	.view_digest = sq_view_digest,
	.view_set_digest = sq_view_set_digest, .page = sq_page, .epoch = sq_epoch,
	.object = sq_object_get,
	.scan = sq_scan, .outbox_lease = sq_outbox_lease, .outbox_due_us = sq_outbox_due_us,
	.outbox_counts = sq_outbox_counts, .quarantine_rows = sq_quarantine_rows,
	.status_get = sq_status_get, .pending = sq_pending, .audit_each = sq_audit_each,
	.figures = sq_figures,
	.note_set = sq_note_set, .notes = sq_notes,
};

/* SQLite gives -wal and -shm the mode of the database. */
static int
open_file(struct sq *q, const struct store_conf *conf, struct err *e)
{
	const char *path = conf->path;
	mode_t old = umask(conf->group_reads ? 027 : 077);
	int rc = sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, sq_vfs());

	if (rc != SQLITE_OK)
		rc = err_set(e, ERR_STORE, "%s: %s", path, sqlite3_errstr(rc));
	else if (conf->group_reads && chmod(path, 0640) < 0)
		rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	else if (sq_schema_version(q, path, e) < 0 || configure(q, conf->writes_only, e) < 0 ||
	    migrate(q, path, e) < 0 || sq_load(q, e) < 0)
		rc = -1;
	umask(old);
	return rc;
}

struct store *
store_sqlite_open(const struct store_conf *conf, struct err *e)
{
	struct sq *q = xcalloc(1, sizeof(*q));

	q->store.ops = &sqlite_ops;
	q->lock_fd = -1;
	strbuf_init(&q->scratch);
	if (queue_init(&q->store, conf, e) < 0 || make_folder(conf->path, conf->group_reads, e) < 0 ||
	    take_lock(q, conf->path, e) < 0 || open_file(q, conf, e) < 0) {
		sq_close(&q->store);
		return NULL;
	}
	sqlite3_wal_hook(q->db, on_log, q);
	if (!conf->group_reads && file_is_open_to_others(conf->path))
		log_event(LOG_WARN, "store.mode", LF_S("file", conf->path));
	return &q->store;
}
