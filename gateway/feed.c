#include "gateway/feed.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/feed_build.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"

enum { VIEWS_MAX = 256, BUILDS = 2, WHO_HEX = 16 };
#define KEPT_BYTES	((size_t)128 << 20)	/* of memory, for builds to go on with */
#define ASKED_US	INT64_C(3600000000)	/* an output that was asked for so lately is made again */

/* Somebody who waits. */
struct waiter {
	uint64_t		 outputs;
	bool			 late;		/* came while a build was under way */
	feed_ready_cb		*cb;
	void			*arg;
	STAILQ_ENTRY(waiter)	 link;
};
STAILQ_HEAD(waiters, waiter);

/* One feed as one reader sees it. */
struct view {
	struct feeds		*all;
	char			*who;		/* feed_who */
	char			*feed, *reader;
	bool			 known;		/* the reader is a peer */
	struct feed_made	*made;		/* NULL: nothing yet */
	struct feed_build	*build;		/* NULL: none is under way */
	struct feed_build	*kept;		/* the last one, to go on with; or NULL */
	bool			 probing, queued;
	bool			 busy;		/* its callback is on the stack */
	struct store_epoch	 probe;
	int64_t			 asked_us[FEED_OUTPUTS];
	struct waiters		 waiters;
	TAILQ_ENTRY(view)	 link, queue;
};
TAILQ_HEAD(views, view);

struct feeds {
	struct gateway		*g;
	struct views		 views;		/* used last: first */
	struct views		 queue;		/* of those that shall be built */
	size_t			 nviews, building;
	struct feed_build	**ended;	/* freed when none is on the stack */
	size_t			 nended;
	unsigned		 deep;		/* callbacks of builds on the stack */
	struct event		*kick;		/* start_builds in another turn; NULL: there is no loop */
};

/* ---- what was made ---- */

struct feed_made *
feed_made_new(void)
{
	struct feed_made *m = xcalloc(1, sizeof(*m));

	m->holds = 1;
	return m;
}

struct feed_made *
feed_made_hold(struct feed_made *m)
{
	m->holds++;
	return m;
}

void
feed_made_free(struct feed_made *m)
{
	if (m == NULL || --m->holds > 0)
		return;
	for (size_t i = 0; i < FEED_OUTPUTS; i++) {
		feed_file_free(m->out[i].file);
		feed_file_free(m->out[i].gzip);
	}
	trust_free(m->trust);
	config_free(m->config);
	free(m);
}

static uint64_t
made_bytes(const struct feed_made *m)
{
	uint64_t n = 0;

	for (size_t i = 0; m != NULL && i < FEED_OUTPUTS; i++) {
		n += m->out[i].file == NULL ? 0 : feed_file_bytes(m->out[i].file);
		n += m->out[i].gzip == NULL ? 0 : feed_file_bytes(m->out[i].gzip);
	}
	return n;
}

static void
add_count(struct strbuf *out, const char *word, uint64_t n)
{
	if (n > 0)
		strbuf_addf(out, "%s%s=%llu", out->n > 0 ? ", " : "", word, (unsigned long long)n);
}

void
feed_made_withheld(const struct feed_made *m, size_t output, struct strbuf *out)
{
	for (int v = 0; v < FLAT_VERDICTS; v++)
		if (v != FLAT_WRITTEN && v != FLAT_CANNOT && v != FLAT_AGAIN)
			add_count(out, flat_verdict_word((enum flat_verdict)v),
			    m->out[output].count[v]);
	add_count(out, "not-yet-valid", m->early);
	add_count(out, "low-confidence", m->unsure);
}

/* ---- names ---- */

static bool
is_chosen(const struct feed_conf *conf, const struct flat_output *o)
{
	if (conf->kinds != 0 && (o->types & conf->kinds) == 0)
		return false;
	for (const char *const *f = conf->formats; f != NULL && *f != NULL; f++) {
		bool one = strchr(*f, ':') != NULL;

		if (one ? flat_output_find(slice_of(*f)) == o : strcmp(*f, o->name) == 0)
			return true;
	}
	return conf->formats == NULL || conf->formats[0] == NULL;
}

uint64_t
feed_outputs(const struct feed_conf *conf)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < FEED_OUTPUTS && flat_outputs[i].name != NULL; i++)
		if (is_chosen(conf, &flat_outputs[i]))
			bits |= UINT64_C(1) << i;
	return bits;
}

/* Both may have dots: the longest name of a feed counts. */
const struct feed_conf *
feed_find(const struct config *conf, struct slice file, size_t *output)
{
	const struct feed_conf *found = NULL;

	for (size_t i = 1; i + 1 < file.n; i++) {
		const struct feed_conf *f = file.p[i] != '.' ? NULL :
		    config_feed(conf, slice_from(file.p, i));
		const struct flat_output *o = f == NULL ? NULL :
		    flat_output_by_ending(slice_from(file.p + i + 1, file.n - i - 1));

		if (o == NULL || (feed_outputs(f) >> (o - flat_outputs) & 1) == 0)
			continue;
		found = f;
		*output = (size_t)(o - flat_outputs);
	}
	return found;
}

void
feed_who(const char *feed, const struct reader *r, struct strbuf *out)
{
	strbuf_addf(out, "%s\n%s%s", feed, r->peer == NULL ? "-" : "+", r->name);
}

void
feed_base(const struct config *conf, const char *feed, const struct reader *r, struct strbuf *out)
{
	struct strbuf who = STRBUF_INIT;
	char hex[2 * SHA256_LEN + 1];

	feed_who(feed, r, &who);
	digest_sha256_hex(strbuf_slice(&who), hex);
	strbuf_addf(out, "%s/%s-%.*s", conf->feeds_dir, feed, (int)WHO_HEX, hex);
	strbuf_fini(&who);
}

/* ---- views ---- */

static void
view_free(struct view *v)
{
	struct feeds *f = v->all;

	TAILQ_REMOVE(&f->views, v, link);
	if (v->queued)
		TAILQ_REMOVE(&f->queue, v, queue);
	f->nviews--;
	feed_build_free(v->build);
	feed_build_free(v->kept);
	feed_made_free(v->made);
	free(v->who);
	free(v->feed);
	free(v->reader);
	free(v);
}

static bool
is_idle(const struct view *v)
{
	return v->build == NULL && !v->probing && !v->queued && !v->busy &&
	    STAILQ_EMPTY(&v->waiters);
}

/* Room for another one; what was not used for longest goes first. */
static void
make_room(struct feeds *f, const struct view *keep)
{
	uint64_t bytes = 0;
	struct view *v, *before;

	for (v = TAILQ_FIRST(&f->views); v != NULL; v = TAILQ_NEXT(v, link))
		bytes += made_bytes(v->made);
	for (v = TAILQ_LAST(&f->views, views); v != NULL &&
	    (bytes > f->g->config->limits.feed_files || f->nviews >= VIEWS_MAX); v = before) {
		before = TAILQ_PREV(v, views, link);
		if (v == keep || !is_idle(v))
			continue;
		bytes -= made_bytes(v->made);
		view_free(v);
	}
}

static struct view *
view_of(struct feeds *f, const struct feed_ask *ask)
{
	struct strbuf who = STRBUF_INIT;
	struct view *v;

	feed_who(ask->feed->name, &ask->reader, &who);
	for (v = TAILQ_FIRST(&f->views); v != NULL; v = TAILQ_NEXT(v, link))
		if (strcmp(v->who, who.p) == 0)
			break;
	if (v == NULL) {
		make_room(f, NULL);
		v = xcalloc(1, sizeof(*v));
		v->all = f;
		v->who = xstrdup(who.p);
		v->feed = xstrdup(ask->feed->name);
		v->reader = xstrdup(ask->reader.name);
		v->known = ask->reader.peer != NULL;
		STAILQ_INIT(&v->waiters);
		f->nviews++;
	} else {
		TAILQ_REMOVE(&f->views, v, link);
	}
	TAILQ_INSERT_HEAD(&f->views, v, link);
	strbuf_fini(&who);
	return v;
}

/* The same files, and nothing that ends or begins by itself. */
static bool
may_stand(const struct view *v)
{
	const struct feed_made *m = v->made;
	const struct gateway *g = v->all->g;

	return m != NULL && m->lasting && m->trust == g->trust && m->config == g->config &&
	    clock_wall_us() < m->until_us;
}

/* Would a build give the same now? */
static bool
stands(const struct view *v)
{
	struct store_epoch now;

	return may_stand(v) && store_epoch(v->all->g->store, &now) &&
	    store_epoch_eq(&now, &v->made->epoch);
}

/* ---- answers ---- */

/* All who wait, or those whose outputs are made and who did not come too late for this. */
static void
answer(struct view *v, const struct err *e, bool late_ones)
{
	struct waiters all = STAILQ_HEAD_INITIALIZER(all);
	struct feed_made *m = v->made == NULL ? NULL : feed_made_hold(v->made);
	struct waiter *w;

	STAILQ_CONCAT(&all, &v->waiters);
	while ((w = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, link);
		if (e == NULL && ((w->late && !late_ones) || (w->outputs & ~m->outputs) != 0)) {
			w->late = false;
			STAILQ_INSERT_TAIL(&v->waiters, w, link);
			continue;
		}
		w->cb(w->arg, e == NULL ? m : NULL, e);
		free(w);
	}
	feed_made_free(m);
}

static void	enqueue(struct view *v);
static void	start_builds(struct feeds *f);

/* Not from where a build is on the stack, nor while the store may be closing: in another turn. */
static void
start_soon(struct feeds *f)
{
	static const struct timeval soon = { 0, 1 };

	if (f->kick != NULL)
		evtimer_add(f->kick, &soon);
	else if (f->deep == 0)
		start_builds(f);
}

static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_builds(arg);
}

/* What the last build of a feed kept out, for /metrics. */
static void
count_withheld(struct feeds *f, const struct view *v)
{
	const struct feed_made *m = v->made;
	uint64_t most[FLAT_VERDICTS] = { 0 };

	for (size_t i = 0; i < FEED_OUTPUTS; i++)
		for (int x = 0; m->out[i].file != NULL && x < FLAT_VERDICTS; x++)
			if (m->out[i].count[x] > most[x])
				most[x] = m->out[i].count[x];
	for (int x = 0; x < FLAT_VERDICTS; x++)
		if (x != FLAT_WRITTEN && x != FLAT_CANNOT && x != FLAT_AGAIN)
			stats_set2(f->g->stats, STAT_FEED_WITHHELD, v->feed,
			    flat_verdict_word((enum flat_verdict)x), (double)most[x]);
	stats_set2(f->g->stats, STAT_FEED_WITHHELD, v->feed, "not-yet-valid", (double)m->early);
	stats_set2(f->g->stats, STAT_FEED_WITHHELD, v->feed, "low-confidence", (double)m->unsure);
}

/* A build that may be on the stack. */
static void
end_later(struct feeds *f, struct feed_build *b)
{
	f->ended = xrealloc(f->ended, (f->nended + 1) * sizeof(struct feed_build *));
	f->ended[f->nended++] = b;
}

static void
free_ended(struct feeds *f)
{
	while (f->nended > 0)
		feed_build_free(f->ended[--f->nended]);
}

/* It may be gone on with. */
static void
end_build(struct view *v, bool good)
{
	struct feed_build *b = v->build;

	v->build = NULL;
	if (b == NULL)
		return;		/* without a loop: build() does it */
	if (good)
		v->kept = b;
	else
		end_later(v->all, b);
}

/* What is kept to go on with has its limit; what was used last stays. */
static void
limit_kept(struct feeds *f, const struct view *on_stack)
{
	size_t bytes = 0;
	struct view *v;

	for (v = TAILQ_FIRST(&f->views); v != NULL; v = TAILQ_NEXT(v, link)) {
		bytes += v->kept == NULL ? 0 : feed_build_memory(v->kept);
		if (v->kept == NULL || bytes <= KEPT_BYTES || v == on_stack)
			continue;
		bytes -= feed_build_memory(v->kept);
		end_later(f, v->kept);
		v->kept = NULL;
	}
}

/* Keep what was made; or, if the files were changed under it, let it be made again for all who wait. */
static void
take_made(struct view *v, struct feed_made *made, const struct err *e)
{
	struct feeds *f = v->all;
	struct waiter *w;

	stats_add2(f->g->stats, STAT_FEEDS, v->feed, e != NULL ? "failed" :
	    made->extended ? "extended" : "built", 1);
	if (e == NULL) {
		feed_made_free(v->made);
		v->made = made;
		count_withheld(f, v);
	}
	answer(v, e, e == NULL && stands(v));
	for (w = STAILQ_FIRST(&v->waiters); w != NULL; w = STAILQ_NEXT(w, link))
		w->late = false;
}

static void
on_built(void *arg, struct feed_made *made, const struct err *e)
{
	struct view *v = arg;
	struct feeds *f = v->all;
	bool hold = v->build == NULL || feed_build_files_hold(v->build);

	v->busy = true;
	f->deep++;
	end_build(v, e == NULL && hold);
	f->building--;
	if (hold)
		take_made(v, made, e);
	else
		feed_made_free(made);
	if (!STAILQ_EMPTY(&v->waiters))
		enqueue(v);
	v->busy = false;
	make_room(f, v);
	limit_kept(f, v);
	f->deep--;
	start_soon(f);
}

/* ---- building ---- */

/* What is asked for, and what was asked for lately. */
static uint64_t
wanted(const struct view *v)
{
	int64_t now = clock_mono_us();
	const struct waiter *w;
	uint64_t bits = 0;

	for (size_t i = 0; i < FEED_OUTPUTS; i++)
		if (v->asked_us[i] != 0 && now - v->asked_us[i] < ASKED_US)
			bits |= UINT64_C(1) << i;
	for (w = STAILQ_FIRST(&v->waiters); w != NULL; w = STAILQ_NEXT(w, link))
		bits |= w->outputs;
	return bits;
}

/* Whom and what the view is about, by today's files; false: it is gone. */
static bool
ask_of(const struct view *v, struct feed_ask *out)
{
	const struct gateway *g = v->all->g;

	out->feed = config_feed(g->config, slice_of(v->feed));
	out->reader = (struct reader){ .name = v->reader,
	    .peer = v->known ? trust_find(g->trust, slice_of(v->reader)) : NULL };
	if (out->feed == NULL || (v->known && out->reader.peer == NULL))
		return false;
	out->collection = catalog_find(g->catalog, slice_of(out->feed->collection));
	return out->collection != NULL && catalog_can_read(g->catalog, out->collection, &out->reader);
}

/* The configuration does not serve any more what somebody waits for. */
static void
refuse_unserved(struct view *v, uint64_t served)
{
	struct waiters all = STAILQ_HEAD_INITIALIZER(all);
	struct err e = ERR_INIT;
	struct waiter *w;

	err_set(&e, ERR_BUSY, "the configuration was changed meanwhile");
	STAILQ_CONCAT(&all, &v->waiters);
	while ((w = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, link);
		w->late = false;
		if ((w->outputs & ~served) == 0) {
			STAILQ_INSERT_TAIL(&v->waiters, w, link);
			continue;
		}
		w->cb(w->arg, NULL, &e);
		free(w);
	}
}

static void
build(struct view *v)
{
	struct feeds *f = v->all;
	struct err e = ERR_INIT;
	struct feed_build *b;
	struct feed_ask ask;
	uint64_t outputs;

	if (!ask_of(v, &ask)) {
		err_set(&e, ERR_BUSY, "the configuration was changed meanwhile");
		answer(v, &e, true);
		return;
	}
	refuse_unserved(v, feed_outputs(ask.feed));
	if (STAILQ_EMPTY(&v->waiters))
		return;
	f->building++;
	outputs = wanted(v) & feed_outputs(ask.feed);
	b = v->kept;
	v->kept = NULL;
	if (b != NULL && feed_build_can_go_on(b, outputs)) {
		feed_build_go_on(b);
	} else {
		feed_build_free(b);
		b = feed_build_start(f->g, &ask, outputs, on_built, v);
	}
	if (f->g->base != NULL)
		v->build = b;
	else if (v->kept == NULL)	/* without a loop all is done by now */
		v->kept = b;
	else
		end_later(f, b);
}

static void
enqueue(struct view *v)
{
	if (v->queued || v->build != NULL || v->probing)
		return;
	v->queued = true;
	TAILQ_INSERT_TAIL(&v->all->queue, v, queue);
}

/* The store has changed: but what this feed shows? Then it stands as before. */
static void
on_probed(void *arg, const struct store_page *page, const struct err *e)
{
	struct view *v = arg;

	v->probing = false;
	v->busy = true;
	if (e == NULL && page->n == 0 && may_stand(v) && v->made->epoch.turns == v->probe.turns) {
		v->made->epoch = v->probe;
		answer(v, NULL, true);
	}
	if (!STAILQ_EMPTY(&v->waiters)) {
		if (v->made != NULL)
			v->made->lasting = false;
		enqueue(v);
	}
	v->busy = false;
	start_soon(v->all);
}

/* Nothing was taken out or replaced anywhere: has anything been added to this collection? */
static bool
probe(struct view *v)
{
	struct page_query q = { .position_us = -1, .limit = 1, .all = true };
	struct feed_ask ask;

	if (!may_stand(v) || (wanted(v) & ~v->made->outputs) != 0 || !ask_of(v, &ask) ||
	    !store_epoch(v->all->g->store, &v->probe) || v->probe.turns != v->made->epoch.turns)
		return false;
	q.cid = ask.collection->cid;
	q.added_after_us = v->made->epoch.last_us;
	v->probing = true;
	store_page(v->all->g->store, &q, on_probed, v);
	return true;
}

static void
start_builds(struct feeds *f)
{
	struct view *v;

	if (f->deep > 0)
		return;			/* on_built does it */
	free_ended(f);
	while (f->building < BUILDS && (v = TAILQ_FIRST(&f->queue)) != NULL) {
		TAILQ_REMOVE(&f->queue, v, queue);
		v->queued = false;
		if (!probe(v))
			build(v);
	}
}

/* ---- asking ---- */

/* The outputs of records are made together: changes are told in both. */
static uint64_t
with_sisters(uint64_t outputs, uint64_t served)
{
	uint64_t records = 0;

	for (size_t i = 0; i < FEED_OUTPUTS && flat_outputs[i].name != NULL; i++)
		if (flat_outputs[i].style == FLAT_RECORDS)
			records |= UINT64_C(1) << i;
	return (outputs & records) != 0 ? outputs | (records & served) : outputs;
}

void
feeds_get(struct feeds *f, const struct feed_ask *ask, uint64_t outputs, feed_ready_cb *cb,
    void *arg)
{
	struct view *v = view_of(f, ask);
	struct feed_made *m;
	struct waiter *w;

	outputs = with_sisters(outputs, feed_outputs(ask->feed));
	for (size_t i = 0; i < FEED_OUTPUTS; i++)
		if ((outputs >> i & 1) != 0)
			v->asked_us[i] = clock_mono_us();
	if (stands(v) && (outputs & ~v->made->outputs) == 0) {
		stats_add2(f->g->stats, STAT_FEEDS, v->feed, "kept", 1);
		m = feed_made_hold(v->made);
		cb(arg, m, NULL);
		feed_made_free(m);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	*w = (struct waiter){ .outputs = outputs, .late = v->build != NULL, .cb = cb, .arg = arg };
	STAILQ_INSERT_TAIL(&v->waiters, w, link);
	enqueue(v);
	start_builds(f);
}

/* ---- life ---- */

struct feeds *
feeds_new(struct gateway *g)
{
	struct feeds *f = xcalloc(1, sizeof(*f));
	struct err e = ERR_INIT;

	if (dir_make(g->config->feeds_dir, 0700, &e) < 0)	/* each build will say so */
		log_event(LOG_ERROR, "feeds.no-folder", LF_S("error", e.reason));
	f->g = g;
	TAILQ_INIT(&f->views);
	TAILQ_INIT(&f->queue);
	f->kick = g->base == NULL ? NULL : evtimer_new(g->base, on_kick, f);
	return f;
}

void
feeds_free(struct feeds *f)
{
	struct err e = ERR_INIT;
	struct view *v;

	if (f == NULL)
		return;
	err_set(&e, ERR_BUSY, "the node is stopping");
	while ((v = TAILQ_FIRST(&f->views)) != NULL) {
		answer(v, &e, true);
		view_free(v);
	}
	free_ended(f);
	free(f->ended);
	if (f->kick != NULL)
		event_free(f->kick);
	free(f);
}

void
feeds_figures(const struct feeds *f, struct stats *s)
{
	uint64_t bytes = 0;
	const struct view *v;

	for (v = TAILQ_FIRST(&f->views); v != NULL; v = TAILQ_NEXT(v, link))
		bytes += made_bytes(v->made);
	stats_set(s, STAT_FEED_BYTES, NULL, (double)bytes);
}
