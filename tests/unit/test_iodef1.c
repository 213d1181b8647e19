/* If this fails, a made-up document of IODEF v1, JSON or RID can say one thing to people and another one to us, or
 * a label gets weaker on its way through a dialect that has fewer words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "formats/iodef1.h"
#include "formats/iodef_json.h"
#include "formats/rid.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define V1 "<IODEF-Document xmlns='urn:ietf:params:xml:ns:iodef-1.0' version='1.00' lang='en'>"
#define V2 "<IODEF-Document xmlns='urn:ietf:params:xml:ns:iodef-2.0' version='2.00' xml:lang='en'>"
#define HEAD1 "<IncidentID name='c.example'>1</IncidentID><ReportTime>2024-01-01T00:00:00Z</ReportTime>"
#define BODY1 HEAD1 "<Assessment><Impact type='dos'/></Assessment><Contact role='creator' type='person'>" \
	"<ContactName>C</ContactName></Contact>"
#define BODY2 "<IncidentID name='c.example'>1</IncidentID><GenerationTime>2024-01-01T00:00:00Z" \
	"</GenerationTime><Contact role='creator' type='person'><ContactName>C</ContactName></Contact>"

static struct xml_node *
parse(const char *text)
{
	struct xml_node *root;
	struct err e = ERR_INIT;

	if (xml_parse(slice_of(text), NULL, mem, &root, &e) < 0)
		fail_msg("%s", e.reason);
	return root;
}

static const char *
print(const struct xml_node *n)
{
	struct strbuf b = STRBUF_INIT;
	const char *s;

	xml_print(&b, n, 0);
	s = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static const char *
escape(const char *s)
{
	struct strbuf b = STRBUF_INIT;
	const char *out;

	for (; *s != '\0'; s++)
		strbuf_adds(&b, *s == '<' ? "&lt;" : *s == '&' ? "&amp;" : (char[]){ *s, '\0' });
	out = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

static int
read_as(const struct format_ops *f, const char *text, bool strict, struct advisory *adv)
{
	struct read_job job = { .in = slice_of(text), .input = "test", .strict = strict,
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct err e = ERR_INIT;

	*adv = (struct advisory){ 0 };
	return f->read(&job, mem, adv, &e);
}

static const char *
write_as(const struct format_ops *f, const struct advisory *adv)
{
	struct write_job job = { .adv = adv, .received = SLICE_LIT("2026-01-01T00:00:00Z"),
		.csirt = "cert.example" };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	const char *s;

	if (f->write(&job, mem, &b, &e) < 0)
		fail_msg("%s", e.reason);
	s = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static int
rank(enum tlp t)
{
	return t == TLP_UNSET ? 2 * TLP_GREEN + 1 : 2 * (int)t;
}

static enum tlp
level(const struct xml_node *n)
{
	enum label_case label;

	return iodef2_restriction_read(xml_value(n, "restriction"), xml_value(n, "ext-restriction"),
	    false, &label);
}

/* The label of the first object of that type. */
static enum tlp
label_of(const struct advisory *adv, const char *type)
{
	for (size_t i = 0; i < adv->n; i++) {
		if (slice_is(adv->objects[i].type, type))
			return adv->objects[i].tlp;
	}
	fail_msg("no %s", type);
	return TLP_UNSET;
}

static void
words_never_get_weaker(void **state)
{
	static const struct { const char *word, *ext, *v1; } rows[] = {
		{ "public", NULL, "public" }, { "white", NULL, "public" },
		{ "partner", NULL, "need-to-know" }, { "green", NULL, "need-to-know" },
		{ "amber", NULL, "need-to-know" }, { "need-to-know", NULL, "need-to-know" },
		{ "ext-value", "amber+strict", "need-to-know" }, { "private", NULL, "private" },
		{ "red", NULL, "private" }, { "ext-value", "our own", "private" },
		{ "purple", NULL, "private" }, { "default", NULL, "default" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct xml_node *v2 = parse(V2 "<Incident purpose='other'>" BODY2 "</Incident>"
		    "</IODEF-Document>"), *n = xml_get(v2, "Incident"), *v1;

		xml_set(mem, n, "restriction", slice_of(rows[i].word));
		if (rows[i].ext != NULL)
			xml_set(mem, n, "ext-restriction", slice_of(rows[i].ext));
		v1 = iodef1_native_down(mem, n);
		assert_string_equal(xml_value(v1, "restriction").p, rows[i].v1);
		assert_true(rank(level(iodef1_native_up(mem, v1))) >= rank(level(n)));
		/* and what is carried along brings the very word back */
		assert_true(xml_equal(iodef1_up(mem, iodef1_down(mem, v2)), v2));
	}
}

/* A carried part that says something else than what stands beside it does not count. */
static void
a_forged_part_does_not_count(void **state)
{
	static const char *const forged[] = {
		("<Incident xmlns='urn:ietf:params:xml:ns:iodef-2.0' purpose='other' restriction='white'>"
		BODY2 "</Incident>"),
		"<Incident xmlns='urn:ietf:params:xml:ns:iodef-2.0'>", "", "not XML",
		"<part xmlns='urn:tocsin:iodef1' of='Incident' n='0'/>",
		("<Incident xmlns='urn:ietf:params:xml:ns:iodef-2.0' purpose='other' restriction='red'>"
		"<part xmlns='urn:tocsin:iodef1' of='Contact' n='7'/></Incident>"),
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(forged); i++) {
		struct xml_node *n = iodef1_up(mem, parse(arena_fmt(mem, V1 "<Incident purpose='other' "
		    "restriction='private'>" BODY1 "<AdditionalData dtype='xml' meaning='[iodef-v2]'>%s"
		    "</AdditionalData></Incident></IODEF-Document>", escape(forged[i]))));

		n = xml_get(n, "Incident");
		assert_string_equal(xml_value(n, "restriction").p, "private");
		assert_non_null(xml_get(n, "Assessment"));
	}
}

/* Whoever makes the carried part stricter makes all of it stricter. */
static void
a_stricter_part_counts(void **state)
{
	struct xml_node *v2 = parse(V2 "<Incident purpose='watch' status='new' restriction='white'>" BODY2
	    "</Incident></IODEF-Document>"), *v1 = iodef1_down(mem, v2), *data;

	(void)state;
	data = xml_get(xml_get(v1, "Incident"), "AdditionalData");
	assert_non_null(data);
	assert_null(xml_attr(data, "restriction"));
	assert_true(xml_equal(iodef1_up(mem, v1), v2));
	xml_set(mem, data, "restriction", SLICE_LIT("private"));
	assert_int_equal(level(xml_get(iodef1_up(mem, v1), "Incident")), TLP_RED);
}

/* What only v2 can say, and says under a stricter label, is carried under that label. */
static void
a_part_is_as_strict_as_what_is_in_it(void **state)
{
	struct xml_node *v1 = iodef1_down(mem, parse(V2 "<Incident purpose='other' restriction='white'>"
	    "<IncidentID name='c.example'>1</IncidentID><GenerationTime>2024-01-01T00:00:00Z"
	    "</GenerationTime><Discovery source='siem' restriction='red'><Description>secret"
	    "</Description></Discovery><Contact role='creator' type='person'><ContactName>C"
	    "</ContactName></Contact></Incident></IODEF-Document>"));
	struct xml_node *n = xml_get(v1, "Incident");

	(void)state;
	assert_string_equal(xml_value(n, "restriction").p, "public");
	n = xml_get(n, "AdditionalData");
	assert_string_equal(xml_value(n, "restriction").p, "private");
	assert_non_null(strstr(print(n), "secret"));
}

/* A word in brackets cannot weaken the one beside it. */
static void
a_word_in_brackets_is_checked(void **state)
{
	static const struct { const char *beside, *word, *want; } rows[] = {
		{ "private", "white", "private" }, { "private", "red", "red" },
		{ "need-to-know", "amber", "amber" }, { "need-to-know", "white", "need-to-know" },
		{ "public", "ext:amber+strict", "public" }, { "private", "default", "private" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct xml_node *n = xml_get(iodef1_native_up(mem, parse(arena_fmt(mem,
		    "<Incident xmlns='" IODEF1_NS "' purpose='other'>" BODY1 "<AdditionalData "
		    "dtype='string' restriction='%s' meaning='[note =%s] m'>x</AdditionalData>"
		    "</Incident>", rows[i].beside, rows[i].word))), "AdditionalData");

		assert_string_equal(xml_value(n, "restriction").p, rows[i].want);
		assert_string_equal(xml_value(n, "name").p, "note");
		assert_string_equal(xml_value(n, "meaning").p, "m");
	}
}

/* An edit of what stands natively wins, and costs only what it touches. */
static void
an_edit_in_v1_is_merged(void **state)
{
	static const char stix[] = "{\"type\":\"bundle\",\"id\":\"bundle--5a0f6f3e-7d61-4c56-8f0a-0d6b1f2b7c11\","
	    "\"objects\":[{\"type\":\"report\",\"spec_version\":\"2.1\",\"id\":"
	    "\"report--2c1a5a5e-95c4-4c8a-9d75-0c7a5f1e2b02\",\"created\":\"2024-05-02T00:00:00.000Z\","
	    "\"modified\":\"2024-05-03T00:00:00.000Z\",\"name\":\"Old name\",\"report_types\":["
	    "\"threat-report\"],\"published\":\"2024-05-02T12:00:00Z\",\"x_ours\":1,\"object_refs\":["
	    "\"malware--7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2905\"]},{\"type\":\"malware\",\"spec_version\":"
	    "\"2.1\",\"id\":\"malware--7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2905\",\"created\":"
	    "\"2024-05-02T00:00:00.000Z\",\"modified\":\"2024-05-02T00:00:00.000Z\",\"name\":\"Barnacle\","
	    "\"is_family\":true}]}";
	static const struct format_ops *const dialects[] = {
		&format_iodef1, &format_iodef_json, &format_rid,
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(dialects); i++) {
		struct advisory adv, home;
		char *text, *at;
		bool report = false, malware = false;

		assert_int_equal(read_as(&format_stix21, stix, false, &adv), 0);
		text = arena_str(mem, slice_of(write_as(dialects[i], &adv)));
		at = strstr(text, i == 1 ? "\"Old name\"" : ">Old name<");
		assert_non_null(at);
		memcpy(at + 1, "New", 3);
		assert_int_equal(read_as(dialects[i], text, false, &home), 0);
		for (size_t k = 0; k < home.n; k++) {
			const json *t = home.objects[k].tree;

			if (slice_eq(home.objects[k].id, adv.objects[0].id)) {
				report = true;
				assert_string_equal(json_str(json_get(t, "name")), "New name");
				assert_non_null(json_get(t, "x_ours"));
				assert_true(slice_cmp(json_member(t, "modified"),
				    SLICE_LIT("2024-05-03T00:00:00.000Z")) > 0);
			}
			malware |= slice_eq(home.objects[k].bytes, adv.objects[1].bytes);
		}
		assert_true(report && malware);
	}
}

/* Places are those of what came in. */
static void
verdicts_point_into_the_input(void **state)
{
	struct advisory adv;

	(void)state;
	assert_int_equal(read_as(&format_iodef1, V1 "\n<Incident purpose='other'>" BODY1 "\n<EventData>\n"
	    "<Flow><System><Node><Address category='ipv4-addr'>no address</Address></Node></System>"
	    "</Flow></EventData></Incident></IODEF-Document>", true, &adv), 0);
	assert_int_equal(adv.nverdicts, 1);
	assert_string_equal(adv.verdicts[0].code, "NOT_OBSERVABLE");
	assert_int_equal(adv.verdicts[0].err.at.line, 4);
	assert_string_equal(adv.verdicts[0].err.path,
	    "Incident[1]/EventData[1]/Flow[1]/System[1]/Node[1]/Address[1]");
	assert_int_equal(read_as(&format_iodef_json, "{\"version\":\"2.0\",\"Incident\":[{\"purpose\":\"watch\","
	    "\"IncidentID\":{\"id\":\"1\",\"name\":\"c\"},\"GenerationTime\":\"2024-01-01T00:00:00Z\","
	    "\"Contact\":[{\"role\":\"creator\",\"type\":\"person\",\"ContactName\":[\"C\"]}],\"Indicator\":[{"
	    "\"IndicatorID\":{\"id\":\"i\",\"name\":\"c\",\"version\":\"1\"},\"Observable\":{\"Address\":"
	    "{\"value\":\"x\",\"category\":\"mac\",\"vlan-num\":\"many\"}},\"StartTime\":\"never\"}]}]}",
	    true, &adv), 0);
	assert_int_equal(adv.nverdicts, 1);
	assert_int_equal(adv.verdicts[0].kind, VERDICT_REFUSED);
	assert_string_equal(adv.verdicts[0].err.path, "Incident[0].Indicator[0].StartTime");
	assert_non_null(strstr(adv.verdicts[0].text.p, "\"never\""));
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static const char json_head[] = "{\"version\":\"2.0\",\"Incident\":[{\"purpose\":\"other\",\"restriction\":\"red\","
    "\"IncidentID\":{\"id\":\"1\",\"name\":\"c\"},\"GenerationTime\":\"2024-01-01T00:00:00Z\",\"Contact\":[{"
    "\"role\":\"creator\",\"type\":\"person\",\"ContactName\":[\"C\"]}]";

/* Our marks mean nothing in what a stranger sends. */
static void
made_up_marks_in_json_are_data(void **state)
{
	static const char *const rows[] = {
		",\"EventData\":[{\"#part\":\"0\"}]}]}",
		",\"AdditionalData\":[{\"name\":\"iodef-xml\",\"dtype\":\"xml\",\"value\":\"<Incident "
		"xmlns='urn:ietf:params:xml:ns:iodef-2.0' restriction='white'/>\"}]}]}",
		",\"AdditionalData\":[{\"name\":\"json-members\",\"dtype\":\"json\",\"value\":"
		"\"{\\\"restriction\\\":\\\"white\\\",\\\"x\\\":1}\"}]}]}",
		",\"AdditionalData\":[{\"name\":\"iodef-flow\",\"dtype\":\"boolean\",\"value\":\"true\"}]}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct advisory adv, again;
		const char *text = arena_fmt(mem, "%s%s", json_head, rows[i]);

		assert_int_equal(read_as(&format_iodef_json, text, false, &adv), 0);
		assert_int_equal(label_of(&adv, "report"), TLP_RED);
		assert_int_equal(read_as(&format_iodef_json, write_as(&format_iodef_json, &adv), false,
		    &again), 0);
		assert_int_equal(label_of(&again, "report"), TLP_RED);
	}
}

/* A Record that is stricter than the event makes each of its records as strict in JSON. */
static void
a_record_keeps_its_label_in_json(void **state)
{
	struct xml_node *v2 = parse(V2 "<Incident purpose='other' restriction='white'>"
	    "<IncidentID name='c.example'>1</IncidentID><GenerationTime>2024-01-01T00:00:00Z"
	    "</GenerationTime><Contact role='creator' type='person'><ContactName>C</ContactName></Contact>"
	    "<EventData><Record restriction='red'><RecordData><RecordItem dtype='string'>x</RecordItem>"
	    "</RecordData></Record></EventData></Incident></IODEF-Document>");
	json *event = json_at(json_get(json_at(json_get(iodef_json_value(mem, v2), "Incident"), 0),
	    "EventData"), 0);

	(void)state;
	assert_string_equal(json_str(json_get(json_at(json_get(event, "RecordData"), 0), "restriction")),
	    "red");
}

static void
flows_come_apart_and_together(void **state)
{
	static const char doc[] = V2 "<Incident purpose='other'>" BODY2 "<EventData>"
	    "<Description>two</Description>"
	    "<Flow><System><Node><Address category='ipv4-addr'>192.0.2.1</Address></Node></System></Flow>"
	    "<Flow><System><Node><Address category='ipv4-addr'>192.0.2.2</Address></Node></System></Flow>"
	    "<Expectation action='other'/><EventData><Description>inner</Description></EventData>"
	    "</EventData></Incident></IODEF-Document>";
	struct xml_node *v2 = parse(doc), *event = xml_get(xml_get(v2, "Incident"), "EventData");

	(void)state;
	iodef_json_split(mem, v2);
	assert_null(xml_get(event, "Flow"));
	assert_int_equal(xml_count(event, "EventData"), 3);
	iodef_json_join(v2);
	assert_true(xml_equal(v2, parse(doc)));
}

/* ---- RID -------------------------------------------------------------------------------------- */

#define RID(type, rest) "<r:RID xmlns:r='" RID_NS "' xmlns:i='" IODEF1_NS "' lang='en'><r:RIDPolicy " \
	"MsgType='" type "' MsgDestination='RIDSystem' restriction='private'><r:PolicyRegion " \
	"region='PeerToPeer'/><i:Node><i:NodeName>n.example</i:NodeName></i:Node><r:TrafficType " \
	"type='Attack'/>" rest "</r:RID>"

static void
a_policy_is_as_strict_as_the_document(void **state)
{
	struct advisory adv;

	(void)state;
	assert_int_equal(read_as(&format_rid, RID("Report", "<r:ReportSchema><r:XMLDocument dtype='xml'>"
	    V1 "<Incident purpose='other' restriction='public'>" BODY1 "</Incident></IODEF-Document>"
	    "</r:XMLDocument></r:ReportSchema></r:RIDPolicy>"), false, &adv), 0);
	assert_int_equal(label_of(&adv, "report"), TLP_RED);
	assert_int_equal(label_of(&adv, "incident"), TLP_RED);
	assert_non_null(strstr(write_as(&format_rid, &adv), "MsgDestination=\"RIDSystem\" restriction=\"private\""));
}

static void
an_envelope_may_be_empty(void **state)
{
	struct advisory adv;

	(void)state;
	assert_int_equal(read_as(&format_rid, RID("Query", "</r:RIDPolicy>"), true, &adv), 0);
	assert_int_equal(adv.n, 0);
	assert_string_equal(adv.verdicts[0].code, "RID_ENVELOPE");
	assert_non_null(strstr(adv.envelope.p, "\"msg_type\":\"Query\""));
	assert_non_null(strstr(write_as(&format_rid, &adv), "MsgType=\"Query\""));
	/* what is no IODEF is refused alone: the envelope is told of */
	assert_int_equal(read_as(&format_rid, RID("Report", "<r:ReportSchema><r:XMLDocument dtype='xml'>"
	    "<other/></r:XMLDocument></r:ReportSchema></r:RIDPolicy>"), false, &adv), 0);
	assert_int_equal(adv.n, 0);
	assert_string_equal(adv.verdicts[1].code, "UNSUPPORTED_DOCUMENT");
	assert_int_equal(adv.verdicts[1].kind, VERDICT_REFUSED);
}

/* An envelope that the job gives counts before that of the advisory. */
static void
the_job_says_what_the_envelope_says(void **state)
{
	struct advisory adv;
	struct write_job job = { .adv = &adv, .received = SLICE_LIT("2026-01-01T00:00:00Z"),
		.envelope = SLICE_LIT("{\"rid\":{\"msg_type\":\"Acknowledgement\",\"regions\":[\"our bay\"],"
		    "\"request_status\":{\"status\":\"Pending\"}}}") };
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(read_as(&format_rid, RID("Query", "</r:RIDPolicy>"), true, &adv), 0);
	assert_int_equal(format_rid.write(&job, mem, &b, &e), 0);
	assert_non_null(strstr(b.p, "MsgType=\"Acknowledgement\""));
	assert_non_null(strstr(b.p, "region=\"ext-value\" ext-region=\"our bay\""));
	assert_non_null(strstr(b.p, "AuthorizationStatus=\"Pending\""));
	strbuf_reset(&b);
	job.envelope = SLICE_LIT("{\"rid\":{\"msg_type\":\"Acknowledgement\"}}");
	assert_int_equal(format_rid.write(&job, mem, &b, &e), -1);
	job.envelope = SLICE_LIT("[]");
	assert_int_equal(format_rid.write(&job, mem, &b, &e), -1);
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_never_get_weaker),
		cmocka_unit_test(a_forged_part_does_not_count),
		cmocka_unit_test(a_stricter_part_counts),
		cmocka_unit_test(a_part_is_as_strict_as_what_is_in_it),
		cmocka_unit_test(a_word_in_brackets_is_checked),
		cmocka_unit_test(an_edit_in_v1_is_merged),
		cmocka_unit_test(verdicts_point_into_the_input),
		cmocka_unit_test(made_up_marks_in_json_are_data),
		cmocka_unit_test(a_record_keeps_its_label_in_json),
		cmocka_unit_test(flows_come_apart_and_together),
		cmocka_unit_test(a_policy_is_as_strict_as_the_document),
		cmocka_unit_test(an_envelope_may_be_empty),
		cmocka_unit_test(the_job_says_what_the_envelope_says),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
