#include "gateway/outbox.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/crash.h"
#include "gateway/base/log.h"
#include "gateway/base/recent.h"
#include "gateway/config.h"
#include "gateway/dedup.h"
#include "gateway/gateway.h"
#include "gateway/keys.h"
#include "gateway/limiter.h"
#include "gateway/release.h"
#include "gateway/stats.h"

enum { IDLE_LOOK_US = 30 * 1000000, RECORDED_MAX = 20000, FACTS_COMPARED = 64 };

/* One peer's link: at most one delivery is under way. */
struct link {
	struct outbox		*o;
	char			*name;
	struct outbox_link	 info;
	struct parcel		*parcel;	/* under way, or NULL */
	bool			 leasing;
	size_t			 most;		/* objects that the peer takes at once; 0: not known */
	struct link		*next;
};

/* One question to the federation. */
struct asked {
	struct parcel	*p;
	uint8_t		 key[SHA256_LEN];
	bool		 elsewhere;	/* another node gave the peer this very version */
};

/* What was leased for one delivery, and what became of it. Lives in its arena. */
struct parcel {
	struct link		*link;
	struct arena		*mem;
	struct trust		*trust;		/* of this decision; holds `peer` */
	const struct peer	*peer;
	struct outbox_item	*items;		/* copies */
	struct release		*releases;	/* parallel: what policy said */
	struct asked		*asked;		/* parallel: what the federation knows */
	size_t			 asking;	/* answers still to come */
	size_t			 n;
	struct delivery		 d;
	size_t			*sent;		/* index into items of each delivered one */
	size_t			 nsent;
	struct outbox_update	*updates;
	size_t			 nupdates;
	struct store_audit	*audit;
	size_t			 naudit, audit_cap;
	int64_t			 started_us;
};

struct outbox {
	struct gateway	*g;
	outbox_send_fn	*send;
	void		*ctx;
	struct event	*timer;
	struct link	*links;
	struct recent	*recorded;	/* decisions that the audit log has */
	char		 owner[UUID_TEXT + 1];
	void		(*drained)(void *arg);
	void		*drained_arg;
	bool		 draining;
};

static void	look(struct outbox *o);

/* ---- links and time ---- */

static struct link *
link_of(struct outbox *o, const char *name)
{
	struct link *l;

	for (l = o->links; l != NULL; l = l->next)
		if (strcmp(l->name, name) == 0)
			return l;
	l = xcalloc(1, sizeof(*l));
	l->o = o;
	l->name = xstrdup(name);
	l->info.state = "idle";
	l->next = o->links;
	o->links = l;
	return l;
}

static void
schedule(struct outbox *o, int64_t in_us)
{
	struct timeval tv;

	if (in_us < 0)
		in_us = 0;
	tv.tv_sec = in_us / 1000000;
	tv.tv_usec = in_us % 1000000;
	evtimer_add(o->timer, &tv);
}

void
outbox_wake(struct outbox *o)
{
	if (!o->draining)
		schedule(o, 0);
}

/* Doubling from retry_min to retry_max, with a quarter of jitter so that peers do not march in step. */
static int64_t
backoff_us(const struct outbox *o, uint32_t failures)
{
	const struct limits_conf *l = &o->g->config->limits;
	int64_t us = l->retry_min_us;
	uint32_t dice;

	for (uint32_t i = 1; i < failures && us < l->retry_max_us; i++)
		us *= 2;
	if (us > l->retry_max_us)
		us = l->retry_max_us;
	random_bytes(&dice, sizeof(dice));
	return us - us / 8 + (int64_t)(dice % 1024) * (us / 4) / 1024;
}

/* ---- booking ---- */

static struct outbox_update *
update(struct parcel *p, const struct outbox_item *it, enum outbox_result result, const char *why)
{
	struct outbox_update *u = &p->updates[p->nupdates++];

	u->oid = it->oid;
	u->result = result;
	u->reason = why == NULL ? NULL : arena_str(p->mem, slice_of(why));
	u->due_us = 0;
	return u;
}

static void
add_audit(struct parcel *p, struct strbuf *members)
{
	p->audit = arena_grow(p->mem, p->audit, p->naudit, &p->audit_cap, sizeof(*p->audit));
	p->audit[p->naudit++] = (struct store_audit){
		.members = arena_str(p->mem, strbuf_slice(members)) };
	strbuf_fini(members);
}

/* Has the audit log this decision already? A peer that is down is decided about at every attempt, and
 * one record an object version, audience and policy is enough (rulings 29). After a restart or twenty
 * thousand others it is recorded once more. */
static bool
is_recorded(struct parcel *p, const struct outbox_item *it, const struct release *r)
{
	struct outbox *o = p->link->o;
	struct strbuf b = STRBUF_INIT;
	uint8_t mac[SHA256_LEN];
	bool known;

	strbuf_addf(&b, "%lld|%d|%s|", (long long)it->row.vid, (int)r->verdict, p->link->name);
	strbuf_add(&b, trust_digest(p->trust), SHA256_LEN);
	digest_hmac_sha256(slice_from(o->g->keys->common, sizeof(o->g->keys->common)),
	    strbuf_slice(&b), mac);
	strbuf_fini(&b);
	known = recent_find(o->recorded, mac) != NULL;
	recent_put(o->recorded, mac);
	return known;
}

static void
audit_id(struct parcel *p, struct strbuf *b, const char *member, struct slice id)
{
	const struct keys *k = p->link->o->g->keys;
	char name[19];

	audit_object(slice_from(k->common, sizeof(k->common)), id, name);
	audit_text(b, member, slice_of(name));
}

static void
audit_decision(struct parcel *p, const struct outbox_item *it, const struct release *r)
{
	struct strbuf b = STRBUF_INIT;
	char hex[2 * SHA256_LEN + 1];

	if (is_recorded(p, it, r))
		return;
	audit_text(&b, "ev", SLICE_LIT("decision"));
	audit_id(p, &b, "obj", it->row.id);
	audit_text(&b, "version", it->row.version_key);
	audit_text(&b, "peer", slice_of(p->link->name));
	audit_text(&b, "verdict", slice_of(policy_verdict_word(r->verdict)));
	audit_text(&b, "why", slice_of(r->why));
	if (r->about.n > 0)
		audit_id(p, &b, "about", r->about);
	hex_text(trust_digest(p->trust), SHA256_LEN, hex);
	audit_text(&b, "pol", slice_of(hex));
	add_audit(p, &b);
}

/* In which format it went, and what became of its fields there. */
static void
audit_account(struct strbuf *b, const struct delivery_account *x)
{
	audit_text(b, "as", slice_of(x->format));
	if (x->file != NULL)
		audit_text(b, "file", slice_of(x->file));
	audit_number(b, "companions", (int64_t)x->companions);
	for (int i = 0; i < LOSS_KINDS; i++)
		audit_number(b, loss_word((enum loss_kind)i), (int64_t)x->loss[i]);
}

static void
audit_sent(struct parcel *p, size_t n, const struct delivery_account *x)
{
	struct strbuf b = STRBUF_INIT;
	char hex[2 * SHA256_LEN + 1];

	audit_text(&b, "ev", SLICE_LIT("sent"));
	audit_text(&b, "peer", slice_of(p->link->name));
	audit_text(&b, "label", slice_of(tlp_word(p->d.label)));
	audit_number(&b, "objects", (int64_t)n);
	if (n < p->nsent)
		audit_number(&b, "of", (int64_t)p->nsent);
	digest_sha256_hex(p->d.objects, hex);
	if (x != NULL)
		audit_account(&b, x);
	if (x != NULL && x->file != NULL)
		hex_text(x->digest, sizeof(x->digest), hex);
	audit_text(&b, "out", slice_of(hex));
	add_audit(p, &b);
}

/* All of it was refused for good: by the peer, or because it cannot be said to it. In whose words stays out
 * of the log: they may quote the object. */
static void
audit_refused(struct parcel *p, const struct delivery_answer *a, const char *code)
{
	struct strbuf b = STRBUF_INIT;

	audit_text(&b, "ev", SLICE_LIT("undelivered"));
	audit_text(&b, "peer", slice_of(p->link->name));
	audit_text(&b, "code", slice_of(code));
	audit_text(&b, "advisory", slice_of(p->d.advisory));
	audit_text(&b, "label", slice_of(tlp_word(p->d.label)));
	audit_number(&b, "objects", (int64_t)p->nsent);
	if (a->account != NULL)
		audit_account(&b, a->account);
	add_audit(p, &b);
}

/* The parcel is booked (or could not be: then its lease runs out and it comes again). */
static void
on_booked(void *arg, const struct err *e)
{
	struct parcel *p = arg;
	struct link *l = p->link;
	struct outbox *o = l->o;

	if (e != NULL) {
		log_event(LOG_ERROR, "outbox.not-booked", LF_S("peer", l->name),
		    LF_S("error", e->reason));
		recent_free(o->recorded);	/* its records are not in the log */
		o->recorded = recent_new(RECORDED_MAX, 1);
		l->info.next_us = clock_wall_us() + backoff_us(o, ++l->info.failures);
	}
	crash_here(CRASH_booked);
	l->parcel = NULL;
	l->info.state = l->info.next_us > clock_wall_us() ? "waiting" : "idle";
	trust_free(p->trust);
	arena_free(p->mem);
	schedule(o, 0);
}

static void
book(struct parcel *p)
{
	store_outbox_update(p->link->o->g->store, p->updates, p->nupdates, p->audit, p->naudit,
	    on_booked, p);
}

/* Not now: every item that was to be sent waits until `due_us`. */
static void
postpone(struct parcel *p, int64_t due_us, const char *why)
{
	for (size_t i = 0; i < p->nsent; i++)
		update(p, &p->items[p->sent[i]], OUTBOX_RETRY, why)->due_us = due_us;
	book(p);
}

/* The same after a failure, from item `first` on: what has waited too long already is given up. */
static void
postpone_or_give_up(struct parcel *p, size_t first, int64_t due_us, const char *why)
{
	struct link *l = p->link;
	int64_t age_us = l->o->g->config->limits.retry_age_us, now_us = clock_wall_us();

	for (size_t i = first; i < p->nsent; i++) {
		const struct outbox_item *it = &p->items[p->sent[i]];

		if (now_us - it->queued_us > age_us) {
			update(p, it, OUTBOX_DEAD, why);
			l->info.dead++;
			continue;
		}
		update(p, it, OUTBOX_RETRY, why)->due_us = due_us;
		l->info.retried++;
	}
	book(p);
}

/* ---- the answer ---- */

static void
on_told(void *arg, const enum dedup_answer *answers, size_t n)
{
	(void)arg;
	(void)answers;
	(void)n;
}

/* The peer has acknowledged it: nodes that share our Redis need not send it again. */
static void
tell_federation(struct parcel *p, size_t i)
{
	struct gateway *g = p->link->o->g;

	if (g->redis != NULL && p->peer->npins > 0)
		dedup_sent(g->dedup, slice_from(p->peer->pins[0], sizeof(p->peer->pins[0])),
		    slice_from(p->asked[i].key, sizeof(p->asked[i].key)), true, on_told, NULL);
}

/* The peer has spoken about the first n items: they are sent, or refused for good. */
static void
book_taken(struct parcel *p, const struct delivery_answer *a, size_t n)
{
	struct link *l = p->link;
	struct stats *stats = l->o->g->stats;
	int64_t now_us = clock_wall_us();
	size_t refused = 0;

	for (size_t i = 0; i < n; i++) {
		const struct outbox_item *it = &p->items[p->sent[i]];

		stats_observe(stats, STAT_LAG, l->name, now_us - it->queued_us);
		if (a->refused != NULL && a->refused[i] != NULL) {
			update(p, it, OUTBOX_DEAD, a->refused[i]);
			refused++;
			continue;
		}
		update(p, it, OUTBOX_SENT, NULL);
		tell_federation(p, p->sent[i]);
	}
	l->info.sent += n - refused;
	l->info.dead += refused;
	stats_add(stats, STAT_SENT, l->name, n - refused);
	if (n > 0)
		log_event(LOG_INFO, "relay.sent", LF_S("request", p->d.request),
		    LF_S("peer", l->name), LF_I("objects", n), LF_I("refused", refused),
		    LF_I("us", a->took_us));
}

static void
delivered(struct parcel *p, const struct delivery_answer *a)
{
	struct link *l = p->link;

	book_taken(p, a, p->nsent);
	audit_sent(p, p->nsent, a->account);
	if (l->most > 0)			/* perhaps that one was just large */
		l->most += 1 + l->most / 8;
	l->info.failures = 0;
	l->info.next_us = 0;
	l->info.last_error[0] = '\0';
	l->info.last_ok_us = clock_wall_us();
	stats_time(l->o->g->stats, "relay", a->took_us);
	book(p);
}

static void
failed(struct parcel *p, const struct delivery_answer *a)
{
	struct link *l = p->link;
	size_t taken = a->taken < p->nsent ? a->taken : p->nsent;
	int64_t wait;

	if (taken > 0) {			/* it moves */
		book_taken(p, a, taken);
		audit_sent(p, taken, a->account);
		l->info.failures = 0;
		l->info.last_ok_us = clock_wall_us();
	}
	wait = backoff_us(l->o, ++l->info.failures);
	if (a->retry_after_us > wait)
		wait = a->retry_after_us;
	l->info.next_us = clock_wall_us() + wait;
	snprintf(l->info.last_error, sizeof(l->info.last_error), "%s", a->reason);
	stats_add(l->o->g->stats, STAT_RETRIES, l->name, 1);
	log_event(LOG_WARN, "relay.retry", LF_S("request", p->d.request),
	    LF_S("peer", l->name), LF_I("objects", p->nsent - taken),
	    LF_I("failures", l->info.failures), LF_I("wait_ms", wait / 1000),
	    LF_S("error", a->reason));
	postpone_or_give_up(p, taken, l->info.next_us, a->reason);
}

/* Half as much next time. */
static void
split(struct parcel *p, const struct delivery_answer *a)
{
	struct link *l = p->link;

	l->most = p->nsent / 2;
	log_event(LOG_INFO, "relay.split", LF_S("request", p->d.request),
	    LF_S("peer", l->name), LF_I("objects", p->nsent),
	    LF_S("error", a->reason));
	postpone(p, clock_wall_us(), a->reason);
}

static void
given_up(struct parcel *p, const struct delivery_answer *a)
{
	const char *code = a->code != NULL ? a->code :
	    a->result == DELIVERY_TOO_LARGE ? "TOO_LARGE" : "PEER_REFUSED";
	const char *why = arena_fmt(p->mem, "%s: %s", code, a->reason);
	struct link *l = p->link;

	for (size_t i = 0; i < p->nsent; i++)
		update(p, &p->items[p->sent[i]], OUTBOX_DEAD, why);
	audit_refused(p, a, code);
	l->info.dead += p->nsent;
	snprintf(l->info.last_error, sizeof(l->info.last_error), "%s", why);
	stats_add2(l->o->g->stats, STAT_REFUSED_OUT, l->name, code, p->nsent);
	log_event(LOG_ERROR, "relay.dead", LF_S("request", p->d.request),
	    LF_S("peer", l->name), LF_I("objects", p->nsent), LF_S("code", code),
	    LF_S("error", a->reason));
	book(p);
}

static void
on_delivered(void *arg, const struct delivery_answer *a)
{
	struct parcel *p = arg;

	crash_here(CRASH_delivered);
	if (a->result == DELIVERED) {
		delivered(p, a);
		return;
	}
	if (a->result == DELIVERY_RETRY) {
		failed(p, a);
		return;
	}
	if (a->result == DELIVERY_TOO_LARGE && p->nsent > 1) {
		split(p, a);
		return;
	}
	given_up(p, a);
}

/* ---- what may go ---- */

static const char *
hops_with_us(struct parcel *p, const char *hops)
{
	const char *us = p->link->o->g->config->name;

	return arena_fmt(p->mem, "%s%s%s", hops, hops[0] == '\0' ? "" : ",", us);
}

static bool
same_facts(const struct policy_facts *a, const struct policy_facts *b)
{
	return a->tlp == b->tlp && a->pap == b->pap && a->origin == b->origin &&
	    slice_eq(a->kind, b->kind) && a->sectors == b->sectors && a->phase == b->phase &&
	    a->flags == b->flags && slice_eq(a->created_by, b->created_by) &&
	    slice_eq(a->audience, b->audience) && slice_eq(a->embargo_desk, b->embargo_desk) &&
	    a->embargo_until_us == b->embargo_until_us;
}

/* The different facts in a parcel: most objects of an advisory are alike to policy. */
static const struct policy_facts **
different_facts(struct parcel *p, size_t *n)
{
	const struct policy_facts **v = arena_alloc(p->mem,
	    (p->nsent + 1) * sizeof(const struct policy_facts *));

	*n = 0;
	for (size_t i = 0; i < p->nsent; i++) {
		const struct policy_facts *f = &p->items[p->sent[i]].row.facts;
		size_t k = *n > FACTS_COMPARED ? *n - FACTS_COMPARED : 0;

		while (k < *n && !same_facts(v[k], f))
			k++;
		if (k == *n)
			v[(*n)++] = f;
	}
	return v;
}

static bool
released_to(const struct parcel *p, const struct policy_facts *const *facts, size_t n,
    const struct peer *peer, int64_t now_us)
{
	for (size_t i = 0; i < n; i++) {
		struct decision d;

		policy_decide(p->trust, facts[i], peer, now_us, &d);
		if (policy_effective(&d) != POLICY_RELEASE)
			return false;
	}
	return true;
}

/* The audience that we sign as the source (policy.md 1.4): every peer that the whole parcel may go to. A
 * parcel with anything foreign in it has none: its source is not us. */
static const char *
audience_of(struct parcel *p)
{
	struct strbuf b = STRBUF_INIT;
	int64_t now_us = clock_wall_us();
	const struct policy_facts **facts;
	const char *text;
	size_t n, named = 1;

	for (size_t i = 0; i < p->nsent; i++)
		if (p->items[p->sent[i]].row.facts.origin != ORIGIN_OWN)
			return "";
	facts = different_facts(p, &n);
	strbuf_adds(&b, p->peer->name);
	for (size_t i = 0; i < trust_peers(p->trust) && named < AUDIENCE_MAX; i++) {
		const struct peer *peer = trust_peer(p->trust, i);

		if (peer->is_consumer || peer == p->peer ||
		    !released_to(p, facts, n, peer, now_us))
			continue;
		strbuf_addf(&b, ",%s", peer->name);
		named++;
	}
	text = arena_str(p->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* Trust may have been reloaded since policy spoke: then it is asked again, and nothing goes to a peer or
 * a pin that was taken out. */
static void
on_rate(void *arg, struct limiter_answer a)
{
	struct parcel *p = arg;
	struct link *l = p->link;

	if (p->trust != l->o->g->trust) {
		postpone(p, clock_wall_us(), "trust.conf was reloaded meanwhile");
		return;
	}
	if (!a.allowed) {
		l->info.next_us = clock_wall_us() + a.wait_us;
		postpone(p, l->info.next_us, "our own limit for this peer");
		return;
	}
	l->info.state = "sending";
	crash_here(CRASH_sending);
	l->o->send(l->o->ctx, &p->d, on_delivered, p);
}

/* Item i stays: denied, or held until it is looked at again. */
static void
keep_back(struct parcel *p, size_t i)
{
	const struct release *r = &p->releases[i];
	struct link *l = p->link;
	const char *why = r->about.n == 0 ? r->why :
	    arena_fmt(p->mem, "%s: %.*s", r->why, SLICE_ARG(r->about));

	stats_add(l->o->g->stats, STAT_WITHHELD, policy_reason_word(r->reason), 1);
	if (r->verdict == POLICY_HOLD) {
		update(p, &p->items[i], OUTBOX_HELD, why)->due_us = r->look_again_us;
		l->info.held++;
	} else {
		update(p, &p->items[i], OUTBOX_DENIED, why);
		l->info.denied++;
	}
}

/* Item i goes. */
static void
put_in(struct parcel *p, size_t i, struct strbuf *text, struct outbox_item *out)
{
	const struct store_row *row = &p->items[i].row;

	strbuf_adds(text, p->nsent > 0 ? "," : "");
	strbuf_addsl(text, row->bytes);
	if (row->facts.tlp > p->d.label)
		p->d.label = row->facts.tlp;
	if (row->facts.tlp_by_default && row->facts.tlp > p->d.unmarked)
		p->d.unmarked = row->facts.tlp;
	out[p->nsent] = p->items[i];
	p->sent[p->nsent++] = i;
}

/* Book what stays, send the rest. */
static void
dispatch(struct parcel *p)
{
	struct link *l = p->link;
	struct strbuf text = STRBUF_INIT;
	struct outbox_item *out = arena_alloc(p->mem, (p->n + 1) * sizeof(*out));

	for (size_t i = 0; i < p->n; i++) {
		audit_decision(p, &p->items[i], &p->releases[i]);
		if (p->releases[i].verdict == POLICY_RELEASE && p->asked[i].elsewhere)
			update(p, &p->items[i], OUTBOX_SENT, NULL);
		else if (p->releases[i].verdict == POLICY_RELEASE)
			put_in(p, i, &text, out);
		else
			keep_back(p, i);
	}
	crash_here(CRASH_decided);
	p->d.items = out;
	p->d.n = p->nsent;
	p->d.audience = audience_of(p);
	p->d.objects = arena_slice(p->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	if (p->nsent == 0)
		book(p);
	else
		limiter_take(l->o->g->limiter, slice_of(arena_fmt(p->mem, "out:%s", l->name)),
		    p->peer->limit_out, (uint32_t)p->nsent, on_rate, p);
}

static void
on_asked(void *arg, const enum dedup_answer *answers, size_t n)
{
	struct asked *q = arg;
	struct parcel *p = q->p;

	q->elsewhere = n == 1 && answers[0] == DEDUP_SEEN;
	if (--p->asking == 0)
		dispatch(p);
}

/* What the federation knows this delivery by: exactly this version with exactly this content. */
static void
sent_key(const struct outbox_item *it, uint8_t key[SHA256_LEN])
{
	struct sha256 *h = sha256_new();

	sha256_add(h, it->row.id);
	sha256_add(h, SLICE_LIT("|"));
	sha256_add(h, it->row.version_key);
	sha256_add(h, SLICE_LIT("|"));
	sha256_add(h, it->row.bytes);
	sha256_end(h, key);
}

/* Policy has spoken about every item. With a Redis that other nodes share, ask whether one of them has
 * given this peer the very same version already (rulings 2: it only saves sending twice). */
static void
on_released(void *arg)
{
	struct parcel *p = arg;
	struct gateway *g = p->link->o->g;

	stats_time(g->stats, "release", clock_mono_us() - p->started_us);
	p->asked = arena_alloc(p->mem, p->n * sizeof(*p->asked));
	p->asking = 1;			/* ours: answers may come at once */
	for (size_t i = 0; i < p->n && g->redis != NULL && p->peer->npins > 0; i++) {
		p->asked[i].p = p;
		if (p->releases[i].verdict != POLICY_RELEASE)
			continue;
		sent_key(&p->items[i], p->asked[i].key);
		p->asking++;
		dedup_sent(g->dedup, slice_from(p->peer->pins[0], sizeof(p->peer->pins[0])),
		    slice_from(p->asked[i].key, sizeof(p->asked[i].key)), false, on_asked,
		    &p->asked[i]);
	}
	if (--p->asking == 0)
		dispatch(p);
}

/* The rows of a lease die with the callback: copy what we keep. */
static void
copy_item(struct arena *mem, struct outbox_item *to, const struct outbox_item *from)
{
	struct store_row *r = &to->row;

	*to = *from;
	r->id = arena_slice(mem, r->id);
	r->type = arena_slice(mem, r->type);
	r->spec_version = arena_slice(mem, r->spec_version);
	r->version = arena_slice(mem, r->version);
	r->version_key = arena_slice(mem, r->version_key);
	r->bytes = arena_slice(mem, r->bytes);
	r->fp = arena_slice(mem, r->fp);
	r->facts.kind = r->type;
	r->facts.created_by = arena_slice(mem, r->facts.created_by);
	r->facts.audience = arena_slice(mem, r->facts.audience);
	r->facts.embargo_desk = arena_slice(mem, r->facts.embargo_desk);
	to->advisory = arena_str(mem, slice_of(from->advisory));
	to->request = arena_str(mem, slice_of(from->request == NULL ? "" : from->request));
	to->hops = arena_str(mem, slice_of(from->hops));
	to->source = arena_str(mem, slice_of(from->source));
}

static void
on_leased(void *arg, const struct outbox_item *items, size_t n, const struct err *e)
{
	struct link *l = arg;
	struct gateway *g = l->o->g;
	const struct peer *peer = trust_find(g->trust, slice_of(l->name));
	struct arena *mem;
	struct parcel *p;

	l->leasing = false;
	if (e != NULL)
		log_event(LOG_ERROR, "outbox.lease", LF_S("peer", l->name),
		    LF_S("error", e->reason));
	if (e != NULL || n == 0 || peer == NULL || !peer_is_sent_to(peer)) {
		l->info.state = "idle";
		return;
	}
	mem = arena_new();
	p = arena_alloc(mem, sizeof(*p));
	p->link = l;
	p->mem = mem;
	p->trust = trust_hold(g->trust);
	p->peer = peer;
	p->n = n;
	p->items = arena_alloc(mem, n * sizeof(*p->items));
	p->releases = arena_alloc(mem, n * sizeof(*p->releases));
	p->sent = arena_alloc(mem, n * sizeof(*p->sent));
	p->updates = arena_alloc(mem, n * sizeof(*p->updates));
	p->started_us = clock_mono_us();
	for (size_t i = 0; i < n; i++)
		copy_item(mem, &p->items[i], &items[i]);
	p->d = (struct delivery){
		.peer = peer, .advisory = p->items[0].advisory,
		.hops = hops_with_us(p, p->items[0].hops), .request = p->items[0].request,
	};
	l->parcel = p;
	l->info.state = "deciding";
	crash_here(CRASH_leased);
	release_decide(g, p->trust, peer, p->items, n, mem, p->releases, on_released, p);
}

/* ---- the loop ---- */

static void
lease(struct link *l, int64_t now_us)
{
	struct outbox *o = l->o;
	const struct limits_conf *lim = &o->g->config->limits;
	size_t most = l->most > 0 && l->most < lim->relay_objects ? l->most : lim->relay_objects;

	l->leasing = true;
	store_outbox_lease(o->g->store, l->name, o->owner, now_us, lim->lease_us, most,
	    lim->relay_bytes, on_leased, l);
}

static void
check_drained(struct outbox *o)
{
	for (struct link *l = o->links; l != NULL; l = l->next)
		if (l->parcel != NULL || l->leasing)
			return;
	if (o->drained != NULL) {
		void (*cb)(void *) = o->drained;

		o->drained = NULL;
		cb(o->drained_arg);
	}
}

/* Start what is due, and sleep until the next thing is. */
static void
look(struct outbox *o)
{
	const struct trust *t = o->g->trust;
	int64_t now = clock_wall_us(), next = now + IDLE_LOOK_US;

	if (o->draining) {
		check_drained(o);
		return;
	}
	for (size_t i = 0; i < trust_peers(t); i++) {
		const struct peer *peer = trust_peer(t, i);
		struct link *l;
		int64_t due;

		if (!peer_is_sent_to(peer) || !gateway_owns(o->g, peer->name))
			continue;
		l = link_of(o, peer->name);
		if (l->parcel != NULL || l->leasing)
			continue;
		due = store_outbox_due_us(o->g->store, peer->name);
		if (due < l->info.next_us)
			due = l->info.next_us;
		if (due <= now)
			lease(l, now);
		else if (due < next)
			next = due;
	}
	if (!evtimer_pending(o->timer, NULL))
		schedule(o, next - now);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look(arg);
}

struct outbox *
outbox_new(struct gateway *g, outbox_send_fn *send, void *ctx)
{
	struct outbox *o = xcalloc(1, sizeof(*o));

	o->g = g;
	o->send = send;
	o->ctx = ctx;
	o->recorded = recent_new(RECORDED_MAX, 1);
	uuid_v4(o->owner);
	o->timer = evtimer_new(g->base, on_timer, o);
	schedule(o, 0);
	return o;
}

void
outbox_free(struct outbox *o)
{
	struct link *l, *next;

	if (o == NULL)
		return;
	for (l = o->links; l != NULL; l = next) {
		next = l->next;
		if (l->parcel != NULL) {
			trust_free(l->parcel->trust);
			arena_free(l->parcel->mem);
		}
		free(l->name);
		free(l);
	}
	recent_free(o->recorded);
	event_free(o->timer);
	free(o);
}

void
outbox_reload(struct outbox *o)
{
	for (struct link *l = o->links; l != NULL; l = l->next)
		l->info.next_us = 0;		/* the admin may have mended the link */
	outbox_wake(o);
}

void
outbox_retry(struct outbox *o, const char *peer)
{
	link_of(o, peer)->info.next_us = 0;
	outbox_wake(o);
}

void
outbox_drain(struct outbox *o, void (*cb)(void *arg), void *arg)
{
	o->drained = cb;
	o->drained_arg = arg;
	o->draining = true;
	schedule(o, 0);
}

bool
outbox_link(const struct outbox *o, const char *peer, struct outbox_link *out)
{
	for (const struct link *l = o->links; l != NULL; l = l->next) {
		if (strcmp(l->name, peer) == 0) {
			*out = l->info;
			return true;
		}
	}
	return false;
}
