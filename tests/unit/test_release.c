/* If this fails, a peer learns of an object that policy withholds from it. */
#include "fixture_gateway.h"

#include "gateway/release.h"
#include "formats/format.h"

struct parcel {
	struct outbox_item	*items;
	struct release		*out;
	size_t			 n;
	int			 done;
};

static void
on_done(void *arg)
{
	((struct parcel *)arg)->done++;
}

/* What policy says of these objects on their way to `near`. */
static struct parcel
decide(struct world *w, enum origin origin, struct slice body)
{
	const struct peer *near = trust_find(w->g.trust, SLICE_LIT("near"));
	const struct read_job job = { .in = body, .input = "t" };
	struct advisory adv = { .n = 0 };
	struct parcel p = { .done = 0 };
	struct err e = ERR_INIT;

	if (format_stix21.read(&job, w->mem, &adv, &e) < 0)
		fail_msg("%s", e.reason);
	p.n = adv.n;
	p.items = arena_alloc(w->mem, (p.n + 1) * sizeof(*p.items));
	p.out = arena_alloc(w->mem, (p.n + 1) * sizeof(*p.out));
	for (size_t i = 0; i < p.n; i++) {
		const struct object *o = &adv.objects[i];
		struct store_row *r = &p.items[i].row;

		r->id = o->id;
		r->type = o->type;
		r->bytes = o->bytes;
		policy_facts_of(w->g.trust, o, origin, &r->facts);
	}
	release_decide(&w->g, w->g.trust, near, p.items, p.n, w->mem, p.out, on_done, &p);
	world_turn(w);
	assert_int_equal(p.done, 1);
	return p;
}

/* A letter an object: r(elease) d(eny) h(old). */
static const char *
verdicts(struct world *w, const struct parcel *p)
{
	char *text = arena_alloc(w->mem, p->n + 1);

	for (size_t i = 0; i < p->n; i++)
		text[i] = "rdh"[p->out[i].verdict];
	return text;
}

#define VERDICTS(w, origin, ...)						\
	verdicts(w, &(struct parcel[]){ decide(w, origin, ENVELOPE(w, __VA_ARGS__)) }[0])

/* "object_refs":[...] of a report. */
static const char *
refs(struct world *w, const char *a, const char *b)
{
	return arena_fmt(w->mem, GREEN "\"object_refs\":[\"%s\"%s%s%s],", a, b == NULL ? "" : ",\"",
	    b == NULL ? "" : b, b == NULL ? "" : "\"");
}

static const char *
rel(struct world *w, int n, const char *from, const char *to)
{
	return obj(w, "relationship", n, arena_fmt(w->mem, GREEN "\"relationship_type\":\"uses\","
	    "\"source_ref\":\"%s\",\"target_ref\":\"%s\",", from, to));
}

static void
each_by_itself(void **state)
{
	struct world *w = *state;

	assert_string_equal(VERDICTS(w, ORIGIN_OWN, ind(w, 1, GREEN), ind(w, 2, RED),
	    ind(w, 3, AMBER), obj(w, "tool", 4, GREEN)), "rdrd");
	assert_string_equal(VERDICTS(w, ORIGIN_RECEIVED, ind(w, 1, GREEN), ind(w, 3, AMBER),
	    ind(w, 4, NO_LABEL)), "rdd");
}

/* A report or relationship that names what is withheld stays, and so does what names that one. */
static void
naming_is_telling(void **state)
{
	struct world *w = *state;
	struct parcel p = decide(w, ORIGIN_OWN, ENVELOPE(w, ind(w, 1, RED), ind(w, 2, GREEN),
	    obj(w, "report", 3, refs(w, oid(w, "indicator", 2), oid(w, "indicator", 1))),
	    rel(w, 4, oid(w, "indicator", 2), oid(w, "report", 3)),
	    rel(w, 5, oid(w, "indicator", 2), oid(w, "relationship", 4)),
	    obj(w, "report", 6, refs(w, oid(w, "indicator", 2), NULL))));

	assert_string_equal(verdicts(w, &p), "drdddr");
	assert_string_equal(p.out[4].why, "names an object that is withheld from this peer");
	assert_true(slice_is(p.out[4].about, oid(w, "relationship", 4)));
}

/* The chain may be as long as it likes, and lie in any order. */
static void
long_chains(void **state)
{
	enum { N = 60 };
	struct world *w = *state;

	for (int backwards = 0; backwards < 2; backwards++) {
		struct strbuf b = STRBUF_INIT;
		struct parcel p;

		strbuf_addf(&b, "{\"objects\":[%s", ind(w, 1, RED));
		for (int i = 1; i <= N; i++) {
			int n = backwards ? N + 1 - i : i;

			strbuf_addf(&b, ",%s", rel(w, n, oid(w, "indicator", 7), n == 1 ?
			    oid(w, "indicator", 1) : oid(w, "relationship", n - 1)));
		}
		strbuf_adds(&b, "]}");
		p = decide(w, ORIGIN_OWN, strbuf_slice(&b));
		for (size_t i = 0; i < p.n; i++)
			assert_int_equal(p.out[i].verdict, POLICY_DENY);
		strbuf_fini(&b);
	}
}

/* Circles end. */
static void
circles(void **state)
{
	struct world *w = *state;
	const char *a = oid(w, "report", 1), *b = oid(w, "report", 2), *c = oid(w, "report", 3);

	assert_string_equal(VERDICTS(w, ORIGIN_OWN, obj(w, "report", 1, refs(w, b, NULL)),
	    obj(w, "report", 2, refs(w, a, NULL))), "rr");
	assert_string_equal(VERDICTS(w, ORIGIN_OWN, obj(w, "report", 1, refs(w, b, a)),
	    obj(w, "report", 2, refs(w, c, NULL)), obj(w, "report", 3, refs(w, a, "indicator--"
	    "00000000-0000-4000-8000-000000000009")), ind(w, 9, RED)), "dddd");
}

/* What is named and is not in the parcel: the store knows what it is. */
static void
named_elsewhere(void **state)
{
	struct world *w = *state;

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, RED), ind(w, 2, GREEN),
	    obj(w, "identity", 3, GREEN), obj(w, "identity", 4, RED)));
	assert_string_equal(VERDICTS(w, ORIGIN_OWN,
	    obj(w, "report", 1, refs(w, oid(w, "indicator", 1), NULL)),	/* withheld */
	    obj(w, "report", 2, refs(w, oid(w, "indicator", 2), NULL)),
	    obj(w, "report", 3, refs(w, oid(w, "indicator", 77), NULL)),	/* nobody has it */
	    obj(w, "report", 4, refs(w, oid(w, "identity", 3), NULL)),	/* a supporting one */
	    obj(w, "report", 5, refs(w, oid(w, "identity", 4), NULL)),	/* RED is RED */
	    obj(w, "report", 6, refs(w, oid(w, "report", 1), NULL)),
	    rel(w, 7, oid(w, "report", 6), oid(w, "report", 2))), "drrrddd");
}

/* The store cannot say what it is: it waits, and is looked at soon. */
static void
store_does_not_answer(void **state)
{
	struct world *w = *state;
	struct parcel p;

	world_break(w, false, true);
	p = decide(w, ORIGIN_OWN, ENVELOPE(w,
	    obj(w, "report", 1, refs(w, oid(w, "indicator", 1), NULL)), ind(w, 2, GREEN),
	    rel(w, 3, oid(w, "indicator", 2), oid(w, "report", 1))));
	assert_string_equal(verdicts(w, &p), "hrh");
	assert_true(p.out[0].look_again_us <= clock_wall_us() + 60 * 1000000);
}

/* Creators and markings travel with what names them, and only then. */
static void
supporting_objects(void **state)
{
	struct world *w = *state;
	const char *by1 = "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000001\",";
	const char *by2 = "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000002\",";
	char more[256], both[256];

	snprintf(more, sizeof(more), "%s%s", GREEN, by1);
	snprintf(both, sizeof(both), "%s%s", GREEN, by2);
	/* named by something that goes: goes, and its own creator too */
	assert_string_equal(VERDICTS(w, ORIGIN_OWN, ind(w, 1, more), obj(w, "identity", 1, both),
	    obj(w, "identity", 2, GREEN), obj(w, "identity", 3, GREEN)), "rrrd");
	/* named by nothing, by what is denied, or RED itself */
	snprintf(more, sizeof(more), "%s%s", RED, by1);
	assert_string_equal(VERDICTS(w, ORIGIN_OWN, ind(w, 1, more), obj(w, "identity", 1, GREEN)),
	    "dd");
	snprintf(more, sizeof(more), "%s%s", GREEN, by1);
	assert_string_equal(VERDICTS(w, ORIGIN_OWN, ind(w, 1, more), obj(w, "identity", 1, RED)),
	    "rd");
	/* the only thing that names it is withheld late, for what it names */
	assert_string_equal(VERDICTS(w, ORIGIN_OWN, ind(w, 9, RED), obj(w, "report", 1,
	    arena_fmt(w->mem, "%s%s", by1, refs(w, oid(w, "indicator", 9), NULL))),
	    obj(w, "identity", 1, GREEN)), "ddd");
}

/* More references than one turn of the loop looks up, and everybody else has his turns. */
static void
large_reports(void **state)
{
	enum { N = 1500 };
	struct world *w = *state;
	struct strbuf b = STRBUF_INIT;
	struct parcel p;

	world_put(w, "soc", ENVELOPE(w, ind(w, N, RED)));
	for (int bad = 0; bad < 2; bad++) {
		strbuf_reset(&b);
		strbuf_adds(&b, GREEN "\"object_refs\":[");
		for (int i = 0; i < N + bad; i++)
			strbuf_addf(&b, "%s\"%s\"", i > 0 ? "," : "", oid(w, "indicator", i));
		strbuf_adds(&b, "],");
		p = decide(w, ORIGIN_OWN, ENVELOPE(w, obj(w, "report", 1, b.p)));
		assert_int_equal(p.out[0].verdict, bad ? POLICY_DENY : POLICY_RELEASE);
	}
	strbuf_fini(&b);
}

/* A redaction that applies cannot be done yet: held, never released bare; what names it waits too. */
static void
redactions_hold(void **state)
{
	struct world *w = *state;
	const char *more = "redact victims\n    object kind malware\n    to relation partner\n"
	    "    victim person drop\n";
	struct parcel p;

	world_reload(w, NULL, arena_fmt(w->mem, "%s%s", world_trust, more));
	p = decide(w, ORIGIN_OWN, ENVELOPE(w, obj(w, "malware", 1, GREEN), ind(w, 2, GREEN),
	    rel(w, 3, oid(w, "indicator", 2), oid(w, "malware", 1))));
	assert_string_equal(verdicts(w, &p), "hrh");
	assert_int_equal(p.out[0].reason, REDACTION_NOT_BUILT);
}

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

#define ONE(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define LOOP(f)	cmocka_unit_test_setup_teardown(f, set_up_loop, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(each_by_itself), ONE(naming_is_telling), ONE(long_chains), ONE(circles),
		ONE(named_elsewhere), ONE(store_does_not_answer), ONE(supporting_objects),
		ONE(large_reports), LOOP(large_reports), ONE(redactions_hold),
	};

	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
