#include "adapters/taxii_client.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/http_client.h"
#include "adapters/taxii_ask.h"
#include "adapters/taxii_refuse.h"
#include "adapters/taxii_resources.h"
#include "adapters/taxii_url.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { LOGIN_HEADERS = 2 };

/* One request, until its callback. */
struct step {
	enum taxii_kind		 kind;
	taxii_cb		*cb;
	void			*arg;
	struct arena		*mem;
	struct http_call	*call;
	struct taxii_ask	 ask;		/* pages; kinds are the caller's until the callback */
	const char		*what;		/* status: its id; collection: the one that is asked for */
	struct strbuf		 body;
	const char		*request;
	bool			 led_on;	/* what we took for the root was discovery */
	struct taxii_failure	 failure;
	struct taxii_answer	 answer;
};

struct taxii_client {
	struct http_client	*http;
	struct taxii_url	 url;
	enum taxii_version	 first, version;	/* configured; spoken now */
	char			*name, *wanted, *authorization, *header, *header_value;
	char			 root[512];
	uint64_t		 max_content;
	struct taxii_collection	 chosen;		/* id NULL: not found yet; heap texts */
	struct step		*step;			/* under way */
	struct event		*later;			/* answers that need no request */
	taxii_cb		*find_cb;
	void			*find_arg;
};

/* ---- words ---- */

static const enum taxii_step steps_of[ASK_KINDS] = {
	[ASK_DISCOVERY] = TAXII_STEP_DISCOVERY, [ASK_ROOT] = TAXII_STEP_ROOT,
	[ASK_COLLECTIONS] = TAXII_STEP_COLLECTION, [ASK_COLLECTION] = TAXII_STEP_COLLECTION,
	[ASK_PAGE] = TAXII_STEP_PAGE, [ASK_POST] = TAXII_STEP_POST, [ASK_STATUS] = TAXII_STEP_STATUS,
};

const char *
taxii_step_word(enum taxii_step step)
{
	static const char *const words[TAXII_STEPS] = {
		"name", "tcp", "proxy", "tls", "send", "answer", "http", "busy", "version", "auth",
		"rights", "discovery", "root", "collection", "page", "post", "status",
	};

	return words[step];
}

/* ---- the end of a step ---- */

static void
step_free(struct step *s)
{
	if (s == NULL)
		return;
	if (s->call != NULL)
		http_client_cancel(s->call);
	strbuf_fini(&s->body);
	arena_free(s->mem);
}

/* Tell whoever asked; the client may be gone afterwards. */
static void
deliver(struct taxii_client *c)
{
	struct step *s = c->step;

	c->step = NULL;
	s->answer.version = c->version;
	if (s->answer.failure != NULL && s->kind <= ASK_COLLECTION)
		taxii_client_lose(c);
	s->cb(s->arg, &s->answer);
	step_free(s);
}

static void
refuse(struct taxii_client *c, enum taxii_step step, const struct http_reply *r, const char *why)
{
	struct step *s = c->step;

	taxii_refuse_words(&s->failure, step, r->status, "%s", why);
	s->answer.failure = &s->failure;
	deliver(c);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	deliver(arg);
}

static void
deliver_later(struct taxii_client *c)
{
	event_active(c->later, EV_TIMEOUT, 1);
}

/* ---- asking ---- */

static void	on_reply(const struct http_reply *r, void *arg);

static size_t
add_login(const struct taxii_client *c, struct http_header *out)
{
	size_t n = 0;

	if (c->authorization != NULL)
		out[n++] = (struct http_header){ "Authorization", c->authorization };
	if (c->header != NULL)
		out[n++] = (struct http_header){ c->header, c->header_value };
	return n;
}

/* Send the step at hand, as it is to be said now. */
static void
send_step(struct taxii_client *c)
{
	struct step *s = c->step;
	const struct taxii_question q = {
		.kind = s->kind, .version = c->version, .discovery = c->url.discovery,
		.root = c->root, .collection = c->chosen.id, .what = s->what, .page = &s->ask,
	};
	struct http_header headers[TAXII_ASK_HEADERS + LOGIN_HEADERS + 1];
	struct strbuf target = STRBUF_INIT;
	char range[TAXII_RANGE_TEXT];
	struct http_request rq = {
		.method = s->kind == ASK_POST ? "POST" : "GET", .headers = headers,
		.take = s->kind == ASK_POST ? &s->body : NULL,
		.repeatable = true,	/* id and version make a second copy harmless */
	};
	struct err e = ERR_INIT;

	taxii_ask_target(&target, &q);
	rq.target = target.p;
	rq.nheaders = taxii_ask_headers(&q, range, headers);
	rq.nheaders += add_login(c, headers + rq.nheaders);
	if (s->request != NULL && s->request[0] != '\0')
		headers[rq.nheaders++] = (struct http_header){ "X-Request-Id", s->request };
	s->answer.asked = true;
	s->call = http_client_send(c->http, &rq, on_reply, c, &e);
	strbuf_fini(&target);
	if (s->call != NULL)
		return;
	taxii_refuse_words(&s->failure, TAXII_STEP_SEND, 0, "%s", e.reason);
	s->answer.failure = &s->failure;
	deliver_later(c);
}

static struct step *
begin(struct taxii_client *c, enum taxii_kind kind, taxii_cb *cb, void *arg)
{
	struct arena *mem = arena_new();
	struct step *s = arena_alloc(mem, sizeof(*s));

	s->kind = kind;
	s->cb = cb;
	s->arg = arg;
	s->mem = mem;
	s->answer.address = "";
	strbuf_init(&s->body);
	step_free(c->step);		/* a caller's mistake, but no leak */
	c->step = s;
	return s;
}

/* ---- the answers ---- */

/* Speak 2.0 from now on, if it may be: the same step again. */
static bool
fall_back(struct taxii_client *c)
{
	if (c->version == TAXII_20 || c->step->kind == ASK_POST || c->step->kind == ASK_STATUS)
		return false;
	c->version = TAXII_20;
	c->step->ask.first_item = 0;
	if (strcmp(c->url.discovery, taxii_ask_discovery(TAXII_21)) == 0)
		c->url.discovery[0] = '\0';
	send_step(c);
	return true;
}

static void
take_root(struct taxii_client *c, const struct http_reply *r, const struct taxii_discovery *d)
{
	struct step *s = c->step;
	const char **roots = arena_alloc(s->mem, (d->nroots + 1) * sizeof(*roots));
	char path[sizeof(c->root)];
	size_t n = 0;

	for (size_t i = 0; i < d->nroots; i++)
		if (taxii_url_root(&c->url, d->roots[i], path, sizeof(path)))
			roots[n++] = arena_str(s->mem, slice_of(path));
	if (d->first.n == 0) {
		refuse(c, TAXII_STEP_DISCOVERY, r, n == 0 ? "discovery lists only roots on other "
		    "hosts: write the one that is meant as url" : arena_fmt(s->mem, "discovery lists "
		    "%zu API roots and no default: write one of them as url (%s, %s, ...)", n, roots[0],
		    n > 1 ? roots[1] : ""));
		return;
	}
	if (!taxii_url_root(&c->url, d->first, c->root, sizeof(c->root))) {
		refuse(c, TAXII_STEP_DISCOVERY, r, arena_fmt(s->mem, "discovery sends us to '%.*s', which "
		    "is no path on this server: write it as url if it is right",
		    SLICE_ARG(d->first.n > 200 ? slice_from(d->first.p, 200) : d->first)));
		return;
	}
	if (s->kind == ASK_ROOT) {		/* found where the root should have been: now the root */
		s->led_on = true;
		send_step(c);
		return;
	}
	s->answer.title = d->title;
	s->answer.roots = roots;
	s->answer.root = c->root;
	deliver(c);
}

static void
got_discovery(struct taxii_client *c, const struct http_reply *r)
{
	struct taxii_discovery d;
	struct err e = ERR_INIT;

	if (taxii_read_discovery(r->body, c->step->mem, &d, &e) < 0)
		refuse(c, TAXII_STEP_DISCOVERY, r, e.reason);
	else
		take_root(c, r, &d);
}

static void
got_root(struct taxii_client *c, const struct http_reply *r)
{
	struct step *s = c->step;
	struct taxii_root root;
	struct err e = ERR_INIT;

	if (taxii_read_root(r->body, s->mem, &root, &e) < 0) {
		refuse(c, TAXII_STEP_ROOT, r, e.reason);
		return;
	}
	if (root.is_discovery && !s->led_on) {
		got_discovery(c, r);
		return;
	}
	if (root.has_20 && !root.has_21)
		c->version = TAXII_20;
	c->max_content = root.max_content;
	s->answer.title = root.title;
	s->answer.max_content = root.max_content;
	deliver(c);
}

static void
forget_chosen(struct taxii_client *c)
{
	free((void *)(uintptr_t)c->chosen.id);
	free((void *)(uintptr_t)c->chosen.title);
	c->chosen = (struct taxii_collection){ .id = NULL };
}

static void
keep_chosen(struct taxii_client *c, const struct taxii_collection *from)
{
	forget_chosen(c);
	c->chosen = (struct taxii_collection){
		.id = xstrdup(from->id), .title = xstrdup(from->title), .alias = "", .description = "",
		.can_read = from->can_read, .can_write = from->can_write,
	};
}

/* A collection that is not listed may be there for who knows its id. */
static bool
ask_for_one(struct taxii_client *c)
{
	if (c->step->kind != ASK_COLLECTIONS || c->wanted == NULL)
		return false;
	c->step->kind = ASK_COLLECTION;
	c->step->what = c->wanted;
	send_step(c);
	return true;
}

static void
got_collections(struct taxii_client *c, const struct http_reply *r)
{
	struct step *s = c->step;
	struct taxii_answer *a = &s->answer;
	struct err e = ERR_INIT;

	if (s->kind == ASK_COLLECTION) {		/* the only one there is, to us */
		if (taxii_read_collections(r->body, s->mem, &a->collections, &a->ncollections, &e) < 0 ||
		    a->ncollections != 1) {
			refuse(c, TAXII_STEP_COLLECTION, r, "there is no such collection");
			return;
		}
		a->chosen = a->collections;
	} else if (taxii_read_collections(r->body, s->mem, &a->collections, &a->ncollections, &e) < 0) {
		refuse(c, TAXII_STEP_COLLECTION, r, e.reason);
		return;
	} else {
		a->chosen = taxii_choose(a->collections, a->ncollections, c->wanted, &e);
	}
	if (a->chosen != NULL) {
		keep_chosen(c, a->chosen);
		deliver(c);
		return;
	}
	taxii_refuse_words(&s->failure, TAXII_STEP_COLLECTION, r->status, "%s", e.reason);
	if (!ask_for_one(c)) {
		a->failure = &s->failure;
		deliver(c);
	}
}

static void
got_page(struct taxii_client *c, const struct http_reply *r)
{
	struct step *s = c->step;
	struct taxii_page *page = arena_alloc(s->mem, sizeof(*page));
	struct err e = ERR_INIT;

	if (r->status == 204 || r->status == 416)
		*page = (struct taxii_page){ .body = SLICE_EMPTY, .list = SLICE_EMPTY, .next_item = -1 };
	else if (taxii_look_page(r->body, s->mem, page, &e) < 0) {
		refuse(c, TAXII_STEP_PAGE, r, e.reason);
		return;
	}
	taxii_look_headers(r->head, c->version, page);
	s->answer.page = page;
	deliver(c);
}

static void
got_status(struct taxii_client *c, const struct http_reply *r)
{
	struct step *s = c->step;
	struct taxii_status *status = arena_alloc(s->mem, sizeof(*status));
	struct err e = ERR_INIT;

	if (taxii_read_status(r->body, s->mem, status, &e) < 0) {
		refuse(c, TAXII_STEP_STATUS, r, e.reason);
		return;
	}
	s->answer.status = status;
	deliver(c);
}

typedef void	got_fn(struct taxii_client *c, const struct http_reply *r);
static got_fn *const got[ASK_KINDS] = {
	[ASK_DISCOVERY] = got_discovery, [ASK_ROOT] = got_root, [ASK_COLLECTIONS] = got_collections,
	[ASK_COLLECTION] = got_collections, [ASK_PAGE] = got_page, [ASK_POST] = got_status,
	[ASK_STATUS] = got_status,
};

/* Statuses that are no success and yet tell us something. */
static bool
is_answer(const struct step *s, int status)
{
	if (status >= 200 && status < 300)
		return true;
	return s->kind == ASK_PAGE && status == 416;
}

/* May 2.0 be what this server speaks? Some have nothing at /taxii2/. */
static bool
may_be_20(const struct taxii_client *c, int status)
{
	if (status == 406 || status == 415)
		return true;
	return c->step->kind == ASK_DISCOVERY && c->url.discovery[0] == '\0' && status == 404;
}

static void
on_reply(const struct http_reply *r, void *arg)
{
	struct taxii_client *c = arg;
	struct step *s = c->step;

	s->call = NULL;
	s->answer.took_us = r->took_us;
	s->answer.address = r->address;
	s->answer.date_us = r->status == 0 ? 0 : taxii_read_date(http1_field(r->head, "date"));
	if (r->status != 0 && is_answer(s, r->status)) {
		got[s->kind](c, r);
		return;
	}
	if (may_be_20(c, r->status) && fall_back(c))
		return;
	if (s->kind == ASK_COLLECTION && s->failure.words[0] != '\0') {
		s->answer.failure = &s->failure;	/* the list has said more than this 404 */
		deliver(c);
		return;
	}
	taxii_refuse_reply(&s->failure, r, steps_of[s->kind], c->name, c->version, s->mem);
	if ((r->status == 403 || r->status == 404) && ask_for_one(c))
		return;
	if (s->kind == ASK_DISCOVERY && r->status == 404)
		taxii_refuse_words(&s->failure, TAXII_STEP_DISCOVERY, 404, "HTTP 404: no discovery there: "
		    "write the address of the API root as url");
	s->answer.failure = &s->failure;
	deliver(c);
}

/* ---- steps ---- */

void
taxii_client_discover(struct taxii_client *c, taxii_cb *cb, void *arg)
{
	struct step *s = begin(c, ASK_DISCOVERY, cb, arg);

	if (c->url.root[0] == '\0') {
		send_step(c);
		return;
	}
	snprintf(c->root, sizeof(c->root), "%s", c->url.root);
	s->answer.title = "";
	s->answer.root = c->root;
	deliver_later(c);
}

void
taxii_client_root(struct taxii_client *c, taxii_cb *cb, void *arg)
{
	begin(c, ASK_ROOT, cb, arg);
	send_step(c);
}

void
taxii_client_collections(struct taxii_client *c, taxii_cb *cb, void *arg)
{
	begin(c, ASK_COLLECTIONS, cb, arg);
	send_step(c);
}

void
taxii_client_page(struct taxii_client *c, const struct taxii_ask *ask, taxii_cb *cb, void *arg)
{
	struct step *s = begin(c, ASK_PAGE, cb, arg);

	s->ask = *ask;
	s->ask.added_after = ask->added_after == NULL ? NULL :
	    arena_str(s->mem, slice_of(ask->added_after));
	s->ask.next = ask->next == NULL ? NULL : arena_str(s->mem, slice_of(ask->next));
	send_step(c);
}

void
taxii_client_post(struct taxii_client *c, struct strbuf *body, const char *request, taxii_cb *cb,
    void *arg)
{
	struct step *s = begin(c, ASK_POST, cb, arg);

	s->body = *body;
	strbuf_init(body);
	s->request = request == NULL ? NULL : arena_str(s->mem, slice_of(request));
	send_step(c);
}

void
taxii_client_status(struct taxii_client *c, const char *id, taxii_cb *cb, void *arg)
{
	struct step *s = begin(c, ASK_STATUS, cb, arg);

	s->what = arena_str(s->mem, slice_of(id));
	send_step(c);
}

/* ---- all of the way ---- */

static void
on_found(void *arg, const struct taxii_answer *a)
{
	struct taxii_client *c = arg;

	if (a->failure != NULL || a->chosen != NULL)
		c->find_cb(c->find_arg, a);
	else if (a->root != NULL)
		taxii_client_root(c, on_found, c);
	else
		taxii_client_collections(c, on_found, c);
}

void
taxii_client_find(struct taxii_client *c, taxii_cb *cb, void *arg)
{
	if (c->chosen.id != NULL) {
		begin(c, ASK_COLLECTIONS, cb, arg)->answer.chosen = &c->chosen;
		deliver_later(c);
		return;
	}
	c->find_cb = cb;
	c->find_arg = arg;
	taxii_client_discover(c, on_found, c);
}

void
taxii_client_lose(struct taxii_client *c)
{
	forget_chosen(c);
	c->max_content = 0;
	if (c->step == NULL)
		c->version = c->url.is_20 ? TAXII_20 : c->first;
}

/* ---- bodies ---- */

void
taxii_client_open_body(const struct taxii_client *c, struct strbuf *out)
{
	taxii_ask_open_body(c->version, out);
}

void
taxii_client_close_body(const struct taxii_client *c, struct strbuf *out)
{
	(void)c;
	strbuf_adds(out, "]}");
}

/* ---- life ---- */

static char *
copy(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

struct taxii_client *
taxii_client_new(const struct taxii_client_conf *conf, struct err *e)
{
	struct taxii_client *c = xcalloc(1, sizeof(*c));

	if (taxii_url_parse(conf->url, &c->url, e) < 0) {
		free(c);
		return NULL;
	}
	c->http = conf->http;
	c->first = conf->version;
	c->version = c->url.is_20 ? TAXII_20 : conf->version;
	c->name = xstrdup(conf->name);
	c->wanted = copy(conf->collection != NULL ? conf->collection :
	    c->url.collection[0] != '\0' ? c->url.collection : NULL);
	c->authorization = copy(conf->authorization);
	c->header = copy(conf->header);
	c->header_value = copy(conf->header_value);
	snprintf(c->root, sizeof(c->root), "%s", c->url.root);
	c->later = evtimer_new(http_client_base(c->http), on_later, c);
	return c;
}

static void
wipe(char *secret)
{
	if (secret != NULL)
		secret_wipe(secret, strlen(secret));
	free(secret);
}

void
taxii_client_free(struct taxii_client *c)
{
	if (c == NULL)
		return;
	step_free(c->step);
	event_free(c->later);
	http_client_free(c->http);
	forget_chosen(c);
	free(c->name);
	free(c->wanted);
	wipe(c->authorization);
	wipe(c->header_value);
	free(c->header);
	free(c);
}

struct http_client *
taxii_client_http(struct taxii_client *c)
{
	return c->http;
}

enum taxii_version
taxii_client_version(const struct taxii_client *c)
{
	return c->version;
}

uint64_t
taxii_client_max_content(const struct taxii_client *c)
{
	return c->max_content;
}
