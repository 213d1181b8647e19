/*
 * pending.h -- large POSTs: kept first, answered, worked off afterwards.
 *
 *	body complete --> counted (in the cage: what refuses a whole envelope does it here)
 *	              --> a file of its own, synced --> its status committed, pending --> 202
 *	... later, by the same worker or the one that follows it, one envelope at a time:
 *	file --> intake, part by part, each with its part of the status --> complete --> the file goes
 *
 * Owns:    the folder BODIES/pending, a file an envelope, called as its status; the order of their work.
 * Called:  by taxii_post.c, once a body is there; by node.c, which tells when the store is back, when to
 *          look round and when to stop.
 * Never:   answers before file and status are durable; works off what another worker owns (gateway_owns by
 *          the id of the status: a worker gives ids that are its own); or reads what is in an envelope.
 *
 * A file without a pending status is nobody's, since its sender had no answer: it is removed. A pending
 * status without its file completes, and says what was lost. What a part's commit wrote cannot be written
 * twice (store_status.from): whoever does not know how far he came asks the store and goes on from there.
 *
 * Why the cage counts before the answer: total_count must be true, what is no envelope should be refused at
 * once, and a worker parses nothing. The pass takes a third of the reading that follows. A smaller POST is
 * not turned into a pending one when its answer is late: what makes it late (a translator or a store that
 * does not answer) is what a status would have to wait for too. It gets 503, and is taken in all the same.
 * The cage has one large message open at a time: an envelope that others wait for is put aside now and
 * then.
 */
#ifndef GATEWAY_PENDING_H
#define GATEWAY_PENDING_H

#include "gateway/intake.h"

struct pending;

/* NULL and *e if the folder cannot be had. */
struct pending	*pending_new(struct gateway *g, struct err *e);
void		 pending_free(struct pending *p);	/* after store_close; NULL is fine */

enum pending_answer {
	PENDING_TAKEN,		/* durable; `st` is what to tell */
	PENDING_LATER,		/* not taken, and not the sender's fault: `why` */
	PENDING_NOT		/* as a whole it is no good: whoever takes it in the usual way learns why */
};
typedef void pending_cb(void *arg, enum pending_answer answer, const struct store_status *st,
    const char *why);

/* Is a message of this size one for us? */
bool		 pending_wants(const struct pending *p, size_t bytes);
/* Take an envelope (m->status_user and one collection given; m->errand and m->on_relay are not looked at).
 * What m points to is the caller's until the callback, which comes once, possibly at once. */
void		 pending_take(struct pending *p, const struct intake_message *m, pending_cb *cb,
		    void *arg);
/* Compare files and statuses and go on with what waits: the store is back, or time has passed. */
void		 pending_look(struct pending *p);
/* The node is draining (g->draining): cb once when the part in hand is durable. */
void		 pending_drain(struct pending *p, void (*cb)(void *arg), void *arg);

#endif
