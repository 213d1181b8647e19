#include "adapters/http_gather.h"

#include "adapters/http1.h"
#include "adapters/http_gunzip.h"

enum { CODING_SHOWN = 40 };

void
http_gather_init(struct http_gather *g, size_t max)
{
	*g = (struct http_gather){ .body = STRBUF_INIT, .max = max };
}

void
http_gather_reset(struct http_gather *g)
{
	strbuf_fini(&g->body);
	http_gunzip_free(g->gunzip);
	g->gunzip = NULL;
	g->came = 0;
}

int
http_gather_begin(struct http_gather *g, const struct http1_head *head, struct err *e)
{
	struct slice coding = http1_field(head, "content-encoding");

	http_gather_reset(g);		/* an interim answer may have come before */
	if (coding.n == 0 || slice_is_nocase(coding, "identity"))
		return 0;
	if (!slice_is_nocase(coding, "gzip") && !slice_is_nocase(coding, "x-gzip"))
		return err_set(e, ERR_UNSUPPORTED, "http: the answer is coded in a way that nobody asked "
		    "for: %.*s", SLICE_ARG(coding.n > CODING_SHOWN ? slice_from(coding.p, CODING_SHOWN) :
		    coding));
	g->gunzip = http_gunzip_new(g->max);
	return 0;
}

int
http_gather_add(struct http_gather *g, struct slice data, struct err *e)
{
	g->came += data.n;
	if (g->came > g->max)
		return err_set(e, ERR_LIMIT, "http: the answer is larger than %zu bytes", g->max);
	if (g->gunzip != NULL)
		return http_gunzip_add(g->gunzip, data, &g->body, e);
	strbuf_add(&g->body, data.p, data.n);
	return 0;
}

/* An answer to HEAD, or a 304, is coded only in name. */
int
http_gather_end(const struct http_gather *g, struct err *e)
{
	return g->gunzip == NULL || g->came == 0 ? 0 : http_gunzip_end(g->gunzip, e);
}
