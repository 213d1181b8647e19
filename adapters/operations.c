#include "adapters/operations.h"

#include <limits.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"
#include "gateway/dedup.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/limiter.h"
#include "gateway/outbox.h"
#include "gateway/stats.h"
#include "gateway/store.h"

enum { CLOCK_AHEAD_US = 1000000 };

struct operations {
	struct gateway			*g;
	const struct http_server	*taxii;
	struct http_handler		 handler;
};

/* ---- /metrics ---- */

static void
gauge(struct strbuf *b, const char *name, const char *help, double v)
{
	stats_print_gauge(b, name, help, NULL, NULL, v);
}

static void
print_store(struct strbuf *b, struct store *s)
{
	struct store_figures f = { 0 };

	if (store_figures(s, &f, NULL) < 0)
		return;
	gauge(b, "tocsin_store_objects", "Different object ids in the store", (double)f.objects);
	gauge(b, "tocsin_store_versions", "Object versions in the store", (double)f.versions);
	gauge(b, "tocsin_store_sightings", "Further sightings of known objects",
	    (double)f.sightings);
	gauge(b, "tocsin_quarantined", "Entries held in quarantine", (double)f.quarantined);
	gauge(b, "tocsin_audit_records", "Records in the audit chain", (double)f.audit_records);
	gauge(b, "tocsin_store_commits", "Transactions since start", (double)f.commits);
	gauge(b, "tocsin_store_syncs", "Syncs to disk since start", (double)f.syncs);
	gauge(b, "tocsin_store_writable", "0 while the store takes no writes",
	    f.trouble[0] == '\0' ? 1 : 0);
	gauge(b, "tocsin_store_failures", "Transactions that could not be kept since start",
	    (double)f.failures);
	gauge(b, "tocsin_store_damages", "Times that damage was met in the store's file since start",
	    (double)f.damages);
	gauge(b, "tocsin_store_commit_seconds_max", "Longest commit since start",
	    (double)f.commit_us_max / 1e6);
}

static void
print_peers(struct strbuf *b, struct gateway *g)
{
	static const struct { const char *name, *help; } rows[] = {
		{ "tocsin_outbox_queued", "Objects waiting for a peer" },
		{ "tocsin_outbox_held", "Objects held back, with a date to look again" },
		{ "tocsin_outbox_dead", "Objects given up" },
		{ "tocsin_link_failures", "Failed deliveries in a row" },
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		const char *help = rows[r].help;

		for (size_t i = 0; i < trust_peers(g->trust); i++) {
			const struct peer *p = trust_peer(g->trust, i);
			struct outbox_counts n = { 0 };
			struct outbox_link link = { 0 };
			double v[4];

			if (p->url == NULL)
				continue;
			store_outbox_counts(g->store, p->name, &n, NULL);
			outbox_link(g->outbox, p->name, &link);
			v[0] = (double)n.queued;
			v[1] = (double)n.held;
			v[2] = (double)n.dead;
			v[3] = link.failures;
			stats_print_gauge(b, rows[r].name, help, "peer", p->name, v[r]);
			help = NULL;
		}
	}
}

static void
print_redis(struct strbuf *b, struct gateway *g)
{
	struct redis_figures r = { 0 };
	struct dedup_figures d = { 0 };
	struct limiter_figures l = { 0 };

	gauge(b, "tocsin_redis_up", "1 if Redis answers",
	    redis_state(g->redis) == REDIS_UP ? 1 : 0);
	if (g->redis != NULL)
		redis_figures(g->redis, &r);
	dedup_figures(g->dedup, &d);
	limiter_figures(g->limiter, &l);
	gauge(b, "tocsin_redis_commands", "Commands sent to Redis since start", (double)r.commands);
	gauge(b, "tocsin_redis_failures", "Commands without an answer since start",
	    (double)r.failures);
	gauge(b, "tocsin_redis_reconnects", "Connections to Redis made since start",
	    (double)r.reconnects);
	gauge(b, "tocsin_claims_seen", "Claims that were known already", (double)d.seen);
	gauge(b, "tocsin_claims_made", "Claims made", (double)d.claimed);
	gauge(b, "tocsin_limiter_local", "Limits answered without Redis", (double)l.local);
}

static void
print_http(struct strbuf *b, const struct http_server *s)
{
	const struct http_counters *c = http_server_counters(s);

	gauge(b, "tocsin_http_connections", "Open connections", (double)c->open);
	gauge(b, "tocsin_http_accepted", "Connections accepted since start", (double)c->accepted);
	gauge(b, "tocsin_tls_handshakes", "Handshakes finished since start", (double)c->handshakes);
	gauge(b, "tocsin_tls_handshakes_failed", "Handshakes failed since start",
	    (double)c->handshakes_failed);
	gauge(b, "tocsin_http_bad_requests", "Requests that are no HTTP we take",
	    (double)c->bad_requests);
}

static void
print_metrics(struct strbuf *b, struct operations *o)
{
	struct gateway *g = o->g;

	stats_print(b, g->stats);
	gauge(b, "tocsin_start_time_seconds", "When this process started",
	    (double)g->started_us / 1e6);
	gauge(b, "tocsin_intake_in_work", "Messages in work", (double)intake_in_work(g->intake));
	print_store(b, g->store);
	print_peers(b, g);
	print_redis(b, g);
	print_http(b, o->taxii);
}

/* ---- /healthz, /readyz ---- */

/* NULL when ready, else the reason; of the store in *f. */
static const char *
not_ready(struct gateway *g, struct store_figures *f)
{
	if (g->draining)
		return "draining";
	if (store_figures(g->store, f, NULL) < 0)
		return "the store does not answer";
	if (f->trouble[0] != '\0')
		return f->trouble;
	if (f->date_ahead_us > CLOCK_AHEAD_US)
		return "clock stepped back";
	return NULL;
}

static void
answer(struct http_exchange *x, int status, const char *type, struct strbuf *body)
{
	const struct http_answer a = { .status = status, .content_type = type, .take = body };

	http_respond(x, &a);
	strbuf_fini(body);
}

static void
on_head(struct http_exchange *x, void *arg)
{
	struct operations *o = arg;
	const struct http1_head *h = x->head;
	struct strbuf b = STRBUF_INIT;
	struct store_figures f = { 0 };
	const char *why;

	if (h->method != HTTP_GET && h->method != HTTP_HEAD) {
		http_refuse(x, 405, "GET only", NULL, 0);
	} else if (slice_is(h->path, "/metrics")) {
		print_metrics(&b, o);
		answer(x, 200, "text/plain; version=0.0.4; charset=utf-8", &b);
	} else if (slice_is(h->path, "/healthz")) {
		strbuf_adds(&b, "ok\n");
		answer(x, 200, "text/plain; charset=utf-8", &b);
	} else if (slice_is(h->path, "/readyz")) {
		why = not_ready(o->g, &f);
		strbuf_addf(&b, "%s\n", why == NULL ? "ready" : why);
		answer(x, why == NULL ? 200 : 503, "text/plain; charset=utf-8", &b);
	} else {
		http_refuse(x, 404, "/metrics, /healthz, /readyz", NULL, 0);
	}
}

struct operations *
operations_new(struct gateway *g, const struct http_server *taxii)
{
	struct operations *o = xcalloc(1, sizeof(*o));

	o->g = g;
	o->taxii = taxii;
	o->handler = (struct http_handler){ .on_head = on_head, .arg = o };
	return o;
}

void
operations_free(struct operations *o)
{
	free(o);
}

const struct http_handler *
operations_handler(struct operations *o)
{
	return &o->handler;
}
