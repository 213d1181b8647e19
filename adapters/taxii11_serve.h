/*
 * taxii11_serve.h -- TAXII 1.1 for clients that know nothing newer: POST one message, get one.
 *
 *	head: X-TAXII-* -> body -> the cage says what it asks (formats/taxii11.h) -> by its name:
 *	discovery, collections | poll, fulfillment (taxii11_poll.c, _ends.c) | inbox (taxii11_inbox.c)
 *
 * All services stand at /taxii11/, and each at a place of its own below it; any of them answers any
 * message. Refusals of TAXII are Status_Messages with HTTP 200; those of the road (login, rate) keep their
 * HTTP status and have a Status_Message for a body.
 *
 * Owns:    the family FAMILY_TAXII11 of taxii_routes.h; a message between question and answer.
 * Called:  by taxii_server.c, once it is settled who asks, and the rate.
 * Never:   parses XML.
 */
#ifndef ADAPTERS_TAXII11_SERVE_H
#define ADAPTERS_TAXII11_SERVE_H

#include "adapters/taxii11_write.h"
#include "adapters/taxii_request.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"

struct taxii11 {
	struct taxii_request	*rq;		/* held until taxii11_done */
	json			*asked;		/* formats/taxii11.h */
	struct slice		 id;		/* message_id of the question; "0": not known */
};

/* For the table of routes. */
bool	taxii11_is_served(const struct config *conf, const struct peer *who);
bool	taxii11_accepts(const struct http1_head *h, const struct taxii_route *r);
const char *taxii11_error(struct strbuf *out, int status, const char *title, const char *detail,
	    const char *request_id);
void	taxii11_head(struct taxii_request *rq);
void	taxii11_body(struct taxii_request *rq, struct slice body);

/* What each answer says of itself, errors of the road too. */
size_t	taxii11_headers(const struct http_exchange *x, struct http_header out[3]);

/* Answer with a message (its bytes are taken), or a status; each ends with taxii11_done. */
void	taxii11_answer(struct taxii11 *t, struct strbuf *message);
void	taxii11_say(struct taxii11 *t, const struct taxii11_status *s);
void	taxii11_fail(struct taxii11 *t, const char *type, const char *why);
void	taxii11_busy(struct taxii11 *t, const char *why);	/* RETRY */
void	taxii11_done(struct taxii11 *t);
static inline bool
taxii11_is_gone(const struct taxii11 *t)
{
	return t->rq->x == NULL || t->rq->answered;
}

/* By name, alias, id, or title; NULL if this client sees none of that name. */
const struct collection_conf *taxii11_collection(const struct taxii11 *t, struct slice name);

/* taxii11_ends.c: what relationships of a page stand on, and what of it the page does not show. */
struct taxii11_ends {
	struct slice	*shown, *needed;
	size_t		 nshown, shown_cap, nneeded, needed_cap;
};
void	taxii11_ends_note(struct taxii11_ends *ends, struct arena *mem, const struct store_row *row);
/* Leave in `needed` what is not shown; their number. */
size_t	taxii11_ends_missing(struct taxii11_ends *ends);

/* Messages, by their names. */
void	taxii11_poll(struct taxii11 *t);
void	taxii11_fulfill(struct taxii11 *t);
void	taxii11_inbox(struct taxii11 *t);

#endif
