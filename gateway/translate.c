/*
 * One job:
 *
 *	translate_read -> QUEUED -> HAND -> answered: last part -> gone
 *	                    ^        |  \-> answered: a part -> PAUSED -> translate_more -> QUEUED
 *	                    |        v
 *	                    +--- its translator died, lied, or was late (twice)
 *
 * The next job goes out before the answer of the last one is looked at, so that the translator works while
 * the worker does.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/ipc.h"
#include "gateway/stats.h"
#include "gateway/translate_parts.h"
#include "gateway/translate_struck.h"
#include "gateway/translator.h"

enum {
	INLINE_BYTES = 64 * 1024,	/* a larger input goes as a file */
	BYTES_A_SECOND = 1 << 20,	/* on top of the deadline */
	ANSWER_ROOM = 64 << 20		/* of an answer, beyond twice the largest object */
};

static const int64_t patience_us = 30 * 1000000, tick_us = 1000000;

/* ---- lists ---- */

static void
list_add(struct jobs *l, struct translate_job *j)
{
	j->next = NULL;
	j->prev = l->last;
	*l->last = j;
	l->last = &j->next;
	l->n++;
}

static void
list_remove(struct jobs *l, struct translate_job *j)
{
	*j->prev = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	else
		l->last = j->prev;
	l->n--;
}

static struct jobs *
list_of(struct translate_job *j)
{
	return &j->t->lists[j->kind->list];
}

void
translate_job_free(struct translate_job *j)
{
	if (j->t->hand == j)
		j->t->hand = NULL;
	list_remove(list_of(j), j);
	if (j->password != NULL)
		secret_wipe(j->password, j->password_n);
	free(j->password);
	secret_wipe(&j->key, sizeof(j->key));
	strbuf_fini(&j->asked);
	free(j);
}

void
translate_job_queue(struct translate_job *j)
{
	list_remove(list_of(j), j);
	list_add(list_of(j), j);
	j->state = JOB_QUEUED;
	j->since_us = clock_mono_us();
}

/* ---- answers to those who asked ---- */

void
translate_give_up(struct translate_job *j, const char *code, enum err_code error, bool retryable,
    const char *why)
{
	struct err e = ERR_INIT;

	if (j->dropped) {
		translate_job_free(j);
		return;
	}
	err_set(&e, error, "%s", why);
	if (j->r.input != NULL)
		err_input(&e, j->r.input);
	j->kind->give_up(j, code == NULL ? err_word(error) : code, &e, retryable);
}

/* ---- messages that kill ---- */

void
translate_refuse_struck(struct translate_job *j)
{
	translate_give_up(j, j->late ? "TRANSLATOR_TIMEOUT" : "TRANSLATOR_CRASHED", ERR_FORBIDDEN, false,
	    j->late ? "it took the translator too long, three times" :
	    "it broke the translator, three times");
}

/* The translator that had this job is gone. True if the job is tried again. */
static bool
strike(struct translate_job *j, bool late)
{
	j->strikes = j->r.sha256 == NULL ? j->strikes + 1 :
	    struck_add(j->t->struck, j->r.sha256, late);
	j->late = late;
	j->open = false;
	if (j->dropped || j->strikes >= TRANSLATE_STRIKES)
		return false;
	translate_job_queue(j);	/* behind the others, which have waited for it long enough */
	return true;
}

/* ---- the channel ---- */

/* Whatever the translator knew is gone with it. */
static void
forget_channel(struct translate *t)
{
	ipc_free(t->channel);
	t->channel = NULL;
	for (struct translate_job *j = t->lists[LIST_READS].first; j != NULL; j = j->next)
		j->open = false;
}

static void
count(struct translate *t, const char *result)
{
	if (t->conf.stats != NULL)
		stats_add(t->conf.stats, STAT_TRANSLATIONS, result, 1);
}

/* Which request a translator was lost over, if over one. */
static void
log_lost(const struct translate_job *j, const char *why)
{
	log_event(LOG_ERROR, "translator.lost",
	    LF_S("request", j == NULL || j->r.request == NULL ? "" : j->r.request),
	    LF_S("why", why), LF_I("job", j == NULL ? 0 : (int64_t)j->id));
}

/* The translator is not to be trusted any more, or gone: another one, and the job in hand once more. */
static void
lose_translator(struct translate *t, const char *why, const char *word)
{
	struct translate_job *j = t->hand;
	unsigned generation = t->generation;
	char words[sizeof(((struct err *)0)->reason)];	/* `why` may be the channel's, which goes now */

	snprintf(words, sizeof(words), "%s", why);
	log_lost(j, words);
	count(t, word);
	forget_channel(t);
	t->hand = NULL;
	if (t->conf.replace != NULL)
		t->conf.replace(t->conf.arg, generation, words);
	if (j != NULL && !strike(j, strcmp(word, "late") == 0))
		translate_refuse_struck(j);
	translate_pump(t);
}

static void
on_closed(void *arg, struct ipc *c, const char *why)
{
	(void)c;
	lose_translator(arg, why, "crashed");
}

/* ---- answers ---- */

static void
on_message(void *arg, struct ipc *c, struct ipc_message *m)
{
	struct translate *t = arg;
	struct translate_job *j = t->hand;
	const char *why = "an answer that nobody asked for";

	(void)c;
	if (m->type == TRANSLATE_READY && !t->ready) {
		t->ready = true;
		translate_pump(t);
		return;
	}
	if (j != NULL && m->id == j->id)
		why = j->kind->decode(j, m->type, m->body);
	if (why != NULL) {
		lose_translator(t, why, "lied");
		return;
	}
	if (t->conf.stats != NULL)
		stats_time(t->conf.stats, j->kind->timed, clock_mono_us() - j->since_us);
	count(t, m->type == TRANSLATE_FAILED ? "refused" : "done");
	j->state = JOB_PAUSED;
	t->hand = NULL;
	translate_pump(t);
	j->kind->tell(j);
}

/* ---- questions ---- */

/* A memory file with the input, for the frame to carry; -1 if there is none to be had. */
static int
input_file(struct slice in)
{
	int fd = memfd_create("tocsin-input", MFD_CLOEXEC);

	if (fd >= 0 && !fd_write(fd, in)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int64_t
deadline_of(const struct translate_job *j)
{
	return j->t->config->limits.translate_us +
	    (int64_t)(j->bytes / BYTES_A_SECOND) * 1000000;
}

static void
arm(struct translate *t, int64_t us)
{
	struct timeval tv = { us / 1000000, us % 1000000 };

	evtimer_add(t->timer, &tv);
}

/* Does the input go with the question? Of what is not read yet. */
static bool
brings_input(const struct translate_job *j)
{
	return j->kind->list == LIST_READS && !j->open;
}

static bool
send_question(struct translate *t, struct translate_job *j)
{
	struct strbuf b = STRBUF_INIT;
	bool own_file = brings_input(j) && j->r.fd <= 0 && j->r.in.n > INLINE_BYTES;
	int fd = own_file ? input_file(j->r.in) : brings_input(j) ? j->r.fd : -1;
	uint16_t type = j->kind->question(j, fd, &b);
	bool sent = ipc_send(t->channel, type, j->id, strbuf_slice(&b), fd > 0 ? fd : -1);

	if (own_file && fd >= 0)
		close(fd);
	if (j->kind->secret)
		secret_wipe(b.p, b.cap);
	strbuf_fini(&b);
	return sent;
}

/* The first of a list that may go now; NULL if none may. */
static struct translate_job *
next_of(const struct translate *t, enum job_list list)
{
	struct translate_job *j = t->lists[list].first;

	if (list == LIST_READS)
		return translate_next_read(t);
	while (j != NULL && j->state != JOB_QUEUED)
		j = j->next;
	return j;
}

/* The next job: the lists take turns, beginning with that whose turn it is. */
static struct translate_job *
next_job(const struct translate *t)
{
	struct translate_job *j = NULL;

	for (int i = 0; j == NULL && i < LISTS; i++)
		j = next_of(t, (enum job_list)(((int)t->turn + i) % LISTS));
	return j;
}

void
translate_pump(struct translate *t)
{
	struct translate_job *read, *j;

	if (t->hand != NULL || t->conf.base == NULL)
		return;
	if (t->channel == NULL || !t->ready || !ipc_is_open(t->channel)) {
		if (translate_in_work(t) > 0)
			arm(t, tick_us);
		return;
	}
	while ((read = translate_next_read(t)) != NULL && !read->open && translate_is_struck(read)) {
		translate_refuse_struck(read);
		if (t->hand != NULL)
			return;		/* who was told has asked for something else */
	}
	j = next_job(t);
	if (j == NULL) {
		evtimer_del(t->timer);
		return;
	}
	t->turn = (enum job_list)(((int)j->kind->list + 1) % LISTS);
	j->state = JOB_HAND;
	j->since_us = clock_mono_us();
	t->hand = j;
	arm(t, deadline_of(j));
	if (!send_question(t, j)) {
		t->hand = NULL;		/* not its fault; on_closed comes */
		j->state = JOB_QUEUED;
		arm(t, tick_us);
	}
}

/* Jobs that have waited for a translator for too long. */
static void
expire(struct translate *t, struct jobs *l)
{
	int64_t now = clock_mono_us();
	struct translate_job *j = l->first;

	while (j != NULL) {
		struct translate_job *next = j->next;

		if (j->state == JOB_QUEUED && now - j->since_us > patience_us) {
			translate_give_up(j, NULL, ERR_BUSY, true, "there is no translator");
			next = l->first;	/* what was called may have changed the list */
		}
		j = next;
	}
	translate_pump(t);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct translate *t = arg;

	(void)fd;
	(void)what;
	if (t->hand != NULL) {
		lose_translator(t, "no answer in time", "late");
		return;
	}
	for (int i = 0; i < LISTS; i++)
		expire(t, &t->lists[i]);
}

/* ---- inline ---- */

struct inline_answer {
	uint16_t	type;
	struct strbuf	body;
};

static void
keep_answer(void *arg, uint16_t type, uint64_t id, struct slice body)
{
	struct inline_answer *a = arg;

	(void)id;
	a->type = type;
	strbuf_addsl(&a->body, body);
}

/* The same road without a channel; the translator's answer is read as a stranger's here too. */
static void
run_inline(struct translate_job *j)
{
	struct inline_answer a = { 0, STRBUF_INIT };
	struct strbuf b = STRBUF_INIT;
	int fd = brings_input(j) ? j->r.fd : -1;
	uint16_t type = j->kind->question(j, fd, &b);
	const char *why;

	j->state = JOB_HAND;
	translator_do(j->t->own, type, j->id, strbuf_slice(&b), fd, keep_answer, &a);
	strbuf_fini(&b);
	why = j->kind->decode(j, a.type, strbuf_slice(&a.body));
	if (why != NULL) {
		log_lost(j, why);
		j->strikes = TRANSLATE_STRIKES;
		translate_refuse_struck(j);
	} else {
		j->state = JOB_PAUSED;
		j->kind->tell(j);
	}
	strbuf_fini(&a.body);
}

void
translate_job_ask(struct translate_job *j)
{
	if (j->t->conf.base == NULL)
		run_inline(j);
	else
		translate_pump(j->t);
}

struct translate_job *
translate_job_new(struct translate *t, const struct job_kind *kind, void *arg)
{
	struct translate_job *j = xcalloc(1, sizeof(*j));

	j->t = t;
	j->id = ++t->last_id;
	j->kind = kind;
	j->r.in = SLICE_EMPTY;
	j->asked = (struct strbuf)STRBUF_INIT;
	j->arg = arg;
	j->since_us = clock_mono_us();
	list_add(list_of(j), j);
	return j;
}

size_t
translate_in_work(const struct translate *t)
{
	size_t n = 0;

	for (int i = 0; i < LISTS; i++)
		n += t->lists[i].n;
	return n;
}

/* ---- life ---- */

void
translate_channel(struct translate *t, int fd)
{
	const struct ipc_conf conf = {
		.name = "translator", .on_message = on_message, .on_closed = on_closed, .arg = t,
		.max_body = 2 * t->config->limits.object_bytes + ANSWER_ROOM,
	};

	if (t->channel != NULL) {	/* a reload: what it had in hand is asked of the new one */
		forget_channel(t);
		if (t->hand != NULL)
			t->hand->state = JOB_QUEUED;
		t->hand = NULL;
	}
	t->generation++;
	t->ready = false;
	t->channel = ipc_new(t->conf.base, fd, &conf);
	translate_pump(t);
}

struct translate *
translate_new(const struct translate_conf *conf, struct err *e)
{
	struct translate *t = xcalloc(1, sizeof(*t));

	t->conf = *conf;
	t->config = config_hold(conf->config);
	for (int i = 0; i < LISTS; i++)
		t->lists[i].last = &t->lists[i].first;
	t->struck = struck_new();
	if (conf->base != NULL) {
		t->timer = evtimer_new(conf->base, on_timer, t);
		return t;
	}
	t->own = translator_new(conf->config, e);
	if (t->own != NULL)
		return t;
	translate_free(t);
	return NULL;
}

int
translate_reload(struct translate *t, struct config *config, struct err *e)
{
	if (t->own != NULL) {
		struct translator *now = translator_new(config, e);

		if (now == NULL)
			return -1;
		for (struct translate_job *j = t->lists[LIST_READS].first; j != NULL; j = j->next)
			j->open = false;
		translator_free(t->own);
		t->own = now;
	}
	config_free(t->config);
	t->config = config_hold(config);
	return 0;
}

void
translate_free(struct translate *t)
{
	if (t == NULL)
		return;
	for (int i = 0; i < LISTS; i++)
		while (t->lists[i].first != NULL)
			translate_job_free(t->lists[i].first);
	ipc_free(t->channel);
	if (t->timer != NULL)
		event_free(t->timer);
	translator_free(t->own);
	config_free(t->config);
	struck_free(t->struck);
	free(t);
}
