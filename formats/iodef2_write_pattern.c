/*
 * iodef2_write_pattern.c -- a STIX pattern as Observable or IndicatorExpression (mapping.md 2.3).
 *
 *	[a = 1 OR a = 2]		Observable/BulkObservable, one value a line
 *	[a = 1 AND b = 2], one object	Observable, when one class of IODEF can hold all of it
 *	other AND, OR, NOT, !=		IndicatorExpression and, or, not
 *	[..] AND [..], [..] OR [..]	the same, with AdditionalData name="observation"
 *	anything else			not said here: the whole pattern goes as a DetectionPattern
 *
 * Nothing is attached to the document before the whole pattern has been said.
 */
#include "formats/iodef2_write.h"
#include "formats/iodef2_words.h"
#include "formats/iodef2_write_pattern.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static struct xml_node *comparison(struct iw_pattern *pw, const struct pat_node *p);

static struct xml_node *
new_node(struct iw_pattern *pw, const char *name)
{
	return xml_new(pw->w->mem, IODEF2_NS, "", name);
}

static struct xml_node *
new_expression(struct iw_pattern *pw, const char *operator)
{
	struct xml_node *n = new_node(pw, "IndicatorExpression");

	iw_set(pw->w, n, "operator", operator);
	return n;
}

/* "value" of "ipv4-addr:value". */
static const char *
path_text(struct iw_pattern *pw, const struct pat_node *test)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	pattern_path(&b, test);
	text = arena_str(pw->w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	if (strncmp(text, test->object.p, test->object.n) == 0 && text[test->object.n] == ':')
		text += test->object.n + 1;
	return text;
}

/* A test that says "is" or "is one of": no order, no wildcard, no existence. */
static bool
is_equality(const struct pat_node *t)
{
	switch (t->op) {
	case PAT_EQ:
	case PAT_NE:
	case PAT_IN:
		return t->nvalues > 0;
	case PAT_ISSUBSET:
		return (pattern_path_is(t, "ipv4-addr:value") ||
		    pattern_path_is(t, "ipv6-addr:value")) &&
		    memchr(t->values[0].text.p, '/', t->values[0].text.n) != NULL;
	default:
		return false;
	}
}

static bool
is_positive(const struct pat_node *t)
{
	return t->negated == (t->op == PAT_NE);
}

/* The row of the bulk table for one value of a test; NULL if there is none. */
static const struct iodef2_bulk *
bulk_row(const struct pat_node *t, struct slice value)
{
	bool net = memchr(value.p, '/', value.n) != NULL;
	const struct iodef2_bulk *row;

	for (row = iodef2_bulks; row->type != NULL; row++) {
		if (!pattern_path_is(t, row->path))
			continue;
		if (strncmp(row->type, "ipv", 3) == 0 && (strchr(row->type, 'n') != NULL) != net)
			continue;
		return row;
	}
	return NULL;
}

static struct slice
hash_of_path(const char *path)
{
	struct slice s = slice_of(path);

	if (!slice_starts(s, "hashes."))
		return SLICE_EMPTY;
	s = slice_from(s.p + 7, s.n - 7);
	if (s.n >= 2 && s.p[0] == '\'' && s.p[s.n - 1] == '\'')
		s = slice_from(s.p + 1, s.n - 2);
	return s;
}

struct slice
iw_pattern_hash(const struct iw_field *f)
{
	return hash_of_path(f->path);
}

/* Can the values of `t` stand in one list with those of `first`? */
static bool
bulk_fits(struct iw_pattern *pw, const struct pat_node *t, const struct pat_node *first)
{
	struct slice algorithm = SLICE_EMPTY, v;
	const struct iodef2_bulk *row = NULL;
	size_t i;

	if (t->kind != PAT_TEST || !is_equality(t) || !is_positive(t) ||
	    !slice_eq(t->object, first->object) ||
	    strcmp(path_text(pw, t), path_text(pw, first)) != 0)
		return false;
	if (slice_is(t->object, "file"))
		algorithm = hash_of_path(path_text(pw, t));
	if (algorithm.n == 0 && (row = bulk_row(t, first->values[0].text)) == NULL)
		return false;
	for (i = 0; i < t->nvalues; i++) {
		v = t->values[i].text;
		if (t->values[i].kind != (slice_is(t->object, "autonomous-system") ? PAT_INT :
		    PAT_STRING))
			return false;
		if (!iw_exact(v, IW_LINE))
			return false;
		if (algorithm.n > 0 ? iodef2_digest_by_stix(algorithm) == NULL ||
		    !iw_hash_can(algorithm, v) : bulk_row(t, v) != row)
			return false;
	}
	return true;
}

/* One BulkObservable over the values of `n` tests that fit together. */
static struct xml_node *
bulk(struct iw_pattern *pw, struct pat_node *const *tests, size_t n)
{
	struct xml_node *obs = new_node(pw, "Observable"), *b, *format;
	struct slice algorithm = hash_of_path(path_text(pw, tests[0]));
	struct slice first = tests[0]->values[0].text;
	const struct iodef2_bulk *row = bulk_row(tests[0], first), *r;
	struct strbuf list = STRBUF_INIT;
	size_t i, k;

	b = iw_el(pw->w, obs, "BulkObservable");
	iw_set(pw->w, b, "type", row != NULL ? row->type : "file-hash");
	if (row == NULL) {
		format = iw_el(pw->w, b, "BulkObservableFormat");
		iw_hash_element(pw->w, format, algorithm, first);
	}
	for (i = 0; i < n; i++)
		for (k = 0; k < tests[i]->nvalues; k++) {
			if (list.n > 0)
				strbuf_addc(&list, '\n');
			strbuf_addsl(&list, tests[i]->values[k].text);
		}
	iw_leaf(pw->w, b, "BulkObservableList", strbuf_slice(&list));
	strbuf_fini(&list);
	for (r = iodef2_bulks; row != NULL && r < row; r++)
		if (strcmp(r->type, row->type) == 0)
			iw_extra(pw->w, b, "string", "stix-path", slice_of(row->path));
	return obs;
}

/* One Observable for tests that speak of one object; NULL if no class holds all of them. */
static struct xml_node *
single(struct iw_pattern *pw, const struct pat_node *const *tests, size_t n)
{
	struct xml_node *obs = new_node(pw, "Observable");
	struct iw_field *f = arena_alloc(pw->w->mem, n * sizeof(*f));
	size_t i, k;

	for (i = 0; i < n; i++) {
		f[i].path = path_text(pw, tests[i]);
		f[i].value = tests[i]->values[0].text;
		f[i].kind = tests[i]->values[0].kind;
		if (f[i].kind != PAT_STRING && f[i].kind != PAT_INT)
			return NULL;
		if (!iw_exact(f[i].value, IW_LINE))
			return NULL;
		for (k = 0; k < i; k++)
			if (strcmp(f[k].path, f[i].path) == 0 && !iw_pattern_repeats(f[i].path))
				return NULL;
	}
	return iw_pattern_object(pw, obs, tests[0]->object, f, n) ? obs : NULL;
}

/* not(x). */
static struct xml_node *
negation(struct iw_pattern *pw, struct xml_node *inner)
{
	struct xml_node *n;

	if (inner == NULL)
		return NULL;
	n = new_expression(pw, "not");
	xml_append(n, inner);
	return n;
}

static struct xml_node *
one_value(struct iw_pattern *pw, const struct pat_node *t, size_t i)
{
	struct pat_node *copy = arena_alloc(pw->w->mem, sizeof(*copy));
	const struct pat_node *v = copy;

	*copy = *t;
	copy->values = &t->values[i];
	copy->nvalues = 1;
	return single(pw, &v, 1);
}

/* IN with values that no list can hold: or() of them. */
static struct xml_node *
one_of(struct iw_pattern *pw, const struct pat_node *t)
{
	struct xml_node *or = new_expression(pw, "or"), *n;
	size_t i;

	for (i = 0; i < t->nvalues; i++) {
		if ((n = one_value(pw, t, i)) == NULL)
			return NULL;
		xml_append(or, n);
	}
	return or;
}

static struct xml_node *
test_expr(struct iw_pattern *pw, const struct pat_node *t)
{
	struct pat_node *positive = arena_alloc(pw->w->mem, sizeof(*positive));
	struct xml_node *n;

	if (!is_equality(t))
		return NULL;
	*positive = *t;
	positive->negated = false;
	if (positive->op == PAT_NE)
		positive->op = PAT_EQ;
	if (t->nvalues == 1)
		n = one_value(pw, positive, 0);
	else if (bulk_fits(pw, positive, positive))
		n = bulk(pw, &positive, 1);
	else
		n = one_of(pw, positive);
	return is_positive(t) ? n : negation(pw, n);
}

/* or() over the kids; neighbours that fit in one list become one. All in one list: no or() at all. */
static struct xml_node *
alternatives(struct iw_pattern *pw, const struct pat_node *p)
{
	struct xml_node *or = new_expression(pw, "or"), *n;
	size_t i, run;

	for (i = 0; i < p->nkids; i += run) {
		for (run = 0; i + run < p->nkids &&
		    bulk_fits(pw, p->kids[i + run], p->kids[i]); run++)
			;
		if (run > 1)
			n = bulk(pw, p->kids + i, run);
		else
			n = comparison(pw, p->kids[i]);
		if (run == p->nkids || n == NULL)
			return n;
		if (run == 0)
			run = 1;
		xml_append(or, n);
	}
	return or;
}

/* The type that all tests below speak of; false if they differ. */
static bool
same_object(const struct pat_node *p, struct slice *type)
{
	size_t i;

	if (p->kind == PAT_TEST) {
		if (type->n == 0)
			*type = p->object;
		return slice_eq(*type, p->object);
	}
	for (i = 0; i < p->nkids; i++)
		if (!same_object(p->kids[i], type))
			return false;
	return true;
}

static struct xml_node *
conjunction(struct iw_pattern *pw, const struct pat_node *p)
{
	struct xml_node *and, *n;
	struct slice type = SLICE_EMPTY;
	size_t i;

	for (i = 0; i < p->nkids; i++)
		if (p->kids[i]->kind != PAT_TEST || p->kids[i]->nvalues != 1 ||
		    !is_equality(p->kids[i]) || !is_positive(p->kids[i]))
			break;
	if (!same_object(p, &type))
		return NULL;
	if (i == p->nkids &&
	    (n = single(pw, (const struct pat_node *const *)p->kids, p->nkids)) != NULL)
		return n;
	and = new_expression(pw, "and");
	for (i = 0; i < p->nkids; i++) {
		if ((n = comparison(pw, p->kids[i])) == NULL)
			return NULL;
		xml_append(and, n);
	}
	return and;
}

static struct xml_node *
comparison(struct iw_pattern *pw, const struct pat_node *p)
{
	switch (p->kind) {
	case PAT_TEST:
		return test_expr(pw, p);
	case PAT_OR:
		return alternatives(pw, p);
	case PAT_AND:
		return conjunction(pw, p);
	default:
		return NULL;
	}
}

static struct xml_node *
observation(struct iw_pattern *pw, const struct pat_node *p)
{
	struct xml_node *expr, *n, *extra;
	size_t i;

	if (p->nquals > 0)
		return NULL;
	if (p->kind == PAT_OBS)
		return comparison(pw, p->kids[0]);
	if (p->kind != PAT_OBS_AND && p->kind != PAT_OBS_OR)
		return NULL;
	expr = new_expression(pw, p->kind == PAT_OBS_AND ? "and" : "or");
	for (i = 0; i < p->nkids; i++) {
		if ((n = observation(pw, p->kids[i])) == NULL)
			return NULL;
		xml_append(expr, n);
	}
	extra = xml_add_leaf(pw->w->mem, expr, "AdditionalData", SLICE_LIT("true"));
	iw_set(pw->w, extra, "dtype", "boolean");
	iw_set(pw->w, extra, "name", "observation");
	return expr;
}

bool
iw_write_pattern(struct iw *w, struct xml_node *indicator, const struct pat_node *p, bool *exact)
{
	struct iw_pattern pw = { w, true };
	struct xml_node *n = observation(&pw, p);

	if (n == NULL)
		return false;
	iodef2_insert(indicator, n);
	*exact = pw.exact;
	return true;
}
