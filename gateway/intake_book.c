/* What is written down about one message: quarantine, audit, status. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/intake_parts.h"
#include "gateway/keys.h"
#include "gateway/stats.h"

enum { REFUSALS_AUDITED = 100, WHOLE_MAX = 16 << 20, ENVELOPE_WORD = 40, ENVELOPE_WORDS = 16 };

/* ---- quarantine ---- */

static struct store_quarantine *
add_quarantine(struct intake_work *w, const char *code, const char *reason)
{
	const char *const *to = w->m.collections;
	struct store_quarantine *q;

	w->quarantine = arena_grow(w->mem, w->quarantine, w->nquarantine, &w->quarantine_cap,
	    sizeof(*w->quarantine));
	q = &w->quarantine[w->nquarantine++];
	*q = (struct store_quarantine){
		.source = w->m.source, .input = w->m.input, .format = w->format, .code = code,
		.path = "", .reason = reason, .object_id = SLICE_EMPTY, .bytes = SLICE_EMPTY,
		.collection = to != NULL && to[0] != NULL ? to[0] : "",
	};
	return q;
}

/* The place that the readers name. */
static void
set_place(struct store_quarantine *q, const struct err *e)
{
	q->path = e->path;
	q->line = e->at.line;
	q->column = e->at.column;
	q->offset = e->at.offset;
}

/* ---- audit ---- */

/* A record from a buffer of members; the text moves into the arena. */
static void
add_audit(struct intake_work *w, struct strbuf *members, bool counts)
{
	w->audit = arena_grow(w->mem, w->audit, w->naudit, &w->audit_cap, sizeof(*w->audit));
	w->audit[w->naudit++] = (struct store_audit){
		.members = arena_str(w->mem, strbuf_slice(members)), .counts = counts };
	strbuf_fini(members);
}

/* Count a refusal; the first hundred of a message get a record of their own. `why` is policy's: what a
 * reader says may quote the object, and no content goes into the audit log. */
static void
audit_refusal(struct intake_work *w, struct slice id, const char *code, const char *why)
{
	struct strbuf b = STRBUF_INIT;
	char name[19];

	stats_add(w->g->stats, STAT_REFUSED, code, 1);
	if (++w->result.refused > REFUSALS_AUDITED)
		return;
	audit_object(slice_from(w->g->keys->common, sizeof(w->g->keys->common)), id, name);
	audit_text(&b, "ev", SLICE_LIT("refused"));
	audit_text(&b, "source", slice_of(w->m.source));
	audit_text(&b, "obj", slice_of(name));
	audit_text(&b, "code", slice_of(code));
	if (why != NULL)
		audit_text(&b, "why", slice_of(why));
	add_audit(w, &b, false);
}

void
book_left_out(struct intake_work *w, const struct route_conf *route, const struct err *e)
{
	struct strbuf b = STRBUF_INIT;

	stats_add(w->g->stats, STAT_ROUTE_REFUSED, route->name, 1);
	log_event(LOG_WARN, "route.refused", LF_S("request", w->m.request_id), LF_S("route", route->name),
	    LF_S("source", w->m.source), LF_S("code", "LOSS"), LF_S("error", e->reason));
	audit_text(&b, "ev", SLICE_LIT("left-out"));
	audit_text(&b, "route", slice_of(route->name));
	audit_text(&b, "source", slice_of(w->m.source));
	audit_text(&b, "request", slice_of(w->m.request_id));
	audit_text(&b, "code", SLICE_LIT("LOSS"));
	for (int i = 0; i < LOSS_KINDS; i++)
		audit_number(&b, loss_word((enum loss_kind)i), (int64_t)w->loss[i]);
	add_audit(w, &b, false);
}

/* A word of an enumeration: what is none may be anything, and stays out of the log. */
static struct slice
word_of(const json *value)
{
	struct slice s = json_slice(value);

	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-')
			return SLICE_LIT("other");
	return s.n > 0 && s.n <= ENVELOPE_WORD ? s : SLICE_LIT("other");
}

static void
audit_word(struct strbuf *b, const char *member, const json *value)
{
	if (json_str(value) != NULL)
		audit_text(b, member, word_of(value));
}

static void
audit_words(struct strbuf *b, const char *member, const json *list)
{
	struct strbuf words = STRBUF_INIT;
	size_t n = 0;

	for (const json *w = json_first(list); w != NULL && n < ENVELOPE_WORDS; w = json_next(w)) {
		strbuf_adds(&words, n++ > 0 ? " " : "");
		strbuf_addsl(&words, word_of(w));
	}
	if (n > 0)
		audit_text(b, member, strbuf_slice(&words));
	strbuf_fini(&words);
}

/* Under which policy it came: an envelope of RID (formats/rid.h), and the digest of all that it says. */
static void
audit_envelope(struct intake_work *w, struct strbuf *b)
{
	const struct json_limits small = { .depth = 16, .nodes = 10000 };
	char digest[2 * SHA256_LEN + 1];
	struct json_doc doc;
	const json *rid;

	if (w->envelope.n == 0)
		return;
	digest_sha256_hex(w->envelope, digest);
	audit_text(b, "envelope", slice_of(digest));
	if (json_parse(w->envelope, &small, w->mem, &doc, NULL) < 0)
		return;
	rid = json_get(doc.root, "rid");
	audit_word(b, "rid_type", json_get(rid, "msg_type"));
	audit_word(b, "rid_to", json_get(rid, "destination"));
	audit_word(b, "rid_restriction", json_get(rid, "restriction"));
	audit_words(b, "rid_regions", json_get(rid, "regions"));
	audit_words(b, "rid_traffic", json_get(rid, "traffic_types"));
}

void
book_message(struct intake_work *w)
{
	struct strbuf b = STRBUF_INIT;
	char digest[2 * SHA256_LEN + 1];

	hex_text(w->digest, sizeof(w->digest), digest);
	audit_text(&b, "ev", SLICE_LIT("intake"));
	audit_text(&b, "source", slice_of(w->m.source));
	audit_text(&b, "request", slice_of(w->m.request_id));
	audit_text(&b, "format", slice_of(w->format == NULL ? "" : w->format));
	audit_text(&b, "in", slice_of(digest));
	audit_number(&b, "objects", (int64_t)w->nfresh);
	audit_number(&b, "refused", (int64_t)(w->result.refused - w->refused_before));
	if (w->part > 1 || w->job != NULL)
		audit_number(&b, "part", (int64_t)w->part);
	if (w->part <= 1)
		audit_envelope(w, &b);
	add_audit(w, &b, true);
}

/* ---- refusals ---- */

void
book_unreadable(struct intake_work *w)
{
	for (size_t i = 0; i < w->adv->nverdicts; i++) {
		const struct verdict *v = &w->adv->verdicts[i];
		struct store_quarantine *q;

		if (v->kind != VERDICT_REFUSED)
			continue;
		q = add_quarantine(w, v->code, v->err.reason);
		set_place(q, &v->err);
		q->object_id = v->id;
		q->bytes = v->text;
		audit_refusal(w, v->id, v->code, NULL);
	}
}

void
book_refused(struct intake_work *w, const struct object *o, const char *code, const char *why)
{
	struct store_quarantine *q = add_quarantine(w, code, why);

	q->offset = o->offset;
	q->object_id = o->id;
	q->bytes = o->bytes;
	audit_refusal(w, o->id, code, why);
}

void
book_whole(struct intake_work *w, const char *code, const struct err *e)
{
	struct store_quarantine *q = add_quarantine(w, code, e->reason);

	set_place(q, e);
	q->bytes = w->m.body;
	if (q->bytes.n > WHOLE_MAX)	/* its digest is in the audit log */
		q->bytes.n = WHOLE_MAX;
	audit_refusal(w, SLICE_EMPTY, code, NULL);
}

/* ---- the status resource ---- */

/* An entry and where its object stood in the envelope. */
struct placed {
	size_t				index;
	struct store_status_entry	entry;
};

static int
by_index(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static struct slice
known_or(struct slice s)
{
	return s.n > 0 ? s : SLICE_LIT("unknown");
}

static struct placed
place_unreadable(struct intake_work *w, const struct verdict *v)
{
	return (struct placed){ v->index, {
		.id = known_or(v->id), .version = known_or(v->version), .failed = true, .put = -1,
		.message = arena_fmt(w->mem, "%s: %s%s%s", v->code, v->err.path,
		    v->err.path[0] != '\0' ? ": " : "", v->err.reason) } };
}

/* The version of an object that has none is its date in the store; one that is not stored has none. */
static struct placed
place_object(const struct intake_work *w, size_t i, size_t put)
{
	const struct object *o = &w->adv->objects[i];
	bool in = w->refused[i] == NULL;

	return (struct placed){ o->index, {
		.id = o->id, .version = in ? o->version : known_or(o->version), .failed = !in,
		.put = in ? (ssize_t)put : -1, .message = w->refused[i] } };
}

/* What became of each element of this part, in their order; returns how many. */
static size_t
place_all(struct intake_work *w, struct placed *all)
{
	const struct advisory *adv = w->adv;
	size_t n = 0, put = 0;

	for (size_t i = 0; i < adv->nverdicts; i++)
		if (adv->verdicts[i].kind == VERDICT_REFUSED)
			all[n++] = place_unreadable(w, &adv->verdicts[i]);
	for (size_t i = 0; i < adv->n - w->nagain; i++) {
		all[n++] = place_object(w, i, put);
		put += w->refused[i] == NULL;
	}
	qsort(all, n, sizeof(*all), by_index);
	return n;
}

static struct store_status *
errand_status(struct intake_work *w, enum store_status_step step)
{
	struct store_status *st = arena_alloc(w->mem, sizeof(*st));

	snprintf(st->id, sizeof(st->id), "%s", w->m.errand->status);
	st->user = w->m.status_user;
	st->step = step;
	st->from = w->done;
	return st;
}

/* The next part of an errand's status. */
static struct store_status *
part_status(struct intake_work *w, const struct placed *all, size_t n)
{
	struct store_status *st = errand_status(w, w->job == NULL ? STATUS_LAST : STATUS_PART);

	st->entries = arena_alloc(w->mem, (n + 1) * sizeof(*st->entries));
	st->n = n;
	for (size_t i = 0; i < n; i++) {
		if (all[i].index != w->done + i)
			return NULL;
		st->entries[i] = all[i].entry;
	}
	return st;
}

struct store_status *
book_rest(struct intake_work *w, const char *code, const char *why)
{
	struct store_status *st = errand_status(w, STATUS_LAST);

	st->rest = arena_fmt(w->mem, "%s: %s", code, why);
	return st;
}

struct store_status *
book_status(struct intake_work *w)
{
	struct store_status *st = arena_alloc(w->mem, sizeof(*st));
	const struct advisory *adv = w->adv;
	struct placed *all = arena_alloc(w->mem, (adv->n + adv->nverdicts + 1) * sizeof(*all));
	size_t before = w->nkept;

	st->n = place_all(w, all);
	if (w->m.errand != NULL)
		return part_status(w, all, st->n);
	uuid_v4(st->id);
	st->user = w->m.status_user;
	st->requested_us = clock_wall_us();
	st->entries = arena_alloc(w->mem, (w->nkept + st->n + 1) * sizeof(*st->entries));
	st->step = w->job != NULL ? STATUS_DRAFT : STATUS_WHOLE;
	if (w->job == NULL && w->nkept > 0)
		memcpy(st->entries, w->kept, w->nkept * sizeof(*w->kept));
	else
		before = 0;
	for (size_t i = 0; i < st->n; i++)
		st->entries[before + i] = all[i].entry;
	st->n += before;
	return st;
}

void
book_keep_status(struct intake_work *w)
{
	const struct store_status *st = w->txn.status;

	for (size_t i = 0; st != NULL && i < st->n; i++) {
		struct store_status_entry x = st->entries[i];

		x.id = arena_slice(w->all, x.id);
		x.version = arena_slice(w->all, x.version);
		x.message = x.message == NULL ? NULL : arena_str(w->all, slice_of(x.message));
		x.put = -1;
		w->kept = arena_grow(w->all, w->kept, w->nkept, &w->kept_cap, sizeof(*w->kept));
		w->kept[w->nkept++] = x;
	}
}
