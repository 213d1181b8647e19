/*
 * csaf_test.h -- what the mandatory tests have in common (csaf_test*.c).
 *
 * Owns:    the index of products and groups of one document, and how a failed test is reported.
 * Called:  by csaf_test.c, csaf_test_tracking.c, csaf_test_products.c, csaf_test_profile.c only.
 * Never:   counts on a document being well-formed: the structure is judged elsewhere.
 */
#ifndef FORMATS_CSAF_TEST_H
#define FORMATS_CSAF_TEST_H

#include "formats/csaf_check.h"
#include "formats/csaf_words.h"
#include "formats/idmap.h"
#include "gateway/base/strbuf.h"

/* The tests of section 6.1, by the names that their failing gives. */
enum csaf_test {
	T_UNDEFINED_PRODUCT, T_DOUBLE_PRODUCT, T_CIRCULAR_PRODUCT, T_UNDEFINED_GROUP, T_DOUBLE_GROUP,
	T_CONTRADICTING_STATUS, T_DOUBLE_SCORE, T_WRONG_CWE, T_BAD_LANGUAGE, T_BAD_PURL,
	T_UNSORTED_REVISIONS,
	T_MISSING_SOURCE_LANG, T_NOT_LATEST_VERSION, T_DRAFT_EXPECTED, T_RELEASED_REVISION_ZERO,
	T_PRERELEASE_REVISION, T_PRERELEASE_VERSION, T_REVISION_GAP, T_DOUBLE_REVISION, T_DOUBLE_CVE,
	T_DOUBLE_INVOLVEMENT, T_DOUBLE_HASH, T_RESERVED_CATEGORY, T_MISSING_NOTES, T_MISSING_REFERENCE,
	T_UNEXPECTED_VULNERABILITIES, T_MISSING_PRODUCT_TREE, T_MISSING_VULNERABILITY_NOTES,
	T_MISSING_PRODUCT_STATUS, T_MISSING_VEX_STATUS, T_MISSING_VULNERABILITY_ID,
	T_MISSING_IMPACT_STATEMENT, T_MISSING_ACTION_STATEMENT, T_MISSING_VULNERABILITIES,
	T_SAME_LANGUAGE, T_REMEDIATION_WITHOUT_PRODUCT, T_MIXED_VERSIONING, T_VERSION_RANGE,
	T_FLAG_WITHOUT_PRODUCT, T_DOUBLE_JUSTIFICATION, CSAF_TESTS
};

/* A product of the tree. `seen` and `mask` are scratch of the vulnerability that is looked at. */
struct csaf_product {
	struct slice	id;
	const json	*relationship;	/* that defines it, or NULL */
	size_t		seen;
	unsigned	mask;
};

struct csaf_group {
	struct slice	id;
	const json	*products;	/* its list of ids */
};

struct csaf_testing {
	struct arena		*mem;
	csaf_issue_fn		*report;
	void			*ctx;
	const json		*root, *document, *tracking, *vulnerabilities;
	struct strbuf		 path;
	size_t			 issues;
	struct csaf_product	*products;
	size_t			 nproducts, products_cap;
	struct idmap		 by_id;		/* product_id -> products */
	struct csaf_group	*groups;
	size_t			 ngroups, groups_cap;
	struct idmap		 by_group;
	size_t			 steps;		/* through groups; see csaf_each_product */
	size_t			 round;		/* for `seen` */
	bool			 again;		/* products are gone through a second time */
};

/* Report a failed test at the path, or at `member` of it. */
void	csaf_fail(struct csaf_testing *t, enum csaf_test which, const char *member);
/* Step into "name" or "name[i]"; give back what csaf_leave takes. */
size_t	csaf_enter(struct csaf_testing *t, const char *name);
size_t	csaf_enter_at(struct csaf_testing *t, const char *name, size_t i);
void	csaf_leave(struct csaf_testing *t, size_t at);

/* The product of that id, NULL if the tree has none. */
struct csaf_product *csaf_product_find(const struct csaf_testing *t, struct slice id);
/* Call fn for every product that `o` names by product_ids and group_ids, as long as that is a
 * reasonable amount of work; false when it is not (then nothing is known). */
bool	csaf_each_product(struct csaf_testing *t, const json *o,
	    void (*fn)(struct csaf_testing *t, struct csaf_product *p, void *arg), void *arg);

/* The groups of tests. */
void	csaf_test_products(struct csaf_testing *t);		/* 1 - 5, 13, 25, 31 */
void	csaf_test_vulnerabilities(struct csaf_testing *t);	/* 6 - 10, 23, 24, 29, 32, 33 */
/* 27.9 and 27.10 of one vulnerability. */
void	csaf_test_impact(struct csaf_testing *t, const json *v);
void	csaf_test_action(struct csaf_testing *t, const json *v);
void	csaf_test_tracking(struct csaf_testing *t);		/* 12, 14 - 22, 28, 30 */
void	csaf_test_profile(struct csaf_testing *t);		/* 26, 27 */

#endif
