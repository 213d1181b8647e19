/*
 * fixture_gateway.h -- a whole gateway over the memory store, for the tests of its parts.
 *
 * The world has a node `here`, collections, partners `near` and `next` (of one green community), `far` (of
 * none), a client, a tool that blocks and our own `soc`. Time stands still. With a loop, commits happen in
 * it, as in a serving node; without, before store_commit returns.
 */
#ifndef TESTS_FIXTURE_GATEWAY_H
#define TESTS_FIXTURE_GATEWAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <event2/event.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/dedup.h"
#include "gateway/figures.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/keys.h"
#include "gateway/limiter.h"
#include "gateway/outbox.h"
#include "gateway/stats.h"
#include "gateway/store_impl.h"
#include "gateway/translate.h"

#define UNUSED	__attribute__((unused))

static const char world_conf[] =
    "node here\n    sign-key k\n    audit-key k\n    dedup-key k\n    url https://here.example\n"
    "store\n    path memory\n"
    "collection kept\n"
    "collection other\n"
    "collection cellar\n    hidden yes\n"
    "collection feed\n    mode view\n    kinds indicator\n    distinct yes\n"
    "collection all\n    mode view\n";

#define PIN(digit)	"    pin sha256:" digit digit digit digit digit digit digit digit "\n"
#define EIGHT(c)	c c c c c c c c

static const char world_trust[] =
    "node here\n    unmarked tlp amber pap amber\n    iodef-unmarked tlp red\n"
    "community sea\n    members near next\n    green yes\n"
    "peer near\n" PIN(EIGHT("1")) "    relation partner\n    speaks stix21\n    speaks-for any\n"
    "    url https://near.example/api/\n    collection inbox-here\n"
    "peer next\n" PIN(EIGHT("2")) "    relation partner\n    speaks stix21\n"
    "    identity identity--22222222-2222-4222-8222-222222222222\n"
    "    url https://next.example/api/\n    collection inbox-here\n"
    "peer far\n" PIN(EIGHT("3")) "    relation partner\n    speaks stix21\n    speaks-for any\n"
    "consumer soc\n    relation own\n    read *\n    write *\n"
    "consumer wall\n    relation own\n    uses block\n    read *\n"
    "consumer dike\n    relation client\n    read *\n"
    "release sea\n    object tlp clear green amber amber+strict\n    object kind indicator malware "
    "report relationship\n    to community sea\n"
    "release own\n    object tlp clear green amber amber+strict\n    to relation own client\n";

struct world {
	struct gateway		 g;
	struct keys		 keys;
	struct arena		*mem;
	const struct store_ops	*sound;		/* of the store, before it was broken */
	struct store_ops	 sick;
};

/* ---- files ---- */

static UNUSED struct config *
world_config(const char *text)
{
	struct complaints c = { 0 };
	struct config *conf = config_parse(slice_of(text), "/nowhere/tocsin.conf", &c);

	if (conf == NULL)
		fail_msg("%s", c.n > 0 ? c.text[0] : "no reason");
	arena_free(c.mem);
	return conf;
}

static UNUSED struct trust *
world_trust_of(const char *text)
{
	struct complaints c = { 0 };
	struct trust *t = trust_parse(slice_of(text), "trust.conf", &c);

	if (t == NULL)
		fail_msg("%s", c.n > 0 ? c.text[0] : "no reason");
	arena_free(c.mem);
	return t;
}

/* A reload: both files anew (NULL: the same again), as serve.c does it. */
static UNUSED void
world_reload(struct world *w, const char *conf, const char *trust)
{
	struct config *old_conf = w->g.config;
	struct trust *old_trust = w->g.trust;
	struct err e = ERR_INIT;

	w->g.config = world_config(conf == NULL ? world_conf : conf);
	w->g.trust = world_trust_of(trust == NULL ? world_trust : trust);
	if (catalog_reload(w->g.catalog, &e) < 0)
		fail_msg("%s", e.reason);
	if (w->g.outbox != NULL)
		outbox_reload(w->g.outbox);
	config_free(old_conf);
	trust_free(old_trust);
}

/* ---- life ---- */

/* Where the store of the next world is; NULL: in memory. */
static UNUSED const char *world_store_path;

/* A loop whose short timers are short: the coarse clock stands still for milliseconds. */
static UNUSED struct event_base *
world_base(void)
{
	struct event_config *conf = event_config_new();
	struct event_base *base;

	event_config_set_flag(conf, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(conf);
	event_config_free(conf);
	return base;
}

static UNUSED struct world *
world_new(const char *conf, const char *trust, bool loop)
{
	static const char key[] = "0123456789abcdef0123456789abcdef";
	struct world *w = calloc(1, sizeof(*w));
	struct err e = ERR_INIT;
	struct dedup_conf dc = { .key = slice_from(key, 32), .prefix = "t:",
	    .claim_short_us = 30000000, .claim_long_us = 3600000000, .local_max = 1000 };
	const struct limiter_conf lc = { .key = slice_from(key, 32), .prefix = "t:",
	    .local_share = 1, .local_max = 1000 };

	log_setup(2, false, LOG_OFF);
	clock_fake(INT64_C(1700000000) * 1000000);
	w->mem = arena_new();
	memcpy(w->keys.audit, key, 32);
	w->g.keys = &w->keys;
	w->g.base = loop ? world_base() : NULL;
	w->g.config = world_config(conf == NULL ? world_conf : conf);
	w->g.trust = world_trust_of(trust == NULL ? world_trust : trust);
	w->g.store = store_open(&(struct store_conf){ .path = world_store_path, .audit_key = slice_from(key, 32),
	    .base = w->g.base }, &e);
	assert_non_null(w->g.store);
	w->sound = w->g.store->ops;
	dc.store_id = slice_of(store_id(w->g.store));
	w->g.dedup = dedup_new(NULL, &dc);
	w->g.limiter = limiter_new(NULL, &lc);
	w->g.stats = stats_new();
	w->g.translate = translate_new(&(struct translate_conf){ .config = w->g.config,
	    .stats = w->g.stats }, &e);
	assert_non_null(w->g.translate);
	w->g.intake = intake_new(&w->g);
	w->g.figures = figures_desk_new(w->g.base, &(struct figures_source){ .stats = w->g.stats,
	    .g = &w->g, .store = w->g.store }, NULL, NULL);
	w->g.catalog = catalog_new(&w->g, &e);
	if (w->g.catalog == NULL)
		fail_msg("%s", e.reason);
	return w;
}

static UNUSED void
world_free(struct world *w)
{
	w->g.draining = 1;
	figures_desk_free(w->g.figures);
	w->g.store->ops = w->sound;
	store_close(w->g.store);
	outbox_free(w->g.outbox);
	intake_free(w->g.intake);
	translate_free(w->g.translate);
	catalog_free(w->g.catalog);
	dedup_free(w->g.dedup);
	limiter_free(w->g.limiter);
	stats_free(w->g.stats);
	config_free(w->g.config);
	trust_free(w->g.trust);
	if (w->g.base != NULL)
		event_base_free(w->g.base);
	arena_free(w->mem);
	clock_real();
	free(w);
}

/* Let the loop do what is ready, until nothing is. */
static UNUSED void
world_turn(struct world *w)
{
	for (int i = 0; w->g.base != NULL && i < 200; i++)
		event_base_loop(w->g.base, EVLOOP_NONBLOCK);
}

/* ---- a store in trouble ---- */

static UNUSED int
world_no_commit(struct store *s, struct err *e)
{
	(void)s;
	return err_set(e, ERR_STORE, "database or disk is full");
}

static UNUSED int
world_no_object(struct store *s, struct slice id, struct arena *mem, struct store_object *out,
    bool *found, struct err *e)
{
	(void)s, (void)id, (void)mem, (void)out, (void)found;
	return err_set(e, ERR_STORE, "disk I/O error");
}

/* From now on nothing is written (as with a full disk), or single objects cannot be read. */
static UNUSED void
world_break(struct world *w, bool writes, bool objects)
{
	w->sick = *w->sound;
	/* the memory store cannot undo a group: it must not begin one */
	if (writes)
		w->sick.begin = world_no_commit;
	if (objects)
		w->sick.object = world_no_object;
	w->g.store->ops = &w->sick;
}

static UNUSED void
world_mend(struct world *w)
{
	w->g.store->ops = w->sound;
}

/* ---- objects ---- */

#define MARKED(tlp)	"\"object_marking_refs\":[\"" tlp "\"],"
#define CLEAR		MARKED("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487")
#define GREEN		MARKED("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb")
#define AMBER		MARKED("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421")
#define STRICT		MARKED("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003")
#define RED		MARKED("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1")
#define NO_LABEL	""

/* "type--00000000-0000-4000-8000-00000000000N" */
static UNUSED const char *
oid(struct world *w, const char *type, int n)
{
	return arena_fmt(w->mem, "%s--00000000-0000-4000-8000-%012d", type, n);
}

/* An object of any type; `more` are further members, each followed by a comma. */
static UNUSED const char *
obj(struct world *w, const char *type, int n, const char *more)
{
	return arena_fmt(w->mem, "{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\",%s"
	    "\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"2023-01-01T00:00:00.000Z\","
	    "\"name\":\"%s %d\"}", type, oid(w, type, n), more, type, n);
}

/* A whole indicator: its pattern follows from its number. */
static UNUSED const char *
ind(struct world *w, int n, const char *label)
{
	return obj(w, "indicator", n, arena_fmt(w->mem, "%s\"pattern_type\":\"stix\","
	    "\"pattern\":\"[ipv4-addr:value = '198.51.%d.%d']\","
	    "\"valid_from\":\"2023-01-01T00:00:00Z\",", label, n / 250, n % 250 + 1));
}

/* {"objects":[a,b,...]}; NULL ends the list. */
static UNUSED struct slice
envelope(struct world *w, ...)
{
	struct strbuf b = STRBUF_INIT;
	struct slice out;
	const char *o;
	va_list ap;

	strbuf_adds(&b, "{\"objects\":[");
	va_start(ap, w);
	for (bool first = true; (o = va_arg(ap, const char *)) != NULL; first = false)
		strbuf_addf(&b, "%s%s", first ? "" : ",", o);
	va_end(ap);
	strbuf_adds(&b, "]}");
	out = arena_slice(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}
#define ENVELOPE(w, ...)	envelope(w, __VA_ARGS__, NULL)

/* ---- intake ---- */

/* What became of a message. */
struct taken {
	int		 calls;
	enum err_code	 error;
	char		 reason[256];
	bool		 retryable;
	size_t		 accepted, known, conflicts, refused, sightings, queued;
	struct strbuf	 status;	/* "id version ok|MESSAGE" a line */
};

static UNUSED void
world_on_taken(void *arg, const struct intake_result *r)
{
	struct taken *t = arg;

	t->calls++;
	t->error = r->error == NULL ? ERR_NONE : r->error->code;
	snprintf(t->reason, sizeof(t->reason), "%s", r->error == NULL ? "" : r->error->reason);
	t->retryable = r->retryable;
	t->accepted = r->accepted;
	t->known = r->known;
	t->conflicts = r->conflicts;
	t->refused = r->refused;
	t->sightings = r->sightings;
	t->queued = r->queued;
	strbuf_reset(&t->status);
	for (size_t i = 0; r->status != NULL && i < r->status->n; i++) {
		const struct store_status_entry *x = &r->status->entries[i];

		strbuf_addf(&t->status, "%.*s %.*s %s\n", SLICE_ARG(x->id), SLICE_ARG(x->version),
		    x->failed ? x->message : "ok");
	}
}

/* A POST by `source` (a name of trust.conf, or "spool:x") into the kept collection. */
static UNUSED struct intake_message
world_message(struct world *w, const char *source, struct slice body)
{
	static const char *const kept[] = { "kept", NULL };

	return (struct intake_message){
		.body = body, .input = "POST body", .format = "stix21", .source = source,
		.from = trust_find(w->g.trust, slice_of(source)), .collections = kept,
		.request_id = "r", .envelope = true,
	};
}

static UNUSED struct taken
world_send(struct world *w, const struct intake_message *m)
{
	struct taken t = { .status = STRBUF_INIT };

	intake_submit(w->g.intake, m, world_on_taken, &t);
	world_turn(w);
	assert_int_equal(t.calls, 1);
	return t;
}

static UNUSED struct taken
world_put(struct world *w, const char *source, struct slice body)
{
	struct intake_message m = world_message(w, source, body);
	struct taken t = world_send(w, &m);

	strbuf_fini(&t.status);
	t.status = (struct strbuf)STRBUF_INIT;
	return t;
}

/* ---- looking ---- */

struct world_page {
	struct strbuf	 ids;		/* "type N" of each row, comma separated */
	size_t		 n;
	bool		 any_version;
	enum err_code	 error;
	struct policy_facts facts;	/* of the last row */
};

static UNUSED void
world_on_page(void *arg, const struct store_page *page, const struct err *e)
{
	struct world_page *p = arg;

	p->error = e == NULL ? ERR_NONE : e->code;
	p->n = page == NULL ? 0 : page->n;
	p->any_version = page != NULL && page->any_version;
	for (size_t i = 0; i < p->n; i++) {
		const struct store_row *r = &page->rows[i];

		strbuf_addf(&p->ids, "%s%.*s %d", i > 0 ? "," : "", SLICE_ARG(r->type),
		    atoi(r->id.p + r->id.n - 12));
		p->facts = r->facts;
		p->facts.kind = p->facts.created_by = p->facts.audience =
		    p->facts.embargo_desk = SLICE_EMPTY;
	}
}

static UNUSED void
world_on_row(void *arg, const struct store_row *r)
{
	struct world_page *p = arg;

	strbuf_addf(&p->ids, "%s%.*s %d", p->ids.n > 0 ? "," : "", SLICE_ARG(r->type),
	    atoi(r->id.p + r->id.n - 12));
}

static UNUSED void
world_on_read(void *arg, const struct store_page *page, const struct page_seen *seen,
    const struct err *e)
{
	(void)arg;
	(void)seen;
	if (e != NULL || page->rows != NULL)
		abort();
}

static UNUSED struct page_query
world_query(void)
{
	return (struct page_query){ .added_after_us = -1, .position_us = -1, .limit = 1000,
	    .want_bytes = true };
}

/* What a reader sees of a collection: "indicator 1,indicator 2". */
static UNUSED const char *
world_sees(struct world *w, const char *reader, const char *collection)
{
	const struct peer *p = trust_find(w->g.trust, slice_of(reader));
	const struct reader r = { .peer = p, .name = reader };
	struct page_query q = world_query();
	struct world_page page = { .ids = STRBUF_INIT };
	const char *text;

	catalog_page(w->g.catalog, &r, catalog_find(w->g.catalog, slice_of(collection)), &q,
	    world_on_row, world_on_read, &page);
	world_turn(w);
	text = arena_str(w->mem, strbuf_slice(&page.ids));
	strbuf_fini(&page.ids);
	return text;
}

/* What is in a collection, whoever may see it; facts of the last row. */
static UNUSED const char *
world_has(struct world *w, const char *collection, struct policy_facts *facts)
{
	struct page_query q = world_query();
	struct world_page page = { .ids = STRBUF_INIT };
	const char *text;

	q.cid = catalog_find(w->g.catalog, slice_of(collection))->cid;
	store_page(w->g.store, &q, world_on_page, &page);
	world_turn(w);
	if (facts != NULL)
		*facts = page.facts;
	text = arena_str(w->mem, strbuf_slice(&page.ids));
	strbuf_fini(&page.ids);
	return text;
}

static UNUSED bool
world_add_audit(void *ctx, uint64_t seq, struct slice line)
{
	(void)seq;
	strbuf_addsl(ctx, line);
	strbuf_addc(ctx, '\n');
	return true;
}

/* The whole audit log. */
static UNUSED const char *
world_audit(struct world *w)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	world_turn(w);
	queue_flush(w->g.store);
	store_audit_each(w->g.store, 0, world_add_audit, &b, NULL);
	text = arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* How often a text stands in another. */
static UNUSED size_t
world_count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static UNUSED void
world_add_quarantine(void *arg, const struct quarantine_row *rows, size_t n, const struct err *e)
{
	struct strbuf *b = arg;

	assert_null(e);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s%s %.*s", i > 0 ? "," : "", rows[i].q.code,
		    SLICE_ARG(rows[i].q.object_id));
}

/* "CODE id" of everything held in quarantine, comma separated. */
static UNUSED const char *
world_quarantine(struct world *w)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	store_quarantine_list(w->g.store, 0, 1000, true, world_add_quarantine, &b);
	text = arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

#endif
