/*
 * feed_misp.h -- a collection as the files of a MISP feed: manifest.json, UUID.json, hashes.csv.
 *
 *	all that the reader may have --translator, "misp-feed"--> one text --> its parts, by name
 *
 * What the collection holds for this reader is looked through whenever anything has changed; it is
 * written anew only if that is other than it was. An event that is the same has the same bytes, and so the
 * same tag. An object of the store that cannot be read costs only itself: it is left out, logged and
 * counted.
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
typedef void	 misp_ready_cb(void *arg, struct misp_made *made, const struct err *e);
void		 feed_misp_get(struct feed_misp *f, const struct feed_ask *ask, misp_ready_cb *cb,
		    void *arg);

/* One of its files. The text lasts as long as `within` is held (feed_file_hold). */
struct misp_file {
	struct slice		 text;
	char			 tag[FEED_TAG + 1];	/* hex digits that follow from the text alone */
	struct feed_file	*within;
};
/* "manifest.json", "hashes.csv" or "UUID.json"; false if there is no such file. */
bool		 misp_made_file(struct misp_made *m, struct slice name, struct misp_file *out);
size_t		 misp_made_events(const struct misp_made *m);

#endif
