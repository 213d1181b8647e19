/* stix21_value.c -- see stix21_value.h. */
#include "formats/stix21_value.h"

#include <stdio.h>

#include "formats/vocab.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

static const char tlsh_prefix[] = "T1";

/* Hash names whose values have a fixed length in hex digits. */
static const struct { const char *name; size_t digits; } hash_lengths[] = {
	{ "MD5", 32 }, { "SHA-1", 40 }, { "SHA-256", 64 }, { "SHA-512", 128 }, { "SHA3-256", 64 },
	{ "SHA3-512", 128 }, { "SHA-224", 56 }, { "SHA-384", 96 }, { "RIPEMD-160", 40 },
};

static void	check_members(struct check *, const json *, const struct stix21_prop *);

/* Append one step to a path in a fixed buffer; what does not fit is cut. */
static void
add_step(char *path, size_t cap, const char *name, size_t index)
{
	size_t n = strlen(path);

	if (name == NULL)
		snprintf(path + n, cap - n, "[%zu]", index);
	else
		snprintf(path + n, cap - n, "%s%s", n > 0 ? "." : "", name);
}

/* Report an issue at the path, or at `member` of it. */
void
check_report(struct check *c, const char *code, enum err_code err, bool must, const char *member,
    const char *reason)
{
	struct stix21_issue issue = { .code = code, .err = err, .must = must };

	for (size_t i = 0; i < c->nsteps && i < CHECK_STEPS; i++)
		add_step(issue.path, sizeof(issue.path), c->step[i].name, c->step[i].index);
	if (member != NULL)
		add_step(issue.path, sizeof(issue.path), member, 0);
	snprintf(issue.reason, sizeof(issue.reason), "%s", reason);
	c->report(c->ctx, &issue);
}

/* Report a value of the wrong JSON type. */
static void
wrong_type(struct check *c, const char *wanted)
{
	check_report(c, "BAD_TYPE_OF", ERR_VALUE, true, NULL, wanted);
}

/* Return the type part of "type--UUID", empty if it is no id. */
static struct slice
type_of_id(struct slice id)
{
	if (id.n < UUID_TEXT + 3 || memcmp(id.p + id.n - UUID_TEXT - 2, "--", 2) != 0 ||
	    !uuid_is_valid(slice_from(id.p + id.n - UUID_TEXT, UUID_TEXT)))
		return SLICE_EMPTY;
	return slice_from(id.p, id.n - UUID_TEXT - 2);
}

/* True if a reference to this type is allowed by the words of a row. Custom types may stand where a
 * class is asked for: what they are, only their extension knows. */
static bool
may_refer_to(const char *words, struct slice type)
{
	static const char *const classes[] = {
		[OBJECT_SDO] = "@sdo", [OBJECT_SRO] = "@sro", [OBJECT_SCO] = "@sco",
		[OBJECT_META] = "@meta",
	};
	enum object_class class = object_class_of(type);

	if (words[0] == '!')
		return !vocab_has_word(words + 1, type);
	if (vocab_has_word(words, type))
		return true;
	if (class == OBJECT_CUSTOM)
		return strchr(words, '@') != NULL && !slice_is(type, "bundle");
	return vocab_has_word(words, slice_of(classes[class]));
}

/* Check an id that refers to another object. */
static void
check_ref(struct check *c, const json *v, const struct stix21_prop *p)
{
	struct slice type;
	char text[160];

	if (!json_is_string(v)) {
		wrong_type(c, "must be an identifier");
		return;
	}
	type = type_of_id(json_slice(v));
	if (type.n == 0) {
		check_report(c, "BAD_REF", ERR_VALUE, true, NULL, "is no identifier");
		return;
	}
	if (!may_refer_to(p->words, type)) {
		snprintf(text, sizeof(text), "must not refer to an object of type %.*s",
		    type.n > 60 ? 60 : (int)type.n, type.p);
		check_report(c, "BAD_REF", ERR_REFERENCE, true, NULL, text);
	}
}

/* Check an integer and its range. */
static void
check_int(struct check *c, const json *v, const struct stix21_prop *p)
{
	int64_t n;

	if (!json_is_number(v)) {
		wrong_type(c, "must be an integer");
	} else if (!json_int(v, &n)) {
		double d;

		if (json_double(v, &d) && (d >= 9e15 || d <= -9e15))
			check_report(c, "BAD_RANGE", ERR_VALUE, true, NULL, "is too large");
		else
			wrong_type(c, "must be an integer");
	} else if (p->min != p->max && (n < p->min || n > p->max)) {
		check_report(c, "BAD_RANGE", ERR_VALUE, true, NULL, "is outside its range");
	}
}

/* Check a number and its range. */
static void
check_number(struct check *c, const json *v, const struct stix21_prop *p)
{
	double d;

	if (!json_is_number(v) || !json_double(v, &d))
		wrong_type(c, "must be a number");
	else if (p->min != p->max && (d < (double)p->min || d > (double)p->max))
		check_report(c, "BAD_RANGE", ERR_VALUE, true, NULL, "is outside its range");
}

/* Count the hex digits that a text begins with. */
static size_t
count_hex(struct slice s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] != '\0' && strchr("0123456789abcdefABCDEF", s.p[i]) != NULL)
		i++;
	return i;
}

/* Check one hash by its algorithm. */
static void
check_hash(struct check *c, const char *name, const json *v)
{
	struct slice s = json_slice(v);
	size_t n = strlen(name);

	if (!json_is_string(v)) {
		wrong_type(c, "must be a string");
		return;
	}
	for (size_t i = 0; i < sizeof(hash_lengths) / sizeof(*hash_lengths); i++) {
		if (strcmp(hash_lengths[i].name, name) != 0)
			continue;
		if (s.n != hash_lengths[i].digits || count_hex(s) != s.n)
			check_report(c, "BAD_HASH", ERR_VALUE, true, NULL,
			    "has not the length or the digits of its algorithm");
		return;
	}
	if (strcmp(name, "TLSH") == 0) {
		if (slice_starts(s, tlsh_prefix))
			s = slice_from(s.p + 2, s.n - 2);
		if (s.n != 70 || count_hex(s) != s.n)
			check_report(c, "BAD_HASH", ERR_VALUE, true, NULL, "is no TLSH value");
	} else if (n < 3 || n > 250) {
		check_report(c, "BAD_NAME", ERR_VALUE, true, NULL, "is no name of a hash");
	} else if (strcmp(name, "SSDEEP") != 0) {
		check_report(c, "UNKNOWN_HASH", ERR_VALUE, false, NULL,
		    "is no hash algorithm of the vocabulary");
	}
}

/* Check a dictionary of hashes. */
static void
check_hashes(struct check *c, const json *v)
{
	if (!json_is_object(v)) {
		wrong_type(c, "must be a dictionary of hashes");
		return;
	}
	for (const json *m = json_first(v); m != NULL; m = json_next(m)) {
		check_enter(c, json_name(m), 0);
		check_hash(c, json_name(m), m);
		check_leave(c);
	}
}

/* Check base64. */
static void
check_binary(struct check *c, const json *v)
{
	struct strbuf raw = STRBUF_INIT;

	if (!json_is_string(v))
		wrong_type(c, "must be base64 text");
	else if (!base64_decode(json_slice(v), false, &raw))
		check_report(c, "BAD_BASE64", ERR_VALUE, true, NULL, "is no base64");
	strbuf_fini(&raw);
}

/* Check an even number of hex digits. */
static void
check_hex(struct check *c, const json *v)
{
	struct slice s = json_slice(v);

	if (!json_is_string(v))
		wrong_type(c, "must be hex digits");
	else if (s.n == 0 || s.n % 2 != 0 || count_hex(s) != s.n)
		check_report(c, "BAD_HEX", ERR_VALUE, true, NULL,
		    "is not an even number of hex digits");
}

/* True for the key of an extension that an extension-definition describes. */
static bool
is_definition_key(const char *key)
{
	return slice_is(type_of_id(slice_of(key)), "extension-definition");
}

/* Check one member of `extensions`. */
static void
check_extension(struct check *c, const json *v)
{
	static const char kinds[] =
	    "new-sdo new-sco new-sro property-extension toplevel-property-extension";
	const char *key = json_name(v);
	const struct stix21_extension *known = stix21_extension_find(slice_of(key));
	struct slice kind = json_member(v, "extension_type");

	if (!json_is_object(v)) {
		wrong_type(c, "must be an object");
	} else if (is_definition_key(key)) {
		if (json_get(v, "extension_type") != NULL && !vocab_has_word(kinds, kind))
			check_report(c, "BAD_ENUM", ERR_VALUE, true, "extension_type",
			    "is not one of the five");
	} else if (known == NULL) {
		check_report(c, "CUSTOM_EXTENSION", ERR_VALUE, false, NULL,
		    "is neither predefined nor the id of an extension-definition");
	} else if (!slice_is(json_member(c->tree, "type"), known->host)) {
		check_report(c, "BAD_EXTENSION", ERR_VALUE, true, NULL,
		    "belongs to another type of object");
	} else {
		check_members(c, v, known->props);
	}
}

/* Check the `extensions` of an object. */
static void
check_extensions(struct check *c, const json *v)
{
	if (!json_is_object(v)) {
		wrong_type(c, "must be a dictionary of extensions");
		return;
	}
	for (const json *m = json_first(v); m != NULL; m = json_next(m)) {
		check_enter(c, json_name(m), 0);
		check_extension(c, m);
		check_leave(c);
	}
}

/* An external reference says something beyond the name of its source. */
static void
check_reference(struct check *c, const json *o)
{
	if (json_get(o, "description") == NULL && json_get(o, "url") == NULL &&
	    json_get(o, "external_id") == NULL)
		check_report(c, "BAD_REFERENCE", ERR_MISSING, true, NULL,
		    "needs one of: description url external_id");
}

/* Check the members of an object inside an object; what the table does not know is left alone. */
static void
check_members(struct check *c, const json *o, const struct stix21_prop *table)
{
	const struct stix21_prop *p;

	check_required(c, o, table);
	for (const json *m = json_first(o); m != NULL; m = json_next(m))
		if ((p = stix21_prop_find(table, json_name(m))) != NULL)
			check_property(c, m, p);
	if (stix21_prop_find(table, "source_name") != NULL)
		check_reference(c, o);
}

/* Check one value (an element, if the row is a list). */
static void
check_value(struct check *c, const json *v, const struct stix21_prop *p)
{
	switch (p->kind) {
	case KIND_STRING:
		if (!json_is_string(v))
			wrong_type(c, "must be a string");
		break;
	case KIND_BOOL:
		if (!json_is_bool(v))
			wrong_type(c, "must be true or false");
		break;
	case KIND_TIME:
		if (!json_is_string(v) || !stamp_parse(json_slice(v), NULL))
			check_report(c, "BAD_TIMESTAMP", ERR_VALUE, true, NULL,
			    "is no possible UTC time ending in Z");
		break;
	case KIND_ENUM:
		if (!json_is_string(v) || !vocab_has_word(p->words, json_slice(v)))
			check_report(c, "BAD_ENUM", ERR_VALUE, true, NULL,
			    "is not in the closed list of values");
		break;
	case KIND_OBJECT:
		if (json_is_object(v))
			check_members(c, v, p->sub);
		else
			wrong_type(c, "must be an object");
		break;
	case KIND_DICTIONARY:
		if (!json_is_object(v))
			wrong_type(c, "must be a dictionary");
		break;
	case KIND_INT:		check_int(c, v, p); break;
	case KIND_NUMBER:	check_number(c, v, p); break;
	case KIND_REF:		check_ref(c, v, p); break;
	case KIND_HASHES:	check_hashes(c, v); break;
	case KIND_BINARY:	check_binary(c, v); break;
	case KIND_HEX:		check_hex(c, v); break;
	case KIND_EXTENSIONS:	check_extensions(c, v); break;
	default:
		break;
	}
}

/* Check one property by its row. What is null was reported as such already. */
void
check_property(struct check *c, const json *v, const struct stix21_prop *p)
{
	size_t i = 0;

	if (json_is_null(v))
		return;
	check_enter(c, p->name, 0);
	if ((p->flags & PROP_LIST) == 0) {
		check_value(c, v, p);
	} else if (!json_is_list(v)) {
		wrong_type(c, "must be a list");
	} else {
		for (const json *m = json_first(v); m != NULL; m = json_next(m), i++) {
			check_enter(c, NULL, i);
			if (!json_is_null(m))
				check_value(c, m, p);
			check_leave(c);
		}
	}
	check_leave(c);
}

/* Report the properties that are required and missing. */
void
check_required(struct check *c, const json *o, const struct stix21_prop *table)
{
	for (const struct stix21_prop *p = table; p->name != NULL; p++)
		if ((p->flags & PROP_REQUIRED) != 0 && json_get(o, p->name) == NULL)
			check_report(c, "MISSING_PROPERTY", ERR_MISSING, true, p->name, "is missing");
}
