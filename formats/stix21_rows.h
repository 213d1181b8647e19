/*
 * stix21_rows.h -- short names for the rows of stix21_types.h.
 *
 * Owns:    macros that make a row of a property table, and the rows that many tables share.
 * Called:  by stix21_types.c, stix21_types_sco.c.
 * Never:   is included by anyone else: the names are short.
 */
#ifndef FORMATS_STIX21_ROWS_H
#define FORMATS_STIX21_ROWS_H

#include "formats/stix21_types.h"
#include "formats/stix21_words.h"

#define ROW(n, kind, f, words, sub, lo, hi)					\
	{ n, kind, f, JSON_TAG_OF(n), words, sub, lo, hi }
#define OTHER(n, f, kind)	ROW(n, kind, f, NULL, NULL, 0, 0)
#define STRING(n, f)		OTHER(n, f, KIND_STRING)
#define TIME(n, f)		OTHER(n, f, KIND_TIME)
#define BOOL(n, f)		OTHER(n, f, KIND_BOOL)
#define INT(n, f)		OTHER(n, f, KIND_INT)
#define INT_IN(n, f, lo, hi)	ROW(n, KIND_INT, f, NULL, NULL, lo, hi)
#define COUNT(n, f)		INT_IN(n, f, 0, ((int64_t)1 << 53) - 1)
#define NUMBER(n, f)		OTHER(n, f, KIND_NUMBER)
#define NUMBER_IN(n, f, lo, hi)	ROW(n, KIND_NUMBER, f, NULL, NULL, lo, hi)
#define REF(n, f, types)	ROW(n, KIND_REF, f, types, NULL, 0, 0)
#define ENUM(n, f, values)	ROW(n, KIND_ENUM, f, values, NULL, 0, 0)
#define VOCAB(n, f, values)	ROW(n, KIND_VOCAB, f, values, NULL, 0, 0)
#define HASHES(n)		OTHER(n, 0, KIND_HASHES)
#define HEX(n, f)		OTHER(n, f, KIND_HEX)
#define DICT(n, f, values)	ROW(n, KIND_DICTIONARY, f, NULL, NULL, values, values)
#define OBJECT(n, f, props)	ROW(n, KIND_OBJECT, f, NULL, props, 0, 0)
#define END			END_ANY_OF(NULL)
#define END_ANY_OF(names)	{ NULL, KIND_ANY, 0, 0, names, NULL, 0, 0 }
#define END_ONE_OF(names)	{ NULL, KIND_ANY, PROP_NOT_BOTH, 0, names, NULL, 0, 0 }
#define R			PROP_REQUIRED
#define L			PROP_LIST

#define RULES(...)		((const struct stix21_rule[]){ __VA_ARGS__, { RULE_END, NULL, NULL } })

#define ANY_OBJECT	"@sdo @sco @sro"

extern const struct stix21_prop	stix21_granular_marking[];

#define IDENTIFIED	STRING("type", R), STRING("id", R)
#define MARKED								\
	REF("object_marking_refs", L, "marking-definition"),		\
	OBJECT("granular_markings", L, stix21_granular_marking)

#endif
