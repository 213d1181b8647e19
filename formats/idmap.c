/* idmap.c -- see idmap.h. */
#include "formats/idmap.h"

#include <endian.h>
#include <stdlib.h>

#include "gateway/base/arena.h"

enum { BITS_MAX = 30 };

/* Remember that `id` has `value`. */
void
idmap_add(struct idmap *m, struct arena *mem, struct slice id, size_t value)
{
	if (m->n == m->cap)
		m->spare = NULL;
	m->v = arena_grow(mem, m->v, m->n, &m->cap, sizeof(*m->v));
	m->v[m->n++] = (struct idmap_entry){ id, value, 0 };
	m->mem = mem;
}

/* Spread the bytes of an id over 64 bits, eight of them at a time. */
uint64_t
idmap_hash(struct slice id)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = id.n * odd, tail = 0;

	for (; id.n >= sizeof(tail); id.p += sizeof(tail), id.n -= sizeof(tail)) {
		memcpy(&tail, id.p, sizeof(tail));
		h = (h ^ le64toh(tail)) * odd;
		h ^= h >> 32;
	}
	tail = 0;
	if (id.n > 0)
		memcpy(&tail, id.p, id.n);
	h = (h ^ le64toh(tail)) * odd;
	h ^= h >> 32;
	return h * odd;
}

/* Order by hash, then by id. */
static int
compare_ids(const struct idmap_entry *x, const struct idmap_entry *y)
{
	return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash) : slice_cmp(x->id, y->id);
}

static int
compare(const void *a, const void *b)
{
	const struct idmap_entry *x = a, *y = b;
	int c = compare_ids(x, y);

	return c != 0 ? c : (x->value > y->value) - (x->value < y->value);
}

static size_t
bucket_of(const struct idmap *m, uint64_t hash)
{
	return (size_t)(hash >> (64 - m->bits));
}

/* Sort a bucket: most hold one entry or two. */
static void
sort_bucket(struct idmap_entry *v, size_t n)
{
	if (n == 2 && compare(&v[0], &v[1]) > 0) {
		struct idmap_entry first = v[0];

		v[0] = v[1];
		v[1] = first;
	} else if (n > 2) {
		qsort(v, n, sizeof(*v), compare);
	}
}

/* Deal the entries into buckets. */
static void
deal(struct idmap *m, size_t buckets)
{
	struct idmap_entry *from = m->v;
	uint32_t *next;

	m->v = m->spare != NULL ? m->spare : arena_raw(m->mem, m->cap * sizeof(*m->v));
	m->spare = from;
	next = m->start + 1;	/* when all are dealt, what counted up has become the start of the next */
	for (size_t i = 0; i < m->n; i++)
		next[bucket_of(m, from[i].hash) + 1]++;
	for (size_t i = 1; i <= buckets; i++)
		next[i] += next[i - 1];
	for (size_t i = 0; i < m->n; i++)
		m->v[next[bucket_of(m, from[i].hash)]++] = from[i];
}

/* Make the map ready for idmap_find. */
void
idmap_sort(struct idmap *m)
{
	unsigned bits = 1;
	size_t buckets;

	if (m->n == 0)
		return;
	while (bits < BITS_MAX && (size_t)1 << bits < m->n)
		bits++;
	buckets = (size_t)1 << bits;
	if (m->start == NULL || bits != m->bits)
		m->start = arena_raw(m->mem, (buckets + 2) * sizeof(*m->start));
	memset(m->start, 0, (buckets + 2) * sizeof(*m->start));
	m->bits = bits;
	for (size_t i = 0; i < m->n; i++)
		m->v[i].hash = idmap_hash(m->v[i].id);
	deal(m, buckets);
	for (size_t i = 0; i < buckets; i++)
		sort_bucket(m->v + m->start[i], m->start[i + 1] - m->start[i]);
}

/* Return the place of the first entry from lo on, before hi, that is not before `wanted`. */
static size_t
place_between(const struct idmap *m, size_t lo, size_t hi, const struct idmap_entry *wanted)
{
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_ids(&m->v[mid], wanted) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Return the place of the first entry of `id`. */
size_t
idmap_place(const struct idmap *m, struct slice id)
{
	struct idmap_entry wanted = { id, 0, idmap_hash(id) };
	size_t bucket;

	if (m->start == NULL)
		return m->n;
	bucket = bucket_of(m, wanted.hash);
	return place_between(m, m->start[bucket], m->start[bucket + 1], &wanted);
}

/* Return the lowest value of `id`, or IDMAP_NONE. */
long
idmap_find(const struct idmap *m, struct slice id)
{
	size_t at = idmap_place(m, id);

	return at < m->n && slice_eq(m->v[at].id, id) ? (long)m->v[at].value : IDMAP_NONE;
}

/* Remember that `id` has `value`, and keep every run in order. */
void
idmap_insert(struct idmap *m, struct arena *mem, struct slice id, size_t value)
{
	size_t run;

	idmap_add(m, mem, id, value);
	m->v[m->n - 1].hash = idmap_hash(id);
	run = m->n & -m->n;
	qsort(m->v + m->n - run, run, sizeof(*m->v), compare);
}

/* Return a value of `id`, or IDMAP_NONE. */
long
idmap_seek(const struct idmap *m, struct slice id)
{
	struct idmap_entry wanted = { id, 0, idmap_hash(id) };

	for (size_t end = m->n; end > 0; end &= end - 1) {
		size_t at = place_between(m, end & (end - 1), end, &wanted);

		if (at < end && slice_eq(m->v[at].id, id))
			return (long)m->v[at].value;
	}
	return IDMAP_NONE;
}
