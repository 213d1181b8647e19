/*
 * view_fill.h -- a view whose definition is new gets the versions that are already stored.
 *
 * Owns:    one walk over the store per view, in batches, from the event loop: what does not match leaves,
 *          then what matches joins with a new date (rulings 13), and the supporting objects that it names
 *          join too.
 * Called:  by catalog.c at start and reload.
 * Never:   holds the loop up: what comes in meanwhile joins through the router as ever, and joining twice
 *          is nothing. Never calls a view filled before it is durable: a walk that is cut short begins
 *          again at the next start.
 *
 * A view with `distinct` takes, of each fingerprint group, what no member says as much as (rulings 1). Of a
 * view by source it is asked who gave us the greatest version of an object.
 */
#ifndef GATEWAY_VIEW_FILL_H
#define GATEWAY_VIEW_FILL_H

#include "gateway/config.h"

struct gateway;
struct view_fills;

struct view_fills *view_fills_new(struct gateway *g);
/* After the store is closed. NULL is fine. */
void		 view_fills_free(struct view_fills *v);
/* How much of the store each view that is being filled has looked at. */
struct stats;
void	view_fills_figures(const struct view_fills *v, struct stats *s);
/* Start filling `col` (of g->config, which is held meanwhile) unless it was filled under the same
 * definition. A walk for the same collection that is still under way ends. -1 and *e if the store does
 * not answer. */
int		 view_fill(struct view_fills *v, const struct collection_conf *col, struct err *e);

#endif
