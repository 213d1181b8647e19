/*
 * taxii20_serve.h -- a page of STIX 2.1, for a client of TAXII 2.0, of a collection that says
 * `serve-as stix20`.
 *
 *	rows of the page -> observables that they refer to, as far as this reader may have them (asked of
 *	the collection, level by level) -> each row in the words of 2.0 (formats/stix20_serve.h)
 *
 * The rows of a page, their number and their dates are those of the collection, and rights were judged on
 * what is stored. A row of STIX 2.0 is shown as it was sent.
 *
 * Owns:    the rows while observables are asked for, and the filters of 2.0 in the names of the store.
 * Called:  by taxii20_read.c, taxii20_list.c.
 * Never:   shows an observable that catalog_page would not: what is withheld is not in the observed-data.
 */
#ifndef ADAPTERS_TAXII20_SERVE_H
#define ADAPTERS_TAXII20_SERVE_H

#include "adapters/taxii_request.h"

struct taxii20_serving;

/* Does the collection show STIX 2.1 to clients of 2.0? */
static inline bool
taxii20_is_served(const struct taxii_request *rq)
{
	return rq->collection != NULL && rq->collection->serve_stix20;
}

/* match[id] and match[type] of the query in the names of the store. */
void	taxii20_serve_names(struct taxii_request *rq);

struct taxii20_serving *taxii20_serving_new(struct taxii_request *rq);
void	taxii20_serving_add(struct taxii20_serving *s, const struct store_row *row);
/* Write the rows of the page; `done` comes when they are in `out`. `asked`: the page holds more than its
 * rows, whose end it does not know: it is not to be kept. */
typedef void	taxii20_served_cb(void *arg, bool asked, const struct err *e);
void	taxii20_serving_write(struct taxii20_serving *s, struct strbuf *out, taxii20_served_cb *done,
	    void *arg);

#endif
