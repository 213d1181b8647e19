/*
 * consumer_mark.h -- the server-side bookmark: how far a consumer has come, remembered for it.
 *
 *	"soc UUID"      GENERATION POSITION	where `tocsin consumer reset` put it
 *	"soc UUID SLOT" GENERATION POSITION FILTERS	how far it came with the filters of that hash since
 *
 * Owns:    the notes in the spaces "bookmark" (consumers with `bookmark yes`) and "rewind" (the others:
 *          until they have caught up once).
 * Called:  by taxii_marks.c for pages of objects, admin_consumer.c for a reset.
 * Never:   moves before a page was written whole, nor backwards but by a reset.
 *
 * Two workers may serve one consumer at once: the mark may lag for a moment, so that something comes twice.
 */
#ifndef GATEWAY_CONSUMER_MARK_H
#define GATEWAY_CONSUMER_MARK_H

#include "gateway/peer.h"
#include "gateway/store.h"

struct consumer_marks;
struct gateway;

enum { MARK_NAME = 256, MARK_NEVER = -2, MARK_START = -1, MARKS_LOOK_US = 1000000 };

struct consumer_mark {
	bool	on;		/* this consumer's place is remembered */
	bool	rewind;		/* only until it has caught up */
	int64_t	generation;	/* of the reset; 0: there was none */
	int64_t	position_us;	/* MARK_START, MARK_NEVER: nothing is remembered yet */
};

struct consumer_marks *consumer_marks_new(struct gateway *g);
void	consumer_marks_free(struct consumer_marks *m);		/* NULL is fine */

/* Could there be a mark for this consumer? Cheap: looks at the store at most once a second. */
bool	consumer_marks_may(struct consumer_marks *m, const struct peer *p);
/* Its place in a collection, with the filters of that hash. */
void	consumer_marks_get(struct consumer_marks *m, const struct peer *p, const char *uuid,
	    int64_t filters, struct consumer_mark *out);
/* A page was written whole, from behind from_us up to last_us (the same if it was empty); `end`: nothing
 * follows it. */
struct consumer_page_mark {
	const char		*name, *uuid;
	int64_t			 filters;
	struct consumer_mark	 mark;		/* as it was when the page was asked for */
	int64_t			 from_us, last_us;
	bool			 end;
};
void	consumer_marks_move(struct consumer_marks *m, const struct consumer_page_mark *p);
/* From now on it is served from here, whatever its filters. */
void	consumer_marks_reset(struct consumer_marks *m, const struct peer *p, const char *uuid,
	    int64_t from_us, store_done_cb *done, void *arg);

#endif
