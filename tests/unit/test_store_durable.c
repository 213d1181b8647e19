/* If this fails, what a sender was told is safe is gone after a power cut, or two processes write into one
 * database. */
#include "store_kit.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- a disk that fails when told to: these stand in for libc's, below SQLite ---- */

static bool sync_fails;
static long bytes_left = -1;		/* -1: as many as you like */
static int syncs;

int fdatasync(int fd);
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at);

int
fdatasync(int fd)
{
	(void)fd;
	syncs++;
	if (!sync_fails)
		return 0;
	errno = EIO;
	return -1;
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
	if (bytes_left >= 0 && (long)n > bytes_left) {
		errno = ENOSPC;
		return -1;
	}
	if (bytes_left >= 0)
		bytes_left -= (long)n;
	if (lseek(fd, at, SEEK_SET) < 0)
		return -1;
	return write(fd, p, n);
}

static int
tear_down(void **state)
{
	sync_fails = false;
	bytes_left = -1;
	return kit_tear_down(state);
}

#define STORY(f)	{ #f " (sqlite)", f, kit_sqlite, tear_down, NULL }

static struct store_put
nth(struct kit *k, int number)
{
	return kit_put(kit_object(k, "indicator", number, "2024-01-01T10:00:00Z", "x"), &k->a, 1);
}

static size_t
count_rows(struct kit *k)
{
	struct page_query q = kit_query(k->a);
	struct kit_page page;

	q.want_bytes = false;
	q.limit = 250;
	kit_page(k, &q, &page);
	return page.n;
}

/* ---- opening ---- */

static void
reopened_store_knows_all(void **state)
{
	struct kit *k = *state;
	struct store_put p = nth(k, 1);
	struct page_query q = kit_query(k->a);
	struct kit_page page;
	struct store_figures f;
	char id[37];
	int64_t date;

	kit_put_one(k, "x", &p);
	kit_page(k, &q, &page);
	date = page.last_us;
	snprintf(id, sizeof(id), "%s", store_id(k->s));
	assert_int_equal(strlen(id), 36);
	store_close(k->s);
	kit_open(k);
	assert_string_equal(store_id(k->s), id);
	assert_string_equal(kit_page(k, &q, &page), "1@10:00:00");
	assert_int_equal(page.last_us, date);
	assert_string_equal(page.bytes, p.object->bytes.p);
	assert_int_equal(kit_put_one(k, "x", &p), STORE_KNOWN);
	store_figures(k->s, &f, &k->err);
	assert_int_equal(f.objects, 1);
	assert_int_equal(f.members, 1);
	assert_int_equal(f.sightings, 1);
}

static void
second_opener_is_refused(void **state)
{
	struct kit *k = *state;
	struct err e = ERR_INIT;
	struct store_put p = nth(k, 1);

	assert_null(kit_try_open(k, &e));
	assert_int_equal(e.code, ERR_BUSY);
	kit_put_one(k, "x", &p);		/* and the first is none the worse */
	assert_int_equal(count_rows(k), 1);
}

static void
files_are_ours_alone(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	struct kit *k = *state;
	struct store_put p = nth(k, 1);
	char path[128];
	struct stat st;

	kit_put_one(k, "x", &p);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", k->path, ends[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	snprintf(path, sizeof(path), "%s/db", k->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void
strangers_files_are_left_alone(void **state)
{
	struct kit *k = *state;
	struct err e = ERR_INIT;
	char text[64] = { 0 };
	int fd;

	store_close(k->s);
	k->s = NULL;
	snprintf(k->path, sizeof(k->path), "%s/notes.txt", k->folder);
	fd = open(k->path, O_RDWR | O_CREAT, 0600);
	assert_true(write(fd, "dear diary, this is no database at all\n", 39) == 39);
	assert_null(kit_try_open(k, &e));
	assert_int_equal(e.code, ERR_STORE);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 39);
	assert_memory_equal(text, "dear diary", 10);
	close(fd);
}

static void
short_audit_key_is_refused(void **state)
{
	struct kit *k = *state;
	struct store_conf conf = { .path = k->path, .audit_key = SLICE_LIT("short") };
	struct err e = ERR_INIT;

	assert_null(store_open(&conf, &e));
	assert_int_equal(e.code, ERR_CONFIG);
}

/* ---- group commit ---- */

/* The first commit to a fresh log syncs more than once: have that behind us. */
static void
warm_up(struct kit *k)
{
	store_audit_add(k->s, "\"ev\":\"start\"", kit_done, k);
	while (k->answers == 0)
		event_base_loop(k->base, EVLOOP_ONCE);
	k->answers = 0;
}

static void
one_turn_is_one_sync(void **state)
{
	struct kit *k = *state;
	struct store_put puts[20];
	struct store_txn txns[20];
	struct store_figures before, after;
	int64_t bad = 77;
	int synced;

	store_close(k->s);
	k->base = event_base_new();
	kit_open(k);
	warm_up(k);
	store_figures(k->s, &before, &k->err);
	synced = syncs;
	for (int i = 0; i < 20; i++) {
		puts[i] = nth(k, i);
		if (i == 7)		/* one that cannot be done takes no other with it */
			puts[i].collections = &bad;
		txns[i] = (struct store_txn){ .source = kit_source("x"), .puts = &puts[i],
		    .nputs = 1 };
		store_commit(k->s, &txns[i], kit_done, k);
	}
	assert_int_equal(k->answers, 0);	/* nobody is told before the sync */
	assert_int_equal(count_rows(k), 0);
	k->answers = 0;
	event_base_loop(k->base, EVLOOP_ONCE);
	assert_int_equal(k->answers, 20);
	assert_int_equal(count_rows(k), 19);
	assert_int_equal(syncs - synced, 1);
	store_figures(k->s, &after, &k->err);
	assert_int_equal(after.syncs - before.syncs, 1);
	store_close(k->s);
	k->s = NULL;
	event_base_free(k->base);
}

struct order {
	struct kit	*k;
	int		 codes[3], n;
};

static void
on_ordered(void *arg, const struct err *e)
{
	struct order *o = arg;

	o->codes[o->n++] = e == NULL ? 0 : (int)e->code;
}

static void
each_is_told_its_own_fate(void **state)
{
	struct kit *k = *state;
	struct order o = { .k = k };
	struct store_put good = nth(k, 1), other = nth(k, 2), bad = nth(k, 3);
	struct store_txn t[3];
	int64_t none = 77;

	store_close(k->s);
	k->base = event_base_new();
	kit_open(k);
	bad.collections = &none;
	t[0] = (struct store_txn){ .source = kit_source("x"), .puts = &good, .nputs = 1 };
	t[1] = (struct store_txn){ .source = kit_source("x"), .puts = &bad, .nputs = 1 };
	t[2] = (struct store_txn){ .source = kit_source("x"), .puts = &other, .nputs = 1 };
	for (int i = 0; i < 3; i++)
		store_commit(k->s, &t[i], on_ordered, &o);
	store_close(k->s);			/* closing commits what waits */
	k->s = NULL;
	assert_int_equal(o.n, 3);
	assert_int_equal(o.codes[0], 0);
	assert_int_equal(o.codes[1], ERR_REFERENCE);
	assert_int_equal(o.codes[2], 0);
	assert_int_equal(good.outcome, STORE_NEW);
	event_base_free(k->base);
	k->base = NULL;
	kit_open(k);
	assert_int_equal(count_rows(k), 2);
}

static void
audit_waits_for_company(void **state)
{
	struct kit *k = *state;
	struct store_put p = nth(k, 1);
	struct store_txn t = { .source = kit_source("x"), .puts = &p, .nputs = 1 };
	int before;

	store_close(k->s);
	k->base = event_base_new();
	kit_open(k);
	warm_up(k);
	before = syncs;
	for (int i = 0; i < 50; i++) {
		char members[] = "\"ev\":\"page\"";

		store_audit_add(k->s, members, kit_done, k);
		memset(members, 'x', sizeof(members) - 1);	/* it was copied */
	}
	event_base_loop(k->base, EVLOOP_NONBLOCK);
	assert_int_equal(k->answers, 0);
	store_commit(k->s, &t, kit_done, k);		/* here is company */
	event_base_loop(k->base, EVLOOP_ONCE);
	assert_int_equal(k->answers, 51);
	assert_int_equal(syncs - before, 1);
	store_close(k->s);
	k->s = NULL;
	event_base_free(k->base);
}

/* The log goes into the database now and then, and starts again. */
static void
log_does_not_grow_for_ever(void **state)
{
	struct kit *k = *state;
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s-wal", k->path);
	for (int i = 0; i < 300; i++) {
		struct store_put puts[40];
		struct store_txn t = { .puts = puts, .nputs = 40 };

		t.source = kit_source("x");
		for (int j = 0; j < 40; j++)
			puts[j] = nth(k, i * 40 + j);
		assert_int_equal(kit_commit(k, &t), ERR_NONE);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 12 << 20);	/* 2000 pages and a group */
	assert_int_equal(stat(k->path, &st), 0);
	assert_true(st.st_size > 4 << 20);
}

/* ---- trouble ---- */

static void
full_disk_refuses_and_reads_on(void **state)
{
	struct kit *k = *state;
	struct store_put p = nth(k, 1);
	struct store_txn t = { .puts = &p, .nputs = 1 };
	struct store_figures f;

	kit_put_one(k, "x", &p);
	p = nth(k, 2);
	t.source = kit_source("y");
	bytes_left = 100;
	assert_int_equal(kit_commit(k, &t), ERR_STORE);
	assert_int_equal(count_rows(k), 1);
	bytes_left = 9000;			/* somewhere in the middle */
	assert_int_equal(kit_commit(k, &t), ERR_STORE);
	assert_int_equal(count_rows(k), 1);
	store_figures(k->s, &f, &k->err);
	assert_int_equal(f.objects, 1);
	bytes_left = -1;			/* somebody made room */
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	assert_int_equal(p.outcome, STORE_NEW);
	assert_int_equal(count_rows(k), 2);
	store_close(k->s);
	kit_open(k);
	assert_int_equal(count_rows(k), 2);
}

static void
failed_sync_ends_writing(void **state)
{
	struct kit *k = *state;
	struct store_put p = nth(k, 1);
	struct store_txn t = { .puts = &p, .nputs = 1 };

	kit_put_one(k, "x", &p);
	p = nth(k, 2);
	t.source = kit_source("x");
	sync_fails = true;
	assert_int_equal(kit_commit(k, &t), ERR_STORE);
	sync_fails = false;			/* the disk says it is well again: it may lie */
	assert_int_equal(kit_commit(k, &t), ERR_STORE);
	assert_int_equal(count_rows(k), 1);
	store_close(k->s);
	kit_open(k);
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	assert_int_equal(count_rows(k), 2);
}

static bool
check_line(void *ctx, uint64_t seq, struct slice line)
{
	(void)seq;
	return audit_check_line(ctx, line);
}

/* A child writes and says what was acknowledged; it is killed; all of that is there. */
static void
child(struct kit *k, int fd)
{
	k->s = NULL;
	kit_open(k);
	for (int i = 1; i < 100000; i++) {
		struct store_put p = nth(k, i);
		struct store_audit record = { "\"ev\":\"intake\"", true };
		struct store_txn t = { .source = kit_source("x"), .puts = &p, .nputs = 1,
		    .audit = &record, .naudit = 1 };
		char byte = 1;

		if (kit_commit(k, &t) != ERR_NONE)
			_exit(2);
		if (write(fd, &byte, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void
killed_process_loses_nothing_acknowledged(void **state)
{
	struct kit *k = *state;

	store_close(k->s);
	k->s = NULL;
	for (int round = 1; round <= 5; round++) {
		struct audit_check c;
		int fds[2], acknowledged = 0, status;
		char byte;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child(k, fds[1]);
		close(fds[1]);
		while (acknowledged < round * 37 && read(fds[0], &byte, 1) == 1)
			acknowledged++;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &byte, 1) == 1)
			acknowledged++;
		close(fds[0]);
		kit_open(k);
		assert_true(count_rows(k) >= (size_t)(acknowledged > 250 ? 250 : acknowledged));
		audit_check_init(&c, slice_from(kit_key, 32));
		assert_int_equal(store_audit_each(k->s, 0, check_line, &c, &k->err), 0);
		assert_int_equal(c.bad_seq, 0);
		assert_true(c.seq >= (uint64_t)acknowledged);
		store_close(k->s);
		k->s = NULL;
	}
	kit_open(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(reopened_store_knows_all),
		STORY(second_opener_is_refused),
		STORY(files_are_ours_alone),
		STORY(strangers_files_are_left_alone),
		STORY(short_audit_key_is_refused),
		STORY(one_turn_is_one_sync),
		STORY(each_is_told_its_own_fate),
		STORY(audit_waits_for_company),
		STORY(log_does_not_grow_for_ever),
		STORY(full_disk_refuses_and_reads_on),
		STORY(failed_sync_ends_writing),
		STORY(killed_process_loses_nothing_acknowledged),
	};

	return cmocka_run_group_tests_name("store_durable", tests, NULL, NULL);
}
