/* csaf_originals.c -- STIX originals in the notes of a document (csaf_read.h). */
#include "formats/csaf_read.h"
#include "formats/shipped.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

enum { ORIGINAL_DEPTH = 128 };

bool
csaf_is_ours(const json *note)
{
	struct slice title = json_member(note, "title");

	return slice_is(json_member(note, "category"), "other") &&
	    (slice_is(title, CSAF_NOTE_OBJECT) || slice_is(title, CSAF_NOTE_BUNDLE));
}

/* The path of a note. */
static const char *
note_path(struct arena *mem, size_t i)
{
	return arena_fmt(mem, "document.notes[%zu].text", i);
}

/* Read what the bundle note says. */
static void
take_bundle(struct csaf_originals *os, struct arena *mem, const json *note)
{
	struct json_limits lim = { .depth = 8 };
	struct json_doc doc;
	int64_t n = 0;

	if (json_parse(json_member(note, "text"), &lim, mem, &doc, NULL) < 0)
		return;
	os->bundle_id = json_member(doc.root, "id");
	os->csirt = json_member(doc.root, "csirt");
	os->hash = json_member(doc.root, "sha256");
	if (json_int(json_get(doc.root, "objects"), &n) && n > 0)
		os->count = (size_t)n;
}

/* Take over one original. */
static void
take_object(struct csaf_originals *os, struct arena *mem, const json *note, size_t i, csaf_warn_fn *warn,
    void *ctx)
{
	struct json_limits lim = { .depth = ORIGINAL_DEPTH };
	struct slice text = slice_trim(json_member(note, "text"));
	struct csaf_original *v;
	struct json_doc doc;
	struct err e = ERR_INIT;

	os->v = arena_grow(mem, os->v, os->n, &os->cap, sizeof(*os->v));
	v = &os->v[os->n];
	*v = (struct csaf_original){ .note = i, .o = { .bytes = text } };
	if (json_parse(text, &lim, mem, &doc, &e) == 0) {
		v->o.tree = doc.root;
		if (object_fill(&v->o, mem, NULL, NULL, &e) == 0) {
			os->n++;
			return;
		}
	}
	warn(ctx, "BAD_ORIGINAL", note_path(mem, i), e.reason);
}

/* Two originals of one id and version: the first counts, and a different second is told. */
static void
drop_doubles(struct csaf_originals *os, struct arena *mem, csaf_warn_fn *warn, void *ctx)
{
	for (size_t i = 0; i < os->n; i++)
		idmap_add(&os->by_id, mem, os->v[i].o.id, i);
	idmap_sort(&os->by_id);
	for (size_t i = 1; i < os->by_id.n; i++) {
		struct csaf_original *a = &os->v[os->by_id.v[i - 1].value];
		struct csaf_original *b = &os->v[os->by_id.v[i].value];

		if (!slice_eq(a->o.id, b->o.id) || !slice_eq(a->o.version_key, b->o.version_key))
			continue;
		b->twin = json_equal(a->o.tree, b->o.tree);
		b->ignored = !b->twin;
		if (b->ignored)
			warn(ctx, "BAD_ORIGINAL", note_path(mem, b->note),
			    "this version of the object says something else in a note before");
	}
}

/* See csaf_read.h. */
void
csaf_originals_drop_twins(struct csaf_originals *os)
{
	for (size_t i = 0; i < os->n; i++)
		os->v[i].ignored = os->v[i].ignored || os->v[i].twin;
}

/* A copy of the root without the notes of ours. */
static json *
without_notes(struct arena *mem, const json *root)
{
	json *copy = json_copy(mem, root), *document = json_get(copy, "document");
	json *notes = json_get(document, "notes"), *next;

	for (json *n = json_first(notes); n != NULL; n = next) {
		next = json_next(n);
		if (csaf_is_ours(n))
			json_detach(notes, n);
	}
	if (json_first(notes) == NULL)
		json_remove(document, "notes");
	return copy;
}

/* See csaf_read.h. */
void
csaf_originals_take(struct csaf_originals *os, struct arena *mem, json *root, csaf_warn_fn *warn, void *ctx)
{
	json *notes = json_get(json_get(root, "document"), "notes");
	size_t i = 0;

	os->rest = root;
	for (const json *n = json_first(notes); n != NULL; n = json_next(n), i++) {
		if (!csaf_is_ours(n))
			continue;
		os->notes++;
		os->note_bytes += json_member(n, "text").n;
		if (slice_is(json_member(n, "title"), CSAF_NOTE_BUNDLE))
			take_bundle(os, mem, n);
		else
			take_object(os, mem, n, i, warn, ctx);
	}
	if (os->notes == 0)
		return;
	drop_doubles(os, mem, warn, ctx);
	os->rest = without_notes(mem, root);
}

/* object_find_fn over the originals. */
static json *
find_definition(void *ctx, struct slice id)
{
	const struct csaf_originals *os = ctx;
	long i = idmap_find(&os->by_id, id);

	return i == IDMAP_NONE ? NULL : os->v[i].o.tree;
}

/* The label that a document of these originals has; they learn their own. */
static enum tlp
say(struct csaf_originals *os, struct arena *mem)
{
	struct csaf_labels sum = { .max = TLP_UNSET };

	for (size_t i = 0; i < os->n; i++) {
		struct err e = ERR_INIT;

		object_fill(&os->v[i].o, mem, find_definition, os, &e);
		if (!os->v[i].ignored)
			csaf_labels_add(&sum, &os->v[i].o);
	}
	return csaf_labels_say(&sum);
}

/* See csaf_read.h. The hash is anybody's to compute: it is no reason to believe a weaker label. */
bool
csaf_originals_fit(struct csaf_originals *os, struct arena *mem)
{
	char hash[65];
	enum label_case label;
	size_t live = 0;

	if (os->hash.n == 0 || os->n == 0 || !slice_starts(os->bundle_id, "bundle--"))
		return false;
	for (size_t i = 0; i < os->n; i++)
		live += !os->v[i].ignored;
	csaf_tree_hash(os->rest, hash);
	return live == os->count && slice_is(os->hash, hash) &&
	    !csaf_stricter(csaf_tlp_there(json_get(os->rest, "document"), &label), say(os, mem));
}

/* The label of an original: what cannot be read is as strict as can be (rulings 10). */
static enum tlp
label_of(const struct csaf_original *v)
{
	return v->o.label == LABEL_UNREADABLE ? TLP_RED : v->o.tlp;
}

/* A changed object is another version: that of the document, if it is later. */
void
csaf_bump(struct arena *mem, json *tree, struct slice modified)
{
	struct slice old = json_member(tree, "modified"), a, b;
	char text[STAMP_TEXT + 1];
	int64_t us;

	if (old.n == 0 || !stamp_key(mem, old, &a))
		return;
	if (!stamp_key(mem, modified, &b) || slice_cmp(a, b) >= 0) {
		if (!stamp_parse(old, &us))
			return;
		stamp_text(us + 1000, text);
		modified = csaf_time(mem, slice_of(text));
	}
	json_put_str(mem, tree, "modified", modified);
}

/* Put the label of the document in the place of a weaker one. */
static void
raise_one(struct csaf_original *v, struct csaf_reading *r)
{
	json *list = json_get(v->o.tree, "object_marking_refs"), *next;

	if (list == NULL)
		list = json_put(r->mem, v->o.tree, "object_marking_refs", json_list(r->mem));
	for (json *m = json_first(list); m != NULL; m = next) {
		next = json_next(m);
		if (tlp_of_marking_id(json_slice(m)) != TLP_UNSET)
			json_detach(list, m);
	}
	json_push(list, json_string(r->mem, slice_of(tlp_marking_id(r->tlp))));
	csaf_bump(r->mem, v->o.tree, r->modified);
	v->changed = v->raised = true;
}

/* See csaf_read.h. */
void
csaf_originals_raise(struct csaf_originals *os, struct csaf_reading *r, csaf_warn_fn *warn, void *ctx)
{
	if (os->n == 0 || !csaf_stricter(r->tlp, say(os, r->mem)))
		return;
	for (size_t i = 0; i < os->n; i++) {
		struct csaf_original *v = &os->v[i];

		if (v->ignored || !csaf_stricter(r->tlp, label_of(v)) ||
		    slice_is(v->o.type, "marking-definition") ||
		    slice_is(v->o.type, "extension-definition"))
			continue;
		warn(ctx, "LABEL_RAISED", note_path(r->mem, v->note),
		    "the label of the document is stricter than that of this object");
		raise_one(v, r);
	}
}

/* See csaf_read.h. */
int
csaf_originals_emit(struct csaf_originals *os, struct csaf_reading *r, struct advisory *adv,
    csaf_warn_fn *warn, void *ctx, struct err *e)
{
	for (size_t i = 0; i < os->n; i++) {
		struct csaf_original *v = &os->v[i];
		struct strbuf text = STRBUF_INIT;
		struct object *o;

		if (v->ignored)
			continue;
		if (v->raised && find_definition(os, slice_of(tlp_marking_id(r->tlp))) == NULL &&
		    advisory_add_marking(adv, r->mem, r->tlp) < 0)
			return -1;
		o = advisory_add(adv, r->mem);
		o->tree = v->o.tree;
		o->bytes = v->o.bytes;
		if (v->changed) {
			json_print(&text, o->tree);
			o->bytes = arena_slice(r->mem, strbuf_slice(&text));
			o->flags = OBJECT_MINTED;
		}
		strbuf_fini(&text);
		if (object_fill(o, r->mem, find_definition, os, e) < 0) {
			warn(ctx, "BAD_ORIGINAL", note_path(r->mem, v->note), e->reason);
			*e = (struct err)ERR_INIT;
			adv->n--;
		}
	}
	return 0;
}
