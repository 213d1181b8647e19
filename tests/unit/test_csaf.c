/* If this fails, an advisory that partners publish as CSAF is read, checked or written otherwise than the
 * mapping promises. Stands alone; test_csaf_corpus.c goes through what others really write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "formats/csaf.h"
#include "formats/csaf_check.h"
#include "formats/shipped.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define NOW		SLICE_LIT("2026-11-21T10:00:00Z")
#define ADVISORY	"tests/fuzz/corpus/csaf/advisory.json"
#define STIX		"tests/fuzz/corpus/csaf/stix.json"

/* Helpers. */

static struct slice
load(const char *path)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (file_read(path, 1 << 20, &b, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static json *
parse(struct slice text)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(text, NULL, mem, &doc, &e) < 0)
		fail_msg("%s in %.200s", e.reason, text.p);
	return doc.root;
}

static struct slice
print(const json *tree)
{
	struct strbuf b = STRBUF_INIT;
	struct slice s;

	json_print(&b, tree);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static struct advisory *
read_as(const struct format_ops *f, struct slice text, bool strict)
{
	struct read_job job = { .in = text, .input = "t", .received = NOW, .strict = strict };
	struct advisory *adv = arena_alloc(mem, sizeof(*adv));
	struct err e = ERR_INIT;

	if (f->read(&job, mem, adv, &e) < 0)
		fail_msg("%s", e.reason);
	return adv;
}

static struct slice
write_as(const struct format_ops *f, const struct advisory *adv, bool bare)
{
	struct write_job job = { .adv = adv, .received = NOW, .csirt = "cert.example", .no_residue = bare };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (f->write(&job, mem, &b, &e) < 0)
		fail_msg("%s", e.reason);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

/* "a.b[2].c" of a tree; NULL if there is no such place. */
static json *
at(const json *tree, const char *path)
{
	struct slice rest = slice_of(path);
	json *v = (json *)(uintptr_t)tree;

	while (rest.n > 0 && v != NULL) {
		struct slice step = slice_cut(&rest, '.'), name = slice_cut(&step, '[');

		if (name.n > 0)
			v = json_get(v, arena_str(mem, name));
		while (step.n > 0) {
			unsigned long long i;
			struct slice number = slice_cut(&step, ']');

			assert_true(slice_u64(number, &i));
			v = json_at(v, (size_t)i);
			slice_cut(&step, '[');
		}
	}
	return v;
}

static void
assert_text(const json *tree, const char *path, const char *want)
{
	struct slice s = json_slice(at(tree, path));

	if (!slice_is(s, want))
		fail_msg("%s is \"%.*s\" and not \"%s\"", path, SLICE_ARG(s), want);
}

/* The n-th object of a type, from 0. */
static struct object *
object_of(struct advisory *adv, const char *type, size_t n)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].type, type) && n-- == 0)
			return &adv->objects[i];
	fail_msg("no such %s", type);
	return NULL;
}

static size_t
count_of(const struct advisory *adv, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < adv->n; i++)
		n += slice_is(adv->objects[i].type, type);
	return n;
}

static bool
has_verdict(const struct advisory *adv, const char *code, const char *path)
{
	for (size_t i = 0; i < adv->nverdicts; i++)
		if (strcmp(adv->verdicts[i].code, code) == 0 && strcmp(adv->verdicts[i].err.path, path) == 0)
			return true;
	return false;
}

/* The advisory of the seeds as STIX, through its text, so that an object can be edited. */
static json *
as_bundle(struct slice csaf)
{
	return parse(write_as(&format_stix21, read_as(&format_csaf, csaf, true), false));
}

static json *
bundle_object(json *bundle, const char *type, size_t n)
{
	for (json *o = json_first(json_get(bundle, "objects")); o != NULL; o = json_next(o))
		if (slice_is(json_member(o, "type"), type) && n-- == 0)
			return o;
	fail_msg("no such %s", type);
	return NULL;
}

static json *
home(json *bundle)
{
	struct slice text = write_as(&format_csaf, read_as(&format_stix21, print(bundle), false), false);
	struct advisory *again = read_as(&format_csaf, text, true);

	for (size_t i = 0; i < again->nverdicts; i++)
		fail_msg("%s %s", again->verdicts[i].code, again->verdicts[i].err.path);
	return parse(text);
}

/* Reading. */

static void
test_ids_follow_the_vector(void **state)
{
	static const char text[] = "{\"document\":{\"category\":\"csaf_base\",\"csaf_version\":\"2.0\","
	    "\"publisher\":{\"category\":\"vendor\",\"name\":\"E\",\"namespace\":\"https://example.com\"},"
	    "\"title\":\"T\",\"tracking\":{\"id\":\"ESA-2024|1\",\"status\":\"final\",\"version\":\"1\","
	    "\"current_release_date\":\"2024-04-01T00:00:00Z\",\"initial_release_date\":"
	    "\"2024-04-01T00:00:00Z\",\"revision_history\":[{\"date\":\"2024-04-01T00:00:00Z\","
	    "\"number\":\"1\",\"summary\":\"s\"}]}},\"vulnerabilities\":[{\"cve\":\"CVE-2024-3094\"}]}";
	struct advisory *adv = read_as(&format_csaf, slice_of(text), true);

	(void)state;
	assert_true(slice_is(object_of(adv, "vulnerability", 0)->id,
	    "vulnerability--0a5379c2-69dd-5965-8919-356eb3a298eb"));
	assert_true(slice_is(object_of(adv, "report", 0)->version, "2024-04-01T00:00:00.000Z"));
	assert_int_equal(object_of(adv, "report", 0)->label, LABEL_ABSENT);
}

static void
test_advisory_becomes_objects(void **state)
{
	struct advisory *adv = read_as(&format_csaf, load(ADVISORY), true);
	const json *report = object_of(adv, "report", 0)->tree;
	const json *vulnerability = object_of(adv, "vulnerability", 0)->tree;

	(void)state;
	assert_int_equal(adv->nverdicts, 0);
	assert_text(report, "name", "Valve controller leaks keys");
	assert_text(report, "description", "Keys leak into the log.\n\nMore on that.");
	assert_text(report, "modified", "2026-03-04T09:00:00.000Z");
	assert_text(report, "published", "2026-03-01T08:30:00.000Z");
	assert_text(report, "labels[0]", "csaf_security_advisory");
	assert_text(report, "labels[1]", "csaf-status:final");
	assert_text(report, "external_references[0].external_id", "EC-2026-0007");
	assert_text(report, "external_references[0].url", "https://controls.example/ec-2026-0007.json");
	assert_text(report, "external_references[1].source_name", "guide.example");
	assert_text(vulnerability, "name", "CVE-2026-1234");
	assert_text(vulnerability, "description", "The log holds keys.\n\nIn line 3.");
	assert_text(vulnerability, "external_references[1].external_id", "CWE-532");
	assert_true(json_get(at(vulnerability, "extensions"), CSAF_EXT) != NULL);
	assert_int_equal(json_count(json_get(json_get(json_get(at(vulnerability, "extensions"),
	    CSAF_EXT), "csaf"), "scores")), 2);
	assert_int_equal(count_of(adv, "software"), 5);
	assert_int_equal(count_of(adv, "course-of-action"), 2);
	assert_int_equal(count_of(adv, "extension-definition"), 1);
	assert_text(object_of(adv, "software", 0)->tree, "cpe", "cpe:2.3:a:example:valve:1.0:*:*:*:*:*:*:*");
	assert_text(object_of(adv, "course-of-action", 1)->tree, "name",
	    "mitigation: Do not let the log leave the plant.");
	for (size_t i = 0; i < adv->n; i++)
		if (!slice_ends(adv->objects[i].type, "-definition"))
			assert_int_equal(adv->objects[i].tlp, TLP_AMBER);
}

static void
test_status_becomes_relationships(void **state)
{
	struct advisory *adv = read_as(&format_csaf, load(ADVISORY), true);
	size_t has = 0, related = 0;

	(void)state;
	for (size_t i = 0; i < adv->n; i++) {
		const json *o = adv->objects[i].tree;

		has += slice_is(json_member(o, "relationship_type"), "has");
		related += slice_is(json_member(o, "relationship_type"), "related-to");
	}
	assert_int_equal(has, 3);	/* P1 is affected in two lists, and has one relationship */
	assert_int_equal(related, 3);
}

/* Labels. */

static void
test_labels_are_never_weaker(void **state)
{
	static const struct { const char *word; enum tlp tlp; enum label_case label; } rows[] = {
		{ "WHITE", TLP_CLEAR, LABEL_TLP }, { "GREEN", TLP_GREEN, LABEL_TLP },
		{ "AMBER", TLP_AMBER, LABEL_TLP }, { "RED", TLP_RED, LABEL_TLP },
		{ "CLEAR", TLP_CLEAR, LABEL_TLP }, { "AMBER+STRICT", TLP_AMBER_STRICT, LABEL_TLP },
		{ "PURPLE", TLP_RED, LABEL_UNREADABLE }, { "", TLP_RED, LABEL_UNREADABLE },
	};
	static const char *const out[] = { "WHITE", "GREEN", "AMBER", "RED", "WHITE", "RED", "RED", "RED" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		json *doc = parse(load(ADVISORY));
		struct advisory *adv;

		json_put_str(mem, at(doc, "document.distribution.tlp"), "label", slice_of(rows[i].word));
		adv = read_as(&format_csaf, print(doc), false);
		assert_int_equal(object_of(adv, "vulnerability", 0)->tlp, rows[i].tlp);
		assert_int_equal(object_of(adv, "vulnerability", 0)->label, rows[i].label);
		assert_text(parse(write_as(&format_csaf, adv, true)), "document.distribution.tlp.label", out[i]);
	}
}

/* Set the marking of the n-th object of a type. */
static void
mark(json *bundle, const char *type, size_t n, enum tlp t)
{
	json *list = json_list(mem);

	json_push(list, json_string(mem, slice_of(tlp_marking_id(t))));
	json_put(mem, bundle_object(bundle, type, n), "object_marking_refs", list);
}

static void
test_document_says_the_strictest(void **state)
{
	json *bundle = parse(load(STIX)), *doc;

	(void)state;
	mark(bundle, "indicator", 0, TLP_AMBER_STRICT);
	doc = parse(write_as(&format_csaf, read_as(&format_stix21, print(bundle), true), false));
	assert_text(doc, "document.distribution.tlp.label", "RED");
	for (json *o = json_first(json_get(bundle, "objects")); o != NULL; o = json_next(o))
		json_remove(o, "object_marking_refs");
	mark(bundle, "report", 0, TLP_GREEN);
	doc = parse(write_as(&format_csaf, read_as(&format_stix21, print(bundle), true), false));
	assert_text(doc, "document.distribution.tlp.label", "AMBER");	/* others are unmarked */
}

static void
test_raised_label_wins_over_originals(void **state)
{
	json *doc = parse(write_as(&format_csaf, read_as(&format_stix21, load(STIX), true), false));
	struct advisory *adv;

	(void)state;
	json_put_str(mem, at(doc, "document.distribution.tlp"), "label", SLICE_LIT("RED"));
	adv = read_as(&format_csaf, print(doc), true);
	assert_true(has_verdict(adv, "LABEL_RAISED", "document.notes[2].text"));
	for (size_t i = 0; i < adv->n; i++)
		if (!slice_ends(adv->objects[i].type, "-definition"))
			assert_int_equal(adv->objects[i].tlp, TLP_RED);
	assert_true(slice_cmp(object_of(adv, "report", 0)->version_key,
	    SLICE_LIT("2026-02-02T00:00:00")) > 0);
}

/* The hash over the document is right, and its notes were rewritten: nobody is believed for that. */
static void
test_originals_do_not_explain_the_label_away(void **state)
{
	json *bundle = parse(load(STIX)), *doc, *notes;
	struct advisory *adv;
	size_t changed = 0;

	(void)state;
	for (json *o = json_first(json_get(bundle, "objects")); o != NULL; o = json_next(o))
		if (!slice_ends(json_member(o, "type"), "-definition"))
			json_remove(o, "object_marking_refs");
	mark(bundle, "report", 0, TLP_RED);
	doc = parse(write_as(&format_csaf, read_as(&format_stix21, print(bundle), true), false));
	assert_text(doc, "document.distribution.tlp.label", "RED");
	notes = at(doc, "document.notes");
	for (json *n = json_first(notes); n != NULL; n = json_next(n)) {
		json *o = slice_is(json_member(n, "title"), CSAF_NOTE_OBJECT) ? parse(json_member(n, "text")) : NULL;

		if (o == NULL || !slice_is(json_member(o, "type"), "report"))
			continue;
		json_remove(o, "object_marking_refs");
		json_put_str(mem, n, "text", print(o));
		changed++;
	}
	assert_int_equal(changed, 1);
	adv = read_as(&format_csaf, print(doc), true);
	for (size_t i = 0; i < adv->n; i++)
		if (!slice_ends(adv->objects[i].type, "-definition"))
			assert_int_equal(adv->objects[i].tlp, TLP_RED);
}

/* Home. */

static void
test_untouched_comes_home_identical(void **state)
{
	static const char *const seeds[] = {
		"advisory", "vex", "incident", "informational", "base",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(seeds); i++) {
		struct slice text = load(arena_fmt(mem, "tests/fuzz/corpus/csaf/%s.json", seeds[i]));

		if (!json_equal(parse(text), home(as_bundle(text))))
			fail_msg("%s is another document", seeds[i]);
	}
}

/* Write the paths at which two trees differ, one a line. */
static void
differences(struct strbuf *out, const json *a, const json *b, const char *path)
{
	const json *x, *y;
	size_t i = 0;

	if (a != NULL && b != NULL && json_equal(a, b))
		return;
	if (a != NULL && b != NULL && json_is_object(a) && json_is_object(b)) {
		for (x = json_first(a); x != NULL; x = json_next(x))
			differences(out, x, json_get(b, json_name(x)), arena_fmt(mem, "%s.%s", path,
			    json_name(x)));
		for (y = json_first(b); y != NULL; y = json_next(y))
			if (json_get(a, json_name(y)) == NULL)
				differences(out, NULL, y, arena_fmt(mem, "%s.%s", path, json_name(y)));
		return;
	}
	if (a != NULL && b != NULL && json_is_list(a) && json_is_list(b) && json_count(a) == json_count(b)) {
		for (x = json_first(a), y = json_first(b); x != NULL; x = json_next(x), y = json_next(y))
			differences(out, x, y, arena_fmt(mem, "%s[%zu]", path, i++));
		return;
	}
	strbuf_addf(out, "%s\n", path);
}

/* What differs from the advisory of the seeds when this bundle goes home. */
static void
assert_differs(json *bundle, const char *paths)
{
	struct strbuf out = STRBUF_INIT;

	differences(&out, parse(load(ADVISORY)), home(bundle), "");
	assert_string_equal(out.p, paths);
	strbuf_fini(&out);
}

static void
test_an_edit_changes_its_part_only(void **state)
{
	json *b = as_bundle(load(ADVISORY));

	(void)state;
	json_put_str(mem, bundle_object(b, "vulnerability", 0), "description",
	    SLICE_LIT("The log holds keys.\n\nIn line 4."));
	assert_differs(b, ".vulnerabilities[0].notes[1].text\n");

	b = as_bundle(load(ADVISORY));
	json_put_str(mem, bundle_object(b, "report", 0), "name", SLICE_LIT("Valves leak"));
	assert_differs(b, ".document.title\n");

	b = as_bundle(load(ADVISORY));
	json_put_str(mem, bundle_object(b, "course-of-action", 0), "description", SLICE_LIT("Install 1.3."));
	assert_differs(b, ".vulnerabilities[0].remediations[0].details\n");

	b = as_bundle(load(ADVISORY));
	json_put_str(mem, bundle_object(b, "note", 0), "content", SLICE_LIT("Frames must wait."));
	assert_differs(b, ".vulnerabilities[0].remediations[2].details\n");

	b = as_bundle(load(ADVISORY));
	json_put_str(mem, bundle_object(b, "identity", 0), "contact_information", SLICE_LIT("+32 2 555 0100"));
	assert_differs(b, ".document.publisher.contact_details\n");

	b = as_bundle(load(ADVISORY));
	json_put_str(mem, bundle_object(b, "software", 3), "name", SLICE_LIT("Large frame"));
	assert_differs(b, ".product_tree.full_product_names[0].name\n");
}

static void
test_references_and_names_can_be_edited(void **state)
{
	json *b = as_bundle(load(ADVISORY)), *refs, *doc, *added;

	(void)state;
	refs = json_get(bundle_object(b, "vulnerability", 0), "external_references");
	json_put_str(mem, json_at(refs, 0), "external_id", SLICE_LIT("CVE-2026-4321"));
	json_detach(refs, json_at(refs, 1));
	added = json_push(refs, json_object(mem));
	json_put_str(mem, added, "source_name", SLICE_LIT("lab"));
	json_put_str(mem, added, "url", SLICE_LIT("https://lab.example/1"));
	doc = home(b);
	assert_text(doc, "vulnerabilities[0].cve", "CVE-2026-4321");
	assert_null(at(doc, "vulnerabilities[0].cwe"));
	assert_text(doc, "vulnerabilities[0].references[1].url", "https://lab.example/1");
}

static void
test_a_later_version_is_a_revision(void **state)
{
	json *b = as_bundle(load(ADVISORY)), *doc;

	(void)state;
	json_put_str(mem, bundle_object(b, "vulnerability", 1), "modified",
	    SLICE_LIT("2026-04-01T00:00:00.000Z"));
	doc = home(b);
	assert_text(doc, "document.tracking.version", "3");
	assert_text(doc, "document.tracking.current_release_date", "2026-04-01T00:00:00.000Z");
	assert_text(doc, "document.tracking.revision_history[2].number", "3");
}

/* Drop the objects of a bundle for which `fn` says so. */
static void
drop_objects(json *bundle, bool (*fn)(const json *o))
{
	json *list = json_get(bundle, "objects"), *next;

	for (json *o = json_first(list); o != NULL; o = next) {
		next = json_next(o);
		if (fn(o))
			json_detach(list, o);
	}
}

static bool
is_second(const json *o)
{
	return slice_starts(json_member(o, "description"), "A second one");
}

static bool
is_mitigation(const json *o)
{
	return slice_starts(json_member(o, "name"), "mitigation:");
}

static bool
is_fixed(const json *o)
{
	return slice_is(json_slice(json_first(json_get(o, "labels"))), "csaf:fixed");
}

static void
test_what_was_removed_stays_away(void **state)
{
	json *b = as_bundle(load(ADVISORY)), *doc;

	(void)state;
	drop_objects(b, is_second);
	doc = home(b);
	assert_int_equal(json_count(at(doc, "vulnerabilities")), 1);

	b = as_bundle(load(ADVISORY));
	drop_objects(b, is_mitigation);
	doc = home(b);
	assert_int_equal(json_count(at(doc, "vulnerabilities[0].remediations")), 2);
	assert_text(doc, "vulnerabilities[0].remediations[1].category", "none_available");

	b = as_bundle(load(ADVISORY));
	drop_objects(b, is_fixed);
	doc = home(b);
	assert_null(at(doc, "vulnerabilities[0].product_status.fixed"));
	assert_null(at(doc, "vulnerabilities[0].product_status.recommended"));
	assert_non_null(at(doc, "vulnerabilities[0].product_status.known_affected[2]"));
}

/* Put objects of a JSON list into a bundle, and their ids into its report. */
static void
add_objects(json *bundle, const char *text)
{
	json *list = json_get(bundle, "objects");

	for (json *o = json_first(parse(slice_of(text))); o != NULL; o = json_next(o)) {
		json_push(list, json_copy(mem, o));
		json_push(json_get(bundle_object(bundle, "report", 0), "object_refs"),
		    json_string(mem, json_member(o, "id")));
	}
}

#define STAMPS	"\"spec_version\":\"2.1\",\"created\":\"2026-03-04T09:00:00.000Z\","		\
		"\"modified\":\"2026-03-04T09:00:00.000Z\",\"object_marking_refs\":"		\
		"[\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\"]"

static void
test_new_objects_are_appended(void **state)
{
	json *b = as_bundle(load(ADVISORY)), *doc;
	struct slice software = json_member(bundle_object(b, "software", 3), "id");
	struct slice vulnerability = json_member(bundle_object(b, "vulnerability", 0), "id");

	(void)state;
	add_objects(b, arena_fmt(mem, "[{\"type\":\"vulnerability\",\"id\":\"vulnerability--00000000-0000-"
	    "4000-8000-000000000001\",\"name\":\"A third\",\"description\":\"New.\"," STAMPS "},"
	    "{\"type\":\"relationship\",\"id\":\"relationship--00000000-0000-4000-8000-000000000002\","
	    "\"relationship_type\":\"has\",\"source_ref\":\"%.*s\",\"target_ref\":\"%.*s\",\"labels\":"
	    "[\"csaf:known_affected\"]," STAMPS "},"
	    "{\"type\":\"relationship\",\"id\":\"relationship--00000000-0000-4000-8000-000000000003\","
	    "\"relationship_type\":\"has\",\"source_ref\":\"%.*s\",\"target_ref\":\"vulnerability--"
	    "00000000-0000-4000-8000-000000000001\",\"labels\":[\"csaf:known_affected\"]," STAMPS "}]",
	    SLICE_ARG(software), SLICE_ARG(vulnerability), SLICE_ARG(software)));
	doc = home(b);
	assert_text(doc, "document.category", "csaf_security_advisory");
	assert_text(doc, "vulnerabilities[2].title", "A third");
	assert_text(doc, "vulnerabilities[2].product_status.known_affected[0]", "F");
	assert_text(doc, "vulnerabilities[0].product_status.known_affected[3]", "F");
	assert_text(doc, "document.notes[4].title", CSAF_NOTE_OBJECT);
}

/* Without residue. */

static void
test_bare_keeps_what_matters(void **state)
{
	struct advisory *adv = read_as(&format_csaf, load(ADVISORY), true);
	json *doc = parse(write_as(&format_csaf, adv, true));
	static const struct { const char *list; size_t n; } lists[] = {
		{ "known_affected", 3 }, { "first_affected", 1 }, { "fixed", 1 }, { "recommended", 1 },
	};

	(void)state;
	assert_text(doc, "document.category", "csaf_security_advisory");
	assert_text(doc, "document.tracking.id", "EC-2026-0007");
	assert_text(doc, "document.publisher.name", "Example Controls");
	assert_text(doc, "document.distribution.text", "For members.");
	assert_text(doc, "vulnerabilities[0].cve", "CVE-2026-1234");
	assert_text(doc, "vulnerabilities[0].cwe.id", "CWE-532");
	for (size_t i = 0; i < COUNTOF(lists); i++)
		assert_int_equal(json_count(at(doc, arena_fmt(mem, "vulnerabilities[0].product_status.%s",
		    lists[i].list))), lists[i].n);
	assert_int_equal(json_count(at(doc, "vulnerabilities[1].product_status.known_not_affected")), 1);
	assert_text(doc, "vulnerabilities[0].remediations[0].category", "vendor_fix");
	assert_text(doc, "vulnerabilities[0].remediations[0].url", "https://controls.example/1.2");
	assert_text(doc, "vulnerabilities[0].remediations[1].category", "mitigation");
	assert_text(doc, "vulnerabilities[0].remediations[2].category", "none_available");
	assert_int_equal(json_count(at(doc, "vulnerabilities[0].threats[0].product_ids")), 2);
	assert_text(doc, "product_tree.branches[0].branches[0].branches[2].category",
	    "product_version_range");
	assert_int_equal(read_as(&format_csaf, print(doc), true)->nverdicts, 0);
}

/* A weakness has the name that the CWE list gives it, whatever its reference calls it. */
static void
test_weakness_gets_its_name(void **state)
{
	static const struct { const char *was, *now; } names[] = {
		{ NULL, "Out-of-bounds Write" }, { "heap smash", "Out-of-bounds Write" },
		{ "OUT-OF-BOUNDS WRITE", "OUT-OF-BOUNDS WRITE" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(names); i++) {
		json *b = as_bundle(load(ADVISORY)), *doc;
		json *ref = json_at(json_get(bundle_object(b, "vulnerability", 0), "external_references"), 1);

		json_put_str(mem, ref, "external_id", SLICE_LIT("CWE-787"));
		json_remove(ref, "description");
		if (names[i].was != NULL)
			json_put_str(mem, ref, "description", slice_of(names[i].was));
		doc = parse(write_as(&format_csaf, read_as(&format_stix21, print(b), false), true));
		assert_text(doc, "vulnerabilities[0].cwe.id", "CWE-787");
		assert_text(doc, "vulnerabilities[0].cwe.name", names[i].now);
	}
}

static void
test_vex_survives_bare(void **state)
{
	struct slice text = load("tests/fuzz/corpus/csaf/vex.json");
	json *doc = parse(write_as(&format_csaf, read_as(&format_csaf, text, true), true));

	(void)state;
	assert_text(doc, "document.category", "csaf_vex");
	assert_int_equal(read_as(&format_csaf, print(doc), true)->nverdicts, 0);
}

static void
test_only_reports_of_vulnerabilities_are_written(void **state)
{
	static const char text[] = "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":"
	    "\"identity--00000000-0000-4000-8000-000000000001\",\"created\":\"2026-01-01T00:00:00.000Z\","
	    "\"modified\":\"2026-01-01T00:00:00.000Z\",\"name\":\"x\"}";
	struct write_job job = { .adv = read_as(&format_stix21, slice_of(text), false), .received = NOW };
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(format_csaf.write(&job, mem, &out, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_int_equal(out.n, 0);
}

/* STIX-born. */

static void
assert_same_objects(const struct advisory *a, const struct advisory *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		if (!slice_eq(a->objects[i].bytes, b->objects[i].bytes))
			fail_msg("%.*s is another", SLICE_ARG(a->objects[i].id));
		assert_int_equal(a->objects[i].label, b->objects[i].label);
		assert_int_equal(a->objects[i].tlp, b->objects[i].tlp);
	}
}

static void
test_stix_comes_back_to_the_byte(void **state)
{
	struct advisory *adv = read_as(&format_stix21, load(STIX), true), *back;
	json *doc = parse(write_as(&format_csaf, adv, false));

	(void)state;
	assert_text(doc, "document.category", "csaf_security_advisory");
	assert_text(doc, "document.tracking.id", "CE-1");
	assert_text(doc, "document.tracking.status", "interim");
	assert_text(doc, "document.publisher.namespace", "https://cert.example");
	assert_text(doc, "vulnerabilities[1].title", "Second hole");
	back = read_as(&format_csaf, print(doc), true);
	assert_int_equal(back->nverdicts, 0);
	assert_true(slice_eq(back->id, adv->id));
	assert_same_objects(adv, back);
}

static void
test_native_edit_goes_into_the_original(void **state)
{
	struct advisory *adv = read_as(&format_stix21, load(STIX), true), *back;
	json *doc = parse(write_as(&format_csaf, adv, false));

	(void)state;
	json_put_str(mem, at(doc, "vulnerabilities[0].notes[0]"), "text", SLICE_LIT("Worse than thought."));
	json_put_str(mem, at(doc, "document.tracking"), "current_release_date",
	    SLICE_LIT("2026-05-01T00:00:00Z"));
	json_put_str(mem, at(doc, "document.tracking.revision_history[1]"), "date",
	    SLICE_LIT("2026-05-01T00:00:00Z"));
	back = read_as(&format_csaf, print(doc), true);
	assert_int_equal(back->n, adv->n);
	for (size_t i = 0; i < adv->n; i++)
		if (!slice_is(adv->objects[i].id, "vulnerability--00000000-0000-4000-8000-000000000003"))
			assert_true(slice_eq(adv->objects[i].bytes, back->objects[i].bytes));
	assert_text(object_of(back, "vulnerability", 0)->tree, "description", "Worse than thought.");
	assert_text(object_of(back, "vulnerability", 0)->tree, "modified", "2026-05-01T00:00:00.000Z");
	assert_text(object_of(back, "vulnerability", 0)->tree, "external_references[2].external_id", "T-1");
}

static void
test_native_changes_of_parts(void **state)
{
	struct advisory *adv = read_as(&format_stix21, load(STIX), true), *back;
	json *doc = parse(write_as(&format_csaf, adv, false)), *v;
	size_t n = adv->n;

	(void)state;
	v = json_push(at(doc, "vulnerabilities"), json_object(mem));
	json_put_str(mem, v, "cve", SLICE_LIT("CVE-2026-5555"));
	json_put(mem, v, "notes", json_copy(mem, at(doc, "vulnerabilities[0].notes")));
	json_put(mem, v, "product_status", json_copy(mem, at(doc, "vulnerabilities[1].product_status")));
	back = read_as(&format_csaf, print(doc), true);
	assert_int_equal(back->n, n + 2 + 1);	/* it, its status, its note of a threat is a note here */
	assert_text(object_of(back, "vulnerability", 2)->tree, "name", "CVE-2026-5555");
	assert_true(slice_starts(object_of(back, "report", 0)->id, "report--00000000"));

	json_remove(at(doc, "vulnerabilities[0]"), "remediations");
	json_detach(at(doc, "vulnerabilities"), at(doc, "vulnerabilities[2]"));
	json_put_str(mem, at(doc, "document"), "category", SLICE_LIT("csaf_base"));
	back = read_as(&format_csaf, print(doc), true);
	assert_true(has_verdict(back, "ORIGINAL_REMOVED", "document.notes[15].text"));
}

static void
test_bad_originals_are_told(void **state)
{
	json *doc = parse(write_as(&format_csaf, read_as(&format_stix21, load(STIX), true), false));
	struct advisory *back;

	(void)state;
	json_put_str(mem, at(doc, "document.notes[3]"), "text", SLICE_LIT("{\"type\":\"report\"}"));
	back = read_as(&format_csaf, print(doc), true);
	assert_true(has_verdict(back, "BAD_ORIGINAL", "document.notes[3].text"));
	assert_true(back->n > 0);
}

/* Refusals. */

static void
test_other_documents_are_no_advisories(void **state)
{
	static const struct { const char *text; const char *word; } rows[] = {
		{ "{\"aggregator_version\":\"2.0\",\"aggregator\":{},\"csaf_providers\":[]}", "aggregator" },
		{ "{\"metadata_version\":\"2.0\",\"publisher\":{},\"role\":\"csaf_provider\"}", "metadata" },
		{ "{\"csaf_version\":1}", "document" }, { "[]", "object" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct read_job job = { .in = slice_of(rows[i].text), .input = "t", .received = NOW };
		struct advisory adv = { .n = 0 };
		struct err e = ERR_INIT;

		assert_int_equal(format_csaf.read(&job, mem, &adv, &e), -1);
		assert_int_equal(e.code, ERR_UNSUPPORTED);
		assert_non_null(strstr(e.reason, rows[i].word));
	}
}

static void
test_strict_refuses_what_tolerant_warns_about(void **state)
{
	json *doc = parse(load(ADVISORY));
	struct advisory *adv;

	(void)state;
	json_put_str(mem, at(doc, "document.tracking"), "version", SLICE_LIT("1"));
	adv = read_as(&format_csaf, print(doc), false);
	assert_true(adv->n > 0);
	assert_int_equal(adv->verdicts[0].kind, VERDICT_WARNED);
	assert_true(has_verdict(adv, "NOT_LATEST_VERSION", "document.tracking.version"));
	adv = read_as(&format_csaf, print(doc), true);
	assert_int_equal(adv->n, 0);
	assert_int_equal(adv->nverdicts, 1);
	assert_int_equal(adv->verdicts[0].kind, VERDICT_REFUSED);
	assert_true(adv->verdicts[0].text.n > 0);
	json_remove(at(doc, "document.tracking"), "id");
	adv = read_as(&format_csaf, print(doc), false);
	assert_int_equal(adv->n, 0);
	assert_true(has_verdict(adv, "MISSING_PROPERTY", "document.tracking.id"));
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(test_ids_follow_the_vector),
		T(test_advisory_becomes_objects),
		T(test_status_becomes_relationships),
		T(test_labels_are_never_weaker),
		T(test_document_says_the_strictest),
		T(test_raised_label_wins_over_originals),
		T(test_originals_do_not_explain_the_label_away),
		T(test_untouched_comes_home_identical),
		T(test_an_edit_changes_its_part_only),
		T(test_references_and_names_can_be_edited),
		T(test_a_later_version_is_a_revision),
		T(test_what_was_removed_stays_away),
		T(test_new_objects_are_appended),
		T(test_bare_keeps_what_matters),
		T(test_weakness_gets_its_name), T(test_vex_survives_bare),
		T(test_only_reports_of_vulnerabilities_are_written),
		T(test_stix_comes_back_to_the_byte),
		T(test_native_edit_goes_into_the_original),
		T(test_native_changes_of_parts),
		T(test_bad_originals_are_told),
		T(test_other_documents_are_no_advisories),
		T(test_strict_refuses_what_tolerant_warns_about),
	};

	return cmocka_run_group_tests_name("csaf", tests, NULL, NULL);
}
