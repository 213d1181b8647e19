/*
 * tls_parts.h -- between tls.c (connections), tls_ticket.c (resumption), tls_cert.c (making and reading
 * certificates), tls_files.c (what a context has from files) and tls_probe.c (diagnosis).
 *
 * Owns:    nothing lasting.
 * Called:  by those files.
 * Never:   included by anyone else: it shows OpenSSL's types.
 */
#ifndef ADAPTERS_TLS_PARTS_H
#define ADAPTERS_TLS_PARTS_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "adapters/tls.h"

enum { TLS_PEM_FILE_MAX = 1 << 20 };

/* Fill *e with "tls: TEXT: what OpenSSL last said"; clears its queue. Always returns -1. */
int	tls_fail(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A pem_password_cb that never asks anybody. */
int	tls_no_pass_phrase(char *buf, int size, int rwflag, void *arg);
/* "CN=node-a" of a certificate (NULL is fine), made harmless and cut to fit. */
void	tls_subject_text(X509 *cert, char *out, size_t cap);
/* tls.c: the client's side of one connection, with chain, name and SNI asked for; NULL and *e. */
SSL	*tls_client_ssl(struct tls *t, const char *name, struct err *e);
/* tls_ticket.c: resumption for a listener of that name. -1: OpenSSL cannot. */
int	tls_use_tickets(SSL_CTX *ctx, struct slice secret, const char *listener);
/* tls_cert.c: when it ends, wall clock; 0 if there is none, or it says no time. */
int64_t	tls_cert_until(const X509 *cert);
int64_t	tls_store_until(X509_STORE *store);	/* the same of revocation lists: the first */
bool	tls_cert_pin(X509 *cert, char out[TLS_PIN_TEXT + 1]);
/* Its validity, wall clock; false if it says none. */
bool	tls_cert_times(const X509 *cert, int64_t *from_us, int64_t *until_us);

/* 0, or -1 and *e: which file, and what is wrong with it. */
int	tls_use_chain_file(SSL_CTX *ctx, const char *path, struct err *e);
int	tls_use_key_file(SSL_CTX *ctx, const char *path, struct err *e);
/* Certificates and revocation lists that others are verified with; `what` is its name in *e. */
int	tls_use_trusted_file(SSL_CTX *ctx, const char *path, const char *what, struct err *e);

#endif
