/* If this fails, a child begins its life with orders that nobody gave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/process.h"

static struct orders
some_orders(void)
{
	struct orders o = {
		.kind = PROCESS_WORKER, .index = 1, .nworkers = 2, .master_pid = 4711,
		.started_us = 1700000000000000, .config = "/etc/tocsin/tocsin.conf", .uid = 2000000001,
		.gid = 2000000003, .group_reads = true, .bundle = SLICE_LIT("four"),
	};

	memset(o.common, 7, sizeof(o.common));
	return o;
}

static int
unpacks(const struct orders *in, struct orders *out, struct arena *mem)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	int rc;

	orders_pack(&b, in);
	rc = orders_unpack(strbuf_slice(&b), mem, out, &e);
	strbuf_fini(&b);
	return rc;
}

static void
orders_arrive_as_they_were_given(void **state)
{
	struct orders in = some_orders(), out;
	struct arena *mem = arena_new();

	(void)state;
	assert_int_equal(unpacks(&in, &out, mem), 0);
	assert_int_equal(out.kind, in.kind);
	assert_int_equal(out.index, in.index);
	assert_int_equal(out.nworkers, in.nworkers);
	assert_int_equal(out.master_pid, in.master_pid);
	assert_int_equal(out.started_us, in.started_us);
	assert_string_equal(out.config, in.config);
	assert_memory_equal(out.common, in.common, sizeof(in.common));
	assert_int_equal(out.uid, in.uid);
	assert_int_equal(out.gid, in.gid);
	assert_true(out.group_reads);
	assert_true(slice_is(out.bundle, "four"));
	arena_free(mem);
}

static void
orders_cut_short_or_too_long_are_refused(void **state)
{
	struct orders in = some_orders(), out;
	struct arena *mem = arena_new();
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	orders_pack(&b, &in);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(orders_unpack(slice_from(b.p, n), mem, &out, &e), -1);
	strbuf_adds(&b, "x");
	assert_int_equal(orders_unpack(strbuf_slice(&b), mem, &out, &e), -1);
	strbuf_fini(&b);
	arena_free(mem);
}

static void
orders_that_make_no_sense_are_refused(void **state)
{
	struct arena *mem = arena_new();
	struct orders in = some_orders(), out;

	(void)state;
	in.index = 2;			/* of two: 0 and 1 */
	assert_int_equal(unpacks(&in, &out, mem), -1);
	in = some_orders();
	in.nworkers = 0;
	assert_int_equal(unpacks(&in, &out, mem), -1);
	in = some_orders();
	in.nworkers = PROCESS_WORKERS_MAX + 1;
	assert_int_equal(unpacks(&in, &out, mem), -1);
	in = some_orders();
	in.master_pid = 0;
	assert_int_equal(unpacks(&in, &out, mem), -1);
	in = some_orders();
	in.config = NULL;
	assert_int_equal(unpacks(&in, &out, mem), -1);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_arrive_as_they_were_given),
		cmocka_unit_test(orders_cut_short_or_too_long_are_refused),
		cmocka_unit_test(orders_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
