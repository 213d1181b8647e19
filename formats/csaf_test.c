/* csaf_test.c -- the mandatory tests: their table, and the index that they share (csaf_test.h). */
#include "formats/csaf_test.h"

#include <stdio.h>

#include "gateway/base/arena.h"

/* Groups may name many products and be named often; more steps than this make no judgement. */
enum { GROUP_STEPS_MAX = 10000000 };

static const struct {
	const char	*code;
	const char	*number;
	enum err_code	 err;
	const char	*reason;
} tests[CSAF_TESTS] = {
	[T_UNDEFINED_PRODUCT] = { "UNDEFINED_PRODUCT", "6.1.1", ERR_REFERENCE,
	    "the product tree defines no product of this id" },
	[T_DOUBLE_PRODUCT] = { "DOUBLE_PRODUCT", "6.1.2", ERR_DUPLICATE,
	    "the product tree defines this product id before" },
	[T_CIRCULAR_PRODUCT] = { "CIRCULAR_PRODUCT", "6.1.3", ERR_REFERENCE,
	    "this product is defined through itself" },
	[T_UNDEFINED_GROUP] = { "UNDEFINED_GROUP", "6.1.4", ERR_REFERENCE,
	    "the product tree defines no group of this id" },
	[T_DOUBLE_GROUP] = { "DOUBLE_GROUP", "6.1.5", ERR_DUPLICATE,
	    "the product tree defines this group id before" },
	[T_CONTRADICTING_STATUS] = { "CONTRADICTING_STATUS", "6.1.6", ERR_CONFLICT,
	    "another status of this vulnerability says the contrary of this product" },
	[T_DOUBLE_SCORE] = { "DOUBLE_SCORE", "6.1.7", ERR_DUPLICATE,
	    "this product has a score of this CVSS version before" },
	[T_WRONG_CWE] = { "WRONG_CWE", "6.1.11", ERR_VALUE,
	    "this is not the name of the weakness with this id" },
	[T_BAD_LANGUAGE] = { "BAD_LANGUAGE", "6.1.12", ERR_VALUE, "this is no language tag" },
	[T_BAD_PURL] = { "BAD_PURL", "6.1.13", ERR_VALUE, "this is no package URL" },
	[T_UNSORTED_REVISIONS] = { "UNSORTED_REVISIONS", "6.1.14", ERR_CONFLICT,
	    "this revision is newer than one with a higher number" },
	[T_MISSING_SOURCE_LANG] = { "MISSING_SOURCE_LANG", "6.1.15", ERR_MISSING,
	    "a translator says which language it was" },
	[T_NOT_LATEST_VERSION] = { "NOT_LATEST_VERSION", "6.1.16", ERR_CONFLICT,
	    "this is not the number of the newest revision" },
	[T_DRAFT_EXPECTED] = { "DRAFT_EXPECTED", "6.1.17", ERR_CONFLICT,
	    "a document of this version is a draft" },
	[T_RELEASED_REVISION_ZERO] = { "RELEASED_REVISION_ZERO", "6.1.18", ERR_CONFLICT,
	    "a document that is no draft has no revision 0" },
	[T_PRERELEASE_REVISION] = { "PRERELEASE_REVISION", "6.1.19", ERR_VALUE,
	    "no revision number has a pre-release part" },
	[T_PRERELEASE_VERSION] = { "PRERELEASE_VERSION", "6.1.20", ERR_CONFLICT,
	    "only the version of a draft has a pre-release part" },
	[T_REVISION_GAP] = { "REVISION_GAP", "6.1.21", ERR_CONFLICT,
	    "revision numbers start at 0 or 1 and leave none out" },
	[T_DOUBLE_REVISION] = { "DOUBLE_REVISION", "6.1.22", ERR_DUPLICATE,
	    "this revision number stands there before" },
	[T_DOUBLE_CVE] = { "DOUBLE_CVE", "6.1.23", ERR_DUPLICATE,
	    "another vulnerability has this CVE" },
	[T_DOUBLE_INVOLVEMENT] = { "DOUBLE_INVOLVEMENT", "6.1.24", ERR_DUPLICATE,
	    "this party is involved at this date before" },
	[T_DOUBLE_HASH] = { "DOUBLE_HASH", "6.1.25", ERR_DUPLICATE,
	    "this file has a hash of this algorithm before" },
	[T_RESERVED_CATEGORY] = { "RESERVED_CATEGORY", "6.1.26", ERR_VALUE,
	    "this category looks like the name of a profile, and is none" },
	[T_MISSING_NOTES] = { "MISSING_NOTES", "6.1.27.1", ERR_MISSING,
	    "this profile has a note of category description, details, general or summary" },
	[T_MISSING_REFERENCE] = { "MISSING_REFERENCE", "6.1.27.2", ERR_MISSING,
	    "this profile has a reference of category external" },
	[T_UNEXPECTED_VULNERABILITIES] = { "UNEXPECTED_VULNERABILITIES", "6.1.27.3", ERR_CONFLICT,
	    "this profile has no vulnerabilities" },
	[T_MISSING_PRODUCT_TREE] = { "MISSING_PRODUCT_TREE", "6.1.27.4", ERR_MISSING,
	    "this profile has a product tree" },
	[T_MISSING_VULNERABILITY_NOTES] = { "MISSING_VULNERABILITY_NOTES", "6.1.27.5", ERR_MISSING,
	    "in this profile every vulnerability has notes" },
	[T_MISSING_PRODUCT_STATUS] = { "MISSING_PRODUCT_STATUS", "6.1.27.6", ERR_MISSING,
	    "in this profile every vulnerability has a product status" },
	[T_MISSING_VEX_STATUS] = { "MISSING_VEX_STATUS", "6.1.27.7", ERR_MISSING,
	    "VEX says fixed, known_affected, known_not_affected or under_investigation" },
	[T_MISSING_VULNERABILITY_ID] = { "MISSING_VULNERABILITY_ID", "6.1.27.8", ERR_MISSING,
	    "in VEX every vulnerability has a cve or ids" },
	[T_MISSING_IMPACT_STATEMENT] = { "MISSING_IMPACT_STATEMENT", "6.1.27.9", ERR_MISSING,
	    "VEX says why this product is not affected: a flag or a threat of category impact" },
	[T_MISSING_ACTION_STATEMENT] = { "MISSING_ACTION_STATEMENT", "6.1.27.10", ERR_MISSING,
	    "VEX says what to do for this affected product: a remediation" },
	[T_MISSING_VULNERABILITIES] = { "MISSING_VULNERABILITIES", "6.1.27.11", ERR_MISSING,
	    "this profile has vulnerabilities" },
	[T_SAME_LANGUAGE] = { "SAME_LANGUAGE", "6.1.28", ERR_CONFLICT,
	    "a translation is in another language than its source" },
	[T_REMEDIATION_WITHOUT_PRODUCT] = { "REMEDIATION_WITHOUT_PRODUCT", "6.1.29", ERR_MISSING,
	    "a remediation names products or groups" },
	[T_MIXED_VERSIONING] = { "MIXED_VERSIONING", "6.1.30", ERR_CONFLICT,
	    "integer and semantic versions do not mix in one document" },
	[T_VERSION_RANGE] = { "VERSION_RANGE", "6.1.31", ERR_VALUE,
	    "a product_version is one version and no range" },
	[T_FLAG_WITHOUT_PRODUCT] = { "FLAG_WITHOUT_PRODUCT", "6.1.32", ERR_MISSING,
	    "a flag names products or groups" },
	[T_DOUBLE_JUSTIFICATION] = { "DOUBLE_JUSTIFICATION", "6.1.33", ERR_DUPLICATE,
	    "a product of this flag has another one before" },
};

void
csaf_fail(struct csaf_testing *t, enum csaf_test which, const char *member)
{
	struct csaf_issue issue = { .code = tests[which].code, .err = tests[which].err };

	t->issues++;
	snprintf(issue.path, sizeof(issue.path), "%s%s%s", t->path.p,
	    member != NULL && t->path.n > 0 ? "." : "", member == NULL ? "" : member);
	snprintf(issue.reason, sizeof(issue.reason), "test %s: %s", tests[which].number,
	    tests[which].reason);
	t->report(t->ctx, &issue);
}

size_t
csaf_enter(struct csaf_testing *t, const char *name)
{
	size_t at = t->path.n;

	strbuf_addf(&t->path, "%s%s", at > 0 ? "." : "", name);
	return at;
}

size_t
csaf_enter_at(struct csaf_testing *t, const char *name, size_t i)
{
	size_t at = csaf_enter(t, name);

	strbuf_addf(&t->path, "[%zu]", i);
	return at;
}

void
csaf_leave(struct csaf_testing *t, size_t at)
{
	strbuf_setlen(&t->path, at);
}

struct csaf_product *
csaf_product_find(const struct csaf_testing *t, struct slice id)
{
	long i = idmap_find(&t->by_id, id);

	return i == IDMAP_NONE ? NULL : &t->products[i];
}

bool
csaf_each_product(struct csaf_testing *t, const json *o,
    void (*fn)(struct csaf_testing *t, struct csaf_product *p, void *arg), void *arg)
{
	const json *v, *g;
	struct csaf_product *p;

	for (v = json_first(json_get(o, "product_ids")); v != NULL; v = json_next(v))
		if ((p = csaf_product_find(t, json_slice(v))) != NULL)
			fn(t, p, arg);
	for (g = json_first(json_get(o, "group_ids")); g != NULL; g = json_next(g)) {
		long i = idmap_find(&t->by_group, json_slice(g));

		for (v = i == IDMAP_NONE ? NULL : json_first(t->groups[i].products); v != NULL;
		    v = json_next(v)) {
			if (++t->steps > GROUP_STEPS_MAX)
				return false;
			if ((p = csaf_product_find(t, json_slice(v))) != NULL)
				fn(t, p, arg);
		}
	}
	return true;
}

/* See csaf_check.h. */
size_t
csaf_check_tests(const json *root, struct arena *mem, csaf_issue_fn *report, void *ctx)
{
	struct csaf_testing t = {
		.mem = mem, .report = report, .ctx = ctx, .root = root, .path = STRBUF_INIT,
		.document = json_get(root, "document"),
		.tracking = json_get(json_get(root, "document"), "tracking"),
		.vulnerabilities = json_get(root, "vulnerabilities"),
	};

	csaf_test_products(&t);
	csaf_test_vulnerabilities(&t);
	csaf_test_tracking(&t);
	csaf_test_profile(&t);
	strbuf_fini(&t.path);
	return t.issues;
}
