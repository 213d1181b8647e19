/* If this fails, what came from a STIX 1.x package goes back to its sender as another package, or the residue
 * of a stranger stops the translator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "formats/stix1.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define U1	"11111111-1111-4111-8111-111111111111"
#define U2	"22222222-2222-4222-8222-222222222222"
#define EXT	"extension-definition--22f7e26a-b629-40ac-979d-c7571c2b97e0"
#define NS	"xmlns:s='http://stix.mitre.org/stix-1'"
#define CUT(ref) "<cut xmlns='urn:tocsin:stix1' ref='campaign--" ref "'/>"

/* Add a campaign with that residue. */
static void
add(struct advisory *adv, const char *uuid, const char *residue)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(slice_of(arena_fmt(mem, "{\"type\":\"campaign\",\"spec_version\":\"2.1\","
	    "\"id\":\"campaign--%s\",\"created\":\"2025-01-01T00:00:00.000Z\","
	    "\"modified\":\"2025-01-01T00:00:00.000Z\",\"name\":\"C\",\"extensions\":{\"" EXT "\":"
	    "{\"extension_type\":\"property-extension\",\"stix1\":%s}}}", uuid, residue)), NULL, mem, &doc, &e) < 0)
		fail_msg("%s", e.reason);
	assert_int_equal(advisory_mint(adv, mem, doc.root, &e), 0);
}

static const char *
text_of(const struct xml_node *n)
{
	struct strbuf b = STRBUF_INIT;
	struct slice s;

	xml_print(&b, n, 0);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s.p;
}

/* Each piece goes to the place of its cut; the place of what is not there any more goes too. */
static void
pieces_find_their_places(void **state)
{
	struct advisory adv = { 0 };
	struct stix1_home home;

	(void)state;
	add(&adv, U1, "{\"package\":{\"element\":\"STIX_Package\",\"xml\":\"<s:STIX_Package " NS "><s:Campaigns>"
	    CUT(U1) CUT(U2) CUT("33333333-3333-4333-8333-333333333333") "</s:Campaigns></s:STIX_Package>\"},"
	    "\"element\":\"Campaign\",\"in\":\"campaign--" U1 "\",\"xml\":\"<s:Campaign " NS " id='a'/>\"}");
	add(&adv, U2, "{\"element\":\"Campaign\",\"in\":\"campaign--" U1 "\",\"xml\":\"<s:Campaign " NS
	    " id='b'/>\",\"sha256\":\"no longer\"}");
	stix1_home(&adv, mem, &home);
	assert_int_equal(home.nroots, 1);
	assert_string_equal(text_of(home.roots[0]), "<s:STIX_Package xmlns:s=\"http://stix.mitre.org/stix-1\">"
	    "<s:Campaigns><s:Campaign id=\"a\"/><s:Campaign id=\"b\"/></s:Campaigns></s:STIX_Package>");
	assert_int_equal(home.n, 3);
	assert_true(home.pieces[0].bears);
	assert_false(home.pieces[2].same);
}

/* An object is known as what was made of the document, and as something else when it was edited. */
static void
edits_are_seen(void **state)
{
	struct read_job job = { .input = "test", .received = SLICE_LIT("2025-01-01T00:00:00Z"),
		.in = SLICE_LIT("<s:STIX_Package " NS "><s:Campaigns><s:Campaign id='a:campaign-" U1
		"'><s:Title>C</s:Title></s:Campaign></s:Campaigns></s:STIX_Package>") };
	struct advisory adv = { 0 };
	struct stix1_home home;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(format_stix1.read(&job, mem, &adv, &e), 0);
	for (int edited = 0; edited < 2; edited++) {
		stix1_home(&adv, mem, &home);
		assert_int_equal(home.n, 2);
		assert_int_equal(home.pieces[1].same, edited == 0);
		json_put_str(mem, adv.objects[adv.n - 1].tree, "name", SLICE_LIT("D"));
	}
}

/* Residue of a stranger: no XML, XML of something else, pieces in each other. */
static void
bad_residue_is_left_out(void **state)
{
	static const char *const rows[] = {
		"{\"element\":\"Campaign\",\"xml\":\"<s:Campaign\"}",
		"{\"element\":\"Campaign\",\"xml\":7}",
		"{\"element\":\"Indicator\",\"xml\":\"<s:Campaign " NS "/>\"}",
		"{\"element\":\"Campaign\",\"xml\":\"<Campaign xmlns='urn:stranger'/>\"}",
		"{\"element\":\"Campaign\",\"in\":\"campaign--" U1 "\",\"xml\":\"<s:Campaign " NS ">" CUT(U1)
		"</s:Campaign>\"}",
		"{\"more\":[1,null,{}],\"package\":[]}", "[]", "7",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct advisory adv = { 0 };
		struct stix1_home home;

		add(&adv, U1, rows[i]);
		stix1_home(&adv, mem, &home);
		assert_int_equal(home.nroots, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_find_their_places),
		cmocka_unit_test(edits_are_seen),
		cmocka_unit_test(bad_residue_is_left_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
