/* If this fails, a delta of a feed holds half a line, or the worker that writes it dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/feeds_delta.h"

static const struct slice name = { "\"id\":\"a\",\"value\":\"x,y\"", 22 };

static void
test_lines(void **state)
{
	struct strbuf jsonl = STRBUF_INIT, csv = STRBUF_INIT;
	struct feeds_delta j = { .out = &jsonl };
	struct feeds_delta c = { .csv = true, .columns = SLICE_LIT("id,value"), .out = &csv };

	(void)state;
	feeds_delta_head(&j);
	feeds_delta_head(&c);
	for (int op = FEED_REMOVED; op <= FEED_ADDED; op++) {
		feeds_delta_add(&j, (enum feed_op)op, name, SLICE_LIT("{\"id\":\"a\"}\n"),
		    SLICE_LIT("a,\"x,y\"\r\n"));
		feeds_delta_add(&c, (enum feed_op)op, name, SLICE_LIT("{\"id\":\"a\"}\n"),
		    SLICE_LIT("a,\"x,y\"\r\n"));
	}
	assert_string_equal(jsonl.p, "{\"op\":\"removed\",\"id\":\"a\",\"value\":\"x,y\"}\n"
	    "{\"op\":\"changed\",\"id\":\"a\"}\n{\"op\":\"added\",\"id\":\"a\"}\n");
	assert_string_equal(csv.p, "op,id,value\r\nremoved,a,\"x,y\"\r\nchanged,a,\"x,y\"\r\n"
	    "added,a,\"x,y\"\r\n");
	assert_false(j.incomplete || c.incomplete);
	strbuf_fini(&jsonl);
	strbuf_fini(&csv);
}

/* A state that was made without one of the two outputs has no line of it. */
static void
test_no_line(void **state)
{
	struct strbuf jsonl = STRBUF_INIT, csv = STRBUF_INIT;
	struct feeds_delta j = { .out = &jsonl };
	struct feeds_delta c = { .csv = true, .columns = SLICE_LIT("id,value"), .out = &csv };

	(void)state;
	feeds_delta_add(&j, FEED_ADDED, name, SLICE_EMPTY, SLICE_LIT("a,x\r\n"));
	feeds_delta_add(&c, FEED_CHANGED, name, SLICE_LIT("{\"id\":\"a\"}\n"), SLICE_EMPTY);
	assert_true(j.incomplete && c.incomplete);
	assert_int_equal(jsonl.n, 0);
	assert_int_equal(csv.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), cmocka_unit_test(test_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
