#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"
#include "gateway/gateway.h"
#include "adapters/taxii_request.h"
#include "adapters/taxii_write.h"

enum {
	KNOWS_LIST = TAXII_KNOWS(FILTER_ADDED_AFTER) | TAXII_KNOWS(PARAM_LIMIT) |
	    TAXII_KNOWS(PARAM_NEXT) | TAXII_KNOWS(FILTER_ID) | TAXII_KNOWS(FILTER_TYPE) |
	    TAXII_KNOWS(FILTER_VERSION) | TAXII_KNOWS(FILTER_SPEC_VERSION),
	KNOWS_OBJECT = TAXII_KNOWS(FILTER_ADDED_AFTER) | TAXII_KNOWS(PARAM_LIMIT) |
	    TAXII_KNOWS(PARAM_NEXT) | TAXII_KNOWS(FILTER_VERSION) |
	    TAXII_KNOWS(FILTER_SPEC_VERSION),
	KNOWS_VERSIONS = TAXII_KNOWS(FILTER_ADDED_AFTER) | TAXII_KNOWS(PARAM_LIMIT) |
	    TAXII_KNOWS(PARAM_NEXT) | TAXII_KNOWS(FILTER_SPEC_VERSION),
	KNOWS_DELETE = TAXII_KNOWS(FILTER_VERSION) | TAXII_KNOWS(FILTER_SPEC_VERSION),
};

/* ---- resources without pages ---- */

void
taxii_get_discovery(struct taxii_request *rq)
{
	struct strbuf b = STRBUF_INIT;

	taxii_write_discovery(&b, rq->config, http1_field(rq->x->head, "host"));
	taxii_answer(rq, 200, &b, NULL, 0);
}

void
taxii_get_root(struct taxii_request *rq)
{
	struct strbuf b = STRBUF_INIT;

	taxii_write_root(&b, rq->config);
	taxii_answer(rq, 200, &b, NULL, 0);
}

void
taxii_get_collections(struct taxii_request *rq)
{
	const struct catalog *c = rq->g->catalog;
	struct strbuf b = STRBUF_INIT;
	size_t shown = 0;

	strbuf_addc(&b, '{');
	for (size_t i = 0; i < catalog_count(c); i++) {
		if (!catalog_visible(c, catalog_at(c, i), &rq->reader))
			continue;
		strbuf_adds(&b, shown++ == 0 ? "\"collections\":[" : ",");
		taxii_write_collection(&b, c, catalog_at(c, i), &rq->reader);
	}
	strbuf_adds(&b, shown > 0 ? "]}" : "}");
	taxii_answer(rq, 200, &b, NULL, 0);
}

void
taxii_get_collection(struct taxii_request *rq)
{
	struct strbuf b = STRBUF_INIT;

	taxii_write_collection(&b, rq->g->catalog, rq->collection, &rq->reader);
	taxii_answer(rq, 200, &b, NULL, 0);
}

static void
on_status(void *arg, const struct store_status *st, const struct err *e)
{
	struct taxii_request *rq = arg;
	struct strbuf b = STRBUF_INIT;

	if (e != NULL) {
		taxii_later(rq, 503, 0, "the store does not answer");
	} else if (st == NULL || strcmp(st->user, rq->reader.name) != 0) {
		taxii_refuse(rq, 404, "there is no such status");
	} else {
		taxii_write_status(&b, st);
		taxii_answer(rq, 200, &b, NULL, 0);
	}
	taxii_let_go(rq);
}

void
taxii_get_status(struct taxii_request *rq)
{
	taxii_hold(rq);
	store_status_get(rq->g->store, arena_str(rq->mem, rq->object_id), on_status, rq);
}

/* ---- pages ---- */

typedef void	write_fn(struct strbuf *out, const struct store_page *page, const char *next);

struct reading {
	struct taxii_request	*rq;
	write_fn		*write;
	bool			 by_object;	/* nothing of that id: 404 */
};

/* The two dates of a page (TAXII 2.1 section 3.2); of an empty one, a value that moves no client. */
static void
date_headers(const struct taxii_request *rq, const struct store_page *page,
    char first[STAMP_TEXT + 1], char last[STAMP_TEXT + 1])
{
	const struct taxii_query *q = &rq->q;
	int64_t at = q->has_next ? q->next_us : q->added_after_us >= 0 ? q->added_after_us : 0;

	stamp_text(page->n > 0 ? page->rows[0].date_added_us : at, first);
	stamp_text(page->n > 0 ? page->rows[page->n - 1].date_added_us : at, last);
}

static void
answer_page(struct reading *rd, const struct store_page *page)
{
	struct taxii_request *rq = rd->rq;
	char first[STAMP_TEXT + 1], last[STAMP_TEXT + 1];
	const struct http_header headers[] = {
		{ "X-TAXII-Date-Added-First", first }, { "X-TAXII-Date-Added-Last", last },
	};
	struct strbuf b = STRBUF_INIT;
	const char *next = NULL;

	if (page->more && page->n > 0)
		next = taxii_next(&rq->q, rq->collection_name, taxii_next_key(rq),
		    page->rows[page->n - 1].date_added_us, rq->mem);
	date_headers(rq, page, first, last);
	rd->write(&b, page, next);
	taxii_answer(rq, 200, &b, headers, 2);
}

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	struct reading *rd = arg;
	struct taxii_request *rq = rd->rq;

	if (e != NULL)
		taxii_later(rq, 503, 0, "the store does not answer");
	else if (rd->by_object && !page->any_version)
		taxii_refuse(rq, 404, "there is no such object in this collection");
	else if (rd->by_object && !page->any_match)
		taxii_refuse(rq, 404, "there is no such version of this object here");
	else
		answer_page(rd, page);
	taxii_let_go(rq);
}

static bool
read_query(struct taxii_request *rq, unsigned knows)
{
	struct err e = ERR_INIT;

	if (taxii_query_read(rq->x->head, knows, rq->collection_name, taxii_next_key(rq),
	    (uint32_t)rq->config->limits.page_objects, rq->mem, &rq->q, &e) == 0)
		return true;
	taxii_refuse(rq, 400, e.reason);
	return false;
}

static void
read_page(struct taxii_request *rq, write_fn *write, bool by_object)
{
	struct reading *rd = arena_alloc(rq->mem, sizeof(*rd));

	*rd = (struct reading){ .rq = rq, .write = write, .by_object = by_object };
	if (by_object) {
		rq->q.page.ids = &rq->object_id;
		rq->q.page.nids = 1;
	}
	rq->q.page.max_bytes = rq->config->limits.page_bytes;
	taxii_hold(rq);
	catalog_page(rq->g->catalog, &rq->reader, rq->collection, &rq->q.page, on_page, rd);
}

void
taxii_get_objects(struct taxii_request *rq)
{
	if (!read_query(rq, KNOWS_LIST))
		return;
	rq->q.page.want_bytes = true;
	read_page(rq, taxii_write_envelope, false);
}

void
taxii_get_manifest(struct taxii_request *rq)
{
	if (read_query(rq, KNOWS_LIST))
		read_page(rq, taxii_write_manifest, false);
}

void
taxii_get_object(struct taxii_request *rq)
{
	if (!read_query(rq, KNOWS_OBJECT))
		return;
	rq->q.page.want_bytes = true;
	read_page(rq, taxii_write_envelope, true);
}

void
taxii_get_versions(struct taxii_request *rq)
{
	if (!read_query(rq, KNOWS_VERSIONS))
		return;
	rq->q.page.all = true;
	read_page(rq, taxii_write_versions, true);
}

/* ---- DELETE ---- */

static void
on_removed(void *arg, size_t n, const struct err *e)
{
	struct taxii_request *rq = arg;
	struct strbuf empty = STRBUF_INIT;

	if (e != NULL)
		taxii_later(rq, 503, 0, "the store does not answer");
	else if (n == 0)
		taxii_refuse(rq, 404, "there is no such object or version in this collection");
	else
		taxii_answer(rq, 200, &empty, NULL, 0);
	taxii_let_go(rq);
}

/* Without match[version] all versions go. */
void
taxii_delete_object(struct taxii_request *rq)
{
	if (!read_query(rq, KNOWS_DELETE))
		return;
	if (rq->q.text[FILTER_VERSION].p == NULL)
		rq->q.page.all = true;
	rq->q.page.ids = &rq->object_id;
	rq->q.page.nids = 1;
	taxii_hold(rq);
	catalog_remove(rq->g->catalog, &rq->reader, rq->collection, &rq->q.page, on_removed, rq);
}
