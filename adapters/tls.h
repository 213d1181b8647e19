/*
 * tls.h -- TLS 1.2 and 1.3 on bufferevents, pins, and the certificates of a node.
 *
 * Owns:    SSL contexts (`struct tls`, counted references, so that a reload swaps a new one in
 *          while connections in progress keep the old), what a connection remembers about its peer,
 *          and the making and reading of certificate files (tls_cert.c).
 * Called:  by http_server.c, http_client.c, redis.c; `tocsin init`, `tocsin check`, tests.
 * Never:   shows an OpenSSL type; uses the system's CA store or openssl.cnf; looks at a subject
 *          name to learn who somebody is; asks for a pass phrase; believes a certificate that was
 *          not both presented and verified.
 *
 * A *pin* is the SHA-256 of the DER SubjectPublicKeyInfo, 64 lower-case hex digits.
 */
#ifndef ADAPTERS_TLS_H
#define ADAPTERS_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct bufferevent;
struct event_base;
struct tls;

enum { TLS_PIN_TEXT = 64 };

enum tls_clients {
	TLS_CLIENTS_NONE,	/* never asked for a certificate */
	TLS_CLIENTS_OPTIONAL,	/* asked; a bad one ends the handshake, none at all does not */
	TLS_CLIENTS_REQUIRED	/* no good certificate, no connection */
};

struct tls_server_conf {
	const char	*name;		/* of the listener: sessions of one never open another */
	const char	*cert;		/* PEM file: own certificate, then intermediates */
	const char	*key;		/* PEM file, no pass phrase */
	enum tls_clients clients;
	const char	*client_ca;	/* PEM file of CAs and self-signed peers; unless NONE */
	const char	*client_crl;	/* PEM file; NULL = no revocation lists */
	struct slice	 tickets;	/* seed of the keys of session tickets, the same in all processes
					 * that serve this listener; empty = our own alone */
};

struct tls_client_conf {
	const char	*ca;		/* PEM file of CAs and self-signed peers; required */
	const char	*cert;		/* own certificate chain; NULL = show none */
	const char	*key;
};

/* A context with one reference, or NULL and *e: which file, and what is wrong with it. */
struct tls	*tls_server_new(const struct tls_server_conf *conf, struct err *e);
struct tls	*tls_client_new(const struct tls_client_conf *conf, struct err *e);
struct tls	*tls_ref(struct tls *t);
void		 tls_free(struct tls *t);		/* drops one reference; NULL is fine */

/* A bufferevent that does the server's side of the handshake on a connected socket, which it closes
 * when it is freed. NULL and *e on failure (fd is still the caller's then). */
struct bufferevent *tls_accept(struct tls *t, struct event_base *base, int fd, struct err *e);
/* The client's side on a connected socket. `name` (a DNS name or an IP address) is asked for by SNI
 * and must be in the server's certificate; without it nothing is accepted. */
struct bufferevent *tls_connect(struct tls *t, struct event_base *base, int fd, const char *name,
		    struct err *e);
/* The pin of the peer's certificate. false if it showed none or it did not verify. */
bool		 tls_pin(struct bufferevent *bev, char out[TLS_PIN_TEXT + 1]);
/* 0 if the peer's pin is one of `pins` ("sha256:" in front is fine); no pins at all = any. */
int		 tls_check_pins(struct bufferevent *bev, const char *const *pins, size_t npins,
		    struct err *e);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384"; static text per connection. */
const char	*tls_version(struct bufferevent *bev);
/* When the certificate that a context shows, or that the other side showed, ends: microseconds since 1970;
 * 0 if none was shown. */
int64_t		 tls_own_until(const struct tls *t);
/* When the first of its revocation lists is out of date; 0: it has none, or none says so. */
int64_t		 tls_crl_until(const struct tls *t);
int64_t		 tls_peer_until(struct bufferevent *bev);
/* Was the handshake cut short because the client had been here before? */
bool		 tls_resumed(struct bufferevent *bev);
/* Why this connection failed, in words, after BEV_EVENT_ERROR or _EOF (`what` of the callback).
 * Clears OpenSSL's error queue. Always returns -1. Works on plain bufferevents as well. */
int		 tls_error(struct bufferevent *bev, short what, struct err *e);
/* Encrypt and send at once, past the output buffer, which must be empty. True: all is with the
 * kernel. False (always on a plain bufferevent): all of it, as one piece of memory, must follow in
 * the output buffer, where what was begun goes on. */
bool		 tls_write_now(struct bufferevent *bev, const void *p, size_t n);
/* Let the kernel fill its segments while several records follow each other; false sends what is
 * left. */
void		 tls_cork(struct bufferevent *bev, bool corked);
/* Say close_notify and close the sending side; what still comes can be read. */
void		 tls_shut(struct bufferevent *bev);
/* Say close_notify, then free the bufferevent (a plain one is just freed). The output should be
 * drained already. */
void		 tls_close(struct bufferevent *bev);

/* --- files ------------------------------------------------------------------------------------ */

/* 0 if the private key belongs to the (first) certificate. */
int		 tls_key_matches(const char *cert, const char *key, struct err *e);
/* Pin and validity (microseconds since 1970) of the first certificate in a file; NULLs are fine. */
int		 tls_cert_read(const char *cert, char pin[TLS_PIN_TEXT + 1], int64_t *from_us,
		    int64_t *until_us, struct err *e);
/* 0 if `name` (DNS name or IP address) is among the names of the first certificate. */
int		 tls_cert_names(const char *cert, const char *name, struct err *e);

struct tls_issue {
	const char		*name;		/* common name, for people only */
	const char *const	*names;		/* DNS names and IP addresses; NULL-terminated */
	int64_t			 from_us, until_us;
};

/* Make a P-256 key and a self-signed CA certificate; writes both files (key 0600, cert 0644). */
int		 tls_make_ca(const char *name, int64_t from_us, int64_t until_us, const char *cert,
		    const char *key, struct err *e);
/* Make a P-256 key and a certificate for a server and client, signed by that CA. With ca_cert NULL
 * it is self-signed. */
int		 tls_make_cert(const char *ca_cert, const char *ca_key, const struct tls_issue *what,
		    const char *cert, const char *key, struct err *e);

#endif
