/* cmd_feed.c -- `tocsin feed list` and `tocsin feed show`: the feeds there are, and what they keep out. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_answer.h"
#include "gateway/cmd_ask.h"

static void
print_feeds(const json *answer)
{
	static const struct column columns[] = {
		{ "FEED", "name", FORM_PLAIN }, { "COLLECTION", "collection", FORM_PLAIN },
		{ "FORMATS", "formats", FORM_PLAIN }, { "FILES IN", "path", FORM_PLAIN },
		{ "FOR", "for", FORM_PLAIN }, { "RIGHT", "published", FORM_AGE },
		{ "TROUBLE", "trouble", FORM_PLAIN }, { NULL, NULL, FORM_PLAIN }
	};

	print_list(json_get(answer, "feeds"), columns, "no feeds in tocsin.conf");
}

static void
print_feed(const json *answer)
{
	static const struct column rows[] = {
		{ "feed", "name", FORM_PLAIN }, { "collection", "collection", FORM_PLAIN },
		{ "for", "reader", FORM_PLAIN }, { "files in", "path", FORM_PLAIN },
		{ "files right", "published", FORM_PLAIN }, { "trouble", "trouble", FORM_PLAIN },
		{ "built", "built", FORM_PLAIN }, { "that took", "build_seconds", FORM_SPAN },
		{ "stands until", "stands_until", FORM_PLAIN },
		{ "same meaning", "same_meaning", FORM_PLAIN },
		{ "not yet valid", "not_yet_valid", FORM_PLAIN },
		{ "unsure", "low_confidence", FORM_PLAIN }, { "state", "state", FORM_PLAIN },
		{ "changed", "changed", FORM_PLAIN }, { "changes from", "changes_since", FORM_PLAIN },
		{ NULL, NULL, FORM_PLAIN }
	};
	static const struct column outputs[] = {
		{ "ENDING", "ending", FORM_PLAIN }, { "RECORDS", "records", FORM_PLAIN },
		{ "SIZE", "bytes", FORM_SIZE }, { "WITHHELD", "withheld", FORM_PLAIN },
		{ NULL, NULL, FORM_PLAIN }
	};
	static const struct column warned[] = {
		{ "WITHHELD", "value", FORM_PLAIN }, { "KIND", "type", FORM_PLAIN },
		{ "BECAUSE", "why", FORM_PLAIN }, { "OBJECT", "object", FORM_PLAIN },
		{ NULL, NULL, FORM_PLAIN }
	};

	print_members(answer, rows);
	putchar('\n');
	print_list(json_get(answer, "outputs"), outputs, "no outputs");
	putchar('\n');
	print_list(json_get(answer, "warned"), warned, "the warning list kept nothing out");
}

static int
run(const struct args *a)
{
	struct arena *mem = arena_new();
	json *request = json_object(mem), *answer;
	struct strbuf out = STRBUF_INIT;
	const char *consumer;

	json_put_str(mem, request, "cmd", slice_of(a->n > 0 ? "feed-show" : "feed-list"));
	if (a->n > 0) {
		json_put_str(mem, request, "feed", slice_of(a->v[0]));
		if ((consumer = args_get(a, "for")) != NULL)
			json_put_str(mem, request, "consumer", slice_of(consumer));
	}
	answer = cmd_ask(a, request, mem);
	if (answer != NULL && args_get(a, "json") != NULL) {
		json_print(&out, answer);
		puts(out.p);
	} else if (answer != NULL && a->n > 0) {
		print_feed(answer);
	} else if (answer != NULL) {
		print_feeds(answer);
	}
	strbuf_fini(&out);
	arena_free(mem);
	return answer == NULL ? CMD_FAILED : CMD_DONE;
}

#define ASKING									\
	CMD_CONFIG,								\
	{ "socket", 0, "PATH", "ask here, whatever the configuration says" },	\
	{ "json", 'j', NULL, "the answer as the node gives it, one line of JSON" }

static const struct cmd_option list_options[] = { ASKING, { .name = NULL } };
static const struct cmd_option show_options[] = {
	ASKING,
	{ "for", 'f', "CONSUMER", "as this consumer gets it (default: `for` of the feed)" },
	{ .name = NULL }
};

const struct command command_feed_list = {
	"feed list", "", 0, 0, "the flat feeds, their collections and formats",
	"What is served at /feeds/NAME.ENDING, and where it is written to as files.",
	list_options, run
};

const struct command command_feed_show = {
	"feed show", "NAME", 1, 1, "what a feed says to a consumer, and what it keeps out",
	"Makes the feed as that consumer gets it: records and size of each output, how many records are "
	"kept out and why (revoked, expired, warned, label ...), what the warning list kept out by "
	"value, and how far back changes can be asked for.",
	show_options, run
};
