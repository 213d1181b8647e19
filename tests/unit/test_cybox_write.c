/* If this fails, what we write as CybOX says something else than the pattern or the object it was made of. */
#include "cybox_kit.h"

static struct kit kit;

static int
setup(void **state)
{
	(void)state;
	memset(&kit, 0, sizeof(kit));
	kit.mem = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(kit.mem);
	return 0;
}

/* Patterns that CybOX says exactly. */
static const char *const exact[] = {
	"[ipv4-addr:value = '192.0.2.1']",
	"[ipv4-addr:value != '192.0.2.1']",
	"[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]",
	"[ipv4-addr:value NOT IN ('192.0.2.1', '192.0.2.2')]",
	"[ipv4-addr:value ISSUBSET '192.0.2.0/24']",
	"[ipv4-addr:value NOT ISSUBSET '192.0.2.0/24']",
	"[ipv4-addr:value ISSUBSET '192.0.2.0/24' OR ipv4-addr:value ISSUBSET '198.51.100.0/24']",
	"[ipv6-addr:value = '2001:db8::1']",
	"[file:name = 'a' OR file:size = 3 OR file:name = 'b' OR (file:name = 'c' AND file:size = 4)]",
	"[ipv6-addr:value ISSUBSET '2001:db8::/32']",
	"[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value = '192.0.2.2']",
	"[ipv4-addr:value = '192.0.2.1' OR domain-name:value = 'example.com']",
	"[ipv4-addr:value = '192.0.2.1'] AND [domain-name:value = 'example.com']",
	"[ipv4-addr:value = '192.0.2.1'] OR ([mutex:name = 'a'] AND [mutex:name = 'b'])",
	"([mutex:name = 'a'])",
	"[domain-name:value LIKE '%.example.com']",
	"[domain-name:value LIKE 'www.%']",
	"[domain-name:value LIKE '%evil%']",
	"[domain-name:value NOT LIKE '%evil%']",
	"[domain-name:value NOT LIKE '%evil']",
	"[domain-name:value LIKE '%a%' OR domain-name:value LIKE '%b%']",
	"[domain-name:value LIKE '%a%' AND domain-name:value LIKE '%b%']",
	"[domain-name:value = 'example.com' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
	"[domain-name:value = 'example.com' AND domain-name:resolves_to_refs[*].value = '192.0.2.1' AND "
	    "domain-name:resolves_to_refs[*].value = 'www.example.com']",
	"[url:value = 'http://example.com/a,b']",
	"[url:value IN ('http://example.com/a,b', 'http://example.com/##comma##')]",
	"[url:value MATCHES '^http://[a-z]+\\\\.example/']",
	"[url:value NOT MATCHES 'a,b']",
	"[email-addr:value = 'a@example.com']",
	"[mac-addr:value = '00:1a:2b:3c:4d:5e']",
	"[autonomous-system:number = 64496 AND autonomous-system:name = 'Example']",
	"[mutex:name = 'it''s']",
	"[file:name = 'a.exe']",
	"[file:size >= 10 AND file:size <= 20]",
	"[file:size > 10 AND file:size < 20]",
	"[file:size NOT > 10]",
	"[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
	"[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' OR file:hashes.'SHA-1' = "
	    "'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
	"[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' AND file:hashes.'SHA-1' = "
	    "'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
	"[file:name = 'a' AND (file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' OR file:hashes.'SHA-1' = "
	    "'da39a3ee5e6b4b0d3255bfef95601890afd80709')]",
	"[file:hashes.SSDEEP = '3:abc:def']",
	"[file:hashes.'SHA3-256' = '"
	    "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a']",
	"[file:name = 'a' AND file:parent_directory_ref.path = 'C:\\\\temp']",
	"[file:name = 'temp' AND file:parent_directory_ref.path = 'C:\\\\temp']",
	"[directory:path = '/usr/local']",
	"[directory:path = 'C:\\\\']",
	"[file:extensions.'windows-pebinary-ext'.sections[*].name = '.text' AND "
	    "file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.5]",
	"[file:extensions.'windows-pebinary-ext'.pe_type = 'dll']",
	"[file:extensions.'windows-pebinary-ext'.optional_header.image_base = 4194304]",
	"[file:extensions.'windows-pebinary-ext'.time_date_stamp = t'2024-01-02T03:04:05Z']",
	"[file:extensions.'ntfs-ext'.alternate_data_streams[*].hashes.MD5 = "
	    "'d41d8cd98f00b204e9800998ecf8427e']",
	"[email-message:body_multipart[*].body_raw_ref.name = 'a']",
	"[file:extensions.'pdf-ext'.version = '1.7']",
	"[file:extensions.'archive-ext'.contains_refs[*].name = 'a']",
	"[file:name = 'a' AND file:contains_refs[*].name = 'b']",
	"[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\X']",
	"[windows-registry-key:key LIKE '%\\\\Run']",
	"[windows-registry-key:key = 'SOFTWARE\\\\X' AND windows-registry-key:values[*].name = 'n']",
	"[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]",
	"[network-traffic:src_ref.value = 'example.com']",
	"[network-traffic:dst_ref.value ISSUBSET '192.0.2.0/24']",
	"[network-traffic:protocols[*] = 'ipv4' AND network-traffic:protocols[*] = 'tcp' AND "
	    "network-traffic:protocols[*] = 'http']",
	"[network-traffic:extensions.'http-request-ext'.request_method = 'get' AND "
	    "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'x' AND "
	    "network-traffic:extensions.'http-request-ext'.request_header.Host = 'example.com:8080']",
	"[network-traffic:extensions.'icmp-ext'.icmp_type_hex = h'08']",
	"[network-traffic:extensions.'socket-ext'.is_listening = true]",
	"[email-message:subject = 's' AND email-message:from_ref.value = 'a@example.com']",
	"[email-message:to_refs[*].value = 'a@example.com' AND email-message:to_refs[*].value = "
	    "'b@example.com']",
	"[email-message:to_refs[*].value IN ('a@example.com', 'b@example.com')]",
	"[email-message:date >= t'2024-01-02T03:04:05Z']",
	"[email-message:body = ' exact ']",
	"[email-message:additional_header_fields.'X-Mailer' = 'm']",
	"[process:image_ref.name = 'a.exe' AND process:command_line LIKE '%-x']",
	"[process:image_ref.parent_directory_ref.path = '/bin']",
	"[process:parent_ref.pid = 4 AND process:child_refs[*].pid = 5]",
	"[process:environment_variables.PATH = 'x']",
	"[process:opened_connection_refs[*].dst_ref.value = '192.0.2.1']",
	"[process:extensions.'windows-service-ext'.service_name = 's']",
	"[process:extensions.'windows-process-ext'.aslr_enabled = false]",
	"[user-account:account_login = 'u']",
	"[user-account:user_id = '7' AND user-account:account_type = 'unix']",
	"[user-account:user_id = 'S-1-5' AND user-account:account_type = 'windows-local']",
	"[software:name = 'P' AND software:vendor = 'V' AND software:version = '1']",
	"[x509-certificate:serial_number = '12' AND x509-certificate:issuer = 'CN=x']",
	"[x509-certificate:x509_v3_extensions.key_usage = 'k']",
	"[artifact:mime_type = 'text/plain']",
};

static struct pat_node *
there_and_back(struct slice text, enum cybox_extent *ext, struct slice *xml)
{
	struct cybox_write job = kit_writer(&kit);
	struct cybox_read back = kit_reader(&kit);
	struct pat_node *p = kit_pattern(&kit, text), *again = NULL;
	struct xml_node *el = cybox_write_pattern(&job, p, SLICE_LIT("indicator--1"), ext);
	enum cybox_extent read;

	if (el == NULL) {
		assert_int_equal(*ext, CYBOX_NOTHING);
		return NULL;
	}
	*xml = kit_print(&kit, el);
	kit.told[0] = '\0';
	read = cybox_read_pattern(&back, kit_parse(&kit, *xml), &again);
	if (again == NULL || read != CYBOX_EXACT || kit.told[0] != '\0')
		fail_msg("%.*s: read back with extent %d, told %s\n%.*s", SLICE_ARG(text), read, kit.told,
		    SLICE_ARG(*xml));
	return again;
}

static void
test_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(exact); i++) {
		enum cybox_extent ext;
		struct slice xml = SLICE_EMPTY, text = slice_of(exact[i]);
		struct pat_node *again;

		if (strstr(exact[i], "''") != NULL)
			text = SLICE_LIT("[mutex:name = 'it\\'s']");
		again = there_and_back(text, &ext, &xml);
		if (again == NULL || ext != CYBOX_EXACT ||
		    !slice_eq(kit_canonical(&kit, again), kit_canonical(&kit, kit_pattern(&kit, text))))
			fail_msg("%.*s came back as %s (extent %d)\n%.*s", SLICE_ARG(text), again == NULL ?
			    "nothing" : cybox_pattern_text(kit.mem, again).p, ext, SLICE_ARG(xml));
	}
}

/* Patterns that CybOX has no form for. */
static const char *const formless[] = {
	"[mutex:name = 'a'] FOLLOWEDBY [mutex:name = 'b']",
	"[mutex:name = 'a'] REPEATS 5 TIMES",
	"([mutex:name = 'a'] AND [mutex:name = 'b']) WITHIN 300 SECONDS",
	"[mutex:name = 'a'] OR [mutex:name = 'b'] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z'",
	"[EXISTS file:name]",
	"[ipv4-addr:value ISSUPERSET '192.0.2.0/24']",
	"[domain-name:value ISSUBSET '192.0.2.0/24']",
	"[x-custom:name = 'a']",
	"[file:x_custom = 'a']",
	"[file:extensions.'x-ext'.a = 'b']",
	"[file:name = 'a' AND file:name_enc = 'x']",
	"[file:name LIKE 'a%' AND file:name LIKE '%b']",
	"[file:extensions.'windows-pebinary-ext'.sections[0].name = 'a']",
	"[network-traffic:dst_ref.type = 'ipv4-addr']",
	"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '2001:db8::1']",
	"[file:extensions.'ntfs-ext'.alternate_data_streams[*].name = 'zone']",
	"[user-account:user_id = '7']",
	"[mutex:name = ' a']",
	"[domain-name:resolves_to_refs[*].value = '192.0.2.1']",
	"[mutex:name = '']",
	"[mutex:name = '\x01']",
};

static void
test_formless(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(formless); i++) {
		enum cybox_extent ext;
		struct slice xml = SLICE_EMPTY;

		if (there_and_back(slice_of(formless[i]), &ext, &xml) != NULL)
			fail_msg("%s has a form: %.*s", formless[i], SLICE_ARG(xml));
	}
}

/* What other spelling comes back, and what is said to be wider. */
static const struct {
	const char		*pattern, *back;
	enum cybox_extent	 ext;
} others[] = {
	{ "[file:name = 'a' AND ipv4-addr:value = '192.0.2.1']",
	    "[file:name = 'a'] AND [ipv4-addr:value = '192.0.2.1']", CYBOX_WIDER },
	{ "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1']",
	    "[network-traffic:dst_ref.value = '192.0.2.1']", CYBOX_UNLIKE },
	{ "[file:size = '25']", "[file:size = 25]", CYBOX_UNLIKE },
	{ "[network-traffic:extensions.'http-request-ext'.request_method = 'GET']",
	    "[network-traffic:extensions.'http-request-ext'.request_method = 'get']", CYBOX_UNLIKE },
	{ "[file:name LIKE 'a_b%']", "[file:name MATCHES '^a.b.*$']", CYBOX_EXACT },
	{ "[process:command_line LIKE '% -x']", "[process:command_line MATCHES '^.* -x$']", CYBOX_EXACT },
	{ "[file:name LIKE 'ab']", "[file:name = 'ab']", CYBOX_EXACT },
	{ "[file:name IN ('ab')]", "[file:name = 'ab']", CYBOX_EXACT },
	{ "[(file:name = 'a' OR file:size = 3) AND file:extensions.'pdf-ext'.version = '1.7']",
	    "[(file:name = 'a' AND file:extensions.'pdf-ext'.version = '1.7') OR (file:size = 3 AND "
	    "file:extensions.'pdf-ext'.version = '1.7')]", CYBOX_EXACT },
};

static void
test_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(others); i++) {
		enum cybox_extent ext;
		struct slice xml = SLICE_EMPTY;
		struct pat_node *again = there_and_back(slice_of(others[i].pattern), &ext, &xml);

		if (again == NULL || ext != others[i].ext || !slice_eq(kit_canonical(&kit, again),
		    kit_canonical(&kit, kit_pattern(&kit, slice_of(others[i].back)))))
			fail_msg("%s came back as %s (extent %d)\n%.*s", others[i].pattern, again == NULL ?
			    "nothing" : cybox_pattern_text(kit.mem, again).p, ext, SLICE_ARG(xml));
	}
}

/* Bundles of objects: all come back the same, and their leaves are accounted for. */
static const char *const bundles[] = {
	"[{'type':'ipv4-addr','value':'192.0.2.1'}]",
	"[{'type':'ipv6-addr','value':'2001:db8::/32'}]",
	"[{'type':'mac-addr','value':'00:1a:2b:3c:4d:5e'}]",
	"[{'type':'email-addr','value':'a@example.com'}]",
	"[{'type':'url','value':'http://example.com/'}]",
	"[{'type':'mutex','name':'m'}]",
	"[{'type':'directory','path':'/usr/local','mtime':'2024-01-02T03:04:05Z'}]",
	"[{'type':'autonomous-system','number':64496,'name':'Example','rir':'RIPE NCC'}]",
	"[{'type':'domain-name','value':'example.com','resolves_to_refs':['$ipv4-addr']},"
	    "{'type':'ipv4-addr','value':'192.0.2.1'}]",
	"[{'type':'file','name':'a','size':3,'hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427e','SSDEEP':"
	    "'3:abc:def'},'mtime':'2024-01-02T03:04:05.5Z','parent_directory_ref':'$directory',"
	    "'mime_type':'text/plain','magic_number_hex':'ffd8'},{'type':'directory','path':'C:\\\\x'}]",
	"[{'type':'file','name':'a','extensions':{'windows-pebinary-ext':{'pe_type':'exe','machine_hex':'014c',"
	    "'number_of_sections':4,'time_date_stamp':'2016-01-22T12:31:12Z','size_of_optional_header':224,"
	    "'optional_header':{'magic_hex':'010b','image_base':4194304},'sections':[{'name':'.text','size':4096,"
	    "'entropy':6.5,'hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427e'}},{'name':'.data'}]}}}]",
	"[{'type':'file','name':'a','extensions':{'ntfs-ext':{'sid':'S-1-5','alternate_data_streams':[{'name':"
	    "'s','size':25,'hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427e'}}]}}}]",
	"[{'type':'file','name':'a','extensions':{'pdf-ext':{'version':'1.7','is_optimized':true,"
	    "'document_info_dict':{'Title':'T','Producer':'P'},'pdfid0':'DFCE'}}}]",
	"[{'type':'file','name':'a','extensions':{'archive-ext':{'contains_refs':['$file'],'comment':'c'}}},"
	    "{'type':'file','name':'b'}]",
	"[{'type':'file','name':'a','extensions':{'raster-image-ext':{'image_height':3,'image_width':4,"
	    "'bits_per_pixel':5}}}]",
	"[{'type':'email-message','is_multipart':false,'date':'2024-01-02T03:04:05Z','subject':'s','from_ref':"
	    "'$email-addr','message_id':'m','body':'text','content_type':'text/plain','additional_header_fields':"
	    "{'X-Mailer':'m','Reply-To':'b@example.com'}},{'type':'email-addr','value':'a@example.com'}]",
	"[{'type':'email-message','is_multipart':true,'subject':'s','body_multipart':[{'body':'text'},"
	    "{'body_raw_ref':'$file'}]},{'type':'file','name':'b'}]",
	"[{'type':'network-traffic','start':'2024-01-02T03:04:05Z','src_ref':'$ipv4-addr','dst_ref':"
	    "'$domain-name','src_port':1024,'dst_port':80,'protocols':['ipv4','tcp','http'],'extensions':"
	    "{'http-request-ext':{'request_method':'get','request_value':'/a','request_version':'http/1.1',"
	    "'request_header':{'User-Agent':['x'],'Host':['example.com'],'Referer':['http://example.net/']},"
	    "'message_body_length':7}}},{'type':'ipv4-addr','value':'192.0.2.1'},"
	    "{'type':'domain-name','value':'example.com'}]",
	"[{'type':'network-traffic','src_ref':'$ipv4-addr','protocols':['tcp'],'extensions':{'socket-ext':"
	    "{'address_family':'AF_INET','is_listening':true,'socket_type':'SOCK_STREAM','options':"
	    "{'SO_LINGER':5}}}},{'type':'ipv4-addr','value':'192.0.2.1'}]",
	"[{'type':'windows-registry-key','key':'HKEY_LOCAL_MACHINE\\\\X','values':[{'name':'n','data':'d',"
	    "'data_type':'REG_SZ'},{'name':'o'}],'modified_time':'2024-01-02T03:04:05Z','creator_user_ref':"
	    "'$user-account','number_of_subkeys':3},{'type':'user-account','user_id':'u'}]",
	"[{'type':'user-account','user_id':'1001','account_login':'u','account_type':'unix','display_name':'U',"
	    "'is_disabled':true,'account_created':'2024-01-02T03:04:05Z','account_last_login':"
	    "'2024-02-02T03:04:05Z','extensions':{'unix-account-ext':{'gid':7,'home_dir':'/home/u',"
	    "'shell':'/bin/sh'}}}]",
	"[{'type':'software','name':'P','vendor':'V','version':'1','languages':['en']}]",
	"[{'type':'x509-certificate','serial_number':'12','version':'3','issuer':'i','subject':'s',"
	    "'validity_not_before':'2024-01-02T03:04:05Z','subject_public_key_exponent':65537,"
	    "'x509_v3_extensions':{'key_usage':'k','basic_constraints':'b'}}]",
	"[{'type':'artifact','mime_type':'image/png','payload_bin':'VGV4dA=='}]",
};

/* ' for " , a made id for everyone, and $type for the id of the first other object of that type. */
static json *
parse_bundle(const char *text)
{
	char *s = arena_str(kit.mem, slice_of(text));
	struct strbuf out = STRBUF_INIT;
	struct json_doc doc;
	struct err e = ERR_INIT;

	for (char *p = s; *p != '\0'; p++) {
		if (*p == '$') {
			size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789-");

			strbuf_addf(&out, "%.*s--x", (int)n, p + 1);
			p += n;
		} else {
			strbuf_addc(&out, *p == '\'' ? '"' : *p);
		}
	}
	if (json_parse(strbuf_slice(&out), NULL, kit.mem, &doc, &e) < 0)
		fail_msg("%s in %s", e.reason, out.p);
	strbuf_fini(&out);
	return doc.root;
}

/* The object without its id, and with the ids it refers to made the same. */
static struct slice
comparable(const json *o)
{
	json *copy = json_copy(kit.mem, o);
	struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	struct slice s;

	json_remove(copy, "id");
	json_remove(copy, "spec_version");
	json_print_jcs(&text, copy);
	for (size_t i = 0; i < text.n; i++) {
		strbuf_addc(&out, text.p[i]);
		if (i > 1 && text.p[i] == '-' && text.p[i - 1] == '-') {
			while (i + 1 < text.n && text.p[i + 1] != '"')
				i++;
			strbuf_addc(&out, 'x');
		}
	}
	s = arena_slice(kit.mem, strbuf_slice(&out));
	strbuf_fini(&text);
	strbuf_fini(&out);
	return s;
}

static void
test_objects(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(bundles); i++) {
		json *list = parse_bundle(bundles[i]);
		const json *objects[8];
		struct xml_node *root = xml_new(kit.mem, "http://cybox.mitre.org/cybox-2", "cybox",
		    "Observables");
		struct cybox_write job = kit_writer(&kit);
		struct cybox_read back = kit_reader(&kit);
		struct cybox_objects out = { 0 };
		struct slice xml;
		size_t n = 0;

		for (json *o = json_first(list); o != NULL; o = json_next(o)) {
			struct slice type = json_member(o, "type");

			/* the first is who refers to the others */
			json_put_str(kit.mem, o, "id", slice_of(arena_fmt(kit.mem, "%.*s--%s",
			    SLICE_ARG(type), n == 0 ? "first" : "x")));
			objects[n++] = o;
		}
		kit.objects = objects;
		kit.nobjects = n;
		for (size_t k = 0; k < n; k++) {
			struct ledger *l = ledger_new(kit.mem);
			struct loss loss;
			struct xml_node *el = cybox_write_object(&job, objects[k], l);

			/* an account that is only a name is said in its place alone */
			if (el == NULL && k > 0 && slice_is(json_member(objects[k], "type"),
			    "user-account"))
				continue;
			if (el == NULL)
				fail_msg("%s: nothing for object %zu", bundles[i], k);
			xml_append(root, el);
			loss_init(&loss, kit.mem);
			ledger_mark(l, json_get(objects[k], "id"), LOSS_KEPT, NULL);
			ledger_account(l, &loss, objects[k], "", LOSS_DROPPED, NULL);
			if (loss.count[LOSS_DROPPED] > 0) {
				struct strbuf b = STRBUF_INIT;

				loss_print(&b, &loss);
				fail_msg("%s\n%s%.*s", bundles[i], b.p, SLICE_ARG(kit_print(&kit, el)));
			}
		}
		xml = kit_print(&kit, root);
		kit_parse(&kit, xml);
		kit.told[0] = '\0';
		for (struct xml_node *k = xml_child(kit.root); k != NULL; k = xml_sibling(k))
			assert_true(cybox_read_objects(&back, k, &out, NULL) > 0);
		assert_string_equal(kit.told, "");
		assert_int_equal(out.nlinks, 0);
		for (size_t k = 0; k < n; k++) {
			size_t hit = 0;

			while (hit < out.n && !slice_eq(comparable(out.v[hit].tree), comparable(objects[k])))
				hit++;
			if (hit == out.n)
				fail_msg("%.*s\n%.*s\n%.*s", SLICE_ARG(comparable(objects[k])),
				    SLICE_ARG(comparable(out.v[out.n - 1].tree)), SLICE_ARG(xml));
		}
		assert_int_equal(out.n, n);
	}
}

/* What CybOX cannot say of an object is not marked in the ledger; of some it can say nothing. */
static void
test_dropped(void **state)
{
	json *list = parse_bundle("[{'type':'file','id':'file--x','name':'a','name_enc':'x','content_ref':"
	    "'artifact--x'},{'type':'x-custom','id':'x-custom--x','name':'a'},{'type':'user-account',"
	    "'id':'user-account--x','credential':'c'}]");
	struct cybox_write job = kit_writer(&kit);
	struct ledger *l = ledger_new(kit.mem);
	struct loss loss;

	(void)state;
	assert_non_null(cybox_write_object(&job, json_first(list), l));
	loss_init(&loss, kit.mem);
	ledger_account(l, &loss, json_first(list), "", LOSS_DROPPED, NULL);
	assert_int_equal(loss.count[LOSS_KEPT], 2);	/* type, name */
	assert_int_equal(loss.count[LOSS_DROPPED], 3);
	assert_null(cybox_write_object(&job, json_at(list, 1), NULL));
	assert_null(cybox_write_object(&job, json_at(list, 2), NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(test_formless, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
