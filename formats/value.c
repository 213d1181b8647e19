#include "formats/value.h"

#include <ctype.h>
#include <stdint.h>
#include <strings.h>

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"

typedef bool normalise_fn(struct slice s, struct arena *mem, struct slice *out);

/* What people write between [] () {} so that nothing is clicked by accident. */
static const struct {
	const char	*fanged;
	const char	*plain;
} tokens[] = {
	{ ".", "." }, { "dot", "." }, { "@", "@" }, { "at", "@" }, { ":", ":" }, { "://", "://" },
	{ "/", "/" }, { "//", "//" }
};

static const struct {
	const char	*fanged;
	const char	*plain;
} schemes[] = {
	{ "hxxps", "https" }, { "hxxp", "http" }, { "h**ps", "https" }, { "h**p", "http" },
	{ "htxps", "https" }, { "htxp", "http" }, { "fxps", "ftps" }, { "fxp", "ftp" }
};

static const struct {
	const char	*brief;
	const char	*name;
} hives[] = {
	{ "HKLM", "HKEY_LOCAL_MACHINE" }, { "HKCU", "HKEY_CURRENT_USER" },
	{ "HKCR", "HKEY_CLASSES_ROOT" }, { "HKU", "HKEY_USERS" },
	{ "HKCC", "HKEY_CURRENT_CONFIG" }, { "HKPD", "HKEY_PERFORMANCE_DATA" }
};

struct slice
value_lower(struct slice s, struct arena *mem)
{
	char *p = arena_raw(mem, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	p[s.n] = '\0';
	return slice_from(p, s.n);
}

/* The plain form of the bracketed token that text[0..n) ends in, and its length in *cut; NULL if
 * there is none. */
static const char *
fanged_tail(const char *text, size_t n, size_t *cut)
{
	static const char open[] = "[({", close[] = "])}";
	const char *pair = n < 3 ? NULL : memchr(close, text[n - 1], 3);
	size_t at, inner;

	if (pair == NULL)
		return NULL;
	for (inner = 1; inner <= 3 && inner + 2 <= n; inner++) {
		at = n - 2 - inner;
		if (text[at] != open[pair - close])
			continue;
		for (size_t i = 0; i < COUNTOF(tokens); i++) {
			if (!slice_is_nocase(slice_from(text + at + 1, inner), tokens[i].fanged))
				continue;
			*cut = inner + 2;
			return tokens[i].plain;
		}
	}
	return NULL;
}

/* http for hxxp; the slice itself if it begins with no such scheme. */
static struct slice
refang_scheme(struct slice s, struct arena *mem)
{
	for (size_t i = 0; i < COUNTOF(schemes); i++) {
		size_t n = strlen(schemes[i].fanged);

		if (s.n > n && strncasecmp(s.p, schemes[i].fanged, n) == 0 && s.p[n] == ':')
			return slice_of(arena_fmt(mem, "%s%.*s", schemes[i].plain, (int)(s.n - n),
			    s.p + n));
	}
	return s;
}

/* Written as a stack: each character is pushed, and a closing bracket takes the token it completes
 * off again. So the result holds no token, not even one that came about by refanging. */
struct slice
value_refang(struct slice s, struct arena *mem)
{
	char *p;
	size_t n = 0, cut;

	if (s.n == 0)
		return s;
	p = arena_raw(mem, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		const char *plain;

		p[n++] = s.p[i];
		while ((plain = fanged_tail(p, n, &cut)) != NULL) {
			n -= cut;
			memcpy(p + n, plain, strlen(plain));
			n += strlen(plain);
		}
	}
	p[n] = '\0';
	return refang_scheme(slice_from(p, n), mem);
}

bool
value_scheme_is_fanged(struct slice scheme)
{
	for (size_t i = 0; i < COUNTOF(schemes); i++)
		if (slice_is_nocase(scheme, schemes[i].fanged))
			return true;
	return false;
}

static bool
text_value(struct slice s, struct arena *mem, struct slice *out)
{
	(void)mem;
	*out = slice_trim(s);
	return out->n > 0;
}

static bool
ipv4_value(struct slice s, struct arena *mem, struct slice *out)
{
	return value_ip(4, value_refang(s, mem), mem, out);
}

static bool
ipv6_value(struct slice s, struct arena *mem, struct slice *out)
{
	return value_ip(6, value_refang(s, mem), mem, out);
}

/* Twelve hex digits, alone or in even groups held apart by one kind of sign. */
static bool
mac_value(struct slice s, struct arena *mem, struct slice *out)
{
	char digits[12], text[18], sign = '\0';
	size_t n = 0, group = 0, each = 0;

	s = slice_trim(value_refang(s, mem));
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == ':' || c == '-' || c == '.') {
			if ((sign != '\0' && c != sign) || group == 0 ||
			    (each != 0 && group != each))
				return false;
			sign = c;
			each = group;
			group = 0;
		} else if (n < sizeof(digits) && isxdigit((unsigned char)c)) {
			digits[n++] = ascii_lower(c);
			group++;
		} else {
			return false;
		}
	}
	if (n != sizeof(digits) || (each != 0 && (group != each || each % 2 != 0)))
		return false;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 3 == 2 ? ':' : digits[i / 3 * 2 + i % 3];
	*out = arena_slice(mem, slice_from(text, sizeof(text) - 1));
	return true;
}

/* "64496", "AS64496", "ASN 64496", "1.10" (RFC 5396). */
static bool
asn_value(struct slice s, struct arena *mem, struct slice *out)
{
	unsigned long long high = 0, low;
	struct slice rest;

	s = slice_trim(s);
	for (size_t n = 3; n >= 2; n--) {
		if (s.n > n && strncasecmp(s.p, "ASN", n) == 0) {
			s = slice_trim(slice_from(s.p + n, s.n - n));
			break;
		}
	}
	rest = s;
	if (memchr(s.p, '.', s.n) != NULL) {
		if (!slice_u64(slice_cut(&rest, '.'), &high) || high > UINT16_MAX)
			return false;
		if (!slice_u64(rest, &low) || low > UINT16_MAX)
			return false;
	} else if (!slice_u64(s, &low) || low > UINT32_MAX) {
		return false;
	}
	*out = slice_of(arena_fmt(mem, "%llu", high << 16 | low));
	return true;
}

/* The hive's full name in upper case, or the part as it is. */
static struct slice
hive(struct slice s, struct arena *mem)
{
	for (size_t i = 0; i < COUNTOF(hives); i++)
		if (slice_is_nocase(s, hives[i].brief) || slice_is_nocase(s, hives[i].name))
			return slice_of(hives[i].name);
	return arena_slice(mem, s);
}

static bool
regkey_value(struct slice s, struct arena *mem, struct slice *out)
{
	struct slice first, rest = slice_trim(s);
	char *p;
	size_t n;

	while (rest.n > 0 && rest.p[0] == '\\')
		rest.p++, rest.n--;
	while (rest.n > 0 && (rest.p[rest.n - 1] == '\\' || slice_trim(rest).n < rest.n))
		rest.n--;
	first = slice_trim(slice_cut(&rest, '\\'));
	if (first.n == 0)
		return false;
	first = hive(first, mem);
	p = arena_raw(mem, first.n + rest.n + 2);
	memcpy(p, first.p, n = first.n);
	while (rest.n > 0) {
		struct slice part = slice_cut(&rest, '\\');

		if (part.n == 0)
			continue;
		p[n++] = '\\';
		memcpy(p + n, part.p, part.n);
		n += part.n;
	}
	p[n] = '\0';
	*out = slice_from(p, n);
	return true;
}

static bool
word_value(struct slice s, struct arena *mem, struct slice *out)
{
	s = slice_trim(s);
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ')
			return false;
	if (s.n == 0)
		return false;
	*out = value_lower(s, mem);
	return true;
}

static bool
domain_value(struct slice s, struct arena *mem, struct slice *out)
{
	return value_domain(value_refang(s, mem), mem, out);
}

static normalise_fn *const normalisers[VALUE_KINDS] = {
	[VALUE_TEXT] = text_value, [VALUE_IPV4] = ipv4_value, [VALUE_IPV6] = ipv6_value,
	[VALUE_DOMAIN] = domain_value, [VALUE_URL] = value_url, [VALUE_EMAIL] = value_email,
	[VALUE_HASH] = value_any_hash, [VALUE_MAC] = mac_value, [VALUE_ASN] = asn_value,
	[VALUE_REGKEY] = regkey_value, [VALUE_PROTOCOL] = value_protocol,
	[VALUE_PORT] = value_port, [VALUE_WORD] = word_value
};

bool
value_normalise(enum value_kind kind, struct slice s, struct arena *mem, struct slice *out)
{
	struct slice value;

	if (!normalisers[kind](s, mem, &value))
		return false;
	*out = value;
	return true;
}
