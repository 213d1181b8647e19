/* A decision in words: `tocsin explain`, as text and as JSON. Part of policy.h. */
#include "gateway/policy_parts.h"

#include <stdio.h>

#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

enum { PLACE_COLUMN = 72, DIGEST_SHOWN = 12, DATE_TEXT = 10, SECOND_TEXT = 19 };

/* Name of a gate in the text, the reasons that close it, and what it says when open. */
static const struct {
	enum policy_reason	 reason;
	const char		*open, *closed;
} gates[] = {
	{ TLP_AUDIENCE, "tlp ok", "TLP_AUDIENCE" },
	{ PAP_USE, "pap ok", "PAP_USE" },
	{ LABEL_VOCAB, "label can be carried", "LABEL_VOCAB" },
	{ CLASSIFIED_INPUT, "not classified", "CLASSIFIED_INPUT" },
	{ EXERCISE_WALL, "exercise wall kept", "EXERCISE_WALL" },
	{ EMBARGO, "no embargo", "EMBARGO" },
};

static const char *const verdict_heads[] = { "RELEASE", "DENY", "HOLD" };

static bool
has_reason(const struct decision *d, enum policy_reason r)
{
	for (size_t i = 0; i < d->nagainst; i++)
		if (d->against[i].reason == r)
			return true;
	return false;
}

/* Text of a sender, for a terminal: what ids and types are not made of becomes a question mark. */
static void
add_plain(struct strbuf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		strbuf_addc(out, s.p[i] > 0x20 && s.p[i] < 0x7f ? s.p[i] : '?');
}

/* "2026-11-21" */
static void
add_date(struct strbuf *out, int64_t us)
{
	char stamp[STAMP_TEXT + 1];

	stamp_text(us, stamp);
	strbuf_add(out, stamp, DATE_TEXT);
}

/* Pad the line that began at `start` and write the place in the margin. */
static void
add_place(struct strbuf *out, size_t start, const char *file, uint32_t line)
{
	size_t used = out->n - start;

	strbuf_addf(out, "%*s%s:%u\n", used < PLACE_COLUMN ? (int)(PLACE_COLUMN - used) : 2, "",
	    file, line);
}

/* Words of a bit set, blank between them; "none" for the empty one. */
static void
add_words(struct strbuf *out, uint64_t set, const char *const *words)
{
	const char *gap = "";

	if (set == 0)
		strbuf_adds(out, "none");
	for (int i = 0; words[i] != NULL; i++) {
		if ((set >> i & 1) == 0)
			continue;
		strbuf_addf(out, "%s%s", gap, words[i]);
		gap = " ";
	}
}

static const char *
label_source(const struct policy_facts *f)
{
	return f->tlp_by_default ? "by default" : "said by its marking";
}

static void
add_facts(struct strbuf *out, const struct asked *q)
{
	const struct policy_facts *f = q->f;
	static const struct { uint32_t flag; const char *word; } flags[] = {
		{ OBJECT_PERSONAL, "personal data" }, { OBJECT_EXERCISE, "exercise" },
		{ OBJECT_EMBARGO, "embargo" }, { OBJECT_REVOKED, "revoked" },
		{ OBJECT_CLASSIFIED, "classified" },
	};

	strbuf_addf(out, "facts    tlp %s (%s)   pap %s   origin %s   kind ", tlp_word(f->tlp),
	    label_source(f), policy_pap_word(f->pap), policy_origin_word(q->origin));
	add_plain(out, f->kind);
	strbuf_adds(out, "\n         sector ");
	add_words(out, f->sectors, words_sector);
	strbuf_addf(out, "   phase %s",
	    (unsigned)f->phase < PHASES ? words_phase[f->phase] : "unknown");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((f->flags & flags[i].flag) != 0)
			strbuf_addf(out, "   %s", flags[i].word);
	strbuf_addc(out, '\n');
}

/* How we know: measured by us, verified by a named person, or declared by the peer. */
static const char *
vetting_source(enum vetting v)
{
	return v >= VETTING_CHECKED ? "verified" : "declared";
}

static void
add_peer(struct strbuf *out, const struct asked *q)
{
	char codes[128];
	const char *gap = " ";

	strbuf_addf(out, "peer     %s   communities", relation_word(q->p->relation));
	for (size_t i = 0; i < q->t->ncommunities; i++)
		if ((q->have[DIM_COMMUNITY] >> i & 1) != 0)
			strbuf_addf(out, " %s", q->t->communities[i].at.name);
	if (q->have[DIM_COMMUNITY] == 0)
		strbuf_adds(out, " none");
	strbuf_addf(out, "   assurance %s\n         vetting %s",
	    words_assurance[more_assurance(q->more, q->now_us)],
	    words_vetting[more_vetting(q->more, q->now_us)]);
	if (q->more->vetting != VETTING_NONE) {
		strbuf_addf(out, " (%s: %s by %s until ", vetting_source(q->more->vetting),
		    words_vetting[q->more->vetting], q->more->vetting_by);
		add_date(out, q->more->vetting_until_us);
		strbuf_addc(out, ')');
	}
	countries_text(&q->more->stores_in, NULL, codes, sizeof(codes));
	strbuf_addf(out, "   stores in %s", codes[0] == '\0' ? "nowhere known" : codes);
	if (codes[0] != '\0')
		strbuf_adds(out, " (declared)");
	if (q->p->uses != 0) {
		strbuf_adds(out, "   uses");
		for (unsigned i = 0; i < 3; i++) {
			static const char *const uses[] = { "detect", "lookup", "block" };

			if ((q->p->uses >> i & 1) != 0) {
				strbuf_addf(out, "%s%s", gap, uses[i]);
				gap = " ";
			}
		}
	}
	strbuf_addc(out, '\n');
}

static void
add_gates(struct strbuf *out, const struct asked *q, const struct decision *d)
{
	strbuf_adds(out, "gates ");
	for (size_t i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
		bool closed = has_reason(d, gates[i].reason);

		if (!closed && gates[i].reason == PAP_USE && q->p->uses == 0)
			strbuf_adds(out, "   pap not asked");
		else
			strbuf_addf(out, "   %s", closed ? gates[i].closed : gates[i].open);
	}
	strbuf_addc(out, '\n');
}

/* Below "assurance is none": what each paper of the peer lacks. */
static void
add_papers(struct strbuf *out, const struct asked *q)
{
	char text[160];
	uint32_t r_line, a_line;

	for (size_t i = 0; i < q->more->npapers; i++) {
		const struct paper *a = q->more->papers[i];
		bool said = false;

		for (size_t j = 0; j < q->t->nrecognitions; j++) {
			const struct recognition *r = &q->t->recognitions[j];

			if (!paper_why_not(q->t, a, r, q->now_us, text, sizeof(text), &r_line, &a_line))
				continue;
			said = true;
			strbuf_addf(out, "             %s (verified, %s): %s   :%u :%u\n", a->at.name,
			    words_verified[a->verified], text, a_line, r_line);
		}
		if (!said && q->t->schemes[a->scheme].status != SCHEME_IN_FORCE)
			strbuf_addf(out, "             %s: scheme %s is %s and earns nothing   :%u\n",
			    a->at.name, q->t->schemes[a->scheme].at.name,
			    q->t->schemes[a->scheme].status == SCHEME_DRAFT ? "a draft" : "retired",
			    a->at.line);
	}
}

/* Where the section of a rule begins; NULL if there is none of that title. */
static const struct where *
where_of(const struct trust *t, const char *title)
{
	for (int k = 0; k < RULE_KINDS; k++)
		for (size_t i = 0; i < t->rules[k].n; i++)
			if (t->rules[k].v[i].title == title)
				return &t->rules[k].v[i].at;
	return NULL;
}

static void
add_against(struct strbuf *out, const struct asked *q, const struct decision *d)
{
	const char *rule = NULL, *head = "against  ";

	for (size_t i = 0; i < d->nagainst; i++) {
		const struct decision_item *x = &d->against[i];
		size_t start = out->n;

		if (x->rule == NULL) {
			strbuf_addf(out, "%s%s   %s", head, policy_reason_word(x->reason), x->text);
			if (x->file != NULL)
				add_place(out, start, x->file, x->line);
			else
				strbuf_addc(out, '\n');
			rule = NULL;
		} else {
			const struct where *at = where_of(q->t, x->rule);

			if (x->rule != rule && at != NULL) {
				strbuf_addf(out, "%s%s", head, x->rule);
				add_place(out, start, at->file, at->line);
				start = out->n;
			}
			rule = x->rule;
			strbuf_addf(out, "           %s", x->text);
			add_place(out, start, x->file, x->line);
			if (strncmp(x->text, "assurance", 9) == 0)
				add_papers(out, q);
		}
		head = "         ";
	}
}

static void
add_rules(struct strbuf *out, const char *head, const struct decision_item *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t start = out->n;

		strbuf_addf(out, "%s%s", i == 0 ? head : "         ", v[i].rule);
		add_place(out, start, v[i].file, v[i].line);
	}
}

void
policy_explain(struct strbuf *out, const struct trust *t, const struct policy_facts *f,
    struct slice object_id, const struct peer *p, int64_t now_us, const struct decision *d)
{
	enum policy_verdict v = policy_effective(d);
	char stamp[STAMP_TEXT + 1], hex[65];
	struct asked q;

	policy_gather(&q, t, f, p, now_us);
	stamp_text(now_us, stamp);
	hex_text(t->digest, sizeof(t->digest), hex);
	strbuf_addf(out, "%-8s ", verdict_heads[v]);
	add_plain(out, object_id);
	strbuf_addf(out, " -> %s   policy %.*s   %.*sZ\n", p->name, (int)DIGEST_SHOWN, hex,
	    (int)SECOND_TEXT, stamp);
	add_facts(out, &q);
	add_peer(out, &q);
	add_gates(out, &q, d);
	add_against(out, &q, d);
	add_rules(out, "for      ", d->releases, d->nreleases);
	add_rules(out, d->verdict == POLICY_RELEASE ? "with     " : "would    ", d->redacts,
	    d->nredacts);
	if (v != d->verdict)
		strbuf_adds(out, "held     REDACTION_NOT_BUILT   this build cannot redact yet, and "
		    "never releases bare what a rule says to redact\n");
}

/* ---- JSON ---- */

/* ,"name":"value" */
static void
member(struct strbuf *out, const char *name, struct slice value)
{
	strbuf_addf(out, ",\"%s\":", name);
	json_print_string(out, value);
}

static void
add_list(struct strbuf *out, const char *name, const struct decision_item *v, size_t n)
{
	strbuf_addf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		strbuf_addf(out, "%s{\"reason\":", i > 0 ? "," : "");
		json_print_string(out, slice_of(policy_reason_word(v[i].reason)));
		if (v[i].rule != NULL)
			member(out, "rule", slice_of(v[i].rule));
		if (v[i].file != NULL) {
			member(out, "file", slice_of(v[i].file));
			strbuf_addf(out, ",\"line\":%u", v[i].line);
		}
		if (v[i].text[0] != '\0')
			member(out, "text", slice_of(v[i].text));
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

void
policy_explain_json(struct strbuf *out, const struct trust *t, const struct policy_facts *f,
    struct slice object_id, const struct peer *p, int64_t now_us, const struct decision *d)
{
	char stamp[STAMP_TEXT + 1], hex[65];
	struct strbuf sectors = STRBUF_INIT;
	struct asked q;

	policy_gather(&q, t, f, p, now_us);
	stamp_text(now_us, stamp);
	hex_text(t->digest, sizeof(t->digest), hex);
	add_words(&sectors, f->sectors, words_sector);
	strbuf_adds(out, "{\"verdict\":");
	json_print_string(out, slice_of(policy_verdict_word(policy_effective(d))));
	member(out, "object", object_id);
	member(out, "peer", slice_of(p->name));
	member(out, "policy", slice_of(hex));
	member(out, "at", slice_of(stamp));
	strbuf_adds(out, ",\"facts\":{\"tlp\":");
	json_print_string(out, slice_of(tlp_word(f->tlp)));
	strbuf_addf(out, ",\"tlp_by_default\":%s", f->tlp_by_default ? "true" : "false");
	member(out, "pap", slice_of(policy_pap_word(f->pap)));
	member(out, "origin", slice_of(policy_origin_word(q.origin)));
	member(out, "kind", f->kind);
	member(out, "sector", strbuf_slice(&sectors));
	member(out, "phase", slice_of((unsigned)f->phase < PHASES ? words_phase[f->phase] : "unknown"));
	strbuf_addf(out, ",\"personal_data\":%s,\"exercise\":%s,\"embargo\":%s}",
	    (f->flags & OBJECT_PERSONAL) != 0 ? "true" : "false",
	    (f->flags & OBJECT_EXERCISE) != 0 ? "true" : "false",
	    (f->flags & OBJECT_EMBARGO) != 0 ? "true" : "false");
	strbuf_adds(out, ",\"peer_facts\":{\"relation\":");
	json_print_string(out, slice_of(relation_word(p->relation)));
	member(out, "assurance", slice_of(words_assurance[more_assurance(q.more, now_us)]));
	member(out, "vetting", slice_of(words_vetting[more_vetting(q.more, now_us)]));
	strbuf_addc(out, '}');
	add_list(out, "against", d->against, d->nagainst);
	add_list(out, "for", d->releases, d->nreleases);
	add_list(out, "redact", d->redacts, d->nredacts);
	strbuf_addc(out, '}');
	strbuf_fini(&sectors);
}
