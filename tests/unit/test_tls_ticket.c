/* If this fails, clients pay a full handshake at every worker, or a session opens a door that its
 * certificate would not open today. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <signal.h>
#include <time.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "adapters/tls.h"
#include "gateway/base/clock.h"

#define HOUR	(3600 * INT64_C(1000000))
#define SECRET	SLICE_LIT("0123456789abcdef0123456789abcdef")

static char dir[] = "/tmp/tocsin-ticket-XXXXXX";
static char paths[9][64];
static const char *const names[] = { "ca1.crt", "ca1.key", "ca2.crt", "ca2.key", "server.crt",
    "server.key", "client.crt", "client.key", "list.crl", NULL };

static const char *
at(const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return paths[i];
	fail_msg("no file %s", name);
	return NULL;
}

static void
must(int rc, const struct err *e)
{
	if (rc != 0)
		fail_msg("%s", e->reason);
}

static int
make_pki(void **state)
{
	static const char *const hosts[] = { "node.example", NULL };
	int64_t now = clock_wall_us();
	struct tls_issue what = { "x", hosts, now - 24 * HOUR, now + 24 * HOUR };
	struct err e = ERR_INIT;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL)
		return -1;
	for (int i = 0; names[i] != NULL; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", dir, names[i]);
	must(tls_make_ca("one", what.from_us, what.until_us, at("ca1.crt"), at("ca1.key"), &e), &e);
	must(tls_make_ca("two", what.from_us, what.until_us, at("ca2.crt"), at("ca2.key"), &e), &e);
	must(tls_make_cert(at("ca1.crt"), at("ca1.key"), &what, at("server.crt"), at("server.key"),
	    &e), &e);
	must(tls_make_cert(at("ca1.crt"), at("ca1.key"), &what, at("client.crt"), at("client.key"),
	    &e), &e);
	return 0;
}

static int
remove_pki(void **state)
{
	(void)state;
	for (int i = 0; names[i] != NULL; i++)
		unlink(paths[i]);
	return rmdir(dir);
}

static struct tls *
server_of(const char *name, struct slice secret, enum tls_clients clients, const char *ca)
{
	struct tls_server_conf sc = { .name = name, .cert = at("server.crt"),
	    .key = at("server.key"), .clients = clients, .client_ca = at(ca),
	    .tickets = secret };
	struct err e = ERR_INIT;
	struct tls *t = tls_server_new(&sc, &e);

	if (t == NULL)
		fail_msg("%s", e.reason);
	return t;
}

/* How one connection went. */
struct visit {
	bool		 let_in, resumed, has_pin;
	char		 pin[TLS_PIN_TEXT + 1];
	SSL_SESSION	*session;	/* what the client could come back with, or NULL */
};

struct end {
	bool	open, over;
};

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct end *end = arg;

	(void)bev;
	if ((what & BEV_EVENT_CONNECTED) != 0)
		end->open = true;
	else
		end->over = true;
}

static struct bufferevent *
watch(struct bufferevent *bev, struct end *end)
{
	assert_non_null(bev);
	*end = (struct end){ false, false };
	bufferevent_setcb(bev, NULL, NULL, on_event, end);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return bev;
}

/* One connection until the server hangs up; version 0 is the best. */
static struct visit
visit(struct tls *server, SSL_SESSION *with, bool certificate, int version)
{
	struct tls_client_conf cc = { .ca = at("ca1.crt"),
	    .cert = certificate ? at("client.crt") : NULL, .key = at("client.key") };
	struct event_base *base = event_base_new();
	struct err e = ERR_INIT;
	struct tls *ct = tls_client_new(&cc, &e);
	struct bufferevent *sb, *cb;
	struct end se, ce;
	struct visit v;
	SSL *ssl;
	int fd[2];

	memset(&v, 0, sizeof(v));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	sb = watch(tls_accept(server, base, fd[0], &e), &se);
	cb = watch(tls_connect(ct, base, fd[1], "node.example", &e), &ce);
	ssl = bufferevent_openssl_get_ssl(cb);
	if (with != NULL)
		assert_int_equal(SSL_set_session(ssl, with), 1);
	if (version != 0)
		SSL_set_max_proto_version(ssl, version);
	while (!se.over && !ce.over && !(se.open && ce.open))
		event_base_loop(base, EVLOOP_ONCE);
	v.let_in = se.open;
	if (se.open) {
		v.has_pin = tls_pin(sb, v.pin);
		v.resumed = SSL_session_reused(bufferevent_openssl_get_ssl(sb)) == 1;
	}
	tls_close(sb);
	while (!ce.over)
		event_base_loop(base, EVLOOP_ONCE);	/* reads the tickets on its way */
	if (se.open && SSL_SESSION_is_resumable(SSL_get0_session(ssl)))
		v.session = SSL_get1_session(ssl);
	tls_close(cb);			/* without a goodbye OpenSSL spoils the session */
	tls_free(ct);
	event_base_free(base);
	return v;
}

/* Come once, then come back to another context; what the second visit was like. */
static struct visit
come_back(struct tls *first, struct tls *second, bool certificate)
{
	struct visit a = visit(first, NULL, certificate, 0), b;

	assert_true(a.let_in && !a.resumed);
	assert_non_null(a.session);
	b = visit(second, a.session, certificate, 0);
	SSL_SESSION_free(a.session);
	SSL_SESSION_free(b.session);
	tls_free(first);
	tls_free(second);
	return b;
}

static void
test_any_worker_opens_it(void **state)
{
	struct visit v;

	(void)state;
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_NONE, "ca1.crt"),
	    server_of("a", SECRET, TLS_CLIENTS_NONE, "ca1.crt"), false);
	assert_true(v.let_in && v.resumed && !v.has_pin);
	assert_non_null(v.session);		/* a new one: each should be used once */
}

static void
test_nobody_else_does(void **state)
{
	struct visit v;

	(void)state;
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_NONE, "ca1.crt"),
	    server_of("b", SECRET, TLS_CLIENTS_NONE, "ca1.crt"), false);
	assert_true(v.let_in && !v.resumed);	/* another listener */
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_NONE, "ca1.crt"),
	    server_of("a", SLICE_LIT("another secret"), TLS_CLIENTS_NONE, "ca1.crt"), false);
	assert_true(v.let_in && !v.resumed);
	v = come_back(server_of("a", SLICE_EMPTY, TLS_CLIENTS_NONE, "ca1.crt"),
	    server_of("a", SLICE_EMPTY, TLS_CLIENTS_NONE, "ca1.crt"), false);
	assert_true(v.let_in && !v.resumed);
}

static void
test_a_certificate_is_asked_again(void **state)
{
	char want[TLS_PIN_TEXT + 1];
	struct visit v;

	(void)state;
	assert_int_equal(tls_cert_read(at("client.crt"), want, NULL, NULL, NULL), 0);
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_REQUIRED, "ca1.crt"),
	    server_of("a", SECRET, TLS_CLIENTS_REQUIRED, "ca1.crt"), true);
	assert_true(v.let_in && v.resumed && v.has_pin);
	assert_string_equal(v.pin, want);
	/* its CA is not trusted any more */
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_REQUIRED, "ca1.crt"),
	    server_of("a", SECRET, TLS_CLIENTS_REQUIRED, "ca2.crt"), true);
	assert_false(v.let_in);
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_OPTIONAL, "ca1.crt"),
	    server_of("a", SECRET, TLS_CLIENTS_OPTIONAL, "ca2.crt"), true);
	assert_false(v.let_in);
}

/* A list that names the client, or nobody, signed by its CA. */
static void
write_crl(const char *path, bool names_client)
{
	FILE *f = fopen(at("ca1.key"), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = ASN1_TIME_adj(NULL, time(NULL), -1, 0), *then = ASN1_TIME_adj(NULL, time(NULL), 1, 0);
	X509_REVOKED *r = X509_REVOKED_new();
	X509 *ca, *client;

	fclose(f);
	f = fopen(at("ca1.crt"), "r");
	ca = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	f = fopen(at("client.crt"), "r");
	client = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, then);
	X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(client));
	X509_REVOKED_set_revocationDate(r, now);
	if (names_client)
		X509_CRL_add0_revoked(crl, r);
	else
		X509_REVOKED_free(r);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	f = fopen(path, "w");
	assert_int_equal(PEM_write_X509_CRL(f, crl), 1);
	fclose(f);
	X509_CRL_free(crl);
	X509_free(ca);
	X509_free(client);
	EVP_PKEY_free(key);
	ASN1_TIME_free(now);
	ASN1_TIME_free(then);
}

static struct tls *
server_with_crl(void)
{
	struct tls_server_conf sc = { .name = "a", .cert = at("server.crt"), .key = at("server.key"),
	    .clients = TLS_CLIENTS_OPTIONAL, .client_ca = at("ca1.crt"), .tickets = SECRET,
	    .client_crl = at("list.crl") };
	struct err e = ERR_INIT;
	struct tls *t = tls_server_new(&sc, &e);

	if (t == NULL)
		fail_msg("%s", e.reason);
	return t;
}

static void
test_a_revoked_certificate(void **state)
{
	struct visit v;

	(void)state;
	write_crl(at("list.crl"), false);
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_OPTIONAL, "ca1.crt"), server_with_crl(), true);
	assert_true(v.let_in && v.resumed && v.has_pin);
	write_crl(at("list.crl"), true);
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_OPTIONAL, "ca1.crt"), server_with_crl(), true);
	assert_false(v.let_in);
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_OPTIONAL, "ca1.crt"), server_with_crl(), false);
	assert_true(v.let_in && v.resumed);	/* others are not concerned */
}

static void
test_nobody_comes_back_to_a_closed_door(void **state)
{
	struct visit v;

	(void)state;
	/* without a certificate, where now one is required */
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_OPTIONAL, "ca1.crt"),
	    server_of("a", SECRET, TLS_CLIENTS_REQUIRED, "ca1.crt"), false);
	assert_false(v.let_in);
	/* with one, where now nobody is asked */
	v = come_back(server_of("a", SECRET, TLS_CLIENTS_OPTIONAL, "ca1.crt"),
	    server_of("a", SECRET, TLS_CLIENTS_NONE, "ca1.crt"), true);
	assert_true(v.let_in && !v.resumed && !v.has_pin);
}

static void
test_keys_change_with_the_day(void **state)
{
	struct tls *t = server_of("a", SECRET, TLS_CLIENTS_NONE, "ca1.crt");
	int64_t start = clock_wall_us() / (6 * HOUR) * (6 * HOUR) + HOUR;
	struct visit a, b;

	(void)state;
	clock_fake(start);
	a = visit(t, NULL, false, 0);
	clock_fake(start + 6 * HOUR);		/* the key before */
	b = visit(t, a.session, false, 0);
	assert_true(b.resumed);
	SSL_SESSION_free(b.session);
	clock_fake(start + 12 * HOUR);		/* too old */
	b = visit(t, a.session, false, 0);
	assert_true(b.let_in && !b.resumed);
	SSL_SESSION_free(b.session);
	clock_fake(start - 6 * HOUR);		/* the clock was set back */
	b = visit(t, a.session, false, 0);
	assert_true(b.let_in && !b.resumed);
	SSL_SESSION_free(b.session);
	clock_fake(start);
	b = visit(t, a.session, false, 0);
	assert_true(b.let_in && b.resumed);
	SSL_SESSION_free(b.session);
	SSL_SESSION_free(a.session);
	clock_real();
	tls_free(t);
}

static void
test_tls12_has_none(void **state)
{
	struct tls *t = server_of("a", SECRET, TLS_CLIENTS_NONE, "ca1.crt");
	struct visit a = visit(t, NULL, false, TLS1_2_VERSION), b;

	(void)state;
	assert_true(a.let_in);
	if (a.session != NULL) {		/* a session id without a server that knows it */
		assert_int_equal(SSL_SESSION_has_ticket(a.session), 0);
		b = visit(t, a.session, false, TLS1_2_VERSION);
		assert_true(b.let_in && !b.resumed);
		SSL_SESSION_free(b.session);
	}
	SSL_SESSION_free(a.session);
	tls_free(t);
}

static void
test_connections_outlive_their_context(void **state)
{
	/* a reload frees the context while handshakes are under way: ASan would tell */
	struct tls *t = server_of("a", SECRET, TLS_CLIENTS_NONE, "ca1.crt");
	struct event_base *base = event_base_new();
	struct tls_client_conf cc = { .ca = at("ca1.crt") };
	struct err e = ERR_INIT;
	struct tls *ct = tls_client_new(&cc, &e);
	struct bufferevent *sb, *cb;
	struct end se, ce;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	sb = watch(tls_accept(t, base, fd[0], &e), &se);
	cb = watch(tls_connect(ct, base, fd[1], "node.example", &e), &ce);
	tls_free(t);
	while (!se.open || !ce.open)
		event_base_loop(base, EVLOOP_ONCE);
	tls_close(sb);
	bufferevent_free(cb);
	tls_free(ct);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_worker_opens_it),
		cmocka_unit_test(test_nobody_else_does),
		cmocka_unit_test(test_a_certificate_is_asked_again),
		cmocka_unit_test(test_a_revoked_certificate),
		cmocka_unit_test(test_nobody_comes_back_to_a_closed_door),
		cmocka_unit_test(test_keys_change_with_the_day),
		cmocka_unit_test(test_tls12_has_none),
		cmocka_unit_test(test_connections_outlive_their_context),
	};

	return cmocka_run_group_tests(tests, make_pki, remove_pki);
}
