#include "gateway/consumer_books.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/gateway.h"

enum {
	SLOTS = 64,			/* of remembered questions a consumer */
	FIRST_WRITE_US = 200000,	/* a consumer who comes is seen at once, */
	WRITE_US = 1000000,		/* and from then on once a second */
	PAUSE_LEAST_US = 1000000, PAUSE_MOST_US = 30000000
};
static const char space[] = "consumer";

/* A question and what it brought. */
struct slot {
	int64_t	ask, answer;
};

struct entry {
	struct book	 book;
	struct slot	 slots[SLOTS];
	/* the same question with the same answer, in a row */
	struct slot	 last;
	uint64_t	 run;
	int64_t		 run_us;	/* monotonic: when it was answered last */
	int64_t		 learned_us;	/* monotonic */
	bool		 dirty;
	struct entry	*next;
};

struct consumer_books {
	struct gateway	*g;
	struct entry	*entries;
	struct event	*timer;
	int64_t		 written_us;	/* monotonic */
};

/* ---- names ---- */

static struct entry *
find(const struct consumer_books *bs, const char *name)
{
	struct entry *x = bs->entries;

	while (x != NULL && strcmp(x->book.name, name) != 0)
		x = x->next;
	return x;
}

/* The entry, made when new. Who came last stands first. */
static struct entry *
make(struct consumer_books *bs, const char *name)
{
	struct entry **at = &bs->entries, *x;

	while (*at != NULL && strcmp((*at)->book.name, name) != 0)
		at = &(*at)->next;
	x = *at;
	if (x != NULL) {
		*at = x->next;
	} else {
		x = xcalloc(1, sizeof(*x));
		snprintf(x->book.name, sizeof(x->book.name), "%s", name);
	}
	x->next = bs->entries;
	bs->entries = x;
	return x;
}

int64_t
consumer_hash(int64_t seed, struct slice s)
{
	uint64_t h = (uint64_t)seed ^ UINT64_C(0xcbf29ce484222325), w;

	for (; s.n >= sizeof(w); s = slice_from(s.p + sizeof(w), s.n - sizeof(w))) {
		memcpy(&w, s.p, sizeof(w));
		h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	w = s.n;
	if (s.n > 0)
		memcpy(&w, s.p, s.n);
	h = (h ^ w ^ (uint64_t)s.n << 56) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 32) & ((UINT64_C(1) << 52) - 1);	/* what JSON can say exactly */
	return h == 0 ? 1 : (int64_t)h;
}

/* ---- writing down ---- */

static void
note_name(char *out, size_t cap, const char *name, unsigned worker)
{
	snprintf(out, cap, "%s %u", name, worker);
}

/* What could not be kept is tried again with the next that happens. Entries outlive the store. */
static void
on_written(void *arg, const struct err *e)
{
	struct entry *x = arg;

	if (e == NULL)
		return;
	x->dirty = true;
	log_event(LOG_WARN, "consumer.book", LF_S("error", e->reason));
}

/* How far the other workers have come with it: what was withheld there is counted there. */
static void
learn(struct consumer_books *bs, struct entry *x)
{
	struct arena *mem = arena_new();
	char name[BOOK_NAME + 16];
	struct book one;

	x->learned_us = clock_mono_us();
	for (unsigned i = 0; i < bs->g->nworkers; i++) {
		const char *text;

		if (i == bs->g->worker)
			continue;
		note_name(name, sizeof(name), x->book.name, i);
		text = store_note_get(bs->g->store, space, name, mem, NULL);
		if (text != NULL && book_read(&one, x->book.name, text))
			book_merge_tracks(&x->book, &one);
	}
	arena_free(mem);
}

void
consumer_books_write(struct consumer_books *bs)
{
	struct strbuf b = STRBUF_INIT;
	char name[BOOK_NAME + 16];

	for (struct entry *x = bs == NULL ? NULL : bs->entries; x != NULL; x = x->next) {
		if (!x->dirty)
			continue;
		x->dirty = false;
		learn(bs, x);
		strbuf_reset(&b);
		book_write(&b, &x->book);
		note_name(name, sizeof(name), x->book.name, bs->g->worker);
		store_note_set(bs->g->store, space, name, b.p, on_written, x);
	}
	strbuf_fini(&b);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct consumer_books *bs = arg;

	(void)fd;
	(void)what;
	bs->written_us = clock_mono_us();
	consumer_books_write(bs);
}

static void
touch(struct consumer_books *bs, struct entry *x)
{
	int64_t in_us = bs->written_us + WRITE_US - clock_mono_us();
	struct timeval tv;

	x->dirty = true;
	if (bs->timer == NULL || evtimer_pending(bs->timer, NULL))
		return;
	if (in_us < FIRST_WRITE_US)
		in_us = FIRST_WRITE_US;
	tv = (struct timeval){ in_us / 1000000, in_us % 1000000 };
	evtimer_add(bs->timer, &tv);
}

/* ---- reading ---- */

void
consumer_books_look(struct consumer_books *bs, const char *name, struct book *out)
{
	struct err e = ERR_INIT;
	char note[BOOK_NAME + 16];
	const struct entry *x;
	struct arena *mem;
	struct book one;

	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", name);
	if (bs == NULL)
		return;
	mem = arena_new();
	if ((x = find(bs, name)) != NULL)
		book_merge(out, &x->book);
	for (unsigned i = 0; i < bs->g->nworkers; i++) {
		const char *text;

		if (i == bs->g->worker)		/* ours is here, and newer */
			continue;
		note_name(note, sizeof(note), name, i);
		text = store_note_get(bs->g->store, space, note, mem, &e);
		if (text != NULL && book_read(&one, name, text))
			book_merge(out, &one);
	}
	if (e.code != ERR_NONE)
		log_event(LOG_WARN, "consumer.book", LF_S("error", e.reason));
	arena_free(mem);
}

/* ---- what happens ---- */

/* Remember the question; true if it brought the same before. */
static bool
repeats(struct entry *x, const struct book_page *p)
{
	struct slot *s = &x->slots[(size_t)p->ask % SLOTS];
	const struct slot now = { p->ask, p->seen->n == 0 ? 0 :
	    consumer_hash(0, slice_from(p->seen->digest, sizeof(p->seen->digest))) };
	bool same = s->ask == now.ask && s->answer == now.answer && now.answer != 0;

	*s = now;
	if (x->last.ask == now.ask && x->last.answer == now.answer && now.answer != 0)
		x->run++;
	else
		x->run = 1;
	x->last = now;
	x->run_us = clock_mono_us();
	return same;
}

void
consumer_books_note(struct consumer_books *bs, const char *name, struct book_call *c)
{
	struct entry *x;

	if (bs == NULL)
		return;
	x = make(bs, name);
	c->at_us = clock_wall_us();
	book_note(&x->book, c, c->page != NULL && c->page->poll && repeats(x, c->page));
	touch(bs, x);
}

void
consumer_books_login(struct consumer_books *bs, const char *name, const char *remote)
{
	struct entry *x;

	if (bs == NULL)
		return;
	x = make(bs, name);
	book_note_login(&x->book, clock_wall_us(), remote);
	touch(bs, x);
}

int64_t
consumer_books_counted_us(struct consumer_books *bs, const char *name, int64_t track)
{
	struct entry *x = bs == NULL ? NULL : find(bs, name);
	const struct book_track *t;

	if (x != NULL && clock_mono_us() - x->learned_us > WRITE_US)
		learn(bs, x);
	t = x == NULL ? NULL : book_track(&x->book, track);
	return t == NULL ? 0 : t->judged_us;
}

/* The pause grows with every repetition beyond what is fine. */
static int64_t
pause_of(uint64_t run, uint64_t most)
{
	int64_t us = PAUSE_LEAST_US;

	for (; run > most && us < PAUSE_MOST_US; run--)
		us *= 2;
	return us < PAUSE_MOST_US ? us : PAUSE_MOST_US;
}

int64_t
consumer_books_wait_us(const struct consumer_books *bs, const char *name, int64_t ask,
    uint64_t most, char *why, size_t cap)
{
	const struct entry *x = bs == NULL || most == 0 ? NULL : find(bs, name);
	const struct book *b = x == NULL ? NULL : &x->book;
	int64_t left_us;

	if (x == NULL || x->run < most || x->last.ask != ask || b->npolls == 0 ||
	    book_is_cut(&b->polls[b->npolls - 1]))
		return 0;
	left_us = x->run_us + pause_of(x->run, most) - clock_mono_us();
	if (left_us <= 0)
		return 0;
	snprintf(why, cap, "this client has asked the same %llu times in a row and got the same %lld "
	    "objects each time: its cursor does not move; it is served again after a pause",
	    (unsigned long long)x->run, (long long)b->polls[b->npolls - 1].n);
	return left_us;
}

/* ---- life ---- */

/* Ours are continued. Worker 0 takes over those of workers that there are no more. */
static bool
on_note(void *ctx, const char *name, const char *text)
{
	struct consumer_books *bs = ctx;
	const struct gateway *g = bs->g;
	const char *blank = strrchr(name, ' ');
	unsigned long long worker;
	char who[BOOK_NAME];
	struct entry *x;
	struct book one;

	if (blank == NULL || !slice_u64(slice_of(blank + 1), &worker) ||
	    (size_t)(blank - name) >= sizeof(who) ||
	    (worker != g->worker && (g->worker > 0 || worker < g->nworkers)))
		return true;
	snprintf(who, sizeof(who), "%.*s", (int)(blank - name), name);
	if (!book_read(&one, who, text))
		log_event(LOG_WARN, "consumer.book", LF_S("unreadable", who));
	x = make(bs, who);
	book_merge(&x->book, &one);
	if (worker != g->worker) {
		x->dirty = true;
		store_note_set(g->store, space, name, NULL, on_written, x);
	}
	return true;
}

struct consumer_books *
consumer_books_new(struct gateway *g)
{
	struct consumer_books *bs = xcalloc(1, sizeof(*bs));
	struct err e = ERR_INIT;

	bs->g = g;
	bs->timer = g->base == NULL ? NULL : evtimer_new(g->base, on_timer, bs);
	if (store_note_each(g->store, space, on_note, bs, &e) < 0)
		log_event(LOG_WARN, "consumer.book", LF_S("error", e.reason));
	return bs;
}

void
consumer_books_free(struct consumer_books *bs)
{
	struct entry *x;

	if (bs == NULL)
		return;
	while ((x = bs->entries) != NULL) {
		bs->entries = x->next;
		free(x);
	}
	if (bs->timer != NULL)
		event_free(bs->timer);
	free(bs);
}
