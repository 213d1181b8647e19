/*
 * gateway.h -- one pointer a module, nothing else.
 *
 * Owns:    nothing: serve.c makes and frees what the pointers name. There is no other state in the
 *          program.
 * Called:  passed down to whoever needs more than one module.
 * Never:   kept in parts: `config`, `trust` and `credentials` are swapped whole on reload, so read them
 *          through this struct each time; whoever keeps one over a callback holds it (trust_hold,
 *          config_hold).
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdbool.h>

struct event_base;
struct config;
struct trust;
struct credentials;
struct warnlist;
struct store;
struct redis;
struct dedup;
struct limiter;
struct translate;
struct intake;
struct pending;
struct outbox;
struct catalog;
struct consumer_books;
struct consumer_marks;
struct stats;
struct feeds;
struct feed_misp;
struct feed_publisher;
struct figures_desk;
struct keys;

struct gateway {
	struct event_base	*base;
	struct config		*config;
	struct trust		*trust;
	struct credentials	*credentials;
	struct warnlist		*warnings;	/* warnings.h; swapped with the configuration */
	struct keys		*keys;		/* node secrets: keys.h */
	struct store		*store;
	struct redis		*redis;		/* NULL when none is configured */
	struct dedup		*dedup;
	struct limiter		*limiter;
	struct translate	*translate;
	struct catalog		*catalog;
	struct consumer_books	*books;		/* who fetched what: consumer_books.h */
	struct consumer_marks	*marks;		/* how far who has come: consumer_mark.h */
	struct feeds		*feeds;
	struct feed_misp	*feed_misp;	/* MISP feeds */
	struct feed_publisher	*publisher;	/* worker 0: feeds as files */
	struct intake		*intake;
	struct pending		*pending;	/* NULL: every POST is answered when it is taken in */
	struct outbox		*outbox;
	struct stats		*stats;
	struct figures_desk	*figures;	/* worker 0: gathers those of all processes */
	long long		 started_us;
	int			 draining;
	/* Which of how many workers this is: 0 of 1 with --one. Peers and spools are shared out by name
	 * (gateway_owns); worker 0 has what there is but one of: control socket, operations, view filling,
	 * pulls, housekeeping. */
	unsigned		 worker, nworkers;
};

/* True if this worker looks after the peer or spool of that name. */
bool	gateway_owns(const struct gateway *g, const char *name);

#endif
