/*
 * taxii20_walk.h -- where item N of a list is, for clients that walk it by numbers while it changes.
 *
 *	items	0 ........ 99 | 100 ...... 199 | 200 ...
 *	              place (100, date of 99)  place (200, date of 199)
 *
 * A number means nothing by itself: an object that gets a newer version leaves its place for the end, and
 * all behind it move up by one. So the end of each page is remembered as a *place*, and who asks for the
 * number that follows goes on behind that date, as he would by `next` in TAXII 2.1: nothing that stays is
 * missed or seen twice. A number that is no such place is counted out.
 *
 * Owns:    the places of one walk (one reader, one list, one set of filters), and its total, as the text of
 *          a note in the store: any worker goes on with it, also after a restart.
 * Called:  by taxii20_read.c.
 * Never:   decides what a reader sees: a place is a date, behind which rights of today hold.
 */
#ifndef ADAPTERS_TAXII20_WALK_H
#define ADAPTERS_TAXII20_WALK_H

#include "gateway/base/strbuf.h"

enum { WALK_PLACES = 8, WALK_KEY = 32 };

struct taxii20_place {
	uint64_t	n;		/* so many items are before it ... */
	int64_t		after_us;	/* ... none of them later than this */
	int64_t		at_us;		/* when that was found */
	int64_t		turns;		/* of the store's epoch then; -1 unknown */
	bool		used;		/* somebody has gone on from here */
	bool		guessed;	/* see taxii20_walk_keep */
};

struct taxii20_walk {
	char		 key[WALK_KEY + 1];
	struct taxii20_place place[WALK_PLACES];
	size_t		 nplaces;
	struct taxii20_place end;	/* as far as was counted; n 0: not at all */
	int64_t		 policy;	/* under which that was counted */
};

/* The walk of that key as the text has it; an empty one if it is another's, or NULL. */
void	taxii20_walk_read(struct taxii20_walk *w, const char *key, const char *text);
void	taxii20_walk_write(const struct taxii20_walk *w, struct strbuf *out);

/* From now on it goes under the policy of this digest: what was counted under another one is forgotten, the
 * places stay. */
void	taxii20_walk_under(struct taxii20_walk *w, const uint8_t *digest);
/* Where to begin for item `first`: *out has n <= first, and the rest is to be counted out. */
void	taxii20_walk_find(struct taxii20_walk *w, uint64_t first, int64_t now_us, int64_t turns,
	    struct taxii20_place *out);
/* The items before n end at after_us. `guessed`: a page was cut short, and this is the number that a client
 * asks for next if he does not look how much he got. */
void	taxii20_walk_keep(struct taxii20_walk *w, uint64_t n, int64_t after_us, int64_t now_us,
	    int64_t turns, bool guessed);
/* From where is to be counted, for the total of a list whose first items, up to number `next`, end at
 * last_us? at_us 0: from there, and not from an earlier count. */
struct taxii20_place taxii20_walk_counted(const struct taxii20_walk *w, uint64_t first, uint64_t next,
	    int64_t last_us, int64_t now_us, int64_t turns);
/* All items behind `from` were counted: so many in all, up to that date. */
void	taxii20_walk_count(struct taxii20_walk *w, const struct taxii20_place *from, uint64_t total,
	    int64_t last_us, int64_t now_us, int64_t turns);

#endif
