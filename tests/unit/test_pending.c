/* If this fails, what was promised to a client that sent much is lost, comes in twice, or is never told about. */
#include "fixture_gateway.h"

#include <dirent.h>
#include <unistd.h>

#include "gateway/pending.h"

static char folder[64];

/* What pending_take said, and what the status says in the end. */
struct told {
	int			 calls;
	enum pending_answer	 answer;
	char			 id[37], why[160];
	uint64_t		 total;
	struct world		*breaks;	/* its store, as soon as the answer is there */
};

static void
on_answer(void *arg, enum pending_answer answer, const struct store_status *st, const char *why)
{
	struct told *t = arg;

	t->calls++;
	t->answer = answer;
	snprintf(t->why, sizeof(t->why), "%s", why == NULL ? "" : why);
	if (answer == PENDING_TAKEN) {
		assert_true(st->pending);
		assert_int_equal(st->succeeded + st->failed, 0);
		memcpy(t->id, st->id, sizeof(t->id));
		t->total = st->total;
	}
	if (t->breaks != NULL)
		world_break(t->breaks, true, false);
}

static struct world *
open_world(const char *limits)
{
	static const char with_folder[] = "node here\n    sign-key k\n    audit-key k\n    dedup-key k\n"
	    "    url https://here.example\n    bodies %s/bodies\nstore\n    path memory\n"
	    "collection kept\nlimits\n    pending-over 1k\n%s\n";
	struct arena *mem = arena_new();
	struct world *w = world_new(arena_fmt(mem, with_folder, folder, limits), NULL, true);
	struct err e = ERR_INIT;

	arena_free(mem);
	w->g.pending = pending_new(&w->g, &e);
	if (w->g.pending == NULL)
		fail_msg("%s", e.reason);
	return w;
}

static void
close_world(struct world *w)
{
	struct pending *p = w->g.pending;

	w->g.draining = 1;
	pending_free(p);
	w->g.pending = NULL;
	world_free(w);
}

/* How many files wait. */
static int
files(void)
{
	char path[96];
	struct dirent *entry;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/bodies/pending", folder);
	d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
make_file(const char *name)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bodies/pending/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("{}", f);
	fclose(f);
}

static void
take(struct world *w, struct slice body, struct told *t)
{
	static const uint8_t sum[SHA256_LEN] = { 1 };
	struct intake_message m = world_message(w, "soc", body);

	m.status_user = "soc";
	m.sha256 = sum;
	m.body_fd = -1;
	pending_take(w->g.pending, &m, on_answer, t);
}

static void
on_status(void *arg, const struct store_status *st, const struct err *e)
{
	char *text = arg;

	assert_null(e);
	if (st == NULL)
		strcpy(text, "none");
	else
		sprintf(text, "%s %d %d %d %.60s", st->pending ? "pending" : "complete", (int)st->total,
		    (int)st->succeeded, (int)st->failed,
		    st->n > 0 && st->entries[st->n - 1].failed ? st->entries[st->n - 1].message : "");
}

static const char *
status_of(struct world *w, const char *id)
{
	char *text = arena_alloc(w->mem, 256);

	store_status_get(w->g.store, id, on_status, text);
	return text;
}

static struct slice
three(struct world *w)
{
	return ENVELOPE(w, ind(w, 1, GREEN), "{\"type\":\"tool\"}", ind(w, 2, GREEN));
}

static void
taken_then_worked_off(void **state)
{
	struct world *w = open_world("");
	struct told t = { .calls = 0 };

	(void)state;
	assert_false(pending_wants(w->g.pending, 1024));
	assert_true(pending_wants(w->g.pending, 1025));
	assert_false(pending_wants(NULL, 1 << 30));
	take(w, three(w), &t);
	world_turn(w);
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.answer, PENDING_TAKEN);
	assert_int_equal(t.total, 3);
	assert_string_equal(status_of(w, t.id), "complete 3 2 1 ");
	assert_string_equal(world_sees(w, "soc", "kept"), "indicator 1,indicator 2");
	assert_int_equal(files(), 0);
	assert_int_equal(world_count(world_audit(w), "\"ev\":\"pending\""), 1);
	close_world(w);
}

static void
what_is_no_envelope_is_not_ours(void **state)
{
	static const char *const bad[] = { "", "{", "{\"objects\":[]}", "[{}]", "{\"objects\":[{\"a\":1,\"a\":2}]}" };
	struct world *w = open_world("");

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct told t = { .calls = 0 };

		take(w, slice_of(bad[i]), &t);
		world_turn(w);
		assert_int_equal(t.calls, 1);
		assert_int_equal(t.answer, PENDING_NOT);
		assert_int_equal(files(), 0);
	}
	close_world(w);
}

static void
room_is_limited(void **state)
{
	struct world *w = open_world("    pending-bodies 1\n");
	struct told first = { .calls = 0 }, second = { .calls = 0 };

	(void)state;
	take(w, three(w), &first);
	take(w, three(w), &second);	/* the first is still on its way */
	assert_int_equal(second.calls, 1);
	assert_int_equal(second.answer, PENDING_LATER);
	world_turn(w);
	assert_int_equal(first.answer, PENDING_TAKEN);
	take(w, three(w), &second);
	world_turn(w);
	assert_int_equal(second.answer, PENDING_TAKEN);
	close_world(w);
	w = open_world("    pending-bytes 1m\n");
	take(w, slice_from(arena_alloc(w->mem, (1 << 20) + 1), (1 << 20) + 1), &first);
	assert_int_equal(first.answer, PENDING_LATER);
	close_world(w);
}

/* The disk is full when it comes, or later: promised or not, never both. */
static void
store_in_trouble(void **state)
{
	struct world *w = open_world("");
	struct told t = { .calls = 0 };

	(void)state;
	world_break(w, true, false);
	take(w, three(w), &t);
	world_turn(w);
	assert_int_equal(t.answer, PENDING_LATER);
	assert_int_equal(files(), 0);
	world_mend(w);
	t = (struct told){ .breaks = w };
	take(w, three(w), &t);
	world_turn(w);
	assert_int_equal(t.answer, PENDING_TAKEN);
	assert_string_equal(status_of(w, t.id), "pending 3 0 0 ");
	assert_int_equal(files(), 1);
	world_mend(w);
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id), "complete 3 2 1 ");
	assert_string_equal(world_sees(w, "soc", "kept"), "indicator 1,indicator 2");
	assert_int_equal(files(), 0);
	close_world(w);
}

/* Leave an envelope pending: its worker has begun, and is gone. */
static struct told
left_behind(struct world *w)
{
	struct told t = { .breaks = w };
	struct err e = ERR_INIT;

	take(w, three(w), &t);
	world_turn(w);
	world_mend(w);
	assert_int_equal(t.answer, PENDING_TAKEN);
	pending_free(w->g.pending);
	w->g.pending = pending_new(&w->g, &e);
	assert_non_null(w->g.pending);
	assert_int_equal(files(), 1);
	return t;
}

static void
another_goes_on(void **state)
{
	struct world *w = open_world("");
	struct told t = left_behind(w);

	(void)state;
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id), "complete 3 2 1 ");
	assert_int_equal(files(), 0);
	/* nothing happens twice, however often somebody looks */
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id), "complete 3 2 1 ");
	close_world(w);
}

/* Half of it is durable, by somebody who did not hear of it. */
static void
goes_on_where_the_store_is(void **state)
{
	struct world *w = open_world("");
	struct told t = left_behind(w);
	struct store_status_entry entry = { .id = SLICE_LIT("x"), .version = SLICE_LIT("y"), .put = -1 };
	struct store_status part = { .user = "soc", .step = STATUS_PART, .entries = &entry, .n = 1 };
	struct store_txn txn = { .source = { .name = "soc" }, .status = &part };

	(void)state;
	memcpy(part.id, t.id, sizeof(part.id));
	store_commit(w->g.store, &txn, NULL, NULL);
	world_turn(w);
	assert_string_equal(status_of(w, t.id), "pending 3 1 0 ");
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id), "complete 3 2 1 ");
	assert_string_equal(world_sees(w, "soc", "kept"), "indicator 2");
	close_world(w);
}

static void
a_promise_outlives_its_limits(void **state)
{
	struct world *w = open_world("");
	struct told t = left_behind(w);

	(void)state;
	w->g.config->limits.objects = 1;
	w->g.config->limits.body_bytes = 10;
	w->g.config->limits.pending_bodies = 1;
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id), "complete 3 2 1 ");
	close_world(w);
}

static void
what_is_nobodys_is_removed(void **state)
{
	struct world *w = open_world("");

	(void)state;
	make_file("3e6b2a5c-6f0e-4d56-9a2c-000000000000");
	make_file("something");
	assert_int_equal(files(), 2);
	pending_look(w->g.pending);
	assert_int_equal(files(), 0);
	close_world(w);
}

static void
lost_bytes_are_told(void **state)
{
	struct world *w = open_world("");
	struct told t = left_behind(w);
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/bodies/pending/%s", folder, t.id);
	assert_int_equal(truncate(path, 10), 0);
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id),
	    "complete 3 0 3 LOST: its bytes are not there any more; send it again");
	assert_int_equal(files(), 0);
	assert_string_equal(world_sees(w, "soc", "kept"), "");
	close_world(w);
}

static void
who_may_not_any_more(void **state)
{
	struct world *w = open_world("");
	struct told t = left_behind(w);
	struct trust *old = w->g.trust;

	(void)state;
	w->g.trust = world_trust_of("node here\n    unmarked tlp amber pap amber\nconsumer wall\n    relation own\n    read *\n");
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id),
	    "complete 3 0 3 NOT_ALLOWED: the sender soc was taken out of trust.conf");
	assert_int_equal(files(), 0);
	trust_free(old);
	close_world(w);
}

static void
on_drained(void *arg)
{
	++*(int *)arg;
}

static void
nothing_new_while_draining(void **state)
{
	struct world *w = open_world("");
	struct told t = left_behind(w);
	int drained = 0;

	(void)state;
	w->g.draining = 1;
	pending_drain(w->g.pending, on_drained, &drained);
	assert_int_equal(drained, 1);
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id), "pending 3 0 0 ");
	assert_int_equal(files(), 1);
	w->g.draining = 0;
	pending_look(w->g.pending);
	world_turn(w);
	assert_string_equal(status_of(w, t.id), "complete 3 2 1 ");
	close_world(w);
}

static int
make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/tocsin-pending-XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_then_worked_off),
		cmocka_unit_test(what_is_no_envelope_is_not_ours),
		cmocka_unit_test(room_is_limited),
		cmocka_unit_test(store_in_trouble),
		cmocka_unit_test(another_goes_on),
		cmocka_unit_test(goes_on_where_the_store_is),
		cmocka_unit_test(a_promise_outlives_its_limits),
		cmocka_unit_test(what_is_nobodys_is_removed),
		cmocka_unit_test(lost_bytes_are_told),
		cmocka_unit_test(who_may_not_any_more),
		cmocka_unit_test(nothing_new_while_draining),
	};

	return cmocka_run_group_tests_name("pending", tests, make_folder, remove_folder);
}
