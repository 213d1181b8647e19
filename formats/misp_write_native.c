/* misp_write_native.c -- indicators and observables become attributes and objects. See misp_write.h. */
#include "formats/misp_write.h"
#include "formats/pattern.h"
#include "formats/value.h"
#include "gateway/base/arena.h"

enum { ROOTS_MAX = 256, REFS_MAX = 1000 };

/* ---- elements ---- */

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

/* ---- facts to attributes ---- */

/* The path in the spelling of the tables. */
static struct slice
table_path(struct slice path)
{
	if (slice_is(path, "ipv4-addr:value") || slice_is(path, "ipv6-addr:value"))
		return SLICE_LIT("ip-addr:value");
	return path;
}

/* The next fact for a part: on its path, else the first that nobody took. */
static struct misp_fact *
fact_for(struct misp_facts *f, const struct misp_path *p)
{
	struct slice sought = slice_of(p->path);

	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].used && slice_eq(table_path(f->v[i].path), sought))
			return &f->v[i];
	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].used && !slice_ends(f->v[i].path, "account_type") &&
		    !slice_ends(f->v[i].path, "protocols[*]"))
			return &f->v[i];
	return NULL;
}

static void
use_fact(struct mw *w, struct misp_fact *f)
{
	f->used = true;
	ledger_mark(w->led, f->leaf, LOSS_KEPT, NULL);
}

/* The value of an attribute of this type, "a|b" of two facts; empty if they do not say it. */
static struct slice
compose(struct mw *w, struct misp_facts *f, const struct misp_type *t)
{
	static const struct misp_path name = { "file:name", MISP_TEXT },
	    md5 = { "file:hashes.MD5", MISP_HASH };
	struct misp_path part[2] = { t->part[0], t->part[1] };
	struct misp_fact *a, *b;

	if (t->fate == MISP_SAMPLE) {
		part[0] = name;
		part[1].path = slice_is(slice_of(t->name), "malware-sample") ? md5.path : NULL;
	} else if (part[0].path == NULL) {
		part[0].path = "";
	}
	a = fact_for(f, &part[0]);
	if (a == NULL)
		return SLICE_EMPTY;
	use_fact(w, a);
	if (part[0].value == MISP_ASN)
		return slice_of(arena_fmt(w->mem, "AS%.*s", SLICE_ARG(a->value)));
	if (part[1].path == NULL || (b = fact_for(f, &part[1])) == NULL)
		return a->value;
	use_fact(w, b);
	return slice_of(arena_fmt(w->mem, "%.*s|%.*s", SLICE_ARG(a->value), SLICE_ARG(b->value)));
}

/* The type that a single fact gets. */
static const struct misp_type *
type_of_fact(struct mw *w, const struct misp_fact *f)
{
	struct slice path = table_path(f->path), out;

	if (slice_is(path, "network-traffic:dst_ref.value") ||
	    slice_is(path, "network-traffic:src_ref.value"))
		return misp_type_find(!value_ip(4, f->value, w->mem, &out) &&
		    !value_ip(6, f->value, w->mem, &out) ? SLICE_LIT("hostname") :
		    path.p[16] == 'd' ? SLICE_LIT("ip-dst") : SLICE_LIT("ip-src"));
	return misp_type_of_paths(path, NULL);
}

/* The type of two facts together, in their order or the other. */
static const struct misp_type *
type_of_two(struct mw *w, const struct misp_facts *f)
{
	const struct misp_type *t;
	struct slice out;

	for (size_t i = 0; i < 2; i++) {
		const struct misp_fact *a = &f->v[i], *b = &f->v[1 - i];

		t = misp_type_of_paths(table_path(a->path), arena_str(w->mem, b->path));
		if (t == NULL)
			continue;
		if (t->part[0].value == MISP_IP && !value_ip(4, a->value, w->mem, &out) &&
		    !value_ip(6, a->value, w->mem, &out))
			return slice_is(a->path, "network-traffic:dst_ref.value") ?
			    misp_type_find(SLICE_LIT("hostname|port")) : NULL;
		return t;
	}
	return NULL;
}

/* The relation of a template that holds this fact; NULL if none. */
static const struct misp_relation *
relation_of(struct mw *w, const struct misp_template *t, const struct misp_fact *f)
{
	struct slice out;

	for (const struct misp_relation *r = t->relations; r->name != NULL; r++)
		if (slice_is(f->path, r->path.path) && misp_value(&r->path, f->value, w->mem, &out))
			return r;
	return NULL;
}

/* "x_misp_REL" of observables that misp-stix made: the relation; *data if the fact is the content of what
 * the relation names. */
static bool
is_custom_relation(struct mw *w, const struct misp_fact *f, char **relation, bool *data)
{
	const char *at = memmem(f->path.p, f->path.n, "x_misp_", 7);

	if (at == NULL || f->value.n == 0)
		return false;
	at += 7;
	*data = slice_ends(f->path, ".data");
	*relation = arena_str(w->mem, slice_from(at, (size_t)(f->path.p + f->path.n - at)));
	for (char *p = *relation; *p != '\0'; p++)
		if (*p == '[' || *p == '.')
			*p = '\0';
		else if (*p == '_')
			*p = '-';
	return true;
}

void
mw_other_attribute(struct mw *w, json *object, const struct misp_template *t, char *relation,
    struct slice value, bool data)
{
	const char *type = misp_other_type(t, w->mem, relation);
	json *last = NULL;

	if (!data) {
		mw_object_attribute(w, object, relation, type, value, false);
		return;
	}
	for (json *a = json_first(json_get(object, "Attribute")); a != NULL; a = json_next(a))
		if (slice_is(json_member(a, "object_relation"), relation))
			last = a;
	if (last != NULL)
		json_put_str(w->mem, last, "data", value);
}

/* The layer that a protocol belongs to, where a template tells layers apart. */
static const struct misp_relation *
relation_of_protocol(
    const struct misp_template *t, const struct misp_relation *r, struct slice value)
{
	static const struct { const char *protocol, *relation; } layers[] = {
		{ "tcp", "layer4-protocol" }, { "udp", "layer4-protocol" },
		{ "sctp", "layer4-protocol" }, { "ip", "layer3-protocol" },
		{ "ipv4", "layer3-protocol" }, { "ipv6", "layer3-protocol" },
		{ "icmp", "layer3-protocol" }, { "arp", "layer3-protocol" }
	};
	const struct misp_relation *found;

	if (!slice_ends(slice_of(r->name), "-protocol"))
		return r;
	for (size_t i = 0; i < COUNTOF(layers); i++)
		if (slice_is_nocase(value, layers[i].protocol) &&
		    (found = misp_relation_find(t, slice_of(layers[i].relation))) != NULL)
			return found;
	found = misp_relation_find(t, SLICE_LIT("layer7-protocol"));
	return found != NULL ? found : r;
}

/* One fact that has a place in the template. */
static void
write_fact(struct mw *w, json *o, const struct misp_template *t, const struct misp_relation *r,
    struct slice value, bool to_ids)
{
	if (r->path.value == MISP_ASN) {
		value = slice_of(arena_fmt(w->mem, "AS%.*s", SLICE_ARG(value)));
	} else if (r->path.value == MISP_PROTO) {
		char *upper = arena_str(w->mem, value);

		for (char *p = upper; *p != '\0'; p++)
			if (*p >= 'a' && *p <= 'z')
				*p &= ~0x20;	/* TCP, as MISP has it */
		r = relation_of_protocol(t, r, value);
		value = slice_of(upper);
	}
	mw_object_attribute(w, o, r->name, r->type, value, to_ids);
}

static struct misp_fact *
fact_at(struct misp_facts *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (slice_is(f->v[i].path, path))
			return &f->v[i];
	return NULL;
}

/* The content of a file: a sample "name|md5" where it is locked up, else an attachment. */
static void
write_content(struct mw *w, json *o, struct misp_facts *f, bool to_ids)
{
	struct misp_fact *bin = fact_at(f, "file:content_ref.payload_bin");
	struct misp_fact *name = fact_at(f, "file:content_ref.x_misp_filename");
	struct misp_fact *md5 = fact_at(f, "file:content_ref.hashes.MD5");
	struct misp_fact *key = fact_at(f, "file:content_ref.decryption_key");
	struct slice value;
	json *a;

	if (name == NULL)
		name = fact_at(f, "file:name");
	if (md5 == NULL)
		md5 = fact_at(f, "file:hashes.MD5");
	if (bin == NULL || name == NULL)
		return;
	use_fact(w, bin);
	value = name->value;
	if (key != NULL && md5 != NULL) {
		use_fact(w, key);
		value = slice_of(arena_fmt(w->mem, "%.*s|%.*s", SLICE_ARG(name->value),
		    SLICE_ARG(md5->value)));
		a = mw_object_attribute(w, o, "malware-sample", "malware-sample", value, to_ids);
	} else {
		a = mw_object_attribute(w, o, "attachment", "attachment", value, to_ids);
	}
	json_put_str(w->mem, a, "data", bin->value);
}

/* All facts as one object; false (and nothing made) if a fact has no relation and `whole` is asked. */
static bool
write_object(struct mw *w, struct mw_event *ev, struct mw_obj *ob, struct misp_facts *f,
    const struct misp_template *t, struct slice name, struct slice meta, bool whole, bool to_ids)
{
	bool data = false;
	char *custom;
	json *o;

	for (size_t i = 0; i < f->n && whole; i++)
		if (relation_of(w, t, &f->v[i]) == NULL)
			return false;
	o = mw_object(w, ev, ob, t, name, meta);
	write_content(w, o, f, to_ids);
	for (size_t i = 0; i < f->n; i++) {
		const struct misp_relation *r = relation_of(w, t, &f->v[i]);

		if (f->v[i].used || slice_starts(f->v[i].path, "file:content_ref."))
			continue;
		if (r != NULL)
			write_fact(w, o, t, r, f->v[i].value, to_ids);
		else if (is_custom_relation(w, &f->v[i], &custom, &data))
			mw_other_attribute(w, o, t, custom, f->v[i].value, data);
		else
			continue;
		use_fact(w, &f->v[i]);
	}
	mw_mark(w, o, ob, ev->label);
	return true;
}

/* Facts that no label explains: one attribute, a pair, or an object. False: MISP has no words for it. */
static bool
write_facts(struct mw *w, struct mw_event *ev, struct mw_obj *ob, struct misp_facts *f,
    struct slice uuid, bool to_ids)
{
	const struct misp_type *t = NULL;
	const struct misp_template *template;
	struct slice type = f->n == 0 ? SLICE_EMPTY : f->v[0].path;

	if (f->n == 1)
		t = type_of_fact(w, &f->v[0]);
	else if (f->n == 2)
		t = type_of_two(w, f);
	if (t != NULL) {
		struct slice value = compose(w, f, t);

		mw_attribute(w, ev, ob, t->name, value, uuid, to_ids);
		return true;
	}
	template = misp_template_of_root(slice_cut(&type, ':'));
	return template != NULL && f->n > 0 &&
	    write_object(
	    w, ev, ob, f, template, slice_of(template->name), SLICE_EMPTY, to_ids, to_ids);
}

/* ---- indicators ---- */

/* The type of attribute for a pattern in this language. */
static const char *
type_of_rule(struct slice language)
{
	for (const struct misp_type *t = misp_types; t->name != NULL; t++)
		if (t->fate == MISP_RULE && t->home && slice_is(language, t->rule))
			return t->name;
	return "other";
}

/* A rule without the brackets that misp-stix puts around. */
static struct slice
bare_rule(struct slice rule, bool labelled)
{
	if (labelled && rule.n > 2 && rule.p[0] == '[' && rule.p[rule.n - 1] == ']')
		return slice_from(rule.p + 1, rule.n - 2);
	return rule;
}

/* An alternative each; what they are of is in the comment. */
static void
write_alternatives(struct mw *w, struct mw_event *ev, struct mw_obj *ob, struct misp_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct misp_type *t = type_of_fact(w, &f->v[i]);
		struct slice value = f->v[i].value;
		json *a;

		if (t == NULL)
			continue;
		if (t->part[0].value == MISP_ASN)
			value = slice_of(arena_fmt(w->mem, "AS%.*s", SLICE_ARG(value)));
		a = mw_attribute(w, ev, ob, t->name, value, i == 0 ? misp_uuid_of_id(ob->o->id) :
		    MISP_UUID(w->mem, "attribute", ev->uuid, ob->o->id, value), true);
		json_put_str(w->mem, a, "comment", ob->o->id);
	}
}

static bool
write_labelled(
    struct mw *w, struct mw_event *ev, struct mw_obj *ob, struct misp_facts *f, bool to_ids)
{
	struct slice type = mw_label(ob->tree, "type"), name = mw_label(ob->tree, "name"), value;
	const struct misp_type *t = misp_type_find(type);
	const struct misp_template *template = misp_template_find(name);

	if (t != NULL) {
		value = compose(w, f, t);
		if (value.n == 0)
			return false;
		mw_attribute(w, ev, ob, t->name, value, misp_uuid_of_id(ob->o->id), to_ids);
		return true;
	}
	return name.n > 0 && template != NULL && write_object(w, ev, ob, f, template, name,
	    mw_label(ob->tree, "meta-category"), false, to_ids);
}

void
mw_indicator(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice language = json_member(ob->tree, "pattern_type"),
	    text = json_member(ob->tree, "pattern");
	struct slice uuid = misp_uuid_of_id(ob->o->id), type = mw_label(ob->tree, "type");
	const struct misp_type *t = misp_type_find(type);
	struct misp_facts f = { 0 };
	const struct pat_node *p = NULL;
	bool alternatives = false;

	if (text.n == 0)
		return;
	mw_take(w, ob->tree, "pattern");
	mw_take(w, ob->tree, "pattern_type");
	if (language.n > 0 && !slice_is(language, "stix")) {
		const struct misp_template *object = misp_template_find(mw_label(ob->tree, "name"));
		bool known = t != NULL && t->fate == MISP_RULE;

		if (object != NULL && object->sdo != NULL) {
			mw_template(w, ev, ob, object);
			return;
		}
		mw_attribute(w, ev, ob, known ? t->name : type_of_rule(language),
		    bare_rule(text, known), uuid, true);
		return;
	}
	p = pattern_parse(text, w->mem, NULL);
	if (p != NULL && !slice_is(type, "stix2-pattern"))
		misp_facts_of_pattern(&f, w->mem, p, &alternatives);
	if (f.n > 0 && f.all && write_labelled(w, ev, ob, &f, true))
		return;
	if (f.n > 0 && f.all && alternatives && type_of_fact(w, &f.v[0]) != NULL) {
		write_alternatives(w, ev, ob, &f);
		return;
	}
	if (f.n > 0 && f.all && !alternatives && write_facts(w, ev, ob, &f, uuid, true))
		return;
	mw_attribute(w, ev, ob, "stix2-pattern", text, uuid, true);
}

/* ---- observables ---- */

/* True if another observable of the list refers to it. */
static bool
is_named_by(struct mw *w, const json *refs, struct slice id)
{
	size_t most = REFS_MAX;

	for (json *k = json_first(refs); k != NULL && most-- > 0; k = json_next(k)) {
		json *tree = mw_find_tree(w, json_slice(k));

		for (json *m = json_first(tree); m != NULL; m = json_next(m)) {
			if (slice_ends(slice_of(json_name(m)), "_ref") &&
			    slice_eq(json_slice(m), id))
				return true;
			if (json_is_list(m))
				for (json *l = json_first(m); l != NULL; l = json_next(l)) {
					if (slice_eq(json_slice(l), id) ||
					    slice_eq(json_member(l, "body_raw_ref"), id))
						return true;
				}
		}
	}
	return false;
}

/* Observables that facts came from are said, and what they are said by is theirs too. */
static void
share_nodes(struct mw *w, const struct misp_facts *f, const struct mw_obj *ob)
{
	for (size_t i = 0; i < f->n; i++) {
		struct mw_obj *of = f->v[i].owner == NULL ? NULL :
		    mw_find(w, json_member(f->v[i].owner, "id"));

		if (of == NULL || of == ob || of->event != ob->event)
			continue;
		of->done = true;
		mw_take(w, of->tree, "type");
		for (size_t k = 0; k < ob->nnodes; k++)
			mw_came_of(w, of, ob->nodes[k]);
	}
}

/* Protocols that stand there because something has to. */
static void
drop_default(struct misp_facts *f)
{
	size_t kept = 0, protocols = 0;

	for (size_t i = 0; i < f->n; i++)
		protocols += slice_ends(f->v[i].path, "protocols[*]");
	for (size_t i = 0; i < f->n; i++)
		if (protocols != 1 || f->n < 2 ||
		    !slice_is(f->v[i].path, "network-traffic:protocols[*]") ||
		    !slice_is(f->v[i].value, "tcp"))
			f->v[kept++] = f->v[i];
	f->n = kept;
}

static struct slice
data_of(const struct misp_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (slice_ends(f->v[i].path, "payload_bin"))
			return f->v[i].value;
	return SLICE_EMPTY;
}

void
mw_observed(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	const json *refs = json_get(ob->tree, "object_refs");
	struct misp_facts all = { .all = true };
	json *roots[ROOTS_MAX];
	size_t n = 0, most = REFS_MAX;

	for (json *k = json_first(refs); k != NULL && n < ROOTS_MAX && most-- > 0; k = json_next(k)) {
		json *tree = mw_find_tree(w, json_slice(k));

		if (tree != NULL && !is_named_by(w, refs, json_slice(k)))
			roots[n++] = tree;
	}
	for (size_t i = 0; i < n; i++)
		misp_facts_of_sco(&all, w->mem, roots[i], mw_find_tree, w);
	if (mw_label(ob->tree, "type").n > 0 || mw_label(ob->tree, "name").n > 0) {
		if (write_labelled(w, ev, ob, &all, false)) {
			struct slice data = data_of(&all);

			if (data.n > 0 && json_get(ob->nodes[0], "Attribute") == NULL)
				json_put_str(w->mem, ob->nodes[0], "data", data);
			share_nodes(w, &all, ob);
			return;
		}
	}
	for (size_t i = 0; i < n; i++) {
		struct mw_obj *of = mw_find(w, json_member(roots[i], "id"));
		struct misp_facts f = { .all = true };
		bool here = of != NULL && of->event == ob->event;
		/* Of several, each for itself, unless it is another event's: uuids are used once. */
		struct mw_obj *as = n == 1 || !here ? ob : of;

		if (of == NULL || (here && of->done))
			continue;
		misp_facts_of_sco(&f, w->mem, roots[i], mw_find_tree, w);
		drop_default(&f);
		if (!write_facts(w, ev, as, &f, misp_uuid_of_id(as->o->id), false))
			continue;
		share_nodes(w, &f, as);
		for (size_t k = 0; as != of && k < as->nnodes; k++)
			mw_raise(w, as->nodes[k], of, ev->label, false);
		for (size_t k = 0; as == of && k < of->nnodes; k++)
			mw_came_of(w, ob, of->nodes[k]);
		of->done = of->done || here;
	}
}

void
mw_observable(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct misp_facts f = { .all = true };

	if (ob->done)
		return;
	misp_facts_of_sco(&f, w->mem, ob->tree, mw_find_tree, w);
	drop_default(&f);
	if (write_facts(w, ev, ob, &f, misp_uuid_of_id(ob->o->id), false))
		share_nodes(w, &f, ob);
}
