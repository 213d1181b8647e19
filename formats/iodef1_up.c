/* iodef1_up.c -- IODEF v1 to v2, element by element (see iodef1.h). */
#include <stdio.h>
#include <string.h>

#include "formats/iodef1.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/strbuf.h"

typedef void up_fn(struct arena *mem, struct xml_node *to, const struct xml_node *from);

static void	up_element(struct arena *mem, struct xml_node *to, const struct xml_node *from);

const char *const iodef1_software[] = {
	"swid", "configid", "vendor", "family", "name", "version", "patch", NULL
};

static const struct {
	const char	*v1, *element, *type;
} impacts[] = {
	{ "admin", "SystemImpact", "takeover-account" },
	{ "dos", "SystemImpact", "availability-service" },
	{ "extortion", "BusinessImpact", "extortion" },
	{ "file", "SystemImpact", "integrity-data" },
	{ "info-leak", "SystemImpact", "breach-proprietary" },
	{ "misconfiguration", "SystemImpact", "integrity-configuration" },
	{ "policy", "SystemImpact", "policy" },
	{ "user", "SystemImpact", "takeover-account" },
	{ "unknown", "SystemImpact", "unknown" },
};

/* See iodef1.h. */
struct iodef1_impact
iodef1_impact_up(struct slice type, struct slice ext)
{
	if (type.n == 0)
		return (struct iodef1_impact){ "SystemImpact", NULL, NULL };
	for (size_t i = 0; i < COUNTOF(impacts); i++) {
		if (slice_is(type, impacts[i].v1))
			return (struct iodef1_impact){ impacts[i].element, impacts[i].type, NULL };
	}
	return (struct iodef1_impact){ "SystemImpact", "ext-value",
	    slice_is(type, "ext-value") ? ext.p : type.p };
}

/* See iodef1.h. */
struct iodef1_meaning
iodef1_meaning_read(struct slice s)
{
	struct iodef1_meaning m = { SLICE_EMPTY, SLICE_EMPTY, s, false };
	const char *end = s.n > 0 && s.p[0] == '[' ? memchr(s.p, ']', s.n) : NULL;
	struct slice words;

	if (end == NULL || (end + 1 < s.p + s.n && end[1] != ' '))
		return m;
	words = slice_from(s.p + 1, (size_t)(end - s.p) - 1);
	m.rest = end + 1 == s.p + s.n ? SLICE_EMPTY :
	    slice_from(end + 2, s.n - (size_t)(end + 2 - s.p));
	while (words.n > 0) {
		struct slice word = slice_cut(&words, ' ');

		if (slice_is(word, "@document"))
			m.document = true;
		else if (slice_starts(word, "=") && word.n > 1)
			m.word = slice_from(word.p + 1, word.n - 1);
		else if (m.name.n == 0)
			m.name = word;
	}
	return m;
}

/* A new last child of the other version. */
static struct xml_node *
add(struct arena *mem, struct xml_node *to, const char *name, const struct xml_node *from)
{
	struct xml_node *n = xml_new(mem, IODEF2_NS, "", name);

	n->made_of = from->made_of;
	n->line = from->line;
	n->column = from->column;
	if (to != NULL)
		xml_append(to, n);
	return n;
}

static void
set(struct arena *mem, struct xml_node *n, const char *name, struct slice value, const void *made_of)
{
	xml_set(mem, n, name, value);
	xml_attr(n, name)->made_of = made_of;
}

/* The text of `from` becomes that of `to`. */
static void
copy_text(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	for (const struct xml_node *k = from->first; k != NULL; k = k->next) {
		if (xml_is_text(k))
			xml_add_text(mem, to, k->text)->made_of = k->made_of;
	}
}

/* An element of text, with its language. */
static struct xml_node *
add_text(struct arena *mem, struct xml_node *to, const char *name, const struct xml_node *from)
{
	struct xml_node *n = add(mem, to, name, from);
	const struct xml_attr *lang = xml_attr(from, "lang");

	copy_text(mem, n, from);
	if (lang != NULL)
		set(mem, n, "xml:lang", lang->value, lang->made_of);
	return n;
}

/* An element of the text of an attribute, if there is one. */
static void
add_attr_text(struct arena *mem, struct xml_node *to, const char *name, const struct xml_node *from,
    const char *attr)
{
	const struct xml_attr *a = xml_attr(from, attr);

	if (a != NULL)
		xml_add_text(mem, add(mem, to, name, from), a->value)->made_of = a->made_of;
}

/* The name of an attribute in v2; NULL if the other version has it not. */
static const char *
attr_name(const struct xml_node *from, const struct xml_attr *a)
{
	const struct iodef2_class *class = iodef_class(&iodef1_model, from->name);

	if (a->ns.n > 0 || class == NULL || !iodef2_attr_known(class, a->name))
		return NULL;
	if (slice_is(from->name, "IODEF-Document") && slice_is(a->name, "version"))
		return NULL;
	if (slice_is(a->name, "lang"))
		return "xml:lang";
	if (slice_is(a->name, "formatid") && slice_is(from->name, "IODEF-Document"))
		return "format-id";
	return slice_is(a->name, "ip_protocol") ? "ip-protocol" : a->name.p;
}

/* A word that v2 has and v1 had not: it was said as ext-value. */
static bool
is_new_word(const struct xml_node *from, struct slice attr, struct slice word)
{
	return iodef_words(&iodef2_model, from->name, attr) != NULL &&
	    iodef2_enum_has(from->name, attr, word) &&
	    !iodef_enum_has(&iodef1_model, from->name, attr, word);
}

/* One attribute with its ext- partner. */
static void
copy_attr(struct arena *mem, struct xml_node *to, const struct xml_node *from, const struct xml_attr *a)
{
	const char *name = attr_name(from, a), *ext = arena_fmt(mem, "ext-%s", a->name.p);
	struct slice value = slice_trim(a->value), more;

	if (name == NULL)
		return;
	if (slice_starts(a->name, "ext-")) {
		more = slice_from(a->name.p + 4, a->name.n - 4);
		if (!slice_is(xml_value(from, more.p), "ext-value") || !is_new_word(from, more, value))
			set(mem, to, name, a->value, a->made_of);
	} else if (slice_is(value, "ext-value") && is_new_word(from, a->name, xml_value(from, ext))) {
		set(mem, to, name, xml_value(from, ext), a->made_of);
	} else if (iodef_words(&iodef1_model, from->name, a->name) != NULL &&
	    iodef_enum_has(&iodef1_model, from->name, a->name, value) &&
	    !iodef2_enum_has(from->name, a->name, value)) {
		set(mem, to, name, SLICE_LIT("ext-value"), a->made_of);
		set(mem, to, ext, value, a->made_of);
	} else {
		set(mem, to, name, a->value, a->made_of);
	}
}

static void
copy_attrs(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	for (const struct xml_attr *a = from->attrs; a != NULL; a = a->next)
		copy_attr(mem, to, from, a);
}

static void
copy_children(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	copy_text(mem, to, from);
	for (const struct xml_node *k = xml_child(from); k != NULL; k = xml_sibling(k))
		up_element(mem, to, k);
}

/* The same element. */
static void
up_same(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = add(mem, to, from->name.p, from);

	copy_attrs(mem, n, from);
	copy_children(mem, n, from);
}

/* v2 wants to know when the content was made: v1 says when it was reported. */
static void
up_report_time(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	up_same(mem, to, from);
	if (xml_get(to, "GenerationTime") == NULL)
		copy_text(mem, add(mem, to, "GenerationTime", from), from);
}

static const struct {
	const char	*v1, *outer, *inner, *type;
} means[] = {
	{ "PostalAddress", "PostalAddress", "PAddress", NULL },
	{ "Email", "Email", "EmailTo", NULL },
	{ "Telephone", "Telephone", "TelephoneNumber", NULL },
	{ "Fax", "Telephone", "TelephoneNumber", "fax" },
};

/* Ways to reach a contact: the text moves one level down, its meaning is the description. */
static void
up_means(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n;
	size_t i = 0;

	while (!slice_is(from->name, means[i].v1))
		i++;
	n = add(mem, to, means[i].outer, from);
	if (means[i].type != NULL)
		xml_set(mem, n, "type", slice_of(means[i].type));
	add_text(mem, n, means[i].inner, from);
	add_attr_text(mem, n, "Description", from, "meaning");
}

/* "CVE-2001-0500" and nothing else. */
static bool
is_cve(struct slice s)
{
	if (!slice_starts(s, "CVE-") || s.n < 13 || s.p[8] != '-')
		return false;
	for (size_t i = 4; i < s.n; i++) {
		if (i != 8 && !(s.p[i] >= '0' && s.p[i] <= '9'))
			return false;
	}
	return true;
}

/* The name: that of an enumeration if it is a CVE, else the first description. */
static void
up_reference(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	const struct xml_node *name = xml_get(from, "ReferenceName");
	struct xml_node *n = add(mem, to, "Reference", from), *ref;
	bool cve = is_cve(xml_text_line(name, mem));

	if (cve) {
		ref = xml_new(mem, IODEF2_NS_ENUM, "enum", "ReferenceName");
		ref->made_of = name->made_of;
		xml_set(mem, ref, "specIndex", SLICE_LIT("1"));
		copy_text(mem, xml_add(mem, ref, "ID"), name);
		xml_append(n, ref);
	}
	for (const struct xml_node *k = xml_get(from, "URL"); k != NULL; k = xml_more(k))
		up_same(mem, n, k);
	if (name != NULL && !cve)
		add_text(mem, n, "Description", name);
	for (const struct xml_node *k = xml_get(from, "Description"); k != NULL; k = xml_more(k))
		up_same(mem, n, k);
}

static void
up_impact(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	static const char *const names[] = { "severity", "completion" };
	const struct xml_attr *type = xml_attr(from, "type"), *ext = xml_attr(from, "ext-type");
	struct slice word = type == NULL ? SLICE_EMPTY : slice_trim(type->value);
	struct iodef1_impact im = iodef1_impact_up(word, xml_value(from, "ext-type"));
	struct xml_node *n = add(mem, to, im.element, from);

	for (size_t i = 0; i < COUNTOF(names); i++) {
		const struct xml_attr *a = xml_attr(from, names[i]);

		if (a != NULL && iodef2_attr_known(iodef2_class(n->name), a->name))
			set(mem, n, names[i], a->value, a->made_of);
	}
	if (im.type != NULL)
		set(mem, n, "type", slice_of(im.type), type->made_of);
	if (im.ext != NULL)
		set(mem, n, "ext-type", slice_of(im.ext), ext != NULL ? ext->made_of : type->made_of);
	if (from->first != NULL || xml_attr(from, "lang") != NULL)
		add_text(mem, n, "Description", from);
}

/* The word of v1 for the type of an Impact, as the category of the Incident: `admin` and `user`
 * stay apart. */
static void
add_category(struct arena *mem, struct xml_node *to, const struct xml_node *impact)
{
	const struct xml_attr *type = xml_attr(impact, "type"), *ext = xml_attr(impact, "ext-type");
	const struct xml_attr *from = type;
	struct slice word;

	if (type == NULL)
		return;
	word = slice_trim(type->value);
	if (slice_is(word, "ext-value") && ext != NULL) {
		from = ext;
		word = ext->value;
	} else if (slice_is(word, "ext-value")) {
		word = SLICE_EMPTY;
	}
	xml_add_text(mem, add(mem, to, "IncidentCategory", impact), word)->made_of = from->made_of;
}

static void
up_assessment(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = add(mem, to, "Assessment", from);

	copy_attrs(mem, n, from);
	for (const struct xml_node *k = xml_get(from, "Impact"); k != NULL; k = xml_more(k))
		add_category(mem, n, k);
	copy_children(mem, n, from);
}

static void
up_node_name(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = add(mem, to, "DomainData", from);

	xml_set(mem, n, "system-status", SLICE_LIT("unknown"));
	xml_set(mem, n, "domain-status", SLICE_LIT("unknown"));
	copy_text(mem, add(mem, n, "Name", from), from);
}

/* When a name was resolved stands with the name. */
static void
up_node_time(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *domain = xml_get(to, "DomainData");

	if (domain != NULL)
		copy_text(mem, add(mem, domain, "DateDomainWasChecked", from), from);
}

/* The role moves from the Node up to the System. */
static void
up_node_role(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n;

	if (to->parent == NULL || !slice_is(to->parent->name, "System"))
		return;
	n = add(mem, to->parent, "NodeRole", from);
	copy_attrs(mem, n, from);
	xml_unset(n, "xml:lang");
	if (from->first != NULL || xml_attr(from, "lang") != NULL)
		add_text(mem, n, "Description", from);
}

/* What v1 calls its type is the unit. */
static void
up_counter(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	static const char *const names[][2] = {
		{ "type", "unit" }, { "ext-type", "ext-unit" }, { "meaning", "meaning" },
		{ "duration", "duration" }, { "ext-duration", "ext-duration" },
	};
	struct xml_node *n = add(mem, to, "Counter", from);
	struct slice ext = slice_trim(xml_value(from, "ext-type"));
	bool is_word = slice_is(xml_value(from, "type"), "ext-value") && slice_is(ext, "mbit");

	xml_set(mem, n, "type", SLICE_LIT("counter"));
	for (size_t i = 0; i < COUNTOF(names); i++) {
		const struct xml_attr *a = xml_attr(from, names[i][0]);

		if (a != NULL && !(is_word && i == 1))
			set(mem, n, names[i][1], is_word && i == 0 ? ext : a->value, a->made_of);
	}
	copy_text(mem, n, from);
}

/* "vendor=Microsoft; name=IIS": `;` and `\` of a value get a `\`. */
static void
software_reference(struct arena *mem, struct xml_node *n, const struct xml_node *from)
{
	struct strbuf b = STRBUF_INIT;
	struct xml_node *ref;

	for (size_t i = 0; iodef1_software[i] != NULL; i++) {
		const struct xml_attr *a = xml_attr(from, iodef1_software[i]);

		if (a == NULL)
			continue;
		strbuf_addf(&b, "%s%s=", b.n > 0 ? "; " : "", iodef1_software[i]);
		for (size_t k = 0; k < a->value.n; k++) {
			if (a->value.p[k] == ';' || a->value.p[k] == '\\')
				strbuf_addc(&b, '\\');
			strbuf_addc(&b, a->value.p[k]);
		}
	}
	if (b.n > 0) {
		ref = add(mem, n, "SoftwareReference", from);
		xml_set(mem, ref, "spec-name", SLICE_LIT("custom"));
		xml_set(mem, ref, "dtype", SLICE_LIT("string"));
		xml_add_text(mem, ref, strbuf_slice(&b));
	}
	strbuf_fini(&b);
}

/* The attributes of software: exactly as a reference, and for people as a description. */
static void
up_software(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	static const char *const parts[] = { "vendor", "name", "version", "patch" };
	struct xml_node *n = add(mem, to, from->name.p, from), *text;
	const struct xml_attr *name = xml_attr(from, "name");
	struct strbuf b = STRBUF_INIT;

	software_reference(mem, n, from);
	for (const struct xml_node *k = xml_get(from, "URL"); k != NULL; k = xml_more(k))
		up_same(mem, n, k);
	for (size_t i = 0; i < COUNTOF(parts); i++) {
		struct slice v = slice_trim(xml_value(from, parts[i]));

		if (v.n > 0)
			strbuf_addf(&b, "%s%.*s", b.n > 0 ? " " : "", SLICE_ARG(v));
	}
	if (b.n > 0) {
		text = xml_add_text(mem, add(mem, n, "Description", from), strbuf_slice(&b));
		text->made_of = name != NULL ? name->made_of : NULL;
	}
	strbuf_fini(&b);
}

/* v1 takes an address without a word for IPv4, v2 for IPv6. */
static void
up_address(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	up_same(mem, to, from);
	if (xml_attr(to->last, "category") == NULL)
		xml_set(mem, to->last, "category", SLICE_LIT("ipv4-addr"));
}

/* The word that stands in brackets, if it is written in v1 as it is here. */
static void
exact_restriction(struct arena *mem, struct xml_node *n, struct slice word)
{
	struct slice ext = SLICE_EMPTY;
	enum label_case label;
	enum tlp t;

	if (slice_starts(word, "ext:")) {
		ext = slice_from(word.p + 4, word.n - 4);
		word = SLICE_LIT("ext-value");
	}
	t = iodef2_restriction_read(word, ext, false, &label);
	if (word.n == 0 || !slice_is(xml_value(n, "restriction"), iodef1_restriction_word(t)))
		return;
	xml_set(mem, n, "restriction", word);
	if (ext.n > 0)
		xml_set(mem, n, "ext-restriction", ext);
}

/* AdditionalData and RecordItem: what is in them is not ours. */
static void
up_extension(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = add(mem, to, from->name.p, from);
	struct iodef1_meaning m;

	copy_attrs(mem, n, from);
	for (const struct xml_node *k = from->first; k != NULL; k = k->next)
		xml_append(n, xml_copy(mem, k));
	if (xml_attr(from, "meaning") == NULL || !slice_is(from->name, "AdditionalData"))
		return;
	m = iodef1_meaning_read(xml_value(from, "meaning"));
	if (m.name.n > 0)
		xml_set(mem, n, "name", m.name);
	if (m.rest.n > 0)
		xml_set(mem, n, "meaning", m.rest);
	else
		xml_unset(n, "meaning");
	exact_restriction(mem, n, m.word);
}

static const struct {
	const char	*parent, *name;		/* parent NULL: any */
	up_fn		*up;
} rows[] = {
	{ "Incident", "ReportTime", up_report_time },
	{ "Contact", "PostalAddress", up_means }, { "Contact", "Email", up_means },
	{ "Contact", "Telephone", up_means }, { "Contact", "Fax", up_means },
	{ "Method", "Reference", up_reference },
	{ NULL, "Assessment", up_assessment }, { "Assessment", "Impact", up_impact },
	{ "Node", "NodeName", up_node_name }, { "Node", "DateTime", up_node_time },
	{ "Node", "NodeRole", up_node_role },
	{ NULL, "Counter", up_counter },
	{ NULL, "Application", up_software }, { NULL, "OperatingSystem", up_software },
	{ NULL, "Address", up_address },
	{ NULL, "AdditionalData", up_extension }, { NULL, "RecordItem", up_extension },
};

/* One element by its row, else as it is if v2 has it here. */
static void
up_element(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	if (xml_is(from, IODEF1_NS_PART, IODEF1_PART)) {
		xml_append(to, xml_copy(mem, from));
		return;
	}
	if (!slice_is(from->ns, IODEF1_NS))
		return;
	if (iodef_order(&iodef1_model, from->parent->name, from) == SIZE_MAX &&
	    !(from->parent->parent == NULL && slice_is(from->name, "AdditionalData")))
		return;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		if (slice_is(from->name, rows[i].name) &&
		    (rows[i].parent == NULL || slice_is(from->parent->name, rows[i].parent))) {
			rows[i].up(mem, to, from);
			return;
		}
	}
	up_same(mem, to, from);
}

/* See iodef1.h. */
struct xml_node *
iodef1_native_up(struct arena *mem, const struct xml_node *v1)
{
	struct xml_node *n;

	if (slice_is(v1->name, "AdditionalData")) {
		struct xml_node *nest = xml_new(mem, IODEF2_NS, "", "nest");

		up_extension(mem, nest, v1);
		n = nest->first;
		xml_detach(n);
		return n;
	}
	n = add(mem, NULL, v1->name.p, v1);
	if (slice_is(v1->name, "IODEF-Document"))
		xml_set(mem, n, "version", SLICE_LIT("2.00"));
	copy_attrs(mem, n, v1);
	copy_children(mem, n, v1);
	return n;
}
