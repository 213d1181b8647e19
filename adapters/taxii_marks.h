/*
 * taxii_marks.h -- pages of consumers whose place the node remembers (consumer_mark.h).
 *
 * Owns:    what of a query the mark replaces.
 * Called:  by those who show pages of objects, and by taxii_books.c once a page is written.
 * Never:   touches a question for certain objects or versions: that is no poll.
 */
#ifndef ADAPTERS_TAXII_MARKS_H
#define ADAPTERS_TAXII_MARKS_H

#include "adapters/taxii_request.h"

/* Could this page depend on a mark? Then no page is kept for it, or shown again. */
bool	taxii_marks_may(struct taxii_request *rq);
/* The query is read: if there is a mark, it goes on from there. */
void	taxii_marks_apply(struct taxii_request *rq);
/* The page was written whole. */
void	taxii_marks_done(struct taxii_request *rq, const struct page_seen *seen);

#endif
