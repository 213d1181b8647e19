/* If this fails, two people who write the same value differently are not understood as saying the same, or a
 * value that is none gets into a block list. tests/golden/values/KIND.tsv: INPUT TAB CANONICAL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

enum { TABLE_MAX = 1 << 20, ROWS_LEAST = 300 };

static const struct {
	const char	*name;
	enum value_kind	 kind;
} tables[] = {
	{ "text", VALUE_TEXT }, { "ipv4", VALUE_IPV4 }, { "ipv6", VALUE_IPV6 },
	{ "domain", VALUE_DOMAIN }, { "url", VALUE_URL }, { "email", VALUE_EMAIL },
	{ "hash", VALUE_HASH }, { "mac", VALUE_MAC }, { "asn", VALUE_ASN },
	{ "regkey", VALUE_REGKEY }, { "protocol", VALUE_PROTOCOL }, { "port", VALUE_PORT },
	{ "word", VALUE_WORD }
};

/* \t \n \r \\ \xHH */
static struct slice
unescape(struct slice s, struct arena *mem)
{
	static const char signs[] = "tnr\\", bytes[] = "\t\n\r\\";
	char *p = arena_raw(mem, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *at;

		if (s.p[i] != '\\') {
			p[n++] = s.p[i];
		} else if (i + 3 < s.n && s.p[i + 1] == 'x') {
			p[n++] = (char)(ascii_hex(s.p[i + 2]) << 4 | ascii_hex(s.p[i + 3]));
			i += 3;
		} else {
			assert_true(i + 1 < s.n);
			assert_non_null(at = strchr(signs, s.p[++i]));
			p[n++] = bytes[at - signs];
		}
	}
	return slice_from(p, n);
}

static void
check_row(const char *table, size_t number, enum value_kind kind, struct slice line,
    struct arena *mem)
{
	struct slice want = line, in = unescape(slice_cut(&want, '\t'), mem), out, again;
	bool refused = slice_is(want, "-");
	bool ok = value_normalise(kind, in, mem, &out);

	want = slice_is(want, "=") ? in : unescape(want, mem);
	if (ok == refused)
		fail_msg("%s.tsv:%zu: %s", table, number, ok ? "taken" : "refused");
	if (!ok)
		return;
	if (!slice_eq(out, want))
		fail_msg("%s.tsv:%zu: gave \"%.*s\"", table, number, SLICE_ARG(out));
	if (!value_normalise(kind, out, mem, &again) || !slice_eq(again, out))
		fail_msg("%s.tsv:%zu: \"%.*s\" is not its own form", table, number, SLICE_ARG(out));
}

/* A row's number in its file is its place in the complaint. */
static void
test_tables(void **state)
{
	size_t rows = 0;

	(void)state;
	for (size_t i = 0; i < COUNTOF(tables); i++) {
		struct arena *mem = arena_new();
		struct strbuf text = STRBUF_INIT;
		struct slice rest;

		assert_int_equal(file_read(arena_fmt(mem, "tests/golden/values/%s.tsv",
		    tables[i].name), TABLE_MAX, &text, NULL), 0);
		rest = strbuf_slice(&text);
		for (size_t number = 1; rest.n > 0; number++) {
			struct slice line = slice_cut(&rest, '\n');

			if (line.n == 0 || line.p[0] == '#')
				continue;
			check_row(tables[i].name, number, tables[i].kind, line, mem);
			rows++;
		}
		strbuf_fini(&text);
		arena_free(mem);
	}
	assert_true(rows >= ROWS_LEAST);
}

/* What people read turns into what DNS reads, and back. */
static void
test_unicode_and_back(void **state)
{
	static const char *const names[][2] = {
		{ "xn--bcher-kva.example", "b\xc3\xbc" "cher.example" },
		{ "xn--fa-hia.example", "fa\xc3\x9f.example" },
		{ "a.xn--e1afmkfd.example", "a.\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.example" },
		{ "plain.example", "" },
		{ "xn--.example", "" },			/* no A-label */
		{ "xn--a.example", "" },
		{ "xn--example-.example", "" },		/* holds nothing but ASCII */
		{ "xn--Bcher-kva.example", "" },	/* not canonical: not asked for */
	};
	struct arena *mem = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(names); i++) {
		struct slice wide = value_domain_unicode(slice_of(names[i][0]), mem), back;

		if (!slice_is(wide, names[i][1]))
			fail_msg("%s gave \"%.*s\"", names[i][0], SLICE_ARG(wide));
		if (wide.n > 0) {
			assert_true(value_domain(wide, mem, &back));
			assert_true(slice_is(back, names[i][0]));
		}
	}
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_unicode_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
