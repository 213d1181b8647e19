#include "gateway/figures.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/wire.h"
#include "gateway/figures_look.h"
#include "gateway/gateway.h"
#include "gateway/process.h"

enum { ALONE = 255, PROCESSES_MAX = 2 * PROCESS_WORKERS_MAX + 8, LINKS_MAX = 10000 };

/* ---- packing ---- */

static void
pack_links(struct strbuf *b, const struct gateway *g)
{
	struct strbuf list = STRBUF_INIT;
	uint32_t n = 0;

	for (size_t i = 0; g->outbox != NULL && i < trust_peers(g->trust) && n < LINKS_MAX; i++) {
		const struct peer *p = trust_peer(g->trust, i);
		struct outbox_link link;

		if (!peer_is_sent_to(p) || !gateway_owns(g, p->name) ||
		    !outbox_link(g->outbox, p->name, &link))
			continue;
		wire_put_string(&list, p->name);
		wire_put_string(&list, link.state);
		wire_put_u32(&list, link.failures);
		wire_put_i64(&list, link.next_us);
		wire_put_i64(&list, link.last_ok_us);
		wire_put_string(&list, link.last_error);
		n++;
	}
	wire_put_u32(b, n);
	strbuf_addsl(b, strbuf_slice(&list));
	strbuf_fini(&list);
}

void
figures_pack(const struct figures_source *from, struct strbuf *out)
{
	char trouble[STORE_TROUBLE];
	struct stats *s = stats_new();

	figures_look(from, s, trouble);
	wire_put_i64(out, from->started_us);
	wire_put_string(out, trouble);
	stats_pack(out, s);
	if (from->g != NULL)
		pack_links(out, from->g);
	else
		wire_put_u32(out, 0);
	stats_free(s);
}

/* ---- unpacking ---- */

/* The word as a text that lives for ever; anything else is bad. */
static const char *
state_word(struct wire *w, const char *word)
{
	static const char *const words[] = { "idle", "deciding", "sending", "waiting" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0)
			return words[i];
	wire_refuse(w);
	return words[0];
}

static void
unpack_link(struct wire *w, struct arena *mem, struct figures_link *l)
{
	l->peer = wire_name(w, mem);
	l->link.state = state_word(w, wire_name(w, mem));
	l->link.failures = wire_u32(w);
	l->link.next_us = wire_i64(w);
	l->link.last_ok_us = wire_i64(w);
	snprintf(l->link.last_error, sizeof(l->link.last_error), "%s", wire_name(w, mem));
}

/* The figures of one process; false, and nothing taken, if they make no sense. */
static bool
unpack(struct slice body, struct arena *mem, struct figures_process *p)
{
	struct figures_process x = *p;
	struct wire w;

	wire_open(&w, body);
	x.started_us = wire_i64(&w);
	x.trouble = wire_name(&w, mem);
	x.stats = stats_unpack(&w);
	x.nlinks = wire_count(&w, LINKS_MAX, 32);
	x.links = arena_alloc(mem, (x.nlinks + 1) * sizeof(*x.links));
	for (size_t i = 0; i < x.nlinks && !w.bad; i++)
		unpack_link(&w, mem, &x.links[i]);
	x.answered = wire_done(&w);
	if (x.answered) {
		stats_free(p->stats);
		*p = x;
	} else {
		stats_free(x.stats);
	}
	return x.answered;
}

/* ---- all together ---- */

/* Room for one more process, named by its kind. */
static struct figures_process *
add_process(struct figures *f, unsigned kind, uint32_t index)
{
	static const char *const words[] = {
		[PROCESS_STOREKEEPER] = "storekeeper", [PROCESS_TRANSLATOR] = "translator",
		[PROCESS_WORKER] = "worker", [PROCESS_KINDS] = "master",
	};
	struct figures_process *p = &f->v[f->n++];

	*p = (struct figures_process){ .index = index, .trouble = "", .stats = stats_new() };
	p->kind = kind == ALONE ? "one" : words[kind];
	if (kind == PROCESS_WORKER || kind == PROCESS_TRANSLATOR)
		snprintf(p->name, sizeof(p->name), "%s-%u", p->kind, index);
	else
		snprintf(p->name, sizeof(p->name), "%s", p->kind);
	return p;
}

/* The master, the storekeeper, then each worker and its translator. */
static int
by_kind(const void *a, const void *b)
{
	static const char *const order[] = { "master", "storekeeper", "worker", "translator", "one" };
	const struct figures_process *x = a, *y = b;
	size_t i = 0, k = 0;

	while (strcmp(order[i], x->kind) != 0)
		i++;
	while (strcmp(order[k], y->kind) != 0)
		k++;
	if ((i < 2) != (k < 2) || x->index == y->index)
		return (i > k) - (i < k);
	return x->index < y->index ? -1 : 1;
}

/* What is known of each process without its own word, and the sum of all. */
static void
complete(struct figures *f)
{
	f->all = stats_new();
	qsort(f->v, f->n, sizeof(*f->v), by_kind);
	for (size_t i = 0; i < f->n; i++) {
		struct figures_process *p = &f->v[i];

		stats_set(p->stats, STAT_UP, NULL, p->answered);
		stats_set(p->stats, STAT_RESTARTS, NULL, p->restarts);
		if (p->started_us > 0)
			stats_set(p->stats, STAT_START, NULL, (double)p->started_us / 1e6);
		if (p->resident > 0 && !stats_has(p->stats, STAT_RESIDENT, NULL))
			stats_set(p->stats, STAT_RESIDENT, NULL, p->resident);
		if (p->resident > 0 && !stats_has(p->stats, STAT_CPU, NULL))
			stats_set(p->stats, STAT_CPU, NULL, p->cpu);
		stats_merge(f->all, p->stats);
	}
	stats_set(f->all, STAT_BUILD, TOCSIN_VERSION, 1);
}

const struct outbox_link *
figures_link(const struct figures *f, const char *peer)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->v[i].nlinks; k++)
			if (strcmp(f->v[i].links[k].peer, peer) == 0)
				return &f->v[i].links[k].link;
	return NULL;
}

void
figures_print(struct strbuf *out, const struct figures *f)
{
	struct stats_of v[PROCESSES_MAX];

	for (size_t i = 0; i < f->n; i++)
		v[i] = (struct stats_of){ f->v[i].name, f->v[i].stats };
	stats_print(out, v, f->n, f->all);
}

/* ---- the desk ---- */

/* Who asks while a question is open waits for the same answers. */
struct waiter {
	figures_cb	*cb;		/* NULL: forgotten */
	void		*arg;
	struct waiter	*next;
};

struct figures_desk {
	struct figures_source	 own;
	figures_ask_fn		*ask;
	void			*ctx;
	struct event		*timer;
	uint64_t		 id;		/* of the question that is open */
	bool			 open;
	struct waiter		*waiters, *answered;
	struct figures		 f;		/* what came so far */
};

static void
close_figures(struct figures *f)
{
	for (size_t i = 0; i < f->n; i++)
		stats_free(f->v[i].stats);
	stats_free(f->all);
	arena_free(f->mem);
}

/* Everybody who waits gets what is there. */
static void
answer(struct figures_desk *d)
{
	struct figures f = d->f;
	struct waiter *w;

	d->open = false;
	d->answered = d->waiters;
	d->waiters = NULL;
	if (d->timer != NULL)
		event_del(d->timer);
	complete(&f);
	while ((w = d->answered) != NULL) {
		if (w->cb != NULL)
			w->cb(w->arg, &f);
		d->answered = w->next;
		free(w);
	}
	close_figures(&f);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct figures_desk *d = arg;

	(void)fd;
	(void)what;
	log_event(LOG_WARN, "figures.late", LF_I("answers", d->f.n));
	answer(d);
}

/* Our own figures go the way of everybody's. */
static void
begin(struct figures_desk *d)
{
	unsigned kind = d->ask == NULL ? ALONE : PROCESS_WORKER;
	struct strbuf text = STRBUF_INIT;
	struct figures_process *p;

	d->f = (struct figures){ .mem = arena_new(), .whole = d->ask == NULL };
	d->f.v = arena_alloc(d->f.mem, PROCESSES_MAX * sizeof(*d->f.v));
	d->open = true;
	p = add_process(&d->f, kind, 0);
	p->pid = getpid();
	figures_pack(&d->own, &text);
	unpack(arena_slice(d->f.mem, strbuf_slice(&text)), d->f.mem, p);
	strbuf_fini(&text);
}

struct figures_desk *
figures_desk_new(struct event_base *base, const struct figures_source *own, figures_ask_fn *ask,
    void *ctx)
{
	struct figures_desk *d = xcalloc(1, sizeof(*d));

	d->own = *own;
	d->ask = ask;
	d->ctx = ctx;
	if (base != NULL)
		d->timer = evtimer_new(base, on_timeout, d);
	return d;
}

void
figures_desk_free(struct figures_desk *d)
{
	if (d == NULL)
		return;
	if (d->open)
		answer(d);
	if (d->timer != NULL)
		event_free(d->timer);
	free(d);
}

void
figures_gather(struct figures_desk *d, figures_cb *cb, void *arg)
{
	static const struct timeval limit = { FIGURES_WAIT_US / 1000000, FIGURES_WAIT_US % 1000000 };
	struct waiter *w = xcalloc(1, sizeof(*w)), **end = &d->waiters;

	*w = (struct waiter){ .cb = cb, .arg = arg };
	while (*end != NULL)
		end = &(*end)->next;
	*end = w;
	if (d->open)
		return;
	begin(d);
	if (d->ask == NULL || !d->ask(d->ctx, ++d->id))
		answer(d);
	else if (d->open && d->timer != NULL)
		evtimer_add(d->timer, &limit);
}

void
figures_forget(struct figures_desk *d, const void *arg)
{
	struct waiter *const lists[] = { d->waiters, d->answered };

	for (size_t i = 0; i < 2; i++)
		for (struct waiter *w = lists[i]; w != NULL; w = w->next)
			if (w->arg == arg)
				w->cb = NULL;
}

/* The place of the process that a report speaks of; NULL if it cannot be one. */
static struct figures_process *
place_of(struct figures *f, unsigned kind, uint32_t index)
{
	struct figures_process *p;

	if (kind > PROCESS_KINDS || index >= PROCESS_WORKERS_MAX || f->n == PROCESSES_MAX)
		return NULL;
	p = add_process(f, kind, index);
	for (size_t i = 0; i + 1 < f->n; i++) {
		if (strcmp(f->v[i].name, p->name) != 0)
			continue;
		stats_free(p->stats);
		f->n--;
		return &f->v[i];
	}
	return p;
}

void
figures_report(struct figures_desk *d, uint64_t id, struct slice body)
{
	struct figures_process *p;
	unsigned kind;
	uint32_t index;
	struct slice text;
	struct wire w;

	if (!d->open || id != d->id)
		return;			/* too late: nobody waits for it any more */
	if (body.n == 0) {
		d->f.whole = true;
		answer(d);
		return;
	}
	wire_open(&w, arena_slice(d->f.mem, body));
	kind = wire_u8(&w);
	index = wire_u32(&w);
	p = w.bad ? NULL : place_of(&d->f, kind, index);
	if (p == NULL)
		return;
	p->pid = wire_i64(&w);
	p->restarts = wire_u32(&w);
	p->resident = wire_f64(&w);
	p->cpu = wire_f64(&w);
	text = wire_text(&w);
	if (text.n > 0 && wire_done(&w) && !unpack(text, d->f.mem, p))
		log_event(LOG_WARN, "figures.unread", LF_S("process", p->name));
}
