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
struct route_conf;

struct route_in {
	const struct trust	*trust;		/* names in the lists are borrowed from it */
	const char		*source;	/* name, as in store_source */
	const char *const	*collections;	/* where the sender put it */
	const char		*hops;		/* comma separated */
	const uint64_t		*loss;		/* LOSS_KINDS counts of its translation; NULL: none, or
						 * nobody asked */
	/* parallel to puts */
	const struct policy_facts *facts;
};

/* Does any route want to know how much was lost of what comes from there? */
bool	router_asks_loss(const struct gateway *g, const char *source);
/* The next route, from *at on, that leaves the message out because too much was lost: then *at is behind it
 * and *e says by how much. NULL: no more. */
const struct route_conf *router_refusal(const struct gateway *g, const struct route_in *in, size_t *at,
	    struct err *e);

/* Fill collections, distinct, peers and lane of every put; lists live in `mem`. */
void	router_route(struct gateway *g, const struct route_in *in, struct arena *mem,
	    struct store_put *puts, size_t n);

#endif
