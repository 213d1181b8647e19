/* misp_graph.c -- observables from paths and values. See misp_graph.h. */
#include <stdlib.h>

#include "formats/misp_graph.h"
#include "formats/sco.h"
#include "formats/stix21_check.h"
#include "formats/value.h"
#include "gateway/base/arena.h"

enum { STEPS_MAX = 8, KIDS_MAX = 10000 };

/* One observable on its way. */
struct node {
	json		*tree;
	struct slice	 id;
	/* who refers to it: put into `in` under `prop` when the id is known */
	struct node	*parent;
	json		*in;
	const char	*prop;
	bool		 list;
};

struct misp_graph {
	struct arena	*mem;
	struct slice	 root_type;	/* as asked for */
	struct node	*root;
	struct node	**v;		/* all, parents first */
	size_t		 n, cap;
};

struct step {
	const char	*name;
	bool		 list;
};

/* Types that a reference leads to; what is not listed is told by the value. */
static const struct { const char *prop, *type; } targets[] = {
	{ "from_ref", "email-addr" }, { "sender_ref", "email-addr" }, { "to_refs", "email-addr" },
	{ "cc_refs", "email-addr" }, { "bcc_refs", "email-addr" }, { "body_raw_ref", "file" },
	{ "parent_directory_ref", "directory" }, { "content_ref", "artifact" },
	{ "image_ref", "file" }, { "parent_ref", "process" }, { "child_refs", "process" }
};

static struct node *
new_node(struct misp_graph *g, struct slice type)
{
	struct node *n = arena_alloc(g->mem, sizeof(*n));

	n->tree = json_object(g->mem);
	json_put_str(g->mem, n->tree, "type", type);
	json_put_str(g->mem, n->tree, "spec_version", SLICE_LIT("2.1"));
	g->v = arena_grow(g->mem, g->v, g->n, &g->cap, sizeof(struct node *));
	g->v[g->n++] = n;
	return n;
}

struct misp_graph *
misp_graph_new(struct arena *mem, const char *root)
{
	struct misp_graph *g = arena_alloc(mem, sizeof(*g));

	g->mem = mem;
	g->root_type = slice_of(root);
	return g;
}

/* The type of an address or name; NULL if it is neither. */
static const char *
type_of_value(struct arena *mem, struct slice value)
{
	struct slice out;

	if (value_ip(4, value, mem, &out))
		return "ipv4-addr";
	if (value_ip(6, value, mem, &out))
		return "ipv6-addr";
	if (value_normalise(VALUE_MAC, value, mem, &out))
		return "mac-addr";
	return value_domain(value, mem, &out) ? "domain-name" : NULL;
}

/* The type that a reference leads to; NULL if it cannot be told. */
static const char *
type_of_target(struct misp_graph *g, const char *prop, struct slice value)
{
	for (size_t i = 0; i < COUNTOF(targets); i++)
		if (strcmp(prop, targets[i].prop) == 0)
			return targets[i].type;
	return type_of_value(g->mem, value);
}

/* Take "file:hashes.'SHA-256'" apart; the number of steps behind the type, 0 if it has too many. */
static size_t
cut_path(struct misp_graph *g, const char *path, struct slice *type, struct step *steps)
{
	struct slice rest = slice_of(path);
	size_t n = 0;

	*type = slice_cut(&rest, ':');
	while (rest.n > 0 && n < STEPS_MAX) {
		size_t len = 0;
		struct slice name;

		if (rest.p[0] == '\'') {
			const char *end = memchr(rest.p + 1, '\'', rest.n - 1);

			if (end == NULL)
				return 0;
			name = slice_from(rest.p + 1, (size_t)(end - rest.p) - 1);
			len = name.n + 2;
		} else {
			while (len < rest.n && rest.p[len] != '.' && rest.p[len] != '[')
				len++;
			name = slice_from(rest.p, len);
		}
		steps[n].name = arena_str(g->mem, name);
		rest = slice_from(rest.p + len, rest.n - len);
		steps[n].list = rest.n >= 3 && rest.p[0] == '[';
		if (steps[n].list)
			rest = slice_from(rest.p + 3, rest.n - 3);
		if (rest.n > 0)
			rest = slice_from(rest.p + 1, rest.n - 1);
		n++;
	}
	return rest.n > 0 ? 0 : n;
}

/* The observable behind a reference: the one there is, or a new one. */
static struct node *
follow(struct misp_graph *g, struct node *from, json *in, const struct step *step,
    const struct step *next, struct slice value)
{
	struct node *last = NULL;
	const char *type;
	size_t kids = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->v[i]->parent != from || g->v[i]->in != in ||
		    strcmp(g->v[i]->prop, step->name) != 0)
			continue;
		last = g->v[i];
		kids++;
	}
	if (last != NULL && (!step->list || json_get(last->tree, next->name) == NULL))
		return last;
	type = type_of_target(g, step->name, value);
	if (type == NULL || kids >= KIDS_MAX)
		return NULL;
	last = new_node(g, slice_of(type));
	last->parent = from;
	last->in = in;
	last->prop = step->name;
	last->list = step->list;
	return last;
}

/* The object in a list that lacks a member, or a new one. */
static json *
element_without(struct misp_graph *g, json *in, const struct step *step, const struct step *next)
{
	json *list = json_get(in, step->name), *last = NULL;

	if (list == NULL)
		list = json_put(g->mem, in, step->name, json_list(g->mem));
	for (json *k = json_first(list); k != NULL; k = json_next(k))
		last = k;
	if (last == NULL || json_get(last, next->name) != NULL ||
	    strcmp(next->name, "body_raw_ref") == 0)
		last = json_push(list, json_object(g->mem));
	return last;
}

/* The value as the property wants it. */
static json *
leaf_of(struct misp_graph *g, enum misp_value kind, struct slice value)
{
	unsigned long long n;

	switch (kind) {
	case MISP_PORT: case MISP_NUMBER: case MISP_ASN:
		return slice_u64(value, &n) && n <= INT64_MAX ? json_integer(g->mem, (int64_t)n) :
		    NULL;
	case MISP_FLOAT:
		return json_raw(g->mem, value);
	case MISP_BOOL:
		return json_boolean(g->mem, slice_is(value, "1") || slice_is_nocase(value, "true"));
	default:
		return json_string(g->mem, value);
	}
}

/* Put the leaf where the last step says; false if something is there already. */
static bool
put_leaf(struct misp_graph *g, json *in, const struct step *step, json *leaf)
{
	json *there = json_get(in, step->name);

	if (leaf == NULL)
		return false;
	if (!step->list) {
		if (there != NULL)
			return false;
		json_put(g->mem, in, step->name, leaf);
		return true;
	}
	if (there == NULL)
		there = json_put(g->mem, in, step->name, json_list(g->mem));
	if (json_count(there) >= KIDS_MAX)
		return false;
	for (json *k = json_first(there); k != NULL; k = json_next(k))
		if (json_equal(k, leaf))
			return true;
	json_push(there, leaf);
	return true;
}

static bool
is_ref(const char *name)
{
	return slice_ends(slice_of(name), "_ref") || slice_ends(slice_of(name), "_refs");
}

/* The root, made when the first value tells its type. */
static bool
open_root(struct misp_graph *g, struct slice type, struct slice value)
{
	const char *told;

	if (g->root == NULL) {
		if (!slice_eq(type, g->root_type))
			return false;
		if (slice_is(type, "ip-addr")) {
			if ((told = type_of_value(g->mem, value)) == NULL)
				return false;
			type = slice_of(told);
		}
		g->root = new_node(g, type);
		return true;
	}
	return slice_eq(type, json_member(g->root->tree, "type"));
}

bool
misp_graph_set(struct misp_graph *g, const struct misp_path *p, struct slice value)
{
	struct step steps[STEPS_MAX];
	struct slice type;
	size_t n = cut_path(g, p->path, &type, steps);
	struct node *at;
	json *in;

	if (n == 0 || !open_root(g, type, value))
		return false;
	at = g->root;
	in = at->tree;
	for (size_t i = 0; i + 1 < n; i++) {
		if (is_ref(steps[i].name)) {
			at = follow(g, at, in, &steps[i], &steps[i + 1], value);
			if (at == NULL)
				return false;
			in = at->tree;
		} else if (steps[i].list) {
			in = element_without(g, in, &steps[i], &steps[i + 1]);
		} else {
			json *next = json_get(in, steps[i].name);

			in = next != NULL ? next :
			    json_put(g->mem, in, steps[i].name, json_object(g->mem));
		}
	}
	return put_leaf(g, in, &steps[n - 1], leaf_of(g, p->value, value));
}

struct slice
misp_graph_root(const struct misp_graph *g)
{
	return g->root == NULL ? SLICE_EMPTY : json_member(g->root->tree, "type");
}

/* ---- taking the trees ---- */

/* What the standard requires and no value said. */
static void
complete(struct misp_graph *g, json *tree)
{
	struct slice type = json_member(tree, "type");

	if (slice_is(type, "network-traffic") && json_get(tree, "protocols") == NULL)
		json_push(json_put(g->mem, tree, "protocols", json_list(g->mem)),
		    json_string(g->mem, SLICE_LIT("tcp")));
	if (slice_is(type, "email-message"))
		json_put_bool(
		    g->mem, tree, "is_multipart", json_get(tree, "body_multipart") != NULL);
}

static void
on_issue(void *ctx, const struct stix21_issue *issue)
{
	*(bool *)ctx |= issue->must;
}

/* True if the standard allows the observable. */
static bool
is_sound(struct misp_graph *g, json *tree)
{
	struct object o = { .tree = tree };
	bool bad = object_fill(&o, g->mem, NULL, NULL, NULL) < 0;

	if (!bad)
		stix21_check(
		    &o, g->mem, &(struct stix21_check){ .report = on_issue, .report_ctx = &bad });
	return !bad;
}

/* Tell who refers to it. */
static void
link_up(struct misp_graph *g, struct node *n)
{
	json *id = json_string(g->mem, n->id), *list;

	if (n->parent == NULL)
		return;
	if (!n->list) {
		json_put(g->mem, n->in, n->prop, id);
		return;
	}
	list = json_get(n->in, n->prop);
	if (list == NULL)
		list = json_put(g->mem, n->in, n->prop, json_list(g->mem));
	for (json *k = json_first(list); k != NULL; k = json_next(k))
		if (json_equal(k, id))
			return;
	json_push(list, id);
}

json **
misp_graph_trees(struct misp_graph *g, struct slice seed, size_t *n)
{
	json **out = arena_alloc(g->mem, (g->n + 1) * sizeof(*out));

	*n = 0;
	for (size_t i = g->n; i-- > 0;) {
		struct node *at = g->v[i];
		struct slice type = json_member(at->tree, "type");
		json *tree;

		complete(g, at->tree);
		at->id = sco_id(g->mem, at->tree);
		if (at->id.n == 0)
			at->id = slice_of(arena_fmt(g->mem, "%.*s--%.*s", SLICE_ARG(type),
			    SLICE_ARG(MISP_UUID(g->mem, "observable", seed,
				slice_of(arena_fmt(g->mem, "%zu", i))))));
		tree = json_object(g->mem);
		json_put_str(g->mem, tree, "type", type);
		json_put_str(g->mem, tree, "spec_version", SLICE_LIT("2.1"));
		json_put_str(g->mem, tree, "id", at->id);
		for (json *m = json_first(at->tree); m != NULL; m = json_next(m))
			if (json_get(tree, json_name(m)) == NULL)
				json_put(g->mem, tree, json_name(m), json_copy(g->mem, m));
		if (!is_sound(g, tree))
			return NULL;
		out[(*n)++] = tree;
		link_up(g, at);
	}
	return *n == 0 ? NULL : out;
}
