/* misp_words.c -- how MISP spells numbers, times, ids and values. See misp.h. */
#include <stdlib.h>

#include "formats/id_name.h"
#include "formats/misp.h"
#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { STAMP_MILLIS = 23 };	/* 2020-10-25T16:22:00.000 */

/* The number that a member holds, as such or as a string of digits. */
bool
misp_number(const json *o, const char *name, int64_t *out)
{
	const json *m = json_get(o, name);
	unsigned long long n;

	if (json_is_number(m))
		return json_int(m, out);
	if (!json_is_string(m) || !slice_u64(slice_trim(json_slice(m)), &n) || n > INT64_MAX)
		return false;
	*out = (int64_t)n;
	return true;
}

/* True for true, 1, "1" and "true". */
bool
misp_bool(const json *o, const char *name)
{
	const json *m = json_get(o, name);
	int64_t n;

	if (json_is_bool(m))
		return json_bool(m);
	if (json_is_string(m) && slice_is_nocase(slice_trim(json_slice(m)), "true"))
		return true;
	return misp_number(o, name, &n) && n != 0;
}

/* The text of a scalar member, numbers and booleans as they are written. */
struct slice
misp_text(struct arena *mem, const json *o, const char *name)
{
	const json *m = json_get(o, name);

	if (json_is_number(m))
		return json_number_text(mem, m);
	if (json_is_bool(m))
		return json_bool(m) ? SLICE_LIT("1") : SLICE_LIT("0");
	return json_slice(m);
}

/* The instant in the form of STIX, empty if no calendar has it. */
struct slice
misp_stamp(struct arena *mem, int64_t seconds)
{
	static const int64_t last = 253402300799;	/* 9999-12-31T23:59:59Z */
	char text[STAMP_TEXT + 1];

	if (seconds < 0 || seconds > last)
		return SLICE_EMPTY;
	stamp_text(seconds * 1000000, text);
	return slice_of(arena_fmt(mem, "%.*sZ", STAMP_MILLIS, text));
}

/* Whole seconds of a STIX timestamp. */
bool
misp_seconds(struct slice stamp, int64_t *out)
{
	int64_t us;

	if (!stamp_parse(stamp, &us))
		return false;
	*out = us / 1000000 - (us % 1000000 < 0);
	return true;
}

/* The deterministic UUID of what has none of its own. */
struct slice
misp_uuid(struct arena *mem, const char *kind, const struct slice *fields, size_t n)
{
	return id_name_of(mem, arena_fmt(mem, "misp|%s", kind), fields, n);
}

/* What stands behind "--", empty if nothing does. */
struct slice
misp_uuid_of_id(struct slice id)
{
	return id.n > UUID_TEXT + 2 ? slice_from(id.p + id.n - UUID_TEXT, UUID_TEXT) : SLICE_EMPTY;
}

/* ---- values ---- */

/* The name of the algorithm at the end of "file:hashes.'SHA-256'". */
static struct slice
hash_of_path(const char *path)
{
	const char *at = strstr(path, "hashes.");
	struct slice s = slice_of(at == NULL ? "" : at + sizeof("hashes.") - 1);

	if (s.n > 2 && s.p[0] == '\'')
		s = slice_from(s.p + 1, s.n - 2);
	return s;
}

/* A time of an attribute: with an offset, or a date alone. */
static bool
time_value(struct slice s, struct arena *mem, struct slice *out)
{
	s = slice_trim(s);
	if (s.n == sizeof("2020-01-01") - 1)
		s = slice_of(arena_fmt(mem, "%.*sT00:00:00Z", SLICE_ARG(s)));
	else if (s.n > 10 && s.p[10] == ' ')
		s = slice_of(arena_fmt(mem, "%.10sT%.*s", s.p, (int)(s.n - 11), s.p + 11));
	return stamp_to_utc(mem, s, out);
}

/* Digits that an int64_t holds. */
static bool
number_value(struct slice s, struct slice *out)
{
	unsigned long long n;

	s = slice_trim(s);
	if (!slice_u64(s, &n) || n > INT64_MAX)
		return false;
	while (s.n > 1 && s.p[0] == '0')
		s.p++, s.n--;
	*out = s;
	return true;
}

/* A decimal as JSON writes it. */
static bool
float_value(struct slice s, struct slice *out)
{
	size_t i = 0, digits = 0, dots = 0;

	s = slice_trim(s);
	if (s.n > 0 && s.p[0] == '-')
		i++;
	if (i < s.n && s.p[i] == '0' && i + 1 < s.n && s.p[i + 1] != '.')
		return false;
	for (; i < s.n; i++) {
		digits += s.p[i] >= '0' && s.p[i] <= '9';
		dots += s.p[i] == '.' && digits > 0 && i + 1 < s.n;
	}
	*out = s;
	return digits > 0 && digits < 16 && dots < 2 && digits + dots + (s.p[0] == '-') == s.n;
}

/* The canonical spelling; texts stay as they are. */
bool
misp_value(const struct misp_path *p, struct slice text, struct arena *mem, struct slice *out)
{
	static const enum value_kind kinds[] = {
		[MISP_DOMAIN] = VALUE_DOMAIN, [MISP_URL] = VALUE_URL, [MISP_EMAIL] = VALUE_EMAIL,
		[MISP_MAC] = VALUE_MAC, [MISP_ASN] = VALUE_ASN, [MISP_REGKEY] = VALUE_REGKEY,
		[MISP_PORT] = VALUE_PORT, [MISP_PROTO] = VALUE_PROTOCOL
	};

	switch (p->value) {
	case MISP_TEXT:
		*out = text;
		return text.n > 0;
	case MISP_IP:
		return value_normalise(VALUE_IPV4, text, mem, out) ||
		    value_normalise(VALUE_IPV6, text, mem, out);
	case MISP_HOST:
		return value_normalise(VALUE_IPV4, text, mem, out) ||
		    value_normalise(VALUE_IPV6, text, mem, out) ||
		    value_normalise(VALUE_DOMAIN, text, mem, out);
	case MISP_HASH:
		return value_hash(hash_of_path(p->path), text, mem, out);
	case MISP_NUMBER:
		return number_value(text, out);
	case MISP_FLOAT:
		return float_value(text, out);
	case MISP_TIME:
		return time_value(text, mem, out);
	case MISP_BOOL:
		*out = slice_trim(text);
		return slice_is(*out, "0") || slice_is(*out, "1") ||
		    slice_is_nocase(*out, "true") || slice_is_nocase(*out, "false");
	case MISP_DOMAIN: case MISP_URL: case MISP_EMAIL: case MISP_MAC: case MISP_ASN:
	case MISP_REGKEY: case MISP_PORT: case MISP_PROTO:
		break;
	}
	return value_normalise(kinds[p->value], text, mem, out);
}

/* ---- galaxies ---- */

/* Types of galaxies by what their name holds, the first that fits. */
static const struct { const char *word, *sdo; } galaxies[] = {
	{ "attack-pattern", "attack-pattern" }, { "course-of-action", "course-of-action" },
	{ "intrusion-set", "intrusion-set" }, { "threat-actor", "threat-actor" },
	{ "microsoft-activity-group", "threat-actor" }, { "360net-threat-actor", "threat-actor" },
	{ "malpedia", "malware" }, { "ransomware", "malware" }, { "banker", "malware" },
	{ "stealer", "malware" }, { "backdoor", "malware" }, { "android", "malware" },
	{ "malware", "malware" }, { "exploit-kit", "tool" }, { "botnet", "tool" },
	{ "tool", "tool" }, { "branded-vulnerability", "vulnerability" },
	{ "vulnerability", "vulnerability" }, { "country", "location" }, { "region", "location" },
	{ "location", "location" }, { "sector", "identity" }, { "campaign", "campaign" },
	{ "infrastructure", "infrastructure" }, { "identity", "identity" }
};

/* The SDO type that clusters of this galaxy become. */
const char *
misp_galaxy_sdo(struct slice type)
{
	if (slice_is(type, "rat") || slice_is(type, "tds"))
		return "tool";
	for (size_t i = 0; i < COUNTOF(galaxies); i++)
		if (memmem(type.p, type.n, galaxies[i].word, strlen(galaxies[i].word)) != NULL)
			return galaxies[i].sdo;
	return NULL;
}
