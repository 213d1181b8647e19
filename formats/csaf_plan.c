/* csaf_plan.c -- which objects become which part of a document. */
#include "formats/csaf_check.h"
#include "formats/csaf_write.h"
#include "gateway/base/arena.h"

struct csaf_part *
csaf_part_find(const struct csaf_writing *w, struct slice id)
{
	long i = id.n == 0 ? IDMAP_NONE : idmap_find(&w->by_id, id);

	return i == IDMAP_NONE ? NULL : &w->v[i];
}

static bool
is_type(const struct csaf_part *p, const char *type)
{
	return p != NULL && slice_is(p->o->type, type);
}

static void
add_link(struct csaf_writing *w, struct csaf_links *list, struct csaf_part *relation,
    struct csaf_part *part)
{
	struct csaf_link *l = arena_alloc(w->mem, sizeof(*l));

	*l = (struct csaf_link){ .relation = relation, .part = part,
	    .there = (relation != NULL ? relation : part)->home };
	if (list->last == NULL)
		list->first = l;
	else
		list->last->next = l;
	list->last = l;
}

struct csaf_product_out *
csaf_plan_product(struct csaf_writing *w, struct csaf_part *part)
{
	if (part->product == 0) {
		w->products = arena_grow(w->mem, w->products, w->nproducts, &w->products_cap,
		    sizeof(*w->products));
		w->products[w->nproducts] = (struct csaf_product_out){ .part = part, .id = part->o->id };
		part->product = ++w->nproducts;
	}
	return &w->products[part->product - 1];
}

/* True if a relationship says something about the status of a product. */
static bool
tells_status(const json *relation)
{
	for (const json *l = json_first(json_get(relation, "labels")); l != NULL; l = json_next(l))
		if (slice_starts(json_slice(l), CSAF_LABEL_STATUS))
			return true;
	return slice_is(json_member(relation, "relationship_type"), "has");
}

/* What a relationship with one of our vulnerabilities is to CSAF. */
static void
plan_relationship(struct csaf_writing *w, struct csaf_part *relation)
{
	struct csaf_part *from = csaf_part_find(w, json_member(relation->tree, "source_ref"));
	struct csaf_part *to = csaf_part_find(w, json_member(relation->tree, "target_ref"));
	struct slice type = json_member(relation->tree, "relationship_type");
	struct csaf_vulnerability *v;

	if (from == NULL || to == NULL || to->vulnerability == 0)
		return;
	v = &w->vulnerabilities[to->vulnerability - 1];
	if ((is_type(from, "software") || is_type(from, "tool") || is_type(from, "infrastructure")) &&
	    tells_status(relation->tree)) {
		csaf_plan_product(w, from);
		add_link(w, &v->products, relation, from);
	} else if (is_type(from, "course-of-action") &&
	    (slice_is(type, "mitigates") || slice_is(type, "remediates"))) {
		add_link(w, &v->remediations, relation, from);
	}
}

/* A note stands where the first that it is about does. */
static void
plan_note(struct csaf_writing *w, struct csaf_part *note)
{
	const json *k = json_first(json_get(note->tree, "object_refs"));

	if (json_member(note->tree, "content").n == 0)
		return;
	for (; k != NULL; k = json_next(k)) {
		struct csaf_part *about = csaf_part_find(w, json_slice(k));

		if (about == NULL || (about != w->report && about->vulnerability == 0))
			continue;
		add_link(w, about == w->report ? &w->notes :
		    &w->vulnerabilities[about->vulnerability - 1].notes, NULL, note);
		return;
	}
}

/* The CVE that an object names; empty if it names none. */
static struct slice
cve_of(const json *tree)
{
	for (const json *k = json_first(json_get(tree, "external_references")); k != NULL; k = json_next(k))
		if (slice_is_nocase(json_member(k, "source_name"), "cve") &&
		    csaf_is_cve(json_member(k, "external_id")))
			return json_member(k, "external_id");
	return SLICE_EMPTY;
}

/* Of vulnerabilities with one CVE the first may say it (test 23). */
static void
find_first_cves(struct csaf_writing *w)
{
	struct idmap cves = { 0 };

	for (size_t i = 0; i < w->nvulnerabilities; i++)
		idmap_add(&cves, w->mem, cve_of(w->vulnerabilities[i].part->tree), i);
	idmap_sort(&cves);
	for (size_t i = 0; i < w->nvulnerabilities; i++) {
		struct slice cve = cve_of(w->vulnerabilities[i].part->tree);

		w->vulnerabilities[i].cve = cve.n > 0 && idmap_find(&cves, cve) == (long)i;
	}
}

static void
add_vulnerability(struct csaf_writing *w, struct csaf_part *part)
{
	if (part->vulnerability > 0)
		return;
	w->vulnerabilities = arena_grow(w->mem, w->vulnerabilities, w->nvulnerabilities,
	    &w->vulnerabilities_cap, sizeof(*w->vulnerabilities));
	w->vulnerabilities[w->nvulnerabilities++] = (struct csaf_vulnerability){ .part = part };
	part->vulnerability = w->nvulnerabilities;
}

void
csaf_plan_report(struct csaf_writing *w, struct csaf_part *report)
{
	w->report = report;
	w->publisher = csaf_part_find(w, json_member(report->tree, "created_by_ref"));
	if (!is_type(w->publisher, "identity"))
		w->publisher = NULL;
	for (const json *k = json_first(json_get(report->tree, "object_refs")); k != NULL;
	    k = json_next(k)) {
		struct csaf_part *p = csaf_part_find(w, json_slice(k));

		if (is_type(p, "vulnerability"))
			add_vulnerability(w, p);
	}
	find_first_cves(w);
	for (size_t i = 0; i < w->n; i++) {
		if (is_type(&w->v[i], "relationship"))
			plan_relationship(w, &w->v[i]);
		else if (is_type(&w->v[i], "note"))
			plan_note(w, &w->v[i]);
	}
}

/* True if a report names a vulnerability that came along. */
static bool
has_vulnerability(const struct csaf_writing *w, const json *report)
{
	for (const json *k = json_first(json_get(report, "object_refs")); k != NULL; k = json_next(k))
		if (slice_starts(json_slice(k), "vulnerability--") &&
		    csaf_part_find(w, json_slice(k)) != NULL)
			return true;
	return false;
}

/* See csaf_write.h. The first report that can be one is the document; others go along. */
bool
csaf_plan(struct csaf_writing *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (is_type(&w->v[i], "report") && has_vulnerability(w, w->v[i].tree)) {
			csaf_plan_report(w, &w->v[i]);
			return true;
		}
	return false;
}
