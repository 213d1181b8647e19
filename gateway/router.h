/*
 * router.h -- who wants it: collections, views, peers, lane.
 *
 * Owns:    the answer for every object of one advisory, as the lists of its store_put.
 * Called:  by intake only, after policy let the object in.
 * Never:   asks policy about peers: that is decided at the moment of leaving, with the trust of then.
 *
 * Loops: an object is not queued for the peer it came from, for a peer in its hop path, or past the hop
 * limit. RED goes nowhere (rulings 11). Supporting objects (marking-definitions, identities, ...) join
 * every collection and view that an object naming them joins; those that came in other messages join views
 * and what routes add, which the store sees to (store_put.supporters).
 *
 * The lists are shared among the objects of a message: what they cost does not grow with objects times
 * peers.
 */
#ifndef GATEWAY_ROUTER_H
#define GATEWAY_ROUTER_H

#include "gateway/store.h"

struct gateway;

struct route_in {
	const struct trust	*trust;		/* names in the lists are borrowed from it */
	const char		*source;	/* name, as in store_source */
	const char *const	*collections;	/* where the sender put it */
	const char		*hops;		/* comma separated */
	/* parallel to puts */
	const struct policy_facts *facts;
};

/* Fill collections, distinct, peers and lane of every put; lists live in `mem`. */
void	router_route(struct gateway *g, const struct route_in *in, struct arena *mem,
	    struct store_put *puts, size_t n);

#endif
