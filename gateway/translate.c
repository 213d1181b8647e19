#include "gateway/translate.h"

#include <stdlib.h>

#include "gateway/base/arena.h"

enum { SNIFF_BYTES = 4096 };

struct translate {
	uint64_t	jobs;
};

struct translate *
translate_new(const struct translate_conf *conf, struct err *e)
{
	(void)conf;
	(void)e;
	return xcalloc(1, sizeof(struct translate));
}

void
translate_free(struct translate *t)
{
	free(t);
}

/* The format by name or by the first bytes; NULL and *e if there is none. */
static const struct format_ops *
choose(const char *name, struct slice in, struct err *e)
{
	const struct format_ops *f;

	if (name != NULL) {
		f = format_find(slice_of(name));
		if (f == NULL)
			err_set(e, ERR_UNSUPPORTED, "there is no format \"%s\"", name);
		return f;
	}
	f = format_sniff(slice_from(in.p, in.n < SNIFF_BYTES ? in.n : SNIFF_BYTES));
	if (f == NULL)
		err_set(e, ERR_UNSUPPORTED, "this looks like no format we know");
	return f;
}

void
translate_read(struct translate *t, const char *format, const struct read_job *job,
    struct arena *mem, translate_read_cb *cb, void *arg)
{
	struct advisory *adv = arena_alloc(mem, sizeof(*adv));
	struct err e = ERR_INIT;
	const struct format_ops *f = choose(format, job->in, &e);

	t->jobs++;
	if (f == NULL || f->read(job, mem, adv, &e) < 0) {
		err_input(&e, job->input);
		cb(arg, adv, f, &e);
		return;
	}
	cb(arg, adv, f, NULL);
}
