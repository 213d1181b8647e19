/* If this fails, a feed loses what came while it was read, is read from the beginning for ever, or a broken
 * server keeps a node busy without end. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "adapters/pull_walk.h"

#define MIN_	INT64_C(60000000)

static const int64_t now = INT64_C(1800000000000000);

/* A page of so many objects, told apart by `text`. */
static struct taxii_page
page(const char *text, size_t n, int64_t first, int64_t last, bool more)
{
	return (struct taxii_page){ .body = slice_of(text), .list = slice_of(text), .objects = n,
	    .first_us = first, .last_us = last, .more = more, .next_item = -1 };
}

static void
begin(struct pull_walk *w, int64_t mark)
{
	pull_walk_begin(w, mark, -1, now, 5 * MIN_);
}

/* Meet it and take it in. */
static enum pull_stop
take(struct pull_walk *w, struct taxii_page p)
{
	enum pull_stop s = pull_walk_meet(w, &p, 0);

	return s != PULL_GOES_ON ? s : pull_walk_took(w, &p, now);
}

static struct taxii_page
with_next(struct taxii_page p, const char *next)
{
	p.next = next;
	return p;
}

static void
pages_in_order(void **state)
{
	struct pull_walk w = { .mark_us = 0 };

	(void)state;
	begin(&w, -1);
	assert_string_equal(w.added_after, "");
	assert_int_equal(take(&w, with_next(page("a", 2, 10, 20, true), "t1")), PULL_GOES_ON);
	assert_string_equal(w.next, "t1");
	assert_int_equal(w.mark_us, -1);	/* page two may begin with the same date */
	assert_int_equal(take(&w, with_next(page("b", 2, 20, 30, true), "t2")), PULL_GOES_ON);
	assert_int_equal(w.mark_us, -1);	/* and did */
	assert_int_equal(take(&w, with_next(page("c", 2, 31, 40, true), "t3")), PULL_GOES_ON);
	assert_int_equal(w.mark_us, 30);
	assert_true(w.mark_moved);
	assert_string_equal(w.added_after, "");	/* the same filter with every token */
	assert_int_equal(take(&w, page("d", 1, 41, 50, false)), PULL_DONE);
	assert_int_equal(w.mark_us, 50);
	pull_walk_end(&w);

	begin(&w, 50);
	assert_string_equal(w.added_after, "1970-01-01T00:00:00.000050Z");
	assert_int_equal(take(&w, page("", 0, 0, 0, false)), PULL_DONE);
	assert_int_equal(w.mark_us, 50);
	assert_false(w.mark_moved);
	pull_walk_end(&w);
}

static void
on_by_date_without_tokens(void **state)
{
	struct pull_walk w = { .mark_us = 0 };

	(void)state;
	begin(&w, -1);
	assert_int_equal(take(&w, page("a", 2, 10, 20, true)), PULL_GOES_ON);
	assert_string_equal(w.added_after, "1970-01-01T00:00:00.000020Z");
	assert_int_equal(take(&w, page("b", 2, 20, 30, true)), PULL_GOES_ON);	/* taken as inclusive */
	assert_string_equal(w.added_after, "1970-01-01T00:00:00.000030Z");
	assert_int_equal(take(&w, page("", 0, 35, 35, true)), PULL_GOES_ON);	/* nothing here, but further on */
	assert_string_equal(w.added_after, "1970-01-01T00:00:00.000035Z");
	assert_int_equal(take(&w, page("c", 1, 40, 40, false)), PULL_DONE);
	assert_int_equal(w.mark_us, 40);
	pull_walk_end(&w);
}

static void
since_is_where_the_first_walk_begins(void **state)
{
	struct pull_walk w = { .mark_us = 0 };

	(void)state;
	pull_walk_begin(&w, -1, 77, now, MIN_);
	assert_string_equal(w.added_after, "1970-01-01T00:00:00.000077Z");
	pull_walk_begin(&w, 99, 77, now, MIN_);
	assert_string_equal(w.added_after, "1970-01-01T00:00:00.000099Z");
	pull_walk_end(&w);
}

/* Without order or dates only the server's clock vouches for what was there. */
static void
what_cannot_be_believed(void **state)
{
	const int64_t server = now - MIN_;
	struct taxii_page p;
	struct pull_walk w = { .mark_us = 0 };

	(void)state;
	begin(&w, 5);
	p = with_next(page("a", 2, 0, 0, true), "t1");
	assert_int_equal(pull_walk_meet(&w, &p, server), PULL_GOES_ON);
	assert_int_equal(pull_walk_took(&w, &p, now), PULL_GOES_ON);
	assert_int_equal(take(&w, page("b", 2, 0, 0, false)), PULL_DONE);
	assert_int_equal(w.mark_us, server - 5 * MIN_);
	pull_walk_end(&w);

	begin(&w, 5);		/* no clock of the server either: ours */
	assert_int_equal(take(&w, page("a", 2, 0, 0, false)), PULL_DONE);
	assert_int_equal(w.mark_us, now - 5 * MIN_);
	pull_walk_end(&w);

	begin(&w, 5);		/* newest first */
	assert_int_equal(take(&w, with_next(page("a", 2, now - 1, now - 9, true), "t1")), PULL_GOES_ON);
	assert_int_equal(take(&w, page("b", 2, now - 10, now - 20, false)), PULL_DONE);
	assert_int_equal(w.mark_us, now - 5 * MIN_);
	pull_walk_end(&w);

	begin(&w, 5);		/* old things in no order: the greatest date that was seen */
	assert_int_equal(take(&w, with_next(page("a", 2, 30, 20, true), "t1")), PULL_GOES_ON);
	assert_int_equal(take(&w, page("b", 2, 10, 25, false)), PULL_DONE);
	assert_int_equal(w.mark_us, 30);
	pull_walk_end(&w);

	begin(&w, now);		/* never back */
	assert_int_equal(take(&w, page("a", 2, 1, 2, false)), PULL_DONE);
	assert_int_equal(w.mark_us, now);
	pull_walk_end(&w);
}

static void
the_future_is_no_mark(void **state)
{
	struct pull_walk w = { .mark_us = 0 };

	(void)state;
	begin(&w, 5);
	assert_int_equal(take(&w, page("a", 2, 10, now + 600 * MIN_, false)), PULL_DONE);
	assert_int_equal(w.mark_us, now - 5 * MIN_);
	assert_true(w.future);
	pull_walk_end(&w);
	begin(&w, 5);
	assert_int_equal(take(&w, page("a", 2, 10, now + 4 * MIN_, false)), PULL_DONE);
	assert_int_equal(w.mark_us, now + 4 * MIN_);
	assert_false(w.future);
	pull_walk_end(&w);
}

static void
what_never_ends_is_stopped(void **state)
{
	enum pull_stop s = PULL_GOES_ON;
	struct taxii_page p;
	struct pull_walk w = { .mark_us = 0 };
	char token[16];

	(void)state;
	begin(&w, -1);
	take(&w, with_next(page("a", 2, 10, 20, true), "t1"));
	take(&w, with_next(page("b", 2, 21, 30, true), "t2"));
	assert_int_equal(take(&w, with_next(page("a", 2, 10, 20, true), "t3")), PULL_REPEATED_PAGE);
	begin(&w, -1);
	take(&w, with_next(page("a", 2, 10, 20, true), "t1"));
	assert_int_equal(take(&w, with_next(page("b", 2, 21, 30, true), "t1")), PULL_REPEATED_NEXT);
	pull_walk_begin(&w, -1, -1, now, 0);
	take(&w, page("a", 2, 10, 20, true));
	assert_int_equal(take(&w, page("b", 2, 10, 20, true)), PULL_NO_PROGRESS);
	pull_walk_begin(&w, -1, -1, now, 0);
	assert_int_equal(take(&w, page("a", 2, 0, 0, true)), PULL_NO_NEXT);
	pull_walk_begin(&w, -1, -1, now, 0);
	assert_int_equal(take(&w, page("a", 2, 10, 10, true)), PULL_ONE_DATE);
	assert_int_equal(w.mark_us, -1);
	pull_walk_begin(&w, -1, -1, now, 0);
	for (int i = 0; s == PULL_GOES_ON && i < 1000; i++) {
		snprintf(token, sizeof(token), "%d", i);
		s = take(&w, with_next(page("", 0, 0, 0, true), token));
	}
	assert_int_equal(s, PULL_EMPTY_PAGES);
	pull_walk_begin(&w, -1, -1, now, 0);
	p = page("", 0, 0, 0, true);
	w.bytes = PULL_BYTES_MAX;
	p.body = SLICE_LIT("x");
	assert_int_equal(pull_walk_meet(&w, &p, 0), PULL_TOO_MUCH);
	pull_walk_end(&w);
	for (int i = PULL_DONE + 1; i < PULL_STOPS; i++) {
		assert_true(pull_stop_word((enum pull_stop)i)[0] != '\0');
		assert_true(pull_stop_text((enum pull_stop)i)[0] != '\0');
	}
}

static void
ranges_of_2_0(void **state)
{
	struct pull_walk w = { .mark_us = 0 };
	struct taxii_page p;

	(void)state;
	begin(&w, -1);
	p = page("a", 2, 10, 20, true);
	p.next_item = 2;
	assert_int_equal(take(&w, p), PULL_GOES_ON);
	assert_int_equal(w.item, 2);
	p = page("b", 2, 21, 30, true);
	p.next_item = 2;
	assert_int_equal(take(&w, p), PULL_NO_PROGRESS);
	begin(&w, -1);
	p = page("a", 2, 10, 20, true);
	p.next_item = 2;
	take(&w, p);
	p = page("", 0, 0, 0, true);		/* it did not know how many there are */
	p.next_item = 3;
	assert_int_equal(take(&w, p), PULL_DONE);
	assert_int_equal(w.mark_us, 20);
	pull_walk_end(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_in_order),
		cmocka_unit_test(on_by_date_without_tokens),
		cmocka_unit_test(since_is_where_the_first_walk_begins),
		cmocka_unit_test(what_cannot_be_believed),
		cmocka_unit_test(the_future_is_no_mark),
		cmocka_unit_test(what_never_ends_is_stopped),
		cmocka_unit_test(ranges_of_2_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
