/* If this fails, a MISP that fetches our feed gets none of it for one bad object, fetches what did not change,
 * or finds an event that the manifest does not name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "tests/unit/misp_kit.h"

#define STAMPS "\"created\":\"2024-01-01T00:00:00.000Z\",\"modified\":\"2024-01-01T00:00:00.000Z\""
#define COLLECTION "6d2f0c0e-4b0a-4d0b-9f5f-1f6c1d8f3a11"

static const char ip_text[] = "{\"type\":\"indicator\",\"spec_version\":\"2.1\"," STAMPS ","
    "\"id\":\"indicator--11111111-1111-4111-8111-111111111111\",\"pattern\":\"[ipv4-addr:value = '198.51.100.1']\","
    "\"pattern_type\":\"stix\",\"valid_from\":\"2024-01-01T00:00:00Z\"}";
static const char two_text[] = "{\"type\":\"indicator\",\"spec_version\":\"2.1\"," STAMPS ","
    "\"id\":\"indicator--22222222-2222-4222-8222-222222222222\",\"pattern\":\"[domain-name:value = 'c2.example' AND "
    "domain-name:resolves_to_refs[*].value = '198.51.100.2']\","
    "\"pattern_type\":\"stix\",\"valid_from\":\"2024-01-01T00:00:00Z\"}";
static const char report_text[] = "{\"type\":\"report\",\"spec_version\":\"2.1\"," STAMPS ","
    "\"id\":\"report--33333333-3333-4333-8333-333333333333\",\"name\":\"Wave\",\"published\":\"2024-01-01T00:00:00Z\","
    "\"object_refs\":[\"indicator--11111111-1111-4111-8111-111111111111\"]}";
static const char grouping_text[] = "{\"type\":\"grouping\",\"spec_version\":\"2.1\"," STAMPS ","
    "\"id\":\"grouping--33333333-3333-4333-8333-333333333333\",\"name\":\"Twin\",\"context\":\"suspicious-activity\","
    "\"object_refs\":[\"indicator--22222222-2222-4222-8222-222222222222\"]}";
static const char later_text[] = "{\"type\":\"indicator\",\"spec_version\":\"2.1\","
    "\"created\":\"2024-01-01T00:00:00.000Z\",\"modified\":\"2024-06-01T00:00:00.000Z\","
    "\"id\":\"indicator--11111111-1111-4111-8111-111111111111\",\"pattern\":\"[ipv4-addr:value = '198.51.100.9']\","
    "\"pattern_type\":\"stix\",\"valid_from\":\"2024-01-01T00:00:00Z\"}";

/* ---- a feed of these objects, taken apart ---- */

struct feed {
	struct slice	left_out, manifest, hashes;
	struct slice	uuid[8], event[8];
	size_t		n;
};

static struct slice
write_feed(const char *const *objects, size_t n, struct slice received)
{
	struct strbuf list = STRBUF_INIT, out = STRBUF_INIT;
	struct read_job read = { .input = "test", .received = received };
	struct advisory adv = { 0 };
	struct write_job job = { .adv = &adv, .received = received, .csirt = "cert.example",
	    .no_residue = true, .kind = COLLECTION };
	struct err e = ERR_INIT;
	struct slice text;

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&list, "%c%s", i == 0 ? '[' : ',', objects[i]);
	strbuf_adds(&list, n == 0 ? "[]" : "]");
	read.in = arena_slice(mem, strbuf_slice(&list));
	if (n > 0)
		assert_int_equal(format_stix21.read(&read, mem, &adv, &e), 0);
	assert_int_equal(format_misp_feed.write(&job, mem, &out, &e), 0);
	text = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&list);
	strbuf_fini(&out);
	return text;
}

static struct feed
take_apart(struct slice text)
{
	struct feed f = { .n = 0 };

	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n'), name;

		if (slice_is(line, "hashes.csv")) {
			f.hashes = text;
			return f;
		}
		name = slice_cut(&line, ' ');
		if (slice_is(name, "left-out")) {
			f.left_out = line;
		} else if (slice_is(name, "manifest.json")) {
			f.manifest = line;
		} else {
			assert_true(f.n < COUNTOF(f.event));
			f.uuid[f.n] = name;
			f.event[f.n++] = line;
		}
	}
	fail_msg("there are no hashes");
	return f;
}

#define FEED(...) take_apart(write_feed((const char *const[]){ __VA_ARGS__ },	\
    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), MISP_NOW))

static bool
has_hash(const struct feed *f, const char *value, struct slice uuid)
{
	uint8_t sum[MD5_LEN];
	char hex[2 * MD5_LEN + 1];
	const char *line;

	digest_md5(slice_of(value), sum);
	hex_text(sum, sizeof(sum), hex);
	line = arena_fmt(mem, "%s,%.*s\n", hex, SLICE_ARG(uuid));
	return memmem(f->hashes.p, f->hashes.n, line, strlen(line)) != NULL;
}

/* ---- what a MISP relies on ---- */

static void
test_manifest_names_every_event(void **state)
{
	struct feed f = FEED(ip_text, two_text, report_text);
	json *manifest = kit_parse(f.manifest);

	(void)state;
	assert_int_equal(f.n, 2);
	assert_int_equal(json_count(manifest), 2);
	for (size_t i = 0; i < f.n; i++) {
		static const char *const same[] = { "info", "date", "timestamp", "analysis", "threat_level_id" };
		json *event = json_get(kit_parse(f.event[i]), "Event");
		json *row = json_get(manifest, arena_str(mem, f.uuid[i]));

		assert_true(slice_eq(json_member(event, "uuid"), f.uuid[i]));
		for (size_t k = 0; k < COUNTOF(same); k++)
			assert_true(slice_eq(json_member(row, same[k]), misp_text(mem, event, same[k])));
		assert_true(json_member(json_get(row, "Orgc"), "uuid").n == 36);
		assert_true(json_is_list(json_get(row, "Tag")));
	}
	assert_true(slice_is(f.uuid[0], "33333333-3333-4333-8333-333333333333"));
}

static void
test_hashes_are_those_of_values(void **state)
{
	struct feed f = FEED(ip_text, two_text, report_text);
	size_t lines = 0;

	(void)state;
	assert_true(has_hash(&f, "198.51.100.1", f.uuid[0]));
	/* each half of a value with two */
	assert_true(has_hash(&f, "c2.example", f.uuid[1]));
	assert_true(has_hash(&f, "198.51.100.2", f.uuid[1]));
	for (struct slice rest = f.hashes; rest.n > 0; lines++)
		assert_int_equal(slice_cut(&rest, '\n').n, 32 + 1 + 36);
	assert_int_equal(lines, 3);
}

static void
test_a_bad_object_costs_itself(void **state)
{
	static const char bad[] = "{\"type\":\"indicator\",\"spec_version\":\"2.1\","
	    "\"id\":\"indicator--44444444-4444-4444-8444-444444444444\",\"created\":5}";
	struct feed good = FEED(ip_text, report_text), f = FEED(ip_text, bad, report_text);
	struct slice rest = f.left_out;

	(void)state;
	assert_int_equal(good.left_out.n, 0);
	assert_int_equal(f.n, good.n);
	assert_true(slice_eq(f.event[0], good.event[0]));
	assert_true(slice_is(slice_cut(&rest, ' '), "1"));
	assert_true(slice_cut(&rest, ' ').n > 0);
	assert_true(slice_is(rest, "indicator--44444444-4444-4444-8444-444444444444"));
}

static void
test_what_did_not_change_keeps_its_bytes(void **state)
{
	struct feed a = FEED(ip_text, two_text, report_text), b = FEED(later_text, two_text, report_text);
	struct feed later = take_apart(write_feed((const char *const[]){ ip_text, report_text }, 2,
	    SLICE_LIT("2026-12-24T00:00:00Z")));

	(void)state;
	/* the event whose indicator grew does, and its timestamp; the other is the same to the byte */
	assert_false(slice_eq(a.event[0], b.event[0]));
	assert_true(slice_eq(a.event[1], b.event[1]));
	assert_true(slice_is(misp_text(mem, json_get(kit_parse(b.event[0]), "Event"), "timestamp"), "1717200000"));
	assert_true(slice_eq(a.event[0], later.event[0]));
}

static void
test_one_file_a_name(void **state)
{
	struct feed f = FEED(ip_text, two_text, report_text, grouping_text);

	(void)state;
	assert_int_equal(f.n, 1);
	assert_int_equal(json_count(kit_parse(f.manifest)), 1);
	assert_true(slice_is(json_member(json_get(kit_parse(f.event[0]), "Event"), "info"), "Wave"));
}

/* Ids that came with a warning: their names are files' names all the same. */
static void
test_an_odd_id_gives_a_name(void **state)
{
	static const char loud[] = "{\"type\":\"report\",\"spec_version\":\"2.1\"," STAMPS ","
	    "\"id\":\"report--ABCDEF33-3333-4333-8333-33333333333A\",\"name\":\"Loud\","
	    "\"published\":\"2024-01-01T00:00:00Z\",\"object_refs\":[\"indicator--11111111-1111-4111-8111-111111111111\"]}";
	struct feed f = FEED(ip_text, loud);

	(void)state;
	assert_int_equal(f.n, 1);
	assert_true(slice_is(f.uuid[0], "abcdef33-3333-4333-8333-33333333333a"));
	assert_true(slice_eq(json_member(json_get(kit_parse(f.event[0]), "Event"), "uuid"), f.uuid[0]));
	assert_true(has_hash(&f, "198.51.100.1", f.uuid[0]));
}

static void
test_nothing_is_an_empty_feed(void **state)
{
	struct feed f = take_apart(write_feed(NULL, 0, MISP_NOW));

	(void)state;
	assert_int_equal(f.n, 0);
	assert_true(slice_is(f.manifest, "{}"));
	assert_int_equal(f.hashes.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_manifest_names_every_event, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_hashes_are_those_of_values, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_a_bad_object_costs_itself, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_what_did_not_change_keeps_its_bytes, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_one_file_a_name, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_an_odd_id_gives_a_name, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_an_empty_feed, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
