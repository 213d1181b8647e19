/* If this fails, a mapping cuts the wrong part out of a value, or a stranger's value stops the gateway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/mapped_regex.h"
#include "tests/unit/mem_kit.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct { const char *re; unsigned group; const char *text, *want; } finds[] = {
	{ "b+", 0, "abbbc", "bbb" }, { "b+?", 0, "abbbc", "b" }, { "b*", 0, "abbbc", "" },
	{ "^a", 0, "ba", NULL }, { "a$", 0, "ab", NULL }, { "^$", 0, "", "" }, { "x|bc|b", 0, "abc", "bc" },
	{ "b|bc", 0, "abc", "b" }, { "(a)(b)?", 2, "ac", NULL }, { "(a)(b)?", 2, "ab", "b" },
	{ "(\\d+)\\.(\\d+)", 1, "v10.42", "10" }, { "(\\d+)\\.(\\d+)", 2, "v10.42", "42" },
	{ "CVE-\\d{4}-\\d{4,}", 0, "see CVE-2026-12345.", "CVE-2026-12345" },
	{ "CVE-\\d{4}-\\d{4,}", 0, "see CVE-2026-123.", NULL }, { "a{2,3}", 0, "aaaa", "aaa" },
	{ "a{2,3}?", 0, "aaaa", "aa" }, { "a{0}b", 0, "aab", "b" }, { "[^;]+;([^;]*)", 1, "a;b c;d", "b c" },
	{ "[a-c-]+", 0, "x-abz", "-ab" }, { "[]x]", 0, "a]", "]" }, { "[\\]\\d]+", 0, "a]9", "]9" },
	{ "\\[(.*)\\]", 1, "a[b]c]d", "b]c" }, { "\\[(.*?)\\]", 1, "a[b]c]d", "b" },
	{ "(?:ab)+(c)", 1, "ababc", "c" }, { "(a|b)*c", 1, "abac", "a" }, { "(a*)*", 1, "aab", "aa" },
	{ "(a*)+$", 0, "aaab", "" }, { ".", 0, "\xc3\xbcx", "\xc3\xbc" }, { "[\xc3\xa0-\xc3\xbf]+", 0,
	    "b\xc3\xbc\xc3\xa4" "n", "\xc3\xbc\xc3\xa4" }, { "\\S+@\\S+", 0, "to a@b.example now", "a@b.example" },
	{ "\\W", 0, "ab_c d", " " }, { "\\D+", 0, "12ab3", "ab" }, { "a\\tb", 0, "a\tb", "a\tb" },
	{ "\\\\", 0, "a\\b", "\\" }, { "", 0, "abc", "" }, { "a|", 0, "b", "" }, { "(^|,)b", 0, "a,b", ",b" },
	{ "host=([^ ]+)", 1, "ip=1 host=web.example up", "web.example" },
};

static const char *const mistakes[] = {
	"(", ")", "(a", "a)", "[a", "[", "*", "+a", "a**", "a{2", "a{x}", "a{3,2}", "a{101}", "(?=a)", "\\",
	"\\q", "[b-a]", "[a-\\d]", "(a{100}){100}", "\xff", "a|*",
	"((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))",
};

static void
test_finds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(finds); i++) {
		const char *why;
		struct map_regex *re = map_regex_compile(slice_of(finds[i].re), finds[i].group, mem, &why);
		struct slice out = SLICE_EMPTY;
		bool found;

		if (re == NULL)
			fail_msg("%s: %s", finds[i].re, why);
		found = map_regex_find(re, slice_of(finds[i].text), mem, &out);
		if (found != (finds[i].want != NULL) || (found && !slice_is(out, finds[i].want)))
			fail_msg("%s in \"%s\": \"%.*s\"", finds[i].re, finds[i].text, SLICE_ARG(out));
	}
}

static void
test_mistakes(void **state)
{
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		if (map_regex_compile(slice_of(mistakes[i]), 0, mem, &why) != NULL)
			fail_msg("taken: %s", mistakes[i]);
		assert_non_null(why);
	}
	assert_null(map_regex_compile(slice_of("(a)"), 2, mem, &why));
}

/* What takes a backtracking matcher for ever takes this one no time. */
static void
test_hostile_text(void **state)
{
	const char *why;
	struct map_regex *re = map_regex_compile(slice_of("^((a|aa|a*)*)*b$"), 0, mem, &why);
	char *text = arena_alloc(mem, 60001);
	struct slice out;

	(void)state;
	assert_non_null(re);
	memset(text, 'a', 60000);
	assert_false(map_regex_find(re, slice_from(text, 60000), mem, &out));
	text[59999] = 'b';
	assert_true(map_regex_find(re, slice_from(text, 60000), mem, &out));
	assert_int_equal(out.n, 60000);
	/* longer texts match nothing */
	assert_false(map_regex_find(re, slice_from(arena_alloc(mem, 70000), 70000), mem, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_text, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
