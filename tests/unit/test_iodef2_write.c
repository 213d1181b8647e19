/* If this fails, a partner who reads IODEF gets less, something else, or something he must not see. */
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
#include "formats/iodef2_words.h"
#include "formats/pattern.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define CORPUS	"../shared/corpus/stix21"
#define U(n)	"00000000-0000-4000-8000-0000000000" n
#define TIMES	"\"created\":\"2026-01-02T00:00:00.000Z\",\"modified\":\"2026-01-03T04:05:06.700Z\""
#define OBJECT(t, n, more)	"{\"type\":\"" t "\",\"spec_version\":\"2.1\",\"id\":\"" t "--" U(n)	\
				"\"," TIMES more "}"
#define SCO(t, n, more)	"{\"type\":\"" t "\",\"spec_version\":\"2.1\",\"id\":\"" t "--" U(n) "\"" more "}"
#define BUNDLE(list)	"{\"type\":\"bundle\",\"id\":\"bundle--" U("ff") "\",\"objects\":[" list "]}"
#define INDICATOR(n, pattern, more)							\
	OBJECT("indicator", n, ",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-02T00:00:00Z\","	\
	    "\"pattern\":\"" pattern "\"" more)
#define REPORT(n, refs, more)								\
	OBJECT("report", n, ",\"name\":\"r\",\"published\":\"2026-01-03T00:00:00Z\","	\
	    "\"object_refs\":[" refs "]" more)
#define REF(t, n)	"\"" t "--" U(n) "\""
#define MARK(id)	",\"object_marking_refs\":[\"marking-definition--" id "\"]"
#define CLEAR		MARK("94868c89-83c2-464b-929b-a1a8aa3c8487")
#define GREEN		MARK("bab4a63c-aed9-4cf5-a766-dfca5abac2bb")
#define AMBER		MARK("55d920b0-5e8b-4f79-9ee9-91f868d9b421")
#define STRICT		MARK("939a9414-2ddd-4d32-a0cd-375ea402b003")
#define RED		MARK("e828b379-4e03-4974-9ac4-e53a884c97c1")
#define UNKNOWN		MARK("00000000-0000-4000-8000-00000000dead")

enum { FILE_MAX = 64 << 20 };

/* One conversion and everything about it. */
struct result {
	struct advisory	 adv;
	struct loss	 loss;
	struct strbuf	 out;
	struct xml_node	*doc;
	struct err	 err;
	int		 rc;
};

static void
convert(struct result *r, struct slice text, bool no_residue, const char *received)
{
	struct read_job rj = { .in = text, .input = "test" };
	struct write_job wj = { .adv = &r->adv, .csirt = "cert.example", .no_residue = no_residue,
	    .csirt_contact = "us@cert.example", .received = slice_of(received), .loss = &r->loss };
	struct err e = ERR_INIT;

	memset(r, 0, sizeof(*r));
	r->out = (struct strbuf)STRBUF_INIT;
	loss_init(&r->loss, mem);
	if (format_stix21.read(&rj, mem, &r->adv, &e) < 0)
		fail_msg("reading: %s", e.reason);
	r->rc = iodef2_write(&wj, mem, &r->out, &r->err);
	if (r->rc < 0)
		return;
	if (xml_parse(strbuf_slice(&r->out), NULL, mem, &r->doc, &e) < 0)
		fail_msg("not well-formed: %s", e.reason);
}

static void
convert_text(struct result *r, const char *text)
{
	convert(r, slice_of(text), false, "");
}

static void
done(struct result *r)
{
	strbuf_fini(&r->out);
}

/* The text at that path below the document; "@name" as last step for attributes; NULL if not there. */
static const char *
at(const struct result *r, const char *path)
{
	const char *attr = strrchr(path, '@');
	struct slice p = slice_of(path);
	struct xml_node *n;
	struct xml_attr *a;

	if (attr != NULL)
		p = slice_from(path, attr == path ? 0 : (size_t)(attr - path) - 1);
	n = xml_at(r->doc, p);
	if (n == NULL)
		return NULL;
	if (attr == NULL)
		return arena_str(mem, xml_text(n, mem));
	a = xml_attr(n, attr + 1);
	return a == NULL ? NULL : a->value.p;
}

static void
expect(const struct result *r, const char *path, const char *want)
{
	const char *got = at(r, path);

	if (want == NULL ? got != NULL : got == NULL || strcmp(got, want) != 0)
		fail_msg("%s: %s, wanted %s\n%s", path, got != NULL ? got : "(nothing)",
		    want != NULL ? want : "(nothing)", r->out.p);
}

#define IND	"Incident[1]/IndicatorData[1]/Indicator[1]/"
#define OBS	IND "Observable[1]/"
#define EXPR	IND "IndicatorExpression[1]/"

/* A pattern and what must stand in the Indicator: up to four (path, text). */
struct pattern_case {
	const char	*pattern;
	const char	*want[4][2];
};

static const struct pattern_case pattern_cases[] = {
	{ "[ipv4-addr:value = '192.0.2.1']",
	    { { OBS "Address[1]", "192.0.2.1" }, { OBS "Address[1]/@category", "ipv4-addr" } } },
	{ "[ipv4-addr:value ISSUBSET '192.0.2.0/24']",
	    { { OBS "Address[1]", "192.0.2.0/24" }, { OBS "Address[1]/@category", "ipv4-net" } } },
	{ "[ipv6-addr:value = '2001:db8::/32']", { { OBS "Address[1]/@category", "ipv6-net" } } },
	{ "[domain-name:value = 'a.example']",
	    { { OBS "DomainData[1]/Name[1]", "a.example" } } },
	{ "[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
	    { { OBS "System[1]/Node[1]/DomainData[1]/Name[1]", "a.example" },
	    { OBS "System[1]/Node[1]/Address[1]", "192.0.2.1" } } },
	{ "[domain-name:value = 'a.example' OR domain-name:value = 'b.example']",
	    { { OBS "BulkObservable[1]/@type", "domain-name" },
	    { OBS "BulkObservable[1]/BulkObservableList[1]", "a.example\nb.example" } } },
	{ "[autonomous-system:number IN (64496, 64497)]",
	    { { OBS "BulkObservable[1]/@type", "asn" },
	    { OBS "BulkObservable[1]/BulkObservableList[1]", "64496\n64497" } } },
	{ "[user-account:user_id = '0']",
	    { { OBS "BulkObservable[1]/@type", "user-name" },
	    { OBS "BulkObservable[1]/AdditionalData[1]", "user-account:user_id" } } },
	{ "[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value = '192.0.2.0/24']",
	    { { EXPR "@operator", "or" }, { EXPR "Observable[1]/Address[1]/@category", "ipv4-addr" },
	    { EXPR "Observable[2]/Address[1]/@category", "ipv4-net" } } },
	{ "[url:value = 'http://a.example/ b']",
	    { { OBS "Address[1]", "http://a.example/ b" } } },
	{ "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' OR "
	    "file:hashes.MD5 = '098f6bcd4621d373cade4e832627b4f6']",
	    { { OBS "BulkObservable[1]/@type", "file-hash" },
	    { OBS "BulkObservable[1]/BulkObservableFormat[1]/Hash[1]/DigestValue[1]",
	    "1B2M2Y8AsgTpgAmY7PhCfg==" } } },
	{ "[file:hashes.MD5 = 'tooshort']", { { OBS "DetectionPattern[1]/DetectionConfiguration[1]",
	    "[file:hashes.MD5 = 'tooshort']" } } },
	{ "[file:name = 'a' AND file:parent_directory_ref.path = '/tmp']",
	    { { OBS "FileData[1]/File[1]/FileName[1]", "/tmp/a" },
	    { OBS "FileData[1]/File[1]/FileProperties[1]", "/tmp" } } },
	{ "[network-traffic:src_ref.value = '192.0.2.1' AND network-traffic:dst_ref.value = "
	    "'a.example' AND network-traffic:dst_port = 53 AND network-traffic:protocols[*] = 'udp']",
	    { { OBS "EventData[1]/Flow[1]/System[1]/@category", "source" },
	    { OBS "EventData[1]/Flow[1]/System[2]/Node[1]/DomainData[1]/Name[1]", "a.example" },
	    { OBS "EventData[1]/Flow[1]/System[2]/Service[1]/@ip-protocol", "17" },
	    { OBS "EventData[1]/Flow[1]/System[2]/Service[1]/Port[1]", "53" } } },
	{ "[network-traffic:dst_port = 23 AND network-traffic:protocols[*] = 'tcp']",
	    { { OBS "Service[1]/Port[1]", "23" }, { OBS "Service[1]/@ip-protocol", "6" } } },
	{ "[network-traffic:src_port = 23]", { { OBS "DetectionPattern[1]/DetectionConfiguration[1]",
	    "[network-traffic:src_port = 23]" } } },
	{ "[email-message:to_refs[*].value = 'a@b.example' AND email-message:to_refs[*].value = "
	    "'c@b.example' AND email-message:additional_header_fields.'Reply-To' = 'd']",
	    { { OBS "EmailData[1]/EmailTo[2]", "c@b.example" },
	    { OBS "EmailData[1]/EmailHeaderField[1]/@name", "Reply-To" } } },
	{ "[windows-registry-key:key = 'HKLM\\\\\\\\a' AND windows-registry-key:values[*].name = 'b']",
	    { { OBS "WindowsRegistryKeysModified[1]/Key[1]/KeyName[1]", "HKLM\\a\\b" } } },
	{ "[x509-certificate:subject = 'CN=a']",
	    { { OBS "CertificateData[1]/Certificate[1]/X509Data[1]/X509SubjectName[1]", "CN=a" } } },
	{ "[x509-certificate:serial_number = '36:f7' AND x509-certificate:issuer = 'CN=a']",
	    { { OBS "DetectionPattern[1]/Application[1]/Description[1]", "stix" } } },
	{ "[file:name != 'a']", { { EXPR "@operator", "not" },
	    { EXPR "Observable[1]/FileData[1]/File[1]/FileName[1]", "a" } } },
	{ "[file:name NOT != 'a']", { { OBS "FileData[1]/File[1]/FileName[1]", "a" } } },
	{ "[file:name NOT IN ('a', 'b')]", { { EXPR "@operator", "not" },
	    { EXPR "Observable[1]/BulkObservable[1]/BulkObservableList[1]", "a\nb" } } },
	{ "[file:name = 'a' OR url:value = 'http://b.example/' OR url:value = 'http://c.example/']",
	    { { EXPR "@operator", "or" },
	    { EXPR "Observable[2]/BulkObservable[1]/BulkObservableList[1]",
	    "http://b.example/\nhttp://c.example/" }, { EXPR "AdditionalData[1]", NULL } } },
	{ "[file:name = 'a'] AND [url:value = 'http://b.example/']",
	    { { EXPR "@operator", "and" }, { EXPR "AdditionalData[1]/@name", "observation" } } },
	{ "[file:name = 'a'] FOLLOWEDBY [file:name = 'b']",
	    { { OBS "DetectionPattern[1]/DetectionConfiguration[1]",
	    "[file:name = 'a'] FOLLOWEDBY [file:name = 'b']" } } },
	{ "[file:name = 'a'] WITHIN 5 SECONDS", { { OBS "DetectionPattern[1]/DetectionConfiguration[1]",
	    "[file:name = 'a'] WITHIN 5 SECONDS" } } },
	{ "[file:name LIKE 'a%' OR file:name = 'b']",
	    { { OBS "DetectionPattern[1]/DetectionConfiguration[1]",
	    "[file:name LIKE 'a%' OR file:name = 'b']" } } },
	{ "[file:name = 'a  b']", { { OBS "DetectionPattern[1]/DetectionConfiguration[1]",
	    "[file:name = 'a  b']" } } },
	{ "[mutex:name = 'a' AND file:name = 'b']",
	    { { OBS "DetectionPattern[1]/DetectionConfiguration[1]",
	    "[mutex:name = 'a' AND file:name = 'b']" } } },
	{ "no pattern", { { OBS "DetectionPattern[1]/DetectionConfiguration[1]", "no pattern" } } },
};

static void
test_patterns(void **state)
{
	size_t i, k;
	struct result r;

	(void)state;
	for (i = 0; i < sizeof(pattern_cases) / sizeof(*pattern_cases); i++) {
		const struct pattern_case *c = &pattern_cases[i];

		convert_text(&r, arena_fmt(mem, BUNDLE(INDICATOR("01", "%s", "")), c->pattern));
		assert_int_equal(r.rc, 0);
		for (k = 0; k < 4 && c->want[k][0] != NULL; k++)
			expect(&r, c->want[k][0], c->want[k][1]);
		done(&r);
	}
}

/* A label on a report and on its indicator; what the two elements must say. */
struct label_case_row {
	const char *report, *indicator, *incident_word, *indicator_word;
};

static const struct label_case_row label_cases[] = {
	{ "", "", "default", NULL },
	{ CLEAR, CLEAR, "white", NULL },
	{ CLEAR, AMBER, "white", "amber" },
	{ CLEAR, "", "white", "default" },	/* no label is not CLEAR */
	{ AMBER, CLEAR, "amber", "white" },
	{ AMBER, STRICT, "amber", "need-to-know" },
	{ AMBER, RED, "amber", "red" },
	{ GREEN, UNKNOWN, "green", NULL },	/* asked below: whatever it is, it is not weaker */
	{ RED, "", "red", NULL },
	{ RED, GREEN, "red", "green" },
	{ STRICT, STRICT, "need-to-know", NULL },
	{ "", RED, "default", "red" },
};

static void
test_labels(void **state)
{
	size_t i;
	struct result r;

	(void)state;
	for (i = 0; i < sizeof(label_cases) / sizeof(*label_cases); i++) {
		const struct label_case_row *c = &label_cases[i];

		convert_text(&r, arena_fmt(mem, BUNDLE(REPORT("02", REF("indicator", "01"), "%s") ","
		    INDICATOR("01", "[mutex:name = 'a']", "%s")), c->report, c->indicator));
		expect(&r, "Incident[1]/@restriction", c->incident_word);
		if (strcmp(c->indicator, UNKNOWN) != 0)
			expect(&r, IND "@restriction", c->indicator_word);
		else
			assert_true(at(&r, IND "@restriction") != NULL &&
			    strcmp(at(&r, IND "@restriction"), "white") != 0);
		done(&r);
	}
}

/* The residue of a stricter object is as strict, wherever it stands. */
static void
test_label_of_residue(void **state)
{
	struct result r;
	struct xml_node *n;
	size_t red = 0;

	(void)state;
	convert_text(&r, BUNDLE(REPORT("02", REF("indicator", "01"), GREEN) ","
	    INDICATOR("01", "[mutex:name = 'a']", GREEN) ","
	    OBJECT("x-secret", "03", ",\"word\":\"z\"" RED) ","
	    OBJECT("relationship", "04", ",\"relationship_type\":\"indicates\",\"source_ref\":"
	    REF("indicator", "01") ",\"target_ref\":" REF("x-secret", "03") RED)));
	for (n = xml_get(r.doc, "AdditionalData"); n != NULL; n = xml_more(n))
		if (strstr(xml_text(n, mem).p, "\"word\"") != NULL ||
		    strstr(xml_text(n, mem).p, "\"source_ref\"") != NULL)
			red += slice_is(xml_value(n, "restriction"), "red");
	assert_int_equal(red, 2);
	/* that it indicates something RED is RED */
	expect(&r, IND "AdditionalData[1]/@name", "indicates");
	expect(&r, IND "AdditionalData[1]/@restriction", "red");
	done(&r);
}

/* A NodeRole has no restriction: it is left out if only a stricter object tells it. */
static void
test_label_without_place(void **state)
{
	static const char text[] = BUNDLE(INDICATOR("01", "[mutex:name = 'a']", GREEN) ","
	    OBJECT("infrastructure", "03", ",\"name\":\"i\",\"infrastructure_types\":"
	    "[\"command-and-control\"]%s") "," OBJECT("relationship", "04",
	    ",\"relationship_type\":\"indicates\",\"source_ref\":" REF("indicator", "01")
	    ",\"target_ref\":" REF("infrastructure", "03") GREEN));
	struct result r;

	(void)state;
	convert_text(&r, arena_fmt(mem, text, GREEN));
	expect(&r, IND "NodeRole[1]/@category", "c2-server");
	done(&r);
	convert_text(&r, arena_fmt(mem, text, AMBER));
	expect(&r, IND "NodeRole[1]", NULL);
	done(&r);
}

/* Two objects of different labels in one element: the stricter stays, whoever is written last. */
static void
test_label_of_shared_element(void **state)
{
	static const char text[] = BUNDLE(OBJECT("observed-data", "05", ",\"first_observed\":"
	    "\"2026-01-01T00:00:00Z\",\"last_observed\":\"2026-01-01T00:00:00Z\","
	    "\"number_observed\":1,\"object_refs\":[" REF("ipv4-addr", "01") ","
	    REF("network-traffic", "02") "]" CLEAR) ","
	    SCO("ipv4-addr", "01", ",\"value\":\"192.0.2.1\"%s") ","
	    SCO("network-traffic", "02", ",\"protocols\":[\"tcp\"],\"dst_ref\":"
	    REF("ipv4-addr", "01") "%s"));
	struct result r;

	(void)state;
	convert_text(&r, arena_fmt(mem, text, RED, AMBER));
	expect(&r, "Incident[1]/EventData[1]/Flow[1]/System[1]/@restriction", "red");
	done(&r);
	convert_text(&r, arena_fmt(mem, text, AMBER, RED));
	expect(&r, "Incident[1]/EventData[1]/Flow[1]/System[1]/@restriction", "red");
	done(&r);
	convert_text(&r, arena_fmt(mem, text, "", ""));
	expect(&r, "Incident[1]/EventData[1]/Flow[1]/System[1]/@restriction", NULL);
	done(&r);
}

/* ---- nothing RED in a place that is not ------------------------------------------------------ */

static const char *const telling[] = { "name", "description", "value", "key", "path", "content",
    "abstract", "subject", "body", "command_line", "account_login", "product", "serial_number",
    "issuer", "street_address", "city", "pattern", "word", "ship", "result", NULL };

/* The label that holds at n; with none around, as weak as can be. */
static enum tlp
label_at(const struct xml_node *n)
{
	enum label_case label;

	for (; n != NULL; n = n->parent)
		if (xml_value(n, "restriction").n > 0)
			return iodef2_restriction_read(xml_value(n, "restriction"), SLICE_EMPTY, false,
			    &label);
	return TLP_CLEAR;
}

/* Fail if the word stands anywhere below n without RED. */
static void
assert_only_red(const struct xml_node *n, const char *word, const char *id)
{
	const struct xml_node *c;
	const struct xml_attr *a;

	for (a = n->attrs; a != NULL; a = a->next)
		if (strstr(a->value.p, word) != NULL && label_at(n) != TLP_RED)
			fail_msg("%s: \"%s\" in @%s of %s", id, word, a->name.p, n->name.p);
	for (c = n->first; c != NULL; c = c->next) {
		if (!xml_is_text(c))
			assert_only_red(c, word, id);
		else if (strstr(c->text.p, word) != NULL && label_at(n) != TLP_RED)
			fail_msg("%s: \"%s\" in %s", id, word, xml_path_text(mem, n, NULL));
	}
}

/* Is the word in the text of any other object? Then its place proves nothing. */
static bool
is_shared(const struct advisory *adv, size_t k, const char *word)
{
	struct strbuf b = STRBUF_INIT;
	bool found = false;
	size_t i;

	json_print_string(&b, slice_of(word));	/* as it stands in JSON, without quotes */
	b.p[b.n - 1] = '\0';
	for (i = 0; i < adv->n && !found; i++)
		found = i != k && strstr(arena_str(mem, adv->objects[i].bytes), b.p + 1) != NULL;
	strbuf_fini(&b);
	return found;
}

static void
label_all(struct advisory *adv, size_t red, struct strbuf *out)
{
	size_t i;

	strbuf_adds(out, "{\"type\":\"bundle\",\"id\":\"bundle--" U("ff") "\",\"objects\":[");
	for (i = 0; i < adv->n; i++) {
		json *t = adv->objects[i].tree, *refs = json_list(mem);

		json_remove(t, "granular_markings");
		json_push(refs, json_string(mem, slice_of(tlp_marking_id(i == red ? TLP_RED :
		    TLP_CLEAR))));
		if (adv->objects[i].class != OBJECT_META)
			json_put(mem, t, "object_marking_refs", refs);
		if (i > 0)
			strbuf_addc(out, ',');
		json_print(out, t);
	}
	strbuf_adds(out, "]}");
}

/* One object of the sample RED, all others CLEAR, for each in turn: its words stand under RED only. */
static void
test_no_leak(void **state)
{
	struct strbuf text = STRBUF_INIT, red = STRBUF_INIT;
	struct read_job rj = { .input = "test" };
	struct advisory plain = { .n = 0 };
	struct result r;
	size_t k, p, asked = 0;
	int residue;

	(void)state;
	assert_int_equal(file_read("tests/golden/iodef2/stix-all-kinds/input.json", FILE_MAX, &text,
	    NULL), 0);
	rj.in = strbuf_slice(&text);
	assert_int_equal(format_stix21.read(&rj, mem, &plain, NULL), 0);
	for (k = 0; k < plain.n; k++) {
		struct advisory adv = { .n = 0 };

		if (plain.objects[k].class == OBJECT_META)
			continue;
		assert_int_equal(format_stix21.read(&rj, mem, &adv, NULL), 0);
		strbuf_reset(&red);
		label_all(&adv, k, &red);
		for (residue = 0; residue < 2; residue++) {
			convert(&r, strbuf_slice(&red), residue == 0, "");
			for (p = 0; telling[p] != NULL; p++) {
				const char *word = json_member(plain.objects[k].tree, telling[p]).p;

				if (word == NULL || strlen(word) < 4 || is_shared(&plain, k, word))
					continue;
				assert_only_red(r.doc, word, plain.objects[k].id.p);
				asked++;
			}
			done(&r);
		}
	}
	assert_true(asked > 60);
	strbuf_fini(&text);
	strbuf_fini(&red);
}

/* Every object is in the document byte for byte, with the hash of what was made of it. */
static void
check_residue(const struct result *r, const struct xml_node *n, size_t *found)
{
	const struct xml_node *c, *v[64];
	struct slice meaning, rest, path;
	char hash[65];
	size_t k = 0;

	for (c = xml_child(n); c != NULL; c = xml_sibling(c)) {
		check_residue(r, c, found);
		if (!slice_is(xml_value(c, "name"), IODEF2_RESIDUE_OBJECT))
			continue;
		++*found;
		meaning = xml_value(c, "meaning");
		assert_true(slice_starts(meaning, IODEF2_RESIDUE_MEANING));
		rest = slice_from(meaning.p + strlen(IODEF2_RESIDUE_MEANING),
		    meaning.n - strlen(IODEF2_RESIDUE_MEANING));
		if (slice_is(rest, "-"))
			continue;
		for (k = 0, path = rest, slice_cut(&path, '='); path.n > 0 && k < 64; k++) {
			v[k] = xml_at(n, slice_cut(&path, ' '));
			assert_non_null(v[k]);
		}
		if (k == 0)
			v[k++] = n;
		iodef2_native_hash(v, k, hash);
		assert_memory_equal(rest.p, hash, 64);
	}
}

static void
assert_whole(const struct result *r, const char *name)
{
	size_t found = 0, i, sum = 0, leaves = 0;

	check_residue(r, r->doc, &found);
	if (found != r->adv.n)
		fail_msg("%s: %zu of %zu objects travel whole", name, found, r->adv.n);
	for (i = 0; i < LOSS_GENERATED; i++)
		sum += r->loss.count[i];
	for (i = 0; i < r->loss.n; i++)
		leaves += r->loss.v[i].kind != LOSS_GENERATED;
	assert_int_equal(sum, leaves);
	assert_int_equal(r->loss.count[LOSS_DROPPED], 0);
}

/* The objects that a bundle residue names, in their order, and a hash that fits. */
static void
test_bundle_residue(void **state)
{
	struct result r;
	struct xml_node *n, *last = NULL;
	const struct xml_node *doc;
	char hash[65];

	(void)state;
	convert_text(&r, BUNDLE(INDICATOR("05", "[mutex:name = 'a']", "") ","
	    OBJECT("x-own", "01", ",\"n\":1.50") "," SCO("mutex", "03", ",\"name\":\"b\"")));
	assert_whole(&r, "three");
	for (n = xml_get(r.doc, "AdditionalData"); n != NULL; n = xml_more(n))
		last = n;
	assert_true(slice_is(xml_value(last, "name"), IODEF2_RESIDUE_BUNDLE));
	assert_string_equal(xml_text(last, mem).p, "{\"id\":\"bundle--" U("ff") "\",\"csirt\":\"cert.example\",\"objects\":["
	    "\"indicator--" U("05") " 2026-01-03T04:05:06.700Z\","
	    "\"x-own--" U("01") " 2026-01-03T04:05:06.700Z\",\"mutex--" U("03") "\"]}");
	doc = r.doc;
	iodef2_native_hash(&doc, 1, hash);
	assert_string_equal(xml_value(last, "meaning").p,
	    arena_fmt(mem, "%s%s", IODEF2_RESIDUE_BUNDLE_MEANING, hash));
	done(&r);
}

/* Characters that XML has not stay what they are in JSON. */
static void
test_hostile_text(void **state)
{
	struct result r;
	struct xml_node *n;
	struct json_doc back;
	struct err e = ERR_INIT;

	(void)state;
	convert_text(&r, BUNDLE(OBJECT("x-own", "01", ",\"t\":\"a\x7f b\xef\xbf\xbf c\\u0001 d]]>&<\"")
	    "," OBJECT("tool", "02", ",\"name\":\"a\\u0001\\u001b<b>&amp;\"")));
	for (n = xml_get(r.doc, "AdditionalData"); n != NULL; n = xml_more(n))
		if (strstr(xml_text(n, mem).p, "x-own") != NULL)
			break;
	assert_non_null(n);
	if (json_parse(xml_text(n, mem), NULL, mem, &back, &e) < 0)
		fail_msg("%s", e.reason);
	assert_true(json_equal(back.root, r.adv.objects[0].tree));
	assert_non_null(strstr(at(&r, "Incident[1]/Method[1]/Description[1]"), "<b>&amp;"));
	done(&r);
}

/* One Incident for what no report names; none for what is only signature or definition. */
static void
test_containers(void **state)
{
	struct result r;

	(void)state;
	convert_text(&r, BUNDLE(REPORT("02", REF("indicator", "01") "," REF("incident", "07"), "") ","
	    OBJECT("incident", "07", ",\"name\":\"case\"") ","
	    REPORT("08", REF("indicator", "01"), ",\"x_n\":1") ","
	    INDICATOR("01", "[mutex:name = 'a']", "")));
	assert_int_equal(xml_count(r.doc, "Incident"), 2);
	expect(&r, "Incident[1]/IncidentID[1]", "report--" U("02"));
	expect(&r, "Incident[1]/@purpose", "reporting");
	expect(&r, "Incident[1]/Description[2]", "case");
	expect(&r, "Incident[2]/IndicatorData[1]", NULL);
	expect(&r, "Incident[2]/RelatedActivity[1]/IncidentID[1]", "report--" U("02"));
	assert_whole(&r, "two reports");
	done(&r);

	convert_text(&r, BUNDLE(REPORT("02", REF("indicator", "01"), "") ","
	    INDICATOR("01", "[mutex:name = 'a']", "") "," INDICATOR("03", "[mutex:name = 'b']", "")));
	assert_int_equal(xml_count(r.doc, "Incident"), 2);
	expect(&r, "Incident[2]/IncidentID[1]", "bundle--" U("ff"));
	expect(&r, "Incident[2]/AdditionalData[1]/@name", IODEF2_RESIDUE_GENERATED);
	done(&r);
}

/* Of two versions the later is shown, both travel; xs:ID stays unique. */
static void
test_versions(void **state)
{
	static const char older[] = "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":"
	    "\"indicator--" U("01") "\",\"created\":\"2025-01-02T00:00:00.000Z\",\"modified\":"
	    "\"2025-01-02T00:00:00.000Z\",\"pattern_type\":\"stix\",\"valid_from\":"
	    "\"2025-01-02T00:00:00Z\",\"pattern\":\"[mutex:name = 'old']\"}";
	struct result r;

	(void)state;
	convert_text(&r, arena_fmt(mem, BUNDLE("%s,%s,%s"),
	    INDICATOR("01", "[mutex:name = 'new']", ""), older,
	    INDICATOR("02", "[mutex:name = 'x']", ",\"external_references\":[{\"source_name\":"
	    "\"iodef-indicator:a.example\",\"external_id\":\"indicator--" U("01") "\"}]")));
	assert_int_equal(xml_count(xml_at(r.doc, slice_of("Incident[1]/IndicatorData[1]")),
	    "Indicator"), 2);
	expect(&r, OBS "BulkObservable[1]/BulkObservableList[1]", "new");
	expect(&r, "Incident[1]/IndicatorData[1]/Indicator[2]/IndicatorID[1]", "indicator--" U("02"));
	assert_whole(&r, "versions");
	done(&r);
}

/* Times: as written; a leap second, which XML Schema has not, moves by one; none at all is an error
 * unless a time is given. */
static void
test_times(void **state)
{
	struct result r;

	(void)state;
	convert_text(&r, BUNDLE(INDICATOR("01", "[mutex:name = 'a']",
	    ",\"valid_until\":\"2026-12-31T23:59:60.5Z\"")));
	expect(&r, IND "StartTime[1]", "2026-01-02T00:00:00Z");
	expect(&r, IND "EndTime[1]", "2026-12-31T23:59:59.5Z");
	expect(&r, "Incident[1]/GenerationTime[1]", "2026-01-03T04:05:06.700Z");
	done(&r);

	convert_text(&r, BUNDLE(SCO("mutex", "03", ",\"name\":\"b\"")));
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.err.code, ERR_MISSING);
	done(&r);
	convert(&r, SLICE_LIT(BUNDLE(SCO("mutex", "03", ",\"name\":\"b\""))), false,
	    "2026-02-01T00:00:00Z");
	expect(&r, "Incident[1]/GenerationTime[1]", "2026-02-01T00:00:00Z");
	done(&r);
}

/* The account: each leaf once, by its true word. */
static void
test_account(void **state)
{
	static const char *const rows[] = {
		"kept indicator--" U("01") "/id", "kept indicator--" U("01") "/pattern",
		"kept indicator--" U("01") "/confidence", "moved indicator--" U("01") "/created",
		"moved indicator--" U("01") "/labels[0]", "moved indicator--" U("01") "/x_a.b[0].c",
		"kept indicator--" U("01") "/kill_chain_phases[0].phase_name",
	};
	struct result r;
	size_t i, k;

	(void)state;
	convert_text(&r, BUNDLE(INDICATOR("01", "[mutex:name = 'a']", ",\"confidence\":85,"
	    "\"labels\":[\"l\"],\"x_a\":{\"b\":[{\"c\":1}]},\"kill_chain_phases\":[{"
	    "\"kill_chain_name\":\"k\",\"phase_name\":\"p\"}]")));
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (k = 0; k < r.loss.n; k++)
			if (strcmp(arena_fmt(mem, "%s %s", loss_word(r.loss.v[k].kind),
			    r.loss.v[k].path), rows[i]) == 0)
				break;
		if (k == r.loss.n)
			fail_msg("not accounted: %s", rows[i]);
	}
	done(&r);
	convert(&r, SLICE_LIT(BUNDLE(INDICATOR("01", "[mutex:name = 'a']", ",\"labels\":[\"l\"]"))),
	    true, "");
	assert_int_equal(r.loss.count[LOSS_MOVED], 0);
	assert_true(r.loss.count[LOSS_DROPPED] > 0);
	assert_null(strstr(r.out.p, IODEF2_RESIDUE_OBJECT));
	done(&r);
}

static void
test_action_words(void **state)
{
	static const struct { const char *text, *action; } rows[] = {
		{ "Block the Host now", "block-host" }, { "block port 23", "block-port" },
		{ "block these IPs", "block-host" }, { "block shipping", "other" },
		{ "redirection-honey-pot", "honeypot" }, { "patching", "upgrade-software" },
		{ "drink tea", "other" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(iodef2_action_of_text(slice_of(rows[i].text)), rows[i].action);
}

/* A ring of references ends, and is written. */
static void
test_rings(void **state)
{
	struct result r;

	(void)state;
	convert(&r, SLICE_LIT(BUNDLE(
	    SCO("domain-name", "01", ",\"value\":\"a.example\",\"resolves_to_refs\":["
	    REF("domain-name", "02") "]") ","
	    SCO("domain-name", "02", ",\"value\":\"b.example\",\"resolves_to_refs\":["
	    REF("domain-name", "01") "]"))), false, "2026-02-01T00:00:00Z");
	assert_int_equal(r.rc, 0);
	assert_whole(&r, "ring");
	assert_non_null(strstr(r.out.p, "<Name>a.example</Name>"));
	assert_non_null(strstr(r.out.p, "<Name>b.example</Name>"));
	done(&r);
}

/* Characters that must be escaped on the way (mapping.md 1.5): DEL, U+FFFE, U+FFFF. */
static bool
has_escaped(struct slice s)
{
	return memchr(s.p, 0x7f, s.n) != NULL || strstr(s.p, "\xef\xbf\xbe") != NULL ||
	    strstr(s.p, "\xef\xbf\xbf") != NULL;
}

/* Back in STIX: the same bundle, byte for byte; where a character had to be escaped, the same value. */
static void
assert_home(const struct result *r, const char *path)
{
	struct read_job rj = { .in = strbuf_slice(&r->out), .input = "own IODEF" };
	struct advisory back = { .n = 0 };
	struct err e = ERR_INIT;
	size_t i;

	if (iodef2_read(&rj, mem, &back, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	if (back.n != r->adv.n || !slice_eq(back.id, r->adv.id))
		fail_msg("%s: %zu of %zu objects came home", path, back.n, r->adv.n);
	for (i = 0; i < back.n; i++)
		if (has_escaped(arena_slice(mem, r->adv.objects[i].bytes)) ?
		    !json_equal(back.objects[i].tree, r->adv.objects[i].tree) :
		    !slice_eq(back.objects[i].bytes, r->adv.objects[i].bytes))
			fail_msg("%s: %s came home changed", path, r->adv.objects[i].id.p);
}

/* Without residue: every indicator still says what it said, under a label no weaker. */
static void
assert_meaning(struct slice text, const char *path)
{
	struct advisory back = { .n = 0 };
	struct read_job rj = { .input = "own IODEF" };
	struct err e = ERR_INIT;
	struct result r;
	size_t i, k;

	convert(&r, text, true, "2026-02-01T00:00:00Z");
	rj.in = strbuf_slice(&r.out);
	if (iodef2_read(&rj, mem, &back, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	for (i = 0; i < back.n; i++)
		for (k = 0; k < r.adv.n; k++) {
			const struct object *a = &r.adv.objects[k], *b = &back.objects[i];

			if (!slice_is(a->type, "indicator") || !slice_eq(a->id, b->id) ||
			    !slice_eq(a->version_key, b->version_key))
				continue;
			assert_true(a->tlp == TLP_UNSET || b->tlp >= a->tlp);
			/* the type of an end is told by its value */
			if (a->has_fp && pattern_parse(json_member(a->tree, "pattern"), mem, NULL) &&
			    strstr(json_member(a->tree, "pattern").p, "_ref.type") == NULL &&
			    memcmp(a->fp, b->fp, sizeof(a->fp)) != 0)
				fail_msg("%s: %s became %s", path, json_member(a->tree, "pattern").p,
				    json_member(b->tree, "pattern").p);
		}
	done(&r);
}

/* One file: well-formed, everything whole, twice the same bytes, home unchanged. */
static void
try_file(const char *path)
{
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct result a, b;

	if (file_read(path, FILE_MAX, &text, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	convert(&a, strbuf_slice(&text), false, "2026-02-01T00:00:00Z");
	if (a.rc < 0)
		fail_msg("%s: %s", path, a.err.reason);
	assert_whole(&a, path);
	assert_home(&a, path);
	assert_meaning(strbuf_slice(&text), path);
	convert(&b, strbuf_slice(&text), false, "2026-02-01T00:00:00Z");
	assert_int_equal(a.out.n, b.out.n);
	assert_memory_equal(a.out.p, b.out.p, a.out.n);
	done(&a);
	done(&b);
	strbuf_fini(&text);
}

static size_t
try_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	size_t n = 0;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		char *sub = arena_fmt(mem, "%s/%s", path, d->d_name);

		if (d->d_name[0] == '.')
			continue;
		if (strcmp(path, CORPUS) == 0 && strstr(d->d_name, ".json") == NULL) {
			n += try_folder(sub);
		} else if (strcmp(path, CORPUS) != 0) {
			struct arena *outer = mem;

			mem = arena_new();
			try_file(sub);
			arena_free(mem);
			mem = outer;
			n++;
		}
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

static void
test_samples(void **state)
{
	DIR *dir = opendir(CORPUS);

	(void)state;
	try_file("tests/golden/iodef2/stix-all-kinds/input.json");
	try_file("tests/golden/iodef2/stix-patterns/input.json");
	if (dir == NULL)
		return;
	closedir(dir);
	assert_true(try_folder(CORPUS) > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_patterns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_label_of_residue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_label_without_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_label_of_shared_element, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_leak, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle_residue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_containers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_account, setup, teardown),
		cmocka_unit_test_setup_teardown(test_action_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_samples, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
