#include "adapters/peer_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/delivery_refusals.h"
#include "adapters/folder_push.h"
#include "adapters/http_client.h"
#include "adapters/peer_call.h"
#include "adapters/relay_envelope.h"
#include "adapters/taxii_push.h"
#include "adapters/taxii_resources.h"
#include "adapters/url.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/keys.h"
#include "gateway/stats.h"

_Static_assert((int)AUDIENCE_MAX <= (int)RELAY_AUDIENCE_MAX, "our own envelopes would be refused");

static const char taxii_type[] = "application/taxii+json;version=2.1";

struct client {
	char			*name;		/* of the peer */
	struct url		 url;
	struct http_client	*http;
	struct client		*next;
};

struct peer_links {
	struct gateway		*g;
	struct client		*clients;
	struct taxii_pushes	*pushes;	/* to TAXII servers of others */
	struct folder_pushes	*folders;
};

/* One delivery under way. */
struct sending {
	struct peer_links	*links;
	const struct delivery	*d;
	delivery_done_cb	*done;
	void			*arg;
	struct arena		*mem;
};

struct peer_links *
peer_links_new(struct gateway *g)
{
	struct peer_links *l = xcalloc(1, sizeof(*l));

	l->g = g;
	l->pushes = taxii_pushes_new(g);
	l->folders = folder_pushes_new(g);
	return l;
}

static void
forget_clients(struct peer_links *l, void (*end)(struct http_client *))
{
	struct client *c, *next;

	for (c = l->clients; c != NULL; c = next) {
		next = c->next;
		end(c->http);
		free(c->name);
		free(c);
	}
	l->clients = NULL;
}

/* A delivery under way is finished over its old connection. */
void
peer_links_reload(struct peer_links *l)
{
	forget_clients(l, http_client_retire);
	taxii_pushes_reload(l->pushes);
	folder_pushes_reload(l->folders);
}

void
peer_links_free(struct peer_links *l)
{
	if (l == NULL)
		return;
	forget_clients(l, http_client_free);
	taxii_pushes_free(l->pushes);
	folder_pushes_free(l->folders);
	free(l);
}

void
peer_links_figures(const struct peer_links *l, struct stats *s)
{
	int64_t ours, theirs, now = clock_wall_us();

	for (const struct client *c = l->clients; c != NULL; c = c->next) {
		http_client_certificates(c->http, &ours, &theirs);
		if (ours > 0)
			stats_set(s, STAT_CERT, "client", (double)(ours - now) / 1e6);
		if (theirs > 0)
			stats_set(s, STAT_PEER_CERT, c->name, (double)(theirs - now) / 1e6);
	}
}

/* A client for this peer with what config and trust say now. */
static struct client *
client_new(struct peer_links *l, const struct peer *p, struct err *e)
{
	const struct peer_caller by = { .base = l->g->base, .config = l->g->config,
		.credentials = l->g->credentials };
	struct client *c = xcalloc(1, sizeof(*c));

	c->http = peer_call_http(&by, p, &c->url, e);
	if (c->http == NULL) {
		free(c);
		return NULL;
	}
	c->name = xstrdup(p->name);
	c->next = l->clients;
	l->clients = c;
	return c;
}

static struct client *
client_of(struct peer_links *l, const struct peer *p, struct err *e)
{
	for (struct client *c = l->clients; c != NULL; c = c->next)
		if (strcmp(c->name, p->name) == 0)
			return c;
	return client_new(l, p, e);
}

static void
finish(struct sending *s, const struct delivery_answer *a)
{
	delivery_done_cb *done = s->done;
	void *arg = s->arg;
	struct arena *mem = s->mem;

	done(arg, a);
	arena_free(mem);
}

static void
finish_with(struct sending *s, enum delivery_result result, int64_t retry_after_us,
    const char *reason)
{
	struct delivery_answer a = { .result = result, .retry_after_us = retry_after_us,
	    .reason = reason };

	finish(s, &a);
}

/* ---- the answer ---- */

/* What the peer says about a refusal, for people. */
static const char *
error_words(struct sending *s, const struct http_reply *r)
{
	return arena_fmt(s->mem, "HTTP %d %s", r->status, taxii_read_error(r->body, s->mem));
}

static void
on_accepted(struct sending *s, const struct http_reply *r)
{
	const char **refused = arena_alloc(s->mem, (s->d->n + 1) * sizeof(const char *));
	struct delivery_answer a = { .result = DELIVERED, .took_us = r->took_us };
	struct taxii_status status;

	if (taxii_read_status(r->body, s->mem, &status, NULL) < 0) {
		finish_with(s, DELIVERY_RETRY, 0, "the peer answered 202 without a status resource");
		return;
	}
	if (!status.complete) {
		finish_with(s, DELIVERY_RETRY, 0, "the peer has not finished storing it yet");
		return;
	}
	if (status.failure > 0) {
		if (delivery_refusals(s->d, NULL, 0, s->d->n, &status, s->mem, refused) !=
		    (size_t)status.failure) {
			/* what it took a second time is no harm */
			finish_with(s, DELIVERY_RETRY, 0,
			    "the peer refused some objects and does not say which");
			return;
		}
		a.refused = refused;
	}
	finish(s, &a);
}

static const struct {
	int			 status;
	enum delivery_result	 result;
} results[] = {			/* what is not listed is tried again */
	{ 400, DELIVERY_FINAL }, { 406, DELIVERY_FINAL }, { 413, DELIVERY_TOO_LARGE },
	{ 415, DELIVERY_FINAL }, { 422, DELIVERY_FINAL },
};

static void
on_reply(const struct http_reply *r, void *arg)
{
	struct sending *s = arg;
	enum delivery_result result = DELIVERY_RETRY;

	if (r->status == 0) {
		finish_with(s, DELIVERY_RETRY, 0, r->err->reason);
		return;
	}
	if (r->status == 202 || r->status == 200) {
		on_accepted(s, r);
		return;
	}
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (results[i].status == r->status)
			result = results[i].result;
	finish_with(s, result, taxii_read_retry_after(http1_field(r->head, "retry-after"),
	    clock_wall_us()), error_words(s, r));
}

/* ---- sending ---- */

static void
digest_of(const struct delivery *d, uint8_t out[SHA256_LEN])
{
	struct sha256 *h = sha256_new();

	for (size_t i = 0; i < d->n; i++) {
		sha256_add(h, d->items[i].row.bytes);
		sha256_add(h, SLICE_LIT("\n"));
	}
	sha256_end(h, out);
}

static int
post(struct sending *s, struct client *c, struct err *e)
{
	const struct delivery *d = s->d;
	struct relay_envelope env = {
		.advisory = d->advisory, .from = s->links->g->config->name, .hops = d->hops,
		.audience = d->audience, .label = d->label, .unmarked = d->unmarked,
	};
	const struct http_header headers[] = {
		{ "Content-Type", taxii_type }, { "Accept", taxii_type },
		{ "X-Request-Id", d->request[0] == '\0' ? NULL : d->request },
	};
	struct strbuf body = STRBUF_INIT;
	struct http_request rq = {
		.method = "POST", .headers = headers, .nheaders = 3, .take = &body,
		.repeatable = true,	/* (id, version) makes a second copy harmless */
	};
	uint8_t digest[SHA256_LEN];
	int rc = -1;

	rq.target = arena_fmt(s->mem, "%scollections/%s/objects/", c->url.path,
	    d->peer->collection);
	digest_of(d, digest);
	if (relay_envelope_write(&body, &env, s->links->g->keys->sign, d->objects, digest, e) == 0 &&
	    http_client_send(c->http, &rq, on_reply, s, e) != NULL)
		rc = 0;
	strbuf_fini(&body);
	return rc;
}

static bool
speaks_stix(const struct peer *p)
{
	if (p->speaks == NULL || p->speaks[0] == NULL)
		return true;
	for (size_t i = 0; p->speaks[i] != NULL; i++)
		if (strcmp(p->speaks[i], "stix21") == 0)
			return true;
	return false;
}

void
peer_links_send(void *ctx, const struct delivery *d, delivery_done_cb *done, void *arg)
{
	struct peer_links *l = ctx;
	struct err e = ERR_INIT;
	struct arena *mem;
	struct sending *s;
	struct client *c;

	if (d->peer->wire == WIRE_FOLDER) {
		folder_pushes_send(l->folders, d, done, arg);
		return;
	}
	if (d->peer->wire != WIRE_TOCSIN) {
		taxii_pushes_send(l->pushes, d, done, arg);
		return;
	}
	mem = arena_new();
	s = arena_alloc(mem, sizeof(*s));
	*s = (struct sending){ .links = l, .d = d, .done = done, .arg = arg, .mem = mem };
	if (!speaks_stix(d->peer)) {
		finish_with(s, DELIVERY_FINAL, 0,
		    "this peer speaks no format that the relay over TAXII can carry (stix21)");
		return;
	}
	c = client_of(l, d->peer, &e);
	if (c == NULL || post(s, c, &e) < 0)
		finish_with(s, DELIVERY_RETRY, 0, e.reason);
}
