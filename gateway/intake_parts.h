/*
 * intake_parts.h -- one message on its road, shared by intake's own files.
 *
 *	intake.c	the steps, in order
 *	intake_book.c	what is written down about it: quarantine, audit, the TAXII status
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
#include "gateway/translate.h"

struct intake_work {
	struct intake		*in;
	struct gateway		*g;
	struct intake_message	 m;
	struct trust		*trust;		/* held: what this message is judged by */
	struct arena		*all;		/* of the message: this struct lies in it */
	struct arena		*mem;		/* of the part in hand; of a first part the same */
	int64_t			 started_us, parsed_us;
	int64_t			 step_us;	/* when the step in hand began */
	char			 received[STAMP_TEXT + 1];
	uint8_t			 digest[SHA256_LEN];	/* of the body */
	struct translate_job	*job;		/* more parts are to come; NULL: this is the last */
	const char		*format;
	const char		*advisory_id;
	size_t			 part;		/* 1, 2, ... */
	struct store_status_entry *kept;	/* of the parts before this one, unless it is an errand */
	size_t			 nkept, kept_cap;
	uint64_t		 done;		/* errand: elements whose part is durable */
	/* ---- of the part in hand ---- */
	struct advisory		*adv;
	size_t			 nagain;	/* its last objects, which support others and came before */
	size_t			 nfresh;	/* puts that are not of those */
	size_t			 refused_before;	/* result.refused when it began */
	/* parallel to adv->objects until policy has spoken, to puts afterwards */
	struct store_put	*puts;
	struct policy_facts	*facts;
	struct dedup_key	*keys;		/* of the claims */
	size_t			 nputs;
	const char		**refused;	/* parallel to adv->objects: "CODE: why", NULL = admitted */
	struct slice		 envelope;	/* JSON of what stood around the objects; or empty */
	const uint64_t		*loss;		/* of the whole message; NULL: not translated */
	bool			 red;		/* something is RED: the claims stay in this process */
	const struct err	*refusal;	/* why nothing could be read */
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
/* The whole input: nothing (more) in it could be read. */
void	book_whole(struct intake_work *w, const char *code, const struct err *e);
/* A route that leaves the message out: e says what was lost. */
struct route_conf;
void	book_left_out(struct intake_work *w, const struct route_conf *route, const struct err *e);
/* The record of the message itself; the last one. */
void	book_message(struct intake_work *w);
/* The status resource: an entry for every element of the envelope, in its order. Until the last part it
 * is a draft, which book_keep_status remembers when the store has filled it. Of an errand it is the next
 * part; NULL if elements are missing between what was done and this. */
struct store_status *book_status(struct intake_work *w);
/* The same for an errand of which nothing more can be taken: the rest has failed for this reason. */
struct store_status *book_rest(struct intake_work *w, const char *code, const char *why);
void	book_keep_status(struct intake_work *w);

#endif
