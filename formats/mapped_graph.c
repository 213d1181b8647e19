/* mapped_graph.c -- a set of STIX objects that can be asked by id and by relationship. */
#include <stdlib.h>

#include "formats/mapped_impl.h"

/* Add an object; it is found after the next map_graph_settle. */
void
map_graph_add(struct map_graph *g, json *tree)
{
	g->v = arena_grow(g->mem, g->v, g->n, &g->cap, sizeof(*g->v));
	g->v[g->n] = tree;
	idmap_add(&g->ids, g->mem, json_member(tree, "id"), g->n);
	if (slice_is(json_member(tree, "type"), "relationship"))
		idmap_add(&g->rels, g->mem, json_member(tree, "source_ref"), g->n);
	if (slice_is(json_member(tree, "type"), "report"))
		for (const json *r = json_first(json_get(tree, "object_refs")); r != NULL;
		    r = json_next(r))
			idmap_add(&g->members, g->mem, json_slice(r), g->n);
	g->n++;
}

/* Sort the indexes. */
void
map_graph_settle(struct map_graph *g)
{
	idmap_sort(&g->ids);
	idmap_sort(&g->rels);
	idmap_sort(&g->members);
}

/* Return the object of an id (the first of several), or NULL. */
json *
map_graph_find(const struct map_graph *g, struct slice id)
{
	long i = id.n == 0 ? IDMAP_NONE : idmap_find(&g->ids, id);

	return i == IDMAP_NONE ? NULL : g->v[i];
}

/* Return the next relationship from an object, NULL at the end. */
json *
map_graph_rel(const struct map_graph *g, struct slice source, size_t *iter)
{
	const struct idmap *m = &g->rels;

	*iter = *iter == 0 ? idmap_place(m, source) + 1 : *iter + 1;
	if (*iter > m->n || !slice_eq(m->v[*iter - 1].id, source))
		return NULL;
	return g->v[m->v[*iter - 1].value];
}

/* Return the first report that holds an object, or NULL. */
json *
map_graph_holder(const struct map_graph *g, struct slice member)
{
	long i = member.n == 0 ? IDMAP_NONE : idmap_find(&g->members, member);

	return i == IDMAP_NONE ? NULL : g->v[i];
}

/* Note that a fact of target t came from a node. */
void
map_graph_saw(struct map_graph *g, enum map_target t, const json *node)
{
	if (g->wanted == NULL || !g->wanted[t] || node == NULL)
		return;
	g->seen = arena_grow(g->mem, g->seen, g->nseen, &g->seen_cap, sizeof(*g->seen));
	g->seen[g->nseen++] = node;
}

/* Order of addresses. */
static int
by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)*(const json *const *)a, y = (uintptr_t)*(const json *const *)b;

	return x < y ? -1 : x > y;
}

/* Sort what was seen. */
void
map_graph_settle_seen(struct map_graph *g)
{
	if (g->nseen > 0)
		qsort(g->seen, g->nseen, sizeof(*g->seen), by_address);
}

/* Has a fact come from this node? */
bool
map_graph_was_seen(const struct map_graph *g, const json *node)
{
	return g->nseen > 0 &&
	    bsearch(&node, g->seen, g->nseen, sizeof(*g->seen), by_address) != NULL;
}
