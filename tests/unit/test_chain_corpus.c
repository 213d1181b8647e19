/* If this fails, something that came in from a real partner changes or disappears in somebody's format.
 *
 * Every file of the corpus goes A -> STIX -> X -> STIX for every X of the registry. What X or its place for
 * originals can carry comes back: id, version, label and every leaf of each object. The same input gives the
 * same bytes, and after the first round nothing changes any more. Needs ../shared/corpus. CHAIN=text looks at files
 * whose path holds it, and tells of every difference. */
#include <stdio.h>
#include <stdlib.h>

#include "formats/shipped.h"
#include "tests/unit/corpus_kit.h"
#include "tests/unit/chain_kit.h"

enum { TOLD_MAX = 20, SNIFF = 4096 };

static struct arena *of_file;
static size_t files, chains, differences;

/* Tell of a difference, if not too many were told. */
static void
differ(const char *path, const char *from, const char *over, const char *what, struct slice about)
{
	if (differences++ < TOLD_MAX || getenv("CHAIN") != NULL)
		print_message("%s (%s) over %s: %s %.*s\n", path, from, over, what, SLICE_ARG(about));
}

/* Forms of one standard: their residue is the native text, which is another text in another form. */
static const char *const dialects[] = { "iodef1", "iodef2", "iodef-json", "rid", NULL };

static bool
is_dialect(const char *name)
{
	for (size_t i = 0; dialects[i] != NULL; i++)
		if (strcmp(name, dialects[i]) == 0)
			return true;
	return false;
}

/* Equal as JSON, but for an extension that `but` names, and a pattern that is native text as well. */
static bool
is_same(const struct object *a, const struct object *b, struct arena *mem, const char *but)
{
	struct json_doc x, y;

	if (slice_eq(a->bytes, b->bytes))
		return true;
	if (json_parse(a->bytes, NULL, mem, &x, NULL) < 0 || json_parse(b->bytes, NULL, mem, &y, NULL) < 0)
		return false;
	if (but != NULL) {
		json_remove(json_get(x.root, "extensions"), but);
		json_remove(json_get(y.root, "extensions"), but);
		if (!slice_is(json_member(x.root, "pattern_type"), "stix")) {	/* native text as well */
			json_remove(x.root, "pattern");
			json_remove(y.root, "pattern");
		}
	}
	return json_equal(x.root, y.root);
}

/* What came back must hold everything that went out. */
static void
compare(const struct advisory *out, const struct advisory *back, struct arena *mem, const char *path,
    const char *from, const struct format_ops *over)
{
	const char *but = is_dialect(from) && is_dialect(over->name) && strcmp(from, over->name) != 0 ?
	    extension_definition_id(EXTENSION_IODEF) : NULL;

	if (strcmp(from, "stix1") == 0 && strcmp(over->name, "stix1") == 0)	/* its prefixes may stand elsewhere */
		but = extension_definition_id(EXTENSION_STIX1);
	for (size_t i = 0; i < out->n; i++) {
		const struct object *o = &out->objects[i], *b = chain_find(back, o->id);

		/* One id may have several versions. */
		for (size_t k = 0; k < back->n && b != NULL; k++)
			if (slice_eq(back->objects[k].id, o->id) &&
			    slice_eq(back->objects[k].version_key, o->version_key))
				b = &back->objects[k];
		if (b == NULL)
			differ(path, from, over->name, "lost", o->id);
		else if (chain_is_weaker(b, o))
			differ(path, from, over->name, "weaker", o->id);
		else if (!is_same(o, b, mem, but))
			differ(path, from, over->name, "changed", o->id);
	}
}

/* The second text is read into what gives the same text again. */
static bool
settles(const struct format_ops *x, const struct advisory *back, struct arena *mem)
{
	struct slice second, third;
	struct advisory again;
	struct err e = ERR_INIT;

	return chain_write(x, back, mem, true, NULL, &second, &e) == 0 &&
	    chain_read(x, second, mem, &again, NULL, &e) == 0 &&
	    chain_write(x, &again, mem, true, NULL, &third, &e) == 0 && slice_eq(second, third);
}

static void
go(const char *path, const struct format_ops *a, const struct advisory *adv,
    const struct format_ops *x)
{
	struct arena *mem = arena_new();
	struct advisory back;
	struct err e = ERR_INIT;
	struct slice text, again;
	char words[1024];

	if (chain_write(x, adv, mem, true, NULL, &text, &e) < 0) {
		if (e.code == ERR_NONE)
			differ(path, a->name, x->name, "refused without a reason", SLICE_EMPTY);
	} else if (chain_write(x, adv, mem, true, NULL, &again, &e) < 0 || !slice_eq(text, again)) {
		differ(path, a->name, x->name, "written twice, two texts", SLICE_EMPTY);
	} else if (chain_read(x, text, mem, &back, NULL, &e) < 0) {
		differ(path, a->name, x->name, "not readable:", slice_of(err_text(&e, words,
		    sizeof(words))));
	} else {
		chains++;
		compare(adv, &back, mem, path, a->name, x);
		if (!settles(x, &back, mem))
			differ(path, a->name, x->name, "another text every time", SLICE_EMPTY);
	}
	arena_free(mem);
}

/* One file: whatever it is, it is read as that, and goes everywhere. */
static void
look_at(const char *path)
{
	const char *only = getenv("CHAIN");
	const struct format_ops *a;
	struct advisory adv;
	struct err e = ERR_INIT;
	struct slice in;

	if (only != NULL && strstr(path, only) == NULL)
		return;
	in = corpus_text(of_file, path);
	a = format_sniff(slice_from(in.p, in.n < SNIFF ? in.n : SNIFF));
	if (a == NULL || chain_read(a, in, of_file, &adv, NULL, &e) < 0 || adv.n == 0)
		return;
	files++;
	for (size_t i = 0; formats[i] != NULL; i++)
		if (chain_both_ways(formats[i]))
			go(path, a, &adv, formats[i]);
}

static void
test_the_corpus_goes_everywhere_and_back(void **state)
{
	static const char *const folders[] = {
		"stix21", "stix20", "stix1", "iodef2", "iodef1", "iodef-json", "rid", "misp", "csaf",
	};

	(void)state;
	if (!corpus_here())
		skip();
	of_file = arena_new();
	for (size_t i = 0; i < COUNTOF(folders); i++)
		corpus_each(&of_file, arena_fmt(of_file, CORPUS "%s", folders[i]), "", look_at);
	arena_free(of_file);
	print_message("%zu files, %zu chains, %zu differences\n", files, chains, differences);
	assert_true(getenv("CHAIN") != NULL || (files > 200 && chains >= 2 * files));
	assert_int_equal(differences, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_corpus_goes_everywhere_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
