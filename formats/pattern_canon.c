/*
 * pattern_canonical of pattern.h: the one spelling of what a pattern says.
 *
 * Bottom up, each node is rebuilt from canonical kids. Sets shrink and never grow: tests of one
 * path against several values become one IN, so that no pattern costs more than its own length
 * (unfolding IN would multiply the path by the values). What is joined by AND or OR is sorted.
 */
#include <assert.h>
#include <stdlib.h>

#include "formats/pattern_build.h"
#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* What the values of a path are. A path that ends in `_ref.value` or `_refs[*].value` holds an
 * address, a name or a URL: the value tells which. */
static const struct {
	const char	*object;
	const char	*property;
	enum value_kind	 kind;
	bool		 number;	/* strings of digits stand for numbers */
} paths[] = {
	{ "ipv4-addr", "value", VALUE_IPV4, false },
	{ "ipv6-addr", "value", VALUE_IPV6, false },
	{ "domain-name", "value", VALUE_DOMAIN, false },
	{ "url", "value", VALUE_URL, false },
	{ "email-addr", "value", VALUE_EMAIL, false },
	{ "mac-addr", "value", VALUE_MAC, false },
	{ "windows-registry-key", "key", VALUE_REGKEY, false },
	{ "network-traffic", "protocols", VALUE_PROTOCOL, false },
	{ "autonomous-system", "number", VALUE_ASN, true },
	{ "network-traffic", "src_port", VALUE_PORT, true },
	{ "network-traffic", "dst_port", VALUE_PORT, true },
	{ "file", "size", VALUE_TEXT, true }
};

static const enum value_kind ref_kinds[] = {
	VALUE_IPV4, VALUE_IPV6, VALUE_MAC, VALUE_EMAIL, VALUE_URL, VALUE_DOMAIN
};

struct list {
	struct pat_node	**v;
	size_t		 n, cap;
};

static struct pat_node *canon(struct arena *mem, const struct pat_node *p);

static void
push(struct arena *mem, struct list *l, struct pat_node *n)
{
	l->v = arena_grow(mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = n;
}

static struct pat_node *
node_over(struct arena *mem, enum pat_kind kind, struct list kids)
{
	struct pat_node *n = arena_alloc(mem, sizeof(*n));

	n->kind = kind;
	n->kids = kids.v;
	n->nkids = kids.n;
	return n;
}

/* --- order ---------------------------------------------------------------------------------- */

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int
by_literal(const void *a, const void *b)
{
	const struct pat_literal *x = a, *y = b;

	return x->kind != y->kind ? ORDER(x->kind, y->kind) : slice_cmp(x->text, y->text);
}

static int
by_qualifier(const void *a, const void *b)
{
	const struct pat_qualifier *x = a, *y = b;
	int c = ORDER(x->kind, y->kind);

	if (c == 0)
		c = slice_cmp(x->a, y->a);
	return c != 0 ? c : slice_cmp(x->b, y->b);
}

/* Order of two tests by object and path alone. */
static int
compare_paths(const struct pat_node *x, const struct pat_node *y)
{
	int c = slice_cmp(x->object, y->object);

	for (size_t i = 0; c == 0 && i < x->npath && i < y->npath; i++) {
		c = ORDER(x->path[i].kind, y->path[i].kind);
		if (c == 0)
			c = slice_cmp(x->path[i].name, y->path[i].name);
	}
	return c != 0 ? c : ORDER(x->npath, y->npath);
}

static int
compare_tests(const struct pat_node *x, const struct pat_node *y)
{
	int c = compare_paths(x, y);

	if (c == 0)
		c = ORDER(x->negated, y->negated);
	if (c == 0)
		c = ORDER(x->op, y->op);
	for (size_t i = 0; c == 0 && i < x->nvalues && i < y->nvalues; i++)
		c = by_literal(&x->values[i], &y->values[i]);
	return c != 0 ? c : ORDER(x->nvalues, y->nvalues);
}

/* Order of two canonical nodes; 0 only if they are the same. */
static int
compare_nodes(const struct pat_node *x, const struct pat_node *y)
{
	int c = ORDER(x->kind, y->kind);

	if (c != 0 || x->kind == PAT_TEST)
		return c != 0 ? c : compare_tests(x, y);
	for (size_t i = 0; c == 0 && i < x->nkids && i < y->nkids; i++)
		c = compare_nodes(x->kids[i], y->kids[i]);
	if (c == 0)
		c = ORDER(x->nkids, y->nkids);
	for (size_t i = 0; c == 0 && i < x->nquals && i < y->nquals; i++)
		c = by_qualifier(&x->quals[i], &y->quals[i]);
	return c != 0 ? c : ORDER(x->nquals, y->nquals);
}

static int
by_node(const void *a, const void *b)
{
	return compare_nodes(*(struct pat_node *const *)a, *(struct pat_node *const *)b);
}

static int
by_path(const void *a, const void *b)
{
	return compare_paths(*(struct pat_node *const *)a, *(struct pat_node *const *)b);
}

/* Sort `n` elements of `size` bytes and drop doubles; what is left. */
static size_t
sort_unique(void *v, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	char *p = v;
	size_t kept = 0;

	if (n < 2)
		return n;
	qsort(p, n, size, cmp);
	for (size_t i = 1; i < n; i++)
		if (cmp(p + i * size, p + kept * size) != 0 && ++kept != i)
			memcpy(p + kept * size, p + i * size, size);
	return kept + 1;
}

/* --- numbers and times ---------------------------------------------------------------------- */

/* A number without sign +, leading zeros or trailing zeros of a fraction; "-0" is "0". */
static struct slice
plain_number(struct slice s, struct arena *mem, enum pat_literal_kind *kind)
{
	bool neg = s.n > 0 && s.p[0] == '-';
	struct slice frac, whole;

	if (s.n > 0 && (neg || s.p[0] == '+'))
		s.p++, s.n--;
	frac = s;
	whole = slice_cut(&frac, '.');
	while (whole.n > 0 && whole.p[0] == '0')
		whole.p++, whole.n--;
	while (frac.n > 0 && frac.p[frac.n - 1] == '0')
		frac.n--;
	if (whole.n == 0)
		whole = SLICE_LIT("0");
	if (frac.n == 0 && slice_is(whole, "0"))
		neg = false;
	*kind = frac.n > 0 ? PAT_FLOAT : PAT_INT;
	return slice_of(arena_fmt(mem, "%s%.*s%s%.*s", neg ? "-" : "", SLICE_ARG(whole),
	    frac.n > 0 ? "." : "", SLICE_ARG(frac)));
}

/* A timestamp without trailing zeros of the fraction. */
static struct slice
plain_time(struct slice s, struct arena *mem)
{
	struct slice rest = s;

	if (memchr(s.p, '.', s.n) == NULL)
		return s;
	rest.n--;			/* Z */
	while (rest.p[rest.n - 1] == '0')
		rest.n--;
	if (rest.p[rest.n - 1] == '.')
		rest.n--;
	return slice_of(arena_fmt(mem, "%.*sZ", SLICE_ARG(rest)));
}

/* --- one test ------------------------------------------------------------------------------- */

static bool
step_is(const struct pat_node *t, size_t i, const char *name)
{
	return i < t->npath && t->path[i].kind == PAT_STEP_NAME && slice_is(t->path[i].name, name);
}

/* Names under `hashes` as STIX spells them, plain indexes. */
static void
canon_path(struct arena *mem, struct pat_node *t)
{
	struct pat_step *path = arena_raw(mem, t->npath * sizeof(*path));
	enum pat_literal_kind ignored;

	memcpy(path, t->path, t->npath * sizeof(*path));
	t->path = path;
	for (size_t i = 1; i < t->npath; i++) {
		const char *name;

		if (step_is(t, i - 1, "hashes") && path[i].kind == PAT_STEP_NAME &&
		    (name = value_hash_name(path[i].name)) != NULL)
			path[i].name = slice_of(name);
		else if (path[i].kind == PAT_STEP_INDEX)
			path[i].name = plain_number(path[i].name, mem, &ignored);
	}
}

/* The path is X_ref.value or X_refs[*].value. */
static bool
is_ref_value(const struct pat_node *t)
{
	const struct pat_step *step;

	if (t->npath < 2 || !step_is(t, t->npath - 1, "value"))
		return false;
	step = &t->path[t->npath - 2];
	if (step->kind == PAT_STEP_NAME)
		return slice_ends(step->name, "_ref");
	return t->npath > 2 && step[-1].kind == PAT_STEP_NAME && slice_ends(step[-1].name, "_refs");
}

/* The row of the path, or -1. */
static int
find_path(const struct pat_node *t)
{
	for (size_t i = 0; i < COUNTOF(paths); i++)
		if (slice_is(t->object, paths[i].object) && step_is(t, 0, paths[i].property) &&
		    (t->npath == 1 || (t->npath == 2 && t->path[1].kind != PAT_STEP_NAME)))
			return (int)i;
	return -1;
}

/* The one spelling of a string compared for equality with this path. */
static void
canon_string(struct arena *mem, const struct pat_node *t, struct pat_literal *v)
{
	struct slice text;
	unsigned long long number;
	int row = find_path(t);

	if (t->npath > 1 && step_is(t, t->npath - 2, "hashes")) {
		value_hash(t->path[t->npath - 1].name, v->text, mem, &v->text);
	} else if (row >= 0 && paths[row].number) {
		if (!value_normalise(paths[row].kind, v->text, mem, &text) ||
		    !slice_u64(text, &number))
			return;
		v->text = plain_number(text, mem, &v->kind);
	} else if (row >= 0) {
		/* Windows does not tell the case of keys apart. */
		if (value_normalise(paths[row].kind, v->text, mem, &v->text) &&
		    paths[row].kind == VALUE_REGKEY)
			v->text = value_lower(v->text, mem);
	} else if (is_ref_value(t)) {
		for (size_t i = 0; i < COUNTOF(ref_kinds); i++)
			if (value_normalise(ref_kinds[i], v->text, mem, &v->text))
				return;
	}
}

static void
canon_literal(struct arena *mem, const struct pat_node *t, struct pat_literal *v)
{
	switch (v->kind) {
	case PAT_STRING:
		if (t->op == PAT_EQ || t->op == PAT_NE || t->op == PAT_IN)
			canon_string(mem, t, v);
		break;
	case PAT_INT:
	case PAT_FLOAT:
		v->text = plain_number(v->text, mem, &v->kind);
		break;
	case PAT_HEX:
		v->text = value_lower(v->text, mem);
		break;
	case PAT_TIMESTAMP:
		v->text = plain_time(v->text, mem);
		break;
	case PAT_BOOL:
	case PAT_BINARY:
		break;
	}
}

/* LIKE without % and _ is equality; ISSUBSET on an address is what feeds also write as equality
 * with the network; other subsets get the network's one spelling. */
static void
fold_operator(struct arena *mem, struct pat_node *t)
{
	struct pat_literal *v = t->values;

	switch (t->op) {
	case PAT_LIKE:
		if (memchr(v->text.p, '%', v->text.n) == NULL &&
		    memchr(v->text.p, '_', v->text.n) == NULL)
			t->op = PAT_EQ;
		break;
	case PAT_ISSUBSET:
	case PAT_ISSUPERSET:
		if (!value_normalise(VALUE_IPV4, v->text, mem, &v->text) &&
		    !value_normalise(VALUE_IPV6, v->text, mem, &v->text))
			break;
		if (t->op == PAT_ISSUBSET && (is_ref_value(t) ||
		    (step_is(t, 0, "value") && (slice_is(t->object, "ipv4-addr") ||
		    slice_is(t->object, "ipv6-addr")))))
			t->op = PAT_EQ;
		break;
	case PAT_NE:
		if (pattern_has_any(t))
			break;
		t->op = PAT_EQ;
		t->negated = !t->negated;
		break;
	default:
		break;
	}
}

/* Sort the values and drop doubles; a set of one is an equality. */
static void
settle_values(struct pat_node *t)
{
	t->nvalues = sort_unique(t->values, t->nvalues, sizeof(*t->values), by_literal);
	t->op = t->nvalues == 1 ? PAT_EQ : PAT_IN;
}

static struct pat_node *
canon_test(struct arena *mem, const struct pat_node *p)
{
	struct pat_node *t = arena_raw(mem, sizeof(*t));

	*t = *p;
	t->group = false;
	t->values = arena_raw(mem, (p->nvalues + 1) * sizeof(*t->values));
	if (p->nvalues > 0)
		memcpy(t->values, p->values, p->nvalues * sizeof(*t->values));
	canon_path(mem, t);
	fold_operator(mem, t);
	for (size_t i = 0; i < t->nvalues; i++)
		canon_literal(mem, t, &t->values[i]);
	if (t->op == PAT_IN)
		settle_values(t);
	return t;
}

/* --- what is joined ------------------------------------------------------------------------- */

/* One test of the path that v[0..n) have in common against all their values. */
static struct pat_node *
merge_run(struct arena *mem, struct pat_node **v, size_t n)
{
	struct pat_node *t = arena_raw(mem, sizeof(*t));
	size_t cap = 0;

	*t = *v[0];
	if (n == 1)
		return t;
	t->values = NULL;
	t->nvalues = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < v[i]->nvalues; k++) {
			t->values = arena_grow(mem, t->values, t->nvalues, &cap,
			    sizeof(*t->values));
			t->values[t->nvalues++] = v[i]->values[k];
		}
	}
	settle_values(t);
	return t;
}

/* Equalities under OR, and denied equalities under AND, become one set a path. */
static struct list
merge_tests(struct arena *mem, enum pat_kind kind, struct list kids)
{
	struct list tests = { NULL, 0, 0 }, out = { NULL, 0, 0 };
	size_t run;

	for (size_t i = 0; i < kids.n; i++) {
		struct pat_node *k = kids.v[i];
		bool mergeable = k->kind == PAT_TEST && (k->op == PAT_EQ || k->op == PAT_IN) &&
		    k->negated == (kind == PAT_AND);

		push(mem, mergeable ? &tests : &out, k);
	}
	if (tests.n > 1)
		qsort(tests.v, tests.n, sizeof(*tests.v), by_path);
	for (size_t i = 0; i < tests.n; i += run) {
		for (run = 1; i + run < tests.n; run++)
			if (compare_paths(tests.v[i], tests.v[i + run]) != 0)
				break;
		push(mem, &out, merge_run(mem, tests.v + i, run));
	}
	return out;
}

static struct pat_node *join(struct arena *mem, enum pat_kind kind, struct list kids);

/* [a] OR [b] is [a OR b]. */
static struct list
merge_observations(struct arena *mem, struct list kids)
{
	struct list inner = { NULL, 0, 0 }, out = { NULL, 0, 0 }, one = { NULL, 0, 0 };

	for (size_t i = 0; i < kids.n; i++) {
		struct pat_node *k = kids.v[i];

		if (k->kind == PAT_OBS && k->nquals == 0)
			push(mem, &inner, k->kids[0]);
		else
			push(mem, &out, k);
	}
	if (inner.n > 0) {
		push(mem, &one, join(mem, PAT_OR, inner));
		push(mem, &out, node_over(mem, PAT_OBS, one));
	}
	return out;
}

/* Canonical kids under one operator: nested ones of the same kind dissolved, like ones merged,
 * sorted and made unique where order says nothing. */
static struct pat_node *
join(struct arena *mem, enum pat_kind kind, struct list kids)
{
	struct list flat = { NULL, 0, 0 };

	for (size_t i = 0; i < kids.n; i++) {
		struct pat_node *k = kids.v[i];

		if (k->kind != kind || k->nquals > 0)
			push(mem, &flat, k);
		else
			for (size_t j = 0; j < k->nkids; j++)
				push(mem, &flat, k->kids[j]);
	}
	if (kind == PAT_OBS_FOLLOWEDBY)
		return node_over(mem, kind, flat);
	if (kind == PAT_OBS_OR)
		flat = merge_observations(mem, flat);
	else if (kind != PAT_OBS_AND)
		flat = merge_tests(mem, kind, flat);
	assert(flat.n > 0);	/* what is merged loses doubles, never all */
	flat.n = sort_unique(flat.v, flat.n, sizeof(*flat.v), by_node);
	return flat.n == 1 ? flat.v[0] : node_over(mem, kind, flat);
}

/* The qualifiers of p on the canonical node n: plain numbers, sorted, unique, without "once". */
static struct pat_node *
qualify(struct arena *mem, struct pat_node *n, const struct pat_node *p)
{
	struct pat_qualifier *q = arena_raw(mem, (p->nquals + 1) * sizeof(*q));
	struct list one = { NULL, 0, 0 };
	enum pat_literal_kind ignored;
	size_t all = 0;

	for (size_t i = 0; i < p->nquals; i++) {
		q[all] = p->quals[i];
		if (q[all].kind == PAT_START_STOP) {
			q[all].a = plain_time(q[all].a, mem);
			q[all].b = plain_time(q[all].b, mem);
		} else {
			q[all].a = plain_number(q[all].a, mem, &ignored);
		}
		if (q[all].kind != PAT_REPEATS || !slice_is(q[all].a, "1"))
			all++;
	}
	if (all == 0)
		return n;
	all = sort_unique(q, all, sizeof(*q), by_qualifier);
	if (n->nquals > 0) {
		push(mem, &one, n);
		n = node_over(mem, PAT_OBS_GROUP, one);
	} else {
		n = memcpy(arena_raw(mem, sizeof(*n)), n, sizeof(*n));
	}
	n->quals = q;
	n->nquals = all;
	return n;
}

static struct pat_node *
canon(struct arena *mem, const struct pat_node *p)
{
	struct list kids = { NULL, 0, 0 };
	struct pat_node *n;

	if (p->kind == PAT_TEST)
		return canon_test(mem, p);
	for (size_t i = 0; i < p->nkids; i++)
		push(mem, &kids, canon(mem, p->kids[i]));
	assert(kids.n > 0);	/* the parser makes no other node without children */
	if (p->kind == PAT_OBS)
		n = node_over(mem, PAT_OBS, kids);
	else if (p->kind == PAT_OBS_GROUP)
		n = kids.v[0];
	else
		n = join(mem, p->kind, kids);
	return qualify(mem, n, p);
}

void
pattern_canonical(struct strbuf *out, const struct pat_node *p)
{
	struct arena *mem = arena_new();

	pattern_print(out, canon(mem, p));
	arena_free(mem);
}
