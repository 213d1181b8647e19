/*
 * One parcel:
 *
 *	each object by itself		policy: release, deny, hold
 *	what names what			links inside the parcel, ids that lead out of it
 *	ids that lead out		asked of the store, one by one
 *	what names a withheld object	is withheld, and what names that, and so on
 *	supporting objects		go if something names them that goes
 */
#include "gateway/release.h"

#include <event2/event.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/gateway.h"
#include "formats/refs.h"
#include "formats/idmap.h"

/* Lookups in one turn of the loop, and for one parcel. */
enum { TURN_MAX = 256, FOREIGN_MAX = 100000 };

static const int64_t hold_us = INT64_C(24) * 3600 * 1000000, soon_us = 60 * 1000000;

/* Item `from` names item `to` as news. */
struct link {
	size_t	to, from;
};

struct deciding {
	struct gateway		 *g;
	const struct trust	 *t;
	const struct peer	 *peer;
	const struct outbox_item *items;
	size_t			  n;
	struct arena		 *mem;
	struct release		 *out;
	const json		 **trees;	/* parallel; NULL if the bytes do not parse */
	bool			 *supports;	/* would go if only something named it */
	bool			 *alive;	/* goes or would go, as far as we know now */
	bool			 *called;	/* by id's first item: something that goes names it */
	struct idmap		  ids;		/* id -> item */
	size_t			 *first;	/* the first item with the same id */
	size_t			 *left;		/* by first item: how many versions are alive */
	struct link		 *links;	/* by `to`, which is a first item */
	size_t			  nlinks, links_cap;
	struct idmap		  foreign;	/* id that is not here -> item that names it */
	size_t			  nasked;
	size_t			  asked;	/* place in `foreign` */
	bool			  asking, waiting;
	size_t			 *work;		/* first items that are to be looked at */
	size_t			  nwork;
	size_t			  at;		/* item whose references are walked */
	int64_t			  now_us;
	release_cb		 *cb;
	void			 *arg;
};

/* ---- one object ---- */

/* Every reason in one line: "NO_RELEASE; REQUIRE require x (trust.conf:169): text". */
static const char *
reasons_of(struct deciding *dd, const struct decision *d)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	for (size_t i = 0; i < d->nagainst; i++) {
		const struct decision_item *x = &d->against[i];

		strbuf_addf(&b, "%s%s", i > 0 ? "; " : "", policy_reason_word(x->reason));
		if (x->rule != NULL)
			strbuf_addf(&b, " %s (%s:%u)", x->rule, x->file, x->line);
		if (x->text[0] != '\0')
			strbuf_addf(&b, ": %s", x->text);
	}
	for (size_t i = 0; d->nagainst == 0 && i < d->nreleases; i++)
		strbuf_addf(&b, "%s%s (%s:%u)", i > 0 ? "; " : "", d->releases[i].rule,
		    d->releases[i].file, d->releases[i].line);
	text = arena_str(dd->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* True if nothing stands against it but that no rule releases it by itself. */
static bool
only_unreleased(const struct decision *d)
{
	return d->verdict == POLICY_DENY && d->nagainst == 1 &&
	    d->against[0].reason == NO_RELEASE && d->nredacts == 0;
}

static void
decide_one(struct deciding *dd, size_t i)
{
	const struct store_row *row = &dd->items[i].row;
	struct release *r = &dd->out[i];
	struct decision d;

	policy_decide(dd->t, &row->facts, dd->peer, dd->now_us, &d);
	*r = (struct release){
		.verdict = policy_effective(&d), .why = reasons_of(dd, &d), .about = SLICE_EMPTY,
		.reason = d.nagainst > 0 ? d.against[0].reason : REASON_NONE,
		.look_again_us = dd->now_us + hold_us,
	};
	if (r->verdict != d.verdict) {
		r->reason = REDACTION_NOT_BUILT;
		r->why = arena_fmt(dd->mem, "%s applies (%s:%u), and this build cannot redact yet",
		    d.redacts[0].rule, d.redacts[0].file, d.redacts[0].line);
	}
	dd->supports[i] = refs_is_supporting(row->type) && only_unreleased(&d);
}

/* Item i does not go. When no version of its id is left, what names it is looked at next. */
static void
withhold(struct deciding *dd, size_t i, enum policy_verdict verdict, const char *why,
    struct slice about)
{
	if (!dd->alive[i])
		return;
	dd->alive[i] = dd->supports[i] = false;
	dd->out[i] = (struct release){ .verdict = verdict, .reason = REQUIRE, .why = why,
	    .about = about, .look_again_us = dd->now_us + hold_us };
	if (--dd->left[dd->first[i]] == 0)
		dd->work[dd->nwork++] = dd->first[i];
}

/* ---- who names whom ---- */

/* Markings and creators count as attributes of the object, not as news about another one. */
static bool
is_news(const char *member)
{
	return strcmp(member, "object_marking_refs") != 0 && strcmp(member, "extensions") != 0 &&
	    strcmp(member, "marking_ref") != 0 && strcmp(member, "created_by_ref") != 0;
}

static bool
note_link(void *ctx, const char *member, struct slice id)
{
	struct deciding *dd = ctx;
	long to;

	if (!is_news(member) || slice_eq(id, dd->items[dd->at].row.id))
		return true;
	to = idmap_find(&dd->ids, id);
	if (to == IDMAP_NONE) {
		idmap_add(&dd->foreign, dd->mem, id, dd->at);
		return true;
	}
	dd->links = arena_grow(dd->mem, dd->links, dd->nlinks, &dd->links_cap,
	    sizeof(*dd->links));
	dd->links[dd->nlinks++] = (struct link){ (size_t)to, dd->at };
	return true;
}

static int
by_target(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return (x->to > y->to) - (x->to < y->to);
}

/* Ids, links and foreign ids; and which items are left. */
static void
find_links(struct deciding *dd)
{
	for (size_t i = 0; i < dd->n; i++)
		idmap_add(&dd->ids, dd->mem, dd->items[i].row.id, i);
	idmap_sort(&dd->ids);
	for (size_t i = 0; i < dd->n; i++) {
		dd->first[i] = (size_t)idmap_find(&dd->ids, dd->items[i].row.id);
		dd->alive[i] = dd->out[i].verdict == POLICY_RELEASE || dd->supports[i];
		dd->left[dd->first[i]] += dd->alive[i];
	}
	for (dd->at = 0; dd->at < dd->n; dd->at++)
		if (dd->alive[dd->at])
			refs_each(dd->trees[dd->at], note_link, dd);
	if (dd->nlinks > 1)
		qsort(dd->links, dd->nlinks, sizeof(*dd->links), by_target);
	idmap_sort(&dd->foreign);
}

/* ---- what names a withheld object is withheld ---- */

static size_t
links_to(const struct deciding *dd, size_t to)
{
	size_t lo = 0, hi = dd->nlinks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (dd->links[mid].to < to)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
spread(struct deciding *dd)
{
	while (dd->nwork > 0) {
		size_t gone = dd->work[--dd->nwork];

		for (size_t k = links_to(dd, gone); k < dd->nlinks && dd->links[k].to == gone; k++)
			withhold(dd, dd->links[k].from, dd->out[gone].verdict,
			    "names an object that is withheld from this peer",
			    dd->items[gone].row.id);
	}
}

/* ---- supporting objects ---- */

static bool
support(void *ctx, const char *member, struct slice id)
{
	struct deciding *dd = ctx;
	long k = idmap_find(&dd->ids, id);

	(void)member;
	if (k == IDMAP_NONE || dd->called[k])
		return true;
	dd->called[k] = true;
	dd->work[dd->nwork++] = (size_t)k;
	return true;
}

/* What something that goes names goes with it, if it is a supporting object and nothing else stands
 * against it; every version, since nobody says which. */
static void
let_supporters_go(struct deciding *dd)
{
	for (dd->at = 0; dd->at < dd->n; dd->at++)
		if (dd->out[dd->at].verdict == POLICY_RELEASE)
			refs_each(dd->trees[dd->at], support, dd);
	while (dd->nwork > 0) {
		struct slice id = dd->items[dd->work[--dd->nwork]].row.id;

		for (size_t k = idmap_place(&dd->ids, id);
		    k < dd->ids.n && slice_eq(dd->ids.v[k].id, id); k++) {
			size_t i = dd->ids.v[k].value;

			if (!dd->supports[i])
				continue;
			dd->supports[i] = false;
			dd->out[i].verdict = POLICY_RELEASE;
			dd->out[i].reason = REASON_NONE;
			dd->out[i].why = "goes with an object that names it";
			refs_each(dd->trees[i], support, dd);
		}
	}
}

static void
conclude(struct deciding *dd)
{
	for (size_t i = 0; i < dd->n; i++)
		if (dd->left[dd->first[i]] == 0 && dd->first[i] == i)
			dd->work[dd->nwork++] = i;
	spread(dd);
	let_supporters_go(dd);
	dd->cb(dd->arg);
}

/* ---- references that lead out of the parcel: ask the store ---- */

/* All items that name the foreign id at dd->asked, and on to the next id. */
static void
pass_foreign(struct deciding *dd, bool goes, enum policy_verdict verdict, int64_t again_us,
    const char *why)
{
	const struct idmap *f = &dd->foreign;
	struct slice id = f->v[dd->asked].id;

	for (; dd->asked < f->n && slice_eq(f->v[dd->asked].id, id); dd->asked++) {
		size_t i = f->v[dd->asked].value;
		bool was = dd->alive[i];

		if (goes)
			continue;
		withhold(dd, i, verdict, why, id);
		if (was)
			dd->out[i].look_again_us = dd->now_us + again_us;
	}
}

static void	ask_on(struct deciding *dd);

static enum policy_verdict
verdict_on(const struct trust *t, const struct peer *peer, const struct store_row *row, int64_t now_us)
{
	struct decision d;

	policy_decide(t, &row->facts, peer, now_us, &d);
	return refs_is_supporting(row->type) && only_unreleased(&d) ? POLICY_RELEASE :
	    policy_effective(&d);
}

bool
release_lets(const struct trust *t, const struct peer *peer, const struct store_row *row, int64_t now_us)
{
	return verdict_on(t, peer, row, now_us) == POLICY_RELEASE;
}

static void
on_object(void *arg, const struct store_object *o, const struct err *e)
{
	struct deciding *dd = arg;
	enum policy_verdict verdict = o == NULL ? POLICY_RELEASE :
	    verdict_on(dd->t, dd->peer, &o->row, dd->now_us);

	dd->waiting = false;
	if (e != NULL)
		pass_foreign(dd, false, POLICY_HOLD, soon_us,
		    "names an object that could not be looked up");
	else
		pass_foreign(dd, verdict == POLICY_RELEASE, verdict, hold_us,
		    "names an object that is withheld from this peer");
	if (!dd->asking)
		ask_on(dd);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ask_on(arg);
}

/* Give the loop a turn: a report of ten thousand objects must not stop everybody else. */
static bool
wait_turn(struct deciding *dd)
{
	/* no zero: libevent would run it before it looks at any socket */
	static const struct timeval soon = { 0, 1 };

	return dd->nasked > 0 && dd->nasked % TURN_MAX == 0 && dd->g->base != NULL &&
	    event_base_once(dd->g->base, -1, EV_TIMEOUT, on_turn, dd, &soon) == 0;
}

/* Ask until an answer takes longer; answers that come at once come in a loop, not in a recursion. */
static void
ask_on(struct deciding *dd)
{
	dd->asking = true;
	while (!dd->waiting && dd->asked < dd->foreign.n) {
		if (dd->nasked++ >= FOREIGN_MAX) {	/* what we cannot check does not go */
			pass_foreign(dd, false, POLICY_HOLD, hold_us,
			    "names more objects than are looked up");
			continue;
		}
		dd->waiting = true;
		store_object(dd->g->store, dd->foreign.v[dd->asked].id, on_object, dd);
		if (!dd->waiting && wait_turn(dd)) {
			dd->asking = false;
			return;
		}
	}
	dd->asking = false;
	if (!dd->waiting)
		conclude(dd);
}

/* ---- the whole ---- */

static void
read_trees(struct deciding *dd)
{
	for (size_t i = 0; i < dd->n; i++) {
		struct json_doc doc;

		if (json_parse(dd->items[i].row.bytes, NULL, dd->mem, &doc, NULL) == 0) {
			dd->trees[i] = doc.root;
			continue;
		}
		dd->supports[i] = false;
		if (dd->out[i].verdict != POLICY_RELEASE)
			continue;
		dd->out[i].verdict = POLICY_HOLD;
		dd->out[i].reason = REQUIRE;
		dd->out[i].why = "cannot be read, so what it names cannot be checked";
	}
}

void
release_decide(struct gateway *g, const struct trust *t, const struct peer *peer,
    const struct outbox_item *items, size_t n, struct arena *mem, struct release *out,
    release_cb *cb, void *arg)
{
	struct deciding *dd = arena_alloc(mem, sizeof(*dd));

	*dd = (struct deciding){ .g = g, .t = t, .peer = peer, .items = items, .n = n, .mem = mem,
	    .out = out, .now_us = clock_wall_us(), .cb = cb, .arg = arg };
	dd->trees = arena_alloc(mem, (n + 1) * sizeof(*dd->trees));
	dd->supports = arena_alloc(mem, n + 1);
	dd->alive = arena_alloc(mem, n + 1);
	dd->called = arena_alloc(mem, n + 1);
	dd->first = arena_alloc(mem, (n + 1) * sizeof(*dd->first));
	dd->left = arena_alloc(mem, (n + 1) * sizeof(*dd->left));
	dd->work = arena_alloc(mem, (2 * n + 1) * sizeof(*dd->work));
	for (size_t i = 0; i < n; i++)
		decide_one(dd, i);
	read_trees(dd);
	find_links(dd);
	ask_on(dd);
}
