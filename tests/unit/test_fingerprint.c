/* If this fails, one indicator from three partners is three alarms, or two different ones are one
 * and the second never arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/fingerprint.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define US "\x1f"
#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MD5_EMPTY "d41d8cd98f00b204e9800998ecf8427e"

/* The object of a JSON text in which ' stands for ". */
static struct object
object_of(struct arena *mem, const char *text)
{
	char *p = arena_str(mem, slice_of(text));
	struct object o = { .index = 0 };
	struct json_doc doc;
	struct err e = ERR_INIT;

	for (char *c = p; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	if (json_parse(slice_of(p), NULL, mem, &doc, &e) < 0)
		fail_msg("%s: %s", text, e.reason);
	o.tree = doc.root;
	o.type = json_member(doc.root, "type");
	return o;
}

/* The text that is hashed; NULL means that there is no fingerprint. */
static const struct {
	const char	*object;
	const char	*want;
} texts[] = {
	{ "{'type':'ipv4-addr','value':'198.51.100.3/32'}",
	    "ipv4-addr" US "value" US "198.51.100.3" },
	{ "{'type':'ipv4-addr','value':' 198[.]51[.]100[.]3','defanged':true}",
	    "ipv4-addr" US "value" US "198.51.100.3" },
	{ "{'type':'ipv4-addr','value':'not one'}", "ipv4-addr" US "value" US "not one" },
	{ "{'type':'ipv4-addr'}", NULL }, { "{'type':'ipv4-addr','value':''}", NULL },
	{ "{'type':'ipv6-addr','value':'2001:DB8::0:1'}",
	    "ipv6-addr" US "value" US "2001:db8::1" },
	{ "{'type':'domain-name','value':'Evil.Example.'}",
	    "domain-name" US "value" US "evil.example" },
	{ "{'type':'url','value':'HTTP://Evil.example:80/A'}",
	    "url" US "value" US "http://evil.example/A" },
	{ "{'type':'domain-name','value':'B\xc3\x9c" "cher.Example'}",
	    "domain-name" US "value" US "xn--bcher-kva.example" },
	{ "{'type':'url','value':'hxxp://B\xc3\xbc" "cher.example/a/../%7eb?\xc3\xbc'}",
	    "url" US "value" US "http://xn--bcher-kva.example/~b?%C3%BC" },
	{ "{'type':'network-traffic','src_ref':'a','dst_port':443,'protocols':['IPv4','6']}",
	    "network-traffic" US "src_ref" US "a" US "dst_port" US "443" US "protocols" US
	    "\x1e_ipv4\x1e_tcp" },
	{ "{'type':'email-addr','value':'Me@Example.COM','display_name':'x'}",
	    "email-addr" US "value" US "Me@example.com" },
	{ "{'type':'mac-addr','value':'D2-FB-49-24-37-18'}",
	    "mac-addr" US "value" US "d2:fb:49:24:37:18" },
	{ "{'type':'autonomous-system','number':64496,'name':'x'}",
	    "autonomous-system" US "number" US "64496" },
	{ "{'type':'autonomous-system','number':'AS64496'}",
	    "autonomous-system" US "number" US "64496" },
	{ "{'type':'mutex','name':' A '}", "mutex" US "name" US " A " },
	{ "{'type':'directory','path':'C:/x'}", "directory" US "path" US "C:/x" },
	{ "{'type':'file','name':'a','size':5,'hashes':{'sha256':'" SHA256_EMPTY "',"
	    "'MD5':'D41D8CD98F00B204E9800998ECF8427E'}}",
	    "file" US "hashes" US "\x1e_\x1e\x1e_MD5\x1e\x1e_" MD5_EMPTY
	    "\x1e_\x1e\x1e_SHA-256\x1e\x1e_" SHA256_EMPTY },
	{ "{'type':'file','name':'a.exe','size':5}", "file" US "name" US "a.exe" },
	{ "{'type':'file','name':'a','parent_directory_ref':'directory--1'}",
	    "file" US "name" US "a" US "parent_directory_ref" US "directory--1" },
	{ "{'type':'file','size':5}", NULL }, { "{'type':'file','hashes':{}}", NULL },
	{ "{'type':'windows-registry-key','key':'HKLM\\\\Soft','values':[]}",
	    "windows-registry-key" US "key" US "hkey_local_machine\\soft" },
	{ "{'type':'user-account','user_id':'7','account_login':'me','account_type':'UNIX'}",
	    "user-account" US "user_id" US "7" US "account_login" US "me" US "account_type" US
	    "unix" },
	{ "{'type':'user-account','account_type':'unix'}", NULL },
	{ "{'type':'software','name':'x','cpe':'cpe:2.3:a:X:y:1:*:*:*:*:*:*:*'}",
	    "software" US "cpe" US "cpe:2.3:a:x:y:1:*:*:*:*:*:*:*" },
	{ "{'type':'software','version':'1','name':'x'}",
	    "software" US "name" US "x" US "version" US "1" },
	{ "{'type':'network-traffic','dst_ref':'ipv4-addr--1','dst_port':443,"
	    "'protocols':['TCP','ipv4','tcp'],'src_byte_count':9}",
	    "network-traffic" US "dst_ref" US "ipv4-addr--1" US "dst_port" US "443" US
	    "protocols" US "\x1e_ipv4\x1e_tcp" },
	{ "{'type':'network-traffic','protocols':['tcp']}", NULL },
	{ "{'type':'x509-certificate','serial_number':'36:f7','issuer':'CN=x'}",
	    "x509-certificate" US "serial_number" US "36:f7" US "issuer" US "CN=x" },
	{ "{'type':'email-message','is_multipart':false,'subject':'s','body':'b',"
	    "'from_ref':'email-addr--1'}",
	    "email-message" US "subject" US "s" US "body" US "b" US "from_ref" US
	    "email-addr--1" },
	{ "{'type':'artifact','payload_bin':'AAAA'}", "artifact" US "payload_bin" US "AAAA" },
	{ "{'type':'process','command_line':'x'}", NULL },
	{ "{'type':'report','name':'x'}", NULL }, { "{'type':'relationship'}", NULL },

	{ "{'type':'indicator','pattern_type':'stix','pattern':'[a:b = 1]'}",
	    "indicator" US "stix" US "[a:b = 1]" },
	{ "{'type':'indicator','pattern':'[ a:b==+1 ]'}", "indicator" US "stix" US "[a:b = 1]" },
	{ "{'type':'indicator','pattern_type':'stix','pattern':' [broken '}",
	    "indicator" US "stix" US "[broken" },
	{ "{'type':'indicator','pattern_type':'Snort','pattern':' alert x '}",
	    "indicator" US "snort" US "alert x" },
	{ "{'type':'indicator','pattern_type':'stix'}", NULL },

	{ "{'type':'vulnerability','name':'cve-2021-44228'}",
	    "vulnerability" US "CVE-2021-44228" },
	{ "{'type':'vulnerability','name':'Log4Shell','external_references':"
	    "[{'source_name':'x','external_id':'CVE-2000-0001'},"
	    "{'source_name':'cve','external_id':'CVE-2021-44228'}]}",
	    "vulnerability" US "CVE-2021-44228" },
	{ "{'type':'vulnerability','name':'CVE-2021-45046 and CVE-2021-44228'}",
	    "vulnerability" US "CVE-2021-44228" US "CVE-2021-45046" },
	{ "{'type':'vulnerability','name':'CVE-21-1 CVE-2021-123 XCVE'}", NULL },
};

static void
test_texts(void **state)
{
	struct arena *mem = arena_new();
	struct strbuf text = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct object o = object_of(mem, texts[i].object);
		bool has = fingerprint_text(&text, mem, &o);

		if (has != (texts[i].want != NULL))
			fail_msg("%s: %s fingerprint", texts[i].object, has ? "has a" : "no");
		if (has && !slice_is(strbuf_slice(&text), texts[i].want))
			fail_msg("%s:\n%s", texts[i].object, text.p);
	}
	strbuf_fini(&text);
	arena_free(mem);
}

static void
fill(struct arena *mem, const char *text, uint8_t fp[FINGERPRINT_LEN])
{
	struct object o = object_of(mem, text);

	fingerprint_fill(&o, mem);
	assert_true(o.has_fp);
	memcpy(fp, o.fp, FINGERPRINT_LEN);
}

/* One address as our IODEF reader, five STIX producers and a CSV mapping write it. */
static void
test_one_address(void **state)
{
	static const char *const patterns[] = {
		"[ipv4-addr:value = \\u00271.2.3.4\\u0027]",
		"[ipv4-addr:value==\\u00271.2.3.4\\u0027]",
		"[ ipv4-addr:value IN (\\u00271.2.3.4\\u0027) ]",
		"[ipv4-addr:value = \\u00271.2.3.4/32\\u0027]",
		"([(ipv4-addr:value = \\u00271.2.3.4\\u0027)])",
		"[ipv4-addr:value ISSUBSET \\u00271.2.3.4/32\\u0027]",
		"[ipv4-addr:\\u0027value\\u0027 = \\u00271[.]2[.]3[.]4\\u0027]",
	};
	struct arena *mem = arena_new();
	uint8_t want[FINGERPRINT_LEN], fp[FINGERPRINT_LEN], text[SHA256_LEN];

	(void)state;
	digest_sha256(SLICE_LIT("indicator" US "stix" US "[ipv4-addr:value = '1.2.3.4']"), text);
	for (size_t i = 0; i < COUNT(patterns); i++) {
		fill(mem, arena_fmt(mem, "{'type':'indicator','id':'indicator--%zu','name':'%zu',"
		    "'pattern_type':'stix','pattern':'%s'}", i, i, patterns[i]), fp);
		if (i == 0)
			memcpy(want, fp, sizeof(want));
		assert_memory_equal(fp, want, sizeof(want));
		assert_memory_equal(fp, text, sizeof(text));
	}
	fill(mem, "{'type':'ipv4-addr','value':'1.2.3.4'}", fp);
	assert_memory_not_equal(fp, want, sizeof(want));
	arena_free(mem);
}

/* Pairs that a careless canonical text would confuse. */
static void
test_no_confusion(void **state)
{
	static const char *const objects[] = {
		"{'type':'software','name':'a','vendor':'b'}",
		"{'type':'software','name':'a\\u001fvendor\\u001fb'}",
		"{'type':'software','name':'a\\u001e_vendor\\u001e_b'}",
		"{'type':'software','name':'a'}",
		"{'type':'software','name':'a','vendor':'b\\u0000'}",
		"{'type':'software','name':'a','vendor':7}",
		"{'type':'windows-registry-key','key':'k','values':[{'name':'a','data':'b'}]}",
		"{'type':'windows-registry-key','key':'k','values':[{'name':'a'},{'data':'b'}]}",
		"{'type':'windows-registry-key','key':'k','values':[{'data':'a','name':'b'}]}",
		"{'type':'windows-registry-key','key':'k','values':[{'data_type':'a','data':'b'}]}",
		"{'type':'windows-registry-key','key':'k'}",
		"{'type':'file','hashes':{'x:y':'z'}}", "{'type':'file','hashes':{'x':'y:z'}}",
		"{'type':'file','hashes':{'x':'y','z':'w'}}",
		"{'type':'file','hashes':{'x':'w','z':'y'}}",
		"{'type':'network-traffic','src_ref':'a--1','dst_ref':'a--2'}",
		"{'type':'network-traffic','src_ref':'a--2','dst_ref':'a--1'}",
		"{'type':'network-traffic','src_ref':'a--1','protocols':['tcp','http']}",
		"{'type':'network-traffic','src_ref':'a--1','protocols':['tcp']}",
	};
	struct arena *mem = arena_new();
	uint8_t fp[COUNT(objects)][FINGERPRINT_LEN];

	(void)state;
	for (size_t i = 0; i < COUNT(objects); i++) {
		fill(mem, objects[i], fp[i]);
		for (size_t k = 0; k < i; k++)
			if (memcmp(fp[i], fp[k], FINGERPRINT_LEN) == 0)
				fail_msg("%s\n%s", objects[i], objects[k]);
	}
	arena_free(mem);
}

/* What has no meaning of its own is marked so, even if the struct held one before. */
static void
test_none(void **state)
{
	struct arena *mem = arena_new();
	struct object o = object_of(mem, "{'type':'report','name':'x'}");

	(void)state;
	o.has_fp = true;
	fingerprint_fill(&o, mem);
	assert_false(o.has_fp);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_one_address),
		cmocka_unit_test(test_no_confusion),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("fingerprint", tests, NULL, NULL);
}
