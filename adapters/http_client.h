/*
 * http_client.h -- requests to one server, one after the other, over one connection that is kept.
 *
 * Owns:    name lookup, connection, a proxy's tunnel, TLS with name and pin, the queue of calls, their
 *          deadlines; taking off the gzip of answers.
 * Called:  by peer_link.c (relay to nodes) and taxii_client.c (servers of others); one client a peer.
 * Never:   follows a redirect, takes an answer larger than told, as it comes or as it is read, sends a
 *          byte of a request before name and pin are right, repeats a request that the other side may
 *          have begun to act on (unless `repeatable`).
 */
#ifndef ADAPTERS_HTTP_CLIENT_H
#define ADAPTERS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "adapters/http1.h"
#include "adapters/http_server.h"	/* struct http_header */
#include "adapters/proxy_connect.h"
#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct event_base;
struct evdns_base;
struct http_call;
struct http_client;
struct tls;

/* How far a failed call came. */
enum http_step {
	HTTP_STEP_NAME,		/* looking up the host */
	HTTP_STEP_TCP,		/* connecting */
	HTTP_STEP_PROXY,	/* with a proxy: its name, its TCP, its tunnel */
	HTTP_STEP_TLS,		/* handshake, certificate, name, pin */
	HTTP_STEP_SEND,		/* writing the request: the server may have seen part of it */
	HTTP_STEP_ANSWER,	/* waiting for or reading the answer: it may have been acted on */
	HTTP_STEP_DONE
};

struct http_client_conf {	/* copied; spans: 0 = the default in brackets */
	const char		*host;		/* DNS name or IP address to connect to */
	uint16_t		 port;
	struct tls		*tls;		/* client context, a reference is taken; NULL = plain */
	const char		*name;		/* expected in the certificate; NULL = host */
	const char *const	*pins;		/* any of these; none = name and chain only */
	size_t			 npins;
	struct evdns_base	*dns;		/* NULL: the client makes its own when it needs one */
	struct proxy		 proxy;		/* on the way; host NULL: none */
	bool			 gzip;		/* ask for gzip; what comes so is decoded in any case */
	int64_t			 connect_us;	/* lookup, TCP and TLS together [10 s] */
	int64_t			 total_us;	/* one call, from leaving the queue [30 s] */
	int64_t			 idle_us;	/* keep an unused connection for [30 s] */
	size_t			 max_answer;	/* bytes of body, as it comes and decoded [16 MB] */
	size_t			 max_queue;	/* calls waiting; more = ERR_BUSY [64] */
};

struct http_request {		/* copied, except a taken body */
	const char		*method;
	const char		*target;	/* "/path/?query", already escaped */
	const struct http_header *headers;	/* beside Host, Content-Length, User-Agent */
	size_t			 nheaders;
	struct slice		 body;		/* copied, unless... */
	struct strbuf		*take;		/* ...this is set */
	int64_t			 total_us;	/* 0 = the client's */
	bool			 repeatable;	/* may be sent again if a kept connection turns out dead */
};

struct http_reply {		/* valid during the callback */
	int			 status;	/* 0: no answer, see err */
	const struct http1_head	*head;		/* NULL if status is 0 */
	struct slice		 body;		/* decoded */
	enum http_step		 step;		/* HTTP_STEP_DONE if status is not 0 */
	const struct err	*err;		/* in words, "tls: ..." ; ERR_NONE if status is not 0 */
	int64_t			 took_us;	/* from leaving the queue */
	const char		*address;	/* we were talking to, text; "" if never connected */
};
typedef void http_reply_cb(const struct http_reply *r, void *arg);

struct http_client	*http_client_new(struct event_base *base, const struct http_client_conf *conf);
/* Calls under way end without their callback. NULL is fine; legal inside a callback. */
void			 http_client_free(struct http_client *c);
/* Take no new calls, finish those queued and under way (their callbacks come), then free. */
void			 http_client_retire(struct http_client *c);
/* When our certificate ends, and the one that the server showed last; wall clock, 0: none. */
void			 http_client_certificates(const struct http_client *c, int64_t *ours_us,
			    int64_t *theirs_us);
/* Queue a call; `cb` is called once, from the loop, never before this returns; the call is gone then.
 * NULL and *e if the queue is full (ERR_BUSY) or the request cannot be written (ERR_VALUE). */
struct http_call	*http_client_send(struct http_client *c, const struct http_request *rq,
			    http_reply_cb *cb, void *arg, struct err *e);
/* Forget a call; its callback will not be called. If it is in flight the connection is closed. */
void			 http_client_cancel(struct http_call *call);
/* New connections use `tls` and `pins` from now on; an idle one is closed, one in use when its call
 * ends. */
void			 http_client_swap_tls(struct http_client *c, struct tls *tls,
			    const char *const *pins, size_t npins);
struct event_base	*http_client_base(const struct http_client *c);
size_t			 http_client_queued(const struct http_client *c);

#endif
