/*
 * The reduction of observe.h.
 *
 * Bottom up, as pattern_canon.c does it, and with the same folds but for values, which stay as they are:
 * so the canonical form of what comes back is that of the pattern. The order of the pattern is kept.
 */
#include <stdint.h>
#include <stdlib.h>

#include "formats/observe.h"
#include "formats/pattern_build.h"
#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

struct list {
	struct sought	**v;
	size_t		 n, cap;
};

static void
push(struct arena *mem, struct list *l, struct sought *s)
{
	l->v = arena_grow(mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = s;
}

/* --- facts ---------------------------------------------------------------------------------- */

/* The path is that of an address, and the value an address or a network. */
static bool
is_address(const struct sought *f, struct slice value)
{
	bool four = slice_is(f->path, "ipv4-addr:value"), six = slice_is(f->path, "ipv6-addr:value"), is;
	struct arena *scratch;
	struct slice ignored;

	if (!four && !six && !slice_ends(f->loose, "_ref.value") &&
	    !slice_ends(f->loose, "_refs[*].value"))
		return false;
	scratch = arena_new();
	is = (!six && value_normalise(VALUE_IPV4, value, scratch, &ignored)) ||
	    (!four && value_normalise(VALUE_IPV6, value, scratch, &ignored));
	arena_free(scratch);
	return is;
}

bool
observe_is_network(const struct sought *f, struct slice value)
{
	return memchr(value.p, '/', value.n) != NULL && is_address(f, value);
}

/* The steps with names under `hashes` as STIX spells them. */
static const struct pat_step *
plain_steps(struct arena *mem, const struct pat_node *t)
{
	struct pat_step *steps = NULL;

	for (size_t i = 1; i < t->npath; i++) {
		const struct pat_step *under = &t->path[i - 1];
		const char *name;

		if (t->path[i].kind != PAT_STEP_NAME || under->kind != PAT_STEP_NAME ||
		    !slice_is(under->name, "hashes") ||
		    (name = value_hash_name(t->path[i].name)) == NULL ||
		    slice_is(t->path[i].name, name))
			continue;
		if (steps == NULL) {
			steps = arena_raw(mem, t->npath * sizeof(*steps));
			memcpy(steps, t->path, t->npath * sizeof(*steps));
		}
		steps[i].name = slice_of(name);
	}
	return steps != NULL ? steps : t->path;
}

/* "object:path", and the same with every index as [*]. */
static void
spell_path(struct arena *mem, struct sought *f)
{
	struct pat_step *loose = NULL;
	struct pat_node t = { .object = f->object, .npath = f->nsteps };
	struct strbuf b = STRBUF_INIT;

	t.path = (struct pat_step *)(uintptr_t)f->steps;
	strbuf_addf(&b, "%.*s:", SLICE_ARG(f->object));
	pattern_path(&b, &t);
	f->path = f->loose = arena_slice(mem, strbuf_slice(&b));
	for (size_t i = 0; i < f->nsteps; i++) {
		if (f->steps[i].kind != PAT_STEP_INDEX)
			continue;
		if (loose == NULL) {
			loose = arena_raw(mem, f->nsteps * sizeof(*loose));
			memcpy(loose, f->steps, f->nsteps * sizeof(*loose));
		}
		loose[i].kind = PAT_STEP_ANY;
	}
	if (loose != NULL) {
		t.path = loose;
		strbuf_setlen(&b, f->object.n + 1);
		pattern_path(&b, &t);
		f->loose = arena_slice(mem, strbuf_slice(&b));
	}
	strbuf_fini(&b);
}

/* Operators that are another spelling of equality. */
static void
fold_operator(const struct pat_node *t, struct sought *f)
{
	struct slice v = t->nvalues > 0 ? t->values[0].text : SLICE_EMPTY;

	if (t->op == PAT_EQ && t->negated && !pattern_has_any(t))
		f->respelled = true;
	else if (t->op == PAT_IN)
		f->op = PAT_EQ;
	else if (t->op == PAT_LIKE && memchr(v.p, '%', v.n) == NULL && memchr(v.p, '_', v.n) == NULL)
		f->op = PAT_EQ, f->respelled = true;
	else if (t->op == PAT_ISSUBSET && is_address(f, v))
		f->op = PAT_EQ;
	else if (t->op == PAT_NE && !pattern_has_any(t)) {
		f->op = PAT_EQ;
		f->respelled |= f->denied;
		f->denied = !f->denied;
	}
}

static unsigned
traits_of_fact(const struct sought *f)
{
	return (f->nvalues > 1 ? SOUGHT_CHOICE : 0) |
	    (f->denied || f->op == PAT_NE ? SOUGHT_DENIED : 0) |
	    (f->op != PAT_EQ ? SOUGHT_COMPARED : 0) |
	    (f->nvalues == 0 && f->op == PAT_EQ ? SOUGHT_NOTHING : 0);
}

/* A value and where it stood. */
struct placed {
	const struct pat_literal	*v;
	size_t				 at;
};

static int
by_value(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int c = (x->v->kind > y->v->kind) - (x->v->kind < y->v->kind);

	if (c == 0)
		c = slice_cmp(x->v->text, y->v->text);
	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static bool
same_value(const struct pat_literal *a, const struct pat_literal *b)
{
	return a->kind == b->kind && slice_eq(a->text, b->text);
}

/* Drop values that stood there before. */
static void
drop_doubles(struct arena *mem, struct sought *f)
{
	struct placed *p;
	struct pat_literal *kept;
	bool *twice;
	size_t n = 0;

	if (f->nvalues < 2)
		return;
	p = arena_raw(mem, f->nvalues * sizeof(*p));
	twice = arena_alloc(mem, f->nvalues);
	kept = arena_raw(mem, f->nvalues * sizeof(*kept));
	for (size_t i = 0; i < f->nvalues; i++)
		p[i] = (struct placed){ &f->values[i], i };
	qsort(p, f->nvalues, sizeof(*p), by_value);
	for (size_t i = 1; i < f->nvalues; i++)
		twice[p[i].at] = same_value(p[i].v, p[i - 1].v);
	for (size_t i = 0; i < f->nvalues; i++)
		if (!twice[i])
			kept[n++] = f->values[i];
	f->values = kept;
	f->nvalues = n;
}

static struct sought *
reduce_test(struct arena *mem, const struct pat_node *t)
{
	struct sought *f = arena_alloc(mem, sizeof(*f));

	f->kind = SOUGHT_FACT;
	f->object = t->object;
	f->steps = plain_steps(mem, t);
	f->respelled = f->steps != t->path;
	f->nsteps = t->npath;
	f->op = t->op;
	f->denied = t->negated;
	f->values = t->values;
	f->nvalues = t->nvalues;
	spell_path(mem, f);
	fold_operator(t, f);
	drop_doubles(mem, f);
	f->has = traits_of_fact(f);
	return f;
}

/* --- order, only to find what is alike ------------------------------------------------------- */

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int
compare_facts(const struct sought *x, const struct sought *y)
{
	int c = slice_cmp(x->path, y->path);

	if (c == 0)
		c = ORDER(x->denied, y->denied);
	if (c == 0)
		c = ORDER(x->op, y->op);
	for (size_t i = 0; c == 0 && i < x->nvalues && i < y->nvalues; i++) {
		c = ORDER(x->values[i].kind, y->values[i].kind);
		if (c == 0)
			c = slice_cmp(x->values[i].text, y->values[i].text);
	}
	return c != 0 ? c : ORDER(x->nvalues, y->nvalues);
}

static int
compare_qualifiers(const struct sought *x, const struct sought *y)
{
	int c = ORDER(x->nquals, y->nquals);

	for (size_t i = 0; c == 0 && i < x->nquals; i++) {
		c = ORDER(x->quals[i].kind, y->quals[i].kind);
		if (c == 0)
			c = slice_cmp(x->quals[i].a, y->quals[i].a);
		if (c == 0)
			c = slice_cmp(x->quals[i].b, y->quals[i].b);
	}
	return c;
}

/* 0 only if both are the same, word for word. */
static int
compare(const struct sought *x, const struct sought *y)
{
	int c = ORDER(x->kind, y->kind);

	if (c == 0)
		c = ORDER(x->apart, y->apart);
	if (c == 0)
		c = compare_qualifiers(x, y);
	if (c == 0 && x->kind == SOUGHT_FACT)
		return compare_facts(x, y);
	for (size_t i = 0; c == 0 && i < x->nkids && i < y->nkids; i++)
		c = compare(x->kids[i], y->kids[i]);
	return c != 0 ? c : ORDER(x->nkids, y->nkids);
}

/* A kid and its place among its siblings. */
struct place {
	struct sought	*s;
	size_t		 at;
};

static int
by_path(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int c = slice_cmp(x->s->path, y->s->path);

	return c != 0 ? c : ORDER(x->at, y->at);
}

static int
by_all(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int c = compare(x->s, y->s);

	return c != 0 ? c : ORDER(x->at, y->at);
}

/* --- what is joined ------------------------------------------------------------------------- */

static struct sought *
node_over(struct arena *mem, enum sought_kind kind, bool apart, const struct list *kids)
{
	struct sought *s = arena_alloc(mem, sizeof(*s));

	s->kind = kind;
	s->apart = apart;
	s->kids = kids->v;
	s->nkids = kids->n;
	for (size_t i = 0; i < kids->n; i++) {
		s->has |= kids->v[i]->has;
		s->respelled |= kids->v[i]->respelled;
	}
	if (kind == SOUGHT_ANY)
		s->has |= SOUGHT_CHOICE;
	else if (kind == SOUGHT_IN_TURN)
		s->has |= SOUGHT_ORDERED;
	else if (apart && kids->n > 1)
		s->has |= SOUGHT_APART;
	return s;
}

/* Take out the kids that are NULL. */
static void
close_gaps(struct list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] != NULL)
			l->v[n++] = l->v[i];
	l->n = n;
}

/* One fact of the path that run[0..n) have in common, with all their values. */
static struct sought *
merge_run(struct arena *mem, const struct place *run, size_t n)
{
	struct sought *f = arena_raw(mem, sizeof(*f));
	size_t all = 0;

	*f = *run[0].s;
	for (size_t i = 0; i < n; i++)
		all += run[i].s->nvalues;
	f->values = arena_raw(mem, (all + 1) * sizeof(*f->values));
	f->nvalues = 0;
	for (size_t i = 0; i < n; i++)
		f->respelled |= run[i].s->respelled;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < run[i].s->nvalues; k++)
			f->values[f->nvalues++] = run[i].s->values[k];
	drop_doubles(mem, f);
	f->has = traits_of_fact(f);
	return f;
}

/* Equalities under ANY, and denied ones under ALL, become one fact a path, where the first stood. */
static void
merge_facts(struct arena *mem, enum sought_kind kind, struct list *kids)
{
	struct place *p = arena_raw(mem, (kids->n + 1) * sizeof(*p));
	size_t n = 0, run;

	for (size_t i = 0; i < kids->n; i++) {
		const struct sought *k = kids->v[i];

		if (k->kind == SOUGHT_FACT && k->op == PAT_EQ && k->denied == (kind == SOUGHT_ALL))
			p[n++] = (struct place){ kids->v[i], i };
	}
	if (n < 2)
		return;
	qsort(p, n, sizeof(*p), by_path);
	for (size_t i = 0; i < n; i += run) {
		for (run = 1; i + run < n && slice_eq(p[i].s->path, p[i + run].s->path); run++)
			kids->v[p[i + run].at] = NULL;
		if (run > 1)
			kids->v[p[i].at] = merge_run(mem, p + i, run);
	}
	close_gaps(kids);
}

/* What is there twice is there once. */
static void
drop_alike(struct arena *mem, struct list *kids)
{
	struct place *p = arena_raw(mem, (kids->n + 1) * sizeof(*p));

	for (size_t i = 0; i < kids->n; i++)
		p[i] = (struct place){ kids->v[i], i };
	if (kids->n > 1)
		qsort(p, kids->n, sizeof(*p), by_all);
	for (size_t i = 1; i < kids->n; i++)
		if (compare(p[i].s, p[i - 1].s) == 0)
			kids->v[p[i].at] = NULL;
	close_gaps(kids);
}

static struct sought *join(struct arena *mem, enum sought_kind kind, bool apart, struct list kids);

/* [a] OR [b] is [a OR b], where the first stood. */
static void
merge_observations(struct arena *mem, struct list *kids)
{
	struct list inner = { 0 };
	size_t first = kids->n;

	for (size_t i = 0; i < kids->n; i++) {
		if (kids->v[i]->apart || kids->v[i]->nquals > 0)
			continue;
		push(mem, &inner, kids->v[i]);
		first = inner.n == 1 ? i : first;
		kids->v[i] = NULL;
	}
	if (inner.n > 0)
		kids->v[first] = join(mem, SOUGHT_ANY, false, inner);
	if (inner.n > 1)
		kids->v[first]->respelled = true;
	close_gaps(kids);
}

/* Kids that are shapes already, under one operator: nested ones of the same kind dissolved, like ones
 * merged, each once. */
static struct sought *
join(struct arena *mem, enum sought_kind kind, bool apart, struct list kids)
{
	struct list flat = { 0 };

	for (size_t i = 0; i < kids.n; i++) {
		struct sought *k = kids.v[i];

		if (k->kind != kind || k->apart != apart || k->nquals > 0)
			push(mem, &flat, k);
		else
			for (size_t j = 0; j < k->nkids; j++)
				push(mem, &flat, k->kids[j]);
	}
	if (kind == SOUGHT_ANY && apart)
		merge_observations(mem, &flat);
	else if (!apart)
		merge_facts(mem, kind, &flat);
	if (kind != SOUGHT_IN_TURN)
		drop_alike(mem, &flat);
	return flat.n == 1 ? flat.v[0] : node_over(mem, kind, apart, &flat);
}

/* The qualifiers of p on s; REPEATS 1 says nothing. */
static struct sought *
qualify(struct arena *mem, struct sought *s, const struct pat_node *p)
{
	struct pat_qualifier *q = arena_raw(mem, (p->nquals + 1) * sizeof(*q));
	struct list one = { 0 };
	size_t n = 0;
	unsigned has = 0;

	for (size_t i = 0; i < p->nquals; i++) {
		if (p->quals[i].kind == PAT_REPEATS && slice_is(p->quals[i].a, "1"))
			continue;
		has |= p->quals[i].kind == PAT_START_STOP ? SOUGHT_WHEN : SOUGHT_ORDERED;
		q[n++] = p->quals[i];
	}
	if (n == 0)
		return s;
	push(mem, &one, s);
	if (s->nquals > 0)
		s = node_over(mem, SOUGHT_ALL, true, &one);
	else
		s = memcpy(arena_raw(mem, sizeof(*s)), s, sizeof(*s));
	s->quals = q;
	s->nquals = n;
	s->has |= has;
	return s;
}

struct sought *
observe_reduce(const struct pat_node *p, struct arena *mem)
{
	static const struct { enum sought_kind kind; bool apart; } kinds[] = {
		[PAT_OBS_AND] = { SOUGHT_ALL, true }, [PAT_OBS_OR] = { SOUGHT_ANY, true },
		[PAT_OBS_FOLLOWEDBY] = { SOUGHT_IN_TURN, true },
		[PAT_AND] = { SOUGHT_ALL, false }, [PAT_OR] = { SOUGHT_ANY, false },
	};
	struct list kids = { 0 };

	if (p->kind == PAT_TEST)
		return reduce_test(mem, p);
	for (size_t i = 0; i < p->nkids; i++)
		push(mem, &kids, observe_reduce(p->kids[i], mem));
	if (p->kind == PAT_OBS || p->kind == PAT_OBS_GROUP)
		return qualify(mem, kids.v[0], p);
	return qualify(mem, join(mem, kinds[p->kind].kind, kinds[p->kind].apart, kids), p);
}
