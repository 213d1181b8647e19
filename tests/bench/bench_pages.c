/*
 * Does a page cost the same wherever it lies and whatever the collection holds? Steps of SQLite's machine, instructions and
 * microseconds of the first and the last page, in a small and in a large store.
 *
 *	bench_pages [--quick]				both stores are made, read and thrown away
 *	bench_pages --load DATABASE KEY COLLECTION N	fill a node's store (stopped) with N objects
 *	bench_pages --page DATABASE KEY SHAPE N		one page, for callgrind: --toggle-collect=measured_page
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/log.h"
#include "gateway/keys.h"
#include "gateway/store_sqlite.h"
#include "tests/bench/lib/row.h"

enum { BATCH = 1000, PAGE = 100 };

static char folder[] = "/tmp/tocsin-pages-XXXXXX";
static const char plain_key[] = "0123456789abcdef0123456789abcdef";

void	measured_page(struct store *s, const struct page_query *q);

static _Noreturn void
give_up(const char *why)
{
	fprintf(stderr, "bench_pages: %s\n", why);
	exit(1);
}

/* An indicator of about 800 bytes, as tools write them; of a hundred one is a malware, so that a filter by type has to look for it. */
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
	o->type = number % 100 == 99 ? SLICE_LIT("malware") : SLICE_LIT("indicator");
	o->id = slice_of(arena_fmt(mem, "%.*s--%.8s-%.4s-4%.3s-8%.3s-%012u", SLICE_ARG(o->type), hex, hex + 8, hex + 12, hex + 15,
	    number));
	o->spec_version = SLICE_LIT("2.1");
	o->version = SLICE_LIT("2026-01-01T10:00:00.000Z");
	o->version_key = SLICE_LIT("2026-01-01T10:00:00");
	o->created_by = SLICE_LIT("identity--00000000-0000-4000-8000-000000000001");
	o->has_fp = true;
	memcpy(o->fp, hash, sizeof(hash));
	o->bytes = slice_of(arena_fmt(mem, "{\"type\":\"%.*s\",\"spec_version\":\"2.1\",\"id\":\"%.*s\",\"created_by_ref\":"
	    "\"%.*s\",\"created\":\"2026-01-01T10:00:00.000Z\",\"modified\":\"2026-01-01T10:00:00.000Z\",\"name\":\"Host %u\","
	    "\"description\":\"%s\",\"indicator_types\":[\"malicious-activity\"],\"pattern\":\"[ipv4-addr:value = "
	    "'10.%u.%u.%u']\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T10:00:00Z\",\"object_marking_refs\":"
	    "[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]}", SLICE_ARG(o->type), SLICE_ARG(o->id), SLICE_ARG(o->created_by),
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
on_row(void *arg, const struct store_row *row)
{
	*(size_t *)arg += row->bytes.n;
}

static size_t wanted;		/* rows of the page that is asked for */

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	(void)arg;
	if (e != NULL)
		give_up(e->reason);
	if (page->n != wanted)
		give_up("a page is not full");
}

/* A function of its own, so that callgrind can be told to count here only. */
__attribute__((noinline)) void
measured_page(struct store *s, const struct page_query *q)
{
	store_page(s, q, on_page, NULL);
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

/* What is asked; `total` objects are there. */
enum shape { FIRST, LAST, OF_A_TYPE, BY_ID, SHAPES };
static const char *const shapes[SHAPES] = { "first", "last", "of a type", "by id" };
enum { SOME = 20 };		/* rows of the last two: the small store has no more of that type */

/* Ids from all over the collection. */
static const struct slice *
some_ids(struct arena *mem, unsigned total)
{
	struct slice *ids = arena_alloc(mem, SOME * sizeof(*ids));
	struct object o;

	for (unsigned i = 0; i < SOME; i++) {
		make_object(&o, mem, i * (total / SOME));
		ids[i] = o.id;
	}
	return ids;
}

static struct page_query
query(struct store *s, int64_t cid, enum shape shape, unsigned total, struct arena *mem, size_t *bytes)
{
	static const struct slice type = { .p = "malware", .n = 7 };
	struct page_query q = { .cid = cid, .added_after_us = -1, .limit = PAGE, .want_bytes = true,
	    .position_us = shape == LAST ? before_last_page(s, cid) : -1, .take = on_row, .take_ctx = bytes };

	if (shape == OF_A_TYPE) {
		q.types = &type;
		q.ntypes = 1;
	} else if (shape == BY_ID) {
		q.ids = some_ids(mem, total);
		q.nids = SOME;
	}
	wanted = q.limit = shape < OF_A_TYPE ? PAGE : SOME;
	return q;
}

/* Steps of SQLite's machine since the last call. */
static int
steps(struct store *s)
{
	int n = 0;

	for (sqlite3_stmt *st = sqlite3_next_stmt(sq_of(s)->db, NULL); st != NULL;
	    st = sqlite3_next_stmt(sq_of(s)->db, st))
		n += sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 1);
	return n;
}

/* ---- growth ---- */

enum { WARM = 20 };

struct cost {
	double	steps, instructions, us[ROW_RUNS];
};

/* What callgrind counts in one page when the statements are made and the page was read before; 0 without valgrind. */
static double
instructions(const char *self, const char *db, const char *key, enum shape shape, unsigned total)
{
	char command[512], line[256];
	double n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "valgrind --tool=callgrind --callgrind-out-file=/dev/null "
	    "--toggle-collect=measured_page %s --page %s %s %d %u 2>&1", self, db, key, (int)shape, total);
	if ((f = popen(command, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *at = strstr(line, "Collected : ");

		if (at != NULL)
			n = strtod(at + strlen("Collected : "), NULL);
	}
	return pclose(f) == 0 ? n : 0;
}

static void
cost_of(struct store *s, const struct page_query *q, struct cost *c)
{
	for (int i = 0; i < WARM; i++)
		measured_page(s, q);
	steps(s);
	measured_page(s, q);
	c->steps = steps(s);
	for (int run = 0; run < ROW_RUNS; run++) {
		double start = row_cpu();

		for (int i = 0; i < 300; i++)
			measured_page(s, q);
		c->us[run] = (row_cpu() - start) / 300 * 1e6;
	}
}

/* Make a store and read a page of each shape. */
static void
costs(const char *self, const char *key, unsigned total, struct cost c[SHAPES])
{
	struct arena *mem = arena_new();
	size_t bytes = 0;
	int64_t cid;
	struct store *s;
	char path[96];

	snprintf(path, sizeof(path), "%s/%u.db", folder, total);
	s = open_store(path, slice_from(plain_key, 32), "all", &cid);
	load(s, &cid, total);
	for (int i = 0; i < SHAPES; i++) {
		struct page_query q = query(s, cid, i, total, mem, &bytes);

		cost_of(s, &q, &c[i]);
	}
	store_close(s);
	for (int i = 0; i < SHAPES; i++)
		c[i].instructions = instructions(self, path, key, i, total);
	unlink(path);
	arena_free(mem);
}

/* A row for each measure: this cost beside that one. */
static void
compare(const char *what, const struct cost *c, const struct cost *with)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: steps of SQLite", what);
	row_print(text, &c->steps, &with->steps, 1, "steps", "<=1.1", "");
	snprintf(text, sizeof(text), "%s: instructions", what);
	if (with->instructions > 0)
		row_print(text, &c->instructions, &with->instructions, 1, "instr", "<=1.1", "callgrind");
	snprintf(text, sizeof(text), "%s: time", what);
	row_print(text, c->us, with->us, ROW_RUNS, "us", "<=1.3", "CPU");
}

static void
growth(const char *self, unsigned small, unsigned large)
{
	struct cost few[SHAPES], many[SHAPES];
	char key[96], title[160], what[64];
	struct err e = ERR_INIT;

	snprintf(key, sizeof(key), "%s/key", folder);
	if (key_write(key, (const uint8_t *)plain_key, &e) < 0)
		give_up(e.reason);
	costs(self, key, small, few);
	costs(self, key, large, many);
	snprintf(title, sizeof(title), "a page of %d (of a type and by id: %d) from a store of %u and one of %u objects; theirs: that of the small",
	    PAGE, SOME, small, large);
	row_title(title);
	for (int i = 0; i < SHAPES; i++) {
		snprintf(what, sizeof(what), "%s, large store", shapes[i]);
		compare(what, &many[i], &few[i]);
	}
	compare("last of the large store; theirs: its first", &many[LAST], &many[FIRST]);
}

/* One page of a store that is there, its statements made and its pages read. */
static void
one_page(struct store *s, int64_t cid, enum shape shape, unsigned total)
{
	struct arena *mem = arena_new();
	size_t bytes = 0;
	struct page_query q = query(s, cid, shape, total, mem, &bytes);

	store_page(s, &q, on_page, NULL);
	measured_page(s, &q);
	arena_free(mem);
}

int
main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	struct err e = ERR_INIT;
	char command[64];
	uint8_t key[32];
	int64_t cid;

	log_setup(2, false, LOG_WARN);
	if (argc == 6 && (strcmp(argv[1], "--load") == 0 || strcmp(argv[1], "--page") == 0)) {
		struct store *s;

		if (key_read(argv[3], key, &e) < 0)
			give_up(e.reason);
		bool page = strcmp(argv[1], "--page") == 0;
		unsigned total = (unsigned)strtoul(argv[5], NULL, 10);

		s = open_store(argv[2], slice_from(key, 32), page ? "all" : argv[4], &cid);
		if (page)
			one_page(s, cid, (enum shape)atoi(argv[4]), total);
		else
			load(s, &cid, total);
		store_close(s);
		return 0;
	}
	if (mkdtemp(folder) == NULL)
		give_up("no folder");
	growth(argv[0], quick ? 4000 : 10000, quick ? 40000 : 1000000);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) != 0;
}
