#include "gateway/limiter_redis.h"

#include <stdio.h>

/*
 * KEYS[1] the bucket; ARGV: microseconds a unit, burst, units. Answers {allowed, microseconds to wait}.
 *
 * The value is "TAT NOW": when the bucket is full again, and when that was written. If Redis' clock has
 * been set back since, both move with it, so that nobody waits for a time that comes twice. A value of
 * another form counts as a full bucket. Lua would print a number of this size as 1.7e+15: %.0f.
 */
static const char take_script[] =
    "local t = redis.call('TIME') "
    "local now = t[1] * 1000000 + t[2] "
    "local cost, burst, units = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) "
    "local tat, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$') "
    "tat, at = tonumber(tat) or now, tonumber(at) or now "
    "if at > now then tat = tat - (at - now) end "
    "if tat < now then tat = now end "
    "local new = tat + units * cost "
    "local wait = new - math.max(burst, units) * cost - now "
    "if wait > 0 then return {0, math.ceil(wait)} end "
    "redis.call('SET', KEYS[1], string.format('%.0f %.0f', new, now), "
    "'PX', math.ceil((new - now) / 1000) + 1) "
    "return {1, 0}";

/* The longest life of a bucket, and so the longest wait that can be told. */
static const double wait_max_us = 1e15;

/* The same arguments. A bucket that is full again is forgotten. */
static const char refund_script[] =
    "local t = redis.call('TIME') "
    "local now = t[1] * 1000000 + t[2] "
    "local tat, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$') "
    "tat, at = tonumber(tat) or now, tonumber(at) or now "
    "if at > now then tat = tat - (at - now) end "
    "local new = tat - tonumber(ARGV[3]) * tonumber(ARGV[1]) "
    "if new <= now then return redis.call('DEL', KEYS[1]) end "
    "redis.call('SET', KEYS[1], string.format('%.0f %.0f', new, now), "
    "'PX', math.ceil((new - now) / 1000) + 1) "
    "return 1";

/* Both scripts take the same words. */
static void
run(struct redis *r, const char *script, struct slice key, struct limit limit, uint32_t units,
    redis_cb *cb, void *arg)
{
	char cost_text[32], burst_text[16], units_text[16];
	double cost = 1e6 / limit.per_second, most;

	if (limit.burst == 0)
		limit.burst = 1;
	if (units == 0)
		units = 1;
	most = wait_max_us / (units > limit.burst ? units : limit.burst);
	snprintf(cost_text, sizeof(cost_text), "%.6f", cost > most ? most : cost);
	snprintf(burst_text, sizeof(burst_text), "%u", limit.burst);
	snprintf(units_text, sizeof(units_text), "%u", units);
	redis_script(r, script, 1, 4, (struct slice[]){ key, slice_of(cost_text),
	    slice_of(burst_text), slice_of(units_text) }, cb, arg);
}

void
limiter_redis_take(struct redis *r, struct slice key, struct limit limit, uint32_t units,
    redis_cb *cb, void *arg)
{
	run(r, take_script, key, limit, units, cb, arg);
}

void
limiter_redis_refund(struct redis *r, struct slice key, struct limit limit, uint32_t units)
{
	run(r, refund_script, key, limit, units, NULL, NULL);
}

bool
limiter_redis_read(const struct redis_reply *r, struct limiter_answer *out)
{
	if (r == NULL || r->kind != REDIS_LIST || r->nitems != 2 ||
	    r->items[0].kind != REDIS_INT || r->items[1].kind != REDIS_INT ||
	    r->items[0].integer < 0 || r->items[0].integer > 1 || r->items[1].integer < 0 ||
	    (double)r->items[1].integer > 2 * wait_max_us)
		return false;
	out->allowed = r->items[0].integer == 1;
	out->wait_us = out->allowed ? 0 : r->items[1].integer;
	out->shared = true;
	return true;
}
