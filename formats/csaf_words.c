/* csaf_words.c -- see csaf_words.h; and what the forms of single texts are (csaf_check.h). */
#include "formats/csaf_words.h"

#include "formats/csaf_check.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

bool
csaf_has_word(const char *list, struct slice word)
{
	struct slice rest = slice_of(list);

	while (rest.n > 0)
		if (slice_eq(slice_cut(&rest, ' '), word))
			return true;
	return false;
}

enum tlp
csaf_tlp_read(struct slice word, enum label_case *label)
{
	enum tlp t = slice_starts(word, "TLP:") ? TLP_UNSET : tlp_parse(word);

	*label = t == TLP_UNSET ? LABEL_UNREADABLE : LABEL_TLP;
	return t == TLP_UNSET ? TLP_RED : t;
}

enum tlp
csaf_tlp_there(const json *document, enum label_case *label)
{
	const json *tlp = json_get(json_get(document, "distribution"), "tlp");

	*label = LABEL_ABSENT;
	return tlp == NULL ? TLP_UNSET : csaf_tlp_read(json_member(tlp, "label"), label);
}

const char *
csaf_tlp_word(enum tlp t)
{
	static const char *const words[TLP_LEVELS] = {
		[TLP_CLEAR] = "WHITE", [TLP_GREEN] = "GREEN", [TLP_AMBER] = "AMBER",
		[TLP_AMBER_STRICT] = "RED",	/* the next stronger word (rulings 9) */
		[TLP_RED] = "RED",
	};

	return words[t];
}

static const char *const profiles[CSAF_PROFILES] = {
	[CSAF_BASE] = "csaf_base",
	[CSAF_INCIDENT] = "csaf_security_incident_response",
	[CSAF_INFORMATIONAL] = "csaf_informational_advisory",
	[CSAF_SECURITY] = "csaf_security_advisory",
	[CSAF_VEX] = "csaf_vex",
};

enum csaf_profile
csaf_profile_of(struct slice category)
{
	for (int p = 0; p < CSAF_PROFILES; p++)
		if (slice_is(category, profiles[p]))
			return (enum csaf_profile)p;
	return CSAF_BASE;
}

const char *
csaf_profile_word(enum csaf_profile p)
{
	return profiles[p];
}

const struct csaf_status_row csaf_statuses[CSAF_STATUSES] = {
	[CSAF_FIRST_AFFECTED] = { "first_affected", CSAF_GROUP_AFFECTED, false },
	[CSAF_FIRST_FIXED] = { "first_fixed", CSAF_GROUP_FIXED, false },
	[CSAF_FIXED] = { "fixed", CSAF_GROUP_FIXED, true },
	[CSAF_KNOWN_AFFECTED] = { "known_affected", CSAF_GROUP_AFFECTED, true },
	[CSAF_KNOWN_NOT_AFFECTED] = { "known_not_affected", CSAF_GROUP_NOT_AFFECTED, true },
	[CSAF_LAST_AFFECTED] = { "last_affected", CSAF_GROUP_AFFECTED, false },
	[CSAF_RECOMMENDED] = { "recommended", CSAF_GROUP_NONE, false },
	[CSAF_UNDER_INVESTIGATION] = { "under_investigation", CSAF_GROUP_UNKNOWN, true },
};

enum csaf_status
csaf_status_of(struct slice word)
{
	int s = 0;

	while (s < CSAF_STATUSES && !slice_is(word, csaf_statuses[s].word))
		s++;
	return (enum csaf_status)s;
}

/* Versions. */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Digits without a leading zero. */
static bool
is_number(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.n == 1 || (s.n > 1 && s.p[0] != '0');
}

/* Dot-separated parts of letters, digits and dashes; numbers in a pre-release lead with no zero. */
static bool
is_dotted(struct slice s, bool pre)
{
	do {
		struct slice part = slice_cut(&s, '.');
		bool digits = true;

		for (size_t i = 0; i < part.n; i++) {
			digits = digits && is_digit(part.p[i]);
			if (!is_digit(part.p[i]) && !is_letter(part.p[i]) && part.p[i] != '-')
				return false;
		}
		if (part.n == 0 || (pre && digits && !is_number(part)))
			return false;
	} while (s.n > 0);
	return true;
}

/* Take what follows the first `mark` off the end of *s; false if it follows and is not
 * well-formed. */
static bool
cut_tail(struct slice *s, char mark, struct slice *tail)
{
	const char *at = memchr(s->p, mark, s->n);

	*tail = SLICE_EMPTY;
	if (at == NULL)
		return true;
	*tail = slice_from(at + 1, (size_t)(s->p + s->n - at) - 1);
	s->n = (size_t)(at - s->p);
	return tail->n > 0 && tail->p[tail->n - 1] != '.' && is_dotted(*tail, mark == '-');
}

bool
csaf_version_parse(struct slice s, struct csaf_version *out)
{
	struct slice build, rest;

	*out = (struct csaf_version){ .major = s, .pre = SLICE_EMPTY, .minor = SLICE_EMPTY,
	    .patch = SLICE_EMPTY };
	if (is_number(s))
		return true;
	out->semantic = true;
	if (!cut_tail(&s, '+', &build) || !cut_tail(&s, '-', &out->pre))
		return false;
	rest = s;
	out->major = slice_cut(&rest, '.');
	out->minor = slice_cut(&rest, '.');
	out->patch = rest;
	return is_number(out->major) && is_number(out->minor) && is_number(out->patch);
}

bool
csaf_is_version(struct slice s)
{
	struct csaf_version v;

	return csaf_version_parse(s, &v);
}

/* Order of numbers of any length. */
static int
number_cmp(struct slice a, struct slice b)
{
	return a.n != b.n ? (a.n > b.n) - (a.n < b.n) : slice_cmp(a, b);
}

/* Order of pre-release parts (Semantic Versioning 2.0.0, 11): none is the latest. */
static int
pre_cmp(struct slice a, struct slice b)
{
	if (a.n == 0 || b.n == 0)
		return (a.n == 0) - (b.n == 0);
	while (a.n > 0 && b.n > 0) {
		struct slice x = slice_cut(&a, '.'), y = slice_cut(&b, '.');
		bool nx = is_number(x), ny = is_number(y);
		int c = nx && ny ? number_cmp(x, y) : nx != ny ? ny - nx : slice_cmp(x, y);

		if (c != 0)
			return c;
	}
	return (a.n > 0) - (b.n > 0);
}

int
csaf_version_cmp(const struct csaf_version *a, const struct csaf_version *b, bool pre)
{
	int c = number_cmp(a->major, b->major);

	if (c == 0 && a->semantic && b->semantic) {
		c = number_cmp(a->minor, b->minor);
		c = c != 0 ? c : number_cmp(a->patch, b->patch);
		c = c != 0 || !pre ? c : pre_cmp(a->pre, b->pre);
	}
	return c;
}

bool
csaf_version_is_zero(const struct csaf_version *v)
{
	return slice_is(v->major, "0");
}

/* Forms of single texts. */

/* "CVE-" digits{4} "-" digits{4,} and the like. */
static bool
all_digits(struct slice s, size_t least)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.n >= least;
}

bool
csaf_is_cve(struct slice s)
{
	struct slice year;

	if (!slice_starts(s, "CVE-"))
		return false;
	s = slice_from(s.p + 4, s.n - 4);
	year = slice_cut(&s, '-');
	return year.n == 4 && all_digits(year, 4) && all_digits(s, 4);
}

bool
csaf_is_cwe(struct slice s)
{
	if (!slice_starts(s, "CWE-"))
		return false;
	s = slice_from(s.p + 4, s.n - 4);
	return s.n >= 1 && s.n <= 6 && s.p[0] != '0' && all_digits(s, 1);
}

/* Subtags of one to eight letters and digits, the first of letters (RFC 5646, 2.1). */
bool
csaf_is_language(struct slice s)
{
	bool first = true;

	if (s.n == 0 || s.p[s.n - 1] == '-')
		return false;
	while (s.n > 0) {
		struct slice tag = slice_cut(&s, '-');

		for (size_t i = 0; i < tag.n; i++)
			if (!is_letter(tag.p[i]) && (first || !is_digit(tag.p[i])))
				return false;
		if (tag.n == 0 || tag.n > 8 || (first && tag.n == 1 && strchr("iIxX", tag.p[0]) == NULL))
			return false;
		first = false;
	}
	return true;
}

bool
csaf_is_uri(struct slice s)
{
	size_t i = 0;

	while (i < s.n && (is_letter(s.p[i]) || (i > 0 && (is_digit(s.p[i]) || s.p[i] == '+' ||
	    s.p[i] == '-' || s.p[i] == '.'))))
		i++;
	if (i == 0 || i + 1 >= s.n || s.p[i] != ':')
		return false;
	for (; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("<>\"{}|\\^`", s.p[i]) != NULL)
			return false;
	return true;
}

bool
csaf_is_time(struct slice s)
{
	bool zone = false;
	int64_t us;

	return s.n > 0 && s.p[0] != '-' && stamp_parse_any(s, &us, &zone) && zone;
}

/* Not blank at its ends. */
bool
csaf_is_tracking_id(struct slice s)
{
	return s.n > 0 && slice_trim(s).n == s.n && memchr(s.p, '\n', s.n) == NULL;
}

bool
csaf_is_category(struct slice s)
{
	return csaf_is_tracking_id(s) && strchr("-_.", s.p[0]) == NULL &&
	    strchr("-_.", s.p[s.n - 1]) == NULL;
}

/* Words that make a range of a version; signs count anywhere, words as such. */
bool
csaf_is_range(struct arena *mem, struct slice version)
{
	static const char words[] = "after all before earlier later prior versions";
	char *low = arena_str(mem, version);
	struct slice s = { low, version.n };

	for (size_t i = 0; i < s.n; i++) {
		if (low[i] >= 'A' && low[i] <= 'Z')
			low[i] = (char)(low[i] - 'A' + 'a');
		if (low[i] == '<' || low[i] == '>')
			return true;
	}
	while (s.n > 0)
		if (csaf_has_word(words, slice_cut(&s, ' ')))
			return true;
	return false;
}
