/* If this fails, people are told that nothing was lost in a conversion when something was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/loss.h"
#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

static void
test_counts_by_kind(void **state)
{
	struct arena *mem = arena_new();
	struct loss l;
	char path[] = "Incident[1]/Contact[2]/Timezone";

	(void)state;
	loss_init(&l, mem);
	loss_add(&l, LOSS_KEPT, "a", NULL);
	loss_add(&l, LOSS_KEPT, "b", NULL);
	loss_add(&l, LOSS_DROPPED, path, "no place for it");
	loss_addf(&l, LOSS_MOVED, NULL, "Incident[%d]/%s", 3, "x");
	path[0] = '?';		/* the account keeps its own copy */
	assert_int_equal(l.n, 4);
	assert_int_equal(l.count[LOSS_KEPT], 2);
	assert_int_equal(l.count[LOSS_APPROXIMATED], 0);
	assert_int_equal(l.count[LOSS_MOVED], 1);
	assert_int_equal(l.count[LOSS_DROPPED], 1);
	assert_string_equal(l.v[2].path, "Incident[1]/Contact[2]/Timezone");
	assert_string_equal(l.v[3].path, "Incident[3]/x");
	assert_null(l.v[3].note);
	arena_free(mem);
}

static void
test_a_limit_is_a_share(void **state)
{
	static const struct { const char *text; bool good; uint32_t millionths; } rows[] = {
		{ "0%", true, 0 }, { "5%", true, 50000 }, { "0.5%", true, 5000 }, { "100%", true, 1000000 },
		{ "0.0001%", true, 1 }, { "12.25%", true, 122500 }, { "100.01%", false, 0 }, { "5", false, 0 },
		{ "%", false, 0 }, { ".%", false, 0 }, { "1.2.3%", false, 0 }, { "-1%", false, 0 },
		{ "0.00001%", false, 0 }, { "", false, 0 }, { "999999999%", false, 0 },
	};
	struct loss_limit limit;
	uint64_t count[LOSS_KINDS] = { [LOSS_KEPT] = 90, [LOSS_APPROXIMATED] = 4, [LOSS_MOVED] = 1,
	    [LOSS_DROPPED] = 5, [LOSS_GENERATED] = 1000 };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		limit = (struct loss_limit){ .set = false };
		assert_int_equal(loss_limit_parse(slice_of(rows[i].text), &limit), rows[i].good);
		assert_int_equal(limit.set, rows[i].good);
		assert_int_equal(limit.millionths, rows[i].millionths);
	}
	limit = (struct loss_limit){ .set = true, .millionths = 50000 };
	assert_false(loss_is_beyond(&limit, count, &e));
	limit.approximated = true;
	assert_true(loss_is_beyond(&limit, count, &e));
	assert_non_null(strstr(e.reason, "9 of 100 fields"));
	limit.set = false;
	assert_false(loss_is_beyond(&limit, count, &e));
	limit = (struct loss_limit){ .set = true };
	memset(count, 0, sizeof(count));
	assert_false(loss_is_beyond(&limit, count, &e));	/* nothing, and nothing lost */
}

/* Who wants numbers alone does not pay for paths. */
static void
test_counts_alone(void **state)
{
	struct loss l;

	(void)state;
	loss_init(&l, NULL);
	loss_add(&l, LOSS_KEPT, "a", NULL);
	loss_addf(&l, LOSS_DROPPED, "note", "x[%d]", 3);
	assert_int_equal(l.n, 0);
	assert_int_equal(l.count[LOSS_KEPT], 1);
	assert_int_equal(l.count[LOSS_DROPPED], 1);
}

static void
test_no_account_wanted(void **state)
{
	(void)state;
	loss_add(NULL, LOSS_KEPT, "a", NULL);
	loss_addf(NULL, LOSS_KEPT, NULL, "%d", 1);
}

static void
test_prints_lines_without_control_characters(void **state)
{
	struct arena *mem = arena_new();
	struct strbuf out = STRBUF_INIT;
	struct loss l;

	(void)state;
	loss_init(&l, mem);
	loss_add(&l, LOSS_DROPPED, "x_\033[31mred\n", "note");
	loss_add(&l, LOSS_GENERATED, "id", NULL);
	loss_print(&out, &l);
	assert_string_equal(out.p, "dropped  x_?[31mred?  note\ngenerated  id\n"
	    "kept 0, approximated 0, moved 0, dropped 1, generated 1\n");
	strbuf_fini(&out);
	arena_free(mem);
}

static void
test_prints_json_that_parses(void **state)
{
	struct arena *mem = arena_new();
	struct strbuf out = STRBUF_INIT;
	struct json_doc doc;
	struct err e = ERR_INIT;
	struct loss l;
	int64_t n;

	(void)state;
	loss_init(&l, mem);
	loss_add(&l, LOSS_APPROXIMATED, "a\"b", "says \"no\"");
	loss_print_json(&out, &l);
	assert_int_equal(json_parse(strbuf_slice(&out), NULL, mem, &doc, &e), 0);
	assert_true(json_int(json_get(doc.root, "approximated"), &n));
	assert_int_equal(n, 1);
	assert_string_equal(json_str(json_get(json_first(json_get(doc.root, "entries")), "path")),
	    "a\"b");
	strbuf_fini(&out);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_by_kind),
		cmocka_unit_test(test_a_limit_is_a_share),
		cmocka_unit_test(test_counts_alone),
		cmocka_unit_test(test_no_account_wanted),
		cmocka_unit_test(test_prints_lines_without_control_characters),
		cmocka_unit_test(test_prints_json_that_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
