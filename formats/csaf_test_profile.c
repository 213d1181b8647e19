/* csaf_test_profile.c -- tests 26 and 27: categories, and what their profiles ask for. */
#include "formats/csaf_test.h"
#include "gateway/base/arena.h"

/* A category as test 26 compares it: no case, no dash, blank or underscore, no "csaf" in front. */
static struct slice
bare_name(struct arena *mem, struct slice s)
{
	char *low = arena_alloc(mem, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '-' || c == '_' || c == ' ')
			continue;
		low[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return slice_from(low, n);
}

/* Test 26. */
static void
test_category(struct csaf_testing *t, struct slice category)
{
	static const char *const names[] = {
		"informationaladvisory", "securityincidentresponse", "securityadvisory", "vex",
	};
	struct slice bare = bare_name(t->mem, category);
	bool reserved = slice_starts(category, "csaf_") && !slice_is(category, "csaf_base");

	if (slice_starts(bare, "csaf") && !slice_is(bare, "csafbase"))
		bare = slice_from(bare.p + 4, bare.n - 4);
	for (size_t i = 0; i < COUNTOF(names); i++)
		reserved = reserved || slice_is(bare, names[i]);
	if (reserved)
		csaf_fail(t, T_RESERVED_CATEGORY, "category");
}

/* True if a list has an element with one of the blank-separated categories, or without any if it
 * has a category by default. */
static bool
has_category(const json *list, const char *words, bool by_default)
{
	for (const json *v = json_first(list); v != NULL; v = json_next(v))
		if (csaf_has_word(words, json_member(v, "category")) ||
		    (by_default && json_get(v, "category") == NULL))
			return true;
	return false;
}

/* Tests 27.1 and 27.2. */
static void
test_told(struct csaf_testing *t)
{
	size_t at = csaf_enter(t, "document");

	if (!has_category(json_get(t->document, "notes"), "description details general summary", false))
		csaf_fail(t, T_MISSING_NOTES, "notes");
	if (!has_category(json_get(t->document, "references"), "external", true))
		csaf_fail(t, T_MISSING_REFERENCE, "references");
	csaf_leave(t, at);
}

/* Test 27.7. */
static bool
has_vex_status(const json *status)
{
	for (int s = 0; s < CSAF_STATUSES; s++)
		if (csaf_statuses[s].vex && json_get(status, csaf_statuses[s].word) != NULL)
			return true;
	return false;
}

/* Tests 27.5 to 27.10 of one vulnerability. */
static void
test_vulnerability(struct csaf_testing *t, const json *v, bool vex)
{
	const json *status = json_get(v, "product_status");

	if (json_get(v, "notes") == NULL)
		csaf_fail(t, T_MISSING_VULNERABILITY_NOTES, "notes");
	if (status == NULL && !vex)
		csaf_fail(t, T_MISSING_PRODUCT_STATUS, "product_status");
	if (!vex)
		return;
	if (!has_vex_status(status))
		csaf_fail(t, T_MISSING_VEX_STATUS, "product_status");
	if (json_get(v, "cve") == NULL && json_get(v, "ids") == NULL)
		csaf_fail(t, T_MISSING_VULNERABILITY_ID, NULL);
	csaf_test_impact(t, v);
	csaf_test_action(t, v);
}

void
csaf_test_profile(struct csaf_testing *t)
{
	struct slice category = json_member(t->document, "category");
	enum csaf_profile p = csaf_profile_of(category);
	size_t at = csaf_enter(t, "document"), i = 0;

	if (p == CSAF_BASE)
		test_category(t, category);
	csaf_leave(t, at);
	if (p == CSAF_INCIDENT || p == CSAF_INFORMATIONAL)
		test_told(t);
	if (p == CSAF_INFORMATIONAL && t->vulnerabilities != NULL)
		csaf_fail(t, T_UNEXPECTED_VULNERABILITIES, "vulnerabilities");
	if (p != CSAF_SECURITY && p != CSAF_VEX)
		return;
	if (json_get(t->root, "product_tree") == NULL)
		csaf_fail(t, T_MISSING_PRODUCT_TREE, "product_tree");
	for (const json *v = json_first(t->vulnerabilities); v != NULL; v = json_next(v)) {
		at = csaf_enter_at(t, "vulnerabilities", i++);
		test_vulnerability(t, v, p == CSAF_VEX);
		csaf_leave(t, at);
	}
	if (t->vulnerabilities == NULL)
		csaf_fail(t, T_MISSING_VULNERABILITIES, "vulnerabilities");
}
