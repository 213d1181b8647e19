/* If this fails, a worker forgets what the one before it knew, two workers count for each other, or a client that asks the
 * same for ever is not slowed down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/consumer_books.h"
#include "gateway/gateway.h"

#define SECOND	INT64_C(1000000)

enum { WORKERS = 3 };

/* Workers over one store. */
struct world {
	struct store	*store;
	struct gateway	 g[WORKERS];
};

static void
start(struct world *w, unsigned worker, unsigned nworkers)
{
	w->g[worker] = (struct gateway){ .store = w->store, .worker = worker, .nworkers = nworkers };
	w->g[worker].books = consumer_books_new(&w->g[worker]);
}

/* It ends as it should, or as with a kill. */
static void
end(struct world *w, unsigned worker, bool killed)
{
	if (!killed)
		consumer_books_write(w->g[worker].books);
	consumer_books_free(w->g[worker].books);
	w->g[worker].books = NULL;
}

static int
set_up(void **state)
{
	static const char key[] = "0123456789abcdef0123456789abcdef";
	const struct store_conf conf = { .audit_key = slice_from(key, 32) };
	struct world *w = calloc(1, sizeof(*w));

	clock_fake(INT64_C(1700000000) * SECOND);
	w->store = store_open(&conf, NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		start(w, i, WORKERS);
	*state = w;
	return w->store == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < WORKERS; i++)
		end(w, i, true);
	store_close(w->store);
	free(w);
	clock_real();
	return 0;
}

/* A page of n objects; `what` tells the answer from others. */
static void
ask(struct world *w, unsigned worker, int64_t question, uint8_t what, size_t n)
{
	struct page_seen seen = { .n = n, .full = true, .last_us = 1000 + what, .judged_us = 1000 + what,
	    .digest = { what, 1 }, .types = { { .word = "indicator", .n = (uint32_t)n } },
	    .ntypes = 1, .withheld = { [EMBARGO] = 2 } };
	struct book_page page = { .ask = question, .track = 7, .collection = "alpha", .poll = true,
	    .after_us = -1, .seen = &seen };
	struct book_call c = { .remote = "192.0.2.1", .version = "2.1", .status = 200, .page = &page };

	clock_fake_add(SECOND / 10);
	consumer_books_note(w->g[worker].books, "siem", &c);
}

static struct book
look(struct world *w, unsigned worker)
{
	struct book b;

	consumer_books_look(w->g[worker].books, "siem", &b);
	return b;
}

static void
all_workers_count(void **state)
{
	struct world *w = *state;
	struct book b;

	ask(w, 0, 1, 1, 10);
	ask(w, 1, 2, 2, 10);
	ask(w, 2, 3, 3, 10);
	b = look(w, 0);
	assert_int_equal(b.pages, 1);		/* the others have not written yet */
	consumer_books_write(w->g[1].books);
	consumer_books_write(w->g[2].books);
	for (unsigned i = 0; i < WORKERS; i += 2) {
		b = look(w, i);
		assert_int_equal(b.pages, i == 0 ? 3 : 2);
	}
	b = look(w, 0);
	assert_int_equal(b.objects, 30);
	assert_int_equal(b.types[0].n, 30);
	assert_int_equal(b.withheld[EMBARGO], 6);
	assert_int_equal(b.npolls, 3);
	assert_int_equal(b.polls[2].ask, 3);
	consumer_books_look(w->g[0].books, "siem 1", &b);	/* no such consumer */
	assert_int_equal(b.requests, 0);
}

static void
what_was_written_goes_on(void **state)
{
	struct world *w = *state;

	ask(w, 1, 1, 1, 10);
	consumer_books_write(w->g[1].books);
	ask(w, 1, 2, 2, 10);
	end(w, 1, true);
	start(w, 1, WORKERS);
	assert_int_equal(look(w, 1).pages, 1);	/* the last second is lost with a kill */
	ask(w, 1, 3, 3, 10);
	end(w, 1, false);
	start(w, 1, WORKERS);
	assert_int_equal(look(w, 1).pages, 2);
	assert_int_equal(look(w, 0).objects, 20);
}

/* Fewer workers than before: nothing is lost, nothing counted twice. */
static void
books_of_the_gone_are_taken_over(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < WORKERS; i++) {
		ask(w, i, i + 1, 1, 10);
		end(w, i, false);
	}
	start(w, 0, 1);
	assert_int_equal(look(w, 0).pages, 3);
	end(w, 0, false);
	start(w, 0, 1);
	assert_int_equal(look(w, 0).pages, 3);
	start(w, 1, 2);
	start(w, 2, 3);
	assert_int_equal(look(w, 0).pages, 3);
}

/* What was withheld up to a date is known to the others a second later. */
static void
others_learn_how_far_it_was_judged(void **state)
{
	struct world *w = *state;

	assert_int_equal(consumer_books_counted_us(w->g[1].books, "siem", 7), 0);
	ask(w, 0, 1, 50, 10);
	assert_int_equal(consumer_books_counted_us(w->g[0].books, "siem", 7), 1050);
	ask(w, 1, 2, 20, 10);
	consumer_books_write(w->g[0].books);
	clock_fake_add(2 * SECOND);
	assert_int_equal(consumer_books_counted_us(w->g[1].books, "siem", 7), 1050);
	assert_int_equal(consumer_books_counted_us(w->g[1].books, "siem", 8), 0);
	assert_int_equal(look(w, 1).withheld[EMBARGO], 4);
}

static int64_t
wait_us(struct world *w, int64_t question)
{
	char why[256] = "";
	int64_t us = consumer_books_wait_us(w->g[0].books, "siem", question, 3, why, sizeof(why));

	assert_true((us > 0) == (strstr(why, "its cursor does not move") != NULL));
	return us;
}

static void
repetition_is_slowed_down(void **state)
{
	struct world *w = *state;
	int64_t last = 0;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(wait_us(w, 1), 0);
		ask(w, 0, 1, 1, 10);
	}
	assert_int_equal(look(w, 0).repeats, 2);
	assert_int_equal(look(w, 0).repeated_objects, 20);
	for (int i = 0; i < 10; i++) {
		int64_t us = wait_us(w, 1);

		assert_true(us > 0 && us >= last && us <= 30 * SECOND);
		last = us;
		assert_int_equal(wait_us(w, 2), 0);	/* another question */
		clock_fake_add(us);
		assert_int_equal(wait_us(w, 1), 0);	/* after the pause */
		ask(w, 0, 1, 1, 10);
	}
	assert_int_equal(last, 30 * SECOND);
	ask(w, 0, 1, 2, 10);			/* another answer: it may go on */
	assert_int_equal(wait_us(w, 1), 0);
	for (int i = 0; i < 9; i++)
		ask(w, 0, 5, 0, 0);		/* nothing there: ask as often as you like */
	assert_int_equal(wait_us(w, 5), 0);
	assert_int_equal(consumer_books_wait_us(w->g[0].books, "siem", 1, 0, NULL, 0), 0);
}

static void
hashes_differ(void **state)
{
	(void)state;
	assert_int_equal(consumer_hash(0, SLICE_LIT("a")), consumer_hash(0, SLICE_LIT("a")));
	assert_int_not_equal(consumer_hash(0, SLICE_LIT("a")), consumer_hash(0, SLICE_LIT("b")));
	assert_int_not_equal(consumer_hash(0, SLICE_LIT("a")), consumer_hash(1, SLICE_LIT("a")));
	assert_int_not_equal(consumer_hash(0, SLICE_LIT("12345678")),
	    consumer_hash(0, slice_from("12345678\0", 9)));
	assert_true(consumer_hash(0, SLICE_EMPTY) > 0);
	assert_true(consumer_hash(0, SLICE_LIT("x")) < INT64_C(1) << 53);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_workers_count),
		TEST(what_was_written_goes_on),
		TEST(books_of_the_gone_are_taken_over),
		TEST(others_learn_how_far_it_was_judged),
		TEST(repetition_is_slowed_down),
		cmocka_unit_test(hashes_differ),
	};

	return cmocka_run_group_tests_name("consumer_books", tests, NULL, NULL);
}
