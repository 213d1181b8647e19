#include "adapters/taxii_books.h"

#include "adapters/taxii_marks.h"
#include "adapters/taxii_pages.h"
#include "gateway/base/arena.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"

enum { WHY = 256 };

bool
taxii_books_slows(struct taxii_request *rq, struct slice key)
{
	char why[WHY];
	int64_t wait_us;

	rq->book.ask = consumer_hash(0, key);
	if (rq->reader.test)
		return false;
	wait_us = consumer_books_wait_us(rq->g->books, rq->reader.name, rq->book.ask,
	    (uint64_t)rq->config->limits.repeats, why, sizeof(why));
	if (wait_us == 0)
		return false;
	rq->slowed = true;
	stats_add(rq->g->stats, STAT_CONSUMER_SLOWED, rq->reader.name, 1);
	taxii_later(rq, 429, wait_us, why);
	return true;
}

/* Which of its ways through a collection this is: one a set of filters. */
static int64_t
track_of(const struct taxii_request *rq)
{
	int64_t h = consumer_hash(0, rq->collection_name);

	for (int f = FILTER_ADDED_AFTER + 1; f < FILTERS; f++)
		h = consumer_hash(h, rq->q.text[f]);
	return h;
}

void
taxii_books_asks(struct taxii_request *rq, bool poll)
{
	struct book_page *b = &rq->book;

	b->poll = poll;
	b->walk = rq->q.has_next;
	b->after_us = rq->q.has_next ? rq->q.next_us : rq->q.added_after_us;
	for (int f = FILTER_ADDED_AFTER + 1; f < FILTERS; f++)
		b->filtered = b->filtered || rq->q.text[f].p != NULL;
	b->track = track_of(rq);
	rq->reader.counted_us = consumer_books_counted_us(rq->g->books, rq->reader.name, b->track);
}

void
taxii_books_shows(struct taxii_request *rq, struct taxii_page *p, bool again)
{
	int64_t ask = rq->book.ask;

	if (rq->shown != NULL)
		return;
	rq->shown = taxii_page_hold(p);
	if (again)
		rq->book = p->book;
	else
		p->book = rq->book;
	rq->book.ask = ask;
	rq->book.again = again;
}

/* The version of TAXII that the client names: what is asked for by name, else "any". */
static const char *
version_asked(const struct http1_head *h)
{
	struct slice accept = http1_field(h, "accept");

	if (accept.n == 0)
		return "unsaid";
	if (memmem(accept.p, accept.n, "version=2.1", 11) != NULL)
		return "2.1";
	if (memmem(accept.p, accept.n, "version=2.0", 11) != NULL)
		return "2.0";
	return memmem(accept.p, accept.n, "taxii", 5) != NULL ? "2.x" : "any";
}

void
taxii_books_done(struct taxii_request *rq, int status, uint64_t bytes, bool ok)
{
	struct book_call c = { .status = status, .bytes = bytes, .slowed = rq->slowed,
		.file = ok && status < 400 && rq->match.family == FAMILY_FEED };
	enum http_method method = rq->x->head == NULL ? HTTP_OTHER : rq->x->head->method;
	bool poll = rq->match.family == FAMILY_TAXII11 && rq->shown != NULL;
	bool whole = ok && rq->shown != NULL && status < 300 && (method == HTTP_GET || poll);

	if (rq->x->head == NULL || rq->reader.test ||
	    (rq->reader.peer == NULL && strcmp(rq->reader.name, "public") != 0))
		return;
	c.message = method == HTTP_POST && status < 300 && !poll;
	c.remote = rq->x->remote;
	c.version = version_asked(rq->x->head);
	c.agent = http1_field(rq->x->head, "user-agent");
	c.why = ok ? rq->why : "the client went away before it had the whole answer";
	if (!ok)
		c.status = 499;
	if (whole) {
		rq->book.collection = rq->collection->name;
		rq->book.seen = &rq->shown->seen;
		c.page = &rq->book;
		taxii_marks_done(rq, rq->book.seen);
	}
	consumer_books_note(rq->g->books, rq->reader.name, &c);
}
