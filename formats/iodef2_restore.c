/*
 * iodef2_restore.c -- STIX originals that travelled through IODEF come back (iodef2_residue.h).
 *
 * An untouched document gives exactly the originals, in their order. In a document that somebody
 * edited, what was edited is found by comparing three sides: the originals (O), what the elements
 * give when they are read natively (N), and what a fresh writing of the originals would give when read
 * natively (B). Where N and B agree nobody changed anything, however much IODEF had to approximate;
 * where they differ the value of N goes into the original.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/iodef2_read.h"
#include "formats/iodef2_restore.h"
#include "formats/shipped.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

enum { ORIGINAL_DEPTH = 128 };

bool
ir_has_originals(const struct ir *r)
{
	struct xml_node *n = r->doc;

	while (n != NULL) {	/* document order, without recursion */
		if (iodef2_is_stix_data(n) || (xml_is(n, IODEF2_NS, "AdditionalData") &&
		    slice_is(xml_value(n, "name"), IODEF2_RESIDUE_BUNDLE)))
			return true;
		if (xml_child(n) != NULL) {
			n = xml_child(n);
			continue;
		}
		while (n != NULL && xml_sibling(n) == NULL)
			n = n->parent;
		n = xml_sibling(n);
	}
	return false;
}

/* Read "original object; sha256=H[; path=P P]": the covered elements, and whether H fits. */
static void
read_cover(struct ir *r, struct xml_node *data, const char *start, struct ir_cover *out)
{
	struct slice rest = xml_value(data, "meaning"), hash;
	struct slice paths = SLICE_EMPTY;
	char now[65];

	if (!slice_starts(rest, start))
		return;
	rest = slice_from(rest.p + strlen(start), rest.n - strlen(start));
	hash = slice_trim(slice_cut(&rest, ';'));
	rest = slice_trim(rest);
	if (slice_is(hash, "-")) {
		out->intact = true;
		return;
	}
	if (slice_starts(rest, "path="))
		paths = slice_from(rest.p + 5, rest.n - 5);
	do {
		struct slice path = slice_cut(&paths, ' ');
		struct xml_node *n = xml_at(data->parent, path);

		if (n == NULL)
			continue;
		out->v = arena_grow(r->mem, out->v, out->n, &out->cap, sizeof(struct xml_node *));
		out->v[out->n++] = n;
	} while (paths.n > 0);
	iodef2_native_hash((const struct xml_node *const *)out->v, out->n, now);
	out->intact = out->n > 0 && slice_is(hash, now);
}

static void
warn_original(struct ir *r, const struct xml_node *data, const char *why)
{
	ir_warn(r, data, "BAD_ORIGINAL", "the STIX object in this AdditionalData is ignored: %.120s", why);
}

/* Take one original over; the same version twice must say the same. */
static void
add_original(struct ir_originals *os, struct xml_node *data, json *tree, struct slice text,
    const struct ir_cover *cover)
{
	struct ir *r = os->r;
	struct object o = { .tree = tree, .bytes = text };
	struct err e = ERR_INIT;
	struct ir_original *v;

	if (object_fill(&o, r->mem, NULL, NULL, &e) < 0) {
		warn_original(r, data, e.reason);
		return;
	}
	os->v = arena_grow(r->mem, os->v, os->n, &os->cap, sizeof(*os->v));
	v = &os->v[os->n];
	*v = (struct ir_original){ .data = data, .o = o, .cover = *cover };
	v->native = (struct ir_label){ TLP_CLEAR, LABEL_TLP };
	for (const struct xml_node *n = data; n != NULL; n = n->parent) {
		if (xml_attr(n, "restriction") == NULL && !xml_is(n, IODEF2_NS, "Incident"))
			continue;
		v->native = ir_label_here(r, data);
		break;
	}
	os->n++;
}

/* Parse the text of one AdditionalData: an object, or a list of them. */
static void
read_data(struct ir_originals *os, struct xml_node *data)
{
	struct ir *r = os->r;
	struct json_limits lim = { .depth = ORIGINAL_DEPTH };
	struct slice text = xml_text_trim(data, r->mem);
	struct ir_cover cover = { 0 };
	struct json_doc doc;
	struct err e = ERR_INIT;

	xml_mark_all(data, XML_KEPT);
	if (xml_child(data) != NULL || json_parse(text, &lim, r->mem, &doc, &e) < 0) {
		warn_original(r, data, xml_child(data) != NULL ? "it is not text" : e.reason);
		return;
	}
	read_cover(r, data, IODEF2_RESIDUE_MEANING, &cover);
	if (json_is_object(doc.root)) {
		add_original(os, data, doc.root, text, &cover);
		return;
	}
	for (size_t i = 0; json_is_list(doc.root) && i < doc.nitems; i++)
		add_original(os, data, doc.items[i].node, doc.items[i].text, &cover);
}

static void
collect(struct ir_originals *os, struct xml_node *n)
{
	if (iodef2_is_stix_data(n)) {
		read_data(os, n);
		return;
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		collect(os, k);
}

/* Two originals of one id and version: the first counts, and a different second is told. */
static void
drop_doubles(struct ir_originals *os)
{
	struct idmap ids = { 0 };

	for (size_t i = 0; i < os->n; i++)
		idmap_add(&ids, os->r->mem, os->v[i].o.id, i);
	idmap_sort(&ids);
	for (size_t i = 1, from = 0; os->v != NULL && i < ids.n; i++) {
		struct ir_original *b = &os->v[ids.v[i].value];

		if (!slice_eq(ids.v[i].id, ids.v[from].id))
			from = i;
		for (size_t k = from; k < i && !b->ignored; k++) {
			struct ir_original *a = &os->v[ids.v[k].value];

			if (a->ignored || !slice_eq(a->o.version_key, b->o.version_key))
				continue;
			if (!json_equal(a->o.tree, b->o.tree))
				warn_original(os->r, b->data,
				    "this version of the object says something else above");
			b->ignored = true;
		}
	}
	os->by_id = ids;
}

/* Order by the list in stix-bundle; *exact when it names exactly what is there and H fits. */
static void
read_bundle(struct ir_originals *os)
{
	struct ir *r = os->r;
	struct xml_node *data = xml_get(r->doc, "AdditionalData");
	struct json_limits lim = { .depth = 8 };
	struct ir_cover cover = { 0 };
	struct json_doc doc;
	struct err e = ERR_INIT;
	size_t next = 1, found = 0, live = 0;

	while (data != NULL && !slice_is(xml_value(data, "name"), IODEF2_RESIDUE_BUNDLE))
		data = xml_more(data);
	if (data == NULL ||
	    json_parse(xml_text_trim(data, r->mem), &lim, r->mem, &doc, &e) < 0)
		return;
	xml_mark_all(data, XML_KEPT);
	read_cover(r, data, IODEF2_RESIDUE_BUNDLE_MEANING, &cover);
	for (json *m = json_first(json_get(doc.root, "objects")); m != NULL; m = json_next(m), next++) {
		struct slice version = json_slice(m), id = slice_cut(&version, ' ');
		long at = idmap_find(&os->by_id, id);

		for (size_t i = at < 0 ? os->n : (size_t)at; i < os->n; i++) {
			struct ir_original *o = &os->v[i];

			if (!o->ignored && o->order == 0 && slice_eq(o->o.id, id) &&
			    slice_eq(o->o.version, version)) {
				o->order = next;
				found++;
				break;
			}
		}
	}
	for (size_t i = 0; i < os->n; i++)
		live += os->v[i].ignored ? 0 : 1;
	os->bundle_id = json_member(doc.root, "id");
	os->csirt = json_member(doc.root, "csirt");
	os->exact = cover.intact && found == next - 1 && found == live &&
	    slice_starts(os->bundle_id, "bundle--");
}

/* Order by the list; what it does not name stands behind, as it was found. */
static int
compare_order(const void *a, const void *b)
{
	const struct ir_original *x = *(struct ir_original *const *)a, *y = *(struct ir_original *const *)b;
	size_t m = x->order - 1, n = y->order - 1;	/* 0, not named, becomes the highest */

	return m != n ? (m > n) - (m < n) : (x > y) - (x < y);
}

/* See iodef2_restore.h. */
struct ir_original **
ir_in_order(struct ir_originals *os, size_t *n)
{
	struct ir_original **v = arena_alloc(os->r->mem, (os->n + 1) * sizeof(struct ir_original *));

	*n = 0;
	for (size_t i = 0; i < os->n; i++)
		if (!os->v[i].ignored)
			v[(*n)++] = &os->v[i];
	qsort(v, *n, sizeof(*v), compare_order);
	return v;
}

/* See iodef2_restore.h. */
void
ir_bump(struct ir *r, struct ir_original *o, struct slice generated)
{
	struct slice old = json_member(o->o.tree, "modified"), next = generated;
	char text[STAMP_TEXT + 1];
	int64_t us;

	if (old.n == 0)
		return;
	if (!ir_before(r, old, next))
		next = r->job->received;
	if (!ir_before(r, old, next)) {
		if (!stamp_parse(old, &us))
			return;
		stamp_text(us + 1000, text);
		next = slice_of(text);
	}
	json_put_str(r->mem, o->o.tree, "modified", ir_millis(r, next));
}

/* A stricter restriction on the element wins over the marking inside. */
static void
raise_label(struct ir_originals *os, struct ir_original *o)
{
	struct ir_label own = { o->o.tlp, o->o.label };
	json *list, *next;

	if (own.label == LABEL_UNREADABLE)
		own.tlp = TLP_RED;	/* as strict as can be (rulings 10) */
	if (!ir_stricter(o->native, own) || slice_is(o->o.type, "marking-definition") ||
	    slice_is(o->o.type, "extension-definition"))
		return;
	ir_warn(os->r, o->data, "LABEL_RAISED",
	    "the restriction here is stricter than the marking of %.80s", o->o.id.p);
	list = json_get(o->o.tree, "object_marking_refs");
	if (list == NULL)
		list = json_put(os->r->mem, o->o.tree, "object_marking_refs", json_list(os->r->mem));
	for (json *m = json_first(list); m != NULL; m = next) {
		next = json_next(m);
		if (tlp_of_marking_id(json_slice(m)) != TLP_UNSET)
			json_detach(list, m);
	}
	json_push(list, json_string(os->r->mem, slice_of(tlp_marking_id(o->native.tlp))));
	o->changed = o->raised = true;
	ir_bump(os->r, o, SLICE_EMPTY);
}

/* object_find_fn over the originals. */
static json *
find_definition(void *ctx, struct slice id)
{
	const struct ir_originals *os = ctx;
	long i = idmap_find(&os->by_id, id);

	return i == IDMAP_NONE ? NULL : os->v[i].o.tree;
}

/* Put an original into the advisory: its own bytes, unless it was changed. */
static int
emit(struct ir_originals *os, struct ir_original *from, struct err *e)
{
	struct ir *r = os->r;
	struct object *o;
	struct strbuf text = STRBUF_INIT;

	if (from->raised && advisory_add_marking(r->adv, r->mem, from->native.tlp) < 0)
		return -1;
	o = advisory_add(r->adv, r->mem);
	o->tree = from->o.tree;
	o->bytes = from->o.bytes;
	if (from->changed) {
		json_print(&text, o->tree);
		o->bytes = arena_slice(r->mem, strbuf_slice(&text));
		strbuf_fini(&text);
		o->flags = OBJECT_MINTED;
	}
	if (object_fill(o, r->mem, find_definition, os, e) < 0) {
		ir_warn(r, from->data, "BAD_ORIGINAL", "%.150s", e->reason);
		*e = (struct err)ERR_INIT;
		r->adv->n--;
	}
	return 0;
}

static int
emit_all(struct ir_originals *os, struct err *e)
{
	size_t n;
	struct ir_original **v = ir_in_order(os, &n);

	for (size_t i = 0; i < n; i++) {
		if (emit(os, v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* Labels with the definitions of the message at hand, then what the elements say on top. */
static void
settle_labels(struct ir_originals *os)
{
	for (size_t i = 0; i < os->n; i++) {
		struct err e = ERR_INIT;

		if (!os->v[i].ignored &&
		    object_fill(&os->v[i].o, os->r->mem, find_definition, os, &e) == 0)
			raise_label(os, &os->v[i]);
	}
}

void
ir_originals_read(struct ir *r, struct ir_originals *os)
{
	os->r = r;
	collect(os, r->doc);
	drop_doubles(os);
	read_bundle(os);
}

/* See iodef2_read.h. */
int
ir_restore(struct ir *r, struct err *e)
{
	struct ir_originals os = { .r = r };

	ir_originals_read(r, &os);
	settle_labels(&os);
	if (os.exact) {
		r->adv->id = os.bundle_id;
		xml_mark_all(r->doc, XML_KEPT);
		ir_account(r);
		if (emit_all(&os, e) < 0)
			return -1;
		advisory_settle(r->adv, r->mem);
		return 0;
	}
	ir_derive(r);
	ir_merge(&os);
	ir_account(r);
	if (emit_all(&os, e) < 0 || ir_mint(r, e) < 0)
		return -1;
	advisory_settle(r->adv, r->mem);
	return 0;
}
