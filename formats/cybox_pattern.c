/* cybox_pattern.c -- an Observable as a STIX pattern (see cybox.h). */
#include <string.h>

#include "formats/cybox_impl.h"
#include "formats/pattern_build.h"

enum { PATH_MAX_STEPS = 40 };

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
	struct pat_node *p = arena_alloc(pr->mem, sizeof(*p));

	p->kind = PAT_TEST;
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
	struct pat_list l = { 0 };

	for (size_t i = 0; i < leaf->ntests; i++)
		pattern_add(&l, pr->mem, one_test(pr, leaf, &leaf->tests[i]));
	return pattern_node(pr->mem, leaf->either ? PAT_OR : PAT_AND, l.v, l.n);
}

/* What a node and all below it say; NULL if nothing. */
static struct pat_node *
compare(struct printer *pr, const struct cx *n)
{
	struct pat_list l = { 0 };

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
			pattern_add(&l, pr->mem, p);
		pr->npath--;
	}
	return pattern_node(pr->mem, n->any ? PAT_OR : PAT_AND, l.v, l.n);
}

/* An object as an observation. */
static struct pat_node *
observation(struct arena *mem, const struct cx *o)
{
	struct printer pr = { .mem = mem, .object = o->type };

	return pattern_bracket(mem, compare(&pr, o));
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
read_related(struct cx_reader *rd, struct xml_node *object, struct cx *o, struct pat_list *beside,
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
			pattern_add(beside, rd->mem, p);
		cx_mark_relationship(k, p == NULL ? XML_UNSEEN : XML_APPROXIMATED);
		*ext = cybox_join_extent(*ext, CYBOX_WIDER);
	}
}

static struct pat_node *
read_object(struct cx_reader *rd, struct xml_node *object, enum cybox_extent *ext)
{
	struct xml_node *props = cx_properties(object);
	struct pat_list all = { 0 }, beside = { 0 };
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
		pattern_add(&all, rd->mem, p);
		*ext = cybox_join_extent(*ext, left_out ? CYBOX_WIDER : CYBOX_EXACT);
	}
	for (size_t i = 0; i < beside.n; i++)
		pattern_add(&all, rd->mem, beside.v[i]);
	return pattern_node(rd->mem, PAT_OBS_AND, all.v, all.n);
}

static struct pat_node *
read_composition(struct cx_reader *rd, struct xml_node *n, enum cybox_extent *ext)
{
	struct xml_attr *operator= xml_attr(n, "operator");
	bool all = operator== NULL || !slice_is_nocase(slice_trim(operator->value), "OR");
	struct pat_list l = { 0 };
	bool lost = false;

	*ext = CYBOX_NOTHING;
	for (struct xml_node *k = cx_child(n, "Observable"); k != NULL; k = cx_again(k)) {
		enum cybox_extent one;
		struct pat_node *p = read_any(rd, k, &one);

		if (p != NULL)
			pattern_add(&l, rd->mem, p);
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
	return all ? pattern_node(rd->mem, PAT_OBS_AND, l.v, l.n) : pattern_either(rd->mem, l.v, l.n);
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
	if ((neg = pattern_negate(rd->mem, p)) == NULL) {
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
