/* If this fails, a commit that was acknowledged is not in the file, or a reader sees half of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/store_sqlite_vfs.h"

static char folder[] = "/tmp/tocsin-vfs-XXXXXX";
static char path[64];

static void
run(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static int64_t
number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* `vfs` NULL: SQLite's own, as readers have it. */
static sqlite3 *
open_with(const char *vfs)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs), SQLITE_OK);
	run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
	return db;
}

static void
fresh(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
}

static const char many[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    " INSERT INTO t (k, v) SELECT abs(random()), randomblob(500) FROM n";

/* What is committed is there for others at once, and nothing before. */
static void
test_seen_by_others(void **state)
{
	sqlite3 *w, *r;

	(void)state;
	fresh("a.db");
	assert_non_null(sq_vfs());
	w = open_with(sq_vfs());
	run(w, "CREATE TABLE t (k INTEGER, v BLOB); CREATE INDEX i ON t (k)");
	r = open_with(NULL);
	for (int64_t i = 1; i <= 20; i++) {
		run(w, "BEGIN");
		run(w, many);
		assert_int_equal(number(r, "SELECT count(*) FROM t"), 3000 * (i - 1));
		run(w, "COMMIT");
		assert_int_equal(number(r, "SELECT count(*) FROM t"), 3000 * i);
	}
	assert_int_equal(number(r, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
	sqlite3_close(r);
	sqlite3_close(w);
}

/* A transaction larger than the cache goes to the log before its end: it reads itself back, and may be undone. */
static void
test_spilled_and_undone(void **state)
{
	sqlite3 *w;

	(void)state;
	fresh("b.db");
	w = open_with(sq_vfs());
	run(w, "PRAGMA cache_size = 10; PRAGMA cache_spill = 5; CREATE TABLE t (k INTEGER, v BLOB);"
	    " CREATE INDEX i ON t (k)");
	for (int64_t i = 1; i <= 10; i++) {
		run(w, "BEGIN");
		run(w, many);
		assert_int_equal(number(w, "SELECT count(DISTINCT k) FROM t"), 3000 * i);
		run(w, "SAVEPOINT s");
		run(w, many);
		run(w, "ROLLBACK TO s");
		assert_int_equal(number(w, "SELECT count(*) FROM t"), 3000 * i);
		run(w, "COMMIT; BEGIN");
		run(w, many);
		run(w, "ROLLBACK");
		if (i % 3 == 0)
			run(w, "PRAGMA wal_checkpoint(TRUNCATE)");
		assert_int_equal(number(w, "SELECT count(*) FROM pragma_integrity_check"
		    " WHERE integrity_check = 'ok'"), 1);
	}
	sqlite3_close(w);
	w = open_with(NULL);
	assert_int_equal(number(w, "SELECT count(*) FROM t"), 30000);
	sqlite3_close(w);
}

/* A process that dies after a commit has lost nothing of it. */
static void
test_dies_after_commit(void **state)
{
	sqlite3 *w;
	pid_t pid;

	(void)state;
	fresh("c.db");
	w = open_with(sq_vfs());
	run(w, "CREATE TABLE t (k INTEGER, v BLOB)");
	sqlite3_close(w);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		w = open_with(sq_vfs());
		run(w, "BEGIN");
		run(w, many);
		run(w, "COMMIT; BEGIN");
		run(w, many);
		_exit(0);		/* without closing, in the middle of the next one */
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	w = open_with(NULL);
	assert_int_equal(number(w, "SELECT count(*) FROM t"), 3000);
	assert_int_equal(number(w, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
	sqlite3_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seen_by_others),
		cmocka_unit_test(test_spilled_and_undone),
		cmocka_unit_test(test_dies_after_commit),
	};
	char command[64];
	int rc;

	if (mkdtemp(folder) == NULL)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) != 0 ? 1 : rc;
}
