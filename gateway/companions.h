/*
 * companions.h -- what a document for a peer needs besides the objects that it brings.
 *
 * Supporting objects (definitions of markings, identities) are sent once, with what names them first. A
 * document in a foreign format is read by itself: a marking whose definition it lacks could not be
 * read, and who said a thing would be a number. So each document brings them again.
 *
 * Owns:    finding them in the store, as far as today's policy lets them go to this peer.
 * Called:  by folder_push.c, once a delivery.
 * Never:   adds news: only supporting types (refs.h), only what something that goes names.
 */
#ifndef GATEWAY_COMPANIONS_H
#define GATEWAY_COMPANIONS_H

#include "gateway/outbox.h"

struct gateway;

struct companions {
	struct slice	*texts;		/* objects, in `mem` */
	size_t		 n;
	/* What objects without a label of their own are taken to be, the strictest of them; supporting ones
	 * aside, which say nothing by themselves. */
	enum tlp	 unmarked;
};

typedef void companions_cb(void *arg, const struct companions *c, const struct err *e);
/* cb exactly once, possibly at once; c NULL and *e if the store could not be asked. The delivery and `mem`
 * live until then. */
void	companions_find(struct gateway *g, const struct delivery *d, struct arena *mem, companions_cb *cb,
	    void *arg);

#endif
