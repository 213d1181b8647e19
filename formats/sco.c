/* sco.c -- see sco.h. */
#include "formats/sco.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { PROPS_MAX = 8 };

/* The properties in the order of the canonical form. */
static const struct contributing { const char *type, *props[PROPS_MAX + 1]; } contributing[] = {
	{ "artifact", { "hashes", "payload_bin" } },
	{ "autonomous-system", { "number" } },
	{ "directory", { "path" } },
	{ "domain-name", { "value" } },
	{ "email-addr", { "value" } },
	{ "email-message", { "body", "from_ref", "subject" } },
	{ "file", { "extensions", "hashes", "name", "parent_directory_ref" } },
	{ "ipv4-addr", { "value" } },
	{ "ipv6-addr", { "value" } },
	{ "mac-addr", { "value" } },
	{ "mutex", { "name" } },
	{ "network-traffic", { "dst_port", "dst_ref", "end", "extensions", "protocols", "src_port",
	    "src_ref", "start" } },
	{ "software", { "cpe", "name", "swid", "vendor", "version" } },
	{ "url", { "value" } },
	{ "user-account", { "account_login", "account_type", "user_id" } },
	{ "windows-registry-key", { "key", "values" } },
	{ "x509-certificate", { "hashes", "serial_number" } },
};

/* Add a hash that counts: the first of four, else the first by name; an object of nothing else. */
static void
add_hash(struct strbuf *out, const json *hashes)
{
	static const char *const order[] = { "MD5", "SHA-1", "SHA-256", "SHA-512" };
	const json *best = NULL;

	for (size_t i = 0; best == NULL && i < COUNTOF(order); i++)
		best = json_get(hashes, order[i]);
	if (best == NULL)
		for (const json *h = json_first(hashes); h != NULL; h = json_next(h))
			if (best == NULL || strcmp(json_name(h), json_name(best)) < 0)
				best = h;
	strbuf_addc(out, '{');
	if (best != NULL) {
		json_print_string(out, slice_of(json_name(best)));
		strbuf_addc(out, ':');
		json_print_jcs(out, best);
	}
	strbuf_addc(out, '}');
}

/* Add the canonical form of what makes the id of an observable; nothing for other types, or if there is
 * nothing that would. */
static void
add_contributing(struct strbuf *out, const json *tree, const struct contributing *c)
{
	for (const char *const *prop = c->props; *prop != NULL; prop++) {
		const json *value = json_get(tree, *prop);

		if (value == NULL)
			continue;
		strbuf_addc(out, out->n == 0 ? '{' : ',');
		json_print_string(out, slice_of(*prop));
		strbuf_addc(out, ':');
		if (json_is_object(value) && strcmp(*prop, "hashes") == 0)
			add_hash(out, value);
		else
			json_print_jcs(out, value);
	}
	if (out->n > 0)
		strbuf_addc(out, '}');
}

/* Return the deterministic id of an observable, or the empty slice. */
struct slice
sco_id(struct arena *mem, const json *tree)
{
	struct slice type = json_member(tree, "type");
	struct strbuf text = STRBUF_INIT;
	char *id = NULL;

	for (size_t i = 0; i < COUNTOF(contributing); i++)
		if (slice_is(type, contributing[i].type))
			add_contributing(&text, tree, &contributing[i]);
	if (text.n > 0) {
		id = arena_raw(mem, type.n + 2 + UUID_TEXT + 1);
		memcpy(id, type.p, type.n);
		memcpy(id + type.n, "--", 2);
		uuid_v5(uuid_ns_stix_sco, strbuf_slice(&text), id + type.n + 2);
	}
	strbuf_fini(&text);
	return slice_of(id);
}
