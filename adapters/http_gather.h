/*
 * http_gather.h -- the body of an answer, gathered and decoded as it comes, within one limit.
 *
 * Owns:    the bytes so far, and the decoder if they are gzip.
 * Called:  by http_client.c.
 * Never:   holds more than `max`, as it came or decoded, nor takes a coding that nobody asked for.
 */
#ifndef ADAPTERS_HTTP_GATHER_H
#define ADAPTERS_HTTP_GATHER_H

#include "gateway/base/strbuf.h"
#include "gateway/base/err.h"

struct http1_head;
struct http_gunzip;

struct http_gather {
	struct strbuf		 body;		/* decoded */
	struct http_gunzip	*gunzip;	/* NULL: it is not coded */
	size_t			 came;		/* bytes on the wire */
	size_t			 max;
};

void	http_gather_init(struct http_gather *g, size_t max);
/* Let go of everything; ready for the next answer. */
void	http_gather_reset(struct http_gather *g);
/* The head is there. All: -1 and *e if this answer is of no use. */
int	http_gather_begin(struct http_gather *g, const struct http1_head *head, struct err *e);
int	http_gather_add(struct http_gather *g, struct slice data, struct err *e);
/* The message is whole; is what it holds? */
int	http_gather_end(const struct http_gather *g, struct err *e);

#endif
