#include "gateway/view_fill.h"

#include <event2/event.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/catalog.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"
#include "formats/refs.h"
#include "formats/idmap.h"

enum { BATCH = 250, SKIPS = 8 };	/* rows; batches in one turn that write nothing */

/* Leaving comes first, all of it: in a view that shows one row a group, what will leave covers nothing. */
enum phase_of_fill { FILL_LEAVES, FILL_JOINS };

/* One view being filled. */
struct fill {
	struct view_fills		*all;
	struct config		*config;	/* held: col points into it */
	struct collection_conf	 col;
	uint8_t			 want[SHA256_LEN];
	enum phase_of_fill	 phase;
	int64_t			 now_us;	/* of the batch */
	int64_t			 after;		/* last version looked at */
	bool			 more, dead;
	/* the batch in hand */
	struct arena		*mem;
	int64_t			*vid;
	size_t			 nvid, cap;
	struct idmap		 names;		/* ids of the supporting objects that they name */
	struct idmap		 ask;		/* id -> vid: of a view by source, who gave it? */
	size_t			 asked;
	bool			 asking, waiting;
	size_t			 joined, skipped;
	struct fill		*next;
};

struct view_fills {
	struct gateway	*g;
	struct fill	*v;
};

static void
add_list(struct strbuf *b, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		strbuf_addf(b, "%s ", *list);
	strbuf_addc(b, '|');
}

/* What makes a view that view: a change means filling it anew. */
static void
definition(const struct collection_conf *col, uint8_t out[SHA256_LEN])
{
	struct strbuf b = STRBUF_INIT;

	strbuf_addf(&b, "view1|%d|%u|%u|%u|", col->distinct, col->tlps, col->sectors, col->phases);
	add_list(&b, col->kinds);
	add_list(&b, col->sources);
	if (col->confidence > 0 || col->age_us > 0)
		strbuf_addf(&b, "%u|%lld|", col->confidence, (long long)col->age_us);
	digest_sha256(strbuf_slice(&b), out);
	strbuf_fini(&b);
}

/* ---- life ---- */

static void
fill_free(struct fill *f)
{
	struct fill **at;

	for (at = &f->all->v; *at != f; at = &(*at)->next)
		;
	*at = f->next;
	arena_free(f->mem);
	config_free(f->config);
	free(f);
}

static void
give_up(struct fill *f, const struct err *e)
{
	log_event(LOG_ERROR, "view.not-filled", LF_S("collection", f->col.name),
	    LF_S("error", e->reason));
	fill_free(f);
}

static void
filled(struct fill *f)
{
	struct err e = ERR_INIT;

	if (store_view_set_digest(f->all->g->store, f->col.cid, f->want, &e) < 0) {
		give_up(f, &e);
		return;
	}
	log_event(LOG_INFO, "view.filled", LF_S("collection", f->col.name),
	    LF_I("objects", f->joined));
	fill_free(f);
}

/* ---- one batch: scan, ask for what the rows do not tell, write ---- */

static void	scan(struct fill *f);

static void
add_vid(struct fill *f, int64_t vid)
{
	f->vid = arena_grow(f->mem, f->vid, f->nvid, &f->cap, sizeof(*f->vid));
	f->vid[f->nvid++] = vid;
}

static void
on_written(void *arg, const struct err *e)
{
	struct fill *f = arg;

	if (f->dead || f->all->g->draining) {
		fill_free(f);	/* overtaken, or the next start begins it again */
	} else if (e != NULL) {
		give_up(f, e);
	} else if (f->more) {
		scan(f);
	} else if (f->phase == FILL_LEAVES) {
		f->phase = FILL_JOINS;
		f->after = 0;
		scan(f);
	} else {
		filled(f);
	}
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	on_written(arg, NULL);
}

/* Nothing to write: on with the next batch, now and then in another turn of the loop. */
static void
skip_batch(struct fill *f)
{
	/* no zero: libevent would run it before it looks at any socket */
	static const struct timeval soon = { 0, 1 };
	struct event_base *base = f->all->g->base;

	if (base == NULL || ++f->skipped % SKIPS != 0 ||
	    event_base_once(base, -1, EV_TIMEOUT, on_turn, f, &soon) < 0)
		on_written(f, NULL);
}

/* The supporting objects that the batch names, each once. */
static const char *
names_of(struct fill *f)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	idmap_sort(&f->names);
	for (size_t i = 0; i < f->names.n; i++) {
		if (i > 0 && slice_eq(f->names.v[i].id, f->names.v[i - 1].id))
			continue;
		if (b.n > 0)
			strbuf_addc(&b, ' ');
		strbuf_addsl(&b, f->names.v[i].id);
	}
	text = arena_str(f->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static void
write_batch(struct fill *f)
{
	struct store *s = f->all->g->store;

	if (f->nvid == 0) {
		skip_batch(f);
		return;
	}
	if (f->phase == FILL_LEAVES) {
		store_join(s, f->col.cid, "", NULL, 0, f->vid, f->nvid, on_written, f);
		return;
	}
	f->joined += f->nvid;
	(f->col.distinct ? store_join_distinct : store_join)(s, f->col.cid, names_of(f), f->vid,
	    f->nvid, NULL, 0, on_written, f);
}

static bool
note_name(void *ctx, const char *member, struct slice id)
{
	struct fill *f = ctx;

	(void)member;
	if ((slice_starts(id, "identity--") || slice_starts(id, "marking-definition--") ||
	    slice_starts(id, "extension-definition--")) && memchr(id.p, ' ', id.n) == NULL)
		idmap_add(&f->names, f->mem, arena_slice(f->mem, id), 0);
	return true;
}

/* The view shows it: it joins, and so do the supporting objects that it names. */
static void
take(struct fill *f, int64_t vid, struct slice bytes)
{
	struct json_doc doc;

	add_vid(f, vid);
	if (json_parse(bytes, NULL, f->mem, &doc, NULL) == 0)
		refs_each(doc.root, note_name, f);
}

/* Did one of the view's sources give us the object? */
static bool
is_from(const struct fill *f, const struct store_object *o)
{
	for (size_t i = 0; i < o->nsightings; i++)
		if (slice_eq(o->sightings[i].id, o->row.id) &&
		    catalog_view_takes_from(&f->col, o->sightings[i].source))
			return true;
	return false;
}

/* A row of a view by source: who gave it is known now. */
static void
take_by_source(struct fill *f, int64_t vid, const struct store_object *o)
{
	if (f->phase == FILL_JOINS && is_from(f, o))
		take(f, vid, o->row.bytes);
	else if (f->phase == FILL_LEAVES && !is_from(f, o))
		add_vid(f, vid);
}

static void	ask_on(struct fill *f);

/* A row of a view by source, of which we want to know who gave it. */
static void
on_object(void *arg, const struct store_object *o, const struct err *e)
{
	struct fill *f = arg;
	int64_t vid = (int64_t)f->ask.v[f->asked++].value;

	(void)e;		/* a row that cannot be read is looked at again when it is asked for */
	f->waiting = false;
	if (o != NULL)
		take_by_source(f, vid, o);
	if (!f->asking)
		ask_on(f);
}

static void
ask_on(struct fill *f)
{
	f->asking = true;
	while (!f->waiting && f->asked < f->ask.n) {
		f->waiting = true;
		store_object(f->all->g->store, f->ask.v[f->asked].id, on_object, f);
	}
	f->asking = false;
	if (!f->waiting)
		write_batch(f);
}

/* Supporting objects were lent to the view by what names them: they do not leave for not matching. */
static void
look_at(struct fill *f, const struct store_row *r)
{
	bool by_source = f->col.sources != NULL && f->col.sources[0] != NULL;
	struct collection_conf any = f->col;
	struct view_facts facts = { .policy = &r->facts, .kind = r->type, .version = r->version,
	    .bytes = r->bytes, .now_us = f->now_us, .confidence = VIEW_UNREAD };
	bool fits;

	any.sources = NULL;
	fits = catalog_view_matches(&any, &facts, "");
	if (fits && by_source)
		idmap_add(&f->ask, f->mem, arena_slice(f->mem, r->id), (size_t)r->vid);
	else if (fits && f->phase == FILL_JOINS)
		take(f, r->vid, r->bytes);
	else if (!fits && f->phase == FILL_LEAVES &&
	    (!refs_is_supporting(r->type) || r->facts.tlp == TLP_RED))
		add_vid(f, r->vid);
}

static void
on_scanned(void *arg, const struct store_page *page, const struct err *e)
{
	struct fill *f = arg;

	if (e != NULL) {
		give_up(f, e);
		return;
	}
	f->more = page->more;
	for (size_t i = 0; i < page->n; i++) {
		f->after = page->rows[i].vid;
		look_at(f, &page->rows[i]);
	}
	idmap_sort(&f->ask);
	ask_on(f);
}

static void
scan(struct fill *f)
{
	arena_free(f->mem);
	f->mem = arena_new();
	f->vid = NULL;
	f->nvid = f->cap = 0;
	f->ask = f->names = (struct idmap){ .n = 0 };
	f->now_us = clock_wall_us();
	f->asked = 0;
	store_scan(f->all->g->store, f->after, BATCH, on_scanned, f);
}

/* ---- what the catalog asks ---- */

struct view_fills *
view_fills_new(struct gateway *g)
{
	struct view_fills *f = xcalloc(1, sizeof(*f));

	f->g = g;
	return f;
}

void
view_fills_free(struct view_fills *f)
{
	struct fill *at, *next;

	if (f == NULL)
		return;
	for (at = f->v; at != NULL; at = next) {
		next = at->next;
		fill_free(at);
	}
	free(f);
}

/* The walk of a view that is under way, or NULL. */
static struct fill *
running(const struct view_fills *all, int64_t cid)
{
	for (struct fill *f = all->v; f != NULL; f = f->next)
		if (f->col.cid == cid && !f->dead)
			return f;
	return NULL;
}

int
view_fill(struct view_fills *all, const struct collection_conf *col, struct err *e)
{
	static const uint8_t nothing[SHA256_LEN];
	struct store *s = all->g->store;
	uint8_t want[SHA256_LEN], have[SHA256_LEN];
	struct fill *f = running(all, col->cid);

	definition(col, want);
	if (f != NULL && memcmp(f->want, want, sizeof(want)) == 0)
		return 0;
	if (f != NULL)
		f->dead = true;		/* it ends with its batch */
	if (store_view_digest(s, col->cid, have, e) < 0)
		return -1;
	if (memcmp(want, have, sizeof(want)) == 0)
		return 0;
	/* from now on it is neither the old view nor the new one */
	if (store_view_set_digest(s, col->cid, nothing, e) < 0)
		return -1;
	f = xcalloc(1, sizeof(*f));
	f->all = all;
	f->config = config_hold(all->g->config);
	f->col = *col;
	memcpy(f->want, want, sizeof(want));
	f->next = all->v;
	all->v = f;
	scan(f);
	return 0;
}

void
view_fills_figures(const struct view_fills *v, struct stats *s)
{
	struct store_figures all = { 0 };

	if (v == NULL || v->v == NULL || store_figures(v->g->store, &all, NULL) < 0)
		return;
	for (const struct fill *f = v->v; f != NULL; f = f->next) {
		double part = f->phase == FILL_JOINS && all.versions > 0 ?
		    (double)f->after / (double)all.versions : 0;

		if (!f->dead)
			stats_set(s, STAT_VIEW_FILL, f->col.name, part < 1 ? part : 1);
	}
}
