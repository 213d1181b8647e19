#include "gateway/base/strbuf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"

enum { QUICK_BYTES = 4096 };	/* up to here a text grows in few steps */

char strbuf_empty[1];

void
strbuf_init(struct strbuf *b)
{
	*b = (struct strbuf)STRBUF_INIT;
}

void
strbuf_fini(struct strbuf *b)
{
	if (b->cap > 0)
		free(b->p);
	strbuf_init(b);
}

void
strbuf_reset(struct strbuf *b)
{
	strbuf_setlen(b, 0);
}

void
strbuf_enlarge(struct strbuf *b, size_t more)
{
	size_t need = b->n + more + 1, cap = b->cap == 0 ? 256 : b->cap;

	assert(more < (size_t)-1 / 4);
	while (cap < need)
		cap += cap < QUICK_BYTES ? 3 * cap : cap / 2;
	b->p = xrealloc(b->cap == 0 ? NULL : b->p, cap);
	b->cap = cap;
	b->p[b->n] = '\0';
}

void
strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	strbuf_reserve(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
strbuf_adds(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void
strbuf_addsl(struct strbuf *b, struct slice s)
{
	strbuf_add(b, s.p, s.n);
}

void
strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	size_t room = b->cap > 0 ? b->cap - b->n : 0;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(b->p + b->n, room, fmt, ap);
	va_end(ap);
	if ((size_t)n >= room) {
		strbuf_reserve(b, (size_t)n);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	b->n += (size_t)n;
}

void
strbuf_addn(struct strbuf *b, int64_t n)
{
	char text[20], *at = text + sizeof(text);
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do
		*--at = (char)('0' + u % 10);
	while ((u /= 10) > 0);
	if (n < 0)
		*--at = '-';
	strbuf_add(b, at, (size_t)(text + sizeof(text) - at));
}

void
strbuf_setlen(struct strbuf *b, size_t n)
{
	assert(n <= b->n);
	b->n = n;
	if (b->cap > 0)
		b->p[n] = '\0';
}

char *
strbuf_take(struct strbuf *b, size_t *n)
{
	char *p;

	strbuf_reserve(b, 0);
	p = b->p;
	if (n != NULL)
		*n = b->n;
	strbuf_init(b);
	return p;
}
