/*
 * flat_format.c -- the outputs of flat.h as formats that are written only.
 *
 * One row of the registry a name. What a target cannot say of an object is dropped and told: these
 * formats are lossy by nature.
 */
#include <stdlib.h>

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

struct writing {
	const struct write_job	*job;
	struct arena		*mem;
	struct flat_job		 flat;
	struct warnlist		*warn;
	struct flat_index	*index;
	struct flat_run		*run;
	struct telling		 telling;
};

/* The output of a name, or the one of its kinds that the job asks for. */
static const struct flat_output *
output_of(const char *name, const struct write_job *job, struct arena *mem)
{
	if (job->kind == NULL)
		return flat_output_find(slice_of(name));
	return flat_output_find(slice_of(arena_fmt(mem, "%s:%s", name, job->kind)));
}

static void
end(struct writing *w)
{
	flat_run_free(w->run);
	flat_index_free(w->index);
	warnlist_free(w->warn);
	arena_free(w->mem);
	free(w);
}

/* Everything there is goes into records; a block list gets the guards that need no clock but the
 * input's. */
static struct writing *
begin(const char *name, const struct write_job *job, struct err *e)
{
	struct writing *w = xcalloc(1, sizeof(*w));
	const struct flat_output *output;

	w->job = job;
	w->mem = arena_new();
	if ((output = output_of(name, job, w->mem)) == NULL) {
		err_set(e, ERR_UNSUPPORTED, "%s has no such kind", name);
		end(w);
		return NULL;
	}
	if (output->style == FLAT_BLOCK && !job->no_guard) {
		w->warn = warnlist_new();
		warnlist_seal(w->warn);
	}
	w->flat = (struct flat_job){ .title = "Tocsin", .warn = w->warn, .observables = true,
	    .keep_ended = true, .excel_safe = job->excel_safe };
	stamp_key(w->mem, job->received, &w->flat.now_key);
	w->index = flat_index_new(0);
	w->run = flat_run_new(output, &w->flat);
	w->telling.loss = job->loss;
	flat_run_tell(w->run, on_told, &w->telling);
	return w;
}

/* Names and relationships may stand behind what they speak of. */
static void
look(struct writing *w, const struct object *o)
{
	flat_index_add(w->index, o);
}

static int
head(struct writing *w, struct strbuf *out, struct err *e)
{
	(void)e;
	flat_run_head(w->run, out);
	return 0;
}

static int
put(struct writing *w, const struct object *o, struct strbuf *out, struct err *e)
{
	struct flat_look who = flat_index_look(w->index);
	struct arena *one = arena_new();
	struct flat_list list = { .v = NULL };
	bool read = flat_read(o, &who, one, &list, w->job->loss);

	(void)e;
	account(w->job->loss, o, &list, read, flat_run_add(w->run, &list, out));
	arena_free(one);
	return 0;
}

static int
tail(struct writing *w, struct strbuf *out, struct err *e)
{
	(void)e;
	flat_run_tail(w->run, out);
	return 0;
}

#define WRITER(id, title, ending)							\
static struct writing *									\
begin_##id(const struct write_job *job, struct err *e)					\
{											\
	return begin(title, job, e);							\
}											\
static const struct format_stream stream_##id = {					\
	.begin = begin_##id, .look = look, .head = head, .put = put, .tail = tail, .end = end,	\
};											\
static int										\
write_##id(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)	\
{											\
	(void)mem;									\
	return format_stream_all(&stream_##id, job, out, e);				\
}											\
const struct format_ops format_##id = {							\
	.name = title, .media_type = "text/plain", .file_ending = ending,		\
	.write = write_##id, .stream = &stream_##id					\
}

WRITER(csv, "csv", ".csv");
WRITER(jsonl, "jsonl", ".jsonl");
WRITER(txt, "txt", ".txt");
WRITER(hosts, "hosts", ".hosts");
WRITER(suricata, "suricata", ".rules");
WRITER(dataset, "dataset", ".lst");
WRITER(zeek, "zeek", ".intel");
WRITER(wazuh, "wazuh", ".cdb");
