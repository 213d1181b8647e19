/* misp_read_object.c -- an object becomes an indicator, observables, an SDO or a custom object. */
#include "formats/misp_read.h"
#include "formats/pattern_build.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"

enum { ITEMS_MAX = 4096, GRAPHS_MAX = 16 };

/* An object being read. */
struct mr_group {
	struct mr_item		 it;	/* of the object: uuid, times, comment, label */
	struct slice		 name, meta;
	const struct misp_template *t;	/* NULL: unknown */
	struct mr_item		*v;	/* its attributes that could be read */
	size_t			 n;
	json			*part;
};

/* The object without attributes that were refused. */
static void
read_items(struct mr *r, struct mr_event *ev, struct mr_group *g)
{
	json *list = json_get(g->it.node, "Attribute"), *kept = NULL;
	size_t count = json_count(list), i = 0;
	char where[sizeof(r->where)];

	memcpy(where, r->where, sizeof(where));
	g->part = json_object(r->mem);
	for (json *m = json_first(g->it.node); m != NULL; m = json_next(m)) {
		if (m == list && (json_is_list(m) || json_is_object(m)))
			kept = json_put(r->mem, g->part, "Attribute", json_list(r->mem));
		else
			json_put(r->mem, g->part, json_name(m), json_copy(r->mem, m));
	}
	g->v = arena_alloc(r->mem, (count + 1) * sizeof(*g->v));
	for (json *a = json_first(list); a != NULL; a = json_next(a), i++) {
		mr_at(r, "%.60s/Attribute[%zu]", where, i);
		if (!mr_item(r, ev, a, &g->v[g->n]))
			continue;
		mr_take(r, a, "object_relation");
		json_push(kept, json_copy(r->mem, a));
		g->it.to_ids |= g->v[g->n].to_ids;
		g->it.label = misp_label_join(g->it.label, g->v[g->n].label);
		g->n++;
	}
	memcpy(r->where, where, sizeof(where));
}

static struct mr_made *
make(struct mr *r, struct mr_event *ev, const char *type, struct mr_group *g)
{
	struct slice uuid = g->it.uuid;
	struct misp_label label = misp_label_join(ev->label, g->it.label);
	struct mr_made *m = mr_new(r, ev, type, uuid, g->it.stamp, g->it.stamp, label);

	if (m == NULL) {
		mr_warn(r, "DUPLICATE_ID", uuid, "uuid: another element of the event has it");
		uuid = MISP_UUID(
		    r->mem, "object", ev->uuid, uuid, slice_of(arena_fmt(r->mem, "%zu", ev->n)));
		m = mr_new(r, ev, type, uuid, g->it.stamp, g->it.stamp, label);
	}
	if (m == NULL)
		return NULL;
	m->member = "object";
	m->part = g->part;
	m->from = g->it.node;
	if (g->it.deleted)
		json_put_bool(r->mem, m->tree, "revoked", true);
	idmap_add(&ev->uuids, r->mem, g->it.uuid, ev->n - 1);
	ev->uuids_sorted = false;
	return m;
}

static void
add_label(struct mr *r, json *tree, const char *what, struct slice value)
{
	json *list = json_get(tree, "labels");

	if (value.n == 0)
		return;
	if (list == NULL)
		list = json_put(r->mem, tree, "labels", json_list(r->mem));
	json_push(list, json_string(r->mem, slice_of(arena_fmt(r->mem, "misp:%s=\"%.*s\"", what,
	    SLICE_ARG(value)))));
}

static void
label_group(struct mr *r, json *tree, const struct mr_group *g)
{
	add_label(r, tree, "name", g->name);
	add_label(r, tree, "meta-category", g->meta);
	if (g->it.to_ids)
		add_label(r, tree, "to_ids", SLICE_LIT("True"));
	for (size_t i = 0; i < g->n; i++)
		mr_tags(r, tree, g->v[i].node);
}

/* ---- indicators ---- */

/* The row of a relation that the value fits; NULL if none. */
static const struct misp_relation *
row_of(struct mr *r, const struct misp_template *t, const struct mr_item *it, struct slice *value)
{
	for (const struct misp_relation *row = t->relations; row->name != NULL; row++)
		if (slice_is(it->relation, row->name) &&
		    misp_value(&row->path, it->value, r->mem, value))
			return row;
	return NULL;
}

/* The value of "name|md5" that a file object holds as a sample. */
static bool
sample_hash(struct mr *r, const struct mr_item *it, struct slice *value)
{
	static const struct misp_path md5 = { "file:hashes.MD5", MISP_HASH };
	const char *bar = memrchr(it->value.p, '|', it->value.n);

	return slice_is(it->name, "malware-sample") && bar != NULL &&
	    misp_value(&md5, slice_from(bar + 1, (size_t)(it->value.p + it->value.n - bar) - 1),
	    r->mem, value);
}

struct test {
	const struct misp_path	*path;
	struct slice		*v;
	size_t			 n, cap;
};

static void
add_value(
    struct mr *r, struct test *tests, size_t *n, const struct misp_path *path, struct slice value)
{
	size_t i = 0;

	/* several values of one property are a choice; of a list, each is asked for */
	while (i < *n &&
	    (strcmp(tests[i].path->path, path->path) != 0 || strstr(path->path, "[*]") != NULL))
		i++;
	if (i == *n)
		tests[(*n)++].path = path;
	for (size_t k = 0; k < tests[i].n; k++)
		if (slice_eq(tests[i].v[k], value))
			return;
	tests[i].v =
	    arena_grow(r->mem, tests[i].v, tests[i].n, &tests[i].cap, sizeof(struct slice));
	tests[i].v[tests[i].n++] = value;
}

static struct mr_made *
make_indicator(struct mr *r, struct mr_event *ev, struct mr_group *g)
{
	static const struct misp_path md5 = { "file:hashes.MD5", MISP_HASH };
	struct test *tests = arena_alloc(r->mem, (g->n + 1) * sizeof(*tests));
	struct pat_list all = { 0 };
	struct mr_made *m = NULL;
	struct slice value, text;
	size_t n = 0;

	for (size_t i = 0; i < g->n && i < ITEMS_MAX; i++) {
		const struct misp_relation *row = row_of(r, g->t, &g->v[i], &value);

		if (!g->v[i].to_ids || g->v[i].deleted)
			continue;
		if (row != NULL)
			add_value(r, tests, &n, &row->path, value);
		else if (strcmp(g->t->root, "file") == 0 && sample_hash(r, &g->v[i], &value))
			add_value(r, tests, &n, &md5, value);
	}
	for (size_t i = 0; i < n; i++)
		pattern_add(&all, r->mem, mr_test(r, tests[i].path, tests[i].v, tests[i].n));
	if (n > 0 && pattern_text(r->mem, pattern_node(r->mem, PAT_AND, all.v, all.n), &text, NULL))
		m = make(r, ev, "indicator", g);
	if (m != NULL) {
		label_group(r, m->tree, g);
		mr_indicate(r, m->tree, text, "stix", &g->it);
	}
	return m;
}

/* ---- observables ---- */

/* Put one attribute into the first graph that has room for it, or a new one. */
static void
observe(struct mr *r, struct mr_group *g, const struct mr_item *it, struct misp_graph **graphs,
    size_t *n)
{
	static const struct misp_path bin = { "file:content_ref.payload_bin", MISP_TEXT };
	const struct misp_relation *row;
	struct slice value;
	bool fits = false;

	if (strcmp(g->t->root, "file") == 0 && it->data.n > 0 && *n > 0)
		misp_graph_set(graphs[0], &bin, it->data);
	row = row_of(r, g->t, it, &value);
	if (row == NULL || it->deleted)
		return;
	for (size_t i = 0; i < *n && !fits; i++)
		fits = misp_graph_set(graphs[i], &row->path, value);
	if (fits || *n == GRAPHS_MAX)
		return;
	graphs[*n] = misp_graph_new(r->mem, g->t->root);
	*n += misp_graph_set(graphs[*n], &row->path, value);
}

/* "facebook" of facebook-account. */
static struct slice
account_type(const struct mr_group *g)
{
	struct slice rest = g->name, first = slice_cut(&rest, '-');

	return slice_is(rest, "account") && !slice_is(first, "user") ? first :
	    slice_is(rest, "user") ? first : SLICE_EMPTY;
}

static struct mr_made *
make_observed(struct mr *r, struct mr_event *ev, struct mr_group *g)
{
	static const struct misp_path kind = { "user-account:account_type", MISP_TEXT };
	struct misp_graph *graphs[GRAPHS_MAX];
	struct slice type = account_type(g);
	size_t n = 0;
	struct mr_made *m;

	for (size_t i = 0; i < g->n; i++)
		observe(r, g, &g->v[i], graphs, &n);
	if (n > 0 && type.n > 0)
		misp_graph_set(graphs[0], &kind, type);
	if (n == 0)
		return NULL;
	m = mr_observed(r, ev, graphs, n, &g->it, misp_label_join(ev->label, g->it.label));
	if (m == NULL)
		return NULL;
	m->member = "object";
	m->part = g->part;
	label_group(r, m->tree, g);
	return m;
}

/* ---- SDOs ---- */

static void
push_text(struct mr *r, json *tree, const char *name, struct slice value)
{
	json *list = json_get(tree, name);

	if (list == NULL)
		list = json_put(r->mem, tree, name, json_list(r->mem));
	json_push(list, json_string(r->mem, value));
}

static void
add_reference(struct mr *r, json *tree, const char *source, const char *member, struct slice value)
{
	json *list = json_get(tree, "external_references"), *ref;

	if (list == NULL)
		list = json_put(r->mem, tree, "external_references", json_list(r->mem));
	ref = json_push(list, json_object(r->mem));
	json_put_str(r->mem, ref, "source_name", slice_of(source));
	json_put_str(r->mem, ref, member, value);
}

/* Append to a text that is there. */
static void
add_text(struct mr *r, json *tree, const char *name, const char *between, struct slice value)
{
	struct slice had = json_member(tree, name);

	json_put_str(r->mem, tree, name,
	    had.n == 0 ? value :
	    slice_of(arena_fmt(
	    r->mem, "%.*s%s%.*s", SLICE_ARG(had), between, SLICE_ARG(value))));
}

/* @cve and the like: an external reference. */
static void
add_external(struct mr *r, json *tree, const char *what, struct slice value)
{
	if (strcmp(what, "url") == 0)
		add_reference(r, tree, "url", "url", value);
	else if (strcmp(what, "capec") == 0 && !slice_starts(value, "CAPEC-"))
		add_reference(r, tree, what, "external_id", slice_of(arena_fmt(r->mem, "CAPEC-%.*s",
		    SLICE_ARG(value))));
	else if (strcmp(what, "cve") != 0 || slice_starts(value, "CVE-"))
		add_reference(r, tree, what, "external_id", value);
}

/* Put what one row says into the SDO: "name", "aliases[*]", "@cve", "+address", "&name". */
static void
add_property(struct mr *r, json *tree, const struct misp_relation *row, struct slice value)
{
	const char *path = row->path.path;
	size_t n = strlen(path);

	if (path[0] == '@')
		add_external(r, tree, path + 1, value);
	else if (path[0] == '+')
		add_text(r, tree, "contact_information", " / ",
		    slice_of(arena_fmt(r->mem, "%s: %.*s", path + 1, SLICE_ARG(value))));
	else if (path[0] == '&')
		add_text(r, tree, path + 1, " ", value);
	else if (n > 3 && strcmp(path + n - 3, "[*]") == 0)
		push_text(r, tree, arena_str(r->mem, slice_from(path, n - 3)), value);
	else if (json_get(tree, path) == NULL && row->path.value == MISP_FLOAT)
		json_put(r->mem, tree, path, json_raw(r->mem, value));
	else if (json_get(tree, path) == NULL)
		json_put_str(r->mem, tree, path, value);
}

/* The SDO type of a template; a script that is not malicious is a tool. */
static const char *
sdo_of(const struct mr_group *g)
{
	if (strcmp(g->t->name, "script") != 0)
		return g->t->sdo;
	for (size_t i = 0; i < g->n; i++)
		if (slice_is(g->v[i].relation, "state") && slice_is(g->v[i].value, "Malicious"))
			return "malware";
	return "tool";
}

/* What the standard wants beside; false if the object says too little. */
static bool
complete_sdo(struct mr *r, struct mr_event *ev, json *tree, const char *sdo)
{
	if (strcmp(sdo, "malware") == 0)
		json_put_bool(r->mem, tree, "is_family", false);
	else
		json_remove(tree, strcmp(sdo, "tool") == 0 ? "implementation_languages" : "");
	if (strcmp(sdo, "identity") == 0 && json_get(tree, "identity_class") == NULL)
		json_put_str(r->mem, tree, "identity_class", SLICE_LIT("unknown"));
	if (strcmp(sdo, "note") == 0) {
		if (ev->container == NULL)
			return false;
		json_push(json_put(r->mem, tree, "object_refs", json_list(r->mem)),
		    json_string(r->mem, ev->container->id));
		return json_get(tree, "content") != NULL;
	}
	if (strcmp(sdo, "location") == 0) {
		if ((json_get(tree, "latitude") == NULL) != (json_get(tree, "longitude") == NULL)) {
			json_remove(tree, "latitude");
			json_remove(tree, "longitude");
		}
		if (json_get(tree, "latitude") == NULL)
			json_remove(tree, "precision");
		return json_get(tree, "country") != NULL || json_get(tree, "latitude") != NULL;
	}
	return json_get(tree, strcmp(sdo, "indicator") == 0 ? "pattern" : "name") != NULL;
}

/* The language of a rule object's pattern. */
static const char *
language_of(const struct misp_template *t)
{
	static const struct { const char *name, *language; } rows[] = {
		{ "nova-rule", "nova" }, { "owasp-crs-rule", "crs" }, { "wazuh-rule", "wazuh" }
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (strcmp(t->name, rows[i].name) == 0)
			return rows[i].language;
	return t->name;
}

static struct mr_made *
make_sdo(struct mr *r, struct mr_event *ev, struct mr_group *g)
{
	const char *sdo = sdo_of(g);
	json *said = json_object(r->mem);
	struct mr_made *m;
	struct slice value;

	for (size_t i = 0; i < g->n; i++)
		for (const struct misp_relation *row = g->t->relations; row->name != NULL; row++)
			if (slice_is(g->v[i].relation, row->name) && !g->v[i].deleted &&
			    misp_value(&row->path, g->v[i].value, r->mem, &value))
				add_property(r, said, row, value);
	if (!complete_sdo(r, ev, said, sdo))
		return NULL;
	m = make(r, ev, sdo, g);
	if (m == NULL)
		return NULL;
	for (json *k = json_first(said); k != NULL; k = json_next(k))
		json_put(r->mem, m->tree, json_name(k), json_copy(r->mem, k));
	if (strcmp(sdo, "indicator") == 0) {
		g->it.comment = json_member(said, "description");
		mr_indicate(r, m->tree, json_member(said, "pattern"), language_of(g->t), &g->it);
	}
	label_group(r, m->tree, g);
	return m;
}

/* ---- anything else ---- */

static struct mr_made *
make_custom(struct mr *r, struct mr_event *ev, struct mr_group *g)
{
	static const char *const members[] = {
		"type", "object_relation", "category", "value", "comment"
	};
	struct mr_made *m = make(r, ev, "x-misp-object", g);
	json *list;

	if (m == NULL)
		return NULL;
	label_group(r, m->tree, g);
	json_put_str(r->mem, m->tree, "x_misp_name", g->name);
	if (g->meta.n > 0)
		json_put_str(r->mem, m->tree, "x_misp_meta_category", g->meta);
	if (g->it.comment.n > 0)
		json_put_str(r->mem, m->tree, "x_misp_comment", g->it.comment);
	list = g->n == 0 ? NULL : json_put(r->mem, m->tree, "x_misp_attributes", json_list(r->mem));
	for (size_t i = 0; i < g->n; i++) {
		json *a = json_push(list, json_object(r->mem));

		for (size_t k = 0; k < COUNTOF(members); k++) {
			struct slice text = misp_text(r->mem, g->v[i].node, members[k]);

			if (text.n > 0)
				json_put_str(r->mem, a, members[k], text);
		}
		json_put_bool(r->mem, a, "to_ids", g->v[i].to_ids);
	}
	return m;
}

void
mr_object(struct mr *r, struct mr_event *ev, json *node)
{
	struct mr_group g = { .it = { .node = node } };
	struct mr_made *m = NULL;

	if (!json_is_object(node) || misp_text(r->mem, node, "name").n == 0) {
		mr_refuse(r, node, "MISSING_PROPERTY", "an object has a name");
		return;
	}
	g.name = mr_text(r, node, "name");
	g.meta = mr_text(r, node, "meta-category");
	g.t = misp_template_find(g.name);
	g.it.comment = mr_text(r, node, "comment");
	g.it.category = g.meta.n > 0 ? g.meta : g.name;
	g.it.deleted = misp_bool(node, "deleted");
	g.it.label = misp_label_in(node, false, r->job->misp_groups);
	g.it.uuid =
	    mr_uuid(r, node, "object", ev->uuid, g.name, slice_of(arena_fmt(r->mem, "%zu", ev->n)));
	g.it.stamp = mr_stamp(r, node, ev->modified);
	g.it.first = mr_time(r, node, "first_seen");
	g.it.last = mr_time(r, node, "last_seen");
	mr_take(r, node, "deleted");
	read_items(r, ev, &g);
	if (g.it.label.label == LABEL_UNREADABLE)
		mr_warn(r, "UNREADABLE_LABEL", g.it.uuid,
		    "a tlp tag or the distribution is no word that we can read: RED");
	if (g.t != NULL && g.t->root != NULL)
		m = g.it.to_ids ? make_indicator(r, ev, &g) : make_observed(r, ev, &g);
	else if (g.t != NULL)
		m = make_sdo(r, ev, &g);
	if (m == NULL)
		m = make_custom(r, ev, &g);
	if (m == NULL) {
		mr_refuse(r, node, "TOO_MANY", "more objects than the limit");
		return;
	}
	for (size_t i = 0; i < g.n; i++) {
		mr_galaxies(r, ev, g.v[i].node, m, m->label);
		mr_sightings(r, ev, g.v[i].node, m, m->label);
	}
}

/* ---- references ---- */

/* What an attribute or object of the event became, NULL if there is none of that uuid. */
static struct mr_made *
made_of(struct mr_event *ev, struct slice uuid)
{
	long i;

	if (!ev->uuids_sorted) {
		idmap_sort(&ev->uuids);
		ev->uuids_sorted = true;
	}
	i = idmap_find(&ev->uuids, uuid);
	return i == IDMAP_NONE ? NULL : ev->v[i];
}

/* "Connected to" -> "connected-to". */
static const char *
relation_type(struct mr *r, struct slice s)
{
	char *out = arena_str(r->mem, s), *w = out;

	for (char *p = out; *p != '\0'; p++) {
		char c = ascii_lower(*p);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			*w++ = c;
		else if (w > out && w[-1] != '-' && (c == ' ' || c == '_' || c == '-'))
			*w++ = '-';
	}
	while (w > out && w[-1] == '-')
		w--;
	*w = '\0';
	return w - out < 3 ? "related-to" : out;
}

void
mr_references(struct mr *r, struct mr_event *ev, json *object)
{
	struct mr_made *from = made_of(ev, json_member(object, "uuid"));
	struct slice none = SLICE_EMPTY;

	if (from == NULL)
		return;
	for (json *ref = json_first(json_get(object, "ObjectReference")); ref != NULL;
	    ref = json_next(ref)) {
		struct mr_made *to = made_of(ev, json_member(ref, "referenced_uuid"));
		struct slice type = json_member(ref, "relationship_type");

		if (to == NULL || type.n == 0)
			continue;
		mr_relate(r, ev, from->id, relation_type(r, mr_text(r, ref, "relationship_type")),
		    to->id,
		    json_get(ref, "uuid") == NULL ?
			none :
			mr_uuid(r, ref, "reference", from->id, to->id, type),
		    mr_stamp(r, ref, json_member(from->tree, "modified")),
		    misp_label_join(from->label, to->label), mr_text(r, ref, "comment"));
		mr_take(r, ref, "referenced_uuid");
	}
}
