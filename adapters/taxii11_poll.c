/*
 * taxii11_poll.c -- Poll_Request and Poll_Fulfillment. Part of taxii11_serve.h.
 *
 *	begin, end -> a page of rows that this reader may have, and what relationships in it stand on ->
 *	the cage writes them as one package of STIX 1.2 -> one Content_Block, labelled with the date of
 *	the last row -> more? where the next part begins is noted -> answer
 *
 * A note is {"result": R, "cid": N, "begin": us, "end": us, "parts": [[2, us], [3, us], ...]}: each part
 * known so far begins behind that date. A reader has at most 256 of them, and of each the last parts are
 * kept.
 */
#include <inttypes.h>
#include <stdio.h>

#include "adapters/taxii11_serve.h"
#include "adapters/taxii_books.h"
#include "adapters/taxii_pages.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/look.h"
#include "gateway/translate.h"

enum { RESULT_BYTES = 16, RESULT_TEXT = 2 * RESULT_BYTES, PARTS_MAX = 64, NOTE_MAX = 16384 };

struct part {
	int64_t		number, after_us;
};

struct poll {
	struct taxii11		*t;
	int64_t			 begin_us, end_us;	/* -1: not said */
	char			 result[RESULT_TEXT + 1];	/* empty: no part of it is known yet */
	struct part		 parts[PARTS_MAX];
	size_t			 nparts;
	int64_t			 part;
	struct page_query	 q;
	struct slice		*rows;
	size_t			 n, cap;
	int64_t			 last_us;
	struct taxii11_ends	 ends;
	bool			 more;		/* there is another part */
	uint64_t		 count;
	struct strbuf		 out;
};

static const char space[] = "taxii11";

static void
finish(struct poll *p)
{
	strbuf_fini(&p->out);
	taxii11_done(p->t);
}

static void
fail(struct poll *p, bool ours, const char *why)
{
	strbuf_fini(&p->out);
	if (ours)
		taxii11_busy(p->t, why);
	else
		taxii11_fail(p->t, "FAILURE", why);
}

/* ---- the note ---- */

static const char *
note_name(const struct poll *p)
{
	const struct taxii_request *rq = p->t->rq;

	return arena_fmt(rq->mem, "%s/%.2s", rq->reader.name, p->result);
}

static void
add_part(struct poll *p, int64_t number, int64_t after_us)
{
	for (size_t i = 0; i < p->nparts; i++)
		if (p->parts[i].number == number) {
			p->parts[i].after_us = after_us;
			return;
		}
	if (p->nparts == PARTS_MAX)
		memmove(p->parts, p->parts + 1, --p->nparts * sizeof(*p->parts));
	p->parts[p->nparts++] = (struct part){ number, after_us };
}

static const struct part *
find_part(const struct poll *p, int64_t number)
{
	for (size_t i = 0; i < p->nparts; i++)
		if (p->parts[i].number == number)
			return &p->parts[i];
	return NULL;
}

/* False: there is no such result of this reader in this collection, or none any more. */
static bool
load_note(struct poll *p)
{
	static const struct json_limits limits = { .depth = 4, .nodes = 4 * PARTS_MAX + 16,
		.bytes = NOTE_MAX };
	struct taxii_request *rq = p->t->rq;
	struct err e = ERR_INIT;
	const char *text = store_note_get(rq->g->store, space, note_name(p), rq->mem, &e);
	struct json_doc doc;
	int64_t cid = 0;

	if (text == NULL || json_parse(slice_of(text), &limits, rq->mem, &doc, &e) < 0 ||
	    !slice_is(json_member(doc.root, "result"), p->result) ||
	    !json_int(json_get(doc.root, "cid"), &cid) || cid != rq->collection->cid ||
	    !json_int(json_get(doc.root, "begin"), &p->begin_us) ||
	    !json_int(json_get(doc.root, "end"), &p->end_us))
		return false;
	for (const json *j = json_first(json_get(doc.root, "parts")); j != NULL; j = json_next(j)) {
		int64_t number, after_us;

		if (json_int(json_at(j, 0), &number) && json_int(json_at(j, 1), &after_us))
			add_part(p, number, after_us);
	}
	return p->nparts > 0;
}

static void
write_note(const struct poll *p, struct strbuf *b)
{
	strbuf_addf(b, "{\"result\":\"%s\",\"cid\":%" PRId64 ",\"begin\":%" PRId64 ",\"end\":%" PRId64
	    ",\"parts\":[", p->result, p->t->rq->collection->cid, p->begin_us, p->end_us);
	for (size_t i = 0; i < p->nparts; i++)
		strbuf_addf(b, "%s[%" PRId64 ",%" PRId64 "]", i > 0 ? "," : "", p->parts[i].number,
		    p->parts[i].after_us);
	strbuf_adds(b, "]}");
}

/* ---- the answer ---- */

/* Up to where is all told? The next poll may begin there. -1: that cannot be said. */
static int64_t
covered_us(const struct poll *p)
{
	if (p->n > 0)
		return p->last_us;
	if (p->end_us >= 0 && p->end_us <= clock_wall_us())
		return p->end_us;
	return p->begin_us;
}

static void
put_head(struct poll *p)
{
	struct strbuf *b = &p->out;
	char part[24];

	taxii11_begin(b, "Poll_Response", p->t->id);
	taxii11_attr(b, "collection_name", json_member(p->t->asked, "collection"));
	taxii11_attr(b, "more", slice_of(p->more ? "true" : "false"));
	if (p->result[0] != '\0')
		taxii11_attr(b, "result_id", slice_of(p->result));
	snprintf(part, sizeof(part), "%" PRId64, p->part);
	taxii11_attr(b, "result_part_number", slice_of(part));
	strbuf_addc(b, '>');
	if (p->begin_us >= 0)
		taxii11_time(b, "Exclusive_Begin_Timestamp", p->begin_us);
	if (covered_us(p) >= 0)
		taxii11_time(b, "Inclusive_End_Timestamp", covered_us(p));
}

static void
put_block(struct poll *p, struct slice package)
{
	struct strbuf *b = &p->out;
	struct slice rest = package, line = slice_cut(&rest, '>');

	if (slice_starts(line, "<?xml "))
		package = rest;
	strbuf_adds(b, "<taxii_11:Content_Block><taxii_11:Content_Binding");
	taxii11_attr(b, "binding_id", SLICE_LIT(TAXII11_CONTENT));
	strbuf_adds(b, "/><taxii_11:Content>");
	strbuf_addsl(b, package);
	strbuf_adds(b, "</taxii_11:Content>");
	taxii11_time(b, "Timestamp_Label", p->last_us);
	strbuf_adds(b, "</taxii_11:Content_Block>");
}

static void
answer(struct poll *p)
{
	struct strbuf b = p->out;

	p->out = (struct strbuf)STRBUF_INIT;
	taxii11_end(&b, "Poll_Response");
	taxii11_answer(p->t, &b);
}

static void
on_noted(void *arg, const struct err *e)
{
	struct poll *p = arg;

	if (taxii11_is_gone(p->t))
		finish(p);
	else if (e != NULL)
		fail(p, true, "the store does not answer");
	else
		answer(p);
}

/* Where the next part begins is durable before this one is sent. */
static void
conclude(struct poll *p)
{
	struct strbuf b = STRBUF_INIT;

	if (!p->more) {
		answer(p);
		return;
	}
	add_part(p, p->part + 1, p->last_us);
	write_note(p, &b);
	store_note_set(p->t->rq->g->store, space, note_name(p), b.p, on_noted, p);
	strbuf_fini(&b);
}

/* ---- content ---- */

static void
on_written(void *arg, const struct translated *text)
{
	struct poll *p = arg;

	if (taxii11_is_gone(p->t)) {
		finish(p);
	} else if (text->error != NULL) {
		fail(p, text->retryable, arena_fmt(p->t->rq->mem,
		    "the objects could not be written as STIX 1.2: %s", text->error->reason));
	} else {
		put_head(p);
		put_block(p, text->text);
		conclude(p);
	}
}

static void
write_rows(struct poll *p)
{
	const struct taxii_request *rq = p->t->rq;
	char now[STAMP_TEXT + 1];
	const struct translate_write w = { .format = "stix1", .objects = p->rows, .n = p->n,
	    .received = now, .csirt = rq->config->csirt,
	    .no_residue = true,	/* a reader of 1.x has no use for objects of 2.1 */
	    .request = arena_str(rq->mem, slice_of(rq->x->id)) };

	stamp_text(p->last_us, now);	/* of what is shown, so that the same part is the same text */
	translate_write(rq->g->translate, &w, on_written, p);
}

static void
on_row(void *arg, const struct store_row *row)
{
	struct poll *p = arg;
	struct arena *mem = p->t->rq->mem;

	taxii11_ends_note(&p->ends, mem, row);
	p->rows = arena_grow(mem, p->rows, p->n, &p->cap, sizeof(*p->rows));
	p->rows[p->n++] = arena_slice(mem, row->bytes);
	p->last_us = row->date_added_us;
}

static const struct slice stix21[] = { { "2.1", 3 } };

static void
choose(struct poll *p, int64_t after_us)
{
	const struct taxii_request *rq = p->t->rq;

	p->q = (struct page_query){ .added_after_us = p->begin_us, .position_us = after_us, .last = true,
		.until_us = p->end_us < 0 ? 0 : p->end_us > 0 ? p->end_us : 1,
		.limit = (uint32_t)rq->config->limits.page_objects, .want_bytes = true,
		.max_bytes = rq->config->limits.page_bytes, .spec_versions = stix21, .nspec_versions = 1 };
}

static void
on_end(void *arg, const struct store_row *row)
{
	struct poll *p = arg;
	struct arena *mem = p->t->rq->mem;

	p->rows = arena_grow(mem, p->rows, p->n, &p->cap, sizeof(*p->rows));
	p->rows[p->n++] = arena_slice(mem, row->bytes);
}

static void
on_ends(void *arg, const struct store_page *page, const struct page_seen *seen, const struct err *e)
{
	struct poll *p = arg;

	(void)page;
	(void)seen;
	if (taxii11_is_gone(p->t))
		finish(p);
	else if (e != NULL)
		fail(p, true, "the store does not answer");
	else
		write_rows(p);
}

/* What relationships in the page stand on is shown along; it is in the audit as a page of its own. */
static void
fetch_ends(struct poll *p)
{
	const struct taxii_request *rq = p->t->rq;

	if (taxii11_ends_missing(&p->ends) == 0) {
		write_rows(p);
		return;
	}
	choose(p, -1);
	p->q.added_after_us = -1;
	p->q.ids = p->ends.needed;
	p->q.nids = p->ends.nneeded;
	catalog_page(rq->g->catalog, &rq->reader, rq->collection, &p->q, on_end, on_ends, p);
}

static void
tell_book(struct taxii_request *rq, const struct page_seen *seen)
{
	struct taxii_page *page = taxii_page_new();

	page->seen = *seen;
	taxii_books_shows(rq, page, false);
	taxii_page_free(page);
}

static void
on_page(void *arg, const struct store_page *page, const struct page_seen *seen, const struct err *e)
{
	struct poll *p = arg;
	uint8_t random[RESULT_BYTES];

	(void)page;
	if (taxii11_is_gone(p->t)) {
		finish(p);
		return;
	}
	if (e != NULL) {
		fail(p, true, "the store does not answer");
		return;
	}
	tell_book(p->t->rq, seen);
	p->more = seen->full && p->n > 0;
	if (p->more && p->result[0] == '\0') {
		random_bytes(random, sizeof(random));
		hex_text(random, sizeof(random), p->result);
	}
	if (p->n > 0) {
		fetch_ends(p);
	} else {
		put_head(p);
		conclude(p);
	}
}

/* ---- what is asked ---- */

/* True if it was asked too often with the same answer; else it is noted what is asked. */
static bool
is_slowed(struct poll *p, bool walk, int64_t after_us)
{
	struct taxii_request *rq = p->t->rq;
	const char *key = arena_fmt(rq->mem, "taxii11 %s %s %" PRId64 " %" PRId64 " %" PRId64,
	    rq->reader.name, rq->collection->uuid, p->begin_us, p->end_us, after_us);

	if (taxii_books_slows(rq, slice_of(key)))
		return true;
	rq->q.added_after_us = p->begin_us;
	rq->q.has_next = walk;
	rq->q.next_us = after_us;
	taxii_books_asks(rq, true);
	return false;
}

static void
show(struct poll *p, bool walk, int64_t after_us)
{
	struct taxii_request *rq = p->t->rq;

	if (is_slowed(p, walk, after_us)) {
		finish(p);
		return;
	}
	choose(p, after_us);
	catalog_page(rq->g->catalog, &rq->reader, rq->collection, &p->q, on_row, on_page, p);
}

/* The collection that is meant, and may be read. False: it is answered. */
static bool
take_collection(struct taxii11 *t)
{
	struct slice name = json_member(t->asked, "collection");
	const struct collection_conf *col = taxii11_collection(t, name);

	if (col == NULL)
		taxii11_say(t, &(struct taxii11_status){ .type = "NOT_FOUND", .detail = "ITEM",
		    .why = "there is no such collection", .values = &name, .n = 1 });
	else if (!catalog_can_read(t->rq->g->catalog, col, &t->rq->reader))
		taxii11_fail(t, "DENIED", "this client may not read that collection");
	else
		taxii_take_collection(t->rq, col);
	return col != NULL && t->rq->collection != NULL;
}

static struct poll *
poll_new(struct taxii11 *t)
{
	struct poll *p = arena_alloc(t->rq->mem, sizeof(*p));

	p->t = t;
	p->begin_us = p->end_us = -1;
	p->part = 1;
	strbuf_init(&p->out);
	return p;
}

/* ---- counting ---- */

static void
answer_count(struct poll *p)
{
	uint64_t page = p->q.limit;

	put_head(p);
	/* a page of many bytes becomes several blocks */
	strbuf_addf(&p->out, "<taxii_11:Record_Count partial_count=\"%s\">%" PRIu64
	    "</taxii_11:Record_Count>", p->count > 1 ? "true" : "false", (p->count + page - 1) / page);
	taxii11_leaf(&p->out, "Message", slice_of(arena_fmt(p->t->rq->mem, "%" PRIu64 " objects",
	    p->count)));
	answer(p);
}

static void
on_counted(void *arg, uint64_t n, int64_t last_us, const struct err *e)
{
	struct poll *p = arg;

	(void)last_us;
	p->count = n;
	if (taxii11_is_gone(p->t)) {
		finish(p);
	} else if (e != NULL) {
		fail(p, true, "the store does not answer");
	} else {
		answer_count(p);
	}
}

/* ---- messages ---- */

/* No binding is asked for, or the one that we write. */
static bool
wants_ours(const struct taxii11 *t)
{
	const json *b = json_first(json_get(t->asked, "bindings"));

	if (b == NULL)
		return true;
	for (; b != NULL; b = json_next(b))
		if (slice_is(json_slice(b), TAXII11_CONTENT))
			return true;
	return false;
}

/* What cannot be served is told before anything is looked for. */
static bool
can_serve(struct taxii11 *t, const struct poll *p)
{
	static const struct slice ours = { TAXII11_CONTENT, sizeof(TAXII11_CONTENT) - 1 };
	struct slice none = json_member(t->asked, "collection");

	if (json_bool(json_get(t->asked, "subscription")))
		taxii11_say(t, &(struct taxii11_status){ .type = "NOT_FOUND", .detail = "ITEM",
		    .why = "there are no subscriptions here", .values = &none, .n = 1 });
	else if (json_bool(json_get(t->asked, "query")))
		taxii11_fail(t, "UNSUPPORTED_QUERY", "there are no queries here");
	else if (p->begin_us >= 0 && p->end_us >= 0 && p->begin_us >= p->end_us)
		taxii11_fail(t, "FAILURE",
		    "Exclusive_Begin_Timestamp is not before Inclusive_End_Timestamp");
	else if (!wants_ours(t))
		taxii11_say(t, &(struct taxii11_status){ .type = "UNSUPPORTED_CONTENT",
		    .why = "content comes as STIX 1.2", .detail = "SUPPORTED_CONTENT", .values = &ours,
		    .n = 1 });
	else
		return true;
	return false;
}

void
taxii11_poll(struct taxii11 *t)
{
	struct poll *p = poll_new(t);
	const struct taxii_request *rq = t->rq;

	json_int(json_get(t->asked, "begin_us"), &p->begin_us);
	json_int(json_get(t->asked, "end_us"), &p->end_us);
	if (!can_serve(t, p) || !take_collection(t))
		return;
	if (slice_is(json_member(t->asked, "response"), "COUNT_ONLY")) {
		choose(p, -1);
		look_count(rq->g, &rq->reader, rq->collection, &p->q, UINT64_MAX, on_counted, p);
	} else {
		show(p, false, -1);
	}
}

void
taxii11_fulfill(struct taxii11 *t)
{
	struct slice result = json_member(t->asked, "result");
	struct poll *p = poll_new(t);
	const struct part *part;
	struct slice most;

	if (!take_collection(t))
		return;
	if (result.n == RESULT_TEXT) {
		memcpy(p->result, result.p, result.n);
		for (size_t i = 0; i < result.n; i++)
			if (strchr("0123456789abcdef", result.p[i]) == NULL)
				p->result[0] = '\0';
	}
	json_int(json_get(t->asked, "part"), &p->part);
	if (p->result[0] == '\0' || !load_note(p)) {
		taxii11_say(t, &(struct taxii11_status){ .type = "NOT_FOUND", .detail = "ITEM",
		    .why = "there is no such result, or none any more: poll again", .values = &result,
		    .n = 1 });
		return;
	}
	part = find_part(p, p->part);
	if (part != NULL || p->part == 1) {
		show(p, part != NULL, part != NULL ? part->after_us : -1);
		return;
	}
	most = slice_of(arena_fmt(t->rq->mem, "%" PRId64, p->parts[p->nparts - 1].number));
	taxii11_say(t, &(struct taxii11_status){ .type = "INVALID_RESPONSE_PART",
	    .detail = "MAX_PART_NUMBER", .values = &most, .n = 1,
	    .why = "there is no such part; parts are asked for one after the other" });
}
