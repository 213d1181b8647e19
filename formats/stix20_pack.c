/* stix20_pack.c -- see stix20.h: observed-data of 2.1 with its observables becomes one of 2.0. */
#include <stdio.h>

#include "formats/refs.h"
#include "formats/stix20.h"
#include "gateway/base/arena.h"

enum { ROUNDS = 3 };

/* What is in one observed-data, under its key. */
struct packed {
	const char		*key;
	struct stix20_sco	*sco;
	const json		*patch;		/* that came up with it */
	bool			 known;		/* it came up with this key */
	json			*out;
};

struct packing {
	struct stix20	*c;
	struct slice	 od_id;
	struct packed	*v;
	size_t		 n, cap;
	const json	*made;		/* files that stand for the name of a process */
	size_t		 next;		/* the next number that is free as a key */
};

void
stix20_index(struct stix20 *c)
{
	for (size_t i = 0; i < c->nsco; i++)
		idmap_add(&c->sco_ids, c->mem, c->sco[i].id, i);
	idmap_sort(&c->sco_ids);
	for (size_t i = 1; i < c->sco_ids.n; i++)
		if (slice_eq(c->sco_ids.v[i - 1].id, c->sco_ids.v[i].id))
			c->sco[c->sco_ids.v[i - 1].value].twice =
			    c->sco[c->sco_ids.v[i].value].twice = true;
}

/* ---- what is in it ---- */

static struct stix20_sco *
find(const struct packing *p, struct slice id)
{
	long i = idmap_find(&p->c->sco_ids, id);

	return i == IDMAP_NONE ? NULL : &p->c->sco[i];
}

/* True for a file that came of a process' name, and still says no more than that. */
static bool
is_made(const struct packing *p, const struct stix20_sco *sco)
{
	struct slice mark = json_member(p->made, arena_str(p->c->mem, sco->id));

	return mark.n > 0 && slice_is(mark, stix20_hash(p->c->mem, sco->tree));
}

/* May it be packed here? What is large and everywhere is packed a few times only. */
static bool
has_room(struct packing *p, const struct stix20_sco *sco)
{
	if (p->n >= STIX20_ENTRIES)
		return false;
	if (sco->home.n == 0)
		return true;
	if (sco->bytes > STIX20_COPIES - p->c->copied)
		return false;
	p->c->copied += sco->bytes;
	return true;
}

static struct packed *
add(struct packing *p, struct stix20_sco *sco, const char *key, const json *patch)
{
	if (sco->pack != p->c->packs) {
		sco->pack = p->c->packs;
		sco->key = key;
	}
	if (sco->home.n == 0) {
		sco->home = arena_slice(p->c->keep, p->od_id);
		sco->home_key = arena_str(p->c->keep, slice_of(key));
	}
	p->v = arena_grow(p->c->mem, p->v, p->n, &p->cap, sizeof(*p->v));
	p->v[p->n] = (struct packed){ .key = key, .sco = sco, .patch = patch };
	return &p->v[p->n++];
}

/* Take in what is named, unless it is in. */
static bool
add_named(void *ctx, const char *member, struct slice id)
{
	struct packing *p = ctx;
	struct stix20_sco *sco = find(p, id);

	(void)member;
	if (sco == NULL || sco->pack == p->c->packs)
		return true;
	if (is_made(p, sco)) {
		sco->home = sco->home.n > 0 ? sco->home : arena_slice(p->c->keep, p->od_id);
		return true;	/* and no key: it is said by the process */
	}
	if (has_room(p, sco))
		add(p, sco, arena_fmt(p->c->mem, "%zu", p->next++), NULL);
	return true;
}

/* Those under the keys that they had in 2.0. */
static void
add_known(struct packing *p, const json *objects)
{
	unsigned long long number;
	size_t n = 0;

	for (const json *m = json_first(objects); m != NULL && n < STIX20_ENTRIES; m = json_next(m), n++) {
		struct stix20_sco *sco = find(p, json_member(m, "ref"));

		if (json_name(m) == NULL)
			return;
		if (sco != NULL && has_room(p, sco))
			add(p, sco, json_name(m), json_get(m, "patch"))->known = true;
		if (slice_u64(slice_of(json_name(m)), &number) && number < STIX20_ENTRIES &&
		    number >= p->next)
			p->next = (size_t)number + 1;
	}
}

static void
gather(struct packing *p, const json *rest, const json *refs)
{
	p->c->packs++;
	p->made = json_get(rest, "made");
	add_known(p, json_get(rest, "objects"));
	for (const json *m = json_first(refs); m != NULL; m = json_next(m))
		add_named(p, "object_refs", json_slice(m));
	for (size_t i = 0; i < p->n; i++)
		refs_each(p->v[i].sco->tree, add_named, p);
}

/* ---- how it is said ---- */

/* stix20_ref_fn: the key of what is in here; nothing, for the rest. */
static struct slice
key_of(void *ctx, struct slice id)
{
	const struct packing *p = ctx;
	const struct stix20_sco *sco = find(p, id);

	if (sco == NULL)
		return stix20_is_sco_id(id) ? SLICE_EMPTY : id;
	return sco->pack == p->c->packs ? slice_of(sco->key) : SLICE_EMPTY;
}

static json *
say_object(struct packing *p, const json *tree)
{
	json *o = stix20_sco_down(p->c->mem, tree);

	stix20_refs(p->c->mem, o, key_of, p);
	for (json *m = json_first(o), *next; m != NULL && p->c->no_rest; m = next) {
		next = json_next(m);
		if (slice_starts(slice_of(json_name(m)), STIX20_PREFIX))
			json_detach(o, m);
	}
	return o;
}

/* One granular marking of the observed-data: `behind` of the object under `key`. */
static void
mark(struct stix20 *c, json *od, const char *key, const char *behind, struct slice marking)
{
	json *list = json_get(od, "granular_markings"), *g, *selectors;

	if (!json_is_list(list))
		list = json_put(c->mem, od, "granular_markings", json_list(c->mem));
	g = json_push(list, json_object(c->mem));
	json_put_str(c->mem, g, "marking_ref", marking);
	selectors = json_put(c->mem, g, "selectors", json_list(c->mem));
	json_push(selectors, json_string(c->mem, slice_of(arena_fmt(c->mem, "objects.%s%s%s", key,
	    behind[0] != '\0' ? "." : "", behind))));
}

/* True if a marking is among the first of a list. */
static bool
holds(const json *list, struct slice id)
{
	size_t n = 0;

	for (const json *m = json_first(list); m != NULL && n++ < STIX20_MARKINGS; m = json_next(m))
		if (slice_eq(json_slice(m), id))
			return true;
	return false;
}

/* Say the markings of an object, as far as its observed-data does not. */
static void
mark_object(struct stix20 *c, json *od, const char *key, const json *tree)
{
	json *marks = json_object(c->mem), *m;
	size_t n = 0;

	json_put(c->mem, marks, "object_marking_refs",
	    json_copy(c->mem, json_get(tree, "object_marking_refs")));
	json_put(c->mem, marks, "granular_markings",
	    json_copy(c->mem, json_get(tree, "granular_markings")));
	stix20_markings_down(c, marks);
	for (m = json_first(json_get(marks, "object_marking_refs")); m != NULL; m = json_next(m))
		if (n++ < STIX20_MARKINGS && json_str(m) != NULL &&
		    !holds(json_get(od, "object_marking_refs"), json_slice(m)))
			mark(c, od, key, "", json_slice(m));
	for (m = json_first(json_get(marks, "granular_markings")); m != NULL; m = json_next(m)) {
		for (json *s = json_first(json_get(m, "selectors")); s != NULL; s = json_next(s)) {
			struct slice behind = json_slice(s), first = slice_cut(&behind, '.');
			const char *other = stix20_renamed(json_member(tree, "type"),
			    arena_str(c->mem, first), false);

			mark(c, od, key, arena_fmt(c->mem, "%.*s%s%.*s",
			    SLICE_ARG(other != NULL ? slice_of(other) : first),
			    behind.n > 0 ? "." : "", SLICE_ARG(behind)),
			    json_member(m, "marking_ref"));
		}
	}
}

/* ---- what has to go with it ---- */

/* The id that it gets where the message says something else under the one that would be its own: the way
 * up finds the same. */
static bool
is_known_id(const struct packing *p, const struct packed *x)
{
	return x->known && slice_eq(x->sco->id, stix20_own_id(p->c->mem, p->od_id, x->key,
	    json_member(x->sco->tree, "type")));
}

/* stix20_taken_fn: as the message would answer that it all came from. */
static bool
was_taken(void *ctx, struct slice id, const json *tree)
{
	const struct packing *p = ctx;
	const struct stix20_sco *sco = find(p, id);

	(void)tree;
	return sco == NULL || (sco->pack != p->c->packs && !is_made(p, sco));
}

static stix20_taken_fn *
taken_of(const struct packing *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_known_id(p, &p->v[i]))
			return was_taken;
	return NULL;
}

/* Make sure that each object gets its id back. */
static void
tell_ids(struct packing *p, json *o)
{
	struct stix20 alone = { .mem = p->c->mem, .keep = p->c->mem, .now = p->c->now };
	struct stix20_unpacked back;
	bool any = true;

	for (int round = 0; any; round++) {
		if (stix20_unpack(&alone, o, taken_of(p), p, &back, NULL) < 0)
			return;
		any = false;
		for (size_t i = 0; i < p->n; i++) {
			struct packed *x = &p->v[i];
			long at = idmap_find(&back.keys, slice_of(x->key));

			if (json_get(x->out, STIX20_ID) != NULL || at == IDMAP_NONE ||
			    (round < ROUNDS && !x->sco->twice &&
			    slice_eq(back.v[at].id, x->sco->id)))
				continue;
			json_append(p->c->mem, x->out, STIX20_ID,
			    json_string(p->c->mem, x->sco->id));
			any = true;
		}
	}
}

static void
put_patch(struct arena *mem, json *o, json *patch)
{
	json *own;

	if (patch == NULL)
		return;
	own = json_append(mem, o, STIX20_REST, json_object(mem));
	json_append(mem, own, "patch", patch);
}

/* Put what the way up would not give with each object, and with the whole (`from`; NULL: generated). */
static void
put_rests(struct packing *p, json *o, const json *from)
{
	struct stix20 alone = { .mem = p->c->mem, .keep = p->c->mem, .now = p->c->now };
	struct stix20_unpacked back;

	tell_ids(p, o);
	if (stix20_up_observed(&alone, o, taken_of(p), p, &back, NULL) < 0)
		return;
	for (size_t i = 0; i < p->n; i++) {
		long at = idmap_find(&back.keys, slice_of(p->v[i].key));

		if (at != IDMAP_NONE)
			put_patch(p->c->mem, p->v[i].out,
			    stix20_diff(p->c->mem, back.v[at].to, p->v[i].sco->tree));
	}
	if (from != NULL)
		put_patch(p->c->mem, o, stix20_diff(p->c->mem, back.od, from));
}

/* The observed-data with what was gathered. */
static json *
say(struct packing *p, json *src, const json *rest)
{
	struct arena *mem = p->c->mem;
	json *o, *objects = json_object(mem);

	json_remove(src, "object_refs");
	o = stix20_down_core(p->c, src);
	for (size_t i = 0; i < p->n; i++) {
		struct packed *x = &p->v[i];

		x->out = json_append(mem, objects, x->key, say_object(p, x->sco->tree));
		mark_object(p->c, o, x->key, x->sco->tree);
	}
	if (json_is_object(json_get(rest, "patch")))
		stix20_patch(mem, o, json_get(rest, "patch"));
	for (size_t i = 0; i < p->n; i++)
		if (json_is_object(p->v[i].patch))
			stix20_patch(mem, p->v[i].out, p->v[i].patch);
	if (p->n == 0)
		json_put_str(mem, json_put(mem, objects, "0", json_object(mem)), "type",
		    SLICE_LIT(STIX20_ABSENT));
	json_put(mem, o, "objects", objects);
	return o;
}

json *
stix20_pack(struct stix20 *c, const json *from)
{
	struct packing p = { .c = c, .od_id = json_member(from, "id") };
	json *src = json_copy(c->mem, from), *rest = stix20_take_rest(src), *o;

	gather(&p, rest, json_get(src, "object_refs"));
	o = say(&p, src, rest);
	if (!c->no_rest)
		put_rests(&p, o, from);
	return o;
}

json *
stix20_pack_alone(struct stix20 *c, struct stix20_sco *sco)
{
	static const char *const times[] = { "created", "modified", "first_observed", "last_observed" };
	struct arena *mem = c->mem;
	json *src = json_object(mem), *o;
	struct packing p = { .c = c, .od_id = stix20_generated_id(mem, sco->id, sco->tree) };

	json_put_str(mem, src, "type", SLICE_LIT("observed-data"));
	json_put_str(mem, src, "id", p.od_id);
	for (size_t i = 0; i < COUNTOF(times); i++)
		json_put_str(mem, src, times[i], c->now);
	json_put_int(mem, src, "number_observed", 1);
	json_put(mem, src, "object_marking_refs",
	    json_copy(mem, json_get(sco->tree, "object_marking_refs")));
	gather(&p, NULL, NULL);
	add(&p, sco, "0", NULL);
	p.next = 1;
	for (size_t i = 0; i < p.n; i++)
		refs_each(p.v[i].sco->tree, add_named, &p);
	o = say(&p, src, NULL);
	json_append(mem, o, STIX20_MADE, json_boolean(mem, true));
	if (!c->no_rest)
		put_rests(&p, o, NULL);
	return o;
}

/* ---- up again: what does not come back by itself ---- */

/* What a finished observable would be in 2.0, as stix20_pack would say it. */
static json *
say_back(struct packing *p, const struct stix20_unpacked *un)
{
	json *src = json_copy(p->c->mem, un->od);

	for (size_t i = 0; i < un->n; i++)
		if (un->v[i].from != NULL)
			add(p, &p->c->sco[i], un->v[i].key, NULL);
	return say(p, src, NULL);
}

/* True if the keys are what stix20_pack would number. */
static bool
is_numbered(const struct stix20_unpacked *un, const json *refs)
{
	char text[24];
	size_t i = 0;

	for (const json *m = json_first(refs); m != NULL; m = json_next(m), i++) {
		snprintf(text, sizeof(text), "%zu", i);
		if (i >= un->n || un->v[i].from == NULL || strcmp(un->v[i].key, text) != 0 ||
		    un->v[i].diff != NULL || un->v[i].forced || !slice_eq(un->v[i].id, json_slice(m)))
			return false;
	}
	return i == un->n;
}

/* Which key was what, and what it said beside. */
static void
keep_keys(struct stix20 *c, const struct stix20_unpacked *un, json *rest)
{
	struct arena *mem = c->mem;
	json *objects, *made = json_object(mem);

	if (is_numbered(un, json_get(un->od, "object_refs")))
		return;
	objects = json_append(mem, rest, "objects", json_object(mem));
	for (size_t i = 0; i < un->n; i++) {
		const struct stix20_entry *x = &un->v[i];
		json *one;

		if (x->from == NULL) {
			json_put_str(mem, made, arena_str(mem, x->id),
			    slice_of(stix20_hash(mem, x->native)));
			continue;
		}
		one = json_append(mem, objects, x->key, json_object(mem));
		json_append(mem, one, "ref", json_string(mem, x->id));
		json_append(mem, one, "patch", x->diff);
	}
	if (json_first(made) != NULL)
		json_append(mem, rest, "made", made);
}

/* Find what of the observed-data and its objects does not come back. */
static void
find_diffs(struct stix20 *c, const json *from, struct stix20_unpacked *un)
{
	struct stix20 back = { .mem = c->mem, .keep = c->mem, .now = c->now, .nsco = un->n, .packs = 1 };
	struct packing p = { .c = &back };
	json *said, *src = json_copy(c->mem, from);
	size_t k = 0;

	back.sco = arena_alloc(c->mem, un->n * sizeof(*back.sco));
	for (size_t i = 0; i < un->n; i++)
		back.sco[i] = (struct stix20_sco){ .id = un->v[i].id, .tree = un->v[i].native };
	stix20_index(&back);
	said = say_back(&p, un);
	for (size_t i = 0; i < un->n; i++)
		if (un->v[i].from != NULL)
			un->v[i].diff = stix20_diff(c->mem, p.v[k++].out, un->v[i].plain);
	json_remove(said, "objects");
	json_remove(src, "objects");
	json_remove(src, STIX20_REST);
	json_remove(src, STIX20_MADE);
	un->diff = stix20_diff(c->mem, said, src);
}

int
stix20_up_observed(struct stix20 *c, const json *from, stix20_taken_fn *taken, void *ctx,
    struct stix20_unpacked *out, struct err *e)
{
	const json *patch = json_get(json_get(from, STIX20_REST), "patch");
	json *rest = json_object(c->mem);

	if (stix20_unpack(c, from, taken, ctx, out, e) < 0)
		return -1;
	out->generated = out->n > 0 && json_bool(json_get(from, STIX20_MADE)) &&
	    slice_eq(json_member(from, "id"), stix20_generated_id(c->mem, out->v[0].id,
	    out->v[0].to));
	find_diffs(c, from, out);
	if (out->diff != NULL)
		json_append(c->mem, rest, "patch", out->diff);
	keep_keys(c, out, rest);
	if (json_first(rest) != NULL)
		stix20_put_rest(c, out->od, rest);
	if (json_is_object(patch) && !stix20_patch_emptied(c->mem, out->od, patch, out->before))
		out->weaker = true;
	return 0;
}
