/* If this fails: a worker takes an object for another one than its text says, or believes that a text is one
 * object when it is two. */
#include "gateway/base/json_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/object.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* Texts that one takes and the other must take too, and texts that none may take. */
static const char *const texts[] = {
	"{}", "[]", " [ 1 , 2.5e-3 , \"a\" , true , false , null ] ", "0", "-0", "-12.5E+7", "\"\"",
	"\"\\u0041\\ud83d\\ude00\\n\\/\"", "\"\xc3\xa9\xf0\x9f\x98\x80\"", "{\"a\":{\"b\":[{}]}}", "\"\\u0000\"",
	"", " ", "{", "[", "]", "{]", "[}", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":}", "[1 2]", "01", "1.",
	"-", "+1", "1e", "1e+", ".5", "tru", "nul", "True", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
	"\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\x01\"", "\"\x80\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "{} {}", "{},{}",
	"\xef\xbb\xbf{}", "{\"a\\u0000\":1}", "{\"a\\\\u0000\":1}", "1e1234567890123456", "[\"a\"\n,\t1\r]", "\"a\nb\"",
	"\"1234567\\", "\"123456\\u", "\"\\u0041", "{\"\":0}",
};

static void
agrees_with_the_parser(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct arena *mem = arena_new();
		struct json_doc doc;
		bool parsed = json_parse(slice_of(texts[i]), NULL, mem, &doc, NULL) == 0;

		if (json_walk(slice_of(texts[i]), 0, NULL, NULL) != parsed)
			fail_msg("\"%s\" is %sJSON to the parser", texts[i], parsed ? "" : "no ");
		arena_free(mem);
	}
}

static void
every_truncation_is_refused(void **state)
{
	static const char whole[] = "{\"a\":[1,-2.5e3,\"x\\u00e9\\\\\"],\"b\":{\"c\":null,\"d\":true}}";

	(void)state;
	assert_true(json_walk(SLICE_LIT(whole), 0, NULL, NULL));
	for (size_t n = 0; n + 1 < sizeof(whole); n++)
		assert_false(json_walk(slice_from(whole, n), 0, NULL, NULL));
}

static void
depth_has_a_limit(void **state)
{
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 129; i++)
		strbuf_addc(&b, '[');
	for (int i = 0; i < 129; i++)
		strbuf_addc(&b, ']');
	assert_false(json_walk(strbuf_slice(&b), 0, NULL, NULL));
	assert_true(json_walk(strbuf_slice(&b), 129, NULL, NULL));
	assert_true(json_walk(slice_from(b.p + 1, b.n - 2), 0, NULL, NULL));
	strbuf_fini(&b);
}

static bool
collect(void *ctx, struct slice name, struct slice value)
{
	strbuf_addf(ctx, "%.*s=%.*s|", SLICE_ARG(name), SLICE_ARG(value));
	return true;
}

static void
children_are_told_in_order(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct arena *mem = arena_new();

	(void)state;
	assert_true(json_walk(SLICE_LIT(" { \"a\" : [1, 2] ,\"\\u0062\":\"x\\ty\"} "), 0, collect, &b));
	assert_string_equal(b.p, "a=[1, 2]|\\u0062=\"x\\ty\"|");
	assert_true(slice_is(json_walk_text(SLICE_LIT("\\u0062"), false, mem), "b"));
	assert_true(slice_is(json_walk_text(SLICE_LIT("\"x\\ty\\u00e9\\ud83d\\ude00\""), true, mem),
	    "x\ty\xc3\xa9\xf0\x9f\x98\x80"));
	strbuf_fini(&b);
	arena_free(mem);
}

/* ---- object_skim ---- */

#define HEAD	"\"type\":\"indicator\",\"id\":\"indicator--00000000-0000-4000-8000-000000000001\""
#define RED	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
#define GREEN	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define OTHER	"marking-definition--00000000-0000-4000-8000-00000000000f"

static const char *const objects[] = {
	"{" HEAD "}",
	"{" HEAD ",\"created\":\"2024-01-01T00:00:00.500Z\",\"revoked\":true}",
	"{" HEAD ",\"created\":\"2024-01-01T00:00:00Z\",\"modified\":\"2024-01-02T00:00:00Z\","
	    "\"spec_version\":\"2.1\",\"created_by_ref\":\"identity--x\",\"valid_until\":\"2025-01-01T00:00:00Z\"}",
	"{" HEAD ",\"created\":\"yesterday\"}",
	"{" HEAD ",\"labels\":[\"tlp:green\",\"PAP:RED\",\"exercise\",\"embargo:press\",\"embargo:x\",7]}",
	"{" HEAD ",\"labels\":{\"a\":\"TLP:AMBER+STRICT\"}}",
	"{" HEAD ",\"labels\":\"tlp:red\"}",
	"{" HEAD ",\"object_marking_refs\":[\"" GREEN "\",\"" RED "\"]}",
	"{" HEAD ",\"object_marking_refs\":[\"" GREEN "\"],\"granular_markings\":[{\"marking_ref\":\"" RED "\"}]}",
	"{" HEAD ",\"granular_markings\":[{\"lang\":\"fr\"},{\"marking_ref\":\"" GREEN "\"},3,[\"marking_ref\"]]}",
	"{" HEAD ",\"object_marking_refs\":[\"marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e\"]}",
	"{" HEAD ",\"object_marking_refs\":\"" GREEN "\"}", "{" HEAD ",\"object_marking_refs\":7}",
	"{" HEAD ",\"object_marking_refs\":null,\"granular_markings\":null}",
	"{" HEAD ",\"object_marking_refs\":{\"a\":\"" GREEN "\"},\"granular_markings\":{}}",
	"{" HEAD ",\"object_marking_refs\":[\"" GREEN "\"],\"granular_markings\":{\"marking_ref\":\"" RED "\"}}",
	"{" HEAD ",\"object_marking_refs\":[\"" GREEN "\"],\"granular_markings\":[{\"marking\":\"" RED "\"}]}",
	"{\"\\u0074ype\":\"indicator\",\"id\":\"indicator--0000000\\u0030-0000-4000-8000-000000000001\"}",
	"{\"type\":\"indicator\",\"id\":\"malware--00000000-0000-4000-8000-000000000001\"}",
	"{\"type\":\"indicator\",\"id\":\"indicator--1\"}", "{\"type\":\"indicator\"}", "[]", "7", "{}",
	"{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--00000000-0000-4000-8000-000000000001\",\"value\":\"1.2.3.4\"}",
	"{\"type\":\"marking-definition\",\"id\":\"" GREEN "\",\"definition_type\":\"statement\"}",
};

static void
skimmed_is_what_is_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(objects); i++) {
		struct arena *mem = arena_new();
		struct object a = { .bytes = slice_of(objects[i]) }, b = a;
		struct json_doc doc;
		bool open = false, hashed;
		int parsed = -1;

		assert_int_equal(json_parse(a.bytes, NULL, mem, &doc, NULL), 0);
		a.tree = doc.root;
		parsed = object_fill(&a, mem, NULL, NULL, NULL);
		assert_int_equal(object_skim(&b, mem, &open), parsed);
		if (parsed == 0) {
			hashed = slice_starts(a.version_key, "sha256:");
			assert_true(slice_eq(a.id, b.id) && slice_eq(a.type, b.type));
			assert_true(slice_eq(a.spec_version, b.spec_version));
			assert_true(slice_eq(a.version, b.version));
			assert_true(hashed ? b.version_key.n == 0 : slice_eq(a.version_key, b.version_key));
			assert_true(slice_eq(a.created_by, b.created_by));
			assert_true(slice_eq(a.valid_until_key, b.valid_until_key));
			assert_true(slice_eq(a.embargo_desk, b.embargo_desk));
			assert_int_equal(a.class, b.class);
			assert_int_equal(a.pap, b.pap);
			assert_int_equal(a.tlp, b.tlp);
			assert_int_equal(a.label, b.label);
			assert_int_equal(a.flags & OBJECT_OWN_FLAGS, b.flags);
			assert_false(open);
		}
		arena_free(mem);
	}
}

static void
markings_that_need_a_definition_are_told(void **state)
{
	static const char *const odd[] = {
		"{" HEAD ",\"object_marking_refs\":[\"" OTHER "\"]}",
		"{" HEAD ",\"object_marking_refs\":[7]}",
		"{" HEAD ",\"granular_markings\":[{\"marking_ref\":\"" OTHER "\"}]}",
	};
	struct arena *mem = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(odd); i++) {
		struct object o = { .bytes = slice_of(odd[i]) };
		bool open = false;

		assert_int_equal(object_skim(&o, mem, &open), 0);
		assert_true(open);
	}
	arena_free(mem);
}

static void
a_member_that_stands_twice_is_refused(void **state)
{
	struct object o = { .bytes = SLICE_LIT("{" HEAD ",\"labels\":[\"tlp:red\"],\"l\\u0061bels\":[]}") };
	struct arena *mem = arena_new();
	bool open;

	(void)state;
	assert_int_equal(object_skim(&o, mem, &open), -1);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_parser),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(children_are_told_in_order),
		cmocka_unit_test(skimmed_is_what_is_parsed),
		cmocka_unit_test(markings_that_need_a_definition_are_told),
		cmocka_unit_test(a_member_that_stands_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
