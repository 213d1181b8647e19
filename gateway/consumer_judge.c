/* consumer_judge.c -- what a book comes to, in a word and a sentence. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/consumer_book.h"

#define SECOND	INT64_C(1000000)
#define HOUR	(3600 * SECOND)
#define DAY	(24 * HOUR)

enum { LATE_SECONDS = 60, SILENT_DAYS = 7 };

static const char *const states[BOOK_STATES] = {
	[BOOK_NEVER] = "never seen", [BOOK_SILENT] = "silent", [BOOK_STUCK] = "stuck",
	[BOOK_FAILING] = "failing", [BOOK_LOOPING] = "looping", [BOOK_BEHIND] = "behind",
	[BOOK_HEALTHY] = "healthy",
};

const char *
book_state_word(enum book_state s)
{
	return states[s];
}

/* ---- loops ---- */

bool
book_is_cut(const struct book_poll *p)
{
	int64_t unit = p->after_us % SECOND == 0 ? SECOND : p->after_us % 1000 == 0 ? 1000 : 0;

	return !p->more && p->after_us > 0 && p->last_us - p->after_us < unit;
}

static bool
is_same(const struct book_poll *a, const struct book_poll *b)
{
	return a->ask == b->ask && a->answer == b->answer;
}

/* Does the client move on in these n polls, or is there nothing to move to? */
static bool
moves(const struct book_poll *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].answer != 0 && !book_is_cut(&v[i]))
			return false;
	return true;
}

size_t
book_run(const struct book_poll *v, size_t n)
{
	for (size_t period = 1; period * BOOK_SAME <= n; period++) {
		size_t same = period;

		while (same < n && is_same(&v[n - 1 - same], &v[n - 1 - same + period]))
			same++;
		if (same / period >= BOOK_SAME && !moves(v + n - period, period))
			return same / period;
	}
	return 0;
}

/* ---- rhythm ---- */

static int
by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The median of the times between its visits; 0 if it came but once. */
static int64_t
rhythm_of(const struct book *b)
{
	int64_t gaps[BOOK_VISITS];
	size_t n = 0;

	for (size_t i = 1; i < b->nvisits; i++)
		gaps[n++] = b->visits[i] - b->visits[i - 1];
	if (n == 0)
		return 0;
	qsort(gaps, n, sizeof(*gaps), by_value);
	return gaps[n / 2];
}

static bool
is_late(const struct book *b, int64_t rhythm_us, int64_t now_us)
{
	int64_t late_us = rhythm_us == 0 ? DAY : BOOK_LATE * rhythm_us;

	if (late_us < LATE_SECONDS * SECOND)
		late_us = LATE_SECONDS * SECOND;
	return now_us - b->last_us > late_us;
}

/* ---- words ---- */

static const char *
span(int64_t us, char out[32])
{
	static const struct { int64_t unit; const char *word; } units[] = {
		{ DAY, "days" }, { HOUR, "h" }, { 60 * SECOND, "min" }, { SECOND, "s" },
	};
	size_t i = 0;

	while (i < COUNTOF(units) - 1 && us < 2 * units[i].unit)
		i++;
	snprintf(out, 32, "%lld %s", (long long)(us / units[i].unit), units[i].word);
	return out;
}

static const struct book_poll *
last_poll(const struct book *b)
{
	return b->npolls == 0 ? NULL : &b->polls[b->npolls - 1];
}

/* Where it polled last. */
static const char *
last_collection(const struct book *b)
{
	const struct book_track *last = &b->tracks[0];

	for (size_t i = 1; i < BOOK_TRACKS; i++)
		if (b->tracks[i].at_us > last->at_us)
			last = &b->tracks[i];
	return last->collection;
}

static void
say_late(const struct book *b, int64_t now_us, struct book_verdict *v)
{
	char since[32], rhythm[32];

	if (v->rhythm_us == 0)
		snprintf(v->words, sizeof(v->words), "nothing for %s",
		    span(now_us - b->last_us, since));
	else
		snprintf(v->words, sizeof(v->words), "nothing for %s; it used to come every %s",
		    span(now_us - b->last_us, since), span(v->rhythm_us, rhythm));
}

/* True if what it tried last was refused. A stranger who tries its name elsewhere says nothing of it. */
static bool
is_failing(const struct book *b, struct book_verdict *v)
{
	if (b->login_us > b->last_us &&
	    (b->last_us == 0 || strcmp(b->login_remote, b->remote) == 0)) {
		snprintf(v->words, sizeof(v->words), "its last login failed (from %s): wrong secret",
		    b->login_remote);
		return true;
	}
	if (b->error_us == 0 || b->error_us < b->last_us)
		return false;
	snprintf(v->words, sizeof(v->words), "its last request was refused: %lld %.160s",
	    (long long)b->error_status, b->error);
	return true;
}

static bool
is_looping(const struct book *b, struct book_verdict *v)
{
	size_t times = book_run(b->polls, b->npolls);

	if (times == 0)
		return false;
	snprintf(v->words, sizeof(v->words), "asked the same %zu times in a row and got the same "
	    "%lld objects each time: its cursor does not move", times,
	    (long long)last_poll(b)->n);
	return true;
}

static void
say_healthy(const struct book *b, int64_t waiting, struct book_verdict *v)
{
	const struct book_poll *p = last_poll(b);

	if (p == NULL && b->files > 0)
		snprintf(v->words, sizeof(v->words), "fetches flat files: %lld so far",
		    (long long)b->files);
	else if (p == NULL && b->messages > 0)
		snprintf(v->words, sizeof(v->words), "sends: %lld messages taken so far",
		    (long long)b->messages);
	else if (p == NULL)
		snprintf(v->words, sizeof(v->words), "connected, but has not asked for objects yet");
	else if (waiting > 0)
		snprintf(v->words, sizeof(v->words), "%lld objects of %s came since its last poll",
		    (long long)waiting, last_collection(b));
	else if (p->answer != 0 && book_is_cut(p))
		snprintf(v->words, sizeof(v->words), "has all; each poll brings the last %lld objects "
		    "again, since its cursor is cut to whole %s", (long long)p->n,
		    p->after_us % SECOND == 0 ? "seconds" : "milliseconds");
	else
		snprintf(v->words, sizeof(v->words), "has all that was there at its last poll");
}

void
book_judge(const struct book *b, int64_t now_us, int64_t waiting, struct book_verdict *v)
{
	const struct book_poll *p = last_poll(b);

	*v = (struct book_verdict){ .rhythm_us = rhythm_of(b) };
	if (b->last_us == 0 && b->login_us == 0) {
		v->state = BOOK_NEVER;
		snprintf(v->words, sizeof(v->words), "no request under this name so far");
	} else if (is_failing(b, v)) {
		v->state = BOOK_FAILING;
	} else if (is_late(b, v->rhythm_us, now_us)) {
		v->state = v->rhythm_us == 0 || now_us - b->last_us > SILENT_DAYS * DAY ?
		    BOOK_SILENT : BOOK_STUCK;
		say_late(b, now_us, v);
	} else if (is_looping(b, v)) {
		v->state = BOOK_LOOPING;
	} else if (p != NULL && p->more) {
		v->state = BOOK_BEHIND;
		if (waiting < 0)
			snprintf(v->words, sizeof(v->words), "more of %s follows what it has fetched",
			    last_collection(b));
		else
			snprintf(v->words, sizeof(v->words), "%lld more objects of %s wait for it",
			    (long long)waiting, last_collection(b));
	} else {
		v->state = BOOK_HEALTHY;
		say_healthy(b, waiting, v);
	}
}
