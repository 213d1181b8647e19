/* stix21_check.c -- see stix21_check.h. The kinds of values are in stix21_value.c. */
#include "formats/stix21_check.h"

#include <stdio.h>

#include "formats/labels.h"
#include "formats/pattern.h"
#include "formats/sco.h"
#include "formats/stix21_types.h"
#include "formats/stix21_value.h"
#include "formats/vocab.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"

enum { RULES_A_TYPE = 4, NAME_MIN = 3, NAME_MAX = 250, SELECTOR_BUDGET = 1000000 };

/* True for [a-z0-9_] names of legal length. */
static bool
is_property_name(const char *name)
{
	size_t n = strlen(name);

	if (n < NAME_MIN || n > NAME_MAX)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

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
	struct slice type = json_member(c->tree, "type"), id = json_member(c->tree, "id"), uuid;

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

/* True if a list or object, or something in it, is no value STIX knows; reports where. */
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
	} else if (json_is_null(node)) {
		check_report(c, "NULL_VALUE", ERR_VALUE, true, NULL, "is null, which is no value in STIX");
	} else if (json_is_list(node)) {
		check_report(c, "EMPTY_LIST", ERR_VALUE, true, NULL, "is an empty list");
	} else if (json_is_object(node)) {
		check_report(c, "EMPTY_OBJECT", ERR_VALUE, true, NULL, "is an empty object");
	}
}

/* Return the next word of a rule's names as a C string in the arena. */
static const char *
next_name(struct check *c, struct slice *rest)
{
	return arena_str(c->mem, slice_cut(rest, ' '));
}

/* Compare two timestamps that are there and readable: <0, 0, >0 in *order. */
static bool
compare_times(struct check *c, const json *a, const json *b, int *order)
{
	struct slice x, y;

	if (!stamp_key(c->mem, json_slice(a), &x) || !stamp_key(c->mem, json_slice(b), &y))
		return false;
	*order = slice_cmp(x, y);
	return true;
}

/* True if any property is there that is not common to the class. Extensions count: a process may be
 * described by one alone. */
static bool
has_own_property(const struct check *c)
{
	for (const json *m = json_first(c->tree); m != NULL; m = json_next(m))
		if (strcmp(json_name(m), "extensions") == 0 ||
		    stix21_prop_find(c->type->common, json_name(m)) == NULL)
			return true;
	return false;
}

/* True if any of the blank-separated names is there. */
static bool
has_any(struct check *c, const char *names)
{
	struct slice rest = slice_of(names);

	while (rest.n > 0)
		if (json_get(c->tree, next_name(c, &rest)) != NULL)
			return true;
	return false;
}

/* Report that `path` breaks a rule about another property. */
static void
broken(struct check *c, const char *code, const char *path, const char *what, const char *other)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %s", what, other);
	check_report(c, code, ERR_VALUE, true, path, text);
}

/* Check a rule about two properties. */
static void
check_pair(struct check *c, const struct stix21_rule *rule)
{
	struct slice rest = slice_of(rule->names);
	const char *a = next_name(c, &rest), *b = next_name(c, &rest);
	const json *x = json_get(c->tree, a), *y = json_get(c->tree, b);
	bool both = x != NULL && y != NULL;
	int order = 0;

	if (rule->kind == RULE_ORDER && both && slice_eq(json_slice(x), json_slice(y)))
		return;
	if (rule->kind == RULE_ORDER && both && compare_times(c, x, y, &order) && order > 0)
		broken(c, "BAD_ORDER", b, "must not be before", a);
	if (rule->kind == RULE_AFTER && both && compare_times(c, x, y, &order) && order >= 0)
		broken(c, "BAD_ORDER", b, "must be later than", a);
	if (rule->kind == RULE_NEEDS && x != NULL && y == NULL)
		broken(c, "BAD_COMBINATION", a, "is there without", b);
	if (rule->kind == RULE_NOT_BOTH && both)
		broken(c, "BAD_COMBINATION", b, "must not be there together with", a);
	if (rule->kind == RULE_IF_TRUE_NEEDS && json_bool(x) && y == NULL)
		broken(c, "MISSING_PROPERTY", b, "is missing, and needed by a true", a);
	if (rule->kind == RULE_NOT_IF_TRUE && json_bool(x) && y != NULL)
		broken(c, "BAD_COMBINATION", b, "must not be there with a true", a);
	if (rule->kind == RULE_ONLY_IF_TRUE && !json_bool(x) && y != NULL)
		broken(c, "BAD_COMBINATION", b, "must not be there without a true", a);
}

/* Check the rules between properties of the type. */
static void
check_rules(struct check *c)
{
	static const struct stix21_rule versions = { RULE_ORDER, "created modified" };

	check_pair(c, &versions);
	for (size_t i = 0; i < RULES_A_TYPE && c->type->rules[i].names != NULL; i++) {
		const struct stix21_rule *rule = &c->type->rules[i];

		if (rule->kind == RULE_ANY_OWN) {
			if (!has_own_property(c))
				check_report(c, "BAD_COMBINATION", ERR_MISSING, true, NULL,
				    "says nothing: at least one property is needed");
		} else if (rule->kind == RULE_ONE_OF) {
			if (!has_any(c, rule->names))
				broken(c, "MISSING_PROPERTY", NULL, "one of these is needed:",
				    rule->names);
		} else {
			check_pair(c, rule);
		}
	}
}

/* Return the child that one step of a selector names: [n], or a member. Every child passed is paid
 * from *budget, because a long list of selectors into a long list would take for ever. */
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
selector_exists(const struct check *c, struct slice selector, size_t *budget)
{
	const json *at = selector.n == 0 ? NULL : c->tree;

	while (selector.n > 0 && at != NULL)
		at = select_child(at, slice_cut(&selector, '.'), budget);
	return at != NULL;
}

/* Report each selector of a granular marking that selects nothing. */
static void
check_selectors(struct check *c, const json *list, size_t *budget)
{
	size_t i = 0;

	check_enter(c, "selectors", 0);
	for (const json *s = json_first(list); s != NULL && *budget > 0; s = json_next(s), i++) {
		if (selector_exists(c, json_slice(s), budget))
			continue;
		check_enter(c, NULL, i);
		check_report(c, "BAD_SELECTOR", ERR_REFERENCE, true, NULL, *budget > 0 ?
		    "selects what is not in the object" : "is one of too many to be followed");
		check_leave(c);
	}
	check_leave(c);
}

/* Check each granular marking: one of marking_ref and lang, selectors that exist. */
static void
check_granular(struct check *c)
{
	size_t i = 0, budget = SELECTOR_BUDGET;
	const json *g;

	check_enter(c, "granular_markings", 0);
	for (g = json_first(json_get(c->tree, "granular_markings")); g != NULL; g = json_next(g), i++) {
		check_enter(c, NULL, i);
		if ((json_get(g, "marking_ref") != NULL) == (json_get(g, "lang") != NULL))
			check_report(c, "BAD_MARKING", ERR_VALUE, true, NULL,
			    "needs exactly one of marking_ref and lang");
		check_selectors(c, json_get(g, "selectors"), &budget);
		check_leave(c);
	}
	check_leave(c);
}

/* Check that nothing marks itself, and that the nine fixed definitions say what they must. */
static void
check_marking_definition(struct check *c)
{
	struct slice id = json_member(c->tree, "id");
	enum tlp fixed = tlp_of_marking_id(id), said = TLP_UNSET;
	enum label_case what = labels_of_definition(c->tree, &said);
	const json *r = json_first(json_get(c->tree, "object_marking_refs"));

	for (; r != NULL; r = json_next(r))
		if (slice_eq(json_slice(r), id))
			check_report(c, "BAD_MARKING", ERR_VALUE, true, "object_marking_refs",
			    "must not name the marking itself");
	if (fixed != TLP_UNSET && (what != LABEL_TLP || said != fixed))
		check_report(c, "FORGED_MARKING", ERR_VALUE, true, "id",
		    "is a fixed TLP id with another content");
	else if (fixed == TLP_UNSET && what == LABEL_TLP)
		check_report(c, "TLP_OWN_ID", ERR_VALUE, false, "id",
		    "is another id than the fixed one of this TLP level");
}

/* Check that a pattern in STIX patterning parses; other languages are taken as they are. */
static void
check_pattern(struct check *c)
{
	struct slice type = json_member(c->tree, "pattern_type");
	struct slice text = json_member(c->tree, "pattern");
	const struct pat_node *p = c->object->pattern;
	struct err e = ERR_INIT;
	unsigned flaws;

	if (json_get(c->tree, "pattern") == NULL)
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
}

/* Check that a relationship_type is [a-z0-9-]. */
static void
check_relationship(struct check *c)
{
	struct slice s = json_member(c->tree, "relationship_type");

	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		    s.p[i] == '-')) {
			check_report(c, "BAD_NAME", ERR_VALUE, true, "relationship_type",
			    "is not lower case letters, digits and hyphens");
			return;
		}
	}
}

/* True if an extension says that the object's properties are its own. */
static bool
has_extension_of(const struct check *c, const char *kind)
{
	const json *e = json_first(json_get(c->tree, "extensions"));

	for (; e != NULL; e = json_next(e))
		if (slice_starts(json_member(e, "extension_type"), kind))
			return true;
	return false;
}

/* Report a property that no table knows. */
static void
check_unknown(struct check *c, const char *name, bool extended)
{
	if (!is_property_name(name))
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
	bool extended = has_extension_of(c, "toplevel-") || has_extension_of(c, "new-");

	check_required(c, c->tree, c->common);
	if (c->type != NULL)
		check_required(c, c->tree, c->type->own);
	for (const json *m = json_first(c->tree); m != NULL; m = json_next(m)) {
		const struct stix21_prop *p = stix21_prop_find(c->common, json_name(m));

		if (p == NULL && c->type != NULL)
			p = stix21_prop_find(c->type->own, json_name(m));
		if (p != NULL)
			check_property(c, m, p);
		else
			check_unknown(c, json_name(m), extended);
	}
}

/* Report a specification version that is missing or is not ours. */
static void
check_spec_version(struct check *c)
{
	const json *v = json_get(c->tree, "spec_version");

	if (v == NULL && object_class_of(json_member(c->tree, "type")) != OBJECT_SCO)
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
	struct slice id = json_member(c->tree, "id"), right;

	if (id.n < UUID_TEXT || id.p[id.n - UUID_TEXT + 14] != '5')
		return;
	right = sco_id(c->mem, c->tree);
	if (right.n > 0 && !slice_is_nocase(id, arena_str(c->mem, right)))
		check_report(c, "SCO_ID", ERR_VALUE, false, "id",
		    "is not the UUIDv5 that the content gives");
}

/* The checks that only some types need. */
static const struct {
	const char	*type;
	void		(*check)(struct check *c);
} special[] = {
	{ "indicator", check_pattern },
	{ "marking-definition", check_marking_definition },
	{ "relationship", check_relationship },
};

/* Report every issue of one object. */
void
stix21_check(const struct object *o, struct arena *mem, stix21_issue_fn *report, void *ctx)
{
	const json *tree = o->tree;
	struct slice type = o->type;
	struct check c;

	c.object = o;		/* member by member: the path, which is long, needs no zeros */
	c.tree = tree;
	c.mem = mem;
	c.report = report;
	c.ctx = ctx;
	c.nsteps = 0;
	c.type = stix21_type_find(type);
	c.common = c.type == NULL ? stix21_custom_common : c.type->common;
	check_identity(&c);
	check_spec_version(&c);
	check_emptiness(&c, tree);
	check_properties(&c);
	check_granular(&c);
	if (c.type != NULL)
		check_rules(&c);
	else if (!has_extension_of(&c, "new-"))
		check_report(&c, "CUSTOM_TYPE", ERR_VALUE, false, "type",
		    "is not in the standard and no extension declares it");
	if (object_class_of(type) == OBJECT_SCO)
		check_sco_id(&c);
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (slice_is(type, special[i].type))
			special[i].check(&c);
}
