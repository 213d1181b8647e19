/*
 * stix21_value.h -- is a value what the table says it is?
 *
 * Owns:    the state of one check, and one function per kind of value.
 * Called:  by stix21_check.c only.
 * Never:   knows a type by name.
 */
#ifndef FORMATS_STIX21_VALUE_H
#define FORMATS_STIX21_VALUE_H

#include "formats/stix21_check.h"
#include "formats/stix21_types.h"
#include "gateway/base/strbuf.h"

struct check {
	const json			*tree;
	struct arena			*mem;
	stix21_issue_fn			*report;
	void				*ctx;
	const struct stix21_type	*type;		/* NULL: custom */
	const struct stix21_prop	*common;
	struct strbuf			 path;		/* of the value looked at */
};

/* Report an issue at the path, or at `member` of it. */
void	check_report(struct check *c, const char *code, enum err_code err, bool must,
	    const char *member, const char *reason);
/* Step into a member (name) or an element (name NULL). */
void	check_enter(struct check *c, const char *name, size_t index);
/* Step back to where path had `had` bytes. */
void	check_leave(struct check *c, size_t had);
/* Check the members of `o` that `table` knows, and that the required ones are there. */
void	check_properties(struct check *c, const json *o, const struct stix21_prop *table);

#endif
