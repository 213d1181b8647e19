/* If this fails, policy decides on wrong facts: a RED object may look free, or one version like
 * another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "formats/format.h"
#include "formats/shipped.h"
#include "formats/vocab.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define UUID(n)		"00000000-0000-4000-8000-0000000000" n
#define TIMES		"\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-02T00:00:00.500Z\""
#define TOOL(n, more)	"{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--" UUID(n) "\","	\
			TIMES ",\"name\":\"x\"" more "}"
#define GREEN2		"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define AMBER1		"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
#define RED2		"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
#define OWN		"marking-definition--" UUID("99")
#define MARKING(def)	"{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"" OWN "\","	\
			"\"created\":\"2026-01-01T00:00:00.000Z\"," def "}"

/* Read a list of objects as a message. */
static struct advisory *
message(const char *objects)
{
	struct advisory *adv = arena_alloc(mem, sizeof(*adv));
	struct read_job job = { .in = slice_of(arena_fmt(mem, "{\"objects\":[%s]}", objects)) };
	struct err e = ERR_INIT;
	char text[900];

	if (format_stix21.read(&job, mem, adv, &e) < 0)
		fail_msg("%s", err_text(&e, text, sizeof(text)));
	return adv;
}

/* The object with this id in a message. */
static const struct object *
find(const struct advisory *adv, const char *id)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].id, id))
			return &adv->objects[i];
	fail_msg("%s is not there", id);
	return NULL;
}

static void
test_words_of_tlp(void **state)
{
	static const struct { const char *word; enum tlp t; } cases[] = {
		{ "clear", TLP_CLEAR }, { "WHITE", TLP_CLEAR }, { "TLP:GREEN", TLP_GREEN },
		{ "tlp:amber", TLP_AMBER }, { " TLP:AMBER+STRICT ", TLP_AMBER_STRICT },
		{ "Red", TLP_RED }, { "TLP: RED", TLP_RED }, { "", TLP_UNSET }, { "none", TLP_UNSET },
		{ "amber strict", TLP_UNSET }, { "TLP:EX:CHR", TLP_UNSET }, { "reddish", TLP_UNSET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(tlp_parse(slice_of(cases[i].word)), cases[i].t);
	for (int t = TLP_CLEAR; t < TLP_LEVELS; t++) {
		assert_int_equal(tlp_parse(slice_of(tlp_word(t))), t);
		assert_int_equal(tlp_parse(slice_of(tlp_label(t))), t);
		assert_int_equal(tlp_of_marking_id(slice_of(tlp_marking_id(t))), t);
	}
	assert_int_equal(tlp_of_marking_id(SLICE_LIT(AMBER1)), TLP_AMBER);
	assert_int_equal(tlp_of_marking_id(SLICE_LIT("MARKING-definition--E828B379-4e03-4974-9ac4-"
	    "e53a884c97c1")), TLP_RED);
	assert_int_equal(tlp_of_marking_id(SLICE_LIT(OWN)), TLP_UNSET);
}

static void
test_phases_and_sectors(void **state)
{
	(void)state;
	for (int p = PHASE_ANALYSIS; p < PHASES; p++)
		assert_int_equal(phase_parse(slice_of(phase_word(p))), p);
	assert_int_equal(phase_parse(SLICE_LIT("none")), PHASE_UNSET);
	for (int i = 0; i < VOCAB_SECTORS; i++)
		assert_int_equal(sector_parse(slice_of(sector_word(i))), i);
	assert_null(sector_word(VOCAB_SECTORS));
	assert_null(sector_word(-1));
	assert_int_equal(sector_of_stix(SLICE_LIT("nuclear")), sector_parse(SLICE_LIT("energy")));
	assert_int_equal(sector_of_stix(SLICE_LIT("pharmaceuticals")),
	    sector_parse(SLICE_LIT("health")));
	assert_int_equal(sector_of_stix(SLICE_LIT("utilities")), -1);
	assert_int_equal(object_class_of(SLICE_LIT("sighting")), OBJECT_SRO);
	assert_int_equal(object_class_of(SLICE_LIT("x509-certificate")), OBJECT_SCO);
	assert_int_equal(object_class_of(SLICE_LIT("artifact")), OBJECT_SCO);
	assert_int_equal(object_class_of(SLICE_LIT("x-beacon")), OBJECT_CUSTOM);
}

static void
test_classification_words(void **state)
{
	static const char *const yes[] = {
		"RESTREINT UE/EU RESTRICTED", "handled as eu secret", "SECRET", "secret // no foreign",
		"This page is GEHEIM and stays here, all of it", "NR", "VS-NfD", "COSMIC TOP SECRET",
		"(S-UE/EU-S)",
	};
	static const char *const no[] = {
		"Copyright 2026, trade secrets of the owner must not be used for profit",
		"This may reveal a secret key of the service named above", "secretary", "UNCLASSIFIED",
		"NRA", "not NC in prose", "", "TLP:RED",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (!vocab_is_classified(slice_of(yes[i])))
			fail_msg("\"%s\" passed", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (vocab_is_classified(slice_of(no[i])))
			fail_msg("\"%s\" was stopped", no[i]);
}

static void
test_header_of_an_indicator(void **state)
{
	const struct object *o = &message("{\"type\":\"indicator\",\"spec_version\":\"2.1\","
	    "\"id\":\"indicator--" UUID("01") "\",\"created_by_ref\":\"identity--" UUID("02") "\","
	    TIMES ",\"revoked\":true,\"pattern\":\"[url:value = 'http://a.example/']\","
	    "\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\","
	    "\"valid_until\":\"2026-02-01T00:00:00.10Z\",\"labels\":[\"cip-phase:mitigation\","
	    "\"sector:space\",\"sector:nowhere\",\"exercise\"],\"object_marking_refs\":[\"" GREEN2
	    "\"]}")->objects[0];

	(void)state;
	assert_true(slice_is(o->type, "indicator"));
	assert_true(slice_is(o->id, "indicator--" UUID("01")));
	assert_true(slice_is(o->version, "2026-01-02T00:00:00.500Z"));
	assert_true(slice_is(o->version_key, "2026-01-02T00:00:00.5"));
	assert_true(slice_is(o->valid_until_key, "2026-02-01T00:00:00.1"));
	assert_true(slice_is(o->created_by, "identity--" UUID("02")));
	assert_int_equal(o->class, OBJECT_SDO);
	assert_int_equal(o->label, LABEL_TLP);
	assert_int_equal(o->tlp, TLP_GREEN);
	assert_int_equal(o->phase, PHASE_MITIGATION);
	assert_int_equal(o->sectors, vocab_sector_bit(SLICE_LIT("space")));
	assert_int_equal(o->flags, OBJECT_REVOKED | OBJECT_EXERCISE);
}

static void
test_versions_without_modified(void **state)
{
	const struct advisory *adv = message("{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--" UUID("03")
	    "\",\"value\":\"192.0.2.1\"},{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--" UUID("04")
	    "\",\"value\":\"192.0.2.2\"},{\"type\":\"marking-definition\",\"id\":\"" OWN "\","
	    "\"created\":\"2026-01-01T00:00:00Z\",\"definition_type\":\"statement\",\"definition\":"
	    "{\"statement\":\"s\"}}");

	(void)state;
	assert_int_equal(adv->objects[0].version.n, 0);
	assert_true(slice_starts(adv->objects[0].version_key, "sha256:"));
	assert_int_equal(adv->objects[0].version_key.n, 7 + 64);
	assert_false(slice_eq(adv->objects[0].version_key, adv->objects[1].version_key));
	assert_true(slice_is(adv->objects[0].spec_version, "2.1"));
	assert_true(slice_is(adv->objects[2].version_key, "2026-01-01T00:00:00"));
	assert_true(slice_is(adv->objects[2].spec_version, "2.0"));
}

/* One object and one definition; what label comes of it. */
static void
test_labels(void **state)
{
	static const struct {
		const char	*refs;		/* of the tool */
		const char	*definition;	/* in the same message, or NULL */
		enum label_case	 label;
		enum tlp	 tlp;
		uint32_t	 flags;
	} cases[] = {
		{ "", NULL, LABEL_ABSENT, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" GREEN2 "\",\"" AMBER1 "\"]", NULL, LABEL_TLP, TLP_AMBER,
		    0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", NULL, LABEL_UNREADABLE, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\",\"" GREEN2 "\"]", NULL, LABEL_UNREADABLE,
		    TLP_GREEN, 0 },
		{ ",\"object_marking_refs\":[7]", NULL, LABEL_UNREADABLE, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730"
		    "\"]", NULL, LABEL_OTHER, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"definition_type\":\"statement\","
		    "\"definition\":{\"statement\":\"Copyright\"}", LABEL_OTHER, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"definition_type\":\"statement\","
		    "\"definition\":{\"statement\":\"tlp:amber+strict\"}", LABEL_TLP, TLP_AMBER_STRICT, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"definition_type\":\"statement\","
		    "\"definition\":{\"statement\":\"TLP:PURPLE\"}", LABEL_UNREADABLE, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"definition_type\":\"tlp\","
		    "\"definition\":{\"tlp\":\"green\"}", LABEL_TLP, TLP_GREEN, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"definition_type\":\"tlp\","
		    "\"definition\":{\"tlp\":\"pink\"}", LABEL_UNREADABLE, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"extensions\":{\"extension-definition--"
		    "60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":{\"extension_type\":\"property-extension\","
		    "\"tlp_2_0\":\"red\"}}", LABEL_TLP, TLP_RED, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"extensions\":{\"extension-definition--"
		    "3a65884d-005a-4290-8335-cb2d778a83ce\":{\"identifier\":\"x\"}}", LABEL_UNREADABLE,
		    TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"definition_type\":\"x-ais\","
		    "\"definition\":{\"consent\":\"NONE\"}", LABEL_UNREADABLE, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" OWN "\"]", "\"definition_type\":\"statement\","
		    "\"definition\":{\"statement\":\"EU SECRET\"}", LABEL_OTHER, TLP_UNSET,
		    OBJECT_CLASSIFIED },
		{ ",\"object_marking_refs\":[\"" GREEN2 "\"],\"granular_markings\":[{\"marking_ref\":\""
		    RED2 "\",\"selectors\":[\"name\"]}]", NULL, LABEL_TLP, TLP_RED, OBJECT_GRANULAR },
		{ ",\"object_marking_refs\":[\"" RED2 "\"],\"granular_markings\":[{\"marking_ref\":\""
		    GREEN2 "\",\"selectors\":[\"name\"]}]", NULL, LABEL_TLP, TLP_RED, 0 },
		{ ",\"granular_markings\":[{\"marking_ref\":\"" AMBER1 "\",\"selectors\":[\"name\"]}]",
		    NULL, LABEL_ABSENT, TLP_AMBER, OBJECT_GRANULAR },
		{ ",\"granular_markings\":[{\"marking_ref\":\"" OWN "\",\"selectors\":[\"name\"]}]",
		    NULL, LABEL_UNREADABLE, TLP_UNSET, 0 },
		{ ",\"granular_markings\":[{\"lang\":\"es\",\"selectors\":[\"name\"]}]", NULL,
		    LABEL_ABSENT, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":\"" GREEN2 "\"", NULL, LABEL_UNREADABLE, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":7", NULL, LABEL_UNREADABLE, TLP_UNSET, 0 },
		{ ",\"object_marking_refs\":[\"" GREEN2 "\"],\"granular_markings\":{\"marking_ref\":\"" RED2 "\"}",
		    NULL, LABEL_UNREADABLE, TLP_GREEN, 0 },
		{ ",\"object_marking_refs\":[\"" GREEN2 "\"],\"granular_markings\":[{\"marking\":\"" RED2 "\"}]",
		    NULL, LABEL_UNREADABLE, TLP_GREEN, 0 },
		{ ",\"object_marking_refs\":[\"" GREEN2 "\"],\"labels\":\"tlp:red\"", NULL, LABEL_TLP, TLP_RED, 0 },
		{ ",\"labels\":[\"tlp:red\"],\"object_marking_refs\":[\"" GREEN2 "\"]", NULL, LABEL_TLP,
		    TLP_RED, 0 },
		{ ",\"labels\":[\"TLP:orange\"],\"object_marking_refs\":[\"" GREEN2 "\"]", NULL,
		    LABEL_UNREADABLE, TLP_GREEN, 0 },
		{ ",\"labels\":[\"tlp:ex:chr\",\"tlp:unclear\",\"tlpx:red\"]", NULL, LABEL_ABSENT,
		    TLP_UNSET, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *tool = arena_fmt(mem, TOOL("05", "%s"), cases[i].refs);
		const struct object *o = &message(cases[i].definition == NULL ? tool :
		    arena_fmt(mem, "%s," MARKING("%s"), tool, cases[i].definition))->objects[0];

		if (o->label != cases[i].label || o->tlp != cases[i].tlp ||
		    o->flags != cases[i].flags)
			fail_msg("case %zu: label %d tlp %s flags %x", i, o->label, tlp_word(o->tlp),
			    o->flags);
	}
}

static void
test_forged_definition_changes_nothing(void **state)
{
	const struct advisory *adv = message(TOOL("06", ",\"object_marking_refs\":[\"" RED2 "\"]")
	    ",{\"type\":\"marking-definition\",\"id\":\"" RED2 "\",\"created\":"
	    "\"2022-10-01T00:00:00.000Z\",\"definition_type\":\"tlp\",\"definition\":"
	    "{\"tlp\":\"white\"}}");

	(void)state;
	assert_int_equal(adv->objects[0].tlp, TLP_RED);
	assert_int_equal(adv->objects[1].label, LABEL_ABSENT);
}

/* The fixed definitions are public, so that they can follow what they mark to any peer. */
static void
test_fixed_definitions_are_public(void **state)
{
	struct advisory adv = { 0 };

	(void)state;
	assert_int_equal(advisory_add_marking(&adv, mem, TLP_RED), 0);
	assert_int_equal(adv.objects[0].label, LABEL_TLP);
	assert_int_equal(adv.objects[0].tlp, TLP_CLEAR);
}

#define REPORT(n, refs)	"{\"type\":\"report\",\"spec_version\":\"2.1\",\"id\":\"report--" UUID(n) "\","	\
			TIMES ",\"name\":\"r\",\"published\":\"2026-01-01T00:00:00Z\",\"created_by_ref\":"	\
			"\"identity--" UUID("10") "\",\"object_refs\":[" refs "]}"
#define IDENTITY(n, s)	"{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--" UUID(n)	\
			"\"," TIMES ",\"name\":\"i\",\"sectors\":[\"" s "\"]}"
#define VULN(n)		"{\"type\":\"vulnerability\",\"spec_version\":\"2.1\",\"id\":\"vulnerability--"	\
			UUID(n) "\"," TIMES ",\"name\":\"v\"}"

static void
test_settle(void **state)
{
	const struct advisory *adv = message(
	    REPORT("20", "\"report--" UUID("21") "\"") ","
	    REPORT("21", "\"tool--" UUID("05") "\",\"vulnerability--" UUID("22") "\",\"identity--"
	    UUID("10") "\",\"identity--" UUID("11") "\"") ","
	    TOOL("05", "") "," VULN("22") "," IDENTITY("10", "government") "," IDENTITY("11", "energy")
	    ",{\"type\":\"note\",\"spec_version\":\"2.1\",\"id\":\"note--" UUID("23") "\"," TIMES ","
	    "\"content\":\"c\",\"object_refs\":[\"vulnerability--" UUID("22") "\"]},"
	    "{\"type\":\"relationship\",\"spec_version\":\"2.1\",\"id\":\"relationship--" UUID("24")
	    "\"," TIMES ",\"relationship_type\":\"targets\",\"source_ref\":\"tool--" UUID("05")
	    "\",\"target_ref\":\"identity--" UUID("11") "\"}");
	uint32_t energy = vocab_sector_bit(SLICE_LIT("energy"));

	(void)state;
	assert_int_equal(adv->nverdicts, 0);
	assert_int_equal(find(adv, "report--" UUID("21"))->phase, PHASE_REMEDIATION);
	assert_int_equal(find(adv, "report--" UUID("20"))->phase, PHASE_REMEDIATION);
	assert_int_equal(find(adv, "note--" UUID("23"))->phase, PHASE_REMEDIATION);
	assert_int_equal(find(adv, "relationship--" UUID("24"))->phase, PHASE_ANALYSIS);
	assert_int_equal(find(adv, "report--" UUID("21"))->sectors, energy);
	assert_int_equal(find(adv, "vulnerability--" UUID("22"))->sectors, energy);
	assert_int_equal(find(adv, "relationship--" UUID("24"))->sectors, energy);
	assert_int_equal(find(adv, "identity--" UUID("10"))->sectors,
	    vocab_sector_bit(SLICE_LIT("public-administration")));
	assert_true(find(adv, "identity--" UUID("11"))->flags & OBJECT_VICTIM);
	assert_false(find(adv, "identity--" UUID("10"))->flags & OBJECT_VICTIM);
}

/* A member of two reports must not carry the sectors of one into the other. */
static void
test_settling_twice_changes_nothing(void **state)
{
	struct advisory *adv = message(
	    REPORT("30", "\"tool--" UUID("05") "\",\"identity--" UUID("31") "\"") ","
	    REPORT("32", "\"tool--" UUID("05") "\",\"vulnerability--" UUID("33") "\",\"identity--"
	    UUID("34") "\"") "," TOOL("05", "") "," VULN("33") "," IDENTITY("31", "energy") ","
	    IDENTITY("34", "chemical"));
	uint32_t energy = vocab_sector_bit(SLICE_LIT("energy"));
	uint32_t chemical = vocab_sector_bit(SLICE_LIT("chemical"));

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(find(adv, "tool--" UUID("05"))->sectors, energy | chemical);
		assert_int_equal(find(adv, "report--" UUID("30"))->sectors, energy);
		assert_int_equal(find(adv, "vulnerability--" UUID("33"))->sectors, chemical);
		advisory_settle(adv, mem);
	}
}

/* A definition that was refused says nothing: what it marks is as good as RED. */
static void
test_refused_definition_cannot_be_read(void **state)
{
	const struct advisory *adv = message(TOOL("05", ",\"object_marking_refs\":[\"" OWN "\"]")
	    ",{\"type\":\"marking-definition\",\"id\":\"" OWN "\",\"created\":\"yesterday\","
	    "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"Copyright\"}}");

	(void)state;
	assert_int_equal(adv->n, 1);
	assert_int_equal(adv->objects[0].label, LABEL_UNREADABLE);
}

static void
test_minted_objects_and_what_they_need(void **state)
{
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;
	json *bad = json_object(mem);

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(advisory_add_marking(&adv, mem, TLP_AMBER_STRICT), 0);
		assert_int_equal(advisory_add_marking(&adv, mem, TLP_UNSET), 0);
		for (int x = 0; x < EXTENSIONS; x++)
			assert_int_equal(advisory_add_extension(&adv, mem, x), 0);
	}
	assert_int_equal(adv.n, 1 + EXTENSIONS);
	assert_true(slice_is(adv.objects[0].id, tlp_marking_id(TLP_AMBER_STRICT)));
	for (int x = 0; x < EXTENSIONS; x++) {
		assert_true(slice_is(adv.objects[1 + x].id, extension_definition_id(x)));
		assert_true(slice_is(adv.objects[1 + x].bytes, extension_definition_text(x)));
		assert_true(slice_is(adv.objects[1 + x].created_by, tocsin_identity_id()));
		assert_int_equal(adv.objects[1 + x].tlp, TLP_CLEAR);
		assert_true(adv.objects[1 + x].flags & OBJECT_MINTED);
	}
	assert_int_equal(advisory_mint(&adv, mem, bad, &e), -1);
	assert_int_equal(adv.n, 1 + EXTENSIONS);
	assert_string_equal(e.path, "type");
}

/* What we ship passes our own strict check. */
static void
test_shipped_objects_are_valid(void **state)
{
	struct advisory adv = { 0 };
	struct strbuf text = STRBUF_INIT;
	struct read_job job = { .strict = true };
	struct err e = ERR_INIT;

	(void)state;
	strbuf_addf(&text, "{\"objects\":[%s", tocsin_identity_text());
	for (int x = 0; x < EXTENSIONS; x++)
		strbuf_addf(&text, ",%s", extension_definition_text(x));
	for (int t = TLP_CLEAR; t < TLP_LEVELS; t++) {
		strbuf_addc(&text, ',');
		json_print(&text, tlp_marking_object(mem, t));
	}
	strbuf_adds(&text, "]}");
	job.in = strbuf_slice(&text);
	assert_int_equal(format_stix21.read(&job, mem, &adv, &e), 0);
	assert_int_equal(adv.n, 1 + EXTENSIONS + TLP_LEVELS - 1);
	assert_int_equal(adv.nverdicts, 0);
	strbuf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words_of_tlp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_phases_and_sectors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_classification_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_header_of_an_indicator, setup, teardown),
		cmocka_unit_test_setup_teardown(test_versions_without_modified, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged_definition_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fixed_definitions_are_public, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settling_twice_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_definition_cannot_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_minted_objects_and_what_they_need, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shipped_objects_are_valid, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
