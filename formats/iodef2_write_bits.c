/*
 * iodef2_write_bits.c -- addresses, domains, hashes and paths: what patterns and observations share.
 */
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

static const struct {
	const char *type, *category, *net;
} categories[] = {
	{ "ipv4-addr",		"ipv4-addr",	"ipv4-net" },
	{ "ipv6-addr",		"ipv6-addr",	"ipv6-net" },
	{ "mac-addr",		"mac",		NULL },
	{ "email-addr",		"e-mail",	NULL },
	{ "autonomous-system",	"asn",		NULL },
	{ "url",		"site-uri",	NULL },
	{ NULL, NULL, NULL }
};

/* Address/@category for the value of a STIX type; NULL if the type is no address. */
const char *
iw_address_category(struct slice type, struct slice value)
{
	size_t i;

	for (i = 0; categories[i].type != NULL; i++)
		if (slice_is(type, categories[i].type))
			return categories[i].net != NULL && value.n > 0 &&
			    memchr(value.p, '/', value.n) != NULL ?
			    categories[i].net : categories[i].category;
	return NULL;
}

static bool
only_of(struct slice s, const char *set)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL)
			return false;
	return s.n > 0;
}

/* What a bare value is when no type says so: an address category, "" for a domain name, NULL. */
const char *
iw_guess_category(struct slice value)
{
	bool net = value.n > 0 && memchr(value.p, '/', value.n) != NULL;

	if (only_of(value, "0123456789./"))
		return net ? "ipv4-net" : "ipv4-addr";
	if (value.n > 0 && memchr(value.p, ':', value.n) != NULL) {
		if (!only_of(value, "0123456789abcdefABCDEF:./"))
			return NULL;
		if (value.n == 17 && value.p[2] == ':' && value.p[5] == ':' && !net)
			return "mac";
		return net ? "ipv6-net" : "ipv6-addr";
	}
	return iw_is_fqdn(value) ? "" : NULL;
}

struct xml_node *
iw_address(struct iw *w, struct xml_node *parent, const char *category, struct slice value)
{
	struct xml_node *n = iw_leaf(w, parent, "Address", value);

	iw_set(w, n, "category", category);
	return n;
}

struct xml_node *
iw_domain(struct iw *w, struct xml_node *parent, struct slice name)
{
	struct xml_node *n = iw_el(w, parent, "DomainData");

	iw_set(w, n, "system-status", "unknown");
	iw_set(w, n, "domain-status", "unknown");
	iw_leaf(w, n, "Name", name);
	return n;
}

static bool
is_fuzzy(struct slice algorithm)
{
	return slice_is(algorithm, "SSDEEP") || slice_is(algorithm, "TLSH");
}

/* A digest in hex of the right length, or a fuzzy hash. */
bool
iw_hash_can(struct slice algorithm, struct slice digest)
{
	const struct iodef2_digest *d = iodef2_digest_by_stix(algorithm);
	char raw[64];

	if (is_fuzzy(algorithm))
		return iw_exact(digest, IW_LINE);
	return d != NULL && d->n <= sizeof(raw) && digest.n == 2 * d->n &&
	    hex_decode(digest, raw, d->n);
}

void
iw_hash_element(struct iw *w, struct xml_node *parent, struct slice algorithm,
    struct slice digest)
{
	const struct iodef2_digest *d = iodef2_digest_by_stix(algorithm);
	struct xml_node *hash = iw_el(w, parent, "Hash"), *n;
	struct strbuf b = STRBUF_INIT;
	char raw[64];

	hex_decode(digest, raw, d->n);
	base64_add(&b, raw, d->n);
	n = iw_el_ns(w, hash, IODEF2_NS_DS, "ds", "DigestMethod");
	iw_set(w, n, "Algorithm", d->uri);
	n = iw_el_ns(w, hash, IODEF2_NS_DS, "ds", "DigestValue");
	xml_add_text(w->mem, n, strbuf_slice(&b));
	strbuf_fini(&b);
}

void
iw_hash(struct iw *w, struct xml_node *hashdata, struct slice algorithm, struct slice digest)
{
	struct xml_node *n;

	if (!is_fuzzy(algorithm)) {
		iw_hash_element(w, hashdata, algorithm, digest);
		return;
	}
	n = iw_leaf(w, iw_el(w, hashdata, "FuzzyHash"), "FuzzyHashValue", digest);
	iw_set(w, n, "dtype", "string");
	xml_set(w->mem, n, "name", algorithm);
}

/* "C:\Temp" + "x.exe" with the separator that the folder uses. */
struct slice
iw_join_path(struct iw *w, struct slice dir, struct slice name)
{
	const char *sep = memchr(dir.p, '\\', dir.n) != NULL ? "\\" : "/";

	if (dir.n > 0 && dir.p[dir.n - 1] == sep[0])
		sep = "";
	return slice_of(arena_fmt(w->mem, "%.*s%s%.*s", SLICE_ARG(dir), sep, SLICE_ARG(name)));
}
