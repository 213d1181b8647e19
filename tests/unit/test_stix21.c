/* If this fails, a STIX message is changed on its way through, or a broken one gets in unnoticed. */
#include <stdio.h>
#include <string.h>

#include "formats/format.h"
#include "formats/stix21_types.h"
#include "tests/unit/corpus_kit.h"
#include "tests/unit/mem_kit.h"

#define UUID		"00000000-0000-4000-8000-000000000001"
#define TIMES		"\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\""
#define OBJECT(t, more)	"{\"type\":\"" t "\",\"spec_version\":\"2.1\",\"id\":\"" t "--" UUID "\"," TIMES more "}"
#define SCO(t, more)	"{\"type\":\"" t "\",\"id\":\"" t "--" UUID "\"" more "}"
#define INDICATOR(more)	OBJECT("indicator", ",\"pattern_type\":\"stix\","				\
			"\"valid_from\":\"2026-01-01T00:00:00Z\"" more)
#define PATTERN		",\"pattern\":\"[url:value = 'http://a.example/']\""
#define TO(t)		t "--" UUID

/* Read one text; the advisory lives until the end of the test. */
static int
read_text(struct slice text, bool strict, struct advisory **adv, struct err *e)
{
	struct read_job job = { .in = text, .input = "test", .strict = strict };

	*adv = arena_alloc(mem, sizeof(**adv));
	*e = (struct err)ERR_INIT;
	return format_stix21.read(&job, mem, *adv, e);
}

/* What must be said of one object. */
struct expectation {
	const char	*object;
	const char	*code;		/* NULL: nothing */
	const char	*path;
	bool		 refused;	/* when strict */
};

static const struct expectation expectations[] = {
	{ OBJECT("tool", ",\"name\":\"t\""), NULL, NULL, false },
	{ OBJECT("tool", ""), "MISSING_PROPERTY", "name", true },
	{ OBJECT("tool", ",\"name\":7"), "BAD_TYPE_OF", "name", true },
	{ OBJECT("tool", ",\"name\":null"), "NULL_VALUE", "name", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"aliases\":[]"), "EMPTY_LIST", "aliases", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"aliases\":\"a\""), "BAD_TYPE_OF", "aliases", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"aliases\":[\"a\",1]"), "BAD_TYPE_OF", "aliases[1]", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"extensions\":{}"), "EMPTY_OBJECT", "extensions", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"x_a\":{\"b\":[{\"c\":null}]}"), "NULL_VALUE",
	    "x_a.b[0].c", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"x_a\":1"), "CUSTOM_PROPERTY", "x_a", false },
	{ OBJECT("tool", ",\"name\":\"t\",\"X_a\":1"), "BAD_NAME", "X_a", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"confidence\":101"), "BAD_RANGE", "confidence", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"confidence\":1.5"), "BAD_TYPE_OF", "confidence", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"revoked\":\"no\""), "BAD_TYPE_OF", "revoked", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"created_by_ref\":\"" TO("tool") "\""), "BAD_REF",
	    "created_by_ref", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"created_by_ref\":\"identity--7\""), "BAD_REF",
	    "created_by_ref", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"object_marking_refs\":[\"" TO("identity") "\"]"),
	    "BAD_REF", "object_marking_refs[0]", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"kill_chain_phases\":[{\"kill_chain_name\":\"k\"}]"),
	    "MISSING_PROPERTY", "kill_chain_phases[0].phase_name", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"external_references\":[{\"source_name\":\"s\"}]"),
	    "BAD_REFERENCE", "external_references[0]", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"granular_markings\":[{\"lang\":\"es\",\"selectors\":"
	    "[\"aliases\"]}]"), "BAD_SELECTOR", "granular_markings[0].selectors[0]", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"granular_markings\":[{\"selectors\":[\"name\"]}]"),
	    "BAD_MARKING", "granular_markings[0]", true },
	{ OBJECT("tool", ",\"name\":\"t\",\"granular_markings\":[{\"lang\":\"es\",\"selectors\":"
	    "[\"name\"]}]"), NULL, NULL, false },
	{ OBJECT("tool", ",\"name\":\"t\",\"aliases\":[\"a\"],\"granular_markings\":[{\"lang\":\"es\","
	    "\"selectors\":[\"aliases.[0]\"]}]"), NULL, NULL, false },
	{ OBJECT("tool", ",\"name\":\"t\",\"aliases\":[\"a\"],\"granular_markings\":[{\"lang\":\"es\","
	    "\"selectors\":[\"aliases.[1]\"]}]"), "BAD_SELECTOR", "granular_markings[0].selectors[0]",
	    true },
	{ OBJECT("x-thing", ",\"anything\":1"), "CUSTOM_TYPE", "type", false },
	{ OBJECT("x-thing", ",\"extensions\":{\"" TO("extension-definition") "\":{\"extension_type\":"
	    "\"new-sdo\"}}"), NULL, NULL, false },
	{ INDICATOR(PATTERN), NULL, NULL, false },
	{ INDICATOR(""), "MISSING_PROPERTY", "pattern", true },
	{ INDICATOR(",\"pattern\":\" \""), "BAD_PATTERN", "pattern", true },
	{ INDICATOR(",\"pattern\":\"[url:value = ]\""), "BAD_PATTERN", "pattern", true },
	{ INDICATOR(PATTERN ",\"valid_until\":\"2026-01-01T00:00:00.0Z\""), "BAD_ORDER",
	    "valid_until", true },
	{ INDICATOR(PATTERN ",\"valid_until\":\"2026-01-01\""), "BAD_TIMESTAMP", "valid_until", true },
	{ OBJECT("malware", ",\"is_family\":true"), "MISSING_PROPERTY", "name", true },
	{ OBJECT("malware", ",\"is_family\":false"), NULL, NULL, false },
	{ OBJECT("location", ",\"name\":\"l\""), "MISSING_PROPERTY", "", true },
	{ OBJECT("location", ",\"latitude\":1.5"), "BAD_COMBINATION", "latitude", true },
	{ OBJECT("location", ",\"latitude\":90.5,\"longitude\":1"), "BAD_RANGE", "latitude", true },
	{ OBJECT("opinion", ",\"opinion\":\"yes\",\"object_refs\":[\"" TO("tool") "\"]"), "BAD_ENUM",
	    "opinion", true },
	{ OBJECT("relationship", ",\"relationship_type\":\"uses\",\"source_ref\":\"" TO("malware")
	    "\",\"target_ref\":\"" TO("bundle") "\""), "BAD_REF", "target_ref", true },
	{ OBJECT("relationship", ",\"relationship_type\":\"uses it\",\"source_ref\":\"" TO("malware")
	    "\",\"target_ref\":\"" TO("tool") "\""), "BAD_NAME", "relationship_type", true },
	{ OBJECT("relationship", ",\"relationship_type\":\"uses\",\"source_ref\":\"" TO("x-odd")
	    "\",\"target_ref\":\"" TO("tool") "\""), NULL, NULL, false },
	{ OBJECT("sighting", ",\"sighting_of_ref\":\"" TO("url") "\""), "BAD_REF", "sighting_of_ref",
	    true },
	{ SCO("url", ""), "MISSING_PROPERTY", "value", true },
	{ SCO("url", ",\"value\":\"http://a.example/\""), NULL, NULL, false },
	{ SCO("url", ",\"value\":\"http://a.example/\"," TIMES), "CUSTOM_PROPERTY", "created", false },
	{ SCO("file", ",\"size\":1"), "MISSING_PROPERTY", "", true },
	{ SCO("file", ",\"hashes\":{\"MD5\":\"00\"}"), "BAD_HASH", "hashes.MD5", true },
	{ SCO("file", ",\"name\":\"f\",\"magic_number_hex\":\"abc\""), "BAD_HEX", "magic_number_hex",
	    true },
	{ SCO("file", ",\"name\":\"f\",\"extensions\":{\"tcp-ext\":{\"src_flags_hex\":\"00\"}}"),
	    "BAD_EXTENSION", "extensions.tcp-ext", true },
	{ SCO("file", ",\"name\":\"f\",\"extensions\":{\"pdf-ext\":{\"is_optimized\":\"no\"}}"),
	    "BAD_TYPE_OF", "extensions.pdf-ext.is_optimized", true },
	{ SCO("file", ",\"name\":\"f\",\"extensions\":{\"x-my-ext\":{\"a\":1}}"), "CUSTOM_EXTENSION",
	    "extensions.x-my-ext", false },
	{ SCO("artifact", ",\"payload_bin\":\"AAA\""), "BAD_BASE64", "payload_bin", true },
	{ SCO("artifact", ",\"url\":\"http://a.example/\""), "BAD_COMBINATION", "url", true },
	{ SCO("network-traffic", ",\"src_ref\":\"" TO("ipv4-addr") "\",\"protocols\":[\"tcp\"],"
	    "\"dst_port\":65536"), "BAD_RANGE", "dst_port", true },
	{ SCO("email-message", ",\"is_multipart\":true,\"body\":\"b\""), "BAD_COMBINATION", "body",
	    true },
	{ SCO("process", ""), "BAD_COMBINATION", "", true },
	{ SCO("process", ",\"pid\":123456789012345678901234567890"), "BAD_RANGE", "pid", true },
};

/* Compare what is said of one object with what must be. */
static void
check_expectation(const struct expectation *x)
{
	const struct verdict *v;
	struct advisory *adv;
	struct err e;

	assert_int_equal(read_text(slice_of(x->object), false, &adv, &e), 0);
	assert_int_equal(adv->n, 1);
	assert_true(slice_is(adv->objects[0].bytes, x->object));
	v = adv->nverdicts == 0 ? NULL : &adv->verdicts[0];
	if (x->code == NULL ? v != NULL : v == NULL || strcmp(v->code, x->code) != 0 ||
	    strcmp(v->err.path, x->path) != 0 || v->kind != VERDICT_WARNED)
		fail_msg("%s\n  gives %s at \"%s\", not %s at \"%s\"", x->object,
		    v == NULL ? "nothing" : v->code, v == NULL ? "" : v->err.path,
		    x->code == NULL ? "nothing" : x->code, x->code == NULL ? "" : x->path);
	assert_int_equal(read_text(slice_of(x->object), true, &adv, &e), 0);
	if (adv->n != (x->refused ? 0 : 1))
		fail_msg("%s\n  is %s in strict mode", x->object, x->refused ? "taken" : "refused");
	if (x->refused) {
		assert_int_equal(adv->nverdicts, 1);
		assert_int_equal(adv->verdicts[0].kind, VERDICT_REFUSED);
		assert_string_equal(adv->verdicts[0].code, x->code);
		assert_true(slice_is(adv->verdicts[0].text, x->object));
	}
}

static void
test_every_rule_has_its_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expectations) / sizeof(*expectations); i++)
		check_expectation(&expectations[i]);
}

static void
test_tables_agree_on_types(void **state)
{
	static const char *const some[] = {
		"artifact", "windows-registry-key", "x509-certificate", "indicator", "malware-analysis",
		"extension-definition", "language-content", "marking-definition", "sighting", "url",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
		const struct stix21_type *t = stix21_type_find(slice_of(some[i]));

		assert_non_null(t);
		assert_string_equal(t->name, some[i]);
		assert_int_not_equal(object_class_of(slice_of(some[i])), OBJECT_CUSTOM);
	}
	assert_null(stix21_type_find(SLICE_LIT("bundle")));
	assert_null(stix21_type_find(SLICE_LIT("")));
}

/* Texts that hold no objects at all. */
static void
test_whole_texts_refused(void **state)
{
	static const struct { const char *text; enum err_code code; } cases[] = {
		{ "", ERR_SYNTAX }, { "7", ERR_VALUE }, { "{}", ERR_MISSING }, { "{\"a\":1}", ERR_MISSING },
		{ "{\"objects\":{}}", ERR_VALUE }, { "{\"type\":\"bundle\",\"objects\":7}", ERR_VALUE },
		{ "{\"objects\":[]} x", ERR_SYNTAX }, { "{\"objects\":[{\"a\":1,\"a\":2}]}", ERR_DUPLICATE },
		{ "{\"objects\":[\"\xff\"]}", ERR_ENCODING },
	};
	struct advisory *adv;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(read_text(slice_of(cases[i].text), false, &adv, &e), -1);
		if (e.code != cases[i].code || e.reason[0] == '\0' || e.at.line == 0)
			fail_msg("%s: %s, line %u, \"%s\"", cases[i].text, err_word(e.code),
			    e.at.line, e.reason);
	}
}

static void
test_limits(void **state)
{
	static const char text[] = "[" OBJECT("tool", ",\"name\":\"a long name\"") ","
	    SCO("mutex", ",\"name\":\"m\"") "]";
	struct advisory adv = { 0 };
	struct read_job job = { .in = slice_of(text), .limits = { .bytes = 20 } };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(format_stix21.read(&job, mem, &adv, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	job.limits = (struct format_limits){ .objects = 1 };
	assert_int_equal(format_stix21.read(&job, mem, &adv, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	job.limits = (struct format_limits){ .depth = 2 };
	assert_int_equal(format_stix21.read(&job, mem, &adv, &e), 0);
	job.limits = (struct format_limits){ .depth = 1 };
	assert_int_equal(format_stix21.read(&job, mem, &adv, &e), -1);
	assert_int_equal(e.code, ERR_DEPTH);
	job.limits = (struct format_limits){ .object_bytes = 100 };
	adv = (struct advisory){ 0 };
	assert_int_equal(format_stix21.read(&job, mem, &adv, &e), 0);
	assert_int_equal(adv.n, 1);
	assert_int_equal(adv.nverdicts, 1);
	assert_string_equal(adv.verdicts[0].code, "TOO_LARGE");
}

static void
test_sniffing(void **state)
{
	static const struct { const char *head; int least, most; } cases[] = {
		{ " \n{\"type\": \"bundle\",", 90, 100 }, { "[{\"spec_version\":\"2.1\"", 80, 100 },
		{ "{\"more\":false,\"objects\":[", 50, 80 }, { "{\"event\":", 1, 10 },
		{ "<?xml", 0, 0 }, { "a;b;c", 0, 0 }, { "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int sure = format_stix21.sniff(slice_of(cases[i].head));

		assert_in_range(sure, cases[i].least, cases[i].most);
	}
	assert_ptr_equal(format_find(SLICE_LIT("stix21")), &format_stix21);
	assert_null(format_find(SLICE_LIT("stix99")));
	assert_ptr_equal(format_sniff(SLICE_LIT("{\"type\":\"bundle\"")), &format_stix21);
}

/* The written bundle depends on its members alone, and its layout does not touch them. */
static void
test_writing_is_stable(void **state)
{
	static const char text[] = "{\"objects\":[" SCO("mutex", ", \"name\" : \"m\"") "]}";
	struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT, pretty = STRBUF_INIT;
	struct advisory *adv, *again;
	struct write_job job = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(read_text(SLICE_LIT(text), false, &adv, &e), 0);
	job.adv = adv;
	assert_int_equal(format_stix21.write(&job, mem, &once, &e), 0);
	job.pretty = true;
	assert_int_equal(format_stix21.write(&job, mem, &pretty, &e), 0);
	assert_int_equal(read_text(strbuf_slice(&pretty), true, &again, &e), 0);
	job = (struct write_job){ .adv = again };
	assert_int_equal(format_stix21.write(&job, mem, &twice, &e), 0);
	assert_string_equal(once.p, twice.p);
	strbuf_fini(&once);
	strbuf_fini(&twice);
	strbuf_fini(&pretty);
}

/* Strict must refuse `error`, tolerant must take `warning` with a remark; returns whether it did. */
static bool
agrees(struct slice text, const char *severity)
{
	struct advisory *strict, *tolerant;
	struct err e;
	bool refused = read_text(text, true, &strict, &e) < 0, warned = false;
	int rc = read_text(text, false, &tolerant, &e);

	for (size_t i = 0; i < strict->nverdicts; i++)
		refused |= strict->verdicts[i].kind == VERDICT_REFUSED;
	for (size_t i = 0; i < tolerant->nverdicts; i++)
		warned |= tolerant->verdicts[i].kind == VERDICT_WARNED;
	if (strcmp(severity, "error") == 0)
		return refused;
	return strcmp(severity, "warning") != 0 || (rc == 0 && warned && tolerant->n > 0);
}

static void
test_corpus_of_broken_documents(void **state)
{
	static const char dir[] = CORPUS "invalid/stix21/";
	struct strbuf list = STRBUF_INIT;
	struct json_doc doc;
	struct err e = ERR_INIT;
	size_t good = 0;

	(void)state;
	if (!file_exists(CORPUS "invalid/stix21/own-expected.json"))
		skip();
	assert_int_equal(file_read(CORPUS "invalid/stix21/own-expected.json", CORPUS_FILE_MAX, &list, &e), 0);
	assert_int_equal(json_parse(strbuf_slice(&list), NULL, mem, &doc, &e), 0);
	for (size_t i = 0; i < doc.nitems; i++) {
		const char *name = json_str(json_get(doc.items[i].node, "file"));
		const char *severity = json_str(json_get(doc.items[i].node, "severity"));
		struct strbuf text = STRBUF_INIT;

		assert_int_equal(file_read(arena_fmt(mem, "%s%s", dir, name), CORPUS_FILE_MAX, &text, &e), 0);
		if (agrees(strbuf_slice(&text), severity))
			good++;
		else
			print_message("%s: not treated as %s\n", name, severity);
		strbuf_fini(&text);
	}
	print_message("%zu of %zu rows agree\n", good, doc.nitems);
	assert_true(doc.nitems > 100);
	assert_int_equal(good, doc.nitems);
	strbuf_fini(&list);
}

/* Read a file, write it, and find the bytes of every object of the input in the output, in order. */
static void
check_verbatim(const char *path)
{
	struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	struct advisory adv = { 0 };
	struct read_job rj = { .input = path };
	struct write_job wj = { .adv = &adv };
	struct err e = ERR_INIT;
	char *at;

	assert_int_equal(file_read(path, CORPUS_FILE_MAX, &text, &e), 0);
	rj.in = strbuf_slice(&text);
	assert_int_equal(format_stix21.read(&rj, mem, &adv, &e), 0);
	assert_int_equal(format_stix21.write(&wj, mem, &out, &e), 0);
	at = out.p;
	for (size_t i = 0; i < adv.n; i++) {
		const struct object *o = &adv.objects[i];

		assert_memory_equal(o->bytes.p, text.p + o->offset, o->bytes.n);
		at = memmem(at, (size_t)(out.p + out.n - at), text.p + o->offset, o->bytes.n);
		if (at == NULL)
			fail_msg("%s: %.*s is not there unchanged", path, SLICE_ARG(o->id));
		at += o->bytes.n;
	}
	strbuf_fini(&text);
	strbuf_fini(&out);
}

static void
test_corpus_keeps_every_byte(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_true(corpus_each(&mem, CORPUS "stix21", ".json", check_verbatim) > 100);
}

/* The text with the object in place of its '@'. */
static const char *
put_in(const char *text, const char *object)
{
	const char *at = strchr(text, '@');

	return arena_fmt(mem, "%.*s%s%s", (int)(at - text), text, object, at + 1);
}

/* Return what strict reading says of one object in a container: a code, or NULL. */
static const char *
strict_in(const char *container, const char *object)
{
	struct advisory *adv;
	struct err e;

	assert_int_equal(read_text(slice_of(put_in(container, object)), true, &adv, &e), 0);
	return adv->nverdicts > 0 ? adv->verdicts[0].code : NULL;
}

/* STIX 2.0 is no broken 2.1: what came with 2.1 is not missing in it, everything else is judged. */
static void
test_what_20_need_not_have(void **state)
{
	static const char v20[] = "{\"type\":\"bundle\",\"id\":\"" TO("bundle")
	    "\",\"spec_version\":\"2.0\",\"objects\":[@]}";
	static const char v21[] = "{\"type\":\"bundle\",\"id\":\"" TO("bundle") "\",\"objects\":[@]}";
	static const char malware[] = "{\"type\":\"malware\",\"id\":\"" TO("malware") "\"," TIMES
	    ",\"name\":\"m\",\"labels\":[\"bot\"]}";
	static const char indicator[] = "{\"type\":\"indicator\",\"id\":\"" TO("indicator") "\"," TIMES
	    PATTERN ",\"valid_from\":\"2026-01-01T00:00:00Z\"}";
	static const char blunt[] = "{\"type\":\"indicator\",\"id\":\"" TO("indicator") "\"," TIMES PATTERN "}";

	(void)state;
	assert_null(strict_in(v20, malware));
	assert_null(strict_in(v20, indicator));
	assert_string_equal(strict_in(v20, blunt), "MISSING_PROPERTY");
	assert_string_equal(strict_in(v21, malware), "MISSING_PROPERTY");
	/* and what says that it is 2.1 is judged as that */
	assert_string_equal(strict_in(v20, OBJECT("malware", ",\"name\":\"m\"")), "MISSING_PROPERTY");
}

/* TAXII 2.0 takes a bundle and nothing else. */
static void
test_bundles_alone(void **state)
{
	static const struct { const char *text; int rc; } rows[] = {
		{ "{\"type\":\"bundle\",\"objects\":[@]}", 0 },
		{ "{\"objects\":[@],\"x\":1,\"type\":\"bundle\"}", 0 },
		{ "{\"objects\":[@]}", -1 }, { "{\"type\":\"bottle\",\"objects\":[@]}", -1 },
		{ "{\"type\":\"bundle\",\"objects\":@}", -1 }, { "[@]", -1 }, { "@", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) * 2; i++) {
		const char *text = put_in(rows[i / 2].text, OBJECT("tool", ",\"name\":\"t\""));
		struct read_job job = { .in = slice_of(text), .input = "test", .envelope = true,
			.bundle = true, .lean = i % 2 == 1, .in_stays = true };
		struct advisory adv = { .n = 0 };
		struct err e = ERR_INIT;
		size_t n;

		if (format_stix21.read(&job, mem, &adv, &e) != rows[i / 2].rc ||
		    format_stix21.count(&job, mem, &n, &e) != rows[i / 2].rc)
			fail_msg("%s", text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_rule_has_its_word, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tables_agree_on_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole_texts_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_20_need_not_have, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundles_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sniffing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writing_is_stable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_corpus_of_broken_documents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_corpus_keeps_every_byte, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
