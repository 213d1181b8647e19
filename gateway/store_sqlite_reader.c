/*
 * The database as a process sees it that only reads, beside the one that writes.
 *
 * The connection is SQLITE_OPEN_READONLY, query_only, and maps the wal-index read-only (readonly_shm)
 * even where more would be allowed: a reader that has been taken over cannot mislead the writer. Seen
 * with 3.40.1, the reader another user with nothing but group-read:
 *
 *	- it sees every commit once COMMIT has returned; a read costs 3 us, with a wal-index that it may
 *	  write to 9 us;
 *	- a checkpoint that meets it reading goes as far as what it sees, and no further: the same as for
 *	  a reader with more rights;
 *	- when the writer is killed it reads on, and a new reader reads as well, with nobody else there;
 *	- when the writer has closed in order and nobody kept the database open there is no wal-index, and
 *	  a reader cannot make one: it waits for the writer (ERR_BUSY), as it does when a killed writer
 *	  has left the wal-index torn.
 *
 * Everything read in one call is read in one transaction, which ends with the call.
 */
#include <stdlib.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/store_sqlite.h"

enum { BUSY_MS = 100, PAUSE_MS = 20, TRIES = 100 };	/* the loop stands still meanwhile */

/* ---- one call, one transaction ---- */

static int
begin(struct sq *q, struct err *e)
{
	return sq_run(q, SQ_READ, e, "") < 0 ? -1 : 0;
}

/* Passes the result of the reading on. */
static int
end(struct sq *q, int rc)
{
	struct err e = ERR_INIT;

	if (sq_run(q, SQ_COMMIT, &e, "") < 0 && !sqlite3_get_autocommit(q->db))
		sq_run(q, SQ_ROLLBACK, &e, "");
	return rc;
}

/* What is kept in memory, as the last commit left it. */
static int
refresh(struct sq *q, struct err *e)
{
	int rc;

	if (!sq_changed(q, q->loaded))
		return 0;
	rc = begin(q, e) < 0 ? -1 : end(q, sq_load(q, e));
	if (rc < 0)
		memset(q->loaded, 0, sizeof(q->loaded));
	return rc;
}

/* ---- struct store_ops ---- */

static int64_t
collection_find_once(struct store *s, const char *name, char *uuid_out, struct err *e)
{
	int64_t cid;

	if (begin(sq_of(s), e) < 0)
		return -1;
	cid = sq_collection_find(s, name, uuid_out, e);
	end(sq_of(s), 0);
	return cid;
}

/* Asked while the node starts or takes a new configuration: the writer may be mending the file after
 * somebody was killed, and that passes. */
static int64_t
collection_find(struct store *s, const char *name, char *uuid_out, struct err *e)
{
	static const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	int64_t cid = collection_find_once(s, name, uuid_out, e);

	for (int i = 0; cid < 0 && e->code == ERR_BUSY && i < TRIES; i++) {
		nanosleep(&pause, NULL);
		*e = (struct err)ERR_INIT;
		cid = collection_find_once(s, name, uuid_out, e);
	}
	return cid;
}

static int
view_digest(struct store *s, int64_t cid, uint8_t out[32], struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 : end(sq_of(s), sq_view_digest(s, cid, out, e));
}

static int
removable(struct store *s, const struct page_query *q, struct arena *mem, int64_t **vids,
    size_t *n, struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 : end(sq_of(s), sq_removable(s, q, mem, vids, n, e));
}

static int
object(struct store *s, struct slice id, struct arena *mem, struct store_object *out, bool *found,
    struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 :
	    end(sq_of(s), sq_object_get(s, id, mem, out, found, e));
}

static int
scan(struct store *s, int64_t after_vid, size_t max, struct arena *mem, struct store_page *out,
    struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 :
	    end(sq_of(s), sq_scan(s, after_vid, max, mem, out, e));
}

static int64_t
outbox_due_us(struct store *s, const char *peer)
{
	struct err e = ERR_INIT;
	int64_t due;

	if (refresh(sq_of(s), &e) < 0 || begin(sq_of(s), &e) < 0)
		return 0;		/* ask the storekeeper: he knows */
	due = sq_outbox_due_us(s, peer);
	end(sq_of(s), 0);
	return due;
}

static int
outbox_counts(struct store *s, const char *peer, struct outbox_counts *out, struct err *e)
{
	if (refresh(sq_of(s), e) < 0 || begin(sq_of(s), e) < 0)
		return -1;
	return end(sq_of(s), sq_outbox_counts(s, peer, out, e));
}

static int
quarantine_rows(struct store *s, int64_t qid, int64_t after_qid, size_t max, bool all_states,
    struct arena *mem, struct quarantine_row **rows, size_t *n, struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 :
	    end(sq_of(s), sq_quarantine_rows(s, qid, after_qid, max, all_states, mem, rows, n, e));
}

static int
status_get(struct store *s, const char *id, struct arena *mem, struct store_status *out,
    bool *found, struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 :
	    end(sq_of(s), sq_status_get(s, id, mem, out, found, e));
}

static int
pending(struct store *s, struct arena *mem, struct store_status **v, size_t *n, struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 : end(sq_of(s), sq_pending(s, mem, v, n, e));
}

static int
audit_each(struct store *s, uint64_t after_seq, store_audit_fn *fn, void *ctx, struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 :
	    end(sq_of(s), sq_audit_each(s, after_seq, fn, ctx, e));
}

static int
notes(struct store *s, const char *space, const char *name, struct arena *mem,
    struct store_note **v, size_t *n, struct err *e)
{
	return begin(sq_of(s), e) < 0 ? -1 :
	    end(sq_of(s), sq_notes(s, space, name, mem, v, n, e));
}

static int
figures(struct store *s, struct store_figures *out, struct err *e)
{
	if (refresh(sq_of(s), e) < 0 || begin(sq_of(s), e) < 0)
		return -1;
	out->damages += s->damages;
	return end(sq_of(s), sq_figures(s, out, e));
}

/* A lease that was got from the storekeeper; the peer may be new. */
static void
lease_note(struct store *s, const char *peer, int64_t oid, int64_t until_us)
{
	struct err e = ERR_INIT;

	refresh(sq_of(s), &e);
	sq_lease_note(s, peer, oid, until_us);
}

static const struct store_ops reader_ops = {
	.close = sq_close, .collection_find = collection_find, .view_digest = view_digest,
	.removable = removable, .page = sq_page, .epoch = sq_epoch, .object = object,
	.scan = scan, .outbox_due_us = outbox_due_us, .outbox_counts = outbox_counts,
	.quarantine_rows = quarantine_rows, .status_get = status_get, .pending = pending,
	.audit_each = audit_each,
	.figures = figures, .notes = notes, .lease_note = lease_note, .lease_end = sq_lease_end,
	.lease_end_all = sq_lease_end_all,
};

/* ---- opening ---- */

/* "file:PATH?readonly_shm=1", what means something in a URI escaped. */
static void
make_uri(struct strbuf *b, const char *path)
{
	strbuf_adds(b, "file:");
	for (; *path != '\0'; path++) {
		if (strchr("%?#", *path) != NULL)
			strbuf_addf(b, "%%%02x", (unsigned char)*path);
		else
			strbuf_addc(b, *path);
	}
	strbuf_adds(b, "?readonly_shm=1");
}

static int
configure(struct sq *q, struct err *e)
{
	static const char *const words[] = {
		"PRAGMA query_only = ON", "PRAGMA cell_size_check = ON",
		"PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -32768", "PRAGMA mmap_size = 0",
	};

	sqlite3_busy_timeout(q->db, BUSY_MS);
	if (sq_defend(q, e) < 0)
		return -1;
	if (sqlite3_db_config(q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK)
		return err_set(e, ERR_STORE, "this SQLite lacks its defences");
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (sq_pragma(q, words[i], e) < 0)
			return -1;
	return 0;
}

static int
open_file(struct sq *q, const char *path, struct err *e)
{
	struct strbuf uri = STRBUF_INIT;
	int64_t version;
	int rc;

	make_uri(&uri, path);
	rc = sqlite3_open_v2(uri.p, &q->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, NULL);
	strbuf_fini(&uri);
	if (rc != SQLITE_OK)
		return err_set(e, ERR_STORE, "%s: %s", path, sqlite3_errstr(rc));
	if (configure(q, e) < 0 || (version = sq_schema_version(q, path, e)) < 0)
		return -1;
	if ((size_t)version != sq_nsteps)
		return err_set(e, ERR_STORE, "%s: its schema is %lld, not %zu", path,
		    (long long)version, sq_nsteps);
	return refresh(q, e);
}

struct store *
store_sqlite_open_reader(const char *path, struct event_base *base, struct err *e)
{
	struct sq *q = xcalloc(1, sizeof(*q));

	q->store.ops = &reader_ops;
	q->store.base = base;
	q->lock_fd = -1;
	strbuf_init(&q->scratch);
	if (open_file(q, path, e) == 0)
		return &q->store;
	sq_close(&q->store);
	return NULL;
}
