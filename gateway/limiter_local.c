#include "gateway/limiter_local.h"

#include <stdlib.h>

#include "gateway/base/arena.h"

struct bucket {
	int64_t	tat_ns;
};

struct limiter_local {
	struct recent	*buckets;
};

/* The longest debt that is told from a longer one: 31 years. Sums of it with any clock fit. */
static const int64_t debt_max_ns = INT64_C(1000000000000000000);

struct limiter_local *
limiter_local_new(size_t max)
{
	struct limiter_local *l = xcalloc(1, sizeof(*l));

	l->buckets = recent_new(max == 0 ? 1 : max, sizeof(struct bucket));
	return l;
}

void
limiter_local_free(struct limiter_local *l)
{
	if (l == NULL)
		return;
	recent_free(l->buckets);
	free(l);
}

/* Buckets that are full again say nothing: the oldest ones go, two a turn. */
static void
expire(struct limiter_local *l, int64_t now_ns)
{
	struct bucket *b;
	int i;

	for (i = 0; i < 2; i++) {
		b = recent_oldest(l->buckets);
		if (b == NULL || b->tat_ns > now_ns)
			return;
		recent_drop_oldest(l->buckets);
	}
}

static int64_t
cost_ns(struct limit limit)
{
	double ns = 1e9 / limit.per_second;

	if (!(ns < (double)debt_max_ns))
		return debt_max_ns;	/* and so is what is no number */
	return ns < 1 ? 1 : (int64_t)(ns + 0.5);
}

/* What n units cost; at least one unit. */
static int64_t
span(uint32_t n, int64_t cost)
{
	return n <= 1 ? cost : cost > debt_max_ns / n ? debt_max_ns : n * cost;
}

struct limiter_answer
limiter_local_take(struct limiter_local *l, const uint8_t key[RECENT_KEY], struct limit limit,
    uint32_t units, int64_t now_us)
{
	int64_t now = now_us * 1000, cost = cost_ns(limit), tat, at;
	const struct bucket *old;
	struct bucket *b;

	old = recent_find(l->buckets, key);
	tat = old == NULL || old->tat_ns < now ? now : old->tat_ns;
	tat += span(units, cost);
	at = tat - span(units > limit.burst ? units : limit.burst, cost);
	if (at > now)
		return (struct limiter_answer){ .wait_us = (at - now + 999) / 1000 };
	expire(l, now);
	b = recent_put(l->buckets, key);
	b->tat_ns = tat;
	return (struct limiter_answer){ .allowed = true };
}

void
limiter_local_charge(struct limiter_local *l, const uint8_t key[RECENT_KEY], struct limit limit,
    uint32_t units, int64_t now_us)
{
	int64_t now = now_us * 1000, cost = cost_ns(limit), most = now + span(limit.burst, cost);
	struct bucket *b;

	expire(l, now);
	b = recent_put(l->buckets, key);
	if (b->tat_ns < now)
		b->tat_ns = now;
	if (b->tat_ns < most) {
		b->tat_ns += span(units, cost);
		if (b->tat_ns > most)
			b->tat_ns = most;
	}
}

void
limiter_local_refund(struct limiter_local *l, const uint8_t key[RECENT_KEY], struct limit limit,
    uint32_t units, int64_t now_us)
{
	int64_t now = now_us * 1000;
	struct bucket *b = recent_find(l->buckets, key);

	if (b == NULL)
		return;
	b->tat_ns -= span(units, cost_ns(limit));
	if (b->tat_ns < now)
		b->tat_ns = now;
}

size_t
limiter_local_count(const struct limiter_local *l)
{
	return recent_count(l->buckets);
}
