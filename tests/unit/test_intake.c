/* If this fails, something acknowledged is lost, something is acknowledged that was not stored, or a sender
 * is told the wrong thing about an object. */
#include "fixture_gateway.h"

#include "gateway/translate.h"

static int
set_up(void **state)
{
	*state = world_new(NULL, NULL, false);
	return 0;
}

static int
set_up_loop(void **state)
{
	*state = world_new(NULL, NULL, true);
	return 0;
}

static int
tear_down(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- the status (TAXII 2.1 section 4.3.1) ---- */

/* One entry an element, in the order of the envelope: refused by the reader, by policy, in conflict, new,
 * without a version of its own. */
static void
status_follows_the_envelope(void **state)
{
	struct world *w = *state;
	const char *mine = "\"created_by_ref\":\"identity--22222222-2222-4222-8222-222222222222\",";
	const char *theirs = "\"created_by_ref\":\"identity--99999999-9999-4999-8999-999999999999\",";
	struct intake_message m = world_message(w, "next", ENVELOPE(w, ind(w, 1, GREEN)));
	struct taken t;

	world_put(w, "next", m.body);
	m.status_user = "next";
	m.body = ENVELOPE(w, "{\"type\":\"x\"}", ind(w, 2, theirs),
	    obj(w, "indicator", 1, "\"pattern\":\"other\","), ind(w, 3, mine),
	    "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"value\":\"192.0.2.1\","
	    "\"id\":\"ipv4-addr--00000000-0000-4000-8000-000000000009\"}", "7");
	t = world_send(w, &m);
	assert_int_equal(t.error, ERR_NONE);
	assert_string_equal(t.status.p,
	    "unknown unknown MISSING_PROPERTY: id: is missing\n"
	    "indicator--00000000-0000-4000-8000-000000000002 2023-01-01T00:00:00.000Z "
	    "IDENTITY_MISMATCH: next may not publish for "
	    "identity--99999999-9999-4999-8999-999999999999\n"
	    "indicator--00000000-0000-4000-8000-000000000001 2023-01-01T00:00:00.000Z "
	    "VERSION_CONFLICT: this version is already here with other content\n"
	    "indicator--00000000-0000-4000-8000-000000000003 2023-01-01T00:00:00.000Z ok\n"
	    "ipv4-addr--00000000-0000-4000-8000-000000000009 2023-11-14T22:13:20.001002Z ok\n"
	    "unknown unknown BAD_OBJECT: not a JSON object\n");
	assert_int_equal(t.accepted, 2);
	assert_int_equal(t.conflicts, 1);
	assert_int_equal(t.refused, 3);
	strbuf_fini(&t.status);
}

/* What was refused is in quarantine under its code; what is stored stays as it was. */
static void
refused_objects_are_kept(void **state)
{
	struct world *w = *state;

	world_put(w, "near", ENVELOPE(w, ind(w, 1, GREEN), "{\"type\":\"x\"}"));
	world_put(w, "next", ENVELOPE(w, obj(w, "indicator", 1, "\"pattern\":\"other\","),
	    ind(w, 2, "\"created_by_ref\":\"identity--99999999-9999-4999-8999-999999999999\",")));
	assert_string_equal(world_quarantine(w), "MISSING_PROPERTY ,"
	    "VERSION_CONFLICT indicator--00000000-0000-4000-8000-000000000001,"
	    "IDENTITY_MISMATCH indicator--00000000-0000-4000-8000-000000000002");
	assert_string_equal(world_has(w, "kept", NULL), "indicator 1");
}

/* Nothing can be read: who waits is told where and why; from a folder it goes to quarantine. */
static void
unreadable_wholes(void **state)
{
	struct world *w = *state;
	struct intake_message m = world_message(w, "near", SLICE_LIT("{\"objects\":[}"));
	struct taken t;

	m.status_user = "near";
	t = world_send(w, &m);
	assert_int_equal(t.error, ERR_SYNTAX);
	assert_false(t.retryable);
	assert_string_equal(world_quarantine(w), "");
	m.status_user = NULL;
	m.source = "spool:drop";
	m.from = NULL;
	t = world_send(w, &m);
	assert_int_equal(t.error, ERR_SYNTAX);
	assert_false(t.retryable);
	assert_string_equal(world_quarantine(w), "syntax ");
}

/* refuse-loss: a file of which too much would be lost is refused as a whole, and kept; within the limit, and
 * without one, what can be read is taken. */
static void
too_much_would_be_lost(void **state)
{
	struct world *w = *state;
	static const char body[] = "<IODEF-Document xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\" version=\"2.00\">"
	    "<Incident purpose=\"watch\" restriction=\"green\"><IncidentID name=\"csirt.example\">7</IncidentID>"
	    "<GenerationTime>2026-03-01T08:00:00Z</GenerationTime><Contact role=\"creator\" type=\"organization\">"
	    "<ContactName>CSIRT</ContactName></Contact></Incident>"
	    "<Incident purpose=\"watch\" restriction=\"green\"><IncidentID name=\"csirt.example\">8</IncidentID>"
	    "</Incident></IODEF-Document>";
	struct intake_message m = world_message(w, "near", SLICE_LIT(body));
	struct taken t;

	m.format = NULL;
	m.envelope = false;
	m.source = "spool:drop";
	m.from = NULL;
	assert_true(loss_limit_parse(SLICE_LIT("1.5%"), &m.refuse_loss));
	t = world_send(w, &m);
	assert_int_equal(t.error, ERR_VALUE);
	assert_false(t.retryable);
	assert_string_equal(world_has(w, "kept", NULL), "");
	assert_string_equal(world_quarantine(w), "LOSS ");
	assert_true(loss_limit_parse(SLICE_LIT("50%"), &m.refuse_loss));
	t = world_send(w, &m);
	assert_int_equal(t.error, ERR_NONE);
	assert_true(t.accepted > 0);
	assert_int_equal(intake_in_work(w->g.intake), 0);
}

/* A bundle, a bare object or an empty list is no envelope. */
static void
envelopes_only(void **state)
{
	static const char *const bad[] = { "{\"objects\":[]}", "[]", "{}", "7",
		"{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\"}",
		"{\"type\":\"malware\",\"id\":\"malware--00000000-0000-4000-8000-000000000001\"}",
		"{\"objects\":{}}" };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct taken t = world_put(w, "near", slice_of(bad[i]));

		if (t.error != ERR_VALUE || t.retryable)
			fail_msg("%s: %d %s", bad[i], t.error, t.reason);
	}
}

/* ---- steps that fail (design.md 3) ---- */

/* Step 7: the store cannot write. The sender hears of it and tries again; the claims are free, so that
 * anybody's next try is no duplicate; nothing is there. */
static void
full_disk(void **state)
{
	struct world *w = *state;
	struct slice body = ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, GREEN));
	struct dedup_figures f;
	struct taken t;

	world_break(w, true, false);
	t = world_put(w, "near", body);
	assert_int_equal(t.error, ERR_STORE);
	assert_true(t.retryable);
	world_mend(w);
	dedup_figures(w->g.dedup, &f);
	assert_int_equal(f.local_entries, 0);
	assert_string_equal(world_has(w, "kept", NULL), "");
	t = world_put(w, "near", body);
	assert_int_equal(t.accepted, 2);
	assert_int_equal(intake_in_work(w->g.intake), 0);
}

/* A whole that should go to quarantine and cannot: try again, not "refused for good". */
static void
full_disk_and_unreadable(void **state)
{
	struct world *w = *state;
	struct taken t;

	world_break(w, true, false);
	t = world_put(w, "spool:drop", SLICE_LIT("{"));
	assert_int_equal(t.error, ERR_STORE);
	assert_true(t.retryable);
}

/* Step 5: policy refuses. The claim is released, so that the same object is taken from who may send it. */
static void
refusal_frees_the_claim(void **state)
{
	struct world *w = *state;
	struct slice body = ENVELOPE(w, ind(w, 1,
	    "\"created_by_ref\":\"identity--99999999-9999-4999-8999-999999999999\","));
	struct dedup_figures f;
	struct taken t = world_put(w, "next", body);

	assert_int_equal(t.refused, 1);
	assert_int_equal(t.accepted, 0);
	dedup_figures(w->g.dedup, &f);
	assert_int_equal(f.local_entries, 0);
	t = world_put(w, "near", body);
	assert_int_equal(t.accepted, 1);
	dedup_figures(w->g.dedup, &f);
	assert_int_equal(f.local_entries, 1);
	assert_int_equal(f.seen, 0);
}

/* Step 4: seen before is a sighting and a success; the store decides, not the claim. */
static void
seen_twice(void **state)
{
	struct world *w = *state;
	struct slice body = ENVELOPE(w, ind(w, 1, GREEN));
	struct taken t;

	world_put(w, "near", body);
	t = world_put(w, "soc", body);
	assert_int_equal(t.known, 1);
	assert_int_equal(t.sightings, 1);
	assert_int_equal(t.accepted, 0);
	assert_int_equal(t.queued, 0);
}

/* ---- large messages ---- */

/* An identity and 1,000 tools, then, in the second part, a bad object, an observable, and indicators that
 * the identity created: the status has them all in order, nothing counts twice, and the identity stands in
 * the view that only the indicators match. */
static void
a_message_in_parts(void **state)
{
	struct world *w = *state;
	const char *maker = oid(w, "identity", 1);
	struct intake_message m = world_message(w, "soc", SLICE_EMPTY);
	struct strbuf b = STRBUF_INIT, want = STRBUF_INIT;
	struct taken t;

	strbuf_addf(&b, "{\"objects\":[%s", obj(w, "identity", 1, GREEN));
	for (int i = 1; i <= 1000; i++)
		strbuf_addf(&b, ",%s", obj(w, "tool", i, GREEN));
	strbuf_adds(&b, ",7,{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--00000000-0000-4000-8000-000000000009\","
	    "\"value\":\"192.0.2.1\"}");
	for (int i = 1; i <= 20; i++)
		strbuf_addf(&b, ",%s", ind(w, i, arena_fmt(w->mem, GREEN "\"created_by_ref\":\"%s\",", maker)));
	strbuf_adds(&b, "]}");
	m.body = strbuf_slice(&b);
	m.status_user = "soc";
	for (int again = 0; again < 2; again++) {
		t = world_send(w, &m);
		assert_int_equal(t.error, ERR_NONE);
		assert_int_equal(t.accepted, again ? 0 : 1022);
		assert_int_equal(t.known, again ? 1022 : 0);
		assert_int_equal(t.refused, 1);
		strbuf_addf(&want, "%s 2023-01-01T00:00:00.000Z ok\n", maker);
		for (int i = 1; i <= 1000; i++)
			strbuf_addf(&want, "%s 2023-01-01T00:00:00.000Z ok\n", oid(w, "tool", i));
		strbuf_adds(&want, "unknown unknown BAD_OBJECT: not a JSON object\nipv4-addr");
		assert_memory_equal(t.status.p, want.p, want.n);
		assert_int_equal(world_count(t.status.p, " ok\n"), 1022);
		strbuf_reset(&want);
		strbuf_fini(&t.status);
	}
	assert_non_null(strstr(world_has(w, "feed", NULL), "identity 1"));
	assert_int_equal(world_count(world_audit(w), "\"part\":2"), 2);
	assert_int_equal(world_count(world_quarantine(w), "BAD_OBJECT"), 2);
	strbuf_fini(&want);
	strbuf_fini(&b);
}

/* The second part cannot be stored: the sender is told to come again, and then nothing is missing. */
static void
a_part_that_is_not_stored(void **state)
{
	struct world *w = *state;
	struct intake_message m = world_message(w, "soc", SLICE_EMPTY);
	struct strbuf b = STRBUF_INIT;
	struct taken t;

	strbuf_addf(&b, "{\"objects\":[%s", obj(w, "tool", 0, GREEN));
	for (int i = 1; i < 1500; i++)
		strbuf_addf(&b, ",%s", obj(w, "tool", i, GREEN));
	strbuf_adds(&b, "]}");
	m.body = strbuf_slice(&b);
	m.status_user = "soc";
	world_break(w, true, false);
	t = world_send(w, &m);
	assert_int_equal(t.error, ERR_STORE);
	assert_true(t.retryable);
	strbuf_fini(&t.status);
	world_mend(w);
	t = world_send(w, &m);
	assert_int_equal(t.accepted + t.known, 1500);
	assert_int_equal(world_count(t.status.p, " ok\n"), 1500);
	strbuf_fini(&t.status);
	assert_int_equal(translate_in_work(w->g.translate), 0);
	strbuf_fini(&b);
}

/* Step 2: too many in work. The next is told at once to come again, and takes no memory. */
static void
full_queue(void **state)
{
	struct world *w = *state;
	struct slice body = ENVELOPE(w, ind(w, 1, GREEN));
	struct intake_message m = world_message(w, "near", body);
	size_t max = w->g.config->limits.intake_queue;
	struct taken *t = arena_alloc(w->mem, (max + 1) * sizeof(*t));

	for (size_t i = 0; i <= max; i++)
		intake_submit(w->g.intake, &m, world_on_taken, &t[i]);
	assert_int_equal(intake_in_work(w->g.intake), max);
	assert_int_equal(t[max].calls, 1);
	assert_int_equal(t[max].error, ERR_BUSY);
	assert_true(t[max].retryable);
	world_turn(w);
	for (size_t i = 0; i < max; i++) {
		assert_int_equal(t[i].calls, 1);
		assert_int_equal(t[i].accepted + t[i].known, 1);
		strbuf_fini(&t[i].status);
	}
	strbuf_fini(&t[max].status);
}

/* A reload between routing and the commit: names of peers come from a trust that is gone (ASan sees). */
static void
reload_before_the_commit(void **state)
{
	struct world *w = *state;
	struct taken t = { .status = STRBUF_INIT };
	struct intake_message m = world_message(w, "soc", ENVELOPE(w, ind(w, 1, GREEN)));
	struct trust *held = trust_hold(w->g.trust);	/* the caller's, of m.from */

	intake_submit(w->g.intake, &m, world_on_taken, &t);
	assert_int_equal(t.calls, 0);
	world_reload(w, NULL, "release own\n    object tlp clear\n    to relation own\n"
	    "consumer soc\n    relation own\n    read *\n");
	world_turn(w);
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.accepted, 1);
	trust_free(held);
}

/* ---- labels ---- */

/* A label that nobody wrote on the object: ours by default, and never weaker than where it comes from. */
static void
unmarked_objects(void **state)
{
	static const struct {
		const char	*label;
		enum tlp	 said, want;	/* by the envelope; at us */
		bool		 by_default;
	} row[] = {
		{ NO_LABEL, TLP_UNSET, TLP_AMBER, true },
		{ NO_LABEL, TLP_CLEAR, TLP_AMBER, true },
		{ NO_LABEL, TLP_AMBER_STRICT, TLP_AMBER_STRICT, true },
		{ GREEN, TLP_AMBER_STRICT, TLP_GREEN, false },
		{ STRICT, TLP_CLEAR, TLP_AMBER_STRICT, false },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct intake_message m = world_message(w, "near",
		    ENVELOPE(w, ind(w, (int)i + 1, row[i].label)));
		struct policy_facts f;
		struct taken t;

		m.relay = (struct intake_relay){ .advisory = "a", .hops = "near", .audience = "",
		    .unmarked = row[i].said };
		t = world_send(w, &m);
		assert_int_equal(t.accepted, 1);
		world_has(w, "kept", &f);
		if (f.tlp != row[i].want || f.tlp_by_default != row[i].by_default)
			fail_msg("row %zu: %s by default %d", i, tlp_word(f.tlp), f.tlp_by_default);
	}
}

/* RED is stored for us alone: a success, in no collection, for no peer. */
static void
red_goes_nowhere(void **state)
{
	struct world *w = *state;
	struct taken t = world_put(w, "soc", ENVELOPE(w, ind(w, 1, RED)));

	assert_int_equal(t.accepted, 1);
	assert_int_equal(t.queued, 0);
	assert_string_equal(world_has(w, "kept", NULL), "");
	assert_string_equal(world_has(w, "all", NULL), "");
	assert_string_equal(world_has(w, "feed", NULL), "");
}

/* What an own spool or a client sends is ours to address; what a partner sends is not. */
static void
origins(void **state)
{
	static const struct { const char *source; enum origin want; } row[] = {
		{ "spool:drop", ORIGIN_OWN }, { "soc", ORIGIN_OWN }, { "dike", ORIGIN_OWN },
		{ "near", ORIGIN_RECEIVED }, { "far", ORIGIN_RECEIVED },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct policy_facts f;

		world_put(w, row[i].source, ENVELOPE(w, ind(w, (int)i + 1, GREEN)));
		world_has(w, "kept", &f);
		assert_int_equal(f.origin, row[i].want);
	}
}

/* ---- what is written down ---- */

/* The audit log names objects by keyed hashes and quotes nothing of them. */
static void
audit_has_no_content(void **state)
{
	struct world *w = *state;
	const char *log;

	world_put(w, "near", ENVELOPE(w, obj(w, "malware", 1, "\"name2\":\"CANARY\","),
	    "{\"type\":\"CANARY\",\"id\":\"CANARY\"}",
	    "{\"type\":\"malware\",\"id\":\"malware--00000000-0000-4000-8000-000000000002\","
	    "\"created\":\"CANARY\"}"));
	world_put(w, "spool:x", SLICE_LIT("{\"objects\":[{\"CANARY\":CANARY}]}"));
	log = world_audit(w);
	assert_int_equal(world_count(log, "CANARY"), 0);
	assert_int_equal(world_count(log, "malware--"), 0);
	assert_int_equal(world_count(log, "\"ev\":\"refused\""), 3);
	assert_int_equal(world_count(log, "\"ev\":\"intake\""), 2);
}

/* Warnings stay with their object, in their order. */
static void
warn(void *arg, const struct store_object *o, const struct err *e)
{
	assert_null(e);
	snprintf(arg, 512, "%s", o->warnings);
}

static void
warnings_stay_with_their_object(void **state)
{
	struct world *w = *state;
	char text[512];

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN), obj(w, "indicator", 2, ""),
	    ind(w, 3, GREEN)));
	store_object(w->g.store, slice_of(oid(w, "indicator", 1)), warn, text);
	assert_string_equal(text, "");
	store_object(w->g.store, slice_of(oid(w, "indicator", 2)), warn, text);
	assert_non_null(strstr(text, "pattern"));
	store_object(w->g.store, slice_of(oid(w, "indicator", 3)), warn, text);
	assert_string_equal(text, "");
}

#define ONE(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define LOOP(f)	cmocka_unit_test_setup_teardown(f, set_up_loop, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(status_follows_the_envelope), ONE(refused_objects_are_kept),
		ONE(unreadable_wholes), ONE(too_much_would_be_lost), ONE(envelopes_only), ONE(full_disk), LOOP(full_disk),
		ONE(full_disk_and_unreadable), ONE(refusal_frees_the_claim), ONE(seen_twice),
		LOOP(a_message_in_parts), LOOP(reload_before_the_commit), ONE(unmarked_objects),
	LOOP(a_part_that_is_not_stored), LOOP(reload_before_the_commit), ONE(unmarked_objects),
	LOOP(full_queue), LOOP(reload_before_the_commit), ONE(unmarked_objects),
		ONE(red_goes_nowhere), ONE(origins), ONE(audit_has_no_content),
		ONE(warnings_stay_with_their_object),
	};

	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
