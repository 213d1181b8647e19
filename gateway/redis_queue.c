#include "gateway/redis_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "gateway/base/arena.h"

enum { FIRST_ROOM = 64 };

void
redis_queue_fini(struct redis_queue *q)
{
	assert(q->n == 0);
	free(q->ring);
	memset(q, 0, sizeof(*q));
}

/* Twice the room, oldest first. */
static void
grow(struct redis_queue *q)
{
	size_t i, room = q->room == 0 ? FIRST_ROOM : q->room * 2;
	struct redis_pending *ring = xcalloc(room, sizeof(*ring));

	for (i = 0; i < q->n; i++)
		ring[i] = q->ring[(q->head + i) & (q->room - 1)];
	free(q->ring);
	q->ring = ring;
	q->room = room;
	q->head = 0;
}

void
redis_queue_push(struct redis_queue *q, const struct redis_pending *p)
{
	if (q->n == q->room)
		grow(q);
	q->ring[(q->head + q->n++) & (q->room - 1)] = *p;
}

struct redis_pending *
redis_queue_oldest(struct redis_queue *q)
{
	assert(q->n > 0);
	return &q->ring[q->head];
}

struct redis_pending
redis_queue_pop(struct redis_queue *q)
{
	struct redis_pending p = *redis_queue_oldest(q);

	q->head = (q->head + 1) & (q->room - 1);
	q->n--;
	return p;
}

struct redis_call *
redis_call_new(const char *script, const char *nkeys, int argc, const struct slice *argv)
{
	size_t bytes = strlen(nkeys), words = (size_t)argc + 1, i;
	struct redis_call *c;
	char *at;

	for (i = 0; i < (size_t)argc; i++)
		bytes += argv[i].n;
	c = xmalloc(sizeof(*c) + words * sizeof(c->argv[0]) + bytes);
	c->script = script;
	c->whole = false;
	c->argc = (int)words;
	at = (char *)&c->argv[words];
	for (i = 0; i < words; i++) {
		struct slice s = i == 0 ? slice_of(nkeys) : argv[i - 1];

		if (s.n > 0)
			memcpy(at, s.p, s.n);
		c->argv[i] = slice_from(at, s.n);
		at += s.n;
	}
	return c;
}
