#include "adapters/puller.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/peer_call.h"
#include "adapters/puller_parts.h"
#include "gateway/base/arena.h"
#include "gateway/base/crash.h"
#include "gateway/base/log.h"
#include "gateway/catalog.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/stats.h"

#define SECOND	INT64_C(1000000)

enum {
	AT_ONCE = 4,			/* runs: each has one page in memory */
	PAGE_BYTES = 32 << 20,		/* larger ones are asked for again, with fewer objects */
	TRIES_LOST = 4,			/* the same question after a lost connection */
	TRIES_BUSY = 100,		/* ... after a "come again", a minute apart at most */
	PAUSE_MAX_S = 3600, PARKED_FROM_S = 5
};

static void	next_turn(struct pullers *all);
static void	ask(struct pull *p);
static void	submit(struct pull *p);
static void	find(struct pull *p);

/* ---- time ---- */

static void
wake_in(struct pull *p, int64_t us)
{
	struct timeval tv;

	if (us < 0)
		us = 0;
	tv.tv_sec = us / SECOND;
	tv.tv_usec = us % SECOND;
	evtimer_add(p->timer, &tv);
}

/* An eighth more or less, so that pulls of one start do not march in step. */
static int64_t
jitter(int64_t us)
{
	uint32_t dice;

	random_bytes(&dice, sizeof(dice));
	return us - us / 8 + (int64_t)(dice % 1024) * (us / 4) / 1024;
}

static int64_t
backoff_us(const struct pull *p, uint32_t failures)
{
	const struct limits_conf *l = &p->all->g->config->limits;
	int64_t us = l->retry_min_us;

	for (uint32_t i = 1; i < failures && us < l->retry_max_us; i++)
		us *= 2;
	return jitter(us > l->retry_max_us ? l->retry_max_us : us);
}

/* ---- the end of a run ---- */

static void
drop_page(struct pull *p)
{
	strbuf_fini(&p->body);
	free(p->next_token);
	p->next_token = NULL;
}

static void
pull_free(struct pull *p)
{
	taxii_client_free(p->client);
	pull_walk_end(&p->walk);
	drop_page(p);
	event_free(p->timer);
	config_free(p->config);
	free(p);
}

/* Out of the list and away, unless somebody will still call back. */
static void
bury(struct pull *p)
{
	struct pull **at = &p->all->v;

	if (p->holding)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	pull_free(p);
}

static void
tell_drained(struct pullers *all)
{
	void (*cb)(void *) = all->drained;

	if (cb == NULL || all->running > 0)
		return;
	all->drained = NULL;
	cb(all->drained_arg);
}

/* Nothing is in hand any more; when the next run begins. */
static void
rest(struct pull *p, int64_t in_us)
{
	struct pullers *all = p->all;

	p->state = PULL_IDLE;
	drop_page(p);
	all->running -= !p->parked;
	p->parked = false;
	if (p->dead) {
		bury(p);
	} else {
		p->info.next_us = clock_wall_us() + in_us;
		wake_in(p, in_us);
	}
	next_turn(all);
	tell_drained(all);
}

static void
fail(struct pull *p, const char *cause, int64_t retry_after_us, const char *words)
{
	int64_t wait;

	pull_book_run(p, cause, words);
	wait = backoff_us(p, p->info.failures);
	if (p->client != NULL)
		taxii_client_lose(p->client);
	rest(p, retry_after_us > wait ? retry_after_us : wait);
}

static void
fail_as(struct pull *p, const struct taxii_failure *f)
{
	fail(p, taxii_step_word(f->step), f->retry_after_us, f->words);
}

static void
succeed(struct pull *p)
{
	pull_book_run(p, NULL, "");
	rest(p, jitter(p->conf->interval_us));
}

/* Is this the moment to stop? Then everything in hand has been let go. */
static bool
is_over(struct pull *p)
{
	if (!p->dead && !p->all->draining && !p->all->g->draining)
		return false;
	rest(p, p->conf->interval_us);
	return true;
}

/* The same question, or the same page, again in a while. Who waits long keeps nobody from his turn. */
static void
pause_for(struct pull *p, int64_t us)
{
	p->state = PULL_PAUSED;
	wake_in(p, us > PAUSE_MAX_S * SECOND ? PAUSE_MAX_S * SECOND : us);
	if (us < PARKED_FROM_S * SECOND)
		return;
	p->parked = true;
	p->all->running--;
	next_turn(p->all);
}

/* The pause is over: one more than may be at once, perhaps, but not for long. */
static void
resume(struct pull *p)
{
	p->all->running += p->parked;
	p->parked = false;
	if (p->body.n > 0)
		submit(p);
	else
		find(p);		/* which only asks if the way is not known any more */
}

/* ---- a page is durable ---- */

static void
go_on(struct pull *p, enum pull_stop stop)
{
	if (is_over(p))
		return;
	if (stop == PULL_DONE)
		succeed(p);
	else if (stop == PULL_GOES_ON)
		ask(p);
	else
		fail(p, pull_stop_word(stop), 0, pull_stop_text(stop));
}

static void
on_marked(void *arg, const struct err *e)
{
	struct pull *p = arg;

	p->holding = false;
	if (e != NULL && !is_over(p))
		fail(p, "store", 0, e->reason);
	else if (e == NULL)
		go_on(p, p->after);
}

/* The page is taken in: move the mark, and on. */
static void
took(struct pull *p)
{
	enum pull_stop stop = pull_walk_took(&p->walk, &p->page, clock_wall_us());

	p->tries = 0;
	drop_page(p);
	if (!p->walk.mark_moved) {
		go_on(p, stop);
		return;
	}
	p->walk.mark_moved = false;
	p->after = stop;
	p->state = PULL_BOOKING;
	p->holding = true;
	crash_here(CRASH_pulled);
	pull_mark_write(p, on_marked);
}

/* ---- a page is taken in ---- */

static void
count_taken(struct pull *p, const struct intake_result *r)
{
	struct stats *s = p->all->g->stats;
	const char *name = p->conf->name;

	p->info.fresh += r->accepted;
	p->info.known += r->known;
	p->info.refused += r->refused + r->conflicts;
	stats_add(s, STAT_PULL_PAGES, name, 1);
	stats_add2(s, STAT_PULL_OBJECTS, name, "new", r->accepted);
	stats_add2(s, STAT_PULL_OBJECTS, name, "known", r->known);
	stats_add2(s, STAT_PULL_OBJECTS, name, "refused", r->refused + r->conflicts);
}

static void
on_taken(void *arg, const struct intake_result *r)
{
	struct pull *p = arg;
	char text[sizeof(struct err) + 64];

	p->holding = false;
	if (r->error == NULL) {
		count_taken(p, r);
		took(p);
	} else if (is_over(p)) {
		return;
	} else if (r->retryable && p->tries++ < TRIES_BUSY) {
		pause_for(p, jitter(SECOND));
	} else if (r->retryable) {
		fail(p, "intake", 0, r->error->reason);
	} else {
		memcpy(p->bad, p->digest, sizeof(p->bad));
		fail(p, "unreadable", 0, err_text(r->error, text, sizeof(text)));
	}
}

static bool
is_strict(const struct pull *p, const struct peer *from)
{
	bool strict = from->validate_strict;

	for (const char *const *name = p->conf->collections; *name != NULL; name++) {
		const struct collection_conf *col = catalog_find(p->all->g->catalog, slice_of(*name));

		strict = strict || (col != NULL && col->validate_strict);
	}
	return strict;
}

/* Hand the page to intake as a message of that peer. What it gave us never goes back to it: it is the
 * source, and the last node on the way. */
static void
submit(struct pull *p)
{
	struct gateway *g = p->all->g;
	const struct peer *from = trust_find(g->trust, slice_of(p->conf->peer));
	struct intake_message m = {
		.body = strbuf_slice(&p->body), .sha256 = p->digest, .input = "pulled page",
		.format = "stix21", .source = p->conf->peer, .from = from,
		.collections = p->conf->collections, .request_id = p->request,
		.relay = { .hops = p->conf->peer, .unmarked = TLP_UNSET },
		.envelope = taxii_client_version(p->client) == TAXII_21,
	};

	if (from == NULL) {
		fail(p, "peer", 0, "its peer is no longer in trust.conf");
		return;
	}
	m.strict = is_strict(p, from);
	p->state = PULL_TAKING;
	p->holding = true;
	intake_submit(g->intake, &m, on_taken, p);
}

/* ---- a page has come ---- */

static void
keep_page(struct pull *p, const struct taxii_page *page)
{
	drop_page(p);
	p->page = *page;
	strbuf_addsl(&p->body, page->body);
	p->page.body = p->page.list = SLICE_EMPTY;
	if (page->next != NULL)
		p->page.next = p->next_token = xstrdup(page->next);
	p->info.pages++;
	p->info.objects += page->objects;
	p->info.bytes += page->body.n;
	snprintf(p->request, sizeof(p->request), "pull-%s-%llu-%llu", p->conf->name,
	    (unsigned long long)p->info.runs + 1, (unsigned long long)p->info.pages);
}

static void
take_page(struct pull *p, const struct taxii_page *page, int64_t server_us)
{
	enum pull_stop stop;

	digest_sha256(page->body, p->digest);
	stop = pull_walk_meet(&p->walk, page, server_us);
	if (stop != PULL_GOES_ON) {
		fail(p, pull_stop_word(stop), 0, pull_stop_text(stop));
		return;
	}
	keep_page(p, page);
	if (page->objects == 0)
		took(p);
	else if (memcmp(p->bad, p->digest, sizeof(p->bad)) == 0)
		fail(p, "unreadable", 0, "the same page as before, which could not be read (its text is in "
		    "quarantine)");
	else
		submit(p);
}

/* Ask again in a while, if asking again may help. */
static bool
ask_again(struct pull *p, const struct taxii_failure *f)
{
	bool lost = f->step <= TAXII_STEP_ANSWER || f->http >= 500;

	if (f->step == TAXII_STEP_BUSY && p->tries < TRIES_BUSY) {
		p->tries++;
		pause_for(p, f->retry_after_us > 0 ? f->retry_after_us : backoff_us(p, p->tries));
		return true;
	}
	if (f->code == ERR_LIMIT && p->limit > 1) {	/* a page too large, or a bomb */
		p->limit /= 2;
		pause_for(p, 0);
		return true;
	}
	if (lost && f->code != ERR_LIMIT && p->tries < TRIES_LOST) {
		p->tries++;
		if (f->code == ERR_TIMEOUT && p->limit > 1)	/* made or carried too slowly */
			p->limit /= 2;
		pause_for(p, backoff_us(p, p->tries));
		return true;
	}
	return false;
}

static void
on_page(void *arg, const struct taxii_answer *a)
{
	static const struct taxii_page nothing = { .body = { "", 0 }, .list = { "", 0 },
		.next_item = -1 };
	const struct taxii_failure *f = a->failure;
	struct pull *p = arg;

	if (is_over(p))
		return;
	if (f == NULL)
		take_page(p, a->page, a->date_us);
	else if (f->http == 404 && p->found)	/* it was listed a moment ago: so it is empty */
		take_page(p, &nothing, a->date_us);
	else if (f->http == 404 && p->tries++ == 0) {
		taxii_client_lose(p->client);
		p->state = PULL_PAUSED;
		wake_in(p, 0);
	} else if (!ask_again(p, f))
		fail_as(p, f);
}

static void
ask(struct pull *p)
{
	const struct taxii_ask what = {
		.added_after = p->walk.added_after[0] == '\0' ? NULL : p->walk.added_after,
		.next = p->walk.next, .first_item = p->walk.item, .limit = p->limit,
		.kinds = p->conf->kinds,
	};

	p->state = PULL_ASKING;
	taxii_client_page(p->client, &what, on_page, p);
}

/* ---- a run begins ---- */

static void
begin_walk(struct pull *p, const char *collection)
{
	const struct peer *peer = trust_find(p->all->g->trust, slice_of(p->conf->peer));
	int64_t since = -1;

	pull_identity(p, peer == NULL ? "" : peer->url, collection, p->of);
	if (p->conf->since != NULL && !stamp_parse(slice_of(p->conf->since), &since))
		since = -1;
	pull_walk_begin(&p->walk, pull_mark_read(p), since, clock_wall_us(), p->conf->skew_us);
	ask(p);
}

static void
on_found(void *arg, const struct taxii_answer *a)
{
	struct pull *p = arg;

	if (is_over(p))
		return;
	if (a->failure != NULL) {
		if (!ask_again(p, a->failure))
			fail_as(p, a->failure);
		return;
	}
	p->found = p->found || a->asked;
	if (!a->chosen->can_read)
		fail(p, "rights", 0, "the server says that we may not read this collection");
	else if (p->walk.seen != NULL && p->walk.pages > 0)
		ask(p);			/* the way was lost in the middle */
	else
		begin_walk(p, a->chosen->id);
}

static void
find(struct pull *p)
{
	p->state = PULL_FINDING;
	taxii_client_find(p->client, on_found, p);
}

static int
make_client(struct pull *p, struct err *e)
{
	struct gateway *g = p->all->g;
	const struct peer_caller by = { .base = g->base, .config = g->config,
		.credentials = g->credentials };
	const struct peer *peer = trust_find(g->trust, slice_of(p->conf->peer));

	if (p->client != NULL)
		return 0;
	if (peer == NULL || peer->url == NULL)
		return err_set(e, ERR_CONFIG, "its peer has no `url` in trust.conf any more");
	p->client = peer_call_taxii(&by, peer, p->conf->collection, PAGE_BYTES, e);
	return p->client == NULL ? -1 : 0;
}

static void
begin_run(struct pull *p)
{
	struct pull_info *i = &p->info;
	struct err e = ERR_INIT;

	p->all->running++;
	p->found = false;
	p->tries = 0;
	p->limit = p->conf->page;
	i->pages = i->objects = i->fresh = i->known = i->refused = i->bytes = 0;
	i->began_us = clock_wall_us();
	i->future = false;
	pull_walk_end(&p->walk);
	p->walk = (struct pull_walk){ .mark_us = p->walk.mark_us };
	if (make_client(p, &e) < 0)
		fail(p, "config", 0, e.reason);
	else
		find(p);
}

/* Who has waited longest begins, as long as there are turns. */
static void
next_turn(struct pullers *all)
{
	while (!all->draining && all->running < AT_ONCE) {
		struct pull *first = NULL;

		for (struct pull *p = all->v; p != NULL; p = p->next)
			if (p->state == PULL_WAITING && (first == NULL || p->turn < first->turn))
				first = p;
		if (first == NULL)
			return;
		begin_run(first);
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct pull *p = arg;

	(void)fd;
	(void)what;
	if (p->state == PULL_IDLE && !p->all->draining) {
		p->state = PULL_WAITING;
		p->turn = p->all->turns++;
		next_turn(p->all);
	} else if (p->state == PULL_PAUSED && !is_over(p)) {
		resume(p);
	}
}

/* ---- life ---- */

static struct pull *
pull_new(struct pullers *all, const struct pull_conf *conf, const struct pull_info *before)
{
	struct pull *p = xcalloc(1, sizeof(*p));

	p->all = all;
	p->config = config_hold(all->g->config);
	p->conf = conf;
	p->walk.mark_us = -1;
	p->timer = evtimer_new(all->g->base, on_timer, p);
	strbuf_init(&p->body);
	if (before != NULL)
		p->info = *before;
	if (p->info.since_us == 0)
		p->info.since_us = clock_wall_us();
	p->next = all->v;
	all->v = p;
	wake_in(p, jitter(conf->interval_us < SECOND ? conf->interval_us : SECOND));
	return p;
}

static const struct pull_info *
info_of(const struct pullers *all, const char *name)
{
	for (const struct pull *p = all->v; p != NULL; p = p->next)
		if (strcmp(p->conf->name, name) == 0)
			return &p->info;
	return NULL;
}

struct pullers *
pullers_new(struct gateway *g)
{
	struct pullers *all = xcalloc(1, sizeof(*all));

	all->g = g;
	for (size_t i = g->config->npulls; i-- > 0; )
		pull_new(all, &g->config->pulls[i], NULL);
	return all;
}

void
pullers_free(struct pullers *all)
{
	struct pull *next;

	for (struct pull *p = all == NULL ? NULL : all->v; p != NULL; p = next) {
		next = p->next;
		pull_free(p);
	}
	free(all);
}

/* An old pull in the middle of a page ends with it; all others at once. */
static void
retire(struct pull *p)
{
	p->dead = true;
	if (p->holding)
		return;
	if (p->state == PULL_IDLE || p->state == PULL_WAITING)
		bury(p);
	else
		rest(p, 0);
}

void
pullers_reload(struct pullers *all)
{
	struct pull *old, *next;

	if (all == NULL)
		return;
	old = all->v;
	for (size_t i = all->g->config->npulls; i-- > 0; ) {
		const struct pull_conf *conf = &all->g->config->pulls[i];

		pull_new(all, conf, info_of(all, conf->name));
	}
	for (; old != NULL; old = next) {
		next = old->next;
		if (!old->dead)
			retire(old);
	}
}

void
pullers_drain(struct pullers *all, void (*cb)(void *arg), void *arg)
{
	struct pull *next;

	all->draining = true;
	all->drained = cb;
	all->drained_arg = arg;
	all->running++;			/* so that nobody is told before all were asked */
	for (struct pull *p = all->v; p != NULL; p = next) {
		next = p->next;
		if (p->holding || p->state == PULL_IDLE || p->state == PULL_WAITING)
			continue;
		taxii_client_free(p->client);	/* no answer comes any more */
		p->client = NULL;
		rest(p, p->conf->interval_us);
	}
	all->running--;
	tell_drained(all);
}

const char *
pullers_run(struct pullers *all, const char *name)
{
	for (struct pull *p = all == NULL ? NULL : all->v; p != NULL; p = p->next) {
		if (p->dead || strcmp(p->conf->name, name) != 0)
			continue;
		if (all->draining)
			return "the node is shutting down";
		if (p->state == PULL_PAUSED)
			wake_in(p, 0);
		else if (p->state != PULL_IDLE)
			return "it is running already";
		wake_in(p, 0);
		return NULL;
	}
	return "there is no pull of that name in tocsin.conf";
}
