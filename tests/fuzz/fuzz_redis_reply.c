/* If this finds something, a Redis that lies crashes a worker, makes it take memory without a limit, or
 * the way in which its answers are cut into packets changes what they mean. First byte: the step. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/strbuf.h"
#include "gateway/limiter_redis.h"
#include "gateway/redis_proto.h"

enum { REPLY_MAX = 4096 };

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The reply as text; returns the bytes that it keeps. */
static size_t
touch(const struct redis_reply *r, struct strbuf *out, unsigned depth)
{
	size_t kept = r->text.n + r->nitems * sizeof(*r), i;

	if (depth > 8)
		abort();
	strbuf_addf(out, "(%d %lld %zu ", r->kind, (long long)r->integer, r->nitems);
	strbuf_addsl(out, r->text);
	for (i = 0; i < r->nitems; i++)
		kept += touch(&r->items[i], out, depth + 1);
	strbuf_addc(out, ')');
	return kept;
}

/* All replies as text; true if it ended because of the limit. */
static bool
run(struct slice all, size_t step, struct strbuf *out)
{
	struct redis_proto *p = redis_proto_new(REPLY_MAX);
	const struct redis_reply *r;
	struct limiter_answer a;
	struct err e = ERR_INIT;
	int rc = 0;

	while (all.n > 0 && rc == 0) {
		size_t n = all.n < step ? all.n : step;
		char *piece = malloc(n);

		memcpy(piece, all.p, n);
		rc = redis_proto_feed(p, slice_from(piece, n), &e);
		free(piece);
		all.p += n;
		all.n -= n;
		while (rc == 0 && (rc = redis_proto_next(p, &r, &e)) > 0) {
			if (touch(r, out, 0) > REPLY_MAX)
				abort();
			(void)redis_proto_unfit(r);
			if (limiter_redis_read(r, &a) && a.allowed && a.wait_us != 0)
				abort();
			rc = 0;
		}
	}
	if (rc < 0 && (e.code == ERR_NONE || redis_proto_next(p, &r, &e) >= 0))
		abort();
	redis_proto_free(p);
	return rc < 0 && e.code == ERR_LIMIT;
}

/* A command, cut from the input at line ends, reads back as a list of the same words. */
static void
check_command(struct slice all)
{
	struct redis_proto *p = redis_proto_new(4 * REPLY_MAX);
	const struct redis_reply *r;
	struct strbuf out = STRBUF_INIT;
	struct slice word[20];
	struct err e = ERR_INIT;
	int n = 0;

	all.n = all.n < REPLY_MAX ? all.n : REPLY_MAX;
	do
		word[n++] = slice_cut(&all, '\n');
	while (all.n > 0 && n < 20);
	redis_proto_add(&out, n, word);
	if (redis_proto_feed(p, strbuf_slice(&out), &e) < 0 || redis_proto_next(p, &r, &e) != 1 ||
	    r->nitems != (size_t)n)
		abort();
	for (int i = 0; i < n; i++)
		if (!slice_eq(r->items[i].text, word[i]))
			abort();
	redis_proto_free(p);
	strbuf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct strbuf whole = STRBUF_INIT, pieces = STRBUF_INIT;
	struct slice all;
	bool cut;

	if (n == 0)
		return 0;
	all = slice_from(data + 1, n - 1);
	check_command(all);
	run(all, SIZE_MAX, &whole);
	cut = run(all, 1 + data[0] / 16u, &pieces);
	/* In pieces the limit may come a few bytes earlier; nothing else may differ. */
	if (!cut && !slice_eq(strbuf_slice(&whole), strbuf_slice(&pieces)))
		abort();
	if (cut && (pieces.n > whole.n || memcmp(pieces.p, whole.p, pieces.n) != 0))
		abort();
	strbuf_fini(&whole);
	strbuf_fini(&pieces);
	return 0;
}
