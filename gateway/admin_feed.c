#include "gateway/admin_feed.h"

#include "gateway/admin_commands.h"
#include "gateway/admin_json.h"
#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/feed.h"
#include "gateway/feed_publish.h"
#include "gateway/gateway.h"

/* ---- list ---- */

static void
add_text(struct strbuf *b, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		audit_text(b, name, slice_of(text));
}

/* "csv jsonl txt hosts" */
static void
add_formats(struct strbuf *b, const struct feed_conf *f)
{
	uint64_t served = feed_outputs(f);
	struct strbuf words = STRBUF_INIT;
	const char *last = "";

	for (size_t i = 0; i < FEED_OUTPUTS && flat_outputs[i].name != NULL; i++) {
		if ((served >> i & 1) == 0 || strcmp(flat_outputs[i].name, last) == 0)
			continue;
		last = flat_outputs[i].name;
		strbuf_addf(&words, "%s%s", words.n > 0 ? " " : "", last);
	}
	audit_text(b, "formats", strbuf_slice(&words));
	strbuf_fini(&words);
}

static void
add_published(struct strbuf *b, const struct gateway *g, const struct feed_conf *f)
{
	struct feed_published p;

	add_text(b, "path", f->path);
	add_text(b, "for", f->reader);
	if (!feed_publisher_look(g->publisher, f->name, &p))
		return;
	admin_add_time(b, "published", p.at_us);
	add_text(b, "trouble", p.trouble);
}

void
admin_feed_list(struct admin_call *call)
{
	const struct config *conf = call->g->config;
	struct strbuf b = STRBUF_INIT, list = STRBUF_INIT;

	for (size_t i = 0; i < conf->nfeeds; i++) {
		struct strbuf one = STRBUF_INIT;

		audit_text(&one, "name", slice_of(conf->feeds[i].name));
		audit_text(&one, "collection", slice_of(conf->feeds[i].collection));
		add_formats(&one, &conf->feeds[i]);
		add_published(&one, call->g, &conf->feeds[i]);
		admin_add_item(&list, &one);
	}
	admin_add_list(&b, "feeds", &list);
	admin_reply(call, strbuf_slice(&b));
	strbuf_fini(&b);
}

/* ---- show ---- */

struct showing {
	struct admin_call	*call;
	struct reader		 reader;	/* its name is in the call's memory; peer unused later */
	const char		*feed;
	bool			 known;
};

static void
add_outputs(struct strbuf *b, const struct feed_made *m, uint64_t served)
{
	struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < FEED_OUTPUTS; i++) {
		struct strbuf one = STRBUF_INIT, withheld = STRBUF_INIT;

		if (m->out[i].file == NULL || (served >> i & 1) == 0)
			continue;
		audit_text(&one, "ending", slice_of(flat_outputs[i].ending));
		audit_number(&one, "records", (int64_t)m->out[i].count[FLAT_WRITTEN]);
		audit_number(&one, "bytes", (int64_t)feed_file_bytes(m->out[i].file));
		feed_made_withheld(m, i, &withheld);
		audit_text(&one, "withheld", strbuf_slice(&withheld));
		audit_text(&one, "tag", slice_of(feed_file_tag(m->out[i].file)));
		strbuf_fini(&withheld);
		admin_add_item(&list, &one);
	}
	admin_add_list(b, "outputs", &list);
}

static void
add_examples(struct strbuf *b, const struct feed_made *m)
{
	struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < m->nexamples; i++) {
		struct strbuf one = STRBUF_INIT;

		audit_text(&one, "type", slice_of(m->examples[i].type));
		audit_text(&one, "value", slice_of(m->examples[i].value));
		audit_text(&one, "why", slice_of(m->examples[i].why));
		audit_text(&one, "object", slice_of(m->examples[i].id));
		admin_add_item(&list, &one);
	}
	admin_add_list(b, "warned", &list);
}

static void
add_history(struct strbuf *b, const struct config *conf, const struct showing *s)
{
	const struct peer known = { .name = "" };
	const struct reader r = { .name = s->reader.name, .peer = s->known ? &known : NULL };
	struct feed_state last, oldest;
	struct strbuf base = STRBUF_INIT;
	uint64_t bytes;

	feed_base(conf, s->feed, &r, &base);
	if (feed_log_look(base.p, &last, &oldest, &bytes)) {
		audit_number(b, "state", (int64_t)last.no);
		admin_add_time(b, "changed", last.at_us);
		admin_add_time(b, "changes_since", oldest.at_us);
		audit_number(b, "history_bytes", (int64_t)bytes);
	}
	strbuf_fini(&base);
}

static void
on_ready(void *arg, struct feed_made *made, const struct err *e)
{
	struct showing *s = arg;
	const struct feed_conf *f = config_feed(s->call->g->config, slice_of(s->feed));
	struct strbuf b = STRBUF_INIT;

	if (e != NULL || f == NULL) {
		admin_refuse(s->call, e != NULL ? e->reason : "the configuration was changed meanwhile");
		return;
	}
	audit_text(&b, "name", slice_of(f->name));
	audit_text(&b, "collection", slice_of(f->collection));
	audit_text(&b, "reader", slice_of(s->reader.name));
	add_published(&b, s->call->g, f);
	admin_add_time(&b, "built", made->at_us);
	admin_add_real(&b, "build_seconds", (double)made->took_us / 1e6);
	if (made->until_us != INT64_MAX)
		admin_add_time(&b, "stands_until", made->until_us);
	audit_number(&b, "same_meaning", (int64_t)made->twins);
	audit_number(&b, "not_yet_valid", (int64_t)made->early);
	audit_number(&b, "low_confidence", (int64_t)made->unsure);
	add_history(&b, s->call->g->config, s);
	add_outputs(&b, made, feed_outputs(f));
	add_examples(&b, made);
	admin_reply(s->call, strbuf_slice(&b));
	strbuf_fini(&b);
}

void
admin_feed_show(struct admin_call *call)
{
	const struct gateway *g = call->g;
	struct slice who = json_member(call->args, "consumer");
	const struct feed_conf *f = config_feed(g->config, json_member(call->args, "feed"));
	struct feed_ask ask = { .feed = f };
	struct showing *s;

	if (f == NULL) {
		admin_refuse(call, "there is no feed of that name in tocsin.conf");
		return;
	}
	if (who.n == 0)
		who = slice_of(f->reader);
	ask.reader.peer = who.n == 0 ? NULL : trust_find(g->trust, who);
	ask.reader.name = ask.reader.peer == NULL ? "public" : ask.reader.peer->name;
	ask.collection = catalog_find(g->catalog, slice_of(f->collection));
	if (who.n == 0 ? g->config->authentication : ask.reader.peer == NULL) {
		admin_refuse(call, who.n == 0 ?
		    "each consumer gets what is for it: say which (--for NAME)" :
		    "there is no consumer of that name in trust.conf");
	} else if (ask.collection == NULL ||
	    !catalog_can_read(g->catalog, ask.collection, &ask.reader)) {
		admin_refuse(call, "that consumer may not read the collection");
	} else {
		s = arena_alloc(call->mem, sizeof(*s));
		*s = (struct showing){ .call = call, .known = ask.reader.peer != NULL,
		    .feed = arena_str(call->mem, slice_of(f->name)),
		    .reader.name = arena_str(call->mem, slice_of(ask.reader.name)) };
		feeds_get(g->feeds, &ask, feed_outputs(f), on_ready, s);
	}
}
