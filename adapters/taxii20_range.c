#include "adapters/taxii20_range.h"

#include <inttypes.h>
#include <stdio.h>

/* Digits alone, 1 at least. */
static bool
read_number(struct slice s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		*out = *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
	}
	return s.n > 0;
}

/* Cut the unit and what parts it from the numbers off; false if it is another unit. */
static bool
cut_unit(struct slice *s)
{
	enum { UNIT = 5 };	/* "items" */

	if (s->n <= UNIT || !slice_is_nocase(slice_from(s->p, UNIT), "items"))
		return false;
	*s = slice_from(s->p + UNIT, s->n - UNIT);
	if (s->p[0] != '=' && s->p[0] != ' ' && s->p[0] != '\t')
		return false;
	*s = slice_trim(*s);
	if (s->n > 0 && s->p[0] == '=')
		*s = slice_trim(slice_from(s->p + 1, s->n - 1));
	return true;
}

void
taxii20_range_read(const struct http1_head *h, struct taxii20_range *out)
{
	struct taxii20_range r = { .given = true, .last = UINT64_MAX };
	struct slice text, other, first;
	size_t at = 0;

	*out = (struct taxii20_range){ .last = UINT64_MAX };
	if (!http1_field_next(h, "range", &at, &text) || http1_field_next(h, "range", &at, &other) ||
	    !cut_unit(&text) || text.n == 0 || memchr(text.p, '-', text.n) == NULL)
		return;
	first = slice_trim(slice_cut(&text, '-'));
	text = slice_trim(text);
	if (!read_number(first, &r.first) || (text.n > 0 && !read_number(text, &r.last)) ||
	    r.last < r.first)
		return;
	*out = r;
}

size_t
taxii20_range_count(const struct taxii20_range *r, size_t most)
{
	uint64_t less_one = r->last - r->first;

	return !r->given || less_one >= most ? most : (size_t)less_one + 1;
}

void
taxii20_range_text(char out[CONTENT_RANGE_TEXT], uint64_t first, uint64_t n, uint64_t total)
{
	snprintf(out, CONTENT_RANGE_TEXT, "items %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
	    first + n - 1, total);
}

void
taxii20_range_none(char out[CONTENT_RANGE_TEXT], uint64_t total)
{
	snprintf(out, CONTENT_RANGE_TEXT, "items */%" PRIu64, total);
}
