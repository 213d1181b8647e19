/*
 * iodef2_keep.c -- the residue of IODEF in STIX (see iodef2.h), and the account of every leaf.
 *
 * The Incident's tree is taken apart from the inside out: an element that an object holds is printed
 * with what is left in it, then a cut takes its place.
 */
#include <string.h>

#include "formats/iodef2_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* Ordinals of children among equal names, asked for in document order. A few names are counted as they
 * come; a parent with many children has all of them sorted once, so that no input makes this slow. */
enum { NAMES_MAX = 16 };
struct names {
	struct slice	name[NAMES_MAX];
	size_t		count[NAMES_MAX];
	size_t		n;
	size_t		*all;		/* ordinals of all children, NULL while counting */
	size_t		next;		/* index of the next child in `all` */
};

/* Ordinals of n and all elements behind it, by one sort. */
static size_t *
sort_ordinals(struct arena *mem, const struct xml_node *parent)
{
	struct idmap names = { 0 };
	size_t *ordinals, i = 0, run = 0;

	for (const struct xml_node *k = xml_child(parent); k != NULL; k = xml_sibling(k))
		idmap_add(&names, mem, k->name, i++);
	idmap_sort(&names);
	ordinals = arena_alloc(mem, (i + 1) * sizeof(*ordinals));
	for (i = 0; i < names.n; i++) {
		run = i > 0 && slice_eq(names.v[i].id, names.v[i - 1].id) ? run + 1 : 1;
		ordinals[names.v[i].value] = run;
	}
	return ordinals;
}

/* The ordinal of the next child n. */
static size_t
next_ordinal(struct arena *mem, struct names *t, const struct xml_node *n)
{
	t->next++;
	for (size_t i = 0; i < t->n && t->all == NULL; i++) {
		if (slice_eq(t->name[i], n->name))
			return ++t->count[i];
	}
	if (t->n < NAMES_MAX) {
		t->name[t->n] = n->name;
		t->count[t->n++] = 1;
		return 1;
	}
	if (t->all == NULL)
		t->all = sort_ordinals(mem, n->parent);
	return t->all[t->next - 1];
}

/* Append "/Name[3]" (no slash at the start). */
static void
add_step(struct strbuf *path, const struct xml_node *n, size_t ordinal)
{
	if (path->n > 0)
		strbuf_addc(path, '/');
	strbuf_addsl(path, n->name);
	strbuf_addf(path, "[%zu]", ordinal);
}

static void
add_attr_step(struct strbuf *path, const struct xml_attr *a)
{
	if (path->n > 0)
		strbuf_addc(path, '/');
	strbuf_addc(path, '@');
	if (a->prefix.n > 0) {
		strbuf_addsl(path, a->prefix);
		strbuf_addc(path, ':');
	}
	strbuf_addsl(path, a->name);
}

/* The object that is minted for ob. */
static struct ir_obj *
minted(struct ir_obj *ob)
{
	return ob->twin != NULL ? ob->twin : ob;
}

static const char *
hash_of(struct ir *r, struct ir_obj *ob)
{
	if (!ob->hashed)
		iodef2_object_hash(ob->tree, r->mem, ob->hash);
	ob->hashed = true;
	return ob->hash;
}

/* One residue being built. */
struct keep {
	struct ir	*r;
	struct ir_obj	*ob;
	json		*objects, *moved;
	struct strbuf	 path;
};

static bool
was_touched(const struct xml_node *n)
{
	if (n->mark != XML_UNSEEN)
		return true;
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->mark != XML_UNSEEN)
			return true;
	}
	for (const struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (was_touched(k))
			return true;
	}
	return false;
}

static bool
is_cut(const struct xml_node *n)
{
	return xml_is(n, IODEF2_NS_CUT, "cut");
}

static void
note_object(struct keep *k, const struct ir_tag *tag)
{
	struct ir_obj *ob = minted(tag->ob);
	json *entry = json_push(k->objects, json_object(k->r->mem));

	json_put_str(k->r->mem, entry, "path", strbuf_slice(&k->path));
	json_put_str(k->r->mem, entry, "id", ob->id);
	json_put_str(k->r->mem, entry, "sha256", slice_of(hash_of(k->r, ob)));
}

/* List what is inside n: objects without XML of their own, and what was not mapped. */
static void
list_inside(struct keep *k, const struct xml_node *n, bool top)
{
	struct names names = { .n = 0, .all = NULL };
	size_t n_path = k->path.n;

	for (const struct ir_tag *tag = top ? NULL : n->user; tag != NULL; tag = tag->next)
		note_object(k, tag);
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->mark != XML_UNSEEN)
			continue;
		add_attr_step(&k->path, a);
		json_push(k->moved, json_string(k->r->mem, strbuf_slice(&k->path)));
		strbuf_setlen(&k->path, n_path);
	}
	for (const struct xml_node *c = xml_child(n); c != NULL; c = xml_sibling(c)) {
		size_t ordinal = next_ordinal(k->r->mem, &names, c);

		if (is_cut(c))
			continue;
		add_step(&k->path, c, ordinal);
		if (was_touched(c) || c->user != NULL)
			list_inside(k, c, false);
		else
			json_push(k->moved, json_string(k->r->mem, strbuf_slice(&k->path)));
		strbuf_setlen(&k->path, n_path);
	}
}

/* Put R into the object: as its residue, or behind an earlier one as one of its further places. */
static void
attach(struct ir *r, struct ir_obj *ob, json *residue)
{
	json *ext, *entry, *more;

	if (ob->residue != NULL) {
		more = json_get(ob->residue, "more");
		if (more == NULL)
			more = json_put(r->mem, ob->residue, "more", json_list(r->mem));
		json_push(more, residue);
		return;
	}
	ob->residue = residue;
	ext = json_get(ob->tree, "extensions");
	if (ext == NULL)
		ext = json_put(r->mem, ob->tree, "extensions", json_object(r->mem));
	entry = json_put(r->mem, ext, IODEF2_EXT, json_object(r->mem));
	json_put_str(r->mem, entry, "extension_type", SLICE_LIT("property-extension"));
	json_put(r->mem, entry, "iodef", residue);
}

/* Build R of ob from what is left of n. */
static json *
make_residue(struct ir *r, struct ir_obj *ob, const struct xml_node *n, const struct ir_obj *in)
{
	struct keep k = { .r = r, .ob = ob, .objects = json_list(r->mem), .moved = json_list(r->mem),
	    .path = STRBUF_INIT };
	struct strbuf xml = STRBUF_INIT;
	json *residue = json_object(r->mem);

	list_inside(&k, n, true);
	xml_print(&xml, n, 0);
	json_put_str(r->mem, residue, "version", SLICE_LIT("2.00"));
	json_put_str(r->mem, residue, "element", n->name);
	if (in != NULL)
		json_put_str(r->mem, residue, "in", in->id);
	json_put_str(r->mem, residue, "xml", strbuf_slice(&xml));
	json_put_str(r->mem, residue, "sha256", slice_of(hash_of(r, ob)));
	if (json_first(k.objects) != NULL)
		json_put(r->mem, residue, "objects", k.objects);
	if (json_first(k.moved) != NULL)
		json_put(r->mem, residue, "moved", k.moved);
	strbuf_fini(&k.path);
	strbuf_fini(&xml);
	attach(r, ob, residue);
	return residue;
}

static struct ir_obj *
holder_of(const struct xml_node *n)
{
	for (const struct ir_tag *t = n->user; t != NULL; t = t->next) {
		if (t->unit)
			return minted(t->ob);
	}
	return NULL;
}

static void
put_cut(struct ir *r, struct xml_node *n, const struct ir_obj *ob)
{
	struct xml_node *cut = xml_new(r->mem, IODEF2_NS_CUT, "", "cut");

	xml_set(r->mem, cut, "ref", ob->id);
	xml_replace(n, cut);
}

/* Take out what other objects hold, everywhere below n. Refused parts go altogether: they are in
 * quarantine. */
static void
take_apart(struct ir *r, struct xml_node *n, const struct ir_obj *owner)
{
	struct xml_node *next;

	for (struct xml_node *c = xml_child(n); c != NULL; c = next) {
		struct ir_obj *ob = holder_of(c);

		next = xml_sibling(c);
		if (c->mark == XML_DROPPED) {
			xml_detach(c);
			continue;
		}
		take_apart(r, c, ob != NULL ? ob : owner);
		if (ob == NULL)
			continue;
		make_residue(r, ob, c, owner);
		put_cut(r, c, ob);
	}
}

/* See iodef2_read.h. */
void
ir_keep(struct ir *r, struct ir_incident *inc)
{
	struct ir_obj *report = minted(inc->report);
	json *residue, *entry;

	take_apart(r, inc->node, report);
	residue = make_residue(r, report, inc->node, NULL);
	if (inc->incident != NULL) {
		entry = json_put(r->mem, residue, "incident", json_object(r->mem));
		json_put_str(r->mem, entry, "id", inc->incident->id);
		json_put_str(r->mem, entry, "sha256", slice_of(hash_of(r, minted(inc->incident))));
	}
}

/* Attributes and AdditionalData of the document, on the first report. */
void
ir_keep_document(struct ir *r)
{
	json *document, *attributes, *children, *residue;

	if (r->nincidents == 0)
		return;
	residue = minted(r->incidents[0]->report)->residue;
	document = json_put(r->mem, residue, "document", json_object(r->mem));
	json_put_str(r->mem, document, "version", xml_value(r->doc, "version"));
	attributes = json_object(r->mem);
	for (const struct xml_attr *a = r->doc->attrs; a != NULL; a = a->next) {
		if (a->ns.n == 0 && !slice_is(a->name, "version"))
			json_put_str(r->mem, attributes, a->name.p, a->value);
		else if (slice_is(a->ns, XML_NS_XML))
			json_put_str(r->mem, attributes, arena_fmt(r->mem, "xml:%s", a->name.p), a->value);
	}
	if (json_first(attributes) != NULL)
		json_put(r->mem, document, "attributes", attributes);
	children = json_list(r->mem);
	for (struct xml_node *n = xml_child(r->doc); n != NULL; n = xml_sibling(n)) {
		struct strbuf xml = STRBUF_INIT;

		if (!xml_is(n, IODEF2_NS, "Incident") && !slice_starts(xml_value(n, "name"), "stix-")) {
			xml_print(&xml, n, 0);
			json_push(children, json_string(r->mem, strbuf_slice(&xml)));
		}
		strbuf_fini(&xml);
	}
	if (json_first(children) != NULL)
		json_put(r->mem, document, "children", children);
}

/* The account. A leaf is an attribute, a run of text, or an element with nothing in it. */

static const enum loss_kind losses[] = {
	[XML_UNSEEN] = LOSS_MOVED, [XML_KEPT] = LOSS_KEPT, [XML_APPROXIMATED] = LOSS_APPROXIMATED,
	[XML_MOVED] = LOSS_MOVED, [XML_DROPPED] = LOSS_DROPPED,
};

struct account {
	struct loss	*loss;
	struct arena	*mem;
};

static void
account_leaf(const struct account *r, const struct strbuf *path, enum xml_mark mark)
{
	static const char *const notes[] = {
		[LOSS_MOVED] = "in the iodef extension", [LOSS_DROPPED] = "refused, see the verdict",
		[LOSS_APPROXIMATED] = "the exact form is in the iodef extension",
		[LOSS_KEPT] = NULL, [LOSS_GENERATED] = NULL,
	};

	loss_add(r->loss, losses[mark], path->p, notes[losses[mark]]);
}

static void
account(const struct account *r, const struct xml_node *n, struct strbuf *path)
{
	struct names names = { .n = 0, .all = NULL };
	size_t n_path = path->n;

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		add_attr_step(path, a);
		if (slice_is(a->ns, XML_NS_XSI) && slice_ends(a->name, "chemaLocation"))
			loss_add(r->loss, LOSS_DROPPED, path->p, "never followed");
		else
			account_leaf(r, path, a->mark);
		strbuf_setlen(path, n_path);
	}
	if (n->first == NULL && n->attrs == NULL)
		account_leaf(r, path, n->mark);
	for (const struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (xml_is_text(k)) {
			account_leaf(r, path, k->mark);
			continue;
		}
		add_step(path, k, next_ordinal(r->mem, &names, k));
		account(r, k, path);
		strbuf_setlen(path, n_path);
	}
}

/* See iodef2.h. */
void
iodef_account_tree(const struct read_job *job, struct arena *mem, const struct xml_node *n,
    const char *prefix)
{
	struct account a = { job->loss, mem };
	struct strbuf path = STRBUF_INIT;

	strbuf_adds(&path, prefix);
	if (a.loss != NULL)
		account(&a, n, &path);
	strbuf_fini(&path);
}

/* See iodef2_read.h. Before ir_keep takes the tree apart. */
void
ir_account(struct ir *r)
{
	if (r->job->loss == NULL)
		return;
	if (r->origin != NULL && r->origin->account != NULL)
		r->origin->account(r->origin, r->job, r->mem, r->doc);
	else
		iodef_account_tree(r->job, r->mem, r->doc, "");
}
