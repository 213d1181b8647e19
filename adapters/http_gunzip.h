/*
 * http_gunzip.h -- the gzip coding of an answer taken off, piece by piece, within bounds.
 *
 * Owns:    one decoder of zlib's.
 * Called:  by http_client.c.
 * Never:   gives out more than it was told, or more than RATIO times what came in (past the first
 *          megabyte): a bomb ends as an error before it is memory. Text that ends too early or goes on
 *          behind its end is broken.
 */
#ifndef ADAPTERS_HTTP_GUNZIP_H
#define ADAPTERS_HTTP_GUNZIP_H

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct http_gunzip;
struct strbuf;

enum { HTTP_GUNZIP_RATIO = 200 };

/* `max`: of all that comes out. */
struct http_gunzip *http_gunzip_new(size_t max);
void	 http_gunzip_free(struct http_gunzip *z);	/* NULL is fine */
/* Decode the next piece onto `out`. -1 and *e: broken (ERR_SYNTAX) or too much (ERR_LIMIT). */
int	 http_gunzip_add(struct http_gunzip *z, struct slice in, struct strbuf *out, struct err *e);
/* That was all: 0 if it was whole. */
int	 http_gunzip_end(const struct http_gunzip *z, struct err *e);

#endif
