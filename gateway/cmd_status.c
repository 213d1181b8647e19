/* cmd_status.c -- `tocsin status`: what is wrong, then who does what, on one screen. */
#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/cmd_answer.h"

static const struct column peer_columns[] = {
	{ "PEER", "name", 0 }, { "RELATION", "relation", 0 }, { "STATE", "state", 0 },
	{ "QUEUED", "queued", 0 }, { "HELD", "held", 0 }, { "DEAD", "dead", 0 },
	{ "DENIED", "denied", 0 }, { "SENT", "sent", 0 }, { "WAITS SINCE", "oldest", FORM_AGE },
	{ "LAST OK", "last_ok", 0 }, { "NEXT TRY", "next_try", 0 }, { "FAILED", "failures", 0 },
	{ "LAST ERROR", "last_error", 0 }, { NULL, NULL, 0 }
};

static const struct column process_columns[] = {
	{ "PROCESS", "name", 0 }, { "PID", "pid", 0 }, { "ANSWERS", "up", 0 },
	{ "UP", "started", FORM_AGE }, { "RESTARTS", "restarts", 0 },
	{ "MEMORY", "resident_bytes", FORM_SIZE }, { "CPU", "cpu_seconds", FORM_SPAN },
	{ "OPEN", "open_fds", 0 }, { "CLIENTS", "connections", 0 },
	{ "IN WORK", "in_work", 0 },
	{ "TO TRANSLATE", "translations_waiting", 0 }, { "TO WRITE", "store_queue", 0 },
	{ NULL, NULL, 0 }
};

/* ---- the head ---- */

static void
print_head(struct arena *mem, const json *answer)
{
	static const struct column up = { "up", "started", FORM_AGE };

	printf("%-12s ", "node");
	print_safe(stdout, json_member(answer, "node"));
	printf(", tocsin ");
	print_safe(stdout, json_member(answer, "version"));
	printf(", up ");
	print_safe(stdout, cell_text(mem, answer, &up));
	printf("; ");
	print_safe(stdout, json_member(answer, "listening"));
	printf("\n%-12s %s\n", "state", json_bool(json_get(answer, "draining")) ?
	    "DRAINING: the node is shutting down" : json_bool(json_get(answer, "ready")) ?
	    "ready" : "NOT READY");
}

static void
print_problems(const json *list)
{
	for (const json *p = json_first(list); p != NULL; p = json_next(p)) {
		printf("%-12s ", slice_is(json_member(p, "kind"), "failure") ? "FAILURE" : "warning");
		print_safe(stdout, json_member(p, "text"));
		putchar('\n');
	}
}

/* ---- the figures in words ---- */

static void
print_store(struct arena *mem, const json *s)
{
	const json *times = json_get(s, "group_seconds"), *sizes = json_get(s, "group_commits");

	printf("%-12s %.0f objects, %.0f versions, %.0f sightings; %.0f in quarantine; %.0f audit "
	    "records\n", "store", number_in(s, "objects"), number_in(s, "versions"),
	    number_in(s, "sightings"), number_in(s, "quarantined"), number_in(s, "audit_records"));
	if (number_in(s, "pending") > 0)
		printf("%-12s %.0f large POSTs of %s are being worked off\n", "pending",
		    number_in(s, "pending"), size_text(mem, number_in(s, "pending_bytes")));
	printf("%-12s %s", "disk", size_text(mem, number_in(s, "database_bytes")));
	printf(", log %s; %s free\n", size_text(mem, number_in(s, "wal_bytes")),
	    size_text(mem, number_in(s, "disk_free_bytes")));
	printf("%-12s %.0f in %.0f syncs", "commits", number_in(s, "commits"),
	    number_in(s, "syncs"));
	if (times != NULL)
		printf(", %.1f a sync; half within %s, 99 of 100 within %s",
		    number_in(sizes, "mean"), span_text(mem, number_in(times, "p50")),
		    span_text(mem, number_in(times, "p99")));
	if (number_in(s, "failures") > 0)
		printf("; %.0f FAILED", number_in(s, "failures"));
	putchar('\n');
}

static void
print_work(struct arena *mem, const json *w)
{
	const json *request = json_get(json_get(w, "stages"), "request");

	printf("%-12s %.0f advisories in: %.0f objects new, %.0f known, %.0f refused; %.0f sent; %.0f "
	    "in work\n", "work", number_in(w, "advisories"), number_in(w, "new"),
	    number_in(w, "known"), number_in(w, "refused"), number_in(w, "sent"),
	    number_in(w, "in_work"));
	printf("%-12s %.0f, %.0f clients connected", "requests", number_in(w, "requests"),
	    number_in(w, "connections"));
	if (request != NULL)
		printf("; half within %s, 99 of 100 within %s", span_text(mem,
		    number_in(request, "p50")), span_text(mem, number_in(request, "p99")));
	if (number_in(w, "login_failed") > 0)
		printf("; %.0f logins failed", number_in(w, "login_failed"));
	putchar('\n');
}

static void
print_redis(struct arena *mem, const json *answer)
{
	const json *r = json_get(answer, "redis_figures");
	const json *trip = json_get(r, "round_trip_seconds");

	printf("%-12s ", "redis");
	print_safe(stdout, json_member(answer, "redis"));
	if (json_get(r, "away_seconds") != NULL) {
		printf(" for %s: ", span_text(mem, number_in(r, "away_seconds")));
		print_safe(stdout, json_member(r, "reason"));
	}
	if (r != NULL)
		printf("; %.0f commands, %.0f without an answer", number_in(r, "commands"),
		    number_in(r, "failures"));
	if (trip != NULL)
		printf("; half within %s", span_text(mem, number_in(trip, "p50")));
	putchar('\n');
}

int
print_status(const struct args *a, const json *answer)
{
	static const struct column collections[] = {
		{ "COLLECTION", "name", 0 }, { "KIND", "kind", 0 }, { "ID", "id", 0 },
		{ NULL, NULL, 0 }
	};
	static const struct column pulls[] = {
		{ "PULL", "name", 0 }, { "PEER", "peer", 0 }, { "STATE", "state", 0 },
		{ "PAGES", "pages", 0 }, { "OBJECTS", "objects", 0 }, { "NEW", "new", 0 },
		{ "FAILURES", "failures", 0 }, { "LAST OK", "last_ok", 0 }, { "MARK", "mark", 0 },
		{ "ERROR", "last_error", 0 }, { NULL, NULL, 0 }
	};
	static const struct column policy[] = { { "policy", "policy", 0 }, { NULL, NULL, 0 } };
	struct arena *mem = arena_new();

	(void)a;
	print_head(mem, answer);
	print_problems(json_get(answer, "problems"));
	print_store(mem, json_get(answer, "store"));
	print_work(mem, json_get(answer, "work"));
	print_redis(mem, answer);
	print_members(answer, policy);
	putchar('\n');
	print_list(json_get(answer, "processes"), process_columns, "no processes");
	putchar('\n');
	print_list(json_get(answer, "peers"), peer_columns, "no peers");
	putchar('\n');
	if (json_count(json_get(answer, "pulls")) > 0) {
		print_list(json_get(answer, "pulls"), pulls, "no pulls");
		putchar('\n');
	}
	print_list(json_get(answer, "collections"), collections, "no collections");
	arena_free(mem);
	return CMD_DONE;
}
