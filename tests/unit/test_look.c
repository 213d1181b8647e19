/* If this fails, a reader learns from a total how much there is that he may not have, or a client is told of items
 * that do not come. */
#include "fixture_gateway.h"

#include "gateway/look.h"

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

struct count {
	uint64_t	n;
	int64_t		last_us;
	int		answers;
	struct strbuf	ids;
};

static void
on_count(void *arg, uint64_t n, int64_t last_us, const struct err *e)
{
	struct count *c = arg;

	assert_null(e);
	c->n = n;
	c->last_us = last_us;
	c->answers++;
}

static uint64_t
count(struct world *w, const char *who, struct page_query *q, uint64_t most, int64_t *last_us)
{
	const struct reader r = { .peer = trust_find(w->g.trust, slice_of(who)), .name = who };
	struct count c = { .answers = 0 };

	look_count(&w->g, &r, catalog_find(w->g.catalog, SLICE_LIT("kept")), q, most, on_count, &c);
	world_turn(w);
	assert_int_equal(c.answers, 1);
	if (last_us != NULL)
		*last_us = c.last_us;
	return c.n;
}

static void
on_row(void *arg, const struct store_row *row)
{
	struct count *c = arg;

	assert_int_equal(row->bytes.n, 0);
	strbuf_addf(&c->ids, "%.*s ", SLICE_ARG(row->id));
}

static void
on_end(void *arg, const struct err *e)
{
	struct count *c = arg;

	assert_null(e);
	c->answers++;
}

static void
put(struct world *w)
{
	world_put(w, "near", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, STRICT), ind(w, 3, AMBER), ind(w, 4, STRICT),
	    ind(w, 5, GREEN)));
}

/* `dike` is a client: what is strict is not for him. */
static void
what_one_may_have_counts(void **state)
{
	struct world *w = *state;
	struct page_query q = world_query();
	int64_t last_us, third_us;

	put(w);
	assert_int_equal(count(w, "soc", &q, UINT64_MAX, NULL), 5);
	assert_int_equal(count(w, "dike", &q, UINT64_MAX, &last_us), 3);
	assert_int_equal(count(w, "dike", &q, 3, NULL), 3);
	assert_int_equal(count(w, "dike", &q, 2, &third_us), 2);
	assert_true(third_us < last_us);
	assert_int_equal(count(w, "dike", &q, 0, NULL), 0);
	q.position_us = third_us;
	assert_int_equal(count(w, "dike", &q, UINT64_MAX, NULL), 1);
	q.position_us = last_us;
	assert_int_equal(count(w, "dike", &q, UINT64_MAX, &last_us), 0);
	assert_int_equal(last_us, 0);
	assert_int_equal(count(w, "nobody", &q, UINT64_MAX, NULL), 0);
}

/* Of ids the store asks twice: they count once. */
static void
ids_count_once(void **state)
{
	struct world *w = *state;
	const struct slice ids[] = {
		SLICE_LIT("indicator--00000000-0000-4000-8000-000000000001"),
		SLICE_LIT("indicator--00000000-0000-4000-8000-000000000002"),
		SLICE_LIT("indicator--00000000-0000-4000-8000-000000000005"),
	};
	const struct reader dike = { .peer = trust_find(w->g.trust, SLICE_LIT("dike")), .name = "dike" };
	struct page_query q = world_query();
	struct count c = { .ids = STRBUF_INIT };

	put(w);
	q.ids = ids;
	q.nids = 3;
	assert_int_equal(count(w, "dike", &q, UINT64_MAX, NULL), 2);
	assert_int_equal(count(w, "dike", &q, 1, NULL), 1);
	look_ids(&w->g, &dike, catalog_find(w->g.catalog, SLICE_LIT("kept")), &q, on_row, on_end, &c);
	world_turn(w);
	assert_int_equal(c.answers, 1);
	assert_string_equal(c.ids.p, "indicator--00000000-0000-4000-8000-000000000001 "
	    "indicator--00000000-0000-4000-8000-000000000005 ");
	strbuf_fini(&c.ids);
}

/* Nothing was shown: the audit log says nothing of it. */
static void
looking_is_no_reading(void **state)
{
	struct world *w = *state;
	struct page_query q = world_query();

	put(w);
	count(w, "soc", &q, UINT64_MAX, NULL);
	assert_null(strstr(world_audit(w), "\"ev\":\"page\""));
	world_sees(w, "soc", "kept");
	assert_non_null(strstr(world_audit(w), "\"ev\":\"page\""));
}

#define ONE(f)	{ #f, f, set_up, tear_down, NULL }
#define LOOP(f)	{ #f " (loop)", f, set_up_loop, tear_down, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(what_one_may_have_counts), LOOP(what_one_may_have_counts), ONE(ids_count_once),
		LOOP(ids_count_once), ONE(looking_is_no_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
