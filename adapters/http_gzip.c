#include "adapters/http_gzip.h"

#include <stdlib.h>
#include <zlib.h>

#include "gateway/base/arena.h"

enum {
	WINDOW = 15 + 16,		/* largest window, gzip's wrapping */
	MEMORY = 8, ROOM = 64 * 1024
};

struct http_gzip_stream {
	z_stream	 z;
};

struct http_gzip_stream *
http_gzip_stream_new(int level)
{
	struct http_gzip_stream *s = xcalloc(1, sizeof(*s));

	if (deflateInit2(&s->z, level, Z_DEFLATED, WINDOW, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK)
		return s;
	free(s);
	return NULL;
}

void
http_gzip_stream_free(struct http_gzip_stream *s)
{
	if (s == NULL)
		return;
	deflateEnd(&s->z);
	free(s);
}

bool
http_gzip_stream_add(struct http_gzip_stream *s, struct slice in, bool last, struct strbuf *out)
{
	z_stream *z = &s->z;
	int rc;

	z->next_in = (Bytef *)in.p;
	z->avail_in = (uInt)in.n;
	do {
		strbuf_reserve(out, ROOM);
		z->next_out = (Bytef *)out->p + out->n;
		z->avail_out = ROOM;
		rc = deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return false;
		out->n += ROOM - z->avail_out;
		out->p[out->n] = '\0';
	} while (z->avail_out == 0);
	return !last || rc == Z_STREAM_END;
}
