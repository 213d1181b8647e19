/*
 * dedup.h -- has any worker or node that shares our store accepted this object?
 *
 * Owns:    the claim -> confirm | release life of a key, local and in Redis, behind one contract.
 * Called:  by intake.c, once an object, after parsing and before policy; by outbox.c for the shared
 *          "already sent to this peer" key.
 * Never:   compares content, writes to the store, or waits. A claim is not a fact: in doubt the
 *          store's unique index decides (rulings 2).
 *
 * Keys are HMAC-SHA256 under the federation's dedup key, so Redis never sees content; claim keys
 * carry the store's id (nodes with separate stores do not claim for one another), sent keys do not.
 * TLP:RED is never put in Redis: callers say `local_only`.
 */
#ifndef GATEWAY_DEDUP_H
#define GATEWAY_DEDUP_H

#include "gateway/redis.h"

struct dedup;

enum dedup_answer {
	DEDUP_CLAIMED,		/* ours for claim_short; confirm or release it */
	DEDUP_SEEN,		/* confirmed earlier; the store must still say so */
	DEDUP_BUSY,		/* somebody is at it right now: go on, the store decides */
	DEDUP_UNKNOWN		/* no backend could answer: go on, the store decides */
};
typedef void dedup_cb(void *arg, const enum dedup_answer *answers, size_t n);

struct dedup_conf {
	struct slice	 key;		/* 32 bytes */
	struct slice	 store_id;	/* UUID text of the store */
	const char	*prefix;
	int64_t		 claim_short_us, claim_long_us;
	size_t		 local_max;	/* entries of the local table; oldest go first */
};

/* r NULL: the local backend alone. With Redis, local answers are used while it is away. */
struct dedup	*dedup_new(struct redis *r, const struct dedup_conf *conf);
/* Before redis_free. Questions still open are not answered any more: who asked is going down too. */
void		 dedup_free(struct dedup *d);
/* The key of what is claimed (any bytes): made once, used from the claim to its end. */
struct dedup_key { uint8_t bytes[16]; };
struct dedup_key dedup_key(struct dedup *d, struct slice what);
/* Claim n keys at once, pipelined; cb is called exactly once, possibly at once. */
void		 dedup_claim(struct dedup *d, const struct dedup_key *keys, size_t n, bool local_only,
		    dedup_cb *cb, void *arg);
void		 dedup_confirm(struct dedup *d, const struct dedup_key *keys, size_t n, bool local_only);
/* Give a claim up. A confirmed key stays, and so does a claim that somebody else holds as well. */
void		 dedup_release(struct dedup *d, const struct dedup_key *keys, size_t n, bool local_only);
/* A confirmed key is no longer true: the object was deleted or purged. */
void		 dedup_forget(struct dedup *d, const struct dedup_key *keys, size_t n);
/* Shared among federated nodes: has *any* of them sent this to the peer with this pin lately? Marks it
 * as sent when `mark`. DEDUP_SEEN or DEDUP_CLAIMED / DEDUP_UNKNOWN. */
void		 dedup_sent(struct dedup *d, struct slice peer_pin, struct slice fp, bool mark,
		    dedup_cb *cb, void *arg);
struct dedup_figures { uint64_t claimed, seen, busy, unknown, local_entries; };
void		 dedup_figures(const struct dedup *d, struct dedup_figures *out);

#endif
