/* If this fails, what an indicator looks for changes on its way through a format, or two spellings of one
 * meaning become two things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/observe.h"
#include "formats/pattern_build.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define CORPUS "../shared/corpus/patterns/patterns.jsonl"

static struct pat_node *
parse(const char *text)
{
	struct pat_node *p = pattern_parse(slice_of(text), mem, NULL);

	if (p == NULL)
		fail_msg("does not parse: %s", text);
	return p;
}

static const char *
printed(const struct pat_node *p)
{
	struct strbuf b = STRBUF_INIT;
	const char *out;

	pattern_print(&b, p);
	out = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

/* "path is 'a' 'b'", "path not ...", "path OP ..."; all(...), any(...), turn(...), with + when apart. */
static void
draw(struct strbuf *b, const struct sought *s)
{
	static const char *const names[] = {
		[SOUGHT_ALL] = "all", [SOUGHT_ANY] = "any", [SOUGHT_IN_TURN] = "turn"
	};
	static const char *const ops[] = {
		[PAT_NE] = "!=", [PAT_LT] = "<", [PAT_LE] = "<=", [PAT_GT] = ">", [PAT_GE] = ">=",
		[PAT_LIKE] = "like", [PAT_MATCHES] = "matches", [PAT_ISSUBSET] = "subset",
		[PAT_ISSUPERSET] = "superset", [PAT_EXISTS] = "exists"
	};

	if (s->kind == SOUGHT_FACT) {
		strbuf_addf(b, "%.*s%s %s", SLICE_ARG(s->path), s->denied ? " not" : "",
		    s->op == PAT_EQ ? "is" : ops[s->op]);
		for (size_t i = 0; i < s->nvalues; i++)
			strbuf_addf(b, " %.*s", SLICE_ARG(s->values[i].text));
	} else {
		strbuf_addf(b, "%s%s(", names[s->kind], s->apart ? "+" : "");
		for (size_t i = 0; i < s->nkids; i++) {
			strbuf_adds(b, i > 0 ? "; " : "");
			draw(b, s->kids[i]);
		}
		strbuf_addc(b, ')');
	}
	for (size_t i = 0; i < s->nquals; i++)
		strbuf_addf(b, " {%d %.*s}", (int)s->quals[i].kind, SLICE_ARG(s->quals[i].a));
}

static const char *
drawn(const struct sought *s)
{
	struct strbuf b = STRBUF_INIT;
	const char *out;

	draw(&b, s);
	out = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

/* A pattern, what it looks for, what there is in that, and how it is spelled again. */
static const struct {
	const char	*pattern, *shape;
	unsigned	 has;
	const char	*again;		/* NULL: as it was */
} rows[] = {
	{ "[a:b = 1]", "a:b is 1", 0, NULL },
	{ "[a:b IN (1, 2)]", "a:b is 1 2", SOUGHT_CHOICE, NULL },
	{ "[a:b = 1 OR a:b = 2 OR a:b = 1]", "a:b is 1 2", SOUGHT_CHOICE, "[a:b IN (1, 2)]" },
	{ "[a:b = 1] OR ([a:b IN (2, 3)])", "a:b is 1 2 3", SOUGHT_CHOICE, "[a:b IN (1, 2, 3)]" },
	{ "[a:b = 2 OR a:c = 3 OR (a:b = 1)]", "any(a:b is 2 1; a:c is 3)", SOUGHT_CHOICE,
	    "[a:b IN (2, 1) OR a:c = 3]" },
	{ "[a:b != 1]", "a:b not is 1", SOUGHT_DENIED, NULL },
	{ "[a:b NOT != 1]", "a:b is 1", 0, "[a:b = 1]" },
	{ "[a:b NOT = 1]", "a:b not is 1", SOUGHT_DENIED, "[a:b != 1]" },
	{ "[a:b != 1 AND a:b NOT IN (2, 1)]", "a:b not is 1 2", SOUGHT_CHOICE | SOUGHT_DENIED,
	    "[a:b NOT IN (1, 2)]" },
	{ "[a:b != 1 OR a:b != 2]", "any(a:b not is 1; a:b not is 2)", SOUGHT_CHOICE | SOUGHT_DENIED,
	    NULL },
	{ "[a:b = 1 AND a:b = 2]", "all(a:b is 1; a:b is 2)", 0, NULL },
	{ "[a:b = 1 AND a:b = 1]", "a:b is 1", 0, "[a:b = 1]" },
	{ "[a:b[*] != 1]", "a:b[*] != 1", SOUGHT_DENIED | SOUGHT_COMPARED, NULL },
	{ "[a:b[*] NOT = 1]", "a:b[*] not is 1", SOUGHT_DENIED, NULL },
	{ "[a:b LIKE 'x']", "a:b is x", 0, "[a:b = 'x']" },
	{ "[a:b LIKE 'x%']", "a:b like x%", SOUGHT_COMPARED, NULL },
	{ "[a:b MATCHES '^x']", "a:b matches ^x", SOUGHT_COMPARED, NULL },
	{ "[a:b < 1 AND a:b <= 2 AND a:b > 3 AND a:b >= 4]",
	    "all(a:b < 1; a:b <= 2; a:b > 3; a:b >= 4)", SOUGHT_COMPARED, NULL },
	{ "[EXISTS a:b AND NOT EXISTS a:c]", "all(a:b exists; a:c not exists)",
	    SOUGHT_COMPARED | SOUGHT_DENIED, NULL },
	{ "[a:b IN ()]", "a:b is", SOUGHT_NOTHING, NULL },
	{ "[a:b = 'x' OR a:b = h'0f' OR a:b = b'AAAA' OR a:b = true OR a:b = 1.5]",
	    "a:b is x 0f AAAA true 1.5", SOUGHT_CHOICE,
	    "[a:b IN ('x', h'0f', b'AAAA', true, 1.5)]" },
	{ "[a:b = t'2024-01-01T00:00:00Z']", "a:b is 2024-01-01T00:00:00Z", 0, NULL },
	{ "[a:b = 'it\\'s \\\\']", "a:b is it's \\", 0, NULL },

	/* networks */
	{ "[ipv4-addr:value ISSUBSET '192.0.2.0/24']", "ipv4-addr:value is 192.0.2.0/24", 0, NULL },
	{ "[ipv4-addr:value = '192.0.2.0/24']", "ipv4-addr:value is 192.0.2.0/24", 0,
	    "[ipv4-addr:value ISSUBSET '192.0.2.0/24']" },
	{ "[ipv4-addr:value ISSUBSET '192.0.2.1']", "ipv4-addr:value is 192.0.2.1", 0,
	    "[ipv4-addr:value = '192.0.2.1']" },
	{ "[ipv6-addr:value = '2001:db8::1' OR ipv6-addr:value ISSUBSET '2001:db8::/32']",
	    "ipv6-addr:value is 2001:db8::1 2001:db8::/32", SOUGHT_CHOICE, NULL },
	{ "[ipv4-addr:value NOT ISSUBSET '192.0.2.0/24' AND ipv4-addr:value != '198.51.100.1']",
	    "ipv4-addr:value not is 192.0.2.0/24 198.51.100.1", SOUGHT_CHOICE | SOUGHT_DENIED,
	    "[ipv4-addr:value != '198.51.100.1' AND ipv4-addr:value NOT ISSUBSET '192.0.2.0/24']" },
	{ "[network-traffic:dst_ref.value ISSUBSET '192.0.2.0/24']",
	    "network-traffic:dst_ref.value is 192.0.2.0/24", 0, NULL },
	{ "[a:b ISSUBSET '192.0.2.0/24']", "a:b subset 192.0.2.0/24", SOUGHT_COMPARED, NULL },
	{ "[ipv4-addr:value ISSUPERSET '192.0.2.0/24']", "ipv4-addr:value superset 192.0.2.0/24",
	    SOUGHT_COMPARED, NULL },
	{ "[url:value = 'http://192.0.2.0/24']", "url:value is http://192.0.2.0/24", 0, NULL },

	/* paths */
	{ "[file:hashes.sha256 = 'x' OR file:hashes.'SHA-256' = 'y']",
	    "file:hashes.'SHA-256' is x y", SOUGHT_CHOICE, "[file:hashes.'SHA-256' IN ('x', 'y')]" },
	{ "[file:hashes.'MD5' = 'x']", "file:hashes.MD5 is x", 0, "[file:hashes.MD5 = 'x']" },
	{ "[x-y:'a b'.c[0].d_ref.e[*] = 1]", "x-y:'a b'.c[0].d_ref.e[*] is 1", 0, NULL },

	/* precedence and parentheses */
	{ "[a:b = 1 OR a:c = 2 AND a:d = 3]", "any(a:b is 1; all(a:c is 2; a:d is 3))", SOUGHT_CHOICE,
	    NULL },
	{ "[(a:b = 1 OR a:c = 2) AND a:d = 3]", "all(any(a:b is 1; a:c is 2); a:d is 3)",
	    SOUGHT_CHOICE, NULL },
	{ "[((a:b = 1 AND (a:c = 2 AND (a:d = 3))))]", "all(a:b is 1; a:c is 2; a:d is 3)", 0,
	    "[a:b = 1 AND a:c = 2 AND a:d = 3]" },
	{ "[a:b = 1 AND a:c = 2 OR (a:b = 1 AND a:c = 2)]", "all(a:b is 1; a:c is 2)", 0,
	    "[a:b = 1 AND a:c = 2]" },
	{ "[(a:b = 1 OR a:b = 2) AND a:c = 3]", "all(a:b is 1 2; a:c is 3)", SOUGHT_CHOICE,
	    "[a:b IN (1, 2) AND a:c = 3]" },

	/* observations */
	{ "[a:b = 1] AND [a:c = 2]", "all+(a:b is 1; a:c is 2)", SOUGHT_APART, NULL },
	{ "[a:b = 1] AND ([a:c = 2] AND [a:d = 3])", "all+(a:b is 1; a:c is 2; a:d is 3)",
	    SOUGHT_APART, "[a:b = 1] AND [a:c = 2] AND [a:d = 3]" },
	{ "[a:b = 1] AND [a:c = 2] OR [a:d = 3] OR [a:d = 4]",
	    "any+(all+(a:b is 1; a:c is 2); a:d is 3 4)", SOUGHT_APART | SOUGHT_CHOICE,
	    "[a:b = 1] AND [a:c = 2] OR [a:d IN (3, 4)]" },
	{ "[a:b = 1] FOLLOWEDBY ([a:c = 2] FOLLOWEDBY [a:b = 1])",
	    "turn+(a:b is 1; a:c is 2; a:b is 1)", SOUGHT_ORDERED,
	    "[a:b = 1] FOLLOWEDBY [a:c = 2] FOLLOWEDBY [a:b = 1]" },
	{ "[a:b = 1] OR [a:b = 2] WITHIN 5 SECONDS", "any+(a:b is 1; a:b is 2 {0 5})",
	    SOUGHT_CHOICE | SOUGHT_ORDERED, NULL },
	{ "([a:b = 1] OR [a:b = 2]) WITHIN 5 SECONDS", "a:b is 1 2 {0 5}",
	    SOUGHT_CHOICE | SOUGHT_ORDERED, "[a:b IN (1, 2)] WITHIN 5 SECONDS" },
	{ "[a:b = 1] REPEATS 1 TIMES", "a:b is 1", 0, "[a:b = 1]" },
	{ "[a:b = 1] REPEATS 3 TIMES WITHIN 5 SECONDS", "a:b is 1 {1 3} {0 5}", SOUGHT_ORDERED, NULL },
	{ "([a:b = 1] REPEATS 3 TIMES) REPEATS 2 TIMES", "all+(a:b is 1 {1 3}) {1 2}",
	    SOUGHT_ORDERED, NULL },
	{ "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z'",
	    "a:b is 1 {2 2024-01-01T00:00:00Z}", SOUGHT_WHEN, NULL },
	{ "([a:b = 1] AND [a:c = 2]) WITHIN 5 SECONDS", "all+(a:b is 1; a:c is 2) {0 5}",
	    SOUGHT_APART | SOUGHT_ORDERED, NULL },
};

static struct slice
spelled(const struct pat_node *p, bool canon)
{
	struct strbuf b = STRBUF_INIT;
	struct slice out;

	if (canon)
		pattern_canonical(&b, p);
	else
		pattern_print(&b, p);
	out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

/* What comes back means the same, and looks for the same; the second time it is the same text. */
static void
check_round(struct slice text)
{
	struct pat_node *p = pattern_parse(text, mem, NULL);
	struct pat_node *back = observe_expand(observe_reduce(p, mem), mem), *reread;
	const char *shape = drawn(observe_reduce(p, mem));
	struct slice again = spelled(back, false);

	reread = pattern_parse(again, mem, NULL);
	assert_non_null(reread);
	assert_true(slice_eq(spelled(p, true), spelled(back, true)));
	assert_true(slice_eq(spelled(p, true), spelled(reread, true)));
	assert_true(slice_eq(again,
	    spelled(observe_expand(observe_reduce(reread, mem), mem), false)));
	if (strchr(shape, '/') == NULL)		/* networks stand behind addresses */
		assert_string_equal(shape, drawn(observe_reduce(reread, mem)));
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct sought *s = observe_reduce(parse(rows[i].pattern), mem);

		assert_string_equal(drawn(s), rows[i].shape);
		if (s->has != rows[i].has)
			fail_msg("%s: has %x, not %x", rows[i].pattern, s->has, rows[i].has);
		assert_string_equal(printed(observe_expand(s, mem)),
		    rows[i].again != NULL ? rows[i].again : rows[i].pattern);
		check_round(slice_of(rows[i].pattern));
	}
}

/* Each group is one meaning in many spellings: one shape, in the order of each. */
static const char *const alike[] = {
	"[a:b = 1 OR a:b = 2]", "[a:b IN (1, 2)]", "[a:b = 1] OR [a:b = 2]", "([a:b = 1 OR (a:b = 2)])",
	"[a:b = 1 OR a:b IN (2, 1)]", "[a:b IN (1)] OR [a:b == 2] OR [a:b = 1]", NULL,
	"[a:b != 1 AND a:c = 2]", "[a:b <> 1 AND (a:c IN (2))]", "([a:b NOT IN (1) AND a:c NOT != 2])",
	NULL,
	"[ipv4-addr:value IN ('192.0.2.1', '192.0.2.64/26')]",
	"[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value ISSUBSET '192.0.2.64/26']",
	"[ipv4-addr:'value' = '192.0.2.1'] OR [ipv4-addr:value = '192.0.2.64/26']", NULL,
	"[file:hashes.md5 = 'x' AND file:name = 'y']", "[file:hashes.'MD5' = 'x' AND file:name LIKE 'y']",
	NULL,
};

static void
test_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(alike); i++) {
		const char *want = drawn(observe_reduce(parse(alike[i]), mem));

		for (; alike[i] != NULL; i++)
			assert_string_equal(drawn(observe_reduce(parse(alike[i]), mem)), want);
	}
}

static size_t
count(const char *text, bool ways)
{
	const struct sought *s = observe_reduce(parse(text), mem);
	size_t n = 0;

	if (ways)
		return observe_ways(&s, &n) != NULL ? n : 0;
	return observe_facts(&s, &n) != NULL ? n : 0;
}

static void
test_questions(void **state)
{
	struct sought *s = observe_reduce(parse("[file:hashes.sha1 = 'x' AND a:b[3].c = 1]"), mem);

	(void)state;
	assert_true(slice_is(observe_hash(s->kids[0]), "SHA-1"));
	assert_true(slice_is(observe_property(s->kids[0]), "hashes.'SHA-1'"));
	assert_int_equal(observe_hash(s->kids[1]).n, 0);
	assert_true(slice_is(s->kids[1]->path, "a:b[3].c"));
	assert_true(slice_is(s->kids[1]->loose, "a:b[*].c"));
	assert_true(observe_is_plain(s->kids[0]));
	assert_false(observe_is_plain(s));
	assert_int_equal(count("[a:b = 1 OR a:c = 2] OR [a:d = 3]", true), 3);
	assert_int_equal(count("[a:b = 1 AND a:c = 2]", true), 1);
	assert_int_equal(count("([a:b = 1] AND [a:c = 2] OR [a:c = 3]) WITHIN 5 SECONDS", true), 1);
	assert_int_equal(count("[a:b = 1 AND a:c = 2]", false), 2);
	assert_int_equal(count("[a:b = 1]", false), 1);
	assert_int_equal(count("[a:b = 1] AND [a:c = 2]", false), 0);
	assert_int_equal(count("[a:b = 1] WITHIN 5 SECONDS", false), 0);
	assert_int_equal(count("[a:b = 1 AND (a:c = 2 OR a:d = 3)]", false), 0);
}

/* ---- building ---- */

static struct pat_node *
one(const char *path, const char *value)
{
	struct slice v = slice_of(value);

	return pattern_test(mem, path, PAT_EQ, PAT_STRING, &v, 1);
}

static void
test_build(void **state)
{
	struct slice two[] = { SLICE_LIT("1"), SLICE_LIT("2") };
	struct pat_node *v[] = { one("a:b", "it's"), one("a:c.'d e'", "x"), one("z:b", "y") }, *p;

	(void)state;
	assert_null(one("a", "x"));
	assert_null(one("a:b = 1 OR a:c", "x"));
	assert_string_equal(printed(pattern_test(mem, "a:b", PAT_IN, PAT_INT, two, 2)), "a:b IN (1, 2)");
	p = pattern_join(mem, true, v, 2);
	assert_string_equal(printed(pattern_bracket(mem, p)), "[a:b = 'it\\'s' AND a:c.'d e' = 'x']");
	assert_string_equal(printed(pattern_join(mem, true, v, 3)),
	    "[a:b = 'it\\'s'] AND [a:c.'d e' = 'x'] AND [z:b = 'y']");
	assert_string_equal(printed(pattern_join(mem, false, v, 3)),
	    "a:b = 'it\\'s' OR a:c.'d e' = 'x' OR z:b = 'y'");
	assert_null(pattern_join(mem, true, v, 0));
	assert_ptr_equal(pattern_join(mem, true, v, 1), v[0]);
}

static void
test_negate(void **state)
{
	static const char *const pairs[][2] = {
		{ "[a:b = 1]", "[a:b != 1]" }, { "[a:b NOT = 1]", "[a:b = 1]" },
		{ "[a:b NOT != 1]", "[a:b != 1]" }, { "[a:b[*] = 1]", "[a:b[*] NOT = 1]" },
		{ "[a:b[*] != 1]", "[a:b[*] NOT != 1]" }, { "[a:b IN (1, 2)]", "[a:b NOT IN (1, 2)]" },
		{ "[a:b = 1 OR a:c > 2 AND a:d = 3]", "[a:b != 1 AND (a:c NOT > 2 OR a:d != 3)]" },
		{ "[a:b = 1] AND ([a:c = 2])", "[a:b != 1 OR a:c != 2]" },
		{ "[a:b = 1] OR [a:c = 2]", "[a:b != 1] AND [a:c != 2]" },
		{ "[a:b = 1] WITHIN 5 SECONDS", NULL }, { "[a:b = 1] FOLLOWEDBY [a:b = 2]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(pairs); i++) {
		struct pat_node *no = pattern_negate(mem, parse(pairs[i][0]));

		if (pairs[i][1] == NULL)
			assert_null(no);
		else
			assert_string_equal(printed(no), pairs[i][1]);
	}
}

static void
test_text(void **state)
{
	struct slice *many = arena_alloc(mem, (PATTERN_LITERALS + 1) * sizeof(*many)), out;
	struct err e = ERR_INIT;

	(void)state;
	assert_true(pattern_text(mem, one("a:b", "x"), &out, NULL));
	assert_true(slice_is(out, "[a:b = 'x']"));
	for (size_t i = 0; i <= PATTERN_LITERALS; i++)
		many[i] = SLICE_LIT("1");
	assert_false(pattern_text(mem, pattern_test(mem, "a:b", PAT_IN, PAT_INT, many,
	    PATTERN_LITERALS + 1), &out, &e));
	assert_int_equal(e.code, ERR_LIMIT);
}

/* ---- the corpus ---- */

static void
test_corpus(void **state)
{
	struct strbuf all = STRBUF_INIT;
	struct slice rest;
	size_t n = 0;

	(void)state;
	if (file_read(CORPUS, 64 << 20, &all, NULL) < 0)
		skip();
	rest = strbuf_slice(&all);
	while (rest.n > 0) {
		struct slice line = slice_cut(&rest, '\n');
		struct json_doc doc;
		struct slice text;

		if (line.n == 0 || json_parse(line, NULL, mem, &doc, NULL) < 0)
			continue;
		text = json_member(doc.root, "pattern");
		if (pattern_parse(text, mem, NULL) == NULL)
			continue;
		check_round(text);
		n++;
	}
	strbuf_fini(&all);
	assert_true(n > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_alike),
		cmocka_unit_test(test_questions), cmocka_unit_test(test_build),
		cmocka_unit_test(test_negate), cmocka_unit_test(test_text),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
