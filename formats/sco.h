/*
 * sco.h -- the deterministic ids of cyber-observable objects (STIX 2.1 section 2.9).
 *
 * Owns:    which properties of a type make its id, and the UUIDv5 over them.
 * Called:  by translators that make observables; by stix21_check.c.
 * Never:   corrects the id of an object that came with one: references depend on it.
 */
#ifndef FORMATS_SCO_H
#define FORMATS_SCO_H

#include "gateway/base/json.h"

struct arena;

/* "ipv4-addr--UUID" over the ID contributing properties that `tree` has (its `id` is not looked at);
 * empty if it has none, or its type is no observable of the standard. */
struct slice	sco_id(struct arena *mem, const json *tree);

#endif
