/* If this fails, a conversion of much data mixes up or loses objects that it put by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/spill.h"

enum { PIECES = 3000, LONGEST = 997 };

/* What piece i holds: its length and bytes follow from its number. */
static size_t
piece(size_t i, char *out)
{
	size_t n = i * 7919 % LONGEST;

	for (size_t k = 0; k < n; k++)
		out[k] = (char)(i * 31 + k);
	return n;
}

static void
check_piece(struct spill *s, uint64_t at, size_t i)
{
	char want[LONGEST], got[LONGEST];
	size_t n = piece(i, want);

	assert_true(spill_get(s, at, got, n));
	assert_memory_equal(got, want, n);
}

static void
test_everything_comes_back_from_memory_and_disk(void **state)
{
	struct spill *s = spill_new();
	uint64_t *at = xcalloc(PIECES, sizeof(*at)), total = 0;
	char text[LONGEST];
	struct err e;

	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		size_t n = piece(i, text);

		at[i] = spill_add(s, text, n);
		assert_int_equal(at[i], total);
		total += n;
		if (i % 7 == 0)		/* read while written, back and forth */
			check_piece(s, at[i * 13 % (i + 1)], i * 13 % (i + 1));
	}
	assert_true(total > 1 << 20);
	assert_int_equal(spill_size(s), total);
	for (size_t i = PIECES; i-- > 0; )
		check_piece(s, at[i], i);
	assert_false(spill_get(s, total, text, 1));
	assert_false(spill_get(s, total - 1, text, 2));
	assert_false(spill_failed(s, &e));
	free(at);
	spill_free(s);
}

static void
test_what_is_cut_off_is_written_anew(void **state)
{
	static const uint64_t sizes[] = { 1 << 20, (1 << 20) - 1, 700000, 262144, 1000, 0 };
	struct spill *s = spill_new();
	char text[LONGEST], other[LONGEST];

	(void)state;
	memset(text, 'a', sizeof(text));
	memset(other, 'b', sizeof(other));
	while (spill_size(s) < 2 << 20)
		spill_add(s, text, sizeof(text));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		spill_cut(s, sizes[i]);
		assert_int_equal(spill_size(s), sizes[i]);
		assert_int_equal(spill_add(s, other, sizeof(other)), sizes[i]);
		assert_true(spill_get(s, sizes[i], text, sizeof(text)));
		assert_memory_equal(text, other, sizeof(other));
		if (sizes[i] > 0) {
			assert_true(spill_get(s, sizes[i] - 1, text, 2));
			assert_memory_equal(text, "ab", 2);
		}
	}
	spill_free(s);
}

static void
test_a_folder_that_is_not_there_is_told(void **state)
{
	struct spill *s = spill_new();
	char *block = xcalloc(1, 1 << 20);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(setenv("TMPDIR", "/nonexistent/folder", 1), 0);
	spill_add(s, block, 1000);
	assert_false(spill_failed(s, &e));		/* it is still in memory */
	spill_add(s, block, 1 << 20);
	assert_true(spill_failed(s, &e));
	assert_int_equal(e.code, ERR_IO);
	assert_false(spill_get(s, 0, block, 1000));
	unsetenv("TMPDIR");
	free(block);
	spill_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_back_from_memory_and_disk),
		cmocka_unit_test(test_what_is_cut_off_is_written_anew),
		cmocka_unit_test(test_a_folder_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
