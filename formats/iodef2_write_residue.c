/*
 * iodef2_write_residue.c -- each object travels whole beside what was made of it, and the account of
 * every leaf: kept, approximated, moved or dropped.
 */
#include "formats/idmap.h"
#include "formats/iodef2_write.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* Classes that have AdditionalData; Observable has it too, but instead of everything else. */
static bool
may_hold_residue(const struct xml_node *n)
{
	const struct iodef2_class *class = iodef2_class(n->name);
	const struct iodef2_child *c;

	if (!slice_is(n->ns, IODEF2_NS) || class == NULL || class->children == NULL || class->choice)
		return false;
	for (c = class->children; c->name != NULL; c++)
		if (strcmp(c->name, "AdditionalData") == 0)
			return true;
	return false;
}

static bool
is_below(const struct xml_node *n, const struct xml_node *top)
{
	while (n != NULL && n != top)
		n = n->parent;
	return n != NULL;
}

/* The most specific element that can hold the residue and has all elements of the object in it. */
static struct xml_node *
residue_parent(const struct iw *w, const struct iw_obj *ob)
{
	struct xml_node *p;
	size_t i;

	if (ob->nnodes == 0)
		return w->doc;
	for (p = ob->nodes[0]; p != w->doc; p = p->parent) {
		if (!may_hold_residue(p))
			continue;
		for (i = 1; i < ob->nnodes && is_below(ob->nodes[i], p); i++)
			;
		if (i == ob->nnodes)
			return p;
	}
	return w->doc;
}

/* Which of its name it is among its siblings, from 1; remembered in `user`, so that the next one does
 * not count from the start. */
static size_t
ordinal(struct xml_node *n)
{
	struct xml_node *p;
	size_t k = 1;

	if (n->user != NULL)
		return (size_t)(uintptr_t)n->user;
	for (p = n->prev; p != NULL; p = p->prev) {
		if (!slice_eq(p->name, n->name))
			continue;
		if (p->user != NULL) {
			k += (size_t)(uintptr_t)p->user;
			break;
		}
		k++;
	}
	n->user = (void *)(uintptr_t)k;
	return k;
}

/* "Flow[1]/System[2]" of n below `top`. */
static void
add_path(struct strbuf *b, struct xml_node *n, const struct xml_node *top)
{
	if (n->parent != top && n->parent != NULL) {
		add_path(b, n->parent, top);
		strbuf_addc(b, '/');
	}
	strbuf_addf(b, "%.*s[%zu]", SLICE_ARG(n->name), ordinal(n));
}

static const char *
residue_meaning(struct iw *w, const struct iw_obj *ob, const struct xml_node *parent)
{
	struct strbuf b = STRBUF_INIT;
	char hash[65] = "-";
	const char *out;
	size_t i;

	if (ob->nnodes > 0)
		iodef2_native_hash((const struct xml_node *const *)ob->nodes, ob->nnodes, hash);
	strbuf_addf(&b, "%s%s", IODEF2_RESIDUE_MEANING, hash);
	for (i = 0; i < ob->nnodes && ob->nodes[0] != parent; i++) {
		strbuf_adds(&b, i == 0 ? "; path=" : " ");
		add_path(&b, ob->nodes[i], parent);
	}
	out = arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

static void
residue_of(struct iw *w, struct iw_obj *ob)
{
	struct xml_node *parent = residue_parent(w, ob), *n;

	n = iw_extra(w, parent, "string", IODEF2_RESIDUE_OBJECT, xml_safe_json(w->mem, ob->o->bytes));
	iw_set(w, n, "meaning", residue_meaning(w, ob, parent));
	iw_set(w, n, "formatid", IODEF2_RESIDUE_FORMAT);
	/* word for word: what its surroundings say is about them */
	if (iw_label(ob->o) == TLP_UNSET && iw_label_at(parent) == TLP_RED)
		iw_set(w, n, "restriction", iodef2_restriction_word(TLP_UNSET));
	else
		iw_restrict(w, n, iw_label(ob->o));
}

/* Everything that is not told by the document itself goes in whole. */
void
iw_residue(struct iw *w)
{
	size_t i;

	if (w->job->no_residue)
		return;
	for (i = 0; i < w->n; i++)
		if (!w->v[i].home)
			residue_of(w, &w->v[i]);
}

/* Id and order of the bundle, under one hash over the whole document. */
void
iw_bundle(struct iw *w)
{
	struct strbuf b = STRBUF_INIT;
	const struct xml_node *doc = w->doc;
	struct xml_node *n;
	char hash[65];
	size_t i;

	if (w->job->no_residue)
		return;
	strbuf_adds(&b, "{\"id\":");
	json_print_string(&b, w->job->adv->id);
	strbuf_adds(&b, ",\"csirt\":");
	json_print_string(&b, slice_of(w->job->csirt));
	strbuf_adds(&b, ",\"objects\":[");
	for (i = 0; i < w->n; i++) {
		const struct object *o = w->v[i].o;
		char *row = arena_fmt(w->mem, "%.*s %.*s", SLICE_ARG(o->id), SLICE_ARG(o->version));

		if (w->v[i].home)
			goto done;	/* not all objects are among the residues */
		if (i > 0)
			strbuf_addc(&b, ',');
		json_print_string(&b, slice_trim(slice_of(row)));
	}
	strbuf_adds(&b, "]}");
	iodef2_native_hash(&doc, 1, hash);
	n = iw_extra(w, w->doc, "string", IODEF2_RESIDUE_BUNDLE, strbuf_slice(&b));
	iw_set(w, n, "meaning", arena_fmt(w->mem, "%s%s", IODEF2_RESIDUE_BUNDLE_MEANING, hash));
done:
	strbuf_fini(&b);
}

/* The marks of an object by path, counted from the last: of one path that counts. */
static struct idmap
marks_by_path(const struct iw *w, const struct iw_obj *ob)
{
	struct idmap marks = { .v = NULL };

	for (size_t i = 0; i < ob->nmarks; i++)
		idmap_add(&marks, w->mem, slice_of(ob->marks[i].path), ob->nmarks - 1 - i);
	idmap_sort(&marks);
	return marks;
}

/* The kind of one leaf: that of the longest mark above it. */
static enum loss_kind
leaf_kind(const struct iw *w, const struct iw_obj *ob, const struct idmap *marks,
    const struct strbuf *path)
{
	if (ob->home)
		return LOSS_KEPT;
	for (size_t n = path->n + 1; n-- > 0; ) {
		struct slice above = slice_from(path->p, n);
		long at;

		if (n > 0 && n < path->n && path->p[n] != '.' && path->p[n] != '[')
			continue;
		at = idmap_find(marks, above);
		if (at != IDMAP_NONE)
			return ob->marks[ob->nmarks - 1 - (size_t)at].kind;
	}
	return w->job->no_residue ? LOSS_DROPPED : LOSS_MOVED;
}

/* Walk to the leaves; an empty list or object is one. `path` grows and shrinks with the walk. */
static void
account_tree(struct iw *w, const struct iw_obj *ob, const struct idmap *marks, const json *node,
    struct strbuf *path)
{
	json *c = json_first(node);
	size_t at = path->n, i = 0;
	const char *id;

	if (c == NULL) {
		id = arena_fmt(w->mem, "%.*s/%s", SLICE_ARG(ob->o->id), path->p);
		loss_add(w->job->loss, leaf_kind(w, ob, marks, path), id, NULL);
		return;
	}
	for (; c != NULL; c = json_next(c), i++) {
		if (json_name(c) != NULL)
			strbuf_addf(path, "%s%s", at > 0 ? "." : "", json_name(c));
		else
			strbuf_addf(path, "[%zu]", i);
		account_tree(w, ob, marks, c, path);
		strbuf_setlen(path, at);
	}
}

/* The definitions of TLP 2.0 are the same everywhere: the word in @restriction says them. */
static bool
is_tlp(const struct object *o)
{
	enum tlp t = tlp_of_marking_id(o->id);

	return t != TLP_UNSET && slice_is(o->id, tlp_marking_id(t));
}

void
iw_account(struct iw *w)
{
	struct strbuf path = STRBUF_INIT;
	size_t i;

	if (w->job->loss == NULL)
		return;
	for (i = 0; i < w->n; i++) {
		struct idmap marks;

		if (w->v[i].elsewhere || w->v[i].rest)
			continue;	/* another batch has it */
		if (is_tlp(w->v[i].o))
			iw_mark(w, &w->v[i], LOSS_KEPT, "");
		marks = marks_by_path(w, &w->v[i]);
		account_tree(w, &w->v[i], &marks, w->v[i].o->tree, &path);
	}
	strbuf_fini(&path);
}
