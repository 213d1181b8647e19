/* misp_facts.c -- paths and values of observables and patterns. See misp_graph.h. */
#include "formats/misp_graph.h"
#include "formats/observe.h"
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

/* The facts of one path: each of its values. */
static void
add_values(struct misp_facts *f, struct arena *mem, const struct sought *s)
{
	/* what kind of address it is shows in the address */
	if (slice_ends(s->loose, "_ref.type"))
		return;
	for (size_t i = 0; i < s->nvalues; i++) {
		if (s->values[i].kind == PAT_HEX || s->values[i].kind == PAT_BINARY)
			f->all = false;
		misp_facts_add(f, mem, (struct misp_fact){ .path = s->loose,
		    .value = s->values[i].text });
	}
}

/* A choice is one between values: between several things at once is more than a list of attributes says. */
void
misp_facts_of_pattern(
    struct misp_facts *f, struct arena *mem, const struct pat_node *p, bool *alternatives)
{
	const struct sought *s = observe_reduce(p, mem), *const * facts;
	size_t n;

	*alternatives = (s->has & SOUGHT_CHOICE) != 0;
	facts = observe_facts(&s, &n);
	f->all = facts != NULL && (s->has & ~(unsigned)SOUGHT_CHOICE) == 0 &&
	    (n == 1 || !*alternatives);
	for (size_t i = 0; f->all && i < n; i++)
		add_values(f, mem, facts[i]);
}
