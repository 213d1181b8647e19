/* misp_write_sdo.c -- SDOs become attributes, objects, clusters and reports; SROs what links them. */
#include "formats/misp_write.h"
#include "gateway/base/arena.h"

enum { TITLE_MAX = 120 };

/* ---- clusters ---- */

static json *
list_of(struct mw *w, json *o, const char *name)
{
	json *list = json_get(o, name);

	return list != NULL ? list : json_put(w->mem, o, name, json_list(w->mem));
}

/* The galaxy of this type in the event. */
static json *
galaxy_of(struct mw *w, struct mw_event *ev, struct slice type, struct slice name)
{
	json *g;

	for (g = json_first(ev->galaxies); g != NULL; g = json_next(g))
		if (slice_eq(json_member(g, "type"), type))
			return g;
	g = json_push(ev->galaxies, json_object(w->mem));
	json_put_str(w->mem, g, "uuid", MISP_UUID(w->mem, "galaxy", type));
	json_put_str(w->mem, g, "name", name);
	json_put_str(w->mem, g, "type", type);
	json_put(w->mem, g, "GalaxyCluster", json_list(w->mem));
	return g;
}

/* "threat-actor" -> "STIX 2.1 Threat Actor", for galaxies of ours. */
static struct slice
galaxy_name(struct mw *w, struct slice type)
{
	char *out = arena_fmt(w->mem, "STIX 2.1 %.*s", SLICE_ARG(type));
	bool start = true;

	for (char *p = out + sizeof("STIX 2.1 ") - 1; *p != '\0'; p++) {
		if (start && *p >= 'a' && *p <= 'z')
			*p &= ~0x20;
		start = *p == '-';
		if (start)
			*p = ' ';
	}
	return slice_of(out);
}

static void
put_meta(struct mw *w, json *cluster, const json *tree)
{
	json *meta = json_object(w->mem);

	for (json *k = json_first(mw_take(w, tree, "aliases")); k != NULL; k = json_next(k))
		json_push(list_of(w, meta, "synonyms"), json_copy(w->mem, k));
	for (json *k = json_first(json_get(tree, "external_references")); k != NULL;
	    k = json_next(k)) {
		if (json_get(k, "external_id") != NULL)
			json_push(list_of(w, meta, "external_id"),
			    json_copy(w->mem, mw_take(w, k, "external_id")));
		if (json_get(k, "url") != NULL)
			json_push(
			    list_of(w, meta, "refs"), json_copy(w->mem, mw_take(w, k, "url")));
	}
	json_put(w->mem, cluster, "meta", meta);
}

/* The cluster of that uuid in an event that came back whole; NULL if it has none. */
static json *
cluster_there(const struct mw_event *ev, struct slice uuid)
{
	for (json *g = json_first(json_get(ev->node, "Galaxy")); g != NULL; g = json_next(g))
		for (json *c = json_first(json_get(g, "GalaxyCluster")); c != NULL;
		    c = json_next(c))
			if (slice_eq(json_member(c, "uuid"), uuid))
				return c;
	return NULL;
}

/* Its cluster is called otherwise now. */
static void
untag(json *element, struct slice name)
{
	json *tags = json_get(element, "Tag"), *next;

	for (json *t = json_first(tags); t != NULL; t = next) {
		next = json_next(t);
		if (slice_eq(json_member(t, "name"), name))
			json_detach(tags, t);
	}
}

void
mw_cluster(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice type = mw_label(ob->tree, "galaxy-type"),
	    name = mw_label(ob->tree, "galaxy-name");
	struct slice value = json_slice(mw_take(w, ob->tree, "name"));
	const char *tag;
	json *c, *element;

	if (value.n == 0)
		value = json_slice(mw_take(w, ob->tree, "x_misp_value"));
	if (value.n == 0 || !misp_label_covers(ev->label, mw_label_of(ob)))
		return;		/* what hangs on an event is as open as the event */
	if (type.n == 0) {
		type = slice_of(arena_fmt(w->mem, "stix-2.1-%.*s", SLICE_ARG(ob->o->type)));
		name = galaxy_name(w, ob->o->type);
	}
	mw_take(w, ob->tree, "type");
	mw_take(w, ob->tree, "id");
	c = cluster_there(ev, misp_uuid_of_id(ob->o->id));
	if (c != NULL) {
		mw_came_of(w, ob, c);
		return;
	}
	tag = arena_fmt(w->mem, "misp-galaxy:%.*s=\"%.*s\"", SLICE_ARG(type), SLICE_ARG(value));
	element = ob->was_of == NULL ? ev->node : ob->was_of;
	if (ob->was != NULL)
		untag(element, json_member(ob->was, "tag_name"));
	c = json_object(w->mem);
	json_put_str(w->mem, c, "uuid", misp_uuid_of_id(ob->o->id));
	json_put_str(w->mem, c, "type", type);
	json_put_str(w->mem, c, "value", value);
	json_put_str(w->mem, c, "tag_name", slice_of(tag));
	json_put_str(w->mem, c, "description", json_slice(mw_take(w, ob->tree, "description")));
	put_meta(w, c, ob->tree);
	mw_put_again(w, ob, ob->was_in != NULL ? ob->was_in :
	    json_get(galaxy_of(w, ev, type, name), "GalaxyCluster"), c);
	mw_tag(w, element, tag);
	mw_came_of(w, ob, c);
}

/* ---- objects ---- */

/* What a row of an SDO template says of this SDO; empty if nothing. */
static void
write_row(struct mw *w, json *o, const json *tree, const struct misp_relation *row)
{
	const char *path = row->path.path;
	size_t n = strlen(path);
	json *m;

	if (path[0] == '@') {
		for (m = json_first(json_get(tree, "external_references")); m != NULL;
		    m = json_next(m)) {
			const char *member = strcmp(path, "@url") == 0 ? "url" : "external_id";
			struct slice value = json_member(m, member);

			if (value.n == 0 ||
			    (path[1] != 'u' && !slice_is(json_member(m, "source_name"), path + 1)))
				continue;
			if (strcmp(path, "@capec") == 0 && slice_starts(value, "CAPEC-"))
				value = slice_from(value.p + 6, value.n - 6);
			mw_take(w, m, member);
			mw_object_attribute(w, o, row->name, row->type, value, false);
		}
	} else if (path[0] == '+' || path[0] == '&') {
		return;
	} else if (n > 3 && strcmp(path + n - 3, "[*]") == 0) {
		m = mw_take(w, tree, arena_str(w->mem, slice_from(path, n - 3)));
		for (m = json_first(m); m != NULL; m = json_next(m))
			mw_object_attribute(w, o, row->name, row->type, json_slice(m), false);
	} else if (json_get(tree, path) != NULL) {
		mw_take(w, tree, path);
		mw_object_attribute(w, o, row->name, row->type, misp_text(w->mem, tree, path),
		    strcmp(path, "pattern") == 0);
	}
}

/* True if an earlier row said the same property. */
static bool
said_before(const struct misp_template *t, const struct misp_relation *row)
{
	for (const struct misp_relation *r = t->relations; r != row; r++)
		if (strcmp(r->path.path, row->path.path) == 0)
			return true;
	return false;
}

/* "address: A; B / e-mail: C" of contact_information as attributes. */
static void
write_contacts(struct mw *w, json *o, const json *tree, const struct misp_template *t)
{
	struct slice rest = json_member(tree, "contact_information");

	while (rest.n > 0) {
		const char *end = memmem(rest.p, rest.n, " / ", 3);
		struct slice part =
		    slice_from(rest.p, end == NULL ? rest.n : (size_t)(end - rest.p));
		struct slice name, value;

		rest = end == NULL ? SLICE_EMPTY : slice_from(end + 3, rest.n - part.n - 3);
		value = part;
		name = slice_cut(&value, ':');
		for (const struct misp_relation *r = t->relations; r->name != NULL; r++) {
			if (r->path.path[0] != '+' || !slice_is(name, r->path.path + 1))
				continue;
			mw_take(w, tree, "contact_information");
			while (value.n > 0) {
				struct slice one = slice_trim(slice_cut(&value, ';'));

				if (one.n > 0)
					mw_object_attribute(w, o, r->name, r->type, one, false);
			}
		}
	}
}

/* Custom properties of misp-stix: a text, several, or {"value", "data"}. */
static void
write_others(struct mw *w, json *o, const json *tree, const struct misp_template *t)
{
	for (json *m = json_first(tree); m != NULL; m = json_next(m)) {
		char *relation;

		if (!slice_starts(slice_of(json_name(m)), "x_misp_"))
			continue;
		relation = arena_str(w->mem, slice_of(json_name(m) + 7));
		for (char *p = relation; *p != '\0'; p++)
			if (*p == '_')
				*p = '-';
		ledger_mark(w->led, m, LOSS_KEPT, NULL);
		if (json_is_object(m)) {
			mw_other_attribute(w, o, t, relation, json_member(m, "value"), false);
			mw_other_attribute(w, o, t, relation, json_member(m, "data"), true);
		} else if (json_is_list(m)) {
			for (json *k = json_first(m); k != NULL; k = json_next(k))
				mw_other_attribute(w, o, t, relation, json_slice(k), false);
		} else {
			mw_other_attribute(w, o, t, relation,
			    misp_text(w->mem, tree, json_name(m)), false);
		}
	}
}

void
mw_template(struct mw *w, struct mw_event *ev, struct mw_obj *ob, const struct misp_template *t)
{
	struct slice meta = mw_label(ob->tree, "meta-category");
	json *o = mw_object(w, ev, ob, t, slice_of(t->name), meta);

	for (const struct misp_relation *row = t->relations; row->name != NULL; row++) {
		if (!said_before(t, row))
			write_row(w, o, ob->tree, row);
		if (strcmp(row->path.path, "description") == 0)
			json_put_str(w->mem, o, "comment", SLICE_EMPTY);
	}
	write_contacts(w, o, ob->tree, t);
	write_others(w, o, ob->tree, t);
	mw_mark(w, o, ob, ev->label);
}

/* An object that misp-stix or we kept as it was. */
static void
write_custom_object(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice name = json_slice(mw_take(w, ob->tree, "x_misp_name"));
	json *o;

	if (name.n == 0)
		return;
	o = mw_object(w, ev, ob, misp_template_find(name), name,
	    json_slice(mw_take(w, ob->tree, "x_misp_meta_category")));
	json_put_str(w->mem, o, "comment", json_slice(mw_take(w, ob->tree, "x_misp_comment")));
	for (json *k = json_first(mw_take(w, ob->tree, "x_misp_attributes")); k != NULL;
	    k = json_next(k)) {
		json *a =
		    mw_object_attribute(w, o, arena_str(w->mem, json_member(k, "object_relation")),
			arena_str(w->mem, json_member(k, "type")), misp_text(w->mem, k, "value"),
			false);

		json_put_bool(w->mem, a, "to_ids", misp_bool(k, "to_ids"));
		for (json *m = json_first(k); m != NULL; m = json_next(m))
			if (json_get(a, json_name(m)) == NULL)
				json_put(w->mem, a, json_name(m), json_copy(w->mem, m));
	}
	mw_mark(w, o, ob, ev->label);
}

static void
write_custom_attribute(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice type = json_slice(mw_take(w, ob->tree, "x_misp_type"));
	struct slice value = json_slice(mw_take(w, ob->tree, "x_misp_value"));
	struct slice category = json_slice(mw_take(w, ob->tree, "x_misp_category"));
	json *a;

	if (type.n == 0)
		type = mw_label(ob->tree, "type");
	if (type.n == 0 || value.n == 0)
		return;
	a = mw_attribute(w, ev, ob, arena_str(w->mem, type), value, misp_uuid_of_id(ob->o->id),
	    slice_is(mw_label(ob->tree, "to_ids"), "True"));
	if (category.n > 0)
		json_put_str(w->mem, a, "category", category);
	if (json_get(ob->tree, "x_misp_comment") != NULL)
		json_put_str(
		    w->mem, a, "comment", json_slice(mw_take(w, ob->tree, "x_misp_comment")));
}

/* ---- attributes ---- */

/* The identifier of this source among the external references. */
static struct slice
reference_id(struct mw *w, const json *tree, const char *source)
{
	for (json *k = json_first(json_get(tree, "external_references")); k != NULL;
	    k = json_next(k))
		if (slice_is(json_member(k, "source_name"), source) &&
		    json_get(k, "external_id") != NULL)
			return json_slice(mw_take(w, k, "external_id"));
	return SLICE_EMPTY;
}

static void
write_vulnerability(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice cve = reference_id(w, ob->tree, "cve"),
	    name = json_slice(mw_take(w, ob->tree, "name"));

	if (cve.n == 0)
		cve = name;
	if (cve.n > 0)
		mw_attribute(w, ev, ob, "vulnerability", cve, misp_uuid_of_id(ob->o->id), false);
}

/* True if a label names the type of an attribute that holds one property; then it is written. */
static bool
write_word(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice type = mw_label(ob->tree, "type"), value;
	const struct misp_type *t = misp_type_find(type);
	json *a, *m;

	if (t == NULL)
		return false;
	m = mw_take(w, ob->tree, t->fate == MISP_NOTE ? "content" : "name");
	value = json_slice(m);
	if (value.n == 0)
		return false;
	a = mw_attribute(w, ev, ob, t->name, value, misp_uuid_of_id(ob->o->id), false);
	if (json_get(ob->tree, "abstract") != NULL)
		json_put_str(w->mem, a, "comment", json_slice(mw_take(w, ob->tree, "abstract")));
	return true;
}

/* The first line of a text, for what has no title. */
static struct slice
title_of(struct slice text)
{
	struct slice line = slice_cut(&text, '\n');

	if (line.n > TITLE_MAX) {
		line.n = TITLE_MAX;
		while (line.n > 0 && (line.p[line.n] & 0xc0) == 0x80)
			line.n--;
	}
	return slice_trim(line);
}

static void
write_event_report(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice name = json_slice(mw_take(w, ob->tree, "abstract"));
	struct slice content = json_slice(mw_take(w, ob->tree, "content"));
	int64_t seconds;
	json *r;

	r = json_object(w->mem);
	json_put_str(w->mem, r, "uuid", misp_uuid_of_id(ob->o->id));
	json_put_str(w->mem, r, "name", name.n > 0 ? name : title_of(content));
	json_put_str(w->mem, r, "content", content);
	if (misp_seconds(ob->o->version, &seconds))
		json_put_str(w->mem, r, "timestamp",
		    slice_of(arena_fmt(w->mem, "%lld", (long long)seconds)));
	/* an event report has no tags: what a distribution cannot say is not written */
	json_put_int(w->mem, r, "distribution", ob->tlp >= TLP_AMBER_STRICT ? 0 : 5);
	if (!misp_label_covers(
		misp_label_join(ev->label, misp_label_of(r, false)), mw_label_of(ob)))
		return;
	json_push(ev->reports, r);
	mw_take(w, ob->tree, "id");
	mw_take(w, ob->tree, "type");
	mw_take(w, ob->tree, "modified");
	mw_came_of(w, ob, r);
}

static bool
is_creator(const struct mw *w, const struct mw_obj *ob)
{
	for (size_t i = 0; i < w->nevents; i++)
		if (w->events[i].container != NULL &&
		    slice_eq(w->events[i].container->o->created_by, ob->o->id))
			return true;
	return false;
}

void
mw_sdo(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	static const char *const clustered[] = {
		"malware", "tool", "threat-actor", "intrusion-set", "attack-pattern", "campaign",
		"course-of-action", "infrastructure"
	};
	struct slice type = ob->o->type;
	const struct misp_template *t = misp_template_find(mw_label(ob->tree, "name"));

	if (slice_is(type, "x-misp-object")) {
		write_custom_object(w, ev, ob);
		return;
	}
	if (slice_is(type, "x-misp-attribute") || slice_starts(type, "x-misp-object-")) {
		write_custom_attribute(w, ev, ob);
		return;
	}
	if (mw_label(ob->tree, "galaxy-type").n > 0 || slice_is(type, "x-misp-galaxy-cluster")) {
		mw_cluster(w, ev, ob);
		return;
	}
	if (t != NULL && t->sdo != NULL) {
		mw_template(w, ev, ob, t);
		return;
	}
	if (write_word(w, ev, ob))
		return;
	for (size_t i = 0; i < COUNTOF(clustered); i++)
		if (slice_is(type, clustered[i])) {
			mw_cluster(w, ev, ob);
			return;
		}
	if (slice_is(type, "vulnerability"))
		write_vulnerability(w, ev, ob);
	else if (slice_is(type, "note"))
		write_event_report(w, ev, ob);
	else if (slice_is(type, "location"))
		mw_template(w, ev, ob, misp_template_find(SLICE_LIT("geolocation")));
	else if (slice_is(type, "identity") && !is_creator(w, ob))
		mw_template(w, ev, ob, misp_template_find(SLICE_LIT("identity")));
}

/* ---- links ---- */

/* The first native element of an object that is an attribute or has some. */
static json *
element_of(struct mw *w, struct mw_event *ev, struct slice id)
{
	struct mw_obj *ob = mw_find(w, id);

	if (ob == NULL || ob->nnodes == 0 ||
	    mw_by_uuid(ev, json_member(ob->nodes[0], "uuid")) == NULL)
		return NULL;
	return ob->nodes[0];
}

/* True if the link is for fewer eyes than the element that it would hang on. */
static bool
hides(const struct mw_event *ev, const json *element, const struct mw_obj *ob)
{
	return !misp_label_covers(
	    misp_label_join(ev->label, misp_label_of(element, false)), mw_label_of(ob));
}

static void
write_reference(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	json *from = element_of(w, ev, json_member(ob->tree, "source_ref"));
	json *to = element_of(w, ev, json_member(ob->tree, "target_ref")), *ref;

	if (from == NULL || to == NULL || json_get(from, "Attribute") == NULL ||
	    hides(ev, from, ob))
		return;
	ref = json_object(w->mem);
	json_put_str(w->mem, ref, "uuid", misp_uuid_of_id(ob->o->id));
	json_put_str(w->mem, ref, "object_uuid", json_member(from, "uuid"));
	json_put_str(w->mem, ref, "referenced_uuid", json_member(to, "uuid"));
	json_put_str(w->mem, ref, "relationship_type",
	    json_slice(mw_take(w, ob->tree, "relationship_type")));
	json_put_str(w->mem, ref, "comment", json_slice(mw_take(w, ob->tree, "description")));
	mw_put_again(w, ob, list_of(w, from, "ObjectReference"), ref);
	mw_take(w, ob->tree, "source_ref");
	mw_take(w, ob->tree, "target_ref");
	mw_take(w, ob->tree, "id");
}

/* The attribute that a sighting hangs on. */
static json *
sighted_attribute(struct mw *w, struct mw_event *ev, struct slice id)
{
	json *node = element_of(w, ev, id);

	return json_get(node, "Attribute") != NULL ? json_first(json_get(node, "Attribute")) : node;
}

static void
write_sighting(struct mw *w, struct mw_event *ev, struct mw_obj *ob, const char *type,
    struct slice of, struct slice at)
{
	json *a = sighted_attribute(w, ev, of), *s, *org;
	struct slice by = json_slice(json_first(json_get(ob->tree, "where_sighted_refs")));
	struct mw_obj *who = by.n == 0 ? NULL : mw_find(w, by);
	int64_t seconds;

	if (a == NULL || !misp_seconds(at, &seconds) || hides(ev, a, ob))
		return;
	s = json_object(w->mem);
	json_put_str(w->mem, s, "uuid", misp_uuid_of_id(ob->o->id));
	json_put_str(w->mem, s, "type", slice_of(type));
	json_put_str(
	    w->mem, s, "date_sighting", slice_of(arena_fmt(w->mem, "%lld", (long long)seconds)));
	json_put_str(w->mem, s, "source", json_slice(mw_take(w, ob->tree, "description")));
	mw_take(w, ob->tree, "id");
	mw_take(w, ob->tree, "sighting_of_ref");
	if (who != NULL) {
		org = json_put(w->mem, s, "Organisation", json_object(w->mem));
		json_put_str(w->mem, org, "name", json_member(who->tree, "name"));
		json_put_str(w->mem, org, "uuid", misp_uuid_of_id(by));
		mw_take(w, ob->tree, "where_sighted_refs");
	}
	mw_put_again(w, ob, list_of(w, a, "Sighting"), s);
}

void
mw_link(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice at = json_member(ob->tree, "last_seen"),
	    opinion = json_member(ob->tree, "opinion");

	if (slice_is(ob->o->type, "relationship")) {
		write_reference(w, ev, ob);
	} else if (slice_is(ob->o->type, "sighting")) {
		if (at.n == 0)
			at = json_member(ob->tree, "first_seen");
		write_sighting(w, ev, ob, "0", json_member(ob->tree, "sighting_of_ref"),
		    at.n > 0 ? at : ob->o->version);
	} else if (slice_ends(opinion, "disagree")) {
		write_sighting(w, ev, ob, "1",
		    json_slice(json_first(json_get(ob->tree, "object_refs"))), ob->o->version);
	}
}
