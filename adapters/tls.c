#include "adapters/tls.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/util.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "adapters/tls_parts.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { CHAIN_DEPTH = 3, SUBJECT_TEXT = 96 };

struct tls {
	SSL_CTX		*ctx;
	unsigned	 refs;
	bool		 server;
};

/* What a connection remembers about the first certificate that did not verify, and whom it asked
 * for. Lives and dies with its SSL. */
struct trouble {
	int	code;			/* X509_V_... */
	int	depth;
	char	subject[SUBJECT_TEXT];
	char	name[256];		/* expected; empty on the server's side */
	char	version[64];
};

static void
trouble_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	free(ptr);
}

/* OpenSSL hands out the slot for our pointer once a process; hence the one variable here. */
static int
trouble_slot(void)
{
	static int slot = -1;

	if (slot < 0)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, trouble_free);
	return slot;
}

static struct trouble *
trouble_of(const SSL *ssl)
{
	return ssl == NULL ? NULL : SSL_get_ex_data(ssl, trouble_slot());
}

/* Note the first failure. The verdict is OpenSSL's: it goes back untouched. */
static int
on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct trouble *t = trouble_of(ssl);

	if (!ok && t != NULL && t->code == X509_V_OK) {
		t->code = X509_STORE_CTX_get_error(store);
		t->depth = X509_STORE_CTX_get_error_depth(store);
		tls_subject_text(X509_STORE_CTX_get_current_cert(store), t->subject,
		    sizeof(t->subject));
	}
	return ok;
}

/* Versions, suites and habits that both sides share. */
static int
set_common(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 2);	/* before the certificates */
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Idle ones are many. And our chain is what our file says: else OpenSSL would look for more
	 * of it among those we trust, and verify the outcome, in every handshake. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_default_passwd_cb(ctx, tls_no_pass_phrase);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
	    SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
	    "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1 ? 0 : -1;
}

static int
use_own(SSL_CTX *ctx, const char *cert, const char *key, struct err *e)
{
	if (tls_use_chain_file(ctx, cert, e) < 0 || tls_use_key_file(ctx, key, e) < 0)
		return -1;
	if (SSL_CTX_check_private_key(ctx) != 1)
		return tls_fail(e, "key %s does not belong to certificate %s", key, cert);
	return 0;
}

/* Whom to trust: this file and nothing else. X509_V_FLAG_X509_STRICT stays off: it refuses CAs as
 * `openssl req -x509` makes them (no key usage), and the pin decides who somebody is anyway. */
static int
use_ca(SSL_CTX *ctx, const char *ca, struct err *e)
{
	if (ca == NULL)
		return err_set(e, ERR_MISSING, "tls: no file of trusted CAs");
	if (tls_use_trusted_file(ctx, ca, "trusted CAs", e) < 0)
		return -1;
	X509_VERIFY_PARAM_set_depth(SSL_CTX_get0_param(ctx), CHAIN_DEPTH);
	return 0;
}

/* Ask clients for a certificate. Which CAs we trust is not told: the file may name our peers. */
static int
ask_clients(SSL_CTX *ctx, const struct tls_server_conf *conf, struct err *e)
{
	int mode = SSL_VERIFY_PEER;

	if (use_ca(ctx, conf->client_ca, e) < 0)
		return -1;
	if (conf->clients == TLS_CLIENTS_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ctx, mode, on_verify);
	if (conf->client_crl != NULL) {
		if (tls_use_trusted_file(ctx, conf->client_crl, "revocation list", e) < 0)
			return -1;
		X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_CRL_CHECK);
	}
	return 0;
}

static struct tls *
tls_new(SSL_CTX *ctx, bool server)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	t->ctx = ctx;
	t->refs = 1;
	t->server = server;
	return t;
}

/* A context for a listener. */
struct tls *
tls_server_new(const struct tls_server_conf *conf, struct err *e)
{
	uint8_t id[SHA256_LEN];
	SSL_CTX *ctx;

	ERR_clear_error();
	digest_sha256(slice_of(conf->name), id);
	if ((ctx = SSL_CTX_new(TLS_server_method())) == NULL || set_common(ctx) < 0 ||
	    SSL_CTX_set_session_id_context(ctx, id, sizeof(id)) != 1 ||
	    tls_use_tickets(ctx, conf->tickets, conf->name) < 0) {
		tls_fail(e, "cannot set up");
		goto bad;
	}
	if (use_own(ctx, conf->cert, conf->key, e) < 0)
		goto bad;
	if (conf->clients != TLS_CLIENTS_NONE && ask_clients(ctx, conf, e) < 0)
		goto bad;
	return tls_new(ctx, true);
bad:
	SSL_CTX_free(ctx);
	return NULL;
}

/* A context for outgoing connections. */
struct tls *
tls_client_new(const struct tls_client_conf *conf, struct err *e)
{
	SSL_CTX *ctx;

	ERR_clear_error();
	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL || set_common(ctx) < 0) {
		tls_fail(e, "cannot set up");
		goto bad;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
	if (use_ca(ctx, conf->ca, e) < 0)
		goto bad;
	if (conf->cert != NULL && use_own(ctx, conf->cert, conf->key, e) < 0)
		goto bad;
	return tls_new(ctx, false);
bad:
	SSL_CTX_free(ctx);
	return NULL;
}

/* One more owner. */
struct tls *
tls_ref(struct tls *t)
{
	t->refs++;
	return t;
}

/* One owner less; connections have their own hold on what they need. */
void
tls_free(struct tls *t)
{
	if (t == NULL || --t->refs > 0)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

static SSL *
ssl_new(struct tls *t, struct err *e)
{
	SSL *ssl;

	ERR_clear_error();
	if ((ssl = SSL_new(t->ctx)) == NULL ||
	    SSL_set_ex_data(ssl, trouble_slot(), xcalloc(1, sizeof(struct trouble))) != 1) {
		tls_fail(e, "cannot make a connection");
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

static struct bufferevent *
bev_new(struct event_base *base, int fd, SSL *ssl, enum bufferevent_ssl_state state, struct err *e)
{
	/* Deferred: no callback runs inside a call of ours, so that nobody is freed under us. */
	struct bufferevent *bev = bufferevent_openssl_socket_new(base, fd, ssl, state,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);

	if (bev == NULL)
		err_set(e, ERR_IO, "tls: cannot make a bufferevent");
	return bev;
}

/* The server's side of a handshake. */
struct bufferevent *
tls_accept(struct tls *t, struct event_base *base, int fd, struct err *e)
{
	SSL *ssl = ssl_new(t, e);

	if (ssl == NULL)
		return NULL;
	return bev_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, e);
}

/* Chain, name, and SNI when the name is none of an address. */
SSL *
tls_client_ssl(struct tls *t, const char *name, struct err *e)
{
	SSL *ssl;

	if (name == NULL || name[0] == '\0') {
		err_set(e, ERR_MISSING, "tls: no name to expect in the server's certificate");
		return NULL;
	}
	if ((ssl = ssl_new(t, e)) == NULL)
		return NULL;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) != 1) {
		ERR_clear_error();
		if (SSL_set1_host(ssl, name) != 1 || SSL_set_tlsext_host_name(ssl, name) != 1) {
			tls_fail(e, "cannot ask for the name %s", name);
			SSL_free(ssl);
			return NULL;
		}
	}
	return ssl;
}

/* The client's side of a handshake. */
struct bufferevent *
tls_connect(struct tls *t, struct event_base *base, int fd, const char *name, struct err *e)
{
	SSL *ssl = tls_client_ssl(t, name, e);
	struct trouble *trouble = trouble_of(ssl);

	if (ssl == NULL)
		return NULL;
	snprintf(trouble->name, sizeof(trouble->name), "%s", name);
	return bev_new(base, fd, ssl, BUFFEREVENT_SSL_CONNECTING, e);
}

/* Presented, verified, hashed; or false. */
bool
tls_pin(struct bufferevent *bev, char out[TLS_PIN_TEXT + 1])
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	X509 *cert = ssl == NULL ? NULL : SSL_get0_peer_certificate(ssl);

	if (cert == NULL || SSL_get_verify_result(ssl) != X509_V_OK ||
	    (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0 || !SSL_is_init_finished(ssl))
		return false;
	return tls_cert_pin(cert, out);
}

/* The pin is one of those we know. */
int
tls_check_pins(struct bufferevent *bev, const char *const *pins, size_t npins, struct err *e)
{
	char pin[TLS_PIN_TEXT + 1];
	size_t i;

	if (npins == 0)
		return 0;
	if (!tls_pin(bev, pin))
		return err_set(e, ERR_CRYPTO, "tls: the server's key cannot be pinned");
	for (i = 0; i < npins; i++) {
		struct slice want = slice_of(pins[i]);

		if (slice_starts(want, "sha256:")) {
			want.p += 7;
			want.n -= 7;
		}
		if (slice_is_nocase(want, pin))
			return 0;
	}
	return err_set(e, ERR_CRYPTO, "tls: the server's key has the pin sha256:%s, which is not "
	    "expected", pin);
}

/* Protocol and suite. */
int64_t
tls_own_until(const struct tls *t)
{
	return tls_cert_until(SSL_CTX_get0_certificate(t->ctx));
}

int64_t
tls_crl_until(const struct tls *t)
{
	return tls_store_until(SSL_CTX_get_cert_store(t->ctx));
}

int64_t
tls_peer_until(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	return ssl == NULL ? 0 : tls_cert_until(SSL_get0_peer_certificate(ssl));
}

bool
tls_resumed(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	return ssl != NULL && SSL_session_reused(ssl) == 1;
}

const char *
tls_version(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	struct trouble *t = trouble_of(ssl);

	if (t == NULL)
		return "";
	snprintf(t->version, sizeof(t->version), "%s %s", SSL_get_version(ssl),
	    SSL_get_cipher_name(ssl));
	return t->version;
}

static int
certificate_words(const SSL *ssl, const struct trouble *t, struct err *e)
{
	const char *whose = SSL_is_server(ssl) ? "client" : "server";

	if (t->code == X509_V_ERR_HOSTNAME_MISMATCH || t->code == X509_V_ERR_IP_ADDRESS_MISMATCH)
		return err_set(e, ERR_CRYPTO, "tls: the server's certificate (%s) is not for %s "
		    "(verify code %d)", t->subject, t->name, t->code);
	return err_set(e, ERR_CRYPTO, "tls: the %s's certificate%s (%s, depth %d): %s "
	    "(verify code %d)", whose, t->depth > 0 ? " chain" : "", t->subject, t->depth,
	    X509_verify_cert_error_string(t->code), t->code);
}

/* Words for an entry of OpenSSL's queue. */
static int
library_words(unsigned long code, struct err *e)
{
	const char *text = ERR_reason_error_string(code);

	if (text == NULL)
		text = "unknown error";
	if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return err_set(e, ERR_IO, "tls: the connection was cut without close_notify");
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET)
		return err_set(e, ERR_CRYPTO, "tls: the other side refuses: %s", text);
	return err_set(e, ERR_CRYPTO, "tls: %s", text);
}

/* What OpenSSL left behind. libevent puts bare SSL_ERROR_ numbers among its codes: those say
 * nothing. When a write failed, the alert that says why may still lie unread in the socket. */
static unsigned long
library_code(struct bufferevent *bev, SSL *ssl, short what)
{
	unsigned long code = 0, next;
	char byte;

	while ((next = bufferevent_get_openssl_error(bev)) != 0)
		if (code == 0 && ERR_GET_LIB(next) == ERR_LIB_SSL)
			code = next;
	ERR_clear_error();
	if (code == 0 && (what & BEV_EVENT_ERROR) != 0 && (what & BEV_EVENT_WRITING) != 0 &&
	    SSL_read(ssl, &byte, 1) <= 0)
		code = ERR_peek_error();
	ERR_clear_error();
	return ERR_GET_LIB(code) == ERR_LIB_SSL ? code : 0;
}

/* The reason for the end of a connection. */
int
tls_error(struct bufferevent *bev, short what, struct err *e)
{
	int number = EVUTIL_SOCKET_ERROR();
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	struct trouble *t = trouble_of(ssl);
	unsigned long code = ssl == NULL ? 0 : library_code(bev, ssl, what);

	if (t != NULL && t->code != X509_V_OK)
		return certificate_words(ssl, t, e);
	if (code != 0)
		return library_words(code, e);
	if ((what & BEV_EVENT_TIMEOUT) != 0)
		return err_set(e, ERR_TIMEOUT, "no answer in time");
	if ((what & BEV_EVENT_EOF) != 0)
		return err_set(e, ERR_IO, "the other side closed the connection");
	return err_set(e, ERR_IO, "%s", number == 0 ? "the connection was lost" :
	    evutil_socket_error_to_string(number));
}

/* The loop would write it in its next turn, between two changes of what it waits for. A write that
 * the socket does not take whole leaves a record begun: the same bytes must come again, and they
 * do, from the buffer. Whatever else went wrong, the buffer's own write finds out and tells. */
bool
tls_write_now(struct bufferevent *bev, const void *p, size_t n)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	int done;

	if (ssl == NULL || n == 0 || n > INT_MAX || !SSL_is_init_finished(ssl))
		return false;
	done = SSL_write(ssl, p, (int)n);
	if (done <= 0)
		ERR_clear_error();
	return done > 0 && (size_t)done == n;
}

/* A record of 16 KB a segment costs a page of 80 KB a quarter more CPU. */
void
tls_cork(struct bufferevent *bev, bool corked)
{
	int on = corked;

	(void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* Without close_notify the other side cannot tell our end from a cut. */
static void
say_goodbye(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl == NULL || !SSL_is_init_finished(ssl) ||
	    (SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) != 0)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(ssl);
	ERR_clear_error();
}

/* The last word is said; listen on. */
void
tls_shut(struct bufferevent *bev)
{
	say_goodbye(bev);
	(void)shutdown(bufferevent_getfd(bev), SHUT_WR);
}

/* The last word is said; hang up. */
void
tls_close(struct bufferevent *bev)
{
	say_goodbye(bev);
	bufferevent_free(bev);
}
