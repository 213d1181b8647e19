/* cybox_net.c -- addresses, names and who owns them (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"
#include "formats/value.h"

/* AddressObj. The category says what it is, unless the value is plainly something else. */
static const struct category {
	const char	*word;
	const char	*type;
	bool		 writes;	/* this is the word for that type */
} categories[] = {
	{ "ipv4-addr", "ipv4-addr", true }, { "ipv4-net", "ipv4-addr", false },
	{ "cidr", "ipv4-addr", false },
	{ "ipv6-addr", "ipv6-addr", true }, { "ipv6-net", "ipv6-addr", false },
	{ "e-mail", "email-addr", true }, { "mac", "mac-addr", true },
	{ "asn", "autonomous-system", false },
};

/* The type of an address by its looks; NULL if it could be anything. */
static const char *
address_looks(struct arena *mem, struct slice v)
{
	struct slice out;

	if (value_ip(4, v, mem, &out))
		return "ipv4-addr";
	if (value_ip(6, v, mem, &out))
		return "ipv6-addr";
	if (memchr(v.p, '@', v.n) != NULL)
		return "email-addr";
	return v.n == 17 && value_normalise(VALUE_MAC, v, mem, &out) ? "mac-addr" : NULL;
}

static const char *
address_type(struct cx_reader *rd, const struct xml_attr *category, const char *otherwise,
    const struct cx *leaf)
{
	const char *looks = NULL, *type = category == NULL ? otherwise : NULL;
	const struct cx_test *t = leaf->tests;
	bool whole = t->op == PAT_EQ || t->op == PAT_NE || t->op == PAT_IN;

	for (size_t i = 0; category != NULL && i < COUNTOF(categories); i++) {
		if (slice_is_nocase(slice_trim(category->value), categories[i].word))
			type = categories[i].type;
	}
	if (type == NULL || strcmp(type, "autonomous-system") == 0)
		return type;
	for (size_t i = 0; whole && i < t->n; i++) {
		const char *one = address_looks(rd->mem, t->v[i]);

		if (i > 0 && (one == NULL || looks == NULL || strcmp(one, looks) != 0))
			return strcmp(type, "email-addr") == 0 ? type : NULL;
		looks = one;
	}
	return looks != NULL ? looks : type;
}

/* A network that is equalled is one that things lie in. */
static void
subset_networks(struct arena *mem, struct cx *leaf)
{
	struct cx_test *t = leaf->tests;

	if (leaf->ntests != 1 || (t->op != PAT_EQ && t->op != PAT_NE && t->op != PAT_IN))
		return;
	for (size_t i = 0; i < t->n; i++) {
		if (!cx_is_network(mem, t->v[i]))
			return;
	}
	if (t->n == 1) {
		t->negated = (t->op == PAT_NE) != t->negated;
		t->op = PAT_ISSUBSET;
	}
}

/* Several networks: one comparison for each. */
static void
subset_each(struct arena *mem, struct cx *leaf)
{
	const struct cx_test t = leaf->tests[0];

	if (leaf->ntests != 1 || t.op != PAT_IN)
		return;
	for (size_t i = 0; i < t.n; i++) {
		if (!cx_is_network(mem, t.v[i]))
			return;
	}
	leaf->tests = arena_alloc(mem, t.n * sizeof(*leaf->tests));
	leaf->ntests = t.n;
	leaf->either = !t.negated;
	for (size_t i = 0; i < t.n; i++)
		leaf->tests[i] = (struct cx_test){ PAT_ISSUBSET, t.negated, &t.v[i], 1 };
}

/* The canonical form where the standard asks for one; false if it has none. */
static bool
address_form(struct cx_reader *rd, const char *type, struct cx *leaf)
{
	enum value_kind kind = strcmp(type, "mac-addr") == 0 ? VALUE_MAC : VALUE_ASN;
	const struct cx_test *t = leaf->tests;

	if (strcmp(type, "mac-addr") != 0 && strcmp(type, "autonomous-system") != 0)
		return true;
	for (size_t i = 0; i < t->n; i++) {
		struct slice out;

		if (!value_normalise(kind, t->v[i], rd->mem, &out)) {
			if (kind == VALUE_ASN || t->op == PAT_EQ)
				return false;
			continue;
		}
		if (!slice_eq(out, t->v[i]))
			leaf->from[0]->mark = XML_APPROXIMATED;
		t->v[i] = out;
	}
	if (kind == VALUE_ASN)
		leaf->value = PAT_INT;
	return true;
}

static void
read_address(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	struct xml_node *el = cx_child(at, "Address_Value");
	struct xml_attr *category = xml_attr(at, "category");
	struct cx *leaf = el == NULL ? NULL : cx_value(rd, CXC_TEXT, el);
	const char *type;

	(void)row;
	if (leaf == NULL)
		return;
	type = address_type(rd, category, into->type.n > 0 ? into->type.p : "ipv4-addr", leaf);
	if (type == NULL || !address_form(rd, type, leaf)) {
		cx_unmark(leaf);
		cx_tell(rd, CYBOX_VALUE, el, "no address of a kind that STIX knows");
		return;
	}
	if (rd->pattern && slice_starts(slice_of(type), "ipv")) {
		subset_networks(rd->mem, leaf);
		subset_each(rd->mem, leaf);
	}
	if (category != NULL)
		category->mark = XML_KEPT;
	into->type = slice_of(type);
	cx_place(rd, into, strcmp(type, "autonomous-system") == 0 ? "number" : "value", leaf);
}

/* Is it a network, alone or in a list? */
static bool
says_network(struct arena *mem, const struct cx *leaf)
{
	for (size_t i = 0; i < leaf->ntests; i++) {
		if (leaf->tests[i].op == PAT_ISSUBSET)
			return true;
	}
	return cx_plain(leaf) != NULL && cx_is_network(mem, *cx_plain(leaf));
}

static void
write_address(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	struct cx *value = cx_find(from, "value");
	const char *word = NULL, *looks;

	(void)row;
	for (size_t i = 0; i < COUNTOF(categories); i++) {
		if (categories[i].writes && slice_is(from->type, categories[i].type))
			word = categories[i].word;
	}
	if (value == NULL || value->kind != CX_LEAF || value->done || word == NULL)
		return;
	looks = cx_plain(value) == NULL ? NULL : address_looks(w->mem, *cx_plain(value));
	if (looks != NULL && !slice_is(from->type, looks))
		return;		/* it would be read as what it looks like */
	if (slice_starts(slice_of(word), "ipv") && says_network(w->mem, value))
		word = "cidr";
	if (cx_put(w, props, "Address_Value", CXC_TEXT, value))
		xml_set(w->mem, props, "category", slice_of(word));
}

static const struct cx_hook address_value = { read_address, write_address };
static const struct cx_row address_rows[] = { HOOK("", "", address_value), ROW_END };
const struct cx_type cx_address = {
	"AddressObjectType", "AddressObj", "", NULL, address_rows, NULL, false
};

static const struct cx_row domain_rows[] = {
	ROW("Value", "value", CXC_TEXT),
	SUB("~Resolved_To", "resolves_to_refs*", cx_address),
	ROW_END
};
static const struct cx_type domain = {
	"DomainNameObjectType", "DomainNameObj", "domain-name", NULL, domain_rows, NULL, false
};

static const struct cx_row hostname_rows[] = { ROW("Hostname_Value", "value", CXC_TEXT), ROW_END };
const struct cx_type cx_hostname = {
	"HostnameObjectType", "HostnameObj", "domain-name", NULL, hostname_rows, NULL, true
};

/* URIObj: a URL, or the name of a domain. */
static const char *
uri_type(struct cx_reader *rd, const struct xml_attr *type, const struct cx *leaf)
{
	struct slice word = type == NULL ? SLICE_EMPTY : slice_trim(type->value), out;
	struct slice first = leaf->tests[0].n > 0 ? leaf->tests[0].v[0] : SLICE_EMPTY;

	if (slice_is_nocase(word, "Domain Name"))
		return "domain-name";
	if (slice_is_nocase(word, "URL"))
		return "url";
	if (memmem(first.p, first.n, "://", 3) != NULL)
		return "url";
	if (slice_is_nocase(word, "General URN"))
		return NULL;
	return value_domain(first, rd->mem, &out) ? "domain-name" : "url";
}

static void
read_uri(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	struct xml_node *el = cx_child(at, "Value");
	struct xml_attr *type = xml_attr(at, "type");
	struct cx *leaf = el == NULL ? NULL : cx_value(rd, CXC_TEXT, el);
	const char *kind;

	(void)row;
	if (leaf == NULL)
		return;
	if ((kind = uri_type(rd, type, leaf)) == NULL) {
		cx_unmark(leaf);
		cx_tell(rd, CYBOX_VALUE, el, "a URN is no URL");
		return;
	}
	if (type != NULL)
		type->mark = XML_KEPT;
	into->type = slice_of(kind);
	cx_place(rd, into, "value", leaf);
}

static void
write_uri(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	struct cx *value = cx_find(from, "value");

	(void)row;
	if (value == NULL || value->kind != CX_LEAF || value->done || !slice_is(from->type, "url"))
		return;
	if (cx_put(w, props, "Value", CXC_TEXT, value))
		xml_set(w->mem, props, "type", SLICE_LIT("URL"));
}

static const struct cx_hook uri_value = { read_uri, write_uri };
static const struct cx_row uri_rows[] = { HOOK("", "", uri_value), ROW_END };
const struct cx_type cx_uri = { "URIObjectType", "URIObj", "", NULL, uri_rows, NULL, false };
static const struct cx_row no_rows[] = { ROW_END };
static const struct cx_type link_uri = {
	"LinkObjectType", "LinkObj", "", &cx_uri, no_rows, NULL, true
};

/* DNSRecordObj, DNSQueryObj: names, and what they resolve to. */
static const struct cx_row record_rows[] = {
	ROW("Domain_Name/URIObj:Value", "value", CXC_TEXT),
	SUB("IP_Address", "resolves_to_refs*", cx_address),
	ROW_END
};
static const struct cx_type dns_record = {
	"DNSRecordObjectType", "DNSRecordObj", "domain-name", NULL, record_rows, NULL, true
};
static const struct cx_row query_rows[] = {
	ROW("Question/QName/URIObj:Value", "value", CXC_TEXT), ROW_END
};
static const struct cx_type dns_query = {
	"DNSQueryObjectType", "DNSQueryObj", "domain-name", NULL, query_rows, NULL, true
};

/* ASObj; some write only a handle, "AS64496". */
static void
read_as_number(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	struct xml_node *el = cx_child(at, "Number");
	struct cx *leaf;
	struct slice out;

	(void)row;
	if (el == NULL)
		el = cx_child(at, "Handle");
	if (el == NULL || (leaf = cx_value(rd, CXC_TEXT, el)) == NULL)
		return;
	for (size_t i = 0; i < leaf->tests[0].n; i++) {
		if (leaf->ntests > 1 || leaf->tests[0].op == PAT_LIKE ||
		    leaf->tests[0].op == PAT_MATCHES ||
		    !value_normalise(VALUE_ASN, leaf->tests[0].v[i], rd->mem, &out)) {
			cx_unmark(leaf);
			cx_tell(rd, CYBOX_VALUE, el, "no number of an autonomous system");
			return;
		}
		if (!slice_eq(out, leaf->tests[0].v[i]))
			el->mark = XML_APPROXIMATED;
		leaf->tests[0].v[i] = out;
	}
	leaf->value = PAT_INT;
	cx_place(rd, into, "number", leaf);
}

static void
write_as_number(struct cx_writer *w, const struct cx_row *row, struct cx *from,
    struct xml_node *props)
{
	struct cx *leaf = cx_find(from, "number");

	(void)row;
	if (leaf != NULL && leaf->kind == CX_LEAF)
		cx_put(w, props, "Number", CXC_INT, leaf);
}

static const struct cx_hook as_number = { read_as_number, write_as_number };
static const struct cx_row as_rows[] = {
	HOOK("", "number", as_number),
	ROW("Name", "name", CXC_TEXT),
	ROW("Regional_Internet_Registry", "rir", CXC_TEXT),
	ROW_END
};
static const struct cx_type as_object = {
	"ASObjectType", "ASObj", "autonomous-system", NULL, as_rows, NULL, false
};

const struct cx_type *const cx_net_types[] = {
	&cx_address, &domain, &cx_hostname, &cx_uri, &link_uri, &dns_record, &dns_query, &as_object, NULL
};
