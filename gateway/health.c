#include "gateway/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/process.h"
#include "gateway/redis.h"

enum {
	CLOCK_AHEAD_SECONDS = 1,
	DISK_LEAST = 64 << 20,		/* bytes: less, and the next large group may not fit */
	CERT_WARN_DAYS = 14, DAY = 86400,
	FAILURES_MANY = 5,		/* deliveries to a peer, in a row */
	RESTARTS_MANY = 3,
	WAITS_LONG_SECONDS = 3600
};

static void	say(struct health *h, bool failure, const char *word, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));

static void
say(struct health *h, bool failure, const char *word, const char *fmt, ...)
{
	struct problem p = { .word = word, .failure = failure };
	char text[512];
	size_t at = h->n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p.text = arena_str(h->mem, slice_of(text));
	h->v = arena_grow(h->mem, h->v, h->n, &h->cap, sizeof(*h->v));
	h->n++;
	while (failure && at > 0 && !h->v[at - 1].failure)	/* failures go first */
		at--;
	memmove(&h->v[at + 1], &h->v[at], (h->n - 1 - at) * sizeof(*h->v));
	h->v[at] = p;
	h->ready = h->ready && !failure;
}

/* ---- what each looks at ---- */

/* A node without its storekeeper takes nothing, one without any translator reads nothing; a single silent
 * worker is the master's to replace. */
static void
look_at_processes(struct health *h, const struct figures *f)
{
	size_t translators = 0, answering = 0;

	if (!f->whole)
		say(h, false, "figures-late", "not every process told of itself within a second");
	for (size_t i = 0; i < f->n; i++) {
		const struct figures_process *p = &f->v[i];
		bool keeper = strcmp(p->kind, "storekeeper") == 0;

		if (strcmp(p->kind, "translator") == 0) {
			translators++;
			answering += p->answered;
		}
		if (!p->answered)
			say(h, keeper, keeper ? "storekeeper-away" : "process-silent", keeper ?
			    "the storekeeper does not answer" : "%s does not answer", p->name);
		if (p->restarts >= RESTARTS_MANY)
			say(h, false, "process-restarts", "%s had to be started anew %u times",
			    p->name, p->restarts);
		if (p->trouble[0] != '\0')
			say(h, true, "store-not-writable", "%s", p->trouble);
	}
	if (translators > 0 && answering == 0)
		say(h, true, "no-translator", "no translator answers");
}

static void
look_at_store(struct health *h, const struct gateway *g, const struct figures *f)
{
	double ahead = stats_value(f->all, STAT_DATE_AHEAD, NULL);
	const struct limits_conf *l = &g->config->limits;

	if (!stats_has(f->all, STAT_STORE_OBJECTS, NULL))
		say(h, true, "store-away", "the store does not answer");
	if (ahead > CLOCK_AHEAD_SECONDS)
		say(h, true, "clock-back", "clock stepped back: dates of new objects are %.0f s ahead "
		    "of it", ahead);
	if (stats_has(f->all, STAT_DISK_FREE, NULL) &&
	    stats_value(f->all, STAT_DISK_FREE, NULL) < DISK_LEAST)
		say(h, true, "disk-full", "only %.0f MB are free in %s",
		    stats_value(f->all, STAT_DISK_FREE, NULL) / (1 << 20), g->config->state_dir);
	if (stats_value(f->all, STAT_STORE_DAMAGES, NULL) > 0)
		say(h, false, "store-damaged", "damage was met in the store's file; `tocsin check "
		    "--store` names what is lost");
	if (stats_value(f->all, STAT_QUARANTINED, NULL) > 0.9 * (double)l->quarantine_rows ||
	    stats_value(f->all, STAT_QUARANTINED_BYTES, NULL) > 0.9 * (double)l->quarantine_bytes)
		say(h, false, "quarantine-full", "quarantine is nearly full: the oldest entries will "
		    "be dropped");
}

static void
look_at_redis(struct health *h, const struct gateway *g)
{
	struct redis_figures r;

	if (g->redis == NULL || redis_state(g->redis) == REDIS_UP)
		return;
	redis_figures(g->redis, &r);
	say(h, false, "redis-away", "Redis does not answer since %.0f s (%s): claims and limits are "
	    "kept in each process", (double)r.away_us / 1e6, redis_reason(g->redis));
}

/* "listen 2", "client"; the peers' by their names. */
static void
look_at_certificate(struct health *h, bool ours, const char *name, double left)
{
	const char *whose = ours ? "our certificate" : "the certificate of peer";

	if (left < 0)
		say(h, ours, ours ? "certificate-ended" : "peer-certificate-ended",
		    "%s %s ended %.0f days ago", whose, name, -left / DAY);
	else if (left < CERT_WARN_DAYS * DAY)
		say(h, false, ours ? "certificate-ends" : "peer-certificate-ends",
		    "%s %s ends in %.1f days", whose, name, left / DAY);
}

static void
certificate_seen(void *ctx, const char *label, double v)
{
	look_at_certificate(ctx, true, label, v);
}

static void
peer_certificate_seen(void *ctx, const char *label, double v)
{
	look_at_certificate(ctx, false, label, v);
}

static void
look_at_peers(struct health *h, const struct gateway *g, const struct figures *f)
{
	for (size_t i = 0; i < trust_peers(g->trust); i++) {
		const struct peer *p = trust_peer(g->trust, i);
		const struct outbox_link *l = p->url == NULL ? NULL : figures_link(f, p->name);
		double oldest;

		if (p->url == NULL)
			continue;
		oldest = stats_value(f->all, STAT_OUTBOX_OLDEST, p->name);
		if (l != NULL && l->failures >= FAILURES_MANY)
			say(h, false, "peer-failing", "peer %s: %u deliveries failed in a row: %s",
			    p->name, l->failures, l->last_error);
		else if (oldest > WAITS_LONG_SECONDS)
			say(h, false, "peer-behind", "peer %s: something has waited for %.0f minutes",
			    p->name, oldest / 60);
		if (stats_value2(f->all, STAT_OUTBOX, p->name, "dead") > 0)
			say(h, false, "peer-dead-letters", "peer %s: %.0f objects were given up; `tocsin "
			    "peer retry %s` tries again", p->name,
			    stats_value2(f->all, STAT_OUTBOX, p->name, "dead"), p->name);
	}
}

void
health_look(struct health *h, struct arena *mem, const struct gateway *g, const struct figures *f)
{
	*h = (struct health){ .ready = true, .mem = mem };
	if (g->draining)
		say(h, true, "draining", "draining");
	look_at_processes(h, f);
	look_at_store(h, g, f);
	look_at_redis(h, g);
	stats_each(f->all, STAT_CERT, certificate_seen, h);
	stats_each(f->all, STAT_PEER_CERT, peer_certificate_seen, h);
	look_at_peers(h, g, f);
	if (stats_value(f->all, STAT_LOG_LOST, NULL) > 0)
		say(h, false, "log-lost", "%.0f lines of the log were lost",
		    stats_value(f->all, STAT_LOG_LOST, NULL));
}

void
health_figures(const struct health *h, struct stats *s)
{
	stats_set(s, STAT_READY, NULL, h->ready);
	for (size_t i = 0; i < h->n; i++)
		stats_set2(s, STAT_PROBLEMS, h->v[i].word, h->v[i].failure ? "failure" : "warning", 1);
}
