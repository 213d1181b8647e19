/* cybox_pattern.c -- an Observable as a STIX pattern (see cybox.h). */
#include <string.h>

#include "formats/cybox_impl.h"

enum { PATH_MAX_STEPS = 40 };

/* Nodes of patterns. */

static struct pat_node *
new_node(struct arena *mem, enum pat_kind kind, struct pat_node *const *kids, size_t n)
{
	struct pat_node *p = arena_alloc(mem, sizeof(*p));

	p->kind = kind;
	p->nkids = n;
	p->kids = arena_alloc(mem, (n + 1) * sizeof(struct pat_node *));
	if (n > 0)
		memcpy(p->kids, kids, n * sizeof(*kids));
	return p;
}

struct list {
	struct pat_node	**v;
	size_t		  n, cap;
};

static void
push(struct arena *mem, struct list *l, struct pat_node *p)
{
	l->v = arena_grow(mem, l->v, l->n, &l->cap, sizeof(struct pat_node *));
	l->v[l->n++] = p;
}

/* Kids of the same kind are taken in; one alone stays what it is. */
static struct pat_node *
flat(struct arena *mem, enum pat_kind kind, const struct list *l)
{
	struct list all = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		struct pat_node *k = l->v[i];

		if (k->kind != kind || k->nquals > 0)
			push(mem, &all, k);
		else
			for (size_t j = 0; j < k->nkids; j++)
				push(mem, &all, k->kids[j]);
	}
	if (all.n == 0)
		return NULL;
	return all.n == 1 ? all.v[0] : new_node(mem, kind, all.v, all.n);
}

static bool
is_plain_observation(const struct pat_node *p)
{
	return p->kind == PAT_OBS && p->nquals == 0;
}

/* [a] OR [b] is [a OR b]. */
struct pat_node *
cybox_join(struct arena *mem, bool all, struct pat_node *const *kids, size_t n)
{
	struct list l = { 0 }, inner = { 0 };
	bool merge = !all;
	struct pat_node *p;

	for (size_t i = 0; i < n; i++) {
		if (kids[i] == NULL)
			continue;
		push(mem, &l, kids[i]);
		merge = merge && is_plain_observation(kids[i]);
		if (merge)
			push(mem, &inner, kids[i]->kids[0]);
	}
	if (l.n < 2 || !merge)
		return flat(mem, all ? PAT_OBS_AND : PAT_OBS_OR, &l);
	p = flat(mem, PAT_OR, &inner);
	return new_node(mem, PAT_OBS, &p, 1);
}

/* The opposite of one comparison. */
static struct pat_node *
negate_test(struct arena *mem, const struct pat_node *p)
{
	struct pat_node *neg = arena_alloc(mem, sizeof(*neg));

	*neg = *p;
	if (!p->negated && (p->op == PAT_EQ || p->op == PAT_NE))
		neg->op = p->op == PAT_EQ ? PAT_NE : PAT_EQ;
	else
		neg->negated = !p->negated;
	return neg;
}

struct pat_node *
cybox_negate(struct arena *mem, const struct pat_node *p)
{
	static const enum pat_kind opposite[] = {
		[PAT_OBS] = PAT_OBS, [PAT_OBS_AND] = PAT_OBS_OR, [PAT_OBS_OR] = PAT_OBS_AND,
		[PAT_AND] = PAT_OR, [PAT_OR] = PAT_AND,
	};
	struct list l = { 0 };

	if (p->kind == PAT_TEST)
		return negate_test(mem, p);
	if (p->nquals > 0 || p->kind == PAT_OBS_FOLLOWEDBY)
		return NULL;
	for (size_t i = 0; i < p->nkids; i++) {
		struct pat_node *k = cybox_negate(mem, p->kids[i]);

		if (k == NULL)
			return NULL;
		push(mem, &l, k);
	}
	if (p->kind == PAT_OBS_GROUP)
		return l.v[0];
	if (p->kind == PAT_OBS)
		return new_node(mem, PAT_OBS, l.v, l.n);
	if (p->kind == PAT_OBS_AND)
		return cybox_join(mem, false, l.v, l.n);
	return flat(mem, opposite[p->kind], &l);
}

/* Trees as comparisons. */

struct printer {
	struct arena	*mem;
	struct slice	 object;
	struct pat_step	 path[PATH_MAX_STEPS];
	size_t		 npath;
};

static struct pat_node *
one_test(struct printer *pr, const struct cx *leaf, const struct cx_test *t)
{
	struct pat_node *p = new_node(pr->mem, PAT_TEST, NULL, 0);

	p->object = pr->object;
	p->npath = pr->npath;
	p->path = arena_alloc(pr->mem, (pr->npath + 1) * sizeof(*p->path));
	memcpy(p->path, pr->path, pr->npath * sizeof(*p->path));
	p->op = t->op;
	p->negated = t->negated;
	p->nvalues = t->n;
	p->values = arena_alloc(pr->mem, (t->n + 1) * sizeof(*p->values));
	for (size_t i = 0; i < t->n; i++) {
		p->values[i].kind = leaf->value;
		p->values[i].text = t->v[i];
	}
	return p;
}

static struct pat_node *
compare_leaf(struct printer *pr, const struct cx *leaf)
{
	struct list l = { 0 };

	for (size_t i = 0; i < leaf->ntests; i++)
		push(pr->mem, &l, one_test(pr, leaf, &leaf->tests[i]));
	return flat(pr->mem, leaf->either ? PAT_OR : PAT_AND, &l);
}

/* What a node and all below it say; NULL if nothing. */
static struct pat_node *
compare(struct printer *pr, const struct cx *n)
{
	struct list l = { 0 };

	if (n->kind == CX_LEAF)
		return compare_leaf(pr, n);
	if (pr->npath == PATH_MAX_STEPS)
		return NULL;
	for (const struct cx *k = n->first; k != NULL; k = k->next) {
		struct pat_step *step = &pr->path[pr->npath++];
		struct pat_node *p;

		step->kind = n->kind == CX_LIST ? PAT_STEP_ANY : PAT_STEP_NAME;
		step->name = n->kind == CX_LIST ? SLICE_EMPTY : k->name;
		if ((p = compare(pr, k)) != NULL)
			push(pr->mem, &l, p);
		pr->npath--;
	}
	return flat(pr->mem, n->any ? PAT_OR : PAT_AND, &l);
}

/* An object as an observation. */
static struct pat_node *
observation(struct arena *mem, const struct cx *o)
{
	struct printer pr = { .mem = mem, .object = o->type };
	struct pat_node *p = compare(&pr, o);

	return p == NULL ? NULL : new_node(mem, PAT_OBS, &p, 1);
}

/* Observables. */

static struct pat_node *read_any(struct cx_reader *rd, struct xml_node *n, enum cybox_extent *ext);

/* Is it one of the attachments that the message has already said? */
static bool
is_attached(const struct xml_node *object, const struct xml_node *related)
{
	struct xml_node *list = cx_child(cx_properties(object), "Attachments");
	struct xml_attr *id = xml_attr(related, "id");

	if (id == NULL)
		id = xml_attr(related, "idref");
	for (struct xml_node *k = list == NULL ? NULL : cx_child(list, "File"); id != NULL && k != NULL;
	    k = cx_again(k)) {
		struct xml_attr *ref = xml_attr(k, "object_reference");

		if (ref != NULL && ref->mark == XML_KEPT &&
		    slice_eq(slice_trim(ref->value), slice_trim(id->value)))
			return true;
	}
	return false;
}

/* Related objects: those that a property can hold go into o, the others are observed beside it. */
static void
read_related(struct cx_reader *rd, struct xml_node *object, struct cx *o, struct list *beside,
    enum cybox_extent *ext)
{
	struct xml_node *list = cx_child(object, "Related_Objects");
	struct xml_node *k = list == NULL ? NULL : cx_child(list, "Related_Object");

	for (; k != NULL; k = cx_again(k)) {
		enum cybox_extent one;
		struct pat_node *p;

		if (o != NULL && (is_attached(object, k) || cx_read_related(rd, k, o))) {
			cx_mark_relationship(k, XML_KEPT);
			continue;
		}
		if ((p = read_any(rd, k, &one)) != NULL)
			push(rd->mem, beside, p);
		cx_mark_relationship(k, p == NULL ? XML_UNSEEN : XML_APPROXIMATED);
		*ext = cybox_join_extent(*ext, CYBOX_WIDER);
	}
}

static struct pat_node *
read_object(struct cx_reader *rd, struct xml_node *object, enum cybox_extent *ext)
{
	struct xml_node *props = cx_properties(object);
	struct list all = { 0 }, beside = { 0 };
	struct pat_node *p;
	struct cx *o = NULL;
	bool left_out = false;

	*ext = CYBOX_NOTHING;
	if (props != NULL) {
		rd->left_out = false;
		o = cx_read_properties(rd, props);
		left_out = cx_sweep(rd, props) || rd->left_out;
	}
	rd->left_out = false;
	read_related(rd, object, o, &beside, ext);
	left_out = left_out || rd->left_out;
	if (o != NULL && (p = observation(rd->mem, o)) != NULL) {
		push(rd->mem, &all, p);
		*ext = cybox_join_extent(*ext, left_out ? CYBOX_WIDER : CYBOX_EXACT);
	}
	for (size_t i = 0; i < beside.n; i++)
		push(rd->mem, &all, beside.v[i]);
	return cybox_join(rd->mem, true, all.v, all.n);
}

static struct pat_node *
read_composition(struct cx_reader *rd, struct xml_node *n, enum cybox_extent *ext)
{
	struct xml_attr *operator= xml_attr(n, "operator");
	bool all = operator== NULL || !slice_is_nocase(slice_trim(operator->value), "OR");
	struct list l = { 0 };
	bool lost = false;

	*ext = CYBOX_NOTHING;
	for (struct xml_node *k = cx_child(n, "Observable"); k != NULL; k = cx_again(k)) {
		enum cybox_extent one;
		struct pat_node *p = read_any(rd, k, &one);

		if (p != NULL)
			push(rd->mem, &l, p);
		else
			lost = true;
		*ext = cybox_join_extent(*ext, one);
	}
	if (l.n == 0)
		return NULL;
	if (operator!= NULL)
		operator->mark = XML_KEPT;
	n->mark = XML_KEPT;
	if (lost)
		*ext = cybox_join_extent(*ext, all ? CYBOX_WIDER : CYBOX_NARROWER);
	return cybox_join(rd->mem, all, l.v, l.n);
}

/* The content of an Observable, or of an Object. */
static struct pat_node *
read_content(struct cx_reader *rd, struct xml_node *n, enum cybox_extent *ext)
{
	struct xml_node *k;

	*ext = CYBOX_NOTHING;
	if (cx_properties(n) != NULL || cx_child(n, "Related_Objects") != NULL)
		return read_object(rd, n, ext);
	if ((k = cx_child(n, "Observable_Composition")) != NULL)
		return read_composition(rd, k, ext);
	if ((k = cx_child(n, "Object")) != NULL)
		return read_any(rd, k, ext);
	cx_tell_empty(rd, n);
	return NULL;
}

static enum cybox_extent
flip(enum cybox_extent e)
{
	return e == CYBOX_WIDER ? CYBOX_NARROWER : e == CYBOX_NARROWER ? CYBOX_WIDER : e;
}

/* The opposite of p, which `n` asks for. */
static struct pat_node *
read_negated(struct cx_reader *rd, struct xml_node *n, struct pat_node *p, enum cybox_extent *ext)
{
	struct xml_attr *negate = xml_attr(n, "negate");
	struct pat_node *neg;

	if (negate == NULL || p == NULL)
		return p;
	negate->mark = XML_KEPT;
	if (!slice_is(slice_trim(negate->value), "true") && !slice_is(slice_trim(negate->value), "1"))
		return p;
	if ((neg = cybox_negate(rd->mem, p)) == NULL) {
		cx_tell(rd, CYBOX_NEGATE, n, "has no opposite in a pattern");
		*ext = CYBOX_NOTHING;
		return NULL;
	}
	*ext = flip(*ext);
	return neg;
}

/* An Observable, Object or Related_Object, or what one refers to. */
static struct pat_node *
read_any(struct cx_reader *rd, struct xml_node *n, enum cybox_extent *ext)
{
	struct pat_node *p = NULL;
	struct xml_node *to;

	*ext = CYBOX_NOTHING;
	if (!cx_step(rd, n) || (to = cx_refer(rd, n)) == NULL) {
		cx_sweep(rd, n);
		return NULL;
	}
	rd->active[rd->nactive++] = n;		/* cx_step has seen to the depth */
	rd->deep++;
	p = to != n ? read_any(rd, to, ext) : read_content(rd, n, ext);
	rd->deep--;
	rd->nactive--;
	return read_negated(rd, n, p, ext);
}

/* How many values a pattern compares with. */
static size_t
count_values(const struct pat_node *p)
{
	size_t n = p->nvalues;

	for (size_t i = 0; i < p->nkids; i++)
		n += count_values(p->kids[i]);
	return n;
}

/* The same pattern in memory that stays; NULL if it is more than a pattern may be. */
static struct pat_node *
keep(struct arena *mem, struct arena *scratch, const struct pat_node *p)
{
	struct slice text;

	if (count_values(p) > PATTERN_LITERALS)
		return NULL;
	text = cybox_pattern_text(scratch, p);
	return text.n > PATTERN_BYTES ? NULL : pattern_parse(arena_slice(mem, text), mem, NULL);
}

enum cybox_extent
cybox_read_pattern(const struct cybox_read *job, struct xml_node *observable, struct pat_node **out)
{
	struct cx_reader rd = { .job = job, .mem = arena_new(), .pattern = true };
	struct pat_node *p;
	enum cybox_extent ext;

	/* what references have multiplied does not stay longer than it has to */
	*out = NULL;
	p = read_any(&rd, observable, &ext);
	if (p != NULL && (*out = keep(job->mem, rd.mem, p)) == NULL) {
		cx_unmark_below(observable);
		cx_tell(&rd, CYBOX_LIMIT, observable, "longer than a pattern may be");
		cx_sweep(&rd, observable);
	}
	arena_free(rd.mem);
	return *out == NULL ? CYBOX_NOTHING : ext;
}
