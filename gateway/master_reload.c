/* master_reload.c -- new files for all, or for none. */
#include "gateway/master_parts.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/log.h"
#include "gateway/base/wire.h"
#include "gateway/config.h"
#include "gateway/load.h"

enum { VOTE_SECONDS = 30 };

enum reload_step { RELOAD_NONE, RELOAD_PREPARE, RELOAD_COMMIT };

struct master_reload {
	enum reload_step step;
	uint64_t	 number;
	struct config	*config;	/* what may come */
	struct bundle	*bundle;
	struct out_folders folders;
	struct waiter	*waiters;	/* for this one */
	struct waiter	*next;		/* for the one after it */
	bool		 again;		/* there is to be one after it */
	bool		 widen;		/* workers need folders that they may not see */
	bool		 renew;		/* translators need the new files as well */
	struct event	*late;
};

static void	begin(struct master *m);

/* ---- who waits ---- */

void
master_answer(struct master *m, const struct waiter *w, bool good, const char *why)
{
	struct strbuf b = STRBUF_INIT;

	if (m->workers[0].pid != w->pid)
		return;			/* who asked is gone */
	wire_put_bool(&b, good);
	wire_put_string(&b, why);
	proc_send(&m->workers[0], CONTROL_DONE, w->id, strbuf_slice(&b), -1);
	strbuf_fini(&b);
}

static void
add_waiter(struct waiter **list, const struct proc *who, uint64_t id)
{
	struct waiter *w;

	if (who == NULL)
		return;
	w = xcalloc(1, sizeof(*w));
	w->id = id;
	w->pid = who->pid;
	w->next = *list;
	*list = w;
}

static void
free_waiters(struct waiter **list)
{
	while (*list != NULL) {
		struct waiter *w = *list;

		*list = w->next;
		free(w);
	}
}

/* ---- the end of one ---- */

static void
finish(struct master *m, bool good, const char *why)
{
	struct master_reload *r = m->reload;
	struct strbuf b = STRBUF_INIT;

	evtimer_del(r->late);
	r->step = RELOAD_NONE;
	for (uint32_t i = 0; i < m->nworkers; i++)
		spare_drop(m, i);
	config_free(r->config);
	bundle_free(r->bundle);
	folders_free(&r->folders);
	r->config = NULL;
	r->bundle = NULL;
	if (good)
		log_event(LOG_INFO, "reload.done", LF_S("config", m->path));
	else
		log_event(LOG_ERROR, "reload.refused", LF_S("error", why));
	wire_put_bool(&b, good);
	proc_send(&m->workers[0], CONTROL_RELOADED, 0, strbuf_slice(&b), -1);
	strbuf_fini(&b);
	for (const struct waiter *w = r->waiters; w != NULL; w = w->next)
		master_answer(m, w, good, why);
	free_waiters(&r->waiters);
	notify_ready(m);
	if (good && r->widen) {
		r->widen = false;
		workers_renew(m);
	}
	if (r->again)
		begin(m);
}

static void
abort_reload(struct master *m, const char *why)
{
	for (uint32_t i = 0; i < m->nworkers; i++)
		proc_send(&m->workers[i], CONTROL_ABORT, m->reload->number, SLICE_EMPTY, -1);
	finish(m, false, why);
}

/* ---- the vote ---- */

static void
check_committed(struct master *m)
{
	for (uint32_t i = 0; i < m->nworkers; i++)
		if (m->workers[i].state == PROC_SERVING && !m->workers[i].committed)
			return;
	finish(m, true, "");
}

/* A folder that the old configuration did not name: the workers' sandboxes do not have it. */
static bool
has_new_folder(const struct config *old, const struct config *now)
{
	for (size_t i = 0; i < now->nspools; i++) {
		size_t k = 0;

		while (k < old->nspools && strcmp(old->spools[k].path, now->spools[i].path) != 0)
			k++;
		if (k == old->nspools)
			return true;
	}
	return false;
}

static void
commit(struct master *m)
{
	struct master_reload *r = m->reload;
	struct bundle *old = m->bundle;

	r->step = RELOAD_COMMIT;
	r->widen |= has_new_folder(m->config, r->config) || !folders_are_known(&m->folders, &r->folders);
	folders_free(&m->folders);
	m->folders = r->folders;
	r->folders = (struct out_folders){ .n = 0 };
	config_free(m->config);
	m->config = r->config;
	m->bundle = r->bundle;		/* whoever starts from now on has the new files */
	r->config = NULL;
	r->bundle = old;
	log_setup(STDERR_FILENO, m->config->log_json, m->config->log_level);
	for (uint32_t i = 0; i < m->nworkers; i++) {
		struct proc *p = &m->workers[i];

		p->committed = false;
		if (p->state == PROC_GONE)
			continue;
		if (p->vote != r->number) {	/* born meanwhile, with the old files */
			proc_kill(p);
			p->committed = true;
			continue;
		}
		proc_send(p, CONTROL_COMMIT, r->number, SLICE_EMPTY, -1);
		if (r->renew)
			spare_take(m, i);
	}
	check_committed(m);
}

static void
check_votes(struct master *m)
{
	const struct master_reload *r = m->reload;

	for (uint32_t i = 0; i < m->nworkers; i++) {
		const struct proc *p = &m->workers[i];

		if (p->state != PROC_GONE && p->asked == r->number && p->vote != r->number)
			return;		/* one that was born meanwhile was not asked */
		if (r->renew && m->spares[i].state != PROC_SERVING)
			return;
	}
	commit(m);
}

void
reload_spare(struct master *m, const char *why)
{
	if (m->reload->step != RELOAD_PREPARE)
		return;
	if (why != NULL)
		abort_reload(m, why);
	else
		check_votes(m);
}

void
reload_prepared(struct master *m, struct proc *p, uint64_t id, struct slice body)
{
	struct master_reload *r = m->reload;
	struct arena *mem = arena_new();
	const char *why;
	struct wire w;
	bool good;

	wire_open(&w, body);
	good = wire_bool(&w);
	why = wire_name(&w, mem);
	if (r->step == RELOAD_PREPARE && id == r->number && p->vote != r->number) {
		if (!wire_done(&w) || !good) {
			abort_reload(m, wire_done(&w) ? why : "a worker's answer makes no sense");
		} else {
			p->vote = r->number;
			check_votes(m);
		}
	}
	arena_free(mem);
}

void
reload_committed(struct master *m, struct proc *p, uint64_t id)
{
	if (m->reload->step != RELOAD_COMMIT || id != m->reload->number)
		return;
	p->committed = true;
	check_committed(m);
}

/* The one that follows it has the old files before the commit and the new ones after it. */
void
reload_gone(struct master *m, struct proc *p)
{
	if (p->kind != PROCESS_WORKER)
		return;
	if (m->reload->step == RELOAD_PREPARE)
		check_votes(m);
	else if (m->reload->step == RELOAD_COMMIT)
		check_committed(m);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;

	(void)fd;
	(void)what;
	if (m->reload->step == RELOAD_PREPARE) {
		abort_reload(m, "a worker did not answer in time");
		return;
	}
	for (uint32_t i = 0; i < m->nworkers; i++)
		if (!m->workers[i].committed)
			proc_kill(&m->workers[i]);	/* it starts anew with the new files */
}

/* ---- the beginning ---- */

/* Some keys take a restart: a reload that would change them is refused, so that nobody believes it
 * was done. */
static bool
same_roots(const struct config *old, const struct config *now, struct strbuf *why)
{
	struct strbuf b = STRBUF_INIT;
	bool same = config_restart_needed(&b, old, now) == 0;

	if (!same)
		strbuf_addf(why, "only a restart changes these keys:\n%s", b.p);
	strbuf_fini(&b);
	return same;
}

/* Read all files; the words of everything that is wrong with them. */
static bool
load(struct master *m, struct strbuf *why)
{
	struct master_reload *r = m->reload;
	struct complaints c = { 0 };
	struct err e = ERR_INIT;
	struct loaded l;
	char text[sizeof(e) + 64];
	bool good = false;

	r->bundle = bundle_new();
	if (load_all(&l, m->path, r->bundle, &c) < 0) {
		for (size_t i = 0; i < c.n; i++)
			strbuf_addf(why, "%s%s", i > 0 ? "\n" : "", c.text[i]);
	} else if (same_roots(m->config, l.config, why)) {
		good = users_hand_over(m, l.config, &e) == 0;
		if (!good)
			strbuf_adds(why, err_text(&e, text, sizeof(text)));
		r->config = config_hold(l.config);
		folders_list(&r->folders, l.trust);
		folders_make(m, &r->folders);
	}
	loaded_free(&l);
	arena_free(c.mem);
	return good;
}

static void
begin(struct master *m)
{
	static const struct timeval patience = { VOTE_SECONDS, 0 };
	struct master_reload *r = m->reload;
	struct strbuf why = STRBUF_INIT, b = STRBUF_INIT;

	r->waiters = r->next;
	r->next = NULL;
	r->again = false;
	r->number++;
	r->step = RELOAD_PREPARE;
	notify_reloading();
	if (m->phase != PHASE_SERVING) {
		finish(m, false, "the node is shutting down");
	} else if (!load(m, &why)) {
		finish(m, false, why.p);
	} else {
		r->renew = !bundle_same(m->bundle, r->bundle, 1u << PROCESS_TRANSLATOR);
		for (uint32_t i = 0; r->renew && i < m->nworkers; i++)
			spare_start(m, i, r->bundle);
		bundle_pack(&b, r->bundle, 1u << PROCESS_WORKER);
		for (uint32_t i = 0; i < m->nworkers; i++) {
			m->workers[i].asked = r->number;
			proc_send(&m->workers[i], CONTROL_PREPARE, r->number, strbuf_slice(&b), -1);
		}
		evtimer_add(r->late, &patience);
		check_votes(m);
	}
	secret_wipe(b.p, b.n);
	strbuf_fini(&b);
	strbuf_fini(&why);
}

void
reload_ask(struct master *m, const struct proc *who, uint64_t id)
{
	struct master_reload *r = m->reload;

	add_waiter(&r->next, who, id);
	r->again = true;
	reload_go(m);
}

/* Who asks while the node starts waits until it serves. */
void
reload_go(struct master *m)
{
	if (m->reload->again && m->reload->step == RELOAD_NONE && m->phase >= PHASE_SERVING)
		begin(m);
}

void
reload_init(struct master *m)
{
	m->reload = xcalloc(1, sizeof(*m->reload));
	m->reload->late = evtimer_new(m->base, on_late, m);
}

void
reload_fini(struct master *m)
{
	struct master_reload *r = m->reload;

	if (r == NULL)
		return;
	free_waiters(&r->waiters);
	free_waiters(&r->next);
	config_free(r->config);
	bundle_free(r->bundle);
	event_free(r->late);
	free(r);
}
