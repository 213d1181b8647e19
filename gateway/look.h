/*
 * look.h -- looking into a collection as one reader sees it, without showing it to him.
 *
 * Owns:    counting what a page could show, and asking again about what a page has shown already.
 * Called:  by adapters whose answers speak of more than their page has: totals, positions by number.
 * Never:   shows anything: there is no audit record, so bytes of objects are not handed out.
 *
 * A count costs one step of the store a row, in turns of the loop.
 */
#ifndef GATEWAY_LOOK_H
#define GATEWAY_LOOK_H

#include "gateway/catalog.h"

/* n rows; the date of the last of them, or 0. */
typedef void	look_count_cb(void *arg, uint64_t n, int64_t last_us, const struct err *e);
/* Count the rows that the query chooses and this reader may have, but no more than `most`. Limits of the
 * query do not matter; its lists must live until this returns. */
void		 look_count(struct gateway *g, const struct reader *r,
		    const struct collection_conf *col, const struct page_query *q, uint64_t most,
		    look_count_cb *cb, void *arg);

/* Every row of these ids (q->ids) that the query chooses, in order of date, then the end. Without bytes. */
typedef void	look_end_cb(void *arg, const struct err *e);
void		 look_ids(struct gateway *g, const struct reader *r,
		    const struct collection_conf *col, const struct page_query *q,
		    catalog_row_cb *row, look_end_cb *cb, void *arg);

#endif
