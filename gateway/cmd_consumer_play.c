#include "gateway/cmd_consumer_play.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/http_client.h"
#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_consumer_card.h"

enum {
	PAGES_MAX = 20, SEEN_MAX = 2000, COLLECTIONS_MAX = 32, TYPES_MAX = 12, WORDS = 512,
	DEFAULT_PAGE = 100
};
static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";
static const char taxii21[] = "application/taxii+json";

/* An answer, copied. */
struct reply {
	int		 status;
	struct slice	 body, type, first, last, etag;
	const char	*error;		/* status 0: why */
	json		*root;		/* of the body; NULL: it is no JSON */
};

struct play {
	const struct play_conf	*conf;
	const struct product	*p;
	struct arena		*mem;
	struct event_base	*base;
	struct http_client	*client;
	const char		*login;		/* value of Authorization */
	const char		*host, *url;	/* of the certificate; as clients are told */
	const char		*root;		/* of the collection that is meant, else the first */
	struct reply		 reply;
	bool			 answered;
	enum play_state		 worst;
	/* collections to be read */
	struct found { const char *id, *title; bool write; } found[COLLECTIONS_MAX];
	size_t			 nfound;
};

/* ---- telling ---- */

static bool	tell(struct play *t, const char *step, enum play_state state, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));

/* False if the walk ends here. */
static bool
tell(struct play *t, const char *step, enum play_state state, const char *fmt, ...)
{
	char words[WORDS];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	t->conf->tell(t->conf->ctx, step, state, words);
	if (state > t->worst)
		t->worst = state;
	return state != PLAY_FAILED;
}

/* ---- asking ---- */

static void
on_reply(const struct http_reply *r, void *arg)
{
	struct play *t = arg;
	struct reply *x = &t->reply;
	struct json_doc doc;

	memset(x, 0, sizeof(*x));
	t->answered = true;
	x->status = r->status;
	if (r->status == 0) {
		x->error = arena_str(t->mem, slice_of(r->err->reason));
		return;
	}
	x->body = arena_slice(t->mem, r->body);
	x->type = arena_slice(t->mem, http1_field(r->head, "content-type"));
	x->first = arena_slice(t->mem, http1_field(r->head, "x-taxii-date-added-first"));
	x->last = arena_slice(t->mem, http1_field(r->head, "x-taxii-date-added-last"));
	x->etag = arena_slice(t->mem, http1_field(r->head, "etag"));
	if (x->body.n > 0 && json_parse(x->body, NULL, t->mem, &doc, NULL) == 0)
		x->root = doc.root;
}

/* One GET; t->reply has the answer. */
static void
get(struct play *t, const char *target, const char *etag)
{
	const struct http_header headers[] = {
		{ "Authorization", t->login }, { "Accept", t->p->accept },
		{ "User-Agent", NULL }, { "If-None-Match", etag },
	};
	const struct http_request rq = { .method = "GET", .target = target, .headers = headers,
		.nheaders = COUNTOF(headers), .repeatable = true };
	struct err e = ERR_INIT;

	t->answered = false;
	t->reply = (struct reply){ .error = "" };
	if (http_client_send(t->client, &rq, on_reply, t, &e) == NULL) {
		t->reply.error = arena_str(t->mem, slice_of(e.reason));
		return;
	}
	while (!t->answered)
		event_base_loop(t->base, EVLOOP_ONCE);
}

/* What went wrong, with the words of the answer. */
static bool
refused(struct play *t, const char *step, const char *target)
{
	struct slice why = json_member(t->reply.root, "description");

	if (t->reply.status == 0)
		return tell(t, step, PLAY_FAILED, "%s: %s", target, t->reply.error);
	if (why.n == 0)
		why = json_member(t->reply.root, "title");
	return tell(t, step, PLAY_FAILED, "%s: %d %.*s", target, t->reply.status, SLICE_ARG(why));
}

static bool
has_version(struct slice type, const char *version)
{
	return type.n > 0 && memmem(type.p, type.n, taxii21, sizeof(taxii21) - 1) != NULL &&
	    memmem(type.p, type.n, version, strlen(version)) != NULL;
}

/* A TAXII resource that is as it should be; else it is told. */
static bool
resource(struct play *t, const char *step, const char *target)
{
	get(t, target, NULL);
	if (t->reply.status != 200)
		return refused(t, step, target);
	if (!has_version(t->reply.type, "version=2.1"))
		return tell(t, step, PLAY_FAILED, "%s: the answer is %.*s; clients want version=2.1 in it",
		    target, SLICE_ARG(t->reply.type));
	if (t->reply.root == NULL)
		return tell(t, step, PLAY_FAILED, "%s: the answer is no JSON", target);
	return true;
}

/* ---- the connection ---- */

static struct slice
without_scheme(const char *url)
{
	struct slice s = slice_of(url);

	return slice_starts(s, "https://") ? slice_from(s.p + 8, s.n - 8) : s;
}

/* "host:port" or "[v6]:port"; a port of 0 if it says none. */
static void
split_host(struct arena *mem, struct slice s, const char **host, uint16_t *port)
{
	struct slice name = slice_cut(&s, '/'), left = name;
	unsigned long long n;

	*port = 0;
	while (left.n > 0 && left.p[left.n - 1] != ':' && left.p[left.n - 1] != ']')
		left.n--;
	if (left.n > 1 && left.p[left.n - 1] == ':' &&
	    slice_u64(slice_from(left.p + left.n, name.n - left.n), &n) && n <= UINT16_MAX) {
		*port = (uint16_t)n;
		name = slice_from(left.p, left.n - 1);
	}
	if (name.n > 1 && name.p[0] == '[')
		name = slice_from(name.p + 1, name.n - 2);
	*host = arena_str(mem, name);
}

/* Connect where the node listens, and expect the name that clients are told. */
static bool
connect_to_node(struct play *t)
{
	const struct config *conf = t->conf->conf;
	const char *ca = card_ca(t->mem, conf), *address;
	struct http_client_conf hc = { .max_queue = 1 };
	struct tls_client_conf tc = { .ca = ca != NULL ? ca : system_ca };
	struct err e = ERR_INIT;
	uint16_t port;

	t->url = card_base(t->mem, conf);
	split_host(t->mem, without_scheme(t->url), &t->host, &port);
	if (conf->nlistens == 0)
		return tell(t, "connect", PLAY_FAILED, "tocsin.conf has no listen line");
	split_host(t->mem, slice_of(conf->listens[0].address), &address, &hc.port);
	if (strcmp(address, "0.0.0.0") == 0)
		address = "127.0.0.1";
	else if (strcmp(address, "::") == 0)
		address = "::1";
	hc.host = address;
	hc.name = t->host;
	if ((hc.tls = tls_client_new(&tc, &e)) == NULL)
		return tell(t, "connect", PLAY_FAILED, "%s: %s", tc.ca, e.reason);
	t->client = http_client_new(t->base, &hc);
	tls_free(hc.tls);
	get(t, "/taxii2/", NULL);
	if (t->reply.status == 0)
		return tell(t, "connect", PLAY_FAILED, "%s port %u, as %s: %s", address, hc.port,
		    t->host, t->reply.error);
	return tell(t, "connect", PLAY_OK, "%s port %u over TLS, the certificate is good for %s "
	    "(checked with %s)", address, hc.port, t->host, tc.ca);
}

/* ---- what products ask before they poll ---- */

static bool
discover(struct play *t)
{
	const json *roots;
	struct slice first;
	const char *mine = arena_fmt(t->mem, "%s/%s/", t->url, t->root);
	bool listed = false, mine_listed = false;

	if (!resource(t, "discovery", "/taxii2/"))
		return false;
	roots = json_get(t->reply.root, "api_roots");
	first = json_member(t->reply.root, "default");
	for (const json *x = json_first(roots); x != NULL; x = json_next(x)) {
		listed = listed || slice_eq(json_slice(x), first);
		mine_listed = mine_listed || slice_is(json_slice(x), mine);
	}
	if (!mine_listed)
		return tell(t, "discovery", PLAY_FAILED, "api_roots has no %s: is `url` in tocsin.conf "
		    "the address that clients use?", mine);
	if (first.n > 0 && !listed)
		return tell(t, "discovery", PLAY_FAILED, "`default` is none of api_roots");
	return tell(t, "discovery", PLAY_OK, "%zu API root%s, among them %s", json_count(roots),
	    json_count(roots) == 1 ? "" : "s", mine);
}

static bool
is_meant(const struct play *t, const json *x)
{
	const char *want = t->conf->collection;
	const struct collection_conf *col = want == NULL ? NULL :
	    config_collection(t->conf->conf, slice_of(want));

	return want == NULL || slice_is(json_member(x, "id"), want) ||
	    slice_is(json_member(x, "alias"), want) || (col != NULL &&
	    (slice_is(json_member(x, "title"), col->title == NULL ? col->name : col->title) ||
	    (col->id != NULL && slice_is(json_member(x, "id"), col->id))));
}

static bool
list_collections(struct play *t)
{
	const char *target = arena_fmt(t->mem, "/%s/collections/", t->root);
	const char *right = t->p->walk == WALK_PUSH ? "can_write" : "can_read";
	size_t all = 0;

	if (!resource(t, "collections", target))
		return false;
	for (const json *x = json_first(json_get(t->reply.root, "collections")); x != NULL;
	    x = json_next(x)) {
		all++;
		if (!is_meant(t, x) || t->nfound == COLLECTIONS_MAX)
			continue;
		if (json_bool(json_get(x, right)))
			t->found[t->nfound++] = (struct found){
			    arena_str(t->mem, json_member(x, "id")),
			    arena_str(t->mem, json_member(x, "title")),
			    json_bool(json_get(x, "can_write")) };
	}
	if (t->nfound == 0)
		return tell(t, "collections", PLAY_FAILED, "of %zu collections that are shown, none that "
		    "is meant has %s: true; the section in trust.conf needs a `%s` line", all, right,
		    t->p->walk == WALK_PUSH ? "write" : "read");
	return tell(t, "collections", PLAY_OK, "%zu shown, %zu to be tried%s", all, t->nfound,
	    t->p->by_title ? " (it looks for them by title)" : "");
}

/* ---- pages ---- */

/* One way through a collection. */
struct walk {
	struct play		*t;
	const struct found	*c;
	size_t			 pages, objects;
	struct { struct slice word; size_t n; } types[TYPES_MAX];
	size_t			 ntypes;
	struct slice		 modified, last;	/* newest modified; last date of the walk */
	json			*seen;			/* "id version": true */
	const char		*next;			/* NULL: that was all */
};

static const char *
escaped(struct arena *mem, struct slice s)
{
	const char *out = "";

	for (size_t i = 0; i < s.n; i++)
		out = arena_fmt(mem, strchr("+&%#? :", s.p[i]) != NULL ? "%s%%%02X" : "%s%c", out,
		    (unsigned char)s.p[i]);
	return out;
}

static const char *
objects_target(const struct play *t, const struct found *c)
{
	return arena_fmt(t->mem, "/%s/collections/%s/objects/", t->root, c->id);
}

/* The address of the next page, as this product asks for it. */
static const char *
page_target(const struct walk *w)
{
	const struct play *t = w->t;
	unsigned limit = t->p->page > 0 ? t->p->page : DEFAULT_PAGE;
	const char *target = arena_fmt(t->mem, "%s?limit=%u", objects_target(t, w->c), limit);

	if (t->p->filter != NULL)
		target = arena_fmt(t->mem, "%s&%s", target, t->p->filter);
	if (w->next != NULL)
		target = arena_fmt(t->mem, "%s&next=%s", target, w->next);
	if (t->p->walk == WALK_NEXT_AFTER)
		target = arena_fmt(t->mem, "%s&added_after=1970-01-01T00:00:00.000Z", target);
	return target;
}

static void
count_type(struct walk *w, struct slice type)
{
	size_t i = 0;

	while (i < w->ntypes && !slice_eq(w->types[i].word, type))
		i++;
	if (i == TYPES_MAX)
		return;
	w->types[i].word = type;
	w->types[i].n++;
	if (i == w->ntypes)
		w->ntypes++;
}

/* Count what the page shows; NULL, or what is wrong with it. */
static const char *
take_objects(struct walk *w, const json *list, size_t before)
{
	struct play *t = w->t;

	for (const json *x = json_first(list); x != NULL; x = json_next(x)) {
		struct slice id = json_member(x, "id"), modified = json_member(x, "modified");
		const char *key = arena_fmt(t->mem, "%.*s %.*s", SLICE_ARG(id), SLICE_ARG(modified));

		if (id.n == 0)
			return "an object has no id";
		if (before < SEEN_MAX && json_get(w->seen, key) != NULL)
			return arena_fmt(t->mem, "%s came twice", key);
		if (before < SEEN_MAX)
			json_put_bool(t->mem, w->seen, key, true);
		if (modified.n > 0 && (w->modified.n == 0 ||
		    strncmp(modified.p, w->modified.p, modified.n) > 0))
			w->modified = modified;
		count_type(w, json_member(x, "type"));
		w->objects++;
	}
	return NULL;
}

/* One page; false if the walk ends in trouble, which is told. */
static bool
take_page(struct walk *w)
{
	struct play *t = w->t;
	const char *target = page_target(w), *fault;
	const json *objects;
	struct slice next;
	bool more;

	if (!resource(t, "pages", target))
		return false;
	objects = json_get(t->reply.root, "objects");
	next = json_member(t->reply.root, "next");
	more = json_bool(json_get(t->reply.root, "more"));
	fault = take_objects(w, objects, w->objects);
	if (fault == NULL && more != (next.n > 0))
		fault = more ? "`more` is true, and there is no `next`" : "`next` on the last page";
	if (fault == NULL && more && json_count(objects) == 0)
		fault = "a page without objects that is not the last";
	if (fault == NULL && json_count(objects) > 0 && (t->reply.first.n == 0 || t->reply.last.n == 0))
		fault = "the X-TAXII-Date-Added headers are missing";
	if (fault == NULL && json_count(objects) > 0 && w->last.n == t->reply.first.n &&
	    memcmp(w->last.p, t->reply.first.p, w->last.n) >= 0)
		fault = "its first date is not behind the last of the page before";
	if (fault != NULL)
		return tell(t, "pages", PLAY_FAILED, "%s: %s", target, fault);
	if (json_count(objects) > 0)
		w->last = t->reply.last;
	w->pages++;
	w->next = more ? escaped(t->mem, next) : NULL;
	return true;
}

static const char *
types_text(const struct walk *w)
{
	const char *out = "";

	for (size_t i = 0; i < w->ntypes; i++)
		out = arena_fmt(w->t->mem, "%s%s%zu %.*s", out, i > 0 ? ", " : "", w->types[i].n,
		    SLICE_ARG(w->types[i].word));
	return out;
}

/* The poll that follows the first: from where this product goes on. */
static bool
poll_again(struct walk *w)
{
	struct play *t = w->t;
	bool modified = t->p->walk == WALK_MODIFIED && w->modified.n > 0;
	struct slice from = modified ? w->modified : w->last;
	const char *target = arena_fmt(t->mem, "%s?limit=1&added_after=%s", objects_target(t, w->c),
	    escaped(t->mem, from));
	size_t again;

	if (!resource(t, "next poll", target))
		return false;
	again = json_count(json_get(t->reply.root, "objects"));
	if (again > 0 && modified && !t->conf->bookmark)
		return tell(t, "next poll", PLAY_WARNED, "%s: it goes on from the newest `modified`, %.*s, "
		    "which lies before dates it has seen: it will read on and on; `bookmark yes` in its "
		    "section cures that", w->c->title, SLICE_ARG(from));
	return tell(t, "next poll", PLAY_OK, "%s: goes on from %.*s%s", w->c->title, SLICE_ARG(from),
	    again > 0 ? "; something has come meanwhile, or comes again" : ", nothing comes twice");
}

static bool
read_collection(struct play *t, const struct found *c)
{
	struct walk w = { .t = t, .c = c, .seen = json_object(t->mem) };

	do {
		if (!take_page(&w))
			return false;
	} while (w.next != NULL && w.pages < PAGES_MAX);
	if (w.objects == 0)
		return tell(t, "pages", PLAY_WARNED, "%s: nothing%s that it may have; what is there, and "
		    "what is withheld? tocsin explain OBJECT %s", c->title,
		    t->p->filter == NULL ? "" : arena_fmt(t->mem, " (%s)", t->p->filter),
		    t->conf->name);
	if (!tell(t, "pages", PLAY_OK, "%s: %zu objects in %zu pages (%s)%s", c->title, w.objects,
	    w.pages, types_text(&w), w.next != NULL ? "; there is more" : ""))
		return false;
	return w.next != NULL || poll_again(&w);
}

/* Both spellings of a path, since people type both. */
static bool
try_slash(struct play *t)
{
	const char *with = arena_fmt(t->mem, "%s?limit=1", objects_target(t, &t->found[0]));
	const char *without = arena_fmt(t->mem, "/%s/collections/%s/objects?limit=1",
	    t->root, t->found[0].id);
	struct slice body;

	if (!resource(t, "slash", with))
		return false;
	body = t->reply.body;
	if (!resource(t, "slash", without))
		return false;
	if (!slice_eq(body, t->reply.body))
		return tell(t, "slash", PLAY_WARNED, "with and without slash the answers differ");
	return tell(t, "slash", PLAY_OK, "the same with and without a slash at the end of the address");
}

/* ---- files ---- */

/* The feed that is meant: by its name, or by its collection. */
static const char *
feed_name(const struct play *t)
{
	const struct config *conf = t->conf->conf;
	const char *want = t->conf->collection;
	const struct feed_conf *f;

	if (want == NULL)
		return conf->nfeeds == 1 ? conf->feeds[0].name : NULL;
	f = config_feed(conf, slice_of(want));
	if (f == NULL)
		f = card_feed(conf, want, t->p->feed_format);
	return f == NULL ? want : f->name;
}

static bool
fetch_feed(struct play *t)
{
	const char *name = feed_name(t), *target;
	size_t lines = 0;
	struct slice etag;

	if (name == NULL)
		return tell(t, "feed", PLAY_FAILED, "which one? say --collection with its collection; "
		    "tocsin.conf has %zu", t->conf->conf->nfeeds);
	target = arena_fmt(t->mem, "/feeds/%s.%s", name, t->p->feed);
	get(t, target, NULL);
	if (t->reply.status != 200)
		return refused(t, "feed", target);
	for (size_t i = 0; i < t->reply.body.n; i++)
		lines += t->reply.body.p[i] == '\n';
	etag = t->reply.etag;
	if (!tell(t, "feed", lines == 0 ? PLAY_WARNED : PLAY_OK, "%s: %zu lines, %zu bytes, %.*s",
	    target, lines, t->reply.body.n, SLICE_ARG(t->reply.type)))
		return false;
	if (etag.n == 0)
		return tell(t, "feed again", PLAY_WARNED, "no ETag: it is fetched whole each time");
	get(t, target, arena_str(t->mem, etag));
	if (t->reply.status != 304)
		return tell(t, "feed again", PLAY_WARNED, "asked with its ETag: %d instead of 304",
		    t->reply.status);
	return tell(t, "feed again", PLAY_OK, "unchanged: 304, nothing is sent");
}

/* ---- the walk ---- */

static bool
push(struct play *t)
{
	int64_t most = 0;

	if (!resource(t, "push", arena_fmt(t->mem, "/%s/", t->root)))
		return false;
	json_int(json_get(t->reply.root, "max_content_length"), &most);
	return tell(t, "push", PLAY_OK, "may write to %s, %lld bytes at once; nothing was sent",
	    t->found[0].title, (long long)most);
}

static void
play(struct play *t)
{
	if (!connect_to_node(t))
		return;
	if (t->p->walk == WALK_FEED) {
		fetch_feed(t);
		return;
	}
	if ((t->p->discovers && !discover(t)) || !list_collections(t))
		return;
	if (t->p->walk == WALK_PUSH) {
		push(t);
		return;
	}
	for (size_t i = 0; i < t->nfound; i++)
		if (!read_collection(t, &t->found[i]))
			return;
	try_slash(t);
}

enum play_state
play_run(const struct play_conf *conf, struct arena *mem)
{
	struct play t = { .conf = conf, .p = conf->product, .mem = mem,
		.root = conf->conf->api_root };
	const struct collection_conf *col = conf->collection == NULL ? NULL :
	    config_collection(conf->conf, slice_of(conf->collection));
	struct strbuf b = STRBUF_INIT;
	const char *pair = arena_fmt(mem, "%s:%s", conf->name, conf->token);

	if (col != NULL)
		t.root = col->roots[0];
	base64_add(&b, pair, strlen(pair));
	t.login = conf->product->password ? arena_fmt(mem, "Basic %s", b.p) :
	    arena_fmt(mem, "Bearer %s", conf->token);
	strbuf_fini(&b);
	t.base = event_base_new();
	play(&t);
	http_client_free(t.client);
	event_base_free(t.base);
	return t.worst;
}
