/* If this fails, `tocsin check --store` calls a store whole that lies to its readers, or damaged one that does not. */
#include "store_kit.h"

#include <sqlite3.h>

#include "gateway/store_backup.h"
#include "gateway/store_check.h"

/* What was found: parts, ids and texts in one line each. */
struct findings {
	size_t	n;
	char	text[8192];
};

static void
on_finding(void *ctx, const struct store_finding *f)
{
	struct findings *all = ctx;
	size_t n = strlen(all->text);

	all->n++;
	snprintf(all->text + n, sizeof(all->text) - n, "%s %.*s [%s] %s\n", f->part, SLICE_ARG(f->id),
	    f->collections, f->text);
}

static struct store_check
check_file(const char *path, bool quick, struct findings *all)
{
	struct store_check c = { .audit_key = slice_from(kit_key, 32), .quick = quick,
	    .found = on_finding, .ctx = all };
	struct err e = ERR_INIT;

	memset(all, 0, sizeof(*all));
	if (store_check_file(path, &c, &e) < 0)
		fail_msg("store_check_file: %s", e.reason);
	assert_int_equal(c.findings, all->n);
	return c;
}

/* A store with what stores have: versions in and out of order, mixed ones, copies, deliveries, removals. */
static void
fill(struct kit *k)
{
	static const char *const versions[] = { "2024-01-01T10:00:00Z", "2024-01-03T10:00:00Z",
	    "2024-01-02T10:00:00Z" };
	static const char *const peers[] = { "peer-x", "peer-y" };
	int64_t both[2] = { k->a, k->b };
	struct page_query q = { .cid = k->b };
	struct slice id;

	for (int number = 1; number <= 9; number++) {
		for (int v = 0; v < 3; v++) {
			struct object *o = kit_object(k, "indicator", number, versions[v], "x");
			struct store_put p = kit_put(o, both, 2);
			struct store_audit record = { "\"ev\":\"intake\"", true };
			struct store_txn t = { .source = kit_source("source"), .puts = &p,
			    .nputs = 1, .audit = &record, .naudit = 1 };

			if (number == 5 && v == 1)
				o->spec_version = SLICE_LIT("2.0");
			p.peers = peers;
			p.npeers = 2;
			assert_int_equal(kit_commit(k, &t), ERR_NONE);
		}
	}
	id = kit_id(k, "indicator", 7);
	q.ids = &id;
	q.nids = 1;
	store_remove(k->s, &q, NULL, kit_counted, k);
	assert_int_equal(k->count, 3);
}

static void
whole_store_is_whole(void **state)
{
	struct kit *k = *state;
	struct findings all;
	struct store_check c;

	fill(k);
	c = check_file(k->path, false, &all);		/* beside the writer */
	assert_string_equal(all.text, "");
	assert_int_equal(c.objects, 9);
	assert_int_equal(c.versions, 27);
	assert_int_equal(c.members, 51);
	assert_int_equal(c.audit_records, 27);
	assert_true(c.pages > 10);
	check_file(k->path, true, &all);
	assert_int_equal(all.n, 0);
	store_close(k->s);
	k->s = NULL;
	check_file(k->path, false, &all);
	assert_int_equal(all.n, 0);
}

static void
empty_store_is_whole(void **state)
{
	struct kit *k = *state;
	struct findings all;
	struct store_check c = check_file(k->path, false, &all);

	assert_string_equal(all.text, "");
	assert_int_equal(c.objects, 0);
}

/* One thing made wrong, and the words that name it. */
static const struct { const char *sql, *says; size_t n; } wrongs[] = {
	{ "UPDATE version SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"x\"}', '\"y\"}') AS BLOB)"
	    " WHERE vid = 4", "object indicator--00000000-0000-4000-8000-000000000002 [alpha, beta] its "
	    "bytes are not those that were stored (version number 4", 1 },
	{ "UPDATE version SET hash = zeroblob(32) WHERE vid = 4", "its bytes are not those", 1 },
	{ "UPDATE version SET head = zeroblob(200) WHERE vid = 4", "cannot be read", 0 },
	{ "DELETE FROM version WHERE vid = 27", "[alpha, beta] it is not there (version number 27", 0 },
	{ "UPDATE version SET obj = 9 WHERE vid = 4", "an object that came later", 0 },
	{ "DELETE FROM object WHERE obj = 4", "is not found by its id (version number 4", 0 },
	{ "UPDATE object SET obj = 1 WHERE obj = 4", "is not found by its id (version number 4", 0 },
	{ "UPDATE state SET versions = 7", "count  [] 7 versions are counted, 27 are there", 1 },
	{ "UPDATE state SET sources = 99", "99 sources are counted, 27 are there", 1 },
	{ "DELETE FROM state", "the store's own row is lost", 0 },
	{ "UPDATE party SET queued = 3 WHERE name = 'peer-x'",
	    "3 deliveries to peer-x are counted as queued, 27 are there", 1 },
	{ "DELETE FROM delivery WHERE oid = 2", "are counted as queued, 26 are there", 1 },
	{ "DELETE FROM message WHERE mid = 3", "a source without its message, of version 3", 0 },
	{ "DELETE FROM message WHERE mid = 3", "a delivery without its message: 5", 0 },
	{ "DELETE FROM party WHERE name = 'source'", "a source that is nobody, of version 1", 0 },
	{ "DELETE FROM party WHERE name = 'peer-y'", "a delivery to nobody: 2", 0 },
	{ "DELETE FROM collection WHERE name = 'beta'", "a membership in no collection, of version 1", 0 },
	{ "UPDATE member SET date_us = date_us + 4000000000000000 WHERE cid = 1 AND vid = 25",
	    "date  [] dates beyond the last that was given, of version 25", 0 },
	{ "UPDATE member SET date_us = (SELECT date_us FROM member WHERE cid = 1 AND vid = 2)"
	    " WHERE cid = 1 AND vid = 1", "several members with one date in collection 1", 0 },
	{ "UPDATE member SET class = 0 WHERE cid = 1 AND vid = 1",
	    "the versions of object number 1 stand in the wrong order in collection number 1", 1 },
	{ "UPDATE member SET class = 1 WHERE cid = 1 AND vid = 2", "stand in the wrong order", 1 },
	{ "UPDATE member SET over_us = 1 WHERE cid = 1 AND vid = 3", "stand in the wrong order", 1 },
	{ "UPDATE audit SET line = replace(line, 'intake', 'outtake') WHERE seq = 9",
	    "audit  [] record 9: was changed after it was written", 1 },
	{ "DELETE FROM audit WHERE seq = 9", "record 9: records are missing", 1 },
};

static void
copy_file(const char *from, const char *to)
{
	char command[300];

	snprintf(command, sizeof(command), "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
}

static void
every_wrong_is_named(void **state)
{
	struct kit *k = *state;
	char copy[128];

	fill(k);
	store_close(k->s);
	k->s = NULL;
	snprintf(copy, sizeof(copy), "%s/copy.db", k->folder);
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		struct findings all;
		sqlite3 *db = NULL;

		copy_file(k->path, copy);
		assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
		if (sqlite3_exec(db, wrongs[i].sql, NULL, NULL, NULL) != SQLITE_OK)
			fail_msg("%s: %s", wrongs[i].sql, sqlite3_errmsg(db));
		assert_true(sqlite3_changes(db) > 0);
		sqlite3_close(db);
		check_file(copy, false, &all);
		if (strstr(all.text, wrongs[i].says) == NULL ||
		    (wrongs[i].n > 0 && all.n != wrongs[i].n))
			fail_msg("%s:\n%s", wrongs[i].sql, all.text);
	}
}

/* An index that has lost an entry: quick looks past it, the whole check does not. */
static void
indexes_are_compared(void **state)
{
	struct kit *k = *state;
	struct findings all;
	sqlite3 *db = NULL;

	fill(k);
	store_close(k->s);
	k->s = NULL;
	assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
	/* the index is taken for another one while a row goes */
	assert_int_equal(sqlite3_exec(db, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql ="
	    " replace(sql, '(cid, kind, class', '(kind, cid, class') WHERE name = 'member_kind';"
	    " PRAGMA writable_schema = RESET;", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	check_file(k->path, false, &all);
	assert_non_null(strstr(all.text, "index member_kind"));
}

static void
backup_is_a_whole_store(void **state)
{
	struct kit *k = *state;
	struct err e = ERR_INIT;
	struct findings all;
	struct store_check c;
	char copy[128];

	fill(k);
	snprintf(copy, sizeof(copy), "%s/backup.db", k->folder);
	assert_int_equal(store_backup(k->path, copy, &e), 0);
	c = check_file(copy, false, &all);
	assert_string_equal(all.text, "");
	assert_int_equal(c.versions, 27);
	assert_int_equal(store_backup(k->path, copy, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	store_close(k->s);
	snprintf(k->path, sizeof(k->path), "%s/backup.db", k->folder);	/* and opens as one */
	kit_open(k);
	snprintf(copy, sizeof(copy), "%s/none.db", k->folder);
	assert_int_equal(store_backup(copy, "/dev/null/x", &e), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DISK(whole_store_is_whole),
		DISK(empty_store_is_whole),
		DISK(every_wrong_is_named),
		DISK(indexes_are_compared),
		DISK(backup_is_a_whole_store),
	};

	return cmocka_run_group_tests_name("store_check", tests, NULL, NULL);
}
