/* Sections scheme, attestation, recognise and objective. Part of policy_load.h. */
#include "gateway/policy_load.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

static struct scheme *
this_scheme(struct load *ld)
{
	return &ld->t->schemes[ld->index];
}

static struct paper *
this_paper(struct load *ld)
{
	return &ld->t->papers[ld->index];
}

static struct recognition *
this_recognition(struct load *ld)
{
	return &ld->t->recognitions[ld->index];
}

/* The first instant of the day that ends at `end_us`. */
static int64_t
day_start(int64_t end_us)
{
	return end_us - (INT64_C(86400) * 1000000 - 1);
}

/* For lines that are kept for people: the words alone are checked. */
static void
take_text(struct load *ld, const struct line *l)
{
	(void)ld;
	(void)l;
}

/* ---- scheme ---- */

void
open_scheme(struct load *ld)
{
	static const char *const none[] = { NULL };

	this_scheme(ld)->at = load_where(ld);
	this_scheme(ld)->levels = none;
	this_scheme(ld)->assessed = ASSESSED_THIRD;
}

static void
scheme_title(struct load *ld, const struct line *l)
{
	this_scheme(ld)->title = l->words[1].p;
}

static void
scheme_owner(struct load *ld, const struct line *l)
{
	this_scheme(ld)->owner = l->words[1].p;
}

static void
scheme_kind(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "eu", "national", "international", "private",
		"community", NULL };
	int kind = load_word(ld, l, "kind of scheme", 1, words);

	if (kind >= 0)
		this_scheme(ld)->kind = (enum scheme_kind)kind;
}

static void
scheme_status(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "draft", "in-force", "retired", NULL };
	int status = load_word(ld, l, "status", 1, words);

	if (status >= 0)
		this_scheme(ld)->status = (enum scheme_status)status;
}

static void
scheme_levels(struct load *ld, const struct line *l)
{
	for (size_t i = 1; i < l->nwords; i++) {
		load_plain(ld, l, i);
		for (size_t j = 1; j < i; j++)
			if (slice_eq(l->words[i], l->words[j]))
				complain(ld->c, l, "level '%.60s' stands here twice", l->words[i].p);
	}
	this_scheme(ld)->levels = load_list(ld, l, 1);
}

static void
scheme_max_valid(struct load *ld, const struct line *l)
{
	load_span(ld, l, 1, &this_scheme(ld)->max_valid);
}

static void
scheme_suspend_max(struct load *ld, const struct line *l)
{
	struct span s;

	load_span(ld, l, 1, &s);
}

static void
scheme_assessed(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "self", "third-party", "both", NULL };
	int by = load_word(ld, l, "assessment", 1, words);

	if (by >= 0)
		this_scheme(ld)->assessed = (unsigned)by + 1;	/* the bits ASSESSED_* */
}

void
close_scheme(struct load *ld)
{
	const struct scheme *s = this_scheme(ld);

	if (s->kind == SCHEME_EU && (s->assessed & ASSESSED_SELF) != 0 && s->levels[0] != NULL &&
	    word_index(SLICE_LIT("basic"), s->levels) < 0)
		complain(ld->c, ld->opened, "scheme '%s': an EU scheme knows self-assessment at level "
		    "basic only, and this one has no such level", s->at.name);
}

const struct directive directives_scheme[] = {
	{ "title", 1, 1, 0, scheme_title },
	{ "owner", 1, 1, 0, scheme_owner },
	{ "kind", 1, 1, DIRECTIVE_NEEDED, scheme_kind },
	{ "status", 1, 1, DIRECTIVE_NEEDED, scheme_status },
	{ "levels", 1, 16, 0, scheme_levels },
	{ "max-valid", 1, 1, 0, scheme_max_valid },
	{ "suspend-max", 1, 1, 0, scheme_suspend_max },
	{ "assessed", 1, 1, 0, scheme_assessed },
	{ "registry", 1, 1, 0, take_text },
	{ "based-on", 1, WORDS_ANY, 0, take_text },
	{ NULL, 0, 0, 0, NULL }
};

/* ---- attestation ---- */

static const char *const words_covers[] = { "exchange-node", "team", "office-it", "hosting",
	"organisation", NULL };

/* What a paper may be about; own words begin with "x-". */
static const char *const *
take_covers(struct load *ld, const struct line *l, size_t first)
{
	for (size_t i = first; i < l->nwords; i++)
		if (slice_starts(l->words[i], "x-"))
			load_plain(ld, l, i);
		else
			load_word(ld, l, "scope", i, words_covers);
	return load_list(ld, l, first);
}

/* "scheme NAME [LEVEL]" of an attestation or a recognition. */
static void
take_scheme(struct load *ld, const struct line *l, size_t *scheme, int *level)
{
	size_t word = 1;

	if (load_scheme(ld, l, &word, scheme, level) && word < l->nwords)
		complain_unknown(ld->c, l, "level", l->words[word], ld->t->schemes[*scheme].levels);
}

void
open_paper(struct load *ld)
{
	static const char *const none[] = { NULL };

	this_paper(ld)->at = load_where(ld);
	this_paper(ld)->level = -1;
	this_paper(ld)->covers = none;
}

static void
paper_peer(struct load *ld, const struct line *l)
{
	int peer = load_name(ld, l, NAMES_PEER, 1);

	if (peer >= 0)
		this_paper(ld)->peer = (size_t)peer;
}

static void
paper_scheme(struct load *ld, const struct line *l)
{
	struct paper *a = this_paper(ld);

	take_scheme(ld, l, &a->scheme, &a->level);
}

static void
paper_issuer(struct load *ld, const struct line *l)
{
	this_paper(ld)->issuer = l->words[1].p;
}

static void
paper_number(struct load *ld, const struct line *l)
{
	this_paper(ld)->number = l->words[1].p;
}

static void
paper_covers(struct load *ld, const struct line *l)
{
	this_paper(ld)->covers = take_covers(ld, l, 1);
	this_paper(ld)->covers_line = l->number;
}

static void
paper_locations(struct load *ld, const struct line *l)
{
	load_countries(ld, l, 1, &this_paper(ld)->locations);
}

static void
paper_valid(struct load *ld, const struct line *l)
{
	struct paper *a = this_paper(ld);
	int64_t from;

	if (!load_date(ld, l, 1, &from) || !load_date(ld, l, 2, &a->until_us))
		return;
	a->from_us = day_start(from);
	if (a->until_us < a->from_us)
		complain(ld->c, l, "the paper ends before it begins");
}

static void
paper_issued(struct load *ld, const struct line *l)
{
	int64_t end;

	if (load_date(ld, l, 1, &end))
		this_paper(ld)->issued_us = day_start(end);
}

/* verified HOW by WHO on DATE */
static void
paper_verified(struct load *ld, const struct line *l)
{
	struct paper *a = this_paper(ld);
	int how = load_word(ld, l, "verification", 1, words_verified);
	int64_t on;

	if (!slice_is(l->words[2], "by") || !slice_is(l->words[4], "on")) {
		complain(ld->c, l, "verified takes how, 'by' WHO and 'on' DATE");
		return;
	}
	load_date(ld, l, 5, &on);
	a->verified_by = l->words[3].p;
	if (how >= 0)
		a->verified = (enum verified)how;
}

static void
paper_assessed(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "third-party", "self", NULL };

	this_paper(ld)->self = load_word(ld, l, "assessment", 1, words) == 1;
}

static void
paper_state(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "in-force", "suspended", "withdrawn", NULL };
	int state = load_word(ld, l, "state", 1, words);

	if (state >= 0)
		this_paper(ld)->state = (enum paper_state)state;
}

static void
paper_profiles(struct load *ld, const struct line *l)
{
	for (size_t i = 1; i < l->nwords; i++)
		load_plain(ld, l, i);
}

static void
paper_hash(struct load *ld, const struct line *l)
{
	struct slice w = l->words[1];
	uint8_t hash[32];

	if (!slice_starts(w, "sha256:") || !hex_decode(slice_from(w.p + 7, w.n - 7), hash, 32))
		complain(ld->c, l, "'%.20s' is not a hash: sha256: and 64 hex digits", w.p);
}

/* Checks that need the scheme and the dates. */
void
close_paper(struct load *ld)
{
	struct paper *a = this_paper(ld);
	const struct scheme *s;
	bool timed, basic;

	if (ld->t->nschemes == 0)
		return;
	s = &ld->t->schemes[a->scheme];
	timed = (s->max_valid.months | s->max_valid.days) != 0 && a->until_us != 0;
	if (timed && a->until_us >= span_after(a->from_us, s->max_valid))
		complain(ld->c, ld->opened, "attestation '%s' is valid for longer than scheme '%s' "
		    "allows", a->at.name, s->at.name);
	basic = a->level >= 0 && strcmp(s->levels[a->level], "basic") == 0;
	if (a->self && s->kind == SCHEME_EU && !basic)
		complain(ld->c, ld->opened, "attestation '%s': in an EU scheme, self-assessment "
		    "reaches level basic only", a->at.name);
	else if (a->self && (s->assessed & ASSESSED_SELF) == 0)
		complain(ld->c, ld->opened, "attestation '%s': scheme '%s' knows no self-assessment",
		    a->at.name, s->at.name);
	if (a->issued_us == 0)
		a->issued_us = a->from_us;
}

const struct directive directives_paper[] = {
	{ "peer", 1, 1, DIRECTIVE_NEEDED, paper_peer },
	{ "scheme", 1, 2, DIRECTIVE_NEEDED, paper_scheme },
	{ "issuer", 1, 1, DIRECTIVE_NEEDED, paper_issuer },
	{ "number", 1, 1, 0, paper_number },
	{ "covers", 1, 16, DIRECTIVE_NEEDED, paper_covers },
	{ "locations", 1, WORDS_ANY, 0, paper_locations },
	{ "valid", 2, 2, DIRECTIVE_NEEDED, paper_valid },
	{ "issued", 1, 1, 0, paper_issued },
	{ "verified", 5, 5, DIRECTIVE_NEEDED, paper_verified },
	{ "assessed", 1, 1, 0, paper_assessed },
	{ "state", 1, 1, 0, paper_state },
	{ "profiles", 1, WORDS_ANY, 0, paper_profiles },
	{ "paper", 1, 1, 0, paper_hash },
	{ NULL, 0, 0, 0, NULL }
};

/* ---- recognise ---- */

void
open_recognition(struct load *ld)
{
	this_recognition(ld)->at = load_where(ld);
	this_recognition(ld)->level = -1;
}

static void
recognition_scheme(struct load *ld, const struct line *l)
{
	struct recognition *r = this_recognition(ld);

	take_scheme(ld, l, &r->scheme, &r->level);
}

static void
recognition_as(struct load *ld, const struct line *l)
{
	int level = load_word(ld, l, "assurance", 1, words_assurance + 1);

	if (level >= 0)
		this_recognition(ld)->as = (enum assurance)(level + 1);
}

/* if covers WORD... | verified HOW | issued-within SPAN | locations COUNTRY... */
static void
recognition_if(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "covers", "verified", "issued-within", "locations",
		NULL };
	struct recognition *r = this_recognition(ld);
	uint32_t *lines[] = { &r->covers_line, &r->verified_line, &r->issued_line,
		&r->locations_line };
	int what = load_word(ld, l, "condition", 1, words), how;

	if (what < 0)
		return;
	if (*lines[what] != 0)
		complain(ld->c, l, "a second 'if %s': put all words on one line", words[what]);
	*lines[what] = l->number;
	switch (what) {
	case 0:
		r->covers = take_covers(ld, l, 2);
		break;
	case 1:
		how = load_word(ld, l, "verification", 2, words_verified);
		r->verified = how < 0 ? VERIFIED_NONE : (enum verified)how;
		break;
	case 2:
		load_span(ld, l, 2, &r->issued_within);
		break;
	default:
		r->asks_locations = true;
		load_countries(ld, l, 2, &r->locations);
	}
	if ((what == 1 || what == 2) && l->nwords > 3)
		complain(ld->c, l, "'if %s' takes one word", words[what]);
}

static void
recognition_gap(struct load *ld, const struct line *l)
{
	load_word(ld, l, "control", 1, words_control);
}

static void
recognition_until(struct load *ld, const struct line *l)
{
	load_date(ld, l, 1, &this_recognition(ld)->until_us);
}

const struct directive directives_recognition[] = {
	{ "scheme", 1, 2, DIRECTIVE_NEEDED, recognition_scheme },
	{ "as", 1, 1, DIRECTIVE_NEEDED, recognition_as },
	{ "if", 2, WORDS_ANY, DIRECTIVE_MANY, recognition_if },
	{ "gap", 2, 2, DIRECTIVE_MANY, recognition_gap },
	{ "because", 1, 1, DIRECTIVE_NEEDED, take_text },
	{ "until", 1, 1, DIRECTIVE_NEEDED, recognition_until },
	{ NULL, 0, 0, 0, NULL }
};

/* ---- objective: checked here, measured by a later part ---- */

void
open_objective(struct load *ld)
{
	(void)ld;
}

static void
objective_control(struct load *ld, const struct line *l)
{
	load_word(ld, l, "control", 1, words_control);
}

/* subject self | peer * | peer NAME... */
static void
objective_subject(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "self", "peer", NULL };
	int who = load_word(ld, l, "subject", 1, words);

	if (who == 0 && l->nwords > 2)
		complain(ld->c, l, "after 'self' stands nothing");
	if (who == 1 && l->nwords < 3)
		complain(ld->c, l, "after 'peer' stand names, or *");
	if (who == 1 && l->nwords == 3 && slice_is(l->words[2], "*"))
		return;
	for (size_t i = 2; who == 1 && i < l->nwords; i++)
		load_name(ld, l, NAMES_PEER, i);
}

static void
objective_metric(struct load *ld, const struct line *l)
{
	load_word(ld, l, "metric", 1, words_metric);
}

/* want OP NUMBER, a plain decimal number */
static void
objective_want(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "lt", "le", "eq", "ne", "ge", "gt", NULL };
	struct slice rest = l->words[2], whole = slice_cut(&rest, '.');
	bool dot = whole.n < l->words[2].n;
	unsigned long long v;

	load_word(ld, l, "comparison", 1, words);
	if (!slice_u64(whole, &v) || (dot && !slice_u64(rest, &v)))
		complain(ld->c, l, "'%.60s' is not a number such as 1 or 1.3", l->words[2].p);
}

static void
objective_time(struct load *ld, const struct line *l)
{
	int64_t us;

	if (!word_span_us(l->words[1], &us))
		complain(ld->c, l, "'%.60s' is not a time such as 30s, 15m or 24h", l->words[1].p);
}

/* on-fail alert | suspend | hold | stop LABEL */
static void
objective_on_fail(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "alert", "suspend", "hold", "stop", NULL };
	int what = load_word(ld, l, "consequence", 1, words);

	if (what == 3 && l->nwords < 3)
		complain(ld->c, l, "'stop' takes the label from which on nothing leaves");
	else if (what == 3 && tlp_parse(l->words[2]) == TLP_UNSET)
		complain_unknown(ld->c, l, "label", l->words[2], words_tlp + 1);
	else if (what >= 0 && what < 3 && l->nwords > 2)
		complain(ld->c, l, "after '%s' stands nothing", words[what]);
}

const struct directive directives_objective[] = {
	{ "control", 1, 1, DIRECTIVE_NEEDED, objective_control },
	{ "subject", 1, WORDS_ANY, DIRECTIVE_NEEDED, objective_subject },
	{ "metric", 1, 1, DIRECTIVE_NEEDED, objective_metric },
	{ "want", 2, 2, DIRECTIVE_NEEDED, objective_want },
	{ "every", 1, 1, DIRECTIVE_NEEDED, objective_time },
	{ "fresh", 1, 1, DIRECTIVE_NEEDED, objective_time },
	{ "grace", 1, 1, 0, objective_time },
	{ "on-fail", 1, 2, DIRECTIVE_NEEDED, objective_on_fail },
	{ NULL, 0, 0, 0, NULL }
};
