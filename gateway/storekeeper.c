#include "gateway/storekeeper.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/ipc.h"
#include "gateway/store_impl.h"

enum {
	QUESTIONS_MAX = 8192,		/* of one client under way; then he has to wait */
	BYTES_MAX = ASK_FRAME_MAX,	/* the same, in bytes of messages */
	KEEP_BYTES = 1 << 20,		/* of a client's answers, between turns */
	NAMED_MAX = 64,			/* told by name; more are told as "all" */
	PULSE_SECONDS = 1,
	FLUSH_US = 1000000
};

/* A message of a client: questions point into it until the last one is answered. */
struct letter {
	struct ipc_body	 body;
	size_t		 refs;
};

struct client {
	struct storekeeper *k;
	struct client	*next;
	struct ipc	*channel;	/* NULL: gone, and only its questions are left */
	char		*name;
	char		 owner[40];	/* of its leases: nobody had it before */
	size_t		 questions, bytes;	/* under way */
	struct strbuf	 out;		/* a frame of answers being made */
	uint64_t	 told_syncs;	/* as of the figures it has */
};

struct storekeeper {
	struct event_base *base;
	struct store	*local;
	struct client	*clients;
	struct event	*flush, *pulse;
	unsigned long	 serial;
	/* peers for whom something was queued in this turn */
	char		*peers[NAMED_MAX];
	size_t		 npeers;
	bool		 all_peers;
};

/* A question of a client, in the arena of its job. */
struct question {
	struct client	*client;
	struct letter	*letter;
	struct job	*job;
	uint64_t	 id;
};

/* ---- letters ---- */

static struct letter *
letter_keep(struct client *c, struct ipc_message *m)
{
	struct letter *l = xcalloc(1, sizeof(*l));

	ipc_body_keep(m, &l->body);
	l->refs = 1;
	c->bytes += l->body.bytes.n;
	return l;
}

static void
letter_release(struct client *c, struct letter *l)
{
	if (--l->refs > 0)
		return;
	c->bytes -= l->body.bytes.n;
	ipc_body_free(&l->body);
	free(l);
}

/* ---- clients ---- */

static void
client_free(struct client *c)
{
	struct client **at = &c->k->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	strbuf_fini(&c->out);
	free(c->name);
	free(c);
}

/* Nobody is there any more: what he leased is free for others, what he asked is done all the same. */
static void
client_leave(struct client *c)
{
	ipc_free(c->channel);
	c->channel = NULL;
	store_outbox_release(c->k->local, c->owner);
	if (c->questions == 0)
		client_free(c);
}

/* Who has asked too much at once is not listened to until some of it is done. */
static void
client_pace(struct client *c)
{
	if (c->channel != NULL)
		ipc_pause(c->channel, c->questions > QUESTIONS_MAX || c->bytes > BYTES_MAX);
}

/* ---- telling ---- */

static void
write_figures(struct client *c)
{
	struct store_figures f;

	c->k->local->road->figures(c->k->local, &f);
	ask_put_figures(&c->out, &f);
	c->told_syncs = f.syncs + f.failures;
}

static void
send_answers(struct client *c)
{
	if (c->out.n == 0)
		return;
	ipc_send(c->channel, FRAME_ANSWERS, 0, strbuf_slice(&c->out), -1);
	if (c->out.cap > KEEP_BYTES)
		strbuf_fini(&c->out);
	strbuf_reset(&c->out);
}

/* The names of the peers as a frame; one without a name stands for all. */
static void
write_peers(struct storekeeper *k, struct strbuf *b)
{
	if (k->all_peers)
		wire_put_string(b, "");
	for (size_t i = 0; i < k->npeers; i++) {
		if (!k->all_peers)
			wire_put_string(b, k->peers[i]);
		free(k->peers[i]);
	}
	k->npeers = 0;
	k->all_peers = false;
}

/* Each client its answers, then all of them the peers: nothing is told that is not durable. */
static void
send_all(struct storekeeper *k)
{
	struct strbuf peers = STRBUF_INIT;

	write_peers(k, &peers);
	for (struct client *c = k->clients; c != NULL; c = c->next) {
		if (c->channel == NULL)
			continue;
		send_answers(c);
		if (peers.n > 0)
			ipc_send(c->channel, FRAME_QUEUED, 0, strbuf_slice(&peers), -1);
	}
	strbuf_fini(&peers);
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_all(arg);
}

static void
plan_pulse(struct storekeeper *k)
{
	const struct timeval tv = { PULSE_SECONDS, 0 };

	if (!evtimer_pending(k->pulse, NULL))
		evtimer_add(k->pulse, &tv);
}

/* Figures for those who have asked nothing since they changed. */
static void
on_pulse(evutil_socket_t fd, short what, void *arg)
{
	struct storekeeper *k = arg;
	struct store_figures f;

	(void)fd;
	(void)what;
	k->local->road->figures(k->local, &f);
	for (struct client *c = k->clients; c != NULL; c = c->next) {
		if (c->channel == NULL || c->told_syncs == f.syncs + f.failures)
			continue;
		if (c->out.n == 0)
			write_figures(c);
		send_answers(c);
	}
}

/* ---- what was queued ---- */

static void
add_peer(struct storekeeper *k, const char *name)
{
	for (size_t i = 0; i < k->npeers; i++)
		if (strcmp(k->peers[i], name) == 0)
			return;
	if (k->npeers == NAMED_MAX || name[0] == '\0')
		k->all_peers = true;
	else
		k->peers[k->npeers++] = xstrdup(name);
}

static void
note_queued(struct storekeeper *k, const struct ask *a)
{
	if (a->kind == ASK_REQUEUE && a->count > 0)
		add_peer(k, a->name == NULL ? "" : a->name);
	for (size_t i = 0; a->kind == ASK_COMMIT && i < a->txn->nputs; i++) {
		const struct store_put *p = &a->txn->puts[i];

		for (size_t n = 0; p->queued > 0 && n < p->npeers; n++)
			add_peer(k, p->peers[n]);
	}
}

/* ---- questions ---- */

static void
answer(struct client *c, const struct question *x, const struct err *e)
{
	struct err much = ERR_INIT;

	if (c->out.n == 0)
		write_figures(c);
	if (ask_put_answer(&c->out, x->id, &x->job->ask, e) == 0)
		return;
	err_set(&much, ERR_LIMIT, "the answer is more than a message may hold");
	ask_put_answer(&c->out, x->id, &x->job->ask, &much);
}

static void
on_done(void *arg, const struct err *e)
{
	struct question *x = arg;
	struct client *c = x->client;
	struct storekeeper *k = c->k;

	if (e == NULL)
		note_queued(k, &x->job->ask);
	if (c->channel != NULL)
		answer(c, x, e);
	letter_release(c, x->letter);
	c->questions--;
	client_pace(c);
	if (c->channel == NULL && c->questions == 0)
		client_free(c);
	event_active(k->flush, EV_TIMEOUT, 0);
	plan_pulse(k);
}

/* One question into the store; NULL, or which rule it breaks. */
static const char *
take_question(struct client *c, struct letter *l, uint64_t id, enum ask_kind kind,
    struct slice body)
{
	struct job *j = job_new(kind);
	struct question *x = arena_alloc(j->mem, sizeof(*x));
	const char *fault = ask_read(&j->ask, kind, body, j->mem);

	if (fault != NULL) {
		job_end(j, NULL);
		return fault;
	}
	*x = (struct question){ .client = c, .letter = l, .job = j, .id = id };
	j->ask.owner = c->owner;
	j->done = on_done;
	j->arg = x;
	l->refs++;
	c->questions++;
	c->k->local->road->submit(c->k->local, j);
	return NULL;
}

/* All questions of a message; NULL, or which rule one breaks. */
static const char *
take_questions(struct client *c, struct letter *l)
{
	struct wire w;
	enum ask_kind kind;
	struct slice body;
	const char *fault = NULL;
	uint64_t id;

	wire_open(&w, l->body.bytes);
	while (fault == NULL && ask_next(&w, &id, &kind, &body))
		fault = take_question(c, l, id, kind, body);
	return fault != NULL || wire_done(&w) ? fault : "a message that does not fit";
}

static void
on_message(void *arg, struct ipc *channel, struct ipc_message *m)
{
	struct client *c = arg;
	struct letter *l;
	const char *fault;

	(void)channel;
	c->questions++;			/* stays until we are through with it */
	l = letter_keep(c, m);
	fault = m->type == FRAME_ASKS ? take_questions(c, l) : "a message of no kind";
	letter_release(c, l);
	c->questions--;
	if (fault == NULL) {
		client_pace(c);
		return;
	}
	log_event(LOG_ERROR, "storekeeper.refused", LF_S("client", c->name), LF_S("why", fault));
	client_leave(c);
}

static void
on_closed(void *arg, struct ipc *channel, const char *why)
{
	struct client *c = arg;

	(void)channel;
	log_event(LOG_INFO, "storekeeper.left", LF_S("client", c->name), LF_S("why", why));
	client_leave(c);
}

/* ---- life ---- */

struct storekeeper *
storekeeper_new(struct event_base *base, struct store *local)
{
	struct storekeeper *k = xcalloc(1, sizeof(*k));

	k->base = base;
	k->local = local;
	k->flush = evtimer_new(base, on_flush, k);
	k->pulse = evtimer_new(base, on_pulse, k);
	return k;
}

void
storekeeper_free(struct storekeeper *k)
{
	struct client *next;
	struct strbuf nobody = STRBUF_INIT;

	if (k == NULL)
		return;
	for (struct client *c = k->clients; c != NULL; c = next) {
		next = c->next;
		if (c->channel != NULL)
			client_leave(c);
	}
	queue_flush(k->local);		/* the last questions go, and their clients with them */
	write_peers(k, &nobody);
	strbuf_fini(&nobody);
	event_free(k->flush);
	event_free(k->pulse);
	free(k);
}

void
storekeeper_add_client(struct storekeeper *k, int fd, const char *name)
{
	struct client *c = xcalloc(1, sizeof(*c));
	struct ipc_conf conf = { .max_body = ASK_FRAME_MAX, .on_message = on_message,
		.on_closed = on_closed, .arg = c };

	c->k = k;
	conf.name = c->name = xstrdup(name);
	snprintf(c->owner, sizeof(c->owner), "client %lu", ++k->serial);
	strbuf_init(&c->out);
	c->next = k->clients;
	k->clients = c;
	c->channel = ipc_new(k->base, fd, &conf);
	ipc_send(c->channel, FRAME_HELLO, 0, slice_of(store_id(k->local)), -1);
	log_event(LOG_INFO, "storekeeper.client", LF_S("client", name));
}

size_t
storekeeper_clients(const struct storekeeper *k)
{
	size_t n = 0;

	for (const struct client *c = k->clients; c != NULL; c = c->next)
		n += c->channel != NULL;
	return n;
}

void
storekeeper_drain(struct storekeeper *k, void (*cb)(void *arg), void *arg)
{
	queue_flush(k->local);
	send_all(k);
	for (struct client *c = k->clients; c != NULL; c = c->next)
		if (c->channel != NULL)
			ipc_flush(c->channel, FLUSH_US);
	cb(arg);
}
