/*
 * stix21_form.h -- texts that have a form of their own: addresses, media types, language tags ...
 *
 * Owns:    one predicate for each such kind of stix21_types.h, and what is said when it fails.
 * Called:  by stix21_value.c and stix21_special.c.
 * Never:   changes a value or accepts a defanged one: in STIX a value is as it is (value.h is for
 *          formats that defang).
 */
#ifndef FORMATS_STIX21_FORM_H
#define FORMATS_STIX21_FORM_H

#include "formats/stix21_types.h"

struct stix21_form {
	bool		(*fits)(struct slice s);
	const char	*code;
	bool		 must;		/* the standard forbids anything else */
	const char	*reason;
};

/* The row of a kind from KIND_FORMS on. */
const struct stix21_form *stix21_form(enum stix21_kind kind);

#endif
