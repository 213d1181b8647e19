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

enum { RULES_A_TYPE = 4, NAME_MIN = 3, NAME_MAX = 250 };

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
	size_t had = c->path.n, i = 0;
	const json *m;

	if (json_is_null(node))
		check_report(c, "NULL_VALUE", ERR_VALUE, true, NULL, "is null, which is no value in STIX");
	else if (json_is_list(node) && json_first(node) == NULL)
		check_report(c, "EMPTY_LIST", ERR_VALUE, true, NULL, "is an empty list");
	else if (json_is_object(node) && json_first(node) == NULL)
		check_report(c, "EMPTY_OBJECT", ERR_VALUE, true, NULL,
		    "is an empty object");
	for (m = json_first(node); m != NULL; m = json_next(m), i++) {
		check_enter(c, json_name(m), i);
		check_emptiness(c, m);
		check_leave(c, had);
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

/* True if the path of a selector exists: names and [n] joined by dots. */
static bool
selector_exists(struct check *c, struct slice selector)
{
	const json *at = c->tree;
	unsigned long long i;

	if (selector.n == 0)
		return false;
	while (selector.n > 0 && at != NULL) {
		struct slice step = slice_cut(&selector, '.');

		if (step.n > 2 && step.p[0] == '[' && step.p[step.n - 1] == ']')
			at = slice_u64(slice_from(step.p + 1, step.n - 2), &i) && json_is_list(at) ?
			    json_at(at, i) : NULL;
		else
			at = json_get(at, arena_str(c->mem, step));
	}
	return at != NULL;
}

/* Check each granular marking: one of marking_ref and lang, selectors that exist. */
static void
check_granular(struct check *c)
{
	const json *list = json_get(c->tree, "granular_markings");
	size_t i = 0, had = c->path.n;

	for (const json *g = json_first(list); g != NULL; g = json_next(g), i++) {
		check_enter(c, "granular_markings", 0);
		check_enter(c, NULL, i);
		if ((json_get(g, "marking_ref") != NULL) == (json_get(g, "lang") != NULL))
			check_report(c, "BAD_MARKING", ERR_VALUE, true, NULL,
			    "needs exactly one of marking_ref and lang");
		for (const json *s = json_first(json_get(g, "selectors")); s != NULL;
		    s = json_next(s))
			if (!selector_exists(c, json_slice(s)))
				check_report(c, "BAD_SELECTOR", ERR_REFERENCE, true, "selectors",
				    "select what is not in the object");
		check_leave(c, had);
	}
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
	struct pat_node *p;
	struct err e = ERR_INIT;

	if (json_get(c->tree, "pattern") == NULL)
		return;
	if (slice_trim(text).n == 0) {
		check_report(c, "BAD_PATTERN", ERR_SYNTAX, true, "pattern", "is empty");
		return;
	}
	if (!slice_is(type, "stix") && type.n != 0)
		return;
	p = pattern_parse(text, c->mem, &e);
	if (p == NULL)
		check_report(c, "BAD_PATTERN", e.code, true, "pattern", e.reason);
	else if ((pattern_flaws(p) & PATTERN_TWICE) != 0)
		check_report(c, "BAD_PATTERN", ERR_VALUE, true, "pattern",
		    "has one kind of qualifier twice on one observation");
	else if ((pattern_flaws(p) & PATTERN_HASH) != 0)
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

/* Report properties that no table knows. */
static void
check_names(struct check *c)
{
	bool extended = has_extension_of(c, "toplevel-") || has_extension_of(c, "new-");

	for (const json *m = json_first(c->tree); m != NULL; m = json_next(m)) {
		const char *name = json_name(m);

		if (stix21_prop_find(c->common, name) != NULL ||
		    (c->type != NULL && stix21_prop_find(c->type->own, name) != NULL))
			continue;
		if (!is_property_name(name))
			check_report(c, "BAD_NAME", ERR_VALUE, true, name,
			    "is no property name: they are 3 to 250 of [a-z0-9_]");
		else if (c->type != NULL && !extended)
			check_report(c, "CUSTOM_PROPERTY", ERR_VALUE, false, name,
			    "is not in the standard and no extension declares it");
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
stix21_check(const json *tree, struct arena *mem, stix21_issue_fn *report, void *ctx)
{
	struct slice type = json_member(tree, "type");
	struct check c = {
		.tree = tree, .mem = mem, .report = report, .ctx = ctx,
		.type = stix21_type_find(type), .path = STRBUF_INIT,
	};

	c.common = c.type == NULL ? stix21_custom_common : c.type->common;
	check_identity(&c);
	check_spec_version(&c);
	check_emptiness(&c, tree);
	check_names(&c);
	check_properties(&c, tree, c.common);
	check_granular(&c);
	if (c.type == NULL) {
		if (!has_extension_of(&c, "new-"))
			check_report(&c, "CUSTOM_TYPE", ERR_VALUE, false, "type",
			    "is not in the standard and no extension declares it");
	} else {
		check_properties(&c, tree, c.type->own);
		check_rules(&c);
	}
	if (object_class_of(type) == OBJECT_SCO)
		check_sco_id(&c);
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (slice_is(type, special[i].type))
			special[i].check(&c);
	strbuf_fini(&c.path);
}
