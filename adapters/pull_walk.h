/*
 * pull_walk.h -- one walk through a collection of somebody else: what comes next, and up to which date
 * everything is safe.
 *
 *	mark ----------> page ----> page ----> page ----> new mark
 *	  added_after      next / Last / items=        never later than what was taken
 *
 * Owns:    the rules that keep a walk from losing objects and from never ending, as functions of what
 *          the pages said.
 * Called:  by puller.c.
 * Never:   asks, stores, or knows what time it is.
 *
 * The mark is a date such that everything that came to the collection up to then has been taken in.
 *
 *   - Within a walk it moves to Last of a page when the next page begins strictly later: items of one date
 *     may be spread over two pages.
 *   - At the end it is Last of the last page that was not empty, as the standard has it.
 *   - A server whose pages are not in order, or have no dates, is believed only what its own clock said
 *     when the walk began, less the skew: what came in meanwhile comes once more.
 *   - It never lies further in the future than the skew, and never goes back. Where dates do, it is our
 *     clock less the skew: they come again until then, and nothing with an honest date is passed over.
 */
#ifndef ADAPTERS_PULL_WALK_H
#define ADAPTERS_PULL_WALK_H

#include "adapters/taxii_client.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"

struct recent;

enum { PULL_PAGES_MAX = 100000, PULL_EMPTY_MAX = 16, PULL_SEEN_MAX = 32768 };
#define PULL_BYTES_MAX	(UINT64_C(1) << 36)

/* Why a walk was ended before its end. pull_stop_word: for figures and logs. */
enum pull_stop {
	PULL_GOES_ON, PULL_DONE,
	PULL_REPEATED_PAGE,	/* the same objects, byte by byte, a second time */
	PULL_REPEATED_NEXT,	/* the same token a second time */
	PULL_NO_PROGRESS,	/* `more`, and its dates or ranges do not move */
	PULL_NO_NEXT,		/* `more`, and neither token nor date to go on from */
	PULL_ONE_DATE,		/* the same, after a page that is all of one date: what follows may be */
	PULL_EMPTY_PAGES,	/* `more`, and nothing in one page after the other */
	PULL_TOO_MUCH,		/* pages or bytes in one run */
	PULL_STOPS
};
const char	*pull_stop_word(enum pull_stop s);
const char	*pull_stop_text(enum pull_stop s);

struct pull_walk {
	/* the question for the page to come */
	char		 added_after[STAMP_TEXT + 1];	/* "" = from the beginning */
	char		*next;			/* token, or NULL; heap */
	int64_t		 item;			/* 2.0 */
	/* what is known */
	int64_t		 mark_us;		/* -1: nothing is safe yet */
	bool		 mark_moved;		/* since pull_walk_begin: worth storing */
	bool		 future;		/* a date lay further ahead than the skew */
	uint64_t	 pages, objects, bytes;
	/* what the rules look at */
	int64_t		 began_us, skew_us;	/* local clock */
	int64_t		 server_us;		/* Date of the first page; 0: none */
	int64_t		 asked_us;		/* added_after of the question; -1: none */
	int64_t		 last_us, most_us;	/* of the last page that was not empty; the greatest */
	bool		 in_order, dated;	/* so far */
	unsigned	 empty;			/* pages in a row */
	bool		 any;			/* some page had something in it */
	struct recent	*seen;			/* tokens and lists of objects, by digest */
};

/* Begin at `mark_us` (-1: at the beginning, or `since_us` unless that is -1 too). */
void	pull_walk_begin(struct pull_walk *w, int64_t mark_us, int64_t since_us, int64_t now_us,
	    int64_t skew_us);
void	pull_walk_end(struct pull_walk *w);		/* zeroed is fine */
/* A page has come: may it be taken in? PULL_GOES_ON, or why the walk ends here. */
enum pull_stop pull_walk_meet(struct pull_walk *w, const struct taxii_page *page, int64_t server_us);
/* It is durable: what is safe now, and the question for the next page. PULL_DONE: there is none. `page`
 * needs no body. */
enum pull_stop pull_walk_took(struct pull_walk *w, const struct taxii_page *page, int64_t now_us);

#endif
