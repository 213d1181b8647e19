/* cmd_control.c -- the verbs that ask a running node, over its control socket (admin.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_answer.h"
#include "gateway/cmd_ask.h"
#include "gateway/config.h"

enum { WATCH_SECONDS = 2, EDITED_MAX = 32 << 20 };

/* What one verb asks and how its answer reads. */
struct control {
	const struct command	*command;
	const char		*cmd;			/* admin_commands.c */
	const char		*operands[3];		/* members for the operands, in order */
	int			(*print)(const struct args *a, const json *answer);
};
static int	run(const struct args *a);
static int	watch(const struct args *a);

/* ---- the answers ---- */

static int
print_peers(const struct args *a, const json *answer)
{
	static const struct column columns[] = {
		{ "PEER", "name", 0 }, { "RELATION", "relation", 0 }, { "WIRE", "wire", 0 },
		{ "AS", "as", 0 },
		{ "VERIFY", "verify", 0 }, { "LOGIN", "login", 0 }, { "PROXY", "proxy", 0 },
		{ "STATE", "state", 0 }, { "QUEUED", "queued", 0 }, { "HELD", "held", 0 },
		{ "DEAD", "dead", 0 }, { "DENIED", "denied", 0 }, { "SENT", "sent", 0 },
		{ "WAITS SINCE", "oldest", FORM_AGE }, { "LAST OK", "last_ok", 0 },
		{ "NEXT TRY", "next_try", 0 }, { "FAILED", "failures", 0 },
		{ "LAST ERROR", "last_error", 0 }, { NULL, NULL, 0 }
	};

	(void)a;
	print_list(json_get(answer, "peers"), columns, "no peers in trust.conf");
	return CMD_DONE;
}

static int
print_consumers(const struct args *a, const json *answer)
{
	static const struct column columns[] = {
		{ "CONSUMER", "name", 0 }, { "RELATION", "relation", 0 }, { NULL, NULL, 0 }
	};

	(void)a;
	print_list(json_get(answer, "consumers"), columns, "no consumers in trust.conf");
	return CMD_DONE;
}

static void
print_words(const char *name, const json *list)
{
	if (json_count(list) == 0)
		return;
	printf("%-12s", name);
	for (const json *w = json_first(list); w != NULL; w = json_next(w)) {
		putchar(' ');
		print_safe(stdout, json_slice(w));
	}
	putchar('\n');
}

static int
print_peer(const struct args *a, const json *answer)
{
	static const struct column rows[] = {
		{ "name", "name", 0 }, { "relation", "relation", 0 }, { "country", "country", 0 },
		{ "url", "url", 0 }, { "wire", "wire", 0 }, { "folder", "folder", 0 },
		{ "written as", "as", 0 }, { "verify", "verify", 0 },
		{ "login", "login", 0 }, { "proxy", "proxy", 0 }, { "proxy login", "proxy_login", 0 },
		{ "collection", "collection", 0 }, { "state", "state", 0 },
		{ "queued", "queued", 0 }, { "held", "held", 0 }, { "dead", "dead", 0 },
		{ "denied", "denied", 0 },
		{ "sent", "sent", 0 }, { "oldest", "oldest", 0 }, { "last ok", "last_ok", 0 },
		{ "next try", "next_try", 0 }, { "last error", "last_error", 0 },
		{ "said in", "file", 0 },
		{ "line", "line", 0 }, { "sign key", "sign_key", 0 }, { NULL, NULL, 0 }
	};

	(void)a;
	print_members(answer, rows);
	print_words("pins", json_get(answer, "pins"));
	print_words("speaks", json_get(answer, "speaks"));
	print_words("speaks for", json_get(answer, "speaks_for"));
	print_words("reads", json_get(answer, "reads"));
	print_words("writes", json_get(answer, "writes"));
	return CMD_DONE;
}

static int
print_explain(const struct args *a, const json *answer)
{
	static const struct column seen[] = {
		{ "SOURCE", "source", 0 }, { "COUNT", "count", 0 }, { "FIRST", "first", 0 },
		{ "LAST", "last", 0 },
		{ "HOPS", "hops", 0 }, { "AS", "id", 0 }, { NULL, NULL, 0 }
	};
	static const struct column sent[] = {
		{ "PEER", "peer", 0 }, { "STATE", "state", 0 }, { "AT", "at", 0 },
		{ "REASON", "reason", 0 },
		{ NULL, NULL, 0 }
	};
	struct slice text = json_member(answer, "text");

	(void)a;
	while (text.n > 0) {
		print_safe(stdout, slice_cut(&text, '\n'));
		putchar('\n');
	}
	putchar('\n');
	print_list(json_get(answer, "sightings"), seen, "never seen");
	putchar('\n');
	print_list(json_get(answer, "delivery"), sent, "queued for nobody");
	for (const json *w = json_first(json_get(answer, "remarks")); w != NULL; w = json_next(w)) {
		fputs("remark  ", stdout);
		print_safe(stdout, json_slice(w));
		putchar('\n');
	}
	return CMD_DONE;
}

static int
print_quarantine(const struct args *a, const json *answer)
{
	static const struct column columns[] = {
		{ "ID", "id", 0 }, { "AT", "at", 0 }, { "STATE", "state", 0 },
		{ "SOURCE", "source", 0 },
		{ "INPUT", "input", 0 }, { "LINE", "line", 0 }, { "COLUMN", "column", 0 },
		{ "CODE", "code", 0 },
		{ "PATH", "path", 0 }, { "REASON", "reason", 0 }, { NULL, NULL, 0 }
	};

	(void)a;
	print_list(json_get(answer, "quarantine"), columns, "quarantine is empty");
	return CMD_DONE;
}

static int
print_refused(const struct args *a, const json *answer)
{
	static const struct column rows[] = {
		{ "id", "id", 0 }, { "at", "at", 0 }, { "state", "state", 0 },
		{ "source", "source", 0 },
		{ "input", "input", 0 }, { "format", "format", 0 }, { "line", "line", 0 },
		{ "column", "column", 0 }, { "offset", "offset", 0 }, { "code", "code", 0 },
		{ "path", "path", 0 },
		{ "reason", "reason", 0 }, { "object", "object", 0 }, { NULL, NULL, 0 }
	};
	struct strbuf bytes = STRBUF_INIT;
	struct slice rest;
	int status = CMD_DONE;

	if (!base64_decode(json_member(answer, "bytes"), false, &bytes))
		return cmd_fail("what was refused did not arrive whole");
	rest = strbuf_slice(&bytes);
	if (args_get(a, "raw") != NULL) {
		status = cmd_print(rest);
	} else {
		print_members(answer, rows);
		putchar('\n');
		while (rest.n > 0) {
			print_safe(stdout, slice_cut(&rest, '\n'));
			putchar('\n');
		}
	}
	strbuf_fini(&bytes);
	return status;
}

static int
print_counts(const struct args *a, const json *answer)
{
	static const struct column rows[] = {
		{ "requeued", "requeued", 0 }, { "accepted", "accepted", 0 },
		{ "known", "known", 0 },
		{ "refused", "refused", 0 }, { NULL, NULL, 0 }
	};

	(void)a;
	print_members(answer, rows);
	return CMD_DONE;
}

static int
print_done(const struct args *a, const json *answer)
{
	(void)answer;
	printf("%s: done\n", a->command->name);
	return CMD_DONE;
}

/* ---- the verbs ---- */

#define COMMON									\
	CMD_CONFIG,								\
	{ "socket", 0, "PATH", "ask here, whatever the configuration says" },	\
	{ "json", 'j', NULL, "the answer as the node gives it, one line of JSON" }

static const struct cmd_option common[] = { COMMON, { .name = NULL } };
static const struct cmd_option status_options[] = {
	COMMON, { "watch", 'w', NULL, "look again every two seconds" }, { .name = NULL }
};
static const struct cmd_option list_options[] = {
	COMMON, { "all", 'a', NULL, "what was retried or dropped as well" }, { .name = NULL }
};
static const struct cmd_option show_options[] = {
	COMMON, { "raw", 0, NULL, "only what was refused, byte for byte" }, { .name = NULL }
};
static const struct cmd_option peer_retry_options[] = {
	COMMON, { "denied", 0, NULL, "what policy denied as well, after a change of the rules" },
	{ .name = NULL }
};
static const struct cmd_option retry_options[] = {
	COMMON, { "file", 'f', "FILE", "an edited copy, instead of what was refused" }, { .name = NULL }
};

const struct command command_status = {
	"status", "", 0, 0, "what the running node is doing",
	"Shows what is wrong, the node's processes, its store, and how far each peer is. With "
	"--watch again every two seconds, until it is stopped.", status_options, watch
};
const struct command command_reload = {
	"reload", "", 0, 0, "let the running node read its files again",
	"All changes of tocsin.conf, trust.conf and credentials take effect, or none if any of "
	"them is wrong.",
	common, run
};
const struct command command_upgrade = {
	"upgrade", "", 0, 0, "let the binary on disk take over",
	"The new binary reads all files first; if it says no, nothing changes. Then the node finishes "
	"what it has in hand, and the new binary goes on with the same sockets: whoever connects "
	"meanwhile waits. If it cannot start after all, the old one goes on.",
	common, run
};
const struct command command_peer_list = {
	"peer list", "", 0, 0, "the peers and how delivery to each stands",
	"Queued: waits for delivery. Held: waits for a decision or a date. Dead: given up; `tocsin "
	"peer retry` tries again. Denied: the rules say no; with --denied it asks them again.",
	common, run
};
const struct command command_peer_show = {
	"peer show", "PEER", 1, 1, "one peer or consumer in full",
	"Shows what trust.conf says of it and how delivery stands.", common, run
};
const struct command command_peer_retry = {
	"peer retry", "PEER", 1, 1, "try again now what waits, is held or dead for a peer",
	"Everything that waits, is held or dead for the peer is due now, however long the next "
	"try was to wait; policy decides again for each object. A change of trust.conf alone "
	"brings back nothing that was held or denied.",
	peer_retry_options, run
};
const struct command command_consumer_list = {
	"consumer list", "", 0, 0, "the consumers in trust.conf",
	"Shows the tools that may pull or push over TAXII. `tocsin consumer show NAME` tells more "
	"about one, `tocsin consumer status` what they do.",
	common, run
};
const struct command command_consumer_show = {
	"consumer show", "NAME", 1, 1, "what trust.conf says of a consumer",
	"Shows its section and where it stands. `tocsin consumer status NAME` says what it does.",
	common, run
};
const struct command command_explain = {
	"explain", "OBJECT PEER", 2, 2, "may this object go to that peer, and why",
	"Decides now, as the node would at the moment of sending, and names every rule with its "
	"file and line; then who gave the object to us and who got it. Exit status 1 if it may "
	"not go.",
	common, run
};
const struct command command_quarantine_list = {
	"quarantine list", "", 0, 0, "what was refused, where and why",
	"One line for each refused object or document.", list_options, run
};
const struct command command_quarantine_show = {
	"quarantine show", "ID", 1, 1, "one refused object in full",
	"Shows the reason and what was refused. With --raw only the latter, to be edited for "
	"`tocsin quarantine retry ID --file FILE`.", show_options, run
};
const struct command command_quarantine_retry = {
	"quarantine retry", "ID", 1, 1, "take in a refused object once more",
	"From the same source, on the same road; after a change of configuration, or with an "
	"edited copy.",
	retry_options, run
};
const struct command command_quarantine_drop = {
	"quarantine drop", "ID", 1, 1, "close the case of a refused object",
	"It leaves the list; `tocsin quarantine list --all` still shows it.", common, run
};

static const struct control controls[] = {
	{ &command_status, "status", { NULL }, print_status },
	{ &command_reload, "reload", { NULL }, print_done },
	{ &command_upgrade, "upgrade", { NULL }, print_done },
	{ &command_peer_list, "peers", { NULL }, print_peers },
	{ &command_peer_show, "peer", { "peer" }, print_peer },
	{ &command_peer_retry, "peer-retry", { "peer" }, print_counts },
	{ &command_consumer_list, "consumers", { NULL }, print_consumers },
	{ &command_consumer_show, "peer", { "peer" }, print_peer },
	{ &command_explain, "explain", { "object", "peer" }, print_explain },
	{ &command_quarantine_list, "quarantine-list", { NULL }, print_quarantine },
	{ &command_quarantine_show, "quarantine-show", { "id" }, print_refused },
	{ &command_quarantine_retry, "quarantine-retry", { "id" }, print_counts },
	{ &command_quarantine_drop, "quarantine-drop", { "id" }, print_done },
	{ NULL, NULL, { NULL }, NULL }
};

/* ---- asking ---- */

/* The edited copy of --file, as base64. -1 after a message. */
static int
add_file(struct arena *mem, json *request, const char *path)
{
	struct strbuf text = STRBUF_INIT, coded = STRBUF_INIT;
	struct err e = ERR_INIT;
	int rc = 0;

	if (file_read(path, EDITED_MAX, &text, &e) < 0) {
		err_input(&e, path);
		cmd_fail_err(&e);
		rc = -1;
	} else {
		base64_add(&coded, text.p, text.n);
		json_put_str(mem, request, "bytes", strbuf_slice(&coded));
	}
	strbuf_fini(&text);
	strbuf_fini(&coded);
	return rc;
}

/* The request as JSON; NULL after a message. */
static json *
make_request(struct arena *mem, const struct args *a, const struct control *row)
{
	json *request = json_object(mem);

	json_put_str(mem, request, "cmd", slice_of(row->cmd));
	for (size_t i = 0; i < a->n && row->operands[i] != NULL; i++) {
		unsigned long long number;

		if (strcmp(row->operands[i], "id") != 0)
			json_put_str(mem, request, row->operands[i], slice_of(a->v[i]));
		else if (slice_u64(slice_of(a->v[i]), &number) && number <= INT64_MAX)
			json_put_int(mem, request, "id", (int64_t)number);
		else {
			cmd_complain("'%s' is no number; `tocsin quarantine list` shows them", a->v[i]);
			return NULL;
		}
	}
	if (args_get(a, "all") != NULL)
		json_put_bool(mem, request, "all", true);
	if (args_get(a, "denied") != NULL)
		json_put_bool(mem, request, "denied", true);
	if (args_get(a, "file") != NULL && add_file(mem, request, args_get(a, "file")) < 0)
		return NULL;
	return request;
}

/* Show the answer; the exit status that it means. */
static int
show(const struct args *a, const struct control *row, struct slice answer, struct arena *mem)
{
	struct json_doc doc;
	struct err e = ERR_INIT;
	struct slice verdict, error;
	int status;

	if (json_parse(slice_trim(answer), NULL, mem, &doc, &e) < 0) {
		err_input(&e, "answer of the node");
		return cmd_fail_err(&e);
	}
	if (args_get(a, "json") != NULL)
		cmd_print(answer);
	if (!json_bool(json_get(doc.root, "ok"))) {
		error = json_member(doc.root, "error");
		while (args_get(a, "json") == NULL && error.n > 0) {
			fputs("tocsin: ", stderr);
			print_safe(stderr, slice_cut(&error, '\n'));
			fputc('\n', stderr);
		}
		return CMD_FAILED;
	}
	status = args_get(a, "json") != NULL ? CMD_DONE : row->print(a, doc.root);
	verdict = json_member(json_get(doc.root, "decision"), "verdict");
	return status == CMD_DONE && verdict.n > 0 && !slice_is(verdict, "release") ? CMD_NO : status;
}

static int
run(const struct args *a)
{
	const struct control *row = controls;
	struct strbuf text = STRBUF_INIT, answer = STRBUF_INIT;
	struct arena *mem = arena_new();
	int status = CMD_FAILED;
	json *request;
	char *path;

	while (row->command != a->command)
		row++;
	request = make_request(mem, a, row);
	path = request == NULL ? NULL : cmd_socket_path(a);
	if (path != NULL) {
		json_print(&text, request);
		strbuf_addc(&text, '\n');
		if (cmd_exchange(path, strbuf_slice(&text), &answer) == 0)
			status = show(a, row, strbuf_slice(&answer), mem);
	}
	free(path);
	strbuf_fini(&text);
	strbuf_fini(&answer);
	arena_free(mem);
	return status;
}

/* On a terminal every look replaces the one before. */
static int
watch(const struct args *a)
{
	int status = run(a);

	while (args_get(a, "watch") != NULL && status != CMD_FAILED && fflush(stdout) == 0) {
		sleep(WATCH_SECONDS);
		fputs(isatty(STDOUT_FILENO) ? "\033[H\033[2J" : "\n", stdout);
		status = run(a);
	}
	return status;
}
