/*
 * feed_build.h -- the outputs of one feed for one reader, made in one walk over its collection.
 *
 *	pass 1   what gives names: identities, malware, relationships, reports ... -> flat_index
 *	pass 2   indicators -> records -> every output that is asked for
 *
 * Owns:    the walk: a page a turn of the loop, the reader's policy asked for every row of both passes.
 * Called:  by feed.c, which decides when a build is needed and keeps what comes of it.
 * Never:   holds records in memory (they go to files page by page), cuts a feed that is too large (it is
 *          refused), or mixes two states for long: when something changed under it, it begins again.
 */
#ifndef GATEWAY_FEED_BUILD_H
#define GATEWAY_FEED_BUILD_H

#include "gateway/feed.h"

struct feed_build;
typedef void feed_built_cb(void *arg, struct feed_made *made, const struct err *e);

/* `outputs`: which of flat_outputs. cb comes once, perhaps before this returns; made is held once. */
struct feed_build *feed_build_start(struct gateway *g, const struct feed_ask *ask, uint64_t outputs,
	    feed_built_cb *cb, void *arg);
/* A build that has ended well may be gone on with: then only what was added to the collection since is
 * read. Whether that is possible now, for these outputs; how much memory it holds for that. */
bool	feed_build_can_go_on(const struct feed_build *b, uint64_t outputs);
size_t	feed_build_memory(const struct feed_build *b);
/* Are trust and configuration still those that it began with? */
bool	feed_build_files_hold(const struct feed_build *b);
/* cb comes again. If what was added says something about what was there before, all is read again. */
void	feed_build_go_on(struct feed_build *b);
/* From inside no callback of it. After store_close: nothing of the store points at it any more. */
void	feed_build_free(struct feed_build *b);

#endif
