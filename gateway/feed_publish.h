/*
 * feed_publish.h -- feeds as files in folders, for tools that read no URL.
 *
 * Owns:    a timer for each feed with `path`; what of STATE/feeds nobody needs any more.
 * Called:  by node.c, in worker 0 alone.
 * Never:   writes what `for` may not read, leaves a half-written file under its name, or writes one whose
 *          content has not changed. When the reader loses his right, the files are emptied, not left.
 */
#ifndef GATEWAY_FEED_PUBLISH_H
#define GATEWAY_FEED_PUBLISH_H

struct feed_publisher;
struct gateway;

struct feed_publisher	*feed_publisher_new(struct gateway *g);
/* After store_close, before feeds_free. NULL is fine. */
void			 feed_publisher_free(struct feed_publisher *p);
/* After a reload. */
void			 feed_publisher_reload(struct feed_publisher *p);

/* When a feed's files were last found right, and what is wrong with them ("" if nothing). False: it is not
 * published. */
struct feed_published {
	long long	 at_us;		/* 0: not yet */
	const char	*trouble;
};
int			 feed_publisher_look(const struct feed_publisher *p, const char *feed,
			    struct feed_published *out);

#endif
