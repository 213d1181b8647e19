/* If this fails, the same indicator from two partners' formats counts as two: it is sent twice, and nobody sees
 * that both have seen it.
 *
 * One value of a kind, spelled as each format's users spell it, must come to one fingerprint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "formats/mapped.h"
#include "gateway/base/codec.h"
#include "tests/unit/chain_kit.h"

enum { IP, DOMAIN, URL, HASH, MAIL, KINDS };

#define STIX(version, pattern)											\
	"{\"type\":\"bundle\",\"id\":\"bundle--0a1b2c3d-ffff-4000-8000-0000000000ff\"" version ",\"objects\":[{"		\
	"\"type\":\"indicator\",\"id\":\"indicator--0a1b2c3d-0002-4000-8000-000000000002\","				\
	"\"created\":\"2026-03-01T08:00:00.000Z\",\"modified\":\"2026-03-02T08:00:00.000Z\","				\
	"\"valid_from\":\"2026-03-01T08:00:00Z\"," pattern "}]}"
#define STIX21(pattern)	STIX("", "\"spec_version\":\"2.1\",\"pattern_type\":\"stix\",\"pattern\":\"" pattern "\"")
#define STIX20(pattern)	STIX(",\"spec_version\":\"2.0\"", "\"labels\":[\"malicious-activity\"],\"pattern\":\"" pattern "\"")

#define IODEF(observable)											\
	"<IODEF-Document xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\" version=\"2.00\"><Incident purpose=\"watch\" "	\
	"restriction=\"green\"><IncidentID name=\"csirt.example\">7</IncidentID><GenerationTime>2026-03-01T08:00:00Z"	\
	"</GenerationTime><Contact role=\"creator\" type=\"organization\"><ContactName>CSIRT</ContactName></Contact>"	\
	"<IndicatorData><Indicator><IndicatorID name=\"csirt.example\" version=\"1\">i1</IndicatorID><Observable>"	\
	observable "</Observable></Indicator></IndicatorData></Incident></IODEF-Document>"

#define JSON_IODEF(observable)											\
	"{\"version\":\"2.0\",\"lang\":\"en\",\"Incident\":[{\"purpose\":\"watch\",\"restriction\":\"green\","		\
	"\"IncidentID\":{\"id\":\"7\",\"name\":\"csirt.example\"},\"GenerationTime\":\"2026-03-01T08:00:00Z\","		\
	"\"Contact\":[{\"type\":\"organization\",\"role\":\"creator\",\"ContactName\":[\"CSIRT\"]}],"			\
	"\"Indicator\":[{\"IndicatorID\":{\"id\":\"i1\",\"name\":\"csirt.example\",\"version\":\"1\"},"			\
	"\"Observable\":{" observable "}}]}]}"

#define RID(document)												\
	"<RID xmlns=\"urn:ietf:params:xml:ns:iodef-rid-2.0\"><RIDPolicy MsgType=\"Report\" MsgDestination=\"SourceOfIncident\">"	\
	"<PolicyRegion region=\"ClientToSP\"/><Node xmlns=\"urn:ietf:params:xml:ns:iodef-1.0\"><NodeName>csirt.example"	\
	"</NodeName></Node><TrafficType type=\"Attack\"/><iodef:IncidentID xmlns:iodef=\"urn:ietf:params:xml:ns:iodef-1.0\" "	\
	"name=\"csirt.example\">7</iodef:IncidentID><ReportSchema Version=\"ext-value\" ext-Version=\"2.00\"><XMLDocument "	\
	"dtype=\"xml\">" document "</XMLDocument></ReportSchema></RIDPolicy></RID>"

#define MISP(attribute)												\
	"{\"Event\":{\"uuid\":\"0a1b2c3d-0009-4000-8000-000000000009\",\"info\":\"x\",\"date\":\"2026-03-01\","		\
	"\"timestamp\":\"1772352000\",\"distribution\":\"1\",\"published\":true,\"publish_timestamp\":\"1772352000\","	\
	"\"Orgc\":{\"uuid\":\"0a1b2c3d-0001-4000-8000-000000000001\",\"name\":\"CERT\"},\"Attribute\":[{\"uuid\":"	\
	"\"0a1b2c3d-0002-4000-8000-000000000002\",\"to_ids\":true,\"timestamp\":\"1772352000\"," attribute "}]}}"

#define STIX1(type, space, properties)										\
	"<stix:STIX_Package xmlns:stix=\"http://stix.mitre.org/stix-1\" xmlns:indicator=\"http://stix.mitre.org/Indicator-2\" "	\
	"xmlns:cybox=\"http://cybox.mitre.org/cybox-2\" xmlns:cyboxCommon=\"http://cybox.mitre.org/common-2\" "		\
	"xmlns:o=\"http://cybox.mitre.org/objects#" space "\" xmlns:ex=\"http://example.com/\" "			\
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" id=\"ex:Package-0a1b2c3d-00ff-4000-8000-0000000000ff\" "	\
	"version=\"1.2\" timestamp=\"2026-03-01T08:00:00Z\"><stix:Indicators><stix:Indicator xsi:type=\"indicator:IndicatorType\" "	\
	"id=\"ex:Indicator-0a1b2c3d-0002-4000-8000-000000000002\" timestamp=\"2026-03-01T08:00:00Z\"><indicator:Observable>"	\
	"<cybox:Object><cybox:Properties xsi:type=\"o:" type "\">" properties "</cybox:Properties></cybox:Object>"	\
	"</indicator:Observable></stix:Indicator></stix:Indicators></stix:STIX_Package>"

#define SUM	"9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"
#define SUM_LOW	"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

#define ADDRESS(category, value)	"<Address category=\"" category "\">" value "</Address>"
#define SYSTEM(node)	"<System><Node>" node "</Node></System>"
#define JSON_ADDRESS(category, value)	"\"System\":[{\"Node\":{\"Address\":[{\"value\":\"" value "\",\"category\":\"" category "\"}]}}]"

static const struct {
	const char	*format;
	const char	*text[KINDS];	/* NULL: not a thing that it says */
} rows[] = {
	{ "stix21", {
		STIX21("[ipv4-addr:value = '203.0.113.7']"), STIX21("[domain-name:value = 'Bad.Example']"),
		STIX21("[url:value = 'http://bad.example/a']"), STIX21("[file:hashes.'SHA-256' = '" SUM "']"),
		STIX21("[email-addr:value = 'who@bad.example']") } },
	{ "stix20", {
		STIX20("[ipv4-addr:value='203.0.113.7']"), STIX20("[domain-name:value IN ('bad.example')]"),
		STIX20("[url:value = 'http://bad.example/a']"), STIX20("[file:hashes.'SHA-256' = '" SUM_LOW "']"),
		STIX20("[email-addr:value = 'who@bad.example']") } },
	{ "iodef2", {
		IODEF(SYSTEM(ADDRESS("ipv4-addr", "203.0.113.7"))),
		IODEF("<DomainData system-status=\"unknown\" domain-status=\"unknown\"><Name>BAD.example</Name></DomainData>"),
		IODEF(SYSTEM(ADDRESS("site-uri", "http://bad.example/a"))),
		IODEF("<FileData><File><HashData scope=\"file-contents\"><Hash><ds:DigestMethod "
		    "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>"
		    "<ds:DigestValue xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
		    "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=</ds:DigestValue></Hash></HashData></File></FileData>"),
		IODEF(SYSTEM(ADDRESS("e-mail", "who@bad.example"))) } },
	{ "iodef-json", {
		JSON_IODEF(JSON_ADDRESS("ipv4-addr", "203.0.113.7")), NULL,
		JSON_IODEF(JSON_ADDRESS("site-uri", "http://bad.example/a")), NULL,
		JSON_IODEF(JSON_ADDRESS("e-mail", "who@bad.example")) } },
	{ "rid", {
		RID(IODEF(SYSTEM(ADDRESS("ipv4-addr", "203.0.113.7")))), NULL,
		RID(IODEF(SYSTEM(ADDRESS("site-uri", "http://bad.example/a")))), NULL, NULL } },
	{ "misp", {
		NULL, MISP("\"type\":\"domain\",\"category\":\"Network activity\",\"value\":\"BAD.example\""),
		MISP("\"type\":\"url\",\"category\":\"Network activity\",\"value\":\"http://bad.example/a\""),
		MISP("\"type\":\"sha256\",\"category\":\"Payload delivery\",\"value\":\"" SUM "\""),
		MISP("\"type\":\"email\",\"category\":\"Network activity\",\"value\":\"who@bad.example\"") } },
	{ "stix1", {
		STIX1("AddressObjectType", "AddressObject-2\" xmlns:p=\"http://cybox.mitre.org/objects#AddressObject-2",
		    "<p:Address_Value condition=\"Equals\">203.0.113.7</p:Address_Value>"),
		STIX1("DomainNameObjectType", "DomainNameObject-1\" xmlns:p=\"http://cybox.mitre.org/objects#DomainNameObject-1",
		    "<p:Value condition=\"Equals\">bad.example</p:Value>"),
		STIX1("URIObjectType", "URIObject-2\" xmlns:p=\"http://cybox.mitre.org/objects#URIObject-2",
		    "<p:Value condition=\"Equals\">http://bad.example/a</p:Value>"),
		STIX1("FileObjectType", "FileObject-2\" xmlns:p=\"http://cybox.mitre.org/objects#FileObject-2",
		    "<p:Hashes><cyboxCommon:Hash><cyboxCommon:Type>SHA256</cyboxCommon:Type><cyboxCommon:Simple_Hash_Value "
		    "condition=\"Equals\">" SUM_LOW "</cyboxCommon:Simple_Hash_Value></cyboxCommon:Hash></p:Hashes>"),
		NULL } },
};

/* The only indicator of a document. */
static const struct object *
indicator_of(const struct format_ops *f, const char *text, struct arena *mem)
{
	const struct object *found = NULL;
	struct advisory adv;
	struct err e = ERR_INIT;
	char words[1024];

	if (chain_read(f, slice_of(text), mem, &adv, NULL, &e) < 0)
		fail_msg("%s: %s", f->name, err_text(&e, words, sizeof(words)));
	for (size_t i = 0; i < adv.nverdicts; i++)
		if (adv.verdicts[i].kind == VERDICT_REFUSED)
			fail_msg("%s: %s %s", f->name, adv.verdicts[i].code, adv.verdicts[i].err.reason);
	for (size_t i = 0; i < adv.n; i++)
		if (slice_is(adv.objects[i].type, "indicator"))
			found = &adv.objects[i];
	if (found == NULL)
		fail_msg("%s: no indicator in %s", f->name, text);
	return found;
}

static void
test_one_indicator_has_one_fingerprint(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct arena *mem = arena_new();
		const struct object *first = NULL;

		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			const struct format_ops *f = format_find(slice_of(rows[i].format));
			const struct object *o;

			assert_non_null(f);
			if (rows[i].text[kind] == NULL)
				continue;
			o = indicator_of(f, rows[i].text[kind], mem);
			assert_true(o->has_fp);
			if (first == NULL)
				first = o;
			else if (memcmp(o->fp, first->fp, FINGERPRINT_LEN) != 0)
				fail_msg("%s says something else than stix21: %.*s", f->name, SLICE_ARG(o->bytes));
		}
		arena_free(mem);
	}
}

/* Written in a format without residue and read again, an indicator is what it was. */
static void
test_an_indicator_survives_every_format(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			const struct format_ops *f = format_find(slice_of(rows[i].format));
			struct arena *mem = arena_new();
			const struct object *was = indicator_of(&format_stix21, rows[0].text[kind], mem), *now;
			struct advisory adv;
			struct err e = ERR_INIT;
			struct slice text;

			assert_int_equal(chain_read(&format_stix21, slice_of(rows[0].text[kind]), mem, &adv, NULL,
			    &e), 0);
			if (chain_write(f, &adv, mem, false, NULL, &text, &e) < 0)
				fail_msg("%s: %s", f->name, e.reason);
			now = indicator_of(f, arena_str(mem, text), mem);
			if (memcmp(now->fp, was->fp, FINGERPRINT_LEN) != 0)
				fail_msg("%s: it came back as %.*s", f->name, SLICE_ARG(now->bytes));
			arena_free(mem);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_indicator_has_one_fingerprint),
		cmocka_unit_test(test_an_indicator_survives_every_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
