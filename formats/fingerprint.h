/*
 * fingerprint.h -- the meaning of an object, the same whatever format and spelling it came in.
 *
 * Owns:    canonical values (fp_normalise), canonical patterns, and the hash over them.
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

/* Kinds of value that a normaliser knows. */
enum value_kind {
	VALUE_TEXT, VALUE_IPV4, VALUE_IPV6, VALUE_DOMAIN, VALUE_URL, VALUE_EMAIL, VALUE_HASH, VALUE_MAC,
	VALUE_ASN, VALUE_REGKEY, VALUE_PROTOCOL
};

/* One function for every parser: refang (hxxp, [.], (dot), [at], ...), case, IP canonical form and
 * CIDR (an address with its full prefix is the address), trailing dot of domains, host case of URLs,
 * hash case, MAC separators. false if `s` is no such value; *out then untouched. */
bool	value_normalise(enum value_kind kind, struct slice s, struct arena *mem, struct slice *out);
/* Only the refanging. */
struct slice value_refang(struct slice s, struct arena *mem);

/* Fill o->fp and o->has_fp from o->tree. Needs o->type. */
void	fingerprint_fill(struct object *o, struct arena *mem);

#endif
