#include "adapters/taxii20_serve.h"

#include "adapters/taxii20_read.h"
#include "adapters/taxii20_write.h"
#include "formats/stix20_serve.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"

/* How far observables are followed (an archive in an archive, ...), and how many of one page. */
enum { LEVELS = 4, ASKED_MAX = 2000 };

struct served_row {
	struct slice	bytes, shown;
	bool		is_20;
};

struct taxii20_serving {
	struct taxii_request	*rq;
	struct served_row	*v;
	size_t			 n, cap;
	struct stix20_shelf	*shelf;
	struct page_query	 q;
	unsigned		 level;
	size_t			 asked;
	struct strbuf		*out;
	taxii20_served_cb	*done;
	void			*arg;
};

/* ---- names ---- */

void
taxii20_serve_names(struct taxii_request *rq)
{
	struct page_query *q = &rq->q.page;
	struct slice *ids = arena_alloc(rq->mem, (q->nids * STIX20_NAMES + 1) * sizeof(*ids));
	struct slice *types = arena_alloc(rq->mem, (q->ntypes * STIX20_NAMES + 1) * sizeof(*types));
	size_t nids = 0, ntypes = 0;

	for (size_t i = 0; i < q->nids; i++)
		nids += stix20_stored_ids(rq->mem, q->ids[i], ids + nids);
	for (size_t i = 0; i < q->ntypes; i++)
		ntypes += stix20_stored_types(q->types[i], types + ntypes);
	q->ids = nids > 0 ? ids : NULL;
	q->nids = nids;
	q->types = ntypes > 0 ? types : NULL;
	q->ntypes = ntypes;
}

/* ---- rows ---- */

struct taxii20_serving *
taxii20_serving_new(struct taxii_request *rq)
{
	struct taxii20_serving *s = arena_alloc(rq->mem, sizeof(*s));

	s->rq = rq;
	s->shelf = stix20_shelf_new(rq->mem);
	return s;
}

void
taxii20_serving_add(struct taxii20_serving *s, const struct store_row *row)
{
	struct arena *mem = s->rq->mem;

	s->v = arena_grow(mem, s->v, s->n, &s->cap, sizeof(*s->v));
	s->v[s->n++] = (struct served_row){ .bytes = arena_slice(mem, row->bytes),
	    .shown = arena_slice(mem, row->version), .is_20 = slice_is(row->spec_version, "2.0") };
}

static void
write_rows(struct taxii20_serving *s)
{
	enum tlp_vocab vocab = taxii20_tlp_vocab(s->rq);
	size_t shelved = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct served_row *row = &s->v[i];

		if (row->is_20) {
			const struct store_row as_it_is = { .bytes = row->bytes };

			taxii20_write_object(s->out, &as_it_is, s->n, vocab);
		} else {
			taxii20_write_next(s->out, s->n);
			stix20_shelf_write(s->shelf, shelved++, row->shown, s->out);
		}
	}
	s->done(s->arg, s->asked > 0, NULL);
}

/* ---- observables ---- */

static void	ask(struct taxii20_serving *s);

static void
on_observable(void *arg, const struct store_row *row)
{
	struct taxii20_serving *s = arg;

	if (slice_is(row->spec_version, "2.1"))
		stix20_shelf_add(s->shelf, arena_slice(s->rq->mem, row->bytes));
}

static void
on_level(void *arg, const struct store_page *page, const struct page_seen *seen, const struct err *e)
{
	struct taxii20_serving *s = arg;

	(void)page;
	(void)seen;
	if (e != NULL)
		s->done(s->arg, true, e);
	else
		ask(s);
}

/* Have what is referred to, one level after the other; then write. */
static void
ask(struct taxii20_serving *s)
{
	const struct taxii_request *rq = s->rq;
	size_t n = 0;
	struct slice *ids = s->level++ < LEVELS ? stix20_shelf_wants(s->shelf, &n) : NULL;

	if (n > ASKED_MAX - s->asked)
		n = ASKED_MAX - s->asked;
	if (n == 0) {
		write_rows(s);
		return;
	}
	s->asked += n;
	s->q = (struct page_query){ .added_after_us = -1, .position_us = -1, .last = true,
		.limit = ASKED_MAX, .max_bytes = rq->config->limits.page_bytes, .want_bytes = true,
		.ids = ids, .nids = n };
	catalog_page(rq->g->catalog, &rq->reader, rq->collection, &s->q, on_observable, on_level, s);
}

void
taxii20_serving_write(struct taxii20_serving *s, struct strbuf *out, taxii20_served_cb *done, void *arg)
{
	s->out = out;
	s->done = done;
	s->arg = arg;
	for (size_t i = 0; i < s->n; i++)
		if (!s->v[i].is_20)
			stix20_shelf_add(s->shelf, s->v[i].bytes);
	ask(s);
}
