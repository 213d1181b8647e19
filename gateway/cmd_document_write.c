/* cmd_document_write.c -- from objects on the shelf to one document. Part of cmd_document.h. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_answer.h"
#include "gateway/cmd_document.h"
#include "gateway/cmd_input.h"
#include "gateway/cmd_progress.h"

enum { PART_BYTES = 64 << 10, SHOWN_EVERY = 256 };
#define WHOLE_MAX ((size_t)1 << 30)	/* objects for a writer that needs them together */

int
documents_flush(struct giving *g, size_t least)
{
	if (g->out.n < least || g->out.n == 0)
		return 0;
	if (g->part(g->arg, strbuf_slice(&g->out)) < 0)
		return -1;
	strbuf_setlen(&g->out, 0);
	return 0;
}

/* The pages of an input before this object are not looked at any more. */
static void
pass_by(struct documents *d, const struct kept *k, const struct object *o)
{
	if (k->in_input)
		input_passed(d->sources[k->input].in, o->bytes.p);
}

static int
lost(struct err *e)
{
	return err_set(e, ERR_IO, "an object that was put by cannot be had again");
}

/* Show every object to the writer, once to look and once to write. */
static int
each_object(struct giving *g, bool put)
{
	const struct format_stream *stream = g->d->to->stream;
	size_t n = shelf_count(g->d->shelf);

	for (size_t i = 0; i < n; i++) {
		struct arena *mem;
		struct object o;
		struct kept k;
		int rc = 0;

		if (!shelf_get(g->d->shelf, i, &k))
			continue;
		mem = arena_new();
		if (!shelf_load(g->d->shelf, &k, mem, false, &o))
			rc = lost(g->e);
		else if (!put)
			stream->look(g->w, &o);
		else
			rc = stream->put(g->w, &o, &g->out, g->e);
		if (rc == 0)
			pass_by(g->d, &k, &o);
		arena_free(mem);
		account_take(g->d->account, LEG_WRITING, NULL);
		if (rc < 0 || documents_flush(g, PART_BYTES) < 0)
			return -1;
		if (i % SHOWN_EVERY == 0)
			work_bar_show(g->d->bar, put ? "writing" : "looking again", "", i, n);
	}
	return 0;
}

static int
write_stream(struct giving *g, const struct write_job *job)
{
	const struct format_stream *stream = g->d->to->stream;
	int rc = -1;

	g->w = stream->begin(job, g->e);
	if (g->w == NULL)
		return -1;
	if ((stream->look == NULL || each_object(g, false) == 0) &&
	    stream->head(g->w, &g->out, g->e) == 0 && each_object(g, true) == 0 &&
	    stream->tail(g->w, &g->out, g->e) == 0)
		rc = documents_flush(g, 0);
	account_take(g->d->account, LEG_WRITING, NULL);
	stream->end(g->w);
	return rc;
}

/* All objects, with their trees, for a writer that needs them together. */
static int
load_all(struct documents *d, struct arena *mem, struct advisory *adv, struct err *e)
{
	uint64_t bytes = 0;

	adv->id = d->id;
	for (size_t i = 0; i < shelf_count(d->shelf); i++) {
		struct object *o;
		struct kept k;

		if (!shelf_get(d->shelf, i, &k))
			continue;
		bytes += k.n;
		if (bytes > WHOLE_MAX)
			return err_set(e, ERR_LIMIT, "%s is written as a whole here, and these are more "
			    "than %zu bytes of objects%s", d->to->name, WHOLE_MAX,
			    d->to == &format_iodef2 ? "; events go one by one with --no-residue" : "");
		o = advisory_add(adv, mem);
		if (!shelf_load(d->shelf, &k, mem, true, o))
			return lost(e);
	}
	return 0;
}

static int
write_whole(struct giving *g, const struct write_job *given)
{
	struct write_job job = *given;
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	int rc = -1;

	job.adv = &adv;
	if (load_all(g->d, mem, &adv, g->e) == 0 &&
	    g->d->to->write(&job, mem, &g->out, g->e) == 0)
		rc = documents_flush(g, 0);
	account_take(g->d->account, LEG_WRITING, NULL);
	arena_free(mem);
	return rc;
}

int
documents_write(struct documents *d, struct write_job job, document_part_fn *part, void *arg,
    struct err *e)
{
	struct giving g = { .d = d, .out = STRBUF_INIT, .part = part, .arg = arg, .e = e };
	int rc = 1;

	job.received = d->received;
	job.mapping = d->mapping;
	job.loss = account_loss(d->account);
	if (job.envelope.n == 0)
		job.envelope = d->envelope;
	if (d->to->stream != NULL)
		rc = write_stream(&g, &job);
	else if (documents_are_series(d))
		rc = documents_write_series(&g, &job);
	if (rc > 0)
		rc = write_whole(&g, &job);
	if (shelf_failed(d->shelf, e))
		rc = -1;
	strbuf_fini(&g.out);
	return rc;
}

/* ---- what is told beside it ---- */

void
documents_print_verdicts(struct documents *d, FILE *out)
{
	struct verdict_row row;

	verdicts_rewind(d->verdicts);
	for (;;) {
		struct arena *mem = arena_new();
		bool more = verdicts_next(d->verdicts, mem, &row);

		if (more) {
			print_safe(out, slice_of(d->sources[row.input].name));
			if (row.at.line > 0)
				fprintf(out, ":%u:%u", row.at.line, row.at.column);
			fprintf(out, ": %s%s ", strcmp(row.verdict, "warning") == 0 ? "warning " : "",
			    row.code);
			if (row.path[0] != '\0') {
				print_safe(out, slice_of(row.path));
				fputs(": ", out);
			}
			print_safe(out, slice_of(row.reason));
			fputc('\n', out);
		}
		arena_free(mem);
		if (!more)
			break;
	}
}

/* The most memory that the process ever had, in bytes; 0 if the system does not say. */
static double
peak_memory(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long kb = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		struct slice s = slice_trim(slice_of(line));	/* "VmHWM:     2300 kB" */

		if (!slice_starts(s, "VmHWM:"))
			continue;
		slice_cut(&s, ':');
		s = slice_trim(s);
		slice_u64(slice_cut(&s, ' '), &kb);
	}
	if (f != NULL)
		fclose(f);
	return (double)kb * 1024;
}

void
documents_print_stats(const struct documents *d, FILE *out)
{
	double seconds = (double)(clock_mono_us() - d->began_us) / 1e6;
	struct arena *mem = arena_new();

	fprintf(out, "%s in %zu %s: %zu objects, %zu refused, %zu warnings; %s",
	    size_text(mem, (double)d->bytes), d->nsources, d->nsources == 1 ? "input" : "inputs",
	    d->accepted, verdicts_refused(d->verdicts), verdicts_warned(d->verdicts),
	    span_text(mem, seconds));
	if (seconds > 0)
		fprintf(out, ", %s/s", size_text(mem, (double)d->bytes / seconds));
	fprintf(out, "; at most %s at once, peak memory %s (%.0f bytes)\n",
	    size_text(mem, (double)d->largest), size_text(mem, peak_memory()), peak_memory());
	arena_free(mem);
}
