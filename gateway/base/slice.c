#include "gateway/base/ascii.h"
#include "gateway/base/slice.h"

#include <limits.h>
#include <strings.h>

bool
slice_is_nocase(struct slice s, const char *text)
{
	if (s.n == 0 || s.n != strlen(text))
		return s.n == 0 && text[0] == '\0';
	/* ids begin alike and end differently */
	return ascii_lower(s.p[s.n - 1]) == ascii_lower(text[s.n - 1]) &&
	    strncasecmp(s.p, text, s.n) == 0;
}

int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

struct slice
slice_trim(struct slice s)
{
	while (s.n > 0 && ascii_is_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n > 0 && ascii_is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct slice
slice_cut(struct slice *rest, char sep)
{
	struct slice head = *rest;
	const char *at;

	if (rest->n == 0)		/* p may be NULL: nothing to step over */
		return head;
	at = memchr(rest->p, sep, rest->n);
	if (at == NULL) {
		rest->p += rest->n;
		rest->n = 0;
		return head;
	}
	head.n = (size_t)(at - head.p);
	rest->n -= head.n + 1;
	rest->p = at + 1;
	return head;
}

bool
slice_u64(struct slice s, unsigned long long *out)
{
	unsigned long long v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned char)s.p[i] - '0';

		if (d > 9 || v > (ULLONG_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}
