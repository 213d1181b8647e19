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
	FAILURES_MANY = 5,		/* deliveries to a peer, or runs of a pull, in a row */
	RESTARTS_MANY = 3,
	WAITS_LONG_SECONDS = 3600
};

/* What can be wrong. */
enum kind {
	DRAINING, STORE_AWAY, STORE_NOT_WRITABLE, STOREKEEPER_AWAY, NO_TRANSLATOR, CLOCK_BACK, DISK_FULL,
	CERT_ENDED, CRL_OLD, FIGURES_LATE, PROCESS_SILENT, PROCESS_RESTARTS, STORE_DAMAGED, QUARANTINE_FULL,
	REDIS_AWAY, CERT_ENDS, PEER_CERT_ENDED, PEER_CERT_ENDS, PEER_FAILING, PEER_BEHIND,
	PEER_DEAD_LETTERS, PULL_FAILING, LOG_LOST, KINDS
};
static const struct {
	const char	*word;
	bool		 failure;
	const char	*means;		/* for the manual */
} kinds[KINDS] = {
	[DRAINING] = { "draining", true, "The node is shutting down" },
	[STORE_AWAY] = { "store-away", true, "The store cannot be read" },
	[STORE_NOT_WRITABLE] = { "store-not-writable", true,
	    "The last transaction could not be kept; the text says why" },
	[STOREKEEPER_AWAY] = { "storekeeper-away", true,
	    "The process that writes the store did not answer within a second" },
	[NO_TRANSLATOR] = { "no-translator", true,
	    "None of the translators works, so nothing that comes in can be read" },
	[CLOCK_BACK] = { "clock-back", true,
	    "The dates of new objects are more than a second ahead of the clock" },
	[DISK_FULL] = { "disk-full", true, "Less than 64 MB are left where the store lies" },
	[CERT_ENDED] = { "certificate-ended", true, "A certificate of the node has ended" },
	[CRL_OLD] = { "revocation-list-old", false,
	    "A revocation list of a listener should have been replaced: peers may be refused" },
	[FIGURES_LATE] = { "figures-late", false,
	    "Some process did not tell of itself within a second: figures are missing" },
	[PROCESS_SILENT] = { "process-silent", false, "This process did not" },
	[PROCESS_RESTARTS] = { "process-restarts", false,
	    "A process had to be started anew three times or more; its log says why" },
	[STORE_DAMAGED] = { "store-damaged", false,
	    "Damage was met in the store\\(aqs file since the start" },
	[QUARANTINE_FULL] = { "quarantine-full", false,
	    "Nine tenths of what quarantine may hold are used; then the oldest entries go" },
	[REDIS_AWAY] = { "redis-away", false,
	    "Redis is configured and does not answer: each process claims and limits by itself" },
	[CERT_ENDS] = { "certificate-ends", false, "A certificate of the node ends within 14 days" },
	[PEER_CERT_ENDED] = { "peer-certificate-ended", false,
	    "The certificate that the peer showed last has ended" },
	[PEER_CERT_ENDS] = { "peer-certificate-ends", false, "It ends within 14 days" },
	[PEER_FAILING] = { "peer-failing", false, "Five deliveries or more to the peer failed in a row" },
	[PEER_BEHIND] = { "peer-behind", false,
	    "Something has waited for the peer for more than an hour" },
	[PEER_DEAD_LETTERS] = { "peer-dead-letters", false,
	    "Objects for the peer were given up; peer retry tries again" },
	[PULL_FAILING] = { "pull-failing", false,
	    "Five runs of a pull or more failed in a row; status says at which step and why" },
	[LOG_LOST] = { "log-lost", false, "Lines of the log were not written since the start" },
};

static void	say(struct health *h, enum kind kind, const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));

static void
say(struct health *h, enum kind kind, const char *fmt, ...)
{
	struct problem p = { .word = kinds[kind].word, .failure = kinds[kind].failure };
	char text[512];
	size_t at = h->n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p.text = arena_str(h->mem, slice_of(text));
	h->v = arena_grow(h->mem, h->v, h->n, &h->cap, sizeof(*h->v));
	h->n++;
	while (p.failure && at > 0 && !h->v[at - 1].failure)	/* failures go first */
		at--;
	memmove(&h->v[at + 1], &h->v[at], (h->n - 1 - at) * sizeof(*h->v));
	h->v[at] = p;
	h->ready = h->ready && !p.failure;
}

/* ---- what each looks at ---- */

/* A node without its storekeeper takes nothing, one without any translator reads nothing; a single silent
 * worker is the master's to replace. */
static void
look_at_processes(struct health *h, const struct figures *f)
{
	size_t translators = 0, answering = 0;

	if (!f->whole)
		say(h, FIGURES_LATE, "not every process told of itself within a second");
	for (size_t i = 0; i < f->n; i++) {
		const struct figures_process *p = &f->v[i];
		bool keeper = strcmp(p->kind, "storekeeper") == 0;

		if (strcmp(p->kind, "translator") == 0) {
			translators++;
			answering += p->answered;
		}
		if (!p->answered)
			say(h, keeper ? STOREKEEPER_AWAY : PROCESS_SILENT, "%s%s does not answer",
			    keeper ? "the " : "", p->name);
		if (p->restarts >= RESTARTS_MANY)
			say(h, PROCESS_RESTARTS, "%s had to be started anew %u times",
			    p->name, p->restarts);
		if (p->trouble[0] != '\0')
			say(h, STORE_NOT_WRITABLE, "%s", p->trouble);
	}
	if (translators > 0 && answering == 0)
		say(h, NO_TRANSLATOR, "no translator answers");
}

static void
look_at_store(struct health *h, const struct gateway *g, const struct figures *f)
{
	double ahead = stats_value(f->all, STAT_DATE_AHEAD, NULL);
	const struct limits_conf *l = &g->config->limits;

	if (!stats_has(f->all, STAT_STORE_OBJECTS, NULL))
		say(h, STORE_AWAY, "the store does not answer");
	if (ahead > CLOCK_AHEAD_SECONDS)
		say(h, CLOCK_BACK, "clock stepped back: dates of new objects are %.0f s ahead "
		    "of it", ahead);
	if (stats_has(f->all, STAT_DISK_FREE, NULL) &&
	    stats_value(f->all, STAT_DISK_FREE, NULL) < DISK_LEAST)
		say(h, DISK_FULL, "only %.0f MB are free in %s",
		    stats_value(f->all, STAT_DISK_FREE, NULL) / (1 << 20), g->config->state_dir);
	if (stats_value(f->all, STAT_STORE_DAMAGES, NULL) > 0)
		say(h, STORE_DAMAGED, "damage was met in the store's file; `tocsin check "
		    "--store` names what is lost");
	if (stats_value(f->all, STAT_QUARANTINED, NULL) > 0.9 * (double)l->quarantine_rows ||
	    stats_value(f->all, STAT_QUARANTINED_BYTES, NULL) > 0.9 * (double)l->quarantine_bytes)
		say(h, QUARANTINE_FULL, "quarantine is nearly full: the oldest entries will "
		    "be dropped");
}

/* Each process has a connection of its own; why ours is down, we know. */
static void
look_at_redis(struct health *h, const struct gateway *g, const struct figures *f)
{
	const char *why = redis_reason(g->redis);
	double away = 0;
	size_t n = 0, down = 0;

	for (size_t i = 0; i < f->n; i++) {
		double its = stats_value(f->v[i].stats, STAT_REDIS_AWAY, NULL);

		n += stats_has(f->v[i].stats, STAT_REDIS_UP, NULL);
		down += stats_has(f->v[i].stats, STAT_REDIS_UP, NULL) &&
		    stats_value(f->v[i].stats, STAT_REDIS_UP, NULL) == 0;
		away = its > away ? its : away;
	}
	if (down > 0)
		say(h, REDIS_AWAY, "Redis does not answer %zu of %zu processes since %.0f s%s%s: "
		    "claims and limits are kept in each", down, n, away,
		    why[0] == '\0' ? "" : ", ", why);
}

/* "listener-0", "client"; the peers' by their names. */
static void
look_at_certificate(struct health *h, bool ours, const char *name, double left)
{
	const char *whose = ours ? "our certificate" : "the certificate of peer";

	if (left < 0)
		say(h, ours ? CERT_ENDED : PEER_CERT_ENDED, "%s %s ended %.0f days ago",
		    whose, name, -left / DAY);
	else if (left < CERT_WARN_DAYS * DAY)
		say(h, ours ? CERT_ENDS : PEER_CERT_ENDS, "%s %s ends in %.1f days", whose,
		    name, left / DAY);
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
crl_seen(void *ctx, const char *label, double v)
{
	if (v < 0)
		say(ctx, CRL_OLD, "a revocation list of %s is out of date since %.1f days", label,
		    -v / DAY);
}

static void
pull_seen(void *ctx, const char *label, double v)
{
	if (v >= FAILURES_MANY)
		say(ctx, PULL_FAILING, "pull %s: %.0f runs failed in a row", label, v);
}

static void
look_at_peers(struct health *h, const struct gateway *g, const struct figures *f)
{
	for (size_t i = 0; i < trust_peers(g->trust); i++) {
		const struct peer *p = trust_peer(g->trust, i);
		const struct outbox_link *l = !peer_is_sent_to(p) ? NULL : figures_link(f, p->name);
		double oldest;

		if (!peer_is_sent_to(p))
			continue;
		oldest = stats_value(f->all, STAT_OUTBOX_OLDEST, p->name);
		if (l != NULL && l->failures >= FAILURES_MANY)
			say(h, PEER_FAILING, "peer %s: %u deliveries failed in a row: %s",
			    p->name, l->failures, l->last_error);
		else if (oldest > WAITS_LONG_SECONDS)
			say(h, PEER_BEHIND, "peer %s: something has waited for %.0f minutes",
			    p->name, oldest / 60);
		if (stats_value2(f->all, STAT_OUTBOX, p->name, "dead") > 0)
			say(h, PEER_DEAD_LETTERS, "peer %s: %.0f objects were given up; `tocsin "
			    "peer retry %s` tries again", p->name,
			    stats_value2(f->all, STAT_OUTBOX, p->name, "dead"), p->name);
	}
}

void
health_look(struct health *h, struct arena *mem, const struct gateway *g, const struct figures *f)
{
	*h = (struct health){ .ready = true, .mem = mem };
	if (g->draining)
		say(h, DRAINING, "draining");
	look_at_processes(h, f);
	look_at_store(h, g, f);
	look_at_redis(h, g, f);
	stats_each(f->all, STAT_CERT, certificate_seen, h);
	stats_each(f->all, STAT_PEER_CERT, peer_certificate_seen, h);
	stats_each(f->all, STAT_CRL, crl_seen, h);
	look_at_peers(h, g, f);
	stats_each(f->all, STAT_PULL_FAILING, pull_seen, h);
	if (stats_value(f->all, STAT_LOG_LOST, NULL) > 0)
		say(h, LOG_LOST, "%.0f lines of the log were lost",
		    stats_value(f->all, STAT_LOG_LOST, NULL));
}

void
health_figures(const struct health *h, struct stats *s)
{
	stats_set(s, STAT_READY, NULL, h->ready);
	for (size_t i = 0; i < h->n; i++)
		stats_set2(s, STAT_PROBLEMS, h->v[i].word, h->v[i].failure ? "failure" : "warning", 1);
}

/* Tagged paragraphs of man(7). */
void
health_print_reference(struct strbuf *out)
{
	for (size_t i = 0; i < KINDS; i++)
		strbuf_addf(out, ".TP\n\\fB%s\\fR (%s)\n%s.\n", kinds[i].word,
		    kinds[i].failure ? "failure" : "warning", kinds[i].means);
}
