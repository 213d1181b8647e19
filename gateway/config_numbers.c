/* config_numbers.c -- the types of value in tocsin.conf that are numbers: counts, sizes, spans, rates.
 * Part of config.h; shapes: config_parts.h. */
#include "gateway/config_parts.h"

#include "gateway/base/strbuf.h"

/* Store a number in a field of 4 or 8 bytes. */
static void
set_number(const struct config_key *k, void *at, int64_t n)
{
	if (k->size == sizeof(uint32_t))
		*(uint32_t *)at = (uint32_t)n;
	else
		*(int64_t *)at = n;
}

static int64_t
get_number(const struct config_key *k, const void *at)
{
	return k->size == sizeof(uint32_t) ? (int64_t)*(const uint32_t *)at : *(const int64_t *)at;
}

static int
in_range(const struct config_value *v, const struct config_key *k, void *at, int64_t n)
{
	struct strbuf range = STRBUF_INIT;
	int rc = 0;

	if (n < k->min || n > k->max) {
		k->type->bound(&range, k->min);
		strbuf_adds(&range, " to ");
		k->type->bound(&range, k->max);
		rc = complain(v->c, v->line, "%s: %.*s is out of range: %s", v->what,
		    SLICE_ARG(v->words[0]), range.p);
	} else {
		set_number(k, at, n);
	}
	strbuf_fini(&range);
	return rc;
}

static int
read_count(const struct config_value *v, const struct config_key *k, void *at)
{
	int64_t n;

	if (!word_int(v->words[0], 0, INT64_MAX, &n))
		return config_refuse(v, "is no number");
	return in_range(v, k, at, n);
}

/* `auto` is 0. */
static int
read_count_or_auto(const struct config_value *v, const struct config_key *k, void *at)
{
	if (!slice_is(v->words[0], "auto"))
		return read_count(v, k, at);
	set_number(k, at, 0);
	return 0;
}

static void
bound_count(struct strbuf *out, int64_t n)
{
	strbuf_addf(out, "%lld", (long long)n);
}

static void
write_count(struct strbuf *out, const struct config_key *k, const void *at)
{
	bound_count(out, get_number(k, at));
}

static void
write_count_or_auto(struct strbuf *out, const struct config_key *k, const void *at)
{
	if (get_number(k, at) == 0)
		strbuf_adds(out, "auto");
	else
		write_count(out, k, at);
}

static int
read_bytes(const struct config_value *v, const struct config_key *k, void *at)
{
	int64_t n;

	if (!word_bytes(v->words[0], &n))
		return config_refuse(v, "is no size: write 4096, 64k, 10m or 2g");
	return in_range(v, k, at, n);
}

/* A unit and its worth, largest first. */
struct unit {
	int64_t		 worth;
	const char	*name;
};

/* The shortest form of a number with a unit that divides it. */
static void
add_unit(struct strbuf *out, int64_t n, const struct unit *units)
{
	while (units->worth > 1 && (n == 0 || n % units->worth != 0))
		units++;
	strbuf_addf(out, "%lld%s", (long long)(n / units->worth), units->name);
}

static void
bound_bytes(struct strbuf *out, int64_t n)
{
	static const struct unit units[] = {
		{ 1 << 30, "g" }, { 1 << 20, "m" }, { 1 << 10, "k" }, { 1, "" }
	};

	add_unit(out, n, units);
}

static void
write_bytes(struct strbuf *out, const struct config_key *k, const void *at)
{
	bound_bytes(out, get_number(k, at));
}

static int
read_span(const struct config_value *v, const struct config_key *k, void *at)
{
	int64_t n;

	if (!word_span_us(v->words[0], &n))
		return config_refuse(v, "is no time span: write 200ms, 15s, 5m, 24h or 90d");
	return in_range(v, k, at, n);
}

static void
bound_span(struct strbuf *out, int64_t n)
{
	static const struct unit units[] = {
		{ 86400 * INT64_C(1000), "d" }, { 3600 * INT64_C(1000), "h" },
		{ 60 * INT64_C(1000), "m" }, { 1000, "s" }, { 1, "ms" }
	};

	if (n == 0)
		strbuf_adds(out, "0s");
	else
		add_unit(out, n / 1000, units);
}

static void
write_span(struct strbuf *out, const struct config_key *k, const void *at)
{
	(void)k;
	bound_span(out, *(const int64_t *)at);
}

static int
read_limit(const struct config_value *v, const struct config_key *k, void *at)
{
	struct limit *limit = at;
	int64_t burst = 1;

	(void)k;
	if (v->nwords == 1 && slice_is(v->words[0], "none")) {
		*limit = (struct limit){ 0, 0 };
		return 0;
	}
	if (!word_rate(v->words[0], &limit->per_second))
		return config_refuse(v, "is no rate: write 600/min, 10/s or 5/h, or none");
	if (v->nwords != 1 && (v->nwords != 3 || !slice_is(v->words[1], "burst") ||
	    !word_int(v->words[2], 1, 1000000000, &burst)))
		return config_refuse(v, "may be followed by `burst N` only");
	limit->burst = (uint32_t)burst;
	return 0;
}

static void
write_limit(struct strbuf *out, const struct config_key *k, const void *at)
{
	static const struct { double worth; const char *name; } units[] = {
		{ 1, "s" }, { 60, "min" }, { 3600, "h" }
	};
	const struct limit *limit = at;
	size_t unit = 0;

	(void)k;
	if (limit->per_second == 0) {
		strbuf_adds(out, "none");
		return;
	}
	/* The first unit in which it is a whole number; it was read as one, of some unit. */
	for (; unit < 2; unit++) {
		double n = limit->per_second * units[unit].worth;

		if (n >= 1 && n < 1e15 && n - (double)(int64_t)(n + 1e-6) < 1e-6)
			break;
	}
	strbuf_addf(out, "%.0f/%s burst %u", limit->per_second * units[unit].worth,
	    units[unit].name, limit->burst);
}

static int
read_share(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return loss_limit_parse(v->words[0], at) ? 0 : config_refuse(v, "is no share such as 5% or 0.5%");
}

static void
write_share(struct strbuf *out, const struct config_key *k, const void *at)
{
	const struct loss_limit *limit = at;

	(void)k;
	if (limit->set)
		strbuf_addf(out, "%g%%", limit->millionths / 10000.0);
}

/* ---- the rows ---- */

const struct config_type config_count = { "number", "digits",
	false, read_count, write_count, bound_count };
const struct config_type config_count_or_auto = { "number", "digits, or `auto`",
	false, read_count_or_auto, write_count_or_auto, bound_count };
const struct config_type config_bytes = { "size", "bytes, or with `k` `m` `g`",
	false, read_bytes, write_bytes, bound_bytes };
const struct config_type config_span = { "span", "`200ms` `15s` `5m` `24h` `90d`",
	false, read_span, write_span, bound_span };
const struct config_type config_share = { "share", "`5%` `0.5%`",
	false, read_share, write_share, NULL };
const struct config_type config_limit = { "rate", "`600/min burst 200`, also `/s` and `/h`; `none`",
	true, read_limit, write_limit, NULL };
