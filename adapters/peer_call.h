/*
 * peer_call.h -- how we call a peer: its address and proxy, what it must show, what we show.
 *
 * Owns:    putting together an HTTP or TAXII client from tocsin.conf, trust.conf and credentials.
 * Called:  by peer_link.c, puller.c, taxii_push.c and the doctor: all call a peer in the same way.
 * Never:   connects: that happens with the first request.
 */
#ifndef ADAPTERS_PEER_CALL_H
#define ADAPTERS_PEER_CALL_H

#include "adapters/taxii_client.h"
#include "adapters/url.h"
#include "gateway/peer.h"

struct config;
struct credentials;
struct event_base;
struct http_client_conf;
struct tls;

struct peer_caller {
	struct event_base		*base;
	const struct config		*config;
	const struct credentials	*credentials;	/* NULL: no logins */
};

/* Fill in what belongs to the peer (host, name, pins, proxy, TLS context with one reference for the caller)
 * and leave the rest. Texts are borrowed from the peer, `url` and `room`. */
struct peer_call_room { char pins[PEER_PINS][65]; const char *list[PEER_PINS]; };
int	peer_call_conf(const struct peer_caller *by, const struct peer *p, const struct url *url,
	    struct peer_call_room *room, struct http_client_conf *out, struct err *e);
/* NULL and *e: the URL makes no sense, or a certificate cannot be read. `url` (NULL is fine) is filled. */
struct http_client *peer_call_http(const struct peer_caller *by, const struct peer *p, struct url *url,
	    struct err *e);
/* The same as a TAXII server, one collection of it (NULL: what the URL names, or the only one). */
struct taxii_client *peer_call_taxii(const struct peer_caller *by, const struct peer *p,
	    const char *collection, size_t max_answer, struct err *e);

#endif
