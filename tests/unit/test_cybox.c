/* If this fails, an Observable of a STIX 1 document is taken for another pattern or another object than its
 * author meant, or what could not be taken over is not told. */
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

/* An Observable around the content of Properties. */
static struct xml_node *
observable(const char *type, const char *content)
{
	return kit_parse(&kit, slice_of(arena_fmt(kit.mem, "<cybox:Observable " KIT_NAMESPACES
	    " id='ex:Observable-1'><cybox:Object id='ex:Object-1'><cybox:Properties xsi:type='o:%s'%s"
	    "</cybox:Properties></cybox:Object></cybox:Observable>", type, content)));
}

static const char *
read_text(struct xml_node *n, enum cybox_extent *ext)
{
	struct cybox_read job = kit_reader(&kit);
	struct pat_node *p;

	kit.told[0] = '\0';
	*ext = cybox_read_pattern(&job, n, &p);
	if (p == NULL) {
		assert_int_equal(*ext, CYBOX_NOTHING);
		return "";
	}
	assert_int_not_equal(*ext, CYBOX_NOTHING);
	/* what we build is what the parser would build */
	assert_string_equal(cybox_pattern_text(kit.mem, p).p,
	    cybox_pattern_text(kit.mem, kit_pattern(&kit, cybox_pattern_text(kit.mem, p))).p);
	return cybox_pattern_text(kit.mem, p).p;
}

/* Each row: Properties -> pattern, and what is told. */
static const struct {
	const char		*type, *content, *pattern;
	enum cybox_extent	 extent;
	const char		*told;
} properties[] = {
	{ "AddressObjectType", " category='ipv4-addr'><o:Address_Value>192.0.2.1</o:Address_Value>",
	    "[ipv4-addr:value = '192.0.2.1']", CYBOX_EXACT, "" },
	{ "AddressObjectType", "><o:Address_Value condition='Equals'> 192.0.2.1 </o:Address_Value>",
	    "[ipv4-addr:value = '192.0.2.1']", CYBOX_EXACT, "" },
	{ "AddressObjectType", "><o:Address_Value>2001:db8::1</o:Address_Value>",
	    "[ipv6-addr:value = '2001:db8::1']", CYBOX_EXACT, "" },
	{ "AddressObjectType", " category='cidr'><o:Address_Value>192.0.2.0/24</o:Address_Value>",
	    "[ipv4-addr:value ISSUBSET '192.0.2.0/24']", CYBOX_EXACT, "" },
	{ "AddressObjectType", " category='cidr'><o:Address_Value condition='Equals' "
	    "apply_condition='ANY'>192.0.2.0/24##comma##198.51.100.0/24</o:Address_Value>",
	    "[ipv4-addr:value ISSUBSET '192.0.2.0/24' OR ipv4-addr:value ISSUBSET '198.51.100.0/24']",
	    CYBOX_EXACT, "" },
	{ "AddressObjectType", " category='cidr'><o:Address_Value condition='DoesNotEqual'>192.0.2.0/24"
	    "</o:Address_Value>", "[ipv4-addr:value NOT ISSUBSET '192.0.2.0/24']", CYBOX_EXACT, "" },
	{ "AddressObjectType", " category='e-mail'><o:Address_Value condition='EndsWith'>@example.com"
	    "</o:Address_Value>", "[email-addr:value LIKE '%@example.com']", CYBOX_EXACT, "" },
	{ "AddressObjectType", " category='mac'><o:Address_Value>00-1A-2B-3C-4D-5E</o:Address_Value>",
	    "[mac-addr:value = '00:1a:2b:3c:4d:5e']", CYBOX_EXACT, "" },
	{ "AddressObjectType", " category='asn'><o:Address_Value>AS64496</o:Address_Value>",
	    "[autonomous-system:number = 64496]", CYBOX_EXACT, "" },
	{ "AddressObjectType", " category='atm'><o:Address_Value>47.0005</o:Address_Value>",
	    "", CYBOX_NOTHING, "VALUE" },
	{ "DomainNameObjectType", " type='FQDN'><o:Value condition='Equals'>example.com</o:Value>",
	    "[domain-name:value = 'example.com']", CYBOX_EXACT, "" },
	{ "HostnameObjectType", "><o:Hostname_Value>www.example.com</o:Hostname_Value>",
	    "[domain-name:value = 'www.example.com']", CYBOX_EXACT, "" },
	{ "URIObjectType", " type='URL'><o:Value>http://example.com/a%20b</o:Value>",
	    "[url:value = 'http://example.com/a%20b']", CYBOX_EXACT, "" },
	{ "URIObjectType", " type='URL'><o:Value is_defanged='true'>hxxp://example[.]com/</o:Value>",
	    "[url:value = 'http://example.com/']", CYBOX_EXACT, "" },
	{ "URIObjectType", " type='Domain Name'><o:Value>example.com</o:Value>",
	    "[domain-name:value = 'example.com']", CYBOX_EXACT, "" },
	{ "LinkObjectType", "><o:Value>http://example.com/</o:Value><o:URL_Label>here</o:URL_Label>",
	    "[url:value = 'http://example.com/']", CYBOX_WIDER, "PROPERTY" },
	{ "FileObjectType", "><o:File_Name condition='Contains'>re_port</o:File_Name>",
	    "[file:name MATCHES 're_port']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name condition='DoesNotContain'>x##comma##y</o:File_Name>",
	    "[file:name NOT LIKE '%x%' AND file:name NOT LIKE '%y%']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name condition='FitsPattern' pattern_type='Regex'>^a.*$</o:File_Name>",
	    "[file:name MATCHES '^a.*$']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name condition='FitsPattern' pattern_type='XPath'>//a</o:File_Name>",
	    "", CYBOX_NOTHING, "CONDITION" },
	{ "FileObjectType", "><o:File_Name>a</o:File_Name><o:Size_In_Bytes condition='BitwiseAnd'>3"
	    "</o:Size_In_Bytes>", "[file:name = 'a']", CYBOX_WIDER, "CONDITION" },
	{ "FileObjectType", "><o:Size_In_Bytes condition='InclusiveBetween'>10##comma##20</o:Size_In_Bytes>",
	    "[file:size >= 10 AND file:size <= 20]", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:Size_In_Bytes condition='ExclusiveBetween'>10,20</o:Size_In_Bytes>",
	    "[file:size > 10 AND file:size < 20]", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:Size_In_Bytes condition='GreaterThanOrEqual'>10</o:Size_In_Bytes>",
	    "[file:size >= 10]", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:Size_In_Bytes condition='LessThan' apply_condition='NONE'>10"
	    "</o:Size_In_Bytes>", "[file:size NOT < 10]", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:Size_In_Bytes>many</o:Size_In_Bytes>", "", CYBOX_NOTHING, "VALUE" },
	{ "FileObjectType", "><o:File_Name apply_condition='NONE' condition='Equals'>a##comma##b"
	    "</o:File_Name>", "[file:name NOT IN ('a', 'b')]", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name apply_condition='ALL' condition='Contains'>a##comma##b"
	    "</o:File_Name>", "[file:name LIKE '%a%' AND file:name LIKE '%b%']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name delimiter='||'>a, b||c</o:File_Name>",
	    "[file:name IN ('a, b', 'c')]", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name apply_condition='ANY'>a,b</o:File_Name>",
	    "[file:name IN ('a', 'b')]", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name>a,b</o:File_Name>", "[file:name = 'a,b']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Path>C:\\temp\\a.exe</o:File_Path>",
	    "[file:parent_directory_ref.path = 'C:\\\\temp' AND file:name = 'a.exe']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name>a.exe</o:File_Name><o:File_Path>C:\\temp</o:File_Path>",
	    "[file:name = 'a.exe' AND file:parent_directory_ref.path = 'C:\\\\temp']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Path>/usr/local/</o:File_Path>",
	    "[directory:path = '/usr/local']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name>a</o:File_Name><o:File_Extension>doc.exe</o:File_Extension>",
	    "[file:name = 'a.doc.exe']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:Hashes><c:Hash><c:Type>SHA1</c:Type><c:Simple_Hash_Value>"
	    "da39a3ee5e6b4b0d3255bfef95601890afd80709</c:Simple_Hash_Value></c:Hash><c:Hash>"
	    "<c:Simple_Hash_Value>d41d8cd98f00b204e9800998ecf8427e</c:Simple_Hash_Value></c:Hash></o:Hashes>",
	    "[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709' OR "
	    "file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", CYBOX_EXACT, "" },
	{ "FileObjectType", "><o:File_Name>a</o:File_Name><o:Hashes><c:Hash><c:Type>MD5</c:Type>"
	    "<c:Simple_Hash_Value>zz</c:Simple_Hash_Value></c:Hash></o:Hashes>",
	    "[file:name = 'a']", CYBOX_WIDER, "VALUE PROPERTY" },
	{ "WindowsRegistryKeyObjectType", "><o:Key>SOFTWARE\\X</o:Key><o:Hive>HKLM</o:Hive>",
	    "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\X']", CYBOX_EXACT, "" },
	{ "WindowsRegistryKeyObjectType", "><o:Key condition='EndsWith'>\\Run</o:Key>"
	    "<o:Hive>HKEY_USERS</o:Hive>", "[windows-registry-key:key LIKE '%\\\\Run' AND "
	    "windows-registry-key:key LIKE 'HKEY_USERS\\\\%']", CYBOX_EXACT, "" },
	{ "WindowsRegistryKeyObjectType", "><o:Key>HKEY_USERS\\X</o:Key><o:Values><o:Value><o:Name>n</o:Name>"
	    "<o:Data>d</o:Data><o:Datatype>REG_SZ</o:Datatype></o:Value></o:Values>",
	    "[windows-registry-key:key = 'HKEY_USERS\\\\X' AND windows-registry-key:values[*].name = 'n' AND "
	    "windows-registry-key:values[*].data = 'd' AND windows-registry-key:values[*].data_type = "
	    "'REG_SZ']", CYBOX_EXACT, "" },
	{ "NetworkConnectionObjectType", "><o:Layer3_Protocol>IPv4</o:Layer3_Protocol><o:Layer7_Protocol>HTTP"
	    "</o:Layer7_Protocol><o:Destination_Socket_Address><o:IP_Address><o:Address_Value "
	    "condition='StartsWith'>198.51.</o:Address_Value></o:IP_Address><o:Port><o:Port_Value>80"
	    "</o:Port_Value><o:Layer4_Protocol>TCP</o:Layer4_Protocol></o:Port>"
	    "</o:Destination_Socket_Address>", "[network-traffic:protocols[*] = 'ipv4' AND "
	    "network-traffic:protocols[*] = 'tcp' AND network-traffic:protocols[*] = 'http' AND "
	    "network-traffic:dst_ref.value LIKE '198.51.%' AND network-traffic:dst_port = 80]",
	    CYBOX_EXACT, "" },
	{ "SocketAddressObjectType", "><o:IP_Address is_source='true'><o:Address_Value>192.0.2.1"
	    "</o:Address_Value></o:IP_Address><o:Port><o:Port_Value>53</o:Port_Value></o:Port>",
	    "[network-traffic:src_ref.value = '192.0.2.1' AND network-traffic:src_port = 53]",
	    CYBOX_EXACT, "" },
	{ "PortObjectType", "><o:Port_Value>443</o:Port_Value><o:Layer4_Protocol>TCP</o:Layer4_Protocol>",
	    "[network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']", CYBOX_EXACT, "" },
	{ "EmailMessageObjectType", "><o:Header><o:To><o:Recipient category='e-mail'><o:Address_Value>"
	    "a@example.com</o:Address_Value></o:Recipient><o:Recipient category='e-mail'><o:Address_Value>"
	    "b@example.com</o:Address_Value></o:Recipient></o:To><o:Subject>s</o:Subject></o:Header>",
	    "[(email-message:to_refs[*].value = 'a@example.com' OR email-message:to_refs[*].value = "
	    "'b@example.com') AND email-message:subject = 's']", CYBOX_EXACT, "" },
	{ "UnixUserAccountObjectType", " disabled='true'><o:Username>u</o:Username><o:User_ID>7</o:User_ID>",
	    "[user-account:is_disabled = true AND user-account:account_login = 'u' AND "
	    "user-account:user_id = '7' AND user-account:account_type = 'unix']", CYBOX_EXACT, "" },
	{ "ProcessObjectType", "><o:PID>7</o:PID><o:Name>a.exe</o:Name><o:Creation_Time>"
	    "2024-01-02T03:04:05</o:Creation_Time>", "[process:image_ref.name = 'a.exe' AND process:pid = 7 "
	    "AND process:created_time = t'2024-01-02T03:04:05Z']", CYBOX_EXACT, "" },
	{ "MutexObjectType", "><o:Name>m</o:Name>", "[mutex:name = 'm']", CYBOX_EXACT, "" },
	{ "ASObjectType", "><o:Handle>AS64496</o:Handle>", "[autonomous-system:number = 64496]",
	    CYBOX_EXACT, "" },
	{ "ProductObjectType", "><o:Product>P</o:Product><o:Vendor>V</o:Vendor><o:Edition>E</o:Edition>",
	    "[software:name = 'P' AND software:vendor = 'V']", CYBOX_WIDER, "PROPERTY" },
	{ "X509CertificateObjectType", "><o:Certificate><o:Serial_Number>12</o:Serial_Number><o:Validity>"
	    "<o:Not_Before condition='GreaterThan'>2024-01-01T00:00:00+01:00</o:Not_Before></o:Validity>"
	    "</o:Certificate>", "[x509-certificate:serial_number = '12' AND "
	    "x509-certificate:validity_not_before > t'2023-12-31T23:00:00Z']", CYBOX_EXACT, "" },
	{ "DNSRecordObjectType", "><o:Domain_Name><o:Value>example.com</o:Value></o:Domain_Name><o:IP_Address>"
	    "<o:Address_Value>192.0.2.1</o:Address_Value></o:IP_Address>",
	    "[domain-name:value = 'example.com' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
	    CYBOX_EXACT, "" },
	{ "MemoryObjectType", "><o:Name>m</o:Name>", "", CYBOX_NOTHING, "OBJECT" },
	{ "FileObjectType", ">", "", CYBOX_NOTHING, "" },
};

static void
test_properties(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(properties); i++) {
		struct xml_node *n = observable(properties[i].type, properties[i].content);
		enum cybox_extent ext;
		const char *text = read_text(n, &ext);

		if (strcmp(text, properties[i].pattern) != 0 || ext != properties[i].extent ||
		    strcmp(kit.told, properties[i].told) != 0)
			fail_msg("row %zu (%s): %s\n  instead of %s; extent %d, told \"%s\"", i,
			    properties[i].type, text, properties[i].pattern, ext, kit.told);
	}
}

/* Observables around Observables. E(n) is an Observable of the address 192.0.2.n, F of a file name. */
#define E(n)	"<cybox:Observable id='ex:E" n "'><cybox:Object id='ex:OE" n "'><cybox:Properties "	\
		"xsi:type='o:AddressObjectType'><o:Address_Value>192.0.2." n "</o:Address_Value>"	\
		"</cybox:Properties></cybox:Object></cybox:Observable>"
#define F(n)	"<cybox:Observable><cybox:Object><cybox:Properties xsi:type='o:FileObjectType'><o:File_Name>" \
		n "</o:File_Name></cybox:Properties></cybox:Object></cybox:Observable>"
#define GROUP(op, content) "<cybox:Observable_Composition operator='" op "'>" content			\
		"</cybox:Observable_Composition>"
#define OBSERVABLE(attrs, content) "<cybox:Observable " attrs ">" content "</cybox:Observable>"
#define UNKNOWN "<cybox:Observable><cybox:Object><cybox:Properties xsi:type='o:GUIObjectType'><o:Height>1"	\
		"</o:Height></cybox:Properties></cybox:Object></cybox:Observable>"

static const struct {
	const char		*content, *pattern;
	enum cybox_extent	 extent;
	const char		*told;
} compositions[] = {
	{ GROUP("OR", E("1") E("2")), "[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value = '192.0.2.2']",
	    CYBOX_EXACT, "" },
	{ GROUP("AND", E("1") F("a")), "[ipv4-addr:value = '192.0.2.1'] AND [file:name = 'a']",
	    CYBOX_EXACT, "" },
	{ GROUP("AND", OBSERVABLE("", GROUP("OR", E("1") F("a"))) E("2")),
	    "[ipv4-addr:value = '192.0.2.1' OR file:name = 'a'] AND [ipv4-addr:value = '192.0.2.2']",
	    CYBOX_EXACT, "" },
	{ GROUP("OR", OBSERVABLE("", GROUP("AND", E("1") F("a"))) E("2")),
	    "[ipv4-addr:value = '192.0.2.1'] AND [file:name = 'a'] OR [ipv4-addr:value = '192.0.2.2']",
	    CYBOX_EXACT, "" },
	{ GROUP("OR", E("1") OBSERVABLE("idref='ex:E1'", "")),
	    "[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value = '192.0.2.1']", CYBOX_EXACT, "" },
	{ GROUP("OR", E("1") OBSERVABLE("idref='ex:Nobody'", "")), "[ipv4-addr:value = '192.0.2.1']",
	    CYBOX_NARROWER, "REFERENCE" },
	{ GROUP("AND", E("1") OBSERVABLE("idref='ex:Nobody'", "")), "[ipv4-addr:value = '192.0.2.1']",
	    CYBOX_WIDER, "REFERENCE" },
	{ GROUP("AND", E("1") UNKNOWN), "[ipv4-addr:value = '192.0.2.1']", CYBOX_WIDER, "OBJECT" },
	{ GROUP("OR", UNKNOWN UNKNOWN), "", CYBOX_NOTHING, "OBJECT OBJECT" },
	{ GROUP("OR", E("1") OBSERVABLE("idref='ex:Top'", "")), "[ipv4-addr:value = '192.0.2.1']",
	    CYBOX_NARROWER, "LOOP" },
	{ GROUP("AND", OBSERVABLE("negate='true'", GROUP("OR", E("1") F("a"))) E("2")),
	    "[ipv4-addr:value != '192.0.2.1' AND file:name != 'a'] AND [ipv4-addr:value = '192.0.2.2']",
	    CYBOX_EXACT, "" },
	{ GROUP("OR", OBSERVABLE("negate='true'", GROUP("AND", E("1") UNKNOWN)) F("a")),
	    "[ipv4-addr:value != '192.0.2.1' OR file:name = 'a']", CYBOX_NARROWER, "OBJECT" },
	{ "<cybox:Event><cybox:Type>x</cybox:Type></cybox:Event>", "", CYBOX_NOTHING, "EVENT" },
	{ "<cybox:Title>only words</cybox:Title>", "", CYBOX_NOTHING, "EMPTY" },
	{ "<cybox:Object><cybox:Properties xsi:type='o:DomainNameObjectType'><o:Value>example.com</o:Value>"
	    "</cybox:Properties><cybox:Related_Objects><cybox:Related_Object><cybox:Properties "
	    "xsi:type='o:AddressObjectType'><o:Address_Value>192.0.2.1</o:Address_Value></cybox:Properties>"
	    "<cybox:Relationship>Resolved_To</cybox:Relationship></cybox:Related_Object>"
	    "</cybox:Related_Objects></cybox:Object>",
	    "[domain-name:value = 'example.com' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
	    CYBOX_EXACT, "" },
	{ "<cybox:Object><cybox:Properties xsi:type='o:DomainNameObjectType'><o:Value>example.com</o:Value>"
	    "</cybox:Properties><cybox:Related_Objects><cybox:Related_Object><cybox:Properties "
	    "xsi:type='o:AddressObjectType'><o:Address_Value>192.0.2.1</o:Address_Value></cybox:Properties>"
	    "<cybox:Relationship>Connected_To</cybox:Relationship></cybox:Related_Object>"
	    "</cybox:Related_Objects></cybox:Object>",
	    "[domain-name:value = 'example.com'] AND [ipv4-addr:value = '192.0.2.1']", CYBOX_WIDER, "" },
};

static void
test_compositions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(compositions); i++) {
		struct xml_node *n = kit_parse(&kit, slice_of(arena_fmt(kit.mem, "<cybox:Observable "
		    KIT_NAMESPACES " id='ex:Top'>%s</cybox:Observable>", compositions[i].content)));
		enum cybox_extent ext;
		const char *text = read_text(n, &ext);

		if (strcmp(text, compositions[i].pattern) != 0 || ext != compositions[i].extent ||
		    strcmp(kit.told, compositions[i].told) != 0)
			fail_msg("row %zu: %s\n  instead of %s; extent %d, told \"%s\"", i, text,
			    compositions[i].pattern, ext, kit.told);
	}
}

/* Objects: what an Observable is about, and what that refers to. */
static const struct {
	const char	*type, *content;
	const char	*objects;	/* types and the values that tell them, in order; roots with a star */
	const char	*told;
} instances[] = {
	{ "AddressObjectType", "><o:Address_Value>192.0.2.1##comma##192.0.2.2</o:Address_Value>",
	    "*ipv4-addr:192.0.2.1 *ipv4-addr:192.0.2.2", "" },
	{ "FileObjectType", "><o:File_Name condition='Contains'>a</o:File_Name>", "", "CONDITION" },
	{ "FileObjectType", "><o:File_Path>/usr/local/a</o:File_Path>", "directory:/usr/local *file:a", "" },
	{ "FileObjectType", "><o:File_Path>/usr/local/</o:File_Path>", "*directory:/usr/local", "" },
	{ "FileObjectType", "><o:Size_In_Bytes>3</o:Size_In_Bytes>", "", "VALUE" },
	{ "EmailMessageObjectType", "><o:Header><o:From category='e-mail'><o:Address_Value>a@example.com"
	    "</o:Address_Value></o:From><o:Subject>s</o:Subject></o:Header>",
	    "email-addr:a@example.com *email-message:s", "" },
	{ "NetworkConnectionObjectType", "><o:Source_Socket_Address><o:IP_Address><o:Address_Value>192.0.2.1"
	    "</o:Address_Value></o:IP_Address></o:Source_Socket_Address><o:Layer7_Connections><o:HTTP_Session>"
	    "<o:HTTP_Request_Response><o:HTTP_Client_Request><o:HTTP_Request_Line><o:HTTP_Method>GET"
	    "</o:HTTP_Method></o:HTTP_Request_Line></o:HTTP_Client_Request></o:HTTP_Request_Response>"
	    "</o:HTTP_Session></o:Layer7_Connections>", "ipv4-addr:192.0.2.1 *network-traffic:ipv4", "VALUE" },
	{ "PortObjectType", "><o:Port_Value>80</o:Port_Value>", "", "VALUE" },
	{ "WindowsExecutableFileObjectType", "><o:File_Name>x.dll</o:File_Name><o:Sections><o:Section>"
	    "<o:Section_Header><o:Name>.text</o:Name></o:Section_Header></o:Section></o:Sections>",
	    "*file:x.dll", "" },
	{ "ProcessObjectType", "><o:PID>5</o:PID><o:Parent_PID>4</o:Parent_PID>", "process:4 *process:5", "" },
};

/* The member that tells an object of that type. */
static const char *
telling(const json *o)
{
	static const char *const names[] = { "value", "path", "name", "subject", "pid", "protocols" };

	for (size_t i = 0; i < COUNTOF(names); i++) {
		const json *v = json_get(o, names[i]);

		if (v == NULL)
			continue;
		if (json_is_list(v))
			v = json_first(v);
		return json_is_number(v) ? json_number_text(kit.mem, v).p : json_slice(v).p;
	}
	return "?";
}

static const char *
list_objects(const struct cybox_objects *out)
{
	struct strbuf b = STRBUF_INIT;
	const char *s;

	for (size_t i = 0; i < out->n; i++)
		strbuf_addf(&b, "%s%s%s:%s", i > 0 ? " " : "", out->v[i].root ? "*" : "",
		    json_str(json_get(out->v[i].tree, "type")), telling(out->v[i].tree));
	s = arena_str(kit.mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static void
test_instances(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(instances); i++) {
		struct xml_node *n = observable(instances[i].type, instances[i].content);
		struct cybox_read job = kit_reader(&kit);
		struct cybox_objects out = { 0 };

		kit.told[0] = '\0';
		cybox_read_objects(&job, n, &out, NULL);
		if (strcmp(list_objects(&out), instances[i].objects) != 0 ||
		    strcmp(kit.told, instances[i].told) != 0)
			fail_msg("row %zu: %s instead of %s; told \"%s\"", i, list_objects(&out),
			    instances[i].objects, kit.told);
	}
}

/* An attachment is in its message, whichever way the document says so; a link of no property is told. */
static void
test_related(void **state)
{
	static const char text[] = "<r " KIT_NAMESPACES "><cybox:Observable id='ex:A'><cybox:Object id='ex:M'>"
	    "<cybox:Properties xsi:type='o:EmailMessageObjectType'><o:Header><o:Subject>s</o:Subject></o:Header>"
	    "<o:Raw_Body>text</o:Raw_Body><o:Attachments><o:File object_reference='ex:F'/></o:Attachments>"
	    "</cybox:Properties><cybox:Related_Objects><cybox:Related_Object id='ex:F'><cybox:Properties "
	    "xsi:type='o:FileObjectType'><o:File_Name>f</o:File_Name></cybox:Properties><cybox:Relationship>"
	    "Contains</cybox:Relationship></cybox:Related_Object><cybox:Related_Object idref='ex:U'>"
	    "<cybox:Relationship>Received_From</cybox:Relationship></cybox:Related_Object>"
	    "</cybox:Related_Objects></cybox:Object></cybox:Observable><cybox:Observable id='ex:B'><cybox:Object "
	    "id='ex:U'><cybox:Properties xsi:type='o:URIObjectType'><o:Value>http://example.com/</o:Value>"
	    "</cybox:Properties></cybox:Object></cybox:Observable></r>";
	struct xml_node *r = kit_parse(&kit, slice_of(text));
	struct cybox_read job = kit_reader(&kit);
	struct cybox_objects out = { 0 };
	const struct slice *roots;
	const json *mail, *parts;

	(void)state;
	assert_int_equal(cybox_read_objects(&job, xml_child(r), &out, &roots), 1);
	assert_int_equal(out.n, 3);
	mail = out.v[1].tree;
	assert_string_equal(json_str(json_get(mail, "type")), "email-message");
	assert_true(slice_eq(roots[0], out.v[1].id));
	assert_true(json_bool(json_get(mail, "is_multipart")));
	parts = json_get(mail, "body_multipart");
	assert_int_equal(json_count(parts), 2);
	assert_string_equal(json_str(json_get(json_first(parts), "body")), "text");
	assert_true(slice_eq(json_member(json_at(parts, 1), "body_raw_ref"), out.v[0].id));
	assert_int_equal(out.nlinks, 1);
	assert_true(slice_is(out.links[0].relationship, "Received_From"));
	assert_true(slice_eq(out.links[0].from, roots[0]));
	assert_true(slice_eq(out.links[0].to, out.v[2].id));
	/* a second mention of what is there adds nothing */
	assert_int_equal(cybox_read_objects(&job, xml_sibling(xml_child(r)), &out, &roots), 1);
	assert_int_equal(out.n, 3);
	assert_true(slice_eq(roots[0], out.v[2].id));
	assert_string_equal(kit.told, "");
}

/* What was taken over is marked, what was not is not. */
static void
test_marks(void **state)
{
	struct xml_node *n = observable("FileObjectType", " is_packed='true'><o:File_Name condition='Equals' "
	    "regex_syntax='x'>a</o:File_Name><o:Device_Path>b</o:Device_Path><o:Modified_Time>"
	    "2024-01-01T00:00:00</o:Modified_Time>"), *p = xml_get(xml_child(n), "Properties"), *k;
	enum cybox_extent ext;

	(void)state;
	assert_string_equal(read_text(n, &ext), "[file:name = 'a' AND file:mtime = t'2024-01-01T00:00:00Z']");
	assert_int_equal(ext, CYBOX_WIDER);
	k = xml_child(p);
	assert_int_equal(p->attrs->mark, XML_KEPT);
	assert_int_equal(xml_attr(p, "is_packed")->mark, XML_UNSEEN);
	assert_int_equal(k->mark, XML_KEPT);
	assert_int_equal(k->first->mark, XML_KEPT);
	assert_int_equal(xml_attr(k, "condition")->mark, XML_KEPT);
	assert_int_equal(xml_attr(k, "regex_syntax")->mark, XML_UNSEEN);
	k = xml_sibling(k);
	assert_int_equal(k->mark, XML_UNSEEN);
	assert_int_equal(k->first->mark, XML_UNSEEN);
	k = xml_sibling(k);
	assert_int_equal(k->first->mark, XML_APPROXIMATED);
	assert_int_equal(xml_attr(n, "id")->mark, XML_UNSEEN);
}

/* References that multiply are stopped by the budget that all calls share. */
static void
test_budget(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct cybox_read job = kit_reader(&kit);
	size_t steps = 0;
	struct pat_node *p;
	struct xml_node *r;

	(void)state;
	job.told = NULL;
	job.steps = &steps;
	strbuf_adds(&b, "<r " KIT_NAMESPACES ">");
	for (int i = 0; i < 20; i++)
		strbuf_addf(&b, "<cybox:Observable id='ex:L%d'><cybox:Observable_Composition operator='AND'>"
		    "<cybox:Observable idref='ex:L%d'/><cybox:Observable idref='ex:L%d'/>"
		    "</cybox:Observable_Composition></cybox:Observable>", i, i + 1, i + 1);
	strbuf_adds(&b, "<cybox:Observable id='ex:L20'><cybox:Object><cybox:Properties "
	    "xsi:type='o:MutexObjectType'><o:Name>m</o:Name></cybox:Properties></cybox:Object>"
	    "</cybox:Observable></r>");
	r = kit_parse(&kit, strbuf_slice(&b));
	strbuf_fini(&b);
	for (int i = 0; i < 30; i++)
		cybox_read_pattern(&job, xml_child(r), &p);
	assert_null(p);
	assert_true(steps < 1100000);
	assert_true(arena_bytes(kit.mem) < 16u << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_properties, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compositions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_instances, setup, teardown),
		cmocka_unit_test_setup_teardown(test_related, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_budget, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
