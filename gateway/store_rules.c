#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/store_impl.h"

/* ---- dates ---- */

/* A commit begins above the last date rounded up to a millisecond: a client that stores it so rounded
 * misses nothing (C10). */
int64_t
store_next_date(struct store *s)
{
	int64_t now, least = (s->last_us + 999) / 1000 * 1000;

	if (s->dated)
		return ++s->last_us;
	now = clock_wall_us();
	now -= now % 1000;
	if (now <= least)
		now = least + (least == s->last_us ? 1000 : 1);
	s->dated = true;
	return s->last_us = now;
}

struct slice
store_shown(struct slice version, int64_t date_us, struct arena *mem)
{
	char text[STAMP_TEXT + 1];

	if (version.n > 0)
		return version;
	stamp_text(date_us, text);
	return arena_slice(mem, slice_of(text));
}

/* ---- audit ---- */

void
store_seal(struct store *s, struct strbuf *line, const char *members, const char *extra)
{
	char mac[AUDIT_MAC_TEXT + 1];

	if (s->audit_hmac == NULL)
		s->audit_hmac = hmac_new(slice_from(s->audit_key, sizeof(s->audit_key)));
	audit_seal(line, mac, s->audit_hmac, ++s->audit_seq, clock_wall_us(), members, extra,
	    s->audit_prev);
	memcpy(s->audit_prev, mac, sizeof(mac));
}

const char *
store_count_members(const struct store_txn *t, struct arena *mem)
{
	size_t n[STORE_CONFLICT + 1] = { 0 };

	for (size_t i = 0; i < t->nputs; i++)
		n[t->puts[i].outcome]++;
	return arena_fmt(mem, ",\"new\":%zu,\"known\":%zu,\"conflict\":%zu", n[STORE_NEW],
	    n[STORE_KNOWN], n[STORE_CONFLICT]);
}

/* ---- copies and sources ---- */

bool
store_covers(const struct copy_facts *have, const struct copy_facts *want)
{
	/* an exercise is no news of the real thing, nor the other way round */
	const uint32_t same = OBJECT_REVOKED | OBJECT_EXERCISE;

	if (have->tlp > want->tlp || have->pap > want->pap ||
	    ((have->flags ^ want->flags) & same) != 0 ||
	    (have->flags & ~want->flags & OBJECT_EMBARGO) != 0)
		return false;
	if (have->valid_until.n == 0)
		return true;
	return want->valid_until.n > 0 && slice_cmp(have->valid_until, want->valid_until) >= 0;
}

void
store_merge_origin(enum origin *origin, struct slice *audience, enum origin other,
    struct slice other_audience)
{
	if (other != ORIGIN_OWN) {
		if (*origin == ORIGIN_OWN)
			*audience = other_audience;
		else if (!slice_eq(*audience, other_audience))
			*audience = SLICE_EMPTY;
	}
	if (other > *origin)
		*origin = other;
}

void
store_merge_label(enum tlp *tlp, bool *by_default, const struct store_put *again)
{
	if (again->tlp <= *tlp)
		return;
	*tlp = again->tlp;
	*by_default = again->tlp_by_default;
}

uint64_t
store_owner(const char *owner)
{
	uint64_t h = 14695981039346656037u;	/* FNV-1a; the names are our own */

	for (; owner != NULL && *owner != '\0'; owner++)
		h = (h ^ (uint8_t)*owner) * 1099511628211u;
	return h;
}

/* ---- choice of versions ---- */

bool
slice_in(struct slice s, const struct slice *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(s, v[i]))
			return true;
	return false;
}

bool
store_query_is_last(const struct page_query *q)
{
	return !q->all && !q->first && q->nversion_keys == 0;
}

bool
store_keyword_hits(const struct page_query *q, struct slice version_key)
{
	return store_query_is_last(q) || q->all || q->first || q->last ||
	    slice_in(version_key, q->version_keys, q->nversion_keys);
}

/* Step 1: added_after and specification version; without that filter only the greatest stays. */
static void
mark_left(const struct page_query *q, struct version_choice *v, size_t n)
{
	struct slice top = SLICE_EMPTY;

	for (size_t i = 0; i < n; i++) {
		v[i].chosen = false;
		v[i].left = v[i].date_us > q->added_after_us;
		if (q->nspec_versions > 0)
			v[i].left = v[i].left &&
			    slice_in(v[i].spec, q->spec_versions, q->nspec_versions);
		else if (v[i].left && slice_cmp(v[i].spec, top) > 0)
			top = v[i].spec;
	}
	for (size_t i = 0; q->nspec_versions == 0 && i < n; i++)
		v[i].left = v[i].left && slice_eq(v[i].spec, top);
}

int
store_by_date(const void *a, const void *b)
{
	const struct version_choice *x = a, *y = b;

	return (x->date_us > y->date_us) - (x->date_us < y->date_us);
}

void
store_choose(const struct page_query *q, struct version_choice *v, size_t n)
{
	bool last = q->last || store_query_is_last(q);
	struct version_choice *least = NULL, *most = NULL;

	mark_left(q, v, n);
	for (size_t i = 0; i < n; i++) {
		if (!v[i].left)
			continue;
		if (least == NULL || slice_cmp(v[i].version_key, least->version_key) < 0)
			least = &v[i];
		if (most == NULL || slice_cmp(v[i].version_key, most->version_key) > 0)
			most = &v[i];
		v[i].chosen = q->all ||
		    slice_in(v[i].version_key, q->version_keys, q->nversion_keys);
	}
	if (least != NULL && q->first)
		least->chosen = true;
	if (most != NULL && last)
		most->chosen = true;
}

size_t
store_choose_removed(const struct page_query *q, struct version_choice *v, size_t n)
{
	bool everything = q->all || (store_query_is_last(q) && !q->last);
	struct page_query pq = *q;
	size_t count = 0;

	pq.added_after_us = -1;
	store_choose(&pq, v, n);
	for (size_t i = 0; i < n; i++) {
		if (everything)
			v[i].chosen = q->nspec_versions == 0 ||
			    slice_in(v[i].spec, q->spec_versions, q->nspec_versions);
		count += v[i].chosen;
	}
	return count;
}

/* ---- transactions ---- */

/* Another product that passes an object on may write it with other blanks, escapes or order of members;
 * that is no other content. Asked only when the bytes differ. */
bool
store_same_content(const struct store_put *p, struct slice have)
{
	struct arena *mem = arena_new();
	struct json_doc a, b;
	bool same;

	same = json_parse(have, NULL, mem, &a, NULL) == 0 &&
	    json_parse(p->object->bytes, NULL, mem, &b, NULL) == 0 && json_equal(a.root, b.root);
	arena_free(mem);
	return same;
}

void
store_count_status(struct store_status *st)
{
	st->failed = 0;
	for (size_t i = 0; i < st->n; i++)
		st->failed += st->entries[i].failed;
	st->succeeded = st->n - st->failed;
	if (st->step == STATUS_WHOLE)
		st->total = st->n;
}

int
store_status_follows(const struct store_status *st, bool pending, uint64_t total, uint64_t done,
    struct err *e)
{
	if (!pending || done != st->from)
		return err_set(e, ERR_CONFLICT, "somebody else has gone on with the status %s", st->id);
	if (done + st->n > total)
		return err_set(e, ERR_CONFLICT, "the status %s has %llu objects and no more", st->id,
		    (unsigned long long)total);
	return 0;
}

void
store_status_add_rest(struct store_status *st, const char *rest, struct arena *mem)
{
	const struct store_status_entry other = { .id = SLICE_LIT("unknown"),
	    .version = SLICE_LIT("unknown"), .failed = true, .message = rest, .put = -1 };
	struct store_status_entry *all;

	if (st->n >= st->total)
		return;
	all = arena_raw(mem, (size_t)st->total * sizeof(*all));
	if (st->n > 0)
		memcpy(all, st->entries, st->n * sizeof(*all));
	while (st->n < st->total)
		all[st->n++] = other;
	st->entries = all;
}

void
store_fill_status(struct store_txn *t, struct arena *mem)
{
	struct store_status *st = t->status;

	for (size_t i = 0; st != NULL && i < st->n; i++) {
		struct store_status_entry *x = &st->entries[i];
		const struct store_put *p;

		if (x->put < 0 || (size_t)x->put >= t->nputs)
			continue;
		p = &t->puts[x->put];
		x->version = store_shown(p->object->version, p->shown_us, mem);
		x->failed = p->outcome == STORE_CONFLICT;
		x->message = x->failed ?
		    "VERSION_CONFLICT: this version is already here with other content" : NULL;
	}
	if (st != NULL)
		store_count_status(st);
}

struct store_quarantine
store_conflict_row(const struct store_txn *t, const struct store_put *p)
{
	return (struct store_quarantine){
		.source = t->source.name, .input = "", .format = "stix21",
		.code = "VERSION_CONFLICT", .path = "", .offset = p->object->offset,
		.reason = "this version is already here with other content, which stays",
		.object_id = p->object->id, .bytes = p->object->bytes, .collection = "",
	};
}
