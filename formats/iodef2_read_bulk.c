/* iodef2_read_bulk.c -- BulkObservable: one observable a line, alternatives of one pattern. */
#include <string.h>

#include "formats/iodef2_read.h"
#include "formats/iodef2_words.h"
#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* Hash algorithm of hex digits by their number. */
static const char *
algorithm_of_length(size_t n)
{
	static const struct { size_t n; const char *name; } rows[] = {
		{ 32, "MD5" }, { 40, "'SHA-1'" }, { 64, "'SHA-256'" }, { 128, "'SHA-512'" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].n == n)
			return rows[i].name;
	}
	return NULL;
}

/* The line of a file-hash list: the algorithm of its format, else by length. */
static struct pat_node *
hash_line(struct ir *r, struct xml_node *bulk, struct slice line)
{
	struct xml_node *hash = xml_get(xml_get(bulk, "BulkObservableFormat"), "Hash");
	const struct iodef2_digest *d = iodef2_digest_by_uri(
	    xml_value(xml_get_ns(hash, IODEF2_NS_DS, "DigestMethod"), "Algorithm"));
	const char *name = algorithm_of_length(line.n);

	if (strspn(line.p, "0123456789abcdefABCDEF") < line.n)
		return NULL;
	if (d != NULL && line.n != 2 * d->n)
		return NULL;
	if (d != NULL)
		name = strcmp(d->stix, "MD5") == 0 ? d->stix : arena_fmt(r->mem, "'%s'", d->stix);
	if (name == NULL)
		return NULL;
	return ir_test(r, arena_fmt(r->mem, "file:hashes.%s", name), line);
}

/* "domain, address[, time]": the name that resolves to the address. */
static struct pat_node *
resolves_line(struct ir *r, struct slice line, const char *category)
{
	struct slice rest = line, name = slice_trim(slice_cut(&rest, ','));
	struct slice addr = slice_trim(slice_cut(&rest, ','));
	struct pat_node *v[2];
	bool none = false;

	v[0] = ir_test(r, "domain-name:value", arena_slice(r->mem, name));
	v[1] = ir_test_address(r, slice_of(category), arena_slice(r->mem, addr),
	    "domain-name:resolves_to_refs[*].value", &none);
	if (v[0] == NULL || v[1] == NULL)
		return NULL;
	return pattern_bracket(r->mem, pattern_join(r->mem, true, v, 2));
}

/* "address, port, PROTOCOL" */
static struct pat_node *
port_line(struct ir *r, struct slice line, const char *category)
{
	struct slice rest = line, addr = slice_trim(slice_cut(&rest, ','));
	struct slice port = slice_trim(slice_cut(&rest, ',')), protocol = slice_trim(rest);
	struct pat_node *v[3];
	unsigned long long number;
	bool none = false;
	size_t n = 2;

	v[0] = ir_test_address(r, slice_of(category), arena_slice(r->mem, addr),
	    "network-traffic:dst_ref.value", &none);
	if (v[0] == NULL || !slice_u64(port, &number) || number > 65535)
		return NULL;
	v[1] = ir_test_number(r, "network-traffic:dst_port", PAT_EQ, number);
	if (value_normalise(VALUE_PROTOCOL, protocol, r->mem, &protocol))
		v[n++] = ir_test(r, "network-traffic:protocols[*]", protocol);
	return pattern_bracket(r->mem, pattern_join(r->mem, true, v, n));
}

/* The path of a list by its type; AdditionalData name="stix-path" tells rows of one type apart. */
static const char *
path_of(struct ir *r, struct xml_node *bulk, struct slice type)
{
	const char *first = NULL;

	for (const struct iodef2_bulk *row = iodef2_bulks; row->type != NULL; row++) {
		if (!slice_is(type, row->type))
			continue;
		first = first == NULL ? row->path : first;
		for (struct xml_node *n = xml_get(bulk, "AdditionalData"); n != NULL; n = xml_more(n)) {
			if (slice_is(xml_value(n, "name"), "stix-path") &&
			    slice_is(xml_text_line(n, r->mem), row->path))
				return row->path;
		}
	}
	return first;
}

/* Types whose values are checked as addresses. */
static const char *const address_types[] = {
	"ipv4-addr", "ipv4-net", "ipv4-net-mask", "ipv6-addr", "ipv6-net", "mac", "e-mail", "site-uri",
	"asn",
};

static struct pat_node *
one_line(struct ir *r, struct xml_node *bulk, struct slice type, const char *path, struct slice line)
{
	bool none = false;

	for (size_t i = 0; i < sizeof(address_types) / sizeof(*address_types); i++) {
		if (slice_is(type, address_types[i]))
			return ir_test_address(r, type, line, NULL, &none);
	}
	if (slice_is(type, "file-hash"))
		return hash_line(r, bulk, line);
	if (slice_starts(type, "domain-to-ipv4"))
		return resolves_line(r, line, "ipv4-addr");
	if (slice_starts(type, "domain-to-ipv6"))
		return resolves_line(r, line, "ipv6-addr");
	if (slice_is(type, "ipv4-port") || slice_is(type, "ipv6-port"))
		return port_line(r, line, slice_is(type, "ipv4-port") ? "ipv4-addr" : "ipv6-addr");
	if (slice_is(type, "domain-name"))
		line = value_refang(line, r->mem);
	return path == NULL ? NULL : ir_test(r, path, line);
}

/* See iodef2_read.h. */
struct pat_node *
ir_bulk(struct ir *r, struct xml_node *bulk, bool *none)
{
	struct slice type = slice_trim(xml_value(bulk, "type"));
	struct xml_node *list = xml_get(bulk, "BulkObservableList");
	struct slice rest = xml_text(list, r->mem);
	struct pat_list any = { 0 };
	size_t bad = 0;
	const char *path;

	if (slice_is(type, "fqdn"))
		type = SLICE_LIT("domain-name");
	path = path_of(r, bulk, type);
	while (rest.n > 0) {
		struct slice line = slice_trim(slice_cut(&rest, '\n'));
		struct pat_node *p;

		if (line.n == 0)
			continue;
		p = one_line(r, bulk, type, path, arena_slice(r->mem, line));
		if (p == NULL)
			bad++;
		pattern_add(&any, r->mem, p);
	}
	if (any.n == 0) {
		*none = bad == 0;	/* an empty list says nothing; an unknown type is kept as XML */
		return NULL;
	}
	if (bad > 0)
		ir_warn(r, list, "NOT_OBSERVABLE", "%zu lines are no %.30s: left out of the pattern", bad,
		    type.p);
	bulk->mark = XML_KEPT;
	ir_attr(bulk, "type");
	xml_mark_own(list, bad > 0 ? XML_APPROXIMATED : XML_KEPT);
	return pattern_join(r->mem, false, any.v, any.n);
}
