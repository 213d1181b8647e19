/*
 * taxii20_ground.h -- where in a collection there is STIX 2.0 at all.
 *
 *	dates   ----------[x---x-x]------------------|........
 *	             first ^     ^ last       scanned ^
 *
 * A collection of a million objects of STIX 2.1 has nothing for a client of TAXII 2.0, who would have all
 * of it looked through at every poll. What was looked through once needs no second look: a row is never
 * put in before another, and is of the same specification version for ever.
 *
 * Owns:    for each collection the first and the last date of STIX 2.0, known up to another date; in
 *          memory of this worker.
 * Called:  by taxii20_list.c for every list.
 * Never:   makes a request wait: it looks on beside them, in turns of the loop.
 */
#ifndef ADAPTERS_TAXII20_GROUND_H
#define ADAPTERS_TAXII20_GROUND_H

#include "gateway/store.h"

struct taxii20_grounds;

struct taxii20_grounds *taxii20_grounds_new(void);
void	taxii20_grounds_free(struct taxii20_grounds *gs);	/* NULL is fine */

/* Rows of STIX 2.0 behind `after_us` all lie behind what this returns, too. Looks on, if there is
 * something new. */
int64_t	taxii20_ground_from(struct taxii20_grounds *gs, struct store *s, int64_t cid,
	    int64_t after_us);

#endif
