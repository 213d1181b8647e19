/* iodef2_read_test.c -- what an Observable holds, as tests of a STIX pattern. */
#include <stdint.h>
#include <string.h>

#include "formats/fingerprint.h"
#include "formats/iodef2_read.h"
#include "formats/iodef2_words.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { TESTS_MAX = 200000 };	/* in one document */

/* One test; NULL if there are too many in the document. */
static struct pat_node *
new_test(struct ir *r, const char *path, enum pat_op op, enum pat_literal_kind kind, struct slice value)
{
	if (r->tests >= TESTS_MAX)
		return NULL;
	r->tests++;
	return pattern_test(r->mem, path, op, kind, &value, 1);
}

struct pat_node *
ir_test(struct ir *r, const char *path, struct slice value)
{
	return value.n == 0 ? NULL : new_test(r, path, PAT_EQ, PAT_STRING, value);
}

struct pat_node *
ir_test_number(struct ir *r, const char *path, enum pat_op op, unsigned long long value)
{
	return new_test(r, path, op, PAT_INT, slice_of(arena_fmt(r->mem, "%llu", value)));
}

static struct pat_node *
all_tests(struct ir *r, const struct pat_list *t)
{
	return pattern_join(r->mem, true, t->v, t->n);
}

static struct pat_node *
any_test(struct ir *r, const struct pat_list *t)
{
	return pattern_join(r->mem, false, t->v, t->n);
}

/* "192.0.2.0/255.255.255.0" with a contiguous mask as "192.0.2.0/24", else empty. */
static struct slice
mask_to_prefix(struct ir *r, struct slice value)
{
	struct slice rest = value, addr = slice_cut(&rest, '/');
	uint32_t mask = 0;
	unsigned bits = 0;

	for (int i = 0; i < 4; i++) {
		unsigned long long byte;
		struct slice part = slice_cut(&rest, '.');

		if (!slice_u64(part, &byte) || byte > 255)
			return SLICE_EMPTY;
		mask = mask << 8 | (uint32_t)byte;
	}
	if (rest.n > 0 || (mask | (mask - 1)) != UINT32_MAX)
		return SLICE_EMPTY;
	for (uint32_t m = mask; m != 0; m <<= 1)
		bits++;
	return slice_of(arena_fmt(r->mem, "%.*s/%u", SLICE_ARG(addr), bits));
}

/* Address categories: path, operator for the plain path, kind of value. */
static const struct {
	const char	*category, *path;
	enum value_kind	 kind;
	enum pat_op	 op;
} address_rows[] = {
	{ "ipv4-addr", "ipv4-addr:value", VALUE_IPV4, PAT_EQ },
	{ "ipv4-net", "ipv4-addr:value", VALUE_IPV4, PAT_ISSUBSET },
	{ "ipv4-net-mask", "ipv4-addr:value", VALUE_IPV4, PAT_ISSUBSET },
	{ "ipv6-addr", "ipv6-addr:value", VALUE_IPV6, PAT_EQ },
	{ "ipv6-net", "ipv6-addr:value", VALUE_IPV6, PAT_ISSUBSET },
	{ "mac", "mac-addr:value", VALUE_MAC, PAT_EQ },
	{ "e-mail", "email-addr:value", VALUE_EMAIL, PAT_EQ },
	{ "site-uri", "url:value", VALUE_URL, PAT_EQ },
	{ "asn", "autonomous-system:number", VALUE_ASN, PAT_EQ },
};

struct pat_node *
ir_test_address(struct ir *r, struct slice category, struct slice value, const char *path,
    bool *none)
{
	struct slice plain = value_refang(value, r->mem), canonical;
	unsigned long long number;
	struct pat_node *p;
	size_t i = 0;

	if (category.n == 0)
		category = SLICE_LIT("ipv6-addr");
	while (i < sizeof(address_rows) / sizeof(*address_rows) &&
	    !slice_is(category, address_rows[i].category))
		i++;
	if (i == sizeof(address_rows) / sizeof(*address_rows))
		return NULL;
	if (slice_is(category, "ipv4-net-mask") && (plain = mask_to_prefix(r, plain)).n == 0)
		return NULL;
	if (!value_normalise(address_rows[i].kind, plain, r->mem, &canonical)) {
		*none = true;
		return NULL;
	}
	if (address_rows[i].kind == VALUE_ASN) {
		if (!slice_u64(canonical, &number))
			return NULL;
		return ir_test_number(r, address_rows[i].path, PAT_EQ, number);
	}
	p = ir_test(r, path != NULL ? path : address_rows[i].path,
	    address_rows[i].kind == VALUE_MAC ? canonical : plain);
	if (p != NULL && memchr(plain.p, '/', plain.n) != NULL)
		p->op = address_rows[i].op;
	return p;
}

static struct pat_node *
address_element(struct ir *r, struct xml_node *n, const char *path, bool *none)
{
	struct pat_node *p = ir_test_address(r, slice_trim(xml_value(n, "category")),
	    xml_text_line(n, r->mem), path, none);

	if (p != NULL) {
		xml_mark_own(n, XML_KEPT);
		ir_attr(n, "category");
	} else if (*none) {
		ir_warn(r, n, "NOT_OBSERVABLE", "\"%.60s\" is no %.20s", xml_text_line(n, r->mem).p,
		    xml_attr(n, "category") != NULL ? xml_value(n, "category").p : "ipv6-addr");
	}
	return p;
}

static struct pat_node *
domain_element(struct ir *r, struct xml_node *n, const char *path)
{
	struct slice name = ir_child_line(r, n, "Name");

	n->mark = XML_KEPT;
	return ir_test(r, path, value_refang(name, r->mem));
}

/* Ports of a Service: single ones by equality, ranges by two bounds, several by OR. */
static struct pat_node *
port_tests(struct ir *r, struct xml_node *n, const char *path)
{
	static const char *const names[] = { "Port", "Portlist" };
	struct pat_list any = { 0 };

	for (size_t i = 0; i < 2; i++) {
		struct slice list = ir_child_line(r, n, names[i]);
		unsigned from, to;

		while (list.n > 0 && ir_next_port(&list, &from, &to)) {
			struct pat_node *v[2];

			if (from == to) {
				pattern_add(&any, r->mem, ir_test_number(r, path, PAT_EQ, from));
				continue;
			}
			v[0] = ir_test_number(r, path, PAT_GE, from);
			v[1] = ir_test_number(r, path, PAT_LE, to);
			pattern_add(&any, r->mem, pattern_join(r->mem, true, v, 2));
		}
	}
	return any_test(r, &any);
}

/* protocols of a Service: transport by number, application by its IANA name. */
static void
protocol_tests(struct ir *r, struct xml_node *n, struct pat_list *all)
{
	static const char path[] = "network-traffic:protocols[*]";
	struct xml_node *name = xml_get(n, "ServiceName");
	unsigned long long number;

	if (slice_u64(slice_trim(xml_value(n, "ip-protocol")), &number) &&
	    iodef2_protocol_name(number) != NULL) {
		ir_attr(n, "ip-protocol");
		pattern_add(all, r->mem, ir_test(r, path, slice_of(iodef2_protocol_name(number))));
	}
	if (xml_get(name, "IANAService") != NULL) {
		name->mark = XML_KEPT;
		pattern_add(all, r->mem, ir_test(r, path,
		    value_lower(ir_child_line(r, name, "IANAService"), r->mem)));
	}
}

static struct pat_node *email_tests(struct ir *r, struct xml_node *n, bool *none);

static struct pat_node *
service_tests(struct ir *r, struct xml_node *n, const char *port_path, bool *none)
{
	struct pat_list all = { 0 };

	n->mark = XML_KEPT;
	pattern_add(&all, r->mem, port_tests(r, n, port_path));
	protocol_tests(r, n, &all);
	if (xml_get(n, "EmailData") != NULL)
		pattern_add(&all, r->mem, email_tests(r, xml_get(n, "EmailData"), none));
	return all_tests(r, &all);
}

static struct pat_node *
service_alone(struct ir *r, struct xml_node *n, bool *none)
{
	return service_tests(r, n, "network-traffic:dst_port", none);
}

/* Node of a System that is one end of traffic: any of its addresses and names. */
static struct pat_node *
end_tests(struct ir *r, struct xml_node *node, const char *path, bool *none)
{
	struct pat_list any = { 0 };

	for (struct xml_node *n = xml_child(node); n != NULL; n = xml_sibling(n)) {
		struct pat_node *p = NULL;

		if (xml_is(n, IODEF2_NS, "Address")) {
			if (!slice_starts(slice_trim(xml_value(n, "category")), "ip") &&
			    xml_attr(n, "category") != NULL)
				continue;	/* a MAC is no end of such traffic */
			p = address_element(r, n, path, none);
			if (p == NULL)
				return NULL;
		} else if (xml_is(n, IODEF2_NS, "DomainData")) {
			p = domain_element(r, n, path);
		}
		pattern_add(&any, r->mem, p);
	}
	return any_test(r, &any);
}

/* Node of a System that is just a thing: a domain that resolves to addresses, or any of them. */
static struct pat_node *
node_tests(struct ir *r, struct xml_node *node, bool *none)
{
	struct xml_node *domain = xml_get(node, "DomainData");
	bool resolves = domain != NULL && xml_more(domain) == NULL && xml_get(node, "Address") != NULL;
	struct pat_list addresses = { 0 }, all = { 0 };
	struct pat_node *p;

	for (struct xml_node *n = xml_get(node, "Address"); n != NULL; n = xml_more(n)) {
		p = address_element(r, n, resolves ? "domain-name:resolves_to_refs[*].value" : NULL,
		    none);
		if (p == NULL)
			return NULL;
		pattern_add(&addresses, r->mem, p);
	}
	for (struct xml_node *n = domain; n != NULL; n = xml_more(n))
		pattern_add(&all, r->mem, domain_element(r, n, "domain-name:value"));
	if (resolves) {
		pattern_add(&all, r->mem, any_test(r, &addresses));
		return all_tests(r, &all);
	}
	for (size_t i = 0; i < addresses.n; i++)
		pattern_add(&all, r->mem, addresses.v[i]);
	return any_test(r, &all);
}

static struct pat_node *
system_tests(struct ir *r, struct xml_node *n, bool *none)
{
	struct slice category = slice_trim(xml_value(n, "category"));
	bool source = slice_is(category, "source"), target = slice_is(category, "target");
	struct xml_node *node = xml_get(n, "Node");
	struct pat_list all = { 0 };

	n->mark = XML_KEPT;
	if (node != NULL)
		node->mark = XML_KEPT;
	if (!source && !target && xml_get(n, "Service") == NULL)
		return node_tests(r, node, none);
	ir_attr(n, "category");
	pattern_add(&all, r->mem, end_tests(r, node, source ? "network-traffic:src_ref.value" :
	    "network-traffic:dst_ref.value", none));
	if (all.n == 0 && xml_child(node) != NULL)
		return NULL;
	for (struct xml_node *s = xml_get(n, "Service"); s != NULL; s = xml_more(s))
		pattern_add(&all, r->mem, service_tests(r, s, source ? "network-traffic:src_port" :
		    "network-traffic:dst_port", none));
	return all_tests(r, &all);
}

static struct pat_node *
email_tests(struct ir *r, struct xml_node *n, bool *none)
{
	static const struct { const char *name, *path; } rows[] = {
		{ "EmailTo", "email-message:to_refs[*].value" },
		{ "EmailFrom", "email-message:from_ref.value" },
		{ "EmailSubject", "email-message:subject" },
		{ "EmailX-Mailer", "email-message:additional_header_fields.'X-Mailer'" },
		{ "EmailBody", "email-message:body" },
	};
	struct pat_list all = { 0 };

	(void)none;
	n->mark = XML_KEPT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (struct xml_node *k = xml_get(n, rows[i].name); k != NULL; k = xml_more(k))
			pattern_add(&all, r->mem, ir_test(r, rows[i].path,
			    i == 4 ? ir_text(r, k) : ir_line(r, k)));
	}
	for (struct xml_node *k = xml_get(n, "EmailHeaderField"); k != NULL; k = xml_more(k)) {
		struct strbuf path = STRBUF_INIT;

		strbuf_adds(&path, "email-message:additional_header_fields.");
		pattern_string(&path, slice_trim(xml_value(k, "name")));
		if (xml_child(k) == NULL) {
			pattern_add(&all, r->mem, ir_test(r, path.p, ir_text(r, k)));
			ir_attr(k, "name");
		}
		strbuf_fini(&path);
	}
	return all_tests(r, &all);
}

static struct pat_node *
hash_test(struct ir *r, const char *object, const char *algorithm, struct slice hex)
{
	return ir_test(r, strpbrk(algorithm, "-0123456789") != NULL && strcmp(algorithm, "MD5") != 0 ?
	    arena_fmt(r->mem, "%s:hashes.'%s'", object, algorithm) :
	    arena_fmt(r->mem, "%s:hashes.%s", object, algorithm), hex);
}

static void
file_hash_tests(struct ir *r, struct xml_node *data, struct pat_list *all)
{
	if (data == NULL || !slice_is(slice_trim(xml_value(data, "scope")), "file-contents"))
		return;
	data->mark = XML_KEPT;
	ir_attr(data, "scope");
	for (struct xml_node *h = xml_get(data, "Hash"); h != NULL; h = xml_more(h)) {
		const char *algorithm;
		struct slice hex;

		if (ir_hash(r, h, &algorithm, &hex))
			pattern_add(all, r->mem, hash_test(r, "file", algorithm, hex));
	}
	for (struct xml_node *f = xml_get(data, "FuzzyHash"); f != NULL; f = xml_more(f)) {
		for (struct xml_node *v = xml_get(f, "FuzzyHashValue"); v != NULL; v = xml_more(v)) {
			const char *name = value_hash_name(slice_trim(xml_value(v, "name")));

			if (name == NULL || xml_child(v) != NULL)
				continue;
			f->mark = XML_KEPT;
			ir_attr(v, "name");
			pattern_add(all, r->mem, hash_test(r, "file", name, ir_line(r, v)));
		}
	}
}

/* A folder beside the file name: FileName may hold it too. */
static void
file_name_tests(struct ir *r, struct xml_node *n, struct pat_list *all)
{
	struct slice name = ir_child_line(r, n, "FileName");

	for (struct xml_node *k = xml_get(n, "FileProperties"); k != NULL; k = xml_more(k)) {
		struct slice dir = xml_text_trim(k, r->mem);

		if (!slice_is(slice_trim(xml_value(k, "name")), "path") || xml_child(k) != NULL ||
		    dir.n == 0)
			continue;
		xml_mark_own(k, XML_KEPT);
		ir_attr(k, "name");
		if (name.n > dir.n + 1 && memcmp(name.p, dir.p, dir.n) == 0 &&
		    (name.p[dir.n] == '\\' || name.p[dir.n] == '/'))
			name = slice_from(name.p + dir.n + 1, name.n - dir.n - 1);
		pattern_add(all, r->mem, ir_test(r, "file:parent_directory_ref.path", dir));
	}
	pattern_add(all, r->mem, ir_test(r, "file:name", name));
}

static struct pat_node *
file_tests(struct ir *r, struct xml_node *n)
{
	struct pat_list all = { 0 };
	unsigned long long size;

	n->mark = XML_KEPT;
	file_hash_tests(r, xml_get(n, "HashData"), &all);
	file_name_tests(r, n, &all);
	if (slice_u64(xml_text_line(xml_get(n, "FileSize"), r->mem), &size)) {
		xml_mark_own(xml_get(n, "FileSize"), XML_KEPT);
		pattern_add(&all, r->mem, ir_test_number(r, "file:size", PAT_EQ, size));
	}
	pattern_add(&all, r->mem, ir_test(r, "file:mime_type", ir_child_line(r, n, "FileType")));
	return all_tests(r, &all);
}

static struct pat_node *
key_tests(struct ir *r, struct xml_node *n)
{
	struct xml_node *value = xml_get(n, "Value") != NULL ? xml_get(n, "Value") : xml_get(n, "KeyValue");
	struct pat_list all = { 0 };

	n->mark = XML_KEPT;
	pattern_add(&all, r->mem, ir_test(r, "windows-registry-key:key", ir_child_line(r, n, "KeyName")));
	pattern_add(&all, r->mem, ir_test(r, "windows-registry-key:values[*].data", ir_text(r, value)));
	return all_tests(r, &all);
}

static struct pat_node *
certificate_tests(struct ir *r, struct xml_node *n)
{
	struct xml_node *data = xml_get_ns(n, IODEF2_NS_DS, "X509Data");
	struct xml_node *both = xml_get_ns(data, IODEF2_NS_DS, "X509IssuerSerial");
	struct pat_list all = { 0 };

	n->mark = XML_KEPT;
	pattern_add(&all, r->mem, ir_test(r, "x509-certificate:serial_number",
	    ir_line(r, xml_get_ns(both, IODEF2_NS_DS, "X509SerialNumber"))));
	pattern_add(&all, r->mem, ir_test(r, "x509-certificate:issuer",
	    ir_line(r, xml_get_ns(both, IODEF2_NS_DS, "X509IssuerName"))));
	pattern_add(&all, r->mem, ir_test(r, "x509-certificate:subject",
	    ir_line(r, xml_get_ns(data, IODEF2_NS_DS, "X509SubjectName"))));
	if (all.n > 0) {
		xml_mark_own(data, XML_KEPT);
		xml_mark_own(both, XML_KEPT);
	}
	return all_tests(r, &all);
}

/* Containers of things that all must be there. */
static struct pat_node *
all_of(struct ir *r, struct xml_node *n, const char *name,
    struct pat_node *(*one)(struct ir *, struct xml_node *))
{
	struct pat_list all = { 0 };

	n->mark = XML_KEPT;
	for (struct xml_node *k = xml_get(n, name); k != NULL; k = xml_more(k)) {
		struct pat_node *p = one(r, k);

		if (p == NULL)
			return NULL;
		if (all.n > 0 || xml_more(k) != NULL)
			p = pattern_bracket(r->mem, p);
		pattern_add(&all, r->mem, p);
	}
	return all_tests(r, &all);
}

static struct pat_node *
files(struct ir *r, struct xml_node *n, bool *none)
{
	(void)none;
	return all_of(r, n, "File", file_tests);
}

static struct pat_node *
keys(struct ir *r, struct xml_node *n, bool *none)
{
	(void)none;
	return all_of(r, n, "Key", key_tests);
}

static struct pat_node *
certificates(struct ir *r, struct xml_node *n, bool *none)
{
	(void)none;
	return all_of(r, n, "Certificate", certificate_tests);
}

static struct pat_node *
record_data(struct ir *r, struct xml_node *n, bool *none)
{
	static struct pat_node *(*const readers[])(struct ir *, struct xml_node *, bool *) = {
		files, keys, certificates,
	};
	static const char *const names[] = {
		"FileData", "WindowsRegistryKeysModified", "CertificateData",
	};
	struct pat_list all = { 0 };

	if (xml_get(n, "RecordItem") != NULL)
		return NULL;
	n->mark = XML_KEPT;
	for (size_t i = 0; i < 3; i++) {
		for (struct xml_node *k = xml_get(n, names[i]); k != NULL; k = xml_more(k)) {
			struct pat_node *p = readers[i](r, k, none);

			if (p == NULL)
				return NULL;
			pattern_add(&all, r->mem, p);
		}
	}
	return all_tests(r, &all);
}

/* EventData: both ends of its first Flow. */
static struct pat_node *
event_tests(struct ir *r, struct xml_node *n, bool *none)
{
	struct xml_node *flow = xml_get(n, "Flow");
	struct pat_list all = { 0 };

	if (flow == NULL || xml_more(flow) != NULL || xml_get(n, "Record") != NULL ||
	    xml_get(n, "EventData") != NULL)
		return NULL;
	n->mark = XML_KEPT;
	flow->mark = XML_KEPT;
	for (struct xml_node *s = xml_get(flow, "System"); s != NULL; s = xml_more(s)) {
		struct pat_node *p = system_tests(r, s, none);

		if (p == NULL)
			return NULL;
		pattern_add(&all, r->mem, p);
	}
	return all_tests(r, &all);
}

static struct pat_node *
address(struct ir *r, struct xml_node *n, bool *none)
{
	return address_element(r, n, NULL, none);
}

static struct pat_node *
domain(struct ir *r, struct xml_node *n, bool *none)
{
	(void)none;
	return domain_element(r, n, "domain-name:value");
}

static const struct {
	const char	*name;
	struct pat_node *(*read)(struct ir *, struct xml_node *, bool *);
} things[] = {
	{ "Address", address }, { "BulkObservable", ir_bulk }, { "DomainData", domain },
	{ "System", system_tests }, { "Service", service_alone }, { "EmailData", email_tests },
	{ "FileData", files }, { "WindowsRegistryKeysModified", keys },
	{ "CertificateData", certificates }, { "RecordData", record_data },
	{ "EventData", event_tests },
};

struct pat_node *
ir_observable(struct ir *r, struct xml_node *thing, bool *none)
{
	static const struct { const char *name; struct pat_node *(*read)(struct ir *, struct xml_node *); }
	    inner[] = {
		{ "File", file_tests }, { "Key", key_tests }, { "Certificate", certificate_tests },
	};

	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		if (xml_is(thing, IODEF2_NS, things[i].name))
			return things[i].read(r, thing, none);
	}
	/* parts that only an ObservableReference can name */
	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++) {
		if (xml_is(thing, IODEF2_NS, inner[i].name))
			return inner[i].read(r, thing);
	}
	return NULL;
}
