/* If this fails, an advisory runs in circles among CERTs, reaches a collection it does not belong in, or
 * one hostile envelope stops a node. */
#include "fixture_gateway.h"

#include "gateway/router.h"
#include "formats/format.h"

/* One routed message. */
struct routed {
	struct advisory		 adv;
	struct store_put	*puts;
	struct policy_facts	*facts;
};

static struct routed
route_of(struct world *w, const char *source, const char *hops, struct slice body, const uint64_t *loss)
{
	static const char *const kept[] = { "kept", NULL };
	const struct read_job job = { .in = body, .input = "t" };
	struct route_in in = { .trust = w->g.trust, .source = source, .collections = kept,
	    .hops = hops, .loss = loss };
	struct routed r = { .puts = NULL };
	struct err e = ERR_INIT;

	if (format_stix21.read(&job, w->mem, &r.adv, &e) < 0)
		fail_msg("%s", e.reason);
	r.puts = arena_alloc(w->mem, (r.adv.n + 1) * sizeof(*r.puts));
	r.facts = arena_alloc(w->mem, (r.adv.n + 1) * sizeof(*r.facts));
	for (size_t i = 0; i < r.adv.n; i++) {
		r.puts[i].object = &r.adv.objects[i];
		policy_facts_of(w->g.trust, &r.adv.objects[i], ORIGIN_RECEIVED, &r.facts[i]);
	}
	in.facts = r.facts;
	router_route(&w->g, &in, w->mem, r.puts, r.adv.n);
	return r;
}

static struct routed
route(struct world *w, const char *source, const char *hops, struct slice body)
{
	return route_of(w, source, hops, body, NULL);
}

/* "kept feed? | near next" -- collections (? distinct) and peers of a put. */
static const char *
told(struct world *w, const struct store_put *p)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	for (size_t c = 0; c < catalog_count(w->g.catalog); c++) {
		const struct collection_conf *col = catalog_at(w->g.catalog, c);

		for (size_t i = 0; i < p->ncollections; i++)
			if (p->collections[i] == col->cid)
				strbuf_addf(&b, "%s ", col->name);
		for (size_t i = 0; i < p->nviews; i++)
			if (p->views[i] == col->cid)
				strbuf_addf(&b, "%s ", col->name);
		for (size_t i = 0; i < p->ndistinct; i++)
			if (p->distinct[i] == col->cid)
				strbuf_addf(&b, "%s? ", col->name);
	}
	strbuf_adds(&b, "|");
	for (size_t i = 0; i < p->npeers; i++)
		strbuf_addf(&b, " %s", p->peers[i]);
	text = arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static void
who_wants_it(void **state)
{
	static const struct { const char *source, *hops, *label, *want; } row[] = {
		{ "soc", "", GREEN, "kept feed? all | near next" },
		{ "near", "near", GREEN, "kept feed? all | next" },	/* not back */
		{ "near", "next,near", GREEN, "kept feed? all |" },	/* not in circles */
		{ "near", "x, next ,near", GREEN, "kept feed? all |" },
		{ "near", "nextdoor,near", GREEN, "kept feed? all | next" },
		{ "soc", "", STRICT, "kept feed? all | near next" },	/* policy says later */
		{ "soc", "", RED, "|" },
		{ "far", "a,b,c,d,e,f,far", GREEN, "kept feed? all | near next" },
		{ "far", "a,b,c,d,e,f,g,far", GREEN, "kept feed? all |" },	/* eight hops */
	};
	struct world *w = world_new(NULL, NULL, false);

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct routed r = route(w, row[i].source, row[i].hops,
		    ENVELOPE(w, ind(w, 1, row[i].label)));
		const char *have = told(w, &r.puts[0]);

		if (strcmp(have, row[i].want) != 0)
			fail_msg("%s via %s: %s", row[i].source, row[i].hops, have);
	}
	world_free(w);
}

/* A route adds kept collections for its sources and kinds; a view is nowhere to be put. */
static void
routes_add(void **state)
{
	const char *conf = "node here\n    sign-key k\n    audit-key k\n    dedup-key k\n"
	    "store\n    path memory\ncollection kept\ncollection other\n"
	    "route some\n    from near soc\n    kinds malware\n    collections other\n";
	struct world *w = world_new(conf, NULL, false);
	struct routed r = route(w, "near", "near", ENVELOPE(w, ind(w, 1, GREEN),
	    obj(w, "malware", 2, GREEN)));

	(void)state;
	assert_string_equal(told(w, &r.puts[0]), "kept | next");
	assert_string_equal(told(w, &r.puts[1]), "kept other | next");
	r = route(w, "far", "far", ENVELOPE(w, obj(w, "malware", 2, GREEN)));
	assert_string_equal(told(w, &r.puts[0]), "kept | near next");
	world_free(w);
}

/* Supporting objects join what names them, at one remove too; a RED one joins nothing. */
static void
supporters_are_lent(void **state)
{
	const char *conf = "node here\n    sign-key k\n    audit-key k\n    dedup-key k\n"
	    "store\n    path memory\ncollection kept\n"
	    "collection feed\n    mode view\n    kinds indicator\n"
	    "collection one\n    mode view\n    kinds indicator\n    distinct yes\n";
	struct world *w = world_new(conf, NULL, false);
	const char *by1 = "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000001\",";
	const char *by2 = "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000002\",";
	const char *by3 = "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000003\",";
	struct routed r = route(w, "soc", "", ENVELOPE(w, obj(w, "identity", 1, by2),
	    obj(w, "identity", 2, GREEN), obj(w, "identity", 3, RED), obj(w, "identity", 4, GREEN),
	    ind(w, 1, by1), ind(w, 2, by3), obj(w, "malware", 7, by1)));

	(void)state;
	assert_string_equal(told(w, &r.puts[0]), "kept feed one | near next");
	assert_string_equal(told(w, &r.puts[1]), "kept feed one | near next");
	assert_string_equal(told(w, &r.puts[2]), "|");
	assert_string_equal(told(w, &r.puts[3]), "kept | near next");
	world_free(w);
}

/* Twenty thousand versions of one identity, named by twenty thousand objects: pairs of them would be four
 * hundred million. The lists of peers are one list. */
static void
hostile_envelopes(void **state)
{
	enum { N = 20000 };
	struct world *w = world_new(NULL, NULL, false);
	struct strbuf b = STRBUF_INIT;
	struct routed r;

	(void)state;
	strbuf_adds(&b, "{\"objects\":[");
	for (int i = 0; i < N; i++)
		strbuf_addf(&b, "%s{\"type\":\"identity\",\"name\":\"x\",\"id\":"
		    "\"identity--00000000-0000-4000-8000-000000000001\",\"created\":"
		    "\"2023-01-01T00:00:00Z\",\"modified\":\"2023-01-01T00:00:00.%06dZ\"},"
		    "{\"type\":\"malware\",\"id\":\"malware--00000000-0000-4000-8000-%012d\","
		    "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000001\"}",
		    i > 0 ? "," : "", i, i);
	strbuf_adds(&b, "]}");
	r = route(w, "soc", "", strbuf_slice(&b));
	assert_int_equal(r.adv.n, 2 * N);
	assert_ptr_equal(r.puts[0].peers, r.puts[2 * N - 2].peers);
	assert_int_equal(r.puts[2 * N - 2].ncollections + r.puts[2 * N - 2].nviews, 2);
	strbuf_fini(&b);
	world_free(w);
}

/* refuse-loss of a route: it leaves out what was translated badly; the sender's own place and the others stay. */
static void
a_route_refuses_what_lost_too_much(void **state)
{
	const char *conf = "node here\n    sign-key k\n    audit-key k\n    dedup-key k\n"
	    "store\n    path memory\ncollection kept\ncollection other\ncollection third\n"
	    "route careful\n    from near\n    collections other\n    refuse-loss 10%\n"
	    "route open\n    collections third\n";
	static const uint64_t little[LOSS_KINDS] = { [LOSS_KEPT] = 90, [LOSS_DROPPED] = 10 };
	static const uint64_t much[LOSS_KINDS] = { [LOSS_KEPT] = 89, [LOSS_DROPPED] = 11 };
	struct world *w = world_new(conf, NULL, false);
	struct slice body = ENVELOPE(w, ind(w, 1, GREEN));
	struct route_in in = { .trust = w->g.trust, .source = "near", .loss = much };
	struct err e = ERR_INIT;
	struct routed r;
	size_t at = 0;

	(void)state;
	r = route_of(w, "near", "near", body, little);
	assert_string_equal(told(w, &r.puts[0]), "kept other third | next");
	r = route_of(w, "near", "near", body, much);
	assert_string_equal(told(w, &r.puts[0]), "kept third | next");
	r = route_of(w, "near", "near", body, NULL);
	assert_string_equal(told(w, &r.puts[0]), "kept other third | next");
	assert_true(router_asks_loss(&w->g, "near"));
	assert_false(router_asks_loss(&w->g, "far"));
	assert_string_equal(router_refusal(&w->g, &in, &at, &e)->name, "careful");
	assert_string_equal(e.reason, "11 of 100 fields would be lost, more than refuse-loss 10% allows");
	assert_null(router_refusal(&w->g, &in, &at, &e));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_wants_it), cmocka_unit_test(routes_add),
		cmocka_unit_test(a_route_refuses_what_lost_too_much),
		cmocka_unit_test(supporters_are_lent), cmocka_unit_test(hostile_envelopes),
	};

	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
