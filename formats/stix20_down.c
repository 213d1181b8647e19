/* stix20_down.c -- see stix20.h: an object of 2.1 in the words of 2.0. */
#include "formats/sco.h"
#include "formats/stix20.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"

/* One object on its way down. */
struct down {
	struct stix20	*c;
	json		*o;
	struct slice	 type;
	size_t		 ntypes;	/* labels that came from the types of 2.1 */
};

/* ---- references ---- */

static struct slice
type_of_id(struct slice id)
{
	for (size_t i = 0; i + 1 < id.n; i++)
		if (id.p[i] == '-' && id.p[i + 1] == '-')
			return slice_from(id.p, i);
	return SLICE_EMPTY;
}

/* A UUID of version 5 with what only its type knows, there and back. */
static struct slice
turn(struct arena *mem, struct slice type, struct slice uuid)
{
	uint8_t bytes[UUID_TEXT], sum[SHA256_LEN];
	char *out = arena_str(mem, uuid), hex[3];
	size_t n = 0;

	digest_sha256(slice_of(arena_fmt(mem, "stix20|observed-data|%.*s", SLICE_ARG(type))), sum);
	for (size_t i = 0; i + 1 < UUID_TEXT; i += 2) {
		if (out[i] == '-')
			i++;
		if (!hex_decode(slice_from(out + i, 2), &bytes[n], 1))
			return uuid;
		bytes[n] ^= n == 6 ? sum[n] & 0x0f : n == 8 ? sum[n] & 0x3f : sum[n];
		hex_text(&bytes[n++], 1, hex);
		memcpy(out + i, hex, 2);
	}
	return slice_from(out, UUID_TEXT);
}

/* The id of an observable that its content gives (and nobody can choose) can be turned back. */
struct slice
stix20_generated_id(struct arena *mem, struct slice id, const json *tree)
{
	struct slice type = type_of_id(id), uuid;
	char text[UUID_TEXT + 1];

	uuid = slice_from(id.p + id.n - (id.n < UUID_TEXT ? id.n : UUID_TEXT),
	    id.n < UUID_TEXT ? id.n : UUID_TEXT);
	if (uuid_is_shaped(uuid) && uuid.p[14] == '5' && stix20_is_sco_id(id) &&
	    (tree == NULL || slice_eq(sco_id(mem, tree), id)))
		return slice_of(arena_fmt(mem, "observed-data--%.*s", UUID_TEXT,
		    turn(mem, type, uuid).p));
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(mem, "stix20|observed-data|%.*s", SLICE_ARG(id))),
	    text);
	return slice_of(arena_fmt(mem, "observed-data--%s", text));
}

/* The id of that type behind the one of an observed-data. */
struct slice
stix20_turned_id(struct arena *mem, struct slice type, struct slice od_id)
{
	struct slice uuid = slice_from(od_id.p + od_id.n - UUID_TEXT, UUID_TEXT);

	return slice_of(arena_fmt(mem, "%.*s--%.*s", SLICE_ARG(type), UUID_TEXT,
	    turn(mem, type, uuid).p));
}

struct slice
stix20_home_of(struct stix20 *c, struct slice sco_id)
{
	long i = idmap_find(&c->sco_ids, sco_id);

	if (!c->serving && i != IDMAP_NONE && c->sco[i].home.n > 0)
		return c->sco[i].home;
	return stix20_generated_id(c->mem, sco_id, i == IDMAP_NONE ? NULL : c->sco[i].tree);
}

/* stix20_ref_fn: what an id is called in 2.0. */
static struct slice
ref_down(void *ctx, struct slice id)
{
	struct stix20 *c = ctx;

	if (stix20_is_new_type(type_of_id(id)) || idmap_find(&c->custom, id) != IDMAP_NONE)
		return c->no_rest ? id :
		    slice_of(arena_fmt(c->mem, STIX20_TYPE "%.*s", SLICE_ARG(id)));
	if (stix20_is_sco_id(id) || idmap_find(&c->sco_ids, id) != IDMAP_NONE)
		return stix20_home_of(c, id);
	return id;
}

/* Several observables of a list may have one home. */
static void
drop_doubles(struct arena *mem, json *list)
{
	struct idmap seen = { 0 };
	size_t i = 0;

	for (const json *m = json_first(list); m != NULL; m = json_next(m), i++)
		idmap_add(&seen, mem, json_slice(m), i);
	idmap_sort(&seen);
	i = 0;
	for (json *m = json_first(list), *next; m != NULL; m = next, i++) {
		next = json_next(m);
		if (idmap_find(&seen, json_slice(m)) != (long)i)
			json_detach(list, m);
	}
}

static bool
names_observables(const json *list)
{
	for (const json *m = json_first(list); m != NULL; m = json_next(m))
		if (stix20_is_sco_id(json_slice(m)))
			return true;
	return false;
}

/* ---- the parts ---- */

/* Put the types of 2.1 in front of the labels; give what 2.0 wants to have. */
static void
labels_down(struct down *d)
{
	const char *member = stix20_types_member(d->type);
	json *types = json_get(d->o, member == NULL ? "" : member), *labels = json_get(d->o, "labels");
	json *all;

	if (member == NULL || (types != NULL && !json_is_list(types)) ||
	    (labels != NULL && !json_is_list(labels)))
		return;
	json_detach(d->o, types);
	if (json_first(types) == NULL && json_first(labels) != NULL)
		return;
	d->ntypes = json_count(types);
	all = json_list(d->c->mem);
	for (json *m = json_first(types), *next; m != NULL; m = next) {
		next = json_next(m);
		json_detach(types, m);
		json_push(all, m);
	}
	for (json *m = json_first(labels), *next; m != NULL; m = next) {
		next = json_next(m);
		json_detach(labels, m);
		json_push(all, m);
	}
	if (json_first(all) == NULL)
		json_push(all, json_string(d->c->mem, slice_of(stix20_default_label(d->type))));
	json_put(d->c->mem, d->o, "labels", all);
}

/* stix20_selector_fn: the types are among the labels, NAME may be x_tocsin_NAME. */
static void
selector_down(void *ctx, struct slice s, json *out)
{
	const struct down *d = ctx;
	const char *member = stix20_types_member(d->type);
	struct arena *mem = d->c->mem;
	struct slice rest = s, first = slice_cut(&rest, '.');
	unsigned long long at;

	if (member != NULL && slice_is(first, member)) {
		if (json_get(d->o, "labels") != NULL)
			json_push(out, json_string(mem, slice_of(arena_fmt(mem, "labels%s%.*s",
			    rest.n > 0 ? "." : "", SLICE_ARG(rest)))));
	} else if (d->ntypes > 0 && slice_is(first, "labels") && rest.n > 2 &&
	    slice_u64(slice_from(rest.p + 1, rest.n - 2), &at)) {
		json_push(out, json_string(mem, slice_of(arena_fmt(mem, "labels.[%llu]",
		    at + d->ntypes))));
	} else if (slice_is(d->type, "observed-data") && slice_is(first, "object_refs")) {
		json_push(out, json_string(mem, SLICE_LIT("objects")));
	} else if (stix20_is_new(d->type, arena_str(mem, first))) {
		json_push(out, json_string(mem, slice_of(arena_fmt(mem, STIX20_PREFIX "%.*s",
		    SLICE_ARG(s)))));
	} else if (json_get(d->o, arena_str(mem, first)) != NULL) {
		json_push(out, json_string(mem, s));
	}
}

/* x_tocsin_NAME for what came with 2.1; nothing, where only what 2.0 can say is wanted. */
static void
names_down(struct down *d)
{
	for (json *m = json_first(d->o), *next; m != NULL; m = next) {
		const char *name = json_name(m);

		next = json_next(m);
		if (!stix20_is_new(d->type, name))
			continue;
		if (d->c->no_rest)
			json_detach(d->o, m);
		else
			json_rename(d->c->mem, m, arena_fmt(d->c->mem, STIX20_PREFIX "%s", name));
	}
}

static void
indicator_down(struct down *d)
{
	json *pattern = json_get(d->o, "pattern");
	struct slice now;

	if (slice_is(json_member(d->o, "pattern_type"), "stix"))
		json_remove(d->o, "pattern_type");
	if (slice_is(json_member(d->o, "pattern_version"), "2.1"))
		json_remove(d->o, "pattern_version");
	if (json_str(pattern) == NULL || !stix20_pattern(d->c->mem, json_slice(pattern), false, &now))
		return;
	if (!slice_eq(now, json_slice(pattern)))
		json_assign(d->c->mem, pattern, now);
}

/* A definition that only 2.1 can say is a statement with its name in 2.0. */
static void
definition_down(struct down *d)
{
	struct arena *mem = d->c->mem;
	struct slice name = json_member(d->o, "name");
	json *definition;

	if (json_get(d->o, "definition_type") != NULL || json_get(d->o, "definition") != NULL)
		return;
	json_append(mem, d->o, "definition_type", json_string(mem, SLICE_LIT("statement")));
	definition = json_append(mem, d->o, "definition", json_object(mem));
	json_append(mem, definition, "statement", json_string(mem, name.n > 0 ? name :
	    SLICE_LIT("said in an extension of STIX 2.1")));
}

/* Three digits of a second, which 2.0 has in `created` and `modified`. */
static void
time_down(struct down *d, const char *name)
{
	json *m = json_get(d->o, name);
	struct slice s = json_slice(m), rest = s;
	char digits[4] = "000";

	if (json_str(m) == NULL || !stamp_parse(s, NULL))
		return;
	s = slice_cut(&rest, '.');
	if (rest.n == 0)
		s.n--;		/* the Z */
	else
		rest.n--;
	if (rest.n == 3 || (rest.n > 3 && d->c->serving))
		return;
	memcpy(digits, rest.p, rest.n < 3 ? rest.n : 3);
	json_assign(d->c->mem, m, slice_of(arena_fmt(d->c->mem, "%.*s.%sZ", SLICE_ARG(s), digits)));
}

static void
hashes_down(struct arena *mem, json *node)
{
	for (json *m = json_first(node); m != NULL; m = json_next(m)) {
		json *now = json_name(m) != NULL && strcmp(json_name(m), "hashes") == 0 ?
		    json_get(m, "SSDEEP") : NULL;

		if (now != NULL && json_get(m, "ssdeep") == NULL)
			json_rename(mem, now, "ssdeep");
		else if (json_first(m) != NULL)
			hashes_down(mem, m);
	}
}

static void
needs_down(struct down *d)
{
	for (const struct stix20_need *n = stix20_needs; n->type != NULL; n++)
		if (slice_is(d->type, n->type) && json_get(d->o, n->name) == NULL)
			json_append(d->c->mem, d->o, n->name,
			    json_string(d->c->mem, slice_of(n->text)));
}

/* The objects that stand inside in 2.1, too. */
static void
inline_down(struct down *d)
{
	json *had = json_get(d->o, "objects"), *now;

	if (!slice_is(d->type, "observed-data") || !json_is_object(had))
		return;
	now = json_object(d->c->mem);
	for (const json *m = json_first(had); m != NULL; m = json_next(m))
		json_append(d->c->mem, now, json_name(m), json_is_object(m) ?
		    stix20_sco_down(d->c->mem, m) : json_copy(d->c->mem, m));
	json_put(d->c->mem, d->o, "objects", now);
	if (!d->c->no_rest)
		json_append(d->c->mem, d->o, STIX20_INLINE, json_boolean(d->c->mem, true));
}

/* Only EXISTS is new in the patterns of 2.1: without the word there is nothing to read. */
bool
stix20_is_unsayable(struct arena *mem, const json *indicator)
{
	struct slice language = json_member(indicator, "pattern_type");
	struct slice pattern = json_member(indicator, "pattern"), ignored;

	if (language.n > 0 && !slice_is(language, "stix"))
		return true;
	return memmem(pattern.p, pattern.n, "EXISTS", 6) != NULL &&
	    !stix20_pattern(mem, pattern, false, &ignored);
}

/* An object of a type of our own, with everything that it says. */
static void
hide(struct stix20 *c, json *o)
{
	json *type = json_get(o, "type"), *id = json_get(o, "id");

	json_assign(c->mem, type, slice_of(arena_fmt(c->mem, STIX20_TYPE "%s", json_str(type))));
	if (json_str(id) != NULL)
		json_assign(c->mem, id, slice_of(arena_fmt(c->mem, STIX20_TYPE "%s", json_str(id))));
}

json *
stix20_down_core(struct stix20 *c, const json *from)
{
	struct down d = { .c = c, .o = json_copy(c->mem, from) };
	bool hidden;

	d.type = json_member(d.o, "type");
	hidden = stix20_is_new_type(d.type) ||
	    (slice_is(d.type, "indicator") && stix20_is_unsayable(c->mem, d.o));
	d.type = arena_slice(c->mem, d.type);
	json_remove(d.o, "spec_version");
	if (names_observables(json_get(d.o, "object_refs"))) {
		stix20_refs(c->mem, d.o, ref_down, c);
		drop_doubles(c->mem, json_get(d.o, "object_refs"));
	} else {
		stix20_refs(c->mem, d.o, ref_down, c);
	}
	stix20_markings_down(c, d.o);
	if (hidden) {
		hide(c, d.o);
		return d.o;
	}
	labels_down(&d);
	if (slice_is(d.type, "indicator"))
		indicator_down(&d);
	else if (slice_is(d.type, "malware") && json_get(d.o, "is_family") != NULL &&
	    json_is_bool(json_get(d.o, "is_family")) && !json_bool(json_get(d.o, "is_family")))
		json_remove(d.o, "is_family");
	else if (slice_is(d.type, "marking-definition"))
		definition_down(&d);
	hashes_down(c->mem, json_get(d.o, "external_references"));
	needs_down(&d);
	inline_down(&d);
	time_down(&d, "created");
	time_down(&d, "modified");
	names_down(&d);
	stix20_selectors(c, d.o, selector_down, &d);
	return d.o;
}

/* With what came up with it, and with what the way up would not give. */
json *
stix20_down(struct stix20 *c, const json *from)
{
	/* as who reads it, elsewhere */
	struct stix20 alone = { .mem = c->mem, .keep = c->mem, .now = c->now };
	json *src = json_copy(c->mem, from), *rest = stix20_take_rest(src), *o, *patch;

	o = stix20_down_core(c, src);
	if (json_is_object(json_get(rest, "patch")))
		stix20_patch(c->mem, o, json_get(rest, "patch"));
	if (c->no_rest)
		return o;
	patch = stix20_diff(c->mem, stix20_up(&alone, o, NULL), from);
	if (patch != NULL) {
		json *own = json_append(c->mem, o, STIX20_REST, json_object(c->mem));

		json_append(c->mem, own, "patch", patch);
	}
	return o;
}
