/* If this fails, a server that compresses is not understood, half an answer is taken for a whole one, or a
 * few bytes on the wire fill our memory. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <zlib.h>

#include "adapters/http_gunzip.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* gzip of `n` times `text`. */
static void
pack(struct strbuf *out, const char *text, size_t n)
{
	z_stream z = { .zalloc = NULL };
	unsigned char piece[4096];

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (size_t i = 0; i <= n; i++) {
		z.next_in = (unsigned char *)(uintptr_t)text;
		z.avail_in = i < n ? (unsigned)strlen(text) : 0;
		do {
			z.next_out = piece;
			z.avail_out = sizeof(piece);
			deflate(&z, i < n ? Z_NO_FLUSH : Z_FINISH);
			strbuf_add(out, piece, sizeof(piece) - z.avail_out);
		} while (z.avail_out == 0);
	}
	deflateEnd(&z);
}

/* Feed it in pieces; 0 if all went well. */
static int
unpack(struct slice in, size_t piece, size_t max, struct strbuf *out, struct err *e)
{
	struct http_gunzip *z = http_gunzip_new(max);
	int rc = 0;

	for (size_t at = 0; at < in.n && rc == 0; at += piece)
		rc = http_gunzip_add(z, slice_from(in.p + at, in.n - at < piece ? in.n - at : piece), out, e);
	if (rc == 0)
		rc = http_gunzip_end(z, e);
	http_gunzip_free(z);
	return rc;
}

static void
what_was_packed_comes_out(void **state)
{
	static const size_t pieces[] = { 1, 7, 4096, 1 << 20 };
	struct strbuf packed = STRBUF_INIT, want = STRBUF_INIT;

	(void)state;
	pack(&packed, "{\"objects\":[1,2,3]}", 20000);
	for (int i = 0; i < 20000; i++)
		strbuf_adds(&want, "{\"objects\":[1,2,3]}");
	for (size_t i = 0; i < COUNTOF(pieces); i++) {
		struct strbuf out = STRBUF_INIT;
		struct err e = ERR_INIT;

		if (unpack(strbuf_slice(&packed), pieces[i], 1 << 20, &out, &e) < 0)
			fail_msg("pieces of %zu: %s", pieces[i], e.reason);
		assert_true(slice_eq(strbuf_slice(&out), strbuf_slice(&want)));
		strbuf_fini(&out);
	}
	strbuf_fini(&packed);
	strbuf_fini(&want);
}

static void
one_piece_of_output_exactly(void **state)
{
	(void)state;
	for (size_t n = 65534; n <= 65538; n++) {
		struct strbuf packed = STRBUF_INIT, out = STRBUF_INIT;
		struct err e = ERR_INIT;

		pack(&packed, "x", n);
		assert_int_equal(unpack(strbuf_slice(&packed), 1 << 20, 1 << 20, &out, &e), 0);
		assert_int_equal(out.n, n);
		strbuf_fini(&packed);
		strbuf_fini(&out);
	}
}

static void
members_follow_each_other(void **state)
{
	struct strbuf packed = STRBUF_INIT, out = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	pack(&packed, "one ", 1);
	pack(&packed, "two", 1);
	assert_int_equal(unpack(strbuf_slice(&packed), 3, 100, &out, &e), 0);
	assert_string_equal(out.p, "one two");
	strbuf_fini(&packed);
	strbuf_fini(&out);
}

static void
what_is_broken_is_said(void **state)
{
	struct strbuf packed = STRBUF_INIT, out = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	pack(&packed, "some text that is long enough", 10);
	for (size_t n = 0; n < packed.n; n++) {
		e = (struct err)ERR_INIT;
		assert_int_equal(unpack(slice_from(packed.p, n), 5, 1000, &out, &e), -1);
		assert_non_null(strstr(e.reason, "cut short"));
	}
	assert_int_equal(unpack(SLICE_LIT("no gzip at all"), 5, 1000, &out, &e), -1);
	assert_non_null(strstr(e.reason, "broken"));
	strbuf_adds(&packed, "and more");
	assert_int_equal(unpack(strbuf_slice(&packed), 1000, 1000, &out, &e), -1);
	assert_non_null(strstr(e.reason, "broken"));
	strbuf_fini(&packed);
	strbuf_fini(&out);
}

static void
bombs_are_small(void **state)
{
	char *blanks = calloc(1, (1 << 20) + 1);
	struct strbuf packed = STRBUF_INIT, out = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	memset(blanks, ' ', 1 << 20);
	pack(&packed, blanks, 100);
	assert_int_equal(unpack(strbuf_slice(&packed), 4096, 1 << 30, &out, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_non_null(strstr(e.reason, "bomb"));
	assert_true(out.n < 4 << 20);
	strbuf_reset(&out);
	assert_int_equal(unpack(strbuf_slice(&packed), 4096, 100000, &out, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_true(out.n < 300000);
	strbuf_fini(&packed);
	strbuf_fini(&out);
	free(blanks);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out),
		cmocka_unit_test(one_piece_of_output_exactly),
		cmocka_unit_test(members_follow_each_other),
		cmocka_unit_test(what_is_broken_is_said),
		cmocka_unit_test(bombs_are_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
