/*
 * stix21_types.h -- the properties of every STIX 2.1 type, as one table.
 *
 * Owns:    type -> property -> kind, the rules between properties (stix21_types.c; observables and
 *          their extensions in stix21_types_sco.c), the suggested relationships (stix21_pairs.c).
 * Called:  by the checks, stix21_*.c.
 * Never:   does anything; it is data.
 */
#ifndef FORMATS_STIX21_TYPES_H
#define FORMATS_STIX21_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/names.h"

enum stix21_kind {
	KIND_STRING, KIND_INT, KIND_NUMBER, KIND_BOOL, KIND_TIME,
	KIND_STAMP,		/* a time to the millisecond or better: created, modified */
	KIND_REF,		/* words: types it may point at; "@sdo" a class; "!" none of these */
	KIND_ENUM,		/* words: the closed list */
	KIND_VOCAB,		/* words: an open vocabulary, others are legal */
	KIND_HASHES,
	KIND_DICTIONARY,	/* words: what keys begin with; min: values that are allowed */
	KIND_BINARY, KIND_HEX,
	KIND_OBJECT,		/* sub: its properties */
	KIND_EXTENSIONS, KIND_ANY,
	KIND_FORMS,		/* from here on texts with a form of their own: stix21_form.c */
	KIND_IPV4 = KIND_FORMS, KIND_IPV6, KIND_MAC, KIND_DOMAIN, KIND_EMAIL, KIND_URL, KIND_MIME,
	KIND_CHARSET, KIND_CPE, KIND_LANG, KIND_COUNTRY, KIND_SEMVER, KIND_REGKEY, KIND_VERB,
	KIND_LOWER, KIND_PROPERTY,
	KINDS
};

enum {
	PROP_REQUIRED = 1, PROP_LIST = 2,
	PROP_NOT_BOTH = 4,	/* last row: no two of its words */
	PROP_REFERENCE = 8	/* last row: of an external reference */
};

/* What the values of a dictionary may be; 0: anything. */
enum { DICT_STRING = 1, DICT_INT = 2, DICT_STRINGS = 4 };

/* The row behind the last has no name; its words, if any: at least one of these must be there. */
struct stix21_prop {
	const char			*name;
	uint8_t				 kind;
	uint8_t				 flags;
	uint32_t			 tag;		/* of the name: json_node.h */
	const char			*words;
	const struct stix21_prop	*sub;
	int64_t				 min, max;	/* numbers; equal: what fits into 2^53 */
};

enum { STIX21_PROPS_MAX = 32 };	/* rows of one table: they are counted in half a word */

/* Rules between properties. */
enum stix21_rule_kind {
	RULE_END,
	RULE_ORDER,		/* b is not before a */
	RULE_AFTER,		/* b is later than a */
	RULE_NEEDS,		/* a only with b */
	RULE_NOT_BOTH,
	RULE_ONE_OF,		/* at least one of the blank-separated names in a */
	RULE_ANY_OWN,		/* at least one property that is not common to its class */
	RULE_IF_TRUE_NEEDS,	/* b must be there when a is true */
	RULE_NOT_IF_TRUE,	/* b must not be there when a is true */
	RULE_ONLY_IF_TRUE	/* b only when a is true */
};

struct stix21_rule {
	enum stix21_rule_kind	 kind;
	const char		*a, *b;
};

/* What only some types need: stix21_special.c. */
enum stix21_special {
	SPECIAL_NONE, SPECIAL_INDICATOR, SPECIAL_RELATIONSHIP, SPECIAL_OBSERVED_DATA, SPECIAL_MARKING,
	SPECIAL_EXTENSION, SPECIAL_LANGUAGE
};

struct stix21_type {
	const char			*name;
	const struct stix21_prop	*common;
	const struct stix21_prop	*own;
	const struct stix21_rule	*rules;		/* ends with RULE_END; NULL: none */
	enum stix21_special		 special;
};

/* A predefined extension of an observable. */
struct stix21_extension {
	const char			*name;
	const char			*host;
	const struct stix21_prop	*props;
};

/* The rows of a type by the names of members: those of the common table have their numbers, those of its
 * own theirs behind STIX21_PROPS_MAX. */
struct stix21_shape {
	const struct stix21_type	*type;		/* NULL: one that STIX does not define */
	const struct stix21_prop	*common;
	struct names			 rows;
};

/* NULL if STIX does not define the type. */
const struct stix21_shape	*stix21_shape_find(struct slice type);
const struct stix21_type	*stix21_type_find(struct slice type);
const struct stix21_extension	*stix21_extension_find(const char *name);
/* The row of a member in a table, or NULL. */
const struct stix21_prop	*stix21_prop_find(const struct stix21_prop *table, const json *member);
/* What a type that STIX does not define is checked against: common properties, none required; or, if an
 * extension says what it is ("new-sdo"), those of that class. */
const struct stix21_shape	*stix21_custom_shape(struct slice extension_type);
/* The standard suggests this relationship between objects of these types. */
bool	stix21_pair_is_usual(struct slice source, struct slice verb, struct slice target);

/* The observables; sorted, n of them. */
const struct stix21_type	*stix21_observables(size_t *n);

#endif
