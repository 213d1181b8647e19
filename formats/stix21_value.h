/*
 * stix21_value.h -- is a value what the table says it is?
 *
 * Owns:    the state of one check, one function per kind of value (stix21_value.c), extensions
 *          (stix21_extension.c), markings (stix21_marking.c), what only some types need
 *          (stix21_special.c).
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
	object_find_fn			 find;		/* definitions of the message; NULL: none */
	void				*find_ctx;
	const struct stix21_type	*type;		/* NULL: custom */
	const struct stix21_shape	*shape;
	/* What the object has, by rows: of the common table, then of the type's own. */
	const json			*have[2 * STIX21_PROPS_MAX];
	struct check_step		 step[CHECK_STEPS];	/* the path of the value looked at */
	size_t				 nsteps;
	size_t				 budget;	/* members that may still be looked at */
};

enum { CHECK_BUDGET = 1000000 };	/* lists of names into lists of members would take for ever */

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

/* Report a value of the wrong JSON type. */
void	check_wrong_type(struct check *c, const char *wanted);
/* Check one member by its row. */
void	check_property(struct check *c, const json *v, const struct stix21_prop *p);
/* A property of the object by its name in the standard, NULL if it is not there. */
static inline const json *
check_get(const struct check *c, const char *name)
{
	unsigned row = names_find_member(&c->shape->rows, name, json_tag(name));

	return row == NAMES_NONE ? NULL : c->have[row];
}

/* Report null, and what is empty, in a value and below; false if the value itself is so. */
bool	check_emptiness(struct check *c, const json *v);
/* Check the members of an object inside an object. */
void	check_members(struct check *c, const json *o, const struct stix21_prop *table);
/* The type part of "type--UUID", empty if it is no id. */
struct slice	check_type_of_id(struct slice id);
/* Names of properties: 3 to 250 of [a-z0-9_]. */
bool	check_is_property_name(const char *name);

/* stix21_extension.c: `extensions`, and what the definitions of the message say of them. */
void	check_extensions(struct check *c, const json *v);
/* The first extension_type in `extensions` that begins so; empty if there is none. */
struct slice	check_extended_by(const json *extensions, const char *kind);

/* stix21_marking.c: granular markings, marking-definitions. */
void	check_granular(struct check *c);
void	check_marking_definition(struct check *c);

/* stix21_rules.c: the rules between properties of the object. */
void	check_rules(struct check *c);

/* stix21_special.c: what only this type needs. */
void	check_special(struct check *c);

#endif
