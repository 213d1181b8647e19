/* cybox_objects.c -- an Observable as observable objects of STIX 2.1 (see cybox.h). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/cybox_impl.h"
#include "formats/sco.h"
#include "formats/stix21_types.h"
#include "formats/value.h"
#include "gateway/base/codec.h"

enum { MANY = 256 };		/* objects made of one list of values */

/* What has been read: by element and by id. Open addressing, keys are runs of bytes. */
struct slot {
	struct slice	 key;
	size_t		 value;		/* of an id: index of its object */
	const struct slice *roots;	/* of an element: the objects it is known as */
	size_t		 n;
	size_t		 call;		/* of an id: the last call that had it as a root */
};

struct seen {
	struct slot	*slots;
	size_t		 cap, n;
	size_t		 calls;
};

static uint64_t
key_hash(struct slice key)
{
	uint64_t h = 14695981039346656037ULL;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * 1099511628211ULL;
	return h ^ h >> 32;
}

static struct slot *
seen_place(const struct seen *s, struct slice key)
{
	size_t i = key_hash(key) & (s->cap - 1);

	while (s->slots[i].key.n > 0 && !slice_eq(s->slots[i].key, key))
		i = (i + 1) & (s->cap - 1);
	return &s->slots[i];
}

static void
seen_grow(struct arena *mem, struct seen *s)
{
	struct seen bigger = { .cap = s->cap == 0 ? 64 : s->cap * 2, .n = s->n };

	bigger.slots = arena_alloc(mem, bigger.cap * sizeof(*bigger.slots));
	for (size_t i = 0; i < s->cap; i++) {
		if (s->slots[i].key.n > 0)
			*seen_place(&bigger, s->slots[i].key) = s->slots[i];
	}
	*s = bigger;
}

/* The slot of a key; its own key is empty if it is new. */
static struct slot *
seen_slot(struct arena *mem, struct seen *s, struct slice key)
{
	if ((s->n + 1) * 2 > s->cap)
		seen_grow(mem, s);
	return seen_place(s, key);
}

static void
seen_take(struct seen *s, struct slot *slot, struct slice key, size_t value)
{
	s->n += slot->key.n == 0;
	slot->key = key;
	slot->value = value;
}

/* One call. */
struct emit {
	struct cx_reader	 rd;
	struct cybox_objects	*out;
	struct seen		*seen;
	const struct xml_node	*from;		/* the Object at hand */
	struct slice		*roots;
	size_t			 nroots, roots_cap;
};

/* Ids. */

static bool
is_contributing(const json *tree)
{
	return !slice_is(json_member(tree, "type"), "process");
}

/* The id of the standard; what has none is one thing of its Object, and gets one of ours. */
static struct slice
object_id(struct emit *em, const json *tree)
{
	struct slice id = is_contributing(tree) ? sco_id(em->rd.mem, tree) : SLICE_EMPTY;
	struct strbuf text = STRBUF_INIT;
	char uuid[UUID_TEXT + 1];

	if (id.n > 0)
		return id;
	strbuf_addf(&text, "stix1|sco|%.*s|", SLICE_ARG(em->rd.scope));
	json_print_jcs(&text, tree);
	uuid_v5(uuid_ns_tocsin, strbuf_slice(&text), uuid);
	strbuf_fini(&text);
	return slice_of(arena_fmt(em->rd.mem, "%.*s--%s", SLICE_ARG(json_member(tree, "type")), uuid));
}

/* What a second mention adds: members, and references in lists. */
static void
merge(struct arena *mem, json *into, const json *more)
{
	for (const json *m = json_first(more); m != NULL; m = json_next(m)) {
		json *mine = json_get(into, json_name(m));

		if (mine == NULL) {
			json_put(mem, into, json_name(m), json_copy(mem, m));
			continue;
		}
		if (!json_is_list(mine) || !json_is_list(m) || !slice_ends(slice_of(json_name(m)), "_refs"))
			continue;
		for (const json *k = json_first(m); k != NULL; k = json_next(k)) {
			if (json_is_string(k) && !cx_has_string(mine, json_slice(k)))
				json_push(mine, json_copy(mem, k));
		}
	}
}

/* Add the object, or what it adds to the one with its id; its id. */
static struct slice
add_object(struct emit *em, json *body)
{
	struct arena *mem = em->rd.mem;
	struct cybox_objects *out = em->out;
	struct slice id = object_id(em, body);
	struct slot *slot = seen_slot(mem, em->seen, id);
	json *tree;

	if (slot->key.n > 0) {
		merge(mem, out->v[slot->value].tree, body);
		out->v[slot->value].shared |= out->v[slot->value].from != em->from;
		return id;
	}
	tree = json_object(mem);
	json_put_str(mem, tree, "type", json_member(body, "type"));
	json_put_str(mem, tree, "spec_version", SLICE_LIT("2.1"));
	json_put_str(mem, tree, "id", id);
	for (const json *m = json_next(json_first(body)); m != NULL; m = json_next(m))
		json_put(mem, tree, json_name(m), json_copy(mem, m));
	out->v = arena_grow(mem, out->v, out->n, &out->cap, sizeof(*out->v));
	out->v[out->n] = (struct cybox_object){ tree, id, em->from, false, false };
	seen_take(em->seen, slot, id, out->n++);
	return id;
}

/* Trees as JSON. */

static size_t emit_object(struct emit *em, struct cx *o, struct slice *ids);
static void emit_members(struct emit *em, struct cx *o, json *into);

static json *
leaf_value(struct arena *mem, const struct cx *leaf, struct slice v)
{
	switch (leaf->value) {
	case PAT_INT:
		return json_integer(mem, strtoll(arena_str(mem, v), NULL, 10));
	case PAT_FLOAT:
		return json_raw(mem, v);
	case PAT_BOOL:
		return json_boolean(mem, slice_is(v, "true"));
	default:
		return json_string(mem, v);
	}
}

/* An item of a list: all values of a leaf, all objects of a reference, or one nested object. */
static void
emit_item(struct emit *em, struct cx *k, json *list)
{
	struct slice ids[MANY];
	size_t n;
	json *o;

	if (k->kind == CX_LEAF) {
		for (size_t t = 0; t < k->ntests; t++)
			for (size_t i = 0; i < k->tests[t].n; i++)
				json_push(list, leaf_value(em->rd.mem, k, k->tests[t].v[i]));
	} else if (k->type.n > 0) {
		if ((n = emit_object(em, k, ids)) == 0)
			cx_give_up(&em->rd, k, "less than an object must have");
		for (size_t i = 0; i < n; i++)
			if (!cx_has_string(list, ids[i]))
				json_push(list, json_string(em->rd.mem, ids[i]));
	} else {
		o = json_object(em->rd.mem);
		emit_members(em, k, o);
		if (json_first(o) != NULL)
			json_push(list, o);
	}
}

/* The value of a member; NULL if it has none. */
static json *
emit_value(struct emit *em, struct cx *k)
{
	const struct slice *one = k->kind == CX_LEAF ? cx_plain(k) : NULL;
	struct slice ids[MANY];
	json *v;

	if (k->kind == CX_LEAF) {
		if (one == NULL)
			cx_give_up(&em->rd, k, "more than one value");
		return one == NULL ? NULL : leaf_value(em->rd.mem, k, *one);
	}
	if (k->kind == CX_OBJECT && k->type.n > 0) {
		if (emit_object(em, k, ids) == 1)
			return json_string(em->rd.mem, ids[0]);
		cx_give_up(&em->rd, k, "no object, or more than one");
		return NULL;
	}
	if (k->kind == CX_LIST) {
		v = json_list(em->rd.mem);
		for (struct cx *i = k->first; i != NULL; i = i->next)
			emit_item(em, i, v);
	} else {
		v = json_object(em->rd.mem);
		emit_members(em, k, v);
	}
	return json_first(v) == NULL ? NULL : v;
}

static void
emit_members(struct emit *em, struct cx *o, json *into)
{
	for (struct cx *k = o->first; k != NULL; k = k->next) {
		json *v = emit_value(em, k);

		if (v != NULL && k->kind == CX_LEAF && slice_is(o->name, "request_header")) {
			json *list = json_list(em->rd.mem);	/* a header may stand more than once */

			json_push(list, v);
			v = list;
		}
		if (v != NULL)
			json_put(em->rd.mem, into, arena_str(em->rd.mem, k->name), v);
	}
}

/* One object; its id, empty if it is less than an object must be. */
static struct slice
emit_one(struct emit *em, struct cx *o)
{
	json *tree = json_object(em->rd.mem);

	json_put_str(em->rd.mem, tree, "type", o->type);
	emit_members(em, o, tree);
	cx_imply_pe_type(em->rd.mem, tree);
	cx_drop_extensions(&em->rd, o, tree);
	cx_complete(&em->rd, tree);
	return cx_is_complete(tree) ? add_object(em, tree) : SLICE_EMPTY;
}

/* An object, or as many as the one list of values in it has. Their ids; 0 if there are none. */
static size_t
emit_object(struct emit *em, struct cx *o, struct slice *ids)
{
	struct cx *many = o->first;
	size_t n = 0;

	while (many != NULL && (many->kind != CX_LEAF || cx_plain(many) != NULL))
		many = many->next;
	if (many == NULL) {
		ids[0] = emit_one(em, o);
		return ids[0].n > 0;
	}
	for (size_t t = 0; t < many->ntests; t++) {
		for (size_t i = 0; i < many->tests[t].n && n < MANY; i++) {
			struct cx_test one = { PAT_EQ, false, &many->tests[t].v[i], 1 };
			struct cx_test *was = many->tests;
			size_t nwas = many->ntests;

			many->tests = &one;
			many->ntests = 1;
			ids[n] = emit_one(em, o);
			n += ids[n].n > 0;
			many->tests = was;
			many->ntests = nwas;
		}
	}
	return n;
}

/* Observables. */

static void emit_any(struct emit *em, struct xml_node *n);

static void
add_root(struct emit *em, struct slice id)
{
	em->roots = arena_grow(em->rd.mem, em->roots, em->nroots, &em->roots_cap,
	    sizeof(*em->roots));
	em->roots[em->nroots++] = id;
}

static json *
tree_of(struct emit *em, struct slice id)
{
	struct slot *slot = seen_slot(em->rd.mem, em->seen, id);

	return slot->key.n == 0 ? NULL : em->out->v[slot->value].tree;
}

/* An attachment that the message does not list as one. */
static void
attach(struct emit *em, json *mail, struct slice file)
{
	struct arena *mem = em->rd.mem;
	json *parts = json_get(mail, "body_multipart"), *part;

	for (const json *k = json_first(parts); k != NULL; k = json_next(k)) {
		if (slice_eq(json_member(k, "body_raw_ref"), file))
			return;
	}
	if (parts == NULL)
		parts = json_put(mem, mail, "body_multipart", json_list(mem));
	if (json_get(mail, "body") != NULL) {
		part = json_push(parts, json_object(mem));
		json_put(mem, part, "body", json_copy(mem, json_get(mail, "body")));
		json_remove(mail, "body");
	}
	part = json_push(parts, json_object(mem));
	json_put_str(mem, part, "body_raw_ref", file);
	json_put_bool(mem, mail, "is_multipart", true);
}

static void
add_link(struct emit *em, struct slice from, struct slice to, struct slice word,
    const struct xml_node *at)
{
	struct cybox_objects *out = em->out;

	out->links = arena_grow(em->rd.mem, out->links, out->nlinks, &out->links_cap,
	    sizeof(*out->links));
	out->links[out->nlinks++] = (struct cybox_link){ from, to, word, at };
}

/* Two objects, one of which names the other as related. */
static void
relate(struct emit *em, struct slice from, struct slice to, struct slice word,
    struct xml_node *related)
{
	json *tree = tree_of(em, from), *list;
	const struct cx_row *row = cx_related_row(json_member(tree, "type"), word);
	struct slice to_type = json_member(tree_of(em, to), "type");
	char *member;

	if (slice_eq(from, to))
		return;
	if (slice_is(json_member(tree, "type"), "email-message") && slice_is_nocase(word, "Contains") &&
	    (slice_is(to_type, "file") || slice_is(to_type, "artifact"))) {
		attach(em, tree, to);
		cx_mark_relationship(related, XML_KEPT);
		return;
	}
	if (row == NULL || !cx_row_holds(row, to_type)) {
		add_link(em, from, to, word, related);
		return;
	}
	member = arena_str(em->rd.mem, slice_from(row->stix, strlen(row->stix) - 1));
	if ((list = json_get(tree, member)) == NULL)
		list = json_put(em->rd.mem, tree, member, json_list(em->rd.mem));
	if (!cx_has_string(list, to))
		json_push(list, json_string(em->rd.mem, to));
	cx_mark_relationship(related, XML_KEPT);
}

/* Related objects are objects as well; they stand beside the one that names them. */
static void
emit_related(struct emit *em, struct xml_node *object, const struct slice *own, size_t nown)
{
	struct xml_node *list = cx_child(object, "Related_Objects");
	struct xml_node *k = list == NULL ? NULL : cx_child(list, "Related_Object");

	for (; k != NULL; k = cx_again(k)) {
		struct xml_node *word = cx_child(k, "Relationship");
		size_t before = em->nroots, n;

		emit_any(em, k);
		n = em->nroots;
		for (size_t o = 0; o < nown; o++)
			for (size_t i = before; i < n; i++)
				relate(em, own[o], em->roots[i], word == NULL ? SLICE_EMPTY :
				    xml_text_trim(word, em->rd.mem), k);
		if (nown > 0)
			em->nroots = before;
	}
}

/* An Object, once; what it is known as is kept for its next mention. */
static void
emit_content(struct emit *em, struct xml_node *object)
{
	struct xml_node *props = cx_properties(object);
	struct slice key = slice_from(arena_slice(em->rd.mem, slice_from(&object, sizeof(object))).p,
	    sizeof(object)), ids[MANY], *own;
	struct slot *slot = seen_slot(em->rd.mem, em->seen, key);
	const struct xml_node *from = em->from;
	struct cx *o = NULL;
	size_t n = 0;

	if (slot->key.n > 0) {
		for (size_t i = 0; i < slot->n; i++)
			add_root(em, slot->roots[i]);
		return;
	}
	seen_take(em->seen, slot, key, 0);
	em->from = object;
	if (props != NULL) {
		o = cx_read_properties(&em->rd, props);
		n = o == NULL ? 0 : emit_object(em, o, ids);
		if (o != NULL && n == 0)
			cx_give_up(&em->rd, o, "less than an object must have");
		cx_sweep(&em->rd, props);
	}
	own = arena_slices(em->rd.mem, ids, n);
	slot = seen_slot(em->rd.mem, em->seen, key);
	slot->roots = own;
	slot->n = n;
	for (size_t i = 0; i < n; i++)
		add_root(em, own[i]);
	emit_related(em, object, own, n);
	em->from = from;
}

static void
emit_composition(struct emit *em, struct xml_node *n)
{
	struct xml_attr *operator= xml_attr(n, "operator");
	size_t before = em->nroots;

	for (struct xml_node *k = cx_child(n, "Observable"); k != NULL; k = cx_again(k))
		emit_any(em, k);
	if (em->nroots > before && operator!= NULL)
		operator->mark = slice_is_nocase(operator->value, "AND") ? XML_KEPT : XML_UNSEEN;
}

/* An Observable, Object or Related_Object, or what one refers to. */
static void
emit_any(struct emit *em, struct xml_node *n)
{
	struct xml_attr *negate = xml_attr(n, "negate"), *id = xml_attr(n, "id");
	struct slice scope = em->rd.scope;
	struct xml_node *to, *k;

	if (negate != NULL && !slice_is(slice_trim(negate->value), "false")) {
		cx_tell(&em->rd, CYBOX_NEGATE, n, "what was not there is no observation");
		cx_sweep(&em->rd, n);
		return;
	}
	if (!cx_step(&em->rd, n) || (to = cx_refer(&em->rd, n)) == NULL) {
		cx_sweep(&em->rd, n);
		return;
	}
	em->rd.active[em->rd.nactive++] = n;
	em->rd.deep++;
	if (id != NULL)
		em->rd.scope = slice_trim(id->value);
	if (to != n)
		emit_any(em, to);
	else if (cx_properties(n) != NULL || cx_child(n, "Related_Objects") != NULL)
		emit_content(em, n);
	else if ((k = cx_child(n, "Observable_Composition")) != NULL)
		emit_composition(em, k);
	else if ((k = cx_child(n, "Object")) != NULL)
		emit_any(em, k);
	else
		cx_tell_empty(&em->rd, n);
	em->rd.scope = scope;
	em->rd.deep--;
	em->rd.nactive--;
}

size_t
cybox_read_objects(const struct cybox_read *job, struct xml_node *observable,
    struct cybox_objects *out, const struct slice **roots)
{
	struct emit em = { .rd = { .job = job, .mem = job->mem }, .out = out };
	size_t n = 0;

	if (out->seen == NULL)
		out->seen = arena_alloc(job->mem, sizeof(struct seen));
	em.seen = out->seen;
	em.rd.scope = SLICE_EMPTY;
	emit_any(&em, observable);
	em.seen->calls++;
	for (size_t i = 0; i < em.nroots; i++) {
		struct slot *slot = seen_slot(job->mem, em.seen, em.roots[i]);

		if (slot->call == em.seen->calls)
			continue;
		slot->call = em.seen->calls;
		out->v[slot->value].root = true;
		em.roots[n++] = em.roots[i];
	}
	if (roots != NULL)
		*roots = em.roots;
	return n;
}
