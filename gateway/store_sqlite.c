/* Groups, parties, and what is kept in memory between groups. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/store_sqlite.h"

enum { CHECKPOINT_PAGES = 2000 };	/* of 4 KiB in the log before they go to the database */

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

void
sq_party_free(struct party *p)
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
			sq_party_free(q->parties[i]);
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

int
sq_load(struct sq *q, struct err *e)
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
	if (q->dirty && sq_run(q, SQ_STATE_SET, e, "iiiiiii", q->store.last_us,
	    q->count[N_OBJECTS], q->count[N_VERSIONS], q->count[N_MEMBERS], q->count[N_SOURCES],
	    q->count[N_SIGHTINGS], q->count[N_TURNS]) < 0)
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
	if (sq_load(q, &e) < 0) {
		sq_stop(q, "what was undone cannot be read back");
		log_event(LOG_ERROR, "store.reload", LF_S("error", e.reason));
	}
}
