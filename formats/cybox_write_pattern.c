/* cybox_write_pattern.c -- a STIX pattern as an Observable (see cybox.h). */
#include <string.h>

#include "formats/cybox_impl.h"
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

/* Tests into trees. */

/* What a reference is to, when only what it is compared with tells. */
static const char *
type_of_value(struct arena *mem, const struct pat_node *test)
{
	struct slice v = test->nvalues > 0 ? test->values[0].text : SLICE_EMPTY, out;

	if (slice_is(test->path[test->npath - 1].name, "type"))
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
set_type(struct arena *mem, struct cx *o, struct slice member, const struct pat_node *test, size_t i)
{
	const char *known = cx_ref_type(member);

	if (o->kind != CX_OBJECT || o->type.n > 0 || !cx_is_ref_name(member))
		return;
	if (known[0] == '\0' && (slice_is(member, "src_ref") || slice_is(member, "dst_ref") ||
	    slice_is(member, "resolves_to_refs")))
		known = type_of_value(mem, test);
	else if (known[0] == '\0' && i + 1 < test->npath &&
	    slice_is(test->path[i + 1].name, "payload_bin"))
		known = "artifact";
	o->type = slice_of(known[0] == '\0' ? "file" : known);
}

/* The item of a list that a test speaks of: what is said of [*] is said of one thing as long as it can be.
 * NULL if there has to be another. */
static struct cx *
open_item(const struct cx *list, const struct pat_node *test, size_t i)
{
	struct cx *item = list->last;
	const struct cx *at = item;

	if (item == NULL || item->kind != CX_OBJECT || i + 1 == test->npath)
		return NULL;
	while (at != NULL && at->kind == CX_OBJECT && ++i < test->npath)
		at = test->path[i].kind == PAT_STEP_NAME ? cx_member(at, test->path[i].name) : NULL;
	return at != NULL && at->kind == CX_LEAF ? NULL : item;
}

/* The leaf that a test speaks of, made anew in lists; NULL if it is no leaf of ours. */
static struct cx *
make_leaf(struct arena *mem, struct cx *root, const struct pat_node *test)
{
	struct cx *at = root;
	struct slice member = SLICE_EMPTY;

	for (size_t i = 0; i < test->npath; i++) {
		const struct pat_step *step = &test->path[i];
		bool last = i + 1 == test->npath;
		bool list = !last && test->path[i + 1].kind != PAT_STEP_NAME;
		enum cx_kind kind = list ? CX_LIST : last ? CX_LEAF : CX_OBJECT;
		struct cx *k = NULL;

		if (step->kind == PAT_STEP_INDEX || (step->kind == PAT_STEP_ANY && at->kind != CX_LIST))
			return NULL;
		if (step->kind == PAT_STEP_NAME)
			k = cx_member(at, member = step->name);
		else
			k = open_item(at, test, i);
		if (k != NULL && k->kind != kind)
			return NULL;
		at = k != NULL ? k : cx_add(mem, at, kind, step->kind == PAT_STEP_ANY ? SLICE_EMPTY :
		    step->name);
		set_type(mem, at, member, test, i);
	}
	return at->kind == CX_LEAF ? at : NULL;
}

static struct cx_test
test_of(struct arena *mem, const struct pat_node *p)
{
	struct cx_test t = { .op = p->op, .negated = p->negated, .n = p->nvalues };

	t.v = arena_alloc(mem, (p->nvalues + 1) * sizeof(*t.v));
	for (size_t i = 0; i < p->nvalues; i++)
		t.v[i] = p->values[i].text;
	return t;
}

/* Let a leaf say these tests, all or any of them. */
static bool
say(struct arena *mem, struct cx *leaf, struct pat_node *const *tests, size_t n, bool either)
{
	struct cx more = { .kind = CX_LEAF, .either = either, .ntests = n };

	more.tests = arena_alloc(mem, (n + 1) * sizeof(*more.tests));
	for (size_t i = 0; i < n; i++) {
		if (tests[i]->nvalues == 0 || tests[i]->values[0].kind != tests[0]->values[0].kind)
			return false;
		more.tests[i] = test_of(mem, tests[i]);
	}
	if (leaf->ntests > 0)
		return cx_add_tests(mem, leaf, &more);
	leaf->value = tests[0]->values[0].kind;
	leaf->tests = more.tests;
	leaf->ntests = n;
	leaf->either = either && n > 1;
	return true;
}

static bool
same_path(const struct pat_node *a, const struct pat_node *b)
{
	if (a->kind != PAT_TEST || b->kind != PAT_TEST || a->npath != b->npath ||
	    !slice_eq(a->object, b->object))
		return false;
	for (size_t i = 0; i < a->npath; i++) {
		if (a->path[i].kind != b->path[i].kind || !slice_eq(a->path[i].name, b->path[i].name))
			return false;
	}
	return true;
}

/* One of several values: one comparison with a list where all are equalities. */
static bool
add_same_path(struct arena *mem, struct cx *root, const struct pat_node *p)
{
	struct cx *leaf;
	size_t n = 0;
	struct cx_test *t;

	for (size_t i = 0; i < p->nkids; i++) {
		const struct pat_node *k = p->kids[i];

		if (!same_path(k, p->kids[0]))
			return false;
		n += !k->negated && (k->op == PAT_EQ || k->op == PAT_IN) ? k->nvalues : 0;
	}
	if ((leaf = make_leaf(mem, root, p->kids[0])) == NULL || leaf->ntests > 0 ||
	    !say(mem, leaf, p->kids, p->nkids, true))
		return false;
	for (size_t i = 0; i < p->nkids; i++) {
		if (p->kids[i]->negated || (p->kids[i]->op != PAT_EQ && p->kids[i]->op != PAT_IN))
			return true;
	}
	t = arena_alloc(mem, sizeof(*t));
	t->op = PAT_IN;
	t->v = arena_alloc(mem, (n + 1) * sizeof(*t->v));
	for (size_t i = 0; i < leaf->ntests; i++)
		for (size_t j = 0; j < leaf->tests[i].n; j++)
			t->v[t->n++] = leaf->tests[i].v[j];
	leaf->tests = t;
	leaf->ntests = 1;
	leaf->either = false;
	return true;
}

/* Is it a test of a hash, and of the same file as `as`? */
static bool
is_hash_test(const struct pat_node *p, const struct pat_node *as)
{
	if (p->kind != PAT_TEST || p->npath < 2 || p->npath != as->npath ||
	    !slice_eq(p->object, as->object) || !slice_is(p->path[p->npath - 2].name, "hashes"))
		return false;
	for (size_t i = 0; i + 1 < p->npath; i++) {
		if (p->path[i].kind != as->path[i].kind || !slice_eq(p->path[i].name, as->path[i].name))
			return false;
	}
	return true;
}

/* Alternative hashes of one file. */
static bool
add_hashes(struct arena *mem, struct cx *root, const struct pat_node *p)
{
	struct cx *leaf, *hashes;
	struct pat_node *k;

	for (size_t i = 0; i < p->nkids; i++) {
		if (p->kids[i]->kind != PAT_TEST || !is_hash_test(p->kids[i], p->kids[0]))
			return false;
	}
	leaf = make_leaf(mem, root, p->kids[0]);
	hashes = leaf == NULL ? NULL : leaf->parent;
	if (hashes == NULL || hashes->first != hashes->last || leaf->ntests > 0)
		return false;
	hashes->any = true;
	for (size_t i = 0; i < p->nkids; i++) {
		k = p->kids[i];
		if (i > 0)
			leaf = cx_add(mem, hashes, CX_LEAF, k->path[k->npath - 1].name);
		if (!say(mem, leaf, &k, 1, false))
			return false;
	}
	return true;
}

/* Let an object say an expression; false if it cannot. `inside`: other conditions stand beside it. */
static bool
add_expression(struct arena *mem, struct cx *root, const struct pat_node *p, bool inside)
{
	struct pat_node *one = (struct pat_node *)(uintptr_t)p;
	struct cx *leaf;

	switch (p->kind) {
	case PAT_TEST:
		if (!slice_eq(p->object, root->type) || (leaf = make_leaf(mem, root, p)) == NULL)
			return false;
		return (leaf->parent->any && leaf->parent->kind == CX_OBJECT) ? false :
		    say(mem, leaf, &one, 1, false);
	case PAT_AND:
		if (p->nkids > TESTS_MAX)
			return false;
		for (size_t i = 0; i < p->nkids; i++) {
			if (!add_expression(mem, root, p->kids[i], true))
				return false;
		}
		return true;
	case PAT_OR:
		if (p->kids[0]->kind != PAT_TEST || !slice_eq(p->kids[0]->object, root->type))
			return false;
		if (same_path(p->kids[0], p->kids[p->nkids - 1]))
			return add_same_path(mem, root, p);
		return inside && add_hashes(mem, root, p);
	default:
		return false;
	}
}

/* Observables. */

static struct xml_node *write_expression(struct form *f, const struct pat_node *p);

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

/* The type that the first comparison speaks of. */
static struct slice
first_object(const struct pat_node *p)
{
	while (p->kind != PAT_TEST)
		p = p->kids[0];
	return p->object;
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
write_one(struct form *f, const struct pat_node *p)
{
	struct cx_writer *w = &f->w;
	struct cx *root = cx_object(w->mem, arena_str(w->mem, first_object(p)));
	struct form before = *f;
	struct xml_node *el, *object;

	if (f->objects >= OBJECTS_MAX || !add_expression(w->mem, root, p, false))
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
compose(struct form *f, bool all, struct pat_node *const *kids, size_t n,
    struct xml_node *(*write)(struct form *, const struct pat_node *))
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

/* (a OR b) AND c is (a AND c) OR (b AND c): the i-th part of an AND taken apart. */
static struct xml_node *
distribute(struct form *f, const struct pat_node *p, size_t at)
{
	struct arena *mem = f->w.mem;
	const struct pat_node *or = p->kids[at];
	struct pat_node **ways = arena_alloc(mem, or->nkids * sizeof(struct pat_node *));

	if (or->nkids > OBJECTS_MAX)
		return NULL;
	for (size_t i = 0; i < or->nkids; i++) {
		struct pat_node *way = arena_alloc(mem, sizeof(*way));

		*way = *p;
		way->kids = arena_alloc(mem, p->nkids * sizeof(struct pat_node *));
		memcpy(way->kids, p->kids, p->nkids * sizeof(struct pat_node *));
		way->kids[at] = or->kids[i];
		ways[i] = way;
	}
	return compose(f, false, ways, or->nkids, write_expression);
}

/* Conditions on different objects: one Observable for each object. What binds them to one observation is
 * lost. */
static struct xml_node *
write_apart(struct form *f, const struct pat_node *p)
{
	struct arena *mem = f->w.mem;
	struct pat_node **groups = arena_alloc(mem, p->nkids * sizeof(struct pat_node *));
	size_t n = 0;

	for (size_t i = 0; i < p->nkids; i++) {
		struct slice object = first_object(p->kids[i]);
		struct pat_node *g = NULL;

		for (size_t k = 0; k < n && g == NULL; k++)
			g = slice_eq(first_object(groups[k]), object) ? groups[k] : NULL;
		if (g == NULL) {
			g = groups[n++] = arena_alloc(mem, sizeof(*g));
			g->kind = PAT_AND;
			g->kids = arena_alloc(mem, p->nkids * sizeof(struct pat_node *));
		}
		g->kids[g->nkids++] = p->kids[i];
	}
	if (n < 2)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (groups[i]->nkids == 1)
			groups[i] = groups[i]->kids[0];
	}
	f->wider = true;
	return compose(f, true, groups, n, write_expression);
}

/* Alternatives: those of one path together, one Observable for each of the others. */
static struct xml_node *
write_alternatives(struct form *f, const struct pat_node *p)
{
	struct arena *mem = f->w.mem;
	struct pat_node **ways = arena_alloc(mem, OBJECTS_MAX * sizeof(struct pat_node *));
	bool *made = arena_alloc(mem, OBJECTS_MAX * sizeof(bool));
	size_t n = 0;

	for (size_t i = 0; i < p->nkids; i++) {
		struct pat_node *kid = p->kids[i], *way;
		size_t k = 0;

		while (k < n && !same_path(made[k] ? ways[k]->kids[0] : ways[k], kid))
			k++;
		if (k == OBJECTS_MAX)
			return NULL;
		if (k == n) {
			ways[n++] = kid;
			continue;
		}
		way = ways[k];
		if (!made[k]) {
			way = arena_alloc(mem, sizeof(*way));
			way->kind = PAT_OR;
			way->kids = arena_alloc(mem, p->nkids * sizeof(struct pat_node *));
			way->kids[way->nkids++] = ways[k];
			ways[k] = way;
			made[k] = true;
		}
		way->kids[way->nkids++] = kid;
	}
	return n < 2 ? NULL : compose(f, false, ways, n, write_expression);
}

/* What stands between the brackets of an observation. */
static struct xml_node *
write_expression(struct form *f, const struct pat_node *p)
{
	struct xml_node *el;

	if (f->w.deep >= CX_DEEP || (el = write_one(f, p)) != NULL || f->objects >= OBJECTS_MAX)
		return f->w.deep >= CX_DEEP || f->objects >= OBJECTS_MAX ? NULL : el;
	if (p->kind == PAT_TEST)
		return NULL;
	f->w.deep++;
	if (p->kind == PAT_OR) {
		el = write_alternatives(f, p);
	} else {
		size_t at = 0;

		while (at < p->nkids && p->kids[at]->kind != PAT_OR)
			at++;
		el = at < p->nkids ? distribute(f, p, at) : write_apart(f, p);
	}
	f->w.deep--;
	return el;
}

static struct xml_node *
write_observation(struct form *f, const struct pat_node *p)
{
	struct xml_node *el = NULL;

	if (p->nquals > 0 || p->kind == PAT_OBS_FOLLOWEDBY || f->w.deep >= CX_DEEP)
		return NULL;
	f->w.deep++;
	if (p->kind == PAT_OBS)
		el = write_expression(f, p->kids[0]);
	else if (p->kind == PAT_OBS_GROUP)
		el = write_observation(f, p->kids[0]);
	else if (p->kind == PAT_OBS_AND || p->kind == PAT_OBS_OR)
		el = compose(f, p->kind == PAT_OBS_AND, p->kids, p->nkids, write_observation);
	f->w.deep--;
	return el;
}

struct xml_node *
cybox_write_pattern(const struct cybox_write *job, const struct pat_node *p, struct slice key,
    enum cybox_extent *ext)
{
	struct form f = { .w = { .job = job, .mem = job->mem, .pattern = true, .key = key } };
	struct xml_node *el = write_observation(&f, p);

	*ext = el == NULL ? CYBOX_NOTHING : f.w.respelled ? CYBOX_UNLIKE : f.wider ? CYBOX_WIDER :
	    CYBOX_EXACT;
	return el;
}
