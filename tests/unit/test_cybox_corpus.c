/* If this fails, Observables that other tools really write are read otherwise than the mapping promises, or what
 * we write of STIX 2.1 that others really have is read back as something else.
 * Needs ../shared/corpus; without it there is nothing to do here (test_cybox*.c stand alone). */
#include "cybox_kit.h"

#include "formats/stix21_check.h"
#include "tests/unit/corpus_kit.h"

static struct kit kit;
static size_t patterns, objects, refused;

/* A document at the beginning of its own kit. */
static struct kit *
fresh(void)
{
	kit = (struct kit){ .mem = kit.mem };
	return &kit;
}

/* Objects of ours keep to the standard. */
static void
on_issue(void *ctx, const struct stix21_issue *issue)
{
	if (issue->must)
		fail_msg("%s: %s %s: %s", (const char *)ctx, issue->code, issue->path, issue->reason);
}

static void
check_object(const char *path, json *tree)
{
	struct stix21_check how = { .report = on_issue };
	struct err e = ERR_INIT;
	struct object o = { .tree = tree, .bytes = kit_json(&kit, tree) };

	how.report_ctx = arena_fmt(kit.mem, "%s: %.*s", path, SLICE_ARG(o.bytes));
	if (object_fill(&o, kit.mem, NULL, NULL, &e) < 0)
		fail_msg("%s: %s in %.*s", path, e.reason, SLICE_ARG(o.bytes));
	stix21_check(&o, kit.mem, &how);
}

/* A pattern written and read again says the same. */
static void
check_written(const char *path, const struct pat_node *p)
{
	struct cybox_write job = kit_writer(&kit);
	struct cybox_read back = kit_reader(&kit);
	struct xml_node *el, *root = kit.root;
	struct pat_node *again;
	enum cybox_extent ext;

	back.told = NULL;
	if ((el = cybox_write_pattern(&job, p, SLICE_LIT("k"), &ext)) == NULL) {
		refused++;
		return;
	}
	if (ext == CYBOX_EXACT) {
		cybox_read_pattern(&back, kit_parse(&kit, kit_print(&kit, el)), &again);
		if (again == NULL || !slice_eq(kit_canonical(&kit, p), kit_canonical(&kit, again)))
			fail_msg("%s: %.*s\nbecomes %.*s", path, SLICE_ARG(kit_canonical(&kit, p)),
			    SLICE_ARG(again == NULL ? SLICE_EMPTY : kit_canonical(&kit, again)));
	}
	kit.root = root;
}

/* Read every Observable in both ways. */
static void
walk(const char *path, struct xml_node *n)
{
	struct cybox_read job = kit_reader(&kit);
	struct cybox_objects out = { 0 };
	struct pat_node *p;

	job.steps = &kit.steps;
	job.told = NULL;
	if (!slice_is(n->name, "Observable")) {
		for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
			walk(path, k);
		return;
	}
	cybox_read_objects(&job, n, &out, NULL);
	for (size_t i = 0; i < out.n; i++)
		check_object(path, out.v[i].tree);
	objects += out.n;
	cybox_read_pattern(&job, n, &p);
	if (p != NULL) {
		patterns++;
		assert_string_equal(kit_canonical(&kit, p).p, kit_canonical(&kit, kit_pattern(&kit,
		    cybox_pattern_text(kit.mem, p))).p);
		check_written(path, p);
	}
}

static void
read_document(const char *path)
{
	walk(path, kit_parse(fresh(), corpus_text(kit.mem, path)));
}

static void
test_documents(void **state)
{
	static const char *const folders[] = {
		"cybox", "idioms", "misp-stix", "oasis-1.2.1", "samples", "samples-1.0.1", "samples-1.1.1",
		"slider-out",
	};

	(void)state;
	if (!corpus_here())
		skip();
	patterns = objects = refused = 0;
	for (size_t i = 0; i < COUNTOF(folders); i++) {
		char path[128];

		snprintf(path, sizeof(path), CORPUS "stix1/%s", folders[i]);
		assert_true(corpus_each(&kit.mem, path, ".xml", read_document) > 0);
	}
	print_message("%zu patterns, %zu of them with no way back, %zu objects\n", patterns, refused, objects);
	assert_true(patterns > 150);
	assert_true(objects > 200);
	assert_true(refused < patterns / 20);
}

/* What the elevator makes of the same documents. */

/* Where we differ from it, on purpose: it has names of STIX 2.0, conditions as regular expressions without
 * quoting, or leaves something out. */
static const struct {
	const char	*file, *ours;
} on_purpose[] = {
	{ "account_indicator", "account_created" },		/* left out */
	{ "icmp_pattern", "icmp_code_hex" },			/* icmp_type_code */
	{ "issue62", "process:" },				/* arguments, created, name of 2.0 */
	{ "issue62", "windows-pebinary-ext" },			/* x_elevator, no sizes */
	{ "issue62", "creator_user_ref" },			/* left out */
	{ "141-TLP-marking-structures", "LIKE '[IMPORTANT]" },	/* MATCHES '^[IMPORTANT] */
	{ "malicious-email-indicator-with-attachment", "LIKE " },
	{ "network-traffic-request-pattern", "request_method" },	/* lower case by the standard */
	{ "observable-with-networkconnection-pattern-advanced", "request_method" },
	{ "observable_composition", "mutex:name LIKE '%foo%'" },	/* MATCHES 'foo' */
};

static const char *
basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool
differs_on_purpose(const char *path, struct slice ours)
{
	struct slice file = slice_of(basename_of(path));

	for (size_t i = 0; i < COUNTOF(on_purpose); i++) {
		if (slice_starts(file, on_purpose[i].file) && strstr(ours.p, on_purpose[i].ours) != NULL)
			return true;
	}
	return false;
}

/* The canonical patterns of the elevated document; STIX 2.0's spelling of one hash aside. */
static size_t
elevated_patterns(const char *path, struct slice *out, size_t max)
{
	struct slice text = corpus_text(kit.mem, path);
	struct json_doc doc;
	struct err e = ERR_INIT;
	size_t n = 0;

	if (json_parse(text, NULL, kit.mem, &doc, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	for (const json *o = json_first(json_get(doc.root, "objects")); o != NULL; o = json_next(o)) {
		struct slice p = json_member(o, "pattern");

		if (p.n > 0 && n < max && slice_is(json_member(o, "pattern_type"), "stix"))
			out[n++] = kit_canonical(&kit, kit_pattern(&kit, p));
	}
	return n;
}

static size_t compared, purposely;

static void
compare_indicator(const char *path, struct xml_node *n, const struct slice *want, size_t nwant)
{
	struct cybox_read job = kit_reader(&kit);
	struct pat_node *p;
	struct slice ours;
	size_t i = 0;

	job.told = NULL;
	cybox_read_pattern(&job, n, &p);
	if (p == NULL)
		return;
	ours = kit_canonical(&kit, p);
	while (i < nwant && !slice_eq(want[i], ours))
		i++;
	compared++;
	if (i < nwant)
		return;
	if (!differs_on_purpose(path, cybox_pattern_text(kit.mem, p)))
		fail_msg("%s: the elevator has no %.*s", path, SLICE_ARG(ours));
	purposely++;
}

static void
compare_below(const char *path, struct xml_node *n, const struct slice *want, size_t nwant)
{
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (slice_is(n->name, "Indicator") && slice_is(k->name, "Observable"))
			compare_indicator(path, k, want, nwant);
		else
			compare_below(path, k, want, nwant);
	}
}

static void
compare_document(const char *elevated)
{
	struct slice want[200], name = slice_of(basename_of(elevated));
	char *path = arena_fmt(kit.mem, CORPUS "stix1/idioms/%.*s.xml", (int)name.n - 5, name.p);
	size_t n = elevated_patterns(elevated, want, COUNTOF(want));

	if (file_exists(path))
		compare_below(path, kit_parse(fresh(), corpus_text(kit.mem, path)), want, n);
}

static void
test_elevated(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	compared = purposely = 0;
	assert_true(corpus_each(&kit.mem, CORPUS "stix21/elevated", ".json", compare_document) > 0);
	print_message("%zu patterns compared, %zu differ on purpose\n", compared, purposely);
	assert_true(compared >= 20);
}

/* Everything of STIX 2.1 that CybOX says exactly comes back. */
static void
write_bundle(const char *path)
{
	struct json_doc doc;
	struct err e = ERR_INIT;
	struct pat_node *p;

	if (json_parse(corpus_text(fresh()->mem, path), NULL, kit.mem, &doc, &e) < 0)
		return;
	for (const json *o = json_first(json_get(doc.root, "objects")); o != NULL; o = json_next(o)) {
		struct slice text = json_member(o, "pattern");

		if (text.n == 0 || (p = pattern_parse(text, kit.mem, &e)) == NULL)
			continue;
		patterns++;
		check_written(path, p);
	}
}

static void
test_bundles(void **state)
{
	static const char *const folders[] = {
		"attack", "elevated", "misp-stix", "oasis", "own", "slider", "validator",
	};

	(void)state;
	if (!corpus_here())
		skip();
	patterns = refused = 0;
	for (size_t i = 0; i < COUNTOF(folders); i++) {
		char path[128];

		snprintf(path, sizeof(path), CORPUS "stix21/%s", folders[i]);
		corpus_each(&kit.mem, path, ".json", write_bundle);
	}
	print_message("%zu patterns, %zu without a form\n", patterns, refused);
	assert_true(patterns > refused);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_elevated),
		cmocka_unit_test(test_bundles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
