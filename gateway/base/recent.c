#include "gateway/base/recent.h"

#include <stdlib.h>

#include "gateway/base/arena.h"

/* Entries are numbered from 1, so that 0 is "none" and zeroed memory is an empty table. */
struct entry {
	uint32_t	chain;		/* next in its bucket, or next free */
	uint32_t	older, newer;
	uint32_t	spare;		/* values begin at a multiple of 16 */
	uint8_t		key[RECENT_KEY];
};
_Static_assert(sizeof(struct entry) % _Alignof(max_align_t) == 0, "values must be aligned");

struct recent {
	char		*entries;	/* of `stride` bytes each: entry, then value */
	uint32_t	*buckets;	/* a power of two of them */
	size_t		 value_size, stride;
	uint32_t	 max, made, count, nbuckets;
	uint32_t	 unused;	/* chain of dropped entries */
	uint32_t	 oldest, newest;
};

enum { FIRST_ENTRIES = 64 };

static struct entry *
entry_at(const struct recent *t, uint32_t i)
{
	return (struct entry *)(void *)(t->entries + (size_t)(i - 1) * t->stride);
}

static void *
value_of(const struct recent *t, uint32_t i)
{
	return (char *)entry_at(t, i) + sizeof(struct entry);
}

static uint32_t *
bucket_of(const struct recent *t, const uint8_t key[RECENT_KEY])
{
	uint32_t n;

	memcpy(&n, key, sizeof(n));
	return &t->buckets[n & (t->nbuckets - 1)];
}

struct recent *
recent_new(size_t max, size_t value_size)
{
	struct recent *t = xcalloc(1, sizeof(*t));
	size_t align = _Alignof(max_align_t);

	t->max = max > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)max;
	t->value_size = value_size;
	t->stride = (sizeof(struct entry) + value_size + align - 1) / align * align;
	return t;
}

void
recent_free(struct recent *t)
{
	if (t == NULL)
		return;
	free(t->entries);
	free(t->buckets);
	free(t);
}

/* The number of a key's entry; 0 if there is none. */
static uint32_t
look_up(const struct recent *t, const uint8_t key[RECENT_KEY])
{
	uint32_t i;

	if (t->nbuckets == 0)
		return 0;
	for (i = *bucket_of(t, key); i != 0; i = entry_at(t, i)->chain)
		if (memcmp(entry_at(t, i)->key, key, RECENT_KEY) == 0)
			return i;
	return 0;
}

void *
recent_find(const struct recent *t, const uint8_t key[RECENT_KEY])
{
	uint32_t i = look_up(t, key);

	return i == 0 ? NULL : value_of(t, i);
}

static void
unlink_order(struct recent *t, uint32_t i)
{
	struct entry *e = entry_at(t, i);

	if (e->older != 0)
		entry_at(t, e->older)->newer = e->newer;
	else
		t->oldest = e->newer;
	if (e->newer != 0)
		entry_at(t, e->newer)->older = e->older;
	else
		t->newest = e->older;
}

static void
link_newest(struct recent *t, uint32_t i)
{
	struct entry *e = entry_at(t, i);

	e->older = t->newest;
	e->newer = 0;
	if (t->newest != 0)
		entry_at(t, t->newest)->newer = i;
	else
		t->oldest = i;
	t->newest = i;
}

static void
drop(struct recent *t, uint32_t i)
{
	struct entry *e = entry_at(t, i);
	uint32_t *at = bucket_of(t, e->key);

	while (*at != i)
		at = &entry_at(t, *at)->chain;
	*at = e->chain;
	unlink_order(t, i);
	e->chain = t->unused;
	t->unused = i;
	t->count--;
}

/* Twice the room, and everything in its new bucket. */
static void
grow(struct recent *t)
{
	uint32_t room = t->made < FIRST_ENTRIES ? FIRST_ENTRIES : t->made * 2, n = 1, i;

	if (room > t->max)
		room = t->max;
	while (n < room)
		n *= 2;
	t->entries = xrealloc(t->entries, room * t->stride);
	free(t->buckets);
	t->buckets = xcalloc(n, sizeof(*t->buckets));
	t->nbuckets = n;
	for (i = t->oldest; i != 0; i = entry_at(t, i)->newer) {
		uint32_t *at = bucket_of(t, entry_at(t, i)->key);

		entry_at(t, i)->chain = *at;
		*at = i;
	}
	for (i = room; i > t->made; i--) {
		entry_at(t, i)->chain = t->unused;
		t->unused = i;
	}
	t->made = room;
}

void *
recent_put(struct recent *t, const uint8_t key[RECENT_KEY])
{
	uint32_t i = look_up(t, key), *at;
	struct entry *e;

	if (i != 0) {
		unlink_order(t, i);
		link_newest(t, i);
		return value_of(t, i);
	}
	if (t->max == 0)
		return NULL;
	if (t->unused == 0 && t->made < t->max)
		grow(t);
	if (t->unused == 0)
		drop(t, t->oldest);
	i = t->unused;
	e = entry_at(t, i);
	t->unused = e->chain;
	at = bucket_of(t, key);
	e->chain = *at;
	*at = i;
	memcpy(e->key, key, RECENT_KEY);
	memset(value_of(t, i), 0, t->value_size);
	link_newest(t, i);
	t->count++;
	return value_of(t, i);
}

void
recent_drop(struct recent *t, const uint8_t key[RECENT_KEY])
{
	uint32_t i = look_up(t, key);

	if (i != 0)
		drop(t, i);
}

void *
recent_oldest(const struct recent *t)
{
	return t->oldest == 0 ? NULL : value_of(t, t->oldest);
}

void
recent_drop_oldest(struct recent *t)
{
	if (t->oldest != 0)
		drop(t, t->oldest);
}

size_t
recent_count(const struct recent *t)
{
	return t->count;
}
