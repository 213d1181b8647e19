/* If this fails, a worker is told that something is durable which is not, never hears what became of its
 * question, or one bad worker takes the store from the others. */
#include "store_kit.h"

#include <signal.h>
#include <sys/stat.h>

#include "gateway/store_ask.h"

#undef store_commit
#undef store_outbox_lease
#undef store_outbox_requeue
#undef store_audit_add

enum { WORKERS = 3 };

/* Workers and a storekeeper in one process, on one loop. */
struct world {
	struct kit	 k;
	struct event_base *base;
	struct store	*local;
	struct storekeeper *sk;
	struct store	*w[WORKERS];
	char		 heard[WORKERS][64];	/* peers told, in order */
	int		 states[WORKERS];
};

struct ear {
	struct world	*world;
	int		 i;
};
static struct ear ears[WORKERS];

static void
on_queued(void *arg, const char *peer)
{
	struct ear *x = arg;
	char *to = x->world->heard[x->i];

	snprintf(to + strlen(to), 64 - strlen(to), "%s ", peer == NULL ? "*" : peer);
}

static void
on_state(void *arg, bool connected)
{
	struct ear *x = arg;

	x->world->states[x->i] += connected ? 1 : -1;
}

static void
connect_worker(struct world *w, int i)
{
	int fds[2];

	assert_int_equal(ipc_pair(fds, NULL), 0);
	storekeeper_add_client(w->sk, fds[0], "worker");
	assert_int_equal(store_remote_channel(w->w[i], fds[1], NULL), 0);
}

static void
open_keeper(struct world *w, bool group_reads)
{
	const struct store_conf conf = { .path = w->k.path, .audit_key = slice_from(kit_key, 32),
	    .base = w->base, .group_reads = group_reads };
	struct err e = ERR_INIT;
	char uuid[37];

	w->local = store_open(&conf, &e);
	if (w->local == NULL)
		fail_msg("store_open: %s", e.reason);
	w->k.a = store_collection(w->local, "alpha", NULL, uuid, &e);
	w->sk = storekeeper_new(w->base, w->local);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = ERR_INIT;

	log_setup(2, false, LOG_OFF);
	snprintf(w->k.folder, sizeof(w->k.folder), "%s/tocsin-store-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(w->k.folder) == NULL)
		return -1;
	snprintf(w->k.path, sizeof(w->k.path), "%s/db?#%%/t.db", w->k.folder);
	w->k.mem = arena_new();
	w->base = event_base_new();
	open_keeper(w, false);
	for (int i = 0; i < WORKERS; i++) {
		const struct store_remote_conf conf = { .path = w->k.path, .base = w->base,
		    .wait_us = 2000, .on_queued = on_queued, .on_state = on_state,
		    .arg = &ears[i] };

		ears[i] = (struct ear){ w, i };
		w->w[i] = store_remote_open(&conf, &e);
		if (w->w[i] == NULL)
			fail_msg("store_remote_open: %s", e.reason);
		connect_worker(w, i);
	}
	*state = w;
	return 0;
}

static void
close_keeper(struct world *w)
{
	storekeeper_free(w->sk);
	store_close(w->local);
	w->sk = NULL;
	w->local = NULL;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	char command[96];

	for (int i = 0; i < WORKERS; i++)
		store_close(w->w[i]);
	if (w->sk != NULL)
		close_keeper(w);
	event_base_free(w->base);
	arena_free(w->k.mem);
	snprintf(command, sizeof(command), "rm -rf %s", w->k.folder);
	free(w);
	return system(command) == 0 ? 0 : -1;
}

/* ---- one commit of a worker ---- */

struct post {
	struct store_put p;
	struct store_txn t;
	int		 answers;
	struct err	 err;
};

static void
on_posted(void *arg, const struct err *e)
{
	struct post *x = arg;

	x->answers++;
	x->err = e == NULL ? (struct err)ERR_INIT : *e;
}

static struct post *
post(struct world *w, int worker, int number, const char *peer)
{
	struct post *x = arena_alloc(w->k.mem, sizeof(*x));
	const char **peers = arena_alloc(w->k.mem, sizeof(*peers));

	x->p = kit_put(kit_object(&w->k, "indicator", number, "2024-01-01T10:00:00Z", "one"),
	    &w->k.a, 1);
	peers[0] = peer;
	x->p.peers = peers;
	x->p.npeers = peer != NULL;
	x->t = (struct store_txn){ .source = kit_source("x"), .puts = &x->p, .nputs = 1 };
	store_commit(w->w[worker], &x->t, on_posted, x);
	return x;
}

static void
settle(struct world *w)
{
	for (int i = 0; i < WORKERS; i++)
		while (w->w[i] != NULL && store_remote_waiting(w->w[i]) > 0)
			event_base_loop(w->base, EVLOOP_ONCE);
	/* what is told besides the answers */
	for (int i = 0; i < 20; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK);
}

static size_t
listed(struct world *w, int worker)
{
	struct page_query q = kit_query(w->k.a);
	struct kit_page page;

	w->k.s = w->w[worker];
	kit_page(&w->k, &q, &page);
	return page.n;
}

/* ---- tests ---- */

static void
many_ask_few_syncs(void **state)
{
	struct world *w = *state;
	struct store_figures before, after;
	struct post *x[WORKERS * 20];

	settle(w);
	store_figures(w->local, &before, NULL);
	for (int i = 0; i < WORKERS * 20; i++)
		x[i] = post(w, i % WORKERS, i, NULL);
	settle(w);
	for (int i = 0; i < WORKERS * 20; i++) {
		assert_int_equal(x[i]->answers, 1);
		assert_int_equal(x[i]->err.code, ERR_NONE);
		assert_int_equal(x[i]->p.outcome, STORE_NEW);
	}
	store_figures(w->w[1], &after, NULL);
	assert_int_equal(after.commits - before.commits, WORKERS * 20);
	assert_true(after.syncs - before.syncs <= 3);
	assert_true(after.group_max >= 20);
	assert_int_equal(after.objects, WORKERS * 20);
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(listed(w, i), WORKERS * 20);
}

static void
on_count(void *arg, size_t n, const struct err *e)
{
	assert_null(e);
	*(size_t *)arg = n;
}

static void
all_hear_what_is_queued(void **state)
{
	struct world *w = *state;
	const struct outbox_update u = { .oid = 1, .result = OUTBOX_DEAD, .reason = "x" };
	size_t n = 0;

	post(w, 0, 1, "peer-p");
	post(w, 0, 2, "peer-p");
	post(w, 1, 3, "peer-q");
	post(w, 1, 4, NULL);
	settle(w);
	for (int i = 0; i < WORKERS; i++)
		assert_string_equal(w->heard[i], "peer-p peer-q ");
	post(w, 2, 1, "peer-p");		/* known: nothing is queued */
	settle(w);
	assert_string_equal(w->heard[0], "peer-p peer-q ");
	(store_outbox_update)(w->w[0], &u, 1, NULL, 0, NULL, NULL);
	settle(w);
	store_outbox_requeue(w->w[2], NULL, false, on_count, &n);
	settle(w);
	assert_int_equal(n, 1);
	assert_string_equal(w->heard[1], "peer-p peer-q * ");
}

static void
on_lease(void *arg, const struct outbox_item *items, size_t n, const struct err *e)
{
	assert_true(n == 0 || items[0].row.bytes.n > 0);
	*(int *)arg = e == NULL ? (int)n : -1;
}

static int
lease(struct world *w, int worker)
{
	int n = -2;

	store_outbox_lease(w->w[worker], "peer-p", "me", clock_wall_us(), 60000000, 10, 0,
	    on_lease, &n);
	settle(w);
	return n;
}

static void
leases_end_with_their_owner(void **state)
{
	struct world *w = *state;

	post(w, 0, 1, "peer-p");
	settle(w);
	assert_int_equal(store_outbox_due_us(w->w[0], "peer-p"), 0);
	assert_int_equal(lease(w, 0), 1);
	assert_true(store_outbox_due_us(w->w[0], "peer-p") > clock_wall_us());
	assert_int_equal(lease(w, 1), 0);
	store_close(w->w[0]);			/* its process is gone */
	w->w[0] = NULL;
	settle(w);
	assert_int_equal(lease(w, 1), 1);
}

/* The storekeeper is away: what can be read is read, what is asked is refused in time, and nobody waits for
 * ever. When he is back everything goes on. */
static void
without_a_storekeeper(void **state)
{
	struct world *w = *state;
	struct post record = { .answers = 0 };
	struct store_figures f;
	struct post *x;

	post(w, 0, 1, "peer-p");
	settle(w);
	close_keeper(w);
	while (w->states[0] > 0 || w->states[2] > 0)
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(listed(w, 0), 1);
	assert_int_equal(store_outbox_due_us(w->w[0], "peer-p"), 0);
	store_figures(w->w[0], &f, NULL);
	assert_int_not_equal(f.trouble[0], '\0');
	store_audit_add(w->w[0], "\"ev\":\"page\"", on_posted, &record);
	x = post(w, 0, 2, NULL);
	while (x->answers == 0)
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(x->err.code, ERR_BUSY);
	assert_int_equal(record.answers, 0);	/* nobody would ask again */
	open_keeper(w, false);
	x = post(w, 0, 3, NULL);
	connect_worker(w, 0);
	settle(w);
	assert_int_equal(x->err.code, ERR_NONE);
	assert_int_equal(record.answers, 1);
	assert_int_equal(record.err.code, ERR_NONE);
	assert_int_equal(listed(w, 1), 2);	/* he reads on without a channel of his own */
}

static void
on_found(void *arg, const struct store_object *o, const struct err *e)
{
	assert_null(e);
	*(bool *)arg = o != NULL;
}

/* Killed with questions under way: each is answered once, as done or as busy; what was done is there, and
 * asking again is harmless. */
static void
killed_while_it_works(void **state)
{
	struct world *w = *state;
	struct post *x[40];
	size_t done = 0;

	close_keeper(w);
	for (int i = 0; i < WORKERS; i++) {
		store_close(w->w[i]);
		w->w[i] = NULL;
	}
	for (int round = 0; round < 5; round++) {
		const struct store_remote_conf conf = { .path = w->k.path, .base = w->base };
		int channel = kit_start_keeper(&w->k), wanted = round * 9;

		w->w[0] = store_remote_open(&conf, NULL);
		assert_non_null(w->w[0]);
		assert_int_equal(store_remote_channel(w->w[0], channel, NULL), 0);
		for (int i = 0; i < 40; i++)
			x[i] = post(w, 0, round * 20 + i, NULL);
		do
			event_base_loop(w->base, EVLOOP_ONCE);
		while (x[wanted]->answers == 0 && store_remote_waiting(w->w[0]) > 0);
		kill(w->k.keeper, SIGKILL);
		waitpid(w->k.keeper, NULL, 0);
		w->k.keeper = 0;
		while (store_remote_is_connected(w->w[0]))
			event_base_loop(w->base, EVLOOP_ONCE);
		settle(w);
		for (int i = 0; i < 40; i++) {
			bool found = false;

			assert_int_equal(x[i]->answers, 1);
			assert_true(x[i]->err.code == ERR_NONE || x[i]->err.code == ERR_BUSY);
			done += x[i]->err.code == ERR_NONE;
			store_object(w->w[0], x[i]->p.object->id, on_found, &found);
			assert_true(found || x[i]->err.code == ERR_BUSY);
		}
		store_close(w->w[0]);
		w->w[0] = NULL;
	}
	assert_true(done > 0);
}

/* Messages that no worker sends: the client is thrown out, the others notice nothing. */
static void
a_bad_client_is_thrown_out(void **state)
{
	static const struct { uint16_t type; const char *body; size_t n; } row[] = {
		{ FRAME_ASKS, "x", 1 },
		{ FRAME_HELLO, "", 0 },
		{ FRAME_ANSWERS, "\0\0\0\0", 4 },
		{ 999, "", 0 },
		{ FRAME_ASKS, "\1\0\0\0\0\0\0\0\377\0\0\0\0", 13 },		/* no such kind */
		{ FRAME_ASKS, "\1\0\0\0\0\0\0\0\0\377\377\377\377", 13 },	/* no such length */
		{ FRAME_ASKS, "\1\0\0\0\0\0\0\0\11\0\0\0\0", 13 },	/* a lease of nothing */
	};
	struct world *w = *state;

	settle(w);
	for (size_t i = 0; i < COUNTOF(row); i++) {
		struct post *x;
		int fds[2];

		assert_int_equal(ipc_pair(fds, NULL), 0);
		storekeeper_add_client(w->sk, fds[0], "bad");
		assert_int_equal(storekeeper_clients(w->sk), WORKERS + 1);
		assert_int_equal(ipc_write_frame(fds[1], row[i].type, 0,
		    slice_from(row[i].body, row[i].n), -1, NULL), 0);
		while (storekeeper_clients(w->sk) > WORKERS)
			event_base_loop(w->base, EVLOOP_ONCE);
		close(fds[1]);
		x = post(w, 1, (int)i, NULL);
		settle(w);
		assert_int_equal(x->err.code, ERR_NONE);
	}
}

/* A worker hears answers that it never asked for: it drops the storekeeper, not its own life. */
static void
a_bad_keeper_is_dropped(void **state)
{
	static const struct { uint16_t type; const char *body; size_t n; } row[] = {
		{ FRAME_HELLO, "another store", 13 }, { FRAME_ANSWERS, "x", 1 },
		{ FRAME_QUEUED, "\377\0", 2 }, { FRAME_ASKS, "", 0 },
	};
	struct world *w = *state;

	settle(w);
	for (size_t i = 0; i < COUNTOF(row); i++) {
		struct post *x;
		int fds[2];

		assert_int_equal(ipc_pair(fds, NULL), 0);
		assert_int_equal(store_remote_channel(w->w[0], fds[1], NULL), 0);
		assert_int_equal(ipc_write_frame(fds[0], row[i].type, 0,
		    slice_from(row[i].body, row[i].n), -1, NULL), 0);
		x = post(w, 0, (int)i, NULL);
		settle(w);
		assert_int_equal(x->err.code, ERR_BUSY);
		assert_false(store_remote_is_connected(w->w[0]));
		close(fds[0]);
	}
	connect_worker(w, 0);
	assert_int_equal(post(w, 0, 1, NULL)->answers, 0);
	settle(w);
	assert_int_equal(listed(w, 0), 1);
}

static void
on_drained(void *arg)
{
	*(bool *)arg = true;
}

static void
draining_commits_what_was_asked(void **state)
{
	struct world *w = *state;
	bool drained = false;
	struct post *x;

	settle(w);
	x = post(w, 0, 1, NULL);
	event_base_loop(w->base, EVLOOP_NONBLOCK);	/* it is on its way */
	event_base_loop(w->base, EVLOOP_NONBLOCK);
	storekeeper_drain(w->sk, on_drained, &drained);
	assert_true(drained);
	settle(w);
	assert_int_equal(x->err.code, ERR_NONE);
}

/* A large transaction goes by a memory file, and a page sees it as soon as it is answered. */
static void
large_transactions(void **state)
{
	struct world *w = *state;
	struct store_put *puts = calloc(3000, sizeof(*puts));
	struct store_txn t = { .source = kit_source("x"), .puts = puts, .nputs = 3000 };
	struct post x = { .answers = 0 };
	struct store_figures f;

	for (int i = 0; i < 3000; i++)
		puts[i] = kit_put(kit_object(&w->k, "indicator", i, "2024-01-01T10:00:00Z",
		    "................................................................"),
		    &w->k.a, 1);
	store_commit(w->w[0], &t, on_posted, &x);
	settle(w);
	assert_int_equal(x.answers, 1);
	assert_int_equal(x.err.code, ERR_NONE);
	assert_int_equal(puts[2999].outcome, STORE_NEW);
	store_figures(w->w[2], &f, NULL);
	assert_int_equal(f.objects, 3000);
	free(puts);
}

/* Readers never hold the log back: it goes into the database while they read. */
static void
readers_do_not_hold_the_log(void **state)
{
	struct world *w = *state;
	struct strbuf name = STRBUF_INIT;
	struct stat st;

	for (int i = 0; i < 1500; i++) {
		post(w, i % WORKERS, i, NULL);
		settle(w);
		if (i % 10 == 0)
			listed(w, i % WORKERS);
	}
	strbuf_addf(&name, "%s-wal", w->k.path);
	assert_int_equal(stat(name.p, &st), 0);
	/* 2,000 pages start a checkpoint; what is written until the next commit goes behind them */
	assert_true(st.st_size < (off_t)3000 * 4096);
	strbuf_fini(&name);
}

/* Another user of the group may read, nobody may write, and nobody else may even read. */
static void
modes_for_a_group(void **state)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	struct world *w = *state;
	struct strbuf name = STRBUF_INIT;

	for (int round = 0; round < 2; round++) {
		close_keeper(w);
		open_keeper(w, round == 1);
		for (size_t i = 0; i < COUNTOF(files); i++) {
			struct stat st;

			strbuf_reset(&name);
			strbuf_addf(&name, "%s%s", w->k.path, files[i]);
			assert_int_equal(stat(name.p, &st), 0);
			/* the -wal and -shm that readers keep open stay as they were made */
			if (i == 0)
				assert_int_equal(st.st_mode & 0777, round == 1 ? 0640 : 0600);
		}
	}
	strbuf_fini(&name);
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(many_ask_few_syncs), TEST(all_hear_what_is_queued),
		TEST(leases_end_with_their_owner), TEST(without_a_storekeeper),
		TEST(killed_while_it_works), TEST(a_bad_client_is_thrown_out),
		TEST(a_bad_keeper_is_dropped), TEST(draining_commits_what_was_asked),
		TEST(large_transactions), TEST(readers_do_not_hold_the_log),
		TEST(modes_for_a_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
