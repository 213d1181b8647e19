#include "gateway/admin_consumer.h"

#include <stdio.h>

#include "gateway/admin_json.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/catalog.h"
#include "gateway/consumer_books.h"
#include "gateway/gateway.h"
#include "gateway/look.h"
#include "gateway/test_token.h"

enum { WAITING_MAX = 10000 };		/* objects that are counted; beyond, it is "at least" */

/* ---- how many objects wait ---- */

struct count {
	struct admin_call	*call;
	struct trust		*trust;		/* held */
	const struct peer	*peer;
	struct book		 book;
	int64_t			 n;		/* -1: cannot be said */
};

/* Where it polled last. NULL: it has not. */
static const struct book_track *
last_track(const struct book *b)
{
	const struct book_track *last = NULL;

	for (size_t i = 0; i < BOOK_TRACKS; i++)
		if (b->tracks[i].key != 0 && (last == NULL || b->tracks[i].at_us > last->at_us))
			last = &b->tracks[i];
	return last;
}

/* ---- one consumer ---- */

static void
add_head(struct strbuf *b, const struct peer *p, const struct book *k, const struct book_verdict *v)
{
	audit_text(b, "name", slice_of(p->name));
	audit_text(b, "relation", slice_of(relation_word(p->relation)));
	audit_text(b, "state", slice_of(book_state_word(v->state)));
	audit_text(b, "words", slice_of(v->words));
	admin_add_time(b, "first", k->first_us);
	admin_add_time(b, "last", k->last_us);
	if (k->last_us > 0) {
		audit_text(b, "remote", slice_of(k->remote));
		audit_text(b, "client", slice_of(k->agent));
		audit_text(b, "version", slice_of(k->version));
	}
	if (v->rhythm_us > 0)
		admin_add_real(b, "rhythm_seconds", (double)v->rhythm_us / 1e6);
	audit_number(b, "requests", k->requests);
	audit_number(b, "pages", k->pages);
	audit_number(b, "objects", k->objects);
	audit_number(b, "files", k->files);
	audit_number(b, "messages", k->messages);
	audit_number(b, "bytes", k->bytes);
	audit_number(b, "repeats", k->repeats);
	audit_number(b, "repeated_objects", k->repeated_objects);
	audit_number(b, "slowed", k->slowed);
	audit_number(b, "errors", k->errors);
	audit_number(b, "logins_failed", k->logins_failed);
}

static void
add_troubles(struct strbuf *b, const struct book *k)
{
	if (k->error_us > 0) {
		char text[BOOK_ERROR + 16];

		admin_add_time(b, "error_at", k->error_us);
		snprintf(text, sizeof(text), "%lld %s", (long long)k->error_status, k->error);
		audit_text(b, "error", slice_of(text));
	}
	if (k->login_us > 0) {
		admin_add_time(b, "login_failed_at", k->login_us);
		audit_text(b, "login_failed_from", slice_of(k->login_remote));
	}
}

static void
add_counts(struct strbuf *b, const struct book *k)
{
	struct strbuf list = STRBUF_INIT, one = STRBUF_INIT;

	for (size_t i = 0; i < k->ntypes; i++) {
		audit_text(&one, "type", slice_of(k->types[i].word));
		audit_number(&one, "objects", k->types[i].n);
		admin_add_item(&list, &one);
	}
	admin_add_list(b, "types", &list);
	for (int i = 0; i < POLICY_REASONS; i++) {
		if (k->withheld[i] == 0)
			continue;
		audit_text(&one, "reason", slice_of(policy_reason_word((enum policy_reason)i)));
		audit_number(&one, "objects", k->withheld[i]);
		admin_add_item(&list, &one);
	}
	admin_add_list(b, "withheld", &list);
}

static void
add_tracks(struct strbuf *b, const struct book *k)
{
	struct strbuf list = STRBUF_INIT, one = STRBUF_INIT;

	for (size_t i = 0; i < BOOK_TRACKS; i++) {
		const struct book_track *t = &k->tracks[i];

		if (t->key == 0)
			continue;
		audit_text(&one, "collection", slice_of(t->collection));
		admin_add_time(&one, "at", t->at_us);
		admin_add_time(&one, "position", t->last_us);
		admin_add_bool(&one, "filtered", t->filtered);
		admin_add_bool(&one, "more", t->more);
		admin_add_item(&list, &one);
	}
	admin_add_list(b, "positions", &list);
}

static void
answer_one(struct count *c)
{
	struct admin_call *call = c->call;
	struct strbuf b = STRBUF_INIT, one = STRBUF_INIT, list = STRBUF_INIT;
	struct book_verdict v;

	book_judge(&c->book, clock_wall_us(), c->n, &v);
	add_head(&one, c->peer, &c->book, &v);
	if (c->n >= 0) {
		audit_number(&one, "waiting", c->n);
		admin_add_bool(&one, "waiting_more", c->n == WAITING_MAX);
	}
	add_troubles(&one, &c->book);
	add_counts(&one, &c->book);
	add_tracks(&one, &c->book);
	admin_add_item(&list, &one);
	admin_add_list(&b, "consumers", &list);
	trust_free(c->trust);
	admin_reply(call, strbuf_slice(&b));
	strbuf_fini(&b);
}

static void
on_counted(void *arg, uint64_t n, int64_t last_us, const struct err *e)
{
	struct count *c = arg;

	(void)last_us;
	if (e == NULL)
		c->n = (int64_t)n;
	answer_one(c);
}

static void
look_at_one(struct admin_call *call, const struct peer *p)
{
	struct gateway *g = call->g;
	struct count *c = arena_alloc(call->mem, sizeof(*c));
	const struct collection_conf *col;
	const struct book_track *t;
	struct reader who;

	c->call = call;
	c->trust = trust_hold(g->trust);
	c->peer = p;
	c->n = -1;
	consumer_books_look(g->books, p->name, &c->book);
	t = last_track(&c->book);
	col = t == NULL || t->filtered ? NULL : catalog_find(g->catalog, slice_of(t->collection));
	if (col == NULL) {
		answer_one(c);
		return;
	}
	who = (struct reader){ .peer = p, .name = p->name };
	look_count(g, &who, col, &(struct page_query){ .added_after_us = t->last_us > 0 ? t->last_us :
	    -1, .position_us = -1 }, WAITING_MAX, on_counted, c);
}

/* ---- all of them ---- */

static void
look_at_all(struct admin_call *call)
{
	const struct trust *t = call->g->trust;
	struct book *k = arena_alloc(call->mem, sizeof(*k));
	struct strbuf b = STRBUF_INIT, list = STRBUF_INIT, one = STRBUF_INIT;
	int64_t now_us = clock_wall_us();

	for (size_t i = 0; i < trust_peers(t); i++) {
		const struct peer *p = trust_peer(t, i);
		struct book_verdict v;

		consumer_books_look(call->g->books, p->name, k);
		if (!p->is_consumer && k->requests == 0)
			continue;
		book_judge(k, now_us, -1, &v);
		add_head(&one, p, k, &v);
		add_troubles(&one, k);
		admin_add_item(&list, &one);
	}
	admin_add_list(&b, "consumers", &list);
	admin_reply(call, strbuf_slice(&b));
	strbuf_fini(&b);
}

void
admin_consumer_status(struct admin_call *call)
{
	struct slice name = json_member(call->args, "consumer");
	const struct peer *p = name.n == 0 ? NULL : trust_find(call->g->trust, name);

	if (name.n == 0)
		look_at_all(call);
	else if (p == NULL)
		admin_refuse(call, "there is no consumer of that name in trust.conf");
	else
		look_at_one(call, p);
}

/* ---- collections ---- */

void
admin_collections(struct admin_call *call)
{
	const struct catalog *c = call->g->catalog;
	struct strbuf b = STRBUF_INIT, list = STRBUF_INIT, one = STRBUF_INIT;

	for (size_t i = 0; i < catalog_count(c); i++) {
		const struct collection_conf *col = catalog_at(c, i);

		audit_text(&one, "name", slice_of(col->name));
		audit_text(&one, "id", slice_of(col->uuid));
		admin_add_item(&list, &one);
	}
	admin_add_list(&b, "collections", &list);
	admin_reply(call, strbuf_slice(&b));
	strbuf_fini(&b);
}

/* ---- tests ---- */

void
admin_consumer_token(struct admin_call *call)
{
	const struct peer *p = trust_find(call->g->trust, json_member(call->args, "consumer"));
	struct strbuf b = STRBUF_INIT, record = STRBUF_INIT;

	if (p == NULL || !p->is_consumer) {
		admin_refuse(call, "there is no consumer of that name in trust.conf");
		return;
	}
	audit_text(&record, "ev", SLICE_LIT("consumer-test"));
	audit_text(&record, "consumer", slice_of(p->name));
	store_audit_add(call->g->store, record.p, audit_kept, NULL);
	strbuf_fini(&record);
	audit_text(&b, "token", slice_of(test_token_make(call->g->keys, p->name, clock_wall_us(),
	    call->mem)));
	admin_reply(call, strbuf_slice(&b));
	secret_wipe(b.p, b.cap);
	strbuf_fini(&b);
}
