#include "adapters/http_gunzip.h"

#include <stdlib.h>
#include <zlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { PIECE = 65536, RATIO_FROM = 1 << 20, GZIP_ONLY = 16 };

struct http_gunzip {
	z_stream	 z;
	size_t		 max, in, out;
	bool		 whole;		/* between two members: nothing is missing */
	unsigned char	 piece[PIECE];
};

struct http_gunzip *
http_gunzip_new(size_t max)
{
	struct http_gunzip *g = xcalloc(1, sizeof(*g));

	g->max = max;
	if (inflateInit2(&g->z, GZIP_ONLY + MAX_WBITS) != Z_OK)
		abort();		/* out of memory, or another zlib than we were built with */
	return g;
}

void
http_gunzip_free(struct http_gunzip *g)
{
	if (g == NULL)
		return;
	inflateEnd(&g->z);
	free(g);
}

/* Is what came out more than it may be? */
static int
check_size(const struct http_gunzip *g, struct err *e)
{
	if (g->out > g->max)
		return err_set(e, ERR_LIMIT, "gzip: more than %zu bytes come out of it", g->max);
	if (g->out > RATIO_FROM && g->out / HTTP_GUNZIP_RATIO > g->in)
		return err_set(e, ERR_LIMIT, "gzip: %zu bytes came out of %zu: that is a bomb", g->out,
		    g->in);
	return 0;
}

/* One step: some input, at most one piece of output. */
static int
decode(struct http_gunzip *g, struct strbuf *out, struct err *e)
{
	unsigned before = g->z.avail_in;
	size_t got;
	int rc;

	g->z.next_out = g->piece;
	g->z.avail_out = PIECE;
	rc = inflate(&g->z, Z_NO_FLUSH);
	got = PIECE - g->z.avail_out;
	g->in += before - g->z.avail_in;
	g->out += got;
	if (check_size(g, e) < 0)
		return -1;
	strbuf_add(out, g->piece, got);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return err_set(e, ERR_SYNTAX, "gzip: broken: %s",
		    g->z.msg == NULL ? "no gzip at all" : g->z.msg);
	if (rc == Z_BUF_ERROR)			/* nothing to do any more */
		return 0;
	g->whole = rc == Z_STREAM_END;
	/* RFC 1952 2.2: members may follow each other */
	if (g->whole && inflateReset(&g->z) != Z_OK)
		return err_set(e, ERR_SYNTAX, "gzip: broken");
	return 0;
}

int
http_gunzip_add(struct http_gunzip *g, struct slice in, struct strbuf *out, struct err *e)
{
	g->z.next_in = (unsigned char *)(uintptr_t)in.p;
	g->z.avail_in = (unsigned)in.n;
	do {
		if (decode(g, out, e) < 0)
			return -1;
	} while (g->z.avail_in > 0 || g->z.avail_out == 0);
	return 0;
}

int
http_gunzip_end(const struct http_gunzip *g, struct err *e)
{
	return g->whole ? 0 : err_set(e, ERR_SYNTAX, "gzip: cut short");
}
