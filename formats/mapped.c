/* mapped.c -- format_mapped, and the checker that shows what a mapping does with a sample. */
#include "formats/mapped.h"

#include "formats/mapped_impl.h"

/* Read through the mapping of the job. */
static int
read_mapped(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	return mapped_read(job, mem, adv, NULL, e);
}

const struct format_ops format_mapped = {
	.name = "mapped",
	.media_type = "application/octet-stream",	/* CSV, JSON, XML: as the mapping says */
	.file_ending = ".txt",
	.sniff = NULL,
	.read = read_mapped,
	.write = mapped_write
};

/* ---- the checker ------------------------------------------------------------------------------ */

struct check {
	struct strbuf	*out;
	struct strbuf	 value;
	size_t		 records, refused;
};

enum { SHOWN_MAX = 60 };

/* A value on one line, cut where it gets long. */
static const char *
show(struct check *c, const json *v)
{
	size_t n;

	strbuf_reset(&c->value);
	if (v == NULL)
		return "-";
	json_print(&c->value, v);
	if (c->value.n > SHOWN_MAX) {
		for (n = SHOWN_MAX; n > 0 && ((unsigned char)c->value.p[n] & 0xc0) == 0x80; n--)
			;
		strbuf_setlen(&c->value, n);
		strbuf_adds(&c->value, "...");
	}
	return c->value.p;
}

/* Begin a record of the table, or say why it was refused. */
static void
on_record(void *ctx, const struct mapped_record *rec, const struct err *refused)
{
	struct check *c = ctx;

	if (refused != NULL) {
		c->refused++;
		strbuf_addf(c->out, "%s  line %u: REFUSED: %s\n", rec->path, refused->at.line,
		    refused->reason);
		return;
	}
	c->records++;
	strbuf_addf(c->out, "%s  line %u\n", rec->path, rec->err.at.line);
}

/* One field that a row maps. */
static void
on_field(void *ctx, const struct map_row *row, const json *cell, const char *remark)
{
	struct check *c = ctx;
	struct slice from = row->is_const ? SLICE_LIT("(const)") : row->source.text;
	struct slice to = row->target == T_X ? row->x_name : slice_of(map_targets[row->target].name);

	strbuf_addf(c->out, "    %-24.*s %-40s -> %.*s%s%s\n", SLICE_ARG(from),
	    row->is_const ? row->constant.p : show(c, cell), SLICE_ARG(to),
	    *remark != '\0' ? "   # " : "", remark);
}

/* One field that no row maps. */
static void
on_left(void *ctx, const char *path, const json *value)
{
	struct check *c = ctx;

	strbuf_addf(c->out, "    %-24s %-40s    not mapped: residue\n", path, show(c, value));
}

/* Read a sample and print the table; return how many records were refused, or -1. */
int
mapping_check(const struct mapping *m, struct slice sample, const char *input,
    struct slice received, struct strbuf *out, struct err *e)
{
	struct check c = { .out = out, .value = STRBUF_INIT };
	struct mapped_watch watch = { on_record, on_field, on_left, &c };
	struct read_job job = { .in = sample, .input = input, .received = received, .mapping = m };
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	int rc = mapped_read(&job, mem, &adv, &watch, e);

	if (rc == 0)
		strbuf_addf(out, "%zu objects from %s, %zu refused\n", adv.n, input, c.refused);
	strbuf_fini(&c.value);
	arena_free(mem);
	return rc < 0 ? -1 : (int)c.refused;
}
