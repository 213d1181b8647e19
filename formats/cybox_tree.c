/* cybox_tree.c -- the one tree between CybOX and STIX (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"

struct cx *
cx_object(struct arena *mem, const char *type)
{
	struct cx *o = arena_alloc(mem, sizeof(*o));

	o->kind = CX_OBJECT;
	o->name = SLICE_EMPTY;
	o->type = slice_of(type);
	return o;
}

/* The member of that name, NULL if there is none. */
struct cx *
cx_member(const struct cx *o, struct slice name)
{
	for (struct cx *k = o->first; k != NULL; k = k->next) {
		if (slice_eq(k->name, name))
			return k;
	}
	return NULL;
}

struct cx *
cx_add(struct arena *mem, struct cx *parent, enum cx_kind kind, struct slice name)
{
	struct cx *k = arena_alloc(mem, sizeof(*k));

	k->kind = kind;
	k->name = arena_slice(mem, name);
	k->type = SLICE_EMPTY;
	k->parent = parent;
	if (parent->last != NULL)
		parent->last->next = k;
	else
		parent->first = k;
	parent->last = k;
	return k;
}

/* Take a child out of its parent. */
void
cx_remove(struct cx *child)
{
	struct cx *parent = child->parent, **at = &parent->first, *before = NULL;

	while (*at != child) {
		before = *at;
		at = &(*at)->next;
	}
	*at = child->next;
	if (parent->last == child)
		parent->last = before;
	child->next = NULL;
	child->parent = NULL;
}

/* Cut one step off a path; *list if a star stands behind it. */
static struct slice
cut_step(struct slice *path, bool *list)
{
	struct slice step = slice_cut(path, '.');

	*list = step.n > 0 && step.p[step.n - 1] == '*';
	if (*list)
		step.n--;
	return step;
}

struct cx *
cx_find(const struct cx *o, const char *path)
{
	struct slice rest = slice_of(path);
	const struct cx *at = o;
	bool list = false;

	while (at != NULL && rest.n > 0 && !list)
		at = cx_member(at, cut_step(&rest, &list));
	return (struct cx *)(uintptr_t)at;
}

/* What `member` refers to where the name alone tells. */
const char *
cx_ref_type(struct slice member)
{
	static const struct { const char *member, *type; } refs[] = {
		{ "parent_ref", "process" }, { "child_refs", "process" },
		{ "creator_user_ref", "user-account" }, { "image_ref", "file" },
		{ "service_dll_refs", "file" }, { "parent_directory_ref", "directory" },
		{ "opened_connection_refs", "network-traffic" }, { "belongs_to_refs", "autonomous-system" },
		{ "from_ref", "email-addr" }, { "sender_ref", "email-addr" },
		{ "to_refs", "email-addr" }, { "cc_refs", "email-addr" }, { "bcc_refs", "email-addr" },
		{ "content_ref", "artifact" }, { "raw_email_ref", "artifact" },
	};

	for (size_t i = 0; i < COUNTOF(refs); i++) {
		if (slice_is(member, refs[i].member))
			return refs[i].type;
	}
	return "";
}

bool
cx_is_ref_name(struct slice name)
{
	return slice_ends(name, "_ref") || slice_ends(name, "_refs");
}

/* Return the next node on the way of cx_make: what is there, or a new one. */
static struct cx *
make_step(struct arena *mem, struct cx *at, struct slice step, enum cx_kind kind)
{
	struct cx *k = cx_member(at, step);

	if (k != NULL)
		return k->kind == kind ? k : NULL;
	k = cx_add(mem, at, kind, step);
	if (kind == CX_OBJECT && slice_ends(step, "_ref"))
		k->type = slice_of(cx_ref_type(step));
	return k;
}

struct cx *
cx_make(struct arena *mem, struct cx *o, const char *path, enum cx_kind kind)
{
	struct slice rest = slice_of(path);
	struct cx *at = o;

	while (at != NULL && rest.n > 0) {
		bool list;
		struct slice step = cut_step(&rest, &list);
		enum cx_kind want = list ? CX_LIST : rest.n > 0 ? CX_OBJECT : kind;

		if (!list && rest.n == 0 && kind == CX_LEAF && cx_member(at, step) != NULL)
			return NULL;
		at = make_step(mem, at, step, want);
		if (at == NULL || !list)
			continue;
		at = cx_add(mem, at, rest.n > 0 ? CX_OBJECT : kind, SLICE_EMPTY);
		if (at->kind == CX_OBJECT && slice_ends(step, "_refs"))
			at->type = slice_of(cx_ref_type(step));
	}
	return at;
}

void
cx_equals(struct arena *mem, struct cx *leaf, enum pat_literal_kind kind, struct slice v)
{
	leaf->value = kind;
	leaf->tests = arena_alloc(mem, sizeof(*leaf->tests));
	leaf->ntests = 1;
	leaf->tests->op = PAT_EQ;
	leaf->tests->v = arena_alloc(mem, sizeof(*leaf->tests->v));
	leaf->tests->v[0] = arena_slice(mem, v);
	leaf->tests->n = 1;
}

const struct slice *
cx_plain(const struct cx *leaf)
{
	const struct cx_test *t = leaf->tests;

	return leaf->kind == CX_LEAF && leaf->ntests == 1 && t->op == PAT_EQ && !t->negated && t->n == 1 ?
	    &t->v[0] : NULL;
}

size_t
cx_leaves(const struct cx *o)
{
	size_t n = o->kind == CX_LEAF;

	for (const struct cx *k = o->first; k != NULL; k = k->next)
		n += cx_leaves(k);
	return n;
}
