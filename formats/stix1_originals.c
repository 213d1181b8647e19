/*
 * stix1_originals.c -- STIX objects that came whole in the header of a package (see stix1.h).
 *
 * A package that is to the letter what was written is its originals. In one that was changed each original
 * stands for what its element says as long as that is the same; what was changed wins over it; and an
 * original that no element tells of is taken as it is. All that is data of its sender, and no label gets
 * weaker by it: an original is under the label of its Tool too.
 */
#include "formats/stix1_originals.h"

#include <stdlib.h>

#include "formats/shipped.h"
#include "formats/stix21_check.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { ORIGINAL_DEPTH = 128, ORIGINALS_MAX = 100000 };

/* ---- hashes ---- */

static bool
is_tool(const struct xml_node *n)
{
	return stix1_is(n, "Tool") && slice_starts(xml_value(n, "id"), STIX1_TOOL_ID);
}

static bool
holds(const struct xml_node *tool, const char *type)
{
	return slice_is(xml_value(stix1_get(tool, "Metadata"), "type"), type);
}

static bool
is_bundle_tool(const struct xml_node *n)
{
	return is_tool(n) && (stix1_get(n, "Metadata") == NULL || holds(n, STIX1_BUNDLE));
}

static void
hash_without(const struct xml_node *n, bool (*skip)(const struct xml_node *), char *out)
{
	struct strbuf text = STRBUF_INIT;

	xml_print_canonical(&text, n, skip);
	digest_sha256_hex(strbuf_slice(&text), out);
	strbuf_fini(&text);
}

/* See stix1.h. */
void
stix1_package_hash(const struct xml_node *package, char out[65])
{
	hash_without(package, is_bundle_tool, out);
}

/* See stix1.h. */
void
stix1_element_hash(const struct xml_node *n, char out[65])
{
	hash_without(n, NULL, out);
}

/* ---- taking them ---- */

static struct slice
datum(struct s1 *s, const struct xml_node *n, const char *type)
{
	for (struct xml_node *k = stix1_get(n, "SubDatum"); k != NULL; k = stix1_more(k))
		if (slice_is(xml_value(k, "type"), type))
			return xml_text_trim(stix1_get(k, "Value"), s->mem);
	return SLICE_EMPTY;
}

static size_t
number(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || n > 100000000)
			return SIZE_MAX;
		n = n * 10 + (size_t)(text.p[i] - '0');
	}
	return text.n == 0 ? SIZE_MAX : n;
}

/* What the object's own element says of it counts as well. */
static void
look_at_element(struct s1 *s, struct s1_original *v)
{
	struct xml_node *n = s1_by_id(s, v->in);
	struct slice uuid = v->o.id;
	struct s1_note *note;

	slice_cut(&uuid, '-');
	if (n == NULL || uuid.n < 1 || !slice_eq(s1_uuid_of(s, v->in), slice_from(uuid.p + 1, uuid.n - 1)))
		return;
	note = s1_note(s, n);
	if (note->own == NULL) {
		note->own = arena_alloc(s->mem, sizeof(*note->own));
		*note->own = s1_label_within(s, n, true);
	}
	v->here = s1_strictest(s, v->here, *note->own);
}

/* One original; what is no object of STIX is refused by itself. */
static void
take(struct s1 *s, struct xml_node *n, struct s1_label here)
{
	struct json_limits lim = { .depth = ORIGINAL_DEPTH };
	struct s1_originals *os = &s->originals;
	struct s1_original *v;
	struct json_doc doc;
	struct err e = ERR_INIT;

	os->v = arena_grow(s->mem, os->v, os->n, &os->cap, sizeof(*os->v));
	v = &os->v[os->n];
	*v = (struct s1_original){ .from = n, .here = here, .place = os->n,
	    .index = number(datum(s, n, "index")),
	    .in = datum(s, n, "in"), .hash = datum(s, n, "sha256"),
	    .o = { .bytes = xml_text_trim(stix1_get(n, "Value"), s->mem) } };
	if (os->n >= (s->job->limits.objects > 0 ? s->job->limits.objects : ORIGINALS_MAX))
		err_set(&e, ERR_LIMIT, "too many originals");
	else if (json_parse(v->o.bytes, &lim, s->mem, &doc, &e) == 0) {
		v->o.tree = doc.root;
		object_fill(&v->o, s->mem, NULL, NULL, &e);
	}
	if (e.code == ERR_NONE && s->job->strict)
		stix21_check_must(&v->o, s->mem, &e);
	if (e.code == ERR_NONE) {
		look_at_element(s, v);
		os->n++;
	} else
		s1_warn(s, n, "BAD_ORIGINAL", "this object is not taken: %.150s", e.reason);
}

static int
by_index(const void *a, const void *b)
{
	const struct s1_original *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

/* The same version twice must say the same, and counts once. */
static void
find_doubles(struct s1 *s)
{
	struct s1_originals *os = &s->originals;

	if (os->n > 0)
		qsort(os->v, os->n, sizeof(*os->v), by_index);
	for (size_t i = 0; i < os->n; i++)
		idmap_add(&os->ids, s->mem, os->v[i].o.id, i);
	idmap_sort(&os->ids);
	for (size_t i = 1; i < os->ids.n; i++) {
		struct s1_original *a = &os->v[os->ids.v[i - 1].value], *b = &os->v[os->ids.v[i].value];

		if (!slice_eq(a->o.id, b->o.id) || !slice_eq(a->o.version_key, b->o.version_key))
			continue;
		b->ignored = !json_equal(a->o.tree, b->o.tree);
		if (b->ignored)
			s1_warn(s, b->from, "BAD_ORIGINAL",
			    "another original says something else of this version: the first counts");
	}
}

/* Is the package what was written, and are all of its originals here? */
static void
judge(struct s1 *s, const struct xml_node *bundle)
{
	struct s1_originals *os = &s->originals;
	const struct xml_node *n = stix1_get(bundle, "Metadata");
	char hash[2 * SHA256_LEN + 1];

	if (os->n == 0 || n == NULL || number(datum(s, n, "objects")) != os->n)
		return;
	for (size_t i = 0; i < os->n; i++)
		if (os->v[i].ignored)
			return;
	os->complete = true;
	stix1_package_hash(s->doc, hash);
	os->intact = slice_is(xml_text_trim(stix1_get(n, "Value"), s->mem), hash);
	os->bundle_id = datum(s, n, "id");
}

/* See stix1_originals.h. */
void
s1_originals_put_by(struct s1 *s, struct xml_node *n)
{
	struct s1_originals *os = &s->originals;

	os->parts = arena_grow(s->mem, os->parts, os->nparts, &os->parts_cap, sizeof(*os->parts));
	os->parts[os->nparts++] = (struct s1_part){ n, n->parent };
}

/* Markings that speak of nothing but our tools go with them. */
static void
put_by_markings(struct s1 *s, struct xml_node *header)
{
	struct xml_node *m = stix1_get(stix1_get(header, "Handling"), "Marking");

	for (; m != NULL; m = stix1_more(m))
		if (slice_starts(xml_text_trim(stix1_get(m, "Controlled_Structure"), s->mem),
		    "//cyboxCommon:Tool[@id='" STIX1_TOOL_ID))
			s1_originals_put_by(s, m);
}

/* See stix1_originals.h. */
void
s1_originals_take(struct s1 *s)
{
	struct xml_node *header = stix1_get(s->doc, "STIX_Header");
	struct xml_node *tool = stix1_get(stix1_down(header, "Information_Source/Tools"), "Tool");
	struct xml_node *bundle = NULL;

	for (; tool != NULL; tool = stix1_more(tool)) {
		if (!is_tool(tool) || (!holds(tool, STIX1_ORIGINAL) && !holds(tool, STIX1_BUNDLE)))
			continue;
		s1_originals_put_by(s, tool);
		if (holds(tool, STIX1_BUNDLE))
			bundle = tool;
		for (struct xml_node *n = stix1_get(tool, "Metadata"); n != NULL; n = stix1_more(n))
			if (slice_is(xml_value(n, "type"), STIX1_ORIGINAL))
				take(s, n, s1_label_within(s, tool, false));
	}
	if (s->originals.nparts == 0)
		return;
	find_doubles(s);
	judge(s, bundle);
	put_by_markings(s, header);
	for (size_t i = 0; i < s->originals.nparts; i++) {
		xml_mark_all(s->originals.parts[i].node, XML_KEPT);
		xml_detach(s->originals.parts[i].node);
	}
}

/* See stix1_originals.h. */
void
s1_originals_show(struct s1 *s, bool shown)
{
	for (size_t i = 0; i < s->originals.nparts; i++) {
		const struct s1_part *p = &s->originals.parts[i];

		if (!shown)
			xml_detach(p->node);
		else if (p->node->parent == NULL)
			xml_append(p->parent, p->node);
	}
}

/* ---- labels ---- */

/* object_find_fn over the originals, then over what was minted. */
static json *
find_definition(void *ctx, struct slice id)
{
	struct s1 *s = ctx;
	long i = idmap_find(&s->originals.ids, id);

	return i != IDMAP_NONE ? s->originals.v[i].o.tree : advisory_find_marking(s->adv, id);
}

/* The same of an original; an observed-data is worth what it shows. */
static enum tlp
worth_of(const struct s1 *s, const struct s1_original *v, enum tlp unmarked)
{
	enum tlp most = object_worth(&v->o, unmarked);
	const json *refs = slice_is(v->o.type, "observed-data") ? json_get(v->o.tree, "object_refs") : NULL;

	for (const json *m = json_first(refs); m != NULL; m = json_next(m)) {
		long i = idmap_find(&s->originals.ids, json_slice(m));
		enum tlp t = i == IDMAP_NONE ? TLP_UNSET : object_worth(&s->originals.v[i].o, unmarked);

		if (t > most)
			most = t;
	}
	return most;
}

/* True if the label beside an original is one that a writer had no need to say of it. STIX 1.x cannot say
 * AMBER+STRICT: that stands beside RED. */
static bool
is_weaker(const struct s1 *s, const struct s1_original *v)
{
	enum tlp here = v->here.label == LABEL_UNREADABLE ? TLP_RED : v->here.tlp;

	if (here == TLP_UNSET)
		return false;
	for (enum tlp unmarked = TLP_CLEAR; unmarked <= TLP_AMBER; unmarked++) {
		enum tlp own = worth_of(s, v, unmarked);

		if ((own == TLP_AMBER_STRICT ? TLP_RED : own) >= here)
			return false;
	}
	return true;
}

/* Put the stricter label into the original, which is another object then. */
static int
raise_label(struct s1 *s, struct s1_original *v)
{
	enum tlp here = v->here.label == LABEL_UNREADABLE ? TLP_RED : v->here.tlp;
	json *had = json_get(v->o.tree, "object_marking_refs"), *refs = json_list(s->mem);
	struct strbuf text = STRBUF_INIT;

	for (json *m = json_first(had); m != NULL; m = json_next(m))
		if (tlp_of_marking_id(json_slice(m)) == TLP_UNSET)
			json_push(refs, json_copy(s->mem, m));
	json_push(refs, json_string(s->mem, slice_of(tlp_marking_id(here))));
	json_put(s->mem, v->o.tree, "object_marking_refs", refs);
	json_print(&text, v->o.tree);
	v->o.bytes = arena_slice(s->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	s1_warn(s, v->from, "LABEL_RAISED", "the package says %s of it", tlp_label(here));
	return advisory_add_marking(s->adv, s->mem, here);
}

/* ---- putting them in ---- */

static int
emit_one(struct s1 *s, struct s1_original *v, struct err *e)
{
	struct object *o;

	if (v->o.class != OBJECT_META) {
		object_fill(&v->o, s->mem, find_definition, s, e);
		if (is_weaker(s, v) && raise_label(s, v) < 0)
			return -1;
	}
	o = advisory_add(s->adv, s->mem);
	o->tree = v->o.tree;
	o->bytes = v->o.bytes;
	return object_fill(o, s->mem, find_definition, s, e);
}

/* See stix1_originals.h. */
int
s1_originals_emit(struct s1 *s, struct err *e)
{
	struct s1_originals *os = &s->originals;
	struct idmap there = { 0 };

	for (size_t i = 0; i < s->adv->n; i++)
		idmap_add(&there, s->mem, s->adv->objects[i].id, i);
	idmap_sort(&there);
	if (os->intact && slice_starts(os->bundle_id, "bundle--"))
		s->adv->id = os->bundle_id;
	for (size_t i = 0; i < os->n; i++) {
		struct s1_original *v = &os->v[i];

		if (v->ignored || (!os->intact && !v->taken) || (v->o.class == OBJECT_META &&
		    idmap_find(&there, v->o.id) != IDMAP_NONE))
			continue;
		if (emit_one(s, v, e) < 0)
			return -1;
	}
	return 0;
}
