/* misp_read_attribute.c -- an attribute becomes an indicator, observables, or what its type says. */
#include "formats/misp_read.h"
#include "formats/observe.h"
#include "formats/pattern_build.h"
#include "formats/sdo_list.h"
#include "formats/value.h"
#include "gateway/base/arena.h"

/* ---- what it says ---- */

static bool
refuse(struct mr *r, const struct mr_item *it, bool always, const char *code, const char *why)
{
	if (always || r->job->strict) {
		mr_refuse(r, it->node, code, "%s", why);
		return true;
	}
	mr_warn(r, code, it->uuid, "%s", why);
	return false;
}

static bool
check_item(struct mr *r, const struct mr_item *it)
{
	if (it->name.n == 0 || it->value.n == 0)
		return !refuse(
		    r, it, true, "MISSING_PROPERTY", "an attribute has a type and a value");
	if (it->type == NULL &&
	    refuse(r, it, false, "UNKNOWN_TYPE", "type: MISP knows no such type"))
		return false;
	if (it->category.n > 0 && !misp_category_known(it->category) &&
	    refuse(r, it, false, "UNKNOWN_WORD", "category: MISP knows no such category"))
		return false;
	if (it->label.label == LABEL_UNREADABLE)
		mr_warn(r, "UNREADABLE_LABEL", it->uuid,
		    "a tlp tag or the distribution is no word that we can read: RED");
	return true;
}

bool
mr_item(struct mr *r, struct mr_event *ev, json *node, struct mr_item *out)
{
	struct mr_item it = { .node = node };

	if (!json_is_object(node)) {
		mr_refuse(r, node, "BAD_TYPE", "an attribute is a JSON object");
		return false;
	}
	it.name = mr_text(r, node, "type");
	it.value = mr_text(r, node, "value");
	it.type = misp_type_find(it.name);
	it.category = mr_text(r, node, "category");
	it.comment = mr_text(r, node, "comment");
	it.data = json_member(node, "data");
	it.relation = json_member(node, "object_relation");
	it.to_ids = misp_bool(node, "to_ids");
	it.deleted = misp_bool(node, "deleted");
	it.label = misp_label_in(node, false, r->job->misp_groups);
	if (!check_item(r, &it))
		return false;
	it.uuid = mr_uuid(r, node, "attribute", ev->uuid, it.name, it.value);
	it.stamp = mr_stamp(r, node, ev->modified);
	it.first = mr_time(r, node, "first_seen");
	it.last = mr_time(r, node, "last_seen");
	mr_take(r, node, "to_ids");
	mr_take(r, node, "deleted");
	if (it.category.n == 0)
		it.category = slice_of(it.type == NULL ? "Other" : it.type->category);
	*out = it;
	return true;
}

/* ---- labels ---- */

void
mr_tags(struct mr *r, json *tree, const json *element)
{
	for (json *t = json_first(json_get(element, "Tag")); t != NULL; t = json_next(t)) {
		struct slice name = json_is_string(t) ? json_slice(t) : mr_text(r, t, "name");

		if (json_is_string(t))
			ledger_mark(r->led, t, LOSS_KEPT, NULL);
		if (name.n > 0 && !misp_tag_is_label(name))
			sdo_list_add(r->mem, tree, "labels", name);
	}
	if (json_get(element, "distribution") != NULL)
		ledger_mark(
		    r->led, json_get(element, "distribution"), LOSS_APPROXIMATED, "as a marking");
}

void
mr_labels(struct mr *r, json *tree, const struct mr_item *it)
{
	sdo_list_add(r->mem, tree, "labels",
	    slice_of(arena_fmt(r->mem, "misp:type=\"%.*s\"", SLICE_ARG(it->name))));
	sdo_list_add(r->mem, tree, "labels",
	    slice_of(arena_fmt(r->mem, "misp:category=\"%.*s\"", SLICE_ARG(it->category))));
	if (it->to_ids)
		sdo_list_add(r->mem, tree, "labels", SLICE_LIT("misp:to_ids=\"True\""));
	mr_tags(r, tree, it->node);
}

/* ---- indicators ---- */

/* "ip-addr:value" with the type that the address has. */
static const char *
real_path(const char *path, struct slice value)
{
	if (strcmp(path, "ip-addr:value") != 0)
		return path;
	return memchr(value.p, ':', value.n) != NULL ? "ipv6-addr:value" : "ipv4-addr:value";
}

static enum pat_literal_kind
literal_of(enum misp_value kind)
{
	switch (kind) {
	case MISP_PORT: case MISP_NUMBER: case MISP_ASN:
		return PAT_INT;
	case MISP_FLOAT:
		return PAT_FLOAT;
	case MISP_BOOL:
		return PAT_BOOL;
	case MISP_TIME:
		return PAT_TIMESTAMP;
	default:
		return PAT_STRING;
	}
}

static struct pat_node *
test_value(struct mr *r, const struct misp_path *p, struct slice value)
{
	bool net = p->value == MISP_IP && memchr(value.p, '/', value.n) != NULL;

	if (p->value == MISP_BOOL)
		value = slice_is(value, "1") || slice_is_nocase(value, "true") ? SLICE_LIT("true") :
		    SLICE_LIT("false");
	return pattern_test(r->mem, real_path(p->path, value), net ? PAT_ISSUBSET : PAT_EQ,
	    literal_of(p->value), &value, 1);
}

struct pat_node *
mr_test(struct mr *r, const struct misp_path *p, const struct slice *values, size_t n)
{
	struct pat_list any = { 0 };

	for (size_t i = 0; i < n; i++)
		pattern_add(&any, r->mem, test_value(r, p, values[i]));
	if (any.n < 2)
		return any.n == 0 ? NULL : any.v[0];
	/* in one list, as far as they can stand in one */
	return observe_comparison(observe_reduce(pattern_node(r->mem, PAT_OR, any.v, any.n), r->mem),
	    r->mem);
}

/* "Network activity" -> "network-activity", as names of phases are spelled. */
static const char *
phase_name(struct mr *r, struct slice category)
{
	char *out = arena_str(r->mem, value_lower(category, r->mem));

	for (char *p = out; *p != '\0'; p++)
		if (*p == ' ' || *p == '_')
			*p = '-';
	return out;
}

void
mr_indicate(struct mr *r, json *tree, struct slice pattern, const char *pattern_type,
    const struct mr_item *it)
{
	struct slice from = it->first.n > 0 ? it->first : it->stamp;
	json *phase;

	if (it->comment.n > 0)
		json_put_str(r->mem, tree, "description", it->comment);
	json_put_str(r->mem, tree, "pattern", pattern);
	json_put_str(r->mem, tree, "pattern_type", slice_of(pattern_type));
	if (strcmp(pattern_type, "stix") == 0)
		json_put_str(r->mem, tree, "pattern_version", SLICE_LIT("2.1"));
	json_put_str(r->mem, tree, "valid_from", from);
	phase = json_push(json_put(r->mem, tree, "kill_chain_phases", json_list(r->mem)),
	    json_object(r->mem));
	json_put_str(r->mem, phase, "kill_chain_name", SLICE_LIT("misp-category"));
	json_put_str(r->mem, phase, "phase_name", slice_of(phase_name(r, it->category)));
	if (it->deleted)
		json_put_bool(r->mem, tree, "revoked", true);
}

/* ---- what an attribute becomes ---- */

/* The new object of an attribute; what the attribute said stays on it. */
static struct mr_made *
make(struct mr *r, struct mr_event *ev, const char *type, const struct mr_item *it)
{
	struct slice uuid = it->uuid;
	struct misp_label label = misp_label_join(ev->label, it->label);
	struct mr_made *m = mr_new(r, ev, type, uuid, it->stamp, it->stamp, label);

	if (m == NULL) {
		mr_warn(r, "DUPLICATE_ID", uuid, "uuid: another element of the event has it");
		uuid = MISP_UUID(r->mem, "attribute", ev->uuid, uuid,
		    slice_of(arena_fmt(r->mem, "%zu", ev->n)));
		m = mr_new(r, ev, type, uuid, it->stamp, it->stamp, label);
	}
	if (m == NULL)
		return NULL;
	m->member = "attribute";
	m->part = json_copy(r->mem, it->node);
	m->from = it->node;
	if (it->deleted)
		json_put_bool(r->mem, m->tree, "revoked", true);
	idmap_add(&ev->uuids, r->mem, it->uuid, ev->n - 1);
	ev->uuids_sorted = false;
	return m;
}

/* Values of both parts; false if a part does not fit its type. */
static bool
values_of(struct mr *r, const struct mr_item *it, struct slice v[2])
{
	const struct misp_path *p = it->type->part;
	struct slice first = it->value, second = SLICE_EMPTY;
	const char *bar;

	if (p[1].path != NULL) {
		bar = memrchr(it->value.p, '|', it->value.n);
		if (p[1].value == MISP_TEXT) /* a registry value may hold the bar, a key may not */
			bar = memchr(it->value.p, '|', it->value.n);
		if (bar == NULL)
			return false;
		first = slice_from(it->value.p, (size_t)(bar - it->value.p));
		second = slice_from(bar + 1, it->value.n - first.n - 1);
	}
	return misp_value(&p[0], first, r->mem, &v[0]) &&
	    (p[1].path == NULL || misp_value(&p[1], second, r->mem, &v[1]));
}

static struct mr_made *
make_custom(struct mr *r, struct mr_event *ev, const struct mr_item *it)
{
	struct mr_made *m = make(r, ev, "x-misp-attribute", it);

	if (m == NULL)
		return NULL;
	mr_labels(r, m->tree, it);
	json_put_str(r->mem, m->tree, "x_misp_type", it->name);
	json_put_str(r->mem, m->tree, "x_misp_category", it->category);
	json_put_str(r->mem, m->tree, "x_misp_value", it->value);
	if (it->comment.n > 0)
		json_put_str(r->mem, m->tree, "x_misp_comment", it->comment);
	return m;
}

struct mr_made *
mr_observed(struct mr *r, struct mr_event *ev, struct misp_graph **g, size_t n,
    const struct mr_item *it, struct misp_label label)
{
	struct slice from = it->first.n > 0 ? it->first : it->last.n > 0 ? it->last : it->stamp;
	struct slice to = it->last.n > 0 && !mr_before(r, it->last, from) ? it->last : from;
	json **trees[16], *refs;
	size_t count[16], total = 0;
	struct mr_made *m;

	for (size_t i = 0; i < n && i < COUNTOF(trees); i++) {
		trees[i] = misp_graph_trees(g[i], it->uuid, &count[i]);
		if (trees[i] == NULL)
			return NULL;
		total += count[i];
	}
	m = make(r, ev, "observed-data", it);
	if (m == NULL)
		return NULL;
	json_put_str(r->mem, m->tree, "first_observed", from);
	json_put_str(r->mem, m->tree, "last_observed", to);
	json_put_int(r->mem, m->tree, "number_observed", 1);
	refs = json_put(r->mem, m->tree, "object_refs", json_list(r->mem));
	m->observables = arena_alloc(r->mem, total * sizeof(*m->observables));
	for (size_t i = 0; i < n && i < COUNTOF(trees); i++)
		for (size_t k = 0; k < count[i]; k++) {
			struct mr_made *o = mr_observable(r, ev, trees[i][k], label);
			bool there = false;

			if (o == NULL)
				continue;
			for (json *ref = json_first(refs); ref != NULL; ref = json_next(ref))
				there |= slice_eq(json_slice(ref), o->id);
			if (there)
				continue;
			json_push(refs, json_string(r->mem, o->id));
			m->observables[m->nobservables++] = o->tree;
		}
	return m;
}

/* What to detect by: one test, or two (`other` not NULL) that both must hold. */
static struct mr_made *
make_indicator(struct mr *r, struct mr_event *ev, const struct mr_item *it, const struct misp_path *one,
    const struct slice *first, const struct misp_path *other, const struct slice *second)
{
	struct pat_list tests = { 0 };
	struct mr_made *m = NULL;
	struct slice text;

	pattern_add(&tests, r->mem, mr_test(r, one, first, 1));
	if (other != NULL)
		pattern_add(&tests, r->mem, mr_test(r, other, second, 1));
	if (pattern_text(r->mem, pattern_node(r->mem, PAT_AND, tests.v, tests.n), &text, NULL) &&
	    (m = make(r, ev, "indicator", it)) != NULL) {
		mr_labels(r, m->tree, it);
		mr_indicate(r, m->tree, text, "stix", it);
	}
	return m != NULL ? m : make_custom(r, ev, it);
}

/* One or two paths: a pattern to detect by, or what was seen. */
static struct mr_made *
make_of_paths(struct mr *r, struct mr_event *ev, const struct mr_item *it)
{
	const struct misp_path *p = it->type->part;
	struct misp_label label = misp_label_join(ev->label, it->label);
	struct slice v[2], root = slice_of(p[0].path);
	struct misp_graph *g;
	struct mr_made *m = NULL;

	if (!values_of(r, it, v)) {
		mr_warn(r, "BAD_VALUE", it->uuid, "value: not of the type %s", it->type->name);
		return make_custom(r, ev, it);
	}
	if (it->to_ids)
		return make_indicator(r, ev, it, &p[0], &v[0], p[1].path != NULL ? &p[1] : NULL, &v[1]);
	g = misp_graph_new(r->mem, arena_str(r->mem, slice_cut(&root, ':')));
	if (misp_graph_set(g, &p[0], v[0]) && (p[1].path == NULL || misp_graph_set(g, &p[1], v[1])))
		m = mr_observed(r, ev, &g, 1, it, label);
	if (m == NULL)
		return make_custom(r, ev, it);
	mr_labels(r, m->tree, it);
	if (it->comment.n > 0)
		ledger_mark(r->led, json_get(it->node, "comment"), LOSS_MOVED, NULL);
	return m;
}

/* A file with its content, "name" or "name|md5". */
static struct mr_made *
make_of_sample(struct mr *r, struct mr_event *ev, const struct mr_item *it)
{
	static const struct misp_path name = { "file:name", MISP_TEXT },
	    md5 = { "file:hashes.MD5", MISP_HASH },
	    bin = { "file:content_ref.payload_bin", MISP_TEXT },
	    mime = { "file:content_ref.mime_type", MISP_TEXT },
	    how = { "file:content_ref.encryption_algorithm", MISP_TEXT },
	    key = { "file:content_ref.decryption_key", MISP_TEXT };
	bool sample = slice_is(it->name, "malware-sample");
	const char *bar = sample ? memrchr(it->value.p, '|', it->value.n) : NULL;
	struct slice file = it->value, hash = SLICE_EMPTY;
	struct misp_graph *g = misp_graph_new(r->mem, "file");
	struct mr_made *m = NULL;

	if (bar != NULL) {
		file = slice_from(it->value.p, (size_t)(bar - it->value.p));
		if (!misp_value(&md5, slice_from(bar + 1, it->value.n - file.n - 1), r->mem, &hash))
			file = it->value;
	}
	if (it->to_ids)
		return make_indicator(r, ev, it, &name, &file, hash.n > 0 ? &md5 : NULL, &hash);
	if (file.n > 0)
		misp_graph_set(g, &name, file);
	if (hash.n > 0)
		misp_graph_set(g, &md5, hash);
	if (it->data.n > 0 && misp_graph_set(g, &bin, it->data)) {
		mr_take(r, it->node, "data");
		if (sample) {
			misp_graph_set(g, &mime, SLICE_LIT("application/zip"));
			misp_graph_set(g, &how, SLICE_LIT("mime-type-indicated"));
			misp_graph_set(g, &key, SLICE_LIT("infected"));
		}
	}
	m = mr_observed(r, ev, &g, 1, it, misp_label_join(ev->label, it->label));
	if (m == NULL)
		return make_custom(r, ev, it);
	mr_labels(r, m->tree, it);
	return m;
}

/* An indicator in a language of its own. */
static struct mr_made *
make_of_rule(struct mr *r, struct mr_event *ev, const struct mr_item *it)
{
	const char *type = it->type->fate == MISP_STIX_PATTERN ? "stix" : it->type->rule;
	struct mr_made *m;

	if (it->type->fate == MISP_STIX_PATTERN && pattern_parse(it->value, r->mem, NULL) == NULL) {
		mr_warn(r, "BAD_PATTERN", it->uuid, "value: no STIX pattern");
		return make_custom(r, ev, it);
	}
	m = make(r, ev, "indicator", it);
	if (m == NULL)
		return NULL;
	mr_labels(r, m->tree, it);
	mr_indicate(r, m->tree, it->value, type, it);
	return m;
}

static void
put_reference(struct mr *r, json *tree, const char *source, struct slice id)
{
	json *ref = json_push(json_put(r->mem, tree, "external_references", json_list(r->mem)),
	    json_object(r->mem));

	json_put_str(r->mem, ref, "source_name", slice_of(source));
	json_put_str(r->mem, ref, "external_id", id);
}

/* Texts and names: an object that has a place for them. */
static struct mr_made *
make_of_word(struct mr *r, struct mr_event *ev, const struct mr_item *it)
{
	static const struct { enum misp_fate fate; const char *type, *property; } rows[] = {
		{ MISP_NOTE, "note", "content" }, { MISP_VULNERABILITY, "vulnerability", "name" },
		{ MISP_WEAKNESS, "vulnerability", "name" }, { MISP_CAMPAIGN, "campaign", "name" },
		{ MISP_ACTOR, "threat-actor", "name" }
	};
	struct mr_made *m;
	size_t i = 0;

	while (i + 1 < COUNTOF(rows) && rows[i].fate != it->type->fate)
		i++;
	if (it->type->fate == MISP_NOTE && ev->container == NULL)
		return make_custom(r, ev, it);
	m = make(r, ev, rows[i].type, it);
	if (m == NULL)
		return NULL;
	mr_labels(r, m->tree, it);
	json_put_str(r->mem, m->tree, rows[i].property, it->value);
	if (it->comment.n > 0)
		json_put_str(r->mem, m->tree,
		    it->type->fate == MISP_NOTE ? "abstract" : "description", it->comment);
	if (it->type->fate == MISP_NOTE)
		json_push(json_put(r->mem, m->tree, "object_refs", json_list(r->mem)),
		    json_string(r->mem, ev->container->id));
	if (it->type->fate == MISP_VULNERABILITY && slice_starts(it->value, "CVE-"))
		put_reference(r, m->tree, "cve", it->value);
	if (it->type->fate == MISP_WEAKNESS)
		put_reference(r, m->tree, "cwe", it->value);
	return m;
}

void
mr_attribute(struct mr *r, struct mr_event *ev, json *node)
{
	struct mr_made *(*how)(struct mr *, struct mr_event *, const struct mr_item *) =
	    make_custom;
	struct mr_made *m;
	struct mr_item it;

	if (!mr_item(r, ev, node, &it))
		return;
	if (it.type != NULL) {
		switch (it.type->fate) {
		case MISP_CUSTOM:
			break;
		case MISP_PATHS:
			how = make_of_paths;
			break;
		case MISP_SAMPLE:
			how = make_of_sample;
			break;
		case MISP_RULE: case MISP_STIX_PATTERN:
			how = make_of_rule;
			break;
		case MISP_NOTE: case MISP_VULNERABILITY: case MISP_WEAKNESS: case MISP_CAMPAIGN:
		case MISP_ACTOR:
			how = make_of_word;
			break;
		}
	}
	m = how(r, ev, &it);
	if (m == NULL) {
		mr_refuse(r, node, "TOO_MANY", "more objects than the limit");
		return;
	}
	mr_galaxies(r, ev, node, m, m->label);
	mr_sightings(r, ev, node, m, m->label);
}
