/*
 * mapped_time.c -- dates as in-house formats write them, to UTC and back.
 *
 * Forms: RFC 3339, seconds or milliseconds since 1970, and a strptime-like form limited to
 * %d %m %Y %y %H %M %S %f %b %z %%. Fraction digits survive in both directions.
 */
#include "formats/mapped_impl.h"
#include "gateway/base/clock.h"

enum { DAY = 86400, FRACTION_MAX = 18 };

struct civil {
	int		year, month, day, hour, minute, second;
	struct slice	fraction;	/* digits */
	bool		has_zone;
	int32_t		offset;
};

static const char *const month_names[12] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* Return the days since 1970 of a civil date. */
int64_t
map_days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* The civil date of seconds since 1970 (years 1 to 9999 expected). */
static void
civil_of(int64_t seconds, struct civil *c)
{
	int64_t days = seconds / DAY, rest = seconds % DAY, era, doe, yoe, doy, mp;

	if (rest < 0) {
		rest += DAY;
		days--;
	}
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c->year = (int)(yoe + era * 400 + (c->month <= 2));
	c->hour = (int)(rest / 3600);
	c->minute = (int)(rest / 60 % 60);
	c->second = (int)(rest % 60);
}

/* Is it a date that exists? */
static bool
civil_ok(const struct civil *c)
{
	static const int last[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;

	if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1)
		return false;
	if (c->day > last[c->month - 1] + (leap && c->month == 2))
		return false;
	return c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

/* Return the seconds since 1970, as if it were UTC. */
static int64_t
civil_seconds(const struct civil *c)
{
	return map_days_of(c->year, c->month, c->day) * DAY + c->hour * 3600 + c->minute * 60 +
	    c->second;
}

/* STIX text of an instant; false outside the years 1-9999. */
static bool
utc_text(int64_t seconds, struct slice fraction, struct arena *mem, struct slice *out)
{
	struct civil c = { 0 };

	if (seconds < -62135596800 || seconds > 253402300799)
		return false;
	civil_of(seconds, &c);
	*out = slice_of(arena_fmt(mem, "%04d-%02d-%02dT%02d:%02d:%02d%s%.*sZ", c.year, c.month,
	    c.day, c.hour, c.minute, c.second, fraction.n > 0 ? "." : "", SLICE_ARG(fraction)));
	return true;
}

/* ---- strptime-like ---------------------------------------------------------------------------- */

/* Between min and max digits. */
static bool
digits(struct slice *s, size_t min, size_t max, int *out)
{
	size_t n = 0;
	int v = 0;

	for (; n < max && n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		v = v * 10 + (s->p[n] - '0');
	s->p += n;
	s->n -= n;
	*out = v;
	return n >= min;
}

/* Z, +hhmm or +hh:mm. */
static bool
parse_offset(struct slice *s, struct civil *c)
{
	int h, m, sign;

	c->has_zone = true;
	if (s->n > 0 && s->p[0] == 'Z') {
		s->p++;
		s->n--;
		c->offset = 0;
		return true;
	}
	if (s->n < 5 || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	sign = s->p[0] == '-' ? -1 : 1;
	s->p++;
	s->n--;
	if (!digits(s, 2, 2, &h))
		return false;
	if (s->n > 0 && s->p[0] == ':') {
		s->p++;
		s->n--;
	}
	if (!digits(s, 2, 2, &m) || h > 14 || m > 59)
		return false;
	c->offset = sign * (h * 3600 + m * 60);
	return true;
}

/* Digits of a second. */
static bool
parse_fraction(struct slice *s, struct civil *c)
{
	size_t n = 0;

	while (n < s->n && n < FRACTION_MAX && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	c->fraction = (struct slice){ s->p, n };
	s->p += n;
	s->n -= n;
	return n > 0;
}

/* An English month, three letters. */
static bool
parse_month(struct slice *s, struct civil *c)
{
	for (int i = 0; i < 12; i++)
		if (s->n >= 3 && slice_is_nocase((struct slice){ s->p, 3 }, month_names[i])) {
			c->month = i + 1;
			s->p += 3;
			s->n -= 3;
			return true;
		}
	return false;
}

/* The text of one % letter. */
static bool
parse_field(char letter, struct slice *s, struct civil *c)
{
	switch (letter) {
	case 'd':	return digits(s, 1, 2, &c->day);
	case 'm':	return digits(s, 1, 2, &c->month);
	case 'Y':	return digits(s, 4, 4, &c->year);
	case 'y':
		if (!digits(s, 2, 2, &c->year))
			return false;
		c->year += c->year < 69 ? 2000 : 1900;	/* as POSIX strptime */
		return true;
	case 'H':	return digits(s, 1, 2, &c->hour);
	case 'M':	return digits(s, 1, 2, &c->minute);
	case 'S':	return digits(s, 1, 2, &c->second);
	case 'f':	return parse_fraction(s, c);
	case 'b':	return parse_month(s, c);
	case 'z':	return parse_offset(s, c);
	case '%':
		if (s->n == 0 || s->p[0] != '%')
			return false;
		s->p++;
		s->n--;
		return true;
	}
	return false;
}

/* A whole text in a form; false if it does not fit or is no date. */
static bool
parse_form(struct slice format, struct slice s, struct civil *c)
{
	for (size_t i = 0; i < format.n; i++) {
		if (format.p[i] == '%' && i + 1 < format.n) {
			if (!parse_field(format.p[++i], &s, c))
				return false;
		} else {
			if (s.n == 0 || s.p[0] != format.p[i])
				return false;
			s.p++;
			s.n--;
		}
	}
	return s.n == 0 && civil_ok(c);
}

/* Take apart a STIX timestamp. */
static bool
utc_parse(struct slice s, int64_t *seconds, struct slice *fraction)
{
	struct civil c = { 0 };

	if (!stamp_parse(s, NULL) || s.n < 20)
		return false;
	*fraction = s.p[19] == '.' ? (struct slice){ s.p + 20, s.n - 21 } : SLICE_EMPTY;
	s.n = 19;
	if (!parse_form(SLICE_LIT("%Y-%m-%dT%H:%M:%S"), s, &c))
		return false;
	*seconds = civil_seconds(&c);
	return true;
}

/* Append the text of one % letter. */
static void
print_field(struct strbuf *b, char letter, const struct civil *c)
{
	int32_t off = c->offset < 0 ? -c->offset : c->offset;

	switch (letter) {
	case 'd':	strbuf_addf(b, "%02d", c->day); break;
	case 'm':	strbuf_addf(b, "%02d", c->month); break;
	case 'Y':	strbuf_addf(b, "%04d", c->year); break;
	case 'y':	strbuf_addf(b, "%02d", c->year % 100); break;
	case 'H':	strbuf_addf(b, "%02d", c->hour); break;
	case 'M':	strbuf_addf(b, "%02d", c->minute); break;
	case 'S':	strbuf_addf(b, "%02d", c->second); break;
	case 'f':	strbuf_addsl(b, c->fraction.n > 0 ? c->fraction : SLICE_LIT("0")); break;
	case 'b':	strbuf_adds(b, month_names[c->month - 1]); break;
	case 'z':
		strbuf_addf(b, "%c%02d:%02d", c->offset < 0 ? '-' : '+', off / 3600,
		    off / 60 % 60);
		break;
	default:	strbuf_addc(b, letter); break;
	}
}

/* Return what is wrong with a form, or NULL. */
const char *
map_time_check(struct slice format)
{
	bool day = false, month = false, year = false;

	for (size_t i = 0; i < format.n; i++) {
		if (format.p[i] != '%')
			continue;
		if (++i == format.n || strchr("dmYyHMSfbz%", format.p[i]) == NULL)
			return "a date form may hold %d %m %Y %y %H %M %S %f %b %z %% only";
		day |= format.p[i] == 'd';
		month |= format.p[i] == 'm' || format.p[i] == 'b';
		year |= format.p[i] == 'Y' || format.p[i] == 'y';
	}
	return day && month && year ? NULL : "a date form needs day, month and year";
}

/* ---- the four forms --------------------------------------------------------------------------- */

/* Seconds with an optional fraction: "1709280000.25". */
static bool
read_epoch(struct slice s, struct arena *mem, struct slice *utc)
{
	struct slice rest = s, whole = slice_cut(&rest, '.');
	unsigned long long v;

	if (!slice_u64(whole, &v) || v > 253402300799ULL)
		return false;
	if (whole.n < s.n && (rest.n == 0 || rest.n > FRACTION_MAX))
		return false;
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] < '0' || rest.p[i] > '9')
			return false;
	return utc_text((int64_t)v, rest, mem, utc);
}

/* Milliseconds: three fraction digits, or none. */
static bool
read_epoch_ms(struct slice s, struct arena *mem, struct slice *utc)
{
	unsigned long long v;
	struct slice fraction = SLICE_EMPTY;

	if (!slice_u64(s, &v) || v / 1000 > 253402300799ULL)
		return false;
	if (v % 1000 != 0)
		fraction = slice_of(arena_fmt(mem, "%03llu", v % 1000));
	return utc_text((int64_t)(v / 1000), fraction, mem, utc);
}

/* Turn a text into UTC; false if it is no date in this form. */
bool
map_time_read(const struct map_time *t, struct slice s, struct arena *mem, struct slice *utc)
{
	struct civil c = { .year = 1, .month = 1, .day = 1, .fraction = SLICE_EMPTY };
	int64_t local;

	switch (t->form) {
	case TIME_NONE:
	case TIME_RFC3339:
		return stamp_to_utc(mem, s, utc);
	case TIME_EPOCH:
		return read_epoch(s, mem, utc);
	case TIME_EPOCH_MS:
		return read_epoch_ms(s, mem, utc);
	case TIME_FORMAT:
		break;
	}
	if (!parse_form(t->format, s, &c))
		return false;
	local = civil_seconds(&c);
	if (c.has_zone)
		local -= c.offset;
	else if (t->zone != NULL)
		local = map_zone_to_utc(t->zone, local);
	return utc_text(local, c.fraction, mem, utc);
}

/* Milliseconds, with more fraction digits behind a point if there are more. */
static struct slice
write_epoch_ms(int64_t seconds, struct slice fraction, struct arena *mem)
{
	char ms[4] = "000";

	memcpy(ms, fraction.p, fraction.n < 3 ? fraction.n : 3);
	if (fraction.n <= 3)
		return slice_of(arena_fmt(mem, "%lld", (long long)seconds * 1000 +
		    (ms[0] - '0') * 100 + (ms[1] - '0') * 10 + ms[2] - '0'));
	return slice_of(arena_fmt(mem, "%lld%s.%.*s", (long long)seconds, ms,
	    (int)(fraction.n - 3), fraction.p + 3));
}

/* Turn UTC into the text of this form. */
bool
map_time_write(const struct map_time *t, struct slice utc, struct arena *mem, struct slice *out)
{
	struct strbuf b = STRBUF_INIT;
	struct civil c = { 0 };
	struct slice fraction;
	int64_t seconds;

	if (!utc_parse(utc, &seconds, &fraction))
		return false;
	switch (t->form) {
	case TIME_NONE:
	case TIME_RFC3339:
		*out = utc;
		return true;
	case TIME_EPOCH:
		*out = slice_of(arena_fmt(mem, "%lld%s%.*s", (long long)seconds,
		    fraction.n > 0 ? "." : "", SLICE_ARG(fraction)));
		return true;
	case TIME_EPOCH_MS:
		*out = write_epoch_ms(seconds, fraction, mem);
		return true;
	case TIME_FORMAT:
		break;
	}
	c.offset = t->zone != NULL ? map_zone_offset(t->zone, seconds) : 0;
	civil_of(seconds + c.offset, &c);
	c.fraction = fraction;
	for (size_t i = 0; i < t->format.n; i++) {
		if (t->format.p[i] == '%')
			print_field(&b, t->format.p[++i], &c);
		else
			strbuf_addc(&b, t->format.p[i]);
	}
	*out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return true;
}
