/*
 * taxii20_list.c -- objects and manifest of TAXII 2.0, by ranges. Part of taxii20_read.h.
 *
 *	begin -> find where item `first` is -> (count out to there) -> the page, kept or read
 *	      -> (all versions of what a manifest lists) -> the total: known, or counted from where it was
 *	      -> remember where the page ended -> answer
 *
 * A total is always a number: some clients take "*" for the end, or stop there with an error. It costs one
 * step of the store for each row behind what was counted already.
 */
#include "adapters/taxii20_ground.h"
#include "adapters/taxii20_manifest.h"
#include "adapters/taxii20_media.h"
#include "adapters/taxii20_range.h"
#include "adapters/taxii20_read.h"
#include "adapters/taxii20_serve.h"
#include "adapters/taxii20_walk.h"
#include "adapters/taxii20_write.h"
#include "adapters/taxii_books.h"
#include "adapters/taxii_marks.h"
#include "adapters/taxii_pages.h"
#include "formats/stix20_serve.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/look.h"
#include "gateway/stats.h"

enum {
	KNOWS_LIST = TAXII_KNOWS(FILTER_ADDED_AFTER) | TAXII_KNOWS(FILTER_ID) |
	    TAXII_KNOWS(FILTER_TYPE) | TAXII_KNOWS(FILTER_VERSION),
};

/* No list is so long; a number beyond is nobody's place. */
#define NUMBER_MAX	(UINT64_C(1) << 53)

/* In the keys of kept pages, apart from those of 2.1 (enum taxii_page_kind). */
enum list_kind { LIST_OBJECTS = 0x2000, LIST_MANIFEST };

struct listing {
	struct taxii_request	*rq;
	enum list_kind		 kind;
	struct taxii20_range	 range;
	struct page_query	 chosen;	/* by the filters; one row of a manifest is an object */
	struct taxii20_walk	 walk;
	const char		*note;		/* its name */
	uint64_t		 skip;		/* items to be counted out before the page */
	int64_t			 now_us, turns;
	struct slice		 key;		/* of the page among those that are kept */
	struct taxii_page	*page;		/* held */
	struct taxii20_manifest	 manifest;
	struct taxii20_serving	*serving;	/* NULL: STIX 2.0 alone */
	uint64_t		 total;
};

static const char space[] = "taxii20";

/* ---- the walk ---- */

/* One walk a reader, list and set of filters, however they are written. */
static void
walk_key(const struct listing *l, char out[WALK_KEY + 1])
{
	static const enum taxii_filter filters[] = {
		FILTER_ADDED_AFTER, FILTER_ID, FILTER_TYPE, FILTER_VERSION,
	};
	const struct taxii_request *rq = l->rq;
	struct strbuf b = STRBUF_INIT;
	uint8_t digest[SHA256_LEN];

	strbuf_addf(&b, "taxii20 walk\n%d\n%d\n%s\n", (int)l->kind, rq->reader.peer != NULL,
	    rq->reader.name);
	if (taxii20_is_served(rq))
		strbuf_adds(&b, "served\n");	/* another list, with other numbers */
	strbuf_addsl(&b, rq->collection_name);
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		strbuf_addc(&b, '\n');
		strbuf_addsl(&b, rq->q.text[filters[i]]);
	}
	digest_sha256(strbuf_slice(&b), digest);
	hex_text(digest, WALK_KEY / 2, out);
	strbuf_fini(&b);
}

/* A reader has at most 256 notes, whatever he asks: walks that meet in one push each other out, and the one
 * pushed out is counted anew. */
static void
load_walk(struct listing *l)
{
	struct taxii_request *rq = l->rq;
	char key[WALK_KEY + 1];
	struct store_epoch epoch;
	struct err e = ERR_INIT;

	walk_key(l, key);
	/* a test of this consumer has places of its own */
	l->note = arena_fmt(rq->mem, "%s%s/%.2s", rq->reader.name, rq->reader.test ? "/test" : "", key);
	taxii20_walk_read(&l->walk, key, store_note_get(rq->g->store, space, l->note, rq->mem, &e));
	taxii20_walk_under(&l->walk, trust_digest(rq->trust));
	l->now_us = clock_wall_us();
	l->turns = store_epoch(rq->g->store, &epoch) ? epoch.turns : -1;
}

/* The rows behind a date are behind this one too: what lies between is STIX 2.1. */
static int64_t
pass_by(const struct taxii_request *rq, int64_t after_us)
{
	if (after_us < rq->q.added_after_us)
		after_us = rq->q.added_after_us;
	if (taxii20_is_served(rq))
		return after_us;
	return taxii20_ground_from(rq->grounds, rq->g->store, rq->collection->cid, after_us);
}

/* ---- the answer ---- */

static void
finish(struct listing *l)
{
	taxii_page_free(l->page);
	taxii_let_go(l->rq);
}

static void
fail(struct listing *l)
{
	taxii_later(l->rq, 503, 0, "the store does not answer");
	finish(l);
}

/* Nothing is there from `first` on: there are `total` items. */
static void
answer_beyond(struct listing *l, uint64_t total)
{
	char text[CONTENT_RANGE_TEXT];
	const struct http_header headers[] = {
		{ "Accept-Ranges", "items" }, { "Content-Range", text },
	};

	taxii20_range_none(text, total);
	taxii_refuse_with(l->rq, 416, "the list ends before that item", headers, 2);
	finish(l);
}

static void
answer(struct listing *l)
{
	const struct taxii_page *p = l->page;
	char text[CONTENT_RANGE_TEXT];
	const struct http_header headers[] = {
		{ "X-TAXII-Date-Added-First", p->first }, { "X-TAXII-Date-Added-Last", p->last },
		{ "Accept-Ranges", "items" }, { "Content-Range", text },
	};
	bool part = p->seen.n > 0 && (l->range.given || p->seen.full);

	if (part)
		taxii20_range_text(text, l->range.first, p->seen.n, l->total);
	taxii_answer_page_as(l->rq, part ? 206 : 200, l->kind == LIST_OBJECTS ? taxii20_stix_type :
	    taxii20_media_type, l->page, headers, part ? 4 : 3);
	finish(l);
}

/* ---- where the page ended ---- */

/* An answer whose place is not kept is still right: the next number will be counted out. */
static void
on_noted(void *arg, const struct err *e)
{
	(void)e;
	answer(arg);
}

static void
remember(struct listing *l)
{
	const struct page_seen *seen = &l->page->seen;
	uint64_t next = l->range.first + seen->n;
	size_t asked = taxii20_range_count(&l->range, l->rq->q.page.limit);
	struct strbuf b = STRBUF_INIT;

	taxii20_walk_keep(&l->walk, next, seen->last_us, l->now_us, l->turns, false);
	if (seen->n < asked)		/* the page was full of bytes */
		taxii20_walk_keep(&l->walk, l->range.first + asked, seen->last_us, l->now_us,
		    l->turns, true);
	taxii20_walk_write(&l->walk, &b);
	store_note_set(l->rq->g->store, space, l->note, b.p, on_noted, l);
	strbuf_fini(&b);
}

/* ---- the total ---- */

static struct taxii20_place
counted(const struct listing *l)
{
	const struct page_seen *seen = &l->page->seen;

	return taxii20_walk_counted(&l->walk, l->range.first, l->range.first + seen->n,
	    seen->last_us, l->now_us, l->turns);
}

static void
on_counted(void *arg, uint64_t n, int64_t last_us, const struct err *e)
{
	struct listing *l = arg;
	struct taxii20_place from = counted(l);
	uint64_t next = l->range.first + l->page->seen.n;

	if (e != NULL) {
		fail(l);
		return;
	}
	l->total = from.n + n;
	taxii20_walk_count(&l->walk, &from, l->total, n > 0 ? last_us : from.after_us, l->now_us,
	    l->turns);
	if (l->total <= next)		/* there is one more */
		l->total = next + 1;
	remember(l);
}

/* A filter that selects nothing is no error, and this is how the common library polls: by numbers from 0,
 * behind a date. Only who asks for what a list does not have is told so. */
static bool
is_beyond(const struct listing *l)
{
	const struct taxii_request *rq = l->rq;
	bool filtered = rq->mark.mark.on;

	for (int f = 0; f < FILTERS; f++)
		filtered = filtered || (f != FILTER_SPEC_VERSION && rq->q.text[f].p != NULL);
	return l->range.given && l->page->seen.n == 0 && (l->range.first > 0 || !filtered);
}

static void
find_total(struct listing *l)
{
	const struct page_seen *seen = &l->page->seen;
	struct page_query q = l->rq->q.page;

	if (!seen->full) {
		l->total = l->range.first + seen->n;
		if (is_beyond(l))
			answer_beyond(l, l->total);
		else
			answer(l);
		return;
	}
	q.position_us = pass_by(l->rq, counted(l).after_us);
	look_count(l->rq->g, &l->rq->reader, l->rq->collection, &q, UINT64_MAX, on_counted, l);
}

/* ---- the page ---- */

/* The dates of a page; of an empty one, a value that moves no client. */
static void
date_page(const struct listing *l)
{
	struct taxii_page *p = l->page;
	int64_t at = l->rq->q.added_after_us >= 0 ? l->rq->q.added_after_us : 0;

	stamp_text(p->seen.n > 0 ? p->seen.first_us : at, p->first);
	stamp_text(p->seen.n > 0 ? p->seen.last_us : at, p->last);
}

static void
page_done(struct listing *l)
{
	struct taxii_request *rq = l->rq;
	uint8_t digest[SHA256_LEN];

	if (l->kind == LIST_OBJECTS) {
		taxii20_digest(rq, &l->page->seen, digest);
		taxii20_write_bundle_end(&l->page->body, digest, taxii20_empty_list(rq));
	} else {
		taxii20_write_manifest_end(&l->page->body, taxii20_empty_list(rq));
	}
	date_page(l);
	taxii_books_shows(rq, l->page, false);
	if (l->page->seen.lasting && !rq->may_mark && rq->trust == rq->g->trust &&
	    rq->config == rq->g->config)
		taxii_pages_keep(rq->pages, l->key, l->page);
	find_total(l);
}

/* ---- a manifest's versions ---- */

static void
write_entries(struct listing *l)
{
	taxii20_manifest_write(&l->manifest, l->rq->mem, &l->page->body);
	page_done(l);
}

static void
on_version(void *arg, const struct store_row *row)
{
	struct listing *l = arg;

	taxii20_manifest_add(&l->manifest.all, l->rq->mem, row);
}

static void
on_versions(void *arg, const struct err *e)
{
	struct listing *l = arg;

	if (e != NULL)
		fail(l);
	else
		write_entries(l);
}

/* Does a row stand for more versions than itself? */
static bool
lists_more(const struct page_query *q)
{
	return q->all || q->first + q->last + q->nversion_keys > 1;
}

static void
ask_versions(struct listing *l)
{
	const struct taxii20_versions *objects = &l->manifest.objects;
	struct page_query q = l->chosen;
	struct slice *ids;

	if (objects->n == 0 || !lists_more(&l->chosen)) {
		write_entries(l);
		return;
	}
	ids = arena_alloc(l->rq->mem, objects->n * sizeof(*ids));
	for (size_t i = 0; i < objects->n; i++)
		ids[i] = objects->v[i].id;
	q.ids = ids;
	q.nids = objects->n;
	look_ids(l->rq->g, &l->rq->reader, l->rq->collection, &q, on_version, on_versions, l);
}

/* ---- reading ---- */

/* An object of a manifest, by the id under which it is served. */
static void
list_row(struct listing *l, const struct store_row *row)
{
	struct taxii20_versions *vs = &l->manifest.objects;

	taxii20_manifest_add(vs, l->rq->mem, row);
	if (taxii20_is_served(l->rq) && !slice_is(row->spec_version, "2.0"))
		vs->v[vs->n - 1].served = arena_slice(l->rq->mem,
		    stix20_served_id(l->rq->mem, row->id, row->bytes));
}

static void
on_row(void *arg, const struct store_row *row)
{
	struct listing *l = arg;

	if (l->kind == LIST_MANIFEST)
		list_row(l, row);
	else if (l->serving != NULL)
		taxii20_serving_add(l->serving, row);
	else
		taxii20_write_object(&l->page->body, row, l->rq->q.page.limit,
		    taxii20_tlp_vocab(l->rq));
}

static void
on_written(void *arg, bool asked, const struct err *e)
{
	struct listing *l = arg;

	if (asked)
		l->page->seen.lasting = false;
	if (e != NULL)
		fail(l);
	else if (l->rq->x == NULL || l->rq->answered)
		finish(l);
	else
		page_done(l);
}

static void
on_page(void *arg, const struct store_page *page, const struct page_seen *seen, const struct err *e)
{
	struct listing *l = arg;

	(void)page;
	if (e != NULL) {
		fail(l);
		return;
	}
	stats_add(l->rq->g->stats, STAT_PAGES, "read", 1);
	l->page->seen = *seen;
	if (l->kind == LIST_MANIFEST)
		ask_versions(l);
	else if (l->serving != NULL)
		taxii20_serving_write(l->serving, &l->page->body, on_written, l);
	else
		page_done(l);
}

/* Everything that tells this page from others, under one trust and one configuration. `from`: the date
 * that it lies behind, not its number, which may be another one for the next who asks. */
static struct slice
page_key(const struct listing *l, int64_t from)
{
	const struct taxii_request *rq = l->rq;
	const struct slice parts[] = { slice_of(rq->reader.name), rq->x->head->query };
	struct {
		int64_t	cid;
		uint32_t kind, known, limit, name;
		int64_t from;
	} fixed = { rq->collection->cid, l->kind, rq->reader.peer != NULL, rq->q.page.limit,
	    (uint32_t)parts[0].n, from };
	char *key = arena_raw(rq->mem, sizeof(fixed) + parts[0].n + parts[1].n);

	memcpy(key, &fixed, sizeof(fixed));
	memcpy(key + sizeof(fixed), parts[0].p, parts[0].n);
	if (parts[1].n > 0)
		memcpy(key + sizeof(fixed) + parts[0].n, parts[1].p, parts[1].n);
	return slice_from(key, sizeof(fixed) + parts[0].n + parts[1].n);
}

/* The page as it was shown before, if nothing has happened since that could change it. */
static bool
show_again(struct listing *l)
{
	struct taxii_request *rq = l->rq;
	struct taxii_page *p;

	taxii_pages_under(rq->pages, rq->trust, rq->config, rq->config->limits.page_cache);
	if (rq->may_mark || (p = taxii_pages_find(rq->pages, l->key)) == NULL)
		return false;
	if (!catalog_page_stands(rq->g->catalog, &p->seen)) {
		taxii_pages_drop(rq->pages, p);
		return false;
	}
	stats_add(rq->g->stats, STAT_PAGES, "again", 1);
	catalog_page_again(rq->g->catalog, &rq->reader, rq->collection, &p->seen);
	taxii_books_shows(rq, p, true);
	l->page = taxii_page_hold(p);
	find_total(l);
	return true;
}

static void
read_page(struct listing *l)
{
	struct taxii_request *rq = l->rq;

	if (rq->x == NULL || rq->answered) {
		finish(l);
		return;
	}
	l->key = page_key(l, rq->q.page.position_us);
	if (show_again(l))
		return;
	l->page = taxii_page_new();
	if (l->kind == LIST_OBJECTS && taxii20_is_served(rq))
		l->serving = taxii20_serving_new(rq);
	catalog_page(rq->g->catalog, &rq->reader, rq->collection, &rq->q.page, on_row, on_page, l);
}

static void
on_skipped(void *arg, uint64_t n, int64_t last_us, const struct err *e)
{
	struct listing *l = arg;

	if (e != NULL) {
		fail(l);
	} else if (n < l->skip) {
		answer_beyond(l, l->range.first - l->skip + n);
	} else {
		l->rq->q.page.position_us = pass_by(l->rq, last_us);
		read_page(l);
	}
}

/* True if it was asked too often with the same answer. Else it is noted what is asked: a walk goes on as
 * one by `next` does. */
static bool
is_slowed(struct listing *l, const struct taxii20_place *from)
{
	struct taxii_request *rq = l->rq;

	if (taxii_books_slows(rq, page_key(l, (int64_t)(l->range.first & INT64_MAX))))
		return true;
	taxii_books_asks(rq, true);
	if (l->range.first > 0) {
		rq->book.walk = true;
		rq->book.after_us = from->after_us;
	}
	return false;
}

/* The mark of a reader whose place the node remembers (taxii_marks.h): item 0 begins a walk of its own,
 * behind the mark. A walk goes on from where it was, or behind the mark, which has come as far. */
static void
heed_mark(struct listing *l, struct taxii20_place *from)
{
	struct taxii_query *q = &l->rq->q;
	uint64_t first = l->range.first;

	if (first == 0)
		l->walk.nplaces = l->walk.end.n = 0;
	else if (from->n == first)
		q->added_after_us = q->page.added_after_us = -1;
	else if (l->rq->mark.mark.position_us != MARK_NEVER && first < NUMBER_MAX)
		*from = (struct taxii20_place){ .n = first, .after_us = q->added_after_us };
	if (first > 0)
		l->rq->mark.from_us = from->after_us;
}

static void
find_start(struct listing *l, struct taxii20_place *from)
{
	struct taxii_request *rq = l->rq;

	load_walk(l);
	taxii20_walk_find(&l->walk, l->range.first, l->now_us, l->turns, from);
	if (l->kind == LIST_OBJECTS && taxii_marks_may(rq))
		taxii_marks_apply(rq);
	if (rq->mark.mark.on)
		heed_mark(l, from);
}

static void
show_list(struct taxii_request *rq, enum list_kind kind)
{
	struct taxii20_place from;
	struct listing *l;
	struct page_query *q = &rq->q.page;

	if (!taxii20_read_query(rq, KNOWS_LIST))
		return;
	l = arena_alloc(rq->mem, sizeof(*l));
	*l = (struct listing){ .rq = rq, .kind = kind };
	taxii20_range_read(rq->x->head, &l->range);
	find_start(l, &from);
	q->limit = (uint32_t)taxii20_range_count(&l->range, q->limit);
	if (is_slowed(l, &from))
		return;
	l->chosen = *q;
	if (kind == LIST_MANIFEST && lists_more(q)) {
		q->all = q->first = false;
		q->last = true;
		q->nversion_keys = 0;
	}
	q->max_bytes = kind == LIST_OBJECTS ? rq->config->limits.page_bytes : 0;
	q->want_bytes = kind == LIST_OBJECTS || taxii20_is_served(rq);
	q->position_us = pass_by(rq, from.after_us);
	l->skip = l->range.first - from.n;
	taxii_hold(rq);
	if (l->skip > 0)
		look_count(rq->g, &rq->reader, rq->collection, q, l->skip, on_skipped, l);
	else
		read_page(l);
}

void
taxii20_get_objects(struct taxii_request *rq)
{
	show_list(rq, LIST_OBJECTS);
}

void
taxii20_get_manifest(struct taxii_request *rq)
{
	show_list(rq, LIST_MANIFEST);
}
