/* stix20_up.c -- see stix20.h: an object of 2.0 in the words of 2.1. */
#include "formats/shipped.h"
#include "formats/stix20.h"
#include "gateway/base/arena.h"

/* ---- small things for both directions ---- */

void
stix20_move_members(json *to, json *from)
{
	for (json *m = json_first(from), *next; m != NULL; m = next) {
		next = json_next(m);
		json_detach(from, m);
		json_adopt(to, m);
	}
}

bool
stix20_is_sco_id(struct slice id)
{
	for (size_t i = 0; i + 1 < id.n; i++)
		if (id.p[i] == '-' && id.p[i + 1] == '-')
			return object_class_of(slice_from(id.p, i)) == OBJECT_SCO;
	return false;
}

/* An observable of the standard, or something of another type that has no version. */
bool
stix20_is_sco(const json *tree)
{
	enum object_class class = object_class_of(json_member(tree, "type"));

	return class == OBJECT_SCO || (class == OBJECT_CUSTOM && json_get(tree, "created") == NULL &&
	    json_get(tree, "modified") == NULL);
}

/* Rewrite the elements of a list of references; what becomes nothing goes. */
static void
list_refs(struct arena *mem, json *list, stix20_ref_fn *fn, void *ctx)
{
	for (json *m = json_first(list), *next; m != NULL; m = next) {
		struct slice id = json_slice(m), to;

		next = json_next(m);
		if (json_str(m) == NULL)
			continue;
		to = fn(ctx, id);
		if (to.n == 0)
			json_detach(list, m);
		else if (!slice_eq(to, id))
			json_assign(mem, m, to);
	}
}

void
stix20_refs(struct arena *mem, json *node, stix20_ref_fn *fn, void *ctx)
{
	for (json *m = json_first(node), *next; m != NULL; m = next) {
		struct slice name = slice_of(json_name(m)), to;

		next = json_next(m);
		if (json_str(m) != NULL && slice_ends(name, "_ref")) {
			to = fn(ctx, json_slice(m));
			if (to.n == 0)
				json_detach(node, m);
			else if (!slice_eq(to, json_slice(m)))
				json_assign(mem, m, to);
		} else if (json_is_list(m) && slice_ends(name, "_refs")) {
			list_refs(mem, m, fn, ctx);
			if (json_first(m) == NULL)
				json_detach(node, m);
		} else if (json_first(m) != NULL &&
		    (json_name(m) == NULL || !stix20_is_dictionary(json_name(m)))) {
			stix20_refs(mem, m, fn, ctx);
		}
	}
}

json *
stix20_take_rest(json *o)
{
	json *all = json_get(o, "extensions");
	json *ours = json_get(all, extension_definition_id(EXTENSION_STIX20));
	json *rest = json_get(ours, "stix20");

	if (ours == NULL)
		return NULL;
	json_detach(all, ours);
	if (json_first(all) == NULL)
		json_detach(o, all);
	return json_is_object(rest) ? rest : NULL;
}

void
stix20_put_rest(struct stix20 *c, json *o, json *rest)
{
	json *all = json_get(o, "extensions"), *ours = json_object(c->mem);

	if (!json_is_object(all))
		all = json_put(c->mem, o, "extensions", json_object(c->mem));
	json_put_str(c->mem, ours, "extension_type", SLICE_LIT("property-extension"));
	json_put(c->mem, ours, "stix20", rest);
	json_put(c->mem, all, extension_definition_id(EXTENSION_STIX20), ours);
}

/* ---- up ---- */

/* The type of 2.1 behind x-tocsin-TYPE, or the empty slice. */
static struct slice
hidden_type(struct slice type)
{
	const size_t n = sizeof(STIX20_TYPE) - 1;
	struct slice bare;

	if (!slice_starts(type, STIX20_TYPE))
		return SLICE_EMPTY;
	bare = slice_from(type.p + n, type.n - n);
	return stix20_is_new_type(bare) || slice_is(bare, "indicator") ? bare : SLICE_EMPTY;
}

/* stix20_ref_fn: what an id is called in 2.1. */
static struct slice
ref_up(void *ctx, struct slice id)
{
	const size_t n = sizeof(STIX20_TYPE) - 1;

	(void)ctx;
	for (size_t i = 0; slice_starts(id, STIX20_TYPE) && i + 1 < id.n; i++)
		if (id.p[i] == '-' && id.p[i + 1] == '-')
			return hidden_type(slice_from(id.p, i)).n > 0 ?
			    slice_from(id.p + n, id.n - n) : id;
	return id;
}

/* One object on its way up. */
struct up {
	struct stix20	*c;
	json		*o;
	struct slice	 type;
	size_t		 nhad;		/* its labels, as they came: where each of them is now */
	struct { bool type; size_t at; } *had;
};

/* Move what 2.0 has as labels to where 2.1 has it. */
static void
labels_up(struct up *u)
{
	const char *member = stix20_types_member(u->type);
	json *list = json_get(u->o, "labels"), *types = json_list(u->c->mem);
	size_t n[2] = { 0, 0 };

	if (member == NULL || !json_is_list(list) || json_get(u->o, member) != NULL)
		return;
	u->had = arena_alloc(u->c->mem, (json_count(list) + 1) * sizeof(*u->had));
	for (json *m = json_first(list), *next; m != NULL; m = next) {
		bool type = json_str(m) != NULL && stix20_is_label(u->type, json_slice(m));

		next = json_next(m);
		u->had[u->nhad].type = type;
		u->had[u->nhad++].at = n[type]++;
		if (!type)
			continue;
		json_detach(list, m);
		json_push(types, m);
	}
	if (json_first(types) == NULL)
		return;
	json_append(u->c->mem, u->o, member, types);
	if (json_first(list) == NULL)
		json_detach(u->o, list);
}

/* stix20_selector_fn: labels moved, and x_tocsin_NAME is NAME. */
static void
selector_up(void *ctx, struct slice s, json *out)
{
	const struct up *u = ctx;
	const size_t n = sizeof(STIX20_PREFIX) - 1;
	const char *member = stix20_types_member(u->type);
	struct arena *mem = u->c->mem;
	struct slice rest = s, first = slice_cut(&rest, '.');
	unsigned long long at;

	if (slice_starts(first, STIX20_PREFIX) && stix20_is_new(u->type,
	    arena_str(mem, slice_from(first.p + n, first.n - n)))) {
		json_push(out, json_string(mem, slice_from(s.p + n, s.n - n)));
		return;
	}
	if (!slice_is(first, "labels") || u->had == NULL) {
		json_push(out, json_string(mem, s));
		return;
	}
	if (rest.n == 0) {
		if (json_get(u->o, "labels") != NULL)
			json_push(out, json_string(mem, s));
		if (json_get(u->o, member) != NULL)
			json_push(out, json_string(mem, slice_of(member)));
		return;
	}
	if (rest.n > 2 && slice_u64(slice_from(rest.p + 1, rest.n - 2), &at) && at < u->nhad)
		json_push(out, json_string(mem, slice_of(arena_fmt(mem, "%s.[%zu]",
		    u->had[at].type ? member : "labels", u->had[at].at))));
}

/* Give x_tocsin_NAME its name back, where 2.1 has such a property. */
static void
names_up(struct up *u)
{
	const size_t n = sizeof(STIX20_PREFIX) - 1;

	for (json *m = json_first(u->o); m != NULL; m = json_next(m)) {
		const char *name = json_name(m);

		if (slice_starts(slice_of(name), STIX20_PREFIX) && stix20_is_new(u->type, name + n) &&
		    json_get(u->o, name + n) == NULL)
			json_rename(u->c->mem, m, name + n);
	}
}

static void
pattern_up(struct up *u)
{
	struct arena *mem = u->c->mem;
	json *pattern = json_get(u->o, "pattern");
	struct slice now;

	if (json_str(pattern) != NULL) {
		stix20_pattern(mem, json_slice(pattern), true, &now);
		if (!slice_eq(now, json_slice(pattern)))
			json_assign(mem, pattern, now);
	}
	if (json_get(u->o, "pattern_type") == NULL)
		json_append(mem, u->o, "pattern_type", json_string(mem, SLICE_LIT("stix")));
	if (json_get(u->o, "pattern_version") == NULL)
		json_append(mem, u->o, "pattern_version", json_string(mem, SLICE_LIT("2.1")));
}

/* One spelling for the name of a hash, at any depth. */
static void
hashes_up(struct arena *mem, json *node)
{
	for (json *m = json_first(node); m != NULL; m = json_next(m)) {
		json *old = json_name(m) != NULL && strcmp(json_name(m), "hashes") == 0 ?
		    json_get(m, "ssdeep") : NULL;

		if (old != NULL && json_get(m, "SSDEEP") == NULL)
			json_rename(mem, old, "SSDEEP");
		else if (json_first(m) != NULL)
			hashes_up(mem, m);
	}
}

/* The objects that stand inside in 2.1, too. */
static void
inline_up(struct up *u)
{
	json *had = json_get(u->o, "objects"), *now, *one;

	if (!json_bool(json_get(u->o, STIX20_INLINE)) || !json_is_object(had))
		return;
	now = json_object(u->c->mem);
	for (const json *m = json_first(had); m != NULL; m = json_next(m)) {
		one = json_is_object(m) ? stix20_sco_up(u->c->mem, m) : json_copy(u->c->mem, m);
		json_remove(one, "spec_version");
		json_append(u->c->mem, now, json_name(m), one);
	}
	json_put(u->c->mem, u->o, "objects", now);
	json_remove(u->o, STIX20_INLINE);
}

/* type, spec_version and id in front, then the rest. */
static json *
begin(struct stix20 *c, json *copy)
{
	struct slice type = json_member(copy, "type"), real = hidden_type(type);
	json *o = json_object(c->mem), *id = json_get(copy, "id"), *word = json_get(copy, "type");

	if (real.n > 0)
		json_assign(c->mem, word, real);
	if (json_str(id) != NULL && !slice_eq(ref_up(NULL, json_slice(id)), json_slice(id)))
		json_assign(c->mem, id, ref_up(NULL, json_slice(id)));
	json_detach(copy, word);
	json_adopt(o, word);
	json_append(c->mem, o, "spec_version", json_string(c->mem, SLICE_LIT("2.1")));
	json_remove(copy, "spec_version");
	stix20_move_members(o, copy);
	return o;
}

json *
stix20_up_core(struct stix20 *c, const json *from)
{
	bool verbatim = hidden_type(json_member(from, "type")).n > 0;
	struct up u = { .c = c, .o = begin(c, json_copy(c->mem, from)) };

	u.type = json_member(u.o, "type");
	stix20_refs(c->mem, u.o, ref_up, NULL);
	if (verbatim)
		return u.o;
	labels_up(&u);
	names_up(&u);
	hashes_up(c->mem, json_get(u.o, "external_references"));
	if (slice_is(u.type, "indicator"))
		pattern_up(&u);
	else if (slice_is(u.type, "malware") && json_get(u.o, "is_family") == NULL)
		json_append(c->mem, u.o, "is_family", json_boolean(c->mem, false));
	else if (slice_is(u.type, "observed-data"))
		inline_up(&u);
	stix20_selectors(c, u.o, selector_up, &u);
	return u.o;
}

/* What goes up comes with what does not come down by itself; and what came down with such, gets it back. */
json *
stix20_up(struct stix20 *c, const json *from, bool *weaker)
{
	json *src = json_copy(c->mem, from), *ours = json_get(src, STIX20_REST);
	json *o, *diff;

	json_detach(src, ours);
	o = stix20_up_core(c, src);
	diff = stix20_diff(c->mem, stix20_down_core(c, o), src);
	if (diff != NULL) {
		json *rest = json_object(c->mem);

		json_append(c->mem, rest, "patch", diff);
		stix20_put_rest(c, o, rest);
	}
	if (json_is_object(json_get(ours, "patch")) &&
	    !stix20_patch(c->mem, o, json_get(ours, "patch")) && weaker != NULL)
		*weaker = true;
	return o;
}
