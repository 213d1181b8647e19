/* worker.c -- a worker's process: a node that was lent its sockets, its store and its translator
 * (node.h). */
#include "gateway/child.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/wire.h"
#include "gateway/config.h"
#include "gateway/figures.h"
#include "gateway/node.h"
#include "gateway/outbox.h"
#include "gateway/peer.h"
#include "gateway/sandbox.h"
#include "gateway/stats.h"
#include "gateway/store.h"

/* A question to the master that an administrator waits for. */
struct asked {
	uint64_t	 id;
	admin_done_cb	*done;
	void		*arg;
	struct asked	*next;
};

struct worker {
	struct child	*c;
	struct node	*node;
	struct asked	*asked;
	uint64_t	 last_id;
	bool		 drained, last;	/* worker 0 ends when both are true */
	/* a reload that may come true */
	struct loaded	 prepared;
	struct bundle	*prepared_bundle;
};

/* ---- reload ---- */

static void
drop_prepared(struct worker *w)
{
	loaded_free(&w->prepared);
	bundle_free(w->prepared_bundle);
	w->prepared_bundle = NULL;
}

static void
answer(struct worker *w, uint64_t id, bool good, const char *why)
{
	struct strbuf b = STRBUF_INIT;

	wire_put_bool(&b, good);
	wire_put_string(&b, why);
	child_send(w->c, CONTROL_PREPARED, id, strbuf_slice(&b));
	strbuf_fini(&b);
}

/* Load what may come, beside what is. */
static void
prepare(struct worker *w, uint64_t id, struct slice body)
{
	struct complaints c = { 0 };
	struct err e = ERR_INIT;
	const char *why = "the bundle is damaged";
	bool good = false;

	drop_prepared(w);
	w->prepared_bundle = bundle_unpack(body, &e);
	if (w->prepared_bundle != NULL) {
		file_overlay(w->prepared_bundle);
		good = load_worker(&w->prepared, w->c->orders.config, w->c->orders.common,
		    &c) == 0;
		file_overlay(w->c->bundle);
		why = good ? "" : c.n > 0 ? c.text[0] : "it does not load";
	}
	answer(w, id, good, why);
	if (!good)
		drop_prepared(w);
	arena_free(c.mem);
}

/* All have said yes. Who cannot keep his word starts anew with the new files. */
static void
commit(struct worker *w, uint64_t id)
{
	struct err e = ERR_INIT;

	if (w->prepared_bundle == NULL) {
		log_event(LOG_ERROR, "reload.lost", LF_S("error", "nothing was prepared"));
		_exit(1);
	}
	file_overlay(w->prepared_bundle);
	if (node_swap(w->node, &w->prepared, &e) < 0) {
		log_event(LOG_ERROR, "reload.lost", LF_S("error", e.reason));
		_exit(1);
	}
	bundle_free(w->c->bundle);
	w->c->bundle = w->prepared_bundle;
	w->prepared_bundle = NULL;
	child_send(w->c, CONTROL_COMMITTED, id, SLICE_EMPTY);
}

/* Worker 0 keeps the books. */
static void
reloaded(struct worker *w, struct slice body)
{
	struct gateway *g = node_gateway(w->node);
	struct wire r;
	bool good;

	wire_open(&r, body);
	good = wire_bool(&r);
	if (!wire_done(&r))
		return;
	stats_add(g->stats, STAT_RELOADS, good ? "done" : "refused", 1);
	if (good)
		store_audit_add(g->store, "\"ev\":\"reload\"", audit_kept, NULL);
}

/* ---- what an administrator asks of all ---- */

static void
ask(struct worker *w, enum control_type type, admin_done_cb *done, void *arg)
{
	struct asked *q = xcalloc(1, sizeof(*q));

	q->id = ++w->last_id;
	q->done = done;
	q->arg = arg;
	q->next = w->asked;
	w->asked = q;
	child_send(w->c, type, q->id, SLICE_EMPTY);
}

static void
ask_reload(void *ctx, admin_done_cb *done, void *arg)
{
	ask(ctx, CONTROL_ASK_RELOAD, done, arg);
}

static void
ask_upgrade(void *ctx, admin_done_cb *done, void *arg)
{
	ask(ctx, CONTROL_ASK_UPGRADE, done, arg);
}

static void
ask_retry(void *ctx, const char *peer)
{
	struct worker *w = ctx;

	child_send(w->c, CONTROL_ASK_RETRY, 0, slice_of(peer));
}

static bool
ask_figures(void *ctx, uint64_t id)
{
	struct worker *w = ctx;

	return ipc_send(w->c->master, CONTROL_ASK_FIGURES, id, SLICE_EMPTY, -1);
}

static void
tell_figures(struct worker *w, uint64_t id)
{
	struct strbuf b = STRBUF_INIT;

	node_figures(w->node, &b);
	child_send(w->c, CONTROL_FIGURES_ARE, id, strbuf_slice(&b));
	strbuf_fini(&b);
}

static void
answered(struct worker *w, uint64_t id, struct slice body)
{
	struct asked **at = &w->asked, *q;
	struct arena *mem = arena_new();
	const char *why;
	struct wire r;
	bool good;

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	wire_open(&r, body);
	good = wire_bool(&r);
	why = wire_name(&r, mem);
	if ((q = *at) != NULL && wire_done(&r)) {
		*at = q->next;
		q->done(q->arg, good, why);
		free(q);
	}
	arena_free(mem);
}

static void
retry(struct worker *w, struct slice peer)
{
	struct gateway *g = node_gateway(w->node);
	const struct peer *p = trust_find(g->trust, peer);

	if (p != NULL && gateway_owns(g, p->name))
		outbox_retry(g->outbox, p->name);
}

/* ---- frames ---- */

/* Worker 0 answers /readyz and `tocsin status` as long as any worker is at work. */
static void
end_if_last(struct worker *w)
{
	if (w->drained && (w->last || w->c->orders.index != 0))
		child_end(w->c);
}

static void
on_drained(void *arg)
{
	struct worker *w = arg;

	w->drained = true;
	end_if_last(w);
}

static void
replace(void *ctx, unsigned generation, const char *why)
{
	struct worker *w = ctx;

	child_send(w->c, CONTROL_REPLACE, generation, slice_of(why));
}

static void
take_channel(struct worker *w, struct ipc_message *m)
{
	if (m->fd < 0)
		return;
	if (m->type == CONTROL_STORE)
		node_store_channel(w->node, m->fd);
	else
		node_translator_channel(w->node, m->fd);
	m->fd = -1;
}

static void
on_frame(struct child *c, struct ipc_message *m)
{
	struct worker *w = c->self;

	switch (m->type) {
	case CONTROL_STORE:
	case CONTROL_TRANSLATOR:
		take_channel(w, m);
		break;
	case CONTROL_PREPARE:
		prepare(w, m->id, m->body);
		break;
	case CONTROL_COMMIT:
		commit(w, m->id);
		break;
	case CONTROL_ABORT:
		drop_prepared(w);
		break;
	case CONTROL_RELOADED:
		reloaded(w, m->body);
		break;
	case CONTROL_RETRY:
		retry(w, m->body);
		break;
	case CONTROL_FIGURES:
		tell_figures(w, m->id);
		break;
	case CONTROL_REPORT:
		if (node_gateway(w->node)->figures != NULL)
			figures_report(node_gateway(w->node)->figures, m->id, m->body);
		break;
	case CONTROL_DONE:
		answered(w, m->id, m->body);
		break;
	case CONTROL_DRAIN:
		w->last = w->last || m->id != 0;	/* there is another of us already */
		node_drain(w->node, m->id != 0, on_drained, w);
		break;
	case CONTROL_LAST:
		w->last = true;
		end_if_last(w);
		break;
	default:
		break;
	}
}

/* ---- life ---- */

enum { PATHS_MAX = 2048 };		/* of all kinds of folders: a peer may have one */

static void
add_path(struct sandbox_path *v, size_t *n, const char *path, bool write)
{
	if (path != NULL && *n < PATHS_MAX)
		v[(*n)++] = (struct sandbox_path){ .path = path, .write = write };
}

/* Folders that peers are served through. */
static void
add_folders(struct sandbox_path *v, size_t *n, const struct trust *t)
{
	for (size_t i = 0; i < trust_peers(t); i++) {
		const char *path = trust_peer(t, i)->folder;

		if (path != NULL && *n < PATHS_MAX)
			v[(*n)++] = (struct sandbox_path){ .path = path, .write = true, .foreign = true };
	}
}

static int
confine(struct worker *w, const struct config *conf, const struct trust *trust, struct err *e)
{
	static const char *const system_files[] = {
		"/etc/resolv.conf", "/run/systemd/resolve", "/etc/hosts", "/etc/localtime",
		"/usr/share/zoneinfo", "/dev/urandom",
	};
	struct sandbox_path paths[PATHS_MAX];
	struct sandbox s = { .kind = PROCESS_WORKER, .uid = w->c->orders.uid,
		.gid = w->c->orders.gid, .paths = paths };
	const char *redis = conf->redis.url;

	add_path(paths, &s.npaths, arena_str(w->c->mem, file_folder(conf->store_path)), false);
	add_path(paths, &s.npaths, conf->bodies_dir, true);
	add_path(paths, &s.npaths, conf->feeds_dir, true);
	for (size_t i = 0; i < conf->nfeeds; i++)
		add_path(paths, &s.npaths, conf->feeds[i].path, true);
	for (size_t i = 0; i < conf->nspools; i++)
		add_path(paths, &s.npaths, conf->spools[i].path, true);
	for (size_t i = 0; i < sizeof(system_files) / sizeof(*system_files); i++)
		add_path(paths, &s.npaths, system_files[i], false);
	if (redis != NULL && strncmp(redis, "unix:", 5) == 0)
		add_path(paths, &s.npaths, redis + 5, true);
	add_folders(paths, &s.npaths, trust);
	return sandbox_enter(&s, e);
}

static struct node_socket *
take_sockets(struct child *c, size_t nlistens, size_t *n)
{
	struct node_socket *v = xcalloc(c->nlent + 1, sizeof(*v));
	uint64_t listen;
	int fd;

	*n = 0;
	while ((fd = child_take(c, CONTROL_LISTENER, &listen)) >= 0) {
		if (listen < nlistens)
			v[(*n)++] = (struct node_socket){ (size_t)listen, fd };
		else
			close(fd);
	}
	return v;
}

static int
start(struct worker *w, struct loaded *l, struct err *e)
{
	struct child *c = w->c;
	struct node_conf nc = {
		.base = c->base, .started_us = c->orders.started_us, .worker = c->orders.index,
		.nworkers = c->orders.nworkers,
		.operations = child_take(c, CONTROL_OPERATIONS, NULL),
		.admin = child_take(c, CONTROL_ADMIN, NULL),
		.store = child_take(c, CONTROL_STORE, NULL),
		.translator = child_take(c, CONTROL_TRANSLATOR, NULL),
		.replace = replace, .ask_figures = ask_figures, .ctx = w,
		.hooks = { .ctx = w, .reload = ask_reload, .upgrade = ask_upgrade,
		    .retry = ask_retry },
	};
	struct node_socket *sockets = take_sockets(c, l->config->nlistens, &nc.nsockets);

	nc.sockets = sockets;
	if (nc.store < 0 || nc.translator < 0)
		err_set(e, ERR_VALUE, "a worker needs a storekeeper and a translator");
	else if (confine(w, l->config, l->trust, e) == 0)
		w->node = node_new(&nc, l, e);
	free(sockets);
	return w->node == NULL ? -1 : 0;
}

int
worker_run(struct child *c)
{
	struct worker w = { .c = c };
	struct complaints why = { 0 };
	struct err e = ERR_INIT;
	struct loaded l;
	char text[sizeof(e) + 64];
	int status = 0;

	c->on_frame = on_frame;
	/* cppcheck-suppress autoVariables */
	c->self = &w;
	if (load_worker(&l, c->orders.config, c->orders.common, &why) < 0) {
		status = child_fail(c, why.n > 0 ? why.text[0] : "it does not load");
		arena_free(why.mem);
		return status;
	}
	log_setup(STDERR_FILENO, l.config->log_json, l.config->log_level);
	if (start(&w, &l, &e) < 0) {
		status = child_fail(c, err_text(&e, text, sizeof(text)));
		loaded_free(&l);
	} else {
		child_serve(c);
	}
	node_free(w.node);
	drop_prepared(&w);
	arena_free(why.mem);
	return status;
}
