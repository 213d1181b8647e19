/* If these fail, a stranger can choose names that make our tables slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/siphash.h"

/* Otherwise it is some other function, of which nobody has shown anything: the values of its authors. */
static void
test_as_published(void **state)
{
	static const struct {
		size_t		n;
		uint64_t	hash;
	} rows[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },
		{ 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
	};
	const struct siphash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	unsigned char text[15];

	(void)state;
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(siphash(&key, slice_from(text, rows[i].n)), rows[i].hash);
}

/* Otherwise what meets in one table meets in every one. */
static void
test_each_key_is_another(void **state)
{
	struct siphash_key a = siphash_key_new(), b = siphash_key_new();

	(void)state;
	assert_true(a.k0 != b.k0 && a.k1 != b.k1);
	assert_true(siphash(&a, SLICE_LIT("x")) != siphash(&b, SLICE_LIT("x")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_published),
		cmocka_unit_test(test_each_key_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
