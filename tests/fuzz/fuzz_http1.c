/* If this finds something, bytes from the network crash the front, or the way they are cut into
 * packets changes what they mean. First byte: requests or responses, and the step. */
#include <stdint.h>
#include <stdlib.h>

#include "adapters/http1.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Everything a handler would look at. */
static void
touch(const struct http1_head *h)
{
	struct slice rest = h->query, v, item;
	struct arena *mem = arena_new();
	struct http1_param param;
	size_t i = 0;

	while (http1_query_next(&rest, mem, &param))
		;
	while (http1_field_next(h, "Accept", &i, &v))
		while (http1_list_next(&v, &item))
			;
	(void)http1_accepts_gzip(h);
	if (h->chunked && h->content_length >= 0)
		abort();
	if (h->path.n > 0 && h->path.p[0] != '/' && !slice_is(h->path, "*"))
		abort();
	arena_free(mem);
}

/* The events as text. */
static void
run(bool responses, struct slice all, size_t step, struct strbuf *out)
{
	struct http1 *p = responses ? http1_new_responses(NULL) : http1_new_requests(NULL);
	bool in_data = false;

	while (all.n > 0) {
		size_t n = all.n < step ? all.n : step;
		struct slice in = { malloc(n), n }, data;
		char *piece = (char *)in.p;
		enum http1_event ev;

		memcpy(piece, all.p, n);
		all.p += n;
		all.n -= n;
		while ((ev = http1_next(p, &in, &data)) != HTTP1_MORE && ev != HTTP1_ERROR) {
			if (ev != HTTP1_DATA || !in_data)
				strbuf_addf(out, "<%d>", ev);
			if (ev == HTTP1_DATA)
				strbuf_addsl(out, data);
			in_data = ev == HTTP1_DATA;
			if (ev == HTTP1_HEAD)
				touch(http1_head(p));
			if (ev == HTTP1_END)
				http1_shrink(p);
		}
		free(piece);
		if (ev == HTTP1_ERROR) {
			strbuf_addf(out, "!%d", http1_error(p, NULL));
			break;
		}
	}
	strbuf_addf(out, "(%d)", http1_eof(p));
	http1_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct strbuf whole = STRBUF_INIT, pieces = STRBUF_INIT;
	struct slice all;

	if (n == 0)
		return 0;
	all = slice_from(data + 1, n - 1);
	run((data[0] & 1) != 0, all, SIZE_MAX, &whole);
	run((data[0] & 1) != 0, all, 1 + data[0] / 16u, &pieces);
	if (!slice_eq(strbuf_slice(&whole), strbuf_slice(&pieces)))
		abort();
	strbuf_fini(&whole);
	strbuf_fini(&pieces);
	return 0;
}
