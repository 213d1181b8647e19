/* cybox_read.c -- Properties of a CybOX object, row by row (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"

void
cx_tell(struct cx_reader *rd, enum cybox_word w, struct xml_node *at, const char *what)
{
	rd->left_out = true;
	if (at != NULL && at->mark == XML_UNSEEN) {
		/* so that cx_sweep does not tell it again; undone there */
		at->mark = XML_DROPPED;
		rd->complained = arena_grow(rd->mem, rd->complained, rd->ncomplained,
		    &rd->complained_cap, sizeof(*rd->complained));
		rd->complained[rd->ncomplained++] = at;
	}
	if (rd->job->told != NULL)
		rd->job->told(rd->job->arg, w, at, what);
}

/* Elements: names and types. */

struct xml_node *
cx_child(const struct xml_node *n, const char *name)
{
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (slice_is(k->name, name))
			return k;
	}
	return NULL;
}

struct xml_node *
cx_again(const struct xml_node *n)
{
	for (struct xml_node *k = xml_sibling(n); k != NULL; k = xml_sibling(k)) {
		if (slice_eq(k->name, n->name))
			return k;
	}
	return NULL;
}

struct slice
cx_xsi_type(const struct xml_node *n)
{
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (slice_is(a->ns, XML_NS_XSI) && slice_is(a->name, "type"))
			return slice_trim(a->value);
	}
	return SLICE_EMPTY;
}

struct xml_node *
cx_properties(const struct xml_node *object)
{
	return object == NULL ? NULL : cx_child(object, "Properties");
}

/* The Properties that a reference leads to; NULL (told) if there are none. */
static struct xml_node *
follow_id(struct cx_reader *rd, struct xml_node *n, struct xml_attr *ref)
{
	struct xml_node *to = NULL;

	if (rd->job->find != NULL)
		to = rd->job->find(rd->job->arg, slice_trim(ref->value));
	if (to != NULL && cx_child(to, "Object") != NULL)
		to = cx_child(to, "Object");
	if ((to = cx_properties(to)) == NULL) {
		cx_tell(rd, CYBOX_REFERENCE, n, "names no object");
		return NULL;
	}
	if (!cx_step(rd, n))
		return NULL;
	ref->mark = XML_KEPT;
	n->mark = XML_KEPT;
	return to;
}

struct xml_node *
cx_follow(struct cx_reader *rd, struct xml_node *n)
{
	struct xml_attr *ref = xml_attr(n, "object_reference");

	for (unsigned deep = 0; ref != NULL && xml_child(n) == NULL; deep++) {
		if (deep + rd->deep >= CX_DEEP) {
			cx_tell(rd, CYBOX_LOOP, n, "references go in a circle");
			return NULL;
		}
		if ((n = follow_id(rd, n, ref)) == NULL)
			return NULL;
		ref = xml_attr(n, "object_reference");
	}
	return n;
}

/* Step to the child that the first step of *path names, past its prefix; *last if it was the last. */
static struct slice
path_step(struct slice *path)
{
	struct slice step = slice_cut(path, '/'), name = step;
	struct slice prefix = slice_cut(&name, ':');

	return name.n > 0 ? name : prefix;
}

static struct xml_node *
child_of(struct cx_reader *rd, struct xml_node *n, struct slice name)
{
	struct xml_node *k;

	if ((n = cx_follow(rd, n)) == NULL)
		return NULL;
	for (k = xml_child(n); k != NULL && !slice_eq(k->name, name); k = xml_sibling(k))
		;
	return k;
}

struct xml_node *
cx_walk(struct cx_reader *rd, struct xml_node *n, const char *path)
{
	struct slice rest = slice_of(path);

	while (n != NULL && rest.n > 0)
		n = child_of(rd, n, path_step(&rest));
	return n;
}

/* Rows. */

/* The content of an element as an object or part of one; nothing is added if it says nothing. */
static void
read_sub(struct cx_reader *rd, const struct cx_row *row, struct xml_node *el, struct cx *into)
{
	struct xml_node *to = cx_follow(rd, el);
	struct cx *o, *list;

	if (to == NULL || rd->deep >= CX_DEEP)
		return;
	o = cx_make(rd->mem, into, row->stix, CX_OBJECT);
	if (o == NULL || (o->first != NULL && row->sub->stix != NULL)) {
		cx_tell(rd, CYBOX_PROPERTY, el, "said twice");
		return;
	}
	if (row->sub->stix != NULL && row->sub->stix[0] != '\0')
		o->type = slice_of(row->sub->stix);
	rd->deep++;
	cx_read_type(rd, row->sub, to, o);
	rd->deep--;
	if (o->first != NULL)
		return;
	list = o->parent;
	cx_remove(o);
	if (list->kind == CX_LIST && list->first == NULL)
		cx_remove(list);
}

/* What a list of alternatives is unless every item says ALL. */
static void
set_any(const struct cx_row *row, struct cx *into, bool all)
{
	struct cx *list = cx_find(into, row->stix);

	if (list != NULL && (row->flags & CXR_ANY))
		list->any = !all;
}

/* Does an element or anything below it apply to ALL? */
static bool
says_all(const struct xml_node *el)
{
	if (cx_applies_all(el))
		return true;
	for (const struct xml_node *k = xml_child(el); k != NULL; k = xml_sibling(k)) {
		if (says_all(k))
			return true;
	}
	return false;
}

static void
read_elements(struct cx_reader *rd, const struct cx_row *row, struct xml_node *el, bool repeats,
    struct cx *into)
{
	bool all = false;

	for (; el != NULL; el = repeats ? cx_again(el) : NULL) {
		if (row->flags & CXR_ANY)
			all = all || says_all(el);
		if (row->sub != NULL)
			read_sub(rd, row, el, into);
		else
			cx_take(rd, into, row->stix, row->codec, el);
	}
	set_any(row, into, all);
}

static void
read_row(struct cx_reader *rd, const struct cx_row *row, struct xml_node *props, struct cx *into)
{
	struct slice rest = slice_of(row->xml);
	struct xml_node *n = props;
	struct xml_attr *a;

	if (row->xml[0] == '~')
		return;		/* related objects stand outside Properties */
	while (n != NULL && rest.n > 0) {
		struct slice step = path_step(&rest);
		bool repeats = step.p[step.n - 1] == '*';

		if (step.p[0] == '@') {
			a = xml_attr(n, arena_str(rd->mem, slice_from(step.p + 1, step.n - 1)));
			if (a != NULL)
				cx_take_attr(rd, into, row->stix, row->codec, n, a);
			return;
		}
		step.n -= repeats;
		n = child_of(rd, n, step);
		if (repeats && n != NULL) {
			read_elements(rd, row, n, true, into);
			return;
		}
	}
	if (n == NULL)
		return;
	if (row->hook != NULL)
		row->hook->read(rd, row, n, into);
	else
		read_elements(rd, row, n, false, into);
}

/* "account_type=unix" */
static void
read_always(struct cx_reader *rd, const struct cx_type *type, struct cx *into)
{
	struct slice rest = slice_of(type->always), name = slice_cut(&rest, '=');
	struct cx *leaf = cx_make(rd->mem, into, arena_str(rd->mem, name), CX_LEAF);

	if (leaf != NULL)
		cx_equals(rd->mem, leaf, PAT_STRING, rest);
}

void
cx_read_type(struct cx_reader *rd, const struct cx_type *type, struct xml_node *props,
    struct cx *into)
{
	if (type->base != NULL)
		cx_read_type(rd, type->base, props, into);
	for (const struct cx_row *row = type->rows; row->xml != NULL; row++) {
		if (row->hook == NULL || row->hook->read != NULL)
			read_row(rd, row, props, into);
	}
	if (type->always != NULL && into->first != NULL)
		read_always(rd, type, into);
}

/* Is there text in it that nobody looked at? */
static bool
is_unread(const struct xml_node *n)
{
	if (n->mark != XML_UNSEEN && n->mark != XML_DROPPED)
		return false;
	for (const struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (xml_is_text(k) && slice_trim(k->text).n > 0)
			return true;
	}
	return false;
}

static bool
sweep(struct cx_reader *rd, struct xml_node *n)
{
	bool found = false;

	if (n->mark == XML_DROPPED)
		return true;		/* told where it happened */
	if (is_unread(n)) {
		if (rd->job->told != NULL)
			rd->job->told(rd->job->arg, CYBOX_PROPERTY, n, "no property of STIX 2.1");
		found = true;
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		found = sweep(rd, k) || found;
	return found;
}

bool
cx_sweep(struct cx_reader *rd, struct xml_node *props)
{
	bool found = sweep(rd, props);

	for (size_t i = 0; i < rd->ncomplained; i++) {
		if (rd->complained[i]->mark == XML_DROPPED)
			rd->complained[i]->mark = XML_UNSEEN;
	}
	rd->ncomplained = 0;
	return found;
}

/* A file that has nothing but the path of a directory is the directory. */
static struct cx *
as_directory(struct cx_reader *rd, struct cx *file)
{
	static const char *const times[] = { "mtime", "atime", "ctime" };
	struct cx *path = cx_find(file, "parent_directory_ref.path"), *dir, *leaf;
	const struct slice *text = path == NULL ? NULL : cx_plain(path);
	struct slice written;
	size_t n = 1;

	if (!slice_is(file->type, "file") || text == NULL || path->from[0] == NULL)
		return file;
	written = xml_text_trim(path->from[0], rd->mem);
	for (size_t i = 0; i < COUNTOF(times); i++)
		n += cx_find(file, times[i]) != NULL;
	if (cx_leaves(file) != n || (rd->pattern && slice_eq(written, *text) &&
	    memchr("/\\", written.p[written.n - 1], 2) == NULL))
		return file;
	dir = cx_object(rd->mem, "directory");
	leaf = cx_add(rd->mem, dir, CX_LEAF, SLICE_LIT("path"));
	leaf->tests = path->tests;
	leaf->ntests = path->ntests;
	leaf->from[0] = path->from[0];
	leaf->again = path->again;
	for (struct cx *k = file->first, *next; k != NULL; k = next) {
		next = k->next;
		if (k->kind != CX_LEAF)
			continue;
		cx_remove(k);
		leaf = cx_add(rd->mem, dir, CX_LEAF, k->name);
		leaf->value = k->value;
		leaf->tests = k->tests;
		leaf->ntests = k->ntests;
		leaf->either = k->either;
		leaf->from[0] = k->from[0];
		leaf->again = k->again;
	}
	return dir;
}

struct cx *
cx_read_properties(struct cx_reader *rd, struct xml_node *props)
{
	const struct cx_type *type;
	struct xml_node *to = cx_follow(rd, props);
	struct cx *o;

	if (to == NULL)
		return NULL;
	type = cx_type_named(cx_xsi_type(to));
	if (type == NULL) {
		cx_tell(rd, CYBOX_OBJECT, to, arena_str(rd->mem, cx_xsi_type(to)));
		return NULL;
	}
	o = cx_object(rd->mem, type->stix);
	cx_read_type(rd, type, to, o);
	if (o->first == NULL || o->type.n == 0) {
		cx_unmark(o);
		return NULL;
	}
	return as_directory(rd, o);
}
