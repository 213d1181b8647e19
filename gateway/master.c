#include "gateway/master.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/config.h"
#include "gateway/load.h"
#include "gateway/master_parts.h"
#include "gateway/one.h"

enum {
	GRACE_US = 2 * 1000000, PULSE_US = 1000000, HUNG_US = 60 * 1000000,
	BIRTH_US = 15 * 1000000		/* longer, and a child will never serve */
};

/* ---- the course ---- */

static void
start_workers(struct master *m)
{
	for (uint32_t i = 0; i < m->nworkers; i++)
		if (m->workers[i].state == PROC_GONE && !evtimer_pending(m->workers[i].again, NULL))
			proc_start(&m->workers[i]);
}

static bool
all_serve(const struct master *m)
{
	if (m->keeper.state != PROC_SERVING)
		return false;
	for (uint32_t i = 0; i < m->nworkers; i++)
		if (m->workers[i].state != PROC_SERVING || m->translators[i].state != PROC_SERVING)
			return false;
	return true;
}

/* The end before it began: say why, with the status of a start that failed. */
static void
give_up(struct master *m, const char *why)
{
	log_event(LOG_ERROR, "start.failed", LF_S("error", why));
	fprintf(stderr, "tocsin: %s\n", why);
	m->status = 2;
	event_base_loopexit(m->base, NULL);
}

void
master_ready(struct master *m, struct proc *p)
{
	struct err e = ERR_INIT;
	char text[sizeof(e) + 64];

	if (m->phase >= PHASE_DRAIN)
		return;
	if (p->kind == PROCESS_STOREKEEPER && m->phase == PHASE_STORE) {
		m->phase = PHASE_START;
		if (sockets_listen(m, &e) < 0) {
			give_up(m, err_text(&e, text, sizeof(text)));
			return;
		}
	}
	if (p->kind == PROCESS_STOREKEEPER)
		start_workers(m);
	workers_renew_next(m, p);
	if (m->phase != PHASE_START || !all_serve(m))
		return;
	m->phase = PHASE_SERVING;
	log_event(LOG_INFO, "serving", LF_S("node", m->config->name),
	    LF_S("version", TOCSIN_VERSION), LF_I("pid", getpid()), LF_I("workers", m->nworkers));
	upgrade_done(m);
	notify_ready(m);
	reload_go(m);
}

void
master_failed(struct master *m, struct proc *p, const char *why)
{
	log_event(LOG_ERROR, "process.failed", LF_S("process", process_kind_word(p->kind)),
	    LF_I("index", p->index), LF_S("error", why));
	if (m->phase <= PHASE_START && m->status == 0)
		give_up(m, why);
}

static void
drain_workers(struct master *m)
{
	for (uint32_t i = 0; i < m->nworkers; i++) {
		struct proc *p = &m->workers[i];

		event_del(p->again);
		event_del(m->translators[i].again);
		spare_drop(m, i);
		if (p->state == PROC_STARTING)
			proc_kill(p);
		proc_send(p, CONTROL_DRAIN, upgrade_is_going(m), SLICE_EMPTY, -1);
		if (p->state != PROC_GONE)
			p->state = PROC_ENDING;
	}
}

/* Workers, the first one last, then the storekeeper, which commits what they left; translators end with
 * their workers. */
static void
go_on_ending(struct master *m)
{
	if (m->phase == PHASE_DRAIN && children_left(m, PROCESS_WORKER) == 1)
		proc_send(&m->workers[0], CONTROL_LAST, 0, SLICE_EMPTY, -1);
	if (m->phase == PHASE_DRAIN && children_left(m, PROCESS_WORKER) == 0) {
		m->phase = PHASE_CLOSE;
		proc_send(&m->keeper, CONTROL_DRAIN, 0, SLICE_EMPTY, -1);
		if (m->keeper.state != PROC_GONE)
			m->keeper.state = PROC_ENDING;
		for (uint32_t i = 0; i < m->nworkers; i++) {
			proc_kill(&m->translators[i]);
			if (m->translators[i].state != PROC_GONE)
				m->translators[i].state = PROC_ENDING;
		}
	}
	if (m->phase == PHASE_CLOSE && child_next(m, NULL) == NULL)
		event_base_loopexit(m->base, NULL);
}

/* Stop accepting, finish, commit; what is left after the configured time is killed. */
void
master_drain(struct master *m)
{
	int64_t us = m->config->limits.drain_us + GRACE_US;
	struct timeval tv = { us / 1000000, us % 1000000 };

	if (m->phase >= PHASE_DRAIN)
		return;
	m->phase = PHASE_DRAIN;
	event_del(m->keeper.again);
	evtimer_add(m->deadline, &tv);
	drain_workers(m);
	if (!upgrade_is_going(m))
		sockets_close_listens(m);
	go_on_ending(m);
}

void
master_gone(struct master *m, struct proc *p)
{
	(void)p;
	if (m->phase >= PHASE_DRAIN)
		go_on_ending(m);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval again = { 1, 0 };
	struct master *m = arg;

	(void)fd;
	(void)what;
	for (struct proc *p = child_next(m, NULL); p != NULL; p = child_next(m, p)) {
		if (m->phase == PHASE_DRAIN && p->kind == PROCESS_STOREKEEPER)
			continue;	/* its turn comes when the workers are gone */
		log_event(LOG_WARN, "drain.killed", LF_S("process", process_kind_word(p->kind)),
		    LF_I("index", p->index));
		proc_kill(p);
	}
	evtimer_add(m->deadline, &again);
}

/* ---- signals ---- */

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct master *m = arg;

	(void)what;
	if (sig == SIGCHLD) {
		children_reap(m);
	} else if (sig == SIGHUP) {
		reload_ask(m, NULL, 0);
	} else if (sig == SIGUSR2) {
		upgrade_ask(m, NULL, 0);
	} else {
		if (m->phase < PHASE_DRAIN)
			log_event(LOG_INFO, "drain.begins", LF_S("node", m->config->name));
		notify_stopping();
		upgrade_cancel(m);
		master_drain(m);
	}
}

/* The storekeeper takes as long to start as its file has to be mended; for the others there is a limit. */
static bool
is_stuck(const struct proc *p)
{
	return p->state == PROC_STARTING && p->kind != PROCESS_STOREKEEPER &&
	    clock_mono_us() - p->started_us > BIRTH_US;
}

/* Ask all children whether they are there; tell the one who watches over us that we are. */
static void
on_pulse(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;

	(void)fd;
	(void)what;
	for (struct proc *p = child_next(m, NULL); p != NULL; p = child_next(m, p)) {
		if (is_stuck(p)) {
			log_event(LOG_ERROR, "process.stuck", LF_S("process", process_kind_word(p->kind)),
			    LF_I("index", p->index), LF_I("pid", p->pid));
			proc_kill(p);
		}
		if (p->kind == PROCESS_TRANSLATOR || p->state != PROC_SERVING)
			continue;	/* its worker watches over a translator */
		if (p->kind == PROCESS_WORKER && clock_mono_us() - p->pong_us > HUNG_US) {
			log_event(LOG_ERROR, "worker.hangs", LF_I("index", p->index));
			proc_kill(p);
		}
		proc_send(p, CONTROL_PING, 0, SLICE_EMPTY, -1);
	}
	notify_pulse(m);
}

static void
start_events(struct master *m)
{
	static const int sigs[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGUSR2 };
	static const struct timeval pulse = { PULSE_US / 1000000, PULSE_US % 1000000 };

	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		m->signals[m->nsignals] = evsignal_new(m->base, sigs[i], on_signal, m);
		evsignal_add(m->signals[m->nsignals++], NULL);
	}
	m->deadline = evtimer_new(m->base, on_deadline, m);
	m->pulse = event_new(m->base, -1, EV_PERSIST, on_pulse, m);
	event_add(m->pulse, &pulse);
}

/* ---- life ---- */

static uint32_t
workers_of(const struct config *conf)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long n = conf->workers > 0 ? (long)conf->workers : cores;

	return n < 1 ? 1 : n > PROCESS_WORKERS_MAX ? PROCESS_WORKERS_MAX : (uint32_t)n;
}

/* What was loaded is checked whole; of it the master keeps the configuration, the files, and no more. */
static void
take_files(struct master *m, struct loaded *l, struct bundle *b)
{
	memcpy(m->common, l->keys.common, sizeof(m->common));
	m->config = config_hold(l->config);
	m->bundle = b;
	folders_list(&m->folders, l->trust);
	loaded_free(l);
}

static void
make_children(struct master *m)
{
	m->nworkers = m->turn = workers_of(m->config);
	m->workers = xcalloc(m->nworkers, sizeof(*m->workers));
	m->translators = xcalloc(m->nworkers, sizeof(*m->translators));
	m->spares = xcalloc(m->nworkers, sizeof(*m->spares));
	proc_init(&m->keeper, m, PROCESS_STOREKEEPER, 0);
	for (uint32_t i = 0; i < m->nworkers; i++) {
		proc_init(&m->workers[i], m, PROCESS_WORKER, i);
		proc_init(&m->translators[i], m, PROCESS_TRANSLATOR, i);
		proc_init(&m->spares[i], m, PROCESS_TRANSLATOR, i);
		m->spares[i].spare = true;
	}
}

static int
start(struct master *m, struct err *e)
{
	m->started_us = clock_wall_us();
	m->admin = -1;
	m->dies_together = getenv("TOCSIN_CRASH_AT") != NULL && getenv("TOCSIN_CRASH_ONLY") == NULL;
	make_children(m);
	start_events(m);
	reload_init(m);
	upgrade_init(m);
	upgrade_inherit(m);
	if (getenv("TOCSIN_START_FAILS") != NULL)	/* a test of what happens then */
		return err_set(e, ERR_CONFIG, "TOCSIN_START_FAILS is set");
	if (dir_make(m->config->state_dir, 0700, e) < 0 || users_find(m, e) < 0 ||
	    users_hand_over(m, m->config, e) < 0)
		return -1;
	folders_make(m, &m->folders);
	proc_start(&m->keeper);
	return 0;
}

static void
stop(struct master *m)
{
	for (struct proc *p = child_next(m, NULL); p != NULL; p = child_next(m, p))
		proc_kill(p);
	for (uint32_t i = 0; i < m->nworkers; i++)
		spare_drop(m, i);
	proc_fini(&m->keeper);
	for (uint32_t i = 0; i < m->nworkers; i++) {
		proc_fini(&m->workers[i]);
		proc_fini(&m->translators[i]);
		proc_fini(&m->spares[i]);
	}
	free(m->spares);
	free(m->workers);
	free(m->translators);
	for (size_t i = 0; i < m->nsignals; i++)
		event_free(m->signals[i]);
	event_free(m->deadline);
	event_free(m->pulse);
	sockets_close(m);
	reload_fini(m);
	upgrade_fini(m);
	figures_fini(m);
	bundle_free(m->bundle);
	folders_free(&m->folders);
	config_free(m->config);
	event_base_free(m->base);
}

static void
run(struct master *m)
{
	struct err e = ERR_INIT;
	char text[sizeof(e) + 64];

	m->base = event_base_new();
	if (start(m, &e) < 0)
		give_up(m, err_text(&e, text, sizeof(text)));
	else
		event_base_dispatch(m->base);
	if (m->status == 0)
		log_event(LOG_INFO, "ended", LF_S("node", m->config->name));
	if (m->status == 0)
		upgrade_now(m);
	else
		upgrade_back(m);
	stop(m);
}

int
master_run(const char *config)
{
	struct master m = { .path = config };
	struct complaints c = { 0 };
	struct bundle *b = bundle_new();
	struct loaded l;

	if (load_all(&l, config, b, &c) < 0) {
		load_print(&c);
		arena_free(c.mem);
		bundle_free(b);
		upgrade_back_unread(config);
		return 2;
	}
	arena_free(c.mem);
	log_setup(STDERR_FILENO, l.config->log_json, l.config->log_level);
	if (strcmp(l.config->store_path, "memory") == 0) {	/* which nobody else could read */
		log_event(LOG_INFO, "serve.one", LF_S("why", "the store is memory"));
		loaded_free(&l);
		bundle_free(b);
		return one_run(config);
	}
	take_files(&m, &l, b);
	run(&m);
	return m.status != 0 ? m.status : m.ended_badly;
}
