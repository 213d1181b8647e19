/* If this fails, an event of a MISP means something else here than where it was written: values, labels, who
 * may see it, what became of each type of attribute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/fingerprint.h"
#include "formats/pattern.h"
#include "formats/sco.h"
#include "tests/unit/corpus_kit.h"
#include "tests/unit/misp_kit.h"

/* ---- tables ---- */

static void
check_path(const struct misp_type *t, const struct misp_path *p)
{
	const char *path = strncmp(p->path, "ip-addr:", 8) == 0 ? "ipv4-addr:value" : p->path;
	bool number = p->value == MISP_PORT || p->value == MISP_NUMBER || p->value == MISP_ASN;
	struct err e = ERR_INIT;

	if (pattern_parse(slice_of(arena_fmt(mem, number ? "[%s = 1]" : "[%s = 'x']", path)), mem,
		&e) == NULL)
		fail_msg("%s: %s: %s", t->name, p->path, e.reason);
}

static void
test_every_type_has_a_fate(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct misp_type *t = misp_types; t->name != NULL; t++, n++) {
		bool two = strchr(t->name, '|') != NULL;

		assert_ptr_equal(misp_type_find(slice_of(t->name)), t);	/* once */
		assert_true(misp_category_known(slice_of(t->category)));
		if (t->fate != MISP_PATHS) {
			assert_true(t->fate == MISP_RULE ? t->rule != NULL : t->rule == NULL);
			continue;
		}
		if (two != (t->part[1].path != NULL))
			fail_msg("%s: parts", t->name);
		check_path(t, &t->part[0]);
		if (two)
			check_path(t, &t->part[1]);
	}
	assert_int_equal(n, 194);
}

static void
check_template(const struct misp_template *t)
{
	assert_ptr_equal(misp_template_find(slice_of(t->name)), t);	/* once */
	assert_true((t->root == NULL) != (t->sdo == NULL));
	for (const struct misp_relation *r = t->relations; r->name != NULL; r++) {
		if (misp_type_find(slice_of(r->type)) == NULL)
			fail_msg("%s/%s: type %s", t->name, r->name, r->type);
		if (t->root != NULL && strncmp(r->path.path, t->root, strlen(t->root)) != 0)
			fail_msg("%s/%s: %s is not of %s", t->name, r->name, r->path.path, t->root);
	}
	for (struct slice rest = slice_of(t->others); rest.n > 0;) {
		struct slice type = slice_cut(&rest, ' '), name = slice_cut(&type, ':');

		if (name.n == 0 || misp_type_find(type) == NULL)
			fail_msg("%s/%.*s: type %.*s", t->name, SLICE_ARG(name), SLICE_ARG(type));
	}
}

static void
test_templates_name_types_and_paths(void **state)
{
	(void)state;
	for (size_t i = 0; misp_observable_templates[i].name != NULL; i++)
		check_template(&misp_observable_templates[i]);
	for (size_t i = 0; misp_sdo_templates[i].name != NULL; i++)
		check_template(&misp_sdo_templates[i]);
}

/* ---- values ---- */

#define EVENT(rest)                                                                                \
	"{\"Event\":{\"uuid\":\"0a1b2c3d-0001-4000-8000-000000000001\",\"info\":\"test\","         \
	"\"date\":\"2026-03-01\",\"timestamp\":\"1772323200\"," rest "}}"

/* The only object of a type that an attribute becomes. */
static const struct object *
object_of(const char *type, const char *value, bool to_ids, const char *as)
{
	struct advisory adv;
	const struct object *o;

	if (kit_read(&format_misp, slice_of(arena_fmt(mem, EVENT("\"Attribute\":[{\"type\":\"%s\","
	    "\"category\":\"Other\",\"value\":\"%s\",\"to_ids\":%s}]"), type, value, to_ids ? "true" : "false")),
	    &adv, NULL) < 0)
		fail_msg("%s: not read", type);
	o = kit_first(&adv, as);
	if (o == NULL)
		fail_msg("%s: no %s", type, as);
	return o;
}

/* The fingerprint of a STIX pattern. */
static void
check_same(const char *type, const char *value, const char *pattern)
{
	const struct object *o = object_of(type, value, true, "indicator");
	struct object other = { .type = SLICE_LIT("indicator"), .tree = json_object(mem) };

	json_put_str(mem, other.tree, "pattern", slice_of(pattern));
	json_put_str(mem, other.tree, "pattern_type", SLICE_LIT("stix"));
	fingerprint_fill(&other, mem);
	assert_true(o->has_fp && other.has_fp);
	if (memcmp(o->fp, other.fp, FINGERPRINT_LEN) != 0)
		fail_msg("%s %s is not %s", type, value, pattern);
}

static void
test_the_same_indicator_from_anywhere(void **state)
{
	(void)state;
	check_same("ip-dst", "198.51.100[.]7", "[ipv4-addr:value = '198.51.100.7']");
	check_same("ip-dst", "2001:DB8::1", "[ipv6-addr:value = '2001:db8:0:0::1']");
	check_same("ip-dst", "198.51.100.0/24", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']");
	check_same("ip-src", "198.51.100.7", "[network-traffic:src_ref.value = '198.51.100.7']");
	check_same("ip-dst|port", "198.51.100.7|8443",
	    "[network-traffic:dst_port = 8443 AND network-traffic:dst_ref.value = '198.51.100.7']");
	check_same("domain", "BAD[.]example.", "[domain-name:value = 'bad.example']");
	check_same("hostname", "www.bad.example", "[domain-name:value = 'www.bad.example']");
	check_same("domain|ip", "bad.example|198.51.100.7",
	    "[domain-name:resolves_to_refs[*].value = '198.51.100.7' AND domain-name:value = 'bad.example']");
	check_same("url", "hxxp://bad.example:80/a", "[url:value = 'http://bad.example/a']");
	check_same("md5", "D41D8CD98F00B204E9800998ECF8427E",
	    "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']");
	check_same("filename|md5", "a.exe|D41D8CD98F00B204E9800998ECF8427E",
	    "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' AND file:name = 'a.exe']");
	check_same("email", "A@Mail.Example", "[email-addr:value = 'A@mail.example']");
	check_same("AS", "AS64496", "[autonomous-system:number = 64496]");
	check_same("mac-address", "00-00-5E-00-53-01", "[mac-addr:value = '00:00:5e:00:53:01']");
	check_same("regkey", "HKLM\\\\Software\\\\x",
	    "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\x']");
}

/* What a CSV row and an IODEF Address make of an address, an attribute makes too. */
static void
test_the_same_indicator_from_iodef(void **state)
{
	static const char iodef[] =
	    "<IODEF-Document version=\"2.00\" xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\"><Incident purpose=\"watch\" "
	    "restriction=\"green\"><IncidentID name=\"cert.example\">1</IncidentID>"
	    "<GenerationTime>2026-03-01T00:00:00Z</GenerationTime><Contact role=\"creator\" "
	    "type=\"organization\"><ContactName>x</ContactName></Contact><IndicatorData><Indicator>"
	    "<IndicatorID name=\"cert.example\" version=\"1\">i</IndicatorID><Observable><Address "
	    "category=\"ipv4-addr\"><AddressValue>198.51.100.7</AddressValue></Address></Observable>"
	    "</Indicator></IndicatorData></Incident></IODEF-Document>";
	const struct object *o = object_of("ip-dst", "198.51.100.7", true, "indicator"), *other;
	struct advisory adv;

	(void)state;
	assert_int_equal(kit_read(&format_iodef2, slice_of(iodef), &adv, NULL), 0);
	other = kit_first(&adv, "indicator");
	if (other == NULL)
		skip();		/* told by the tests of that format */
	assert_memory_equal(o->fp, other->fp, FINGERPRINT_LEN);
}

static void
test_what_was_seen_is_an_observable(void **state)
{
	const struct object *o = object_of("ip-dst", "198.51.100.7", false, "ipv4-addr");

	(void)state;
	assert_true(slice_eq(o->id, sco_id(mem, o->tree)));
	assert_true(slice_is(json_member(o->tree, "value"), "198.51.100.7"));
	object_of("btc", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", true, "x-misp-attribute");
	object_of("ip-dst", "nowhere", true, "x-misp-attribute");
	object_of("vulnerability", "CVE-2026-1", false, "vulnerability");
	object_of("text", "a word", false, "note");
	object_of("campaign-name", "Spring", false, "campaign");
	object_of("user-agent", "x", false, "x-misp-attribute"); /* no request without a method */
}

/* ---- labels ---- */

static void
check_label(const char *event, const char *attribute, enum tlp of_event, enum tlp of_attribute)
{
	struct advisory adv;
	const struct object *c, *a;

	assert_int_equal(
	    kit_read(&format_misp,
		slice_of(arena_fmt(mem,
		    EVENT("%s\"Attribute\":[{\"type\":\"domain\","
		    "\"category\":\"Other\",\"value\":\"bad.example\",%s\"to_ids\":true}]"),
		    event, attribute)),
		&adv, NULL),
	    0);
	c = kit_first(&adv, "grouping");
	a = kit_first(&adv, "indicator");
	if (c->tlp != of_event || a->tlp != of_attribute)
		fail_msg("%s %s: %s and %s", event, attribute, tlp_word(c->tlp), tlp_word(a->tlp));
}

#define TAGS(name) "\"Tag\":[{\"name\":\"" name "\"}],"

static void
test_tag_and_distribution_say_who_may_see_it(void **state)
{
	(void)state;
	check_label("", "", TLP_UNSET, TLP_UNSET);
	check_label("\"distribution\":\"0\",", "", TLP_AMBER_STRICT, TLP_AMBER_STRICT);
	check_label("\"distribution\":1,", "", TLP_UNSET, TLP_UNSET);
	check_label("\"distribution\":\"3\",", "", TLP_UNSET, TLP_UNSET);
	check_label("\"distribution\":\"4\",", "", TLP_RED, TLP_RED);
	check_label("\"distribution\":\"7\",", "", TLP_RED, TLP_RED);
	check_label(TAGS("tlp:white"), "", TLP_CLEAR, TLP_CLEAR);
	check_label(TAGS("TLP:GREEN"), "", TLP_GREEN, TLP_GREEN);
	check_label("\"distribution\":\"3\"," TAGS("tlp:green"), "", TLP_GREEN, TLP_GREEN);
	check_label(
	    "\"distribution\":\"0\"," TAGS("tlp:green"), "", TLP_AMBER_STRICT, TLP_AMBER_STRICT);
	check_label(TAGS("tlp:purple"), "", TLP_RED, TLP_RED);
	check_label(TAGS("tlp:"), "", TLP_RED, TLP_RED);
	check_label(TAGS("tlp:unclear"), "", TLP_UNSET, TLP_UNSET);
	check_label(TAGS("tlp:green"), TAGS("tlp:red"), TLP_GREEN, TLP_RED);
	check_label(TAGS("tlp:red"), TAGS("tlp:white"), TLP_RED, TLP_RED);
	check_label(TAGS("tlp:green"), "\"distribution\":\"5\",", TLP_GREEN, TLP_GREEN);
	check_label(TAGS("tlp:green"), "\"distribution\":\"0\",", TLP_GREEN, TLP_AMBER_STRICT);
	check_label(TAGS("tlp:green"), "\"distribution\":\"4\",", TLP_GREEN, TLP_RED);
	check_label(TAGS("tlp:green"), TAGS("tlp:unclear"), TLP_GREEN, TLP_AMBER);
	check_label(TAGS("tlp:green\"},{\"name\":\"tlp:amber+strict"), "", TLP_AMBER_STRICT,
	    TLP_AMBER_STRICT);
}

#define GROUP "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f40516"
#define SHARED(uuid) "\"distribution\":\"4\",\"sharing_group_id\":\"7\",\"SharingGroup\":{\"id\":\"7\",\"uuid\":\"" uuid "\"},"

/* The label of an event and its attribute for a node that knows these groups. */
static void
check_group(const char *groups, const char *event, const char *attribute, enum tlp of_event,
    enum tlp of_attribute)
{
	struct read_job job = { .input = "test", .received = MISP_NOW, .misp_groups = groups,
	    .in = slice_of(arena_fmt(mem, EVENT("%s\"Attribute\":[{\"type\":\"domain\",\"category\":\"Other\","
		"\"value\":\"bad.example\",%s\"to_ids\":true}]"), event, attribute)) };
	struct advisory adv = { 0 }, home = { 0 };
	struct err e = ERR_INIT;

	assert_int_equal(format_misp.read(&job, mem, &adv, &e), 0);
	assert_int_equal(kit_first(&adv, "grouping")->tlp, of_event);
	assert_int_equal(kit_first(&adv, "indicator")->tlp, of_attribute);
	/* home again it is shared with the group, as it was: whoever does not know that reads RED */
	job.in = kit_write(&format_misp, &adv, true, NULL);
	assert_int_equal(format_misp.read(&job, mem, &home, &e), 0);
	assert_int_equal(kit_first(&home, "grouping")->tlp, of_event);
	assert_int_equal(kit_first(&home, "indicator")->tlp, of_attribute);
	assert_int_equal(kit_read(&format_misp, job.in, &home, NULL), 0);
	assert_true(kit_first(&home, "grouping")->tlp >= of_event);
	assert_true(kit_first(&home, "indicator")->tlp >= of_attribute);
}

static void
test_a_sharing_group_is_what_it_is_to_us(void **state)
{
	static const char known[] = "11111111-2222-4333-8444-555555555555=green," GROUP "=amber+strict";

	(void)state;
	check_group(known, SHARED(GROUP), "", TLP_AMBER_STRICT, TLP_AMBER_STRICT);
	check_group(known, SHARED("0F1E2D3C-4B5A-4678-9A0B-C1D2E3F40516"), "", TLP_AMBER_STRICT, TLP_AMBER_STRICT);
	check_group(known, SHARED("0f1e2d3c-4b5a-4678-9a0b-c1d2e3f40517"), "", TLP_RED, TLP_RED);
	check_group(NULL, SHARED(GROUP), "", TLP_RED, TLP_RED);
	/* a tag counts too, and a number is no name */
	check_group(known, SHARED(GROUP) TAGS("tlp:red"), "", TLP_RED, TLP_RED);
	check_group(known, SHARED(GROUP) TAGS("tlp:white"), "", TLP_AMBER_STRICT, TLP_AMBER_STRICT);
	check_group(known, "\"distribution\":4,\"sharing_group_id\":\"7\",", "", TLP_RED, TLP_RED);
	/* an attribute of its own */
	check_group(known, TAGS("tlp:green"), SHARED(GROUP), TLP_GREEN, TLP_AMBER_STRICT);
	check_group(known, TAGS("tlp:green"), SHARED("11111111-2222-4333-8444-555555555555"), TLP_GREEN, TLP_GREEN);
	check_group(GROUP "=purple", SHARED(GROUP), "", TLP_RED, TLP_RED);
}

/* ---- limits ---- */

static void
test_what_is_too_large_costs_itself(void **state)
{
	static const char text[] = EVENT("\"Attribute\":[{\"type\":\"domain\",\"value\":\"bad.example\",\"to_ids\":true},"
	    "{\"uuid\":\"0a1b2c3d-0009-4000-8000-000000000009\",\"type\":\"comment\",\"value\":"
	    "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"}]");
	struct read_job job = { .input = "test", .received = MISP_NOW, .in = slice_of(text) };
	struct advisory adv = { 0 };
	struct loss loss;
	struct err e = ERR_INIT;

	(void)state;
	job.limits.object_bytes = 130;
	loss_init(&loss, mem);
	job.loss = &loss;
	assert_int_equal(format_misp.read(&job, mem, &adv, &e), 0);
	assert_non_null(kit_first(&adv, "indicator"));
	assert_int_equal(adv.nverdicts, 1);
	assert_string_equal(adv.verdicts[0].code, "TOO_LARGE");
	assert_string_equal(adv.verdicts[0].err.path, "Event[0]/Attribute[1]");
	assert_true(slice_is(adv.verdicts[0].id, "0a1b2c3d-0009-4000-8000-000000000009"));
	assert_int_equal(kit_counted(&loss), corpus_leaves(kit_parse(job.in)));
	/* an event that is too large without what it holds is none */
	adv = (struct advisory){ 0 };
	job.limits.object_bytes = 40;
	loss_init(&loss, mem);
	assert_int_equal(format_misp.read(&job, mem, &adv, &e), 0);
	assert_int_equal(adv.n, 0);
	assert_string_equal(adv.verdicts[0].code, "TOO_LARGE");
	assert_int_equal(kit_counted(&loss), corpus_leaves(kit_parse(job.in)));
}

/* ---- the way home ---- */

#define STAMPS "\"spec_version\":\"2.1\",\"created\":\"2026-03-01T08:00:00.000Z\","	\
	"\"modified\":\"2026-03-02T08:00:00.000Z\","
#define INDICATOR_ID "indicator--0a1b2c3d-0002-4000-8000-000000000002"
#define REPORT_ID "report--0a1b2c3d-0008-4000-8000-000000000008"
#define RED                                                                                        \
	",\"object_marking_refs\":[\"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1\"]"
#define INDICATOR(rest)                                                                            \
	"{\"type\":\"indicator\",\"id\":\"" INDICATOR_ID "\"," STAMPS "\"name\":\"beacon\","       \
	"\"pattern\":\"[domain-name:value = "                                                      \
	"'bad.example']\",\"pattern_type\":\"stix\",\"confidence\":70,"                            \
	"\"valid_from\":\"2026-03-01T08:00:00Z\"" rest "}"
#define REPORT(rest)                                                                               \
	"{\"type\":\"report\",\"id\":\"" REPORT_ID "\"," STAMPS "\"name\":\"Spring\","             \
	"\"published\":\"2026-03-02T08:00:00Z\",\"object_refs\":[\"" INDICATOR_ID "\"]" rest "}"
#define BUNDLE(a, b)                                                                               \
	"{\"type\":\"bundle\",\"id\":\"bundle--0a1b2c3d-ffff-4000-8000-0000000000ff\","            \
	"\"objects\":[" a "," b "]}"

static json *
event_of_stix(const char *stix)
{
	struct advisory adv;

	assert_int_equal(kit_read(&format_stix21, slice_of(stix), &adv, NULL), 0);
	return json_get(kit_parse(kit_write(&format_misp, &adv, true, NULL)), "Event");
}

static struct advisory
read_event(const json *event)
{
	struct strbuf b = STRBUF_INIT;
	struct advisory adv;

	strbuf_adds(&b, "{\"Event\":");
	json_print(&b, event);
	strbuf_addc(&b, '}');
	assert_int_equal(kit_read(&format_misp, arena_slice(mem, strbuf_slice(&b)), &adv, NULL), 0);
	strbuf_fini(&b);
	return adv;
}

static void
test_an_edit_in_misp_reaches_the_original(void **state)
{
	json *event = event_of_stix(BUNDLE(INDICATOR(""), REPORT("")));
	json *a = json_first(json_get(event, "Attribute"));
	struct advisory adv = read_event(event);
	const struct object *o = kit_find(&adv, INDICATOR_ID);

	(void)state;
	assert_true(slice_is(o->bytes, INDICATOR("")));
	assert_true(slice_is(kit_find(&adv, REPORT_ID)->bytes, REPORT("")));
	json_put_str(mem, a, "value", SLICE_LIT("worse.example"));
	json_put_str(mem, a, "timestamp", SLICE_LIT("1772524800"));
	adv = read_event(event);
	o = kit_find(&adv, INDICATOR_ID);
	assert_non_null(o);
	assert_true(
	    slice_is(json_member(o->tree, "pattern"), "[domain-name:value = 'worse.example']"));
	assert_true(slice_is(json_member(o->tree, "name"), "beacon"));
	assert_non_null(json_get(o->tree, "confidence"));	/* what MISP does not know stays */
	assert_true(slice_is(o->version, "2026-03-03T08:00:00.000Z"));
	assert_true(slice_is(kit_find(&adv, REPORT_ID)->bytes, REPORT("")));
}

/* An event with one of everything that stands in the part of something else. */
static const char full_event[] = "{\"Event\":{\"uuid\":\"0a1b2c3d-0001-4000-8000-000000000001\",\"info\":\"test\","
    "\"date\":\"2026-03-01\",\"timestamp\":\"1772323200\",\"threat_level_id\":\"2\",\"Tag\":[{\"name\":"
    "\"misp-galaxy:threat-actor=\\\"APT X\\\"\"}],\"Galaxy\":[{\"name\":\"Threat Actor\",\"type\":\"threat-actor\","
    "\"GalaxyCluster\":[{\"uuid\":\"0a1b2c3d-0002-4000-8000-000000000002\",\"type\":\"threat-actor\",\"value\":\"APT X\","
    "\"tag_name\":\"misp-galaxy:threat-actor=\\\"APT X\\\"\",\"description\":\"old\",\"meta\":{\"country\":[\"ZZ\"]}}]}],"
    "\"Attribute\":[{\"uuid\":\"0a1b2c3d-0003-4000-8000-000000000003\",\"type\":\"domain\",\"category\":\"Network activity\","
    "\"value\":\"bad.example\",\"to_ids\":true,\"comment\":\"old\",\"first_seen\":\"2026-02-01T00:00:00.000000+00:00\","
    "\"timestamp\":\"1772323200\",\"Sighting\":[{\"uuid\":\"0a1b2c3d-0004-4000-8000-000000000004\",\"type\":\"0\","
    "\"date_sighting\":\"1772330000\",\"source\":\"old\",\"attribute_id\":\"9\"}]}],\"Object\":[{\"uuid\":"
    "\"0a1b2c3d-0006-4000-8000-000000000006\",\"name\":\"file\",\"meta-category\":\"file\",\"timestamp\":\"1772323200\","
    "\"Attribute\":[{\"uuid\":\"0a1b2c3d-0007-4000-8000-000000000007\",\"type\":\"md5\",\"object_relation\":\"md5\","
    "\"value\":\"b1946ac92492d2347c6235b4d2611184\",\"to_ids\":true},{\"uuid\":\"0a1b2c3d-0008-4000-8000-000000000008\","
    "\"type\":\"filename\",\"object_relation\":\"filename\",\"value\":\"a.exe\",\"to_ids\":false},{\"uuid\":"
    "\"0a1b2c3d-0009-4000-8000-000000000009\",\"type\":\"text\",\"object_relation\":\"state\",\"value\":\"Malicious\"}],"
    "\"ObjectReference\":[{\"uuid\":\"0a1b2c3d-000a-4000-8000-00000000000a\",\"referenced_uuid\":"
    "\"0a1b2c3d-0003-4000-8000-000000000003\",\"relationship_type\":\"connects-to\",\"comment\":\"old\"}]}]}}";

/* That event, after somebody changed its n-th object of a type; with residue or without. */
static json *
event_after_edit(const char *type, size_t n, const char *edit, bool residue)
{
	struct read_job job = { .input = "test", .received = MISP_NOW };
	struct advisory adv, now = { 0 };
	struct strbuf list = STRBUF_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(kit_read(&format_misp, slice_of(full_event), &adv, NULL), 0);
	for (size_t i = 0; i < adv.n; i++) {
		json *o = json_copy(mem, adv.objects[i].tree);

		if (slice_is(adv.objects[i].type, type) && n-- == 0) {
			json_put_str(mem, o, "modified", SLICE_LIT("2026-06-01T00:00:00.000Z"));
			for (json *k = json_first(kit_parse(slice_of(edit))); k != NULL; k = json_next(k))
				if (json_is_null(k))
					json_remove(o, json_name(k));
				else
					json_put(mem, o, json_name(k), json_copy(mem, k));
		}
		strbuf_addc(&list, i == 0 ? '[' : ',');
		json_print(&list, o);
	}
	strbuf_addc(&list, ']');
	job.in = arena_slice(mem, strbuf_slice(&list));
	strbuf_fini(&list);
	assert_int_equal(format_stix21.read(&job, mem, &now, &e), 0);
	return json_first(kit_events(kit_write(&format_misp, &now, residue, NULL)));
}

static size_t
count_of_uuid(const json *o, const char *uuid)
{
	size_t n = slice_is(json_member(o, "uuid"), uuid);

	for (const json *k = json_first(o); k != NULL; k = json_next(k))
		n += count_of_uuid(k, uuid);
	return n;
}

static void
check_edited_parts(bool residue)
{
	json *e = event_after_edit("threat-actor", 0, "{\"name\":\"APT Y\",\"description\":\"new\"}", residue);
	json *c = json_first(json_get(json_first(json_get(e, "Galaxy")), "GalaxyCluster")), *a;

	assert_int_equal(count_of_uuid(e, "0a1b2c3d-0002-4000-8000-000000000002"), 1);
	assert_true(slice_is(json_member(c, "value"), "APT Y"));
	assert_true(slice_is(json_member(c, "description"), "new"));
	assert_non_null(json_get(json_get(c, "meta"), "country"));	/* what only MISP knew */
	assert_int_equal(json_count(json_get(e, "Tag")), 1);
	assert_true(slice_is(json_member(json_first(json_get(e, "Tag")), "name"), "misp-galaxy:threat-actor=\"APT Y\""));
	assert_true(slice_is(misp_text(mem, e, "threat_level_id"), "2"));

	e = event_after_edit("sighting", 0, "{\"last_seen\":\"2026-05-01T00:00:00Z\",\"description\":\"new\"}", residue);
	a = json_first(json_get(json_first(json_get(e, "Attribute")), "Sighting"));
	assert_int_equal(count_of_uuid(e, "0a1b2c3d-0004-4000-8000-000000000004"), 1);
	assert_true(slice_is(json_member(a, "date_sighting"), "1777593600"));
	assert_true(slice_is(json_member(a, "source"), "new"));
	assert_true(slice_is(json_member(a, "attribute_id"), "9"));

	e = event_after_edit("relationship", 0, "{\"relationship_type\":\"drops\",\"description\":null}", residue);
	a = json_first(json_get(json_first(json_get(e, "Object")), "ObjectReference"));
	assert_int_equal(count_of_uuid(e, "0a1b2c3d-000a-4000-8000-00000000000a"), 1);
	assert_true(slice_is(json_member(a, "relationship_type"), "drops"));
	assert_int_equal(json_member(a, "comment").n, 0);

	e = event_after_edit("indicator", 0, "{\"description\":null,\"valid_from\":\"2026-06-01T00:00:00.000Z\"}", residue);
	a = json_first(json_get(e, "Attribute"));
	assert_int_equal(json_member(a, "comment").n, 0);
	assert_null(json_get(a, "first_seen"));
	assert_int_equal(json_count(json_get(a, "Sighting")), 1);

	e = event_after_edit("grouping", 0, "{\"name\":\"new\"}", residue);
	assert_true(slice_is(json_member(e, "info"), "new"));
	assert_true(slice_is(misp_text(mem, e, "threat_level_id"), "2"));
}

/* What is edited on the way wins over the part that came along, once and in its old place. */
static void
test_an_edit_wins_over_the_part_that_holds_it(void **state)
{
	(void)state;
	check_edited_parts(true);
	check_edited_parts(false);
}

static void
test_an_edited_object_keeps_what_stix_did_not_say(void **state)
{
	static const char pattern[] = "{\"pattern\":\"[file:hashes.MD5 = 'b1946ac92492d2347c6235b4d2611185']\"}",
	    secret[] = "{\"object_marking_refs\":[\"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1\"]}";
	json *e = event_after_edit("indicator", 1, pattern, false), *list, *a;

	(void)state;
	list = json_get(json_first(json_get(e, "Object")), "Attribute");
	assert_int_equal(json_count(list), 3);
	assert_true(slice_is(json_member(json_at(list, 0), "value"), "b1946ac92492d2347c6235b4d2611185"));
	assert_true(slice_is(json_member(json_at(list, 1), "value"), "a.exe"));
	assert_true(slice_is(json_member(json_at(list, 2), "value"), "Malicious"));
	/* the same value is the same attribute; and all are for those who may read the object now */
	e = event_after_edit("indicator", 1, secret, false);
	list = json_get(json_first(json_get(e, "Object")), "Attribute");
	assert_true(slice_is(json_member(json_at(list, 0), "uuid"), "0a1b2c3d-0007-4000-8000-000000000007"));
	for (a = json_first(list); a != NULL; a = json_next(a))
		assert_int_equal(misp_label_of(a, false).tlp, TLP_RED);
	/* a cluster that became a secret is in no event that others read */
	e = event_after_edit("threat-actor", 0, secret, false);
	assert_int_equal(count_of_uuid(e, "0a1b2c3d-0002-4000-8000-000000000002"), 0);
}

static void
test_what_is_deleted_in_misp_does_not_come_back(void **state)
{
	json *event = event_of_stix(BUNDLE(INDICATOR(""), REPORT("")));
	json *list = json_get(event, "Attribute");
	struct advisory adv;

	(void)state;
	json_detach(list, json_first(list));
	adv = read_event(event);
	assert_null(kit_find(&adv, INDICATOR_ID));
	assert_non_null(kit_find(&adv, REPORT_ID));
}

static void
test_a_secret_stays_one(void **state)
{
	json *event = event_of_stix(BUNDLE(INDICATOR(RED), REPORT(""))), *a;
	struct advisory adv;

	(void)state;
	/* in MISP nobody reads less: the tag, the distribution, of the element and of the original */
	for (a = json_first(json_get(event, "Attribute")); a != NULL; a = json_next(a))
		if (!slice_is(json_member(a, "comment"), MISP_BUNDLE_COMMENT) &&
		    memmem(json_member(a, "value").p, json_member(a, "value").n, "bad.example",
			11) != NULL)
			assert_int_equal(misp_label_of(a, false).tlp, TLP_RED);
	/* somebody makes the event RED: the freer originals in it follow */
	event = event_of_stix(BUNDLE(INDICATOR(""), REPORT("")));
	json_put(mem, event, "Tag",
	    json_get(kit_parse(SLICE_LIT("{\"Tag\":[{\"name\":\"tlp:red\"}]}")), "Tag"));
	adv = read_event(event);
	assert_int_equal(kit_find(&adv, INDICATOR_ID)->tlp, TLP_RED);
	assert_int_equal(kit_find(&adv, REPORT_ID)->tlp, TLP_RED);
	/* an original that claims to be free in an event that is not, without an index */
	adv = read_event(json_get(
	    kit_parse(slice_of(
		EVENT(TAGS("tlp:red") "\"Attribute\":[{\"type\":\"text\","
		    "\"category\":\"Other\",\"comment\":\"stix-object\",\"Tag\":["
		    "{\"name\":\"tlp:clear\"}],\"value\":"
		    "\"{\\\"type\\\":\\\"malware\\\",\\\"spec_version\\\":\\\"2."
		    "1\\\",\\\"id\\\":\\\"malware--0a1b2c3d-0003-4000-"
		    "8000-000000000003\\\",\\\"created\\\":\\\"2026-03-01T08:00:"
		    "00Z\\\",\\\"modified\\\":\\\"2026-03-01T08:00:00Z"
		    "\\\",\\\"name\\\":\\\"x\\\",\\\"is_family\\\":true}\"}]"))),
	    "Event"));
	assert_int_equal(kit_first(&adv, "malware")->tlp, TLP_RED);
}

/* A cluster has a distribution of its own, and tags may be listed as links. */
static void
test_what_else_says_who_may_see_it(void **state)
{
	static const char cluster[] = EVENT(TAGS("tlp:green") "\"Galaxy\":[{\"name\":\"Malware\",\"type\":"
	    "\"mitre-malware\",\"GalaxyCluster\":[{\"uuid\":\"0a1b2c3d-0008-4000-8000-000000000008\",\"value\":"
	    "\"own\",\"type\":\"mitre-malware\",\"distribution\":\"%s\"}]}]");
	static const enum tlp said[] = { TLP_AMBER_STRICT, TLP_GREEN, TLP_GREEN, TLP_GREEN, TLP_RED };
	struct advisory adv;

	(void)state;
	for (size_t i = 0; i < COUNTOF(said); i++) {
		adv = read_event(json_get(kit_parse(slice_of(arena_fmt(mem, cluster,
		    arena_fmt(mem, "%zu", i)))), "Event"));
		assert_int_equal(kit_first(&adv, "malware")->tlp, said[i]);
		assert_int_equal(kit_first(&adv, "grouping")->tlp, TLP_GREEN);
	}
	adv = read_event(json_get(kit_parse(slice_of(EVENT(TAGS("tlp:green")
	    "\"EventTag\":[{\"Tag\":{\"name\":\"tlp:red\"}}]"))), "Event"));
	assert_int_equal(kit_first(&adv, "grouping")->tlp, TLP_RED);
}

/* What should be a list is none. */
static void
test_attributes_that_are_no_list(void **state)
{
	static const char *const attributes[] = {
		"{\"a\":{\"type\":\"md5\",\"object_relation\":\"md5\",\"value\":\"d41d8cd98f00b204e9800998ecf8427e\"}}",
		"{\"type\":\"md5\",\"value\":\"d41d8cd98f00b204e9800998ecf8427e\"}", "7", "\"x\"", "null", "{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(attributes); i++) {
		struct advisory adv = read_event(json_get(kit_parse(slice_of(arena_fmt(mem, EVENT(TAGS("tlp:green")
		    "\"Object\":[{\"name\":\"file\",\"uuid\":\"0a1b2c3d-0003-4000-8000-000000000003\","
		    "\"Attribute\":%s}],\"Attribute\":%s"), attributes[i], attributes[i]))), "Event"));

		assert_non_null(kit_first(&adv, "grouping"));
		assert_true(kit_write(&format_misp, &adv, true, NULL).n > 0);
	}
}

/* An organisation that became RED goes home in an event that names it and says less. */
static void
test_a_secret_organisation_stays_one(void **state)
{
	struct advisory adv = read_event(json_get(kit_parse(slice_of(EVENT(TAGS("tlp:green")
	    "\"Orgc\":{\"name\":\"CERT\",\"uuid\":\"0a1b2c3d-0009-4000-8000-000000000009\"}"))), "Event"));
	struct object *o = (struct object *)(uintptr_t)kit_first(&adv, "identity");
	struct strbuf b = STRBUF_INIT;
	struct advisory stix;

	(void)state;
	assert_int_equal(o->tlp, TLP_GREEN);
	json_put(mem, o->tree, "object_marking_refs", json_list(mem));
	json_push(json_get(o->tree, "object_marking_refs"),
	    json_string(mem, slice_of(tlp_marking_id(TLP_RED))));
	json_print(&b, o->tree);
	o->bytes = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	assert_int_equal(kit_read(&format_stix21, kit_write(&format_stix21, &adv, true, NULL), &stix, NULL), 0);
	assert_int_equal(kit_first(&stix, "identity")->tlp, TLP_RED);
	assert_int_equal(kit_read(&format_misp, kit_write(&format_misp, &stix, true, NULL), &adv, NULL), 0);
	assert_int_equal(kit_first(&adv, "identity")->tlp, TLP_RED);
	assert_int_equal(kit_first(&adv, "grouping")->tlp, TLP_GREEN);
}

/* A part that says less than the object around it came to be. */
static void
test_a_part_never_weakens_its_object(void **state)
{
	struct advisory adv;
	json *event;
	const struct object *o;

	(void)state;
	adv = read_event(json_get(kit_parse(slice_of(EVENT(TAGS(
	    "tlp:clear") "\"Attribute\":[{\"uuid\":"
	    "\"0a1b2c3d-0002-4000-8000-000000000002\","
	    "\"type\":\"domain\",\"category\":\"Other\","
	    "\"value\":\"bad.example\",\"to_ids\":true}]"))),
	    "Event"));
	o = kit_first(&adv, "indicator");
	for (size_t i = 0; i < adv.n; i++)
		if (&adv.objects[i] == o)
			adv.objects[i].tlp = TLP_RED;	/* as if policy or a sender had raised it */
	event = json_get(kit_parse(kit_write(&format_misp, &adv, true, NULL)), "Event");
	assert_int_equal(
	    misp_label_of(json_first(json_get(event, "Attribute")), false).tlp, TLP_RED);
}

/* Residue is data of its sender: what is no attribute is not written as one. */
static void
test_a_part_that_is_none_is_not_believed(void **state)
{
	static const char own[] = "{\\\"type\\\":\\\"text\\\",\\\"category\\\":\\\"Other\\\","
	    "\\\"comment\\\":\\\"stix-object\\\",\\\"value\\\":\\\"{}\\\"}";
	static const char *const parts[] = {
		"7", "{}", "{", "{\\\"type\\\":\\\"domain\\\"}", "[]", own
	};
	char hash[65];

	(void)state;
	misp_object_hash(kit_parse(slice_of(INDICATOR(""))), mem, hash);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		json *event = event_of_stix(arena_fmt(mem,
		    BUNDLE(INDICATOR(",\"extensions\":{\"" MISP_EXT
				     "\":{\"extension_type\":\"property-extension\",\"misp\":{"
				     "\"sha256\":\"%s\",\"attribute\":"
				     "\"%s\"}}}"),
			REPORT("")),
		    hash, parts[i]));
		json *a = json_first(json_get(event, "Attribute"));

		assert_true(slice_is(json_member(a, "type"), "domain"));
		assert_true(slice_is(json_member(a, "value"), "bad.example"));
	}
}

static void
test_an_edit_in_stix_reaches_the_event(void **state)
{
	struct advisory adv = read_event(
	    json_get(kit_parse(slice_of(EVENT(
	    "\"threat_level_id\":\"1\","
	    "\"Attribute\":[{\"uuid\":\"0a1b2c3d-0002-4000-8000-000000000002\","
	    "\"type\":\"ip-src\","
	    "\"category\":\"Network "
	    "activity\",\"value\":\"198.51.100.7\",\"to_ids\":true,\"id\":\"42\","
	    "\"comment\":\"old\"}]"))),
		"Event"));
	const struct object *o = kit_first(&adv, "indicator");
	json *event, *a;

	(void)state;
	json_put_str(mem, o->tree, "description", SLICE_LIT("new"));
	event = json_get(kit_parse(kit_write(&format_misp, &adv, true, NULL)), "Event");
	a = json_first(json_get(event, "Attribute"));
	assert_true(slice_is(json_member(a, "comment"), "new"));
	assert_true(slice_is(json_member(a, "type"), "ip-src"));
	assert_true(slice_is(json_member(a, "id"), "42"));	/* only the part knew */
	assert_true(slice_is(json_member(event, "threat_level_id"), "1"));
}

static void
test_one_report_is_one_event_and_several_are_a_response(void **state)
{
	struct advisory adv;
	json *root;

	(void)state;
	assert_int_equal(
	    kit_read(&format_stix21, slice_of(BUNDLE(INDICATOR(""), REPORT(""))), &adv, NULL), 0);
	root = kit_parse(kit_write(&format_misp, &adv, true, NULL));
	assert_true(json_is_object(json_get(root, "Event")));
	assert_true(slice_is(
	    json_member(json_get(root, "Event"), "uuid"), &REPORT_ID[sizeof("report--") - 1]));
	assert_int_equal(kit_read(&format_stix21, slice_of(BUNDLE(REPORT(""),
	    "{\"type\":\"grouping\",\"id\":\"grouping--0a1b2c3d-0009-4000-8000-000000000009\"," STAMPS
	    "\"context\":\"unspecified\",\"name\":\"g\",\"object_refs\":[\"" INDICATOR_ID "\"]}")), &adv, NULL), 0);
	root = kit_parse(kit_write(&format_misp, &adv, true, NULL));
	assert_int_equal(json_count(json_get(root, "response")), 2);
	adv.n = 0;
	root = kit_parse(kit_write(&format_misp, &adv, true, NULL));
	assert_int_equal(json_count(json_get(root, "response")), 0);
	assert_non_null(json_get(root, "response"));
}

static void
test_a_bad_text_is_an_answer(void **state)
{
	static const char *const texts[] = { "", "{", "7", "{}", "{\"Event\":7}x", "\"Event\"" };
	struct advisory adv;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(kit_read(&format_misp, slice_of(texts[i]), &adv, NULL), -1);
	assert_int_equal(kit_read(&format_misp, SLICE_LIT("{\"Event\":7}"), &adv, NULL), 0);
	assert_int_equal(adv.nverdicts, 1);
	assert_int_equal(adv.verdicts[0].kind, VERDICT_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_every_type_has_a_fate, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_templates_name_types_and_paths, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_the_same_indicator_from_anywhere, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_the_same_indicator_from_iodef, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_what_was_seen_is_an_observable, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_tag_and_distribution_say_who_may_see_it, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_what_is_too_large_costs_itself, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_an_edit_wins_over_the_part_that_holds_it, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_an_edited_object_keeps_what_stix_did_not_say, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_sharing_group_is_what_it_is_to_us, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_an_edit_in_misp_reaches_the_original, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_what_is_deleted_in_misp_does_not_come_back, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_a_secret_stays_one, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_what_else_says_who_may_see_it, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_attributes_that_are_no_list, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_a_secret_organisation_stays_one, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_part_never_weakens_its_object, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_part_that_is_none_is_not_believed, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_an_edit_in_stix_reaches_the_event, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_one_report_is_one_event_and_several_are_a_response, kit_setup,
		    kit_teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_bad_text_is_an_answer, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
