/*
 * delivery_refusals.h -- which objects of a delivery a status resource speaks of.
 *
 * Owns:    matching what a peer says it refused with what it was sent, by id and version.
 * Called:  by peer_link.c and taxii_push.c.
 * Never:   takes an object for refused that could be another one.
 */
#ifndef ADAPTERS_DELIVERY_REFUSALS_H
#define ADAPTERS_DELIVERY_REFUSALS_H

#include "adapters/taxii_client.h"
#include "gateway/outbox.h"

struct arena;

/* For items [from, to) of the delivery: sets refused[i] (a reason in `mem`) for those that the peer
 * names and that have none yet; how many. A version tells apart what has the same id; the only item of
 * an id needs none, nor does one that has no version of its own. `sent_as`: the ids under which the items
 * were sent; NULL: their own. */
size_t	delivery_refusals(const struct delivery *d, const struct slice *sent_as, size_t from, size_t to,
	    const struct taxii_status *status, struct arena *mem, const char **refused);

#endif
