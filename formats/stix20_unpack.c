/* stix20_unpack.c -- see stix20.h: observed-data of 2.0 becomes one of 2.1 and its observables. */
#include "formats/sco.h"
#include "formats/stix20.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { CHAIN = 32, ROUNDS = 3 };

/* One observed-data being taken apart. */
struct unpack {
	struct stix20			*c;
	struct stix20_unpacked		*out;
	struct slice			 od_id;
	struct idmap			 keys;
	json				*common;	/* markings that all of it has */
	unsigned			 depth;
	stix20_taken_fn			*taken;
	void				*ctx;
};

static int
refuse(struct err *e, enum err_code code, const char *key, const char *member, const char *what)
{
	err_set(e, code, "%s", what);
	err_path(e, "objects.%.60s%s%s", key, member[0] != '\0' ? "." : "", member);
	return -1;
}

/* ---- entries ---- */

static struct stix20_entry *
add_entry(struct unpack *u, const char *key)
{
	struct stix20_unpacked *out = u->out;
	struct stix20_entry *x;

	out->v = arena_grow(u->c->mem, out->v, out->n, &out->cap, sizeof(*out->v));
	x = &out->v[out->n++];
	*x = (struct stix20_entry){ .key = key };
	return x;
}

/* The process has a name and no image: 2.1 says that as an image with this name. */
static void
add_image(struct unpack *u, size_t at)
{
	struct arena *mem = u->c->mem;
	struct stix20_entry *process = &u->out->v[at], *file;
	struct slice name = json_member(process->plain, "name");
	const char *key;

	if (!slice_is(json_member(process->core, "type"), "process") || name.n == 0 ||
	    json_get(process->core, "image_ref") != NULL)
		return;
	key = arena_fmt(mem, "\001%s", process->key);
	json_append(mem, process->core, "image_ref", json_string(mem, slice_of(key)));
	file = add_entry(u, key);
	file->core = json_object(mem);
	json_put_str(mem, file->core, "type", SLICE_LIT("file"));
	json_put_str(mem, file->core, "spec_version", SLICE_LIT("2.1"));
	json_put_str(mem, file->core, "name", name);
}

/* An id that may be told: of the entry's type. */
static bool
is_id_of(struct slice id, struct slice type)
{
	return id.n == type.n + 2 + UUID_TEXT && memcmp(id.p, type.p, type.n) == 0 &&
	    memcmp(id.p + type.n, "--", 2) == 0 &&
	    uuid_is_shaped(slice_from(id.p + type.n + 2, UUID_TEXT));
}

static int
read_entry(struct unpack *u, const json *from, struct err *e)
{
	struct slice type = json_member(from, "type"), told;
	struct stix20_entry *x;
	json *rest;

	if (!json_is_object(from))
		return refuse(e, ERR_VALUE, json_name(from), "", "is no object");
	if (type.n == 0)
		return refuse(e, ERR_MISSING, json_name(from), "type", "is missing");
	if (slice_is(type, STIX20_ABSENT))
		return 0;
	x = add_entry(u, json_name(from));
	x->from = from;
	x->plain = json_copy(u->c->mem, from);
	rest = json_get(x->plain, STIX20_REST);
	json_detach(x->plain, rest);
	x->rest = json_get(rest, "patch");
	told = json_member(x->plain, STIX20_ID);
	if (is_id_of(told, type)) {
		x->told = true;
		x->id = told;
		json_remove(x->plain, STIX20_ID);
	}
	x->core = stix20_sco_up(u->c->mem, x->plain);
	return 0;
}

static int
read_entries(struct unpack *u, const json *objects, struct err *e)
{
	size_t n = 0;

	if (json_count(objects) > STIX20_ENTRIES) {
		err_set(e, ERR_LIMIT, "more than %d objects in one observed-data", STIX20_ENTRIES);
		err_path(e, "objects");
		return -1;
	}
	for (const json *m = json_first(objects); m != NULL; m = json_next(m))
		if (read_entry(u, m, e) < 0)
			return -1;
	n = u->out->n;
	for (size_t i = 0; i < n; i++)
		add_image(u, i);
	for (size_t i = 0; i < u->out->n; i++)
		idmap_add(&u->keys, u->c->mem, slice_of(u->out->v[i].key), i);
	idmap_sort(&u->keys);
	return 0;
}

/* ---- ids ---- */

static struct slice	id_of(struct unpack *u, size_t i);

/* stix20_ref_fn: the id behind a key; what is no key stays. */
static struct slice
ref_of_key(void *ctx, struct slice key)
{
	struct unpack *u = ctx;
	long i = idmap_find(&u->keys, key);

	return i == IDMAP_NONE ? key : id_of(u, (size_t)i);
}

struct slice
stix20_own_id(struct arena *mem, struct slice od_id, const char *key, struct slice type)
{
	char uuid[UUID_TEXT + 1];

	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(mem, "stix20|obs|%.*s|%s", SLICE_ARG(od_id), key)),
	    uuid);
	return slice_of(arena_fmt(mem, "%.*s--%s", SLICE_ARG(type), uuid));
}

static struct slice
own_id(struct unpack *u, const struct stix20_entry *x)
{
	return stix20_own_id(u->c->mem, u->od_id, x->key, json_member(x->core, "type"));
}

/* What the id of an entry is made of: of those that refer to others by it, a part. */
static json *
contributing(struct unpack *u, const struct stix20_entry *x)
{
	static const char *const file[] = { "type", "hashes", "name", "extensions",
	    "parent_directory_ref", NULL };
	static const char *const traffic[] = { "type", "start", "end", "src_ref", "dst_ref", "src_port",
	    "dst_port", "protocols", "extensions", NULL };
	static const char *const mail[] = { "type", "from_ref", "subject", "body", NULL };
	struct slice type = json_member(x->core, "type");
	const char *const *names = slice_is(type, "file") ? file :
	    slice_is(type, "network-traffic") ? traffic :
	    slice_is(type, "email-message") ? mail : NULL;
	json *part;

	if (names == NULL)
		return x->core;
	part = json_object(u->c->mem);
	for (; *names != NULL; names++)
		if (json_get(x->core, *names) != NULL)
			json_append(u->c->mem, part, *names,
			    json_copy(u->c->mem, json_get(x->core, *names)));
	stix20_refs(u->c->mem, part, ref_of_key, u);
	return part;
}

/* The id of an entry; of one that leads back to itself, or far, one of our own. */
static struct slice
id_of(struct unpack *u, size_t i)
{
	struct stix20_entry *x = &u->out->v[i];
	struct slice id;

	if (x->id.n > 0)
		return x->id;
	if (x->own || x->busy || u->depth >= CHAIN)
		return x->busy ? (x->own = true, own_id(u, x)) : (x->id = own_id(u, x));
	x->busy = true;
	u->depth++;
	id = sco_id(u->c->mem, contributing(u, x));
	u->depth--;
	x->busy = false;
	return x->id = id.n > 0 && !x->own ? id : own_id(u, x);
}

/* ---- markings ---- */

static void
add_ref(struct arena *mem, json *list, struct slice id)
{
	for (const json *m = json_first(list); m != NULL; m = json_next(m))
		if (slice_eq(json_slice(m), id))
			return;
	json_push(list, json_string(mem, id));
}

static json *
refs_of(struct arena *mem, json *o)
{
	json *list = json_get(o, "object_marking_refs");

	return json_is_list(list) ? list : json_put(mem, o, "object_marking_refs", json_list(mem));
}

/* The entry that a selector of the observed-data speaks of, and what behind it; NULL: none, or all. */
static struct stix20_entry *
selected(struct unpack *u, struct slice s, struct slice *behind, bool *all)
{
	struct slice rest = s, key;
	long i;

	*all = false;
	if (!slice_is(slice_cut(&rest, '.'), "objects"))
		return NULL;
	key = slice_cut(&rest, '.');
	i = idmap_find(&u->keys, key);
	*all = i == IDMAP_NONE;
	*behind = rest;
	return i == IDMAP_NONE ? NULL : &u->out->v[i];
}

/* Mark a member of an observable; the whole of it, if 2.1 has no such member. */
static void
mark_member(struct unpack *u, json *to, struct slice behind, struct slice marking)
{
	struct arena *mem = u->c->mem;
	struct slice rest = behind, first = slice_cut(&rest, '.');
	const char *name = arena_str(mem, first);
	const char *other = stix20_renamed(json_member(to, "type"), name, true);
	json *list = json_get(to, "granular_markings"), *g, *selectors;

	name = other != NULL ? other : name;
	if (json_get(to, name) == NULL) {
		add_ref(mem, refs_of(mem, to), marking);
		return;
	}
	if (!json_is_list(list))
		list = json_put(mem, to, "granular_markings", json_list(mem));
	g = json_push(list, json_object(mem));
	json_put_str(mem, g, "marking_ref", marking);
	selectors = json_put(mem, g, "selectors", json_list(mem));
	json_push(selectors, json_string(mem, slice_of(arena_fmt(mem, "%s%s%.*s", name,
	    rest.n > 0 ? "." : "", SLICE_ARG(rest)))));
}

/* Hand one selector on to the observable that it speaks of; true if it was one of those. */
static bool
hand_on(struct unpack *u, struct slice selector, struct slice marking, bool collect)
{
	struct slice behind;
	bool all;
	struct stix20_entry *x = selected(u, selector, &behind, &all);

	if (x == NULL && !all)
		return false;
	if (marking.n == 0)
		return true;	/* of a language */
	if (x != NULL)
		x->marked = true;
	if (all == collect) {
		if (all)
			add_ref(u->c->mem, u->common, marking);
		else if (behind.n == 0)
			add_ref(u->c->mem, refs_of(u->c->mem, x->to), marking);
		else
			mark_member(u, x->to, behind, marking);
	}
	return true;
}

/* Go through the granular markings: first those of all objects, then those of single ones. */
static void
hand_on_all(struct unpack *u, const json *list, bool collect)
{
	size_t n = 0;

	for (const json *g = json_first(list); g != NULL; g = json_next(g))
		for (const json *s = json_first(json_get(g, "selectors")); s != NULL; s = json_next(s))
			if (n++ < STIX20_SELECTORS)
				hand_on(u, json_slice(s), json_member(g, "marking_ref"), collect);
			else
				add_ref(u->c->mem, u->common, json_member(g, "marking_ref"));
}

/* Take out the selectors of one granular marking that speak of objects; true if there were any. */
static bool
drop_selectors(struct unpack *u, json *g)
{
	json *selectors = json_get(g, "selectors");
	struct slice behind;
	bool all, any = false;

	for (json *s = json_first(selectors), *next; s != NULL; s = next) {
		next = json_next(s);
		if (selected(u, json_slice(s), &behind, &all) == NULL && !all)
			continue;
		json_detach(selectors, s);
		any = true;
	}
	return any;
}

/* What was marked now stands with its object. Its id, which may be guessed from what it says, is all that
 * the observed-data still holds of it: that is marked. */
static void
mark_references(struct unpack *u)
{
	struct arena *mem = u->c->mem;
	json *od = u->out->od, *list = json_get(od, "granular_markings"), *rest;

	u->out->before = json_object(mem);
	json_put(mem, u->out->before, "object_marking_refs",
	    json_copy(mem, json_get(od, "object_marking_refs")));
	json_put(mem, u->out->before, "labels", json_copy(mem, json_get(od, "labels")));
	rest = json_put(mem, u->out->before, "granular_markings", json_list(mem));
	for (json *g = json_first(list), *next; g != NULL; g = next) {
		bool any = drop_selectors(u, g);

		next = json_next(g);
		if (json_first(json_get(g, "selectors")) != NULL)
			json_push(rest, json_copy(mem, g));
		if (any && json_get(g, "marking_ref") != NULL)
			json_push(json_get(g, "selectors"),
			    json_string(mem, SLICE_LIT("object_refs")));
		else if (any && json_first(json_get(g, "selectors")) == NULL)
			json_detach(list, g);
	}
	if (json_is_list(list) && json_first(list) == NULL)
		json_detach(od, list);
}

/* ---- together ---- */

static void
finish_entry(struct unpack *u, size_t i)
{
	struct stix20_entry *x = &u->out->v[i];
	struct arena *mem = u->c->mem;
	json *o = json_copy(mem, x->core), *to = json_object(mem), *type = json_get(o, "type");

	json_detach(o, type);
	json_adopt(to, type);
	json_append(mem, to, "id", json_string(mem, x->id));
	json_remove(o, "id");
	stix20_move_members(to, o);
	stix20_refs(mem, to, ref_of_key, u);
	x->native = x->to = to;
}

/* All entries with their ids, references and markings; then what came with them is put back. */
static void
finish_entries(struct unpack *u, const json *granular)
{
	struct arena *mem = u->c->mem;

	for (size_t i = 0; i < u->out->n; i++)
		id_of(u, i);
	for (size_t i = 0; i < u->out->n; i++) {
		finish_entry(u, i);
		if (json_first(u->common) != NULL)
			json_put(mem, u->out->v[i].to, "object_marking_refs",
			    json_copy(mem, u->common));
	}
	hand_on_all(u, granular, false);
}

static void
restore_entries(struct unpack *u)
{
	for (size_t i = 0; i < u->out->n; i++) {
		struct stix20_entry *x = &u->out->v[i];

		if (!json_is_object(x->rest))
			continue;
		x->to = json_copy(u->c->mem, x->native);
		if (!(x->marked ? stix20_patch(u->c->mem, x->to, x->rest) :
		    stix20_patch_packed(u->c->mem, x->to, x->rest)))
			u->out->weaker = true;
	}
}

/* Give those an id of our own whose id is another object's; false if there were none. */
static bool
make_room(struct unpack *u, bool all)
{
	bool any = false;

	for (size_t i = 0; i < u->out->n; i++) {
		struct stix20_entry *x = &u->out->v[i];

		if (!x->told && !x->own && (all || u->taken(u->ctx, x->id, x->to)))
			any = x->own = x->forced = true;
	}
	for (size_t i = 0; any && i < u->out->n; i++)
		if (!u->out->v[i].told)
			u->out->v[i].id = SLICE_EMPTY;
	return any;
}

/* The observed-data names what it holds, in the order of the keys. */
static void
name_objects(struct unpack *u)
{
	struct arena *mem = u->c->mem;
	json *refs = json_list(mem);
	struct idmap seen = { 0 };

	for (size_t i = 0; i < u->out->n; i++)
		idmap_add(&seen, mem, u->out->v[i].id, i);
	idmap_sort(&seen);
	for (size_t i = 0; i < u->out->n; i++)
		if (idmap_find(&seen, u->out->v[i].id) == (long)i)
			json_push(refs, json_string(mem, u->out->v[i].id));
	if (u->out->n > 0)
		json_put(mem, u->out->od, "object_refs", refs);
}

int
stix20_unpack(struct stix20 *c, const json *from, stix20_taken_fn *taken, void *ctx,
    struct stix20_unpacked *out, struct err *e)
{
	struct unpack u = { .c = c, .out = out, .od_id = json_member(from, "id"), .taken = taken,
	    .ctx = ctx };
	json *objects = json_get(from, "objects"), *src = json_copy(c->mem, from);
	json *granular = json_get(src, "granular_markings");

	*out = (struct stix20_unpacked){ 0 };
	json_remove(src, "objects");
	json_remove(src, STIX20_REST);
	json_remove(src, STIX20_MADE);
	if (json_count(json_get(src, "object_marking_refs")) > STIX20_MARKINGS) {
		err_set(e, ERR_LIMIT, "more than %d markings on an observed-data", STIX20_MARKINGS);
		err_path(e, "object_marking_refs");
		return -1;
	}
	if (read_entries(&u, objects, e) < 0)
		return -1;
	u.common = json_list(c->mem);
	for (const json *m = json_first(json_get(src, "object_marking_refs")); m != NULL;
	    m = json_next(m))
		add_ref(c->mem, u.common, json_slice(m));
	hand_on_all(&u, granular, true);
	if (json_count(u.common) > STIX20_MARKINGS) {
		err_set(e, ERR_LIMIT, "more than %d markings on an observed-data", STIX20_MARKINGS);
		err_path(e, "granular_markings");
		return -1;
	}
	out->od = stix20_up_core(c, src);
	mark_references(&u);
	for (int round = 0;; round++) {
		finish_entries(&u, granular);
		restore_entries(&u);
		if (taken == NULL || !make_room(&u, round >= ROUNDS))
			break;
	}
	name_objects(&u);
	out->keys = u.keys;
	return 0;
}
