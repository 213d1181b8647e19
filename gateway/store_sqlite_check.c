/* The check of a whole store: store_check.h says what for. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/store_check.h"
#include "gateway/store_sqlite.h"

/* A version that cannot be read, or is not what was stored. */
struct lost {
	int64_t		vid, date_us;
	struct slice	id;
	const char	*why, *collections;
};

struct check {
	struct sq	 q;		/* read-only: for its statements */
	struct store_check *c;
	struct arena	*mem;
	struct lost	*lost;		/* in order of vid */
	size_t		 nlost, lost_cap;
	int64_t		 max_vid;
	bool		 keyed;		/* the key of object numbers is known */
};

/* What a step through a statement comes to, besides a row (1) and the end (0). */
enum { TROUBLE = -1, DAMAGE = -2 };

/* ---- findings ---- */

static void	found(struct check *k, const char *part, const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));

static void
tell(struct check *k, const struct store_finding *f)
{
	if (k->c->findings++ < STORE_FINDINGS)
		k->c->found(k->c->ctx, f);
}

static void
found(struct check *k, const char *part, const char *fmt, ...)
{
	struct store_finding f = { .part = part, .id = SLICE_EMPTY, .collections = "" };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f.text = text;
	tell(k, &f);
}

static void
lose(struct check *k, int64_t vid, struct slice id, const char *why)
{
	if (k->nlost >= STORE_FINDINGS) {
		k->c->findings++;
		return;
	}
	k->lost = arena_grow(k->mem, k->lost, k->nlost, &k->lost_cap, sizeof(*k->lost));
	k->lost[k->nlost++] = (struct lost){ .vid = vid, .why = why, .collections = "",
	    .id = id.n == 0 ? SLICE_EMPTY : arena_slice(k->mem, id) };
}

/* ---- statements ---- */

/* One step; damage is told apart from other trouble. */
static int
step(struct check *k, sqlite3_stmt *st, struct err *e)
{
	uint64_t before = k->q.store.damages;
	int rc = sq_step(&k->q, st, e);

	if (rc >= 0 || k->q.store.damages == before)
		return rc;
	*e = (struct err)ERR_INIT;
	return DAMAGE;
}

/* Prepare a constant text; NULL and *rc if that fails: the schema itself is damaged, or the file busy. */
static sqlite3_stmt *
prepare(struct check *k, const char *text, int *rc, struct err *e)
{
	uint64_t before = k->q.store.damages;
	sqlite3_stmt *st = sq_prepare(&k->q, text, e);

	*rc = st != NULL ? 0 : TROUBLE;
	if (st == NULL && k->q.store.damages != before) {
		*e = (struct err)ERR_INIT;
		*rc = DAMAGE;
	}
	return st;
}

/* The only number that a text gives: 1; DAMAGE or TROUBLE. */
static int
number(struct check *k, const char *text, int64_t *out, struct err *e)
{
	int rc;
	sqlite3_stmt *st = prepare(k, text, &rc, e);

	*out = 0;
	if (st == NULL)
		return rc;
	if ((rc = step(k, st, e)) > 0)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc;
}

/* Run `row` for each row of a text. 0; damage becomes a finding about `what`. */
static int
each(struct check *k, const char *text, const char *part, const char *what,
    int (*row)(struct check *k, sqlite3_stmt *st, struct err *e), struct err *e)
{
	int rc;
	sqlite3_stmt *st = prepare(k, text, &rc, e);

	while (st != NULL && (rc = step(k, st, e)) > 0)
		if ((rc = row(k, st, e)) < 0)
			break;
	sqlite3_finalize(st);
	if (rc != DAMAGE)
		return rc < 0 ? -1 : 0;
	found(k, part, "%s cannot be read to the end", what);
	return 0;
}

/* ---- pages ---- */

static int
page_row(struct check *k, sqlite3_stmt *st, struct err *e)
{
	struct slice text = sq_col(st, 0), line;

	(void)e;
	while (text.n > 0) {
		line = slice_cut(&text, '\n');
		if (!slice_is(line, "ok") && !slice_is(line, "*** in database main ***"))
			found(k, "page", "%.*s", line.n > 400 ? 400 : (int)line.n, line.p);
	}
	return 0;
}

static int
check_pages(struct check *k, struct err *e)
{
	int64_t n;

	if (number(k, "PRAGMA page_count", &n, e) == TROUBLE)
		return -1;
	k->c->pages = (uint64_t)n;
	return each(k, k->c->quick ? "PRAGMA quick_check(1000)" : "PRAGMA integrity_check(1000)",
	    "page", "behind that, the file", page_row, e);
}

/* ---- counts ---- */

/* A count that the store keeps, beside what is there. */
static int
check_count(struct check *k, const char *what, int64_t kept, const char *text, uint64_t *out,
    struct err *e)
{
	int64_t n;
	int rc = number(k, text, &n, e);

	if (rc == TROUBLE)
		return -1;
	if (rc == DAMAGE)
		found(k, "count", "%s cannot be counted", what);
	else if (n != kept)
		found(k, "count", "%lld %s are counted, %lld are there", (long long)kept, what,
		    (long long)n);
	if (out != NULL)
		*out = (uint64_t)n;
	return 0;
}

static int
check_counts(struct check *k, struct err *e)
{
	int rc;
	sqlite3_stmt *st = prepare(k, sq_text[SQ_STATE_GET], &rc, e);
	int64_t kept[SQ_COUNTERS];
	struct slice key;

	if (st != NULL)
		rc = step(k, st, e);
	if (rc <= 0) {
		sqlite3_finalize(st);
		if (rc != TROUBLE)
			found(k, "count", "the store's own row is lost");
		return rc == TROUBLE ? -1 : 0;
	}
	key = sq_col(st, 1);
	k->keyed = key.n == sizeof(k->q.key);
	if (k->keyed)
		memcpy(k->q.key, key.p, key.n);
	else
		found(k, "count", "the key of object numbers is lost");
	k->q.store.last_us = sqlite3_column_int64(st, 2);
	for (int i = 0; i < SQ_COUNTERS; i++)
		kept[i] = sqlite3_column_int64(st, 3 + i);
	sqlite3_finalize(st);
	if (check_count(k, "objects", kept[N_OBJECTS], "SELECT count(*) FROM object",
	    &k->c->objects, e) < 0 ||
	    check_count(k, "versions", kept[N_VERSIONS], "SELECT count(*) FROM version",
	    &k->c->versions, e) < 0 ||
	    check_count(k, "memberships", kept[N_MEMBERS], "SELECT count(*) FROM member",
	    &k->c->members, e) < 0)
		return -1;
	return check_count(k, "sources", kept[N_SOURCES], "SELECT count(*) FROM source", NULL, e);
}

static int
party_row(struct check *k, sqlite3_stmt *st, struct err *e)
{
	(void)e;
	found(k, "count", "%lld deliveries to %.*s are counted as %s, %lld are there",
	    (long long)sqlite3_column_int64(st, 2), SLICE_ARG(sq_col(st, 0)),
	    delivery_word((enum delivery_state)sqlite3_column_int(st, 1)),
	    (long long)sqlite3_column_int64(st, 3));
	return 0;
}

static int
check_deliveries(struct check *k, struct err *e)
{
	static const char text[] =
	    "WITH have AS (SELECT pno, state, count(*) AS n FROM delivery GROUP BY pno, state),"
	    " kept (pno, name, state, n) AS (SELECT pno, name, 0, queued FROM party"
	    " UNION ALL SELECT pno, name, 1, waits FROM party"
	    " UNION ALL SELECT pno, name, 2, held FROM party"
	    " UNION ALL SELECT pno, name, 3, sent FROM party"
	    " UNION ALL SELECT pno, name, 4, denied FROM party"
	    " UNION ALL SELECT pno, name, 5, dead FROM party"
	    " UNION ALL SELECT pno, name, 6, covered FROM party)"
	    " SELECT name, kept.state, kept.n, ifnull(have.n, 0) FROM kept LEFT JOIN have"
	    " ON have.pno = kept.pno AND have.state = kept.state WHERE kept.n <> ifnull(have.n, 0)";

	return each(k, text, "count", "the deliveries", party_row, e);
}

/* ---- objects ---- */

/* What is wrong with the version under the statement; NULL if nothing is. */
static const char *
what_is_wrong(struct check *k, sqlite3_stmt *st, int64_t vid, struct head *h, struct err *e)
{
	struct slice hash = sq_col(st, 2);
	int64_t of = sqlite3_column_int64(st, 0), obj, key;
	uint8_t now[SHA256_LEN];

	sq_head_read(sq_col(st, 3), h);
	if (h->id.n == 0)
		return "what is known about it cannot be read";
	digest_sha256(sq_col(st, 4), now);
	if (hash.n != sizeof(now) || memcmp(hash.p, now, sizeof(now)) != 0)
		return "its bytes are not those that were stored";
	if (of > vid)
		return "it belongs to an object that came later";
	if (of != vid || !k->keyed)
		return NULL;
	switch (sq_object(&k->q, h->id, &obj, &key, e)) {
	case 1:
		return obj == vid ? NULL : "it is found under another number";
	case 0:
		return "it is not found by its id";
	default:
		*e = (struct err)ERR_INIT;
		return "looking it up by its id meets damage";
	}
}

/* Every number up to the greatest is a version: so damage in the table or in an index hides none. */
static int
check_objects(struct check *k, struct err *e)
{
	static const char text[] =
	    "SELECT obj, vkey, hash, head, bytes FROM version WHERE vid = ?1";
	int rc;
	sqlite3_stmt *st = prepare(k, text, &rc, e);

	for (int64_t vid = 1; st != NULL && vid <= k->max_vid; vid++) {
		const char *why;
		struct head h;

		sqlite3_bind_int64(st, 1, vid);
		rc = step(k, st, e);
		if (rc == TROUBLE)
			break;
		if (rc <= 0) {
			lose(k, vid, SLICE_EMPTY, rc == 0 ? "it is not there" :
			    "it lies in a damaged page");
			continue;
		}
		why = what_is_wrong(k, st, vid, &h, e);
		if (why != NULL)
			lose(k, vid, h.id, why);
		sq_reset(st);
	}
	sqlite3_finalize(st);
	if (rc == DAMAGE && st == NULL)
		found(k, "object", "no object can be read");
	return rc == TROUBLE ? -1 : 0;
}

/* The greatest number of a version that anything speaks of. */
static int
find_max(struct check *k, struct err *e)
{
	static const char *const texts[] = {
		"SELECT max(vid) FROM version", "SELECT max(vid) FROM source",
		"SELECT max(vid) FROM member", "SELECT max(obj) FROM object",
		"SELECT versions FROM state",
	};
	int64_t n;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (number(k, texts[i], &n, e) == TROUBLE)
			return -1;
		if (n > k->max_vid)
			k->max_vid = n;
	}
	return 0;
}

static int
by_vid(const void *a, const void *b)
{
	const struct lost *x = a, *y = b;

	return x->vid < y->vid ? -1 : x->vid > y->vid;
}

/* A membership of something lost: it says where it is missed, and since when it was there. */
static int
lost_row(struct check *k, sqlite3_stmt *st, struct err *e)
{
	const struct lost key = { .vid = sqlite3_column_int64(st, 0) };
	struct lost *l = bsearch(&key, k->lost, k->nlost, sizeof(key), by_vid);
	struct slice name = sq_col(st, 2);

	(void)e;
	if (l == NULL)
		return 0;
	l->collections = arena_fmt(k->mem, "%s%s%.*s", l->collections,
	    l->collections[0] == '\0' ? "" : ", ", SLICE_ARG(name));
	if (l->date_us == 0)
		l->date_us = sqlite3_column_int64(st, 1);
	return 0;
}

static int
tell_lost(struct check *k, struct err *e)
{
	if (k->nlost > 0 && each(k, "SELECT m.vid, m.date_us, c.name FROM member m"
	    " CROSS JOIN collection c ON c.cid = m.cid", "membership", "the memberships", lost_row,
	    e) < 0)
		return -1;
	for (size_t i = 0; i < k->nlost; i++) {
		const struct lost *l = &k->lost[i];
		char text[160], at[STAMP_TEXT + 1] = "";
		struct store_finding f = { .part = "object", .id = l->id,
		    .collections = l->collections, .text = text };

		if (l->date_us > 0)
			stamp_text(l->date_us, at);
		snprintf(text, sizeof(text), "%s (version number %lld%s%s)", l->why,
		    (long long)l->vid, at[0] == '\0' ? "" : ", added ", at);
		tell(k, &f);
	}
	return 0;
}

/* ---- tables against each other ---- */

static int
stray_row(struct check *k, sqlite3_stmt *st, struct err *e)
{
	(void)e;
	found(k, (const char *)sqlite3_column_text(st, 0), "%.*s %lld",
	    SLICE_ARG(sq_col(st, 1)), (long long)sqlite3_column_int64(st, 2));
	return 0;
}

/* Rows that speak of what is not there, and dates that cannot be. */
static int
check_strays(struct check *k, struct err *e)
{
	static const char *const texts[] = {
		"SELECT 'status', 'an envelope in work without its status, of bytes:', bytes FROM pending"
		" WHERE id NOT IN (SELECT id FROM status WHERE done_us = 0) LIMIT 100",
		"SELECT 'status', 'a pending status without its envelope, of objects:', total FROM status"
		" WHERE done_us = 0 AND id NOT IN (SELECT id FROM pending) LIMIT 100",
		"SELECT 'source', 'a source without its message, of version', vid FROM source"
		" WHERE mid NOT IN (SELECT mid FROM message) LIMIT 100",
		"SELECT 'source', 'a source that is nobody, of version', vid FROM source"
		" WHERE pno NOT IN (SELECT pno FROM party) LIMIT 100",
		"SELECT 'delivery', 'a delivery without its message:', oid FROM delivery"
		" WHERE mid NOT IN (SELECT mid FROM message) LIMIT 100",
		"SELECT 'delivery', 'a delivery to nobody:', oid FROM delivery"
		" WHERE pno NOT IN (SELECT pno FROM party) LIMIT 100",
		"SELECT 'membership', 'a membership in no collection, of version', vid FROM member"
		" WHERE cid NOT IN (SELECT cid FROM collection) LIMIT 100",
		"SELECT 'date', 'dates beyond the last that was given, of version', vid FROM member"
		" WHERE date_us > (SELECT last_us FROM state) OR date_us <= 0 LIMIT 100",
		"SELECT 'date', 'several members with one date in collection', cid FROM member"
		" GROUP BY cid, date_us HAVING count(*) > 1 LIMIT 100",
		"SELECT 'membership', 'a membership twice, of version', vid FROM member"
		" INDEXED BY member_of GROUP BY obj, cid, vid HAVING count(*) > 1 LIMIT 100",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (each(k, texts[i], "page", "a table", stray_row, e) < 0)
			return -1;
	return 0;
}

/* The versions of one id in one collection: does each stand as it ought to? */
static int
group_row(struct check *k, sqlite3_stmt *st, struct err *e)
{
	int64_t obj = sqlite3_column_int64(st, 0), cid = sqlite3_column_int64(st, 1);
	uint64_t before = k->q.store.damages;
	struct arena *mem = arena_new();
	int rc = sq_group_is_ranked(&k->q, cid, obj, mem, e);

	arena_free(mem);
	if (rc < 0 && k->q.store.damages == before)
		return -1;
	*e = (struct err)ERR_INIT;
	if (rc <= 0)
		found(k, "membership", "the versions of object number %lld stand in the wrong "
		    "order in collection number %lld", (long long)obj, (long long)cid);
	return 0;
}

static int
check_groups(struct check *k, struct err *e)
{
	static const char text[] = "SELECT obj, cid FROM member INDEXED BY member_of"
	    " GROUP BY obj, cid HAVING count(*) > 1 OR max(class) > 0";

	return each(k, text, "membership", "the memberships", group_row, e);
}

/* ---- audit ---- */

static int
check_audit(struct check *k, struct err *e)
{
	struct audit_check a;
	int rc;
	sqlite3_stmt *st = prepare(k, "SELECT line FROM audit ORDER BY seq", &rc, e);

	audit_check_init(&a, k->c->audit_key);
	while (st != NULL && (rc = step(k, st, e)) > 0) {
		if (!audit_check_line(&a, sq_col(st, 0))) {
			found(k, "audit", "%s", a.reason);
			rc = 0;
			break;
		}
	}
	sqlite3_finalize(st);
	k->c->audit_records = a.seq;
	if (rc == DAMAGE)
		found(k, "audit", "the records behind number %llu cannot be read",
		    (unsigned long long)a.seq);
	return rc == TROUBLE ? -1 : 0;
}

/* ---- the whole ---- */

/* Ours, and of a form that we know? 1; 0 with a finding. */
static int
check_head(struct check *k, struct err *e)
{
	int64_t version;
	int rc = number(k, "PRAGMA user_version", &version, e);

	if (rc == TROUBLE)
		return -1;
	if (rc == DAMAGE || version == 0) {
		found(k, "page", "the first page is damaged: nothing behind it can be read");
		return 0;
	}
	if (version != (int64_t)sq_nsteps)
		return err_set(e, ERR_STORE, "it has schema %lld and this program knows %zu",
		    (long long)version, sq_nsteps);
	return 1;
}

static int
look_through(struct check *k, struct err *e)
{
	int64_t none;
	int rc;

	if (number(k, "BEGIN", &none, e) == TROUBLE)	/* one state of the file from here on */
		return -1;
	if ((rc = check_head(k, e)) <= 0)
		return rc;
	if (check_pages(k, e) < 0 || check_counts(k, e) < 0)
		return -1;
	if (k->c->quick)
		return 0;
	if (check_deliveries(k, e) < 0 || find_max(k, e) < 0 || check_objects(k, e) < 0 ||
	    tell_lost(k, e) < 0 || check_strays(k, e) < 0 || check_groups(k, e) < 0)
		return -1;
	return check_audit(k, e);
}

int
store_check_file(const char *path, struct store_check *c, struct err *e)
{
	struct check k = { .c = c, .mem = arena_new() };
	int rc = -1;

	strbuf_init(&k.q.scratch);
	k.q.db = sq_open_quietly(path, e);
	if (k.q.db != NULL)
		rc = look_through(&k, e);
	for (size_t i = 0; i < SQ_COUNT; i++)
		sqlite3_finalize(k.q.stmt[i]);
	sqlite3_close(k.q.db);
	strbuf_fini(&k.q.scratch);
	arena_free(k.mem);
	return rc;
}
