/*
 * strbuf.h -- a byte string that grows.
 *
 * Owns:    its bytes (heap). Invariant: s.p[s.n] is always NUL, so s.p is a C string as well
 *          (unless the content itself holds NUL bytes).
 * Called:  by everything that writes text.
 * Never:   shrinks by itself; strbuf_reset keeps the memory for the next use.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdint.h>

#include "gateway/base/slice.h"

struct strbuf {
	char	*p;
	size_t	 n;
	size_t	 cap;
};

extern char strbuf_empty[];	/* shared "", never written */
#define STRBUF_INIT	{ strbuf_empty, 0, 0 }

void		 strbuf_init(struct strbuf *b);
void		 strbuf_fini(struct strbuf *b);		/* safe on STRBUF_INIT, leaves STRBUF_INIT */
void		 strbuf_reset(struct strbuf *b);	/* length 0, memory kept */
void		 strbuf_add(struct strbuf *b, const void *p, size_t n);
void		 strbuf_adds(struct strbuf *b, const char *s);
void		 strbuf_addsl(struct strbuf *b, struct slice s);
void		 strbuf_addf(struct strbuf *b, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));
/* A number in decimal: what addf("%lld") does, in a twentieth of the time. */
void		 strbuf_addn(struct strbuf *b, int64_t n);
/* Cut to n bytes (n <= b->n). */
void		 strbuf_setlen(struct strbuf *b, size_t n);
/* Hand the bytes over to the caller, who frees them; b is empty again. */
char		*strbuf_take(struct strbuf *b, size_t *n);

void		 strbuf_enlarge(struct strbuf *b, size_t more);

/* Room for `more` bytes and the NUL. */
static inline void
strbuf_reserve(struct strbuf *b, size_t more)
{
	if (more >= b->cap - b->n)
		strbuf_enlarge(b, more);
}

static inline void
strbuf_addc(struct strbuf *b, char c)
{
	strbuf_reserve(b, 1);
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}

static inline struct slice
strbuf_slice(const struct strbuf *b)
{
	return (struct slice){ b->p, b->n };
}

#endif
