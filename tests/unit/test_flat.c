/* If this fails, a SOC tool is fed a value that no indicator names, misses one that it does, or reads a line
 * that an enemy wrote into its rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "formats/flat.h"
#include "formats/flat_impl.h"
#include "formats/format.h"
#include "formats/warnlist.h"
#include "gateway/base/file.h"
#include "tests/unit/flat_check.h"
#include "tests/unit/mem_kit.h"

#define IND	"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
#define CERT	"identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"
#define MD5	"0123456789abcdef0123456789abcdef"

/* An object from its text. */
static struct object *
object(const char *text)
{
	struct object *o = arena_alloc(mem, sizeof(*o));
	struct err e = ERR_INIT;
	struct json_doc doc;

	o->bytes = slice_of(text);
	assert_int_equal(json_parse(o->bytes, NULL, mem, &doc, &e), 0);
	o->tree = doc.root;
	if (object_fill(o, mem, NULL, NULL, &e) < 0)
		fail_msg("%s", e.reason);
	return o;
}

/* An indicator over a pattern, with further members (", ..."). */
static struct object *
indicator(struct slice pattern, const char *more)
{
	struct strbuf text = STRBUF_INIT;
	struct object *o;

	strbuf_adds(&text, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" IND "\","
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-02T00:00:00.000Z\","
	    "\"valid_from\":\"2026-01-01T00:00:00Z\",\"pattern_type\":\"stix\",\"pattern\":");
	json_print_string(&text, pattern);
	strbuf_addf(&text, "%s}", more);
	o = object(arena_str(mem, strbuf_slice(&text)));
	strbuf_fini(&text);
	return o;
}

static struct flat_list
records(const struct object *o)
{
	struct flat_list l = { .v = NULL };

	flat_read(o, NULL, mem, &l, NULL);
	return l;
}

/* What an output makes of the records of these objects. */
static const char *
written(const char *ending, const struct flat_job *job, struct object *const *v, size_t n)
{
	struct flat_run *run = flat_run_new(flat_output_by_ending(slice_of(ending)), job);
	struct strbuf out = STRBUF_INIT;
	const char *text;

	flat_run_head(run, &out);
	for (size_t i = 0; i < n; i++) {
		struct flat_list l = records(v[i]);

		flat_run_add(run, &l, &out);
	}
	flat_run_tail(run, &out);
	flat_run_free(run);
	text = arena_str(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

static const struct flat_job plain = { .title = "feed" };

/* --- reading -------------------------------------------------------------------------------- */

/* "type value[/role][:port][+protocol][ {context}]" a record, joined by blanks and |. */
static const char *
summary(const struct flat_list *l)
{
	struct strbuf out = STRBUF_INIT;
	const char *text;

	for (size_t i = 0; i < l->n; i++) {
		const struct flat_record *r = &l->v[i];

		strbuf_addf(&out, "%s%s %.*s", i > 0 ? " | " : "", flat_type_word(r->type),
		    SLICE_ARG(r->value));
		if (r->role != FLAT_ROLE_UNKNOWN)
			strbuf_addf(&out, " %s", flat_role_word(r->role));
		if (r->port >= 0)
			strbuf_addf(&out, " :%d", r->port);
		if (r->protocol.n > 0)
			strbuf_addf(&out, " +%.*s", SLICE_ARG(r->protocol));
		if (r->context.n > 0)
			strbuf_addf(&out, " {%.*s}", SLICE_ARG(r->context));
	}
	strbuf_addf(&out, " ~%zu", l->skipped);
	text = arena_str(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

static const struct {
	const char	*pattern, *want;	/* ~ how many tests are skipped */
} patterns[] = {
	{ "[ipv4-addr:value = '192[.]0.2.1']", "ipv4 192.0.2.1 ~0" },
	{ "[ipv4-addr:value = '192.0.2.7/24']", "ipv4-net 192.0.2.0/24 ~0" },
	{ "[ipv4-addr:value ISSUBSET '192.0.2.0/24']", "ipv4-net 192.0.2.0/24 ~0" },
	{ "[ipv6-addr:value = '2001:DB8::0:1']", "ipv6 2001:db8::1 ~0" },
	{ "[ipv6-addr:value IN ('2001:db8::1', '2001:db8::/48')]",
	    "ipv6 2001:db8::1 | ipv6-net 2001:db8::/48 ~0" },
	{ "[domain-name:value = 'B\xc3\xbc" "cher.Example']", "domain xn--bcher-kva.example ~0" },
	{ "[url:value = 'hxxp://Evil[.]example:80']", "url http://evil.example/ ~0" },
	{ "[email-addr:value = 'A@Evil.Example']", "email A@evil.example ~0" },
	{ "[mac-addr:value = 'D2-FB-49-24-37-18']", "mac d2:fb:49:24:37:18 ~0" },
	{ "[autonomous-system:number = 64496]", "asn 64496 ~0" },
	{ "[file:hashes.md5 = '0123456789ABCDEF0123456789ABCDEF']", "md5 " MD5 " ~0" },
	{ "[file:hashes.'SHA-3' = 'x']", " ~1" },
	{ "[file:hashes.MD5 = 'no hash']", " ~1" },
	{ "[artifact:hashes.MD5 = '" MD5 "']", "md5 " MD5 " ~0" },
	{ "[x509-certificate:hashes.'SHA-1' = 'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709']",
	    "cert-sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709 ~0" },
	{ "[windows-registry-key:key = 'HKLM\\\\x']", "regkey HKEY_LOCAL_MACHINE\\x ~0" },
	{ "[mutex:name = 'm'] OR [user-account:account_login = 'u']", "mutex m | user u ~0" },
	{ "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'X/1']",
	    "useragent X/1 ~0" },
	{ "[email-message:from_ref.value = 'a@b.example' OR email-message:to_refs[*].value = "
	    "'c@d.example']", "email a@b.example source | email c@d.example destination ~0" },
	{ "[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443 AND "
	    "network-traffic:protocols[*] = 'TCP']", "ipv4 192.0.2.1 destination :443 +tcp ~0" },
	{ "[network-traffic:src_ref.value = 'evil.example' AND network-traffic:dst_port = 443]",
	    "domain evil.example source ~0" },
	{ "[network-traffic:dst_port = 4444]", " ~1" },
	{ "[file:hashes.MD5 = '" MD5 "' AND file:name = 'a.exe']", "md5 " MD5
	    " {file:name = 'a.exe'} | filename a.exe {file:hashes.MD5 = '" MD5 "'} ~0" },
	{ "[file:hashes.MD5 = '" MD5 "' AND (file:size = 7 OR file:size = 9)]", "md5 " MD5
	    " {file:size IN (7, 9)} ~1" },
	{ "[file:hashes.MD5 = '" MD5 "' AND (file:size = 7 OR file:name = 'x')]", "md5 " MD5
	    " {(file:size = 7 OR file:name = 'x')} | filename x {file:hashes.MD5 = '" MD5 "'} ~1" },
	/* of another observation: its port is not that of the address */
	{ "[ipv4-addr:value = '192.0.2.1'] AND [network-traffic:dst_port = 443]",
	    "ipv4 192.0.2.1 {[network-traffic:dst_port = 443]} ~0" },
	{ "[ipv4-addr:value = '192.0.2.1'] AND [ipv4-addr:value = '192.0.2.2']",
	    "ipv4 192.0.2.1 {[ipv4-addr:value = '192.0.2.2']} | "
	    "ipv4 192.0.2.2 {[ipv4-addr:value = '192.0.2.1']} ~0" },
	{ "[ipv4-addr:value = '192.0.2.1'] OR [ipv4-addr:value NOT = '192.0.2.2']",
	    "ipv4 192.0.2.1 ~1" },
	{ "[ipv4-addr:value != '192.0.2.2']", " ~1" },
	{ "[domain-name:value LIKE '%.evil.example']", " ~1" },
	{ "[domain-name:value MATCHES 'evil']", " ~1" },
	{ "[file:size > 7]", " ~1" },
	{ "[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = "
	    "'192.0.2.1']",
	    "domain a.example {domain-name:resolves_to_refs[*].value = '192.0.2.1'} ~1" },
	{ "[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.2']", " ~1" },
	{ "[ipv4-addr:value = '192.0.2.1'] REPEATS 3 TIMES", " ~1" },
	{ "([ipv4-addr:value = '192.0.2.1'] OR [ipv4-addr:value = '192.0.2.2']) WITHIN 5 SECONDS",
	    " ~1" },
	{ "[ipv4-addr:value = '192.0.2.1'] START t'2026-01-01T00:00:00Z' STOP "
	    "t'2026-01-02T00:00:00Z'", "ipv4 192.0.2.1 ~0" },
	{ "[ipv4-addr:value = 'PLACEHOLDER']", " ~1" },
	{ "[x-own:value = 'x']", " ~1" },
	{ "this is no pattern", " ~1" },
};

static void
test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(patterns); i++) {
		struct flat_list l = records(indicator(slice_of(patterns[i].pattern), ""));

		if (strcmp(summary(&l), patterns[i].want) != 0)
			fail_msg("%s\n\tgave   \"%s\"\n\twanted \"%s\"", patterns[i].pattern,
			    summary(&l), patterns[i].want);
	}
}

static void
test_observables(void **state)
{
	struct flat_list l = records(object("{\"type\":\"file\",\"id\":"
	    "\"file--31b940d4-6f7f-559a-80ea-9c1f17b5891b\",\"name\":\"a\",\"hashes\":{\"MD5\":\""
	    MD5 "\",\"SHA-1\":\"no\"}}"));

	(void)state;
	assert_string_equal(summary(&l), "md5 " MD5 " | filename a ~1");
	assert_false(l.v[0].indicator);
	assert_string_equal(l.v[0].classification, "undetermined");
	l = records(object("{\"type\":\"observed-data\",\"id\":"
	    "\"observed-data--31b940d4-6f7f-459a-80ea-9c1f17b5891b\",\"first_observed\":"
	    "\"2026-01-01T00:00:00Z\",\"last_observed\":\"2026-01-02T00:00:00Z\","
	    "\"number_observed\":1,\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":"
	    "\"2026-01-01T00:00:00.000Z\",\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":"
	    "\"192.0.2.1\"},\"1\":{\"type\":\"autonomous-system\",\"number\":64496}}}"));
	assert_string_equal(summary(&l), "ipv4 192.0.2.1 | asn 64496 ~0");
	assert_true(slice_is(l.v[0].first_seen, "2026-01-01T00:00:00Z"));
	l = records(object("{\"type\":\"vulnerability\",\"id\":"
	    "\"vulnerability--31b940d4-6f7f-459a-80ea-9c1f17b5891b\",\"name\":\"cve-2026-1\","
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\"}"));
	assert_string_equal(summary(&l), "cve CVE-2026-1 ~0");
	l = records(object("{\"type\":\"malware\",\"id\":"
	    "\"malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b\",\"is_family\":false,"
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\"}"));
	assert_int_equal(l.n, 0);
}

/* Other pattern languages stay whole, in the outputs that can hold them. */
static void
test_other_languages(void **state)
{
	struct object *o = object("{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" IND
	    "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","
	    "\"valid_from\":\"2026-01-01T00:00:00Z\",\"pattern_type\":\"yara\",\"pattern\":"
	    "\"rule x {\\n condition: true }\"}");
	struct flat_list l = records(o);

	(void)state;
	assert_int_equal(l.n, 1);
	assert_int_equal(l.v[0].type, FLAT_PATTERN);
	assert_string_equal(written("txt", &plain, &o, 1), "");
	assert_non_null(strstr(written("jsonl", &plain, &o, 1), "rule x {\\n condition: true }"));
	assert_non_null(strstr(written("csv", &plain, &o, 1), "rule x {  condition: true }"));
}

/* A marking that nobody can read is RED: its value is in no list for devices. */
static void
test_an_unreadable_label_is_red(void **state)
{
	struct object *o = indicator(SLICE_LIT("[domain-name:value = 'bad.example.net']"),
	    ",\"object_marking_refs\":[\"marking-definition--33333333-3333-4333-8333-333333333333\"]");
	struct flat_list l = records(o);

	(void)state;
	assert_int_equal(o->label, LABEL_UNREADABLE);
	assert_int_equal(l.v[0].tlp, TLP_RED);
	assert_string_equal(written("txt", &plain, &o, 1), "");
}

static void
test_fields(void **state)
{
	struct object *o = indicator(SLICE_LIT("[ipv4-addr:value = '192.0.2.1']"),
	    ",\"created_by_ref\":\"" CERT "\",\"name\":\"a\\nb\",\"labels\":[\"x;y\",\"z\"],"
	    "\"indicator_types\":[\"anonymization\"],\"confidence\":70,\"kill_chain_phases\":"
	    "[{\"kill_chain_name\":\"k\",\"phase_name\":\"p\"}],\"external_references\":"
	    "[{\"source_name\":\"s\",\"external_id\":\"7\"},{\"source_name\":\"t\",\"url\":"
	    "\"https://site.example/\"}],\"object_marking_refs\":"
	    "[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]");
	struct flat_list l = records(o);
	const struct flat_record *r = &l.v[0];

	(void)state;
	assert_true(slice_is(r->id, IND));
	assert_true(slice_is(r->name, "a b"));
	assert_true(slice_is(r->labels, "x,y;z"));
	assert_true(slice_is(r->kill_chain, "k:p"));
	assert_true(slice_is(r->references, "s:7"));
	assert_true(slice_is(r->source_url, "https://site.example/"));
	assert_true(slice_is(r->source, CERT));
	assert_int_equal(r->confidence, 70);
	assert_int_equal(r->tlp, TLP_GREEN);
	assert_true(slice_is(r->modified, "2026-01-02T00:00:00.000Z"));
	assert_string_equal(r->classification, "proxy");
	assert_string_equal(written("jsonl", &plain, &o, 1), "{\"id\":\"" IND "\",\"type\":\"ipv4\","
	    "\"value\":\"192.0.2.1\",\"name\":\"a b\",\"indicator_types\":[\"anonymization\"],"
	    "\"labels\":[\"x,y\",\"z\"],\"kill_chain\":[\"k:p\"],\"confidence\":70,\"tlp\":"
	    "\"GREEN\",\"valid_from\":\"2026-01-01T00:00:00Z\",\"created\":"
	    "\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-02T00:00:00.000Z\",\"source\":\""
	    CERT "\",\"source_url\":\"https://site.example/\",\"references\":[\"s:7\"],\"pattern\":"
	    "\"[ipv4-addr:value = '192.0.2.1']\",\"classification_type\":\"proxy\","
	    "\"classification_taxonomy\":\"other\"}\n");
}

/* What may stand around an indicator. */
static const char *const around[] = {
	"{\"type\":\"identity\",\"id\":\"" CERT "\",\"name\":\"CERT One\","
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\"}",
	"{\"type\":\"malware\",\"id\":\"malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b\","
	    "\"is_family\":true,\"name\":\"Mal;ware\",\"created\":\"2026-01-01T00:00:00.000Z\","
	    "\"modified\":\"2026-01-01T00:00:00.000Z\"}",
	"{\"type\":\"infrastructure\",\"id\":"
	    "\"infrastructure--31b940d4-6f7f-459a-80ea-9c1f17b5891b\",\"name\":\"i\","
	    "\"infrastructure_types\":[\"command-and-control\"],"
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\"}",
	"{\"type\":\"relationship\",\"id\":"
	    "\"relationship--31b940d4-6f7f-459a-80ea-9c1f17b5891b\",\"relationship_type\":"
	    "\"indicates\",\"source_ref\":\"" IND "\",\"target_ref\":"
	    "\"malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b\","
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\"}",
	"{\"type\":\"relationship\",\"id\":"
	    "\"relationship--31b940d4-6f7f-459a-80ea-9c1f17b5891c\",\"relationship_type\":"
	    "\"indicates\",\"source_ref\":\"" IND "\",\"target_ref\":"
	    "\"infrastructure--31b940d4-6f7f-459a-80ea-9c1f17b5891b\","
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\"}",
	"{\"type\":\"report\",\"id\":\"report--31b940d4-6f7f-459a-80ea-9c1f17b5891b\",\"name\":"
	    "\"Report\",\"published\":\"2026-01-01T00:00:00Z\",\"object_refs\":[\"" IND "\"],"
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\"}",
	"{\"type\":\"sighting\",\"id\":\"sighting--31b940d4-6f7f-459a-80ea-9c1f17b5891b\","
	    "\"sighting_of_ref\":\"" IND "\",\"first_seen\":\"2026-01-03T00:00:00Z\","
	    "\"last_seen\":\"2026-01-04T00:00:00Z\","
	    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\"}"
};

/* Names come from objects around, in whatever order they came by. */
static void
test_index(void **state)
{
	struct object *o = indicator(SLICE_LIT("[ipv4-addr:value = '192.0.2.1']"),
	    ",\"created_by_ref\":\"" CERT "\"");

	(void)state;
	for (int backwards = 0; backwards < 2; backwards++) {
		struct flat_index *x = flat_index_new(0);
		struct flat_look look = flat_index_look(x);
		struct flat_list l = { .v = NULL };

		for (size_t i = 0; i < COUNTOF(around); i++)
			flat_index_add(x, object(around[backwards ? COUNTOF(around) - 1 - i : i]));
		assert_true(flat_read(o, &look, mem, &l, NULL));
		assert_true(slice_is(l.v[0].source, "CERT One"));
		assert_true(slice_is(l.v[0].malware, "Mal,ware"));
		assert_true(slice_is(l.v[0].report, "Report"));
		assert_true(slice_is(l.v[0].first_seen, "2026-01-03T00:00:00Z"));
		assert_true(slice_is(l.v[0].last_seen, "2026-01-04T00:00:00Z"));
		assert_string_equal(l.v[0].classification, "c2-server");
		assert_string_equal(l.v[0].taxonomy, "malicious-code");
		flat_index_free(x);
	}
}

/* What is withdrawn says nothing. */
static void
test_index_forgets(void **state)
{
	struct object *o = indicator(SLICE_LIT("[ipv4-addr:value = '192.0.2.1']"),
	    ",\"created_by_ref\":\"" CERT "\"");
	struct flat_index *x = flat_index_new(0);
	struct flat_look look = flat_index_look(x);
	struct flat_list l = { .v = NULL };

	(void)state;
	for (size_t i = 0; i < COUNTOF(around); i++) {
		struct object *other = object(around[i]);

		other->flags |= OBJECT_REVOKED;
		flat_index_add(x, other);
	}
	assert_true(flat_read(o, &look, mem, &l, NULL));
	assert_true(slice_is(l.v[0].source, CERT));
	assert_int_equal(l.v[0].malware.n + l.v[0].report.n + l.v[0].first_seen.n, 0);
	flat_index_free(x);
}

/* A full index knows no more; it does not grow and does not fail. */
static void
test_index_is_bounded(void **state)
{
	struct flat_index *x = flat_index_new(3);
	struct flat_look look = flat_index_look(x);
	size_t known = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		const char *id = arena_fmt(mem, "identity--31b940d4-6f7f-459a-80ea-9c1f17b5891%d", i);

		flat_index_add(x, object(arena_fmt(mem, "{\"type\":\"identity\",\"id\":\"%s\","
		    "\"name\":\"n\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":"
		    "\"2026-01-01T00:00:00.000Z\"}", id)));
		known += look.name(look.ctx, slice_of(id)).n > 0;
	}
	assert_int_equal(known, 3);
	flat_index_free(x);
}

/* A long pattern is not written again with each of its values. */
static void
test_no_amplification(void **state)
{
	struct strbuf pattern = STRBUF_INIT;
	struct object *o;
	struct flat_list l;
	const char *csv;

	(void)state;
	strbuf_adds(&pattern, "[(ipv4-addr:value IN ('192.0.2.1'");
	for (int i = 0; i < 6000; i++)
		strbuf_addf(&pattern, ",'198.51.%d.%d'", i / 250, i % 250);
	strbuf_adds(&pattern, ") AND (");
	for (int i = 0; i < 3000; i++)
		strbuf_addf(&pattern, "%sfile:name = 'n%d'", i > 0 ? " OR " : "", i);
	strbuf_adds(&pattern, "))]");
	o = indicator(strbuf_slice(&pattern), "");
	l = records(o);
	assert_int_equal(l.n, 9001);
	csv = written("csv", &plain, &o, 1);
	assert_true(strlen(csv) < 9001 * 1200);
	strbuf_fini(&pattern);
}

/* --- guards --------------------------------------------------------------------------------- */

static struct {
	size_t	n;
	char	why[64];
} told;

static void
on_told(void *arg, const struct flat_record *r, enum flat_verdict v, const char *why)
{
	(void)arg;
	(void)r;
	told.n++;
	snprintf(told.why, sizeof(told.why), "%s", why != NULL ? why : flat_verdict_word(v));
}

/* How many records of the object end as that verdict in an output. */
static uint64_t
ends(const char *ending, const struct flat_job *job, const struct object *o, enum flat_verdict v)
{
	struct flat_run *run = flat_run_new(flat_output_by_ending(slice_of(ending)), job);
	struct strbuf out = STRBUF_INIT;
	struct flat_list l = records(o);
	uint64_t n;

	flat_run_tell(run, on_told, NULL);
	told.n = 0;
	flat_run_add(run, &l, &out);
	n = flat_run_count(run, v);
	if (n > 0 && v != FLAT_WRITTEN && v != FLAT_AGAIN)
		assert_int_equal(out.n, 0);
	flat_run_free(run);
	strbuf_fini(&out);
	return n;
}

static void
test_guards(void **state)
{
	struct slice ip = SLICE_LIT("[ipv4-addr:value = '198.18.0.1']");
	struct object *good = indicator(SLICE_LIT("[ipv4-addr:value = '185.0.0.1']"), "");
	struct object *revoked = indicator(ip, ",\"revoked\":true");
	struct object *ended = indicator(ip, ",\"valid_until\":\"2026-03-01T00:00:00Z\"");
	struct object *red = indicator(ip, ",\"object_marking_refs\":"
	    "[\"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1\"]");
	struct object *strict = indicator(ip, ",\"object_marking_refs\":"
	    "[\"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003\"]");
	struct object *named = indicator(SLICE_LIT("[file:name = 'explorer.exe' AND file:size = 7]"),
	    "");
	struct object *shared = indicator(SLICE_LIT("[ipv4-addr:value = '185.0.0.1' AND domain-name:value "
	    "= 'evil.ru' AND url:value = 'http://evil.ru/x' AND network-traffic:dst_port = 80]"), "");
	struct object *both = indicator(SLICE_LIT("[ipv4-addr:value = '185.0.0.1' AND file:size = 7] AND "
	    "[ipv4-addr:value = '185.0.0.2']"), "");
	struct object *mail = indicator(SLICE_LIT("[email-message:from_ref.value = 'a@bank.ru' AND "
	    "email-message:subject = 'x']"), "");
	struct object *twice = indicator(SLICE_LIT("[ipv4-addr:value = '185.0.0.1'] OR "
	    "[ipv4-addr:value = '185[.]0.0.1']"), "");
	struct object *seen = object("{\"type\":\"ipv4-addr\",\"id\":"
	    "\"ipv4-addr--31b940d4-6f7f-559a-80ea-9c1f17b5891b\",\"value\":\"185.0.0.1\"}");
	struct warnlist *w = warnlist_new();
	struct flat_job job = { .title = "t", .now_key = SLICE_LIT("2026-03-01T00:00:00"),
	    .observables = true };

	(void)state;
	warnlist_seal(w);
	assert_int_equal(ends("txt", &job, good, FLAT_WRITTEN), 1);
	assert_int_equal(told.n, 0);
	assert_int_equal(ends("txt", &job, revoked, FLAT_REVOKED), 1);
	assert_int_equal(ends("csv", &job, revoked, FLAT_REVOKED), 1);
	assert_int_equal(ends("stix.json", &job, revoked, FLAT_REVOKED), 1);
	assert_int_equal(ends("txt", &job, ended, FLAT_EXPIRED), 1);
	assert_int_equal(ends("stix.json", &job, ended, FLAT_EXPIRED), 1);
	assert_int_equal(ends("txt", &job, red, FLAT_LABEL), 1);
	assert_int_equal(ends("txt", &job, strict, FLAT_LABEL), 1);
	assert_int_equal(ends("csv", &job, red, FLAT_WRITTEN), 1);
	assert_int_equal(ends("txt", &job, named, FLAT_PART), 1);
	assert_int_equal(ends("csv", &job, named, FLAT_WRITTEN), 1);
	assert_int_equal(ends("jsonl", &job, shared, FLAT_WRITTEN), 3);
	assert_string_equal(written("txt", &job, &shared, 1), "http://evil.ru/x\n");
	assert_string_equal(written("ip.txt", &job, &shared, 1), "");
	assert_string_equal(written("txt", &job, &both, 1), "185.0.0.1\n185.0.0.2\n");
	assert_int_equal(ends("txt", &job, mail, FLAT_PART), 1);
	assert_int_equal(ends("txt", &job, twice, FLAT_AGAIN), 1);
	assert_int_equal(ends("csv", &job, twice, FLAT_WRITTEN), 2);
	assert_int_equal(ends("rules", &job, twice, FLAT_AGAIN), 1);
	assert_int_equal(ends("intel", &job, twice, FLAT_AGAIN), 1);
	assert_int_equal(ends("txt", &job, seen, FLAT_OBSERVED), 1);
	assert_int_equal(ends("csv", &job, seen, FLAT_WRITTEN), 1);
	assert_int_equal(ends("hosts", &job, good, FLAT_CANNOT), 1);
	job.observables = false;
	assert_int_equal(ends("csv", &job, seen, FLAT_OBSERVED), 1);
	job.warn = w;
	assert_int_equal(ends("csv", &job, indicator(ip, ""), FLAT_WARNED), 1);
	assert_string_equal(told.why, "benchmarks (RFC 2544)");
	assert_int_equal(ends("stix.json", &job, indicator(ip, ""), FLAT_WARNED), 1);
	job.warn = NULL;
	job.red = job.keep_ended = true;
	assert_int_equal(ends("txt", &job, red, FLAT_WRITTEN), 1);
	assert_int_equal(ends("csv", &job, revoked, FLAT_WRITTEN), 1);
	assert_int_equal(ends("txt", &job, revoked, FLAT_REVOKED), 1);
	warnlist_free(w);
}

/* --- outputs -------------------------------------------------------------------------------- */

/* The lines of an output below its comments. */
static const char *
body(const char *ending, const char *pattern, const char *more)
{
	struct object *o = indicator(slice_of(pattern), more);
	const char *text = written(ending, &plain, &o, 1);

	while (*text == '#' && strchr(text, '\n') != NULL)
		text = strchr(text, '\n') + 1;
	return text;
}

static void
test_lines(void **state)
{
	(void)state;
	assert_string_equal(body("txt", "[url:value = 'http://a.example/;|\"']", ""),
	    "http://a.example/;%7C%22\n");
	assert_string_equal(body("hosts", "[domain-name:value = 'A.Example' OR domain-name:value = "
	    "'single' OR domain-name:value = '*.b.example']", ""), "0.0.0.0 a.example\n");
	assert_string_equal(body("domain.lst", "[domain-name:value = 'a.example']", ""),
	    "YS5leGFtcGxl\n");
	assert_string_equal(body("cdb", "[ipv6-addr:value = '2001:db8::1'] OR [ipv4-addr:value IN "
	    "('192.0.2.1','10.1.0.0/16','10.1.0.0/15')] OR [file:name = 'a\"b:c']", ""),
	    "\"2001:db8::1\":blacklist\n192.0.2.1:blacklist\n10.1.:blacklist\n");
	assert_string_equal(body("intel", "[url:value = 'https://u@a.example:8443/x?y#z'] OR "
	    "[file:name = '-'] OR [file:name = 'a\\\\b\tc'] OR [file:name = '#fields']",
	    ",\"name\":\"n\\tm\""),
	    "a.example:8443/x?y\tIntel::URL\tfeed\tn m [" IND "]\t-\tF\n"
	    "\\x2d\tIntel::FILE_NAME\tfeed\tn m [" IND "]\t-\tF\n"
	    "a\\x5cb\\x09c\tIntel::FILE_NAME\tfeed\tn m [" IND "]\t-\tF\n"
	    "\\x23fields\tIntel::FILE_NAME\tfeed\tn m [" IND "]\t-\tF\n");
}

/* Cut sids out: they are tested elsewhere. */
static const char *
without_sid(const char *line)
{
	const char *sid = strstr(line, "sid:"), *end = sid == NULL ? NULL : strchr(sid, ';');

	return end == NULL ? line : arena_fmt(mem, "%.*s%s", (int)(sid - line), line, end + 2);
}

#define RULE_END " classtype:trojan-activity; metadata:stix_id " IND ", tlp none; rev:820627200;)\n"

static void
test_rules(void **state)
{
	(void)state;
	assert_string_equal(without_sid(body("rules", "[network-traffic:dst_ref.value = '192.0.2.1' "
	    "AND network-traffic:dst_port = 53 AND network-traffic:protocols[0] = 'udp']",
	    ",\"name\":\"a\\\"b;c\\\\d:e\"")), "alert udp $HOME_NET any -> 192.0.2.1 53 "
	    "(msg:\"feed: a\\\"b\\;c\\\\d:e (no TLP)\";" RULE_END);
	assert_string_equal(without_sid(body("rules", "[network-traffic:src_ref.value = "
	    "'2001:db8::/32']", "")), "alert ip 2001:db8::/32 any -> $HOME_NET any "
	    "(msg:\"feed: blacklist (no TLP)\";" RULE_END);
	assert_string_equal(without_sid(body("rules", "[url:value = 'http://a.example:81/x;y?z=|:']",
	    "")), "alert http $HOME_NET any -> $EXTERNAL_NET 81 (msg:\"feed: blacklist (no TLP)\"; "
	    "http.host; content:\"a.example\"; bsize:9; http.uri.raw; "
	    "content:\"/x|3b|y?z=%7C|3a|\"; bsize:11;" RULE_END);
	assert_string_equal(body("rules", "[url:value = 'ftp://a.example/']", ""), "");
}

/* The number of a rule follows from what it looks for, not from who said it or in which order. */
static void
test_sids_are_stable(void **state)
{
	static const char *const orders[] = {
		"[ipv4-addr:value IN ('192.0.2.1','192.0.2.2','192.0.2.3')]",
		"[ipv4-addr:value IN ('192.0.2.3','192.0.2[.]1','192.0.2.2')]"
	};
	const char *sid[2][3];

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 3; k++) {
			const char *ip = arena_fmt(mem, "-> 192.0.2.%d any", k + 1);
			const char *at = strstr(body("rules", orders[i], i == 0 ? "" :
			    ",\"name\":\"other\""), ip);

			assert_non_null(at);
			sid[i][k] = arena_fmt(mem, "%.14s", strstr(at, "sid:"));
		}
	}
	for (int k = 0; k < 3; k++)
		assert_string_equal(sid[0][k], sid[1][k]);
	assert_string_not_equal(sid[0][0], sid[0][1]);
	assert_string_equal(sid[0][0], "sid:1247145193");
}

/* Two rules never have one number: the second takes the next. */
static void
test_sids_are_unique(void **state)
{
	struct flat_seen *s = flat_seen_new();
	uint32_t first = flat_seen_sid(s, 0, "ip", SLICE_LIT("192.0.2.1"));

	(void)state;
	assert_int_equal(first, 1247145193);
	assert_int_equal(flat_seen_sid(s, 0, "ip", SLICE_LIT("192.0.2.1")), first + 1);
	assert_int_equal(flat_seen_sid(s, 0, "ip", SLICE_LIT("192.0.2.1")), first + 2);
	for (int i = 0; i < 20000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "v%d", i);
		assert_false(flat_seen_add(s, "x", slice_of(text)));
		assert_true(flat_seen_add(s, "x", slice_of(text)));
		assert_false(flat_seen_add(s, "y", slice_of(text)));
		assert_in_range(flat_seen_sid(s, 5000, "x", slice_of(text)), 5000, 1000004999);
	}
	flat_seen_free(s);
}

static void
test_excel_safe(void **state)
{
	struct object *o = indicator(SLICE_LIT("[file:name = '=cmd|x']"), ",\"name\":\"@a\"");
	struct flat_job job = { .title = "t", .excel_safe = true };

	(void)state;
	assert_non_null(strstr(written("csv", &job, &o, 1), ",'=cmd|x,"));
	assert_non_null(strstr(written("csv", &job, &o, 1), ",'@a,"));
	assert_non_null(strstr(written("csv", &plain, &o, 1), ",=cmd|x,"));
}

static void
test_bundle(void **state)
{
	struct object *o = indicator(SLICE_LIT("[ipv4-addr:value = '185.0.0.1']"), ", \"name\" : \"x\"");
	const char *text = written("stix.json", &plain, &o, 1);

	(void)state;
	assert_non_null(strstr(text, o->bytes.p));
	assert_null(strstr(written("stix.json", &plain, &o, 0), "objects"));
}

/* --- what cannot break out ------------------------------------------------------------------ */

struct found {
	const struct flat_list	*list;
	const char		*ending;
	size_t			 n;
};

static void
on_entry(void *arg, struct slice value, struct slice kind)
{
	struct found *f = arg;
	bool whole = strcmp(f->ending, "rules") != 0 && strcmp(f->ending, "stix.json") != 0 &&
	    !slice_is(kind, "URL");

	f->n++;
	for (size_t i = 0; whole && i < f->list->n; i++)
		if (slice_eq(f->list->v[i].value, value))
			return;
	if (whole)
		fail_msg("%s: \"%.*s\" is no value of a record", f->ending, SLICE_ARG(value));
}

/* A text of the signs that end something somewhere. */
static const char *
hostile(uint32_t *seed, size_t n)
{
	static const char *const signs[] = {
		"\n", "\r", "\t", "\"", "'", "\\", ";", ":", "|", ",", "#", "-", "(", ")", " ", "=", "a",
		".", "/", "%", "\xe2\x80\xa8", "\xc2\x85", "\xe2\x80\xae", "{", "}", "x41", "\x7f", "sid:1;"
	};
	struct strbuf text = STRBUF_INIT;
	const char *s;

	for (size_t i = 0; i < n; i++) {
		*seed = *seed * 1103515245 + 12345;
		strbuf_adds(&text, signs[(*seed >> 16) % COUNTOF(signs)]);
	}
	s = arena_str(mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return s;
}

/* One indicator of hostile names, agents, paths and texts. */
static struct object *
hostile_indicator(uint32_t *seed)
{
	static const char *const forms[] = {
		"file:name", "mutex:name", "user-account:user_id", "url:value",
		"network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"
	};
	struct strbuf pattern = STRBUF_INIT, more = STRBUF_INIT;
	struct object *o;

	for (size_t i = 0; i < COUNTOF(forms); i++) {
		const char *value = hostile(seed, 1 + *seed % 12);

		strbuf_addf(&pattern, "%s[%s = '%s", i > 0 ? " OR " : "", forms[i],
		    strcmp(forms[i], "url:value") == 0 ? "http://a.example/" : "");
		for (; *value != '\0'; value++) {
			if (*value == '\'' || *value == '\\')
				strbuf_addc(&pattern, '\\');
			strbuf_addc(&pattern, *value);
		}
		strbuf_adds(&pattern, "']");
	}
	strbuf_adds(&more, ",\"name\":");
	json_print_string(&more, slice_of(hostile(seed, 20)));
	strbuf_adds(&more, ",\"labels\":[");
	json_print_string(&more, slice_of(hostile(seed, 9)));
	strbuf_adds(&more, "],\"external_references\":[{\"source_name\":\"s\",\"url\":");
	json_print_string(&more, slice_of(arena_fmt(mem, "http://%s", hostile(seed, 5))));
	strbuf_adds(&more, "}]");
	o = indicator(strbuf_slice(&pattern), more.p);
	strbuf_fini(&pattern);
	strbuf_fini(&more);
	return o;
}

static void
test_hostile_values_stay_inside(void **state)
{
	uint32_t seed = 4711;
	size_t entries = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct object *o = hostile_indicator(&seed);
		struct flat_list l = records(o);

		for (size_t i = 0; i < COUNTOF(flat_checks); i++) {
			struct found found = { &l, flat_checks[i].ending, 0 };
			const char *text = written(flat_checks[i].ending, &plain, &o, 1);
			const char *why = flat_checks[i].check(slice_of(text), mem, on_entry, &found);

			if (why != NULL)
				fail_msg("round %d: %s\n%s", round, why, text);
			entries += found.n;
		}
	}
	assert_true(entries > 3000);
}

/* --- the rest ------------------------------------------------------------------------------- */

static void
test_table(void **state)
{
	(void)state;
	for (const struct flat_output *o = flat_outputs; o->name != NULL; o++) {
		assert_ptr_equal(flat_output_by_ending(slice_of(o->ending)), o);
		assert_non_null(flat_output_find(slice_of(o->name)));
		assert_true(o->style == FLAT_OBJECTS || o->record != NULL);
		assert_non_null(o->media_type);
	}
	assert_string_equal(flat_output_find(SLICE_LIT("txt"))->ending, "txt");
	assert_string_equal(flat_output_find(SLICE_LIT("txt:sha256"))->ending, "sha256.txt");
	assert_string_equal(flat_output_find(SLICE_LIT("dataset:domain.lst"))->ending, "domain.lst");
	assert_null(flat_output_find(SLICE_LIT("txt:nosuch")));
	assert_null(flat_output_by_ending(SLICE_LIT("exe")));
	assert_string_equal(flat_output_by_ending(SLICE_LIT("suricata"))->ending, "rules");
	assert_string_equal(flat_output_by_ending(SLICE_LIT("zeek"))->ending, "intel");
	assert_string_equal(flat_output_by_ending(SLICE_LIT("wazuh"))->ending, "cdb");
	assert_string_equal(flat_output_by_ending(SLICE_LIT("dataset"))->ending, "domain.lst");
	assert_string_equal(flat_output_by_ending(SLICE_LIT("stix"))->ending, "stix.json");
	for (size_t i = 0; format_writers[i] != NULL; i++)
		assert_non_null(flat_output_find(slice_of(format_writers[i]->name)));
	for (int t = 0; t < FLAT_TYPES; t++)
		assert_int_equal(flat_type_find(slice_of(flat_type_word((enum flat_type)t))), t);
}

/* What conf/README.md says about fields and endings is what is written. */
static void
test_the_manual_is_the_table(void **state)
{
	struct strbuf manual = STRBUF_INIT, want = STRBUF_INIT;

	(void)state;
	assert_int_equal(file_read("conf/README.md", 1 << 20, &manual, NULL), 0);
	strbuf_adds(&want, "<!-- fields: begin -->\n");
	flat_print_dictionary(&want);
	strbuf_adds(&want, "<!-- fields: end -->\n");
	if (strstr(manual.p, want.p) == NULL)
		fail_msg("conf/README.md should hold:\n%s", want.p);
	for (const struct flat_output *o = flat_outputs; o->name != NULL; o++) {
		strbuf_reset(&want);
		strbuf_addf(&want, "| `NAME.%s` | %s | %s |\n", o->ending, o->name, o->help);
		if (strstr(manual.p, want.p) == NULL)
			fail_msg("conf/README.md should hold:\n%s", want.p);
	}
	strbuf_fini(&manual);
	strbuf_fini(&want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_patterns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_languages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_unreadable_label_is_red, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_index_forgets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_index_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_amplification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guards, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sids_are_stable, setup, teardown),
		cmocka_unit_test(test_sids_are_unique),
		cmocka_unit_test_setup_teardown(test_excel_safe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_values_stay_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_manual_is_the_table, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
