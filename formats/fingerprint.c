#include "formats/fingerprint.h"

#include <stdlib.h>

#include "formats/pattern.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { PARTS_MAX = 7, US = 0x1f, RS = 0x1e };

/* Append what a property says; false if it says nothing. */
typedef bool part_fn(struct strbuf *out, struct arena *mem, const json *value,
	    enum value_kind kind);

static part_fn text_part, word_part, number_part, list_part, hashes_part, values_part;

/* One property of a meaning. At least one of the `key` parts must be there. */
struct part {
	const char	*property;
	part_fn		*add;
	enum value_kind	 kind;
	bool		 key;
};

#define KEY(name, fn, kind)	{ (name), (fn), (kind), true }
#define MORE(name, fn, kind)	{ (name), (fn), (kind), false }

/* What makes an observable the one it is. Of several rows of a type the first whose key is there
 * counts. Canonical text: type US property US value US property US value ... */
static const struct meaning {
	const char	*type;
	struct part	 parts[PARTS_MAX];
} meanings[] = {
	{ "ipv4-addr", { KEY("value", text_part, VALUE_IPV4) } },
	{ "ipv6-addr", { KEY("value", text_part, VALUE_IPV6) } },
	{ "domain-name", { KEY("value", text_part, VALUE_DOMAIN) } },
	{ "url", { KEY("value", text_part, VALUE_URL) } },
	{ "email-addr", { KEY("value", text_part, VALUE_EMAIL) } },
	{ "mac-addr", { KEY("value", text_part, VALUE_MAC) } },
	{ "autonomous-system", { KEY("number", number_part, VALUE_ASN) } },
	{ "mutex", { KEY("name", word_part, VALUE_TEXT) } },
	{ "directory", { KEY("path", word_part, VALUE_TEXT) } },
	{ "file", { KEY("hashes", hashes_part, VALUE_HASH) } },
	{ "file", { KEY("name", word_part, VALUE_TEXT),
	    MORE("parent_directory_ref", word_part, VALUE_TEXT) } },
	{ "artifact", { KEY("hashes", hashes_part, VALUE_HASH) } },
	{ "artifact", { KEY("payload_bin", word_part, VALUE_TEXT) } },
	{ "artifact", { KEY("url", text_part, VALUE_URL) } },
	{ "x509-certificate", { KEY("hashes", hashes_part, VALUE_HASH) } },
	{ "x509-certificate", { KEY("serial_number", text_part, VALUE_TEXT),
	    MORE("issuer", text_part, VALUE_TEXT) } },
	{ "windows-registry-key", { KEY("key", text_part, VALUE_REGKEY),
	    MORE("values", values_part, VALUE_TEXT) } },
	{ "user-account", { KEY("user_id", word_part, VALUE_TEXT),
	    KEY("account_login", word_part, VALUE_TEXT),
	    MORE("account_type", text_part, VALUE_WORD) } },
	{ "software", { KEY("cpe", text_part, VALUE_WORD) } },
	{ "software", { KEY("name", text_part, VALUE_TEXT), MORE("vendor", text_part, VALUE_TEXT),
	    MORE("version", text_part, VALUE_TEXT) } },
	{ "network-traffic", { KEY("src_ref", word_part, VALUE_TEXT),
	    KEY("dst_ref", word_part, VALUE_TEXT), MORE("src_port", number_part, VALUE_TEXT),
	    MORE("dst_port", number_part, VALUE_TEXT),
	    MORE("protocols", list_part, VALUE_PROTOCOL), MORE("start", word_part, VALUE_TEXT),
	    MORE("end", word_part, VALUE_TEXT) } },
	{ "email-message", { KEY("subject", word_part, VALUE_TEXT),
	    KEY("body", word_part, VALUE_TEXT), MORE("from_ref", word_part, VALUE_TEXT) } }
};

/* US and text in which US cannot occur, so that no value can pose as two. */
static void
add_field(struct strbuf *out, struct slice s)
{
	strbuf_addc(out, US);
	while (s.n > 0) {
		size_t n = 0;

		while (n < s.n && s.p[n] != US && s.p[n] != RS)
			n++;
		strbuf_add(out, s.p, n);
		if (n < s.n) {
			strbuf_addc(out, RS);
			strbuf_addc(out, s.p[n] == US ? '_' : s.p[n]);
			n++;
		}
		s = slice_from(s.p + n, s.n - n);
	}
}

/* The canonical value, or the text itself if it is no such value. */
static struct slice
canonical_text(struct slice s, struct arena *mem, enum value_kind kind)
{
	struct slice value = slice_trim(s);

	value_normalise(kind, s, mem, &value);
	if (kind == VALUE_REGKEY)
		value = value_lower(value, mem);	/* Windows does not tell them apart */
	return value;
}

/* The string, or the JSON text of what should have been one: nothing that was said is left out. */
static struct slice
said(const json *value, struct arena *mem)
{
	struct strbuf text = STRBUF_INIT;
	struct slice s;

	if (value == NULL || json_str(value) != NULL)
		return json_slice(value);
	json_print(&text, value);
	s = arena_slice(mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return s;
}

/* A string in its canonical form. */
static bool
text_part(struct strbuf *out, struct arena *mem, const json *value, enum value_kind kind)
{
	struct slice s = canonical_text(said(value, mem), mem, kind);

	if (s.n > 0)
		add_field(out, s);
	return s.n > 0;
}

/* A string as it is, blanks and all. */
static bool
word_part(struct strbuf *out, struct arena *mem, const json *value, enum value_kind kind)
{
	struct slice s = said(value, mem);

	(void)kind;
	if (s.n > 0)
		add_field(out, s);
	return s.n > 0;
}

/* A number, or a string that stands for one. */
static bool
number_part(struct strbuf *out, struct arena *mem, const json *value, enum value_kind kind)
{
	int64_t n;

	if (!json_int(value, &n))
		return text_part(out, mem, value, kind);
	add_field(out, slice_of(arena_fmt(mem, "%lld", (long long)n)));
	return true;
}

static int
by_slice(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Sort the texts and add each once, as one field: items are held apart inside of it. */
static bool
add_sorted(struct strbuf *out, struct slice *v, size_t n)
{
	struct strbuf all = STRBUF_INIT;

	if (n == 0)
		return false;
	qsort(v, n, sizeof(*v), by_slice);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !slice_eq(v[i], v[i - 1]))
			add_field(&all, v[i]);
	add_field(out, strbuf_slice(&all));
	strbuf_fini(&all);
	return true;
}

/* Room for a text for each child, and one more. */
static struct slice *
room_for(struct arena *mem, const json *list)
{
	return arena_raw(mem, (json_count(list) + 1) * sizeof(struct slice));
}

/* A list of strings as a set. */
static bool
list_part(struct strbuf *out, struct arena *mem, const json *value, enum value_kind kind)
{
	struct slice *v = room_for(mem, value);
	size_t n = 0;

	for (json *i = json_first(value); i != NULL; i = json_next(i))
		v[n++] = canonical_text(said(i, mem), mem, kind);
	return add_sorted(out, v, n);
}

/* All hashes, each by name and value. */
static bool
hashes_part(struct strbuf *out, struct arena *mem, const json *value, enum value_kind kind)
{
	struct slice *v = room_for(mem, value);
	struct strbuf one = STRBUF_INIT;
	size_t n = 0;

	(void)kind;
	for (json *i = json_first(value); i != NULL; i = json_next(i)) {
		struct slice given = slice_of(json_name(i)), text = said(i, mem);
		const char *name = value_hash_name(given);

		value_hash(given, text, mem, &text);
		strbuf_reset(&one);
		add_field(&one, name != NULL ? slice_of(name) : given);
		add_field(&one, text);
		v[n++] = arena_slice(mem, strbuf_slice(&one));
	}
	strbuf_fini(&one);
	return add_sorted(out, v, n);
}

/* The values of a registry key, each by name, type and data. */
static bool
values_part(struct strbuf *out, struct arena *mem, const json *value, enum value_kind kind)
{
	struct slice *v = room_for(mem, value);
	struct strbuf one = STRBUF_INIT;
	size_t n = 0;

	(void)kind;
	for (json *i = json_first(value); i != NULL; i = json_next(i)) {
		strbuf_reset(&one);
		add_field(&one, value_lower(said(json_get(i, "name"), mem), mem));
		add_field(&one, said(json_get(i, "data_type"), mem));
		add_field(&one, said(json_get(i, "data"), mem));
		v[n++] = arena_slice(mem, strbuf_slice(&one));
	}
	strbuf_fini(&one);
	return add_sorted(out, v, n);
}

/* The text of one row; false if none of its key parts is there. */
static bool
add_meaning(struct strbuf *out, struct arena *mem, const json *tree, const struct meaning *m)
{
	bool keyed = false;

	strbuf_reset(out);
	strbuf_adds(out, m->type);
	for (size_t i = 0; i < PARTS_MAX && m->parts[i].property != NULL; i++) {
		const struct part *part = &m->parts[i];
		size_t before = out->n;

		add_field(out, slice_of(part->property));
		if (!part->add(out, mem, json_get(tree, part->property), part->kind))
			strbuf_setlen(out, before);
		else if (part->key)
			keyed = true;
	}
	return keyed;
}

static bool
observable_text(struct strbuf *out, struct arena *mem, const struct object *o)
{
	for (size_t i = 0; i < COUNTOF(meanings); i++)
		if (slice_is(o->type, meanings[i].type) &&
		    add_meaning(out, mem, o->tree, &meanings[i]))
			return true;
	return false;
}

/* The pattern of an indicator, parsed: NULL if it is in another language, or does not parse. */
static const struct pat_node *
pattern_of(const struct object *o, struct arena *mem)
{
	struct slice text = slice_trim(said(json_get(o->tree, "pattern"), mem));
	struct slice type = json_member(o->tree, "pattern_type");

	if (text.n == 0 || (type.n > 0 && !slice_is_nocase(type, "stix")))
		return NULL;
	return pattern_parse(text, mem, NULL);
}

/* "indicator" US pattern type US canonical pattern; text that does not parse stands for itself. */
static bool
indicator_text(struct strbuf *out, struct arena *mem, const struct object *o)
{
	struct slice text = slice_trim(said(json_get(o->tree, "pattern"), mem));
	struct slice type = value_lower(json_member(o->tree, "pattern_type"), mem);
	const struct pat_node *p;

	if (text.n == 0)
		return false;
	if (type.n == 0)
		type = SLICE_LIT("stix");	/* 2.0 had no other */
	strbuf_adds(out, "indicator");
	add_field(out, type);
	if (!slice_is(type, "stix")) {
		add_field(out, text);
		return true;
	}
	strbuf_addc(out, US);
	if ((p = o->pattern) != NULL || (p = pattern_of(o, mem)) != NULL)
		pattern_canonical(out, p);
	else
		strbuf_addsl(out, text);
	return true;
}

/* Length of the CVE number at the start of s, any case; 0 if there is none. */
static size_t
cve_len(struct slice s)
{
	enum { YEAR = 4, DASH = 8, SHORTEST = 13 };	/* CVE-2024-0001 */
	size_t n;

	if (s.n < SHORTEST || !slice_is_nocase(slice_from(s.p, YEAR), "CVE-"))
		return 0;
	for (n = YEAR; n < s.n; n++)
		if (n == DASH ? s.p[n] != '-' : s.p[n] < '0' || s.p[n] > '9')
			break;
	return n < SHORTEST ? 0 : n;
}

/* All CVE numbers in s, in upper case, appended to *v. */
static void
find_cves(struct arena *mem, struct slice s, struct slice **v, size_t *n, size_t *cap)
{
	for (size_t i = 0, len; i < s.n; i += len > 0 ? len : 1) {
		if ((len = cve_len(slice_from(s.p + i, s.n - i))) == 0)
			continue;
		*v = arena_grow(mem, *v, *n, cap, sizeof(**v));
		(*v)[(*n)++] = slice_of(arena_fmt(mem, "CVE%.*s", (int)len - 3, s.p + i + 3));
	}
}

/* The CVEs of the references, else of the name: "vulnerability" US CVE US CVE ... */
static bool
vulnerability_text(struct strbuf *out, struct arena *mem, const struct object *o)
{
	struct slice *v = NULL;
	size_t n = 0, cap = 0;

	for (json *r = json_first(json_get(o->tree, "external_references")); r != NULL;
	    r = json_next(r))
		if (slice_is_nocase(json_member(r, "source_name"), "cve"))
			find_cves(mem, json_member(r, "external_id"), &v, &n, &cap);
	if (n == 0)
		find_cves(mem, json_member(o->tree, "name"), &v, &n, &cap);
	if (n == 0)
		return false;
	qsort(v, n, sizeof(*v), by_slice);
	strbuf_adds(out, "vulnerability");
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !slice_eq(v[i], v[i - 1]))
			add_field(out, v[i]);
	return true;
}

bool
fingerprint_text(struct strbuf *out, struct arena *mem, const struct object *o)
{
	strbuf_reset(out);
	if (slice_is(o->type, "indicator"))
		return indicator_text(out, mem, o);
	if (slice_is(o->type, "vulnerability"))
		return vulnerability_text(out, mem, o);
	return observable_text(out, mem, o);
}

void
fingerprint_fill(struct object *o, struct arena *mem)
{
	struct strbuf text = STRBUF_INIT;

	o->pattern = slice_is(o->type, "indicator") ? pattern_of(o, mem) : NULL;
	o->has_fp = fingerprint_text(&text, mem, o);
	if (o->has_fp)
		digest_sha256(strbuf_slice(&text), o->fp);
	strbuf_fini(&text);
}
