/* If this fails, STIX 1.x packages that other tools really write are read otherwise than the mapping promises,
 * or a part of them is lost without a word. Needs ../shared/corpus; without it there is nothing to do here
 * (test_stix1_read.c stands alone). */
#include <string.h>

#include "formats/observe.h"
#include "formats/pattern.h"
#include "formats/stix1.h"
#include "gateway/base/clock.h"
#include "tests/unit/corpus_kit.h"
#include "tests/unit/mem_kit.h"

#define RECEIVED SLICE_LIT("2026-11-21T10:00:00Z")

static const char *const folders[] = {
	"cybox", "idioms", "misp-stix", "oasis-1.2.1", "samples", "samples-1.0.1", "samples-1.1.1",
	"slider-out",
};

static void
read_text(const struct format_ops *f, struct slice text, const char *name, struct loss *loss,
    struct advisory *adv)
{
	struct read_job job = { .in = text, .input = name, .received = RECEIVED, .loss = loss };
	struct err e = ERR_INIT;

	*adv = (struct advisory){ 0 };
	if (f->read(&job, mem, adv, &e) < 0)
		fail_msg("%s: %s", name, e.reason);
}

/* Call `each` for every XML file of every folder of the corpus. */
static size_t
for_each(void (*each)(const char *path))
{
	size_t n = 0;

	for (size_t i = 0; i < COUNTOF(folders); i++)
		n += corpus_each(&mem, arena_fmt(mem, CORPUS "stix1/%s", folders[i]), ".xml", each);
	return n;
}

static size_t
leaves(const struct xml_node *n)
{
	size_t count = n->first == NULL && n->attrs == NULL ? 1 : 0;

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		count++;
	for (const struct xml_node *k = n->first; k != NULL; k = k->next)
		count += xml_is_text(k) ? 1 : leaves(k);
	return count;
}

static void
accounts_for_all(const char *path)
{
	struct slice text = corpus_text(mem, path);
	struct xml_node *root;
	struct err e = ERR_INIT;
	struct advisory adv;
	struct loss loss;
	size_t dropped = 0;

	loss_init(&loss, mem);
	read_text(&format_stix1, text, path, &loss, &adv);
	assert_int_equal(xml_parse(text, NULL, mem, &root, &e), 0);
	if (leaves(root) != loss.n)
		fail_msg("%s: %zu leaves, %zu in the account", path, leaves(root), loss.n);
	for (size_t i = 0; i < loss.n; i++)
		dropped += loss.v[i].kind == LOSS_DROPPED && !slice_ends(slice_of(loss.v[i].path), "Location");
	if (dropped > 0 && adv.n > 0)
		fail_msg("%s: %zu leaves are dropped", path, dropped);
}

static void
every_leaf_is_accounted_for(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_true(for_each(accounts_for_all) > 100);
}

/* STIX 1.x -> STIX 2.1 text -> objects: the residue puts the document together again. */
static void
goes_home(const char *path)
{
	struct write_job job = { .received = RECEIVED };
	struct strbuf b = STRBUF_INIT;
	struct slice text = corpus_text(mem, path);
	struct advisory adv, again;
	struct xml_node *before;
	struct stix1_home home;
	struct err e = ERR_INIT;

	read_text(&format_stix1, text, path, NULL, &adv);
	if (adv.n == 0)
		return;
	job.adv = &adv;
	assert_int_equal(format_stix21.write(&job, mem, &b, &e), 0);
	read_text(&format_stix21, arena_slice(mem, strbuf_slice(&b)), path, NULL, &again);
	strbuf_fini(&b);
	if (again.n != adv.n)
		fail_msg("%s: %zu objects, %zu are valid STIX 2.1", path, adv.n, again.n);
	stix1_home(&again, mem, &home);
	assert_int_equal(xml_parse(text, NULL, mem, &before, &e), 0);
	if (home.nroots != 1)
		fail_msg("%s: %zu pieces do not fit", path, home.nroots);
	if (!xml_equal(before, home.roots[0]))
		fail_msg("%s is another document after a trip through STIX 2.1", path);
	for (size_t i = 0; i < home.n; i++)
		if (!home.pieces[i].bears && !home.pieces[i].same)
			fail_msg("%s: %s counts as edited", path, home.pieces[i].object->id.p);
}

static void
the_document_comes_home(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_true(for_each(goes_home) > 100);
}

/* Same input, same bytes; and the sniffer knows it, and nobody else does. */
static void
reads_alike(const char *path)
{
	struct slice text = corpus_text(mem, path);
	struct advisory a, b;

	read_text(&format_stix1, text, path, NULL, &a);
	read_text(&format_stix1, text, path, NULL, &b);
	assert_int_equal(a.n, b.n);
	for (size_t i = 0; i < a.n; i++)
		assert_true(slice_eq(a.objects[i].bytes, b.objects[i].bytes));
	if (format_sniff(slice_from(text.p, text.n > 4096 ? 4096 : text.n)) != &format_stix1)
		fail_msg("%s is not known as what it is", path);
}

static void
twice_is_alike_and_known(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_true(for_each(reads_alike) > 100);
}

/* What is somebody else's is not ours. */
static void
others_are_not_taken(void **state)
{
	static const char *const others[] = {
		"iodef1", "iodef2", "iodef-json", "rid", "misp", "csaf", "stix20", "stix21", "rolie", "inhouse",
	};

	(void)state;
	if (!corpus_here())
		skip();
	for (size_t i = 0; i < COUNTOF(others); i++) {
		const char *folder = arena_fmt(mem, CORPUS "%s", others[i]);
		DIR *d = opendir(folder);
		struct dirent *f;

		while (d != NULL && (f = readdir(d)) != NULL) {
			const char *path = arena_fmt(mem, "%s/%s", folder, f->d_name);
			struct strbuf b = STRBUF_INIT;

			if (f->d_name[0] != '.' && file_read(path, CORPUS_FILE_MAX, &b, NULL) == 0 &&
			    format_stix1.sniff(slice_from(b.p, b.n > 4096 ? 4096 : b.n)) > 0)
				fail_msg("%s is taken for STIX 1.x", path);
			strbuf_fini(&b);
		}
		if (d != NULL)
			closedir(d);
	}
}

/* ---- expected results ---- */

static bool
times_equal(struct slice a, struct slice b)
{
	struct slice x, y;

	return stamp_key(mem, a, &x) && stamp_key(mem, b, &y) && slice_eq(x, y);
}

static size_t
has_test(const struct sought *s, struct slice path, struct slice value)
{
	size_t found = 0;

	for (size_t i = 0; i < s->nkids; i++)
		found += has_test(s->kids[i], path, value);
	for (size_t i = 0; slice_eq(s->path, path) && i < s->nvalues; i++)
		found += slice_eq(s->values[i].text, value);
	return found;
}

/* One property of an object as the expected file says it. */
static bool
fits(const struct object *o, const json *want)
{
	const json *have = json_get(o->tree, json_name(want)), *list;

	if (json_is_string(want))
		return slice_eq(json_slice(have), json_slice(want)) ||
		    times_equal(json_slice(have), json_slice(want));
	for (json *w = json_first(json_get(want, "contains")); w != NULL; w = json_next(w)) {
		json *h = json_first(have);

		while (h != NULL && !json_equal(h, w))
			h = json_next(h);
		if (h == NULL)
			return false;
	}
	list = json_get(want, "values");
	for (json *w = json_first(list); w != NULL; w = json_next(w))
		if (o->pattern == NULL ||
		    has_test(observe_reduce(o->pattern, mem), json_slice(json_at(w, 0)),
		    json_slice(json_at(w, 1))) != 1)
			return false;
	return true;
}

static void
expected_results_hold(void **state)
{
	const char *path = CORPUS "expected/stix1-domain-watchlist.to.stix21.json", *input;
	struct json_doc doc;
	struct err e = ERR_INIT;
	struct advisory adv;

	(void)state;
	if (!corpus_here())
		skip();
	assert_int_equal(json_parse(corpus_text(mem, path), NULL, mem, &doc, &e), 0);
	input = arena_fmt(mem, CORPUS "%s", json_member(doc.root, "input").p);
	read_text(&format_stix1, corpus_text(mem, input), input, NULL, &adv);
	for (json *rule = json_first(json_get(doc.root, "objects")); rule != NULL; rule = json_next(rule)) {
		int64_t want = 0, have = 0;

		for (size_t i = 0; i < adv.n; i++) {
			bool all = slice_eq(adv.objects[i].type, json_member(rule, "type"));

			for (json *m = json_first(json_get(rule, "where")); m != NULL; m = json_next(m))
				all = all && fits(&adv.objects[i], m);
			have += all;
		}
		assert_true(json_int(json_get(rule, "count"), &want));
		assert_int_equal(have, want);
	}
}

/* ---- beside what the elevator makes of the same packages ---- */

/* Where our tables say otherwise (mapping.md 7), or a later elevator would. */
static const struct { const char *file, *type, *why; } otherwise[] = {
	{ "campaign-v-actors", "identity", "the producer named in a Marking is one" },
	{ "command-and-control-ip-list", "observed-data", "an autonomous system was seen as well" },
	{ "command-and-control-ip-list", "autonomous-system", "an autonomous system was seen as well" },
	{ "command-and-control-ip-list", "domain-name", "theirs was made of another document" },
	{ "command-and-control-ip-list", "infrastructure", "Infrastructure is one" },
	{ "command-and-control-ip-list", "relationship", "it consists of something" },
	{ "file-and-directory", "infrastructure", "Infrastructure is one" },
	{ "file-and-directory", "relationship", "it consists of something" },
	{ "file-hash-reputation", "attack-pattern", "a TTP with a title only is one" },
	{ "file-hash-reputation", "relationship", "a TTP with a title only is one" },
	{ "indicator-for-c2-ip-address", "attack-pattern", "a TTP with a title only is one" },
	{ "malicious-email-indicator-with-addresses", "attack-pattern", "a TTP with a title only is one" },
	{ "malicious-email-indicator-with-attachment", "attack-pattern", "a TTP with a title only is one" },
	{ "malicious-email-indicator-with-attachment", "indicator", "conditions make an Observable a pattern" },
	{ "malicious-email-indicator-with-attachment", "observed-data", "the same" },
	{ "malicious-email-indicator-with-attachment", "email-message", "the same" },
	{ "malicious-email-indicator-with-attachment", "file", "the same" },
	{ "observable_composition", "indicator", "conditions make an Observable a pattern" },
	{ "observable_composition", "observed-data", "the same" },
	{ "observable_composition", "file", "the same" },
	{ "issue62", "file", "the image of a process is one" },
	{ "network-socket-observable", "ipv4-addr", "its addresses are some" },
};

static bool
is_excepted(const char *file, const char *type)
{
	for (size_t i = 0; i < COUNTOF(otherwise); i++)
		if (strcmp(file, otherwise[i].file) == 0 && strcmp(type, otherwise[i].type) == 0)
			return true;
	return false;
}

static size_t
count_type(const struct advisory *adv, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < adv->n; i++)
		n += slice_is(adv->objects[i].type, type);
	return n;
}

/* The kinds of objects that the two must have alike; a header makes a report here (mapping.md 7). */
static const char *const compared[] = {
	"attack-pattern", "campaign", "course-of-action", "identity", "incident", "indicator",
	"infrastructure", "malware", "observed-data", "relationship", "sighting", "threat-actor", "tool",
	"vulnerability", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file",
	"ipv4-addr", "network-traffic", "process", "url", "user-account", "windows-registry-key",
};

static size_t
compare_counts(const char *name)
{
	const char *path = arena_fmt(mem, CORPUS "stix1/idioms/%s.xml", name);
	struct advisory ours, theirs = { 0 };
	struct read_job job = { .received = RECEIVED };
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (!file_exists(path))
		return 0;
	read_text(&format_stix1, corpus_text(mem, path), path, NULL, &ours);
	/* theirs break a rule here and there: only the types are looked at */
	job.in = corpus_text(mem, arena_fmt(mem, CORPUS "stix21/elevated/%s.json", name));
	assert_int_equal(json_parse(job.in, NULL, mem, &doc, &e), 0);
	for (size_t i = 0; i < doc.nitems; i++)
		advisory_add(&theirs, mem)->type = json_member(doc.items[i].node, "type");
	for (size_t i = 0; i < COUNTOF(compared); i++) {
		size_t a = count_type(&ours, compared[i]), b = count_type(&theirs, compared[i]);

		if (a != b && !is_excepted(name, compared[i]))
			fail_msg("%s: %zu of %s, the elevator makes %zu", name, a, compared[i], b);
		if (a == b && is_excepted(name, compared[i]))
			fail_msg("%s: %s is no exception any more", name, compared[i]);
	}
	return 1;
}

static void
kinds_are_those_of_the_elevator(void **state)
{
	DIR *d = opendir(CORPUS "stix21/elevated");
	struct dirent *f;
	size_t n = 0;

	(void)state;
	if (d == NULL)
		skip();
	while ((f = readdir(d)) != NULL)
		if (slice_ends(slice_of(f->d_name), ".json"))
			n += compare_counts(arena_fmt(mem, "%.*s", (int)strlen(f->d_name) - 5, f->d_name));
	closedir(d);
	assert_true(n > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_leaf_is_accounted_for),
		cmocka_unit_test(the_document_comes_home),
		cmocka_unit_test(twice_is_alike_and_known),
		cmocka_unit_test(others_are_not_taken),
		cmocka_unit_test(expected_results_hold),
		cmocka_unit_test(kinds_are_those_of_the_elevator),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
