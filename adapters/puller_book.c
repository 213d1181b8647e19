/* puller_book.c -- what is written down about pulls: marks, audit records, figures, what people are
 * shown. Part of puller.h. */
#include "adapters/puller_parts.h"

#include <stdio.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"
#include "gateway/store.h"

static const char space[] = "pull";

/* ---- the mark ---- */

void
pull_identity(const struct pull *p, const char *url, const char *collection, char out[17])
{
	struct strbuf b = STRBUF_INIT;
	uint8_t digest[SHA256_LEN];

	strbuf_addf(&b, "pull1|%s|%s|%s|%s|", p->conf->peer, url, collection,
	    p->conf->since == NULL ? "" : p->conf->since);
	for (const char *const *k = p->conf->kinds; k != NULL && *k != NULL; k++)
		strbuf_addf(&b, "%s|", *k);
	digest_sha256(strbuf_slice(&b), digest);
	hex_text(digest, 8, out);
	strbuf_fini(&b);
}

int64_t
pull_mark_read(const struct pull *p)
{
	static const struct json_limits limits = { .depth = 2, .nodes = 32, .bytes = 4096 };
	struct arena *mem = arena_new();
	struct err e = ERR_INIT;
	const char *text = store_note_get(p->all->g->store, space, p->conf->name, mem, &e);
	struct json_doc doc;
	int64_t mark = -1;

	if (e.code != ERR_NONE)
		log_event(LOG_ERROR, "pull.mark", LF_S("pull", p->conf->name), LF_S("error", e.reason));
	if (text != NULL && json_parse(slice_of(text), &limits, mem, &doc, NULL) == 0) {
		if (!slice_is(json_member(doc.root, "of"), p->of))
			log_event(LOG_INFO, "pull.anew", LF_S("pull", p->conf->name),
			    LF_S("why", "it is another collection now, or asks for something else"));
		else if (!stamp_parse(json_member(doc.root, "after"), &mark))
			mark = -1;
	}
	arena_free(mem);
	return mark;
}

void
pull_mark_write(struct pull *p, void (*done)(void *arg, const struct err *e))
{
	char after[STAMP_TEXT + 1], text[128];

	stamp_text(p->walk.mark_us, after);
	snprintf(text, sizeof(text), "{\"after\":\"%s\",\"of\":\"%s\"}", after, p->of);
	store_note_set(p->all->g->store, space, p->conf->name, text, done, p);
}

/* ---- the end of a run ---- */

static void
audit_run(const struct pull *p, const char *result)
{
	const struct pull_info *i = &p->info;
	struct strbuf b = STRBUF_INIT;

	audit_text(&b, "ev", SLICE_LIT("pull"));
	audit_text(&b, "pull", slice_of(p->conf->name));
	audit_text(&b, "source", slice_of(p->conf->peer));
	audit_text(&b, "result", slice_of(result));
	audit_number(&b, "pages", (int64_t)i->pages);
	audit_number(&b, "objects", (int64_t)i->objects);
	audit_number(&b, "fresh", (int64_t)i->fresh);
	audit_number(&b, "refused", (int64_t)i->refused);
	store_audit_add(p->all->g->store, b.p, audit_kept, NULL);
	strbuf_fini(&b);
}

static void
book_failure(struct pull *p, const char *cause, const char *words)
{
	struct pull_info *i = &p->info;
	bool first = strcmp(i->cause, cause) != 0;

	i->failures++;
	snprintf(i->cause, sizeof(i->cause), "%s", cause);
	snprintf(i->error, sizeof(i->error), "%s", words);
	stats_add2(p->all->g->stats, STAT_PULL_FAILED, p->conf->name, cause, 1);
	log_event(LOG_WARN, "pull.failed", LF_S("pull", p->conf->name), LF_S("peer", p->conf->peer),
	    LF_S("cause", cause), LF_I("pages", i->pages), LF_I("objects", i->objects),
	    LF_I("failures", i->failures), LF_S("error", words));
	if (first || i->objects > 0)		/* not every try while it is down */
		audit_run(p, cause);
}

static void
book_success(struct pull *p)
{
	struct pull_info *i = &p->info;
	bool after_failure = i->cause[0] != '\0';
	char mark[STAMP_TEXT + 1] = "";

	if (p->walk.mark_us >= 0)
		stamp_text(p->walk.mark_us, mark);
	i->failures = 0;
	i->cause[0] = i->error[0] = '\0';
	i->last_ok_us = i->since_us = clock_wall_us();
	log_event(i->objects > 0 || after_failure ? LOG_INFO : LOG_DEBUG, "pull.done",
	    LF_S("pull", p->conf->name), LF_S("peer", p->conf->peer), LF_I("pages", i->pages),
	    LF_I("objects", i->objects), LF_I("new", i->fresh), LF_I("known", i->known),
	    LF_I("refused", i->refused), LF_I("us", i->took_us), LF_S("mark", mark));
	if (i->objects > 0 || after_failure)
		audit_run(p, "done");
}

void
pull_book_run(struct pull *p, const char *cause, const char *words)
{
	struct pull_info *i = &p->info;

	i->runs++;
	i->took_us = clock_wall_us() - i->began_us;
	if (p->walk.future && !i->future) {
		i->future = true;
		stats_add2(p->all->g->stats, STAT_PULL_FAILED, p->conf->name, "future", 1);
		log_event(LOG_WARN, "pull.future", LF_S("pull", p->conf->name),
		    LF_S("peer", p->conf->peer), LF_S("why", "dates of the server lie further in the "
		    "future than the skew: they come again until then"));
	}
	if (cause == NULL)
		book_success(p);
	else
		book_failure(p, cause, words);
}

/* ---- what people are shown ---- */

void
pullers_figures(const struct pullers *all, struct stats *s)
{
	int64_t now_us = clock_wall_us();

	for (const struct pull *p = all == NULL ? NULL : all->v; p != NULL; p = p->next) {
		if (p->dead)
			continue;
		stats_set(s, STAT_PULL_SINCE, p->conf->name, (double)(now_us - p->info.since_us) / 1e6);
		stats_set(s, STAT_PULL_FAILING, p->conf->name, p->info.failures);
	}
}

static void
add_time(struct strbuf *b, const char *name, int64_t us)
{
	char text[STAMP_TEXT + 1];

	if (us <= 0)
		return;
	stamp_text(us, text);
	audit_text(b, name, slice_of(text));
}

static void
add_counts(const struct pull_info *i, struct strbuf *b)
{
	const struct {
		const char	*name;
		uint64_t	 n;
	} rows[] = {
		{ "runs", i->runs }, { "failures", i->failures }, { "pages", i->pages },
		{ "objects", i->objects }, { "new", i->fresh }, { "known", i->known },
		{ "refused", i->refused }, { "bytes", i->bytes },
	};

	for (size_t k = 0; k < COUNTOF(rows); k++)
		audit_number(b, rows[k].name, (int64_t)rows[k].n);
}

static void
show(const struct pull *p, struct strbuf *b)
{
	static const char *const states[PULL_STATES] = {
		"idle", "waiting", "finding", "asking", "taking", "booking", "paused",
	};
	const struct pull_info *i = &p->info;

	audit_text(b, "name", slice_of(p->conf->name));
	audit_text(b, "peer", slice_of(p->conf->peer));
	audit_text(b, "state", slice_of(states[p->state]));
	strbuf_adds(b, p->state == PULL_IDLE ? ",\"running\":false" : ",\"running\":true");
	add_counts(i, b);
	if (p->client != NULL)
		audit_text(b, "version", slice_of(taxii_client_version(p->client) == TAXII_20 ? "2.0" :
		    "2.1"));
	add_time(b, "mark", p->walk.mark_us);
	add_time(b, "began", i->began_us);
	add_time(b, "last_ok", i->last_ok_us);
	if (p->state == PULL_IDLE)
		add_time(b, "next_run", i->next_us);
	if (i->cause[0] != '\0') {
		audit_text(b, "cause", slice_of(i->cause));
		audit_text(b, "last_error", slice_of(i->error));
	}
	if (i->future)
		audit_text(b, "warning", SLICE_LIT("dates of the server lie in the future"));
}

bool
pullers_show(const struct pullers *all, const char *name, struct strbuf *out)
{
	for (const struct pull *p = all == NULL ? NULL : all->v; p != NULL; p = p->next) {
		if (p->dead || strcmp(p->conf->name, name) != 0)
			continue;
		show(p, out);
		return true;
	}
	return false;
}

void
pullers_list(const struct pullers *all, struct strbuf *out)
{
	for (const struct pull *p = all == NULL ? NULL : all->v; p != NULL; p = p->next) {
		struct strbuf one = STRBUF_INIT;

		if (p->dead)
			continue;
		show(p, &one);
		strbuf_addf(out, "%s{", out->n > 0 ? "," : "");
		strbuf_addsl(out, strbuf_slice(&one));
		strbuf_addc(out, '}');
		strbuf_fini(&one);
	}
}
