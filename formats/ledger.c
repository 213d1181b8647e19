/* ledger.c -- see ledger.h. */
#include "formats/ledger.h"

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { FIRST_SIZE = 64 };

struct mark {
	const json	*node;		/* NULL: a free place */
	enum loss_kind	 kind;
	const char	*note;
};

/* Marks by the address of their node. Addresses come from our arena, never from a sender. */
struct ledger {
	struct arena	*mem;
	struct mark	*v;
	size_t		 n, size;	/* size: a power of two, never more than half full */
};

/* What holds for a leaf. */
struct verdict_of {
	enum loss_kind	 kind;
	const char	*note;
};

struct ledger *
ledger_new(struct arena *mem)
{
	struct ledger *l = arena_alloc(mem, sizeof(*l));

	l->mem = mem;
	l->size = FIRST_SIZE;
	l->v = arena_alloc(mem, l->size * sizeof(*l->v));
	return l;
}

/* Return where the mark of a node is, or the free place for it. */
static struct mark *
find(const struct ledger *l, const json *node)
{
	uint64_t h = (uint64_t)(uintptr_t)node * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(h >> 20) & (l->size - 1);

	while (l->v[at].node != NULL && l->v[at].node != node)
		at = (at + 1) & (l->size - 1);
	return &l->v[at];
}

/* Make room for twice as many marks. */
static void
grow(struct ledger *l)
{
	struct ledger larger = { .mem = l->mem, .size = 2 * l->size };

	larger.v = arena_alloc(l->mem, larger.size * sizeof(*larger.v));
	for (size_t i = 0; i < l->size; i++)
		if (l->v[i].node != NULL)
			*find(&larger, l->v[i].node) = l->v[i];
	l->v = larger.v;
	l->size = larger.size;
}

void
ledger_mark(struct ledger *l, const json *node, enum loss_kind kind, const char *note)
{
	struct mark *m;

	if (node == NULL)
		return;
	if (2 * (l->n + 1) > l->size)
		grow(l);
	m = find(l, node);
	l->n += m->node == NULL;
	*m = (struct mark){ node, kind, note };
}

json *
ledger_take(struct ledger *l, const json *o, const char *name, enum loss_kind kind)
{
	json *m = json_get(o, name);

	ledger_mark(l, m, kind, NULL);
	return m;
}

/* Return what holds for `node` below something of which `above` holds. */
static struct verdict_of
judge(const struct ledger *l, const json *node, struct verdict_of above)
{
	const struct mark *m = find(l, node);

	return m->node == NULL ? above : (struct verdict_of){ m->kind, m->note };
}

/* ---- the account ---- */

static void
account(const struct ledger *l, struct loss *loss, const json *node, struct strbuf *path,
    struct verdict_of v)
{
	size_t had = path->n, i = 0;

	if (json_first(node) == NULL) {
		loss_add(loss, v.kind, path->n == 0 ? "" : path->p, v.note);
		return;
	}
	for (const json *m = json_first(node); m != NULL; m = json_next(m), i++) {
		if (json_name(m) == NULL)
			strbuf_addf(path, "[%zu]", i);
		else
			strbuf_addf(path, "%s%s", had > 0 ? "/" : "", json_name(m));
		account(l, loss, m, path, judge(l, m, v));
		strbuf_setlen(path, had);
	}
}

void
ledger_account(const struct ledger *l, struct loss *loss, const json *top, const char *prefix,
    enum loss_kind otherwise, const char *note)
{
	struct strbuf path = STRBUF_INIT;

	if (loss == NULL || top == NULL)
		return;
	strbuf_adds(&path, prefix);
	account(l, loss, top, &path, judge(l, top, (struct verdict_of){ otherwise, note }));
	strbuf_fini(&path);
}

/* ---- the rest ---- */

static json	*rest_of(const struct ledger *l, struct arena *mem, const json *node,
		    struct verdict_of v);

/* Return the members of an object of which something is left; NULL if of none. */
static json *
rest_of_object(const struct ledger *l, struct arena *mem, const json *o, struct verdict_of v)
{
	json *rest = NULL;

	for (const json *m = json_first(o); m != NULL; m = json_next(m)) {
		json *left = rest_of(l, mem, m, judge(l, m, v));

		if (left == NULL)
			continue;
		if (rest == NULL)
			rest = json_object(mem);
		json_append(mem, rest, json_name(m), left);
	}
	return rest;
}

/* Return a list with all places, null where nothing is left; NULL if nothing is left at all. */
static json *
rest_of_list(const struct ledger *l, struct arena *mem, const json *list, struct verdict_of v)
{
	json *rest = json_list(mem);
	bool any = false;

	for (const json *m = json_first(list); m != NULL; m = json_next(m)) {
		json *left = rest_of(l, mem, m, judge(l, m, v));

		any = any || left != NULL;
		json_push(rest, left != NULL ? left : json_null(mem));
	}
	return any ? rest : NULL;
}

static json *
rest_of(const struct ledger *l, struct arena *mem, const json *node, struct verdict_of v)
{
	if (json_first(node) == NULL)
		return v.kind == LOSS_KEPT || v.kind == LOSS_DROPPED ? NULL : json_copy(mem, node);
	if (json_is_list(node))
		return rest_of_list(l, mem, node, v);
	return rest_of_object(l, mem, node, v);
}

json *
ledger_rest(const struct ledger *l, struct arena *mem, const json *top)
{
	return top == NULL ? NULL :
	    rest_of(l, mem, top, judge(l, top, (struct verdict_of){ LOSS_MOVED, NULL }));
}

/* ---- the way back ---- */

/* Scalars, and what has nothing in it, are replaced as a whole. */
static bool
is_leaf(const json *node)
{
	return json_first(node) == NULL;
}

static void
restore_list(struct arena *mem, json *into, const json *rest, bool exact)
{
	json *have = json_first(into), *next;

	if (json_count(into) != json_count(rest))
		return;
	for (const json *m = json_first(rest); m != NULL; m = json_next(m), have = next) {
		next = json_next(have);
		if (json_is_null(m))
			continue;
		if (!is_leaf(m) && !is_leaf(have))
			ledger_restore(mem, have, m, exact);
		else if (exact)
			json_replace(into, have, json_copy(mem, m));
	}
}

static void
restore_object(struct arena *mem, json *into, const json *rest, bool exact)
{
	json *added = json_object(mem), *m, *next;

	/* What is added is not looked through again: a rest may be large. */
	for (const json *r = json_first(rest); r != NULL; r = json_next(r)) {
		json *have = json_get(into, json_name(r));

		if (have == NULL)
			json_append(mem, added, json_name(r), json_copy(mem, r));
		else if (!is_leaf(r) && !is_leaf(have))
			ledger_restore(mem, have, r, exact);
		else if (exact)
			json_put(mem, into, json_name(r), json_copy(mem, r));
	}
	for (m = json_first(added); m != NULL; m = next) {
		next = json_next(m);
		json_detach(added, m);
		json_append(mem, into, json_name(m), m);
	}
}

void
ledger_restore(struct arena *mem, json *into, const json *rest, bool exact)
{
	if (json_is_object(into) && json_is_object(rest))
		restore_object(mem, into, rest, exact);
	else if (json_is_list(into) && json_is_list(rest))
		restore_list(mem, into, rest, exact);
}
