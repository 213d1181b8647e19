/* If this fails, events that MISP servers really send come back changed, or STIX that people exchange does not
 * survive a MISP on its way. Needs ../shared/corpus; without it there is nothing to do here. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/corpus_kit.h"
#include "tests/unit/misp_kit.h"

enum { SNIFF = 4096, PAIRS_MAX = 200 };

/* Call `look` for every file below a folder of the corpus; returns how many there were. */
static size_t
go(const char *folder, void (*look)(const char *path))
{
	if (!corpus_here())
		skip();
	return corpus_each(&mem, arena_fmt(mem, CORPUS "%s", folder), "", look);
}

/* ---- MISP -> STIX -> MISP ---- */

static void
there_and_home(const char *path)
{
	struct slice text = corpus_text(mem, path);
	struct advisory adv, strict;
	struct loss loss;
	struct slice home, stix;
	size_t leaves;

	if (kit_read(&format_misp, text, &adv, &loss) < 0)
		fail_msg("%s: not read", path);
	leaves = corpus_leaves(kit_parse(text));
	if (kit_counted(&loss) != leaves)
		fail_msg("%s: %zu of %zu leaves in the account", path, kit_counted(&loss), leaves);
	home = kit_write(&format_misp, &adv, true, &loss);
	if (!json_equal(kit_events(text), kit_events(home)))
		fail_msg("%s: the event came home changed", path);
	/* what was made of it is STIX without any fault */
	stix = kit_write(&format_stix21, &adv, true, NULL);
	struct read_job job = { .in = stix, .received = MISP_NOW, .strict = true };
	strict = (struct advisory){ 0 };
	assert_int_equal(format_stix21.read(&job, mem, &strict, NULL), 0);
	for (size_t i = 0; i < strict.nverdicts; i++)
		if (strict.verdicts[i].kind == VERDICT_REFUSED)
			fail_msg("%s: %.*s: %s: %s", path, SLICE_ARG(strict.verdicts[i].id),
			    strict.verdicts[i].code, strict.verdicts[i].err.reason);
	assert_int_equal(strict.n, adv.n);
}

static void
test_every_event_comes_home(void **state)
{
	(void)state;
	assert_int_equal(go("misp/pymisp", there_and_home), 14);
	assert_int_equal(go("misp/misp-stix", there_and_home), 6);
}

/* ---- STIX -> MISP, the account ---- */

static void
count_leaves(const char *path)
{
	struct slice text = corpus_text(mem, path);
	struct advisory adv;
	struct loss loss;
	size_t leaves = 0;

	if (kit_read(&format_stix21, text, &adv, NULL) < 0)
		return;
	for (size_t i = 0; i < adv.n; i++)
		leaves += corpus_leaves(adv.objects[i].tree);
	for (int residue = 0; residue < 2; residue++) {
		if (kit_write(&format_misp, &adv, residue != 0, &loss).n == 0)
			fail_msg("%s: not written", path);
		if (kit_counted(&loss) != leaves)
			fail_msg("%s: %zu of %zu leaves in the account", path, kit_counted(&loss),
			    leaves);
		if (residue != 0 && loss.count[LOSS_DROPPED] != 0)
			fail_msg("%s: %zu leaves dropped", path, loss.count[LOSS_DROPPED]);
	}
}

static void
test_every_leaf_of_stix_is_accounted_for(void **state)
{
	(void)state;
	assert_true(go("stix21", count_leaves) > 100);
}

/* ---- whose is it ---- */

static bool ours;

static void
sniff(const char *path)
{
	struct slice text = corpus_text(mem, path);
	const struct format_ops *f =
	    format_sniff(slice_from(text.p, text.n < SNIFF ? text.n : SNIFF));

	if (ours != (f == &format_misp))
		fail_msg("%s: taken for %s", path, f == NULL ? "nothing" : f->name);
}

static void
test_an_event_is_known_by_its_looks(void **state)
{
	static const char *const others[] = {
		"stix21", "stix20", "stix1", "iodef1", "iodef2", "iodef-json", "rid", "csaf", "inhouse", "rolie"
	};

	(void)state;
	ours = true;
	go("misp/pymisp", sniff);
	go("misp/misp-stix", sniff);
	ours = false;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		go(others[i], sniff);
}

/* ---- what misp-stix made of events ---- */

struct pairs {
	struct slice	v[PAIRS_MAX];
	size_t		n;
};

static int
by_text(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* "type value" of every attribute below, AS174 and 174 alike. */
static void
collect(struct pairs *p, const json *o)
{
	struct slice type = json_member(o, "type"), value = json_member(o, "value");

	if (type.n > 0 && value.n > 0 && p->n < PAIRS_MAX) {
		if (slice_is(type, "AS") && slice_starts(value, "AS"))
			value = slice_from(value.p + 2, value.n - 2);
		p->v[p->n++] =
		    slice_of(arena_fmt(mem, "%.*s %.*s", SLICE_ARG(type), SLICE_ARG(value)));
	}
	for (const json *k = json_first(o); k != NULL; k = json_next(k))
		collect(p, k);
}

/* "type value" of all attributes on both sides, in order. */
static void
collect_both(struct pairs *a, const json *want, struct pairs *b, const json *got)
{
	collect(a, want);
	collect(b, got);
	qsort(a->v, a->n, sizeof(*a->v), by_text);
	qsort(b->v, b->n, sizeof(*b->v), by_text);
}

static void
compare_pairs(const char *what, const json *want, const json *got)
{
	struct pairs a = { .n = 0 }, b = { .n = 0 };

	collect_both(&a, want, &b, got);
	if (a.n != b.n)
		fail_msg("%s: %zu attributes, not %zu", what, b.n, a.n);
	for (size_t i = 0; i < a.n; i++)
		if (!slice_eq(a.v[i], b.v[i]))
			fail_msg("%s: \"%.*s\", not \"%.*s\"", what, SLICE_ARG(b.v[i]),
			    SLICE_ARG(a.v[i]));
}

static json *
through_misp(struct slice stix)
{
	struct advisory adv;

	assert_int_equal(kit_read(&format_stix21, stix, &adv, NULL), 0);
	return kit_parse(kit_write(&format_misp, &adv, false, NULL));
}

static void
test_bundles_of_misp_stix_give_their_events_again(void **state)
{
	static const struct { const char *stix, *misp[2]; } rows[] = {
		{ "test_attributes_collection_stix21.json",
		    { "test_attributes_collection_1.json", "test_attributes_collection_2.json" } },
		{ "test_objects_collection_stix21.json",
		    { "test_objects_collection_1.json", "test_objects_collection_2.json" } },
		{ "test_events_collection_stix21.json",
		    { "test_events_collection_1.json", "test_events_collection_2.json" } },
		{ "test_event1_stix21.json", { "test_events_collection_1.json", NULL } },
	};

	(void)state;
	if (!file_exists(CORPUS "MANIFEST.md"))
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json *want = json_list(mem);

		for (size_t k = 0; k < 2 && rows[i].misp[k] != NULL; k++)
			json_push(want, kit_parse(corpus_text(mem, arena_fmt(mem, CORPUS "misp/misp-stix/%s",
			    rows[i].misp[k]))));
		compare_pairs(rows[i].stix, want, through_misp(corpus_text(mem, arena_fmt(mem,
		    CORPUS "stix21/misp-stix/%s", rows[i].stix))));
	}
}

/* A bundle of the STIX side of a pair. */
static struct slice
bundle_of(const json *stix)
{
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	strbuf_adds(&b,
	    "{\"type\":\"bundle\",\"id\":\"bundle--5ac337df-e078-4e99-8b17-02550a00020f\","
	    "\"objects\":");
	if (!json_is_list(stix))
		strbuf_addc(&b, '[');
	json_print(&b, stix);
	strbuf_adds(&b, json_is_list(stix) ? "}" : "]}");
	text = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static void
test_attributes_of_misp_stix_give_themselves_again(void **state)
{
	static const char *const files[] = {
		"misp_attributes_to_stix21.json", "misp_custom_attributes_to_stix21.json"
	};
	size_t n = 0;

	(void)state;
	if (!file_exists(CORPUS "MANIFEST.md"))
		skip();
	for (size_t i = 0; i < 2; i++) {
		json *all = kit_parse(corpus_text(mem, arena_fmt(mem, CORPUS "misp/pairs/%s", files[i])));

		for (json *pair = json_first(all); pair != NULL; pair = json_next(pair), n++)
			if (strcmp(json_name(pair), "regkey|value") != 0) /* it escapes % too */
				compare_pairs(json_name(pair), json_get(pair, "MISP"),
				    json_get(
					through_misp(bundle_of(json_get(pair, "STIX"))), "Event"));
	}
	assert_int_equal(n, 86);
}

/* All STIX objects below, whatever they are sorted by. */
static void
gather(json *list, const json *o)
{
	if (json_get(o, "type") != NULL && json_get(o, "id") != NULL)
		json_push(list, json_copy(mem, o));
	else
		for (const json *k = json_first(o); k != NULL; k = json_next(k))
			gather(list, k);
}

/* Objects keep less in the hands of misp-stix: most give themselves again, and none gives nothing. */
static void
test_objects_of_misp_stix_give_their_attributes_again(void **state)
{
	static const char *const files[] = {
		"misp_objects_to_stix21.json", "misp_custom_objects_to_stix21.json"
	};
	size_t n = 0, same = 0;

	(void)state;
	if (!file_exists(CORPUS "MANIFEST.md"))
		skip();
	for (size_t i = 0; i < 2; i++) {
		json *all = kit_parse(corpus_text(mem, arena_fmt(mem, CORPUS "misp/pairs/%s", files[i])));

		for (json *pair = json_first(all); pair != NULL; pair = json_next(pair), n++) {
			struct pairs a = { .n = 0 }, b = { .n = 0 };
			json *stix = json_list(mem), *event;
			bool equal;

			gather(stix, json_get(pair, "STIX"));
			event = json_get(through_misp(bundle_of(stix)), "Event");
			collect_both(&a, json_get(pair, "MISP"), &b, event);
			equal = a.n == b.n;
			for (size_t k = 0; k < a.n && equal; k++)
				equal = slice_eq(a.v[k], b.v[k]);
			same += equal;
			assert_true(b.n > 0);
		}
	}
	print_message("%zu of %zu objects are the same\n", same, n);
	assert_true(n == 59 && same >= 30);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_every_event_comes_home, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_every_leaf_of_stix_is_accounted_for, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_an_event_is_known_by_its_looks, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_bundles_of_misp_stix_give_their_events_again, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_objects_of_misp_stix_give_their_attributes_again, kit_setup,
		    kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_attributes_of_misp_stix_give_themselves_again, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
