/*
 * figures_look.h -- the figures that nobody counts: how things are at this moment.
 *
 * Owns:    asking the modules of a process, and the kernel.
 * Called:  by figures.c.
 * Never:   waits: what cannot be read is left out.
 */
#ifndef GATEWAY_FIGURES_LOOK_H
#define GATEWAY_FIGURES_LOOK_H

#include "gateway/figures.h"

/* What the process counted and what it sees, into the empty `s`; why its store takes no writes. */
void	figures_look(const struct figures_source *from, struct stats *s,
	    char trouble[STORE_TROUBLE]);
/* Memory and processor time, as anybody may see them; pid 0: our own. */
void	figures_look_at_process(int64_t pid, struct stats *s);

#endif
