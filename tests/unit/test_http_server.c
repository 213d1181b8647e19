/* If this fails, a slow or hostile client holds the front for ever, a refused body is read all the
 * same, or an honest client gets the answer to somebody else's request. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "adapters/http_server.h"
#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

#define MS	INT64_C(1000)
#define H	"Host: a\r\n"

struct client {
	struct world		*w;
	struct bufferevent	*bev;
	struct strbuf		 got;
	bool			 open, over;
	short			 what;
};

/* A server, its handler's diary, and the request that is kept waiting. */
struct world {
	struct event_base	*base;
	struct event		*failsafe;
	struct http_server	*server;
	uint16_t		 port;
	struct strbuf		 diary;
	struct http_exchange	*kept;
	bool			 drained;
	size_t			 big;
	char			 digest[2 * SHA256_LEN + 1];
};

/* --- the handler --------------------------------------------------------------------------------- */

static void
say(struct http_exchange *x, int status, const char *text, bool gzip)
{
	struct http_answer a = { .status = status, .content_type = "text/x", .body = slice_of(text),
	    .may_gzip = gzip };

	http_respond(x, &a);
}

static void
say_big(struct world *w, struct http_exchange *x)
{
	struct strbuf body = STRBUF_INIT;
	size_t i;

	for (i = 0; i < w->big; i++)
		strbuf_addc(&body, (char)('a' + i % 23));
	http_respond(x, &(struct http_answer){ .status = 200, .content_type = "text/x",
	    .take = &body, .may_gzip = true });
}

static void
on_head(struct http_exchange *x, void *arg)
{
	static const struct http_header odd[] = { { "X-Good", "yes" }, { "X-Bad", "a\r\nX-Evil: 1" },
	    { "X-None", NULL } };
	struct world *w = arg;
	struct slice path = x->head->path;

	strbuf_addf(&w->diary, "head %.*s;", SLICE_ARG(path));
	x->user = w;
	if (slice_is(path, "/hello"))
		say(x, 200, "hello", false);
	else if (slice_is(path, "/big"))
		say_big(w, x);
	else if (slice_is(path, "/pin"))
		say(x, 200, x->pin == NULL ? "none" : x->pin, false);
	else if (slice_is(path, "/refuse"))
		http_refuse(x, 403, "not you", NULL, 0);
	else if (slice_is(path, "/headers"))
		http_respond(x, &(struct http_answer){ .status = 204, .headers = odd,
		    .nheaders = 3 });
	else if (slice_is(path, "/keep"))
		w->kept = x;
	else if (slice_is(path, "/large"))
		http_want_body(x, 8 << 20);
	else if (!http_want_body(x, 100))
		strbuf_adds(&w->diary, "too much;");
}

static void
on_body_end(struct http_exchange *x, struct slice body, void *arg)
{
	struct world *w = arg;

	if (slice_is(x->head->path, "/large")) {
		digest_sha256_hex(body, w->digest);
		say(x, 202, w->digest, false);
		return;
	}
	strbuf_addf(&w->diary, "body %.*s;", SLICE_ARG(body));
	assert_ptr_equal(x->user, w);
	if (slice_is(x->head->path, "/late"))
		w->kept = x;
	else
		http_respond(x, &(struct http_answer){ .status = 202, .body = body });
}

static void
on_gone(struct http_exchange *x, void *arg)
{
	struct world *w = arg;

	if (w->kept == x)
		w->kept = NULL;
	strbuf_adds(&w->diary, "gone;");
}

static void
on_done(struct http_exchange *x, int status, uint64_t in, uint64_t out, bool ok, void *arg)
{
	struct world *w = arg;

	assert_int_equal(strlen(x->id), HTTP_ID_TEXT);
	strbuf_addf(&w->diary, "done %d %d+%d %s;", status, (int)in, (int)out, ok ? "ok" : "lost");
}

static const char *
error_body(const struct http_exchange *x, int status, const char *title, const char *detail,
    struct strbuf *out, void *arg)
{
	(void)arg;
	assert_non_null(x);
	strbuf_addf(out, "{%d|%s|%s}", status, title, detail);
	return "application/error";
}

/* --- the stage ----------------------------------------------------------------------------------- */

static void
on_failsafe(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("nothing happened for ten seconds");
}

static struct http_limits
fast(void)
{
	return (struct http_limits){ .linger_us = 20 * MS };
}

static void
world_open(struct world *w, struct http_limits lim, struct tls *tls)
{
	struct http_handler h = { .on_head = on_head, .on_body_end = on_body_end,
	    .on_gone = on_gone, .on_done = on_done, .error_body = error_body, .arg = w };
	struct timeval ten = { 10, 0 };
	struct err e = ERR_INIT;
	int fd;

	memset(w, 0, sizeof(*w));
	strbuf_init(&w->diary);
	w->base = event_base_new();
	w->failsafe = evtimer_new(w->base, on_failsafe, NULL);
	evtimer_add(w->failsafe, &ten);
	w->server = http_server_new(w->base, &lim, &h);
	if ((fd = http_listen_open("127.0.0.1", 0, &e)) < 0 ||
	    http_server_listen(w->server, fd, tls, &e) != 0)
		fail_msg("%s", e.reason);
	w->port = http_server_port(w->server, 0);
}

static void
world_close(struct world *w)
{
	http_server_free(w->server);
	event_free(w->failsafe);
	event_base_free(w->base);
	strbuf_fini(&w->diary);
}

static void
client_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	char buf[4096];
	size_t n;

	while ((n = bufferevent_read(bev, buf, sizeof(buf))) > 0)
		strbuf_add(&c->got, buf, n);
}

static void
client_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		c->open = true;
		return;
	}
	client_read(bev, arg);
	c->what = what;
	c->over = true;
}

static int
connect_to(const struct world *w)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(w->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	evutil_make_socket_nonblocking(fd);
	return fd;
}

static void
client_open(struct client *c, struct world *w, struct tls *tls)
{
	struct err e = ERR_INIT;
	int fd = connect_to(w);

	memset(c, 0, sizeof(*c));
	strbuf_init(&c->got);
	c->w = w;
	c->open = tls == NULL;
	c->bev = tls == NULL ? bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE |
	    BEV_OPT_DEFER_CALLBACKS) : tls_connect(tls, w->base, fd, "127.0.0.1", &e);
	assert_non_null(c->bev);
	bufferevent_setcb(c->bev, client_read, NULL, client_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static void
client_close(struct client *c)
{
	if (c->bev != NULL)
		tls_close(c->bev);
	strbuf_fini(&c->got);
}

static void
turn(struct world *w)
{
	assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
}

static void
send_text(struct client *c, const char *text)
{
	bufferevent_write(c->bev, text, strlen(text));
}

/* Whatever is ready to happen, happens. */
static void
settle(struct world *w)
{
	int i;

	for (i = 0; i < 5; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK);
}

/* Run until the client has seen `text`. */
static void
until(struct client *c, const char *text)
{
	while (strstr(c->got.p, text) == NULL) {
		if (c->over)
			fail_msg("closed without \"%s\": %s", text, c->got.p);
		turn(c->w);
	}
}

static void
until_over(struct client *c)
{
	while (!c->over)
		turn(c->w);
}

static void
until_diary(struct world *w, const char *text)
{
	while (strstr(w->diary.p, text) == NULL)
		turn(w);
}

static void
has(const struct client *c, const char *text)
{
	if (strstr(c->got.p, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, c->got.p);
}

static void
has_not(const struct client *c, const char *text)
{
	if (strstr(c->got.p, text) != NULL)
		fail_msg("\"%s\" in: %s", text, c->got.p);
}

/* --- tests --------------------------------------------------------------------------------------- */

static void
test_keep_alive(void **state)
{
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "GET /hello HTTP/1.1\r\n" H "\r\n");
	until(&c, "\r\n\r\nhello");
	has(&c, "HTTP/1.1 200 OK\r\nDate: ");
	has(&c, "\r\nContent-Type: text/x\r\nContent-Length: 5\r\n");
	has(&c, "\r\nX-Content-Type-Options: nosniff\r\n");
	has(&c, "\r\nCache-Control: no-store\r\n");
	has_not(&c, "Connection:");
	has_not(&c, "Strict-Transport");
	strbuf_reset(&c.got);
	send_text(&c, "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
	until(&c, "\r\n\r\nabc");
	has(&c, "HTTP/1.1 202 Accepted\r\n");
	strbuf_reset(&c.got);
	send_text(&c, "POST /echo HTTP/1.1\r\n" H "\r\n");	/* no body is an empty body */
	until(&c, "Content-Length: 0\r\n");
	strbuf_reset(&c.got);
	send_text(&c, "GET /headers HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	until_over(&c);
	has(&c, "204 No Content");
	has(&c, "X-Good: yes\r\n");
	has(&c, "Connection: close\r\n");
	has_not(&c, "X-Evil");
	has_not(&c, "X-None");
	has_not(&c, "Content-Length");
	assert_true((c.what & BEV_EVENT_EOF) != 0);
	assert_string_equal(w.diary.p, "head /hello;done 200 0+5 ok;head /echo;body abc;"
	    "done 202 3+3 ok;head /echo;body ;done 202 0+0 ok;head /headers;done 204 0+0 ok;");
	assert_int_equal(http_server_counters(w.server)->requests, 4);
	assert_int_equal(http_server_counters(w.server)->answers[2], 4);
	assert_int_equal(http_server_counters(w.server)->open, 0);
	client_close(&c);
	world_close(&w);
}

/* Two requests and the half of a third in one packet: one at a time, in order. */
static void
test_pipeline(void **state)
{
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "GET /keep HTTP/1.1\r\n" H "\r\nPOST /echo HTTP/1.1\r\n" H
	    "Content-Length: 1\r\n\r\nxGET /hel");
	until_diary(&w, "head /keep;");
	settle(&w);
	assert_string_equal(w.diary.p, "head /keep;");
	say(w.kept, 200, "first", false);
	until(&c, "\r\n\r\nx");
	assert_true(strstr(c.got.p, "first") < strstr(c.got.p, "\r\n\r\nx"));
	send_text(&c, "lo HTTP/1.1\r\n" H "\r\n");
	until(&c, "hello");
	client_close(&c);
	world_close(&w);
}

static void
test_continue(void **state)
{
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	until(&c, "HTTP/1.1 100 Continue\r\n\r\n");
	has_not(&c, "202");
	send_text(&c, "abc");
	until(&c, "\r\n\r\nabc");
	strbuf_reset(&c.got);
	/* refused: the final status comes at once, nothing is invited, and that is the end */
	send_text(&c, "POST /refuse HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	until_over(&c);
	has_not(&c, "100 Continue");
	has(&c, "HTTP/1.1 403 Forbidden\r\n");
	has(&c, "Connection: close\r\n");
	has(&c, "{403|Forbidden|not you}");
	client_close(&c);
	world_close(&w);
}

static const struct {
	const char *what, *in, *status, *diary;
} refused[] = {
	{ "by the handler", "POST /refuse HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nGET /",
	  "403 Forbidden", "head /refuse;done 403 0+" },
	{ "larger than allowed", "POST /echo HTTP/1.1\r\n" H "Content-Length: 101\r\n\r\nGET /",
	  "413 Content Too Large", "head /echo;too much;done 413 0+" },
	{ "larger than allowed, in chunks", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked"
	  "\r\n\r\n60\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
	  "abcdef0123456789abcdef\r\n5\r\nabcde\r\n", "413 Content Too Large",
	  "head /echo;gone;done 413 101+" },
	{ "broken chunk", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nxy",
	  "400 Bad Request", "head /echo;gone;done 400 1+" },
	{ "no Host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request", "done 400 0+" },
	{ "smuggled", "POST / HTTP/1.1\r\n" H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "0\r\n\r\nGET /hello HTTP/1.1\r\n" H "\r\n", "400 Bad Request", "done 400 0+" },
	{ "wrong version", "GET / HTTP/3.0\r\n", "505 HTTP Version Not Supported",
	  "done 505 0+" },
	{ "expectation", "GET / HTTP/1.1\r\n" H "Expect: luck\r\n\r\n", "417 Expectation Failed",
	  "done 417 0+" },
};

/* Refused before the body: answered, closed, and what follows is never taken for a request. */
static void
test_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct world w;
		struct client c;

		world_open(&w, fast(), NULL);
		client_open(&c, &w, NULL);
		send_text(&c, refused[i].in);
		until_over(&c);
		has(&c, refused[i].status);
		has(&c, "Content-Type: application/error\r\n");
		has(&c, "Connection: close\r\n");
		assert_true((c.what & BEV_EVENT_EOF) != 0);
		if (strncmp(w.diary.p, refused[i].diary, strlen(refused[i].diary)) != 0)
			fail_msg("%s: %s", refused[i].what, w.diary.p);
		client_close(&c);
		world_close(&w);
	}
}

/* The answer survives a client that goes on sending megabytes. */
static void
test_linger(void **state)
{
	struct http_limits lim = { .linger_bytes = 4 << 20 };
	char *mb = calloc(1, 1 << 20);
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, lim, NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "POST /refuse HTTP/1.1\r\n" H "Content-Length: 2097152\r\n\r\n");
	bufferevent_write(c.bev, mb, 1 << 20);
	bufferevent_write(c.bev, mb, 1 << 20);
	until_over(&c);
	has(&c, "{403|Forbidden|not you}");
	assert_true((c.what & BEV_EVENT_EOF) != 0);
	assert_null(strstr(w.diary.p, "body"));
	free(mb);
	client_close(&c);
	world_close(&w);
}

/* A GET with a body: read and ignored, the connection lives. */
static void
test_ignored_body(void **state)
{
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "GET /hello HTTP/1.1\r\n" H "Content-Length: 20\r\n\r\nGET /refuse HT");
	until(&c, "hello");
	strbuf_reset(&c.got);
	send_text(&c, "TP/1.1GET /hello HTTP/1.1\r\n" H "\r\n");
	until(&c, "hello");
	assert_string_equal(w.diary.p, "head /hello;done 200 20+5 ok;head /hello;done 200 0+5 ok;");
	strbuf_reset(&c.got);
	send_text(&c, "GET /hello HTTP/1.1\r\n" H "Content-Length: 70000\r\n\r\n");
	until_over(&c);
	has(&c, "Connection: close");
	client_close(&c);
	world_close(&w);
}

/* Chunks, in pieces, over time. */
static void
test_chunked(void **state)
{
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nab");
	until_diary(&w, "head /echo;");
	send_text(&c, "c\r\n3\r\ndef\r\n0\r\nTrailer: x\r\n\r\n");
	until(&c, "\r\n\r\nabcdef");
	client_close(&c);
	world_close(&w);
}

static void
take_piece(struct http_exchange *x, struct slice data, void *arg)
{
	struct world *w = arg;

	(void)x;
	strbuf_addf(&w->diary, "data %.*s;", SLICE_ARG(data));
}

/* A handler that takes the body as it comes. */
static void
test_stream(void **state)
{
	struct http_handler h = { .on_head = on_head, .on_data = take_piece,
	    .on_body_end = on_body_end };
	struct err e = ERR_INIT;
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	http_server_free(w.server);
	h.arg = &w;
	w.server = http_server_new(w.base, NULL, &h);
	http_server_listen(w.server, http_listen_open("127.0.0.1", 0, &e), NULL, &e);
	w.port = http_server_port(w.server, 0);
	client_open(&c, &w, NULL);
	send_text(&c, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nab");
	until_diary(&w, "data ab;");
	send_text(&c, "cd");
	until(&c, "202");
	assert_string_equal(w.diary.p, "head /echo;data ab;data cd;body ;");
	client_close(&c);
	world_close(&w);
}

static const struct {
	const char *in, *got, *diary;
	struct http_limits lim;
} slow[] = {
	{ "GET /hel", "{408|Request Timeout|", "done 408 0+", { .head_us = 20 * MS } },
	{ "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab", "{408|Request Timeout|",
	  "head /echo;gone;done 408 2+", { .body_us = 20 * MS } },
	{ "GET /keep HTTP/1.1\r\n" H "\r\n", "{503|Service Unavailable|", "head /keep;gone;done 503 0+",
	  { .held_us = 20 * MS } },
	{ "", "", "", { .idle_us = 20 * MS } },
	{ "\r\n", "", "", { .head_us = 20 * MS } },
	{ "GET /hello HTTP/1.1\r\n" H "\r\n", "hello", "head /hello;done 200 0+5 ok;",
	  { .idle_us = 20 * MS } },
};

/* Whoever is too slow is told so and put out. */
static void
test_deadlines(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(slow) / sizeof(*slow); i++) {
		struct http_limits lim = slow[i].lim;
		struct world w;
		struct client c;

		lim.linger_us = 20 * MS;
		world_open(&w, lim, NULL);
		client_open(&c, &w, NULL);
		send_text(&c, slow[i].in);
		until_over(&c);
		has(&c, slow[i].got);
		if (strncmp(w.diary.p, slow[i].diary, strlen(slow[i].diary)) != 0)
			fail_msg("%zu: %s", i, w.diary.p);
		client_close(&c);
		world_close(&w);
	}
}

/* A client that does not read its answer costs that answer for a bounded time. */
static void
test_never_reads(void **state)
{
	struct http_limits lim = { .write_us = 20 * MS, .min_rate = INT64_C(1) << 40 };
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, lim, NULL);
	w.big = 16 << 20;
	client_open(&c, &w, NULL);
	bufferevent_disable(c.bev, EV_READ);
	send_text(&c, "GET /big HTTP/1.1\r\n" H "\r\n");
	until_diary(&w, "lost;");
	assert_int_equal(http_server_counters(w.server)->timeouts_write, 1);
	assert_int_equal(http_server_counters(w.server)->open, 0);
	client_close(&c);
	world_close(&w);
}

/* A client that resets loses its request; one that only stops sending does not. */
static void
test_gone(void **state)
{
	struct linger hard = { 1, 0 };
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "GET /keep HTTP/1.1\r\n" H "\r\n");
	until_diary(&w, "head /keep;");
	setsockopt(bufferevent_getfd(c.bev), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	bufferevent_free(c.bev);
	c.bev = NULL;
	until_diary(&w, "gone;");
	assert_null(w.kept);
	assert_int_equal(http_server_counters(w.server)->aborted, 1);
	client_close(&c);

	strbuf_reset(&w.diary);
	client_open(&c, &w, NULL);
	send_text(&c, "GET /keep HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" H "\r\n");
	until_diary(&w, "head /keep;");
	shutdown(bufferevent_getfd(c.bev), SHUT_WR);
	settle(&w);
	assert_non_null(w.kept);
	say(w.kept, 200, "still", false);
	until_over(&c);
	has(&c, "still");
	has(&c, "hello");
	client_close(&c);

	/* a body cut short is no body */
	strbuf_reset(&w.diary);
	client_open(&c, &w, NULL);
	send_text(&c, "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab");
	until_diary(&w, "head /echo;");
	shutdown(bufferevent_getfd(c.bev), SHUT_WR);
	until_over(&c);
	assert_string_equal(w.diary.p, "head /echo;gone;");
	client_close(&c);
	world_close(&w);
}

/* The handler may take the body long after on_head, and answer long after the body. */
static void
test_later(void **state)
{
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "POST /keep HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
	until_diary(&w, "head /keep;");
	settle(&w);
	assert_true(http_want_body(w.kept, 3));
	until(&c, "\r\n\r\nabc");
	strbuf_reset(&c.got);
	send_text(&c, "POST /late HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
	until_diary(&w, "head /late;body abc;");
	settle(&w);
	say(w.kept, 200, "later", false);
	until(&c, "later");
	client_close(&c);
	world_close(&w);
}

static void
inflate_check(const char *p, size_t n, size_t want)
{
	char *out = malloc(want + 1);
	z_stream z;
	size_t i;

	memset(&z, 0, sizeof(z));
	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	z.next_in = (Bytef *)p;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)want + 1;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, want);
	for (i = 0; i < want; i++)
		assert_int_equal(out[i], (char)('a' + i % 23));
	inflateEnd(&z);
	free(out);
}

/* Length of the body that the headers announce. */
static size_t
announced(const struct client *c)
{
	return strtoul(strstr(c->got.p, "Content-Length: ") + 16, NULL, 10);
}

static void
until_body(struct client *c)
{
	until(c, "\r\n\r\n");
	while (c->got.n < (size_t)(strstr(c->got.p, "\r\n\r\n") + 4 - c->got.p) + announced(c))
		turn(c->w);
}

static void
test_gzip_and_head(void **state)
{
	struct world w;
	struct client c;
	size_t round;

	(void)state;
	world_open(&w, fast(), NULL);
	w.big = 100000;
	client_open(&c, &w, NULL);
	for (round = 0; round < 2; round++) {		/* the compressor is used again */
		send_text(&c, "GET /big HTTP/1.1\r\n" H "Accept-Encoding: gzip\r\n\r\n");
		until_body(&c);
		has(&c, "Content-Encoding: gzip\r\n");
		has(&c, "Vary: Accept-Encoding\r\n");
		inflate_check(strstr(c.got.p, "\r\n\r\n") + 4, announced(&c), w.big);
		strbuf_reset(&c.got);
	}
	send_text(&c, "GET /big HTTP/1.1\r\n" H "\r\n");
	until_body(&c);
	has_not(&c, "Content-Encoding");
	has(&c, "Vary: Accept-Encoding\r\n");
	assert_int_equal(announced(&c), w.big);
	assert_string_equal(c.got.p + c.got.n - 3, "qrs");
	strbuf_reset(&c.got);
	send_text(&c, "HEAD /big HTTP/1.1\r\n" H "\r\nHEAD /hello HTTP/1.1\r\n" H "\r\n");
	until(&c, "Content-Length: 5\r\n");
	until(&c, "text/x");
	assert_int_equal(announced(&c), w.big);
	has_not(&c, "abcdefgh");
	has_not(&c, "hello");
	client_close(&c);
	world_close(&w);
}

static void
test_http10(void **state)
{
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	until_over(&c);
	has(&c, "hello");
	has(&c, "Connection: close\r\n");
	has_not(&c, "chunked");
	client_close(&c);
	world_close(&w);
}

static void
test_limits(void **state)
{
	struct http_limits lim = { .per_address = 2, .requests = 2, .linger_us = 20 * MS };
	struct world w;
	struct client a, b, c;

	(void)state;
	world_open(&w, lim, NULL);
	client_open(&a, &w, NULL);
	client_open(&b, &w, NULL);
	client_open(&c, &w, NULL);
	until_over(&c);
	assert_int_equal(http_server_counters(w.server)->refused_address, 1);
	send_text(&a, "GET /hello HTTP/1.1\r\n" H "\r\n");
	until(&a, "hello");
	has_not(&a, "close");
	send_text(&a, "GET /hello HTTP/1.1\r\n" H "\r\n");
	until_over(&a);
	has(&a, "Connection: close");
	client_close(&c);
	client_open(&c, &w, NULL);		/* there is room again */
	send_text(&c, "GET /hello HTTP/1.1\r\n" H "\r\n");
	until(&c, "hello");
	lim.per_address = 0;
	lim.connections = 2;
	http_server_set_limits(w.server, &lim);
	client_close(&a);
	client_open(&a, &w, NULL);
	until_over(&a);
	assert_int_equal(http_server_counters(w.server)->refused_full, 1);
	client_close(&a);
	client_close(&b);
	client_close(&c);
	world_close(&w);
}

static void
on_drained(void *arg)
{
	((struct world *)arg)->drained = true;
}

static void
test_drain(void **state)
{
	struct world w;
	struct client idle, busy;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&idle, &w, NULL);
	client_open(&busy, &w, NULL);
	send_text(&idle, "GET /hello HTTP/1.1\r\n" H "\r\n");
	until(&idle, "hello");
	send_text(&busy, "GET /keep HTTP/1.1\r\n" H "\r\n");
	until_diary(&w, "head /keep;");
	http_server_drain(w.server, on_drained, &w);
	until_over(&idle);
	assert_false(w.drained);
	to.sin_port = htons(w.port);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	close(fd);
	say(w.kept, 200, "last words", false);
	until_over(&busy);
	has(&busy, "Connection: close\r\n");
	has(&busy, "last words");
	while (!w.drained)
		turn(&w);
	client_close(&idle);
	client_close(&busy);
	world_close(&w);
}

/* With nothing to finish, done is still called from the loop and not before. */
static void
test_drain_empty(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, fast(), NULL);
	http_server_drain(w.server, on_drained, &w);
	assert_false(w.drained);
	while (!w.drained)
		turn(&w);
	world_close(&w);
}

/* A server that ends while a handler holds a request tells the handler. */
static void
test_free_in_hand(void **state)
{
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), NULL);
	client_open(&c, &w, NULL);
	send_text(&c, "GET /keep HTTP/1.1\r\n" H "\r\n");
	until_diary(&w, "head /keep;");
	http_server_free(w.server);
	w.server = NULL;
	assert_string_equal(w.diary.p, "head /keep;gone;");
	until_over(&c);
	client_close(&c);
	world_close(&w);
}

static void
test_plain_only_on_loopback(void **state)
{
	struct err e = ERR_INIT;
	struct world w;
	int fd;

	(void)state;
	world_open(&w, fast(), NULL);
	assert_true((fd = http_listen_open("0.0.0.0", 0, &e)) >= 0);
	assert_int_equal(http_server_listen(w.server, fd, NULL, &e), -1);
	assert_int_equal(e.code, ERR_FORBIDDEN);
	assert_int_equal(http_listen_open("localhost", 0, &e), -1);
	assert_int_equal(e.code, ERR_VALUE);
	assert_int_equal(http_listen_open("127.0.0.1", w.port, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	world_close(&w);
}

/* --- TLS ----------------------------------------------------------------------------------------- */

static char dir[] = "/tmp/tocsin-http-XXXXXX";

static const char *
at(char buf[96], const char *name)
{
	snprintf(buf, 96, "%s/%s", dir, name);
	return buf;
}

static void
issue(const char *name)
{
	static const char *const names[] = { "127.0.0.1", NULL };
	int64_t now = clock_wall_us(), day = 86400 * INT64_C(1000000);
	struct tls_issue what = { name, names, now - day, now + day };
	char a[96], b[96], c[96], k[96], file[32];
	struct err e = ERR_INIT;

	snprintf(file, sizeof(file), "%s.crt", name);
	at(c, file);
	snprintf(file, sizeof(file), "%s.key", name);
	at(k, file);
	if (tls_make_cert(at(a, "ca.crt"), at(b, "ca.key"), &what, c, k, &e) < 0)
		fail_msg("%s", e.reason);
}

static int
make_pki(void **state)
{
	int64_t now = clock_wall_us(), day = 86400 * INT64_C(1000000);
	char a[96], b[96];
	struct err e = ERR_INIT;

	(void)state;
	if (mkdtemp(dir) == NULL ||
	    tls_make_ca("ca", now - day, now + day, at(a, "ca.crt"), at(b, "ca.key"), &e) < 0)
		return -1;
	issue("one");
	issue("two");
	issue("client");
	return 0;
}

static int
remove_pki(void **state)
{
	static const char *const files[] = { "ca.crt", "ca.key", "one.crt", "one.key", "two.crt",
	    "two.key", "client.crt", "client.key" };
	char a[96];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(at(a, files[i]));
	return rmdir(dir);
}

static struct tls *
server_tls(const char *cert, const char *key)
{
	char a[96], b[96], ca[96];
	struct tls_server_conf conf = { .name = "t", .cert = at(a, cert), .key = at(b, key),
	    .clients = TLS_CLIENTS_OPTIONAL, .client_ca = at(ca, "ca.crt") };
	struct err e = ERR_INIT;
	struct tls *t = tls_server_new(&conf, &e);

	if (t == NULL)
		fail_msg("%s", e.reason);
	return t;
}

static struct tls *
client_tls(bool with_cert)
{
	char a[96], b[96], ca[96];
	struct tls_client_conf conf = { .ca = at(ca, "ca.crt"),
	    .cert = with_cert ? at(a, "client.crt") : NULL,
	    .key = with_cert ? at(b, "client.key") : NULL };
	struct err e = ERR_INIT;
	struct tls *t = tls_client_new(&conf, &e);

	if (t == NULL)
		fail_msg("%s", e.reason);
	return t;
}

static void
test_tls(void **state)
{
	struct tls *one = server_tls("one.crt", "one.key"), *two = server_tls("two.crt", "two.key");
	struct tls *plain = client_tls(false), *known = client_tls(true);
	char pin[TLS_PIN_TEXT + 1], path[96];
	const char *pins[1] = { pin };
	struct err e = ERR_INIT;
	struct world w;
	struct client a, b;

	(void)state;
	world_open(&w, fast(), one);
	w.big = 300000;
	client_open(&a, &w, plain);
	client_open(&b, &w, known);
	send_text(&a, "GET /pin HTTP/1.1\r\n" H "\r\n");
	send_text(&b, "GET /pin HTTP/1.1\r\n" H "\r\n");
	until(&a, "\r\n\r\nnone");
	has(&a, "Strict-Transport-Security: ");
	assert_int_equal(tls_cert_read(at(path, "client.crt"), pin, NULL, NULL, &e), 0);
	until(&b, pin);
	/* a large answer arrives whole */
	strbuf_reset(&a.got);
	send_text(&a, "GET /big HTTP/1.1\r\n" H "\r\n");
	until_body(&a);
	assert_int_equal(announced(&a), w.big);
	/* new keys for new connections, old ones live on */
	http_server_swap_tls(w.server, 0, two);
	client_close(&b);
	client_open(&b, &w, plain);
	send_text(&b, "GET /hello HTTP/1.1\r\n" H "\r\n");
	until(&b, "hello");
	assert_int_equal(tls_cert_read(at(path, "two.crt"), pin, NULL, NULL, &e), 0);
	assert_int_equal(tls_check_pins(b.bev, pins, 1, &e), 0);
	send_text(&a, "GET /hello HTTP/1.1\r\n" H "\r\n");
	until(&a, "hello");
	assert_int_equal(tls_check_pins(a.bev, pins, 1, &e), -1);
	/* closing politely: the client sees an end, not a cut */
	send_text(&a, "GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	until_over(&a);
	assert_true((a.what & BEV_EVENT_EOF) != 0);
	client_close(&a);
	client_close(&b);
	world_close(&w);
	tls_free(one);
	tls_free(two);
	tls_free(plain);
	tls_free(known);
}

/* Megabytes come in as they were sent, by length and in chunks. */
static void
test_large_body(void **state)
{
	struct tls *one = server_tls("one.crt", "one.key"), *plain = client_tls(false);
	char want[2 * SHA256_LEN + 1], line[16];
	struct strbuf body = STRBUF_INIT;
	struct world w;
	struct client c;
	size_t i, n;

	(void)state;
	for (i = 0; i < 3000000; i++)
		strbuf_addc(&body, (char)(i * i >> 7));
	digest_sha256_hex(strbuf_slice(&body), want);
	world_open(&w, fast(), one);
	client_open(&c, &w, plain);
	send_text(&c, "POST /large HTTP/1.1\r\n" H "Content-Length: 3000000\r\n\r\n");
	bufferevent_write(c.bev, body.p, body.n);
	until(&c, want);
	strbuf_reset(&c.got);
	send_text(&c, "POST /large HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
	for (i = 0; i < body.n; i += n) {
		n = body.n - i < 77777 ? body.n - i : 77777;
		snprintf(line, sizeof(line), "%zX\r\n", n);
		send_text(&c, line);
		bufferevent_write(c.bev, body.p + i, n);
		send_text(&c, "\r\n");
	}
	send_text(&c, "0\r\n\r\n");
	until(&c, want);
	strbuf_fini(&body);
	client_close(&c);
	world_close(&w);
	tls_free(one);
	tls_free(plain);
}

/* close_notify from a client that waits for its answer, and a cut from one that does not. */
static void
test_tls_ends(void **state)
{
	struct tls *one = server_tls("one.crt", "one.key"), *plain = client_tls(false);
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, fast(), one);
	client_open(&c, &w, plain);
	send_text(&c, "GET /keep HTTP/1.1\r\n" H "\r\n");
	until_diary(&w, "head /keep;");
	SSL_shutdown(bufferevent_openssl_get_ssl(c.bev));
	settle(&w);
	assert_non_null(w.kept);
	say(w.kept, 200, "still", false);
	until_over(&c);
	has(&c, "still");
	client_close(&c);

	strbuf_reset(&w.diary);
	client_open(&c, &w, plain);
	send_text(&c, "GET /keep HTTP/1.1\r\n" H "\r\n");
	until_diary(&w, "head /keep;");
	bufferevent_free(c.bev);
	c.bev = NULL;
	until_diary(&w, "gone;");
	client_close(&c);

	/* refused with its body unread: the answer arrives whole, then an end */
	client_open(&c, &w, plain);
	send_text(&c, "POST /refuse HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\n12345");
	until_over(&c);
	has(&c, "{403|Forbidden|not you}");
	assert_true((c.what & BEV_EVENT_EOF) != 0);
	client_close(&c);
	world_close(&w);
	tls_free(one);
	tls_free(plain);
}

/* A handshake that never comes, and bytes that are none. */
static void
test_tls_handshake(void **state)
{
	struct tls *one = server_tls("one.crt", "one.key");
	struct http_limits lim = { .handshake_us = 20 * MS };
	struct world w;
	struct client c;

	(void)state;
	world_open(&w, lim, one);
	client_open(&c, &w, NULL);
	until_over(&c);
	assert_int_equal(http_server_counters(w.server)->timeouts_handshake, 1);
	client_close(&c);
	client_open(&c, &w, NULL);
	send_text(&c, "GET /hello HTTP/1.1\r\n" H "\r\n");
	until_over(&c);
	has_not(&c, "hello");
	assert_int_equal(http_server_counters(w.server)->handshakes_failed, 2);
	assert_int_equal(http_server_counters(w.server)->handshakes, 0);
	assert_string_equal(w.diary.p, "");
	client_close(&c);
	world_close(&w);
	tls_free(one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_linger),
		cmocka_unit_test(test_ignored_body),
		cmocka_unit_test(test_chunked),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_never_reads),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_gzip_and_head),
		cmocka_unit_test(test_http10),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_empty),
		cmocka_unit_test(test_free_in_hand),
		cmocka_unit_test(test_plain_only_on_loopback),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_large_body),
		cmocka_unit_test(test_tls_ends),
		cmocka_unit_test(test_tls_handshake),
	};

	return cmocka_run_group_tests(tests, make_pki, remove_pki);
}
