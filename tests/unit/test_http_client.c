/* If this fails, an advisory goes to somebody who is not the peer, goes twice, or is believed
 * delivered when it was not. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/http_client.h"
#include "adapters/http_server.h"
#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

#define MS	INT64_C(1000)

/* A client, what it was told, and whom it talks to: our own server or a scripted one. */
struct world {
	struct event_base	*base;
	struct event		*failsafe;
	struct http_server	*server;
	struct evconnlistener	*raw;
	struct bufferevent	*raw_bev;
	const char *const	*script;	/* one answer a connection; the last NULL: silence */
	size_t			 connections;
	bool			 hang_up;	/* close behind a scripted answer */
	uint16_t		 port;
	struct http_client	*client;
	struct strbuf		 diary;
	size_t			 replies;
	bool			 free_in_callback;
	struct err		 err;
	enum http_step		 step;
};

static void
on_failsafe(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("nothing happened for ten seconds");
}

/* --- the servers --------------------------------------------------------------------------------- */

static void
on_head(struct http_exchange *x, void *arg)
{
	struct world *w = arg;
	struct strbuf all = STRBUF_INIT;

	(void)w;
	if (x->head->method == HTTP_POST) {
		http_want_body(x, 1000);
		return;
	}
	strbuf_addf(&all, "%.*s %.*s|%.*s|%.*s", SLICE_ARG(x->head->method_text),
	    SLICE_ARG(x->head->target), SLICE_ARG(x->head->host),
	    SLICE_ARG(http1_field(x->head, "X-Test")));
	http_respond(x, &(struct http_answer){ .status = 200, .take = &all });
}

static void
on_body_end(struct http_exchange *x, struct slice body, void *arg)
{
	(void)arg;
	http_respond(x, &(struct http_answer){ .status = 202, .body = body });
}

static void
on_raw_read(struct bufferevent *bev, void *arg)
{
	struct world *w = arg;
	const char *answer = w->script[w->connections - 1];

	evbuffer_drain(bufferevent_get_input(bev), SIZE_MAX);
	strbuf_adds(&w->diary, "request;");
	if (answer == NULL)
		return;
	send(bufferevent_getfd(bev), answer, strlen(answer), MSG_NOSIGNAL);
	if (w->hang_up)
		shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void
on_raw_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg)
{
	struct world *w = arg;

	(void)l;
	(void)sa;
	(void)n;
	w->connections++;
	if (w->raw_bev != NULL)
		bufferevent_free(w->raw_bev);
	w->raw_bev = bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(w->raw_bev, on_raw_read, NULL, NULL, w);
	bufferevent_enable(w->raw_bev, EV_READ);
}

/* --- the stage ----------------------------------------------------------------------------------- */

static void
world_base(struct world *w)
{
	struct timeval ten = { 10, 0 };

	memset(w, 0, sizeof(*w));
	strbuf_init(&w->diary);
	w->base = event_base_new();
	w->failsafe = evtimer_new(w->base, on_failsafe, NULL);
	evtimer_add(w->failsafe, &ten);
}

static void
world_open(struct world *w, struct tls *server_tls)
{
	struct http_handler h = { .on_head = on_head, .on_body_end = on_body_end, .arg = w };
	struct err e = ERR_INIT;

	world_base(w);
	w->server = http_server_new(w->base, NULL, &h);
	http_server_listen(w->server, http_listen_open("127.0.0.1", 0, &e), server_tls, &e);
	w->port = http_server_port(w->server, 0);
}

static void
world_script(struct world *w, const char *const *script, bool hang_up)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);

	world_base(w);
	w->script = script;
	w->hang_up = hang_up;
	w->raw = evconnlistener_new_bind(w->base, on_raw_accept, w, LEV_OPT_CLOSE_ON_FREE, -1,
	    (struct sockaddr *)&in, sizeof(in));
	assert_non_null(w->raw);
	getsockname(evconnlistener_get_fd(w->raw), (struct sockaddr *)&in, &n);
	w->port = ntohs(in.sin_port);
}

static void
world_close(struct world *w)
{
	http_client_free(w->client);
	http_server_free(w->server);
	if (w->raw_bev != NULL)
		bufferevent_free(w->raw_bev);
	if (w->raw != NULL)
		evconnlistener_free(w->raw);
	event_free(w->failsafe);
	event_base_free(w->base);
	strbuf_fini(&w->diary);
}

static void
client(struct world *w, struct http_client_conf conf)
{
	if (conf.host == NULL)
		conf.host = "127.0.0.1";
	if (conf.port == 0)
		conf.port = w->port;
	w->client = http_client_new(w->base, &conf);
}

static void
on_reply(const struct http_reply *r, void *arg)
{
	struct world *w = arg;

	w->replies++;
	w->err = *r->err;
	w->step = r->step;
	if (r->status == 0)
		strbuf_addf(&w->diary, "failed;");
	else
		strbuf_addf(&w->diary, "%d %.*s;", r->status, SLICE_ARG(r->body));
	assert_int_equal(r->status == 0, r->err->code != ERR_NONE);
	assert_int_equal(r->status != 0, r->step == HTTP_STEP_DONE);
	if (w->free_in_callback) {
		http_client_free(w->client);
		w->client = NULL;
	}
}

static struct http_call *
call(struct world *w, const char *method, const char *target, const char *body, bool repeatable)
{
	struct http_request rq = { .method = method, .target = target, .body = slice_of(body),
	    .repeatable = repeatable };
	struct err e = ERR_INIT;
	struct http_call *c = http_client_send(w->client, &rq, on_reply, w, &e);

	w->err = e;
	return c;
}

static void
until_replies(struct world *w, size_t n)
{
	while (w->replies < n)
		assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
}

static void
settle(struct world *w)
{
	int i;

	for (i = 0; i < 5; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK);
}

static void
failed_with(const struct world *w, enum http_step step, enum err_code code, const char *words)
{
	if (w->step != step || w->err.code != code || strstr(w->err.reason, words) == NULL)
		fail_msg("step %d code %s: %s", w->step, err_word(w->err.code), w->err.reason);
}

/* --- plain --------------------------------------------------------------------------------------- */

static void
test_calls(void **state)
{
	static const struct http_header headers[] = { { "X-Test", "a b" }, { "X-None", NULL } };
	struct http_request rq = { .method = "GET", .target = "/x?y=%20", .headers = headers,
	    .nheaders = 2 };
	struct strbuf body = STRBUF_INIT;
	char want[256];
	struct world w;

	(void)state;
	world_open(&w, NULL);
	client(&w, (struct http_client_conf){ 0 });
	assert_non_null(http_client_send(w.client, &rq, on_reply, &w, NULL));
	assert_int_equal(w.replies, 0);
	assert_non_null(call(&w, "POST", "/", "hello", false));
	assert_non_null(call(&w, "HEAD", "/h", "", false));
	strbuf_adds(&body, "taken");
	rq = (struct http_request){ .method = "POST", .target = "/", .take = &body };
	assert_non_null(http_client_send(w.client, &rq, on_reply, &w, NULL));
	assert_int_equal(body.n, 0);
	assert_int_equal(http_client_queued(w.client), 4);
	until_replies(&w, 4);
	snprintf(want, sizeof(want), "200 GET /x?y=%%20|127.0.0.1:%u|a b;202 hello;200 ;202 taken;",
	    w.port);
	assert_string_equal(w.diary.p, want);
	assert_int_equal(http_server_counters(w.server)->accepted, 1);	/* one connection */
	world_close(&w);
}

static void
test_not_sent(void **state)
{
	static const struct http_header evil[] = { { "X-Test", "a\r\nX: b" } };
	struct http_request rq = { .method = "GET", .target = "/", .headers = evil, .nheaders = 1 };
	struct world w;
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	world_open(&w, NULL);
	client(&w, (struct http_client_conf){ .max_queue = 3 });
	assert_null(http_client_send(w.client, &rq, on_reply, &w, &e));
	assert_int_equal(e.code, ERR_VALUE);
	assert_null(call(&w, "GET", "/a b", "", false));
	assert_null(call(&w, "GET", "a", "", false));
	assert_null(call(&w, "BREW", "/", "", false));
	for (i = 0; i < 3; i++)
		assert_non_null(call(&w, "GET", "/", "", false));
	assert_null(call(&w, "GET", "/", "", false));
	assert_int_equal(w.err.code, ERR_BUSY);
	until_replies(&w, 3);
	world_close(&w);
}

static void
test_nobody_there(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	http_server_drain(w.server, NULL, NULL);
	client(&w, (struct http_client_conf){ 0 });
	call(&w, "GET", "/", "", false);
	until_replies(&w, 1);
	failed_with(&w, HTTP_STEP_TCP, ERR_IO, "tcp: 127.0.0.1 port ");
	assert_non_null(strstr(w.err.reason, "refused"));
	world_close(&w);
}

static const struct {
	const char *answer;
	bool hang_up;
	const char *diary;
	enum http_step step;
	enum err_code code;
	const char *words;
} answers[] = {
	{ "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false,
	  "request;200 hi;", HTTP_STEP_DONE, ERR_NONE, "" },
	{ "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", false,
	  "request;302 ;", HTTP_STEP_DONE, ERR_NONE, "" },
	{ "HTTP/1.0 200 OK\r\n\r\nall of it", true, "request;200 all of it;", HTTP_STEP_DONE,
	  ERR_NONE, "" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", true, "request;failed;",
	  HTTP_STEP_ANSWER, ERR_IO, "http: the other side closed" },
	{ "", true, "request;failed;", HTTP_STEP_ANSWER, ERR_IO, "http: the other side closed" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", false,
	  "request;failed;", HTTP_STEP_ANSWER, ERR_DUPLICATE, "http: bad answer: " },
	{ "SSH-2.0-x\r\n", false, "request;failed;", HTTP_STEP_ANSWER, ERR_SYNTAX, "bad answer" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901", false, "request;failed;",
	  HTTP_STEP_ANSWER, ERR_LIMIT, "larger than 10 bytes" },
	{ NULL, false, "request;failed;", HTTP_STEP_ANSWER, ERR_TIMEOUT, "no answer from 127.0.0.1:" },
};

static void
test_answers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		const char *script[] = { answers[i].answer, NULL, NULL };
		struct world w;

		world_script(&w, script, answers[i].hang_up);
		client(&w, (struct http_client_conf){ .max_answer = 10,
		    .total_us = answers[i].answer == NULL ? 30 * MS : 0 });
		call(&w, "GET", "/", "", true);
		until_replies(&w, 1);
		assert_string_equal(w.diary.p, answers[i].diary);
		if (answers[i].code != ERR_NONE)
			failed_with(&w, answers[i].step, answers[i].code, answers[i].words);
		assert_int_equal(w.connections, 1);	/* a first try is never repeated */
		world_close(&w);
	}
}

/* A kept connection that the server has given up: repeated if allowed, else an error. */
static void
test_kept_too_long(void **state)
{
	static const char *const script[] = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	    "HTTP/1.1 202 OK\r\nContent-Length: 2\r\n\r\nho", NULL };
	int repeatable;

	(void)state;
	for (repeatable = 0; repeatable < 2; repeatable++) {
		struct world w;

		world_script(&w, script, false);
		client(&w, (struct http_client_conf){ 0 });
		call(&w, "GET", "/", "", false);
		until_replies(&w, 1);
		/* the end of the connection and the next call meet on the way */
		bufferevent_free(w.raw_bev);
		w.raw_bev = NULL;
		event_base_loop(w.base, EVLOOP_NONBLOCK);
		call(&w, "POST", "/", "x", repeatable);
		until_replies(&w, 2);
		if (strstr(w.diary.p, "202 ho;") == NULL) {
			assert_false(repeatable);
			assert_string_equal(w.diary.p, "request;200 hi;failed;");
		}
		world_close(&w);
	}
}

/* The server takes the second request and dies before it answers: only a repeatable one goes again. */
static void
test_dies_before_answer(void **state)
{
	static const char *const script[] = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	    "HTTP/1.1 202 OK\r\nContent-Length: 2\r\n\r\nho", NULL };
	int repeatable;

	(void)state;
	for (repeatable = 0; repeatable < 2; repeatable++) {
		struct world w;

		world_script(&w, script, false);
		client(&w, (struct http_client_conf){ 0 });
		call(&w, "GET", "/", "", false);
		until_replies(&w, 1);
		bufferevent_setcb(w.raw_bev, NULL, NULL, NULL, NULL);
		call(&w, "POST", "/", "x", repeatable);
		while (evbuffer_get_length(bufferevent_get_input(w.raw_bev)) == 0)
			event_base_loop(w.base, EVLOOP_ONCE);
		bufferevent_free(w.raw_bev);
		w.raw_bev = NULL;
		until_replies(&w, 2);
		assert_string_equal(w.diary.p, repeatable ? "request;200 hi;request;202 ho;" :
		    "request;200 hi;failed;");
		if (!repeatable)
			failed_with(&w, HTTP_STEP_ANSWER, ERR_IO, "http: ");
		world_close(&w);
	}
}

static void
test_cancel_and_free(void **state)
{
	static const char *const silent[] = { NULL, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" };
	static const char *const nothing[] = { NULL, NULL };
	struct http_call *first, *second;
	struct world w;

	(void)state;
	world_script(&w, silent, false);
	client(&w, (struct http_client_conf){ 0 });
	first = call(&w, "GET", "/1", "", false);
	second = call(&w, "GET", "/2", "", false);
	call(&w, "GET", "/3", "", false);
	while (strstr(w.diary.p, "request;") == NULL)
		event_base_loop(w.base, EVLOOP_ONCE);
	http_client_cancel(second);		/* waiting */
	http_client_cancel(first);		/* in flight: its connection goes with it */
	until_replies(&w, 1);
	assert_string_equal(w.diary.p, "request;request;200 hi;");
	assert_int_equal(w.connections, 2);
	world_close(&w);

	world_script(&w, nothing, false);
	client(&w, (struct http_client_conf){ 0 });
	call(&w, "GET", "/4", "", false);	/* freed with calls of every kind */
	call(&w, "GET", "/5", "", false);
	settle(&w);
	http_client_free(w.client);
	client(&w, (struct http_client_conf){ 0 });
	call(&w, "GET", "/6", "", false);
	http_client_free(w.client);
	w.client = NULL;
	settle(&w);
	assert_int_equal(w.replies, 0);
	world_close(&w);

	world_open(&w, NULL);
	client(&w, (struct http_client_conf){ 0 });
	w.free_in_callback = true;
	call(&w, "GET", "/7", "", false);
	call(&w, "GET", "/8", "", false);
	until_replies(&w, 1);
	settle(&w);
	assert_int_equal(w.replies, 1);
	world_close(&w);

	world_open(&w, NULL);
	client(&w, (struct http_client_conf){ 0 });
	call(&w, "GET", "/9", "", false);
	call(&w, "GET", "/10", "", false);
	http_client_retire(w.client);		/* finishes both, then is gone */
	assert_null(call(&w, "GET", "/11", "", false));
	w.client = NULL;
	until_replies(&w, 2);
	settle(&w);
	assert_int_equal(http_server_counters(w.server)->requests, 2);
	world_close(&w);
}

/* An unused connection is closed by us, politely. */
static void
test_idle(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	client(&w, (struct http_client_conf){ .idle_us = 20 * MS });
	call(&w, "GET", "/", "", false);
	until_replies(&w, 1);
	while (http_server_counters(w.server)->open > 0)
		event_base_loop(w.base, EVLOOP_ONCE);
	call(&w, "GET", "/", "", false);
	until_replies(&w, 2);
	assert_int_equal(http_server_counters(w.server)->accepted, 2);
	world_close(&w);
}

/* --- names --------------------------------------------------------------------------------------- */

/* A resolver that never answers costs the time we gave it; a known name is looked up without asking
 * anybody; of several addresses the first that works is taken. */
static void
test_names(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	char hosts[] = "/tmp/tocsin-hosts-XXXXXX", server[64];
	socklen_t n = sizeof(in);
	struct evdns_base *dns;
	struct world w;
	int fd;

	(void)state;
	assert_int_equal(bind(udp, (struct sockaddr *)&in, sizeof(in)), 0);
	getsockname(udp, (struct sockaddr *)&in, &n);
	fd = mkstemp(hosts);
	assert_true(write(fd, "::1 peer.example\n127.0.0.1 peer.example\n", 40) == 40);
	close(fd);

	world_open(&w, NULL);
	dns = evdns_base_new(w.base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	snprintf(server, sizeof(server), "127.0.0.1:%u", ntohs(in.sin_port));
	assert_int_equal(evdns_base_nameserver_ip_add(dns, server), 0);
	assert_int_equal(evdns_base_load_hosts(dns, hosts), 0);
	client(&w, (struct http_client_conf){ .host = "peer.example", .dns = dns });
	call(&w, "GET", "/", "", false);
	until_replies(&w, 1);
	if (strstr(w.diary.p, "200 GET /|peer.example:") == NULL)
		fail_msg("%s %s", w.diary.p, w.err.reason);
	http_client_free(w.client);

	client(&w, (struct http_client_conf){ .host = "unknown.example", .dns = dns,
	    .connect_us = 50 * MS });
	call(&w, "GET", "/", "", false);
	until_replies(&w, 2);
	failed_with(&w, HTTP_STEP_NAME, ERR_TIMEOUT, "name: no answer from unknown.example");
	call(&w, "GET", "/", "", false);
	settle(&w);
	http_client_free(w.client);		/* while it looks the name up */
	w.client = NULL;
	settle(&w);
	evdns_base_free(dns, 0);
	world_close(&w);
	unlink(hosts);
	close(udp);
}

/* --- TLS ----------------------------------------------------------------------------------------- */

static char dir[] = "/tmp/tocsin-client-XXXXXX";
static const char *const files[] = { "ca.crt", "ca.key", "one.crt", "one.key", "two.crt", "two.key",
    "client.crt", "client.key" };
static char paths[8][96];

/* dir/name, for the files above. */
static const char *
at(const char *name)
{
	size_t i;

	for (i = 0; strcmp(files[i], name) != 0; i++)
		;
	snprintf(paths[i], sizeof(paths[i]), "%s/%s", dir, name);
	return paths[i];
}

static int
make_pki(void **state)
{
	static const char *const names[] = { "node.example", NULL };
	int64_t now = clock_wall_us(), day = 86400 * INT64_C(1000000);
	struct tls_issue what = { "x", names, now - day, now + day };
	struct err e = ERR_INIT;

	(void)state;
	return mkdtemp(dir) == NULL ||
	    tls_make_ca("ca", now - day, now + day, at("ca.crt"), at("ca.key"), &e) < 0 ||
	    tls_make_cert(at("ca.crt"), at("ca.key"), &what, at("one.crt"), at("one.key"), &e) < 0 ||
	    tls_make_cert(at("ca.crt"), at("ca.key"), &what, at("two.crt"), at("two.key"), &e) < 0 ||
	    tls_make_cert(at("ca.crt"), at("ca.key"), &what, at("client.crt"), at("client.key"),
	    &e) < 0 ? -1 : 0;
}

static int
remove_pki(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(at(files[i]));
	return rmdir(dir);
}

static struct tls *
server_tls(const char *cert, const char *key)
{
	struct tls_server_conf conf = { .name = "t", .cert = at(cert), .key = at(key),
	    .clients = TLS_CLIENTS_REQUIRED, .client_ca = at("ca.crt") };

	return tls_server_new(&conf, NULL);
}

static struct tls *
client_tls(bool with_cert)
{
	struct tls_client_conf conf = { .ca = at("ca.crt"),
	    .cert = with_cert ? at("client.crt") : NULL,
	    .key = with_cert ? at("client.key") : NULL };

	return tls_client_new(&conf, NULL);
}

static void
test_tls(void **state)
{
	struct tls *one = server_tls("one.crt", "one.key"), *two = server_tls("two.crt", "two.key");
	struct tls *known = client_tls(true), *stranger = client_tls(false);
	char pin1[TLS_PIN_TEXT + 1], pin2[TLS_PIN_TEXT + 1];
	const char *pins[1] = { pin1 }, *other[1] = { pin2 };
	struct http_client_conf conf = { .tls = known, .name = "node.example", .pins = pins,
	    .npins = 1 };
	struct err e = ERR_INIT;
	struct world w;

	(void)state;
	assert_int_equal(tls_cert_read(at("one.crt"), pin1, NULL, NULL, &e), 0);
	assert_int_equal(tls_cert_read(at("two.crt"), pin2, NULL, NULL, &e), 0);
	world_open(&w, one);
	client(&w, conf);
	call(&w, "POST", "/", "secret", true);
	call(&w, "POST", "/", "more", true);
	until_replies(&w, 2);
	assert_string_equal(w.diary.p, "202 secret;202 more;");
	assert_int_equal(http_server_counters(w.server)->handshakes, 1);

	/* the peer has a new key: the kept connection goes on, a new one is refused until we know */
	http_server_swap_tls(w.server, 0, two);
	call(&w, "POST", "/", "x", true);
	until_replies(&w, 3);
	assert_int_equal(http_server_counters(w.server)->handshakes, 1);
	http_client_swap_tls(w.client, known, pins, 1);
	call(&w, "POST", "/", "secret", true);
	until_replies(&w, 4);
	failed_with(&w, HTTP_STEP_TLS, ERR_CRYPTO, pin2);
	http_client_swap_tls(w.client, known, other, 1);
	call(&w, "POST", "/", "x", true);
	until_replies(&w, 5);
	assert_int_equal(w.err.code, ERR_NONE);
	assert_int_equal(http_server_counters(w.server)->requests, 4);	/* no byte went to the wrong key */
	http_client_free(w.client);

	conf.name = "other.example";
	conf.npins = 0;
	client(&w, conf);
	call(&w, "POST", "/", "secret", true);
	until_replies(&w, 6);
	failed_with(&w, HTTP_STEP_TLS, ERR_CRYPTO, "is not for other.example");
	http_client_free(w.client);

	conf.name = "node.example";
	conf.tls = stranger;
	client(&w, conf);
	call(&w, "POST", "/", "secret", true);
	until_replies(&w, 7);
	failed_with(&w, HTTP_STEP_TLS, ERR_CRYPTO, "the other side refuses: ");
	assert_int_equal(http_server_counters(w.server)->requests, 4);
	world_close(&w);
	tls_free(one);
	tls_free(two);
	tls_free(known);
	tls_free(stranger);
}

/* Somebody who answers the phone but does not speak TLS. */
static void
test_tls_to_plain(void **state)
{
	static const char *const script[] = { "HTTP/1.1 400 Bad\r\n\r\n", NULL };
	struct tls *known = client_tls(true);
	struct world w;

	(void)state;
	world_script(&w, script, false);
	client(&w, (struct http_client_conf){ .tls = known, .name = "node.example" });
	call(&w, "GET", "/", "", true);
	until_replies(&w, 1);
	failed_with(&w, HTTP_STEP_TLS, ERR_CRYPTO, "tls: ");
	world_close(&w);

	world_script(&w, (const char *const[]){ NULL, NULL }, false);
	client(&w, (struct http_client_conf){ .tls = known, .name = "node.example",
	    .connect_us = 30 * MS });
	call(&w, "GET", "/", "", true);
	until_replies(&w, 1);
	failed_with(&w, HTTP_STEP_TLS, ERR_TIMEOUT, "tls: no answer from 127.0.0.1");
	world_close(&w);
	tls_free(known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_not_sent),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_kept_too_long),
		cmocka_unit_test(test_dies_before_answer),
		cmocka_unit_test(test_cancel_and_free),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_tls_to_plain),
	};

	return cmocka_run_group_tests(tests, make_pki, remove_pki);
}
