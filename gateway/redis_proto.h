/*
 * redis_proto.h -- Redis' protocol, without a socket: words to bytes, bytes to replies.
 *
 * Owns:    hiredis' reader and formatter, the reply being built, and the limits on it.
 * Called:  by redis.c; the fuzz target.
 * Never:   believes a length: what is kept and what has been promised is counted while it comes in,
 *          and a reply above `max` bytes ends the conversation.
 */
#ifndef GATEWAY_REDIS_PROTO_H
#define GATEWAY_REDIS_PROTO_H

#include "gateway/base/strbuf.h"
#include "gateway/redis.h"

struct redis_proto;

struct redis_proto *redis_proto_new(size_t max);
void	redis_proto_free(struct redis_proto *p);	/* NULL is fine */
/* Hand in bytes as they come. -1 and *e when the other side cannot be understood any more. */
int	redis_proto_feed(struct redis_proto *p, struct slice bytes, struct err *e);
/* 1: *out is a whole reply, good until the next call; 0: more bytes are needed; -1 and *e: broken,
 * for good. */
int	redis_proto_next(struct redis_proto *p, const struct redis_reply **out, struct err *e);
/* Append one command. */
void	redis_proto_add(struct strbuf *out, int argc, const struct slice *argv);
/* "OOM" of an error reply "OOM command not allowed"; empty for other replies. */
struct slice redis_proto_word(const struct redis_reply *r);
/* The server says that it cannot serve now, whatever is asked: as good as absent. */
bool	redis_proto_unfit(const struct redis_reply *r);

#endif
