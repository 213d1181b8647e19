/* misp_write_facts.c -- facts of a pattern or an observable as attributes and objects. See misp_write.h. */
#include "formats/misp_write.h"
#include "formats/value.h"
#include "gateway/base/arena.h"

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
const struct misp_type *
mw_type_of_fact(struct mw *w, const struct misp_fact *f)
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
bool
mw_write_facts(struct mw *w, struct mw_event *ev, struct mw_obj *ob, struct misp_facts *f,
    struct slice uuid, bool to_ids)
{
	const struct misp_type *t = NULL;
	const struct misp_template *template;
	struct slice type = f->n == 0 ? SLICE_EMPTY : f->v[0].path;

	if (f->n == 1)
		t = mw_type_of_fact(w, &f->v[0]);
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

bool
mw_write_labelled(struct mw *w, struct mw_event *ev, struct mw_obj *ob, struct misp_facts *f,
    bool to_ids)
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
