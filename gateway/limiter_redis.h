/*
 * limiter_redis.h -- GCRA in Redis: one script, one key a bucket, Redis' own clock.
 *
 * Owns:    the script and the form of its arguments and answer.
 * Called:  by limiter.c.
 * Never:   decides by itself: what is no proper answer is no answer.
 */
#ifndef GATEWAY_LIMITER_REDIS_H
#define GATEWAY_LIMITER_REDIS_H

#include "gateway/limiter.h"

/* Ask for `units` of the bucket with this key; cb is called exactly once, possibly before this returns. */
void	limiter_redis_take(struct redis *r, struct slice key, struct limit limit, uint32_t units,
	    redis_cb *cb, void *arg);
/* Put `units` back; nobody waits for it. */
void	limiter_redis_refund(struct redis *r, struct slice key, struct limit limit, uint32_t units);
/* Read the script's answer; false if it is none. */
bool	limiter_redis_read(const struct redis_reply *r, struct limiter_answer *out);

#endif
