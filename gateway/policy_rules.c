/* Sections release, require and redact: lines become conditions. Part of policy_load.h. */
#include "gateway/policy_load.h"

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* What may be asked after `object`, `to` or `peer`. */
struct predicate {
	const char		*word;
	enum condition_kind	 kind;
	enum dimension		 dim;
	const char *const	*words;		/* masks: its values; the bit is index + shift */
	unsigned		 shift;
	bool			 scale;		/* one value, and it means "at least" */
	/* For values that are no fixed words. */
	void	(*take)(struct load *ld, const struct line *l, struct condition *c);
};

static void	take_kinds(struct load *ld, const struct line *l, struct condition *c);
static void	take_communities(struct load *ld, const struct line *l, struct condition *c);
static void	take_peers(struct load *ld, const struct line *l, struct condition *c);
static void	take_codes(struct load *ld, const struct line *l, struct condition *c);
static void	take_holds(struct load *ld, const struct line *l, struct condition *c);
static void	take_profiles(struct load *ld, const struct line *l, struct condition *c);
static void	take_objectives(struct load *ld, const struct line *l, struct condition *c);

static const char *const words_no_yes[] = { "no", "yes", NULL };
static const char *const words_embargo[] = { "none", "active", NULL };

static const struct predicate about_object[] = {
	{ "tlp", CONDITION_MASK, DIM_TLP, words_tlp + 1, 1, false, NULL },
	{ "pap", CONDITION_MASK, DIM_PAP, words_pap + 1, 1, false, NULL },
	{ "kind", CONDITION_MASK, DIM_KIND, NULL, 0, false, take_kinds },
	{ "sector", CONDITION_MASK, DIM_SECTOR, words_sector, 0, false, NULL },
	{ "phase", CONDITION_MASK, DIM_PHASE, words_phase + 1, 1, false, NULL },
	{ "personal-data", CONDITION_MASK, DIM_PERSONAL, words_no_yes, 0, false, NULL },
	{ "embargo", CONDITION_MASK, DIM_EMBARGO, words_embargo, 0, false, NULL },
	{ "exercise", CONDITION_MASK, DIM_EXERCISE, words_no_yes, 0, false, NULL },
	{ "origin", CONDITION_MASK, DIM_ORIGIN, words_origin, 0, false, NULL },
	{ .word = NULL }
};

static const struct predicate about_to[] = {
	{ "relation", CONDITION_MASK, DIM_RELATION, words_relation, 0, false, NULL },
	{ "community", CONDITION_MASK, DIM_COMMUNITY, NULL, 0, false, take_communities },
	{ "peer", CONDITION_PEERS, 0, NULL, 0, false, take_peers },
	{ "sector", CONDITION_MASK, DIM_PEER_SECTOR, words_sector, 0, false, NULL },
	{ "country", CONDITION_COUNTRY, 0, NULL, 0, false, take_codes },
	{ .word = NULL }
};

static const struct predicate about_peer[] = {
	{ "assurance", CONDITION_MASK, DIM_ASSURANCE, words_assurance, 0, true, NULL },
	{ "vetting", CONDITION_MASK, DIM_VETTING, words_vetting, 0, true, NULL },
	{ "holds", CONDITION_HOLDS, 0, NULL, 0, false, take_holds },
	{ "stores-in", CONDITION_STORES, 0, NULL, 0, false, take_codes },
	{ "community", CONDITION_MASK, DIM_COMMUNITY, NULL, 0, false, take_communities },
	{ "sector", CONDITION_MASK, DIM_PEER_SECTOR, words_sector, 0, false, NULL },
	{ "country", CONDITION_COUNTRY, 0, NULL, 0, false, take_codes },
	{ "profile", CONDITION_LATER, 0, NULL, 0, false, take_profiles },
	{ "objective", CONDITION_LATER, 0, NULL, 0, false, take_objectives },
	{ .word = NULL }
};

/* ---- values ---- */

/* The bit of a STIX type; each type that rules name gets the next one. */
static void
take_kind(struct load *ld, const struct line *l, size_t i, uint64_t *mask)
{
	struct trust *t = ld->t;
	int bit = word_index(l->words[i], t->kinds);

	if (bit < 0 && (slice_starts(l->words[i], "x-") ? !load_plain(ld, l, i) :
	    load_word(ld, l, "kind", i, words_kind) < 0))
		return;
	if (bit < 0 && t->nkinds == KINDS_MAX) {
		complain(ld->c, l, "more than %d kinds in all rules", (int)KINDS_MAX);
		return;
	}
	if (bit < 0) {
		bit = (int)t->nkinds;
		t->kinds[t->nkinds++] = l->words[i].p;
	}
	*mask |= UINT64_C(1) << bit;
}

static void
take_kinds(struct load *ld, const struct line *l, struct condition *c)
{
	for (size_t i = 2; i < l->nwords; i++)
		take_kind(ld, l, i, &c->mask);
}

static void
take_communities(struct load *ld, const struct line *l, struct condition *c)
{
	for (size_t i = 2; i < l->nwords; i++) {
		int bit = load_name(ld, l, NAMES_COMMUNITY, i);

		if (bit >= 0)
			c->mask |= UINT64_C(1) << bit;
	}
}

static void
take_peers(struct load *ld, const struct line *l, struct condition *c)
{
	uint64_t *set = arena_alloc(ld->mem, (ld->t->npeers / 64 + 1) * sizeof(*set));

	for (size_t i = 2; i < l->nwords; i++) {
		int peer = load_name(ld, l, NAMES_PEER, i);

		if (peer >= 0)
			set[peer / 64] |= UINT64_C(1) << (peer % 64);
	}
	c->peers = set;
}

static void
take_codes(struct load *ld, const struct line *l, struct condition *c)
{
	load_countries(ld, l, 2, &c->countries);
}

/* holds SCHEME [LEVEL] [SCHEME [LEVEL]]...: any one of them. */
static void
take_holds(struct load *ld, const struct line *l, struct condition *c)
{
	struct holds_ask *asks = arena_alloc(ld->mem, l->nwords * sizeof(*asks));

	for (size_t i = 2; i < l->nwords;) {
		struct holds_ask *ask = &asks[c->nasks];

		if (load_scheme(ld, l, &i, &ask->scheme, &ask->level))
			c->nasks++;
	}
	c->asks = asks;
}

static void
take_profiles(struct load *ld, const struct line *l, struct condition *c)
{
	(void)c;
	for (size_t i = 2; i < l->nwords; i++)
		load_plain(ld, l, i);
}

static void
take_objectives(struct load *ld, const struct line *l, struct condition *c)
{
	(void)c;
	for (size_t i = 2; i < l->nwords; i++)
		load_name(ld, l, NAMES_OBJECTIVE, i);
}

/* ---- lines ---- */

static struct rule *
this_rule(struct load *ld)
{
	return &ld->t->rules[ld->section->names - NAMES_RELEASE].v[ld->index];
}

/* The words of a line from `first` on, as written. */
static const char *
joined(struct load *ld, const struct line *l, size_t first)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	for (size_t i = first; i < l->nwords; i++)
		strbuf_addf(&b, "%s%s", i > first ? " " : "", l->words[i].p);
	text = arena_str(ld->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static struct condition *
add(struct load *ld, const struct line *l, struct conditions *to)
{
	struct condition *c;

	to->v = arena_grow(ld->mem, to->v, to->n, &to->cap, sizeof(*to->v));
	c = &to->v[to->n++];
	*c = (struct condition){ .file = l->file, .line = l->number, .text = joined(ld, l, 1),
		.wanted = joined(ld, l, 2) };
	return c;
}

/* Compile one line: its second word names a predicate, the rest are values. */
static struct condition *
compile(struct load *ld, const struct line *l, const struct predicate *table,
    struct conditions *to)
{
	const char *words[16] = { NULL };
	const struct predicate *p = table;
	struct condition *c;

	for (size_t i = 0; table[i].word != NULL; i++)
		words[i] = table[i].word;
	while (p->word != NULL && !slice_is(l->words[1], p->word))
		p++;
	if (p->word == NULL) {
		complain_unknown(ld->c, l, "predicate", l->words[1], words);
		return NULL;
	}
	c = add(ld, l, to);
	c->kind = p->kind;
	c->dim = p->dim;
	if (p->take != NULL) {
		p->take(ld, l, c);
		return c;
	}
	c->mask = load_bits(ld, l, p->word, 2, p->words) << p->shift;
	if (p->scale && l->nwords != 3)
		complain(ld->c, l, "'%s' takes one level, which means at least that", p->word);
	if (p->scale && c->mask != 0)
		c->mask = ~(c->mask - 1);	/* this level and all above it */
	return c;
}

static void
rule_object(struct load *ld, const struct line *l)
{
	compile(ld, l, about_object, &this_rule(ld)->when);
}

static void
rule_to(struct load *ld, const struct line *l)
{
	struct condition *c = compile(ld, l, about_to, &this_rule(ld)->when);

	if (c != NULL)
		c->about_to = true;
}

static void
rule_peer(struct load *ld, const struct line *l)
{
	struct rule *r = this_rule(ld);

	compile(ld, l, about_peer, r->kind == RULE_REQUIRE ? &r->must : &r->when);
}

static void
rule_approval(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "second-person", NULL };
	struct condition *c;

	if (load_word(ld, l, "approval", 1, words) < 0)
		return;
	c = add(ld, l, &this_rule(ld)->must);
	c->kind = CONDITION_APPROVAL;
}

static void
rule_unless(struct load *ld, const struct line *l)
{
	compile(ld, l, about_object, &this_rule(ld)->unless);
}

/* victim|any FIELD ACTION: what redaction will do with it; checked here, done elsewhere. */
static void
rule_field(struct load *ld, const struct line *l)
{
	static const char *const fields[] = { "email", "ip", "domain", "url", "person", "phone",
		"organisation", "address", "account", NULL };
	static const char *const actions[] = { "keep", "drop", "mask", "domain-only", "prefix",
		"pseudonym", NULL };
	int action, field = load_word(ld, l, "field", 1, fields);
	int64_t v;

	action = load_word(ld, l, "action", 2, actions);
	if (action == 3 && field > 0)
		complain(ld->c, l, "'domain-only' is for email");
	if (action == 4 && field >= 0 && field != 1)
		complain(ld->c, l, "'prefix' is for ip");
	if (action != 4 && l->nwords > 3)
		complain(ld->c, l, "after the action stands nothing");
	if (action == 4 && (l->nwords != 5 || !word_int(l->words[3], 8, 32, &v) ||
	    !word_int(l->words[4], 16, 128, &v)))
		complain(ld->c, l, "'prefix' takes the bits kept of IPv4 (8-32) and of IPv6 (16-128)");
}

/* origin drop | origin pseudonym rotate SPAN */
static void
rule_origin(struct load *ld, const struct line *l)
{
	static const char *const actions[] = { "drop", "pseudonym", NULL };
	int action = load_word(ld, l, "action", 1, actions);
	struct span s;

	if (action == 0 && l->nwords > 2)
		complain(ld->c, l, "after 'drop' stands nothing");
	if (action != 1)
		return;
	if (l->nwords != 4 || !slice_is(l->words[2], "rotate"))
		complain(ld->c, l, "'pseudonym' takes 'rotate' and a span such as 90d");
	else
		load_span(ld, l, 3, &s);
}

void
open_rule(struct load *ld)
{
	struct rule *r = this_rule(ld);

	r->kind = (enum rule_kind)(ld->section->names - NAMES_RELEASE);
	r->at = load_where(ld);
	r->title = arena_fmt(ld->mem, "%s %s", ld->section->word, r->at.name);
}

/* True if the section had a line that `take` takes, right or wrong. */
static bool
saw(const struct load *ld, void (*take)(struct load *, const struct line *))
{
	for (size_t i = 0; ld->section->directives[i].word != NULL; i++)
		if (ld->section->directives[i].take == take && (ld->seen >> i & 1) != 0)
			return true;
	return false;
}

/* Refuse rules that say nothing: an empty release would open everything to everyone. */
void
close_rule(struct load *ld)
{
	const struct rule *r = this_rule(ld);

	if (r->kind == RULE_RELEASE && !saw(ld, rule_to))
		complain(ld->c, ld->opened, "%s lacks a line 'to': it would reach everybody", r->title);
	if (r->kind == RULE_REQUIRE && !saw(ld, rule_peer) && !saw(ld, rule_approval))
		complain(ld->c, ld->opened, "%s asks for nothing: it lacks a line 'peer' or 'approval'",
		    r->title);
	if (r->kind == RULE_REDACT && !saw(ld, rule_field) && !saw(ld, rule_origin))
		complain(ld->c, ld->opened, "%s changes nothing: it lacks a line 'victim', 'any' or "
		    "'origin'", r->title);
}

const struct directive directives_release[] = {
	{ "object", 2, WORDS_ANY, DIRECTIVE_MANY, rule_object },
	{ "to", 2, WORDS_ANY, DIRECTIVE_MANY, rule_to },
	{ "peer", 2, WORDS_ANY, DIRECTIVE_MANY, rule_peer },
	{ NULL, 0, 0, 0, NULL }
};

const struct directive directives_require[] = {
	{ "object", 2, WORDS_ANY, DIRECTIVE_MANY, rule_object },
	{ "to", 2, WORDS_ANY, DIRECTIVE_MANY, rule_to },
	{ "peer", 2, WORDS_ANY, DIRECTIVE_MANY, rule_peer },
	{ "approval", 1, 1, 0, rule_approval },
	{ NULL, 0, 0, 0, NULL }
};

const struct directive directives_redact[] = {
	{ "object", 2, WORDS_ANY, DIRECTIVE_MANY, rule_object },
	{ "to", 2, WORDS_ANY, DIRECTIVE_MANY, rule_to },
	{ "unless", 2, WORDS_ANY, DIRECTIVE_MANY, rule_unless },
	{ "victim", 2, 4, DIRECTIVE_MANY, rule_field },
	{ "any", 2, 4, DIRECTIVE_MANY, rule_field },
	{ "origin", 1, 3, 0, rule_origin },
	{ NULL, 0, 0, 0, NULL }
};
