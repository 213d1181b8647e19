#include "adapters/taxii_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/taxii_auth.h"
#include "adapters/taxii_media.h"
#include "adapters/taxii_pages.h"
#include "adapters/taxii_request.h"
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

enum { SEGMENTS_MAX = 8 };

struct taxii_server {
	struct gateway		*g;
	struct http_handler	 handler;
	struct taxii_pages	*pages;
	uint8_t			 next_key[SHA256_LEN];
};

/* ---- routes ---- */

/* What stands at a place in the path. */
enum segment { S_END, S_TAXII2, S_ROOT, S_COLLECTIONS, S_COLLECTION, S_OBJECTS, S_OBJECT, S_VERSIONS,
	S_MANIFEST, S_STATUS, S_STATUS_ID };

enum right { NO_RIGHT, RIGHT_SEE, RIGHT_READ, RIGHT_WRITE, RIGHT_BOTH };

struct taxii_route {
	enum segment	 path[6];
	enum http_method method;
	enum right	 right;
	const char	*word;		/* for figures and the log */
	void		(*run)(struct taxii_request *rq);
};

static const struct taxii_route routes[] = {
	{ { S_TAXII2 }, HTTP_GET, NO_RIGHT, "discovery", taxii_get_discovery },
	{ { S_ROOT }, HTTP_GET, NO_RIGHT, "root", taxii_get_root },
	{ { S_ROOT, S_STATUS, S_STATUS_ID }, HTTP_GET, NO_RIGHT, "status", taxii_get_status },
	{ { S_ROOT, S_COLLECTIONS }, HTTP_GET, NO_RIGHT, "collections", taxii_get_collections },
	{ { S_ROOT, S_COLLECTIONS, S_COLLECTION }, HTTP_GET, RIGHT_SEE, "collection",
	    taxii_get_collection },
	{ { S_ROOT, S_COLLECTIONS, S_COLLECTION, S_MANIFEST }, HTTP_GET, RIGHT_READ, "manifest",
	    taxii_get_manifest },
	{ { S_ROOT, S_COLLECTIONS, S_COLLECTION, S_OBJECTS }, HTTP_GET, RIGHT_READ, "objects",
	    taxii_get_objects },
	{ { S_ROOT, S_COLLECTIONS, S_COLLECTION, S_OBJECTS }, HTTP_POST, RIGHT_WRITE, "post",
	    taxii_post_head },
	{ { S_ROOT, S_COLLECTIONS, S_COLLECTION, S_OBJECTS, S_OBJECT }, HTTP_GET, RIGHT_READ,
	    "object", taxii_get_object },
	{ { S_ROOT, S_COLLECTIONS, S_COLLECTION, S_OBJECTS, S_OBJECT }, HTTP_DELETE, RIGHT_BOTH,
	    "delete", taxii_delete_object },
	{ { S_ROOT, S_COLLECTIONS, S_COLLECTION, S_OBJECTS, S_OBJECT, S_VERSIONS }, HTTP_GET,
	    RIGHT_READ, "versions", taxii_get_versions },
};
enum { ROUTES = sizeof(routes) / sizeof(*routes) };

static const char *const fixed_words[] = {
	[S_TAXII2] = "taxii2", [S_COLLECTIONS] = "collections", [S_OBJECTS] = "objects",
	[S_VERSIONS] = "versions", [S_MANIFEST] = "manifest", [S_STATUS] = "status",
	[S_STATUS_ID] = NULL,
};

/* The segments of a path; a trailing slash makes none. -1 if there are too many or one is empty. */
static int
split(struct slice path, struct slice out[SEGMENTS_MAX])
{
	int n = 0;

	slice_cut(&path, '/');
	while (path.n > 0) {
		if (n == SEGMENTS_MAX)
			return -1;
		out[n] = slice_cut(&path, '/');
		if (out[n++].n == 0)
			return -1;
	}
	return n;
}

static bool
segment_fits(const struct taxii_request *rq, enum segment want, struct slice have)
{
	switch (want) {
	case S_ROOT:
		return slice_is(have, rq->config->api_root);
	case S_COLLECTION:
	case S_OBJECT:
	case S_STATUS_ID:
		return true;
	default:
		return slice_is(have, fixed_words[want]);
	}
}

static bool
path_fits(const struct taxii_request *rq, const struct taxii_route *r, const struct slice *have,
    int n)
{
	int i;

	for (i = 0; i < 6 && r->path[i] != S_END; i++)
		if (i >= n || !segment_fits(rq, r->path[i], have[i]))
			return false;
	return i == n;
}

static const char *
copy_text(struct arena *mem, const char *s)
{
	return s == NULL ? NULL : arena_str(mem, slice_of(s));
}

/* A copy: a reload changes the catalog under a request that waits. The filter of a view is not for us. */
static void
take_collection(struct taxii_request *rq, const struct collection_conf *col)
{
	struct collection_conf *copy = arena_raw(rq->mem, sizeof(*copy));

	*copy = *col;
	copy->name = copy_text(rq->mem, col->name);
	copy->title = copy_text(rq->mem, col->title);
	copy->description = copy_text(rq->mem, col->description);
	copy->kinds = copy->sources = NULL;
	rq->collection = copy;
	rq->collection_name = slice_of(copy->uuid);
}

/* Take what varies out of the path. */
static void
take_parts(struct taxii_request *rq, const struct taxii_route *r, const struct slice *have)
{
	for (int i = 0; i < 6 && r->path[i] != S_END; i++) {
		const struct collection_conf *col;

		if (r->path[i] == S_OBJECT || r->path[i] == S_STATUS_ID)
			rq->object_id = arena_slice(rq->mem, have[i]);
		if (r->path[i] != S_COLLECTION)
			continue;
		col = catalog_find(rq->g->catalog, have[i]);
		if (col != NULL)
			take_collection(rq, col);
	}
}

/* The route of method and path. NULL: *allow lists the methods of this path, or is empty (404). */
static const struct taxii_route *
find_route(struct taxii_request *rq, char *allow, size_t cap)
{
	const struct http1_head *h = rq->x->head;
	enum http_method method = h->method == HTTP_HEAD ? HTTP_GET : h->method;
	struct slice have[SEGMENTS_MAX];
	int n = h->path_odd ? -1 : split(h->path, have);
	size_t len = 0;

	allow[0] = '\0';
	for (int i = 0; n >= 0 && i < ROUTES; i++) {
		if (!path_fits(rq, &routes[i], have, n))
			continue;
		if (len == 0)
			take_parts(rq, &routes[i], have);
		if (routes[i].method == method)
			return &routes[i];
		len += (size_t)snprintf(allow + len, cap - len, "%s%s", len > 0 ? ", " : "",
		    routes[i].method == HTTP_GET ? "GET, HEAD" :
		    routes[i].method == HTTP_POST ? "POST" : "DELETE");
	}
	if (len > 0)
		snprintf(allow + len, cap - len, ", OPTIONS");
	return NULL;
}

/* ---- requests ---- */

void
taxii_hold(struct taxii_request *rq)
{
	rq->holds++;
}

void
taxii_let_go(struct taxii_request *rq)
{
	if (--rq->holds > 0)
		return;
	trust_free(rq->trust);
	config_free(rq->config);
	arena_free(rq->mem);
}

struct slice
taxii_next_key(struct taxii_request *rq)
{
	return slice_from(rq->server->next_key, sizeof(rq->server->next_key));
}

void
taxii_answer(struct taxii_request *rq, int status, struct strbuf *body,
    const struct http_header *headers, size_t nheaders)
{
	struct http_answer a = {
		.status = status, .content_type = taxii_media_type, .headers = headers,
		.nheaders = nheaders, .take = body, .may_gzip = true,
	};

	if (rq->x != NULL && !rq->answered) {
		rq->answered = true;
		http_respond(rq->x, &a);
	}
	strbuf_fini(body);
}

static void
sent(void *arg)
{
	taxii_page_free(arg);
}

void
taxii_answer_page(struct taxii_request *rq, struct taxii_page *p, const struct http_header *headers,
    size_t nheaders)
{
	struct http_answer a = {
		.status = 200, .content_type = taxii_media_type, .headers = headers,
		.nheaders = nheaders, .body = strbuf_slice(&p->body), .may_gzip = true,
		.release = sent, .release_arg = p, .gzip = &p->gzip,
	};
	struct taxii_pages *pages = rq->pages;

	if (rq->x == NULL || rq->answered)
		return;
	rq->answered = true;
	taxii_page_hold(taxii_page_hold(p));
	http_respond(rq->x, &a);
	taxii_pages_weigh(pages, p);
	taxii_page_free(p);
}

void
taxii_refuse(struct taxii_request *rq, int status, const char *detail)
{
	static const struct http_header who = { "WWW-Authenticate",
	    "Basic realm=\"tocsin\", charset=\"UTF-8\"" };

	if (rq->x == NULL || rq->answered)
		return;
	rq->answered = true;
	http_refuse(rq->x, status, detail, status == 401 ? &who : NULL, status == 401);
}

void
taxii_later(struct taxii_request *rq, int status, int64_t wait_us, const char *detail)
{
	char seconds[24];
	struct http_header after = { "Retry-After", seconds };
	int64_t wait = (wait_us + 999999) / 1000000;

	if (rq->x == NULL || rq->answered)
		return;
	snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait < 1 ? 1 : wait));
	rq->answered = true;
	http_refuse(rq->x, status, detail, &after, 1);
}

/* ---- decisions ---- */

/* 0, or the status to refuse with. A collection without any right looks like one that is not there. */
static int
check_rights(const struct taxii_request *rq)
{
	const struct catalog *c = rq->g->catalog;
	const struct collection_conf *col = rq->collection;
	bool see, read, write;

	if (rq->route->right == NO_RIGHT)
		return 0;
	if (col == NULL)
		return 404;
	see = catalog_visible(c, col, &rq->reader);
	read = catalog_can_read(c, col, &rq->reader);
	write = catalog_can_write(c, col, &rq->reader);
	if (!see)
		return 404;
	switch (rq->route->right) {
	case RIGHT_READ:
		return read ? 0 : 403;
	case RIGHT_WRITE:
		return write ? 0 : 403;
	case RIGHT_BOTH:
		return read && write ? 0 : read || write ? 403 : 404;
	default:
		return 0;
	}
}

static void
answer_options(struct taxii_request *rq, const char *allow)
{
	struct http_header h = { "Allow", allow };
	struct strbuf empty = STRBUF_INIT;

	taxii_answer(rq, 200, &empty, &h, 1);
}

static void
refuse_method(struct taxii_request *rq, const char *allow)
{
	struct http_header h = { "Allow", allow };

	rq->answered = true;
	if (rq->x->head->method == HTTP_OTHER)
		http_refuse(rq->x, 501, "unknown method", NULL, 0);
	else
		http_refuse(rq->x, 405, "not here", &h, 1);
}

/* Is there such a path and method? Otherwise it is answered. */
static bool
judge_path(struct taxii_request *rq)
{
	enum http_method method = rq->x->head->method;
	char allow[64];

	rq->route = find_route(rq, allow, sizeof(allow));
	if (rq->route != NULL)
		return true;
	if (allow[0] == '\0' && method == HTTP_OTHER)
		taxii_refuse(rq, 501, "unknown method");
	else if (allow[0] == '\0')
		taxii_refuse(rq, 404, "there is nothing here");
	else if (method == HTTP_OPTIONS)
		answer_options(rq, allow);
	else
		refuse_method(rq, allow);
	return false;
}

/* Steps 3 to 6 of reference/taxii.md 6: true if the request may go on, otherwise it is answered. */
static bool
judge_request(struct taxii_request *rq)
{
	static const char no_collection[] = "there is no such collection";
	int refused;

	if (!judge_path(rq))
		return false;
	if (rq->route->right != NO_RIGHT && rq->collection == NULL) {
		taxii_refuse(rq, 404, no_collection);
		return false;
	}
	if (!taxii_accepts(rq->x->head)) {
		taxii_refuse(rq, 406, "this server speaks application/taxii+json;version=2.1");
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
		if (judge_request(rq))
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
	rq->route->run(rq);
}

/* The budget of this client is asked last, so that a refusal above costs it nothing. */
static void
on_budget(void *arg, struct limiter_answer a)
{
	struct taxii_request *rq = arg;

	if (!a.allowed) {
		stats_add(rq->g->stats, STAT_LIMITED, rq->reader.name, 1);
		taxii_later(rq, 429, a.wait_us,
		    "this client is above its rate; the limit holds for all nodes that share it");
	} else {
		go_on(rq, run);
	}
	taxii_let_go(rq);
}

/* "in:NAME" */
static struct slice
bucket_of(const struct taxii_request *rq)
{
	size_t n = strlen(rq->reader.name);
	char *p = arena_raw(rq->mem, n + 3);

	memcpy(p, "in:", 3);
	memcpy(p + 3, rq->reader.name, n);
	return slice_from(p, n + 3);
}

static void
take_budget(struct taxii_request *rq)
{
	const struct peer *p = rq->reader.peer;
	struct limit limit = rq->config->limits.requests;

	if (p != NULL && p->limit_in.per_second > 0)
		limit = p->limit_in;
	taxii_hold(rq);
	limiter_take(rq->g->limiter, bucket_of(rq), limit, 1, on_budget, rq);
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
	taxii_post_body(rq, rq->body);
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

/* True if a segment says something about our paths, not about what lies there. */
static bool
is_fixed(const struct config *conf, struct slice segment)
{
	for (size_t i = 0; i < sizeof(fixed_words) / sizeof(*fixed_words); i++)
		if (fixed_words[i] != NULL && slice_is(segment, fixed_words[i]))
			return true;
	return slice_is(segment, conf->api_root);
}

/* The path as the log may have it: the id of an observable can be guessed back to its value, and what a
 * client mistypes is content too. So only our own words stand there, and names of our collections. */
static struct slice
path_for_log(const struct taxii_server *s, const struct http_exchange *x)
{
	struct slice segments[SEGMENTS_MAX], path = x->head == NULL ? SLICE_EMPTY : x->head->path;
	struct strbuf b = STRBUF_INIT;
	struct slice out;
	int n = split(path, segments);

	for (int i = 0; i < n; i++) {
		const struct collection_conf *col = i == 0 ||
		    !slice_is(segments[i - 1], "collections") ? NULL :
		    catalog_find(s->g->catalog, segments[i]);

		strbuf_addc(&b, '/');
		if (col != NULL)
			strbuf_adds(&b, col->name);
		else if (is_fixed(s->g->config, segments[i]))
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
	const struct taxii_request *rq = x->user;
	const char word[4] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
	    (char)('0' + status % 10), '\0' };

	stats_add2(s->g->stats, STAT_HTTP, rq == NULL || rq->route == NULL ? "none" :
	    rq->route->word, word, 1);
	stats_time(s->g->stats, "request", clock_mono_us() - x->began_us);
	log_event(status >= 500 ? LOG_WARN : LOG_INFO, "http", LF_S("request", x->id),
	    LF_S("client", rq == NULL ? "" : rq->reader.name), LF_S("remote", x->remote),
	    LF_SL("method", x->head == NULL ? SLICE_EMPTY : x->head->method_text),
	    LF_SL("path", path_for_log(s, x)), LF_I("status", status),
	    LF_I("in", bytes_in), LF_I("out", bytes_out), LF_S("end", ok ? "sent" : "lost"),
	    LF_I("us", clock_mono_us() - x->began_us));
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
	(void)arg;
	taxii_write_error(out, status, title, detail, x->id);
	return taxii_media_type;
}

struct taxii_server *
taxii_server_new(struct gateway *g)
{
	struct taxii_server *s = xcalloc(1, sizeof(*s));

	s->g = g;
	s->pages = taxii_pages_new();
	s->handler = (struct http_handler){
		.on_head = on_head, .on_body_end = on_body_end, .on_gone = on_gone,
		.on_done = on_done, .on_secure = on_secure, .error_body = error_body, .arg = s,
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
	taxii_pages_free(s->pages);
	free(s);
}

const struct http_handler *
taxii_server_handler(struct taxii_server *s)
{
	return &s->handler;
}
