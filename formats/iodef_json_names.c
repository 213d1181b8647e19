/* iodef_json_names.c -- how JSON-IODEF calls things, as tables. */
#include <string.h>

#include "formats/iodef_json.h"

static const struct {
	const char	*parent, *xml, *json;
} members[] = {
	{ "DomainData", "Nameservers", "NameServers" },
	{ "Key", "Value", "KeyValue" },
};

static const struct {
	const char	*name, *member;
} texts[] = {
	{ "IncidentID", "id" }, { "IndicatorID", "id" }, { "RegistryHandle", "handle" },
	{ "ObservableReference", NULL }, { "IndicatorReference", NULL },
};

static const struct {
	const char	*name, *attr;
} numbers[] = {
	{ "Address", "vlan-num" }, { "Service", "ip-protocol" }, { "RecordPattern", "offset" },
	{ "RecordPattern", "instance" }, { "ReferenceName", "specIndex" },
};

const char *
iodef_json_member(struct slice parent, const char *child)
{
	for (size_t i = 0; i < COUNTOF(members); i++) {
		if (slice_is(parent, members[i].parent) && strcmp(child, members[i].xml) == 0)
			return members[i].json;
	}
	return child;
}

const char *
iodef_json_text(struct slice name)
{
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		if (slice_is(name, texts[i].name))
			return texts[i].member;
	}
	return "value";
}

bool
iodef_json_is_number(struct slice name, struct slice attr)
{
	for (size_t i = 0; i < COUNTOF(numbers); i++) {
		if (slice_is(name, numbers[i].name) && slice_is(attr, numbers[i].attr))
			return true;
	}
	return false;
}

static size_t
digits(struct slice s, size_t from)
{
	size_t i = from;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i - from;
}

bool
iodef_json_number(struct slice s)
{
	size_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0, n = digits(s, i);

	if (n == 0 || (n > 1 && s.p[i] == '0') || s.n > 64)
		return false;
	i += n;
	if (i < s.n && s.p[i] == '.') {
		if ((n = digits(s, i + 1)) == 0)
			return false;
		i += n + 1;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i += i + 1 < s.n && (s.p[i + 1] == '+' || s.p[i + 1] == '-') ? 2 : 1;
		if ((n = digits(s, i)) == 0 || n > 3)
			return false;
		i += n;
	}
	return i == s.n;
}

bool
iodef_json_is_english(const struct xml_node *n)
{
	while (n != NULL && xml_attr(n, "xml:lang") == NULL)
		n = n->parent;
	return n == NULL || slice_is(slice_trim(xml_value(n, "xml:lang")), "en");
}

bool
iodef_json_is_sci(const struct xml_node *n)
{
	return slice_is(n->ns, IODEF2_NS_SCI);
}
