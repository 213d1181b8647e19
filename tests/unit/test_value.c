/* If this fails, an address written in two ways is two addresses, and a defanged one is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/value.h"
#include "gateway/base/arena.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct {
	enum value_kind	 kind;
	const char	*text;
	const char	*want;		/* NULL: no such value */
} values[] = {
	{ VALUE_TEXT, "  a b\r\n", "a b" }, { VALUE_TEXT, " \t", NULL },
	{ VALUE_IPV4, "192.0.2.1", "192.0.2.1" }, { VALUE_IPV4, "192[.]0(.)2{.}1", "192.0.2.1" },
	{ VALUE_IPV4, "192[dot]0(DOT)2{dot}1/32", "192.0.2.1" },
	{ VALUE_IPV4, "192.0.2.77/25", "192.0.2.0/25" }, { VALUE_IPV4, "9.9.9.9/0", "0.0.0.0/0" },
	{ VALUE_IPV4, "192.0.2.01", NULL }, { VALUE_IPV4, "192.0.2", NULL },
	{ VALUE_IPV4, "192.0.2.1.5", NULL }, { VALUE_IPV4, "192.0.2.256", NULL },
	{ VALUE_IPV4, "192.0.2.1/33", NULL }, { VALUE_IPV4, "192.0.2.1/", NULL },
	{ VALUE_IPV4, "192.0.2.1/08", NULL }, { VALUE_IPV4, "192.0.2.1:80", NULL },
	{ VALUE_IPV4, "", NULL }, { VALUE_IPV4, "...", NULL }, { VALUE_IPV4, "1.2.3.", NULL },

	/* RFC 5952, sections 4 and 5 */
	{ VALUE_IPV6, "2001:0db8::0001", "2001:db8::1" },
	{ VALUE_IPV6, "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
	{ VALUE_IPV6, "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ VALUE_IPV6, "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ VALUE_IPV6, "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ VALUE_IPV6, "2001:DB8:AAAA::1", "2001:db8:aaaa::1" }, { VALUE_IPV6, "::", "::" },
	{ VALUE_IPV6, "0:0:0:0:0:0:0:1", "::1" }, { VALUE_IPV6, "1::", "1::" },
	{ VALUE_IPV6, "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" }, { VALUE_IPV6, "::ffff:c000:201",
	    "::ffff:192.0.2.1" }, { VALUE_IPV6, "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	{ VALUE_IPV6, "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
	{ VALUE_IPV6, "2001[:]db8[:][:]1", "2001:db8::1" }, { VALUE_IPV6, "[2001:db8::1]",
	    "2001:db8::1" }, { VALUE_IPV6, "2001:db8::1/128", "2001:db8::1" },
	{ VALUE_IPV6, "2001:db8:ffff::1/36", "2001:db8:f000::/36" },
	{ VALUE_IPV6, "::1/0", "::/0" },
	{ VALUE_IPV6, "1:2:3:4:5:6:7:8:9", NULL }, { VALUE_IPV6, "1:2:3:4:5:6:7", NULL },
	{ VALUE_IPV6, "1::2::3", NULL }, { VALUE_IPV6, ":1", NULL }, { VALUE_IPV6, "1:", NULL },
	{ VALUE_IPV6, ":::", NULL }, { VALUE_IPV6, "12345::", NULL }, { VALUE_IPV6, "g::", NULL },
	{ VALUE_IPV6, "::1/129", NULL }, { VALUE_IPV6, "fe80::1%eth0", NULL },
	{ VALUE_IPV6, "1:2:3:4:5:6:7:8::", NULL }, { VALUE_IPV6, "1:2:3:4:5:6:7:192.0.2.1", NULL },
	{ VALUE_IPV6, "192.0.2.1", NULL }, { VALUE_IPV6, "", NULL },

	{ VALUE_DOMAIN, "Evil.EXAMPLE.", "evil.example" },
	{ VALUE_DOMAIN, "evil[.]example", "evil.example" },
	{ VALUE_DOMAIN, "b\xc3\xbc" "cher.Example", "xn--bcher-kva.example" },
	{ VALUE_DOMAIN, "_dmarc.example", "_dmarc.example" },
	{ VALUE_DOMAIN, "*.example", "*.example" }, { VALUE_DOMAIN, "localhost", "localhost" },
	{ VALUE_DOMAIN, "a[[.]]b", "a.b" }, { VALUE_DOMAIN, "a..b", NULL },
	{ VALUE_DOMAIN, ".a", NULL }, { VALUE_DOMAIN, "a b", NULL },
	{ VALUE_DOMAIN, "192.0.2.1", NULL },
	{ VALUE_DOMAIN, "a.b/c", NULL }, { VALUE_DOMAIN, "", NULL }, { VALUE_DOMAIN, ".", NULL },

	{ VALUE_URL, "HTTP://Evil.EXAMPLE:80/Path?Q=1#F", "http://evil.example/Path?Q=1#F" },
	{ VALUE_URL, "hxxp://evil.example/a", "http://evil.example/a" },
	{ VALUE_URL, "hXXps[:]//evil[.]example/a[.]php", "https://evil.example/a.php" },
	{ VALUE_URL, "hxxps[://]evil[.]example", "https://evil.example/" },
	{ VALUE_URL, "fxp://evil.example:21/", "ftp://evil.example/" },
	{ VALUE_URL, "https://a.example:8443/", "https://a.example:8443/" },
	{ VALUE_URL, "https://a.example:0443/", "https://a.example/" },
	{ VALUE_URL, "https://a.example:/x", "https://a.example/x" },
	{ VALUE_URL, "https://a.example/x[.]y", "https://a.example/x[.]y" },
	{ VALUE_URL, "http://U:P@a.example/", "http://U:P@a.example/" },
	{ VALUE_URL, "http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/" },
	{ VALUE_URL, "http://192.0.2.1/", "http://192.0.2.1/" },
	{ VALUE_URL, "http://a.example?x", "http://a.example/?x" },
	{ VALUE_URL, "evil.example/a", NULL }, { VALUE_URL, "http://", NULL },
	{ VALUE_URL, "http://a b/", NULL }, { VALUE_URL, "1http://a/", NULL },
	{ VALUE_URL, "http://a.example:99999/", NULL }, { VALUE_URL, "http://::1/", NULL },
	{ VALUE_URL, "mailto:a@b.example", NULL }, { VALUE_URL, "", NULL },

	{ VALUE_EMAIL, "John.Doe@Example.COM", "John.Doe@example.com" },
	{ VALUE_EMAIL, "a[at]evil[dot]example", "a@evil.example" },
	{ VALUE_EMAIL, "a[@]evil[.]example.", "a@evil.example" },
	{ VALUE_EMAIL, "@evil.example", NULL }, { VALUE_EMAIL, "a", NULL },
	{ VALUE_EMAIL, "A <a@b.example>", NULL }, { VALUE_EMAIL, "a@", NULL },

	{ VALUE_HASH, "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e" },
	{ VALUE_HASH, "d41d8cd98f00b204e9800998ecf8427", NULL },
	{ VALUE_HASH, "g41d8cd98f00b204e9800998ecf8427e", NULL },

	{ VALUE_MAC, "D2-FB-49-24-37-18", "d2:fb:49:24:37:18" },
	{ VALUE_MAC, "d2fb.4924.3718", "d2:fb:49:24:37:18" },
	{ VALUE_MAC, "d2fb49243718", "d2:fb:49:24:37:18" },
	{ VALUE_MAC, "d2[:]fb:49:24:37:18", "d2:fb:49:24:37:18" },
	{ VALUE_MAC, "d2:fb-49:24:37:18", NULL }, { VALUE_MAC, "d2:fb:49:24:37", NULL },
	{ VALUE_MAC, "d2fb:49:24:37:18", NULL }, { VALUE_MAC, "d2:fb:49:24:37:18:", NULL },

	{ VALUE_ASN, "AS64496", "64496" }, { VALUE_ASN, "asn 64496", "64496" },
	{ VALUE_ASN, "1.10", "65546" }, { VALUE_ASN, "4294967295", "4294967295" },
	{ VALUE_ASN, "4294967296", NULL }, { VALUE_ASN, "AS", NULL }, { VALUE_ASN, "-1", NULL },

	{ VALUE_REGKEY, "hklm\\Software\\X\\", "HKEY_LOCAL_MACHINE\\Software\\X" },
	{ VALUE_REGKEY, "HKCU\\\\Software", "HKEY_CURRENT_USER\\Software" },
	{ VALUE_REGKEY, "hkey_users\\x", "HKEY_USERS\\x" },
	{ VALUE_REGKEY, "System\\X", "System\\X" },
	{ VALUE_REGKEY, "HKLM\\x \\ ", "HKEY_LOCAL_MACHINE\\x" }, { VALUE_REGKEY, "\\", NULL },

	{ VALUE_PROTOCOL, "TCP", "tcp" }, { VALUE_PROTOCOL, "t cp", NULL },
};

static void
test_values(void **state)
{
	struct arena *mem = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct slice out = SLICE_LIT("untouched"), again;
		bool ok = value_normalise(values[i].kind, slice_of(values[i].text), mem, &out);

		if (ok != (values[i].want != NULL) ||
		    !slice_is(out, ok ? values[i].want : "untouched"))
			fail_msg("kind %d: \"%s\" gave \"%.*s\"", values[i].kind, values[i].text,
			    SLICE_ARG(out));
		if (ok && (!value_normalise(values[i].kind, out, mem, &again) ||
		    !slice_eq(out, again)))
			fail_msg("kind %d: \"%s\" is not its own form", values[i].kind,
			    values[i].want);
	}
	arena_free(mem);
}

static const struct {
	const char	*name;
	const char	*text;
	const char	*want_name;
	const char	*want;
} hashes[] = {
	{ "md5", "D41D8CD98F00B204E9800998ECF8427E", "MD5", "d41d8cd98f00b204e9800998ecf8427e" },
	{ "sha1", "d41d8cd98f00b204e9800998ecf8427e", "SHA-1", NULL },
	{ "SHA_256", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "SHA-256",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "sha3-256", "f00", "SHA3-256", NULL },
	{ "ssdeep", "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C", "SSDEEP",
	    "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C" },
	{ "ssdeep", "x:y", "SSDEEP", NULL },
	{ "TLSH", "t1a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3e4",
	    "TLSH", "T1A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3E4" },
	{ "tlsh", "t1a0b1c2", "TLSH", NULL },
	{ "x-own", "AnyThing", NULL, "AnyThing" },
	{ "averylongnameofanalgorithm", "x", NULL, "x" },
};

static void
test_hashes(void **state)
{
	struct arena *mem = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(hashes); i++) {
		const char *name = value_hash_name(slice_of(hashes[i].name));
		struct slice out = SLICE_EMPTY;
		bool ok = value_hash(slice_of(hashes[i].name), slice_of(hashes[i].text), mem, &out);

		if (hashes[i].want_name == NULL)
			assert_null(name);
		else
			assert_string_equal(name, hashes[i].want_name);
		assert_int_equal(ok, hashes[i].want != NULL);
		assert_true(slice_eq(out, slice_of(hashes[i].want)));
	}
	arena_free(mem);
}

static void
test_refang(void **state)
{
	static const char *const pairs[][2] = {
		{ "plain text", "plain text" }, { "", "" }, { "a[.]b(.)c{.}d", "a.b.c.d" },
		{ "[[[.]]]", "." }, { "a[.)b", "a[.)b" }, { "[dot", "[dot" }, { "a[DOT]b", "a.b" },
		{ "hxxp://x", "http://x" }, { "hXXpS://x", "https://x" }, { "hxxp", "hxxp" },
		{ "see hxxp://x", "see hxxp://x" }, { "x[at]y", "x@y" },
		{ "h**p[:]//x", "http://x" },
		{ "[:]", ":" }, { "a[//]b", "a//b" }, { "()", "()" },
	};
	struct arena *mem = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct slice out = value_refang(slice_of(pairs[i][0]), mem);

		if (!slice_is(out, pairs[i][1]))
			fail_msg("\"%s\" gave \"%.*s\"", pairs[i][0], SLICE_ARG(out));
	}
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_refang),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
