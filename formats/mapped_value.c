/*
 * mapped_value.c -- kinds of values, and the observables that hold them.
 *
 * One row a flat type (mapping.md section 9): how its text is checked, the pattern path that tests
 * for it, and the STIX observable and property that carry it.
 */
#include "formats/fingerprint.h"
#include "formats/mapped_value.h"
#include "formats/sco.h"

const struct map_flat map_flats[] = {
	{ "ipv4", T_IPV4, false, "ipv4-addr:value", "ipv4-addr", "value", NULL },
	{ "ipv4-net", T_IPV4, true, "ipv4-addr:value", "ipv4-addr", "value", NULL },
	{ "ipv6", T_IPV6, false, "ipv6-addr:value", "ipv6-addr", "value", NULL },
	{ "ipv6-net", T_IPV6, true, "ipv6-addr:value", "ipv6-addr", "value", NULL },
	{ "domain", T_DOMAIN, false, "domain-name:value", "domain-name", "value", NULL },
	{ "url", T_URL, false, "url:value", "url", "value", NULL },
	{ "email", T_EMAIL, false, "email-addr:value", "email-addr", "value", NULL },
	{ "md5", T_FILE_MD5, false, "file:hashes.MD5", "file", "hashes", "MD5" },
	{ "sha1", T_FILE_SHA1, false, "file:hashes.'SHA-1'", "file", "hashes", "SHA-1" },
	{ "sha256", T_FILE_SHA256, false, "file:hashes.'SHA-256'", "file", "hashes", "SHA-256" },
	{ "sha512", T_FILE_SHA512, false, "file:hashes.'SHA-512'", "file", "hashes", "SHA-512" },
	{ "ssdeep", T_FILE_SSDEEP, false, "file:hashes.SSDEEP", "file", "hashes", "SSDEEP" },
	{ "filename", T_FILE_NAME, false, "file:name", "file", "name", NULL },
	{ "filesize", T_FILE_SIZE, false, "file:size", "file", "size", NULL },
	{ "regkey", T_REGKEY, false, "windows-registry-key:key", "windows-registry-key", "key",
	    NULL },
	{ "mutex", T_MUTEX, false, "mutex:name", "mutex", "name", NULL },
	{ "asn", T_ASN, false, "autonomous-system:number", "autonomous-system", "number", NULL },
	{ "mac", T_MAC, false, "mac-addr:value", "mac-addr", "value", NULL },
	{ "useragent", T_USER_AGENT, false,
	    "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'", NULL, NULL,
	    NULL },
	{ "cert-sha1", T_FILE_SHA1, false, "x509-certificate:hashes.'SHA-1'", "x509-certificate",
	    "hashes", "SHA-1" },
	{ "cert-sha256", T_FILE_SHA256, false, "x509-certificate:hashes.'SHA-256'",
	    "x509-certificate", "hashes", "SHA-256" },
	{ "user", T_USER, false, "user-account:account_login", "user-account", "account_login",
	    NULL },
	{ NULL, T_NONE, false, NULL, NULL, NULL, NULL }
};

/* Detecting kinds and what they may turn out to be. */
static const struct {
	const char	*kind;
	const char	*types[18];
} detecting[] = {
	{ "ip", { "ipv4", "ipv4-net", "ipv6", "ipv6-net" } },
	{ "host", { "ipv4", "ipv4-net", "ipv6", "ipv6-net", "domain" } },
	{ "host-or-url", { "url", "ipv4", "ipv4-net", "ipv6", "ipv6-net", "domain" } },
	{ "hash", { "md5", "sha1", "sha256", "sha512" } },
	{ "auto", { "url", "email", "ipv4", "ipv4-net", "ipv6", "ipv6-net", "md5", "sha1", "sha256",
	    "sha512", "domain" } },
};

/* Return the row of a flat type, or NULL. */
const struct map_flat *
map_flat_find(struct slice type)
{
	for (const struct map_flat *f = map_flats; f->type != NULL; f++)
		if (slice_is(type, f->type))
			return f;
	return NULL;
}

/* Is it a word for a kind of value? */
bool
map_kind_known(struct slice kind)
{
	for (size_t i = 0; i < sizeof(detecting) / sizeof(*detecting); i++)
		if (slice_is(kind, detecting[i].kind))
			return true;
	return slice_is(kind, "pattern") || map_flat_find(kind) != NULL;
}

/* May the kind stand for the type? */
bool
map_kind_covers(struct slice kind, struct slice type)
{
	if (slice_eq(kind, type))
		return true;
	for (size_t i = 0; i < sizeof(detecting) / sizeof(*detecting); i++)
		for (size_t t = 0; slice_is(kind, detecting[i].kind) &&
		    detecting[i].types[t] != NULL; t++)
			if (slice_is(type, detecting[i].types[t]))
				return true;
	return false;
}

/* Return the flat type of a named target's value, empty if none. */
struct slice
map_flat_type(enum map_target t, struct slice value)
{
	bool six = memchr(value.p, ':', value.n) != NULL;
	bool net = memchr(value.p, '/', value.n) != NULL;

	if (t == T_IP || t == T_TRAFFIC_SRC || t == T_TRAFFIC_DST)
		t = six ? T_IPV6 : T_IPV4;
	for (const struct map_flat *f = map_flats; f->type != NULL; f++)
		if (f->target == t && f->net == ((t == T_IPV4 || t == T_IPV6) && net))
			return slice_of(f->type);
	return SLICE_EMPTY;
}

/* Cut "ADDR:PORT" or "[ADDR]:PORT" apart. */
static bool
split_port(struct slice s, struct slice *host, struct slice *port)
{
	const char *colon = memrchr(s.p, ':', s.n);

	if (colon == NULL || s.n < 3)
		return false;
	*host = (struct slice){ s.p, (size_t)(colon - s.p) };
	*port = (struct slice){ colon + 1, s.n - host->n - 1 };
	if (host->n > 2 && host->p[0] == '[' && host->p[host->n - 1] == ']')
		*host = (struct slice){ host->p + 1, host->n - 2 };
	else if (memchr(host->p, ':', host->n) != NULL)
		return false;
	return true;
}

/* Is it of this flat type? Fills out->type and ->value. */
static bool
value_is(const char *type, struct slice s, struct arena *mem, struct map_atom *out)
{
	const struct map_flat *f = map_flat_find(slice_of(type));
	struct slice v;

	if (map_normalise(f->target, s, mem, &v, NULL) < 0 || v.n == 0)
		return false;
	if (f->target == T_IPV4 || f->target == T_IPV6)
		if (f->net != (memchr(v.p, '/', v.n) != NULL))
			return false;
	out->type = slice_of(f->type);
	out->value = v;
	return true;
}

/* Does the text look like a value of this type at all? Keeps `auto` from calling all words hosts. */
static bool
looks_like(const char *type, struct slice s)
{
	if (strcmp(type, "url") == 0)
		return memmem(s.p, s.n, "://", 3) != NULL;
	if (strcmp(type, "email") == 0)
		return memchr(s.p, '@', s.n) != NULL;
	if (strcmp(type, "domain") == 0)
		return memchr(s.p, '.', s.n) != NULL && memchr(s.p, '/', s.n) == NULL &&
		    memchr(s.p, '@', s.n) == NULL;
	return true;
}

/* Try the types of a detecting kind; for addresses also with a port behind them. */
static bool
detect(const char *const *types, struct slice s, struct arena *mem, struct map_atom *out)
{
	struct slice host, port;
	bool ip = false;

	for (size_t i = 0; types[i] != NULL; i++) {
		ip |= strcmp(types[i], "ipv4") == 0;
		if (looks_like(types[i], s) && value_is(types[i], s, mem, out))
			return true;
	}
	if (!ip || !split_port(s, &host, &port) ||
	    map_normalise(T_PORT, port, mem, &out->port, NULL) < 0)
		return false;
	return value_is("ipv4", host, mem, out) || value_is("ipv6", host, mem, out);
}

/* Find type and canonical value; -1 with the reason if it is not of that kind. */
int
map_value_parse(struct slice kind, struct slice text, struct arena *mem, struct map_atom *out,
    struct err *e)
{
	struct slice s = slice_trim(value_refang(text, mem));
	const struct map_flat *f;

	for (size_t i = 0; i < sizeof(detecting) / sizeof(*detecting); i++)
		if (slice_is(kind, detecting[i].kind)) {
			if (detect(detecting[i].types, s, mem, out))
				return 0;
			return err_set(e, ERR_VALUE, "value: \"%.*s\" is not of kind %s",
			    (int)(s.n < 80 ? s.n : 80), s.p, detecting[i].kind);
		}
	if ((f = map_flat_find(kind)) == NULL)
		return err_set(e, ERR_VALUE, "type: \"%.*s\" is no kind of value",
		    (int)(kind.n < 40 ? kind.n : 40), kind.p);
	if (!value_is(f->type, f->target == T_URL ? s : text, mem, out))
		return err_set(e, ERR_VALUE, "value: \"%.*s\" is not of kind %s",
		    (int)(s.n < 80 ? s.n : 80), s.p, f->type);
	return 0;
}

/* ---- observables ------------------------------------------------------------------------------ */

/* Return an observable without value and id. */
json *
map_observable_new(struct arena *mem, const char *type)
{
	json *o = json_object(mem);

	json_put_str(mem, o, "type", slice_of(type));
	json_put_str(mem, o, "spec_version", SLICE_LIT("2.1"));
	json_put_str(mem, o, "id", SLICE_EMPTY);	/* its place */
	return o;
}

/* Put a value into an observable. */
void
map_observable_put(struct arena *mem, json *sco, const struct map_flat *f, struct slice value)
{
	unsigned long long v;
	json *hashes;

	if (f->hash != NULL) {
		hashes = json_get(sco, f->property);
		if (hashes == NULL)
			hashes = json_put(mem, sco, f->property, json_object(mem));
		json_put_str(mem, hashes, f->hash, value);
	} else if ((f->target == T_ASN || f->target == T_FILE_SIZE) && slice_u64(value, &v)) {
		json_put_int(mem, sco, f->property, (int64_t)v);
	} else {
		json_put_str(mem, sco, f->property, value);
	}
}

/* Return the observable of a value, NULL if its type has none. */
json *
map_observable(struct arena *mem, struct slice type, struct slice value)
{
	const struct map_flat *f = map_flat_find(type);
	json *o;

	if (f == NULL || f->sco == NULL)
		return NULL;
	o = map_observable_new(mem, f->sco);
	map_observable_put(mem, o, f, value);
	json_put_str(mem, o, "id", sco_id(mem, o));
	return o;
}

/* Return type and value of an observable; false if it has none. */
bool
map_observable_value(const json *sco, struct arena *mem, struct slice *type, struct slice *value,
    const json **node)
{
	struct slice sco_type = json_member(sco, "type");
	const json *v = NULL;

	for (const struct map_flat *f = map_flats; f->type != NULL; f++) {
		if (f->sco == NULL || !slice_is(sco_type, f->sco))
			continue;
		v = json_get(sco, f->property);
		if (f->hash != NULL)
			v = json_get(v, f->hash);
		*value = json_is_number(v) ? json_number_text(mem, v) : json_slice(v);
		if (value->n == 0)
			continue;
		*type = slice_of(f->type);
		if (f->target == T_IPV4 || f->target == T_IPV6)
			*type = map_flat_type(T_IP, *value);
		if (node != NULL)
			*node = v;
		return true;
	}
	return false;
}
