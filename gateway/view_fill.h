/*
 * view_fill.h -- a view whose definition is new gets the versions that are already stored.
 *
 * Owns:    one walk over the store per view, in pieces, from the event loop: scan, join and leave,
 *          next piece; the digest of the definition is written when the walk is through, so that a
 *          crash in between only means walking again.
 * Called:  by catalog.c at start and reload.
 * Never:   holds the loop up: what comes in meanwhile joins through the router as ever, and joining
 *          twice is nothing.
 *
 * A view by source is filled from now on only: who gave us a version is not part of a scan. A view with
 * `distinct` takes, of each fingerprint group, what no copy taken before says as much as (rulings 1).
 */
#ifndef GATEWAY_VIEW_FILL_H
#define GATEWAY_VIEW_FILL_H

#include "gateway/config.h"
#include "gateway/store.h"

struct gateway;
struct view_fills;

struct view_fills *view_fills_new(struct gateway *g);
/* After the store is closed. NULL is fine. */
void		 view_fills_free(struct view_fills *v);
/* Start filling `col` (of g->config, which is held meanwhile) unless it was filled under the same
 * definition. A walk for the same collection that is still under way ends. -1 and *e if the store does
 * not answer. */
int		 view_fill(struct view_fills *v, const struct collection_conf *col, struct err *e);

#endif
