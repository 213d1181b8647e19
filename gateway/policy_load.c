/* From lines to struct trust: sections, names, and what all directives share. Part of policy_load.h. */
#include "gateway/policy_load.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"

static const struct section sections[] = {
	{ "node", NAMES_NODE, 1, directives_node, open_node, NULL },
	{ "community", NAMES_COMMUNITY, COMMUNITIES_MAX, directives_community, open_community, NULL },
	{ "peer", NAMES_PEER, PEERS_MAX, directives_peer, open_peer, close_peer },
	{ "consumer", NAMES_PEER, PEERS_MAX, directives_consumer, open_consumer, close_peer },
	{ "scheme", NAMES_SCHEME, NAMES_MAX, directives_scheme, open_scheme, close_scheme },
	{ "attestation", NAMES_PAPER, NAMES_MAX, directives_paper, open_paper, close_paper },
	{ "recognise", NAMES_RECOGNITION, RECOGNITIONS_MAX, directives_recognition, open_recognition,
	    NULL },
	{ "objective", NAMES_OBJECTIVE, NAMES_MAX, directives_objective, open_objective, NULL },
	{ "redact", NAMES_REDACT, NAMES_MAX, directives_redact, open_rule, close_rule },
	{ "require", NAMES_REQUIRE, NAMES_MAX, directives_require, open_rule, close_rule },
	{ "release", NAMES_RELEASE, NAMES_MAX, directives_release, open_rule, close_rule },
};

enum { SECTIONS = sizeof(sections) / sizeof(sections[0]), DIRECTIVES_MAX = 63, NAME_BYTES = 64 };

/* What a dangling name of each kind is called in complaints. */
static const char *const kind_words[NAMES_KINDS] = {
	"node", "peer", "community", "scheme", "attestation", "recognise", "objective", "release",
	"require", "redact"
};

/* ---- words that many directives take ---- */

struct where
load_where(const struct load *ld)
{
	return (struct where){ ld->opened->words[1].p, ld->opened->file, ld->opened->number };
}

int
load_name(struct load *ld, const struct line *l, enum names_kind kind, size_t word)
{
	const struct names *names = &ld->names[kind];
	static const char *const none[] = { NULL };
	int i = names->n == 0 ? -1 : word_index(l->words[word], names->v);

	if (i < 0 && !ld->partial)
		complain_unknown(ld->c, l, kind_words[kind], l->words[word],
		    names->n == 0 ? none : names->v);
	return i;
}

int
load_word(struct load *ld, const struct line *l, const char *what, size_t word,
    const char *const *list)
{
	int i = word_index(l->words[word], list);

	if (i < 0)
		complain_unknown(ld->c, l, what, l->words[word], list);
	return i;
}

bool
load_bool(struct load *ld, const struct line *l, size_t word, bool *out)
{
	if (!word_bool(l->words[word], out)) {
		complain(ld->c, l, "'%s' takes yes or no, not '%.60s'", l->words[0].p,
		    l->words[word].p);
		return false;
	}
	return true;
}

uint64_t
load_bits(struct load *ld, const struct line *l, const char *what, size_t first,
    const char *const *list)
{
	uint64_t bits = 0;

	for (size_t i = first; i < l->nwords; i++) {
		int bit = load_word(ld, l, what, i, list);

		if (bit >= 0)
			bits |= UINT64_C(1) << bit;
	}
	return bits;
}

const char *const *
load_list(struct load *ld, const struct line *l, size_t first)
{
	const char **list = arena_alloc(ld->mem, (l->nwords - first + 1) * sizeof(*list));

	for (size_t i = first; i < l->nwords; i++)
		list[i - first] = l->words[i].p;
	return list;
}

/* A name is used in file names, keys and logs, so it is kept plain. */
static bool
is_name(struct slice w)
{
	if (w.n == 0 || w.n > NAME_BYTES)
		return false;
	for (size_t i = 0; i < w.n; i++) {
		char ch = w.p[i];
		bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
		    (ch >= '0' && ch <= '9') || ch == '_';

		if (!plain && (i == 0 || (ch != '-' && ch != '.')))
			return false;
	}
	return true;
}

bool
load_plain(struct load *ld, const struct line *l, size_t word)
{
	if (!is_name(l->words[word])) {
		complain(ld->c, l, "'%.60s' is no name: at most %d letters, digits, '-', '.' and '_'",
		    l->words[word].p, (int)NAME_BYTES);
		return false;
	}
	return true;
}

bool
load_date(struct load *ld, const struct line *l, size_t word, int64_t *end_us)
{
	if (!word_date(l->words[word], end_us)) {
		complain(ld->c, l, "'%.60s' is not a date such as 2027-03-31", l->words[word].p);
		return false;
	}
	return true;
}

/* Papers count in days, months and years: 42d, 13m, 3y. */
bool
load_span(struct load *ld, const struct line *l, size_t word, struct span *out)
{
	struct slice w = l->words[word];
	int64_t v;

	if (w.n >= 2 && word_int(slice_from(w.p, w.n - 1), 1, 36500, &v)) {
		*out = (struct span){ 0 };
		switch (w.p[w.n - 1]) {
		case 'd':
			out->days = (int)v;
			return true;
		case 'm':
			out->months = (int)v;
			return v <= 1200;
		case 'y':
			out->months = (int)v * 12;
			if (v <= 100)
				return true;
		}
	}
	*out = (struct span){ 0 };
	complain(ld->c, l, "'%.60s' is not a span such as 42d, 13m (months) or 3y, at most 100 years",
	    w.p);
	return false;
}

void
load_countries(struct load *ld, const struct line *l, size_t first, struct countries *out)
{
	for (size_t i = first; i < l->nwords; i++)
		if (!countries_add(out, l->words[i]))
			complain(ld->c, l, "unknown country '%.60s': two capital letters of ISO "
			    "3166, EU or EEA", l->words[i].p);
}

bool
load_identity(struct load *ld, const struct line *l, size_t word, struct slice *out)
{
	static const char head[] = "identity--";
	struct slice w = l->words[word];

	if (!slice_starts(w, head) || !uuid_is_valid(slice_from(w.p + sizeof(head) - 1,
	    w.n - (sizeof(head) - 1)))) {
		complain(ld->c, l, "'%.60s' is not an identity id such as "
		    "identity--7c1d4f0e-52a3-4b6b-9c0e-3a5d0f6f1a01", w.p);
		return false;
	}
	*out = w;
	return true;
}

const char *
load_path(struct load *ld, const struct line *l, size_t word)
{
	const char *slash = strrchr(l->file, '/'), *path = l->words[word].p;

	if (path[0] == '\0')
		complain(ld->c, l, "'%s' takes the name of a file", l->words[0].p);
	if (path[0] == '/' || slash == NULL)
		return path;
	return arena_fmt(ld->mem, "%.*s/%s", (int)(slash - l->file), l->file, path);
}

bool
load_scheme(struct load *ld, const struct line *l, size_t *word, size_t *scheme, int *level)
{
	int i = load_name(ld, l, NAMES_SCHEME, (*word)++);

	*level = -1;
	if (i < 0)
		return false;
	*scheme = (size_t)i;
	if (*word < l->nwords) {
		*level = word_index(l->words[*word], ld->t->schemes[i].levels);
		if (*level >= 0)
			(*word)++;
	}
	return true;
}

/* ---- sections and their lines ---- */

/* The section that a line opens, or NULL with a complaint. */
static const struct section *
section_of(struct load *ld, const struct line *l, bool quiet)
{
	const char *words[SECTIONS + 1] = { NULL };

	for (size_t i = 0; i < SECTIONS; i++) {
		words[i] = sections[i].word;
		if (slice_is(l->words[0], sections[i].word))
			return &sections[i];
	}
	if (!quiet)
		complain_unknown(ld->c, l, "section", l->words[0], words);
	return NULL;
}

/* First pass: note the name of a section. */
static void
take_name(struct load *ld, const struct line *l)
{
	const struct section *s = section_of(ld, l, false);
	struct names *names;
	int other;

	if (s == NULL)
		return;
	if (l->nwords != 2) {
		complain(ld->c, l, "'%s' takes one name", s->word);
		return;
	}
	load_plain(ld, l, 1);
	names = &ld->names[s->names];
	other = names->n == 0 ? -1 : word_index(l->words[1], names->v);
	if (other >= 0)
		complain(ld->c, l, "%s '%.64s' is already at %s:%u", s->word, l->words[1].p,
		    names->at[other]->file, names->at[other]->number);
	else if (names->n == s->limit && s->limit == 1)
		complain(ld->c, l, "a second section '%s': there is one at %s:%u", s->word,
		    names->at[0]->file, names->at[0]->number);
	else if (names->n == s->limit)
		complain(ld->c, l, "more than %zu sections '%s'", s->limit, s->word);
	if (names->n >= s->limit)
		return;
	names->v = arena_grow(ld->mem, names->v, names->n, &names->cap, sizeof(*names->v));
	names->at = arena_grow(ld->mem, names->at, names->n, &names->at_cap,
	    sizeof(const struct line *));
	names->v[names->n] = l->words[1].p;
	names->at[names->n++] = l;
	names->v = arena_grow(ld->mem, names->v, names->n, &names->cap, sizeof(*names->v));
	names->v[names->n] = NULL;
}

/* The number that the first pass gave to the section of this line, or the number of names. */
static size_t
number_of(const struct names *names, const struct line *l)
{
	size_t lo = 0, hi = names->n;

	while (lo < hi) {	/* lines lie in one array, in order */
		size_t mid = lo + (hi - lo) / 2;

		if (names->at[mid] < l)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < names->n && names->at[lo] == l ? lo : names->n;
}

/* The end of a section: what is missing? */
static void
close_section(struct load *ld)
{
	const struct section *s = ld->section;

	if (s == NULL)
		return;
	for (size_t i = 0; s->directives[i].word != NULL; i++)
		if ((s->directives[i].flags & DIRECTIVE_NEEDED) != 0 && (ld->seen >> i & 1) == 0)
			complain(ld->c, ld->opened, "%s '%.64s' lacks the line '%s'", s->word,
			    ld->opened->words[1].p, s->directives[i].word);
	if (s->close != NULL)
		s->close(ld);
	ld->section = NULL;
}

/* Second pass: a section begins. */
static void
open_section(struct load *ld, const struct line *l)
{
	const struct section *s = section_of(ld, l, true);

	close_section(ld);
	if (s == NULL || l->nwords != 2)
		return;
	ld->index = number_of(&ld->names[s->names], l);
	if (ld->index == ld->names[s->names].n)
		return;
	ld->section = s;
	ld->opened = l;
	ld->seen = 0;
	s->open(ld);
}

/* Second pass: a line of the open section. */
static void
take_line(struct load *ld, const struct line *l)
{
	const struct directive *d = ld->section->directives;
	const char *words[DIRECTIVES_MAX + 1] = { NULL };
	size_t i, given = l->nwords - 1;

	for (i = 0; d[i].word != NULL && !slice_is(l->words[0], d[i].word); i++)
		words[i] = d[i].word;
	if (d[i].word == NULL) {
		complain_unknown(ld->c, l, "directive", l->words[0], words);
		return;
	}
	if ((ld->seen >> i & 1) != 0 && (d[i].flags & DIRECTIVE_MANY) == 0)
		complain(ld->c, l, "a second '%s' in %s '%.64s'", d[i].word, ld->section->word,
		    ld->opened->words[1].p);
	ld->seen |= UINT64_C(1) << i;
	if (given < d[i].min || given > d[i].max)
		complain(ld->c, l, given < d[i].min ? "'%s' needs more words" :
		    "'%s' has too many words", d[i].word);
	else
		d[i].take(ld, l);
}

/* Schemes first: the lines of all others may name their levels. */
static void
take_sections(struct load *ld, bool schemes)
{
	bool open = false;

	for (size_t i = 0; i < ld->lines.n; i++) {
		const struct line *l = &ld->lines.v[i];

		if (!l->indented) {
			open = slice_is(l->words[0], "scheme") == schemes;
			if (open)
				open_section(ld, l);
		} else if (open && ld->section != NULL) {
			take_line(ld, l);
		}
	}
	close_section(ld);
}

/* ---- the whole ---- */

static void *
some(struct load *ld, enum names_kind kind, size_t size)
{
	return arena_alloc(ld->mem, (ld->names[kind].n + 1) * size);
}

/* Arrays of the sizes that the first pass found; shipped values of the node. */
static void
make_room(struct load *ld)
{
	struct trust *t = ld->t;

	t->unmarked_tlp = TLP_AMBER;
	t->iodef_unmarked_tlp = TLP_RED;
	t->unmarked_pap = PAP_AMBER;
	t->npeers = ld->names[NAMES_PEER].n;
	t->peers = some(ld, NAMES_PEER, sizeof(*t->peers));
	t->more = some(ld, NAMES_PEER, sizeof(*t->more));
	t->by_name = some(ld, NAMES_PEER, sizeof(const struct peer *));
	t->ncommunities = ld->names[NAMES_COMMUNITY].n;
	t->communities = some(ld, NAMES_COMMUNITY, sizeof(*t->communities));
	t->nschemes = ld->names[NAMES_SCHEME].n;
	t->schemes = some(ld, NAMES_SCHEME, sizeof(*t->schemes));
	t->npapers = ld->names[NAMES_PAPER].n;
	t->papers = some(ld, NAMES_PAPER, sizeof(*t->papers));
	t->nrecognitions = ld->names[NAMES_RECOGNITION].n;
	t->recognitions = some(ld, NAMES_RECOGNITION, sizeof(*t->recognitions));
	for (int k = 0; k < RULE_KINDS; k++) {
		enum names_kind names = (enum names_kind)(NAMES_RELEASE + k);

		t->rules[k].n = ld->names[names].n;
		t->rules[k].v = some(ld, names, sizeof(*t->rules[k].v));
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(const struct peer *const *)a)->name, (*(const struct peer *const *)b)->name);
}

/* What can be said only when all sections are read: order of names, communities, papers. */
static void
settle(struct load *ld)
{
	struct trust *t = ld->t;

	for (size_t i = 0; i < t->npeers; i++)
		t->by_name[i] = &t->peers[i];
	qsort(t->by_name, t->npeers, sizeof(const struct peer *), by_name);
	for (size_t i = 0; i < t->ncommunities; i++) {
		if (t->communities[i].green)
			t->green |= UINT64_C(1) << i;
		for (int label = 0; label < TLP_LEVELS; label++)
			if (label <= (int)t->communities[i].ceiling)
				t->ceilings[label] |= UINT64_C(1) << i;
	}
	papers_settle(t);
}

/* Words and line ends of what counts: comments, blanks and file names change nothing. */
static void
digest(struct load *ld)
{
	struct sha256 *h = sha256_new();

	for (size_t i = 0; i < ld->lines.n; i++) {
		const struct line *l = &ld->lines.v[i];

		sha256_add(h, l->indented ? SLICE_LIT("\t") : SLICE_LIT("\n"));
		for (size_t j = 0; j < l->nwords; j++)
			sha256_add(h, slice_from(l->words[j].p, l->words[j].n + 1));
		sha256_add(h, SLICE_LIT("\n"));
	}
	sha256_end(h, ld->t->digest);
}

/* Compile the lines; NULL if anything was complained about since `before`. */
static struct trust *
compile(struct load *ld, size_t before)
{
	ld->partial = ld->c->n + ld->c->dropped > before;
	for (size_t i = 0; i < ld->lines.n; i++)
		if (!ld->lines.v[i].indented)
			take_name(ld, &ld->lines.v[i]);
	make_room(ld);
	take_sections(ld, true);
	take_sections(ld, false);
	if (ld->c->n + ld->c->dropped > before) {
		arena_free(ld->mem);
		return NULL;
	}
	settle(ld);
	digest(ld);
	ld->t->holds = 1;
	return ld->t;
}

static void
start(struct load *ld, struct complaints *c)
{
	*ld = (struct load){ .mem = arena_new(), .c = c };
	ld->t = arena_alloc(ld->mem, sizeof(*ld->t));
	ld->t->mem = ld->mem;
	/* Complaints outlive a refused load. */
	if (c->mem == NULL)
		c->mem = arena_new();
}

struct trust *
trust_load(const char *path, struct complaints *c)
{
	size_t before = c->n + c->dropped;
	struct load ld;

	start(&ld, c);
	lines_read(path, ld.mem, &ld.lines, c);
	return compile(&ld, before);
}

struct trust *
trust_parse(struct slice text, const char *name, struct complaints *c)
{
	size_t before = c->n + c->dropped;
	struct load ld;

	start(&ld, c);
	lines_parse(text, name, ld.mem, &ld.lines, c);
	return compile(&ld, before);
}
