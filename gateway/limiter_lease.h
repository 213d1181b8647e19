/*
 * limiter_lease.h -- units of a shared bucket that were taken ahead of need.
 *
 * A busy client would cost one round trip to Redis a request. Instead a few units are taken at once
 * and spent here. They are gone from the shared bucket the moment they are leased, so all nodes
 * together never give more than the limit; what is leased and not spent is lost to the client, so a
 * lease is small (a sixteenth of the burst, and no more than flows in again while it lasts), short,
 * and of the size that was used lately.
 *
 * Owns:    what is left of each lease.
 * Called:  by limiter.c.
 * Never:   talks to Redis.
 */
#ifndef GATEWAY_LIMITER_LEASE_H
#define GATEWAY_LIMITER_LEASE_H

#include "gateway/base/recent.h"
#include "gateway/redis.h"

struct leases;

enum { LEASE_US = 50000, LEASE_MAX = 1000 };

struct leases	*leases_new(size_t max);
void		 leases_free(struct leases *ls);	/* NULL is fine */
/* True if so many units were there, and are spent. */
bool		 leases_spend(struct leases *ls, const uint8_t key[RECENT_KEY], uint32_t units,
		    int64_t now_us);
/* How many units to ask for, when so many are needed at once: more, if a lease is worth it. */
uint32_t	 leases_want(struct leases *ls, const uint8_t key[RECENT_KEY], struct limit limit,
		    uint32_t units, int64_t now_us);
/* The answer to a question for more: so many units beyond what was needed (0: it was refused). */
void		 leases_got(struct leases *ls, const uint8_t key[RECENT_KEY], uint32_t more,
		    int64_t now_us);

#endif
