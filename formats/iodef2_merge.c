/* iodef2_merge.c -- edits made in IODEF go into the STIX originals (see iodef2_restore.c). */
#include <string.h>

#include "formats/iodef2_restore.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* One side: a document read natively, and which original each derived object belongs to. */
struct side {
	struct ir		 r;
	struct ir_originals	*os;	/* those found in that document */
	struct idmap		 to;	/* derived id -> index of the original in os->v */
	struct idmap		 ids;	/* derived id (translated) -> index in all[] */
	struct ir_obj		**all;
	size_t			 n, cap;
};

/* Types that stand for one another: an intrusion-set comes back as a threat-actor. */
static bool
types_fit(const struct ir_original *o, const struct ir_obj *ob)
{
	struct slice type = json_member(ob->tree, "type");

	return slice_eq(o->o.type, type) ||
	    (slice_is(type, "report") && slice_is(o->o.type, "grouping")) ||
	    (slice_is(type, "threat-actor") && slice_is(o->o.type, "intrusion-set"));
}

static void
pair(struct side *s, const struct xml_node *n, size_t original)
{
	for (const struct ir_tag *t = n->user; t != NULL; t = t->next) {
		if (types_fit(&s->os->v[original], t->ob))
			idmap_add(&s->to, s->r.mem, t->ob->id, original);
	}
}

/* Which derived object stands for which original: by the elements it covers; those of an Incident
 * list only its leaves, and stand for the Incident itself. */
static void
pair_all(struct side *s)
{
	for (size_t i = 0; i < s->os->n; i++) {
		struct ir_original *o = &s->os->v[i];

		if (o->ignored)
			continue;
		for (size_t k = 0; k < o->cover.n; k++)
			pair(s, o->cover.v[k], i);
		if (xml_is(o->data->parent, IODEF2_NS, "Incident"))
			pair(s, o->data->parent, i);
		idmap_add(&s->to, s->r.mem, o->o.id, i);
	}
	idmap_sort(&s->to);
}

/* The original behind a derived id, NULL if none. */
static struct ir_original *
original_of(const struct side *s, struct slice id)
{
	long i = idmap_find(&s->to, id);

	return i == IDMAP_NONE ? NULL : &s->os->v[i];
}

/* The id under which an object is known on both sides. */
static struct slice
common_id(const struct side *s, struct slice id)
{
	const struct ir_original *o = original_of(s, id);

	return o != NULL ? o->o.id : id;
}

/* The tree with common ids wherever an id stands. */
static json *
with_common_ids(struct side *s, const json *v)
{
	struct arena *mem = s->r.mem;
	json *copy;

	if (json_is_string(v))
		return json_string(mem, common_id(s, json_slice(v)));
	if (json_is_list(v)) {
		copy = json_list(mem);
		for (json *m = json_first(v); m != NULL; m = json_next(m))
			json_push(copy, with_common_ids(s, m));
		return copy;
	}
	if (!json_is_object(v))
		return json_copy(mem, v);
	copy = json_object(mem);
	for (json *m = json_first(v); m != NULL; m = json_next(m))
		json_put(mem, copy, json_name(m), with_common_ids(s, m));
	return copy;
}

static void
index_side(struct side *s)
{
	for (size_t i = 0; i < s->r.nincidents; i++) {
		for (size_t k = 0; k < s->r.incidents[i]->n; k++) {
			struct ir_obj *ob = s->r.incidents[i]->objs[k];

			s->all = arena_grow(s->r.mem, s->all, s->n, &s->cap, sizeof(struct ir_obj *));
			idmap_add(&s->ids, s->r.mem, common_id(s, ob->id), s->n);
			s->all[s->n++] = ob;
		}
	}
	idmap_sort(&s->ids);
}

static struct ir_obj *
find_common(const struct side *s, struct slice id)
{
	long i = idmap_find(&s->ids, id);

	return i == IDMAP_NONE ? NULL : s->all[i];
}

/* The mail address of the Contact that the writer had to make, as a C string or NULL. */
static const char *
generated_contact(struct ir *r)
{
	for (struct xml_node *i = xml_get(r->doc, "Incident"); i != NULL; i = xml_more(i)) {
		for (struct xml_node *c = xml_get(i, "Contact"); c != NULL; c = xml_more(c)) {
			struct xml_node *mail = xml_get(xml_get(c, "Email"), "EmailTo");

			for (struct xml_node *d = xml_get(c, "AdditionalData"); d != NULL;
			     d = xml_more(d)) {
				if (mail != NULL &&
				    slice_is(xml_value(d, "name"), IODEF2_RESIDUE_GENERATED))
					return arena_str(r->mem, xml_text_line(mail, r->mem));
			}
		}
	}
	return NULL;
}

/* The id of the bundle that the document was made of: the writer names an Incident by it that holds
 * the objects of no report. */
static struct slice
bundle_id_of(struct ir_originals *os)
{
	struct ir *r = os->r;

	if (os->bundle_id.n > 0)
		return os->bundle_id;
	for (struct xml_node *i = xml_get(r->doc, "Incident"); i != NULL; i = xml_more(i)) {
		struct slice text = xml_text_line(xml_get(i, "IncidentID"), r->mem);

		if (slice_starts(text, "bundle--"))
			return text;
	}
	return r->adv->id;
}

/* Write the originals afresh and read that natively: side B. False if that does not work. */
static bool
make_base(struct ir_originals *os, struct side *b, struct ir_originals *found)
{
	struct ir *r = os->r;
	struct advisory *adv = arena_alloc(r->mem, sizeof(*adv)), *out;
	struct write_job job = { .adv = adv, .received = r->job->received };
	struct read_job *again = arena_alloc(r->mem, sizeof(*again));
	struct xml_node *id = xml_get(xml_get(r->doc, "Incident"), "IncidentID");
	struct strbuf text = STRBUF_INIT;
	struct ir_original **order;
	struct err e = ERR_INIT;
	size_t n;
	bool ok;

	adv->id = bundle_id_of(os);
	order = ir_in_order(os, &n);	/* which Incident takes what depends on it */
	for (size_t i = 0; i < n; i++)
		*advisory_add(adv, r->mem) = order[i]->o;
	job.csirt = arena_str(r->mem, os->csirt.n > 0 ? os->csirt : xml_value(id, "name"));
	job.csirt_contact = generated_contact(r);
	out = arena_alloc(r->mem, sizeof(*out));
	*again = *r->job;
	again->loss = NULL;
	again->strict = false;
	b->r = (struct ir){ .job = again, .mem = r->mem, .adv = out, .seed = r->seed };
	ok = iodef2_write(&job, r->mem, &text, &e) == 0 && ir_open(&b->r, strbuf_slice(&text), &e) == 0;
	strbuf_fini(&text);
	if (!ok)
		return false;
	ir_derive(&b->r);
	ir_originals_read(&b->r, found);
	b->os = found;
	pair_all(b);
	index_side(b);
	return true;
}

/* Properties that are never merged from native content. */
static bool
is_fixed(const char *name)
{
	static const char *const names[] = {
		"type", "spec_version", "id", "created", "modified", "created_by_ref", "extensions", "lang",
		"object_marking_refs",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool
list_has(const json *list, const json *value)
{
	for (json *m = json_first(list); m != NULL; m = json_next(m)) {
		if (json_equal(m, value))
			return true;
	}
	return false;
}

/* What was taken out of base leaves the original's list, what is new in now joins it. */
static json *
merge_lists(struct arena *mem, const json *original, const json *now, const json *base)
{
	json *out = json_list(mem);

	for (json *m = json_first(original); m != NULL; m = json_next(m)) {
		if (list_has(now, m) || !list_has(base, m))
			json_push(out, json_copy(mem, m));
	}
	for (json *m = json_first(now); m != NULL; m = json_next(m)) {
		if (!list_has(base, m) && !list_has(out, m))
			json_push(out, json_copy(mem, m));
	}
	return json_first(out) == NULL ? NULL : out;
}

/* One property: true if the original changed. */
static bool
merge_property(struct arena *mem, json *original, const char *name, const json *now, const json *base)
{
	json *old = json_get(original, name), *value;

	if (now != NULL && base != NULL && json_equal(now, base))
		return false;
	/* IODEF says it from something else (a name repeated as description): not the original's */
	if ((base != NULL && old == NULL) || (now == NULL && base == NULL))
		return false;
	if ((now == NULL || json_is_list(now)) && (old == NULL || json_is_list(old)) &&
	    (base == NULL || json_is_list(base)))
		value = merge_lists(mem, old, now, base);
	else
		value = now == NULL ? NULL : json_copy(mem, now);
	if (value == NULL) {
		json_remove(original, name);
		return true;
	}
	if (old != NULL && json_equal(old, value))
		return false;
	json_put(mem, original, name, value);
	return true;
}

/* Compare N with B and put what differs into O. */
static void
merge_object(struct side *n, struct side *b, struct ir_original *o, struct ir_obj *ob,
    struct slice generated)
{
	struct ir_obj *was = find_common(b, o->o.id);
	struct ir *r = n->os->r;
	json *now, *base;
	bool changed = false;

	if (was == NULL)
		return;
	now = with_common_ids(n, ob->tree);
	base = with_common_ids(b, was->tree);
	for (json *m = json_first(base); m != NULL; m = json_next(m)) {
		if (!is_fixed(json_name(m)))
			changed |= merge_property(r->mem, o->o.tree, json_name(m),
			    json_get(now, json_name(m)), m);
	}
	for (json *m = json_first(now); m != NULL; m = json_next(m)) {
		if (!is_fixed(json_name(m)) && json_get(base, json_name(m)) == NULL)
			changed |= merge_property(r->mem, o->o.tree, json_name(m), m, NULL);
	}
	if (!changed)
		return;
	o->changed = true;
	ir_bump(r, o, generated);
	ir_warn(r, o->data, "MERGED", "%.80s was edited in IODEF: the edit went into the original",
	    o->o.id.p);
}

/* An element the writer had to make without an object of its own. */
static bool
was_generated(const struct xml_node *n)
{
	for (const struct xml_node *d = xml_get(n, "AdditionalData"); d != NULL; d = xml_more(d)) {
		if (slice_is(xml_value(d, "name"), IODEF2_RESIDUE_GENERATED))
			return true;
	}
	return false;
}

/* Nothing new: it stands for an original, was there before the edit, or links two originals. */
static bool
is_explained(struct side *n, struct side *b, struct ir_obj *ob)
{
	const json *from = json_get(ob->tree, "source_ref"), *to = json_get(ob->tree, "target_ref");

	if (original_of(n, ob->id) != NULL || find_common(b, ob->id) != NULL ||
	    (ob->from != NULL && was_generated(ob->from)))
		return true;
	return from != NULL && original_of(n, json_slice(from)) != NULL &&
	    original_of(n, json_slice(to)) != NULL;
}

/* Originals taken over, what is left of an Incident becomes its only objects. */
static void
keep_new(struct side *n, struct side *b, struct ir_incident *inc)
{
	size_t kept = 0;

	for (size_t i = 0; i < inc->n; i++) {
		struct ir_obj *ob = inc->objs[i];

		if (is_explained(n, b, ob))
			continue;
		ob->tree = with_common_ids(n, ob->tree);
		/* a creator that was only made up for the document made nothing */
		if (inc->creator != NULL && was_generated(inc->creator->from) &&
		    slice_eq(json_member(ob->tree, "created_by_ref"), inc->creator->id))
			json_remove(ob->tree, "created_by_ref");
		inc->objs[kept++] = ob;
	}
	inc->n = kept;	/* nothing is looked up or added any more */
}

/* Say that something was added that neither a new object nor an original can carry. */
static void
drop_unseen(struct ir *r, struct xml_node *n, bool told)
{
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->mark == XML_UNSEEN)
			a->mark = XML_DROPPED;
	}
	if (n->mark == XML_UNSEEN) {
		n->mark = XML_DROPPED;
		if (!told && !xml_is_text(n))
			ir_warn(r, n, "NOT_CARRIED", "this part of an edited document is not taken over");
		told = true;
	}
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		drop_unseen(r, k, told);
}

/* The account of an edited document: what stands in the fresh writing too is kept in the originals,
 * what is new and was mapped has its marks, the rest is dropped, and said to be. */
static void
account_against(struct ir *r, struct xml_node *now, const struct xml_node *base)
{
	size_t nth = 0;

	for (struct xml_node *k = xml_child(now); k != NULL; k = xml_sibling(k)) {
		const struct xml_node *same = xml_child(base), *twin = NULL;

		for (nth = 0; same != NULL && nth < 64 && !xml_equal(k, same); nth++) {
			if (twin == NULL && slice_eq(same->name, k->name) && slice_eq(same->ns, k->ns))
				twin = same;
			same = xml_sibling(same);
		}
		if (same != NULL && nth < 64)
			xml_mark_all(k, XML_KEPT);
		else if (twin != NULL && xml_child(k) != NULL)
			account_against(r, k, twin);
		else
			drop_unseen(r, k, false);
	}
	for (struct xml_attr *a = now->attrs; a != NULL; a = a->next) {
		if (a->mark == XML_UNSEEN)
			a->mark = XML_KEPT;
	}
	if (now->mark == XML_UNSEEN && xml_child(now) == NULL)
		xml_mark_own(now, XML_APPROXIMATED);
}

/* See iodef2_restore.h. */
void
ir_merge(struct ir_originals *os)
{
	struct side n = { .r = *os->r, .os = os }, b = { 0 };
	struct ir_originals found = { 0 };

	pair_all(&n);
	index_side(&n);
	if (!make_base(os, &b, &found)) {
		ir_warn(os->r, os->r->doc, "NOT_MERGED",
		    "edits in this document cannot be told: originals only");
		os->r->nincidents = 0;
		drop_unseen(os->r, os->r->doc, true);
		return;
	}
	for (size_t i = 0; i < os->r->nincidents; i++) {
		struct ir_incident *inc = os->r->incidents[i];

		for (size_t k = 0; k < inc->n; k++) {
			struct ir_original *o = original_of(&n, inc->objs[k]->id);

			/* a report's own leaves may be as they were, and yet something new is in it */
			if (o != NULL && (!o->cover.intact || json_get(o->o.tree, "object_refs") != NULL))
				merge_object(&n, &b, o, inc->objs[k], inc->generated);
		}
	}
	for (size_t i = 0; i < os->r->nincidents; i++)
		keep_new(&n, &b, os->r->incidents[i]);
	account_against(os->r, os->r->doc, b.r.doc);
}
