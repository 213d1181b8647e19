/* If this fails, advisories that others really publish are read, refused or given back otherwise than
 * promised. Needs ../shared/corpus; without it there is nothing to do here (test_csaf.c stands alone). */
#include <stdio.h>
#include <string.h>

#include "formats/csaf.h"
#include "formats/csaf_check.h"
#include "gateway/base/clock.h"
#include "tests/unit/corpus_kit.h"

#define RECEIVED	SLICE_LIT("2026-11-21T10:00:00Z")

static struct arena *mem;

static json *
parse(struct slice text)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(text, NULL, mem, &doc, &e) < 0)
		fail_msg("%s", e.reason);
	return doc.root;
}

static int
read_as(const struct format_ops *f, struct slice text, bool strict, struct loss *loss,
    struct advisory *adv, struct err *e)
{
	struct read_job job = { .in = text, .input = "t", .received = RECEIVED, .strict = strict,
	    .loss = loss };

	*adv = (struct advisory){ .n = 0 };
	return f->read(&job, mem, adv, e);
}

static int
write_as(const struct format_ops *f, const struct advisory *adv, bool bare, struct loss *loss,
    struct slice *out)
{
	struct write_job job = { .adv = adv, .received = RECEIVED, .csirt = "cert.example",
	    .no_residue = bare, .loss = loss };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	int rc = f->write(&job, mem, &b, &e);

	*out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return rc;
}

static size_t
refused(const struct advisory *adv)
{
	size_t n = 0;

	for (size_t i = 0; i < adv->nverdicts; i++)
		n += adv->verdicts[i].kind == VERDICT_REFUSED;
	return n;
}

/* Every leaf of the objects is accounted once. */
static void
check_written(const struct advisory *adv, const struct loss *loss)
{
	size_t n = 0;

	for (size_t i = 0; i < adv->n; i++)
		n += corpus_leaves(adv->objects[i].tree);
	assert_int_equal(n, loss->n - loss->count[LOSS_GENERATED]);
}

static void
on_issue(void *ctx, const struct csaf_issue *issue)
{
	if (!issue->remark)
		fail_msg("%s: %s %s: %s", (const char *)ctx, issue->code, issue->path, issue->reason);
}

/* How many texts stand in the lists of this member over all vulnerabilities. */
static size_t
count_in(const json *root, const char *member, const char *list)
{
	size_t n = 0;

	for (const json *v = json_first(json_get(root, "vulnerabilities")); v != NULL; v = json_next(v))
		n += json_count(list == NULL ? json_get(v, member) : json_get(json_get(v, member), list));
	return n;
}

/* Without residue: CVEs, the status of each product and the remediations survive. */
static void
check_bare(const char *path, const json *root, const struct advisory *adv)
{
	const json *a = json_first(json_get(root, "vulnerabilities")), *b;
	struct slice text;
	struct loss loss;
	json *bare;

	loss_init(&loss, mem);
	if (write_as(&format_csaf, adv, true, &loss, &text) < 0) {
		assert_null(a);
		return;
	}
	check_written(adv, &loss);
	bare = parse(text);
	csaf_check_structure(bare, mem, on_issue, (void *)(uintptr_t)path);
	csaf_check_tests(bare, mem, on_issue, (void *)(uintptr_t)path);
	for (b = json_first(json_get(bare, "vulnerabilities")); a != NULL; a = json_next(a), b = json_next(b))
		assert_true(slice_eq(json_member(a, "cve"), json_member(b, "cve")));
	for (int s = 0; s < CSAF_STATUSES; s++)
		if (count_in(root, "product_status", csaf_statuses[s].word) !=
		    count_in(bare, "product_status", csaf_statuses[s].word))
			fail_msg("%s: %s", path, csaf_statuses[s].word);
	assert_int_equal(count_in(root, "remediations", NULL), count_in(bare, "remediations", NULL));
	assert_int_equal(count_in(root, "threats", NULL), count_in(bare, "threats", NULL));
}

/* Through STIX and home again. */
static void
check_home(const char *path, const json *root, const struct advisory *adv)
{
	struct slice stix, again;
	struct advisory back;
	struct err e = ERR_INIT;
	struct loss loss;

	assert_int_equal(write_as(&format_stix21, adv, false, NULL, &stix), 0);
	assert_int_equal(read_as(&format_stix21, stix, true, NULL, &back, &e), 0);
	if (refused(&back) > 0)
		fail_msg("%s: as STIX: %s %s", path, back.verdicts[0].code, back.verdicts[0].err.path);
	loss_init(&loss, mem);
	assert_int_equal(write_as(&format_csaf, &back, false, &loss, &again), 0);
	check_written(&back, &loss);
	if (!json_equal(root, parse(again)))
		fail_msg("%s comes home as another document", path);
}

static void
check_advisory(const char *path)
{
	struct slice text = corpus_text(mem, path), twice[2];
	struct advisory adv, second;
	struct err e = ERR_INIT;
	struct loss loss;
	json *root = parse(text);

	loss_init(&loss, mem);
	if (json_get(root, "document") == NULL) {
		assert_int_equal(read_as(&format_csaf, text, false, &loss, &adv, &e), -1);
		assert_int_equal(e.code, ERR_UNSUPPORTED);
		assert_true(strstr(e.reason, "aggregator") != NULL || strstr(e.reason, "provider") != NULL);
		return;
	}
	if (read_as(&format_csaf, text, true, &loss, &adv, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	if (adv.nverdicts > 0)
		fail_msg("%s: %s %s", path, adv.verdicts[0].code, adv.verdicts[0].err.path);
	assert_int_equal(loss.n, corpus_leaves(root));
	assert_int_equal(loss.count[LOSS_DROPPED], 0);
	check_home(path, root, &adv);
	check_bare(path, root, &adv);
	read_as(&format_csaf, text, true, NULL, &second, &e);
	write_as(&format_stix21, &adv, false, NULL, &twice[0]);
	write_as(&format_stix21, &second, false, NULL, &twice[1]);
	assert_true(slice_eq(twice[0], twice[1]));
}

static void
test_every_sample(void **state)
{
	(void)state;
	if (corpus_here())
		assert_true(corpus_each(&mem, CORPUS "csaf", ".json", check_advisory) >= 28);
}

/* "...-6-1-27-06-01.json": the number of the test, and whether the file must pass it. */
static void
check_invalid(const char *path)
{
	char number[32];
	unsigned a, b = 0, last;
	bool found = false;
	struct advisory adv;
	struct err e = ERR_INIT;
	struct loss loss;
	struct slice text = corpus_text(mem, path);
	const char *name = strstr(path, "2021-6-1-");

	assert_non_null(name);
	name += sizeof("2021-6-1-") - 1;
	if (sscanf(name, "%u-%u-%u.json", &a, &b, &last) == 3)
		snprintf(number, sizeof(number), "test 6.1.%u.%u:", a, b);
	else if (sscanf(name, "%u-%u.json", &a, &last) == 2)
		snprintf(number, sizeof(number), "test 6.1.%u:", a);
	else
		fail_msg("%s", path);
	loss_init(&loss, mem);
	assert_int_equal(read_as(&format_csaf, text, true, &loss, &adv, &e), 0);
	assert_int_equal(loss.n, corpus_leaves(parse(text)));
	for (size_t i = 0; i < adv.nverdicts; i++)
		found = found || (strstr(adv.verdicts[i].err.reason, number) != NULL &&
		    adv.verdicts[i].err.path[0] != '\0');
	assert_int_equal(refused(&adv), last < 10 ? 1 : 0);
	assert_int_equal(adv.nverdicts > 0, last < 10);
	if (found != (last < 10))
		fail_msg("%s: %s", path, number);
	assert_int_equal(adv.n > 0, last >= 10);
	/* in tolerant mode all of them become objects */
	assert_int_equal(read_as(&format_csaf, text, false, NULL, &adv, &e), 0);
	assert_int_equal(refused(&adv), 0);
	assert_true(adv.n > 0);
	check_home(path, parse(text), &adv);
}

static void
test_every_invalid_file(void **state)
{
	(void)state;
	if (corpus_here())
		assert_true(corpus_each(&mem, CORPUS "invalid/csaf", ".json", check_invalid) >= 14);
}

static size_t written;

/* Whatever can be a document comes back to the byte. */
static void
check_bundle(const char *path)
{
	struct advisory adv, back;
	struct err e = ERR_INIT;
	struct slice text;
	struct loss loss;

	loss_init(&loss, mem);
	if (read_as(&format_stix21, corpus_text(mem, path), false, NULL, &adv, &e) < 0 ||
	    write_as(&format_csaf, &adv, false, &loss, &text) < 0)
		return;
	written++;
	check_written(&adv, &loss);
	csaf_check_structure(parse(text), mem, on_issue, (void *)(uintptr_t)path);
	csaf_check_tests(parse(text), mem, on_issue, (void *)(uintptr_t)path);
	assert_int_equal(read_as(&format_csaf, text, true, NULL, &back, &e), 0);
	assert_int_equal(adv.n, back.n);
	for (size_t i = 0; i < adv.n; i++) {
		assert_true(slice_eq(adv.objects[i].bytes, back.objects[i].bytes));
		assert_int_equal(adv.objects[i].tlp, back.objects[i].tlp);
		assert_int_equal(adv.objects[i].label, back.objects[i].label);
	}
}

static void
test_every_bundle(void **state)
{
	DIR *d = corpus_here() ? opendir(CORPUS "stix21") : NULL;
	struct dirent *f;

	(void)state;
	while (d != NULL && (f = readdir(d)) != NULL) {
		char folder[512];

		snprintf(folder, sizeof(folder), CORPUS "stix21/%s", f->d_name);
		if (f->d_name[0] != '.')
			corpus_each(&mem, folder, ".json", check_bundle);
	}
	if (d == NULL)
		return;
	closedir(d);
	assert_true(written >= 2);
}

/* Does the value say what is wanted (the MANIFEST of the corpus)? */
static bool
fits(const json *have, const json *want)
{
	const json *some = json_get(want, "contains");
	struct slice a, b;

	for (const json *w = json_first(some); w != NULL; w = json_next(w)) {
		const json *h = json_first(have);

		while (h != NULL && !fits(h, w))
			h = json_next(h);
		if (h == NULL)
			return false;
	}
	if (some != NULL)
		return true;
	if (json_is_object(want)) {
		for (const json *w = json_first(want); w != NULL; w = json_next(w))
			if (!fits(json_get(have, json_name(w)), w))
				return false;
		return json_is_object(have);
	}
	if (json_is_string(want) && json_is_string(have) && stamp_key(mem, json_slice(want), &a) &&
	    stamp_key(mem, json_slice(have), &b))
		return slice_eq(a, b);
	return have != NULL && json_equal(have, want);
}

static void
test_expected(void **state)
{
	struct advisory adv;
	struct err e = ERR_INIT;
	json *expected;

	(void)state;
	if (!corpus_here())
		return;
	mem = arena_new();
	expected = parse(corpus_text(mem, CORPUS "expected/csaf-bsi.to.stix21.json"));
	assert_int_equal(read_as(&format_csaf, corpus_text(mem, CORPUS "csaf/bsi-2022-0001.json"), true, NULL, &adv,
	    &e), 0);
	for (const json *row = json_first(json_get(expected, "objects")); row != NULL; row = json_next(row)) {
		int64_t want = 0, have = 0;

		for (size_t i = 0; i < adv.n; i++)
			have += slice_eq(adv.objects[i].type, json_member(row, "type")) &&
			    (json_get(row, "where") == NULL ||
			    fits(adv.objects[i].tree, json_get(row, "where")));
		assert_true(json_int(json_get(row, "count"), &want));
		if (want != have)
			fail_msg("%.*s: %d", SLICE_ARG(json_member(row, "type")), (int)have);
	}
	arena_free(mem);
}

static void
is_csaf(const char *path)
{
	struct slice text = corpus_text(mem, path);

	if (text.n > 4096)
		text.n = 4096;
	if (format_sniff(text) != &format_csaf)
		fail_msg("%s is not known for CSAF", path);
}

static void
is_not_csaf(const char *path)
{
	struct slice text = corpus_text(mem, path);

	if (text.n > 4096)
		text.n = 4096;
	if (format_sniff(text) == &format_csaf)
		fail_msg("%s is taken for CSAF", path);
}

static void
test_sniffing(void **state)
{
	static const char *const others[] = {
		"stix21/own", "stix21/oasis", "stix21/misp-stix", "misp/misp-stix", "misp/pymisp", "misp/pairs",
		"iodef-json", "rid", "inhouse", "stix20/own", "stix20/attack", "patterns",
	};

	(void)state;
	if (!corpus_here())
		return;
	corpus_each(&mem, CORPUS "csaf", ".json", is_csaf);
	corpus_each(&mem, CORPUS "invalid/csaf", ".json", is_csaf);
	for (size_t i = 0; i < COUNTOF(others); i++) {
		char folder[512];

		snprintf(folder, sizeof(folder), CORPUS "%s", others[i]);
		corpus_each(&mem, folder, ".json", is_not_csaf);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_sample),
		cmocka_unit_test(test_every_invalid_file),
		cmocka_unit_test(test_every_bundle),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_sniffing),
	};

	return cmocka_run_group_tests_name("csaf corpus", tests, NULL, NULL);
}
