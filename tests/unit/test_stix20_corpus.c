/* If this fails, a bundle of STIX 2.0 that other tools really write does not come home as it was, or one of 2.1
 * comes back from a partner who speaks 2.0 with other words, or with a weaker label.
 * Needs ../shared/corpus; without it there is nothing to do here (test_stix20.c stands alone). */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "formats/format.h"
#include "tests/unit/corpus_kit.h"

#define RECEIVED SLICE_LIT("2026-11-21T10:00:00Z")

enum { HEAD = 4096 };

static struct arena *mem;

static int
read_text(const struct format_ops *f, struct slice text, const char *name, struct loss *loss,
    struct advisory *adv)
{
	struct read_job job = { .in = text, .input = name, .received = RECEIVED, .loss = loss };
	struct err e = ERR_INIT;

	*adv = (struct advisory){ 0 };
	return f->read(&job, mem, adv, &e);
}

static struct slice
write_text(const struct format_ops *f, const struct advisory *adv, struct loss *loss)
{
	struct write_job job = { .adv = adv, .received = RECEIVED, .loss = loss };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (f->write(&job, mem, &b, &e) < 0)
		fail_msg("%s", e.reason);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static size_t
accounted(const struct loss *l)
{
	return l->count[LOSS_KEPT] + l->count[LOSS_APPROXIMATED] + l->count[LOSS_MOVED] +
	    l->count[LOSS_DROPPED];
}

/* ---- there and back ---- */

static bool
was_refused(const struct advisory *adv, size_t index)
{
	for (size_t i = 0; i < adv->nverdicts; i++)
		if (adv->verdicts[i].kind == VERDICT_REFUSED && adv->verdicts[i].index == index)
			return true;
	return false;
}

static json *
elements_of(struct slice text, const char *path)
{
	struct json_doc doc;
	struct err e = ERR_INIT;
	json *list, *objects;

	if (json_parse(text, NULL, mem, &doc, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	objects = json_get(doc.root, "objects");
	if (json_is_list(doc.root))
		return doc.root;
	if (json_is_list(objects))
		return objects;
	list = json_list(mem);
	if (!slice_is(json_member(doc.root, "type"), "bundle"))
		json_push(list, json_copy(mem, doc.root));
	return list;
}

static bool
has(const json *list, const json *o)
{
	for (const json *m = json_first(list); m != NULL; m = json_next(m))
		if (json_equal(m, o))
			return true;
	return false;
}

/* All that was taken of `before` is in `after`, and nothing else is. */
static void
same_objects(const json *before, const json *after, const struct advisory *taken, const char *path)
{
	size_t i = 0;

	for (const json *m = json_first(before); m != NULL; m = json_next(m), i++) {
		struct strbuf b = STRBUF_INIT;

		if (was_refused(taken, i) || has(after, m))
			continue;
		json_print(&b, m);
		fail_msg("%s: not what it was: %.600s", path, b.p);
	}
	for (const json *m = json_first(after); m != NULL; m = json_next(m))
		if (!has(before, m))
			fail_msg("%s: %s was not there before", path, json_member(m, "id").p);
}

static size_t
leaves_of_taken(const struct advisory *adv)
{
	size_t n = 0;

	for (size_t i = 0; i < adv->n; i++)
		n += corpus_leaves(adv->objects[i].tree);
	return n;
}

static size_t
leaves_of_document(struct slice text, const char *path)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(text, NULL, mem, &doc, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	if (!slice_is(json_member(doc.root, "type"), "bundle"))
		return corpus_leaves(doc.root);
	return corpus_leaves(doc.root) - 2;	/* the type and the id of the bundle */
}

static void
goes_home(const char *path)
{
	struct slice text = corpus_text(mem, path), home;
	struct advisory adv, again;
	struct loss in, out;

	loss_init(&in, mem);
	loss_init(&out, mem);
	if (!slice_ends(slice_of(path), ".json") ||
	    read_text(&format_stix20, text, path, &in, &adv) < 0)
		return;
	if (accounted(&in) != leaves_of_document(text, path))
		fail_msg("%s: %zu leaves in the account, not %zu", path, accounted(&in),
		    leaves_of_document(text, path));
	if (read_text(&format_stix21, write_text(&format_stix21, &adv, NULL), path, NULL, &again) < 0)
		fail_msg("%s is no STIX 2.1 afterwards", path);
	home = write_text(&format_stix20, &again, &out);
	assert_int_equal(accounted(&out), leaves_of_taken(&again));
	same_objects(elements_of(text, path), elements_of(home, path), &adv, path);
}

static void
stix20_comes_home_from_stix21(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_true(corpus_each(&mem, CORPUS "stix20", "", goes_home) > 100);
}

/* A second round trip changes no byte of what the first one made. */
static void
is_fixed(const struct advisory *adv, const char *path)
{
	struct slice there = write_text(&format_stix20, adv, NULL);
	struct advisory twice, back;

	if (read_text(&format_stix20, there, path, NULL, &twice) < 0 ||
	    read_text(&format_stix21, write_text(&format_stix21, &twice, NULL), path, NULL, &back) < 0)
		fail_msg("%s cannot be read again", path);
	if (!slice_eq(there, write_text(&format_stix20, &back, NULL)))
		fail_msg("%s is no fixed point", path);
}

static void
comes_back(const char *path)
{
	struct slice text = corpus_text(mem, path), there;
	struct advisory adv, there_adv, again;
	struct loss out;

	loss_init(&out, mem);
	if (!slice_ends(slice_of(path), ".json") ||
	    read_text(&format_stix21, text, path, NULL, &adv) < 0)
		return;
	there = write_text(&format_stix20, &adv, &out);
	assert_int_equal(accounted(&out), leaves_of_taken(&adv));
	if (adv.n > 0)
		assert_ptr_equal(format_sniff(slice_from(there.p, there.n < HEAD ? there.n : HEAD)),
		    &format_stix20);
	if (read_text(&format_stix20, there, path, NULL, &there_adv) < 0)
		fail_msg("%s is no STIX 2.0 on the way", path);
	if (read_text(&format_stix21, write_text(&format_stix21, &there_adv, NULL), path, NULL,
	    &again) < 0)
		fail_msg("%s is no STIX 2.1 afterwards", path);
	same_objects(elements_of(text, path), elements_of(write_text(&format_stix21, &again, NULL), path),
	    &adv, path);
	is_fixed(&again, path);
}

static void
stix21_comes_back_from_stix20(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_true(corpus_each(&mem, CORPUS "stix21", "", comes_back) > 100);
}

/* ---- labels, also without residue ---- */

static int
strictness(const struct object *o)
{
	return o->label == LABEL_UNREADABLE ? TLP_RED : o->tlp;
}

static void
stays_as_strict(const char *path)
{
	struct slice text = corpus_text(mem, path);
	struct advisory adv, bare;
	struct write_job job = { .adv = &adv, .received = RECEIVED, .no_residue = true };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	if (!slice_ends(slice_of(path), ".json") ||
	    read_text(&format_stix21, text, path, NULL, &adv) < 0)
		return;
	assert_int_equal(format_stix20.write(&job, mem, &b, &e), 0);
	assert_int_equal(read_text(&format_stix20, strbuf_slice(&b), path, NULL, &bare), 0);
	for (size_t i = 0; i < adv.n; i++)
		for (size_t k = 0; k < bare.n; k++)
			if (slice_eq(adv.objects[i].id, bare.objects[k].id) &&
			    slice_eq(adv.objects[i].version, bare.objects[k].version) &&
			    strictness(&bare.objects[k]) < strictness(&adv.objects[i]))
				fail_msg("%s: %s lost its label", path, adv.objects[i].id.p);
	strbuf_fini(&b);
}

static void
labels_hold(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	corpus_each(&mem, CORPUS "stix21", "", stays_as_strict);
}

/* ---- marks ---- */

static void
is_not_ours(const char *path)
{
	struct slice s = corpus_text(mem, path);

	if (format_stix20.sniff(slice_from(s.p, s.n < HEAD ? s.n : HEAD)) != 0)
		fail_msg("%s looks like STIX 2.0", path);
}

static void
is_ours(const char *path)
{
	struct slice s = corpus_text(mem, path);
	bool bundle = memmem(s.p, s.n, "\"bundle--", 9) != NULL;

	if (slice_ends(slice_of(path), ".json") &&
	    (format_sniff(slice_from(s.p, s.n < HEAD ? s.n : HEAD)) == &format_stix20) != bundle)
		fail_msg("%s does not look like STIX 2.0", path);
}

static void
marks_are_told(void **state)
{
	static const char *const others[] = { "stix21", "iodef2", "iodef1", "iodef-json", "misp", "csaf",
	    "stix1", "rid", "rolie", "inhouse" };

	(void)state;
	if (!corpus_here())
		skip();
	mem = arena_new();
	for (size_t i = 0; i < COUNTOF(others); i++)
		corpus_each(&mem, arena_fmt(mem, CORPUS "%s", others[i]), "", is_not_ours);
	arena_free(mem);
	corpus_each(&mem, CORPUS "stix20", "", is_ours);
}

/* ---- what is expected (corpus/expected) ---- */

static bool
rule_fits(const json *have, const json *rule)
{
	const char *kind = json_name(rule);
	int64_t n;
	regex_t re;
	bool yes;

	if (strcmp(kind, "equals") == 0)
		return json_equal(have, rule);
	if (strcmp(kind, "pattern") == 0)
		return slice_eq(json_slice(have), json_slice(rule));
	if (strcmp(kind, "length") == 0)
		return json_int(rule, &n) && (size_t)n == json_count(have);
	if (strcmp(kind, "match") != 0)
		fail_msg("unknown rule %s", kind);
	assert_int_equal(regcomp(&re, json_str(rule), REG_EXTENDED | REG_NOSUB), 0);
	yes = json_str(have) != NULL && regexec(&re, json_str(have), 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

static bool
fits(const json *tree, const json *where)
{
	for (const json *w = json_first(where); w != NULL; w = json_next(w)) {
		const json *have = json_get(tree, json_name(w));

		if (json_is_null(w) ? have != NULL : have == NULL)
			return false;
		if (json_is_object(w) && !rule_fits(have, json_first(w)))
			return false;
		if (!json_is_object(w) && !json_is_null(w) && !json_equal(have, w))
			return false;
	}
	return true;
}

static void
expected_results_hold(void **state)
{
	struct json_doc doc;
	struct advisory adv;
	const char *input;

	(void)state;
	if (!corpus_here())
		skip();
	mem = arena_new();
	assert_int_equal(json_parse(corpus_text(mem, CORPUS "expected/stix20-own.to.stix21.json"), NULL, mem, &doc,
	    NULL), 0);
	input = arena_fmt(mem, CORPUS "%s", json_member(doc.root, "input").p);
	assert_int_equal(read_text(&format_stix20, corpus_text(mem, input), input, NULL, &adv), 0);
	for (const json *rule = json_first(json_get(doc.root, "objects")); rule != NULL;
	    rule = json_next(rule)) {
		int64_t want, have = 0;

		for (size_t i = 0; i < adv.n; i++)
			have += slice_eq(adv.objects[i].type, json_member(rule, "type")) &&
			    fits(adv.objects[i].tree, json_get(rule, "where"));
		assert_true(json_int(json_get(rule, "count"), &want));
		if (have != want) {
			struct strbuf b = STRBUF_INIT;

			json_print(&b, rule);
			fail_msg("%lld fit %s", (long long)have, b.p);
		}
	}
	arena_free(mem);
}

/* ---- broken ones ---- */

static void
is_refused(const char *path)
{
	struct read_job job = { .in = corpus_text(mem, path), .input = path, .received = RECEIVED, .strict = true };
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;

	if (format_stix20.read(&job, mem, &adv, &e) < 0) {
		assert_int_not_equal(e.code, ERR_NONE);
		assert_true(e.at.line > 0);
		return;
	}
	assert_int_equal(adv.n, 0);
	assert_int_equal(adv.nverdicts, 1);
	assert_int_equal(adv.verdicts[0].kind, VERDICT_REFUSED);
	assert_true(adv.verdicts[0].err.at.line > 0 && adv.verdicts[0].err.path[0] != '\0');
}

static void
broken_documents_are_refused(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_int_equal(corpus_each(&mem, CORPUS "invalid/stix20", "", is_refused), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stix20_comes_home_from_stix21),
		cmocka_unit_test(stix21_comes_back_from_stix20),
		cmocka_unit_test(labels_hold),
		cmocka_unit_test(marks_are_told),
		cmocka_unit_test(expected_results_hold),
		cmocka_unit_test(broken_documents_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
