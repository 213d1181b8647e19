/*
 * flat_sco.c -- from the properties of an observable to records.
 *
 * What an observable only points at (`resolves_to_refs`, `src_ref`) is an object of its own in its
 * message and is read there.
 */
#include "formats/flat_impl.h"
#include "formats/value.h"
#include "gateway/base/arena.h"

static const struct {
	const char	*object, *property;
	enum flat_type	 type;
	bool		 hashes;	/* the property is a dictionary of them */
} rows[] = {
	{ "ipv4-addr", "value", FLAT_IPV4, false },
	{ "ipv6-addr", "value", FLAT_IPV6, false },
	{ "domain-name", "value", FLAT_DOMAIN, false },
	{ "url", "value", FLAT_URL, false },
	{ "email-addr", "value", FLAT_EMAIL, false },
	{ "mac-addr", "value", FLAT_MAC, false },
	{ "autonomous-system", "number", FLAT_ASN, false },
	{ "file", "hashes", FLAT_SHA256, true },
	{ "file", "name", FLAT_FILENAME, false },
	{ "artifact", "hashes", FLAT_SHA256, true },
	{ "x509-certificate", "hashes", FLAT_CERT_SHA256, true },
	{ "windows-registry-key", "key", FLAT_REGKEY, false },
	{ "mutex", "name", FLAT_MUTEX, false },
	{ "user-account", "account_login", FLAT_USER, false },
	{ "user-account", "user_id", FLAT_USER, false }
};

bool
flat_is_observable(struct slice type)
{
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (slice_is(type, rows[i].object))
			return true;
	return false;
}

static void
read_hashes(struct flat_reading *r, const json *hashes, bool certificate)
{
	struct flat_record *ignored;

	for (json *h = json_first(hashes); h != NULL && json_is_object(hashes); h = json_next(h)) {
		int type = flat_hash_type(slice_of(json_name(h)), certificate);
		const char *path = arena_fmt(r->mem, "hashes/%s", json_name(h));

		if (type < 0)
			flat_skip(r, path, "no type of flat record");
		else if (!flat_add_value(r, (enum flat_type)type, json_slice(h), &ignored))
			flat_skip(r, path, "no such value");
	}
}

void
flat_read_observable(struct flat_reading *r, const json *tree)
{
	struct slice type = json_member(tree, "type");
	struct flat_record *ignored;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const json *v = json_get(tree, rows[i].property);
		struct slice text = json_slice(v);

		if (v == NULL || !slice_is(type, rows[i].object))
			continue;
		if (rows[i].hashes) {
			read_hashes(r, v, rows[i].type == FLAT_CERT_SHA256);
			continue;
		}
		if (json_is_number(v))
			text = json_number_text(r->mem, v);
		if (!flat_add_value(r, rows[i].type, text, &ignored))
			flat_skip(r, rows[i].property, "no such value");
	}
}
