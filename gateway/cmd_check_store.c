/* `tocsin check --store`: every finding a line, then one line that says whether the store is whole. */
#include "gateway/cmd_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/keys.h"
#include "gateway/store_check.h"

/* The findings so far, as JSON when asked for. */
struct output {
	struct arena	*mem;
	json		*list;		/* NULL: lines on stdout */
};

static void
add_finding(struct output *out, const struct store_finding *f)
{
	json *o = json_object(out->mem);

	json_put_str(out->mem, o, "part", slice_of(f->part));
	if (f->id.n > 0)
		json_put_str(out->mem, o, "id", f->id);
	if (f->collections[0] != '\0')
		json_put_str(out->mem, o, "collections", slice_of(f->collections));
	json_put_str(out->mem, o, "text", slice_of(f->text));
	json_push(out->list, o);
}

static void
on_finding(void *ctx, const struct store_finding *f)
{
	struct output *out = ctx;

	if (out->list != NULL) {
		add_finding(out, f);
		return;
	}
	printf("damaged: %s", f->part);
	if (f->id.n > 0) {
		putchar(' ');
		print_safe(stdout, f->id);
	}
	if (f->collections[0] != '\0') {
		fputs(" in ", stdout);
		print_safe(stdout, slice_of(f->collections));
	}
	fputs(": ", stdout);
	print_safe(stdout, slice_of(f->text));
	putchar('\n');
}

static void
print_json(const char *path, const struct store_check *c, struct output *out)
{
	struct { const char *name; uint64_t n; } numbers[] = {
		{ "pages", c->pages }, { "objects", c->objects }, { "versions", c->versions },
		{ "memberships", c->members }, { "audit_records", c->audit_records },
		{ "findings", c->findings },
	};
	json *o = json_object(out->mem);
	struct strbuf b = STRBUF_INIT;

	json_put_bool(out->mem, o, "whole", c->findings == 0);
	json_put_bool(out->mem, o, "quick", c->quick);
	json_put_str(out->mem, o, "store", slice_of(path));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		json_put_int(out->mem, o, numbers[i].name, (int64_t)numbers[i].n);
	json_put(out->mem, o, "damaged", out->list);
	json_print(&b, o);
	puts(b.p);
	strbuf_fini(&b);
}

static void
print_text(const char *path, const struct store_check *c)
{
	if (c->findings > STORE_FINDINGS)
		printf("... and %llu more\n", (unsigned long long)(c->findings - STORE_FINDINGS));
	if (c->findings > 0)
		printf("store %s is DAMAGED: %llu finding%s. Stop the node and restore a backup; what "
		    "is named above can be asked for again from where it came.\n", path,
		    (unsigned long long)c->findings, c->findings == 1 ? "" : "s");
	else if (c->quick)
		printf("store %s looks whole: %llu pages, %llu versions, %llu memberships (--quick: "
		    "neither bytes nor indexes nor the audit log)\n", path,
		    (unsigned long long)c->pages, (unsigned long long)c->versions,
		    (unsigned long long)c->members);
	else
		printf("store %s is whole: %llu pages, %llu objects, %llu versions, %llu "
		    "memberships, %llu audit records\n", path, (unsigned long long)c->pages,
		    (unsigned long long)c->objects, (unsigned long long)c->versions,
		    (unsigned long long)c->members, (unsigned long long)c->audit_records);
}

static int
look_through(const struct args *a, const char *path, struct slice audit_key)
{
	struct output out = { .mem = arena_new() };
	struct store_check c = { .audit_key = audit_key, .found = on_finding, .ctx = &out,
	    .quick = args_get(a, "quick") != NULL };
	struct err e = ERR_INIT;
	int status;

	if (args_get(a, "json") != NULL)
		out.list = json_list(out.mem);
	if (store_check_file(path, &c, &e) < 0) {
		status = cmd_fail_err(&e);
	} else {
		if (out.list != NULL)
			print_json(path, &c, &out);
		else
			print_text(path, &c);
		status = c.findings == 0 ? CMD_DONE : CMD_NO;
	}
	arena_free(out.mem);
	return status;
}

int
cmd_check_store(const struct args *a, const struct config *conf)
{
	const char *path = args_get(a, "file") != NULL ? args_get(a, "file") : conf->store_path;
	struct err e = ERR_INIT;
	uint8_t key[32];
	int status;

	if (strcmp(path, "memory") == 0)
		return cmd_fail("the store is in the node's memory; there is no file to look at");
	if (key_read(conf->audit_key, key, &e) < 0)
		return cmd_fail_err(&e);
	log_setup(STDERR_FILENO, false, LOG_OFF);	/* findings are told by us */
	status = look_through(a, path, slice_from(key, sizeof(key)));
	secret_wipe(key, sizeof(key));
	return status;
}
