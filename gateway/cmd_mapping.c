/* cmd_mapping.c -- `tocsin mapping check`: what a mapping file makes of a sample. */
#include <stdio.h>

#include "formats/mapped.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"

enum { SAMPLE_MAX = 64 << 20 };

static const struct cmd_option options[] = {
	{ "received", 'r', "TIME", "what stands for the time of receipt (default: the clock)" },
	{ .name = NULL }
};

/* Show the table for one sample. */
static int
check(const struct mapping *m, const char *path, const char *received)
{
	struct strbuf sample = STRBUF_INIT, out = STRBUF_INIT;
	struct err e = ERR_INIT;
	int refused = -1, status;

	if (file_read(path, SAMPLE_MAX, &sample, &e) == 0)
		refused = mapping_check(m, strbuf_slice(&sample), path, slice_of(received), &out, &e);
	if (refused < 0)
		status = cmd_fail_err(&e);
	else if (cmd_print(strbuf_slice(&out)) != CMD_DONE)
		status = CMD_FAILED;
	else
		status = refused > 0 ? CMD_NO : CMD_DONE;
	strbuf_fini(&sample);
	strbuf_fini(&out);
	return status;
}

static int
run(const struct args *a)
{
	struct arena *mem = arena_new();
	struct complaints c = { .mem = mem };
	const struct mapping *m = mapping_load(a->v[0], mem, &c);
	const char *received = args_get(a, "received");
	char now[STAMP_TEXT + 1];
	int status;

	stamp_text(clock_wall_us(), now);
	if (m == NULL)
		status = cmd_complaints(&c);
	else
		status = check(m, a->v[1], received != NULL ? received : now);
	arena_free(mem);
	return status;
}

const struct command command_mapping_check = {
	"mapping check", "MAPPING SAMPLE", 2, 2, "what a mapping file makes of a sample",
	"Reads a sample (- for standard input) by a mapping file and shows, record by record, what "
	"became of every field, what was not mapped, and why a record is refused. Exit status 1 if one "
	"is.",
	options, run
};
