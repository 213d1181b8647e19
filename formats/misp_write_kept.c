/*
 * misp_write_kept.c -- what came from MISP comes back, and what was edited on the way wins.
 *
 * The parts that objects carry hold others in them: clusters, sightings, references are objects of their
 * own in STIX, but stand in the part of what they hang on. Whenever a part comes back, those of them that
 * were edited are taken out of it. They are written anew in their old place, with what only the part knew.
 * See misp_write.h.
 */
#include "formats/misp_write.h"
#include "gateway/base/arena.h"

/* Remember which objects of a uuid are no longer what stands in somebody's part. */
void
mw_index_edited(struct mw *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct mw_obj *ob = &w->v[i];

		if (ob->residue != NULL && !ob->intact && ob->kind == MW_NONE &&
		    mw_find(w, ob->o->id) == ob)
			idmap_add(&w->edited, w->mem, misp_uuid_of_id(ob->o->id), i);
	}
	idmap_sort(&w->edited);
}

/* Take what was edited out of a list of a part. */
static void
forget_in(struct mw *w, json *list, json *element)
{
	json *next;

	for (json *k = json_first(list); k != NULL; k = next) {
		long i = idmap_find(&w->edited, json_member(k, "uuid"));

		next = json_next(k);
		if (i == IDMAP_NONE)
			continue;
		json_detach(list, k);
		w->v[i].was = k;
		w->v[i].was_in = list;
		w->v[i].was_of = element;
	}
}

/* Take what was edited out of a part, and of the attributes in it. */
static void
forget_edited(struct mw *w, json *element)
{
	if (w->edited.n == 0)
		return;
	for (json *g = json_first(json_get(element, "Galaxy")); g != NULL; g = json_next(g))
		forget_in(w, json_get(g, "GalaxyCluster"), element);
	forget_in(w, json_get(element, "Sighting"), element);
	forget_in(w, json_get(element, "ObjectReference"), element);
	for (json *a = json_first(json_get(element, "Attribute")); a != NULL; a = json_next(a)) {
		for (json *g = json_first(json_get(a, "Galaxy")); g != NULL; g = json_next(g))
			forget_in(w, json_get(g, "GalaxyCluster"), a);
		forget_in(w, json_get(a, "Sighting"), a);
	}
}

json *
mw_kept_part(struct mw *w, const struct mw_obj *ob)
{
	json *part = json_copy(w->mem, ob->part);

	forget_edited(w, part);
	return part;
}

/* What only the old one knew, but for these: they are what the object says now, or no longer says. */
static void
restore_rest(struct mw *w, json *node, json *was, const char *const *said, size_t n)
{
	json *meta = json_get(was, "meta");

	for (size_t i = 0; i < n; i++) {
		json_remove(was, said[i]);
		json_remove(meta, said[i]);
	}
	if (json_first(json_get(node, "meta")) == NULL)
		json_remove(node, "meta");	/* an empty one would count as said */
	ledger_restore(w->mem, node, was, false);
}

void
mw_put_again(struct mw *w, struct mw_obj *ob, json *list, json *node)
{
	static const char *const said[] = {
		"value", "description", "tag_name", "synonyms", "external_id", "refs", "type",
		"date_sighting", "source", "Organisation", "relationship_type", "comment",
		"referenced_uuid", "object_uuid", "referenced_id", "object_id"
	};

	json_push(list, node);
	if (ob->was == NULL)
		return;
	restore_rest(w, node, ob->was, said, COUNTOF(said));
	ob->was = NULL;
}

bool
mw_put_kept(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	json *list, *part;

	if (!ob->intact)
		return false;
	if (ob->kind != MW_NONE) {
		list = ob->kind == MW_ATTRIBUTE ? ev->attributes :
		    ob->kind == MW_OBJECT ? ev->objects : ev->reports;
		part = json_push(list, mw_kept_part(w, ob));
		mw_raise(w, part, ob, ev->label, false);
		mw_add_element(w, ev, part);
		mw_came_of(w, ob, part);
	}
	for (json *k = json_first(json_get(ob->tree, "object_refs")); k != NULL; k = json_next(k)) {
		struct mw_obj *sco = mw_find(w, json_slice(k));

		if (sco != NULL && sco->event == ob->event && sco->o->class == OBJECT_SCO &&
		    slice_is(ob->o->type, "observed-data"))
			sco->done = true;
	}
	return true;
}

/* True if an attribute of an object was no part of what the object became: it cannot have been edited. */
static bool
is_unsaid(const struct mw_obj *ob, const struct misp_template *t, const json *a)
{
	const struct misp_relation *row =
	    t == NULL ? NULL : misp_relation_find(t, json_member(a, "object_relation"));

	if (row == NULL || misp_bool(a, "deleted"))
		return true;
	return slice_is(ob->o->type, "indicator") && !misp_bool(a, "to_ids");
}

/* The attribute of this relation with this value. */
static json *
find_attribute(const json *list, const json *a)
{
	for (json *k = json_first(list); k != NULL; k = json_next(k))
		if (slice_eq(json_member(k, "object_relation"), json_member(a, "object_relation")) &&
		    slice_eq(json_member(k, "value"), json_member(a, "value")))
			return k;
	return NULL;
}

/* Attributes that say what they said are themselves; those that STIX did not say stay, under no less than
 * the label that the object has now. */
static void
keep_attributes(struct mw *w, const struct mw_event *ev, const struct mw_obj *ob, json *object, json *part)
{
	const struct misp_template *t = misp_template_find(json_member(part, "name"));
	json *list = json_get(object, "Attribute"), *old = json_get(part, "Attribute"), *next, *now;

	for (json *a = json_first(old); a != NULL && list != NULL; a = next) {
		next = json_next(a);
		now = find_attribute(list, a);
		if (now != NULL) {
			json_put_str(w->mem, now, "uuid", json_member(a, "uuid"));
			json_remove(a, "Tag");
			json_remove(a, "distribution");
			ledger_restore(w->mem, now, a, false);
		} else if (is_unsaid(ob, t, a)) {
			json_detach(old, a);
			json_push(list, a);
			mw_raise(w, a, ob, ev->label, false);
		}
	}
}

void
mw_put_rest(struct mw *w, const struct mw_event *ev, struct mw_obj *ob)
{
	json *part;

	if (ob->part == NULL || ob->nnodes == 0)
		return;
	part = mw_kept_part(w, ob);
	if (ob->kind == MW_OBJECT)
		keep_attributes(w, ev, ob, ob->nodes[0], part);
	json_remove(part, "Tag");
	json_remove(part, "distribution");
	json_remove(part, "Attribute");
	/* what is not there is not said any more */
	json_remove(part, "deleted");
	if (json_get(ob->tree, "valid_from") != NULL || json_get(ob->tree, "first_observed") != NULL)
		json_remove(part, "first_seen");
	if (json_get(ob->tree, "last_observed") != NULL)
		json_remove(part, "last_seen");
	ledger_restore(w->mem, ob->nodes[0], part, false);
}

void
mw_put_event_rest(struct mw *w, struct mw_event *ev, json *part)
{
	static const char *const unsaid[] = { "threat_level_id", "analysis" };

	for (size_t i = 0; i < COUNTOF(unsaid); i++)
		if (json_get(part, unsaid[i]) != NULL)
			json_put(w->mem, ev->node, unsaid[i], json_copy(w->mem, json_get(part, unsaid[i])));
	if (slice_is(ev->container->o->type, "grouping") && json_get(part, "published") != NULL)
		json_put(w->mem, ev->node, "published", json_copy(w->mem, json_get(part, "published")));
	json_remove(part, "Tag");
	json_remove(part, "distribution");
	ledger_restore(w->mem, ev->node, part, false);
}
