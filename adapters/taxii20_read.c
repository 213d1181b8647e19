#include "adapters/taxii20_media.h"
#include "adapters/taxii20_range.h"
#include "adapters/taxii20_read.h"
#include "adapters/taxii20_serve.h"
#include "adapters/taxii20_write.h"
#include "adapters/taxii_books.h"
#include "adapters/taxii_pages.h"
#include "adapters/taxii_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"

enum { KNOWS_OBJECT = TAXII_KNOWS(FILTER_VERSION) };

/* ---- what all reading has in common ---- */

/* Several timestamps would make a manifest that lists an object twice; the standard has one. */
bool
taxii20_read_query(struct taxii_request *rq, unsigned knows)
{
	static const struct slice stix20[] = { { "2.0", 3 } };
	struct err e = ERR_INIT;

	if (taxii_query_read(rq->x->head, knows, rq->collection_name, taxii_next_key(rq),
	    (uint32_t)rq->config->limits.page_objects, rq->mem, &rq->q, &e) < 0) {
		taxii_refuse(rq, 400, e.reason);
		return false;
	}
	if (rq->q.page.nversion_keys > 1) {
		taxii_refuse(rq, 400, "match[version]: first, last, all or one STIX timestamp");
		return false;
	}
	if (taxii20_is_served(rq)) {
		taxii20_serve_names(rq);
		return true;
	}
	rq->q.text[FILTER_SPEC_VERSION] = stix20[0];	/* as if it had been asked for */
	rq->q.page.spec_versions = stix20;
	rq->q.page.nspec_versions = 1;
	return true;
}

void
taxii20_digest(const struct taxii_request *rq, const struct page_seen *seen, uint8_t out[32])
{
	struct strbuf b = STRBUF_INIT;

	strbuf_adds(&b, "taxii20 bundle\n");
	strbuf_addsl(&b, rq->collection_name);
	strbuf_addc(&b, '\n');
	strbuf_addn(&b, (int64_t)seen->n);
	if (seen->n > 0) {
		strbuf_addc(&b, '\n');
		strbuf_addn(&b, seen->first_us);
		strbuf_addc(&b, '\n');
		strbuf_addn(&b, seen->last_us);
		strbuf_add(&b, seen->digest, sizeof(seen->digest));
	}
	digest_sha256(strbuf_slice(&b), out);
	strbuf_fini(&b);
}

bool
taxii20_empty_list(const struct taxii_request *rq)
{
	return rq->reader.peer != NULL && rq->reader.peer->empty_list;
}

enum tlp_vocab
taxii20_tlp_vocab(const struct taxii_request *rq)
{
	return rq->reader.peer == NULL ? TLP_VOCAB_AS_SENT : rq->reader.peer->tlp_vocab;
}

/* ---- resources without pages ---- */

void
taxii20_get_root(struct taxii_request *rq)
{
	struct strbuf b = STRBUF_INIT;

	taxii_write_root(&b, rq->config, rq->match.root, "taxii-2.0");
	taxii_answer(rq, 200, &b, NULL, 0);
}

void
taxii20_get_collection(struct taxii_request *rq)
{
	struct strbuf b = STRBUF_INIT;

	taxii20_write_collection(&b, rq->g->catalog, rq->collection, &rq->reader);
	taxii_answer(rq, 200, &b, NULL, 0);
}

/* The collections from number `first` on, at most `most`; the number of all. */
static size_t
write_collections(struct taxii_request *rq, uint64_t first, size_t most, struct strbuf *b,
    size_t *shown)
{
	const struct catalog *c = rq->g->catalog;
	size_t n = 0;

	*shown = 0;
	for (size_t i = 0; i < catalog_count(c); i++) {
		const struct collection_conf *col = catalog_at(c, i);

		if (!config_in_root(col, rq->match.root) || !catalog_visible(c, col, &rq->reader))
			continue;
		if (n++ < first || *shown == most)
			continue;
		strbuf_adds(b, (*shown)++ == 0 ? "{\"collections\":[" : ",");
		taxii20_write_collection(b, c, col, &rq->reader);
	}
	strbuf_adds(b, *shown > 0 ? "]}" : "{}");
	return n;
}

void
taxii20_get_collections(struct taxii_request *rq)
{
	char text[CONTENT_RANGE_TEXT];
	const struct http_header headers[] = {
		{ "Accept-Ranges", "items" }, { "Content-Range", text },
	};
	struct strbuf b = STRBUF_INIT;
	struct taxii20_range range;
	size_t n, shown;

	taxii20_range_read(rq->x->head, &range);
	n = write_collections(rq, range.first, taxii20_range_count(&range, SIZE_MAX), &b, &shown);
	if (range.given && shown == 0) {
		taxii20_range_none(text, n);
		taxii_refuse_with(rq, 416, "there are not so many collections", headers, 2);
		strbuf_fini(&b);
		return;
	}
	if (range.given)
		taxii20_range_text(text, range.first, shown, n);
	taxii_answer(rq, range.given ? 206 : 200, &b, headers, range.given ? 2 : 1);
}

/* ---- one object ---- */

struct reading {
	struct taxii_request	*rq;
	struct taxii_page	*page;
	struct taxii20_serving	*serving;	/* NULL: STIX 2.0 alone */
};

static void
on_row(void *arg, const struct store_row *row)
{
	struct reading *rd = arg;

	if (rd->serving != NULL)
		taxii20_serving_add(rd->serving, row);
	else
		taxii20_write_object(&rd->page->body, row, rd->rq->q.page.limit,
		    taxii20_tlp_vocab(rd->rq));
}

static void
finish(struct reading *rd)
{
	taxii_page_free(rd->page);
	taxii_let_go(rd->rq);
}

/* The object is in the page: answer. */
static void
on_written(void *arg, bool asked, const struct err *e)
{
	struct reading *rd = arg;
	struct taxii_request *rq = rd->rq;
	uint8_t digest[SHA256_LEN];

	(void)asked;
	if (e != NULL) {
		taxii_later(rq, 503, 0, "the store does not answer");
	} else if (rq->x != NULL && !rq->answered) {
		taxii20_digest(rq, &rd->page->seen, digest);
		taxii20_write_bundle_end(&rd->page->body, digest, false);
		taxii_books_shows(rq, rd->page, false);
		taxii_answer_page_as(rq, 200, taxii20_stix_type, rd->page, NULL, 0);
	}
	finish(rd);
}

/* An object that is there in STIX 2.1 alone is there, and not in a form that this client takes. */
static void
on_page(void *arg, const struct store_page *page, const struct page_seen *seen, const struct err *e)
{
	struct reading *rd = arg;
	struct taxii_request *rq = rd->rq;

	if (e == NULL)
		stats_add(rq->g->stats, STAT_PAGES, "read", 1);
	if (e != NULL) {
		taxii_later(rq, 503, 0, "the store does not answer");
	} else if (!page->any_version) {
		taxii_refuse(rq, 404, "there is no such object in this collection");
	} else if (!page->any_match) {
		taxii_refuse(rq, 404, "there is no such version of this object here");
	} else if (page->n == 0) {
		taxii_refuse(rq, 406, "this object is here in STIX 2.1 alone: ask for TAXII 2.1");
	} else {
		rd->page->seen = *seen;
		if (rd->serving != NULL)
			taxii20_serving_write(rd->serving, &rd->page->body, on_written, rd);
		else
			on_written(rd, false, NULL);
		return;
	}
	finish(rd);
}

void
taxii20_get_object(struct taxii_request *rq)
{
	struct reading *rd;

	if (!taxii20_read_query(rq, KNOWS_OBJECT))
		return;
	rd = arena_alloc(rq->mem, sizeof(*rd));
	*rd = (struct reading){ .rq = rq, .page = taxii_page_new() };
	rq->q.page.ids = &rq->object_id;
	rq->q.page.nids = 1;
	if (taxii20_is_served(rq)) {
		rd->serving = taxii20_serving_new(rq);
		taxii20_serve_names(rq);
	}
	rq->q.page.max_bytes = rq->config->limits.page_bytes;
	rq->q.page.want_bytes = true;
	taxii_books_asks(rq, false);
	taxii_hold(rq);
	catalog_page(rq->g->catalog, &rq->reader, rq->collection, &rq->q.page, on_row, on_page, rd);
}
