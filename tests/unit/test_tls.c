/* If this fails, somebody without the right key reads what national teams tell each other, or a
 * peer with the right key is turned away without being told why. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"

#define DAY	(86400 * INT64_C(1000000))

static char dir[] = "/tmp/tocsin-tls-XXXXXX";
static char paths[64][96];
static size_t npaths;

/* dir/name; lives until the end. */
static const char *
at(const char *name)
{
	size_t i;

	for (i = 0; i < npaths; i++)
		if (strcmp(strrchr(paths[i], '/') + 1, name) == 0)
			return paths[i];
	assert_true(npaths < 64);
	snprintf(paths[npaths], sizeof(paths[0]), "%s/%s", dir, name);
	return paths[npaths++];
}

static void
issue(const char *ca, const char *name, int64_t from, int64_t until)
{
	static const char *const names[] = { "node.example", "127.0.0.1", "::1", NULL };
	struct tls_issue what = { name, names, clock_wall_us() + from, clock_wall_us() + until };
	char cc[32] = "", ck[32] = "", c[32], k[32];
	struct err e = ERR_INIT;

	if (ca != NULL) {
		snprintf(cc, sizeof(cc), "%s.crt", ca);
		snprintf(ck, sizeof(ck), "%s.key", ca);
	}
	snprintf(c, sizeof(c), "%s.crt", name);
	snprintf(k, sizeof(k), "%s.key", name);
	if (tls_make_cert(ca == NULL ? NULL : at(cc), ca == NULL ? NULL : at(ck), &what, at(c),
	    at(k), &e) < 0)
		fail_msg("%s", e.reason);
}

static int
make_pki(void **state)
{
	int64_t now = clock_wall_us();
	struct err e = ERR_INIT;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL ||
	    tls_make_ca("ca one", now - DAY, now + DAY, at("ca1.crt"), at("ca1.key"), &e) < 0 ||
	    tls_make_ca("ca two", now - DAY, now + DAY, at("ca2.crt"), at("ca2.key"), &e) < 0)
		return -1;
	issue("ca1", "server", -DAY, DAY);
	issue("ca1", "client", -DAY, DAY);
	issue("ca1", "late", -2 * DAY, -DAY);
	issue("ca1", "early", DAY / 2, DAY);
	issue("ca2", "foreign", -DAY, DAY);
	issue(NULL, "self", -DAY, DAY);
	return 0;
}

static int
remove_pki(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < npaths; i++)
		unlink(paths[i]);
	return rmdir(dir);
}

/* One end of a connection, and how it went. */
struct end {
	struct event_base	*base;
	struct bufferevent	*bev;
	struct end		*other;
	bool			 open, over;
	short			 what;
	struct err		 err;
};

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct end *end = arg;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		end->open = true;
		bufferevent_enable(bev, EV_READ);
		if (end->other->open)
			event_base_loopbreak(end->base);
		return;
	}
	end->over = true;
	end->what = what;
	tls_error(bev, what, &end->err);
	event_base_loopbreak(end->base);
}

struct pair {
	struct event_base	*base;
	struct end		 server, client;
};

struct setup {
	enum tls_clients clients;
	const char	*server;	/* whose certificate */
	const char	*server_ca;	/* trusted by the server */
	const char	*client;	/* NULL: shows none */
	const char	*client_ca;
	const char	*name;		/* that the client expects */
};

static const char *
file_of(const char *who, const char *kind)
{
	char name[48];

	snprintf(name, sizeof(name), "%s.%s", who, kind);
	return at(name);
}

static void
pair_open(struct pair *p, const struct setup *s)
{
	struct tls_server_conf sc = { .name = "test", .cert = file_of(s->server, "crt"),
	    .key = file_of(s->server, "key"), .clients = s->clients,
	    .client_ca = s->server_ca == NULL ? NULL : file_of(s->server_ca, "crt") };
	struct tls_client_conf cc = { .ca = file_of(s->client_ca, "crt"),
	    .cert = s->client == NULL ? NULL : file_of(s->client, "crt"),
	    .key = s->client == NULL ? NULL : file_of(s->client, "key") };
	struct err e = ERR_INIT;
	struct tls *st = NULL, *ct = NULL;
	int fd[2];

	memset(p, 0, sizeof(*p));
	p->base = p->server.base = p->client.base = event_base_new();
	p->server.other = &p->client;
	p->client.other = &p->server;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	evutil_make_socket_nonblocking(fd[0]);
	evutil_make_socket_nonblocking(fd[1]);
	if ((st = tls_server_new(&sc, &e)) == NULL || (ct = tls_client_new(&cc, &e)) == NULL)
		fail_msg("%s", e.reason);
	p->server.bev = tls_accept(st, p->base, fd[0], &e);
	p->client.bev = tls_connect(ct, p->base, fd[1], s->name, &e);
	tls_free(st);			/* connections have their own hold */
	tls_free(ct);
	assert_non_null(p->server.bev);
	assert_non_null(p->client.bev);
	bufferevent_setcb(p->server.bev, NULL, NULL, on_event, &p->server);
	bufferevent_setcb(p->client.bev, NULL, NULL, on_event, &p->client);
	bufferevent_enable(p->server.bev, EV_READ | EV_WRITE);
	bufferevent_enable(p->client.bev, EV_READ | EV_WRITE);
	event_base_dispatch(p->base);
}

static void
pair_close(struct pair *p)
{
	if (p->server.bev != NULL)
		tls_close(p->server.bev);
	if (p->client.bev != NULL)
		tls_close(p->client.bev);
	event_base_free(p->base);
}

static const struct setup mutual = { TLS_CLIENTS_REQUIRED, "server", "ca1", "client", "ca1",
    "node.example" };

static void
test_mutual(void **state)
{
	static const char *const names[] = { "node.example", "127.0.0.1", "::1" };
	char pin[TLS_PIN_TEXT + 1], want[TLS_PIN_TEXT + 1], prefixed[80];
	const char *pins[2] = { "00", prefixed };
	struct err e = ERR_INIT;
	struct setup s = mutual;
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		s.name = names[i];
		pair_open(&p, &s);
		if (!p.server.open || !p.client.open)
			fail_msg("%s: %s / %s", s.name, p.server.err.reason, p.client.err.reason);
		assert_true(tls_pin(p.server.bev, pin));
		assert_int_equal(tls_cert_read(at("client.crt"), want, NULL, NULL, &e), 0);
		assert_string_equal(pin, want);
		assert_int_equal(tls_cert_read(at("server.crt"), want, NULL, NULL, &e), 0);
		snprintf(prefixed, sizeof(prefixed), "sha256:%s", want);
		assert_int_equal(tls_check_pins(p.client.bev, pins, 2, &e), 0);
		assert_int_equal(tls_check_pins(p.client.bev, pins, 0, &e), 0);
		assert_int_equal(tls_check_pins(p.client.bev, pins, 1, &e), -1);
		assert_non_null(strstr(e.reason, want));
		assert_memory_equal(tls_version(p.client.bev), "TLSv1.3 ", 8);
		pair_close(&p);
	}
}

static void
test_optional(void **state)
{
	struct setup s = mutual;
	char pin[TLS_PIN_TEXT + 1];
	struct pair p;

	(void)state;
	s.clients = TLS_CLIENTS_OPTIONAL;
	s.client = NULL;
	pair_open(&p, &s);
	assert_true(p.server.open && p.client.open);
	assert_false(tls_pin(p.server.bev, pin));
	pair_close(&p);
	s.client = "client";
	pair_open(&p, &s);
	assert_true(p.server.open && p.client.open);
	assert_true(tls_pin(p.server.bev, pin));
	pair_close(&p);
	s.clients = TLS_CLIENTS_NONE;
	s.server_ca = NULL;
	pair_open(&p, &s);
	assert_true(p.server.open && p.client.open);
	assert_false(tls_pin(p.server.bev, pin));
	pair_close(&p);
}

/* A self-signed peer whose certificate is in the file of those we trust. */
static void
test_self_signed(void **state)
{
	struct setup s = mutual;
	struct pair p;

	(void)state;
	s.server_ca = s.client = "self";
	pair_open(&p, &s);
	if (!p.server.open)
		fail_msg("%s", p.server.err.reason);
	pair_close(&p);
	s = mutual;
	s.server = s.client_ca = "self";
	pair_open(&p, &s);
	if (!p.client.open)
		fail_msg("%s", p.client.err.reason);
	pair_close(&p);
}

static const struct {
	const char	*what;
	struct setup	 s;
	bool		 at_server;	/* who finds it */
	const char	*words, *code;
} refused[] = {
	{ "no certificate", { TLS_CLIENTS_REQUIRED, "server", "ca1", NULL, "ca1", "node.example" },
	    true, "peer did not return a certificate", "" },
	{ "expired client", { TLS_CLIENTS_REQUIRED, "server", "ca1", "late", "ca1", "node.example" },
	    true, "the client's certificate (CN=late, depth 0): certificate has expired", "code 10" },
	{ "client of tomorrow", { TLS_CLIENTS_REQUIRED, "server", "ca1", "early", "ca1",
	    "node.example" }, true, "CN=early", "code 9" },
	{ "foreign client", { TLS_CLIENTS_REQUIRED, "server", "ca1", "foreign", "ca1",
	    "node.example" }, true, "CN=foreign", "code 20" },
	{ "foreign client, optional", { TLS_CLIENTS_OPTIONAL, "server", "ca1", "foreign", "ca1",
	    "node.example" }, true, "CN=foreign", "code 20" },
	{ "self-signed stranger", { TLS_CLIENTS_REQUIRED, "server", "ca1", "self", "ca1",
	    "node.example" }, true, "CN=self", "code 18" },
	{ "wrong name", { TLS_CLIENTS_NONE, "server", NULL, NULL, "ca1", "other.example" },
	    false, "(CN=server) is not for other.example", "code 62" },
	{ "common name is no name", { TLS_CLIENTS_NONE, "server", NULL, NULL, "ca1", "server" },
	    false, "is not for server", "code 62" },
	{ "wrong address", { TLS_CLIENTS_NONE, "server", NULL, NULL, "ca1", "127.0.0.2" },
	    false, "is not for 127.0.0.2", "code 64" },
	{ "expired server", { TLS_CLIENTS_NONE, "late", NULL, NULL, "ca1", "node.example" },
	    false, "the server's certificate (CN=late, depth 0): certificate has expired", "code 10" },
	{ "foreign server", { TLS_CLIENTS_NONE, "foreign", NULL, NULL, "ca1", "node.example" },
	    false, "CN=foreign", "code 20" },
};

static void
test_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct end *finder;
		struct pair p;

		pair_open(&p, &refused[i].s);
		finder = refused[i].at_server ? &p.server : &p.client;
		while (!finder->over)		/* TLS 1.3: the client is done first */
			assert_int_equal(event_base_loop(p.base, EVLOOP_ONCE), 0);
		if (finder->open || strstr(finder->err.reason, refused[i].words) == NULL ||
		    strstr(finder->err.reason, refused[i].code) == NULL)
			fail_msg("%s: open %d, \"%s\"", refused[i].what, finder->open,
			    finder->err.reason);
		assert_int_equal(finder->err.code, ERR_CRYPTO);
		pair_close(&p);
	}
}

/* An end with close_notify is an end, one without is a cut. */
static void
test_close(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, &mutual);
	assert_true(p.server.open && p.client.open);
	tls_close(p.server.bev);
	p.server.bev = NULL;
	while (!p.client.over)
		assert_int_equal(event_base_loop(p.base, EVLOOP_ONCE), 0);
	assert_true((p.client.what & BEV_EVENT_EOF) != 0);
	pair_close(&p);

	pair_open(&p, &mutual);
	assert_true(p.server.open && p.client.open);
	bufferevent_free(p.server.bev);
	p.server.bev = NULL;
	while (!p.client.over)
		assert_int_equal(event_base_loop(p.base, EVLOOP_ONCE), 0);
	assert_true((p.client.what & BEV_EVENT_ERROR) != 0);
	assert_non_null(strstr(p.client.err.reason, "cut"));
	pair_close(&p);
}

/* A client that speaks at most TLS 1.1 gets nowhere, one with 1.2 does. */
static void
test_versions(void **state)
{
	static const struct {
		int	version;
		bool	ok;
	} t[] = { { TLS1_1_VERSION, false }, { TLS1_2_VERSION, true } };
	struct tls_server_conf sc = { .name = "test", .cert = at("server.crt"),
	    .key = at("server.key"), .clients = TLS_CLIENTS_NONE };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		struct err e = ERR_INIT;
		struct pair p;
		struct tls *st = tls_server_new(&sc, &e);
		int fd[2];

		memset(&p, 0, sizeof(p));
		p.base = p.server.base = p.client.base = event_base_new();
		p.server.other = &p.client;
		p.client.other = &p.server;
		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(ctx, t[i].version);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		evutil_make_socket_nonblocking(fd[0]);
		evutil_make_socket_nonblocking(fd[1]);
		p.server.bev = tls_accept(st, p.base, fd[0], &e);
		p.client.bev = bufferevent_openssl_socket_new(p.base, fd[1], SSL_new(ctx),
		    BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_setcb(p.server.bev, NULL, NULL, on_event, &p.server);
		bufferevent_setcb(p.client.bev, NULL, NULL, on_event, &p.client);
		while (!p.server.over && !p.server.open)
			assert_int_equal(event_base_loop(p.base, EVLOOP_ONCE), 0);
		assert_int_equal(p.server.open, t[i].ok);
		pair_close(&p);
		tls_free(st);
		SSL_CTX_free(ctx);
	}
}

static void
test_files(void **state)
{
	static const char *const bad[] = { "a,DNS:evil.example", NULL };
	struct tls_issue what = { "x", bad, 0, DAY };
	struct tls_server_conf sc = { .name = "t", .cert = at("server.crt"), .key = at("client.key") };
	struct tls_client_conf cc = { .ca = NULL };
	int64_t from, until, now = clock_wall_us();
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(tls_key_matches(at("server.crt"), at("server.key"), &e), 0);
	assert_int_equal(tls_key_matches(at("server.crt"), at("client.key"), &e), -1);
	assert_non_null(strstr(e.reason, "client.key does not belong to"));
	assert_int_equal(tls_key_matches(at("absent.crt"), at("client.key"), &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(tls_cert_read(at("server.crt"), NULL, &from, &until, &e), 0);
	assert_true(from <= now && until >= now);
	assert_int_equal(tls_cert_read(at("server.key"), NULL, &from, &until, &e), -1);
	assert_int_equal(tls_cert_read(at("late.crt"), NULL, &from, &until, &e), 0);
	assert_true(until < now);
	assert_int_equal(tls_cert_names(at("server.crt"), "node.example", &e), 0);
	assert_int_equal(tls_cert_names(at("server.crt"), "::1", &e), 0);
	assert_int_equal(tls_cert_names(at("server.crt"), "server", &e), -1);
	assert_int_equal(tls_make_cert(at("ca1.crt"), at("ca1.key"), &what, at("bad.crt"),
	    at("bad.key"), &e), -1);
	assert_int_equal(e.code, ERR_VALUE);
	assert_false(file_exists(at("bad.key")));
	assert_int_equal(stat(at("server.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_null(tls_server_new(&sc, &e));
	assert_non_null(strstr(e.reason, "client.key"));
	assert_null(tls_client_new(&cc, &e));
	cc.ca = at("absent.crt");
	assert_null(tls_client_new(&cc, &e));
	assert_non_null(strstr(e.reason, "absent.crt"));
}

/* A key with a pass phrase is an error, not a question on the terminal. */
static void
test_pass_phrase(void **state)
{
	static const char text[] = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
	    "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END EC PRIVATE KEY-----\n";
	struct tls_server_conf sc = { .name = "t", .cert = at("server.crt"), .key = at("locked.key") };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_write(at("locked.key"), SLICE_LIT(text), 0600, &e), 0);
	assert_null(tls_server_new(&sc, &e));
	if (strstr(e.reason, "pass phrase") == NULL)
		fail_msg("%s", e.reason);
	assert_int_equal(tls_key_matches(at("server.crt"), at("locked.key"), &e), -1);
	assert_non_null(strstr(e.reason, "pass phrase"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutual),
		cmocka_unit_test(test_optional),
		cmocka_unit_test(test_self_signed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_pass_phrase),
	};

	return cmocka_run_group_tests(tests, make_pki, remove_pki);
}
