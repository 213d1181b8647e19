#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/stats.h"
#include "gateway/store_impl.h"

enum {
	GROUP_MAX = 256,
	COMPANY_US = 50000,		/* how long an audit record waits for company */
	AHEAD_MAX_US = 100000,		/* dates further ahead of the clock than this: */
	PACE_US = 1000			/* a group a millisecond, so that they get no further */
};

static void
schedule(struct store *s, int64_t in_us)
{
	struct timeval tv = { .tv_sec = in_us / 1000000, .tv_usec = in_us % 1000000 };

	evtimer_add(s->timer, &tv);
}

/* Run one job in the open group; false if the group has to be done again or is lost. */
static bool
run_job(struct store *s, struct job *j)
{
	arena_free(j->scratch);
	j->scratch = arena_new();
	j->err = (struct err)ERR_INIT;
	if (job_run(s, j, &j->err) == 0)
		return true;
	j->failed = true;
	return false;
}

static void
fail_all(struct job *list, const struct err *e)
{
	for (struct job *j = list; j != NULL; j = j->next) {
		if (!j->failed)
			j->err = *e;
		j->failed = true;
	}
}

/* One attempt at what has not failed yet. 1: done, 0: one job fell out, try again without it; -1: the
 * store is in trouble and nobody's work was kept. */
static int
try_group(struct store *s, struct job *list, struct err *e)
{
	int64_t began_us;

	s->dated = false;
	if (s->ops->begin(s, e) < 0)
		return -1;
	for (struct job *j = list; j != NULL; j = j->next) {
		if (j->failed || run_job(s, j) || s->ops->failed_leaves_no_trace)
			continue;
		s->ops->rollback(s);
		if (j->err.code != ERR_STORE)
			return 0;
		*e = j->err;
		return -1;
	}
	began_us = clock_mono_us();
	if (s->ops->commit(s, e) < 0) {
		s->ops->rollback(s);
		return -1;
	}
	if (s->stats != NULL)
		stats_observe(s->stats, STAT_SYNC_TIME, NULL, clock_mono_us() - began_us);
	return 1;
}

static void
count_group(struct store_figures *f, size_t n, uint64_t took_us)
{
	f->syncs++;
	f->commits += n;
	f->commit_us_total += took_us;
	if (took_us > f->commit_us_max)
		f->commit_us_max = took_us;
	if (n > f->group_max)
		f->group_max = n;
}

/* Which request a commit was for, so that its id leads from the worker's log to ours. */
static void
log_commit(const struct job *j, size_t group, int64_t took_us)
{
	const struct store_txn *t = j->ask.kind == ASK_COMMIT ? j->ask.txn : NULL;

	if (t == NULL || t->source.request == NULL)
		return;
	log_event(j->failed ? LOG_WARN : LOG_DEBUG, "store.commit",
	    LF_S("request", t->source.request), LF_S("source", t->source.name),
	    LF_I("objects", t->nputs), LF_I("group", group), LF_I("us", took_us),
	    LF_S("error", j->failed ? err_word(j->err.code) : ""));
}

/* Commit a list of jobs as one transaction, then tell each. A job that cannot be done is left out and
 * the others are run again: cheaper than a savepoint a job, since it hardly ever happens. */
static void
commit_group(struct store *s, struct job *list, size_t n)
{
	int64_t started = clock_mono_us(), took = 0;
	struct err e = ERR_INIT;
	int rc;

	s->trouble[0] = '\0';
	while ((rc = try_group(s, list, &e)) == 0)
		;
	if (rc < 0) {
		s->failures++;
		snprintf(s->trouble, sizeof(s->trouble), "%.*s", STORE_TROUBLE - 1, e.reason);
		log_event(LOG_ERROR, "store.failed", LF_S("error", e.reason), LF_I("jobs", n));
		fail_all(list, &e);
	} else {
		took = clock_mono_us() - started;
		count_group(&s->done, n, (uint64_t)took);
		if (s->stats != NULL) {
			stats_observe(s->stats, STAT_GROUP, NULL, (int64_t)n);
			stats_observe(s->stats, STAT_GROUP_TIME, NULL, took);
		}
	}
	while (list != NULL) {
		struct job *j = list;

		list = j->next;
		log_commit(j, n, took);
		job_end(j, j->failed ? &j->err : NULL);
	}
}

/* Take up to `max` jobs off the queue. */
static struct job *
take(struct store *s, size_t max, size_t *n)
{
	struct job *list = s->head, **last = &s->head;

	for (*n = 0; *n < max && *last != NULL; (*n)++)
		last = &(*last)->next;
	s->head = *last;
	*last = NULL;
	if (s->head == NULL)
		s->tail = &s->head;
	s->queued -= *n;
	return list;
}

void
queue_flush(struct store *s)
{
	while (s->head != NULL) {
		size_t n;
		struct job *list = take(s, s->group_max, &n);

		commit_group(s, list, n);
	}
	s->urgent = false;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;
	struct job *list;
	size_t n;

	(void)fd;
	(void)what;
	s->urgent = false;
	if (s->head == NULL)
		return;
	list = take(s, s->group_max, &n);
	if (s->head != NULL) {		/* the rest is the next turn's group */
		s->urgent = true;
		schedule(s, 0);
	}
	commit_group(s, list, n);
}

static void
queue_add(struct store *s, struct job *j)
{
	bool lazy = j->ask.kind == ASK_AUDIT;

	j->next = NULL;
	*s->tail = j;
	s->tail = &j->next;
	s->queued++;
	if (s->base == NULL) {
		queue_flush(s);
		return;
	}
	if (!lazy && !s->urgent) {
		s->urgent = true;
		schedule(s, s->last_us - clock_wall_us() > AHEAD_MAX_US ? PACE_US : 0);
	} else if (lazy && !evtimer_pending(s->timer, NULL)) {
		schedule(s, COMPANY_US);
	}
}

/* ---- the road ---- */

static void
local_submit(struct store *s, struct job *j)
{
	struct err e = ERR_INIT;

	if (!job_is_immediate(j))
		queue_add(s, j);
	else
		job_end(j, job_run(s, j, &e) < 0 ? &e : NULL);
}

/* What is immediate has been answered already. */
static void
local_wait(struct store *s, struct job *j, const bool *answered)
{
	(void)s;
	(void)j;
	(void)answered;
}

static void
local_figures(struct store *s, struct store_figures *out)
{
	*out = s->done;
	out->waiting = s->queued;
	out->failures = s->failures;
	out->damages = s->damages;
	memcpy(out->trouble, s->trouble, sizeof(out->trouble));
}

const struct store_road store_road_local = {
	.submit = local_submit, .wait = local_wait, .figures = local_figures,
	.close = queue_flush,
};

int
queue_init(struct store *s, const struct store_conf *conf, struct err *e)
{
	s->road = &store_road_local;
	s->tail = &s->head;
	s->group_max = conf->group_max == 0 ? GROUP_MAX : conf->group_max;
	if (conf->audit_key.n != sizeof(s->audit_key))
		return err_set(e, ERR_CONFIG, "the audit key has %zu bytes instead of 32",
		    conf->audit_key.n);
	memcpy(s->audit_key, conf->audit_key.p, sizeof(s->audit_key));
	if (conf->base == NULL)
		return 0;
	s->base = conf->base;
	s->timer = evtimer_new(conf->base, on_timer, s);
	if (s->timer == NULL)
		return err_set(e, ERR_IO, "no timer for the store");
	return 0;
}

void
queue_fini(struct store *s)
{
	if (s->timer != NULL)
		event_free(s->timer);
	hmac_free(s->audit_hmac);
	secret_wipe(s->audit_key, sizeof(s->audit_key));
}
