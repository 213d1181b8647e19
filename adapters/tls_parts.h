/*
 * tls_parts.h -- between tls.c (connections) and tls_cert.c (files).
 *
 * Owns:    nothing lasting.
 * Called:  by those two files.
 * Never:   included by anyone else: it shows OpenSSL's types.
 */
#ifndef ADAPTERS_TLS_PARTS_H
#define ADAPTERS_TLS_PARTS_H

#include <openssl/x509.h>

#include "adapters/tls.h"

/* Fill *e with "tls: TEXT: what OpenSSL last said"; clears its queue. Always returns -1. */
int	tls_fail(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A pem_password_cb that never asks anybody. */
int	tls_no_pass_phrase(char *buf, int size, int rwflag, void *arg);
/* "CN=node-a" of a certificate (NULL is fine), made harmless and cut to fit. */
void	tls_subject_text(X509 *cert, char *out, size_t cap);
bool	tls_cert_pin(X509 *cert, char out[TLS_PIN_TEXT + 1]);

#endif
