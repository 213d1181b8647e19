/*
 * feed_log.h -- what a feed has said to one reader, and what has changed in it since when.
 *
 *	BASE.state	the records of the last state: key, digest, name of each, sorted by key
 *	BASE.log.G	the changes that led there, one block a state: no, time, added, changed, removed
 *	BASE.lock	held while one of the workers makes a new state of an old one
 *
 * A state is made of what was built (feed_build.c) and has a number; the next one differs from it by
 * exactly the changes of its block. So who has state n and applies the blocks behind it has the last
 * state, whatever the reason of a change was: revoked, expired, taken out of the collection, label or
 * rights tightened, the warning list, a name that became known. It knows no reasons. And it never names
 * what this reader was not given before.
 *
 * Owns:    the files, cursors, folding blocks into one delta.
 * Called:  by feed_build.c (commit) and the feeds' adapter (since), in any worker: the files are shared.
 * Never:   waits for the lock, believes a file that is damaged (a chain begins anew), or syncs: what a
 *          power cut takes costs a full fetch.
 */
#ifndef GATEWAY_FEED_LOG_H
#define GATEWAY_FEED_LOG_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"
#include "gateway/base/strbuf.h"
#include "gateway/store.h"

enum { FEED_KEY = 16, FEED_CHAIN = 8, FEED_STORE_ID = 40 };

/* A state that is there. */
struct feed_state {
	uint8_t		 chain[FEED_CHAIN];	/* numbers of one chain only can be compared */
	uint64_t	 no;
	int64_t		 at_us;			/* when it was first so */
	uint64_t	 n;			/* records */
};

/* ---- a state being made ---- */

struct feed_take;

/* NULL and *e. Its file is in the folder of `base`. */
struct feed_take *feed_take_new(const char *base, struct err *e);
/* One that has all that `old`, which was committed, has, and takes its memory over; old is freed, on
 * failure too. */
struct feed_take *feed_take_extend(struct feed_take *old, const char *base, struct err *e);
void	feed_take_free(struct feed_take *t);		/* NULL is fine */
size_t	feed_take_bytes(const struct feed_take *t);	/* of memory; NULL is fine */
/* One record: what tells it from others (a JSON object's members, without braces), and where its lines
 * are in the outputs. The same name again: false, it is not to be written twice. */
bool	feed_take_knows(const struct feed_take *t, struct slice name);
int	feed_take_add(struct feed_take *t, struct slice name, struct slice line, uint64_t json_at,
	    struct slice csv, uint64_t csv_at, struct err *e);

struct feed_commit {
	const char	*base;
	const char	*store;		/* id of the store, and its epoch when the walk began: */
	struct store_epoch epoch;	/* what is older than the last state does not replace it */
	int64_t		 now_us;
	struct slice	 jsonl, csv;	/* the sealed outputs */
	uint64_t	 history_bytes;
	int64_t		 history_us;
};
enum feed_committed { FEED_COMMITTED, FEED_MORE, FEED_LOCKED, FEED_OUTDATED, FEED_FAILED };
/* Make it the last state, if it differs from that, in steps of a few milliseconds: MORE: ask again; LOCKED:
 * ask again soon; OUTDATED: somebody committed what was read later than this. */
enum feed_committed feed_take_commit(struct feed_take *t, const struct feed_commit *c,
	    struct feed_state *out, struct err *e);

/* ---- asking ---- */

enum { FEED_CURSOR = 64 };
/* The cursor of a state, for this reader of this feed only. */
void	feed_cursor(const struct feed_state *s, struct slice key, struct slice who,
	    char out[FEED_CURSOR]);

struct feed_since {
	bool		 by_time;
	int64_t		 time_us;
	uint8_t		 chain[FEED_CHAIN];
	uint64_t	 no;
};
/* A cursor of ours or a time (RFC 3339, UTC); false: neither. */
bool	feed_since_read(struct slice text, struct slice key, struct slice who, struct feed_since *out);

enum feed_op { FEED_REMOVED, FEED_CHANGED, FEED_ADDED };
const char *feed_op_word(enum feed_op op);
/* Each record once; removed ones first. `line` (of jsonl) and `csv` end with LF, empty when removed. */
typedef void feed_change_fn(void *ctx, enum feed_op op, struct slice name, struct slice line,
	    struct slice csv);
/* ERR_REFERENCE: that is further back than what is kept, the whole is to be fetched. *to is the state
 * that the changes lead to. */
int	feed_log_since(const char *base, const struct feed_since *since, feed_change_fn *fn, void *ctx,
	    struct feed_state *to, struct err *e);
/* The last state and the oldest one whose changes are kept; false: there is none. */
bool	feed_log_look(const char *base, struct feed_state *last, struct feed_state *oldest,
	    uint64_t *log_bytes);

#endif
