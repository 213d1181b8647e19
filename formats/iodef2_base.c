/* iodef2_base.c -- the tools of the IODEF v2 reader: marks, values, labels, ids, new objects. */
#include <stdlib.h>
#include <string.h>

#include "formats/id_name.h"
#include "formats/iodef2_read.h"
#include "formats/sco.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { OBJECTS_MAX = 100000 };

/* Texts and attributes that are looked at are marked: the account and the `moved` list are made of it. */

struct slice
ir_text(struct ir *r, struct xml_node *n)
{
	if (n == NULL)
		return SLICE_EMPTY;
	xml_mark_own(n, XML_KEPT);
	return xml_text_trim(n, r->mem);
}

struct slice
ir_line(struct ir *r, struct xml_node *n)
{
	if (n == NULL)
		return SLICE_EMPTY;
	xml_mark_own(n, XML_KEPT);
	return xml_text_line(n, r->mem);
}

struct slice
ir_attr(struct xml_node *n, const char *name)
{
	struct xml_attr *a = xml_attr(n, name);

	if (a == NULL)
		return SLICE_EMPTY;
	a->mark = XML_KEPT;
	return slice_trim(a->value);
}

struct slice
ir_word(struct xml_node *n, const char *name)
{
	struct slice word = ir_attr(n, name);
	char ext[48] = "ext-";

	if (!slice_is(word, "ext-value"))
		return word;
	strncat(ext, name, sizeof(ext) - 5);
	return ir_attr(n, ext);
}

struct slice
ir_child_line(struct ir *r, struct xml_node *n, const char *name)
{
	return ir_line(r, xml_get(n, name));
}

struct slice
ir_time(struct ir *r, struct xml_node *n, const char *name)
{
	struct xml_node *t = xml_get(n, name);
	struct slice utc, written;

	if (t == NULL)
		return SLICE_EMPTY;
	written = xml_text_line(t, r->mem);
	if (!stamp_to_utc(r->mem, written, &utc))
		return SLICE_EMPTY;
	/* the instant is kept; how it was written is residue */
	xml_mark_own(t, slice_eq(written, utc) ? XML_KEPT : XML_APPROXIMATED);
	return utc;
}

bool
ir_before(struct ir *r, struct slice a, struct slice b)
{
	struct slice x, y;

	return stamp_key(r->mem, a, &x) && stamp_key(r->mem, b, &y) && slice_cmp(x, y) < 0;
}

struct slice
ir_millis(struct ir *r, struct slice stamp)
{
	const char *dot = memchr(stamp.p, '.', stamp.n);
	size_t digits = dot == NULL ? 0 : stamp.n - (size_t)(dot - stamp.p) - 2;

	if (stamp.n == 0 || digits >= 3)
		return stamp;
	return slice_of(arena_fmt(r->mem, "%.*s%s%.*sZ", (int)(stamp.n - 1), stamp.p,
	    dot == NULL ? "." : "", (int)(3 - digits), "000"));
}

/* Labels. */

bool
ir_stricter(struct ir_label a, struct ir_label b)
{
	return iodef2_is_stricter(a.tlp, b.tlp);
}

struct ir_label
ir_strictest(struct ir_label a, struct ir_label b)
{
	enum tlp both = tlp_join(a.tlp, b.tlp);

	if (both != a.tlp && both != b.tlp)
		return (struct ir_label){ both, LABEL_TLP };
	return ir_stricter(b, a) ? b : a;
}

/* What an element's own attribute says; false if it has none. */
static bool
own_label(const struct ir *r, const struct xml_node *n, struct ir_label *out)
{
	const struct xml_attr *a = xml_attr(n, "restriction");

	if (a == NULL)
		return false;
	out->tlp = iodef2_restriction_read(slice_trim(a->value), xml_value(n, "ext-restriction"),
	    r->job->iodef_amber_strict, &out->label);
	return true;
}

struct ir_label
ir_label_here(const struct ir *r, const struct xml_node *n)
{
	struct ir_label label = { TLP_RED, LABEL_IODEF_ABSENT };

	for (; n != NULL; n = n->parent) {
		if (own_label(r, n, &label))
			return label;
		if (xml_is(n, IODEF2_NS, "Incident"))
			break;
	}
	return label;
}

static struct ir_label
strictest_below(const struct ir *r, const struct xml_node *n, struct ir_label label)
{
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		struct ir_label own;

		if (slice_is(k->ns, IODEF2_NS) && own_label(r, k, &own))
			label = ir_strictest(label, own);
		label = strictest_below(r, k, label);
	}
	return label;
}

struct ir_label
ir_label_within(const struct ir *r, const struct xml_node *n)
{
	return strictest_below(r, n, ir_label_here(r, n));
}

/* Ids. */

struct slice
ir_uuid(struct ir *r, const char *kind, const struct slice *fields, size_t n)
{
	return id_name_of(r->mem, arena_fmt(r->mem, "iodef|%s", kind), fields, n);
}

struct slice
ir_id(struct ir *r, const char *type, struct slice uuid)
{
	size_t n = strlen(type);
	char *id = arena_raw(r->mem, n + 2 + uuid.n + 1);

	memcpy(id, type, n);
	memcpy(id + n, "--", 2);
	memcpy(id + n + 2, uuid.p, uuid.n);
	id[n + 2 + uuid.n] = '\0';
	return slice_from(id, n + 2 + uuid.n);
}

/* Objects. */

/* Hash of an id. The seed is the digest of the input, so a sender cannot choose ids that collide. */
static size_t
hash_id(const struct ir *r, struct slice id)
{
	uint64_t h = r->seed;

	for (size_t i = 0; i < id.n; i++)
		h = (h ^ (unsigned char)id.p[i]) * 0x100000001b3u;
	return (size_t)(h ^ (h >> 32));
}

/* The slot of an id in the index: its own, or the empty one where it belongs. */
static size_t *
slot_of(const struct ir *r, const struct ir_incident *inc, struct slice id)
{
	size_t i = hash_id(r, id) & (inc->nslots - 1);

	while (inc->slots[i] != 0 && !slice_eq(inc->objs[inc->slots[i] - 1]->id, id))
		i = (i + 1) & (inc->nslots - 1);
	return &inc->slots[i];
}

/* The object of this id, NULL if there is none yet. */
static struct ir_obj *
find_obj(struct ir *r, struct ir_incident *inc, struct slice id)
{
	size_t at = inc->nslots == 0 ? 0 : *slot_of(r, inc, id);

	return at == 0 ? NULL : inc->objs[at - 1];
}

bool
ir_is_full(const struct ir *r)
{
	return r->objects >= (r->job->limits.objects > 0 ? r->job->limits.objects : OBJECTS_MAX);
}

/* Add to the list and the index, which is at most half full. */
static void
add_object(struct ir *r, struct ir_incident *inc, struct ir_obj *ob)
{
	inc->objs = arena_grow(r->mem, inc->objs, inc->n, &inc->cap, sizeof(struct ir_obj *));
	inc->objs[inc->n++] = ob;
	r->objects++;
	if (2 * inc->n <= inc->nslots) {
		*slot_of(r, inc, ob->id) = inc->n;
		return;
	}
	inc->nslots = inc->nslots == 0 ? 64 : 4 * inc->nslots;
	inc->slots = arena_alloc(r->mem, inc->nslots * sizeof(*inc->slots));
	for (size_t i = 0; i < inc->n; i++)
		*slot_of(r, inc, inc->objs[i]->id) = i + 1;
}

/* n became ob. */
static void
tag(struct ir *r, struct ir_obj *ob, struct xml_node *n)
{
	struct ir_tag *t = arena_alloc(r->mem, sizeof(*t)), **tail = (struct ir_tag **)&n->user;

	t->ob = ob;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = t;
}

void
ir_unit(struct ir_obj *ob, struct xml_node *n)
{
	for (struct ir_tag *t = n->user; t != NULL; t = t->next) {
		if (t->ob == ob)
			t->unit = ob->holds = true;
	}
}

struct ir_obj *
ir_enter(struct ir *r, struct ir_incident *inc, struct ir_obj *ob, struct xml_node *n)
{
	struct ir_obj *owner = inc->owner;

	if (ir_stricter(ir_label_within(r, n), owner->label)) {
		ir_unit(ob, n);
		inc->owner = ob;
	}
	return owner;
}

/* A member that is not there yet. */
static void
put_new(struct ir *r, json *tree, const char *name, struct slice value)
{
	json_append(r->mem, tree, name, json_string(r->mem, value));
}

struct ir_obj *
ir_new(struct ir *r, struct ir_incident *inc, const char *type, struct slice uuid,
    struct xml_node *from, bool *old)
{
	struct slice id = ir_id(r, type, uuid);
	struct ir_obj *ob = find_obj(r, inc, id);
	struct ir_label label = from == NULL ? (struct ir_label){ TLP_CLEAR, LABEL_TLP } :
	    ir_label_within(r, from);

	if (old != NULL)
		*old = ob != NULL;
	if (ob != NULL) {
		ob->label = ir_strictest(ob->label, label);
		if (from != NULL)
			tag(r, ob, from);
		return ob;
	}
	ob = arena_alloc(r->mem, sizeof(*ob));
	ob->id = id;
	ob->from = from;
	ob->label = label;
	if (from != NULL)
		tag(r, ob, from);
	ob->tree = json_object(r->mem);
	put_new(r, ob->tree, "type", slice_of(type));
	put_new(r, ob->tree, "spec_version", SLICE_LIT("2.1"));
	put_new(r, ob->tree, "id", id);
	if (inc->creator != NULL)
		put_new(r, ob->tree, "created_by_ref", inc->creator->id);
	put_new(r, ob->tree, "created", inc->generated);
	put_new(r, ob->tree, "modified", inc->generated);
	if (inc->lang.n > 0 && from != NULL)
		put_new(r, ob->tree, "lang", inc->lang);
	add_object(r, inc, ob);
	return ob;
}

/* The id of the standard; what has none (a certificate without serial number) gets one of ours over
 * all it says, since the standard's namespace is closed to us. */
static struct slice
observable_id(struct ir *r, json *tree)
{
	struct slice id = sco_id(r->mem, tree);
	struct strbuf text = STRBUF_INIT;
	char uuid[UUID_TEXT + 1];

	if (id.n > 0)
		return id;
	strbuf_adds(&text, "iodef|sco|");
	json_print_jcs(&text, tree);
	uuid_v5(uuid_ns_tocsin, strbuf_slice(&text), uuid);
	strbuf_fini(&text);
	return ir_id(r, json_member(tree, "type").p, slice_of(uuid));
}

/* The whole object of an SCO tree. */
static json *
full_sco(struct ir *r, const json *tree, struct slice id)
{
	json *full = json_object(r->mem);

	json_put_str(r->mem, full, "type", json_member(tree, "type"));
	json_put_str(r->mem, full, "spec_version", SLICE_LIT("2.1"));
	json_put_str(r->mem, full, "id", id);
	for (json *m = json_next(json_first(tree)); m != NULL; m = json_next(m))
		json_put(r->mem, full, json_name(m), json_copy(r->mem, m));
	return full;
}

/* An observable met twice says what its laxest mention says, under that label: what only a stricter one
 * adds (a size, what a name resolves to) is not carried over. */
struct ir_obj *
ir_sco(struct ir *r, struct ir_incident *inc, json *tree, struct ir_label label)
{
	struct slice id = observable_id(r, tree);
	struct ir_obj *ob = find_obj(r, inc, id);

	if (ob != NULL) {
		if (ir_stricter(ob->label, label)) {
			ob->label = label;
			ob->tree = full_sco(r, tree, id);
		}
		return ob;
	}
	ob = arena_alloc(r->mem, sizeof(*ob));
	ob->id = id;
	ob->tree = full_sco(r, tree, id);
	ob->label = label;
	ob->sco = true;
	add_object(r, inc, ob);
	return ob;
}

struct ir_obj *
ir_relate(struct ir *r, struct ir_incident *inc, struct ir_obj *from, const char *type,
    struct ir_obj *to)
{
	struct strbuf name = STRBUF_INIT;
	char uuid[UUID_TEXT + 1];
	struct ir_obj *ob;
	bool old;

	strbuf_addf(&name, "rel|%.*s|%s|%.*s", SLICE_ARG(from->id), type, SLICE_ARG(to->id));
	uuid_v5(uuid_ns_tocsin, strbuf_slice(&name), uuid);
	strbuf_fini(&name);
	ob = ir_new(r, inc, "relationship", slice_of(uuid), NULL, &old);
	if (old)
		return ob;
	json_put_str(r->mem, ob->tree, "relationship_type", slice_of(type));
	json_put_str(r->mem, ob->tree, "source_ref", from->id);
	json_put_str(r->mem, ob->tree, "target_ref", to->id);
	ob->label = ir_strictest(from->label, to->label);
	return ob;
}

int
ir_confidence(struct ir *r, struct xml_node *n)
{
	static const struct { const char *word; int value; } words[] = {
		{ "low", 15 }, { "medium", 50 }, { "high", 85 },
	};
	struct slice rating = slice_trim(xml_value(n, "rating")), text;
	char *end;
	double v;

	if (n == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (slice_is(rating, words[i].word)) {
			ir_attr(n, "rating");
			xml_attr(n, "rating")->mark = XML_APPROXIMATED;
			xml_mark_own(n, XML_KEPT);
			return words[i].value;
		}
	}
	text = xml_text_line(n, r->mem);
	if (!slice_is(rating, "numeric") || text.n == 0 || text.n > 32)
		return -1;
	v = strtod(text.p, &end);
	if (*end != '\0' || !(v >= 0) || v > 100)
		return -1;
	ir_attr(n, "rating");
	if (memchr(text.p, '.', text.n) != NULL && v <= 1) {
		xml_mark_own(n, XML_APPROXIMATED);
		return (int)(v * 100 + 0.5);
	}
	xml_mark_own(n, v == (int)v ? XML_KEPT : XML_APPROXIMATED);
	return (int)(v + 0.5);
}
