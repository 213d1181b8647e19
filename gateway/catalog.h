/*
 * catalog.h -- the read side: which collections there are, who may see them, and their pages.
 *
 * Owns:    the effective list of collections: those of tocsin.conf, and an `inbox-PEER` for every peer
 *          with a pin (rulings 25); their numbers in the store; that changed views are filled anew.
 * Called:  by adapters that serve (TAXII now, feeds later), by router (what is a view of what).
 * Never:   shows a row that policy would not release to this reader at this moment.
 */
#ifndef GATEWAY_CATALOG_H
#define GATEWAY_CATALOG_H

#include "gateway/config.h"
#include "gateway/store.h"

struct gateway;
struct catalog;

/* Who asks. peer NULL: nobody we know (only with authentication off): a public reader. */
struct reader {
	const struct peer *peer;
	const char	*name;		/* for logs and audit: peer->name or "public" */
	int64_t		 counted_us;	/* what was withheld up to this date has been counted before */
	bool		 test;		/* `tocsin consumer test` asks in its place */
};

/* NULL and *e on trouble. Views whose definition is new are filled from the event loop (view_fill.h). */
struct catalog	*catalog_new(struct gateway *g, struct err *e);
void		 catalog_free(struct catalog *c);		/* after store_close */
/* After a reload of config and trust: the new list, changed views refilled. */
int		 catalog_reload(struct catalog *c, struct err *e);

/* Take out of views what has become too old for them, now: for those without an event loop. */
void		 catalog_age_views(struct catalog *c);

/* How far the views are that are being filled. */
struct stats;
void		 catalog_figures(const struct catalog *c, struct stats *s);

size_t		 catalog_count(const struct catalog *c);
const struct collection_conf *catalog_at(const struct catalog *c, size_t i);
/* By UUID or name. */
const struct collection_conf *catalog_find(const struct catalog *c, struct slice name);
/* By UUID, name or alias, as far as that API root has it. `root` is of the configuration in force. */
const struct collection_conf *catalog_find_in(const struct catalog *c, const struct root_conf *root,
		    struct slice name);

/* Rights of a reader (reference/taxii.md 13). Views are never writable, an inbox only by its peer. A hidden
 * collection without any right is as if absent: catalog_visible is false. */
bool		 catalog_can_read(const struct catalog *c, const struct collection_conf *col,
		    const struct reader *r);
bool		 catalog_can_write(const struct catalog *c, const struct collection_conf *col,
		    const struct reader *r);
bool		 catalog_visible(const struct catalog *c, const struct collection_conf *col,
		    const struct reader *r);

/* An API root whose collections are all hidden from this reader is as if absent; one without any is not,
 * nor is the first. `root` is of the configuration in force. */
bool		 catalog_root_visible(const struct catalog *c, const struct root_conf *root,
		    const struct reader *r);

enum { SEEN_TYPES = 16, SEEN_WORD = 28 };
struct seen_type {
	uint64_t		 key;		/* of the whole name */
	char			 word[SEEN_WORD];	/* longer ones are cut */
	uint32_t		 n;
};
/* What a page showed, and how long it stands. */
struct page_seen {
	size_t			 n;
	struct seen_type	 types[SEEN_TYPES];	/* the last: all that found no room */
	size_t			 ntypes;
	uint32_t		 withheld[POLICY_REASONS];	/* rows behind reader.counted_us, by the
						 * first reason */
	int64_t			 judged_us;	/* the last row that was looked at; 0: none */
	int64_t			 first_us, last_us;	/* date_added */
	uint8_t			 digest[32];		/* over the ids */
	bool			 lasting;	/* until the epoch changes or until_us comes */
	bool			 full;		/* more follows: what is added comes behind it */
	int64_t			 until_us;
	struct store_epoch	 epoch;
};
/* A row that the reader may have; valid during the call. */
typedef void	catalog_row_cb(void *arg, const struct store_row *row);
/* The end of the page; page->rows is NULL. */
typedef void	catalog_page_cb(void *arg, const struct store_page *page, const struct page_seen *seen,
		    const struct err *e);
/* store_page with the reader's policy as `admit` (q->admit is set here), and one audit record a page that
 * showed something (rulings 29). */
void		 catalog_page(struct catalog *c, const struct reader *r,
		    const struct collection_conf *col, struct page_query *q, catalog_row_cb *row,
		    catalog_page_cb *cb, void *arg);
/* Would the same question of the same reader, under the same trust, give the same page now? */
bool		 catalog_page_stands(struct catalog *c, const struct page_seen *seen);
/* The page is shown again: its audit record. */
void		 catalog_page_again(struct catalog *c, const struct reader *r,
		    const struct collection_conf *col, const struct page_seen *seen);

/* store_remove of what this reader may see (q->ids has one id), with its audit record. What he may not see
 * stays: an answer that counts it would tell that it is there. */
void		 catalog_remove(struct catalog *c, const struct reader *r,
		    const struct collection_conf *col, struct page_query *q, store_count_cb *cb,
		    void *arg);

/* Does the view take what comes from this source? */
bool		 catalog_view_takes_from(const struct collection_conf *col, const char *source);
/* What a view asks about an object. */
struct view_facts {
	const struct policy_facts *policy;
	struct slice	 kind;
	struct slice	 version;	/* modified, else created, else when it came; empty: now */
	struct slice	 bytes;
	int64_t		 now_us;
	int		 confidence;	/* once it was asked for; VIEW_UNREAD before, -1: none */
};
enum { VIEW_UNREAD = -2 };
/* Does this object belong in this view? */
bool		 catalog_view_matches(const struct collection_conf *col, struct view_facts *f,
		    const char *source);
/* Is a version with this time too old for it? */
bool		 catalog_view_is_old(const struct collection_conf *col, struct slice version,
		    int64_t now_us);

#endif
