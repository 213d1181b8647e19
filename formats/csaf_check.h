/*
 * csaf_check.h -- does a document follow CSAF 2.0?
 *
 * Owns:    the structure of the standard as tables (csaf_check.c), the mandatory tests of its section
 *          6.1 (csaf_test*.c) and CVSS (csaf_cvss.c).
 * Called:  by csaf_read.c for every document, and by csaf_write.c for what it made.
 * Never:   changes the document. What needs a list from outside (registered languages) is not judged; of
 *          CWE it has the names that are frequent (csaf_cwe.c), and remarks on others (UNKNOWN_CWE).
 *
 * Codes of the structure: MISSING_PROPERTY BAD_TYPE_OF EMPTY_TEXT EMPTY_LIST EMPTY_OBJECT BAD_ENUM
 * BAD_FORMAT BAD_TIMESTAMP BAD_URI DOUBLE_ITEM. Codes of the tests: the table in csaf_test.c;
 * their reasons begin with the number of the test.
 */
#ifndef FORMATS_CSAF_CHECK_H
#define FORMATS_CSAF_CHECK_H

#include "gateway/base/err.h"
#include "gateway/base/json.h"

struct arena;

struct csaf_issue {
	const char	*code;
	enum err_code	 err;
	bool		 remark;	/* nothing is wrong: it could not be judged */
	char		 path[160];	/* "vulnerabilities[0].product_status.fixed[2]" */
	char		 reason[200];
};

typedef void	 csaf_issue_fn(void *ctx, const struct csaf_issue *issue);

/* Report what the structure forbids. Returns how much there was. */
size_t		 csaf_check_structure(const json *root, struct arena *mem, csaf_issue_fn *report,
		    void *ctx);
/* Report the mandatory tests that fail, in their order, and remarks. Takes any JSON object. Returns how
 * many failed. */
size_t		 csaf_check_tests(const json *root, struct arena *mem, csaf_issue_fn *report, void *ctx);

/* What the score object of a vulnerability says wrong (tests 8 to 10): code and reason, or NULL. */
struct csaf_cvss_fault {
	const char	*code;
	const char	*member;	/* of the score object */
	char		 reason[120];
};
/* The score object `o` under the name `cvss_v2` or `cvss_v3`: false if a fault was put into *f. */
bool		 csaf_cvss_check(const json *o, bool v2, struct arena *mem, struct csaf_cvss_fault *f);

/* "CVE-2024-3094" */
bool		 csaf_is_cve(struct slice s);
/* "CWE-79" */
bool		 csaf_is_cwe(struct slice s);
/* The official name of a weakness today; NULL if it is not in our list. */
const char	*csaf_cwe_name(struct slice id);
/* Is this its name, or was it once? Whatever case the letters have. */
bool		 csaf_cwe_has_name(struct slice id, struct slice name);
/* A language tag by its form. */
bool		 csaf_is_language(struct slice s);
/* scheme:rest, of the characters that may stand in one. */
bool		 csaf_is_uri(struct slice s);
/* RFC 3339 with a zone. */
bool		 csaf_is_time(struct slice s);
/* A CPE name, 2.2 URI or 2.3 formatted string. */
bool		 csaf_is_cpe(struct slice s);
/* A document category, by its form. */
bool		 csaf_is_category(struct slice s);
/* A tracking id, by its form. */
bool		 csaf_is_tracking_id(struct slice s);
/* The words "<=", "before" ... that no version may hold (test 31). */
bool		 csaf_is_range(struct arena *mem, struct slice version);

#endif
