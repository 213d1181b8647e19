/* iodef2_read_sco.c -- observables: addresses, software, mail, files, registry keys, certificates. */
#include <string.h>
#include <strings.h>

#include "formats/fingerprint.h"
#include "formats/iodef2_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { PORT_DIGITS = 9 };

/* A tree of that type; with one string property unless `name` is NULL. */
json *
ir_sco_new(struct ir *r, const char *type, const char *name, struct slice value)
{
	json *tree = json_object(r->mem);

	json_put_str(r->mem, tree, "type", slice_of(type));
	if (name != NULL)
		json_put_str(r->mem, tree, name, value);
	return tree;
}

/* Address categories that have an SCO, with the kind of value they must be. */
static const struct {
	const char	*category, *type;
	enum value_kind	 kind;
} addresses[] = {
	{ "ipv4-addr", "ipv4-addr", VALUE_IPV4 }, { "ipv4-net", "ipv4-addr", VALUE_IPV4 },
	{ "ipv6-addr", "ipv6-addr", VALUE_IPV6 }, { "ipv6-net", "ipv6-addr", VALUE_IPV6 },
	{ "mac", "mac-addr", VALUE_MAC }, { "e-mail", "email-addr", VALUE_EMAIL },
	{ "site-uri", "url", VALUE_URL }, { "asn", "autonomous-system", VALUE_ASN },
};

json *
ir_address_tree(struct ir *r, struct slice category, struct slice value, bool *exact)
{
	struct slice canonical, plain = value_refang(value, r->mem);
	unsigned long long number;
	json *tree;

	*exact = slice_eq(plain, value);
	if (category.n == 0)
		category = SLICE_LIT("ipv6-addr");
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		if (!slice_is(category, addresses[i].category))
			continue;
		if (!value_normalise(addresses[i].kind, plain, r->mem, &canonical))
			return NULL;
		if (addresses[i].kind == VALUE_ASN) {
			if (!slice_u64(canonical, &number) || number > UINT32_MAX)
				return NULL;
			*exact = slice_eq(canonical, value);
			tree = ir_sco_new(r, "autonomous-system", NULL, SLICE_EMPTY);
			json_put_int(r->mem, tree, "number", (int64_t)number);
			return tree;
		}
		if (addresses[i].kind == VALUE_MAC)
			plain = canonical;
		*exact = slice_eq(plain, value);
		return ir_sco_new(r, addresses[i].type, "value", plain);
	}
	return NULL;
}

/* SOFTWARE: a CPE gives name, vendor and version; a Description the name. */
struct ir_obj *
ir_software(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_label label)
{
	struct xml_node *ref = xml_get(n, "SoftwareReference");
	struct slice spec = slice_trim(xml_value(ref, "spec-name")), cpe = SLICE_EMPTY;
	struct slice name = ir_child_line(r, n, "Description");
	json *tree = ir_sco_new(r, "software", NULL, SLICE_EMPTY);

	n->mark = XML_KEPT;
	if (slice_is(spec, "cpe")) {
		cpe = ir_line(r, ref);
		ir_attr(ref, "spec-name");
	}
	if (name.n == 0 && slice_starts(cpe, "cpe:2.3:")) {
		struct slice rest = slice_from(cpe.p + 8, cpe.n - 8);

		slice_cut(&rest, ':');		/* part */
		slice_cut(&rest, ':');		/* vendor */
		name = slice_cut(&rest, ':');	/* product */
	}
	if (name.n == 0)
		name = cpe;
	if (name.n == 0)
		return NULL;
	json_put_str(r->mem, tree, "name", name);
	if (cpe.n > 0)
		json_put_str(r->mem, tree, "cpe", cpe);
	if (slice_is(spec, "swid") && xml_child(ref) == NULL) {
		json_put_str(r->mem, tree, "swid", ir_line(r, ref));
		ir_attr(ref, "spec-name");
	}
	return ir_sco(r, inc, tree, label);
}

/* A mail address element as an SCO; NULL if it is none. */
static struct ir_obj *
mail_address(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_refs *refs,
    struct ir_label label)
{
	bool exact;
	json *tree = n == NULL ? NULL :
	    ir_address_tree(r, SLICE_LIT("e-mail"), xml_text_line(n, r->mem), &exact);
	struct ir_obj *ob;

	if (tree == NULL)
		return NULL;
	xml_mark_own(n, exact ? XML_KEPT : XML_APPROXIMATED);
	ob = ir_sco(r, inc, tree, label);
	ir_refs_add(r, refs, ob);
	return ob;
}

/* Header fields of a mail: name -> list of values. */
static void
mail_headers(struct ir *r, json *tree, struct xml_node *n)
{
	struct xml_node *mailer = xml_get(n, "EmailX-Mailer");
	json *headers = json_object(r->mem);

	if (mailer != NULL)
		sdo_list_add(r->mem, headers, "X-Mailer", ir_line(r, mailer));
	for (struct xml_node *k = xml_get(n, "EmailHeaderField"); k != NULL; k = xml_more(k)) {
		const char *name = arena_str(r->mem, slice_trim(xml_value(k, "name")));

		if (*name == '\0' || xml_child(k) != NULL)
			continue;
		sdo_list_add(r->mem, headers, name, ir_text(r, k));
		ir_attr(k, "name");
	}
	if (json_first(headers) != NULL)
		json_put(r->mem, tree, "additional_header_fields", headers);
}

struct ir_obj *
ir_email(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_refs *refs,
    struct ir_label label)
{
	json *tree = ir_sco_new(r, "email-message", NULL, SLICE_EMPTY), *to = json_list(r->mem);
	struct ir_obj *from;
	struct slice text;

	n->mark = XML_KEPT;
	json_put_bool(r->mem, tree, "is_multipart", false);
	from = mail_address(r, inc, xml_get(n, "EmailFrom"), refs, label);
	if (from != NULL)
		json_put_str(r->mem, tree, "from_ref", from->id);
	for (struct xml_node *k = xml_get(n, "EmailTo"); k != NULL; k = xml_more(k)) {
		struct ir_obj *ob = mail_address(r, inc, k, refs, label);

		if (ob != NULL)
			json_push(to, json_string(r->mem, ob->id));
	}
	if (json_first(to) != NULL)
		json_put(r->mem, tree, "to_refs", to);
	if ((text = ir_child_line(r, n, "EmailSubject")).n > 0)
		json_put_str(r->mem, tree, "subject", text);
	mail_headers(r, tree, n);
	if ((text = ir_text(r, xml_get(n, "EmailBody"))).n > 0)
		json_put_str(r->mem, tree, "body", text);
	if (json_count(tree) == 2)
		return NULL;
	return ir_sco(r, inc, tree, label);
}

/* The DigestValue is base64 of the raw digest; hex of the right length is met in the wild. */
bool
ir_hash(struct ir *r, struct xml_node *hash, const char **algorithm, struct slice *hex)
{
	struct xml_node *method = xml_get_ns(hash, IODEF2_NS_DS, "DigestMethod");
	struct xml_node *value = xml_get_ns(hash, IODEF2_NS_DS, "DigestValue");
	const struct iodef2_digest *d = iodef2_digest_by_uri(xml_value(method, "Algorithm"));
	struct slice text = xml_text_line(value, r->mem);
	struct strbuf raw = STRBUF_INIT, out = STRBUF_INIT;
	bool ok = false;

	if (d == NULL)
		return false;
	if (text.n == 2 * d->n && strspn(text.p, "0123456789abcdefABCDEF") == text.n) {
		*hex = text;
		ok = true;
	} else if (base64_decode(text, true, &raw) && raw.n == d->n) {
		hex_add(&out, raw.p, raw.n);
		*hex = arena_slice(r->mem, strbuf_slice(&out));
		ok = true;
	}
	strbuf_fini(&raw);
	strbuf_fini(&out);
	if (!ok)
		return false;
	*algorithm = d->stix;
	hash->mark = XML_KEPT;
	xml_mark_own(method, XML_KEPT);
	ir_attr(method, "Algorithm");
	xml_mark_own(value, XML_KEPT);
	return true;
}

/* Hashes of the content of a file. */
static json *
file_hashes(struct ir *r, struct xml_node *data)
{
	json *hashes = json_object(r->mem);

	if (!slice_is(slice_trim(xml_value(data, "scope")), "file-contents"))
		return hashes;
	for (struct xml_node *h = xml_get(data, "Hash"); h != NULL; h = xml_more(h)) {
		const char *name;
		struct slice hex;

		if (ir_hash(r, h, &name, &hex))
			json_put_str(r->mem, hashes, name, hex);
	}
	for (struct xml_node *f = xml_get(data, "FuzzyHash"); f != NULL; f = xml_more(f)) {
		for (struct xml_node *v = xml_get(f, "FuzzyHashValue"); v != NULL; v = xml_more(v)) {
			struct slice name = slice_trim(xml_value(v, "name"));
			const char *stix = slice_is_nocase(name, "SSDEEP") ? "SSDEEP" :
			    slice_is_nocase(name, "TLSH") ? "TLSH" : NULL;

			if (stix == NULL || xml_child(v) != NULL)
				continue;
			json_put_str(r->mem, hashes, stix, ir_line(r, v));
			f->mark = XML_KEPT;
			ir_attr(v, "name");
		}
	}
	if (json_first(hashes) != NULL) {
		data->mark = XML_KEPT;
		ir_attr(data, "scope");
	}
	return hashes;
}

/* FileProperties name="path": the folder. */
static struct ir_obj *
file_folder(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_refs *refs,
    struct ir_label label)
{
	for (struct xml_node *k = xml_get(n, "FileProperties"); k != NULL; k = xml_more(k)) {
		struct ir_obj *ob;

		if (!slice_is(slice_trim(xml_value(k, "name")), "path") || xml_child(k) != NULL ||
		    xml_text_line(k, r->mem).n == 0)
			continue;
		ir_attr(k, "name");
		ob = ir_sco(r, inc, ir_sco_new(r, "directory", "path", ir_text(r, k)), label);
		ir_refs_add(r, refs, ob);
		return ob;
	}
	return NULL;
}

static void
read_file(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_refs *refs,
    struct ir_label label)
{
	json *tree = ir_sco_new(r, "file", NULL, SLICE_EMPTY);
	json *hashes = file_hashes(r, xml_get(n, "HashData"));
	struct ir_obj *folder = file_folder(r, inc, n, refs, label);
	struct slice name = ir_child_line(r, n, "FileName"), type;
	unsigned long long size;

	n->mark = XML_KEPT;
	for (struct xml_node *k = xml_get(n, "URL"); k != NULL; k = xml_more(k)) {
		if (xml_text_line(k, r->mem).n > 0)
			ir_refs_add(r, refs, ir_sco(r, inc, ir_sco_new(r, "url", "value", ir_line(r, k)),
			    label));
	}
	if (xml_get(n, "AssociatedSoftware") != NULL)
		ir_refs_add(r, refs, ir_software(r, inc, xml_get(n, "AssociatedSoftware"), label));
	if (json_first(hashes) != NULL)
		json_put(r->mem, tree, "hashes", hashes);
	if (slice_u64(xml_text_line(xml_get(n, "FileSize"), r->mem), &size) && size < (1ull << 53)) {
		json_put_int(r->mem, tree, "size", (int64_t)size);
		xml_mark_own(xml_get(n, "FileSize"), XML_KEPT);
	}
	if (name.n > 0)
		json_put_str(r->mem, tree, "name", name);
	if ((type = ir_child_line(r, n, "FileType")).n > 0)
		json_put_str(r->mem, tree, "mime_type", type);
	if (folder != NULL)
		json_put_str(r->mem, tree, "parent_directory_ref", folder->id);
	if (json_first(hashes) != NULL || name.n > 0)
		ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
}

static void
read_key(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_refs *refs,
    struct ir_label label)
{
	struct slice name = ir_child_line(r, n, "KeyName");
	struct xml_node *value = xml_get(n, "Value") != NULL ? xml_get(n, "Value") : xml_get(n, "KeyValue");
	json *tree = ir_sco_new(r, "windows-registry-key", "key", name), *list, *entry;

	if (name.n == 0)
		return;
	n->mark = XML_KEPT;
	if (value != NULL) {
		list = json_put(r->mem, tree, "values", json_list(r->mem));
		entry = json_push(list, json_object(r->mem));
		json_put_str(r->mem, entry, "data", ir_text(r, value));
	}
	ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
}

static void
read_certificate(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_refs *refs,
    struct ir_label label)
{
	struct xml_node *data = xml_get_ns(n, IODEF2_NS_DS, "X509Data");
	struct xml_node *both = xml_get_ns(data, IODEF2_NS_DS, "X509IssuerSerial");
	const struct { struct xml_node *n; const char *name; } rows[] = {
		{ xml_get_ns(both, IODEF2_NS_DS, "X509SerialNumber"), "serial_number" },
		{ xml_get_ns(both, IODEF2_NS_DS, "X509IssuerName"), "issuer" },
		{ xml_get_ns(data, IODEF2_NS_DS, "X509SubjectName"), "subject" },
	};
	json *tree = ir_sco_new(r, "x509-certificate", NULL, SLICE_EMPTY);
	struct xml_node *der = xml_get_ns(data, IODEF2_NS_DS, "X509Certificate");
	struct strbuf raw = STRBUF_INIT;

	n->mark = XML_KEPT;
	for (size_t i = 0; i < 3; i++) {
		if (rows[i].n != NULL && xml_text_line(rows[i].n, r->mem).n > 0)
			json_put_str(r->mem, tree, rows[i].name, ir_line(r, rows[i].n));
	}
	if (json_count(tree) > 1) {
		data->mark = XML_KEPT;
		if (both != NULL)
			both->mark = XML_KEPT;
		ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
	} else if (der != NULL && base64_decode(xml_text_line(der, r->mem), true, &raw) && raw.n > 0) {
		struct strbuf text = STRBUF_INIT;

		base64_add(&text, raw.p, raw.n);
		tree = ir_sco_new(r, "artifact", "mime_type", SLICE_LIT("application/pkix-cert"));
		json_put_str(r->mem, tree, "payload_bin", strbuf_slice(&text));
		strbuf_fini(&text);
		data->mark = XML_KEPT;
		xml_mark_own(der, XML_KEPT);
		ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
	}
	strbuf_fini(&raw);
}

/* What a RecordItem's dtype is as an artifact. `decoded`: the content is base64 or hex of the bytes. */
static const struct {
	const char	*dtype, *mime;
	enum { AS_TEXT, AS_BASE64, AS_HEX } how;
} items[] = {
	{ "string", "text/plain", AS_TEXT }, { "csv", "text/csv", AS_TEXT },
	{ "json", "application/json", AS_TEXT }, { "file", "application/octet-stream", AS_BASE64 },
	{ "byte", "application/octet-stream", AS_BASE64 },
	{ "bytes", "application/octet-stream", AS_HEX }, { "frame", "application/octet-stream", AS_HEX },
	{ "packet", "application/octet-stream", AS_HEX },
	{ "ipv4-packet", "application/octet-stream", AS_HEX },
	{ "ipv6-packet", "application/octet-stream", AS_HEX },
};

/* The bytes of a RecordItem, into *out. */
static bool
item_bytes(struct slice text, int how, struct arena *mem, struct strbuf *out)
{
	void *p;

	if (how == AS_BASE64)
		return base64_decode(text, true, out) && out->n > 0;
	if (how == AS_TEXT) {
		strbuf_addsl(out, text);
		return text.n > 0;
	}
	if (text.n == 0 || text.n % 2 != 0)
		return false;
	p = arena_raw(mem, text.n / 2);
	if (!hex_decode(text, p, text.n / 2))
		return false;
	strbuf_add(out, p, text.n / 2);
	return true;
}

static void
read_item(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_refs *refs,
    struct ir_label label)
{
	struct slice dtype = slice_trim(xml_value(n, "dtype")), text = xml_text_trim(n, r->mem);
	struct slice name = slice_trim(xml_value(n, "name"));
	struct strbuf raw = STRBUF_INIT, out = STRBUF_INIT;
	size_t i = 0;
	json *tree;

	if (xml_child(n) != NULL || text.n == 0)
		return;
	if (slice_is(dtype, "url")) {
		tree = ir_sco_new(r, "url", "value", ir_line(r, n));
		ir_attr(n, "dtype");
		ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
		return;
	}
	if (slice_is(dtype, "string") && slice_is(name, "user-account")) {
		tree = ir_sco_new(r, "user-account", "account_login", ir_line(r, n));
		ir_attr(n, "dtype");
		ir_attr(n, "name");
		ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
		return;
	}
	if (slice_is(dtype, "string") && slice_is(name, "mutex")) {
		tree = ir_sco_new(r, "mutex", "name", ir_line(r, n));
		ir_attr(n, "dtype");
		ir_attr(n, "name");
		ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
		return;
	}
	while (i < sizeof(items) / sizeof(*items) && !slice_is(dtype, items[i].dtype))
		i++;
	if (i < sizeof(items) / sizeof(*items) && item_bytes(text, items[i].how, r->mem, &raw)) {
		base64_add(&out, raw.p, raw.n);
		tree = ir_sco_new(r, "artifact", "mime_type", slice_of(items[i].mime));
		json_put_str(r->mem, tree, "payload_bin", strbuf_slice(&out));
		xml_mark_own(n, XML_KEPT);
		ir_refs_add(r, refs, ir_sco(r, inc, tree, label));
	}
	strbuf_fini(&raw);
	strbuf_fini(&out);
}

/* A child kind of RecordData, with the element inside that holds one observable. */
static const struct {
	const char	*outer, *inner;
	void		(*read)(struct ir *, struct ir_incident *, struct xml_node *, struct ir_refs *,
			    struct ir_label);
} records[] = {
	{ "RecordItem", NULL, read_item },
	{ "FileData", "File", read_file },
	{ "WindowsRegistryKeysModified", "Key", read_key },
	{ "CertificateData", "Certificate", read_certificate },
};

static void
read_record_data(struct ir *r, struct ir_incident *inc, struct xml_node *data, struct ir_refs *refs,
    struct ir_label label)
{
	data->mark = XML_KEPT;
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		for (struct xml_node *n = xml_get(data, records[i].outer); n != NULL; n = xml_more(n)) {
			if (records[i].inner == NULL) {
				records[i].read(r, inc, n, refs, label);
				continue;
			}
			n->mark = XML_KEPT;
			for (struct xml_node *k = xml_get(n, records[i].inner); k != NULL; k = xml_more(k))
				records[i].read(r, inc, k, refs, label);
		}
	}
	for (struct xml_node *n = xml_get(data, "URL"); n != NULL; n = xml_more(n)) {
		if (xml_text_line(n, r->mem).n > 0)
			ir_refs_add(r, refs, ir_sco(r, inc, ir_sco_new(r, "url", "value", ir_line(r, n)),
			    label));
	}
	if (xml_get(data, "Application") != NULL)
		ir_refs_add(r, refs, ir_software(r, inc, xml_get(data, "Application"), label));
}

void
ir_record(struct ir *r, struct ir_incident *inc, struct xml_node *record, struct ir_refs *refs,
    struct ir_label label)
{
	record->mark = XML_KEPT;
	for (struct xml_node *n = xml_get(record, "RecordData"); n != NULL; n = xml_more(n))
		read_record_data(r, inc, n, refs, label);
}

/* Digits at the start of *s, at most nine; false if there are none. */
static bool
take_number(struct slice *s, unsigned *out)
{
	size_t n = 0;
	unsigned v = 0;

	while (n < s->n && n < PORT_DIGITS && s->p[n] >= '0' && s->p[n] <= '9')
		v = v * 10 + (unsigned)(s->p[n++] - '0');
	*s = slice_from(s->p + n, s->n - n);
	*out = v;
	return n > 0;
}

bool
ir_next_port(struct slice *list, unsigned *from, unsigned *to)
{
	struct slice rest = *list, item = slice_trim(slice_cut(&rest, ','));

	if (item.n == 0 || !take_number(&item, from))
		return false;
	*to = *from;
	if (item.n > 0) {
		if (item.p[0] != '-')
			return false;
		item = slice_from(item.p + 1, item.n - 1);
		if (!take_number(&item, to) || item.n > 0 || *to < *from)
			return false;
	}
	/* a comma at the end promises one more */
	if (rest.n == 0 && list->p[list->n - 1] == ',')
		return false;
	*list = rest;
	return true;
}
