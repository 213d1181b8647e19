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
#include "formats/iodef2_words.h"
#include "formats/iodef2_write_pattern.h"
#include "formats/observe.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static struct xml_node *comparison(struct iw_pattern *pw, const struct sought *s);

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

/* The row of the bulk table for one value of a fact; NULL if there is none. */
static const struct iodef2_bulk *
bulk_row(const struct sought *f, struct slice value)
{
	bool net = memchr(value.p, '/', value.n) != NULL;
	const struct iodef2_bulk *row;

	for (row = iodef2_bulks; row->type != NULL; row++) {
		if (!slice_is(f->path, row->path))
			continue;
		if (strncmp(row->type, "ipv", 3) == 0 && (strchr(row->type, 'n') != NULL) != net)
			continue;
		return row;
	}
	return NULL;
}

/* May the value stand in a list? *row says in which; NULL: of hashes. */
static bool
fits_list(const struct sought *f, const struct pat_literal *v, const struct iodef2_bulk **row)
{
	struct slice algorithm = slice_is(f->object, "file") ? observe_hash(f) : SLICE_EMPTY;

	*row = NULL;
	if (v->kind != (slice_is(f->object, "autonomous-system") ? PAT_INT : PAT_STRING) ||
	    !iw_exact(v->text, IW_LINE))
		return false;
	if (algorithm.n > 0)
		return iodef2_digest_by_stix(algorithm) != NULL && iw_hash_can(algorithm, v->text);
	*row = bulk_row(f, v->text);
	return *row != NULL;
}

/* How many values from `i` on stand in one list; 1 if there is none for them. */
static size_t
run_of_list(const struct sought *f, size_t i, const struct iodef2_bulk **row)
{
	const struct iodef2_bulk *next;
	size_t n = 1;

	if (!fits_list(f, &f->values[i], row))
		return 1;
	while (i + n < f->nvalues && fits_list(f, &f->values[i + n], &next) && next == *row)
		n++;
	return n;
}

/* One BulkObservable over n values. */
static struct xml_node *
bulk(struct iw_pattern *pw, const struct sought *f, const struct pat_literal *values, size_t n,
    const struct iodef2_bulk *row)
{
	struct xml_node *obs = new_node(pw, "Observable"), *b, *format;
	struct strbuf list = STRBUF_INIT;

	b = iw_el(pw->w, obs, "BulkObservable");
	iw_set(pw->w, b, "type", row != NULL ? row->type : "file-hash");
	if (row == NULL) {
		format = iw_el(pw->w, b, "BulkObservableFormat");
		iw_hash_element(pw->w, format, observe_hash(f), values[0].text);
	}
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_addc(&list, '\n');
		strbuf_addsl(&list, values[i].text);
	}
	iw_leaf(pw->w, b, "BulkObservableList", strbuf_slice(&list));
	strbuf_fini(&list);
	for (const struct iodef2_bulk *r = iodef2_bulks; row != NULL && r < row; r++)
		if (strcmp(r->type, row->type) == 0)
			iw_extra(pw->w, b, "string", "stix-path", slice_of(row->path));
	return obs;
}

/* What a fact says of one object, with one of its values; false if no element holds that. */
static bool
field_of(struct iw_field *field, const struct sought *f, const struct pat_literal *v)
{
	*field = (struct iw_field){ .path = observe_property(f).p, .hash = observe_hash(f),
		.value = v->text, .kind = v->kind };
	return (v->kind == PAT_STRING || v->kind == PAT_INT) && iw_exact(v->text, IW_LINE);
}

/* One Observable for facts of one object; NULL if no class holds all of them. */
static struct xml_node *
single(struct iw_pattern *pw, const struct sought *const *facts, size_t n)
{
	struct xml_node *obs = new_node(pw, "Observable");
	struct iw_field *f = arena_alloc(pw->w->mem, n * sizeof(*f));

	for (size_t i = 0; i < n; i++) {
		if (!field_of(&f[i], facts[i], facts[i]->values))
			return NULL;
		for (size_t k = 0; k < i; k++)
			if (strcmp(f[k].path, f[i].path) == 0 && !iw_pattern_repeats(f[i].path))
				return NULL;
	}
	return iw_pattern_object(pw, obs, facts[0]->object, f, n) ? obs : NULL;
}

static struct xml_node *
one_value(struct iw_pattern *pw, const struct sought *f, const struct pat_literal *v)
{
	struct xml_node *obs = new_node(pw, "Observable");
	struct iw_field field;

	return field_of(&field, f, v) && iw_pattern_object(pw, obs, f->object, &field, 1) ? obs : NULL;
}

/* All values as kids of an or(): those that one list can hold in one. NULL if one cannot be said. */
static struct xml_node *
add_values(struct iw_pattern *pw, struct xml_node *or, const struct sought *f)
{
	const struct iodef2_bulk *row;
	struct xml_node *n;

	for (size_t i = 0, run; i < f->nvalues; i += run) {
		run = run_of_list(f, i, &row);
		n = run > 1 ? bulk(pw, f, &f->values[i], run, row) : one_value(pw, f, &f->values[i]);
		if (n == NULL)
			return NULL;
		xml_append(or, n);
	}
	return or;
}

/* The expression, or what it joins if that is one thing alone. */
static struct xml_node *
without_need(struct xml_node *expression)
{
	struct xml_node *only = xml_child(expression);

	if (only == NULL || xml_sibling(only) != NULL)
		return expression;
	xml_detach(only);
	return only;
}

static struct xml_node *
fact(struct iw_pattern *pw, const struct sought *f)
{
	struct xml_node *or = new_expression(pw, "or"), *not;

	if (f->op != PAT_EQ || f->nvalues == 0 || add_values(pw, or, f) == NULL)
		return NULL;
	if (!f->denied)
		return without_need(or);
	not = new_expression(pw, "not");
	xml_append(not, without_need(or));
	return not;
}

static struct xml_node *
alternatives(struct iw_pattern *pw, const struct sought *s)
{
	struct xml_node *or = new_expression(pw, "or"), *n;

	for (size_t i = 0; i < s->nkids; i++) {
		const struct sought *k = s->kids[i];

		if (observe_is_plain(k)) {
			if (add_values(pw, or, k) == NULL)
				return NULL;
		} else {
			if ((n = comparison(pw, k)) == NULL)
				return NULL;
			xml_append(or, n);
		}
	}
	return or;
}

/* The type that all facts below speak of; false if they differ. */
static bool
same_object(const struct sought *s, struct slice *type)
{
	if (s->kind == SOUGHT_FACT) {
		if (type->n == 0)
			*type = s->object;
		return slice_eq(*type, s->object);
	}
	for (size_t i = 0; i < s->nkids; i++)
		if (!same_object(s->kids[i], type))
			return false;
	return true;
}

static struct xml_node *
conjunction(struct iw_pattern *pw, const struct sought *s)
{
	struct xml_node *and, *n;
	struct slice type = SLICE_EMPTY;
	const struct sought *const *facts;
	size_t nfacts;

	if (!same_object(s, &type))
		return NULL;
	facts = s->has == 0 ? observe_facts(&s, &nfacts) : NULL;
	if (facts != NULL && (n = single(pw, facts, nfacts)) != NULL)
		return n;
	and = new_expression(pw, "and");
	for (size_t i = 0; i < s->nkids; i++) {
		if ((n = comparison(pw, s->kids[i])) == NULL)
			return NULL;
		xml_append(and, n);
	}
	return and;
}

static struct xml_node *
comparison(struct iw_pattern *pw, const struct sought *s)
{
	if (s->kind == SOUGHT_FACT)
		return fact(pw, s);
	return s->kind == SOUGHT_ANY ? alternatives(pw, s) : conjunction(pw, s);
}

static struct xml_node *
observation(struct iw_pattern *pw, const struct sought *s)
{
	struct xml_node *expr, *n, *extra;

	if (!s->apart)
		return comparison(pw, s);
	expr = new_expression(pw, s->kind == SOUGHT_ALL ? "and" : "or");
	for (size_t i = 0; i < s->nkids; i++) {
		if ((n = observation(pw, s->kids[i])) == NULL)
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
	const struct sought *s = observe_reduce(p, w->mem);
	struct iw_pattern pw = { w, !s->respelled };
	struct xml_node *n = NULL;

	if ((s->has & (SOUGHT_ORDERED | SOUGHT_WHEN | SOUGHT_COMPARED | SOUGHT_NOTHING)) == 0)
		n = observation(&pw, s);
	if (n == NULL)
		return false;
	iodef2_insert(indicator, n);
	*exact = pw.exact;
	return true;
}
