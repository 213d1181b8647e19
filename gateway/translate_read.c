/* translate_read.c -- the jobs that read: a message in, its objects out, part by part. */
#include <stdlib.h>
#include <string.h>

#include "gateway/config.h"
#include "gateway/ipc.h"
#include "gateway/translate_parts.h"
#include "gateway/translate_struck.h"
#include "gateway/translator.h"

enum { BIG_BYTES = 4 << 20 };	/* one of that size at a time: its trees fill the cage */

/* ---- answers ---- */

static void
give_part(struct translate_job *j, struct translate_part *part)
{
	struct translate_part own = *part;
	translate_read_cb *cb = j->cb;
	void *arg = j->arg;

	own.job = own.last ? NULL : j;
	if (own.last)
		translate_job_free(j);
	cb(arg, &own);
}

static void
read_tell(struct translate_job *j)
{
	if (j->dropped)
		translate_drop(j);
	else
		give_part(j, &j->part);
}

static void
read_give_up(struct translate_job *j, const char *code, const struct err *e, bool retryable)
{
	struct advisory none = { .n = 0 };
	struct translate_part part = { .error = e, .retryable = retryable, .code = code, .last = true,
	    .adv = &none, .format = j->r.format, .first = !j->begun, .relay = { .text = SLICE_EMPTY } };

	give_part(j, &part);
}

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

/* Read an answer into the job's arena. */
static const char *
decode_part(struct translate_job *j, uint16_t type, struct slice body)
{
	const char *why = "an answer to something else";

	j->part = (struct translate_part){ .first = !j->begun };
	if (type == TRANSLATE_FAILED)
		return translate_get_failed(body, &j->r, j->mem, &j->part);
	if (j->r.count)
		return type == TRANSLATE_COUNT ? translate_get_count(body, &j->r, j->mem, &j->part) : why;
	if (type != TRANSLATE_PART)
		return why;
	why = translate_get_part(body, &j->r, j->mem, &j->part);
	return why != NULL ? why : follows(j, &j->part);
}

static const char *
read_decode(struct translate_job *j, uint16_t type, struct slice body)
{
	const char *why = decode_part(j, type, body);

	if (why != NULL)
		return why;
	j->open = !j->part.last;
	j->begun = true;
	j->total = j->part.total;
	j->delivered += j->part.adv->n - j->part.nagain;
	return NULL;
}

/* ---- questions ---- */

static uint16_t
read_question(const struct translate_job *j, int fd, struct strbuf *b)
{
	struct translate_read r = j->r;

	if (j->open)
		return TRANSLATE_MORE;
	r.fd = fd;
	translate_put_read(b, &r, j->delivered);
	return TRANSLATE_READ;
}

static const struct job_kind reading = {
	.list = LIST_READS, .timed = "translate", .question = read_question, .decode = read_decode,
	.tell = read_tell, .give_up = read_give_up,
};

/* Does its message fill the cage for as long as it is open? */
static bool
is_big(const struct translate_job *j)
{
	return j->r.in.n > BIG_BYTES && !j->r.count;
}

struct translate_job *
translate_next_read(const struct translate *t)
{
	bool occupied = false;

	for (struct translate_job *j = t->lists[LIST_READS].first; j != NULL; j = j->next)
		occupied |= j->open && is_big(j);
	for (struct translate_job *j = t->lists[LIST_READS].first; j != NULL; j = j->next)
		if (j->state == JOB_QUEUED && (j->open || !occupied || !is_big(j)))
			return j;
	return NULL;
}

bool
translate_is_occupied(const struct translate *t)
{
	bool occupied = false, waits = false;

	for (const struct translate_job *j = t->lists[LIST_READS].first; j != NULL; j = j->next) {
		occupied |= j->open && is_big(j);
		waits |= j->state == JOB_QUEUED && !j->open && is_big(j);
	}
	return occupied && waits;
}

bool
translate_is_struck(struct translate_job *j)
{
	return struck_count(j->t->struck, j->r.sha256, &j->late) >= TRANSLATE_STRIKES;
}

/* ---- for callers ---- */

void
translate_read(struct translate *t, const struct translate_read *r, struct arena *mem,
    translate_read_cb *cb, void *arg)
{
	bool full = t->lists[LIST_READS].n >= t->config->limits.translate_queue;
	struct translate_job *j = translate_job_new(t, &reading, arg);

	j->r = *r;
	j->bytes = r->in.n;
	j->mem = mem;
	j->cb = cb;
	if (full)
		translate_give_up(j, NULL, ERR_BUSY, true, "too many messages wait to be read");
	else if (translate_is_struck(j))
		translate_refuse_struck(j);
	else
		translate_job_ask(j);
}

void
translate_more(struct translate_job *j, struct arena *mem)
{
	j->mem = mem;
	translate_job_queue(j);
	translate_job_ask(j);
}

/* A dropped message is not answered. */
static void
ignore(void *arg, uint16_t type, uint64_t id, struct slice body)
{
	(void)arg;
	(void)type;
	(void)id;
	(void)body;
}

void
translate_drop(struct translate_job *j)
{
	struct translate *t = j->t;

	j->dropped = true;
	if (j->state == JOB_HAND)
		return;			/* its answer must be taken off the channel first */
	if (j->open && t->own != NULL)
		translator_do(t->own, TRANSLATE_DROP, j->id, SLICE_EMPTY, -1, ignore, NULL);
	else if (j->open && t->channel != NULL)
		ipc_send(t->channel, TRANSLATE_DROP, j->id, SLICE_EMPTY, -1);
	translate_job_free(j);
	translate_pump(t);
}
