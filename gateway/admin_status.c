#include "gateway/admin_status.h"

#include <string.h>

#include "gateway/admin_commands.h"
#include "gateway/admin_json.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/credentials.h"
#include "gateway/figures.h"
#include "gateway/gateway.h"
#include "gateway/health.h"
#include "gateway/policy.h"
#include "gateway/redis.h"

static void
answer(struct admin_call *call, struct strbuf *b)
{
	admin_reply(call, strbuf_slice(b));
	strbuf_fini(b);
}

/* A figure of the table as a member. */
struct member {
	const char	*name;
	enum stats_id	 id;
	const char	*label;
};

/* Those of them that are there. */
static void
add_figures(struct strbuf *b, const struct stats *s, const struct member *rows)
{
	for (; rows->name != NULL; rows++)
		if (stats_has(s, rows->id, rows->label))
			admin_add_real(b, rows->name, stats_value(s, rows->id, rows->label));
}

/* How long a stage takes: how often it was seen, on average, and for 50 and 99 of 100. */
static void
add_times(struct strbuf *b, const char *name, const struct stats *s, enum stats_id id,
    const char *label)
{
	double n = stats_value(s, id, label);
	struct strbuf one = STRBUF_INIT;

	if (n == 0)
		return;
	admin_add_real(&one, "count", n);
	admin_add_real(&one, "mean", stats_sum(s, id, label) / n);
	admin_add_real(&one, "p50", stats_quantile(s, id, label, 0.5));
	admin_add_real(&one, "p99", stats_quantile(s, id, label, 0.99));
	admin_add_object(b, name, &one);
}

/* ---- processes ---- */

static void
add_processes(struct strbuf *b, const struct figures *f)
{
	static const struct member rows[] = {
		{ "resident_bytes", STAT_RESIDENT, NULL },
		{ "proportional_bytes", STAT_PROPORTIONAL, NULL },
		{ "cpu_seconds", STAT_CPU, NULL }, { "open_fds", STAT_FDS, NULL },
		{ "in_work", STAT_IN_WORK, NULL },
		{ "translations_waiting", STAT_TRANSLATE_WAITING, NULL },
		{ "store_queue", STAT_STORE_QUEUE, NULL },
		{ "log_lines_lost", STAT_LOG_LOST, NULL }, { NULL, STATS, NULL }
	};
	struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < f->n; i++) {
		const struct figures_process *p = &f->v[i];
		struct strbuf one = STRBUF_INIT;

		audit_text(&one, "name", slice_of(p->name));
		audit_text(&one, "kind", slice_of(p->kind));
		audit_number(&one, "pid", p->pid);
		admin_add_bool(&one, "up", p->answered);
		admin_add_time(&one, "started", p->started_us);
		audit_number(&one, "restarts", p->restarts);
		add_figures(&one, p->stats, rows);
		if (strcmp(p->kind, "worker") == 0 || strcmp(p->kind, "one") == 0)
			admin_add_real(&one, "connections", stats_total(p->stats, STAT_CONNECTIONS));
		admin_add_item(&list, &one);
	}
	admin_add_list(b, "processes", &list);
}

/* ---- the store, Redis, work ---- */

static void
add_store(struct strbuf *b, const struct figures *f)
{
	static const struct member rows[] = {
		{ "objects", STAT_STORE_OBJECTS, NULL }, { "versions", STAT_STORE_VERSIONS, NULL },
		{ "members", STAT_STORE_MEMBERS, NULL },
		{ "sightings", STAT_STORE_SIGHTINGS, NULL },
		{ "quarantined", STAT_QUARANTINED, NULL },
		{ "quarantined_bytes", STAT_QUARANTINED_BYTES, NULL },
		{ "pending", STAT_PENDING, NULL }, { "pending_bytes", STAT_PENDING_BYTES, NULL },
		{ "audit_records", STAT_AUDIT_SEQ, NULL }, { "commits", STAT_COMMITS, NULL },
		{ "syncs", STAT_SYNCS, NULL }, { "failures", STAT_STORE_FAILURES, NULL },
		{ "damages", STAT_STORE_DAMAGES, NULL }, { "queue", STAT_STORE_QUEUE, NULL },
		{ "date_ahead_seconds", STAT_DATE_AHEAD, NULL },
		{ "group_seconds_max", STAT_COMMIT_MAX, NULL },
		{ "database_bytes", STAT_STORE_BYTES, "database" },
		{ "wal_bytes", STAT_STORE_BYTES, "wal" },
		{ "disk_free_bytes", STAT_DISK_FREE, NULL }, { NULL, STATS, NULL }
	};
	struct strbuf one = STRBUF_INIT;

	add_figures(&one, f->all, rows);
	add_times(&one, "group_commits", f->all, STAT_GROUP, NULL);
	add_times(&one, "group_seconds", f->all, STAT_GROUP_TIME, NULL);
	add_times(&one, "sync_seconds", f->all, STAT_SYNC_TIME, NULL);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].trouble[0] != '\0')
			audit_text(&one, "trouble", slice_of(f->v[i].trouble));
	admin_add_object(b, "store", &one);
}

static void
add_redis(struct strbuf *b, const struct gateway *g, const struct figures *f)
{
	static const struct member rows[] = {
		{ "commands", STAT_REDIS_COMMANDS, NULL }, { "failures", STAT_REDIS_FAILURES, NULL },
		{ "timeouts", STAT_REDIS_TIMEOUTS, NULL },
		{ "reconnects", STAT_REDIS_RECONNECTS, NULL },
		{ "waiting", STAT_REDIS_WAITING, NULL }, { "limits_local", STAT_LIMITER_LOCAL, NULL },
		{ NULL, STATS, NULL }
	};
	struct redis_figures now;
	struct strbuf one = STRBUF_INIT;

	audit_text(b, "redis", slice_of(redis_state_word(redis_state(g->redis))));
	if (g->redis == NULL)
		return;
	redis_figures(g->redis, &now);
	if (now.away_us > 0) {
		admin_add_real(&one, "away_seconds", (double)now.away_us / 1e6);
		audit_text(&one, "reason", slice_of(redis_reason(g->redis)));
	}
	add_figures(&one, f->all, rows);
	add_times(&one, "round_trip_seconds", f->all, STAT_REDIS_TRIP, NULL);
	admin_add_object(b, "redis_figures", &one);
}

static void
add_stage(void *ctx, const char *label, double v)
{
	const struct stats *s = ((void **)ctx)[1];

	(void)v;
	add_times(((void **)ctx)[0], label, s, STAT_STAGE, label);
}

/* What came in and what went out since the processes started. */
static void
add_work(struct strbuf *b, const struct figures *f)
{
	static const struct member rows[] = {
		{ "in_work", STAT_IN_WORK, NULL },
		{ "new", STAT_OBJECTS, "new" }, { "known", STAT_OBJECTS, "known" },
		{ "refused", STAT_OBJECTS, "refused" }, { "conflicts", STAT_OBJECTS, "conflict" },
		{ "sightings", STAT_OBJECTS, "sighting" }, { "login_failed", STAT_LOGIN_FAILED, NULL },
		{ NULL, STATS, NULL }
	};
	struct strbuf one = STRBUF_INIT, stages = STRBUF_INIT;
	void *ctx[2] = { &stages, f->all };

	add_figures(&one, f->all, rows);
	admin_add_real(&one, "connections", stats_total(f->all, STAT_CONNECTIONS));
	admin_add_real(&one, "requests", stats_total(f->all, STAT_HTTP));
	admin_add_real(&one, "advisories", stats_total(f->all, STAT_ADVISORIES));
	admin_add_real(&one, "sent", stats_total(f->all, STAT_SENT));
	stats_each(f->all, STAT_STAGE, add_stage, ctx);
	admin_add_object(&one, "stages", &stages);
	admin_add_object(b, "work", &one);
}

static void
add_problems(struct strbuf *b, const struct health *h)
{
	struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < h->n; i++) {
		struct strbuf one = STRBUF_INIT;

		audit_text(&one, "problem", slice_of(h->v[i].word));
		audit_text(&one, "kind", slice_of(h->v[i].failure ? "failure" : "warning"));
		audit_text(&one, "text", slice_of(h->v[i].text));
		admin_add_item(&list, &one);
	}
	admin_add_list(b, "problems", &list);
}

/* ---- peers, collections ---- */

/* What stands at its address, how we know it, which way leads there, and what we show: never the secret. */
static void
add_way(const struct admin_call *call, const struct peer *p, struct strbuf *b)
{
	static const char *const wires[] = { [WIRE_TOCSIN] = "tocsin", [WIRE_TAXII21] = "taxii21",
	    [WIRE_TAXII20] = "taxii20", [WIRE_FOLDER] = "folder" };
	bool v6 = p->proxy != NULL && strchr(p->proxy, ':') != NULL;
	struct credentials_login login;

	audit_text(b, "wire", slice_of(wires[p->wire]));
	if (p->folder != NULL) {
		audit_text(b, "folder", slice_of(p->folder));
		audit_text(b, "as", slice_of(p->folder_format));
		return;
	}
	audit_text(b, "url", slice_of(p->url));
	audit_text(b, "verify", slice_of(p->by_name ? "name" : "pin"));
	if (p->proxy != NULL)
		audit_text(b, "proxy", slice_of(arena_fmt(call->mem, "%s%s%s:%u", v6 ? "[" : "", p->proxy,
		    v6 ? "]" : "", p->proxy_port)));
	if (credentials_login(call->g->credentials, p->name, &login))
		audit_text(b, "login", slice_of(credentials_login_word(&login)));
	if (credentials_proxy_login(call->g->credentials, p->name, &login))
		audit_text(b, "proxy_login", slice_of(credentials_login_word(&login)));
}

static void
peer_members(const struct admin_call *call, const struct figures *f, const struct peer *p,
    struct strbuf *b)
{
	const struct outbox_link *link = f == NULL ? NULL : figures_link(f, p->name);
	struct outbox_counts n = { 0 };

	audit_text(b, "name", slice_of(p->name));
	audit_text(b, "relation", slice_of(relation_word(p->relation)));
	if (p->url == NULL && p->folder == NULL)
		return;
	add_way(call, p, b);
	if (!peer_is_sent_to(p))
		return;
	store_outbox_counts(call->g->store, p->name, &n, NULL);
	audit_text(b, "state", slice_of(link == NULL ? "idle" : link->state));
	audit_number(b, "queued", (int64_t)n.queued);
	audit_number(b, "held", (int64_t)n.held);
	audit_number(b, "dead", (int64_t)n.dead);
	audit_number(b, "sent", (int64_t)n.sent);
	audit_number(b, "denied", (int64_t)n.denied);
	audit_number(b, "failures", link == NULL ? 0 : link->failures);
	admin_add_time(b, "oldest", n.oldest_us);
	if (link == NULL)
		return;
	admin_add_time(b, "next_try", link->next_us);
	admin_add_time(b, "last_ok", link->last_ok_us);
	if (link->last_error[0] != '\0')
		audit_text(b, "last_error", slice_of(link->last_error));
}

static void
add_peers(const struct admin_call *call, const struct figures *f, struct strbuf *b, bool consumers)
{
	struct strbuf list = STRBUF_INIT;
	const struct trust *t = call->g->trust;

	for (size_t i = 0; i < trust_peers(t); i++) {
		struct strbuf one = STRBUF_INIT;

		if (trust_peer(t, i)->is_consumer != consumers)
			continue;
		peer_members(call, f, trust_peer(t, i), &one);
		admin_add_item(&list, &one);
	}
	admin_add_list(b, consumers ? "consumers" : "peers", &list);
}

static void
add_pulls(const struct admin_call *call, struct strbuf *b)
{
	struct strbuf list = STRBUF_INIT;

	if (call->hooks->pull_list != NULL)
		call->hooks->pull_list(call->hooks->listening_ctx, &list);
	admin_add_list(b, "pulls", &list);
}

static void
add_collections(const struct admin_call *call, struct strbuf *b)
{
	struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < catalog_count(call->g->catalog); i++) {
		const struct collection_conf *c = catalog_at(call->g->catalog, i);
		struct strbuf one = STRBUF_INIT;

		audit_text(&one, "name", slice_of(c->name));
		audit_text(&one, "id", slice_of(c->uuid));
		audit_text(&one, "kind", slice_of(c->view ? "view" : "kept"));
		admin_add_item(&list, &one);
	}
	admin_add_list(b, "collections", &list);
}

static void
add_words(struct strbuf *b, const char *name, const char *const *words)
{
	struct strbuf list = STRBUF_INIT;

	for (; words != NULL && *words != NULL; words++) {
		if (list.n > 0)
			strbuf_addc(&list, ',');
		json_print_string(&list, slice_of(*words));
	}
	admin_add_list(b, name, &list);
}

/* What tells a forged advisory of the peer from a true one, and whose objects it may bring. */
static void
add_speaks_for(struct strbuf *b, const struct peer *p)
{
	struct strbuf key = STRBUF_INIT, list = STRBUF_INIT;

	if (p->has_sign_key) {
		strbuf_adds(&key, "ed25519:");
		base64_add(&key, p->sign_key, sizeof(p->sign_key));
		audit_text(b, "sign_key", strbuf_slice(&key));
		strbuf_fini(&key);
	}
	if (p->identity.n > 0)
		json_print_string(&list, p->identity);
	for (size_t i = 0; i < p->nspeaks_for; i++) {
		strbuf_adds(&list, list.n > 0 ? "," : "");
		json_print_string(&list, p->speaks_for[i]);
	}
	if (p->speaks_for_any)
		json_print_string(&list, SLICE_LIT("any"));
	admin_add_list(b, "speaks_for", &list);
}

static void
answer_peer(void *arg, const struct figures *f)
{
	struct admin_call *call = arg;
	const struct peer *p = trust_find(call->g->trust, json_member(call->args, "peer"));
	struct strbuf b = STRBUF_INIT, pins = STRBUF_INIT;
	char hex[65];

	if (p == NULL) {
		admin_refuse(call, "there is no peer or consumer of that name in trust.conf");
		return;
	}
	peer_members(call, f, p, &b);
	admin_add_bool(&b, "consumer", p->is_consumer);
	for (size_t i = 0; i < p->npins; i++) {
		hex_text(p->pins[i], 32, hex);
		strbuf_addf(&pins, "%s\"sha256:%s\"", i > 0 ? "," : "", hex);
	}
	admin_add_list(&b, "pins", &pins);
	add_speaks_for(&b, p);
	add_words(&b, "speaks", p->speaks);
	add_words(&b, "reads", p->reads);
	add_words(&b, "writes", p->writes);
	if (p->collection != NULL)
		audit_text(&b, "collection", slice_of(p->collection));
	if (p->country != NULL)
		audit_text(&b, "country", slice_of(p->country));
	audit_text(&b, "file", slice_of(p->file));
	audit_number(&b, "line", p->line);
	answer(call, &b);
}

static void
answer_peers(void *arg, const struct figures *f)
{
	struct strbuf b = STRBUF_INIT;

	add_peers(arg, f, &b, false);
	answer(arg, &b);
}

static void
answer_status(void *arg, const struct figures *f)
{
	struct admin_call *call = arg;
	struct gateway *g = call->g;
	struct strbuf b = STRBUF_INIT;
	char text[512] = "", hex[65];
	struct health h;

	health_look(&h, call->mem, g, f);
	audit_text(&b, "node", slice_of(g->config->name));
	audit_text(&b, "version", slice_of(TOCSIN_VERSION));
	admin_add_time(&b, "started", g->started_us);
	admin_add_bool(&b, "ready", h.ready);
	admin_add_bool(&b, "draining", g->draining);
	call->hooks->listening(call->hooks->listening_ctx, text, sizeof(text));
	audit_text(&b, "listening", slice_of(text));
	hex_text(trust_digest(g->trust), 32, hex);
	audit_text(&b, "policy", slice_of(hex));
	admin_add_real(&b, "in_work", stats_value(f->all, STAT_IN_WORK, NULL));
	add_problems(&b, &h);
	add_processes(&b, f);
	add_store(&b, f);
	add_redis(&b, g, f);
	add_work(&b, f);
	add_peers(call, f, &b, false);
	add_pulls(call, &b);
	add_collections(call, &b);
	answer(call, &b);
}

/* ---- the verbs ---- */

void
admin_status(struct admin_call *call)
{
	figures_gather(call->g->figures, answer_status, call);
}

void
admin_peers(struct admin_call *call)
{
	figures_gather(call->g->figures, answer_peers, call);
}

void
admin_peer(struct admin_call *call)
{
	figures_gather(call->g->figures, answer_peer, call);
}

void
admin_consumers(struct admin_call *call)
{
	struct strbuf b = STRBUF_INIT;

	add_peers(call, NULL, &b, true);
	answer(call, &b);
}
