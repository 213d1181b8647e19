/* If this fails, an invalid advisory passes for a valid one, or a valid one is refused: each mandatory
 * test of CSAF 2.0 is failed on purpose by one change to an advisory that passes them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "formats/csaf_check.h"
#include "formats/csaf_words.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

static json *
parse(struct slice text)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(text, NULL, mem, &doc, &e) < 0)
		fail_msg("%s in %.100s", e.reason, text.p);
	return doc.root;
}

static json *
load(const char *name)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	json *root;

	if (file_read(arena_fmt(mem, "tests/fuzz/corpus/csaf/%s.json", name), 1 << 20, &b, &e) < 0)
		fail_msg("%s: %s", name, e.reason);
	root = parse(arena_slice(mem, strbuf_slice(&b)));
	strbuf_fini(&b);
	return root;
}

/* What is found: "CODE path\n" a line. */
static void
on_issue(void *ctx, const struct csaf_issue *issue)
{
	strbuf_addf(ctx, "%s %s\n", issue->code, issue->path);
}

/* Replace (or with NULL remove) what stands at "a.b[2].c"; a place behind the end of a list is added. */
static void
set_at(json *root, const char *path, const char *value)
{
	struct slice rest = slice_of(path);
	json *v = root, *to = value == NULL ? NULL : parse(slice_of(value));

	for (;;) {
		struct slice step = slice_cut(&rest, '.'), name = slice_cut(&step, '[');
		const char *member = arena_str(mem, name);
		unsigned long long i;
		json *list;

		if (rest.n == 0 && step.n == 0) {
			if (to == NULL)
				json_remove(v, member);
			else
				json_put(mem, v, member, to);
			return;
		}
		v = json_get(v, member);
		assert_non_null(v);
		if (step.n == 0)
			continue;
		assert_true(slice_u64(slice_cut(&step, ']'), &i));
		list = v;
		v = json_at(list, (size_t)i);
		if (rest.n > 0)
			continue;
		if (v != NULL)
			json_detach(list, v);
		if (to != NULL)
			json_push(list, to);
		return;
	}
}

static const struct row {
	const char	*seed, *path, *value;
	const char	*found;		/* one of the lines of on_issue */
} rows[] = {
	/* the structure */
	{ "base", "document.title", NULL, "MISSING_PROPERTY document.title" },
	{ "base", "document.title", "7", "BAD_TYPE_OF document.title" },
	{ "base", "document.title", "\"\"", "EMPTY_TEXT document.title" },
	{ "base", "document.notes", "[]", "EMPTY_LIST document.notes" },
	{ "base", "document.notes", "{}", "BAD_TYPE_OF document.notes" },
	{ "base", "document.distribution", "{}", "EMPTY_OBJECT document.distribution" },
	{ "base", "document.csaf_version", "\"2.1\"", "BAD_ENUM document.csaf_version" },
	{ "base", "document.publisher.category", "\"cert\"", "BAD_ENUM document.publisher.category" },
	{ "base", "document.publisher.namespace", "\"cert.example\"", "BAD_URI document.publisher.namespace" },
	{ "base", "document.tracking.current_release_date", "\"2026-03-04\"",
	    "BAD_TIMESTAMP document.tracking.current_release_date" },
	{ "base", "document.tracking.version", "\"01\"", "BAD_FORMAT document.tracking.version" },
	{ "base", "document.tracking.id", "\" x\"", "BAD_FORMAT document.tracking.id" },
	{ "base", "document.category", "\"_x\"", "BAD_FORMAT document.category" },
	{ "base", "document.tracking.aliases", "[\"a\",\"b\",\"a\"]", "DOUBLE_ITEM document.tracking.aliases[2]" },
	{ "base", "vulnerabilities[0]", "{\"cve\":\"CVE-99-1\"}", "BAD_FORMAT vulnerabilities[1].cve" },
	{ "advisory", "product_tree.branches[0].branches[0].category", "\"brand\"",
	    "BAD_ENUM product_tree.branches[0].branches[0].category" },
	/* the tests, by number */
	{ "advisory", "product_tree.product_groups[0].product_ids", "[\"P9\"]",
	    "UNDEFINED_PRODUCT product_tree.product_groups[0].product_ids[0]" },
	{ "advisory", "product_tree.relationships[0].product_reference", "\"P9\"",
	    "UNDEFINED_PRODUCT product_tree.relationships[0].product_reference" },
	{ "advisory", "vulnerabilities[0].scores[0].products", "[\"P9\"]",
	    "UNDEFINED_PRODUCT vulnerabilities[0].scores[0].products[0]" },
	{ "advisory", "vulnerabilities[0].product_status.fixed", "[\"P3\",\"P9\"]",
	    "UNDEFINED_PRODUCT vulnerabilities[0].product_status.fixed[1]" },
	{ "advisory", "product_tree.full_product_names[0].product_id", "\"P1\"",
	    "DOUBLE_PRODUCT product_tree.full_product_names[0].product_id" },
	{ "advisory", "product_tree.relationships[0].relates_to_product_reference", "\"PF\"",
	    "CIRCULAR_PRODUCT product_tree.relationships[0]" },
	{ "advisory", "vulnerabilities[0].remediations[1].group_ids", "[\"H\"]",
	    "UNDEFINED_GROUP vulnerabilities[0].remediations[1].group_ids[0]" },
	{ "advisory", "product_tree.product_groups[1]", "{\"group_id\":\"G\",\"product_ids\":[\"P1\"]}",
	    "DOUBLE_GROUP product_tree.product_groups[1].group_id" },
	{ "advisory", "vulnerabilities[0].product_status.known_not_affected", "[\"P2\"]",
	    "CONTRADICTING_STATUS vulnerabilities[0].product_status.known_not_affected[0]" },
	{ "advisory", "vulnerabilities[0].scores[2]", "{\"cvss_v2\":{\"version\":\"2.0\",\"vectorString\":"
	    "\"AV:L/AC:L/Au:N/C:C/I:N/A:N\",\"baseScore\":4.9},\"products\":[\"P1\"]}",
	    "DOUBLE_SCORE vulnerabilities[0].scores[2].products[0]" },
	{ "advisory", "vulnerabilities[0].scores[0].cvss_v3.baseSeverity", NULL,
	    "BAD_CVSS vulnerabilities[0].scores[0].cvss_v3.baseSeverity" },
	{ "advisory", "vulnerabilities[0].scores[0].cvss_v3.vectorString", "\"CVSS:3.1/AV:L\"",
	    "BAD_CVSS vulnerabilities[0].scores[0].cvss_v3.vectorString" },
	{ "advisory", "vulnerabilities[0].scores[0].cvss_v3.baseScore", "6.5",
	    "CVSS_COMPUTATION vulnerabilities[0].scores[0].cvss_v3.baseScore" },
	{ "advisory", "vulnerabilities[0].scores[1].cvss_v2.baseScore", "10",
	    "CVSS_COMPUTATION vulnerabilities[0].scores[1].cvss_v2.baseScore" },
	{ "advisory", "vulnerabilities[0].scores[0].cvss_v3.baseSeverity", "\"HIGH\"",
	    "CVSS_COMPUTATION vulnerabilities[0].scores[0].cvss_v3.baseSeverity" },
	{ "advisory", "vulnerabilities[0].scores[0].cvss_v3.attackVector", "\"NETWORK\"",
	    "CVSS_INCONSISTENT vulnerabilities[0].scores[0].cvss_v3.attackVector" },
	{ "base", "document.lang", "\"english!\"", "BAD_LANGUAGE document.lang" },
	{ "advisory", "product_tree.full_product_names[0].product_identification_helper",
	    "{\"purl\":\"pkg:maven/@1.3.4\"}",
	    "BAD_PURL product_tree.full_product_names[0].product_identification_helper.purl" },
	{ "base", "document.tracking.revision_history[0].date", "\"2026-04-01T00:00:00Z\"",
	    "UNSORTED_REVISIONS document.tracking.revision_history[0].number" },
	{ "base", "document.publisher.category", "\"translator\"", "MISSING_SOURCE_LANG document.source_lang" },
	{ "base", "document.tracking.version", "\"1.2.0\"", "NOT_LATEST_VERSION document.tracking.version" },
	{ "advisory", "document.tracking.version", "\"0\"", "DRAFT_EXPECTED document.tracking.status" },
	{ "advisory", "document.tracking.revision_history[0].number", "\"0\"",
	    "RELEASED_REVISION_ZERO document.tracking.revision_history[0].number" },
	{ "base", "document.tracking.revision_history[1].number", "\"1.1.0-rc.1\"",
	    "PRERELEASE_REVISION document.tracking.revision_history[1].number" },
	{ "advisory", "document.tracking.version", "\"2.0.0-rc\"", "PRERELEASE_VERSION document.tracking.version" },
	{ "advisory", "document.tracking.revision_history[1].number", "\"3\"",
	    "REVISION_GAP document.tracking.revision_history[1].number" },
	{ "advisory", "document.tracking.revision_history[1].number", "\"1\"",
	    "DOUBLE_REVISION document.tracking.revision_history[1].number" },
	{ "base", "vulnerabilities[0].cve", "\"CVE-2026-9999\"", "DOUBLE_CVE vulnerabilities[1].cve" },
	{ "advisory", "vulnerabilities[0].involvements[1]", "{\"party\":\"vendor\",\"status\":\"open\","
	    "\"date\":\"2026-03-01T08:30:00Z\"}", "DOUBLE_INVOLVEMENT vulnerabilities[0].involvements[1]" },
	{ "advisory", "product_tree.full_product_names[0].product_identification_helper",
	    "{\"hashes\":[{\"filename\":\"a\",\"file_hashes\":[{\"algorithm\":\"md5\",\"value\":"
	    "\"00000000000000000000000000000000\"},{\"algorithm\":\"md5\",\"value\":"
	    "\"00000000000000000000000000000001\"}]}]}", "DOUBLE_HASH product_tree.full_product_names[0]."
	    "product_identification_helper.hashes[0].file_hashes[1]" },
	{ "base", "document.category", "\"Security-Incident response\"", "RESERVED_CATEGORY document.category" },
	{ "base", "document.category", "\"csaf_other\"", "RESERVED_CATEGORY document.category" },
	{ "informational", "document.notes", NULL, "MISSING_NOTES document.notes" },
	{ "incident", "document.references", NULL, "MISSING_REFERENCE document.references" },
	{ "informational", "vulnerabilities", "[{\"title\":\"t\"}]", "UNEXPECTED_VULNERABILITIES vulnerabilities" },
	{ "vex", "product_tree", NULL, "MISSING_PRODUCT_TREE product_tree" },
	{ "advisory", "vulnerabilities[1].notes", NULL, "MISSING_VULNERABILITY_NOTES vulnerabilities[1].notes" },
	{ "advisory", "vulnerabilities[1].product_status", NULL,
	    "MISSING_PRODUCT_STATUS vulnerabilities[1].product_status" },
	{ "vex", "vulnerabilities[0].product_status", "{\"recommended\":[\"B\"]}",
	    "MISSING_VEX_STATUS vulnerabilities[0].product_status" },
	{ "vex", "vulnerabilities[0].cve", NULL, "MISSING_VULNERABILITY_ID vulnerabilities[0]" },
	{ "vex", "vulnerabilities[0].threats", NULL,
	    "MISSING_IMPACT_STATEMENT vulnerabilities[0].product_status.known_not_affected[0]" },
	{ "vex", "vulnerabilities[0].remediations", NULL,
	    "MISSING_ACTION_STATEMENT vulnerabilities[0].product_status.known_affected[0]" },
	{ "vex", "vulnerabilities", NULL, "MISSING_VULNERABILITIES vulnerabilities" },
	{ "informational", "document.source_lang", "\"EN\"", "SAME_LANGUAGE document.source_lang" },
	{ "advisory", "vulnerabilities[0].remediations[0].product_ids", NULL,
	    "REMEDIATION_WITHOUT_PRODUCT vulnerabilities[0].remediations[0]" },
	{ "base", "document.tracking.revision_history[0].number", "\"1\"",
	    "MIXED_VERSIONING document.tracking.revision_history[0].number" },
	{ "advisory", "product_tree.branches[0].branches[0].branches[0].name", "\"1.0 and prior\"",
	    "VERSION_RANGE product_tree.branches[0].branches[0].branches[0].name" },
	{ "advisory", "product_tree.branches[0].branches[0].branches[0].name", "\"<= 1.0\"",
	    "VERSION_RANGE product_tree.branches[0].branches[0].branches[0].name" },
	{ "advisory", "vulnerabilities[1].flags[0].product_ids", NULL,
	    "FLAG_WITHOUT_PRODUCT vulnerabilities[1].flags[0]" },
	{ "advisory", "vulnerabilities[1].flags[1]", "{\"label\":\"vulnerable_code_not_present\","
	    "\"group_ids\":[\"G\"]}", "DOUBLE_JUSTIFICATION vulnerabilities[1].flags[1]" },
};

/* The line stands in the text. */
static bool
has_line(struct slice text, const char *line)
{
	while (text.n > 0)
		if (slice_is(slice_cut(&text, '\n'), line))
			return true;
	return false;
}

static void
test_each_test_is_failed_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		json *root = load(rows[i].seed);
		struct strbuf found = STRBUF_INIT;

		csaf_check_structure(root, mem, on_issue, &found);
		csaf_check_tests(root, mem, on_issue, &found);
		if (found.n > 0)
			fail_msg("%s as it is: %s", rows[i].seed, found.p);
		set_at(root, rows[i].path, rows[i].value);
		csaf_check_structure(root, mem, on_issue, &found);
		csaf_check_tests(root, mem, on_issue, &found);
		if (!has_line(strbuf_slice(&found), rows[i].found))
			fail_msg("%s with %s: no \"%s\" in:\n%s", rows[i].seed, rows[i].path, rows[i].found,
			    found.p);
		strbuf_fini(&found);
	}
}

/* A name of its day, in letters of either case; another's; and one that our list does not have. */
static void
test_names_of_weaknesses(void **state)
{
	static const struct { const char *id, *name, *found; } cwes[] = {
		{ "CWE-79", "Improper neutralization of input during web page generation ('cross-site scripting')", "" },
		{ "CWE-200", "Information Exposure", "" },
		{ "CWE-200", "Exposure of Sensitive Information to an Unauthorized Actor", "" },
		{ "CWE-89", "Improper Input Validation", "WRONG_CWE vulnerabilities[0].cwe.name\n" },
		{ "CWE-79", "XSS", "WRONG_CWE vulnerabilities[0].cwe.name\n" },
		{ "CWE-99999", "Something new", "UNKNOWN_CWE vulnerabilities[0].cwe.id\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cwes); i++) {
		json *root = load("advisory");
		struct strbuf found = STRBUF_INIT;
		size_t failed;

		set_at(root, "vulnerabilities[0].cwe", arena_fmt(mem, "{\"id\":\"%s\",\"name\":\"%s\"}",
		    cwes[i].id, cwes[i].name));
		failed = csaf_check_tests(root, mem, on_issue, &found);
		assert_string_equal(found.n == 0 ? "" : found.p, cwes[i].found);
		assert_int_equal(failed, strncmp(cwes[i].found, "WRONG", 5) == 0);
		strbuf_fini(&found);
	}
}

/* Scores that FIRST and NVD give for these vectors. */
static void
test_cvss_scores(void **state)
{
	static const struct { bool v2; const char *object; bool fine; } scores[] = {
		{ false, "{\"version\":\"3.1\",\"vectorString\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\","
		    "\"baseScore\":9.8,\"baseSeverity\":\"CRITICAL\"}", true },
		{ false, "{\"version\":\"3.1\",\"vectorString\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H\","
		    "\"baseScore\":10.0,\"baseSeverity\":\"CRITICAL\"}", true },
		{ false, "{\"version\":\"3.0\",\"vectorString\":\"CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:L/A:N\","
		    "\"baseScore\":4.7,\"baseSeverity\":\"MEDIUM\"}", true },
		{ false, "{\"version\":\"3.1\",\"vectorString\":\"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N\","
		    "\"baseScore\":6.4,\"baseSeverity\":\"MEDIUM\"}", true },
		{ false, "{\"version\":\"3.1\",\"vectorString\":\"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N\","
		    "\"baseScore\":0,\"baseSeverity\":\"NONE\"}", true },
		{ false, "{\"version\":\"3.1\",\"vectorString\":\"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:L/"
		    "E:F/RL:O/RC:C\",\"baseScore\":6.1,\"baseSeverity\":\"MEDIUM\",\"temporalScore\":5.7,"
		    "\"temporalSeverity\":\"MEDIUM\"}", true },
		{ false, "{\"version\":\"3.1\",\"vectorString\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/"
		    "CR:L/MAV:L\",\"baseScore\":9.8,\"baseSeverity\":\"CRITICAL\",\"environmentalScore\":8.1,"
		    "\"environmentalSeverity\":\"HIGH\"}", true },
		{ false, "{\"version\":\"3.1\",\"vectorString\":\"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\","
		    "\"baseScore\":9.8,\"baseSeverity\":\"CRITICAL\"}", false },
		{ false, "{\"version\":\"3.1\",\"vectorString\":\"CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\","
		    "\"baseScore\":9.8,\"baseSeverity\":\"CRITICAL\"}", false },
		{ true, "{\"version\":\"2.0\",\"vectorString\":\"AV:N/AC:L/Au:N/C:N/I:N/A:C\",\"baseScore\":7.8}", true },
		{ true, "{\"version\":\"2.0\",\"vectorString\":\"AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C\","
		    "\"baseScore\":10,\"temporalScore\":8.3}", true },
		{ true, "{\"version\":\"2.0\",\"vectorString\":\"AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/"
		    "TD:H/CR:M/IR:M/AR:H\",\"baseScore\":7.8,\"temporalScore\":6.4,\"environmentalScore\":9.2}", true },
		{ true, "{\"version\":\"2.0\",\"vectorString\":\"AV:N/AC:L/Au:N/C:N/I:N\",\"baseScore\":5}", false },
		{ true, "{\"version\":\"2.0\",\"vectorString\":\"AV:N/AC:L/Au:N/C:N/I:N/A:C\",\"baseScore\":11}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(scores); i++) {
		struct csaf_cvss_fault f = { .member = NULL };
		bool fine = csaf_cvss_check(parse(slice_of(scores[i].object)), scores[i].v2, mem, &f);

		if (fine != scores[i].fine)
			fail_msg("%s: %s %s", scores[i].object, fine ? "fine" : f.member, f.reason);
	}
}

static void
test_cpe_names(void **state)
{
	static const struct { const char *in, *out; } names[] = {
		{ "cpe:/a:csaf-tools:cvrf-csaf-converter:1.0.0-alpha",
		    "cpe:2.3:a:csaf\\-tools:cvrf\\-csaf\\-converter:1.0.0\\-alpha:*:*:*:*:*:*:*" },
		{ "cpe:/o:Example:os:8::~~lts~~x64~", "cpe:2.3:o:example:os:8:*:*:*:lts:*:x64:*" },
		{ "cpe:/h:a:b%2fc:-", "cpe:2.3:h:a:b\\/c:-:*:*:*:*:*:*:*" },
		{ "cpe:/a:v:p:1.%02", "cpe:2.3:a:v:p:1.*:*:*:*:*:*:*:*" },
		{ "cpe:2.3:a:v:p:1.0:*:*:*:*:*:*:*", "cpe:2.3:a:v:p:1.0:*:*:*:*:*:*:*" },
		{ "cpe:2.3:a:v:p:1.0", "" }, { "cpe:/x:v", "" }, { "cpe:/a:v%2", "" }, { "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(names); i++) {
		struct slice out = csaf_cpe23(mem, slice_of(names[i].in));

		if (!slice_is(out, names[i].out))
			fail_msg("%s gives %.*s", names[i].in, SLICE_ARG(out));
		assert_int_equal(csaf_is_cpe(slice_of(names[i].in)), names[i].out[0] != '\0');
	}
}

static void
test_versions_have_an_order(void **state)
{
	static const char *const ascending[] = {
		"0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11",
		"1.0.0", "1.0.1", "1.10.0", "2.0.0", "10.0.0",
	};
	struct csaf_version a, b;

	(void)state;
	for (size_t i = 1; i < COUNTOF(ascending); i++) {
		assert_true(csaf_version_parse(slice_of(ascending[i - 1]), &a));
		assert_true(csaf_version_parse(slice_of(ascending[i]), &b));
		assert_true(csaf_version_cmp(&a, &b, true) < 0);
		assert_true(csaf_version_cmp(&b, &a, true) > 0);
	}
	assert_true(csaf_is_version(SLICE_LIT("99999999999999999999999")));
	assert_true(csaf_is_version(SLICE_LIT("1.2.3+build.7")));
	assert_false(csaf_is_version(SLICE_LIT("1.2")));
	assert_false(csaf_is_version(SLICE_LIT("1.02.3")));
	assert_false(csaf_is_version(SLICE_LIT("1.2.3-")));
	assert_false(csaf_is_version(SLICE_LIT("1.2.3-a..b")));
	assert_false(csaf_is_version(SLICE_LIT("")));
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(test_each_test_is_failed_once),
		T(test_names_of_weaknesses), T(test_cvss_scores),
		T(test_cpe_names),
		T(test_versions_have_an_order),
	};

	return cmocka_run_group_tests_name("csaf check", tests, NULL, NULL);
}
