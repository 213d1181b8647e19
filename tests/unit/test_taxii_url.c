/* If this fails, an address that an administrator copied from a portal is not understood, or our login
 * is sent to a host that only a server's answer named. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "adapters/taxii_url.h"

static void
what_people_paste(void **state)
{
	static const struct {
		const char *text, *root, *discovery, *collection;
		bool is_20;
	} rows[] = {
		{ "https://h.example", "", "", "", false },
		{ "https://h.example/", "", "", "", false },
		{ "https://h.example/taxii2/", "", "/taxii2/", "", false },
		{ "https://h.example/taxii2", "", "/taxii2/", "", false },
		{ "https://h.example/taxii/", "", "/taxii/", "", true },
		{ "https://h.example/x/taxii/discovery", "", "/x/taxii/discovery/", "", false },
		{ "https://h.example/api/", "/api/", "", "", false },
		{ "https://h.example:8443/a/b", "/a/b/", "", "", false },
		{ "https://h.example/api/collections/", "/api/", "", "", false },
		{ "https://h.example/api/collections", "/api/", "", "", false },
		{ "https://h.example/a/b/collections/c1/", "/a/b/", "", "c1", false },
		{ "https://h.example/api/collections/c1/objects/", "/api/", "", "c1", false },
		{ "https://h.example/api/collections/c1/objects/indicator--x/", "/api/", "", "c1", false },
		{ "https://h.example/collections/c1/", "/", "", "c1", false },
		{ "https://[2001:db8::1]:8443/taxii2/", "", "/taxii2/", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct taxii_url u;
		struct err e = ERR_INIT;

		if (taxii_url_parse(rows[i].text, &u, &e) < 0)
			fail_msg("%s: %s", rows[i].text, e.reason);
		assert_string_equal(u.root, rows[i].root);
		assert_string_equal(u.discovery, rows[i].discovery);
		assert_string_equal(u.collection, rows[i].collection);
		assert_int_equal(u.is_20, rows[i].is_20);
	}
}

static void
what_is_no_address(void **state)
{
	static const char *const rows[] = {
		"", "http://h.example/", "https:///api/", "https://u:p@h.example/api/",
		"https://h.example/api/?x=1", "https://h.example:0/api/", "https://h.example:99999/",
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct taxii_url u;
		struct err e = ERR_INIT;

		assert_int_equal(taxii_url_parse(rows[i], &u, &e), -1);
		assert_int_equal(e.code, ERR_VALUE);
		assert_true(e.reason[0] != '\0');
	}
	snprintf(text, sizeof(text), "https://h.example/api/collections/%0300d/", 1);
	assert_int_equal(taxii_url_parse(text, &(struct taxii_url){ .root = "" }, NULL), -1);
}

static void
roots_stay_on_their_server(void **state)
{
	static const struct {
		const char *listed, *path;
	} rows[] = {
		{ "/api/", "/api/" }, { "/api", "/api/" }, { "https://h.example:8443/api/", "/api/" },
		{ "https://H.EXAMPLE:8443/api1/", "/api1/" },
		{ "https://h.example/api/", NULL },		/* another port */
		{ "https://other.example:8443/api/", NULL }, { "//other.example/api/", NULL },
		{ "http://h.example:8443/api/", NULL }, { "api/", NULL }, { "", NULL },
		{ "/a/../b/", NULL }, { "/a b/", NULL }, { "/a?x=1", NULL }, { "/a\r\nX: y/", NULL },
		{ "https://h.example:8443@other.example/api/", NULL },
	};
	struct taxii_url u;
	char out[48];

	(void)state;
	assert_int_equal(taxii_url_parse("https://h.example:8443/taxii2/", &u, NULL), 0);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		bool is = taxii_url_root(&u, slice_of(rows[i].listed), out, sizeof(out));

		if (is != (rows[i].path != NULL))
			fail_msg("%s: %d", rows[i].listed, is);
		if (is)
			assert_string_equal(out, rows[i].path);
	}
	assert_false(taxii_url_root(&u, SLICE_LIT("/a-path-that-is-much-too-long-for-the-room/and/so/on/and/"
	    "so/on/"), out, sizeof(out)));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_paste),
		cmocka_unit_test(what_is_no_address),
		cmocka_unit_test(roots_stay_on_their_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
