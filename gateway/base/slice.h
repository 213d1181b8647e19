/*
 * slice.h -- a borrowed run of bytes: pointer and length, never owned, not NUL-terminated.
 *
 * Owns:    nothing. Whoever made the bytes keeps them alive.
 * Called:  everywhere. Parsers hand out slices of their input or of an arena.
 * Never:   allocates, or looks past `n`.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The number of elements of an array (never of a pointer). */
#define COUNTOF(a)	(sizeof(a) / sizeof((a)[0]))

struct slice {
	const char	*p;
	size_t		 n;
};

#define SLICE_LIT(s)	((struct slice){ (s), sizeof(s) - 1 })
#define SLICE_EMPTY	((struct slice){ "", 0 })
/* for "%.*s" */
#define SLICE_ARG(s)	(int)(s).n, (s).p

/* The slice of a C string; NULL gives the empty slice. */
static inline struct slice
slice_of(const char *s)
{
	return s == NULL ? SLICE_EMPTY : (struct slice){ s, strlen(s) };
}

static inline struct slice
slice_from(const void *p, size_t n)
{
	return (struct slice){ p, n };
}

/* Bytewise equality. */
static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Bytewise equality with a C string; an absent one (NULL) is empty. */
static inline bool
slice_is(struct slice s, const char *text)
{
	if (s.n > 0 && (text == NULL || s.p[0] != text[0]))	/* where most searches in a table end */
		return false;
	return slice_eq(s, slice_of(text));
}

static inline bool
slice_starts(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

static inline bool
slice_ends(struct slice s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

/* ASCII case-blind equality with a C string. */
bool		slice_is_nocase(struct slice s, const char *text);
/* Bytewise order, shorter first when one is a prefix of the other: <0, 0, >0. */
int		slice_cmp(struct slice a, struct slice b);
/* Without leading and trailing blanks (space, TAB, CR, LF). */
struct slice	slice_trim(struct slice s);
/* Cut at the first `sep`: returns what is before it and leaves what is after it in *rest
 * (empty, with p at the end, when there is no `sep`). */
struct slice	slice_cut(struct slice *rest, char sep);
/* Decimal digits only, no sign, no blanks: true and *out, else false (also on overflow). */
bool		slice_u64(struct slice s, unsigned long long *out);

#endif
