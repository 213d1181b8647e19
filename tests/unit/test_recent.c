/* If this fails, a claim or a rate bucket is lost or mixed up with another one, or the table that must
 * stay small under a flood of names does not. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/base/recent.h"

enum { ROOM = 50, NAMES = 120 };

struct model {
	uint8_t	key;
	int	value;
};

/* Against a list that is searched from end to end. */
static void
test_against_a_model(void **state)
{
	struct recent *t = recent_new(ROOM, sizeof(int));
	struct model m[ROOM];
	uint32_t seed = 1, i, n = 0;
	uint8_t k[RECENT_KEY] = { 0 };
	int step, *v;

	(void)state;
	for (step = 1; step < 200000; step++) {
		seed = seed * 1664525 + 1013904223;
		k[0] = (uint8_t)((seed >> 24) % NAMES);
		for (i = 0; i < n && m[i].key != k[0]; i++)
			;
		v = recent_find(t, k);
		assert_true((i < n) == (v != NULL));
		if (v != NULL)
			assert_int_equal(*v, m[i].value);
		if ((seed >> 20 & 3) == 0) {
			recent_drop(t, k);
			if (i < n)
				memmove(&m[i], &m[i + 1], (--n - i) * sizeof(*m));
		} else {
			v = recent_put(t, k);
			assert_int_equal(*v, i < n ? m[i].value : 0);
			if (i < n || (n == ROOM && (i = 0) == 0))
				memmove(&m[i], &m[i + 1], (--n - i) * sizeof(*m));
			m[n].key = k[0];
			m[n++].value = *v = step;
		}
		assert_int_equal(recent_count(t), n);
		v = recent_oldest(t);
		assert_true((n > 0) == (v != NULL));
		if (n > 0)
			assert_int_equal(*v, m[0].value);
	}
	while (n-- > 0)
		recent_drop_oldest(t);
	recent_drop_oldest(t);
	assert_int_equal(recent_count(t), 0);
	recent_free(t);
	recent_free(NULL);
}

static void
test_no_room(void **state)
{
	static const uint8_t k[RECENT_KEY] = "a";
	struct recent *t = recent_new(0, 8);

	(void)state;
	assert_null(recent_find(t, k));
	assert_null(recent_put(t, k));
	assert_null(recent_oldest(t));
	recent_drop(t, k);
	recent_drop_oldest(t);
	assert_int_equal(recent_count(t), 0);
	recent_free(t);
}

/* Values of any size are aligned for any type. */
static void
test_alignment(void **state)
{
	size_t size;

	(void)state;
	for (size = 0; size < 40; size++) {
		struct recent *t = recent_new(200, size);
		uint8_t k[RECENT_KEY] = { 0 };
		unsigned i;

		for (i = 0; i < 200; i++) {
			k[3] = (uint8_t)i;	/* all in one bucket */
			char *v = recent_put(t, k);

			assert_int_equal((uintptr_t)v % _Alignof(max_align_t), 0);
			memset(v, 0xff, size);
		}
		assert_int_equal(recent_count(t), 200);
		recent_free(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_model),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
