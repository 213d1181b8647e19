#include "gateway/admin_commands.h"

#include <limits.h>
#include <stdio.h>

#include "gateway/admin_consumer.h"
#include "gateway/admin_feed.h"
#include "gateway/admin_json.h"
#include "gateway/admin_status.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/dedup.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/limiter.h"
#include "gateway/outbox.h"
#include "gateway/policy.h"
#include "gateway/redis.h"

static void
answer(struct admin_call *call, struct strbuf *b)
{
	admin_reply(call, strbuf_slice(b));
	strbuf_fini(b);
}

/* ---- peers ---- */

static void
on_requeued(void *arg, size_t n, const struct err *e)
{
	struct admin_call *call = arg;
	struct strbuf b = STRBUF_INIT;
	const struct peer *p;

	if (e != NULL) {
		admin_refuse(call, e->reason);
		return;
	}
	p = trust_find(call->g->trust, json_member(call->args, "peer"));
	if (p != NULL)		/* a reload may have come between */
		call->hooks->retry(call->hooks->ctx, p->name);
	audit_number(&b, "requeued", (int64_t)n);
	answer(call, &b);
}

/* Everything that waits, is held or dead for a peer is tried again; what was denied, on demand. */
static void
cmd_peer_retry(struct admin_call *call)
{
	const struct peer *p = trust_find(call->g->trust, json_member(call->args, "peer"));

	if (p == NULL)
		admin_refuse(call, "there is no peer of that name in trust.conf");
	else
		store_outbox_requeue(call->g->store, p->name,
		    json_bool(json_get(call->args, "denied")), on_requeued, call);
}

/* ---- pulls ---- */

static const char *
pull_name(struct admin_call *call)
{
	return arena_str(call->mem, json_member(call->args, "name"));
}

static void
cmd_pull(struct admin_call *call)
{
	const char *why = call->hooks->pull(call->hooks->listening_ctx, pull_name(call));

	if (why != NULL)
		admin_refuse(call, why);
	else
		admin_reply(call, SLICE_EMPTY);
}

static void
cmd_pull_progress(struct admin_call *call)
{
	struct strbuf b = STRBUF_INIT;

	if (call->hooks->pull_show(call->hooks->listening_ctx, pull_name(call), &b))
		answer(call, &b);
	else
		admin_refuse(call, "there is no pull of that name in tocsin.conf");
}

static void
cmd_pulls(struct admin_call *call)
{
	struct strbuf b = STRBUF_INIT, list = STRBUF_INIT;

	call->hooks->pull_list(call->hooks->listening_ctx, &list);
	admin_add_list(&b, "pulls", &list);
	answer(call, &b);
}

/* ---- explain ---- */

static void
add_history(struct strbuf *b, const struct store_object *o)
{
	struct strbuf seen = STRBUF_INIT, sent = STRBUF_INIT, remarks = STRBUF_INIT;
	struct slice lines = slice_of(o->warnings == NULL ? "" : o->warnings);

	while (lines.n > 0) {
		strbuf_adds(&remarks, remarks.n > 0 ? "," : "");
		json_print_string(&remarks, slice_cut(&lines, '\n'));
	}
	admin_add_list(b, "remarks", &remarks);
	for (size_t i = 0; i < o->nsightings; i++) {
		const struct store_sighting *s = &o->sightings[i];
		struct strbuf one = STRBUF_INIT;

		audit_text(&one, "id", s->id);
		audit_text(&one, "source", slice_of(s->source));
		audit_number(&one, "count", s->count);
		admin_add_time(&one, "first", s->first_us);
		admin_add_time(&one, "last", s->last_us);
		audit_text(&one, "hops", slice_of(s->hops));
		admin_add_item(&seen, &one);
	}
	for (size_t i = 0; i < o->ndelivery; i++) {
		struct strbuf one = STRBUF_INIT;

		audit_text(&one, "peer", slice_of(o->delivery[i].peer));
		audit_text(&one, "state", slice_of(o->delivery[i].state));
		admin_add_time(&one, "at", o->delivery[i].at_us);
		if (o->delivery[i].reason != NULL && o->delivery[i].reason[0] != '\0')
			audit_text(&one, "reason", slice_of(o->delivery[i].reason));
		admin_add_item(&sent, &one);
	}
	admin_add_list(b, "sightings", &seen);
	admin_add_list(b, "delivery", &sent);
}

static void
on_explained(void *arg, const struct store_object *o, const struct err *e)
{
	struct admin_call *call = arg;
	const struct peer *p = trust_find(call->g->trust, json_member(call->args, "peer"));
	struct strbuf b = STRBUF_INIT, text = STRBUF_INIT;
	struct decision d;
	int64_t now = clock_wall_us();

	if (e != NULL || o == NULL || p == NULL) {
		admin_refuse(call, e != NULL ? e->reason : o == NULL ?
		    "this node has no object of that id" : "there is no such peer");
		return;
	}
	policy_decide(call->g->trust, &o->row.facts, p, now, &d);
	audit_text(&b, "verdict", slice_of(policy_verdict_word(policy_effective(&d))));
	policy_explain(&text, call->g->trust, &o->row.facts, o->row.id, p, now, &d);
	audit_text(&b, "text", strbuf_slice(&text));
	strbuf_reset(&text);
	policy_explain_json(&text, call->g->trust, &o->row.facts, o->row.id, p, now, &d);
	strbuf_adds(&b, ",\"decision\":");
	strbuf_addsl(&b, strbuf_slice(&text));
	strbuf_fini(&text);
	add_history(&b, o);
	answer(call, &b);
}

static void
cmd_explain(struct admin_call *call)
{
	if (trust_find(call->g->trust, json_member(call->args, "peer")) == NULL)
		admin_refuse(call, "there is no peer or consumer of that name in trust.conf");
	else
		store_object(call->g->store, json_member(call->args, "object"), on_explained, call);
}

/* ---- quarantine ---- */

static void
quarantine_members(struct strbuf *b, const struct quarantine_row *r)
{
	audit_number(b, "id", r->qid);
	admin_add_time(b, "at", r->at_us);
	audit_text(b, "state", slice_of(r->state));
	audit_text(b, "source", slice_of(r->q.source));
	audit_text(b, "input", slice_of(r->q.input));
	audit_text(b, "code", slice_of(r->q.code));
	audit_text(b, "path", slice_of(r->q.path));
	audit_number(b, "line", r->q.line);
	audit_number(b, "column", r->q.column);
	audit_number(b, "offset", (int64_t)r->q.offset);
	audit_text(b, "reason", slice_of(r->q.reason));
	audit_text(b, "object", r->q.object_id);
}

static void
on_quarantine_list(void *arg, const struct quarantine_row *rows, size_t n, const struct err *e)
{
	struct admin_call *call = arg;
	struct strbuf b = STRBUF_INIT, list = STRBUF_INIT;

	if (e != NULL) {
		admin_refuse(call, e->reason);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct strbuf one = STRBUF_INIT;

		quarantine_members(&one, &rows[i]);
		admin_add_item(&list, &one);
	}
	admin_add_list(&b, "quarantine", &list);
	answer(call, &b);
}

static void
cmd_quarantine_list(struct admin_call *call)
{
	int64_t after = 0;

	json_int(json_get(call->args, "after"), &after);
	store_quarantine_list(call->g->store, after, 1000, json_bool(json_get(call->args, "all")),
	    on_quarantine_list, call);
}

static void
on_quarantine_show(void *arg, const struct quarantine_row *rows, size_t n, const struct err *e)
{
	struct admin_call *call = arg;
	struct strbuf b = STRBUF_INIT, text = STRBUF_INIT;

	if (e != NULL || n == 0) {
		admin_refuse(call, e != NULL ? e->reason : "nothing of that number is in quarantine");
		return;
	}
	quarantine_members(&b, &rows[0]);
	audit_text(&b, "format", slice_of(rows[0].q.format == NULL ? "" : rows[0].q.format));
	base64_add(&text, rows[0].q.bytes.p, rows[0].q.bytes.n);
	audit_text(&b, "bytes", strbuf_slice(&text));
	strbuf_fini(&text);
	answer(call, &b);
}

static void
cmd_quarantine_show(struct admin_call *call)
{
	int64_t qid = 0;

	json_int(json_get(call->args, "id"), &qid);
	store_quarantine_get(call->g->store, qid, on_quarantine_show, call);
}

static void
on_quarantine_set(void *arg, const struct err *e)
{
	struct admin_call *call = arg;

	if (e != NULL)
		admin_refuse(call, e->reason);
	else
		admin_reply(call, SLICE_EMPTY);
}

static void
cmd_quarantine_drop(struct admin_call *call)
{
	int64_t qid = 0;

	json_int(json_get(call->args, "id"), &qid);
	store_quarantine_set(call->g->store, qid, "dropped", on_quarantine_set, call);
}

/* A retry: the same bytes (or an edited copy) take the same road again, from the same source. */
struct retry {
	struct admin_call	*call;
	int64_t			 qid;
	struct strbuf		 bytes;
	const char		*collections[2];
	struct intake_result	 result;
};

static void
on_retry_booked(void *arg, const struct err *e)
{
	struct retry *r = arg;
	struct strbuf b = STRBUF_INIT;

	strbuf_fini(&r->bytes);
	if (e != NULL) {
		admin_refuse(r->call, e->reason);
		return;
	}
	audit_number(&b, "accepted", (int64_t)r->result.accepted);
	audit_number(&b, "known", (int64_t)r->result.known);
	audit_number(&b, "refused", (int64_t)r->result.refused);
	answer(r->call, &b);
}

static void
on_retried(void *arg, const struct intake_result *result)
{
	struct retry *r = arg;
	char text[sizeof(struct err) + 64];

	r->result = *result;
	if (result->error != NULL || result->accepted + result->known == 0) {
		strbuf_fini(&r->bytes);
		admin_refuse(r->call, result->error != NULL ?
		    err_text(result->error, text, sizeof(text)) :
		    "nothing in it was accepted; the new reasons are in quarantine");
		return;
	}
	store_quarantine_set(r->call->g->store, r->qid, "retried", on_retry_booked, r);
}

/* A file from a spool is read as the spool reads its files. NULL, or why it cannot be. */
static const char *
as_spooled(struct retry *r, struct intake_message *m)
{
	static const char head[] = "spool:";
	const struct config *conf = r->call->g->config;

	for (size_t i = 0; i < conf->nspools; i++) {
		const struct spool_conf *s = &conf->spools[i];

		if (strcmp(s->name, m->source + sizeof(head) - 1) != 0)
			continue;
		m->format = s->format == NULL ? NULL :
		    arena_str(r->call->mem, slice_of(s->format));
		if (s->mapping != NULL)
			m->mapping = arena_str(r->call->mem, slice_of(s->mapping));
		return NULL;
	}
	return "its spool is no longer in tocsin.conf";
}

/* What came from somebody is judged as strictly as it was. The label that a peer's envelope gave to
 * unmarked objects is not kept with them: they get the strictest that can be relayed. NULL, or why not. */
static const char *
as_sent(struct retry *r, struct intake_message *m, const struct store_quarantine *q)
{
	const struct gateway *g = r->call->g;
	const struct collection_conf *col = catalog_find(g->catalog, slice_of(q->collection));

	m->from = trust_find(g->trust, slice_of(m->source));
	if (m->from == NULL)
		return "its source is no longer in trust.conf";
	m->strict = m->from->validate_strict || (col != NULL && col->validate_strict);
	if (!m->from->is_consumer)
		m->relay.unmarked = TLP_AMBER_STRICT;
	return NULL;
}

static void
on_retry_found(void *arg, const struct quarantine_row *rows, size_t n, const struct err *e)
{
	struct retry *r = arg;
	struct gateway *g = r->call->g;
	struct intake_message m = { .input = "quarantine", .request_id = "retry" };
	const char *why;

	if (e != NULL || n == 0) {
		strbuf_fini(&r->bytes);
		admin_refuse(r->call, e != NULL ? e->reason :
		    "nothing of that number is in quarantine");
		return;
	}
	if (r->bytes.n == 0)
		strbuf_addsl(&r->bytes, rows[0].q.bytes);
	m.source = arena_str(r->call->mem, slice_of(rows[0].q.source));
	why = slice_starts(slice_of(m.source), "spool:") ? as_spooled(r, &m) :
	    as_sent(r, &m, &rows[0].q);
	if (why != NULL) {
		strbuf_fini(&r->bytes);
		admin_refuse(r->call, why);
		return;
	}
	r->collections[0] = rows[0].q.collection[0] == '\0' ? NULL :
	    arena_str(r->call->mem, slice_of(rows[0].q.collection));
	m.collections = r->collections;
	m.body = strbuf_slice(&r->bytes);
	intake_submit(g->intake, &m, on_retried, r);
}

static void
cmd_quarantine_retry(struct admin_call *call)
{
	struct retry *r = arena_alloc(call->mem, sizeof(*r));
	struct slice bytes = json_member(call->args, "bytes");

	r->call = call;
	strbuf_init(&r->bytes);
	json_int(json_get(call->args, "id"), &r->qid);
	if (bytes.n > 0 && !base64_decode(bytes, false, &r->bytes)) {
		strbuf_fini(&r->bytes);
		admin_refuse(call, "the edited copy did not arrive whole");
		return;
	}
	store_quarantine_get(call->g->store, r->qid, on_retry_found, r);
}

/* ---- reload, upgrade ---- */

static void
on_done(void *arg, bool good, const char *why)
{
	struct admin_call *call = arg;

	if (good)
		admin_reply(call, SLICE_EMPTY);
	else
		admin_refuse(call, why);
}

static void
cmd_reload(struct admin_call *call)
{
	call->hooks->reload(call->hooks->ctx, on_done, call);
}

static void
cmd_upgrade(struct admin_call *call)
{
	if (call->hooks->upgrade == NULL)
		admin_refuse(call, "a node of one process has nobody to hand over to: restart it");
	else
		call->hooks->upgrade(call->hooks->ctx, on_done, call);
}

const struct admin_command admin_commands[] = {
	{ "status",		admin_status },
	{ "peers",		admin_peers },
	{ "peer",		admin_peer },
	{ "peer-retry",		cmd_peer_retry },
	{ "push",		cmd_peer_retry },
	{ "pull",		cmd_pull },
	{ "pull-progress",	cmd_pull_progress },
	{ "pulls",		cmd_pulls },
	{ "consumers",		admin_consumers },
	{ "consumer-status",	admin_consumer_status },
	{ "consumer-token",	admin_consumer_token },
	{ "collections",	admin_collections },
	{ "consumer-reset",	admin_consumer_reset },
	{ "feed-list",		admin_feed_list },
	{ "feed-show",		admin_feed_show },
	{ "explain",		cmd_explain },
	{ "quarantine-list",	cmd_quarantine_list },
	{ "quarantine-show",	cmd_quarantine_show },
	{ "quarantine-retry",	cmd_quarantine_retry },
	{ "quarantine-drop",	cmd_quarantine_drop },
	{ "reload",		cmd_reload },
	{ "upgrade",		cmd_upgrade },
	{ NULL, NULL }
};
