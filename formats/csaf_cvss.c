/*
 * csaf_cvss.c -- is a CVSS object of version 2.0, 3.0 or 3.1 valid, computed right and at one with
 * its vector (tests 8 to 10)?
 *
 * A metric is a row: its letters in the vector, its member in the object, and its values. The
 * formulas are those of FIRST: CVSS v2.0 section 3.2, v3.0 and v3.1 section 7.
 */
#include <stdio.h>

#include "formats/csaf_check.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { VALUES_MAX = 6 };

struct value {
	const char	*letter;
	const char	*word;
	double		 weight;
};

struct metric {
	const char	*letters;
	const char	*member;
	bool		 base;		/* every vector has it */
	struct value	 values[VALUES_MAX];	/* ends with letter NULL, if shorter */
};

/* Version 3. Places: AV AC PR UI S C I A E RL RC CR IR AR, then the modified base metrics. */
enum {
	V3_AV, V3_AC, V3_PR, V3_UI, V3_S, V3_C, V3_I, V3_A, V3_E, V3_RL, V3_RC, V3_CR, V3_IR, V3_AR,
	V3_MAV, V3_MAC, V3_MPR, V3_MUI, V3_MS, V3_MC, V3_MI, V3_MA, V3_METRICS
};

#define AV3	{ "N", "NETWORK", 0.85 }, { "A", "ADJACENT_NETWORK", 0.62 }, { "L", "LOCAL", 0.55 },	\
		{ "P", "PHYSICAL", 0.2 }
#define AC3	{ "L", "LOW", 0.77 }, { "H", "HIGH", 0.44 }
#define PR3	{ "N", "NONE", 0.85 }, { "L", "LOW", 0.62 }, { "H", "HIGH", 0.27 }
#define UI3	{ "N", "NONE", 0.85 }, { "R", "REQUIRED", 0.62 }
#define S3	{ "U", "UNCHANGED", 0 }, { "C", "CHANGED", 1 }
#define CIA3	{ "N", "NONE", 0 }, { "L", "LOW", 0.22 }, { "H", "HIGH", 0.56 }
#define REQ3	{ "X", "NOT_DEFINED", 1 }, { "L", "LOW", 0.5 }, { "M", "MEDIUM", 1 }, { "H", "HIGH", 1.5 }
#define NOT3	{ "X", "NOT_DEFINED", 1 }

static const struct metric v3[V3_METRICS] = {
	[V3_AV] = { "AV", "attackVector", true, { AV3 } },
	[V3_AC] = { "AC", "attackComplexity", true, { AC3 } },
	[V3_PR] = { "PR", "privilegesRequired", true, { PR3 } },
	[V3_UI] = { "UI", "userInteraction", true, { UI3 } },
	[V3_S] = { "S", "scope", true, { S3 } },
	[V3_C] = { "C", "confidentialityImpact", true, { CIA3 } },
	[V3_I] = { "I", "integrityImpact", true, { CIA3 } },
	[V3_A] = { "A", "availabilityImpact", true, { CIA3 } },
	[V3_E] = { "E", "exploitCodeMaturity", false, { NOT3, { "U", "UNPROVEN", 0.91 },
	    { "P", "PROOF_OF_CONCEPT", 0.94 }, { "F", "FUNCTIONAL", 0.97 }, { "H", "HIGH", 1 } } },
	[V3_RL] = { "RL", "remediationLevel", false, { NOT3, { "O", "OFFICIAL_FIX", 0.95 },
	    { "T", "TEMPORARY_FIX", 0.96 }, { "W", "WORKAROUND", 0.97 }, { "U", "UNAVAILABLE", 1 } } },
	[V3_RC] = { "RC", "reportConfidence", false, { NOT3, { "U", "UNKNOWN", 0.92 },
	    { "R", "REASONABLE", 0.96 }, { "C", "CONFIRMED", 1 } } },
	[V3_CR] = { "CR", "confidentialityRequirement", false, { REQ3 } },
	[V3_IR] = { "IR", "integrityRequirement", false, { REQ3 } },
	[V3_AR] = { "AR", "availabilityRequirement", false, { REQ3 } },
	[V3_MAV] = { "MAV", "modifiedAttackVector", false, { NOT3, AV3 } },
	[V3_MAC] = { "MAC", "modifiedAttackComplexity", false, { NOT3, AC3 } },
	[V3_MPR] = { "MPR", "modifiedPrivilegesRequired", false, { NOT3, PR3 } },
	[V3_MUI] = { "MUI", "modifiedUserInteraction", false, { NOT3, UI3 } },
	[V3_MS] = { "MS", "modifiedScope", false, { NOT3, S3 } },
	[V3_MC] = { "MC", "modifiedConfidentialityImpact", false, { NOT3, CIA3 } },
	[V3_MI] = { "MI", "modifiedIntegrityImpact", false, { NOT3, CIA3 } },
	[V3_MA] = { "MA", "modifiedAvailabilityImpact", false, { NOT3, CIA3 } },
};

enum {
	V2_AV, V2_AC, V2_AU, V2_C, V2_I, V2_A, V2_E, V2_RL, V2_RC, V2_CDP, V2_TD, V2_CR, V2_IR, V2_AR,
	V2_METRICS
};

#define CIA2	{ "N", "NONE", 0 }, { "P", "PARTIAL", 0.275 }, { "C", "COMPLETE", 0.660 }
#define REQ2	{ "ND", "NOT_DEFINED", 1 }, { "L", "LOW", 0.5 }, { "M", "MEDIUM", 1 }, { "H", "HIGH", 1.51 }
#define NOT2	{ "ND", "NOT_DEFINED", 1 }

static const struct metric v2[V2_METRICS] = {
	[V2_AV] = { "AV", "accessVector", true, { { "L", "LOCAL", 0.395 },
	    { "A", "ADJACENT_NETWORK", 0.646 }, { "N", "NETWORK", 1 } } },
	[V2_AC] = { "AC", "accessComplexity", true, { { "H", "HIGH", 0.35 }, { "M", "MEDIUM", 0.61 },
	    { "L", "LOW", 0.71 } } },
	[V2_AU] = { "Au", "authentication", true, { { "M", "MULTIPLE", 0.45 }, { "S", "SINGLE", 0.56 },
	    { "N", "NONE", 0.704 } } },
	[V2_C] = { "C", "confidentialityImpact", true, { CIA2 } },
	[V2_I] = { "I", "integrityImpact", true, { CIA2 } },
	[V2_A] = { "A", "availabilityImpact", true, { CIA2 } },
	[V2_E] = { "E", "exploitability", false, { NOT2, { "U", "UNPROVEN", 0.85 },
	    { "POC", "PROOF_OF_CONCEPT", 0.9 }, { "F", "FUNCTIONAL", 0.95 }, { "H", "HIGH", 1 } } },
	[V2_RL] = { "RL", "remediationLevel", false, { NOT2, { "OF", "OFFICIAL_FIX", 0.87 },
	    { "TF", "TEMPORARY_FIX", 0.90 }, { "W", "WORKAROUND", 0.95 }, { "U", "UNAVAILABLE", 1 } } },
	[V2_RC] = { "RC", "reportConfidence", false, { NOT2, { "UC", "UNCONFIRMED", 0.90 },
	    { "UR", "UNCORROBORATED", 0.95 }, { "C", "CONFIRMED", 1 } } },
	[V2_CDP] = { "CDP", "collateralDamagePotential", false, { { "ND", "NOT_DEFINED", 0 },
	    { "N", "NONE", 0 }, { "L", "LOW", 0.1 }, { "LM", "LOW_MEDIUM", 0.3 },
	    { "MH", "MEDIUM_HIGH", 0.4 }, { "H", "HIGH", 0.5 } } },
	[V2_TD] = { "TD", "targetDistribution", false, { NOT2, { "N", "NONE", 0 }, { "L", "LOW", 0.25 },
	    { "M", "MEDIUM", 0.75 }, { "H", "HIGH", 1 } } },
	[V2_CR] = { "CR", "confidentialityRequirement", false, { REQ2 } },
	[V2_IR] = { "IR", "integrityRequirement", false, { REQ2 } },
	[V2_AR] = { "AR", "availabilityRequirement", false, { REQ2 } },
};

/* One object being judged: the value of each metric in the vector, NULL where it has none. */
struct cvss {
	const json		*o;
	const struct metric	*metrics;
	size_t			 n;
	bool			 is_v2;
	const struct value	*set[V3_METRICS];
	struct csaf_cvss_fault	*f;
};

/* Say what is wrong; false. */
static bool
wrong(struct cvss *c, const char *code, const char *test, const char *member, const char *reason)
{
	c->f->code = code;
	c->f->member = member;
	snprintf(c->f->reason, sizeof(c->f->reason), "test %s: %s", test, reason);
	return false;
}

static bool
invalid(struct cvss *c, const char *member, const char *reason)
{
	return wrong(c, "BAD_CVSS", "6.1.8", member, reason);
}

/* The value of a metric under that letter or that word. */
static const struct value *
value_of(const struct metric *m, struct slice text, bool word)
{
	for (size_t i = 0; i < VALUES_MAX && m->values[i].letter != NULL; i++)
		if (slice_is(text, word ? m->values[i].word : m->values[i].letter))
			return &m->values[i];
	return NULL;
}

/* Take one "AV:N" of the vector. */
static bool
take_metric(struct cvss *c, struct slice part)
{
	struct slice letters = slice_cut(&part, ':');

	for (size_t i = 0; i < c->n; i++) {
		if (!slice_is(letters, c->metrics[i].letters))
			continue;
		if (c->set[i] != NULL)
			return invalid(c, "vectorString", "a metric stands in the vector twice");
		c->set[i] = value_of(&c->metrics[i], part, false);
		return c->set[i] != NULL || invalid(c, "vectorString", "a metric has no such value");
	}
	return invalid(c, "vectorString", "the vector has a metric that there is not");
}

/* Read the vector: all base metrics, the others as they come. */
static bool
read_vector(struct cvss *c, struct slice version)
{
	struct slice vector = json_member(c->o, "vectorString");

	if (!c->is_v2) {
		struct slice start = slice_cut(&vector, '/');

		if (!slice_starts(start, "CVSS:") ||
		    !slice_eq(slice_from(start.p + 5, start.n - 5), version))
			return invalid(c, "vectorString", "the vector is of another version");
	}
	while (vector.n > 0)
		if (!take_metric(c, slice_cut(&vector, '/')))
			return false;
	for (size_t i = 0; i < c->n; i++)
		if (c->metrics[i].base && c->set[i] == NULL)
			return invalid(c, "vectorString", "the vector lacks a base metric");
	return true;
}

/* Test 10: members beside the vector say the same; test 8: they have values that there are. */
static bool
check_members(struct cvss *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct metric *m = &c->metrics[i];
		const json *v = json_get(c->o, m->member);
		const struct value *said = value_of(m, json_slice(v), true);

		if (v == NULL)
			continue;
		if (said == NULL)
			return invalid(c, m->member, "this metric has no such value");
		if (c->set[i] == NULL ? strcmp(said->word, "NOT_DEFINED") != 0 : c->set[i] != said)
			return wrong(c, "CVSS_INCONSISTENT", "6.1.10", m->member,
			    "the vector says something else");
	}
	return true;
}

/* The weight of a metric; undefined ones count as their first value. */
static double
weight(const struct cvss *c, size_t i)
{
	return c->set[i] == NULL ? c->metrics[i].values[0].weight : c->set[i]->weight;
}

/* Up to one decimal, as v3.1 says it (Appendix A); no score is below 0. */
static double
round_up(double x)
{
	int64_t whole = (int64_t)(x * 100000 + 0.5);

	return (double)(whole / 10000 + (whole % 10000 == 0 ? 0 : 1)) / 10;
}

static double
power(double x, int n)
{
	double y = 1;

	while (n-- > 0)
		y *= x;
	return y;
}

/* The modified metric if there is one, else the base metric. */
static size_t
changed(const struct cvss *c, size_t base, size_t modified)
{
	return c->set[modified] == NULL || strcmp(c->set[modified]->letter, "X") == 0 ? base : modified;
}

static double
privileges(const struct cvss *c, size_t i, bool scope)
{
	double w = weight(c, i);

	return !scope || w > 0.8 ? w : w > 0.5 ? 0.68 : 0.5;
}

/* The score out of impact and exploitability. */
static double
v3_score(double impact, double exploit, bool scope)
{
	double sum = scope ? 1.08 * (impact + exploit) : impact + exploit;

	return impact <= 0 ? 0 : round_up(sum < 10 ? sum : 10);
}

static double
v3_base(const struct cvss *c)
{
	bool scope = weight(c, V3_S) > 0;
	double iss = 1 - (1 - weight(c, V3_C)) * (1 - weight(c, V3_I)) * (1 - weight(c, V3_A));
	double impact = scope ? 7.52 * (iss - 0.029) - 3.25 * power(iss - 0.02, 15) : 6.42 * iss;
	double exploit = 8.22 * weight(c, V3_AV) * weight(c, V3_AC) * privileges(c, V3_PR, scope) *
	    weight(c, V3_UI);

	return v3_score(impact, exploit, scope);
}

static double
v3_temporal(const struct cvss *c, double score)
{
	return round_up(score * weight(c, V3_E) * weight(c, V3_RL) * weight(c, V3_RC));
}

/* Version 3.0 has another formula for a changed scope than 3.1. */
static double
v3_environmental(const struct cvss *c, bool v30)
{
	bool scope = weight(c, changed(c, V3_S, V3_MS)) > 0;
	double miss = 1 - (1 - weight(c, V3_CR) * weight(c, changed(c, V3_C, V3_MC))) *
	    (1 - weight(c, V3_IR) * weight(c, changed(c, V3_I, V3_MI))) *
	    (1 - weight(c, V3_AR) * weight(c, changed(c, V3_A, V3_MA)));
	double impact, exploit;

	miss = miss < 0.915 ? miss : 0.915;
	impact = !scope ? 6.42 * miss : 7.52 * (miss - 0.029) - 3.25 *
	    (v30 ? power(miss - 0.02, 15) : power(miss * 0.9731 - 0.02, 13));
	exploit = 8.22 * weight(c, changed(c, V3_AV, V3_MAV)) * weight(c, changed(c, V3_AC, V3_MAC)) *
	    privileges(c, changed(c, V3_PR, V3_MPR), scope) * weight(c, changed(c, V3_UI, V3_MUI));
	return v3_temporal(c, v3_score(impact, exploit, scope));
}

static double
round_tenth(double x)
{
	return (double)(int64_t)(x * 10 + 0.5) / 10;
}

static double
v2_from_impact(const struct cvss *c, double impact)
{
	double exploit = 20 * weight(c, V2_AV) * weight(c, V2_AC) * weight(c, V2_AU);

	return round_tenth((0.6 * impact + 0.4 * exploit - 1.5) * (impact == 0 ? 0 : 1.176));
}

static double
v2_base(const struct cvss *c)
{
	return v2_from_impact(c, 10.41 *
	    (1 - (1 - weight(c, V2_C)) * (1 - weight(c, V2_I)) * (1 - weight(c, V2_A))));
}

static double
v2_temporal(const struct cvss *c, double score)
{
	return round_tenth(score * weight(c, V2_E) * weight(c, V2_RL) * weight(c, V2_RC));
}

static double
v2_environmental(const struct cvss *c)
{
	double impact = 10.41 * (1 - (1 - weight(c, V2_C) * weight(c, V2_CR)) *
	    (1 - weight(c, V2_I) * weight(c, V2_IR)) * (1 - weight(c, V2_A) * weight(c, V2_AR)));
	double adjusted = v2_temporal(c, v2_from_impact(c, impact < 10 ? impact : 10));

	return round_tenth((adjusted + (10 - adjusted) * weight(c, V2_CDP)) * weight(c, V2_TD));
}

/* Test 9: a score that stands there is the one computed; half a tenth decides nothing. */
static bool
check_score(struct cvss *c, const char *member, double computed)
{
	const json *v = json_get(c->o, member);
	double said;

	if (v == NULL)
		return true;
	if (!json_is_number(v) || !json_double(v, &said) || !(said >= 0 && said <= 10))
		return invalid(c, member, "a score is a number from 0 to 10");
	if (said > computed + 0.01 || said < computed - 0.01)
		return wrong(c, "CVSS_COMPUTATION", "6.1.9", member, "the vector gives another score");
	return true;
}

/* Tests 8 and 9: the severity word of a score. */
static bool
check_severity(struct cvss *c, const char *member, const char *score)
{
	static const char *const words[] = { "NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL" };
	static const double from[] = { 0, 0.1, 4, 7, 9 };
	const json *v = json_get(c->o, member);
	double s;
	size_t i, want = 0;

	if (v == NULL)
		return true;
	for (i = 0; i < COUNTOF(words) && !slice_is(json_slice(v), words[i]); i++)
		;
	if (i == COUNTOF(words))
		return invalid(c, member, "there is no such severity");
	if (!json_double(json_get(c->o, score), &s))
		return true;
	for (size_t k = 0; k < COUNTOF(from); k++)
		if (s >= from[k] - 0.001)
			want = k;
	return i == want || wrong(c, "CVSS_COMPUTATION", "6.1.9", member, "the score has another severity");
}

static bool
check_v3_scores(struct cvss *c, bool v30)
{
	double base = v3_base(c);

	return check_score(c, "baseScore", base) && check_severity(c, "baseSeverity", "baseScore") &&
	    check_score(c, "temporalScore", v3_temporal(c, base)) &&
	    check_severity(c, "temporalSeverity", "temporalScore") &&
	    check_score(c, "environmentalScore", v3_environmental(c, v30)) &&
	    check_severity(c, "environmentalSeverity", "environmentalScore");
}

static bool
check_v2_scores(struct cvss *c)
{
	double base = v2_base(c);

	return check_score(c, "baseScore", base) && check_score(c, "temporalScore", v2_temporal(c, base)) &&
	    check_score(c, "environmentalScore", v2_environmental(c));
}

/* See csaf_check.h. */
bool
csaf_cvss_check(const json *o, bool is_v2, struct arena *mem, struct csaf_cvss_fault *f)
{
	struct cvss c = { .o = o, .metrics = is_v2 ? v2 : v3, .is_v2 = is_v2,
	    .n = is_v2 ? (size_t)V2_METRICS : (size_t)V3_METRICS, .f = f };
	struct slice version = json_member(o, "version");
	bool v30 = slice_is(version, "3.0");

	(void)mem;
	if (!json_is_object(o))
		return invalid(&c, NULL, "this is an object");
	if (is_v2 ? !slice_is(version, "2.0") : !v30 && !slice_is(version, "3.1"))
		return invalid(&c, "version", "this version does not stand here");
	if (!json_is_string(json_get(o, "vectorString")))
		return invalid(&c, "vectorString", "this is required");
	if (json_get(o, "baseScore") == NULL)
		return invalid(&c, "baseScore", "this is required");
	if (!is_v2 && json_get(o, "baseSeverity") == NULL)
		return invalid(&c, "baseSeverity", "this is required");
	if (!read_vector(&c, version) || !check_members(&c))
		return false;
	return is_v2 ? check_v2_scores(&c) : check_v3_scores(&c, v30);
}
