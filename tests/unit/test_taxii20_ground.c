/* If this fails, a client of TAXII 2.0 does not see an object because it was thought that there is none, or every
 * poll of his looks through all that he may not have. */
#include "store_kit.h"

#include "adapters/taxii20_ground.h"

enum { IDS = 12, STEPS = 300, LOOKS = 6 };

static struct page_query
query_20(struct kit *k, int64_t position_us, bool all)
{
	static const struct slice stix20[] = { { "2.0", 3 } };
	struct page_query q = kit_query(k->a);

	q.position_us = position_us;
	q.spec_versions = stix20;
	q.nspec_versions = 1;
	q.all = all;
	return q;
}

static void
put(struct kit *k, int number, int hour, bool is_20)
{
	const char *version = arena_fmt(k->mem, "2026-01-%02dT%02d:00:00Z", 1 + hour / 24, hour % 24);
	struct object *o = kit_object(k, "indicator", number, version, is_20 ? "old" : "new");
	struct store_put p = kit_put(o, &k->a, 1);

	if (is_20)
		o->spec_version = SLICE_LIT("2.0");
	kit_put_one(k, "near", &p);
}

/* Take the newest version of an object out, or all of them. */
static void
take_out(struct kit *k, int number, bool all)
{
	struct slice id = kit_id(k, "indicator", number);
	struct page_query q = kit_query(k->a);

	q.ids = &id;
	q.nids = 1;
	q.last = !all;
	q.all = all;
	store_remove(k->s, &q, "\"ev\":\"delete\"", kit_counted, k);
}

/* What is passed by must make no difference to any page. */
static void
check(struct kit *k, struct taxii20_grounds *gs)
{
	int64_t span = clock_wall_us() - start_us + 2000000;

	for (int i = 0; i < LOOKS; i++) {
		int64_t at = i == 0 ? -1 : start_us + rand() % span;
		int64_t from = taxii20_ground_from(gs, k->s, k->a, at);
		struct page_query q = query_20(k, at, i % 2 == 0), r = query_20(k, from, i % 2 == 0);
		struct kit_page a, b;

		assert_true(from >= at);
		kit_page(k, &q, &a);
		kit_page(k, &r, &b);
		assert_string_equal(a.text, b.text);
	}
}

static void
nothing_is_passed_by(void **state)
{
	struct taxii20_grounds *gs = taxii20_grounds_new();
	struct kit *k = *state;

	srand(20);
	for (int i = 0; i < STEPS; i++) {
		int number = rand() % IDS, what = rand() % 8;

		clock_fake(start_us + (int64_t)i * 1000000);
		if (what == 0)
			take_out(k, number, rand() % 2 == 0);
		else
			put(k, number, rand() % 600, i > 20 && i % 100 < 50 && what < 3);
		if (i % 3 == 0)
			check(k, gs);
	}
	taxii20_grounds_free(gs);
}

/* A collection without STIX 2.0 is looked through once. */
static void
what_is_known_is_not_looked_at(void **state)
{
	struct taxii20_grounds *gs = taxii20_grounds_new();
	struct kit *k = *state;
	struct store_epoch e;

	for (int i = 0; i < 20; i++)
		put(k, i, i, false);
	assert_true(store_epoch(k->s, &e));
	assert_int_equal(taxii20_ground_from(gs, k->s, k->a, -1), e.last_us);
	put(k, 20, 20, true);
	put(k, 21, 21, false);
	taxii20_ground_from(gs, k->s, k->a, -1);
	assert_true(taxii20_ground_from(gs, k->s, k->a, -1) >= e.last_us);
	assert_true(store_epoch(k->s, &e));
	assert_int_equal(taxii20_ground_from(gs, k->s, k->a, e.last_us - 1), e.last_us);
	/* another collection is another matter */
	assert_true(taxii20_ground_from(gs, k->s, k->b, 5) >= 5);
	taxii20_grounds_free(gs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(nothing_is_passed_by), DISK(what_is_known_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
