/*
 * Does a page cost the same wherever it lies and whatever the collection holds? Steps of SQLite's machine and microseconds
 * of the first and the last page, in a small and in a large store.
 *
 *	bench_pages [--quick]				both stores are made, read and thrown away
 *	bench_pages --load DATABASE KEY COLLECTION N	fill a node's store (stopped) with N objects
 *	bench_pages --page DATABASE KEY COLLECTION last|first	one page, for callgrind: --toggle-collect=measured_page
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/log.h"
#include "gateway/keys.h"
#include "gateway/store_sqlite.h"

enum { BATCH = 1000, PAGE = 100 };

static char folder[] = "/tmp/tocsin-pages-XXXXXX";
static const char plain_key[] = "0123456789abcdef0123456789abcdef";

void	measured_page(struct store *s, const struct page_query *q, int64_t *last);

static _Noreturn void
give_up(const char *why)
{
	fprintf(stderr, "bench_pages: %s\n", why);
	exit(1);
}

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* An indicator of about 800 bytes, as tools write them. */
static void
make_object(struct object *o, struct arena *mem, unsigned number)
{
	uint8_t hash[SHA256_LEN];
	char pad[321], hex[33];

	digest_sha256(slice_from(&number, sizeof(number)), hash);
	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	for (int i = 0; i < 320; i++)
		pad[i] = i % 7 == 6 ? ' ' : (char)('a' + (hash[i % 32] + i) % 26);
	pad[320] = '\0';
	memset(o, 0, sizeof(*o));
	o->type = SLICE_LIT("indicator");
	o->id = slice_of(arena_fmt(mem, "indicator--%.8s-%.4s-4%.3s-8%.3s-%012u", hex, hex + 8, hex + 12, hex + 15, number));
	o->spec_version = SLICE_LIT("2.1");
	o->version = SLICE_LIT("2026-01-01T10:00:00.000Z");
	o->version_key = SLICE_LIT("2026-01-01T10:00:00");
	o->created_by = SLICE_LIT("identity--00000000-0000-4000-8000-000000000001");
	o->has_fp = true;
	memcpy(o->fp, hash, sizeof(hash));
	o->bytes = slice_of(arena_fmt(mem, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"%.*s\",\"created_by_ref\":"
	    "\"%.*s\",\"created\":\"2026-01-01T10:00:00.000Z\",\"modified\":\"2026-01-01T10:00:00.000Z\",\"name\":\"Host %u\","
	    "\"description\":\"%s\",\"indicator_types\":[\"malicious-activity\"],\"pattern\":\"[ipv4-addr:value = "
	    "'10.%u.%u.%u']\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T10:00:00Z\",\"object_marking_refs\":"
	    "[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]}", SLICE_ARG(o->id), SLICE_ARG(o->created_by),
	    number, pad, number >> 16 & 255, number >> 8 & 255, number & 255));
}

static void
on_done(void *arg, const struct err *e)
{
	(void)arg;
	if (e != NULL)
		give_up(e->reason);
}

static struct store *
open_store(const char *path, struct slice key, const char *collection, int64_t *cid)
{
	struct store_conf conf = { .path = path, .audit_key = key };
	struct err e = ERR_INIT;
	struct store *s = store_open(&conf, &e);
	char uuid[37];

	if (s == NULL || (*cid = store_collection(s, collection, NULL, uuid, &e)) < 0)
		give_up(e.reason);
	return s;
}

static void
load(struct store *s, const int64_t *cid, unsigned total)
{
	for (unsigned from = 0; from < total; from += BATCH) {
		struct arena *mem = arena_new();
		unsigned n = total - from < BATCH ? total - from : BATCH;
		struct object *objects = arena_alloc(mem, n * sizeof(*objects));
		struct store_put *puts = arena_alloc(mem, n * sizeof(*puts));
		struct store_txn t = { .puts = puts, .nputs = n, .source = { .name = "bench", .origin = ORIGIN_OWN,
		    .advisory = "bundle--1", .hops = "", .audience = "", .received_us = clock_wall_us() } };

		for (unsigned i = 0; i < n; i++) {
			make_object(&objects[i], mem, from + i);
			puts[i] = (struct store_put){ .object = &objects[i], .tlp = TLP_GREEN, .collections = cid,
			    .ncollections = 1 };
			digest_sha256(objects[i].bytes, puts[i].content);
		}
		store_commit(s, &t, on_done, NULL);
		arena_free(mem);
	}
}

/* ---- pages ---- */

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	if (e != NULL)
		give_up(e->reason);
	if (page->n != PAGE)
		give_up("a page is not full");
	*(int64_t *)arg = page->rows[page->n - 1].date_added_us;
}

/* A function of its own, so that callgrind can be told to count here only. */
__attribute__((noinline)) void
measured_page(struct store *s, const struct page_query *q, int64_t *last)
{
	store_page(s, q, on_page, last);
}

/* The date behind which the last PAGE rows lie. */
static int64_t
before_last_page(struct store *s, int64_t cid)
{
	struct sq *q = sq_of(s);
	sqlite3_stmt *st = NULL;
	int64_t at;

	if (sqlite3_prepare_v2(q->db, "SELECT date_us FROM member WHERE cid = ?1 AND class = 0 ORDER BY date_us DESC"
	    " LIMIT 1 OFFSET 100", -1, &st, NULL) != SQLITE_OK)
		give_up(sqlite3_errmsg(q->db));
	sqlite3_bind_int64(st, 1, cid);
	if (sqlite3_step(st) != SQLITE_ROW)
		give_up("too few rows");
	at = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return at;
}

/* Steps of SQLite's machine in all ranges since the last call. */
static int
steps(struct store *s)
{
	struct sq *q = sq_of(s);
	int n = 0;

	for (size_t r = 0; r < RANGES; r++)
		for (size_t i = 0; i < RANGE_CURSORS; i++)
			if (q->range[r][i] != NULL)
				n += sqlite3_stmt_status(q->range[r][i], SQLITE_STMTSTATUS_VM_STEP, 1);
	return n;
}

struct cost {
	int	steps;
	double	us;
};

static struct cost
cost_of(struct store *s, int64_t cid, int64_t position_us)
{
	const struct page_query q = { .cid = cid, .added_after_us = -1, .position_us = position_us, .limit = PAGE,
	    .want_bytes = true };
	struct cost c;
	int64_t last;
	double start;

	for (int i = 0; i < 50; i++)
		measured_page(s, &q, &last);
	steps(s);
	measured_page(s, &q, &last);
	c.steps = steps(s);
	start = now_us();
	for (int i = 0; i < 1000; i++)
		measured_page(s, &q, &last);
	c.us = (now_us() - start) / 1000;
	return c;
}

static void
costs(unsigned total, struct cost *first, struct cost *last)
{
	int64_t cid;
	struct store *s;
	char path[96];

	snprintf(path, sizeof(path), "%s/%u.db", folder, total);
	s = open_store(path, slice_from(plain_key, 32), "all", &cid);
	load(s, &cid, total);
	*first = cost_of(s, cid, -1);
	*last = cost_of(s, cid, before_last_page(s, cid));
	store_close(s);
}

static void
growth(unsigned small, unsigned large)
{
	struct cost c[4];
	static const char *const names[] = { "first of the small", "last of the small", "first of the large", "last of the large" };

	costs(small, &c[0], &c[1]);
	costs(large, &c[2], &c[3]);
	printf("store pages of %d, a store of %u and one of %u objects:\n", PAGE, small, large);
	for (int i = 0; i < 4; i++)
		printf("   %-20s %6d steps (%.3f)  %7.1f us CPU (%.2f)\n", names[i], c[i].steps,
		    (double)c[i].steps / c[0].steps, c[i].us, c[i].us / c[0].us);
}

int
main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	struct err e = ERR_INIT;
	char command[64];
	uint8_t key[32];
	int64_t cid, last;

	log_setup(2, false, LOG_WARN);
	if (argc == 6 && (strcmp(argv[1], "--load") == 0 || strcmp(argv[1], "--page") == 0)) {
		struct store *s;

		if (key_read(argv[3], key, &e) < 0)
			give_up(e.reason);
		s = open_store(argv[2], slice_from(key, 32), argv[4], &cid);
		if (strcmp(argv[1], "--load") == 0) {
			load(s, &cid, (unsigned)strtoul(argv[5], NULL, 10));
		} else {
			struct page_query q = { .cid = cid, .added_after_us = -1, .limit = PAGE, .want_bytes = true };

			q.position_us = strcmp(argv[5], "last") == 0 ? before_last_page(s, cid) : -1;
			measured_page(s, &q, &last);
		}
		store_close(s);
		return 0;
	}
	if (mkdtemp(folder) == NULL)
		give_up("no folder");
	growth(10000, quick ? 100000 : 1000000);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) != 0;
}
