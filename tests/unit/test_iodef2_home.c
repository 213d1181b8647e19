/* If this fails, an IODEF document that took the road over STIX comes home changed, or shows what was
 * taken out of it on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "formats/iodef2.h"
#include "formats/iodef2_residue.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define CORPUS	"../shared/corpus/iodef2"
#define GOLDEN	"tests/golden/iodef2/"

enum { FILE_MAX = 64 << 20 };

static struct slice
load(const char *path)
{
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (file_read(path, FILE_MAX, &text, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	s = arena_slice(mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return s;
}

static struct advisory *
read_as(const struct format_ops *f, struct slice text)
{
	struct read_job job = { .in = text, .input = "test", .received =
	    SLICE_LIT("2026-01-01T00:00:00Z") };
	struct advisory *adv = arena_alloc(mem, sizeof(*adv));
	struct err e = ERR_INIT;

	if (f->read(&job, mem, adv, &e) < 0)
		fail_msg("%s: %s", f->name, e.reason);
	return adv;
}

static struct slice
write_as(const struct format_ops *f, const struct advisory *adv)
{
	struct write_job job = { .adv = adv, .csirt = "cert.example", .received =
	    SLICE_LIT("2026-01-01T00:00:00Z") };
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (f->write(&job, mem, &out, &e) < 0)
		fail_msg("%s: %s", f->name, e.reason);
	s = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return s;
}

static struct xml_node *
parse(struct slice text)
{
	struct xml_node *root;
	struct err e = ERR_INIT;

	if (xml_parse(text, NULL, mem, &root, &e) < 0)
		fail_msg("%s", e.reason);
	return root;
}

/* What happens to one object on the way: true = it stays. */
typedef bool edit_fn(struct object *o, void *arg);

/* IODEF -> STIX -> (edit) -> STIX text -> IODEF. */
static struct slice
around(struct slice in, edit_fn *edit, void *arg)
{
	struct advisory *adv = read_as(&format_iodef2, in);
	struct strbuf b = STRBUF_INIT;
	struct slice text;
	size_t i, n = 0;

	strbuf_adds(&b, "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\","
	    "\"objects\":[");
	for (i = 0; i < adv->n; i++) {
		if (edit != NULL && !edit(&adv->objects[i], arg))
			continue;
		if (n++ > 0)
			strbuf_addc(&b, ',');
		json_print(&b, adv->objects[i].tree);
	}
	strbuf_adds(&b, "]}");
	text = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return write_as(&format_iodef2, read_as(&format_stix21, text));
}

static bool
has(struct slice text, const char *word)
{
	return strstr(text.p, word) != NULL;
}

static void
assert_home(const char *path)
{
	struct slice in = load(path), out = around(in, NULL, NULL);

	if (!xml_equal(parse(in), parse(out)))
		fail_msg("%s comes home changed:\n%s", path, out.p);
	assert_false(has(out, IODEF2_RESIDUE_OBJECT));
	/* and it stays so */
	assert_true(slice_eq(around(out, NULL, NULL), out));
}

static void
test_home(void **state)
{
	static const char *const names[] = { "iodef-every-class", "iodef-expressions",
	    "iodef-two-incidents", NULL };
	DIR *dir = opendir(CORPUS);
	struct dirent *d;
	size_t i;

	(void)state;
	for (i = 0; names[i] != NULL; i++)
		assert_home(arena_fmt(mem, "%s%s/input.xml", GOLDEN, names[i]));
	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strstr(d->d_name, ".xml") != NULL)
			assert_home(arena_fmt(mem, "%s/%s", CORPUS, d->d_name));
	if (dir != NULL)
		closedir(dir);
}

/* ---- edits --------------------------------------------------------------------------------- */

static bool
without_type(struct object *o, void *arg)
{
	return !slice_is(o->type, arg);
}

static bool
without_red(struct object *o, void *arg)
{
	(void)arg;
	return o->tlp != TLP_RED;
}

/* Give what has the first name the second. */
static bool
rename_object(struct object *o, void *arg)
{
	const char *const *names = arg;

	if (slice_is(json_member(o->tree, "name"), names[0]) && !slice_is(o->type, "incident"))
		json_put_str(mem, o->tree, "name", slice_of(names[1]));
	return true;
}

static struct slice
sample(void)
{
	return load(GOLDEN "iodef-every-class/input.xml");
}

/* What is RED was not sent along: nothing of it is in the document, from wherever it could come. */
static void
test_withheld(void **state)
{
	struct slice out = around(sample(), without_red, NULL);

	(void)state;
	assert_false(has(out, "SLOW TIDE"));		/* an actor of its own label */
	assert_false(has(out, ">N3<"));			/* an indicator */
	assert_false(has(out, "ransomware"));		/* an Assessment, private */
	assert_false(has(out, "crane.exe"));		/* a Record, private */
	assert_true(has(out, "198.51.100.23"));
	assert_true(has(out, "Cranes stopped"));
}

/* An observable taken out of an observation does not come back from its source text. */
static void
test_without_observable(void **state)
{
	struct slice out = around(sample(), without_type, "mac-addr");

	(void)state;
	assert_false(has(out, ">02:00:5e:10:00:01<"));
	assert_true(has(out, ">203.0.113.9<"));
}

static void
test_without_identity(void **state)
{
	struct slice out = around(sample(), without_type, "identity");
	struct xml_node *doc = parse(out);

	(void)state;
	assert_false(has(out, ">Ola Nordmann<"));
	assert_false(has(out, ">Per Hansen<"));
	/* a creator is mandatory */
	assert_non_null(xml_at(doc, SLICE_LIT("Incident[1]/Contact[1]")));
}

/* A changed indicator is written anew, with what only IODEF can say; the rest is as it was. */
static void
test_changed_indicator(void **state)
{
	const char *arg[] = { "C2", "renamed" };
	struct slice out = around(sample(), rename_object, arg);
	struct xml_node *doc = parse(out), *before = parse(sample()), *n;

	(void)state;
	assert_true(has(out, ">renamed<"));
	n = xml_at(doc, SLICE_LIT("Incident[1]/IndicatorData[1]"));
	assert_int_equal(xml_count(n, "Indicator"), 3);
	assert_true(has(out, "h-3"));		/* AlternativeIndicatorID */
	assert_true(has(out, "https://phases.example"));
	assert_true(xml_equal(xml_at(doc, SLICE_LIT("Incident[1]/Contact[1]/Timezone[1]")),
	    xml_at(before, SLICE_LIT("Incident[1]/Contact[1]/Timezone[1]"))));
	assert_true(has(out, "<p:berth>7</p:berth>"));
}

/* A changed report: a native Incident, and still what only IODEF can say. */
static void
test_changed_report(void **state)
{
	const char *arg[] = { "Cranes stopped", "Cranes move again" };
	struct slice out = around(sample(), rename_object, arg);
	struct xml_node *doc = parse(out);

	(void)state;
	assert_int_equal(xml_count(doc, "Incident"), 1);
	assert_true(has(out, ">Cranes move again<"));
	assert_false(has(out, "<Description translation-id=\"t1\" xml:lang=\"en\">Cranes stopped<"));
	assert_non_null(xml_at(doc, SLICE_LIT("Incident[1]/RecoveryTime[1]")));
	assert_true(has(out, "198.51.100.23"));
}

/* Something added: the document as it was, and the new object in its place. */
static bool
add_to_report(struct object *o, void *arg)
{
	json *refs = json_get(o->tree, "object_refs");

	if (slice_is(o->type, "report"))
		json_push(refs, json_string(mem, slice_of(arg)));
	return true;
}

static void
test_added(void **state)
{
	static char id[] = "indicator--00000000-0000-4000-8000-000000000077";
	static const char text[] = "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":"
	    "\"indicator--00000000-0000-4000-8000-000000000077\",\"created\":\"2025-04-01T00:00:00Z\","
	    "\"modified\":\"2025-04-01T00:00:00Z\",\"pattern_type\":\"stix\",\"pattern\":"
	    "\"[mutex:name = 'added']\",\"valid_from\":\"2025-04-01T00:00:00Z\"}";
	struct advisory *adv = read_as(&format_iodef2, sample()), *more;
	struct xml_node *doc, *before = parse(sample());
	struct strbuf b = STRBUF_INIT;
	size_t i;

	(void)state;
	strbuf_addf(&b, "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\","
	    "\"objects\":[%s", text);
	for (i = 0; i < adv->n; i++) {
		add_to_report(&adv->objects[i], id);
		strbuf_addc(&b, ',');
		json_print(&b, adv->objects[i].tree);
	}
	strbuf_adds(&b, "]}");
	more = read_as(&format_stix21, strbuf_slice(&b));
	doc = parse(write_as(&format_iodef2, more));
	strbuf_fini(&b);
	assert_int_equal(xml_count(doc, "Incident"), 1);
	assert_int_equal(xml_count(xml_at(doc, SLICE_LIT("Incident[1]/IndicatorData[1]")),
	    "Indicator"), 4);
	assert_non_null(xml_at(doc,
	    SLICE_LIT("Incident[1]/IndicatorData[1]/Indicator[4]/Observable[1]/BulkObservable[1]")));
	assert_true(xml_equal(xml_at(doc, SLICE_LIT("Incident[1]/EventData[1]/Flow[1]/System[1]/Node[1]")),
	    xml_at(before, SLICE_LIT("Incident[1]/EventData[1]/Flow[1]/System[1]/Node[1]"))));
}

/* ---- edits of a document that came from STIX ------------------------------------------------ */

/* A text in the IODEF form, what a partner makes of it, and the one object that this concerns. */
static const struct {
	const char *before, *after, *type, *property, *value;
} partner_edits[] = {
	{ ">2025-09-01T00:00:00Z</EndTime>", ">2025-10-01T00:00:00Z</EndTime>", "indicator",
	    "valid_until", "2025-10-01T00:00:00Z" },
	{ "\nb.tide.example<", "\nc.tide.example<", "indicator", "pattern",
	    "[domain-name:value = 'a.tide.example' OR domain-name:value = 'c.tide.example']" },
	{ ">CERT Northland</ContactName>", ">CERT North</ContactName>", "identity", "name",
	    "CERT North" },
};

/* Only that object changes, and its version with it; everything else is as it was, byte for byte. */
static void
test_partner_edits(void **state)
{
	struct advisory *adv = read_as(&format_stix21, load(GOLDEN "stix-all-kinds/input.json")), *back;
	struct slice text = write_as(&format_iodef2, adv);
	size_t i, k, changed;

	(void)state;
	for (i = 0; i < sizeof(partner_edits) / sizeof(*partner_edits); i++) {
		char *p = strstr(text.p, partner_edits[i].before), *edited;

		assert_non_null(p);
		edited = arena_fmt(mem, "%.*s%s%s", (int)(p - text.p), text.p,
		    partner_edits[i].after, p + strlen(partner_edits[i].before));
		back = read_as(&format_iodef2, slice_of(edited));
		assert_int_equal(back->n, adv->n);
		for (k = changed = 0; k < adv->n; k++) {
			const struct object *a = &adv->objects[k], *b = &back->objects[k];

			assert_true(slice_eq(a->id, b->id));
			if (slice_eq(a->bytes, b->bytes) || json_equal(a->tree, b->tree))
				continue;
			changed++;
			assert_string_equal(b->type.p, partner_edits[i].type);
			assert_string_equal(json_member(b->tree, partner_edits[i].property).p,
			    partner_edits[i].value);
			assert_true(slice_cmp(b->version_key, a->version_key) > 0);
		}
		assert_int_equal(changed, 1);
	}
}

/* ---- residue that somebody made up ---------------------------------------------------------- */

static const char *const forged[] = {
	"not xml", "<Incident/>", "<a xmlns='urn:x'/>", "<!DOCTYPE a><a/>",
	"<Incident xmlns='urn:ietf:params:xml:ns:iodef-2.0'><cut xmlns='urn:tocsin:iodef' "
	    "ref='report--00000000-0000-4000-8000-000000000002'/></Incident>",
	"<Incident xmlns='urn:ietf:params:xml:ns:iodef-2.0'><cut xmlns='urn:tocsin:iodef' "
	    "ref='part:18446744073709551615'/><cut xmlns='urn:tocsin:iodef' ref='part:x'/></Incident>",
};

/* Whatever stands there, a document comes out, no laxer than its objects. */
static void
test_forged_residue(void **state)
{
	char hash[65];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forged) / sizeof(*forged); i++) {
		char *head = arena_fmt(mem, "{\"type\":\"report\",\"spec_version\":\"2.1\",\"id\":"
		    "\"report--00000000-0000-4000-8000-000000000002\",\"created\":"
		    "\"2025-04-01T00:00:00Z\",\"modified\":\"2025-04-01T00:00:00Z\",\"name\":\"n\","
		    "\"published\":\"2025-04-01T00:00:00Z\",\"object_marking_refs\":[\"%s\"],"
		    "\"object_refs\":[\"report--00000000-0000-4000-8000-000000000002\"]",
		    tlp_marking_id(TLP_AMBER));
		struct json_doc plain;
		struct strbuf b = STRBUF_INIT;
		struct xml_node *doc;

		assert_int_equal(json_parse(slice_of(arena_fmt(mem, "%s}", head)), NULL, mem, &plain,
		    NULL), 0);
		iodef2_object_hash(plain.root, hash);
		strbuf_addf(&b, "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-"
		    "000000000001\",\"objects\":[%s,\"extensions\":{\"%s\":{\"extension_type\":"
		    "\"property-extension\",\"iodef\":{\"version\":\"2.00\",\"element\":\"Incident\","
		    "\"sha256\":\"%s\",\"moved\":[\"x[1]\",\"@restriction\",\"\",\"/\"],\"parts\":[1],"
		    "\"objects\":[{\"path\":\"\"},7],\"more\":[3],\"xml\":", head, IODEF2_EXT, hash);
		json_print_string(&b, slice_of(forged[i]));
		strbuf_adds(&b, "}}}}]}");
		doc = parse(write_as(&format_iodef2, read_as(&format_stix21, strbuf_slice(&b))));
		strbuf_fini(&b);
		assert_int_equal(xml_count(doc, "Incident"), 1);
		assert_true(slice_is(xml_value(xml_get(doc, "Incident"), "restriction"), "amber") ||
		    xml_value(xml_get(doc, "Incident"), "restriction").n == 0);
		assert_null(xml_get_ns(xml_get(doc, "Incident"), IODEF2_NS_CUT, "cut"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_home, setup, teardown),
		cmocka_unit_test_setup_teardown(test_withheld, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_observable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_indicator, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_report, setup, teardown),
		cmocka_unit_test_setup_teardown(test_added, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partner_edits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged_residue, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
