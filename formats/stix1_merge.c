/* stix1_merge.c -- originals of a package that was changed, and what its elements say. */
#include "formats/stix1_originals.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"

/* What was derived, by id, and relationships by their ends. */
struct merging {
	struct s1	*s;
	struct idmap	 ids, ends;	/* -> s->objs */
};

static struct slice
ends_of(struct s1 *s, const json *tree)
{
	return slice_of(arena_fmt(s->mem, "%.*s %.*s", SLICE_ARG(json_member(tree, "source_ref")),
	    SLICE_ARG(json_member(tree, "target_ref"))));
}

/* The first of that key that is still there. */
static struct s1_obj *
find(const struct merging *m, const struct idmap *map, struct slice key)
{
	for (size_t i = idmap_place(map, key); i < map->n && slice_eq(map->v[i].id, key); i++) {
		struct s1_obj *ob = m->s->objs.v[map->v[i].value];

		if (!ob->dead)
			return ob;
	}
	return NULL;
}

/* True if the element that tells of the original is what it was. */
static bool
is_untouched(struct s1 *s, struct xml_node *n, struct slice hash)
{
	struct s1_note *note = s1_note(s, n);

	if (note->hash == NULL) {
		note->hash = arena_alloc(s->mem, 2 * SHA256_LEN + 1);
		stix1_element_hash(n, note->hash);
	}
	return slice_is(hash, note->hash);
}

/* The original stands for what was derived: its XML is nothing to be kept. */
static void
replace(struct s1 *s, struct s1_obj *ob, const struct s1_original *v)
{
	if (ob == NULL)
		return;
	ob->dead = true;
	ob->became = v == NULL ? SLICE_EMPTY : v->o.id;
	ob->holds = false;
	if (ob->from == NULL)
		return;
	for (struct s1_tag *t = s1_note(s, ob->from)->tags; t != NULL; t = t->next)
		if (t->ob == ob && t->unit) {
			t->unit = false;
			xml_mark_all(ob->from, XML_KEPT);
			s1_originals_put_by(s, ob->from);
		}
}

/* Add to what was derived the members that only the original has: STIX 1.x has no words for those. Labels
 * are what the package says. */
static void
fill_up(struct s1 *s, struct s1_obj *ob, const struct s1_original *v)
{
	for (const json *m = json_first(v->o.tree); m != NULL; m = json_next(m)) {
		const char *name = json_name(m);

		if (json_get(ob->tree, name) == NULL && strcmp(name, "object_marking_refs") != 0 &&
		    strcmp(name, "granular_markings") != 0 && strcmp(name, "revoked") != 0)
			json_put(s->mem, ob->tree, name, json_copy(s->mem, m));
	}
}

/* True if nothing that was derived contradicts the original. */
static bool
agrees(const struct s1_obj *ob, const struct s1_original *v)
{
	static const char *const times[] = { "created", "modified", "created_by_ref" };

	for (const json *m = json_first(ob->tree); m != NULL; m = json_next(m)) {
		bool time = false;

		for (size_t i = 0; i < COUNTOF(times); i++)
			time |= strcmp(json_name(m), times[i]) == 0;
		if (!time && !json_equal(m, json_get(v->o.tree, json_name(m))))
			return false;
	}
	return true;
}

static struct slice
uuid_of(struct slice id)
{
	return id.n < 36 ? id : slice_from(id.p + id.n - 36, 36);
}

/* An element may be the nearest that STIX 1.x has: what it was taken for is of another type. */
static void
replace_nearest(struct s1 *s, const struct s1_unit *u, const struct s1_original *v)
{
	for (size_t i = 0; u != NULL && i < u->faces.n; i++)
		if (!u->faces.v[i]->dead && slice_eq(uuid_of(u->faces.v[i]->id), uuid_of(v->o.id)))
			replace(s, u->faces.v[i], v);
}

static void
merge_one(struct merging *m, struct s1_original *v)
{
	struct s1 *s = m->s;
	struct s1_obj *ob = find(m, &m->ids, v->o.id);
	struct xml_node *n = s1_by_id(s, v->in);
	bool told = v->in.n > 0;

	if (ob == NULL && v->o.class == OBJECT_SRO && told)
		ob = find(m, &m->ends, ends_of(s, v->o.tree));
	if (told && n == NULL)
		return;			/* its element was taken out */
	if (told ? is_untouched(s, n, v->hash) : ob == NULL || agrees(ob, v)) {
		/* of relationships, and of what many say, the freer mention counts */
		if (ob != NULL && told && !ob->sco && !ob->relationship)
			v->here = s1_strictest(s, v->here, ob->label);
		replace(s, ob, v);
		if (told && s1_unit_of(n) != NULL) {
			s1_unit_of(n)->replaced = s->originals.complete;
			replace_nearest(s, s1_unit_of(n), v);
		}
		v->taken = true;
	} else if (ob != NULL && v->o.class == OBJECT_SRO) {
		replace(s, ob, v);
		v->taken = true;
	} else if (ob != NULL && slice_eq(json_member(ob->tree, "type"), v->o.type)) {
		fill_up(s, ob, v);
	}
}

/* Parts of elements that are as they were have originals too, maybe under other ids. */
static void
replace_parts(struct s1 *s)
{
	for (size_t i = 0; i < s->objs.n; i++) {
		struct s1_obj *ob = s->objs.v[i];

		if (!ob->dead && ob->unit != NULL && ob->unit->replaced &&
		    (ob->sco || ob->relationship || slice_starts(ob->id, "sighting--") ||
		    slice_starts(ob->id, "note--")))
			replace(s, ob, NULL);
	}
}

/* A derived report speaks of what there is now. */
static void
mend_report(struct merging *m, json *tree)
{
	struct s1 *s = m->s;
	json *old = json_get(tree, "object_refs"), *refs = json_list(s->mem);

	for (const json *r = json_first(old); r != NULL; r = json_next(r)) {
		long at = idmap_find(&m->ids, json_slice(r));
		const struct s1_obj *ob = at == IDMAP_NONE ? NULL : s->objs.v[at];

		if (ob == NULL || !ob->dead)
			json_push(refs, json_copy(s->mem, r));
		else if (ob->became.n > 0)
			json_push(refs, json_string(s->mem, ob->became));
	}
	if (json_first(refs) != NULL)
		json_put(s->mem, tree, "object_refs", refs);
}

/* See stix1_originals.h. */
void
s1_originals_merge(struct s1 *s)
{
	struct merging m = { .s = s };

	if (s->originals.n == 0)
		return;
	for (size_t i = 0; i < s->objs.n; i++) {
		struct s1_obj *ob = s->objs.v[i];

		idmap_add(&m.ids, s->mem, ob->id, i);
		if (ob->relationship)
			idmap_add(&m.ends, s->mem, ends_of(s, ob->tree), i);
	}
	idmap_sort(&m.ids);
	idmap_sort(&m.ends);
	for (size_t i = 0; i < s->originals.n; i++)
		if (!s->originals.v[i].ignored)
			merge_one(&m, &s->originals.v[i]);
	replace_parts(s);
	for (size_t i = 0; i < s->objs.n; i++)
		if (!s->objs.v[i]->dead && slice_starts(s->objs.v[i]->id, "report--"))
			mend_report(&m, s->objs.v[i]->tree);
}
