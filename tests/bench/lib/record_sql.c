/*
 * record_sql.c -- preloaded: writes down what a process asks of SQLite, so that bench_replay can ask the same bare.
 *
 * Owns:    a file RECORD_SQL.PID, mapped before main: a process that later gives up files and descriptors can still write.
 * Called:  by rows_post.py, through LD_PRELOAD of a node.
 * Never:   changes an answer. When the file is full it stops writing.
 *
 * Records, all numbers little-endian: the length so far (8 bytes), then
 *	S number:4 [new: 'q' length:4 text] count:2 values...	bound and stepped once
 *	N number:4						stepped again
 *	R number:4						reset
 *	C							a checkpoint
 * A value is 'i' 8 bytes, 'n', or 't' or 'b' with length:4 and bytes.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STATEMENTS = 512, VALUES = 24 };
static const size_t room = (size_t)3 << 30;

struct value {
	char		kind;
	int64_t		number;
	const void	*p;
	uint32_t	n;
};

static struct {
	sqlite3_stmt	*st;
	int		 running, told;
	int		 count;
	struct value	 values[VALUES];
} known[STATEMENTS];

static uint8_t *map;

__attribute__((constructor)) static void
start(void)
{
	const char *name = getenv("RECORD_SQL");
	char path[4096];
	int fd;

	if (name == NULL)
		return;
	snprintf(path, sizeof(path), "%s.%d", name, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)room) < 0)
		abort();
	map = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		abort();
}

static void
put(const void *p, size_t n)
{
	uint64_t used;

	if (map == NULL)
		return;
	memcpy(&used, map, sizeof(used));
	if (used + sizeof(used) + n > room)
		return;
	memcpy(map + sizeof(used) + used, p, n);
	used += n;
	memcpy(map, &used, sizeof(used));
}

static void
put_op(char op, uint32_t number)
{
	put(&op, 1);
	put(&number, sizeof(number));
}

/* The place of a statement; STATEMENTS if the process did not prepare it: SQLite asks itself things too. */
static uint32_t
number_of(const sqlite3_stmt *st)
{
	uint32_t i = 0;

	while (i < STATEMENTS && known[i].st != st)
		i++;
	return i;
}

static void
learn(sqlite3_stmt *st)
{
	uint32_t i = number_of(NULL);

	if (i == STATEMENTS)
		abort();
	known[i].st = st;
}

static void
keep(sqlite3_stmt *st, int at, struct value v)
{
	uint32_t i = number_of(st);

	if (i == STATEMENTS)
		return;
	if (at > VALUES)
		abort();
	known[i].values[at - 1] = v;
	if (at > known[i].count)
		known[i].count = at;
}

static void
put_value(const struct value *v)
{
	put(&v->kind, 1);
	if (v->kind == 'i') {
		put(&v->number, sizeof(v->number));
	} else if (v->kind == 't' || v->kind == 'b') {
		put(&v->n, sizeof(v->n));
		put(v->p, v->n);
	}
}

static void
put_step(sqlite3_stmt *st)
{
	uint32_t i = number_of(st), n;
	uint16_t count;

	if (i == STATEMENTS)
		return;
	count = (uint16_t)known[i].count;
	if (known[i].running) {
		put_op('N', i);
		return;
	}
	known[i].running = 1;
	put_op('S', i);
	if (!known[i].told) {
		const char *text = sqlite3_sql(st);

		n = (uint32_t)strlen(text);
		put("q", 1);
		put(&n, sizeof(n));
		put(text, n);
		known[i].told = 1;
	} else {
		put("-", 1);
	}
	put(&count, sizeof(count));
	for (int k = 0; k < known[i].count; k++)
		put_value(&known[i].values[k]);
}

#define REAL(name)	real = real != NULL ? real : (__typeof__(real))dlsym(RTLD_NEXT, name)

int
sqlite3_prepare_v3(sqlite3 *db, const char *text, int n, unsigned flags, sqlite3_stmt **st, const char **rest)
{
	static int (*real)(sqlite3 *, const char *, int, unsigned, sqlite3_stmt **, const char **);
	int rc;

	REAL("sqlite3_prepare_v3");
	rc = real(db, text, n, flags, st, rest);
	if (rc == SQLITE_OK && *st != NULL)
		learn(*st);
	return rc;
}

int
sqlite3_bind_int64(sqlite3_stmt *st, int at, sqlite3_int64 v)
{
	static int (*real)(sqlite3_stmt *, int, sqlite3_int64);

	REAL("sqlite3_bind_int64");
	keep(st, at, (struct value){ .kind = 'i', .number = v });
	return real(st, at, v);
}

int
sqlite3_bind_null(sqlite3_stmt *st, int at)
{
	static int (*real)(sqlite3_stmt *, int);

	REAL("sqlite3_bind_null");
	keep(st, at, (struct value){ .kind = 'n' });
	return real(st, at);
}

int
sqlite3_bind_blob64(sqlite3_stmt *st, int at, const void *p, sqlite3_uint64 n, void (*end)(void *))
{
	static int (*real)(sqlite3_stmt *, int, const void *, sqlite3_uint64, void (*)(void *));

	REAL("sqlite3_bind_blob64");
	keep(st, at, (struct value){ .kind = 'b', .p = p, .n = (uint32_t)n });
	return real(st, at, p, n, end);
}

int
sqlite3_bind_text64(sqlite3_stmt *st, int at, const char *p, sqlite3_uint64 n, void (*end)(void *), unsigned char how)
{
	static int (*real)(sqlite3_stmt *, int, const char *, sqlite3_uint64, void (*)(void *), unsigned char);

	REAL("sqlite3_bind_text64");
	keep(st, at, (struct value){ .kind = 't', .p = p, .n = (uint32_t)n });
	return real(st, at, p, n, end, how);
}

int
sqlite3_bind_text(sqlite3_stmt *st, int at, const char *p, int n, void (*end)(void *))
{
	static int (*real)(sqlite3_stmt *, int, const char *, int, void (*)(void *));

	REAL("sqlite3_bind_text");
	if (p == NULL)
		keep(st, at, (struct value){ .kind = 'n' });
	else
		keep(st, at, (struct value){ .kind = 't', .p = p, .n = n < 0 ? (uint32_t)strlen(p) : (uint32_t)n });
	return real(st, at, p, n, end);
}

int
sqlite3_step(sqlite3_stmt *st)
{
	static int (*real)(sqlite3_stmt *);

	REAL("sqlite3_step");
	put_step(st);
	return real(st);
}

int
sqlite3_reset(sqlite3_stmt *st)
{
	static int (*real)(sqlite3_stmt *);
	uint32_t i = number_of(st);

	REAL("sqlite3_reset");
	if (i < STATEMENTS) {
		if (known[i].running)
			put_op('R', i);
		known[i].running = 0;
	}
	return real(st);
}

int
sqlite3_finalize(sqlite3_stmt *st)
{
	static int (*real)(sqlite3_stmt *);
	uint32_t i = st == NULL ? STATEMENTS : number_of(st);

	REAL("sqlite3_finalize");

	if (i < STATEMENTS) {	/* its number is never used again: another statement may get its address */
		if (known[i].running)
			put_op('R', i);
		memset(&known[i], 0, sizeof(known[i]));
		known[i].st = (sqlite3_stmt *)&known[i];
	}
	return real(st);
}

int
sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *log, int *moved)
{
	static int (*real)(sqlite3 *, const char *, int, int *, int *);

	REAL("sqlite3_wal_checkpoint_v2");
	put("C", 1);
	return real(db, name, mode, log, moved);
}
