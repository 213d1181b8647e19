/*
 * flat_format.c -- the outputs of flat.h as formats that are written only.
 *
 * One row of the registry a name. What a target cannot say of an object is dropped and told: these
 * formats are lossy by nature.
 */
#include "formats/flat_impl.h"
#include "formats/format.h"
#include "formats/warnlist.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

struct telling {
	struct loss	*loss;
};

static void
on_told(void *arg, const struct flat_record *r, enum flat_verdict v, const char *why)
{
	struct telling *t = arg;

	if (v == FLAT_AGAIN)
		return;
	loss_addf(t->loss, LOSS_DROPPED, why != NULL ? why : flat_verdict_telling(v), "%.*s/%s",
	    SLICE_ARG(r->id), flat_type_word(r->type));
}

/* The account of one object: what its records carry is kept, the rest is not. */
static void
account(struct loss *loss, const struct object *o, const struct flat_list *l, bool read,
    size_t written)
{
	if (!read)
		loss_addf(loss, LOSS_DROPPED, "no value of its own: not in flat records", "%.*s",
		    SLICE_ARG(o->id));
	else if (written > 0)
		loss_addf(loss, LOSS_APPROXIMATED, "a record a value: lossy by nature", "%.*s",
		    SLICE_ARG(o->id));
	else if (l->n == 0 && l->skipped == 0)
		loss_addf(loss, LOSS_DROPPED, "holds no value of a flat record", "%.*s",
		    SLICE_ARG(o->id));
}

/* Everything there is goes into records; a block list gets the guards that need no clock but the
 * input's. */
static int
write_flat(const struct flat_output *output, const struct write_job *job, struct arena *mem,
    struct strbuf *out)
{
	bool guard = output->style == FLAT_BLOCK && !job->no_guard;
	struct warnlist *warn = guard ? warnlist_new() : NULL;
	struct flat_job flat = { .title = "Tocsin", .warn = warn, .observables = true,
	    .keep_ended = true, .excel_safe = job->excel_safe };
	struct flat_index *index = flat_index_new(0);
	struct flat_look look = flat_index_look(index);
	struct flat_run *run = flat_run_new(output, &flat);
	struct telling telling = { job->loss };

	stamp_key(mem, job->received, &flat.now_key);
	if (warn != NULL)
		warnlist_seal(warn);
	flat_run_tell(run, on_told, &telling);
	for (size_t i = 0; i < job->adv->n; i++)
		flat_index_add(index, &job->adv->objects[i]);
	flat_run_head(run, out);
	for (size_t i = 0; i < job->adv->n; i++) {
		const struct object *o = &job->adv->objects[i];
		struct arena *one = arena_new();
		struct flat_list list = { .v = NULL };
		bool read = flat_read(o, &look, one, &list, job->loss);

		account(job->loss, o, &list, read, flat_run_add(run, &list, out));
		arena_free(one);
	}
	flat_run_tail(run, out);
	flat_run_free(run);
	flat_index_free(index);
	warnlist_free(warn);
	return 0;
}

/* The output of a name, or the one of its kinds that the job asks for. */
static const struct flat_output *
output_of(const char *name, const struct write_job *job, struct arena *mem)
{
	if (job->kind == NULL)
		return flat_output_find(slice_of(name));
	return flat_output_find(slice_of(arena_fmt(mem, "%s:%s", name, job->kind)));
}

#define WRITER(id, title, ending)							\
static int										\
write_##id(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)	\
{											\
	const struct flat_output *o = output_of(title, job, mem);			\
											\
	if (o == NULL)									\
		return err_set(e, ERR_UNSUPPORTED, "%s has no such kind", title);	\
	return write_flat(o, job, mem, out);						\
}											\
const struct format_ops format_##id = {							\
	.name = title, .media_type = "text/plain", .file_ending = ending,		\
	.write = write_##id								\
}

WRITER(csv, "csv", ".csv");
WRITER(jsonl, "jsonl", ".jsonl");
WRITER(txt, "txt", ".txt");
WRITER(hosts, "hosts", ".hosts");
WRITER(suricata, "suricata", ".rules");
WRITER(dataset, "dataset", ".lst");
WRITER(zeek, "zeek", ".intel");
WRITER(wazuh, "wazuh", ".cdb");
