/*
 * iodef2_keep.c -- the residue of IODEF in STIX (see iodef2.h), and the account of every leaf.
 *
 * The Incident's tree is taken apart from the inside out: an element that an object holds is printed
 * with what is left in it, then a cut takes its place.
 */
#include <string.h>

#include "formats/iodef2_read.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* The object that is minted for ob. */
static struct ir_obj *
minted(struct ir_obj *ob)
{
	return ob->twin != NULL ? ob->twin : ob;
}

static const char *
hash_of(struct ir *r, struct ir_obj *ob)
{
	const char *known = NULL;

	if (ob->hashed)
		return ob->hash;
	if (r->question != NULL)
		known = r->question->hash(r->question->arg, ob->id);
	if (known != NULL)
		memcpy(ob->hash, known, sizeof(ob->hash));
	else
		iodef2_object_hash(ob->tree, ob->hash);
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
	struct xml_names names = XML_NAMES_INIT;
	size_t n_path = k->path.n;

	for (const struct ir_tag *tag = top ? NULL : n->user; tag != NULL; tag = tag->next)
		note_object(k, tag);
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->mark != XML_UNSEEN)
			continue;
		xml_add_attr_step(&k->path, a);
		json_push(k->moved, json_string(k->r->mem, strbuf_slice(&k->path)));
		strbuf_setlen(&k->path, n_path);
	}
	for (const struct xml_node *c = xml_child(n); c != NULL; c = xml_sibling(c)) {
		size_t ordinal = xml_next_ordinal(k->r->mem, &names, c);

		if (is_cut(c))
			continue;
		xml_add_step(&k->path, c, ordinal);
		if (xml_was_touched(c) || c->user != NULL)
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
	struct arena *mem = r->xml != NULL ? r->xml : r->mem;
	struct xml_node *cut = xml_new(mem, IODEF2_NS_CUT, "", "cut");

	xml_set(mem, cut, "ref", ob->id);
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

/* See iodef2.h. */
void
iodef_account_tree(const struct read_job *job, struct arena *mem, const struct xml_node *n,
    const char *prefix)
{
	static const struct xml_account notes = {
		.moved = "in the iodef extension", .dropped = "refused, see the verdict",
		.approximated = "the exact form is in the iodef extension",
	};

	xml_account(job->loss, mem, n, prefix, &notes);
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
