/* If this fails, a partner who reads STIX 1.x gets secrets under a weaker label, or somebody's package comes back
 * with words put into its author's mouth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "formats/stix1.h"
#include "tests/unit/chain_kit.h"
#include "tests/unit/mem_kit.h"

#define U1	"11111111-1111-4111-8111-111111111111"
#define U2	"22222222-2222-4222-8222-222222222222"
#define U3	"33333333-3333-4333-8333-333333333333"
#define CLEAR	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
#define GREEN	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define STRICT	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
#define RED	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
#define STAMPS	"\"spec_version\":\"2.1\",\"created\":\"2026-03-01T08:00:00.000Z\","	\
	"\"modified\":\"2026-03-01T08:00:00.000Z\","

static struct advisory
objects(const char *text)
{
	struct advisory adv;
	struct err e = ERR_INIT;

	if (chain_read(&format_stix21, slice_of(arena_fmt(mem, "{\"type\":\"bundle\",\"id\":\"bundle--" U1
	    "\",\"objects\":[%s]}", text)), mem, &adv, NULL, &e) < 0)
		fail_msg("%s", e.reason);
	return adv;
}

static struct xml_node *
package(const struct advisory *adv, bool residue)
{
	struct xml_node *root;
	struct err e = ERR_INIT;
	struct slice text;

	assert_int_equal(chain_write(&format_stix1, adv, mem, residue, NULL, &text, &e), 0);
	if (xml_parse(text, NULL, mem, &root, &e) < 0)
		fail_msg("%s", e.reason);
	return root;
}

static const char *
marked(const char *type, const char *uuid, const char *rest, const char *label)
{
	return arena_fmt(mem, "{\"type\":\"%s\",\"id\":\"%s--%s\"," STAMPS "%s%s%s%s}", type, type, uuid, rest,
	    label[0] == '\0' ? "" : ",\"object_marking_refs\":[\"", label, label[0] == '\0' ? "" : "\"]");
}

/* The color of the Handling of the only Campaign. */
static const char *
color_of(const struct xml_node *root)
{
	struct xml_node *n = stix1_down(root, "Campaigns/Campaign/Handling/Marking/Marking_Structure");

	return n == NULL ? "" : xml_value(n, "color").p;
}

static void
labels_are_said_or_grow(void **state)
{
	static const struct { const char *label, *color; } rows[] = {
		{ "", "" }, { CLEAR, "WHITE" }, { GREEN, "GREEN" }, { STRICT, "RED" }, { RED, "RED" },
		{ "marking-definition--" U3, "RED" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct advisory adv = objects(marked("campaign", U1, "\"name\":\"C\"", rows[i].label));

		assert_string_equal(color_of(package(&adv, true)), rows[i].color);
	}
}

/* A relationship that is more secret than both of its ends is not told by either. */
static void
a_secret_relationship_stays_away(void **state)
{
	const char *ends = arena_fmt(mem, "%s,%s", marked("campaign", U1, "\"name\":\"C\"", GREEN),
	    marked("threat-actor", U2, "\"name\":\"T\"", GREEN));
	const char *says = "\"relationship_type\":\"attributed-to\",\"source_ref\":\"campaign--" U1
	    "\",\"target_ref\":\"threat-actor--" U2 "\"";

	(void)state;
	for (int secret = 0; secret < 2; secret++) {
		struct advisory adv = objects(arena_fmt(mem, "%s,%s", ends, marked("relationship", U3, says,
		    secret ? RED : GREEN)));
		const struct xml_node *n = stix1_down(package(&adv, true), "Campaigns/Campaign/Attribution");

		assert_int_equal(n == NULL, secret);
	}
}

/* An author is named only where the author's name may be known. */
static void
a_secret_author_is_an_id(void **state)
{
	(void)state;
	for (int secret = 0; secret < 2; secret++) {
		struct advisory adv = objects(arena_fmt(mem, "%s,%s", marked("identity", U2,
		    "\"name\":\"Desk\",\"identity_class\":\"group\"", secret ? RED : GREEN),
		    marked("campaign", U1, "\"name\":\"C\",\"created_by_ref\":\"identity--" U2 "\"", GREEN)));
		const struct xml_node *n = stix1_down(package(&adv, true),
		    "Campaigns/Campaign/Information_Source/Identity");

		assert_non_null(n);
		assert_int_equal(stix1_get(n, "Name") == NULL, secret);
		assert_int_equal(xml_value(n, "idref").n > 0, secret);
	}
}

#define PACKAGE "<s:STIX_Package xmlns:s='http://stix.mitre.org/stix-1' xmlns:c='http://stix.mitre.org/Campaign-1' " \
	"xmlns:v='http://stix.mitre.org/common-1' xmlns:a='http://a.example/' "		\
	"xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "		\
	"id='a:package-" U3 "' timestamp='2020-01-01T00:00:00Z'>"			\
	"<s:Campaigns><s:Campaign id='a:campaign-" U1 "' timestamp='2020-01-01T00:00:00Z' "		\
	"xsi:type='c:CampaignType'><c:Title>First</c:Title><c:Activity><v:Title>odd</v:Title></c:Activity>"	\
	"</s:Campaign><s:Campaign id='a:campaign-" U2 "' timestamp='2020-01-01T00:00:00Z' "		\
	"xsi:type='c:CampaignType'><c:Title>Second</c:Title></s:Campaign></s:Campaigns></s:STIX_Package>"

static struct advisory
from_stix1(void)
{
	struct advisory adv;
	struct err e = ERR_INIT;

	if (chain_read(&format_stix1, SLICE_LIT(PACKAGE), mem, &adv, NULL, &e) < 0)
		fail_msg("%s", e.reason);
	return adv;
}

/* The same objects with a change in the one of that id. */
static struct advisory
edit(const struct advisory *was, const char *id, const char *member, const char *value)
{
	struct advisory adv = { .id = was->id };
	struct err e = ERR_INIT;

	for (size_t i = 0; i < was->n; i++) {
		json *tree = json_copy(mem, was->objects[i].tree);

		if (slice_is(was->objects[i].id, id)) {
			if (strcmp(member, "object_marking_refs") == 0)
				json_push(json_put(mem, tree, member, json_list(mem)), json_string(mem,
				    slice_of(value)));
			else
				json_put_str(mem, tree, member, slice_of(value));
		}
		assert_int_equal(advisory_mint(&adv, mem, tree, &e), 0);
	}
	return adv;
}

static void
untouched_packages_come_home(void **state)
{
	struct advisory adv = from_stix1();
	struct xml_node *before;

	(void)state;
	assert_int_equal(xml_parse(SLICE_LIT(PACKAGE), NULL, mem, &before, NULL), 0);
	assert_true(xml_equal(package(&adv, true), before));
	assert_false(xml_equal(package(&adv, false), before));
}

/* An edited object is written anew, under the name it had, with what only 1.x can say; the other stays. */
static void
edits_are_written(void **state)
{
	struct advisory was = from_stix1(), adv = edit(&was, "campaign--" U1, "name", "Changed");
	struct xml_node *root = package(&adv, true);
	struct xml_node *list = stix1_get(root, "Campaigns");
	struct xml_node *first = stix1_get(list, "Campaign"), *second = stix1_more(first);

	(void)state;
	assert_non_null(second);
	assert_null(stix1_more(second));
	assert_string_equal(xml_text(stix1_get(first, "Title"), mem).p, "Second");
	assert_string_equal(xml_text(stix1_get(second, "Title"), mem).p, "Changed");
	assert_string_equal(xml_value(second, "id").p, "a:campaign-" U1);
	assert_string_equal(xml_text(stix1_down(second, "Activity"), mem).p, "odd");
}

/* A stranger's residue says nothing of the label that the object has, and fits it otherwise. */
static void
residue_does_not_weaken(void **state)
{
	struct advisory was = from_stix1(), adv = edit(&was, "campaign--" U1, "object_marking_refs", RED);
	struct advisory back;
	struct err e = ERR_INIT;
	struct slice text;
	const struct object *o;

	(void)state;
	for (size_t i = 0; i < adv.n; i++) {
		json *residue = stix1_residue(adv.objects[i].tree);
		char hash[65];

		if (residue == NULL || json_get(residue, "xml") == NULL)
			continue;
		stix1_object_hash(adv.objects[i].tree, hash);
		json_put_str(mem, residue, "sha256", slice_of(hash));
	}
	assert_int_equal(chain_write(&format_stix1, &adv, mem, true, NULL, &text, &e), 0);
	assert_int_equal(chain_read(&format_stix1, text, mem, &back, NULL, &e), 0);
	o = chain_find(&back, SLICE_LIT("campaign--" U1));
	assert_non_null(o);
	assert_int_equal(o->tlp, TLP_RED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_said_or_grow),
		cmocka_unit_test(a_secret_relationship_stays_away),
		cmocka_unit_test(a_secret_author_is_an_id),
		cmocka_unit_test(untouched_packages_come_home),
		cmocka_unit_test(edits_are_written),
		cmocka_unit_test(residue_does_not_weaken),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
