#include "adapters/taxii_pages.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"

enum {
	BUCKETS = 4096,
	PAGES_MAX = 16384,
	SHARE = 8			/* one page takes at most this part of the room */
};

TAILQ_HEAD(page_list, taxii_page);

struct taxii_pages {
	struct taxii_page	**buckets;	/* NULL: nothing was ever kept */
	struct page_list	 used;		/* last used first */
	size_t			 n, bytes, max_bytes;
	uint64_t		 seed;
	struct trust		*trust;		/* held, so that another cannot lie at the same address */
	struct config		*config;
	struct taxii_pages_figures count;
};

/* ---- one page ---- */

struct taxii_page *
taxii_page_new(void)
{
	struct taxii_page *p = xcalloc(1, sizeof(*p));

	strbuf_init(&p->body);
	p->refs = 1;
	return p;
}

struct taxii_page *
taxii_page_hold(struct taxii_page *p)
{
	p->refs++;
	return p;
}

void
taxii_page_free(struct taxii_page *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	strbuf_fini(&p->body);
	free(p->gzip.p);
	free(p->key);
	free(p);
}

/* ---- all of them ---- */

struct taxii_pages *
taxii_pages_new(void)
{
	struct taxii_pages *ps = xcalloc(1, sizeof(*ps));

	TAILQ_INIT(&ps->used);
	random_bytes(&ps->seed, sizeof(ps->seed));
	return ps;
}

/* Seeded, so that no client can choose queries that meet in one bucket. Keys are compared whole. */
static uint64_t
hash_of(const struct taxii_pages *ps, struct slice key)
{
	uint64_t h = ps->seed, w;

	for (; key.n >= sizeof(w); key = slice_from(key.p + sizeof(w), key.n - sizeof(w))) {
		memcpy(&w, key.p, sizeof(w));
		h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	w = key.n;
	memcpy(&w, key.p, key.n);
	h = (h ^ w ^ (uint64_t)key.n << 56) * UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 29;
}

static struct taxii_page **
place_of(struct taxii_pages *ps, uint64_t hash, struct slice key)
{
	struct taxii_page **at = &ps->buckets[hash % BUCKETS];

	while (*at != NULL && ((*at)->hash != hash ||
	    !slice_eq(slice_from((*at)->key, (*at)->key_n), key)))
		at = &(*at)->chain;
	return at;
}

void
taxii_pages_drop(struct taxii_pages *ps, struct taxii_page *p)
{
	struct taxii_page **at = &ps->buckets[p->hash % BUCKETS];

	while (*at != p)
		at = &(*at)->chain;
	*at = p->chain;
	TAILQ_REMOVE(&ps->used, p, link);
	ps->n--;
	ps->bytes -= p->cost;
	p->kept = false;
	taxii_page_free(p);
}

/* The longest unused go until so much fits. */
static void
make_room(struct taxii_pages *ps, size_t bytes)
{
	struct taxii_page *p;

	while ((p = TAILQ_LAST(&ps->used, page_list)) != NULL &&
	    (ps->n >= PAGES_MAX || bytes > ps->max_bytes || ps->bytes > ps->max_bytes - bytes))
		taxii_pages_drop(ps, p);
}

static void
drop_all(struct taxii_pages *ps)
{
	struct taxii_page *p;

	while ((p = TAILQ_FIRST(&ps->used)) != NULL)
		taxii_pages_drop(ps, p);
}

void
taxii_pages_free(struct taxii_pages *ps)
{
	if (ps == NULL)
		return;
	drop_all(ps);
	trust_free(ps->trust);
	config_free(ps->config);
	free(ps->buckets);
	free(ps);
}

void
taxii_pages_under(struct taxii_pages *ps, struct trust *t, struct config *conf, size_t max_bytes)
{
	if (ps->trust == t && ps->config == conf)
		return;
	drop_all(ps);
	trust_free(ps->trust);
	config_free(ps->config);
	ps->trust = trust_hold(t);
	ps->config = config_hold(conf);
	ps->max_bytes = max_bytes;
}

struct taxii_page *
taxii_pages_find(struct taxii_pages *ps, struct slice key)
{
	struct taxii_page *p = ps->buckets == NULL ? NULL : *place_of(ps, hash_of(ps, key), key);

	if (p == NULL) {
		ps->count.misses++;
		return NULL;
	}
	ps->count.hits++;
	if (p != TAILQ_FIRST(&ps->used)) {
		TAILQ_REMOVE(&ps->used, p, link);
		TAILQ_INSERT_HEAD(&ps->used, p, link);
	}
	return p;
}

void
taxii_pages_keep(struct taxii_pages *ps, struct slice key, struct taxii_page *p)
{
	size_t cost = sizeof(*p) + key.n + p->body.n + p->gzip.n;
	struct taxii_page **at;
	uint64_t hash = hash_of(ps, key);

	if (p->kept || cost > ps->max_bytes / SHARE)
		return;
	if (ps->buckets == NULL)
		ps->buckets = xcalloc(BUCKETS, sizeof(struct taxii_page *));
	at = place_of(ps, hash, key);
	if (*at != NULL)
		taxii_pages_drop(ps, *at);
	make_room(ps, cost);
	p->body.cap = p->body.n + 1;		/* without the room it grew into */
	p->body.p = xrealloc(p->body.p, p->body.cap);
	p->key = xstrndup(key.p, key.n);
	p->key_n = key.n;
	p->hash = hash;
	p->cost = cost;
	p->kept = true;
	p->chain = ps->buckets[hash % BUCKETS];
	ps->buckets[hash % BUCKETS] = taxii_page_hold(p);
	TAILQ_INSERT_HEAD(&ps->used, p, link);
	ps->n++;
	ps->bytes += cost;
}

void
taxii_pages_weigh(struct taxii_pages *ps, struct taxii_page *p)
{
	size_t cost = sizeof(*p) + p->key_n + p->body.n + p->gzip.n;

	if (!p->kept || p->cost == cost)
		return;
	ps->bytes += cost - p->cost;
	p->cost = cost;
	make_room(ps, 0);
}

void
taxii_pages_figures(const struct taxii_pages *ps, struct taxii_pages_figures *out)
{
	*out = ps->count;
	out->pages = ps->n;
	out->bytes = ps->bytes;
}
