#include "gateway/one.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/config.h"
#include "gateway/node.h"
#include "gateway/outbox.h"
#include "gateway/stats.h"
#include "gateway/store.h"

enum { SIGNALS = 3 };

struct one {
	const char		*path;
	struct event_base	*base;
	struct node		*node;
	struct event		*signals[SIGNALS];
};

/* ---- reload ---- */

/* Read everything and take it; `why` says every complaint. */
static bool
take_files(struct one *o, struct strbuf *why)
{
	struct complaints c = { 0 };
	struct err e = ERR_INIT;
	struct loaded l;
	char text[sizeof(e) + 64];
	bool good = false;

	if (load_all(&l, o->path, NULL, &c) < 0) {
		for (size_t i = 0; i < c.n; i++)
			strbuf_addf(why, "%s\n", c.text[i]);
	} else if (node_swap(o->node, &l, &e) < 0) {
		strbuf_adds(why, err_text(&e, text, sizeof(text)));
		loaded_free(&l);
	} else {
		good = true;
	}
	arena_free(c.mem);
	return good;
}

static void
reload(void *ctx, admin_done_cb *done, void *arg)
{
	struct one *o = ctx;
	struct gateway *g = node_gateway(o->node);
	struct strbuf why = STRBUF_INIT;
	bool good = false;

	if (g->draining)
		strbuf_adds(&why, "the node is shutting down");
	else
		good = take_files(o, &why);
	stats_add(g->stats, STAT_RELOADS, good ? "done" : "refused", 1);
	if (good) {
		log_event(LOG_INFO, "reload.done", LF_S("config", o->path));
		store_audit_add(g->store, "\"ev\":\"reload\"", audit_kept, NULL);
	} else {
		log_event(LOG_ERROR, "reload.refused", LF_S("error", why.p));
	}
	if (done != NULL)
		done(arg, good, why.n > 0 ? why.p : "");
	strbuf_fini(&why);
}

static void
retry(void *ctx, const char *peer)
{
	struct one *o = ctx;

	outbox_retry(node_gateway(o->node)->outbox, peer);
}

/* ---- life ---- */

static void
on_drained(void *arg)
{
	struct one *o = arg;

	event_base_loopexit(o->base, NULL);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct one *o = arg;

	(void)what;
	if (sig == SIGHUP)
		reload(o, NULL, NULL);
	else
		node_drain(o->node, false, on_drained, o);
}

static void
start_signals(struct one *o)
{
	static const int sigs[SIGNALS] = { SIGHUP, SIGTERM, SIGINT };

	for (int i = 0; i < SIGNALS; i++) {
		o->signals[i] = evsignal_new(o->base, sigs[i], on_signal, o);
		evsignal_add(o->signals[i], NULL);
	}
}

static int
start(struct one *o, struct loaded *l, struct err *e)
{
	const struct node_conf nc = {
		.base = o->base, .started_us = clock_wall_us(), .nworkers = 1, .alone = true,
		.operations = -1, .admin = -1, .store = -1, .translator = -1, .ctx = o,
		.hooks = { .ctx = o, .reload = reload, .retry = retry },
	};

	o->node = node_new(&nc, l, e);
	return o->node == NULL ? -1 : 0;
}

static void
serve(struct one *o)
{
	const char *name = node_gateway(o->node)->config->name;

	start_signals(o);
	log_event(LOG_INFO, "serving", LF_S("node", name), LF_S("version", TOCSIN_VERSION),
	    LF_I("pid", getpid()));
	event_base_dispatch(o->base);
	log_event(LOG_INFO, "ended", LF_S("node", node_gateway(o->node)->config->name));
	node_free(o->node);
	for (int i = 0; i < SIGNALS; i++)
		event_free(o->signals[i]);
}

int
one_run(const char *config)
{
	struct one o = { .path = config };
	struct complaints c = { 0 };
	struct err e = ERR_INIT;
	struct loaded l;
	char text[sizeof(e) + 64];
	int status = 2;

	if (load_all(&l, config, NULL, &c) < 0) {
		load_print(&c);
		arena_free(c.mem);
		return status;
	}
	arena_free(c.mem);
	log_setup(STDERR_FILENO, l.config->log_json, l.config->log_level);
	o.base = event_base_new();
	if (start(&o, &l, &e) < 0) {
		fprintf(stderr, "tocsin: %s\n", err_text(&e, text, sizeof(text)));
		loaded_free(&l);
	} else {
		serve(&o);
		status = 0;
	}
	event_base_free(o.base);
	return status;
}
