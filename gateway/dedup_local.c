#include "gateway/dedup_local.h"

#include <stdlib.h>

#include "gateway/base/arena.h"

struct claim {
	int64_t		until_us;
	uint32_t	holders;	/* 0: confirmed */
};

struct dedup_local {
	struct recent	*claims;
};

struct dedup_local *
dedup_local_new(size_t max)
{
	struct dedup_local *t = xcalloc(1, sizeof(*t));

	t->claims = recent_new(max, sizeof(struct claim));
	return t;
}

void
dedup_local_free(struct dedup_local *t)
{
	if (t == NULL)
		return;
	recent_free(t->claims);
	free(t);
}

/* The claim of a key if it is still believed. */
static struct claim *
find(const struct dedup_local *t, const uint8_t key[DEDUP_KEY], int64_t now_us)
{
	struct claim *c = recent_find(t->claims, key);

	return c != NULL && c->until_us > now_us ? c : NULL;
}

/* What expired at the old end goes; two a turn are enough to keep up. */
static void
expire(struct dedup_local *t, int64_t now_us)
{
	struct claim *c;
	int i;

	for (i = 0; i < 2; i++) {
		c = recent_oldest(t->claims);
		if (c == NULL || c->until_us > now_us)
			return;
		recent_drop_oldest(t->claims);
	}
}

enum dedup_answer
dedup_local_claim(struct dedup_local *t, const uint8_t key[DEDUP_KEY], int64_t now_us,
    int64_t until_us)
{
	struct claim *c = find(t, key, now_us);

	if (c != NULL) {
		if (c->holders == 0)
			return DEDUP_SEEN;
		c->holders++;
		return DEDUP_BUSY;
	}
	expire(t, now_us);
	if ((c = recent_put(t->claims, key)) == NULL)
		return DEDUP_UNKNOWN;
	c->until_us = until_us;
	c->holders = 1;
	return DEDUP_CLAIMED;
}

enum dedup_answer
dedup_local_look(const struct dedup_local *t, const uint8_t key[DEDUP_KEY], int64_t now_us)
{
	const struct claim *c = find(t, key, now_us);

	return c == NULL ? DEDUP_CLAIMED : c->holders == 0 ? DEDUP_SEEN : DEDUP_BUSY;
}

void
dedup_local_confirm(struct dedup_local *t, const uint8_t key[DEDUP_KEY], int64_t until_us)
{
	struct claim *c = recent_put(t->claims, key);

	if (c == NULL)
		return;
	c->until_us = until_us;
	c->holders = 0;
}

bool
dedup_local_release(struct dedup_local *t, const uint8_t key[DEDUP_KEY], int64_t now_us)
{
	struct claim *c = find(t, key, now_us);

	if (c == NULL)
		return true;
	if (c->holders == 0 || --c->holders > 0)
		return false;
	recent_drop(t->claims, key);
	return true;
}

void
dedup_local_forget(struct dedup_local *t, const uint8_t key[DEDUP_KEY])
{
	recent_drop(t->claims, key);
}

size_t
dedup_local_count(const struct dedup_local *t)
{
	return recent_count(t->claims);
}
