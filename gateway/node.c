#include "gateway/node.h"

#include <event2/event.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/peer_link.h"
#include "adapters/puller.h"
#include "adapters/spool.h"
#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/consumer_books.h"
#include "gateway/consumer_mark.h"
#include "gateway/credentials.h"
#include "gateway/dedup.h"
#include "gateway/feed.h"
#include "gateway/feed_misp.h"
#include "gateway/feed_publish.h"
#include "gateway/figures.h"
#include "gateway/intake.h"
#include "gateway/limiter.h"
#include "gateway/node_listen.h"
#include "gateway/outbox.h"
#include "gateway/pending.h"
#include "gateway/redis.h"
#include "gateway/stats.h"
#include "gateway/store.h"
#include "gateway/store_remote.h"
#include "gateway/translate.h"

enum { CLAIMS_LOCAL = 100000, BUCKETS_LOCAL = 10000, HOUSEKEEPING_SECONDS = 60 };

struct node {
	struct gateway		 g;
	struct node_conf	 conf;
	struct keys		 keys;
	struct tls		*redis_tls;
	struct peer_links	*links;
	struct listeners	*listeners;
	struct spools		*spools;
	struct pullers		*pullers;	/* worker 0 */
	struct admin		*admin;
	struct figures_source	 figures;
	struct event		*housekeeping, *deadline;
	int			 waiting;	/* parts that are still draining */
	void			(*drained)(void *arg);
	void			*drained_arg;
};

struct gateway *
node_gateway(struct node *n)
{
	return &n->g;
}

/* ---- Redis, limits, claims ---- */

static struct bufferevent *
redis_tls(void *ctx, struct event_base *base, const char *host, struct err *e)
{
	struct node *n = ctx;

	return tls_connect(n->redis_tls, base, -1, host, e);
}

static int
start_redis(struct node *n, struct err *e)
{
	const struct redis_conf *conf = &n->g.config->redis;

	if (conf->url == NULL)
		return 0;
	if (strncmp(conf->url, "rediss:", 7) == 0) {
		struct tls_client_conf tc = { .ca = conf->ca };

		n->redis_tls = tls_client_new(&tc, e);
		if (n->redis_tls == NULL)
			return -1;
	}
	n->g.redis = redis_new(n->g.base, conf, redis_tls, n, e);
	redis_explain_with(n->g.redis, tls_error);
	return n->g.redis == NULL ? -1 : 0;
}

static void
start_shared(struct node *n)
{
	const struct config *conf = n->g.config;
	const struct dedup_conf dc = {
		.key = slice_from(n->keys.dedup, sizeof(n->keys.dedup)),
		.store_id = slice_of(store_id(n->g.store)), .prefix = conf->redis.prefix,
		.claim_short_us = conf->redis.claim_short_us,
		.claim_long_us = conf->redis.claim_long_us, .local_max = CLAIMS_LOCAL,
	};
	const struct limiter_conf lc = {
		.prefix = conf->redis.prefix, .key = dc.key, .local_max = BUCKETS_LOCAL,
		.local_share = (conf->redis.url == NULL ? 1.0 : 0.5) / n->g.nworkers,
	};

	n->g.dedup = dedup_new(n->g.redis, &dc);
	n->g.limiter = limiter_new(n->g.redis, &lc);
}

/* ---- the store ---- */

static void
on_queued(void *arg, const char *peer)
{
	struct node *n = arg;

	if (n->g.outbox != NULL && (peer == NULL || gateway_owns(&n->g, peer)))
		outbox_wake(n->g.outbox);
}

static int
open_local_store(struct node *n, struct err *e)
{
	const struct config *conf = n->g.config;
	const struct store_conf sc = {
		.path = strcmp(conf->store_path, "memory") == 0 ? NULL : conf->store_path,
		.audit_key = slice_from(n->keys.audit, sizeof(n->keys.audit)), .base = n->g.base,
	};

	if (dir_make(conf->state_dir, 0700, e) < 0)
		return -1;
	n->g.store = store_open(&sc, e);
	return n->g.store == NULL ? -1 : 0;
}

static void
on_store_state(void *arg, bool connected)
{
	struct node *n = arg;

	if (connected && n->g.pending != NULL)
		pending_look(n->g.pending);
	malloc_trim(0);			/* what large answers took goes back to the system */
}

static int
open_remote_store(struct node *n, struct err *e)
{
	const struct store_remote_conf rc = {
		.path = n->g.config->store_path, .base = n->g.base, .on_queued = on_queued,
		.on_state = on_store_state, .arg = n,
	};

	n->g.store = store_remote_open(&rc, e);
	if (n->g.store == NULL)
		return -1;
	return store_remote_channel(n->g.store, n->conf.store, e);
}

void
node_store_channel(struct node *n, int fd)
{
	struct err e = ERR_INIT;

	if (store_remote_channel(n->g.store, fd, &e) < 0)
		log_event(LOG_ERROR, "store.channel", LF_S("error", e.reason));
}

/* ---- the translator ---- */

static void
on_replace(void *arg, unsigned generation, const char *why)
{
	struct node *n = arg;

	n->conf.replace(n->conf.ctx, generation, why);
}

static int
start_translate(struct node *n, struct err *e)
{
	const struct translate_conf tc = {
		.base = n->conf.alone ? NULL : n->g.base, .config = n->g.config,
		.stats = n->g.stats, .replace = on_replace, .arg = n,
	};

	n->g.translate = translate_new(&tc, e);
	if (n->g.translate == NULL)
		return -1;
	if (!n->conf.alone)
		translate_channel(n->g.translate, n->conf.translator);
	return 0;
}

void
node_translator_channel(struct node *n, int fd)
{
	translate_channel(n->g.translate, fd);
}

/* ---- the control socket ---- */

static void
listening(void *ctx, char *text, size_t cap)
{
	struct node *n = ctx;
	const struct config *conf = n->g.config;
	size_t at = 0;

	for (size_t i = 0; i < conf->nlistens && at < cap; i++)
		at += (size_t)snprintf(text + at, cap - at, "%s%s", i > 0 ? ", " : "",
		    conf->listens[i].address);
}

static const char *
pull(void *ctx, const char *name)
{
	struct node *n = ctx;

	return pullers_run(n->pullers, name);
}

static bool
pull_show(void *ctx, const char *name, struct strbuf *out)
{
	struct node *n = ctx;

	return pullers_show(n->pullers, name, out);
}

static void
pull_list(void *ctx, struct strbuf *out)
{
	struct node *n = ctx;

	pullers_list(n->pullers, out);
}

static int
start_admin(struct node *n, struct err *e)
{
	const char *path = n->g.config->control;
	int fd = n->conf.admin;

	if (n->conf.alone && (fd = admin_socket_open(path, e)) < 0)
		return -1;
	if (fd < 0)
		return 0;
	n->conf.hooks.listening = listening;
	n->conf.hooks.listening_ctx = n;
	n->conf.hooks.pull = pull;
	n->conf.hooks.pull_show = pull_show;
	n->conf.hooks.pull_list = pull_list;
	n->admin = admin_new(&n->g, fd, n->conf.alone ? path : NULL, &n->conf.hooks);
	return 0;
}

/* ---- housekeeping ---- */

static void
counted(void *arg, size_t n, const struct err *e)
{
	if (e != NULL)
		log_event(LOG_ERROR, "housekeeping", LF_S("error", e->reason));
	else if (n > 0)
		log_event(LOG_INFO, "housekeeping", LF_S("what", arg), LF_I("removed", n));
}

static void
on_housekeeping(evutil_socket_t fd, short what, void *arg)
{
	static char statuses[] = "statuses", quarantine[] = "quarantine";
	struct node *n = arg;
	const struct limits_conf *l = &n->g.config->limits;

	(void)fd;
	(void)what;
	pending_look(n->g.pending);
	if (n->g.worker > 0)
		return;
	store_status_expire(n->g.store, clock_wall_us() - l->status_keep_us, counted, statuses);
	store_quarantine_trim(n->g.store, l->quarantine_rows, l->quarantine_bytes, counted,
	    quarantine);
}

/* ---- reload ---- */

/* Some keys take a restart: a reload that would change them is refused, so that nobody believes it was
 * done. */
static int
same_roots(const struct config *old, const struct config *now, struct err *e)
{
	struct strbuf b = STRBUF_INIT;
	int rc = 0;

	if (config_restart_needed(&b, old, now) > 0)
		rc = err_set(e, ERR_CONFIG, "only a restart changes these keys:\n%s", b.p);
	strbuf_fini(&b);
	return rc;
}

/* The parts that may say no. */
static int
swap_parts(struct node *n, struct err *e)
{
	if (translate_reload(n->g.translate, n->g.config, e) < 0)
		return -1;
	if (catalog_reload(n->g.catalog, e) < 0)
		return -1;
	return spools_reload(n->spools, e);
}

static void
swap_files(struct gateway *g, struct loaded *l)
{
	struct loaded old = { .config = g->config, .trust = g->trust,
		.credentials = g->credentials, .warnings = g->warnings };

	g->config = l->config;
	g->trust = l->trust;
	g->credentials = l->credentials;
	g->warnings = l->warnings;
	l->config = old.config;
	l->trust = old.trust;
	l->credentials = old.credentials;
	l->warnings = old.warnings;
}

int
node_swap(struct node *n, struct loaded *l, struct err *e)
{
	if (same_roots(n->g.config, l->config, e) < 0)
		return -1;
	swap_files(&n->g, l);
	if (swap_parts(n, e) < 0) {
		swap_files(&n->g, l);
		translate_reload(n->g.translate, n->g.config, NULL);
		catalog_reload(n->g.catalog, NULL);
		return -1;
	}
	listeners_swap(n->listeners, l->contexts);
	log_setup(STDERR_FILENO, n->g.config->log_json, n->g.config->log_level);
	peer_links_reload(n->links);
	pullers_reload(n->pullers);
	outbox_reload(n->g.outbox);
	feed_publisher_reload(n->g.publisher);
	loaded_free(l);			/* what was before */
	return 0;
}

/* ---- the end ---- */

static void
part_drained(void *arg)
{
	struct node *n = arg;
	void (*cb)(void *) = n->drained;

	if (--n->waiting > 0 || cb == NULL)
		return;
	n->drained = NULL;
	cb(n->drained_arg);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;

	(void)fd;
	(void)what;
	log_event(LOG_WARN, "drain.cut", LF_I("parts", n->waiting));
	n->waiting = 1;
	part_drained(n);
}

void
node_drain(struct node *n, bool upgrade, void (*cb)(void *arg), void *arg)
{
	int64_t us = n->g.config->limits.drain_us;
	struct timeval tv = { us / 1000000, us % 1000000 };

	if (n->g.draining++)
		return;
	log_event(LOG_INFO, "drain.begins", LF_S("node", n->g.config->name));
	n->drained = cb;
	n->drained_arg = arg;
	evtimer_add(n->deadline, &tv);
	n->waiting = 3 + listeners_parts(n->listeners, upgrade);
	pending_drain(n->g.pending, part_drained, n);
	spools_drain(n->spools, part_drained, n);
	outbox_drain(n->g.outbox, part_drained, n);
	if (n->pullers != NULL) {
		n->waiting++;
		pullers_drain(n->pullers, part_drained, n);
	}
	listeners_drain(n->listeners, upgrade, part_drained, n);
}

/* ---- figures ---- */

/* Those that only adapters know. */
static void
look(void *ctx, struct stats *figures)
{
	struct node *n = ctx;

	listeners_look(n->listeners, figures);
	feeds_figures(n->g.feeds, figures);
	peer_links_figures(n->links, figures);
	spools_figures(n->spools, figures);
	pullers_figures(n->pullers, figures);
}

static bool
ask_figures(void *ctx, uint64_t id)
{
	struct node *n = ctx;

	return n->conf.ask_figures(n->conf.ctx, id);
}

static void
start_figures(struct node *n)
{
	n->figures = (struct figures_source){
		.stats = n->g.stats, .g = &n->g, .store = n->conf.alone ? n->g.store : NULL,
		.started_us = clock_wall_us(), .look = look, .ctx = n,
	};
	if (n->conf.alone)
		store_count_in(n->g.store, n->g.stats);
	redis_count_in(n->g.redis, n->g.stats);
	if (n->g.worker == 0)
		n->g.figures = figures_desk_new(n->g.base, &n->figures,
		    n->conf.ask_figures == NULL ? NULL : ask_figures, n);
}

void
node_figures(struct node *n, struct strbuf *out)
{
	figures_pack(&n->figures, out);
}

/* ---- life ---- */

static void
start_events(struct node *n)
{
	static const struct timeval minute = { HOUSEKEEPING_SECONDS, 0 };

	n->housekeeping = event_new(n->g.base, -1, EV_PERSIST, on_housekeeping, n);
	event_add(n->housekeeping, &minute);
	if (n->conf.alone)		/* a worker looks when its store is there */
		pending_look(n->g.pending);
	n->deadline = evtimer_new(n->g.base, on_deadline, n);
}

static int
start(struct node *n, struct tls *const *contexts, struct err *e)
{
	n->g.stats = stats_new();
	if ((n->conf.alone ? open_local_store(n, e) : open_remote_store(n, e)) < 0 ||
	    start_redis(n, e) < 0)
		return -1;
	start_shared(n);
	if (start_translate(n, e) < 0)
		return -1;
	n->g.intake = intake_new(&n->g);
	n->g.catalog = catalog_new(&n->g, e);
	if (n->g.catalog == NULL)
		return -1;
	n->g.feeds = feeds_new(&n->g);
	n->g.feed_misp = feed_misp_new(&n->g);
	n->g.publisher = n->g.worker == 0 ? feed_publisher_new(&n->g) : NULL;
	n->g.books = consumer_books_new(&n->g);
	n->g.pending = pending_new(&n->g, e);
	if (n->g.pending == NULL)
		return -1;
	n->g.marks = consumer_marks_new(&n->g);
	if (start_admin(n, e) < 0)
		return -1;
	n->listeners = listeners_new(&n->g, &n->conf, contexts, e);
	if (n->listeners == NULL)
		return -1;
	n->links = peer_links_new(&n->g);
	n->g.outbox = outbox_new(&n->g, peer_links_send, n->links);
	n->spools = spools_new(&n->g, e);
	if (n->spools == NULL)
		return -1;
	if (n->g.worker == 0)
		n->pullers = pullers_new(&n->g);
	start_figures(n);
	start_events(n);
	return 0;
}

/* Nobody asks any more; then the store commits what it was given and tells who waits for it, and those are
 * still there to hear it. */
static void
stop(struct node *n)
{
	n->g.draining = 1;
	admin_free(n->admin);
	listeners_close(n->listeners);
	figures_desk_free(n->g.figures);
	peer_links_free(n->links);
	consumer_books_write(n->g.books);
	store_close(n->g.store);
	spools_free(n->spools);
	pullers_free(n->pullers);
	outbox_free(n->g.outbox);
	listeners_free(n->listeners);
	consumer_books_free(n->g.books);
	pending_free(n->g.pending);
	consumer_marks_free(n->g.marks);
	intake_free(n->g.intake);
	translate_free(n->g.translate);
	feed_publisher_free(n->g.publisher);
	feed_misp_free(n->g.feed_misp);
	feeds_free(n->g.feeds);
	catalog_free(n->g.catalog);
	dedup_free(n->g.dedup);
	limiter_free(n->g.limiter);
	redis_free(n->g.redis);
	tls_free(n->redis_tls);
	stats_free(n->g.stats);
	if (n->housekeeping != NULL)
		event_free(n->housekeeping);
	if (n->deadline != NULL)
		event_free(n->deadline);
	keys_wipe(&n->keys);
}

void
node_free(struct node *n)
{
	struct loaded files;

	if (n == NULL)
		return;
	stop(n);
	files = (struct loaded){ .config = n->g.config, .trust = n->g.trust,
		.credentials = n->g.credentials, .warnings = n->g.warnings };
	loaded_free(&files);
	free(n);
}

struct node *
node_new(const struct node_conf *conf, struct loaded *l, struct err *e)
{
	struct node *n = xcalloc(1, sizeof(*n));

	n->conf = *conf;
	n->keys = l->keys;
	n->g = (struct gateway){
		.base = conf->base, .config = l->config, .trust = l->trust,
		.credentials = l->credentials, .warnings = l->warnings, .keys = &n->keys,
		.started_us = conf->started_us,
		.worker = conf->worker, .nworkers = conf->nworkers,
	};
	if (start(n, l->contexts, e) < 0) {
		stop(n);
		free(n);
		return NULL;
	}
	l->config = NULL;
	l->trust = NULL;
	l->credentials = NULL;
	l->warnings = NULL;
	loaded_free(l);
	return n;
}
