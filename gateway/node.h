/*
 * node.h -- the parts of a serving node, made, swapped at a reload, drained and taken down in order.
 *
 * Owns:    struct gateway and everything it points to; listeners; spools; links to peers.
 * Called:  by one.c, where it is the whole node and opens what it needs, and by worker.c, where it
 *          is one of several and was lent sockets and channels.
 * Never:   reads a file at its start, handles a signal, or knows how many processes there are beyond
 *          g.worker and g.nworkers.
 */
#ifndef GATEWAY_NODE_H
#define GATEWAY_NODE_H

#include "gateway/admin.h"
#include "gateway/gateway.h"
#include "gateway/load.h"

struct node;
struct strbuf;

/* A listening socket, and the number of its listen line. */
struct node_socket {
	size_t	 listen;
	int	 fd;
};

struct node_conf {
	struct event_base	*base;
	long long		 started_us;
	unsigned		 worker, nworkers;
	bool			 alone;		/* open everything; the rest below is for workers */
	const struct node_socket *sockets;	/* consumed */
	size_t			 nsockets;
	int			 operations, admin;	/* listening sockets, consumed; -1 = none */
	int			 store, translator;	/* channels, consumed */
	/* This translator is no good: give me another. */
	void			(*replace)(void *ctx, unsigned generation, const char *why);
	/* Worker 0: ask the master for everybody's figures; the REPORTs go to
	 * figures_report(g->figures). */
	bool			(*ask_figures)(void *ctx, uint64_t id);
	struct admin_hooks	 hooks;		/* ctx goes to `replace` as well; `listening` is ours */
	void			*ctx;
};

/* Takes over what was loaded, on success only. NULL and *e if a part cannot start. */
struct node	*node_new(const struct node_conf *conf, struct loaded *l, struct err *e);
void		 node_free(struct node *n);		/* NULL is fine; commits what the store was given */
struct gateway	*node_gateway(struct node *n);
/* The figures of this process: the text of FIGURES_ARE. */
void		 node_figures(struct node *n, struct strbuf *out);
/* Take what was loaded, all or nothing: -1 and *e, and nothing has changed. */
int		 node_swap(struct node *n, struct loaded *l, struct err *e);
/* Stop accepting, finish what is in hand, close what is silent; cb once, at the latest when the
 * configured time is over. With `upgrade` others serve the same sockets in a moment. */
void		 node_drain(struct node *n, bool upgrade, void (*cb)(void *arg), void *arg);
/* A new channel after the other end was started anew; consumed. */
void		 node_store_channel(struct node *n, int fd);
void		 node_translator_channel(struct node *n, int fd);

#endif
