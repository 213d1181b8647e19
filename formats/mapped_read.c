/*
 * mapped_read.c -- an in-house input becomes an advisory, record by record (mapped_record.c).
 */
#include <stdarg.h>
#include <stdio.h>

#include "formats/mapped_read.h"
#include "gateway/base/digest.h"

enum { BYTES_DEFAULT = 64 << 20, SCRATCH_BYTES = 1 << 20 };

/* ---- verdicts --------------------------------------------------------------------------------- */

/* Return the stable word of a refusal. */
static const char *
verdict_code(enum err_code code)
{
	switch (code) {
	case ERR_MISSING:	return "MISSING_FIELD";
	case ERR_VALUE:		return "BAD_VALUE";
	case ERR_ENCODING:	return "BAD_ENCODING";
	case ERR_LIMIT:		return "TOO_LARGE";
	case ERR_DUPLICATE:	return "DUPLICATE_KEY";
	default:		return "BAD_RECORD";
	}
}

/* Refuse a record: a verdict with its place and text. */
void
map_read_refuse(struct map_reading *rd, const struct mapped_record *rec, struct slice text, struct slice id,
    const struct err *e)
{
	struct verdict *v = advisory_verdict(rd->adv, rd->r.mem, VERDICT_REFUSED,
	    verdict_code(e->code));

	v->err = *e;
	if (v->err.at.line == 0)
		v->err.at = rec->err.at;
	err_input(&v->err, rd->r.job->input);
	err_path(&v->err, "%s", rec->path);
	v->id = id;
	v->index = rec->index;
	v->text = arena_slice(rd->r.mem, text);
	if (rd->watch != NULL)
		rd->watch->end(rd->watch->ctx, rec, RECORD_REFUSED, &v->err);
}

/* A remark on the input as a whole. */
void
map_read_warn(struct map_reading *rd, const char *code, const char *fmt, ...)
{
	struct verdict *v = advisory_verdict(rd->adv, rd->r.mem, VERDICT_WARNED, code);
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(&v->err, ERR_VALUE, "%s", text);
	err_input(&v->err, rd->r.job->input);
}

/* ---- the whole input --------------------------------------------------------------------------- */

static const struct mapped_input *const inputs[] = {
	[MAP_CSV] = &mapped_csv_in, [MAP_JSON] = &mapped_json_in, [MAP_JSONL] = &mapped_jsonl_in,
	[MAP_XML] = &mapped_xml_in
};

/* Read record after record; -1 when the input cannot go on. */
static int
read_records(struct map_reading *rd, struct err *e)
{
	const struct read_job *job = rd->r.job;
	size_t most = map_most_records(job);
	int more;

	for (size_t i = 0;; i++) {
		struct mapped_record rec = { .def = &rd->r.map->record, .index = i };

		if (arena_bytes(rd->r.scratch) > SCRATCH_BYTES) {
			arena_free(rd->r.scratch);
			rd->r.scratch = arena_new();
		}

		if ((more = rd->r.input->next(&rd->r, &rec, e)) <= 0)
			return more;
		if (rd->records++ >= most)
			return err_at(e, ERR_LIMIT, rec.err.at, "more than %zu records", most);
		map_read_record(rd, &rec, NULL, NULL, NULL);
	}
}

/* See mapped_read.h. */
struct slice
map_bundle_id(const struct read_job *job, struct arena *mem)
{
	char hash[2 * SHA256_LEN + 1], uuid[UUID_TEXT + 1];
	uint8_t digest[SHA256_LEN];

	format_digest(job, digest);
	hex_text(digest, SHA256_LEN, hash);
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(mem, "inhouse|%.*s|bundle|%s",
	    SLICE_ARG(job->mapping->name), hash)), uuid);
	return slice_of(arena_fmt(mem, "bundle--%s", uuid));
}

/* All records are read: tell of what lies around them, and make the advisory. */
static int
finish(struct map_reading *rd, struct err *e)
{
	struct map_fields outside = { .o = json_object(rd->r.scratch) };

	if (rd->r.input->outside != NULL && rd->r.job->loss != NULL)
		rd->r.input->outside(&rd->r, &outside);
	for (const json *v = json_first(outside.o); v != NULL; v = json_next(v))
		map_account_value(rd->r.job->loss, LOSS_DROPPED, "outside of the records",
		    json_name(v), v, rd->r.scratch);
	map_finish_duplicates(rd);
	if (rd->r.job->piece == NULL ? rd->skipped > 0 : map_piece_skipped(rd))
		map_read_warn(rd, "SKIPPED", "%zu records do not meet the conditions of the mapping",
		    rd->skipped);
	if (map_finish(rd, e) < 0)
		return -1;
	advisory_settle(rd->adv, rd->r.mem);
	return 0;
}

/* Read a whole input. */
int
mapped_read(const struct read_job *job, struct arena *mem, struct advisory *adv,
    const struct mapped_watch *watch, struct err *e)
{
	struct map_reading rd = { .adv = adv, .watch = watch,
	    .r = { .map = job->mapping, .job = job, .mem = mem } };
	int rc = -1;

	if (job->mapping == NULL)
		return err_set(e, ERR_CONFIG, "an in-house format needs a mapping");
	if (job->in.n > (job->limits.bytes == 0 ? BYTES_DEFAULT : job->limits.bytes))
		return err_set(e, ERR_LIMIT, "the input is larger than its limit");
	rd.r.input = inputs[job->mapping->format];
	rd.r.scratch = arena_new();
	adv->id = job->piece != NULL ? map_piece_begin(&rd) : map_bundle_id(job, mem);
	if (rd.r.input->open(&rd.r, e) < 0 || read_records(&rd, e) < 0)
		err_input(e, job->input);
	else
		rc = finish(&rd, e);
	arena_free(rd.r.scratch);
	return rc;
}
