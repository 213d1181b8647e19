/*
 * admit.h -- what policy says to one reader at one moment, each kind of row decided once.
 *
 * Owns:    the verdicts of one reading, by the facts that policy asks (policy.h: a pure function of
 *          trust, facts, peer and time, and here only the facts differ from row to row).
 * Called:  by catalog.c for each row that a page could show.
 * Never:   outlives the reading: trust and time are those of its start.
 */
#ifndef GATEWAY_ADMIT_H
#define GATEWAY_ADMIT_H

#include "gateway/policy.h"

enum { ADMIT_KEPT = 8, ADMIT_TEXT = 192 };

struct admit {
	const struct trust	*trust;
	const struct peer	*peer;
	int64_t			 now_us;
	int64_t			 until_us;	/* when a verdict given here may change by itself */
	struct admit_verdict {
		struct policy_facts	 facts;		/* its texts lie in `text` */
		char			 text[ADMIT_TEXT];
		enum policy_reason	 why;
	}			 kept[ADMIT_KEPT];
	size_t			 nkept, next;
	enum policy_reason	 why;		/* first reason of the last no; REASON_NONE: a yes */
};

void	admit_init(struct admit *a, const struct trust *t, const struct peer *p, int64_t now_us);
/* May this reader have it? */
bool	admit_row(struct admit *a, const struct policy_facts *f);

#endif
