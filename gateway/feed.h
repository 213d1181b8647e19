/*
 * feed.h -- flat feeds: what is kept of them, how long it stands, who waits for it.
 *
 *	(feed, reader) --.-- made:  the outputs as files, valid while nothing has changed
 *	                 |-- build: one at a time; all who ask meanwhile wait for it
 *	                 '-- log:   what was said to this reader (feed_log.h), shared by all workers
 *
 * Owns:    the list of these, and the room that they take on disk.
 * Called:  by the feeds' adapter, feed_publish.c, `tocsin feed`.
 * Never:   shows one reader what was made for another: policy decides about every row for each.
 */
#ifndef GATEWAY_FEED_H
#define GATEWAY_FEED_H

#include "gateway/catalog.h"
#include "gateway/feed_file.h"
#include "gateway/feed_log.h"
#include "formats/flat.h"

struct gateway;
struct stats;
struct feeds;

enum { FEED_OUTPUTS = 64, FEED_EXAMPLES = 32, FEED_VALUE = 96, FEED_WHY = 64 };

struct feed_ask {
	const struct feed_conf	*feed;		/* of g->config */
	const struct collection_conf *collection;
	struct reader		 reader;
};

/* Something that the warning list kept out. */
struct feed_example {
	char			 type[16], value[FEED_VALUE], why[FEED_WHY], id[80];
};

/* One output. */
struct feed_out {
	struct feed_file	*file;		/* NULL: not made */
	struct feed_file	*gzip;		/* the adapter's; NULL: not made yet */
	uint64_t		 count[FLAT_VERDICTS];
};

/* What a build made: counted, it lasts while somebody sends it. */
struct feed_made {
	unsigned		 holds;
	struct trust		*trust;		/* held; of other files it is not valid */
	struct config		*config;
	struct feed_out		 out[FEED_OUTPUTS];	/* by place in flat_outputs */
	uint64_t		 outputs;	/* which are made */
	/* how long it stands */
	bool			 lasting;
	struct store_epoch	 epoch;		/* when the walk began */
	int64_t			 until_us;	/* something begins, ends or may be shown then */
	/* what was seen */
	int64_t			 at_us, took_us;
	bool			 extended;	/* only what was added since the one before was read */
	uint64_t		 early;		/* not valid yet */
	uint64_t		 unsure;	/* confidence too low */
	uint64_t		 twins;		/* an earlier object means the same */
	struct feed_example	 examples[FEED_EXAMPLES];
	size_t			 nexamples;
	/* its place in the log, if csv and jsonl are made */
	bool			 has_state;
	struct feed_state	 state;
	int64_t			 modified_us;	/* since when it is so, as far as is known */
};
struct feed_made *feed_made_new(void);
struct feed_made *feed_made_hold(struct feed_made *m);
void	feed_made_free(struct feed_made *m);		/* lets go of one hold; NULL is fine */
/* Records kept out of an output, and why; "" if nothing was: "expired=3, warned=1". */
void	feed_made_withheld(const struct feed_made *m, size_t output, struct strbuf *out);

struct feeds	*feeds_new(struct gateway *g);
void		 feeds_free(struct feeds *f);		/* after store_close; NULL is fine */

/* `outputs`: bits, by place in flat_outputs. e: ERR_LIMIT larger than is allowed, ERR_BUSY ask again,
 * others. cb may come before this returns; `made` is valid during the call. */
typedef void	feed_ready_cb(void *arg, struct feed_made *made, const struct err *e);
void		 feeds_get(struct feeds *f, const struct feed_ask *ask, uint64_t outputs,
		    feed_ready_cb *cb, void *arg);

/* Which outputs a feed serves, as bits. */
uint64_t	 feed_outputs(const struct feed_conf *conf);
/* NAME.ENDING taken apart; NULL: there is no such feed or output. */
const struct feed_conf *feed_find(const struct config *conf, struct slice file, size_t *output);
/* Path of the files of feed_log.h for this reader, into `out`. */
void		 feed_base(const struct config *conf, const char *feed, const struct reader *r,
		    struct strbuf *out);
/* Whom a cursor is for. */
void		 feed_who(const char *feed, const struct reader *r, struct strbuf *out);
void		 feeds_figures(const struct feeds *f, struct stats *s);

#endif
