#include "gateway/cmd_progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/cmd.h"
#include "gateway/cmd_answer.h"

enum { BAR = 20, LOOK_MS = 100 };
static const int64_t line_us = 5 * INT64_C(1000000);	/* between plain lines */

struct progress {
	char		*name;
	bool		 quiet, terminal, drawn;
	int64_t		 began_us, line_us;
	uint64_t	 first;			/* objects when we began to look */
	unsigned	 turn;
	uint64_t	 said;			/* objects in the last plain line */
	void		(*old)(int);
};

/* Signals know no owner. */
static volatile sig_atomic_t enough;

static void
on_signal(int number)
{
	(void)number;
	enough = 1;
}

struct progress *
progress_new(const char *name, bool quiet)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->name = xstrdup(name);
	p->quiet = quiet;
	p->terminal = isatty(STDOUT_FILENO) == 1;
	p->began_us = p->line_us = clock_mono_us();
	p->first = UINT64_MAX;
	enough = 0;
	p->old = signal(SIGINT, on_signal);
	return p;
}

void
progress_wipe(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stdout);
	p->drawn = false;
}

void
progress_free(struct progress *p)
{
	progress_wipe(p);
	signal(SIGINT, p->old);
	free(p->name);
	free(p);
}

int64_t
progress_took_us(const struct progress *p)
{
	return clock_mono_us() - p->began_us;
}

const char *
progress_number(uint64_t n)
{
	static char buffers[8][32];
	static unsigned next;
	char *out = buffers[next++ % 8], digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

/* A part of twenty, or something that runs to and fro where nobody knows the whole. */
static void
draw_bar(struct progress *p, const struct progress_state *s)
{
	unsigned at = p->turn++ % (2 * BAR - 2), full = 0;
	double part = 0;

	if (s->total > 0) {
		part = s->done >= s->total ? 1 : (double)s->done / (double)s->total;
		full = (unsigned)(part * BAR);
	}
	at = at < BAR ? at : 2 * BAR - 2 - at;
	fputs("  [", stdout);
	for (unsigned i = 0; i < BAR; i++)
		putchar(s->total > 0 ? (i < full ? '=' : i == full ? '>' : ' ') : i == at ? '=' : ' ');
	putchar(']');
	if (s->total > 0)
		printf(" %3.0f %%", part * 100);
}

static void
print_counts(struct progress *p, const struct progress_state *s)
{
	double seconds = (double)progress_took_us(p) / 1e6;
	uint64_t since = s->done > p->first ? s->done - p->first : 0;
	struct arena *mem = arena_new();

	printf("  %s", s->doing);
	if (s->pages > 0)
		printf("  %s pages", progress_number(s->pages));
	if (s->total > 0)
		printf("  %s of %s objects", progress_number(s->done), progress_number(s->total));
	else
		printf("  %s objects", progress_number(s->done));
	if (since > 0 && seconds > 0.5)
		printf("  %s/s", progress_number((uint64_t)((double)since / seconds)));
	printf("  %s", span_text(mem, seconds < 1 ? 0 : seconds));
	arena_free(mem);
}

static void
draw(struct progress *p, const struct progress_state *s)
{
	fputs("\r\033[K", stdout);
	print_safe(stdout, slice_of(p->name));
	draw_bar(p, s);
	print_counts(p, s);
	p->drawn = true;
}

/* Now and then, and only if there is news. */
static void
print_line(struct progress *p, const struct progress_state *s)
{
	int64_t now_us = clock_mono_us();

	if (now_us - p->line_us < line_us || s->done == p->said)
		return;
	p->line_us = now_us;
	p->said = s->done;
	print_safe(stdout, slice_of(p->name));
	putchar(':');
	print_counts(p, s);
	if (s->trouble.n > 0) {
		fputs("  ", stdout);
		print_safe(stdout, s->trouble);
	}
	putchar('\n');
}

bool
progress_show(struct progress *p, const struct progress_state *s)
{
	const struct timespec moment = { 0, LOOK_MS * 1000000 };

	if (p->first == UINT64_MAX)
		p->first = s->done;
	if (!p->quiet && p->terminal)
		draw(p, s);
	else if (!p->quiet)
		print_line(p, s);
	fflush(stdout);
	if (!enough)
		nanosleep(&moment, NULL);
	return !enough;
}

/* ---- our own work ---- */

enum { NAME_SHOWN = 30 };
static const int64_t moment_us = 100000, first_us = 500000;

struct work_bar {
	int64_t	 began_us, drawn_us;
	bool	 drawn;
};

struct work_bar *
work_bar_new(void)
{
	struct work_bar *b;

	if (isatty(STDERR_FILENO) != 1)
		return NULL;
	b = xcalloc(1, sizeof(*b));
	b->began_us = clock_mono_us();
	return b;
}

void
work_bar_wipe(struct work_bar *b)
{
	if (b != NULL && b->drawn)
		fputs("\r\033[K", stderr);
	if (b != NULL)
		b->drawn = false;
}

void
work_bar_free(struct work_bar *b)
{
	work_bar_wipe(b);
	free(b);
}

void
work_bar_show(struct work_bar *b, const char *doing, const char *name, uint64_t done, uint64_t total)
{
	struct slice shown = slice_of(name);
	int64_t now_us;
	unsigned full;

	if (b == NULL || total == 0)
		return;
	now_us = clock_mono_us();
	if (now_us - b->began_us < first_us || now_us - b->drawn_us < moment_us)
		return;
	b->drawn_us = now_us;
	b->drawn = true;
	if (shown.n > NAME_SHOWN)
		shown = slice_from(shown.p + shown.n - NAME_SHOWN, NAME_SHOWN);
	full = (unsigned)(done * BAR / total);
	fputs("\r\033[K", stderr);
	print_safe(stderr, shown);
	fprintf(stderr, "%s[", shown.n > 0 ? "  " : "");
	for (unsigned i = 0; i < BAR; i++)
		fputc(i < full ? '=' : i == full ? '>' : ' ', stderr);
	fprintf(stderr, "] %3.0f %%  %s", 100.0 * (double)done / (double)total, doing);
	fflush(stderr);
}
