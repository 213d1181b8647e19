#include "gateway/store_remote.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/ipc.h"
#include "gateway/store_impl.h"

enum {
	OPEN_TRIES = 100,
	OPEN_PAUSE_NS = 20000000,
	MAX_WAITING = 16384,
	WAIT_US = 5000000,
	COMPANY_US = 50000,		/* how long an audit record waits for company */
	SENT_BYTES = 32 << 20,		/* questions under way; a larger one goes alone */
	FRAME_BYTES = 96 << 10,		/* questions that travel together */
	KEEP_BYTES = 1 << 20,		/* of the buffer of a frame, between frames */
	SLOTS = 1024,			/* of the table of questions under way */
	TRIES_MAX = 2			/* of an audit record */
};

/* A list of jobs, in order. */
struct jobs {
	struct job	*first, **last;
};

struct remote {
	struct store	*s;
	struct store_remote_conf conf;
	struct ipc	*channel;
	bool		 greeted;	/* the storekeeper has the file that we read */
	struct jobs	 waiting;	/* to be sent */
	struct job	*sent[SLOTS];	/* by id */
	struct jobs	 answered;	/* to be told, from the loop */
	size_t		 njobs, nsent, sent_bytes;
	uint64_t	 next_id, oldest_id;	/* nothing before it is under way */
	struct job	*awaited;	/* by a synchronous call: told at once */
	struct strbuf	 frame;
	struct event	*send, *tell, *expire;
	struct store_figures figures;
};

static void
jobs_add(struct jobs *l, struct job *j)
{
	j->next = NULL;
	*l->last = j;
	l->last = &j->next;
}

static struct job *
jobs_take(struct jobs *l)
{
	struct job *j = l->first;

	if (j == NULL)
		return NULL;
	l->first = j->next;
	if (l->first == NULL)
		l->last = &l->first;
	return j;
}

static void
start_timer(struct event *timer, int64_t in_us)
{
	struct timeval tv = { .tv_sec = in_us / 1000000, .tv_usec = in_us % 1000000 };

	evtimer_add(timer, &tv);
}

/* ---- telling ---- */

/* What a worker remembers of the leases that it holds: it asks itself what is due. */
static void
book_leases(struct remote *r, const struct job *j)
{
	const struct store_ops *ops = r->s->ops;
	const struct ask *a = &j->ask;

	for (size_t i = 0; a->kind == ASK_LEASE && !j->failed && i < a->nitems; i++)
		ops->lease_note(r->s, a->name, a->items[i].oid, a->now_us + a->lease_us);
	for (size_t i = 0; a->kind == ASK_UPDATE && i < a->nupdates; i++)
		ops->lease_end(r->s, a->updates[i].oid);
}

static void
tell(struct remote *r, struct job *j)
{
	r->njobs--;
	book_leases(r, j);
	if (j->ask.kind == ASK_COMMIT && !j->failed) {
		j->scratch = arena_new();
		store_fill_status(j->ask.txn, j->scratch);
	}
	job_end(j, j->failed ? &j->err : NULL);
}

static void
on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct remote *r = arg;
	struct jobs now = r->answered;
	struct job *j;

	(void)fd;
	(void)what;
	/* what comes meanwhile is the next turn's */
	r->answered = (struct jobs){ NULL, &r->answered.first };
	while ((j = now.first) != NULL) {
		now.first = j->next;
		tell(r, j);
	}
}

/* The job is over: it is told from the loop, or at once if somebody stands waiting for it. */
static void
finish(struct remote *r, struct job *j)
{
	if (j == r->awaited) {
		r->awaited = NULL;
		tell(r, j);
		return;
	}
	jobs_add(&r->answered, j);
	event_active(r->tell, EV_TIMEOUT, 0);
}

static void
fail(struct remote *r, struct job *j, const char *why)
{
	j->failed = true;
	err_set(&j->err, ERR_BUSY, "%s", why);
	finish(r, j);
}

/* ---- sending ---- */

/* The question with this id, no longer under way; NULL if nobody asked it. */
static struct job *
take_sent(struct remote *r, uint64_t id)
{
	struct job **at = &r->sent[id % SLOTS], *j;

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	j = *at;
	if (j == NULL)
		return NULL;
	*at = j->next;
	r->sent_bytes -= j->bytes;
	if (--r->nsent == 0)
		r->oldest_id = r->next_id;
	return j;
}

static void
send_frame(struct remote *r)
{
	if (r->frame.n == 0)
		return;
	ipc_send(r->channel, FRAME_ASKS, 0, strbuf_slice(&r->frame), -1);
	if (r->frame.cap > KEEP_BYTES)
		strbuf_fini(&r->frame);
	strbuf_reset(&r->frame);
}

/* Write the job's question into the frame; or it cannot be asked. */
static void
send_job(struct remote *r, struct job *j)
{
	struct job **slot = &r->sent[r->next_id % SLOTS];
	size_t was = r->frame.n;

	if (ask_put(&r->frame, r->next_id, &j->ask, &j->err) < 0) {
		j->failed = true;
		finish(r, j);
		return;
	}
	j->id = r->next_id++;
	j->tries++;
	j->bytes = r->frame.n - was;
	r->sent_bytes += j->bytes;
	r->nsent++;
	j->next = *slot;
	*slot = j;
	if (r->frame.n >= FRAME_BYTES)
		send_frame(r);
}

/* Send what waits, as far as the storekeeper is to have it at once. */
static void
send_waiting(struct remote *r)
{
	if (r->channel == NULL || !r->greeted)
		return;
	while (r->waiting.first != NULL && r->sent_bytes < SENT_BYTES)
		send_job(r, jobs_take(&r->waiting));
	send_frame(r);
}

static void
on_send(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_waiting(arg);
}

/* ---- a channel that is not there ---- */

static const char no_answer[] = "the storekeeper went away before it answered";
static const char no_channel[] = "the storekeeper is away";

/* An audit record has nobody who could ask again: it waits for as long as it takes, and one that may or
 * may not be written is rather written twice. (No more often: it may be what kills the storekeeper.) */
static bool
is_patient(const struct job *j)
{
	return j->ask.kind == ASK_AUDIT && j->tries < TRIES_MAX;
}

static void
plan_expiry(struct remote *r)
{
	const struct job *j = r->waiting.first;
	int64_t left;

	while (j != NULL && is_patient(j))
		j = j->next;
	if (r->channel != NULL || j == NULL)
		return;
	left = j->until_us - clock_mono_us();
	start_timer(r->expire, left < 1000 ? 1000 : left);
}

static void
on_expire(evutil_socket_t fd, short what, void *arg)
{
	struct remote *r = arg;
	struct jobs all = r->waiting;
	int64_t now_us = clock_mono_us();
	struct job *j;

	(void)fd;
	(void)what;
	if (r->channel != NULL || all.first == NULL)
		return;
	r->waiting = (struct jobs){ NULL, &r->waiting.first };
	while ((j = all.first) != NULL) {
		all.first = j->next;
		if (is_patient(j) || j->until_us > now_us)
			jobs_add(&r->waiting, j);
		else
			fail(r, j, no_channel);
	}
	plan_expiry(r);
}

/* Nobody will answer what is under way. In the order in which it was asked; what is patient waits again,
 * before what was not sent. */
static void
fail_sent(struct remote *r)
{
	struct jobs rest = r->waiting;
	struct job *j;

	r->waiting = (struct jobs){ NULL, &r->waiting.first };
	for (uint64_t id = r->oldest_id; r->nsent > 0 && id < r->next_id; id++) {
		if ((j = take_sent(r, id)) == NULL)
			continue;
		if (is_patient(j))
			jobs_add(&r->waiting, j);
		else
			fail(r, j, no_answer);
	}
	while ((j = rest.first) != NULL) {
		rest.first = j->next;
		jobs_add(&r->waiting, j);
	}
}

static void
drop_channel(struct remote *r, const char *why)
{
	bool was = r->greeted;

	if (r->channel == NULL)
		return;
	log_event(LOG_WARN, "store.away", LF_S("why", why));
	ipc_free(r->channel);
	r->channel = NULL;
	r->greeted = false;
	strbuf_reset(&r->frame);
	r->s->ops->lease_end_all(r->s, NULL);	/* the storekeeper has ended them, or is dead */
	fail_sent(r);
	for (struct job *j = r->waiting.first; j != NULL; j = j->next)
		j->until_us = clock_mono_us() + r->conf.wait_us;
	plan_expiry(r);
	if (was && r->conf.on_state != NULL)
		r->conf.on_state(r->conf.arg, false);
}

static void
on_closed(void *arg, struct ipc *c, const char *why)
{
	(void)c;
	drop_channel(arg, why);
}

/* ---- what the storekeeper says ---- */

static bool
on_hello(struct remote *r, struct slice body)
{
	if (!slice_is(body, r->s->id))
		return false;
	r->greeted = true;
	log_event(LOG_INFO, "store.here", LF_S("store", r->s->id));
	send_waiting(r);
	if (r->conf.on_state != NULL)
		r->conf.on_state(r->conf.arg, true);
	return true;
}

/* One answer into its job. What points into the message is copied first. */
static bool
take_answer(struct remote *r, uint64_t id, enum err_code code, struct slice body)
{
	struct job *j = take_sent(r, id);

	if (j == NULL)
		return false;
	if (code != ERR_NONE) {
		j->failed = true;
		err_set(&j->err, code, "%.*s", SLICE_ARG(body));
	} else {
		if (j->ask.kind == ASK_LEASE)
			body = arena_slice(j->mem, body);
		if (!ask_read_answer(&j->ask, body, j->mem)) {
			fail(r, j, "the storekeeper's answer makes no sense");
			return false;
		}
	}
	finish(r, j);
	return true;
}

static bool
on_answers(struct remote *r, struct slice body)
{
	struct wire w;
	enum err_code code;
	struct slice one;
	uint64_t id;

	wire_open(&w, body);
	ask_read_figures(&w, &r->figures);
	while (ask_next_answer(&w, &id, &code, &one))
		if (!take_answer(r, id, code, one))
			return false;
	if (!wire_done(&w))
		return false;
	send_waiting(r);
	return true;
}

/* Names of peers; one without a name stands for all. */
static bool
on_queued(struct remote *r, struct slice body)
{
	struct arena *mem = arena_new();
	struct wire w;

	wire_open(&w, body);
	while (!w.bad && w.p < w.end) {
		const char *peer = wire_name(&w, mem);

		if (!w.bad && r->conf.on_queued != NULL)
			r->conf.on_queued(r->conf.arg, peer[0] == '\0' ? NULL : peer);
	}
	arena_free(mem);
	return wire_done(&w);
}

static void
on_message(void *arg, struct ipc *c, struct ipc_message *m)
{
	struct remote *r = arg;
	bool fine = false;

	(void)c;
	if (m->type == FRAME_HELLO)
		fine = on_hello(r, m->body);
	else if (m->type == FRAME_ANSWERS)
		fine = on_answers(r, m->body);
	else if (m->type == FRAME_QUEUED)
		fine = on_queued(r, m->body);
	if (!fine)
		drop_channel(r, "it says what makes no sense");
}

/* ---- the road ---- */

/* What an entry says of its put is the answer's to fill in; what an earlier answer left there is gone. */
static void
clear_answers(struct store_status *st)
{
	for (size_t i = 0; st != NULL && i < st->n; i++) {
		struct store_status_entry *x = &st->entries[i];

		if (x->put < 0)
			continue;
		x->version = SLICE_EMPTY;
		x->failed = false;
		x->message = NULL;
	}
}

static void
submit(struct store *s, struct job *j)
{
	struct remote *r = s->remote;

	if (j->ask.kind == ASK_COMMIT)
		clear_answers(j->ask.txn->status);
	if (r->njobs++ >= r->conf.max_waiting) {
		fail(r, j, "too much waits for the store");
		return;
	}
	j->until_us = clock_mono_us() + r->conf.wait_us;
	jobs_add(&r->waiting, j);
	if (r->channel == NULL)
		plan_expiry(r);
	else if (j->ask.kind != ASK_AUDIT)
		event_active(r->send, EV_TIMEOUT, 0);	/* with what else this turn of the loop asks */
	else if (!evtimer_pending(r->send, NULL))
		start_timer(r->send, COMPANY_US);
}

static void
wait_for_answer(struct store *s, struct job *j, const bool *answered)
{
	struct remote *r = s->remote;
	int64_t until = clock_mono_us() + r->conf.wait_us;

	r->awaited = j;
	while (!*answered && r->channel != NULL && ipc_is_open(r->channel)) {
		send_waiting(r);
		if (!ipc_wait(r->channel, until - clock_mono_us()))
			break;
	}
	r->awaited = NULL;
}

static void
figures(struct store *s, struct store_figures *out)
{
	const struct remote *r = s->remote;

	*out = r->figures;
	if (r->channel != NULL)
		return;
	out->waiting = r->njobs;
	snprintf(out->trouble, sizeof(out->trouble), "%s", no_channel);
}

/* Let the storekeeper answer what he was asked; then nobody waits any more. */
static void
close_road(struct store *s)
{
	struct remote *r = s->remote;
	int64_t until = clock_mono_us() + r->conf.wait_us;
	struct job *j;

	while (r->njobs > 0 && r->channel != NULL && ipc_is_open(r->channel)) {
		send_waiting(r);
		on_tell(-1, 0, r);
		if (r->njobs > 0 && !ipc_wait(r->channel, until - clock_mono_us()))
			break;
	}
	ipc_free(r->channel);
	r->channel = NULL;
	fail_sent(r);
	while ((j = jobs_take(&r->waiting)) != NULL)
		fail(r, j, no_channel);
	while (r->answered.first != NULL)
		on_tell(-1, 0, r);
	event_free(r->send);
	event_free(r->tell);
	event_free(r->expire);
	strbuf_fini(&r->frame);
	free(r);
}

static const struct store_road remote_road = {
	.submit = submit, .wait = wait_for_answer, .figures = figures, .close = close_road,
};

/* ---- life ---- */

/* The writer opens or mends the file while we begin to read it: that passes. Nobody is served yet. */
static struct store *
open_patiently(const struct store_remote_conf *conf, struct err *e)
{
	static const struct timespec pause = { 0, OPEN_PAUSE_NS };
	struct store *s = store_sqlite_open_reader(conf->path, conf->base, e);

	for (int i = 0; s == NULL && e->code == ERR_BUSY && i < OPEN_TRIES; i++) {
		nanosleep(&pause, NULL);
		*e = (struct err)ERR_INIT;
		s = store_sqlite_open_reader(conf->path, conf->base, e);
	}
	return s;
}

struct store *
store_remote_open(const struct store_remote_conf *conf, struct err *e)
{
	struct store *s = open_patiently(conf, e);
	struct remote *r;

	if (s == NULL)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->s = s;
	r->conf = *conf;
	if (r->conf.max_waiting == 0)
		r->conf.max_waiting = MAX_WAITING;
	if (r->conf.wait_us == 0)
		r->conf.wait_us = WAIT_US;
	r->waiting.last = &r->waiting.first;
	r->answered.last = &r->answered.first;
	r->next_id = r->oldest_id = 1;
	strbuf_init(&r->frame);
	r->send = evtimer_new(conf->base, on_send, r);
	r->tell = evtimer_new(conf->base, on_tell, r);
	r->expire = evtimer_new(conf->base, on_expire, r);
	s->road = &remote_road;
	s->remote = r;
	return s;
}

int
store_remote_channel(struct store *s, int fd, struct err *e)
{
	struct remote *r = s->remote;
	struct ipc_conf conf = { .name = "storekeeper", .max_body = ASK_FRAME_MAX,
		.on_message = on_message, .on_closed = on_closed, .arg = r };

	if (r == NULL) {
		close(fd);
		return err_set(e, ERR_UNSUPPORTED, "this store is its own keeper");
	}
	drop_channel(r, "there is a newer one");
	r->channel = ipc_new(s->base, fd, &conf);
	return 0;
}

bool
store_remote_is_connected(const struct store *s)
{
	const struct remote *r = s->remote;

	return r != NULL && r->greeted;
}

size_t
store_remote_waiting(const struct store *s)
{
	const struct remote *r = s->remote;

	return r == NULL ? 0 : r->njobs;
}
