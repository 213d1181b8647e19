/* csaf_test_vulnerabilities.c -- tests 6 to 11, 23, 24, 29, 32, 33; and 27.9, 27.10 of VEX. */
#include "formats/csaf_test.h"

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* The scratch mask of a product for a new round of looking: 0 at first. */
static unsigned *
mask_of(struct csaf_testing *t, struct csaf_product *p)
{
	if (p->seen != t->round) {
		p->seen = t->round;
		p->mask = 0;
	}
	return &p->mask;
}

/* Test 6: the groups of status are bits of the mask; the first contradiction of a product is told.
 * */
static void
test_status(struct csaf_testing *t, const json *status)
{
	size_t in = csaf_enter(t, "product_status");

	t->round++;
	for (int s = 0; s < CSAF_STATUSES; s++) {
		unsigned bit = 1u << csaf_statuses[s].group;
		size_t i = 0;

		if (csaf_statuses[s].group == CSAF_GROUP_NONE)
			continue;
		for (const json *v = json_first(json_get(status, csaf_statuses[s].word)); v != NULL;
		    v = json_next(v), i++) {
			struct csaf_product *p = csaf_product_find(t, json_slice(v));
			size_t at;

			if (p == NULL)
				continue;
			if (*mask_of(t, p) != 0 && (p->mask & bit) == 0) {
				at = csaf_enter_at(t, csaf_statuses[s].word, i);
				csaf_fail(t, T_CONTRADICTING_STATUS, NULL);
				csaf_leave(t, at);
			}
			p->mask |= bit;
		}
	}
	csaf_leave(t, in);
}

/* A bit for each version of CVSS. */
static unsigned
cvss_bits(const json *score)
{
	unsigned bits = json_get(score, "cvss_v2") != NULL ? 1 : 0;
	const json *v3 = json_get(score, "cvss_v3");

	if (v3 != NULL)
		bits |= slice_is(json_member(v3, "version"), "3.0") ? 2 : 4;
	return bits;
}

/* Tests 8 to 10 of one score object. */
static void
test_cvss(struct csaf_testing *t, const json *score, const char *name, bool v2)
{
	struct csaf_cvss_fault f;
	const json *o = json_get(score, name);
	struct csaf_issue issue = { .err = ERR_VALUE };
	size_t at;

	if (o == NULL || csaf_cvss_check(o, v2, t->mem, &f))
		return;
	at = csaf_enter(t, name);
	if (f.member != NULL)
		csaf_enter(t, f.member);
	t->issues++;
	issue.code = f.code;
	memcpy(issue.path, t->path.p, t->path.n < sizeof(issue.path) ? t->path.n : sizeof(issue.path) - 1);
	memcpy(issue.reason, f.reason, sizeof(f.reason));
	t->report(t->ctx, &issue);
	csaf_leave(t, at);
}

/* Test 7, and those of the scores themselves. */
static void
test_scores(struct csaf_testing *t, const json *v)
{
	size_t i = 0;

	t->round++;
	for (const json *s = json_first(json_get(v, "scores")); s != NULL; s = json_next(s), i++) {
		size_t at = csaf_enter_at(t, "scores", i), k = 0, in;
		unsigned bits = cvss_bits(s);

		test_cvss(t, s, "cvss_v2", true);
		test_cvss(t, s, "cvss_v3", false);
		for (const json *id = json_first(json_get(s, "products")); id != NULL;
		    id = json_next(id), k++) {
			struct csaf_product *p = csaf_product_find(t, json_slice(id));

			if (p == NULL)
				continue;
			if ((*mask_of(t, p) & bits) != 0) {
				in = csaf_enter_at(t, "products", k);
				csaf_fail(t, T_DOUBLE_SCORE, NULL);
				csaf_leave(t, in);
			}
			p->mask |= bits;
		}
		csaf_leave(t, at);
	}
}

/* Test 11. Of a weakness that is not in our list nothing can be said. */
static void
test_cwe(struct csaf_testing *t, const json *v)
{
	struct csaf_issue remark = { .code = "UNKNOWN_CWE", .err = ERR_VALUE, .remark = true,
	    .reason = "the name of this weakness was not checked: it is not in our list" };
	const json *cwe = json_get(v, "cwe");
	struct slice id = json_member(cwe, "id");

	if (!csaf_is_cwe(id) || json_member(cwe, "name").n == 0)
		return;			/* the structure is judged elsewhere */
	if (csaf_cwe_name(id) == NULL) {
		snprintf(remark.path, sizeof(remark.path), "%s.cwe.id", t->path.p);
		t->report(t->ctx, &remark);
	} else if (!csaf_cwe_has_name(id, json_member(cwe, "name"))) {
		csaf_fail(t, T_WRONG_CWE, "cwe.name");
	}
}

/* Test 24: party and date; dates are compared as they are written. */
static void
test_involvements(struct csaf_testing *t, const json *v)
{
	struct idmap seen = { 0 };
	size_t i = 0;

	for (const json *k = json_first(json_get(v, "involvements")); k != NULL; k = json_next(k), i++)
		idmap_add(&seen, t->mem, slice_of(arena_fmt(t->mem, "%.*s %.*s",
		    SLICE_ARG(json_member(k, "party")), SLICE_ARG(json_member(k, "date")))), i);
	idmap_sort(&seen);
	for (i = 1; i < seen.n; i++) {
		size_t at;

		if (!slice_eq(seen.v[i].id, seen.v[i - 1].id))
			continue;
		at = csaf_enter_at(t, "involvements", seen.v[i].value);
		csaf_fail(t, T_DOUBLE_INVOLVEMENT, NULL);
		csaf_leave(t, at);
	}
}

/* Tests 29 and 32. */
static void
test_names_products(struct csaf_testing *t, const json *v, const char *name, enum csaf_test which)
{
	size_t i = 0;

	for (const json *k = json_first(json_get(v, name)); k != NULL; k = json_next(k), i++) {
		size_t at;

		if (json_get(k, "product_ids") != NULL || json_get(k, "group_ids") != NULL)
			continue;
		at = csaf_enter_at(t, name, i);
		csaf_fail(t, which, NULL);
		csaf_leave(t, at);
	}
}

/* A flag, by its number from 1, and whether one of its products had another before. */
struct flagging {
	unsigned	flag;
	bool		again;
};

static void
count_flagged(struct csaf_testing *t, struct csaf_product *p, void *arg)
{
	struct flagging *count = arg;

	if (*mask_of(t, p) != 0 && p->mask != count->flag)
		count->again = true;
	p->mask = count->flag;
}

/* Test 33. */
static void
test_flags(struct csaf_testing *t, const json *v)
{
	struct flagging count = { 0, false };

	t->round++;
	for (const json *f = json_first(json_get(v, "flags")); f != NULL; f = json_next(f)) {
		size_t at = csaf_enter_at(t, "flags", count.flag++);

		count.again = false;
		if (csaf_each_product(t, f, count_flagged, &count) && count.again)
			csaf_fail(t, T_DOUBLE_JUSTIFICATION, NULL);
		csaf_leave(t, at);
	}
}

/* Test 23. */
static void
test_cves(struct csaf_testing *t)
{
	struct idmap seen = { 0 };
	size_t i = 0;

	for (const json *v = json_first(t->vulnerabilities); v != NULL; v = json_next(v), i++)
		if (json_is_string(json_get(v, "cve")))
			idmap_add(&seen, t->mem, json_member(v, "cve"), i);
	idmap_sort(&seen);
	for (i = 1; i < seen.n; i++) {
		size_t at;

		if (!slice_eq(seen.v[i].id, seen.v[i - 1].id))
			continue;
		at = csaf_enter_at(t, "vulnerabilities", seen.v[i].value);
		csaf_fail(t, T_DOUBLE_CVE, "cve");
		csaf_leave(t, at);
	}
}

void
csaf_test_vulnerabilities(struct csaf_testing *t)
{
	size_t i = 0;

	for (const json *v = json_first(t->vulnerabilities); v != NULL; v = json_next(v)) {
		size_t at = csaf_enter_at(t, "vulnerabilities", i++);

		test_status(t, json_get(v, "product_status"));
		test_scores(t, v);
		test_cwe(t, v);
		test_involvements(t, v);
		test_names_products(t, v, "remediations", T_REMEDIATION_WITHOUT_PRODUCT);
		test_names_products(t, v, "flags", T_FLAG_WITHOUT_PRODUCT);
		test_flags(t, v);
		csaf_leave(t, at);
	}
	test_cves(t);
}

/* Cover a product. */
static void
cover(struct csaf_testing *t, struct csaf_product *p, void *arg)
{
	(void)arg;
	*mask_of(t, p) = 1;
}

/* Cover what the elements of a list name, those of one category only if it is given. False if that
 * is too much work. */
static bool
cover_all(struct csaf_testing *t, const json *list, const char *category)
{
	for (const json *k = json_first(list); k != NULL; k = json_next(k))
		if ((category == NULL || slice_is(json_member(k, "category"), category)) &&
		    !csaf_each_product(t, k, cover, NULL))
			return false;
	return true;
}

/* Report the products of a status list that nothing covers. */
static void
test_covered(struct csaf_testing *t, const json *v, const char *list, enum csaf_test which)
{
	size_t i = 0, at = csaf_enter(t, "product_status"), in;

	for (const json *id = json_first(json_get(json_get(v, "product_status"), list)); id != NULL;
	    id = json_next(id), i++) {
		struct csaf_product *p = csaf_product_find(t, json_slice(id));

		if (p == NULL || *mask_of(t, p) != 0)
			continue;
		in = csaf_enter_at(t, list, i);
		csaf_fail(t, which, NULL);
		csaf_leave(t, in);
	}
	csaf_leave(t, at);
}

/* See csaf_test.h. */
void
csaf_test_impact(struct csaf_testing *t, const json *v)
{
	t->round++;
	if (cover_all(t, json_get(v, "flags"), NULL) && cover_all(t, json_get(v, "threats"), "impact"))
		test_covered(t, v, "known_not_affected", T_MISSING_IMPACT_STATEMENT);
}

/* See csaf_test.h. */
void
csaf_test_action(struct csaf_testing *t, const json *v)
{
	t->round++;
	if (cover_all(t, json_get(v, "remediations"), NULL))
		test_covered(t, v, "known_affected", T_MISSING_ACTION_STATEMENT);
}
