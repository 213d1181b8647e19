/*
 * The way back of observe.h, and the questions about facts.
 *
 *	is 1		= 1			is not 1	!= 1 (NOT = if the path has [*])
 *	is 1 or 2	IN (1, 2)		is neither	NOT IN (1, 2)
 *	is 192.0.2.0/24	ISSUBSET '...'		is not		NOT ISSUBSET '...'
 */
#include <stdint.h>

#include "formats/observe.h"
#include "formats/pattern_build.h"
#include "gateway/base/arena.h"

/* Networks repeat the path for each of them: not a long one, so that no pattern grows without a limit. */
enum { PATH_REPEATED = 64 };

/* A test of the fact against n of its values. */
static struct pat_node *
test(struct arena *mem, const struct sought *f, enum pat_op op, struct pat_literal *values, size_t n)
{
	struct pat_node *t = arena_alloc(mem, sizeof(*t));

	t->kind = PAT_TEST;
	t->object = f->object;
	t->path = (struct pat_step *)(uintptr_t)f->steps;
	t->npath = f->nsteps;
	t->op = op;
	t->negated = f->denied;
	t->values = values;
	t->nvalues = n;
	if (op == PAT_EQ && f->denied && !pattern_has_any(t)) {
		t->op = PAT_NE;
		t->negated = false;
	}
	return t;
}

static bool
is_within(const struct sought *f, const struct pat_literal *v)
{
	return v->kind == PAT_STRING && f->path.n <= PATH_REPEATED && observe_is_network(f, v->text);
}

/* An equality: networks apart from values that must be met as they stand. */
static struct pat_node *
expand_equality(struct arena *mem, const struct sought *f)
{
	struct pat_literal *plain = arena_raw(mem, (f->nvalues + 1) * sizeof(*plain));
	struct pat_list all = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < f->nvalues; i++)
		if (!is_within(f, &f->values[i]))
			plain[n++] = f->values[i];
	if (n > 0 || f->nvalues == 0)
		pattern_add(&all, mem, test(mem, f, n == 1 ? PAT_EQ : PAT_IN, plain, n));
	for (size_t i = 0; i < f->nvalues; i++)
		if (is_within(f, &f->values[i]))
			pattern_add(&all, mem, test(mem, f, PAT_ISSUBSET, &f->values[i], 1));
	return pattern_node(mem, f->denied ? PAT_AND : PAT_OR, all.v, all.n);
}

/* Between brackets the kids are comparisons; else what is not apart gets its own. */
static struct pat_node *
expand(struct arena *mem, const struct sought *s, bool inside)
{
	static const enum pat_kind kinds[][2] = {
		[SOUGHT_ALL] = { PAT_AND, PAT_OBS_AND }, [SOUGHT_ANY] = { PAT_OR, PAT_OBS_OR },
		[SOUGHT_IN_TURN] = { PAT_OBS_FOLLOWEDBY, PAT_OBS_FOLLOWEDBY },
	};
	struct pat_list kids = { 0 };
	struct pat_node *p;

	for (size_t i = 0; i < s->nkids; i++)
		pattern_add(&kids, mem, expand(mem, s->kids[i], inside || !s->apart));
	if (s->kind != SOUGHT_FACT)
		p = pattern_node(mem, kinds[s->kind][s->apart], kids.v, kids.n);
	else if (s->op == PAT_EQ)
		p = expand_equality(mem, s);
	else
		p = test(mem, s, s->op, s->values, s->nvalues);
	if (!inside && !s->apart)
		p = pattern_bracket(mem, p);
	if (s->nquals == 0)
		return p;
	if (p->nquals > 0)
		p = pattern_node(mem, PAT_OBS_GROUP, &p, 1);
	p->quals = s->quals;
	p->nquals = s->nquals;
	return p;
}

struct pat_node *
observe_expand(const struct sought *s, struct arena *mem)
{
	return expand(mem, s, false);
}

struct pat_node *
observe_comparison(const struct sought *s, struct arena *mem)
{
	return expand(mem, s, true);
}

/* --- questions ------------------------------------------------------------------------------ */

struct slice
observe_property(const struct sought *fact)
{
	size_t skip = fact->object.n + 1;

	return slice_from(fact->path.p + skip, fact->path.n - skip);
}

struct slice
observe_hash(const struct sought *fact)
{
	const struct pat_step *s = fact->steps;

	return fact->nsteps == 2 && s[0].kind == PAT_STEP_NAME && slice_is(s[0].name, "hashes") &&
	    s[1].kind == PAT_STEP_NAME ? s[1].name : SLICE_EMPTY;
}

bool
observe_is_plain(const struct sought *fact)
{
	return fact->kind == SOUGHT_FACT && (fact->has & ~(unsigned)SOUGHT_CHOICE) == 0;
}

const struct sought *const *
observe_ways(const struct sought *const *s, size_t *n)
{
	*n = 1;
	if ((*s)->kind != SOUGHT_ANY || (*s)->nquals > 0)
		return s;
	*n = (*s)->nkids;
	return (const struct sought *const *)(*s)->kids;
}

const struct sought *const *
observe_facts(const struct sought *const *s, size_t *n)
{
	*n = 1;
	if ((*s)->nquals > 0)
		return NULL;
	if ((*s)->kind == SOUGHT_FACT)
		return s;
	if ((*s)->kind != SOUGHT_ALL || (*s)->apart)
		return NULL;
	for (size_t i = 0; i < (*s)->nkids; i++)
		if ((*s)->kids[i]->kind != SOUGHT_FACT)
			return NULL;
	*n = (*s)->nkids;
	return (const struct sought *const *)(*s)->kids;
}
