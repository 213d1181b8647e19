#include "gateway/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"

enum {
	APPLICATION_ID = 0x546f6373,	/* "Tocs" */
	CHECKPOINT_PAGES = 2000,	/* of 4 KiB in the log before they go to the database */
	LENGTH_MAX = 256 << 20,
	SQL_MAX = 100000,
	BUSY_MS = 5000			/* foreign readers that checkpoint or recover */
};

/* ---- small things ---- */

int64_t
sq_hash(struct sq *q, struct slice s)
{
	uint8_t hash[SHA256_LEN];
	int64_t v;

	strbuf_reset(&q->scratch);
	strbuf_add(&q->scratch, q->key, sizeof(q->key));
	strbuf_addsl(&q->scratch, s);
	digest_sha256(strbuf_slice(&q->scratch), hash);
	memcpy(&v, hash, sizeof(v));
	return v & INT64_MAX;
}

uint32_t
sq_kind(struct slice type)
{
	uint32_t h = 2166136261u;	/* FNV-1a; readers compare the text as well */

	for (size_t i = 0; i < type.n; i++)
		h = (h ^ (uint8_t)type.p[i]) * 16777619u;
	return h & 0x7fffffff;
}

/* ---- parties ---- */

static size_t
party_place(const struct sq *q, const char *name, bool *there)
{
	size_t lo = 0, hi = q->nparties;

	*there = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(q->parties[mid]->name, name);

		if (c == 0)
			*there = true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct party *
party_insert(struct sq *q, const char *name, int64_t pno)
{
	bool there;
	size_t at = party_place(q, name, &there);
	struct party *p;

	if (there)
		return q->parties[at];
	if (q->nparties == q->parties_cap) {
		q->parties_cap = q->parties_cap * 2 + 16;
		q->parties = xrealloc(q->parties, q->parties_cap * sizeof(*q->parties));
	}
	memmove(&q->parties[at + 1], &q->parties[at], (q->nparties - at) * sizeof(*q->parties));
	p = q->parties[at] = xcalloc(1, sizeof(*p));
	p->name = xstrdup(name);
	p->pno = pno;
	q->nparties++;
	return p;
}

static void
party_free(struct party *p)
{
	free(p->leases);
	free(p->name);
	free(p);
}

struct party *
sq_party(struct sq *q, const char *name, bool make, struct err *e)
{
	bool there;
	size_t at = party_place(q, name, &there);

	if (there)
		return q->parties[at];
	if (!make || sq_run(q, SQ_PARTY_ADD, e, "s", name) < 0)
		return NULL;
	return party_insert(q, name, sqlite3_last_insert_rowid(q->db));
}

struct party *
sq_party_by_no(struct sq *q, int64_t pno)
{
	for (size_t i = 0; i < q->nparties; i++)
		if (q->parties[i]->pno == pno)
			return q->parties[i];
	return NULL;
}

/* Parties as the database has them. Leases of those that are still there stay. */
static int
load_parties(struct sq *q, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_PARTY_ALL, e, "");
	size_t kept = 0;
	int rc;

	for (size_t i = 0; i < q->nparties; i++)
		q->parties[i]->pno = 0;
	if (st == NULL)
		return -1;
	while ((rc = sq_step(q, st, e)) > 0) {
		struct party *p = party_insert(q, (const char *)sqlite3_column_text(st, 1), 0);

		p->pno = sqlite3_column_int64(st, 0);
		p->dirty = false;
		for (int k = 0; k < DELIVERY_STATES; k++)
			p->count[k] = sqlite3_column_int64(st, 2 + k);
	}
	for (size_t i = 0; i < q->nparties; i++) {
		if (q->parties[i]->pno != 0)
			q->parties[kept++] = q->parties[i];
		else
			party_free(q->parties[i]);
	}
	q->nparties = kept;
	return rc;
}

static int
save_parties(struct sq *q, struct err *e)
{
	for (size_t i = 0; i < q->nparties; i++) {
		struct party *p = q->parties[i];

		if (p->dirty && sq_run(q, SQ_PARTY_SET, e, "iiiiiiii", p->pno, p->count[0],
		    p->count[1], p->count[2], p->count[3], p->count[4], p->count[5],
		    p->count[6]) < 0)
			return -1;
		p->dirty = false;
	}
	return 0;
}

/* ---- what is kept in memory between groups ---- */

static int
load_audit_head(struct sq *q, struct err *e)
{
	struct store *s = &q->store;
	sqlite3_stmt *st = sq_bind(q, SQ_AUDIT_LAST, e, "");
	int rc = st == NULL ? -1 : sq_step(q, st, e);

	s->audit_seq = 0;
	s->audit_prev[0] = '\0';
	if (rc <= 0)
		return rc;
	s->audit_seq = (uint64_t)sqlite3_column_int64(st, 0);
	if (sq_col(st, 1).n > AUDIT_MAC_TEXT + 2) {	/* ...MAC"} */
		struct slice line = sq_col(st, 1);

		memcpy(s->audit_prev, line.p + line.n - 2 - AUDIT_MAC_TEXT, AUDIT_MAC_TEXT);
		s->audit_prev[AUDIT_MAC_TEXT] = '\0';
	}
	sq_reset(st);
	return 0;
}

static int
load(struct sq *q, struct err *e)
{
	sqlite3_stmt *st = sq_bind(q, SQ_STATE_GET, e, "");
	int rc = st == NULL ? -1 : sq_step(q, st, e);
	struct slice key;

	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_STORE, "the store has lost its state row");
	snprintf(q->store.id, sizeof(q->store.id), "%s",
	    (const char *)sqlite3_column_text(st, 0));
	key = sq_col(st, 1);
	if (key.n == sizeof(q->key))
		memcpy(q->key, key.p, key.n);
	q->store.last_us = sqlite3_column_int64(st, 2);
	for (int i = 0; i < SQ_COUNTERS; i++)
		q->count[i] = sqlite3_column_int64(st, 3 + i);
	q->dirty = false;
	sq_reset(st);
	st = sq_bind(q, SQ_TOPS, e, "");
	if (st == NULL || sq_step(q, st, e) < 0)
		return -1;
	q->next_vid = sqlite3_column_int64(st, 0) + 1;
	q->max_cid = sqlite3_column_int64(st, 1);
	sq_reset(st);
	return load_parties(q, e) < 0 ? -1 : load_audit_head(q, e);
}

/* ---- groups ---- */

int
sq_begin(struct sq *q, struct err *e)
{
	if (q->broken != NULL)
		return err_set(e, ERR_STORE, "the store writes nothing more until a restart: %s",
		    q->broken);
	return sq_run(q, SQ_BEGIN, e, "") < 0 ? -1 : 0;
}

/* After a commit: move the log into the database when it is long, seeing what fails (SQLite's own
 * checkpoint after a commit keeps failures to itself). */
static void
checkpoint(struct sq *q)
{
	struct err e = ERR_INIT;

	if (q->log_pages < CHECKPOINT_PAGES)
		return;
	q->log_pages = 0;
	if (sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) !=
	    SQLITE_OK) {
		sq_fail(q, &e, "checkpoint");
		log_event(LOG_ERROR, "store.checkpoint", LF_S("error", e.reason));
	}
}

int
sq_commit(struct sq *q, struct err *e)
{
	if (q->dirty && sq_run(q, SQ_STATE_SET, e, "iiiiii", q->store.last_us,
	    q->count[N_OBJECTS], q->count[N_VERSIONS], q->count[N_MEMBERS], q->count[N_SOURCES],
	    q->count[N_SIGHTINGS]) < 0)
		return -1;
	if (save_parties(q, e) < 0 || sq_run(q, SQ_COMMIT, e, "") < 0)
		return -1;
	q->dirty = false;
	checkpoint(q);
	return 0;
}

void
sq_rollback(struct sq *q)
{
	struct err e = ERR_INIT;

	/* SQLITE_FULL, IOERR and NOMEM may have rolled back by themselves */
	if (!sqlite3_get_autocommit(q->db))
		sq_run(q, SQ_ROLLBACK, &e, "");
	if (load(q, &e) < 0) {
		sq_stop(q, "what was undone cannot be read back");
		log_event(LOG_ERROR, "store.reload", LF_S("error", e.reason));
	}
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

/* ---- opening ---- */

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
	else if (flock(q->lock_fd, LOCK_EX | LOCK_NB) < 0)
		rc = err_set(e, errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO,
		    "%s: %s", path, errno == EWOULDBLOCK ? "another process has this store open" :
		    strerror(errno));
	strbuf_fini(&name);
	return rc;
}

static int
make_folder(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int rc;

	if (slash == NULL || slash == path)
		return 0;
	folder = xstrndup(path, (size_t)(slash - path));
	rc = dir_make(folder, 0700, e);
	free(folder);
	return rc;
}

/* Run a constant pragma; its single answer as an integer, or -1. */
static int64_t
pragma(struct sq *q, const char *text, struct err *e)
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

/* The settings that durability and safety hang on, read back where SQLite may say no in silence. */
static int
configure(struct sq *q, struct err *e)
{
	static const char *const words[] = {
		"PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON",
		"PRAGMA cell_size_check = ON", "PRAGMA foreign_keys = ON",
		"PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -65536",
		/* mapped pages are let go after each use: a scattered page took three times as long */
		"PRAGMA mmap_size = 0", "PRAGMA journal_size_limit = 67108864",
		"PRAGMA wal_autocheckpoint = 0",
	};

	sqlite3_limit(q->db, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	sqlite3_limit(q->db, SQLITE_LIMIT_SQL_LENGTH, SQL_MAX);
	sqlite3_limit(q->db, SQLITE_LIMIT_VARIABLE_NUMBER, 32);
	sqlite3_limit(q->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_busy_timeout(q->db, BUSY_MS);
	if (sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) != SQLITE_OK)
		return err_set(e, ERR_STORE, "this SQLite lacks its defences");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (pragma(q, words[i], e) < 0)
			return -1;
	if (!journal_is_wal(q, e))
		return e->code != ERR_NONE ? -1 :
		    err_set(e, ERR_STORE, "the store's folder does not allow a write-ahead log");
	if (pragma(q, "PRAGMA synchronous", e) != 2)
		return err_set(e, ERR_STORE, "SQLite does not sync every commit");
	return 0;
}

/* Ours, or empty: anything else is left alone. */
static int64_t
schema_version(struct sq *q, const char *path, struct err *e)
{
	int64_t app = pragma(q, "PRAGMA application_id", e);
	int64_t version = pragma(q, "PRAGMA user_version", e);
	int64_t tables = pragma(q, "SELECT count(*) FROM sqlite_schema", e);

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
	int64_t version = schema_version(q, path, e);

	if (version < 0 || (size_t)version == sq_nsteps)
		return version < 0 ? -1 : 0;
	if (sq_begin(q, e) < 0)
		return -1;
	for (size_t i = (size_t)version; i < sq_nsteps; i++)
		if (sqlite3_exec(q->db, sq_steps[i], NULL, NULL, NULL) != SQLITE_OK)
			return sq_fail(q, e, "schema");
	if (make_state(q, e) < 0)
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

static void
close_all(struct store *s)
{
	struct sq *q = sq_of(s);

	for (size_t i = 0; i < SQ_COUNT; i++)
		sqlite3_finalize(q->stmt[i]);
	for (size_t i = 0; i < (size_t)RANGES * RANGE_CURSORS; i++)
		sqlite3_finalize(q->range[i / RANGE_CURSORS][i % RANGE_CURSORS]);
	if (q->db != NULL && sqlite3_close(q->db) != SQLITE_OK)
		log_event(LOG_ERROR, "store.close", LF_S("error", sqlite3_errmsg(q->db)));
	for (size_t i = 0; i < q->nparties; i++)
		party_free(q->parties[i]);
	free(q->parties);
	strbuf_fini(&q->scratch);
	if (q->lock_fd >= 0)
		close(q->lock_fd);
	queue_fini(s);
	free(q);
}

static const struct store_ops sqlite_ops = {
	.close = close_all, .begin = op_begin, .commit = op_commit, .rollback = op_rollback,
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
	.status_get = sq_status_get, .audit_each = sq_audit_each, .figures = sq_figures,
};

static int
open_file(struct sq *q, const char *path, struct err *e)
{
	mode_t old = umask(077);
	int rc = sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, NULL);

	if (rc != SQLITE_OK)
		rc = err_set(e, ERR_STORE, "%s: %s", path, sqlite3_errstr(rc));
	else if (schema_version(q, path, e) < 0 || configure(q, e) < 0 ||
	    migrate(q, path, e) < 0 || load(q, e) < 0)
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
	if (queue_init(&q->store, conf, e) < 0 || make_folder(conf->path, e) < 0 ||
	    take_lock(q, conf->path, e) < 0 || open_file(q, conf->path, e) < 0) {
		close_all(&q->store);
		return NULL;
	}
	sqlite3_wal_hook(q->db, on_log, q);
	if (file_is_open_to_others(conf->path))
		log_event(LOG_WARN, "store.mode", LF_S("file", conf->path));
	return &q->store;
}
