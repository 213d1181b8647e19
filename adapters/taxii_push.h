/*
 * taxii_push.h -- send to a TAXII server of somebody else: the objects and nothing of ours beside them.
 *
 *	find -> [ post -> (status, status, ...) ] for each piece -> answer to the outbox
 *	           \-> 413, 400, 422: smaller pieces, down to the one object that is not taken
 *
 * Owns:    one TAXII client per peer with `wire taxii21` or `taxii20`; cutting a delivery into pieces that
 *          the server takes; following statuses until they are complete.
 * Called:  by peer_link.c, which is asked by outbox.c.
 * Never:   decides what may go, remembers a delivery, tries again by itself.
 */
#ifndef ADAPTERS_TAXII_PUSH_H
#define ADAPTERS_TAXII_PUSH_H

#include "gateway/outbox.h"

struct gateway;
struct taxii_pushes;

struct taxii_pushes *taxii_pushes_new(struct gateway *g);
/* What is under way ends without its answer. */
void		 taxii_pushes_free(struct taxii_pushes *p);
/* After a reload: clients are made anew; what is under way is finished over the old ones. */
void		 taxii_pushes_reload(struct taxii_pushes *p);
/* As an outbox_send_fn; ctx is the struct taxii_pushes. */
void		 taxii_pushes_send(void *ctx, const struct delivery *d, delivery_done_cb *done, void *arg);

#endif
