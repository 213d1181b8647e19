/* If this fails, a partner who speaks STIX 2.0 is misread or misread by us: labels get weaker on the way, what he
 * edited is overwritten, or what he wrote by hand makes our objects into something that nobody said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "formats/format.h"
#include "formats/stix20.h"
#include "formats/stix20_serve.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define UUID	"6f1d0f6e-8a3c-4f5b-9d2e-00000000000"
#define AT	"2025-03-04T05:06:07.089Z"
#define HEAD(type, n)	"{\"type\":\"" type "\",\"id\":\"" type "--" UUID n "\",\"created\":\"" AT	\
			"\",\"modified\":\"" AT "\","
#define HEAD21(type, n)	HEAD(type, n) "\"spec_version\":\"2.1\","
#define SEEN		"\"first_observed\":\"" AT "\",\"last_observed\":\"" AT "\",\"number_observed\":1"
#define TLP1_GREEN	"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
#define TLP1_RED	"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
#define TLP2_CLEAR	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
#define TLP2_STRICT	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
#define TLP2_RED	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
#define MARKED(id)	"\"object_marking_refs\":[\"" id "\"]"

static struct advisory
read_as(const struct format_ops *f, const char *text)
{
	struct read_job job = { .in = slice_of(text), .input = "test",
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;

	if (f->read(&job, mem, &adv, &e) < 0)
		fail_msg("%s in %s", e.reason, text);
	return adv;
}

/* Objects of 2.0, joined by commas. */
static struct advisory
up(const char *objects)
{
	return read_as(&format_stix20, arena_fmt(mem, "{\"type\":\"bundle\",\"id\":\"bundle--" UUID
	    "0\",\"spec_version\":\"2.0\",\"objects\":[%s]}", objects));
}

static const char *
write_as(const struct format_ops *f, const struct advisory *adv, bool bare)
{
	struct write_job job = { .adv = adv, .no_residue = bare,
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct strbuf out = STRBUF_INIT;
	const char *text;

	assert_int_equal(f->write(&job, mem, &out, NULL), 0);
	text = arena_str(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

/* What objects of 2.1 are in 2.0. */
static const char *
down(const char *objects)
{
	struct advisory adv = read_as(&format_stix21, arena_fmt(mem, "{\"type\":\"bundle\",\"id\":"
	    "\"bundle--" UUID "0\",\"objects\":[%s]}", objects));

	return write_as(&format_stix20, &adv, false);
}

static const struct object *
of_type(const struct advisory *adv, const char *type)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].type, type))
			return &adv->objects[i];
	fail_msg("no %s", type);
	return NULL;
}

static void
says(const struct object *o, const char *member, const char *value)
{
	struct strbuf b = STRBUF_INIT;
	const json *m = json_get(o->tree, member);

	if (m != NULL)
		json_print(&b, m);
	if (strcmp(m == NULL ? "" : b.p, value) != 0)
		fail_msg("%s is %s, not %s", member, m == NULL ? "absent" : b.p, value);
	strbuf_fini(&b);
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* ---- words ---- */

static void
labels_become_types(void **state)
{
	struct advisory adv = up(HEAD("indicator", "1") "\"labels\":[\"c2\",\"benign\",\"tlp:red\"],"
	    "\"pattern\":\"[mutex:name = 'a']\",\"valid_from\":\"" AT "\",\"granular_markings\":["
	    "{\"marking_ref\":\"" TLP1_GREEN "\",\"selectors\":[\"labels.[1]\",\"labels.[2]\"]}]},"
	    HEAD("malware", "2") "\"labels\":[\"worm\"],\"name\":\"m\"}");
	const struct object *o = of_type(&adv, "indicator");

	(void)state;
	says(o, "labels", "[\"c2\",\"tlp:red\"]");
	says(o, "indicator_types", "[\"benign\"]");
	says(o, "granular_markings", "[{\"marking_ref\":\"" TLP1_GREEN "\",\"selectors\":["
	    "\"indicator_types.[0]\",\"labels.[1]\"]}]");
	assert_int_equal(o->tlp, TLP_RED);
	says(of_type(&adv, "malware"), "is_family", "false");
	says(of_type(&adv, "malware"), "labels", "");
}

static void
patterns(void **state)
{
	static const struct { const char *old, *now, *again; } rows[] = {
		{ "[file:created = t'2024-01-01T00:00:00Z']", "[file:ctime = t'2024-01-01T00:00:00Z']", NULL },
		{ "[file:parent_directory_ref.accessed > t'2024-01-01T00:00:00Z']",
		    "[file:parent_directory_ref.atime > t'2024-01-01T00:00:00Z']", NULL },
		{ "[process:name = 'a' AND process:binary_ref.modified = t'2024-01-01T00:00:00Z']",
		    "[process:image_ref.name = 'a' AND process:image_ref.mtime = t'2024-01-01T00:00:00Z']",
		    "[process:binary_ref.name = 'a' AND process:binary_ref.modified = t'2024-01-01T00:00:00Z']" },
		{ "[file:hashes.ssdeep = '3:a:b' OR file:hashes.'ssdeep' = '3:a:c']",
		    "[file:hashes.SSDEEP = '3:a:b' OR file:hashes.'SSDEEP' = '3:a:c']", NULL },
		{ "[ipv4-addr:value = 'created'] START '2024-01-01T00:00:00Z' STOP '2024-02-01T00:00:00Z'",
		    "[ipv4-addr:value = 'created'] START t'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
		    NULL },
		{ "[network-traffic:encapsulates_by_ref.src_port = 1]",
		    "[network-traffic:encapsulated_by_ref.src_port = 1]", NULL },
		{ "[process:child_refs[*].created = t'2024-01-01T00:00:00Z']",
		    "[process:child_refs[*].created_time = t'2024-01-01T00:00:00Z']", NULL },
		{ "[domain-name:created = 'x']  OR [a:b IN ('1','2')]", "[domain-name:created = 'x']  OR "
		    "[a:b IN ('1','2')]", NULL },
		{ "[file:created = ", "[file:created = ", NULL },	/* unreadable: as it is */
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct slice out;

		assert_true(stix20_pattern(mem, slice_of(rows[i].old), true, &out));
		if (i + 1 < COUNTOF(rows))
			assert_string_equal(arena_str(mem, out), rows[i].now);
		assert_true(stix20_pattern(mem, out, false, &out));
		if (i + 1 < COUNTOF(rows))
			assert_string_equal(arena_str(mem, out),
			    rows[i].again != NULL ? rows[i].again : rows[i].old);
	}
	assert_false(stix20_pattern(mem, SLICE_LIT("[EXISTS file:name]"), false, &(struct slice){ 0 }));
}

/* ---- observed-data ---- */

static void
keys_are_restored(void **state)
{
	static const char od[] = HEAD("observed-data", "1") SEEN ",\"objects\":{\"7\":{\"type\":\"process\","
	    "\"pid\":1,\"name\":\"m.exe\",\"arguments\":[\"-x\"]},\"x\":{\"type\":\"file\",\"name\":\"f\","
	    "\"is_encrypted\":true,\"created\":\"" AT "\",\"parent_directory_ref\":\"2\"},\"2\":{\"type\":"
	    "\"directory\",\"path\":\"/a\",\"contains_refs\":[\"x\"]}}}";
	struct advisory adv = up(od), again;
	const struct object *process = of_type(&adv, "process");
	const char *home;
	struct json_doc want, have;

	(void)state;
	says(process, "command_line", "\"m.exe -x\"");
	says(process, "name", "");
	assert_true(slice_starts(json_member(process->tree, "image_ref"), "file--"));
	says(of_type(&adv, "observed-data"), "objects", "");
	home = write_as(&format_stix20, &adv, false);
	assert_int_equal(json_parse(slice_of(od), NULL, mem, &want, NULL), 0);
	assert_int_equal(json_parse(slice_of(home), NULL, mem, &have, NULL), 0);
	assert_true(json_equal(want.root, json_first(json_get(have.root, "objects"))));
	assert_false(has(home, "x_tocsin"));
	again = read_as(&format_stix20, home);
	assert_int_equal(again.n, adv.n);
}

static void
one_id_for_one_meaning(void **state)
{
	struct advisory adv = up(HEAD("observed-data", "1") SEEN ",\"objects\":{\"0\":{\"type\":\"ipv4-addr\","
	    "\"value\":\"192.0.2.1\"}}}," HEAD("observed-data", "2") SEEN ",\"objects\":{\"0\":{\"type\":"
	    "\"ipv4-addr\",\"value\":\"192.0.2.1\"}}}," HEAD("observed-data", "3") SEEN "," MARKED(TLP1_RED)
	    ",\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":\"192.0.2.1\"}}}");
	struct slice ids[2] = { SLICE_EMPTY, SLICE_EMPTY };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < adv.n; i++)
		if (slice_is(adv.objects[i].type, "ipv4-addr")) {
			assert_true(n < 2);
			ids[n++] = adv.objects[i].id;
		}
	assert_int_equal(n, 2);		/* what is RED is not the same as what nobody marked */
	assert_false(slice_eq(ids[0], ids[1]));
}

static void
what_nothing_holds(void **state)
{
	static const char ip[] = "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--" UUID "9\",\"value\":"
	    "\"192.0.2.9\"}";
	const char *text = down(arena_fmt(mem, "%s,%s", ip, HEAD21("relationship", "1")
	    "\"relationship_type\":\"based-on\",\"source_ref\":\"indicator--" UUID "2\",\"target_ref\":"
	    "\"ipv4-addr--" UUID "9\"}"));
	struct advisory back = read_as(&format_stix20, text);

	(void)state;
	assert_true(has(text, "\"x_tocsin_generated\":true") && has(text, "\"target_ref\":\"observed-data--"));
	assert_int_equal(back.n, 2);
	says(of_type(&back, "relationship"), "target_ref", "\"ipv4-addr--" UUID "9\"");
	says(of_type(&back, "ipv4-addr"), "spec_version", "");
}

/* ---- labels ---- */

static void
red_reaches_the_observables(void **state)
{
	struct advisory adv = up(HEAD("observed-data", "1") SEEN "," MARKED(TLP1_RED) ",\"objects\":{\"0\":{"
	    "\"type\":\"ipv4-addr\",\"value\":\"192.0.2.1\"}}}");
	struct advisory part = up(HEAD("observed-data", "1") SEEN ",\"granular_markings\":[{\"marking_ref\":\""
	    TLP1_RED "\",\"selectors\":[\"objects.0\"]}],\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":"
	    "\"192.0.2.1\"},\"1\":{\"type\":\"domain-name\",\"value\":\"a.example\"}}}");

	(void)state;
	assert_int_equal(of_type(&adv, "ipv4-addr")->tlp, TLP_RED);
	assert_int_equal(of_type(&part, "ipv4-addr")->tlp, TLP_RED);
	assert_int_equal(of_type(&part, "domain-name")->label, LABEL_ABSENT);
	/* the reference alone would tell the address to who tries them all */
	assert_int_equal(of_type(&part, "observed-data")->tlp, TLP_RED);
}

static void
amber_strict_is_red_and_comes_back(void **state)
{
	const char *text = down(HEAD21("campaign", "1") "\"name\":\"c\"," MARKED(TLP2_STRICT) "}");
	struct advisory adv, back = read_as(&format_stix20, text), bare;

	(void)state;
	assert_true(has(text, "\"object_marking_refs\":[\"" TLP1_RED "\"]"));
	assert_int_equal(back.objects[0].tlp, TLP_AMBER_STRICT);
	adv = read_as(&format_stix21, "{\"type\":\"bundle\",\"id\":\"bundle--" UUID "0\",\"objects\":["
	    HEAD21("campaign", "1") "\"name\":\"c\"," MARKED(TLP2_STRICT) "}]}");
	bare = read_as(&format_stix20, write_as(&format_stix20, &adv, true));
	assert_int_equal(bare.objects[0].tlp, TLP_RED);
}

/* The hash that a residue would have to show for a value. */
static const char *
mark_of(const char *value)
{
	struct json_doc doc;

	assert_int_equal(json_parse(slice_of(value), NULL, mem, &doc, NULL), 0);
	return stix20_hash(mem, doc.root);
}

static void
a_forged_residue_weakens_nothing(void **state)
{
	static const char red[] = "[\"" TLP1_RED "\"]";
	struct advisory clear = up(arena_fmt(mem, HEAD("campaign", "1") "\"name\":\"c\"," MARKED(TLP1_RED)
	    ",\"x_tocsin_stix21\":{\"patch\":{\"object_marking_refs\":{\"value\":[\"" TLP2_CLEAR "\"],"
	    "\"for\":\"%s\"},\"name\":{\"value\":\"d\",\"for\":\"%s\"}}}}", mark_of(red), mark_of("\"c\"")));
	struct advisory none = up(arena_fmt(mem, HEAD("campaign", "1") "\"name\":\"c\"," MARKED(TLP1_RED)
	    ",\"x_tocsin_stix21\":{\"patch\":{\"object_marking_refs\":{\"for\":\"%s\"}}}}", mark_of(red)));
	struct advisory id = up(arena_fmt(mem, HEAD("campaign", "1") "\"name\":\"c\",\"x_tocsin_stix21\":{"
	    "\"patch\":{\"id\":{\"value\":\"campaign--" UUID "2\",\"for\":\"%s\"}}}}",
	    mark_of("\"campaign--" UUID "1\"")));
	struct advisory packed = up(arena_fmt(mem, HEAD("observed-data", "1") SEEN "," MARKED(TLP1_RED)
	    ",\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":\"192.0.2.1\",\"x_tocsin_stix21\":{\"patch\":"
	    "{\"object_marking_refs\":{\"value\":[\"" TLP2_CLEAR "\"],\"for\":\"%s\"}}}}}}", mark_of(red)));

	(void)state;
	assert_int_equal(clear.objects[0].tlp, TLP_RED);
	says(&clear.objects[0], "name", "\"d\"");	/* the rest of it is taken */
	assert_int_equal(none.objects[0].tlp, TLP_RED);
	assert_string_equal(clear.verdicts[clear.nverdicts - 1].code, "LABEL_RAISED");
	says(&id.objects[0], "id", "\"campaign--" UUID "1\"");
	assert_int_equal(of_type(&packed, "ipv4-addr")->tlp, TLP_RED);
}

/* ---- edits ---- */

static void
edits_win(void **state)
{
	char *text = arena_str(mem, slice_of(down(HEAD21("threat-actor", "1") "\"name\":\"old\","
	    "\"threat_actor_types\":[\"unknown\"],\"confidence\":40," MARKED(TLP2_RED) "}"))), *at;
	struct advisory back;

	(void)state;
	at = strstr(text, "\"old\"");
	memcpy(at, "\"new\"", 5);
	at = strstr(text, "\"labels\":[\"unknown\"]");
	memcpy(at, "\"labels\":[\"hackers\"]", 20);
	back = read_as(&format_stix20, text);
	says(&back.objects[0], "name", "\"new\"");
	says(&back.objects[0], "labels", "[\"hackers\"]");
	says(&back.objects[0], "confidence", "40");
	says(&back.objects[0], "object_marking_refs", "[\"" TLP2_RED "\"]");
}

static void
what_20_cannot_say(void **state)
{
	const char *text = down(HEAD21("indicator", "1") "\"pattern\":\"alert\",\"pattern_type\":\"snort\","
	    "\"valid_from\":\"" AT "\"}," HEAD21("note", "2") "\"content\":\"c\",\"object_refs\":[\"indicator--"
	    UUID "1\"]}," HEAD21("tool", "3") "\"name\":\"t\",\"lang\":\"en\"}");
	struct advisory back = read_as(&format_stix20, text);

	(void)state;
	assert_true(has(text, "\"x-tocsin-indicator--" UUID "1\"") && has(text, "\"type\":\"x-tocsin-note\""));
	assert_true(has(text, "\"labels\":[\"x-unknown\"]") && has(text, "\"x_tocsin_lang\":\"en\""));
	says(of_type(&back, "note"), "object_refs", "[\"indicator--" UUID "1\"]");
	says(of_type(&back, "indicator"), "pattern_type", "\"snort\"");
	says(of_type(&back, "tool"), "labels", "");
	says(of_type(&back, "tool"), "tool_types", "");
}

static void
refusals_have_a_place(void **state)
{
	struct advisory adv = up(HEAD("observed-data", "1") SEEN ",\"objects\":{\"a\":{\"value\":\"x\"}}},"
	    HEAD("tool", "2") "\"name\":\"t\",\"labels\":[\"x\"]},7");

	(void)state;
	assert_int_equal(adv.n, 1);
	assert_int_equal(adv.nverdicts, 2);
	assert_string_equal(adv.verdicts[0].code, "MISSING_PROPERTY");
	assert_string_equal(adv.verdicts[0].err.path, "objects.a.type");
	assert_string_equal(adv.verdicts[1].code, "BAD_OBJECT");
	assert_int_equal(adv.verdicts[1].index, 2);
}

/* ---- serving ---- */

static void
ids_lead_back(void **state)
{
	static const char ip[] = "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\","
	    "\"value\":\"198.51.100.3\"}";
	static const char forged[] = "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\","
	    "\"value\":\"198.51.100.4\"}";
	struct slice id = SLICE_LIT("ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"), out[STIX20_NAMES];
	struct slice served = stix20_served_id(mem, id, slice_of(ip));
	size_t n = stix20_stored_ids(mem, served, out);
	bool found = false;

	(void)state;
	for (size_t i = 0; i < n; i++)
		found = found || slice_eq(out[i], id);
	assert_true(found && n <= STIX20_NAMES);
	/* an id that its content does not give cannot take that place */
	assert_false(slice_eq(served, stix20_served_id(mem, id, slice_of(forged))));
	n = stix20_stored_ids(mem, SLICE_LIT("x-tocsin-note--" UUID "1"), out);
	assert_int_equal(n, 1);
	assert_true(slice_is(out[0], "note--" UUID "1"));
	assert_int_equal(stix20_stored_types(SLICE_LIT("x-own"), out), 1);
	assert_true(stix20_stored_types(SLICE_LIT("observed-data"), out) <= STIX20_NAMES);
}

static void
marks(void **state)
{
	static const struct { const char *text; bool ours; } rows[] = {
		{ "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"spec_version\" : \"2.0\"", true },
		{ "{\"type\":\"bundle\",\"spec_version\":\"2.1\"", false },
		{ "{\"id\":\"bundle--1\",\"objects\":[{\"spec_version\":\"2.0\"}]}", false },
		{ "{\"id\":\"bundle--1\",\"objects\":[{\"pattern\":\"[\\\"spec_version\\\":\\\"2.0\\\"]", true },
		{ "{\"id\":\"bundle--1\",\"objects\":[{\"pattern\":\"x\",\"pattern_type\":\"stix\"", false },
		{ "{\"id\":\"bundle--1\",\"objects\":[{\"objects\" : {\"0\":{", true },
		{ "{\"id\":\"bundle--1\",\"objects\":[{\"name\":\"x\"", false },
		{ "[]", false }, { "", false }, { "{\"spec_version\":\"2.0\"}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if ((format_stix20.sniff(slice_of(rows[i].text)) > 90) != rows[i].ours)
			fail_msg("%s", rows[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_become_types), cmocka_unit_test(patterns),
		cmocka_unit_test(keys_are_restored), cmocka_unit_test(one_id_for_one_meaning),
		cmocka_unit_test(what_nothing_holds), cmocka_unit_test(red_reaches_the_observables),
		cmocka_unit_test(amber_strict_is_red_and_comes_back),
		cmocka_unit_test(a_forged_residue_weakens_nothing), cmocka_unit_test(edits_win),
		cmocka_unit_test(what_20_cannot_say), cmocka_unit_test(refusals_have_a_place),
		cmocka_unit_test(ids_lead_back), cmocka_unit_test(marks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
