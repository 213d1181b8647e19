/* If this fails, a dashboard shows what is not so, or a process that lies about its figures harms the one that
 * gathers them. */
#include "fixture_gateway.h"

#include <math.h>
#include <string.h>

#include "gateway/base/wire.h"
#include "gateway/health.h"
#include "gateway/process.h"

/* ---- the table ---- */

static const struct { const char *name, *labels, *help; } table[] = {
#define X(id, kind, of, name, labels, help) { name, labels, help },
	STATS_TABLE(X)
#undef X
};

static void
test_names_are_as_prometheus_wants_them(void **state)
{
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < STATS; i++) {
		assert_true(strncmp(table[i].name, "tocsin_", 7) == 0);
		assert_int_equal(strspn(table[i].name, "abcdefghijklmnopqrstuvwxyz_"),
		    strlen(table[i].name));
		assert_true(table[i].help[0] != '\0');
		assert_null(strpbrk(table[i].help, "\\\n"));
		assert_true(table[i].help[strlen(table[i].help) - 1] != '.');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(table[i].name, table[k].name);
	}
	stats_print_reference(&b);
	assert_non_null(strstr(b.p, "\\fBtocsin_store_group_commits\\fR (histogram; process)"));
	assert_non_null(strstr(b.p, "\\fBtocsin_outbox_objects\\fR (gauge; peer, state)"));
	assert_non_null(strstr(b.p, "\\fBtocsin_ready\\fR (gauge)"));
	strbuf_fini(&b);
}

/* ---- counting ---- */

static void
test_counters_gauges_histograms(void **state)
{
	struct stats *s = stats_new(), *t = stats_new();

	(void)state;
	stats_add(s, STAT_OBJECTS, "new", 2);
	stats_add(s, STAT_OBJECTS, "new", 3);
	stats_add(s, STAT_LOGIN_FAILED, NULL, 1);
	stats_add2(s, STAT_HTTP, "post", "202", 7);
	stats_set(s, STAT_IN_WORK, NULL, 4);
	for (int i = 0; i < 99; i++)
		stats_time(s, "parse", 90);
	stats_time(s, "parse", 3000000);
	assert_int_equal(stats_get(s, STAT_OBJECTS, "new"), 5);
	assert_int_equal(stats_get(s, STAT_OBJECTS, "known"), 0);
	assert_false(stats_has(s, STAT_OBJECTS, "known"));
	assert_float_equal(stats_value2(s, STAT_HTTP, "post", "202"), 7, 0);
	assert_float_equal(stats_quantile(s, STAT_STAGE, "parse", 0.5), 0.0001, 1e-9);
	assert_float_equal(stats_quantile(s, STAT_STAGE, "parse", 0.999), 10, 1e-9);
	assert_float_equal(stats_sum(s, STAT_STAGE, "parse"), 3.00891, 1e-9);

	stats_set(t, STAT_IN_WORK, NULL, 1);
	stats_merge(t, s);
	stats_merge(t, s);
	assert_int_equal(stats_get(t, STAT_OBJECTS, "new"), 10);
	assert_float_equal(stats_value(t, STAT_IN_WORK, NULL), 9, 0);
	assert_float_equal(stats_value(t, STAT_STAGE, "parse"), 200, 0);
	stats_free(s);
	stats_free(t);
}

static void
test_labels_are_bounded(void **state)
{
	struct stats *s = stats_new();
	char label[400];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(label, sizeof(label), "source-%d", i);
		stats_add(s, STAT_ADVISORIES, label, 1);
	}
	assert_int_equal(stats_get(s, STAT_ADVISORIES, "other"), 5000 - STATS_LABELS_MAX);
	memset(label, 'x', sizeof(label) - 1);
	memcpy(label + STATS_LABEL_BYTES - 1, "\xc3\xa4", 2);	/* not cut within a character */
	label[sizeof(label) - 1] = '\0';
	stats_add(s, STAT_SENT, label, 1);
	label[STATS_LABEL_BYTES - 1] = '\0';
	assert_int_equal(stats_get(s, STAT_SENT, label), 1);
	stats_free(s);
}

static void
test_text(void **state)
{
	struct stats *s = stats_new(), *all = stats_new();
	struct strbuf b = STRBUF_INIT;

	(void)state;
	stats_add(s, STAT_ADVISORIES, "a\"b\\c\nd", 1);
	stats_add2(s, STAT_HTTP, "none", "404", 1);
	stats_observe(s, STAT_GROUP, NULL, 3);
	stats_set(all, STAT_READY, NULL, 1);
	stats_merge(all, s);
	stats_print(&b, (struct stats_of[]){ { "worker-0", s }, { "worker-1", s } }, 2, all);
	assert_non_null(strstr(b.p, "\ntocsin_advisories_total{process=\"worker-1\","
	    "source=\"a\\\"b\\\\c\\nd\"} 1\n"));
	assert_non_null(strstr(b.p, "\ntocsin_ready 1\n"));
	assert_non_null(strstr(b.p, "{process=\"worker-0\",route=\"none\",status=\"404\"} 1\n"));
	assert_non_null(strstr(b.p, "_bucket{process=\"worker-0\",le=\"2\"} 0\n"));
	assert_non_null(strstr(b.p, "_bucket{process=\"worker-0\",le=\"+Inf\"} 1\n"));
	assert_null(strstr(strstr(b.p, "# TYPE tocsin_advisories_total") + 1,
	    "# TYPE tocsin_advisories_total"));
	strbuf_fini(&b);
	stats_free(s);
	stats_free(all);
}

/* ---- from one process to another ---- */

static void
test_packed_and_unpacked(void **state)
{
	struct stats *s = stats_new(), *t;
	struct strbuf b = STRBUF_INIT, c = STRBUF_INIT;
	struct wire w;

	(void)state;
	stats_add(s, STAT_OBJECTS, "new", 5);
	stats_add2(s, STAT_HTTP, "post", "202", 7);
	stats_set(s, STAT_DISK_FREE, NULL, 1e12);
	stats_time(s, "parse", 1234);
	stats_observe(s, STAT_GROUP, NULL, 256);
	stats_pack(&b, s);
	wire_open(&w, strbuf_slice(&b));
	t = stats_unpack(&w);
	assert_non_null(t);
	assert_true(wire_done(&w));
	stats_pack(&c, t);
	assert_int_equal(b.n, c.n);
	assert_memory_equal(b.p, c.p, b.n);
	stats_free(t);
	/* cut anywhere: refused */
	for (size_t n = 0; n < b.n; n++) {
		wire_open(&w, slice_from(b.p, n));
		t = stats_unpack(&w);
		assert_true(t == NULL || !wire_done(&w));
		stats_free(t);
	}
	strbuf_fini(&b);
	strbuf_fini(&c);
	stats_free(s);
}

/* One series of the first metric that has such labels, as a liar would write it. */
static bool
takes(enum stats_id id, const char *label, double v, int times)
{
	struct strbuf b = STRBUF_INIT;
	struct stats *t;
	struct wire w;

	wire_put_u32(&b, STATS);
	for (enum stats_id i = 0; i < STATS; i++) {
		wire_put_u32(&b, i == id ? (uint32_t)times : 0);
		for (int k = 0; i == id && k < times; k++) {
			wire_put_string(&b, label);
			wire_put_f64(&b, v);
		}
	}
	wire_open(&w, strbuf_slice(&b));
	t = stats_unpack(&w);
	strbuf_fini(&b);
	stats_free(t);
	return t != NULL;
}

static void
test_lies_are_not_taken(void **state)
{
	char long_label[STATS_LABEL_BYTES + 2];

	(void)state;
	memset(long_label, 'x', sizeof(long_label) - 1);
	long_label[sizeof(long_label) - 1] = '\0';
	assert_true(takes(STAT_OBJECTS, "new", 1, 1));
	assert_true(takes(STAT_DISK_FREE, NULL, 0, 1));
	assert_false(takes(STAT_OBJECTS, "new", 1, 2));			/* twice */
	assert_false(takes(STAT_OBJECTS, NULL, 1, 1));
	assert_false(takes(STAT_DISK_FREE, "x", 1, 1));
	assert_false(takes(STAT_OBJECTS, "new", -1, 1));
	assert_false(takes(STAT_OBJECTS, "new", NAN, 1));
	assert_false(takes(STAT_DISK_FREE, NULL, INFINITY, 1));
	assert_false(takes(STAT_OBJECTS, "\xff", 1, 1));
	assert_false(takes(STAT_OBJECTS, "a\x1f"
					 "b",
	    1, 1));
	assert_true(takes(STAT_HTTP, "a\x1f"
				     "b",
	    1, 1));
	assert_false(takes(STAT_HTTP, "a\x1f"
				      "b\x1f"
				      "c",
	    1, 1));
	assert_false(takes(STAT_OBJECTS, long_label, 1, 1));
	assert_false(takes(STAT_OBJECTS, "new", 1, STATS_LABELS_MAX + 2));
}

/* ---- the desk ---- */

struct asked {
	uint64_t	 id;
	int		 times;
	int		 answers;
	size_t		 n;
	bool		 whole, late;
	char		 names[200];
	double		 objects;
	struct figures_desk *desk;
};

static bool
ask(void *ctx, uint64_t id)
{
	struct asked *a = ctx;

	a->id = id;
	a->times++;
	return !a->late;
}

static void
on_figures(void *arg, const struct figures *f)
{
	struct asked *a = arg;

	a->answers++;
	a->n = f->n;
	a->whole = f->whole;
	a->names[0] = '\0';
	for (size_t i = 0; i < f->n; i++)
		snprintf(a->names + strlen(a->names), sizeof(a->names) - strlen(a->names), "%s%s ",
		    f->v[i].name, f->v[i].answered ? "" : "?");
	a->objects = stats_value(f->all, STAT_OBJECTS, "new");
}

/* What the master would say of a process. */
static void
report(struct figures_desk *d, uint64_t id, unsigned kind, uint32_t index, uint32_t restarts,
    const struct strbuf *text)
{
	struct strbuf b = STRBUF_INIT;

	wire_put_u8(&b, (uint8_t)kind);
	wire_put_u32(&b, index);
	wire_put_i64(&b, 4711);
	wire_put_u32(&b, restarts);
	wire_put_f64(&b, 1 << 20);
	wire_put_f64(&b, 0.5);
	wire_put_text(&b, text == NULL ? SLICE_EMPTY : strbuf_slice(text));
	figures_report(d, id, strbuf_slice(&b));
	strbuf_fini(&b);
}

static void
test_figures_of_all_processes(void **state)
{
	struct world *w = world_new(NULL, NULL, true);
	struct figures_source own = { .stats = w->g.stats, .g = &w->g }, other = { .sealed = true };
	struct asked a = { 0 };
	struct figures_desk *d = figures_desk_new(w->g.base, &own, ask, &a);
	struct strbuf text = STRBUF_INIT;

	(void)state;
	stats_add(w->g.stats, STAT_OBJECTS, "new", 3);
	other.stats = w->g.stats;
	figures_pack(&other, &text);
	figures_gather(d, on_figures, &a);
	figures_gather(d, on_figures, &a);		/* waits for the same answers */
	assert_int_equal(a.times, 1);
	report(d, a.id + 1, PROCESS_WORKER, 1, 0, &text);	/* of another question */
	report(d, a.id, PROCESS_KINDS, 0, 0, NULL);
	report(d, a.id, PROCESS_STOREKEEPER, 0, 0, NULL);
	report(d, a.id, PROCESS_WORKER, 0, 1, &text);		/* ourselves: in the same place */
	report(d, a.id, PROCESS_WORKER, 1, 0, &text);
	report(d, a.id, PROCESS_TRANSLATOR, 1, 2, &text);
	report(d, a.id, PROCESS_KINDS + 1, 0, 0, &text);	/* no kind */
	report(d, a.id, PROCESS_WORKER, 64, 0, &text);		/* no index */
	strbuf_setlen(&text, text.n - 1);
	report(d, a.id, PROCESS_WORKER, 2, 0, &text);		/* makes no sense: as if silent */
	figures_report(d, a.id, SLICE_LIT("\x01"));
	assert_int_equal(a.answers, 0);
	figures_report(d, a.id, SLICE_EMPTY);
	assert_int_equal(a.answers, 2);
	assert_true(a.whole);
	assert_string_equal(a.names, "master? storekeeper? worker-0 worker-1 translator-1 worker-2? ");
	assert_float_equal(a.objects, 9, 0);
	figures_report(d, a.id, SLICE_EMPTY);			/* too late */
	assert_int_equal(a.answers, 2);
	strbuf_fini(&text);
	figures_desk_free(d);
	world_free(w);
}

static void
test_nobody_waits_for_ever(void **state)
{
	struct world *w = world_new(NULL, NULL, true);
	struct figures_source own = { .stats = w->g.stats, .g = &w->g };
	struct asked a = { 0 }, b = { 0 };
	struct figures_desk *d = figures_desk_new(w->g.base, &own, ask, &a);

	(void)state;
	a.late = true;					/* the master cannot be asked */
	figures_gather(d, on_figures, &a);
	assert_int_equal(a.answers, 1);
	assert_false(a.whole);
	a.late = false;
	figures_gather(d, on_figures, &a);
	figures_gather(d, on_figures, &b);
	figures_forget(d, &b);
	while (a.answers == 1)				/* until the second is over */
		event_base_loop(w->g.base, EVLOOP_ONCE);
	assert_int_equal(a.answers, 2);
	assert_false(a.whole);
	assert_int_equal(b.answers, 0);
	figures_gather(d, on_figures, &b);
	figures_desk_free(d);				/* what waits still hears of it */
	assert_int_equal(b.answers, 1);
	world_free(w);
}

/* ---- health ---- */

/* The words of what is wrong, failures first. */
static const char *
problems_of(struct world *w, const struct figures *f)
{
	struct strbuf b = STRBUF_INIT;
	struct health h;
	const char *out;

	health_look(&h, w->mem, &w->g, f);
	for (size_t i = 0; i < h.n; i++)
		strbuf_addf(&b, "%s%s ", h.v[i].failure ? "!" : "", h.v[i].word);
	assert_int_equal(h.ready, b.p[0] != '!');
	out = arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

static void
test_problems(void **state)
{
	struct world *w = world_new(NULL, NULL, false);
	struct figures_process v[3] = {
		{ .name = "one", .kind = "one", .answered = true, .trouble = "" },
		{ .name = "storekeeper", .kind = "storekeeper", .answered = true, .trouble = "" },
		{ .name = "translator-0", .kind = "translator", .answered = true, .trouble = "" },
	};
	struct figures_link link = { "near", { .state = "waiting", .failures = 7,
	    .last_error = "refused" } };
	struct figures f = { .v = v, .n = 3, .whole = true, .all = stats_new() };

	(void)state;
	for (int i = 0; i < 3; i++)
		v[i].stats = stats_new();
	assert_string_equal(problems_of(w, &f), "!store-away ");
	stats_set(f.all, STAT_STORE_OBJECTS, NULL, 0);
	stats_set(f.all, STAT_DISK_FREE, NULL, 1e12);
	assert_string_equal(problems_of(w, &f), "");
	v[0].links = &link;
	v[0].nlinks = 1;
	stats_set2(f.all, STAT_OUTBOX, "next", "dead", 3);
	assert_string_equal(problems_of(w, &f), "peer-failing peer-dead-letters ");
	v[0].nlinks = 0;
	stats_set2(f.all, STAT_OUTBOX, "next", "dead", 0);
	v[1].trouble = "disk is full";
	v[2].answered = false;
	f.whole = false;
	assert_string_equal(problems_of(w, &f),
	    "!store-not-writable !no-translator figures-late process-silent ");
	v[1].trouble = "";
	v[1].answered = false;
	v[2].answered = f.whole = true;
	v[2].restarts = 3;
	assert_string_equal(problems_of(w, &f), "!storekeeper-away process-restarts ");
	v[1].answered = true;
	v[2].restarts = 0;
	stats_set(f.all, STAT_DISK_FREE, NULL, 1e6);
	stats_set(f.all, STAT_DATE_AHEAD, NULL, 5);
	stats_set(f.all, STAT_CERT, "client", -5);
	stats_set(f.all, STAT_CERT, "listener-1", 86400);
	stats_set(f.all, STAT_PEER_CERT, "near", -86400);
	stats_set(f.all, STAT_LOG_LOST, NULL, 2);
	stats_set(v[0].stats, STAT_REDIS_UP, NULL, 1);
	w->g.draining = 1;
	assert_string_equal(problems_of(w, &f), "!draining !clock-back !disk-full !certificate-ended "
	    "certificate-ends peer-certificate-ended log-lost ");
	w->g.draining = 0;
	stats_free(f.all);
	f.all = stats_new();
	stats_set(f.all, STAT_STORE_OBJECTS, NULL, 0);
	stats_set(f.all, STAT_CRL, "listener-0", -86400);
	stats_set(v[2].stats, STAT_REDIS_UP, NULL, 0);
	stats_set(v[2].stats, STAT_REDIS_AWAY, NULL, 7);
	assert_string_equal(problems_of(w, &f), "redis-away revocation-list-old ");
	stats_free(f.all);
	for (int i = 0; i < 3; i++)
		stats_free(v[i].stats);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_as_prometheus_wants_them),
		cmocka_unit_test(test_counters_gauges_histograms),
		cmocka_unit_test(test_labels_are_bounded),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_packed_and_unpacked),
		cmocka_unit_test(test_lies_are_not_taken),
		cmocka_unit_test(test_figures_of_all_processes),
		cmocka_unit_test(test_nobody_waits_for_ever),
		cmocka_unit_test(test_problems),
	};

	log_setup(-1, false, LOG_OFF);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
