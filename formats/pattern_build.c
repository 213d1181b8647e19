#include "formats/pattern_build.h"

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

void
pattern_add(struct pat_list *l, struct arena *mem, struct pat_node *p)
{
	if (p == NULL)
		return;
	l->v = arena_grow(mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = p;
}

struct pat_node *
pattern_test(struct arena *mem, const char *path, enum pat_op op, enum pat_literal_kind kind,
    const struct slice *values, size_t n)
{
	struct pat_node *p = pattern_parse(slice_of(arena_fmt(mem, "[%s = '']", path)), mem, NULL), *t;

	if (p == NULL || p->kids[0]->kind != PAT_TEST)
		return NULL;
	t = p->kids[0];
	t->op = op;
	t->nvalues = n;
	t->values = arena_alloc(mem, (n + 1) * sizeof(*t->values));
	for (size_t i = 0; i < n; i++)
		t->values[i] = (struct pat_literal){ kind, values[i] };
	return t;
}

struct pat_node *
pattern_node(struct arena *mem, enum pat_kind kind, struct pat_node *const *kids, size_t n)
{
	struct pat_list all = { 0 };
	struct pat_node *p;

	for (size_t i = 0; i < n; i++) {
		if (kids[i] == NULL || kids[i]->kind != kind || kids[i]->nquals > 0)
			pattern_add(&all, mem, kids[i]);
		else
			for (size_t k = 0; k < kids[i]->nkids; k++)
				pattern_add(&all, mem, kids[i]->kids[k]);
	}
	if (all.n == 0 || (all.n == 1 && kind != PAT_OBS && kind != PAT_OBS_GROUP))
		return all.n == 0 ? NULL : all.v[0];
	p = arena_alloc(mem, sizeof(*p));
	p->kind = kind;
	p->kids = all.v;
	p->nkids = all.n;
	return p;
}

bool
pattern_is_observation(const struct pat_node *p)
{
	return p->kind != PAT_TEST && p->kind != PAT_AND && p->kind != PAT_OR;
}

struct slice
pattern_object(const struct pat_node *p)
{
	struct slice all = SLICE_EMPTY;

	if (p->kind == PAT_TEST)
		return p->object;
	for (size_t i = 0; i < p->nkids; i++) {
		struct slice one = pattern_object(p->kids[i]);

		if (one.n == 0 || (i > 0 && !slice_eq(one, all)))
			return SLICE_EMPTY;
		all = one;
	}
	return all;
}

bool
pattern_has_any(const struct pat_node *test)
{
	for (size_t i = 0; i < test->npath; i++)
		if (test->path[i].kind == PAT_STEP_ANY)
			return true;
	return false;
}

struct pat_node *
pattern_bracket(struct arena *mem, struct pat_node *p)
{
	return p == NULL || pattern_is_observation(p) ? p : pattern_node(mem, PAT_OBS, &p, 1);
}

/* All of them may stand in one bracket. */
static bool
fit_one_bracket(bool all, struct pat_node *const *kids, size_t n)
{
	struct slice object = SLICE_EMPTY;

	for (size_t i = 0; i < n; i++) {
		struct slice one;

		if (pattern_is_observation(kids[i]))
			return false;
		if (!all)
			continue;
		one = pattern_object(kids[i]);
		if (one.n == 0 || (i > 0 && !slice_eq(one, object)))
			return false;
		object = one;
	}
	return true;
}

struct pat_node *
pattern_join(struct arena *mem, bool all, struct pat_node *const *kids, size_t n)
{
	struct pat_list apart = { 0 };

	if (n < 2)
		return n == 0 ? NULL : kids[0];
	if (fit_one_bracket(all, kids, n))
		return pattern_node(mem, all ? PAT_AND : PAT_OR, kids, n);
	for (size_t i = 0; i < n; i++)
		pattern_add(&apart, mem, pattern_bracket(mem, kids[i]));
	return pattern_node(mem, all ? PAT_OBS_AND : PAT_OBS_OR, apart.v, apart.n);
}

struct pat_node *
pattern_either(struct arena *mem, struct pat_node *const *kids, size_t n)
{
	struct pat_list inner = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (kids[i] == NULL)
			continue;
		if (kids[i]->kind != PAT_OBS || kids[i]->nquals > 0)
			return pattern_node(mem, PAT_OBS_OR, kids, n);
		pattern_add(&inner, mem, kids[i]->kids[0]);
	}
	return pattern_bracket(mem, pattern_node(mem, PAT_OR, inner.v, inner.n));
}

/* The opposite of one test. */
static struct pat_node *
negate_test(struct arena *mem, const struct pat_node *p)
{
	struct pat_node *neg = arena_alloc(mem, sizeof(*neg));

	*neg = *p;
	neg->negated = !p->negated;
	if ((p->op == PAT_EQ || p->op == PAT_NE) && !pattern_has_any(p)) {
		neg->op = (p->op == PAT_NE) == p->negated ? PAT_NE : PAT_EQ;
		neg->negated = false;
	}
	return neg;
}

struct pat_node *
pattern_negate(struct arena *mem, const struct pat_node *p)
{
	static const enum pat_kind opposite[] = {
		[PAT_OBS] = PAT_OBS, [PAT_OBS_OR] = PAT_OBS_AND,
		[PAT_AND] = PAT_OR, [PAT_OR] = PAT_AND,
	};
	struct pat_list l = { 0 };

	if (p->kind == PAT_TEST)
		return negate_test(mem, p);
	if (p->nquals > 0 || p->kind == PAT_OBS_FOLLOWEDBY)
		return NULL;
	for (size_t i = 0; i < p->nkids; i++) {
		struct pat_node *k = pattern_negate(mem, p->kids[i]);

		if (k == NULL)
			return NULL;
		pattern_add(&l, mem, k);
	}
	if (p->kind == PAT_OBS_AND)
		return pattern_either(mem, l.v, l.n);
	return p->kind == PAT_OBS_GROUP ? l.v[0] : pattern_node(mem, opposite[p->kind], l.v, l.n);
}

bool
pattern_text(struct arena *mem, struct pat_node *p, struct slice *out, struct err *e)
{
	struct arena *scratch = arena_new();
	struct strbuf b = STRBUF_INIT;
	bool fits;

	pattern_print(&b, pattern_bracket(scratch, p));
	fits = pattern_parse(strbuf_slice(&b), scratch, e) != NULL;
	if (fits)
		*out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	arena_free(scratch);
	return fits;
}
