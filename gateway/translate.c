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
#include "gateway/translate.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/ipc.h"
#include "gateway/stats.h"
#include "gateway/translate_struck.h"
#include "gateway/translate_wire.h"
#include "gateway/translator.h"

enum {
	STRIKES = 3,
	HASHES_MAX = 64,		/* rulings 28 */
	INLINE_BYTES = 64 * 1024,	/* a larger input goes as a file */
	BIG_BYTES = 4 << 20,		/* one of that size at a time: its trees fill the cage */
	BYTES_A_SECOND = 1 << 20,	/* on top of the deadline */
	ANSWER_ROOM = 64 << 20		/* of an answer, beyond twice the largest object */
};

static const int64_t patience_us = 30 * 1000000, tick_us = 1000000;

enum job_state { JOB_QUEUED, JOB_HAND, JOB_PAUSED };

struct translate_job {
	struct translate	*t;
	uint64_t		 id;
	enum job_state		 state;
	struct translate_job	*next, **prev;	/* of all jobs of a kind, in the order of their questions */
	/* reading */
	struct translate_read	 r;
	struct arena		*mem;
	translate_read_cb	*cb;
	bool			 open;		/* the translator has its message */
	bool			 begun;		/* a part was handed out */
	uint64_t		 delivered, total;
	/* hashing */
	char			*password;
	size_t			 password_n;
	char			 recipe[PASSWORD_RECIPE];
	translate_hash_cb	*hashed;
	/* both */
	void			*arg;
	int64_t			 since_us;	/* queued, or sent */
	unsigned		 strikes;
	bool			 late;		/* the last strike was one of time */
	bool			 dropped;
};

struct job_list {
	struct translate_job	*first, **last;
	size_t			 n;
};

struct translate {
	struct translate_conf	 conf;
	struct config		*config;	/* held */
	struct translator	*own;		/* inline */
	struct ipc		*channel;
	bool			 ready;		/* it has said so */
	unsigned		 generation;
	struct job_list		 reads, hashes;
	struct translate_job	*hand;
	bool			 hash_turn;
	struct event		*timer;
	struct struck		*struck;	/* messages that killed translators */
	uint64_t		 last_id;
};

static void	pump(struct translate *t);

/* ---- lists ---- */

static void
list_add(struct job_list *l, struct translate_job *j)
{
	j->next = NULL;
	j->prev = l->last;
	*l->last = j;
	l->last = &j->next;
	l->n++;
}

static void
list_remove(struct job_list *l, struct translate_job *j)
{
	*j->prev = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	else
		l->last = j->prev;
	l->n--;
}

static struct job_list *
list_of(struct translate_job *j)
{
	return j->hashed != NULL ? &j->t->hashes : &j->t->reads;
}

static void
job_free(struct translate_job *j)
{
	if (j->t->hand == j)
		j->t->hand = NULL;
	list_remove(list_of(j), j);
	if (j->password != NULL)
		secret_wipe(j->password, j->password_n);
	free(j->password);
	free(j);
}

/* Behind all others. */
static void
queue(struct translate_job *j)
{
	list_remove(list_of(j), j);
	list_add(list_of(j), j);
	j->state = JOB_QUEUED;
	j->since_us = clock_mono_us();
}

/* ---- answers to those who asked ---- */

static void
give_part(struct translate_job *j, struct translate_part *part)
{
	translate_read_cb *cb = j->cb;
	void *arg = j->arg;

	part->job = part->last ? NULL : j;
	if (part->last)
		job_free(j);
	cb(arg, part);
}

static void
give_key(struct translate_job *j, const struct password_key *key)
{
	translate_hash_cb *cb = j->hashed;
	void *arg = j->arg;

	job_free(j);
	cb(arg, key);
}

/* It comes to nothing. */
static void
give_up(struct translate_job *j, const char *code, enum err_code error, bool retryable, const char *why)
{
	struct advisory none = { .n = 0 };
	struct err e = ERR_INIT;
	struct translate_part part = { .error = &e, .retryable = retryable, .code = code, .last = true,
	    .adv = &none, .format = j->r.format, .first = !j->begun, .relay = { .text = SLICE_EMPTY } };

	if (j->dropped) {
		job_free(j);
		return;
	}
	if (j->hashed != NULL) {
		give_key(j, NULL);
		return;
	}
	err_set(&e, error, "%s", why);
	err_input(&e, j->r.input);
	if (code == NULL)
		part.code = err_word(error);
	give_part(j, &part);
}

/* ---- messages that kill ---- */

static void
refuse_struck(struct translate_job *j)
{
	give_up(j, j->late ? "TRANSLATOR_TIMEOUT" : "TRANSLATOR_CRASHED", ERR_FORBIDDEN, false,
	    j->late ? "reading it took too long, three times" :
	    "reading it broke the translator, three times");
}

/* The translator that had this job is gone. True if the job is tried again. */
static bool
strike(struct translate_job *j, bool late)
{
	j->strikes = j->hashed != NULL ? j->strikes + 1 : struck_add(j->t->struck, j->r.sha256, late);
	j->late = late;
	j->open = false;
	if (j->dropped || j->strikes >= STRIKES)
		return false;
	queue(j);			/* behind the others, which have waited for it long enough */
	return true;
}

/* A message that did it before is not tried for an hour. */
static bool
is_struck(struct translate_job *j)
{
	return struck_count(j->t->struck, j->r.sha256, &j->late) >= STRIKES;
}

/* ---- the channel ---- */

/* Whatever the translator knew is gone with it. */
static void
forget_channel(struct translate *t)
{
	ipc_free(t->channel);
	t->channel = NULL;
	for (struct translate_job *j = t->reads.first; j != NULL; j = j->next)
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
		refuse_struck(j);
	pump(t);
}

static void
on_closed(void *arg, struct ipc *c, const char *why)
{
	(void)c;
	lose_translator(arg, why, "crashed");
}

/* ---- answers ---- */

/* What no single part shows: that parts follow from each other. */
static const char *
follows(struct translate_job *j, const struct translate_part *part)
{
	uint64_t fresh = part->adv->n - part->nagain;

	if (part->error != NULL)
		return NULL;
	if (j->begun && part->total != j->total)
		return "a message that changes its size";
	if (fresh > part->total - j->delivered || (part->last && fresh != part->total - j->delivered))
		return "more or fewer objects than it said";
	return fresh == 0 && !part->last ? "a part without anything in it" : NULL;
}

/* Read an answer into the job's arena; NULL, or what is wrong with it. */
static const char *
decode(struct translate_job *j, uint16_t type, struct slice body, struct translate_part *part,
    struct password_key *key)
{
	const char *why = "an answer to something else";

	*part = (struct translate_part){ .first = !j->begun };
	if (j->hashed != NULL)
		return type == TRANSLATE_KEY ? translate_get_key(body, key) : why;
	if (type == TRANSLATE_FAILED)
		return translate_get_failed(body, &j->r, j->mem, part);
	if (j->r.count)
		return type == TRANSLATE_COUNT ? translate_get_count(body, &j->r, j->mem, part) : why;
	if (type != TRANSLATE_PART)
		return why;
	why = translate_get_part(body, &j->r, j->mem, part);
	return why != NULL ? why : follows(j, part);
}

/* Book a good answer: the job is out of the translator's hand. */
static void
book_answer(struct translate_job *j, const struct translate_part *part)
{
	j->state = JOB_PAUSED;
	if (j->hashed != NULL)
		return;
	j->open = !part->last;
	j->begun = true;
	j->total = part->total;
	j->delivered += part->adv->n - part->nagain;
}

static void
tell(struct translate_job *j, struct translate_part *part, const struct password_key *key)
{
	if (j->dropped)
		translate_drop(j);
	else if (j->hashed != NULL)
		give_key(j, key);
	else
		give_part(j, part);
}

static void
on_message(void *arg, struct ipc *c, struct ipc_message *m)
{
	struct translate *t = arg;
	struct translate_job *j = t->hand;
	struct translate_part part;
	struct password_key key;
	const char *why = "an answer that nobody asked for";

	(void)c;
	if (m->type == TRANSLATE_READY && !t->ready) {
		t->ready = true;
		pump(t);
		return;
	}
	if (j != NULL && m->id == j->id)
		why = decode(j, m->type, m->body, &part, &key);
	if (why != NULL) {
		lose_translator(t, why, "lied");
		return;
	}
	if (t->conf.stats != NULL)
		stats_time(t->conf.stats, j->hashed != NULL ? "hash" : "translate",
		    clock_mono_us() - j->since_us);
	count(t, m->type == TRANSLATE_FAILED ? "refused" : "done");
	book_answer(j, &part);
	t->hand = NULL;
	pump(t);
	tell(j, &part, &key);
	secret_wipe(&key, sizeof(key));
}

/* ---- questions ---- */

/* A memory file with the input, for the frame to carry; -1 if there is none to be had. */
static int
input_file(struct slice in)
{
	int fd = memfd_create("tocsin-input", MFD_CLOEXEC);

	for (size_t done = 0; fd >= 0 && done < in.n; ) {
		ssize_t n = write(fd, in.p + done, in.n - done);

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		close(fd);
		return -1;
	}
	return fd;
}

static uint16_t
question(const struct translate_job *j, int fd, struct strbuf *b)
{
	struct translate_read r = j->r;

	if (j->hashed != NULL) {
		translate_put_hash(b, slice_from(j->password, j->password_n), j->recipe);
		return TRANSLATE_HASH;
	}
	if (j->open)
		return TRANSLATE_MORE;
	r.fd = fd;
	translate_put_read(b, &r, j->delivered);
	return TRANSLATE_READ;
}

static int64_t
deadline_of(const struct translate_job *j)
{
	return j->t->config->limits.translate_us +
	    (int64_t)(j->r.in.n / BYTES_A_SECOND) * 1000000;
}

static void
arm(struct translate *t, int64_t us)
{
	struct timeval tv = { us / 1000000, us % 1000000 };

	evtimer_add(t->timer, &tv);
}

static bool
send_question(struct translate *t, struct translate_job *j)
{
	struct strbuf b = STRBUF_INIT;
	bool own_file = j->hashed == NULL && !j->open && j->r.fd <= 0 && j->r.in.n > INLINE_BYTES;
	int fd = own_file ? input_file(j->r.in) : j->hashed == NULL && !j->open ? j->r.fd : -1;
	uint16_t type = question(j, fd, &b);
	bool sent = ipc_send(t->channel, type, j->id, strbuf_slice(&b), fd > 0 ? fd : -1);

	if (own_file && fd >= 0)
		close(fd);
	if (j->hashed != NULL)
		secret_wipe(b.p, b.cap);
	strbuf_fini(&b);
	return sent;
}

/* Does its message fill the cage for as long as it is open? */
static bool
is_big(const struct translate_job *j)
{
	return j->r.in.n > BIG_BYTES && !j->r.count;
}

static struct translate_job *
next_hash(const struct translate *t)
{
	struct translate_job *j = t->hashes.first;

	while (j != NULL && j->state != JOB_QUEUED)
		j = j->next;
	return j;
}

/* The first read that may go now: of large ones only that which the translator has begun. */
static struct translate_job *
next_read(const struct translate *t)
{
	bool occupied = false;

	for (struct translate_job *j = t->reads.first; j != NULL; j = j->next)
		occupied |= j->open && is_big(j);
	for (struct translate_job *j = t->reads.first; j != NULL; j = j->next)
		if (j->state == JOB_QUEUED && (j->open || !occupied || !is_big(j)))
			return j;
	return NULL;
}

bool
translate_is_occupied(const struct translate *t)
{
	bool occupied = false, waits = false;

	for (const struct translate_job *j = t->reads.first; j != NULL; j = j->next) {
		occupied |= j->open && is_big(j);
		waits |= j->state == JOB_QUEUED && !j->open && is_big(j);
	}
	return occupied && waits;
}

/* Give the translator its next job: reads and password checks in turn. */
static void
pump(struct translate *t)
{
	struct translate_job *read, *hash, *j;

	if (t->hand != NULL || t->conf.base == NULL)
		return;
	if (t->channel == NULL || !t->ready || !ipc_is_open(t->channel)) {
		if (t->reads.n + t->hashes.n > 0)
			arm(t, tick_us);
		return;
	}
	while ((read = next_read(t)) != NULL && !read->open && is_struck(read)) {
		refuse_struck(read);
		if (t->hand != NULL)
			return;		/* who was told has asked for something else */
	}
	hash = next_hash(t);
	j = hash == NULL || (read != NULL && !t->hash_turn) ? read : hash;
	if (j == NULL) {
		evtimer_del(t->timer);
		return;
	}
	t->hash_turn = j == read;
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
expire(struct translate *t, struct job_list *l)
{
	int64_t now = clock_mono_us();
	struct translate_job *j = l->first;

	while (j != NULL) {
		struct translate_job *next = j->next;

		if (j->state == JOB_QUEUED && now - j->since_us > patience_us) {
			give_up(j, NULL, ERR_BUSY, true, "there is no translator");
			next = l->first;	/* what was called may have changed the list */
		}
		j = next;
	}
	pump(t);
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
	expire(t, &t->reads);
	expire(t, &t->hashes);
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
	struct translate *t = j->t;
	struct inline_answer a = { 0, STRBUF_INIT };
	struct strbuf b = STRBUF_INIT;
	struct translate_part part;
	struct password_key key;
	int fd = j->hashed == NULL && !j->open ? j->r.fd : -1;
	uint16_t type = question(j, fd, &b);
	const char *why;

	j->state = JOB_HAND;
	translator_do(t->own, type, j->id, strbuf_slice(&b), fd, keep_answer, &a);
	strbuf_fini(&b);
	why = decode(j, a.type, strbuf_slice(&a.body), &part, &key);
	strbuf_fini(&a.body);
	if (why != NULL) {
		log_lost(j, why);
		j->strikes = STRIKES;
		refuse_struck(j);
		return;
	}
	book_answer(j, &part);
	tell(j, &part, &key);
	secret_wipe(&key, sizeof(key));
}

static void
ask(struct translate_job *j)
{
	if (j->t->conf.base == NULL)
		run_inline(j);
	else
		pump(j->t);
}

/* ---- for callers ---- */

static struct translate_job *
job_new(struct translate *t, struct job_list *l, void *arg)
{
	struct translate_job *j = xcalloc(1, sizeof(*j));

	j->t = t;
	j->id = ++t->last_id;
	j->arg = arg;
	j->since_us = clock_mono_us();
	list_add(l, j);
	return j;
}

void
translate_read(struct translate *t, const struct translate_read *r, struct arena *mem,
    translate_read_cb *cb, void *arg)
{
	bool full = t->reads.n >= t->config->limits.translate_queue;
	struct translate_job *j = job_new(t, &t->reads, arg);

	j->r = *r;
	j->mem = mem;
	j->cb = cb;
	if (full)
		give_up(j, NULL, ERR_BUSY, true, "too many messages wait to be read");
	else if (is_struck(j))
		refuse_struck(j);
	else
		ask(j);
}

void
translate_more(struct translate_job *j, struct arena *mem)
{
	j->mem = mem;
	queue(j);
	ask(j);
}

void
translate_drop(struct translate_job *j)
{
	struct translate *t = j->t;

	j->dropped = true;
	if (j->state == JOB_HAND)
		return;			/* its answer must be taken off the channel first */
	if (j->open && t->own != NULL)
		translator_do(t->own, TRANSLATE_DROP, j->id, SLICE_EMPTY, -1, keep_answer, NULL);
	else if (j->open && t->channel != NULL)
		ipc_send(t->channel, TRANSLATE_DROP, j->id, SLICE_EMPTY, -1);
	job_free(j);
	pump(t);
}

void
translate_hash(struct translate *t, struct slice password, const char *recipe, translate_hash_cb *cb,
    void *arg)
{
	bool full = t->hashes.n >= HASHES_MAX;
	struct translate_job *j;

	if (full || strlen(recipe) >= PASSWORD_RECIPE) {
		cb(arg, NULL);
		return;
	}
	j = job_new(t, &t->hashes, arg);
	j->hashed = cb;
	j->r.in = SLICE_EMPTY;
	j->password = xstrndup(password.p, password.n);
	j->password_n = password.n;
	memcpy(j->recipe, recipe, strlen(recipe) + 1);
	ask(j);
}

size_t
translate_in_work(const struct translate *t)
{
	return t->reads.n + t->hashes.n;
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
	pump(t);
}

struct translate *
translate_new(const struct translate_conf *conf, struct err *e)
{
	struct translate *t = xcalloc(1, sizeof(*t));

	t->conf = *conf;
	t->config = config_hold(conf->config);
	t->reads.last = &t->reads.first;
	t->hashes.last = &t->hashes.first;
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
		for (struct translate_job *j = t->reads.first; j != NULL; j = j->next)
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
	while (t->reads.first != NULL)
		job_free(t->reads.first);
	while (t->hashes.first != NULL)
		job_free(t->hashes.first);
	ipc_free(t->channel);
	if (t->timer != NULL)
		event_free(t->timer);
	translator_free(t->own);
	config_free(t->config);
	struck_free(t->struck);
	free(t);
}
