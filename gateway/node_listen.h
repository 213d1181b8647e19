/*
 * node_listen.h -- the sockets on which a serving process answers: TAXII and feeds, and operations.
 *
 * Owns:    the HTTP servers, who answers there, a worker's share of what is limited for all of them.
 * Called:  by node.c.
 * Never:   knows a request; outlives what it was given in struct gateway.
 */
#ifndef GATEWAY_NODE_LISTEN_H
#define GATEWAY_NODE_LISTEN_H

#include "gateway/node.h"

struct listeners;
struct stats;
struct tls;

/* Serves the sockets of `conf`, or opens those of the configuration if it is `alone`; contexts[i] belongs
 * to its i-th listen line, NULL is plain. NULL and *e if one cannot be had. */
struct listeners *listeners_new(struct gateway *g, const struct node_conf *conf,
			struct tls *const *contexts, struct err *e);
/* Answers nobody any more; listeners_free ends what answered. NULL is fine for both. */
void		 listeners_close(struct listeners *l);
void		 listeners_free(struct listeners *l);
/* New certificates and limits for the connections to come. */
void		 listeners_swap(struct listeners *l, struct tls *const *contexts);
/* How many times `cb` will be called by listeners_drain. */
int		 listeners_parts(const struct listeners *l, bool upgrade);
/* Stop accepting; without `upgrade` the operations listener goes on saying why. */
void		 listeners_drain(struct listeners *l, bool upgrade, void (*cb)(void *arg), void *arg);
void		 listeners_look(const struct listeners *l, struct stats *figures);

#endif
