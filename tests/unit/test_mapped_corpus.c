/* If this fails, the in-house samples that CERTs gave us are read otherwise than they expect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/mapped.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define CORPUS	"../shared/corpus/inhouse/"
#define INHOUSE	"extension-definition--5b39d042-93f7-445d-853d-1c1ea7465343"

static const char blocklist[] =
	"mapping acme-blocklist\n"
	"    format csv delimiter ; quote \"\\\"\" header yes comment \"#\" encoding utf-8\n"
	"    producer \"ACME SOC\" class organization\n"
	"    default tlp amber\n"
	"    default lang de\n"
	"    default indicator_types malicious-activity\n"
	"    record indicator key Nr\n"
	"    field Typ -> type table ip ip, net ip, dom host-or-url, hash hash, mail email"
	" unknown reject required\n"
	"    field Wert -> value trim refang required\n"
	"    field Beschreibung -> description\n"
	"    field \"Erstmals gesehen\" -> valid_from time \"%d.%m.%Y %H:%M\" zone +01:00 required\n"
	"    field \"G\xc3\xbcltig bis\" -> valid_until time \"%d.%m.%Y %H:%M\" zone +01:00\n"
	"    field TLP -> tlp\n"
	"    field Vertrauen -> confidence table niedrig 15, mittel 50, hoch 85 unknown pass\n"
	"    field Schlagworte -> labels split \",\"\n"
	"    field Familie -> malware\n"
	"    field Quelle -> source_url\n";

static const char sensor[] =
	"mapping sensor-alerts\n"
	"    format json records /data/items\n"
	"    producer \"Sensor network\" class system\n"
	"    default tlp green\n"
	"    record observed-data key /uid\n"
	"    field /ts -> first_observed time epoch required\n"
	"    field /ts -> last_observed time epoch\n"
	"    field /count -> number_observed\n"
	"    field /src/ip -> traffic.src\n"
	"    field /src/port -> traffic.src_port\n"
	"    field /dst/ip -> traffic.dst\n"
	"    field /dst/port -> traffic.dst_port\n"
	"    field /proto -> traffic.protocol lower table ipv6-icmp icmp6 unknown pass\n"
	"    field /dns/rrname -> domain\n"
	"    field /sig/name -> name\n"
	"    field /tags -> labels\n";

static const char partner[] =
	"mapping partner-incidents\n"
	"    format xml records /t:tickets/t:ticket\n"
	"    namespace t urn:example:partner-tickets\n"
	"    record report key @nr\n"
	"    field t:title -> name required\n"
	"    field t:text -> description\n"
	"    field t:opened -> published time rfc3339 required\n"
	"    field @class -> tlp\n"
	"    field @state -> labels template \"state:{}\"\n"
	"    field t:reporter/@org -> creator.name\n"
	"    field t:reporter/@mail -> creator.email\n"
	"    field t:cve -> vulnerability\n"
	"children t:iocs/t:ioc\n"
	"    record indicator\n"
	"    field @kind -> type table url url, sha256 sha256, file filename, ip ip"
	" unknown residue required\n"
	"    field . -> value trim refang required\n"
	"    field ../../t:opened -> valid_from time rfc3339 required\n";

/* ---- helpers ---------------------------------------------------------------------------------- */

static struct slice
file_text(const char *name)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (!file_exists(CORPUS))
		skip();
	if (file_read(arena_fmt(mem, CORPUS "%s", name), 1 << 20, &b, &e) < 0)
		fail_msg("%s", e.reason);
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
		fail_msg("%s", e.reason);
	return doc.root;
}

static struct mapping *
mapping_of(const char *text)
{
	struct complaints c = { .mem = mem };
	struct mapping *m = mapping_parse(slice_of(text), "test.map", mem, &c);

	if (m == NULL)
		fail_msg("%s", c.text[0]);
	return m;
}

static struct advisory *
read_text(const struct mapping *m, struct slice text)
{
	struct advisory *adv = arena_alloc(mem, sizeof(*adv));
	struct read_job job = { .in = text, .input = "sample", .mapping = m,
	    .received = SLICE_LIT("2024-06-01T00:00:00Z") };
	struct err e = ERR_INIT;

	if (format_mapped.read(&job, mem, adv, &e) < 0)
		fail_msg("%s", e.reason);
	return adv;
}

/* Written and read again it must be the same objects. */
static void
assert_comes_back(const struct mapping *m, const struct advisory *adv)
{
	struct write_job job = { .adv = adv, .mapping = m,
	    .received = SLICE_LIT("2024-06-01T00:00:00Z") };
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct advisory *again;

	assert_int_equal(format_mapped.write(&job, mem, &out, &e), 0);
	again = read_text(m, strbuf_slice(&out));
	assert_int_equal(again->n, adv->n);
	for (size_t i = 0; i < adv->n; i++)
		assert_true(slice_eq(again->objects[i].bytes, adv->objects[i].bytes));
	strbuf_fini(&out);
}

static json *
by_id(const struct advisory *adv, struct slice id)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_eq(adv->objects[i].id, id))
			return adv->objects[i].tree;
	return NULL;
}

static json *
by_type(const struct advisory *adv, const char *type, size_t n)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].type, type) && n-- == 0)
			return adv->objects[i].tree;
	return NULL;
}

static size_t
count_of(const struct advisory *adv, const char *type)
{
	size_t n = 0;

	while (by_type(adv, type, n) != NULL)
		n++;
	return n;
}

static struct slice
key_of(const json *o)
{
	return json_slice(json_first(json_get(json_get(json_get(o, "extensions"), INHOUSE), "key")));
}

static json *
by_key(const struct advisory *adv, struct slice key)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_eq(key_of(adv->objects[i].tree), key))
			return adv->objects[i].tree;
	return NULL;
}

static const char *
tlp_text(const json *o)
{
	return tlp_label(tlp_of_marking_id(json_slice(json_first(json_get(o,
	    "object_marking_refs"))))) + 4;
}

static void
assert_same(const json *want, const json *got, const char *what)
{
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;

	if (want == NULL && got == NULL)
		return;
	if (want != NULL && got != NULL && json_equal(want, got))
		return;
	if (want != NULL)
		json_print(&a, want);
	if (got != NULL)
		json_print(&b, got);
	fail_msg("%s: wanted %s, got %s", what, a.p, b.p);
}

static struct slice
malware_of(const struct advisory *adv, struct slice id)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_eq(json_member(adv->objects[i].tree, "source_ref"), id))
			return json_member(by_id(adv, json_member(adv->objects[i].tree,
			    "target_ref")), "name");
	return SLICE_EMPTY;
}

/* ---- the three samples ------------------------------------------------------------------------ */

static void
test_blocklist(void **state)
{
	static const char *const same[] = {
		"pattern", "valid_from", "valid_until", "confidence", "labels", "description"
	};
	struct mapping *m = mapping_of(blocklist);
	struct slice rest = file_text("blocklist.expected.jsonl"), line;
	struct advisory *adv = read_text(m, file_text("blocklist.csv"));
	size_t n = 0;

	(void)state;
	assert_int_equal(adv->nverdicts, 0);
	while ((line = slice_cut(&rest, '\n')).n > 0) {
		json *want = parse(line);
		json *got = by_key(adv, json_member(want, "key"));
		json *ref = json_first(json_get(got, "external_references"));

		assert_non_null(got);
		for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
			assert_same(json_get(want, same[i]), json_get(got, same[i]), same[i]);
		assert_true(slice_is(json_member(want, "tlp"), tlp_text(got)));
		assert_same(json_get(want, "source_url"), json_get(ref, "url"), "source_url");
		assert_true(slice_eq(json_member(want, "malware"),
		    malware_of(adv, json_member(got, "id"))));
		n++;
	}
	assert_int_equal(n, 10);
	assert_int_equal(count_of(adv, "indicator"), n);
	assert_comes_back(m, adv);
}

static void
test_blocklist_broken(void **state)
{
	struct advisory *adv = read_text(mapping_of(blocklist), file_text("blocklist-broken.csv"));
	json *want = parse(file_text("blocklist-broken.expected.json"));
	size_t n = 0;

	(void)state;
	for (json *k = json_first(json_get(want, "accepted")); k != NULL; k = json_next(k), n++)
		assert_non_null(by_key(adv, json_slice(k)));
	assert_int_equal(count_of(adv, "indicator"), n);
	n = 0;
	for (json *k = json_first(json_get(want, "rejected")); k != NULL; k = json_next(k), n++) {
		const char *start = arena_fmt(mem, "%s;", json_name(k));
		bool found = false;

		for (size_t i = 0; i < adv->nverdicts; i++)
			found |= slice_starts(adv->verdicts[i].text, start) &&
			    adv->verdicts[i].err.at.line == (uint32_t)strtoul(start, NULL, 10) + 1;
		if (!found)
			fail_msg("record %s was not refused", json_name(k));
	}
	assert_int_equal(adv->nverdicts, n);
}

static void
test_sensor(void **state)
{
	struct mapping *m = mapping_of(sensor);
	struct advisory *adv = read_text(m, file_text("sensor-alerts.json"));
	json *want = parse(file_text("sensor-alerts.expected.json"));
	json *traffic = json_first(json_get(want, "network-traffic"));

	(void)state;
	assert_int_equal(count_of(adv, "observed-data"), 3);
	for (size_t i = 0; i < 3; i++, traffic = json_next(traffic)) {
		json *o = by_type(adv, "observed-data", i), *t = by_type(adv, "network-traffic", i);
		json *src = by_id(adv, json_member(t, "src_ref"));
		json *dst = by_id(adv, json_member(t, "dst_ref"));
		json *labels = json_at(json_get(want, "labels"), i);

		assert_same(json_get(traffic, "src"), json_get(src, "value"), "src");
		assert_same(json_get(traffic, "dst"), json_get(dst, "value"), "dst");
		assert_same(json_get(traffic, "src_port"), json_get(t, "src_port"), "src_port");
		assert_same(json_get(traffic, "dst_port"), json_get(t, "dst_port"), "dst_port");
		assert_same(json_get(traffic, "protocols"), json_get(t, "protocols"), "protocols");
		assert_same(json_at(json_get(want, "first_observed"), i),
		    json_get(o, "first_observed"), "first_observed");
		assert_same(json_at(json_get(want, "number_observed"), i),
		    json_get(o, "number_observed"), "number_observed");
		assert_same(json_is_null(labels) ? NULL : labels, json_get(o, "labels"), "labels");
	}
	assert_int_equal(count_of(adv, "domain-name"), json_count(json_get(want, "domain-name")));
	assert_same(json_first(json_get(want, "domain-name")),
	    json_get(by_type(adv, "domain-name", 0), "value"), "domain-name");
	assert_comes_back(m, adv);
}

/* The members of a report of one type, in order, must have these values. */
static void
assert_members(const struct advisory *adv, const json *report, const char *type,
    const char *property, const json *values)
{
	const json *v = json_first(values);

	for (json *r = json_first(json_get(report, "object_refs")); r != NULL; r = json_next(r)) {
		json *o = by_id(adv, json_slice(r));

		if (!slice_is(json_member(o, "type"), type))
			continue;
		assert_same(v, json_get(o, property), type);
		v = json_next(v);
	}
	assert_null(v);
}

static void
test_partner(void **state)
{
	static const char *const same[] = { "name", "published", "description", "labels" };
	struct mapping *m = mapping_of(partner);
	struct advisory *adv = read_text(m, file_text("partner-incidents.xml"));
	json *want = parse(file_text("partner-incidents.expected.json")), *who;
	size_t i = 0;

	(void)state;
	for (json *w = json_first(json_get(want, "report")); w != NULL; w = json_next(w), i++) {
		json *got = by_type(adv, "report", i);

		for (size_t k = 0; k < sizeof(same) / sizeof(*same); k++)
			assert_same(json_get(w, same[k]), json_get(got, same[k]), same[k]);
		assert_true(slice_is(json_member(w, "tlp"), tlp_text(got)));
		assert_members(adv, got, "indicator", "pattern", json_get(w, "patterns"));
		assert_members(adv, got, "vulnerability", "name", json_get(w, "vulnerability"));
		assert_true(slice_eq(json_member(got, "created_by_ref"),
		    json_member(by_type(adv, "identity", 0), "id")));
	}
	assert_int_equal(count_of(adv, "report"), i);
	assert_int_equal(count_of(adv, "identity"), 1);
	who = json_first(json_get(want, "identity"));
	assert_same(json_get(who, "name"), json_get(by_type(adv, "identity", 0), "name"), "name");
	assert_same(json_get(who, "contact_information"),
	    json_get(by_type(adv, "identity", 0), "contact_information"), "contact");
	assert_comes_back(m, adv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_blocklist, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocklist_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sensor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partner, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
