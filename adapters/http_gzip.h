/*
 * http_gzip.h -- gzip, piece by piece, for texts that are too long for one turn of the loop.
 *
 * Owns:    a compressor and its window.
 * Called:  by feeds.c. (Answers in one piece are compressed by http_answer.c.)
 * Never:   says when it was made: equal texts give equal bytes, so that a strong tag holds.
 */
#ifndef ADAPTERS_HTTP_GZIP_H
#define ADAPTERS_HTTP_GZIP_H

#include "gateway/base/slice.h"
#include "gateway/base/strbuf.h"

struct http_gzip_stream;

struct http_gzip_stream *http_gzip_stream_new(int level);	/* NULL: zlib cannot */
void	http_gzip_stream_free(struct http_gzip_stream *z);	/* NULL is fine */
/* Append what comes of `in`; `last` ends the stream. False: zlib failed. */
bool	http_gzip_stream_add(struct http_gzip_stream *z, struct slice in, bool last,
	    struct strbuf *out);

#endif
