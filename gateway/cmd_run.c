/* cmd_run.c -- `tocsin pull` and `tocsin push`: one run by hand, in the running node, watched from here. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_answer.h"
#include "gateway/cmd_ask.h"
#include "gateway/cmd_progress.h"

/* One command with one operand; NULL after a message. */
static json *
ask(const struct args *a, struct arena *mem, const char *cmd, const char *member, const char *name)
{
	json *request = json_object(mem);

	json_put_str(mem, request, "cmd", slice_of(cmd));
	if (member != NULL)
		json_put_str(mem, request, member, slice_of(name));
	if (args_get(a, "denied") != NULL)
		json_put_bool(mem, request, "denied", true);
	return cmd_ask(a, request, mem);
}

static uint64_t
count_in(const json *o, const char *member)
{
	double v = number_in(o, member);

	return v > 0 ? (uint64_t)v : 0;
}

static void
print_json(struct arena *mem, json *o, const char *outcome)
{
	struct strbuf out = STRBUF_INIT;

	json_put_str(mem, o, "outcome", slice_of(outcome));
	json_print(&out, o);
	puts(out.p);
	strbuf_fini(&out);
}

/* The person looks away; the node works on. */
static int
look_away(const struct args *a, const char *name)
{
	if (args_get(a, "json") == NULL)
		printf("%s: goes on in the node; `tocsin status` tells how far it is\n", name);
	return CMD_NO;
}

/* ---- pull ---- */

/* The pull of that name, or the only one from a peer of that name; NULL after a message. */
static const json *
find_pull(const json *list, const char *name)
{
	const json *found = NULL;
	size_t n = 0;

	for (const json *p = json_first(list); p != NULL; p = json_next(p)) {
		if (slice_is(json_member(p, "name"), name))
			return p;
		if (!slice_is(json_member(p, "peer"), name))
			continue;
		found = p;
		n++;
	}
	if (n == 1)
		return found;
	cmd_complain(n == 0 ? "tocsin.conf has no section `pull %s`" :
			      "there are several pulls from %s; name one of them (`tocsin status` "
			      "shows them)",
	    name);
	return NULL;
}

static void
print_pulled(const struct args *a, struct arena *mem, json *o, int64_t took_us)
{
	struct slice cause = json_member(o, "cause"), name = json_member(o, "name");

	if (args_get(a, "json") != NULL) {
		print_json(mem, o, cause.n > 0 ? "failed" : "done");
		return;
	}
	print_safe(stdout, name);
	printf(": %s pages, %s objects (%s new, %s known, %s refused) in %s\n",
	    progress_number(count_in(o, "pages")), progress_number(count_in(o, "objects")),
	    progress_number(count_in(o, "new")), progress_number(count_in(o, "known")),
	    progress_number(count_in(o, "refused")), span_text(mem, (double)took_us / 1e6));
	if (cause.n == 0)
		return;
	print_safe(stdout, name);
	printf(": failed (%.*s): ", SLICE_ARG(cause));
	print_safe(stdout, json_member(o, "last_error"));
	printf("\n    `tocsin peer doctor %.*s` tells more\n", SLICE_ARG(json_member(o, "peer")));
}

/* Look until the run after the `runs` that were is over. */
static int
watch_pull(const struct args *a, const char *name, uint64_t runs)
{
	struct progress *p = progress_new(name, args_get(a, "json") != NULL);
	int status = -1;

	while (status < 0) {
		struct arena *mem = arena_new();
		json *o = ask(a, mem, "pull-progress", "name", name);
		struct slice state = json_member(o, "state");
		struct progress_state s = { .doing = arena_str(mem, state), .pages = count_in(o, "pages"),
		    .done = count_in(o, "objects"), .trouble = json_member(o, "last_error") };

		if (o == NULL) {
			status = CMD_FAILED;
		} else if (!json_bool(json_get(o, "running")) && count_in(o, "runs") > runs) {
			progress_wipe(p);
			print_pulled(a, mem, o, progress_took_us(p));
			status = json_member(o, "cause").n > 0 ? CMD_NO : CMD_DONE;
		} else if (!progress_show(p, &s)) {
			progress_wipe(p);
			status = look_away(a, name);
		}
		arena_free(mem);
	}
	progress_free(p);
	return status;
}

static int
run_pull(const struct args *a)
{
	struct arena *mem = arena_new();
	json *answer = ask(a, mem, "pulls", NULL, NULL);
	const json *pull = answer == NULL ? NULL : find_pull(json_get(answer, "pulls"), a->v[0]);
	const char *name = pull == NULL ? NULL : json_str(json_get(pull, "name"));
	int status = CMD_FAILED;

	/* One that is under way already is the one that is watched. */
	if (name != NULL && !json_bool(json_get(pull, "running")) &&
	    ask(a, mem, "pull", "name", name) == NULL)
		name = NULL;
	if (name != NULL && args_get(a, "no-wait") == NULL) {
		status = watch_pull(a, name, count_in(pull, "runs"));
	} else if (name != NULL) {
		if (args_get(a, "json") == NULL)
			printf("%s: begun\n", name);
		else
			print_json(mem, json_copy(mem, pull), "begun");
		status = CMD_DONE;
	}
	arena_free(mem);
	return status;
}

/* ---- push ---- */

/* What a peer's queue was when it began. */
struct queue {
	uint64_t	queued, sent, held, dead, denied, failures;
};

static struct queue
queue_of(const json *o)
{
	return (struct queue){ count_in(o, "queued"), count_in(o, "sent"), count_in(o, "held"),
	    count_in(o, "dead"), count_in(o, "denied"), count_in(o, "failures") };
}

/* Old rows are cleared away now and then: a count may shrink. */
static uint64_t
more(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* How many of those that waited have an end, whatever it is. */
static uint64_t
ended(const struct queue *from, const struct queue *now)
{
	return more(now->sent, from->sent) + more(now->held, from->held) + more(now->dead, from->dead) +
	    more(now->denied, from->denied);
}

static int
print_pushed(const struct args *a, struct arena *mem, json *o, const struct queue *from, bool failed)
{
	struct queue now = queue_of(o);
	bool dead = now.dead > from->dead;

	if (args_get(a, "json") != NULL) {
		json_put_int(mem, o, "pushed", (int64_t)more(now.sent, from->sent));
		print_json(mem, o, failed || dead ? "failed" : "done");
		return failed || dead ? CMD_NO : CMD_DONE;
	}
	print_safe(stdout, json_member(o, "name"));
	printf(": %s sent, %s denied, %s held, %s given up, %s waiting\n",
	    progress_number(more(now.sent, from->sent)), progress_number(more(now.denied, from->denied)),
	    progress_number(now.held), progress_number(now.dead), progress_number(now.queued));
	if (failed) {
		print_safe(stdout, json_member(o, "name"));
		fputs(": failed: ", stdout);
		print_safe(stdout, json_member(o, "last_error"));
		printf("\n    the node tries again by itself; `tocsin peer doctor %.*s` tells more\n",
		    SLICE_ARG(json_member(o, "name")));
	}
	return failed || dead ? CMD_NO : CMD_DONE;
}

/* Look until nothing waits, or a try has failed. */
static int
watch_push(const struct args *a, const char *name, struct queue from)
{
	struct progress *p = progress_new(name, args_get(a, "json") != NULL);
	uint64_t failures = from.failures;
	int status = -1;

	while (status < 0) {
		struct arena *mem = arena_new();
		json *o = ask(a, mem, "peer", "peer", name);
		struct queue now = queue_of(o);
		struct progress_state s = { .doing = arena_str(mem, json_member(o, "state")),
		    .done = ended(&from, &now), .total = ended(&from, &now) + now.queued,
		    .trouble = json_member(o, "last_error") };
		bool failed = now.failures > 0 && now.failures != failures;

		if (o == NULL) {
			status = CMD_FAILED;
		} else if (failed || now.queued == 0) {
			progress_wipe(p);
			status = print_pushed(a, mem, o, &from, failed);
		} else if (!progress_show(p, &s)) {
			progress_wipe(p);
			status = look_away(a, name);
		}
		failures = now.failures;
		arena_free(mem);
	}
	progress_free(p);
	return status;
}

static int
run_push(const struct args *a)
{
	struct arena *mem = arena_new();
	json *before = ask(a, mem, "peer", "peer", a->v[0]), *begun = NULL;
	struct queue from = queue_of(before);
	int status = CMD_FAILED;

	if (before != NULL && json_get(before, "queued") == NULL)
		cmd_complain("nothing is ever sent to '%s': it has no url and collection, and no folder",
		    a->v[0]);
	else if (before != NULL)
		begun = ask(a, mem, "peer-retry", "peer", a->v[0]);
	if (begun != NULL) {
		/* what was held or dead waits again */
		from.held = from.dead = 0;
		if (args_get(a, "denied") != NULL)
			from.denied = 0;
	}
	if (begun != NULL && args_get(a, "no-wait") == NULL) {
		status = watch_push(a, a->v[0], from);
	} else if (begun != NULL) {
		if (args_get(a, "json") == NULL)
			printf("%s: %s objects are due now\n", a->v[0],
			    progress_number(count_in(begun, "requeued")));
		else
			print_json(mem, begun, "begun");
		status = CMD_DONE;
	}
	arena_free(mem);
	return status;
}

/* ---- the verbs ---- */

#define COMMON									\
	CMD_CONFIG,								\
	{ "socket", 0, "PATH", "ask here, whatever the configuration says" },	\
	{ "no-wait", 0, NULL, "begin it and return at once" },			\
	{ "json", 'j', NULL, "one line of JSON, when it is over" }

static const struct cmd_option pull_options[] = { COMMON, { .name = NULL } };
static const struct cmd_option push_options[] = {
	COMMON, { "denied", 0, NULL, "what policy denied as well, after a change of the rules" },
	{ .name = NULL }
};

const struct command command_pull = {
	"pull", "NAME", 1, 1, "read from a TAXII server now, and watch",
	"NAME is a section `pull` of tocsin.conf, or a peer from which there is one. The node reads what "
	"is new there, all pages, as it would at the next turn. Ctrl-C ends the watching and not the run.\n"
	"Exit status: 0 all of it is stored, 1 it failed or nobody waited for the end, 2 it could not "
	"begin.",
	pull_options, run_pull
};
const struct command command_push = {
	"push", "PEER", 1, 1, "send what waits for a peer now, and watch",
	"Everything that waits, is held or dead for the peer is due now, as with `tocsin peer retry`; then "
	"the queue is watched until it is empty or a try has failed. Ctrl-C ends the watching alone.\n"
	"Exit status: 0 nothing waits any more, 1 a try failed, objects were given up, or nobody waited "
	"for the end, 2 it could not begin.",
	push_options, run_push
};
