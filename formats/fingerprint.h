/*
 * fingerprint.h -- the meaning of an object, the same whatever format and spelling it came in.
 *
 * Owns:    which properties make up the meaning of a type, and the hash over them. Their one
 *          spelling comes from value.h and pattern_canonical.
 * Called:  by object_fill (so every object has one, if its type has a meaning we can canonicalise).
 * Never:   looks at transport metadata: ids, times, markings, creators, names or descriptions.
 *
 * What has a fingerprint: observables (their value), indicators (their canonical pattern, or the
 * text of one that is not STIX or does not parse), vulnerabilities with a CVE. Reports,
 * relationships and the rest have none: only their id counts.
 */
#ifndef FORMATS_FINGERPRINT_H
#define FORMATS_FINGERPRINT_H

#include "formats/object.h"
#include "formats/value.h"

struct arena;
struct strbuf;

/* The canonical text that is hashed (for tests and `explain`); false if the object has none. Needs
 * o->type and o->tree. */
bool	fingerprint_text(struct strbuf *out, struct arena *mem, const struct object *o);
/* Fill o->fp and o->has_fp, and o->pattern, from o->tree. Needs o->type. */
void	fingerprint_fill(struct object *o, struct arena *mem);

#endif
