/*
 * admin_feed.h -- what `tocsin feed` asks a running node.
 *
 * Owns:    feed-list, feed-show: the feeds there are; what one of them says to a consumer, what it keeps
 *          out and why.
 * Called:  by admin_commands.c, in worker 0.
 * Never:   says what a feed holds: only how much, and what the warning list kept out.
 */
#ifndef GATEWAY_ADMIN_FEED_H
#define GATEWAY_ADMIN_FEED_H

struct admin_call;

void	admin_feed_list(struct admin_call *call);
void	admin_feed_show(struct admin_call *call);

#endif
