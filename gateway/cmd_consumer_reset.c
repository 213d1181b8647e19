/* cmd_consumer_reset.c -- `tocsin consumer reset` and `tocsin consumer revoke`. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_answer.h"
#include "gateway/cmd_ask.h"
#include "gateway/config.h"
#include "gateway/credentials.h"

/* ---- reset ---- */

static void
print_reset(const struct args *a, const json *answer)
{
	const json *list = json_get(answer, "collections");

	printf("%s is served from %s in %zu collection%s:", a->v[0],
	    json_get(answer, "from") == NULL ? "the start" : json_str(json_get(answer, "from")),
	    json_count(list), json_count(list) == 1 ? "" : "s");
	for (const json *x = json_first(list); x != NULL; x = json_next(x)) {
		putchar(' ');
		print_safe(stdout, json_member(x, "collection"));
	}
	printf("\n%s\n", json_bool(json_get(answer, "bookmark")) ? "Its bookmark was put there." :
	    "It has no bookmark: until it has caught up, its own cursor does not count.");
}

static int
reset(const struct args *a)
{
	struct arena *mem = arena_new();
	json *request = json_object(mem), *answer = NULL;
	const char *from = args_get(a, "from"), *collection = args_get(a, "collection");
	struct strbuf out = STRBUF_INIT;

	json_put_str(mem, request, "cmd", SLICE_LIT("consumer-reset"));
	json_put_str(mem, request, "consumer", slice_of(a->v[0]));
	json_put_str(mem, request, "from", slice_of(from));
	if (collection != NULL)
		json_put_str(mem, request, "collection", slice_of(collection));
	if (from == NULL)
		cmd_complain("say --from start, or --from and a time such as 2026-03-31T12:00:00Z");
	else
		answer = cmd_ask(a, request, mem);
	if (answer != NULL && args_get(a, "json") != NULL) {
		json_print(&out, answer);
		puts(out.p);
	} else if (answer != NULL) {
		print_reset(a, answer);
	}
	strbuf_fini(&out);
	arena_free(mem);
	return answer == NULL ? CMD_FAILED : CMD_DONE;
}

static const struct cmd_option reset_options[] = {
	CMD_CONFIG,
	{ "socket", 0, "PATH", "ask here, whatever the configuration says" },
	{ "from", 'f', "TIME", "a time such as 2026-03-31T12:00:00Z, or `start`" },
	{ "collection", 0, "NAME", "this one only (default: all that it may read)" },
	{ "json", 'j', NULL, "the answer as the node gives it, one line of JSON" },
	{ .name = NULL }
};

const struct command command_consumer_reset = {
	"consumer reset", "NAME", 1, 1, "serve a consumer from an earlier place",
	"Moves the bookmark of the consumer (`bookmark yes` in trust.conf). One without is served from "
	"there as if it had one, whatever added_after it sends, until it has caught up or a week is "
	"over; then its own cursor counts again. It gets again what was added since; a walk by `next` "
	"that is under way is finished first.",
	reset_options, reset
};

/* ---- revoke ---- */

static int
revoke_in(const struct args *a, const struct config *conf)
{
	struct err e = ERR_INIT;
	size_t gone = 0;

	if (credentials_remove_secrets(conf->credentials_file, a->v[0], &gone, &e) < 0)
		return cmd_fail_err(&e);
	if (args_get(a, "json") != NULL)
		printf("{\"removed\":%zu}\n", gone);
	else if (gone == 0)
		printf("%s has no token or password in %s.\n", a->v[0], conf->credentials_file);
	else
		printf("%zu secret%s of %s %s gone. A running node takes them until `tocsin reload`.\n",
		    gone, gone == 1 ? "" : "s", a->v[0], gone == 1 ? "is" : "are");
	return gone == 0 ? CMD_NO : CMD_DONE;
}

static int
revoke(const struct args *a)
{
	struct complaints c = { .mem = arena_new() };
	struct config *conf = config_load(cmd_config_path(a), &c);
	int status = conf == NULL ? cmd_complaints(&c) : revoke_in(a, conf);

	config_free(conf);
	arena_free(c.mem);
	return status;
}

static const struct cmd_option revoke_options[] = {
	CMD_CONFIG, { "json", 'j', NULL, "for programs" }, { .name = NULL }
};

const struct command command_consumer_revoke = {
	"consumer revoke", "NAME", 1, 1, "take away the secrets of a consumer",
	"Removes all its tokens and its password from the credentials file. Its section in trust.conf "
	"stays. Exit status 1 if it had none.",
	revoke_options, revoke
};
