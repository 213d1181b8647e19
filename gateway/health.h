/*
 * health.h -- is anything wrong with the node, and does it still serve?
 *
 * Owns:    the list of what can be wrong, and what each says to a person.
 * Called:  by operations.c (/readyz, /metrics) and `tocsin status`.
 * Never:   waits or asks anybody: it judges figures that were gathered.
 *
 * A *failure* means that clients should go elsewhere: /readyz says 503. A *warning* means that somebody
 * should look: the node serves all the same.
 */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include "gateway/figures.h"

struct gateway;

struct problem {
	const char	*word;		/* stable: "store-not-writable" */
	bool		 failure;
	const char	*text;		/* one sentence for people */
};

struct health {
	struct problem	*v;
	size_t		 n, cap;
	bool		 ready;		/* no failures */
	struct arena	*mem;
};

/* Failures first. Lives in `mem`. */
void	health_look(struct health *h, struct arena *mem, const struct gateway *g,
	    const struct figures *f);
/* The same as gauges. */
void	health_figures(const struct health *h, struct stats *s);
/* Everything that can be wrong, for the manual. */
void	health_print_reference(struct strbuf *out);

#endif
