/* stix1_pattern.c -- what an Indicator looks for, as one STIX pattern. */
#include "formats/pattern_build.h"
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"

enum { PATTERN_NESTING = 32, TESTS_MAX = 20000, TESTS_ALL_MAX = 400000 };

/* The strictest that holds anywhere in n: added up once, however many references lead there. */
static struct s1_label
label_within(struct s1 *s, struct xml_node *n)
{
	struct s1_note *note = s1_note(s, n);

	if (note->within == NULL) {
		note->within = arena_alloc(s->mem, sizeof(*note->within));
		*note->within = s1_label_within(s, n, false);
	}
	return *note->within;
}

/* cybox asks for an element by id: what it says goes into what we are making. */
static struct xml_node *
find(void *arg, struct slice idref)
{
	struct s1 *s = arg;
	struct xml_node *n = s1_by_id(s, idref);

	if (n != NULL && s->seeing != NULL)
		*s->seeing = s1_strictest(s, *s->seeing, label_within(s, n));
	return n;
}

static void
told(void *arg, enum cybox_word w, const struct xml_node *at, const char *what)
{
	s1_warn(arg, at, cybox_word_text(w), "%s", what);
}

/* Return the job of reading CybOX in this document. */
struct cybox_read
s1_cybox(struct s1 *s)
{
	return (struct cybox_read){ .mem = s->mem, .find = find, .told = told, .arg = s,
		.steps = &s->cybox_steps };
}

/* Number of tests in a pattern. */
static size_t
count_tests(const struct pat_node *p)
{
	size_t n = p->kind == PAT_TEST ? 1 + p->nvalues : 0;

	for (size_t i = 0; i < p->nkids; i++)
		n += count_tests(p->kids[i]);
	return n;
}

/* Parts of a pattern being collected. */
struct parts {
	struct pat_node	**v;
	size_t		 n, cap, tests;
	bool		 exact;
};

static void
add(struct s1 *s, struct parts *parts, struct pat_node *p, size_t tests)
{
	if (parts->tests + tests > TESTS_MAX || s->tests + tests > TESTS_ALL_MAX) {
		parts->exact = false;
		return;
	}
	parts->v = arena_grow(s->mem, parts->v, parts->n, &parts->cap, sizeof(struct pat_node *));
	parts->v[parts->n++] = p;
	parts->tests += tests;
	s->tests += tests;
}

/* The Observables of an Indicator: any of them. */
static struct pat_node *
read_observables(struct s1 *s, struct xml_node *n, struct parts *parts)
{
	struct cybox_read job = s1_cybox(s);

	for (struct xml_node *k = stix1_get(n, "Observable"); k != NULL; k = stix1_more(k)) {
		struct pat_node *p = NULL;
		enum cybox_extent extent = cybox_read_pattern(&job, k, &p);

		if (extent != CYBOX_EXACT)
			parts->exact = false;
		k->mark = XML_KEPT;
		if (p != NULL)
			add(s, parts, p, count_tests(p));
	}
	return pattern_either(s->mem, parts->v, parts->n);
}

/* The Indicators of a Composite_Indicator_Expression, in place or by reference. */
static struct pat_node *
read_composite(struct s1 *s, struct xml_node *n, struct parts *parts, struct s1_label *label,
    unsigned depth)
{
	bool all = slice_is_nocase(s1_attr(n, "operator"), "AND");

	n->mark = XML_KEPT;
	for (struct xml_node *k = stix1_get(n, "Indicator"); k != NULL; k = stix1_more(k)) {
		struct xml_node *to = k;
		struct s1_pattern *p;

		if (s1_is_reference(k)) {
			s1_attr(k, "idref");
			s1_keep_type(k);
			to = s1_by_id(s, xml_value(k, "idref"));
		}
		p = to == NULL || !stix1_is(to, "Indicator") ? NULL : s1_pattern(s, to, depth + 1);
		if (p == NULL || p->kind != S1_PAT_STIX) {
			s1_warn(s, k, "UNKNOWN_REFERENCE", "a part of this composite gives no pattern");
			parts->exact = false;
			continue;
		}
		*label = s1_strictest(s, *label, p->label);
		parts->exact &= p->exact;
		add(s, parts, p->node, p->tests);
	}
	return all ? pattern_node(s->mem, PAT_OBS_AND, parts->v, parts->n) :
	    pattern_either(s->mem, parts->v, parts->n);
}

static bool
is_true(struct slice word)
{
	return slice_is(word, "true") || slice_is(word, "1");
}

/* Work out the pattern of an Indicator. */
static void
work_out(struct s1 *s, struct xml_node *n, struct s1_pattern *out, unsigned depth)
{
	struct parts parts = { .exact = true };
	struct xml_node *composite = stix1_get(n, "Composite_Indicator_Expression");
	struct s1_label *before = s->seeing;
	struct pat_node *p;

	out->label = s1_label_within(s, n, true);
	s->seeing = &out->label;
	p = composite != NULL ? read_composite(s, composite, &parts, &out->label, depth) :
	    read_observables(s, n, &parts);
	s->seeing = before;
	if (p != NULL && is_true(s1_attr(n, "negate"))) {
		p = pattern_negate(s->mem, p);
		if (p == NULL)
			s1_warn(s, n, "CYBOX_NEGATE", "the opposite of this pattern cannot be said");
	}
	if (p == NULL)
		return;
	out->kind = S1_PAT_STIX;
	out->node = p;
	out->tests = parts.tests;
	out->exact = parts.exact;
	if (!parts.exact)
		s1_warn(s, n, "PATTERN_INEXACT",
		    "a part of what this Indicator looks for cannot be said in a pattern");
}

/* Return the pattern of an Indicator, worked out once; one that refers to itself has none. */
struct s1_pattern *
s1_pattern(struct s1 *s, struct xml_node *n, unsigned depth)
{
	struct s1_note *note = s1_note(s, n);

	if (note->pattern != NULL)
		return note->pattern->kind == S1_PAT_BUSY ? NULL : note->pattern;
	if (depth > PATTERN_NESTING)
		return NULL;
	note->pattern = arena_alloc(s->mem, sizeof(*note->pattern));
	note->pattern->kind = S1_PAT_BUSY;
	work_out(s, n, note->pattern, depth);
	if (note->pattern->kind == S1_PAT_BUSY)
		note->pattern->kind = S1_PAT_NONE;
	return note->pattern;
}
