#include "gateway/router.h"

#include "gateway/base/arena.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/refs.h"

bool
router_in_hops(const char *hops, const char *name)
{
	struct slice rest = slice_of(hops);

	while (rest.n > 0)
		if (slice_is(slice_trim(slice_cut(&rest, ',')), name))
			return true;
	return false;
}

static size_t
hop_count(const char *hops)
{
	size_t n = hops[0] != '\0';

	for (; *hops != '\0'; hops++)
		n += *hops == ',';
	return n;
}

/* A growing list of collection numbers without repeats. */
struct cids {
	struct arena	*mem;
	int64_t		*v;
	size_t		 n, cap;
};

static void
cids_add(struct cids *l, int64_t cid)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == cid)
			return;
	l->v = arena_grow(l->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = cid;
}

static bool
named(const char *const *list, const char *name)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcmp(*list, name) == 0 || strcmp(*list, "*") == 0)
			return true;
	return false;
}

static bool
kind_listed(const char *const *kinds, struct slice kind)
{
	if (kinds == NULL || *kinds == NULL)
		return true;
	for (; *kinds != NULL; kinds++)
		if (slice_is(kind, *kinds))
			return true;
	return false;
}

static void
add_named(const struct catalog *c, const char *const *names, struct cids *out)
{
	for (; names != NULL && *names != NULL; names++) {
		const struct collection_conf *col = catalog_find(c, slice_of(*names));

		if (col != NULL && !col->view)
			cids_add(out, col->cid);
	}
}

/* Kept collections: where the sender put it, and what routes add. */
static void
add_kept(struct gateway *g, const struct catalog *c, const struct route_in *in, struct slice kind,
    struct cids *out)
{
	add_named(c, in->collections, out);
	for (size_t i = 0; i < g->config->nroutes; i++) {
		const struct route_conf *r = &g->config->routes[i];

		if (named(r->from, in->source) && kind_listed(r->kinds, kind))
			add_named(c, r->collections, out);
	}
}

static void
add_views(const struct catalog *c, const struct route_in *in, struct slice kind,
    const struct policy_facts *f, struct cids *plain, struct cids *distinct)
{
	for (size_t i = 0; i < catalog_count(c); i++) {
		const struct collection_conf *col = catalog_at(c, i);

		if (col->view && catalog_view_matches(col, kind, f, in->source))
			cids_add(col->distinct ? distinct : plain, col->cid);
	}
}

/* Peers with an address that may be told, as far as loops go. */
static void
add_peers(struct gateway *g, const struct route_in *in, const struct policy_facts *f,
    struct arena *mem, struct store_put *put)
{
	const char **peers = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < trust_peers(g->trust); i++) {
		const struct peer *p = trust_peer(g->trust, i);

		if (p->url == NULL || p == in->from || router_in_hops(in->hops, p->name))
			continue;
		if (p->wants_phases != 0 && (p->wants_phases & (1u << f->phase)) == 0)
			continue;
		peers = arena_grow(mem, peers, n, &cap, sizeof(*peers));
		peers[n++] = p->name;
	}
	put->peers = peers;
	put->npeers = n;
}

struct support {
	struct store_put *puts;
	struct cids	 *plain;	/* parallel to puts */
	size_t		  n;
	size_t		  from;		/* the object that refers */
};

/* What object `from` joined, the supporting object it names joins too. */
static bool
lend(void *ctx, const char *member, struct slice id)
{
	struct support *s = ctx;
	const struct store_put *user = &s->puts[s->from];

	(void)member;
	for (size_t i = 0; i < s->n; i++) {
		if (!slice_eq(s->puts[i].object->id, id) ||
		    !refs_is_supporting(s->puts[i].object->type))
			continue;
		for (size_t k = 0; k < s->plain[s->from].n; k++)
			cids_add(&s->plain[i], s->plain[s->from].v[k]);
		for (size_t k = 0; k < user->ndistinct; k++)
			cids_add(&s->plain[i], user->distinct[k]);
	}
	return true;
}

static void
share_with_supporters(struct store_put *puts, struct cids *plain, size_t n,
    const struct policy_facts *facts)
{
	struct support s = { puts, plain, n, 0 };

	/* twice: a marking may hang on an identity that hangs on an indicator */
	for (int round = 0; round < 2; round++)
		for (s.from = 0; s.from < n; s.from++)
			if (facts[s.from].tlp != TLP_RED)
				refs_each(puts[s.from].object->tree, lend, &s);
}

void
router_route(struct gateway *g, const struct route_in *in, struct arena *mem,
    struct store_put *puts, size_t n)
{
	struct cids *plain = arena_alloc(mem, (n + 1) * sizeof(*plain));
	bool far = hop_count(in->hops) >= g->config->limits.hops;

	for (size_t i = 0; i < n; i++) {
		const struct policy_facts *f = &in->facts[i];
		struct cids distinct = { .mem = mem };

		plain[i].mem = mem;
		puts[i].lane = trust_fast_phase(g->trust, f->phase) ? 0 : 1;
		if (f->tlp == TLP_RED)
			continue;
		add_kept(g, g->catalog, in, f->kind, &plain[i]);
		add_views(g->catalog, in, f->kind, f, &plain[i], &distinct);
		puts[i].distinct = distinct.v;
		puts[i].ndistinct = distinct.n;
		if (!far)
			add_peers(g, in, f, mem, &puts[i]);
	}
	share_with_supporters(puts, plain, n, in->facts);
	for (size_t i = 0; i < n; i++) {
		puts[i].collections = plain[i].v;
		puts[i].ncollections = plain[i].n;
	}
}
