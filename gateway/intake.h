/*
 * intake.h -- the road of one incoming advisory, from bytes to acknowledgement (design.md 3, steps
 * 3 to 8): translate, claim, admit, route, commit, confirm.
 *
 * A large message is taken in parts (gateway/translate.h): each is durable before the next is read, and a
 * crash between them leaves a beginning, which the sender's next try completes.
 *
 * Owns:    messages in work, each a small state machine; their number is bounded.
 * Called:  by adapters: TAXII POST, relay, spool; by `quarantine retry`.
 * Never:   acknowledges before the commit is durable, and never loses a bad object: it is in
 *          quarantine with code, place and reason.
 */
#ifndef GATEWAY_INTAKE_H
#define GATEWAY_INTAKE_H

#include "formats/loss.h"
#include "gateway/store.h"

struct gateway;
struct intake;
struct relay_member;

/* What came with a relay envelope from a pinned peer (rulings 25); all zero otherwise. */
struct intake_relay {
	const char	*advisory;	/* id given by the sender */
	const char	*hops;		/* node names, comma separated, oldest first, sender included */
	const char	*audience;	/* peers the source signed as its audience, comma separated; "" if
					 * none, not signed, or not signed by the source itself */
	enum tlp	 unmarked;	/* what objects without a label are at least, whatever our own
					 * `unmarked` line says: what they were where they come from */
};

/* An envelope that was answered before it is taken in (gateway/pending.h): its status is there, and each
 * part is added to it together with its objects. */
enum errand_verdict { ERRAND_GOES_ON, ERRAND_STOPS, ERRAND_REFUSED };
struct intake_errand {
	const char	*status;	/* id */
	uint64_t	 from, total;	/* elements of it: taken before, promised in all */
	int64_t		 received_us;
	/* Asked before each part. STOPS: later (ERR_BUSY, retryable); REFUSED: the rest fails, and
	 * *why is what the status says. arg is the callback's. */
	enum errand_verdict (*may)(void *arg, const char **why);
};

struct intake_message {
	struct slice	 body;		/* the caller keeps it until the callback */
	int		 body_fd;	/* > 0: a read-only file with the same bytes (`body` is mapped from
					 * it), open until the callback; else they are in memory alone */
	const uint8_t	*sha256;	/* of `body`; NULL: nobody has counted it yet */
	const char	*input;		/* "POST body", a file name */
	const char	*format;	/* NULL: sniff */
	const char	*mapping;	/* format mapped: path of the file, as configured */
	const char	*source;	/* name of peer or consumer, or "spool:NAME" */
	const struct peer *from;	/* NULL: own spool; of a trust that the caller holds */
	const char *const *collections;	/* names, NULL-terminated: where it is put */
	const char	*request_id;
	struct intake_relay relay;
	/* Not NULL (with `envelope`): told the text of x_tocsin (empty if there is none) before anything is
	 * taken. 0 and *relay, or -1 and *e: then the message is refused with that error. arg is the
	 * callback's. */
	int		(*on_relay)(void *arg, const struct relay_member *x, struct intake_relay *relay,
			    struct err *e);
	const char	*status_user;	/* not NULL: make a TAXII status resource for this user */
	const struct intake_errand *errand;	/* or NULL; the caller's until the callback */
	struct loss_limit refuse_loss;	/* beyond `from`'s own: the whole is refused */
	bool		 strict;
	bool		 envelope;	/* format stix21: a TAXII envelope and nothing else */
	bool		 bundle;	/* with `envelope`: one that is a bundle, as TAXII 2.0 has it */
};

struct intake_result {
	const struct err *error;	/* nothing could be read, or not stored (ERR_BUSY, ERR_STORE): the
					 * sender must try again; NULL otherwise */
	bool		 retryable;	/* error is ours (503), not the sender's (4xx) */
	size_t		 accepted, known, conflicts, refused, sightings, queued;
	const struct store_status *status;	/* when asked for */
	const char	*advisory_id;
	int64_t		 took_us;
};
typedef void intake_cb(void *arg, const struct intake_result *r);

struct intake	*intake_new(struct gateway *g);
void		 intake_free(struct intake *in);
/* cb exactly once, possibly at once (queue full: ERR_BUSY). */
void		 intake_submit(struct intake *in, const struct intake_message *m, intake_cb *cb,
		    void *arg);
size_t		 intake_in_work(const struct intake *in);

#endif
