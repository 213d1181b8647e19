/*
 * iodef2_write_record.c -- SCOs without an address: files, registry keys, certificates, mails, software,
 * accounts and the rest as RecordData (mapping.md 2.4).
 */
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

typedef bool record_fn(struct iw *w, struct iw_obj *ob, struct xml_node *data);

static struct xml_node *
record_item(struct iw *w, struct iw_obj *ob, struct xml_node *data, const char *dtype,
    struct slice text)
{
	struct xml_node *n = iw_leaf(w, data, "RecordItem", text);

	iw_set(w, n, "dtype", dtype);
	xml_set(w->mem, n, "name", ob->o->type);
	return n;
}

static void
mark_text(struct iw *w, struct iw_obj *ob, const char *prop)
{
	iw_mark(w, ob, iw_exact(json_member(ob->o->tree, prop), IW_LINE) ? LOSS_KEPT :
	    LOSS_APPROXIMATED, prop);
}

static bool
on_file(struct iw *w, struct iw_obj *ob, struct xml_node *data)
{
	struct xml_node *file = iw_el(w, iw_el(w, data, "FileData"), "File"), *hashes = NULL, *n;
	struct slice name = json_member(ob->o->tree, "name"), path = SLICE_EMPTY, size;
	struct iw_obj *dir = iw_find(w, json_member(ob->o->tree, "parent_directory_ref"));
	json *h;

	if (slice_is(ob->o->type, "directory"))
		path = json_member(ob->o->tree, "path");
	else if (dir != NULL && iw_label_covers(iw_label_at(data), iw_label(dir->o)))
		path = json_member(dir->o->tree, "path");
	if (name.n > 0) {
		iw_leaf(w, file, "FileName", path.n > 0 ? iw_join_path(w, path, name) : name);
		mark_text(w, ob, "name");
	}
	size = json_number_text(w->mem, json_get(ob->o->tree, "size"));
	if (size.n > 0 && memchr(size.p, '.', size.n) == NULL) {
		iw_leaf(w, file, "FileSize", size);
		iw_mark(w, ob, LOSS_KEPT, "size");
	}
	iw_prop(w, ob, file, "FileType", "mime_type", IW_LINE);
	for (h = json_first(json_get(ob->o->tree, "hashes")); h != NULL; h = json_next(h)) {
		if (!iw_hash_can(slice_of(json_name(h)), json_slice(h)))
			continue;
		if (hashes == NULL) {
			hashes = iw_el(w, file, "HashData");
			iw_set(w, hashes, "scope", "file-contents");
		}
		iw_hash(w, hashes, slice_of(json_name(h)), json_slice(h));
		iw_markf(w, ob, LOSS_KEPT, "hashes.%s", json_name(h));
	}
	if (path.n > 0) {
		n = iw_leaf(w, file, "FileProperties", path);
		iw_set(w, n, "dtype", "path");
		iw_set(w, n, "name", "path");
		mark_text(w, slice_is(ob->o->type, "directory") ? ob : dir, "path");
		if (dir != NULL && dir != ob)
			iw_claim(w, dir, n);
	}
	return xml_child(file) != NULL;
}

/* A Key for each value; the name of the value is the last step of KeyName. */
static bool
on_registry(struct iw *w, struct iw_obj *ob, struct xml_node *data)
{
	struct xml_node *keys, *k;
	struct slice key = json_member(ob->o->tree, "key"), name, value;
	json *v = json_first(json_get(ob->o->tree, "values"));

	if (slice_trim(key).n == 0)
		return false;
	keys = iw_el(w, data, "WindowsRegistryKeysModified");
	mark_text(w, ob, "key");
	if (v == NULL) {
		iw_leaf(w, iw_el(w, keys, "Key"), "KeyName", key);
		return true;
	}
	iw_mark(w, ob, LOSS_APPROXIMATED, "values");
	for (; v != NULL; v = json_next(v)) {
		k = iw_el(w, keys, "Key");
		name = json_member(v, "name");
		value = json_member(v, "data");
		iw_leaf(w, k, "KeyName", name.n == 0 ? key : slice_of(arena_fmt(w->mem,
		    "%.*s\\%.*s", SLICE_ARG(key), SLICE_ARG(name))));
		if (value.n > 0)
			iw_leaf(w, k, "Value", value);
	}
	return true;
}

static bool
on_certificate(struct iw *w, struct iw_obj *ob, struct xml_node *data)
{
	struct slice issuer = json_member(ob->o->tree, "issuer");
	struct slice serial = json_member(ob->o->tree, "serial_number");
	struct slice subject = json_member(ob->o->tree, "subject");
	unsigned long long v;
	bool both = issuer.n > 0 && slice_u64(serial, &v);
	struct xml_node *x, *is;

	if (!both && subject.n == 0) {
		if (serial.n > 0)
			record_item(w, ob, data, "string", serial);
		iw_mark(w, ob, LOSS_APPROXIMATED, "serial_number");
		return serial.n > 0;
	}
	x = iw_el(w, iw_el(w, data, "CertificateData"), "Certificate");
	x = iw_el_ns(w, x, IODEF2_NS_DS, "ds", "X509Data");
	if (both) {
		is = xml_add(w->mem, x, "X509IssuerSerial");
		xml_add_leaf(w->mem, is, "X509IssuerName", issuer);
		xml_add_leaf(w->mem, is, "X509SerialNumber", serial);
		mark_text(w, ob, "issuer");
		mark_text(w, ob, "serial_number");
	}
	if (subject.n > 0) {
		xml_add_leaf(w->mem, x, "X509SubjectName", subject);
		mark_text(w, ob, "subject");
	}
	return true;
}

/* vendor name version, and the CPE or SWID that names it. */
static bool
on_software(struct iw *w, struct iw_obj *ob, struct xml_node *data)
{
	static const char *const parts[] = { "vendor", "name", "version", NULL };
	struct slice cpe = json_member(ob->o->tree, "cpe"), swid = json_member(ob->o->tree, "swid");
	struct xml_node *app = iw_el(w, data, "Application"), *n;
	struct strbuf b = STRBUF_INIT;
	struct slice s;
	size_t i;

	if (cpe.n > 0 || swid.n > 0) {
		n = iw_leaf(w, app, "SoftwareReference", cpe.n > 0 ? cpe : swid);
		iw_set(w, n, "spec-name", cpe.n > 0 ? "cpe" : "swid");
		iw_set(w, n, "dtype", "string");
		mark_text(w, ob, cpe.n > 0 ? "cpe" : "swid");
	}
	for (i = 0; parts[i] != NULL; i++) {
		if ((s = json_member(ob->o->tree, parts[i])).n == 0)
			continue;
		strbuf_adds(&b, b.n > 0 ? " " : "");
		strbuf_addsl(&b, s);
		iw_mark(w, ob, LOSS_APPROXIMATED, parts[i]);
	}
	iw_leaf(w, app, "Description", strbuf_slice(&b));
	record_item(w, ob, data, "string", strbuf_slice(&b));
	strbuf_fini(&b);
	return true;
}

static struct slice
address_of(const struct iw_obj *ob)
{
	return ob == NULL ? SLICE_EMPTY : json_member(ob->o->tree, "value");
}

/* An address of the mail; the object behind it is said by this. */
static void
add_address(struct iw *w, struct xml_node *mail, const char *name, struct iw_obj *ob)
{
	if (slice_trim(address_of(ob)).n == 0)
		return;
	iw_claim(w, ob, iw_leaf(w, mail, name, address_of(ob)));
	iw_mark_kind(w, ob, false);
	iw_mark(w, ob, LOSS_KEPT, "value");
}

static void
fill_mail(struct iw *w, struct iw_obj *ob, struct xml_node *mail, struct iw_obj *from)
{
	json *ref = json_first(json_get(ob->o->tree, "to_refs")), *h, *v;
	json *fields = json_get(ob->o->tree, "additional_header_fields");
	struct xml_node *n;

	for (; ref != NULL; ref = json_next(ref))
		add_address(w, mail, "EmailTo", iw_find(w, json_slice(ref)));
	iw_mark(w, ob, LOSS_APPROXIMATED, "to_refs");
	add_address(w, mail, "EmailFrom", from);
	iw_mark(w, ob, LOSS_APPROXIMATED, "from_ref");
	iw_prop(w, ob, mail, "EmailSubject", "subject", IW_LINE);
	h = json_is_object(fields) ? json_first(fields) : NULL;
	for (; h != NULL; h = json_next(h)) {
		v = json_is_list(h) ? json_first(h) : h;
		for (; v != NULL; v = v == h ? NULL : json_next(v)) {
			if (strcmp(json_name(h), "X-Mailer") == 0 &&
			    xml_get(mail, "EmailX-Mailer") == NULL) {
				iw_leaf(w, mail, "EmailX-Mailer", json_slice(v));
				continue;
			}
			n = iw_leaf(w, mail, "EmailHeaderField", json_slice(v));
			iw_set(w, n, "dtype", "string");
			iw_set(w, n, "name", json_name(h));
		}
		iw_markf(w, ob, LOSS_KEPT, "additional_header_fields.%s", json_name(h));
	}
	iw_prop(w, ob, mail, "EmailBody", "body", IW_TEXT);
}

/* The label of everything a mail is told with: itself and its addresses. */
static enum tlp
label_of_mail(struct iw *w, const struct iw_obj *ob)
{
	struct iw_obj *to = iw_find(w, json_member(ob->o->tree, "from_ref"));
	enum tlp label = iw_label(ob->o);
	json *ref = json_first(json_get(ob->o->tree, "to_refs"));

	if (to != NULL)
		label = iw_label_join(label, iw_label(to->o));
	for (; ref != NULL; ref = json_next(ref))
		if ((to = iw_find(w, json_slice(ref))) != NULL)
			label = iw_label_join(label, iw_label(to->o));
	return label;
}

/* A mail belongs to a System, whose Node is the domain of the sender. */
static bool
write_mail(struct iw *w, struct xml_node *event, struct iw_obj *ob)
{
	struct iw_obj *from = iw_find(w, json_member(ob->o->tree, "from_ref"));
	struct slice domain = address_of(from);
	struct xml_node *system;
	enum tlp label = label_of_mail(w, ob);

	if (!iw_is_email(domain))
		return false;
	slice_cut(&domain, '@');
	system = iw_el(w, iw_el(w, event, "Flow"), "System");
	if (!iw_label_covers(iw_label_at(event), label) && label != TLP_UNSET)
		iw_restrict(w, system, label);
	iw_domain(w, iw_el(w, system, "Node"), domain);
	fill_mail(w, ob, iw_el(w, iw_el(w, system, "Service"), "EmailData"), from);
	iw_claim(w, ob, system);
	iw_mark_kind(w, ob, false);
	return true;
}

static bool
on_artifact(struct iw *w, struct iw_obj *ob, struct xml_node *data)
{
	struct slice payload = json_member(ob->o->tree, "payload_bin");
	struct slice url = json_member(ob->o->tree, "url");

	if (payload.n > 0) {
		record_item(w, ob, data, "file", payload);
		iw_mark(w, ob, LOSS_KEPT, "payload_bin");
		return true;
	}
	if (!iw_is_uri(url))
		return false;
	iw_leaf(w, data, "URL", url);
	iw_mark(w, ob, LOSS_KEPT, "url");
	return true;
}

/* What tells one such object from another, first found. */
static bool
on_main_value(struct iw *w, struct iw_obj *ob, struct xml_node *data)
{
	static const char *const props[] = { "account_login", "user_id", "display_name",
	    "command_line", "subject", "name", "value", NULL };
	struct slice s;
	size_t i;

	for (i = 0; props[i] != NULL; i++) {
		s = json_member(ob->o->tree, props[i]);
		if (slice_trim(s).n == 0)
			continue;
		record_item(w, ob, data, "string", s);
		mark_text(w, ob, props[i]);
		return true;
	}
	return false;
}

static const struct {
	const char	*type;
	record_fn	*fill;
} records[] = {
	{ "file",			on_file },
	{ "directory",			on_file },
	{ "windows-registry-key",	on_registry },
	{ "x509-certificate",		on_certificate },
	{ "software",			on_software },
	{ "artifact",			on_artifact },
	{ "user-account",		on_main_value },
	{ "process",			on_main_value },
	{ "mutex",			on_main_value },
	{ "email-message",		on_main_value },
	{ NULL, NULL }
};

static void
write_record(struct iw *w, struct xml_node *event, struct iw_obj *ob, record_fn *fill)
{
	struct xml_node *record = xml_get(event, "Record"), *data;
	bool fresh = record == NULL;
	enum tlp label = iw_label(ob->o);

	if (fresh)
		record = iw_el(w, event, "Record");
	data = iw_el(w, record, "RecordData");
	if (label != TLP_UNSET && !iw_label_covers(iw_label_at(record), label))
		iw_restrict(w, data, label);
	if (fill(w, ob, data)) {
		iw_claim(w, ob, data);
		iw_mark_kind(w, ob, false);
		return;
	}
	xml_detach(fresh ? record : data);
	ob->nmarks = 0;
	ob->done = true;
}

void
iw_write_sco(struct iw *w, struct xml_node *event, struct iw_obj *ob)
{
	struct xml_node *flow;
	size_t i;

	ob->done = true;
	if (slice_is(ob->o->type, "network-traffic")) {
		iw_write_flow(w, ob, event);
		return;
	}
	if (iw_is_endpoint(ob->o)) {
		flow = iw_el(w, event, "Flow");
		if (iw_write_system(w, ob, flow, NULL) == NULL)
			xml_detach(flow);
		return;
	}
	if (slice_is(ob->o->type, "email-message") && write_mail(w, event, ob))
		return;
	for (i = 0; records[i].type != NULL; i++)
		if (slice_is(ob->o->type, records[i].type))
			write_record(w, event, ob, records[i].fill);
}
