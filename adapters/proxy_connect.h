/*
 * proxy_connect.h -- ask an HTTP proxy for a tunnel, on a connection that stands.
 *
 * Owns:    the question (CONNECT, RFC 7231 section 4.3.6) and the reading of its answer's head.
 * Called:  by dial.c, between TCP and TLS.
 * Never:   reads a byte behind the head: in the tunnel it is the client who speaks first, and whatever a
 *          proxy sends before that is refused. Never sends its login anywhere else.
 */
#ifndef ADAPTERS_PROXY_CONNECT_H
#define ADAPTERS_PROXY_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct event_base;
struct proxy_talk;

struct proxy {
	const char	*host;		/* NULL: none, the way is direct */
	uint16_t	 port;
	const char	*user, *password;	/* Basic; user NULL: none */
};

/* e NULL: the tunnel stands. The talk is gone when this is called. */
typedef void	 proxy_connect_cb(void *arg, const struct err *e);

/* Ask on `fd`, which stays the caller's. Waits for ever: the caller has a timer. */
struct proxy_talk *proxy_connect(struct event_base *base, int fd, const struct proxy *proxy,
		    const char *host, uint16_t port, proxy_connect_cb *cb, void *arg);
/* Stop without callback. NULL is fine. */
void	 proxy_connect_cancel(struct proxy_talk *t);

/* What the head of an answer means. 1: a tunnel; 0: more of it is needed; -1: none, and *e says why. */
int	 proxy_connect_read(struct slice head, struct err *e);
/* Append the question. */
struct strbuf;
void	 proxy_connect_write(struct strbuf *out, const struct proxy *proxy, const char *host,
	    uint16_t port);

#endif
