#include "gateway/feed_misp.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "gateway/admit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"
#include "gateway/translate.h"

enum { KEPT = 16, WALKS = 2, PAGE_ROWS = 100, PAGE_BYTES = 1 << 20, UUID_TEXT = 36,
	GROWTH = 8, AGAIN = 3, SECOND_US = 1000000 };

static const char manifest_name[] = "manifest.json", hashes_name[] = "hashes.csv";
static const struct peer nobody = { .name = "public", .relation = RELATION_PUBLIC };

struct misp_part {
	struct slice	name, text;
	char		tag[FEED_TAG + 1];	/* "" until somebody asks for it */
};

struct misp_made {
	char			*who;		/* feed_who */
	struct trust		*trust;		/* held */
	struct config		*config;	/* held */
	struct store_epoch	 epoch;		/* when the walk began */
	bool			 lasting;
	int64_t			 until_us;
	uint8_t			 of[SHA256_LEN];	/* over all that it was made of */
	struct feed_file	*file;
	struct misp_part	*parts;
	size_t			 nparts, cap;
	uint64_t		 left_out;
	TAILQ_ENTRY(misp_made)	 link;
};
TAILQ_HEAD(mades, misp_made);

/* Files being made; who asks for the same meanwhile waits for them. */
struct walk {
	struct feed_misp	*all;
	struct misp_made	*made;
	const struct feed_conf	*feed;		/* of made->config */
	char			 collection[UUID_TEXT + 1];
	const struct peer	*peer;		/* of made->trust */
	int64_t			 cid, position_us, last_us;
	struct admit		 admit;
	struct arena		*mem;
	struct slice		*rows;
	size_t			 nrows, cap, bytes;
	unsigned		 attempt;
	bool			 same;		/* what was there is still all */
	struct event		*timer;
	struct waiter {
		misp_ready_cb	*cb;
		void		*arg;
		struct waiter	*next;
	}			*waiters;
	TAILQ_ENTRY(walk)	 link;
};
TAILQ_HEAD(walks, walk);

struct feed_misp {
	struct gateway		*g;
	struct mades		 kept;		/* used last: first */
	struct walks		 walks;
	size_t			 nkept, nwalks;
};

/* ---- what was made ---- */

static void
made_free(struct misp_made *m)
{
	if (m == NULL)
		return;
	feed_file_free(m->file);
	trust_free(m->trust);
	config_free(m->config);
	free(m->parts);
	free(m->who);
	free(m);
}

static bool
stands(const struct feed_misp *f, const struct misp_made *m)
{
	struct store_epoch now;

	return m->lasting && m->trust == f->g->trust && m->config == f->g->config &&
	    clock_wall_us() < m->until_us && store_epoch(f->g->store, &now) &&
	    store_epoch_eq(&now, &m->epoch);
}

static void
forget(struct feed_misp *f, struct misp_made *m)
{
	TAILQ_REMOVE(&f->kept, m, link);
	f->nkept--;
	made_free(m);
}

static struct misp_made *
find_kept(struct feed_misp *f, const char *who)
{
	struct misp_made *m;

	TAILQ_FOREACH(m, &f->kept, link)
	if (strcmp(m->who, who) == 0)
		break;
	return m;
}

static void
keep(struct feed_misp *f, struct misp_made *m)
{
	struct misp_made *old = find_kept(f, m->who);

	if (old != NULL)
		forget(f, old);
	TAILQ_INSERT_HEAD(&f->kept, m, link);
	f->nkept++;
	while (f->nkept > KEPT)
		forget(f, TAILQ_LAST(&f->kept, mades));
}

/* A name that the translator gave: nothing but a UUID or one of the two others is one. */
static bool
is_name(struct slice s)
{
	if (slice_is(s, manifest_name))
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdef-", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	return s.n == UUID_TEXT;
}

static void
add_part(struct misp_made *m, struct slice name, struct slice text)
{
	m->parts = xgrow(m->parts, m->nparts, &m->cap, sizeof(*m->parts));
	m->parts[m->nparts++] = (struct misp_part){ name, text, "" };
}

/* "left-out N CODE ID": somebody should look at these objects. */
static void
tell_left_out(struct misp_made *m, struct slice line)
{
	struct slice count = slice_cut(&line, ' '), code = slice_cut(&line, ' ');

	for (size_t i = 0; i < count.n && i < 9; i++)
		m->left_out = 10 * m->left_out + (uint64_t)(count.p[i] - '0');
	log_event(LOG_WARN, "feed.misp-left-out", LF_S("for", m->who), LF_I("objects", m->left_out),
	    LF_SL("code", code), LF_SL("first", line));
}

/* Find where each file begins (misp_feed.c has the shape). */
static int
take_apart(struct misp_made *m, struct err *e)
{
	struct slice rest = feed_file_text(m->file), line, name;

	while (rest.n > 0) {
		line = slice_cut(&rest, '\n');
		if (slice_is(line, hashes_name)) {
			add_part(m, line, rest);
			return 0;
		}
		name = slice_cut(&line, ' ');
		if (slice_is(name, "left-out") && m->nparts == 0) {
			tell_left_out(m, line);
			continue;
		}
		if (!is_name(name) || line.n == 0)
			break;
		add_part(m, name, line);
	}
	return err_set(e, ERR_SYNTAX, "what was written is no MISP feed");
}

static struct misp_part *
find_part(struct misp_made *m, struct slice name)
{
	for (size_t i = 0; i < m->nparts; i++)
		if (slice_eq(m->parts[i].name, name))
			return &m->parts[i];
	return NULL;
}

bool
misp_made_file(struct misp_made *m, struct slice name, struct misp_file *out)
{
	char hex[2 * SHA256_LEN + 1];
	struct slice own = name;
	struct misp_part *p;

	if (!slice_is(name, manifest_name) && !slice_is(name, hashes_name)) {
		if (name.n != UUID_TEXT + 5 || !slice_is(slice_from(name.p + UUID_TEXT, 5), ".json"))
			return false;
		own = slice_from(name.p, UUID_TEXT);
	}
	p = find_part(m, own);
	if (p == NULL)
		return false;
	if (p->tag[0] == '\0') {
		digest_sha256_hex(p->text, hex);
		memcpy(p->tag, hex, FEED_TAG);
		p->tag[FEED_TAG] = '\0';
	}
	out->text = p->text;
	memcpy(out->tag, p->tag, sizeof(out->tag));
	out->within = m->file;
	return true;
}

size_t
misp_made_events(const struct misp_made *m)
{
	return m->nparts < 2 ? 0 : m->nparts - 2;
}

/* ---- the end of a walk ---- */

static void
walk_free(struct walk *w)
{
	TAILQ_REMOVE(&w->all->walks, w, link);
	w->all->nwalks--;
	if (w->timer != NULL)
		event_free(w->timer);
	arena_free(w->mem);
	made_free(w->made);
	free(w);
}

/* Tell all who wait; the walk is over. */
static void
finish(struct walk *w, const struct err *e)
{
	struct feed_misp *f = w->all;
	struct misp_made *m = w->made;
	struct waiter *all = w->waiters, *next;

	w->waiters = NULL;
	if (e != NULL)
		log_event(LOG_WARN, "feed.misp-not-built", LF_S("feed", w->feed->name),
		    LF_S("error", e->reason));
	stats_add2(f->g->stats, STAT_FEEDS, w->feed->name, e != NULL ? "failed" :
	    w->same ? "kept" : "built", 1);
	if (e == NULL && !w->same)
		stats_add2(f->g->stats, STAT_FEEDS, w->feed->name, "left-out", m->left_out);
	for (; all != NULL; all = next) {
		next = all->next;
		all->cb(all->arg, e == NULL ? m : NULL, e);
		free(all);
	}
	if (e == NULL && m->lasting) {
		w->made = NULL;
		keep(f, m);
	}
	walk_free(w);
}

static void
on_text(void *arg, const struct translated *text)
{
	struct walk *w = arg;
	struct misp_made *m = w->made;
	struct err e = ERR_INIT;
	int rc = 0;

	if (text->error != NULL) {
		e = *text->error;
		if (text->retryable)
			e.code = ERR_BUSY;
		finish(w, &e);
		return;
	}
	m->file = feed_file_new(m->config->feeds_dir, w->feed->bytes, &e);
	if (m->file == NULL || feed_file_add(m->file, text->text, &e) < 0 ||
	    feed_file_seal(m->file, &e) < 0)
		rc = -1;
	if (rc == 0)
		rc = take_apart(m, &e);
	finish(w, rc < 0 ? &e : NULL);
}

/* Over all that the text follows from. */
static void
sum_up(const struct walk *w, uint8_t of[SHA256_LEN])
{
	struct sha256 *sum = sha256_new();
	struct strbuf head = STRBUF_INIT;

	strbuf_addf(&head, "%s %lld %s\n", w->collection, (long long)w->last_us,
	    w->made->config->csirt == NULL ? "" : w->made->config->csirt);
	for (size_t i = 0; i < w->nrows; i++)
		strbuf_addf(&head, "%zu ", w->rows[i].n);
	sha256_add(sum, strbuf_slice(&head));
	for (size_t i = 0; i < w->nrows; i++)
		sha256_add(sum, w->rows[i]);
	sha256_end(sum, of);
	strbuf_fini(&head);
}

/* Take over what was made of the very same objects; false if they are others. */
static bool
take_over(struct walk *w)
{
	struct misp_made *m = w->made, *old = find_kept(w->all, m->who);

	if (old == NULL || memcmp(old->of, m->of, sizeof(m->of)) != 0)
		return false;
	m->file = feed_file_hold(old->file);
	m->parts = old->parts;
	m->nparts = old->nparts;
	m->cap = old->cap;
	m->left_out = old->left_out;
	old->parts = NULL;
	forget(w->all, old);
	w->same = true;
	return true;
}

static void
write_all(struct walk *w)
{
	char now[STAMP_TEXT + 1];
	struct translate_write q = {
		.format = arena_fmt(w->mem, "misp-feed:%s", w->collection), .objects = w->rows,
		.n = w->nrows, .received = now, .csirt = w->made->config->csirt,
		.most = w->feed->misp_bytes * GROWTH, .no_residue = true, .lenient = true,
	};

	sum_up(w, w->made->of);
	/* the time of the last addition, not of today: the same objects give the same text */
	stamp_text(w->last_us, now);
	if (w->admit.until_us < w->made->until_us)
		w->made->until_us = w->admit.until_us;
	if (take_over(w)) {
		finish(w, NULL);
		return;
	}
	translate_write(w->all->g->translate, &q, on_text, w);
}

/* ---- the walk ---- */

static bool
may_have(void *ctx, const struct store_row *row)
{
	struct walk *w = ctx;

	return admit_row(&w->admit, &row->facts);
}

static void
on_row(void *ctx, const struct store_row *row)
{
	struct walk *w = ctx;

	w->bytes += row->bytes.n;
	if (w->bytes > w->feed->misp_bytes)
		return;
	w->rows = arena_grow(w->mem, w->rows, w->nrows, &w->cap, sizeof(*w->rows));
	w->rows[w->nrows++] = arena_slice(w->mem, row->bytes);
}

/* From the first row on, `wait_us` later. */
static void
begin(struct walk *w, int64_t wait_us)
{
	const struct timeval wait = { wait_us / SECOND_US, wait_us % SECOND_US };

	arena_free(w->mem);
	w->mem = arena_new();
	w->rows = NULL;
	w->nrows = w->cap = w->bytes = 0;
	w->position_us = -1;
	w->last_us = 0;
	w->made->lasting = store_epoch(w->all->g->store, &w->made->epoch);
	w->made->until_us = INT64_MAX;
	admit_init(&w->admit, w->made->trust, w->peer, clock_wall_us());
	evtimer_add(w->timer, &wait);
}

/* Times of events have whole seconds: what is added later in this one would not be fetched by who has seen
 * the event as it is now. So the second is left to end, unless every one of them brings something. */
static bool
is_too_fresh(struct walk *w, int64_t now_us)
{
	return w->last_us / SECOND_US == now_us / SECOND_US && ++w->attempt < AGAIN;
}

/* All rows are there. */
static void
end_walk(struct walk *w)
{
	int64_t now_us = clock_wall_us();

	if (is_too_fresh(w, now_us))
		begin(w, SECOND_US - now_us % SECOND_US + 1000);
	else
		write_all(w);
}

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	static const struct timeval soon = { 0, 1 };
	struct walk *w = arg;
	struct err bad = ERR_INIT;

	if (e != NULL) {
		err_set(&bad, ERR_BUSY, "the store does not answer");
	} else if (w->bytes > w->feed->misp_bytes) {
		err_set(&bad, ERR_LIMIT, "its objects have more bytes than `misp-bytes` allows (%zu): "
		    "raise that, or make the feed of a smaller collection", w->feed->misp_bytes);
	} else if (w->made->trust != w->all->g->trust || w->made->config != w->all->g->config) {
		err_set(&bad, ERR_BUSY, "the configuration was changed meanwhile");
	} else {
		if (page->n > 0)
			w->position_us = w->last_us = page->last_us;
		if (page->more && page->n > 0)
			evtimer_add(w->timer, &soon);
		else
			end_walk(w);
		return;
	}
	finish(w, &bad);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	static const struct slice spec = { "2.1", 3 };
	struct walk *w = arg;
	struct page_query q = { .cid = w->cid, .added_after_us = -1, .position_us = w->position_us,
	    .limit = PAGE_ROWS, .max_bytes = PAGE_BYTES, .want_bytes = true, .spec_versions = &spec,
	    .nspec_versions = 1, .admit = may_have, .admit_ctx = w, .take = on_row, .take_ctx = w };

	(void)fd;
	(void)what;
	store_page(w->all->g->store, &q, on_page, w);
}

static struct walk *
walk_new(struct feed_misp *f, const struct feed_ask *ask, const char *who)
{
	struct gateway *g = f->g;
	struct walk *w = xcalloc(1, sizeof(*w));
	struct misp_made *m = xcalloc(1, sizeof(*m));

	m->who = xstrdup(who);
	m->trust = trust_hold(g->trust);
	m->config = config_hold(g->config);
	w->all = f;
	w->made = m;
	w->feed = config_feed(m->config, slice_of(ask->feed->name));
	w->cid = ask->collection->cid;
	memcpy(w->collection, ask->collection->uuid, UUID_TEXT);
	w->peer = ask->reader.peer == NULL ? &nobody :
	    trust_peer(m->trust, ask->reader.peer->index);
	w->timer = evtimer_new(g->base, on_turn, w);
	TAILQ_INSERT_TAIL(&f->walks, w, link);
	f->nwalks++;
	begin(w, 1);
	return w;
}

/* ---- asking ---- */

static void
wait_for(struct walk *w, misp_ready_cb *cb, void *arg)
{
	struct waiter *x = xcalloc(1, sizeof(*x));

	*x = (struct waiter){ cb, arg, w->waiters };
	w->waiters = x;
}

/* One that is under way for this reader and began after all that is there now. */
static struct walk *
find_walk(struct feed_misp *f, const char *who)
{
	struct walk *w;

	TAILQ_FOREACH(w, &f->walks, link)
	if (strcmp(w->made->who, who) == 0 && w->timer != NULL && stands(f, w->made))
		return w;
	return NULL;
}

void
feed_misp_get(struct feed_misp *f, const struct feed_ask *ask, misp_ready_cb *cb, void *arg)
{
	struct strbuf who = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct misp_made *m;
	struct walk *w;

	feed_who(ask->feed->name, &ask->reader, &who);
	m = find_kept(f, who.p);
	if (m != NULL && !stands(f, m))
		m = NULL;		/* it stays: what comes out may be the same */
	w = m != NULL ? NULL : find_walk(f, who.p);
	if (m != NULL) {
		TAILQ_REMOVE(&f->kept, m, link);
		TAILQ_INSERT_HEAD(&f->kept, m, link);
		cb(arg, m, NULL);
	} else if (w == NULL && (f->nwalks >= WALKS || f->g->base == NULL)) {
		err_set(&e, ERR_BUSY, "others are being made");
		cb(arg, NULL, &e);
	} else {
		wait_for(w != NULL ? w : walk_new(f, ask, who.p), cb, arg);
	}
	strbuf_fini(&who);
}

struct feed_misp *
feed_misp_new(struct gateway *g)
{
	struct feed_misp *f = xcalloc(1, sizeof(*f));

	f->g = g;
	TAILQ_INIT(&f->kept);
	TAILQ_INIT(&f->walks);
	return f;
}

void
feed_misp_free(struct feed_misp *f)
{
	struct err e = ERR_INIT;

	if (f == NULL)
		return;
	err_set(&e, ERR_BUSY, "the node is stopping");
	while (!TAILQ_EMPTY(&f->walks))
		finish(TAILQ_FIRST(&f->walks), &e);
	while (!TAILQ_EMPTY(&f->kept))
		forget(f, TAILQ_FIRST(&f->kept));
	free(f);
}
