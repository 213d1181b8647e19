#include "adapters/taxii_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/feeds.h"
#include "adapters/taxii11_serve.h"
#include "adapters/taxii20_ground.h"
#include "adapters/taxii_auth.h"
#include "adapters/taxii_books.h"
#include "adapters/taxii_pages.h"
#include "adapters/taxii_request.h"
#include "adapters/taxii_routes.h"
#include "adapters/taxii_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/keys.h"
#include "gateway/limiter.h"
#include "gateway/stats.h"

enum { PAGE_LEAST = 100, BURST_MAX = 1000000 };

struct taxii_server {
	struct gateway		*g;
	struct http_handler	 handler;
	struct taxii_pages	*pages;
	struct taxii20_grounds	*grounds;
	uint8_t			 next_key[SHA256_LEN];
};

/* ---- the path ---- */

static const char *
copy_text(struct arena *mem, const char *s)
{
	return s == NULL ? NULL : arena_str(mem, slice_of(s));
}

/* A copy: a reload changes the catalog under a request that waits. The filter of a view is not for us. */
void
taxii_take_collection(struct taxii_request *rq, const struct collection_conf *col)
{
	struct collection_conf *copy = arena_raw(rq->mem, sizeof(*copy));

	*copy = *col;
	copy->name = copy_text(rq->mem, col->name);
	copy->title = copy_text(rq->mem, col->title);
	copy->description = copy_text(rq->mem, col->description);
	copy->alias = copy_text(rq->mem, col->alias);
	copy->roots = copy->kinds = copy->sources = NULL;
	rq->collection = copy;
	rq->collection_name = slice_of(copy->uuid);
}

/* Take what varies out of the path. A collection without any right for this client is as if it were not
 * there. */
static void
take_parts(struct taxii_request *rq)
{
	const struct catalog *c = rq->g->catalog;
	const struct taxii_route *r = rq->match.place;

	for (int i = 0; i < TAXII_PATH && r->path[i] != S_END; i++) {
		const struct collection_conf *col = NULL;
		struct slice have = rq->match.have[i];

		if (r->path[i] == S_OBJECT || r->path[i] == S_STATUS_ID || r->path[i] == S_FEED)
			rq->object_id = arena_slice(rq->mem, have);
		if (r->path[i] == S_FILE)
			rq->file = arena_slice(rq->mem, have);
		if (r->path[i] == S_COLLECTION)
			col = catalog_find_in(c, rq->match.root, have);
		else if (r->path[i] == S_FEED && taxii_families[r->family].resolve != NULL)
			col = taxii_families[r->family].resolve(rq, have);
		if (col != NULL && catalog_visible(c, col, &rq->reader))
			taxii_take_collection(rq, col);
	}
}

/* ---- the key of tokens ---- */

struct slice
taxii_next_key(struct taxii_request *rq)
{
	return slice_from(rq->server->next_key, sizeof(rq->server->next_key));
}

/* ---- decisions ---- */

static const char no_collection[] = "there is no such collection";

/* 0, or the status to refuse with. */
static int
check_rights(const struct taxii_request *rq)
{
	const struct catalog *c = rq->g->catalog;
	const struct collection_conf *col = rq->collection;
	enum taxii_right right = rq->match.route->right;
	bool read, write;

	if (right == NO_RIGHT || right == RIGHT_SEE)
		return 0;
	read = catalog_can_read(c, col, &rq->reader);
	write = catalog_can_write(c, col, &rq->reader);
	switch (right) {
	case RIGHT_READ:
		return read ? 0 : 403;
	case RIGHT_WRITE:
		return write ? 0 : 403;
	default:
		return read && write ? 0 : read || write ? 403 : 404;
	}
}

/* No row has this method: OPTIONS, or a refusal that says which there are. */
static void
answer_method(struct taxii_request *rq)
{
	const struct http_header h = { "Allow", rq->match.allow };
	struct strbuf empty = STRBUF_INIT;

	switch (rq->x->head->method) {
	case HTTP_OPTIONS:
		taxii_answer(rq, 200, &empty, &h, 1);
		break;
	case HTTP_OTHER:
		taxii_refuse_with(rq, 501, "unknown method", NULL, 0);
		break;
	default:
		taxii_refuse_with(rq, 405, "not here", &h, 1);
		break;
	}
}

/* Steps 3 to 6 of reference/taxii.md 6: true if the request may go on, otherwise it is answered. */
static bool
judge_request(struct taxii_request *rq)
{
	const struct taxii_match *m = &rq->match;
	int refused;

	if (m->place == NULL || (m->root != NULL &&
	    !catalog_root_visible(rq->g->catalog, m->root, &rq->reader))) {
		taxii_refuse(rq, 404, "there is nothing here");
		return false;
	}
	take_parts(rq);
	if (m->place->right != NO_RIGHT && rq->collection == NULL) {
		taxii_refuse(rq, 404, m->place->family == FAMILY_FEED ?
		    "there is no such feed, or none with that ending" : no_collection);
		return false;
	}
	if (m->route == NULL) {
		answer_method(rq);
		return false;
	}
	if (!m->acceptable) {
		taxii_refuse(rq, 406, taxii_families[m->family].speaks);
		return false;
	}
	refused = check_rights(rq);
	if (refused != 0)
		taxii_refuse(rq, refused, refused == 404 ? no_collection :
		    "this client may not do that here");
	return refused == 0;
}

static void
hold_files(struct taxii_request *rq)
{
	trust_free(rq->trust);
	config_free(rq->config);
	rq->trust = trust_hold(rq->g->trust);
	rq->config = config_hold(rq->g->config);
	rq->reader = (struct reader){ .name = "nobody" };
	rq->collection = NULL;
	taxii_match(rq->x->head, rq->config, NULL, &rq->match);
}

/* Are the files still those that everything so far was decided by? */
static bool
files_hold(const struct taxii_request *rq)
{
	return rq->trust == rq->g->trust && rq->config == rq->g->config;
}

static void	judge(struct taxii_request *rq, void (*then)(struct taxii_request *rq));

/* Step 2 is done: it is known who asks, or that nobody does. */
static void
on_known(void *arg, enum taxii_auth answer, const struct peer *peer, int64_t wait_us)
{
	struct taxii_request *rq = arg;

	if (rq->x == NULL || rq->answered) {
		;			/* gone meanwhile */
	} else if (!files_hold(rq)) {
		judge(rq, rq->then);
	} else if (answer == TAXII_AUTH_SLOW) {
		taxii_later(rq, 429, wait_us, "too many failed logins from this address");
	} else if (answer == TAXII_AUTH_BUSY) {
		taxii_later(rq, 503, wait_us, "too many logins at once; try again");
	} else if (answer == TAXII_AUTH_WHO) {
		taxii_refuse(rq, 401, "credentials are missing or wrong");
	} else {
		rq->reader.peer = peer;
		rq->reader.name = peer == NULL ? "public" : peer->name;
		rq->reader.test = answer == TAXII_AUTH_TEST;
		/* to some less is served */
		if (peer != NULL && (peer->no_taxii20 || peer->no_taxii11))
			taxii_match(rq->x->head, rq->config, peer, &rq->match);
		if (rq->reader.test && rq->x->head->method != HTTP_GET &&
		    rq->x->head->method != HTTP_HEAD)
			taxii_refuse(rq, 403, "a test only reads");
		else if (judge_request(rq))
			rq->then(rq);
	}
	taxii_let_go(rq);
}

/* Decide about the head by the files of this moment; `then` goes on, unless it is answered. */
static void
judge(struct taxii_request *rq, void (*then)(struct taxii_request *rq))
{
	hold_files(rq);
	rq->then = then;
	taxii_hold(rq);
	taxii_auth(rq->g, rq->x, rq->mem, on_known, rq);
}

/* After a wait: nothing if the client is gone; if config or trust were reloaded, what was decided about the
 * head does not hold any more. */
static void
go_on(struct taxii_request *rq, void (*then)(struct taxii_request *rq))
{
	if (rq->x == NULL || rq->answered)
		return;
	if (files_hold(rq))
		then(rq);
	else
		judge(rq, then);
}

static void
run(struct taxii_request *rq)
{
	rq->match.route->run(rq);
}

/* ---- the budget ---- */

/* Pages of everything that is stored, as small as real clients ask for them. */
static uint32_t
drain_pages(const struct gateway *g)
{
	struct store_epoch now;

	if (!store_epoch(g->store, &now) || now.members < 0)
		return 0;
	return now.members / PAGE_LEAST < BURST_MAX ? (uint32_t)(now.members / PAGE_LEAST) : BURST_MAX;
}

/* What trust.conf says of this client holds to the letter. What all get by default allows one drain
 * without a stop (C16), whichever of several workers it meets. */
static struct limit
limit_of(const struct taxii_request *rq)
{
	const struct gateway *g = rq->g;
	const struct peer *p = rq->reader.peer;
	struct limit limit = rq->config->limits.requests;
	uint32_t drain;

	if (p != NULL && p->limit_in.per_second > 0 && !rq->reader.test)
		return p->limit_in;
	drain = drain_pages(g) * (redis_state(g->redis) == REDIS_UP ? 1 : g->nworkers);
	if (limit.burst < drain)
		limit.burst = drain;
	return limit;
}

/* Which policy a client is above of. */
static const char *
words_of(struct taxii_request *rq)
{
	struct limit limit = limit_of(rq);
	double per_minute = limit.per_second * 60;

	return arena_fmt(rq->mem, "this client is above its rate of %.*f requests a minute, with bursts "
	    "of %u; the limit holds for all nodes that share it", per_minute < 1 ? 3 : 0, per_minute,
	    (unsigned)limit.burst);
}

/* The budget of this client is asked last, so that a refusal above costs it nothing. */
static void
on_budget(void *arg, struct limiter_answer a)
{
	struct taxii_request *rq = arg;

	if (!a.allowed) {
		stats_add(rq->g->stats, STAT_LIMITED, rq->reader.name, 1);
		taxii_later(rq, 429, a.wait_us, words_of(rq));
	} else {
		go_on(rq, run);
	}
	taxii_let_go(rq);
}

/* "in:NAME"; all tests share one. */
static struct slice
bucket_of(const struct taxii_request *rq)
{
	size_t n = strlen(rq->reader.name);
	char *p;

	if (rq->reader.test)
		return SLICE_LIT("test");
	p = arena_raw(rq->mem, n + 3);
	memcpy(p, "in:", 3);
	memcpy(p + 3, rq->reader.name, n);
	return slice_from(p, n + 3);
}

static void
take_budget(struct taxii_request *rq)
{
	taxii_hold(rq);
	limiter_take(rq->g->limiter, bucket_of(rq), limit_of(rq), 1, on_budget, rq);
}

/* ---- the handler ---- */

static void
on_head(struct http_exchange *x, void *arg)
{
	struct taxii_server *s = arg;
	struct arena *mem = arena_new();
	struct taxii_request *rq = arena_alloc(mem, sizeof(*rq));

	rq->server = s;
	rq->g = s->g;
	rq->pages = s->pages;
	rq->grounds = s->grounds;
	rq->x = x;
	rq->mem = mem;
	rq->holds = 2;			/* the exchange's, and ours for this call */
	x->user = rq;
	judge(rq, take_budget);
	taxii_let_go(rq);
}

static void
take_body(struct taxii_request *rq)
{
	rq->match.route->body(rq, rq->body);
}

static void
on_body_end(struct http_exchange *x, struct slice body, void *arg)
{
	struct taxii_request *rq = x->user;

	(void)arg;
	taxii_hold(rq);
	rq->body = body;
	go_on(rq, take_body);
	taxii_let_go(rq);
}

static void
forget(struct http_exchange *x)
{
	struct taxii_request *rq = x->user;

	if (rq == NULL)
		return;
	x->user = NULL;
	rq->x = NULL;
	taxii_let_go(rq);
}

static void
on_gone(struct http_exchange *x, void *arg)
{
	(void)arg;
	forget(x);
}

/* The path as the log may have it: the id of an observable can be guessed back to its value, and what a
 * client mistypes is content too. So only our own words stand there, and names of our collections. */
static struct slice
path_for_log(const struct taxii_server *s, const struct http_exchange *x)
{
	struct slice segments[TAXII_SEGMENTS], path = x->head == NULL ? SLICE_EMPTY : x->head->path;
	struct strbuf b = STRBUF_INIT;
	struct slice out;
	int n = taxii_split(path, segments);
	const struct root_conf *root = n < 1 ? NULL : config_root(s->g->config, segments[0]);

	for (int i = 0; i < n; i++) {
		const struct collection_conf *col = i != 2 || root == NULL ||
		    !slice_is(segments[1], "collections") ? NULL :
		    catalog_find_in(s->g->catalog, root, segments[i]);

		strbuf_addc(&b, '/');
		if (col != NULL)
			strbuf_adds(&b, col->name);
		else if (taxii_is_fixed(s->g->config, segments[i]) || (i == 1 &&
		    slice_is(segments[0], "feeds") && feeds_know(s->g->config, segments[i])))
			strbuf_addsl(&b, segments[i]);
		else
			strbuf_addc(&b, '*');
	}
	if (n < 0 || slice_ends(path, "/"))
		strbuf_adds(&b, n < 0 ? "*" : "/");
	out = arena_slice(x->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

static void
on_done(struct http_exchange *x, int status, uint64_t bytes_in, uint64_t bytes_out, bool ok,
    void *arg)
{
	struct taxii_server *s = arg;
	struct taxii_request *rq = x->user;
	const char word[4] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
	    (char)('0' + status % 10), '\0' };

	stats_add2(s->g->stats, STAT_HTTP, rq == NULL || rq->match.route == NULL ? "none" :
	    rq->match.route->word, word, 1);
	stats_time(s->g->stats, "request", clock_mono_us() - x->began_us);
	log_event(status >= 500 ? LOG_WARN : LOG_INFO, "http", LF_S("request", x->id),
	    LF_S("client", rq == NULL ? "" : rq->reader.name), LF_S("remote", x->remote),
	    LF_SL("method", x->head == NULL ? SLICE_EMPTY : x->head->method_text),
	    LF_SL("path", path_for_log(s, x)), LF_I("status", status),
	    LF_I("in", bytes_in), LF_I("out", bytes_out), LF_S("end", ok ? "sent" : "lost"),
	    LF_I("us", clock_mono_us() - x->began_us));
	if (rq != NULL)
		taxii_books_done(rq, status, bytes_out, ok);
	forget(x);
}

static void
on_secure(int64_t us, void *arg)
{
	struct taxii_server *s = arg;

	stats_time(s->g->stats, "handshake", us);
}

static const char *
error_body(const struct http_exchange *x, int status, const char *title, const char *detail,
    struct strbuf *out, void *arg)
{
	struct taxii_request *rq = x->user;

	(void)arg;
	if (rq != NULL)
		rq->why = detail == NULL ? title : arena_str(rq->mem, slice_of(detail));
	return taxii_families[rq == NULL ? FAMILY_TAXII21 : rq->match.family].error(out, status,
	    title, detail, x->id);
}

static size_t
error_headers(const struct http_exchange *x, struct http_header *out, void *arg)
{
	const struct taxii_request *rq = x->user;

	(void)arg;
	return rq != NULL && rq->match.family == FAMILY_TAXII11 ? taxii11_headers(x, out) : 0;
}

struct taxii_server *
taxii_server_new(struct gateway *g)
{
	struct taxii_server *s = xcalloc(1, sizeof(*s));

	s->g = g;
	s->pages = taxii_pages_new();
	s->grounds = taxii20_grounds_new();
	s->handler = (struct http_handler){
		.on_head = on_head, .on_body_end = on_body_end, .on_gone = on_gone,
		.on_done = on_done, .on_secure = on_secure, .error_body = error_body,
		.error_headers = error_headers, .arg = s,
	};
	digest_hmac_sha256(slice_from(g->keys->common, sizeof(g->keys->common)),
	    SLICE_LIT("taxii next key 1"), s->next_key);
	return s;
}

void
taxii_server_free(struct taxii_server *s)
{
	if (s == NULL)
		return;
	taxii20_grounds_free(s->grounds);
	taxii_pages_free(s->pages);
	free(s);
}

const struct http_handler *
taxii_server_handler(struct taxii_server *s)
{
	return &s->handler;
}
