/* If this fails, a Redis that dies, hangs, is full or lies takes the gateway with it: requests wait for
 * ever, memory runs out, or an answer is given to the wrong question. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/redis_link.h"
#include "redis_server.h"

#define WORDS(...)	(int)(sizeof((struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice)), \
			(struct slice[]){ __VA_ARGS__ }
#define L(s)		SLICE_LIT(s)

/* The answers, as text, in the order in which they came. */
struct diary {
	struct strbuf	text;
	unsigned	calls, nulls;
};

static void
write_reply(struct strbuf *b, const struct redis_reply *r)
{
	size_t i;

	switch (r->kind) {
	case REDIS_NIL:
		strbuf_adds(b, "nil");
		break;
	case REDIS_INT:
		strbuf_addf(b, "%lld", (long long)r->integer);
		break;
	case REDIS_TEXT:
	case REDIS_STATUS:
	case REDIS_ERROR:
		strbuf_addc(b, "\"+-"[r->kind == REDIS_TEXT ? 0 : r->kind == REDIS_STATUS ? 1 : 2]);
		strbuf_addsl(b, r->text);
		break;
	case REDIS_LIST:
		strbuf_addc(b, '[');
		for (i = 0; i < r->nitems; i++) {
			write_reply(b, &r->items[i]);
			strbuf_addc(b, ',');
		}
		strbuf_addc(b, ']');
		break;
	}
}

static void
on_reply(void *arg, const struct redis_reply *r)
{
	struct diary *d = arg;

	d->calls++;
	if (r == NULL) {
		d->nulls++;
		strbuf_adds(&d->text, "NULL");
	} else {
		write_reply(&d->text, r);
	}
	strbuf_addc(&d->text, ';');
}

struct wanted {
	struct diary	*d;
	unsigned	 calls;
};

static bool
has_calls(void *arg)
{
	struct wanted *w = arg;

	return w->d->calls >= w->calls;
}

static void
wait_calls(struct event_base *base, struct diary *d, unsigned calls)
{
	run_until(base, has_calls, &(struct wanted){ d, calls });
	assert_int_equal(d->calls, calls);
}

static void
expect(struct diary *d, const char *text)
{
	assert_string_equal(d->text.p, text);
	strbuf_fini(&d->text);
	memset(d, 0, sizeof(*d));
	strbuf_init(&d->text);
}

static struct redis *
connect_to(struct event_base *base, const struct redis_conf *conf)
{
	struct err e = ERR_INIT;
	struct redis *r = redis_new(base, conf, NULL, NULL, &e);

	if (r == NULL)
		fail_msg("%s", e.reason);
	return r;
}

/* --- what a good server says --------------------------------------------------------------------- */

static struct server good;

static int
start_good(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	log_setup(2, false, getenv("TEST_LOG") != NULL ? LOG_DEBUG : LOG_OFF);
	server_start(&good, NULL);
	return 0;
}

static int
stop_good(void **state)
{
	(void)state;
	server_stop(&good);
	return 0;
}

static void
test_kinds_of_reply(void **state)
{
	struct event_base *base = event_base_new();
	struct redis_conf conf = conf_of(&good);
	struct redis *r = connect_to(base, &conf);
	struct diary d = { .text = STRBUF_INIT };
	struct redis_figures f;

	(void)state;
	assert_int_equal(redis_state(r), REDIS_CONNECTING);
	redis_command(r, WORDS(L("GET"), L("x")), on_reply, &d);
	expect(&d, "NULL;");		/* not connected yet: at once */
	run_until(base, is_up, r);
	assert_string_equal(redis_reason(r), "");
	redis_command(r, WORDS(L("SET"), L("x"), { "a\0\r\n$9\r\n", 9 }), on_reply, &d);
	redis_command(r, WORDS(L("STRLEN"), L("x")), on_reply, &d);
	redis_command(r, WORDS(L("SET"), L("y"), L("")), NULL, NULL);
	redis_command(r, WORDS(L("GET"), L("y")), on_reply, &d);
	redis_command(r, WORDS(L("GET"), L("none")), on_reply, &d);
	redis_command(r, WORDS(L("MGET"), L("y"), L("none"), L("y")), on_reply, &d);
	redis_command(r, WORDS(L("LRANGE"), L("none"), L("0"), L("1")), on_reply, &d);
	redis_command(r, WORDS(L("NONSENSE")), on_reply, &d);
	redis_command(r, WORDS(L("EVAL"), L("return {1, {2, {'x'}}, false}"), L("0")), on_reply, &d);
	assert_int_equal(d.calls, 0);
	redis_figures(r, &f);
	assert_int_equal(f.waiting, 9);
	assert_int_equal(f.commands, 9);
	assert_int_equal(f.failures, 1);
	wait_calls(base, &d, 8);
	expect(&d, "+OK;9;\";nil;[\",nil,\",];[];-ERR unknown command 'NONSENSE', with args "
	    "beginning with: ;[1,[2,[\"x,],],nil,];");
	redis_free(r);
	event_base_free(base);
}

/* Answers must meet their questions: 5,000 in flight at once. */
static void
test_pipeline_keeps_order(void **state)
{
	struct event_base *base = event_base_new();
	struct redis_conf conf = conf_of(&good);
	struct redis *r = connect_to(base, &conf);
	struct diary d = { .text = STRBUF_INIT };
	struct strbuf want = STRBUF_INIT;
	char text[16];
	int i, round;

	(void)state;
	run_until(base, is_up, r);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 5000; i++) {
			snprintf(text, sizeof(text), "%d", i);
			redis_command(r, WORDS(L("ECHO"), slice_of(text)), on_reply, &d);
			strbuf_addf(&want, "\"%d;", i);
		}
		wait_calls(base, &d, 5000);
		expect(&d, want.p);
		strbuf_reset(&want);
	}
	strbuf_fini(&want);
	redis_free(r);
	event_base_free(base);
}

static void
test_queue_is_bounded(void **state)
{
	struct event_base *base = event_base_new();
	struct redis_conf conf = conf_of(&good);
	struct diary d = { .text = STRBUF_INIT };
	struct redis *r;
	int i;

	(void)state;
	conf.queue_max = 20;
	r = connect_to(base, &conf);
	run_until(base, is_up, r);
	for (i = 0; i < 30; i++)
		redis_command(r, WORDS(L("PING")), on_reply, &d);
	assert_int_equal(d.calls, 10);
	assert_int_equal(d.nulls, 10);
	assert_int_equal(redis_state(r), REDIS_UP);
	wait_calls(base, &d, 30);
	assert_int_equal(d.nulls, 10);
	strbuf_fini(&d.text);
	redis_free(r);
	event_base_free(base);
}

static const char add_script[] = "return tonumber(ARGV[1]) + tonumber(ARGV[2])";
static const char bad_script[] = "return redis.call('LPUSH', KEYS[1], 'x')";

/* A server that was restarted or flushed knows no scripts: the answer comes all the same. */
static void
test_scripts(void **state)
{
	struct event_base *base = event_base_new();
	struct redis_conf conf = conf_of(&good);
	struct redis *r = connect_to(base, &conf);
	struct diary d = { .text = STRBUF_INIT };
	int i;

	(void)state;
	run_until(base, is_up, r);
	for (i = 0; i < 3; i++) {
		redis_script(r, add_script, 0, WORDS(L("1"), L("2")), on_reply, &d);
		redis_script(r, add_script, 0, WORDS(L("3"), L("4")), on_reply, &d);
		wait_calls(base, &d, 2);
		expect(&d, "3;7;");
		if (i == 1)
			tell(&good, "SCRIPT FLUSH", "+OK");
	}
	redis_command(r, WORDS(L("SET"), L("text"), L("x")), NULL, NULL);
	redis_script(r, bad_script, 1, WORDS(L("text")), on_reply, &d);
	wait_calls(base, &d, 1);
	assert_int_equal(strncmp(d.text.p, "-WRONGTYPE ", 11), 0);
	assert_int_equal(redis_state(r), REDIS_UP);
	strbuf_fini(&d.text);
	redis_free(r);
	event_base_free(base);
}

static void
test_database_and_prefix(void **state)
{
	struct event_base *base = event_base_new();
	struct server s;
	struct redis_conf conf;
	struct redis *r;
	char port[16], url[64];
	const char *more[] = { "--port", port, NULL };

	(void)state;
	snprintf(port, sizeof(port), "%u", free_port());
	server_start(&s, more);
	conf = conf_of(&s);
	conf.url = url;
	snprintf(url, sizeof(url), "redis://127.0.0.1:%s/3", port);
	r = connect_to(base, &conf);
	run_until(base, is_up, r);
	tell(&s, "EXISTS t:ready", ":0");
	redis_free(r);
	/* A name: /etc/hosts knows this one everywhere. */
	snprintf(url, sizeof(url), "redis://localhost:%s", port);
	tell(&s, "FLUSHALL", "+OK");
	r = connect_to(base, &conf);
	run_until(base, is_up, r);
	tell(&s, "EXISTS t:ready", ":1");
	redis_free(r);
	/* A name that is none. */
	snprintf(url, sizeof(url), "redis://no-such-host.invalid:%s", port);
	r = connect_to(base, &conf);
	run_until(base, is_down, r);
	assert_true(strlen(redis_reason(r)) > 0);
	redis_free(r);
	event_base_free(base);
	server_stop(&s);
}

/* --- who we are ---------------------------------------------------------------------------------- */

static void
test_passwords(void **state)
{
	static const char *const more[] = { "--requirepass", "swordfish", "--user",
	    "gate", "on", ">secret", "~t:*", "+@all", NULL };
	static const struct { const char *user, *password, *reason; } rows[] = {
		{ NULL, "swordfish\n", NULL },
		{ NULL, "swordfish\nsecond line\n", NULL },
		{ "gate", "secret", NULL },
		{ NULL, NULL, "NOAUTH" },
		{ NULL, "marlin", "WRONGPASS" },
		{ "gate", "swordfish", "WRONGPASS" },
		{ "nobody", "secret", "WRONGPASS" },
	};
	struct event_base *base = event_base_new();
	struct redis_conf conf;
	struct err e = ERR_INIT;
	struct server s;
	struct redis *r;
	char path[128];
	size_t i;

	(void)state;
	server_start(&s, more);
	snprintf(path, sizeof(path), "%s/password", s.dir);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		conf = conf_of(&s);
		conf.user = rows[i].user;
		if (rows[i].password != NULL) {
			assert_int_equal(file_write(path, slice_of(rows[i].password), 0600, &e), 0);
			conf.password_file = path;
		}
		r = connect_to(base, &conf);
		run_until(base, rows[i].reason == NULL ? is_up : is_down, r);
		if (rows[i].reason != NULL)
			assert_int_equal(strncmp(redis_reason(r), rows[i].reason,
			    strlen(rows[i].reason)), 0);
		redis_free(r);
	}
	/* What cannot work is said at once. */
	conf.password_file = NULL;
	conf.user = "gate";
	assert_null(redis_new(base, &conf, NULL, NULL, &e));
	conf.password_file = "/does/not/exist";
	assert_null(redis_new(base, &conf, NULL, NULL, &e));
	assert_int_equal(file_write(path, slice_of("\nx"), 0600, &e), 0);
	conf.password_file = path;
	assert_null(redis_new(base, &conf, NULL, NULL, &e));
	unlink(path);
	event_base_free(base);
	server_stop(&s);
}

static void
test_urls(void **state)
{
	static const struct { const char *url, *host, *path; unsigned port, db; bool tls, bad; } rows[] = {
		{ .url = "unix:/run/redis.sock", .path = "/run/redis.sock", .host = "" },
		{ .url = "redis://a.example:7000", .host = "a.example", .port = 7000 },
		{ .url = "redis://a.example", .host = "a.example", .port = 6379 },
		{ .url = "redis://10.0.0.1/", .host = "10.0.0.1", .port = 6379 },
		{ .url = "redis://10.0.0.1:1/15", .host = "10.0.0.1", .port = 1, .db = 15 },
		{ .url = "rediss://[::1]:6380/2", .host = "::1", .port = 6380, .db = 2, .tls = true },
		{ .url = "rediss://[::1]", .host = "::1", .port = 6379, .tls = true },
		{ .url = "unix:relative", .bad = true }, { .url = "unix:", .bad = true },
		{ .url = "redis://", .bad = true }, { .url = "redis://:6379", .bad = true },
		{ .url = "redis://a:0", .bad = true }, { .url = "redis://a:65536", .bad = true },
		{ .url = "redis://a:", .bad = true }, { .url = "redis://a:1:2", .bad = true },
		{ .url = "redis://[::1", .bad = true }, { .url = "redis://[::1]x", .bad = true },
		{ .url = "redis://a/x", .bad = true }, { .url = "redis://a/1/2", .bad = true },
		{ .url = "redis://a?b", .bad = true }, { .url = "redis://a b", .bad = true },
		{ .url = "http://a", .bad = true }, { .url = "", .bad = true },
		{ .url = "redis://:secret@a", .bad = true },
	};
	struct redis_address a;
	struct err e;
	char longer[400];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		memset(&e, 0, sizeof(e));
		if (redis_address_parse(rows[i].url, &a, &e) < 0) {
			if (!rows[i].bad)
				fail_msg("%s: %s", rows[i].url, e.reason);
			assert_null(strstr(e.reason, "secret"));
			continue;
		}
		if (rows[i].bad)
			fail_msg("%s: taken", rows[i].url);
		assert_string_equal(a.host, rows[i].host);
		assert_string_equal(a.path, rows[i].path == NULL ? "" : rows[i].path);
		assert_int_equal(a.port, rows[i].port);
		assert_int_equal(a.db, rows[i].db);
		assert_int_equal(a.tls, rows[i].tls);
	}
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer, "unix:/", 6);
	assert_int_equal(redis_address_parse(longer, &a, &e), -1);
	memcpy(longer, "redis://", 8);
	assert_int_equal(redis_address_parse(longer, &a, &e), -1);
}

/* --- TLS ----------------------------------------------------------------------------------------- */

static struct bufferevent *
make_tls(void *ctx, struct event_base *base, const char *host, struct err *e)
{
	return tls_connect(ctx, base, -1, host, e);
}

/* A CA, and a certificate of it for localhost, in files NAME-ca.crt, NAME.crt, ... of the folder. */
static void
make_certs(const char *dir, const char *name)
{
	static const char *const names[] = { "localhost", "127.0.0.1", NULL };
	int64_t now = clock_wall_us(), day = INT64_C(86400000000);
	struct tls_issue what = { name, names, now - day, now + day };
	char ca[128], ca_key[128], cert[128], cert_key[128];
	struct err e = ERR_INIT;

	snprintf(ca, sizeof(ca), "%s/%s-ca.crt", dir, name);
	snprintf(ca_key, sizeof(ca_key), "%s/%s-ca.key", dir, name);
	snprintf(cert, sizeof(cert), "%s/%s.crt", dir, name);
	snprintf(cert_key, sizeof(cert_key), "%s/%s.key", dir, name);
	if (tls_make_ca(name, now - day, now + day, ca, ca_key, &e) < 0 ||
	    tls_make_cert(ca, ca_key, &what, cert, cert_key, &e) < 0)
		fail_msg("%s", e.reason);
}

static struct redis *
connect_tls(struct event_base *base, struct redis_conf *conf, const char *url, struct tls *tls)
{
	struct err e = ERR_INIT;
	struct redis *r;

	conf->url = url;
	if ((r = redis_new(base, conf, make_tls, tls, &e)) == NULL)
		fail_msg("%s", e.reason);
	redis_explain_with(r, tls_error);
	return r;
}

static void
test_tls(void **state)
{
	struct event_base *base = event_base_new();
	char certs[] = "/tmp/tocsin-rtls-XXXXXX", port[16], url[64], plain[64], cmd[256];
	char crt[64], key[64], ca[64], other[64];
	const char *more[] = { "--tls-port", port, "--tls-cert-file", crt, "--tls-key-file", key,
	    "--tls-ca-cert-file", ca, "--tls-auth-clients", "no", NULL };
	struct tls_client_conf right = { .ca = ca }, wrong = { .ca = other };
	struct diary d = { .text = STRBUF_INIT };
	struct tls *good_tls, *bad_tls;
	struct err e = ERR_INIT;
	struct redis_conf conf;
	struct server s;
	struct redis *r;

	(void)state;
	assert_non_null(mkdtemp(certs));
	make_certs(certs, "one");
	make_certs(certs, "two");
	snprintf(crt, sizeof(crt), "%s/one.crt", certs);
	snprintf(key, sizeof(key), "%s/one.key", certs);
	snprintf(ca, sizeof(ca), "%s/one-ca.crt", certs);
	snprintf(other, sizeof(other), "%s/two-ca.crt", certs);
	snprintf(port, sizeof(port), "%u", free_port());
	snprintf(url, sizeof(url), "rediss://localhost:%s", port);
	snprintf(plain, sizeof(plain), "redis://127.0.0.1:%s", port);
	server_start(&s, more);
	assert_non_null(good_tls = tls_client_new(&right, &e));
	assert_non_null(bad_tls = tls_client_new(&wrong, &e));
	conf = conf_of(&s);

	r = connect_tls(base, &conf, url, good_tls);
	run_until(base, is_up, r);
	redis_command(r, WORDS(L("ECHO"), L("hello")), on_reply, &d);
	wait_calls(base, &d, 1);
	expect(&d, "\"hello;");
	server_kill(&s);
	run_until(base, is_down, r);
	server_spawn(&s, more);
	run_until(base, is_up, r);
	redis_free(r);

	/* A server with a certificate of somebody else's CA, and one that is not asked by TLS. */
	r = connect_tls(base, &conf, url, bad_tls);
	run_until(base, is_down, r);
	assert_non_null(strstr(redis_reason(r), "certificate"));
	redis_free(r);
	r = connect_tls(base, &conf, plain, NULL);
	run_until(base, is_down, r);
	redis_free(r);
	/* Nobody there. */
	server_kill(&s);
	r = connect_tls(base, &conf, url, good_tls);
	run_until(base, is_down, r);
	redis_free(r);
	conf.url = url;
	assert_null(redis_new(base, &conf, NULL, NULL, &e));

	tls_free(good_tls);
	tls_free(bad_tls);
	event_base_free(base);
	server_stop(&s);
	snprintf(cmd, sizeof(cmd), "%s", certs);
	for (const char *const *f = (const char *const[]){ "one.crt", "one.key", "one-ca.crt",
	    "one-ca.key", "two.crt", "two.key", "two-ca.crt", "two-ca.key", NULL }; *f != NULL; f++) {
		snprintf(cmd, sizeof(cmd), "%s/%s", certs, *f);
		unlink(cmd);
	}
	rmdir(certs);
}

/* --- a server in trouble ------------------------------------------------------------------------- */

static void
test_absent_killed_restarted(void **state)
{
	struct event_base *base = event_base_new();
	struct diary d = { .text = STRBUF_INIT };
	struct redis_figures f;
	struct redis_conf conf;
	struct server s;
	struct redis *r;
	int i;

	(void)state;
	server_start(&s, NULL);
	server_kill(&s);
	unlink(s.socket);
	conf = conf_of(&s);
	r = connect_to(base, &conf);		/* a node starts without */
	run_until(base, is_down, r);
	assert_string_equal(redis_state_word(redis_state(r)), "down");
	server_spawn(&s, NULL);
	run_until(base, is_up, r);
	for (i = 0; i < 3; i++) {
		/* Stopped first, so that it cannot have answered yet. */
		kill(s.pid, SIGSTOP);
		redis_command(r, WORDS(L("PING")), on_reply, &d);
		redis_script(r, add_script, 0, WORDS(L("1"), L("2")), on_reply, &d);
		redis_command(r, WORDS(L("PING")), NULL, NULL);
		server_kill(&s);
		wait_calls(base, &d, 2);
		expect(&d, "NULL;NULL;");
		assert_int_equal(redis_state(r), REDIS_DOWN);
		redis_command(r, WORDS(L("PING")), on_reply, &d);
		expect(&d, "NULL;");		/* the circuit is open: at once */
		server_spawn(&s, NULL);
		run_until(base, is_up, r);
		redis_command(r, WORDS(L("PING")), on_reply, &d);
		wait_calls(base, &d, 1);
		expect(&d, "+PONG;");
	}
	redis_figures(r, &f);
	assert_int_equal(f.reconnects, 4);
	assert_int_equal(f.waiting, 0);
	redis_free(r);
	event_base_free(base);
	server_stop(&s);
}

/* A server that takes everything and answers nothing: the deadline decides. */
static void
test_stopped_server(void **state)
{
	struct event_base *base = event_base_new();
	struct diary d = { .text = STRBUF_INIT };
	struct redis_figures f;
	struct redis_conf conf;
	struct server s;
	struct redis *r;
	int64_t since;

	(void)state;
	server_start(&s, NULL);
	conf = conf_of(&s);
	conf.command_us = 50000;
	conf.connect_us = 100000;
	r = connect_to(base, &conf);
	run_until(base, is_up, r);
	kill(s.pid, SIGSTOP);
	since = clock_mono_us();
	redis_command(r, WORDS(L("PING")), on_reply, &d);
	redis_command(r, WORDS(L("PING")), on_reply, &d);
	wait_calls(base, &d, 2);
	expect(&d, "NULL;NULL;");
	assert_true(clock_mono_us() - since >= 50000);
	assert_int_equal(redis_state(r), REDIS_DOWN);
	assert_string_equal(redis_reason(r), "no answer in time");
	redis_figures(r, &f);
	assert_int_equal(f.timeouts, 1);
	assert_int_equal(f.failures, 2);
	kill(s.pid, SIGCONT);
	run_until(base, is_up, r);
	redis_free(r);
	event_base_free(base);
	server_stop(&s);
}

/* We were busy ourselves while the answer lay there: that is not the server's fault. */
static void
test_our_own_delay_is_no_timeout(void **state)
{
	struct event_base *base = event_base_new();
	struct redis_conf conf = conf_of(&good);
	struct diary d = { .text = STRBUF_INIT };
	struct redis_figures f;
	struct redis *r;
	int i;

	(void)state;
	conf.command_us = 50000;
	r = connect_to(base, &conf);
	run_until(base, is_up, r);
	for (i = 0; i < 3; i++) {
		redis_command(r, WORDS(L("PING")), on_reply, &d);
		if (i > 0)
			event_base_loop(base, EVLOOP_NONBLOCK);	/* sent, or not even that */
		usleep(120000);
		wait_calls(base, &d, 1);
		expect(&d, "+PONG;");
	}
	redis_figures(r, &f);
	assert_int_equal(f.timeouts, 0);
	redis_free(r);
	event_base_free(base);
}

/* Full, or a replica: as good as absent, and back when it is well again. */
static void
test_unfit_server(void **state)
{
	static const struct { const char *ill, *well, *reason; } rows[] = {
		{ "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "OOM" },
		{ "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "READONLY" },
	};
	struct event_base *base = event_base_new();
	struct diary d = { .text = STRBUF_INIT };
	struct redis_conf conf;
	struct server s;
	struct redis *r;
	size_t i;

	(void)state;
	server_start(&s, NULL);
	conf = conf_of(&s);
	r = connect_to(base, &conf);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		run_until(base, is_up, r);
		tell(&s, rows[i].ill, "+OK");
		redis_command(r, WORDS(L("SET"), L("a"), L("b")), on_reply, &d);
		redis_command(r, WORDS(L("SET"), L("c"), L("d")), on_reply, &d);
		wait_calls(base, &d, 2);
		expect(&d, "NULL;NULL;");
		assert_int_equal(redis_state(r), REDIS_DOWN);
		assert_int_equal(strncmp(redis_reason(r), rows[i].reason, strlen(rows[i].reason)), 0);
		tell(&s, rows[i].well, "+OK");
	}
	run_until(base, is_up, r);
	redis_free(r);
	event_base_free(base);
	server_stop(&s);
}

static void
test_free_answers_everybody(void **state)
{
	struct event_base *base = event_base_new();
	struct redis_conf conf = conf_of(&good);
	struct redis *r = connect_to(base, &conf);
	struct diary d = { .text = STRBUF_INIT };

	(void)state;
	redis_free(r);				/* while connecting */
	r = connect_to(base, &conf);
	run_until(base, is_up, r);
	redis_command(r, WORDS(L("PING")), on_reply, &d);
	redis_script(r, add_script, 0, WORDS(L("1"), L("2")), on_reply, &d);
	redis_free(r);
	expect(&d, "NULL;NULL;");
	redis_free(NULL);
	assert_int_equal(redis_state(NULL), REDIS_OFF);
	redis_command(NULL, WORDS(L("PING")), on_reply, &d);
	expect(&d, "NULL;");
	event_base_free(base);
}

/* --- a server that lies -------------------------------------------------------------------------- */

/* What it says to the greeting, then to the first command; `times` over, a chunk for each turn. */
struct liar {
	const char		*greeting, *says;
	size_t			 times;
	struct event_base	*base;
	struct evconnlistener	*listener;
	struct bufferevent	*bev;
	unsigned		 met;
	bool			 greeted;
	size_t			 sent;
};

static void
liar_talk(struct liar *l)
{
	while (l->sent < l->times && evbuffer_get_length(bufferevent_get_output(l->bev)) < 65536) {
		bufferevent_write(l->bev, l->says, strlen(l->says));
		l->sent++;
	}
}

static void
on_liar_read(struct bufferevent *bev, void *arg)
{
	struct liar *l = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	evbuffer_drain(in, evbuffer_get_length(in));
	if (!l->greeted) {
		l->greeted = true;
		bufferevent_write(bev, l->greeting, strlen(l->greeting));
		return;
	}
	liar_talk(l);
}

static void
on_liar_written(struct bufferevent *bev, void *arg)
{
	struct liar *l = arg;

	(void)bev;
	if (l->sent > 0)
		liar_talk(l);
}

static void
on_liar_event(struct bufferevent *bev, short what, void *arg)
{
	struct liar *l = arg;

	(void)what;
	if (l->bev == bev)
		l->bev = NULL;
	bufferevent_free(bev);
}

static void
on_met(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *a, int len, void *arg)
{
	struct liar *l = arg;

	(void)ev;
	(void)a;
	(void)len;
	if (l->met++ > 0) {		/* it lies once; then it is gone for good */
		close(fd);
		return;
	}
	l->bev = bufferevent_socket_new(l->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(l->bev, on_liar_read, on_liar_written, on_liar_event, l);
	bufferevent_enable(l->bev, EV_READ | EV_WRITE);
}

static const char *liar_password;

/* Ask a liar; expects NULL and a state that is down, for a reason that holds these words. */
static void
meet_liar(const char *greeting, const char *says, size_t times, const char *reason)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct liar l = { .greeting = greeting, .says = says, .times = times,
	    .base = event_base_new() };
	struct diary d = { .text = STRBUF_INIT };
	struct server s = { .dir = "/tmp/tocsin-liar-XXXXXX" };
	struct redis_conf conf;
	struct redis *r;

	assert_non_null(mkdtemp(s.dir));
	snprintf(s.socket, sizeof(s.socket), "%s/socket", s.dir);
	snprintf(s.url, sizeof(s.url), "unix:%s", s.socket);
	memcpy(a.sun_path, s.socket, sizeof(s.socket));
	l.listener = evconnlistener_new_bind(l.base, on_met, &l, LEV_OPT_CLOSE_ON_FREE, 5,
	    (struct sockaddr *)&a, sizeof(a));
	assert_non_null(l.listener);
	conf = conf_of(&s);
	conf.reply_max = 65536;
	conf.command_us = 300000;
	conf.connect_us = 300000;
	conf.password_file = liar_password;
	r = connect_to(l.base, &conf);
	if (strcmp(greeting, "+OK\r\n") == 0) {
		run_until(l.base, is_up, r);
		redis_command(r, WORDS(L("GET"), L("x")), on_reply, &d);
		redis_command(r, WORDS(L("GET"), L("y")), on_reply, &d);
		wait_calls(l.base, &d, 2);
		assert_int_equal(d.nulls, strncmp(says, ":1\r\n", 4) == 0 ? 0 : 2);
	}
	run_until(l.base, is_down, r);
	if (strstr(redis_reason(r), reason) == NULL)
		fail_msg("expected \"%s\", got \"%s\"", reason, redis_reason(r));
	strbuf_fini(&d.text);
	redis_free(r);
	if (l.bev != NULL)
		bufferevent_free(l.bev);
	evconnlistener_free(l.listener);
	event_base_free(l.base);
	unlink(s.socket);
	rmdir(s.dir);
}

static void
test_liars(void **state)
{
	static const struct { const char *says; size_t times; const char *reason; } rows[] = {
		{ "+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, "in time" },
		/* without the limit these would go on for ever, or take all memory */
		{ "+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", SIZE_MAX,
		    "more than 65536" },
		{ "*2147483647\r\n", 1, "more than 65536" },
		{ "*1000\r\n", SIZE_MAX, "more than 65536" },
		{ "*2147483648\r\n", 1, "not Redis' protocol" },
		{ "*-2\r\n", 1, "not Redis' protocol" },
		{ "*1\r\n", SIZE_MAX, "not Redis' protocol" },
		{ "$2000000000\r\n", SIZE_MAX, "more than 65536" },
		{ "$9223372036854775807\r\n", SIZE_MAX, "more than 65536" },
		{ "$99999999999999999999999\r\n", 1, "not Redis' protocol" },
		{ "$-7\r\n", 1, "not Redis' protocol" },
		{ "*60000\r\n:1\r\n:2\r\n", SIZE_MAX, "more than 65536" },
		{ "HTTP/1.1 200 OK\r\n", 1, "not Redis' protocol" },
		{ ":12x\r\n", 1, "not Redis' protocol" },
		{ "\r\n", 1, "not Redis' protocol" },
		/* more answers than questions */
		{ ":1\r\n:1\r\n:1\r\n", 1, "nobody asked" },
		/* a server that cannot serve */
		{ "-LOADING Redis is loading the dataset in memory\r\n", 1, "LOADING" },
		{ "-OOM command not allowed\r\n", 1, "OOM" },
		{ "-READONLY You can't write\r\n", 1, "READONLY" },
		{ "-MISCONF Redis is configured to save\r\n", 1, "MISCONF" },
		{ "-NOAUTH Authentication required.\r\n", 1, "NOAUTH" },
		{ "-BUSY Redis is busy running a script\r\n", 1, "BUSY" },
		{ "-CLUSTERDOWN The cluster is down\r\n", 1, "CLUSTERDOWN" },
		{ "-MASTERDOWN Link with MASTER is down\r\n", 1, "MASTERDOWN" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		meet_liar("+OK\r\n", rows[i].says, rows[i].times, rows[i].reason);
	meet_liar("-ERR no\r\n", "", 0, "ERR no");
	meet_liar("$2\r\nOK\r\n", "", 0, "no Redis");
	meet_liar(":1\r\n", "", 0, "no Redis");
	meet_liar("*0\r\n", "", 0, "no Redis");
	meet_liar("+QUEUED\r\n", "", 0, "no Redis");
	meet_liar("+OK\r\n+OK\r\n", "", 0, "nobody asked");
	meet_liar("", "", 0, "no connection in time");
}

/* Errors may repeat the words of the command: a password must not come into the log that way. */
static void
test_liar_with_the_password(void **state)
{
	char path[] = "/tmp/tocsin-rpass-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "swordfish\n", 10), 10);
	close(fd);
	liar_password = path;
	meet_liar("-ERR unknown command 'AUTH', with args beginning with: 'swordfish'\r\n", "", 0,
	    "ERR: AUTH was refused");
	liar_password = NULL;
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_kinds_of_reply),
		cmocka_unit_test(test_pipeline_keeps_order),
		cmocka_unit_test(test_queue_is_bounded),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_database_and_prefix),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_absent_killed_restarted),
		cmocka_unit_test(test_stopped_server),
		cmocka_unit_test(test_our_own_delay_is_no_timeout),
		cmocka_unit_test(test_unfit_server),
		cmocka_unit_test(test_free_answers_everybody),
		cmocka_unit_test(test_liars),
		cmocka_unit_test(test_liar_with_the_password),
	};

	return cmocka_run_group_tests(tests, start_good, stop_good);
}
