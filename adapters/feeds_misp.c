#include "adapters/feeds_misp.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/feeds.h"
#include "adapters/taxii_request.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/config.h"
#include "gateway/feed_misp.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"

enum { TAG = 32, LATER_S = 5, MUCH_LATER_S = 600 };

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

/* Does the client have the text with this tag already? */
static bool
is_known(const struct misp_request *mr, const char *tag)
{
	struct slice field, item;

	for (size_t i = 0; http1_field_next(mr->rq->x->head, "if-none-match", &i, &field); )
		while (http1_list_next(&field, &item)) {
			if (slice_starts(item, "W/"))
				item = slice_from(item.p + 2, item.n - 2);
			if (slice_is(item, "*") || slice_is(item, tag))
				return true;
		}
	return false;
}

static void
answer(struct misp_request *mr, const struct misp_made *made, struct slice text)
{
	struct taxii_request *rq = mr->rq;
	bool csv = slice_is(rq->file, "hashes.csv"), one;
	char hex[2 * SHA256_LEN + 1], tag[TAG + 3];
	const struct http_header h[] = { { "ETag", tag }, { "Cache-Control", "private, no-cache" },
	    { "Vary", "Authorization" } };
	struct http_answer same = { .status = 304, .headers = h, .nheaders = COUNTOF(h) };
	struct feeds_sent sent = { .feed = mr->feed->name, .output = "misp", .how = rq->file, .tag = hex };
	struct strbuf body = STRBUF_INIT;

	digest_sha256_hex(text, hex);
	hex[TAG] = '\0';
	snprintf(tag, sizeof(tag), "\"%.*s\"", (int)TAG, hex);
	if (is_known(mr, tag)) {
		stats_add2(rq->g->stats, STAT_FEEDS, mr->feed->name, "unchanged", 1);
		rq->answered = true;
		http_respond(rq->x, &same);
		return;
	}
	one = !csv && !slice_is(rq->file, "manifest.json");
	sent.records = one ? 1 : misp_made_events(made);
	if (rq->x->head->method != HTTP_HEAD)
		feeds_audit(rq, &sent);
	stats_add2(rq->g->stats, STAT_FEEDS, mr->feed->name, "sent", 1);
	strbuf_addsl(&body, text);
	taxii_answer_as(rq, 200, csv ? "text/csv; charset=utf-8" : "application/json", &body, h,
	    COUNTOF(h));
	strbuf_fini(&body);
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
on_ready(void *arg, const struct misp_made *made, const struct err *e)
{
	struct misp_request *mr = arg;
	struct taxii_request *rq = mr->rq;
	struct slice text;

	if (rq->x == NULL || rq->answered) {
		;			/* gone meanwhile */
	} else if (e != NULL) {
		taxii_later(rq, 503, (e->code == ERR_LIMIT ? MUCH_LATER_S : LATER_S) * INT64_C(1000000),
		    arena_fmt(rq->mem, "the feed could not be made: %s", e->reason));
	} else {
		text = misp_made_file(made, rq->file);
		if (text.p == NULL)
			taxii_refuse(rq, 404, "this feed has no such file");
		else
			answer(mr, made, text);
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
