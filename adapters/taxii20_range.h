/*
 * taxii20_range.h -- ranges of items, the paging of TAXII 2.0 (reference/taxii.md 16).
 *
 * Owns:    reading Range (`items=0-49`, and `items 0-49` as the text of the standard prints it), writing
 *          Content-Range.
 * Called:  by taxii20_read.c.
 * Never:   refuses: what is malformed, of another unit or of several parts is as if it were not there.
 */
#ifndef ADAPTERS_TAXII20_RANGE_H
#define ADAPTERS_TAXII20_RANGE_H

#include "adapters/http1.h"

enum { CONTENT_RANGE_TEXT = 80 };	/* with the NUL */

struct taxii20_range {
	bool		given;		/* else all items are asked for */
	uint64_t	first, last;	/* both count, from 0; last UINT64_MAX: to the end */
};

/* Numbers beyond UINT64_MAX stand for it. */
void	taxii20_range_read(const struct http1_head *h, struct taxii20_range *out);
/* How many items are asked for, at most `most`. */
size_t	taxii20_range_count(const struct taxii20_range *r, size_t most);

/* "items FIRST-LAST/TOTAL" of n > 0 items. */
void	taxii20_range_text(char out[CONTENT_RANGE_TEXT], uint64_t first, uint64_t n, uint64_t total);
/* The TOTAL alone, for 416. */
void	taxii20_range_none(char out[CONTENT_RANGE_TEXT], uint64_t total);

#endif
