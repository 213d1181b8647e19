/*
 * dedup_local.h -- the claims of this process, in a table of bounded size.
 *
 * Owns:    for each key its state, how many messages hold it, and until when it is believed.
 * Called:  by dedup.c, before Redis is asked and instead of it.
 * Never:   knows Redis. Time is an argument.
 *
 *	           claim: CLAIMED                 confirm
 *	(none) ----------------------> claimed x1 --------> seen   (a claim says SEEN)
 *	   ^                              |  ^
 *	   |  the last holder releases    |  | claim: BUSY, one holder more
 *	   '------------------------------'--'
 *
 * Holders are counted because a message that was told BUSY releases or confirms like the one that was
 * told CLAIMED: its release must not take the claim away from under the other.
 */
#ifndef GATEWAY_DEDUP_LOCAL_H
#define GATEWAY_DEDUP_LOCAL_H

#include "gateway/base/recent.h"
#include "gateway/dedup.h"

struct dedup_local;

enum { DEDUP_KEY = RECENT_KEY };

struct dedup_local *dedup_local_new(size_t max);
void	dedup_local_free(struct dedup_local *t);
/* CLAIMED (until `until_us`), BUSY or SEEN; UNKNOWN if the table may not hold anything. */
enum dedup_answer dedup_local_claim(struct dedup_local *t, const uint8_t key[DEDUP_KEY],
	    int64_t now_us, int64_t until_us);
/* What a claim would say (CLAIMED: nothing is known), without making one. */
enum dedup_answer dedup_local_look(const struct dedup_local *t, const uint8_t key[DEDUP_KEY],
	    int64_t now_us);
void	dedup_local_confirm(struct dedup_local *t, const uint8_t key[DEDUP_KEY], int64_t until_us);
/* One holder less. True if that was the last one, or nothing was known: the claim is to be given up. */
bool	dedup_local_release(struct dedup_local *t, const uint8_t key[DEDUP_KEY], int64_t now_us);
void	dedup_local_forget(struct dedup_local *t, const uint8_t key[DEDUP_KEY]);
size_t	dedup_local_count(const struct dedup_local *t);

#endif
