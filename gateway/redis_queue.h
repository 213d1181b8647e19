/*
 * redis_queue.h -- what was sent to Redis and not answered yet, in order.
 *
 * Owns:    the ring of pending commands, and a copy of each script call (a server that has lost the
 *          script needs all of it again).
 * Called:  by redis.c.
 * Never:   sends, answers, or knows the time.
 */
#ifndef GATEWAY_REDIS_QUEUE_H
#define GATEWAY_REDIS_QUEUE_H

#include "gateway/redis.h"

struct redis_call {
	const char	*script;
	bool		 whole;		/* sent as EVAL */
	int		 argc;
	struct slice	 argv[];	/* from the number of keys on; their bytes follow */
};

struct redis_pending {
	redis_cb		*cb;
	void			*arg;
	struct redis_call	*call;		/* or NULL */
	int64_t			 due_us;
	bool			 ours;		/* part of the greeting */
	bool			 secret;	/* and not to be repeated to anybody */
	bool			 excused;	/* was late because of us, once */
};

/* Zeroed memory is an empty queue. */
struct redis_queue {
	struct redis_pending	*ring;		/* of `room`, a power of two */
	size_t			 room, head, n;
};

void	redis_queue_fini(struct redis_queue *q);	/* must be empty */
void	redis_queue_push(struct redis_queue *q, const struct redis_pending *p);
/* Neither may be asked of an empty queue. The pointer is good until the next push. */
struct redis_pending *redis_queue_oldest(struct redis_queue *q);
struct redis_pending redis_queue_pop(struct redis_queue *q);

/* A copy of one call, in one block: free() it. `script` itself must stay. */
struct redis_call *redis_call_new(const char *script, const char *nkeys, int argc,
	    const struct slice *argv);

#endif
