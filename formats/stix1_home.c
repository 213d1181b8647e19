/* stix1_home.c -- STIX 1.x documents put together again from the residue on objects (see stix1.h). */
#include "formats/idmap.h"
#include "formats/shipped.h"
#include "formats/stix1.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"

enum { PIECE_DEPTH = 80, PIECES_MAX = 200000 };

/* Return R of an object. */
json *
stix1_residue(const json *object)
{
	return json_get(json_get(json_get(object, "extensions"),
	    extension_definition_id(EXTENSION_STIX1)), "stix1");
}

/* S of an object. */
void
stix1_object_hash(const json *object, char out[65])
{
	residue_object_hash(object, extension_definition_id(EXTENSION_STIX1), out);
}

/* Parse the XML of a piece; NULL if it is not what it says. */
static struct xml_node *
parse_piece(const json *residue, struct arena *mem)
{
	struct xml_limits lim = { .depth = PIECE_DEPTH };
	struct xml_node *root;

	if (!json_is_string(json_get(residue, "xml")) ||
	    xml_parse(json_member(residue, "xml"), &lim, mem, &root, NULL) < 0 ||
	    !slice_eq(root->name, json_member(residue, "element")) ||
	    stix1_family(root->ns) == STIX1_FOREIGN)
		return NULL;
	return root;
}

static void
add_piece(struct stix1_home *h, struct arena *mem, const struct object *o, const json *residue, bool bears)
{
	struct stix1_piece *p;
	char hash[65];

	if (!json_is_object(residue) || json_get(residue, "xml") == NULL || h->n >= PIECES_MAX)
		return;
	h->pieces = arena_grow(mem, h->pieces, h->n, &h->cap, sizeof(*h->pieces));
	p = &h->pieces[h->n++];
	*p = (struct stix1_piece){ .object = o, .residue = residue, .bears = bears };
	p->node = parse_piece(residue, mem);
	if (bears)
		return;
	stix1_object_hash(o->tree, hash);
	p->same = slice_is(json_member(residue, "sha256"), hash);
}

/* All pieces of all objects. */
static void
collect(const struct advisory *adv, struct arena *mem, struct stix1_home *h)
{
	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];
		const json *residue = o->tree == NULL ? NULL : stix1_residue(o->tree);

		if (residue == NULL)
			continue;
		add_piece(h, mem, o, json_get(residue, "package"), true);
		add_piece(h, mem, o, residue, false);
		for (const json *m = json_first(json_get(residue, "more")); m != NULL; m = json_next(m))
			add_piece(h, mem, o, m, false);
	}
}

struct places {
	struct arena		*mem;
	struct stix1_home	*h;
	struct idmap		 ids;	/* of objects -> pieces[] */
	bool			*used;
};

/* Return the next piece of the object that a cut names, which stood in the object `in`. */
static struct stix1_piece *
piece_of(struct places *p, struct slice ref, struct slice in)
{
	for (size_t i = idmap_place(&p->ids, ref); i < p->ids.n && slice_eq(p->ids.v[i].id, ref); i++) {
		size_t at = p->ids.v[i].value;
		struct stix1_piece *piece = &p->h->pieces[at];

		if (p->used[at] || piece->bears || piece->node == NULL ||
		    !slice_eq(json_member(piece->residue, "in"), in))
			continue;
		p->used[at] = true;
		return piece;
	}
	return NULL;
}

/* Fill the cuts in n, which the object `in` holds. */
static void
fill_cuts(struct places *p, struct xml_node *n, struct slice in)
{
	struct xml_node *next;

	for (struct xml_node *k = xml_child(n); k != NULL; k = next) {
		struct stix1_piece *piece;

		next = xml_sibling(k);
		if (!xml_is(k, STIX1_NS_CUT, "cut")) {
			fill_cuts(p, k, in);
			continue;
		}
		piece = piece_of(p, xml_value(k, "ref"), in);
		if (piece == NULL)
			xml_detach(k);
		else
			xml_replace(k, piece->node);
	}
}

/* Pieces from the inside out: each piece's cuts are filled once, wherever it goes. */
void
stix1_home(const struct advisory *adv, struct arena *mem, struct stix1_home *h)
{
	struct places p = { .mem = mem, .h = h };

	*h = (struct stix1_home){ 0 };
	collect(adv, mem, h);
	p.used = arena_alloc(mem, h->n + 1);
	for (size_t i = 0; i < h->n; i++)
		idmap_add(&p.ids, mem, h->pieces[i].object->id, i);
	idmap_sort(&p.ids);
	for (size_t i = 0; i < h->n; i++)
		if (h->pieces[i].node != NULL)
			fill_cuts(&p, h->pieces[i].node, h->pieces[i].object->id);
	for (size_t i = 0; i < h->n; i++) {
		if (p.used[i] || h->pieces[i].node == NULL)
			continue;
		h->roots = arena_grow(mem, h->roots, h->nroots, &h->roots_cap, sizeof(struct xml_node *));
		h->roots[h->nroots++] = h->pieces[i].node;
	}
}
