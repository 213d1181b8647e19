/*
 * dial.h -- from a host name to a connection that has been checked.
 *
 * Owns:    one attempt: name lookup, each address in turn, a proxy's tunnel, handshake, name and pin.
 * Called:  by http_client.c; by anyone else who connects somewhere.
 * Never:   hands out a connection whose certificate, name or pin is not right, calls back before
 *          dial_start has returned, calls back twice, or waits longer than told.
 */
#ifndef ADAPTERS_DIAL_H
#define ADAPTERS_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "adapters/proxy_connect.h"
#include "gateway/base/err.h"

struct bufferevent;
struct dial;
struct event_base;
struct evdns_base;
struct tls;

/* With a proxy the way to it is the proxy's step as a whole: its name, its TCP, its answer. */
enum dial_step { DIAL_NAME, DIAL_TCP, DIAL_PROXY, DIAL_TLS };

struct dial_to {		/* borrowed until the call back, but `host` and `name` */
	const char		*host;		/* DNS name or IP address */
	uint16_t		 port;
	struct tls		*tls;		/* NULL = plain */
	const char		*name;		/* in the certificate; NULL = host */
	const char *const	*pins;
	size_t			 npins;
	struct evdns_base	*dns;		/* not needed for IP addresses */
	struct proxy		 proxy;		/* host NULL: straight */
	int64_t			 timeout_us;	/* for all together */
};

struct dial_result {		/* valid during the callback */
	struct bufferevent	*bev;		/* yours, without callbacks; NULL on failure */
	enum dial_step		 step;		/* where it ended */
	const struct err	*err;		/* in words */
	const char		*address;	/* the last one tried, text; "" if none */
};
typedef void dial_cb(const struct dial_result *r, void *arg);

/* Start. The callback comes from the loop, once; then the dial is gone. */
struct dial	*dial_start(struct event_base *base, const struct dial_to *to, dial_cb *cb, void *arg);
/* Stop without callback. NULL is fine. */
void		 dial_cancel(struct dial *d);
/* Does it still wait for the resolver? Then the resolver must outlive the cancelled lookup for a moment. */
bool		 dial_is_looking(const struct dial *d);
/* Is this an IP address (no lookup needed)? */
bool		 dial_is_address(const char *host);
/* A resolver: /etc/resolv.conf and /etc/hosts, or only the latter where the former is missing. */
struct evdns_base *dial_resolver(struct event_base *base);

#endif
