/*
 * stix21_types.h -- the properties of every STIX 2.1 type, as one table.
 *
 * Owns:    type -> property -> kind, and the rules between properties.
 * Called:  by stix21_check.c.
 * Never:   does anything; it is data.
 */
#ifndef FORMATS_STIX21_TYPES_H
#define FORMATS_STIX21_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/slice.h"

enum stix21_kind {
	KIND_STRING,		/* also open vocabularies: any value is legal */
	KIND_INT, KIND_NUMBER, KIND_BOOL, KIND_TIME,
	KIND_REF,		/* words: types it may point at; "@sdo" a class; "!" none of these */
	KIND_ENUM,		/* words: the closed list */
	KIND_HASHES, KIND_DICTIONARY, KIND_BINARY, KIND_HEX,
	KIND_OBJECT,		/* sub: its properties */
	KIND_EXTENSIONS, KIND_ANY
};

enum { PROP_REQUIRED = 1, PROP_LIST = 2 };

struct stix21_prop {
	const char			*name;
	uint8_t				 kind;
	uint8_t				 flags;
	const char			*words;
	const struct stix21_prop	*sub;
	int64_t				 min, max;	/* numbers; equal: no range */
};

/* Rules between properties; `names` are blank-separated. */
enum stix21_rule_kind {
	RULE_ORDER,		/* "a b": b is not before a */
	RULE_AFTER,		/* "a b": b is later than a */
	RULE_NEEDS,		/* "a b": a only with b */
	RULE_NOT_BOTH,		/* "a b" */
	RULE_ONE_OF,		/* at least one of these */
	RULE_ANY_OWN,		/* at least one property that is not common to its class */
	RULE_IF_TRUE_NEEDS,	/* "a b": b must be there when a is true */
	RULE_NOT_IF_TRUE,	/* "a b": b must not be there when a is true */
	RULE_ONLY_IF_TRUE	/* "a b": b only when a is true */
};

struct stix21_rule {
	enum stix21_rule_kind	 kind;
	const char		*names;
};

struct stix21_type {
	const char			*name;
	const struct stix21_prop	*common;
	const struct stix21_prop	*own;
	struct stix21_rule		 rules[4];	/* ends with names NULL if shorter */
};

/* A predefined extension of an observable. */
struct stix21_extension {
	const char			*name;
	const char			*host;
	const struct stix21_prop	*props;
};

const struct stix21_type	*stix21_type_find(struct slice type);
const struct stix21_extension	*stix21_extension_find(struct slice name);
/* The row of a property in a table that ends with a NULL name, or NULL. */
const struct stix21_prop	*stix21_prop_find(const struct stix21_prop *table, const char *name);
/* What a type that STIX does not define is checked against: common properties, none required. */
extern const struct stix21_prop	 stix21_custom_common[];

#endif
