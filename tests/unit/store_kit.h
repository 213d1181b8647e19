/*
 * store_kit.h -- what the store's tests share: a store of either backend or one with a storekeeper in another
 * process, objects in a line, and calls that wait for their answer.
 */
#ifndef TESTS_STORE_KIT_H
#define TESTS_STORE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <sys/wait.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/ipc.h"
#include "gateway/store_remote.h"
#include "gateway/storekeeper.h"

#define UNUSED	__attribute__((unused))

enum { START_US_S = 1700000000 };
static const int64_t start_us = (int64_t)START_US_S * 1000000;

/* One test's world. */
struct kit {
	bool		 sqlite;
	char		 folder[64], path[96];
	struct store	*s;
	struct arena	*mem;
	struct event_base *base;
	int64_t		 a, b;		/* two collections */
	struct err	 err;		/* of the last call */
	int		 answers;
	size_t		 count;
	bool		 remote;
	pid_t		 keeper;
	struct event_base *loop;	/* of the remote store */
};

static const char kit_key[] = "0123456789abcdef0123456789abcdef";

static UNUSED struct store *
kit_try_open(struct kit *k, struct err *e)
{
	struct store_conf conf = { .path = k->sqlite ? k->path : NULL,
	    .audit_key = slice_from(kit_key, 32), .base = k->base };

	return store_open(&conf, e);
}

/* ---- a storekeeper in another process ---- */

/* Serve one client until he leaves; `ready` is told when the store is open. Runs in the child. */
static UNUSED void
kit_keep(struct kit *k, int channel, int ready)
{
	struct err e = ERR_INIT;
	struct store_conf conf = { .path = k->path, .audit_key = slice_from(kit_key, 32),
	    .base = event_base_new() };
	struct store *local = store_open(&conf, &e);
	struct storekeeper *sk = local == NULL ? NULL : storekeeper_new(conf.base, local);

	if (sk == NULL || write(ready, "", 1) != 1)
		_exit(1);
	storekeeper_add_client(sk, channel, "test");
	while (storekeeper_clients(sk) > 0)
		event_base_loop(conf.base, EVLOOP_ONCE);
	storekeeper_free(sk);
	store_close(local);
	event_base_free(conf.base);
	_exit(0);
}

/* Start one; his channel, when the store is open. */
static UNUSED int
kit_start_keeper(struct kit *k)
{
	int channel[2], ready[2];
	char c;

	assert_int_equal(ipc_pair(channel, NULL), 0);
	assert_int_equal(pipe(ready), 0);
	clock_fake_share();
	k->keeper = fork();
	assert_true(k->keeper >= 0);
	if (k->keeper == 0) {
		close(channel[0]);
		close(ready[0]);
		kit_keep(k, channel[1], ready[1]);
	}
	close(channel[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return channel[0];
}

/* He ends when the store is closed. */
static UNUSED void
kit_end_keeper(struct kit *k)
{
	int status = 0;

	if (k->keeper == 0)
		return;
	assert_int_equal(waitpid(k->keeper, &status, 0), k->keeper);
	assert_int_equal(status, 0);
	k->keeper = 0;
}

/* The loop of the one remote store of a test; the calls below wait with it. */
static struct event_base *kit_loop;

static UNUSED void
kit_settle(struct store *s)
{
	while (store_remote_waiting(s) > 0)
		event_base_loop(kit_loop, EVLOOP_ONCE);
}

static UNUSED struct store *
kit_open_remote(struct kit *k, struct err *e)
{
	struct store_remote_conf conf = { .path = k->path };
	struct store *s;
	int channel;

	kit_end_keeper(k);
	if (k->loop == NULL)
		k->loop = event_base_new();
	conf.base = kit_loop = k->loop;
	channel = kit_start_keeper(k);
	s = store_remote_open(&conf, e);
	if (s != NULL)
		assert_int_equal(store_remote_channel(s, channel, e), 0);
	return s;
}

/* With a storekeeper each of these is answered before the next line of the test. */
#define SETTLED(f, s, ...)		do { f(s, __VA_ARGS__); kit_settle(s); } while (0)
#define store_commit(s, ...)		SETTLED(store_commit, s, __VA_ARGS__)
#define store_audit_add(s, ...)		SETTLED(store_audit_add, s, __VA_ARGS__)
#define store_remove(s, ...)		SETTLED(store_remove, s, __VA_ARGS__)
#define store_join(s, ...)		SETTLED(store_join, s, __VA_ARGS__)
#define store_join_distinct(s, ...)	SETTLED(store_join_distinct, s, __VA_ARGS__)
#define store_outbox_lease(s, ...)	SETTLED(store_outbox_lease, s, __VA_ARGS__)
#define store_outbox_update(s, ...)	SETTLED(store_outbox_update, s, __VA_ARGS__)
#define store_outbox_requeue(s, ...)	SETTLED(store_outbox_requeue, s, __VA_ARGS__)
#define store_quarantine_set(s, ...)	SETTLED(store_quarantine_set, s, __VA_ARGS__)
#define store_quarantine_trim(s, ...)	SETTLED(store_quarantine_trim, s, __VA_ARGS__)
#define store_note_set(s, ...)		SETTLED(store_note_set, s, __VA_ARGS__)
#define store_status_expire(s, ...)	SETTLED(store_status_expire, s, __VA_ARGS__)

static UNUSED void
kit_open(struct kit *k)
{
	struct err e = ERR_INIT;
	char uuid[37];

	k->s = k->remote ? kit_open_remote(k, &e) : kit_try_open(k, &e);
	if (k->s == NULL)
		fail_msg("store_open: %s", e.reason);
	k->a = store_collection(k->s, "alpha", NULL, uuid, &e);
	k->b = store_collection(k->s, "beta", NULL, uuid, &e);
	assert_true(k->a > 0 && k->b > 0 && k->a != k->b);
}

static UNUSED int
kit_set_up(void **state, bool sqlite, bool remote)
{
	struct kit *k = calloc(1, sizeof(*k));

	log_setup(2, false, LOG_OFF);
	clock_fake(start_us);
	k->sqlite = sqlite;
	k->remote = remote;
	/* in memory where that can be had: what a sync costs is not what is tested */
	snprintf(k->folder, sizeof(k->folder), "%s/tocsin-store-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(k->folder) == NULL)
		return -1;
	snprintf(k->path, sizeof(k->path), "%s/db/t.db", k->folder);
	k->mem = arena_new();
	kit_open(k);
	*state = k;
	return 0;
}

static UNUSED int
kit_sqlite(void **state)
{
	return kit_set_up(state, true, false);
}

static UNUSED int
kit_memory(void **state)
{
	return kit_set_up(state, false, false);
}

static UNUSED int
kit_remote(void **state)
{
	return kit_set_up(state, true, true);
}

static UNUSED int
kit_tear_down(void **state)
{
	struct kit *k = *state;
	char command[96];

	store_close(k->s);
	kit_end_keeper(k);
	if (k->loop != NULL)
		event_base_free(k->loop);
	arena_free(k->mem);
	clock_real();
	snprintf(command, sizeof(command), "rm -rf %s", k->folder);
	if (system(command) != 0)
		return -1;
	free(k);
	return 0;
}

/* Every test runs over both backends, and by way of a storekeeper. */
#define BOTH(f)									\
	{ #f " (sqlite)", f, kit_sqlite, kit_tear_down, NULL },			\
	{ #f " (storekeeper)", f, kit_remote, kit_tear_down, NULL },		\
	{ #f " (memory)", f, kit_memory, kit_tear_down, NULL }
#define DISK(f)	{ #f " (sqlite)", f, kit_sqlite, kit_tear_down, NULL }

/* ---- objects ---- */

/* "indicator 7" -> a full id. Numbers stand for UUIDs. */
static UNUSED struct slice
kit_id(struct kit *k, const char *type, int number)
{
	return slice_of(arena_fmt(k->mem, "%s--00000000-0000-4000-8000-%012d", type, number));
}

/* A version of an indicator: `version` is its modified ("" for none), `text` makes its content. */
static UNUSED struct object *
kit_object(struct kit *k, const char *type, int number, const char *version, const char *text)
{
	struct object *o = arena_alloc(k->mem, sizeof(*o));
	char hex[65];

	o->id = kit_id(k, type, number);
	o->type = slice_of(type);
	o->spec_version = SLICE_LIT("2.1");
	o->version = slice_of(version);
	o->bytes = slice_of(arena_fmt(k->mem, "{\"id\":\"%.*s\",\"modified\":\"%s\",\"x\":\"%s\"}",
	    SLICE_ARG(o->id), version, text));
	if (!stamp_key(k->mem, o->version, &o->version_key)) {
		digest_sha256_hex(o->bytes, hex);
		o->version_key = slice_of(arena_fmt(k->mem, "sha256:%s", hex));
	}
	o->created_by = SLICE_EMPTY;
	o->valid_until_key = SLICE_EMPTY;
	return o;
}

static UNUSED struct store_put
kit_put(const struct object *o, const int64_t *collections, size_t n)
{
	struct store_put p = { .object = o, .tlp = TLP_GREEN, .collections = collections,
	    .ncollections = n, .lane = 1 };

	digest_sha256(o->bytes, p.content);
	return p;
}

/* ---- calls that wait ---- */

static UNUSED void
kit_done(void *arg, const struct err *e)
{
	struct kit *k = arg;

	k->answers++;
	k->err = e == NULL ? (struct err)ERR_INIT : *e;
}

static UNUSED void
kit_counted(void *arg, size_t n, const struct err *e)
{
	struct kit *k = arg;

	k->count = n;
	kit_done(arg, e);
}

static UNUSED struct store_source
kit_source(const char *name)
{
	return (struct store_source){ .name = name, .origin = ORIGIN_RECEIVED,
	    .advisory = "bundle--1", .hops = "", .audience = "",
	    .received_us = clock_wall_us() };
}

static UNUSED enum err_code
kit_commit(struct kit *k, struct store_txn *t)
{
	int before = k->answers;

	store_commit(k->s, t, kit_done, k);
	assert_int_equal(k->answers, before + 1);
	return k->err.code;
}

/* Put one thing from one source; what became of it. */
static UNUSED enum store_outcome
kit_put_one(struct kit *k, const char *source, struct store_put *p)
{
	struct store_txn t = { .source = kit_source(source), .puts = p, .nputs = 1 };

	if (kit_commit(k, &t) != ERR_NONE)
		fail_msg("commit: %s", k->err.reason);
	return p->outcome;
}

/* A page as text: "7@12:00:01 8@12:00:02 +" -- number@version of each row, + for more. */
struct kit_page {
	struct kit	*k;
	char		 text[4096];
	int64_t		 last_us, dates[256];
	size_t		 n;
	bool		 more, any_version, any_match;
	char		 version[64];	/* shown, of the last row */
	struct policy_facts facts;
	char		 desk[32];
	char		 bytes[256];
};

static UNUSED void
kit_on_page(void *arg, const struct store_page *page, const struct err *e)
{
	struct kit_page *p = arg;
	size_t at = 0;

	if (e != NULL)
		fail_msg("page: %s", e->reason);
	p->n = page->n;
	p->more = page->more;
	p->any_version = page->any_version;
	p->any_match = page->any_match;
	p->text[0] = '\0';
	for (size_t i = 0; i < page->n; i++) {
		const struct store_row *r = &page->rows[i];
		struct slice when = SLICE_LIT("none");

		if (r->version_key.n > 11 && r->version_key.p[4] == '-')
			when = slice_from(r->version_key.p + 11, r->version_key.n - 11);
		at += (size_t)snprintf(p->text + at, sizeof(p->text) - at, "%s%d@%.*s",
		    i > 0 ? " " : "", atoi(r->id.p + r->id.n - 12), SLICE_ARG(when));
		assert_true(at < sizeof(p->text));
		p->last_us = r->date_added_us;
		if (i < sizeof(p->dates) / sizeof(*p->dates))
			p->dates[i] = r->date_added_us;
		snprintf(p->version, sizeof(p->version), "%.*s", SLICE_ARG(r->version));
		snprintf(p->bytes, sizeof(p->bytes), "%.*s", SLICE_ARG(r->bytes));
		p->facts = r->facts;
		snprintf(p->desk, sizeof(p->desk), "%.*s", SLICE_ARG(r->facts.embargo_desk));
	}
	p->k->answers++;
}

static UNUSED struct page_query
kit_query(int64_t cid)
{
	return (struct page_query){ .cid = cid, .added_after_us = -1, .position_us = -1,
	    .limit = 100, .want_bytes = true };
}

static UNUSED const char *
kit_page(struct kit *k, const struct page_query *q, struct kit_page *p)
{
	static struct kit_page own;
	int before = k->answers;

	if (p == NULL)
		p = &own;
	memset(p, 0, sizeof(*p));
	p->k = k;
	store_page(k->s, q, kit_on_page, p);
	assert_int_equal(k->answers, before + 1);
	return p->text;
}

#endif
