/*
 * redis.h -- Redis over our own event loop, and hiredis' doorman.
 *
 * Owns:    one connection per process (plain, unix socket or TLS), AUTH, its reconnection with
 *          back-off and jitter, a bounded queue of commands each with a deadline, the circuit: closed
 *          (asking), open (answering "unavailable" at once, one probe per back-off).
 * Called:  by dedup and limiter only.
 * Never:   waits, never retries a command, never trusts a reply: sizes are capped, types checked by
 *          the callers.
 *
 * hiredis is used for its reply reader; its own I/O is not.
 */
#ifndef GATEWAY_REDIS_H
#define GATEWAY_REDIS_H

#include <event2/event.h>

#include "gateway/config.h"

struct redis;
struct bufferevent;

enum redis_reply_kind { REDIS_NIL, REDIS_INT, REDIS_TEXT, REDIS_STATUS, REDIS_ERROR, REDIS_LIST };
struct redis_reply {
	enum redis_reply_kind	kind;
	int64_t			integer;
	struct slice		text;		/* TEXT, STATUS, ERROR; valid during the callback */
	struct redis_reply	*items;		/* LIST */
	size_t			nitems;
};
/* r NULL: no answer (unavailable, timed out, closed, refused by the circuit, server not fit to
 * answer: LOADING, OOM, READONLY, MISCONF, NOAUTH, BUSY, CLUSTERDOWN). */
typedef void redis_cb(void *arg, const struct redis_reply *r);

/* How a TLS bufferevent is made (adapters/tls.c); NULL when rediss is not used. Returns NULL and *e
 * on trouble. fd is connected later by redis.c with bufferevent_socket_connect. */
typedef struct bufferevent *redis_tls_fn(void *ctx, struct event_base *base, const char *host,
	    struct err *e);

struct redis	*redis_new(struct event_base *base, const struct redis_conf *conf,
		    redis_tls_fn *tls, void *tls_ctx, struct err *e);
/* Outstanding callbacks get NULL; NULL is fine. Not from within a callback. */
void		 redis_free(struct redis *r);
/* Send a command of argc words; cb (NULL is fine) is called exactly once, possibly before this
 * returns. */
void		 redis_command(struct redis *r, int argc, const struct slice *argv, redis_cb *cb,
		    void *arg);
/* EVALSHA with a fall-back to EVAL on NOSCRIPT. `script` must be a literal (its SHA-1 is kept). */
void		 redis_script(struct redis *r, const char *script, int nkeys, int argc,
		    const struct slice *argv, redis_cb *cb, void *arg);

enum redis_state { REDIS_OFF, REDIS_CONNECTING, REDIS_UP, REDIS_DOWN };
enum redis_state redis_state(const struct redis *r);	/* NULL: REDIS_OFF */
const char	*redis_state_word(enum redis_state s);
/* Why it is not up, in words; empty while it is. */
const char	*redis_reason(const struct redis *r);
/* Who can say why a connection ended better than errno (adapters/tls.c's tls_error does). */
typedef int redis_why_fn(struct bufferevent *bev, short what, struct err *e);
void		 redis_explain_with(struct redis *r, redis_why_fn *why);	/* NULL is fine */
const char	*redis_library(void);	/* version of hiredis, as built: it tells no other */
struct redis_figures {
	uint64_t	commands, failures, timeouts, reconnects;
	size_t		waiting;
	int64_t		away_us;	/* for how long the circuit has been open; 0 while it is not */
};
void		 redis_figures(const struct redis *r, struct redis_figures *out);
/* Where the times from command to answer are counted; NULL: nowhere. */
struct stats;
void		 redis_count_in(struct redis *r, struct stats *stats);

#endif
