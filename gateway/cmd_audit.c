/* cmd_audit.c -- `tocsin audit verify|export`: the log of what was decided and done, read beside the
 * running node. */
#include <stdio.h>
#include <string.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/cmd.h"
#include "gateway/config.h"
#include "gateway/keys.h"
#include "gateway/store.h"

#define EXPORT_MAX ((size_t)2 << 30)

/* A run over the records. */
struct verify {
	struct audit_check	check;
	char			first[32], last[32];	/* times of the first and last good record */
	bool			bad;
};

/* ---- verify ---- */

/* Copy the time of a record: the text behind "t":" in its head. */
static void
take_time(struct slice line, char out[32])
{
	static const char mark[] = "\"t\":\"";
	const char *at = memmem(line.p, line.n < 80 ? line.n : 80, mark, sizeof(mark) - 1);
	struct slice rest;

	if (at == NULL)
		return;
	at += sizeof(mark) - 1;
	rest = slice_from(at, (size_t)(line.p + line.n - at));
	rest = slice_cut(&rest, '"');
	snprintf(out, 32, "%.*s", rest.n > 30 ? 30 : (int)rest.n, rest.p);
}

static bool
verify_line(void *ctx, uint64_t seq, struct slice line)
{
	struct verify *v = ctx;

	(void)seq;
	if (!audit_check_line(&v->check, line)) {
		v->bad = true;
		return false;
	}
	if (v->first[0] == '\0')
		take_time(line, v->first);
	take_time(line, v->last);
	return true;
}

/* The records of an export: one a line. */
static int
verify_file(const char *path, struct verify *v, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	struct slice rest;
	int rc = file_read(path, EXPORT_MAX, &text, e);

	rest = strbuf_slice(&text);
	while (rc == 0 && rest.n > 0)
		if (!verify_line(v, 0, slice_cut(&rest, '\n')))
			break;
	strbuf_fini(&text);
	return rc;
}

static int
report(const struct args *a, const struct verify *v)
{
	struct arena *mem = arena_new();
	json *o = json_object(mem);
	struct strbuf out = STRBUF_INIT;

	if (args_get(a, "json") != NULL) {
		json_put_bool(mem, o, "whole", !v->bad);
		json_put_int(mem, o, "records", (int64_t)v->check.seq);
		json_put_str(mem, o, "last", slice_of(v->last));
		if (v->bad) {
			json_put_int(mem, o, "bad", (int64_t)v->check.bad_seq);
			json_put_str(mem, o, "reason", slice_of(v->check.reason));
		}
		json_print(&out, o);
		puts(out.p);
		strbuf_fini(&out);
	} else if (v->bad) {
		printf("NOT WHOLE: %s; the %llu before it are\n", v->check.reason,
		    (unsigned long long)v->check.seq);
	} else if (v->check.seq == 0) {
		puts("whole: no records yet");
	} else {
		printf("whole: %llu records from %.19sZ to %.19sZ, each continues the one before it\n",
		    (unsigned long long)v->check.seq, v->first, v->last);
	}
	arena_free(mem);
	return v->bad ? CMD_NO : CMD_DONE;
}

/* ---- both ---- */

/* The database of a configuration; NULL after a message. */
static const char *
database(const struct config *conf)
{
	if (strcmp(conf->store_path, "memory") != 0)
		return conf->store_path;
	cmd_complain("the store is in the node's memory; there is no file to read");
	return NULL;
}

static int
verify(const struct args *a, const struct config *conf)
{
	const char *file = args_get(a, "file"), *path;
	struct verify v = { .bad = false };
	struct err e = ERR_INIT;
	uint8_t key[32];
	int status, rc;

	if (key_read(conf->audit_key, key, &e) < 0)
		return cmd_fail_err(&e);
	audit_check_init(&v.check, slice_from(key, sizeof(key)));
	path = file == NULL ? database(conf) : file;
	if (path == NULL)
		return CMD_FAILED;
	rc = file != NULL ? verify_file(file, &v, &e) :
	    store_audit_each_file(path, verify_line, &v, &e);
	status = rc < 0 ? cmd_fail_err(&e) : report(a, &v);
	secret_wipe(key, sizeof(key));
	return status;
}

static bool
export_line(void *ctx, uint64_t seq, struct slice line)
{
	(void)ctx;
	(void)seq;
	return fwrite(line.p, 1, line.n, stdout) == line.n && putchar('\n') != EOF;
}

static int
export(const struct args *a, const struct config *conf)
{
	const char *path = database(conf);
	struct err e = ERR_INIT;

	(void)a;
	if (path == NULL)
		return CMD_FAILED;
	if (store_audit_each_file(path, export_line, NULL, &e) < 0)
		return cmd_fail_err(&e);
	return cmd_print(SLICE_EMPTY) == CMD_DONE && !ferror(stdout) ? CMD_DONE :
	    cmd_fail("standard output: the export is not whole");
}

static int
with_config(const struct args *a, int (*fn)(const struct args *a, const struct config *conf))
{
	struct complaints c = { .mem = arena_new() };
	struct config *conf = config_load(cmd_config_path(a), &c);
	int status = conf == NULL ? cmd_complaints(&c) : fn(a, conf);

	config_free(conf);
	arena_free(c.mem);
	return status;
}

static int
run_verify(const struct args *a)
{
	return with_config(a, verify);
}

static int
run_export(const struct args *a)
{
	return with_config(a, export);
}

static const struct cmd_option verify_options[] = {
	CMD_CONFIG,
	{ "file", 'f', "FILE", "an export, instead of the node's own log" },
	{ "json", 'j', NULL, "for programs" },
	{ .name = NULL }
};
static const struct cmd_option export_options[] = { CMD_CONFIG, { .name = NULL } };

const struct command command_audit_verify = {
	"audit verify", "", 0, 0, "is the audit log whole and untouched",
	"Every record is sealed under the node's audit key and names the seal of the record "
	"before it. Names the first record that was changed, put in, taken out or moved; exit "
	"status 1 then. The node may be running.",
	verify_options, run_verify
};

const struct command command_audit_export = {
	"audit export", "", 0, 0, "the audit log as JSON lines",
	"Writes every record as it is sealed, one a line, so that `tocsin audit verify --file` "
	"can check the export anywhere the audit key is.",
	export_options, run_export
};
