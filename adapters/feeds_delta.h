/*
 * feeds_delta.h -- what has changed in a feed, as lines of jsonl or csv.
 *
 * Owns:    how a change is written: a member `op` in front of a record, a column `op` in front of a row.
 * Called:  by feeds.c.
 * Never:   decides what has changed (feed_log.h).
 */
#ifndef ADAPTERS_FEEDS_DELTA_H
#define ADAPTERS_FEEDS_DELTA_H

#include "gateway/feed_log.h"

struct feeds_delta {
	bool		 csv;
	struct slice	 columns;	/* csv: the first line of the output, without its end */
	struct strbuf	*out;
	uint64_t	 n[FEED_ADDED + 1];
	bool		 incomplete;	/* a record is not there in this form: fetch the whole */
};

void	feeds_delta_head(struct feeds_delta *d);
/* A feed_change_fn. */
void	feeds_delta_add(void *delta, enum feed_op op, struct slice name, struct slice line,
	    struct slice csv);

#endif
