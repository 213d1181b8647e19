#include <event2/event.h>

#include "gateway/store_impl.h"

enum { VAIN_MAX = 2000, ROWS_FIRST = 128 };

bool
walk_is_past(const struct page_walk *w, int64_t date_us)
{
	return w->q.until_us > 0 && date_us > w->q.until_us;
}

bool
walk_is_full(const struct page_walk *w, const struct store_row *row)
{
	return w->page.n >= w->q.limit || (w->q.max_bytes > 0 && w->page.n > 0 &&
	    w->bytes + row->bytes.n > w->q.max_bytes);
}

/* The row belongs to the page. */
static void
count(struct page_walk *w, const struct store_row *row)
{
	if (w->page.n++ == 0)
		w->page.first_us = row->date_added_us;
	w->page.last_us = row->date_added_us;
	w->bytes += row->bytes.n;
}

bool
walk_give(struct page_walk *w, const struct store_row *row)
{
	if (w->q.take == NULL)
		return false;
	w->q.take(w->q.take_ctx, row);
	count(w, row);
	return true;
}

struct store_row *
walk_add(struct page_walk *w, const struct store_row *row)
{
	if (w->rows == NULL) {
		w->cap = w->q.limit < ROWS_FIRST ? w->q.limit : ROWS_FIRST;
		w->rows = arena_raw(w->mem, w->cap * sizeof(*w->rows));
	}
	w->rows = arena_grow(w->mem, w->rows, w->page.n, &w->cap, sizeof(*w->rows));
	w->page.rows = w->rows;
	count(w, row);
	return &w->rows[w->page.n - 1];
}

static void
finish(struct page_walk *w, const struct err *e)
{
	if (w->timer != NULL)
		event_free(w->timer);
	w->cb(w->arg, e == NULL ? &w->page : NULL, e);
	arena_free(w->mem);
}

static void	run(struct page_walk *w);

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct page_walk *w = arg, **at = &w->store->walks;

	(void)fd;
	(void)what;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	run(w);
}

/* Wait for the next turn. The lists of the query are the caller's only until store_page returns. */
static void
wait_turn(struct page_walk *w)
{
	const struct timeval now = { 0, 0 };
	struct page_query *q = &w->q;

	if (w->timer == NULL) {
		q->ids = arena_slices(w->mem, q->ids, q->nids);
		q->types = arena_slices(w->mem, q->types, q->ntypes);
		q->spec_versions = arena_slices(w->mem, q->spec_versions, q->nspec_versions);
		q->version_keys = arena_slices(w->mem, q->version_keys, q->nversion_keys);
		w->timer = evtimer_new(w->store->base, on_turn, w);
	}
	w->next = w->store->walks;
	w->store->walks = w;
	evtimer_add(w->timer, &now);
}

static void
run(struct page_walk *w)
{
	struct err e = ERR_INIT;
	int rc;

	w->vain = 0;
	w->unfinished = false;
	rc = w->store->ops->page(w->store, w, &e);
	if (rc == 0 && w->unfinished)
		wait_turn(w);
	else
		finish(w, rc < 0 ? &e : NULL);
}

void
walk_page(struct store *s, const struct page_query *q, store_page_cb *cb, void *arg)
{
	struct arena *mem = arena_new();
	struct page_walk *w = arena_alloc(mem, sizeof(*w));

	w->q = *q;
	w->mem = mem;
	w->from_us = q->added_after_us > q->position_us ? q->added_after_us : q->position_us;
	w->vain_max = s->base == NULL ? 0 : VAIN_MAX;
	w->store = s;
	w->cb = cb;
	w->arg = arg;
	run(w);
}

void
walk_cancel_all(struct store *s)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_BUSY, "the store is closing");
	while (s->walks != NULL) {
		struct page_walk *w = s->walks;

		s->walks = w->next;
		finish(w, &e);
	}
}
