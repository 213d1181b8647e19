/* If this fails, an advisory of a partner who speaks IODEF is read wrongly, shown to the wrong people, or
 * lost on its way home. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/iodef2.h"
#include "formats/pattern.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define HEAD	"<IODEF-Document version=\"2.00\" xml:lang=\"en\" xmlns=\"" IODEF2_NS "\" xmlns:ds=\""	\
		IODEF2_NS_DS "\" xmlns:enum=\"" IODEF2_NS_ENUM "\" xmlns:sci=\"" IODEF2_NS_SCI "\">"
#define DOC(list)	HEAD list "</IODEF-Document>"
#define ID	"<IncidentID name=\"csirt.example.com\">897923</IncidentID>"
#define TIME	"<GenerationTime>2026-02-03T04:05:06Z</GenerationTime>"
#define CREATOR	"<Contact role=\"creator\" type=\"organization\"><ContactName>CSIRT for example.com"	\
		"</ContactName><Email><EmailTo>contact@csirt.example.com</EmailTo></Email></Contact>"
#define INCIDENT_AS(attrs, before, after)	"<Incident " attrs ">" ID before TIME CREATOR after "</Incident>"
#define INCIDENT(after)	INCIDENT_AS("purpose=\"reporting\" restriction=\"amber\"", "", after)
#define WATCH(after)	INCIDENT_AS("purpose=\"watch\" restriction=\"green\"", "", after)
#define INDICATOR(id, content)	"<Indicator><IndicatorID name=\"csirt.example.com\" version=\"1\">" id	\
		"</IndicatorID>" content "</Indicator>"
#define SEEN(content)	WATCH("<IndicatorData>" INDICATOR("i1", "<Observable>" content "</Observable>") \
		"</IndicatorData>")
#define ADDR(kind, value)	"<Address category=\"" kind "\">" value "</Address>"
#define FLOW(inside)	"<Flow><System category=\"source\"" inside "<Node>" ADDR("ipv4-addr", "192.0.2.7") \
		"</Node></System></Flow>"

/* One reading, kept in the arena of the test. */
struct reading {
	struct advisory	adv;
	struct loss	loss;
	struct err	e;
	int		rc;
};

static struct reading *
read_as(const char *text, bool strict)
{
	struct reading *x = arena_alloc(mem, sizeof(*x));
	struct read_job job = { .in = slice_of(text), .input = "test.xml", .loss = &x->loss,
		.received = SLICE_LIT("2026-11-21T10:00:00Z"), .strict = strict };

	loss_init(&x->loss, mem);
	x->rc = iodef2_read(&job, mem, &x->adv, &x->e);
	return x;
}

static struct reading *
read_doc(const char *text)
{
	struct reading *x = read_as(text, false);

	if (x->rc < 0)
		fail_msg("%s: %s", text, x->e.reason);
	return x;
}

/* The only object of that type; NULL if there is none. */
static struct object *
find(struct reading *x, const char *type)
{
	struct object *found = NULL;

	for (size_t i = 0; i < x->adv.n; i++) {
		if (!slice_is(x->adv.objects[i].type, type))
			continue;
		assert_null(found);
		found = &x->adv.objects[i];
	}
	return found;
}

static struct object *
must_find(struct reading *x, const char *type)
{
	struct object *o = find(x, type);

	if (o == NULL)
		fail_msg("no %s", type);
	return o;
}

static struct object *
find_named(struct reading *x, const char *type, const char *name)
{
	for (size_t i = 0; i < x->adv.n; i++) {
		struct object *o = &x->adv.objects[i];

		if (slice_is(o->type, type) && slice_is(json_member(o->tree, "name"), name))
			return o;
	}
	fail_msg("no %s named %s", type, name);
	return NULL;
}

static size_t
count(struct reading *x, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < x->adv.n; i++)
		n += slice_is(x->adv.objects[i].type, type) ? 1 : 0;
	return n;
}

static void
assert_member(const struct object *o, const char *name, const char *value)
{
	assert_string_equal(json_member(o->tree, name).p, value);
}

static void
assert_json(const struct object *o, const char *name, const char *value)
{
	struct strbuf b = STRBUF_INIT;

	assert_non_null(json_get(o->tree, name));
	json_print(&b, json_get(o->tree, name));
	assert_string_equal(b.p, value);
	strbuf_fini(&b);
}

static bool
has_verdict(const struct reading *x, enum verdict_kind kind, const char *code)
{
	for (size_t i = 0; i < x->adv.nverdicts; i++) {
		if (x->adv.verdicts[i].kind == kind && strcmp(x->adv.verdicts[i].code, code) == 0)
			return true;
	}
	return false;
}

/* Ids are part of the federation's contract: every node that converts gives the same. */
static void
ids_are_those_of_the_contract(void **state)
{
	struct reading *x = read_doc(DOC(WATCH("<IndicatorData>"
	    INDICATOR("G90823490", "<Observable>" ADDR("ipv4-addr", "192.0.2.1") "</Observable>")
	    "</IndicatorData>")));

	(void)state;
	assert_string_equal(must_find(x, "report")->id.p, "report--5687ce26-f77c-5aa6-a389-2f275ec2b48a");
	assert_string_equal(must_find(x, "indicator")->id.p,
	    "indicator--bb9ec25f-06c6-5a94-a681-a59405981997");
	assert_string_equal(must_find(x, "identity")->id.p,
	    "identity--a77ae337-27fc-543b-a884-108c1614f41d");
	assert_null(find(x, "incident"));
	for (size_t i = 0; i < x->adv.n; i++)
		assert_true((x->adv.objects[i].flags & OBJECT_MINTED) != 0 ||
		    slice_is(x->adv.objects[i].type, "marking-definition") ||
		    slice_is(x->adv.objects[i].type, "extension-definition"));
}

static void
given_stix_ids_are_kept(void **state)
{
	struct reading *x = read_doc(DOC(WATCH("<IndicatorData>"
	    INDICATOR("indicator--0f2f4a0e-7b5e-4b6a-9d53-5c0fbd0d1c11",
	    "<Observable>" ADDR("ipv4-addr", "192.0.2.1") "</Observable>") "</IndicatorData>")));

	(void)state;
	assert_string_equal(must_find(x, "indicator")->id.p,
	    "indicator--0f2f4a0e-7b5e-4b6a-9d53-5c0fbd0d1c11");
}

static void
an_incident_is_a_report_and_a_case(void **state)
{
	struct reading *x = read_doc(DOC(INCIDENT_AS("purpose=\"mitigation\" status=\"new\" "
	    "restriction=\"white\"", "<ReportTime>2026-02-01T01:00:00.5+01:00</ReportTime>",
	    "<Description>  First\n line </Description><Description>Second</Description>"
	    "<Assessment><IncidentCategory>phishing</IncidentCategory><SystemImpact type=\"policy\"/>"
	    "<Confidence rating=\"numeric\">0.75</Confidence></Assessment>")));
	struct object *report = must_find(x, "report"), *incident = must_find(x, "incident");

	(void)state;
	assert_member(report, "name", "First line");
	assert_member(report, "description", "First\n line\n\nSecond");
	assert_member(report, "published", "2026-02-01T00:00:00.5Z");
	assert_member(report, "modified", "2026-02-03T04:05:06.000Z");
	assert_json(report, "labels", "[\"iodef-purpose:mitigation\",\"iodef-status:new\"]");
	assert_json(incident, "labels", "[\"iodef-purpose:mitigation\",\"iodef-status:new\","
	    "\"iodef-category:phishing\",\"iodef-impact:policy\"]");
	assert_json(report, "confidence", "75");
	assert_json(incident, "confidence", "75");
	assert_json(report, "external_references",
	    "[{\"source_name\":\"iodef:csirt.example.com\",\"external_id\":\"897923\"}]");
	assert_int_equal(report->tlp, TLP_CLEAR);
}

/* Every word of the restriction vocabulary, as the rulings read it. */
static void
restrictions_become_labels(void **state)
{
	static const struct { const char *attrs; enum tlp tlp; enum label_case label; } rows[] = {
		{ "restriction=\"public\"", TLP_CLEAR, LABEL_TLP },
		{ "restriction=\"white\"", TLP_CLEAR, LABEL_TLP },
		{ "restriction=\"partner\"", TLP_GREEN, LABEL_TLP },
		{ "restriction=\"green\"", TLP_GREEN, LABEL_TLP },
		{ "restriction=\"amber\"", TLP_AMBER, LABEL_TLP },
		{ "restriction=\"need-to-know\"", TLP_AMBER_STRICT, LABEL_TLP },
		{ "restriction=\"private\"", TLP_RED, LABEL_TLP },
		{ "restriction=\"red\"", TLP_RED, LABEL_TLP },
		{ "restriction=\"default\"", TLP_UNSET, LABEL_ABSENT },
		{ "", TLP_RED, LABEL_IODEF_ABSENT },
		{ "restriction=\"ext-value\" ext-restriction=\"amber+strict\"", TLP_AMBER_STRICT, LABEL_TLP },
		{ "restriction=\"ext-value\" ext-restriction=\"friends\"", TLP_RED, LABEL_UNREADABLE },
		{ "restriction=\"purple\"", TLP_RED, LABEL_UNREADABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct reading *x = read_doc(arena_fmt(mem, DOC("<Incident purpose=\"other\" %s>" ID TIME
		    CREATOR "</Incident>"), rows[i].attrs));
		struct object *report = must_find(x, "report");

		if (report->tlp != rows[i].tlp || report->label != rows[i].label)
			fail_msg("%s: %s, case %d", rows[i].attrs, tlp_word(report->tlp), report->label);
		assert_int_equal(must_find(x, "incident")->tlp, rows[i].tlp);
		assert_int_equal(must_find(x, "identity")->tlp, rows[i].tlp);
	}
}

static void
amber_can_be_read_strictly(void **state)
{
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;
	struct read_job job = { .in = slice_of(DOC(INCIDENT(""))), .received = SLICE_LIT("2026-11-21T10:00:00Z"),
		.iodef_amber_strict = true };

	(void)state;
	assert_int_equal(iodef2_read(&job, mem, &adv, &e), 0);
	for (size_t i = 0; i < adv.n; i++) {
		if (slice_is(adv.objects[i].type, "report"))
			assert_int_equal(adv.objects[i].tlp, TLP_AMBER_STRICT);
	}
}

/* What a stricter part says must never stand in an object with a laxer label. */
static void
strict_parts_do_not_leak(void **state)
{
	static const char *const parts[] = {
		"<RelatedActivity restriction=\"red\"><URL>https://x.example/SECRET</URL></RelatedActivity>",
		"<RelatedActivity><ThreatActor restriction=\"red\"><ThreatActorID>SECRET</ThreatActorID>"
		"</ThreatActor></RelatedActivity>",
		"<RelatedActivity><Campaign><CampaignID>C</CampaignID><AdditionalData dtype=\"string\" "
		"restriction=\"red\">SECRET</AdditionalData></Campaign></RelatedActivity>",
		"<AlternativeID><IncidentID name=\"x.example\" restriction=\"private\">SECRET</IncidentID>"
		"</AlternativeID>",
		"<Discovery restriction=\"private\"><Description>SECRET</Description></Discovery>",
		"<Discovery><DetectionPattern restriction=\"private\"><Application><Description>yara"
		"</Description></Application><DetectionConfiguration>SECRET</DetectionConfiguration>"
		"</DetectionPattern></Discovery>",
		"<Assessment restriction=\"private\"><IncidentCategory>SECRET</IncidentCategory></Assessment>",
		"<Method restriction=\"private\"><Description>malware: SECRET</Description></Method>",
		"<Contact role=\"victim\" type=\"person\" restriction=\"red\"><ContactName>SECRET</ContactName>"
		"</Contact>",
		"<Contact role=\"tech\" type=\"person\"><ContactName>a</ContactName><Contact role=\"tech\" "
		"type=\"person\" restriction=\"red\"><ContactName>SECRET</ContactName></Contact></Contact>",
		"<EventData><Contact role=\"tech\" type=\"person\" restriction=\"red\"><ContactName>SECRET"
		"</ContactName></Contact>" FLOW(">") "</EventData>",
		"<EventData restriction=\"red\"><Description>SECRET</Description></EventData>",
		"<EventData restriction=\"red\"><Description>SECRET</Description>" FLOW(">") "</EventData>",
		"<EventData>" FLOW(">") "<Flow><System restriction=\"red\"><Node><Address category=\"site-uri\">"
		"https://secret.example/SECRET</Address></Node></System></Flow></EventData>",
		"<EventData><Record><RecordData><FileData><File><FileName>f</FileName></File></FileData>"
		"</RecordData></Record></EventData><EventData restriction=\"red\"><Record><RecordData><FileData>"
		"<File><FileName>f</FileName><FileType>SECRET/x</FileType></File></FileData></RecordData></Record>"
		"</EventData>",
		"<EventData restriction=\"red\"><Record><RecordData><FileData><File><FileName>f</FileName>"
		"<FileType>SECRET/x</FileType></File></FileData></RecordData></Record></EventData><EventData>"
		"<Record><RecordData><FileData><File><FileName>f</FileName></File></FileData></RecordData></Record>"
		"</EventData>",
		"<EventData><Record restriction=\"private\"><RecordData><Description>SECRET</Description>"
		"<RecordItem dtype=\"string\">x</RecordItem></RecordData></Record></EventData>",
		"<EventData><Record><RecordData><FileData restriction=\"private\"><File><FileName>SECRET"
		"</FileName></File></FileData></RecordData></Record>" FLOW(">") "</EventData>",
		"<EventData><Expectation action=\"other\" restriction=\"red\"><Description>SECRET</Description>"
		"</Expectation></EventData>",
		"<EventData>" FLOW(">") "<EventData restriction=\"red\"><Description>SECRET</Description>" FLOW(">")
		"</EventData></EventData>",
		"<EventData><AdditionalData dtype=\"string\" restriction=\"red\">SECRET</AdditionalData></EventData>",
		"<IndicatorData><Indicator restriction=\"red\"><IndicatorID name=\"a.example\" version=\"1\">i"
		"</IndicatorID><Observable>" ADDR("site-uri", "https://a.example/SECRET") "</Observable></Indicator>"
		"</IndicatorData>",
		"<IndicatorData><Indicator><IndicatorID name=\"a.example\" version=\"1\">i</IndicatorID>"
		"<Observable restriction=\"red\">" ADDR("site-uri", "https://a.example/SECRET") "</Observable>"
		"</Indicator></IndicatorData>",
		/* kept as XML only */
		"<IndicatorData><Indicator restriction=\"red\"><IndicatorID name=\"a.example\" version=\"1\">"
		"SECRET</IndicatorID><ObservableReference uid-ref=\"nothing\"/></Indicator></IndicatorData>",
		/* a lax reference to a strict thing */
		"<EventData restriction=\"red\"><Flow><System observable-id=\"s\"><Node><DomainData><Name>"
		"SECRET.example</Name></DomainData></Node></System></Flow></EventData><IndicatorData>"
		INDICATOR("i", "<ObservableReference uid-ref=\"s\"/>") "</IndicatorData>",
		"<IndicatorData><Indicator restriction=\"red\"><IndicatorID name=\"a.example\" version=\"1\">i"
		"</IndicatorID><Observable>" ADDR("site-uri", "https://a.example/SECRET") "</Observable></Indicator>"
		INDICATOR("k", "<IndicatorReference uid-ref=\"i\"/>") "</IndicatorData>",
		"<History restriction=\"red\"><HistoryItem action=\"other\"><DateTime>2026-01-01T00:00:00Z"
		"</DateTime><Description>SECRET</Description></HistoryItem></History>",
		"<History><HistoryItem action=\"other\"><DateTime>2026-01-01T00:00:00Z</DateTime>"
		"<Contact role=\"tech\" type=\"person\" restriction=\"red\"><ContactName>SECRET</ContactName>"
		"</Contact></HistoryItem></History>",
		"<AdditionalData dtype=\"string\" restriction=\"red\">SECRET</AdditionalData>",
		"<AdditionalData dtype=\"string\" restriction=\"ext-value\" ext-restriction=\"x\">SECRET"
		"</AdditionalData>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const char *before = strstr(parts[i], "<RelatedActivity") == parts[i] ||
		    strstr(parts[i], "<AlternativeID") == parts[i] ? parts[i] : "";
		struct reading *x = read_doc(arena_fmt(mem, DOC("<Incident purpose=\"reporting\" "
		    "restriction=\"green\">" ID "%s" TIME "%s" CREATOR "%s</Incident>"), before, "",
		    *before != '\0' ? "" : parts[i]));
		size_t seen = 0;

		for (size_t k = 0; k < x->adv.n; k++) {
			const struct object *o = &x->adv.objects[k];

			if (memmem(o->bytes.p, o->bytes.n, "SECRET", 6) == NULL)
				continue;
			seen++;
			if (o->tlp != TLP_RED)
				fail_msg("%s stands in a %s %s", parts[i], tlp_word(o->tlp), o->type.p);
		}
		if (seen == 0)
			fail_msg("lost: %s", parts[i]);
	}
}

/* One contact in two Incidents: what is free in one is free; what only the stricter one says is not. */
static void
objects_of_two_incidents_are_joined(void **state)
{
#define TWO(attrs, more)	"<Incident purpose=\"other\" restriction=\"green\">" ID TIME CREATOR		\
	"</Incident><Incident purpose=\"other\" restriction=\"amber\"><IncidentID name=\"csirt.example.com\">"	\
	"2</IncidentID>" TIME "<Contact role=\"creator\" type=\"organization\"" attrs "><ContactName>CSIRT "	\
	"for example.com</ContactName>" more "<Email><EmailTo>contact@csirt.example.com</EmailTo></Email>"	\
	"</Contact></Incident>"
	struct reading *same = read_doc(DOC(TWO("", "")));
	struct reading *more = read_doc(DOC(TWO(" restriction=\"red\"", "<ContactTitle>SECRET</ContactTitle>")));

	(void)state;
	assert_int_equal(must_find(same, "identity")->tlp, TLP_GREEN);
	for (size_t i = 0; i < more->adv.n; i++) {
		if (strstr(more->adv.objects[i].bytes.p, "SECRET") != NULL)
			assert_int_equal(more->adv.objects[i].tlp, TLP_RED);
	}
	assert_int_equal(must_find(more, "identity")->tlp, TLP_RED);
}

/* The laxer parts keep their laxer label: an AMBER case may hold a CLEAR indicator. */
static void
lax_parts_stay_lax(void **state)
{
	struct reading *x = read_doc(DOC(INCIDENT("<IndicatorData><Indicator restriction=\"white\">"
	    "<IndicatorID name=\"a.example\" version=\"1\">i</IndicatorID><Observable>"
	    ADDR("ipv4-addr", "192.0.2.1") "</Observable></Indicator></IndicatorData>")));

	(void)state;
	assert_int_equal(must_find(x, "indicator")->tlp, TLP_CLEAR);
	assert_int_equal(must_find(x, "report")->tlp, TLP_AMBER);
}

/* Observables and the pattern each gives; NULL pattern: kept as XML (x-iodef); "-": no indicator. */
static void
observables_become_patterns(void **state)
{
	static const struct { const char *xml, *pattern; } rows[] = {
		{ ADDR("ipv4-addr", " 192.0.2.1 "), "[ipv4-addr:value = '192.0.2.1']" },
		{ ADDR("ipv4-net", "192.0.2.0/24"), "[ipv4-addr:value ISSUBSET '192.0.2.0/24']" },
		{ ADDR("ipv4-net-mask", "192.0.2.0/255.255.255.128"),
		  "[ipv4-addr:value ISSUBSET '192.0.2.0/25']" },
		{ ADDR("ipv4-net-mask", "192.0.2.0/255.0.255.0"), NULL },
		{ ADDR("ipv4-net-masked", "192.0.2.x/24"), NULL },
		{ ADDR("ipv4-addr", "192.0.2.300"), "-" },
		{ "<Address>2001:db8::1</Address>", "[ipv6-addr:value = '2001:db8::1']" },
		{ ADDR("e-mail", "a@b.example"), "[email-addr:value = 'a@b.example']" },
		{ ADDR("mac", "D2-FB-49-24-37-18"), "[mac-addr:value = 'd2:fb:49:24:37:18']" },
		{ ADDR("asn", "AS64496"), "[autonomous-system:number = 64496]" },
		{ ADDR("site-uri", "https://a.example/x?y='1'\\"),
		  "[url:value = 'https://a.example/x?y=\\'1\\'\\\\']" },
		{ "<DomainData system-status=\"unknown\"><Name>a.example</Name></DomainData>",
		  "[domain-name:value = 'a.example']" },
		{ "<System><Node>" ADDR("ipv4-addr", "192.0.2.1") "</Node></System>",
		  "[ipv4-addr:value = '192.0.2.1']" },
		{ "<System category=\"source\"><Node>" ADDR("ipv4-addr", "192.0.2.1") "</Node><Service "
		  "ip-protocol=\"6\"><Portlist>25,110-112</Portlist></Service></System>",
		  "[network-traffic:src_ref.value = '192.0.2.1' AND (network-traffic:src_port = 25 OR "
		  "network-traffic:src_port >= 110 AND network-traffic:src_port <= 112) AND "
		  "network-traffic:protocols[*] = 'tcp']" },
		{ "<System><Node><DomainData><Name>a.example</Name></DomainData>"
		  ADDR("ipv4-addr", "192.0.2.1") "</Node></System>", "[domain-name:value = 'a.example' AND "
		  "domain-name:resolves_to_refs[*].value = '192.0.2.1']" },
		{ "<Service ip-protocol=\"17\"><ServiceName><IANAService>DNS</IANAService></ServiceName>"
		  "<Port>53</Port></Service>", "[network-traffic:dst_port = 53 AND "
		  "network-traffic:protocols[*] = 'udp' AND network-traffic:protocols[*] = 'dns']" },
		{ "<EmailData><EmailTo>v@a.example</EmailTo><EmailFrom>x@a.example</EmailFrom><EmailSubject>"
		  "Hi</EmailSubject><EmailX-Mailer>m</EmailX-Mailer><EmailHeaderField dtype=\"string\" "
		  "name=\"Reply-To\">r@a.example</EmailHeaderField></EmailData>",
		  "[email-message:to_refs[*].value = 'v@a.example' AND email-message:from_ref.value = "
		  "'x@a.example' AND email-message:subject = 'Hi' AND "
		  "email-message:additional_header_fields.'X-Mailer' = 'm' AND "
		  "email-message:additional_header_fields.'Reply-To' = 'r@a.example']" },
		{ "<FileData><File><FileName>C:\\t\\a.exe</FileName><FileSize>7</FileSize><FileType>x/y"
		  "</FileType><HashData scope=\"file-contents\"><Hash><ds:DigestMethod Algorithm=\""
		  "http://www.w3.org/2001/04/xmldsig-more#md5\"/><ds:DigestValue>1B2M2Y8AsgTpgAmY7PhCfg=="
		  "</ds:DigestValue></Hash></HashData><FileProperties dtype=\"path\" name=\"path\">C:\\t"
		  "</FileProperties></File></FileData>",
		  "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' AND "
		  "file:parent_directory_ref.path = 'C:\\\\t' AND file:name = 'a.exe' AND file:size = 7 AND "
		  "file:mime_type = 'x/y']" },
		/* hex instead of base64, as met in the wild */
		{ "<FileData><File><HashData scope=\"file-contents\"><Hash><ds:DigestMethod Algorithm=\""
		  "http://www.w3.org/2000/09/xmldsig#sha1\"/><ds:DigestValue>"
		  "da39a3ee5e6b4b0d3255bfef95601890afd80709</ds:DigestValue></Hash></HashData></File>"
		  "</FileData>", "[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']" },
		{ "<WindowsRegistryKeysModified><Key><KeyName>HKEY_CURRENT_USER\\a</KeyName><Value>1</Value>"
		  "</Key></WindowsRegistryKeysModified>", "[windows-registry-key:key = "
		  "'HKEY_CURRENT_USER\\\\a' AND windows-registry-key:values[*].data = '1']" },
		{ "<CertificateData><Certificate><ds:X509Data><ds:X509SubjectName>CN=e</ds:X509SubjectName>"
		  "</ds:X509Data></Certificate></CertificateData>", "[x509-certificate:subject = 'CN=e']" },
		{ "<BulkObservable type=\"fqdn\"><BulkObservableList>\r\n a.example \r\n\n b.example"
		  "</BulkObservableList></BulkObservable>",
		  "[domain-name:value = 'a.example' OR domain-name:value = 'b.example']" },
		{ "<BulkObservable type=\"ipv4-addr\"><BulkObservableList>192.0.2.1\nno address\n192.0.2.2"
		  "</BulkObservableList></BulkObservable>",
		  "[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value = '192.0.2.2']" },
		{ "<BulkObservable type=\"file-hash\"><BulkObservableList>"
		  "d41d8cd98f00b204e9800998ecf8427e\nda39a3ee5e6b4b0d3255bfef95601890afd80709"
		  "</BulkObservableList></BulkObservable>",
		  "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' OR file:hashes.'SHA-1' = "
		  "'da39a3ee5e6b4b0d3255bfef95601890afd80709']" },
		{ "<BulkObservable type=\"ipv4-port\"><BulkObservableList>192.0.2.1, 443, TCP"
		  "</BulkObservableList></BulkObservable>", "[network-traffic:dst_ref.value = '192.0.2.1' AND "
		  "network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']" },
		{ "<BulkObservable type=\"domain-to-ipv6\"><BulkObservableList>a.example,2001:db8::1"
		  "</BulkObservableList></BulkObservable>", "[domain-name:value = 'a.example' AND "
		  "domain-name:resolves_to_refs[*].value = '2001:db8::1']" },
		{ "<BulkObservable type=\"mutex\"><BulkObservableList>m</BulkObservableList></BulkObservable>",
		  "[mutex:name = 'm']" },
		{ "<BulkObservable type=\"mutex\"><BulkObservableList> </BulkObservableList></BulkObservable>",
		  "-" },
		{ "<RegistryHandle registry=\"ripe\">X</RegistryHandle>", NULL },
		{ "<AdditionalData dtype=\"string\" name=\"ja3\">e7d7</AdditionalData>", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct reading *x = read_doc(arena_fmt(mem, DOC(SEEN("%s")), rows[i].xml));
		struct object *o = find(x, "indicator");
		const char *pattern = o == NULL ? "-" : json_member(o->tree, "pattern").p;

		if (rows[i].pattern == NULL) {
			assert_member(o, "pattern_type", "x-iodef");
			assert_non_null(strstr(pattern, "<Observable"));
		} else if (strcmp(pattern, rows[i].pattern) != 0) {
			fail_msg("%s:\n%s, not\n%s", rows[i].xml, pattern, rows[i].pattern);
		}
	}
}

static void
expressions_become_patterns(void **state)
{
#define A(value)	"<Observable>" ADDR("ipv4-addr", value) "</Observable>"
#define F(value)	"<Observable><FileData><File><FileName>" value "</FileName></File></FileData></Observable>"
	static const struct { const char *xml, *pattern; } rows[] = {
		{ "<IndicatorExpression>" F("a") "<Observable><FileData><File><FileSize>1</FileSize></File>"
		  "</FileData></Observable></IndicatorExpression>", "[file:name = 'a' AND file:size = 1]" },
		{ "<IndicatorExpression operator=\"and\">" F("a") A("192.0.2.1") "</IndicatorExpression>",
		  "[file:name = 'a'] AND [ipv4-addr:value = '192.0.2.1']" },
		{ "<IndicatorExpression operator=\"or\">" F("a") A("192.0.2.1") "</IndicatorExpression>",
		  "[file:name = 'a' OR ipv4-addr:value = '192.0.2.1']" },
		{ "<IndicatorExpression operator=\"not\">" F("a") "</IndicatorExpression>",
		  "[file:name != 'a']" },
		{ "<IndicatorExpression operator=\"not\"><IndicatorExpression operator=\"or\">" F("a") F("b")
		  "</IndicatorExpression></IndicatorExpression>",
		  "[file:name != 'a' AND file:name != 'b']" },
		{ "<IndicatorExpression operator=\"not\"><IndicatorExpression operator=\"or\">" F("a")
		  A("192.0.2.1") "</IndicatorExpression></IndicatorExpression>", NULL },
		{ "<IndicatorExpression operator=\"xor\">" F("a") F("b") "</IndicatorExpression>",
		  "[file:name = 'a' AND file:name != 'b' OR file:name != 'a' AND file:name = 'b']" },
		{ "<IndicatorExpression operator=\"xor\">" F("a") A("192.0.2.1") "</IndicatorExpression>", NULL },
		{ "<IndicatorExpression ext-operator=\"x\">" F("a") "</IndicatorExpression>", NULL },
		{ "<IndicatorReference uid-ref=\"other\"/>", "[ipv4-addr:value = '192.0.2.99']" },
		{ "<IndicatorExpression operator=\"or\"><IndicatorReference uid-ref=\"other\"/>" F("a")
		  "</IndicatorExpression>", "[ipv4-addr:value = '192.0.2.99' OR file:name = 'a']" },
		{ "<IndicatorReference uid-ref=\"self\"/>", NULL },
		{ "<IndicatorReference euid-ref=\"elsewhere\" version=\"1\"/>", NULL },
		{ "<ObservableReference uid-ref=\"none\"/>", "-" },
		{ "<IndicatorExpression/>", "-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct reading *x = read_doc(arena_fmt(mem, DOC(WATCH("<IndicatorData>"
		    INDICATOR("other", A("192.0.2.99")) INDICATOR("self", "<Description>this</Description>%s")
		    "</IndicatorData>")), rows[i].xml));
		struct object *o = count(x, "indicator") == 1 ? NULL : find_named(x, "indicator", "this");
		const char *pattern = o == NULL ? "-" : json_member(o->tree, "pattern").p;

		if (rows[i].pattern == NULL)
			assert_member(o, "pattern_type", "x-iodef");
		else if (strcmp(pattern, rows[i].pattern) != 0)
			fail_msg("%s:\n%s, not\n%s", rows[i].xml, pattern, rows[i].pattern);
	}
}

static void
indicators_carry_their_facts(void **state)
{
	struct reading *x = read_doc(DOC(WATCH("<IndicatorData><Indicator><IndicatorID name=\"n.example\" "
	    "version=\"3\">i9</IndicatorID><Description>C2</Description><StartTime>2026-01-01T01:00:00+01:00"
	    "</StartTime><EndTime>2027-01-01T00:00:00Z</EndTime><Confidence rating=\"high\"/>"
	    "<Contact role=\"creator\" type=\"person\"><ContactName>Ana</ContactName></Contact>"
	    "<Observable>" ADDR("ipv4-addr", "192.0.2.1") "</Observable><NodeRole category=\"c2-server\"/>"
	    "<AttackPhase><AttackPhaseID>lockheed-martin-cyber-kill-chain:delivery</AttackPhaseID>"
	    "<AttackPhaseID>x</AttackPhaseID></AttackPhase><Reference><URL>https://r.example/</URL></Reference>"
	    "</Indicator></IndicatorData>")));
	struct object *o = must_find(x, "indicator");

	(void)state;
	assert_member(o, "valid_from", "2026-01-01T00:00:00Z");
	assert_member(o, "valid_until", "2027-01-01T00:00:00Z");
	assert_json(o, "confidence", "85");
	assert_string_equal(o->created_by.p, find_named(x, "identity", "Ana")->id.p);
	assert_json(o, "indicator_types", "[\"malicious-activity\"]");
	assert_json(o, "labels", "[\"iodef-noderole:c2-server\"]");
	assert_json(o, "kill_chain_phases", "[{\"kill_chain_name\":\"lockheed-martin-cyber-kill-chain\","
	    "\"phase_name\":\"delivery\"},{\"kill_chain_name\":\"iodef\",\"phase_name\":\"x\"}]");
	assert_json(o, "external_references", "[{\"source_name\":\"iodef-indicator:n.example\","
	    "\"description\":\"version 3\",\"external_id\":\"i9\"},{\"source_name\":\"iodef\","
	    "\"url\":\"https://r.example/\"}]");
}

static void
an_end_before_the_start_is_not_used(void **state)
{
	struct reading *x = read_doc(DOC(WATCH("<IndicatorData><Indicator><IndicatorID name=\"n.example\" "
	    "version=\"1\">i</IndicatorID><StartTime>2026-01-01T00:00:00Z</StartTime><EndTime>"
	    "2026-01-01T00:00:00.000Z</EndTime>" A("192.0.2.1") "</Indicator></IndicatorData>")));

	(void)state;
	assert_null(json_get(must_find(x, "indicator")->tree, "valid_until"));
	assert_true(has_verdict(x, VERDICT_WARNED, "TIME_ORDER"));
}

static void
methods_become_what_they_name(void **state)
{
	struct reading *x = read_doc(DOC(INCIDENT("<Method><Reference><enum:ReferenceName specIndex=\"1\">"
	    "<enum:ID>CVE-2024-3094</enum:ID></enum:ReferenceName></Reference><Reference><URL>"
	    "https://attack.mitre.org/techniques/T1566/001/</URL></Reference><Reference><URL>"
	    "https://blog.example/</URL></Reference><Description>malware: Dropper</Description>"
	    "<Description>tool: nmap</Description><Description>Guessing</Description>"
	    "<sci:AttackPattern SpecID=\"x\" AttackPatternID=\"CAPEC-163\"/>"
	    "<sci:Vulnerability SpecID=\"x\" VulnerabilityID=\"CVE-2024-3094\"/>"
	    "<sci:Weakness SpecID=\"x\" WeaknessID=\"CWE-506\"/></Method>")));

	(void)state;
	assert_json(find_named(x, "vulnerability", "CVE-2024-3094"), "external_references",
	    "[{\"source_name\":\"cve\",\"external_id\":\"CVE-2024-3094\"},{\"source_name\":\"cwe\","
	    "\"external_id\":\"CWE-506\"}]");
	assert_json(find_named(x, "attack-pattern", "T1566.001"), "external_references",
	    "[{\"source_name\":\"mitre-attack\",\"url\":\"https://attack.mitre.org/techniques/T1566/001/\","
	    "\"external_id\":\"T1566.001\"}]");
	find_named(x, "attack-pattern", "CAPEC-163");
	find_named(x, "attack-pattern", "Guessing");
	assert_json(find_named(x, "malware", "Dropper"), "is_family", "false");
	find_named(x, "tool", "nmap");
	assert_non_null(strstr(must_find(x, "report")->bytes.p, "https://blog.example/"));
}

static void
flows_become_traffic(void **state)
{
	struct reading *x = read_doc(DOC(INCIDENT("<EventData><StartTime>2026-01-01T00:00:00Z</StartTime>"
	    "<Flow><System category=\"source\"><Node>" ADDR("ipv4-addr", "192.0.2.1") "</Node>"
	    "<Service ip-protocol=\"6\"><Portlist>1000,1001</Portlist></Service></System>"
	    "<System category=\"target\"><Node>" ADDR("ipv4-addr", "192.0.2.2") "</Node>"
	    "<Service ip-protocol=\"6\"><ServiceName><IANAService>http</IANAService></ServiceName>"
	    "<Portlist>80,81</Portlist></Service><Counter type=\"count\" unit=\"flow\">7</Counter></System>"
	    "</Flow></EventData>")));
	struct object *o = must_find(x, "observed-data");

	(void)state;
	assert_int_equal(count(x, "network-traffic"), 2);
	assert_int_equal(count(x, "ipv4-addr"), 2);
	assert_json(o, "number_observed", "7");
	assert_member(o, "first_observed", "2026-01-01T00:00:00Z");
	assert_int_equal(json_count(json_get(o->tree, "object_refs")), 4);
	for (size_t i = 0; i < x->adv.n; i++) {
		const struct object *t = &x->adv.objects[i];
		int64_t src, dst;

		if (!slice_is(t->type, "network-traffic"))
			continue;
		assert_true(json_int(json_get(t->tree, "src_port"), &src));
		assert_true(json_int(json_get(t->tree, "dst_port"), &dst));
		assert_int_equal(src - 1000, dst - 80);
		assert_json(t, "protocols", "[\"tcp\",\"http\"]");
	}
}

/* SCO ids are those that every STIX tool computes. */
static void
observables_have_the_ids_of_the_standard(void **state)
{
	struct reading *x = read_doc(DOC(INCIDENT("<EventData><Flow><System><Node>"
	    ADDR("ipv4-addr", "198.51.100.3") ADDR("mac", "d2:fb:49:24:37:18") ADDR("asn", "15139")
	    "</Node></System></Flow></EventData>")));

	(void)state;
	assert_string_equal(must_find(x, "ipv4-addr")->id.p, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
	assert_string_equal(must_find(x, "mac-addr")->id.p, "mac-addr--757b1725-9903-54f5-a855-1240691d7659");
	assert_string_equal(must_find(x, "autonomous-system")->id.p,
	    "autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff");
}

static void
translations_become_language_content(void **state)
{
	struct reading *x = read_doc(DOC(WATCH("<Description translation-id=\"d\">Hello</Description>"
	    "<Description translation-id=\"d\" xml:lang=\"de\">Guten Tag</Description>"
	    "<IndicatorData>" INDICATOR("i", A("192.0.2.1")) "</IndicatorData>")));

	(void)state;
	assert_member(must_find(x, "report"), "description", "Hello");
	assert_json(must_find(x, "language-content"), "contents",
	    "{\"de\":{\"name\":\"Guten Tag\",\"description\":\"Guten Tag\"}}");
}

/* One broken part never costs the others; strict mode refuses the Incident. */
static void
broken_parts_are_refused_alone(void **state)
{
	static const char doc[] = DOC(WATCH("<IndicatorData>" INDICATOR("good", A("192.0.2.1"))
	    INDICATOR("bad", "<EndTime>tomorrow</EndTime>" A("192.0.2.2")) "</IndicatorData>"));
	static const char two[] = DOC(WATCH("<IndicatorData>" INDICATOR("good", A("192.0.2.1"))
	    "</IndicatorData>") "<Incident purpose=\"watch\"><IncidentID name=\"x.example\">2</IncidentID>"
	    "<GenerationTime>never</GenerationTime>" CREATOR "</Incident>");
	struct reading *x = read_doc(doc), *y = read_doc(two), *z = read_as(doc, true);

	(void)state;
	assert_int_equal(count(x, "indicator"), 1);
	assert_int_equal(x->adv.nverdicts, 1);
	assert_int_equal(x->adv.verdicts[0].kind, VERDICT_REFUSED);
	assert_string_equal(x->adv.verdicts[0].err.path,
	    "Incident[1]/IndicatorData[1]/Indicator[2]/EndTime[1]");
	assert_non_null(memmem(x->adv.verdicts[0].text.p, x->adv.verdicts[0].text.n, "tomorrow", 8));
	assert_string_equal(x->adv.verdicts[0].err.input, "test.xml");
	/* refused text stands in quarantine, not in the residue of the others */
	for (size_t i = 0; i < x->adv.n; i++)
		assert_null(memmem(x->adv.objects[i].bytes.p, x->adv.objects[i].bytes.n, "tomorrow", 8));
	assert_int_equal(count(y, "report"), 1);
	assert_true(has_verdict(y, VERDICT_REFUSED, "INVALID"));
	assert_int_equal(z->rc, 0);
	assert_int_equal(count(z, "report"), 0);
	assert_true(has_verdict(z, VERDICT_REFUSED, "INVALID"));
}

/* Quarantine names the wrong Incident or Indicator when many are broken. */
static void
refused_parts_are_numbered(void **state)
{
#define BAD(id)	INDICATOR(id, "<EndTime>never</EndTime>" A("192.0.2.2"))
	static const char broken[] = "<Incident purpose=\"watch\"/>";
	static const size_t index[] = { 0, 1, 3, 4, 1, 2, 6 };
	struct strbuf doc = STRBUF_INIT;
	struct reading *x;

	(void)state;
	strbuf_addf(&doc, "%s%s %s%s%s%s%s%s</IODEF-Document>", HEAD, broken, broken,
	    WATCH("<IndicatorData>" INDICATOR("a", A("192.0.2.1")) "</IndicatorData>"), broken, broken,
	    "<Incident purpose=\"watch\"><IncidentID name=\"x.example\">2</IncidentID>" TIME CREATOR
	    "<IndicatorData>" INDICATOR("b", A("192.0.2.1")) BAD("c") BAD("d") "</IndicatorData></Incident>",
	    broken);
	x = read_doc(doc.p);
	assert_int_equal(count(x, "report"), 2);
	assert_int_equal(x->adv.nverdicts, COUNTOF(index));
	for (size_t i = 0; i < COUNTOF(index); i++)
		assert_int_equal(x->adv.verdicts[i].index, index[i]);
	strbuf_fini(&doc);
#undef BAD
}

/* Converting twice gives the same bytes: relays and dedup depend on it. */
static void
reading_twice_gives_the_same_bytes(void **state)
{
	static const char doc[] = DOC(INCIDENT("<EventData>" FLOW(">") "</EventData><IndicatorData>"
	    INDICATOR("i", A("192.0.2.1")) "</IndicatorData>"));
	struct reading *x = read_doc(doc), *y = read_doc(doc);

	(void)state;
	assert_string_equal(x->adv.id.p, y->adv.id.p);
	assert_int_equal(x->adv.n, y->adv.n);
	for (size_t i = 0; i < x->adv.n; i++)
		assert_true(slice_eq(x->adv.objects[i].bytes, y->adv.objects[i].bytes));
}

/* Leaves: attributes, runs of text, elements with nothing in them. */
static size_t
leaves(const struct xml_node *n)
{
	size_t count_here = n->first == NULL && n->attrs == NULL ? 1 : 0;

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		count_here++;
	for (const struct xml_node *k = n->first; k != NULL; k = k->next)
		count_here += xml_is_text(k) ? 1 : leaves(k);
	return count_here;
}

static void
assert_accounted(const char *text, const struct reading *x)
{
	struct xml_node *root;
	struct err e = ERR_INIT;

	assert_int_equal(xml_parse(slice_of(text), NULL, mem, &root, &e), 0);
	assert_int_equal(x->loss.count[LOSS_KEPT] + x->loss.count[LOSS_APPROXIMATED] +
	    x->loss.count[LOSS_MOVED] + x->loss.count[LOSS_DROPPED], leaves(root));
}

static void
every_leaf_is_accounted_for(void **state)
{
	static const char doc[] = DOC(INCIDENT("<Colour x=\"1\">red<b/></Colour><EventData>" FLOW(" spoofed=\"no\">")
	    "</EventData><IndicatorData>" INDICATOR("i", A("192.0.2.1")) INDICATOR("bad", "")
	    "</IndicatorData>"));
	struct reading *x = read_doc(doc);

	(void)state;
	assert_accounted(doc, x);
	assert_true(x->loss.count[LOSS_DROPPED] > 0);	/* the bad Indicator */
	assert_true(x->loss.count[LOSS_MOVED] > 0);	/* Colour, spoofed */
}

/* The residue holds what STIX cannot say, and cuts where other objects hold their own part. */
static void
residue_has_cuts(void **state)
{
	struct reading *x = read_doc(DOC(WATCH("<IndicatorData>" INDICATOR("i", A("192.0.2.1"))
	    "</IndicatorData><AdditionalData dtype=\"string\" name=\"n\">v</AdditionalData>")));
	struct object *report = must_find(x, "report"), *indicator = must_find(x, "indicator");
	json *r = iodef2_residue(report->tree), *i = iodef2_residue(indicator->tree);
	char hash[65];

	(void)state;
	assert_non_null(strstr(json_member(r, "xml").p, arena_fmt(mem, "<cut xmlns=\"" IODEF2_NS_CUT
	    "\" ref=\"%s\"/>", indicator->id.p)));
	assert_null(strstr(json_member(r, "xml").p, "192.0.2.1"));
	assert_string_equal(json_member(i, "in").p, report->id.p);
	assert_string_equal(json_member(i, "element").p, "Indicator");
	iodef2_object_hash(indicator->tree, hash);
	assert_string_equal(json_member(i, "sha256").p, hash);
	iodef2_object_hash(report->tree, hash);
	assert_string_equal(json_member(r, "sha256").p, hash);
	assert_non_null(strstr(report->bytes.p, "\"moved\":[\"AdditionalData[1]\"]"));
	must_find(x, "extension-definition");
}

static void
what_is_no_iodef_is_refused(void **state)
{
	static const struct { const char *text; enum err_code code; } rows[] = {
		{ "", ERR_SYNTAX },
		{ "<IODEF-Document xmlns=\"urn:ietf:params:xml:ns:iodef-1.0\" version=\"1.00\"/>", ERR_UNSUPPORTED },
		{ "<IODEF-Document xmlns=\"urn:example:x\" version=\"2.00\"/>", ERR_UNSUPPORTED },
		{ "<x/>", ERR_UNSUPPORTED },
		{ DOC(""), ERR_MISSING },
		{ "<IODEF-Document version=\"3\" xmlns=\"" IODEF2_NS "\"><Incident/></IODEF-Document>",
		  ERR_UNSUPPORTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct reading *x = read_as(rows[i].text, false);

		assert_int_equal(x->rc, -1);
		assert_int_equal(x->e.code, rows[i].code);
		assert_string_equal(x->e.input, "test.xml");
	}
}

/* A list that no pattern holds: several indicators, each of which parses, nothing lost; and home again. */
static void
long_lists_are_split(void **state)
{
	struct strbuf list = STRBUF_INIT;
	struct write_job job = { .received = SLICE_LIT("2026-01-01T00:00:00Z"), .csirt = "c.example" };
	struct strbuf home = STRBUF_INIT;
	struct xml_node *before, *after;
	struct reading *x;
	struct err e = ERR_INIT;
	const char *text;
	size_t indicators = 0, tests = 0;

	(void)state;
	for (int i = 0; i < 9000; i++)
		strbuf_addf(&list, "host-%05d.list.example\n", i);
	text = arena_fmt(mem, DOC(WATCH("<IndicatorData><Indicator><IndicatorID name=\"n.example\" "
	    "version=\"1\">L</IndicatorID><Observable><BulkObservable type=\"domain-name\">"
	    "<BulkObservableList>%s</BulkObservableList></BulkObservable></Observable></Indicator>"
	    "</IndicatorData>")), list.p);
	strbuf_fini(&list);
	x = read_doc(text);
	for (size_t i = 0; i < x->adv.n; i++) {
		if (!slice_is(x->adv.objects[i].type, "indicator"))
			continue;
		indicators++;
		assert_non_null(x->adv.objects[i].pattern);
		assert_true(x->adv.objects[i].has_fp);
		tests += x->adv.objects[i].pattern->kids[0]->nkids;
	}
	assert_int_equal(indicators, 2);
	assert_int_equal(tests, 9000);
	job.adv = &x->adv;
	assert_int_equal(format_iodef2.write(&job, mem, &home, &e), 0);
	assert_int_equal(xml_parse(slice_of(text), NULL, mem, &before, &e), 0);
	assert_int_equal(xml_parse(strbuf_slice(&home), NULL, mem, &after, &e), 0);
	assert_true(xml_equal(before, after));
	strbuf_fini(&home);
}

/* STIX wants to know the country: only an address that says it becomes a location. */
static void
addresses_with_a_country_become_locations(void **state)
{
	static const struct { const char *text; bool is; } rows[] = {
		{ "Quay 1$9000 Port$BE", true }, { "Quay 1$9000 Port$Belgium", false }, { "BE", false },
		{ "Quay 1$be", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct reading *x = read_doc(arena_fmt(mem, DOC("<Incident purpose=\"other\">" ID TIME
		    "<Contact role=\"creator\" type=\"person\"><ContactName>C</ContactName>"
		    "<PostalAddress><PAddress>%s</PAddress></PostalAddress></Contact></Incident>"),
		    rows[i].text));
		size_t places = 0;

		for (size_t k = 0; k < x->adv.n; k++) {
			if (!slice_is(x->adv.objects[k].type, "location"))
				continue;
			places++;
			assert_string_equal(json_str(json_get(x->adv.objects[k].tree, "country")), "BE");
			assert_string_equal(json_str(json_get(x->adv.objects[k].tree,
			    "street_address")), "Quay 1, 9000 Port");
		}
		assert_int_equal(places, rows[i].is ? 1 : 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_those_of_the_contract),
		cmocka_unit_test(given_stix_ids_are_kept),
		cmocka_unit_test(an_incident_is_a_report_and_a_case),
		cmocka_unit_test(restrictions_become_labels),
		cmocka_unit_test(amber_can_be_read_strictly),
		cmocka_unit_test(strict_parts_do_not_leak),
		cmocka_unit_test(objects_of_two_incidents_are_joined),
		cmocka_unit_test(lax_parts_stay_lax),
		cmocka_unit_test(observables_become_patterns),
		cmocka_unit_test(expressions_become_patterns),
		cmocka_unit_test(indicators_carry_their_facts),
		cmocka_unit_test(an_end_before_the_start_is_not_used),
		cmocka_unit_test(methods_become_what_they_name),
		cmocka_unit_test(flows_become_traffic),
		cmocka_unit_test(observables_have_the_ids_of_the_standard),
		cmocka_unit_test(translations_become_language_content),
		cmocka_unit_test(broken_parts_are_refused_alone),
		cmocka_unit_test(refused_parts_are_numbered),
		cmocka_unit_test(reading_twice_gives_the_same_bytes),
		cmocka_unit_test(every_leaf_is_accounted_for),
		cmocka_unit_test(residue_has_cuts),
		cmocka_unit_test(what_is_no_iodef_is_refused),
		cmocka_unit_test(long_lists_are_split),
		cmocka_unit_test(addresses_with_a_country_become_locations),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
