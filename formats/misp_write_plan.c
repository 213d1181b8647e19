/* misp_write_plan.c -- which event does each object belong to? See misp_write.h. */
#include "formats/misp_write.h"
#include "formats/refs.h"
#include "gateway/base/arena.h"

enum { PASSES_MAX = 8 };

struct mw_obj *
mw_find(struct mw *w, struct slice id)
{
	long i = idmap_find(&w->by_id, id);

	return i == IDMAP_NONE ? NULL : &w->v[i];
}

json *
mw_find_tree(void *ctx, struct slice id)
{
	struct mw_obj *ob = mw_find(ctx, id);

	return ob == NULL ? NULL : ob->tree;
}

static bool
is_container(const struct mw_obj *ob)
{
	return slice_is(ob->o->type, "report") || slice_is(ob->o->type, "grouping");
}

/* True if the marking is the statement that stands for tlp:ex:chr. */
static bool
says_handling(struct mw *w, const json *tree)
{
	for (json *m = json_first(json_get(tree, "object_marking_refs")); m != NULL;
	    m = json_next(m)) {
		const json *def = mw_find_tree(w, json_slice(m));

		if (slice_is_nocase(
			json_member(json_get(def, "definition"), "statement"), "TLP:EX:CHR"))
			return true;
	}
	return false;
}

/* True if it and the observables it names are what they were made as. */
static bool
is_intact(struct mw *w, struct mw_obj *ob)
{
	struct slice hash = json_member(ob->residue, "observables");
	const json **v;
	char text[65];
	size_t n = 0;

	if (!misp_is_untouched(ob->tree, w->mem))
		return false;
	if (hash.n == 0)
		return true;
	v = arena_alloc(w->mem, json_count(json_get(ob->tree, "object_refs")) * sizeof(*v) + 1);
	for (json *k = json_first(json_get(ob->tree, "object_refs")); k != NULL; k = json_next(k)) {
		v[n] = mw_find_tree(w, json_slice(k));
		if (v[n++] == NULL)
			return false;
	}
	misp_observables_hash(v, n, w->mem, text);
	return slice_is(hash, text);
}

/* True if a part is what MISP would take: who sent it may have written anything. */
static bool
is_sound(const struct mw *w, const struct mw_obj *ob)
{
	switch (ob->kind) {
	case MW_ATTRIBUTE:
		return misp_text(w->mem, ob->part, "type").n > 0 &&
		    misp_text(w->mem, ob->part, "value").n > 0 && !misp_is_stix_data(ob->part);
	case MW_OBJECT:
		return misp_text(w->mem, ob->part, "name").n > 0;
	case MW_NONE: case MW_EVENT: case MW_REPORT:
		break;
	}
	return true;
}

/* What it was made of, if it says so and that can be read. */
static void
read_part(struct mw *w, struct mw_obj *ob)
{
	static const char *const kinds[] = { "", "event", "attribute", "object", "event_report" };

	for (size_t i = 1; i < COUNTOF(kinds) && ob->part == NULL; i++) {
		ob->part = misp_part(ob->residue, kinds[i], w->mem);
		if (ob->part != NULL)
			ob->kind = i;
	}
	if ((ob->kind == MW_EVENT) != is_container(ob) || !is_sound(w, ob) ||
	    (ob->part == NULL && !json_bool(json_get(ob->residue, "part")))) {
		ob->residue = NULL;	/* none of ours */
		ob->part = NULL;
		ob->kind = MW_NONE;
	}
}

int
mw_open(struct mw *w, const struct write_job *job, struct arena *mem, struct err *e)
{
	const struct advisory *adv = job->adv;

	w->job = job;
	w->mem = mem;
	w->led = ledger_new(mem);
	w->n = adv->n;
	w->v = arena_alloc(mem, (w->n + 1) * sizeof(*w->v));
	for (size_t i = 0; i < w->n; i++) {
		const struct object *o = &adv->objects[i];
		struct json_doc doc;

		w->v[i] = (struct mw_obj){ .o = o, .tree = o->tree, .event = MW_NOWHERE };
		if (o->tree == NULL) {
			if (json_parse(o->bytes, NULL, mem, &doc, e) < 0)
				return -1;
			w->v[i].tree = doc.root;
		}
		w->v[i].residue = misp_residue(w->v[i].tree);
		if (w->v[i].residue != NULL)
			read_part(w, &w->v[i]);
		w->born |= w->v[i].residue != NULL;
		w->v[i].tlp = object_level(o);
	}
	/* of several versions the latest stands first among its equals */
	for (size_t i = 0; i < w->n; i++)
		idmap_add(&w->by_id, mem, w->v[i].o->id, i);
	idmap_sort(&w->by_id);
	for (size_t i = 0; i < w->by_id.n; i++) {
		size_t first = i;

		while (i + 1 < w->by_id.n && slice_eq(w->by_id.v[i + 1].id, w->by_id.v[first].id)) {
			size_t *best = &w->by_id.v[first].value, *next = &w->by_id.v[++i].value,
			    t = *best;

			if (slice_cmp(w->v[*next].o->version_key, w->v[*best].o->version_key) <= 0)
				continue;
			*best = *next;
			*next = t;
		}
	}
	for (size_t i = 0; i < w->n; i++) {
		w->v[i].handling = says_handling(w, w->v[i].tree);
		w->v[i].intact = w->v[i].residue != NULL && is_intact(w, &w->v[i]);
	}
	mw_index_edited(w);
	return 0;
}

/* ---- events ---- */

static bool
is_latest(struct mw *w, const struct mw_obj *ob)
{
	return mw_find(w, ob->o->id) == ob;
}

struct pull {
	struct mw	*w;
	struct mw_obj	*from;
	bool		 changed;
};

/* refs_fn: what an object of an event names goes where it goes. */
static bool
pull_named(void *ctx, const char *member, struct slice id)
{
	struct pull *p = ctx;
	struct mw_obj *to = mw_find(p->w, id);

	(void)member;
	if (to != NULL && to->event == MW_NOWHERE && !to->container) {
		to->event = p->from->event;
		p->changed = true;
	}
	return true;
}

/* refs_fn: what names an object of an event goes there. */
static bool
join_named(void *ctx, const char *member, struct slice id)
{
	struct pull *p = ctx;
	struct mw_obj *to = mw_find(p->w, id);

	if (to == NULL || to->event < 0 || strcmp(member, "created_by_ref") == 0 ||
	    strcmp(member, "object_marking_refs") == 0)
		return true;
	p->from->event = to->event;
	p->changed = true;
	return false;
}

static void
spread(struct mw *w)
{
	struct pull p = { .w = w };

	for (int pass = 0; pass < PASSES_MAX; pass++) {
		p.changed = false;
		for (size_t i = 0; i < w->n; i++) {
			p.from = &w->v[i];
			if (p.from->event >= 0)
				refs_each(p.from->tree, pull_named, &p);
			else if (p.from->event == MW_NOWHERE && !p.from->container &&
			    (p.from->o->class == OBJECT_SRO ||
			    slice_is(p.from->o->type, "note") ||
			    slice_is(p.from->o->type, "opinion") ||
			    slice_is(p.from->o->type, "language-content")))
				refs_each(p.from->tree, join_named, &p);
		}
		if (!p.changed)
			break;
	}
}

/* Definitions that nothing names need no event of their own. */
static bool
needs_event(const struct mw_obj *ob)
{
	return ob->event == MW_NOWHERE && ob->o->class != OBJECT_META;
}

/* True if all that there is came from a search of a MISP: attributes alone, or objects alone. */
static bool
is_loose(const struct mw *w)
{
	size_t attributes = 0, objects = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct mw_obj *ob = &w->v[i];

		if (ob->residue == NULL ? ob->o->class == OBJECT_SDO || ob->o->class == OBJECT_SRO :
		    !ob->intact || ob->kind == MW_EVENT || ob->kind == MW_REPORT)
			return false;
		attributes += ob->kind == MW_ATTRIBUTE;
		objects += ob->kind == MW_OBJECT;
	}
	return (attributes > 0) != (objects > 0);
}

/* Hand every event the list of its objects. */
static void
deal(struct mw *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].event >= 0)
			w->events[w->v[i].event].nmembers++;
	for (size_t i = 0; i < w->nevents; i++) {
		w->events[i].members = arena_alloc(w->mem,
		    (w->events[i].nmembers + 1) * sizeof(*w->events[i].members));
		w->events[i].nmembers = 0;
	}
	for (size_t i = 0; i < w->n; i++) {
		struct mw_event *ev = w->v[i].event < 0 ? NULL : &w->events[w->v[i].event];

		if (ev != NULL)
			ev->members[ev->nmembers++] = &w->v[i];
	}
}

/* Of some of many: leave what no event takes for the last event of all. */
static void
leave_rest(struct mw *w)
{
	for (size_t i = 0; i < w->batch->own; i++)
		w->batch->rest[i] = needs_event(&w->v[i]) || (w->nevents == 0 &&
		    w->v[i].event == MW_NOWHERE);
}

static bool
is_left(const struct mw *w, size_t i)
{
	return w->batch != NULL && !w->batch->last && w->batch->rest[i];
}

/* The events that containers make, and what they name. */
static size_t
open_containers(struct mw *w, struct mw_obj **containers)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (w->batch != NULL && i >= w->batch->own) {
			w->v[i].event = MW_ELSEWHERE;
			continue;
		}
		if (is_container(&w->v[i]) && is_latest(w, &w->v[i])) {
			w->v[i].container = true;
			w->v[i].event = (long)n;
			containers[n++] = &w->v[i];
		}
	}
	return n;
}

/* Give every object its event; older versions and what is named nowhere find theirs too. */
void
mw_plan(struct mw *w)
{
	struct mw_obj **containers = arena_alloc(w->mem, (w->n + 1) * sizeof(*containers));
	size_t n = open_containers(w, containers);
	bool rest = false;

	w->loose = w->batch == NULL && n == 0 && is_loose(w);
	for (size_t i = 0; i < n; i++) {
		struct pull p = { .w = w, .from = containers[i] };

		for (json *k = json_first(json_get(containers[i]->tree, "object_refs")); k != NULL;
		    k = json_next(k))
			pull_named(&p, "object_refs", json_slice(k));
	}
	spread(w);
	for (size_t i = 0; i < w->n; i++) {
		struct mw_obj *latest = mw_find(w, w->v[i].o->id);

		if (w->v[i].event == MW_NOWHERE && latest != NULL)
			w->v[i].event = latest->event;
		rest |= needs_event(&w->v[i]);
	}
	rest |= n == 0;
	if (w->batch != NULL && !w->batch->last)
		rest = false;
	w->nevents = n + rest;
	w->events = arena_alloc(w->mem, (w->nevents + 1) * sizeof(*w->events));
	for (size_t i = 0; i < n; i++)
		w->events[i].container = containers[i];
	if (w->batch != NULL && !w->batch->last)
		leave_rest(w);
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].event == MW_NOWHERE && !is_left(w, i))
			w->v[i].event = (long)(needs_event(&w->v[i]) || n == 0 ? n : 0);
	deal(w);
}
