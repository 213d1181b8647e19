/* csaf_test_products.c -- tests 1 to 5, 13, 25 and 31: what the product tree defines, and once. */
#include "formats/csaf_test.h"
#include "gateway/base/arena.h"

/* Packages: "pkg:type/namespace/name@version?qualifiers#subpath", with a type and a name. */
static bool
is_purl(struct slice s)
{
	struct slice rest, type;
	const char *at;

	if (!slice_starts(s, "pkg:"))
		return false;
	rest = slice_from(s.p + 4, s.n - 4);
	rest = slice_cut(&rest, '#');
	rest = slice_cut(&rest, '?');
	type = slice_cut(&rest, '/');
	for (size_t i = 0; i < type.n; i++) {
		char c = type.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
		    c == '+' || (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	while (rest.n > 0 && rest.p[rest.n - 1] == '/')
		rest.n--;
	if ((at = memrchr(rest.p, '@', rest.n)) != NULL && at > rest.p && at[-1] != '/')
		rest.n = (size_t)(at - rest.p);
	at = memrchr(rest.p, '/', rest.n);
	if (at != NULL)
		rest = slice_from(at + 1, (size_t)(rest.p + rest.n - at) - 1);
	return type.n > 0 && rest.n > 0 && rest.p[0] != '@';
}

/* Test 25: algorithms are told apart without case. */
static void
test_hashes(struct csaf_testing *t, const json *helper)
{
	size_t i = 0;

	for (const json *h = json_first(json_get(helper, "hashes")); h != NULL; h = json_next(h), i++) {
		struct idmap seen = { 0 };
		size_t k = 0, at = csaf_enter_at(t, "hashes", i);

		for (const json *f = json_first(json_get(h, "file_hashes")); f != NULL; f = json_next(f))
			idmap_add(&seen, t->mem, json_member(f, "algorithm"), k++);
		idmap_sort(&seen);
		for (k = 1; k < seen.n; k++) {
			size_t in;

			if (!slice_eq(seen.v[k].id, seen.v[k - 1].id))
				continue;
			in = csaf_enter_at(t, "file_hashes", seen.v[k].value);
			csaf_fail(t, T_DOUBLE_HASH, NULL);
			csaf_leave(t, in);
		}
		csaf_leave(t, at);
	}
}

/* Test 2, once it is known that some id stands there twice: is it this one? */
static void
test_double(struct csaf_testing *t, struct slice id)
{
	struct csaf_product *p = csaf_product_find(t, id);

	if (p == NULL)
		return;
	if (p->mask != 0)
		csaf_fail(t, T_DOUBLE_PRODUCT, "product_id");
	p->mask = 1;
}

/* Take a product that is defined here into the index; or look for doubles, the second time. */
static void
add_product(struct csaf_testing *t, const json *product, const json *relationship)
{
	const json *helper = json_get(product, "product_identification_helper");
	const json *purl = json_get(helper, "purl");
	struct slice id = json_member(product, "product_id");
	size_t at;

	if (t->again) {
		test_double(t, id);
		return;
	}
	if (id.n > 0) {
		t->products = arena_grow(t->mem, t->products, t->nproducts, &t->products_cap,
		    sizeof(*t->products));
		t->products[t->nproducts] = (struct csaf_product){ .id = id, .relationship = relationship };
		idmap_add(&t->by_id, t->mem, id, t->nproducts++);
	}
	if (helper == NULL)
		return;
	at = csaf_enter(t, "product_identification_helper");
	if (json_is_string(purl) && !is_purl(json_slice(purl)))
		csaf_fail(t, T_BAD_PURL, "purl");
	test_hashes(t, helper);
	csaf_leave(t, at);
}

/* Go through branches of branches. */
static void
walk_branches(struct csaf_testing *t, const json *list)
{
	size_t i = 0;

	for (const json *b = json_first(list); b != NULL; b = json_next(b), i++) {
		size_t at = csaf_enter_at(t, "branches", i), in;

		if (!t->again && slice_is(json_member(b, "category"), "product_version") &&
		    csaf_is_range(t->mem, json_member(b, "name")))
			csaf_fail(t, T_VERSION_RANGE, "name");
		in = csaf_enter(t, "product");
		if (json_is_object(json_get(b, "product")))
			add_product(t, json_get(b, "product"), NULL);
		csaf_leave(t, in);
		walk_branches(t, json_get(b, "branches"));
		csaf_leave(t, at);
	}
}

/* Go through all places that define products. */
static void
walk_products(struct csaf_testing *t, const json *tree)
{
	const json *v;
	size_t i = 0;

	walk_branches(t, json_get(tree, "branches"));
	for (v = json_first(json_get(tree, "full_product_names")); v != NULL; v = json_next(v)) {
		size_t at = csaf_enter_at(t, "full_product_names", i++);

		add_product(t, v, NULL);
		csaf_leave(t, at);
	}
	i = 0;
	for (v = json_first(json_get(tree, "relationships")); v != NULL; v = json_next(v)) {
		size_t at = csaf_enter_at(t, "relationships", i++);
		size_t in = csaf_enter(t, "full_product_name");

		add_product(t, json_get(v, "full_product_name"), v);
		csaf_leave(t, in);
		csaf_leave(t, at);
	}
}

/* Index all products, then all groups. */
static void
collect(struct csaf_testing *t, const json *tree)
{
	walk_products(t, tree);
	for (const json *v = json_first(json_get(tree, "product_groups")); v != NULL; v = json_next(v)) {
		t->groups = arena_grow(t->mem, t->groups, t->ngroups, &t->groups_cap, sizeof(*t->groups));
		t->groups[t->ngroups] = (struct csaf_group){ json_member(v, "group_id"),
		    json_get(v, "product_ids") };
		idmap_add(&t->by_group, t->mem, t->groups[t->ngroups].id, t->ngroups);
		t->ngroups++;
	}
	idmap_sort(&t->by_id);
	idmap_sort(&t->by_group);
}

/* Tests 2 and 5: an id that an index holds twice. */
static void
test_doubles(struct csaf_testing *t, const json *tree)
{
	bool doubles = false;

	for (size_t i = 1; i < t->by_id.n; i++)
		doubles = doubles || slice_eq(t->by_id.v[i].id, t->by_id.v[i - 1].id);
	t->again = true;
	if (doubles)
		walk_products(t, tree);
	t->again = false;
	for (size_t i = 0; i < t->nproducts; i++)
		t->products[i].mask = 0;
	for (size_t i = 1; i < t->by_group.n; i++) {
		size_t at;

		if (!slice_eq(t->by_group.v[i].id, t->by_group.v[i - 1].id))
			continue;
		at = csaf_enter_at(t, "product_groups", t->by_group.v[i].value);
		csaf_fail(t, T_DOUBLE_GROUP, "group_id");
		csaf_leave(t, at);
	}
}

/* Tests 1 and 4: a list of ids under `name`. */
static void
test_ids(struct csaf_testing *t, const json *o, const char *name, const struct idmap *known,
    enum csaf_test which)
{
	size_t i = 0;

	for (const json *v = json_first(json_get(o, name)); v != NULL; v = json_next(v), i++) {
		size_t at;

		if (!json_is_string(v) || idmap_find(known, json_slice(v)) != IDMAP_NONE)
			continue;
		at = csaf_enter_at(t, name, i);
		csaf_fail(t, which, NULL);
		csaf_leave(t, at);
	}
}

/* The same for every element of a list that names products and groups. */
static void
test_ids_of(struct csaf_testing *t, const json *o, const char *name)
{
	size_t i = 0;

	for (const json *v = json_first(json_get(o, name)); v != NULL; v = json_next(v), i++) {
		size_t at = csaf_enter_at(t, name, i);

		test_ids(t, v, "product_ids", &t->by_id, T_UNDEFINED_PRODUCT);
		test_ids(t, v, "products", &t->by_id, T_UNDEFINED_PRODUCT);
		test_ids(t, v, "group_ids", &t->by_group, T_UNDEFINED_GROUP);
		csaf_leave(t, at);
	}
}

/* Tests 1 and 4 within the tree. */
static void
test_tree_references(struct csaf_testing *t, const json *tree)
{
	static const char *const ends[] = { "product_reference", "relates_to_product_reference" };
	size_t i = 0;

	test_ids_of(t, tree, "product_groups");
	for (const json *v = json_first(json_get(tree, "relationships")); v != NULL; v = json_next(v)) {
		size_t at = csaf_enter_at(t, "relationships", i++);

		for (size_t k = 0; k < COUNTOF(ends); k++)
			if (json_is_string(json_get(v, ends[k])) &&
			    csaf_product_find(t, json_member(v, ends[k])) == NULL)
				csaf_fail(t, T_UNDEFINED_PRODUCT, ends[k]);
		csaf_leave(t, at);
	}
}

/* Tests 1 and 4 within the vulnerabilities. */
static void
test_references(struct csaf_testing *t)
{
	static const char *const lists[] = { "flags", "remediations", "scores", "threats" };
	size_t i = 0;

	for (const json *v = json_first(t->vulnerabilities); v != NULL; v = json_next(v)) {
		size_t at = csaf_enter_at(t, "vulnerabilities", i++);
		size_t in = csaf_enter(t, "product_status");

		for (size_t s = 0; s < CSAF_STATUSES; s++)
			test_ids(t, json_get(v, "product_status"), csaf_statuses[s].word, &t->by_id,
			    T_UNDEFINED_PRODUCT);
		csaf_leave(t, in);
		for (size_t k = 0; k < COUNTOF(lists); k++)
			test_ids_of(t, v, lists[k]);
		csaf_leave(t, at);
	}
}

/* The product that the k-th end of a defining relationship names. */
static struct csaf_product *
end_of(const struct csaf_testing *t, const struct csaf_product *p, unsigned k)
{
	return csaf_product_find(t, json_member(p->relationship,
	    k == 0 ? "product_reference" : "relates_to_product_reference"));
}

/* Test 3 from one product on: a walk without recursion; `mask` is 1 on the way, 2 when done. */
static void
test_cycle(struct csaf_testing *t, struct csaf_product *start, struct csaf_product **stack,
    unsigned char *next)
{
	size_t n = 1;

	stack[0] = start;
	next[0] = 0;
	start->mask = 1;
	while (n > 0) {
		struct csaf_product *p = stack[n - 1], *end;

		if (p->relationship == NULL || next[n - 1] == 2) {
			p->mask = 2;
			n--;
			continue;
		}
		end = end_of(t, p, next[n - 1]++);
		if (end == NULL || end->mask == 2)
			continue;
		if (end->mask == 1) {
			csaf_fail(t, T_CIRCULAR_PRODUCT, NULL);
			end->mask = 2;
			continue;
		}
		end->mask = 1;
		stack[n] = end;
		next[n++] = 0;
	}
}

/* Test 3. */
static void
test_cycles(struct csaf_testing *t, const json *tree)
{
	struct csaf_product **stack = arena_alloc(t->mem, (t->nproducts + 1) * sizeof(*stack));
	unsigned char *next = arena_alloc(t->mem, t->nproducts + 1);
	size_t i = 0;

	for (const json *v = json_first(json_get(tree, "relationships")); v != NULL;
	    v = json_next(v), i++) {
		struct csaf_product *p = csaf_product_find(t,
		    json_member(json_get(v, "full_product_name"), "product_id"));
		size_t at = csaf_enter_at(t, "relationships", i);

		if (p != NULL && p->mask == 0)
			test_cycle(t, p, stack, next);
		csaf_leave(t, at);
	}
	for (i = 0; i < t->nproducts; i++)
		t->products[i].mask = 0;
}

void
csaf_test_products(struct csaf_testing *t)
{
	const json *tree = json_get(t->root, "product_tree");
	size_t at = csaf_enter(t, "product_tree");

	collect(t, tree);
	test_tree_references(t, tree);
	csaf_leave(t, at);
	test_references(t);
	at = csaf_enter(t, "product_tree");
	test_doubles(t, tree);
	test_cycles(t, tree);
	csaf_leave(t, at);
}
