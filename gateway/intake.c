#include "gateway/intake.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/crash.h"
#include "gateway/base/log.h"
#include "gateway/catalog.h"
#include "gateway/dedup.h"
#include "gateway/gateway.h"
#include "gateway/keys.h"
#include "gateway/outbox.h"
#include "gateway/router.h"
#include "gateway/stats.h"
#include "gateway/translate.h"

enum { REFUSALS_AUDITED = 100 };

enum step { STEP_RECEIVED, STEP_PARSED, STEP_CLAIMED, STEP_COMMITTING, STEP_DONE };

/* One message on its road. Everything it needs lies in its arena. */
struct work {
	struct intake		*in;
	struct intake_message	 m;
	struct trust		*trust;		/* the trust this message is judged by */
	struct arena		*mem;
	enum step		 step;
	int64_t			 started_us, parsed_us;
	char			 received[STAMP_TEXT + 1];
	struct read_job		 job;
	struct advisory		*adv;
	const char		*format;
	const char		*advisory_id;
	/* admitted objects */
	struct store_put	*puts;
	struct policy_facts	*facts;		/* parallel to puts */
	struct slice		*keys;		/* claim keys; parallel to puts once policy has spoken */
	bool			*admitted;
	bool			 red;		/* something in it is RED: its claims stay in this process */
	const struct err	*refusal;	/* why nothing could be read */
	size_t			 nputs;
	struct store_quarantine	*quarantine;
	size_t			 nquarantine, quarantine_cap;
	struct store_audit	*audit;
	size_t			 naudit, audit_cap;
	struct store_txn	 txn;
	struct intake_result	 result;
	intake_cb		*cb;
	void			*arg;
};

struct intake {
	struct gateway	*g;
	size_t		 in_work;
};

struct intake *
intake_new(struct gateway *g)
{
	struct intake *in = xcalloc(1, sizeof(*in));

	in->g = g;
	return in;
}

void
intake_free(struct intake *in)
{
	free(in);
}

size_t
intake_in_work(const struct intake *in)
{
	return in->in_work;
}

/* The last step: count, log, tell the caller, let go of everything. */
static void
finish(struct work *w, const struct err *e, bool retryable)
{
	struct intake *in = w->in;
	struct intake_result *r = &w->result;

	w->step = STEP_DONE;
	r->error = e;
	r->retryable = retryable;
	r->advisory = w->adv;
	r->advisory_id = w->advisory_id == NULL ? "" : w->advisory_id;
	r->took_us = clock_mono_us() - w->started_us;
	stats_time(in->g->stats, "intake", r->took_us);
	if (e == NULL) {
		stats_add(in->g->stats, STAT_ADVISORIES, w->m.source, 1);
		stats_add(in->g->stats, STAT_OBJECTS, "new", r->accepted);
		stats_add(in->g->stats, STAT_OBJECTS, "known", r->known);
		stats_add(in->g->stats, STAT_OBJECTS, "conflict", r->conflicts);
		stats_add(in->g->stats, STAT_OBJECTS, "refused", r->refused);
		stats_add(in->g->stats, STAT_OBJECTS, "sighting", r->sightings);
	}
	log_event(e == NULL ? LOG_INFO : LOG_WARN, e == NULL ? "intake.done" : "intake.failed",
	    LF_S("request", w->m.request_id), LF_S("source", w->m.source),
	    LF_S("format", w->format), LF_I("bytes", w->m.body.n), LF_I("new", r->accepted),
	    LF_I("known", r->known), LF_I("conflict", r->conflicts), LF_I("refused", r->refused),
	    LF_I("queued", r->queued), LF_I("us", r->took_us),
	    LF_S("error", e == NULL ? "" : err_word(e->code)));
	in->in_work--;
	w->cb(w->arg, r);
	trust_free(w->trust);
	arena_free(w->mem);
}

static struct store_quarantine *
add_quarantine(struct work *w)
{
	struct store_quarantine *q;

	w->quarantine = arena_grow(w->mem, w->quarantine, w->nquarantine, &w->quarantine_cap,
	    sizeof(*w->quarantine));
	q = &w->quarantine[w->nquarantine++];
	memset(q, 0, sizeof(*q));
	q->source = w->m.source;
	q->input = w->m.input;
	q->format = w->format;
	q->collection = w->m.collections != NULL && w->m.collections[0] != NULL ?
	    w->m.collections[0] : "";
	return q;
}

static void
quarantine_err(struct store_quarantine *q, const char *code, const struct err *e)
{
	q->code = code;
	q->path = e->path;
	q->line = e->at.line;
	q->column = e->at.column;
	q->offset = e->at.offset;
	q->reason = e->reason;
}

/* An audit record from a buffer of members; the text moves into the arena. */
static void
add_audit(struct work *w, struct strbuf *members, bool counts)
{
	w->audit = arena_grow(w->mem, w->audit, w->naudit, &w->audit_cap, sizeof(*w->audit));
	w->audit[w->naudit].members = arena_str(w->mem, strbuf_slice(members));
	w->audit[w->naudit].counts = counts;
	w->naudit++;
	strbuf_fini(members);
}

static void
audit_refusal(struct work *w, struct slice id, const char *code, const char *reason)
{
	struct strbuf b = STRBUF_INIT;
	char name[19];

	if (++w->result.refused > REFUSALS_AUDITED)
		return;
	audit_object(slice_from(w->in->g->keys->audit, 32), id, name);
	audit_text(&b, "ev", SLICE_LIT("refused"));
	audit_text(&b, "source", slice_of(w->m.source));
	audit_text(&b, "obj", slice_of(name));
	audit_text(&b, "code", slice_of(code));
	audit_text(&b, "why", slice_of(reason));
	add_audit(w, &b, false);
}

static void
audit_intake(struct work *w)
{
	struct strbuf b = STRBUF_INIT;
	char digest[2 * SHA256_LEN + 1];

	digest_sha256_hex(w->m.body, digest);
	audit_text(&b, "ev", SLICE_LIT("intake"));
	audit_text(&b, "source", slice_of(w->m.source));
	audit_text(&b, "request", slice_of(w->m.request_id));
	audit_text(&b, "format", slice_of(w->format == NULL ? "" : w->format));
	audit_text(&b, "in", slice_of(digest));
	audit_number(&b, "objects", (int64_t)w->nputs);
	audit_number(&b, "refused", (int64_t)w->result.refused);
	add_audit(w, &b, true);
}

/* Where this message puts its objects (rulings 24). */
static enum origin
origin_of(const struct work *w)
{
	return w->m.from == NULL || w->m.from->relation == RELATION_OWN ||
	    w->m.from->relation == RELATION_CLIENT ? ORIGIN_OWN : ORIGIN_RECEIVED;
}

/* What names a claim: this version of this object with this content. */
static struct slice
claim_key(struct work *w, const struct object *o, const uint8_t content[SHA256_LEN])
{
	char hex[2 * SHA256_LEN + 1];

	hex_text(content, SHA256_LEN, hex);
	return slice_of(arena_fmt(w->mem, "%.*s|%.*s|%s", SLICE_ARG(o->id),
	    SLICE_ARG(o->version_key), hex));
}

/* Warnings of one object as lines, NULL if it has none. */
static const char *
warnings_of(struct work *w, const struct object *o)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	for (size_t i = 0; i < w->adv->nverdicts; i++) {
		const struct verdict *v = &w->adv->verdicts[i];

		if (v->kind == VERDICT_WARNED && v->index == o->index && slice_eq(v->id, o->id))
			strbuf_addf(&b, "%s %s: %s\n", v->code, v->err.path, v->err.reason);
	}
	text = b.n == 0 ? NULL : arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* Policy on the way in: an object that may not enter goes to quarantine. */
static bool
admit(struct work *w, const struct object *o, const struct policy_facts *f)
{
	struct decision d;
	struct store_quarantine *q;
	const char *code, *why;

	policy_admit(w->trust, f, w->m.from, &d);
	if (d.verdict == POLICY_RELEASE)
		return true;
	code = d.nagainst > 0 ? policy_reason_word(d.against[0].reason) : "POLICY";
	why = d.nagainst > 0 ? arena_str(w->mem, slice_of(d.against[0].text)) : "not admitted";
	q = add_quarantine(w);
	q->code = code;
	q->path = "";
	q->offset = o->offset;
	q->reason = why;
	q->object_id = o->id;
	q->bytes = o->bytes;
	audit_refusal(w, o->id, code, why);
	stats_add(w->in->g->stats, STAT_REFUSED, code, 1);
	return false;
}

/* What the readers refused. */
static void
book_refused(struct work *w)
{
	for (size_t i = 0; i < w->adv->nverdicts; i++) {
		const struct verdict *v = &w->adv->verdicts[i];
		struct store_quarantine *q;

		if (v->kind != VERDICT_REFUSED)
			continue;
		q = add_quarantine(w);
		quarantine_err(q, v->code, &v->err);
		q->object_id = v->id;
		q->bytes = v->text;
		audit_refusal(w, v->id, v->code, v->err.reason);
		stats_add(w->in->g->stats, STAT_REFUSED, v->code, 1);
	}
}

static void
add_entry(struct store_status *st, size_t *cap, struct arena *mem, size_t index,
    struct store_status_entry entry, size_t **order)
{
	size_t cap2 = *cap;

	st->entries = arena_grow(mem, st->entries, st->n, cap, sizeof(*st->entries));
	*order = arena_grow(mem, *order, st->n, &cap2, sizeof(**order));
	(*order)[st->n] = index;
	st->entries[st->n++] = entry;
}

/* The status resource: one entry an element of the envelope (TAXII 2.1 section 4.3.1). */
static struct store_status *
make_status(struct work *w)
{
	struct store_status *st = arena_alloc(w->mem, sizeof(*st));
	size_t cap = 0, *order = NULL, put = 0;

	uuid_v4(st->id);
	st->user = w->m.status_user;
	st->requested_us = clock_wall_us();
	for (size_t i = 0; i < w->adv->nverdicts; i++) {
		const struct verdict *v = &w->adv->verdicts[i];

		if (v->kind == VERDICT_REFUSED)
			add_entry(st, &cap, w->mem, v->index, (struct store_status_entry){
			    .id = v->id.n > 0 ? v->id : SLICE_LIT("unknown"),
			    .version = v->version.n > 0 ? v->version : SLICE_LIT("unknown"),
			    .failed = true, .put = -1,
			    .message = arena_fmt(w->mem, "%s: %s%s%s", v->code, v->err.path,
			    v->err.path[0] != '\0' ? ": " : "", v->err.reason) }, &order);
	}
	for (size_t i = 0; i < w->adv->n; i++) {
		const struct object *o = &w->adv->objects[i];
		bool in = w->admitted[i];

		add_entry(st, &cap, w->mem, o->index, (struct store_status_entry){
		    .id = o->id, .version = o->version, .failed = !in,
		    .put = in ? (ssize_t)put : -1,
		    .message = in ? NULL : "policy of this node does not admit this object" },
		    &order);
		put += in;
	}
	return st;
}

static void
on_committed(void *arg, const struct err *e)
{
	struct work *w = arg;
	struct gateway *g = w->in->g;
	struct intake_result *r = &w->result;

	if (e != NULL) {
		dedup_release(g->dedup, w->keys, w->nputs, w->red);
		finish(w, e, true);
		return;
	}
	crash_here(CRASH_committed);
	dedup_confirm(g->dedup, w->keys, w->nputs, w->red);
	crash_here(CRASH_confirmed);
	for (size_t i = 0; i < w->nputs; i++) {
		const struct store_put *p = &w->puts[i];

		r->accepted += p->outcome == STORE_NEW;
		r->known += p->outcome == STORE_KNOWN;
		r->conflicts += p->outcome == STORE_CONFLICT;
		r->sightings += p->linked || p->outcome == STORE_KNOWN;
		r->queued += p->queued;
	}
	r->status = w->txn.status;
	stats_time(g->stats, "commit", clock_mono_us() - w->parsed_us);
	if (r->queued > 0 && g->outbox != NULL)
		outbox_wake(g->outbox);
	finish(w, NULL, false);
}

static void
commit(struct work *w)
{
	struct gateway *g = w->in->g;
	struct route_in route = {
		.source = w->m.source, .from = w->m.from, .collections = w->m.collections,
		.hops = w->txn.source.hops, .facts = w->facts,
	};

	router_route(g, &route, w->mem, w->puts, w->nputs);
	crash_here(CRASH_routed);
	audit_intake(w);
	w->txn.puts = w->puts;
	w->txn.nputs = w->nputs;
	w->txn.quarantine = w->quarantine;
	w->txn.nquarantine = w->nquarantine;
	w->txn.audit = w->audit;
	w->txn.naudit = w->naudit;
	if (w->m.status_user != NULL)
		w->txn.status = make_status(w);
	w->step = STEP_COMMITTING;
	crash_here(CRASH_committing);
	store_commit(g->store, &w->txn, on_committed, w);
}

/* Steps 5 and 6: may each come in, and who wants it. The claim of a refused object is released so that
 * a better copy can come from another peer. */
static void
on_claimed(void *arg, const enum dedup_answer *answers, size_t n)
{
	struct work *w = arg;
	struct gateway *g = w->in->g;

	(void)answers;		/* a claim is not a fact: the store's unique index decides */
	w->step = STEP_CLAIMED;
	crash_here(CRASH_claimed);
	for (size_t i = 0; i < n; i++) {
		const struct object *o = &w->adv->objects[i];
		struct store_put *p = &w->puts[w->nputs];
		const struct policy_facts *f = &w->facts[i];

		w->admitted[i] = admit(w, o, f);
		if (!w->admitted[i]) {
			dedup_release(g->dedup, &w->keys[i], 1, w->red);
			continue;
		}
		memmove(p->content, w->puts[i].content, sizeof(p->content));
		w->facts[w->nputs] = *f;
		w->keys[w->nputs] = w->keys[i];
		p->object = o;
		p->tlp = f->tlp;
		p->tlp_by_default = f->tlp_by_default;
		p->warnings = warnings_of(w, o);
		w->nputs++;
	}
	crash_here(CRASH_admitted);
	w->txn.source = (struct store_source){
		.name = w->m.source, .origin = origin_of(w), .advisory = w->advisory_id,
		.hops = w->m.relay.hops == NULL ? "" : w->m.relay.hops,
		.audience = w->m.relay.audience == NULL ? "" : w->m.relay.audience,
		.received_us = clock_wall_us(),
	};
	if (w->m.dry_run) {
		w->result.accepted = w->nputs;
		finish(w, NULL, false);
		return;
	}
	commit(w);
}

static void
on_quarantined(void *arg, const struct err *e)
{
	struct work *w = arg;

	finish(w, e != NULL ? e : w->refusal, e != NULL);
}

/* Nothing in it could be read. A client that waits for an answer gets the reason; from a folder or a
 * peer the whole text goes to quarantine, so that somebody sees it. */
static void
refuse_whole(struct work *w, const struct err *e)
{
	struct err *kept = arena_alloc(w->mem, sizeof(*kept));
	struct store_quarantine *q;

	*kept = *e;
	w->refusal = kept;
	stats_add(w->in->g->stats, STAT_REFUSED, err_word(e->code), 1);
	if (w->m.status_user != NULL || w->m.dry_run) {
		finish(w, kept, false);
		return;
	}
	q = add_quarantine(w);
	quarantine_err(q, err_word(e->code), kept);
	q->bytes = w->m.body;
	audit_refusal(w, SLICE_EMPTY, err_word(e->code), kept->reason);
	audit_intake(w);
	w->txn.quarantine = w->quarantine;
	w->txn.nquarantine = w->nquarantine;
	w->txn.audit = w->audit;
	w->txn.naudit = w->naudit;
	store_commit(w->in->g->store, &w->txn, on_quarantined, w);
}

static void
on_parsed(void *arg, struct advisory *adv, const struct format_ops *format, const struct err *e)
{
	struct work *w = arg;
	enum origin origin = origin_of(w);

	w->step = STEP_PARSED;
	crash_here(CRASH_parsed);
	w->parsed_us = clock_mono_us();
	stats_time(w->in->g->stats, "parse", w->parsed_us - w->started_us);
	w->adv = adv;
	w->format = format == NULL ? w->m.format : format->name;
	w->txn.source.name = w->m.source;
	w->txn.source.hops = w->txn.source.audience = "";
	if (e != NULL) {
		refuse_whole(w, e);
		return;
	}
	advisory_settle(adv, w->mem);
	w->advisory_id = w->m.relay.advisory != NULL ? w->m.relay.advisory :
	    arena_str(w->mem, adv->id);
	w->puts = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->puts));
	w->facts = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->facts));
	w->keys = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->keys));
	w->admitted = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->admitted));
	book_refused(w);
	for (size_t i = 0; i < adv->n; i++) {
		policy_facts_of(w->trust, &adv->objects[i], origin, &w->facts[i]);
		w->red = w->red || w->facts[i].tlp == TLP_RED;
		digest_sha256(adv->objects[i].bytes, w->puts[i].content);
		w->keys[i] = claim_key(w, &adv->objects[i], w->puts[i].content);
	}
	dedup_claim(w->in->g->dedup, w->keys, adv->n, w->red, on_claimed, w);
}

void
intake_submit(struct intake *in, const struct intake_message *m, intake_cb *cb, void *arg)
{
	struct gateway *g = in->g;
	struct arena *mem;
	struct work *w;

	if (in->in_work >= g->config->limits.intake_queue) {
		struct err e = ERR_INIT;
		struct intake_result busy = { .error = &e, .retryable = true, .advisory_id = "" };

		err_set(&e, ERR_BUSY, "%zu messages are in work already", in->in_work);
		cb(arg, &busy);
		return;
	}
	mem = arena_new();
	w = arena_alloc(mem, sizeof(*w));
	w->in = in;
	w->m = *m;
	w->trust = trust_hold(g->trust);
	w->mem = mem;
	w->cb = cb;
	w->arg = arg;
	w->started_us = clock_mono_us();
	in->in_work++;
	crash_here(CRASH_received);
	stamp_text(clock_wall_us(), w->received);
	w->job = (struct read_job){
		.in = m->body, .input = m->input, .received = slice_of(w->received),
		.limits = { .bytes = g->config->limits.body_bytes,
		    .object_bytes = g->config->limits.object_bytes,
		    .objects = g->config->limits.objects },
		.mapping = m->mapping, .strict = m->strict,
		.iodef_amber_strict = m->from != NULL && m->from->iodef_amber_strict,
	};
	translate_read(g->translate, m->format, &w->job, mem, on_parsed, w);
}
