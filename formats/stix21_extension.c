/* stix21_extension.c -- the `extensions` of an object. See stix21_value.h. */
#include "formats/stix21_value.h"
#include "formats/stix21_words.h"
#include "formats/vocab.h"

/* True if the definition in the message, if it is there, says that it is used like this. */
static bool
is_defined_so(const struct check *c, const char *key, struct slice kind)
{
	const json *def = c->find == NULL ? NULL : c->find(c->find_ctx, slice_of(key));
	const json *m = json_first(json_get(def, "extension_types"));

	if (m == NULL)
		return true;
	for (; m != NULL; m = json_next(m))
		if (slice_eq(json_slice(m), kind))
			return true;
	return false;
}

/* Check an extension that an extension-definition describes. */
static void
check_defined(struct check *c, const json *v)
{
	const json *kind = json_get(v, "extension_type");

	if (kind == NULL)
		check_report(c, "MISSING_PROPERTY", ERR_MISSING, true, "extension_type", "is missing");
	else if (!vocab_has_word(WORDS_EXTENSION_TYPE, json_slice(kind)))
		check_report(c, "BAD_ENUM", ERR_VALUE, true, "extension_type", "is not one of the five");
	else if (!is_defined_so(c, json_name(v), json_slice(kind)))
		check_report(c, "BAD_EXTENSION", ERR_REFERENCE, true, "extension_type",
		    "is not what the definition in this message says");
}

/* Check one member of `extensions`. */
static void
check_extension(struct check *c, const json *v)
{
	const char *key = json_name(v);
	const struct stix21_extension *known = stix21_extension_find(key);

	if (known == NULL || json_first(v) == NULL)	/* else the members are looked at anyway */
		if (!check_emptiness(c, v))
			return;
	if (!json_is_object(v))
		check_wrong_type(c, "must be an object");
	else if (slice_is(check_type_of_id(slice_of(key)), "extension-definition"))
		check_defined(c, v);
	else if (known == NULL)
		check_report(c, "CUSTOM_EXTENSION", ERR_VALUE, false, NULL,
		    "is neither predefined nor the id of an extension-definition");
	else if (!slice_is(c->object->type, known->host))
		check_report(c, "BAD_EXTENSION", ERR_VALUE, true, NULL,
		    "belongs to another type of object");
	else
		check_members(c, v, known->props);
}

/* Check the `extensions` of an object. */
void
check_extensions(struct check *c, const json *v)
{
	if (!json_is_object(v)) {
		check_wrong_type(c, "must be a dictionary of extensions");
		return;
	}
	for (const json *m = json_first(v); m != NULL; m = json_next(m)) {
		check_enter(c, json_name(m), 0);
		check_extension(c, m);
		check_leave(c);
	}
}

/* Return the first extension_type that begins with `kind`. */
struct slice
check_extended_by(const json *extensions, const char *kind)
{
	const json *e = json_first(extensions);

	for (; e != NULL; e = json_next(e))
		if (slice_starts(json_member(e, "extension_type"), kind))
			return json_member(e, "extension_type");
	return SLICE_EMPTY;
}
