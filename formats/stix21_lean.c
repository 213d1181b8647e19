#include "formats/stix21_lean.h"

#include "formats/refs.h"
#include "gateway/base/arena.h"
#include "gateway/base/json_walk.h"

enum {
	DEPTH_DEFAULT = 128,
	AROUND = 2,			/* an object stands in a list in an object */
	MEMBERS_MAX = 32, BESIDES_MAX = 1 << 20	/* beside `objects` */
};

struct finding {
	const struct read_job	*job;
	struct arena		*mem;
	struct json_doc		*doc;
	struct slice		 objects;
	struct slice		 names[MEMBERS_MAX];
	size_t			 nnames, besides, cap;
};

static unsigned
depth_of(const struct read_job *job)
{
	return job->limits.depth == 0 ? DEPTH_DEFAULT : job->limits.depth;
}

json *
stix21_lean_tree(const struct read_job *job, struct slice text, struct arena *mem)
{
	const struct json_limits limits = { .depth = depth_of(job) - AROUND };
	struct json_doc doc;

	return json_parse(text, &limits, mem, &doc, NULL) == 0 ? doc.root : NULL;
}

/* json_walk_fn over the document: `objects` is remembered, the rest is parsed. */
static bool
on_member(void *ctx, struct slice name, struct slice value)
{
	struct finding *f = ctx;
	json *tree;

	if (name.p == NULL || f->nnames == MEMBERS_MAX)
		return false;
	name = json_walk_text(name, false, f->mem);
	for (size_t i = 0; i < f->nnames; i++)
		if (slice_eq(f->names[i], name))
			return false;
	f->names[f->nnames++] = name;
	if (slice_is(name, "objects")) {
		f->objects = value;
		return true;
	}
	f->besides += value.n;
	if (f->besides > BESIDES_MAX || (tree = stix21_lean_tree(f->job, value, f->mem)) == NULL)
		return false;
	json_put(f->mem, f->doc->root, arena_str(f->mem, name), tree);
	return true;
}

/* json_walk_fn over an item: does it say that it defines a marking or an extension? */
static bool
on_item_member(void *ctx, struct slice name, struct slice value)
{
	bool *is_definition = ctx;

	if (name.p != NULL && (slice_is(name, "type") || memchr(name.p, '\\', name.n) != NULL) &&
	    (slice_is(value, "\"marking-definition\"") ||
	    slice_is(value, "\"extension-definition\"") ||
	    (json_walk_is(value, '"') && memchr(value.p, '\\', value.n) != NULL)))
		*is_definition = true;
	return true;
}

bool
stix21_lean_is_definition(struct slice item)
{
	bool is_definition = false;

	if (json_walk_is(item, '{'))
		json_walk(item, 0, on_item_member, &is_definition);
	return is_definition;
}

/* json_walk_fn over the objects. */
static bool
on_item(void *ctx, struct slice name, struct slice value)
{
	struct finding *f = ctx;
	struct json_doc *d = f->doc;
	json *tree = NULL;

	(void)name;
	if (stix21_lean_is_definition(value) && (tree = stix21_lean_tree(f->job, value, f->mem)) == NULL)
		return false;
	d->items = arena_grow(f->mem, d->items, d->nitems, &f->cap, sizeof(*d->items));
	d->items[d->nitems++] = (struct json_item){ .node = tree, .text = value,
	    .offset = (size_t)(value.p - f->job->in.p) };
	return true;
}

json *
stix21_lean_open(const struct read_job *job, struct arena *mem, struct slice *objects)
{
	struct json_doc doc = { .root = json_object(mem) };
	struct finding f = { .job = job, .mem = mem, .doc = &doc };

	if (depth_of(job) <= AROUND ||
	    !json_walk_far(job->in, depth_of(job), on_member, &f, job->passed, job->passed_arg) ||
	    !json_walk_is(f.objects, '['))
		return NULL;
	*objects = f.objects;
	return doc.root;
}

bool
stix21_lean_list(const struct read_job *job, struct arena *mem, json **root, struct slice *objects)
{
	*objects = slice_trim(job->in);
	*root = NULL;
	if (json_walk_is(*objects, '['))
		return !job->strict;
	*root = stix21_lean_open(job, mem, objects);
	return *root != NULL;
}

bool
stix21_lean_each(const struct read_job *job, struct slice objects, json_walk_fn *fn, void *arg)
{
	return json_walk_far(objects, depth_of(job) - 1, fn, arg, job->passed, job->passed_arg);
}

bool
stix21_lean_find(const struct read_job *job, struct arena *mem, struct json_doc *doc)
{
	struct finding f = { .job = job, .mem = mem, .doc = doc };

	*doc = (struct json_doc){ .root = NULL };
	if (job->loss != NULL || !job->in_stays ||
	    (doc->root = stix21_lean_open(job, mem, &f.objects)) == NULL)
		return false;
	return stix21_lean_each(job, f.objects, on_item, &f) && doc->nitems > 0;
}

/* What advisory_settle reads of an object; NULL if it reads nothing of that type. */
static json *
slim(struct arena *mem, const struct object *o)
{
	static const char *const speakers[] = {
		"report", "grouping", "note", "opinion", "relationship", "sighting", "observed-data",
	};
	static const char *const members[] = {
		"object_refs", "source_ref", "target_ref", "relationship_type", "where_sighted_refs",
		"labels",
	};
	json *tree = NULL;

	for (size_t i = 0; i < COUNTOF(speakers); i++)
		if (slice_is(o->type, speakers[i]))
			tree = json_object(mem);
	for (size_t i = 0; tree != NULL && i < COUNTOF(members); i++) {
		const json *m = json_get(o->tree, members[i]);

		if (m != NULL)
			json_put(mem, tree, members[i], json_copy(mem, m));
	}
	return tree;
}

/* A text that is hardly ever another than with the object before: it is kept once. */
static struct slice
keep_common(struct slice text, struct slice before, struct arena *mem)
{
	return slice_eq(text, before) ? before : text.n == 0 ? SLICE_EMPTY : arena_slice(mem, text);
}

/* A text of its own. It mostly stands in the object as it is: then nothing is copied, since the input
 * stays, and its pages can be had again. */
static struct slice
keep_own(const struct object *o, struct slice text, struct arena *mem)
{
	const char *at;

	if (text.n == 0)
		return SLICE_EMPTY;
	at = memmem(o->bytes.p, o->bytes.n, text.p, text.n);
	return at != NULL ? slice_from(at, text.n) : arena_slice(mem, text);
}

void
stix21_lean_keep(struct object *o, const struct object *before, struct arena *mem)
{
	static const struct object none;

	if (before == NULL)
		before = &none;
	if (!slice_is(o->type, "marking-definition"))	/* of which the tree lies in `mem` */
		o->tree = slim(mem, o);
	o->type = keep_common(o->type, before->type, mem);
	o->spec_version = keep_common(o->spec_version, before->spec_version, mem);
	o->created_by = keep_common(o->created_by, before->created_by, mem);
	o->version_key = keep_common(o->version_key, before->version_key, mem);
	o->valid_until_key = keep_common(o->valid_until_key, before->valid_until_key, mem);
	o->embargo_desk = keep_common(o->embargo_desk, before->embargo_desk, mem);
	o->id = keep_own(o, o->id, mem);
	o->version = keep_own(o, o->version, mem);
	o->supporters = o->nsupporters == 0 ? NULL : arena_slices(mem, o->supporters, o->nsupporters);
	o->pattern = NULL;
}
