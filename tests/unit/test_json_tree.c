/* If this failed: objects we edit or make would go out broken, ids computed from content would
 * differ from everybody else's, and two spellings of one object would count as two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static json *
read_or_fail(struct arena *mem, const char *text)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(slice_of(text), NULL, mem, &doc, &e) < 0)
		fail_msg("%s: %s", text, e.reason);
	return doc.root;
}

static void
assert_prints(const json *o, const char *expected)
{
	struct strbuf out = STRBUF_INIT;

	json_print(&out, o);
	assert_string_equal(out.p, expected);
	strbuf_fini(&out);
}

static void
assert_canonical(const json *o, const char *expected)
{
	struct strbuf out = STRBUF_INIT;

	json_print_jcs(&out, o);
	assert_string_equal(out.p, expected);
	strbuf_fini(&out);
}

static void
nothing_is_read_from_nothing(void **state)
{
	int64_t i;
	double d;

	(void)state;
	assert_null(json_get(NULL, "x"));
	assert_null(json_at(NULL, 0));
	assert_null(json_first(NULL));
	assert_null(json_next(NULL));
	assert_null(json_name(NULL));
	assert_int_equal(json_count(NULL), 0);
	assert_false(json_is_object(NULL) || json_is_list(NULL) || json_is_string(NULL) ||
	    json_is_number(NULL) || json_is_bool(NULL) || json_is_null(NULL) || json_bool(NULL));
	assert_null(json_str(NULL));
	assert_int_equal(json_slice(NULL).n, 0);
	assert_false(json_int(NULL, &i) || json_double(NULL, &d));
	assert_int_equal(json_number_text(NULL, NULL).n, 0);
	assert_int_equal(json_member(NULL, "x").n, 0);
	assert_true(json_equal(NULL, NULL));
	assert_null(json_copy(NULL, NULL));
	json_remove(NULL, "x");
	json_detach(NULL, NULL);
	assert_prints(NULL, "null");
}

static void
members_are_found_by_their_exact_name(void **state)
{
	struct arena *mem = arena_new();
	json *o = read_or_fail(mem, "{\"ID\":\"upper\",\"id\":\"lower\",\"i\":\"\","
	    "\"l\":[1,\"two\",true]}");
	json *l = json_get(o, "l");

	(void)state;
	assert_string_equal(json_str(json_get(o, "id")), "lower");
	assert_string_equal(json_str(json_get(o, "ID")), "upper");
	assert_null(json_get(o, "Id"));
	assert_null(json_get(o, ""));
	assert_null(json_get(l, "id"));
	assert_true(slice_is(json_member(o, "id"), "lower"));
	assert_true(json_is_string(json_get(o, "i")));
	assert_int_equal(json_member(o, "l").n, 0);
	assert_int_equal(json_count(o), 4);
	assert_int_equal(json_count(l), 3);
	assert_string_equal(json_str(json_at(l, 1)), "two");
	assert_true(json_bool(json_at(l, 2)));
	assert_null(json_at(l, 3));
	assert_string_equal(json_name(json_first(o)), "ID");
	assert_null(json_name(json_first(l)));
	assert_null(json_first(json_first(l)));
	arena_free(mem);
}

static void
editing_keeps_the_order_and_the_rest(void **state)
{
	struct arena *mem = arena_new();
	json *o = json_object(mem), *l = json_list(mem), *first;

	(void)state;
	assert_prints(o, "{}");
	json_put_int(mem, o, "a", 1);
	json_put_str(mem, o, "b", SLICE_LIT("x"));
	json_put_bool(mem, o, "c", true);
	assert_prints(o, "{\"a\":1,\"b\":\"x\",\"c\":true}");
	json_put_int(mem, o, "b", 2);			/* replaced where it stood */
	json_put_int(mem, o, "c", 3);
	json_put_int(mem, o, "d", 4);
	json_put_bool(mem, o, "a", false);
	json_put_int(mem, o, "e", 5);
	assert_prints(o, "{\"a\":false,\"b\":2,\"c\":3,\"d\":4,\"e\":5}");
	json_remove(o, "c");
	json_remove(o, "c");
	json_remove(o, "e");
	json_put_int(mem, o, "f", 6);
	json_remove(o, "a");
	json_put_int(mem, o, "g", 7);
	assert_prints(o, "{\"b\":2,\"d\":4,\"f\":6,\"g\":7}");
	assert_null(json_put(mem, o, "h", NULL));
	for (const char *const *n = (const char *const[]){ "b", "d", "f", "g", NULL }; *n; n++)
		json_remove(o, *n);
	assert_prints(o, "{}");
	json_put(mem, o, "only", json_list(mem));
	json_put(mem, o, "only", json_object(mem));	/* the only member replaced */
	json_put_int(mem, o, "next", -1);
	assert_prints(o, "{\"only\":{},\"next\":-1}");
	for (int i = 0; i < 4; i++)
		json_push(l, json_integer(mem, i));
	first = json_first(l);
	json_detach(l, first);
	json_detach(l, json_at(l, 2));
	json_push(l, first);
	assert_null(json_push(l, NULL));
	json_push(l, json_get(o, "only") == NULL ? NULL : json_copy(mem, json_get(o, "only")));
	assert_prints(l, "[1,2,0,{}]");
	arena_free(mem);
}

static void
copies_are_deep(void **state)
{
	static const char text[] = "{\"a\":[1,2.50,\"x\",\"\\u0000\"],\"b\":{\"c\":null}}";
	struct arena *mem = arena_new(), *other = arena_new();
	json *o = read_or_fail(mem, text), *copy = json_copy(other, o);

	(void)state;
	json_put_int(mem, json_get(o, "b"), "c", 1);
	json_push(json_get(o, "a"), json_integer(mem, 3));
	assert_false(json_equal(o, copy));
	arena_free(mem);
	assert_prints(copy, text);
	assert_int_equal(json_slice(json_at(json_get(copy, "a"), 3)).n, 1);
	json_put_int(other, copy, "d", 1);
	assert_int_equal(json_count(copy), 3);
	arena_free(other);
}

static void
what_we_make_is_json(void **state)
{
	struct arena *mem = arena_new();
	struct strbuf all = STRBUF_INIT, out = STRBUF_INIT;
	json *l = json_list(mem);
	struct json_doc back;

	(void)state;
	for (uint32_t cp = 0; cp < 0x300; cp++)
		utf8_add(&all, cp);
	json_push(l, json_string(mem, strbuf_slice(&all)));
	json_push(l, json_string(mem, SLICE_EMPTY));
	json_push(l, json_string(mem, SLICE_LIT("a\xff" "b\xc3")));	/* no UTF-8 */
	json_push(l, json_integer(mem, INT64_MIN));
	json_push(l, json_integer(mem, INT64_MAX));
	json_push(l, json_integer(mem, -42));
	json_push(l, json_raw(mem, SLICE_LIT(" 1.50 ")));
	json_push(l, json_raw(mem, SLICE_LIT("\"\\/\"")));
	json_push(l, json_raw(mem, SLICE_LIT("{\"a\" : [ 1 ]}")));
	json_print(&out, l);
	assert_int_equal(json_parse(strbuf_slice(&out), NULL, mem, &back, NULL), 0);
	assert_true(json_equal(l, back.root));
	assert_true(slice_eq(json_slice(json_at(back.root, 0)), strbuf_slice(&all)));
	assert_string_equal(json_str(json_at(back.root, 2)), "a\xef\xbf\xbd" "b\xef\xbf\xbd");
	assert_non_null(strstr(out.p, ",-9223372036854775808,9223372036854775807,-42,1.50,\"\\/\","
	    "{\"a\" : [ 1 ]}]"));
	assert_true(slice_is(json_slice(json_at(l, 7)), "/"));
	strbuf_reset(&out);
	json_print_string(&out, SLICE_LIT("\x01\x1f\x7f\"\\/\b\f\n\r\t\xe2\x82\xac"));
	assert_string_equal(out.p,
	    "\"\\u0001\\u001f\x7f\\\"\\\\/\\b\\f\\n\\r\\t\xe2\x82\xac\"");
	strbuf_reset(&out);
	json_print_string(&out, SLICE_LIT("\xe2\x82 cut \xff"));
	assert_string_equal(out.p, "\"\xef\xbf\xbd\xef\xbf\xbd cut \xef\xbf\xbd\"");
	strbuf_fini(&out);
	strbuf_fini(&all);
	arena_free(mem);
}

static void
equality_is_about_values(void **state)
{
	static const struct {
		const char	*a, *b;
		bool		 same;
	} rows[] = {
		{ "{\"a\":1,\"b\":[1,2]}", "{ \"b\" : [1,2] , \"a\" : 1.0 }", true },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"c\":3,\"b\":2}", true },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"c\":2,\"b\":3}", false },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false },
		{ "{\"a\":1}", "{\"A\":1}", false },
		{ "[1,2]", "[2,1]", false }, { "[1,2]", "[1,2,3]", false }, { "[]", "{}", false },
		{ "\"/\"", "\"\\/\"", true }, { "\"\\u00fc\"", "\"\xc3\xbc\"", true },
		{ "\"a\\u0000b\"", "\"\\u0061\\u0000b\"", true },
		{ "\"a\\u0000b\"", "\"a\\u0000c\"", false }, { "\"a\\u0000\"", "\"a\"", false },
		{ "\"1\"", "1", false }, { "true", "1", false }, { "true", "false", false },
		{ "null", "false", false }, { "null", "null", true },
		{ "1", "1.0", true }, { "100", "1e2", true }, { "1e2", "0.1e3", true },
		{ "-0", "0", true }, { "-0.0", "0e5", true }, { "1", "-1", false },
		{ "-1.5", "1.5", false }, { "1.10", "1.1", true }, { "1.1", "1.01", false },
		{ "9007199254740993", "9007199254740992", false },
		{ "9007199254740993", "9007199254740993.0", true },
		{ "9007199254740992", "9007199254740991", false },
		{ "123456789012345678901234567890", "123456789012345678901234567891", false },
		{ "1e400", "1e401", false }, { "1e400", "10e399", true },
		{ "0.1", "0.1000000000000000055511151231257827", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem = arena_new();
		json *a = read_or_fail(mem, rows[i].a), *b = read_or_fail(mem, rows[i].b);

		if (json_equal(a, b) != rows[i].same || json_equal(b, a) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
		assert_true(json_equal(json_raw(mem, slice_of(rows[i].a)), a));
		assert_int_equal(json_equal(json_raw(mem, slice_of(rows[i].a)), b), rows[i].same);
		arena_free(mem);
	}
}

/* RFC 8785, appendix B, and powers of two, where the nearest short decimal may not be the one that
 * reads back. */
static void
doubles_are_written_like_ecmascript(void **state)
{
	static const struct {
		uint64_t	 bits;
		const char	*text;
	} rows[] = {
		{ 0x0000000000000000, "0" }, { 0x8000000000000000, "0" },
		{ 0x0000000000000001, "5e-324" }, { 0x8000000000000001, "-5e-324" },
		{ 0x7fefffffffffffff, "1.7976931348623157e+308" },
		{ 0xffefffffffffffff, "-1.7976931348623157e+308" },
		{ 0x4340000000000000, "9007199254740992" },
		{ 0xc340000000000000, "-9007199254740992" },
		{ 0x4430000000000000, "295147905179352830000" },
		{ 0x44b52d02c7e14af5, "9.999999999999997e+22" },
		{ 0x44b52d02c7e14af6, "1e+23" },
		{ 0x44b52d02c7e14af7, "1.0000000000000001e+23" },
		{ 0x444b1ae4d6e2ef4e, "999999999999999700000" },
		{ 0x444b1ae4d6e2ef4f, "999999999999999900000" },
		{ 0x444b1ae4d6e2ef50, "1e+21" },
		{ 0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7" },
		{ 0x3eb0c6f7a0b5ed8d, "0.000001" },
		{ 0x41b3de4355555553, "333333333.3333332" },
		{ 0x41b3de4355555554, "333333333.33333325" },
		{ 0x41b3de4355555555, "333333333.3333333" },
		{ 0x41b3de4355555556, "333333333.3333334" },
		{ 0x41b3de4355555557, "333333333.33333343" },
		{ 0xbecbf647612f3696, "-0.0000033333333333333333" },
		{ 0x43143ff3c1cb0959, "1424953923781206.2" },
		{ 0x3d30000000000000, "5.684341886080802e-14" },	/* 2^-44 */
		{ 0x0010000000000000, "2.2250738585072014e-308" },	/* least normal */
		{ 0x3fe0000000000000, "0.5" }, { 0x4059000000000000, "100" },
		{ 0x3fb999999999999a, "0.1" }, { 0x4024333333333333, "10.1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem = arena_new();
		double v;

		memcpy(&v, &rows[i].bits, sizeof(v));
		assert_canonical(read_or_fail(mem, arena_fmt(mem, "%.17g", v)), rows[i].text);
		assert_canonical(read_or_fail(mem, arena_fmt(mem, "%.800f", v)), rows[i].text);
		arena_free(mem);
	}
}

static void
canonical_form_follows_rfc_8785(void **state)
{
	static const struct {
		const char	*text, *canonical;
	} rows[] = {
		{ "{\"b\":[ 3, 1 ],\"a\":{\"z\":null,\"y\":\"\\/\"}}",
		    "{\"a\":{\"y\":\"/\",\"z\":null},\"b\":[3,1]}" },
		{ "[56.0,1E30,4.50,2e-3,0.000000000000000000000000001,-0,1e0,9007199254740993]",
		    "[56,1e+30,4.5,0.002,1e-27,0,1,9007199254740992]" },
		{ "\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\\u0000\"",
		    "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\u0000\"" },
		{ "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,"
		    "\"\\u0080\":6,\"\\u00f6\":7}",
		    "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
		    "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}" },
		{ "{\"a\\ue000\":1,\"a\\ud7ff\":2,\"a\":3,\"\":4,\"a\\udbff\\udfff\":5}",
		    "{\"\":4,\"a\":3,\"a\xed\x9f\xbf\":2,\"a\xf4\x8f\xbf\xbf\":5,"
		    "\"a\xee\x80\x80\":1}" },
		{ "[1e400]", "[1e400]" },		/* no double: the text is kept */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem = arena_new();

		assert_canonical(read_or_fail(mem, rows[i].text), rows[i].canonical);
		assert_canonical(json_raw(mem, slice_of(rows[i].text)), rows[i].canonical);
		arena_free(mem);
	}
}

/* Ids as other STIX implementations compute them. */
static void
content_ids_agree_with_the_world(void **state)
{
	static const struct {
		const char	*text, *uuid;
	} rows[] = {
		{ "{\"value\": \"b\\u00fccher.example\"}", "dbf3aff2-b3cd-57d2-9616-0ddfde9d01ad" },
		{ "{\"number\": 15139}", "3aa27478-50b5-5ab8-9da9-cdc12b657fff" },
		{ "{\"path\": \"C:\\\\Windows\\\\System32\"}",
		    "0a58d0c1-59e6-5afd-8252-dcd3f13e5622" },
		{ "{\"name\":\"foo.exe\",\"hashes\":{"
		    "\"MD5\":\"A92E5B2BAE0B4B3A3D81C85610B95CD4\"}}",
		    "1bb5ce3e-9391-5097-93ee-a26c96e71d9a" },
		{ "{\"values\":[{\"name\":\"Foo\",\"data\":\"qwerty\",\"data_type\":\"REG_SZ\"},"
		    "{\"name\":\"Bar\",\"data\":\"42\",\"data_type\":\"REG_DWORD\"}],"
		    "\"key\":\"HKEY_LOCAL_MACHINE\\\\System\\\\Foo\\\\Bar\"}",
		    "e68e0cfb-e4a4-529f-a747-39e7e378e40e" },
		{ "{\"subject\":\"Saying \\\"Hello\\\"\\n\\u20ac\",\"body\":\"x\",\"from_ref\":"
		    "\"email-addr--7165e2a9-671f-585d-b1e1-ca59c671d934\"}",
		    "7ffd79b4-0764-5efc-906a-739e7e90db1f" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem = arena_new();
		struct strbuf out = STRBUF_INIT;
		char uuid[UUID_TEXT + 1];

		json_print_jcs(&out, read_or_fail(mem, rows[i].text));
		uuid_v5(uuid_ns_stix_sco, strbuf_slice(&out), uuid);
		assert_string_equal(uuid, rows[i].uuid);
		strbuf_fini(&out);
		arena_free(mem);
	}
}

/* All vectors of the shared corpus, where it is at hand. */
static void
corpus_ids_agree(void **state)
{
	static const char path[] = "../shared/corpus/stix21/sco_id_vectors.json";
	struct arena *mem = arena_new();
	struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	struct json_doc doc;

	(void)state;
	if (!file_exists(path)) {
		arena_free(mem);
		skip();
	}
	assert_int_equal(file_read(path, 1 << 20, &text, NULL), 0);
	assert_int_equal(json_parse(strbuf_slice(&text), NULL, mem, &doc, NULL), 0);
	assert_true(doc.nitems > 10);
	for (const json *v = json_first(doc.root); v != NULL; v = json_next(v)) {
		const char *canonical = json_str(json_get(v, "canonical"));
		char uuid[UUID_TEXT + 1];

		strbuf_reset(&out);
		json_print_jcs(&out, read_or_fail(mem, canonical));
		assert_string_equal(out.p, canonical);
		uuid_v5(uuid_ns_stix_sco, strbuf_slice(&out), uuid);
		assert_true(slice_ends(json_member(v, "id"), uuid));
	}
	strbuf_fini(&text);
	strbuf_fini(&out);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_read_from_nothing),
		cmocka_unit_test(members_are_found_by_their_exact_name),
		cmocka_unit_test(editing_keeps_the_order_and_the_rest),
		cmocka_unit_test(copies_are_deep),
		cmocka_unit_test(what_we_make_is_json),
		cmocka_unit_test(equality_is_about_values),
		cmocka_unit_test(doubles_are_written_like_ecmascript),
		cmocka_unit_test(canonical_form_follows_rfc_8785),
		cmocka_unit_test(content_ids_agree_with_the_world),
		cmocka_unit_test(corpus_ids_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
