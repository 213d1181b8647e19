/*
 * fingerprint.h -- the meaning of an object, the same whatever format and spelling it came in.
 *
 * Owns:    which properties make up the meaning of a type, and the hash over them. Their one
 *          spelling comes from value.h and pattern_canonical.
 * Called:  by object_fill (so every object has one, if its type has a meaning we can canonicalise).
 * Never:   looks at transport metadata: ids, times, markings, creators, names or descriptions.
 *
 * What has a fingerprint: observables (their value), indicators (their canonical pattern; a pattern
 * that is one equality test has the fingerprint of the observable's value under "indicator"),
 * vulnerabilities with a CVE. Reports, relationships and the rest have none: only their id counts.
 */
#ifndef FORMATS_FINGERPRINT_H
#define FORMATS_FINGERPRINT_H

#include "formats/object.h"
#include "formats/value.h"

/* Fill o->fp and o->has_fp from o->tree. Needs o->type. */
void	fingerprint_fill(struct object *o, struct arena *mem);

#endif
