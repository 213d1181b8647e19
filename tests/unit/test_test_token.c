/* If this fails, a token of `tocsin consumer test` can be made by anybody, or opens the door for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/keys.h"
#include "gateway/test_token.h"

static const int64_t now_us = INT64_C(1700000000) * 1000000;

static void
good_for_two_minutes(void **state)
{
	struct arena *mem = arena_new();
	struct keys k = { .common = { 1, 2, 3 } };
	struct slice token = slice_of(test_token_make(&k, "soc.a-b", now_us, mem));

	(void)state;
	assert_true(test_token_is(token));
	assert_string_equal(test_token_name(&k, token, now_us, mem), "soc.a-b");
	assert_string_equal(test_token_name(&k, token, now_us + 120 * INT64_C(1000000), mem), "soc.a-b");
	assert_null(test_token_name(&k, token, now_us + 121 * INT64_C(1000000), mem));
	arena_free(mem);
}

static void
changed_is_refused(void **state)
{
	struct arena *mem = arena_new();
	struct keys k = { .common = { 1, 2, 3 } }, other = { .common = { 1, 2, 4 } };
	struct slice token = slice_of(test_token_make(&k, "soc", now_us, mem));
	char *bent = arena_str(mem, token);

	(void)state;
	assert_null(test_token_name(&other, token, now_us, mem));
	for (size_t i = 0; i < token.n; i++) {
		bent[i] ^= 1;
		assert_null(test_token_name(&k, slice_from(bent, token.n), now_us, mem));
		bent[i] ^= 1;
		assert_null(test_token_name(&k, slice_from(bent, i), now_us, mem));
	}
	assert_non_null(test_token_name(&k, slice_from(bent, token.n), now_us, mem));
	assert_false(test_token_is(SLICE_LIT("tocsin-tes")));
	assert_null(test_token_name(&k, SLICE_LIT("tocsin-test...."), now_us, mem));
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_for_two_minutes),
		cmocka_unit_test(changed_is_refused),
	};

	return cmocka_run_group_tests_name("test_token", tests, NULL, NULL);
}
