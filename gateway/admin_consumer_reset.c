/* admin_consumer_reset.c -- `consumer-reset`: serve a consumer from an earlier place. */
#include "gateway/admin_consumer.h"

#include <event2/event.h>

#include "gateway/admin_json.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/catalog.h"
#include "gateway/consumer_mark.h"
#include "gateway/gateway.h"

struct reset {
	struct admin_call	*call;
	struct trust		*trust;		/* held */
	const struct peer	*peer;
	int64_t			 from_us;
	struct strbuf		 list;		/* names of collections, as JSON */
	size_t			 n, waiting;
	struct err		 err;
};

/* Answer; r lies in the call's memory and is gone then. */
static void
finish(struct reset *r)
{
	struct admin_call *call = r->call;
	struct err e = r->err;
	struct strbuf b = STRBUF_INIT;

	if (e.code == ERR_NONE) {
		audit_text(&b, "consumer", slice_of(r->peer->name));
		admin_add_bool(&b, "bookmark", r->peer->bookmark);
		admin_add_time(&b, "from", r->from_us == MARK_START ? 0 : r->from_us);
		admin_add_list(&b, "collections", &r->list);
	}
	strbuf_fini(&r->list);
	trust_free(r->trust);
	if (e.code == ERR_NONE)
		admin_reply(call, strbuf_slice(&b));
	else
		admin_refuse(call, e.reason);
	strbuf_fini(&b);
}

static void
on_known(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg);
}

/* The workers look for consumers that are rewound once in a while: what is answered is true for all. */
static void
on_reset(void *arg, const struct err *e)
{
	const struct timeval tv = { MARKS_LOOK_US / 1000000, MARKS_LOOK_US % 1000000 };
	struct reset *r = arg;

	if (e != NULL)
		r->err = *e;
	if (--r->waiting > 0)
		return;
	if (r->err.code != ERR_NONE || r->peer->bookmark ||
	    event_base_once(r->call->g->base, -1, EV_TIMEOUT, on_known, r, &tv) < 0)
		finish(r);
}

static void
reset_one(struct reset *r, const struct collection_conf *col)
{
	struct strbuf record = STRBUF_INIT, one = STRBUF_INIT;
	struct gateway *g = r->call->g;

	r->n++;
	r->waiting++;
	audit_text(&one, "collection", slice_of(col->name));
	admin_add_item(&r->list, &one);
	audit_text(&record, "ev", SLICE_LIT("consumer-reset"));
	audit_text(&record, "consumer", slice_of(r->peer->name));
	audit_text(&record, "collection", slice_of(col->name));
	admin_add_time(&record, "from", r->from_us == MARK_START ? 0 : r->from_us);
	store_audit_add(g->store, record.p, audit_kept, NULL);
	strbuf_fini(&record);
	consumer_marks_reset(g->marks, r->peer, col->uuid, r->from_us, on_reset, r);
}

/* "start", or a time. False if it is neither. */
static bool
read_from(struct slice text, int64_t *us)
{
	bool zone;

	if (slice_is(text, "start")) {
		*us = MARK_START;
		return true;
	}
	return stamp_parse_any(text, us, &zone) && *us >= 0;
}

/* NULL, or why not. */
static const char *
read_call(struct reset *r, const struct collection_conf **only)
{
	const json *args = r->call->args;
	struct slice name = json_member(args, "collection");

	r->peer = trust_find(r->trust, json_member(args, "consumer"));
	if (r->peer == NULL || !r->peer->is_consumer)
		return "there is no consumer of that name in trust.conf";
	if (!read_from(json_member(args, "from"), &r->from_us))
		return "--from is `start`, or a time such as 2026-03-31T12:00:00Z";
	if (name.n > 0 && (*only = catalog_find(r->call->g->catalog, name)) == NULL)
		return "there is no collection of that name";
	return NULL;
}

void
admin_consumer_reset(struct admin_call *call)
{
	const struct catalog *c = call->g->catalog;
	struct reset *r = arena_alloc(call->mem, sizeof(*r));
	const struct collection_conf *only = NULL;
	struct reader who;
	const char *why;

	*r = (struct reset){ .call = call, .trust = trust_hold(call->g->trust), .waiting = 1,
	    .list = STRBUF_INIT };
	why = read_call(r, &only);
	who = (struct reader){ .peer = r->peer, .name = r->peer == NULL ? "" : r->peer->name };
	for (size_t i = 0; why == NULL && i < catalog_count(c); i++) {
		const struct collection_conf *col = catalog_at(c, i);

		if ((only == NULL || col == only) && catalog_visible(c, col, &who) &&
		    catalog_can_read(c, col, &who))
			reset_one(r, col);
	}
	if (why == NULL && r->n == 0)
		why = "it may read no such collection";
	if (why != NULL)
		err_set(&r->err, ERR_REFERENCE, "%s", why);
	on_reset(r, NULL);
}
