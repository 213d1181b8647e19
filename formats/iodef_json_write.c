/* iodef_json_write.c -- IODEF v2 trees as JSON (RFC 8727), natively: one element, one value. */
#include <string.h>

#include "formats/iodef_json.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

static json	*object_of(struct arena *mem, const struct xml_node *n, const struct iodef2_class *class);

/* A new element of the list `name`. */
static void
push(struct arena *mem, json *o, const char *name, json *value)
{
	json *list = json_get(o, name);

	if (value == NULL)
		return;
	if (list == NULL)
		list = json_put(mem, o, name, json_list(mem));
	json_push(list, value);
}

static json *
number_or_text(struct arena *mem, struct slice s)
{
	return iodef_json_number(s) ? json_raw(mem, s) : json_string(mem, s);
}

/* What is inside an element as XML text. */
static struct slice
inner_xml(struct arena *mem, const struct xml_node *n)
{
	struct strbuf b = STRBUF_INIT;
	struct slice s;

	for (const struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (!xml_is_text(k)) {
			xml_print(&b, k, 0);
			continue;
		}
		for (size_t i = 0; i < k->text.n; i++) {
			char c = k->text.p[i];

			if (c == '<')
				strbuf_adds(&b, "&lt;");
			else if (c == '&')
				strbuf_adds(&b, "&amp;");
			else
				strbuf_addc(&b, c);
		}
	}
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

/* BYTE: the base64 of the element as XML; one with nothing but text has it in there. */
static json *
xml_bytes(struct arena *mem, const struct xml_node *n)
{
	struct strbuf xml = STRBUF_INIT, b = STRBUF_INIT;
	json *value;

	if (n->attrs == NULL && xml_child(n) == NULL)
		return json_string(mem, xml_text_trim(n, mem));
	xml_print(&xml, n, 0);
	base64_add(&b, xml.p, xml.n);
	value = json_string(mem, strbuf_slice(&b));
	strbuf_fini(&xml);
	strbuf_fini(&b);
	return value;
}

/* A certificate and nothing else is its DER. */
static json *
x509_value(struct arena *mem, const struct xml_node *n)
{
	const struct xml_node *k = xml_child(n);

	if (xml_is(k, IODEF2_NS_DS, "X509Certificate") && xml_sibling(k) == NULL && n->attrs == NULL &&
	    k->attrs == NULL && xml_child(k) == NULL)
		return json_string(mem, xml_text_trim(k, mem));
	return xml_bytes(mem, n);
}

static json *
signature_value(struct arena *mem, const struct xml_node *n)
{
	if (slice_is(n->name, "X509Data"))
		return x509_value(mem, n);
	if (slice_is(n->name, "Signature"))
		return xml_bytes(mem, n);
	if (slice_is(n->name, "DigestValue"))
		return json_string(mem, xml_text_trim(n, mem));
	return json_string(mem, xml_value(n, "Algorithm"));	/* DigestMethod and the like */
}

/* AttackPattern, Vulnerability, Weakness: the id attribute of each is ContentID. */
static json *
sci_value(struct arena *mem, const struct xml_node *n)
{
	const char *id = arena_fmt(mem, "%.*sID", SLICE_ARG(n->name));
	json *o = json_object(mem);

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->ns.n == 0)
			json_put_str(mem, o, slice_is(a->name, id) ? "ContentID" : a->name.p, a->value);
	}
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (slice_is(k->name, "RawData"))
			push(mem, o, "RawData", xml_bytes(mem, k));
		else if (slice_is(k->name, "Reference"))
			push(mem, o, "Reference", iodef_json_value(mem, k));
		else if (iodef_json_is_sci(k))
			push(mem, o, k->name.p, iodef_json_value(mem, k));
	}
	return o;
}

/* A bare string is English: another language, or one that is said, makes an object. */
static json *
ml_value(struct arena *mem, const struct xml_node *n)
{
	const struct xml_attr *lang = xml_attr(n, "xml:lang");
	struct slice text = xml_text_trim(n, mem);
	bool around = iodef_json_is_english(n->parent);
	json *o;

	if (xml_attr(n, "translation-id") == NULL && ((lang == NULL && around) ||
	    (lang != NULL && !around && slice_is(lang->value, "en"))))
		return json_string(mem, text);
	o = json_object(mem);
	json_put_str(mem, o, "value", text);
	if (lang != NULL)
		json_put_str(mem, o, "lang", lang->value);
	if (xml_attr(n, "translation-id") != NULL)
		json_put_str(mem, o, "translation-id", xml_value(n, "translation-id"));
	return o;
}

static json *
place_value(struct arena *mem, const struct xml_node *n)
{
	json *o = json_object(mem);

	json_put_str(mem, o, IODEF_JSON_PLACE, xml_value(n, "n"));
	return o;
}

/* See iodef_json.h. */
json *
iodef_json_value(struct arena *mem, const struct xml_node *n)
{
	const struct iodef2_class *class = iodef2_class(n->name);

	if (xml_is(n, IODEF1_NS_PART, IODEF1_PART))
		return place_value(mem, n);
	if (slice_is(n->ns, IODEF2_NS_DS))
		return signature_value(mem, n);
	if (iodef_json_is_sci(n))
		return sci_value(mem, n);
	if (slice_is(n->ns, IODEF2_NS_ENUM)) {
		json *o = json_object(mem);

		json_put(mem, o, "specIndex", number_or_text(mem, slice_trim(xml_value(n, "specIndex"))));
		json_put_str(mem, o, "ID",
		    xml_text_line(xml_get_ns(n, IODEF2_NS_ENUM, "ID"), mem));
		return o;
	}
	if (class == NULL)
		return NULL;
	if (class->content == IODEF2_ML_TEXT)
		return ml_value(mem, n);
	if (class->children != NULL || class->attrs[0] != '\0' || class->content == IODEF2_ELEMENTS)
		return object_of(mem, n, class);
	if (class->content == IODEF2_INTEGER)
		return number_or_text(mem, xml_text_trim(n, mem));
	return json_string(mem, xml_text_trim(n, mem));
}

static void
put_attrs(struct arena *mem, json *o, const struct xml_node *n, const struct iodef2_class *class)
{
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		const char *name = a->name.p;

		if (slice_is(a->ns, XML_NS_XML) && slice_is(a->name, "lang") &&
		    iodef2_attr_known(class, SLICE_LIT("xml:lang")))
			name = "lang";
		else if (a->ns.n > 0 || !iodef2_attr_known(class, a->name))
			continue;
		if (iodef_json_is_number(n->name, a->name))
			json_put(mem, o, name, number_or_text(mem, slice_trim(a->value)));
		else
			json_put_str(mem, o, name, a->value);
	}
	if (slice_is(n->name, "IODEF-Document"))
		json_put_str(mem, o, "version", SLICE_LIT("2.0"));
}

/* The text of an element that has attributes too. */
static void
put_text(struct arena *mem, json *o, const struct xml_node *n, const struct iodef2_class *class)
{
	const char *name = iodef_json_text(n->name);
	struct slice text;

	if (class->children != NULL || name == NULL)
		return;
	if (class->content == IODEF2_EXTENSION) {
		json_put_str(mem, o, name, xml_child(n) != NULL ? inner_xml(mem, n) : xml_text(n, mem));
		if (slice_starts(xml_value(n, "name"), "stix-object") &&
		    slice_is(xml_value(n, "dtype"), "string"))
			json_put_str(mem, o, "dtype", SLICE_LIT("json"));
		return;
	}
	text = xml_text_trim(n, mem);
	if (slice_is(n->name, "Confidence") && text.n == 0 &&
	    !slice_is(slice_trim(xml_value(n, "rating")), "numeric"))
		text = SLICE_LIT("0");		/* RFC 8727 wants one in any case */
	if (class->content == IODEF2_REAL || slice_is(n->name, "Confidence"))
		json_put(mem, o, name, number_or_text(mem, text));
	else
		json_put_str(mem, o, name, text);
}

/* All of one kind from a wrapper that JSON has not. */
static void
push_all(struct arena *mem, json *o, const char *member, const struct xml_node *wrapper)
{
	for (const struct xml_node *k = xml_child(wrapper); k != NULL; k = xml_sibling(k))
		push(mem, o, member, iodef_json_value(mem, k));
}

/* A Record may be stricter than what is around: so is each RecordData then. */
static void
push_records(struct arena *mem, json *o, const struct xml_node *record)
{
	static const char *const names[] = { "restriction", "ext-restriction" };

	for (const struct xml_node *k = xml_get(record, "RecordData"); k != NULL; k = xml_more(k)) {
		json *value = iodef_json_value(mem, k);

		for (size_t i = 0; i < COUNTOF(names) && xml_attr(k, "restriction") == NULL; i++) {
			if (xml_attr(record, names[i]) != NULL)
				json_put_str(mem, value, names[i], xml_value(record, names[i]));
		}
		push(mem, o, "RecordData", value);
	}
}

static void
push_impact(struct arena *mem, json *o, const struct xml_node *n)
{
	json *impact = json_object(mem);

	json_put(mem, impact, n->name.p, iodef_json_value(mem, n));
	push(mem, o, "Impact", impact);
}

/* The members of a JSON text that IODEF has no place for. */
static bool
put_members(struct arena *mem, json *o, const struct xml_node *n)
{
	struct json_limits lim = { .depth = 64 };
	struct json_doc doc;

	if (!slice_is(xml_value(n, "name"), IODEF_JSON_MEMBERS) ||
	    json_parse(xml_text(n, mem), &lim, mem, &doc, NULL) < 0 || !json_is_object(doc.root) ||
	    json_count(doc.root) > IODEF_JSON_UNKNOWN)
		return false;
	for (json *m = json_first(doc.root); m != NULL; m = json_next(m)) {
		if (json_get(o, json_name(m)) == NULL)
			json_put(mem, o, json_name(m), json_copy(mem, m));
	}
	return true;
}

/* Wrappers and the like; false if the child is an ordinary one. */
static bool
put_special(struct arena *mem, json *o, const struct xml_node *n, const struct xml_node *k)
{
	static const struct {
		const char	*name, *member;
	} wrappers[] = {
		{ "Flow", "System" }, { "IndicatorData", "Indicator" },
		{ "ApplicationHeader", "ApplicationHeaderField" }, { "SignatureData", "Signature" },
	};

	for (size_t i = 0; i < COUNTOF(wrappers); i++) {
		if (slice_is(k->name, wrappers[i].name)) {
			push_all(mem, o, wrappers[i].member, k);
			return true;
		}
	}
	if (slice_is(k->name, "Record"))
		push_records(mem, o, k);
	else if (slice_is(n->name, "Assessment") && slice_ends(k->name, "Impact"))
		push_impact(mem, o, k);
	else if (!slice_is(k->name, "ObservableReference"))
		return false;
	else if (slice_is(n->name, "IndicatorExpression"))
		push(mem, o, "uid-ref", json_string(mem, xml_value(k, "uid-ref")));
	else
		json_put_str(mem, o, "uid-ref", xml_value(k, "uid-ref"));
	return true;
}

/* The row of a child, also of one whose place is left; NULL if it has none. */
static const struct iodef2_child *
row_of(const struct xml_node *k, const struct iodef2_class *class)
{
	bool part = xml_is(k, IODEF1_NS_PART, IODEF1_PART);
	struct slice name = part ? xml_value(k, "of") : k->name;

	for (const struct iodef2_child *c = class->children; c->name != NULL; c++) {
		if (slice_is(name, c->name) &&
		    (part || slice_is(k->ns, c->ns != NULL ? c->ns : IODEF2_NS)))
			return c;
	}
	return NULL;
}

static void
put_child(struct arena *mem, json *o, const struct xml_node *n, const struct xml_node *k,
    const struct iodef2_class *class)
{
	const struct iodef2_child *row = row_of(k, class);
	const char *name;

	if (row == NULL)
		return;
	if (slice_is(k->ns, IODEF2_NS) && put_special(mem, o, n, k))
		return;
	name = iodef_json_member(n->name, row->name);
	if (row->max == 0)
		push(mem, o, name, iodef_json_value(mem, k));
	else if (json_get(o, name) == NULL)
		json_put(mem, o, name, iodef_json_value(mem, k));
}

static json *
object_of(struct arena *mem, const struct xml_node *n, const struct iodef2_class *class)
{
	json *o = json_object(mem);
	const struct xml_node *more = NULL;

	put_attrs(mem, o, n, class);
	put_text(mem, o, n, class);
	if (class->children == NULL)
		return o;
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (xml_is(k, IODEF2_NS, "AdditionalData") &&
		    slice_is(xml_value(k, "name"), IODEF_JSON_MEMBERS) && more == NULL)
			more = k;
		else
			put_child(mem, o, n, k, class);
	}
	if (more != NULL && !put_members(mem, o, more))
		put_child(mem, o, n, more, class);
	return o;
}
