/* If this fails, a consumer with a bookmark misses objects, or a reset is undone by a page that was under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/consumer_mark.h"
#include "gateway/gateway.h"

#define DAY_US	(INT64_C(86400) * 1000000)

static const char uuid[] = "11111111-1111-4111-8111-111111111111";
static const struct peer marked = { .name = "soc", .is_consumer = true, .bookmark = true };
static const struct peer plain = { .name = "siem", .is_consumer = true };

static int
set_up(void **state)
{
	static const char key[] = "0123456789abcdef0123456789abcdef";
	const struct store_conf conf = { .audit_key = slice_from(key, 32) };
	struct gateway *g = calloc(1, sizeof(*g));

	clock_fake(INT64_C(1700000000) * 1000000);
	g->store = store_open(&conf, NULL);
	g->marks = consumer_marks_new(g);
	*state = g;
	return g->store == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	struct gateway *g = *state;

	consumer_marks_free(g->marks);
	store_close(g->store);
	free(g);
	clock_real();
	return 0;
}

/* Where the next poll begins; INT64_MIN: the client's own cursor counts. */
static int64_t
place(struct gateway *g, const struct peer *p, int64_t filters)
{
	struct consumer_mark m = { .on = false };

	if (!consumer_marks_may(g->marks, p))
		return INT64_MIN;
	consumer_marks_get(g->marks, p, uuid, filters, &m);
	return m.on ? m.position_us : INT64_MIN;
}

/* A page as it is asked for now. */
static struct consumer_page_mark
asked(struct gateway *g, const struct peer *p, int64_t filters, int64_t from_us)
{
	struct consumer_page_mark m = { .name = p->name, .uuid = uuid, .filters = filters,
	    .from_us = from_us };

	consumer_marks_get(g->marks, p, uuid, filters, &m.mark);
	return m;
}

/* ... and written up to here. */
static void
written(struct gateway *g, struct consumer_page_mark m, int64_t last_us, bool end)
{
	m.last_us = last_us;
	m.end = end;
	consumer_marks_move(g->marks, &m);
}

static void
reset(struct gateway *g, const struct peer *p, int64_t from_us)
{
	clock_fake_add(2 * MARKS_LOOK_US);
	consumer_marks_reset(g->marks, p, uuid, from_us, NULL, NULL);
}

static void
mark_moves_forward_only(void **state)
{
	struct gateway *g = *state;
	struct consumer_page_mark slow;

	assert_int_equal(place(g, &marked, 1), MARK_NEVER);
	slow = asked(g, &marked, 1, -1);
	written(g, asked(g, &marked, 1, -1), 100, false);
	assert_int_equal(place(g, &marked, 1), 100);
	written(g, asked(g, &marked, 1, 100), 200, true);
	written(g, slow, 100, false);		/* another worker was slower */
	assert_int_equal(place(g, &marked, 1), 200);
	written(g, asked(g, &marked, 1, 200), 200, true);	/* nothing new */
	assert_int_equal(place(g, &marked, 1), 200);
	assert_int_equal(place(g, &marked, 2), MARK_NEVER);	/* other filters, other place */
	assert_int_equal(place(g, &plain, 1), INT64_MIN);
}

/* What lies between must not be skipped, whoever asked for it. */
static void
mark_skips_nothing(void **state)
{
	struct gateway *g = *state;

	written(g, asked(g, &marked, 1, -1), 100, false);
	written(g, asked(g, &marked, 1, 300), 400, true);	/* a walk of long ago */
	assert_int_equal(place(g, &marked, 1), 100);
	written(g, asked(g, &marked, 1, 50), 150, true);	/* overlaps, and goes further */
	assert_int_equal(place(g, &marked, 1), 150);
}

static void
reset_holds_against_pages_under_way(void **state)
{
	struct gateway *g = *state;
	struct consumer_page_mark page;

	written(g, asked(g, &marked, 1, -1), 500, false);
	written(g, asked(g, &marked, 2, -1), 500, false);
	page = asked(g, &marked, 1, 500);
	reset(g, &marked, 50);
	assert_int_equal(place(g, &marked, 1), 50);
	assert_int_equal(place(g, &marked, 2), 50);
	written(g, page, 600, false);			/* asked for before */
	assert_int_equal(place(g, &marked, 1), 50);
	written(g, asked(g, &marked, 1, 600), 700, true);	/* the walk goes on after it */
	assert_int_equal(place(g, &marked, 1), 50);
	written(g, asked(g, &marked, 1, 50), 120, false);
	assert_int_equal(place(g, &marked, 1), 120);
	assert_int_equal(place(g, &marked, 2), 50);
	reset(g, &marked, MARK_START);
	assert_int_equal(place(g, &marked, 1), MARK_START);
}

static bool
no_note(void *ctx, const char *name, const char *text)
{
	(void)ctx;
	fail_msg("%s is left: %s", name, text);
	return false;
}

static void
rewinding_ends_when_all_is_fetched(void **state)
{
	struct gateway *g = *state;

	reset(g, &plain, MARK_START);
	assert_int_equal(place(g, &plain, 1), MARK_START);
	written(g, asked(g, &plain, 1, -1), 100, false);
	assert_int_equal(place(g, &plain, 1), 100);
	written(g, asked(g, &plain, 1, 100), 200, true);
	assert_int_equal(place(g, &plain, 1), INT64_MIN);
	assert_int_equal(place(g, &plain, 2), MARK_START);	/* not asked for yet */
	assert_int_equal(place(g, &marked, 1), MARK_NEVER);
	clock_fake_add(8 * DAY_US);
	assert_int_equal(place(g, &plain, 2), INT64_MIN);
	assert_false(consumer_marks_may(g->marks, &plain));
	assert_int_equal(store_note_each(g->store, "rewind", no_note, NULL, NULL), 0);
}

/* An empty page ends it too. */
static void
nothing_to_fetch_ends_it(void **state)
{
	struct gateway *g = *state;

	reset(g, &plain, 900);
	written(g, asked(g, &plain, 1, 900), 900, true);
	assert_int_equal(place(g, &plain, 1), INT64_MIN);
}

/* ---- limits ---- */

static bool
count_note(void *ctx, const char *name, const char *text)
{
	(void)name;
	(void)text;
	(*(int *)ctx)++;
	return true;
}

/* A client that asks with other filters each time fills no store; what it pushed out begins anew. */
static void
filters_have_so_many_places(void **state)
{
	enum { ASKED = 20000, MOST = 1024 };
	struct gateway *g = *state;
	int notes = 0, known = 0;

	for (int64_t f = 1; f <= ASKED; f++)
		written(g, asked(g, &marked, f * 7919, -1), 100 + f, true);
	assert_int_equal(store_note_each(g->store, "bookmark", count_note, &notes, NULL), 0);
	assert_true(notes <= MOST);
	for (int64_t f = 1; f <= ASKED; f++) {
		int64_t at = place(g, &marked, f * 7919);

		assert_true(at == 100 + f || at == MARK_NEVER);	/* never another's */
		known += at == 100 + f;
	}
	assert_int_equal(known, notes);
	/* some sets of filters that meet in one slot keep their places beside each other */
	reset(g, &marked, 50);
	for (int64_t f = 0; f < 4; f++)
		written(g, asked(g, &marked, 5 + f * MOST, 50), 200 + f, true);
	for (int64_t f = 0; f < 4; f++)
		assert_int_equal(place(g, &marked, 5 + f * MOST), 200 + f);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mark_moves_forward_only),
		TEST(mark_skips_nothing),
		TEST(reset_holds_against_pages_under_way),
		TEST(rewinding_ends_when_all_is_fetched),
		TEST(nothing_to_fetch_ends_it),
		TEST(filters_have_so_many_places),
	};

	return cmocka_run_group_tests_name("consumer_mark", tests, NULL, NULL);
}
