#include "adapters/feeds_misp.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/feeds.h"
#include "adapters/taxii_request.h"
#include "gateway/base/arena.h"
#include "gateway/config.h"
#include "gateway/feed_misp.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"

enum { LATER_S = 5, MUCH_LATER_S = 600, GZIP_MAX = 8 << 20 };

struct misp_request {
	struct taxii_request	*rq;
	const struct feed_conf	*feed;		/* of rq->config */
	struct event		*patience;
};

const struct feed_conf *
feeds_misp_find(const struct config *conf, struct slice name)
{
	const struct feed_conf *feed = config_feed(conf, name);
	const char *const *f = feed == NULL ? NULL : feed->formats;

	if (f == NULL || *f == NULL)
		return feed;
	for (; *f != NULL; f++)
		if (strcmp(*f, "misp") == 0)
			return feed;
	return NULL;
}

/* "TAG", or "TAG-gz" of what we sent compressed. */
static bool
is_tag(struct slice item, const char *tag)
{
	if (item.n < FEED_TAG + 2 || memcmp(item.p + 1, tag, FEED_TAG) != 0)
		return false;
	item = slice_from(item.p + 1 + FEED_TAG, item.n - 1 - FEED_TAG);
	return slice_is(item, "\"") || slice_is(item, "-gz\"");
}

/* Does the client have the text with this tag already? */
static bool
is_known(const struct misp_request *mr, const char *tag)
{
	struct slice field, item;

	for (size_t i = 0; http1_field_next(mr->rq->x->head, "if-none-match", &i, &field); )
		while (http1_list_next(&field, &item)) {
			if (slice_starts(item, "W/"))
				item = slice_from(item.p + 2, item.n - 2);
			if (slice_is(item, "*") || is_tag(item, tag))
				return true;
		}
	return false;
}

/* Worth it, and done in no time: what is large goes out as it is. */
static bool
wants_gzip(const struct misp_request *mr, size_t n)
{
	const struct limits_conf *l = &mr->rq->config->limits;

	return l->gzip_level > 0 && n >= l->gzip_least_bytes && n <= GZIP_MAX &&
	    http1_accepts_gzip(mr->rq->x->head);
}

static void
file_sent(void *file)
{
	feed_file_free(file);
}

static void
answer(struct misp_request *mr, const struct misp_made *made, const struct misp_file *file)
{
	struct taxii_request *rq = mr->rq;
	bool csv = slice_is(rq->file, "hashes.csv"), one = !csv && !slice_is(rq->file, "manifest.json"),
	     gzip = wants_gzip(mr, file->text.n);
	char tag[FEED_TAG + 8];
	const struct http_header h[] = { { "ETag", tag }, { "Cache-Control", "private, no-cache" },
	    { "Vary", "Accept-Encoding, Authorization" } };
	struct feeds_sent sent = { .feed = mr->feed->name, .output = "misp", .how = rq->file,
	    .tag = file->tag, .records = one ? 1 : misp_made_events(made) };
	struct http_answer a = { .status = 200, .headers = h, .nheaders = COUNTOF(h),
	    .content_type = csv ? "text/csv; charset=utf-8" : "application/json", .may_gzip = gzip };
	bool known = is_known(mr, file->tag);

	snprintf(tag, sizeof(tag), "\"%s%s\"", file->tag, gzip ? "-gz" : "");
	if (known) {
		a = (struct http_answer){ .status = 304, .headers = h, .nheaders = COUNTOF(h) };
	} else {
		if (rq->x->head->method != HTTP_HEAD)
			feeds_audit(rq, &sent);
		a.body = file->text;
		a.in_file = true;
		a.release = file_sent;
		a.release_arg = feed_file_hold(file->within);
	}
	stats_add2(rq->g->stats, STAT_FEEDS, mr->feed->name, known ? "unchanged" : "sent", 1);
	rq->answered = true;
	http_respond(rq->x, &a);
}

static void
request_free(struct misp_request *mr)
{
	struct taxii_request *rq = mr->rq;

	if (mr->patience != NULL)
		event_free(mr->patience);
	free(mr);
	taxii_let_go(rq);
}

static void
on_ready(void *arg, struct misp_made *made, const struct err *e)
{
	struct misp_request *mr = arg;
	struct taxii_request *rq = mr->rq;
	struct misp_file file;

	if (rq->x == NULL || rq->answered) {
		;			/* gone meanwhile */
	} else if (e != NULL) {
		taxii_later(rq, 503, (e->code == ERR_LIMIT ? MUCH_LATER_S : LATER_S) * INT64_C(1000000),
		    arena_fmt(rq->mem, "the feed could not be made: %s", e->reason));
	} else if (misp_made_file(made, rq->file, &file)) {
		answer(mr, made, &file);
	} else {
		taxii_refuse(rq, 404, "this feed has no such file");
	}
	request_free(mr);
}

/* It goes on being made; the client asks again and finds it. */
static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct misp_request *mr = arg;

	(void)fd;
	(void)what;
	taxii_later(mr->rq, 503, LATER_S * INT64_C(1000000), "the feed is being made; try again soon");
}

void
feeds_misp_get(struct taxii_request *rq)
{
	int64_t us = rq->config->limits.answer_us / 10 * 8;
	const struct timeval wait = { us / 1000000, us % 1000000 };
	struct feed_ask ask = { .collection = rq->collection, .reader = rq->reader };
	struct misp_request *mr;

	ask.feed = feeds_misp_find(rq->config, rq->object_id);
	if (ask.feed == NULL) {
		taxii_refuse(rq, 404, "there is no such feed");
		return;
	}
	mr = xcalloc(1, sizeof(*mr));
	taxii_hold(rq);
	mr->rq = rq;
	mr->feed = ask.feed;
	if (rq->g->base != NULL) {
		mr->patience = evtimer_new(rq->g->base, on_patience, mr);
		evtimer_add(mr->patience, &wait);
	}
	feed_misp_get(rq->g->feed_misp, &ask, on_ready, mr);
}
