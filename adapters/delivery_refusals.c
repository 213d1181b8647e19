#include "adapters/delivery_refusals.h"

#include "adapters/taxii_resources.h"
#include "formats/idmap.h"
#include "gateway/base/arena.h"

enum { MESSAGE_MAX = 300 };

/* Can the peer mean this row by that version? */
static bool
fits(const struct store_row *row, struct slice version)
{
	return version.n == 0 || slice_eq(row->version, version) || slice_is(version, "unknown") ||
	    slice_starts(row->version_key, "sha256:");
}

/* The item that is meant; IDMAP_NONE if there is none. */
static long
item_of(const struct delivery *d, const struct idmap *ids, const char *const *refused,
    const struct taxii_refusal *r)
{
	long only = IDMAP_NONE;
	size_t others = 0;

	for (size_t k = idmap_place(ids, r->id); k < ids->n && slice_eq(ids->v[k].id, r->id); k++) {
		size_t i = ids->v[k].value;

		if (refused[i] != NULL)
			continue;
		if (fits(&d->items[i].row, r->version))
			return (long)i;
		only = (long)i;
		others++;
	}
	return others == 1 ? only : IDMAP_NONE;	/* a version written in another way */
}

size_t
delivery_refusals(const struct delivery *d, const struct slice *sent_as, size_t from, size_t to,
    const struct taxii_status *status, struct arena *mem, const char **refused)
{
	struct idmap ids = { .n = 0 };
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		idmap_add(&ids, mem, sent_as != NULL ? sent_as[i] : d->items[i].row.id, i);
	idmap_sort(&ids);
	for (size_t k = 0; k < status->nrefusals && n < to - from; k++) {
		const struct taxii_refusal *r = &status->refusals[k];
		long i = item_of(d, &ids, refused, r);

		if (i == IDMAP_NONE)
			continue;
		refused[i] = arena_fmt(mem, "the peer refused it: %s",
		    taxii_printable(r->message, MESSAGE_MAX, mem));
		n++;
	}
	return n;
}
