#include "gateway/look.h"

#include <stdlib.h>

#include "gateway/admit.h"
#include "gateway/base/clock.h"
#include "gateway/base/arena.h"
#include "gateway/gateway.h"

static const struct peer nobody = { .name = "public", .relation = RELATION_PUBLIC };

struct looking {
	struct trust	*trust;		/* held: counting takes many turns of the loop */
	struct admit	 admit;
	uint64_t	 n, most;
	int64_t		 last_us;
	catalog_row_cb	*row;		/* look_ids */
	look_count_cb	*counted;	/* one of these */
	look_end_cb	*ended;
	void		*arg;
};

static bool
may_have(void *ctx, const struct store_row *row)
{
	struct looking *l = ctx;

	return admit_row(&l->admit, &row->facts);
}

static void
count(struct looking *l, const struct store_row *row)
{
	l->n++;
	l->last_us = row->date_added_us;
}

/* A row that is counted is not let pass: so the store looks at many without making a page of them, and
 * gives way to others now and then. What is beyond `most` ends the page. */
static bool
count_and_refuse(void *ctx, const struct store_row *row)
{
	struct looking *l = ctx;

	if (!may_have(l, row))
		return false;
	if (l->n == l->most)
		return true;
	count(l, row);
	return false;
}

static void
take(void *ctx, const struct store_row *row)
{
	struct looking *l = ctx;

	if (l->row != NULL)
		l->row(l->arg, row);
	else if (l->n < l->most)
		count(l, row);
}

/* What lies beyond `most` is no row of ours. */
static void
ignore(void *ctx, const struct store_row *row)
{
	(void)ctx;
	(void)row;
}

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	struct looking *l = arg;

	(void)page;
	if (l->counted != NULL)
		l->counted(l->arg, l->n, l->last_us, e);
	else
		l->ended(l->arg, e);
	trust_free(l->trust);
	free(l);
}

static struct looking *
looking_new(struct gateway *g, const struct reader *r, void *arg)
{
	struct looking *l = xcalloc(1, sizeof(*l));

	l->trust = trust_hold(g->trust);
	l->arg = arg;
	admit_init(&l->admit, l->trust, r->peer == NULL ? &nobody : r->peer, clock_wall_us());
	return l;
}

static void
look(struct gateway *g, const struct collection_conf *col, struct page_query *q, struct looking *l)
{
	q->cid = col->cid;
	q->admit_ctx = q->take_ctx = l;
	q->max_bytes = 0;
	q->want_bytes = false;
	store_page(g->store, q, on_page, l);
}

void
look_count(struct gateway *g, const struct reader *r, const struct collection_conf *col,
    const struct page_query *q, uint64_t most, look_count_cb *cb, void *arg)
{
	struct looking *l = looking_new(g, r, arg);
	struct page_query pq = *q;

	l->most = most;
	l->counted = cb;
	/* Of ids the store asks more often than it shows; there are never many. */
	pq.admit = q->nids > 0 ? may_have : count_and_refuse;
	pq.take = q->nids > 0 ? take : ignore;
	pq.limit = q->nids > 0 ? UINT32_MAX : 1;
	look(g, col, &pq, l);
}

void
look_ids(struct gateway *g, const struct reader *r, const struct collection_conf *col,
    const struct page_query *q, catalog_row_cb *row, look_end_cb *cb, void *arg)
{
	struct looking *l = looking_new(g, r, arg);
	struct page_query pq = *q;

	l->row = row;
	l->ended = cb;
	pq.admit = may_have;
	pq.take = take;
	pq.limit = UINT32_MAX;
	look(g, col, &pq, l);
}
