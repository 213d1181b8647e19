/*
 * What a peer can show, and what it is worth here: attestations, recognitions, assurance.
 * Part of policy_parts.h.
 *
 * At load every (paper, recognition) pair that fits becomes a *credit* of the peer: a level and the
 * time in which it holds. A decision then only looks for the highest credit of this moment.
 */
#include "gateway/policy_parts.h"

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

#define DAY_US	(INT64_C(86400) * 1000000)

static int
days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* The instant `s` later: months keep the day of the month as far as the month has it. */
int64_t
span_after(int64_t from_us, struct span s)
{
	char text[STAMP_TEXT + 1];
	int64_t out = from_us;
	int y, m, d, last;

	stamp_text(from_us, text);
	y = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0';
	m = (text[5] - '0') * 10 + text[6] - '0' + s.months;
	d = (text[8] - '0') * 10 + text[9] - '0';
	y += (m - 1) / 12;
	m = (m - 1) % 12 + 1;
	if (y > 9999)
		return INT64_MAX;
	last = days_of_month(y, m);
	if (d > last)
		d = last;
	text[0] = (char)('0' + y / 1000);
	text[1] = (char)('0' + y / 100 % 10);
	text[2] = (char)('0' + y / 10 % 10);
	text[3] = (char)('0' + y % 10);
	text[5] = (char)('0' + m / 10);
	text[6] = (char)('0' + m % 10);
	text[8] = (char)('0' + d / 10);
	text[9] = (char)('0' + d % 10);
	stamp_parse(slice_of(text), &out);
	return out + s.days * DAY_US;
}

static bool
is_asked(struct span s)
{
	return s.months != 0 || s.days != 0;
}

/* True if the two lists share a word. */
static bool
share_word(const char *const *a, const char *const *b)
{
	for (; *a != NULL; a++)
		if (word_index(slice_of(*a), b) >= 0)
			return true;
	return false;
}

/* What a paper lacks by itself, whatever is asked of it; NULL if nothing. */
static const char *
paper_lacks(const struct trust *t, const struct paper *a)
{
	const struct scheme *s = &t->schemes[a->scheme];

	if (s->status == SCHEME_DRAFT)
		return "the scheme is a draft";
	if (s->status == SCHEME_RETIRED)
		return "the scheme is retired";
	if (a->state == PAPER_SUSPENDED)
		return "the paper is suspended";
	if (a->state == PAPER_WITHDRAWN)
		return "the paper is withdrawn";
	return NULL;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The last instant at which the paper is young enough for the recognition. */
static int64_t
young_until(const struct paper *a, const struct recognition *r)
{
	return is_asked(r->issued_within) ? span_after(a->issued_us, r->issued_within) : INT64_MAX;
}

bool
paper_why_not(const struct trust *t, const struct paper *a, const struct recognition *r,
    int64_t now_us, char *text, size_t cap, uint32_t *r_line, uint32_t *a_line)
{
	const char *lacks = paper_lacks(t, a);

	*r_line = r->at.line;
	*a_line = a->at.line;
	if (a->scheme != r->scheme)
		return false;
	if (lacks != NULL) {
		snprintf(text, cap, "%s", lacks);
	} else if (a->level < r->level) {
		snprintf(text, cap, "%s asks level %s, the paper is of a lower one", r->at.name,
		    t->schemes[r->scheme].levels[r->level]);
	} else if (r->covers != NULL && !share_word(r->covers, a->covers)) {
		*r_line = r->covers_line;
		*a_line = a->covers_line;
		snprintf(text, cap, "%s asks \"covers %s\", the paper covers %s", r->at.name,
		    r->covers[0], a->covers[0]);
	} else if (a->verified < r->verified) {
		*r_line = r->verified_line;
		snprintf(text, cap, "%s asks \"verified %s\", here it is %s", r->at.name,
		    words_verified[r->verified], words_verified[a->verified]);
	} else if (r->asks_locations && (countries_are_empty(&a->locations) ||
	    !countries_within(&a->locations, &r->locations))) {
		*r_line = r->locations_line;
		snprintf(text, cap, "%s asks other locations than the paper names", r->at.name);
	} else if (now_us < a->from_us) {
		snprintf(text, cap, "the paper is not valid yet");
	} else if (now_us > a->until_us) {
		snprintf(text, cap, "the paper ran out");
	} else if (now_us > young_until(a, r)) {
		*r_line = r->issued_line;
		snprintf(text, cap, "the paper is older than %s asks", r->at.name);
	} else if (now_us > r->until_us) {
		snprintf(text, cap, "%s ran out", r->at.name);
	} else {
		return false;
	}
	return true;
}

/* Count the paper towards the assurance of its peer for as long as the recognition accepts it. */
static void
add_credit(struct trust *t, struct peer_more *m, const struct paper *a, const struct recognition *r,
    size_t *cap)
{
	struct credit c = { .paper = a, .by = r, .level = r->as, .from_us = a->from_us };
	char text[160];
	uint32_t unused;

	if (a->scheme != r->scheme)
		return;
	c.until_us = least(least(a->until_us, r->until_us), young_until(a, r));
	if (c.until_us < c.from_us ||
	    paper_why_not(t, a, r, c.from_us, text, sizeof(text), &unused, &unused))
		return;
	m->credits = arena_grow(t->mem, m->credits, m->ncredits, cap, sizeof(*m->credits));
	m->credits[m->ncredits++] = c;
}

/* Hand every paper to its peer and work out what it earns there. */
void
papers_settle(struct trust *t)
{
	size_t *caps = arena_alloc(t->mem, (t->npeers + 1) * 2 * sizeof(*caps));

	for (size_t i = 0; i < t->npapers; i++) {
		const struct paper *a = &t->papers[i];
		struct peer_more *m = &t->more[a->peer];

		m->papers = arena_grow(t->mem, m->papers, m->npapers, &caps[2 * a->peer],
		    sizeof(const struct paper *));
		m->papers[m->npapers++] = a;
		for (size_t j = 0; j < t->nrecognitions; j++)
			add_credit(t, m, a, &t->recognitions[j], &caps[2 * a->peer + 1]);
	}
}

/* The highest level that the peer's papers are worth here now. */
enum assurance
more_assurance(const struct peer_more *more, int64_t now_us)
{
	enum assurance best = ASSURANCE_NONE;

	for (size_t i = 0; i < more->ncredits; i++) {
		const struct credit *c = &more->credits[i];

		if (c->level > best && c->from_us <= now_us && now_us <= c->until_us)
			best = c->level;
	}
	return best;
}

/* How far the peer's staff is vetted; a date that is past is none. */
enum vetting
more_vetting(const struct peer_more *more, int64_t now_us)
{
	return now_us <= more->vetting_until_us ? more->vetting : VETTING_NONE;
}

/* The earlier of `best` and the ends of a span that lie ahead; its last instant still belongs to it. */
static int64_t
next_end(int64_t best, int64_t from_us, int64_t until_us, int64_t now_us)
{
	if (from_us > now_us && from_us < best)
		best = from_us;
	if (until_us >= now_us && until_us < INT64_MAX && until_us + 1 < best)
		best = until_us + 1;
	return best;
}

int64_t
policy_next_change_us(const struct trust *t, const struct peer *p, int64_t now_us)
{
	const struct peer_more *more;
	int64_t best = INT64_MAX;

	if (p->index >= t->npeers || p != &t->peers[p->index])
		return best;
	more = &t->more[p->index];
	best = next_end(best, now_us, more->vetting_until_us, now_us);
	for (size_t i = 0; i < more->ncredits; i++)
		best = next_end(best, more->credits[i].from_us, more->credits[i].until_us, now_us);
	for (size_t i = 0; i < more->npapers; i++)
		best = next_end(best, more->papers[i]->from_us, more->papers[i]->until_us, now_us);
	return best;
}

/* True if the peer has a paper of that scheme and at least that level, in force now. */
bool
more_holds(const struct trust *t, const struct peer_more *more, const struct holds_ask *ask,
    int64_t now_us)
{
	for (size_t i = 0; i < more->npapers; i++) {
		const struct paper *a = more->papers[i];

		if (a->scheme == ask->scheme && a->level >= ask->level &&
		    a->from_us <= now_us && now_us <= a->until_us && paper_lacks(t, a) == NULL)
			return true;
	}
	return false;
}
