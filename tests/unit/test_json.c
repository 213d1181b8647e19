/* If this failed: a hostile or sloppy peer could make two nodes read different things in the same
 * bytes, lose digits of what it sent, or stop a gateway with a deep or huge text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* A text that must be refused, and what must be said about it. */
struct refusal {
	struct slice	 text;
	enum err_code	 code;
	uint32_t	 line, column;
	const char	*reason;	/* a part of it */
};

static void
check_refusals(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *mem = arena_new();
		struct json_doc doc;
		struct err e = ERR_INIT;
		char said[600];

		if (json_parse(rows[i].text, NULL, mem, &doc, &e) == 0)
			fail_msg("row %zu was accepted: %s", i, rows[i].text.p);
		if (e.code != rows[i].code || e.at.line != rows[i].line ||
		    e.at.column != rows[i].column || strstr(e.reason, rows[i].reason) == NULL)
			fail_msg("row %zu, %s: %s: %s", i, rows[i].text.p, err_word(e.code),
			    err_text(&e, said, sizeof(said)));
		assert_null(doc.root);
		assert_int_equal(doc.nitems, 0);
		arena_free(mem);
	}
}

static void
what_cjson_lets_through_is_refused(void **state)
{
	static const struct refusal rows[] = {
		{ SLICE_LIT("01"), ERR_SYNTAX, 1, 1, "start with a zero" },
		{ SLICE_LIT("[-01]"), ERR_SYNTAX, 1, 2, "start with a zero" },
		{ SLICE_LIT("[00]"), ERR_SYNTAX, 1, 2, "start with a zero" },
		{ SLICE_LIT("1."), ERR_SYNTAX, 1, 3, "a digit after the decimal point" },
		{ SLICE_LIT("[1.e3]"), ERR_SYNTAX, 1, 4, "a digit after the decimal point" },
		{ SLICE_LIT("[.5]"), ERR_SYNTAX, 1, 2, "expected a value, found '.'" },
		{ SLICE_LIT("[+1]"), ERR_SYNTAX, 1, 2, "found '+'" },
		{ SLICE_LIT("[-]"), ERR_SYNTAX, 1, 3, "a digit after '-'" },
		{ SLICE_LIT("[- 1]"), ERR_SYNTAX, 1, 3, "a digit after '-'" },
		{ SLICE_LIT("[1e]"), ERR_SYNTAX, 1, 4, "a digit in the exponent" },
		{ SLICE_LIT("[1e+]"), ERR_SYNTAX, 1, 5, "a digit in the exponent" },
		{ SLICE_LIT("[0x1F]"), ERR_SYNTAX, 1, 3, "',' or ']'" },
		{ SLICE_LIT("[NaN]"), ERR_SYNTAX, 1, 2, "found 'N'" },
		{ SLICE_LIT("[nan]"), ERR_SYNTAX, 1, 2, "a value" },
		{ SLICE_LIT("[-Infinity]"), ERR_SYNTAX, 1, 3, "a digit" },
		{ SLICE_LIT("{\"id\":1,\"id\":2}"), ERR_DUPLICATE, 1, 9, "\"id\" occurs twice" },
		{ SLICE_LIT("{\"id\":1,\"\\u0069d\":2}"), ERR_DUPLICATE, 1, 9, "\"id\"" },
		{ SLICE_LIT("[{\"a\":{\"\":1,\"b\":2,\"\":3}}]"), ERR_DUPLICATE, 1, 19, "\"\"" },
		{ SLICE_LIT("{\"a\\n\":1,\"a\\n\":2}"), ERR_DUPLICATE, 1, 10, "\"a\\n\"" },
		{ SLICE_LIT("{\"a\\u0000b\":1}"), ERR_ENCODING, 1, 2, "a name may not hold" },
		{ SLICE_LIT("\xef\xbb\xbf{}"), ERR_ENCODING, 1, 1, "byte order mark" },
		{ SLICE_LIT("\x0b{}"), ERR_SYNTAX, 1, 1, "byte 0x0b" },
		{ SLICE_LIT("[1,\x0c" "2]"), ERR_SYNTAX, 1, 4, "byte 0x0c" },
		{ SLICE_LIT("[1\xc2\xa0]"), ERR_SYNTAX, 1, 3, "byte 0xc2" },
		{ SLICE_LIT("{} {}"), ERR_SYNTAX, 1, 4, "the end of the text" },
		{ SLICE_LIT("{}\0"), ERR_SYNTAX, 1, 3, "the end of the text" },
		{ SLICE_LIT("1 2"), ERR_SYNTAX, 1, 3, "the end of the text" },
		{ SLICE_LIT("truex"), ERR_SYNTAX, 1, 5, "the end of the text" },
		{ SLICE_LIT("nul"), ERR_SYNTAX, 1, 1, "a value" },
		{ SLICE_LIT("TRUE"), ERR_SYNTAX, 1, 1, "a value" },
		{ SLICE_LIT("// x\n1"), ERR_SYNTAX, 1, 1, "found '/'" },
		{ SLICE_LIT("{'a':1}"), ERR_SYNTAX, 1, 2, "a name in quotes" },
		{ SLICE_LIT("{a:1}"), ERR_SYNTAX, 1, 2, "a name in quotes" },
		{ SLICE_LIT("{1:1}"), ERR_SYNTAX, 1, 2, "a name in quotes" },
		{ SLICE_LIT("{\"a\" 1}"), ERR_SYNTAX, 1, 6, "':'" },
		{ SLICE_LIT("{\"a\":}"), ERR_SYNTAX, 1, 6, "a value" },
		{ SLICE_LIT("{\"a\":1,}"), ERR_SYNTAX, 1, 8, "a name in quotes" },
		{ SLICE_LIT("{\"a\":1 \"b\":2}"), ERR_SYNTAX, 1, 8, "',' or '}'" },
		{ SLICE_LIT("[1,]"), ERR_SYNTAX, 1, 4, "a value" },
		{ SLICE_LIT("[,1]"), ERR_SYNTAX, 1, 2, "a value" },
		{ SLICE_LIT("[1 2]"), ERR_SYNTAX, 1, 4, "',' or ']'" },
		{ SLICE_LIT("[1}"), ERR_SYNTAX, 1, 3, "',' or ']', found '}'" },
		{ SLICE_LIT("]"), ERR_SYNTAX, 1, 1, "a value" },
		{ SLICE_LIT(""), ERR_SYNTAX, 1, 1, "but the text ends" },
		{ SLICE_LIT(" \n "), ERR_SYNTAX, 2, 2, "but the text ends" },
		{ SLICE_LIT("{\n \"a\": [1,\n  2,\n  x]\n}"), ERR_SYNTAX, 4, 3, "found 'x'" },
	};

	(void)state;
	check_refusals(rows, COUNT(rows));
}

static void
strings_are_text_or_refused(void **state)
{
	static const struct refusal rows[] = {
		{ SLICE_LIT("\"a\tb\""), ERR_SYNTAX, 1, 3, "control character" },
		{ SLICE_LIT("\"a\nb\""), ERR_SYNTAX, 1, 3, "control character" },
		{ SLICE_LIT("\"a\0b\""), ERR_SYNTAX, 1, 3, "control character" },
		{ SLICE_LIT("\"0123456789abcde\x1f\""), ERR_SYNTAX, 1, 17, "control character" },
		{ SLICE_LIT("{\"a\tb\":1}"), ERR_SYNTAX, 1, 4, "control character" },
		{ SLICE_LIT("[\"abc"), ERR_SYNTAX, 1, 2, "never closed" },
		{ SLICE_LIT("\"abc\\\""), ERR_SYNTAX, 1, 1, "never closed" },
		{ SLICE_LIT("\""), ERR_SYNTAX, 1, 1, "never closed" },
		{ SLICE_LIT("\"\\x41\""), ERR_SYNTAX, 1, 2, "after a backslash" },
		{ SLICE_LIT("\"\\'\""), ERR_SYNTAX, 1, 2, "after a backslash" },
		{ SLICE_LIT("\"\\\0\""), ERR_SYNTAX, 1, 2, "after a backslash" },
		{ SLICE_LIT("\"\\"), ERR_SYNTAX, 1, 2, "after a backslash" },
		{ SLICE_LIT("\"\\u12\""), ERR_SYNTAX, 1, 2, "four hex digits" },
		{ SLICE_LIT("\"\\u12g4\""), ERR_SYNTAX, 1, 2, "four hex digits" },
		{ SLICE_LIT("\"\\u+123\""), ERR_SYNTAX, 1, 2, "four hex digits" },
		{ SLICE_LIT("\"\\U0041\""), ERR_SYNTAX, 1, 2, "after a backslash" },
		{ SLICE_LIT("\"\\u004"), ERR_SYNTAX, 1, 2, "four hex digits" },
		{ SLICE_LIT("\"\\ud800\""), ERR_ENCODING, 1, 2, "surrogate" },
		{ SLICE_LIT("\"a\\udc00\\ud800\""), ERR_ENCODING, 1, 3, "surrogate" },
		{ SLICE_LIT("\"\\ud800\\ud800\""), ERR_ENCODING, 1, 2, "surrogate" },
		{ SLICE_LIT("\"\\udc00\\udc00\""), ERR_ENCODING, 1, 2, "surrogate" },
		{ SLICE_LIT("\"\\ud83dxude00\""), ERR_ENCODING, 1, 2, "surrogate" },
		{ SLICE_LIT("\"\\ud83d\\nde00\""), ERR_ENCODING, 1, 2, "surrogate" },
		{ SLICE_LIT("\"\\ud83d\\ude0"), ERR_ENCODING, 1, 2, "surrogate" },
		{ SLICE_LIT("\"a\xff\""), ERR_ENCODING, 1, 3, "not UTF-8" },
		{ SLICE_LIT("\"\xc0\xaf\""), ERR_ENCODING, 1, 2, "not UTF-8" },
		{ SLICE_LIT("\"\xe0\x80\xaf\""), ERR_ENCODING, 1, 2, "not UTF-8" },
		{ SLICE_LIT("\"\xed\xa0\x80\""), ERR_ENCODING, 1, 2, "not UTF-8" },
		{ SLICE_LIT("\"\xf4\x90\x80\x80\""), ERR_ENCODING, 1, 2, "not UTF-8" },
		{ SLICE_LIT("\"12345678\xc3\xbc\xc3\""), ERR_ENCODING, 1, 12, "not UTF-8" },
		{ SLICE_LIT("\"\x80 well before the end\""), ERR_ENCODING, 1, 2, "not UTF-8" },
		{ SLICE_LIT("\"abc\x9f well before the end\""), ERR_ENCODING, 1, 5, "not UTF-8" },
		{ SLICE_LIT("\"abc\x1f well before the end\""), ERR_SYNTAX, 1, 5, "control" },
		{ SLICE_LIT("\"\xe2\x82"), ERR_ENCODING, 1, 2, "not UTF-8" },
		{ SLICE_LIT("{\"\xff\":1}"), ERR_ENCODING, 1, 3, "not UTF-8" },
	};

	(void)state;
	check_refusals(rows, COUNT(rows));
}

static void
good_texts_print_as_expected(void **state)
{
	static const struct {
		struct slice	 text;
		const char	*printed;
	} rows[] = {
		{ SLICE_LIT(" \t\r\n{ } \t\r\n"), "{}" },
		{ SLICE_LIT("[ ]"), "[]" },
		{ SLICE_LIT("true"), "true" },
		{ SLICE_LIT("[true,false,null]"), "[true,false,null]" },
		{ SLICE_LIT("\"\""), "\"\"" },
		{ SLICE_LIT("{\"b\":1,\"a\":{\"b\":[{}]}}"), "{\"b\":1,\"a\":{\"b\":[{}]}}" },
		{ SLICE_LIT("{\"ID\":1,\"id\":2,\"Id\":3}"), "{\"ID\":1,\"id\":2,\"Id\":3}" },
		{ SLICE_LIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
		{ SLICE_LIT("\"\\u0041\\u00fc\\u20AC\\ud83D\\uDe00\""),
		    "\"A\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ SLICE_LIT("\"\x7f\""), "\"\x7f\"" },
		{ SLICE_LIT("\"0123456\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\""),
		    "\"0123456\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\"" },
		{ SLICE_LIT("\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\""),
		    "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"" },
		{ SLICE_LIT("[\"a\\u0000b\",\"\\u0001\"]"), "[\"a\\u0000b\",\"\\u0001\"]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem = arena_new();
		struct strbuf out = STRBUF_INIT;
		struct json_doc doc;
		struct err e = ERR_INIT;

		if (json_parse(rows[i].text, NULL, mem, &doc, &e) < 0)
			fail_msg("%s: %s", rows[i].text.p, e.reason);
		json_print(&out, doc.root);
		assert_string_equal(out.p, rows[i].printed);
		strbuf_fini(&out);
		arena_free(mem);
	}
}

static void
every_cut_of_a_document_is_refused(void **state)
{
	static const char text[] = " {\"a\" : [1.5e3, -2, \"x\\u00e9\\ud83d\\ude00 longer text\"], "
	    "\"b\":{\"\xc3\xbc\":true,\"d\":null,\"e\":false}, \"objects\":[{},{\"id\":\"1\"}]}";

	(void)state;
	for (size_t n = 0; n <= sizeof(text) - 1; n++) {
		char *cut = malloc(n == 0 ? 1 : n);	/* its own block: reading past it shows */
		struct arena *mem = arena_new();
		struct json_doc doc;
		struct err e = ERR_INIT;
		int rc;

		memcpy(cut, text, n);
		rc = json_parse((struct slice){ cut, n }, NULL, mem, &doc, &e);
		if ((rc == 0) != (n == sizeof(text) - 1))
			fail_msg("the first %zu bytes: %d", n, rc);
		if (rc < 0)
			assert_true(e.code == ERR_SYNTAX || e.code == ERR_ENCODING);
		free(cut);
		arena_free(mem);
	}
}

static void
numbers_keep_their_digits(void **state)
{
	static const struct {
		const char	*text;
		bool		 is_int;
		int64_t		 i;
		bool		 is_double;
		double		 d;
	} rows[] = {
		{ "0", true, 0, true, 0 },
		{ "-0", true, 0, true, -0.0 },
		{ "-1", true, -1, true, -1 },
		{ "2147483648", true, INT64_C(2147483648), true, 2147483648.0 },
		{ "9007199254740991", true, INT64_C(9007199254740991), true, 9007199254740991.0 },
		{ "-9007199254740991", true, INT64_C(-9007199254740991), true,
		    -0x1fffffffffffffp0 },
		{ "9007199254740993", true, INT64_C(9007199254740993), true, 9007199254740992.0 },
		{ "9223372036854775807", true, INT64_MAX, true, 9223372036854775808.0 },
		{ "-9223372036854775808", true, INT64_MIN, true, -9223372036854775808.0 },
		{ "9223372036854775808", false, 0, true, 9223372036854775808.0 },
		{ "-9223372036854775809", false, 0, true, -9223372036854775808.0 },
		{ "123456789012345678901234567890", false, 0, true, 1.2345678901234568e29 },
		{ "1.0", true, 1, true, 1 },
		{ "1.10", false, 0, true, 1.1 },
		{ "1e3", true, 1000, true, 1000 },
		{ "1E+3", true, 1000, true, 1000 },
		{ "1000e-3", true, 1, true, 1 },
		{ "-1.50e2", true, -150, true, -150 },
		{ "0.5", false, 0, true, 0.5 },
		{ "0.001e3", true, 1, true, 1 },
		{ "0e99", true, 0, true, 0 },
		{ "1e18", true, INT64_C(1000000000000000000), true, 1e18 },
		{ "1e19", false, 0, true, 1e19 },
		{ "1e400", false, 0, false, 0 },
		{ "-1e400", false, 0, false, 0 },
		{ "1e-400", false, 0, true, 0 },
		{ "1e999999999999999", false, 0, false, 0 },
	};

	(void)state;
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct arena *mem = arena_new();
		struct strbuf out = STRBUF_INIT;
		struct json_doc doc;
		struct err e = ERR_INIT;
		int64_t i = 0;
		double d = 0;

		if (json_parse(slice_of(rows[k].text), NULL, mem, &doc, &e) < 0)
			fail_msg("%s: %s", rows[k].text, e.reason);
		assert_true(json_is_number(doc.root));
		assert_false(json_is_string(doc.root));
		json_print(&out, doc.root);
		assert_string_equal(out.p, rows[k].text);
		assert_true(slice_is(json_number_text(mem, doc.root), rows[k].text));
		if (json_int(doc.root, &i) != rows[k].is_int || i != rows[k].i)
			fail_msg("%s as an integer: %lld", rows[k].text, (long long)i);
		if (json_double(doc.root, &d) != rows[k].is_double || d != rows[k].d)
			fail_msg("%s as a double: %.17g", rows[k].text, d);
		strbuf_fini(&out);
		arena_free(mem);
	}
}

static void
long_numbers_have_a_limit(void **state)
{
	static const struct {
		size_t	digits;
		bool	ok;
	} rows[] = { { 4096, true }, { 4097, false }, { 1000000, false } };
	static const struct refusal exponent = { SLICE_LIT("[1e1000000000000000]"), ERR_LIMIT, 1, 4,
	    "exponent" };

	(void)state;
	check_refusals(&exponent, 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem = arena_new();
		struct json_doc doc;
		struct err e = ERR_INIT;
		char *text = malloc(rows[i].digits);
		int rc;

		memset(text, '7', rows[i].digits);
		rc = json_parse(slice_from(text, rows[i].digits), NULL, mem, &doc, &e);
		assert_int_equal(rc == 0, rows[i].ok);
		assert_int_equal(e.code, rows[i].ok ? ERR_NONE : ERR_LIMIT);
		free(text);
		arena_free(mem);
	}
}

static void
nul_in_a_string_cuts_nothing(void **state)
{
	struct slice text = SLICE_LIT("{\"a\":\"x\\u0000y\\/\",\"b\":\"\\u0000\"}");
	struct arena *mem = arena_new();
	struct strbuf out = STRBUF_INIT;
	struct json_doc doc;
	const json *a;

	(void)state;
	assert_int_equal(json_parse(text, NULL, mem, &doc, NULL), 0);
	a = json_get(doc.root, "a");
	assert_true(json_is_string(a));
	assert_false(json_is_number(a));
	assert_null(json_str(a));		/* a C string would be cut */
	assert_true(slice_eq(json_slice(a), SLICE_LIT("x\0y/")));
	assert_true(slice_eq(json_member(doc.root, "b"), SLICE_LIT("\0")));
	json_print(&out, doc.root);
	assert_true(slice_eq(strbuf_slice(&out), text));
	assert_true(json_equal(a, json_copy(mem, a)));
	assert_false(json_equal(a, json_get(doc.root, "b")));
	strbuf_fini(&out);
	arena_free(mem);
}

static void
assert_parses(struct slice text)
{
	struct arena *mem = arena_new();
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(text, NULL, mem, &doc, &e) < 0)
		fail_msg("%s", e.reason);
	arena_free(mem);
}

/* n times `left`, then n times `right`. */
static void
nest(struct strbuf *b, size_t n, const char *left, const char *middle, const char *right)
{
	strbuf_reset(b);
	for (size_t i = 0; i < n; i++)
		strbuf_adds(b, left);
	strbuf_adds(b, middle);
	for (size_t i = 0; i < n; i++)
		strbuf_adds(b, right);
}

static void
depth_has_a_limit(void **state)
{
	static const struct {
		size_t		levels;
		unsigned	limit;
		bool		ok;
	} rows[] = {
		{ 128, 0, true }, { 129, 0, false }, { 3, 3, true }, { 4, 3, false },
		{ 1000, 100000, true }, { 1001, 100000, false }, { 1000000, 0, false },
	};
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const forms[2][3] = { { "[", "1", "]" }, { "{\"a\":", "1", "}" } };

		for (size_t f = 0; f < 2; f++) {
			struct json_limits lim = { .depth = rows[i].limit };
			struct arena *mem = arena_new();
			struct json_doc doc;
			struct err e = ERR_INIT;
			int rc;

			nest(&b, rows[i].levels, forms[f][0], forms[f][1], forms[f][2]);
			rc = json_parse(strbuf_slice(&b), &lim, mem, &doc, &e);
			assert_int_equal(rc == 0, rows[i].ok);
			assert_int_equal(e.code, rows[i].ok ? ERR_NONE : ERR_DEPTH);
			arena_free(mem);
		}
	}
	strbuf_reset(&b);
	for (size_t i = 0; i < 1000; i++)		/* beside each other is not deep */
		strbuf_adds(&b, i == 0 ? "[[{\"a\":[]}]" : ",[{\"a\":[]}]");
	strbuf_addc(&b, ']');
	assert_parses(strbuf_slice(&b));
	strbuf_fini(&b);
}

static void
values_and_bytes_have_limits(void **state)
{
	static const struct {
		struct json_limits	lim;
		bool			ok;
	} rows[] = {		/* five values, 13 bytes */
		{ { .nodes = 5 }, true }, { { .nodes = 4 }, false }, { { .nodes = 1 }, false },
		{ { .bytes = 13 }, true }, { { .bytes = 12 }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem = arena_new();
		struct json_doc doc;
		struct err e = ERR_INIT;
		int rc = json_parse(SLICE_LIT("[1,{\"a\":2},3]"), &rows[i].lim, mem, &doc, &e);

		assert_int_equal(rc == 0, rows[i].ok);
		assert_int_equal(e.code, rows[i].ok ? ERR_NONE : ERR_LIMIT);
		arena_free(mem);
	}
}

/* An object of n members; with `twin` < n the last name repeats that one. */
static void
write_members(struct strbuf *b, size_t n, size_t twin)
{
	strbuf_reset(b);
	strbuf_addc(b, '{');
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s\n\"common-prefix-%zu\":1", i == 0 ? "" : ",",
		    i == n - 1 && twin < n ? twin : i);
	strbuf_addc(b, '}');
}

static void
twins_are_found_among_many(void **state)
{
	static const size_t sizes[] = { 2, 3, 24, 25, 26, 1000, 100000 };
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const size_t twins[] = { 0, sizes[i] / 2, sizes[i] - 2, sizes[i] };

		for (size_t t = 0; t < COUNT(twins); t++) {
			bool unique = twins[t] >= sizes[i] - 1;
			struct arena *mem = arena_new();
			struct json_doc doc;
			struct err e = ERR_INIT;
			int rc;

			write_members(&b, sizes[i], twins[t]);
			rc = json_parse(strbuf_slice(&b), NULL, mem, &doc, &e);
			assert_int_equal(rc == 0, unique);
			if (!unique) {
				assert_int_equal(e.code, ERR_DUPLICATE);
				assert_int_equal(e.at.line, sizes[i] + 1);
				assert_int_equal(e.at.column, 1);
			} else {
				assert_int_equal(json_count(doc.root), sizes[i]);
			}
			arena_free(mem);
		}
	}
	strbuf_fini(&b);
}

/* The place that is reported is the first one where the reader could have known. */
static void
the_first_of_many_twins_is_named(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct arena *mem = arena_new();
	struct json_doc doc;
	struct err e = ERR_INIT;

	(void)state;
	strbuf_addc(&b, '{');
	for (int i = 0; i < 100; i++)
		strbuf_addf(&b, "\n\"%d\":1,", i);
	for (int i = 99; i >= 0; i--)
		strbuf_addf(&b, "\n\"%d\":1%c", i, i == 0 ? '}' : ',');
	assert_int_equal(json_parse(strbuf_slice(&b), NULL, mem, &doc, &e), -1);
	assert_int_equal(e.at.line, 102);
	assert_non_null(strstr(e.reason, "\"99\""));
	strbuf_fini(&b);
	arena_free(mem);
}

static void
errors_do_not_repeat_long_names(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct arena *mem = arena_new();
	struct json_doc doc;
	struct err e = ERR_INIT;

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		strbuf_adds(&b, twice == 0 ? "{\"x" : ",\"x");
		for (int i = 0; i < 200; i++)
			strbuf_adds(&b, "\xc3\xbc");
		strbuf_adds(&b, "\":1");
	}
	strbuf_adds(&b, "}");
	assert_int_equal(json_parse(strbuf_slice(&b), NULL, mem, &doc, &e), -1);
	assert_int_equal(e.code, ERR_DUPLICATE);
	assert_true(strlen(e.reason) < 100);
	assert_non_null(strstr(e.reason, "\xc3\xbc\" occurs"));	/* cut between characters */
	strbuf_fini(&b);
	arena_free(mem);
}

static void
items_are_the_bytes_that_came(void **state)
{
	static const struct {
		const char	*text;
		const char	*items[4];
	} rows[] = {
		{ "{\"objects\":[ {\"a\": 1.0} ,\n\"\\/\",[2 , 3]\t]}",
		    { "{\"a\": 1.0}", "\"\\/\"", "[2 , 3]" } },
		{ " [ {} , 12 ] ", { "{}", "12" } },
		{ "{\"more\":true,\"\\u006fbjects\":[1]}", { "1" } },
		{ "{\"objects\":[]}", { NULL } },
		{ "{\"objects\":{\"objects\":[1]}}", { NULL } },
		{ "{\"Objects\":[1],\"x\":{\"objects\":[2]},\"y\":[3]}", { NULL } },
		{ "{\"objects\":[[1,2],{\"objects\":[3]}]}", { "[1,2]", "{\"objects\":[3]}" } },
		{ "12", { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem = arena_new();
		struct json_doc doc;
		size_t n = 0;

		assert_int_equal(json_parse(slice_of(rows[i].text), NULL, mem, &doc, NULL), 0);
		for (; rows[i].items[n] != NULL; n++) {
			struct json_doc alone;

			assert_true(n < doc.nitems);
			assert_true(slice_is(doc.items[n].text, rows[i].items[n]));
			assert_ptr_equal(doc.items[n].text.p, rows[i].text + doc.items[n].offset);
			assert_int_equal(json_parse(doc.items[n].text, NULL, mem, &alone, NULL), 0);
			assert_true(json_equal(alone.root, doc.items[n].node));
		}
		assert_int_equal(doc.nitems, n);
		arena_free(mem);
	}
}

static void
the_input_may_go_away(void **state)
{
	static const char text[] = "{\"name\":\"value\",\"n\":1.25,\"z\":\"\\u0000\"}";
	char *in = malloc(sizeof(text) - 1);
	struct arena *mem = arena_new();
	struct strbuf out = STRBUF_INIT;
	struct json_doc doc;

	(void)state;
	memcpy(in, text, sizeof(text) - 1);
	assert_int_equal(json_parse(slice_from(in, sizeof(text) - 1), NULL, mem, &doc, NULL), 0);
	memset(in, 'x', sizeof(text) - 1);
	free(in);
	json_print(&out, doc.root);
	assert_string_equal(out.p, text);
	strbuf_fini(&out);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cjson_lets_through_is_refused),
		cmocka_unit_test(strings_are_text_or_refused),
		cmocka_unit_test(good_texts_print_as_expected),
		cmocka_unit_test(every_cut_of_a_document_is_refused),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(long_numbers_have_a_limit),
		cmocka_unit_test(nul_in_a_string_cuts_nothing),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(values_and_bytes_have_limits),
		cmocka_unit_test(twins_are_found_among_many),
		cmocka_unit_test(the_first_of_many_twins_is_named),
		cmocka_unit_test(errors_do_not_repeat_long_names),
		cmocka_unit_test(items_are_the_bytes_that_came),
		cmocka_unit_test(the_input_may_go_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
