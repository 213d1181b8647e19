/*
 * child.h -- the life that all children of the master share: orders, what they are lent, the
 * control channel.
 *
 * Owns:    the control channel and the loop; what was lent until the kind takes it.
 * Called:  by process_main and by the kinds: worker.c, keeper.c, cage.c.
 * Never:   outlives its master.
 */
#ifndef GATEWAY_CHILD_H
#define GATEWAY_CHILD_H

#include "gateway/ipc.h"
#include "gateway/process.h"

struct bundle;
struct child;
struct event_base;

/* A descriptor that came before GO. */
struct lent {
	enum control_type what;
	uint64_t	  id;
	int		  fd;		/* -1 once it is taken */
};

struct child {
	struct orders	 orders;
	struct arena	*mem;
	struct bundle	*bundle;	/* file_read answers from it */
	struct lent	*lent;
	size_t		 nlent;
	struct event_base *base;
	struct ipc	*master;	/* from child_serve on */
	/* What the kind does with frames that come later; sets m->fd to -1 to keep it. */
	void		(*on_frame)(struct child *c, struct ipc_message *m);
	void		*self;		/* of the kind */
	int		 status;
};

/* Take the first thing of that sort: its descriptor and *id (NULL is fine), or -1. */
int	child_take(struct child *c, enum control_type what, uint64_t *id);
/* Tell the master why this process cannot work. Always returns 1, the exit status. */
int	child_fail(struct child *c, const char *why);
void	child_send(struct child *c, enum control_type type, uint64_t id, struct slice body);
/* Say READY and run the loop until child_end. */
void	child_serve(struct child *c);
void	child_end(struct child *c);

/* The kinds. The exit status. */
int	worker_run(struct child *c);
int	keeper_run(struct child *c);
int	cage_run(struct child *c);

#endif
