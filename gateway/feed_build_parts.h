/*
 * feed_build_parts.h -- a build under way, shared by feed_build.c (its passes) and feed_rows.c (its rows).
 *
 * Owns:    struct feed_build.
 * Called:  by those two.
 * Never:   included by anyone else: they see feed_build.h.
 */
#ifndef GATEWAY_FEED_BUILD_PARTS_H
#define GATEWAY_FEED_BUILD_PARTS_H

#include "gateway/admit.h"
#include "gateway/base/clock.h"
#include "gateway/feed_build.h"
#include "gateway/feed_sets.h"

struct event;

enum { FEED_TYPES = 16 };	/* that a pass asks for */
enum pass { PASS_NAMES, PASS_RECORDS, PASSES };

struct feed_build {
	struct gateway		*g;
	struct trust		*trust;		/* held; `peer` points into it */
	struct config		*config;	/* held; `feed` points into it */
	const struct feed_conf	*feed;
	const char		*reader;
	const struct peer	*peer;
	int64_t			 cid;
	char			*base;		/* feed_log.h */
	uint64_t		 outputs;
	feed_built_cb		*cb;
	void			*arg;
	struct event		*timer;
	/* one attempt */
	unsigned		 attempt, lock_tries;
	enum pass		 pass;
	struct admit		 admit;
	int64_t			 now_us, began_us;
	int64_t			 position_us[PASSES];	/* how far each has come */
	char			 now_text[STAMP_TEXT + 1];
	struct flat_job		 job;
	struct flat_run		*run[FEED_OUTPUTS];
	struct strbuf		 text[FEED_OUTPUTS];
	struct flat_index	*index;
	struct feed_take	*take;
	struct fp_set		 said[FLAT_OBJECTS + 1];	/* by style of output */
	/* to go on later with what was added meanwhile */
	struct feed_made	*last;		/* made before; NULL: nothing to go on with */
	bool			 going_on, made_lasting;
	bool			 turns_back;	/* what was added is about what was there before */
	struct id_set		 seen;		/* ids of what has records */
	struct id_set		 named, fresh;	/* what they and the others refer to; the latter now */
	bool			 settling;	/* all is read: it takes its place in the log */
	bool			 everything;	/* an output of objects is made */
	struct feed_made	*made;
	struct arena		*mem, *page_mem;
	struct slice		 types[FEED_TYPES];
	struct err		 err;		/* of a row; ERR_NONE: none */
	bool			 driving, go_on, done;	/* another step; none any more */
	bool			 doomed;	/* freed under its own turn */
	int64_t			 turn_us;	/* when this turn of the loop began */
};

/* A row that the reader may have joins the names or becomes records, by the pass. Trouble: b->err. */
void	feed_row(struct feed_build *b, const struct store_row *row);

#endif
