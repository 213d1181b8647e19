/* If this fails, an advisory is acknowledged and lost, stored twice, or overwritten by a forgery. */
#include "store_kit.h"

#include "gateway/base/digest.h"

static void
new_then_known(void **state)
{
	struct kit *k = *state;
	struct object *o = kit_object(k, "indicator", 1, "2024-01-01T10:00:00Z", "one");
	struct store_put p = kit_put(o, &k->a, 1);
	struct page_query q = kit_query(k->a), qb = kit_query(k->b);
	struct kit_page page, again;

	assert_int_equal(kit_put_one(k, "cert-x", &p), STORE_NEW);
	assert_string_equal(kit_page(k, &q, &page), "1@10:00:00");
	assert_string_equal(page.version, "2024-01-01T10:00:00Z");
	assert_string_equal(page.bytes, o->bytes.p);
	clock_fake_add(5000000);
	/* the same again, from another, into one more collection */
	p.collections = (int64_t[]){ k->a, k->b };
	p.ncollections = 2;
	assert_int_equal(kit_put_one(k, "cert-y", &p), STORE_KNOWN);
	kit_page(k, &q, &again);
	assert_int_equal(again.last_us, page.last_us);		/* unchanged content, unchanged date */
	assert_string_equal(kit_page(k, &qb, &again), "1@10:00:00");
	assert_true(again.last_us > page.last_us + 4000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DISK(new_then_known),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
