/* stix21_check.c -- see stix21_check.h. stix21_value.h lists the parts. */
#include "formats/stix21_check.h"

#include "formats/sco.h"
#include "formats/stix21_types.h"
#include "formats/stix21_value.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

enum { NAME_MIN = 3, NAME_MAX = 250, VERSION_DIGIT = 14 };

/* True for type names: lower case letters, digits and single hyphens, beginning with a letter. */
static bool
is_type_name(struct slice s)
{
	if (s.n < NAME_MIN || s.n > NAME_MAX || s.p[0] < 'a' || s.p[0] > 'z' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    (c == '-' && s.p[i - 1] != '-')))
			return false;
	}
	return true;
}

/* Report type and id beyond what object_fill needs: that the type is a name, that the UUID, whose shape is
 * good, has a version and a variant that RFC 4122 knows. */
static void
check_identity(struct check *c)
{
	struct slice id = c->object->id;
	const char *uuid = id.p + id.n - UUID_TEXT;
	bool upper = false;

	if (c->type == NULL && !is_type_name(c->object->type))
		check_report(c, "BAD_TYPE", ERR_VALUE, true, "type",
		    "is not lower case letters, digits and hyphens");
	if (id.n < UUID_TEXT)
		return;
	if (!uuid_is_valid(slice_from(uuid, UUID_TEXT)))
		check_report(c, "BAD_ID", ERR_VALUE, true, "id",
		    "is no UUID of version 1 to 5 and variant 10");
	for (size_t i = 0; i < UUID_TEXT; i++)
		upper |= uuid[i] >= 'A' && uuid[i] <= 'F';
	if (upper)
		check_report(c, "UPPER_CASE_ID", ERR_VALUE, false, "id",
		    "should be written in lower case");
}

/* Report null, and what is empty, in a value and below; false if the value itself is so. Texts come here if
 * they are no C strings. */
bool
check_emptiness(struct check *c, const json *node)
{
	const json *m = json_first(node);
	size_t i = 0;

	for (; m != NULL; m = json_next(m), i++) {
		if (json_str(m) != NULL)
			continue;	/* most values are texts */
		check_enter(c, json_name(m), i);
		check_emptiness(c, m);
		check_leave(c);
	}
	if (i > 0)
		return true;
	if (json_is_null(node))
		check_report(c, "NULL_VALUE", ERR_VALUE, true, NULL, "is null, which is no value in STIX");
	else if (json_is_list(node))
		check_report(c, "EMPTY_LIST", ERR_VALUE, true, NULL, "is an empty list");
	else if (json_is_object(node))
		check_report(c, "EMPTY_OBJECT", ERR_VALUE, true, NULL, "is an empty object");
	else if (json_is_string(node) && json_str(node) == NULL)
		check_report(c, "NUL_IN_TEXT", ERR_VALUE, false, NULL,
		    "holds a NUL, which many programs will not pass on");
	else
		return true;
	return json_is_string(node);
}

/* Report a property that no table knows. */
static void
check_unknown(struct check *c, const json *m, bool extended)
{
	check_enter(c, json_name(m), 0);
	if (json_str(m) == NULL)
		check_emptiness(c, m);
	check_leave(c);
	if (!check_is_property_name(json_name(m)))
		check_report(c, "BAD_NAME", ERR_VALUE, true, json_name(m),
		    "is no property name: they are 3 to 250 of [a-z0-9_]");
	else if (c->type != NULL && !extended)
		check_report(c, "CUSTOM_PROPERTY", ERR_VALUE, false, json_name(m),
		    "is not in the standard and no extension declares it");
}

/* Find the row of each member; returns how many no table knows. */
static size_t
collect(struct check *c)
{
	size_t unknown = 0;

	memset(c->have, 0, sizeof(c->have));
	for (const json *m = json_first(c->tree); m != NULL; m = json_next(m)) {
		unsigned row = names_find_member(&c->shape->rows, json_name(m), json_name_tag(m));

		if (row == NAMES_NONE)
			unknown++;
		else
			c->have[row] = m;
	}
	return unknown;
}

/* Report what no table knows. */
static void
check_strangers(struct check *c, bool extended)
{
	for (const json *m = json_first(c->tree); m != NULL; m = json_next(m))
		if (names_find_member(&c->shape->rows, json_name(m), json_name_tag(m)) == NAMES_NONE)
			check_unknown(c, m, extended);
}

/* Check what the object has by its rows, and that it has what it must. */
static void
check_rows(struct check *c, const struct stix21_prop *table, const json *const *have)
{
	for (size_t i = 0; table[i].name != NULL; i++) {
		if (have[i] != NULL)
			check_property(c, have[i], &table[i]);
		else if ((table[i].flags & PROP_REQUIRED) != 0)
			check_report(c, "MISSING_PROPERTY", ERR_MISSING, true, table[i].name, "is missing");
	}
}

/* Report a specification version that is missing or is not ours. */
static void
check_spec_version(struct check *c, const json *extensions)
{
	const json *v = check_get(c, "spec_version");

	if (v == NULL && c->object->class != OBJECT_SCO &&
	    !slice_is(check_extended_by(extensions, "new-"), "new-sco"))
		check_report(c, "MISSING_SPEC_VERSION", ERR_MISSING, false, "spec_version", "is missing");
	else if (v != NULL && !slice_is(json_slice(v), "2.1"))
		check_report(c, "BAD_SPEC_VERSION", ERR_VALUE, true, "spec_version", "is not 2.1");
}

/* Remark on an observable whose UUIDv5 is not the one its content gives: a version 5 promises that.
 * Only a remark, because most producers get some of them wrong. */
static void
check_sco_id(struct check *c)
{
	struct slice id = c->object->id, right;

	if (id.n < UUID_TEXT || id.p[id.n - UUID_TEXT + VERSION_DIGIT] != '5')
		return;
	right = sco_id(c->mem, c->tree);
	if (right.n > 0 && !slice_is_nocase(id, right.p))
		check_report(c, "SCO_ID", ERR_VALUE, false, "id",
		    "is not the UUIDv5 that the content gives");
}

/* Begin a check of one object; member by member, for the path, which is long, needs no zeros. */
static void
begin(struct check *c, const struct object *o, struct arena *mem, const struct stix21_check *how)
{
	c->object = o;
	c->tree = o->tree;
	c->mem = mem;
	c->report = how->report;
	c->ctx = how->report_ctx;
	c->find = how->find;
	c->find_ctx = how->find_ctx;
	c->nsteps = 0;
	c->budget = CHECK_BUDGET;
	if ((c->shape = stix21_shape_find(o->type)) == NULL)
		c->shape = stix21_custom_shape(check_extended_by(json_get(o->tree, "extensions"), "new-"));
	c->type = c->shape->type;
}

/* Report every issue of one object. */
void
stix21_check(const struct object *o, struct arena *mem, const struct stix21_check *how)
{
	const json *extensions;
	struct check c;
	size_t unknown;
	bool made;

	begin(&c, o, mem, how);
	check_identity(&c);
	unknown = collect(&c);
	extensions = check_get(&c, "extensions");
	made = check_extended_by(extensions, "new-").n > 0;
	check_spec_version(&c, extensions);
	check_rules(&c);
	check_rows(&c, c.shape->common, c.have);
	if (c.type != NULL)
		check_rows(&c, c.type->own, c.have + STIX21_PROPS_MAX);
	if (unknown > 0)
		check_strangers(&c, made || check_extended_by(extensions, "toplevel-").n > 0);
	check_granular(&c);
	if (c.type != NULL)
		check_special(&c);
	else if (!made)
		check_report(&c, "CUSTOM_TYPE", ERR_VALUE, false, "type",
		    "is not in the standard and no extension declares it");
	if (o->class == OBJECT_SCO)
		check_sco_id(&c);
}

static void
on_must(void *ctx, const struct stix21_issue *issue)
{
	struct err *e = ctx;

	if (issue->must && e->code == ERR_NONE)
		err_set(e, issue->err, "%s: %s", issue->path, issue->reason);
}

int
stix21_check_must(const struct object *o, struct arena *mem, struct err *e)
{
	*e = (struct err)ERR_INIT;
	stix21_check(o, mem, &(struct stix21_check){ .report = on_must, .report_ctx = e });
	return e->code == ERR_NONE ? 0 : -1;
}

/* Pay for a look through the members of `target`; false, and a report, if there were too many. */
static bool
pay(struct check *c, size_t n, size_t *budget)
{
	if (*budget > n) {
		*budget -= n;
		return true;
	}
	check_report(c, "BAD_TRANSLATION", ERR_LIMIT, false, NULL,
	    "is one of too many to be compared");
	return false;
}

/* Check a translated value against what it translates: the same kind, and as many elements. */
static void
check_translated(struct check *c, const json *v, const json *original)
{
	if (json_is_null(v))
		return;
	if (original == NULL)
		check_report(c, "BAD_TRANSLATION", ERR_REFERENCE, false, NULL,
		    "is not in the object that is translated");
	else if (json_is_string(v) != json_is_string(original) ||
	    json_is_list(v) != json_is_list(original) || json_is_object(v) != json_is_object(original))
		check_report(c, "BAD_TRANSLATION", ERR_VALUE, false, NULL,
		    "is of another kind than what it translates");
	else if (json_is_list(v) && json_count(v) != json_count(original))
		check_report(c, "BAD_TRANSLATION", ERR_VALUE, false, NULL,
		    "has not as many elements as what it translates");
}

/* Report what is wrong with a translation. */
void
stix21_check_translation(const struct object *o, const json *target, struct arena *mem,
    const struct stix21_check *how)
{
	size_t n = json_count(target), budget = how->budget == NULL ? SIZE_MAX : *how->budget;
	struct check c;

	begin(&c, o, mem, how);
	check_enter(&c, "contents", 0);
	for (const json *l = json_first(json_get(o->tree, "contents")); l != NULL; l = json_next(l)) {
		if (!json_is_object(l) || json_name(l) == NULL)
			continue;
		check_enter(&c, json_name(l), 0);
		for (const json *m = json_first(l); m != NULL && pay(&c, n, &budget); m = json_next(m)) {
			check_enter(&c, json_name(m), 0);
			check_translated(&c, m, json_get(target, json_name(m)));
			check_leave(&c);
		}
		check_leave(&c);
	}
	check_leave(&c);
	if (how->budget != NULL)
		*how->budget = budget;
}
