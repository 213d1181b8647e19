/* sco.c -- see sco.h. */
#include "formats/sco.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

static const struct { const char *type, *props; } contributing[] = {
	{ "artifact", "hashes payload_bin" },
	{ "autonomous-system", "number" },
	{ "directory", "path" },
	{ "domain-name", "value" },
	{ "email-addr", "value" },
	{ "email-message", "from_ref subject body" },
	{ "file", "hashes name extensions parent_directory_ref" },
	{ "ipv4-addr", "value" },
	{ "ipv6-addr", "value" },
	{ "mac-addr", "value" },
	{ "mutex", "name" },
	{ "network-traffic", "start end src_ref dst_ref src_port dst_port protocols extensions" },
	{ "software", "name cpe swid vendor version" },
	{ "url", "value" },
	{ "user-account", "account_type user_id account_login" },
	{ "windows-registry-key", "key values" },
	{ "x509-certificate", "hashes serial_number" },
};

/* Return the one hash that counts: the first of four, else the first by name. */
static json *
contributing_hash(struct arena *mem, const json *hashes)
{
	static const char *const order[] = { "MD5", "SHA-1", "SHA-256", "SHA-512" };
	const json *best = NULL;
	json *one = json_object(mem);

	for (size_t i = 0; best == NULL && i < sizeof(order) / sizeof(*order); i++)
		best = json_get(hashes, order[i]);
	if (best == NULL)
		for (const json *h = json_first(hashes); h != NULL; h = json_next(h))
			if (best == NULL || strcmp(json_name(h), json_name(best)) < 0)
				best = h;
	if (best != NULL)
		json_put(mem, one, json_name(best), json_copy(mem, best));
	return one;
}

/* Return the blank-separated names of what makes the id of a type; empty for other types. */
static struct slice
contributing_props(struct slice type)
{
	for (size_t i = 0; i < sizeof(contributing) / sizeof(*contributing); i++)
		if (slice_is(type, contributing[i].type))
			return slice_of(contributing[i].props);
	return SLICE_EMPTY;
}

/* Return the deterministic id of an observable, or the empty slice. */
struct slice
sco_id(struct arena *mem, const json *tree)
{
	struct slice type = json_member(tree, "type"), rest = contributing_props(type);
	struct strbuf text = STRBUF_INIT;
	json *name = json_object(mem);
	char uuid[UUID_TEXT + 1];

	while (rest.n > 0) {
		const char *prop = arena_str(mem, slice_cut(&rest, ' '));
		const json *value = json_get(tree, prop);

		if (value != NULL)
			json_put(mem, name, prop, strcmp(prop, "hashes") == 0 &&
			    json_is_object(value) ? contributing_hash(mem, value) :
			    json_copy(mem, value));
	}
	if (json_first(name) == NULL)
		return SLICE_EMPTY;
	json_print_jcs(&text, name);
	uuid_v5(uuid_ns_stix_sco, strbuf_slice(&text), uuid);
	strbuf_fini(&text);
	return slice_of(arena_fmt(mem, "%.*s--%s", SLICE_ARG(type), uuid));
}
