/* If this fails, a kept page is shown though something changed in it, or every page is read anew for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/digest.h"
#include "gateway/store_sqlite.h"

#define DAY1	"2026-01-01T00:00:00.000Z"
#define DAY2	"2026-01-02T00:00:00.000Z"

static const char key[] = "0123456789abcdef0123456789abcdef";

/* A store on disk, and a reader of it as another process would be. */
struct world {
	char		 folder[64], path[96];
	struct store	*s;
	struct sq	 reader;
	int64_t		 cid;
	struct arena	*mem;
};

static void
set_up(struct world *w)
{
	struct store_conf conf = { .audit_key = slice_from(key, 32) };
	struct err e = ERR_INIT;
	char uuid[37];

	memset(w, 0, sizeof(*w));
	snprintf(w->folder, sizeof(w->folder), "/tmp/tocsin-epoch-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/store.db", w->folder);
	conf.path = w->path;
	w->s = store_open(&conf, &e);
	assert_non_null(w->s);
	w->cid = store_collection(w->s, "all", NULL, uuid, &e);
	assert_true(w->cid > 0);
	w->mem = arena_new();
	w->reader.lock_fd = -1;
	strbuf_init(&w->reader.scratch);
	assert_int_equal(sqlite3_open_v2(w->path, &w->reader.db,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL), SQLITE_OK);
}

static void
tear_down(struct world *w)
{
	char command[128];

	for (size_t i = 0; i < SQ_COUNT; i++)
		sqlite3_finalize(w->reader.stmt[i]);
	sqlite3_close(w->reader.db);
	strbuf_fini(&w->reader.scratch);
	store_close(w->s);
	arena_free(w->mem);
	snprintf(command, sizeof(command), "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
}

static void
on_done(void *arg, const struct err *e)
{
	(void)arg;
	assert_null(e);
}

static void
on_count(void *arg, size_t n, const struct err *e)
{
	assert_null(e);
	*(size_t *)arg = n;
}

static void
put(struct world *w, int number, const char *version, const char *source, enum origin origin)
{
	struct object o = {
		.id = slice_of(arena_fmt(w->mem, "indicator--00000000-0000-4000-8000-%012d", number)),
		.type = SLICE_LIT("indicator"), .spec_version = SLICE_LIT("2.1"),
		.version = slice_of(version), .version_key = slice_of(version),
		.bytes = slice_of(arena_fmt(w->mem, "{\"id\":%d,\"modified\":\"%s\"}", number, version)),
	};
	struct store_put p = { .object = &o, .tlp = TLP_GREEN, .collections = &w->cid,
	    .ncollections = 1 };
	struct store_txn t = { .puts = &p, .nputs = 1, .source = { .name = source, .origin = origin,
	    .advisory = "a", .hops = "", .audience = "" } };

	digest_sha256(o.bytes, p.content);
	store_commit(w->s, &t, on_done, NULL);
}

/* The epoch, which the writer and the reader see alike. */
static struct store_epoch
epoch(struct world *w)
{
	struct store_epoch mine, other;

	assert_true(store_epoch(w->s, &mine));
	assert_true(sq_epoch(&w->reader.store, &other));
	assert_true(store_epoch_eq(&mine, &other));
	assert_true(sq_epoch(&w->reader.store, &other));	/* from memory */
	assert_true(store_epoch_eq(&mine, &other));
	return mine;
}

enum { SAME = 0, CHANGED = 1, TURNED = 2 };

/* What happened since `before`. */
static int
since(struct world *w, struct store_epoch *before)
{
	struct store_epoch now = epoch(w);
	int what = (store_epoch_eq(&now, before) ? SAME : CHANGED) |
	    (now.turns != before->turns ? TURNED : 0);

	*before = now;
	return what;
}

static void
every_change_shows_and_nothing_else(void **state)
{
	struct slice id = SLICE_LIT("indicator--00000000-0000-4000-8000-000000000001");
	struct page_query q = { .ids = &id, .nids = 1, .all = true, .added_after_us = -1,
	    .position_us = -1 };
	struct store_epoch e;
	struct world w;
	size_t n = 0;

	(void)state;
	set_up(&w);
	e = epoch(&w);
	put(&w, 1, DAY1, "cert-x", ORIGIN_OWN);
	assert_int_equal(since(&w, &e), CHANGED);
	put(&w, 2, DAY1, "cert-x", ORIGIN_OWN);
	assert_int_equal(since(&w, &e), CHANGED);		/* it comes behind what was there */
	store_audit_add(w.s, "\"ev\":\"page\"", on_done, NULL);
	assert_int_equal(since(&w, &e), SAME);
	put(&w, 1, DAY2, "cert-x", ORIGIN_OWN);		/* hides the old version */
	assert_int_equal(since(&w, &e), CHANGED | TURNED);
	put(&w, 2, DAY1, "cert-y", ORIGIN_RECEIVED);		/* a stricter source */
	assert_int_equal(since(&w, &e), CHANGED | TURNED);
	q.cid = w.cid;
	store_remove(w.s, &q, NULL, on_count, &n);
	assert_int_equal(n, 2);
	assert_int_equal(since(&w, &e), CHANGED | TURNED);
	store_remove(w.s, &q, NULL, on_count, &n);
	assert_int_equal(n, 0);
	assert_int_equal(since(&w, &e), SAME);
	tear_down(&w);
}

/* Without such a step the stores of those who have the program already cannot be opened any more. */
static void
an_older_store_is_brought_up(void **state)
{
	struct store_conf conf = { .audit_key = slice_from(key, 32) };
	struct err e = ERR_INIT;
	char folder[] = "/tmp/tocsin-epoch-XXXXXX", path[96], command[128];
	struct store_epoch at;
	struct store *s;
	sqlite3 *db;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/store.db", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sq_steps[0], NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO state (one, id, key, last_us, members)"
	    " VALUES (1, '00000000-0000-4000-8000-00000000000a', zeroblob(16), 7, 3)", NULL, NULL,
	    NULL), SQLITE_OK);
	sqlite3_close(db);
	conf.path = path;
	s = store_open(&conf, &e);
	if (s == NULL)
		fail_msg("%s", e.reason);
	assert_string_equal(store_id(s), "00000000-0000-4000-8000-00000000000a");
	assert_true(store_epoch(s, &at));
	assert_int_equal(at.last_us, 7);
	assert_int_equal(at.members, 3);
	assert_int_equal(at.turns, 0);
	store_close(s);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_shows_and_nothing_else),
		cmocka_unit_test(an_older_store_is_brought_up),
	};

	return cmocka_run_group_tests_name("store_epoch", tests, NULL, NULL);
}
