/* cmd_convert.c -- `tocsin convert`: the translators, without a node. */
#include "gateway/cmd_convert.h"

#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/spill.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_progress.h"
#include "formats/format.h"

static const struct cmd_option options[] = {
	DOCUMENT_OPTIONS,
	{ "to", 't', "FORMAT", "what to write; `tocsin convert --formats` lists them" },
	{ "formats", 0, NULL, "list the formats that are read and written" },
	{ "output", 'o', "FILE", "where to write, instead of standard output" },
	{ "out", 'O', "DIR", "write a document for each input, under its name below its folder, into this "
	    "folder" },
	{ "loss", 'l', "FILE", "write what became of every leaf, on the way to STIX and from there: a "
	    "line each, or JSON if the name ends in .json; with --out, `text` or `json` beside each "
	    "document" },
	{ "counts", 0, NULL, "say on standard error how many leaves were kept, approximated, moved, "
	    "dropped and generated" },
	{ "strict-loss", 0, NULL, "exit status 1 if anything was dropped" },
	{ "refuse-loss", 0, "SHARE%", "write no document, exit status 1, if a larger share of the leaves "
	    "is dropped in reading or in writing" },
	{ "pretty", 'p', NULL, "for people: one member or element a line" },
	{ "no-residue", 0, NULL, "do not carry in extensions what the target cannot say" },
	{ "excel-safe", 0, NULL, "csv: ' in front of what a spreadsheet would take for a formula" },
	{ "no-guard", 0, NULL, "lists for devices: private, documentation and other special values too" },
	{ "csirt", 0, "DOMAIN", "our name in IODEF: IncidentID@name" },
	{ "contact", 0, "MAIL", "our mail address in IODEF" },
	{ "envelope", 0, "FILE", "to rid: what the envelope says, as JSON" },
	{ "envelope-out", 0, "FILE", "from rid: write what the envelope said, as JSON" },
	{ .name = NULL }
};

enum { ENVELOPE_MAX = 1 << 20, PART = 64 << 10 };

/* Where a document goes. */
struct sink {
	struct file_draft	*draft;		/* NULL: standard output */
	struct spill		*spill;		/* ... once it is known that it may; NULL: at once */
};

static int
on_part(void *arg, struct slice part)
{
	struct sink *s = arg;

	if (s->draft != NULL)
		file_draft_add(s->draft, part);
	else if (s->spill != NULL)
		spill_add(s->spill, part.p, part.n);
	else
		return cmd_print(part) == CMD_DONE ? 0 : -1;
	return 0;
}

/* What was put by goes out. */
static int
print_spilled(struct spill *s, struct err *e)
{
	char part[PART];
	uint64_t size = spill_size(s);

	for (uint64_t at = 0; at < size; at += sizeof(part)) {
		size_t n = size - at < sizeof(part) ? (size_t)(size - at) : sizeof(part);

		if (!spill_get(s, at, part, n))
			break;
		if (cmd_print(slice_from(part, n)) != CMD_DONE)
			return -1;
	}
	return spill_failed(s, e) ? -1 : 0;
}

/* "ip" of "txt:ip"; NULL if the name says none. */
static const char *
kind_of(const char *to)
{
	const char *colon = strchr(to, ':');

	return colon == NULL ? NULL : colon + 1;
}

static struct write_job
job_of(const struct args *a, const struct format_ops *to)
{
	return (struct write_job){
		.csirt = args_get(a, "csirt"), .csirt_contact = args_get(a, "contact"),
		.pretty = args_get(a, "pretty") != NULL,
		.no_residue = args_get(a, "no-residue") != NULL,
		.kind = to->read == NULL ? kind_of(args_get(a, "to")) : NULL,
		.excel_safe = args_get(a, "excel-safe") != NULL,
		.no_guard = args_get(a, "no-guard") != NULL,
	};
}

/* What the envelope shall say, from the file that was given. */
static int
take_envelope(const struct conversion *c, struct documents *d, struct slice *out, struct err *e)
{
	const char *path = args_get(c->args, "envelope");
	struct strbuf text = STRBUF_INIT;
	int rc;

	if (path == NULL)
		return 0;
	rc = file_read(path, ENVELOPE_MAX, &text, e);
	*out = arena_slice(d->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return rc;
}

/* What the envelope said, to the file that was given. */
static int
give_envelope(const struct conversion *c, const struct documents *d, struct err *e)
{
	const char *path = args_get(c->args, "envelope-out");
	struct file_draft *draft;

	if (path == NULL)
		return 0;
	if ((draft = file_draft_new(path, e)) == NULL)
		return -1;
	file_draft_add(draft, d->envelope.n > 0 ? d->envelope : SLICE_LIT("{}"));
	file_draft_add(draft, SLICE_LIT("\n"));
	return file_draft_keep(draft, 0644, e);
}

/* Was more lost on this leg than may be? Then it says so. */
static bool
is_beyond(struct conversion *c, const struct documents *d, enum leg leg)
{
	uint64_t count[LOSS_KINDS];
	struct err e = ERR_INIT;

	for (int i = 0; c->limit.set && i < LOSS_KINDS; i++)
		count[i] = account_count(d->account, leg, (enum loss_kind)i);
	if (!c->limit.set || !loss_is_beyond(&c->limit, count, &e))
		return false;
	c->lost = true;
	cmd_complain("LOSS %s%s: %s", leg == LEG_READING ? "reading" : "writing as ",
	    leg == LEG_READING ? "" : c->to->name, e.reason);
	return true;
}

/* Into a file that is kept or dropped, or put by for standard output: as long as it may be refused. */
static int
write_to(struct conversion *c, struct documents *d, const struct write_job *job, struct sink *sink,
    struct err *e)
{
	if (c->output != NULL && (sink->draft = file_draft_new(c->output, e)) == NULL)
		return -1;
	if (sink->draft == NULL && c->limit.set)
		sink->spill = spill_new();
	if (documents_write(d, *job, on_part, sink, e) < 0 || is_beyond(c, d, LEG_WRITING)) {
		file_draft_drop(sink->draft);
		return c->lost ? 0 : -1;
	}
	if (sink->spill != NULL)
		return print_spilled(sink->spill, e);
	return sink->draft == NULL ? 0 : file_draft_keep(sink->draft, 0644, e);
}

/* Write what was read, and the account of it; if too much is lost, the account alone. */
static int
write_document(struct conversion *c, struct documents *d, struct err *e)
{
	struct write_job job = job_of(c->args, c->to);
	struct sink sink = { NULL, NULL };
	int rc;

	if (take_envelope(c, d, &job.envelope, e) < 0 || give_envelope(c, d, e) < 0)
		return -1;
	rc = is_beyond(c, d, LEG_READING) ? 0 : write_to(c, d, &job, &sink, e);
	spill_free(sink.spill);
	if (rc < 0)
		return -1;
	return c->loss == NULL ? 0 : account_write(d->account, c->loss, e);
}

/* Was a leaf dropped on either leg? */
static bool
has_dropped(const struct account *a)
{
	return account_count(a, LEG_READING, LOSS_DROPPED) + account_count(a, LEG_WRITING,
	    LOSS_DROPPED) > 0;
}

/* What stands beside the document, on standard error. */
static void
tell(const struct conversion *c, struct documents *d)
{
	documents_print_verdicts(d, stderr);
	if (args_get(c->args, "counts") != NULL)
		account_print_counts(d->account, stderr);
	if (args_get(c->args, "stats") != NULL)
		documents_print_stats(d, stderr);
}

int
convert_one(struct conversion *c, const char *const *paths, size_t n)
{
	bool strict = args_get(c->args, "strict-loss") != NULL;
	struct documents d;
	struct err e = ERR_INIT;
	int status = CMD_FAILED;

	documents_init(&d, c->to, c->bar);
	if (c->loss != NULL || strict || c->limit.set || args_get(c->args, "counts") != NULL)
		d.account = account_new();
	if (documents_read(&d, c->args, paths, n) == 0 && d.unreadable == 0) {
		status = CMD_DONE;
		if (write_document(c, &d, &e) < 0)
			status = e.code == ERR_NONE ? CMD_FAILED : cmd_fail_err(&e);
	}
	work_bar_wipe(c->bar);
	tell(c, &d);
	c->objects = d.accepted;
	c->refused = verdicts_refused(d.verdicts) - d.unreadable;
	c->dropped = strict && status == CMD_DONE && has_dropped(d.account);
	if (status == CMD_DONE && (c->refused > 0 || c->dropped || c->lost))
		status = CMD_NO;
	documents_fini(&d);
	return status;
}

/* ---- the verb ---- */

int
convert_limit(const struct args *a, struct loss_limit *out)
{
	static const char also[] = " approximated";
	const char *text = args_get(a, "refuse-loss");
	struct slice share = slice_of(text == NULL ? "" : text);
	struct loss_limit limit = { .set = false };

	if (slice_ends(share, also))
		share.n -= sizeof(also) - 1;
	if (text != NULL && !loss_limit_parse(share, &limit))
		return cmd_complain("convert: --refuse-loss %s: this is no share such as 5%%, 0.5%% or "
		    "\"5%% approximated\"", text);
	limit.approximated = text != NULL && slice_ends(slice_of(text), also);
	if (out != NULL)
		*out = limit;
	return 0;
}

static int
list_formats(void)
{
	static const char *const heads[] = { "FORMAT", "READ", "WRITTEN", "ENDING", "MEDIA TYPE", NULL };
	const struct format_ops *const *lists[] = { formats, format_writers };
	struct table *t = table_new(heads);

	for (size_t l = 0; l < COUNTOF(lists); l++) {
		for (size_t i = 0; lists[l][i] != NULL; i++) {
			const struct format_ops *f = lists[l][i];

			table_cell(t, slice_of(f->name));
			table_cell(t, slice_of(f->read != NULL ? "yes" : ""));
			table_cell(t, slice_of(f->write != NULL ? "yes" : ""));
			table_cell(t, slice_of(f->file_ending));
			table_cell(t, slice_of(f->media_type));
		}
	}
	table_print(t, stdout);
	table_free(t);
	return CMD_DONE;
}

static int
convert(const struct args *a, const struct format_ops *to, struct work_bar *bar)
{
	struct conversion c = { .args = a, .to = to, .output = args_get(a, "output"),
	    .loss = args_get(a, "loss"), .bar = bar };
	struct arena *mem = arena_new();
	struct files f;
	int status = CMD_FAILED;

	convert_limit(a, &c.limit);
	if (files_find(&f, mem, a, args_get(a, "out")) == 0) {
		if (args_get(a, "out") != NULL)
			status = convert_each(a, to, &f, bar);
		else if (f.n == 0)
			status = cmd_fail("convert: there is no file in these folders");
		else
			status = convert_one(&c, f.paths, f.n);
	}
	arena_free(mem);
	return status;
}

static int
run(const struct args *a)
{
	const char *to_name = args_get(a, "to");
	const struct format_ops *to;
	struct work_bar *bar;
	int status;

	if (args_get(a, "formats") != NULL)
		return list_formats();
	if (to_name == NULL)
		return cmd_fail("convert: --to is missing: which format?");
	if (args_get(a, "out") != NULL && args_get(a, "output") != NULL)
		return cmd_fail("convert: --out writes many documents, --output one");
	to = document_target(to_name);
	if (to == NULL || convert_limit(a, NULL) < 0)
		return CMD_FAILED;
	bar = work_bar_new();
	status = convert(a, to, bar);
	work_bar_free(bar);
	return status;
}

const struct command command_convert = {
	"convert", "[FILE|FOLDER...]", 0, 100000, "translate documents from one format to another",
	"Reads files, all files in folders, or standard input, and writes one document to "
	"standard output, or "
	"with --out one for each input. Several inputs that become one output: what stands in "
	"several of them "
	"is written once.\n"
	"Formats are listed by --formats. Without --from each input is looked at. `mapped` is "
	"in-house CSV, "
	"JSON and XML, described by a mapping file; see --mapping. Some are written only: a "
	"record for each "
	"value of an indicator, or those of one kind (txt:ip, dataset:md5); the fields are in "
	"conf/README.md, "
	"and --loss tells what such a record cannot say.\n"
	"An object that cannot be translated costs itself only: it is named on standard error as "
	"`input:line:column: CODE path: reason`, the rest is written, and the exit status is 1. "
	"The same input gives the same bytes, whenever and wherever it is converted, and in "
	"however many pieces "
	"it is read.\n"
	"Large inputs are read piece by piece and take no memory of their size; what is needed "
	"of all pieces is "
	"put by in files without a name in TMPDIR. STIX 2.1 and records of values are written so "
	"too, and, if the input is a list of events or Incidents, MISP, and IODEF v2 with --no-residue "
	"(unless it came from IODEF). All else is written as a whole, of at most 1 GB of objects: in "
	"STIX anything may refer to anything.",
	options, run
};
