/* If this fails, a partner who speaks IODEF v1, JSON-IODEF or RID does not get his own document back, or
 * gets ours with something missing. Samples of our own stand in tests/golden; with ../shared/corpus all of it
 * goes through every dialect. */
#include <string.h>

#include "formats/iodef1.h"
#include "tests/unit/corpus_kit.h"
#include "tests/unit/mem_kit.h"

#define RECEIVED SLICE_LIT("2026-11-21T10:00:00Z")

static void
read_text(const struct format_ops *f, struct slice text, const char *name, struct loss *loss,
    struct advisory *adv)
{
	struct read_job job = { .in = text, .input = name, .received = RECEIVED, .loss = loss };
	struct err e = ERR_INIT;

	*adv = (struct advisory){ 0 };
	if (loss != NULL)
		loss_init(loss, mem);
	if (f->read(&job, mem, adv, &e) < 0)
		fail_msg("%s as %s: %s", name, f->name, e.reason);
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
		fail_msg("%s: %s", f->name, e.reason);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static struct xml_node *
parse(struct slice text)
{
	struct xml_limits lim = { .depth = 100 };
	struct xml_node *root;
	struct err e = ERR_INIT;

	if (xml_parse(text, &lim, mem, &root, &e) < 0)
		fail_msg("%s", e.reason);
	return root;
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

/* ---- IODEF v1 --------------------------------------------------------------------------------- */

/* Through STIX and back, and through v2 and back: the same document; every leaf accounted once. */
static void
v1_goes_home(const char *path)
{
	struct slice text = corpus_text(mem, path);
	struct xml_node *before = parse(text);
	struct advisory adv, again;
	struct loss loss;

	if (!xml_equal(iodef1_down(mem, iodef1_up(mem, before)), before))
		fail_msg("%s is another document after a trip through v2", path);
	read_text(&format_iodef1, text, path, &loss, &adv);
	if (loss.n != leaves(before) || loss.count[LOSS_KEPT] < loss.n / 4)
		fail_msg("%s: %zu leaves, %zu accounted, %zu kept", path, leaves(before), loss.n,
		    loss.count[LOSS_KEPT]);
	if (loss.count[LOSS_DROPPED] > 1)	/* where the schema is found */
		fail_msg("%s: %zu leaves dropped", path, loss.count[LOSS_DROPPED]);
	read_text(&format_stix21, write_text(&format_stix21, &adv), path, NULL, &again);
	if (!xml_equal(parse(write_text(&format_iodef1, &again)), before))
		fail_msg("%s is another document after a trip through STIX", path);
}

static void
v1_comes_home(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_true(corpus_each(&mem, CORPUS "iodef1", ".xml", v1_goes_home) > 3);
}

static void
v2_through_v1(const char *path)
{
	struct xml_node *before = parse(corpus_text(mem, path));

	if (!xml_equal(iodef1_up(mem, iodef1_down(mem, before)), before))
		fail_msg("%s is another document after a trip through v1", path);
}

static void
v2_comes_home_from_v1(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	corpus_each(&mem, CORPUS "iodef2", "corrected.xml", v2_through_v1);
	assert_true(corpus_each(&mem, CORPUS "iodef2", "s.xml", v2_through_v1) > 1);
}

/* ---- JSON-IODEF ------------------------------------------------------------------------------- */

static size_t
json_leaves(const json *n)
{
	size_t count = json_first(n) == NULL ? 1 : 0;

	for (const json *m = json_first(n); m != NULL; m = json_next(m))
		count += json_leaves(m);
	return count;
}

static json *
parse_json(struct slice text)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(text, NULL, mem, &doc, &e) < 0)
		fail_msg("%s", e.reason);
	return doc.root;
}

/* JSON -> STIX -> JSON: the same values; every leaf accounted once. */
static void
json_goes_home(const char *path)
{
	struct slice text = corpus_text(mem, path);
	json *before = parse_json(text);
	struct advisory adv, again;
	struct loss loss;
	size_t n;

	read_text(&format_iodef_json, text, path, &loss, &adv);
	n = loss.count[LOSS_KEPT] + loss.count[LOSS_APPROXIMATED] + loss.count[LOSS_MOVED] +
	    loss.count[LOSS_DROPPED];
	if (n != json_leaves(before) || loss.count[LOSS_DROPPED] > 0 || loss.count[LOSS_KEPT] < n / 4)
		fail_msg("%s: %zu leaves, %zu accounted", path, json_leaves(before), n);
	read_text(&format_stix21, write_text(&format_stix21, &adv), path, NULL, &again);
	if (!json_equal(before, parse_json(write_text(&format_iodef_json, &again))))
		fail_msg("%s is another document after a trip through STIX", path);
}

/* v2 -> STIX -> JSON -> STIX -> v2: the same document. */
static void
v2_through_json(const char *path)
{
	struct xml_node *before = parse(corpus_text(mem, path));
	struct advisory adv, again;

	read_text(&format_iodef2, corpus_text(mem, path), path, NULL, &adv);
	read_text(&format_iodef_json, write_text(&format_iodef_json, &adv), path, NULL, &again);
	if (!xml_equal(parse(write_text(&format_iodef2, &again)), before))
		fail_msg("%s is another document after a trip through JSON", path);
}

static void
json_comes_home(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_int_equal(corpus_each(&mem, CORPUS "iodef-json", ".json", json_goes_home), 3);
	assert_true(corpus_each(&mem, CORPUS "iodef2", ".xml", v2_through_json) > 4);
}

/* ---- RID -------------------------------------------------------------------------------------- */

static size_t nrid;

/* The message comes back but for the restriction of its policy, which is that of the document. */
static void
rid_goes_home(const char *path)
{
	struct slice text = corpus_text(mem, path);
	struct xml_node *before = parse(text), *after, *policy;
	struct advisory adv;
	struct loss loss;

	read_text(&format_rid, text, path, &loss, &adv);
	if (loss.n != leaves(before))
		fail_msg("%s: %zu leaves, %zu accounted", path, leaves(before), loss.n);
	assert_true(adv.envelope.n > 0 && adv.id.n > 0);
	after = parse(write_text(&format_rid, &adv));
	policy = xml_child(after);
	assert_true((xml_attr(policy, "restriction") != NULL) == (adv.n > 0));
	xml_unset(policy, "restriction");
	if (adv.n > 0 &&
	    xml_attr(xml_get(xml_child(before), "ReportSchema"), "Version") == NULL)
		xml_unset(xml_get(policy, "ReportSchema"), "Version");	/* we say it always */
	if (strstr(path, "root-without-namespace") == NULL && !xml_equal(before, after))
		fail_msg("%s is another message", path);
	nrid += adv.n > 0 ? 1 : 0;
}

static void
rid_comes_home(void **state)
{
	(void)state;
	if (!corpus_here())
		skip();
	assert_int_equal(corpus_each(&mem, CORPUS "rid", ".xml", rid_goes_home), 9);
	assert_int_equal(nrid, 6);
}

/* ---- STIX through each dialect ---------------------------------------------------------------- */

static const struct format_ops *dialect;

static void
comes_back(const char *path)
{
	struct read_job job = { .in = corpus_text(mem, path), .input = path, .received = RECEIVED };
	struct advisory adv = { 0 }, again;
	struct err e = ERR_INIT;

	if (format_stix21.read(&job, mem, &adv, &e) < 0)
		return;
	read_text(dialect, write_text(dialect, &adv), path, NULL, &again);
	if (!slice_eq(write_text(&format_stix21, &adv), write_text(&format_stix21, &again)))
		fail_msg("%s is another bundle after a trip through %s", path, dialect->name);
}

static void
stix_comes_home(void **state)
{
	static const char *const folders[] = {
		"own", "attack", "elevated", "misp-stix", "slider", "validator", "oasis",
	};
	static const struct format_ops *const dialects[] = {
		&format_iodef1, &format_iodef_json, &format_rid,
	};

	(void)state;
	if (!corpus_here())
		skip();
	for (size_t k = 0; k < COUNTOF(dialects); k++) {
		size_t n = 0;

		dialect = dialects[k];
		for (size_t i = 0; i < COUNTOF(folders); i++)
			n += corpus_each(&mem, arena_fmt(mem, CORPUS "stix21/%s", folders[i]), ".json",
			    comes_back);
		assert_true(n > 50);
	}
}

/* ---- which is which --------------------------------------------------------------------------- */

static const char *sniffed;		/* the name that every file of a folder must get; NULL: none of ours */

static void
sniff_one(const char *path)
{
	static const struct format_ops *const ours[] = { &format_iodef1, &format_iodef_json, &format_rid };
	struct slice head = corpus_text(mem, path);
	const struct format_ops *f;

	head.n = head.n > 4096 ? 4096 : head.n;
	f = format_sniff(head);
	if (sniffed != NULL && (f == NULL || strcmp(f->name, sniffed) != 0))
		fail_msg("%s is taken for %s", path, f == NULL ? "nothing" : f->name);
	for (size_t i = 0; sniffed == NULL && i < COUNTOF(ours); i++) {
		if (ours[i]->sniff(head) > 0)
			fail_msg("%s is taken for %s", path, ours[i]->name);
	}
}

static void
each_is_known_without_being_told(void **state)
{
	static const struct { const char *folder, *ending, *name; } rows[] = {
		{ "iodef1", ".xml", "iodef1" }, { "iodef2", ".xml", "iodef2" },
		{ "iodef-json", ".json", "iodef-json" }, { "rid", ".xml", "rid" },
		{ "misp", ".json", NULL }, { "csaf", ".json", NULL }, { "stix20", ".json", NULL },
		{ "stix1", ".xml", NULL }, { "stix21/own", ".json", NULL }, { "rolie", ".xml", NULL },
		{ "inhouse", ".xml", NULL }, { "inhouse", ".json", NULL },
	};

	(void)state;
	if (!corpus_here())
		skip();
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		sniffed = rows[i].name;
		corpus_each(&mem, arena_fmt(mem, CORPUS "%s", rows[i].folder), rows[i].ending, sniff_one);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v1_comes_home),
		cmocka_unit_test(v2_comes_home_from_v1),
		cmocka_unit_test(json_comes_home),
		cmocka_unit_test(rid_comes_home),
		cmocka_unit_test(stix_comes_home),
		cmocka_unit_test(each_is_known_without_being_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
