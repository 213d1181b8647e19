#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"
#include "adapters/taxii_books.h"
#include "adapters/taxii_media.h"
#include "adapters/taxii_marks.h"
#include "adapters/taxii_pages.h"
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

	taxii_write_discovery(&b, rq->config, rq->g->catalog, &rq->reader,
	    http1_field(rq->x->head, "host"));
	taxii_answer(rq, 200, &b, NULL, 0);
}

void
taxii_get_root(struct taxii_request *rq)
{
	struct strbuf b = STRBUF_INIT;

	taxii_write_root(&b, rq->config, rq->match.root, taxii_media_type);
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
		const struct collection_conf *col = catalog_at(c, i);

		if (!config_in_root(col, rq->match.root) || !catalog_visible(c, col, &rq->reader))
			continue;
		strbuf_adds(&b, shown++ == 0 ? "\"collections\":[" : ",");
		taxii_write_collection(&b, c, col, &rq->reader);
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
	} else if (st == NULL || strcmp(st->user, taxii_status_user(rq)) != 0) {
		taxii_refuse(rq, 404, "there is no such status");
	} else {
		taxii_families[rq->match.family].status(&b, st);
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

struct reading {
	struct taxii_request	*rq;
	enum taxii_page_kind	 kind;
	bool			 by_object;	/* nothing of that id: 404 */
	struct taxii_page	*page;		/* held: being written */
	struct slice		 key;		/* of the page among those that are kept */
};

/* Everything that tells this page from others, under one trust and one configuration. */
static struct slice
page_key(const struct taxii_request *rq, enum taxii_page_kind kind, bool by_object)
{
	const struct slice parts[] = { slice_of(rq->reader.name), rq->object_id, rq->x->head->query };
	struct {
		int64_t	cid;
		uint32_t kind, by_object, known, lengths[3];
	} fixed = { rq->collection->cid, kind, by_object, rq->reader.peer != NULL, { 0 } };
	size_t n = sizeof(fixed);
	char *key, *at;

	for (int i = 0; i < 3; i++) {
		fixed.lengths[i] = (uint32_t)parts[i].n;
		n += parts[i].n;
	}
	key = arena_raw(rq->mem, n);
	memcpy(key, &fixed, sizeof(fixed));
	at = key + sizeof(fixed);
	for (int i = 0; i < 3; i++) {
		if (parts[i].n > 0)
			memcpy(at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	return slice_from(key, n);
}

static void
answer_page(struct taxii_request *rq, struct taxii_page *p)
{
	const struct http_header headers[] = {
		{ "X-TAXII-Date-Added-First", p->first }, { "X-TAXII-Date-Added-Last", p->last },
	};

	taxii_answer_page(rq, p, headers, 2);
}

/* The page as it was shown before, if nothing has happened since that could change it: true, it is
 * answered. */
static bool
show_again(struct taxii_request *rq, struct slice key)
{
	struct catalog *c = rq->g->catalog;
	struct taxii_page *p = taxii_pages_find(rq->pages, key);

	if (p == NULL)
		return false;
	if (!catalog_page_stands(c, &p->seen)) {
		taxii_pages_drop(rq->pages, p);
		return false;
	}
	stats_add(rq->g->stats, STAT_PAGES, "again", 1);
	catalog_page_again(c, &rq->reader, rq->collection, &p->seen);
	taxii_books_shows(rq, p, true);
	answer_page(rq, p);
	return true;
}

/* The two dates of a page (TAXII 2.1 section 3.2); of an empty one, a value that moves no client.
 * */
static void
date_page(const struct taxii_query *q, struct taxii_page *p)
{
	int64_t at = q->has_next ? q->next_us : q->added_after_us >= 0 ? q->added_after_us : 0;

	stamp_text(p->seen.n > 0 ? p->seen.first_us : at, p->first);
	stamp_text(p->seen.n > 0 ? p->seen.last_us : at, p->last);
}

static void
finish_page(struct reading *rd, const struct store_page *page, const struct page_seen *seen)
{
	struct taxii_request *rq = rd->rq;
	struct taxii_page *p = rd->page;
	const char *next = NULL;

	if (page->more && page->n > 0)
		next = taxii_next(&rq->q, rq->collection_name, taxii_next_key(rq), page->last_us,
		    rq->mem);
	taxii_write_end(&p->body, rd->kind, next,
	    rq->reader.peer != NULL && rq->reader.peer->empty_list);
	p->seen = *seen;
	date_page(&rq->q, p);
	taxii_books_shows(rq, p, false);
	if (seen->lasting && !rq->may_mark && rq->trust == rq->g->trust && rq->config == rq->g->config)
		taxii_pages_keep(rq->pages, rd->key, p);
	answer_page(rq, p);
}

static void
on_row(void *arg, const struct store_row *row)
{
	struct reading *rd = arg;

	const struct peer *p = rd->rq->reader.peer;

	taxii_write_row(&rd->page->body, rd->kind, row, rd->rq->q.page.limit,
	    p == NULL ? TLP_VOCAB_AS_SENT : p->tlp_vocab);
}

static void
on_page(void *arg, const struct store_page *page, const struct page_seen *seen,
    const struct err *e)
{
	struct reading *rd = arg;
	struct taxii_request *rq = rd->rq;

	if (e != NULL)
		taxii_later(rq, 503, 0, "the store does not answer");
	else if (rd->by_object && !page->any_version)
		taxii_refuse(rq, 404, "there is no such object in this collection");
	else if (rd->by_object && !page->any_match)
		taxii_refuse(rq, 404, "there is no such version of this object here");
	else if (rq->x != NULL && !rq->answered)
		finish_page(rd, page, seen);
	if (e == NULL)
		stats_add(rq->g->stats, STAT_PAGES, "read", 1);
	taxii_page_free(rd->page);
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

/* Show a page: of a list, or of one object. */
static void
show_page(struct taxii_request *rq, unsigned knows, enum taxii_page_kind kind, bool by_object)
{
	struct reading *rd;
	struct slice key;
	bool marked;

	taxii_pages_under(rq->pages, rq->trust, rq->config, rq->config->limits.page_cache);
	key = page_key(rq, kind, by_object);
	marked = kind == PAGE_OBJECTS && !by_object && taxii_marks_may(rq);
	if (taxii_books_slows(rq, key) || (!marked && show_again(rq, key)) || !read_query(rq, knows))
		return;
	taxii_marks_apply(rq);
	taxii_books_asks(rq, !by_object);
	rd = arena_alloc(rq->mem, sizeof(*rd));
	*rd = (struct reading){ .rq = rq, .kind = kind, .by_object = by_object, .key = key,
	    .page = taxii_page_new() };
	if (by_object) {
		rq->q.page.ids = &rq->object_id;
		rq->q.page.nids = 1;
	}
	rq->q.page.max_bytes = rq->config->limits.page_bytes;
	rq->q.page.want_bytes = kind == PAGE_OBJECTS;
	rq->q.page.all = rq->q.page.all || kind == PAGE_VERSIONS;
	taxii_hold(rq);
	catalog_page(rq->g->catalog, &rq->reader, rq->collection, &rq->q.page, on_row, on_page, rd);
}

void
taxii_get_objects(struct taxii_request *rq)
{
	show_page(rq, KNOWS_LIST, PAGE_OBJECTS, false);
}

void
taxii_get_manifest(struct taxii_request *rq)
{
	show_page(rq, KNOWS_LIST, PAGE_MANIFEST, false);
}

void
taxii_get_object(struct taxii_request *rq)
{
	show_page(rq, KNOWS_OBJECT, PAGE_OBJECTS, true);
}

void
taxii_get_versions(struct taxii_request *rq)
{
	show_page(rq, KNOWS_VERSIONS, PAGE_VERSIONS, true);
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
