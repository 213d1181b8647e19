/* cmd_consumer_status.c -- `tocsin consumer status`: what each tool asked for and got. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_answer.h"
#include "gateway/cmd_ask.h"

static void
print_counts(const char *head, const json *list, const char *member, const char *more)
{
	if (json_count(list) == 0)
		return;
	printf("%-13s", head);
	for (const json *x = json_first(list); x != NULL; x = json_next(x)) {
		printf("%s%.0f ", x == json_first(list) ? "" : ", ", number_in(x, "objects"));
		print_safe(stdout, json_member(x, member));
	}
	printf("%s\n", more);
}

/* "120 in 3 pages, 81 kB; 40 of them again (33 %)" */
static void
print_delivered(const json *o, struct arena *mem)
{
	double objects = number_in(o, "objects"), again = number_in(o, "repeated_objects");

	if (number_in(o, "pages") == 0)
		return;
	printf("%-13s%.0f objects in %.0f pages, %s", "delivered", objects, number_in(o, "pages"),
	    size_text(mem, number_in(o, "bytes")));
	if (again > 0)
		printf("; %.0f of them again (%.0f %%), in %.0f answers like an earlier one", again,
		    100 * again / objects, number_in(o, "repeats"));
	putchar('\n');
}

/* Those of them that are more than nothing. */
static void
print_numbers(const json *o)
{
	static const struct { const char *head, *member; } rows[] = {
		{ "requests", "requests" }, { "files", "files" }, { "sent to us", "messages" },
		{ "waiting", "waiting" }, { "slowed", "slowed" }, { "errors", "errors" },
		{ "bad logins", "logins_failed" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (number_in(o, rows[i].member) > 0)
			printf("%-13s%.0f%s\n", rows[i].head, number_in(o, rows[i].member),
			    strcmp(rows[i].member, "waiting") == 0 &&
			    json_bool(json_get(o, "waiting_more")) ? " or more" : "");
}

static void
print_one(const json *o, struct arena *mem)
{
	static const struct column who[] = {
		{ "consumer", "name", FORM_PLAIN }, { "state", "state", FORM_PLAIN },
		{ "that is", "words", FORM_PLAIN }, { "first seen", "first", FORM_PLAIN },
		{ "last seen", "last", FORM_PLAIN }, { "from", "remote", FORM_PLAIN },
		{ "client", "client", FORM_PLAIN }, { "asks TAXII", "version", FORM_PLAIN },
		{ "comes every", "rhythm_seconds", FORM_SPAN }, { NULL, NULL, FORM_PLAIN }
	};
	static const struct column troubles[] = {
		{ "last error", "error", FORM_PLAIN }, { "at", "error_at", FORM_PLAIN },
		{ "bad login", "login_failed_at", FORM_PLAIN },
		{ "from", "login_failed_from", FORM_PLAIN }, { NULL, NULL, FORM_PLAIN }
	};
	static const struct column where[] = {
		{ "COLLECTION", "collection", FORM_PLAIN }, { "ASKED", "at", FORM_AGE },
		{ "UP TO", "position", FORM_PLAIN }, { "MORE FOLLOWS", "more", FORM_PLAIN },
		{ "FILTERED", "filtered", FORM_PLAIN }, { NULL, NULL, FORM_PLAIN }
	};

	print_members(o, who);
	print_delivered(o, mem);
	print_counts("by type", json_get(o, "types"), "type", "");
	print_counts("withheld", json_get(o, "withheld"), "reason",
	    " (`tocsin explain OBJECT NAME` says more)");
	print_numbers(o);
	print_members(o, troubles);
	if (json_count(json_get(o, "positions")) > 0) {
		putchar('\n');
		print_list(json_get(o, "positions"), where, "");
	}
}

static void
print_all(const json *list)
{
	static const struct column columns[] = {
		{ "CONSUMER", "name", FORM_PLAIN }, { "STATE", "state", FORM_PLAIN },
		{ "LAST", "last", FORM_AGE }, { "CLIENT", "client", FORM_PLAIN },
		{ "OBJECTS", "objects", FORM_PLAIN }, { "AGAIN", "repeated_objects", FORM_PLAIN },
		{ "BYTES", "bytes", FORM_SIZE }, { "THAT IS", "words", FORM_PLAIN },
		{ NULL, NULL, FORM_PLAIN }
	};

	print_list(list, columns, "no consumers in trust.conf");
}

static int
run(const struct args *a)
{
	struct arena *mem = arena_new();
	json *request = json_object(mem), *answer;
	struct strbuf out = STRBUF_INIT;

	json_put_str(mem, request, "cmd", SLICE_LIT("consumer-status"));
	if (a->n > 0)
		json_put_str(mem, request, "consumer", slice_of(a->v[0]));
	answer = cmd_ask(a, request, mem);
	if (answer != NULL && args_get(a, "json") != NULL) {
		json_print(&out, answer);
		puts(out.p);
	} else if (answer != NULL && a->n > 0) {
		print_one(json_first(json_get(answer, "consumers")), mem);
	} else if (answer != NULL) {
		print_all(json_get(answer, "consumers"));
	}
	strbuf_fini(&out);
	arena_free(mem);
	return answer == NULL ? CMD_FAILED : CMD_DONE;
}

static const struct cmd_option options[] = {
	CMD_CONFIG,
	{ "socket", 0, "PATH", "ask here, whatever the configuration says" },
	{ "json", 'j', NULL, "the answer as the node gives it, one line of JSON" },
	{ .name = NULL }
};

const struct command command_consumer_status = {
	"consumer status", "[NAME]", 0, 1, "what each tool asked for and got, and whether it is stuck",
	"For each consumer: when it last came and with what, what it was given, and a verdict: healthy, "
	"behind (more waits for it), looping (the same question and the same answer, again and again), "
	"stuck (it used to come more often), failing (its last request was refused), silent, never "
	"seen. With NAME also objects by type, what was withheld and why, the last error, and how far it "
	"has come. All workers count, and the counts outlive a restart.",
	options, run
};
