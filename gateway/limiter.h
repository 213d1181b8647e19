/*
 * limiter.h -- may this client go on now, or when?
 *
 * Owns:    GCRA buckets (one number each): in Redis by one script with Redis' own TIME, so that one
 *          budget holds for all federated nodes; or local, with the same contract.
 * Called:  by http handlers before the work, by outbox before sending, by the login throttle.
 * Never:   drops or waits: it answers allowed, or how long to wait.
 *
 * A busy client is leased a few units ahead (limiter_lease.h), so that most answers need no round trip.
 * While Redis is away the local backend answers with the configured share of the limit: never
 * unlimited, never closed.
 */
#ifndef GATEWAY_LIMITER_H
#define GATEWAY_LIMITER_H

#include "gateway/redis.h"

struct limiter;

struct limiter_answer {
	bool	allowed;
	int64_t	wait_us;	/* until one unit is free again; 0 when allowed */
	bool	shared;		/* answered by Redis */
};
typedef void limiter_cb(void *arg, struct limiter_answer a);

struct limiter_conf {
	const char	*prefix;
	struct slice	 key;		/* 32 bytes: bucket names are HMACs */
	double		 local_share;	/* of the limit while Redis is away; 1.0 when there is none */
	size_t		 local_max;	/* buckets */
};

struct limiter	*limiter_new(struct redis *r, const struct limiter_conf *conf);
/* Before redis_free. Questions still open are not answered any more: who asked is going down too. */
void		 limiter_free(struct limiter *l);
/* Take `units` from bucket `name`. limit.per_second 0 = always allowed. cb exactly once, possibly at
 * once. Nothing is taken when not allowed. More units than the burst are allowed from a full bucket and
 * paid for afterwards. */
void		 limiter_take(struct limiter *l, struct slice name, struct limit limit, uint32_t units,
		    limiter_cb *cb, void *arg);
/* The same, local only, at once (login guesses, per-address limits). */
struct limiter_answer limiter_take_local(struct limiter *l, struct slice name, struct limit limit,
		    uint32_t units);
/* Give back what was taken here and turned out not to count. */
void		 limiter_refund_local(struct limiter *l, struct slice name, struct limit limit,
		    uint32_t units);
/* The same for what limiter_take allowed: here, and in Redis if it is there. */
void		 limiter_refund(struct limiter *l, struct slice name, struct limit limit, uint32_t units);
struct limiter_figures { uint64_t allowed, refused, local, buckets; };
void		 limiter_figures(const struct limiter *l, struct limiter_figures *out);

#endif
