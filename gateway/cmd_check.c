/* cmd_check.c -- `tocsin check`: everything that the node would read, before it does. */
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/taxii_url.h"
#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_check.h"
#include "gateway/config.h"
#include "gateway/credentials.h"
#include "gateway/health.h"
#include "gateway/redis.h"

enum { SOON_DAYS = 30, STEP_MS = 20 };
static const int64_t day_us = 86400 * INT64_C(1000000);

struct check {
	const struct args	*a;
	const char		*path;
	struct config		*conf;
	struct trust		*trust;
	struct credentials	*credentials;
	struct complaints	 c;
	size_t			 warnings;
};

static void	warn(struct check *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "warning: ..." on stderr; warnings change no exit status. */
static void
warn(struct check *k, const char *fmt, ...)
{
	va_list ap;

	k->warnings++;
	fputs("warning: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ---- certificates ---- */

/* Certificates that have ended are errors, those that soon will are warnings. */
static void
check_dates(struct check *k, const char *what, const char *cert)
{
	int64_t now = clock_wall_us(), from, until;
	struct err e = ERR_INIT;

	if (cert == NULL || tls_cert_read(cert, NULL, &from, &until, &e) < 0)
		return;		/* config_check has said so */
	if (now < from)
		complain(&k->c, NULL, "%s: %s: not valid yet", what, cert);
	else if (now > until)
		complain(&k->c, NULL, "%s: %s: no longer valid", what, cert);
	else if (until - now < SOON_DAYS * day_us)
		warn(k, "%s: %s: valid for %lld more days", what, cert,
		    (long long)((until - now) / day_us));
}

/* A file of CAs must be one. */
static void
check_ca(struct check *k, const char *what, const char *ca)
{
	struct tls_client_conf conf = { .ca = ca };
	struct err e = ERR_INIT;
	struct tls *t;

	if (ca == NULL || !file_exists(ca))
		return;
	t = tls_client_new(&conf, &e);
	if (t == NULL)
		complain(&k->c, NULL, "%s: %s", what, e.reason);
	tls_free(t);
}

/* ---- Redis ---- */

/* What the client of the node says to PING. */
struct ping {
	struct event_base	*base;
	struct tls		*tls;
	bool			 answered, good;
	char			 text[128];
};

static void
on_pong(void *arg, const struct redis_reply *r)
{
	struct ping *p = arg;

	p->answered = r != NULL;
	p->good = r != NULL && r->kind == REDIS_STATUS && slice_is(r->text, "PONG");
	if (r != NULL && r->kind == REDIS_ERROR)
		snprintf(p->text, sizeof(p->text), "%.*s", r->text.n > 100 ? 100 : (int)r->text.n,
		    r->text.p);
	event_base_loopbreak(p->base);
}

static struct bufferevent *
make_tls(void *ctx, struct event_base *base, const char *host, struct err *e)
{
	struct ping *p = ctx;

	return tls_connect(p->tls, base, -1, host, e);
}

/* Run the loop until Redis is up, at most `us`. */
static void
wait_until_up(struct ping *p, const struct redis *r, int64_t us)
{
	const struct timeval step = { 0, STEP_MS * 1000 };
	int64_t end = clock_mono_us() + us;

	while (redis_state(r) != REDIS_UP && clock_mono_us() < end) {
		event_base_loopexit(p->base, &step);
		event_base_dispatch(p->base);
	}
}

static void
ping(const struct redis_conf *conf, struct ping *p, struct err *e)
{
	const struct slice word = SLICE_LIT("PING");
	const struct timeval limit = { (conf->command_us + 2000000) / 1000000, 0 };
	struct redis *r = redis_new(p->base, conf, make_tls, p, e);

	if (r == NULL)
		return;
	redis_explain_with(r, tls_error);
	wait_until_up(p, r, conf->connect_us + 1000000);
	if (redis_state(r) != REDIS_UP) {
		err_set(e, ERR_IO, "%s", redis_reason(r));
		redis_free(r);
		return;
	}
	redis_command(r, 1, &word, on_pong, p);
	if (!p->answered) {
		event_base_loopexit(p->base, &limit);
		event_base_dispatch(p->base);
	}
	redis_free(r);
	if (!p->answered)
		err_set(e, ERR_IO, "PING is not answered");
	else if (!p->good)
		err_set(e, ERR_IO, "PING is answered with '%s'", p->text);
}

static void
check_redis(struct check *k)
{
	const struct redis_conf *conf = &k->conf->redis;
	struct tls_client_conf tls = { .ca = conf->ca };
	struct ping p = { .base = NULL };
	struct err e = ERR_INIT;

	if (conf->url == NULL || args_get(k->a, "offline") != NULL)
		return;
	p.base = event_base_new();
	if (conf->ca != NULL)
		p.tls = tls_client_new(&tls, &e);
	if (conf->ca == NULL || p.tls != NULL)
		ping(conf, &p, &e);
	if (e.code != ERR_NONE)
		complain(&k->c, NULL, "%s: redis %s: %s", k->path, conf->url, e.reason);
	tls_free(p.tls);
	event_base_free(p.base);
}

/* ---- the whole ---- */

/* Secrets of somebody whom trust.conf does not know open nothing; the administrator may not mean that. */
static void
check_credentials(struct check *k)
{
	const char *name;

	for (size_t i = 0; (name = credentials_name(k->credentials, i)) != NULL; i++)
		if (trust_find(k->trust, slice_of(name)) == NULL)
			warn(k, "%s: %s: trust.conf has no consumer or peer of that name, so this opens "
			    "nothing", k->conf->credentials_file, name);
}

/* A file beside the configuration, when the configuration itself cannot say which. */
static const char *
beside(struct check *k, const char *file)
{
	const char *slash = strrchr(k->path, '/');
	char *path = slash == NULL ? arena_str(k->c.mem, slice_of(file)) :
	    arena_fmt(k->c.mem, "%.*s/%s", (int)(slash - k->path), k->path, file);

	return file_exists(path) ? path : NULL;
}

static void
load(struct check *k)
{
	const char *trust, *credentials;

	k->conf = config_load(k->path, &k->c);
	if (k->conf == NULL && !file_exists(k->path))
		return;
	trust = k->conf == NULL ? beside(k, "trust.conf") : k->conf->trust_file;
	credentials = k->conf == NULL ? beside(k, "credentials") : k->conf->credentials_file;
	if (trust != NULL)
		k->trust = trust_load(trust, &k->c);
	if (credentials != NULL && file_exists(credentials))
		k->credentials = credentials_load(credentials, &k->c);
}

/* An address that nobody could call, and a peer from which nothing would ever be asked or sent. */
static void
check_address(struct check *k, const struct peer *p)
{
	struct line at = { .file = p->file, .number = p->line };
	struct err e = ERR_INIT;
	struct taxii_url url;
	bool pulled = false;

	if (p->url == NULL)
		return;
	if (taxii_url_parse(p->url, &url, &e) < 0)
		complain(&k->c, &at, "peer %s: url: %s", p->name, e.reason);
	for (size_t i = 0; k->conf != NULL && i < k->conf->npulls; i++)
		pulled = pulled || strcmp(k->conf->pulls[i].peer, p->name) == 0;
	if (!pulled && !peer_is_sent_to(p))
		warn(k, "%s:%u: peer %s has a url, and neither a collection to send to nor a `pull` in %s",
		    p->file, p->line, p->name, k->path);
}

static void
check_outside(struct check *k)
{
	const struct config *conf = k->conf;

	config_check(conf, k->trust, tls_key_matches, &k->c);
	check_dates(k, "node", conf->client_certificate);
	check_ca(k, "node peer-ca", conf->peer_ca);
	for (size_t i = 0; i < conf->nlistens; i++) {
		const struct listen_conf *l = &conf->listens[i];

		if (l->certificate != conf->client_certificate)
			check_dates(k, "listen", l->certificate);
		if (l->peer_ca != conf->peer_ca)
			check_ca(k, "listen peer-ca", l->peer_ca);
	}
	check_ca(k, "redis ca", conf->redis.ca);
	for (size_t i = 0; k->trust != NULL && i < trust_peers(k->trust); i++) {
		const struct peer *p = trust_peer(k->trust, i);
		struct line at = { .file = p->file, .number = p->line };

		if (p->ca != NULL && !file_exists(p->ca))
			complain(&k->c, &at, "peer %s: ca: %s is not there", p->name, p->ca);
		else
			check_ca(k, arena_fmt(k->c.mem, "peer %s", p->name), p->ca);
		check_address(k, p);
	}
	if (k->trust != NULL && k->credentials != NULL)
		check_credentials(k);
	check_redis(k);
}

/* ", N things". */
static void
print_count(size_t n, const char *thing)
{
	printf(", %zu %s%s", n, thing, n == 1 ? "" : "s");
}

static void
print_good(const struct check *k)
{
	size_t peers = 0, consumers = 0;

	for (size_t i = 0; i < trust_peers(k->trust); i++)
		*(trust_peer(k->trust, i)->is_consumer ? &consumers : &peers) += 1;
	printf("configuration %s is good: node %s", k->path, k->conf->name);
	print_count(peers, "peer");
	print_count(consumers, "consumer");
	print_count(k->conf->ncollections, "collection");
	print_count(k->conf->nspools, "spool");
	if (k->conf->redis.url != NULL)
		printf(", Redis %s", args_get(k->a, "offline") != NULL ? "not asked" : "answers");
	if (k->warnings > 0)
		print_count(k->warnings, "warning");
	putchar('\n');
}

static int
print_text(void (*print)(struct strbuf *out, const struct config *conf), const struct config *conf)
{
	struct strbuf out = STRBUF_INIT;
	int status;

	print(&out, conf);
	status = cmd_print(strbuf_slice(&out));
	strbuf_fini(&out);
	return status;
}

static void
print_reference(struct strbuf *out, const struct config *conf)
{
	(void)conf;
	config_print_reference(out);
}

/* The generated part of tocsin-metrics(7). */
static void
print_metrics(struct strbuf *out, const struct config *conf)
{
	(void)conf;
	strbuf_adds(out, ".SH METRICS\n");
	stats_print_reference(out);
	strbuf_adds(out, ".SH PROBLEMS\n");
	health_print_reference(out);
}

static void
let_go(struct check *k)
{
	config_free(k->conf);
	trust_free(k->trust);
	credentials_free(k->credentials);
	arena_free(k->c.mem);
}

/* The store alone: the rest of the configuration may be in repair. */
static int
check_store(struct check *k)
{
	int status = cmd_check_store(k->a, k->conf);

	let_go(k);
	return status;
}

static int
run(const struct args *a)
{
	struct check k = { .a = a, .path = cmd_config_path(a), .c = { .mem = arena_new() } };
	int status = CMD_FAILED;

	if (args_get(a, "reference") != NULL || args_get(a, "metrics") != NULL) {
		arena_free(k.c.mem);
		return print_text(args_get(a, "metrics") != NULL ? print_metrics : print_reference,
		    NULL);
	}
	load(&k);
	if (args_get(a, "store") != NULL && k.conf != NULL)
		return check_store(&k);
	if (k.conf != NULL)
		check_outside(&k);
	if (k.c.n > 0 || k.conf == NULL || k.trust == NULL) {
		cmd_complaints(&k.c);
		fprintf(stderr, "configuration %s: %zu error%s\n", k.path, k.c.n + k.c.dropped,
		    k.c.n + k.c.dropped == 1 ? "" : "s");
	} else if (args_get(a, "effective") != NULL) {
		status = print_text(config_print, k.conf);
	} else {
		print_good(&k);
		status = CMD_DONE;
	}
	let_go(&k);
	return status;
}

static const struct cmd_option options[] = {
	CMD_CONFIG,
	{ "effective", 'e', NULL, "print every key with the value that holds, and where it was said" },
	{ "offline", 'o', NULL, "do not try to reach Redis" },
	{ "store", 's', NULL, "look through the store instead: every page, object, index and audit "
	    "record; the node may be running" },
	{ "quick", 'q', NULL, "with --store: pages and counts only" },
	{ "file", 'f', "DATABASE", "with --store: another file, such as a backup" },
	{ "json", 'j', NULL, "with --store: for programs" },
	{ "reference", 0, NULL, "print the reference of all keys (Markdown) and do nothing else" },
	{ "metrics", 0, NULL, "print the reference of all metrics (man(7)) and do nothing else" },
	{ .name = NULL }
};

const struct command command_check = {
	"check", "", 0, 0, "is the configuration good, or the store whole",
	"Reads everything that the node would read, and lists all errors at once with file and "
	"line: syntax, names that do not exist, files that cannot be read or that others can, "
	"keys that do not fit their certificates, mappings, Redis. Changes nothing. Exit status 2 "
	"if anything is wrong.\n"
	"With --store it looks through the node's store: SQLite's own check of every page, each "
	"object's bytes against the hash they were stored under, indexes, dates, counts, and the "
	"audit log's seals. Damage is named with the object and its collections; exit status 1 "
	"then. While it reads beside a running node, the node's write-ahead log grows.",
	options, run
};
