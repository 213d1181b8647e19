/* mapped_target.c -- what a field can be mapped to, and what a legal value of it looks like. */
#include "formats/fingerprint.h"
#include "formats/mapped_impl.h"
#include "formats/xml.h"
#include "gateway/base/clock.h"

enum { L = TARGET_LIST, N = TARGET_NUMBER, P = TARGET_PATTERN, A = TARGET_LIST | TARGET_ARRAY };

const struct map_target_info map_targets[TARGETS] = {
	[T_NONE]		= { "", NORM_RAW, 0 },
	[T_TYPE]		= { "type", NORM_LOWER, P },
	[T_VALUE]		= { "value", NORM_RAW, P },
	[T_ROLE]		= { "role", NORM_ROLE, P },
	[T_PORT]		= { "port", NORM_PORT, P | N },
	[T_PROTOCOL]		= { "protocol", NORM_PROTOCOL, P },
	[T_PATTERN]		= { "pattern", NORM_RAW, P },
	[T_PATTERN_TYPE]	= { "pattern_type", NORM_LINE, P },
	[T_IP]			= { "ip", NORM_IP, P | L },
	[T_IPV4]		= { "ipv4", NORM_IPV4, P | L },
	[T_IPV6]		= { "ipv6", NORM_IPV6, P | L },
	[T_DOMAIN]		= { "domain", NORM_DOMAIN, P | L },
	[T_URL]			= { "url", NORM_URL, P | L },
	[T_EMAIL]		= { "email", NORM_EMAIL, P | L },
	[T_FILE_NAME]		= { "file.name", NORM_LINE, P },
	[T_FILE_SIZE]		= { "file.size", NORM_COUNT, P | N },
	[T_FILE_MD5]		= { "file.md5", NORM_MD5, P },
	[T_FILE_SHA1]		= { "file.sha1", NORM_SHA1, P },
	[T_FILE_SHA256]		= { "file.sha256", NORM_SHA256, P },
	[T_FILE_SHA512]		= { "file.sha512", NORM_SHA512, P },
	[T_FILE_SSDEEP]		= { "file.ssdeep", NORM_LINE, P },
	[T_USER]		= { "user", NORM_LINE, P | L },
	[T_ASN]			= { "asn", NORM_ASN, P | L | N },
	[T_MAC]			= { "mac", NORM_MAC, P | L },
	[T_REGKEY]		= { "regkey", NORM_REGKEY, P | L },
	[T_MUTEX]		= { "mutex", NORM_LINE, P | L },
	[T_USER_AGENT]		= { "user_agent", NORM_LINE, P | L },
	[T_TRAFFIC_SRC]		= { "traffic.src", NORM_IP, P },
	[T_TRAFFIC_SRC_PORT]	= { "traffic.src_port", NORM_PORT, P | N },
	[T_TRAFFIC_DST]		= { "traffic.dst", NORM_IP, P },
	[T_TRAFFIC_DST_PORT]	= { "traffic.dst_port", NORM_PORT, P | N },
	[T_TRAFFIC_PROTOCOL]	= { "traffic.protocol", NORM_PROTOCOL, P },
	[T_TRAFFIC_SRC_BYTES]	= { "traffic.src_bytes", NORM_COUNT, P | N },
	[T_TRAFFIC_DST_BYTES]	= { "traffic.dst_bytes", NORM_COUNT, P | N },
	[T_NAME]		= { "name", NORM_LINE, 0 },
	[T_DESCRIPTION]		= { "description", NORM_TEXT, 0 },
	[T_INDICATOR_TYPES]	= { "indicator_types", NORM_LINE, A },
	[T_LABELS]		= { "labels", NORM_LINE, A },
	[T_KILL_CHAIN]		= { "kill_chain", NORM_LINE, A },
	[T_CONFIDENCE]		= { "confidence", NORM_PERCENT, N },
	[T_TLP]			= { "tlp", NORM_TLP, 0 },
	[T_LANG]		= { "lang", NORM_LINE, 0 },
	[T_VALID_FROM]		= { "valid_from", NORM_TIME, 0 },
	[T_VALID_UNTIL]		= { "valid_until", NORM_TIME, 0 },
	[T_CREATED]		= { "created", NORM_TIME, 0 },
	[T_MODIFIED]		= { "modified", NORM_TIME, 0 },
	[T_FIRST_OBSERVED]	= { "first_observed", NORM_TIME, 0 },
	[T_LAST_OBSERVED]	= { "last_observed", NORM_TIME, 0 },
	[T_NUMBER_OBSERVED]	= { "number_observed", NORM_COUNT, N },
	[T_PUBLISHED]		= { "published", NORM_TIME, 0 },
	[T_SOURCE_URL]		= { "source_url", NORM_LINE, L },
	[T_EXTERNAL_ID]		= { "external_id", NORM_LINE, L },
	[T_ID]			= { "id", NORM_LINE, 0 },
	[T_MALWARE]		= { "malware", NORM_LINE, L },
	[T_THREAT_ACTOR]	= { "threat_actor", NORM_LINE, L },
	[T_CAMPAIGN]		= { "campaign", NORM_LINE, L },
	[T_ATTACK_PATTERN]	= { "attack_pattern", NORM_LINE, L },
	[T_VULNERABILITY]	= { "vulnerability", NORM_CVE, L },
	[T_REPORT]		= { "report", NORM_LINE, L },
	[T_CREATOR_NAME]	= { "creator.name", NORM_LINE, 0 },
	[T_CREATOR_EMAIL]	= { "creator.email", NORM_LINE, 0 },
	[T_CREATOR_PHONE]	= { "creator.phone", NORM_LINE, 0 },
	[T_X]			= { "x:NAME", NORM_RAW, L },
};

/* Return the target of that name, T_NONE if there is none. */
enum map_target
map_target_find(struct slice word)
{
	for (int t = T_NONE + 1; t < T_X; t++)
		if (slice_is(word, map_targets[t].name))
			return (enum map_target)t;
	return slice_starts(word, "x:") && word.n > 2 ? T_X : T_NONE;
}

/* Append a text. */
void
texts_add(struct texts *t, struct arena *mem, struct slice s)
{
	struct slice *bigger;

	if (t->n == t->cap) {		/* most have one: start smaller than arena_grow does */
		t->cap = t->cap == 0 ? 1 : t->cap * 4;
		bigger = arena_raw(mem, t->cap * sizeof(*bigger));
		if (t->n > 0)
			memcpy(bigger, t->v, t->n * sizeof(*bigger));
		t->v = bigger;
	}
	t->v[t->n++] = s;
}

/* Return the first text of a target, or the empty slice. */
struct slice
fact_one(const struct facts *f, enum map_target t)
{
	return f->t[t].n > 0 ? f->t[t].v[0] : SLICE_EMPTY;
}

/* ---- canonical texts -------------------------------------------------------------------------- */

/* Lower-case ASCII. */
static struct slice
lower(struct slice s, struct arena *mem)
{
	char *p = arena_str(mem, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
	return slice_from(p, s.n);
}

/* A whole number between min and max, without leading zeros. */
static bool
number(struct slice s, unsigned long long max, struct arena *mem, struct slice *out)
{
	unsigned long long v;

	if (!slice_u64(s, &v) || v > max)
		return false;
	*out = slice_of(arena_fmt(mem, "%llu", v));
	return true;
}

/* So many hex digits, lower case. */
static bool
hash(struct slice s, size_t len, struct arena *mem, struct slice *out)
{
	if (s.n != len)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f') ||
		    (s.p[i] >= 'A' && s.p[i] <= 'F')))
			return false;
	*out = lower(s, mem);
	return true;
}

/* TLP 2.0 in capitals, without "TLP:". */
static bool
tlp(struct slice s, struct slice *out)
{
	enum tlp level = tlp_parse(s);

	if (level == TLP_UNSET)
		return false;
	*out = slice_of(tlp_label(level) + 4);
	return true;
}

/* CVE ids in capitals; any other name of a weakness as it is. */
static bool
vulnerability(struct slice s, struct arena *mem, struct slice *out)
{
	s = xml_collapse(s, mem);
	if (s.n > 4 && slice_is_nocase((struct slice){ s.p, 4 }, "CVE-"))
		s = slice_of(arena_fmt(mem, "CVE-%.*s", (int)s.n - 4, s.p + 4));
	*out = s;
	return s.n > 0;
}

/* A domain name. One that was written in Unicode stays readable: comparing is not done here. */
static bool
domain(struct slice s, struct arena *mem, struct slice *out)
{
	struct slice v, wide;

	if (!value_normalise(VALUE_DOMAIN, s, mem, &v))
		return false;
	wide = value_domain_unicode(v, mem);
	*out = v;
	for (size_t i = 0; i < s.n && wide.n > 0; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			*out = wide;
	return true;
}

/* One of the three roles, lower case. */
static bool
role(struct slice s, struct arena *mem, struct slice *out)
{
	static const char *const roles[] = { "source", "destination", "unknown" };

	*out = lower(s, mem);
	for (size_t i = 0; i < 3; i++)
		if (slice_is(*out, roles[i]))
			return true;
	return false;
}

/* The canonical text of a value; false if it is none. */
static bool
normalise(enum map_norm norm, struct slice s, struct arena *mem, struct slice *out)
{
	switch (norm) {
	case NORM_RAW:		*out = s; return true;
	case NORM_LINE:		*out = xml_collapse(s, mem); return true;
	case NORM_TEXT:		*out = slice_trim(s); return true;
	case NORM_LOWER:	*out = lower(slice_trim(s), mem); return true;
	default:		break;
	}
	s = slice_trim(s);
	switch (norm) {
	case NORM_COUNT:	return number(s, (1ULL << 53) - 1, mem, out);
	case NORM_PORT:		return value_normalise(VALUE_PORT, s, mem, out);
	case NORM_PROTOCOL:	return value_normalise(VALUE_PROTOCOL, s, mem, out);
	case NORM_PERCENT:	return number(s, 100, mem, out);
	case NORM_TLP:		return tlp(s, out);
	case NORM_TIME:		return stamp_to_utc(mem, s, out);
	case NORM_IP:
		return value_normalise(VALUE_IPV4, s, mem, out) ||
		    value_normalise(VALUE_IPV6, s, mem, out);
	case NORM_IPV4:		return value_normalise(VALUE_IPV4, s, mem, out);
	case NORM_IPV6:		return value_normalise(VALUE_IPV6, s, mem, out);
	case NORM_DOMAIN:	return domain(s, mem, out);
	case NORM_URL:		return value_normalise(VALUE_URL, s, mem, out);
	case NORM_EMAIL:	return value_normalise(VALUE_EMAIL, s, mem, out);
	case NORM_MAC:		return value_normalise(VALUE_MAC, s, mem, out);
	case NORM_ASN:		return value_normalise(VALUE_ASN, s, mem, out);
	case NORM_REGKEY:	return value_normalise(VALUE_REGKEY, s, mem, out);
	case NORM_MD5:		return hash(s, 32, mem, out);
	case NORM_SHA1:		return hash(s, 40, mem, out);
	case NORM_SHA256:	return hash(s, 64, mem, out);
	case NORM_SHA512:	return hash(s, 128, mem, out);
	case NORM_CVE:		return vulnerability(s, mem, out);
	case NORM_ROLE:		return role(s, mem, out);
	default:		return false;
	}
}

/* What a refused value should have been. */
static const char *
wanted(enum map_norm norm)
{
	switch (norm) {
	case NORM_COUNT:	return "a whole number";
	case NORM_PORT:		return "a port (0 to 65535)";
	case NORM_PROTOCOL:	return "the name of a protocol";
	case NORM_PERCENT:	return "a whole number from 0 to 100";
	case NORM_TLP:		return "a TLP label";
	case NORM_TIME:		return "a date";
	case NORM_IP:		return "an IP address or network";
	case NORM_IPV4:		return "an IPv4 address or network";
	case NORM_IPV6:		return "an IPv6 address or network";
	case NORM_DOMAIN:	return "a domain name";
	case NORM_URL:		return "a URL";
	case NORM_EMAIL:	return "a mail address";
	case NORM_MAC:		return "a MAC address";
	case NORM_ASN:		return "an AS number";
	case NORM_REGKEY:	return "a registry key";
	case NORM_MD5:		return "an MD5 hash (32 hex digits)";
	case NORM_SHA1:		return "a SHA-1 hash (40 hex digits)";
	case NORM_SHA256:	return "a SHA-256 hash (64 hex digits)";
	case NORM_SHA512:	return "a SHA-512 hash (128 hex digits)";
	case NORM_ROLE:		return "source, destination or unknown";
	default:		return "a value";
	}
}

/* The canonical text of a value for a target; -1 with the reason if it is none. */
int
map_normalise(enum map_target t, struct slice s, struct arena *mem, struct slice *out,
    struct err *e)
{
	if (normalise(map_targets[t].norm, s, mem, out))
		return 0;
	return err_set(e, ERR_VALUE, "%s: \"%.*s\" is not %s", map_targets[t].name,
	    (int)(s.n < 80 ? s.n : 80), s.p, wanted(map_targets[t].norm));
}
