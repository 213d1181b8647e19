#include "adapters/taxii20_ground.h"

#include <stdlib.h>

#include "gateway/base/arena.h"

struct ground {
	int64_t	cid;
	int64_t	first_us, last_us;	/* of what was found; INT64_MAX and 0: nothing */
	int64_t	scanned_us;		/* up to here everything was looked at; -1 nothing */
	bool	scanning;
};

struct taxii20_grounds {
	struct ground	*v;
	size_t		 n, cap;
	unsigned	 refs;		/* a scan under way has one */
};

/* A scan under way. The collection by number: the list may move meanwhile. */
struct scan {
	struct taxii20_grounds *gs;
	int64_t		cid, until_us;
};

struct taxii20_grounds *
taxii20_grounds_new(void)
{
	struct taxii20_grounds *gs = xcalloc(1, sizeof(*gs));

	gs->refs = 1;
	return gs;
}

void
taxii20_grounds_free(struct taxii20_grounds *gs)
{
	if (gs == NULL || --gs->refs > 0)
		return;
	free(gs->v);
	free(gs);
}

static struct ground *
ground_of(struct taxii20_grounds *gs, int64_t cid)
{
	for (size_t i = 0; i < gs->n; i++)
		if (gs->v[i].cid == cid)
			return &gs->v[i];
	if (gs->n == gs->cap) {
		gs->cap = gs->cap == 0 ? 8 : 2 * gs->cap;
		gs->v = xrealloc(gs->v, gs->cap * sizeof(*gs->v));
	}
	gs->v[gs->n] = (struct ground){ .cid = cid, .first_us = INT64_MAX, .scanned_us = -1 };
	return &gs->v[gs->n++];
}

/* ---- looking on ---- */

/* Let none pass, so that the store goes on, and gives way to others now and then. */
static bool
on_row(void *ctx, const struct store_row *row)
{
	const struct scan *sc = ctx;
	struct ground *g = ground_of(sc->gs, sc->cid);

	if (row->date_added_us < g->first_us)
		g->first_us = row->date_added_us;
	if (row->date_added_us > g->last_us)
		g->last_us = row->date_added_us;
	return false;
}

static void
ignore(void *ctx, const struct store_row *row)
{
	(void)ctx;
	(void)row;
}

static void
on_end(void *arg, const struct store_page *page, const struct err *e)
{
	struct scan *sc = arg;
	struct ground *g = ground_of(sc->gs, sc->cid);

	(void)page;
	g->scanning = false;
	if (e == NULL && sc->until_us > g->scanned_us)
		g->scanned_us = sc->until_us;
	taxii20_grounds_free(sc->gs);
	free(sc);
}

/* Every version counts, also those that have a newer one: when that is taken out, they are shown again. */
static void
look_on(struct taxii20_grounds *gs, struct store *s, int64_t cid, int64_t until_us)
{
	static const struct slice stix20[] = { { "2.0", 3 } };
	struct ground *g = ground_of(gs, cid);
	struct scan *sc = xmalloc(sizeof(*sc));
	struct page_query q = {
		.cid = cid, .added_after_us = -1, .position_us = g->scanned_us, .limit = 1, .all = true,
		.spec_versions = stix20, .nspec_versions = 1, .admit = on_row, .admit_ctx = sc,
		.take = ignore,
	};

	*sc = (struct scan){ .gs = gs, .cid = cid, .until_us = until_us };
	gs->refs++;
	g->scanning = true;
	store_page(s, &q, on_end, sc);
}

int64_t
taxii20_ground_from(struct taxii20_grounds *gs, struct store *s, int64_t cid,
    int64_t after_us)
{
	const struct ground *g = ground_of(gs, cid);
	struct store_epoch now;

	if (!g->scanning && store_epoch(s, &now) && now.last_us > g->scanned_us) {
		look_on(gs, s, cid, now.last_us);
		g = ground_of(gs, cid);
	}
	if (g->first_us > g->scanned_us || after_us >= g->last_us)
		return after_us > g->scanned_us ? after_us : g->scanned_us;
	return after_us >= g->first_us ? after_us : g->first_us - 1;
}
