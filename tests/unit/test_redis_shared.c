/* If this fails, two nodes that share a Redis do not share their claims or budgets: the same advisory is
 * worked on twice, a client gets twice its rate, or Redis learns what it must not know. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/dedup.h"
#include "gateway/limiter.h"
#include "redis_server.h"

#define SECOND	INT64_C(1000000)

static const char key[32] = "0123456789abcdef0123456789abcdef";

/* One node: its connection, its claims, its budgets. */
struct node {
	struct redis	*r;
	struct dedup	*d;
	struct limiter	*l;
};

static struct server		server;
static struct event_base	*base;

static int
start(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	log_setup(2, false, getenv("TEST_LOG") != NULL ? LOG_DEBUG : LOG_OFF);
	base = event_base_new();
	server_start(&server, NULL);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	server_stop(&server);
	event_base_free(base);
	return 0;
}

static struct node
make_node(const char *store, bool with_redis)
{
	struct dedup_conf dc = { .prefix = "t:", .key = { key, sizeof(key) },
	    .store_id = slice_of(store), .claim_short_us = 30 * SECOND,
	    .claim_long_us = 3600 * SECOND, .local_max = 1000 };
	struct limiter_conf lc = { .prefix = "t:", .key = { key, sizeof(key) }, .local_share = 0.5,
	    .local_max = 1000 };
	struct redis_conf rc = conf_of(&server);
	struct err e = ERR_INIT;
	struct node n = { 0 };

	if (with_redis) {
		if ((n.r = redis_new(base, &rc, NULL, NULL, &e)) == NULL)
			fail_msg("%s", e.reason);
		run_until(base, is_up, n.r);
	}
	n.d = dedup_new(n.r, &dc);
	n.l = limiter_new(n.r, &lc);
	return n;
}

static void
free_node(struct node *n)
{
	dedup_free(n->d);
	limiter_free(n->l);
	redis_free(n->r);
}

/* --- questions that wait for their answer -------------------------------------------------------- */

struct got {
	unsigned		calls;
	size_t			n;
	enum dedup_answer	a[200];
	struct limiter_answer	limit;
	unsigned		allowed, shared;
};

static void
on_answers(void *arg, const enum dedup_answer *answers, size_t n)
{
	struct got *g = arg;

	g->calls++;
	g->n = n;
	assert_true(n <= 200);
	if (n > 0)
		memcpy(g->a, answers, n * sizeof(*answers));
}

static void
on_limit(void *arg, struct limiter_answer a)
{
	struct got *g = arg;

	g->calls++;
	g->limit = a;
	g->allowed += a.allowed;
	g->shared += a.shared;
}

struct wanted {
	struct got	*g;
	unsigned	 calls;
};

static bool
has_calls(void *arg)
{
	struct wanted *w = arg;

	return w->g->calls >= w->calls;
}

static void
wait_for(struct got *g, unsigned calls)
{
	run_until(base, has_calls, &(struct wanted){ g, calls });
	assert_int_equal(g->calls, calls);
}

static enum dedup_answer
claim(struct node *n, const char *name, bool local_only)
{
	struct dedup_key k = dedup_key(n->d, slice_of(name));
	struct got g = { 0 };

	dedup_claim(n->d, &k, 1, local_only, on_answers, &g);
	wait_for(&g, 1);
	assert_int_equal(g.n, 1);
	return g.a[0];
}

static enum dedup_answer
sent(struct node *n, const char *pin, const char *fp, bool mark)
{
	struct got g = { 0 };

	dedup_sent(n->d, slice_of(pin), slice_of(fp), mark, on_answers, &g);
	wait_for(&g, 1);
	return g.a[0];
}

static void
confirm(struct node *n, const char *name)
{
	struct dedup_key k = dedup_key(n->d, slice_of(name));

	dedup_confirm(n->d, &k, 1, false);
}

static void
release(struct node *n, const char *name)
{
	struct dedup_key k = dedup_key(n->d, slice_of(name));

	dedup_release(n->d, &k, 1, false);
}

static void
forget(struct node *n, const char *name)
{
	struct dedup_key k = dedup_key(n->d, slice_of(name));

	dedup_forget(n->d, &k, 1);
}

static struct limiter_answer
take(struct node *n, const char *name, double rate, uint32_t burst, uint32_t units)
{
	struct got g = { 0 };

	limiter_take(n->l, slice_of(name), (struct limit){ rate, burst }, units, on_limit, &g);
	wait_for(&g, 1);
	return g.limit;
}

static bool
nothing_waits(void *arg)
{
	struct node *n = arg;
	struct redis_figures f;

	redis_figures(n->r, &f);
	return f.waiting == 0;
}

/* What was sent without waiting for an answer is done. */
static void
settle(struct node *n)
{
	if (n->r != NULL)
		run_until(base, nothing_waits, n);
}

/* --- claims -------------------------------------------------------------------------------------- */

/* The same story is told to one node without Redis, and to two that share one: same answers. */
static void
test_one_contract(void **state)
{
	static const struct { char verb; int node; const char *key; enum dedup_answer want; } steps[] = {
		{ 'c', 0, "a", DEDUP_CLAIMED }, { 'c', 1, "a", DEDUP_BUSY },
		{ 'r', 1, "a", 0 }, { 'c', 1, "a", DEDUP_BUSY },
		{ 'k', 0, "a", 0 }, { 'c', 0, "a", DEDUP_SEEN }, { 'c', 1, "a", DEDUP_SEEN },
		{ 'r', 1, "a", 0 }, { 'r', 0, "a", 0 }, { 'c', 1, "a", DEDUP_SEEN },
		{ 'f', 0, "a", 0 },
		{ 'c', 0, "b", DEDUP_CLAIMED }, { 'r', 0, "b", 0 }, { 'c', 1, "b", DEDUP_CLAIMED },
		{ 'c', 0, "b", DEDUP_BUSY }, { 'k', 1, "b", 0 }, { 'c', 0, "b", DEDUP_SEEN },
		{ 'c', 1, "", DEDUP_CLAIMED }, { 'c', 0, "", DEDUP_BUSY },
		{ 's', 0, "x", DEDUP_CLAIMED }, { 's', 1, "x", DEDUP_CLAIMED },
		{ 'm', 0, "x", DEDUP_CLAIMED }, { 's', 1, "x", DEDUP_SEEN },
		{ 'm', 1, "x", DEDUP_SEEN }, { 's', 0, "x", DEDUP_SEEN }, { 's', 0, "y", DEDUP_CLAIMED },
	};
	struct node one = make_node("s", false), two[2];
	int shared;
	size_t i;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	two[0] = make_node("s", true);
	two[1] = make_node("s", true);
	for (shared = 0; shared < 2; shared++) {
		for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
			struct node *n = shared == 1 ? &two[steps[i].node] : &one;
			enum dedup_answer got = steps[i].want;

			switch (steps[i].verb) {
			case 'c':
				got = claim(n, steps[i].key, false);
				break;
			case 'k':
				confirm(n, steps[i].key);
				break;
			case 'r':
				release(n, steps[i].key);
				break;
			case 'f':
				forget(n, steps[i].key);
				break;
			default:
				got = sent(n, "pin", steps[i].key, steps[i].verb == 'm');
			}
			settle(n);
			if (got != steps[i].want)
				fail_msg("%s, step %zu: %d", shared == 1 ? "Redis" : "local", i, got);
		}
	}
	free_node(&one);
	free_node(&two[0]);
	free_node(&two[1]);
}

/* Nodes with stores of their own do not claim for one another; what was sent to a peer they share. */
static void
test_stores_are_separate(void **state)
{
	struct node a, b;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	a = make_node("store-a", true);
	b = make_node("store-b", true);
	assert_int_equal(claim(&a, "k", false), DEDUP_CLAIMED);
	assert_int_equal(claim(&b, "k", false), DEDUP_CLAIMED);
	confirm(&a, "k");
	settle(&a);
	assert_int_equal(claim(&b, "k", false), DEDUP_BUSY);
	assert_int_equal(sent(&a, "pin", "fp", true), DEDUP_CLAIMED);
	assert_int_equal(sent(&b, "pin", "fp", true), DEDUP_SEEN);
	free_node(&a);
	free_node(&b);
}

/* A key that goes away for another reason than ours is somebody else's by now: it stays. */
static void
test_release_only_ours(void **state)
{
	struct node a, b;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	a = make_node("s", true);
	b = make_node("s", true);
	assert_int_equal(claim(&a, "k", false), DEDUP_CLAIMED);
	tell(&server, "FLUSHALL", "+OK");		/* or it expired */
	assert_int_equal(claim(&b, "k", false), DEDUP_CLAIMED);
	release(&a, "k");
	settle(&a);
	assert_int_equal(claim(&a, "k", false), DEDUP_BUSY);
	release(&b, "k");
	settle(&b);
	assert_int_equal(claim(&a, "k", false), DEDUP_CLAIMED);
	free_node(&a);
	free_node(&b);
}

static void
test_envelope(void **state)
{
	struct dedup_key keys[200];
	char name[16];
	struct got g = { 0 };
	struct node a, b;
	size_t i;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	a = make_node("s", true);
	b = make_node("s", true);
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "key %zu", i);
		keys[i] = dedup_key(a.d, slice_of(name));
	}
	dedup_claim(a.d, keys, 100, false, on_answers, &g);
	wait_for(&g, 1);
	dedup_confirm(a.d, keys, 50, false);
	settle(&a);
	dedup_claim(b.d, keys, 200, false, on_answers, &g);
	wait_for(&g, 2);
	assert_int_equal(g.n, 200);
	for (i = 0; i < 200; i++)
		assert_int_equal(g.a[i], i < 50 ? DEDUP_SEEN : i < 100 ? DEDUP_BUSY : DEDUP_CLAIMED);
	free_node(&a);
	free_node(&b);
}

/* Redis sees nothing but MACs that expire, and of TLP:RED not even that. */
static void
test_what_redis_knows(void **state)
{
	char out[4096], *p;
	struct dedup_key k;
	struct node a;
	unsigned n = 0;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	a = make_node("s", true);
	tell(&server, "DEL t:ready", ":1");
	assert_int_equal(claim(&a, "red", true), DEDUP_CLAIMED);
	assert_int_equal(claim(&a, "red", true), DEDUP_BUSY);
	k = dedup_key(a.d, SLICE_LIT("red"));
	dedup_confirm(a.d, &k, 1, true);
	k = dedup_key(a.d, SLICE_LIT("other"));
	dedup_release(a.d, &k, 1, true);
	settle(&a);
	tell(&server, "DBSIZE", ":0");
	claim(&a, "indicator--secret", false);
	sent(&a, "pin", "secret", true);
	take(&a, "in:secret", 1, 1, 1);
	raw(&server, "KEYS *", out, sizeof(out));
	assert_int_equal(strncmp(out, "*3\r\n", 4), 0);
	assert_null(strstr(out, "secret"));
	for (p = out; (p = strstr(p, "t:")) != NULL; p += strlen(p) + 1, n++) {
		char *end = strchr(p, '\r'), ask[128], ttl[32];
		const char *mac;

		assert_non_null(end);
		*end = '\0';
		assert_true(strncmp(p, "t:claim:", 8) == 0 || strncmp(p, "t:sent:", 7) == 0 ||
		    strncmp(p, "t:rate:", 7) == 0);
		mac = strrchr(p, ':') + 1;
		assert_int_equal(strlen(mac), 32);
		assert_int_equal(strspn(mac, "0123456789abcdef"), 32);
		snprintf(ask, sizeof(ask), "PTTL %s", p);
		raw(&server, ask, ttl, sizeof(ttl));
		assert_true(ttl[0] == ':' && ttl[1] >= '1' && ttl[1] <= '9');
	}
	assert_int_equal(n, 3);
	free_node(&a);
}

/* --- budgets ------------------------------------------------------------------------------------- */

static void
test_one_budget(void **state)
{
	struct got g = { 0 };
	struct node a, b;
	unsigned i;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	a = make_node("s", true);
	b = make_node("other", true);
	for (i = 0; i < 100; i++) {
		limiter_take(a.l, slice_of("c"), (struct limit){ 0.001, 10 }, 1, on_limit, &g);
		limiter_take(b.l, slice_of("c"), (struct limit){ 0.001, 10 }, 1, on_limit, &g);
	}
	wait_for(&g, 200);
	assert_int_equal(g.allowed, 10);
	assert_int_equal(g.shared, 200);
	assert_in_range(g.limit.wait_us, 900 * SECOND, 1000 * SECOND);
	/* Another name, another bucket; no limit, no question. */
	assert_true(take(&b, "d", 0.001, 10, 1).allowed);
	assert_true(take(&b, "c", 0, 0, 1000).allowed);
	free_node(&a);
	free_node(&b);
}

/* A busy client costs few round trips, and two nodes that lease ahead never give more than the limit. */
/* A guess that was right is given back, to the budget of all nodes. */
static void
test_refund(void **state)
{
	const struct limit slow = { 0.001, 10 };
	struct node a, b;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	a = make_node("s", true);
	b = make_node("other", true);
	/* Redis does not know the script yet, and is told on the second try. */
	limiter_refund(b.l, SLICE_LIT("first"), slow, 1);
	assert_true(take(&b, "second", 0.001, 10, 1).allowed);
	assert_true(take(&b, "second", 0.001, 10, 1).allowed);
	assert_true(take(&a, "g", 0.001, 10, 9).allowed);
	assert_true(take(&b, "g", 0.001, 10, 1).allowed);
	assert_false(take(&a, "g", 0.001, 10, 1).allowed);
	limiter_refund(b.l, SLICE_LIT("g"), slow, 4);
	assert_true(take(&b, "g", 0.001, 10, 4).allowed);
	assert_false(take(&a, "g", 0.001, 10, 1).allowed);
	limiter_refund(a.l, SLICE_LIT("g"), slow, 100);	/* no more than all */
	assert_true(take(&a, "g", 0.001, 10, 10).allowed);
	assert_false(take(&b, "g", 0.001, 10, 1).allowed);
	limiter_refund(a.l, SLICE_LIT("nobody's"), slow, 1);
	assert_true(take(&a, "nobody's", 0.001, 10, 10).allowed);
	assert_false(take(&a, "nobody's", 0.001, 10, 1).allowed);
	free_node(&a);
	free_node(&b);
}

static void
test_leases_stay_within_the_budget(void **state)
{
	const struct limit limit = { 2000, 3200 };	/* leases of up to 100 */
	struct redis_figures before, after;
	struct got g = { 0 };
	unsigned asked = 0;
	struct node n[2];
	int64_t began;
	double most;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	n[0] = make_node("s", true);
	n[1] = make_node("other", true);
	redis_figures(n[0].r, &before);
	began = clock_mono_us();
	while (g.allowed == asked && asked < 100000) {
		limiter_take(n[asked % 2].l, slice_of("busy"), limit, 1, on_limit, &g);
		wait_for(&g, ++asked);
	}
	most = limit.burst + limit.per_second * (double)(clock_mono_us() - began) / SECOND;
	redis_figures(n[0].r, &after);
	assert_true(g.allowed <= most);
	assert_true(g.allowed >= limit.burst - 200);
	assert_int_equal(g.shared, asked);
	assert_true(after.commands - before.commands < asked / 20);
	assert_true(g.limit.wait_us > 0);
	free_node(&n[0]);
	free_node(&n[1]);
}

/* Units, debts and waits as the local backend has them. */
static void
test_same_arithmetic(void **state)
{
	static const struct { double rate; uint32_t burst, units; bool allowed; int64_t wait_us; } rows[] = {
		{ 0.01, 10, 7, true, 0 }, { 0.01, 10, 4, false, 100 * SECOND },
		{ 0.01, 10, 3, true, 0 }, { 0.01, 10, 10, false, 1000 * SECOND },
		{ 0.01, 10, 0, false, 100 * SECOND }, { 0.01, 10, 100, false, 1000 * SECOND },
	};
	struct node node[2];
	struct limiter_answer a;
	size_t i;
	int k;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	node[0] = make_node("s", false);
	node[1] = make_node("s", true);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			a = take(&node[k], "u", rows[i].rate, rows[i].burst, rows[i].units);
			assert_int_equal(a.allowed, rows[i].allowed);
			assert_int_equal(a.shared, k == 1);
			assert_in_range(a.wait_us, rows[i].allowed ? 0 : rows[i].wait_us - 9 * SECOND,
			    rows[i].wait_us);
		}
		/* More than the burst from a full bucket, and then a long wait. */
		assert_true(take(&node[k], "more", 0.01, 10, 100).allowed);
		a = take(&node[k], "more", 0.01, 10, 1);
		assert_false(a.allowed);
		assert_in_range(a.wait_us, 9091 * SECOND, 9100 * SECOND);
		assert_true(take(&node[k], "huge", 1e-30, UINT32_MAX, UINT32_MAX).allowed);
		a = take(&node[k], "huge", 1e-30, UINT32_MAX, UINT32_MAX);
		assert_false(a.allowed);
		assert_true(take(&node[k], "fast", 1e9, 0, 1).allowed);
	}
	free_node(&node[0]);
	free_node(&node[1]);
}

/* A client that waits as long as it is told may go on then. */
static void
test_wait_is_the_truth(void **state)
{
	struct limiter_answer a;
	struct node n;
	unsigned i;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	n = make_node("s", true);
	assert_true(take(&n, "w", 50, 1, 1).allowed);
	for (i = 0; i < 5; i++) {
		while (!(a = take(&n, "w", 50, 1, 1)).allowed) {
			assert_in_range(a.wait_us, 1, SECOND / 50);
			usleep((useconds_t)a.wait_us);
		}
		assert_true(a.shared);
	}
	free_node(&n);
}

/* A command about the one rate key of the server: verb KEY rest. */
static void
set_bucket(const char *verb, const char *rest)
{
	char keys[256], command[256], *p;

	raw(&server, "KEYS t:rate:*", keys, sizeof(keys));
	assert_non_null(p = strstr(keys, "t:rate:"));
	*strchr(p, '\r') = '\0';
	snprintf(command, sizeof(command), "%s %s %s", verb, p, rest);
	tell(&server, command, strcmp(verb, "SET") == 0 ? "+OK" : ":1");
}

/* Redis' clock goes back, or somebody wrote nonsense: nobody is locked out. */
static void
test_clock_and_nonsense(void **state)
{
	static const char *const values[] = { "nonsense", "\"\"", "1e+15", "\"9999999999999999 x\"",
	    "-1", "\"1 2 3\"" };
	struct limiter_answer a;
	struct node n;
	size_t i;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	n = make_node("s", true);
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		assert_true(take(&n, "c", 0.01, 1, 1).allowed);
		assert_false(take(&n, "c", 0.01, 1, 1).allowed);
		set_bucket("SET", values[i]);
		assert_true(take(&n, "c", 0.01, 1, 1).allowed);
		set_bucket("DEL", "");
		assert_true(take(&n, "c", 0.01, 1, 1).allowed);
		assert_false(take(&n, "c", 0.01, 1, 1).allowed);
		set_bucket("DEL", "");
	}
	/* Written in the year 2096, with 30 s to go: they are still 30 s. */
	assert_true(take(&n, "c", 0.01, 1, 1).allowed);
	set_bucket("SET", "\"4000000030000000 4000000000000000\"");
	a = take(&n, "c", 0.01, 1, 1);
	assert_false(a.allowed);
	assert_true(a.shared);
	assert_int_equal(a.wait_us, 30 * SECOND);
	free_node(&n);
}

static void
test_wrong_types(void **state)
{
	char keys[256], command[256], *p;
	struct limiter_answer a;
	struct node n;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	n = make_node("s", true);
	tell(&server, "DEL t:ready", ":1");
	assert_int_equal(claim(&n, "k", false), DEDUP_CLAIMED);
	take(&n, "c", 0.01, 4, 4);
	raw(&server, "KEYS *", keys, sizeof(keys));
	for (p = keys; (p = strstr(p, "t:")) != NULL; p += strlen(p) + 1) {
		*strchr(p, '\r') = '\0';
		snprintf(command, sizeof(command), "DEL %s", p);
		tell(&server, command, ":1");
		snprintf(command, sizeof(command), "LPUSH %s x", p);
		tell(&server, command, ":1");
	}
	/* Redis cannot say: the local answers count, and the local bucket is empty too. */
	a = take(&n, "c", 0.01, 4, 1);
	assert_false(a.shared);
	assert_false(a.allowed);
	release(&n, "k");
	settle(&n);
	assert_int_equal(claim(&n, "k", false), DEDUP_CLAIMED);
	assert_int_equal(redis_state(n.r), REDIS_UP);
	free_node(&n);
}

/* --- Redis comes and goes ------------------------------------------------------------------------ */

static void
test_flushed(void **state)
{
	struct node n;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	n = make_node("s", true);
	assert_int_equal(claim(&n, "k", false), DEDUP_CLAIMED);
	assert_true(take(&n, "c", 0.01, 1, 1).allowed);
	tell(&server, "FLUSHALL", "+OK");
	tell(&server, "SCRIPT FLUSH", "+OK");
	assert_true(take(&n, "c", 0.01, 1, 1).shared);
	release(&n, "k");
	settle(&n);
	assert_int_equal(claim(&n, "k", false), DEDUP_CLAIMED);
	free_node(&n);
}

/* Killed with questions open: each is answered once, by the local backends; nobody gets a second burst;
 * and back it is without anybody's help. */
static void
test_killed(void **state)
{
	struct dedup_key keys[3];
	struct got claims = { 0 }, limits = { 0 }, marks = { 0 };
	struct limiter_answer a;
	struct limiter_figures f;
	struct node n;
	unsigned i;

	(void)state;
	tell(&server, "FLUSHALL", "+OK");
	n = make_node("s", true);
	assert_int_equal(claim(&n, "k1", false), DEDUP_CLAIMED);
	confirm(&n, "k1");
	for (i = 0; i < 10; i++)
		assert_true(take(&n, "used", 0.001, 10, 1).allowed);
	for (i = 0; i < 3; i++)
		keys[i] = dedup_key(n.d, slice_from((const char *[]){ "k1", "k2", "k3" }[i], 2));
	kill(server.pid, SIGSTOP);
	dedup_claim(n.d, keys, 3, false, on_answers, &claims);
	dedup_sent(n.d, SLICE_LIT("pin"), SLICE_LIT("fp"), false, on_answers, &marks);
	for (i = 0; i < 10; i++)
		limiter_take(n.l, slice_of("new"), (struct limit){ 0.001, 10 }, 1, on_limit, &limits);
	server_kill(&server);
	wait_for(&limits, 10);
	wait_for(&claims, 1);
	wait_for(&marks, 1);
	assert_int_equal(claims.n, 3);
	assert_int_equal(claims.a[0], DEDUP_SEEN);
	assert_int_equal(claims.a[1], DEDUP_CLAIMED);
	assert_int_equal(claims.a[2], DEDUP_CLAIMED);
	assert_int_equal(marks.a[0], DEDUP_UNKNOWN);
	assert_int_equal(limits.allowed, 5);		/* our share of 10 */
	assert_int_equal(limits.shared, 0);
	a = take(&n, "used", 0.001, 10, 1);
	assert_false(a.allowed);
	assert_int_equal(claim(&n, "k2", false), DEDUP_BUSY);
	assert_int_equal(claim(&n, "k4", false), DEDUP_CLAIMED);
	assert_int_equal(sent(&n, "pin", "fp", true), DEDUP_UNKNOWN);
	assert_int_equal(sent(&n, "pin", "fp", true), DEDUP_SEEN);
	limiter_figures(n.l, &f);
	assert_int_equal(f.local, 11);
	/* The same once the circuit is open, and what is local by nature has all of its limit. */
	memset(&limits, 0, sizeof(limits));
	for (i = 0; i < 20; i++) {
		limiter_take(n.l, slice_of("late"), (struct limit){ 0.001, 10 }, 1, on_limit, &limits);
		limits.calls += limiter_take_local(n.l, slice_of("guess"),
		    (struct limit){ 0.001, 10 }, 1).allowed;
	}
	assert_int_equal(limits.allowed, 5);
	assert_int_equal(limits.calls, 20 + 10);
	server_spawn(&server, NULL);
	run_until(base, is_up, n.r);
	assert_true(take(&n, "new", 0.001, 10, 1).shared);
	assert_int_equal(claim(&n, "k1", false), DEDUP_SEEN);
	assert_int_equal(claim(&n, "k9", false), DEDUP_CLAIMED);
	free_node(&n);
}

/* Going down with questions open: nobody is called any more, nothing is lost. */
static void
test_freed_with_open_questions(void **state)
{
	struct got g = { 0 };
	struct node n = make_node("s", true);
	struct slice names[] = { SLICE_LIT("x1"), SLICE_LIT("x2") };
	struct dedup_key k[] = { dedup_key(n.d, names[0]), dedup_key(n.d, names[1]) };

	(void)state;
	dedup_claim(n.d, k, 2, false, on_answers, &g);
	dedup_sent(n.d, names[0], names[1], true, on_answers, &g);
	dedup_release(n.d, k, 2, false);
	limiter_take(n.l, names[0], (struct limit){ 1, 1 }, 1, on_limit, &g);
	free_node(&n);
	assert_int_equal(g.calls, 0);
	/* The answers come, but too late. */
	n = make_node("s", true);
	dedup_claim(n.d, k, 2, false, on_answers, &g);
	limiter_take(n.l, names[0], (struct limit){ 1, 1 }, 1, on_limit, &g);
	dedup_free(n.d);
	limiter_free(n.l);
	settle(&n);
	redis_free(n.r);
	assert_int_equal(g.calls, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_contract),
		cmocka_unit_test(test_stores_are_separate),
		cmocka_unit_test(test_release_only_ours),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_what_redis_knows),
		cmocka_unit_test(test_one_budget),
		cmocka_unit_test(test_refund),
		cmocka_unit_test(test_leases_stay_within_the_budget),
		cmocka_unit_test(test_same_arithmetic),
		cmocka_unit_test(test_wait_is_the_truth),
		cmocka_unit_test(test_clock_and_nonsense),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_flushed),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_freed_with_open_questions),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
