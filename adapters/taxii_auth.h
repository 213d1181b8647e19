/*
 * taxii_auth.h -- who asks: client certificate, bearer token, or name and password.
 *
 * Owns:    reading Authorization, matching pin and header, throttling guesses per address.
 * Called:  by taxii_server.c for every request, before anything of it is answered.
 * Never:   reads credentials from a URL, never says why somebody is not let in, and never takes a token or
 *          a password for a peer: its pin alone names it.
 */
#ifndef ADAPTERS_TAXII_AUTH_H
#define ADAPTERS_TAXII_AUTH_H

#include "adapters/http_server.h"
#include "gateway/peer.h"

struct gateway;

enum taxii_auth {
	TAXII_AUTH_OK,		/* *peer is set; NULL = the public, only with authentication off */
	TAXII_AUTH_WHO,		/* 401 */
	TAXII_AUTH_SLOW		/* 429: too many wrong guesses from this address; *wait_us */
};

enum taxii_auth	taxii_auth(struct gateway *g, const struct http_exchange *x,
		    const struct peer **peer, int64_t *wait_us);

#endif
