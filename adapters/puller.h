/*
 * puller.h -- collections on TAXII servers of others, read again and again (section `pull`).
 *
 *	IDLE -> FINDING -> ASKING -> TAKING -> BOOKING -> ASKING ... -> IDLE
 *	                     ^ \-> PAUSED		(busy, lost connections: the same question again)
 *
 * Owns:    when each is asked, one walk at a time per pull, the mark that says how far it has come.
 * Called:  by node.c (start, reload, drain), in worker 0; by the control socket through it.
 * Never:   moves a mark before intake has said that the page is durable: after a crash a page may come
 *          twice, none is skipped. Never reads objects, never judges them: a page goes to intake as a
 *          message of that peer.
 */
#ifndef ADAPTERS_PULLER_H
#define ADAPTERS_PULLER_H

#include <stdbool.h>

struct gateway;
struct pullers;
struct stats;
struct strbuf;

struct pullers	*pullers_new(struct gateway *g);
/* After the store is closed. NULL is fine. */
void		 pullers_free(struct pullers *p);
/* The pulls of the new configuration; what the old ones have in hand is finished. */
void		 pullers_reload(struct pullers *p);
/* No new pages; cb when those in hand are booked. */
void		 pullers_drain(struct pullers *p, void (*cb)(void *arg), void *arg);
/* For how long each has had no success, and how often it failed in a row. */
void		 pullers_figures(const struct pullers *p, struct stats *s);
/* Begin a run now. NULL, or why not. */
const char	*pullers_run(struct pullers *p, const char *name);
/* What a pull does and did: members of a JSON object; false if there is none of that name. */
bool		 pullers_show(const struct pullers *p, const char *name, struct strbuf *out);
/* All of them, as elements of a list. */
void		 pullers_list(const struct pullers *p, struct strbuf *out);

#endif
