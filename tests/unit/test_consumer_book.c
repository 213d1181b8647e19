/* If this fails, the answer to "the SIEM shows nothing" is wrong: a loop is called healthy, a client that has died
 * is not noticed, or what a worker knew is lost with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/consumer_books.h"

#define SECOND	INT64_C(1000000)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)

static const int64_t start_us = INT64_C(1700000000) * SECOND;

/* ---- a client and the collection that it polls ---- */

/* Objects 1 .. n of a collection; object i was added at start + i ms and 500 us. */
struct client {
	struct book	book;
	int64_t		now_us;
	size_t		there;		/* objects in the collection */
	size_t		limit;
};

static int64_t
date_of(size_t i)
{
	return start_us + (int64_t)i * 1000 + 500;
}

/* One request from behind `after_us`, by `next` or not; the date of the last row, or after_us. */
static int64_t
poll(struct client *c, int64_t after_us, bool walk)
{
	struct page_seen seen = { .n = 0 };
	struct book_page page = { .ask = consumer_hash(walk, slice_from(&after_us, sizeof(after_us))),
	    .track = 7, .collection = "alpha", .after_us = after_us, .walk = walk, .poll = true,
	    .seen = &seen };
	struct book_call call = { .at_us = c->now_us, .remote = "192.0.2.1", .version = "2.1",
	    .agent = SLICE_LIT("probe/1.0"), .status = 200, .bytes = 100, .page = &page };
	struct strbuf ids = STRBUF_INIT;

	for (size_t i = 1; i <= c->there; i++) {
		if (date_of(i) <= after_us)
			continue;
		if (seen.n == c->limit) {
			seen.full = true;
			break;
		}
		if (seen.n++ == 0)
			seen.first_us = date_of(i);
		seen.last_us = seen.judged_us = date_of(i);
		strbuf_addf(&ids, "%zu ", i);
	}
	digest_sha256(strbuf_slice(&ids), seen.digest);
	strbuf_fini(&ids);
	book_note(&c->book, &call, false);
	return seen.n > 0 ? seen.last_us : after_us;
}

static enum book_state
state_of(struct client *c, char words[256])
{
	struct book_verdict v;

	book_judge(&c->book, c->now_us, -1, &v);
	if (words != NULL)
		memcpy(words, v.words, sizeof(v.words));
	return v.state;
}

/* ---- verdicts ---- */

static void
healthy_client_moves(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 25, .limit = 10 };
	int64_t at_us = -1;

	(void)state;
	assert_int_equal(state_of(&c, NULL), BOOK_NEVER);
	for (int i = 0; i < 3; i++) {
		at_us = poll(&c, at_us, i > 0);
		assert_int_equal(state_of(&c, NULL), i < 2 ? BOOK_BEHIND : BOOK_HEALTHY);
	}
	for (int i = 0; i < 20; i++) {
		c.now_us += 5 * MINUTE;
		c.there += (size_t)i % 3;
		at_us = poll(&c, at_us, false);
		assert_int_equal(state_of(&c, NULL), BOOK_HEALTHY);
	}
}

/* Nothing there, asked again and again: no loop. */
static void
empty_answers_are_no_loop(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 5, .limit = 10 };
	int64_t at_us = poll(&c, -1, false);

	(void)state;
	for (int i = 0; i < 30; i++) {
		c.now_us += MINUTE;
		poll(&c, at_us, false);
		assert_int_equal(state_of(&c, NULL), BOOK_HEALTHY);
	}
}

static void
looping_client_is_seen_at_the_third_poll(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 25, .limit = 10 };
	char words[256];

	(void)state;
	for (int i = 1; i <= 4; i++) {
		poll(&c, -1, false);
		assert_int_equal(state_of(&c, words), i < 3 ? BOOK_BEHIND : BOOK_LOOPING);
		c.now_us += SECOND;
	}
	assert_string_equal(words, "asked the same 4 times in a row and got the same 10 objects each "
	    "time: its cursor does not move");
	poll(&c, date_of(10), true);		/* and moves on */
	assert_int_equal(state_of(&c, NULL), BOOK_BEHIND);
}

/* Everything from the start, page by page, and then again. */
static void
circle_is_a_loop(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 25, .limit = 10 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		int64_t at_us = -1;

		assert_int_not_equal(state_of(&c, NULL), BOOK_LOOPING);
		for (int k = 0; k < 3; k++)
			at_us = poll(&c, at_us, k > 0);
	}
	assert_int_equal(state_of(&c, NULL), BOOK_LOOPING);
}

/* The cursor is cut to milliseconds: the last object comes again, and nothing is wrong. */
static void
cut_cursor_is_no_loop(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 5, .limit = 10 };
	char words[256];

	(void)state;
	poll(&c, -1, false);
	for (int i = 0; i < 5; i++) {
		c.now_us += MINUTE;
		poll(&c, date_of(5) / 1000 * 1000, false);
		assert_int_equal(state_of(&c, words), BOOK_HEALTHY);
	}
	assert_string_equal(words, "has all; each poll brings the last 1 objects again, since its "
	    "cursor is cut to whole milliseconds");
}

static void
stalled_client_is_stuck(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 5, .limit = 10 };
	char words[256];

	(void)state;
	for (int i = 0; i < 3; i++) {
		poll(&c, date_of(5), false);
		c.now_us += 5 * MINUTE;
	}
	assert_int_equal(state_of(&c, NULL), BOOK_HEALTHY);
	c.now_us += 9 * MINUTE;
	assert_int_equal(state_of(&c, NULL), BOOK_HEALTHY);
	c.now_us += 11 * MINUTE;
	assert_int_equal(state_of(&c, words), BOOK_STUCK);
	assert_string_equal(words, "nothing for 25 min; it used to come every 5 min");
	c.now_us += 8 * DAY;
	assert_int_equal(state_of(&c, NULL), BOOK_SILENT);
}

static void
one_visit_has_no_rhythm(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 5, .limit = 10 };

	(void)state;
	poll(&c, -1, false);
	c.now_us += 20 * HOUR;
	assert_int_equal(state_of(&c, NULL), BOOK_HEALTHY);
	c.now_us += 5 * HOUR;
	assert_int_equal(state_of(&c, NULL), BOOK_SILENT);
}

static void
refused_client_fails_in_words(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 5, .limit = 10 };
	struct book_call call = { .at_us = c.now_us + SECOND, .remote = "192.0.2.1", .version = "2.0",
	    .agent = SLICE_LIT("x\x1b[2J\xff"), .status = 406, .why = "this server speaks 2.1" };
	char words[256];

	(void)state;
	poll(&c, -1, false);
	book_note(&c.book, &call, false);
	c.now_us += 2 * SECOND;
	assert_int_equal(state_of(&c, words), BOOK_FAILING);
	assert_string_equal(words, "its last request was refused: 406 this server speaks 2.1");
	assert_string_equal(c.book.agent, "x?[2J?");
	poll(&c, -1, false);
	assert_int_equal(state_of(&c, NULL), BOOK_HEALTHY);
}

/* A tool without TAXII is no client that forgot to ask. */
static void
files_are_told(void **state)
{
	struct client c = { .now_us = start_us + HOUR };
	struct book_call call = { .at_us = c.now_us, .remote = "192.0.2.1", .version = "any",
	    .agent = SLICE_LIT("curl/7"), .status = 304, .file = true };
	char words[256];

	(void)state;
	book_note(&c.book, &call, false);
	assert_int_equal(state_of(&c, words), BOOK_HEALTHY);
	assert_string_equal(words, "fetches flat files: 1 so far");
}

/* Who guesses at its name from elsewhere does not make it look broken. */
static void
stranger_does_not_blacken(void **state)
{
	struct client c = { .now_us = start_us + HOUR, .there = 5, .limit = 10 };

	(void)state;
	book_note_login(&c.book, c.now_us, "203.0.113.9");
	assert_int_equal(state_of(&c, NULL), BOOK_FAILING);	/* all that is known */
	c.now_us += SECOND;
	poll(&c, -1, false);
	book_note_login(&c.book, c.now_us + SECOND, "203.0.113.9");
	assert_int_equal(state_of(&c, NULL), BOOK_HEALTHY);
	book_note_login(&c.book, c.now_us + SECOND, "192.0.2.1");
	assert_int_equal(state_of(&c, NULL), BOOK_FAILING);
	assert_int_equal(c.book.logins_failed, 3);
}

/* ---- several workers ---- */

static void
workers_together_see_the_loop(void **state)
{
	struct client a = { .there = 25, .limit = 10 }, b = { .there = 25, .limit = 10 };
	struct book all = { .name = "x" };
	struct book_verdict v;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct client *c = i == 1 ? &b : &a;

		c->now_us = start_us + HOUR + i * 10 * SECOND;
		poll(c, -1, false);
	}
	assert_int_not_equal(state_of(&a, NULL), BOOK_LOOPING);
	book_merge(&all, &a.book);
	book_merge(&all, &b.book);
	book_judge(&all, start_us + HOUR + 21 * SECOND, -1, &v);
	assert_int_equal(v.state, BOOK_LOOPING);
	assert_int_equal(v.rhythm_us, 10 * SECOND);
	assert_int_equal(all.pages, 3);
	assert_int_equal(all.objects, 30);
	assert_int_equal(all.first_us, start_us + HOUR);
	assert_int_equal(all.last_us, start_us + HOUR + 20 * SECOND);
	assert_string_equal(all.agent, "probe/1.0");
}

static void
fill(struct book *b)
{
	struct client c = { .now_us = start_us + HOUR, .there = 1000, .limit = 10 };
	int64_t at_us = -1;

	for (int i = 0; i < 40; i++) {
		at_us = poll(&c, at_us, i > 0);
		c.now_us += 6 * SECOND;
	}
	c.book.ntypes = 2;
	strcpy(c.book.types[0].word, "indicator");
	c.book.types[0].n = 300;
	strcpy(c.book.types[1].word, "we\"ird");
	c.book.types[1].n = 100;
	c.book.withheld[TLP_AUDIENCE] = 12;
	c.book.error_us = start_us;
	c.book.error_status = 503;
	strcpy(c.book.error, "later, \"maybe\"");
	book_note_login(&c.book, start_us, "2001:db8::1");
	*b = c.book;
	strcpy(b->name, "siem");
}

/* What is written is read as the same, and written again as the same. */
static void
text_keeps_all(void **state)
{
	struct book b, back;
	struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;

	(void)state;
	fill(&b);
	assert_int_equal(b.npolls, BOOK_POLLS);
	assert_int_equal(b.nvisits, BOOK_VISITS);
	book_write(&one, &b);
	assert_true(one.n < 8192);
	assert_true(book_read(&back, "siem", one.p));
	book_write(&two, &back);
	assert_string_equal(one.p, two.p);
	assert_int_equal(back.withheld[TLP_AUDIENCE], 12);
	assert_int_equal(back.types[1].n, 100);
	assert_string_equal(back.tracks[0].collection, "alpha");
	assert_memory_equal(&back.polls, &b.polls, sizeof(b.polls));
	strbuf_fini(&one);
	strbuf_fini(&two);
}

/* A note that was cut, or is of another time, costs the history and nothing else. */
static void
odd_text_is_no_book(void **state)
{
	static const char *const odd[] = { "", "[]", "{\"polls\":{}}x", "{\"polls\":[[1,2],[1,2,3,4,"
	    "5,6,7,8,9]],\"tracks\":[{\"v\":[0,1,2,3,4,0]},7],\"visits\":[1,2,3,4,5,6,7,8,9,10],"
	    "\"types\":{\"a\":\"b\"},\"requests\":1e99,\"remote\":7}" };
	struct strbuf one = STRBUF_INIT;
	struct book b, back;

	(void)state;
	for (size_t i = 0; i < COUNTOF(odd); i++) {
		assert_true(book_read(&back, "x", odd[i]) == (i == 3));
		assert_int_equal(back.requests, 0);
	}
	assert_int_equal(back.nvisits, BOOK_VISITS);
	fill(&b);
	book_write(&one, &b);
	for (size_t n = one.n; n-- > 0;) {
		one.p[n] = '\0';
		assert_false(book_read(&back, "x", one.p));
	}
	strbuf_fini(&one);
}

/* More types than there is room for, and more ways through collections. */
static void
books_are_bounded(void **state)
{
	struct book b = { .name = "x" };
	struct page_seen seen = { .n = SEEN_TYPES, .ntypes = SEEN_TYPES };
	struct book_page page = { .ask = 1, .collection = "alpha", .poll = true, .seen = &seen };
	struct book_call call = { .remote = "", .version = "", .status = 200, .page = &page };
	int64_t n = 0;

	(void)state;
	for (int k = 1; k <= 40; k++) {
		for (size_t i = 0; i < SEEN_TYPES; i++) {
			snprintf(seen.types[i].word, SEEN_WORD, "t%d-%zu", k, i);
			seen.types[i].n = 1;
		}
		page.track = k;
		call.at_us = start_us + k;
		book_note(&b, &call, false);
	}
	assert_int_equal(b.ntypes, BOOK_TYPES);
	for (size_t i = 0; i < b.ntypes; i++)
		n += b.types[i].n;
	assert_int_equal(n, 40 * SEEN_TYPES);
	assert_string_equal(b.types[BOOK_TYPES - 1].word, "other");
	assert_null(book_track(&b, 32));
	assert_non_null(book_track(&b, 33));
	assert_non_null(book_track(&b, 40));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_client_moves),
		cmocka_unit_test(empty_answers_are_no_loop),
		cmocka_unit_test(looping_client_is_seen_at_the_third_poll),
		cmocka_unit_test(circle_is_a_loop),
		cmocka_unit_test(cut_cursor_is_no_loop),
		cmocka_unit_test(stalled_client_is_stuck),
		cmocka_unit_test(one_visit_has_no_rhythm),
		cmocka_unit_test(refused_client_fails_in_words),
		cmocka_unit_test(files_are_told),
		cmocka_unit_test(stranger_does_not_blacken),
		cmocka_unit_test(workers_together_see_the_loop),
		cmocka_unit_test(text_keeps_all),
		cmocka_unit_test(odd_text_is_no_book),
		cmocka_unit_test(books_are_bounded),
	};

	return cmocka_run_group_tests_name("consumer_book", tests, NULL, NULL);
}
