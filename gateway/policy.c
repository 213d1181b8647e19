/* The gates, the rules, the verdict. */
#include "gateway/policy_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/codec.h"

/* A condition is met, is not, or cannot be told by this build. */
enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

/* What a peer is to us, as the TLP gate sees it. */
enum column { COLUMN_OWN, COLUMN_CLIENT, COLUMN_GREEN, COLUMN_PARTNER, COLUMN_PUBLIC, COLUMNS };

/* May a label go there? The source chooses its recipients, so own and addressed objects go wide;
 * recipients may not pass AMBER on to other teams, so received ones do not. RED is for persons. */
static const bool tlp_gate[TLP_LEVELS][2][COLUMNS] = {
	/*				   own systems, client, shared green community, partner, public */
	[TLP_CLEAR]	   = { { true, true, true, true, true },
			       { true, true, true, true, true } },
	[TLP_GREEN]	   = { { true, true, true, true, false },
			       { true, true, true, false, false } },	/* received */
	[TLP_AMBER]	   = { { true, true, true, true, false },
			       { true, true, false, false, false } },
	[TLP_AMBER_STRICT] = { { true, true, true, true, false },
			       { true, false, false, false, false } },
	[TLP_RED]	   = { { false }, { false } },
};

/* What each use of a tool may be fed: the strictest PAP that allows it. */
static const struct {
	uint32_t	 use;
	enum pap	 most;
	const char	*word;
} pap_uses[] = {
	{ POLICY_USES_DETECT, PAP_RED, "detect" },
	{ POLICY_USES_LOOKUP, PAP_AMBER, "lookup" },
	{ POLICY_USES_BLOCK, PAP_GREEN, "block" },
};

/* ---- facts as bits ---- */

/* True if the comma separated list names the peer. */
static bool
is_named(struct slice list, const char *name)
{
	while (list.n > 0)
		if (slice_is(slice_trim(slice_cut(&list, ',')), name))
			return true;
	return false;
}

static bool
is_embargoed(const struct policy_facts *f, int64_t now_us)
{
	return (f->flags & OBJECT_EMBARGO) != 0 &&
	    (f->embargo_until_us == 0 || now_us < f->embargo_until_us);
}

static uint64_t
bit(unsigned i)
{
	return UINT64_C(1) << i;
}

void
policy_gather(struct asked *q, const struct trust *t, const struct policy_facts *f,
    const struct peer *p, int64_t now_us)
{
	static const struct peer_more nothing = { 0 };
	bool ours = p->index < t->npeers && p == &t->peers[p->index];
	int kind = word_index(f->kind, t->kinds);

	/* A peer that trust.conf does not know (the public) has shown nothing. */
	*q = (struct asked){ .t = t, .f = f, .p = p, .more = ours ? &t->more[p->index] : &nothing,
	    .now_us = now_us, .origin = f->origin };
	if (q->origin == ORIGIN_RECEIVED && is_named(f->audience, p->name))
		q->origin = ORIGIN_ADDRESSED;
	q->have[DIM_TLP] = bit(f->tlp);
	q->have[DIM_PAP] = bit(f->pap);
	q->have[DIM_KIND] = kind < 0 ? 0 : bit((unsigned)kind);
	q->have[DIM_SECTOR] = f->sectors;
	q->have[DIM_PHASE] = bit(f->phase);
	q->have[DIM_PERSONAL] = bit((f->flags & OBJECT_PERSONAL) != 0);
	q->have[DIM_EMBARGO] = bit(is_embargoed(f, now_us));
	q->have[DIM_EXERCISE] = bit((f->flags & OBJECT_EXERCISE) != 0);
	q->have[DIM_ORIGIN] = bit(q->origin);
	q->have[DIM_RELATION] = bit(p->relation);
	q->have[DIM_COMMUNITY] = ours ? p->communities : 0;
	q->have[DIM_PEER_SECTOR] = p->sectors;
	q->have[DIM_ASSURANCE] = bit(more_assurance(q->more, now_us));
	q->have[DIM_VETTING] = bit(more_vetting(q->more, now_us));
}

/* ---- conditions ---- */

static enum answer
yes_if(bool yes)
{
	return yes ? ANSWER_YES : ANSWER_NO;
}

static bool
holds_any(const struct asked *q, const struct condition *c)
{
	for (size_t i = 0; i < c->nasks; i++)
		if (more_holds(q->t, q->more, &c->asks[i], q->now_us))
			return true;
	return false;
}

static enum answer
ask(const struct asked *q, const struct condition *c)
{
	size_t i = q->p->index;

	switch (c->kind) {
	case CONDITION_MASK:
		return yes_if((q->have[c->dim] & c->mask) != 0);
	case CONDITION_PEERS:
		return yes_if(i < q->t->npeers && q->p == &q->t->peers[i] &&
		    (c->peers[i / 64] >> (i % 64) & 1) != 0);
	case CONDITION_COUNTRY:
		return yes_if(countries_have(&c->countries, slice_of(q->p->country)));
	case CONDITION_STORES:
		return yes_if(!countries_are_empty(&q->more->stores_in) &&
		    countries_within(&q->more->stores_in, &c->countries));
	case CONDITION_HOLDS:
		return yes_if(holds_any(q, c));
	case CONDITION_APPROVAL:
	case CONDITION_LATER:
		break;
	}
	return ANSWER_UNKNOWN;
}

/* ---- what stands against a release ---- */

/* Note a reason; a hold never outweighs a denial. */
static void __attribute__((format(printf, 7, 8)))
against(struct decision *d, enum policy_verdict verdict, enum policy_reason reason,
    const char *rule, const char *file, uint32_t line, const char *fmt, ...)
{
	struct decision_item *x;
	va_list ap;

	if (d->verdict != POLICY_DENY)
		d->verdict = verdict;
	if (d->nagainst == DECISION_ITEMS)
		return;
	x = &d->against[d->nagainst++];
	x->reason = reason;
	x->rule = rule;
	x->file = file;
	x->line = line;
	va_start(ap, fmt);
	vsnprintf(x->text, sizeof(x->text), fmt, ap);
	va_end(ap);
}

#define GATE(d, reason, ...)	against(d, POLICY_DENY, reason, NULL, NULL, 0, __VA_ARGS__)

static enum column
column_of(const struct asked *q)
{
	switch (q->p->relation) {
	case RELATION_OWN:
		return COLUMN_OWN;
	case RELATION_CLIENT:
		return COLUMN_CLIENT;
	case RELATION_PARTNER:
		return (q->have[DIM_COMMUNITY] & q->t->green) != 0 ? COLUMN_GREEN : COLUMN_PARTNER;
	default:
		return COLUMN_PUBLIC;
	}
}

static void
check_tlp(const struct asked *q, struct decision *d)
{
	static const char *const whom[COLUMNS] = {
		"our own systems", "a client", "a partner in a shared green community",
		"a partner with whom no green community is shared", "the public",
	};
	enum column to = column_of(q);

	if ((unsigned)q->f->tlp < TLP_LEVELS &&
	    tlp_gate[q->f->tlp][q->origin == ORIGIN_RECEIVED][to])
		return;
	if (q->f->tlp == TLP_RED)
		GATE(d, TLP_AUDIENCE, "tlp red is for named persons, it goes to no peer");
	else
		GATE(d, TLP_AUDIENCE, "tlp %s %s does not go to %s", tlp_word(q->f->tlp),
		    policy_origin_word(q->origin), whom[to]);
}

static void
check_pap(const struct asked *q, struct decision *d)
{
	for (size_t i = 0; i < sizeof(pap_uses) / sizeof(pap_uses[0]); i++)
		if ((q->p->uses & pap_uses[i].use) != 0 && q->f->pap > pap_uses[i].most)
			GATE(d, PAP_USE, "uses %s, which pap %s forbids", pap_uses[i].word,
			    policy_pap_word(q->f->pap));
}

static void
check_walls(const struct asked *q, struct decision *d)
{
	bool exercise = (q->f->flags & OBJECT_EXERCISE) != 0;
	struct slice desk = q->f->embargo_desk;
	bool at_desk = false;

	if (q->p->tlp1_vocabulary && q->f->tlp == TLP_AMBER_STRICT)
		GATE(d, LABEL_VOCAB, "its label field (tlp-vocab 1.0) cannot say amber+strict");
	if ((q->f->flags & OBJECT_CLASSIFIED) != 0)
		GATE(d, CLASSIFIED_INPUT, "a marking names a classification; nothing classified "
		    "passes here");
	if (exercise ? q->p->exercise == EXERCISE_NO : q->p->exercise == EXERCISE_ONLY)
		GATE(d, EXERCISE_WALL, exercise ? "exercise object, and the peer takes no part" :
		    "real object, and the peer gets exercise objects only");
	if (!is_embargoed(q->f, q->now_us))
		return;
	for (size_t i = 0; i < q->t->ncommunities; i++)
		at_desk = at_desk || (slice_is(desk, q->t->communities[i].at.name) &&
		    (q->have[DIM_COMMUNITY] >> i & 1) != 0);
	if (!at_desk)
		GATE(d, EMBARGO, desk.n == 0 ? "under an embargo that names no desk" :
		    "under embargo, and the peer is not of the desk that it names");
}

/* ---- requirements ---- */

/* The level of a scale that a set of one bit stands for. */
static unsigned
level_of(uint64_t have)
{
	unsigned i = 0;

	while (i < 63 && (have >> i & 1) == 0)
		i++;
	return i;
}

/* Say in words why a line of a requirement is not met. */
static void
say_unmet(const struct asked *q, const struct condition *c, char *out, size_t cap)
{
	char codes[48];

	if (c->kind == CONDITION_LATER)
		snprintf(out, cap, "\"%s\" is not evaluated yet, so it counts as not met", c->text);
	else if (c->kind == CONDITION_APPROVAL)
		snprintf(out, cap, "waits for approval by a second person");
	else if (c->kind == CONDITION_HOLDS)
		snprintf(out, cap, "does not hold %s", c->wanted);
	else if (c->kind == CONDITION_STORES && countries_are_empty(&q->more->stores_in))
		snprintf(out, cap, "stores nowhere known, \"%s\" needed", c->text);
	else if (c->kind == CONDITION_STORES) {
		countries_text(&q->more->stores_in, &c->countries, codes, sizeof(codes));
		snprintf(out, cap, "stores in %s (declared), \"%s\" needed", codes, c->text);
	} else if (c->kind == CONDITION_COUNTRY)
		snprintf(out, cap, "country is %s, %s needed",
		    q->p->country == NULL ? "not known" : q->p->country, c->wanted);
	else if (c->dim == DIM_ASSURANCE)
		snprintf(out, cap, "assurance is %s, %s needed",
		    words_assurance[level_of(q->have[c->dim])], c->wanted);
	else if (c->dim == DIM_VETTING && q->more->vetting != more_vetting(q->more, q->now_us))
		snprintf(out, cap, "vetting %s ran out, %s needed",
		    words_vetting[q->more->vetting], c->wanted);
	else if (c->dim == DIM_VETTING)
		snprintf(out, cap, "vetting is %s, %s needed",
		    words_vetting[level_of(q->have[c->dim])], c->wanted);
	else if (c->dim == DIM_COMMUNITY)
		snprintf(out, cap, "not a member of %s", c->wanted);
	else
		snprintf(out, cap, "\"%s\" needed", c->text);
}

/* True unless a condition says no: what cannot be told counts as `unknown`. */
static bool
all_met(const struct asked *q, const struct conditions *list, bool unknown)
{
	for (size_t i = 0; i < list->n; i++) {
		enum answer a = ask(q, &list->v[i]);

		if (a == ANSWER_NO || (a == ANSWER_UNKNOWN && !unknown))
			return false;
	}
	return true;
}

static void
check_requires(const struct asked *q, struct decision *d)
{
	const struct rules *rules = &q->t->rules[RULE_REQUIRE];
	char text[sizeof(d->against[0].text)];

	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->v[i];

		if (!all_met(q, &r->when, true))
			continue;
		for (size_t j = 0; j < r->must.n; j++) {
			const struct condition *c = &r->must.v[j];

			if (ask(q, c) == ANSWER_YES)
				continue;
			say_unmet(q, c, text, sizeof(text));
			against(d, c->kind == CONDITION_APPROVAL ? POLICY_HOLD : POLICY_DENY,
			    REQUIRE, r->title, c->file, c->line, "%s", text);
		}
	}
}

/* ---- releases and redactions ---- */

static void
add_item(struct decision_item *list, size_t cap, size_t *n, const struct rule *r)
{
	struct decision_item *x = &list[*n];

	if (*n == cap)
		return;
	x->reason = REASON_NONE;
	x->rule = r->title;
	x->file = r->at.file;
	x->line = r->at.line;
	x->text[0] = '\0';
	++*n;
}

/* Say which release came nearest: of those that reach the peer, the one that fails in fewest lines. */
static void
say_no_release(const struct asked *q, struct decision *d)
{
	const struct rules *rules = &q->t->rules[RULE_RELEASE];
	const struct condition *worst = NULL;
	const struct rule *near = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->v[i];
		const struct condition *failed = NULL;
		size_t fails = 0;

		for (size_t j = 0; j < r->when.n; j++) {
			if (ask(q, &r->when.v[j]) == ANSWER_YES)
				continue;
			failed = failed == NULL ? &r->when.v[j] : failed;
			fails += r->when.v[j].about_to ? DECISION_ITEMS * 100 : 1;
		}
		if (failed != NULL && fails < least) {
			least = fails;
			near = r;
			worst = failed;
		}
	}
	if (near == NULL || least >= DECISION_ITEMS * 100)
		GATE(d, NO_RELEASE, "no release reaches this peer");
	else
		against(d, POLICY_DENY, NO_RELEASE, NULL, worst->file, worst->line,
		    "%.40s asks \"%.50s\"", near->title, worst->text);
}

static void
find_releases(struct asked *q, struct decision *d)
{
	const struct rules *rules = &q->t->rules[RULE_RELEASE];
	uint64_t communities = q->have[DIM_COMMUNITY];
	bool any = false;

	/* A community's ceiling bounds what membership can earn, never what it is asked to do. */
	q->have[DIM_COMMUNITY] &= (unsigned)q->f->tlp < TLP_LEVELS ? q->t->ceilings[q->f->tlp] : 0;
	for (size_t i = 0; i < rules->n; i++) {
		if (!all_met(q, &rules->v[i].when, false))
			continue;
		any = true;
		add_item(d->releases, sizeof(d->releases) / sizeof(d->releases[0]), &d->nreleases,
		    &rules->v[i]);
	}
	if (!any)
		say_no_release(q, d);
	q->have[DIM_COMMUNITY] = communities;
}

/* Redactions that apply: not being sure is no reason to leave one out. */
static void
find_redacts(const struct asked *q, struct decision *d)
{
	const struct rules *rules = &q->t->rules[RULE_REDACT];

	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->v[i];
		bool silenced = false;

		for (size_t j = 0; j < r->unless.n; j++)
			silenced = silenced || ask(q, &r->unless.v[j]) == ANSWER_YES;
		if (!silenced && all_met(q, &r->when, true))
			add_item(d->redacts, sizeof(d->redacts) / sizeof(d->redacts[0]),
			    &d->nredacts, r);
	}
}

static void
begin(struct decision *d)
{
	d->verdict = POLICY_RELEASE;
	d->nagainst = d->nreleases = d->nredacts = 0;
}

void
policy_decide(const struct trust *t, const struct policy_facts *f, const struct peer *p,
    int64_t now_us, struct decision *d)
{
	struct asked q;

	begin(d);
	policy_gather(&q, t, f, p, now_us);
	check_tlp(&q, d);
	check_pap(&q, d);
	check_walls(&q, d);
	check_requires(&q, d);
	find_releases(&q, d);
	find_redacts(&q, d);
}

/* ---- the way in ---- */

/* True if `from` may publish objects of this creator. */
static bool
speaks_for(const struct peer *from, struct slice creator)
{
	if (creator.n == 0 || from->speaks_for_any || slice_eq(creator, from->identity))
		return true;
	for (size_t i = 0; i < from->nspeaks_for; i++)
		if (slice_eq(creator, from->speaks_for[i]))
			return true;
	return false;
}

/* The creator as it may stand in a log: an id, or that it is none. */
static struct slice
showable(struct slice creator)
{
	static const char head[] = "identity--";
	struct slice uuid = slice_starts(creator, head) ?
	    slice_from(creator.p + sizeof(head) - 1, creator.n - (sizeof(head) - 1)) : SLICE_EMPTY;

	return uuid_is_valid(uuid) ? creator : SLICE_LIT("a creator that is no identity id");
}

void
policy_admit(const struct trust *t, const struct policy_facts *f, const struct peer *from,
    struct decision *d)
{
	bool exercise = (f->flags & OBJECT_EXERCISE) != 0;

	(void)t;
	begin(d);
	if ((f->flags & OBJECT_CLASSIFIED) != 0)
		GATE(d, CLASSIFIED_INPUT, "a marking names a classification; nothing classified "
		    "passes here");
	if (from == NULL || from->relation == RELATION_OWN)
		return;		/* our own systems speak for the node */
	if (!speaks_for(from, f->created_by))
		GATE(d, IDENTITY_MISMATCH, "%.40s may not publish for %.*s", from->name,
		    SLICE_ARG(showable(f->created_by)));
	if (exercise ? from->exercise == EXERCISE_NO : from->exercise == EXERCISE_ONLY)
		GATE(d, EXERCISE_WALL, exercise ? "exercise object, and %.40s takes no part in one" :
		    "real object, and %.40s sends exercise objects only", from->name);
}

enum policy_verdict
policy_effective(const struct decision *d)
{
	return d->verdict == POLICY_RELEASE && d->nredacts > 0 ? POLICY_HOLD : d->verdict;
}
