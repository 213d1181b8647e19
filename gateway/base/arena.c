#include "gateway/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The first block is one that malloc keeps at hand for its thread: most arenas never need a second. */
enum { BLOCK_MIN = 960, BLOCK_MAX = 1 << 20, GROW_FIRST = 64 };

struct block {
	struct block	*next;
	size_t		 used;
	size_t		 size;
	alignas(max_align_t) char data[];
};

struct arena {
	struct block	*head;		/* the block we fill */
	size_t		 bytes;
};

static void
out_of_memory(void)
{
	fputs("tocsin: out of memory\n", stderr);
	abort();
}

void *
xmalloc(size_t n)
{
	void *p = malloc(n == 0 ? 1 : n);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
xrealloc(void *p, size_t n)
{
	void *q = realloc(p, n == 0 ? 1 : n);

	if (q == NULL)
		out_of_memory();
	return q;
}

void *
xgrow(void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = *cap == 0 ? GROW_FIRST : *cap + *cap / 2;
	return xrealloc(v, *cap * size);
}

char *
xstrndup(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

struct arena *
arena_new(void)
{
	struct arena *a = xmalloc(sizeof(*a));	/* calloc would not look at what is at hand */

	*a = (struct arena){ .head = NULL };
	return a;
}

void
arena_free(struct arena *a)
{
	struct block *b, *next;

	if (a == NULL)
		return;
	for (b = a->head; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

/* A block for at least n bytes. A piece larger than a block gets one of its own, put behind the
 * block that is being filled so that its free space is not lost. */
static struct block *
add_block(struct arena *a, size_t n)
{
	size_t size = a->head == NULL ? BLOCK_MIN : a->head->size * 2;
	struct block *b;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size < n)
		size = n;
	b = xmalloc(sizeof(*b) + size);
	b->size = size;
	b->used = 0;
	a->bytes += sizeof(*b) + size;
	if (a->head != NULL && n > BLOCK_MAX / 2) {
		b->next = a->head->next;
		a->head->next = b;
	} else {
		b->next = a->head;
		a->head = b;
	}
	return b;
}

void *
arena_raw(struct arena *a, size_t n)
{
	struct block *b = a->head;
	void *p;

	if (n > SIZE_MAX / 2)
		out_of_memory();
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (b == NULL || b->size - b->used < n)
		b = add_block(a, n);
	p = b->data + b->used;
	b->used += n;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	return memset(arena_raw(a, n), 0, n);
}

char *
arena_str(struct arena *a, struct slice s)
{
	char *p = arena_raw(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct slice
arena_slice(struct arena *a, struct slice s)
{
	return (struct slice){ arena_str(a, s), s.n };
}

struct slice *
arena_slices(struct arena *a, const struct slice *v, size_t n)
{
	struct slice *to = arena_alloc(a, (n + 1) * sizeof(*to));

	for (size_t i = 0; i < n; i++)
		to[i] = arena_slice(a, v[i]);
	return to;
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
	char small[160], *p;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	p = arena_raw(a, (size_t)n + 1);
	if ((size_t)n < sizeof(small))
		memcpy(p, small, (size_t)n + 1);
	else
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void *
arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	void *bigger;

	if (n < *cap)
		return v;
	if (*cap > SIZE_MAX / 4 / size)
		out_of_memory();
	*cap = *cap == 0 ? 2 : *cap * 2;	/* most lists stay short */
	bigger = arena_alloc(a, *cap * size);
	if (n > 0)
		memcpy(bigger, v, n * size);
	return bigger;
}

void
arena_join(struct arena *a, struct arena *from)
{
	struct block **end = &a->head;

	while (*end != NULL)
		end = &(*end)->next;
	*end = from->head;
	a->bytes += from->bytes;
	free(from);
}

size_t
arena_bytes(const struct arena *a)
{
	return a->bytes;
}
