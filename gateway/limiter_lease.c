#include "gateway/limiter_lease.h"

#include <stdlib.h>

#include "gateway/base/arena.h"

/* One client's. */
struct lease {
	int64_t		until_us;	/* what is left is forgotten then */
	uint32_t	left, size;
	bool		asked;		/* one question for more at a time */
};

struct leases {
	struct recent	*clients;
};

struct leases *
leases_new(size_t max)
{
	struct leases *ls = xcalloc(1, sizeof(*ls));

	ls->clients = recent_new(max == 0 ? 1 : max, sizeof(struct lease));
	return ls;
}

void
leases_free(struct leases *ls)
{
	if (ls == NULL)
		return;
	recent_free(ls->clients);
	free(ls);
}

bool
leases_spend(struct leases *ls, const uint8_t key[RECENT_KEY], uint32_t units, int64_t now_us)
{
	struct lease *x = recent_find(ls->clients, key);

	if (x == NULL || x->left < units || now_us >= x->until_us)
		return false;
	x->left -= units;
	return true;
}

/* The largest lease of a limit; 0 or 1: none is worth it. */
static uint32_t
most_of(struct limit limit)
{
	double most = limit.per_second * LEASE_US / 1e6;

	if (most > limit.burst / 16.0)
		most = limit.burst / 16.0;
	return most < LEASE_MAX ? (uint32_t)most : LEASE_MAX;
}

uint32_t
leases_want(struct leases *ls, const uint8_t key[RECENT_KEY], struct limit limit, uint32_t units,
    int64_t now_us)
{
	uint32_t most = most_of(limit);
	struct lease *x;

	if (units >= most)
		return units;
	x = recent_find(ls->clients, key);
	if (x != NULL && x->asked && now_us < x->until_us)
		return units;
	if (x == NULL) {
		x = recent_put(ls->clients, key);
		x->size = 1;
	}
	if (now_us >= x->until_us + LEASE_US)	/* a client that paused */
		x->size = 1;
	else if (now_us >= x->until_us)		/* as much as went in the time of a lease */
		x->size = x->left < x->size ? x->size - x->left : 1;
	else
		x->size = x->size > most / 4 ? most : x->size * 4;
	if (x->size > most)
		x->size = most;
	x->left = 0;
	x->asked = x->size > units;
	x->until_us = now_us + LEASE_US;
	return x->asked ? x->size : units;
}

void
leases_got(struct leases *ls, const uint8_t key[RECENT_KEY], uint32_t more, int64_t now_us)
{
	struct lease *x = recent_find(ls->clients, key);

	if (x == NULL)
		return;
	x->asked = false;
	x->left = more;
	x->until_us = now_us + LEASE_US;
	if (more == 0)
		x->size = 1;
}
