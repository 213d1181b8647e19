/*
 * refs.h -- which other objects does an object name?
 *
 * Owns:    the walk over `*_ref` and `*_refs` members at any depth (STIX 2.1 section 2.9), and over
 *          object_marking_refs.
 * Called:  by object_fill (what supports this object), router (what supports what) and release (what must
 *          not point at something withheld).
 * Never:   resolves anything.
 */
#ifndef FORMATS_REFS_H
#define FORMATS_REFS_H

#include "gateway/base/json.h"

/* Return false to stop. `member` is the name of the property ("object_refs"). */
typedef bool	refs_fn(void *ctx, const char *member, struct slice id);
/* False if fn stopped the walk. */
bool		refs_each(const json *tree, refs_fn *fn, void *ctx);
/* Types that only make sense with what refers to them: marking-definition, extension-definition,
 * identity. They travel with the objects that name them. */
bool		refs_is_supporting(struct slice type);

#endif
