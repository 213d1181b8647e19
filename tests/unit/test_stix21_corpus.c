/* If this fails, a broken STIX document gets another answer than the one we promise, or a good one is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/format.h"
#include "formats/vocab.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define CORPUS		"../shared/corpus/"
#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

enum { FILE_MAX = 256 << 20, SUMMARY_CODES = 32 };

/* What strict mode answers: the whole text is refused (the code is a word of err.h), an object is, or it is
 * taken with a remark. */
enum answer { WHOLE, REFUSED, WARNED };

static const struct row {
	const char	*file;
	enum answer	 answer;
	const char	*code, *path;
	unsigned	 line, column;
} rows[] = {
	{ "invalid_braces.json", WHOLE, "syntax", "", 1, 1 },
	{ "invalid_comma.json", WHOLE, "syntax", "", 9, 1 },
	{ "invalid_identity.json", REFUSED, "MISSING_PROPERTY", "modified", 1, 1 },
	{ "invalid_timestamp.json", REFUSED, "BAD_ORDER", "modified", 1, 1 },
	{ "own-artifact-bad-base64.json", REFUSED, "BAD_BASE64", "payload_bin", 5, 5 },
	{ "own-artifact-key-without-algorithm.json", REFUSED, "BAD_COMBINATION",
	    "decryption_key", 5, 5 },
	{ "own-artifact-payload-and-url.json", REFUSED, "BAD_COMBINATION", "url", 5, 5 },
	{ "own-artifact-url-without-hashes.json", REFUSED, "BAD_COMBINATION", "url", 5, 5 },
	{ "own-boolean-as-string.json", REFUSED, "BAD_TYPE_OF", "revoked", 5, 5 },
	{ "own-confidence-101.json", REFUSED, "BAD_RANGE", "confidence", 5, 5 },
	{ "own-confidence-fraction.json", REFUSED, "BAD_TYPE_OF", "confidence", 5, 5 },
	{ "own-count-negative.json", REFUSED, "BAD_RANGE", "count", 5, 5 },
	{ "own-created-by-not-an-identity.json", REFUSED, "BAD_REF", "created_by_ref", 5, 5 },
	{ "own-created-by-ref-list.json", REFUSED, "BAD_TYPE_OF", "created_by_ref", 5, 5 },
	{ "own-custom-property-without-extension.json", WARNED, "CUSTOM_PROPERTY",
	    "x_vendor_score", 5, 5 },
	{ "own-email-multipart-with-body.json", REFUSED, "BAD_COMBINATION", "body", 5, 5 },
	{ "own-email-part-list-not-multipart.json", REFUSED, "BAD_COMBINATION",
	    "body_multipart", 5, 5 },
	{ "own-empty-list.json", REFUSED, "EMPTY_LIST", "labels", 5, 5 },
	{ "own-empty-object.json", REFUSED, "EMPTY_OBJECT", "extensions", 5, 5 },
	{ "own-external-reference-source-name-alone.json", REFUSED, "BAD_REFERENCE",
	    "external_references[0]", 5, 5 },
	{ "own-external-reference-without-source-name.json", REFUSED, "MISSING_PROPERTY",
	    "external_references[0].source_name", 5, 5 },
	{ "own-file-extension-empty.json", REFUSED, "EMPTY_OBJECT", "extensions.ntfs-ext", 5, 5 },
	{ "own-file-hash-length.json", REFUSED, "BAD_HASH", "hashes.SHA-256", 5, 5 },
	{ "own-file-hash-not-hex.json", REFUSED, "BAD_HASH", "hashes.MD5", 5, 5 },
	{ "own-file-magic-odd-hex.json", REFUSED, "BAD_HEX", "magic_number_hex", 5, 5 },
	{ "own-file-parent-is-a-file.json", REFUSED, "BAD_REF", "parent_directory_ref", 5, 5 },
	{ "own-file-size-negative.json", REFUSED, "BAD_RANGE", "size", 5, 5 },
	{ "own-file-with-network-extension.json", REFUSED, "BAD_EXTENSION",
	    "extensions.icmp-ext", 5, 5 },
	{ "own-file-without-name-and-hashes.json", REFUSED, "MISSING_PROPERTY", "", 5, 5 },
	{ "own-granular-both-marking-and-lang.json", REFUSED, "BAD_MARKING",
	    "granular_markings[0]", 5, 5 },
	{ "own-granular-selector-dangling.json", REFUSED, "BAD_SELECTOR",
	    "granular_markings[0].selectors[0]", 5, 5 },
	{ "own-granular-selector-index-too-big.json", REFUSED, "BAD_SELECTOR",
	    "granular_markings[0].selectors[0]", 5, 5 },
	{ "own-granular-without-selectors.json", REFUSED, "MISSING_PROPERTY",
	    "granular_markings[0].selectors", 5, 5 },
	{ "own-id-not-a-uuid.json", REFUSED, "BAD_ID", "id", 5, 5 },
	{ "own-id-prefix-of-another-type.json", REFUSED, "BAD_ID", "id", 5, 5 },
	{ "own-id-single-hyphen.json", REFUSED, "BAD_ID", "id", 5, 5 },
	{ "own-id-upper-case-hex.json", WARNED, "UPPER_CASE_ID", "id", 5, 5 },
	{ "own-id-uuid-bad-variant.json", REFUSED, "BAD_ID", "id", 5, 5 },
	{ "own-integer-as-string.json", REFUSED, "BAD_TYPE_OF", "count", 5, 5 },
	{ "own-ipv4-created-timestamps.json", WARNED, "CUSTOM_PROPERTY", "created", 5, 5 },
	{ "own-ipv4-without-value.json", REFUSED, "MISSING_PROPERTY", "value", 5, 5 },
	{ "own-kill-chain-phase-incomplete.json", REFUSED, "MISSING_PROPERTY",
	    "kill_chain_phases[0].phase_name", 5, 5 },
	{ "own-language-content-empty.json", REFUSED, "EMPTY_OBJECT", "contents", 5, 5 },
	{ "own-location-empty.json", REFUSED, "MISSING_PROPERTY", "", 5, 5 },
	{ "own-location-latitude-91.json", REFUSED, "BAD_RANGE", "latitude", 5, 5 },
	{ "own-location-latitude-alone.json", REFUSED, "BAD_COMBINATION", "latitude", 5, 5 },
	{ "own-location-precision-alone.json", REFUSED, "BAD_COMBINATION", "precision", 5, 5 },
	{ "own-malware-analysis-without-result.json", REFUSED, "MISSING_PROPERTY", "", 5, 5 },
	{ "own-malware-family-without-name.json", REFUSED, "MISSING_PROPERTY", "name", 5, 5 },
	{ "own-malware-last-seen-before-first.json", REFUSED, "BAD_ORDER", "last_seen", 5, 5 },
	{ "own-malware-without-is-family.json", REFUSED, "MISSING_PROPERTY", "is_family", 5, 5 },
	{ "own-marking-definition-type-without-definition.json", REFUSED, "BAD_COMBINATION",
	    "definition_type", 5, 5 },
	{ "own-marking-marks-itself.json", REFUSED, "BAD_MARKING", "object_marking_refs", 5, 5 },
	{ "own-missing-created.json", REFUSED, "MISSING_PROPERTY", "created", 5, 5 },
	{ "own-missing-id.json", REFUSED, "MISSING_PROPERTY", "id", 5, 5 },
	{ "own-missing-pattern-type.json", REFUSED, "MISSING_PROPERTY", "pattern_type", 5, 5 },
	{ "own-missing-pattern.json", REFUSED, "MISSING_PROPERTY", "pattern", 5, 5 },
	{ "own-missing-spec-version.json", WARNED, "MISSING_SPEC_VERSION", "spec_version", 5, 5 },
	{ "own-missing-type.json", REFUSED, "MISSING_PROPERTY", "type", 5, 5 },
	{ "own-missing-valid-from.json", REFUSED, "MISSING_PROPERTY", "valid_from", 5, 5 },
	{ "own-modified-before-created.json", REFUSED, "BAD_ORDER", "modified", 5, 5 },
	{ "own-network-traffic-end-and-active.json", REFUSED, "BAD_COMBINATION", "end", 5, 5 },
	{ "own-network-traffic-end-before-start.json", REFUSED, "BAD_ORDER", "end", 5, 5 },
	{ "own-network-traffic-port-65536.json", REFUSED, "BAD_RANGE", "dst_port", 5, 5 },
	{ "own-network-traffic-without-ends.json", REFUSED, "MISSING_PROPERTY", "", 5, 5 },
	{ "own-network-traffic-without-protocols.json", REFUSED, "MISSING_PROPERTY",
	    "protocols", 5, 5 },
	{ "own-note-without-content.json", REFUSED, "MISSING_PROPERTY", "content", 5, 5 },
	{ "own-null-value.json", REFUSED, "NULL_VALUE", "description", 5, 5 },
	{ "own-number-in-string-list.json", REFUSED, "BAD_TYPE_OF", "labels[0]", 5, 5 },
	{ "own-object-marking-ref-to-identity.json", REFUSED, "BAD_REF",
	    "object_marking_refs[0]", 5, 5 },
	{ "own-observed-data-last-before-first.json", REFUSED, "BAD_ORDER", "last_observed", 5, 5 },
	{ "own-observed-data-neither.json", REFUSED, "MISSING_PROPERTY", "", 5, 5 },
	{ "own-observed-data-number-0.json", REFUSED, "BAD_RANGE", "number_observed", 5, 5 },
	{ "own-observed-data-objects-and-refs.json", REFUSED, "BAD_COMBINATION",
	    "object_refs", 5, 5 },
	{ "own-opinion-unknown.json", REFUSED, "BAD_ENUM", "opinion", 5, 5 },
	{ "own-pattern-empty.json", REFUSED, "BAD_PATTERN", "pattern", 5, 5 },
	{ "own-pattern-syntax.json", REFUSED, "BAD_PATTERN", "pattern", 5, 5 },
	{ "own-process-empty.json", REFUSED, "BAD_COMBINATION", "", 5, 5 },
	{ "own-property-name-hyphen.json", REFUSED, "BAD_NAME", "x-y", 5, 5 },
	{ "own-property-name-upper-case.json", REFUSED, "BAD_NAME", "Name2", 5, 5 },
	{ "own-raw-bad-utf8.json", WHOLE, "encoding", "", 1, 274 },
	{ "own-raw-bundle-objects-not-list.json", WHOLE, "value", "objects", 1, 1 },
	{ "own-raw-comment.json", WHOLE, "syntax", "", 1, 1 },
	{ "own-raw-deep-nesting.json", WHOLE, "depth", "", 1, 395 },
	{ "own-raw-duplicate-key.json", WHOLE, "duplicate", "", 1, 261 },
	{ "own-raw-empty.json", WHOLE, "syntax", "", 1, 1 },
	{ "own-raw-huge-number.json", WARNED, "CUSTOM_PROPERTY", "x_n", 1, 86 },
	{ "own-raw-lone-surrogate.json", WHOLE, "encoding", "", 1, 274 },
	{ "own-raw-nan.json", WHOLE, "syntax", "", 1, 274 },
	{ "own-raw-nul-escape.json", WARNED, "NUL_IN_TEXT", "name", 1, 86 },
	{ "own-raw-object-not-bundle.json", WHOLE, "value", "", 1, 1 },
	{ "own-raw-single-quotes.json", WHOLE, "syntax", "", 1, 2 },
	{ "own-raw-trailing-text.json", WHOLE, "syntax", "", 2, 1 },
	{ "own-raw-truncated.json", WHOLE, "syntax", "", 1, 278 },
	{ "own-raw-two-contents-same-version.json", REFUSED, "VERSION_CONFLICT", "", 14, 3 },
	{ "own-registry-data-type.json", REFUSED, "BAD_ENUM", "values[0].data_type", 5, 5 },
	{ "own-registry-empty.json", REFUSED, "BAD_COMBINATION", "", 5, 5 },
	{ "own-relationship-stop-before-start.json", REFUSED, "BAD_ORDER", "stop_time", 5, 5 },
	{ "own-relationship-to-bundle.json", REFUSED, "BAD_REF", "target_ref", 5, 5 },
	{ "own-relationship-to-relationship.json", REFUSED, "BAD_REF", "target_ref", 5, 5 },
	{ "own-relationship-type-with-blank.json", REFUSED, "BAD_NAME", "relationship_type", 5, 5 },
	{ "own-relationship-without-target.json", REFUSED, "MISSING_PROPERTY", "target_ref", 5, 5 },
	{ "own-report-empty-refs.json", REFUSED, "EMPTY_LIST", "object_refs", 5, 5 },
	{ "own-report-without-refs.json", REFUSED, "MISSING_PROPERTY", "object_refs", 5, 5 },
	{ "own-sighting-of-observable.json", REFUSED, "BAD_REF", "sighting_of_ref", 5, 5 },
	{ "own-sighting-where-a-malware.json", REFUSED, "BAD_REF", "where_sighted_refs[0]", 5, 5 },
	{ "own-string-for-list.json", REFUSED, "BAD_TYPE_OF", "labels", 5, 5 },
	{ "own-timestamp-30-february.json", REFUSED, "BAD_TIMESTAMP", "valid_from", 5, 5 },
	{ "own-timestamp-date-only.json", REFUSED, "BAD_TIMESTAMP", "valid_from", 5, 5 },
	{ "own-timestamp-hour-24.json", REFUSED, "BAD_TIMESTAMP", "valid_from", 5, 5 },
	{ "own-timestamp-lower-case-z.json", REFUSED, "BAD_TIMESTAMP", "valid_from", 5, 5 },
	{ "own-timestamp-number.json", REFUSED, "BAD_TIMESTAMP", "valid_from", 5, 5 },
	{ "own-timestamp-offset.json", REFUSED, "BAD_TIMESTAMP", "valid_from", 5, 5 },
	{ "own-timestamp-without-zone.json", REFUSED, "BAD_TIMESTAMP", "valid_from", 5, 5 },
	{ "own-tlp-id-with-other-level.json", REFUSED, "FORGED_MARKING", "id", 5, 5 },
	{ "own-tlp-level-with-own-id.json", WARNED, "TLP_OWN_ID", "id", 5, 5 },
	{ "own-tlp2-id-with-other-level.json", REFUSED, "FORGED_MARKING", "id", 5, 5 },
	{ "own-type-upper-case.json", REFUSED, "BAD_TYPE", "type", 5, 5 },
	{ "own-unknown-type.json", WARNED, "CUSTOM_TYPE", "type", 5, 5 },
	{ "own-user-account-empty.json", REFUSED, "BAD_COMBINATION", "", 5, 5 },
	{ "own-valid-until-equals-valid-from.json", REFUSED, "BAD_ORDER", "valid_until", 5, 5 },
	{ "own-x509-empty.json", REFUSED, "BAD_COMBINATION", "", 5, 5 },
};

/* What tolerant mode says of the samples that break the standard; remarks on words and custom content, which
 * it allows, are left out. Nothing is refused but two contents of one version. */
static const struct { const char *file, *codes; } defects[] = {
	{ "elevated/Appendix_G_IOCs_Full.json", "MISSING_PROPERTY:47" },
	{ "elevated/account_indicator.json", "MISSING_PROPERTY:2" },
	{ "elevated/archive-file.json", "SCO_ID:2" },
	{ "elevated/command-and-control-ip-list.json", "BAD_ID:3 BAD_REF:1" },
	{ "elevated/file-and-directory.json", "BAD_ID:1 BAD_NAME:1 SCO_ID:1" },
	{ "elevated/indicator-for-c2-ip-address.json", "MISSING_PROPERTY:1" },
	{ "elevated/issue-162.json", "BAD_REFERENCE:1 MISSING_PROPERTY:1" },
	{ "elevated/issue62.json", "BAD_REF:1 MISSING_PROPERTY:1 SCO_ID:1" },
	{ "elevated/malicious-email-indicator-with-addresses.json", "MISSING_PROPERTY:1 SCO_ID:1" },
	{ "elevated/malicious-email-indicator-with-attachment.json", "MISSING_PROPERTY:3" },
	{ "elevated/malware-indicator-for-file-hash.json", "BAD_ID:1 BAD_REF:1" },
	{ "elevated/network-socket-observable.json", "MISSING_PROPERTY:1" },
	{ "elevated/observable-with-networkconnection-instance.json",
	    "BAD_TYPE_OF:9 MISSING_PROPERTY:1 SCO_ID:1" },
	{ "elevated/victim-targeting.json", "BAD_ID:2 BAD_REF:2" },
	{ "own/language-content.json", "BAD_TRANSLATION:1" },
	{ "slider/archive-file.json", "SCO_ID:4" },
	{ "slider/artifact-observed-data.json", "BAD_BASE64:1 SCO_ID:1" },
	{ "slider/as-observed-data.json", "SCO_ID:1" },
	{ "slider/command-and-control-ip-list.json", "SCO_ID:4" },
	{ "slider/defining-campaigns-threat-actors.json", "VERSION_CONFLICT:1" },
	{ "slider/domain-name-observed-data.json", "SCO_ID:2" },
	{ "slider/email-addr-observed-data.json", "SCO_ID:1" },
	{ "slider/email-message-observed-data-2.json", "SCO_ID:3" },
	{ "slider/email-object.json", "SCO_ID:3" },
	{ "slider/email-raw-observable.json", "SCO_ID:4" },
	{ "slider/file-and-directory-windows.json", "SCO_ID:2" },
	{ "slider/file-and-directory.json", "BAD_REF:1 SCO_ID:2" },
	{ "slider/icmp-observed-data.json", "SCO_ID:3" },
	{ "slider/image-file-observed-data.json", "SCO_ID:1" },
	{ "slider/issue62.json", "SCO_ID:3" },
	{ "slider/malicious-email-indicator-with-attachment.json", "SCO_ID:2" },
	{ "slider/ntfs-observed-data.json", "SCO_ID:1" },
	{ "slider/pdf-file-observed-data.json", "SCO_ID:1" },
	{ "slider/resolve_to_observable.json", "SCO_ID:5" },
	{ "slider/socket-observed-data.json", "SCO_ID:2" },
	{ "slider/unix-user-account-observed-data-1.json", "SCO_ID:1" },
	{ "slider/url-observed-data.json", "SCO_ID:1" },
	{ "slider/windows-service-observed-data.json", "SCO_ID:1" },
};

static const char allowed[] =
    "UNKNOWN_WORD CUSTOM_PROPERTY NOT_LOWER_CASE UNUSUAL_RELATIONSHIP UPPER_CASE_ID CUSTOM_TYPE";

/* Read a file; what it gave lives until the end of the test. */
static int
read_file(const char *path, bool strict, struct advisory **adv, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	struct read_job job = { .input = "test", .strict = strict };

	*adv = arena_alloc(mem, sizeof(**adv));
	*e = (struct err)ERR_INIT;
	assert_int_equal(file_read(path, FILE_MAX, &text, e), 0);
	job.in = arena_slice(mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return format_stix21.read(&job, mem, *adv, e);
}

/* The answer to one file is this one and no other. */
static void
check_row(const struct row *row)
{
	const char *path = arena_fmt(mem, CORPUS "invalid/stix21/%s", row->file), *code;
	struct advisory *adv;
	struct err e;
	enum answer got;

	if (read_file(path, true, &adv, &e) < 0) {
		got = WHOLE;
		code = err_word(e.code);
	} else {
		if (adv->nverdicts == 0)
			fail_msg("%s: no answer", row->file);
		got = adv->verdicts[0].kind == VERDICT_REFUSED ? REFUSED : WARNED;
		code = adv->verdicts[0].code;
		e = adv->verdicts[0].err;
		if (got == REFUSED)
			assert_int_equal(adv->nverdicts, 1);
	}
	if (got != row->answer || strcmp(code, row->code) != 0 || strcmp(e.path, row->path) != 0 ||
	    e.at.line != row->line || e.at.column != row->column || e.reason[0] == '\0')
		fail_msg("%s: %s at %u:%u \"%s\" (%s)", row->file, code, e.at.line, e.at.column, e.path,
		    e.reason);
	if (got == WHOLE)
		return;
	/* tolerant mode carries it, unless no gateway could */
	assert_int_equal(read_file(path, false, &adv, &e), 0);
	for (size_t i = 0; i < adv->nverdicts; i++)
		if (adv->verdicts[i].kind == VERDICT_REFUSED &&
		    !vocab_has_word("BAD_ID MISSING_PROPERTY BAD_TIMESTAMP VERSION_CONFLICT",
		    slice_of(adv->verdicts[i].code)))
			fail_msg("%s: tolerant mode refuses: %s", row->file, adv->verdicts[i].code);
}

static void
test_every_broken_file_has_its_answer(void **state)
{
	DIR *d;
	size_t n = 0;

	(void)state;
	if (!file_exists(CORPUS "invalid/stix21/own-expected.json"))
		skip();
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
	d = opendir(CORPUS "invalid/stix21");
	assert_non_null(d);
	for (struct dirent *de; (de = readdir(d)) != NULL;)
		n += de->d_name[0] != '.';
	closedir(d);
	assert_int_equal(COUNT(rows), n - 1);	/* but for own-expected.json */
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "CODE:n CODE:n", sorted, without what is allowed. */
static const char *
summary(const struct advisory *adv)
{
	const char *code[SUMMARY_CODES];
	size_t n[SUMMARY_CODES] = { 0 }, codes = 0;
	const char *text = "";

	for (size_t i = 0; i < adv->nverdicts; i++) {
		size_t k = 0;

		if (vocab_has_word(allowed, slice_of(adv->verdicts[i].code)))
			continue;
		while (k < codes && strcmp(code[k], adv->verdicts[i].code) != 0)
			k++;
		if (k == codes && codes < SUMMARY_CODES)
			code[codes++] = adv->verdicts[i].code;
		n[k]++;
	}
	for (size_t i = 0; i < codes; i++)
		code[i] = arena_fmt(mem, "%s:%zu", code[i], n[i]);
	qsort(code, codes, sizeof(*code), by_text);
	for (size_t i = 0; i < codes; i++)
		text = arena_fmt(mem, "%s%s%s", text, i > 0 ? " " : "", code[i]);
	return text;
}

static const char *
defects_of(const char *name)
{
	for (size_t i = 0; i < COUNT(defects); i++)
		if (strcmp(defects[i].file, name) == 0)
			return defects[i].codes;
	return "";
}

/* Judge every sample of one folder; returns how many there were. */
static size_t
judge_folder(const char *folder)
{
	DIR *d = opendir(arena_fmt(mem, CORPUS "stix21/%s", folder));
	struct advisory *adv;
	struct err e;
	size_t n = 0;

	assert_non_null(d);
	for (struct dirent *de; (de = readdir(d)) != NULL;) {
		const char *name = arena_fmt(mem, "%s/%s", folder, de->d_name);

		if (!slice_ends(slice_of(name), ".json"))
			continue;
		assert_int_equal(read_file(arena_fmt(mem, CORPUS "stix21/%s", name), false, &adv, &e), 0);
		if (strcmp(summary(adv), defects_of(name)) != 0)
			fail_msg("%s: %s, not %s", name, summary(adv), defects_of(name));
		n++;
	}
	closedir(d);
	return n;
}

static void
test_known_defects_and_no_others(void **state)
{
	static const char *const folders[] = {
		"attack", "elevated", "misp-stix", "oasis", "own", "slider", "validator",
	};
	size_t n = 0;

	(void)state;
	if (!file_exists(CORPUS "stix21/sco_id_vectors.json"))
		skip();
	for (size_t i = 0; i < COUNT(folders); i++)
		n += judge_folder(folders[i]);
	assert_true(n > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_broken_file_has_its_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_known_defects_and_no_others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
