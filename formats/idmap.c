/* idmap.c -- see idmap.h. */
#include "formats/idmap.h"

#include <stdlib.h>

#include "gateway/base/arena.h"

/* Remember that `id` has `value`. */
void
idmap_add(struct idmap *m, struct arena *mem, struct slice id, size_t value)
{
	m->v = arena_grow(mem, m->v, m->n, &m->cap, sizeof(*m->v));
	m->v[m->n++] = (struct idmap_entry){ id, value };
}

static int
compare(const void *a, const void *b)
{
	const struct idmap_entry *x = a, *y = b;
	int c = slice_cmp(x->id, y->id);

	return c != 0 ? c : (x->value > y->value) - (x->value < y->value);
}

/* Make the map ready for idmap_find. */
void
idmap_sort(struct idmap *m)
{
	if (m->n > 1)
		qsort(m->v, m->n, sizeof(*m->v), compare);
}

/* Return the place of the first entry that is not before `id`. */
size_t
idmap_place(const struct idmap *m, struct slice id)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_cmp(m->v[mid].id, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Return the lowest value of `id`, or IDMAP_NONE. */
long
idmap_find(const struct idmap *m, struct slice id)
{
	size_t at = idmap_place(m, id);

	return at < m->n && slice_eq(m->v[at].id, id) ? (long)m->v[at].value : IDMAP_NONE;
}
