/*
 * Claims of new objects through Redis, a batch at a time, as intake asks them. Alone it has nothing to say: rows_redis.py calls it.
 * usage: bench_claims SOCKET BATCH COUNT	prints "claims a second, CPU us a claim"
 */
#include <event2/event.h>

#include "gateway/base/arena.h"
#include "gateway/base/log.h"
#include "gateway/dedup.h"
#include "tests/bench/lib/row.h"

struct bench {
	struct event_base	*base;
	struct dedup		*dedup;
	struct dedup_key	*keys;
	size_t			 batch, left;
};

static void
ask(struct bench *b);

static void
on_claimed(void *arg, const enum dedup_answer *answers, size_t n)
{
	struct bench *b = arg;

	for (size_t i = 0; i < n; i++) {
		if (answers[i] != DEDUP_CLAIMED) {
			fprintf(stderr, "bench_claims: a new key is not ours\n");
			exit(1);
		}
	}
	b->left -= n;
	if (b->left < b->batch)
		event_base_loopbreak(b->base);
	else
		ask(b);
}

/* The next batch, of keys that were never asked. */
static void
ask(struct bench *b)
{
	static uint64_t next[4];	/* as long as a digest */

	for (size_t i = 0; i < b->batch; i++) {
		next[0]++;
		b->keys[i] = dedup_key(b->dedup, slice_from(next, sizeof(next)));
	}
	dedup_claim(b->dedup, b->keys, b->batch, false, on_claimed, b);
}

static struct redis *
connect_to(struct event_base *base, const char *path)
{
	char url[200];
	struct redis_conf conf = {
		.url = url, .prefix = "tocsin:", .connect_us = 1000000, .command_us = 5000000,
		.queue_max = 100000, .reply_max = 65536,
	};
	struct err e = ERR_INIT;
	struct redis *r;

	snprintf(url, sizeof(url), "unix:%s", path);
	r = redis_new(base, &conf, NULL, NULL, &e);
	while (r != NULL && redis_state(r) == REDIS_CONNECTING)
		event_base_loop(base, EVLOOP_ONCE);
	if (redis_state(r) == REDIS_UP)
		return r;
	fprintf(stderr, "bench_claims: %s %s\n", path, r == NULL ? e.reason : redis_reason(r));
	exit(1);
}

int
main(int argc, char **argv)
{
	struct dedup_conf conf = {
		.key = SLICE_LIT("0123456789abcdef0123456789abcdef"), .prefix = "tocsin:",
		.store_id = SLICE_LIT("5f0c62d1-8a44-4b53-9f1e-6b1b2c3d4e5f"),
		.claim_short_us = 30000000, .claim_long_us = 86400000000, .local_max = 100000,
	};
	struct arena *mem = arena_new();
	struct bench b = { 0 };
	struct redis *redis;
	double wall, cpu;
	size_t count;

	if (argc != 4)
		return 0;
	log_setup(2, false, LOG_WARN);
	b.batch = strtoul(argv[2], NULL, 10);
	count = b.left = strtoul(argv[3], NULL, 10);
	b.base = event_base_new();
	redis = connect_to(b.base, argv[1]);
	b.dedup = dedup_new(redis, &conf);
	b.keys = arena_alloc(mem, b.batch * sizeof(*b.keys));
	wall = row_wall();
	cpu = row_cpu();
	ask(&b);
	event_base_dispatch(b.base);
	count -= b.left;
	printf("%.0f %.3f\n", (double)count / (row_wall() - wall), (row_cpu() - cpu) * 1e6 / (double)count);
	dedup_free(b.dedup);
	redis_free(redis);
	event_base_free(b.base);
	arena_free(mem);
	return 0;
}
