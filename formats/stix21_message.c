/* stix21_message.c -- what needs the whole message: versions of one object, translations, markings whose
 * definition was refused. See stix21_read.h. */
#include <stdlib.h>

#include "formats/idmap.h"
#include "formats/stix21_lean.h"
#include "formats/stix21_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

/* How many members may be looked at to judge translations: their product would take for ever. */
enum { TRANSLATION_BUDGET = 20000000 };

/* What may be wrong between two versions of one object. */
static const struct stix21_issue conflict = {
	.code = "VERSION_CONFLICT"
}, revived = {
	.code = "BAD_VERSION", .err = ERR_VALUE, .path = "modified",
	.reason = "follows a version that is revoked"
}, other_creator = {
	.code = "BAD_VERSION", .err = ERR_VALUE, .path = "created_by_ref",
	.reason = "is not who created the earlier version in this message"
}, other_birth = {
	.code = "BAD_VERSION", .err = ERR_VALUE, .path = "created",
	.reason = "is not the time of the earlier version in this message"
};

/* Order objects of one id by version, then by their place. */
static int
compare_versions(const void *a, const void *b)
{
	const struct object *x = *(const struct object *const *)a;
	const struct object *y = *(const struct object *const *)b;
	int c = slice_cmp(x->version_key, y->version_key);

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

/* Return the tree of an object: its own, or parsed anew into `tmp`. */
static const json *
tree_of(const struct reading *r, const struct json_item *item, struct arena *tmp)
{
	return item->node != NULL ? item->node : stix21_lean_tree(r->job, item->text, tmp);
}

/* Return what is wrong with a later version beside an earlier one, or NULL. What has no version of its
 * own, as observables, may come in as many contents as it likes. */
static const struct stix21_issue *
flaw_of_version(const struct reading *r, const struct object *a, const struct object *b)
{
	struct arena *tmp;
	bool same;

	if (a->version.n == 0 || b->version.n == 0)
		return NULL;
	if ((a->flags & OBJECT_REVOKED) != 0)
		return &revived;
	if (!slice_eq(a->created_by, b->created_by))
		return &other_creator;
	tmp = arena_new();
	same = json_equal(json_get(tree_of(r, &r->doc.items[a->index], tmp), "created"),
	    json_get(tree_of(r, &r->doc.items[b->index], tmp), "created"));
	arena_free(tmp);
	return same ? NULL : &other_birth;
}

/* Find what is wrong between n objects of one id; equal copies stay: intake counts them. False if
 * nothing. */
static bool
find_flaws_among(struct reading *r, const struct object **v, size_t n, const struct stix21_issue **flaw)
{
	const struct object *first;
	bool any = false;

	qsort(v, n, sizeof(*v), compare_versions);
	first = v[0];
	for (size_t i = 1; i < n; i++) {
		const struct stix21_issue **it = &flaw[v[i] - r->adv->objects];
		const struct object *before = first;

		if (slice_eq(first->version_key, v[i]->version_key)) {
			if (!same_content(r, first, v[i]))
				*it = &conflict;
		} else {
			first = v[i];
			*it = flaw_of_version(r, before, v[i]);
		}
		any = any || *it != NULL;
	}
	return any;
}

/* Find what is wrong between objects, whose ids are in `all`. */
static bool
find_flaws(struct reading *r, const struct idmap *all, const struct stix21_issue **flaw)
{
	const struct object **v = arena_raw(r->mem, (all->n + 1) * sizeof(const struct object *));
	bool any = false;

	for (size_t i = 0, n; i < all->n; i += n) {
		for (n = 0; i + n < all->n && slice_eq(all->v[i + n].id, all->v[i].id); n++)
			v[n] = &r->adv->objects[all->v[i + n].value];
		if (n > 1 && find_flaws_among(r, v, n, flaw))
			any = true;
	}
	return any;
}

/* Refuse what contradicts an earlier object. */
void
stix21_refuse_conflict(struct reading *r, const struct json_item *item)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_CONFLICT, "an earlier object of this message has the same id and version, "
	    "but other content");
	stix21_refuse(r, item, "VERSION_CONFLICT", err);
}

/* True if one of the objects is a translation. */
static bool
has_translation(const struct advisory *adv)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].type, "language-content"))
			return true;
	return false;
}

/* True if `tree` is the version that a translation names; any, if it names none. */
static bool
is_version(struct arena *tmp, const json *tree, struct slice modified)
{
	struct slice a, b;

	return modified.n == 0 || !stamp_key(tmp, modified, &a) ||
	    (stamp_key(tmp, json_member(tree, "modified"), &b) && slice_eq(a, b));
}

/* Judge a translation beside what it translates, if that is in the message. */
static void
check_translation(struct reading *r, const struct object *o, const struct idmap *all, size_t *budget,
    struct stix21_check *how)
{
	struct slice id = json_member(o->tree, "object_ref");
	struct arena *tmp = arena_new();

	how->budget = budget;
	for (size_t k = idmap_place(all, id); k < all->n && slice_eq(all->v[k].id, id); k++) {
		const struct json_item *item = &r->doc.items[all->v[k].value];
		const json *tree;

		if (item->text.n >= *budget) {
			*budget = 0;
			break;
		}
		*budget -= item->text.n;
		tree = tree_of(r, item, tmp);
		if (!is_version(tmp, tree, json_member(o->tree, "object_modified")))
			continue;
		stix21_check_translation(o, tree, r->tmp, how);
		break;
	}
	arena_free(tmp);
}

/* Judge one object by what else is in the message; false if it is refused. */
static bool
passes_message(struct reading *r, const struct object *o, const struct stix21_issue *flaw,
    const struct idmap *all, size_t *budget)
{
	struct json_item *item = &r->doc.items[o->index];
	struct object whole = *o;
	struct stix21_findings f;
	struct stix21_check how;

	stix21_borrow_tree(r, item);
	whole.tree = item->node;
	how = stix21_judge(&f, r, item, o);
	if (flaw == &conflict)
		stix21_refuse_conflict(r, item);
	else if (flaw != NULL)
		how.report(how.report_ctx, flaw);
	if (flaw != &conflict && slice_is(o->type, "language-content"))
		check_translation(r, &whole, all, budget, &how);
	stix21_give_back_tree(r, item);
	return flaw != &conflict;
}

/* Refuse what claims the id and version of an earlier object; remark on versions and translations. */
void
stix21_check_message(struct reading *r)
{
	const struct stix21_issue **flaw =
	    arena_alloc(r->mem, (r->adv->n + 1) * sizeof(const struct stix21_issue *));
	struct idmap all = { .n = 0 };
	size_t kept = 0, budget = TRANSLATION_BUDGET;
	bool any;

	for (size_t i = 0; i < r->adv->n; i++)
		idmap_add(&all, r->mem, r->adv->objects[i].id, i);
	idmap_sort(&all);
	any = find_flaws(r, &all, flaw);
	if (!any && !has_translation(r->adv))
		return;
	for (size_t i = 0; i < all.n; i++)	/* by item, which outlives the dropping of objects */
		all.v[i].value = r->adv->objects[all.v[i].value].index;
	r->here = (struct pos){ .line = 1 };
	r->line_at = 0;
	for (size_t i = 0; i < r->adv->n; i++) {
		const struct object *o = &r->adv->objects[i];

		if ((flaw[i] == NULL && !slice_is(o->type, "language-content")) ||
		    passes_message(r, o, flaw[i], &all, &budget))
			r->adv->objects[kept++] = *o;
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
