/* If this fails, a client gets more than its share and starves the others, or an honest one is turned
 * away although it has kept to its rate. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/limiter.h"
#include "gateway/limiter_lease.h"

#define SECOND	INT64_C(1000000)

static const char key[32] = "0123456789abcdef0123456789abcdef";

static struct limiter *
make(size_t max)
{
	const struct limiter_conf conf = { .prefix = "t:", .key = { key, sizeof(key) },
	    .local_share = 1.0, .local_max = max };

	clock_fake(INT64_C(1700000000) * SECOND);
	return limiter_new(NULL, &conf);
}

static struct limiter_answer
take(struct limiter *l, const char *name, double rate, uint32_t burst, uint32_t units)
{
	return limiter_take_local(l, slice_of(name), (struct limit){ rate, burst }, units);
}

/* How many single units pass now. */
static unsigned
drain(struct limiter *l, const char *name, double rate, uint32_t burst)
{
	unsigned n = 0;

	while (n < 100000 && take(l, name, rate, burst, 1).allowed)
		n++;
	return n;
}

static void
test_burst_then_rate(void **state)
{
	struct limiter *l = make(100);
	unsigned n, i;

	(void)state;
	assert_int_equal(drain(l, "a", 10, 5), 5);
	/* In 100 seconds exactly 1000 more, whoever often asks. */
	for (n = i = 0; i < 10000; i++) {
		clock_fake_add(SECOND / 100);
		n += take(l, "a", 10, 5, 1).allowed;
	}
	assert_int_equal(n, 1000);
	limiter_free(l);
}

/* A rate whose unit is no whole number of microseconds must not drift: 3 a second for an hour. */
static void
test_odd_rates_are_exact(void **state)
{
	static const struct { double rate; unsigned burst; unsigned want; } rows[] = {
		{ 3, 1, 3 * 3600 }, { 7, 2, 7 * 3600 }, { 0.3, 1, 1080 }, { 1.0 / 60, 1, 60 },
		{ 999, 10, 999 * 3600 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct limiter *l = make(100);
		struct limiter_answer a;
		int64_t end;
		unsigned n = 0;

		drain(l, "odd", rows[i].rate, rows[i].burst);
		end = clock_mono_us() + 3600 * SECOND;
		/* A client that waits exactly as long as it is told. */
		for (;;) {
			a = take(l, "odd", rows[i].rate, rows[i].burst, 1);
			if (a.allowed) {
				n++;
				continue;
			}
			assert_true(a.wait_us > 0);
			clock_fake_add(a.wait_us);
			if (clock_mono_us() > end)
				break;
		}
		assert_in_range(n, rows[i].want - 1, rows[i].want);
		limiter_free(l);
	}
}

static void
test_wait_is_the_truth(void **state)
{
	struct limiter *l = make(100);
	struct limiter_answer a;

	(void)state;
	assert_true(take(l, "w", 2, 1, 1).allowed);
	a = take(l, "w", 2, 1, 1);
	assert_false(a.allowed);
	assert_false(a.shared);
	assert_int_equal(a.wait_us, SECOND / 2);
	clock_fake_add(a.wait_us - 1);
	assert_false(take(l, "w", 2, 1, 1).allowed);
	clock_fake_add(1);
	assert_true(take(l, "w", 2, 1, 1).allowed);
	limiter_free(l);
}

/* An answer "no" costs nothing: asking all the time does not push the turn away. */
static void
test_refusals_are_free(void **state)
{
	struct limiter *l = make(100);
	unsigned i;

	(void)state;
	assert_int_equal(drain(l, "f", 1, 3), 3);
	for (i = 0; i < 1000; i++)
		assert_false(take(l, "f", 1, 3, 1).allowed);
	clock_fake_add(SECOND);
	assert_int_equal(drain(l, "f", 1, 3), 1);
	limiter_free(l);
}

static void
test_units(void **state)
{
	struct limiter *l = make(100);
	struct limiter_answer a;

	(void)state;
	assert_true(take(l, "u", 10, 10, 7).allowed);
	assert_false(take(l, "u", 10, 10, 4).allowed);
	assert_true(take(l, "u", 10, 10, 3).allowed);
	a = take(l, "u", 10, 10, 10);
	assert_false(a.allowed);
	assert_int_equal(a.wait_us, SECOND);
	/* No units is one unit. */
	clock_fake_add(SECOND / 10);
	assert_true(take(l, "u", 10, 10, 0).allowed);
	assert_false(take(l, "u", 10, 10, 0).allowed);
	limiter_free(l);
}

/* 100 objects for a peer that takes 10 at once: they pass from a full bucket, and are paid for. */
static void
test_more_than_the_burst(void **state)
{
	struct limiter *l = make(100);
	struct limiter_answer a;
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_true(take(l, "m", 10, 10, 100).allowed);
		a = take(l, "m", 10, 10, 100);
		assert_false(a.allowed);
		assert_int_equal(a.wait_us, 10 * SECOND);
		a = take(l, "m", 10, 10, 1);
		assert_false(a.allowed);
		assert_int_equal(a.wait_us, 9 * SECOND + SECOND / 10);
		clock_fake_add(10 * SECOND);
	}
	limiter_free(l);
}

static void
test_edges(void **state)
{
	struct limiter *l = make(100);
	struct limiter_figures f;
	unsigned i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_true(take(l, "free", 0, 0, 1000000).allowed);
	limiter_figures(l, &f);
	assert_int_equal(f.buckets, 0);
	assert_int_equal(drain(l, "b0", 1, 0), 1);
	assert_true(take(l, "huge", 1e-30, UINT32_MAX, UINT32_MAX).allowed);
	assert_false(take(l, "huge", 1e-30, UINT32_MAX, UINT32_MAX).allowed);
	assert_true(take(l, "fast", 1e300, UINT32_MAX, UINT32_MAX).allowed);
	assert_true(take(l, "nan", __builtin_nan(""), 1, 1).allowed);
	assert_false(take(l, "nan", __builtin_nan(""), 1, 1).allowed);
	limiter_free(l);
}

static void
test_buckets_are_separate_and_bounded(void **state)
{
	struct limiter *l = make(50);
	struct limiter_figures f;
	char name[32];
	unsigned i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "client %u", i);
		assert_int_equal(drain(l, name, 0.001, 2), 2);
	}
	limiter_figures(l, &f);
	assert_int_equal(f.buckets, 50);
	assert_int_equal(f.allowed, 2000);
	assert_int_equal(f.refused, 1000);
	assert_int_equal(f.local, 3000);
	/* The newest are remembered. */
	assert_int_equal(drain(l, "client 999", 0.001, 2), 0);
	assert_int_equal(drain(l, "client 950", 0.001, 2), 0);
	/* Full buckets go by themselves. */
	clock_fake_add(INT64_C(4000) * SECOND);
	for (i = 0; i < 50; i++)
		assert_true(take(l, "one", 1, 100, 1).allowed);
	limiter_figures(l, &f);
	assert_int_equal(f.buckets, 1);
	limiter_free(l);
}

static void
on_answer(void *arg, struct limiter_answer a)
{
	struct limiter_answer *out = arg;

	*out = a;
}

/* Without Redis the asking form is the local one, at once. */
static void
test_take_without_redis(void **state)
{
	struct limiter *l = make(50);
	struct limiter_answer a = { .wait_us = -1 };
	struct limit limit = { 1, 1 };

	(void)state;
	limiter_take(l, slice_of("x"), limit, 1, on_answer, &a);
	assert_true(a.allowed);
	assert_int_equal(a.wait_us, 0);
	assert_false(a.shared);
	assert_false(limiter_take_local(l, slice_of("x"), limit, 1).allowed);
	limiter_take(l, slice_of("x"), limit, 1, on_answer, &a);
	assert_false(a.allowed);
	assert_int_equal(a.wait_us, SECOND);
	limiter_take(l, slice_of("x"), (struct limit){ 0, 0 }, 1, on_answer, &a);
	assert_true(a.allowed);
	limiter_free(l);
	limiter_free(NULL);
}

/* A lease is small, short, for busy clients only, and grows only while leases are used up. */
static void
test_leases(void **state)
{
	static const uint8_t one[RECENT_KEY] = { 1 }, other[RECENT_KEY] = { 2 };
	const struct limit slow = { 20, 300 }, small = { 100000, 10 }, busy = { 20000, 160000 };
	struct leases *ls = leases_new(10);
	int64_t now = 1000 * SECOND;
	uint32_t most = 0;

	(void)state;
	assert_int_equal(leases_want(ls, one, slow, 1, now), 1);	/* one flows in meanwhile */
	assert_int_equal(leases_want(ls, one, small, 1, now), 1);	/* of a burst of ten, none */
	assert_false(leases_spend(ls, other, 1, now));
	for (int i = 0; i < 10; i++) {
		uint32_t n = leases_want(ls, other, busy, 1, now);

		assert_true(n >= most && n <= LEASE_MAX);
		if (n == 1)		/* the first request of all */
			continue;
		assert_int_equal(leases_want(ls, other, busy, 1, now), 1);	/* one question at a time */
		leases_got(ls, other, n - 1, now);
		for (uint32_t k = 1; k < n; k++)
			assert_true(leases_spend(ls, other, 1, now));
		assert_false(leases_spend(ls, other, 1, now));
		most = n;
	}
	assert_int_equal(most, LEASE_MAX);
	leases_got(ls, other, 5, now);
	assert_false(leases_spend(ls, other, 6, now));
	assert_true(leases_spend(ls, other, 4, now + LEASE_US - 1));
	assert_false(leases_spend(ls, other, 1, now + LEASE_US));	/* forgotten */
	/* the next is as large as that one was used; after a pause it begins anew */
	leases_got(ls, one, 0, now);
	assert_true(leases_want(ls, other, busy, 1, now + LEASE_US) >= LEASE_MAX - 5);
	assert_true(leases_want(ls, other, busy, 1, now + 3 * LEASE_US) < 10);
	assert_int_equal(leases_want(ls, other, busy, 5000, now + 3 * LEASE_US), 5000);
	leases_free(ls);
	leases_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_odd_rates_are_exact),
		cmocka_unit_test(test_wait_is_the_truth),
		cmocka_unit_test(test_refusals_are_free),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_more_than_the_burst),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_buckets_are_separate_and_bounded),
		cmocka_unit_test(test_take_without_redis),
		cmocka_unit_test(test_leases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
