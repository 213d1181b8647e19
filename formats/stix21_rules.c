/* stix21_rules.c -- the rules between properties of an object. See stix21_value.h. */
#include <stdio.h>

#include "formats/stix21_value.h"
#include "formats/vocab.h"
#include "gateway/base/clock.h"

/* Compare two timestamps that are there and readable: <0, 0, >0 in *order. */
static bool
compare_times(struct check *c, struct slice a, struct slice b, int *order)
{
	struct slice x, y;

	if (!stamp_key(c->mem, a, &x) || !stamp_key(c->mem, b, &y))
		return false;
	*order = slice_cmp(x, y);
	return true;
}

/* True if any property is there that is not common to the class. Extensions count: a process may be
 * described by one alone. */
static bool
has_own_property(const struct check *c)
{
	size_t n = 0;

	for (const struct stix21_prop *p = c->shape->common; p->name != NULL; p++)
		n += c->have[p - c->shape->common] != NULL && p->kind != KIND_EXTENSIONS;
	return json_count(c->tree) > n;
}

/* True if any of the blank-separated names is there. */
static bool
has_any(const struct check *c, const char *names)
{
	const struct stix21_prop *own = c->type->own;
	const json *const *have = c->have + STIX21_PROPS_MAX;

	for (const struct stix21_prop *p = own; p->name != NULL; p++)
		if (have[p - own] != NULL && vocab_has_word(names, slice_of(p->name)))
			return true;
	return vocab_has_word(names, SLICE_LIT("extensions")) && check_get(c, "extensions") != NULL;
}

/* Report that `path` breaks a rule about another property. */
static void
broken(struct check *c, const char *code, const char *path, const char *what, const char *other)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %s", what, other);
	check_report(c, code, ERR_VALUE, true, path, text);
}

/* Check a rule about the order of two times that are there. */
static void
check_order(struct check *c, const struct stix21_rule *rule, const json *x, const json *y)
{
	struct slice a = json_slice(x), b = json_slice(y);
	int order = a.n == b.n ? slice_cmp(a, b) : 1;

	/* as long as each other they compare as they stand; what looks wrong then is looked at again */
	if (order < 0 || (rule->kind == RULE_ORDER && order == 0) || !compare_times(c, a, b, &order))
		return;
	if (rule->kind == RULE_ORDER && order > 0)
		broken(c, "BAD_ORDER", rule->b, "must not be before", rule->a);
	if (rule->kind == RULE_AFTER && order >= 0)
		broken(c, "BAD_ORDER", rule->b, "must be later than", rule->a);
}

/* Check a rule about two properties. */
static void
check_pair(struct check *c, const struct stix21_rule *rule)
{
	const json *x = check_get(c, rule->a), *y;
	bool both;

	if (x == NULL && rule->kind != RULE_ONLY_IF_TRUE)
		return;		/* all others are about what is there */
	y = check_get(c, rule->b);
	both = x != NULL && y != NULL;
	if ((rule->kind == RULE_ORDER || rule->kind == RULE_AFTER) && both)
		check_order(c, rule, x, y);
	if (rule->kind == RULE_NEEDS && x != NULL && y == NULL)
		broken(c, "BAD_COMBINATION", rule->a, "is there without", rule->b);
	if (rule->kind == RULE_NOT_BOTH && both)
		broken(c, "BAD_COMBINATION", rule->b, "must not be there together with", rule->a);
	if (rule->kind == RULE_IF_TRUE_NEEDS && json_bool(x) && y == NULL)
		broken(c, "MISSING_PROPERTY", rule->b, "is missing, and needed by a true", rule->a);
	if (rule->kind == RULE_NOT_IF_TRUE && json_bool(x) && y != NULL)
		broken(c, "BAD_COMBINATION", rule->b, "must not be there with a true", rule->a);
	if (rule->kind == RULE_ONLY_IF_TRUE && !json_bool(x) && y != NULL)
		broken(c, "BAD_COMBINATION", rule->b, "must not be there without a true", rule->a);
}

/* Check the rules between properties of the type. */
void
check_rules(struct check *c)
{
	static const struct stix21_rule versions = { RULE_ORDER, "created", "modified" };
	const struct stix21_rule *rule = c->type == NULL ? NULL : c->type->rules;

	check_pair(c, &versions);
	for (; rule != NULL && rule->kind != RULE_END; rule++) {
		if (rule->kind == RULE_ANY_OWN) {
			if (!has_own_property(c))
				check_report(c, "BAD_COMBINATION", ERR_MISSING, true, NULL,
				    "says nothing: at least one property is needed");
		} else if (rule->kind == RULE_ONE_OF) {
			if (!has_any(c, rule->a))
				broken(c, "MISSING_PROPERTY", NULL, "one of these is needed:", rule->a);
		} else {
			check_pair(c, rule);
		}
	}
}
