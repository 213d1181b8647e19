/*
 * warnlist.c -- rows of the warning list, and the search in them.
 *
 * Networks: [first, last] as 16 bytes (IPv4 inside ::ffff:0:0/96), sorted by first, and for each the
 * greatest last so far, so that overlap is one binary search. Names and hashes: one hash table of
 * texts; a name is asked with each of its suffixes.
 */
#include "formats/warnlist.h"

#include <assert.h>
#include <stdlib.h>

#include "formats/flat_impl.h"
#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/lines.h"

enum { ADDR = 16, NAMES_START = 256 };

struct range {
	uint8_t		 first[ADDR], last[ADDR];
	const char	*reason;
	size_t		 widest;	/* row up to this one that ends last */
};

struct name {
	struct slice	 text;
	const char	*reason;
	bool		 above;		/* only names of the list stand below it: it is no hit for others */
};

struct warnlist {
	struct arena	*mem;
	struct range	*v;
	size_t		 n, cap;
	struct name	*names;		/* open addressing; text.n 0: free */
	size_t		 nnames, nabove, names_cap;
	bool		 sealed;
};

/* Networks that are nobody's on the Internet (IANA's registries of special purpose, RFC 6890) and
 * those of documentation. Names: RFC 2606, 6761, 6762, 8375, 9476. Hashes: of no byte at all. */
static const struct {
	const char	*value, *reason;
} built_in[] = {
	{ "0.0.0.0/8", "this host and network (RFC 791)" },
	{ "10.0.0.0/8", "private network (RFC 1918)" },
	{ "172.16.0.0/12", "private network (RFC 1918)" },
	{ "192.168.0.0/16", "private network (RFC 1918)" },
	{ "100.64.0.0/10", "shared address space of providers (RFC 6598)" },
	{ "127.0.0.0/8", "loopback (RFC 1122)" },
	{ "169.254.0.0/16", "link-local (RFC 3927)" },
	{ "192.0.0.0/24", "protocol assignments (RFC 6890)" },
	{ "192.0.2.0/24", "documentation (RFC 5737)" },
	{ "198.51.100.0/24", "documentation (RFC 5737)" },
	{ "203.0.113.0/24", "documentation (RFC 5737)" },
	{ "192.88.99.0/24", "6to4 relays, given up (RFC 7526)" },
	{ "198.18.0.0/15", "benchmarks (RFC 2544)" },
	{ "224.0.0.0/4", "multicast (RFC 5771)" },
	{ "240.0.0.0/4", "reserved, and broadcast (RFC 1112, 919)" },
	{ "::/128", "the unspecified address (RFC 4291)" },
	{ "::1/128", "loopback (RFC 4291)" },
	{ "64:ff9b:1::/48", "local translation (RFC 8215)" },
	{ "100::/64", "discarded (RFC 6666)" },
	{ "2001:2::/48", "benchmarks (RFC 5180)" },
	{ "2001:db8::/32", "documentation (RFC 3849)" },
	{ "3fff::/20", "documentation (RFC 9637)" },
	{ "5f00::/16", "segment routing (RFC 9602)" },
	{ "fc00::/7", "unique local addresses (RFC 4193)" },
	{ "fe80::/10", "link-local (RFC 4291)" },
	{ "fec0::/10", "site-local, given up (RFC 3879)" },
	{ "ff00::/8", "multicast (RFC 4291)" },
	{ "example", "documentation (RFC 2606)" },
	{ "example.com", "documentation (RFC 2606)" },
	{ "example.net", "documentation (RFC 2606)" },
	{ "example.org", "documentation (RFC 2606)" },
	{ "test", "tests (RFC 2606)" },
	{ "invalid", "never a name (RFC 2606)" },
	{ "localhost", "this host (RFC 6761)" },
	{ "localdomain", "this host" },
	{ "local", "names of the local link (RFC 6762)" },
	{ "home.arpa", "names of homes (RFC 8375)" },
	{ "internal", "names of private networks" },
	{ "alt", "names outside of DNS (RFC 9476)" },
	{ "in-addr.arpa", "reverse names" },
	{ "ip6.arpa", "reverse names" },
	{ "d41d8cd98f00b204e9800998ecf8427e", "MD5 of an empty file" },
	{ "da39a3ee5e6b4b0d3255bfef95601890afd80709", "SHA-1 of an empty file" },
	{ "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "SHA-256 of an empty file" },
	{ "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
	    "SHA-512 of an empty file" }
};

struct warnlist *
warnlist_new(void)
{
	struct warnlist *w = xcalloc(1, sizeof(*w));

	w->mem = arena_new();
	for (size_t i = 0; i < COUNTOF(built_in); i++)
		if (!warnlist_add(w, slice_of(built_in[i].value), built_in[i].reason))
			assert(!"a built-in row that is no value");
	return w;
}

void
warnlist_free(struct warnlist *w)
{
	if (w == NULL)
		return;
	arena_free(w->mem);
	free(w->v);
	free(w->names);
	free(w);
}

size_t
warnlist_count(const struct warnlist *w)
{
	return w->n + w->nnames - w->nabove;
}

/* --- networks ------------------------------------------------------------------------------- */

/* First and last address of a canonical network or address. */
static bool
range_of(struct slice value, struct range *out)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	static const uint8_t translated[12] = { 0, 0x64, 0xff, 0x9b };
	uint8_t addr[ADDR] = { 0 };
	int family, prefix;

	if (!word_cidr(value, &family, addr, &prefix))
		return false;
	if (family == 6 && prefix >= 96 && memcmp(addr, translated, sizeof(translated)) == 0)
		memcpy(addr, mapped, sizeof(mapped));	/* by way of NAT64 it is the IPv4 address */
	memset(out, 0, sizeof(*out));
	if (family == 4) {
		memcpy(out->first, mapped, sizeof(mapped));
		memcpy(out->first + 12, addr, 4);
		prefix += 96;
	} else {
		memcpy(out->first, addr, ADDR);
	}
	memcpy(out->last, out->first, ADDR);
	for (int bit = prefix; bit < ADDR * 8; bit++)
		out->last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return true;
}

static int
by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	int c = memcmp(x->first, y->first, ADDR);

	return c != 0 ? c : memcmp(x->last, y->last, ADDR);
}

void
warnlist_seal(struct warnlist *w)
{
	if (w->n > 0)
		qsort(w->v, w->n, sizeof(*w->v), by_first);
	for (size_t i = 0; i < w->n; i++) {
		w->v[i].widest = i;
		if (i > 0 && memcmp(w->v[w->v[i - 1].widest].last, w->v[i].last, ADDR) > 0)
			w->v[i].widest = w->v[i - 1].widest;
	}
	w->sealed = true;
}

/* More than an IPv4 /8 or an IPv6 /19: no enemy owns that much. */
static bool
is_too_wide(const struct range *r)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	bool four = memcmp(r->first, mapped, sizeof(mapped)) == 0;

	if (four)
		return r->first[12] != r->last[12];
	return r->first[0] != r->last[0] || r->first[1] != r->last[1] ||
	    (r->first[2] & 0xe0) != (r->last[2] & 0xe0);
}

/* Among the rows that begin before the value ends, does the one that ends last reach its begin? */
static const char *
hit_network(const struct warnlist *w, struct slice value)
{
	struct range r;
	size_t low = 0, high = w->n;

	if (!range_of(value, &r))
		return NULL;
	if (is_too_wide(&r))
		return "a network as wide as a part of the Internet";
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(w->v[mid].first, r.last, ADDR) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return NULL;
	low = w->v[low - 1].widest;
	return memcmp(w->v[low].last, r.first, ADDR) >= 0 ? w->v[low].reason : NULL;
}

/* --- names and hashes ----------------------------------------------------------------------- */

static size_t
hash(struct slice s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 29);
}

static struct name *
slot(struct name *v, size_t cap, struct slice text)
{
	size_t i = hash(text) & (cap - 1);

	while (v[i].text.n > 0 && !slice_eq(v[i].text, text))
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static void
grow(struct warnlist *w)
{
	size_t cap = w->names_cap == 0 ? NAMES_START : w->names_cap * 2;
	struct name *v = xcalloc(cap, sizeof(*v));

	for (size_t i = 0; i < w->names_cap; i++)
		if (w->names[i].text.n > 0)
			*slot(v, cap, w->names[i].text) = w->names[i];
	free(w->names);
	w->names = v;
	w->names_cap = cap;
}

/* The first reason of a text stays, unless it was only above another one. */
static void
add_name(struct warnlist *w, struct slice text, const char *reason, bool above)
{
	struct name *at;

	if (w->nnames * 2 >= w->names_cap)
		grow(w);
	at = slot(w->names, w->names_cap, text);
	if (at->text.n > 0 && (above || !at->above))
		return;
	w->nnames += at->text.n == 0;
	w->nabove = w->nabove + above - at->above;
	*at = (struct name){ arena_slice(w->mem, text), arena_str(w->mem, slice_of(reason)), above };
}

/* A name, and those that it stands below: who blocks `ee` blocks `cert.ee` too. */
static void
add_domain(struct warnlist *w, struct slice name, const char *reason)
{
	add_name(w, name, reason, false);
	for (slice_cut(&name, '.'); name.n > 0; slice_cut(&name, '.'))
		add_name(w, name, "a name that stands above one of the list", true);
}

static const char *
hit_name(const struct warnlist *w, struct slice text, bool whole)
{
	const struct name *at = text.n == 0 ? NULL : slot(w->names, w->names_cap, text);

	return at == NULL || (at->above && !whole) ? NULL : at->reason;
}

/* The name, or one that it stands below; if a whole name is meant with all below it, also one of the list
 * that stands below it. */
static const char *
hit_domain(const struct warnlist *w, struct slice name, bool whole)
{
	const char *reason;

	for (;; slice_cut(&name, '.')) {
		if ((reason = hit_name(w, name, whole)) != NULL || name.n == 0)
			return reason;
		whole = whole && slice_starts(name, "*.");
	}
}

/* No enemy owns all that ends in `.xx`. */
static bool
is_top_level(struct slice name)
{
	while (slice_starts(name, "*."))
		name = slice_from(name.p + 2, name.n - 2);
	return memchr(name.p, '.', name.n) == NULL;
}

/* A host of a URL or what stands behind the @ of a mail address. */
static const char *
hit_host(const struct warnlist *w, struct slice host)
{
	struct range ignored;

	return range_of(host, &ignored) ? hit_network(w, host) : hit_domain(w, host, false);
}

/* --- both ----------------------------------------------------------------------------------- */

bool
warnlist_add(struct warnlist *w, struct slice value, const char *reason)
{
	struct arena *mem = arena_new();
	struct slice v;
	struct range r;
	bool ok = true;

	assert(!w->sealed);
	if ((value_normalise(VALUE_IPV4, value, mem, &v) ||
	    value_normalise(VALUE_IPV6, value, mem, &v)) && range_of(v, &r)) {
		r.reason = arena_str(w->mem, slice_of(reason));
		if (w->n == w->cap) {
			w->cap = w->cap == 0 ? 64 : w->cap * 2;
			w->v = xrealloc(w->v, w->cap * sizeof(*w->v));
		}
		w->v[w->n++] = r;
	} else if (value_normalise(VALUE_HASH, value, mem, &v)) {
		add_name(w, v, reason, false);
	} else if (value_normalise(VALUE_DOMAIN, value, mem, &v)) {
		add_domain(w, v, reason);
	} else {
		ok = false;
	}
	arena_free(mem);
	return ok;
}

size_t
warnlist_add_lines(struct warnlist *w, struct slice text, const char *reason)
{
	for (size_t number = 1; text.n > 0; number++) {
		struct slice line = slice_cut(&text, '\n'), comment = line;

		line = slice_trim(slice_cut(&comment, '#'));
		if (line.n > 0 && !warnlist_add(w, line, reason))
			return number;
	}
	return 0;
}

/* The host of a URL, without user, port and brackets. */
static struct slice
url_host(struct slice url)
{
	const char *at = memmem(url.p, url.n, "://", 3);
	struct slice host = at == NULL ? SLICE_EMPTY :
	    slice_from(at + 3, url.n - (size_t)(at + 3 - url.p));
	size_t n = 0;

	while (n < host.n && strchr("/?#", host.p[n]) == NULL)
		n++;
	host.n = n;
	while (n > 0 && host.p[n - 1] != '@')
		n--;
	host = slice_from(host.p + n, host.n - n);
	for (n = host.n; n > 0 && ascii_is_digit(host.p[n - 1]); n--)
		;
	if (n > 1 && host.p[n - 1] == ':')
		host.n = n - 1;
	if (host.n > 2 && host.p[0] == '[')
		host = slice_from(host.p + 1, host.n - 2);
	return host;
}

const char *
warnlist_hit(const struct warnlist *w, enum flat_type type, struct slice value)
{
	const char *at;

	assert(w->sealed);
	switch (type) {
	case FLAT_IPV4:
	case FLAT_IPV4_NET:
	case FLAT_IPV6:
	case FLAT_IPV6_NET:
		return hit_network(w, value);
	case FLAT_DOMAIN:
		at = hit_domain(w, value, true);
		return at == NULL && is_top_level(value) ? "a name as wide as a part of the Internet" : at;
	case FLAT_URL:
		return hit_host(w, url_host(value));
	case FLAT_EMAIL:
		at = memrchr(value.p, '@', value.n);
		return at == NULL ? NULL :
		    hit_host(w, slice_from(at + 1, value.n - (size_t)(at + 1 - value.p)));
	case FLAT_MD5:
	case FLAT_SHA1:
	case FLAT_SHA256:
	case FLAT_SHA512:
		return hit_name(w, value, true);
	default:
		return NULL;
	}
}
