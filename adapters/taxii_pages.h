/*
 * taxii_pages.h -- pages that were written once and are shown again, as long as they would come out
 * the same.
 *
 *	key: what was asked (resource, collection, object, query as sent) and by whom
 *	valid: the store's epoch is that of the page, no verdict has run out, trust and
 *	       configuration are those under which all kept pages were made
 *
 * Owns:    the written bytes of pages (and their gzip form), up to a number of bytes; the longest
 *          unused go first.
 * Called:  by taxii_read.c, after credentials, rights and rate were judged for this request.
 * Never:   answers for anybody: a page found here is audited and dated like one that is read.
 */
#ifndef ADAPTERS_TAXII_PAGES_H
#define ADAPTERS_TAXII_PAGES_H

#include <sys/queue.h>

#include "adapters/http_server.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"
#include "gateway/consumer_books.h"

struct taxii_pages;

/* Counted: an answer that is being sent holds its page. */
struct taxii_page {
	struct strbuf	 body;
	struct http_gzip gzip;
	char		 first[STAMP_TEXT + 1], last[STAMP_TEXT + 1];	/* its two date headers */
	struct page_seen seen;
	struct book_page book;		/* taxii_books.c's */
	/* taxii_pages.c's */
	unsigned	 refs;
	bool		 kept;
	uint64_t	 hash;
	char		*key;
	size_t		 key_n, cost;
	struct taxii_page *chain;
	TAILQ_ENTRY(taxii_page) link;
};

struct taxii_page *taxii_page_new(void);		/* held once */
struct taxii_page *taxii_page_hold(struct taxii_page *p);
void		 taxii_page_free(struct taxii_page *p);	/* lets go of one hold; NULL is fine */

struct taxii_pages *taxii_pages_new(void);
void		 taxii_pages_free(struct taxii_pages *ps);	/* NULL is fine */
/* Under which files, and how many bytes, from now on: other files than before empty it. */
void		 taxii_pages_under(struct taxii_pages *ps, struct trust *t, struct config *conf,
		    size_t max_bytes);
/* NULL, or a page to be checked with catalog_page_stands; valid until the next call for these
 * pages. */
struct taxii_page *taxii_pages_find(struct taxii_pages *ps, struct slice key);
void		 taxii_pages_drop(struct taxii_pages *ps, struct taxii_page *p);
/* Keep it (one more hold), in place of an older one of that key; a page that takes too much room is
 * not kept. */
void		 taxii_pages_keep(struct taxii_pages *ps, struct slice key, struct taxii_page *p);
/* Its compressed form was made: count it. */
void		 taxii_pages_weigh(struct taxii_pages *ps, struct taxii_page *p);
struct taxii_pages_figures { uint64_t hits, misses, pages, bytes; };
void		 taxii_pages_figures(const struct taxii_pages *ps, struct taxii_pages_figures *out);

#endif
