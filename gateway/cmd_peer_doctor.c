/* cmd_peer_doctor.c -- `tocsin peer doctor`: why calling a peer does not work, and what to do about it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/doctor.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"
#include "gateway/cmd_answer.h"
#include "gateway/config.h"
#include "gateway/credentials.h"
#include "gateway/peer.h"

enum { STEP_COLUMN = 14, STATE_COLUMN = 8, TOOK_COLUMN = 8 };
static const int64_t timeout_us = 10 * INT64_C(1000000);

/* The files that say whom to call, and how. */
struct files {
	struct complaints	 c;
	struct config		*conf;
	struct trust		*trust;
	struct credentials	*credentials;
};

/* What is told while the walk goes on. */
struct telling {
	const struct args	*a;
	struct arena		*mem;
	json			*steps;
	const char		*failed, *cause;	/* of the first that did not go well */
};

/* ---- on a terminal ---- */

static void
print_more(const char *head, const char *text)
{
	printf("%*s%s", STEP_COLUMN + STATE_COLUMN + TOOK_COLUMN + 1, "", head);
	print_safe(stdout, slice_of(text));
	putchar('\n');
}

static void
print_finding(const struct telling *t, const struct doctor_finding *f)
{
	bool loud = f->state == DOCTOR_FAILED || f->state == DOCTOR_WARNED;
	const char *took = f->state == DOCTOR_SKIPPED ? "" : span_text(t->mem, (double)f->took_us / 1e6);

	printf("%-*s%s%-*s%s%*s ", STEP_COLUMN, f->step, loud && isatty(STDOUT_FILENO) ? "\033[1m" : "",
	    STATE_COLUMN, doctor_state_word(f->state), loud && isatty(STDOUT_FILENO) ? "\033[0m" : "",
	    TOOK_COLUMN, took);
	print_safe(stdout, slice_of(f->found));
	putchar('\n');
	for (size_t i = 0; i < f->nnotes; i++)
		print_more("", f->notes[i]);
	if (f->fix != NULL)
		print_more("fix: ", f->fix);
	fflush(stdout);
}

/* ---- for programs ---- */

static void
add_text(struct arena *mem, json *o, const char *name, const char *text)
{
	if (text != NULL)
		json_put_str(mem, o, name, slice_of(text));
}

static void
add_finding(const struct telling *t, const struct doctor_finding *f)
{
	json *o = json_push(t->steps, json_object(t->mem)), *notes;

	add_text(t->mem, o, "step", f->step);
	add_text(t->mem, o, "state", doctor_state_word(f->state));
	add_text(t->mem, o, "cause", f->cause);
	add_text(t->mem, o, "found", f->found);
	add_text(t->mem, o, "fix", f->fix);
	json_put_int(t->mem, o, "took_ms", f->took_us / 1000);
	if (f->nnotes > 0) {
		notes = json_put(t->mem, o, "notes", json_list(t->mem));
		for (size_t i = 0; i < f->nnotes; i++)
			json_push(notes, json_string(t->mem, slice_of(f->notes[i])));
	}
	if (json_count(f->detail) > 0)
		json_put(t->mem, o, "detail", json_copy(t->mem, f->detail));
}

static void
print_json(const struct telling *t, const struct peer *p, bool well)
{
	json *o = json_object(t->mem);
	struct strbuf out = STRBUF_INIT;

	add_text(t->mem, o, "peer", p->name);
	add_text(t->mem, o, "url", p->url);
	json_put_bool(t->mem, o, "ok", well);
	add_text(t->mem, o, "failed", t->failed);
	add_text(t->mem, o, "cause", t->cause);
	json_put(t->mem, o, "steps", t->steps);
	json_print(&out, o);
	puts(out.p);
	strbuf_fini(&out);
}

/* ---- the verb ---- */

static void
tell(void *ctx, const struct doctor_finding *f)
{
	struct telling *t = ctx;

	if (t->failed == NULL && (f->state == DOCTOR_FAILED || f->state == DOCTOR_WARNED)) {
		t->failed = f->step;
		t->cause = f->cause;
	}
	if (args_get(t->a, "json") != NULL)
		add_finding(t, f);
	else
		print_finding(t, f);
}

static int
examine(const struct args *a, const struct files *f, const struct peer *p, int64_t limit_us)
{
	struct arena *mem = arena_new();
	struct telling t = { .a = a, .mem = mem, .steps = json_list(mem) };
	const struct doctor_conf conf = { .config = f->conf, .credentials = f->credentials, .peer = p,
	    .timeout_us = limit_us, .tell = tell, .ctx = &t };
	int status = CMD_DONE;
	bool well;

	if (args_get(a, "curl") != NULL) {
		fputs(doctor_curl(&conf, mem), stdout);
	} else {
		well = doctor_run(&conf, mem);
		if (args_get(a, "json") != NULL)
			print_json(&t, p, well);
		else if (well)
			printf("%s: all well\n", p->name);
		status = well ? CMD_DONE : CMD_NO;
	}
	arena_free(mem);
	return status;
}

static const struct peer *
find_peer(const struct trust *t, const char *name)
{
	const struct peer *p = trust_find(t, slice_of(name));

	if (p == NULL)
		cmd_complain("trust.conf has no peer '%s'", name);
	else if (p->is_consumer)
		cmd_complain(
		    "'%s' is a consumer: it comes to us (`tocsin consumer status` tells more)", name);
	return p == NULL || p->is_consumer ? NULL : p;
}

static int
load(const struct args *a, struct files *f)
{
	f->conf = config_load(cmd_config_path(a), &f->c);
	if (f->conf == NULL)
		return -1;
	f->trust = trust_load(f->conf->trust_file, &f->c);
	if (f->trust != NULL)
		f->credentials = credentials_load(f->conf->credentials_file, &f->c);
	return f->credentials == NULL ? -1 : 0;
}

static int
run(const struct args *a)
{
	struct files f = { .c = { .mem = arena_new() } };
	const char *limit = args_get(a, "timeout");
	int64_t limit_us = timeout_us;
	const struct peer *p;
	int status = CMD_FAILED;

	if (limit != NULL && (!word_span_us(slice_of(limit), &limit_us) || limit_us <= 0))
		cmd_complain("--timeout is a span such as 5s, not '%s'", limit);
	else if (load(a, &f) < 0)
		cmd_complaints(&f.c);
	else if ((p = find_peer(f.trust, a->v[0])) != NULL)
		status = examine(a, &f, p, limit_us);
	credentials_free(f.credentials);
	trust_free(f.trust);
	config_free(f.conf);
	arena_free(f.c.mem);
	return status;
}

static const struct cmd_option options[] = {
	CMD_CONFIG,
	{ "timeout", 't', "SPAN", "how long to wait for one answer (default: 10s)" },
	{ "curl", 0, NULL, "print commands that do the same by hand, and do nothing" },
	{ "json", 'j', NULL, "for programs" },
	{ .name = NULL }
};

const struct command command_peer_doctor = {
	"peer doctor", "PEER", 1, 1, "why does calling a peer not work, step by step",
	"Calls the peer as the node would, from the configuration files alone: configuration, name, TCP, "
	"proxy, TLS, our certificate, HTTP, TAXII version, login, API root, collection, rights, clock. "
	"Tells for each step whether it went well and how long it took; where it stops, what was seen and "
	"what is likely to mend it. Nothing is written to the peer, no secret is shown.\n"
	"Exit status: 0 all is well, 1 a step failed or warned, 2 it could not start.",
	options, run
};
