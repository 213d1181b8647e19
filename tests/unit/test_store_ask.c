/* If this fails, a worker that has been taken over can crash the storekeeper, or make it write what no worker
 * may ask for. */
#include "store_kit.h"

#include "gateway/store_ask.h"

/* ---- one question of each kind, filled ---- */

static struct ask
commit(struct kit *k)
{
	static const char *const peers[] = { "peer-p", "peer-q" };
	struct store_txn *t = arena_alloc(k->mem, sizeof(*t));
	struct store_put *p = arena_alloc(k->mem, 2 * sizeof(*p));
	struct store_status *st = arena_alloc(k->mem, sizeof(*st));
	struct object *o = kit_object(k, "indicator", 1, "2024-01-01T10:00:00Z", "one");
	int64_t *cids = arena_alloc(k->mem, 2 * sizeof(*cids));

	cids[0] = 1;
	cids[1] = 7;
	o->has_fp = true;
	memset(o->fp, 0xab, sizeof(o->fp));
	o->sectors = 5;
	p[0] = kit_put(o, cids, 2);
	p[0].distinct = cids;
	p[0].ndistinct = 1;
	p[0].peers = peers;
	p[0].npeers = 2;
	p[0].warnings = "ODD /x: odd";
	p[0].embargo_desk = SLICE_LIT("desk");
	p[1] = kit_put(kit_object(k, "malware", 2, "", "two"), cids, 1);
	st->entries = arena_alloc(k->mem, 2 * sizeof(*st->entries));
	st->entries[0] = (struct store_status_entry){ .id = o->id, .put = 1 };
	st->entries[1] = (struct store_status_entry){ .id = SLICE_LIT("x"), .put = -1,
	    .version = SLICE_LIT("v"), .failed = true, .message = "why" };
	st->n = 2;
	snprintf(st->id, sizeof(st->id), "11111111-1111-4111-8111-111111111111");
	st->user = "u";
	*t = (struct store_txn){ .source = kit_source("cert-x"), .puts = p, .nputs = 2,
	    .status = st };
	t->quarantine = arena_alloc(k->mem, sizeof(*t->quarantine));
	t->quarantine[0] = (struct store_quarantine){ .source = "cert-x", .input = "POST body",
	    .code = "BAD", .line = 3, .offset = 99, .bytes = SLICE_LIT("{\0}") };
	t->nquarantine = 1;
	t->audit = arena_alloc(k->mem, sizeof(*t->audit));
	t->audit[0] = (struct store_audit){ "\"ev\":\"x\"", true };
	t->naudit = 1;
	return (struct ask){ .kind = ASK_COMMIT, .txn = t };
}

static struct ask
question(struct kit *k, enum ask_kind kind)
{
	static const int64_t join[] = { 1, 2, 3 }, leave[] = { 4 };
	static const struct store_audit audit[] = { { "\"ev\":\"y\",\"n\":1", false } };
	static const struct outbox_update updates[] = {
		{ .oid = 1, .result = OUTBOX_SENT },
		{ .oid = 2, .result = OUTBOX_RETRY, .due_us = 5, .reason = "later" },
	};

	if (kind == ASK_COMMIT)
		return commit(k);
	return (struct ask){ .kind = kind, .cid = 3, .qid = 9, .distinct = true, .denied = true,
	    .join = join, .njoin = 3, .leave = leave, .nleave = 1, .updates = updates,
	    .nupdates = 2, .audit = audit, .naudit = 1,
	    .name = kind == ASK_QUARANTINE_SET ? "dropped" : "alpha",
	    .uuid = "11111111-1111-4111-8111-111111111111", .digest = { 1, 2, 3 },
	    .space = "pull", .text = "7",
	    .now_us = 1000, .lease_us = 60, .max_rows = 10, .max_bytes = 1000 };
}

/* The body of the one question in `b`. */
static struct slice
body_of(const struct strbuf *b, enum ask_kind *kind)
{
	struct wire w;
	struct slice body;
	uint64_t id;

	wire_open(&w, strbuf_slice(b));
	assert_true(ask_next(&w, &id, kind, &body));
	assert_int_equal(id, 77);
	assert_true(wire_done(&w));
	return body;
}

/* ---- tests ---- */

/* What is read is what was written: written again it gives the same bytes. */
static void
what_is_asked_arrives(void **state)
{
	struct kit *k = *state;

	for (int kind = 0; kind < ASK_KINDS; kind++) {
		struct strbuf b = STRBUF_INIT, again = STRBUF_INIT;
		struct ask a = question(k, (enum ask_kind)kind), got;
		enum ask_kind told;
		struct slice body;

		memset(&got, 0, sizeof(got));
		assert_int_equal(ask_put(&b, 77, &a, NULL), 0);
		body = body_of(&b, &told);
		assert_int_equal(told, kind);
		assert_null(ask_read(&got, told, body, k->mem));
		assert_int_equal(ask_put(&again, 77, &got, NULL), 0);
		assert_true(slice_eq(strbuf_slice(&b), strbuf_slice(&again)));
		strbuf_fini(&b);
		strbuf_fini(&again);
	}
}

static void
answers_arrive(void **state)
{
	struct kit *k = *state;
	struct ask a = commit(k), same = commit(k);
	struct ask lease = { .kind = ASK_LEASE }, got = { .kind = ASK_LEASE };
	struct outbox_item item = { .oid = 5, .advisory = "bundle--1", .hops = "a,b", .source = "s",
	    .attempts = 3, .queued_us = 7, .row = { .vid = 9, .id = SLICE_LIT("i--1"),
	    .bytes = SLICE_LIT("{}"), .facts = { .tlp = TLP_RED, .kind = SLICE_LIT("i") } } };
	struct strbuf b = STRBUF_INIT;
	enum err_code code;
	struct wire w;
	struct slice body;
	uint64_t id;

	a.txn->puts[1] = (struct store_put){ .outcome = STORE_CONFLICT, .linked = true,
	    .queued = 4, .shown_us = 123 };
	lease.items = &item;
	lease.nitems = 1;
	assert_int_equal(ask_put_answer(&b, 1, &a, NULL), 0);
	assert_int_equal(ask_put_answer(&b, 2, &lease, NULL), 0);
	wire_open(&w, strbuf_slice(&b));
	assert_true(ask_next_answer(&w, &id, &code, &body));
	assert_true(ask_read_answer(&same, body, k->mem));
	assert_int_equal(same.txn->puts[1].outcome, STORE_CONFLICT);
	assert_int_equal(same.txn->puts[1].queued, 4);
	assert_int_equal(same.txn->puts[1].shown_us, 123);
	same.txn->nputs = 1;			/* an answer to another question */
	assert_false(ask_read_answer(&same, body, k->mem));
	assert_true(ask_next_answer(&w, &id, &code, &body));
	assert_true(ask_read_answer(&got, body, k->mem));
	assert_int_equal(got.nitems, 1);
	assert_int_equal(got.items[0].row.facts.tlp, TLP_RED);
	assert_string_equal(got.items[0].hops, "a,b");
	assert_false(ask_next_answer(&w, &id, &code, &body));
	assert_true(wire_done(&w));
	strbuf_fini(&b);
}

/* Every cut and every flipped bit of every question: an answer, never a crash, and nothing that is out of
 * bounds gets through. */
static void
hostile_questions(void **state)
{
	struct kit *k = *state;

	for (int kind = 0; kind < ASK_KINDS; kind++) {
		struct strbuf b = STRBUF_INIT;
		struct ask a = question(k, (enum ask_kind)kind);
		enum ask_kind told;
		struct slice body;

		assert_int_equal(ask_put(&b, 77, &a, NULL), 0);
		body = body_of(&b, &told);
		for (size_t n = 0; n < body.n; n++) {
			struct arena *mem = arena_new();
			char *cut = xmalloc(n + 1);	/* so that a byte beyond is found */
			struct ask got;

			memset(&got, 0, sizeof(got));
			memcpy(cut, body.p, n);
			assert_non_null(ask_read(&got, told, slice_from(cut, n), mem));
			free(cut);
			arena_free(mem);
		}
		for (size_t bit = 0; bit < body.n * 8; bit++) {
			struct arena *mem = arena_new();
			char *bent = xmalloc(body.n);
			struct ask got;

			memset(&got, 0, sizeof(got));
			memcpy(bent, body.p, body.n);
			bent[bit / 8] ^= (char)(1 << bit % 8);
			if (ask_read(&got, told, slice_from(bent, body.n), mem) == NULL &&
			    kind == ASK_COMMIT) {
				assert_true(got.txn->puts[0].tlp < TLP_LEVELS);
				assert_true(got.txn->puts[0].lane <= 1);
				assert_true(got.txn->source.origin <= ORIGIN_RECEIVED);
				assert_true(got.txn->status == NULL ||
				    got.txn->status->entries[0].put < (ssize_t)got.txn->nputs);
			}
			free(bent);
			arena_free(mem);
		}
		strbuf_fini(&b);
	}
}

/* Well formed, and still against the rules. */
static void
rules(void **state)
{
	struct kit *k = *state;
	static const struct store_audit bad_audit[] = {
		{ "\"ev\":\"x\"}\n{\"seq\":1", false }, { "\"seq\":7", false },
		{ "no json", false }, { "\"mac\":\"x\"", false },
	};
	static const int64_t minus[] = { -1 };
	const struct ask asks[] = {
		{ .kind = ASK_LEASE, .name = "p", .now_us = INT64_MAX, .lease_us = 1 },
		{ .kind = ASK_LEASE, .name = "p", .now_us = 1, .lease_us = -1 },
		{ .kind = ASK_LEASE, .name = "", .now_us = 1, .lease_us = 1 },
		{ .kind = ASK_QUARANTINE_SET, .qid = 1, .name = "gone" },
		{ .kind = ASK_COLLECTION, .name = "a", .uuid = "no uuid" },
		{ .kind = ASK_NOTE, .space = "", .name = "a", .text = "1" },
		{ .kind = ASK_NOTE, .space = "pull", .name = "" },
		{ .kind = ASK_JOIN, .cid = 1, .join = minus, .njoin = 1 },
		{ .kind = ASK_AUDIT, .audit = &bad_audit[0], .naudit = 1 },
		{ .kind = ASK_AUDIT, .audit = &bad_audit[1], .naudit = 1 },
		{ .kind = ASK_AUDIT, .audit = &bad_audit[2], .naudit = 1 },
		{ .kind = ASK_AUDIT, .audit = &bad_audit[3], .naudit = 1 },
	};

	for (size_t i = 0; i < COUNTOF(asks); i++) {
		struct strbuf b = STRBUF_INIT;
		enum ask_kind kind;
		struct ask got;

		memset(&got, 0, sizeof(got));
		assert_int_equal(ask_put(&b, 77, &asks[i], NULL), 0);
		if (ask_read(&got, asks[i].kind, body_of(&b, &kind), k->mem) == NULL)
			fail_msg("question %zu was taken", i);
		strbuf_fini(&b);
	}
}

static void
txn_rules(void **state)
{
	struct kit *k = *state;

	for (int i = 0; i < 8; i++) {
		struct strbuf b = STRBUF_INIT;
		struct ask a = commit(k), got;
		struct store_txn *t = a.txn;
		struct object *o = (struct object *)(uintptr_t)t->puts[0].object;
		enum ask_kind kind;
		const char *fault;

		if (i == 1)
			o->id = SLICE_EMPTY;
		else if (i == 2)
			o->id = SLICE_LIT("indicator\0--1");
		else if (i == 3)
			t->source.name = NULL;
		else if (i == 4)
			t->status->entries[0].put = 2;
		else if (i == 5)
			snprintf(t->status->id, sizeof(t->status->id), "x");
		else if (i == 6)
			t->puts[0].collections = (const int64_t[]){ 0, 1 };
		else if (i == 7)
			t->puts[0].peers = (const char *const[]){ "", "q" };
		memset(&got, 0, sizeof(got));
		assert_int_equal(ask_put(&b, 77, &a, NULL), 0);
		fault = ask_read(&got, ASK_COMMIT, body_of(&b, &kind), k->mem);
		assert_true((fault == NULL) == (i == 0));
		strbuf_fini(&b);
	}
}

/* What no message can hold is told to who asks, not sent. */
static void
too_much_is_refused_here(void **state)
{
	struct kit *k = *state;
	struct ask a = commit(k);
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	char *long_name = arena_alloc(k->mem, ASK_NAME_MAX + 2);

	memset(long_name, 'x', ASK_NAME_MAX + 1);
	a.txn->source.name = long_name;
	strbuf_adds(&b, "before");
	assert_int_equal(ask_put(&b, 1, &a, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_string_equal(b.p, "before");
	strbuf_fini(&b);
}

static int
set_up(void **state)
{
	struct kit *k = calloc(1, sizeof(*k));

	k->mem = arena_new();
	*state = k;
	return 0;
}

static int
tear_down(void **state)
{
	struct kit *k = *state;

	arena_free(k->mem);
	free(k);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_asked_arrives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(answers_arrive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_questions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(txn_rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_much_is_refused_here, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
