#include "adapters/relay_envelope.h"
#include "adapters/taxii_media.h"
#include "adapters/taxii_request.h"
#include "adapters/taxii_write.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/stats.h"

enum { RETRY_US = 2 * 1000000, ENVELOPE_DEPTH = 128 };

/* A POST that is being taken in. */
struct posting {
	struct taxii_request	*rq;
	struct strbuf		 body;		/* a copy: the client may vanish, its objects need not */
	const char		*collections[2];
};

void
taxii_post_head(struct taxii_request *rq)
{
	const struct http1_head *h = rq->x->head;

	if (!taxii_content_fits(h))
		taxii_refuse(rq, 415, "send application/taxii+json;version=2.1 without a coding");
	else
		http_want_body(rq->x, rq->config->limits.body_bytes);
}

/* Which status an unusable body gets (reference/taxii.md 11). */
static int
status_of(const struct err *e)
{
	switch (e->code) {
	case ERR_DEPTH:
	case ERR_LIMIT:
		return 422;
	case ERR_ENCODING:		/* bad UTF-8 is no JSON; a lone surrogate is, but unusable */
		return strstr(e->reason, "surrogate") != NULL ? 422 : 400;
	default:
		return 400;
	}
}

static const char *
place(struct taxii_request *rq, const struct err *e)
{
	char text[sizeof(struct err) + 64];

	return arena_str(rq->mem, slice_of(err_text(e, text, sizeof(text))));
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
		taxii_refuse(rq, status_of(r->error), place(rq, r->error));
	} else {
		taxii_write_status(&b, r->status);
		taxii_answer(rq, 202, &b, NULL, 0);
	}
	strbuf_fini(&p->body);
	taxii_let_go(rq);
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

/* The part of the envelope that only pinned peers may send (rulings 25). The audience counts only when
 * the source itself signed it: it is the only hop. */
static int
read_relay(struct taxii_request *rq, const struct json_doc *doc, struct intake_relay *relay,
    struct err *e)
{
	const struct peer *p = rq->reader.peer;
	struct relay_envelope env;
	int rc;

	if (p == NULL || p->is_consumer)
		return 0;
	rc = relay_envelope_read(doc, p->has_sign_key ? p->sign_key : NULL, rq->mem, &env, e);
	if (rc <= 0)
		return rc;
	if (strcmp(env.from, p->name) != 0)
		return err_set(e, ERR_VALUE, "x_tocsin/from is \"%s\", the certificate is %s's",
		    env.from, p->name);
	relay->advisory = env.advisory;
	relay->hops = env.hops[0] != '\0' ? env.hops : env.from;
	relay->audience = env.is_signed && strcmp(relay->hops, env.from) == 0 ? env.audience : "";
	return 0;
}

/* NULL, or what is wrong with this envelope as a whole. */
static const char *
envelope_fault(const struct json_doc *doc)
{
	const json *objects;

	if (!json_is_object(doc->root))
		return "an envelope is a JSON object";
	objects = json_get(doc->root, "objects");
	if (!json_is_list(objects) || json_count(objects) == 0)
		return "an envelope has a list \"objects\" with at least one object";
	return NULL;
}

static void
submit(struct taxii_request *rq, const struct intake_relay *relay, struct slice body)
{
	struct posting *p = arena_alloc(rq->mem, sizeof(*p));
	struct intake_message m = {
		.input = "POST body", .format = "stix21", .source = rq->reader.name,
		.from = rq->reader.peer, .collections = p->collections,
		.request_id = arena_str(rq->mem, slice_of(rq->x->id)), .relay = *relay,
		.status_user = rq->reader.name,
		.strict = rq->collection->validate_strict ||
		    (rq->reader.peer != NULL && rq->reader.peer->validate_strict),
	};

	p->rq = rq;
	strbuf_init(&p->body);
	strbuf_addsl(&p->body, body);
	p->collections[0] = rq->collection->name;
	m.body = strbuf_slice(&p->body);
	taxii_hold(rq);
	intake_submit(rq->g->intake, &m, on_taken, p);
}

void
taxii_post_body(struct taxii_request *rq, struct slice body)
{
	const struct json_limits lim = { .depth = ENVELOPE_DEPTH };
	struct intake_relay relay = { 0 };
	struct err e = ERR_INIT;
	struct json_doc doc;
	const char *fault;

	if (json_parse(body, &lim, rq->mem, &doc, &e) < 0) {
		taxii_refuse(rq, status_of(&e), place(rq, &e));
		return;
	}
	fault = envelope_fault(&doc);
	if (fault != NULL) {
		taxii_refuse(rq, 422, fault);
		return;
	}
	if (read_relay(rq, &doc, &relay, &e) < 0) {
		audit_bad_envelope(rq, &e);
		taxii_refuse(rq, 422, place(rq, &e));
		return;
	}
	submit(rq, &relay, body);
}
