/*
 * taxii_auth.h -- who asks: client certificate, token (Authorization or `token-header`), or name and
 *          password, alone or together.
 *
 * Owns:    reading Authorization, matching pin and header, throttling guesses per address.
 * Called:  by taxii_server.c for every request, before anything of it is answered.
 * Never:   lets anybody guess without end, by whatever method; reads credentials from a URL; says why
 *          somebody is not let in; takes a token or a password for a peer: its pin alone names it.
 */
#ifndef ADAPTERS_TAXII_AUTH_H
#define ADAPTERS_TAXII_AUTH_H

#include "adapters/http_server.h"
#include "gateway/peer.h"

struct arena;
struct gateway;

enum taxii_auth {
	TAXII_AUTH_OK,		/* peer NULL = the public, only with authentication off */
	TAXII_AUTH_TEST,	/* the same, but `tocsin consumer test` asks in its place */
	TAXII_AUTH_WHO,		/* 401 */
	TAXII_AUTH_BUSY,	/* 503: too many passwords are being looked at; wait_us */
	TAXII_AUTH_SLOW		/* 429: too many wrong guesses from this address; wait_us */
};

typedef void	taxii_auth_cb(void *arg, enum taxii_auth answer, const struct peer *peer, int64_t wait_us);

/* cb exactly once, possibly at once; *x may be gone by then, `mem` may not. `peer` is of the trust of the
 * moment of the callback. */
void		taxii_auth(struct gateway *g, const struct http_exchange *x, struct arena *mem,
		    taxii_auth_cb *cb, void *arg);

#endif
