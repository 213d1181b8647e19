/*
 * stix1_write_home.c -- objects that came from STIX 1.x go back as the document that they came in.
 *
 * The residue is put together (stix1_home.c), without what was edited, and then it is read again: it counts
 * only if reading it gives the very objects that are here, each under a label at least as strict. So no
 * residue says what its objects do not say. What is not in it is written beside it, natively; an edited
 * object gets back what STIX 2.1 has no words for.
 */
#include "formats/shipped.h"
#include "formats/stix1_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { EDITS_MAX = 1000 };	/* of more, the document is not the one it was */

/* The kind of element that a piece is; S1_KINDS for a package and what is none of ours. */
static enum s1_kind
kind_of_piece(const struct stix1_piece *p)
{
	for (enum s1_kind k = S1_REPORT; k < S1_KINDS; k++)
		if (slice_is(p->node->name, sw_kinds[k].name))
			return k;
	return S1_KINDS;
}

static bool
is_below(const struct xml_node *n, const struct xml_node *top)
{
	while (n != NULL && n != top)
		n = n->parent;
	return n != NULL;
}

/* What an element is called in its document; its prefix must mean the same at the root. */
static void
take_name(struct sw *w, struct sw_item *item, const struct xml_node *n)
{
	struct slice id = slice_trim(xml_value(n, "id")), rest = id, prefix, uri, there;

	prefix = slice_cut(&rest, ':');
	if (rest.n == 0 || item->qname.n > 0)
		return;
	uri = stix1_uri(n, prefix);
	there = stix1_uri(w->root, prefix);
	if (uri.n == 0 || (there.n > 0 && !slice_eq(there, uri)))
		return;
	if (there.n == 0)
		xml_declare(w->mem, w->root, arena_str(w->mem, prefix), arena_str(w->mem, uri));
	item->qname = id;
}

/* Take an edited element out; what stands in it and is still the same goes to the lists of the package. */
static bool
take_out(struct sw *w, const struct stix1_home *h, const struct stix1_piece *edited)
{
	if (edited->node == w->root || edited->node->parent == NULL)
		return false;
	for (size_t i = 0; i < h->n; i++) {
		const struct stix1_piece *p = &h->pieces[i];

		if (p->node == NULL || p == edited || !is_below(p->node, edited->node))
			continue;
		if (kind_of_piece(p) == S1_KINDS)
			return false;
		xml_detach(p->node);
		xml_append(sw_list(w, w->root, kind_of_piece(p)), p->node);
	}
	xml_detach(edited->node);
	return true;
}

/* Read the document again; *adv is what it says. */
static bool
read_again(struct sw *w, struct slice received, struct advisory *adv)
{
	struct strbuf text = STRBUF_INIT;
	struct read_job job = { .input = "residue", .received = received };
	bool ok;

	*adv = (struct advisory){ 0 };
	xml_print(&text, w->root, 0);
	job.in = strbuf_slice(&text);
	ok = stix1_read(&job, w->mem, adv, NULL) == 0;
	strbuf_fini(&text);
	return ok;
}

/* A pattern that is XML may be spelled in another way. */
static bool
is_same_xml(struct sw *w, struct slice a, struct slice b)
{
	struct xml_limits lim = { .depth = 80 };
	struct xml_node *x, *y;

	return a.n > 0 && a.p[0] == '<' && xml_parse(a, &lim, w->mem, &x, NULL) == 0 &&
	    xml_parse(b, &lim, w->mem, &y, NULL) == 0 && xml_equal(x, y);
}

/* True if an object read again is the one that is here. */
static bool
is_same_object(struct sw *w, json *now, const json *then)
{
	char was[65], is[65];

	if (is_same_xml(w, json_member(now, "pattern"), json_member(then, "pattern")))
		json_put_str(w->mem, now, "pattern", json_member(then, "pattern"));
	stix1_object_hash(then, was);
	stix1_object_hash(now, is);
	return strcmp(was, is) == 0;
}

/* True if what the document says is what is here. */
static bool
is_true(struct sw *w, const struct advisory *adv)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		w->items[i].home = false;
	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];
		struct sw_need need = { { TLP_UNSET } };
		struct sw_item *item;

		if (o->class == OBJECT_META)
			continue;
		item = sw_find_version(w, o->id, o->version_key);
		if (item == NULL)
			return false;
		sw_need(&need, item->o);
		if (!sw_is_as_strict(o, &need))
			return false;
		if (!is_same_object(w, o->tree, item->tree))
			return false;
		item->home = true;
		n++;
	}
	return n > 0;
}

/* The time of receipt stands in for times that a document does not say: try those that it may have been. */
static bool
verify(struct sw *w, const struct stix1_home *h)
{
	struct slice times[3] = { w->job->received };
	struct advisory adv;
	size_t n = 1;

	for (size_t i = 0; i < h->n && n < COUNTOF(times); i++) {
		struct slice t = h->pieces[i].object->version;

		if (t.n > 0 && !slice_eq(t, times[n - 1]) && h->pieces[i].same)
			times[n++] = t;
	}
	for (size_t i = 0; i < n; i++)
		if (read_again(w, times[i], &adv) && is_true(w, &adv))
			return true;
	for (size_t i = 0; i < w->n; i++)
		w->items[i].home = false;
	return false;
}

/* True if anything must be written beside what is at home. */
static bool
has_more(const struct sw *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->items[i].out && !w->items[i].home)
			return true;
	return false;
}

/* Put the document together and see that it is true. The root of w is it then. */
bool
sw_go_home(struct sw *w)
{
	struct xml_node *native = w->root;
	bool mitre;
	struct stix1_home h;
	size_t edits = 0;

	stix1_home(w->job->adv, w->mem, &h);
	if (h.nroots != 1)
		return false;
	w->root = h.roots[0];
	mitre = xml_is(w->root, STIX1_NS_CORE, "STIX_Package");
	for (size_t i = 0; i < h.n; i++) {
		struct stix1_piece *p = &h.pieces[i];
		struct sw_item *item = sw_find(w, p->object->id);

		if (p->node == NULL || item == NULL || p->bears)
			continue;
		if (mitre)
			take_name(w, item, p->node);
		if (p->same) {
			item->node = p->node;
			continue;
		}
		item->residue = p->residue;
		if (!mitre || edits++ >= EDITS_MAX || !take_out(w, &h, p))
			goto natively;
	}
	if (!verify(w, &h) || (has_more(w) && !mitre))
		goto natively;
	return true;
natively:
	for (size_t i = 0; i < w->n; i++) {
		w->items[i].qname = SLICE_EMPTY;
		w->items[i].node = NULL;
		w->items[i].residue = NULL;
	}
	w->root = native;
	return false;
}

/* Remove cuts: what stood there has its place elsewhere. */
static void
drop_cuts(struct xml_node *n)
{
	struct xml_node *next;

	for (struct xml_node *k = xml_child(n); k != NULL; k = next) {
		next = xml_sibling(k);
		if (xml_is(k, STIX1_NS_CUT, "cut"))
			xml_detach(k);
		else
			drop_cuts(k);
	}
}

/* The element of `n` at the place of `like`, below `top`, by names; NULL if there is none. */
static struct xml_node *
same_place(struct xml_node *n, const struct xml_node *like, const struct xml_node *top)
{
	struct xml_node *up;

	if (like == top)
		return n;
	up = same_place(n, like->parent, top);
	return up == NULL ? NULL : stix1_get(up, like->name.p);
}

/* What STIX 2.1 had no words for comes back into an element that was written anew. */
void
sw_add_moved(struct sw *w, struct sw_item *item, struct xml_node *n)
{
	struct xml_limits lim = { .depth = 80 };
	struct xml_node *was;

	if (item->residue == NULL || xml_parse(json_member(item->residue, "xml"), &lim, w->mem, &was,
	    NULL) < 0)
		return;
	for (const json *m = json_first(json_get(item->residue, "moved")); m != NULL; m = json_next(m)) {
		struct xml_node *part = xml_at(was, json_slice(m)), *copy, *to;

		if (part == NULL || part == was || xml_is_text(part))
			continue;
		to = same_place(n, part->parent, was);
		if (to == NULL || stix1_get(to, part->name.p) != NULL)
			continue;
		copy = xml_copy(w->mem, part);
		drop_cuts(copy);
		xml_append(to, copy);
	}
}
