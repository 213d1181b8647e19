/*
 * misp_write_series.c -- the events of a large document, one after the other. See misp_write.h.
 *
 * Nothing of an event needs another one: only what no report names is left for an event at the end, and
 * whether there is one event or several must be known at the beginning.
 */
#include <stdlib.h>

#include "formats/misp_read.h"
#include "formats/misp_write.h"
#include "gateway/base/arena.h"

struct writing {
	struct write_job	job;
	size_t			containers, written;
};

static struct writing *
series_begin(const struct write_job *job, struct err *e)
{
	struct writing *wr = xcalloc(1, sizeof(*wr));

	(void)e;
	wr->job = *job;
	return wr;
}

static void
series_look(struct writing *wr, const struct object *o)
{
	wr->containers += slice_is(o->type, "report") || slice_is(o->type, "grouping");
}

static int
series_head(struct writing *wr, struct strbuf *out, struct err *e)
{
	(void)e;
	if (wr->containers < 2)
		return 1;
	strbuf_adds(out, "{\"response\":[");
	return 0;
}

static int
series_put(struct writing *wr, const struct batch *b, struct strbuf *out, struct err *e)
{
	struct mw w = { .batch = b };
	struct arena *mem = arena_new();
	int rc;

	wr->job.adv = b->adv;
	rc = mw_open(&w, &wr->job, mem, e);
	if (rc == 0)
		mw_plan(&w);
	for (size_t i = 0; rc == 0 && i < w.nevents; i++) {
		if (wr->written++ > 0)
			strbuf_addc(out, ',');
		json_print(out, mw_write_event(&w, &w.events[i]));
	}
	if (rc == 0)
		mw_account(&w);
	arena_free(mem);
	return rc;
}

static int
series_tail(struct writing *wr, struct strbuf *out, struct err *e)
{
	(void)wr;
	(void)e;
	strbuf_adds(out, "]}\n");
	return 0;
}

static void
series_end(struct writing *wr)
{
	free(wr);
}

const struct format_series misp_series = {
	.begin = series_begin, .look = series_look, .head = series_head, .put = series_put,
	.tail = series_tail, .end = series_end,
};
