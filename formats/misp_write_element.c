/* misp_write_element.c -- attributes and objects of an event, made and found again. See misp_write.h. */
#include "formats/misp_write.h"
#include "gateway/base/arena.h"

json *
mw_take(struct mw *w, const json *tree, const char *name)
{
	return ledger_take(w->led, tree, name, LOSS_KEPT);
}

void
mw_came_of(struct mw *w, struct mw_obj *ob, json *node)
{
	for (size_t i = 0; i < ob->nnodes; i++)
		if (ob->nodes[i] == node)
			return;
	ob->nodes = arena_grow(w->mem, ob->nodes, ob->nnodes, &ob->cap, sizeof(json *));
	ob->nodes[ob->nnodes++] = node;
}

void
mw_add_element(struct mw *w, struct mw_event *ev, json *node)
{
	ev->elements =
	    arena_grow(w->mem, ev->elements, ev->nelements, &ev->elements_cap, sizeof(json *));
	ev->elements[ev->nelements] = node;
	idmap_insert(&ev->uuids, w->mem, json_member(node, "uuid"), ev->nelements++);
}

/* The attribute or object of that uuid. */
json *
mw_by_uuid(struct mw_event *ev, struct slice uuid)
{
	long i = idmap_seek(&ev->uuids, uuid);

	return i == IDMAP_NONE ? NULL : ev->elements[i];
}

struct slice
mw_label(const json *tree, const char *what)
{
	size_t n = strlen(what);

	for (json *l = json_first(json_get(tree, "labels")); l != NULL; l = json_next(l)) {
		struct slice s = json_slice(l);

		if (s.n > n + 8 && slice_starts(s, "misp:") && memcmp(s.p + 5, what, n) == 0 &&
		    s.p[n + 5] == '=' && s.p[n + 6] == '"' && s.p[s.n - 1] == '"')
			return slice_from(s.p + n + 7, s.n - n - 8);
	}
	return SLICE_EMPTY;
}

/* When it was edited, in seconds; the event's time if it says none. */
static void
put_stamp(struct mw *w, const struct mw_event *ev, json *node, const struct mw_obj *ob)
{
	struct slice at = ob->o->version;
	int64_t seconds;

	if (misp_seconds(at, &seconds) && seconds >= 0)
		json_put_str(w->mem, node, "timestamp",
		    slice_of(arena_fmt(w->mem, "%lld", (long long)seconds)));
	else
		json_put_str(w->mem, node, "timestamp", ev->stamp);
}

static void
put_seen(struct mw *w, json *node, const json *tree)
{
	static const struct { const char *stix, *misp; } rows[] = {
		{ "first_observed", "first_seen" }, { "last_observed", "last_seen" },
		{ "valid_from", "first_seen" }
	};
	struct slice created = json_member(tree, "modified");
	int64_t a, b;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct slice at = json_member(tree, rows[i].stix);

		if (at.n == 0 || !misp_seconds(at, &a))
			continue;
		ledger_mark(w->led, json_get(tree, rows[i].stix), LOSS_KEPT, NULL);
		/* what MISP takes from the timestamp when nothing is said */
		if (misp_seconds(created, &b) && a == b)
			continue;
		json_put_str(w->mem, node, rows[i].misp, at);
	}
}

/* What all native elements of an object say alike. */
static void
take_common(struct mw *w, const json *tree)
{
	static const char *const names[] = { "type", "id", "modified", "labels",
		"object_marking_refs" };

	for (size_t i = 0; i < COUNTOF(names); i++)
		mw_take(w, tree, names[i]);
}

json *
mw_attribute(struct mw *w, struct mw_event *ev, struct mw_obj *ob, const char *type,
    struct slice value, struct slice uuid, bool to_ids)
{
	const struct misp_type *row = misp_type_find(slice_of(type));
	struct slice category = mw_label(ob->tree, "category"), comment;
	json *a = mw_by_uuid(ev, uuid);

	take_common(w, ob->tree);
	if (a != NULL && slice_is(json_member(a, "type"), type) &&
	    slice_eq(json_member(a, "value"), value)) {
		/* an indicator and what it is based on */
		if (to_ids && !misp_bool(a, "to_ids"))
			json_put_bool(w->mem, a, "to_ids", true);
		mw_came_of(w, ob, a);
	} else {
		if (a != NULL)
			uuid = MISP_UUID(w->mem, "attribute", ev->uuid, ob->o->id, value);
		a = json_push(ev->attributes, json_object(w->mem));
		json_put_str(w->mem, a, "uuid", uuid);
		json_put_str(w->mem, a, "type", slice_of(type));
		json_put_str(w->mem, a, "category", misp_category_known(category) ? category :
		    slice_of(row == NULL ? "Other" : row->category));
		json_put_str(w->mem, a, "value", value);
		json_put_bool(w->mem, a, "to_ids", to_ids);
		put_stamp(w, ev, a, ob);
		put_seen(w, a, ob->tree);
		mw_add_element(w, ev, a);
		mw_came_of(w, ob, a);
		mw_mark(w, a, ob, ev->label);
	}
	comment = json_slice(mw_take(w, ob->tree, "description"));
	if (comment.n == 0)
		comment = json_slice(mw_take(w, ob->tree, "name"));
	if (json_member(a, "comment").n == 0)
		json_put_str(
		    w->mem, a, "comment", slice_eq(comment, value) ? SLICE_EMPTY : comment);
	if (json_bool(mw_take(w, ob->tree, "revoked")))
		json_put_bool(w->mem, a, "deleted", true);
	return a;
}

json *
mw_object(struct mw *w, struct mw_event *ev, struct mw_obj *ob, const struct misp_template *t,
    struct slice name, struct slice meta)
{
	struct slice uuid = misp_uuid_of_id(ob->o->id);
	json *o = mw_by_uuid(ev, uuid);

	take_common(w, ob->tree);
	if (o != NULL && json_get(o, "Attribute") != NULL &&
	    slice_eq(json_member(o, "name"), name)) {
		mw_came_of(w, ob, o);
		return o;
	}
	if (o != NULL)
		uuid = MISP_UUID(w->mem, "object", ev->uuid, ob->o->id);
	o = json_push(ev->objects, json_object(w->mem));
	json_put_str(w->mem, o, "uuid", uuid);
	json_put_str(w->mem, o, "name", name);
	json_put_str(
	    w->mem, o, "meta-category", meta.n > 0 ? meta : slice_of(t != NULL ? t->meta : "misc"));
	if (t != NULL) {
		json_put_str(w->mem, o, "template_uuid", slice_of(t->uuid));
		json_put_str(w->mem, o, "template_version", slice_of(t->version));
	}
	put_stamp(w, ev, o, ob);
	put_seen(w, o, ob->tree);
	json_put_str(w->mem, o, "comment", json_slice(mw_take(w, ob->tree, "description")));
	if (json_bool(mw_take(w, ob->tree, "revoked")))
		json_put_bool(w->mem, o, "deleted", true);
	json_put(w->mem, o, "Attribute", json_list(w->mem));
	mw_add_element(w, ev, o);
	mw_came_of(w, ob, o);
	return o;
}

json *
mw_object_attribute(struct mw *w, json *object, const char *relation, const char *type,
    struct slice value, bool to_ids)
{
	const struct misp_type *row = misp_type_find(slice_of(type));
	json *list = json_get(object, "Attribute"), *a;
	size_t n = 0;

	for (json *k = json_first(list); k != NULL; k = json_next(k), n++)
		if (slice_is(json_member(k, "object_relation"), relation) &&
		    slice_eq(json_member(k, "value"), value)) {
			if (to_ids)
				json_put_bool(w->mem, k, "to_ids", true);
			return k;
		}
	a = json_push(list, json_object(w->mem));
	json_put_str(w->mem, a, "uuid", MISP_UUID(w->mem, "attribute", json_member(object, "uuid"),
	    slice_of(relation), slice_of(arena_fmt(w->mem, "%zu", n))));
	json_put_str(w->mem, a, "object_relation", slice_of(relation));
	json_put_str(w->mem, a, "type", slice_of(type));
	json_put_str(w->mem, a, "category", slice_of(row == NULL ? "Other" : row->category));
	json_put_str(w->mem, a, "value", value);
	json_put_bool(w->mem, a, "to_ids", to_ids && (row == NULL || row->to_ids));
	json_put_str(w->mem, a, "timestamp", json_member(object, "timestamp"));
	return a;
}
