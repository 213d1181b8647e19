/*
 * feed_misp.h -- a collection as the files of a MISP feed: manifest.json, UUID.json, hashes.csv.
 *
 *	all that the reader may have --translator, "misp-feed"--> one text --> its parts, by name
 *
 * Owns:    the walk over the collection for this, and the few texts that are kept while they hold.
 * Called:  by the feeds' adapter.
 * Never:   shows one reader what was made for another, cuts a collection that is too large (it is refused),
 *          or reads what the translator wrote further than to find where a file begins.
 */
#ifndef GATEWAY_FEED_MISP_H
#define GATEWAY_FEED_MISP_H

#include "gateway/feed.h"

struct feed_misp;		/* all of it, of one gateway */
struct misp_made;		/* the files of one feed for one reader */

struct feed_misp	*feed_misp_new(struct gateway *g);
void			 feed_misp_free(struct feed_misp *f);	/* after store_close; NULL is fine */

/* e: ERR_LIMIT larger than is allowed, ERR_BUSY ask again, others. cb comes once, perhaps before this
 * returns; `made` is valid during the call. */
typedef void	 misp_ready_cb(void *arg, const struct misp_made *made, const struct err *e);
void		 feed_misp_get(struct feed_misp *f, const struct feed_ask *ask, misp_ready_cb *cb,
		    void *arg);

/* The text of "manifest.json", "hashes.csv" or "UUID.json"; p NULL: there is no such file. */
struct slice	 misp_made_file(const struct misp_made *m, struct slice name);
size_t		 misp_made_events(const struct misp_made *m);

#endif
