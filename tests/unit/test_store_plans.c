/* If this fails, some question to the store reads a whole table: fine today, hours at a million objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/store_sqlite.h"

/* Tables that stay small, and those whose end alone is read. */
static bool
may_scan(const char *step, const char *text)
{
	static const char *const small[] = { "SCAN state", "SCAN party", "SCAN quarantine", "SCAN pending",
	    "SCAN CONSTANT ROW" };

	for (size_t i = 0; i < sizeof(small) / sizeof(*small); i++)
		if (strcmp(step, small[i]) == 0)
			return true;
	return strcmp(step, "SCAN audit") == 0 && strstr(text, "LIMIT 1") != NULL;
}

/* A search of a large table must fix more than the collection. */
static bool
is_wide(const char *step)
{
	return strstr(step, "(cid=?)") != NULL || strstr(step, "TEMP B-TREE") != NULL;
}

static void
look(sqlite3 *db, const char *text)
{
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", text);
	sqlite3_stmt *st = NULL;
	int steps = 0;

	assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(st, 3);

		steps++;
		if ((strncmp(step, "SCAN ", 5) == 0 && !may_scan(step, text)) || is_wide(step))
			fail_msg("%s\n  %s", text, step);
	}
	assert_true(steps > 0 || strncmp(text, "INSERT", 6) == 0);
	sqlite3_finalize(st);
	sqlite3_free(explain);
}

static void
no_question_reads_a_table(void **state)
{
	sqlite3 *db = NULL;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	for (size_t i = 0; i < sq_nsteps; i++)
		assert_int_equal(sqlite3_exec(db, sq_steps[i], NULL, NULL, NULL), SQLITE_OK);
	for (size_t i = 0; i < RANGES; i++)
		look(db, sq_range_text[i]);
	for (size_t i = 0; i < SQ_COUNT; i++) {
		assert_non_null(sq_text[i]);
		if (i != SQ_BEGIN && i != SQ_READ && i != SQ_COMMIT && i != SQ_ROLLBACK)
			look(db, sq_text[i]);
	}
	sqlite3_close(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_question_reads_a_table),
	};

	return cmocka_run_group_tests_name("store_plans", tests, NULL, NULL);
}
