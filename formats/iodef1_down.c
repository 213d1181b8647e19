/* iodef1_down.c -- IODEF v2 to v1, element by element (see iodef1.h). */
#include <string.h>

#include "formats/iodef1.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { IMPACTS_MAX = 256 };

typedef void down_fn(struct arena *mem, struct xml_node *to, const struct xml_node *from);

static void	down_element(struct arena *mem, struct xml_node *to, const struct xml_node *from);

/* See iodef1.h (rulings 8). */
const char *
iodef1_restriction_word(enum tlp t)
{
	switch (t) {
	case TLP_UNSET:	return "default";
	case TLP_CLEAR:	return "public";
	case TLP_RED:	return "private";
	default:	return "need-to-know";
	}
}

static struct xml_node *
add(struct arena *mem, struct xml_node *to, const char *name, const struct xml_node *from)
{
	struct xml_node *n = xml_new(mem, IODEF1_NS, "", name);

	if (from != NULL)
		n->made_of = from->made_of;
	if (to != NULL)
		xml_append(to, n);
	return n;
}

static void
set(struct arena *mem, struct xml_node *n, const char *name, struct slice value)
{
	xml_set(mem, n, name, value);
}

static void
copy_text(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	for (const struct xml_node *k = from == NULL ? NULL : from->first; k != NULL; k = k->next) {
		if (xml_is_text(k))
			xml_add_text(mem, to, k->text)->made_of = k->made_of;
	}
}

static void
copy_lang(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	if (xml_attr(from, "xml:lang") != NULL)
		set(mem, to, "lang", xml_value(from, "xml:lang"));
}

/* May the parent take one more of that name in v1? */
static bool
has_room(const struct xml_node *to, const char *name)
{
	const struct iodef2_class *class = iodef_class(&iodef1_model, to->name);

	if (class == NULL || class->children == NULL)
		return false;
	for (const struct iodef2_child *c = class->children; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0)
			return c->max == 0 || xml_get(to, name) == NULL;
	}
	return to->parent == NULL && strcmp(name, "AdditionalData") == 0;
}

static void
down_restriction(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	enum label_case label;
	enum tlp t = iodef2_restriction_read(slice_trim(xml_value(from, "restriction")),
	    xml_value(from, "ext-restriction"), false, &label);

	set(mem, to, "restriction", slice_of(iodef1_restriction_word(t)));
}

/* An enumerated attribute of class `to`: a word that v1 has not goes as ext-value, or, where v1 has
 * not even that, not at all. */
static void
set_word(struct arena *mem, struct xml_node *to, const char *name, struct slice value, struct slice more)
{
	const struct iodef2_class *class = iodef_class(&iodef1_model, to->name);
	const char *ext = arena_fmt(mem, "ext-%s", name);
	struct slice attr = slice_of(name);

	if (slice_is(value, "ext-value") && more.n > 0 && !slice_is(more, "ext-value") &&
	    iodef_words(&iodef1_model, to->name, attr) != NULL &&
	    iodef_enum_has(&iodef1_model, to->name, attr, more) &&
	    !iodef2_enum_has(to->name, attr, more)) {
		set(mem, to, name, more);
	} else if (iodef_enum_has(&iodef1_model, to->name, attr, value)) {
		set(mem, to, name, value);
		if (slice_is(value, "ext-value") && iodef2_attr_known(class, slice_of(ext)))
			set(mem, to, ext, more);
	} else if (iodef2_attr_known(class, slice_of(ext))) {
		set(mem, to, name, SLICE_LIT("ext-value"));
		set(mem, to, ext, value);
	} else if (iodef_enum_has(&iodef1_model, to->name, attr, SLICE_LIT("unknown"))) {
		set(mem, to, name, SLICE_LIT("unknown"));
	}
}

static void
copy_attrs(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	const struct iodef2_class *class = iodef_class(&iodef1_model, to->name);

	for (const struct xml_attr *a = from->attrs; a != NULL; a = a->next) {
		struct slice name = a->name;

		if (slice_is(a->ns, XML_NS_XML) && slice_is(name, "lang"))
			name = SLICE_LIT("lang");
		else if (a->ns.n > 0 || slice_starts(name, "ext-") || slice_is(name, "version"))
			continue;
		else if (slice_is(name, "format-id"))
			name = SLICE_LIT("formatid");
		else if (slice_is(name, "ip-protocol"))
			name = SLICE_LIT("ip_protocol");
		if (!iodef2_attr_known(class, name))
			continue;
		if (slice_is(name, "restriction"))
			down_restriction(mem, to, from);
		else if (iodef_words(&iodef1_model, to->name, name) != NULL)
			set_word(mem, to, name.p, slice_trim(a->value),
			    slice_trim(xml_value(from, arena_fmt(mem, "ext-%s", name.p))));
		else
			set(mem, to, name.p, a->value);
	}
}

static void
copy_children(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	copy_text(mem, to, from);
	for (const struct xml_node *k = xml_child(from); k != NULL; k = xml_sibling(k))
		down_element(mem, to, k);
}

static struct xml_node *
same(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = add(mem, to, from->name.p, from);

	copy_attrs(mem, n, from);
	copy_children(mem, n, from);
	return n;
}

/* ---- Incident --------------------------------------------------------------------------------- */

/* v1 has the time of the report only. */
static void
down_generation(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	if (xml_get(from->parent, "ReportTime") == NULL)
		copy_text(mem, add(mem, to, "ReportTime", from), from);
}

/* The level that holds for a child of an Incident. */
static enum tlp
level_of(const struct xml_node *n)
{
	enum label_case label;

	if (xml_attr(n, "restriction") == NULL)
		n = n->parent;
	if (xml_attr(n, "restriction") == NULL)
		return TLP_RED;
	return iodef2_restriction_read(slice_trim(xml_value(n, "restriction")),
	    xml_value(n, "ext-restriction"), false, &label);
}

/* One element takes the ids of all, or if there are none, the URLs; as strict as the strictest. */
static void
down_related(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	enum tlp label = TLP_UNSET;
	const char *name = "URL";
	bool first = true, said = false;
	struct xml_node *n;

	if (xml_get(to, "RelatedActivity") != NULL)
		return;
	n = add(mem, to, "RelatedActivity", from);
	for (const struct xml_node *k = from; k != NULL; k = xml_more(k)) {
		if (xml_get(k, "IncidentID") != NULL)
			name = "IncidentID";
	}
	for (const struct xml_node *k = from; k != NULL; k = xml_more(k)) {
		for (const struct xml_node *id = xml_get(k, name); id != NULL; id = xml_more(id))
			same(mem, n, id);
		if (xml_get(k, name) == NULL)
			continue;
		label = first ? level_of(k) : tlp_join(label, level_of(k));
		said |= xml_attr(k, "restriction") != NULL;
		first = false;
	}
	if (n->first == NULL)
		xml_detach(n);
	else if (said)
		set(mem, n, "restriction", slice_of(iodef1_restriction_word(label)));
}

static const char *const impact_elements[] = { "SystemImpact", "BusinessImpact", NULL };

static bool
is_impact(const struct xml_node *n)
{
	return xml_is(n, IODEF2_NS, impact_elements[0]) || xml_is(n, IODEF2_NS, impact_elements[1]);
}

static bool
says(struct slice word, struct slice ext, const struct xml_node *n)
{
	struct iodef1_impact im = iodef1_impact_up(word, ext);

	return slice_is(n->name, im.element) && slice_is(slice_trim(xml_value(n, "type")), im.type) &&
	    slice_is(slice_trim(xml_value(n, "ext-type")), im.ext);
}

/* The category that stands for the type of n: they come in the same order. */
static struct slice
category_of(struct arena *mem, const struct xml_node *n)
{
	const struct xml_node *k = xml_get(n->parent, "IncidentCategory");
	size_t seen = 0;

	for (const struct xml_node *p = n->prev; p != NULL && k != NULL; p = p->prev) {
		if (is_impact(p) && xml_attr(p, "type") != NULL)
			k = xml_more(k);
		if (++seen == IMPACTS_MAX)	/* no real one has as many */
			return SLICE_EMPTY;
	}
	return xml_text_line(k, mem);
}

/* The type of v1: the category's word if it means the same, else the first word that does. */
static void
impact_type(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct slice word = category_of(mem, from), type = slice_trim(xml_value(from, "type"));
	struct slice words, w;

	if (xml_attr(from, "type") == NULL)
		return;
	if (word.n > 0 && says(word, SLICE_EMPTY, from) &&
	    iodef_enum_has(&iodef1_model, to->name, SLICE_LIT("type"), word)) {
		set(mem, to, "type", word);
		return;
	}
	if (word.n > 0 && says(SLICE_LIT("ext-value"), word, from)) {
		set(mem, to, "type", SLICE_LIT("ext-value"));
		set(mem, to, "ext-type", word);
		return;
	}
	words = slice_of(iodef_words(&iodef1_model, to->name, SLICE_LIT("type")));
	while (words.n > 0) {
		w = slice_cut(&words, ' ');
		if (!slice_is(w, "ext-value") && says(arena_slice(mem, w), SLICE_EMPTY, from)) {
			set(mem, to, "type", w);
			return;
		}
	}
	if (slice_is(type, "ext-value"))
		type = slice_trim(xml_value(from, "ext-type"));
	if (iodef_enum_has(&iodef1_model, to->name, SLICE_LIT("type"), type)) {
		set(mem, to, "type", type);
		return;
	}
	set(mem, to, "type", SLICE_LIT("ext-value"));
	set(mem, to, "ext-type", type);
}

static void
down_impact(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	static const char *const names[] = { "severity", "completion" };
	const struct xml_node *text = xml_get(from, "Description");
	struct xml_node *n = add(mem, to, "Impact", from);

	for (size_t i = 0; i < COUNTOF(names); i++) {
		struct slice v = slice_trim(xml_value(from, names[i]));

		if (v.n > 0 && iodef_enum_has(&iodef1_model, n->name, slice_of(names[i]), v))
			set(mem, n, names[i], v);
	}
	impact_type(mem, n, from);
	copy_lang(mem, n, text);
	copy_text(mem, n, text);
}

/* v1 asks for an effect where v2 does not. */
static void
down_assessment(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n, *impact;

	if (!has_room(to, from->name.p))
		return;
	n = same(mem, to, from);
	if (xml_get(n, "Impact") != NULL || xml_get(n, "TimeImpact") != NULL ||
	    xml_get(n, "MonetaryImpact") != NULL)
		return;
	impact = add(mem, NULL, "Impact", from);
	set(mem, impact, "type", SLICE_LIT("unknown"));
	iodef1_insert(&iodef1_model, n, impact);
}

/* ---- Contact and Method ----------------------------------------------------------------------- */

static const struct {
	const char	*outer, *inner, *v1;
} means[] = {
	{ "PostalAddress", "PAddress", "PostalAddress" },
	{ "Email", "EmailTo", "Email" },
	{ "Telephone", "TelephoneNumber", "Telephone" },
};

static void
down_means(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	const struct xml_node *inner, *text = xml_get(from, "Description");
	const char *name;
	struct xml_node *n;
	size_t i = 0;

	while (!slice_is(from->name, means[i].outer))
		i++;
	name = means[i].v1;
	if (slice_is(xml_value(from, "type"), "fax") && has_room(to, "Fax"))
		name = "Fax";
	if (!has_room(to, name))
		return;
	inner = xml_get(from, means[i].inner);
	n = add(mem, to, name, from);
	copy_text(mem, n, inner);
	if (text != NULL)
		set(mem, n, "meaning", xml_text(text, mem));
	if (i == 0)
		copy_lang(mem, n, inner);
}

/* v1 asks for a name: that of the enumeration, else the first description, else the first address. */
static void
down_reference(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	const struct xml_node *id = xml_get_ns(xml_get_ns(from, IODEF2_NS_ENUM, "ReferenceName"),
	    IODEF2_NS_ENUM, "ID"), *text = xml_get(from, "Description");
	struct xml_node *n = add(mem, to, "Reference", from), *name = add(mem, n, "ReferenceName", from);

	if (id != NULL) {
		copy_text(mem, name, id);
	} else if (text != NULL) {
		copy_text(mem, name, text);
		copy_lang(mem, name, text);
	} else {
		copy_text(mem, name, xml_get(from, "URL"));
	}
	for (const struct xml_node *k = xml_get(from, "URL"); k != NULL; k = xml_more(k))
		same(mem, n, k);
	for (const struct xml_node *k = id != NULL ? text : xml_more(text); k != NULL; k = xml_more(k))
		same(mem, n, k);
}

/* An attack pattern, vulnerability or weakness of RFC 7203: a reference by its id. */
static void
down_sci(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct slice id = xml_value(from, arena_fmt(mem, "%sID", from->name.p));
	struct xml_node *n = add(mem, NULL, "Reference", from);

	xml_add_text(mem, add(mem, n, "ReferenceName", from), id.n > 0 ? id : xml_value(from, "SpecID"));
	iodef1_insert(&iodef1_model, to, n);
}

/* v1 asks for a reference or a description. */
static void
complete_method(struct arena *mem, struct xml_node *n)
{
	struct xml_node *text;

	if (xml_get(n, "Reference") != NULL || xml_get(n, "Description") != NULL)
		return;
	text = add(mem, NULL, "Description", NULL);
	xml_add_text(mem, text, SLICE_LIT("unspecified"));
	iodef1_insert(&iodef1_model, n, text);
}

/* ---- System ----------------------------------------------------------------------------------- */

static void
down_domain(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	copy_text(mem, add(mem, to, "NodeName", from), xml_get(from, "Name"));
}

/* The roles move from the System down to the Node, where they stand before its counters. */
static void
add_node_roles(struct arena *mem, struct xml_node *node, const struct xml_node *system)
{
	struct xml_node *counter = xml_get(node, "Counter"), *n;

	for (const struct xml_node *k = xml_get(system, "NodeRole"); k != NULL; k = xml_more(k)) {
		const struct xml_node *text = xml_get(k, "Description");

		n = add(mem, NULL, "NodeRole", k);
		copy_attrs(mem, n, k);
		copy_lang(mem, n, text);
		copy_text(mem, n, text);
		if (counter != NULL)
			xml_insert(counter, n);
		else
			xml_append(node, n);
	}
}

/* When a name was resolved: v1 has one such time a Node. */
static void
add_node_time(struct arena *mem, struct xml_node *node, const struct xml_node *from)
{
	struct xml_node *when;

	for (const struct xml_node *k = xml_get(from, "DomainData"); k != NULL; k = xml_more(k)) {
		const struct xml_node *t = xml_get(k, "DateDomainWasChecked");

		if (t == NULL)
			continue;
		when = add(mem, NULL, "DateTime", t);
		copy_text(mem, when, t);
		iodef1_insert(&iodef1_model, node, when);
		return;
	}
}

static void
down_node(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = same(mem, to, from);

	add_node_time(mem, n, from);
	if (slice_is(from->parent->name, "System"))
		add_node_roles(mem, n, from->parent);
}

static void
down_counter(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	static const char *const names[] = { "meaning", "duration", "ext-duration" };
	struct xml_node *n = add(mem, to, "Counter", from);

	set_word(mem, n, "type", slice_trim(xml_value(from, "unit")),
	    slice_trim(xml_value(from, "ext-unit")));
	for (size_t i = 0; i < COUNTOF(names); i++) {
		if (xml_attr(from, names[i]) != NULL)
			set(mem, n, names[i], xml_value(from, names[i]));
	}
	copy_text(mem, n, from);
}

/* "name=value; name=value" as attributes; false if it is something else. */
static bool
software_attrs(struct arena *mem, struct xml_node *to, struct slice text)
{
	struct strbuf value = STRBUF_INIT;
	size_t i = 0, k;
	bool ok = text.n > 0;

	while (ok && i < text.n) {
		struct slice rest = slice_from(text.p + i, text.n - i), name = slice_cut(&rest, '=');

		for (k = 0; iodef1_software[k] != NULL && !slice_is(name, iodef1_software[k]); k++)
			;
		ok = iodef1_software[k] != NULL && xml_attr(to, iodef1_software[k]) == NULL;
		strbuf_reset(&value);
		for (i += name.n + 1; ok && i < text.n && text.p[i] != ';'; i++) {
			if (text.p[i] == '\\' && i + 1 < text.n)
				i++;
			strbuf_addc(&value, text.p[i]);
		}
		i += 2;		/* "; " */
		if (ok)
			set(mem, to, iodef1_software[k], strbuf_slice(&value));
	}
	strbuf_fini(&value);
	return ok;
}

static void
down_software(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	const struct xml_node *ref = xml_get(from, "SoftwareReference");
	struct slice kind = slice_trim(xml_value(ref, "spec-name")), text = xml_text(ref, mem);
	struct xml_node *n;

	if (!has_room(to, from->name.p))
		return;
	n = add(mem, to, from->name.p, from);
	if (!slice_is(kind, "custom") || !software_attrs(mem, n, text)) {
		n->attrs = NULL;
		if (slice_is(kind, "swid"))
			set(mem, n, "swid", slice_trim(text));
		if (xml_get(from, "Description") != NULL)
			set(mem, n, "name", xml_text_line(xml_get(from, "Description"), mem));
		else if (text.n > 0)
			set(mem, n, "name", slice_trim(text));
	}
	if (xml_get(from, "URL") != NULL)
		same(mem, n, xml_get(from, "URL"));
}

/* An address without a word: v2 means IPv6, real senders mean what it looks like. */
static void
down_address(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = same(mem, to, from);
	struct slice value = xml_text(from, mem);

	if (xml_attr(n, "category") == NULL)
		set(mem, n, "category", value.n > 0 && memchr(value.p, ':', value.n) != NULL ?
		    SLICE_LIT("ipv6-addr") : SLICE_LIT("ipv4-addr"));
}

/* v1 knows one kind of ports, and asks for a protocol. */
static void
down_service(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = same(mem, to, from), *list = xml_get(n, "Portlist");

	if (xml_get(n, "Port") != NULL && list != NULL)
		xml_detach(list);
	if (xml_attr(n, "ip_protocol") == NULL)
		set(mem, n, "ip_protocol", SLICE_LIT("255"));	/* IANA: reserved */
}

/* ---- Records and extensions ------------------------------------------------------------------- */

/* What a record that v1 cannot hold is about: its first text. */
static struct slice
first_text(struct arena *mem, const struct xml_node *n)
{
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		struct slice s = xml_child(k) != NULL ? first_text(mem, k) : xml_text_trim(k, mem);

		if (s.n > 0 && !slice_is(k->name, "AdditionalData") && !slice_is(k->name, "DateTime"))
			return s;
	}
	return SLICE_EMPTY;
}

/* v1 asks for at least one RecordItem. */
static void
down_record_data(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = same(mem, to, from), *item;

	if (xml_get(n, "RecordItem") != NULL)
		return;
	item = add(mem, NULL, "RecordItem", from);
	set(mem, item, "dtype", SLICE_LIT("string"));
	xml_add_text(mem, item, first_text(mem, from));
	iodef1_insert(&iodef1_model, n, item);
}

/* Can the name and the word stand in brackets? */
static bool
is_bracket_word(struct slice s)
{
	return s.n > 0 && memchr(s.p, ' ', s.n) == NULL && memchr(s.p, ']', s.n) == NULL &&
	    memchr(s.p, '\n', s.n) == NULL && memchr(s.p, '\t', s.n) == NULL;
}

/* "[name =word] meaning" if v1 cannot say these otherwise. */
static void
down_meaning(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct slice name = xml_value(from, "name"), meaning = xml_value(from, "meaning");
	struct slice word = slice_trim(xml_value(from, "restriction"));
	struct slice ext = xml_value(from, "ext-restriction");
	struct strbuf b = STRBUF_INIT;

	if (is_bracket_word(name) && name.p[0] != '=' && name.p[0] != '@')
		strbuf_addsl(&b, name);
	if (slice_is(word, "ext-value"))
		word = slice_of(arena_fmt(mem, "ext:%.*s", SLICE_ARG(ext)));
	if (is_bracket_word(word) && !slice_eq(word, xml_value(to, "restriction")))
		strbuf_addf(&b, "%s=%.*s", b.n > 0 ? " " : "", SLICE_ARG(word));
	if (b.n == 0 && iodef1_meaning_read(meaning).rest.n == meaning.n) {
		strbuf_fini(&b);
		return;
	}
	xml_set(mem, to, "meaning", slice_of(arena_fmt(mem, "[%.*s]%s%.*s", (int)b.n, b.p,
	    meaning.n > 0 ? " " : "", SLICE_ARG(meaning))));
	strbuf_fini(&b);
}

static void
down_extension(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	struct xml_node *n = add(mem, to, from->name.p, from);

	copy_attrs(mem, n, from);
	for (const struct xml_node *k = from->first; k != NULL; k = k->next)
		xml_append(n, xml_copy(mem, k));
	if (slice_is(from->name, "AdditionalData"))
		down_meaning(mem, n, from);
}

static void
down_nothing(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	(void)mem;
	(void)to;
	(void)from;
}

static const struct {
	const char	*parent, *name;		/* parent NULL: any */
	down_fn		*down;
} rows[] = {
	{ "Incident", "GenerationTime", down_generation },
	{ "Incident", "RelatedActivity", down_related },
	{ NULL, "Assessment", down_assessment },
	{ "Assessment", "SystemImpact", down_impact }, { "Assessment", "BusinessImpact", down_impact },
	{ "Contact", "PostalAddress", down_means }, { "Contact", "Email", down_means },
	{ "Contact", "Telephone", down_means },
	{ "Method", "Reference", down_reference },
	{ "System", "Node", down_node }, { "Node", "DomainData", down_domain },
	{ "System", "NodeRole", down_nothing },
	{ "Node", "PostalAddress", down_nothing },
	{ NULL, "Counter", down_counter },
	{ NULL, "Application", down_software }, { NULL, "OperatingSystem", down_software },
	{ NULL, "Address", down_address }, { NULL, "Service", down_service },
	{ NULL, "RecordData", down_record_data },
	{ NULL, "AdditionalData", down_extension }, { NULL, "RecordItem", down_extension },
};

/* One element by its row, else as it is if v1 has room for it here. */
static void
down_element(struct arena *mem, struct xml_node *to, const struct xml_node *from)
{
	if (xml_is(from, IODEF1_NS_PART, IODEF1_PART)) {
		xml_append(to, xml_copy(mem, from));
		return;
	}
	if (slice_is(from->ns, IODEF2_NS_SCI) && slice_is(from->parent->name, "Method"))
		down_sci(mem, to, from);
	if (!slice_is(from->ns, IODEF2_NS))
		return;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		if (slice_is(from->name, rows[i].name) &&
		    (rows[i].parent == NULL || slice_is(from->parent->name, rows[i].parent))) {
			rows[i].down(mem, to, from);
			return;
		}
	}
	if (has_room(to, from->name.p))
		same(mem, to, from);
}

/* What an Incident must have in v1. */
static void
complete_incident(struct arena *mem, struct xml_node *n, const struct xml_node *from)
{
	struct xml_node *a, *impact;

	if (xml_get(n, "Assessment") != NULL)
		return;
	a = add(mem, NULL, "Assessment", from);
	iodef1_insert(&iodef1_model, n, a);
	impact = xml_add(mem, a, "Impact");
	set(mem, impact, "type", SLICE_LIT("unknown"));
}

/* See iodef1.h. */
struct xml_node *
iodef1_native_down(struct arena *mem, const struct xml_node *v2)
{
	struct xml_node *nest, *n;

	if (slice_is(v2->name, "IODEF-Document") || slice_is(v2->name, "Incident")) {
		n = add(mem, NULL, v2->name.p, v2);
		copy_attrs(mem, n, v2);
		copy_children(mem, n, v2);
		if (slice_is(v2->name, "Incident")) {
			complete_incident(mem, n, v2);
			return n;
		}
		set(mem, n, "version", SLICE_LIT("1.00"));
		if (xml_attr(n, "lang") == NULL)
			set(mem, n, "lang", SLICE_LIT("en"));
		return n;
	}
	nest = add(mem, NULL, "nest", v2);
	if (slice_is(v2->name, "AdditionalData"))
		down_extension(mem, nest, v2);
	else if (slice_is(v2->name, "RecordData"))
		down_record_data(mem, nest, v2);
	else
		same(mem, nest, v2);
	n = nest->first;
	xml_detach(n);
	if (slice_is(n->name, "Method"))
		complete_method(mem, n);
	return n;
}
