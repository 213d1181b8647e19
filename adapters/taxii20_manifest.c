#include "adapters/taxii20_manifest.h"

#include <stdlib.h>

#include "adapters/taxii20_write.h"
#include "gateway/base/arena.h"

void
taxii20_manifest_add(struct taxii20_versions *vs, struct arena *mem, const struct store_row *row)
{
	vs->v = arena_grow(mem, vs->v, vs->n, &vs->cap, sizeof(*vs->v));
	vs->v[vs->n++] = (struct taxii20_version){ .id = arena_slice(mem, row->id),
	    .shown = arena_slice(mem, row->version),
	    .key = arena_slice(mem, row->version_key), .date_us = row->date_added_us };
}

/* By id, newest first. */
static int
compare_versions(const void *a, const void *b)
{
	const struct taxii20_version *x = a, *y = b;
	int c = slice_cmp(x->id, y->id);

	return c != 0 ? c : slice_cmp(y->key, x->key);
}

static int
compare_ids(const void *a, const void *b)
{
	const struct taxii20_version *x = a, *y = b;

	return slice_cmp(x->id, y->id);
}

/* An object whose versions are gone meanwhile is listed with the one that it was listed by. */
static void
write_entry(const struct taxii20_versions *all, const struct taxii20_version *object,
    struct arena *mem, struct strbuf *out)
{
	struct taxii20_version *v = all->n == 0 ? NULL :
	    bsearch(object, all->v, all->n, sizeof(*all->v), compare_ids);
	struct slice *shown, id = object->served.n > 0 ? object->served : object->id;
	size_t n = 0, most = 0;

	if (v == NULL) {
		taxii20_write_entry(out, id, object->date_us, &object->shown, 1);
		return;
	}
	while (v > all->v && slice_eq(v[-1].id, object->id))
		v--;
	while (v + most < all->v + all->n && slice_eq(v[most].id, object->id))
		most++;
	shown = arena_alloc(mem, most * sizeof(*shown));
	for (; n < most; n++)
		shown[n] = v[n].shown;
	taxii20_write_entry(out, id, object->date_us, shown, n);
}

void
taxii20_manifest_write(struct taxii20_manifest *m, struct arena *mem, struct strbuf *out)
{
	if (m->all.n > 0)
		qsort(m->all.v, m->all.n, sizeof(*m->all.v), compare_versions);
	for (size_t i = 0; i < m->objects.n; i++)
		write_entry(&m->all, &m->objects.v[i], mem, out);
}
