/* stix21_marking.c -- granular markings and marking-definitions. See stix21_value.h. */
#include "formats/labels.h"
#include "formats/stix21_value.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

/* Return the child that one step of a selector names: [n], or a member. Every child passed is paid
 * from *budget. */
static const json *
select_child(const json *at, struct slice step, size_t *budget)
{
	bool is_index = step.n > 2 && step.p[0] == '[' && step.p[step.n - 1] == ']';
	unsigned long long want = 0, i = 0;

	if (is_index && (!json_is_list(at) || !slice_u64(slice_from(step.p + 1, step.n - 2), &want)))
		return NULL;
	for (const json *m = json_first(at); m != NULL && *budget > 0; m = json_next(m), i++) {
		--*budget;
		if (is_index ? i == want : json_name(m) != NULL && slice_is(step, json_name(m)))
			return m;
	}
	return NULL;
}

/* True if the path of a selector exists: names and [n] joined by dots. */
static bool
selector_exists(struct check *c, struct slice selector)
{
	const json *at = selector.n == 0 ? NULL : c->tree;

	while (selector.n > 0 && at != NULL)
		at = select_child(at, slice_cut(&selector, '.'), &c->budget);
	return at != NULL;
}

/* Report each selector of a granular marking that selects nothing. */
static void
check_selectors(struct check *c, const json *list)
{
	size_t i = 0;

	check_enter(c, "selectors", 0);
	for (const json *s = json_first(list); s != NULL && c->budget > 0; s = json_next(s), i++) {
		if (selector_exists(c, json_slice(s)))
			continue;
		check_enter(c, NULL, i);
		check_report(c, "BAD_SELECTOR", ERR_REFERENCE, true, NULL, c->budget > 0 ?
		    "selects what is not in the object" : "is one of too many to be followed");
		check_leave(c);
	}
	check_leave(c);
}

/* Check each granular marking: one of marking_ref and lang, selectors that exist. */
void
check_granular(struct check *c)
{
	const json *g = json_first(check_get(c, "granular_markings"));
	size_t i = 0;

	if (g == NULL)
		return;
	check_enter(c, "granular_markings", 0);
	for (; g != NULL; g = json_next(g), i++) {
		check_enter(c, NULL, i);
		if ((json_get(g, "marking_ref") != NULL) == (json_get(g, "lang") != NULL))
			check_report(c, "BAD_MARKING", ERR_VALUE, true, NULL,
			    "needs exactly one of marking_ref and lang");
		if (slice_is(c->object->type, "marking-definition") &&
		    slice_eq(json_member(g, "marking_ref"), c->object->id))
			check_report(c, "BAD_MARKING", ERR_VALUE, true, "marking_ref",
			    "must not name the marking itself");
		check_selectors(c, json_get(g, "selectors"));
		check_leave(c);
	}
	check_leave(c);
}

/* Check what a definition of the older kind says. */
static void
check_definition(struct check *c)
{
	struct slice kind = json_member(c->tree, "definition_type");
	const json *what = json_get(c->tree, "definition");

	if (kind.n == 0 || !json_is_object(what))
		return;
	if (slice_is(kind, "statement")) {
		if (!json_is_string(json_get(what, "statement")))
			check_report(c, "BAD_MARKING", ERR_VALUE, true, "definition",
			    "has no text \"statement\"");
	} else if (slice_is(kind, "tlp")) {
		if (tlp_parse(json_member(what, "tlp")) == TLP_UNSET)
			check_report(c, "BAD_MARKING", ERR_VALUE, true, "definition",
			    "has no \"tlp\" of white green amber red");
	} else {
		check_report(c, "UNKNOWN_WORD", ERR_VALUE, false, "definition_type",
		    "is neither statement nor tlp");
	}
}

/* Check that one of the nine fixed definitions says what it must: level and time. */
static void
check_fixed(struct check *c, enum tlp fixed)
{
	bool first = !slice_is(c->object->id, tlp_marking_id(fixed));
	const char *stamp = first ? "2017-01-20T00:00:00" : "2022-10-01T00:00:00";
	enum tlp said = TLP_UNSET;
	struct slice key;

	if (labels_of_definition(c->tree, &said) != LABEL_TLP || said != fixed)
		check_report(c, "FORGED_MARKING", ERR_VALUE, true, "id",
		    "is a fixed TLP id with another content");
	else if (stamp_key(c->mem, json_member(c->tree, "created"), &key) && !slice_is(key, stamp))
		check_report(c, "BAD_MARKING", ERR_VALUE, true, "created",
		    "is not the time of this fixed TLP definition");
}

/* Check that nothing marks itself, and what the definition says. */
void
check_marking_definition(struct check *c)
{
	const json *r = json_first(check_get(c, "object_marking_refs"));
	enum tlp fixed = tlp_of_marking_id(c->object->id), said = TLP_UNSET;

	for (; r != NULL; r = json_next(r))
		if (slice_eq(json_slice(r), c->object->id))
			check_report(c, "BAD_MARKING", ERR_VALUE, true, "object_marking_refs",
			    "must not name the marking itself");
	check_definition(c);
	if (fixed != TLP_UNSET)
		check_fixed(c, fixed);
	else if (labels_of_definition(c->tree, &said) == LABEL_TLP)
		check_report(c, "TLP_OWN_ID", ERR_VALUE, false, "id",
		    "is another id than the fixed one of this TLP level");
}
