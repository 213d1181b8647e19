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

/* Report type and id beyond what object_fill needs. */
static void
check_identity(struct check *c)
{
	struct slice type = c->object->type, id = c->object->id, uuid;

	if (!is_type_name(type))
		check_report(c, "BAD_TYPE", ERR_VALUE, true, "type",
		    "is not lower case letters, digits and hyphens");
	if (id.n < type.n + 2)
		return;
	uuid = slice_from(id.p + type.n + 2, id.n - type.n - 2);
	if (!uuid_is_valid(uuid))
		check_report(c, "BAD_ID", ERR_VALUE, true, "id",
		    "is no UUID of version 1 to 5 and variant 10");
	for (size_t i = 0; i < uuid.n; i++) {
		if (uuid.p[i] >= 'A' && uuid.p[i] <= 'F') {
			check_report(c, "UPPER_CASE_ID", ERR_VALUE, false, "id",
			    "should be written in lower case");
			break;
		}
	}
}

/* Report each value in an object that STIX does not know: null, nothing in a list or an object. */
static void
check_emptiness(struct check *c, const json *node)
{
	const json *m = json_first(node);
	size_t i = 0;

	if (m != NULL) {
		for (; m != NULL; m = json_next(m), i++) {
			if (json_str(m) != NULL)
				continue;	/* most values are texts */
			check_enter(c, json_name(m), i);
			check_emptiness(c, m);
			check_leave(c);
		}
	} else if (json_is_string(node)) {	/* and no C string: it was looked at for that */
		check_report(c, "NUL_IN_TEXT", ERR_VALUE, false, NULL,
		    "holds a NUL, which many programs will not pass on");
	} else if (json_is_null(node)) {
		check_report(c, "NULL_VALUE", ERR_VALUE, true, NULL, "is null, which is no value in STIX");
	} else if (json_is_list(node)) {
		check_report(c, "EMPTY_LIST", ERR_VALUE, true, NULL, "is an empty list");
	} else if (json_is_object(node)) {
		check_report(c, "EMPTY_OBJECT", ERR_VALUE, true, NULL, "is an empty object");
	}
}

/* Report a property that no table knows. */
static void
check_unknown(struct check *c, const char *name, bool extended)
{
	if (!check_is_property_name(name))
		check_report(c, "BAD_NAME", ERR_VALUE, true, name,
		    "is no property name: they are 3 to 250 of [a-z0-9_]");
	else if (c->type != NULL && !extended)
		check_report(c, "CUSTOM_PROPERTY", ERR_VALUE, false, name,
		    "is not in the standard and no extension declares it");
}

/* Check every property of the object by its row. */
static void
check_properties(struct check *c)
{
	bool extended = check_extended_by(c, "toplevel-").n > 0 || check_extended_by(c, "new-").n > 0;
	const struct stix21_prop *own = c->type == NULL ? NULL : c->type->own;
	uint64_t seen_common = 0, seen_own = 0;

	for (const json *m = json_first(c->tree); m != NULL; m = json_next(m)) {
		const struct stix21_prop *p = stix21_prop_find(c->common, json_name(m));

		if (p != NULL)
			seen_common |= (uint64_t)1 << (p - c->common);
		else if (own != NULL && (p = stix21_prop_find(own, json_name(m))) != NULL)
			seen_own |= (uint64_t)1 << (p - own);
		if (p != NULL)
			check_property(c, m, p);
		else
			check_unknown(c, json_name(m), extended);
	}
	check_required(c, c->common, seen_common);
	if (own != NULL)
		check_required(c, own, seen_own);
}

/* Report a specification version that is missing or is not ours. */
static void
check_spec_version(struct check *c)
{
	const json *v = json_get(c->tree, "spec_version");

	if (v == NULL && c->object->class != OBJECT_SCO &&
	    !slice_is(check_extended_by(c, "new-"), "new-sco"))
		check_report(c, "MISSING_SPEC_VERSION", ERR_MISSING, false, "spec_version",
		    "is missing");
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
	if (right.n > 0 && !slice_is_nocase(id, arena_str(c->mem, right)))
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
	c->type = stix21_type_find(o->type);
	c->common = c->type != NULL ? c->type->common :
	    stix21_custom_common(check_extended_by(c, "new-"));
}

/* Report every issue of one object. */
void
stix21_check(const struct object *o, struct arena *mem, const struct stix21_check *how)
{
	struct check c;

	begin(&c, o, mem, how);
	check_identity(&c);
	check_spec_version(&c);
	check_emptiness(&c, c.tree);
	check_rules(&c);
	check_properties(&c);
	check_granular(&c);
	if (c.type != NULL)
		check_special(&c);
	else if (check_extended_by(&c, "new-").n == 0)
		check_report(&c, "CUSTOM_TYPE", ERR_VALUE, false, "type",
		    "is not in the standard and no extension declares it");
	if (o->class == OBJECT_SCO)
		check_sco_id(&c);
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
