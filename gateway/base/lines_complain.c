/* Complaints of a load, and the nearest valid word. Part of lines.h. */
#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/lines.h"

enum { COMPLAINTS_MAX = 100, TEXT_MAX = 1024, WORD_MAX = 64, SHOWN_MAX = 80, DISTANCE_MAX = 3 };

int
complain(struct complaints *c, const struct line *at, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	if (c->n >= COMPLAINTS_MAX) {
		c->dropped++;
		return -1;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->text = arena_grow(c->mem, c->text, c->n, &c->cap, sizeof(*c->text));
	if (at == NULL)
		c->text[c->n++] = arena_str(c->mem, slice_of(text));
	else
		c->text[c->n++] = arena_fmt(c->mem, "%s:%u: %s", at->file, at->number, text);
	return -1;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edits between two words of at most WORD_MAX bytes: letters put in, left out, replaced, or swapped
 * with their neighbour (Damerau-Levenshtein, no piece edited twice). Case costs nothing. */
static unsigned
distance(struct slice a, struct slice b)
{
	unsigned row[3][WORD_MAX + 1], *two = row[0], *one = row[1], *now = row[2], *turn;

	for (size_t j = 0; j <= b.n; j++)
		one[j] = two[j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			char x = ascii_lower(a.p[i - 1]), y = ascii_lower(b.p[j - 1]);

			now[j] = least(one[j - 1] + (x != y), least(one[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && x == ascii_lower(b.p[j - 2]) && ascii_lower(a.p[i - 2]) == y)
				now[j] = least(now[j], two[j - 2] + 1);
		}
		turn = two;
		two = one;
		one = now;
		now = turn;
	}
	return one[b.n];
}

const char *
nearest_word(struct slice word, const char *const *list)
{
	unsigned best = DISTANCE_MAX + 1;
	const char *found = NULL;

	if (word.n > WORD_MAX)
		return NULL;
	for (; *list != NULL; list++) {
		struct slice candidate = slice_of(*list);
		unsigned d;

		if (candidate.n > WORD_MAX)
			continue;
		d = distance(word, candidate);
		if (d < best && 2 * d < word.n) {
			best = d;
			found = *list;
		}
	}
	return found;
}

int
complain_unknown(struct complaints *c, const struct line *at, const char *what, struct slice word,
    const char *const *list)
{
	const char *near = nearest_word(word, list), *more = "";

	if (word.n > SHOWN_MAX) {
		/* The lexer let only UTF-8 pass: cut where a character starts. */
		for (word.n = SHOWN_MAX; word.n > 0 && (word.p[word.n] & 0xc0) == 0x80; word.n--)
			;
		more = "...";
	}
	if (near == NULL)
		return complain(c, at, "unknown %s '%.*s%s'", what, SLICE_ARG(word), more);
	return complain(c, at, "unknown %s '%.*s%s', did you mean '%s'?", what, SLICE_ARG(word),
	    more, near);
}
