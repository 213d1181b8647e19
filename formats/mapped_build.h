/*
 * mapped_build.h -- what the two builders of objects share.
 *
 * Owns:    nothing.
 * Called:  by mapped_build.c and mapped_observe.c.
 * Never:   included from elsewhere; mapped_impl.h declares what others need.
 */
#ifndef FORMATS_MAPPED_BUILD_H
#define FORMATS_MAPPED_BUILD_H

#include "formats/mapped_impl.h"

/* Append an object to what a record becomes. */
void	map_made_add(const struct map_build *b, struct map_made *out, json *tree);
/* Append an id to object_refs. */
void	map_add_ref(const struct map_build *b, json *refs, struct slice id);
/* Take out ids that the list names twice. */
void	map_unique_refs(const struct map_build *b, json *refs);
/* Make observables of everything the record saw, and refer to them. */
int	map_observe(const struct map_build *b, struct map_made *out, json *refs, struct err *e);

#endif
