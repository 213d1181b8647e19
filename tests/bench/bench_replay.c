/*
 * What an ingest costs at least: the statements that a node ran (written down by lib/record_sql.c) replayed in bare SQLite,
 * one strict parse of every envelope, and one SHA-256 of every object. Alone it has nothing to say: rows_post.py calls it.
 * usage: bench_replay DATABASE RECORD BODIES	prints "sqlite us, parse us, sha us, objects", all of CPU time
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/json.h"
#include "tests/bench/lib/row.h"

enum { STATEMENTS = 512 };

static sqlite3 *db;
static sqlite3_stmt *statements[STATEMENTS];

static _Noreturn void
give_up(const char *what)
{
	fprintf(stderr, "bench_replay: %s\n", what);
	exit(1);
}

static struct slice
map_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		give_up(path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		give_up(path);
	close(fd);
	return slice_from(p, (size_t)st.st_size);
}

static void
take(struct slice *in, void *to, size_t n)
{
	if (n > in->n)
		give_up("the record ends early");
	if (to != NULL)
		memcpy(to, in->p, n);
	*in = slice_from(in->p + n, in->n - n);
}

static void
bind_value(struct slice *in, sqlite3_stmt *st, int at)
{
	const char *p;
	int64_t number;
	uint32_t n;
	char kind;

	take(in, &kind, 1);
	if (kind == 'i') {
		take(in, &number, sizeof(number));
		sqlite3_bind_int64(st, at, number);
	} else if (kind == 'n') {
		sqlite3_bind_null(st, at);
	} else {
		take(in, &n, sizeof(n));
		p = in->p;
		take(in, NULL, n);
		if (kind == 't')
			sqlite3_bind_text64(st, at, p, n, SQLITE_STATIC, SQLITE_UTF8);
		else
			sqlite3_bind_blob64(st, at, p, n, SQLITE_STATIC);
	}
}

static void
start(struct slice *in, uint32_t number)
{
	uint16_t count;
	uint32_t n;
	char fresh;

	take(in, &fresh, 1);
	if (fresh == 'q') {
		take(in, &n, sizeof(n));
		if (sqlite3_prepare_v3(db, in->p, (int)n, SQLITE_PREPARE_PERSISTENT, &statements[number], NULL) != SQLITE_OK)
			give_up(sqlite3_errmsg(db));
		take(in, NULL, n);
	}
	take(in, &count, sizeof(count));
	for (int i = 1; i <= count; i++)
		bind_value(in, statements[number], i);
}

static void
step(uint32_t number)
{
	int rc = sqlite3_step(statements[number]);

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		give_up(sqlite3_errmsg(db));
}

static void
replay(struct slice in)
{
	uint64_t used;

	take(&in, &used, sizeof(used));
	if (used > in.n)
		give_up("the record is cut short");
	in.n = used;
	while (in.n > 0) {
		uint32_t number;
		char op;

		take(&in, &op, 1);
		if (op == 'C') {
			sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
			continue;
		}
		take(&in, &number, sizeof(number));
		if (number >= STATEMENTS)
			give_up("too many statements");
		if (op == 'S')
			start(&in, number);
		if (op == 'R')
			sqlite3_reset(statements[number]);
		else
			step(number);
	}
}

/* Every body (length:4, text) is parsed once, and the bytes of every object hashed. */
static size_t
read_bodies(struct slice in, double *parse, double *hash)
{
	size_t objects = 0;

	*parse = *hash = 0;
	while (in.n > 0) {
		struct arena *mem = arena_new();
		double start = row_cpu(), parsed;
		uint8_t digest[SHA256_LEN];
		struct json_doc doc;
		uint32_t n;

		take(&in, &n, sizeof(n));
		if (json_parse(slice_from(in.p, n), NULL, mem, &doc, NULL) < 0)
			give_up("an envelope cannot be read");
		take(&in, NULL, n);
		parsed = row_cpu();
		for (size_t i = 0; i < doc.nitems; i++)
			digest_sha256(doc.items[i].text, digest);
		*hash += row_cpu() - parsed;
		arena_free(mem);
		*parse += parsed - start;
		objects += doc.nitems;
	}
	return objects;
}

int
main(int argc, char **argv)
{
	struct slice record, bodies;
	double start, sqlite, parse, hash;
	size_t objects;

	if (argc != 4)
		return 0;
	record = map_file(argv[2]);
	bodies = map_file(argv[3]);
	if (sqlite3_open(argv[1], &db) != SQLITE_OK)
		give_up(argv[1]);
	start = row_cpu();
	replay(record);
	sqlite = row_cpu() - start;
	objects = read_bodies(bodies, &parse, &hash);
	printf("%.3f %.3f %.3f %zu\n", sqlite * 1e6, parse * 1e6, hash * 1e6, objects);
	return 0;
}
