/* If this fails, a block list takes away somebody's own network, their resolver at 127.0.0.1, or every empty
 * file; or a warning hides a real enemy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "formats/value.h"
#include "formats/warnlist.h"
#include "gateway/base/arena.h"
#include "gateway/base/lines.h"

static const struct {
	enum flat_type	 type;
	const char	*value, *reason;	/* its beginning; NULL: none */
} built_in[] = {
	{ FLAT_IPV4, "10.1.2.3", "private" }, { FLAT_IPV4, "172.16.0.1", "private" },
	{ FLAT_IPV4, "172.31.255.255", "private" }, { FLAT_IPV4, "172.32.0.0", NULL },
	{ FLAT_IPV4, "172.15.255.255", NULL }, { FLAT_IPV4, "192.168.1.1", "private" },
	{ FLAT_IPV4, "192.169.0.0", NULL }, { FLAT_IPV4, "9.255.255.255", NULL },
	{ FLAT_IPV4, "11.0.0.0", NULL }, { FLAT_IPV4, "100.64.0.1", "shared" },
	{ FLAT_IPV4, "100.128.0.0", NULL }, { FLAT_IPV4, "127.0.0.53", "loopback" },
	{ FLAT_IPV4, "169.254.169.254", "link-local" }, { FLAT_IPV4, "192.0.2.255", "documentation" },
	{ FLAT_IPV4, "198.51.100.1", "documentation" }, { FLAT_IPV4, "203.0.113.0", "documentation" },
	{ FLAT_IPV4, "203.0.114.0", NULL }, { FLAT_IPV4, "198.19.255.255", "benchmarks" },
	{ FLAT_IPV4, "224.0.0.1", "multicast" }, { FLAT_IPV4, "239.255.255.255", "multicast" },
	{ FLAT_IPV4, "255.255.255.255", "reserved" }, { FLAT_IPV4, "0.0.0.0", "this host" },
	{ FLAT_IPV4, "1.1.1.1", NULL }, { FLAT_IPV4, "8.8.8.8", NULL },
	{ FLAT_IPV4, "185.0.0.1", NULL },
	{ FLAT_IPV4_NET, "10.0.0.0/24", "private" }, { FLAT_IPV4_NET, "192.168.0.0/15", "private" },
	{ FLAT_IPV4_NET, "9.0.0.0/8", NULL }, { FLAT_IPV4_NET, "8.0.0.0/7", "a network as wide" },
	{ FLAT_IPV4_NET, "0.0.0.0/0", "a network as wide" },
	{ FLAT_IPV4_NET, "203.0.112.0/23", "documentation" }, { FLAT_IPV4_NET, "185.0.0.0/16", NULL },
	{ FLAT_IPV6, "::1", "loopback" }, { FLAT_IPV6, "::", "the unspecified" },
	{ FLAT_IPV6, "fe80::1", "link-local" }, { FLAT_IPV6, "fd00::1", "unique local" },
	{ FLAT_IPV6, "fc00::", "unique local" }, { FLAT_IPV6, "fe00::", NULL },
	{ FLAT_IPV6, "ff02::1", "multicast" }, { FLAT_IPV6, "2001:db8:ffff::1", "documentation" },
	{ FLAT_IPV6, "2001:db9::", NULL }, { FLAT_IPV6, "3fff::1", "documentation" },
	{ FLAT_IPV6, "::ffff:10.0.0.1", "private" }, { FLAT_IPV6, "::ffff:185.0.0.1", NULL },
	{ FLAT_IPV6, "2a00:1450::1", NULL }, { FLAT_IPV6_NET, "2001::/16", "a network as wide" },
	{ FLAT_IPV6_NET, "2001:d00::/24", "documentation" }, { FLAT_IPV6_NET, "2a00::/20", NULL },
	{ FLAT_DOMAIN, "example.com", "documentation" }, { FLAT_DOMAIN, "a.b.example.com", "documentation" },
	{ FLAT_DOMAIN, "notexample.com", NULL }, { FLAT_DOMAIN, "example.com.evil.ru", NULL },
	{ FLAT_DOMAIN, "com", "a name that stands above" }, { FLAT_DOMAIN, "evil.com", NULL },
	{ FLAT_DOMAIN, "ru", "a name as wide" }, { FLAT_DOMAIN, "*.ru", "a name as wide" },
	{ FLAT_URL, "http://ru/", NULL }, { FLAT_DOMAIN, "*.com", "a name that stands above" },
	{ FLAT_DOMAIN, "*.evil.com", NULL }, { FLAT_DOMAIN, "arpa", "a name that stands above" },
	{ FLAT_DOMAIN, "e164.arpa", NULL }, { FLAT_IPV6, "64:ff9b::a00:1", "private" },
	{ FLAT_IPV6, "64:ff9b::b900:1", NULL }, { FLAT_DOMAIN, "evil.test", "tests" },
	{ FLAT_DOMAIN, "localhost", "this host" }, { FLAT_DOMAIN, "printer.local", "names of the local" },
	{ FLAT_DOMAIN, "1.0.0.127.in-addr.arpa", "reverse" }, { FLAT_DOMAIN, "x.invalid", "never" },
	{ FLAT_URL, "http://www.example.com/x", "documentation" },
	{ FLAT_URL, "http://u:p@www.example.com:81/x", "documentation" },
	{ FLAT_URL, "http://evil.ru/?u=example.com", NULL },
	{ FLAT_URL, "http://example.com@evil.ru/", NULL }, { FLAT_URL, "http://10.0.0.1:8080/", "private" },
	{ FLAT_URL, "http://[::1]:80/", "loopback" }, { FLAT_URL, "http://[2a00:1450::1]/", NULL },
	{ FLAT_URL, "tcp://192.168.0.1:4444", "private" },
	{ FLAT_EMAIL, "a@example.org", "documentation" }, { FLAT_EMAIL, "a@evil.ru", NULL },
	{ FLAT_EMAIL, "\"a@evil.ru\"@example.org", "documentation" },
	{ FLAT_MD5, "d41d8cd98f00b204e9800998ecf8427e", "MD5 of an empty" },
	{ FLAT_SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", "SHA-1 of an empty" },
	{ FLAT_SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "SHA-256 of an empty" },
	{ FLAT_MD5, "d41d8cd98f00b204e9800998ecf8427f", NULL },
	{ FLAT_FILENAME, "example.com", NULL }, { FLAT_MUTEX, "10.0.0.1", NULL }
};

static void
check(const struct warnlist *w, enum flat_type type, const char *value, const char *reason)
{
	const char *said = warnlist_hit(w, type, slice_of(value));

	if ((said == NULL) != (reason == NULL) ||
	    (said != NULL && strncmp(said, reason, strlen(reason)) != 0))
		fail_msg("%s: %s, wanted %s", value, said == NULL ? "no hit" : said,
		    reason == NULL ? "no hit" : reason);
}

static void
test_built_in(void **state)
{
	struct warnlist *w = warnlist_new();

	(void)state;
	warnlist_seal(w);
	for (size_t i = 0; i < COUNTOF(built_in); i++)
		check(w, built_in[i].type, built_in[i].value, built_in[i].reason);
	warnlist_free(w);
}

static void
test_own(void **state)
{
	struct warnlist *w = warnlist_new();
	size_t rows = warnlist_count(w);

	(void)state;
	assert_true(warnlist_add(w, SLICE_LIT("185.10.0.0/16"), "own network"));
	assert_true(warnlist_add(w, SLICE_LIT("185.10.7[.]1"), "own server"));
	assert_true(warnlist_add(w, SLICE_LIT("2a00:1234::/32"), "own network"));
	assert_true(warnlist_add(w, SLICE_LIT("M\xc3\xbcll.ru."), "own domain"));
	assert_false(warnlist_add(w, SLICE_LIT("not a value"), "x"));
	assert_false(warnlist_add(w, SLICE_LIT(""), "x"));
	assert_int_equal(warnlist_add_lines(w, SLICE_LIT("# ours\n\n 185.20.0.1 # the gate\r\n"
	    "cert.gov.xx\nD41D8CD98F00B204E9800998ECF8427F\n"), "file"), 0);
	assert_int_equal(warnlist_add_lines(w, SLICE_LIT("a.ru\nb c\n"), "file"), 2);
	assert_int_equal(warnlist_count(w), rows + 8);
	warnlist_seal(w);
	check(w, FLAT_IPV4, "185.10.255.1", "own network");
	check(w, FLAT_IPV4_NET, "185.10.7.0/24", "own network");
	check(w, FLAT_IPV4_NET, "185.8.0.0/14", "own network");
	check(w, FLAT_IPV4, "185.11.0.0", NULL);
	check(w, FLAT_IPV6, "2a00:1234::1", "own network");
	check(w, FLAT_DOMAIN, "www.xn--mll-hoa.ru", "own domain");
	check(w, FLAT_IPV4, "185.20.0.1", "file");
	check(w, FLAT_URL, "https://www.cert.gov.xx/", "file");
	check(w, FLAT_MD5, "d41d8cd98f00b204e9800998ecf8427f", "file");
	check(w, FLAT_DOMAIN, "gov.xx", "a name that stands above");	/* it would take ours with it */
	check(w, FLAT_DOMAIN, "mil.gov.xx", NULL);
	check(w, FLAT_URL, "https://gov.xx/evil", NULL);		/* this takes nobody else */
	check(w, FLAT_EMAIL, "evil@gov.xx", NULL);
	warnlist_free(w);
}

/* Sorted ranges say what looking at each row says. */
static void
test_search_is_complete(void **state)
{
	struct warnlist *w = warnlist_new();
	uint32_t seed = 99, net[200][2];
	size_t hits = 0;

	(void)state;
	for (size_t i = 0; i < COUNTOF(net); i++) {
		char text[32];
		unsigned bits = 8 + seed % 25;

		seed = seed * 1103515245 + 12345;
		net[i][1] = bits == 32 ? UINT32_MAX : ~(UINT32_MAX >> bits);
		net[i][0] = (11u << 24 | (seed >> 8)) & net[i][1];
		snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", net[i][0] >> 24,
		    net[i][0] >> 16 & 255, net[i][0] >> 8 & 255, net[i][0] & 255, bits < 12 ? 32 : bits);
		if (bits < 12)
			net[i][1] = UINT32_MAX;
		assert_true(warnlist_add(w, slice_of(text), "row"));
	}
	warnlist_seal(w);
	for (int round = 0; round < 20000; round++) {
		char text[32];
		uint32_t addr;
		bool want = false;

		seed = seed * 1103515245 + 12345;
		addr = 11u << 24 | seed >> 8;
		for (size_t i = 0; i < COUNTOF(net); i++)
			want = want || (addr & net[i][1]) == net[i][0];
		snprintf(text, sizeof(text), "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
		    addr >> 8 & 255, addr & 255);
		check(w, FLAT_IPV4, text, want ? "row" : NULL);
		hits += want;
	}
	assert_true(hits > 100 && hits < 19900);
	warnlist_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_search_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
