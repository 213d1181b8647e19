/* If this fails, somebody reads, writes or deletes in a collection that is not his to see, or misses what he
 * may have. */
#include "fixture_gateway.h"

static int
set_up(void **state)
{
	*state = world_new(NULL, NULL, false);
	return 0;
}

static int
set_up_loop(void **state)
{
	*state = world_new(NULL, NULL, true);
	return 0;
}

static int
tear_down(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- rights ---- */

/* "rw" "r" "w" "-" (visible without rights) "" (as if absent) */
static const char *
rights(struct world *w, const char *who, const char *collection)
{
	const struct reader r = { .peer = trust_find(w->g.trust, slice_of(who)), .name = who };
	const struct collection_conf *col = catalog_find(w->g.catalog, slice_of(collection));
	bool read, write;

	assert_non_null(col);
	read = catalog_can_read(w->g.catalog, col, &r);
	write = catalog_can_write(w->g.catalog, col, &r);
	if (!catalog_visible(w->g.catalog, col, &r)) {
		assert_false(read || write);
		return "";
	}
	return read && write ? "rw" : read ? "r" : write ? "w" : "-";
}

static void
who_may_what(void **state)
{
	static const char trust[] = "peer near\n" PIN(EIGHT("1")) "    relation partner\n"
	    "peer mean\n" PIN(EIGHT("2")) "    relation partner\n    write *\n    read *\n"
	    "peer keyless\n" PIN(EIGHT("3")) "    relation partner\n"
	    "consumer soc\n    relation own\n    read *\n    write *\n"
	    "consumer named\n    relation own\n    read cellar inbox-near\n    write cellar\n"
	    "consumer nothing\n    relation own\n";
	static const struct { const char *who, *collection, *want; } row[] = {
		{ "soc", "kept", "rw" }, { "soc", "feed", "r" }, { "soc", "cellar", "" },
		{ "soc", "inbox-near", "" },
		{ "named", "cellar", "rw" }, { "named", "kept", "-" }, { "named", "inbox-near", "r" },
		{ "nothing", "kept", "-" }, { "nothing", "cellar", "" },
		{ "near", "inbox-near", "w" }, { "near", "inbox-mean", "" }, { "near", "kept", "-" },
		/* everything is not what is hidden, and another's inbox is nobody's */
		{ "mean", "inbox-near", "" }, { "mean", "inbox-mean", "w" }, { "mean", "kept", "rw" },
		{ "mean", "cellar", "" },
		/* the public, with authentication off */
		{ "nobody", "kept", "r" }, { "nobody", "cellar", "" }, { "nobody", "inbox-near", "" },
	};
	struct world *w = *state;

	world_reload(w, NULL, trust);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		const char *have = rights(w, row[i].who, row[i].collection);

		if (strcmp(have, row[i].want) != 0)
			fail_msg("%s in %s: '%s'", row[i].who, row[i].collection, have);
	}
}

/* An inbox that the configuration writes down, open to see, is still written to by its peer alone; and a
 * consumer has no inbox, whatever it is called. */
static void
inboxes_stay_inboxes(void **state)
{
	static const char trust[] = "peer near\n" PIN(EIGHT("1")) "    relation partner\n"
	    "consumer soc\n    relation own\n    write *\n"
	    "consumer other\n    relation own\n    write inbox-soc\n";
	struct world *w = *state;
	const char *conf = arena_fmt(w->mem, "%scollection inbox-near\ncollection inbox-soc\n"
	    "    hidden yes\n", world_conf);

	world_reload(w, conf, trust);
	assert_string_equal(rights(w, "soc", "inbox-near"), "-");
	assert_string_equal(rights(w, "near", "inbox-near"), "w");
	assert_string_equal(rights(w, "soc", "inbox-soc"), "");
	assert_string_equal(rights(w, "other", "inbox-soc"), "w");
}

/* ---- pages ---- */

/* Every row is asked about at the moment of reading, with every fact that policy has. */
static void
policy_reads_along(void **state)
{
	static const char embargo[] = "\"labels\":[\"embargo:desk\"],";
	static const char pap_red[] = "\"labels\":[\"pap:red\"],", pap_clear[] = "\"labels\":[\"pap:clear\"],";
	struct world *w = *state;
	char both[512];

	world_put(w, "near", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, AMBER), ind(w, 3, STRICT),
	    ind(w, 4, NO_LABEL), ind(w, 5, RED)));
	snprintf(both, sizeof(both), "%s%s", GREEN, pap_red);
	world_put(w, "near", ENVELOPE(w, ind(w, 6, both)));
	snprintf(both, sizeof(both), "%s%s", GREEN, pap_clear);
	world_put(w, "near", ENVELOPE(w, ind(w, 7, both)));
	snprintf(both, sizeof(both), "%s%s", GREEN, embargo);
	world_put(w, "near", ENVELOPE(w, ind(w, 8, both)));
	assert_string_equal(world_sees(w, "soc", "kept"), "indicator 1,indicator 2,indicator 3,"
	    "indicator 4,indicator 6,indicator 7");
	assert_string_equal(world_sees(w, "dike", "kept"), "indicator 1,indicator 2,indicator 4,"
	    "indicator 6,indicator 7");
	/* PAP: what blocks may only be fed what is for blocking; unmarked is PAP:AMBER here */
	assert_string_equal(world_sees(w, "wall", "kept"), "indicator 7");
	assert_string_equal(world_sees(w, "nobody", "kept"), "");
}

static void
deskmates_see_the_embargo(void **state)
{
	struct world *w = *state;
	const char *more = "community desk\n    members dike\n";

	world_reload(w, NULL, arena_fmt(w->mem, "%s%s", world_trust, more));
	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN "\"labels\":[\"embargo:desk\"],")));
	assert_string_equal(world_sees(w, "dike", "kept"), "indicator 1");
	assert_string_equal(world_sees(w, "soc", "kept"), "");
}

/* A page that showed something is one record; an empty one is none. */
static void
pages_are_recorded(void **state)
{
	struct world *w = *state;
	const char *log;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, GREEN)));
	world_sees(w, "soc", "kept");
	world_sees(w, "nobody", "kept");
	log = world_audit(w);
	assert_int_equal(world_count(log, "\"ev\":\"page\""), 1);
	assert_non_null(strstr(log, "\"consumer\":\"soc\",\"collection\":\"kept\",\"objects\":2"));
	assert_int_equal(world_count(log, "indicator--"), 0);
}

/* ---- DELETE ---- */

static void
on_count(void *arg, size_t n, const struct err *e)
{
	assert_null(e);
	*(size_t *)arg = n;
}

static size_t
take_out(struct world *w, const char *who, const char *collection, const char *id, bool last)
{
	const struct reader r = { .peer = trust_find(w->g.trust, slice_of(who)), .name = who };
	struct page_query q = { .added_after_us = -1, .position_us = -1, .nids = 1,
	    .all = !last, .last = last };
	struct slice ids = slice_of(id);
	size_t n = SIZE_MAX;

	q.ids = &ids;
	catalog_remove(w->g.catalog, &r, catalog_find(w->g.catalog, slice_of(collection)), &q,
	    on_count, &n);
	world_turn(w);
	return n;
}

/* What he may not see he cannot take out, nor learn of; other collections keep theirs. */
static void
take_out_what_you_see(void **state)
{
	struct world *w = *state;
	const char *id = oid(w, "indicator", 1);

	/* two versions: the client may have the first, not the second */
	world_put(w, "near", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, STRICT)));
	world_put(w, "near", ENVELOPE(w, arena_fmt(w->mem, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"%s\","
	    STRICT "\"created\":\"2023-01-01T00:00:00Z\",\"modified\":\"2024-01-01T00:00:00Z\"}",
	    id)));
	assert_int_equal(take_out(w, "dike", "kept", oid(w, "indicator", 2), false), 0);
	assert_int_equal(take_out(w, "dike", "kept", oid(w, "indicator", 9), false), 0);
	assert_int_equal(take_out(w, "dike", "kept", id, true), 0);	/* the last is hidden */
	assert_string_equal(world_sees(w, "soc", "kept"), "indicator 2,indicator 1");
	assert_int_equal(take_out(w, "dike", "kept", id, false), 1);
	assert_string_equal(world_sees(w, "dike", "kept"), "");
	assert_string_equal(world_sees(w, "soc", "kept"), "indicator 2,indicator 1");
	assert_int_equal(take_out(w, "soc", "kept", id, false), 1);
	assert_string_equal(world_sees(w, "soc", "kept"), "indicator 2");
	assert_string_equal(world_sees(w, "soc", "all"), "indicator 2,indicator 1");
	assert_int_equal(world_count(world_audit(w), "\"ev\":\"delete\""), 5);
}

/* ---- views that change ---- */

static const char *
conf_with(struct world *w, const char *views)
{
	return arena_fmt(w->mem, "node here\n    sign-key k\n    audit-key k\n    dedup-key k\n"
	    "store\n    path memory\ncollection kept\n%s", views);
}

static void
views_follow_their_definition(void **state)
{
	struct world *w = *state;
	const char *by = GREEN "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000005\",";

	world_reload(w, conf_with(w, "collection v\n    mode view\n    kinds malware\n"), NULL);
	world_put(w, "soc", ENVELOPE(w, obj(w, "malware", 1, GREEN), obj(w, "tool", 2, GREEN),
	    ind(w, 3, by), ind(w, 4, RED), obj(w, "identity", 5, GREEN),
	    obj(w, "identity", 6, GREEN)));
	assert_string_equal(world_has(w, "v", NULL), "malware 1");
	/* wider, with the supporting object that a new row names */
	world_reload(w, conf_with(w, "collection v\n    mode view\n    kinds malware indicator\n"),
	    NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "malware 1,identity 5,indicator 3");
	/* narrower; what was lent stays */
	world_reload(w, conf_with(w, "collection v\n    mode view\n    kinds indicator\n"), NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "identity 5,indicator 3");
	/* nothing changed: nothing moves, nothing is written */
	world_reload(w, conf_with(w, "collection v\n    mode view\n    kinds indicator\n"), NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "identity 5,indicator 3");
}

/* One row a fingerprint group, after a change as well; what leaves covers nothing. */
static void
distinct_views_stay_distinct(void **state)
{
	struct world *w = *state;
	const char *twin = "\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value = '192.0.2.7']\","
	    "\"valid_from\":\"2023-01-01T00:00:00Z\",";

	world_reload(w, conf_with(w, "collection v\n    mode view\n    kinds malware\n"
	    "    distinct yes\n"), NULL);
	world_put(w, "soc", ENVELOPE(w, obj(w, "indicator", 1, arena_fmt(w->mem, CLEAR "%s", twin)),
	    obj(w, "indicator", 2, arena_fmt(w->mem, GREEN "%s", twin)),
	    obj(w, "indicator", 3, arena_fmt(w->mem, GREEN "%s", twin))));
	assert_string_equal(world_has(w, "v", NULL), "");
	world_reload(w, conf_with(w, "collection v\n    mode view\n    kinds indicator\n"
	    "    distinct yes\n"), NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "indicator 1");
	world_reload(w, conf_with(w, "collection v\n    mode view\n    kinds indicator\n"
	    "    tlp green\n    distinct yes\n"), NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "indicator 2");
}

static void
views_by_source(void **state)
{
	struct world *w = *state;

	world_reload(w, conf_with(w, "collection v\n    mode view\n    from near\n"), NULL);
	world_put(w, "near", ENVELOPE(w, ind(w, 1, GREEN), obj(w, "tool", 2, GREEN)));
	world_put(w, "soc", ENVELOPE(w, ind(w, 3, GREEN)));
	assert_string_equal(world_has(w, "v", NULL), "indicator 1,tool 2");
	world_reload(w, conf_with(w, "collection v\n    mode view\n    from soc far\n"), NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "indicator 3");
	world_reload(w, conf_with(w, "collection v\n    mode view\n    from near soc\n"
	    "    kinds indicator\n"), NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "indicator 3,indicator 1");
}

/* By confidence and by age; and what becomes too old leaves. */
static void
views_by_confidence_and_age(void **state)
{
	struct world *w = *state;
	const char *conf = conf_with(w, "collection sure\n    mode view\n    confidence 70\n"
	    "collection news\n    mode view\n    age 10d\n    kinds indicator tool\n");
	const char *by = GREEN "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000007\",";
	int64_t start;

	assert_true(stamp_parse(SLICE_LIT("2023-01-05T00:00:00Z"), &start));
	clock_fake(start);
	world_put(w, "soc", ENVELOPE(w, obj(w, "indicator", 1, GREEN "\"confidence\":70,"),
	    obj(w, "indicator", 2, GREEN "\"confidence\":69,"), ind(w, 3, by),
	    obj(w, "identity", 7, GREEN)));
	world_reload(w, conf, NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "sure", NULL), "indicator 1");
	assert_string_equal(world_has(w, "news", NULL), "identity 7,indicator 1,indicator 2,indicator 3");
	world_put(w, "soc", ENVELOPE(w, obj(w, "malware", 4, GREEN "\"confidence\":100,"),
	    obj(w, "malware", 5, GREEN "\"confidence\":\"90\","), obj(w, "tool", 6,
	    GREEN "\"x\":{\"confidence\":90},")));
	assert_string_equal(world_has(w, "sure", NULL), "indicator 1,malware 4");
	catalog_age_views(w->g.catalog);
	world_turn(w);
	assert_string_equal(world_has(w, "news", NULL),
	    "identity 7,indicator 1,indicator 2,indicator 3,tool 6");
	/* of the 1st, and ten days are over; a younger version of one came meanwhile, a malware never */
	world_put(w, "soc", ENVELOPE(w, arena_fmt(w->mem, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"%s\"," GREEN
	    "\"created\":\"2023-01-01T00:00:00Z\",\"modified\":\"2023-01-05T00:00:00Z\"}",
	    oid(w, "indicator", 2))));
	clock_fake_add(INT64_C(7) * 86400 * 1000000);
	catalog_age_views(w->g.catalog);
	world_turn(w);
	assert_string_equal(world_has(w, "news", NULL), "identity 7,indicator 2");
	assert_string_equal(world_has(w, "sure", NULL), "indicator 1,malware 4");
	/* what is old when it comes does not join */
	world_put(w, "soc", ENVELOPE(w, ind(w, 8, GREEN)));
	assert_string_equal(world_has(w, "news", NULL), "identity 7,indicator 2");
	/* another age: filled anew */
	world_reload(w, conf_with(w, "collection news\n    mode view\n    age 20d\n    kinds indicator\n"),
	    NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "news", NULL),
	    "identity 7,indicator 2,indicator 1,indicator 3,indicator 8");
	clock_real();
}

/* Whoever sent them and when: what a view shows names no supporting object that is not in it before. */
static void
views_hold_what_they_name(void **state)
{
	struct world *w = *state;
	const char *by = GREEN "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000005\",";
	const char *marked = GREEN "\"x_refs\":[\"identity--00000000-0000-4000-8000-000000000006\"],";

	world_reload(w, conf_with(w, "collection other\ncollection v\n    mode view\n    kinds indicator\n"
	    "collection once\n    mode view\n    kinds indicator\n    distinct yes\n"), NULL);
	world_turn(w);
	/* an identity that names another one, of an earlier message */
	world_put(w, "near", ENVELOPE(w, obj(w, "identity", 6, GREEN), obj(w, "identity", 5, marked),
	    obj(w, "identity", 9, GREEN)));
	assert_string_equal(world_has(w, "v", NULL), "");
	world_put(w, "soc", ENVELOPE(w, ind(w, 1, by), ind(w, 2, by)));
	assert_string_equal(world_has(w, "v", NULL), "identity 6,identity 5,indicator 1,indicator 2");
	assert_string_equal(world_has(w, "once", NULL), "identity 6,identity 5,indicator 1,indicator 2");
	/* behind what names it in the same envelope: a kept collection keeps the order, a view does not */
	by = GREEN "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000010\",";
	world_put(w, "soc", ENVELOPE(w, ind(w, 11, by), obj(w, "identity", 10, GREEN)));
	assert_string_equal(world_has(w, "v", NULL),
	    "identity 6,identity 5,indicator 1,indicator 2,identity 10,indicator 11");
	assert_non_null(strstr(world_has(w, "kept", NULL), "indicator 11,identity 10"));
	/* it comes later, and a new version of it follows */
	by = GREEN "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000020\",";
	world_put(w, "soc", ENVELOPE(w, ind(w, 21, by)));
	world_put(w, "near", ENVELOPE(w, obj(w, "identity", 20, GREEN)));
	assert_non_null(strstr(world_has(w, "v", NULL), ",indicator 21,identity 20"));
	world_put(w, "near", ENVELOPE(w, arena_fmt(w->mem, "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"%s\"," GREEN
	    "\"name\":\"x\",\"created\":\"2023-01-01T00:00:00Z\",\"modified\":\"2023-05-01T00:00:00Z\"}",
	    oid(w, "identity", 20)), obj(w, "identity", 9, GREEN)));
	assert_non_null(strstr(world_has(w, "v", NULL), ",indicator 21,identity 20"));
	assert_null(strstr(world_has(w, "v", NULL), "identity 9"));
	/* a RED one is nobody's */
	by = GREEN "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000030\",";
	world_put(w, "soc", ENVELOPE(w, ind(w, 31, by)));
	world_put(w, "soc", ENVELOPE(w, obj(w, "identity", 30, RED)));
	assert_null(strstr(world_has(w, "v", NULL), "identity 30"));
}

/* The walk fails half-way (a full disk): the view is not called filled, the next start walks again. */
static void
a_walk_that_fails(void **state)
{
	struct world *w = *state;
	const char *conf = conf_with(w, "collection v\n    mode view\n    kinds indicator\n");
	uint8_t digest[32], none[32] = { 0 };
	int64_t cid;

	world_reload(w, conf_with(w, "collection v\n    mode view\n    kinds malware\n"), NULL);
	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	world_break(w, true, false);
	world_reload(w, conf, NULL);
	world_turn(w);
	world_mend(w);
	cid = catalog_find(w->g.catalog, SLICE_LIT("v"))->cid;
	store_view_digest(w->g.store, cid, digest, NULL);
	assert_memory_equal(digest, none, sizeof(none));
	assert_string_equal(world_has(w, "v", NULL), "");
	world_reload(w, conf, NULL);
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "indicator 1");
}

/* Definitions that change faster than they are filled: the last one counts. */
static void
overtaken_walks(void **state)
{
	struct world *w = *state;
	static const char *const kinds[] = { "indicator", "tool", "malware", "tool", "indicator" };

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN), obj(w, "tool", 2, GREEN),
	    obj(w, "malware", 3, GREEN)));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		world_reload(w, conf_with(w, arena_fmt(w->mem,
		    "collection v\n    mode view\n    kinds %s\n", kinds[i])), NULL);
		if (w->g.base != NULL)
			event_base_loop(w->g.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	world_turn(w);
	assert_string_equal(world_has(w, "v", NULL), "indicator 1");
}

#define ONE(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define LOOP(f)	cmocka_unit_test_setup_teardown(f, set_up_loop, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(who_may_what), ONE(inboxes_stay_inboxes), ONE(policy_reads_along),
		ONE(deskmates_see_the_embargo), ONE(pages_are_recorded),
		ONE(take_out_what_you_see), LOOP(take_out_what_you_see),
		ONE(views_follow_their_definition), LOOP(views_follow_their_definition),
		ONE(distinct_views_stay_distinct), LOOP(distinct_views_stay_distinct),
		LOOP(views_by_source), ONE(views_by_confidence_and_age), LOOP(views_by_confidence_and_age),
		ONE(views_hold_what_they_name), LOOP(views_hold_what_they_name), LOOP(a_walk_that_fails), ONE(a_walk_that_fails),
		LOOP(overtaken_walks),
	};

	return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
