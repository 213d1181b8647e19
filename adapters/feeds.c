#include "adapters/feeds.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/feeds_delta.h"
#include "adapters/feeds_misp.h"
#include "adapters/http_gzip.h"
#include "adapters/taxii_request.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/log.h"
#include "gateway/config.h"
#include "gateway/feed.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"

enum {
	TAG_ROOM = FEED_TAG + 8, DATE_ROOM = 30, HEADERS = 10,
	PIECE = 1 << 20,		/* compressed in one turn */
	LATER_S = 5, MUCH_LATER_S = 600
};

/* A request for a feed. */
struct feed_request {
	struct taxii_request	*rq;
	const struct feed_conf	*feed;		/* of rq->config */
	size_t			 output;
	struct slice		 since;		/* p NULL: the whole */
	struct event		*patience;
	/* the answer */
	struct feed_made	*made;		/* held */
	char			 tag[TAG_ROOM], date[DATE_ROOM], cursor[FEED_CURSOR], records[24];
	struct strbuf		 withheld;
	/* being compressed */
	struct event		*turn;
	struct http_gzip_stream	*z;
	struct feed_file	*gzip;
	size_t			 done;
};

/* ---- the family ---- */

bool
feeds_are_served(const struct config *conf, const struct peer *p)
{
	(void)p;
	return conf->nfeeds > 0;
}

/* Tools that fetch files say all kinds of things, and take what comes. */
bool
feeds_accept(const struct http1_head *h, const struct taxii_route *r)
{
	(void)h;
	(void)r;
	return true;
}

const char *
feeds_error(struct strbuf *out, int status, const char *title, const char *detail,
    const char *request_id)
{
	strbuf_addf(out, "%d %s\n%s\nrequest %s\n", status, title, detail == NULL ? "" : detail,
	    request_id);
	return "text/plain; charset=utf-8";
}

bool
feeds_know(const struct config *conf, struct slice name)
{
	size_t output;

	return feed_find(conf, name, &output) != NULL;
}

const struct collection_conf *
feeds_resolve(struct taxii_request *rq, struct slice name)
{
	size_t output;
	const struct feed_conf *f = rq->match.place->path[2] == S_MISP ?
	    feeds_misp_find(rq->config, name) : feed_find(rq->config, name, &output);

	return f == NULL ? NULL : catalog_find(rq->g->catalog, slice_of(f->collection));
}

/* ---- life ---- */

static void
request_free(struct feed_request *fr)
{
	struct taxii_request *rq = fr->rq;

	if (fr->patience != NULL)
		event_free(fr->patience);
	if (fr->turn != NULL)
		event_free(fr->turn);
	http_gzip_stream_free(fr->z);
	feed_file_free(fr->gzip);
	feed_made_free(fr->made);
	strbuf_fini(&fr->withheld);
	free(fr);
	taxii_let_go(rq);
}

static void
count(const struct feed_request *fr, const char *how)
{
	stats_add2(fr->rq->g->stats, STAT_FEEDS, fr->feed->name, how, 1);
}

void
feeds_audit(const struct taxii_request *rq, const struct feeds_sent *sent)
{
	char hex[2 * SHA256_LEN + 1];
	struct strbuf b = STRBUF_INIT;

	strbuf_adds(&b, "\"ev\":\"feed\"");
	audit_text(&b, "consumer", slice_of(rq->reader.name));
	if (rq->reader.test)
		strbuf_adds(&b, ",\"test\":true");
	audit_text(&b, "feed", slice_of(sent->feed));
	audit_text(&b, "collection", slice_of(rq->collection->name));
	audit_text(&b, "output", slice_of(sent->output));
	audit_text(&b, "how", sent->how);
	audit_number(&b, "records", (int64_t)sent->records);
	audit_text(&b, "tag", slice_of(sent->tag));
	hex_text(trust_digest(rq->trust), SHA256_LEN, hex);
	audit_text(&b, "pol", slice_of(hex));
	store_audit_add(rq->g->store, b.p, audit_kept, NULL);
	strbuf_fini(&b);
}

static void
audit(const struct feed_request *fr, uint64_t records, const char *how)
{
	const struct feeds_sent sent = { .feed = fr->feed->name, .output = flat_outputs[fr->output].ending,
	    .how = slice_of(how), .records = records,
	    .tag = feed_file_tag(fr->made->out[fr->output].file) };

	feeds_audit(fr->rq, &sent);
}

/* ---- what is asked ---- */

/* A parameter that stands once and is well formed; others are refused by name. */
static bool
take_param(struct taxii_request *rq, const struct http1_param *p, struct slice *kind,
    struct slice *since)
{
	struct slice *to = slice_is(p->key, "since") ? since : slice_is(p->key, "kind") ? kind : NULL;

	if (p->bad_key || to == NULL)
		taxii_refuse(rq, 400, "a feed knows the parameters `since` and `kind`");
	else if (p->bad_value || !p->has_value || p->value.n == 0)
		taxii_refuse(rq, 400, "a parameter has no value that can be read");
	else if (to->p != NULL)
		taxii_refuse(rq, 400, "a parameter stands twice");
	else
		*to = p->value;
	return !rq->answered;
}

/* NAME.txt?kind=ipv4 means NAME.ipv4.txt. */
static bool
apply_kind(struct feed_request *fr, struct slice kind)
{
	struct taxii_request *rq = fr->rq;
	const struct flat_output *o;

	if (kind.p == NULL)
		return true;
	o = flat_output_by_ending(slice_of(arena_fmt(rq->mem, "%.*s.%s", SLICE_ARG(kind),
	    flat_outputs[fr->output].ending)));
	if (o != NULL && (feed_outputs(fr->feed) >> (o - flat_outputs) & 1) != 0) {
		fr->output = (size_t)(o - flat_outputs);
		return true;
	}
	taxii_refuse(rq, 404, "this feed has no list of that kind");
	return false;
}

static bool
read_query(struct feed_request *fr)
{
	struct taxii_request *rq = fr->rq;
	struct slice rest = rq->x->head->query, kind = { NULL, 0 };
	struct http1_param p;

	while (rq->x->head->has_query && http1_query_next(&rest, rq->mem, &p))
		if (!take_param(rq, &p, &kind, &fr->since))
			return false;
	if (!apply_kind(fr, kind))
		return false;
	if (fr->since.p == NULL || flat_outputs[fr->output].style == FLAT_RECORDS)
		return true;
	taxii_refuse(rq, 400, "changes (`since`) are told in .jsonl and .csv only");
	return false;
}

/* ---- the answer ---- */

static size_t
add_header(struct http_header *h, size_t n, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return n;
	h[n] = (struct http_header){ name, value };
	return n + 1;
}

/* What all answers about this state of the feed have. */
static size_t
common_headers(struct feed_request *fr, struct http_header h[HEADERS])
{
	size_t n = 0;

	n = add_header(h, n, "ETag", fr->tag);
	n = add_header(h, n, "Last-Modified", fr->date);
	n = add_header(h, n, "Cache-Control", "private, no-cache");
	n = add_header(h, n, "Vary", "Accept-Encoding, Authorization");
	n = add_header(h, n, "X-Tocsin-Since", fr->cursor);
	n = add_header(h, n, "X-Tocsin-Records", fr->records);
	return add_header(h, n, "X-Tocsin-Withheld", fr->withheld.p);
}

static void
file_sent(void *file)
{
	feed_file_free(file);
}

static void
send_file(struct feed_request *fr, struct feed_file *file, bool gzipped)
{
	struct http_header h[HEADERS];
	struct taxii_request *rq = fr->rq;
	struct http_answer a = {
		.status = 200, .content_type = flat_outputs[fr->output].media_type, .headers = h,
		.body = feed_file_text(file), .release = file_sent, .in_file = true,
	};

	if (rq->x == NULL || rq->answered)
		return;
	a.nheaders = common_headers(fr, h);
	if (gzipped)
		a.nheaders = add_header(h, a.nheaders, "Content-Encoding", "gzip");
	a.release_arg = feed_file_hold(file);
	if (rq->x->head->method != HTTP_HEAD)
		audit(fr, fr->made->out[fr->output].count[FLAT_WRITTEN], "whole");
	count(fr, "sent");
	rq->answered = true;
	http_respond(rq->x, &a);
}

static void
set_tag(struct feed_request *fr, bool gzipped)
{
	snprintf(fr->tag, sizeof(fr->tag), "\"%s%s\"",
	    feed_file_tag(fr->made->out[fr->output].file), gzipped ? "-gz" : "");
}

/* One of the tags that the client has is that of this state, in whichever coding. */
static bool
tag_is_known(const struct feed_request *fr)
{
	const struct http1_head *head = fr->rq->x->head;
	const char *ours = feed_file_tag(fr->made->out[fr->output].file);
	struct slice field, item;

	for (size_t i = 0; http1_field_next(head, "if-none-match", &i, &field); ) {
		while (http1_list_next(&field, &item)) {
			if (slice_is(item, "*"))
				return true;
			if (slice_starts(item, "W/"))
				item = slice_from(item.p + 2, item.n - 2);
			if (item.n >= FEED_TAG + 2 && memcmp(item.p + 1, ours, FEED_TAG) == 0 &&
			    (slice_is(slice_from(item.p + 1 + FEED_TAG, item.n - 1 - FEED_TAG), "\"") ||
			    slice_is(slice_from(item.p + 1 + FEED_TAG, item.n - 1 - FEED_TAG), "-gz\"")))
				return true;
		}
	}
	return false;
}

static bool
is_unchanged(const struct feed_request *fr)
{
	const struct http1_head *head = fr->rq->x->head;

	if (http1_field(head, "if-none-match").p != NULL)
		return tag_is_known(fr);
	return fr->date[0] != '\0' && slice_is(http1_field(head, "if-modified-since"), fr->date);
}

static void
answer_unchanged(struct feed_request *fr)
{
	struct http_header h[HEADERS];
	struct http_answer a = { .status = 304, .headers = h };

	a.nheaders = common_headers(fr, h);
	count(fr, "unchanged");
	fr->rq->answered = true;
	http_respond(fr->rq->x, &a);
}

/* ---- compressing ---- */

static void
compressed(struct feed_request *fr, bool good)
{
	struct feed_out *out = &fr->made->out[fr->output];
	struct err e = ERR_INIT;

	good = good && feed_file_seal(fr->gzip, &e) == 0;
	if (good && out->gzip == NULL)
		out->gzip = feed_file_hold(fr->gzip);
	set_tag(fr, good);
	send_file(fr, good ? fr->gzip : out->file, good);
	request_free(fr);
}

static void
compress_piece(struct feed_request *fr)
{
	static const struct timeval soon = { 0, 1 };
	struct slice all = feed_file_text(fr->made->out[fr->output].file);
	size_t n = all.n - fr->done < PIECE ? all.n - fr->done : PIECE;
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	bool good, last = fr->done + n == all.n;

	if (fr->rq->x == NULL || fr->rq->answered) {
		request_free(fr);
		return;
	}
	good = http_gzip_stream_add(fr->z, slice_from(all.p + fr->done, n), last, &b) &&
	    feed_file_add(fr->gzip, strbuf_slice(&b), &e) == 0;
	strbuf_fini(&b);
	fr->done += n;
	if (!good || last)
		compressed(fr, good);
	else
		evtimer_add(fr->turn, &soon);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	compress_piece(arg);
}

/* Send it compressed: as it was, or once that is done. */
static void
answer_compressed(struct feed_request *fr)
{
	struct taxii_request *rq = fr->rq;
	struct feed_out *out = &fr->made->out[fr->output];
	struct err e = ERR_INIT;

	if (out->gzip != NULL) {
		set_tag(fr, true);
		send_file(fr, out->gzip, true);
		request_free(fr);
		return;
	}
	fr->gzip = feed_file_new(rq->config->feeds_dir, feed_file_bytes(out->file) + 65536, &e);
	fr->z = http_gzip_stream_new((int)rq->config->limits.gzip_level);
	fr->turn = evtimer_new(rq->g->base, on_turn, fr);
	if (fr->gzip != NULL && fr->z != NULL) {
		compress_piece(fr);
		return;
	}
	send_file(fr, out->file, false);
	request_free(fr);
}

static bool
wants_gzip(const struct feed_request *fr)
{
	const struct limits_conf *l = &fr->rq->config->limits;

	return l->gzip_level > 0 && http1_accepts_gzip(fr->rq->x->head) &&
	    feed_file_bytes(fr->made->out[fr->output].file) >= l->gzip_least_bytes;
}

/* ---- changes ---- */

static struct slice
first_line(struct slice text)
{
	struct slice line = slice_cut(&text, '\n');

	return line.n > 0 && line.p[line.n - 1] == '\r' ? slice_from(line.p, line.n - 1) : line;
}

static void
answer_changes(struct feed_request *fr)
{
	struct taxii_request *rq = fr->rq;
	struct strbuf body = STRBUF_INIT, who = STRBUF_INIT, base = STRBUF_INIT;
	struct feeds_delta d = { .csv = strcmp(flat_outputs[fr->output].name, "csv") == 0,
	    .columns = first_line(feed_file_text(fr->made->out[fr->output].file)), .out = &body };
	struct http_header h[HEADERS];
	struct feed_since since;
	struct feed_state to;
	struct err e = ERR_INIT;
	size_t n = 0;

	feed_who(fr->feed->name, &rq->reader, &who);
	feed_base(rq->config, fr->feed->name, &rq->reader, &base);
	feeds_delta_head(&d);
	if (!feed_since_read(fr->since, taxii_next_key(rq), strbuf_slice(&who), &since)) {
		taxii_refuse(rq, 400, "since: neither a cursor that this server gave for this feed nor a "
		    "UTC time such as 2026-01-31T12:00:00Z");
	} else if (feed_log_since(base.p, &since, feeds_delta_add, &d, &to, &e) < 0) {
		taxii_refuse(rq, 410, arena_fmt(rq->mem, "since: %s; fetch the whole feed", e.reason));
	} else if (d.incomplete) {
		taxii_refuse(rq, 410, "since: a change was not kept in this form; fetch the whole feed");
	} else {
		feed_cursor(&to, taxii_next_key(rq), strbuf_slice(&who), fr->cursor);
		snprintf(fr->records, sizeof(fr->records), "%llu",
		    (unsigned long long)d.n[FEED_REMOVED] + d.n[FEED_CHANGED] + d.n[FEED_ADDED]);
		n = add_header(h, n, "Cache-Control", "no-store");
		n = add_header(h, n, "X-Tocsin-Since", fr->cursor);
		n = add_header(h, n, "X-Tocsin-Records", fr->records);
		audit(fr, d.n[FEED_CHANGED] + d.n[FEED_ADDED], "changes");
		count(fr, "changes");
		taxii_answer_as(rq, 200, flat_outputs[fr->output].media_type, &body, h, n);
	}
	strbuf_fini(&body);
	strbuf_fini(&who);
	strbuf_fini(&base);
}

/* ---- the road ---- */

static void
answer(struct feed_request *fr)
{
	struct taxii_request *rq = fr->rq;
	const struct feed_out *out = &fr->made->out[fr->output];
	struct strbuf who = STRBUF_INIT;

	if (fr->since.p != NULL) {
		answer_changes(fr);
		request_free(fr);
		return;
	}
	/* the date is that of the records; what stands around them in a bundle changes without them */
	if (!fr->made->has_state || flat_outputs[fr->output].style != FLAT_OBJECTS)
		stamp_http(fr->made->modified_us, fr->date);
	set_tag(fr, wants_gzip(fr));
	snprintf(fr->records, sizeof(fr->records), "%llu",
	    (unsigned long long)out->count[FLAT_WRITTEN]);
	feed_made_withheld(fr->made, fr->output, &fr->withheld);
	if (fr->made->has_state && flat_outputs[fr->output].style == FLAT_RECORDS) {
		feed_who(fr->feed->name, &rq->reader, &who);
		feed_cursor(&fr->made->state, taxii_next_key(rq), strbuf_slice(&who), fr->cursor);
		strbuf_fini(&who);
	}
	if (is_unchanged(fr)) {
		answer_unchanged(fr);
		request_free(fr);
	} else if (wants_gzip(fr) && rq->g->base != NULL) {
		answer_compressed(fr);
	} else {
		send_file(fr, out->file, false);
		request_free(fr);
	}
}

static void
refuse_build(struct feed_request *fr, const struct err *e)
{
	struct taxii_request *rq = fr->rq;
	bool large = e->code == ERR_LIMIT;

	taxii_later(rq, 503, (large ? MUCH_LATER_S : LATER_S) * INT64_C(1000000),
	    arena_fmt(rq->mem, "the feed could not be made: %s", e->reason));
}

static void
on_ready(void *arg, struct feed_made *made, const struct err *e)
{
	struct feed_request *fr = arg;

	if (fr->rq->x == NULL || fr->rq->answered) {
		request_free(fr);
	} else if (e != NULL) {
		refuse_build(fr, e);
		request_free(fr);
	} else {
		fr->made = feed_made_hold(made);
		answer(fr);
	}
}

/* It goes on being made; the client asks again and finds it. */
static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct feed_request *fr = arg;

	(void)fd;
	(void)what;
	taxii_later(fr->rq, 503, LATER_S * INT64_C(1000000), "the feed is being made; try again soon");
}

static void
watch(struct feed_request *fr)
{
	int64_t us = fr->rq->config->limits.answer_us / 10 * 8;
	struct timeval wait = { us / 1000000, us % 1000000 };

	if (fr->rq->g->base == NULL)
		return;
	fr->patience = evtimer_new(fr->rq->g->base, on_patience, fr);
	evtimer_add(fr->patience, &wait);
}

void
feeds_get_file(struct taxii_request *rq)
{
	struct feed_request *fr = xcalloc(1, sizeof(*fr));
	struct feed_ask ask = { .collection = rq->collection, .reader = rq->reader };

	taxii_hold(rq);
	fr->rq = rq;
	strbuf_init(&fr->withheld);
	fr->feed = feed_find(rq->config, rq->object_id, &fr->output);
	if (fr->feed == NULL || !read_query(fr)) {
		taxii_refuse(rq, 404, "there is no such feed");
		request_free(fr);
		return;
	}
	watch(fr);
	ask.feed = fr->feed;
	feeds_get(rq->g->feeds, &ask, UINT64_C(1) << fr->output, on_ready, fr);
}
