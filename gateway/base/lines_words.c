/* Words with units: numbers, sizes, spans, rates, dates, networks. Part of lines.h. */
#include <arpa/inet.h>
#include <stdio.h>

#include "gateway/base/clock.h"
#include "gateway/base/lines.h"

/* A unit and what one of it is worth. */
struct unit {
	const char	*name;
	int64_t		 worth;
};

/* Cut the digits off the front: a number without leading zeros that fits. */
static bool
take_number(struct slice *s, int64_t *out)
{
	unsigned long long v;
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (n == 0 || (n > 1 && s->p[0] == '0') || !slice_u64(slice_from(s->p, n), &v) ||
	    v > INT64_MAX)
		return false;
	*out = (int64_t)v;
	*s = slice_from(s->p + n, s->n - n);
	return true;
}

/* The worth of a unit in a table that a NULL name ends; 0 if it is not there. */
static int64_t
worth_of(struct slice name, const struct unit *table)
{
	for (; table->name != NULL; table++) {
		if (slice_is(name, table->name))
			return table->worth;
	}
	return 0;
}

/* A number and a unit, as the number of smallest units. */
static bool
with_unit(struct slice w, const struct unit *table, int64_t *out)
{
	int64_t v, worth;

	if (!take_number(&w, &v) || (worth = worth_of(w, table)) == 0)
		return false;
	return !__builtin_mul_overflow(v, worth, out);
}

bool
word_bool(struct slice w, bool *out)
{
	static const struct unit table[] = {
		{ "yes", 2 }, { "on", 2 }, { "true", 2 },
		{ "no", 1 }, { "off", 1 }, { "false", 1 },
		{ NULL, 0 }
	};
	int64_t v = worth_of(w, table);

	*out = v == 2;
	return v != 0;
}

bool
word_int(struct slice w, int64_t min, int64_t max, int64_t *out)
{
	bool minus = slice_starts(w, "-");
	int64_t v;

	if (minus)
		w = slice_from(w.p + 1, w.n - 1);
	if (!take_number(&w, &v) || w.n != 0 || (minus && v == 0))
		return false;
	if (minus)
		v = -v;
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

bool
word_bytes(struct slice w, int64_t *out)
{
	static const struct unit table[] = {
		{ "", 1 }, { "k", 1 << 10 }, { "m", 1 << 20 }, { "g", 1 << 30 },
		{ NULL, 0 }
	};

	return with_unit(w, table, out);
}

bool
word_span_us(struct slice w, int64_t *out)
{
	static const struct unit table[] = {
		{ "ms", 1000 }, { "s", 1000000 }, { "m", 60 * INT64_C(1000000) },
		{ "h", 3600 * INT64_C(1000000) }, { "d", 86400 * INT64_C(1000000) },
		{ "y", 365 * 86400 * INT64_C(1000000) },
		{ NULL, 0 }
	};

	return with_unit(w, table, out);
}

bool
word_rate(struct slice w, double *per_second)
{
	static const struct unit table[] = {
		{ "/s", 1 }, { "/min", 60 }, { "/h", 3600 },
		{ NULL, 0 }
	};
	int64_t v, seconds;

	/* A rate of nothing has no time between two events: say `no` where a right is meant. */
	if (!take_number(&w, &v) || v == 0 || (seconds = worth_of(w, table)) == 0)
		return false;
	*per_second = (double)v / (double)seconds;
	return true;
}

bool
word_date(struct slice w, int64_t *us)
{
	char text[40];

	if (w.n != 10)
		return false;
	snprintf(text, sizeof(text), "%.10sT23:59:59.999999Z", w.p);
	return stamp_parse(slice_of(text), us);
}

/* Whether all bits of an address behind its prefix are zero. */
static bool
is_network(const uint8_t *addr, int bits, int prefix)
{
	for (int i = prefix; i < bits; i++) {
		if ((addr[i / 8] & (0x80 >> (i % 8))) != 0)
			return false;
	}
	return true;
}

bool
word_cidr(struct slice w, int *family, uint8_t addr[16], int *prefix)
{
	struct slice host = slice_cut(&w, '/');
	bool has_prefix = host.p + host.n < w.p;
	char text[INET6_ADDRSTRLEN];
	int64_t bits;

	if (host.n == 0 || host.n >= sizeof(text) || memchr(host.p, '\0', host.n) != NULL)
		return false;
	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(host));
	memset(addr, 0, 16);
	if (inet_pton(AF_INET, text, addr) == 1)
		*family = 4;
	else if (inet_pton(AF_INET6, text, addr) == 1)
		*family = 6;
	else
		return false;
	bits = *family == 4 ? 32 : 128;
	*prefix = (int)bits;
	if (has_prefix) {
		int64_t v;

		if (!word_int(w, 0, bits, &v))
			return false;
		*prefix = (int)v;
	}
	return is_network(addr, (int)bits, *prefix);
}
