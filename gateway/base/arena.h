/*
 * arena.h -- memory that lives and dies with one message.
 *
 * Owns:    every byte handed out; arena_free gives all back at once.
 * Called:  by whoever opens a message (a request, a spool file, a command).
 * Never:   frees single pieces, and never returns NULL: input limits bound what a message can ask
 *          for, and a machine that is out of memory ends the process (its master restarts it).
 *
 *	arena --> [ block | used .... free ] --> [ block | ....... ] --> NULL
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "gateway/base/slice.h"

struct arena;

struct arena	*arena_new(void);
void		 arena_free(struct arena *a);		/* NULL is fine */
/* n bytes, aligned for any type, zeroed. */
void		*arena_alloc(struct arena *a, size_t n);
/* n bytes, aligned for any type, not zeroed. */
void		*arena_raw(struct arena *a, size_t n);
/* A NUL-terminated copy; the slice does not count the NUL. */
struct slice	 arena_slice(struct arena *a, struct slice s);
char		*arena_str(struct arena *a, struct slice s);
/* n slices and their bytes. */
struct slice	*arena_slices(struct arena *a, const struct slice *v, size_t n);
/* sprintf into the arena. */
char		*arena_fmt(struct arena *a, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));
/* Grow an array of `size`-byte elements: *cap is doubled when `n` has reached it; returns the array
 * (moved or not). Use: v = arena_grow(a, v, n, &cap, sizeof(*v)); v[n++] = ...; */
void		*arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size);
/* What `from` handed out lives on in a; `from` is gone. */
void		 arena_join(struct arena *a, struct arena *from);
/* Bytes taken from the system so far. */
size_t		 arena_bytes(const struct arena *a);

/* malloc that ends the process when the machine is out of memory; for long-lived structures. */
void		*xmalloc(size_t n);
void		*xcalloc(size_t n, size_t size);	/* zeroed */
void		*xrealloc(void *p, size_t n);
/* arena_grow for a list on the heap, which has many: by halves. */
void		*xgrow(void *v, size_t n, size_t *cap, size_t size);
char		*xstrdup(const char *s);
char		*xstrndup(const char *s, size_t n);

#endif
