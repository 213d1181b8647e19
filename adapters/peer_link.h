/*
 * peer_link.h -- relay to another Tocsin node: one TAXII POST, one advisory (or a part of a large one).
 * What is for TAXII servers of others goes on to taxii_push.c, for a folder to folder_push.c.
 *
 * Owns:    one HTTP client per peer with its TLS context and pins; turning a delivery into a POST and
 *          the status resource into an answer.
 * Called:  by outbox.c through outbox_send_fn.
 * Never:   decides what may go, remembers a delivery, retries by itself.
 */
#ifndef ADAPTERS_PEER_LINK_H
#define ADAPTERS_PEER_LINK_H

#include "gateway/outbox.h"

struct gateway;
struct peer_links;

struct peer_links *peer_links_new(struct gateway *g);
void		 peer_links_free(struct peer_links *l);
/* After a reload: clients are made anew with the new certificates and pins. */
void		 peer_links_reload(struct peer_links *l);
/* For how long our certificate holds that peers see, and theirs that we saw. */
struct stats;
void		 peer_links_figures(const struct peer_links *l, struct stats *s);
/* An outbox_send_fn; ctx is the struct peer_links. */
void		 peer_links_send(void *ctx, const struct delivery *d, delivery_done_cb *done,
		    void *arg);

#endif
