/* stix21_message.c -- what needs the whole message: two versions of one object, markings whose
 * definition was refused. See stix21_read.h. */
#include <stdlib.h>

#include "formats/idmap.h"
#include "formats/stix21_lean.h"
#include "formats/stix21_read.h"
#include "gateway/base/arena.h"

/* Order objects by (id, version), then by their place. */
static int
compare_versions(const void *a, const void *b)
{
	const struct object *x = *(const struct object *const *)a;
	const struct object *y = *(const struct object *const *)b;
	int c = slice_cmp(x->id, y->id);

	if (c == 0)
		c = slice_cmp(x->version_key, y->version_key);
	return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

/* True if two objects say the same. */
static bool
same_content(const struct reading *r, const struct object *a, const struct object *b)
{
	struct arena *tmp;
	bool same;

	if (slice_eq(a->bytes, b->bytes))
		return true;
	if (!r->lean)
		return json_equal(a->tree, b->tree);
	tmp = arena_new();
	same = json_equal(stix21_lean_tree(r->job, a->bytes, tmp),
	    stix21_lean_tree(r->job, b->bytes, tmp));
	arena_free(tmp);
	return same;
}

/* Mark what claims the id and version of an earlier object and says something else. Equal copies stay:
 * intake counts them. */
static bool
find_conflicts(struct reading *r, bool *conflict)
{
	const struct advisory *adv = r->adv;
	const struct object **v = arena_raw(r->mem, (adv->n + 1) * sizeof(const struct object *));
	const struct object *first;
	bool any = false;

	for (size_t i = 0; i < adv->n; i++)
		v[i] = &adv->objects[i];
	qsort(v, adv->n, sizeof(*v), compare_versions);
	first = adv->n == 0 ? NULL : v[0];
	for (size_t i = 1; i < adv->n; i++) {
		if (!slice_eq(first->id, v[i]->id) ||
		    !slice_eq(first->version_key, v[i]->version_key)) {
			first = v[i];
			continue;
		}
		if (same_content(r, first, v[i]))
			continue;
		conflict[v[i] - adv->objects] = any = true;
	}
	return any;
}

void
stix21_refuse_conflict(struct reading *r, const struct json_item *item)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_CONFLICT, "an earlier object of this message has the same id and version, "
	    "but other content");
	stix21_move_to(r, item->offset);
	stix21_refuse(r, item, "VERSION_CONFLICT", err);
}

/* Refuse the later of two objects with one id and version but different content. */
void
stix21_refuse_conflicts(struct reading *r)
{
	bool *conflict = arena_alloc(r->mem, r->adv->n + 1);
	size_t kept = 0;

	if (!find_conflicts(r, conflict))
		return;
	r->here = (struct pos){ .line = 1 };
	r->line_at = 0;
	for (size_t i = 0; i < r->adv->n; i++) {
		const struct object *o = &r->adv->objects[i];

		if (conflict[i]) {
			stix21_borrow_tree(r, &r->doc.items[o->index]);
			stix21_refuse_conflict(r, &r->doc.items[o->index]);
			stix21_give_back_tree(r, &r->doc.items[o->index]);
		} else {
			r->adv->objects[kept++] = *o;
		}
	}
	r->adv->n = kept;
}

/* True if an object is marked by a definition that was refused. */
bool
stix21_has_lost_marking(const struct reading *r, const json *tree)
{
	const json *m;

	for (m = json_first(json_get(tree, "object_marking_refs")); m != NULL; m = json_next(m))
		if (idmap_find(&r->lost, json_slice(m)) != IDMAP_NONE)
			return true;
	for (m = json_first(json_get(tree, "granular_markings")); m != NULL; m = json_next(m))
		if (idmap_find(&r->lost, json_member(m, "marking_ref")) != IDMAP_NONE)
			return true;
	return false;
}

/* What a refused definition said does not count: what it marked cannot be read any more. The fixed
 * TLP ids need no definition. */
void
stix21_unread_lost_markings(struct reading *r)
{
	if (r->lost.n == 0)
		return;
	for (size_t i = 0; i < r->lost.n; i++)
		if (tlp_of_marking_id(r->lost.v[i].id) != TLP_UNSET)
			r->lost.v[i].id = SLICE_EMPTY;
	idmap_sort(&r->lost);
	for (size_t i = 0; i < r->adv->n; i++) {
		struct object *o = &r->adv->objects[i];
		struct json_item *item = &r->doc.items[o->index];

		if (stix21_borrow_tree(r, item) && stix21_has_lost_marking(r, item->node))
			o->label = LABEL_UNREADABLE;
		stix21_give_back_tree(r, item);
	}
}
