/* piece_run.c -- see piece_run.h. */
#include "formats/piece_run.h"

struct piece_run
piece_run_new(struct whole *whole, struct slice text, format_piece_fn *fn, void *arg)
{
	return (struct piece_run){ .whole = whole, .text = text.p, .fn = fn, .arg = arg,
	    .here = { .line = 1 } };
}

bool
piece_run_item(void *run, struct slice name, struct slice value)
{
	struct piece_run *r = run;
	struct read_piece piece = { .text = value, .index = r->index++, .whole = r->whole };

	(void)name;
	pos_move(&r->here, &r->line_at, r->text, (size_t)(value.p - r->text));
	piece.at = r->here;
	return r->fn(r->arg, &piece);
}
