/*
 * stix1_keep.c -- the residue of STIX 1.x in STIX 2.1 (see stix1.h), and the account of every leaf.
 *
 * The document's tree is taken apart from the inside out: an element that an object holds is printed with
 * what is left in it, then a cut takes its place.
 */
#include "formats/shipped.h"
#include "formats/stix1_read.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static const char *
hash_of(struct s1_obj *ob)
{
	if (!ob->hashed)
		residue_object_hash(ob->tree, extension_definition_id(EXTENSION_STIX1), ob->hash);
	ob->hashed = true;
	return ob->hash;
}

/* One residue being built. */
struct keep {
	struct s1	*s;
	json		*objects, *moved;
	struct strbuf	 path;
};

static const struct s1_tag *
tags_of(const struct xml_node *n)
{
	const struct s1_note *note = n->user;

	return note == NULL ? NULL : note->tags;
}

static bool
is_cut(const struct xml_node *n)
{
	return xml_is(n, STIX1_NS_CUT, "cut");
}

static void
note_objects(struct keep *k, const struct xml_node *n)
{
	for (const struct s1_tag *t = tags_of(n); t != NULL; t = t->next) {
		json *entry;

		if (t->unit || t->ob->dead)
			continue;
		entry = json_push(k->objects, json_object(k->s->mem));
		json_put_str(k->s->mem, entry, "path", strbuf_slice(&k->path));
		json_put_str(k->s->mem, entry, "id", t->ob->id);
		json_put_str(k->s->mem, entry, "sha256", slice_of(hash_of(t->ob)));
	}
}

/* List what is inside n: objects without XML of their own, and what was not mapped. */
static void
list_inside(struct keep *k, const struct xml_node *n)
{
	struct xml_names names = XML_NAMES_INIT;
	size_t n_path = k->path.n;

	note_objects(k, n);
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->mark != XML_UNSEEN)
			continue;
		xml_add_attr_step(&k->path, a);
		json_push(k->moved, json_string(k->s->mem, strbuf_slice(&k->path)));
		strbuf_setlen(&k->path, n_path);
	}
	for (const struct xml_node *c = xml_child(n); c != NULL; c = xml_sibling(c)) {
		size_t ordinal = xml_next_ordinal(k->s->mem, &names, c);

		if (is_cut(c))
			continue;
		xml_add_step(&k->path, c, ordinal);
		if (xml_was_touched(c) || tags_of(c) != NULL)
			list_inside(k, c);
		else
			json_push(k->moved, json_string(k->s->mem, strbuf_slice(&k->path)));
		strbuf_setlen(&k->path, n_path);
	}
}

/* Return the residue of what is left of n. */
static json *
make_residue(struct s1 *s, const struct xml_node *n, const struct s1_obj *in)
{
	struct keep k = { .s = s, .objects = json_list(s->mem), .moved = json_list(s->mem),
	    .path = STRBUF_INIT };
	struct strbuf xml = STRBUF_INIT;
	json *residue = json_object(s->mem);

	list_inside(&k, n);
	xml_print(&xml, n, 0);
	json_put_str(s->mem, residue, "element", n->name);
	if (in != NULL)
		json_put_str(s->mem, residue, "in", in->id);
	json_put_str(s->mem, residue, "xml", strbuf_slice(&xml));
	if (json_first(k.objects) != NULL)
		json_put(s->mem, residue, "objects", k.objects);
	if (json_first(k.moved) != NULL)
		json_put(s->mem, residue, "moved", k.moved);
	strbuf_fini(&k.path);
	strbuf_fini(&xml);
	return residue;
}

/* Return the place of an object's residue, made if need be. */
static json *
residue_place(struct s1 *s, struct s1_obj *ob)
{
	json *ext = json_get(ob->tree, "extensions"), *entry;

	if (ext == NULL)
		ext = json_put(s->mem, ob->tree, "extensions", json_object(s->mem));
	entry = json_get(ext, extension_definition_id(EXTENSION_STIX1));
	if (entry == NULL) {
		entry = json_put(s->mem, ext, extension_definition_id(EXTENSION_STIX1),
		    json_object(s->mem));
		json_put_str(s->mem, entry, "extension_type", SLICE_LIT("property-extension"));
	}
	return entry;
}

/* Put a residue on an object: as its own, or behind an earlier one as one of its further places. */
static void
attach(struct s1 *s, struct s1_obj *ob, json *residue)
{
	json *more;

	json_put_str(s->mem, residue, "sha256", slice_of(hash_of(ob)));
	if (ob->residue == NULL) {
		ob->residue = json_put(s->mem, residue_place(s, ob), "stix1", residue);
		return;
	}
	more = json_get(ob->residue, "more");
	if (more == NULL)
		more = json_put(s->mem, ob->residue, "more", json_list(s->mem));
	json_push(more, residue);
}

static struct s1_obj *
holder_of(const struct xml_node *n)
{
	for (const struct s1_tag *t = tags_of(n); t != NULL; t = t->next)
		if (t->unit && !t->ob->dead)
			return t->ob;
	return NULL;
}

static void
put_cut(struct s1 *s, struct xml_node *n, const struct s1_obj *ob)
{
	struct xml_node *cut = xml_new(s->mem, STIX1_NS_CUT, "", "cut");

	xml_set(s->mem, cut, "ref", ob->id);
	xml_replace(n, cut);
}

/* Take out what objects hold, everywhere below n. Refused parts go altogether: they are in quarantine. */
static void
take_apart(struct s1 *s, struct xml_node *n, const struct s1_obj *owner)
{
	struct xml_node *next;

	for (struct xml_node *c = xml_child(n); c != NULL; c = next) {
		struct s1_obj *ob = holder_of(c);

		next = xml_sibling(c);
		if (c->mark == XML_DROPPED) {
			xml_detach(c);
			continue;
		}
		take_apart(s, c, ob != NULL ? ob : owner);
		if (ob == NULL)
			continue;
		attach(s, ob, make_residue(s, c, owner));
		put_cut(s, c, ob);
	}
}

/* The object that carries what is around all others, if nothing was made of that; NULL: there is none. */
struct s1_obj *
s1_bearer(const struct s1 *s)
{
	struct s1_obj *any = NULL;

	if (holder_of(s->doc) != NULL)
		return holder_of(s->doc);
	for (size_t i = 0; i < s->objs.n; i++) {
		struct s1_obj *ob = s->objs.v[i];

		if (ob->dead || ob->definition || ob->relationship)
			continue;
		if (ob->holds)
			return ob;
		if (any == NULL)
			any = ob;
	}
	return any;
}

/* See stix1_read.h. */
void
s1_keep(struct s1 *s)
{
	struct s1_obj *holder = holder_of(s->doc), *bearer = s1_bearer(s);

	if (bearer == NULL)
		return;
	take_apart(s, s->doc, bearer);
	if (holder != NULL) {
		attach(s, holder, make_residue(s, s->doc, NULL));
		return;
	}
	if (bearer->residue == NULL)
		bearer->residue = json_put(s->mem, residue_place(s, bearer), "stix1", json_object(s->mem));
	json_put(s->mem, bearer->residue, "package", make_residue(s, s->doc, NULL));
}

/* See stix1_read.h. Before s1_keep takes the tree apart. */
void
s1_account(struct s1 *s)
{
	static const struct xml_account notes = {
		.moved = "in the stix1 extension", .dropped = "refused, see the verdict",
		.approximated = "the exact form is in the stix1 extension",
	};

	xml_account(s->job->loss, s->mem, s->doc, s->path, &notes);
}
