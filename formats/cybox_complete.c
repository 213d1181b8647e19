/* cybox_complete.c -- what an observable object must have (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"
#include "formats/stix21_types.h"
#include "formats/value.h"

/* See cybox_impl.h. */
bool
cx_has_string(const json *list, struct slice s)
{
	for (const json *k = json_first(list); k != NULL; k = json_next(k)) {
		if (slice_eq(json_slice(k), s))
			return true;
	}
	return false;
}

static bool
has_all(const json *o, const struct stix21_prop *table)
{
	for (const struct stix21_prop *p = table; p->name != NULL; p++) {
		if ((p->flags & PROP_REQUIRED) && json_get(o, p->name) == NULL)
			return false;
	}
	return true;
}

/* Is one of the blank-separated names there? */
static bool
has_one_of(const json *o, const char *names)
{
	struct slice rest = slice_of(names);

	while (rest.n > 0) {
		struct slice name = slice_cut(&rest, ' ');

		for (const json *m = json_first(o); m != NULL; m = json_next(m)) {
			if (slice_is(name, json_name(m)))
				return true;
		}
	}
	return false;
}

/* See cybox_impl.h. */
bool
cx_is_complete(const json *o)
{
	const struct stix21_type *type = stix21_type_find(json_member(o, "type"));
	const struct stix21_rule *rule = type == NULL ? NULL : type->rules;

	if (type == NULL || !has_all(o, type->own) || json_count(o) < 2)
		return false;
	for (; rule != NULL && rule->kind != RULE_END; rule++) {
		if (rule->kind == RULE_ONE_OF && !has_one_of(o, rule->a))
			return false;
	}
	return true;
}

/* See cybox_impl.h. */
void
cx_give_up(struct cx_reader *rd, struct cx *part, const char *what)
{
	const struct cx *leaf = part;

	while (leaf->kind != CX_LEAF && leaf->first != NULL)
		leaf = leaf->first;
	cx_unmark(part);
	if (leaf->kind == CX_LEAF && leaf->from[0] != NULL)
		cx_tell(rd, CYBOX_VALUE, leaf->from[0], what);
}

/* See cybox_impl.h. */
void
cx_drop_extensions(struct cx_reader *rd, struct cx *o, json *tree)
{
	struct cx *all = cx_find(o, "extensions"), *next;

	for (struct cx *k = all == NULL ? NULL : all->first; k != NULL; k = next) {
		const struct stix21_extension *ext = stix21_extension_find(k->name.p);
		json *mine = json_get(json_get(tree, "extensions"), k->name.p);

		next = k->next;
		if (ext == NULL || mine == NULL || (has_all(mine, ext->props) && json_count(mine) > 0))
			continue;
		json_detach(json_get(tree, "extensions"), mine);
		cx_give_up(rd, k, "an extension without what it must have");
	}
	if (all != NULL && json_count(json_get(tree, "extensions")) == 0)
		json_remove(tree, "extensions");
}

/* A protocol that the rest of a connection implies. */
static void
imply_protocols(struct cx_reader *rd, json *tree, const char *address)
{
	struct arena *mem = rd->mem;
	json *list = json_get(tree, "protocols");
	json *ext = json_get(tree, "extensions");

	if (list == NULL)
		list = json_put(mem, tree, "protocols", json_list(mem));
	if (json_first(list) == NULL && address != NULL)
		json_push(list, json_string(mem, slice_of(address)));
	if (json_get(ext, "icmp-ext") != NULL && !cx_has_string(list, SLICE_LIT("icmp")))
		json_push(list, json_string(mem, SLICE_LIT("icmp")));
	if (json_get(ext, "http-request-ext") != NULL && !cx_has_string(list, SLICE_LIT("http")) &&
	    !cx_has_string(list, SLICE_LIT("https"))) {
		if (!cx_has_string(list, SLICE_LIT("tcp")))
			json_push(list, json_string(mem, SLICE_LIT("tcp")));
		json_push(list, json_string(mem, SLICE_LIT("http")));
	}
	if (json_first(list) == NULL)
		json_push(list, json_string(mem, SLICE_LIT("ip")));
}

/* See cybox_impl.h. */
void
cx_imply_pe_type(struct arena *mem, json *tree)
{
	json *pe = json_get(json_get(tree, "extensions"), "windows-pebinary-ext");

	if (json_is_object(pe) && json_get(pe, "pe_type") == NULL)
		json_put_str(mem, pe, "pe_type", slice_ends(value_lower(json_member(tree, "name"),
		    mem), ".dll") ? SLICE_LIT("dll") : SLICE_LIT("exe"));
}

/* A body whose attachments could not be read is the only part. */
static void
only_part(struct arena *mem, json *tree)
{
	json *parts = json_get(tree, "body_multipart"), *part = json_first(parts);

	if (json_count(parts) != 1 || json_get(part, "body") == NULL || json_count(part) != 1)
		return;
	json_put(mem, tree, "body", json_copy(mem, json_get(part, "body")));
	json_remove(tree, "body_multipart");
}

/* See cybox_impl.h. */
void
cx_complete(struct cx_reader *rd, json *tree)
{
	struct slice type = json_member(tree, "type"), ref;
	struct arena *mem = rd->mem;
	const char *address;

	if (slice_is(type, "email-message")) {
		only_part(mem, tree);
		json_put_bool(mem, tree, "is_multipart", json_get(tree, "body_multipart") != NULL);
	}
	if (slice_is(type, "network-traffic")) {
		ref = json_member(tree, "dst_ref");
		if (ref.n == 0)
			ref = json_member(tree, "src_ref");
		address = slice_starts(ref, "ipv4-addr") ? "ipv4" :
		    slice_starts(ref, "ipv6-addr") ? "ipv6" : NULL;
		imply_protocols(rd, tree, address);
	}
}
