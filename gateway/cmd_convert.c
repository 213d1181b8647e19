/* cmd_convert.c -- `tocsin convert`: the translators, without a node. */
#include <stdio.h>

#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"
#include "gateway/cmd_document.h"
#include "formats/format.h"

static const struct cmd_option options[] = {
	DOCUMENT_OPTIONS,
	{ "to", 't', "FORMAT", "what to write; the formats are listed above" },
	{ "output", 'o', "FILE", "where to write, instead of standard output" },
	{ "loss", 'l', "FILE", "write what became of every leaf of the input: a line each, or JSON "
	    "if the name ends in .json" },
	{ "pretty", 'p', NULL, "for people: one member or element a line" },
	{ "no-residue", 0, NULL, "do not carry in extensions what the target cannot say" },
	{ "excel-safe", 0, NULL, "csv: ' in front of what a spreadsheet would take for a formula" },
	{ "no-guard", 0, NULL, "lists for devices: private, documentation and other special values too" },
	{ "csirt", 0, "DOMAIN", "our name in IODEF: IncidentID@name" },
	{ "contact", 0, "MAIL", "our mail address in IODEF" },
	{ .name = NULL }
};

/* Write the account where --loss says. */
static int
write_loss(const char *path, const struct loss *loss, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	int rc;

	if (slice_ends(slice_of(path), ".json"))
		loss_print_json(&text, loss);
	else
		loss_print(&text, loss);
	rc = file_write(path, strbuf_slice(&text), 0644, e);
	strbuf_fini(&text);
	return rc;
}

static int
write_output(const char *path, struct slice text, struct err *e)
{
	if (path != NULL)
		return file_write(path, text, 0644, e);
	return cmd_print(text) == CMD_DONE ? 0 : -1;
}

/* "ip" of "txt:ip"; NULL if the name says none. */
static const char *
kind_of(const char *to)
{
	const char *colon = strchr(to, ':');

	return colon == NULL ? NULL : colon + 1;
}

/* Write what was read; CMD_DONE or CMD_FAILED. */
static int
write_documents(const struct args *a, struct documents *d, const struct format_ops *to)
{
	struct write_job job = {
		.adv = &d->all, .received = d->received, .mapping = d->mapping,
		.csirt = args_get(a, "csirt"), .csirt_contact = args_get(a, "contact"),
		.pretty = args_get(a, "pretty") != NULL,
		.no_residue = args_get(a, "no-residue") != NULL, .loss = d->loss,
		.kind = to->read == NULL ? kind_of(args_get(a, "to")) : NULL,
		.excel_safe = args_get(a, "excel-safe") != NULL,
		.no_guard = args_get(a, "no-guard") != NULL,
	};
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;
	int status = CMD_DONE;

	if (to->write(&job, d->mem, &out, &e) < 0 ||
	    write_output(args_get(a, "output"), strbuf_slice(&out), &e) < 0 ||
	    (d->loss != NULL && write_loss(args_get(a, "loss"), d->loss, &e) < 0))
		status = e.code == ERR_NONE ? CMD_FAILED : cmd_fail_err(&e);
	strbuf_fini(&out);
	return status;
}

static int
run(const struct args *a)
{
	const char *to_name = args_get(a, "to");
	struct documents d;
	struct loss loss;
	const struct format_ops *to;
	int status = CMD_FAILED;

	if (to_name == NULL)
		return cmd_fail("convert: --to is missing: which format?");
	to = document_target(to_name);
	if (to == NULL)
		return CMD_FAILED;
	documents_init(&d, to);
	loss_init(&loss, d.mem);
	if (args_get(a, "loss") != NULL)
		d.loss = &loss;
	if (documents_read(&d, a) == 0 && d.unreadable == 0)
		status = write_documents(a, &d, to);
	documents_print_verdicts(&d, stderr);
	if (status == CMD_DONE && d.refused > 0)
		status = CMD_NO;
	documents_fini(&d);
	return status;
}

const struct command command_convert = {
	"convert", "[FILE...]", 0, 100000, "translate documents from one format to another",
	"Reads files (or standard input), writes one document to standard output. Several inputs "
	"become one output; what stands in several of them is written once.\n"
	"Formats: stix21, iodef2, and mapped (in-house CSV, JSON and XML, described by a mapping "
	"file; see --mapping). Without --from each input is looked at. Written only: csv, jsonl, txt, "
	"hosts, suricata, dataset, zeek and wazuh, a record for each value of an indicator, or those of "
	"one kind (txt:ip, dataset:md5); the fields are in conf/README.md, and --loss tells what such a "
	"record cannot say.\n"
	"An object that cannot be translated costs itself only: it is named on standard error as "
	"`input:line:column: CODE path: reason`, the rest is written, and the exit status is 1. "
	"The same input gives the same bytes, whenever and wherever it is converted.",
	options, run
};
