/* If this fails, a bundle that went to a partner as STIX 1.2 comes back with objects lost or changed, what the
 * partner edited is undone, or a forged original frees a secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "formats/stix1.h"
#include "tests/unit/chain_kit.h"
#include "tests/unit/mem_kit.h"

#define U(n)	"0000000" #n "-0000-4000-8000-000000000000"
#define CLEAR	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
#define STRICT	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
#define RED	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
#define STAMPS	"\"spec_version\":\"2.1\",\"created\":\"2026-03-01T08:00:00.000Z\","	\
	"\"modified\":\"2026-03-02T08:00:00.000Z\","
#define INDICATOR(n, name, more) "{\"type\":\"indicator\",\"id\":\"indicator--" U(n) "\"," STAMPS		\
	"\"name\":\"" name "\",\"pattern\":\"[ipv4-addr:value = '198.51.100." #n "']\",\"pattern_type\":\"stix\"," \
	"\"valid_from\":\"2026-03-01T08:00:00Z\",\"labels\":[\"kept " #n "\"]" more "}"
#define MARKED(id) ",\"object_marking_refs\":[\"" id "\"]"
#define MALWARE	"{\"type\":\"malware\",\"id\":\"malware--" U(3) "\"," STAMPS "\"name\":\"worm\",\"is_family\":true}"
#define NOTE	"{\"type\":\"note\",\"id\":\"note--" U(4) "\"," STAMPS "\"content\":\"nobody\\u007f  but us\","	\
	"\"object_refs\":[\"indicator--" U(1) "\"]}"
#define RELATION(from, to) "{\"type\":\"relationship\",\"id\":\"relationship--" U(5) "\"," STAMPS		\
	"\"relationship_type\":\"indicates\",\"source_ref\":\"" from "\",\"target_ref\":\"" to "\"}"
#define OBSERVED "{\"type\":\"observed-data\",\"id\":\"observed-data--" U(6) "\"," STAMPS			\
	"\"first_observed\":\"2026-03-01T08:00:00Z\",\"last_observed\":\"2026-03-01T08:00:00Z\","		\
	"\"number_observed\":1,\"object_refs\":[\"ipv4-addr--" U(7) "\"],\"labels\":[\"seen\"]}"		\
	",{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"ipv4-addr--" U(7) "\",\"value\":\"198.51.100.9\"}"
#define ALL INDICATOR(1, "First", "") "," INDICATOR(2, "Second", MARKED(STRICT)) "," MALWARE "," NOTE ","	\
	RELATION("indicator--" U(1), "malware--" U(3)) "," OBSERVED

#define INCIDENT "{\"type\":\"incident\",\"id\":\"incident--" U(6) "\"," STAMPS "\"name\":\"break-in\"}"
#define JOURNAL	"{\"type\":\"note\",\"id\":\"note--" U(7) "\"," STAMPS "\"content\":\"seen\",\"authors\":[\"us\"],"	\
	"\"object_refs\":[\"incident--" U(6) "\"]}"
#define GROUPING "{\"type\":\"grouping\",\"id\":\"grouping--" U(8) "\"," STAMPS "\"name\":\"all\","		\
	"\"context\":\"suspicious-activity\",\"object_refs\":[\"incident--" U(6) "\"]}"
#define SET "{\"type\":\"intrusion-set\",\"id\":\"intrusion-set--" U(9) "\"," STAMPS "\"name\":\"they\"}"

static struct advisory
objects(const char *text)
{
	struct advisory adv;
	struct err e = ERR_INIT;

	if (chain_read(&format_stix21, slice_of(arena_fmt(mem, "{\"type\":\"bundle\",\"id\":\"bundle--" U(0)
	    "\",\"objects\":[%s]}", text)), mem, &adv, NULL, &e) < 0)
		fail_msg("%s", e.reason);
	return adv;
}

static struct slice
written(const struct advisory *adv, bool residue)
{
	struct slice text;
	struct err e = ERR_INIT;

	assert_int_equal(chain_write(&format_stix1, adv, mem, residue, NULL, &text, &e), 0);
	return text;
}

static struct advisory
back(struct slice text)
{
	struct advisory adv;
	struct err e = ERR_INIT;

	if (chain_read(&format_stix1, text, mem, &adv, NULL, &e) < 0)
		fail_msg("%s", e.reason);
	return adv;
}

/* The text with all `from` written as `to`; there must be one. */
static struct slice
edited(struct slice text, const char *from, const char *to)
{
	struct strbuf b = STRBUF_INIT;
	size_t n = strlen(from), found = 0;
	struct slice out;

	for (size_t i = 0; i < text.n; i++) {
		if (i + n <= text.n && memcmp(text.p + i, from, n) == 0) {
			strbuf_adds(&b, to);
			i += n - 1;
			found++;
		} else {
			strbuf_addc(&b, text.p[i]);
		}
	}
	assert_true(found > 0);
	out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

/* The same with a hash that fits: what a forger would do. */
static struct slice
forged(struct slice text, struct slice was)
{
	struct xml_node *root, *n;
	struct strbuf b = STRBUF_INIT;
	char old[65], new[65];

	assert_int_equal(xml_parse(was, NULL, mem, &n, NULL), 0);
	stix1_package_hash(n, old);
	assert_int_equal(xml_parse(text, NULL, mem, &root, NULL), 0);
	stix1_package_hash(root, new);
	strbuf_fini(&b);
	return edited(text, old, new);
}

static bool
is_as_it_was(const struct advisory *now, const struct advisory *then, const char *id)
{
	const struct object *a = chain_find(now, slice_of(id)), *b = chain_find(then, slice_of(id));

	return a != NULL && b != NULL && json_equal(a->tree, b->tree);
}

static void
an_untouched_package_is_its_bundle(void **state)
{
	struct advisory adv = objects(ALL), now = back(written(&adv, true));

	(void)state;
	assert_true(slice_eq(now.id, adv.id));
	assert_int_equal(now.n, adv.n);
	for (size_t i = 0; i < adv.n; i++) {
		assert_true(slice_eq(now.objects[i].id, adv.objects[i].id));
		assert_true(json_equal(now.objects[i].tree, adv.objects[i].tree));
		assert_int_equal(now.objects[i].tlp, adv.objects[i].tlp);
	}
	assert_null(memmem(written(&adv, false).p, written(&adv, false).n, "stix-object", 11));
}

static void
an_edit_costs_no_other_object(void **state)
{
	struct advisory adv = objects(ALL), now = back(edited(written(&adv, true), ">First<", ">Edited<"));
	static const char *const others[] = { "malware--" U(3), "note--" U(4), "relationship--" U(5),
	    "observed-data--" U(6), "ipv4-addr--" U(7), "indicator--" U(2) };
	const struct object *o = chain_find(&now, SLICE_LIT("indicator--" U(1)));

	(void)state;
	assert_non_null(o);
	assert_string_equal(json_member(o->tree, "name").p, "Edited");
	assert_true(slice_is(json_slice(json_first(json_get(o->tree, "labels"))), "kept 1"));
	for (size_t i = 0; i < COUNTOF(others); i++)
		if (!is_as_it_was(&now, &adv, others[i]))
			fail_msg("%s", others[i]);
	assert_int_equal(now.n, adv.n + 1);	/* and what our extension is */
}

/* What STIX 1.x says as something else, because it has nothing nearer. */
static void
the_nearest_is_no_second_object(void **state)
{
	struct advisory adv = objects(INDICATOR(1, "First", "") "," INCIDENT "," JOURNAL "," GROUPING "," SET);
	struct advisory now = back(edited(written(&adv, true), ">First<", ">Edited<"));
	struct advisory bare = back(written(&adv, false));

	(void)state;
	assert_non_null(chain_find(&bare, SLICE_LIT("threat-actor--" U(9))));
	assert_non_null(chain_find(&bare, SLICE_LIT("report--" U(8))));
	for (size_t i = 1; i < adv.n; i++)
		if (!is_as_it_was(&now, &adv, arena_str(mem, adv.objects[i].id)))
			fail_msg("%s", arena_str(mem, adv.objects[i].id));
	assert_int_equal(now.n, adv.n + 1);
}

/* What a partner takes out does not come back. */
static void
what_is_taken_out_stays_out(void **state)
{
	struct advisory adv = objects(ALL), now;
	struct slice text = written(&adv, true);
	const char *from = memmem(text.p, text.n, "<stix:Indicator ", 16), *to = from == NULL ? NULL :
	    memmem(from, text.n - (size_t)(from - text.p), "</stix:Indicator>", 17);

	(void)state;
	assert_non_null(to);
	now = back(slice_of(arena_fmt(mem, "%.*s%s", (int)(from - text.p), text.p, to + 17)));
	assert_null(chain_find(&now, SLICE_LIT("indicator--" U(1))));
	assert_null(chain_find(&now, SLICE_LIT("relationship--" U(5))));
	assert_true(is_as_it_was(&now, &adv, "note--" U(4)));
	assert_true(is_as_it_was(&now, &adv, "indicator--" U(2)));
}

/* Whatever a forger changes, the strictest that the package says holds. */
static void
no_original_frees_a_secret(void **state)
{
	struct advisory adv = objects(INDICATOR(1, "First", MARKED(RED))), now;
	struct slice text = written(&adv, true), freed = edited(text, RED, CLEAR), both;

	(void)state;
	both = edited(freed, "//cyboxCommon:Tool[@id='tocsin:originals-red']", "//cyboxCommon:Name");
	const struct slice forgeries[] = { freed, forged(freed, text), both, forged(both, text) };
	for (size_t i = 0; i < COUNTOF(forgeries); i++) {
		const struct object *o;

		now = back(forgeries[i]);
		o = chain_find(&now, SLICE_LIT("indicator--" U(1)));
		assert_non_null(o);
		if (o->tlp != TLP_RED)
			fail_msg("forgery %zu gives %s", i, tlp_label(o->tlp));
	}
}

/* Only AMBER+STRICT comes back from below RED, and only said as exactly that. */
static void
the_tool_says_amber_strict(void **state)
{
	struct advisory adv = objects(INDICATOR(1, "First", MARKED(STRICT)));
	struct slice text = written(&adv, true);
	struct advisory now = back(text), other = back(forged(edited(text, STRICT,
	    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"), text));

	(void)state;
	assert_non_null(memmem(text.p, text.n, "color=\"RED\"", 11));
	assert_int_equal(chain_find(&now, SLICE_LIT("indicator--" U(1)))->tlp, TLP_AMBER_STRICT);
	assert_int_equal(chain_find(&other, SLICE_LIT("indicator--" U(1)))->tlp, TLP_RED);
}

static void
bad_originals_cost_themselves(void **state)
{
	static const struct { const char *from, *to; } broken[] = {
		{ "{\"type\":\"note\"", "{\"type\":\"note" }, { "\"id\":\"note--" U(4) "\"", "\"id\":\"x\"" },
		{ "\"note--" U(4) "\"", "\"indicator--" U(1) "\"" },
	};
	struct advisory adv = objects(ALL);

	(void)state;
	for (size_t i = 0; i < COUNTOF(broken); i++) {
		struct advisory now = back(edited(written(&adv, true), broken[i].from, broken[i].to));
		bool told = false;

		assert_true(is_as_it_was(&now, &adv, "malware--" U(3)));
		assert_null(chain_find(&now, SLICE_LIT("note--" U(4))));
		assert_string_equal(json_member(chain_find(&now, SLICE_LIT("indicator--" U(1)))->tree,
		    "name").p, "First");
		for (size_t k = 0; k < now.nverdicts; k++)
			told |= strcmp(now.verdicts[k].code, "BAD_ORIGINAL") == 0;
		assert_true(told);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_untouched_package_is_its_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(an_edit_costs_no_other_object, setup, teardown),
		cmocka_unit_test_setup_teardown(the_nearest_is_no_second_object, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_taken_out_stays_out, setup, teardown),
		cmocka_unit_test_setup_teardown(no_original_frees_a_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(the_tool_says_amber_strict, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_originals_cost_themselves, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
