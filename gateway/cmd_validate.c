/* cmd_validate.c -- `tocsin validate`: what the gateway would say to a document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_document.h"
#include "gateway/cmd_files.h"
#include "gateway/cmd_progress.h"

enum {
	LISTED_MAX = 1000,		/* more objects: only those that something was said about */
	ROWS_AT_ONCE = 1000		/* of a table that may be long */
};

static const struct cmd_option options[] = {
	DOCUMENT_OPTIONS,
	{ "json", 'j', NULL, "for programs: one JSON document" },
	{ "all", 'a', NULL, "list accepted objects however many there are, in JSON too" },
	{ .name = NULL }
};

/* All rows in their order: verdicts, and accepted objects that nothing was said about. */
struct rows {
	struct documents	*d;
	bool			 accepted;	/* those too */
	struct verdict_row	 verdict;
	bool			 more;		/* `verdict` holds the next */
	size_t			 at;		/* next object on the shelf */
	struct arena		*mem;		/* of `verdict` */
};

typedef void	row_fn(void *arg, const struct verdict_row *row);

/* Does this object come before the next verdict? */
static bool
is_before(const struct rows *r, const struct kept *k)
{
	if (!r->more || k->input != r->verdict.input)
		return !r->more || k->input < r->verdict.input;
	return (k->flags & OBJECT_MINTED) == 0 && k->index < r->verdict.index;
}

/* Show accepted objects up to the next verdict. */
static void
show_accepted(struct rows *r, row_fn *show, void *arg)
{
	struct kept k;

	for (; r->at < shelf_count(r->d->shelf); r->at++) {
		struct arena *mem;
		struct object o;

		if (!shelf_get(r->d->shelf, r->at, &k) || k.remarks > 0)
			continue;
		if (!is_before(r, &k))
			return;
		mem = arena_new();
		if (shelf_load(r->d->shelf, &k, mem, false, &o)) {
			const struct verdict_row row = { .input = k.input, .verdict = "accepted",
			    .code = "", .id = o.id, .at = { k.line, k.column, k.offset },
			    .index = k.index, .path = "", .reason = "" };

			show(arg, &row);
		}
		arena_free(mem);
	}
}

static void
each_row(struct documents *d, bool accepted, row_fn *show, void *arg)
{
	struct rows r = { .d = d, .accepted = accepted, .more = true };

	verdicts_rewind(d->verdicts);
	while (r.more) {
		r.mem = arena_new();
		r.more = verdicts_next(d->verdicts, r.mem, &r.verdict);
		if (accepted)
			show_accepted(&r, show, arg);
		if (r.more)
			show(arg, &r.verdict);
		arena_free(r.mem);
	}
}

/* ---- for people ---- */

struct printing {
	struct documents	*d;
	struct table		*table;
	size_t			 columns, rows;	/* of the terminal; 0: it is none */
};

static void
print_rows(struct printing *p)
{
	if (p->columns > 0)
		table_fit(p->table, p->columns);
	table_print(p->table, stdout);
	table_go_on(p->table);
}

/* "indicator" of "indicator--8e2e...". */
static struct slice
type_of(struct slice id)
{
	const char *dashes = memmem(id.p, id.n, "--", 2);

	return dashes == NULL ? SLICE_EMPTY : slice_from(id.p, (size_t)(dashes - id.p));
}

/* "8e2e..." of it; all of it if it has no type. */
static struct slice
behind_type(struct slice id)
{
	size_t n = type_of(id).n;

	return n == 0 ? id : slice_from(id.p + n + 2, id.n - n - 2);
}

static void
show_row(void *arg, const struct verdict_row *row)
{
	struct printing *p = arg;
	char place[48] = "";

	if (row->at.line > 0)
		snprintf(place, sizeof(place), "%u:%u", row->at.line, row->at.column);
	/* on a terminal every column counts, and the type stands beside the id */
	table_cell(p->table, p->columns > 0 && p->d->nsources == 1 ? SLICE_EMPTY :
	    slice_of(p->d->sources[row->input].name));
	table_cell(p->table, slice_of(place));
	table_cell(p->table, slice_of(row->verdict));
	table_cell(p->table, slice_of(row->code));
	table_cell(p->table, type_of(row->id));
	table_cell(p->table, p->columns > 0 ? behind_type(row->id) : row->id);
	table_cell(p->table, slice_of(row->path));
	table_cell(p->table, slice_of(row->reason));
	if (++p->rows % ROWS_AT_ONCE == 0)
		print_rows(p);
}

/* How wide the terminal is; 0 if standard output is none. */
static size_t
terminal_columns(void)
{
	struct winsize w;

	if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return 0;
	return w.ws_col;
}

static void
print_table(struct documents *d, bool all)
{
	static const char *const heads[] = {
		"INPUT", "PLACE", "VERDICT", "CODE", "TYPE", "OBJECT", "PATH", "REASON", NULL
	};
	struct printing p = { .d = d, .table = table_new(heads), .columns = terminal_columns() };
	bool accepted = all || d->accepted <= LISTED_MAX;

	each_row(d, accepted, show_row, &p);
	print_rows(&p);
	table_free(p.table);
	printf("%s%zu accepted, %zu refused, %zu warnings%s\n", p.rows > 0 ? "\n" : "", d->accepted,
	    verdicts_refused(d->verdicts), verdicts_warned(d->verdicts),
	    accepted ? "" : " (--all lists the accepted ones too)");
}

/* ---- for programs ---- */

static json *
row_json(struct arena *mem, const struct source *source, const struct verdict_row *row)
{
	json *o = json_object(mem);

	json_put_str(mem, o, "input", slice_of(source->name));
	if (source->format != NULL)
		json_put_str(mem, o, "format", slice_of(source->format->name));
	json_put_str(mem, o, "verdict", slice_of(row->verdict));
	if (row->code[0] != '\0')
		json_put_str(mem, o, "code", slice_of(row->code));
	if (row->at.line > 0) {
		json_put_int(mem, o, "line", row->at.line);
		json_put_int(mem, o, "column", row->at.column);
		json_put_int(mem, o, "offset", (int64_t)row->at.offset);
	}
	if (row->path[0] != '\0')
		json_put_str(mem, o, "path", slice_of(row->path));
	if (row->id.n > 0)
		json_put_str(mem, o, "object", row->id);
	if (type_of(row->id).n > 0)
		json_put_str(mem, o, "type", type_of(row->id));
	if (row->reason[0] != '\0')
		json_put_str(mem, o, "reason", slice_of(row->reason));
	return o;
}

static void
show_json(void *arg, const struct verdict_row *row)
{
	struct printing *p = arg;
	struct arena *mem = arena_new();
	struct strbuf out = STRBUF_INIT;

	if (p->rows++ > 0)
		strbuf_addc(&out, ',');
	json_print(&out, row_json(mem, &p->d->sources[row->input], row));
	cmd_print(strbuf_slice(&out));
	strbuf_fini(&out);
	arena_free(mem);
}

static void
print_json(struct documents *d, bool all)
{
	struct printing p = { .d = d };

	printf("{\"accepted\":%zu,\"refused\":%zu,\"warnings\":%zu,\"verdicts\":[", d->accepted,
	    verdicts_refused(d->verdicts), verdicts_warned(d->verdicts));
	each_row(d, all, show_json, &p);
	puts("]}");
}

/* ---- the verb ---- */

static int
run(const struct args *a)
{
	bool all = args_get(a, "all") != NULL;
	struct work_bar *bar = work_bar_new();
	struct documents d;
	struct files f;
	int status = CMD_FAILED;

	documents_init(&d, NULL, bar);
	if (files_find(&f, d.mem, a, NULL) == 0 && documents_read(&d, a, f.paths, f.n) == 0) {
		work_bar_wipe(bar);
		(args_get(a, "json") != NULL ? print_json : print_table)(&d, all);
		status = verdicts_refused(d.verdicts) > 0 ? CMD_NO : CMD_DONE;
		if (args_get(a, "stats") != NULL)
			documents_print_stats(&d, stderr);
	}
	work_bar_free(bar);
	documents_fini(&d);
	return status;
}

const struct command command_validate = {
	"validate", "[FILE|FOLDER...]", 0, 100000,
	"what the gateway would refuse or warn about in documents",
	"Reads documents (all files in folders, or standard input) as intake does and lists its "
	"verdicts on "
	"each object with their places. Of more than 1,000 objects only those are listed that "
	"something is "
	"said about, unless --all is given. Exit status 1 if anything would be refused.",
	options, run
};
