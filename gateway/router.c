#include "gateway/router.h"

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "formats/refs.h"
#include "formats/idmap.h"

enum { SUPPORTERS_MAX = 1000 };

/* Is `name` one of the comma separated names? */
static bool
is_among(const char *hops, const char *name)
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

/* One message being routed. */
struct routing {
	struct gateway		*g;
	const struct route_in	*in;
	struct arena		*mem;
	struct store_put	*puts;
	size_t			 n;
	struct cids		 put;		/* where the sender put all of it */
	struct cids		*kept, *views;	/* parallel to puts */
	struct cids		 all_views;
	int64_t			 now_us;
	struct peers {				/* who may be told, by phase: nothing else differs */
		const char	**v;
		size_t		  n;
		bool		  made;
	}			 peers[PHASES];
	struct idmap		 supporting;	/* id -> put */
	struct {
		struct cids	 kept, views;
	}			*lent;		/* parallel to puts: at the first put of an id */
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

static bool
is_too_lossy(const struct route_conf *c, const struct route_in *in, struct err *e)
{
	return in->loss != NULL && named(c->from, in->source) &&
	    loss_is_beyond(&c->refuse_loss, in->loss, e);
}

bool
router_asks_loss(const struct gateway *g, const char *source)
{
	const struct config *conf = g->config;

	for (size_t i = 0; i < conf->nroutes; i++)
		if (conf->routes[i].refuse_loss.set && named(conf->routes[i].from, source))
			return true;
	return false;
}

const struct route_conf *
router_refusal(const struct gateway *g, const struct route_in *in, size_t *at, struct err *e)
{
	const struct config *conf = g->config;

	while (*at < conf->nroutes)
		if (is_too_lossy(&conf->routes[(*at)++], in, e))
			return &conf->routes[*at - 1];
	return NULL;
}

/* Kept collections: where the sender put it; and what routes add, which is filled as a view is. */
static void
add_kept(struct routing *r, struct slice kind, struct cids *put, struct cids *routed)
{
	const struct config *conf = r->g->config;

	for (size_t i = 0; i < r->put.n; i++)
		cids_add(put, r->put.v[i]);
	for (size_t i = 0; i < conf->nroutes; i++)
		if (named(conf->routes[i].from, r->in->source) &&
		    kind_listed(conf->routes[i].kinds, kind) &&
		    !is_too_lossy(&conf->routes[i], r->in, NULL))
			add_named(r->g->catalog, conf->routes[i].collections, routed);
}

static void
add_views(struct routing *r, size_t put, struct cids *plain, struct cids *distinct)
{
	const struct catalog *c = r->g->catalog;
	const struct object *o = r->puts[put].object;
	struct view_facts f = { .policy = &r->in->facts[put], .kind = r->in->facts[put].kind,
	    .version = o->version, .bytes = o->bytes, .now_us = r->now_us,
	    .confidence = VIEW_UNREAD };

	for (size_t i = 0; i < catalog_count(c); i++) {
		const struct collection_conf *col = catalog_at(c, i);

		if (col->view && catalog_view_matches(col, &f, r->in->source))
			cids_add(col->distinct ? distinct : plain, col->cid);
	}
}

/* ---- peers ---- */

/* Peers with an address that may be told of this phase, as far as loops go. */
static void
make_peers(struct routing *r, enum phase phase, struct peers *out)
{
	const struct trust *t = r->in->trust;
	size_t cap = 0;

	out->made = true;
	for (size_t i = 0; i < trust_peers(t); i++) {
		const struct peer *p = trust_peer(t, i);

		if (!peer_is_sent_to(p) || strcmp(p->name, r->in->source) == 0 ||
		    is_among(r->in->hops, p->name))
			continue;
		if (p->wants_phases != 0 && (p->wants_phases & (1u << phase)) == 0)
			continue;
		out->v = arena_grow(r->mem, out->v, out->n, &cap, sizeof(*out->v));
		out->v[out->n++] = p->name;
	}
}

static void
add_peers(struct routing *r, enum phase phase, struct store_put *put)
{
	struct peers *who = &r->peers[phase];

	if (!who->made)
		make_peers(r, phase, who);
	put->peers = who->v;
	put->npeers = who->n;
}

/* ---- supporting objects ---- */

static void
cids_add_all(struct cids *to, const int64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cids_add(to, v[i]);
}

/* What object i joined is lent to a supporting object that it names: to the id, however many versions of
 * it there are. */
static void
lend(struct routing *r, size_t i, struct slice id)
{
	const struct store_put *user = &r->puts[i];
	long to = idmap_find(&r->supporting, id);

	if (to == IDMAP_NONE)
		return;
	cids_add_all(&r->lent[to].kept, r->kept[i].v, r->kept[i].n);
	cids_add_all(&r->lent[to].views, r->views[i].v, r->views[i].n);
	cids_add_all(&r->lent[to].views, user->distinct, user->ndistinct);
}

static void
lend_all(struct routing *r, size_t i)
{
	const struct object *o = r->puts[i].object;

	for (size_t k = 0; r->in->facts[i].tlp != TLP_RED && k < o->nsupporters; k++)
		lend(r, i, o->supporters[k]);
}

static bool
supports(const struct routing *r, size_t i)
{
	return refs_is_supporting(r->puts[i].object->type) && r->in->facts[i].tlp != TLP_RED;
}

static void
share_with_supporters(struct routing *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (supports(r, i))
			idmap_add(&r->supporting, r->mem, r->puts[i].object->id, i);
	if (r->supporting.n == 0)
		return;
	idmap_sort(&r->supporting);
	r->lent = arena_alloc(r->mem, r->n * sizeof(*r->lent));
	for (size_t i = 0; i < r->n; i++)
		r->lent[i].kept.mem = r->lent[i].views.mem = r->mem;
	/* twice: a marking may hang on an identity that hangs on an indicator */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < r->n; i++)
			lend_all(r, i);
		for (size_t i = 0; i < r->supporting.n; i++) {
			const struct idmap_entry *x = &r->supporting.v[i];
			long at = idmap_find(&r->supporting, x->id);

			cids_add_all(&r->kept[x->value], r->lent[at].kept.v, r->lent[at].kept.n);
			cids_add_all(&r->views[x->value], r->lent[at].views.v, r->lent[at].views.n);
		}
	}
}

/* What the store is to bring into the views of this object: what it names, whoever sent that and when. */
static struct slice
supporters_of(struct routing *r, const struct object *o)
{
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	for (size_t k = 0; k < o->nsupporters && k < SUPPORTERS_MAX; k++) {
		if (memchr(o->supporters[k].p, ' ', o->supporters[k].n) != NULL)
			continue;		/* no id that anything could have */
		if (b.n > 0)
			strbuf_addc(&b, ' ');
		strbuf_addsl(&b, o->supporters[k]);
	}
	text = b.n == 0 ? SLICE_EMPTY : arena_slice(r->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static void
list_views(struct routing *r)
{
	const struct catalog *c = r->g->catalog;

	for (size_t i = 0; i < catalog_count(c); i++)
		if (catalog_at(c, i)->view)
			cids_add(&r->all_views, catalog_at(c, i)->cid);
}

/* The lists of put i, when everything is lent. */
static void
hand_over(struct routing *r, size_t i)
{
	struct store_put *put = &r->puts[i];
	bool follows = supports(r, i);

	put->collections = r->kept[i].v;
	put->ncollections = r->kept[i].n;
	put->views = r->views[i].v;
	put->nviews = r->views[i].n;
	put->follow = follows ? r->all_views.v : NULL;
	put->nfollow = follows ? r->all_views.n : 0;
	put->supporters = follows || put->nviews + put->ndistinct > 0 ?
	    supporters_of(r, put->object) : SLICE_EMPTY;
}

void
router_route(struct gateway *g, const struct route_in *in, struct arena *mem,
    struct store_put *puts, size_t n)
{
	struct routing *r = arena_alloc(mem, sizeof(*r));
	bool far = hop_count(in->hops) >= g->config->limits.hops;

	r->g = g;
	r->in = in;
	r->mem = r->put.mem = r->all_views.mem = mem;
	r->puts = puts;
	r->n = n;
	r->now_us = clock_wall_us();
	r->kept = arena_alloc(mem, (n + 1) * sizeof(*r->kept));
	r->views = arena_alloc(mem, (n + 1) * sizeof(*r->views));
	add_named(g->catalog, in->collections, &r->put);
	list_views(r);
	for (size_t i = 0; i < n; i++) {
		const struct policy_facts *f = &in->facts[i];
		struct cids distinct = { .mem = mem };

		r->kept[i].mem = r->views[i].mem = mem;
		puts[i].lane = trust_fast_phase(in->trust, f->phase) ? 0 : 1;
		if (f->tlp == TLP_RED)
			continue;
		add_kept(r, f->kind, &r->kept[i], &r->views[i]);
		add_views(r, i, &r->views[i], &distinct);
		puts[i].distinct = distinct.v;
		puts[i].ndistinct = distinct.n;
		if (!far)
			add_peers(r, f->phase, &puts[i]);
	}
	share_with_supporters(r);
	for (size_t i = 0; i < n; i++)
		hand_over(r, i);
}
