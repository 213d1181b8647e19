/* If this failed: ids of translated objects would change from run to run, keys would be read wrong,
 * and bytes that are no text would travel on as if they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void
utf8_is_judged_by_the_byte(void **state)
{
	static const struct {
		struct slice	s;
		size_t		bad_at;
	} rows[] = {
		{ SLICE_LIT(""), 0 },
		{ SLICE_LIT("plain ASCII of some length, with \0 inside"), 41 },
		{ SLICE_LIT("\x7f"), 1 },
		{ SLICE_LIT("\xc2\x80"), 2 },
		{ SLICE_LIT("\xdf\xbf"), 2 },
		{ SLICE_LIT("\xe0\xa0\x80"), 3 },
		{ SLICE_LIT("\xed\x9f\xbf"), 3 },
		{ SLICE_LIT("\xee\x80\x80"), 3 },
		{ SLICE_LIT("\xef\xbf\xbf"), 3 },
		{ SLICE_LIT("\xf0\x90\x80\x80"), 4 },
		{ SLICE_LIT("\xf4\x8f\xbf\xbf"), 4 },
		{ SLICE_LIT("12345678\xc3\xbc" "12345678"), 18 },
		{ SLICE_LIT("\x80"), 0 },			/* continuation first */
		{ SLICE_LIT("ab\xbf"), 2 },
		{ SLICE_LIT("\xc0\xaf"), 0 },			/* overlong '/' */
		{ SLICE_LIT("\xc1\xbf"), 0 },
		{ SLICE_LIT("\xe0\x9f\xbf"), 0 },		/* overlong */
		{ SLICE_LIT("\xf0\x8f\xbf\xbf"), 0 },		/* overlong */
		{ SLICE_LIT("x\xed\xa0\x80"), 1 },		/* surrogates */
		{ SLICE_LIT("x\xed\xbf\xbf"), 1 },
		{ SLICE_LIT("\xf4\x90\x80\x80"), 0 },		/* past U+10FFFF */
		{ SLICE_LIT("\xf5\x80\x80\x80"), 0 },
		{ SLICE_LIT("\xff"), 0 },
		{ SLICE_LIT("12345678\xc3"), 8 },		/* cut short */
		{ SLICE_LIT("\xe2\x82"), 0 },
		{ SLICE_LIT("\xf0\x9f\x98"), 0 },
		{ SLICE_LIT("\xe2\x82""A"), 0 },
		{ SLICE_LIT("\xf0\x9f\x98\xc3"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (utf8_bad_at(rows[i].s) != rows[i].bad_at)
			fail_msg("row %zu: bad at %zu, expected %zu", i, utf8_bad_at(rows[i].s),
			    rows[i].bad_at);
}

static void
every_code_point_comes_back(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct slice s;

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++)
		if (cp < 0xd800 || cp > 0xdfff)
			utf8_add(&b, cp);
	s = strbuf_slice(&b);
	assert_int_equal(s.n, 0x80 + 2 * 0x780 + 3 * (0xf800 - 0x800) + 4 * 0x100000);
	assert_int_equal(utf8_bad_at(s), s.n);
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++)
		if ((cp < 0xd800 || cp > 0xdfff) && utf8_next(&s) != cp)
			fail_msg("U+%04X came back as another", (unsigned)cp);
	assert_int_equal(s.n, 0);
	strbuf_fini(&b);
}

static void
hex_reads_what_it_wrote(void **state)
{
	static const struct {
		const char	*text;
		size_t		 n;
		bool		 ok;
	} rows[] = {
		{ "", 0, true }, { "00ff", 2, true }, { "AbCd", 2, true }, { "abc", 1, false },
		{ "abcd", 1, false }, { "ab", 2, false }, { "0g", 1, false }, { "0 ", 1, false },
		{ "0x", 1, false }, { "-1", 1, false },
	};
	struct strbuf b = STRBUF_INIT;
	unsigned char all[256], back[256] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	strbuf_adds(&b, "x");
	hex_add(&b, all, sizeof(all));
	assert_int_equal(b.n, 513);
	assert_string_equal(b.p + 503, "fbfcfdfeff");
	assert_true(hex_decode(slice_from(b.p + 1, 512), back, sizeof(back)));
	assert_memory_equal(all, back, sizeof(all));
	for (size_t i = 0; i < COUNT(rows); i++)
		if (hex_decode(slice_of(rows[i].text), back, rows[i].n) != rows[i].ok)
			fail_msg("%s for %zu bytes", rows[i].text, rows[i].n);
	strbuf_fini(&b);
}

static void
base64_has_one_spelling(void **state)
{
	static const struct {
		const char	*plain, *std, *url;
	} rows[] = {		/* RFC 4648, section 10, and the two last letters */
		{ "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" }, { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff", "+/8=", "-_8" },
	};
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		strbuf_reset(&b);
		base64_add(&b, rows[i].plain, strlen(rows[i].plain));
		assert_string_equal(b.p, rows[i].std);
		strbuf_reset(&b);
		base64url_add(&b, rows[i].plain, strlen(rows[i].plain));
		assert_string_equal(b.p, rows[i].url);
		strbuf_reset(&b);
		assert_true(base64_decode(slice_of(rows[i].std), false, &b));
		assert_string_equal(b.p, rows[i].plain);
		strbuf_reset(&b);
		assert_true(base64url_decode(slice_of(rows[i].url), &b));
		assert_string_equal(b.p, rows[i].plain);
	}
	strbuf_fini(&b);
}

static void
base64_refuses_the_rest(void **state)
{
	static const struct {
		const char	*text;
		bool		 strict, blanks, url;
	} rows[] = {
		{ "Zm9v\r\n YmFy", false, true, false },
		{ " Zg = =\n", false, true, false },
		{ "Zg=", false, false, false }, { "Zg", false, false, true },
		{ "Zg===", false, false, false }, { "Z", false, false, false },
		{ "Zm9vYmFy====", false, false, false }, { "=", false, false, false },
		{ "Zh==", false, false, false },		/* bits that encode nothing */
		{ "Zh", false, false, false },
		{ "Zm9=", false, false, false }, { "Zm9", false, false, false },
		{ "Zg==Zg==", false, false, false }, { "Zg==x", false, false, false },
		{ "Zg==", true, true, false },
		{ "Zm9v!", false, false, false }, { "-_8=", false, false, false },
		{ "+/8", false, false, false }, { "Zm\xc3\xbc", false, false, false },
	};
	struct strbuf b = STRBUF_INIT;

	(void)state;
	strbuf_adds(&b, "kept");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice s = slice_of(rows[i].text);
		const bool got[3] = { base64_decode(s, false, &b), base64_decode(s, true, &b),
		    base64url_decode(s, &b) };
		size_t added = (size_t)(got[0] + got[1] + got[2]);

		if (got[0] != rows[i].strict || got[1] != rows[i].blanks || got[2] != rows[i].url)
			fail_msg("\"%s\": %d %d %d", rows[i].text, got[0], got[1], got[2]);
		if (added == 0)
			assert_string_equal(b.p, "kept");
		strbuf_setlen(&b, 4);
	}
	assert_false(base64_decode(slice_from("Zg==\0", 5), true, &b));
	strbuf_fini(&b);
}

static void
base64_of_all_lengths(void **state)
{
	struct strbuf text = STRBUF_INIT, back = STRBUF_INIT;
	unsigned char bytes[260];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 151 + 7);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		strbuf_reset(&text);
		strbuf_reset(&back);
		base64_add(&text, bytes, n);
		assert_int_equal(text.n, (n + 2) / 3 * 4);
		assert_true(base64_decode(strbuf_slice(&text), false, &back));
		assert_true(slice_eq(strbuf_slice(&back), slice_from(bytes, n)));
		strbuf_reset(&text);
		strbuf_reset(&back);
		base64url_add(&text, bytes, n);
		assert_true(base64url_decode(strbuf_slice(&text), &back));
		assert_true(slice_eq(strbuf_slice(&back), slice_from(bytes, n)));
	}
	strbuf_fini(&text);
	strbuf_fini(&back);
}

static void
uuids_are_told_from_lookalikes(void **state)
{
	static const struct {
		const char	*text;
		bool		 ok;
	} rows[] = {
		{ "6ac30e4f-ce54-4d96-a923-7e935b6302e3", true },
		{ "6AC30E4F-CE54-4D96-A923-7E935B6302E3", true },
		{ "6ac30e4f-ce54-1d96-8923-7e935b6302e3", true },
		{ "6ac30e4f-ce54-5d96-b923-7e935b6302e3", true },
		{ "6ac30e4f-ce54-6d96-a923-7e935b6302e3", false },	/* version 6 */
		{ "6ac30e4f-ce54-0d96-a923-7e935b6302e3", false },
		{ "6ac30e4f-ce54-4d96-7923-7e935b6302e3", false },	/* variant */
		{ "6ac30e4f-ce54-4d96-c923-7e935b6302e3", false },
		{ "6ac30e4fce544d96a9237e935b6302e3", false },
		{ "6ac30e4f-ce54-4d96-a923-7e935b6302e", false },
		{ "6ac30e4f-ce54-4d96-a923-7e935b6302e34", false },
		{ "6ac30e4f-ce54-4d96-a9237-e935b6302e3", false },
		{ "6ac30e4g-ce54-4d96-a923-7e935b6302e3", false },
		{ "{ac30e4f-ce54-4d96-a923-7e935b6302e}", false },
		{ "00000000-0000-0000-0000-000000000000", false }, { "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (uuid_is_valid(slice_of(rows[i].text)) != rows[i].ok)
			fail_msg("%s", rows[i].text);
}

static void
uuids_are_made(void **state)
{
	static const char dns[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
	char a[UUID_TEXT + 1], b[UUID_TEXT + 1];

	(void)state;
	uuid_v5(dns, SLICE_LIT("www.example.com"), a);		/* RFC 9562, appendix A.4 */
	assert_string_equal(a, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
	uuid_v5(uuid_ns_stix_sco, SLICE_LIT("{\"value\":\"198.51.100.3\"}"), a);
	assert_string_equal(a, "28bb3599-77cd-5a82-a950-b5bc3caf07c4");
	uuid_v5(uuid_ns_tocsin, SLICE_LIT("{\"value\":\"198.51.100.3\"}"), b);
	assert_string_not_equal(a, b);
	assert_true(uuid_is_valid(slice_of(b)));
	assert_true(uuid_is_valid(slice_of(uuid_ns_tocsin)));
	for (int i = 0; i < 64; i++) {
		uuid_v4(a);
		assert_true(uuid_is_valid(slice_of(a)));
		assert_int_equal(a[14], '4');
		assert_string_not_equal(a, b);
		strcpy(b, a);
	}
}

static void
percent_escapes_are_undone_once(void **state)
{
	static const struct {
		const char	*text, *plain;		/* NULL: refused */
	} rows[] = {
		{ "", "" }, { "a/b~c", "a/b~c" }, { "%41%7e%7E", "A~~" }, { "%2541", "%41" },
		{ "%c3%bc", "\xc3\xbc" }, { "+", "+" }, { "%", NULL }, { "%4", NULL },
		{ "%zz", NULL }, { "%4z", NULL }, { "%00", NULL }, { "%c3", NULL },
		{ "%c0%af", NULL }, { "%ed%a0%80", NULL }, { "\xff", NULL }, { "a%+1", NULL },
	};
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool ok;

		strbuf_reset(&b);
		strbuf_adds(&b, "=");
		ok = percent_decode(slice_of(rows[i].text), &b);
		if (ok != (rows[i].plain != NULL))
			fail_msg("%s: %d", rows[i].text, ok);
		assert_string_equal(b.p + 1, ok ? rows[i].plain : "");
	}
	assert_false(percent_decode(slice_from("a\0b", 3), &b));
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_judged_by_the_byte),
		cmocka_unit_test(every_code_point_comes_back),
		cmocka_unit_test(hex_reads_what_it_wrote),
		cmocka_unit_test(base64_has_one_spelling),
		cmocka_unit_test(base64_refuses_the_rest),
		cmocka_unit_test(base64_of_all_lengths),
		cmocka_unit_test(uuids_are_told_from_lookalikes),
		cmocka_unit_test(uuids_are_made),
		cmocka_unit_test(percent_escapes_are_undone_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
