/*
 * taxii_query.h -- the filters of a request, and the token that continues a walk.
 *
 * Owns:    reading added_after, limit, next and match[...] (TAXII 2.1 section 3.4; reference/taxii.md 9),
 *          making and checking `next`.
 * Called:  by taxii_server.c.
 * Never:   trusts a token further than its MAC: rights and collection are those of the present request.
 *
 * A token is base64url of: position, then the text of each filter it was made under, then a MAC over
 * that and the collection. A filter that is absent now is taken from the token; one that is present
 * wins (rulings 15).
 */
#ifndef ADAPTERS_TAXII_QUERY_H
#define ADAPTERS_TAXII_QUERY_H

#include "adapters/http1.h"
#include "gateway/store.h"

struct arena;

enum taxii_filter {
	FILTER_ADDED_AFTER, FILTER_ID, FILTER_TYPE, FILTER_VERSION, FILTER_SPEC_VERSION, FILTERS,
	PARAM_LIMIT = FILTERS, PARAM_NEXT, PARAMS
};

/* Which parameters an endpoint knows: bits 1 << enum taxii_filter. Others are ignored. */
#define TAXII_KNOWS(f)	(1u << (f))

struct taxii_query {
	struct page_query	page;		/* limit, filters and position are set */
	struct slice		text[FILTERS];	/* as given now or in the token; p NULL = absent */
	bool			has_next;
	int64_t			next_us;	/* the position of the token */
	int64_t			added_after_us;	/* -1 = absent */
};

/* 0, or -1 and *e (ERR_VALUE: 400) naming the parameter. `key` makes tokens (32 bytes). */
int	taxii_query_read(const struct http1_head *h, unsigned knows, struct slice collection,
	    struct slice key, uint32_t limit_max, struct arena *mem, struct taxii_query *q,
	    struct err *e);
/* The token that continues behind `position_us`. */
char	*taxii_next(const struct taxii_query *q, struct slice collection, struct slice key,
	    int64_t position_us, struct arena *mem);

#endif
