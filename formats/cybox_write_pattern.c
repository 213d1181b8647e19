/* cybox_write_pattern.c -- a STIX pattern as an Observable (see cybox.h). */
#include <string.h>

#include "formats/cybox_impl.h"
#include "formats/observe.h"
#include "formats/value.h"

enum {
	OBJECTS_MAX = 256,	/* written for one pattern */
	TESTS_MAX = 2000	/* together in one object */
};

struct form {
	struct cx_writer	 w;
	size_t			 objects, observables;
	bool			 wider;
};

/* Facts into trees. */

/* What a reference is to, when only what it is compared with tells. */
static const char *
type_of_value(struct arena *mem, const struct sought *f)
{
	struct slice v = f->nvalues > 0 ? f->values[0].text : SLICE_EMPTY, out;

	if (slice_is(f->steps[f->nsteps - 1].name, "type"))
		return arena_str(mem, v);
	if (value_ip(4, v, mem, &out))
		return "ipv4-addr";
	if (value_ip(6, v, mem, &out))
		return "ipv6-addr";
	if (value_normalise(VALUE_MAC, v, mem, &out))
		return "mac-addr";
	return value_domain(v, mem, &out) ? "domain-name" : "ipv4-addr";
}

/* The step as a member that other objects hang on: give them a type. */
static void
set_type(struct arena *mem, struct cx *o, struct slice member, const struct sought *f, size_t i)
{
	const char *known = cx_ref_type(member);

	if (o->kind != CX_OBJECT || o->type.n > 0 || !cx_is_ref_name(member))
		return;
	if (known[0] == '\0' && (slice_is(member, "src_ref") || slice_is(member, "dst_ref") ||
	    slice_is(member, "resolves_to_refs")))
		known = type_of_value(mem, f);
	else if (known[0] == '\0' && i + 1 < f->nsteps &&
	    slice_is(f->steps[i + 1].name, "payload_bin"))
		known = "artifact";
	o->type = slice_of(known[0] == '\0' ? "file" : known);
}

/* The item of a list that a fact speaks of: what is said of [*] is said of one thing as long as it can be.
 * NULL if there has to be another. */
static struct cx *
open_item(const struct cx *list, const struct sought *f, size_t i)
{
	struct cx *item = list->last;
	const struct cx *at = item;

	if (item == NULL || item->kind != CX_OBJECT || i + 1 == f->nsteps)
		return NULL;
	while (at != NULL && at->kind == CX_OBJECT && ++i < f->nsteps)
		at = f->steps[i].kind == PAT_STEP_NAME ? cx_member(at, f->steps[i].name) : NULL;
	return at != NULL && at->kind == CX_LEAF ? NULL : item;
}

/* The leaf that a fact speaks of, made anew in lists; NULL if it is no leaf of ours. */
static struct cx *
make_leaf(struct arena *mem, struct cx *root, const struct sought *f)
{
	struct cx *at = root;
	struct slice member = SLICE_EMPTY;

	for (size_t i = 0; i < f->nsteps; i++) {
		const struct pat_step *step = &f->steps[i];
		bool last = i + 1 == f->nsteps;
		bool list = !last && f->steps[i + 1].kind != PAT_STEP_NAME;
		enum cx_kind kind = list ? CX_LIST : last ? CX_LEAF : CX_OBJECT;
		struct cx *k = NULL;

		if (step->kind == PAT_STEP_INDEX || (step->kind == PAT_STEP_ANY && at->kind != CX_LIST))
			return NULL;
		if (step->kind == PAT_STEP_NAME)
			k = cx_member(at, member = step->name);
		else
			k = open_item(at, f, i);
		if (k != NULL && k->kind != kind)
			return NULL;
		at = k != NULL ? k : cx_add(mem, at, kind, step->kind == PAT_STEP_ANY ? SLICE_EMPTY :
		    step->name);
		set_type(mem, at, member, f, i);
	}
	return at->kind == CX_LEAF ? at : NULL;
}

/* Comparisons of one leaf being collected. */
struct tests {
	struct cx_test	*v;
	size_t		 n, cap;
};

static void
add_test(struct arena *mem, struct tests *t, enum pat_op op, bool negated,
    const struct pat_literal *values, size_t n)
{
	struct cx_test test = { .op = op, .negated = negated, .n = n };

	test.v = arena_alloc(mem, (n + 1) * sizeof(*test.v));
	for (size_t i = 0; i < n; i++)
		test.v[i] = values[i].text;
	t->v = arena_grow(mem, t->v, t->n, &t->cap, sizeof(*t->v));
	t->v[t->n++] = test;
}

/* The comparisons that say a fact: one, but networks are each one of its own. */
static void
add_tests(struct arena *mem, struct tests *t, const struct sought *f)
{
	bool networks = false;

	for (size_t i = 0; f->op == PAT_EQ && i < f->nvalues; i++)
		networks = networks || observe_is_network(f, f->values[i].text);
	if (f->op != PAT_EQ)
		add_test(mem, t, f->op, f->denied, f->values, f->nvalues);
	else if (!networks)
		add_test(mem, t, f->nvalues == 1 ? PAT_EQ : PAT_IN, f->denied, f->values, f->nvalues);
	else
		for (size_t i = 0; i < f->nvalues; i++)
			add_test(mem, t, observe_is_network(f, f->values[i].text) ? PAT_ISSUBSET :
			    PAT_EQ, f->denied, &f->values[i], 1);
}

/* A hash that is none of its name would not be read again. */
static bool
is_no_hash(struct arena *mem, const struct sought *f)
{
	const struct pat_step *name = &f->steps[f->nsteps - 1];
	struct slice ignored;

	if (f->nsteps < 2 || f->op != PAT_EQ || name->kind != PAT_STEP_NAME ||
	    !slice_is(name[-1].name, "hashes"))
		return false;
	for (size_t i = 0; i < f->nvalues; i++)
		if (!value_hash(name->name, f->values[i].text, mem, &ignored))
			return true;
	return false;
}

/* Let a leaf say these facts: all of one path and one kind of value, all or any of them. */
static bool
say(struct arena *mem, struct cx *leaf, const struct sought *const *facts, size_t n, bool either)
{
	enum pat_literal_kind kind = facts[0]->nvalues > 0 ? facts[0]->values[0].kind : PAT_STRING;
	struct tests t = { 0 };
	struct cx more = { .kind = CX_LEAF };

	for (size_t i = 0; i < n; i++) {
		size_t before = t.n;

		if (facts[i]->nvalues == 0 || is_no_hash(mem, facts[i]))
			return false;
		for (size_t k = 0; k < facts[i]->nvalues; k++)
			if (facts[i]->values[k].kind != kind)
				return false;
		add_tests(mem, &t, facts[i]);
		/* a fact of several comparisons: any of them, or none where it is denied */
		if (t.n - before > 1 && n > 1 && facts[i]->denied == either)
			return false;
		if (n == 1 && t.n > 1)
			either = !facts[i]->denied;
	}
	more.tests = t.v;
	more.ntests = t.n;
	more.either = either && t.n > 1;
	if (leaf->ntests > 0)
		return cx_add_tests(mem, leaf, &more);
	leaf->value = kind;
	leaf->tests = t.v;
	leaf->ntests = t.n;
	leaf->either = more.either;
	return true;
}

static bool
same_path(const struct sought *a, const struct sought *b)
{
	return a->kind == SOUGHT_FACT && b->kind == SOUGHT_FACT && slice_eq(a->path, b->path);
}

/* One of several comparisons. */
static bool
add_same_path(struct arena *mem, struct cx *root, const struct sought *s)
{
	struct cx *leaf;

	for (size_t i = 0; i < s->nkids; i++)
		if (!same_path(s->kids[i], s->kids[0]))
			return false;
	leaf = make_leaf(mem, root, s->kids[0]);
	return leaf != NULL && leaf->ntests == 0 &&
	    say(mem, leaf, (const struct sought *const *)s->kids, s->nkids, true);
}

/* Is it about a hash, and of the same file as `as`? */
static bool
is_hash_of(const struct sought *f, const struct sought *as)
{
	if (f->kind != SOUGHT_FACT || f->nsteps < 2 || f->nsteps != as->nsteps ||
	    !slice_eq(f->object, as->object) || !slice_is(f->steps[f->nsteps - 2].name, "hashes"))
		return false;
	for (size_t i = 0; i + 1 < f->nsteps; i++)
		if (f->steps[i].kind != as->steps[i].kind ||
		    !slice_eq(f->steps[i].name, as->steps[i].name))
			return false;
	return true;
}

/* Alternative hashes of one file. */
static bool
add_hashes(struct arena *mem, struct cx *root, const struct sought *s)
{
	struct cx *leaf, *hashes;

	for (size_t i = 0; i < s->nkids; i++)
		if (!is_hash_of(s->kids[i], s->kids[0]))
			return false;
	leaf = make_leaf(mem, root, s->kids[0]);
	hashes = leaf == NULL ? NULL : leaf->parent;
	if (hashes == NULL || hashes->first != hashes->last || leaf->ntests > 0)
		return false;
	hashes->any = true;
	for (size_t i = 0; i < s->nkids; i++) {
		const struct sought *k = s->kids[i];

		if (i > 0)
			leaf = cx_add(mem, hashes, CX_LEAF, k->steps[k->nsteps - 1].name);
		if (!say(mem, leaf, &k, 1, false))
			return false;
	}
	return true;
}

/* Let an object say an expression; false if it cannot. `inside`: other conditions stand beside it. */
static bool
add_expression(struct arena *mem, struct cx *root, const struct sought *s, bool inside)
{
	struct cx *leaf;

	if (s->kind == SOUGHT_FACT) {
		if (!slice_eq(s->object, root->type) || (leaf = make_leaf(mem, root, s)) == NULL)
			return false;
		return (leaf->parent->any && leaf->parent->kind == CX_OBJECT) ? false :
		    say(mem, leaf, &s, 1, false);
	}
	if (s->kind == SOUGHT_ALL) {
		if (s->nkids > TESTS_MAX)
			return false;
		for (size_t i = 0; i < s->nkids; i++)
			if (!add_expression(mem, root, s->kids[i], true))
				return false;
		return true;
	}
	if (s->kids[0]->kind != SOUGHT_FACT || !slice_eq(s->kids[0]->object, root->type))
		return false;
	if (same_path(s->kids[0], s->kids[s->nkids - 1]))
		return add_same_path(mem, root, s);
	return inside && add_hashes(mem, root, s);
}

/* Observables. */

static struct xml_node *write_expression(struct form *f, const struct sought *s);

static struct xml_node *
new_observable(struct form *f)
{
	struct cx_writer *w = &f->w;
	struct xml_node *el = xml_new(w->mem, cx_namespace(SLICE_LIT("cybox")), "cybox", "Observable");
	struct slice key = w->key;

	if (f->observables > 0)
		key = slice_of(arena_fmt(w->mem, "%.*s|%zu", SLICE_ARG(w->key), f->observables));
	f->observables++;
	xml_set(w->mem, el, "id", w->job->name(w->job->arg, "Observable", key));
	return el;
}

/* The type that the first fact speaks of. */
static struct slice
first_object(const struct sought *s)
{
	while (s->kind != SOUGHT_FACT)
		s = s->kids[0];
	return s->object;
}

/* "dst_ref.type = 'ipv4-addr'" beside a value that is one. */
static bool
is_implied(struct cx_writer *w, const struct cx *leaf)
{
	const struct cx *o = leaf->parent;

	if (!slice_is(leaf->name, "type") || cx_plain(leaf) == NULL || o->parent == NULL ||
	    !slice_eq(*cx_plain(leaf), o->type) || o->first == o->last)
		return false;
	w->respelled = true;
	return true;
}

static bool
all_done(struct cx_writer *w, const struct cx *o)
{
	if (o->kind == CX_LEAF && !o->done && !is_implied(w, o))
		return false;
	for (const struct cx *k = o->first; k != NULL; k = k->next) {
		if (!all_done(w, k))
			return false;
	}
	return true;
}

/* The expression as one object; NULL if one cannot say it. */
static struct xml_node *
write_one(struct form *f, const struct sought *s)
{
	struct cx_writer *w = &f->w;
	struct cx *root = cx_object(w->mem, arena_str(w->mem, first_object(s)));
	struct form before = *f;
	struct xml_node *el, *object;

	if (f->objects >= OBJECTS_MAX || !add_expression(w->mem, root, s, false))
		return NULL;
	el = new_observable(f);
	object = xml_new(w->mem, cx_namespace(SLICE_LIT("cybox")), "cybox", "Object");
	xml_set(w->mem, object, "id", w->job->name(w->job->arg, "Object",
	    slice_of(arena_fmt(w->mem, "%.*s|%zu", SLICE_ARG(w->key), ++w->inlined))));
	if (!cx_write_object(w, root, object) || !all_done(w, root)) {
		*f = before;
		return NULL;
	}
	f->objects++;
	xml_append(el, object);
	return el;
}

static struct xml_node *
compose(struct form *f, bool all, const struct sought *const *kids, size_t n,
    struct xml_node *(*write)(struct form *, const struct sought *))
{
	struct cx_writer *w = &f->w;
	struct xml_node *el = new_observable(f), *list, *k;

	list = xml_add(w->mem, el, "Observable_Composition");
	xml_set(w->mem, list, "operator", all ? SLICE_LIT("AND") : SLICE_LIT("OR"));
	for (size_t i = 0; i < n; i++) {
		if ((k = write(f, kids[i])) == NULL)
			return NULL;
		xml_append(list, k);
	}
	return el;
}

/* A node over other kids. */
static struct sought *
node_over(struct arena *mem, enum sought_kind kind, size_t room)
{
	struct sought *s = arena_alloc(mem, sizeof(*s));

	s->kind = kind;
	s->kids = room == 0 ? NULL : arena_alloc(mem, room * sizeof(*s->kids));
	return s;
}

/* What stands for any of several: its kids, or a fact for each value. NULL if it is no choice, or one of
 * too many. */
static struct sought **
choice(struct arena *mem, struct sought *s, size_t *n)
{
	struct sought **ways;

	*n = s->kind == SOUGHT_ANY ? s->nkids : s->nvalues;
	if (*n < 2 || *n > OBJECTS_MAX || (s->kind == SOUGHT_FACT && s->denied))
		return NULL;
	if (s->kind == SOUGHT_ANY)
		return s->kids;
	ways = arena_alloc(mem, *n * sizeof(*ways));
	for (size_t i = 0; i < *n; i++) {
		ways[i] = arena_alloc(mem, sizeof(*ways[i]));
		*ways[i] = *s;
		ways[i]->values = &s->values[i];
		ways[i]->nvalues = 1;
	}
	return ways;
}

/* (a OR b) AND c is (a AND c) OR (b AND c): the i-th part of an ALL taken apart. */
static struct xml_node *
distribute(struct form *f, const struct sought *s, size_t at)
{
	struct arena *mem = f->w.mem;
	struct sought **parts, **ways;
	size_t n;

	if ((parts = choice(mem, s->kids[at], &n)) == NULL)
		return NULL;
	ways = arena_alloc(mem, n * sizeof(*ways));
	for (size_t i = 0; i < n; i++) {
		struct sought *way = node_over(mem, SOUGHT_ALL, s->nkids);

		way->nkids = s->nkids;
		memcpy(way->kids, s->kids, s->nkids * sizeof(*way->kids));
		way->kids[at] = parts[i];
		ways[i] = way;
	}
	return compose(f, false, (const struct sought *const *)ways, n, write_expression);
}

/* Conditions on different objects: one Observable for each object. What binds them to one observation is
 * lost. */
static struct xml_node *
write_apart(struct form *f, const struct sought *s)
{
	struct arena *mem = f->w.mem;
	struct sought **groups = arena_alloc(mem, s->nkids * sizeof(*groups));
	size_t n = 0;

	for (size_t i = 0; i < s->nkids; i++) {
		struct slice object = first_object(s->kids[i]);
		struct sought *g = NULL;

		for (size_t k = 0; k < n && g == NULL; k++)
			g = slice_eq(first_object(groups[k]), object) ? groups[k] : NULL;
		if (g == NULL)
			g = groups[n++] = node_over(mem, SOUGHT_ALL, s->nkids);
		g->kids[g->nkids++] = s->kids[i];
	}
	if (n < 2)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (groups[i]->nkids == 1)
			groups[i] = groups[i]->kids[0];
	f->wider = true;
	return compose(f, true, (const struct sought *const *)groups, n, write_expression);
}

/* Alternatives: those of one path together, one Observable for each of the others. */
static struct xml_node *
write_alternatives(struct form *f, struct sought *s)
{
	struct arena *mem = f->w.mem;
	struct sought **ways = arena_alloc(mem, OBJECTS_MAX * sizeof(*ways)), **parts;
	size_t caps[OBJECTS_MAX] = { 0 }, n = 0, nparts;

	if ((parts = s->kind == SOUGHT_FACT ? choice(mem, s, &nparts) : NULL) != NULL)
		return compose(f, false, (const struct sought *const *)parts, nparts, write_expression);
	for (size_t i = 0; i < s->nkids; i++) {
		size_t k = 0;

		while (k < n && !same_path(ways[k]->kids[0], s->kids[i]))
			k++;
		if (k == OBJECTS_MAX)
			return NULL;
		if (k == n)
			ways[n++] = node_over(mem, SOUGHT_ANY, 0);
		ways[k]->kids = arena_grow(mem, ways[k]->kids, ways[k]->nkids, &caps[k],
		    sizeof(*ways[k]->kids));
		ways[k]->kids[ways[k]->nkids++] = s->kids[i];
	}
	for (size_t k = 0; k < n; k++)
		if (ways[k]->nkids == 1)
			ways[k] = ways[k]->kids[0];
	return n < 2 ? NULL :
	    compose(f, false, (const struct sought *const *)ways, n, write_expression);
}

/* The first part that is a choice; nkids if there is none. */
static size_t
find_choice(const struct sought *s)
{
	size_t at = 0;

	while (at < s->nkids && s->kids[at]->kind != SOUGHT_ANY)
		at++;
	if (at < s->nkids)
		return at;
	for (at = 0; at < s->nkids; at++)
		if (s->kids[at]->kind == SOUGHT_FACT && s->kids[at]->nvalues > 1 && !s->kids[at]->denied)
			break;
	return at;
}

/* What stands between the brackets of an observation. */
static struct xml_node *
write_expression(struct form *f, const struct sought *s)
{
	struct xml_node *el;
	size_t at;

	if (f->w.deep >= CX_DEEP || (el = write_one(f, s)) != NULL || f->objects >= OBJECTS_MAX)
		return f->w.deep >= CX_DEEP || f->objects >= OBJECTS_MAX ? NULL : el;
	f->w.deep++;
	if (s->kind != SOUGHT_ALL)
		el = write_alternatives(f, (struct sought *)(uintptr_t)s);
	else if ((at = find_choice(s)) < s->nkids)
		el = distribute(f, s, at);
	else
		el = write_apart(f, s);
	f->w.deep--;
	return el;
}

static struct xml_node *
write_observation(struct form *f, const struct sought *s)
{
	struct xml_node *el;

	if (f->w.deep >= CX_DEEP)
		return NULL;
	f->w.deep++;
	el = !s->apart ? write_expression(f, s) : compose(f, s->kind == SOUGHT_ALL,
	    (const struct sought *const *)s->kids, s->nkids, write_observation);
	f->w.deep--;
	return el;
}

struct xml_node *
cybox_write_pattern(const struct cybox_write *job, const struct pat_node *p, struct slice key,
    enum cybox_extent *ext)
{
	struct form f = { .w = { .job = job, .mem = job->mem, .pattern = true, .key = key } };
	const struct sought *s = observe_reduce(p, job->mem);
	struct xml_node *el = NULL;

	if ((s->has & (SOUGHT_ORDERED | SOUGHT_WHEN)) == 0)
		el = write_observation(&f, s);
	*ext = el == NULL ? CYBOX_NOTHING : f.w.respelled ? CYBOX_UNLIKE : f.wider ? CYBOX_WIDER :
	    CYBOX_EXACT;
	return el;
}
