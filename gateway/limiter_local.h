/*
 * limiter_local.h -- GCRA on a table of bounded size.
 *
 * Owns:    one number a bucket: the time at which it will be full again.
 * Called:  by limiter.c.
 * Never:   knows Redis. Time is an argument, steady, in microseconds.
 *
 * A unit costs 1 / per_second. A bucket that is full again at `tat` has (tat - now) of debt; it may
 * never owe more than `burst` units:
 *
 *	now ........ tat                      allowed, if tat + units * cost <= now + burst * cost
 *	    <--debt-->
 *
 * More units at once than the burst holds are allowed from a full bucket, and paid for by waiting
 * afterwards: the rate holds all the same, and nobody waits for ever.
 */
#ifndef GATEWAY_LIMITER_LOCAL_H
#define GATEWAY_LIMITER_LOCAL_H

#include "gateway/base/recent.h"
#include "gateway/limiter.h"

struct limiter_local;

struct limiter_local *limiter_local_new(size_t max);
void	limiter_local_free(struct limiter_local *l);
struct limiter_answer limiter_local_take(struct limiter_local *l, const uint8_t key[RECENT_KEY],
	    struct limit limit, uint32_t units, int64_t now_us);
/* Somebody else has allowed it: book it, down to an empty bucket. */
void	limiter_local_charge(struct limiter_local *l, const uint8_t key[RECENT_KEY],
	    struct limit limit, uint32_t units, int64_t now_us);
/* Undo a take; never more than a full bucket. */
void	limiter_local_refund(struct limiter_local *l, const uint8_t key[RECENT_KEY],
	    struct limit limit, uint32_t units, int64_t now_us);
size_t	limiter_local_count(const struct limiter_local *l);

#endif
