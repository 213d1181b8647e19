/* csaf_write_product.c -- software as a product tree: branches of vendor, name and version. */
#include "formats/csaf_check.h"
#include "formats/csaf_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* What is told of one product. */
struct leaf {
	struct slice	 vendor, name, version;
	struct slice	 vendor_key, name_key;	/* of its branches; empty: none */
	json		*vendor_branch, *name_branch;
};

/* The full name: what is in it already is not said twice. */
static struct slice
full_name(struct csaf_writing *w, const struct leaf *l)
{
	struct strbuf b = STRBUF_INIT;
	struct slice s;

	if (l->vendor.n > 0 && memmem(l->name.p, l->name.n, l->vendor.p, l->vendor.n) == NULL)
		strbuf_addf(&b, "%.*s ", SLICE_ARG(l->vendor));
	strbuf_addsl(&b, l->name);
	if (l->version.n > 0)
		strbuf_addf(&b, " %.*s", SLICE_ARG(l->version));
	s = arena_slice(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

/* The full_product_name of a part. */
static json *
write_product(struct csaf_writing *w, struct csaf_product_out *p, const struct leaf *l)
{
	json *to = json_object(w->mem), *tree = p->part->tree, *helper;
	struct slice cpe = json_member(tree, "cpe");

	json_put_str(w->mem, to, "name", full_name(w, l));
	json_put_str(w->mem, to, "product_id", p->id);
	if (csaf_is_cpe(cpe)) {
		helper = json_put(w->mem, to, "product_identification_helper", json_object(w->mem));
		json_put_str(w->mem, helper, "cpe", csaf_take(w, tree, "cpe"));
	}
	csaf_kept(w, json_get(tree, "id"));
	csaf_kept(w, json_get(tree, "type"));
	csaf_wrote(w, p->part, to);
	return to;
}

/* A branch under `parent` (or the tree), with what it holds. */
static json *
add_branch(struct csaf_writing *w, json *parent, const char *category, struct slice name)
{
	json *list = json_get(parent, "branches"), *b = json_object(w->mem);

	if (list == NULL)
		list = json_put(w->mem, parent, "branches", json_list(w->mem));
	json_put_str(w->mem, b, "category", slice_of(category));
	json_put_str(w->mem, b, "name", name);
	return json_push(list, b);
}

static struct leaf
read_leaf(struct csaf_writing *w, const struct csaf_product_out *p)
{
	json *tree = p->part->tree;
	struct leaf l = { .vendor = csaf_take(w, tree, "vendor"), .name = csaf_take(w, tree, "name"),
	    .version = csaf_take(w, tree, "version"), .vendor_key = SLICE_EMPTY,
	    .name_key = SLICE_EMPTY };

	if (slice_is(p->part->o->type, "tool"))
		l.version = csaf_take(w, tree, "tool_version");
	if (l.name.n == 0)
		l.name = p->id;
	if (l.vendor.n > 0)
		l.vendor_key = l.vendor;
	if (l.version.n > 0)
		l.name_key = slice_of(arena_fmt(w->mem, "%.*s\n%.*s", SLICE_ARG(l.vendor),
		    SLICE_ARG(l.name)));
	return l;
}

/* Put one product where it belongs; branches are made by the first that needs them. */
static void
place(struct csaf_writing *w, json *tree, struct csaf_product_out *p, struct leaf *leaves,
    const struct idmap *vendors, const struct idmap *names)
{
	struct leaf *l = &leaves[p - w->products];
	json *parent = tree, *branch, *product = write_product(w, p, l);

	if (l->vendor.n == 0 && l->version.n == 0) {
		json *list = json_get(tree, "full_product_names");

		if (list == NULL)
			list = json_put(w->mem, tree, "full_product_names", json_list(w->mem));
		json_push(list, product);
		return;
	}
	if (l->vendor.n > 0) {
		struct leaf *first = &leaves[idmap_find(vendors, l->vendor_key)];

		if (first->vendor_branch == NULL)
			first->vendor_branch = add_branch(w, tree, "vendor", l->vendor);
		parent = first->vendor_branch;
	}
	if (l->version.n > 0) {
		struct leaf *first = &leaves[idmap_find(names, l->name_key)];

		if (first->name_branch == NULL)
			first->name_branch = add_branch(w, parent, "product_name", l->name);
		branch = add_branch(w, first->name_branch, csaf_is_range(w->mem, l->version) ?
		    "product_version_range" : "product_version", l->version);
	} else {
		branch = add_branch(w, parent, "product_name", l->name);
	}
	json_put(w->mem, branch, "product", product);
}

/* See csaf_write.h. */
void
csaf_write_products(struct csaf_writing *w)
{
	struct leaf *leaves = arena_alloc(w->mem, (w->nproducts + 1) * sizeof(*leaves));
	struct idmap vendors = { 0 }, names = { 0 };
	json *tree;

	tree = json_get(w->root, "product_tree");
	for (size_t i = 0; i < w->nproducts && tree == NULL; i++)
		if (!w->products[i].there)
			tree = json_put(w->mem, w->root, "product_tree", json_object(w->mem));
	for (size_t i = 0; i < w->nproducts; i++) {
		leaves[i] = read_leaf(w, &w->products[i]);
		idmap_add(&vendors, w->mem, leaves[i].vendor_key, i);
		idmap_add(&names, w->mem, leaves[i].name_key, i);
	}
	idmap_sort(&vendors);
	idmap_sort(&names);
	for (size_t i = 0; i < w->nproducts; i++)
		if (!w->products[i].there)
			place(w, tree, &w->products[i], leaves, &vendors, &names);
}
