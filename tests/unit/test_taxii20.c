/* If this fails, a TAXII 2.0 client that walks a list by numbers misses something, is told a wrong range, or makes
 * the server count the list anew for every page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "adapters/taxii20_manifest.h"
#include "adapters/taxii20_media.h"
#include "adapters/taxii20_range.h"
#include "adapters/taxii20_walk.h"
#include "adapters/taxii20_write.h"
#include "adapters/taxii_media.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

/* The head of a request with these header lines. */
static struct http1 *
head(const char *lines)
{
	struct http1 *p = http1_new_requests(NULL);
	struct strbuf b = STRBUF_INIT;
	struct slice in, data;

	strbuf_addf(&b, "GET /x/ HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);
	in = strbuf_slice(&b);
	assert_int_equal(http1_next(p, &in, &data), HTTP1_HEAD);
	strbuf_fini(&b);
	return p;
}

/* ---- media types ---- */

static void
accepted_types(void **state)
{
	static const struct { const char *lines; bool resource, objects; } rows[] = {
		{ "", true, true }, { "Accept: */*\r\n", true, true }, { "Accept: application/*\r\n", true, true },
		{ "Accept: application/vnd.oasis.taxii+json; version=2.0\r\n", true, true },
		{ "Accept: application/vnd.oasis.taxii+json;version=2.0\r\n", true, true },
		{ "Accept: application/vnd.oasis.taxii+json\r\n", true, true },
		{ "Accept: Application/VND.oasis.taxii+json ; version = \"2.0\"\r\n", true, true },
		{ "Accept: application/vnd.oasis.stix+json; version=2.0\r\n", false, true },
		{ "Accept: application/vnd.oasis.stix+json\r\n", false, true },
		{ "Accept: text/html\r\nAccept: application/vnd.oasis.stix+json\r\n", false, true },
		{ "Accept: application/vnd.oasis.stix+json; version=2.1\r\n", false, false },
		{ "Accept: application/vnd.oasis.taxii+json; version=2.1\r\n", false, false },
		{ "Accept: application/vnd.oasis.taxii+json; version=2.0; q=0\r\n", false, false },
		{ "Accept: application/taxii+json;version=2.1\r\n", false, false },
		{ "Accept: application/stix+json;version=2.0\r\n", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http1 *p = head(rows[i].lines);

		if ((taxii20_accepts(http1_head(p), false) > 0) != rows[i].resource ||
		    (taxii20_accepts(http1_head(p), true) > 0) != rows[i].objects)
			fail_msg("%s", rows[i].lines);
		http1_free(p);
	}
}

/* Who takes both gets the one that he wants more, and 2.1 if that is all the same to him. */
static void
the_better_version(void **state)
{
#define A20 "application/vnd.oasis.taxii+json; version=2.0"
#define A21 "application/taxii+json;version=2.1"
	static const struct { const char *accept; bool is_20; } rows[] = {
		{ A20 ", " A21, false }, { A20 ", */*", true }, { A20 ";q=0.5, */*", false },
		{ A20 ";q=0.9, */*;q=0.8", true }, { A20 ";q=0.81, " A21 ";q=0.8", true },
		{ A20 ";q=0.8, " A21 ";q=0.801", false }, { A21 ";q=0.001, " A20 ";q=0", false },
		{ A20 ";q=1.000, " A21 ";q=.5", false }, { A20 ";q=7, " A21, false }, { "*/*", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char lines[160];
		struct http1 *p;

		snprintf(lines, sizeof(lines), "Accept: %s\r\n", rows[i].accept);
		p = head(lines);
		if ((taxii20_accepts(http1_head(p), false) > taxii_accepts(http1_head(p))) != rows[i].is_20)
			fail_msg("%s", lines);
		http1_free(p);
	}
}

static void
types_of_bodies(void **state)
{
	static const struct { const char *lines; bool yes; } rows[] = {
		{ "Content-Type: application/vnd.oasis.stix+json; version=2.0\r\n", true },
		{ "Content-Type: application/vnd.oasis.stix+json;version=2.0;charset=utf-8\r\n", true },
		{ "Content-Type: application/vnd.oasis.stix+json\r\n", true },
		{ "Content-Type: application/vnd.oasis.stix+json; version=2.1\r\n", false },
		{ "Content-Type: application/vnd.oasis.taxii+json; version=2.0\r\n", false },
		{ "Content-Type: application/taxii+json;version=2.1\r\n", false }, { "", false },
		{ "Content-Type: application/vnd.oasis.stix+json\r\nContent-Encoding: gzip\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http1 *p = head(rows[i].lines);

		if (taxii20_content_fits(http1_head(p)) != rows[i].yes)
			fail_msg("%s", rows[i].lines);
		http1_free(p);
	}
}

/* ---- ranges ---- */

static void
ranges_read(void **state)
{
	static const struct { const char *text; bool given; uint64_t first, last; } rows[] = {
		{ "items=0-49", true, 0, 49 }, { "items 0-49", true, 0, 49 }, { "ITEMS=5-5", true, 5, 5 },
		{ "items = 7 - 9", true, 7, 9 }, { "items=100-", true, 100, UINT64_MAX },
		{ "items\t3-4", true, 3, 4 }, { "items=007-8", true, 7, 8 },
		{ "items=18446744073709551615-18446744073709551615", true, UINT64_MAX, UINT64_MAX },
		{ "items=99999999999999999999999-999999999999999999999999", true, UINT64_MAX, UINT64_MAX },
		{ "items=0-18446744073709551616", true, 0, UINT64_MAX },
		{ "items=50-49", false, 0, UINT64_MAX }, { "items=-49", false, 0, UINT64_MAX },
		{ "items=", false, 0, UINT64_MAX }, { "items", false, 0, UINT64_MAX },
		{ "items=1", false, 0, UINT64_MAX }, { "items=1-2,4-5", false, 0, UINT64_MAX },
		{ "items=1-2-3", false, 0, UINT64_MAX }, { "items==1-2", false, 0, UINT64_MAX },
		{ "items=a-b", false, 0, UINT64_MAX }, { "items=+1-2", false, 0, UINT64_MAX },
		{ "items=0x1-0x2", false, 0, UINT64_MAX }, { "items=1.0-2", false, 0, UINT64_MAX },
		{ "bytes=0-49", false, 0, UINT64_MAX }, { "itemsets=0-4", false, 0, UINT64_MAX },
		{ "0-49", false, 0, UINT64_MAX }, { "items0-49", false, 0, UINT64_MAX },
		{ "items=0-1\r\nRange: items=0-1", false, 0, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct taxii20_range r;
		char lines[128];
		struct http1 *p;

		snprintf(lines, sizeof(lines), "range: %s\r\n", rows[i].text);
		p = head(lines);
		taxii20_range_read(http1_head(p), &r);
		if (r.given != rows[i].given || r.first != rows[i].first || r.last != rows[i].last)
			fail_msg("%s: %d %llu-%llu", rows[i].text, r.given, (unsigned long long)r.first,
			    (unsigned long long)r.last);
		http1_free(p);
	}
}

static void
ranges_written(void **state)
{
	struct taxii20_range r = { .given = true, .first = 10, .last = 19 };
	char text[CONTENT_RANGE_TEXT];

	(void)state;
	assert_int_equal(taxii20_range_count(&r, 1000), 10);
	assert_int_equal(taxii20_range_count(&r, 7), 7);
	r.last = UINT64_MAX;
	assert_int_equal(taxii20_range_count(&r, 1000), 1000);
	r = (struct taxii20_range){ .given = true, .first = 0, .last = UINT64_MAX };
	assert_int_equal(taxii20_range_count(&r, SIZE_MAX), SIZE_MAX);
	r = (struct taxii20_range){ .given = true, .first = UINT64_MAX, .last = UINT64_MAX };
	assert_int_equal(taxii20_range_count(&r, 5), 1);
	r = (struct taxii20_range){ .last = UINT64_MAX };
	assert_int_equal(taxii20_range_count(&r, 5), 5);
	taxii20_range_text(text, 0, 50, 500);
	assert_string_equal(text, "items 0-49/500");
	taxii20_range_text(text, UINT64_MAX - 1, 1, UINT64_MAX);
	assert_string_equal(text, "items 18446744073709551614-18446744073709551614/18446744073709551615");
	taxii20_range_none(text, 500);
	assert_string_equal(text, "items */500");
}

/* ---- what is remembered of a walk ---- */

static const uint8_t policy[32] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static const char key[] = "0123456789abcdef0123456789abcdef";
enum { SECOND = 1000000, LONG_AFTER = 2 * 3600 };
static const struct taxii20_place nothing;
#define NOW	(INT64_C(1790000000) * SECOND)

static struct taxii20_place
find(struct taxii20_walk *w, uint64_t first, int64_t now_us, int64_t turns)
{
	struct taxii20_place p;

	taxii20_walk_find(w, first, now_us, turns, &p);
	return p;
}

static void
places_are_found_again(void **state)
{
	struct taxii20_walk w, again;
	struct strbuf b = STRBUF_INIT;

	(void)state;
	taxii20_walk_read(&w, key, NULL);
	assert_int_equal(find(&w, 100, NOW, 7).n, 0);
	taxii20_walk_keep(&w, 100, 5000, NOW, 7, false);
	taxii20_walk_keep(&w, 150, 5000, NOW, 7, true);
	taxii20_walk_count(&w, &nothing, 300, 9000, NOW, 7);
	taxii20_walk_write(&w, &b);
	taxii20_walk_read(&again, key, b.p);
	assert_int_equal(again.nplaces, 2);
	assert_int_equal(find(&again, 100, NOW, 8).after_us, 5000);
	assert_int_equal(find(&again, 150, NOW, 8).after_us, 5000);
	assert_int_equal(again.end.n, 300);
	assert_int_equal(again.end.after_us, 9000);
	/* a total that was counted under another policy is a number of other objects; the places hold */
	taxii20_walk_under(&w, policy);
	strbuf_reset(&b);
	taxii20_walk_count(&w, &nothing, 300, 9000, NOW, 7);
	taxii20_walk_write(&w, &b);
	taxii20_walk_read(&again, key, b.p);
	taxii20_walk_under(&again, policy);
	assert_int_equal(taxii20_walk_counted(&again, 0, 40, 2000, NOW, 7).n, 300);
	taxii20_walk_under(&again, policy + 8);
	assert_int_equal(taxii20_walk_counted(&again, 0, 40, 2000, NOW, 7).n, 40);
	assert_int_equal(find(&again, 100, NOW, 7).n, 100);
	/* another walk's note is nothing to this one */
	taxii20_walk_read(&again, "ffffffffffffffffffffffffffffffff", b.p);
	assert_int_equal(again.nplaces, 0);
	assert_int_equal(again.end.n, 0);
	strbuf_fini(&b);
}

/* Exactly there while the walk lives; near it only as long as nothing has moved. */
static void
places_age(void **state)
{
	struct taxii20_walk w;

	(void)state;
	taxii20_walk_read(&w, key, NULL);
	taxii20_walk_keep(&w, 100, 5000, NOW, 7, false);
	assert_int_equal(find(&w, 120, NOW, 7).n, 100);
	assert_int_equal(find(&w, 120, NOW, 8).n, 0);
	assert_int_equal(find(&w, 120, NOW, -1).n, 0);
	assert_int_equal(find(&w, 99, NOW, 7).n, 0);
	assert_int_equal(find(&w, 100, NOW + LONG_AFTER * (int64_t)SECOND, 7).n, 100);
	assert_int_equal(find(&w, 100, NOW + LONG_AFTER * (int64_t)SECOND, 8).n, 0);
	assert_int_equal(find(&w, 100, NOW - LONG_AFTER * (int64_t)SECOND, 8).n, 0);
	taxii20_walk_count(&w, &nothing, 300, 9000, NOW, 7);
	assert_int_equal(find(&w, 1000, NOW, 7).n, 300);
	assert_int_equal(find(&w, 1000, NOW, 8).n, 0);
	/* a guess is for who asks exactly that */
	taxii20_walk_keep(&w, 200, 5500, NOW, 7, true);
	assert_int_equal(find(&w, 220, NOW, 7).n, 100);
}

static void
an_awaited_place_stays(void **state)
{
	struct taxii20_walk w;

	(void)state;
	taxii20_walk_read(&w, key, NULL);
	taxii20_walk_keep(&w, 100, 5000, NOW, 7, false);
	taxii20_walk_keep(&w, 100, 6000, NOW, 8, false);	/* another walk passes */
	assert_int_equal(find(&w, 100, NOW, 8).after_us, 5000);
	taxii20_walk_keep(&w, 100, 6000, NOW, 8, false);	/* it was gone on from */
	assert_int_equal(find(&w, 100, NOW, 8).after_us, 6000);
	taxii20_walk_keep(&w, 200, 7000, NOW, 8, false);
	taxii20_walk_keep(&w, 200, 6500, NOW, 8, false);	/* further back never misses anything */
	assert_int_equal(find(&w, 200, NOW, 8).after_us, 6500);
	taxii20_walk_keep(&w, 300, 7000, NOW, 8, false);
	taxii20_walk_keep(&w, 300, 8000, NOW + LONG_AFTER * (int64_t)SECOND, 8, false);	/* nobody comes */
	assert_int_equal(find(&w, 300, NOW + LONG_AFTER * (int64_t)SECOND, 8).after_us, 8000);
	/* a guess gives way to what is known, and never the other way round */
	taxii20_walk_keep(&w, 400, 7000, NOW, 8, true);
	taxii20_walk_keep(&w, 400, 9000, NOW, 8, false);
	taxii20_walk_keep(&w, 400, 1000, NOW, 8, true);
	assert_int_equal(find(&w, 400, NOW, 8).after_us, 9000);
	for (int i = 0; i < 1000; i++)
		taxii20_walk_keep(&w, (uint64_t)i, i, NOW + i, 8, i % 3 == 0);
	assert_int_equal(w.nplaces, WALK_PLACES);
	assert_int_equal(find(&w, 999, NOW, 9).after_us, 999);
}

/* The total of a list that has begun to move is counted anew, but of a long one not for everybody. */
static void
counts_age(void **state)
{
	static const struct { uint64_t total, first; int64_t later_s, turns; bool again; } rows[] = {
		{ 100, 0, 0, 7, true }, { 100, 0, 0, 8, false }, { 100, 50, 0, 8, true }, { 100, 50, 9999, 8, true },
		{ 100, 0, 9999, 7, true }, { 100, 0, 0, -1, false },
		{ 1000000, 0, 0, 8, true }, { 1000000, 0, 500, 8, true }, { 1000000, 0, 700, 8, false },
		{ 1000000, 0, -700, 8, false }, { 1000000, 0, 700, 7, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t now_us = NOW + rows[i].later_s * SECOND;
		struct taxii20_walk w;
		struct taxii20_place p;

		taxii20_walk_read(&w, key, NULL);
		taxii20_walk_count(&w, &nothing, rows[i].total - 10, 8000, NOW, 7);
		p = w.end;		/* ten more came later: that is no new count */
		taxii20_walk_count(&w, &p, rows[i].total, 9000, now_us, 8);
		p = taxii20_walk_counted(&w, rows[i].first, rows[i].first + 10, 5000, now_us, rows[i].turns);
		if ((p.n == rows[i].total && p.after_us == 9000) != rows[i].again)
			fail_msg("row %zu: %llu", i, (unsigned long long)p.n);
		/* what is shown already lies behind the count */
		p = taxii20_walk_counted(&w, 1, rows[i].total + 1, 9999, now_us, rows[i].turns);
		assert_int_equal(p.n, rows[i].total + 1);
		assert_int_equal(p.at_us, 0);
	}
}

static void
a_note_that_is_broken(void **state)
{
	static const char *const notes[] = {
		"", "1", "2 0123456789abcdef0123456789abcdef", "1 0123456789abcdef0123456789abcdef\np",
		"1 0123456789abcdef0123456789abcdef\np 1 2 3\nq 1 2 3 4\np -1 2 3 4\n\n\np 1 2 3 x",
		"1 0123456789abcdef0123456789abcdef\np 99999999999999999999 1 1 1",
		"1 0123456789abcdef0123456789abcdef\ne 18446744073709551615 1 1 1",
	};
	struct taxii20_walk w;

	(void)state;
	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++) {
		taxii20_walk_read(&w, key, notes[i]);
		assert_int_equal(w.nplaces, 0);
		assert_int_equal(w.end.n, 0);
	}
}

/* ---- a walk through a list that changes, against a list that is nothing but an array ---- */

enum { OBJECTS = 2000, ROUNDS = 300 };

struct list {
	int	date[OBJECTS];		/* of the version that is shown; 0: not there */
	int	n, now, turns;
	long	looked;			/* at so many rows */
};

/* The date of the next object behind a date; INT_MAX: none. */
static int
next_of(const struct list *l, int after)
{
	int best = INT32_MAX;

	for (int i = 0; i < l->n; i++)
		if (l->date[i] > after && l->date[i] < best)
			best = l->date[i];
	return best;
}

static int
count_from(struct list *l, int after, uint64_t most, int *last)
{
	uint64_t n = 0;

	for (int d; n < most && (d = next_of(l, after)) != INT32_MAX; n++, l->looked++)
		after = d;
	*last = after;
	return (int)n;
}

struct page { uint64_t first, n, total; int last; bool more; };

/* What taxii20_list.c does for a page. false: beyond the end. */
static bool
serve(struct list *l, struct strbuf *note, uint64_t first, int size, int seen[OBJECTS], struct page *out)
{
	struct taxii20_place from;
	struct taxii20_walk w;
	int at, n, last;

	taxii20_walk_read(&w, key, note->n > 0 ? note->p : NULL);
	taxii20_walk_find(&w, first, NOW, l->turns, &from);
	if (count_from(l, (int)from.after_us, first - from.n, &at) < (int)(first - from.n))
		return false;
	n = count_from(l, at, (uint64_t)size, &last);
	for (int i = 0; i < l->n; i++)
		if (l->date[i] > at && l->date[i] <= last)
			seen[i]++;
	*out = (struct page){ .first = first, .n = (uint64_t)n, .total = first + (uint64_t)n,
	    .last = last, .more = next_of(l, last) != INT32_MAX };
	if (!out->more)
		return n > 0;
	from = taxii20_walk_counted(&w, first, first + out->n, last, NOW, l->turns);
	out->total = from.n + (uint64_t)count_from(l, (int)from.after_us, UINT64_MAX, &at);
	taxii20_walk_count(&w, &from, out->total, at, NOW, l->turns);
	if (out->total <= first + out->n)
		out->total = first + out->n + 1;
	taxii20_walk_keep(&w, first + out->n, last, NOW, l->turns, false);
	strbuf_reset(note);
	taxii20_walk_write(&w, note);
	return true;
}

static void
add_object(struct list *l)
{
	if (l->n < OBJECTS)
		l->date[l->n++] = ++l->now;
}

/* A newer version of some object: it goes to the end. What was seen of the old one counts no more. */
static void
touch(struct list *l, int i, int seen[OBJECTS])
{
	l->date[i] = ++l->now;
	l->turns++;
	seen[i] = 0;
}

static void
a_walk_misses_nothing(void **state)
{
	(void)state;
	srand(20);
	for (int round = 0; round < ROUNDS; round++) {
		struct list l = { .turns = 1 };
		struct strbuf note = STRBUF_INIT;
		struct page p = { .more = true };
		int seen[OBJECTS] = { 0 }, size = 1 + rand() % 40, n = rand() % 300, pages = 0;
		uint64_t start = 0;

		for (int i = 0; i < n; i++)
			add_object(&l);
		/* as the common library does: by what it asked for, until the total */
		for (bool again = n > 0; again; again = start < p.total) {
			assert_true(serve(&l, &note, start, size, seen, &p));
			assert_true(p.n == (uint64_t)size || !p.more);
			start += (uint64_t)size;
			for (int k = pages++ < 20 ? rand() % 4 : 0; k > 0; k--) {
				if (rand() % 2 == 0)
					add_object(&l);
				else
					touch(&l, rand() % l.n, seen);
			}
			if (!p.more)
				break;
		}
		/* what came after the last page is for the next poll */
		for (int i = 0; i < l.n; i++)
			if (l.date[i] <= p.last && seen[i] != 1)
				fail_msg("round %d: object %d was seen %d times", round, i, seen[i]);
		strbuf_fini(&note);
	}
}

/* Each row is looked at twice, however many pages there are: once counted, once shown. */
static void
a_walk_is_linear(void **state)
{
	struct list l = { .turns = 1 };
	struct strbuf note = STRBUF_INIT;
	struct page p = { .more = true };
	int seen[OBJECTS] = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		add_object(&l);
	for (uint64_t start = 0; p.more; start += 10) {
		assert_true(serve(&l, &note, start, 10, seen, &p));
		assert_int_equal(p.total, 1000);
		if (start == 500)
			l.turns++;		/* that something moved behind us makes nothing anew */
	}
	assert_in_range(l.looked, 1000, 2100);
	/* the same list once more is not counted again */
	l.looked = 0;
	l.turns = 1;
	p.more = true;
	for (uint64_t start = 0; p.more; start += 10)
		assert_true(serve(&l, &note, start, 10, seen, &p));
	assert_in_range(l.looked, 1000, 1100);
	strbuf_fini(&note);
}

/* ---- what is written ---- */

static void
bundles(void **state)
{
	static const uint8_t digest[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct store_row row = { .bytes = SLICE_LIT("{\"a\":1}") };
	struct slice versions[] = { SLICE_LIT("2"), SLICE_LIT("1\"") };
	struct strbuf b = STRBUF_INIT;

	(void)state;
	taxii20_write_bundle_end(&b, digest, false);
	assert_string_equal(b.p, "{\"type\":\"bundle\",\"spec_version\":\"2.0\","
	    "\"id\":\"bundle--ffffffff-ffff-4fff-bf00-000000000000\"}");
	strbuf_reset(&b);
	taxii20_write_bundle_end(&b, digest, true);
	assert_non_null(strstr(b.p, ",\"objects\":[],"));
	strbuf_reset(&b);
	taxii20_write_object(&b, &row, 2, TLP_VOCAB_AS_SENT);
	taxii20_write_object(&b, &row, 2, TLP_VOCAB_AS_SENT);
	taxii20_write_bundle_end(&b, digest, true);
	assert_string_equal(b.p, "{\"type\":\"bundle\",\"spec_version\":\"2.0\",\"objects\":[{\"a\":1},{\"a\":1}],"
	    "\"id\":\"bundle--ffffffff-ffff-4fff-bf00-000000000000\"}");
	assert_true(uuid_is_valid(slice_of("ffffffff-ffff-4fff-bf00-000000000000")));
	strbuf_reset(&b);
	taxii20_write_manifest_end(&b, false);
	assert_string_equal(b.p, "{}");
	strbuf_reset(&b);
	taxii20_write_entry(&b, SLICE_LIT("x--1"), 0, versions, 2);
	taxii20_write_manifest_end(&b, true);
	assert_string_equal(b.p, "{\"objects\":[{\"id\":\"x--1\",\"date_added\":\"1970-01-01T00:00:00.000000Z\","
	    "\"versions\":[\"2\",\"1\\\"\"],\"media_types\":[\"application/vnd.oasis.stix+json; version=2.0\"]}]}");
	strbuf_fini(&b);
}

/* An entry an object, in the order of the page; versions newest first; one whose versions are gone keeps its own. */
static void
manifests(void **state)
{
	static const struct { const char *id, *version; int object; } rows[] = {
		{ "x--2", "2026-01-03", 1 }, { "x--1", "2026-01-09", 1 }, { "x--3", "2026-01-05", 1 },
		{ "x--1", "2026-01-01", 0 }, { "x--2", "2026-01-03", 0 }, { "x--1", "2026-01-09", 0 },
		{ "x--1", "2026-01-04", 0 }, { "x--0", "2026-01-04", 0 },
	};
	struct arena *mem = arena_new();
	struct taxii20_manifest m = { .objects = { .n = 0 } };
	struct strbuf b = STRBUF_INIT;
	const char *at;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_row row = { .id = slice_of(rows[i].id), .version = slice_of(rows[i].version),
			.version_key = slice_of(rows[i].version), .date_added_us = (int64_t)i };

		taxii20_manifest_add(rows[i].object ? &m.objects : &m.all, mem, &row);
	}
	taxii20_manifest_write(&m, mem, &b);
	at = strstr(b.p, "\"id\":\"x--2\"");
	assert_non_null(at);
	assert_non_null(at = strstr(at, "\"versions\":[\"2026-01-03\"]"));
	assert_non_null(at = strstr(at, "\"id\":\"x--1\",\"date_added\":\"1970-01-01T00:00:00.000001Z\""));
	assert_non_null(at = strstr(at, "\"versions\":[\"2026-01-09\",\"2026-01-04\",\"2026-01-01\"]"));
	assert_non_null(at = strstr(at, "\"id\":\"x--3\""));
	assert_non_null(at = strstr(at, "\"versions\":[\"2026-01-05\"]"));
	assert_null(strstr(b.p, "x--0"));
	strbuf_fini(&b);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_types), cmocka_unit_test(the_better_version),
		cmocka_unit_test(types_of_bodies),
		cmocka_unit_test(ranges_read), cmocka_unit_test(ranges_written),
		cmocka_unit_test(places_are_found_again), cmocka_unit_test(places_age),
		cmocka_unit_test(an_awaited_place_stays), cmocka_unit_test(counts_age),
		cmocka_unit_test(a_note_that_is_broken),
		cmocka_unit_test(a_walk_misses_nothing), cmocka_unit_test(a_walk_is_linear),
		cmocka_unit_test(bundles), cmocka_unit_test(manifests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
