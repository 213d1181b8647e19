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

/* One step of a path: a member, or an element if it has no name. */
struct check_step {
	const char	*name;
	size_t		 index;
};

enum { CHECK_STEPS = 160 };	/* deeper places are reported at this depth */

struct check {
	const struct object		*object;
	const json			*tree;
	struct arena			*mem;
	stix21_issue_fn			*report;
	void				*ctx;
	const struct stix21_type	*type;		/* NULL: custom */
	const struct stix21_prop	*common;
	struct check_step		 step[CHECK_STEPS];	/* the path of the value looked at */
	size_t				 nsteps;
};

/* Report an issue at the path, or at `member` of it. */
void	check_report(struct check *c, const char *code, enum err_code err, bool must,
	    const char *member, const char *reason);
/* Step into a member (name) or an element (name NULL), and out again. Nothing is formatted before
 * there is something to report. */
static inline void
check_enter(struct check *c, const char *name, size_t index)
{
	if (c->nsteps < CHECK_STEPS)
		c->step[c->nsteps] = (struct check_step){ name, index };
	c->nsteps++;
}

static inline void
check_leave(struct check *c)
{
	c->nsteps--;
}

/* Check one member by its row. */
void	check_property(struct check *c, const json *v, const struct stix21_prop *p);
/* Report the properties that `table` requires and `o` has not. */
void	check_required(struct check *c, const json *o, const struct stix21_prop *table);

#endif
