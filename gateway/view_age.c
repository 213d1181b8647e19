#include "gateway/view_age.h"

#include <event2/event.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/catalog.h"
#include "gateway/gateway.h"
#include "formats/refs.h"

enum { ROWS = 500, STEP_US = 20000, PARTS = 20 };

static const int64_t often_us = INT64_C(60) * 1000000, seldom_us = INT64_C(3600) * 1000000;

/* One view being looked after. */
struct aging {
	struct view_ages	*all;
	struct collection_conf	 col;
	struct event		*timer;		/* NULL: there is no loop */
	bool			 dead, busy;	/* given up; a question is with the store */
	int64_t			 position_us;	/* of the walk; -1: at its beginning */
	bool			 more;
	size_t			 left;		/* versions that left in this walk */
	struct arena		*mem;		/* of the step */
	struct aging		*next;
};

struct view_ages {
	struct gateway	*g;
	struct config	*config;		/* held: its texts are in `col` */
	struct aging	*v;
};

static void
aging_free(struct aging *a)
{
	if (a->timer != NULL)
		event_free(a->timer);
	arena_free(a->mem);
	free(a);
}

static void
wait_for(struct aging *a, int64_t us)
{
	const struct timeval tv = { us / 1000000, us % 1000000 };

	if (a->timer != NULL)
		evtimer_add(a->timer, &tv);
}

/* Between two walks. */
static int64_t
pause_of(const struct aging *a)
{
	int64_t us = a->col.age_us / PARTS;

	return us < often_us ? often_us : us > seldom_us ? seldom_us : us;
}

static void	step(struct aging *a);

/* A step is done: the next one, or the next walk. */
static void
step_done(struct aging *a)
{
	a->busy = false;
	if (a->dead) {
		aging_free(a);
		return;
	}
	if (a->more) {
		if (a->timer == NULL)
			step(a);
		else
			wait_for(a, STEP_US);
		return;
	}
	if (a->left > 0)
		log_event(LOG_INFO, "view.aged", LF_S("collection", a->col.name),
		    LF_I("objects", a->left));
	a->position_us = -1;
	a->left = 0;
	wait_for(a, pause_of(a));
}

static void
on_left(void *arg, const struct err *e)
{
	struct aging *a = arg;

	if (e != NULL && !a->dead) {
		log_event(LOG_WARN, "view.not-aged", LF_S("collection", a->col.name),
		    LF_S("error", e->reason));
		a->more = false;	/* the next walk sees them again */
	}
	step_done(a);
}

static void
on_rows(void *arg, const struct store_page *page, const struct err *e)
{
	struct aging *a = arg;
	int64_t *old, now_us = clock_wall_us();
	size_t n = 0;

	a->more = e == NULL && page->more;
	if (e != NULL || a->dead) {
		step_done(a);
		return;
	}
	old = arena_alloc(a->mem, (page->n + 1) * sizeof(*old));
	for (size_t i = 0; i < page->n; i++)
		if (!refs_is_supporting(page->rows[i].type) &&
		    catalog_view_is_old(&a->col, page->rows[i].version, now_us))
			old[n++] = page->rows[i].vid;
	if (page->n > 0)
		a->position_us = page->last_us;
	a->left += n;
	if (n == 0)
		step_done(a);
	else
		store_join(a->all->g->store, a->col.cid, "", NULL, 0, old, n, on_left, a);
}

static void
step(struct aging *a)
{
	const struct page_query q = { .cid = a->col.cid, .added_after_us = -1,
	    .position_us = a->position_us, .limit = ROWS, .all = true };

	arena_free(a->mem);
	a->mem = arena_new();
	a->busy = true;
	store_page(a->all->g->store, &q, on_rows, a);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct aging *a = arg;

	(void)fd;
	(void)what;
	if (!a->all->g->draining)
		step(a);
}

/* ---- what the catalog asks ---- */

struct view_ages *
view_ages_new(struct gateway *g)
{
	struct view_ages *v = xcalloc(1, sizeof(*v));

	v->g = g;
	return v;
}

static void
forget_all(struct view_ages *v, bool closed)
{
	for (struct aging *a = v->v, *next; a != NULL; a = next) {
		next = a->next;
		a->dead = true;
		if (closed || !a->busy)
			aging_free(a);
	}
	v->v = NULL;
}

void
view_ages_free(struct view_ages *v)
{
	if (v == NULL)
		return;
	forget_all(v, true);
	config_free(v->config);
	free(v);
}

void
view_ages_set(struct view_ages *v, const struct collection_conf *cols, size_t n)
{
	struct config *before = v->config;

	forget_all(v, false);
	v->config = config_hold(v->g->config);
	config_free(before);
	for (size_t i = 0; i < n; i++) {
		struct aging *a;

		if (!cols[i].view || cols[i].age_us <= 0)
			continue;
		a = xcalloc(1, sizeof(*a));
		a->all = v;
		a->col = cols[i];
		a->position_us = -1;
		if (v->g->base != NULL)
			a->timer = evtimer_new(v->g->base, on_turn, a);
		a->next = v->v;
		v->v = a;
		wait_for(a, often_us);
	}
}

void
view_ages_walk(struct view_ages *v)
{
	for (struct aging *a = v->v; a != NULL; a = a->next)
		if (!a->busy)
			step(a);
}
