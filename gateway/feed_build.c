#include "gateway/feed_build_parts.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/log.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"

enum {
	PAGE_ROWS = 100, PAGE_BYTES = 2 << 20,	/* of one turn */
	INDEX_MAX = 500000, AGAIN = 2, LOCK_TRIES = 4000, LOCK_WAIT_US = 5000, STUMBLE_US = 50000,
	SEEN_BYTES = 40,		/* that a run keeps of what it has written */
	SLICE_US = 10000		/* of work in one turn, and the page that goes beyond */
};

/* What gives names to others (flat.h). */
static const char *const naming_types[] = {
	"identity", "malware", "threat-actor", "intrusion-set", "campaign", "attack-pattern", "tool",
	"infrastructure", "vulnerability", "relationship", "report", "grouping", "sighting"
};
/* Whose values are records. */
static const char *const record_types[] = {
	"indicator", "artifact", "autonomous-system", "domain-name", "email-addr", "file", "ipv4-addr",
	"ipv6-addr", "mac-addr", "mutex", "network-traffic", "software", "url", "user-account",
	"windows-registry-key", "x509-certificate"
};
enum { NAMING = COUNTOF(naming_types), RECORDING = COUNTOF(record_types) };

_Static_assert((int)NAMING <= FEED_TYPES && (int)RECORDING <= FEED_TYPES, "room for their names");

/* A peer that stands for nobody we know. */
static const struct peer nobody = { .name = "public", .relation = RELATION_PUBLIC };

/* ---- life ---- */

static void
end_attempt(struct feed_build *b)
{
	for (size_t i = 0; i < FEED_OUTPUTS; i++) {
		flat_run_free(b->run[i]);
		b->run[i] = NULL;
		strbuf_fini(&b->text[i]);
	}
	for (size_t i = 0; i < COUNTOF(b->said); i++)
		fp_clear(&b->said[i]);
	id_clear(&b->seen);
	id_clear(&b->named);
	id_clear(&b->fresh);
	flat_index_free(b->index);
	feed_take_free(b->take);
	feed_made_free(b->made);
	feed_made_free(b->last);
	arena_free(b->page_mem);
	arena_free(b->mem);
	b->last = NULL;
	b->going_on = b->turns_back = false;
	b->index = NULL;
	b->take = NULL;
	b->made = NULL;
	b->mem = b->page_mem = NULL;
}

void
feed_build_free(struct feed_build *b)
{
	if (b == NULL)
		return;
	b->doomed = b->driving;
	if (b->doomed)
		return;			/* its turn is on the stack, and ends it */
	end_attempt(b);
	if (b->timer != NULL)
		event_free(b->timer);
	trust_free(b->trust);
	config_free(b->config);
	free(b->base);
	free(b);
}

static bool
has_tail(const struct feed_build *b)
{
	for (size_t i = 0; i < FEED_OUTPUTS; i++)
		if (b->run[i] != NULL && flat_outputs[i].tail != NULL)
			return true;
	return false;
}

/* Behind a tail nothing can be added, and a store that cannot tell what changed gives no beginning. */
static bool
can_be_continued(struct feed_build *b)
{
	feed_made_free(b->last);
	b->last = NULL;
	return b->made_lasting && !has_tail(b);
}

/* The end of a build, good or bad. */
static void
finish(struct feed_build *b, const struct err *e)
{
	struct feed_made *made = b->made;
	feed_built_cb *cb = b->cb;
	void *arg = b->arg;

	b->made = NULL;
	b->done = true;
	b->made_lasting = made != NULL && made->lasting;
	if (e == NULL) {
		made->took_us = clock_mono_us() - b->began_us;
		made->extended = b->going_on;
		stats_time(b->g->stats, "feed", made->took_us);
	} else {
		log_event(LOG_WARN, "feed.not-built", LF_S("feed", b->feed->name),
		    LF_S("for", b->reader), LF_S("error", e->reason));
		feed_made_free(made);
		made = NULL;
	}
	if (made != NULL && can_be_continued(b))
		b->last = feed_made_hold(made);
	else
		end_attempt(b);
	cb(arg, made, e);
}

static const struct peer *
peer_of(const struct trust *t, const struct reader *r)
{
	return r->peer == NULL ? &nobody : trust_peer(t, r->peer->index);
}

/* ---- an attempt ---- */

static bool
is_made(const struct feed_build *b, size_t output)
{
	return (b->outputs >> output & 1) != 0;
}

static int
open_outputs(struct feed_build *b, struct err *e)
{
	for (size_t i = 0; flat_outputs[i].name != NULL; i++) {
		if (!is_made(b, i))
			continue;
		b->run[i] = flat_run_new(&flat_outputs[i], &b->job);
		b->made->out[i].file = feed_file_new(b->config->feeds_dir, b->feed->bytes, e);
		if (b->made->out[i].file == NULL)
			return -1;
		flat_run_head(b->run[i], &b->text[i]);
		b->everything = b->everything || flat_outputs[i].style == FLAT_OBJECTS;
	}
	return 0;
}

/* The names of the outputs that changes are told in, together. */
static bool
is_logged(const struct feed_build *b)
{
	for (size_t i = 0; flat_outputs[i].name != NULL; i++)
		if (is_made(b, i) && flat_outputs[i].style == FLAT_RECORDS)
			return true;
	return false;
}

static void
tell(void *arg, const struct flat_record *r, enum flat_verdict v, const char *why)
{
	struct feed_build *b = arg;
	struct feed_example *x;

	if (v != FLAT_WARNED || b->made->nexamples == FEED_EXAMPLES)
		return;
	x = &b->made->examples[b->made->nexamples++];
	snprintf(x->type, sizeof(x->type), "%s", flat_type_word(r->type));
	snprintf(x->value, sizeof(x->value), "%.*s", SLICE_ARG(r->value));
	snprintf(x->why, sizeof(x->why), "%s", why == NULL ? "" : why);
	snprintf(x->id, sizeof(x->id), "%.*s", SLICE_ARG(r->id));
}

/* Examples are taken from one output: the first that is made. */
static void
tell_first(struct feed_build *b)
{
	for (size_t i = 0; i < FEED_OUTPUTS; i++) {
		if (b->run[i] == NULL)
			continue;
		flat_run_tell(b->run[i], tell, b);
		return;
	}
}

/* What every attempt begins with, from the start or going on. */
static void
begin_made(struct feed_build *b)
{
	b->made = feed_made_new();
	b->made->trust = trust_hold(b->trust);
	b->made->config = config_hold(b->config);
	b->made->outputs = b->outputs;
	b->made->lasting = store_epoch(b->g->store, &b->made->epoch);
	b->now_us = b->made->at_us = b->made->modified_us = clock_wall_us();
	admit_init(&b->admit, b->trust, b->peer, b->now_us);
	b->pass = PASS_NAMES;
	b->settling = false;
	b->lock_tries = 0;
	stamp_text(b->now_us, b->now_text);
}

static int
begin(struct feed_build *b, struct err *e)
{
	struct slice key = SLICE_EMPTY;

	b->mem = arena_new();
	begin_made(b);
	b->made->until_us = INT64_MAX;
	b->position_us[PASS_NAMES] = b->position_us[PASS_RECORDS] = -1;
	b->everything = false;
	stamp_key(b->mem, slice_from(b->now_text, STAMP_TEXT), &key);
	b->job = (struct flat_job){ .title = b->feed->name, .now_key = key,
	    .warn = b->g->warnings, .observables = b->feed->observables,
	    .red = b->feed->restricted };
	b->index = flat_index_new(INDEX_MAX);
	if (open_outputs(b, e) < 0)
		return -1;
	tell_first(b);
	b->take = is_logged(b) ? feed_take_new(b->base, e) : NULL;
	return is_logged(b) && b->take == NULL ? -1 : 0;
}

/* Behind what was made before; nothing of that has changed. */
static int
begin_more(struct feed_build *b, struct err *e)
{
	const struct feed_made *last = b->last;
	struct slice key = SLICE_EMPTY;

	begin_made(b);
	stamp_key(b->mem, slice_from(b->now_text, STAMP_TEXT), &key);
	b->job.now_key = key;
	b->job.warn = b->g->warnings;
	b->made->until_us = last->until_us;
	b->made->early = last->early;
	b->made->unsure = last->unsure;
	b->made->twins = last->twins;
	b->made->nexamples = last->nexamples;
	memcpy(b->made->examples, last->examples, sizeof(last->examples));
	for (size_t i = 0; i < FEED_OUTPUTS; i++) {
		if (b->run[i] == NULL)
			continue;
		b->made->out[i].file = feed_file_extend(last->out[i].file, b->feed->bytes, e);
		if (b->made->out[i].file == NULL)
			return -1;
	}
	if (b->take != NULL) {
		b->take = feed_take_extend(b->take, b->base, e);
		if (b->take == NULL)
			return -1;
	}
	b->going_on = true;
	return 0;
}

/* The warning list lives no longer than they. */
bool
feed_build_files_hold(const struct feed_build *b)
{
	return b->trust == b->g->trust && b->config == b->g->config;
}

static bool
may_have(void *ctx, const struct store_row *row)
{
	struct feed_build *b = ctx;

	return admit_row(&b->admit, &row->facts);
}

/* ---- the end of a page, of a pass, of all ---- */

static int
flush_outputs(struct feed_build *b, struct err *e)
{
	for (size_t i = 0; i < FEED_OUTPUTS; i++) {
		if (b->run[i] == NULL)
			continue;
		if (feed_file_add(b->made->out[i].file, strbuf_slice(&b->text[i]), e) < 0)
			return -1;
		strbuf_reset(&b->text[i]);
		if (flat_run_count(b->run[i], FLAT_WRITTEN) > b->feed->records)
			return err_set(e, ERR_LIMIT, "there are more records than `records` allows");
	}
	return 0;
}

static int
seal_outputs(struct feed_build *b, struct err *e)
{
	for (size_t i = 0; i < FEED_OUTPUTS; i++) {
		struct feed_out *out = &b->made->out[i];

		if (b->run[i] == NULL)
			continue;
		flat_run_tail(b->run[i], &b->text[i]);
		if (feed_file_add(out->file, strbuf_slice(&b->text[i]), e) < 0 ||
		    feed_file_seal(out->file, e) < 0)
			return -1;
		strbuf_reset(&b->text[i]);
		for (int v = 0; v < FLAT_VERDICTS; v++)
			out->count[v] = flat_run_count(b->run[i], (enum flat_verdict)v);
	}
	return 0;
}

static struct slice
text_of(const struct feed_build *b, const char *name)
{
	for (size_t i = 0; i < FEED_OUTPUTS; i++)
		if (b->run[i] != NULL && strcmp(flat_outputs[i].name, name) == 0)
			return feed_file_text(b->made->out[i].file);
	return SLICE_EMPTY;
}

/* What follows is done at once as long as this turn has time, else in another one. */
static void
later(struct feed_build *b, int64_t us)
{
	/* no zero: libevent would run it before it looks at any socket */
	const struct timeval wait = { us / 1000000, us % 1000000 > 0 ? us % 1000000 : 1 };

	if (b->g->base == NULL || (b->driving && us == 0 &&
	    clock_mono_us() - b->turn_us < SLICE_US))
		b->go_on = true;
	else
		evtimer_add(b->timer, &wait);
}

static enum feed_committed
commit(struct feed_build *b, struct err *e)
{
	const struct feed_commit c = {
		.base = b->base, .store = store_id(b->g->store), .epoch = b->made->epoch,
		.now_us = b->now_us, .jsonl = text_of(b, "jsonl"), .csv = text_of(b, "csv"),
		.history_bytes = b->feed->history_bytes, .history_us = b->feed->history_us,
	};

	return feed_take_commit(b->take, &c, &b->made->state, e);
}

static bool	again(struct feed_build *b, int64_t wait_us, struct err *e);

/* All is written: it takes its place in the log. 0: finished; 1: to be tried again later; -1. */
static int
settle(struct feed_build *b, struct err *e)
{
	if (b->take == NULL)
		return 0;
	switch (commit(b, e)) {
	case FEED_COMMITTED:
		b->made->has_state = true;
		b->made->modified_us = b->made->state.at_us;
		return 0;
	case FEED_MORE:
		b->settling = true;
		later(b, 0);
		return 1;
	case FEED_LOCKED:
		b->settling = true;
		if (++b->lock_tries > LOCK_TRIES)
			return err_set(e, ERR_BUSY, "another worker is writing this feed");
		later(b, LOCK_WAIT_US);
		return 1;
	case FEED_OUTDATED:
		return again(b, 0, e) ? 1 : err_set(e, ERR_BUSY, "another worker has a newer state");
	default:
		return -1;
	}
}

/* Something older than the walk was changed under it. */
static bool
was_disturbed(const struct feed_build *b)
{
	struct store_epoch now;

	return b->made->lasting && store_epoch(b->g->store, &now) &&
	    now.turns != b->made->epoch.turns;
}

/* From the beginning, if that was not done too often. Sealed outputs are forgotten. */
static bool
again(struct feed_build *b, int64_t wait_us, struct err *e)
{
	if (!b->going_on && ++b->attempt > AGAIN)
		return false;
	end_attempt(b);
	if (begin(b, e) < 0)
		return false;
	later(b, wait_us);
	return true;
}

static void
end_pass(struct feed_build *b)
{
	struct err e = ERR_INIT;
	int rc;

	if (b->pass == PASS_NAMES && !b->turns_back) {
		b->pass = PASS_RECORDS;
		id_move(&b->named, &b->fresh);
		later(b, 0);
		return;
	}
	if ((b->turns_back || was_disturbed(b)) && again(b, 0, &e))
		return;
	if (e.code != ERR_NONE) {	/* it could not begin again */
		finish(b, &e);
		return;
	}
	if (b->admit.until_us < b->made->until_us)
		b->made->until_us = b->admit.until_us;
	rc = seal_outputs(b, &e);
	if (rc == 0)
		rc = settle(b, &e);
	if (rc <= 0)
		finish(b, rc < 0 ? &e : NULL);
}

static void
on_page(void *arg, const struct store_page *page, const struct err *e)
{
	struct feed_build *b = arg;
	struct err bad = ERR_INIT;

	arena_free(b->page_mem);
	b->page_mem = NULL;
	if (e != NULL) {
		/* Some of the page may be written already: from the beginning. */
		log_event(LOG_WARN, "feed.read", LF_S("feed", b->feed->name), LF_S("error", e->reason));
		if (!b->g->draining && again(b, STUMBLE_US, &bad))
			return;
		err_set(&bad, ERR_BUSY, "the store does not answer");
		finish(b, &bad);
	} else if (b->err.code != ERR_NONE) {
		finish(b, &b->err);
	} else if (flush_outputs(b, &bad) < 0) {
		finish(b, &bad);
	} else if (page->more && page->n > 0) {
		b->position_us[b->pass] = page->last_us;
		later(b, 0);
	} else {
		if (page->n > 0)
			b->position_us[b->pass] = page->last_us;
		end_pass(b);
	}
}

static void
on_row(void *ctx, const struct store_row *row)
{
	feed_row(ctx, row);
}

static void
read_page(struct feed_build *b)
{
	const char *const *words = b->pass == PASS_NAMES ? naming_types : record_types;
	size_t n = b->pass == PASS_NAMES ? NAMING : b->feed->observables ? RECORDING : 1;
	struct page_query q = { .cid = b->cid, .added_after_us = -1, .position_us = b->position_us[b->pass],
	    .limit = PAGE_ROWS, .max_bytes = PAGE_BYTES, .want_bytes = true, .admit = may_have,
	    .admit_ctx = b, .take = on_row, .take_ctx = b };

	for (size_t i = 0; i < n; i++)
		b->types[i] = slice_of(words[i]);
	if (b->pass == PASS_NAMES || !b->everything) {
		q.types = b->types;
		q.ntypes = n;
	}
	b->page_mem = arena_new();
	b->err = (struct err)ERR_INIT;
	store_page(b->g->store, &q, on_page, b);
}

/* One step: the next page, or the log once more. */
static void
step(struct feed_build *b)
{
	struct err e = ERR_INIT;
	int rc;

	if (b->err.code == ERR_NONE && !feed_build_files_hold(b))
		err_set(&b->err, ERR_BUSY, "the configuration was changed meanwhile");
	if (b->err.code != ERR_NONE) {		/* or it could not even begin */
		finish(b, &b->err);
		return;
	}
	if (!b->settling) {
		read_page(b);
		return;
	}
	rc = settle(b, &e);
	if (rc <= 0)
		finish(b, rc < 0 ? &e : NULL);
}

/* Step by step, for a turn of the loop. */
static void
drive(struct feed_build *b)
{
	b->driving = true;
	b->turn_us = clock_mono_us();
	do {
		b->go_on = false;
		step(b);
	} while (b->go_on && !b->done && !b->doomed);
	b->driving = false;
	if (b->doomed)
		feed_build_free(b);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	drive(arg);
}

struct feed_build *
feed_build_start(struct gateway *g, const struct feed_ask *ask, uint64_t outputs, feed_built_cb *cb,
    void *arg)
{
	struct feed_build *b = xcalloc(1, sizeof(*b));
	struct strbuf base = STRBUF_INIT;

	b->g = g;
	b->trust = trust_hold(g->trust);
	b->config = config_hold(g->config);
	b->feed = config_feed(b->config, slice_of(ask->feed->name));
	b->peer = peer_of(b->trust, &ask->reader);
	b->reader = b->peer->name;
	b->cid = ask->collection->cid;
	feed_base(b->config, b->feed->name, &ask->reader, &base);
	b->base = strbuf_take(&base, NULL);
	b->outputs = outputs;
	b->cb = cb;
	b->arg = arg;
	b->began_us = clock_mono_us();
	for (size_t i = 0; i < FEED_OUTPUTS; i++)
		strbuf_init(&b->text[i]);
	if (g->base != NULL)
		b->timer = evtimer_new(g->base, on_timer, b);
	if (begin(b, &b->err) == 0)
		b->err.code = ERR_NONE;
	if (g->base == NULL)
		drive(b);
	else
		later(b, 0);
	return b;
}

size_t
feed_build_memory(const struct feed_build *b)
{
	size_t n = feed_take_bytes(b->take) + (b->seen.cap + b->named.cap) * sizeof(uint64_t);

	for (size_t i = 0; i < COUNTOF(b->said); i++)
		n += b->said[i].cap * FEED_FP;
	for (size_t i = 0; i < FEED_OUTPUTS; i++)
		if (b->run[i] != NULL)
			n += flat_run_count(b->run[i], FLAT_WRITTEN) * SEEN_BYTES;
	return n;
}

bool
feed_build_can_go_on(const struct feed_build *b, uint64_t outputs)
{
	struct store_epoch now;

	return b->last != NULL && (outputs & ~b->outputs) == 0 && feed_build_files_hold(b) &&
	    clock_wall_us() < b->last->until_us &&
	    store_epoch(b->g->store, &now) && now.turns == b->last->epoch.turns;
}

void
feed_build_go_on(struct feed_build *b)
{
	b->began_us = clock_mono_us();
	b->attempt = 0;
	b->done = false;
	b->err = (struct err)ERR_INIT;
	if (begin_more(b, &b->err) < 0) {	/* from the beginning, then */
		b->err = (struct err)ERR_INIT;
		end_attempt(b);
		begin(b, &b->err);
	}
	if (b->g->base == NULL)
		drive(b);
	else
		later(b, 0);
}
