/* If this fails, a server that is a little wrong is not understood, or one that is very wrong is believed. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "adapters/http1.h"
#include "adapters/proxy_connect.h"
#include "adapters/taxii_resources.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

static void
discovery(void **state)
{
	struct arena *mem = arena_new();
	struct taxii_discovery d;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(taxii_read_discovery(SLICE_LIT("{\"title\":\"T\\u0007\",\"default\":\"/b/\","
	    "\"api_roots\":[\"/a/\",\"/b/\",7]}"), mem, &d, &e), 0);
	assert_string_equal(d.title, "T ");
	assert_int_equal(d.nroots, 2);
	assert_true(slice_is(d.first, "/b/"));
	assert_int_equal(taxii_read_discovery(SLICE_LIT("{\"api_roots\":[\"/a/\"]}"), mem, &d, &e), 0);
	assert_true(slice_is(d.first, "/a/"));
	assert_int_equal(taxii_read_discovery(SLICE_LIT("{\"api_roots\":[\"/a/\",\"/b/\"]}"), mem, &d, &e), 0);
	assert_int_equal(d.first.n, 0);
	assert_int_equal(taxii_read_discovery(SLICE_LIT("{\"title\":\"T\"}"), mem, &d, &e), -1);
	assert_int_equal(taxii_read_discovery(SLICE_LIT("<html>"), mem, &d, &e), -1);
	assert_int_equal(taxii_read_discovery(SLICE_LIT("[]"), mem, &d, &e), -1);
	assert_int_equal(taxii_read_discovery(SLICE_EMPTY, mem, &d, &e), -1);
	arena_free(mem);
}

static void
roots(void **state)
{
	struct arena *mem = arena_new();
	struct taxii_root r;

	(void)state;
	assert_int_equal(taxii_read_root(SLICE_LIT("{\"title\":\"R\",\"versions\":[\"application/taxii+json;"
	    "version=2.1\"],\"max_content_length\":1000}"), mem, &r, NULL), 0);
	assert_true(r.has_21 && !r.has_20 && !r.is_discovery && r.max_content == 1000);
	assert_int_equal(taxii_read_root(SLICE_LIT("{\"versions\":[\"taxii-2.0\"],\"max_content_length\":-1}"),
	    mem, &r, NULL), 0);
	assert_true(!r.has_21 && r.has_20 && r.max_content == 0);
	assert_int_equal(taxii_read_root(SLICE_LIT("{\"api_roots\":[\"/a/\"]}"), mem, &r, NULL), 0);
	assert_true(r.is_discovery);
	assert_int_equal(taxii_read_root(SLICE_LIT("{\"max_content_length\":\"many\"}"), mem, &r, NULL), 0);
	assert_int_equal(r.max_content, 0);
	arena_free(mem);
}

static void
collections(void **state)
{
	static const char text[] = "{\"collections\":[{\"id\":\"A1\",\"title\":\"One\",\"alias\":\"one\","
	    "\"can_read\":true,\"can_write\":false},{\"id\":\"b2\",\"title\":\"Two\"},{\"title\":\"no id\"},"
	    "{\"id\":\"../x\"},{\"id\":\"c3\",\"title\":\"Two\",\"can_read\":false}]}";
	const struct taxii_collection *v;
	struct arena *mem = arena_new();
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	assert_int_equal(taxii_read_collections(SLICE_LIT(text), mem, &v, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_true(v[0].can_read && !v[0].can_write);
	assert_true(v[1].can_read && v[1].can_write);	/* not spoken of: tried */
	assert_false(v[2].can_read);
	assert_ptr_equal(taxii_choose(v, n, "a1", &e), &v[0]);
	assert_ptr_equal(taxii_choose(v, n, "one", &e), &v[0]);
	assert_ptr_equal(taxii_choose(v, n, "One", &e), &v[0]);
	assert_null(taxii_choose(v, n, "Two", &e));
	assert_non_null(strstr(e.reason, "2 collections are called"));
	assert_null(taxii_choose(v, n, "Three", &e));
	assert_non_null(strstr(e.reason, "One"));
	assert_null(taxii_choose(v, n, NULL, &e));
	assert_non_null(strstr(e.reason, "which"));
	assert_ptr_equal(taxii_choose(v, 1, NULL, &e), &v[0]);
	assert_null(taxii_choose(v, 0, NULL, &e));
	assert_int_equal(taxii_read_collections(SLICE_LIT("{}"), mem, &v, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(taxii_read_collections(SLICE_LIT("{\"id\":\"x\",\"title\":\"alone\"}"), mem, &v, &n,
	    NULL), 0);
	assert_int_equal(n, 1);
	arena_free(mem);
}

static void
statuses(void **state)
{
	struct arena *mem = arena_new();
	struct taxii_status s;

	(void)state;
	assert_int_equal(taxii_read_status(SLICE_LIT("{\"id\":\"x\",\"status\":\"complete\",\"total_count\":3,"
	    "\"success_count\":1,\"failure_count\":2,\"pending_count\":0,\"failures\":[{\"id\":\"a--1\","
	    "\"version\":\"v\",\"message\":\"m\"},{\"id\":\"b--2\"}]}"), mem, &s, NULL), 0);
	assert_true(s.complete && s.total == 3 && s.failure == 2 && s.nrefusals == 2);
	assert_true(slice_is(s.refusals[0].version, "v") && s.refusals[1].version.n == 0);
	assert_int_equal(taxii_read_status(SLICE_LIT("{\"id\":\"a/b\",\"status\":\"pending\"}"), mem, &s, NULL),
	    0);
	assert_true(!s.complete && s.id[0] == '\0');	/* no segment of a path */
	assert_int_equal(taxii_read_status(SLICE_LIT("{\"id\":\"x\"}"), mem, &s, NULL), -1);
	assert_int_equal(taxii_read_status(SLICE_EMPTY, mem, &s, NULL), -1);
	arena_free(mem);
}

static void
errors(void **state)
{
	struct arena *mem = arena_new();

	(void)state;
	assert_string_equal(taxii_read_error(SLICE_LIT("{\"title\":\"No\",\"description\":\"be\\ncause\"}"),
	    mem), "No: be cause");
	assert_string_equal(taxii_read_error(SLICE_LIT("<html><body><h1>502  Bad\nGateway</h1>"), mem),
	    "502 Bad Gateway ");
	assert_string_equal(taxii_read_error(SLICE_EMPTY, mem), "");
	arena_free(mem);
}

static void
pages(void **state)
{
	static const struct {
		const char *text;
		int rc;
		size_t objects;
		bool more;
		const char *next;
	} rows[] = {
		{ "{}", 0, 0, false, NULL }, { "{\"objects\":[]}", 0, 0, false, NULL },
		{ "{\"objects\":null}", 0, 0, false, NULL },
		{ " {\"more\":true,\"next\":\"a\\u0062\",\"objects\":[{\"objects\":[1,2]},{}]} ", 0, 2, true, "ab" },
		{ "{\"more\":\"true\",\"next\":\"\",\"objects\":[{}]}", 0, 1, false, NULL },
		{ "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{}]}", 0, 1, false, NULL },
		{ "{\"objects\":{}}", -1, 0, false, NULL }, { "[{}]", -1, 0, false, NULL },
		{ "{\"objects\":[{}", -1, 0, false, NULL }, { "", -1, 0, false, NULL },
		{ "<html>", -1, 0, false, NULL }, { "null", -1, 0, false, NULL },
	};
	struct arena *mem = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct taxii_page p;
		struct err e = ERR_INIT;
		int rc = taxii_look_page(slice_of(rows[i].text), mem, &p, &e);

		if (rc != rows[i].rc)
			fail_msg("%s: %d %s", rows[i].text, rc, e.reason);
		if (rc < 0)
			continue;
		assert_int_equal(p.objects, rows[i].objects);
		assert_int_equal(p.more, rows[i].more);
		assert_true(slice_is(slice_of(p.next), rows[i].next));
	}
	arena_free(mem);
}

static void
ranges_and_times(void **state)
{
	int64_t first, last, total, us = 0;

	(void)state;
	assert_true(taxii_read_range(SLICE_LIT("items 0-49/500"), &first, &last, &total));
	assert_true(first == 0 && last == 49 && total == 500);
	assert_true(taxii_read_range(SLICE_LIT("items=5-5/*"), &first, &last, &total) && total == -1);
	assert_false(taxii_read_range(SLICE_LIT("items */500"), &first, &last, &total));
	assert_false(taxii_read_range(SLICE_LIT("bytes 0-49/500"), &first, &last, &total));
	assert_false(taxii_read_range(SLICE_LIT("items 9-4/500"), &first, &last, &total));
	assert_false(taxii_read_range(SLICE_LIT("items 0-49/20"), &first, &last, &total));
	assert_false(taxii_read_range(SLICE_LIT("items"), &first, &last, &total));
	stamp_parse(SLICE_LIT("2024-02-03T04:05:06Z"), &us);
	assert_int_equal(taxii_read_date(SLICE_LIT("Sat, 03 Feb 2024 04:05:06 GMT")), us);
	assert_int_equal(taxii_read_date(SLICE_LIT("Sat, 03 Feb 2024 04:05:06 CET")), 0);
	assert_int_equal(taxii_read_date(SLICE_LIT("Sat, 03 Foo 2024 04:05:06 GMT")), 0);
	assert_int_equal(taxii_read_date(SLICE_LIT("Sat, 33 Feb 2024 04:05:06 GMT")), 0);
	assert_int_equal(taxii_read_retry_after(SLICE_LIT("12"), us), 12000000);
	assert_int_equal(taxii_read_retry_after(SLICE_LIT("999999999"), us), INT64_C(86400000000));
	assert_int_equal(taxii_read_retry_after(SLICE_LIT("Sat, 03 Feb 2024 04:05:16 GMT"), us), 10000000);
	assert_int_equal(taxii_read_retry_after(SLICE_LIT("Sat, 03 Feb 2024 04:00:00 GMT"), us), 0);
	assert_int_equal(taxii_read_retry_after(SLICE_LIT("-5"), us), 0);
	assert_int_equal(taxii_read_retry_after(SLICE_LIT("soon"), us), 0);
}

static void
tunnels(void **state)
{
	static const struct proxy with = { "p", 3128, "us", "s3:cret" }, without = { "p", 3128, NULL, NULL };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	proxy_connect_write(&b, &without, "h.example", 443);
	assert_string_equal(b.p, "CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n");
	strbuf_reset(&b);
	proxy_connect_write(&b, &with, "2001:db8::1", 8443);
	assert_string_equal(b.p, "CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n"
	    "Proxy-Authorization: Basic dXM6czM6Y3JldA==\r\n\r\n");
	strbuf_fini(&b);
	assert_int_equal(proxy_connect_read(SLICE_LIT("HTTP/1.1 200 Yes\r\nA: b\r\n\r\n"), &e), 1);
	assert_int_equal(proxy_connect_read(SLICE_LIT("HTTP/1.0 200 Yes\r\n\r\n"), &e), 1);
	assert_int_equal(proxy_connect_read(SLICE_LIT("HTTP/1.1 200 Yes\r\nA: b\r\n"), &e), 0);
	assert_int_equal(proxy_connect_read(SLICE_EMPTY, &e), 0);
	assert_int_equal(proxy_connect_read(SLICE_LIT("HTTP/1.1 200 Yes\r\n\r\nmore"), &e), -1);
	assert_int_equal(proxy_connect_read(SLICE_LIT("HTTP/1.1 403 No\r\n\r\n"), &e), -1);
	assert_int_equal(proxy_connect_read(SLICE_LIT("HTTP/2 200\r\n\r\n"), &e), -1);
	assert_int_equal(proxy_connect_read(SLICE_LIT("HTTP/1.1 407 Who\r\n\r\n"), &e), -1);
	assert_int_equal(e.code, ERR_AUTH);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(discovery), cmocka_unit_test(roots), cmocka_unit_test(collections),
		cmocka_unit_test(statuses), cmocka_unit_test(errors), cmocka_unit_test(pages),
		cmocka_unit_test(ranges_and_times), cmocka_unit_test(tunnels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
