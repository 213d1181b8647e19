/* misp_read_galaxy.c -- what hangs on an event or attribute: clusters, sightings, event reports. */
#include "formats/misp_read.h"
#include "formats/sdo_list.h"
#include "gateway/base/arena.h"

/* ---- clusters ---- */

static void
add_reference(struct mr *r, json *tree, const char *source, const char *member, struct slice value)
{
	json *list = json_get(tree, "external_references"), *ref;

	if (value.n == 0)
		return;
	if (list == NULL)
		list = json_put(r->mem, tree, "external_references", json_list(r->mem));
	ref = json_push(list, json_object(r->mem));
	json_put_str(r->mem, ref, "source_name", slice_of(source));
	json_put_str(r->mem, ref, member, value);
}

/* Members of meta are a string or a list of strings. */
static json *
meta_first(struct mr *r, const json *cluster, const char *name)
{
	json *m = mr_take(r, json_get(cluster, "meta"), name);

	return json_is_list(m) ? json_first(m) : m;
}

#define EACH_META(k, cluster, name)					\
	for (json *k = meta_first(r, (cluster), (name)), *is_list_ =	\
	    json_is_list(json_get(json_get((cluster), "meta"), (name))) ? k : NULL; k != NULL;	\
	    k = is_list_ != NULL ? json_next(k) : NULL)

/* "Access Token Manipulation - T1134" without the id that is said elsewhere. */
static struct slice
cluster_name(struct slice value, struct slice id)
{
	size_t tail = id.n + 3;

	if (id.n > 0 && value.n > tail && slice_ends(value, id.p) &&
	    memcmp(value.p + value.n - tail, " - ", 3) == 0)
		value.n -= tail;
	return value;
}

static const char *
source_of(struct slice id)
{
	return slice_starts(id, "CAPEC-") ? "capec" :
	    slice_starts(id, "CVE-")   ? "cve" :
					    "mitre-attack";
}

/* What the meta says that has a place. */
static void
add_meta(struct mr *r, json *tree, const json *cluster, const char *sdo)
{
	static const char *const aliased[] = {
		"attack-pattern", "malware", "tool", "intrusion-set", "threat-actor", "campaign"
	};
	bool has_aliases = false;

	for (size_t i = 0; i < COUNTOF(aliased); i++)
		has_aliases |= strcmp(sdo, aliased[i]) == 0;
	EACH_META(id, cluster, "external_id")
	add_reference(r, tree, source_of(json_slice(id)), "external_id", json_slice(id));
	EACH_META(ref, cluster, "refs")
	add_reference(r, tree, "url", "url", json_slice(ref));
	if (has_aliases) {
		EACH_META(name, cluster, "synonyms")
		sdo_list_add(r->mem, tree, "aliases", json_slice(name));
	}
	if (strcmp(sdo, "vulnerability") == 0) {
		EACH_META(cve, cluster, "aliases")
		if (slice_starts(json_slice(cve), "CVE-"))
			add_reference(r, tree, "cve", "external_id", json_slice(cve));
	}
}

/* What the standard wants of the type; false if the cluster cannot say it. */
static bool
add_required(struct mr *r, json *tree, const json *cluster, const char *sdo)
{
	struct slice country;

	if (strcmp(sdo, "malware") == 0)
		json_put_bool(r->mem, tree, "is_family", false);
	if (strcmp(sdo, "identity") == 0)
		json_put_str(r->mem, tree, "identity_class", SLICE_LIT("class"));
	if (strcmp(sdo, "location") != 0)
		return true;
	country = json_slice(meta_first(r, cluster, "ISO"));
	if (country.n == 2)
		json_put_str(r->mem, tree, "country", country);
	return country.n == 2;
}

static struct mr_made *
make_cluster(struct mr *r, struct mr_event *ev, const json *galaxy, json *cluster, const char *sdo,
    struct slice uuid, struct misp_label label)
{
	struct slice id = json_slice(meta_first(r, cluster, "external_id"));
	struct slice value = mr_text(r, cluster, "value"),
	    text = mr_text(r, cluster, "description");
	struct mr_made *m;

	m = mr_new(r, ev, sdo != NULL ? sdo : "x-misp-galaxy-cluster", uuid, ev->modified,
	    ev->modified, label);
	if (m == NULL)
		return NULL;
	sdo_list_add(r->mem, m->tree, "labels", slice_of(arena_fmt(r->mem, "misp:galaxy-name=\"%.*s\"",
	    SLICE_ARG(misp_text(r->mem, galaxy, "name")))));
	sdo_list_add(r->mem, m->tree, "labels", slice_of(arena_fmt(r->mem, "misp:galaxy-type=\"%.*s\"",
	    SLICE_ARG(mr_text(r, cluster, "type")))));
	json_put_str(r->mem, m->tree, sdo != NULL ? "name" : "x_misp_value", sdo != NULL ?
	    cluster_name(value, id) : value);
	if (text.n > 0)
		json_put_str(
		    r->mem, m->tree, sdo != NULL ? "description" : "x_misp_description", text);
	if (sdo == NULL) {
		json_put_str(r->mem, m->tree, "x_misp_type", misp_text(r->mem, cluster, "type"));
		return m;
	}
	add_meta(r, m->tree, cluster, sdo);
	add_required(r, m->tree, cluster, sdo);
	return m;
}

/* What the owner of a cluster has to do with it, in the words of the standard. */
static const char *
relation_of(const struct mr_made *owner, const char *sdo)
{
	static const char *const indicated[] = {
		"attack-pattern", "campaign", "infrastructure", "intrusion-set", "malware",
		"threat-actor", "tool"
	};

	for (size_t i = 0; i < COUNTOF(indicated); i++)
		if (sdo != NULL && strcmp(sdo, indicated[i]) == 0 &&
		    slice_starts(owner->id, "indicator--"))
			return "indicates";
	return "related-to";
}

/* One cluster: a new object, or the one that it is already. */
static void
read_cluster(struct mr *r, struct mr_event *ev, json *galaxy, json *cluster,
    const struct mr_made *owner, struct misp_label label)
{
	struct slice value = misp_text(r->mem, cluster, "value"), none = SLICE_EMPTY, id;
	struct slice type = misp_text(r->mem, cluster, "type"), uuid;
	const char *sdo = misp_galaxy_sdo(type);
	struct mr_made *m;

	if (value.n == 0)
		return;
	label = misp_label_join(label, misp_label_in(galaxy, false, r->job->misp_groups));
	label = misp_label_join(label, misp_label_in(cluster, false, r->job->misp_groups));
	if (sdo != NULL && strcmp(sdo, "location") == 0 &&
	    json_slice(meta_first(r, cluster, "ISO")).n != 2)
		sdo = NULL;
	uuid = json_member(cluster, "uuid").n == 0 ?
	    MISP_UUID(r->mem, "cluster", type, value, none) :
	    mr_uuid(r, cluster, "cluster", type, value, none);
	id = slice_of(arena_fmt(r->mem, "%s--%.*s", sdo != NULL ? sdo : "x-misp-galaxy-cluster",
	    SLICE_ARG(uuid)));
	m = mr_find(r, ev, id);
	if (m == NULL)
		m = make_cluster(r, ev, galaxy, cluster, sdo, uuid, label);
	else if (!m->bare && !m->ready)
		m->label = misp_label_join(m->label, label);
	if (m == NULL || owner == NULL || owner == m)
		return;
	mr_relate(r, ev, owner->id, relation_of(owner, sdo), m->id, none,
	    json_member(owner->tree, "modified"), misp_label_join(owner->label, m->label), none);
}

void
mr_galaxies(struct mr *r, struct mr_event *ev, json *element, const struct mr_made *owner,
    struct misp_label label)
{
	for (json *g = json_first(json_get(element, "Galaxy")); g != NULL; g = json_next(g))
		for (json *c = json_first(json_get(g, "GalaxyCluster")); c != NULL;
		    c = json_next(c))
			if (ev->originals == NULL || !mr_is_explained(ev->originals, c))
				read_cluster(r, ev, g, c, owner, label);
}

/* ---- sightings ---- */

/* Who saw it; empty if nobody is named. */
static struct slice
sighted_by(struct mr *r, struct mr_event *ev, json *sighting, struct misp_label label)
{
	json *org = json_get(sighting, "Organisation");
	struct slice name = misp_text(r->mem, org, "name"), none = SLICE_EMPTY, uuid, id;
	struct mr_made *m;

	if (name.n == 0)
		return SLICE_EMPTY;
	uuid = mr_uuid(r, org, "organisation", name, none, none);
	id = slice_of(arena_fmt(r->mem, "identity--%.*s", SLICE_ARG(uuid)));
	m = mr_find(r, ev, id);
	if (m == NULL)
		m = mr_new(r, ev, "identity", uuid, ev->modified, ev->modified, label);
	else
		return m->id;
	if (m == NULL)
		return SLICE_EMPTY;
	json_put_str(r->mem, m->tree, "name", mr_text(r, org, "name"));
	json_put_str(r->mem, m->tree, "identity_class", SLICE_LIT("organization"));
	return m->id;
}

static void
read_sighting(struct mr *r, struct mr_event *ev, json *s, const struct mr_made *owner,
    struct misp_label label)
{
	struct slice at = mr_time(r, s, "date_sighting"), uuid, by;
	int64_t type = 0;
	struct mr_made *m;

	misp_number(s, "type", &type);
	if (at.n == 0)
		at = json_member(owner->tree, "modified");
	if (type == 2) {
		if (slice_starts(owner->id, "indicator--") && mr_before(r, json_member(owner->tree,
		    "valid_from"), at)) {
			json_put_str(r->mem, owner->tree, "valid_until", at);
			mr_take(r, s, "type");
		}
		return;
	}
	uuid = json_get(s, "uuid") != NULL ?
	    mr_uuid(r, s, "sighting", owner->id, at, slice_of(type == 0 ? "0" : "1")) :
	    MISP_UUID(r->mem, "sighting", owner->id, at, slice_of(type == 0 ? "0" : "1"),
	    misp_text(r->mem, s, "source"),
	    misp_text(r->mem, json_get(s, "Organisation"), "name"));
	by = sighted_by(r, ev, s, label);
	m = mr_new(r, ev, type == 0 ? "sighting" : "opinion", uuid, at, at, label);
	if (m == NULL)
		return;
	mr_take(r, s, "type");
	if (type != 0) {
		json_put_str(r->mem, m->tree, "opinion", SLICE_LIT("strongly-disagree"));
		json_push(json_put(r->mem, m->tree, "object_refs", json_list(r->mem)),
		    json_string(r->mem, owner->id));
		return;
	}
	json_put_str(r->mem, m->tree, "first_seen", at);
	json_put_str(r->mem, m->tree, "last_seen", at);
	json_put_int(r->mem, m->tree, "count", 1);
	json_put_str(r->mem, m->tree, "sighting_of_ref", owner->id);
	if (by.n > 0)
		json_push(json_put(r->mem, m->tree, "where_sighted_refs", json_list(r->mem)),
		    json_string(r->mem, by));
	if (json_member(s, "source").n > 0)
		json_put_str(r->mem, m->tree, "description", mr_text(r, s, "source"));
}

void
mr_sightings(struct mr *r, struct mr_event *ev, json *element, const struct mr_made *owner,
    struct misp_label label)
{
	for (json *s = json_first(json_get(element, "Sighting")); s != NULL; s = json_next(s))
		read_sighting(r, ev, s, owner, label);
}

/* ---- event reports ---- */

void
mr_event_report(struct mr *r, struct mr_event *ev, json *node)
{
	struct slice name = misp_text(r->mem, node, "name"),
	    content = misp_text(r->mem, node, "content");
	struct slice uuid, at;
	struct mr_made *m = NULL;

	if (!json_is_object(node) || name.n + content.n == 0) {
		mr_refuse(r, node, "MISSING_PROPERTY", "an event report has a name and a content");
		return;
	}
	uuid = mr_uuid(r, node, "event-report", ev->uuid, name, content);
	at = mr_stamp(r, node, ev->modified);
	if (mr_find(r, ev, slice_of(arena_fmt(r->mem, "note--%.*s", SLICE_ARG(uuid)))) != NULL)
		uuid = MISP_UUID(r->mem, "event-report", ev->uuid, uuid,
		    slice_of(arena_fmt(r->mem, "%zu", ev->n)));
	m = mr_new(r, ev, "note", uuid, at, at,
	    misp_label_join(ev->label, misp_label_in(node, false, r->job->misp_groups)));
	if (m == NULL) {
		mr_refuse(r, node, "TOO_MANY", "more objects than the limit");
		return;
	}
	m->member = "event_report";
	m->part = json_copy(r->mem, node);
	m->from = node;
	if (name.n > 0)
		json_put_str(r->mem, m->tree, "abstract", mr_text(r, node, "name"));
	json_put_str(
	    r->mem, m->tree, "content", content.n > 0 ? mr_text(r, node, "content") : name);
	json_push(json_put(r->mem, m->tree, "object_refs", json_list(r->mem)), json_string(r->mem,
	    ev->container != NULL ? ev->container->id : slice_of(arena_fmt(r->mem, "report--%.*s",
	    SLICE_ARG(ev->uuid)))));
	if (misp_bool(node, "deleted"))
		json_put_bool(r->mem, m->tree, "revoked", true);
}
