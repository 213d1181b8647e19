/* If this fails, a page costs more the more a collection holds: fine today, minutes at a million objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/digest.h"
#include "gateway/store_sqlite.h"

enum { SMALL = 600, LARGE = 24000, BATCH = 200, PAGE = 50, IDS = 20 };

static const char key[] = "0123456789abcdef0123456789abcdef";
static const char *const types[] = { "indicator", "malware", "indicator", "report" };

struct world {
	char		 folder[64];
	struct store	*s;
	int64_t		 cid;
	size_t		 n;
	int64_t		*dates;		/* of each object */
	struct arena	*mem;
};

static struct slice
id_of(struct arena *mem, size_t i)
{
	return slice_of(arena_fmt(mem, "%s--00000000-0000-4000-8000-%012zu", types[i % 4], i));
}

static void
on_done(void *arg, const struct err *e)
{
	(void)arg;
	assert_null(e);
}

static void
put_batch(struct world *w, size_t from)
{
	struct arena *mem = arena_new();
	struct object *o = arena_alloc(mem, BATCH * sizeof(*o));
	struct store_put *p = arena_alloc(mem, BATCH * sizeof(*p));
	struct store_txn t = { .puts = p, .nputs = BATCH, .source = { .name = "x",
	    .advisory = "a", .hops = "", .audience = "" } };

	for (size_t i = 0; i < BATCH; i++) {
		o[i].type = slice_of(types[(from + i) % 4]);
		o[i].id = id_of(mem, from + i);
		o[i].spec_version = SLICE_LIT("2.1");
		o[i].version = o[i].version_key = SLICE_LIT("2026-01-01T00:00:00.000Z");
		o[i].bytes = slice_of(arena_fmt(mem, "{\"id\":\"%.*s\",\"x\":\"%0400d\"}",
		    SLICE_ARG(o[i].id), 0));
		p[i] = (struct store_put){ .object = &o[i], .tlp = TLP_GREEN,
		    .collections = &w->cid, .ncollections = 1 };
		digest_sha256(o[i].bytes, p[i].content);
	}
	store_commit(w->s, &t, on_done, NULL);
	arena_free(mem);
}

/* ---- pages ---- */

struct seen {
	size_t	 n;
	int64_t	*dates;		/* or NULL */
};

static void
on_row(void *arg, const struct store_row *row)
{
	struct seen *seen = arg;

	if (seen->dates != NULL)
		seen->dates[seen->n] = row->date_added_us;
	seen->n++;
}

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	(void)arg;
	(void)page;
	assert_null(e);
}

static size_t
read_page(struct world *w, struct page_query q, int64_t *dates)
{
	struct seen seen = { 0, dates };

	q.cid = w->cid;
	q.take = on_row;
	q.take_ctx = &seen;
	store_page(w->s, &q, on_page, NULL);
	return seen.n;
}

/* Steps of SQLite's machine in all statements since it was last asked. */
static int
steps(struct world *w)
{
	struct sq *q = sq_of(w->s);
	int n = 0;

	for (sqlite3_stmt *st = sqlite3_next_stmt(q->db, NULL); st != NULL;
	    st = sqlite3_next_stmt(q->db, st))
		n += sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 1);
	return n;
}

static int
steps_of(struct world *w, struct page_query q, size_t want)
{
	read_page(w, q, NULL);
	steps(w);
	assert_int_equal(read_page(w, q, NULL), want);
	return steps(w);
}

static void
set_up(struct world *w, size_t n)
{
	struct store_conf conf = { .audit_key = slice_from(key, 32) };
	struct err e = ERR_INIT;
	char path[96], uuid[37];

	memset(w, 0, sizeof(*w));
	snprintf(w->folder, sizeof(w->folder), "/tmp/tocsin-growth-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(path, sizeof(path), "%s/store.db", w->folder);
	conf.path = path;
	w->s = store_open(&conf, &e);
	assert_non_null(w->s);
	w->cid = store_collection(w->s, "all", NULL, uuid, &e);
	w->n = n;
	w->mem = arena_new();
	w->dates = arena_alloc(w->mem, n * sizeof(*w->dates));
	for (size_t i = 0; i < n; i += BATCH)
		put_batch(w, i);
	assert_int_equal(read_page(w, (struct page_query){ .added_after_us = -1, .position_us = -1,
	    .limit = (uint32_t)n, .all = true }, w->dates), n);
}

static void
tear_down(struct world *w)
{
	char command[128];

	store_close(w->s);
	arena_free(w->mem);
	snprintf(command, sizeof(command), "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
}

/* ---- what readers ask ---- */

enum { QUERIES = 9 };

/* Query number `k` at place `at` of the collection: 0 its first page, 1 its last. */
static struct page_query
query(struct world *w, int k, int at)
{
	static const struct slice reports = { "report", 6 };
	/* the last page holds PAGE rows and one more is behind it, or it would save a step at the end */
	int64_t from = at == 0 ? -1 : w->dates[w->n - 4 * PAGE - 8];
	struct page_query q = { .added_after_us = -1, .position_us = from, .limit = PAGE };
	struct slice *ids = arena_alloc(w->mem, IDS * sizeof(*ids));

	q.want_bytes = k % 2 == 0;		/* objects, manifests */
	switch (k / 2) {
	case 1:
		q.added_after_us = at == 0 ? w->dates[0] : from;
		break;
	case 2:
		q.types = &reports;
		q.ntypes = 1;
		break;
	case 3:
		q.all = true;
		break;
	case 4:
		for (size_t i = 0; i < IDS; i++)
			ids[i] = id_of(w->mem, at == 0 ? i : w->n - 1 - i);
		q.position_us = -1;
		q.ids = ids;
		q.nids = IDS;
		break;
	}
	return q;
}

static void
a_page_costs_the_same_everywhere(void **state)
{
	struct world small, large;

	(void)state;
	set_up(&small, SMALL);
	set_up(&large, LARGE);
	for (int k = 0; k < QUERIES; k++) {
		size_t want = k / 2 == 4 ? IDS : PAGE;
		int least = INT32_MAX, most = 0;

		for (int i = 0; i < 4; i++) {
			struct world *w = i < 2 ? &small : &large;
			int n = steps_of(w, query(w, k, i % 2), want);

			least = n < least ? n : least;
			most = n > most ? n : most;
		}
		if (most * 10 > least * 11)
			fail_msg("query %d: %d to %d steps", k, least, most);
	}
	tear_down(&small);
	tear_down(&large);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_costs_the_same_everywhere),
	};

	return cmocka_run_group_tests_name("store_growth", tests, NULL, NULL);
}
