/*
 * csaf_home.c -- a document that became objects is put together again (csaf.h, 1).
 *
 * The residue is read like a document that just came in: what it gives is the base that the
 * objects of the advisory are compared with. A residue that gives other ids than the report that
 * carries it belongs to another document, and is left alone.
 */
#include "formats/csaf_check.h"
#include "formats/csaf_write.h"
#include "gateway/base/arena.h"

/* The report that brought its document. */
static struct csaf_part *
find_report(struct csaf_writing *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (slice_is(w->v[i].o->type, "report") &&
		    csaf_residue(w->v[i].tree) != NULL)
			return &w->v[i];
	return NULL;
}

/* The root, with the vulnerabilities that are still there. */
static json *
assemble(struct csaf_writing *w, const json *report)
{
	const json *residue = csaf_residue(report);
	json *root = csaf_kept_part(w->mem, report), *list;

	if (root == NULL || !json_is_list(json_get(residue, "vulnerabilities")))
		return root;
	list = json_list(w->mem);
	for (json *k = json_first(json_get(residue, "vulnerabilities")); k != NULL; k = json_next(k)) {
		struct csaf_part *p = csaf_part_find(w, json_slice(k));

		if (p != NULL && p->seen_in != list)
			json_push(list, csaf_kept_part(w->mem, p->tree));
		if (p != NULL)
			p->seen_in = list;
	}
	if (json_first(list) != NULL)
		json_put(w->mem, root, "vulnerabilities", list);
	return root;
}

/* The hashes that the objects had: id -> place in `v`. */
struct hashes {
	struct idmap	 ids;
	struct slice	*v;
	size_t		 n, cap;
};

static void
read_hashes(struct csaf_writing *w, const json *residue, struct hashes *h)
{
	for (json *k = json_first(json_get(residue, "objects")); k != NULL; k = json_next(k)) {
		struct slice hash = json_slice(k), id = slice_cut(&hash, ' ');

		h->v = arena_grow(w->mem, h->v, h->n, &h->cap, sizeof(*h->v));
		h->v[h->n] = hash;
		idmap_add(&h->ids, w->mem, id, h->n++);
	}
	idmap_sort(&h->ids);
}

/* Is the object still what was made of the document, by whoever made it or by us? */
static bool
is_untouched(struct csaf_writing *w, const struct hashes *h, const struct csaf_made *m,
    const struct csaf_part *p)
{
	long at = idmap_find(&h->ids, p->o->id);
	char now[65], made[65];

	csaf_object_hash(p->tree, w->mem, now);
	if (at != IDMAP_NONE && slice_is(h->v[at], now))
		return true;
	csaf_object_hash(m->tree, w->mem, made);
	return strcmp(now, made) == 0;
}

/* Everything that stands in the document is told by it. */
static void
mark_home(struct csaf_writing *w, struct csaf_made *m, struct csaf_part *p)
{
	p->home = p->native = true;
	p->element = m->from;
	csaf_kept(w, p->tree);
}

/* True if an object says what none of the document did. */
static bool
has_new(const struct csaf_writing *w)
{
	for (size_t i = 0; i < w->nvulnerabilities; i++) {
		const struct csaf_vulnerability *v = &w->vulnerabilities[i];
		const struct csaf_links *lists[] = { &v->products, &v->remediations, &v->notes };

		if (!v->part->home)
			return true;
		for (size_t k = 0; k < COUNTOF(lists); k++)
			for (const struct csaf_link *l = lists[k]->first; l != NULL; l = l->next)
				if (!l->there)
					return true;
	}
	for (const struct csaf_link *l = w->notes.first; l != NULL; l = l->next)
		if (!l->there)
			return true;
	return false;
}

/* Products of the document keep their ids. */
static void
plan_products(struct csaf_writing *w, struct csaf_reading *base)
{
	for (size_t i = 0; i < base->nsoftware; i++) {
		struct csaf_software *s = &base->software[i];
		struct csaf_part *p = csaf_part_find(w, s->id);
		struct csaf_product_out *out;

		if (p == NULL || s->first != s)
			continue;
		out = csaf_plan_product(w, p);
		out->there = true;
		out->id = s->product_id;
	}
}

/* Append what is new. */
static void
write_new(struct csaf_writing *w)
{
	json *notes = json_get(w->document, "notes");

	csaf_write_products(w);
	for (size_t i = 0; i < w->nvulnerabilities; i++) {
		struct csaf_vulnerability *v = &w->vulnerabilities[i];

		if (v->part->home)
			csaf_write_links(w, v, v->part->element);
		else
			csaf_write_vulnerability(w, v);
	}
	for (struct csaf_link *l = w->notes.first; l != NULL; l = l->next) {
		if (l->there)
			continue;
		if (notes == NULL)
			notes = json_put(w->mem, w->document, "notes", json_list(w->mem));
		json_push(notes, csaf_write_note(w, l->part));
	}
}

/* csaf_issue_fn that only counts. */
static void
ignore(void *ctx, const struct csaf_issue *issue)
{
	(void)ctx;
	(void)issue;
}

/* A profile that the document no longer keeps is no longer its own. */
static void
check_profile(struct csaf_writing *w, bool was_fine)
{
	if (!was_fine || csaf_check_tests(w->root, w->mem, ignore, NULL) == 0)
		return;
	json_put_str(w->mem, w->document, "category", slice_of(csaf_profile_word(CSAF_BASE)));
	csaf_generated(w, "document/category", "changed objects no longer keep the profile");
}

/* Go through the objects of the base; true if any of them is no longer what it was. */
static bool
compare(struct csaf_writing *w, struct csaf_reading *base, const struct hashes *h)
{
	bool changed = false;

	for (size_t i = 0; i < base->n; i++) {
		struct csaf_part *p = csaf_part_find(w, base->v[i]->id);

		if (p != NULL)
			mark_home(w, base->v[i], p);
	}
	for (size_t i = 0; i < base->n; i++) {
		struct csaf_made *m = base->v[i];
		struct csaf_part *p = csaf_part_find(w, m->id);

		if (p != NULL && is_untouched(w, h, m, p))
			continue;
		changed = true;
		m->edited = m->source != NULL && m->source->software != NULL;
		m->now = p == NULL ? NULL : p->tree;
		if (p != NULL)
			csaf_edit(w, base, m, p);
		else
			csaf_edit_away(w, base, m);
	}
	if (changed)
		csaf_edit_statuses(w, base);
	return changed;
}

/* The extension-definition that the residue names travels with it. */
static void
mark_definitions(struct csaf_writing *w)
{
	struct csaf_part *p = csaf_part_find(w, SLICE_LIT(CSAF_EXT));

	if (p != NULL) {
		p->home = true;
		csaf_kept(w, p->tree);
	}
	for (size_t i = 0; i < w->n; i++)
		w->v[i].home = w->v[i].home || tlp_of_marking_id(w->v[i].o->id) != TLP_UNSET;
}

/* See csaf_write.h. */
bool
csaf_go_home(struct csaf_writing *w)
{
	static const struct read_job job = { .received = { "", 0 } };
	struct csaf_part *report = find_report(w);
	struct csaf_reading base = { .job = &job, .mem = w->mem, .ledger = ledger_new(w->mem) };
	struct hashes hashes = { .n = 0 };
	const json *residue;
	struct err e = ERR_INIT;
	bool fine, changed;

	if (report == NULL)
		return false;
	residue = csaf_residue(report->tree);
	base.root = assemble(w, report->tree);
	if (csaf_derive(&base, &e) < 0 || !slice_eq(base.report->id, report->o->id))
		return false;
	w->root = base.root;
	w->document = base.document;
	read_hashes(w, residue, &hashes);
	fine = csaf_check_tests(w->root, w->mem, ignore, NULL) == 0;
	changed = compare(w, &base, &hashes);
	mark_definitions(w);
	plan_products(w, &base);
	csaf_plan_report(w, report);
	if (has_new(w)) {
		write_new(w);
		changed = true;
	}
	csaf_edit_tracking(w);
	csaf_write_label(w);
	if (changed)
		check_profile(w, fine);
	return true;
}
