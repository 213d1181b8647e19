#include "gateway/release.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/gateway.h"
#include "gateway/refs.h"

enum { HOLD_US_HOURS = 24, FOREIGN_MAX = 256 };

/* A reference to an object that is not in the parcel. */
struct foreign {
	size_t		 item;		/* who names it */
	struct slice	 id;
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
	size_t			 *by_id;	/* item numbers sorted by id */
	struct foreign		 *foreign;
	size_t			  nforeign, foreign_cap, asked;
	size_t			  at;		/* item whose references are walked */
	int64_t			  now_us;
	release_cb		 *cb;
	void			 *arg;
};

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

static void
decide_one(struct deciding *dd, size_t i)
{
	struct release *r = &dd->out[i];
	struct decision d;

	policy_decide(dd->t, &dd->items[i].row.facts, dd->peer, dd->now_us, &d);
	r->verdict = d.verdict;
	r->reason = d.nagainst > 0 ? d.against[0].reason : REASON_NONE;
	r->why = reasons_of(dd, &d);
	r->look_again_us = dd->now_us + (int64_t)HOLD_US_HOURS * 3600 * 1000000;
	if (d.verdict == POLICY_RELEASE && d.nredacts > 0) {
		r->verdict = POLICY_HOLD;
		r->reason = REDACTION_NOT_BUILT;
		r->why = arena_fmt(dd->mem, "%s applies (%s:%u), and this build cannot redact yet",
		    d.redacts[0].rule, d.redacts[0].file, d.redacts[0].line);
	}
}

/* ---- who names whom ---- */

static int
by_id(const void *a, const void *b, void *ctx)
{
	const struct deciding *dd = ctx;

	return slice_cmp(dd->items[*(const size_t *)a].row.id, dd->items[*(const size_t *)b].row.id);
}

/* The first of the sorted numbers whose id is `id`, or n. */
static size_t
lookup(const struct deciding *dd, struct slice id)
{
	size_t lo = 0, hi = dd->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_cmp(dd->items[dd->by_id[mid]].row.id, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < dd->n && slice_eq(dd->items[dd->by_id[lo]].row.id, id) ? lo : dd->n;
}

/* True for an object that is denied for want of a release rule only. */
static bool
only_unreleased(const struct release *r)
{
	return r->verdict == POLICY_DENY && r->reason == NO_RELEASE &&
	    strchr(r->why, ';') == NULL;
}

static bool
support(void *ctx, const char *member, struct slice id)
{
	struct deciding *dd = ctx;

	(void)member;
	for (size_t k = lookup(dd, id); k < dd->n; k++) {
		size_t i = dd->by_id[k];

		if (!slice_eq(dd->items[i].row.id, id))
			break;
		if (refs_is_supporting(dd->items[i].row.type) && only_unreleased(&dd->out[i])) {
			dd->out[i].verdict = POLICY_RELEASE;
			dd->out[i].reason = REASON_NONE;
			dd->out[i].why = arena_fmt(dd->mem, "goes with %.*s, which names it",
			    SLICE_ARG(dd->items[dd->at].row.id));
		}
	}
	return true;
}

/* Markings and creators count as attributes of the object, not as news about another one. */
static bool
is_news(const char *member)
{
	return strcmp(member, "object_marking_refs") != 0 && strcmp(member, "extensions") != 0 &&
	    strcmp(member, "marking_ref") != 0 && strcmp(member, "created_by_ref") != 0;
}

static void
withhold(struct deciding *dd, size_t i, enum policy_verdict verdict, struct slice id)
{
	dd->out[i].verdict = verdict;
	dd->out[i].reason = REQUIRE;
	dd->out[i].why = arena_fmt(dd->mem, "names %.*s, which is withheld from this peer",
	    SLICE_ARG(id));
}

static bool
check_named(void *ctx, const char *member, struct slice id)
{
	struct deciding *dd = ctx;
	size_t k;

	if (!is_news(member))
		return true;
	k = lookup(dd, id);
	if (k == dd->n) {
		if (dd->nforeign == FOREIGN_MAX) {	/* what we cannot check does not go */
			withhold(dd, dd->at, POLICY_HOLD, id);
			return false;
		}
		dd->foreign = arena_grow(dd->mem, dd->foreign, dd->nforeign, &dd->foreign_cap,
		    sizeof(*dd->foreign));
		dd->foreign[dd->nforeign++] = (struct foreign){ dd->at, id };
		return true;
	}
	if (dd->out[dd->by_id[k]].verdict != POLICY_RELEASE) {
		withhold(dd, dd->at, dd->out[dd->by_id[k]].verdict, id);
		return false;
	}
	return true;
}

/* ---- references that lead out of the parcel: ask the store ---- */

static void	ask_next(struct deciding *dd);

static void
on_object(void *arg, const struct store_object *o, const struct err *e)
{
	struct deciding *dd = arg;
	const struct foreign *f = &dd->foreign[dd->asked++];
	struct decision d;

	if (e == NULL && o != NULL && dd->out[f->item].verdict == POLICY_RELEASE) {
		policy_decide(dd->t, &o->row.facts, dd->peer, dd->now_us, &d);
		if (d.verdict != POLICY_RELEASE && !refs_is_supporting(o->row.type))
			withhold(dd, f->item, d.verdict, f->id);
	}
	ask_next(dd);
}

static void
ask_next(struct deciding *dd)
{
	while (dd->asked < dd->nforeign &&
	    dd->out[dd->foreign[dd->asked].item].verdict != POLICY_RELEASE)
		dd->asked++;
	if (dd->asked == dd->nforeign) {
		dd->cb(dd->arg);
		return;
	}
	store_object(dd->g->store, dd->foreign[dd->asked].id, on_object, dd);
}

void
release_decide(struct gateway *g, const struct trust *t, const struct peer *peer,
    const struct outbox_item *items, size_t n, struct arena *mem, struct release *out,
    release_cb *cb, void *arg)
{
	struct deciding *dd = arena_alloc(mem, sizeof(*dd));
	bool changed = true;

	*dd = (struct deciding){ .g = g, .t = t, .peer = peer, .items = items, .n = n, .mem = mem,
	    .out = out, .now_us = clock_wall_us(), .cb = cb, .arg = arg };
	dd->trees = arena_alloc(mem, n * sizeof(*dd->trees));
	dd->by_id = arena_alloc(mem, n * sizeof(*dd->by_id));
	for (size_t i = 0; i < n; i++) {
		struct json_doc doc;

		dd->by_id[i] = i;
		if (json_parse(items[i].row.bytes, NULL, mem, &doc, NULL) == 0)
			dd->trees[i] = doc.root;
		decide_one(dd, i);
	}
	qsort_r(dd->by_id, n, sizeof(*dd->by_id), by_id, dd);
	for (int round = 0; round < 2; round++)
		for (dd->at = 0; dd->at < n; dd->at++)
			if (out[dd->at].verdict == POLICY_RELEASE)
				refs_each(dd->trees[dd->at], support, dd);
	/* until nothing changes: a relationship to a withheld report is withheld too */
	for (size_t round = 0; changed && round < 16; round++) {
		changed = false;
		dd->nforeign = 0;
		for (dd->at = 0; dd->at < n; dd->at++)
			if (out[dd->at].verdict == POLICY_RELEASE &&
			    !refs_each(dd->trees[dd->at], check_named, dd))
				changed = true;
	}
	ask_next(dd);
}
