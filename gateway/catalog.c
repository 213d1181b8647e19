#include "gateway/catalog.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/admit.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/log.h"
#include "gateway/gateway.h"
#include "gateway/keys.h"
#include "gateway/stats.h"
#include "gateway/view_age.h"
#include "gateway/view_fill.h"

struct catalog {
	struct gateway		*g;
	struct arena		*mem;		/* of the list; replaced on reload */
	struct collection_conf	*v;
	size_t			 n;
	struct view_fills	*fills;
	struct view_ages	*ages;
};

/* ---- the list ---- */

static struct collection_conf
inbox_of(struct arena *mem, const struct config *conf, const struct peer *p)
{
	const char **roots = arena_alloc(mem, 2 * sizeof(*roots));

	roots[0] = conf->api_root;
	return (struct collection_conf){
		.name = arena_fmt(mem, "inbox-%s", p->name),
		.title = arena_fmt(mem, "Inbox of %s", p->name),
		.description = "What this peer relays to us",
		.roots = roots, .hidden = true, .file = p->file, .line = p->line,
	};
}

static bool
has_name(const struct collection_conf *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return true;
	return false;
}

/* The collections of the configuration, then the inboxes of pinned peers. */
static void
make_list(struct catalog *c, struct arena *mem, struct collection_conf **out, size_t *nout)
{
	const struct config *conf = c->g->config;
	size_t max = conf->ncollections + trust_peers(c->g->trust), n = conf->ncollections;
	struct collection_conf *v = arena_alloc(mem, (max + 1) * sizeof(*v));

	if (n > 0)
		memcpy(v, conf->collections, n * sizeof(*v));
	for (size_t i = 0; i < trust_peers(c->g->trust); i++) {
		const struct peer *p = trust_peer(c->g->trust, i);
		struct collection_conf inbox;

		if (p->is_consumer || p->npins == 0)
			continue;
		inbox = inbox_of(mem, conf, p);
		if (!has_name(v, n, inbox.name))
			v[n++] = inbox;
	}
	*out = v;
	*nout = n;
}

/* ---- what belongs in a view ---- */

static bool
listed(const char *const *list, struct slice word)
{
	for (; list != NULL && *list != NULL; list++)
		if (slice_is(word, *list))
			return true;
	return false;
}

bool
catalog_view_takes_from(const struct collection_conf *col, const char *source)
{
	return col->sources == NULL || col->sources[0] == NULL ||
	    listed(col->sources, slice_of(source)) || listed(col->sources, SLICE_LIT("*"));
}

bool
catalog_view_is_old(const struct collection_conf *col, struct slice version, int64_t now_us)
{
	int64_t at_us;

	return col->age_us > 0 && stamp_parse(version, &at_us) && at_us < now_us - col->age_us;
}

bool
catalog_view_matches(const struct collection_conf *col, struct view_facts *f, const char *source)
{
	const struct policy_facts *p = f->policy;

	if (p->tlp == TLP_RED)
		return false;
	if (col->kinds != NULL && col->kinds[0] != NULL && !listed(col->kinds, f->kind))
		return false;
	if (col->tlps != 0 && (col->tlps & (1u << p->tlp)) == 0)
		return false;
	if (col->sectors != 0 && (col->sectors & p->sectors) == 0)
		return false;
	if (col->phases != 0 && (col->phases & (1u << p->phase)) == 0)
		return false;
	if (catalog_view_is_old(col, f->version, f->now_us))
		return false;
	if (col->confidence > 0 && f->confidence == VIEW_UNREAD)
		f->confidence = object_confidence(f->bytes);
	if (col->confidence > 0 && f->confidence < (int)col->confidence)
		return false;
	return catalog_view_takes_from(col, source);
}

/* ---- life ---- */

int
catalog_reload(struct catalog *c, struct err *e)
{
	struct arena *mem = arena_new();
	struct collection_conf *v;
	size_t n;

	make_list(c, mem, &v, &n);
	for (size_t i = 0; i < n; i++) {
		v[i].cid = store_collection(c->g->store, v[i].name, v[i].id, v[i].uuid, e);
		if (v[i].cid < 0 || (v[i].view && c->g->worker == 0 &&
		    view_fill(c->fills, &v[i], e) < 0)) {
			err_context(e, "collection %s", v[i].name);
			arena_free(mem);
			return -1;
		}
	}
	arena_free(c->mem);
	c->mem = mem;
	c->v = v;
	c->n = n;
	if (c->g->worker == 0)
		view_ages_set(c->ages, v, n);
	return 0;
}

struct catalog *
catalog_new(struct gateway *g, struct err *e)
{
	struct catalog *c = xcalloc(1, sizeof(*c));

	c->g = g;
	c->fills = view_fills_new(g);
	c->ages = view_ages_new(g);
	if (catalog_reload(c, e) < 0) {
		catalog_free(c);
		return NULL;
	}
	return c;
}

void
catalog_free(struct catalog *c)
{
	if (c == NULL)
		return;
	view_fills_free(c->fills);
	view_ages_free(c->ages);
	arena_free(c->mem);
	free(c);
}

void
catalog_figures(const struct catalog *c, struct stats *s)
{
	view_fills_figures(c->fills, s);
}

void
catalog_age_views(struct catalog *c)
{
	view_ages_walk(c->ages);
}

size_t
catalog_count(const struct catalog *c)
{
	return c->n;
}

const struct collection_conf *
catalog_at(const struct catalog *c, size_t i)
{
	return i < c->n ? &c->v[i] : NULL;
}

const struct collection_conf *
catalog_find(const struct catalog *c, struct slice name)
{
	for (size_t i = 0; i < c->n; i++)
		if (slice_is(name, c->v[i].name) || slice_is_nocase(name, c->v[i].uuid))
			return &c->v[i];
	return NULL;
}

const struct collection_conf *
catalog_find_in(const struct catalog *c, const struct root_conf *root, struct slice name)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct collection_conf *col = &c->v[i];

		if ((slice_is_nocase(name, col->uuid) || slice_is(name, col->name) ||
		    (col->alias != NULL && slice_is(name, col->alias))) && config_in_root(col, root))
			return col;
	}
	return NULL;
}

/* ---- rights ---- */

/* The peer whose inbox this is, or NULL. A consumer has none, whatever its name. */
static const struct peer *
inbox_owner(const struct catalog *c, const struct collection_conf *col)
{
	static const char head[] = "inbox-";
	const struct peer *p;

	if (strncmp(col->name, head, sizeof(head) - 1) != 0)
		return NULL;
	p = trust_find(c->g->trust, slice_of(col->name + sizeof(head) - 1));
	return p != NULL && !p->is_consumer && p->npins > 0 ? p : NULL;
}

bool
catalog_can_read(const struct catalog *c, const struct collection_conf *col,
    const struct reader *r)
{
	(void)c;
	if (r->peer == NULL)
		return !col->hidden;
	return listed(r->peer->reads, slice_of(col->name)) ||
	    (!col->hidden && listed(r->peer->reads, SLICE_LIT("*")));
}

bool
catalog_can_write(const struct catalog *c, const struct collection_conf *col,
    const struct reader *r)
{
	const struct peer *owner = inbox_owner(c, col);

	if (col->view || r->peer == NULL)
		return false;
	if (owner != NULL)
		return strcmp(owner->name, r->peer->name) == 0;
	return listed(r->peer->writes, slice_of(col->name)) ||
	    (!col->hidden && listed(r->peer->writes, SLICE_LIT("*")));
}

bool
catalog_visible(const struct catalog *c, const struct collection_conf *col,
    const struct reader *r)
{
	return !col->hidden || catalog_can_read(c, col, r) || catalog_can_write(c, col, r);
}

bool
catalog_root_visible(const struct catalog *c, const struct root_conf *root, const struct reader *r)
{
	bool any = false;

	if (root == config_root_at(c->g->config, 0))
		return true;
	for (size_t i = 0; i < c->n; i++) {
		if (!config_in_root(&c->v[i], root))
			continue;
		if (catalog_visible(c, &c->v[i], r))
			return true;
		any = true;
	}
	return !any;
}

/* ---- pages ---- */

/* A peer that stands for nobody we know: what the public may see. */
static const struct peer nobody = { .name = "public", .relation = RELATION_PUBLIC };

struct reading {
	struct catalog		*c;
	struct trust		*trust;		/* held: a long page takes several turns of the loop */
	const struct peer	*peer;
	const struct collection_conf *col;
	struct admit		 admit;
	int64_t			 counted_us;
	bool			 test;
	struct strbuf		 ids;		/* of what is shown */
	bool			 dated;		/* seen.epoch is that of the start */
	struct page_seen	 seen;
	catalog_row_cb		*row;
	catalog_page_cb		*cb;
	store_count_cb		*removed;	/* catalog_remove's */
	int64_t			 began_us;
	void			*arg;
};

static bool
may_have(void *ctx, const struct store_row *row)
{
	struct reading *rd = ctx;
	bool yes = admit_row(&rd->admit, &row->facts);

	if (row->date_added_us > rd->seen.judged_us)
		rd->seen.judged_us = row->date_added_us;
	if (!yes && row->date_added_us > rd->counted_us)
		rd->seen.withheld[rd->admit.why]++;
	return yes;
}

/* Tells types apart by their first and last bytes and their length: without a call a row. */
static uint64_t
key_of(struct slice type)
{
	uint64_t first = 0, last = 0;

	if (type.n >= sizeof(first)) {
		memcpy(&first, type.p, sizeof(first));
		memcpy(&last, type.p + type.n - sizeof(last), sizeof(last));
	}
	for (size_t i = 0; type.n < sizeof(first) && i < type.n; i++)
		first = first << 8 | (unsigned char)type.p[i];
	return (first * UINT64_C(0x9e3779b97f4a7c15) ^ last) + type.n;
}

/* A place for a type that was not seen yet; the last is for all that find no room. */
static struct seen_type *
new_type(struct page_seen *seen, struct slice type, uint64_t key)
{
	struct seen_type *t;

	if (seen->ntypes == SEEN_TYPES) {
		t = &seen->types[SEEN_TYPES - 1];
		t->key = 0;
		memcpy(t->word, "other", sizeof("other"));
		return t;
	}
	t = &seen->types[seen->ntypes++];
	t->key = key;
	memcpy(t->word, type.p, type.n < SEEN_WORD ? type.n : SEEN_WORD - 1);
	return t;
}

/* One more of this type. Each row of each page comes by here. */
static void
count_type(struct page_seen *seen, struct slice type)
{
	uint64_t key = key_of(type);
	struct seen_type *t = seen->types;

	for (size_t i = 0; i < seen->ntypes; i++, t++) {
		if (t->key == key) {
			t->n++;
			return;
		}
	}
	new_type(seen, type, key)->n++;
}

static void
add_stamp(struct strbuf *b, const char *member, int64_t us)
{
	char at[STAMP_TEXT + 1];

	stamp_text(us, at);
	strbuf_adds(b, member);
	strbuf_add(b, at, STAMP_TEXT);
	strbuf_addc(b, '"');
}

static void
add_digest(struct strbuf *b, const char *member, const uint8_t digest[SHA256_LEN])
{
	char hex[2 * SHA256_LEN + 1];

	hex_text(digest, SHA256_LEN, hex);
	strbuf_adds(b, member);
	strbuf_add(b, hex, sizeof(hex) - 1);
	strbuf_addc(b, '"');
}

/* One record a page that showed something (rulings 29). */
static void
audit_page(struct catalog *c, const struct trust *t, const struct peer *p, bool test,
    const struct collection_conf *col, const struct page_seen *seen)
{
	struct strbuf b = STRBUF_INIT;

	strbuf_reserve(&b, 512);
	strbuf_adds(&b, "\"ev\":\"page\"");
	audit_text(&b, "consumer", slice_of(p->name));
	if (test)
		strbuf_adds(&b, ",\"test\":true");
	audit_text(&b, "collection", slice_of(col->name));
	strbuf_adds(&b, ",\"objects\":");
	strbuf_addn(&b, (int64_t)seen->n);
	add_stamp(&b, ",\"first\":\"", seen->first_us);
	add_stamp(&b, ",\"last\":\"", seen->last_us);
	add_digest(&b, ",\"digest\":\"", seen->digest);
	add_digest(&b, ",\"pol\":\"", trust_digest(t));
	store_audit_add(c->g->store, b.p, audit_kept, NULL);
	strbuf_fini(&b);
}

static struct reading *
reading_new(struct catalog *c, const struct reader *r, const struct collection_conf *col,
    struct page_query *q, void *arg)
{
	struct reading *rd = xmalloc(sizeof(*rd));

	*rd = (struct reading){
		.c = c, .trust = trust_hold(c->g->trust),
		.peer = r->peer == NULL ? &nobody : r->peer, .col = col, .ids = STRBUF_INIT,
		.arg = arg, .began_us = clock_mono_us(), .counted_us = r->counted_us,
		.test = r->test,
	};
	admit_init(&rd->admit, rd->trust, rd->peer, clock_wall_us());
	q->cid = col->cid;
	q->admit = may_have;
	q->admit_ctx = rd;
	return rd;
}

static void
reading_free(struct reading *rd)
{
	trust_free(rd->trust);
	strbuf_fini(&rd->ids);
	free(rd);
}

static void
on_row(void *ctx, const struct store_row *row)
{
	struct reading *rd = ctx;

	strbuf_addsl(&rd->ids, row->id);
	count_type(&rd->seen, row->type);
	rd->row(rd->arg, row);
}

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	struct reading *rd = arg;
	struct page_seen *seen = &rd->seen;
	struct store_epoch now;

	if (e == NULL) {
		seen->n = page->n;
		seen->first_us = page->first_us;
		seen->last_us = page->last_us;
		seen->until_us = rd->admit.until_us;
		seen->full = page->more;
		seen->lasting = rd->dated && store_epoch(rd->c->g->store, &now) &&
		    store_epoch_eq(&now, &seen->epoch);
		digest_sha256(strbuf_slice(&rd->ids), seen->digest);
	}
	if (e == NULL && page->n > 0)
		audit_page(rd->c, rd->trust, rd->peer, rd->test, rd->col, seen);
	rd->cb(rd->arg, page, seen, e);
	stats_time(rd->c->g->stats, "page", clock_mono_us() - rd->began_us);
	reading_free(rd);
}

void
catalog_page(struct catalog *c, const struct reader *r, const struct collection_conf *col,
    struct page_query *q, catalog_row_cb *row, catalog_page_cb *cb, void *arg)
{
	struct reading *rd = reading_new(c, r, col, q, arg);

	rd->row = row;
	rd->cb = cb;
	q->take = on_row;
	q->take_ctx = rd;
	rd->dated = store_epoch(c->g->store, &rd->seen.epoch);
	store_page(c->g->store, q, on_page, rd);
}

bool
catalog_page_stands(struct catalog *c, const struct page_seen *seen)
{
	struct store_epoch now;

	if (!seen->lasting || clock_wall_us() >= seen->until_us ||
	    !store_epoch(c->g->store, &now))
		return false;
	/* New objects come behind a page that is full, and there alone. */
	return seen->full ? now.turns == seen->epoch.turns : store_epoch_eq(&now, &seen->epoch);
}

void
catalog_page_again(struct catalog *c, const struct reader *r, const struct collection_conf *col,
    const struct page_seen *seen)
{
	if (seen->n > 0)
		audit_page(c, c->g->trust, r->peer == NULL ? &nobody : r->peer, r->test,
		    col, seen);
}

/* ---- taking out ---- */

static void
on_removed(void *arg, size_t n, const struct err *e)
{
	struct reading *rd = arg;

	rd->removed(rd->arg, n, e);
	reading_free(rd);
}

void
catalog_remove(struct catalog *c, const struct reader *r, const struct collection_conf *col,
    struct page_query *q, store_count_cb *cb, void *arg)
{
	struct reading *rd = reading_new(c, r, col, q, arg);
	const struct keys *k = c->g->keys;
	struct strbuf b = STRBUF_INIT;
	char name[19];

	rd->removed = cb;
	audit_object(slice_from(k->common, sizeof(k->common)), q->ids[0], name);
	audit_text(&b, "ev", SLICE_LIT("delete"));
	audit_text(&b, "client", slice_of(rd->peer->name));
	audit_text(&b, "collection", slice_of(col->name));
	audit_text(&b, "obj", slice_of(name));
	store_remove(c->g->store, q, b.p, on_removed, rd);
	strbuf_fini(&b);
}
