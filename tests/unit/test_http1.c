/* If this fails, two programs can read one request in two ways: a client smuggles a request past
 * the checks of the head, or an honest client is turned away. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "adapters/http1.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))
#define H		"Host: a\r\n"

/* What came out of a parser, as text: "H" "D(bytes)" "E" "!400". */
static void
run(struct http1 *p, struct slice all, size_t step, bool eof, struct strbuf *out)
{
	bool in_data = false;
	size_t at;

	for (at = 0; at < all.n; at += step) {
		struct slice in = { all.p + at, all.n - at < step ? all.n - at : step }, data;
		enum http1_event ev;

		/* a private copy of exactly this piece, so that ASan sees reads past its end */
		char *copy = malloc(in.n);
		memcpy(copy, in.p, in.n);
		in.p = copy;
		while ((ev = http1_next(p, &in, &data)) != HTTP1_MORE) {
			if (ev != HTTP1_DATA && in_data)
				strbuf_addc(out, ')');
			if (ev == HTTP1_DATA) {
				if (!in_data)
					strbuf_adds(out, "D(");
				strbuf_addsl(out, data);
			}
			in_data = ev == HTTP1_DATA;
			if (ev == HTTP1_HEAD)
				strbuf_addc(out, 'H');
			if (ev == HTTP1_END)
				strbuf_addc(out, 'E');
			if (ev == HTTP1_ERROR) {
				strbuf_addf(out, "!%d", http1_error(p, NULL));
				free(copy);
				return;
			}
		}
		free(copy);
	}
	if (in_data)
		strbuf_addc(out, ')');
	if (eof)
		switch (http1_eof(p)) {
		case HTTP1_END:
			strbuf_adds(out, "E");
			break;
		case HTTP1_ERROR:
			strbuf_adds(out, "!cut");
			break;
		default:
			strbuf_adds(out, ".");
		}
}

static void
expect_n(const char *name, struct slice in, bool responses, bool eof, const char *want)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64, SIZE_MAX };
	size_t i;

	for (i = 0; i < COUNT(steps); i++) {
		struct http1 *p = responses ? http1_new_responses(NULL) : http1_new_requests(NULL);
		struct strbuf got = STRBUF_INIT;
		size_t step = steps[i] > in.n ? in.n : steps[i];

		run(p, in, step, eof, &got);
		if (strcmp(got.p, want) != 0)
			print_error("%s, %zu bytes at a time: got %s, want %s\n", name, step, got.p,
			    want);
		assert_string_equal(got.p, want);
		strbuf_fini(&got);
		http1_free(p);
	}
}

static void
expect(const char *in, const char *want)
{
	expect_n(in, slice_of(in), false, false, want);
}

static const struct {
	const char *in, *want;
} requests[] = {
	/* what honest clients send */
	{ "GET / HTTP/1.1\r\n" H "\r\n", "HE" },
	{ "\r\nGET / HTTP/1.1\r\n" H "\r\n", "HE" },
	{ "GET / HTTP/1.1\r\nhOsT:a\r\nX:\r\nY: \t b \t\r\n\r\n", "HE" },
	{ "GET / HTTP/1.0\r\n\r\n", "HE" },
	{ "GET / HTTP/1.1\r\n" H "\r\nGET /b HTTP/1.1\r\n" H "\r\n", "HEHE" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", "HD(hello)E" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n" H "\r\n",
	  "HD(hello)EHE" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "HE" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 000005\r\n\r\nhello", "HD(hello)E" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
	  "HD(hello)D( world)E" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: CHUNKED\r\n\r\n00a;x=\"y;z\";q\r\n0123456789\r\n"
	  "0;last\r\nTrailer: 1\r\nContent-Length: 3\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n",
	  "HD(0123456789)EHE" },
	{ "GET http://other/x HTTP/1.1\r\n" H "\r\n", "HE" },
	{ "GET HTTPS://other:8443 HTTP/1.1\r\n" H "\r\n", "HE" },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", "HE" },
	{ "BREW /pot HTTP/1.1\r\n" H "\r\n", "HE" },
	{ "GET /\xc3\xa9?\xc3\xa9 HTTP/1.1\r\n" H "\r\n", "HE" },
	{ "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nX: \xff\xfe\r\n\r\n", "HE" },
	/* start lines */
	{ "GET /\r\n", "!400" },
	{ "GET  / HTTP/1.1\r\n", "!400" },
	{ "GET / HTTP/1.1 \r\n", "!400" },
	{ "GET /a b HTTP/1.1\r\n", "!400" },
	{ "GET\t/ HTTP/1.1\r\n", "!400" },
	{ "GET /\x01 HTTP/1.1\r\n", "!400" },
	{ " GET / HTTP/1.1\r\n", "!400" },
	{ "GE(T / HTTP/1.1\r\n", "!400" },
	{ "GET / http/1.1\r\n", "!400" },
	{ "GET / HTTP/1.10\r\n", "!400" },
	{ "GET / HTTP/2.0\r\n", "!505" },
	{ "PRI * HTTP/2.0\r\n", "!505" },
	{ "GET / HTTP/1.2\r\n", "!505" },
	{ "GET / HTTP/0.9\r\n", "!505" },
	{ "\r\n\r\n", "!400" },
	{ "\nGET / HTTP/1.1\r\n", "!400" },
	{ "GET x HTTP/1.1\r\n" H "\r\n", "!400" },
	{ "GET * HTTP/1.1\r\n" H "\r\n", "!400" },
	{ "GET ftp://a/ HTTP/1.1\r\n" H "\r\n", "!400" },
	{ "GET http://u@a/ HTTP/1.1\r\n" H "\r\n", "!400" },
	{ "GET http:///x HTTP/1.1\r\n" H "\r\n", "!400" },
	/* line ends and field syntax */
	{ "GET / HTTP/1.1\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a\rX: b\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a\r\n\n", "!400" },
	{ "GET / HTTP/1.1\r\n Host: a\r\n", "!400" },
	{ "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost : a\r\n", "!400" },
	{ "GET / HTTP/1.1\r\n: a\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nX Y: a\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nX: a\x7f\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nX: a\x0b\r\n", "!400" },
	/* Host */
	{ "GET / HTTP/1.1\r\n\r\n", "!400" },
	{ "GET http://a/ HTTP/1.1\r\n\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "!400" },
	{ "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost:\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a@b\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a, b\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: a:port\r\n", "!400" },
	{ "GET / HTTP/1.1\r\nHost: [::1\r\n", "!400" },
	/* framing */
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5 \t5\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length:\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5.0\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 1234567890123456\r\n", "!413" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 123456789012345x\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551621\r\n", "!413" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: ,chunked\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n", "!501" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n", "!501" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n", "!501" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;q=1\r\n", "!400" },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Content-Type: a/b\r\nContent-Type: a/b\r\n", "!400" },
	{ "GET / HTTP/1.1\r\n" H "Authorization: a\r\nauthorization: b\r\n", "!400" },
	{ "POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\n", "!417" },
	/* chunks */
#define CH "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	{ CH "\r\n", "H!400" },
	{ CH "g\r\n", "H!400" },
	{ CH "-1\r\n", "H!400" },
	{ CH "+1\r\n", "H!400" },
	{ CH "0x1\r\n", "H!400" },
	{ CH " 1\r\n", "H!400" },
	{ CH "1 \r\n", "H!400" },
	{ CH "1 ;x\r\n", "H!400" },
	{ CH ";x\r\n", "H!400" },
	{ CH "000000001\r\n", "H!400" },
	{ CH "FFFFFFFFF\r\n", "H!400" },
	{ CH "1;\x01\r\n", "H!400" },
	{ CH "1\nx\r\n", "H!400" },
	{ CH "1\r\nxy\r\n", "HD(x)!400" },
	{ CH "1\r\nx\n0\r\n\r\n", "HD(x)!400" },
	{ CH "1\r\nx\r0\r\n\r\n", "HD(x)!400" },
	{ CH "0\r\n folded: x\r\n", "H!400" },
	{ CH "0\r\nX : x\r\n", "H!400" },
	{ CH "0\r\n\n", "H!400" },
};

static void
test_requests(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(requests); i++)
		if (strstr(requests[i].want, ")D(") == NULL)
			expect(requests[i].in, requests[i].want);
	/* NUL bytes do not end a C string here */
	expect_n("NUL in target", SLICE_LIT("GET /\0 HTTP/1.1\r\n" H "\r\n"), false, false, "!400");
	expect_n("NUL in value", SLICE_LIT("GET / HTTP/1.1\r\nX: a\0b\r\n"), false, false, "!400");
	expect_n("NUL in name", SLICE_LIT("GET / HTTP/1.1\r\nX\0: a\r\n"), false, false, "!400");
	expect_n("NUL in length", SLICE_LIT("GET / HTTP/1.1\r\nContent-Length: 5\0\r\n"), false,
	    false, "!400");
	expect_n("NUL in address", SLICE_LIT("GET / HTTP/1.1\r\nHost: [::1\0]\r\n"), false,
	    false, "!400");
}

/* Bodies of several chunks come out whole however they are cut. */
static void
test_chunks(void **state)
{
	(void)state;
	expect_n("two chunks", SLICE_LIT(CH "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), false, true,
	    "HD(hello world)E.");
	expect_n("cut in data", SLICE_LIT(CH "5\r\nhel"), false, true, "HD(hel)!cut");
	expect_n("cut before 0", SLICE_LIT(CH "5\r\nhello\r\n"), false, true, "HD(hello)!cut");
	expect_n("cut in trailer", SLICE_LIT(CH "0\r\nX: y\r\n"), false, true, "H!cut");
	expect_n("cut in head", SLICE_LIT("GET / HT"), false, true, "!cut");
	expect_n("cut in body", SLICE_LIT("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhell"),
	    false, true, "HD(hell)!cut");
	expect_n("idle", SLICE_LIT("GET / HTTP/1.1\r\n" H "\r\n"), false, true, "HE.");
}

static const struct {
	const char *in, *want;
} responses[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HD(hi)E." },
	{ "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", "HD(hi)E." },
	{ "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "HE." },
	{ "HTTP/1.1 204 No Content\r\n\r\n", "HE." },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "HE." },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Ok\r\nContent-Length: 1\r\n\r\nx", "HEHD(x)E." },
	{ "HTTP/1.1 200 OK\r\n\r\nuntil the end", "HD(until the end)E" },
	{ "HTTP/1.0 200 OK\r\n\r\n", "HE" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "HD(hi)E." },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", "HD(hi)!cut" },
	{ "HTTP/1.1 101 Switch\r\n\r\n", "!400" },
	{ "HTTP/1.1 20 OK\r\n", "!400" },
	{ "HTTP/1.1 2000 OK\r\n", "!400" },
	{ "HTTP/1.1 600 OK\r\n", "!400" },
	{ "HTTP/1.1 +20 OK\r\n", "!400" },
	{ "HTTP/2 200 OK\r\n", "!400" },
	{ "ICY 200 OK\r\n", "!400" },
	{ "\r\nHTTP/1.1 200 OK\r\n", "!400" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n", "!400" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "!400" },
};

static void
test_responses(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(responses); i++)
		expect_n(responses[i].in, slice_of(responses[i].in), true, true, responses[i].want);
}

/* An answer to HEAD has the headers of a body but none. */
static void
test_answer_to_head(void **state)
{
	struct slice in = SLICE_LIT("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), data;
	struct http1 *p = http1_new_responses(NULL);

	(void)state;
	http1_answers(p, HTTP_HEAD);
	assert_int_equal(http1_next(p, &in, &data), HTTP1_HEAD);
	assert_int_equal(http1_head(p)->content_length, 9);
	assert_false(http1_head(p)->has_body);
	assert_int_equal(http1_next(p, &in, &data), HTTP1_END);
	http1_free(p);
}

/* Parse one head and leave the parser with it. */
static struct http1 *
head_of(const char *text)
{
	struct http1 *p = http1_new_requests(NULL);
	struct slice in = slice_of(text), data;

	assert_int_equal(http1_next(p, &in, &data), HTTP1_HEAD);
	return p;
}

static const struct {
	const char *target, *path;
	bool odd;
} targets[] = {
	{ "/", "/", false },
	{ "/taxii2/", "/taxii2/", false },
	{ "/taxii2", "/taxii2", false },
	{ "/a/%62%2D%2d%5F%7e/", "/a/b--_~/", false },
	{ "/a?b", "/a", false },
	{ "http://h?x", "/", false },
	{ "http://h/y", "/y", false },
	{ "/a%2Fb", "/a%2Fb", true },
	{ "/a%2fb", "/a%2fb", true },
	{ "/%2e%2E/x", "/../x", true },
	{ "/%2562", "/%2562", true },
	{ "/%", "/%", true },
	{ "/%4", "/%4", true },
	{ "/%zz", "/%zz", true },
	{ "/%00", "/%00", true },
	{ "/%c3%a9", "/%c3%a9", true },
	{ "/\xc3\xa9", "/\xc3\xa9", true },
	{ "//", "//", true },
	{ "//a", "//a", true },
	{ "/a//b", "/a//b", true },
	{ "/a/./b", "/a/./b", true },
	{ "/a/..", "/a/..", true },
	{ "/..a/b..", "/..a/b..", false },
	{ "/a;b", "/a;b", true },
	{ "/a\\b", "/a\\b", true },
	{ "/a#b", "/a#b", true },
};

static void
test_paths(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(targets); i++) {
		char text[256];
		struct http1 *p;

		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" H "\r\n", targets[i].target);
		p = head_of(text);
		if (!slice_is(http1_head(p)->path, targets[i].path) ||
		    http1_head(p)->path_odd != targets[i].odd)
			fail_msg("%s: path %.*s odd %d", targets[i].target,
			    SLICE_ARG(http1_head(p)->path), http1_head(p)->path_odd);
		http1_free(p);
	}
}

static void
test_head(void **state)
{
	struct http1 *p = head_of("DELETE http://other:1/p?q=1 HTTP/1.1\r\nHost: h:2\r\n"
	    "ACCEPT: a, \"b,c\" ;d\r\nConnection: x, Close\r\naccept:e\r\n\r\n");
	const struct http1_head *h = http1_head(p);
	struct slice v, item;
	size_t i = 0;

	(void)state;
	assert_int_equal(h->method, HTTP_DELETE);
	assert_true(slice_is(h->host, "other:1"));
	assert_true(slice_is(h->path, "/p"));
	assert_true(h->has_query);
	assert_true(slice_is(h->query, "q=1"));
	assert_false(h->keep_alive);
	assert_false(h->has_body);
	assert_int_equal(h->content_length, -1);
	assert_true(http1_field_next(h, "Accept", &i, &v));
	assert_true(http1_list_next(&v, &item) && slice_is(item, "a"));
	assert_true(http1_list_next(&v, &item) && slice_is(item, "\"b,c\" ;d"));
	assert_false(http1_list_next(&v, &item));
	assert_true(http1_field_next(h, "Accept", &i, &v) && slice_is(v, "e"));
	assert_false(http1_field_next(h, "Accept", &i, &v));
	assert_null(http1_field(h, "Absent").p);
	http1_free(p);

	p = head_of("POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n");
	assert_true(http1_head(p)->expect_continue);
	assert_true(http1_head(p)->keep_alive);
	http1_free(p);
	p = head_of("POST / HTTP/1.0\r\nExpect: 100-Continue\r\nConnection: keep-alive\r\n"
	    "Content-Length: 1\r\n\r\n");
	assert_false(http1_head(p)->expect_continue);
	assert_false(http1_head(p)->keep_alive);
	http1_free(p);
}

static void
fill(struct strbuf *b, size_t n)
{
	while (n-- > 0)
		strbuf_addc(b, 'a');
}

/* At the limit all is well, one byte beyond it is not. */
static void
test_limits(void **state)
{
	struct strbuf b = STRBUF_INIT;
	size_t extra, i;

	(void)state;
	for (extra = 0; extra < 2; extra++) {
		strbuf_reset(&b);
		strbuf_adds(&b, "GET /");
		fill(&b, 16383 + extra);
		strbuf_adds(&b, " HTTP/1.1\r\n" H "\r\n");
		expect_n("target", strbuf_slice(&b), false, false, extra ? "!414" : "HE");

		strbuf_reset(&b);
		strbuf_adds(&b, "GET / HTTP/1.1\r\n" H "X: ");
		fill(&b, 65536 - 9 - 5 + extra);
		strbuf_adds(&b, "\r\n");
		assert_int_equal(b.n - 16, 65536 + extra);
		strbuf_adds(&b, "\r\n");
		expect_n("header", strbuf_slice(&b), false, false, extra ? "!431" : "HE");

		strbuf_reset(&b);
		strbuf_adds(&b, "GET / HTTP/1.1\r\n" H);
		for (i = 0; i < 127 + extra; i++)
			strbuf_adds(&b, "X: y\r\n");
		strbuf_adds(&b, "\r\n");
		expect_n("fields", strbuf_slice(&b), false, false, extra ? "!431" : "HE");

		strbuf_reset(&b);
		strbuf_adds(&b, CH "1;");
		fill(&b, 256 - 3 + extra);
		strbuf_adds(&b, "\r\nx\r\n0\r\n\r\n");
		expect_n("chunk line", strbuf_slice(&b), false, false, extra ? "H!400" : "HD(x)E");

		strbuf_reset(&b);
		strbuf_adds(&b, CH "0\r\nX: ");
		fill(&b, 4096 - 5 + extra);
		strbuf_adds(&b, "\r\n\r\n");
		expect_n("trailer", strbuf_slice(&b), false, false, extra ? "H!400" : "HE");
	}
	strbuf_reset(&b);
	fill(&b, 20000);
	expect_n("endless line", strbuf_slice(&b), false, false, "!414");
	strbuf_reset(&b);
	strbuf_adds(&b, "GET / HTTP/1.1\r\n" H);
	fill(&b, 70000);
	expect_n("endless header", strbuf_slice(&b), false, false, "!431");
	strbuf_fini(&b);
}

static void
test_query(void **state)
{
	struct slice q = SLICE_LIT("match%5Btype%5d=a%2Cb+c&&limit=&x&%zz=1&k=%00&k=%ff&t=1=2&=v&u=%C3%A9");
	static const struct {
		const char *key, *value;
		bool has_value, bad_key, bad_value;
	} want[] = {
		{ "match[type]", "a,b+c", true, false, false },
		{ "limit", "", true, false, false },
		{ "x", "", false, false, false },
		{ "%zz", "1", true, true, false },
		{ "k", "%00", true, false, true },
		{ "k", "%ff", true, false, true },
		{ "t", "1=2", true, false, false },
		{ "", "v", true, false, false },
		{ "u", "\xc3\xa9", true, false, false },
	};
	struct arena *mem = arena_new();
	struct http1_param p;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(want); i++) {
		assert_true(http1_query_next(&q, mem, &p));
		assert_true(slice_is(p.key, want[i].key));
		assert_true(slice_is(p.value, want[i].value));
		assert_int_equal(p.has_value, want[i].has_value);
		assert_int_equal(p.bad_key, want[i].bad_key);
		assert_int_equal(p.bad_value, want[i].bad_value);
	}
	assert_false(http1_query_next(&q, mem, &p));
	arena_free(mem);
}

static void
test_gzip(void **state)
{
	static const struct {
		const char *lines;
		bool yes;
	} t[] = {
		{ "", false },
		{ "Accept-Encoding: gzip\r\n", true },
		{ "Accept-Encoding: deflate, GZIP;q=0.5\r\n", true },
		{ "Accept-Encoding: br\r\nAccept-Encoding: x-gzip\r\n", true },
		{ "Accept-Encoding: *\r\n", true },
		{ "Accept-Encoding: *;q=0\r\n", false },
		{ "Accept-Encoding: gzip;q=0\r\n", false },
		{ "Accept-Encoding: gzip;q=0.000, *\r\n", false },
		{ "Accept-Encoding: gzip; q=0.2, identity;q=0.5\r\n", false },
		{ "Accept-Encoding: gzip;q=2\r\n", false },
		{ "Accept-Encoding: gzip;q=nan\r\n", false },
		{ "Accept-Encoding: gzipped\r\n", false },
		{ "Accept-Encoding: identity\r\n", false },
		{ "Accept-Encoding:\r\n", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		char text[256];
		struct http1 *p;

		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" H "%s\r\n", t[i].lines);
		p = head_of(text);
		if (http1_accepts_gzip(http1_head(p)) != t[i].yes)
			fail_msg("%s", t[i].lines);
		http1_free(p);
	}
}

/* An idle parser gives its memory back and still works. */
static void
test_shrink(void **state)
{
	struct slice in = SLICE_LIT("GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\n"), data;
	struct http1 *p = http1_new_requests(NULL);

	(void)state;
	assert_true(http1_is_idle(p));
	assert_int_equal(http1_next(p, &in, &data), HTTP1_HEAD);
	assert_false(http1_is_idle(p));
	http1_shrink(p);
	assert_true(slice_is(http1_head(p)->path, "/1"));
	assert_int_equal(http1_next(p, &in, &data), HTTP1_END);
	assert_true(http1_is_idle(p));
	http1_shrink(p);
	assert_int_equal(http1_next(p, &in, &data), HTTP1_HEAD);
	assert_true(slice_is(http1_head(p)->path, "/2"));
	http1_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_answer_to_head),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_shrink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
