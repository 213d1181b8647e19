/* If this fails, a peer is never told, is told twice, or a dead link swallows what was meant for it. */
#include "store_kit.h"

enum { SECOND = 1000000 };
static const char *const one_peer[] = { "peer-p" };

/* Queue `n` objects from `first` on as one advisory. */
static void
queue(struct kit *k, const char *advisory, int first, int n, int lane)
{
	struct store_put *puts = arena_alloc(k->mem, (size_t)n * sizeof(*puts));
	struct store_txn t = { .source = kit_source("x"), .puts = puts, .nputs = (size_t)n };

	t.source.advisory = advisory;
	t.source.hops = "node-a,node-b";
	for (int i = 0; i < n; i++) {
		puts[i] = kit_put(kit_object(k, "indicator", first + i, "2024-01-01T10:00:00Z",
		    "x"), &k->a, 1);
		puts[i].peers = one_peer;
		puts[i].npeers = 1;
		puts[i].lane = lane;
	}
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
}

struct leased {
	size_t	n;
	int64_t	oid[64];
	char	text[512];
};

static void
on_lease(void *arg, const struct outbox_item *items, size_t n, const struct err *e)
{
	struct leased *l = arg;
	size_t at;

	assert_null(e);
	l->n = n;
	l->text[0] = '\0';
	at = n == 0 ? 0 : (size_t)snprintf(l->text, sizeof(l->text), "%s %s %s:",
	    items[0].advisory, items[0].source, items[0].hops);
	for (size_t i = 0; i < n; i++) {
		const struct slice id = items[i].row.id;

		l->oid[i] = items[i].oid;
		assert_true(items[i].row.bytes.n > 0);
		at += (size_t)snprintf(l->text + at, sizeof(l->text) - at, " %d.%u",
		    atoi(id.p + id.n - 12), items[i].attempts);
	}
}

static struct leased
lease(struct kit *k, size_t items, size_t bytes)
{
	struct leased l;

	store_outbox_lease(k->s, "peer-p", "me", clock_wall_us(), 60 * SECOND, items, bytes,
	    on_lease, &l);
	return l;
}

static void
book(struct kit *k, const struct leased *l, enum outbox_result result, int64_t due_us)
{
	struct outbox_update u[64];

	for (size_t i = 0; i < l->n; i++)
		u[i] = (struct outbox_update){ .oid = l->oid[i], .result = result,
		    .due_us = due_us, .reason = result == OUTBOX_SENT ? NULL : "because" };
	store_outbox_update(k->s, u, l->n, NULL, 0, kit_done, k);
	assert_int_equal(k->err.code, ERR_NONE);
}

/* queued held dead sent denied, as one number a place */
static const char *
counts(struct kit *k)
{
	struct outbox_counts c;

	assert_int_equal(store_outbox_counts(k->s, "peer-p", &c, &k->err), 0);
	return arena_fmt(k->mem, "%d %d %d %d %d", (int)c.queued, (int)c.held, (int)c.dead,
	    (int)c.sent, (int)c.denied);
}

static void
one_advisory_at_a_time_fast_lane_first(void **state)
{
	struct kit *k = *state;
	struct leased l;

	assert_int_equal(store_outbox_due_us(k->s, "peer-p"), INT64_MAX);
	queue(k, "adv-1", 1, 3, 1);
	queue(k, "adv-2", 11, 2, 1);
	queue(k, "adv-3", 21, 2, 0);
	assert_int_equal(store_outbox_due_us(k->s, "peer-p"), 0);
	l = lease(k, 10, 0);
	assert_string_equal(l.text, "adv-3 x node-a,node-b: 21.0 22.0");
	l = lease(k, 2, 0);
	assert_string_equal(l.text, "adv-1 x node-a,node-b: 1.0 2.0");
	l = lease(k, 10, 0);
	assert_string_equal(l.text, "adv-1 x node-a,node-b: 3.0");
	l = lease(k, 10, 1);			/* at least one, however large */
	assert_string_equal(l.text, "adv-2 x node-a,node-b: 11.0");
	l = lease(k, 10, 0);
	assert_string_equal(l.text, "adv-2 x node-a,node-b: 12.0");
	assert_int_equal(lease(k, 10, 0).n, 0);
	store_outbox_lease(k->s, "nobody", "me", clock_wall_us(), SECOND, 10, 0, on_lease, &l);
	assert_int_equal(l.n, 0);
	assert_string_equal(counts(k), "7 0 0 0 0");
}

static void
expired_leases_come_again(void **state)
{
	struct kit *k = *state;
	struct leased l, again;

	queue(k, "adv-1", 1, 2, 1);
	l = lease(k, 10, 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(store_outbox_due_us(k->s, "peer-p"), clock_wall_us() + 60 * SECOND);
	clock_fake_add(59 * SECOND);
	assert_int_equal(lease(k, 10, 0).n, 0);
	clock_fake_add(SECOND);
	again = lease(k, 10, 0);
	assert_int_equal(again.n, 2);
	book(k, &again, OUTBOX_SENT, 0);
	book(k, &l, OUTBOX_DEAD, 0);		/* too late: it is sent */
	assert_string_equal(counts(k), "0 0 0 2 0");
	assert_int_equal(store_outbox_due_us(k->s, "peer-p"), INT64_MAX);
}

static void
restart_frees_leases(void **state)
{
	struct kit *k = *state;

	queue(k, "adv-1", 1, 2, 1);
	assert_int_equal(lease(k, 10, 0).n, 2);
	store_close(k->s);
	kit_open(k);
	assert_int_equal(store_outbox_due_us(k->s, "peer-p"), 0);
	assert_string_equal(counts(k), "2 0 0 0 0");
	assert_int_equal(lease(k, 10, 0).n, 2);
}

static void
retries_wait_and_count(void **state)
{
	struct kit *k = *state;
	struct leased l;

	queue(k, "adv-1", 1, 2, 1);
	for (int i = 0; i < 3; i++) {
		int64_t due = clock_wall_us() + 5 * SECOND;

		l = lease(k, 10, 0);
		assert_string_equal(l.text, arena_fmt(k->mem,
		    "adv-1 x node-a,node-b: 1.%d 2.%d", i, i));
		book(k, &l, OUTBOX_RETRY, due);
		assert_string_equal(counts(k), "2 0 0 0 0");
		assert_int_equal(store_outbox_due_us(k->s, "peer-p"), due);
		assert_int_equal(lease(k, 10, 0).n, 0);
		clock_fake_add(5 * SECOND);
	}
	/* younger ones do not overtake what comes back */
	queue(k, "adv-2", 3, 1, 1);
	assert_int_equal(lease(k, 10, 0).n, 2);
	assert_int_equal(lease(k, 10, 0).n, 1);
}

static void
held_comes_back_dead_does_not(void **state)
{
	struct kit *k = *state;
	struct leased l;

	queue(k, "adv-1", 1, 1, 1);
	queue(k, "adv-2", 2, 1, 1);
	queue(k, "adv-3", 3, 1, 1);
	l = lease(k, 10, 0);
	book(k, &l, OUTBOX_HELD, clock_wall_us() + 10 * SECOND);
	l = lease(k, 10, 0);
	book(k, &l, OUTBOX_DEAD, 0);
	l = lease(k, 10, 0);
	book(k, &l, OUTBOX_DENIED, 0);
	assert_string_equal(counts(k), "0 1 1 0 1");
	assert_int_equal(store_outbox_due_us(k->s, "peer-p"), clock_wall_us() + 10 * SECOND);
	clock_fake_add(10 * SECOND);
	l = lease(k, 10, 0);
	assert_string_equal(l.text, "adv-1 x node-a,node-b: 1.0");
	book(k, &l, OUTBOX_HELD, clock_wall_us() + 10 * SECOND);
	assert_int_equal(lease(k, 10, 0).n, 0);
	/* by hand: held and dead at once, with patience anew */
	store_outbox_requeue(k->s, "peer-q", true, kit_counted, k);
	assert_int_equal(k->count, 0);
	store_outbox_requeue(k->s, NULL, false, kit_counted, k);
	assert_int_equal(k->count, 2);
	assert_string_equal(counts(k), "2 0 0 0 1");
	assert_string_equal(lease(k, 10, 0).text, "adv-1 x node-a,node-b: 1.0");
	l = lease(k, 10, 0);
	assert_string_equal(l.text, "adv-2 x node-a,node-b: 2.0");
	/* and what waits for its next try */
	book(k, &l, OUTBOX_RETRY, clock_wall_us() + (int64_t)3600 * SECOND);
	assert_int_equal(lease(k, 10, 0).n, 0);
	store_outbox_requeue(k->s, "peer-p", false, kit_counted, k);
	assert_int_equal(k->count, 1);
	assert_string_equal(counts(k), "2 0 0 0 1");
	assert_string_equal(lease(k, 10, 0).text, "adv-2 x node-a,node-b: 2.0");
	/* what was denied only if that is said: the rules may have changed */
	store_outbox_requeue(k->s, "peer-p", true, kit_counted, k);
	assert_int_equal(k->count, 1);
	assert_string_equal(counts(k), "3 0 0 0 0");
	assert_string_equal(lease(k, 10, 0).text, "adv-3 x node-a,node-b: 3.0");
}

static void
ages_are_told(void **state)
{
	struct kit *k = *state;
	struct outbox_counts c;
	struct leased l;

	queue(k, "adv-1", 1, 1, 1);
	clock_fake_add(SECOND);
	queue(k, "adv-2", 2, 1, 0);
	store_outbox_counts(k->s, NULL, &c, &k->err);
	assert_int_equal(c.oldest_us, start_us);
	clock_fake_add(SECOND);
	l = lease(k, 10, 0);
	book(k, &l, OUTBOX_SENT, 0);
	l = lease(k, 10, 0);
	book(k, &l, OUTBOX_RETRY, clock_wall_us() + SECOND);
	store_outbox_counts(k->s, NULL, &c, &k->err);
	assert_int_equal(c.oldest_us, start_us);
	clock_fake_add(SECOND);
	l = lease(k, 10, 0);
	book(k, &l, OUTBOX_SENT, 0);
	store_outbox_counts(k->s, NULL, &c, &k->err);
	assert_int_equal(c.oldest_us, 0);
	assert_int_equal(c.sent, 2);
}

static void
booking_is_audited(void **state)
{
	struct kit *k = *state;
	struct store_audit a[2] = { { "\"ev\":\"sent\"", false }, { "\"ev\":\"decision\"", false } };
	struct outbox_update u = { .result = OUTBOX_SENT };
	struct store_figures f;

	queue(k, "adv-1", 1, 1, 1);
	u.oid = lease(k, 1, 0).oid[0];
	store_outbox_update(k->s, &u, 1, a, 2, kit_done, k);
	store_figures(k->s, &f, &k->err);
	assert_int_equal(f.audit_records, 2);
	u.oid = 4711;				/* nobody's: nothing happens */
	store_outbox_update(k->s, &u, 1, NULL, 0, kit_done, k);
	assert_int_equal(k->err.code, ERR_NONE);
}

/* What the peer gave us while it was on its way there is booked as nothing else. */
static void
late_bookings_meet_no_other(void **state)
{
	struct kit *k = *state;
	struct store_put twin;
	struct store_txn t = { .source = kit_source("peer-p"), .puts = &twin, .nputs = 1 };
	struct leased l;

	queue(k, "adv-1", 1, 1, 1);
	l = lease(k, 10, 0);
	twin = kit_put(kit_object(k, "indicator", 1, "2024-01-01T10:00:00Z", "x"), &k->a, 1);
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	queue(k, "adv-2", 2, 1, 1);
	book(k, &l, OUTBOX_SENT, 0);
	assert_string_equal(lease(k, 10, 0).text, "adv-2 x node-a,node-b: 2.0");
}

/* A backlog of ten thousand costs a lease no more than one of ten. */
static void
long_queues_are_walked_once(void **state)
{
	struct kit *k = *state;
	size_t sent = 0;

	for (int i = 0; i < 100; i++)
		queue(k, arena_fmt(k->mem, "adv-%d", i), i * 50, 50, i % 2);
	for (;;) {
		struct leased l = lease(k, 50, 0);

		if (l.n == 0)
			break;
		assert_int_equal(l.n, 50);
		book(k, &l, OUTBOX_SENT, 0);
		sent += l.n;
	}
	assert_int_equal(sent, 5000);
	assert_string_equal(counts(k), "0 0 0 5000 0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(one_advisory_at_a_time_fast_lane_first),
		BOTH(expired_leases_come_again),
		DISK(restart_frees_leases),
		BOTH(retries_wait_and_count),
		BOTH(held_comes_back_dead_does_not),
		BOTH(ages_are_told),
		BOTH(booking_is_audited),
		BOTH(late_bookings_meet_no_other),
		DISK(long_queues_are_walked_once),
	};

	return cmocka_run_group_tests_name("store_outbox", tests, NULL, NULL);
}
