/*
 * mapped_zone.c -- time zones for local times in in-house records.
 *
 * A zone is a sorted list of instants at which its offset changes. It is read from the system's zone
 * files (TZif, RFC 8536) when a mapping is loaded; the rule at their end (a POSIX TZ string) is laid
 * out until 2100, so that nothing needs to be asked later.
 */
#include "formats/mapped_impl.h"
#include "gateway/base/file.h"

enum { ZONE_FILE_MAX = 64 * 1024, ZONE_LAST_YEAR = 2100, DAY = 86400 };

struct map_zone {
	int32_t		 first;		/* offset before the first change */
	struct change {
		int64_t	at;		/* UTC */
		int32_t	offset;
	}		*v;
	size_t		 n, cap;
};

/* Append a change, unless it is not later than the last. */
static void
zone_add(struct map_zone *z, struct arena *mem, int64_t at, int32_t offset)
{
	if (z->n > 0 && at <= z->v[z->n - 1].at)
		return;
	z->v = arena_grow(mem, z->v, z->n, &z->cap, sizeof(*z->v));
	z->v[z->n++] = (struct change){ at, offset };
}

/* Return a signed number of n bytes. */
static int64_t
big_endian(const unsigned char *p, size_t n)
{
	uint64_t v = (p[0] & 0x80) ? ~UINT64_C(0) : 0;

	while (n-- > 0)
		v = (v << 8) | *p++;
	return (int64_t)v;
}

/* ---- the POSIX TZ string at the end of a zone file: CET-1CEST,M3.5.0,M10.5.0/3 ---------------- */

struct rule {
	int	month, week, day;	/* Mm.w.d */
	int32_t	seconds;		/* local time of day of the change */
};

struct tz_rule {
	int32_t		std, dst;
	bool		has_dst;
	struct rule	start, end;
};

/* Up to four digits. */
static bool
tz_number(const char **p, int *out)
{
	int v = 0, digits = 0;

	for (; **p >= '0' && **p <= '9' && digits < 4; (*p)++, digits++)
		v = v * 10 + (**p - '0');
	*out = v;
	return digits > 0;
}

/* A zone abbreviation, stepped over. */
static bool
tz_name(const char **p)
{
	const char *start = *p;

	if (**p == '<') {
		while (**p != '\0' && **p != '>')
			(*p)++;
		if (**p != '>')
			return false;
		(*p)++;
		return true;
	}
	while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
		(*p)++;
	return *p - start >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool
tz_time(const char **p, int32_t *out)
{
	int h, m = 0, s = 0, sign = 1;

	if (**p == '-' || **p == '+')
		sign = *(*p)++ == '-' ? -1 : 1;
	if (!tz_number(p, &h))
		return false;
	if (**p == ':' && ((*p)++, !tz_number(p, &m)))
		return false;
	if (**p == ':' && ((*p)++, !tz_number(p, &s)))
		return false;
	if (h > 167 || m > 59 || s > 59)
		return false;
	*out = sign * (h * 3600 + m * 60 + s);
	return true;
}

/* ,Mm.w.d[/time] */
static bool
tz_change(const char **p, struct rule *r)
{
	if (**p != ',' || (*p)[1] != 'M')
		return false;
	*p += 2;
	if (!tz_number(p, &r->month) || *(*p)++ != '.' || !tz_number(p, &r->week) ||
	    *(*p)++ != '.' || !tz_number(p, &r->day))
		return false;
	r->seconds = 2 * 3600;
	if (**p == '/' && ((*p)++, !tz_time(p, &r->seconds)))
		return false;
	return r->month >= 1 && r->month <= 12 && r->week >= 1 && r->week <= 5 && r->day <= 6;
}

/* Parse the whole string; false if it is of another form. */
static bool
tz_parse(const char *p, struct tz_rule *out)
{
	int32_t west;

	memset(out, 0, sizeof(*out));
	if (!tz_name(&p) || !tz_time(&p, &west))
		return false;
	out->std = -west;
	if (*p == '\0')
		return true;
	if (!tz_name(&p))
		return false;
	out->has_dst = true;
	out->dst = out->std + 3600;
	if (*p != ',' && *p != '\0') {
		if (!tz_time(&p, &west))
			return false;
		out->dst = -west;
	}
	return tz_change(&p, &out->start) && tz_change(&p, &out->end) && *p == '\0';
}

/* The instant of a rule in a year, given the offset in force before it. */
static int64_t
rule_instant(const struct rule *r, int year, int32_t offset)
{
	int64_t first = map_days_of(year, r->month, 1), next, day;
	int weekday = (int)(((first + 4) % 7 + 7) % 7);

	day = first + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
	next = r->month == 12 ? map_days_of(year + 1, 1, 1) : map_days_of(year, r->month + 1, 1);
	while (day >= next)
		day -= 7;
	return day * DAY + r->seconds - offset;
}

/* Lay out the rule from the last change on. */
static void
zone_add_rule(struct map_zone *z, struct arena *mem, const struct tz_rule *tz)
{
	int64_t from = z->n > 0 ? z->v[z->n - 1].at : INT64_MIN, start, end;

	if (!tz->has_dst) {
		if (z->n == 0)
			z->first = tz->std;
		return;
	}
	for (int year = 1970; year <= ZONE_LAST_YEAR; year++) {
		start = rule_instant(&tz->start, year, tz->std);
		end = rule_instant(&tz->end, year, tz->dst);
		if (start < end && start > from)
			zone_add(z, mem, start, tz->dst);
		if (end > from)
			zone_add(z, mem, end, tz->std);
		if (start > end && start > from)
			zone_add(z, mem, start, tz->dst);
	}
}

/* ---- TZif ------------------------------------------------------------------------------------- */

struct tzif {
	size_t	isutc, isstd, leap, times, types, chars;
};

/* Read the counts of a header; false if it is none. */
static bool
tzif_header(struct slice s, struct tzif *h)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if (s.n < 44 || memcmp(p, "TZif", 4) != 0)
		return false;
	h->isutc = (size_t)(uint32_t)big_endian(p + 20, 4);
	h->isstd = (size_t)(uint32_t)big_endian(p + 24, 4);
	h->leap = (size_t)(uint32_t)big_endian(p + 28, 4);
	h->times = (size_t)(uint32_t)big_endian(p + 32, 4);
	h->types = (size_t)(uint32_t)big_endian(p + 36, 4);
	h->chars = (size_t)(uint32_t)big_endian(p + 40, 4);
	return h->times <= ZONE_FILE_MAX && h->types >= 1 && h->types <= 256 &&
	    h->chars <= ZONE_FILE_MAX && h->leap <= ZONE_FILE_MAX && h->isstd <= 256 &&
	    h->isutc <= 256;
}

/* Return the size of a data block. */
static size_t
tzif_size(const struct tzif *h, size_t width)
{
	return h->times * width + h->times + h->types * 6 + h->chars + h->leap * (width + 4) +
	    h->isstd + h->isutc;
}

/* Fill z from the 64-bit part of a zone file; false if it is damaged. */
static bool
tzif_parse(struct map_zone *z, struct arena *mem, struct slice s)
{
	const unsigned char *times, *index, *types;
	struct tzif h;
	struct tz_rule tz;
	size_t skip;

	if (!tzif_header(s, &h) || s.p[4] < '2')
		return false;
	skip = 44 + tzif_size(&h, 4);
	if (s.n < skip || !tzif_header((struct slice){ s.p + skip, s.n - skip }, &h))
		return false;
	s = (struct slice){ s.p + skip + 44, s.n - skip - 44 };
	if (s.n < tzif_size(&h, 8) + 2)
		return false;
	times = (const unsigned char *)s.p;
	index = times + h.times * 8;
	types = index + h.times;
	z->first = (int32_t)big_endian(types, 4);
	for (size_t i = 0; i < h.times; i++) {
		if (index[i] >= h.types)
			return false;
		zone_add(z, mem, big_endian(times + i * 8, 8),
		    (int32_t)big_endian(types + index[i] * 6, 4));
	}
	skip = tzif_size(&h, 8);
	s = slice_trim((struct slice){ s.p + skip, s.n - skip });
	if (s.n > 0 && tz_parse(arena_str(mem, s), &tz))
		zone_add_rule(z, mem, &tz);
	return true;
}

/* ---- the door --------------------------------------------------------------------------------- */

/* "+hh:mm" or "-hh:mm" in seconds. */
static bool
fixed_offset(struct slice s, int32_t *out)
{
	int h, m;

	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':')
		return false;
	for (size_t i = 1; i < 6; i++)
		if (i != 3 && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	h = (s.p[1] - '0') * 10 + s.p[2] - '0';
	m = (s.p[4] - '0') * 10 + s.p[5] - '0';
	if (h > 14 || m > 59)
		return false;
	*out = (h * 3600 + m * 60) * (s.p[0] == '-' ? -1 : 1);
	return true;
}

/* May the name be looked up below the zone folder? */
static bool
zone_name_ok(struct slice s)
{
	if (s.n == 0 || s.n > 64 || s.p[0] == '/')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' || c == '/'))
			return false;
	}
	return true;
}

/* Load a zone; NULL with the reason if there is none such. */
struct map_zone *
map_zone_load(struct slice word, struct arena *mem, struct err *e)
{
	struct map_zone *z = arena_alloc(mem, sizeof(*z));
	struct strbuf text = STRBUF_INIT;
	const char *path;
	bool ok;

	if (slice_is(word, "Z") || slice_is(word, "UTC") || fixed_offset(word, &z->first))
		return z;
	if (!zone_name_ok(word)) {
		err_set(e, ERR_CONFIG, "\"%.*s\" is no time zone", SLICE_ARG(word));
		return NULL;
	}
	path = arena_fmt(mem, "/usr/share/zoneinfo/%.*s", SLICE_ARG(word));
	if (file_read(path, ZONE_FILE_MAX, &text, e) < 0) {
		strbuf_fini(&text);
		err_context(e, "time zone %.*s (is tzdata installed?)", SLICE_ARG(word));
		return NULL;
	}
	ok = tzif_parse(z, mem, strbuf_slice(&text));
	strbuf_fini(&text);
	if (!ok) {
		err_set(e, ERR_CONFIG, "%s is no zone file", path);
		return NULL;
	}
	return z;
}

/* Return the offset in force at an instant. */
int32_t
map_zone_offset(const struct map_zone *z, int64_t utc)
{
	size_t lo = 0, hi = z->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (z->v[mid].at <= utc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 ? z->first : z->v[lo - 1].offset;
}

/* Return the instant of a local time. */
int64_t
map_zone_to_utc(const struct map_zone *z, int64_t local)
{
	/* The offsets a day before and after are the two candidates around a change. */
	int32_t before = map_zone_offset(z, local - DAY), after = map_zone_offset(z, local + DAY);

	if (map_zone_offset(z, local - before) == before)
		return local - before;
	if (map_zone_offset(z, local - after) == after)
		return local - after;
	return local - before;
}
