/* If this fails, a STIX object that went through an IODEF partner comes home changed although nobody
 * touched it, loses an edit somebody made, or takes a laxer label than the document gave it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "formats/iodef2.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define U(n)	"00000000-0000-4000-8000-0000000000" n
#define TIMES	"\"created\":\"2026-01-02T00:00:00.000Z\",\"modified\":\"2026-01-02T00:00:00.000Z\""
#define GREEN	",\"object_marking_refs\":[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]"
#define REPORT	"{\"type\":\"report\",\"spec_version\":\"2.1\",\"id\":\"report--" U("01") "\"," TIMES	\
	",\"name\":\"Low Tide\",\"description\":\"  odd  blanks \",\"published\":\"2026-01-02T00:00:00.10Z\","	\
	"\"x_own\":1.50,\"object_refs\":[\"indicator--" U("02") "\",\"indicator--" U("03") "\"]" GREEN "}"
#define FIRST	"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--" U("02") "\"," TIMES	\
	",\"name\":\"Controllers\",\"labels\":[\"x\"],\"confidence\":33,\"pattern\":"		\
	"\"[ipv4-addr:value='192.0.2.1']\",\"pattern_type\":\"stix\",\"valid_from\":"		\
	"\"2026-01-02T00:00:00Z\"" GREEN "}"
#define SECOND	"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--" U("03") "\"," TIMES	\
	",\"pattern\":\"[file:name LIKE '%.tide']\",\"pattern_type\":\"stix\",\"valid_from\":"	\
	"\"2026-01-02T00:00:00Z\"" GREEN "}"
#define BUNDLE	"{\"type\":\"bundle\",\"id\":\"bundle--" U("ff") "\",\"objects\":[" REPORT "," FIRST "," SECOND "]}"

static struct advisory *
read_with(const struct format_ops *f, const char *text)
{
	struct advisory *adv = arena_alloc(mem, sizeof(*adv));
	struct read_job job = { .in = slice_of(text), .received = SLICE_LIT("2026-11-21T10:00:00Z") };
	struct err e = ERR_INIT;

	if (f->read(&job, mem, adv, &e) < 0)
		fail_msg("%s", e.reason);
	return adv;
}

/* BUNDLE as an IODEF document. */
static const char *
as_iodef(const char *bundle)
{
	struct write_job job = { .adv = read_with(&format_stix21, bundle), .csirt = "cert.example",
		.csirt_contact = "cert@cert.example", .received = SLICE_LIT("2026-11-21T10:00:00Z") };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	const char *s;

	assert_int_equal(format_iodef2.write(&job, mem, &b, &e), 0);
	s = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

/* The text with its first `old` replaced, which must be there. */
static const char *
edit(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);

	if (at == NULL)
		fail_msg("no %s in %s", old, text);
	return arena_fmt(mem, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

static const struct object *
by_id(const struct advisory *adv, const char *id)
{
	for (size_t i = 0; i < adv->n; i++) {
		if (slice_is(adv->objects[i].id, id))
			return &adv->objects[i];
	}
	return NULL;
}

static void
assert_untouched(const struct advisory *adv, const char *id, const char *text)
{
	const struct object *o = by_id(adv, id);

	assert_non_null(o);
	assert_string_equal(o->bytes.p, text);
	assert_int_equal(o->flags & OBJECT_MINTED, 0);
}

static bool
was_told(const struct advisory *adv, const char *code)
{
	for (size_t i = 0; i < adv->nverdicts; i++) {
		if (strcmp(adv->verdicts[i].code, code) == 0)
			return true;
	}
	return false;
}

static void
untouched_comes_home_byte_for_byte(void **state)
{
	struct advisory *adv = read_with(&format_iodef2, as_iodef(BUNDLE));

	(void)state;
	assert_string_equal(adv->id.p, "bundle--" U("ff"));
	assert_int_equal(adv->n, 3);
	assert_untouched(adv, "report--" U("01"), REPORT);
	assert_untouched(adv, "indicator--" U("02"), FIRST);
	assert_untouched(adv, "indicator--" U("03"), SECOND);
	assert_int_equal(adv->nverdicts, 0);
}

static void
an_edit_changes_one_object(void **state)
{
	struct advisory *adv = read_with(&format_iodef2, edit(as_iodef(BUNDLE),
	    ">192.0.2.1</Address>", ">192.0.2.77</Address>"));
	const struct object *o = by_id(adv, "indicator--" U("02"));

	(void)state;
	assert_untouched(adv, "report--" U("01"), REPORT);
	assert_untouched(adv, "indicator--" U("03"), SECOND);
	assert_string_equal(json_member(o->tree, "pattern").p, "[ipv4-addr:value = '192.0.2.77']");
	assert_string_equal(json_member(o->tree, "name").p, "Controllers");
	assert_string_equal(o->version.p, "2026-11-21T10:00:00.000Z");
	assert_non_null(strstr(o->bytes.p, "\"confidence\":33"));
	assert_int_equal(o->tlp, TLP_GREEN);
	assert_true(was_told(adv, "MERGED"));
}

/* A peer may tighten what he passes on; he cannot loosen it. */
static void
the_stricter_label_wins(void **state)
{
	const char *doc = as_iodef(BUNDLE);
	struct advisory *tight = read_with(&format_iodef2, edit(doc, "<Indicator>",
	    "<Indicator restriction=\"red\">"));
	struct advisory *loose = read_with(&format_iodef2, edit(doc, "restriction=\"green\"",
	    "restriction=\"white\""));
	struct advisory *all = read_with(&format_iodef2, edit(doc, "restriction=\"green\"",
	    "restriction=\"red\""));
	const struct object *o = by_id(tight, "indicator--" U("02"));

	(void)state;
	assert_int_equal(o->tlp, TLP_RED);
	assert_string_not_equal(o->version.p, "2026-01-02T00:00:00.000Z");
	assert_int_equal(by_id(tight, "indicator--" U("03"))->tlp, TLP_GREEN);
	for (size_t i = 0; i < loose->n; i++)
		assert_true(loose->objects[i].class == OBJECT_META || loose->objects[i].tlp >= TLP_GREEN);
	for (size_t i = 0; i < all->n; i++)
		assert_true(all->objects[i].class == OBJECT_META || all->objects[i].tlp == TLP_RED);
}

static void
a_new_indicator_joins_the_report(void **state)
{
	struct advisory *adv = read_with(&format_iodef2, edit(as_iodef(BUNDLE), "<Indicator>",
	    "<Indicator><IndicatorID name=\"peer.example\" version=\"1\">n1</IndicatorID><Observable><Address "
	    "category=\"ipv4-addr\">192.0.2.200</Address></Observable></Indicator><Indicator>"));
	const struct object *report = by_id(adv, "report--" U("01")), *added = NULL;

	(void)state;
	for (size_t i = 0; i < adv->n; i++) {
		if (strstr(adv->objects[i].bytes.p, "192.0.2.200") != NULL)
			added = &adv->objects[i];
	}
	assert_non_null(added);
	assert_int_equal(added->tlp, TLP_GREEN);
	assert_non_null(strstr(report->bytes.p, added->id.p));
	assert_string_equal(json_member(report->tree, "description").p, "  odd  blanks ");
	assert_untouched(adv, "indicator--" U("02"), FIRST);
}

/* Residue that is no object, or says two things under one version, is data of a stranger: told, not used. */
static void
bad_residue_is_told_and_left_out(void **state)
{
	static const struct { const char *text; } rows[] = {
		{ "not json" }, { "{\"type\":\"indicator\",\"id\":\"indicator--x\"}" }, { "{}" },
		{ "<x xmlns=\"urn:x\"/>" },
		{ "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--" U("02") "\"," TIMES
		  ",\"pattern\":\"[ipv4-addr:value='203.0.113.66']\",\"pattern_type\":\"stix\","
		  "\"valid_from\":\"2026-01-02T00:00:00Z\"}" },
	};
	const char *doc = as_iodef(BUNDLE);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct advisory *adv = read_with(&format_iodef2, edit(doc, "<AdditionalData dtype=\"string\" "
		    "name=\"stix-bundle\"", arena_fmt(mem, "<AdditionalData dtype=\"string\" name=\"stix-object\" "
		    "meaning=\"original object; sha256=-\">%s</AdditionalData><AdditionalData dtype=\"string\" "
		    "name=\"stix-bundle\"", rows[i].text)));

		assert_true(was_told(adv, "BAD_ORIGINAL"));
		assert_untouched(adv, "indicator--" U("02"), FIRST);
		assert_untouched(adv, "report--" U("01"), REPORT);
		for (size_t k = 0; k < adv->n; k++)
			assert_null(strstr(adv->objects[k].bytes.p, "203.0.113.66"));
	}
}

/* A peer's tool writes other prefixes and drops what it does not know: that is no edit. */
static void
another_spelling_is_no_edit(void **state)
{
	struct advisory *adv = read_with(&format_iodef2, edit(edit(as_iodef(BUNDLE), "name=\"stix-bundle\"",
	    "name=\"other\""), " version=\"2.00\"", " version=\"2.00\" format-id=\"x\""));
	const char *doc = as_iodef(BUNDLE), *at;

	(void)state;
	assert_untouched(adv, "report--" U("01"), REPORT);
	assert_untouched(adv, "indicator--" U("02"), FIRST);
	assert_untouched(adv, "indicator--" U("03"), SECOND);
	assert_int_equal(adv->n, 3);
	while ((at = strstr(doc, "<Indicator>")) != NULL)
		doc = edit(edit(doc, "<Indicator>", "<q:Indicator xmlns:q=\"" IODEF2_NS "\">"),
		    "</Indicator>", "</q:Indicator>");
	adv = read_with(&format_iodef2, doc);
	assert_untouched(adv, "report--" U("01"), REPORT);
	assert_untouched(adv, "indicator--" U("02"), FIRST);
	assert_untouched(adv, "indicator--" U("03"), SECOND);
	assert_int_equal(adv->n, 3);
}

/* Without the residue the native reading must stand on its own. */
static void
removed_residue_is_read_natively(void **state)
{
	const char *doc = as_iodef(BUNDLE), *at;
	struct advisory *adv;
	bool found = false;

	(void)state;
	while ((at = strstr(doc, "name=\"stix-")) != NULL)
		doc = arena_fmt(mem, "%.*sname=\"other-%s", (int)(at - doc), doc, at + 11);
	adv = read_with(&format_iodef2, doc);
	for (size_t i = 0; i < adv->n; i++) {
		if (slice_is(adv->objects[i].id, "indicator--" U("02"))) {
			found = true;
			assert_string_equal(json_member(adv->objects[i].tree, "pattern").p,
			    "[ipv4-addr:value = '192.0.2.1']");
			assert_int_equal(adv->objects[i].tlp, TLP_GREEN);
		}
	}
	assert_true(found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_comes_home_byte_for_byte),
		cmocka_unit_test(an_edit_changes_one_object),
		cmocka_unit_test(the_stricter_label_wins),
		cmocka_unit_test(a_new_indicator_joins_the_report),
		cmocka_unit_test(bad_residue_is_told_and_left_out),
		cmocka_unit_test(another_spelling_is_no_edit),
		cmocka_unit_test(removed_residue_is_read_natively),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
