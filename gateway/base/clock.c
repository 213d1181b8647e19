#include "gateway/base/clock.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "gateway/base/arena.h"

/* The one replaceable thing: real clocks, or numbers that only tests move. */
struct source {
	bool	fake;
	int64_t	wall_us, mono_us;
};
static struct source own, *source = &own;

static const int64_t second_us = 1000000, day_us = 86400 * INT64_C(1000000);
/* 0001-01-01T00:00:00Z and the last microsecond of 9999. */
static const int64_t first_us = INT64_C(-62135596800000000);
static const int64_t last_us = INT64_C(253402300799999999);

/* A timestamp in parts, before any shift to UTC. */
struct parts {
	int		year, month, day, hour, minute, second;
	struct slice	fraction;	/* the digits after the point */
	bool		has_zone;
	bool		is_z;		/* the zone is written as a capital Z */
	int		offset;		/* minutes east of UTC */
};

static int64_t
ask(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * second_us + ts.tv_nsec / 1000;
}

int64_t
clock_wall_us(void)
{
	return source->fake ? source->wall_us : ask(CLOCK_REALTIME);
}

int64_t
clock_mono_us(void)
{
	return source->fake ? source->mono_us : ask(CLOCK_MONOTONIC);
}

void
clock_fake(int64_t wall_us)
{
	source->fake = true;
	source->wall_us = source->mono_us = wall_us;
}

void
clock_fake_add(int64_t us)
{
	source->wall_us += us;
	source->mono_us += us;
}

void
clock_fake_share(void)
{
	struct source *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (source != &own || shared == MAP_FAILED)
		return;
	*shared = *source;
	source = shared;
}

void
clock_real(void)
{
	source->fake = false;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to a date. March is taken as the first month, so that the leap day comes
 * last and days before a month follow (153 m + 2) / 5. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* The date that lies `days` after 1970-01-01; the inverse of days_of. */
static void
date_of(int64_t days, struct parts *out)
{
	int64_t z = days + 719468, era = z / 146097, in_era = z % 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;

	out->day = (int)(in_year - (153 * m + 2) / 5 + 1);
	out->month = (int)(m < 10 ? m + 3 : m - 9);
	out->year = (int)(era * 400 + y + (out->month <= 2));
}

/* Cut an instant into parts, whole seconds; returns the microseconds left. */
static int
parts_of(int64_t us, struct parts *out)
{
	int64_t days, rest;

	if (us < first_us)
		us = first_us;
	if (us > last_us)
		us = last_us;
	/* Counted from the year 1, so that division never meets a negative number. */
	days = (us - first_us) / day_us;
	rest = (us - first_us) % day_us;
	*out = (struct parts){ 0 };
	date_of(days + first_us / day_us, out);
	out->hour = (int)(rest / (3600 * second_us));
	out->minute = (int)(rest / (60 * second_us) % 60);
	out->second = (int)(rest / second_us % 60);
	return (int)(rest % second_us);
}

/* Write `v` as `n` digits; returns the end. */
static char *
put(char *at, int n, int v)
{
	for (int i = n - 1; i >= 0; i--) {
		at[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return at + n;
}

/* Write "2024-02-03T04:05:06"; returns the end. */
static char *
put_seconds(char *at, const struct parts *t)
{
	at = put(at, 4, t->year);
	*at++ = '-';
	at = put(at, 2, t->month);
	*at++ = '-';
	at = put(at, 2, t->day);
	*at++ = 'T';
	at = put(at, 2, t->hour);
	*at++ = ':';
	at = put(at, 2, t->minute);
	*at++ = ':';
	return put(at, 2, t->second);
}

void
stamp_text(int64_t us, char out[STAMP_TEXT + 1])
{
	struct parts t;
	int fraction = parts_of(us, &t);
	char *at = put_seconds(out, &t);

	*at++ = '.';
	at = put(at, 6, fraction);
	*at++ = 'Z';
	*at = '\0';
}

/* Copy three letters of a table and a blank or comma behind them. */
static char *
put_name(char *at, const char *names, int i, const char *after)
{
	memcpy(at, names + 3 * i, 3);
	memcpy(at + 3, after, strlen(after));
	return at + 3 + strlen(after);
}

void
stamp_http(int64_t us, char out[30])
{
	struct parts t;
	char *at = out;

	parts_of(us, &t);
	/* 1970-01-01 was a Thursday; 719162 days before it, the year 1 began with a Monday. */
	at = put_name(at, "MonTueWedThuFriSatSun",
	    (int)((days_of(t.year, t.month, t.day) + 719162) % 7), ", ");
	at = put(at, 2, t.day);
	*at++ = ' ';
	at = put_name(at, "JanFebMarAprMayJunJulAugSepOctNovDec", t.month - 1, " ");
	at = put(at, 4, t.year);
	*at++ = ' ';
	at = put(at, 2, t.hour);
	*at++ = ':';
	at = put(at, 2, t.minute);
	*at++ = ':';
	at = put(at, 2, t.second);
	memcpy(at, " GMT", 5);
}

/* Take exactly n digits off the front. */
static bool
take_digits(struct slice *s, size_t n, int *out)
{
	*out = 0;
	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*out = *out * 10 + (s->p[i] - '0');
	}
	*s = slice_from(s->p + n, s->n - n);
	return true;
}

/* Take one of two characters off the front. */
static inline bool
take_char(struct slice *s, char one, char other)
{
	if (s->n == 0 || (s->p[0] != one && s->p[0] != other))
		return false;
	*s = slice_from(s->p + 1, s->n - 1);
	return true;
}

/* Take ".digits" off the front if a point is there; false on a point without digits. */
static bool
take_fraction(struct slice *s, struct slice *out)
{
	size_t n = 0;

	*out = SLICE_EMPTY;
	if (!take_char(s, '.', '.'))
		return true;
	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	*out = slice_from(s->p, n);
	*s = slice_from(s->p + n, s->n - n);
	return n > 0;
}

/* Take "Z" or "+hh:mm" off the front if one is there. */
static bool
take_zone(struct slice *s, struct parts *t)
{
	int hours, minutes;
	bool west;

	if (s->n == 0)
		return true;
	t->has_zone = true;
	t->is_z = s->p[0] == 'Z';
	if (take_char(s, 'Z', 'z'))
		return true;
	west = s->p[0] == '-';
	if (!take_char(s, '+', '-') || !take_digits(s, 2, &hours) || !take_char(s, ':', ':') ||
	    !take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	t->offset = (west ? -1 : 1) * (hours * 60 + minutes);
	return true;
}

/* Whether the fraction is absent or all zeros. */
static bool
no_fraction(struct slice fraction)
{
	for (size_t i = 0; i < fraction.n; i++) {
		if (fraction.p[i] != '0')
			return false;
	}
	return true;
}

/* The number of two digits; negative if they are none. */
static inline int
two(const char *p)
{
	unsigned ten = (unsigned)(p[0] - '0'), one = (unsigned)(p[1] - '0');

	return ten > 9 || one > 9 ? INT_MIN : (int)(ten * 10 + one);
}

/* Read date, time, fraction and zone; false unless that is all of `s` and the date exists. Between date
 * and time stands a T, or the other letter. */
static bool
parts_parse(struct slice s, char other, struct parts *t)
{
	enum { SECONDS = 19 };	/* of "2024-02-03T04:05:06" */
	const char *p = s.p;
	int century;

	*t = (struct parts){ 0 };
	if (s.n < SECONDS || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != other) ||
	    p[13] != ':' || p[16] != ':')
		return false;
	century = two(p);
	t->year = two(p + 2);
	t->month = two(p + 5);
	t->day = two(p + 8);
	t->hour = two(p + 11);
	t->minute = two(p + 14);
	t->second = two(p + 17);
	if ((century | t->year | t->month | t->day | t->hour | t->minute | t->second) < 0)
		return false;
	t->year += century * 100;
	s = slice_from(p + SECONDS, s.n - SECONDS);
	if (!take_fraction(&s, &t->fraction) || !take_zone(&s, t) || s.n != 0)
		return false;
	return t->year >= 1 && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
	    t->day <= month_days(t->year, t->month) && t->hour <= 24 && t->minute <= 59 &&
	    t->second <= 60;
}

/* The strict form: capital T and Z, hours to 23. */
static bool
parts_parse_utc(struct slice s, struct parts *t)
{
	return parts_parse(s, 'T', t) && t->is_z && t->hour <= 23;
}

/* Any offset or none; 24:00:00 (xs:dateTime, XML Schema 1.1 part 2 section 3.3.7) is the
 * midnight that ends the day. */
static bool
parts_parse_any(struct slice s, struct parts *t)
{
	if (!parts_parse(s, 't', t))
		return false;
	return t->hour <= 23 || (t->minute == 0 && t->second == 0 && no_fraction(t->fraction));
}

/* Shift to UTC. Seconds and fraction stay as written: a second 60 stays one. */
static bool
parts_to_utc(struct parts *t)
{
	int64_t minutes = days_of(t->year, t->month, t->day) * 1440 + t->hour * 60 + t->minute -
	    t->offset;
	int64_t since_first = minutes - first_us / (60 * second_us);

	if (since_first < 0 || minutes > last_us / (60 * second_us))
		return false;
	date_of(since_first / 1440 + first_us / day_us, t);
	t->hour = (int)(since_first % 1440 / 60);
	t->minute = (int)(since_first % 60);
	t->offset = 0;
	return true;
}

/* The instant of a time in UTC, cut to microseconds. */
static int64_t
parts_us(const struct parts *t)
{
	int64_t us = 0;

	for (size_t i = 0; i < 6; i++)
		us = us * 10 + (i < t->fraction.n ? t->fraction.p[i] - '0' : 0);
	return days_of(t->year, t->month, t->day) * day_us +
	    (t->hour * 3600 + t->minute * 60 + t->second) * second_us + us;
}

bool
stamp_parse(struct slice s, int64_t *us)
{
	struct parts t;

	if (!parts_parse_utc(s, &t))
		return false;
	if (us != NULL)
		*us = parts_us(&t);
	return true;
}

bool
stamp_parse_any(struct slice s, int64_t *us, bool *had_zone)
{
	struct parts t;

	if (!parts_parse_any(s, &t) || !parts_to_utc(&t))
		return false;
	if (us != NULL)
		*us = parts_us(&t);
	if (had_zone != NULL)
		*had_zone = t.has_zone;
	return true;
}

/* Write a time with `n` fraction digits and what follows them into the arena. */
static struct slice
parts_text(struct arena *mem, const struct parts *t, size_t n, const char *after)
{
	char *text = arena_raw(mem, 19 + 1 + n + strlen(after) + 1), *at = put_seconds(text, t);

	if (n > 0) {
		*at++ = '.';
		memcpy(at, t->fraction.p, n);
		at += n;
	}
	memcpy(at, after, strlen(after) + 1);
	return slice_from(text, (size_t)(at - text) + strlen(after));
}

bool
stamp_to_utc(struct arena *mem, struct slice s, struct slice *out)
{
	struct parts t;

	if (!parts_parse_any(s, &t) || !parts_to_utc(&t))
		return false;
	*out = parts_text(mem, &t, t.fraction.n, "Z");
	return true;
}

bool
stamp_key(struct arena *mem, struct slice s, struct slice *out)
{
	struct parts t;
	size_t n;

	if (!parts_parse_utc(s, &t))
		return false;
	for (n = t.fraction.n; n > 0 && t.fraction.p[n - 1] == '0'; n--)
		;
	*out = parts_text(mem, &t, n, "");
	return true;
}
