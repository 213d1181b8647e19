/*
 * stix21_check.h -- does an object follow STIX 2.1?
 *
 * Owns:    the walk over the tables of stix21_types.h, and the checks that no table can say (ids,
 *          markings, selectors, patterns): stix21_value.h lists the parts.
 * Called:  by stix21.c for every object; by readers that take over residue.
 * Never:   changes the object, or looks at another one: references may point outside the message.
 *
 * Codes: MISSING_PROPERTY BAD_TYPE_OF BAD_RANGE BAD_TIMESTAMP BAD_REF BAD_ENUM BAD_HASH BAD_BASE64
 * BAD_HEX BAD_VALUE BAD_ID BAD_TYPE BAD_NAME NULL_VALUE EMPTY_LIST EMPTY_OBJECT BAD_ORDER
 * BAD_COMBINATION BAD_EXTENSION BAD_SELECTOR BAD_MARKING FORGED_MARKING BAD_PATTERN BAD_REFERENCE
 * BAD_SPEC_VERSION; remarks only: UPPER_CASE_ID MISSING_SPEC_VERSION BAD_TRANSLATION BAD_VERSION
 * CUSTOM_PROPERTY CUSTOM_TYPE CUSTOM_EXTENSION UNKNOWN_HASH UNKNOWN_WORD UNUSUAL_RELATIONSHIP
 * NOT_LOWER_CASE DEPRECATED NUL_IN_TEXT TLP_OWN_ID SCO_ID.
 */
#ifndef FORMATS_STIX21_CHECK_H
#define FORMATS_STIX21_CHECK_H

#include "formats/object.h"

struct stix21_issue {
	const char	*code;
	enum err_code	 err;
	bool		 must;		/* the standard forbids it: strict mode refuses */
	char		 path[160];	/* "external_references[0].source_name" */
	char		 reason[160];
};

typedef void	 stix21_issue_fn(void *ctx, const struct stix21_issue *issue);

struct stix21_check {
	stix21_issue_fn	*report;
	void		*report_ctx;
	object_find_fn	 find;		/* an extension-definition of the message by id; NULL: none */
	void		*find_ctx;
	size_t		*budget;	/* translations: members to be looked at; taken from */
};

/* Report every issue of one object that object_fill accepted and filled. */
void		 stix21_check(const struct object *o, struct arena *mem,
		    const struct stix21_check *how);
/* -1 and *e with the first thing that the standard forbids in it. */
int		 stix21_check_must(const struct object *o, struct arena *mem, struct err *e);
/* Report what is wrong with language-content as a translation of `target`, which it names. */
void		 stix21_check_translation(const struct object *o, const json *target,
		    struct arena *mem, const struct stix21_check *how);

#endif
