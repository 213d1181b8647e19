/*
 * csaf_read_product.c -- the product tree: every product becomes software.
 *
 * Branches from the vendor down to the version say what the software is called; a tree that says
 * more than that (an architecture, a host) leaves the name to the product's own, so that what the
 * advisory tells apart stays apart. Products that are the same software share one object.
 */
#include "formats/csaf.h"
#include "formats/sco.h"
#include "gateway/base/arena.h"

/* What the branches above a product say. */
struct above {
	json	*vendor, *name, *version;	/* the branches */
	json	*last;				/* the lowest */
	bool	 more;				/* there are branches of other categories */
};

/* The texts that become the software. */
static struct slice
name_of(const struct above *a, const json *product)
{
	struct slice own = json_member(product, "name"), named = json_member(a->name, "name");

	if (named.n > 0 && !a->more)
		return named;
	return own.n > 0 ? own : named.n > 0 ? named : json_member(product, "product_id");
}

/* Mark what of a branch became part of a software. */
static void
take_branch(struct csaf_reading *r, json *branch, enum loss_kind kind)
{
	ledger_take(r->ledger, branch, "name", kind);
	ledger_take(r->ledger, branch, "category", kind);
}

/* Put the CPE name, which STIX knows by 2.3 only. */
static void
read_cpe(struct csaf_reading *r, json *product, json *tree)
{
	json *helper = json_get(product, "product_identification_helper");
	struct slice had = json_member(helper, "cpe"), cpe = csaf_cpe23(r->mem, had);

	if (cpe.n == 0)
		return;
	json_put_str(r->mem, tree, "cpe", cpe);
	ledger_take(r->ledger, helper, "cpe", slice_eq(had, cpe) ? LOSS_KEPT : LOSS_APPROXIMATED);
}

/* Make the software of one product; objects come when all are known. */
static void
add_product(struct csaf_reading *r, json *product, const struct above *a)
{
	struct slice name = name_of(a, product);
	bool plain = a->name != NULL && !a->more;
	struct csaf_software *s;
	json *tree = json_object(r->mem);

	if (name.n == 0)
		return;
	json_put_str(r->mem, tree, "type", SLICE_LIT("software"));
	json_put_str(r->mem, tree, "spec_version", SLICE_LIT("2.1"));
	json_put_str(r->mem, tree, "name", name);
	read_cpe(r, product, tree);
	if (json_member(a->vendor, "name").n > 0) {
		json_put_str(r->mem, tree, "vendor", json_member(a->vendor, "name"));
		take_branch(r, a->vendor, LOSS_KEPT);
	}
	if (plain && json_member(a->version, "name").n > 0) {
		bool exact = slice_is(json_member(a->version, "category"), "product_version");

		json_put_str(r->mem, tree, "version", json_member(a->version, "name"));
		take_branch(r, a->version, exact ? LOSS_KEPT : LOSS_APPROXIMATED);
	}
	if (plain)
		take_branch(r, a->name, LOSS_KEPT);
	else
		ledger_take(r->ledger, product, "name", LOSS_KEPT);
	r->software = arena_grow(r->mem, r->software, r->nsoftware, &r->software_cap,
	    sizeof(*r->software));
	s = &r->software[r->nsoftware++];
	*s = (struct csaf_software){ .product_id = json_member(product, "product_id"),
	    .product = product, .branch = a->last, .tree = tree, .id = sco_id(r->mem, tree) };
	json_put_str(r->mem, tree, "id", s->id);
}

/* One step down. */
static struct above
below(const struct above *a, json *branch)
{
	struct slice category = json_member(branch, "category");
	struct above b = *a;

	b.last = branch;
	if (slice_is(category, "vendor") && b.vendor == NULL)
		b.vendor = branch;
	else if (slice_is(category, "product_name") && b.name == NULL)
		b.name = branch;
	else if ((slice_is(category, "product_version") ||
	    slice_is(category, "product_version_range")) && b.version == NULL)
		b.version = branch;
	else if (!slice_is(category, "product_family"))
		b.more = true;
	return b;
}

static void
walk_branches(struct csaf_reading *r, json *list, const struct above *a)
{
	for (json *b = json_first(list); b != NULL; b = json_next(b)) {
		struct above here = below(a, b);

		if (json_is_object(json_get(b, "product")))
			add_product(r, json_get(b, "product"), &here);
		walk_branches(r, json_get(b, "branches"), &here);
	}
}

/* Products that are one software share the object of the first; then each is found by its product
 * id. */
static void
make_objects(struct csaf_reading *r)
{
	struct idmap by_id = { 0 };

	for (size_t i = 0; i < r->nsoftware; i++)
		idmap_add(&by_id, r->mem, r->software[i].id, i);
	idmap_sort(&by_id);
	for (size_t i = 0; i < r->nsoftware; i++) {
		struct csaf_software *s = &r->software[i];

		s->first = &r->software[idmap_find(&by_id, s->id)];
		if (s->first == s)
			s->made = csaf_make_software(r, s);
		if (s->product_id.n > 0)
			idmap_add(&r->products, r->mem, s->product_id, i);
	}
	idmap_sort(&r->products);
}

/* See csaf.h. */
void
csaf_read_products(struct csaf_reading *r)
{
	json *tree = json_get(r->root, "product_tree");
	struct above none = { .more = false };

	walk_branches(r, json_get(tree, "branches"), &none);
	for (json *p = json_first(json_get(tree, "full_product_names")); p != NULL; p = json_next(p))
		add_product(r, p, &none);
	for (json *p = json_first(json_get(tree, "relationships")); p != NULL; p = json_next(p))
		if (json_is_object(json_get(p, "full_product_name")))
			add_product(r, json_get(p, "full_product_name"), &none);
	make_objects(r);
}

/* See csaf.h. */
struct csaf_software *
csaf_software_find(const struct csaf_reading *r, struct slice product_id)
{
	long i = product_id.n == 0 ? IDMAP_NONE : idmap_find(&r->products, product_id);

	return i == IDMAP_NONE ? NULL : r->software[i].first;
}
