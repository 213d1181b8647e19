/* If this fails, a damaged row shows TLP:RED as something freer, or a page reads beyond its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/store_sqlite.h"

static const struct head sample = {
	.id = { "indicator--1", 12 }, .type = { "indicator", 9 }, .spec = { "2.1", 3 },
	.shown = { "2024-01-01T10:00:00Z", 20 }, .created_by = { "", 0 },
	.audience = { "cert-b,cert-c", 13 }, .valid_until = { "2025", 4 }, .fp = { "\0\1\2", 3 },
	.tlp = TLP_AMBER, .by_default = true, .phase = PHASE_RESPONSE, .origin = ORIGIN_ADDRESSED,
	.flags = 0x80000001u, .sectors = 0x3ffff, .first_us = 1700000000000123,
};

static void
what_is_written_is_read(void **state)
{
	struct arena *mem = arena_new();
	struct head h;

	(void)state;
	sq_head_read(sq_head_write(&sample, mem), &h);
	assert_true(slice_eq(h.id, sample.id) && slice_eq(h.type, sample.type) &&
	    slice_eq(h.spec, sample.spec) && slice_eq(h.shown, sample.shown));
	assert_true(slice_eq(h.audience, sample.audience) && slice_eq(h.fp, sample.fp) &&
	    slice_eq(h.valid_until, sample.valid_until) && h.created_by.n == 0);
	assert_true(h.tlp == sample.tlp && h.by_default && h.phase == sample.phase &&
	    h.origin == sample.origin);
	assert_true(h.flags == sample.flags && h.sectors == sample.sectors &&
	    h.first_us == sample.first_us);
	arena_free(mem);
}

/* Bytes in memory of their own, so that a sanitizer sees who reads beyond them. */
static void
read_damaged(struct slice blob, size_t n, struct head *h)
{
	char *copy = malloc(n + 1);

	memcpy(copy, blob.p, n);
	copy = realloc(copy, n == 0 ? 1 : n);
	sq_head_read(slice_from(copy, n), h);
	free(copy);
}

static void
damage_reads_as_nothing_for_nobody(void **state)
{
	struct arena *mem = arena_new();
	struct slice whole = sq_head_write(&sample, mem);
	char *bytes = malloc(whole.n);
	struct head h;

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		read_damaged(whole, n, &h);
		assert_int_equal(h.tlp, TLP_RED);
		assert_int_equal(h.origin, ORIGIN_RECEIVED);
		assert_int_equal(h.id.n + h.audience.n, 0);
	}
	for (size_t at = 0; at < 56; at++) {	/* one byte of the fixed part is wrong */
		memcpy(bytes, whole.p, whole.n);
		bytes[at] = (char)0xff;
		sq_head_read(slice_from(bytes, whole.n), &h);
		assert_true(h.tlp == TLP_RED || h.tlp == TLP_AMBER);
		if (at == 0 || at == 1 || at == 3 || at == 4 || at >= 24)
			assert_int_equal(h.tlp, TLP_RED);
	}
	free(bytes);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(damage_reads_as_nothing_for_nobody),
	};

	return cmocka_run_group_tests_name("store_head", tests, NULL, NULL);
}
