/*
 * flat_index.c -- who is who around the objects that went by: names, and what points at what.
 *
 *	indicator --indicates--> malware, actor, campaign, ...      report --object_refs--> indicator
 *	sighting --sighting_of_ref--> indicator
 *
 * An entry an id, whether or not its object came by yet: a relationship may stand before both ends.
 */
#include <stdlib.h>

#include "formats/flat_impl.h"
#include "gateway/base/arena.h"
#include "gateway/base/siphash.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

enum { INDEX_START = 256, INDEX_MAX = 200000, LINKS_SHOWN = 20 };

struct entry {
	struct slice	 id, name;	/* name: empty until its object came by */
	bool		 c2, anonymization;	/* infrastructure */
	struct slice	 first_seen, last_seen;
	struct link	*links;		/* newest first */
};

struct link {
	struct link	*next;
	struct entry	*to;		/* what is indicated, or the container */
	bool		 container;
};

struct flat_index {
	struct arena	*mem;
	struct entry	**v;		/* open addressing */
	size_t		 n, cap, max, links;
	struct siphash_key key;		/* whoever names things chooses no places */
};

struct flat_index *
flat_index_new(size_t max)
{
	struct flat_index *x = xcalloc(1, sizeof(*x));

	x->mem = arena_new();
	x->key = siphash_key_new();
	x->cap = INDEX_START;
	x->v = xcalloc(x->cap, sizeof(struct entry *));
	x->max = max == 0 ? INDEX_MAX : max;
	return x;
}

void
flat_index_free(struct flat_index *x)
{
	if (x == NULL)
		return;
	arena_free(x->mem);
	free(x->v);
	free(x);
}

static struct entry **
slot(const struct siphash_key *key, struct entry **v, size_t cap, struct slice id)
{
	size_t i = (size_t)siphash(key, id) & (cap - 1);

	while (v[i] != NULL && !slice_eq(v[i]->id, id))
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static void
grow(struct flat_index *x)
{
	size_t cap = x->cap * 2;
	struct entry **v = xcalloc(cap, sizeof(struct entry *));

	for (size_t i = 0; i < x->cap; i++)
		if (x->v[i] != NULL)
			*slot(&x->key, v, cap, x->v[i]->id) = x->v[i];
	free(x->v);
	x->v = v;
	x->cap = cap;
}

static const struct entry *
find(const struct flat_index *x, struct slice id)
{
	return *slot(&x->key, x->v, x->cap, id);
}

/* The entry, made if need be; NULL when the index is full. */
static struct entry *
get(struct flat_index *x, struct slice id)
{
	struct entry **at;

	if (x->n * 2 >= x->cap)
		grow(x);
	at = slot(&x->key, x->v, x->cap, id);
	if (*at == NULL && x->n < x->max && id.n > 0 && id.n <= FLAT_NAME_MAX) {
		*at = arena_alloc(x->mem, sizeof(**at));
		(*at)->id = arena_slice(x->mem, id);
		x->n++;
	}
	return *at;
}

/* --- what an object tells -------------------------------------------------------------------- */

static void
add_link(struct flat_index *x, struct slice from, struct slice to, bool container)
{
	struct entry *a = get(x, from), *b = get(x, to);
	struct link *l;

	if (a == NULL || b == NULL || x->links >= x->max)
		return;
	l = arena_alloc(x->mem, sizeof(*l));
	*l = (struct link){ a->links, b, container };
	a->links = l;
	x->links++;
}

static void
add_container(struct flat_index *x, const struct object *o, const json *tree)
{
	const json *refs = json_get(tree, "object_refs");

	for (json *i = json_first(refs); i != NULL && json_is_list(refs); i = json_next(i))
		if (slice_starts(json_slice(i), "indicator--"))
			add_link(x, json_slice(i), o->id, true);
}

/* The earlier, or the later, of two timestamps as written. */
static void
widen(struct flat_index *x, struct slice *have, struct slice now, bool earlier)
{
	int64_t a, b;

	if (now.n > FLAT_NAME_MAX || !stamp_parse(now, &b))
		return;
	if (have->n == 0 || (stamp_parse(*have, &a) && (earlier ? b < a : b > a)))
		*have = arena_slice(x->mem, now);
}

static void
add_sighting(struct flat_index *x, const json *tree)
{
	struct entry *e = get(x, json_member(tree, "sighting_of_ref"));

	if (e == NULL)
		return;
	widen(x, &e->first_seen, json_member(tree, "first_seen"), true);
	widen(x, &e->last_seen, json_member(tree, "last_seen"), false);
}

static void
add_name(struct flat_index *x, const struct object *o, const json *tree)
{
	const json *types = json_get(tree, "infrastructure_types");
	struct slice name = json_member(tree, "name");
	struct strbuf line = STRBUF_INIT;
	struct entry *e = name.n == 0 ? NULL : get(x, o->id);

	if (e == NULL)
		return;
	flat_line(&line, name, FLAT_NAME_MAX);
	e->name = arena_slice(x->mem, slice_trim(strbuf_slice(&line)));
	strbuf_fini(&line);
	for (json *i = json_first(types); i != NULL && json_is_list(types); i = json_next(i)) {
		e->c2 = e->c2 || slice_is(json_slice(i), "command-and-control");
		e->anonymization = e->anonymization || slice_is(json_slice(i), "anonymization");
	}
}

/* Types whose objects tell something here; of all others a name would only take room. */
static bool
is_told(struct slice type)
{
	static const char *const told[] = {
		"identity", "malware", "tool", "threat-actor", "intrusion-set", "campaign",
		"attack-pattern", "infrastructure", "vulnerability", "report", "grouping",
		"relationship", "sighting"
	};

	for (size_t i = 0; i < COUNTOF(told); i++)
		if (slice_is(type, told[i]))
			return true;
	return false;
}

void
flat_index_add(struct flat_index *x, const struct object *o)
{
	struct arena *mem = NULL;
	struct json_doc doc = { .root = o->tree };
	struct err ignored = ERR_INIT;

	if (!is_told(o->type) || (o->flags & OBJECT_REVOKED) != 0)
		return;
	if (doc.root == NULL &&
	    json_parse(o->bytes, NULL, mem = arena_new(), &doc, &ignored) < 0)
		goto done;
	if (slice_is(o->type, "relationship")) {
		struct slice word = json_member(doc.root, "relationship_type");

		if (slice_is(word, "indicates"))
			add_link(x, json_member(doc.root, "source_ref"),
			    json_member(doc.root, "target_ref"), false);
	} else if (slice_is(o->type, "sighting")) {
		add_sighting(x, doc.root);
	} else {
		add_name(x, o, doc.root);
		if (slice_is(o->type, "report") || slice_is(o->type, "grouping"))
			add_container(x, o, doc.root);
	}
done:
	arena_free(mem);
}

/* --- what is asked --------------------------------------------------------------------------- */

static struct slice
look_name(void *ctx, struct slice id)
{
	const struct entry *e = find(ctx, id);

	return e == NULL ? SLICE_EMPTY : e->name;
}

/* Where the name of a type goes. */
static const struct {
	const char	*prefix;
	size_t		 at;
} homes[] = {
	{ "malware--", offsetof(struct flat_links, malware) },
	{ "tool--", offsetof(struct flat_links, malware) },
	{ "threat-actor--", offsetof(struct flat_links, threat_actor) },
	{ "intrusion-set--", offsetof(struct flat_links, threat_actor) },
	{ "campaign--", offsetof(struct flat_links, campaign) },
	{ "attack-pattern--", offsetof(struct flat_links, attack_pattern) }
};

static int
by_name(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;
	int c = slice_cmp(x->name, y->name);

	return c != 0 ? c : slice_cmp(x->id, y->id);
}

/* The names joined by `;`, each once, in their order: the same for any order of arrival. */
static struct slice
join(struct arena *mem, const struct entry **v, size_t n)
{
	struct strbuf all = STRBUF_INIT;
	struct slice s;

	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; i < n; i++) {
		size_t from;

		if (v[i]->name.n == 0 || (i > 0 && slice_eq(v[i]->name, v[i - 1]->name)))
			continue;
		if (all.n > 0)
			strbuf_addc(&all, ';');
		from = all.n;
		strbuf_addsl(&all, v[i]->name);
		for (; from < all.n; from++)
			if (all.p[from] == ';')
				all.p[from] = ',';
	}
	s = all.n > 0 ? arena_slice(mem, strbuf_slice(&all)) : SLICE_EMPTY;
	strbuf_fini(&all);
	return s;
}

/* The container: the first by name; an id if none has one. */
static struct slice
container_of(const struct entry *e)
{
	const struct entry *best = NULL;

	for (const struct link *l = e->links; l != NULL; l = l->next)
		if (l->container && (best == NULL || by_name(&l->to, &best) < 0))
			best = l->to;
	return best == NULL ? SLICE_EMPTY : best->name.n > 0 ? best->name : best->id;
}

static void
look_links(void *ctx, const struct object *o, struct arena *mem, struct flat_links *out)
{
	const struct entry *e = find(ctx, o->id), *named[LINKS_SHOWN];

	if (e == NULL)
		return;
	for (size_t h = 0; h < COUNTOF(homes); h++) {
		struct slice *at = (struct slice *)(void *)((char *)out + homes[h].at);
		size_t n = 0;

		if (at->n > 0)
			continue;
		for (const struct link *l = e->links; l != NULL && n < LINKS_SHOWN; l = l->next)
			for (size_t i = 0; i < COUNTOF(homes) && n < LINKS_SHOWN; i++)
				if (homes[i].at == homes[h].at &&
				    slice_starts(l->to->id, homes[i].prefix))
					named[n++] = l->to;
		*at = join(mem, named, n);
	}
	for (const struct link *l = e->links; l != NULL; l = l->next) {
		out->c2 = out->c2 || l->to->c2;
		out->anonymization = out->anonymization || l->to->anonymization;
		out->vulnerability = out->vulnerability ||
		    slice_starts(l->to->id, "vulnerability--");
	}
	out->report = container_of(e);
	out->first_seen = e->first_seen;
	out->last_seen = e->last_seen;
}

struct flat_look
flat_index_look(const struct flat_index *x)
{
	return (struct flat_look){ .ctx = (void *)(uintptr_t)x, .name = look_name,
	    .links = look_links };
}
