#include "adapters/relay_envelope.h"
#include "adapters/taxii_media.h"
#include "adapters/taxii_request.h"
#include "adapters/taxii_write.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/pending.h"
#include "gateway/stats.h"
#include "formats/format.h"

enum { RETRY_US = 2 * 1000000 };

/* A POST that is being taken in. */
struct posting {
	struct taxii_request	*rq;
	struct http_body	*body;		/* the client may vanish, its objects need not */
	const char		*collections[2];
	bool			 bad_envelope;
	struct intake_message	 m;
	uint8_t			 digest[SHA256_LEN];
};

void
taxii_post_head(struct taxii_request *rq)
{
	const struct taxii_family_ops *family = &taxii_families[rq->match.family];

	if (!family->content(rq->x->head))
		taxii_refuse(rq, 415, family->takes);
	else
		http_want_body(rq->x, rq->config->limits.body_bytes);
}

/* Which status an unusable body gets (reference/taxii.md 11): 400 for what is no JSON, 422 for JSON that is
 * no usable envelope. A lone surrogate is JSON, if a bad one. */
static int
status_of(const struct err *e)
{
	switch (e->code) {
	case ERR_SYNTAX:
	case ERR_DUPLICATE:
		return 400;
	case ERR_ENCODING:
		return strstr(e->reason, "surrogate") != NULL ? 422 : 400;
	default:
		return 422;
	}
}

static const char *
place(struct taxii_request *rq, const struct err *e)
{
	char text[sizeof(struct err) + 64];

	return arena_str(rq->mem, slice_of(err_text(e, text, sizeof(text))));
}

static void
audit_bad_envelope(struct taxii_request *rq, const struct err *e)
{
	struct strbuf b = STRBUF_INIT;

	audit_text(&b, "ev", SLICE_LIT("refused"));
	audit_text(&b, "source", slice_of(rq->reader.name));
	audit_text(&b, "code", SLICE_LIT("ENVELOPE_BAD"));
	audit_text(&b, "why", slice_of(e->reason));
	store_audit_add(rq->g->store, b.p, NULL, NULL);
	strbuf_fini(&b);
	stats_add(rq->g->stats, STAT_REFUSED, "ENVELOPE_BAD", 1);
	log_event(LOG_WARN, "relay.envelope", LF_S("peer", rq->reader.name),
	    LF_S("error", e->reason));
}

static void
on_taken(void *arg, const struct intake_result *r)
{
	struct posting *p = arg;
	struct taxii_request *rq = p->rq;
	struct strbuf b = STRBUF_INIT;

	if (r->error != NULL && r->retryable) {
		taxii_later(rq, 503, RETRY_US, "not stored; try again");
	} else if (r->error != NULL) {
		if (p->bad_envelope)
			audit_bad_envelope(rq, r->error);
		taxii_refuse(rq, status_of(r->error), place(rq, r->error));
	} else {
		taxii_families[rq->match.family].status(&b, r->status);
		taxii_answer(rq, 202, &b, NULL, 0);
	}
	http_body_free(p->body);
	taxii_let_go(rq);
}

/* What a peer's envelope says (rulings 25). The audience counts only when the source itself signed it: it
 * is the only hop. A peer that signs does so always: an envelope whose member was cut out is refused. */
static int
read_relay(struct posting *p, const struct relay_member *x, struct intake_relay *relay, struct err *e)
{
	const struct peer *from = p->rq->reader.peer;
	struct relay_envelope env;
	int rc = relay_envelope_read(x->text, x->digest, from->has_sign_key ? from->sign_key : NULL,
	    p->rq->mem, &env, e);

	if (rc == 0 && from->has_sign_key)
		return err_set(e, ERR_MISSING, "x_tocsin is missing, and this peer signs its envelopes");
	if (rc <= 0)
		return rc;
	if (strcmp(env.from, from->name) != 0)
		return err_set(e, ERR_VALUE, "x_tocsin/from is \"%s\", the certificate is %s's",
		    env.from, from->name);
	relay->advisory = env.advisory;
	relay->hops = env.hops;
	relay->audience = env.is_signed && strcmp(env.hops, env.from) == 0 ? env.audience : "";
	relay->unmarked = env.unmarked;
	return 0;
}

static int
on_relay(void *arg, const struct relay_member *x, struct intake_relay *relay, struct err *e)
{
	struct posting *p = arg;

	p->bad_envelope = read_relay(p, x, relay, e) < 0;
	return p->bad_envelope ? -1 : 0;
}

/* Only peers have envelopes of that kind, and a peer is who holds the pinned key (taxii_auth.c). */
static bool
may_relay(const struct taxii_request *rq)
{
	return rq->reader.peer != NULL && !rq->reader.peer->is_consumer;
}

/* Its bytes and its status are durable, or it is not taken. As a whole it may be no good: then the usual
 * way tells what is wrong. */
static void
on_kept(void *arg, enum pending_answer answer, const struct store_status *st, const char *why)
{
	struct posting *p = arg;
	struct taxii_request *rq = p->rq;
	struct strbuf b = STRBUF_INIT;

	switch (answer) {
	case PENDING_NOT:
		intake_submit(rq->g->intake, &p->m, on_taken, p);
		return;
	case PENDING_LATER:
		taxii_later(rq, 503, RETRY_US, why);
		break;
	case PENDING_TAKEN:
		taxii_families[rq->match.family].status(&b, st);
		taxii_answer(rq, 202, &b, NULL, 0);
		break;
	}
	http_body_free(p->body);
	taxii_let_go(rq);
}

void
taxii_post_body(struct taxii_request *rq, struct slice body)
{
	struct posting *p = arena_alloc(rq->mem, sizeof(*p));

	(void)body;
	p->rq = rq;
	p->body = http_take_body(rq->x);
	p->collections[0] = rq->collection->name;
	http_body_sha256(p->body, p->digest);
	p->m = (struct intake_message){
		.body = http_body_slice(p->body), .body_fd = http_body_fd(p->body), .sha256 = p->digest,
		.input = "POST body", .format = "stix21", .source = rq->reader.name,
		.from = rq->reader.peer, .collections = p->collections,
		.request_id = arena_str(rq->mem, slice_of(rq->x->id)),
		.relay = { .unmarked = TLP_UNSET }, .on_relay = may_relay(rq) ? on_relay : NULL,
		.status_user = taxii_status_user(rq), .envelope = true,
		.bundle = rq->match.family == FAMILY_TAXII20,
		.strict = rq->collection->validate_strict ||
		    (rq->reader.peer != NULL && rq->reader.peer->validate_strict),
	};
	taxii_hold(rq);
	/* a peer waits for the word that it has been taken in: its outbox has no other way to learn it */
	if (p->m.on_relay == NULL && pending_wants(rq->g->pending, p->m.body.n))
		pending_take(rq->g->pending, &p->m, on_kept, p);
	else
		intake_submit(rq->g->intake, &p->m, on_taken, p);
}
