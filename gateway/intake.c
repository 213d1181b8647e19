#include "gateway/intake.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/crash.h"
#include "gateway/base/digest.h"
#include "gateway/base/log.h"
#include "gateway/config.h"
#include "gateway/dedup.h"
#include "gateway/gateway.h"
#include "gateway/intake_parts.h"
#include "gateway/outbox.h"
#include "gateway/router.h"
#include "gateway/stats.h"
#include "gateway/translate.h"

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

/* ---- the end ---- */

static void
count_result(struct intake_work *w)
{
	const struct intake_result *r = &w->result;
	struct stats *s = w->g->stats;

	stats_add(s, STAT_OBJECTS, "new", r->accepted);
	stats_add(s, STAT_OBJECTS, "known", r->known);
	stats_add(s, STAT_OBJECTS, "conflict", r->conflicts);
	stats_add(s, STAT_OBJECTS, "refused", r->refused);
	stats_add(s, STAT_OBJECTS, "sighting", r->sightings);
}

/* The last step: count, log, tell the caller, let go of everything. */
static void
finish(struct intake_work *w, const struct err *e, bool retryable)
{
	struct intake_result *r = &w->result;

	r->error = e;
	r->retryable = retryable;
	r->advisory_id = w->advisory_id == NULL ? "" : w->advisory_id;
	r->took_us = clock_mono_us() - w->started_us;
	stats_time(w->g->stats, "intake", r->took_us);
	if (e == NULL)
		stats_add(w->g->stats, STAT_ADVISORIES, w->m.source, 1);
	if (e == NULL || w->m.errand != NULL)	/* whoever goes on with an errand counts the rest */
		count_result(w);
	log_event(e == NULL ? LOG_INFO : LOG_WARN, e == NULL ? "intake.done" : "intake.failed",
	    LF_S("request", w->m.request_id), LF_S("source", w->m.source),
	    LF_S("format", w->format), LF_I("bytes", w->m.body.n), LF_I("new", r->accepted),
	    LF_I("known", r->known), LF_I("conflict", r->conflicts), LF_I("refused", r->refused),
	    LF_I("queued", r->queued), LF_I("us", r->took_us),
	    LF_S("error", e == NULL ? "" : err_word(e->code)));
	w->in->in_work--;
	if (w->job != NULL)
		translate_drop(w->job);
	w->cb(w->arg, r);
	trust_free(w->trust);
	if (w->mem != w->all)
		arena_free(w->mem);
	arena_free(w->all);
}

/* ---- facts and claims ---- */

/* Where this message puts its objects (rulings 24). */
static enum origin
origin_of(const struct intake_work *w)
{
	return w->m.from == NULL || w->m.from->relation == RELATION_OWN ||
	    w->m.from->relation == RELATION_CLIENT ? ORIGIN_OWN : ORIGIN_RECEIVED;
}

/* The facts of every object under w->trust. A label that nobody wrote on the object can only get stronger
 * on its way: what it was by default where it comes from, it is here at least. */
static void
find_facts(struct intake_work *w)
{
	enum origin origin = origin_of(w);

	w->red = false;
	for (size_t i = 0; i < w->adv->n; i++) {
		struct policy_facts *f = &w->facts[i];

		policy_facts_of(w->trust, &w->adv->objects[i], origin, f);
		if (f->tlp_by_default && w->m.relay.unmarked > f->tlp)
			f->tlp = w->m.relay.unmarked;
		w->red = w->red || f->tlp == TLP_RED;
	}
}

/* Trust may have been reloaded while Redis thought about the claims. The message is judged by what holds
 * now; false if its sender is nobody any more. */
static bool
renew_trust(struct intake_work *w)
{
	if (w->trust == w->g->trust)
		return true;
	if (w->m.from != NULL) {
		w->m.from = trust_find(w->g->trust, slice_of(w->m.from->name));
		if (w->m.from == NULL)
			return false;
	}
	trust_free(w->trust);
	w->trust = trust_hold(w->g->trust);
	find_facts(w);
	return true;
}

/* The time of a step; the next begins. */
static void
end_step(struct intake_work *w, const char *stage)
{
	int64_t now = clock_mono_us();

	stats_time(w->g->stats, stage, now - w->step_us);
	w->step_us = now;
}

/* ---- step 8: durable ---- */

static void
count_outcomes(struct intake_work *w)
{
	struct intake_result *r = &w->result;

	for (size_t i = 0; i < w->nputs; i++) {
		const struct store_put *p = &w->puts[i];

		r->queued += p->queued;
		if (i >= w->nfresh)
			continue;
		r->accepted += p->outcome == STORE_NEW;
		r->known += p->outcome == STORE_KNOWN;
		r->conflicts += p->outcome == STORE_CONFLICT;
		r->sightings += p->linked || p->outcome == STORE_KNOWN;
	}
}

/* The pages of a body in a file that were looked at need not stay in memory: they can be read again. */
static void
forget_pages(const struct intake_work *w)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)w->m.body.p;

	if (w->m.body_fd > 0 && at % page == 0)
		madvise((void *)at, w->m.body.n, MADV_DONTNEED);
}

/* The part in hand is durable: ask for the next one. */
static void
next_part(struct intake_work *w)
{
	struct translate_job *job = w->job;

	if (w->m.errand == NULL)
		book_keep_status(w);
	forget_pages(w);
	if (w->mem != w->all)
		arena_free(w->mem);
	w->mem = arena_new();
	w->job = NULL;			/* translate_more has it now */
	w->adv = NULL;
	w->quarantine = NULL;
	w->audit = NULL;
	w->nquarantine = w->quarantine_cap = w->naudit = w->audit_cap = 0;
	w->nputs = w->nfresh = 0;
	w->txn = (struct store_txn){ .nputs = 0 };
	translate_more(job, w->mem);
}

static void
on_committed(void *arg, const struct err *e)
{
	struct intake_work *w = arg;
	struct gateway *g = w->g;

	if (e != NULL) {
		dedup_release(g->dedup, w->keys, w->nputs, w->red);
		finish(w, e, true);
		return;
	}
	crash_here(CRASH_committed);
	dedup_confirm(g->dedup, w->keys, w->nputs, w->red);
	crash_here(CRASH_confirmed);
	count_outcomes(w);
	w->result.status = w->txn.status;
	if (w->m.errand != NULL)
		w->done += w->txn.status->n;
	end_step(w, "commit");
	if (w->result.queued > 0 && g->outbox != NULL)
		outbox_wake(g->outbox);
	if (w->job != NULL)
		next_part(w);
	else
		finish(w, NULL, false);
}

/* ---- steps 5 to 7: may it come in, who wants it, commit ---- */

static void
submit_txn(struct intake_work *w, store_done_cb *done)
{
	book_message(w);
	w->txn.source = (struct store_source){
		.name = w->m.source, .origin = origin_of(w),
		.advisory = w->advisory_id == NULL ? "" : w->advisory_id,
		.request = w->m.request_id,
		.hops = w->m.relay.hops == NULL ? "" : w->m.relay.hops,
		.audience = w->m.relay.audience == NULL ? "" : w->m.relay.audience,
		.received_us = clock_wall_us(),
	};
	w->txn.puts = w->puts;
	w->txn.nputs = w->nputs;
	w->txn.quarantine = w->quarantine;
	w->txn.nquarantine = w->nquarantine;
	w->txn.audit = w->audit;
	w->txn.naudit = w->naudit;
	store_commit(w->g->store, &w->txn, done, w);
}

/* Nothing more of an errand can be taken: what is left of it has failed. */
static void
refuse_rest(struct intake_work *w, const char *code, const char *why)
{
	stats_add(w->g->stats, STAT_REFUSED, code, 1);
	log_event(LOG_WARN, "intake.rest", LF_S("request", w->m.request_id), LF_S("code", code),
	    LF_I("done", w->done), LF_S("why", why));
	if (w->job != NULL)
		translate_drop(w->job);
	w->job = NULL;
	w->txn.status = book_rest(w, code, why);
	w->nputs = w->nfresh = 0;
	submit_txn(w, on_committed);
}

/* False if the part in hand is not to be taken; then that is being told. */
static bool
errand_goes_on(struct intake_work *w)
{
	struct err *e;
	const char *why = "";

	if (w->m.errand == NULL)
		return true;
	switch (w->m.errand->may(w->arg, &why)) {
	case ERRAND_GOES_ON:
		return true;
	case ERRAND_REFUSED:
		refuse_rest(w, "NOT_ALLOWED", why);
		return false;
	case ERRAND_STOPS:
		break;
	}
	e = arena_alloc(w->all, sizeof(*e));
	err_set(e, ERR_BUSY, "it goes on later");
	finish(w, e, true);
	return false;
}

/* Once a message: which routes do not want it. */
static void
tell_left_out(struct intake_work *w, const struct route_in *route)
{
	const struct route_conf *c;
	struct err e = ERR_INIT;

	for (size_t at = 0; w->part == 1 && (c = router_refusal(w->g, route, &at, &e)) != NULL; )
		book_left_out(w, c, &e);
}

static void
commit(struct intake_work *w)
{
	const struct route_in route = {
		.trust = w->trust, .source = w->m.source, .collections = w->m.collections,
		.hops = w->m.relay.hops == NULL ? "" : w->m.relay.hops, .facts = w->facts,
		.loss = w->loss,
	};

	tell_left_out(w, &route);
	router_route(w->g, &route, w->mem, w->puts, w->nputs);
	crash_here(CRASH_routed);
	if (w->m.status_user != NULL) {
		w->txn.status = book_status(w);
		if (w->txn.status == NULL) {
			dedup_release(w->g->dedup, w->keys, w->nputs, w->red);
			refuse_rest(w, "TRANSLATOR_LOST", "elements are missing between two parts");
			return;
		}
	}
	crash_here(CRASH_committing);
	end_step(w, "policy");
	submit_txn(w, on_committed);
}

/* True for a supporting object that was judged and counted with another part. */
static bool
is_again(const struct intake_work *w, size_t i)
{
	return i >= w->adv->n - w->nagain;
}

/* Policy on the way in: NULL, or why object i may not enter; then it is in quarantine. */
static const char *
admit(struct intake_work *w, size_t i)
{
	const struct object *o = &w->adv->objects[i];
	struct decision d;
	const char *code, *why;

	policy_admit(w->trust, &w->facts[i], w->m.from, &d);
	if (d.verdict == POLICY_RELEASE)
		return NULL;
	if (is_again(w, i))
		return "";
	code = d.nagainst > 0 ? policy_reason_word(d.against[0].reason) : "POLICY";
	why = d.nagainst > 0 ? arena_str(w->mem, slice_of(d.against[0].text)) : "not admitted";
	book_refused(w, o, code, why);
	return arena_fmt(w->mem, "%s: %s", code, why);
}

/* Object i is admitted: it becomes the next put. */
static void
make_put(struct intake_work *w, size_t i)
{
	const struct object *o = &w->adv->objects[i];
	struct store_put *p = &w->puts[w->nputs];

	memmove(p->content, w->puts[i].content, sizeof(p->content));
	w->facts[w->nputs] = w->facts[i];
	w->keys[w->nputs] = w->keys[i];
	p->object = o;
	p->tlp = w->facts[i].tlp;
	p->tlp_by_default = w->facts[i].tlp_by_default;
	p->pap = w->facts[i].pap;
	p->embargo_desk = w->facts[i].embargo_desk;
	p->warnings = o->remarks;
	w->nputs++;
	w->nfresh += !is_again(w, i);
}

/* The claim of a refused object is released so that a better copy can come from another peer. */
static void
on_claimed(void *arg, const enum dedup_answer *answers, size_t n)
{
	struct intake_work *w = arg;
	struct err e = ERR_INIT;
	bool local = w->red;

	(void)answers;		/* a claim is not a fact: the store's unique index decides */
	crash_here(CRASH_claimed);
	end_step(w, "claim");
	if (!renew_trust(w)) {
		dedup_release(w->g->dedup, w->keys, n, local);
		err_set(&e, ERR_AUTH, "its sender was taken out of trust.conf meanwhile");
		finish(w, &e, true);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		w->refused[i] = admit(w, i);
		if (w->refused[i] == NULL)
			make_put(w, i);
		else
			dedup_release(w->g->dedup, &w->keys[i], 1, local);
	}
	w->red = local;		/* confirm and release go where the claims are */
	crash_here(CRASH_admitted);
	commit(w);
}

/* ---- steps 3 and 4: parse, claim ---- */

static void
on_quarantined(void *arg, const struct err *e)
{
	struct intake_work *w = arg;

	finish(w, e != NULL ? e : w->refusal, e != NULL);
}

/* Nothing (more) in it could be read. A client that waits for an answer gets the reason; from a folder or a
 * peer the whole text goes to quarantine, so that somebody sees it, and so does in any case what breaks
 * translators. */
static void
refuse_whole(struct intake_work *w, const struct translate_part *part)
{
	struct err *kept = arena_alloc(w->all, sizeof(*kept));

	*kept = *part->error;
	w->refusal = kept;
	if (w->m.errand != NULL) {
		if (slice_starts(slice_of(part->code), "TRANSLATOR_"))
			book_whole(w, arena_str(w->all, slice_of(part->code)), kept);
		refuse_rest(w, arena_str(w->all, slice_of(part->code)), kept->reason);
		return;
	}
	if (w->m.status_user != NULL && !slice_starts(slice_of(part->code), "TRANSLATOR_")) {
		stats_add(w->g->stats, STAT_REFUSED, part->code, 1);
		finish(w, kept, false);
		return;
	}
	book_whole(w, arena_str(w->all, slice_of(part->code)), kept);
	submit_txn(w, on_quarantined);
}

static void
make_lists(struct intake_work *w)
{
	size_t n = w->adv->n + 1;

	w->puts = arena_alloc(w->mem, n * sizeof(*w->puts));
	w->facts = arena_alloc(w->mem, n * sizeof(*w->facts));
	w->keys = arena_alloc(w->mem, n * sizeof(*w->keys));
	w->refused = arena_alloc(w->mem, n * sizeof(*w->refused));
}

/* What the envelope says of itself comes before all else: it decides where the objects come from. */
static int
look_at_envelope(struct intake_work *w, const struct translate_part *part, struct err *e)
{
	if (w->m.on_relay == NULL || !part->first)
		return 0;
	return w->m.on_relay(w->arg, &part->relay, &w->m.relay, e);
}

static void
claim(struct intake_work *w)
{
	make_lists(w);
	book_unreadable(w);
	find_facts(w);
	for (size_t i = 0; i < w->adv->n; i++) {
		digest_sha256(w->adv->objects[i].bytes, w->puts[i].content);
		/* the bytes name id and version: their digest is the digest of both */
		w->keys[i] = dedup_key(w->g->dedup, slice_from(w->puts[i].content,
		    sizeof(w->puts[i].content)));
	}
	w->step_us = clock_mono_us();
	dedup_claim(w->g->dedup, w->keys, w->adv->n, w->red, on_claimed, w);
}

/* The limit of the road it came by, or of its sender. */
static const struct loss_limit *
loss_limit_of(const struct intake_work *w)
{
	static const struct loss_limit none;

	if (w->m.refuse_loss.set)
		return &w->m.refuse_loss;
	return w->m.from != NULL ? &w->m.from->refuse_loss : &none;
}

/* Of a translation alone: STIX is taken as it stands, and what is wrong with an object costs that one. */
static bool
is_translated(const struct translate_part *part)
{
	return part->error == NULL && part->format != NULL &&
	    strcmp(part->format, format_stix21.name) != 0;
}

static bool
loses_too_much(const struct intake_work *w, const struct translate_part *part, struct err *e)
{
	return part->first && is_translated(part) && loss_is_beyond(loss_limit_of(w), part->loss, e);
}

static void
keep_loss(struct intake_work *w, const struct translate_part *part)
{
	uint64_t *loss = arena_alloc(w->all, sizeof(part->loss));

	memcpy(loss, part->loss, sizeof(part->loss));
	w->loss = loss;
}

static bool
asks_account(const struct intake_work *w)
{
	return loss_limit_of(w)->set || router_asks_loss(w->g, w->m.source);
}

/* Too much of it would be lost: nothing of it is taken, as if it could not be read. */
static void
refuse_loss(struct intake_work *w, const struct translate_part *part, struct err *e)
{
	struct translate_part refused = *part;

	if (w->job != NULL)
		translate_drop(w->job);
	w->job = NULL;
	err_input(e, w->m.input);
	refused.error = e;
	refused.code = "LOSS";
	refuse_whole(w, &refused);
}

static void
on_part(void *arg, const struct translate_part *part)
{
	struct intake_work *w = arg;
	struct err e = ERR_INIT;

	crash_here(CRASH_parsed);
	w->parsed_us = clock_mono_us();
	if (part->first)
		stats_time(w->g->stats, "parse", w->parsed_us - w->started_us);
	w->adv = part->adv;
	w->nagain = part->nagain;
	w->job = part->job;
	w->part++;
	w->refused_before = w->result.refused;
	w->format = part->format == NULL ? w->m.format : part->format;
	if (part->first && is_translated(part)) {
		keep_loss(w, part);
		w->envelope = arena_slice(w->all, part->adv->envelope);
	}
	if (loses_too_much(w, part, &e)) {
		refuse_loss(w, part, &e);
	} else if (part->error != NULL && part->retryable) {
		finish(w, part->error, true);
	} else if (part->error != NULL) {
		refuse_whole(w, part);
	} else if (look_at_envelope(w, part, &e) < 0) {
		finish(w, &e, false);
	} else if (errand_goes_on(w)) {
		if (part->first)
			w->advisory_id = w->m.relay.advisory != NULL ? w->m.relay.advisory :
			    arena_str(w->all, part->adv->id);
		claim(w);
	}
}

/* ---- the way in ---- */

/* What was promised is not taken back because a reload has made the limit smaller. */
static size_t
most_objects(const struct intake_work *w)
{
	size_t most = w->g->config->limits.objects;

	return w->m.errand != NULL && w->m.errand->total > most ? (size_t)w->m.errand->total : most;
}

/* How long the text may be is for the adapter to say (a request body, a spool file), and it has. */
static struct translate_read
job_of(const struct intake_work *w)
{
	const struct limits_conf *l = &w->g->config->limits;

	return (struct translate_read){
		.in = w->m.body, .fd = w->m.body_fd, .sha256 = w->digest, .input = w->m.input,
		.request = w->m.request_id,
		.format = w->m.format, .mapping = w->m.mapping, .received = w->received,
		.limits = { .bytes = w->m.body.n > l->body_bytes ? w->m.body.n : l->body_bytes,
		    .object_bytes = l->object_bytes, .objects = most_objects(w) },
		.strict = w->m.strict, .envelope = w->m.envelope, .bundle = w->m.bundle,
		.relay = w->m.on_relay != NULL, .account = asks_account(w),
		.from = w->m.errand == NULL ? 0 : w->m.errand->from,
		.iodef_amber_strict = w->m.from != NULL && w->m.from->iodef_amber_strict,
		.misp_groups = trust_misp_groups(w->g->trust),
	};
}

void
intake_submit(struct intake *in, const struct intake_message *m, intake_cb *cb, void *arg)
{
	struct gateway *g = in->g;
	struct translate_read job;
	struct intake_work *w;
	struct arena *mem;

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
	w->g = g;
	w->m = *m;
	w->trust = trust_hold(g->trust);
	w->all = w->mem = mem;
	w->cb = cb;
	w->arg = arg;
	w->started_us = clock_mono_us();
	in->in_work++;
	crash_here(CRASH_received);
	stamp_text(m->errand == NULL ? clock_wall_us() : m->errand->received_us, w->received);
	w->done = m->errand == NULL ? 0 : m->errand->from;
	if (m->sha256 != NULL)
		memcpy(w->digest, m->sha256, sizeof(w->digest));
	else
		digest_sha256(w->m.body, w->digest);
	w->m.sha256 = NULL;
	forget_pages(w);
	job = job_of(w);
	translate_read(g->translate, &job, mem, on_part, w);
}
