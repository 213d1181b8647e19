/*
 * flat_read.c -- one object to its records: what all of them have in common, and the value of each.
 */
#include "formats/flat_impl.h"

#include "formats/fingerprint.h"
#include "formats/loss.h"
#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

struct slice
flat_cut(struct slice s, size_t max)
{
	if (s.n <= max)
		return s;
	s.n = max;
	while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

void
flat_skip(struct flat_reading *r, const char *path, const char *why)
{
	r->out->skipped++;
	loss_addf(r->loss, LOSS_DROPPED, why, "%.*s/%s", SLICE_ARG(r->id), path);
}

struct flat_record *
flat_add(struct flat_reading *r, enum flat_type type, struct slice value)
{
	struct flat_list *l = r->out;
	struct flat_record *rec;

	l->v = arena_grow(r->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	rec = &l->v[l->n++];
	*rec = r->common;
	rec->type = type;
	rec->value = value;
	return rec;
}

/* What a type is to value.h. */
static const struct {
	enum value_kind	 kind;
	const char	*hash;		/* the algorithm, for hashes */
} kinds[FLAT_TYPES] = {
	[FLAT_IPV4] = { VALUE_IPV4, NULL }, [FLAT_IPV4_NET] = { VALUE_IPV4, NULL },
	[FLAT_IPV6] = { VALUE_IPV6, NULL }, [FLAT_IPV6_NET] = { VALUE_IPV6, NULL },
	[FLAT_DOMAIN] = { VALUE_DOMAIN, NULL }, [FLAT_URL] = { VALUE_URL, NULL },
	[FLAT_EMAIL] = { VALUE_EMAIL, NULL }, [FLAT_MD5] = { VALUE_HASH, "MD5" },
	[FLAT_SHA1] = { VALUE_HASH, "SHA-1" }, [FLAT_SHA256] = { VALUE_HASH, "SHA-256" },
	[FLAT_SHA512] = { VALUE_HASH, "SHA-512" }, [FLAT_SSDEEP] = { VALUE_HASH, "SSDEEP" },
	[FLAT_TLSH] = { VALUE_HASH, "TLSH" }, [FLAT_FILENAME] = { VALUE_TEXT, NULL },
	[FLAT_REGKEY] = { VALUE_REGKEY, NULL }, [FLAT_MUTEX] = { VALUE_TEXT, NULL },
	[FLAT_ASN] = { VALUE_ASN, NULL }, [FLAT_MAC] = { VALUE_MAC, NULL },
	[FLAT_USERAGENT] = { VALUE_TEXT, NULL }, [FLAT_CERT_SHA1] = { VALUE_HASH, "SHA-1" },
	[FLAT_CERT_SHA256] = { VALUE_HASH, "SHA-256" }, [FLAT_USER] = { VALUE_TEXT, NULL },
	[FLAT_CVE] = { VALUE_TEXT, NULL }, [FLAT_PATTERN] = { VALUE_TEXT, NULL }
};

static bool
canonical(enum flat_type type, struct slice s, struct arena *mem, struct slice *out)
{
	if (kinds[type].hash != NULL)
		return value_hash(slice_of(kinds[type].hash), s, mem, out);
	return value_normalise(kinds[type].kind, s, mem, out);
}

bool
flat_add_value(struct flat_reading *r, enum flat_type type, struct slice value,
    struct flat_record **added)
{
	struct slice v;
	bool net;

	if (!canonical(type, value, r->mem, &v) || v.n > FLAT_VALUE_MAX)
		return false;
	net = memchr(v.p, '/', v.n) != NULL;
	if (net && type == FLAT_IPV4)
		type = FLAT_IPV4_NET;
	else if (net && type == FLAT_IPV6)
		type = FLAT_IPV6_NET;
	*added = flat_add(r, type, v);
	if (type == FLAT_DOMAIN)
		(*added)->unicode = value_domain_unicode(v, r->mem);
	return true;
}

bool
flat_host(struct slice s, struct arena *mem, enum flat_type *type, struct slice *out)
{
	if (value_normalise(VALUE_IPV4, s, mem, out))
		*type = FLAT_IPV4;
	else if (value_normalise(VALUE_IPV6, s, mem, out))
		*type = FLAT_IPV6;
	else if (value_normalise(VALUE_MAC, s, mem, out))
		*type = FLAT_MAC;
	else if (value_normalise(VALUE_DOMAIN, s, mem, out))
		*type = FLAT_DOMAIN;
	else
		return false;
	return true;
}

int
flat_hash_type(struct slice name, bool certificate)
{
	const char *plain = value_hash_name(name);

	for (int t = 0; plain != NULL && t < FLAT_TYPES; t++) {
		bool of_certificate = t == FLAT_CERT_SHA1 || t == FLAT_CERT_SHA256;

		if (kinds[t].hash != NULL && of_certificate == certificate &&
		    strcmp(plain, kinds[t].hash) == 0)
			return t;
	}
	return -1;
}

/* --- what is common to the records of an object ---------------------------------------------- */

/* A short text of the object on one line. */
static struct slice
line(struct flat_reading *r, struct slice s, size_t max)
{
	struct strbuf text = STRBUF_INIT;
	struct slice out;

	if (s.n == 0)
		return SLICE_EMPTY;
	flat_line(&text, s, max);
	out = arena_slice(r->mem, slice_trim(strbuf_slice(&text)));
	strbuf_fini(&text);
	return out;
}

/* Append an item of a list; a `;` of its own becomes a comma. */
static void
add_item(struct strbuf *list, struct slice s)
{
	size_t from = list->n;

	if (s.n == 0 || list->n + s.n > FLAT_LIST_MAX)
		return;
	if (from > 0)
		strbuf_addc(list, ';');
	from = list->n;
	flat_line(list, s, FLAT_NAME_MAX);
	for (; from < list->n; from++)
		if (list->p[from] == ';')
			list->p[from] = ',';
}

static struct slice
take(struct flat_reading *r, struct strbuf *list)
{
	struct slice s = list->n > 0 ? arena_slice(r->mem, strbuf_slice(list)) : SLICE_EMPTY;

	strbuf_fini(list);
	return s;
}

static struct slice
words(struct flat_reading *r, const json *list)
{
	struct strbuf all = STRBUF_INIT;

	for (json *i = json_first(list); i != NULL && json_is_list(list); i = json_next(i))
		add_item(&all, json_slice(i));
	return take(r, &all);
}

static struct slice
kill_chain(struct flat_reading *r, const json *list)
{
	struct strbuf all = STRBUF_INIT;

	for (json *i = json_first(list); i != NULL && json_is_list(list); i = json_next(i))
		add_item(&all, slice_of(arena_fmt(r->mem, "%.*s:%.*s",
		    SLICE_ARG(flat_cut(json_member(i, "kill_chain_name"), FLAT_NAME_MAX)),
		    SLICE_ARG(flat_cut(json_member(i, "phase_name"), FLAT_NAME_MAX)))));
	return take(r, &all);
}

/* The first URL, and the ids by which others know the object. */
static void
references(struct flat_reading *r, const json *list)
{
	struct strbuf all = STRBUF_INIT;

	for (json *i = json_first(list); i != NULL && json_is_list(list); i = json_next(i)) {
		struct slice url = json_member(i, "url"), id = json_member(i, "external_id");

		if (r->common.source_url.n == 0 && url.n <= FLAT_TEXT_MAX && !flat_is_odd(url))
			r->common.source_url = url;
		if (id.n > 0)
			add_item(&all, slice_of(arena_fmt(r->mem, "%.*s:%.*s",
			    SLICE_ARG(flat_cut(json_member(i, "source_name"), FLAT_NAME_MAX)),
			    SLICE_ARG(flat_cut(id, FLAT_NAME_MAX)))));
	}
	r->common.references = take(r, &all);
}

/* A timestamp as written; nothing else. */
static struct slice
stamp(const json *tree, const char *name)
{
	struct slice s = json_member(tree, name);
	int64_t us;

	return s.n <= FLAT_NAME_MAX && stamp_parse(s, &us) ? s : SLICE_EMPTY;
}

static void
fill_times(struct flat_record *c, const json *tree, const struct flat_links *l)
{
	c->created = stamp(tree, "created");
	c->modified = stamp(tree, "modified");
	c->valid_from = stamp(tree, "valid_from");
	c->valid_until = stamp(tree, "valid_until");
	c->first_seen = stamp(tree, "first_observed");
	c->last_seen = stamp(tree, "last_observed");
	if (c->first_seen.n == 0)
		c->first_seen = l->first_seen;
	if (c->last_seen.n == 0)
		c->last_seen = l->last_seen;
}

static void
fill_source(struct flat_reading *r, const json *tree, const struct flat_look *look)
{
	struct slice id = json_member(tree, "created_by_ref"), name = SLICE_EMPTY;

	if (id.n > 0 && look != NULL && look->name != NULL)
		name = look->name(look->ctx, id);
	r->common.source = line(r, name.n > 0 ? name : id, FLAT_NAME_MAX);
}

/* The label that holds; one that cannot be read is RED, where nobody's policy says otherwise. */
static enum tlp
label_of(const struct object *o, const struct flat_look *look)
{
	if (look != NULL && look->tlp != NULL)
		return look->tlp(look->ctx, o);
	return object_level(o);
}

static void
fill_common(struct flat_reading *r, const struct object *o, const json *tree,
    const struct flat_look *look, const struct flat_links *l)
{
	struct flat_record *c = &r->common;
	int64_t confidence;

	c->id = o->id;
	c->version = o->version;
	c->revoked = (o->flags & OBJECT_REVOKED) != 0;
	c->indicator = slice_is(o->type, "indicator");
	c->port = -1;
	c->name = line(r, json_member(tree, "name"), FLAT_NAME_MAX);
	c->description = line(r, json_member(tree, "description"), FLAT_TEXT_MAX);
	c->indicator_types = words(r, json_get(tree, "indicator_types"));
	c->labels = words(r, json_get(tree, "labels"));
	c->kill_chain = kill_chain(r, json_get(tree, "kill_chain_phases"));
	c->malware = l->malware;
	c->threat_actor = l->threat_actor;
	c->campaign = l->campaign;
	c->attack_pattern = l->attack_pattern;
	c->report = l->report;
	c->confidence = json_int(json_get(tree, "confidence"), &confidence) && confidence >= 0 &&
	    confidence <= 100 ? (int)confidence : -1;
	c->tlp = label_of(o, look);
	c->pap = o->pap;
	c->valid_until_key = o->valid_until_key;
	fill_times(c, tree, l);
	fill_source(r, tree, look);
	references(r, json_get(tree, "external_references"));
}

/* --- kinds of objects ----------------------------------------------------------------------- */

static void
read_indicator(struct flat_reading *r, const struct object *o, const json *tree)
{
	struct slice text = json_member(tree, "pattern"), type = json_member(tree, "pattern_type");
	const struct pat_node *p = o->pattern;
	struct err ignored = ERR_INIT;

	if (text.n <= FLAT_PATTERN_MAX && utf8_bad_at(text) == text.n)
		r->common.pattern = text;
	else
		r->common.description = flat_cut(r->common.description, FLAT_BRIEF_MAX);
	if (type.n > 0 && !slice_is_nocase(type, "stix")) {
		if (text.n > FLAT_PATTERN_MAX || text.n == 0)
			flat_skip(r, "pattern", "longer than a flat record can be");
		else
			flat_add(r, FLAT_PATTERN, text);
		return;
	}
	if (p == NULL)
		p = pattern_parse(text, r->mem, &ignored);
	if (p == NULL)
		flat_skip(r, "pattern", "does not follow the grammar of STIX");
	else
		flat_read_pattern(r, p);
}

/* The CVE of a vulnerability: by reference, else by name. */
static void
read_vulnerability(struct flat_reading *r, const json *tree)
{
	struct slice cve = json_member(tree, "name");
	const json *list = json_get(tree, "external_references");

	for (json *i = json_first(list); i != NULL && json_is_list(list); i = json_next(i))
		if (slice_is_nocase(json_member(i, "source_name"), "cve"))
			cve = json_member(i, "external_id");
	if (cve.n < 5 || cve.n > 32 || !slice_is_nocase(slice_from(cve.p, 4), "CVE-") ||
	    flat_is_odd(cve)) {
		flat_skip(r, "external_references", "no CVE");
		return;
	}
	flat_add(r, FLAT_CVE, slice_of(arena_fmt(r->mem, "CVE-%.*s", (int)cve.n - 4, cve.p + 4)));
}

/* STIX 2.0 keeps the observables inside. */
static void
read_observed(struct flat_reading *r, const json *tree)
{
	const json *objects = json_get(tree, "objects");

	for (json *i = json_first(objects); i != NULL && json_is_object(objects); i = json_next(i))
		flat_read_observable(r, i);
}

static bool
is_flat_type(struct slice type)
{
	return slice_is(type, "indicator") || slice_is(type, "vulnerability") ||
	    slice_is(type, "observed-data") || flat_is_observable(type);
}

bool
flat_read(const struct object *o, const struct flat_look *look, struct arena *mem,
    struct flat_list *out, struct loss *loss)
{
	struct flat_reading r = { .mem = mem, .out = out, .loss = loss, .id = o->id };
	struct flat_links links = { .malware = SLICE_EMPTY };
	struct json_doc doc = { .root = o->tree };
	struct err ignored = ERR_INIT;
	size_t first = out->n;

	out->object = o;
	if (!is_flat_type(o->type))
		return false;
	if (doc.root == NULL && json_parse(o->bytes, NULL, mem, &doc, &ignored) < 0)
		return false;
	if (look != NULL && look->links != NULL)
		look->links(look->ctx, o, mem, &links);
	fill_common(&r, o, doc.root, look, &links);
	if (slice_is(o->type, "indicator"))
		read_indicator(&r, o, doc.root);
	else if (slice_is(o->type, "vulnerability"))
		read_vulnerability(&r, doc.root);
	else if (slice_is(o->type, "observed-data"))
		read_observed(&r, doc.root);
	else
		flat_read_observable(&r, doc.root);
	for (size_t i = first; i < out->n; i++)
		flat_classify(&out->v[i], &links);
	return true;
}
