/* If this fails, a peer misses an advisory for good, gets what it should not have, or one peer that is down
 * holds up the others. */
#include "fixture_gateway.h"

#include "formats/object.h"

/* The adapter: keeps what it was given and answers when told to. */
struct post {
	const struct delivery	*d;
	delivery_done_cb	*done;
	void			*arg;
	char			 peer[32], audience[512], hops[128], objects[16384];
	size_t			 n;
	enum tlp		 label, unmarked;
};

struct sender {
	struct post	 v[64];
	size_t		 n, answered;
};

static struct sender sender;

static void
send_it(void *ctx, const struct delivery *d, delivery_done_cb *done, void *arg)
{
	struct post *p = &sender.v[sender.n++];

	(void)ctx;
	assert_true(sender.n < 64);
	*p = (struct post){ .d = d, .done = done, .arg = arg, .n = d->n, .label = d->label,
	    .unmarked = d->unmarked };
	snprintf(p->peer, sizeof(p->peer), "%s", d->peer->name);
	snprintf(p->audience, sizeof(p->audience), "%s", d->audience);
	snprintf(p->hops, sizeof(p->hops), "%s", d->hops);
	snprintf(p->objects, sizeof(p->objects), "%.*s", SLICE_ARG(d->objects));
}

/* Answer the oldest open delivery, of which the first so many were taken all the same. */
static void
reply_partly(struct world *w, enum delivery_result result, const char *const *refused, size_t taken)
{
	struct post *p = &sender.v[sender.answered++];
	const struct delivery_answer a = { .result = result, .reason = "because",
	    .refused = refused, .taken = taken };

	assert_true(sender.answered <= sender.n);
	p->done(p->arg, &a);
	world_turn(w);
}

static void
reply(struct world *w, enum delivery_result result, const char *const *refused)
{
	reply_partly(w, result, refused, 0);
}

/* Time passes, and the outbox looks. */
static void
later(struct world *w, int64_t us)
{
	clock_fake_add(us);
	outbox_wake(w->g.outbox);
	world_turn(w);
}

/* How a peer's deliveries stand: "queued 1 sent 2 ..." without the zeros. */
static const char *
stand(struct world *w, const char *peer)
{
	struct strbuf b = STRBUF_INIT;
	struct outbox_counts n;
	const char *text;

	assert_int_equal(store_outbox_counts(w->g.store, peer, &n, NULL), 0);
	if (n.queued > 0)
		strbuf_addf(&b, "queued %d ", (int)n.queued);
	if (n.held > 0)
		strbuf_addf(&b, "held %d ", (int)n.held);
	if (n.dead > 0)
		strbuf_addf(&b, "dead %d ", (int)n.dead);
	if (n.sent > 0)
		strbuf_addf(&b, "sent %d ", (int)n.sent);
	if (n.denied > 0)
		strbuf_addf(&b, "denied %d ", (int)n.denied);
	text = arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* Only `near` is told, unless a story says otherwise. */
static const char *
only_near(struct world *w, const char *more)
{
	struct strbuf b = STRBUF_INIT;
	struct slice rest = slice_of(world_trust);
	const char *text;

	while (rest.n > 0) {
		struct slice line = slice_cut(&rest, '\n');

		if (!slice_starts(line, "    url https://next") && (b.n == 0 ||
		    !(slice_starts(line, "    collection inbox-here") &&
		    strstr(b.p, "peer next") != NULL)))
			strbuf_addf(&b, "%.*s\n", SLICE_ARG(line));
	}
	strbuf_adds(&b, more);
	text = arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static int
set_up(void **state)
{
	struct world *w = world_new(NULL, NULL, true);

	sender = (struct sender){ .n = 0 };
	world_reload(w, NULL, only_near(w, ""));
	w->g.outbox = outbox_new(&w->g, send_it, NULL);
	world_turn(w);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- the good day ---- */

static void
delivered(void **state)
{
	struct world *w = *state;
	struct outbox_link link;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, AMBER), ind(w, 3, STRICT)));
	assert_int_equal(sender.n, 1);
	assert_int_equal(sender.v[0].n, 3);
	assert_string_equal(sender.v[0].peer, "near");
	assert_string_equal(sender.v[0].hops, "here");
	assert_string_equal(sender.v[0].audience, "near,next");
	assert_int_equal(sender.v[0].label, TLP_AMBER_STRICT);
	assert_int_equal(sender.v[0].unmarked, TLP_UNSET);
	assert_string_equal(stand(w, "near"), "queued 3 ");
	reply(w, DELIVERED, NULL);
	assert_string_equal(stand(w, "near"), "sent 3 ");
	assert_true(outbox_link(w->g.outbox, "near", &link));
	assert_int_equal(link.sent, 3);
	assert_int_equal(link.failures, 0);
	later(w, 3600000000);
	assert_int_equal(sender.n, 1);
	assert_int_equal(world_count(world_audit(w), "\"ev\":\"decision\""), 3);
	assert_int_equal(world_count(world_audit(w), "\"ev\":\"sent\""), 1);
}

/* What stands by default at our node is told to the peer, whose own default may be weaker. */
static void
unmarked_is_told(void **state)
{
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, STRICT), ind(w, 2, NO_LABEL)));
	assert_int_equal(sender.v[0].label, TLP_AMBER_STRICT);
	assert_int_equal(sender.v[0].unmarked, TLP_AMBER);
	reply(w, DELIVERED, NULL);
}

/* An advisory that came from somebody else is passed on along its path, and nobody is named: we are not its
 * source. */
static void
foreign_ones_name_nobody(void **state)
{
	struct world *w = *state;
	struct intake_message m = world_message(w, "far", ENVELOPE(w, ind(w, 1, GREEN)));

	m.relay = (struct intake_relay){ .advisory = "a", .hops = "x,far", .audience = "" };
	world_send(w, &m);
	assert_int_equal(sender.n, 1);
	assert_string_equal(sender.v[0].hops, "x,far,here");
	assert_string_equal(sender.v[0].audience, "");
	reply(w, DELIVERED, NULL);
}

/* The source names whom it releases to; where it is not us, and it named the peer, AMBER may go on. */
static void
addressed_goes_on(void **state)
{
	struct world *w = *state;
	struct intake_message m = world_message(w, "far", ENVELOPE(w, ind(w, 1, AMBER)));

	m.relay = (struct intake_relay){ .advisory = "a", .hops = "far", .audience = "next" };
	world_send(w, &m);
	assert_string_equal(stand(w, "near"), "denied 1 ");
	m.body = ENVELOPE(w, ind(w, 2, AMBER));
	m.relay.audience = "next,near";
	world_send(w, &m);
	assert_int_equal(sender.n, 1);
	reply(w, DELIVERED, NULL);
	assert_string_equal(stand(w, "near"), "sent 1 denied 1 ");
}

/* ---- the peer is down, slow or says no ---- */

static void
retried_until_taken(void **state)
{
	struct world *w = *state;
	struct outbox_link link;
	int64_t wait = 0;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	for (int i = 0; i < 6; i++) {
		reply(w, DELIVERY_RETRY, NULL);
		outbox_link(w->g.outbox, "near", &link);
		assert_int_equal(link.failures, i + 1);
		assert_true(link.next_us - clock_wall_us() > wait);	/* longer each time */
		wait = link.next_us - clock_wall_us();
		later(w, wait / 2);
		assert_int_equal(sender.n, i + 1);
		later(w, wait / 2 + 1000);
		assert_int_equal(sender.n, i + 2);
	}
	reply(w, DELIVERED, NULL);
	assert_string_equal(stand(w, "near"), "sent 1 ");
	/* seven attempts, one decision (rulings 29) */
	assert_int_equal(world_count(world_audit(w), "\"ev\":\"decision\""), 1);
}

static void
given_up_when_too_old(void **state)
{
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	later(w, w->g.config->limits.retry_age_us + 1);
	reply(w, DELIVERY_RETRY, NULL);
	assert_string_equal(stand(w, "near"), "dead 1 ");
}

static void
refused_for_good(void **state)
{
	static const char *const second[] = { NULL, "the peer refused it", NULL };
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, GREEN), ind(w, 3, GREEN)));
	reply(w, DELIVERED, second);
	assert_string_equal(stand(w, "near"), "dead 1 sent 2 ");
	world_put(w, "soc", ENVELOPE(w, ind(w, 4, GREEN)));
	reply(w, DELIVERY_FINAL, NULL);
	assert_string_equal(stand(w, "near"), "dead 2 sent 2 ");
}

/* A line that breaks again and again: what was taken is not sent again, and the rest gets on. */
static void
taken_in_part(void **state)
{
	static const char *const second[] = { NULL, "the peer refused it", NULL, NULL };
	struct world *w = *state;
	struct outbox_link link;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, GREEN), ind(w, 3, GREEN),
	    ind(w, 4, GREEN)));
	reply_partly(w, DELIVERY_RETRY, second, 3);
	assert_string_equal(stand(w, "near"), "queued 1 dead 1 sent 2 ");
	outbox_link(w->g.outbox, "near", &link);
	assert_int_equal(link.failures, 1);
	assert_int_equal(link.sent, 2);
	later(w, 60000000);
	assert_int_equal(sender.n, 2);
	assert_int_equal(sender.v[1].n, 1);
	reply_partly(w, DELIVERY_RETRY, NULL, 99);	/* more than there were: all */
	assert_string_equal(stand(w, "near"), "dead 1 sent 3 ");
}

/* Too large for the peer: in halves, until one object alone is too much. */
static void
sent_in_halves(void **state)
{
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, GREEN), ind(w, 3, GREEN),
	    ind(w, 4, GREEN)));
	reply(w, DELIVERY_TOO_LARGE, NULL);
	assert_int_equal(sender.v[1].n, 2);
	reply(w, DELIVERY_TOO_LARGE, NULL);
	assert_int_equal(sender.v[2].n, 1);
	reply(w, DELIVERY_TOO_LARGE, NULL);
	assert_string_equal(stand(w, "near"), "queued 3 dead 1 ");
	while (sender.answered < sender.n)
		reply(w, DELIVERED, NULL);
	assert_string_equal(stand(w, "near"), "dead 1 sent 3 ");
}

/* Our own limit for a peer delays, however long, and gives nothing up. */
static void
own_limit_delays(void **state)
{
	struct world *w = *state;

	world_reload(w, NULL, only_near(w, "peer slow\n" PIN(EIGHT("4")) "    relation partner\n"
	    "    speaks stix21\n    url https://slow.example/api/\n    collection inbox-here\n"
	    "    limit out 1/min burst 1\n"
	    "release slow\n    object tlp green\n    to peer slow\n"));
	world_turn(w);
	for (int i = 1; i <= 2; i++) {
		world_put(w, "soc", ENVELOPE(w, ind(w, i, GREEN)));
		while (sender.answered < sender.n)
			reply(w, DELIVERED, NULL);
	}
	assert_string_equal(stand(w, "slow"), "queued 1 sent 1 ");
	/* the bucket is emptied again and again, until the item is older than any retry */
	later(w, w->g.config->limits.retry_age_us + 1);
	world_put(w, "soc", ENVELOPE(w, ind(w, 3, GREEN)));
	while (sender.answered < sender.n)
		reply(w, DELIVERED, NULL);
	assert_null(strstr(stand(w, "slow"), "dead"));
}

/* ---- trust changes ---- */

/* Denied for want of a rule today; held or waiting ones are asked again with the trust of the moment. */
static void
decided_at_the_last_moment(void **state)
{
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	reply(w, DELIVERY_RETRY, NULL);
	world_reload(w, NULL, only_near(w, "require nothing-leaves\n    object tlp green\n"
	    "    to relation partner\n    peer vetting cleared\n"));
	later(w, 600000000);
	assert_int_equal(sender.n, 1);
	assert_string_equal(stand(w, "near"), "denied 1 ");
}

/* A reload while the parcel is being decided: it is not sent by the trust of before, nor to the pin of
 * before. A report with many references takes several turns of the loop. */
static void
reload_under_a_decision(void **state)
{
	struct world *w = *state;
	struct taken t = { .status = STRBUF_INIT };
	struct strbuf b = STRBUF_INIT;
	struct intake_message m;
	struct trust *held = trust_hold(w->g.trust);
	struct outbox_link link;

	strbuf_adds(&b, GREEN "\"object_refs\":[");
	for (int i = 0; i < 2000; i++)
		strbuf_addf(&b, "%s\"%s\"", i > 0 ? "," : "", oid(w, "indicator", i));
	strbuf_adds(&b, "],");
	m = world_message(w, "soc", ENVELOPE(w, obj(w, "report", 1, b.p)));
	intake_submit(w->g.intake, &m, world_on_taken, &t);
	while (t.calls == 0)
		event_base_loop(w->g.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	/* leased, first lookups */
	while (outbox_link(w->g.outbox, "near", &link) && strcmp(link.state, "deciding") != 0)
		event_base_loop(w->g.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(sender.n, 0);
	world_reload(w, NULL, only_near(w, "require nothing-leaves\n    object tlp green\n"
	    "    to relation partner\n    peer vetting cleared\n"));
	world_turn(w);
	assert_int_equal(sender.n, 0);
	assert_string_equal(stand(w, "near"), "denied 1 ");
	trust_free(held);
	strbuf_fini(&b);
}

/* The peer is taken out while a delivery is under way: the answer finds its place, the rest stays. */
static void
peer_taken_out(void **state)
{
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	world_put(w, "soc", ENVELOPE(w, ind(w, 2, GREEN)));
	world_reload(w, NULL, "consumer soc\n    relation own\n    read *\n    write *\n");
	reply(w, DELIVERED, NULL);
	assert_string_equal(stand(w, "near"), "queued 1 sent 1 ");
	later(w, 600000000);
	assert_int_equal(sender.n, 1);
	world_reload(w, NULL, only_near(w, ""));
	later(w, 1);
	assert_int_equal(sender.n, 2);
	reply(w, DELIVERED, NULL);
	assert_string_equal(stand(w, "near"), "sent 2 ");
}

/* ---- our own trouble ---- */

/* Delivered, and the store cannot book it: it goes again when the lease is over (the peer knows it). */
static void
not_booked(void **state)
{
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	world_break(w, true, false);
	reply(w, DELIVERED, NULL);
	world_mend(w);
	assert_string_equal(stand(w, "near"), "queued 1 ");
	later(w, w->g.config->limits.lease_us + 1000000);
	assert_int_equal(sender.n, 2);
	reply(w, DELIVERED, NULL);
	assert_string_equal(stand(w, "near"), "sent 1 ");
	/* the record of the first decision was lost with its booking */
	assert_int_equal(world_count(world_audit(w), "\"ev\":\"decision\""), 1);
}

static void
on_drained(void *arg)
{
	++*(int *)arg;
}

/* The end: what is under way is finished, nothing new begins. */
static void
drained(void **state)
{
	struct world *w = *state;
	int done = 0;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	world_put(w, "soc", ENVELOPE(w, ind(w, 2, GREEN)));
	outbox_drain(w->g.outbox, on_drained, &done);
	world_turn(w);
	assert_int_equal(done, 0);
	reply(w, DELIVERED, NULL);
	assert_int_equal(done, 1);
	assert_int_equal(sender.n, 1);
	assert_string_equal(stand(w, "near"), "queued 1 sent 1 ");
}

/* Stopped in the middle of a delivery: nothing leaks (ASan sees), the item is due at the next start. */
static void
stopped_in_the_middle(void **state)
{
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	assert_int_equal(sender.n, 1);
}

/* Links do not wait for each other. */
static void
one_down_others_up(void **state)
{
	struct world *w = *state;

	world_reload(w, NULL, NULL);
	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	world_put(w, "soc", ENVELOPE(w, ind(w, 2, GREEN)));
	assert_int_equal(sender.n, 2);		/* one each */
	assert_string_not_equal(sender.v[0].peer, sender.v[1].peer);
	sender.answered = 1;			/* the first never answers */
	reply(w, DELIVERED, NULL);
	assert_int_equal(sender.n, 3);
	assert_string_equal(sender.v[2].peer, sender.v[1].peer);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(delivered), TEST(unmarked_is_told), TEST(foreign_ones_name_nobody),
		TEST(addressed_goes_on), TEST(retried_until_taken), TEST(given_up_when_too_old),
		TEST(refused_for_good),
		TEST(taken_in_part), TEST(sent_in_halves), TEST(own_limit_delays),
		TEST(decided_at_the_last_moment), TEST(reload_under_a_decision),
		TEST(peer_taken_out), TEST(not_booked), TEST(drained),
		TEST(stopped_in_the_middle), TEST(one_down_others_up),
	};

	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
