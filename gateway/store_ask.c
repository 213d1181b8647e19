#include "gateway/store_ask.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json_walk.h"

/* What a message may hold at most. Intake's own limits are lower; these only bound what a worker that
 * has been taken over can make the storekeeper do. */
enum {
	ID_MAX = 4096,			/* of an object */
	LINE_MAX = 64 << 10,		/* lists of names, reasons, audit members */
	TEXT_MAX = 16 << 20,		/* warnings */
	BYTES_MAX = ASK_FRAME_MAX,
	PUTS_MAX = 1 << 20,
	LIST_MAX = 1 << 16,		/* collections, peers, audit records */
	NUMBERS_MAX = 1 << 20,
	RECORD_DEPTH = 4		/* of an audit record */
};

/* ---- the tables ---- */

static const struct wire_field object_fields[] = {
	WIRE_TEXT(struct object, id, ID_MAX),
	WIRE_TEXT(struct object, type, ID_MAX),
	WIRE_TEXT(struct object, spec_version, ID_MAX),
	WIRE_TEXT(struct object, version, ID_MAX),
	WIRE_TEXT(struct object, version_key, ID_MAX),
	WIRE_TEXT(struct object, created_by, ID_MAX),
	WIRE_TEXT(struct object, valid_until_key, ID_MAX),
	WIRE_ENUM(struct object, phase, PHASES),
	WIRE_U32(struct object, sectors),
	WIRE_U32(struct object, flags),
	WIRE_BOOL(struct object, has_fp),
	WIRE_BYTES(struct object, fp),
	WIRE_U64(struct object, offset),
	WIRE_TEXT(struct object, bytes, BYTES_MAX),
	WIRE_END
};

static const struct wire_field put_fields[] = {
	WIRE_ONE(struct store_put, object, object_fields),
	WIRE_BYTES(struct store_put, content),
	WIRE_ENUM(struct store_put, tlp, TLP_LEVELS),
	WIRE_BOOL(struct store_put, tlp_by_default),
	WIRE_ENUM(struct store_put, pap, PAP_RED + 1),
	WIRE_TEXT(struct store_put, embargo_desk, ASK_NAME_MAX),
	WIRE_NUMBERS(struct store_put, collections, ncollections, LIST_MAX),
	WIRE_NUMBERS(struct store_put, views, nviews, LIST_MAX),
	WIRE_TEXT(struct store_put, supporters, TEXT_MAX),
	WIRE_NUMBERS(struct store_put, follow, nfollow, LIST_MAX),
	WIRE_NUMBERS(struct store_put, distinct, ndistinct, LIST_MAX),
	WIRE_NAMES(struct store_put, peers, npeers, LIST_MAX),
	WIRE_ENUM(struct store_put, lane, 2),
	WIRE_STRING(struct store_put, warnings, TEXT_MAX),
	WIRE_END
};

static const struct wire_field put_answer_fields[] = {
	WIRE_ENUM(struct store_put, outcome, STORE_CONFLICT + 1),
	WIRE_BOOL(struct store_put, linked),
	WIRE_U64(struct store_put, queued),
	WIRE_I64(struct store_put, shown_us),
	WIRE_END
};

static const struct wire_field quarantine_fields[] = {
	WIRE_STRING(struct store_quarantine, source, ASK_NAME_MAX),
	WIRE_STRING(struct store_quarantine, input, LINE_MAX),
	WIRE_STRING(struct store_quarantine, format, ASK_NAME_MAX),
	WIRE_STRING(struct store_quarantine, code, ASK_NAME_MAX),
	WIRE_STRING(struct store_quarantine, path, LINE_MAX),
	WIRE_U32(struct store_quarantine, line),
	WIRE_U32(struct store_quarantine, column),
	WIRE_U64(struct store_quarantine, offset),
	WIRE_STRING(struct store_quarantine, reason, TEXT_MAX),
	WIRE_TEXT(struct store_quarantine, object_id, LINE_MAX),
	WIRE_TEXT(struct store_quarantine, bytes, BYTES_MAX),
	WIRE_STRING(struct store_quarantine, collection, ASK_NAME_MAX),
	WIRE_END
};

static const struct wire_field entry_fields[] = {
	WIRE_TEXT(struct store_status_entry, id, LINE_MAX),
	WIRE_TEXT(struct store_status_entry, version, LINE_MAX),
	WIRE_BOOL(struct store_status_entry, failed),
	WIRE_STRING(struct store_status_entry, message, TEXT_MAX),
	WIRE_I64(struct store_status_entry, put),
	WIRE_END
};

static const struct wire_field errand_fields[] = {
	WIRE_NAME(struct store_errand, source, ASK_NAME_MAX),
	WIRE_NAME(struct store_errand, collection, ASK_NAME_MAX),
	WIRE_NAME(struct store_errand, request, ASK_NAME_MAX),
	WIRE_BOOL(struct store_errand, strict),
	WIRE_U64(struct store_errand, bytes),
	WIRE_BYTES(struct store_errand, sha256),
	WIRE_END
};

static const struct wire_field status_fields[] = {
	WIRE_WORD(struct store_status, id),
	WIRE_STRING(struct store_status, user, ASK_NAME_MAX),
	WIRE_I64(struct store_status, requested_us),
	WIRE_ENUM(struct store_status, step, STATUS_LAST + 1),
	WIRE_U64(struct store_status, from),
	WIRE_U64(struct store_status, total),
	WIRE_STRING(struct store_status, rest, LINE_MAX),
	WIRE_MAYBE(struct store_status, errand, errand_fields),
	WIRE_LIST(struct store_status, entries, n, PUTS_MAX, entry_fields),
	WIRE_END
};

static const struct wire_field audit_fields[] = {
	WIRE_NAME(struct store_audit, members, TEXT_MAX),
	WIRE_BOOL(struct store_audit, counts),
	WIRE_END
};

static const struct wire_field txn_fields[] = {
	WIRE_STRING(struct store_txn, source.name, ASK_NAME_MAX),
	WIRE_ENUM(struct store_txn, source.origin, ORIGIN_RECEIVED + 1),
	WIRE_STRING(struct store_txn, source.advisory, LINE_MAX),
	WIRE_STRING(struct store_txn, source.request, ASK_NAME_MAX),
	WIRE_STRING(struct store_txn, source.hops, LINE_MAX),
	WIRE_STRING(struct store_txn, source.audience, TEXT_MAX),
	WIRE_I64(struct store_txn, source.received_us),
	WIRE_LIST(struct store_txn, puts, nputs, PUTS_MAX, put_fields),
	WIRE_LIST(struct store_txn, quarantine, nquarantine, PUTS_MAX, quarantine_fields),
	WIRE_MAYBE(struct store_txn, status, status_fields),
	WIRE_LIST(struct store_txn, audit, naudit, PUTS_MAX, audit_fields),
	WIRE_END
};

static const struct wire_field txn_answer_fields[] = {
	WIRE_SAME(struct store_txn, puts, nputs, PUTS_MAX, put_answer_fields),
	WIRE_END
};

static const struct wire_field update_fields[] = {
	WIRE_I64(struct outbox_update, oid),
	WIRE_ENUM(struct outbox_update, result, OUTBOX_DEAD + 1),
	WIRE_I64(struct outbox_update, due_us),
	WIRE_STRING(struct outbox_update, reason, TEXT_MAX),
	WIRE_END
};

static const struct wire_field item_fields[] = {
	WIRE_I64(struct outbox_item, oid),
	WIRE_STRING(struct outbox_item, advisory, LINE_MAX),
	WIRE_STRING(struct outbox_item, hops, LINE_MAX),
	WIRE_STRING(struct outbox_item, source, ASK_NAME_MAX),
	WIRE_STRING(struct outbox_item, request, ASK_NAME_MAX),
	WIRE_U32(struct outbox_item, attempts),
	WIRE_I64(struct outbox_item, queued_us),
	WIRE_I64(struct outbox_item, row.vid),
	WIRE_TEXT(struct outbox_item, row.id, ID_MAX),
	WIRE_TEXT(struct outbox_item, row.type, ID_MAX),
	WIRE_TEXT(struct outbox_item, row.spec_version, ID_MAX),
	WIRE_TEXT(struct outbox_item, row.version, ID_MAX),
	WIRE_TEXT(struct outbox_item, row.version_key, ID_MAX),
	WIRE_I64(struct outbox_item, row.date_added_us),
	WIRE_TEXT(struct outbox_item, row.bytes, BYTES_MAX),
	WIRE_TEXT(struct outbox_item, row.fp, FINGERPRINT_LEN),
	WIRE_ENUM(struct outbox_item, row.facts.tlp, TLP_LEVELS),
	WIRE_BOOL(struct outbox_item, row.facts.tlp_by_default),
	WIRE_ENUM(struct outbox_item, row.facts.pap, PAP_RED + 1),
	WIRE_ENUM(struct outbox_item, row.facts.origin, ORIGIN_RECEIVED + 1),
	WIRE_TEXT(struct outbox_item, row.facts.kind, ID_MAX),
	WIRE_U32(struct outbox_item, row.facts.sectors),
	WIRE_ENUM(struct outbox_item, row.facts.phase, PHASES),
	WIRE_U32(struct outbox_item, row.facts.flags),
	WIRE_TEXT(struct outbox_item, row.facts.created_by, ID_MAX),
	WIRE_TEXT(struct outbox_item, row.facts.audience, TEXT_MAX),
	WIRE_TEXT(struct outbox_item, row.facts.embargo_desk, ASK_NAME_MAX),
	WIRE_I64(struct outbox_item, row.facts.embargo_until_us),
	WIRE_END
};

#define AUDIT	WIRE_LIST(struct ask, audit, naudit, PUTS_MAX, audit_fields)

/* Question and answer of each kind. The tables of a commit are over its txn. */
static const struct wire_field question_fields[ASK_KINDS][8] = {
	[ASK_AUDIT] = { AUDIT, WIRE_END },
	[ASK_REMOVE] = {
		WIRE_I64(struct ask, cid),
		WIRE_NUMBERS(struct ask, leave, nleave, NUMBERS_MAX), AUDIT, WIRE_END },
	[ASK_JOIN] = {
		WIRE_I64(struct ask, cid), WIRE_BOOL(struct ask, distinct),
		WIRE_STRING(struct ask, text, TEXT_MAX),
		WIRE_NUMBERS(struct ask, join, njoin, NUMBERS_MAX),
		WIRE_NUMBERS(struct ask, leave, nleave, NUMBERS_MAX), WIRE_END },
	[ASK_UPDATE] = {
		WIRE_LIST(struct ask, updates, nupdates, PUTS_MAX, update_fields), AUDIT,
		WIRE_END },
	[ASK_REQUEUE] = {
		WIRE_STRING(struct ask, name, ASK_NAME_MAX), WIRE_BOOL(struct ask, denied),
		WIRE_END },
	[ASK_QUARANTINE_SET] = {
		WIRE_I64(struct ask, qid), WIRE_NAME(struct ask, name, ASK_NAME_MAX), WIRE_END },
	[ASK_QUARANTINE_TRIM] = {
		WIRE_U64(struct ask, max_rows), WIRE_U64(struct ask, max_bytes), WIRE_END },
	[ASK_STATUS_EXPIRE] = { WIRE_I64(struct ask, now_us), WIRE_END },
	[ASK_LEASE] = {
		WIRE_NAME(struct ask, name, ASK_NAME_MAX), WIRE_I64(struct ask, now_us),
		WIRE_I64(struct ask, lease_us), WIRE_U64(struct ask, max_rows),
		WIRE_U64(struct ask, max_bytes), WIRE_END },
	[ASK_COLLECTION] = {
		WIRE_NAME(struct ask, name, ASK_NAME_MAX), WIRE_STRING(struct ask, uuid, 36),
		WIRE_END },
	[ASK_DIGEST] = { WIRE_I64(struct ask, cid), WIRE_BYTES(struct ask, digest), WIRE_END },
	[ASK_NOTE] = {
		WIRE_NAME(struct ask, space, ASK_NAME_MAX),
		WIRE_NAME(struct ask, name, ASK_NAME_MAX),
		WIRE_STRING(struct ask, text, ASK_NOTE_MAX), WIRE_END },
};

#define COUNT	{ WIRE_U64(struct ask, count), WIRE_END }

static const struct wire_field answer_fields[ASK_KINDS][4] = {
	[ASK_REMOVE] = COUNT,
	[ASK_REQUEUE] = COUNT,
	[ASK_QUARANTINE_TRIM] = COUNT,
	[ASK_STATUS_EXPIRE] = COUNT,
	[ASK_LEASE] = {
		WIRE_LIST(struct ask, items, nitems, PUTS_MAX, item_fields), WIRE_END },
	[ASK_COLLECTION] = {
		WIRE_I64(struct ask, cid), WIRE_WORD(struct ask, uuid_out), WIRE_END },
};

static const struct wire_field figures_fields[] = {
	WIRE_U64(struct store_figures, commits),
	WIRE_U64(struct store_figures, syncs),
	WIRE_U64(struct store_figures, commit_us_total),
	WIRE_U64(struct store_figures, commit_us_max),
	WIRE_U64(struct store_figures, failures),
	WIRE_U64(struct store_figures, damages),
	WIRE_U64(struct store_figures, waiting),
	WIRE_U64(struct store_figures, group_max),
	WIRE_WORD(struct store_figures, trouble),
	WIRE_END
};

/* ---- writing ---- */

/* Begin a body of a length that is told later; returns where. */
static size_t
begin_body(struct strbuf *b)
{
	wire_put_u32(b, 0);
	return b->n;
}

static void
end_body(struct strbuf *b, size_t at)
{
	size_t n = b->n - at;

	for (size_t i = 0; i < 4; i++)
		b->p[at - 4 + i] = (char)(n >> (8 * i));
}

static int
give_up(struct strbuf *b, size_t at, struct err *e)
{
	strbuf_setlen(b, at);
	return err_set(e, ERR_LIMIT, "more than a message to the store may hold");
}

int
ask_put(struct strbuf *b, uint64_t id, const struct ask *a, struct err *e)
{
	size_t was = b->n, at;
	bool fits;

	wire_put_u64(b, id);
	wire_put_u8(b, (uint8_t)a->kind);
	at = begin_body(b);
	fits = a->kind == ASK_COMMIT ? wire_put_fields(b, txn_fields, a->txn) :
	    wire_put_fields(b, question_fields[a->kind], a);
	if (!fits || b->n - was > ASK_FRAME_MAX)
		return give_up(b, was, e);
	end_body(b, at);
	return 0;
}

int
ask_put_answer(struct strbuf *b, uint64_t id, const struct ask *a, const struct err *e)
{
	size_t was = b->n, at;
	bool fits = true;

	wire_put_u64(b, id);
	wire_put_u8(b, (uint8_t)(e == NULL ? ERR_NONE : e->code));
	at = begin_body(b);
	if (e != NULL)
		strbuf_adds(b, e->reason);
	else if (a->kind == ASK_COMMIT)
		fits = wire_put_fields(b, txn_answer_fields, a->txn);
	else
		fits = wire_put_fields(b, answer_fields[a->kind], a);
	if (!fits || b->n - was > ASK_FRAME_MAX)
		return give_up(b, was, NULL);
	end_body(b, at);
	return 0;
}

void
ask_put_figures(struct strbuf *b, const struct store_figures *f)
{
	wire_put_fields(b, figures_fields, f);
}

/* ---- reading ---- */

bool
ask_next(struct wire *w, uint64_t *id, enum ask_kind *kind, struct slice *body)
{
	if (w->bad || w->p == w->end)
		return false;
	*id = wire_u64(w);
	*kind = (enum ask_kind)wire_below(w, ASK_KINDS);
	*body = wire_text(w);
	return !w->bad;
}

bool
ask_next_answer(struct wire *w, uint64_t *id, enum err_code *code, struct slice *body)
{
	if (w->bad || w->p == w->end)
		return false;
	*id = wire_u64(w);
	*code = (enum err_code)wire_below(w, ERR_CODES);
	*body = wire_text(w);
	return !w->bad;
}

void
ask_read_figures(struct wire *w, struct store_figures *f)
{
	wire_get_fields(w, figures_fields, f, NULL);
}

/* ---- what must hold besides the form ---- */

static bool
is_word(struct slice s)
{
	return s.n > 0 && memchr(s.p, '\0', s.n) == NULL;
}

static bool
are_numbers(const int64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] < 1)
			return false;
	return true;
}

static bool
are_names(const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i][0] == '\0' || strlen(v[i]) > ASK_NAME_MAX)
			return false;
	return true;
}

/* A member that a worker may put into a record: the store's own are not for him, however they are spelt. */
static bool
may_say(void *ctx, struct slice name, struct slice value)
{
	static const char *const ours[] = { "seq", "t", "prev", "mac" };

	(void)ctx;
	(void)value;
	for (size_t i = 0; i < COUNTOF(ours); i++)
		if (slice_is(name, ours[i]))
			return false;
	return memchr(name.p, '\\', name.n) == NULL;
}

/* Members of one JSON object on one line: what the log says is what was said. */
static bool
is_record(const char *members, struct arena *mem)
{
	size_t n = strlen(members);
	char *text = arena_raw(mem, n + 2);

	text[0] = '{';
	memcpy(text + 1, members, n);
	text[n + 1] = '}';
	return memchr(members, '\n', n) == NULL && memchr(members, '\r', n) == NULL &&
	    json_walk(slice_from(text, n + 2), RECORD_DEPTH, may_say, NULL);
}

static const char *
check_audit(const struct store_audit *v, size_t n, struct arena *mem)
{
	for (size_t i = 0; i < n; i++)
		if (!is_record(v[i].members, mem))
			return "an audit record that is none";
	return NULL;
}

static const char *
check_put(const struct store_put *p)
{
	const struct object *o = p->object;

	if (!is_word(o->id) || !is_word(o->type) || !is_word(o->version_key))
		return "an object without its id, type or version";
	if (!are_numbers(p->collections, p->ncollections) || !are_numbers(p->views, p->nviews) ||
	    !are_numbers(p->follow, p->nfollow) ||
	    !are_numbers(p->distinct, p->ndistinct))
		return "a collection that has no such number";
	return are_names(p->peers, p->npeers) ? NULL : "a peer without a name";
}

static const char *
check_status(const struct store_txn *t)
{
	const struct store_status *st = t->status;

	if (!uuid_is_valid(slice_of(st->id)))
		return "a status without its id";
	if ((st->step == STATUS_OPEN) != (st->errand != NULL) || st->total > INT64_MAX ||
	    st->from > INT64_MAX - st->n || (st->errand != NULL && st->errand->bytes > INT64_MAX))
		return "a status that cannot be";
	for (size_t i = 0; i < st->n; i++)
		if (st->entries[i].put < -1 || st->entries[i].put >= (ssize_t)t->nputs)
			return "a status of something that is not there";
	return NULL;
}

static const char *
check_txn(const struct store_txn *t, struct arena *mem)
{
	const char *fault = NULL;

	if (t->nputs > 0 && (t->source.name == NULL || t->source.name[0] == '\0'))
		return "objects from nobody";
	for (size_t i = 0; i < t->nputs && fault == NULL; i++)
		fault = check_put(&t->puts[i]);
	if (fault == NULL && t->status != NULL)
		fault = check_status(t);
	return fault != NULL ? fault : check_audit(t->audit, t->naudit, mem);
}

/* What is added up and compared later. */
static bool
is_lease(const struct ask *a)
{
	const int64_t most_us = INT64_MAX / 4;

	return a->now_us >= 0 && a->now_us < most_us && a->lease_us > 0 && a->lease_us < most_us &&
	    a->max_rows <= PUTS_MAX;
}

static const char *
check_word(const struct ask *a)
{
	static const char *const states[] = { "held", "retried", "dropped" };

	if (a->kind == ASK_LEASE && !is_lease(a))
		return "a lease of no time";
	if ((a->name != NULL && a->name[0] == '\0') ||
	    (a->space != NULL && a->space[0] == '\0'))
		return "an empty name";
	if (a->uuid != NULL && !uuid_is_valid(slice_of(a->uuid)))
		return "an id of a collection that is none";
	for (size_t i = 0; i < COUNTOF(states); i++)
		if (a->kind != ASK_QUARANTINE_SET || strcmp(a->name, states[i]) == 0)
			return NULL;
	return "no state of quarantine";
}

const char *
ask_read(struct ask *a, enum ask_kind kind, struct slice body, struct arena *mem)
{
	struct wire w;
	const char *fault;

	wire_open(&w, body);
	a->kind = kind;
	if (kind == ASK_COMMIT) {
		a->txn = arena_alloc(mem, sizeof(*a->txn));
		wire_get_fields(&w, txn_fields, a->txn, mem);
		return wire_done(&w) ? check_txn(a->txn, mem) : "a message that does not fit";
	}
	wire_get_fields(&w, question_fields[kind], a, mem);
	if (!wire_done(&w))
		return "a message that does not fit";
	if (!are_numbers(a->join, a->njoin) || !are_numbers(a->leave, a->nleave))
		return "a version that has no such number";
	fault = check_word(a);
	return fault != NULL ? fault : check_audit(a->audit, a->naudit, mem);
}

bool
ask_read_answer(struct ask *a, struct slice body, struct arena *mem)
{
	struct wire w;

	wire_open(&w, body);
	if (a->kind == ASK_COMMIT)
		wire_get_fields(&w, txn_answer_fields, a->txn, mem);
	else
		wire_get_fields(&w, answer_fields[a->kind], a, mem);
	return wire_done(&w);
}
