/*
 * feed_sets.h -- two sets that a build of a feed keeps: fingerprints of what was said, hashes of ids.
 *
 * Owns:    the tables; adding costs as much in a large one as in a small one.
 * Called:  by feed_build.c and feed_rows.c.
 * Never:   takes anything out.
 */
#ifndef GATEWAY_FEED_SETS_H
#define GATEWAY_FEED_SETS_H

#include <stdint.h>

#include "gateway/base/siphash.h"

enum { FEED_FP = 16 };

/* Of a fingerprint that several objects share, the first is said. Sixteen bytes: nobody finds two. */
struct fp_set {
	uint8_t		(*v)[FEED_FP];
	size_t		 n, cap;		/* cap is a power of two; an empty place is all zeros */
	struct siphash_key key;			/* drawn with the first table: nobody chooses places */
};
bool	fp_known(const struct fp_set *s, struct slice fp);	/* shorter ones never are */
void	fp_add(struct fp_set *s, struct slice fp);
void	fp_clear(struct fp_set *s);

/* Two ids that collide cost a build from the beginning, never a wrong one. */
struct id_set {
	uint64_t	*v;
	size_t		 n, cap;		/* cap is a power of two; 0 is an empty place */
	struct siphash_key key;
};
bool	id_known(const struct id_set *s, struct slice id);
void	id_add(struct id_set *s, struct slice id);
/* All of `from`, which is empty then. */
void	id_move(struct id_set *s, struct id_set *from);
void	id_clear(struct id_set *s);

#endif
