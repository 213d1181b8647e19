/* cmd_validate.c -- `tocsin validate`: what the gateway would say to a document. */
#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_document.h"

static const struct cmd_option options[] = {
	DOCUMENT_OPTIONS,
	{ "json", 'j', NULL, "for programs" },
	{ .name = NULL }
};

static const char *
kind_word(const struct document_verdict *dv)
{
	return dv->v.kind == VERDICT_WARNED ? "warning" : "refused";
}

static void
print_table(const struct documents *d)
{
	static const char *const heads[] = {
		"INPUT", "LINE", "COLUMN", "VERDICT", "CODE", "PATH", "REASON", NULL
	};
	struct table *t = table_new(heads);

	for (size_t i = 0; i < d->nverdicts; i++) {
		const struct document_verdict *dv = &d->verdicts[i];
		const struct err *e = &dv->v.err;
		char line[24] = "", column[24] = "";

		if (e->at.line > 0) {
			snprintf(line, sizeof(line), "%u", e->at.line);
			snprintf(column, sizeof(column), "%u", e->at.column);
		}
		table_cell(t, slice_of(dv->input));
		table_cell(t, slice_of(line));
		table_cell(t, slice_of(column));
		table_cell(t, slice_of(kind_word(dv)));
		table_cell(t, slice_of(dv->v.code));
		table_cell(t, slice_of(e->path));
		table_cell(t, slice_of(e->reason));
	}
	table_print(t, stdout);
	table_free(t);
	printf("%s%zu accepted, %zu refused, %zu warnings\n", d->nverdicts > 0 ? "\n" : "", d->all.n,
	    d->refused, d->nverdicts - d->refused);
}

static json *
verdict_json(struct arena *mem, const struct document_verdict *dv)
{
	const struct err *e = &dv->v.err;
	json *o = json_object(mem);

	json_put_str(mem, o, "input", slice_of(dv->input));
	if (dv->format != NULL)
		json_put_str(mem, o, "format", slice_of(dv->format));
	json_put_str(mem, o, "verdict", slice_of(kind_word(dv)));
	json_put_str(mem, o, "code", slice_of(dv->v.code));
	if (e->at.line > 0) {
		json_put_int(mem, o, "line", e->at.line);
		json_put_int(mem, o, "column", e->at.column);
		json_put_int(mem, o, "offset", (int64_t)e->at.offset);
	}
	if (e->path[0] != '\0')
		json_put_str(mem, o, "path", slice_of(e->path));
	if (dv->v.id.n > 0)
		json_put_str(mem, o, "object", dv->v.id);
	json_put_str(mem, o, "reason", slice_of(e->reason));
	return o;
}

static void
print_json(const struct documents *d)
{
	json *o = json_object(d->mem), *list = json_list(d->mem);
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < d->nverdicts; i++)
		json_push(list, verdict_json(d->mem, &d->verdicts[i]));
	json_put_int(d->mem, o, "accepted", (int64_t)d->all.n);
	json_put_int(d->mem, o, "refused", (int64_t)d->refused);
	json_put_int(d->mem, o, "warnings", (int64_t)(d->nverdicts - d->refused));
	json_put(d->mem, o, "verdicts", list);
	json_print(&out, o);
	puts(out.p);
	strbuf_fini(&out);
}

static int
run(const struct args *a)
{
	struct documents d;
	int status = CMD_FAILED;

	documents_init(&d, NULL);
	if (documents_read(&d, a) == 0) {
		(args_get(a, "json") != NULL ? print_json : print_table)(&d);
		status = d.refused > 0 ? CMD_NO : CMD_DONE;
	}
	documents_fini(&d);
	return status;
}

const struct command command_validate = {
	"validate", "[FILE...]", 0, 100000, "what the gateway would refuse or warn about in documents",
	"Reads documents as intake does and lists its verdicts with their places. Exit status 1 "
	"if anything would be refused.",
	options, run
};
