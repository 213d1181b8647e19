/*
 * figures.h -- what the processes of a node know about themselves, gathered in one place.
 *
 *	worker 0: /metrics, /readyz or `tocsin status` asks
 *	    figures_gather -> ASK_FIGURES to the master -> FIGURES to each child
 *	    each: figures_pack -> FIGURES_ARE -> the master adds kind, number, pid, restarts: REPORT
 *	    figures_report takes each REPORT; the empty one, or a second without it, ends the wait
 *
 * Owns:    the form of a process's figures, and the questions that wait for answers.
 * Called:  by every process to pack; by worker 0 (operations.c, admin_commands.c) to gather.
 * Never:   waits longer than FIGURES_WAIT_US, or believes what a process says about another: who it is, the
 *          master says.
 */
#ifndef GATEWAY_FIGURES_H
#define GATEWAY_FIGURES_H

#include "gateway/outbox.h"
#include "gateway/stats.h"

struct event_base;
struct gateway;
struct translate;

enum { FIGURES_WAIT_US = 1000000, FIGURES_MAX = 4 << 20 };	/* bytes of one process's figures */

/* ---- in every process ---- */

/* What a process has to tell of; NULL where it has none. */
struct figures_source {
	struct stats	*stats;		/* what it counts */
	struct gateway	*g;		/* a worker, or --one: its modules */
	struct store	*store;		/* the storekeeper, or --one: what writes */
	int64_t		 started_us;	/* wall clock, of this process */
	bool		 sealed;	/* in a cage: the master speaks for it, and knows that it lives */
	/* Figures that only the caller can name, set as gauges when somebody asks. */
	void		(*look)(void *ctx, struct stats *s);
	void		*ctx;
};
/* Append the figures of this process as they are now: the text of FIGURES_ARE. */
void	figures_pack(const struct figures_source *from, struct strbuf *out);

/* ---- in worker 0 ---- */

/* How delivery to one peer stands, as the worker says that looks after it. */
struct figures_link {
	const char		*peer;
	struct outbox_link	 link;
};

struct figures_process {
	char			 name[32];	/* "worker-1", "master", "one" */
	const char		*kind;		/* "worker", ... */
	uint32_t		 index;
	int64_t			 pid;
	uint32_t		 restarts;
	double			 resident, cpu;	/* as the master sees them; 0: not known */
	bool			 answered;	/* the rest is known */
	int64_t			 started_us;	/* wall clock; 0: not known */
	const char		*trouble;	/* of its store, "" if none */
	struct stats		*stats;		/* never NULL */
	struct figures_link	*links;
	size_t			 nlinks;
};

struct figures {
	struct figures_process	*v;
	size_t			 n;
	bool			 whole;		/* the master told of every process */
	struct arena		*mem;
	struct stats		*all;		/* of all processes together */
};
/* The link of a peer; NULL if no process that answered looks after it. */
const struct outbox_link *figures_link(const struct figures *f, const char *peer);
void	figures_print(struct strbuf *out, const struct figures *f);

struct figures_desk;
/* Ask the master (ASK_FIGURES with this id); false if that cannot be. */
typedef bool	figures_ask_fn(void *ctx, uint64_t id);
/* ask NULL: this process is all there is (--one). `own` is copied; what it names must outlive the desk. */
struct figures_desk *figures_desk_new(struct event_base *base, const struct figures_source *own,
	    figures_ask_fn *ask, void *ctx);
/* Questions that still wait get what came so far. NULL is fine. */
void	figures_desk_free(struct figures_desk *d);
/* A REPORT of the master; an empty body: that was the last. What makes no sense counts as no answer. */
void	figures_report(struct figures_desk *d, uint64_t id, struct slice body);

/* Everybody's figures, valid during the callback, which is called exactly once, possibly at once, unless
 * figures_forget(d, arg) comes first. */
typedef void	figures_cb(void *arg, const struct figures *f);
void	figures_gather(struct figures_desk *d, figures_cb *cb, void *arg);
void	figures_forget(struct figures_desk *d, const void *arg);

#endif
