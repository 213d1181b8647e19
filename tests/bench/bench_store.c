/*
 * The SQLite store beside its own statements run bare: rows a second at 1, 100 and 1000 a commit (one collection, one
 * peer), and what a page costs in a small and in a large collection.  usage: bench_store [--quick]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/digest.h"
#include "gateway/base/log.h"
#include "gateway/store_sqlite.h"
#include "tests/bench/lib/row.h"

static char folder[] = "/tmp/tocsin-bench-XXXXXX";
static const char key[] = "0123456789abcdef0123456789abcdef";

/* By the clock, and of our own CPU. */
struct span {
	double	wall, cpu;
};

static struct span
span_start(void)
{
	return (struct span){ row_wall(), row_cpu() };
}

static struct span
span_since(struct span s)
{
	struct span now = span_start();

	return (struct span){ now.wall - s.wall, now.cpu - s.cpu };
}

static _Noreturn void
give_up(const char *why)
{
	fprintf(stderr, "bench_store: %s\n", why);
	exit(1);
}

/* Objects of 443 bytes, every tenth a malware, the rest indicators, with random-looking ids. */
static void
make_object(struct object *o, struct arena *mem, unsigned number)
{
	const char *type = number % 10 == 0 ? "malware" : "indicator";
	uint8_t hash[SHA256_LEN];
	char pad[301];

	digest_sha256(slice_from(&number, sizeof(number)), hash);
	memset(pad, 'x', 300);
	pad[300] = '\0';
	memset(o, 0, sizeof(*o));
	o->type = slice_of(type);
	o->id = slice_of(arena_fmt(mem, "%s--%02x%02x%02x%02x-%02x%02x-4000-8000-%012u", type, hash[0], hash[1],
	    hash[2], hash[3], hash[4], hash[5], number));
	o->spec_version = SLICE_LIT("2.1");
	o->version = SLICE_LIT("2024-01-01T10:00:00.000Z");
	o->version_key = SLICE_LIT("2024-01-01T10:00:00");
	o->created_by = SLICE_LIT("identity--00000000-0000-4000-8000-000000000001");
	o->has_fp = true;
	memcpy(o->fp, hash, sizeof(hash));
	o->bytes = slice_of(arena_fmt(mem, "{\"type\":\"%s\",\"id\":\"%.*s\",\"modified\":\"2024-01-01T10:00:00.000Z\","
	    "\"x\":\"%s\"}", type, SLICE_ARG(o->id), pad));
}

static void
on_done(void *arg, const struct err *e)
{
	(void)arg;
	if (e != NULL)
		give_up(e->reason);
}

/* ---- the store ---- */

static struct store *
open_store(const char *name, int64_t *cid)
{
	struct store_conf conf = { .audit_key = slice_from(key, 32) };
	struct err e = ERR_INIT;
	struct store *s;
	char path[96], uuid[37];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	conf.path = path;
	if ((s = store_open(&conf, &e)) == NULL || (*cid = store_collection(s, "all", NULL, uuid, &e)) < 0)
		give_up(e.reason);
	return s;
}

static void
put_batch(struct store *s, const int64_t *cid, unsigned from, unsigned n)
{
	static const char *const peers[] = { "peer" };
	struct arena *mem = arena_new();
	struct object *objects = arena_alloc(mem, n * sizeof(*objects));
	struct store_put *puts = arena_alloc(mem, n * sizeof(*puts));
	struct store_audit audit = { "\"ev\":\"intake\"", true };
	struct store_txn t = { .puts = puts, .nputs = n, .audit = &audit, .naudit = 1,
	    .source = { .name = "bench", .advisory = "bundle--1", .hops = "", .audience = "" } };

	for (unsigned i = 0; i < n; i++) {
		make_object(&objects[i], mem, from + i);
		puts[i] = (struct store_put){ .object = &objects[i], .tlp = TLP_GREEN, .collections = cid,
		    .ncollections = 1, .peers = peers, .npeers = 1, .lane = 1 };
		digest_sha256(objects[i].bytes, puts[i].content);
	}
	store_commit(s, &t, on_done, NULL);
	arena_free(mem);
}

static struct span
ingest(const char *name, unsigned batch, unsigned total)
{
	int64_t cid;
	struct store *s = open_store(name, &cid);
	struct span start = span_start(), took;

	for (unsigned i = 0; i < total; i += batch)
		put_batch(s, &cid, i, batch);
	took = span_since(start);
	store_close(s);
	return took;
}

/* ---- the same rows by bare statements ---- */

struct bare {
	sqlite3		*db;
	sqlite3_stmt	*st[SQ_COUNT];
};

static void
bare_open(struct bare *b, const char *name)
{
	char path[96];

	memset(b, 0, sizeof(*b));
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (sqlite3_open(path, &b->db) != SQLITE_OK ||
	    sqlite3_exec(b->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536",
	    NULL, NULL, NULL) != SQLITE_OK || sqlite3_exec(b->db, sq_steps[0], NULL, NULL, NULL) != SQLITE_OK)
		give_up(sqlite3_errmsg(b->db));
}

/* Bind i: int64_t, t: slice as text, b: slice as blob, n: NULL; run. */
static void
bare_run(struct bare *b, enum sq_id id, const char *kinds, ...)
{
	sqlite3_stmt *st = b->st[id];
	va_list ap;

	if (st == NULL && sqlite3_prepare_v2(b->db, sq_text[id], -1, &b->st[id], NULL) != SQLITE_OK)
		give_up(sqlite3_errmsg(b->db));
	st = b->st[id];
	va_start(ap, kinds);
	for (int i = 1; *kinds != '\0'; kinds++, i++) {
		struct slice s;

		if (*kinds == 'i') {
			sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
			continue;
		}
		if (*kinds == 'n')
			continue;
		s = va_arg(ap, struct slice);
		if (*kinds == 't')
			sqlite3_bind_text(st, i, s.p, (int)s.n, SQLITE_STATIC);
		else
			sqlite3_bind_blob(st, i, s.p, (int)s.n, SQLITE_STATIC);
	}
	va_end(ap);
	if (sqlite3_step(st) != SQLITE_DONE)
		give_up(sqlite3_errmsg(b->db));
	sqlite3_reset(st);
}

static void
bare_put(struct bare *b, const struct object *o, int64_t vid, struct arena *mem)
{
	const struct slice none = SLICE_EMPTY;
	const struct head h = { .id = o->id, .type = o->type, .spec = o->spec_version, .shown = o->version,
	    .created_by = o->created_by, .fp = slice_from(o->fp, sizeof(o->fp)), .first_us = vid };
	const int64_t zero = 0, one = 1, date = vid + (int64_t)1e15;
	uint8_t hash[SHA256_LEN];
	int64_t fpk, idk;

	digest_sha256(o->id, hash);
	memcpy(&idk, hash, sizeof(idk));
	memcpy(&fpk, o->fp, sizeof(fpk));
	digest_sha256(o->bytes, hash);
	bare_run(b, SQ_VERSION_ADD, "iitbibnb", vid, vid, o->version_key, slice_from(hash, 32), fpk,
	    sq_head_write(&h, mem), o->bytes);
	bare_run(b, SQ_OBJECT_ADD, "ii", idk, vid);
	bare_run(b, SQ_SOURCE_ADD, "iiiiti", vid, one, one, one, none, date);
	bare_run(b, SQ_MEMBER_ADD, "iiiiiii", one, zero, date, vid, vid, (int64_t)sq_kind(o->type), zero);
	bare_run(b, SQ_DELIVERY_ADD, "iiiiii", one, vid, one, one, zero, date);
}

static struct span
bare_ingest(const char *name, unsigned batch, unsigned total)
{
	struct span start, took;
	struct bare b;

	bare_open(&b, name);
	start = span_start();
	for (unsigned i = 0; i < total; i += batch) {
		struct arena *mem = arena_new();

		bare_run(&b, SQ_BEGIN, "");
		for (unsigned k = 0; k < batch; k++) {
			struct object o;

			make_object(&o, mem, i + k);
			bare_put(&b, &o, (int64_t)(i + k) + 1, mem);
		}
		bare_run(&b, SQ_COMMIT, "");
		arena_free(mem);
	}
	took = span_since(start);
	for (size_t i = 0; i < SQ_COUNT; i++)
		sqlite3_finalize(b.st[i]);
	sqlite3_close(b.db);
	return took;
}

/* Both in turn; files of their own, so that neither grows the other's. */
static void
bench_ingest(unsigned batch, unsigned total)
{
	double ours[ROW_RUNS], theirs[ROW_RUNS], our_cpu[ROW_RUNS], their_cpu[ROW_RUNS];
	char name[32], what[64];

	for (int i = 0; i < ROW_RUNS; i++) {
		struct span took;

		snprintf(name, sizeof(name), "b%u-%d.db", batch, i);
		took = bare_ingest(name, batch, total);
		theirs[i] = total / took.wall;
		their_cpu[i] = took.cpu / total * 1e6;
		snprintf(name, sizeof(name), "s%u-%d.db", batch, i);
		took = ingest(name, batch, total);
		ours[i] = total / took.wall;
		our_cpu[i] = took.cpu / total * 1e6;
	}
	snprintf(what, sizeof(what), "%u a commit", batch);
	row_print(what, ours, theirs, ROW_RUNS, "rows/s", "", "the same statements in bare SQLite");
	snprintf(what, sizeof(what), "%u a commit, CPU", batch);
	row_print(what, our_cpu, their_cpu, ROW_RUNS, "us/row", "", "");
}

/* ---- pages ---- */

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	if (e != NULL)
		give_up(e->reason);
	*(int64_t *)arg = page->n == 0 ? 0 : page->rows[page->n - 1].date_added_us;
}

/* Microseconds of a page, and the date of its last row in *last. */
static double
page_us(struct store *s, const struct page_query *q, int rounds, int64_t *last)
{
	struct span start = span_start();

	for (int i = 0; i < rounds; i++)
		store_page(s, q, on_page, last);
	return span_since(start).wall / rounds * 1e6;
}

static void
bench_pages(unsigned total)
{
	int64_t cid, last, middle = 0;
	char name[32];
	struct store *s;
	struct page_query q = { .added_after_us = -1, .position_us = -1, .limit = 100, .want_bytes = true };
	struct slice kind = SLICE_LIT("malware");
	double first, all, typed, late;

	snprintf(name, sizeof(name), "p%u.db", total);
	s = open_store(name, &cid);
	for (unsigned i = 0; i < total; i += 1000)
		put_batch(s, &cid, i, 1000);
	q.cid = cid;
	page_us(s, &q, 50, &last);
	first = page_us(s, &q, 500, &last);
	q.all = true;
	all = page_us(s, &q, 500, &last);
	q.all = false;
	q.types = &kind;
	q.ntypes = 1;
	typed = page_us(s, &q, 500, &last);
	q.ntypes = 0;
	for (unsigned i = 0; i + 1000 < total; i += 1000) {	/* walk to the last thousand */
		q.limit = 1000;
		q.position_us = middle == 0 ? -1 : middle;
		page_us(s, &q, 1, &middle);
	}
	q.limit = 100;
	q.position_us = q.added_after_us = middle == 0 ? -1 : middle;
	late = page_us(s, &q, 500, &last);
	printf("note\tpage of 100 of %u: first %.0f us, last %.0f us, match[type] %.0f us, all versions %.0f us\n", total,
	    first, late, typed, all);
	store_close(s);
}

int
main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	char command[64];

	log_setup(2, false, LOG_WARN);
	if (mkdtemp(folder) == NULL)
		give_up("no folder");
	row_title("the store alone");
	bench_ingest(1, quick ? 50 : 1000);
	bench_ingest(100, quick ? 2000 : 20000);
	bench_ingest(1000, quick ? 3000 : 50000);
	bench_pages(1000);
	bench_pages(quick ? 10000 : 300000);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) != 0;
}
