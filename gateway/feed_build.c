#include "gateway/feed_build.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/admit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"
#include "formats/refs.h"

enum {
	PAGE_ROWS = 100, PAGE_BYTES = 2 << 20,	/* of one turn */
	INDEX_MAX = 500000, AGAIN = 2, LOCK_TRIES = 400, LOCK_WAIT_US = 5000, FP = 16,
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

/* Fingerprints of what was said; of one that several objects share, the first is said. */
struct fp_set {
	uint8_t		(*v)[FP];
	size_t		 n, cap;		/* cap is a power of two; an empty place is all zeros */
};

/* Hashes of ids. Two that collide cost a build from the beginning, never a wrong one. */
struct id_set {
	uint64_t	*v;
	size_t		 n, cap;		/* cap is a power of two; 0 is an empty place */
};

enum pass { PASS_NAMES, PASS_RECORDS, PASSES };

struct feed_build {
	struct gateway		*g;
	struct trust		*trust;		/* held; `peer` points into it */
	struct config		*config;	/* held; `feed` points into it */
	const struct feed_conf	*feed;
	const char		*reader;
	const struct peer	*peer;
	int64_t			 cid;
	char			*base;		/* feed_log.h */
	uint64_t		 outputs;
	feed_built_cb		*cb;
	void			*arg;
	struct event		*timer;
	/* one attempt */
	unsigned		 attempt, lock_tries;
	enum pass		 pass;
	struct admit		 admit;
	int64_t			 now_us, began_us;
	int64_t			 position_us[PASSES];	/* how far each has come */
	char			 now_text[STAMP_TEXT + 1];
	struct flat_job		 job;
	struct flat_run		*run[FEED_OUTPUTS];
	struct strbuf		 text[FEED_OUTPUTS];
	struct flat_index	*index;
	struct feed_take	*take;
	struct fp_set		 said[FLAT_OBJECTS + 1];	/* by style of output */
	/* to go on later with what was added meanwhile */
	struct feed_made	*last;		/* what it made before; NULL: nothing, or not to go on with */
	bool			 going_on, made_lasting;
	bool			 turns_back;	/* what was added says something about what was there before */
	struct id_set		 seen;		/* ids of what has records */
	struct id_set		 named, fresh;	/* what they and the others refer to; in the pass under way */
	bool			 everything;	/* an output of objects is made */
	struct feed_made	*made;
	struct arena		*mem, *page_mem;
	struct slice		 types[RECORDING > NAMING ? RECORDING : NAMING];
	struct err		 err;		/* of a row; ERR_NONE: none */
	bool			 driving, go_on, done;	/* another step; none any more */
	int64_t			 turn_us;	/* when this turn of the loop began */
};

/* A peer that stands for nobody we know. */
static const struct peer nobody = { .name = "public", .relation = RELATION_PUBLIC };

/* ---- fingerprints ---- */

static const uint8_t no_fp[FP];

static uint8_t *
fp_place(const struct fp_set *s, const uint8_t *fp)
{
	size_t at;

	memcpy(&at, fp, sizeof(at));
	for (;; at++) {
		uint8_t *place = s->v[at & (s->cap - 1)];

		if (memcmp(place, no_fp, FP) == 0 || memcmp(place, fp, FP) == 0)
			return place;
	}
}

static bool
fp_known(const struct fp_set *s, struct slice fp)
{
	return fp.n >= FP && s->n > 0 &&
	    memcmp(fp_place(s, (const uint8_t *)fp.p), no_fp, FP) != 0;
}

static void
fp_grow(struct fp_set *s)
{
	struct fp_set old = *s;

	s->cap = old.cap == 0 ? 256 : 2 * old.cap;
	s->v = xcalloc(s->cap, sizeof(*s->v));
	for (size_t i = 0; i < old.cap; i++)
		if (memcmp(old.v[i], no_fp, FP) != 0)
			memcpy(fp_place(s, old.v[i]), old.v[i], FP);
	free(old.v);
}

static void
fp_add(struct fp_set *s, struct slice fp)
{
	if (fp.n < FP || fp_known(s, fp))
		return;
	if (2 * (s->n + 1) > s->cap)
		fp_grow(s);
	memcpy(fp_place(s, (const uint8_t *)fp.p), fp.p, FP);
	s->n++;
}

/* ---- ids ---- */

static uint64_t
id_hash(struct slice id)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < id.n; i++)
		h = (h ^ (unsigned char)id.p[i]) * UINT64_C(1099511628211);
	return h == 0 ? 1 : h;
}

static uint64_t *
id_place(const struct id_set *s, uint64_t h)
{
	for (uint64_t at = h ^ h >> 32;; at++) {
		uint64_t *place = &s->v[at & (s->cap - 1)];

		if (*place == 0 || *place == h)
			return place;
	}
}

static bool
id_known(const struct id_set *s, struct slice id)
{
	return s->n > 0 && *id_place(s, id_hash(id)) != 0;
}

static void
id_add_hash(struct id_set *s, uint64_t h)
{
	uint64_t *place;

	if (2 * (s->n + 1) > s->cap) {
		struct id_set old = *s;

		s->cap = old.cap == 0 ? 256 : 2 * old.cap;
		s->v = xcalloc(s->cap, sizeof(*s->v));
		for (size_t i = 0; i < old.cap; i++)
			if (old.v[i] != 0)
				*id_place(s, old.v[i]) = old.v[i];
		free(old.v);
	}
	place = id_place(s, h);
	s->n += *place == 0;
	*place = h;
}

static void
id_add(struct id_set *s, struct slice id)
{
	id_add_hash(s, id_hash(id));
}

/* ---- life ---- */

static void
end_attempt(struct feed_build *b)
{
	for (size_t i = 0; i < FEED_OUTPUTS; i++) {
		flat_run_free(b->run[i]);
		b->run[i] = NULL;
		strbuf_fini(&b->text[i]);
	}
	for (size_t i = 0; i < COUNTOF(b->said); i++) {
		free(b->said[i].v);
		b->said[i] = (struct fp_set){ .n = 0 };
	}
	free(b->seen.v);
	free(b->named.v);
	free(b->fresh.v);
	b->seen = b->named = b->fresh = (struct id_set){ .n = 0 };
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

/* ---- rows ---- */

static bool
may_have(void *ctx, const struct store_row *row)
{
	struct feed_build *b = ctx;

	return admit_row(&b->admit, &row->facts);
}

/* The object of a row, with its tree; false if its bytes cannot be read, which they could once. */
static bool
object_of(struct feed_build *b, const struct store_row *row, struct object *o)
{
	struct json_doc doc;
	bool open;

	*o = (struct object){ .bytes = row->bytes };
	if (json_parse(row->bytes, NULL, b->page_mem, &doc, NULL) < 0)
		return false;
	o->tree = doc.root;
	if (object_skim(o, b->page_mem, &open) < 0)
		return false;
	o->tlp = row->facts.tlp;
	o->label = LABEL_TLP;
	o->pap = row->facts.pap;
	return true;
}

/* The level that holds is policy's. */
static enum tlp
tlp_of(void *ctx, const struct object *o)
{
	(void)ctx;
	return o->tlp;
}

/* An instant that is still to come may change what is shown. */
static void
note_instant(struct feed_build *b, int64_t us)
{
	if (us > b->now_us && us < b->made->until_us)
		b->made->until_us = us;
}

/* Is it valid at this moment, as far as it says? Ended ones are for the outputs to count. */
enum validity { VALID, NOT_YET, ENDED };

static enum validity
validity_of(struct feed_build *b, const struct object *o)
{
	int64_t from = INT64_MIN, until = INT64_MAX;

	if ((o->flags & OBJECT_REVOKED) != 0)
		return ENDED;
	if (stamp_parse(json_member(o->tree, "valid_from"), &from))
		note_instant(b, from);
	if (stamp_parse(json_member(o->tree, "valid_until"), &until))
		note_instant(b, until);
	return from > b->now_us ? NOT_YET : until <= b->now_us ? ENDED : VALID;
}

/* Records of the kinds and the confidence that the feed is about. */
static void
select_records(struct feed_build *b, struct flat_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct flat_record *r = &l->v[i];

		if (b->feed->kinds != 0 && (b->feed->kinds & FLAT_BIT(r->type)) == 0)
			continue;
		if (r->confidence < (int)b->feed->confidence && b->feed->confidence > 0) {
			b->made->unsure++;
			continue;
		}
		l->v[n++] = *r;
	}
	l->n = n;
}

/* What tells a record from all others: members of a JSON object. */
static void
name_of(const struct flat_record *r, struct strbuf *out)
{
	const struct { const char *member; struct slice value; } rows[] = {
		{ "\"id\":", r->id }, { ",\"type\":", slice_of(flat_type_word(r->type)) },
		{ ",\"value\":", r->value }, { ",\"role\":", slice_of(flat_role_word(r->role)) },
		{ ",\"protocol\":", r->protocol }, { ",\"context\":", r->context },
	};

	strbuf_reset(out);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		if (rows[i].value.n == 0)
			continue;
		strbuf_adds(out, rows[i].member);
		json_print_string(out, rows[i].value);
	}
	if (r->port >= 0)
		strbuf_addf(out, ",\"port\":%d", r->port);
}

/* Write one record to an output; its line is *line, at *at of the file. */
static size_t
write_one(struct feed_build *b, size_t output, struct flat_list *one, struct slice *line, uint64_t *at)
{
	struct strbuf *text = &b->text[output];
	size_t before = text->n, n = flat_run_add(b->run[output], one, text);

	*at = feed_file_bytes(b->made->out[output].file) + before;
	*line = slice_from(text->p + before, text->n - before);
	return n;
}

/* The outputs of records, one record at a time: the log wants to know where its lines are. */
static size_t
write_records(struct feed_build *b, const struct flat_list *l)
{
	struct strbuf name = STRBUF_INIT;
	size_t written = 0;

	for (size_t i = 0; i < l->n && b->err.code == ERR_NONE; i++) {
		struct flat_list one = { .v = &l->v[i], .n = 1, .cap = 1, .object = l->object };
		struct slice line[2] = { SLICE_EMPTY, SLICE_EMPTY };
		uint64_t at[2] = { 0, 0 };
		size_t n = 0;

		name_of(&l->v[i], &name);
		if (feed_take_knows(b->take, strbuf_slice(&name)))
			continue;	/* an object that says one thing twice */
		for (size_t o = 0; o < FEED_OUTPUTS; o++) {
			bool csv = b->run[o] != NULL && strcmp(flat_outputs[o].name, "csv") == 0;

			if (b->run[o] != NULL && flat_outputs[o].style == FLAT_RECORDS)
				n += write_one(b, o, &one, &line[csv], &at[csv]);
		}
		if (n > 0)
			feed_take_add(b->take, strbuf_slice(&name), line[0], at[0], line[1], at[1],
			    &b->err);
		written += n;
	}
	strbuf_fini(&name);
	return written;
}

/* Into every output of a style. */
static size_t
write_style(struct feed_build *b, const struct flat_list *l, enum flat_style style)
{
	size_t written = 0;

	if (style == FLAT_RECORDS)
		return b->take == NULL ? 0 : write_records(b, l);
	for (size_t o = 0; o < FEED_OUTPUTS; o++)
		if (b->run[o] != NULL && flat_outputs[o].style == style)
			written += flat_run_add(b->run[o], l, &b->text[o]);
	return written;
}

/* An indicator or an observable: once in each style, by whichever of its group comes first. */
static void
write_object(struct feed_build *b, const struct store_row *row, const struct flat_list *l, bool ends)
{
	bool twin = false;

	for (int style = FLAT_RECORDS; style <= FLAT_OBJECTS; style++) {
		if (!ends && fp_known(&b->said[style], row->fp))
			twin = true;
		else if (write_style(b, l, (enum flat_style)style) > 0)
			fp_add(&b->said[style], row->fp);
	}
	b->made->twins += twin;
}

static void
take_record(struct feed_build *b, const struct store_row *row, const struct object *o)
{
	struct flat_look look = flat_index_look(b->index);
	struct flat_list list = { .n = 0 };
	enum validity v = validity_of(b, o);
	size_t all;

	look.tlp = tlp_of;
	if (!flat_read(o, &look, b->page_mem, &list, NULL)) {
		list = (struct flat_list){ .object = o };
		write_style(b, &list, FLAT_OBJECTS);	/* what stands around indicators */
		return;
	}
	list.object = o;
	if (v == NOT_YET) {
		b->made->early++;
		return;
	}
	all = list.n;
	select_records(b, &list);
	if (list.n > 0 || all == 0)
		write_object(b, row, &list, v == ENDED);
}

/* The files are those that it began with: the warning list lives no longer than they. */
static bool
files_hold(struct feed_build *b)
{
	return b->trust == b->g->trust && b->config == b->g->config;
}

/* A relationship, a sighting and a report change what is said about what they begin with, count or hold; who
 * made them and what a relationship leads to is not changed by them. */
static bool
is_about_old(void *ctx, const char *member, struct slice id)
{
	struct feed_build *b = ctx;

	b->turns_back = b->turns_back || (strcmp(member, "created_by_ref") != 0 &&
	    strcmp(member, "object_marking_refs") != 0 && strcmp(member, "target_ref") != 0 &&
	    id_known(&b->seen, id));
	return true;
}

static bool
note_ref(void *ctx, const char *member, struct slice id)
{
	(void)member;
	id_add(ctx, id);
	return true;
}

/* Remember whom a later object may be about; if that is what we do already: is this one about earlier ones, or
 * does it have the name that one of them lacked? */
static void
note_ids(struct feed_build *b, const struct object *o)
{
	if (b->pass == PASS_RECORDS) {
		id_add(&b->seen, o->id);
		refs_each(o->tree, note_ref, &b->named);
		return;
	}
	if (b->going_on) {
		refs_each(o->tree, is_about_old, b);
		b->turns_back = b->turns_back || id_known(&b->named, o->id);
	}
	refs_each(o->tree, note_ref, &b->fresh);
}

/* What the pass over names referred to counts for later ones. */
static void
settle_ids(struct feed_build *b)
{
	for (size_t i = 0; i < b->fresh.cap; i++)
		if (b->fresh.v[i] != 0)
			id_add_hash(&b->named, b->fresh.v[i]);
	free(b->fresh.v);
	b->fresh = (struct id_set){ .n = 0 };
}

static void
on_row(void *ctx, const struct store_row *row)
{
	struct feed_build *b = ctx;
	struct object o;

	if (b->err.code == ERR_NONE && !files_hold(b))
		err_set(&b->err, ERR_BUSY, "the configuration was changed meanwhile");
	if (b->err.code != ERR_NONE || !object_of(b, row, &o))
		return;
	note_ids(b, &o);
	if (b->pass == PASS_NAMES)
		flat_index_add(b->index, &o);
	else
		take_record(b, row, &o);
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

static bool	again(struct feed_build *b, struct err *e);

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
	case FEED_LOCKED:
		if (++b->lock_tries > LOCK_TRIES)
			return err_set(e, ERR_BUSY, "another worker is writing this feed");
		later(b, LOCK_WAIT_US);
		return 1;
	case FEED_OUTDATED:
		return again(b, e) ? 1 : err_set(e, ERR_BUSY, "another worker has a newer state");
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
again(struct feed_build *b, struct err *e)
{
	if (!b->going_on && ++b->attempt > AGAIN)
		return false;
	end_attempt(b);
	if (begin(b, e) < 0)
		return false;
	later(b, 0);
	return true;
}

static void
end_pass(struct feed_build *b)
{
	struct err e = ERR_INIT;
	int rc;

	if (b->pass == PASS_NAMES && !b->turns_back) {
		b->pass = PASS_RECORDS;
		settle_ids(b);
		later(b, 0);
		return;
	}
	if ((b->turns_back || was_disturbed(b)) && again(b, &e))
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

	if (b->err.code == ERR_NONE && !files_hold(b))
		err_set(&b->err, ERR_BUSY, "the configuration was changed meanwhile");
	if (b->err.code != ERR_NONE) {		/* or it could not even begin */
		finish(b, &b->err);
		return;
	}
	if (b->lock_tries == 0) {
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
	} while (b->go_on && !b->done);
	b->driving = false;
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
		n += b->said[i].cap * FP;
	for (size_t i = 0; i < FEED_OUTPUTS; i++)
		if (b->run[i] != NULL)
			n += flat_run_count(b->run[i], FLAT_WRITTEN) * SEEN_BYTES;
	return n;
}

bool
feed_build_can_go_on(const struct feed_build *b, uint64_t outputs)
{
	struct store_epoch now;

	return b->last != NULL && (outputs & ~b->outputs) == 0 && b->trust == b->g->trust &&
	    b->config == b->g->config && clock_wall_us() < b->last->until_us &&
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
