/*
 * outbox.h -- everything that must reach a peer, until it has.
 *
 * Owns:    the loop over peers: lease what is due, ask policy again with today's trust, hand what may go
 *          to the adapter, book the answer; back-off with jitter, dead letter.
 * Called:  by serve.c (start, reload, drain), which says how to send; by intake, when something was queued.
 * Never:   drops: a row ends as sent, denied (audited), held (with a date) or dead (with a reason). Our
 *          own limits delay, they give nothing up.
 */
#ifndef GATEWAY_OUTBOX_H
#define GATEWAY_OUTBOX_H

#include "gateway/store.h"

struct gateway;
struct outbox;

enum { AUDIENCE_MAX = 256 };		/* names; a source with more peers names these */

/* One POST's worth: objects of one advisory for one peer, ready to be sent. */
struct delivery {
	const struct peer *peer;
	const char	*advisory;
	const char	*hops;		/* path so far, us included */
	const char	*request;	/* id of the request that brought it here; "" if none is known */
	const char	*audience;	/* peers that all of it is released to, this one among them; ""
					 * unless all is our own */
	enum tlp	 label;		/* strictest of the objects */
	enum tlp	 unmarked;	/* strictest of those that carry no label of their own */
	const struct outbox_item *items;
	size_t		 n;
	struct slice	 objects;	/* comma separated verbatim objects, no brackets */
};

/* What was made of a delivery in a format that is not ours: for the audit log. */
struct delivery_account {
	const char	*format;
	const char	*file;		/* its name; NULL: none was written */
	uint8_t		 digest[32];	/* ... and its SHA-256 */
	size_t		 companions;	/* supporting objects that were put in again */
	uint64_t	 loss[LOSS_KINDS];
};

enum delivery_result {
	DELIVERED,		/* acknowledged; refused[] may name single objects */
	DELIVERY_RETRY,		/* try again, not before retry_after_us */
	DELIVERY_TOO_LARGE,	/* the peer takes less at once */
	DELIVERY_FINAL		/* this advisory will never be taken: dead letter */
};
struct delivery_answer {
	enum delivery_result result;
	int64_t		retry_after_us;		/* 0: our own back-off */
	const char	*reason;
	const char	*code;			/* FINAL: a stable word; NULL: PEER_REFUSED */
	const struct delivery_account *account;	/* NULL: it went as it is */
	/* per item, same order as delivery.items; NULL: all taken. A reason = that object was refused
	 * for good by the peer. */
	const char *const *refused;
	size_t		taken;			/* RETRY: the first so many are done with all the same */
	int64_t		took_us;
};
typedef void delivery_done_cb(void *arg, const struct delivery_answer *a);
/* Send it; done exactly once. The delivery lives until then. */
typedef void outbox_send_fn(void *ctx, const struct delivery *d, delivery_done_cb *done, void *arg);

struct outbox	*outbox_new(struct gateway *g, outbox_send_fn *send, void *ctx);
void		 outbox_free(struct outbox *o);
/* Something was queued for some peer: look soon. */
void		 outbox_wake(struct outbox *o);
/* After a reload: trust has changed, peers may have come or gone. */
void		 outbox_reload(struct outbox *o);
/* The same for one peer: somebody says that it may work now. */
void		 outbox_retry(struct outbox *o, const char *peer);
/* No new work; cb when nothing is under way. */
void		 outbox_drain(struct outbox *o, void (*cb)(void *arg), void *arg);
/* State of a peer's link for `status` and metrics. */
struct outbox_link {
	const char	*state;		/* "idle" "deciding" "sending" "waiting" */
	uint32_t	 failures;	/* in a row */
	int64_t		 next_us;	/* next try, wall clock, 0 = none planned */
	char		 last_error[200];
	int64_t		 last_ok_us;
	uint64_t	 sent, retried, denied, held, dead;
};
bool		 outbox_link(const struct outbox *o, const char *peer, struct outbox_link *out);

#endif
