/* If this fails, TAXII clients are refused for their spelling, or walk a collection and miss something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "adapters/taxii_media.h"
#include "adapters/taxii_query.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { ALL = (1u << PARAMS) - 1 };

static const uint8_t key_bytes[32] = { 9 };
#define KEY slice_from(key_bytes, sizeof(key_bytes))
#define COLLECTION SLICE_LIT("91a7b528-80eb-42ed-a74d-c6fbd5a26116")

/* The head of a request with these header lines and this query. */
static struct http1 *
head(const char *query, const char *lines)
{
	struct http1 *p = http1_new_requests(NULL);
	struct strbuf b = STRBUF_INIT;
	struct slice in, data;

	strbuf_addf(&b, "GET /x/%s%s HTTP/1.1\r\nHost: a\r\n%s\r\n", query[0] ? "?" : "", query, lines);
	in = strbuf_slice(&b);
	assert_int_equal(http1_next(p, &in, &data), HTTP1_HEAD);
	strbuf_fini(&b);
	return p;
}

static void
test_accept(void **state)
{
	static const struct { const char *lines; bool yes; } rows[] = {
		{ "", true },
		{ "Accept: application/taxii+json;version=2.1\r\n", true },
		{ "accept: Application/TAXII+json ; version = \"2.1\"\r\n", true },
		{ "Accept: application/taxii+json\r\n", true },
		{ "Accept: */*\r\n", true }, { "Accept: application/*;q=0.1\r\n", true },
		{ "Accept: text/html, application/taxii+json;version=2.1;q=0.5\r\n", true },
		{ "Accept: text/html\r\nAccept: application/taxii+json; version=2.1\r\n", true },
		{ "Accept: application/taxii+json;version=2.2\r\n", false },
		{ "Accept: application/taxii+json;version=9.9, application/taxii+json\r\n", true },
		{ "Accept: application/vnd.oasis.taxii+json; version=2.0\r\n", false },
		{ "Accept: text/html\r\n", false }, { "Accept: */*;q=0\r\n", false },
		{ "Accept: application/taxii+json;version=2.1;q=0.000\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http1 *p = head("", rows[i].lines);

		if ((taxii_accepts(http1_head(p)) > 0) != rows[i].yes)
			fail_msg("%s", rows[i].lines);
		http1_free(p);
	}
}

static void
test_content_type(void **state)
{
	static const struct { const char *lines; bool yes; } rows[] = {
		{ "Content-Type: application/taxii+json;version=2.1\r\n", true },
		{ "Content-Type: application/taxii+json\r\n", true },
		{ "Content-Type: application/taxii+json; charset=utf-8; version=2.1\r\n", true },
		{ "Content-Type: application/taxii+json;version=2.0\r\n", false },
		{ "Content-Type: application/json\r\n", false }, { "", false },
		{ "Content-Type: application/taxii+json\r\nContent-Encoding: gzip\r\n", false },
		{ "Content-Type: application/taxii+json\r\nContent-Encoding: identity\r\n", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http1 *p = head("", rows[i].lines);

		if (taxii_content_fits(http1_head(p)) != rows[i].yes)
			fail_msg("%s", rows[i].lines);
		http1_free(p);
	}
}

static int
query(const char *text, struct arena *mem, struct taxii_query *q)
{
	struct http1 *p = head(text, "");
	struct err e = ERR_INIT;
	int rc = taxii_query_read(http1_head(p), ALL, COLLECTION, KEY, 1000, mem, q, &e);

	for (int f = 0; f < FILTERS; f++)
		if (q->text[f].p != NULL)
			q->text[f] = arena_slice(mem, q->text[f]);
	http1_free(p);
	return rc;
}

static void
test_filters(void **state)
{
	static const struct { const char *query; int rc; } rows[] = {
		{ "", 0 }, { "unknown=1&match[colour]=red&match[type=x", 0 },
		{ "added_after=2026-01-31T12:00:00Z", 0 },
		{ "added_after=2026-01-31T12:00:00.123456789Z", 0 },
		{ "added_after=2026-01-31T12%3A00%3A00.1Z", 0 },
		{ "added_after=2026-01-31T12:00:00.1234567890Z", -1 },
		{ "added_after=2026-01-31T12:00:00+01:00", -1 },
		{ "added_after=2026-02-30T12:00:00Z", -1 }, { "added_after=", -1 },
		{ "added_after=2026-01-31%2012:00:00Z", -1 },
		{ "added_after=2026-01-31T12:00:00Z,2026-01-31T12:00:00Z", -1 },
		{ "added_after=2026-01-31T12:00:00Z&added_after=2026-01-31T12:00:00Z", -1 },
		{ "limit=1", 0 }, { "limit=0", -1 }, { "limit=-1", -1 }, { "limit=+1", -1 },
		{ "limit=1.0", -1 }, { "limit=", -1 }, { "limit=99999999999999999999999", 0 },
		{ "limit=1&limit=1", -1 },
		{ "next=", 0 }, { "next=bm9uc2Vuc2U", -1 }, { "next=%00", -1 },
		{ "match[type]=indicator,malware", 0 }, { "match%5Btype%5D=indicator%2Cmalware", 0 },
		{ "match[type]=", -1 }, { "match[type]=a,,b", -1 }, { "match[type]=a,%20b", -1 },
		{ "match[type]=%ff", -1 }, { "match[type]=a&match[type]=b", -1 },
		{ "match[id]=no-id-at-all", 0 },
		{ "match[version]=first,last", 0 }, { "match[version]=all", 0 },
		{ "match[version]=all,last", -1 }, { "match[version]=LAST", -1 },
		{ "match[version]=2026-01-31T12:00:00Z,last", 0 },
		{ "match[version]=2026-01-31T12:00:00Z,2026-01-31T12:00:00.000Z", -1 },
		{ "match[version]=last,last", -1 }, { "match[version]=yesterday", -1 },
		{ "match[spec_version]=2.1,2.0", 0 }, { "match[spec_version]=9.9", 0 },
		{ "match[spec_version]=two", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena *mem = arena_new();
		struct taxii_query q;

		if (query(rows[i].query, mem, &q) != rows[i].rc)
			fail_msg("%s", rows[i].query);
		arena_free(mem);
	}
}

/* A token carries position and filters; a filter present now wins; nothing else opens it. */
static void
test_next(void **state)
{
	struct arena *mem = arena_new();
	struct taxii_query q, again;
	struct strbuf b = STRBUF_INIT;
	char *token;

	(void)state;
	assert_int_equal(query("match[type]=indicator&added_after=2026-01-31T12:00:00Z", mem, &q), 0);
	token = taxii_next(&q, COLLECTION, KEY, 1769861000123456, mem);
	strbuf_addf(&b, "next=%s&limit=7", token);
	assert_int_equal(query(b.p, mem, &again), 0);
	assert_int_equal(again.page.position_us, 1769861000123456);
	assert_int_equal(again.page.limit, 7);
	assert_int_equal(again.page.ntypes, 1);
	assert_int_equal(again.added_after_us, q.added_after_us);
	strbuf_addf(&b, "&match[type]=malware");
	assert_int_equal(query(b.p, mem, &again), 0);
	assert_true(slice_is(again.page.types[0], "malware"));
	for (size_t i = 0; token[i] != '\0'; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		strbuf_reset(&b);
		strbuf_addf(&b, "next=%s", token);
		assert_int_equal(query(b.p, mem, &again), -1);
		token[i] = was;
	}
	/* another collection, another key */
	token = taxii_next(&q, SLICE_LIT("other"), KEY, 1, mem);
	strbuf_reset(&b);
	strbuf_addf(&b, "next=%s", token);
	assert_int_equal(query(b.p, mem, &again), -1);
	token = taxii_next(&q, COLLECTION, SLICE_LIT("no key of ours, thirty-two bytes"), 1, mem);
	strbuf_reset(&b);
	strbuf_addf(&b, "next=%s", token);
	assert_int_equal(query(b.p, mem, &again), -1);
	strbuf_fini(&b);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept), cmocka_unit_test(test_content_type),
		cmocka_unit_test(test_filters), cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
