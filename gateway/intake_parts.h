/*
 * intake_parts.h -- one message on its road, shared by intake's own files.
 *
 *	intake.c	the steps, in order
 *	intake_book.c	what is written down about it: quarantine, audit, warnings, the TAXII status
 *
 * Owns:    struct intake_work. Everything it points to lies in its arena or is the caller's until the
 *          callback.
 * Called:  by those two.
 * Never:   by anybody else.
 */
#ifndef GATEWAY_INTAKE_PARTS_H
#define GATEWAY_INTAKE_PARTS_H

#include "gateway/base/clock.h"
#include "gateway/intake.h"
#include "formats/format.h"

struct intake_work {
	struct intake		*in;
	struct gateway		*g;
	struct intake_message	 m;
	struct trust		*trust;		/* held: what this message is judged by */
	struct arena		*mem;
	int64_t			 started_us, parsed_us;
	char			 received[STAMP_TEXT + 1];
	struct read_job		 job;
	struct advisory		*adv;
	const char		*format;
	const char		*advisory_id;
	/* parallel to adv->objects until policy has spoken, to puts afterwards */
	struct store_put	*puts;
	struct policy_facts	*facts;
	struct dedup_key	*keys;		/* of the claims */
	size_t			 nputs;
	const char		**refused;	/* parallel to adv->objects: "CODE: why", NULL = admitted */
	bool			 red;		/* something is RED: the claims stay in this process */
	const struct err	*refusal;	/* why nothing could be read */
	size_t			*warned, *next_warning;	/* by place in the input; by verdict: number + 1 */
	size_t			 nwarned;
	struct store_quarantine	*quarantine;
	size_t			 nquarantine, quarantine_cap;
	struct store_audit	*audit;
	size_t			 naudit, audit_cap;
	struct store_txn	 txn;
	struct intake_result	 result;
	intake_cb		*cb;
	void			*arg;
};

/* ---- intake_book.c ---- */

/* Everything that the readers refused, into quarantine and audit. */
void	book_unreadable(struct intake_work *w);
/* One object that policy did not admit. */
void	book_refused(struct intake_work *w, const struct object *o, const char *code,
	    const char *why);
/* The whole input: nothing in it could be read. */
void	book_whole(struct intake_work *w, const struct err *e);
/* The record of the message itself; the last one. */
void	book_message(struct intake_work *w);
/* The readers' remarks on one object as lines, NULL if there are none. */
const char *book_warnings(struct intake_work *w, const struct object *o);
/* The status resource: an entry for every element of the envelope, in its order. */
struct store_status *book_status(struct intake_work *w);

#endif
