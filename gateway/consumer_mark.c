#include "gateway/consumer_mark.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/gateway.h"

#define DAY_US	(INT64_C(86400) * 1000000)

/* However many sets of filters a consumer thinks of, it has so many notes for a collection; a set has its
 * note in one of a few neighbouring slots. One that is pushed out begins anew. */
enum { REWIND_DAYS = 7, TEXT = 96, SLOTS = 1024, WAYS = 4 };

/* What was set and is not durable yet: in this process it holds already. */
struct pending {
	char		 space[16], name[MARK_NAME], text[TEXT];
	struct consumer_marks *marks;	/* NULL: they are gone */
	struct pending	*next;
};

struct consumer_marks {
	struct gateway	*g;
	struct pending	*pending;
	int64_t		 looked_us;	/* monotonic: when `rewinds` was looked up */
	bool		 rewinds;	/* somebody is being rewound */
};

/* ---- notes ---- */

static const char *
space_of(bool rewind)
{
	return rewind ? "rewind" : "bookmark";
}

static void
on_kept(void *arg, const struct err *e)
{
	struct pending *p = arg, **at = p->marks == NULL ? NULL : &p->marks->pending;

	if (e != NULL)
		log_event(LOG_WARN, "consumer.mark", LF_S("error", e->reason));
	while (at != NULL && *at != p)
		at = &(*at)->next;
	if (at != NULL)
		*at = p->next;
	free(p);
}

static void
set(struct consumer_marks *m, const char *space, const char *name, const char *text)
{
	struct pending *p = xcalloc(1, sizeof(*p));

	snprintf(p->space, sizeof(p->space), "%s", space);
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->marks = m;
	p->next = m->pending;
	m->pending = p;
	store_note_set(m->g->store, space, name, text, on_kept, p);
}

/* A number that may be negative. */
static bool
number(struct slice s, long long *out)
{
	bool minus = slice_starts(s, "-");
	unsigned long long n;

	if (minus)
		s = slice_from(s.p + 1, s.n - 1);
	if (!slice_u64(s, &n) || n > INT64_MAX)
		return false;
	*out = minus ? -(long long)n : (long long)n;
	return true;
}

/* GENERATION POSITION, and of a place FILTERS. */
static bool
numbers(const char *text, long long *generation, long long *position, long long *filters)
{
	struct slice rest = slice_of(text), first = slice_cut(&rest, ' ');
	struct slice second = slice_cut(&rest, ' ');

	*filters = 0;
	return number(first, generation) && number(second, position) &&
	    (rest.n == 0 || number(rest, filters));
}

/* The numbers under a name; false if there are none. */
static bool
get(const struct consumer_marks *m, const char *space, const char *name, long long *generation,
    long long *position, long long *filters)
{
	struct arena *mem = arena_new();
	const struct pending *p = m->pending;
	const char *text;
	bool found;

	while (p != NULL && (strcmp(p->space, space) != 0 || strcmp(p->name, name) != 0))
		p = p->next;
	text = p != NULL ? p->text : store_note_get(m->g->store, space, name, mem, NULL);
	found = text != NULL && numbers(text, generation, position, filters);
	arena_free(mem);
	return found;
}

static void
base_name(char out[MARK_NAME], const char *name, const char *uuid)
{
	snprintf(out, MARK_NAME, "%s %s", name, uuid);
}

/* How far it came with these filters since that reset, if that is known; and the name of its note, which
 * may be another's until it is written. */
static bool
get_place(const struct consumer_marks *m, const char *space, const char *base, int64_t filters,
    long long generation, long long *position, char note[MARK_NAME])
{
	bool free_slot = false;

	for (int way = 0; way < WAYS; way++) {
		char name[MARK_NAME];
		long long since, at, whose;
		bool used;

		snprintf(name, sizeof(name), "%.*s %llx", MARK_NAME - 24, base,
		    ((unsigned long long)filters + (unsigned long long)way) % SLOTS);
		used = get(m, space, name, &since, &at, &whose) && since == generation;
		if (used && whose == filters) {
			memcpy(note, name, sizeof(name));
			*position = at;
			return true;
		}
		if (way == 0 || (!used && !free_slot))
			memcpy(note, name, sizeof(name));
		free_slot = free_slot || !used;
	}
	return false;
}

/* ---- life ---- */

struct consumer_marks *
consumer_marks_new(struct gateway *g)
{
	struct consumer_marks *m = xcalloc(1, sizeof(*m));

	m->g = g;
	return m;
}

void
consumer_marks_free(struct consumer_marks *m)
{
	for (struct pending *p = m == NULL ? NULL : m->pending; p != NULL; p = p->next)
		p->marks = NULL;
	free(m);
}

/* ---- looking ---- */

/* Is somebody being rewound? What is over is forgotten. */
static bool
on_rewind(void *ctx, const char *name, const char *text)
{
	struct consumer_marks *m = ctx;
	long long generation, position, filters;

	if (numbers(text, &generation, &position, &filters) &&
	    clock_wall_us() - generation <= REWIND_DAYS * DAY_US)
		m->rewinds = true;
	else
		store_note_set(m->g->store, space_of(true), name, NULL, NULL, NULL);
	return true;
}

bool
consumer_marks_may(struct consumer_marks *m, const struct peer *p)
{
	int64_t now_us = clock_mono_us();

	if (m == NULL || p == NULL)
		return false;
	if (p->bookmark)
		return true;
	if (m->looked_us == 0 || now_us - m->looked_us >= MARKS_LOOK_US) {
		m->looked_us = now_us;
		m->rewinds = false;
		store_note_each(m->g->store, space_of(true), on_rewind, m, NULL);
	}
	return m->rewinds;
}

void
consumer_marks_get(struct consumer_marks *m, const struct peer *p, const char *uuid,
    int64_t filters, struct consumer_mark *out)
{
	const char *space = space_of(!p->bookmark);
	char name[MARK_NAME], note[MARK_NAME];
	long long generation = 0, position = MARK_NEVER, none;
	bool was_reset;

	base_name(name, p->name, uuid);
	was_reset = get(m, space, name, &generation, &position, &none);
	*out = (struct consumer_mark){ .rewind = !p->bookmark, .on = p->bookmark ||
	    (was_reset && clock_wall_us() - generation <= REWIND_DAYS * DAY_US) };
	if (!out->on)
		return;
	get_place(m, space, name, filters, generation, &position, note);
	out->generation = generation;
	out->position_us = position;
	if (out->rewind && position == MARK_NEVER)	/* it has caught up with these filters */
		out->on = false;
}

/* ---- moving ---- */

void
consumer_marks_move(struct consumer_marks *m, const struct consumer_page_mark *p)
{
	const char *space = space_of(p->mark.rewind);
	char name[MARK_NAME], note[MARK_NAME], text[TEXT];
	long long generation = 0, at = MARK_NEVER, none;
	int64_t to_us = p->last_us;

	base_name(name, p->name, p->uuid);
	get(m, space, name, &generation, &at, &none);
	if (generation != p->mark.generation)
		return;			/* reset while the page was under way */
	get_place(m, space, name, p->filters, generation, &at, note);
	/* a walk that began before a reset goes on behind the mark, and does not carry it along */
	if (at != MARK_NEVER && (p->from_us > at || to_us < at))
		return;
	if (p->mark.rewind && p->end)
		to_us = MARK_NEVER;
	if (to_us == at)
		return;
	snprintf(text, sizeof(text), "%lld %lld %lld", generation, (long long)to_us,
	    (long long)p->filters);
	set(m, space, note, text);
}

void
consumer_marks_reset(struct consumer_marks *m, const struct peer *p, const char *uuid,
    int64_t from_us, store_done_cb *done, void *arg)
{
	char name[MARK_NAME], text[TEXT];

	base_name(name, p->name, uuid);
	snprintf(text, sizeof(text), "%lld %lld", (long long)clock_wall_us(), (long long)from_us);
	store_note_set(m->g->store, space_of(!p->bookmark), name, text, done, arg);
}
