/* misp_facts.c -- paths and values of observables and patterns. See misp_graph.h. */
#include "formats/misp_graph.h"
#include "formats/pattern.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { DEPTH_MAX = 12, FACTS_MAX = 20000 };

struct walk {
	struct misp_facts	*f;
	struct arena		*mem;
	object_find_fn		 find;
	void			*ctx;
	const json		*owner;
	unsigned		 depth;
};

static void	walk_members(struct walk *w, const json *o, struct strbuf *path);

void
misp_facts_add(struct misp_facts *f, struct arena *mem, struct misp_fact fact)
{
	if (f->n >= FACTS_MAX)
		return;
	f->v = arena_grow(mem, f->v, f->n, &f->cap, sizeof(*f->v));
	f->v[f->n++] = fact;
}

/* Append a step in the spelling of patterns. */
static void
add_step(struct strbuf *path, const char *name)
{
	bool plain = true;

	for (const char *p = name; *p != '\0'; p++)
		plain = plain && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    *p == '_' || (*p >= '0' && *p <= '9'));
	if (path->n > 0 && path->p[path->n - 1] != ':')
		strbuf_addc(path, '.');
	strbuf_addf(path, plain ? "%s" : "'%s'", name);
}

/* A scalar: one fact. */
static void
add_leaf(struct walk *w, const json *leaf, const struct strbuf *path)
{
	struct misp_fact fact = { .leaf = leaf, .owner = w->owner };

	fact.path = arena_slice(w->mem, strbuf_slice(path));
	if (json_is_number(leaf))
		fact.value = json_number_text(w->mem, leaf);
	else if (json_is_bool(leaf))
		fact.value = json_bool(leaf) ? SLICE_LIT("1") : SLICE_LIT("0");
	else
		fact.value = json_slice(leaf);
	misp_facts_add(w->f, w->mem, fact);
}

/* What stands behind a reference goes on with the path. */
static void
walk_ref(struct walk *w, const json *ref, struct strbuf *path)
{
	json *to = w->find(w->ctx, json_slice(ref));
	const json *owner = w->owner;

	if (to == NULL || w->depth >= DEPTH_MAX) {
		w->f->all = false;
		return;
	}
	w->owner = to;
	walk_members(w, to, path);
	w->owner = owner;
}

static void
walk_value(struct walk *w, const json *v, struct strbuf *path, bool ref)
{
	size_t had = path->n;

	if (json_is_list(v)) {
		strbuf_adds(path, "[*]");
		for (const json *k = json_first(v); k != NULL; k = json_next(k))
			walk_value(w, k, path, ref);
	} else if (ref && json_is_string(v)) {
		walk_ref(w, v, path);
	} else if (json_is_object(v)) {
		walk_members(w, v, path);
	} else {
		add_leaf(w, v, path);
	}
	strbuf_setlen(path, had);
}

/* Members that say what it is and who may see it are no facts. */
static bool
is_common(const char *name)
{
	static const char *const common[] = {
		"type", "id", "spec_version", "object_marking_refs", "granular_markings", "defanged",
		"is_multipart"
	};

	for (size_t i = 0; i < COUNTOF(common); i++)
		if (strcmp(name, common[i]) == 0)
			return true;
	return false;
}

static void
walk_members(struct walk *w, const json *o, struct strbuf *path)
{
	size_t had = path->n;

	w->depth++;
	for (const json *m = json_first(o); m != NULL; m = json_next(m)) {
		const char *name = json_name(m);

		if (is_common(name) || strcmp(name, MISP_EXT) == 0)
			continue;
		add_step(path, name);
		walk_value(w, m, path, slice_ends(slice_of(name), "_ref") ||
		    slice_ends(slice_of(name), "_refs"));
		strbuf_setlen(path, had);
	}
	w->depth--;
}

void
misp_facts_of_sco(
    struct misp_facts *f, struct arena *mem, const json *root, object_find_fn find, void *ctx)
{
	struct walk w = { .f = f, .mem = mem, .find = find, .ctx = ctx, .owner = root };
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%.*s:", SLICE_ARG(json_member(root, "type")));
	walk_members(&w, root, &path);
	strbuf_fini(&path);
}

/* ---- patterns ---- */

struct tests {
	struct misp_facts	*f;
	struct arena		*mem;
	bool			 alternatives;
};

/* The path with every index as [*]. */
static struct slice
path_of(struct tests *t, const struct pat_node *test)
{
	struct strbuf b = STRBUF_INIT;
	struct slice out;

	strbuf_addf(&b, "%.*s:", SLICE_ARG(test->object));
	for (size_t i = 0; i < test->npath; i++) {
		if (test->path[i].kind == PAT_STEP_NAME)
			add_step(&b, arena_str(t->mem, test->path[i].name));
		else
			strbuf_adds(&b, "[*]");
	}
	out = arena_slice(t->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

static void
add_test(struct tests *t, const struct pat_node *p)
{
	bool net = p->op == PAT_ISSUBSET && p->nvalues == 1;
	bool plain = !p->negated && (p->op == PAT_EQ || p->op == PAT_IN || net) && p->nvalues > 0;

	if (!plain) {
		t->f->all = false;
		return;
	}
	t->alternatives |= p->nvalues > 1;
	for (size_t i = 0; i < p->nvalues; i++) {
		struct misp_fact fact = { .path = path_of(t, p), .value = p->values[i].text };

		if (p->values[i].kind == PAT_HEX || p->values[i].kind == PAT_BINARY)
			t->f->all = false;
		/* what kind of address it is shows in the address */
		if (!slice_ends(fact.path, "_ref.type"))
			misp_facts_add(t->f, t->mem, fact);
	}
}

static void
add_tests(struct tests *t, const struct pat_node *p)
{
	size_t before = t->f->n;

	if (p->nquals > 0)
		t->f->all = false;
	switch (p->kind) {
	case PAT_TEST:
		add_test(t, p);
		return;
	case PAT_OR: case PAT_OBS_OR:
		t->alternatives = true;
		break;
	case PAT_OBS: case PAT_OBS_GROUP: case PAT_AND:
		break;
	case PAT_OBS_AND: case PAT_OBS_FOLLOWEDBY:
		t->f->all = false;
		break;
	}
	for (size_t i = 0; i < p->nkids; i++)
		add_tests(t, p->kids[i]);
	/* a choice between several things at once is more than a list of attributes can say */
	if (p->kind == PAT_AND && t->alternatives && t->f->n - before > 1)
		t->f->all = false;
}

void
misp_facts_of_pattern(
    struct misp_facts *f, struct arena *mem, const struct pat_node *p, bool *alternatives)
{
	struct tests t = { .f = f, .mem = mem };

	f->all = true;
	add_tests(&t, p);
	*alternatives = t.alternatives;
	for (size_t i = 1; i < f->n && t.alternatives; i++)
		if (!slice_eq(f->v[i].path, f->v[0].path))
			f->all = false;
}
