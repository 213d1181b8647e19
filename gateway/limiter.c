#include "gateway/limiter.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/limiter_lease.h"
#include "gateway/limiter_local.h"
#include "gateway/limiter_redis.h"

/* A question that Redis has not answered yet. */
struct take {
	TAILQ_ENTRY(take)	 link;
	struct limiter		*l;	/* NULL: nobody wants the answer any more */
	uint8_t			 key[RECENT_KEY];
	struct limit		 limit;
	uint32_t		 units, asked;	/* needed; asked for, see limiter_lease.h */
	limiter_cb		*cb;
	void			*arg;
};

/* A name asked for lately, and its bucket: an HMAC is half of what a lease costs. */
struct known {
	char	name[80];
	size_t	n;
	uint8_t	key[RECENT_KEY];
};
enum { KNOWN = 64 };

struct limiter {
	struct known		 known[KNOWN];	/* by a sum of the name's bytes */
	struct redis		*redis;
	struct limiter_local	*local;
	struct leases		*leases;
	char			*prefix;
	struct hmac		*hmac;
	double			 local_share;
	TAILQ_HEAD(takes, take)	 takes;
	struct limiter_figures	 figures;
};

struct limiter *
limiter_new(struct redis *r, const struct limiter_conf *conf)
{
	struct limiter *l = xcalloc(1, sizeof(*l));

	l->redis = r;
	l->local = limiter_local_new(conf->local_max);
	l->leases = leases_new(conf->local_max);
	l->prefix = xstrdup(conf->prefix == NULL ? "" : conf->prefix);
	l->hmac = hmac_new(conf->key);
	l->local_share = conf->local_share > 0 && conf->local_share <= 1 ? conf->local_share : 1;
	TAILQ_INIT(&l->takes);
	return l;
}

void
limiter_free(struct limiter *l)
{
	struct take *t;

	if (l == NULL)
		return;
	while ((t = TAILQ_FIRST(&l->takes)) != NULL) {
		TAILQ_REMOVE(&l->takes, t, link);
		t->l = NULL;
	}
	limiter_local_free(l->local);
	leases_free(l->leases);
	hmac_free(l->hmac);
	free(l->prefix);
	free(l);
}

void
limiter_figures(const struct limiter *l, struct limiter_figures *out)
{
	*out = l->figures;
	out->buckets = limiter_local_count(l->local);
}

/* No limit is a decision of whoever configured it; a number that is none is not. */
static bool
is_unlimited(struct limit limit)
{
	return limit.per_second <= 0;
}

static void
bucket_key(struct limiter *l, struct slice name, uint8_t out[RECENT_KEY])
{
	uint8_t mac[SHA256_LEN];
	struct known *k;
	unsigned sum = 0;

	for (size_t i = 0; i < name.n; i++)
		sum = sum * 31 + (unsigned char)name.p[i];
	k = &l->known[sum % KNOWN];
	if (name.n == 0 || !slice_eq(slice_from(k->name, k->n), name)) {
		hmac_sha256(l->hmac, name, mac);
		memcpy(out, mac, RECENT_KEY);
		if (name.n == 0 || name.n > sizeof(k->name))
			return;
		memcpy(k->name, name.p, name.n);
		k->n = name.n;
		memcpy(k->key, out, RECENT_KEY);
	}
	memcpy(out, k->key, RECENT_KEY);
}

/* Our part of a limit that is meant for all nodes together. */
static struct limit
share_of(const struct limiter *l, struct limit limit)
{
	limit.per_second *= l->local_share;
	limit.burst = (uint32_t)(limit.burst * l->local_share);
	return limit;
}

static struct limiter_answer
counted(struct limiter *l, struct limiter_answer a)
{
	l->figures.allowed += a.allowed;
	l->figures.refused += !a.allowed;
	l->figures.local += !a.shared;
	return a;
}

static struct limiter_answer
take_here(struct limiter *l, const uint8_t key[RECENT_KEY], struct limit limit, uint32_t units)
{
	return counted(l, limiter_local_take(l->local, key, limit, units, clock_mono_us()));
}

static void	on_taken(void *arg, const struct redis_reply *r);

enum { KEY_TEXT = 128 };

static struct slice
redis_key(const struct limiter *l, const uint8_t key[RECENT_KEY], char text[KEY_TEXT])
{
	char hex[2 * RECENT_KEY + 1];

	hex_text(key, RECENT_KEY, hex);
	snprintf(text, KEY_TEXT, "%.64srate:%s", l->prefix, hex);
	return slice_of(text);
}

static void
ask(struct limiter *l, struct take *t)
{
	char text[KEY_TEXT];

	TAILQ_INSERT_TAIL(&l->takes, t, link);
	limiter_redis_take(l->redis, redis_key(l, t->key, text), t->limit, t->asked, on_taken, t);
}

/* Redis has spoken. What it allowed is booked here too, so that nobody gets a second burst when it goes
 * away. False: it refused a lease, and is asked again for no more than is needed. */
static bool
take_shared(struct limiter *l, struct take *t, struct limiter_answer *a)
{
	int64_t now = clock_mono_us();

	if (t->asked > t->units)
		leases_got(l->leases, t->key, a->allowed ? t->asked - t->units : 0, now);
	if (a->allowed)
		limiter_local_charge(l->local, t->key, share_of(l, t->limit), t->asked, now);
	else if (t->asked > t->units) {
		t->asked = t->units;
		ask(l, t);
		return false;
	}
	*a = counted(l, *a);
	return true;
}

/* Redis has spoken, or not. */
static void
on_taken(void *arg, const struct redis_reply *r)
{
	struct take *t = arg;
	struct limiter *l = t->l;
	struct limiter_answer a = { .allowed = false };

	if (l != NULL) {
		TAILQ_REMOVE(&l->takes, t, link);
		if (!limiter_redis_read(r, &a)) {
			if (t->asked > t->units)
				leases_got(l->leases, t->key, 0, clock_mono_us());
			a = take_here(l, t->key, share_of(l, t->limit), t->units);
		} else if (!take_shared(l, t, &a)) {
			return;
		}
		t->cb(t->arg, a);
	}
	free(t);
}

void
limiter_take(struct limiter *l, struct slice name, struct limit limit, uint32_t units, limiter_cb *cb,
    void *arg)
{
	uint8_t key[RECENT_KEY];
	struct take *t;
	int64_t now;

	if (is_unlimited(limit)) {
		cb(arg, (struct limiter_answer){ .allowed = true });
		return;
	}
	bucket_key(l, name, key);
	if (redis_state(l->redis) != REDIS_UP) {
		cb(arg, take_here(l, key, l->redis == NULL ? limit : share_of(l, limit), units));
		return;
	}
	now = clock_mono_us();
	if (leases_spend(l->leases, key, units, now)) {
		cb(arg, counted(l, (struct limiter_answer){ .allowed = true, .shared = true }));
		return;
	}
	t = xcalloc(1, sizeof(*t));
	t->l = l;
	memcpy(t->key, key, sizeof(key));
	t->limit = limit;
	t->units = units;
	t->asked = leases_want(l->leases, key, limit, units, now);
	t->cb = cb;
	t->arg = arg;
	ask(l, t);
}

struct limiter_answer
limiter_take_local(struct limiter *l, struct slice name, struct limit limit, uint32_t units)
{
	uint8_t key[RECENT_KEY];

	if (is_unlimited(limit))
		return (struct limiter_answer){ .allowed = true };
	bucket_key(l, name, key);
	return take_here(l, key, limit, units);
}

void
limiter_refund_local(struct limiter *l, struct slice name, struct limit limit, uint32_t units)
{
	uint8_t key[RECENT_KEY];

	if (is_unlimited(limit))
		return;
	bucket_key(l, name, key);
	limiter_local_refund(l->local, key, limit, units, clock_mono_us());
}

void
limiter_refund(struct limiter *l, struct slice name, struct limit limit, uint32_t units)
{
	uint8_t key[RECENT_KEY];
	char text[KEY_TEXT];

	if (is_unlimited(limit))
		return;
	bucket_key(l, name, key);
	limiter_local_refund(l->local, key, limit, units, clock_mono_us());
	if (redis_state(l->redis) == REDIS_UP)
		limiter_redis_refund(l->redis, redis_key(l, key, text), limit, units);
}
