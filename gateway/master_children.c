/* master_children.c -- starting children, hearing them, starting them again. */
#include "gateway/master_parts.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"

enum {
	SOON_US = 10 * 1000000,		/* who dies before that has died at once */
	WAIT_FIRST_US = 100 * 1000,
	WAIT_MOST_US = 5 * 1000000,
	FRAME_MAX = 16 << 20		/* of what a child may say */
};

static void	on_frame(void *arg, struct ipc *channel, struct ipc_message *m);
static void	on_closed(void *arg, struct ipc *channel, const char *why);

void
proc_send(struct proc *p, enum control_type type, uint64_t id, struct slice body, int fd)
{
	if (p->channel != NULL && p->state != PROC_GONE)
		ipc_send(p->channel, (uint16_t)type, id, body, fd);
}

void
proc_kill(struct proc *p)
{
	if (p->state != PROC_GONE && p->pid > 0)
		kill(p->pid, SIGKILL);
}

struct proc *
child_next(struct master *m, struct proc *p)
{
	struct proc *all[1 + 2 * PROCESS_WORKERS_MAX];
	size_t n = 0, at = 0;

	all[n++] = &m->keeper;
	for (uint32_t i = 0; i < m->nworkers; i++) {
		all[n++] = &m->workers[i];
		all[n++] = &m->translators[i];
	}
	while (p != NULL && at < n && all[at++] != p)
		;
	while (at < n && all[at]->state == PROC_GONE)
		at++;
	return at < n ? all[at] : NULL;
}

size_t
children_left(const struct master *m, enum process_kind kind)
{
	const struct proc *v = kind == PROCESS_WORKER ? m->workers : m->translators;
	size_t n = 0;

	if (kind == PROCESS_STOREKEEPER)
		return m->keeper.state != PROC_GONE;
	for (uint32_t i = 0; i < m->nworkers; i++)
		n += v[i].state != PROC_GONE;
	return n;
}

/* ---- channels between children ---- */

/* A pair of ends: one for each. Both sides may be in any state but gone. False: there is none to be
 * had. */
static bool
join(struct proc *a, enum control_type to_a, struct proc *b, enum control_type to_b, uint64_t b_id)
{
	struct err e = ERR_INIT;
	int ends[2];

	if (ipc_pair(ends, &e) < 0) {
		log_event(LOG_ERROR, "master.channel", LF_S("error", e.reason));
		return false;
	}
	proc_send(a, to_a, 0, SLICE_EMPTY, ends[0]);
	proc_send(b, to_b, b_id, SLICE_EMPTY, ends[1]);
	close(ends[0]);
	close(ends[1]);
	return true;
}

static void
join_store(struct master *m, struct proc *worker)
{
	if (m->keeper.state == PROC_GONE)
		return;		/* when it is back, it meets all workers */
	join(worker, CONTROL_STORE, &m->keeper, CONTROL_CLIENT, worker->index);
}

static void
join_translator(struct proc *worker, struct proc *translator)
{
	if (worker->state == PROC_GONE || translator->state == PROC_GONE)
		return;
	if (join(worker, CONTROL_TRANSLATOR, translator, CONTROL_JOBS, 0))
		worker->channels++;	/* the worker counts those that came */
}

/* ---- birth ---- */

static void
send_orders(struct proc *p)
{
	struct master *m = p->m;
	struct strbuf files = STRBUF_INIT, b = STRBUF_INIT;
	struct orders o = {
		.kind = p->kind, .index = p->index, .nworkers = m->nworkers, .master_pid = getpid(),
		.started_us = m->started_us, .config = m->path, .uid = m->uid[p->kind],
		.gid = m->gid,
		.group_reads = m->uid[PROCESS_STOREKEEPER] != m->uid[PROCESS_WORKER],
	};

	if (p->kind == PROCESS_WORKER)
		memcpy(o.common, m->common, sizeof(o.common));
	bundle_pack(&files, p->files != NULL ? p->files : m->bundle, 1u << p->kind);
	o.bundle = strbuf_slice(&files);
	orders_pack(&b, &o);
	proc_send(p, CONTROL_ORDERS, 0, strbuf_slice(&b), -1);
	secret_wipe(files.p, files.n);
	secret_wipe(b.p, b.n);
	strbuf_fini(&files);
	strbuf_fini(&b);
}

static void
lend_sockets(struct proc *p)
{
	struct master *m = p->m;

	for (size_t i = 0; i < m->nlistens; i++)
		for (size_t k = p->index; k < m->listens[i].n; k += m->nworkers)
			proc_send(p, CONTROL_LISTENER, i, SLICE_EMPTY, m->listens[i].fds[k]);
	if (p->index > 0)
		return;
	for (size_t k = 0; k < m->operations.n; k++)
		proc_send(p, CONTROL_OPERATIONS, 0, SLICE_EMPTY, m->operations.fds[k]);
	if (m->admin >= 0)
		proc_send(p, CONTROL_ADMIN, 0, SLICE_EMPTY, m->admin);
}

static void
lend(struct proc *p)
{
	struct master *m = p->m;

	if (p->kind == PROCESS_WORKER) {
		lend_sockets(p);
		join_store(m, p);
		/* Its translator may have died with it, or served another before it. */
		proc_kill(&m->translators[p->index]);
		m->translators[p->index].state = PROC_GONE;
		proc_start(&m->translators[p->index]);
	} else if (p->kind == PROCESS_TRANSLATOR) {
		join_translator(&m->workers[p->index], p);
	} else {
		for (uint32_t i = 0; i < m->nworkers; i++)
			if (m->workers[i].state != PROC_GONE)
				join(&m->workers[i], CONTROL_STORE, p, CONTROL_CLIENT, i);
	}
}

static void
start_later(struct proc *p)
{
	struct timeval tv = { p->wait_us / 1000000, p->wait_us % 1000000 };

	evtimer_add(p->again, &tv);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	proc_start(arg);
}

/* A worker needs a storekeeper, a translator its worker: their start brings it. */
static bool
may_start(const struct proc *p)
{
	const struct master *m = p->m;

	if (p->state != PROC_GONE || m->phase >= PHASE_DRAIN)
		return false;
	if (p->kind == PROCESS_WORKER)
		return m->keeper.state == PROC_SERVING;
	return p->kind != PROCESS_TRANSLATOR || m->workers[p->index].state != PROC_GONE;
}

/* fork, and its orders. False if it cannot be now. */
static bool
launch(struct proc *p)
{
	const struct ipc_conf conf = {
		.name = process_kind_word(p->kind), .max_body = FRAME_MAX,
		.max_waiting = PROCESS_BUNDLE_MAX, .on_message = on_frame, .on_closed = on_closed,
		.arg = p,
	};
	struct err e = ERR_INIT;
	int ends[2];

	p->pid = -1;
	if (ipc_pair(ends, &e) == 0) {
		p->pid = process_start(p->kind, p->index, ends[1], &e);
		close(ends[1]);
		if (p->pid < 0)
			close(ends[0]);
	}
	if (p->pid < 0) {
		log_event(LOG_ERROR, "master.start", LF_S("error", e.reason));
		return false;
	}
	ipc_free(p->channel);
	p->channel = ipc_new(p->m->base, ends[0], &conf);
	p->state = PROC_STARTING;
	p->started_us = p->pong_us = clock_mono_us();
	p->since_us = clock_wall_us();
	p->channels = 0;
	p->asked = p->vote = 0;
	send_orders(p);
	return true;
}

/* Everything up to GO. */
void
proc_start(struct proc *p)
{
	event_del(p->again);
	if (!may_start(p))
		return;
	if (launch(p)) {
		lend(p);
		proc_send(p, CONTROL_GO, 0, SLICE_EMPTY, -1);
	} else {
		p->wait_us = WAIT_MOST_US;
		start_later(p);
	}
}

/* ---- spares ---- */

void
spare_start(struct master *m, uint32_t index, const struct bundle *files)
{
	struct proc *p = &m->spares[index];
	struct err e = ERR_INIT;
	int ends[2];

	spare_drop(m, index);
	p->files = files;
	if (!launch(p) || ipc_pair(ends, &e) < 0) {
		spare_drop(m, index);
		return;
	}
	proc_send(p, CONTROL_JOBS, 0, SLICE_EMPTY, ends[1]);
	close(ends[1]);
	p->jobs = ends[0];
	proc_send(p, CONTROL_GO, 0, SLICE_EMPTY, -1);
}

void
spare_drop(struct master *m, uint32_t index)
{
	struct proc *p = &m->spares[index];

	proc_kill(p);
	p->state = PROC_GONE;
	p->files = NULL;
	ipc_free(p->channel);
	p->channel = NULL;
	if (p->jobs >= 0)
		close(p->jobs);
	p->jobs = -1;
}

/* What the old one has in hand, its worker asks of the new one. */
void
spare_take(struct master *m, uint32_t index)
{
	struct proc *s = &m->spares[index], *t = &m->translators[index];
	struct proc *worker = &m->workers[index];

	if (s->state != PROC_SERVING || worker->state == PROC_GONE)
		return;
	event_del(t->again);
	proc_kill(t);
	t->pid = s->pid;
	t->state = PROC_SERVING;
	t->started_us = s->started_us;
	t->since_us = s->since_us;
	t->wait_us = 0;
	ipc_free(t->channel);
	t->channel = NULL;
	worker->channels++;
	proc_send(worker, CONTROL_TRANSLATOR, 0, SLICE_EMPTY, s->jobs);
	s->state = PROC_GONE;
	spare_drop(m, index);
}

/* ---- workers with wider sandboxes ---- */

static void
renew_one(struct master *m)
{
	struct proc *p;

	while (m->turn < m->nworkers && m->workers[m->turn].state != PROC_SERVING)
		m->turn++;		/* dead or just being born: it has the new files */
	if (m->turn == m->nworkers) {
		if (m->turn_again) {
			m->turn_again = false;
			workers_renew(m);
		}
		return;
	}
	p = &m->workers[m->turn];
	log_event(LOG_INFO, "worker.renewed", LF_I("index", p->index));
	p->renewed = true;
	p->state = PROC_ENDING;
	proc_send(p, CONTROL_DRAIN, 1, SLICE_EMPTY, -1);
}

void
workers_renew(struct master *m)
{
	if (m->turn < m->nworkers) {
		m->turn_again = true;
		return;
	}
	m->turn = 0;
	renew_one(m);
}

void
workers_renew_next(struct master *m, const struct proc *ready)
{
	if (m->turn == m->nworkers || ready->kind != PROCESS_WORKER || ready->index < m->turn)
		return;
	m->turn++;
	renew_one(m);
}

/* ---- death ---- */

static void
log_death(const struct proc *p, int status)
{
	bool killed = WIFSIGNALED(status);

	log_event(killed || WEXITSTATUS(status) != 0 ? LOG_ERROR : LOG_INFO, "process.ended",
	    LF_S("process", process_kind_word(p->kind)), LF_I("index", p->index),
	    LF_I("pid", p->pid), LF_I(killed ? "signal" : "status",
	    killed ? WTERMSIG(status) : WEXITSTATUS(status)));
}

/* At once, unless it dies again and again. */
static void
start_again(struct proc *p)
{
	bool soon = clock_mono_us() - p->started_us < SOON_US;

	p->restarts++;
	if (!soon || p->restarts == 1)
		p->wait_us = 0;
	else if (p->wait_us == 0)
		p->wait_us = WAIT_FIRST_US;
	else if (p->wait_us * 2 <= WAIT_MOST_US)
		p->wait_us *= 2;
	start_later(p);
}

static void
buried(struct proc *p, int status)
{
	struct master *m = p->m;
	enum proc_state before = p->state;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		if (m->dies_together)
			raise(SIGKILL);
		unsetenv("TOCSIN_CRASH_AT");	/* who follows it goes on */
	}
	if (p->kind == PROCESS_TRANSLATOR &&
	    (m->phase >= PHASE_DRAIN || m->workers[p->index].state == PROC_GONE))
		before = PROC_ENDING;	/* it went because its worker did */
	if (before != PROC_ENDING || status != 0)
		log_death(p, status);
	if (m->phase >= PHASE_DRAIN && p->kind != PROCESS_TRANSLATOR && WIFEXITED(status) &&
	    WEXITSTATUS(status) != 0)
		m->ended_badly = true;
	p->state = PROC_GONE;
	p->pid = 0;
	ipc_free(p->channel);
	p->channel = NULL;
	reload_gone(m, p);
	figures_gone(m, p);
	if (p->renewed) {
		p->renewed = false;
		proc_start(p);
	} else if (m->phase < PHASE_DRAIN && before != PROC_ENDING && m->status == 0) {
		start_again(p);
	}
	master_gone(m, p);
}

static struct proc *
spare_of(struct master *m, pid_t pid)
{
	for (uint32_t i = 0; i < m->nworkers; i++)
		if (m->spares[i].state != PROC_GONE && m->spares[i].pid == pid)
			return &m->spares[i];
	return NULL;
}

void
children_reap(struct master *m)
{
	struct proc *p;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (p = child_next(m, NULL); p != NULL && p->pid != pid; p = child_next(m, p))
			;
		if (p != NULL)
			buried(p, status);
		else if ((p = spare_of(m, pid)) != NULL) {
			p->state = PROC_GONE;
			reload_spare(m, "a translator with the new files ended");
		} else
			upgrade_reaped(m, pid, status);
	}
}

/* SIGCHLD tells the rest. A translator closes its channel when it is in its cage. */
static void
on_closed(void *arg, struct ipc *channel, const char *why)
{
	struct proc *p = arg;

	if (channel != p->channel)
		return;
	if (p->kind != PROCESS_TRANSLATOR && p->state == PROC_SERVING &&
	    strcmp(why, "the other end is gone") != 0) {
		log_event(LOG_ERROR, "process.channel", LF_S("process", process_kind_word(p->kind)),
		    LF_I("index", p->index), LF_S("error", why));
		proc_kill(p);
	}
	ipc_free(p->channel);
	p->channel = NULL;
}

/* ---- what children say ---- */

static void
on_replace(struct proc *p, uint64_t generation, struct slice why)
{
	struct proc *t = &p->m->translators[p->index];

	if (generation != p->channels || t->state == PROC_GONE)
		return;		/* it is dead already, and another one under way */
	log_event(LOG_WARN, "translator.replaced", LF_I("index", p->index), LF_I("pid", t->pid),
	    LF_SL("why", why));
	proc_kill(t);
}

static void
on_retry(struct master *m, struct slice peer)
{
	for (uint32_t i = 0; i < m->nworkers; i++)
		proc_send(&m->workers[i], CONTROL_RETRY, 0, peer, -1);
}

/* What an administrator asks comes from worker 0, who has the control socket; any other who asks has been
 * taken over. */
static bool
on_asked(struct proc *p, const struct ipc_message *m)
{
	if (p->index != 0)
		return false;
	switch (m->type) {
	case CONTROL_ASK_FIGURES:
		figures_ask(p->m, p, m->id);
		return true;
	case CONTROL_ASK_RELOAD:
		reload_ask(p->m, p, m->id);
		return true;
	case CONTROL_ASK_UPGRADE:
		upgrade_ask(p->m, p, m->id);
		return true;
	case CONTROL_ASK_RETRY:
		on_retry(p->m, m->body);
		return true;
	default:
		return false;
	}
}

static void
on_worker_frame(struct proc *p, const struct ipc_message *m)
{
	switch (m->type) {
	case CONTROL_PREPARED:
		reload_prepared(p->m, p, m->id, m->body);
		break;
	case CONTROL_COMMITTED:
		reload_committed(p->m, p, m->id);
		break;
	case CONTROL_REPLACE:
		on_replace(p, m->id, m->body);
		break;
	default:
		if (on_asked(p, m))
			break;
		log_event(LOG_ERROR, "process.frame", LF_S("process", process_kind_word(p->kind)),
		    LF_I("index", p->index), LF_I("type", m->type));
		proc_kill(p);
	}
}

static void
on_frame(void *arg, struct ipc *channel, struct ipc_message *m)
{
	struct proc *p = arg;
	struct arena *mem;

	if (channel != p->channel)
		return;
	switch (m->type) {
	case CONTROL_READY:
		if (p->state != PROC_STARTING)
			return;
		p->state = PROC_SERVING;
		if (p->spare)
			reload_spare(p->m, NULL);
		else
			master_ready(p->m, p);
		break;
	case CONTROL_FAILED:
		mem = arena_new();
		if (p->spare)
			reload_spare(p->m, arena_str(mem, m->body));
		else
			master_failed(p->m, p, arena_str(mem, m->body));
		arena_free(mem);
		break;
	case CONTROL_PONG:
		p->pong_us = clock_mono_us();
		break;
	case CONTROL_FIGURES_ARE:
		figures_are(p->m, p, m->id, m->body);
		break;
	default:
		if (p->kind == PROCESS_WORKER)
			on_worker_frame(p, m);
		else
			proc_kill(p);
	}
}

/* ---- life ---- */

void
proc_init(struct proc *p, struct master *m, enum process_kind kind, uint32_t index)
{
	*p = (struct proc){ .m = m, .kind = kind, .index = index, .jobs = -1 };
	p->again = evtimer_new(m->base, on_again, p);
}

void
proc_fini(struct proc *p)
{
	ipc_free(p->channel);
	if (p->jobs >= 0)
		close(p->jobs);
	if (p->again != NULL)
		event_free(p->again);
}
