/*
 * piece_run.h -- the items of a JSON list as pieces of a large document, one after the other.
 *
 * Owns:    where the run is: the number of the item, its line and column.
 * Called:  by the splits of formats that are lists of JSON (stix21, stix20, misp).
 * Never:   looks into an item.
 */
#ifndef FORMATS_PIECE_RUN_H
#define FORMATS_PIECE_RUN_H

#include "formats/format.h"

struct piece_run {
	struct whole	*whole;
	const char	*text;		/* the document */
	format_piece_fn	*fn;
	void		*arg;
	struct pos	 here;
	size_t		 line_at, index;
};

/* A run from the first item on. */
struct piece_run piece_run_new(struct whole *whole, struct slice text, format_piece_fn *fn, void *arg);
/* A json_walk_fn over the list, whose ctx is a run: hand the item out. */
bool	piece_run_item(void *run, struct slice name, struct slice value);

#endif
