/* If this fails, an object that a peer refused is believed delivered, or one that it took is given up. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "adapters/delivery_refusals.h"
#include "gateway/base/arena.h"

enum { ITEMS = 6 };

/* Two versions of a, one of b, one of c without a version of its own, b again, d. */
static const struct { const char *id, *version, *key; } rows[ITEMS] = {
	{ "a", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00" },
	{ "a", "2026-01-02T00:00:00.000Z", "2026-01-02T00:00:00" },
	{ "b", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00" },
	{ "c", "2026-05-05T00:00:00.000001Z", "sha256:00" },
	{ "b", "2026-01-03T00:00:00Z", "2026-01-03T00:00:00" },
	{ "d", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.5" },
};

/* Which items a refusal of that id and version means, as letters. */
static void
means(const char *id, const char *version, size_t from, size_t to, const char *want)
{
	struct arena *mem = arena_new();
	struct outbox_item items[ITEMS];
	const struct delivery d = { .items = items, .n = ITEMS };
	const struct taxii_refusal r = { slice_of(id), slice_of(version), SLICE_LIT("no") };
	const struct taxii_status status = { .refusals = &r, .nrefusals = 1 };
	const char *refused[ITEMS] = { NULL };
	char got[ITEMS + 1] = "";
	size_t n, k = 0;

	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < ITEMS; i++) {
		items[i].row.id = slice_of(rows[i].id);
		items[i].row.version = slice_of(rows[i].version);
		items[i].row.version_key = slice_of(rows[i].key);
	}
	n = delivery_refusals(&d, NULL, from, to, &status, mem, refused);
	for (size_t i = 0; i < ITEMS; i++)
		if (refused[i] != NULL)
			got[k++] = (char)('0' + i);
	got[k] = '\0';
	assert_string_equal(got, want);
	assert_int_equal(n, k);
	arena_free(mem);
}

static void
the_one_that_is_meant(void **state)
{
	(void)state;
	means("a", "2026-01-02T00:00:00.000Z", 0, ITEMS, "1");
	means("a", "2026-01-03T00:00:00.000Z", 0, ITEMS, "");	/* neither of the two */
	means("c", "2026-09-09T00:00:00.000Z", 0, ITEMS, "3");	/* its date at the peer */
	means("d", "2026-01-01T00:00:00.500Z", 0, ITEMS, "5");	/* written in another way */
	means("d", "", 0, ITEMS, "5");				/* 2.0 names no version */
	means("d", "unknown", 0, ITEMS, "5");
	means("b", "2026-01-03T00:00:00Z", 0, ITEMS, "4");
	means("b", "2026-01-03T00:00:00Z", 0, 3, "2");		/* of this piece it is the only b */
	means("b", "2026-01-03T00:00:00Z", 5, ITEMS, "");	/* none of this piece */
	means("x", "2026-01-03T00:00:00Z", 0, ITEMS, "");
	means("", "", 0, ITEMS, "");
}

static void
each_once(void **state)
{
	struct arena *mem = arena_new();
	struct outbox_item item;
	const struct delivery d = { .items = &item, .n = 1 };
	const struct taxii_refusal r[] = {
		{ SLICE_LIT("a"), SLICE_LIT("v"), SLICE_LIT("first") },
		{ SLICE_LIT("a"), SLICE_LIT("v"), SLICE_LIT("second") },
	};
	const struct taxii_status status = { .refusals = r, .nrefusals = 2 };
	const char *refused[1] = { NULL };

	(void)state;
	memset(&item, 0, sizeof(item));
	item.row.id = SLICE_LIT("a");
	item.row.version = item.row.version_key = SLICE_LIT("v");
	assert_int_equal(delivery_refusals(&d, NULL, 0, 1, &status, mem, refused), 1);
	assert_string_equal(refused[0], "the peer refused it: first");
	arena_free(mem);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_that_is_meant),
		cmocka_unit_test(each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
