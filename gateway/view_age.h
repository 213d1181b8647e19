/*
 * view_age.h -- what has become too old for a view leaves it.
 *
 * Owns:    one walk after another over the members of each view with an `age`, a few hundred rows a step.
 * Called:  by catalog.c, in the process that fills views.
 * Never:   takes out supporting objects, which belong to what names them; decides what joins (router.c,
 *          view_fill.c), holds the loop up, or is exact to the minute: a version leaves within a
 *          twentieth of the age, or an hour.
 */
#ifndef GATEWAY_VIEW_AGE_H
#define GATEWAY_VIEW_AGE_H

#include "gateway/config.h"

struct gateway;
struct view_ages;

struct view_ages *view_ages_new(struct gateway *g);
/* After the store is closed. NULL is fine. */
void	view_ages_free(struct view_ages *v);
/* Look after these collections from now on (those that are views with an age); they are copied, and belong
 * to g->config, which is held. */
void	view_ages_set(struct view_ages *v, const struct collection_conf *cols, size_t n);
/* Without an event loop: one walk over each. */
void	view_ages_walk(struct view_ages *v);

#endif
