/* stix21_value.c -- see stix21_value.h. */
#include "formats/stix21_value.h"

#include <stdio.h>

#include "formats/stix21_form.h"
#include "formats/vocab.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { NAME_MAX = 250, HASH_NAME_MIN = 3 };

static const char tlsh_prefix[] = "T1";
static const char name_chars[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

/* Hash names whose values have a fixed length in hex digits. */
static const struct { const char *name; size_t digits; } hash_lengths[] = {
	{ "MD5", 32 }, { "SHA-1", 40 }, { "SHA-256", 64 }, { "SHA-512", 128 }, { "SHA3-256", 64 },
	{ "SHA3-512", 128 }, { "SHA-224", 56 }, { "SHA-384", 96 }, { "RIPEMD-160", 40 },
};

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
void
check_wrong_type(struct check *c, const char *wanted)
{
	check_report(c, "BAD_TYPE_OF", ERR_VALUE, true, NULL, wanted);
}

/* Return the type part of "type--UUID", empty if it is no id. */
struct slice
check_type_of_id(struct slice id)
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

/* True for a reference where one type alone is allowed, and is there: nearly all of them. */
static bool
is_only_type(struct slice id, const char *words)
{
	size_t n = strlen(words);

	return id.n == n + 2 + UUID_TEXT && memcmp(id.p, words, n) == 0 && id.p[n] == '-' &&
	    id.p[n + 1] == '-' && uuid_is_valid(slice_from(id.p + n + 2, UUID_TEXT));
}

/* Check an id that refers to another object. */
static void
check_ref(struct check *c, const json *v, const struct stix21_prop *p)
{
	struct slice type;
	char text[160];

	if (!json_is_string(v)) {
		check_wrong_type(c, "must be an identifier");
		return;
	}
	if (is_only_type(json_slice(v), p->words))
		return;
	type = check_type_of_id(json_slice(v));
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

#define INTEGER_MAX	(((int64_t)1 << 53) - 1)

/* Check an integer and its range. */
static void
check_int(struct check *c, const json *v, const struct stix21_prop *p)
{
	int64_t n;

	if (!json_is_number(v)) {
		check_wrong_type(c, "must be an integer");
	} else if (!json_int(v, &n)) {
		double d;

		if (json_double(v, &d) && (d >= 9e15 || d <= -9e15))
			check_report(c, "BAD_RANGE", ERR_VALUE, true, NULL, "is too large");
		else
			check_wrong_type(c, "must be an integer");
	} else if (p->min != p->max ? n < p->min || n > p->max :
				      n > INTEGER_MAX || n < -INTEGER_MAX) {
		check_report(c, "BAD_RANGE", ERR_VALUE, true, NULL, "is outside its range");
	}
}

/* Check a number and its range. */
static void
check_number(struct check *c, const json *v, const struct stix21_prop *p)
{
	double d;

	if (!json_is_number(v) || !json_double(v, &d))
		check_wrong_type(c, "must be a number");
	else if (p->min != p->max && (d < (double)p->min || d > (double)p->max))
		check_report(c, "BAD_RANGE", ERR_VALUE, true, NULL, "is outside its range");
}

/* Count the hex digits that a text begins with. */
static size_t
count_hex(struct slice s)
{
	size_t i = 0;

	while (i < s.n && ascii_hex(s.p[i]) >= 0)
		i++;
	return i;
}

/* True for "BLOCKSIZE:HASH:HASH". */
static bool
is_ssdeep(struct slice s)
{
	struct slice size = slice_cut(&s, ':'), first = slice_cut(&s, ':');
	unsigned long long n;

	return slice_u64(size, &n) && first.n > 0 && s.n > 0 &&
	    memchr(s.p, ' ', s.n) == NULL && memchr(s.p, ':', s.n) == NULL;
}

/* Check one hash by its algorithm. */
static void
check_hash(struct check *c, const char *name, const json *v)
{
	struct slice s = json_slice(v);
	size_t n = strlen(name);

	if (!json_is_string(v)) {
		check_wrong_type(c, "must be a string");
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
	} else if (n < HASH_NAME_MIN || n > NAME_MAX || strspn(name, name_chars) != n) {
		check_report(c, "BAD_NAME", ERR_VALUE, true, NULL, "is no name of a hash");
	} else if (strcmp(name, "SSDEEP") == 0) {
		if (!is_ssdeep(s))
			check_report(c, "BAD_HASH", ERR_VALUE, true, NULL, "is no SSDEEP value");
	} else {
		check_report(c, "UNKNOWN_HASH", ERR_VALUE, false, NULL,
		    "is no hash algorithm of the vocabulary");
	}
}

/* Check a dictionary of hashes. */
static void
check_hashes(struct check *c, const json *v)
{
	if (!json_is_object(v)) {
		check_wrong_type(c, "must be a dictionary of hashes");
		return;
	}
	for (const json *m = json_first(v); m != NULL; m = json_next(m)) {
		check_enter(c, json_name(m), 0);
		if (json_str(m) != NULL || check_emptiness(c, m))
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
		check_wrong_type(c, "must be base64 text");
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
		check_wrong_type(c, "must be hex digits");
	else if (s.n == 0 || s.n % 2 != 0 || count_hex(s) != s.n)
		check_report(c, "BAD_HEX", ERR_VALUE, true, NULL,
		    "is not an even number of hex digits");
}

/* Check a value of a dictionary: of one of the kinds in `allowed`. */
static void
check_entry(struct check *c, const json *v, int64_t allowed)
{
	int64_t n;

	if (allowed == 0 || (json_is_string(v) && (allowed & DICT_STRING) != 0) ||
	    ((allowed & DICT_INT) != 0 && json_int(v, &n)) || json_is_null(v))
		return;
	if (!json_is_list(v) || (allowed & DICT_STRINGS) == 0) {
		check_wrong_type(c, (allowed & DICT_INT) == 0 ? allowed == DICT_STRINGS ?
		    "must be a list of strings" : "must be a string" :
		    allowed == DICT_INT ? "must be an integer" : "must be a string or an integer");
		return;
	}
	for (const json *m = json_first(v); m != NULL; m = json_next(m)) {
		if (!json_is_string(m) && !json_is_null(m)) {
			check_wrong_type(c, "must be a list of strings");
			return;
		}
	}
}

/* True if a key begins with one of the blank-separated words, and goes on. */
static bool
has_prefix_of(const char *key, const char *words)
{
	struct slice rest = slice_of(words), name = slice_of(key);

	while (rest.n > 0) {
		struct slice word = slice_cut(&rest, ' ');

		if (name.n > word.n && memcmp(name.p, word.p, word.n) == 0)
			return true;
	}
	return false;
}

/* Check a dictionary: its keys, and its values if they must be of some kind. */
static void
check_dictionary(struct check *c, const json *v, const struct stix21_prop *p)
{
	if (!json_is_object(v)) {
		check_wrong_type(c, "must be a dictionary");
		return;
	}
	for (const json *m = json_first(v); m != NULL; m = json_next(m)) {
		const char *key = json_name(m);
		size_t n = strlen(key);

		check_enter(c, key, 0);
		if (n < 1 || n > NAME_MAX || strspn(key, name_chars) != n)
			check_report(c, "BAD_NAME", ERR_VALUE, true, NULL,
			    "is no key: they are 1 to 250 of [a-zA-Z0-9_-]");
		else if (p->words != NULL && !has_prefix_of(key, p->words))
			check_report(c, "BAD_NAME", ERR_VALUE, true, NULL,
			    "is no key that this dictionary may have");
		if (json_str(m) != NULL || check_emptiness(c, m))
			check_entry(c, m, p->min);
		check_leave(c);
	}
}

/* External ids of these sources look like this: a prefix, and numbers with hyphens between. */
static const struct { const char *source, *prefix; size_t parts, least; const char *reason; } sources[] = {
	{ "cve", "CVE-", 2, 4, "is no CVE id (CVE-YYYY-NNNN)" },
	{ "capec", "CAPEC-", 1, 1, "is no CAPEC id (CAPEC-N)" },
	{ "cwe", "CWE-", 1, 1, "is no CWE id (CWE-N)" },
};

/* True if `s` is that many numbers, joined by hyphens, each with so many digits at least. */
static bool
is_numbers(struct slice s, size_t parts, size_t least)
{
	for (size_t i = 0; i < parts; i++) {
		struct slice part = slice_cut(&s, '-');

		if (part.n < least)
			return false;
		for (size_t k = 0; k < part.n; k++)
			if (!ascii_is_digit(part.p[k]))
				return false;
		if (parts == 2 && i == 0 && part.n != 4)
			return false;	/* the year */
	}
	return s.n == 0;
}

/* An external id looks like those of its source. */
static void
check_reference(struct check *c, const json *o, const char *id)
{
	struct slice source = json_member(o, "source_name"), text = slice_of(id);

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		size_t n = strlen(sources[i].prefix);

		if (slice_is(source, sources[i].source) && (!slice_starts(text, sources[i].prefix) ||
		    !is_numbers(slice_from(text.p + n, text.n - n), sources[i].parts,
		    sources[i].least)))
			check_report(c, "BAD_REFERENCE", ERR_VALUE, true, "external_id",
			    sources[i].reason);
	}
}

/* Check the words of the last row of a table: one of these at least, or exactly one. */
static void
check_last_row(struct check *c, const json *o, const struct stix21_prop *last)
{
	struct slice rest = slice_of(last->words);
	size_t n = 0;
	char text[160];

	if (last->words == NULL || json_first(o) == NULL)
		return;
	for (const json *m = json_first(o); m != NULL; m = json_next(m))
		n += vocab_has_word(last->words, slice_of(json_name(m)));
	if (n == 0) {
		snprintf(text, sizeof(text), "one of these is needed: %.*s", (int)rest.n, rest.p);
		check_report(c, (last->flags & PROP_REFERENCE) != 0 ? "BAD_REFERENCE" :
		    "MISSING_PROPERTY", ERR_MISSING, true, NULL, text);
	} else if (n > 1 && (last->flags & PROP_NOT_BOTH) != 0) {
		snprintf(text, sizeof(text), "only one of these may be there: %.*s", (int)rest.n, rest.p);
		check_report(c, "BAD_COMBINATION", ERR_VALUE, true, NULL, text);
	}
}

/* True for names of properties. */
bool
check_is_property_name(const char *name)
{
	return stix21_form(KIND_PROPERTY)->fits(slice_of(name)) || strcmp(name, "id") == 0;
}

/* A member that the table of its object does not know. */
static void
check_stranger(struct check *c, const json *m)
{
	check_enter(c, json_name(m), 0);
	check_emptiness(c, m);
	check_leave(c);
	if (!check_is_property_name(json_name(m)))
		check_report(c, "BAD_NAME", ERR_VALUE, true, json_name(m),
		    "is no property name: they are 3 to 250 of [a-z0-9_]");
	else
		check_report(c, "CUSTOM_PROPERTY", ERR_VALUE, false, json_name(m),
		    "is not in the standard");
}

/* Check the members of an object inside an object. What the table does not know is no harm, but said. */
void
check_members(struct check *c, const json *o, const struct stix21_prop *table)
{
	const struct stix21_prop *p = table;
	uint64_t seen = 0;

	for (const json *m = json_first(o); m != NULL; m = json_next(m)) {
		if ((p = stix21_prop_find(table, m)) != NULL) {
			seen |= (uint64_t)1 << (p - table);
			check_property(c, m, p);
		} else {
			check_stranger(c, m);
		}
	}
	for (p = table; p->name != NULL; p++)
		if ((p->flags & PROP_REQUIRED) != 0 && (seen >> (p - table) & 1) == 0)
			check_report(c, "MISSING_PROPERTY", ERR_MISSING, true, p->name, "is missing");
	if ((p->flags & PROP_REFERENCE) != 0 && json_str(json_get(o, "external_id")) != NULL)
		check_reference(c, o, json_str(json_get(o, "external_id")));
	check_last_row(c, o, p);
}

/* Check a text that has a form of its own. */
static void
check_form(struct check *c, const json *v, enum stix21_kind kind)
{
	const struct stix21_form *form = stix21_form(kind);

	if (!json_is_string(v))
		check_wrong_type(c, "must be a string");
	else if (!form->fits(json_slice(v)))
		check_report(c, form->code, ERR_VALUE, form->must, NULL, form->reason);
}

/* Check a time, and that it says milliseconds if it must. */
static void
check_time(struct check *c, const json *v, bool millis)
{
	struct slice s = json_slice(v);

	if (!json_is_string(v) || !stamp_parse(s, NULL))
		check_report(c, "BAD_TIMESTAMP", ERR_VALUE, true, NULL,
		    "is no possible UTC time ending in Z");
	else if (millis && s.n < sizeof("2024-02-03T04:05:06.789Z") - 1)
		check_report(c, "BAD_TIMESTAMP", ERR_VALUE, true, NULL, "does not say milliseconds");
}

/* Check one value (an element, if the row is a list). */
static void
check_value(struct check *c, const json *v, const struct stix21_prop *p)
{
	if (p->kind != KIND_STRING && json_first(v) == NULL && json_str(v) == NULL &&
	    !check_emptiness(c, v))
		return;
	switch (p->kind) {
	case KIND_STRING:
		if (json_str(v) == NULL && check_emptiness(c, v) && !json_is_string(v))
			check_wrong_type(c, "must be a string");
		break;
	case KIND_BOOL:
		if (!json_is_bool(v))
			check_wrong_type(c, "must be true or false");
		break;
	case KIND_TIME:
	case KIND_STAMP:
		check_time(c, v, p->kind == KIND_STAMP);
		break;
	case KIND_VOCAB:
		if (!json_is_string(v))
			check_wrong_type(c, "must be a string");
		else if (!vocab_has_word(p->words, json_slice(v)))
			check_report(c, "UNKNOWN_WORD", ERR_VALUE, false, NULL,
			    "is not in the vocabulary");
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
			check_wrong_type(c, "must be an object");
		break;
	case KIND_INT:		check_int(c, v, p); break;
	case KIND_NUMBER:	check_number(c, v, p); break;
	case KIND_REF:		check_ref(c, v, p); break;
	case KIND_HASHES:	check_hashes(c, v); break;
	case KIND_BINARY:	check_binary(c, v); break;
	case KIND_HEX:		check_hex(c, v); break;
	case KIND_EXTENSIONS:	check_extensions(c, v); break;
	case KIND_DICTIONARY:	check_dictionary(c, v, p); break;
	default:
		if (p->kind >= KIND_FORMS)
			check_form(c, v, p->kind);
		break;
	}
}

/* Check one property by its row. */
void
check_property(struct check *c, const json *v, const struct stix21_prop *p)
{
	size_t i = 0;

	check_enter(c, p->name, 0);
	if ((p->flags & PROP_LIST) == 0) {
		check_value(c, v, p);
	} else if (!json_is_list(v)) {
		if (check_emptiness(c, v))
			check_wrong_type(c, "must be a list");
	} else if (json_first(v) != NULL || check_emptiness(c, v)) {
		for (const json *m = json_first(v); m != NULL; m = json_next(m), i++) {
			check_enter(c, NULL, i);
			check_value(c, m, p);
			check_leave(c);
		}
	}
	check_leave(c);
}
