/*
 * misp_split.c -- a large MISP document in pieces: an element of the list each (an event, or what a search
 * gave). Only lists of several are taken apart, and only if nothing stands beside them.
 */
#include <stdlib.h>

#include "formats/misp_read.h"
#include "formats/piece_run.h"
#include "gateway/base/arena.h"
#include "gateway/base/json_walk.h"

enum { DEPTH_DEFAULT = 128 };

struct whole {
	struct read_job		 job;
	struct arena		*mem;
	struct slice		 id, list;
	unsigned		 around;	/* brackets around an element */
	size_t			 n;
	bool			 odd;
	size_t			 warnings;	/* of this run through all pieces */
};

static unsigned
depth_of(const struct whole *w)
{
	return w->job.limits.depth == 0 ? DEPTH_DEFAULT : w->job.limits.depth;
}

/* json_walk_fn over the root: `response` and nothing else. */
static bool
on_member(void *ctx, struct slice name, struct slice value)
{
	struct whole *w = ctx;

	if (name.p == NULL || !slice_is(name, "response") || !json_walk_is(value, '[') ||
	    w->list.n > 0)
		return false;
	w->list = value;
	return true;
}

static bool
find_list(struct whole *w)
{
	struct slice text = slice_trim(w->job.in);

	w->around = 1;
	if (json_walk_is(text, '[')) {
		w->list = text;
		return true;
	}
	w->around = 2;
	return json_walk_is(text, '{') && json_walk_far(text, depth_of(w), on_member, w,
	    w->job.passed, w->job.passed_arg) && w->list.n > 0;
}

static bool
each_element(struct whole *w, json_walk_fn *fn, void *ctx)
{
	return json_walk_far(w->list, depth_of(w) - w->around + 1, fn, ctx, w->job.passed,
	    w->job.passed_arg);
}

/* json_walk_fn over the list. */
static bool
on_element(void *ctx, struct slice name, struct slice value)
{
	struct whole *w = ctx;

	(void)name;
	(void)value;
	w->n++;
	return true;
}

static void
split_close(struct whole *w)
{
	arena_free(w->mem);
	free(w);
}

static int
split_open(const struct read_job *job, struct whole **out, struct err *e)
{
	struct whole *w = xcalloc(1, sizeof(*w));

	(void)e;
	w->job = *job;
	w->mem = arena_new();
	if (depth_of(w) <= 2 || !find_list(w) || !each_element(w, on_element, w) || w->n < 2) {
		split_close(w);
		return 0;
	}
	w->id = misp_document_id(job, w->mem);
	*out = w;
	return 1;
}

static bool
split_each(struct whole *w, format_piece_fn *fn, void *arg)
{
	struct piece_run run = piece_run_new(w, w->job.in, fn, arg);

	w->warnings = 0;
	return each_element(w, piece_run_item, &run);
}

const struct format_split misp_split = {
	.open = split_open, .each = split_each, .close = split_close, .joins = true,
	.containers = true, .window = 1 << 20,
};

const char *
mr_piece_begin(struct mr *r, struct json_limits *limits)
{
	const struct whole *w = r->job->piece->whole;

	limits->depth = depth_of(w) - w->around;
	limits->bytes = r->job->in.n;
	r->index = r->job->piece->index;
	r->warnings = w->warnings;
	r->adv->id = w->id;
	return arena_fmt(r->mem, "%s[%zu]", w->around == 2 ? "response" : "", r->index);
}

void
mr_piece_end(struct mr *r)
{
	r->job->piece->whole->warnings = r->warnings;
	for (size_t i = 0; i < r->adv->nverdicts; i++)
		r->adv->verdicts[i].index = 0;	/* the piece's own number is added by who drives */
}
