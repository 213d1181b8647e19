/*
 * Has anything changed that a page could show?
 *
 * Who writes knows it from memory. Who only reads asks the wal-index: every process that has the
 * database open shares a piece of memory whose first 48 bytes are rewritten with each commit,
 * before the writer's COMMIT returns (sqlite.org/walformat.html, section 2.1; SQLite itself decides
 * by comparing them whether its cache is stale). Equal bytes: nothing was committed by anybody.
 * Other bytes: the row of counts says whether it matters; the audit record of a page does not. So a
 * question costs a comparison, and no more than one small read a commit.
 */
#include "gateway/store_sqlite.h"

enum { WAL_REGION = 32768 };		/* SQLite maps the wal-index in pieces of this size */

/* The head of the wal-index, or NULL: it is there once something was read. */
static const volatile void *
find_head(struct sq *q)
{
	sqlite3_file *f = NULL;
	volatile void *at = NULL;

	if (sqlite3_file_control(q->db, "main", SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK ||
	    f == NULL || f->pMethods == NULL || f->pMethods->iVersion < 2)
		return NULL;
	switch (f->pMethods->xShmMap(f, 0, WAL_REGION, 0, &at)) {
	case SQLITE_OK:
	case SQLITE_READONLY:		/* mapped, for reading only */
		return at;
	default:
		return NULL;
	}
}

bool
sq_changed(struct sq *q, uint8_t seen[WAL_HEAD])
{
	uint8_t now[WAL_HEAD];

	if (q->wal_head == NULL)
		q->wal_head = find_head(q);
	if (q->wal_head == NULL)
		return true;
	memcpy(now, (const void *)q->wal_head, sizeof(now));
	if (memcmp(now, seen, sizeof(now)) == 0)
		return false;
	memcpy(seen, now, sizeof(now));
	return true;
}

static bool
read_counts(struct sq *q, struct store_epoch *out)
{
	struct err e = ERR_INIT;
	sqlite3_stmt *st = sq_bind(q, SQ_STATE_EPOCH, &e, "");

	if (st == NULL || sq_step(q, st, &e) <= 0)
		return false;
	out->last_us = sqlite3_column_int64(st, 0);
	out->members = sqlite3_column_int64(st, 1);
	out->sightings = sqlite3_column_int64(st, 2);
	out->turns = sqlite3_column_int64(st, 3);
	sq_reset(st);
	return true;
}

/* What another process may have changed. The head is copied before the counts are read: what is
 * committed in between is found at the next question. A head torn by a commit equals no other one.
 * */
static bool
epoch_of_reader(struct sq *q, struct store_epoch *out)
{
	uint8_t now[WAL_HEAD];

	if (q->wal_head != NULL) {
		memcpy(now, (const void *)q->wal_head, sizeof(now));
		if (q->epoch_known && memcmp(now, q->wal_seen, sizeof(now)) == 0) {
			*out = q->epoch;
			return true;
		}
		memcpy(q->wal_seen, now, sizeof(now));
	}
	q->epoch_known = read_counts(q, &q->epoch);
	*out = q->epoch;
	if (q->wal_head == NULL) {
		q->wal_head = find_head(q);
		q->epoch_known = false;		/* nothing was seen yet to compare with */
		return q->wal_head != NULL && read_counts(q, out);
	}
	return q->epoch_known;
}

bool
sq_epoch(struct store *s, struct store_epoch *out)
{
	struct sq *q = sq_of(s);

	if (q->lock_fd < 0)
		return epoch_of_reader(q, out);
	*out = (struct store_epoch){ s->last_us, q->count[N_MEMBERS], q->count[N_SIGHTINGS],
	    q->count[N_TURNS] };
	return !q->broken;
}
