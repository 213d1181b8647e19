/*
 * release.h -- what of a leased parcel may leave, decided with the trust of this moment.
 *
 * Owns:    the questions that need more than one object: supporting objects go with what names them;
 *          a report or relationship that names a withheld object must not go (rulings 30: existence
 *          is information), and neither must what names that report.
 * Called:  by outbox, once a parcel; by companions.c.
 * Never:   changes an object. Redaction is not built: where a decision names one, the object is held,
 *          never released bare. What cannot be checked is held as well.
 */
#ifndef GATEWAY_RELEASE_H
#define GATEWAY_RELEASE_H

#include "gateway/store.h"

struct gateway;

struct release {
	enum policy_verdict	 verdict;
	enum policy_reason	 reason;
	const char		*why;		/* rule and place, or every failing reason; no ids */
	struct slice		 about;		/* id of another object that `why` speaks of, or empty */
	int64_t			 look_again_us;	/* POLICY_HOLD */
};

typedef void release_cb(void *arg);
/* Fill out[0..n-1]; cb exactly once, possibly at once. Everything lives in `mem`; `t` and `peer` are
 * held by the caller. */
void	release_decide(struct gateway *g, const struct trust *t, const struct peer *peer,
	    const struct outbox_item *items, size_t n, struct arena *mem, struct release *out,
	    release_cb *cb, void *arg);

/* May a supporting object go along with what names it? As release_decide says of one that is not among the
 * items. */
bool	release_lets(const struct trust *t, const struct peer *peer, const struct store_row *row,
	    int64_t now_us);

#endif
