#include "gateway/serve.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/http_server.h"
#include "adapters/operations.h"
#include "adapters/peer_link.h"
#include "adapters/spool.h"
#include "adapters/taxii_server.h"
#include "adapters/tls.h"
#include "gateway/admin.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/credentials.h"
#include "gateway/dedup.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/keys.h"
#include "gateway/limiter.h"
#include "gateway/outbox.h"
#include "gateway/stats.h"
#include "gateway/store.h"
#include "gateway/translate.h"
#include "formats/xml.h"

enum { CLAIMS_LOCAL = 100000, BUCKETS_LOCAL = 10000, HOUSEKEEPING_SECONDS = 60 };

struct serve {
	struct gateway		 g;
	const char		*path;		/* of tocsin.conf */
	struct keys		 keys;
	struct tls		*redis_tls;
	struct peer_links	*links;
	struct taxii_server	*taxii;
	struct operations	*operations;
	struct http_server	*http, *ops_http;
	int			*listeners;	/* numbers, parallel to config->listens at start */
	size_t			 nlisteners;
	struct spools		*spools;
	struct admin		*admin;
	struct event		*signals[3], *housekeeping, *deadline;
	int			 waiting;	/* parts that are still draining */
	int			 status;
};

/* ---- loading: everything or nothing ---- */

struct loaded {
	struct config		*config;
	struct trust		*trust;
	struct credentials	*credentials;
};

static void
loaded_free(struct loaded *l)
{
	config_free(l->config);
	trust_free(l->trust);
	credentials_free(l->credentials);
}

/* Read and check all files. -1 with complaints if anything at all is wrong. */
static int
load(const char *path, struct loaded *l, struct complaints *c)
{
	memset(l, 0, sizeof(*l));
	l->config = config_load(path, c);
	if (l->config == NULL)
		return -1;
	l->trust = trust_load(l->config->trust_file, c);
	l->credentials = credentials_load(l->config->credentials_file, c);
	if (l->trust != NULL && l->credentials != NULL &&
	    config_check(l->config, l->trust, tls_key_matches, c) == 0)
		return 0;
	loaded_free(l);
	return -1;
}

static int
load_keys(const struct config *conf, struct keys *k, struct err *e)
{
	if (key_read(conf->sign_key, k->sign, e) < 0 ||
	    key_read(conf->audit_key, k->audit, e) < 0 ||
	    key_read(conf->dedup_key, k->dedup, e) < 0)
		return -1;
	digest_hmac_sha256(slice_from(k->audit, sizeof(k->audit)), SLICE_LIT("tls tickets 1"),
	    k->ticket);
	return ed25519_public(k->sign, k->sign_public, e);
}

/* ---- parts ---- */

static struct bufferevent *
redis_tls(void *ctx, struct event_base *base, const char *host, struct err *e)
{
	struct serve *s = ctx;

	return tls_connect(s->redis_tls, base, -1, host, e);
}

static int
start_redis(struct serve *s, struct err *e)
{
	const struct redis_conf *conf = &s->g.config->redis;

	if (conf->url == NULL)
		return 0;
	if (strncmp(conf->url, "rediss:", 7) == 0) {
		struct tls_client_conf tc = { .ca = conf->ca };

		s->redis_tls = tls_client_new(&tc, e);
		if (s->redis_tls == NULL)
			return -1;
	}
	s->g.redis = redis_new(s->g.base, conf, redis_tls, s, e);
	redis_explain_with(s->g.redis, tls_error);
	return s->g.redis == NULL ? -1 : 0;
}

static void
start_shared(struct serve *s)
{
	const struct config *conf = s->g.config;
	const struct dedup_conf dc = {
		.key = slice_from(s->keys.dedup, sizeof(s->keys.dedup)),
		.store_id = slice_of(store_id(s->g.store)), .prefix = conf->redis.prefix,
		.claim_short_us = conf->redis.claim_short_us,
		.claim_long_us = conf->redis.claim_long_us, .local_max = CLAIMS_LOCAL,
	};
	const struct limiter_conf lc = {
		.prefix = conf->redis.prefix, .key = dc.key, .local_max = BUCKETS_LOCAL,
		.local_share = conf->redis.url == NULL ? 1.0 : 0.5,
	};

	s->g.dedup = dedup_new(s->g.redis, &dc);
	s->g.limiter = limiter_new(s->g.redis, &lc);
}

static int
start_store(struct serve *s, struct err *e)
{
	const struct config *conf = s->g.config;
	const struct store_conf sc = {
		.path = strcmp(conf->store_path, "memory") == 0 ? NULL : conf->store_path,
		.audit_key = slice_from(s->keys.audit, sizeof(s->keys.audit)), .base = s->g.base,
	};

	if (dir_make(conf->state_dir, 0700, e) < 0)
		return -1;
	s->g.store = store_open(&sc, e);
	return s->g.store == NULL ? -1 : 0;
}

/* Tickets outlive reloads and processes, as their secret does. */
static struct tls *
listener_tls(const struct serve *s, const struct listen_conf *l, struct err *e)
{
	static const enum tls_clients modes[] = {
		[CLIENTS_NONE] = TLS_CLIENTS_NONE, [CLIENTS_OPTIONAL] = TLS_CLIENTS_OPTIONAL,
		[CLIENTS_REQUIRED] = TLS_CLIENTS_REQUIRED,
	};
	const struct tls_server_conf tc = {
		.name = l->address, .cert = l->certificate, .key = l->key,
		.clients = modes[l->clients], .client_ca = l->peer_ca,
		.tickets = slice_from(s->keys.ticket, sizeof(s->keys.ticket)),
	};

	return tls_server_new(&tc, e);
}

/* "host:port" or "[v6]:port" */
static int
split_address(const char *address, char host[64], uint16_t *port, struct err *e)
{
	const char *colon = strrchr(address, ':');
	unsigned long long n;
	struct slice h;

	if (colon == NULL || !slice_u64(slice_of(colon + 1), &n) || n > 65535)
		return err_set(e, ERR_CONFIG, "\"%s\" is no address with a port", address);
	h = slice_from(address, (size_t)(colon - address));
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = slice_from(h.p + 1, h.n - 2);
	if (h.n >= 64)
		return err_set(e, ERR_CONFIG, "\"%s\" is no address with a port", address);
	memcpy(host, h.p, h.n);
	host[h.n] = '\0';
	*port = (uint16_t)n;
	return 0;
}

static int
open_listener(struct http_server *server, const char *address, struct tls *tls, struct err *e)
{
	char host[64];
	uint16_t port = 0;
	int fd;

	if (split_address(address, host, &port, e) < 0 ||
	    (fd = http_listen_open(host, port, e)) < 0)
		return -1;
	return http_server_listen(server, fd, tls, e);
}

static struct http_limits
http_limits_of(const struct config *conf)
{
	const struct limits_conf *l = &conf->limits;

	return (struct http_limits){
		.handshake_us = l->handshake_us, .head_us = l->head_us, .body_us = l->body_us,
		.write_us = l->write_us, .min_rate = (int64_t)l->body_rate_bytes,
		.idle_us = l->idle_us, .connections = l->connections,
		.per_address = l->connections_per_address,
		.body = { l->body_in_memory, l->bodies_in_memory, l->bodies_in_files },
	};
}

/* Where large request bodies lie while they are in work. */
static int
open_bodies(const char *path, struct err *e)
{
	int fd;

	if (dir_make(path, 0700, e) < 0)
		return -1;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_IO, "cannot open the folder %s: %s", path, strerror(errno));
	return fd;
}

static int
start_listeners(struct serve *s, struct err *e)
{
	const struct config *conf = s->g.config;
	const struct http_limits lim = http_limits_of(conf);
	int bodies;

	s->taxii = taxii_server_new(&s->g);
	s->http = http_server_new(s->g.base, &lim, taxii_server_handler(s->taxii));
	if ((bodies = open_bodies(conf->bodies_dir, e)) < 0)
		return -1;
	http_server_set_body_folder(s->http, bodies);
	s->listeners = xcalloc(conf->nlistens, sizeof(*s->listeners));
	for (size_t i = 0; i < conf->nlistens; i++) {
		struct tls *tls = listener_tls(s, &conf->listens[i], e);

		if (tls == NULL)
			return -1;
		s->listeners[i] = open_listener(s->http, conf->listens[i].address, tls, e);
		tls_free(tls);
		if (s->listeners[i] < 0)
			return -1;
		s->nlisteners++;
	}
	s->operations = operations_new(&s->g, s->http);
	s->ops_http = http_server_new(s->g.base, NULL, operations_handler(s->operations));
	if (conf->operations != NULL &&
	    open_listener(s->ops_http, conf->operations, NULL, e) < 0)
		return -1;
	return 0;
}

/* ---- reload ---- */

/* Contexts for all listeners, or NULL and *e: nothing is swapped until all are good. */
static struct tls **
new_contexts(const struct serve *s, const struct config *conf, struct err *e)
{
	struct tls **v = xcalloc(s->nlisteners, sizeof(*v));

	for (size_t i = 0; i < s->nlisteners; i++) {
		v[i] = listener_tls(s, &conf->listens[i], e);
		if (v[i] != NULL)
			continue;
		while (i-- > 0)
			tls_free(v[i]);
		free(v);
		return NULL;
	}
	return v;
}

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

static int
swap(struct serve *s, struct loaded *l, struct err *e)
{
	struct config *old_config = s->g.config;
	struct trust *old_trust = s->g.trust;
	struct credentials *old_credentials = s->g.credentials;
	struct tls **contexts;
	struct http_limits lim;

	if (same_roots(old_config, l->config, e) < 0 ||
	    (contexts = new_contexts(s, l->config, e)) == NULL)
		return -1;
	s->g.config = l->config;
	s->g.trust = l->trust;
	s->g.credentials = l->credentials;
	if (catalog_reload(s->g.catalog, e) < 0 || spools_reload(s->spools, e) < 0) {
		s->g.config = old_config;
		s->g.trust = old_trust;
		s->g.credentials = old_credentials;
		catalog_reload(s->g.catalog, NULL);
		for (size_t i = 0; i < s->nlisteners; i++)
			tls_free(contexts[i]);
		free(contexts);
		return -1;
	}
	for (size_t i = 0; i < s->nlisteners; i++) {
		http_server_swap_tls(s->http, s->listeners[i], contexts[i]);
		tls_free(contexts[i]);
	}
	free(contexts);
	lim = http_limits_of(l->config);
	http_server_set_limits(s->http, &lim);
	log_setup(STDERR_FILENO, l->config->log_json, l->config->log_level);
	peer_links_reload(s->links);
	outbox_reload(s->g.outbox);
	config_free(old_config);
	trust_free(old_trust);
	credentials_free(old_credentials);
	return 0;
}

static void
audited(void *arg, const struct err *e)
{
	(void)arg;
	if (e != NULL)
		log_event(LOG_ERROR, "audit.failed", LF_S("error", e->reason));
}

static bool
reload(void *ctx, char *why, size_t cap)
{
	struct serve *s = ctx;
	struct arena *mem = arena_new();
	struct complaints c = { .mem = mem };
	struct err e = ERR_INIT;
	struct loaded l;
	size_t n = 0;
	bool good = false;

	why[0] = '\0';
	if (s->g.draining) {
		snprintf(why, cap, "the node is shutting down");
	} else if (load(s->path, &l, &c) < 0) {
		for (size_t i = 0; i < c.n && n < cap; i++) {
			log_event(LOG_ERROR, "reload.refused", LF_S("error", c.text[i]));
			n += (size_t)snprintf(why + n, cap - n, "%s\n", c.text[i]);
		}
	} else if (swap(s, &l, &e) < 0) {
		err_text(&e, why, cap);
		loaded_free(&l);
		log_event(LOG_ERROR, "reload.refused", LF_S("error", why));
	} else {
		good = true;
	}
	stats_add(s->g.stats, STAT_RELOADS, good ? "done" : "refused", 1);
	if (good) {
		log_event(LOG_INFO, "reload.done", LF_S("config", s->path));
		store_audit_add(s->g.store, "\"ev\":\"reload\"", audited, NULL);
	}
	arena_free(mem);
	return good;
}

static void
listening(void *ctx, char *text, size_t cap)
{
	struct serve *s = ctx;
	size_t n = 0;

	for (size_t i = 0; i < s->nlisteners && n < cap; i++)
		n += (size_t)snprintf(text + n, cap - n, "%s%s", i > 0 ? ", " : "",
		    s->g.config->listens[i].address);
}

/* ---- the end ---- */

static void
part_drained(void *arg)
{
	struct serve *s = arg;

	if (--s->waiting == 0)
		event_base_loopexit(s->g.base, NULL);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct serve *s = arg;

	(void)fd;
	(void)what;
	log_event(LOG_WARN, "drain.cut", LF_I("parts", s->waiting));
	event_base_loopexit(s->g.base, NULL);
}

/* SIGTERM, SIGINT: stop accepting, finish what is in hand, commit, end within a fixed time. */
static void
drain(struct serve *s)
{
	int64_t us = s->g.config->limits.drain_us;
	struct timeval tv = { us / 1000000, us % 1000000 };

	if (s->g.draining++)
		return;
	log_event(LOG_INFO, "drain.begins", LF_S("node", s->g.config->name));
	evtimer_add(s->deadline, &tv);
	s->waiting = 3;
	spools_drain(s->spools, part_drained, s);
	outbox_drain(s->g.outbox, part_drained, s);
	http_server_drain(s->http, part_drained, s);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct serve *s = arg;
	char why[4096];

	(void)what;
	if (sig == SIGHUP)
		reload(s, why, sizeof(why));
	else
		drain(s);
}

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
	struct serve *s = arg;
	const struct limits_conf *l = &s->g.config->limits;

	(void)fd;
	(void)what;
	store_status_expire(s->g.store, clock_wall_us() - l->status_keep_us, counted, statuses);
	store_quarantine_trim(s->g.store, l->quarantine_rows, l->quarantine_bytes, counted,
	    quarantine);
}

/* ---- life ---- */

static void
start_events(struct serve *s)
{
	static const int sigs[] = { SIGHUP, SIGTERM, SIGINT };
	static const struct timeval minute = { HOUSEKEEPING_SECONDS, 0 };

	for (int i = 0; i < 3; i++) {
		s->signals[i] = evsignal_new(s->g.base, sigs[i], on_signal, s);
		evsignal_add(s->signals[i], NULL);
	}
	s->housekeeping = event_new(s->g.base, -1, EV_PERSIST, on_housekeeping, s);
	event_add(s->housekeeping, &minute);
	s->deadline = evtimer_new(s->g.base, on_deadline, s);
}

static int
start(struct serve *s, struct err *e)
{
	const struct admin_hooks hooks = { .ctx = s, .reload = reload, .listening = listening };

	s->g.base = event_base_new();
	s->g.keys = &s->keys;
	s->g.started_us = clock_wall_us();
	s->g.stats = stats_new();
	if (load_keys(s->g.config, &s->keys, e) < 0 || start_store(s, e) < 0 ||
	    start_redis(s, e) < 0)
		return -1;
	start_shared(s);
	s->g.translate = translate_new(&(struct translate_conf){ .config = s->g.config,
	    .stats = s->g.stats }, e);
	if (s->g.translate == NULL)
		return -1;
	s->g.intake = intake_new(&s->g);
	s->g.catalog = catalog_new(&s->g, e);
	if (s->g.catalog == NULL)
		return -1;
	s->admin = admin_new(&s->g, s->g.config->control, &hooks, e);
	if (s->admin == NULL || start_listeners(s, e) < 0)
		return -1;
	s->links = peer_links_new(&s->g);
	s->g.outbox = outbox_new(&s->g, peer_links_send, s->links);
	s->spools = spools_new(&s->g, e);
	if (s->spools == NULL)
		return -1;
	start_events(s);
	return 0;
}

/* Nobody asks any more; then the store commits what it was given and tells who waits for it, and those are
 * still there to hear it. */
static void
stop(struct serve *s)
{
	s->g.draining = 1;
	admin_free(s->admin);
	http_server_free(s->ops_http);
	http_server_free(s->http);
	operations_free(s->operations);
	peer_links_free(s->links);
	store_close(s->g.store);
	spools_free(s->spools);
	outbox_free(s->g.outbox);
	taxii_server_free(s->taxii);
	intake_free(s->g.intake);
	translate_free(s->g.translate);
	catalog_free(s->g.catalog);
	dedup_free(s->g.dedup);
	limiter_free(s->g.limiter);
	redis_free(s->g.redis);
	tls_free(s->redis_tls);
	stats_free(s->g.stats);
	for (int i = 0; i < 3; i++)
		if (s->signals[i] != NULL)
			event_free(s->signals[i]);
	if (s->housekeeping != NULL)
		event_free(s->housekeeping);
	if (s->deadline != NULL)
		event_free(s->deadline);
	free(s->listeners);
	keys_wipe(&s->keys);
	config_free(s->g.config);
	trust_free(s->g.trust);
	credentials_free(s->g.credentials);
	event_base_free(s->g.base);
}

/* No core files with secrets in them, no death by a closed socket, private files by default. */
static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	umask(077);
}

static int
usage(void)
{
	fputs("usage: tocsin serve [--config FILE]\n", stderr);
	return 2;
}

int
cmd_serve(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { NULL, 0, NULL, 0 }
	};
	struct serve s = { .path = "tocsin.conf" };
	struct arena *mem = arena_new();
	struct complaints c = { .mem = mem };
	struct err e = ERR_INIT;
	struct loaded l;
	char text[sizeof(e) + 64];
	int opt;

	while ((opt = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (opt != 'c')
			return usage();
		s.path = optarg;
	}
	if (optind != argc)
		return usage();
	harden();
	if (load(s.path, &l, &c) < 0) {
		for (size_t i = 0; i < c.n; i++)
			fprintf(stderr, "%s\n", c.text[i]);
		arena_free(mem);
		return 2;
	}
	arena_free(mem);
	s.g.config = l.config;
	s.g.trust = l.trust;
	s.g.credentials = l.credentials;
	log_setup(STDERR_FILENO, s.g.config->log_json, s.g.config->log_level);
	if (start(&s, &e) < 0) {
		fprintf(stderr, "tocsin: %s\n", err_text(&e, text, sizeof(text)));
		stop(&s);
		return 2;
	}
	log_event(LOG_INFO, "serving", LF_S("node", s.g.config->name),
	    LF_S("version", TOCSIN_VERSION), LF_I("pid", getpid()));
	event_base_dispatch(s.g.base);
	log_event(LOG_INFO, "ended", LF_S("node", s.g.config->name));
	stop(&s);
	return s.status;
}
