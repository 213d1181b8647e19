/* If this fails, the same advisory is worked on twice at once, or worse: one that was refused or lost
 * on the way keeps its claim, and the good copy that comes next is taken for a duplicate. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/dedup.h"

#define SECOND	INT64_C(1000000)

static const char key[32] = "0123456789abcdef0123456789abcdef";

static struct dedup *
make(size_t max)
{
	const struct dedup_conf conf = { .prefix = "t:", .key = { key, sizeof(key) },
	    .store_id = SLICE_LIT("store-1"), .claim_short_us = 30 * SECOND,
	    .claim_long_us = 3600 * SECOND, .local_max = max };

	clock_fake(INT64_C(1700000000) * SECOND);
	return dedup_new(NULL, &conf);
}

struct got {
	unsigned		calls;
	size_t			n;
	enum dedup_answer	a[8];
};

static void
on_answers(void *arg, const enum dedup_answer *answers, size_t n)
{
	struct got *g = arg;

	g->calls++;
	g->n = n;
	assert_true(n <= 8);
	memcpy(g->a, answers, n * sizeof(*answers));
}

static enum dedup_answer
claim(struct dedup *d, const char *name)
{
	struct dedup_key k = dedup_key(d, slice_of(name));
	struct got g = { 0 };

	dedup_claim(d, &k, 1, false, on_answers, &g);
	assert_int_equal(g.calls, 1);
	assert_int_equal(g.n, 1);
	return g.a[0];
}

static void
confirm(struct dedup *d, const char *name)
{
	struct dedup_key k = dedup_key(d, slice_of(name));

	dedup_confirm(d, &k, 1, false);
}

static void
release(struct dedup *d, const char *name)
{
	struct dedup_key k = dedup_key(d, slice_of(name));

	dedup_release(d, &k, 1, false);
}

static void
test_life_of_a_claim(void **state)
{
	struct dedup *d = make(100);
	struct dedup_figures f;

	(void)state;
	assert_int_equal(claim(d, "a"), DEDUP_CLAIMED);
	assert_int_equal(claim(d, "a"), DEDUP_BUSY);
	assert_int_equal(claim(d, "b"), DEDUP_CLAIMED);
	confirm(d, "a");
	assert_int_equal(claim(d, "a"), DEDUP_SEEN);
	release(d, "b");
	assert_int_equal(claim(d, "b"), DEDUP_CLAIMED);
	dedup_figures(d, &f);
	assert_int_equal(f.claimed, 3);
	assert_int_equal(f.busy, 1);
	assert_int_equal(f.seen, 1);
	assert_int_equal(f.unknown, 0);
	assert_int_equal(f.local_entries, 2);
	dedup_free(d);
	dedup_free(NULL);
}

/* The second message is refused by policy and releases: the first one's claim must stand. */
static void
test_release_of_another_holder(void **state)
{
	struct dedup *d = make(100);

	(void)state;
	assert_int_equal(claim(d, "a"), DEDUP_CLAIMED);
	assert_int_equal(claim(d, "a"), DEDUP_BUSY);
	release(d, "a");
	assert_int_equal(claim(d, "a"), DEDUP_BUSY);
	release(d, "a");
	release(d, "a");
	assert_int_equal(claim(d, "a"), DEDUP_CLAIMED);
	dedup_free(d);
}

/* A confirmed key outlives a late release, and goes when the object is deleted. */
static void
test_confirmed_and_forgotten(void **state)
{
	struct dedup *d = make(100);
	struct dedup_key k = dedup_key(d, SLICE_LIT("a")), never = dedup_key(d, SLICE_LIT("never"));

	(void)state;
	claim(d, "a");
	claim(d, "a");
	confirm(d, "a");
	release(d, "a");
	assert_int_equal(claim(d, "a"), DEDUP_SEEN);
	dedup_forget(d, &k, 1);
	assert_int_equal(claim(d, "a"), DEDUP_CLAIMED);
	dedup_forget(d, &never, 1);
	dedup_free(d);
}

static void
test_claims_expire(void **state)
{
	struct dedup *d = make(100);

	(void)state;
	claim(d, "a");
	claim(d, "b");
	confirm(d, "b");
	clock_fake_add(30 * SECOND - 1);
	assert_int_equal(claim(d, "a"), DEDUP_BUSY);
	clock_fake_add(1);
	assert_int_equal(claim(d, "a"), DEDUP_CLAIMED);
	assert_int_equal(claim(d, "b"), DEDUP_SEEN);
	clock_fake_add(3600 * SECOND);
	assert_int_equal(claim(d, "b"), DEDUP_CLAIMED);
	dedup_free(d);
}

/* An envelope: answers in the order of the keys; the same key twice is busy the second time. */
static void
test_many_keys(void **state)
{
	struct dedup *d = make(100);
	static const struct slice names[] = { { "a", 1 }, { "b", 1 }, { "a", 1 }, { "", 0 }, { "a\0b", 3 },
	    { "seen", 4 } };
	struct dedup_key keys[COUNTOF(names)];
	struct got g = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(names); i++)
		keys[i] = dedup_key(d, names[i]);
	claim(d, "seen");
	confirm(d, "seen");
	dedup_claim(d, keys, 6, false, on_answers, &g);
	assert_int_equal(g.calls, 1);
	assert_int_equal(g.n, 6);
	assert_int_equal(g.a[0], DEDUP_CLAIMED);
	assert_int_equal(g.a[1], DEDUP_CLAIMED);
	assert_int_equal(g.a[2], DEDUP_BUSY);
	assert_int_equal(g.a[3], DEDUP_CLAIMED);
	assert_int_equal(g.a[4], DEDUP_CLAIMED);
	assert_int_equal(g.a[5], DEDUP_SEEN);
	dedup_claim(d, NULL, 0, false, on_answers, &g);
	assert_int_equal(g.calls, 2);
	assert_int_equal(g.n, 0);
	dedup_free(d);
}

static void
test_bounded(void **state)
{
	struct dedup *d = make(1000);
	struct dedup_figures f;
	char name[32];
	unsigned i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		assert_int_equal(claim(d, name), DEDUP_CLAIMED);
	}
	dedup_figures(d, &f);
	assert_int_equal(f.local_entries, 1000);
	for (i = 19000; i < 20000; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		assert_int_equal(claim(d, name), DEDUP_BUSY);
	}
	assert_int_equal(claim(d, "key 18999"), DEDUP_CLAIMED);
	dedup_free(d);

	/* No room at all: nothing is known, and everything goes on. */
	d = make(0);
	assert_int_equal(claim(d, "a"), DEDUP_UNKNOWN);
	confirm(d, "a");
	release(d, "a");
	assert_int_equal(claim(d, "a"), DEDUP_UNKNOWN);
	dedup_free(d);
}

static enum dedup_answer
sent(struct dedup *d, const char *pin, const char *fp, bool mark)
{
	struct got g = { 0 };

	dedup_sent(d, slice_of(pin), slice_of(fp), mark, on_answers, &g);
	assert_int_equal(g.calls, 1);
	assert_int_equal(g.n, 1);
	return g.a[0];
}

static void
test_sent(void **state)
{
	struct dedup *d = make(100);

	(void)state;
	assert_int_equal(sent(d, "pin", "fp", false), DEDUP_CLAIMED);
	assert_int_equal(sent(d, "pin", "fp", false), DEDUP_CLAIMED);
	assert_int_equal(sent(d, "pin", "fp", true), DEDUP_CLAIMED);
	assert_int_equal(sent(d, "pin", "fp", true), DEDUP_SEEN);
	assert_int_equal(sent(d, "pin", "fp", false), DEDUP_SEEN);
	assert_int_equal(sent(d, "pin2", "fp", false), DEDUP_CLAIMED);
	assert_int_equal(sent(d, "pin", "fp2", false), DEDUP_CLAIMED);
	clock_fake_add(3600 * SECOND);
	assert_int_equal(sent(d, "pin", "fp", false), DEDUP_CLAIMED);
	dedup_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life_of_a_claim),
		cmocka_unit_test(test_release_of_another_holder),
		cmocka_unit_test(test_confirmed_and_forgotten),
		cmocka_unit_test(test_claims_expire),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
