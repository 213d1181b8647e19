/* If this fails, a partner's STIX 1.x package comes back from us as another one, or what we tell partners who
 * read nothing newer is freer than its sender wanted, or has lost its meaning. Needs ../shared/corpus; without it
 * there is nothing to do here (test_stix1_write.c stands alone). */
#include <stdio.h>
#include <string.h>

#include "formats/stix1.h"
#include "tests/unit/corpus_kit.h"
#include "tests/unit/chain_kit.h"

static const char *const old[] = {
	"stix1/cybox", "stix1/idioms", "stix1/misp-stix", "stix1/oasis-1.2.1", "stix1/samples",
	"stix1/samples-1.0.1", "stix1/samples-1.1.1", "stix1/slider-out", NULL,
};
static const char *const new[] = {
	"stix21/attack", "stix21/elevated", "stix21/misp-stix", "stix21/oasis", "stix21/own", "stix21/slider",
	"stix21/validator", NULL,
};

static struct arena *mem;
static size_t wrong;

/* Call `each` for every file of folders. */
static size_t
for_each(const char *const *folders, const char *ending, void (*each)(const char *path))
{
	size_t n = 0;

	mem = arena_new();
	for (size_t i = 0; folders[i] != NULL; i++)
		n += corpus_each(&mem, arena_fmt(mem, CORPUS "%s", folders[i]), ending, each);
	arena_free(mem);
	return n;
}

static void
differ(const char *path, const char *what)
{
	wrong++;
	print_message("%s: %s\n", path, what);
}

/* STIX 1.x -> STIX 2.1 text -> STIX 1.x: the same document. */
static void
comes_home(const char *path)
{
	struct slice text = corpus_text(mem, path), hub, back;
	struct advisory adv, again;
	struct xml_node *before, *after;
	struct err e = ERR_INIT;
	struct loss loss;
	size_t n = 0;

	assert_int_equal(chain_read(&format_stix1, text, mem, &adv, NULL, &e), 0);
	if (adv.n == 0)
		return;
	assert_int_equal(chain_write(&format_stix21, &adv, mem, true, NULL, &hub, &e), 0);
	assert_int_equal(chain_read(&format_stix21, hub, mem, &again, NULL, &e), 0);
	loss_init(&loss, mem);
	assert_int_equal(chain_write(&format_stix1, &again, mem, true, &loss, &back, &e), 0);
	assert_int_equal(xml_parse(text, NULL, mem, &before, &e), 0);
	assert_int_equal(xml_parse(back, NULL, mem, &after, &e), 0);
	if (!xml_equal(before, after))
		differ(path, "is another document");
	for (size_t i = 0; i < again.n; i++)
		n += corpus_leaves(again.objects[i].tree);
	if (n != loss.n)
		differ(path, "not every leaf is in the account");
}

static void
documents_come_home(void **state)
{
	(void)state;
	if (!file_exists(CORPUS "MANIFEST.md"))
		skip();
	wrong = 0;
	assert_true(for_each(old, ".xml", comes_home) > 100);
	assert_int_equal(wrong, 0);
}

static const struct object *
by_meaning(const struct advisory *adv, const struct object *o)
{
	for (size_t i = 0; i < adv->n; i++)
		if (o->has_fp && adv->objects[i].has_fp &&
		    memcmp(adv->objects[i].fp, o->fp, FINGERPRINT_LEN) == 0)
			return &adv->objects[i];
	return NULL;
}

/* True if the account owns up to another wording of the pattern, or the pattern says what an address says of
 * itself (its family). */
static bool
is_approximated(const struct loss *loss, const struct object *o)
{
	const char *path = arena_fmt(mem, "%.*s/pattern", SLICE_ARG(o->id));

	for (size_t i = 0; i < loss->n; i++)
		if (loss->v[i].kind == LOSS_APPROXIMATED && strcmp(loss->v[i].path, path) == 0)
			return true;
	return strstr(json_member(o->tree, "pattern").p, "_ref.type = 'ipv4-addr'") != NULL;
}

/* STIX 2.1 -> STIX 1.2 -> STIX 2.1: nothing is freer; indicators mean what they meant; all is accounted for. */
static void
means_the_same(const char *path)
{
	struct slice text = corpus_text(mem, path), out;
	struct advisory adv, back;
	struct err e = ERR_INIT;
	struct loss loss;
	size_t n = 0;

	if (chain_read(&format_stix21, text, mem, &adv, NULL, &e) < 0 || adv.n == 0)
		return;
	loss_init(&loss, mem);
	assert_int_equal(chain_write(&format_stix1, &adv, mem, true, &loss, &out, &e), 0);
	if (chain_read(&format_stix1, out, mem, &back, NULL, &e) < 0) {
		differ(path, e.reason);
		return;
	}
	for (size_t i = 0; i < adv.n; i++) {
		const struct object *o = &adv.objects[i], *b = chain_find(&back, o->id);

		n += corpus_leaves(o->tree);
		if (b != NULL && chain_is_weaker(b, o))
			differ(path, arena_fmt(mem, "%s is weaker", o->id.p));
		if (!slice_is(o->type, "indicator") || (o->flags & OBJECT_REVOKED) != 0)
			continue;
		if (b == NULL)	/* an id that is no UUID is another one then */
			b = by_meaning(&back, o);
		if (b == NULL)
			differ(path, arena_fmt(mem, "%.*s is lost", SLICE_ARG(o->id)));
		else if (o->has_fp && !is_approximated(&loss, o) &&
		    !(b->has_fp && memcmp(b->fp, o->fp, FINGERPRINT_LEN) == 0))
			differ(path, arena_fmt(mem, "%.*s means something else: %s", SLICE_ARG(o->id),
			    json_member(b->tree, "pattern").p));
	}
	if (n != loss.n - loss.count[LOSS_GENERATED])
		differ(path, "not every leaf is in the account");
}

static void
bundles_keep_their_meaning(void **state)
{
	(void)state;
	if (!file_exists(CORPUS "MANIFEST.md"))
		skip();
	wrong = 0;
	assert_true(for_each(new, ".json", means_the_same) > 100);
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_come_home),
		cmocka_unit_test(bundles_keep_their_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
