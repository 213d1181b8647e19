/* stix21_special.c -- what only some types need. See stix21_value.h. */
#include <stdio.h>

#include "formats/pattern.h"
#include "formats/stix21_form.h"
#include "formats/stix21_value.h"
#include "formats/vocab.h"

/* Check that a pattern in STIX patterning parses; other languages are taken as they are. */
static void
check_pattern(struct check *c)
{
	struct slice type = json_slice(check_get(c, "pattern_type"));
	struct slice text = json_slice(check_get(c, "pattern"));
	const struct pat_node *p = c->object->pattern;
	struct err e = ERR_INIT;
	unsigned flaws;

	if (check_get(c, "pattern") == NULL)
		return;
	if (slice_trim(text).n == 0) {
		check_report(c, "BAD_PATTERN", ERR_SYNTAX, true, "pattern", "is empty");
		return;
	}
	if (!slice_is(type, "stix") && type.n != 0)
		return;
	if (p == NULL && (p = pattern_parse(text, c->mem, &e)) == NULL) {
		check_report(c, "BAD_PATTERN", e.code, true, "pattern", e.reason);
		return;
	}
	flaws = pattern_flaws(p);
	if ((flaws & PATTERN_TWICE) != 0)
		check_report(c, "BAD_PATTERN", ERR_VALUE, true, "pattern",
		    "has one kind of qualifier twice on one observation");
	else if ((flaws & PATTERN_HASH) != 0)
		check_report(c, "BAD_HASH", ERR_VALUE, true, "pattern",
		    "compares a hash with what is no hash of that name");
	else if ((flaws & PATTERN_NOT_20) != 0 &&
	    slice_is(json_slice(check_get(c, "pattern_version")), "2.0"))
		check_report(c, "BAD_PATTERN", ERR_VALUE, true, "pattern",
		    "has EXISTS, which patterns of version 2.0 have not");
}

/* Remark on a relationship that the standard does not suggest between these types. */
static void
check_relationship(struct check *c)
{
	struct slice source = check_type_of_id(json_slice(check_get(c, "source_ref")));
	struct slice target = check_type_of_id(json_slice(check_get(c, "target_ref")));
	struct slice verb = json_slice(check_get(c, "relationship_type"));

	if (source.n > 0 && target.n > 0 && verb.n > 0 &&
	    !stix21_pair_is_usual(source, verb, target))
		check_report(c, "UNUSUAL_RELATIONSHIP", ERR_VALUE, false, "relationship_type",
		    "is not what the standard suggests between these types");
}

/* Check a reference within the container of observables of STIX 2.0: a key of it, or an id. */
static void
check_inner_ref(struct check *c, const json *container, size_t size, const json *ref)
{
	const char *key = json_str(ref);

	if (key == NULL || c->budget == 0)
		return;
	c->budget = c->budget > size ? c->budget - size : 0;
	if (c->budget == 0)
		check_report(c, "BAD_REF", ERR_LIMIT, true, NULL, "is one of too many to be followed");
	else if (json_get(container, key) == NULL && check_type_of_id(slice_of(key)).n == 0)
		check_report(c, "BAD_REF", ERR_REFERENCE, true, NULL,
		    "is no key of the observables beside it");
}

/* Check the references of one observable in the container. */
static void
check_inner_refs(struct check *c, const json *container, size_t size, const json *observable)
{
	for (const json *m = json_first(observable); m != NULL; m = json_next(m)) {
		struct slice name = slice_of(json_name(m));
		size_t i = 0;

		check_enter(c, json_name(m), 0);
		if (slice_ends(name, "_ref"))
			check_inner_ref(c, container, size, m);
		for (const json *r = slice_ends(name, "_refs") ? json_first(m) : NULL; r != NULL;
		    r = json_next(r), i++) {
			check_enter(c, NULL, i);
			check_inner_ref(c, container, size, r);
			check_leave(c);
		}
		check_leave(c);
	}
}

/* Check the observables that observed-data may hold itself, as in STIX 2.0. */
static void
check_observed_data(struct check *c)
{
	const json *container = check_get(c, "objects");
	size_t size = json_count(container);

	if (container == NULL)
		return;
	check_report(c, "DEPRECATED", ERR_VALUE, false, "objects",
	    "is the container of STIX 2.0: observables should be objects of the message");
	if (!json_is_object(container))
		return;
	check_enter(c, "objects", 0);
	for (const json *m = json_first(container); m != NULL; m = json_next(m)) {
		if (json_is_null(m))
			continue;
		check_enter(c, json_name(m), 0);
		if (!json_is_object(m))
			check_wrong_type(c, "must be an observable");
		else if (!json_is_string(json_get(m, "type")))
			check_report(c, "MISSING_PROPERTY", ERR_MISSING, true, "type", "is missing");
		else
			check_inner_refs(c, container, size, m);
		check_leave(c);
	}
	check_leave(c);
}

/* Check that only a definition of properties at top level lists them. */
static void
check_extension_definition(struct check *c)
{
	const json *m = json_first(check_get(c, "extension_types"));

	if (check_get(c, "extension_properties") == NULL)
		return;
	for (; m != NULL; m = json_next(m))
		if (slice_is(json_slice(m), "toplevel-property-extension"))
			return;
	check_report(c, "BAD_COMBINATION", ERR_VALUE, true, "extension_properties",
	    "is for extensions of type toplevel-property-extension");
}

/* Check the texts of one language: a dictionary of properties. */
static void
check_texts(struct check *c, const json *texts)
{
	if (!json_is_object(texts)) {
		check_wrong_type(c, "must be a dictionary of properties");
		return;
	}
	for (const json *m = json_first(texts); m != NULL; m = json_next(m))
		if (!check_is_property_name(json_name(m)))
			check_report(c, "BAD_NAME", ERR_VALUE, true, json_name(m),
			    "is no property name: they are 3 to 250 of [a-z0-9_]");
}

/* Check the contents of language-content as far as they can be judged without what they translate. */
static void
check_language_content(struct check *c)
{
	const json *m = json_first(check_get(c, "contents"));
	const struct stix21_form *lang = stix21_form(KIND_LANG);

	check_enter(c, "contents", 0);
	for (; m != NULL; m = json_next(m)) {
		if (json_is_null(m) || json_name(m) == NULL)
			continue;
		check_enter(c, json_name(m), 0);
		if (!lang->fits(slice_of(json_name(m))))
			check_report(c, lang->code, ERR_VALUE, lang->must, NULL, lang->reason);
		check_texts(c, m);
		check_leave(c);
	}
	check_leave(c);
}

/* Check what only this type needs. */
void
check_special(struct check *c)
{
	static void (*const checks[])(struct check *) = {
		[SPECIAL_INDICATOR] = check_pattern,
		[SPECIAL_RELATIONSHIP] = check_relationship,
		[SPECIAL_OBSERVED_DATA] = check_observed_data,
		[SPECIAL_MARKING] = check_marking_definition,
		[SPECIAL_EXTENSION] = check_extension_definition,
		[SPECIAL_LANGUAGE] = check_language_content,
	};

	if (checks[c->type->special] != NULL)
		checks[c->type->special](c);
}
