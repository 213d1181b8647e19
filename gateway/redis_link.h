/*
 * redis_link.h -- from a Redis URL to a bufferevent that is being connected.
 *
 * Owns:    the three URL forms, and the one name resolver that a `redis://name` needs.
 * Called:  by redis.c, and by whoever checks a configuration.
 * Never:   waits, reads or writes; a password in a URL is refused, because URLs are logged.
 */
#ifndef GATEWAY_REDIS_LINK_H
#define GATEWAY_REDIS_LINK_H

#include "gateway/redis.h"

struct evdns_base;

struct redis_address {
	bool		tls;
	char		path[108];	/* unix socket; empty = TCP */
	char		host[256];	/* name or address, no brackets */
	uint16_t	port;
	unsigned	db;
};

/* unix:/path, redis://host[:port][/db], rediss://...; ERR_CONFIG otherwise. */
int	redis_address_parse(const char *url, struct redis_address *out, struct err *e);
/* A connection in the making (BEV_EVENT_CONNECTED or an error will come), or NULL and *e. *dns is
 * made when first needed. */
struct bufferevent *redis_dial(struct event_base *base, struct evdns_base **dns,
	    const struct redis_address *a, redis_tls_fn *tls, void *tls_ctx, struct err *e);

#endif
