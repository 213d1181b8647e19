/* If this fails, documents that other tools really write are read otherwise than the mapping promises.
 * Needs ../shared/corpus; without it there is nothing to do here (test_iodef2_read.c stands alone). */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "formats/iodef2.h"
#include "gateway/base/clock.h"
#include "tests/unit/corpus_kit.h"
#include "tests/unit/mem_kit.h"

#define RECEIVED SLICE_LIT("2026-11-21T10:00:00Z")

static int
read_text(const struct format_ops *f, struct slice text, const char *name, bool strict,
    struct advisory *adv, struct err *e)
{
	struct read_job job = { .in = text, .input = name, .received = RECEIVED, .strict = strict };

	*adv = (struct advisory){ 0 };
	return f->read(&job, mem, adv, e);
}

static struct slice
write_text(const struct format_ops *f, const struct advisory *adv)
{
	struct write_job job = { .adv = adv, .received = RECEIVED, .csirt = "cert.example",
		.csirt_contact = "cert@cert.example" };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (f->write(&job, mem, &b, &e) < 0)
		fail_msg("%s", e.reason);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

/* The matcher of corpus/expected (see its MANIFEST). */

static bool	value_fits(const json *have, const json *want);

static bool
times_equal(struct slice a, struct slice b)
{
	struct slice x, y;

	return stamp_key(mem, a, &x) && stamp_key(mem, b, &y) && slice_eq(x, y);
}

static bool
matches(struct slice text, const char *expression)
{
	regex_t re;
	bool yes;

	if (regcomp(&re, expression, REG_EXTENDED | REG_NOSUB) != 0)
		fail_msg("bad expression %s", expression);
	yes = regexec(&re, text.p, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

/* Text without blanks: the pattern checker compares tokens. */
static struct slice
squeeze(struct slice s)
{
	struct strbuf b = STRBUF_INIT;
	struct slice out;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ')
			strbuf_addc(&b, s.p[i]);
	}
	out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

static bool
contains_all(const json *have, const json *want)
{
	for (json *w = json_first(want); w != NULL; w = json_next(w)) {
		json *h = json_first(have);

		while (h != NULL && !value_fits(h, w))
			h = json_next(h);
		if (h == NULL)
			return false;
	}
	return true;
}

static bool
rule_fits(const json *have, const json *rule)
{
	const char *kind = json_name(rule);

	if (strcmp(kind, "contains") == 0)
		return contains_all(have, rule);
	if (strcmp(kind, "match") == 0)
		return matches(json_slice(have), json_str(rule));
	if (strcmp(kind, "pattern") == 0)
		return slice_eq(squeeze(json_slice(have)), squeeze(json_slice(rule)));
	fail_msg("unknown rule %s", kind);
	return false;
}

static bool
value_fits(const json *have, const json *want)
{
	if (json_is_null(want))
		return have == NULL;
	if (have == NULL)
		return false;
	if (json_is_string(want) && times_equal(json_slice(have), json_slice(want)))
		return true;
	if (json_is_object(want) && json_is_object(have)) {
		for (json *m = json_first(want); m != NULL; m = json_next(m)) {
			if (!value_fits(json_get(have, json_name(m)), m))
				return false;
		}
		return true;
	}
	if (json_is_object(want)) {
		for (json *m = json_first(want); m != NULL; m = json_next(m)) {
			if (!rule_fits(have, m))
				return false;
		}
		return true;
	}
	return json_equal(have, want);
}

static void
check_objects(const struct advisory *adv, const json *rule, const char *file)
{
	struct slice type = json_member(rule, "type");
	const json *where = json_get(rule, "where");
	int64_t want, have = 0;

	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];

		if (slice_eq(o->type, type) && (where == NULL || value_fits(o->tree, where)))
			have++;
	}
	assert_true(json_int(json_get(rule, "count"), &want));
	if (have != want)
		fail_msg("%s: %lld of type %s fit, not %lld", file, (long long)have, type.p,
		    (long long)want);
}

static const struct object *
by_name(const struct advisory *adv, struct slice type_and_name)
{
	struct slice name = type_and_name, type = slice_cut(&name, ':');

	for (size_t i = 0; i < adv->n; i++) {
		if (slice_eq(adv->objects[i].type, type) &&
		    slice_eq(json_member(adv->objects[i].tree, "name"), name))
			return &adv->objects[i];
	}
	fail_msg("no %.*s", SLICE_ARG(type_and_name));
	return NULL;
}

static void
check_relationship(const struct advisory *adv, const json *rule)
{
	const struct object *from = by_name(adv, json_slice(json_at(rule, 0)));
	const struct object *to = by_name(adv, json_slice(json_at(rule, 2)));

	for (size_t i = 0; i < adv->n; i++) {
		const json *t = adv->objects[i].tree;

		if (slice_eq(json_member(t, "source_ref"), from->id) &&
		    slice_eq(json_member(t, "target_ref"), to->id) &&
		    slice_eq(json_member(t, "relationship_type"), json_slice(json_at(rule, 1))))
			return;
	}
	fail_msg("no such relationship");
}

static void
compare_expected(const char *path)
{
	struct json_doc doc;
	struct err e = ERR_INIT;
	struct advisory adv;
	const char *input;
	struct slice mark;

	assert_int_equal(json_parse(corpus_text(mem, path), NULL, mem, &doc, &e), 0);
	input = arena_fmt(mem, CORPUS "%s", json_member(doc.root, "input").p);
	if (read_text(format_find(json_member(doc.root, "from")), corpus_text(mem, input), input, false, &adv, &e) < 0)
		fail_msg("%s: %s", input, e.reason);
	for (json *m = json_first(json_get(doc.root, "objects")); m != NULL; m = json_next(m))
		check_objects(&adv, m, path);
	for (json *m = json_first(json_get(doc.root, "relationships")); m != NULL; m = json_next(m))
		check_relationship(&adv, m);
	mark = json_member(doc.root, "all_marked");
	for (size_t i = 0; i < adv.n && mark.n > 0; i++) {
		if (adv.objects[i].class != OBJECT_META)
			assert_true(slice_eq(mark, json_slice(json_first(json_get(adv.objects[i].tree,
			    "object_marking_refs")))));
	}
}

static void
expected_results_hold(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	compare_expected(CORPUS "expected/iodef1-botnet.to.stix21.json");
	compare_expected(CORPUS "expected/iodef1-watchlist.to.stix21.json");
	compare_expected(CORPUS "expected/iodef2-campaign.to.stix21.json");
	compare_expected(CORPUS "expected/iodef2-minimal.to.stix21.json");
}

/* IODEF -> STIX -> IODEF: the same document. */
static void
goes_home(const char *path)
{
	struct slice text = corpus_text(mem, path);
	struct xml_node *before, *after;
	struct advisory adv, again;
	struct err e = ERR_INIT;

	if (read_text(&format_iodef2, text, path, false, &adv, &e) < 0 ||
	    read_text(&format_stix21, write_text(&format_stix21, &adv), path, false, &again, &e) < 0 ||
	    xml_parse(text, NULL, mem, &before, &e) < 0 ||
	    xml_parse(write_text(&format_iodef2, &again), NULL, mem, &after, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	if (!xml_equal(before, after))
		fail_msg("%s is another document after a trip through STIX", path);
}

static void
iodef_comes_home_from_stix(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_true(corpus_each(&mem, CORPUS "iodef2", ".xml", goes_home) > 0);
}

/* STIX -> IODEF -> STIX: the same bundle, byte for byte. */
static void
comes_back(const char *path)
{
	struct advisory adv, again;
	struct err e = ERR_INIT;
	struct slice before, after;

	if (read_text(&format_stix21, corpus_text(mem, path), path, false, &adv, &e) < 0)
		return;
	before = write_text(&format_stix21, &adv);
	if (read_text(&format_iodef2, write_text(&format_iodef2, &adv), path, false, &again, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	after = write_text(&format_stix21, &again);
	if (!slice_eq(before, after))
		fail_msg("%s is another bundle after a trip through IODEF", path);
}

static void
stix_comes_home_from_iodef(void **state)
{
	static const char *const folders[] = {
		"own", "attack", "elevated", "misp-stix", "slider", "validator", "oasis",
	};
	size_t n = 0;

	(void)state;
	if (!corpus_here())
		skip();
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		n += corpus_each(&mem, arena_fmt(mem, CORPUS "stix21/%s", folders[i]), ".json", comes_back);
	assert_true(n > 50);
}

/* Broken documents: strict mode refuses what is marked error, both modes tell of what is marked warning. */
static void
broken_documents_are_answered(void **state)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	(void)state;
	if (!corpus_here())
		skip();
	assert_int_equal(json_parse(corpus_text(mem, CORPUS "invalid/iodef/own-expected.json"), NULL, mem, &doc, &e), 0);
	for (json *m = json_first(doc.root); m != NULL; m = json_next(m)) {
		const char *file = json_str(json_get(m, "file"));
		struct slice severity = json_member(m, "severity");
		struct slice text = corpus_text(mem, arena_fmt(mem, CORPUS "invalid/iodef/%s", file));

		if (strstr(file, "-rid-") != NULL)
			continue;	/* RID is another format */
		for (int strict = 0; strict < 2; strict++) {
			struct advisory adv;
			int rc = read_text(&format_iodef2, text, file, strict, &adv, &e);
			bool refused = rc < 0;

			for (size_t i = 0; i < adv.nverdicts; i++)
				refused |= adv.verdicts[i].kind == VERDICT_REFUSED;
			if (rc < 0 && e.reason[0] == '\0')
				fail_msg("%s: refused without a reason", file);
			if (slice_is(severity, "error") && strict && !refused)
				fail_msg("%s: strict mode lets it through", file);
			if (slice_is(severity, "warning") && (refused || adv.nverdicts == 0))
				fail_msg("%s: %s", file, refused ? e.reason : "nothing was said");
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expected_results_hold),
		cmocka_unit_test(iodef_comes_home_from_stix),
		cmocka_unit_test(stix_comes_home_from_iodef),
		cmocka_unit_test(broken_documents_are_answered),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
