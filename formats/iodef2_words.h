/*
 * iodef2_words.h -- words that mean the same in STIX and IODEF, as tables for both directions.
 *
 * Owns:    bulk types, node roles, actions.
 * Called:  by iodef2_read*.c and iodef2_write*.c.
 * Never:   knows trees: words in, words out.
 */
#ifndef FORMATS_IODEF2_WORDS_H
#define FORMATS_IODEF2_WORDS_H

#include "gateway/base/slice.h"

struct arena;

/* BulkObservable/@type and the pattern path whose values it lists. Several rows may share a type:
 * the first is what a list without further word means; the others are told apart by AdditionalData
 * name="stix-path" below the BulkObservable. */
struct iodef2_bulk {
	const char	*type, *path;
};
extern const struct iodef2_bulk iodef2_bulks[];		/* ends with type NULL */

/* infrastructure_types -> NodeRole/@category; unknown: NULL. */
const char	*iodef2_noderole_of_infrastructure(struct slice type);

/* The Expectation action that a course of action's name or label speaks of; "other" if none. */
const char	*iodef2_action_of_text(struct slice text);

#endif
