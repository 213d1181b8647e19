/* stix21_form.c -- see stix21_form.h. */
#include "formats/stix21_form.h"

#include "gateway/base/ascii.h"

enum { NAME_MIN = 3, NAME_MAX = 250, CPE_PARTS = 11, IPV6_WORDS = 8 };

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* True if all characters are letters, digits, or one of these; and there is one. */
static bool
is_made_of(struct slice s, const char *others)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_letter(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    (s.p[i] == '\0' || strchr(others, s.p[i]) == NULL))
			return false;
	return s.n > 0;
}

/* True for a decimal without leading zeros, at most `max`. */
static bool
is_decimal(struct slice s, unsigned max)
{
	unsigned v = 0;

	if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return false;
		v = 10 * v + (unsigned)(s.p[i] - '0');
	}
	return v <= max;
}

/* Cut "/24" off; false if what is behind the slash is no length of a prefix. */
static bool
cut_prefix(struct slice *s, unsigned max)
{
	struct slice rest = *s;
	bool there = s->n > 0 && memchr(s->p, '/', s->n) != NULL;

	*s = slice_cut(&rest, '/');
	return !there || is_decimal(rest, max);
}

static bool
is_dotted(struct slice s)
{
	for (int i = 0; i < 3; i++) {
		struct slice part = slice_cut(&s, '.');

		if (s.n == 0 || !is_decimal(part, 255))
			return false;
	}
	return is_decimal(s, 255);
}

static bool
fits_ipv4(struct slice s)
{
	return cut_prefix(&s, 32) && is_dotted(s);
}

/* One group of hex digits, and the colon behind it; false if it is none. */
static bool
cut_group(struct slice *s)
{
	struct slice group = slice_cut(s, ':');

	if (group.n == 0 || group.n > 4)
		return false;
	for (size_t i = 0; i < group.n; i++)
		if (ascii_hex(group.p[i]) < 0)
			return false;
	return true;
}

/* RFC 4291 section 2.2, all three forms. */
static bool
fits_ipv6(struct slice s)
{
	unsigned groups = 0;
	bool gap = false;

	if (!cut_prefix(&s, 128) || s.n < 2 || (s.p[0] == ':' && s.p[1] != ':') ||
	    (s.p[s.n - 1] == ':' && s.p[s.n - 2] != ':'))
		return false;
	if (s.p[0] == ':')
		s = slice_from(s.p + 1, s.n - 1);
	while (s.n > 0) {
		if (s.p[0] == ':') {
			if (gap)
				return false;
			gap = true;
			s = slice_from(s.p + 1, s.n - 1);
		} else if (memchr(s.p, ':', s.n) == NULL && memchr(s.p, '.', s.n) != NULL) {
			groups += 2;
			if (!is_dotted(s))
				return false;
			break;
		} else if (!cut_group(&s)) {
			return false;
		} else {
			groups++;
		}
	}
	return gap ? groups < IPV6_WORDS : groups == IPV6_WORDS;
}

/* Six pairs of lower-case hex digits. */
static bool
fits_mac(struct slice s)
{
	if (s.n != 17)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (i % 3 == 2 ? s.p[i] != ':' :
		    ascii_hex(s.p[i]) < 0 || (s.p[i] >= 'A' && s.p[i] <= 'F'))
			return false;
	return true;
}

/* Labels of 1 to 63 bytes between dots, without blanks and ASCII signs but hyphens and underscores. What is
 * beyond ASCII is for IDNA to judge, which changes. */
static bool
fits_domain(struct slice s)
{
	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0 || s.n > 4 * 253 || s.p[s.n - 1] == '.')
		return false;
	while (s.n > 0) {
		struct slice label = slice_cut(&s, '.');

		if (label.n == 0 || (label.n > 63 && is_made_of(label, "-_")))
			return false;
		for (size_t i = 0; i < label.n; i++)
			if ((unsigned char)label.p[i] < 0x80 &&
			    !is_made_of(slice_from(label.p + i, 1), "-_"))
				return false;
	}
	return true;
}

/* Something, an @, and a domain or an address in brackets. */
static bool
fits_email(struct slice s)
{
	const char *at = s.n == 0 ? NULL : memrchr(s.p, '@', s.n);
	struct slice host;

	if (at == NULL || at == s.p)
		return false;
	for (const char *p = s.p; p < at; p++)
		if ((unsigned char)*p < ' ' || (*p == ' ' && s.p[0] != '"'))
			return false;
	host = slice_from(at + 1, s.n - (size_t)(at + 1 - s.p));
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		return true;
	return fits_domain(host);
}

/* A scheme, a colon, and no blanks, controls or delimiters (RFC 3986); other characters are passed. */
static bool
fits_url(struct slice s)
{
	const char *colon = s.n == 0 ? NULL : memchr(s.p, ':', s.n);

	if (colon == NULL || !is_letter(s.p[0]) ||
	    !is_made_of(slice_from(s.p, (size_t)(colon - s.p)), "+-.") || colon + 1 == s.p + s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || memchr("<>\"", s.p[i], 3) != NULL)
			return false;
	return true;
}

/* type/subtype of RFC 6838, perhaps with parameters. */
static bool
fits_mime(struct slice s)
{
	struct slice full = slice_cut(&s, ';'), type;

	full = slice_trim(full);
	type = slice_cut(&full, '/');
	return type.n < 128 && is_made_of(type, "-") && is_made_of(full, "!#$&-^_.+");
}

static bool
fits_charset(struct slice s)
{
	return s.n >= 2 && s.n <= NAME_MAX && is_made_of(s, "/.+_:-()");
}

/* "cpe:2.3:", a part, and ten more. */
static bool
fits_cpe(struct slice s)
{
	static const char prefix[] = "cpe:2.3:";
	unsigned colons = 0;

	if (!slice_starts(s, prefix))
		return false;
	s = slice_from(s.p + sizeof(prefix) - 1, s.n - (sizeof(prefix) - 1));
	if (s.n < 2 || memchr("aho*-", s.p[0], 5) == NULL || s.p[1] != ':')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] <= ' ')
			return false;
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == ':' && (i + 1 == s.n || s.p[i + 1] == ':'))
			return false;	/* a part is empty */
		else
			colons += s.p[i] == ':';
	}
	return colons == CPE_PARTS - 1;
}

/* A well-formed tag of RFC 5646: parts of 1 to 8 letters or digits between hyphens, letters first. */
static bool
fits_lang(struct slice s)
{
	bool first = true;

	if (s.n == 0 || s.p[s.n - 1] == '-')
		return false;
	for (; s.n > 0; first = false) {
		struct slice tag = slice_cut(&s, '-');

		if (tag.n == 0 || tag.n > 8 || !is_made_of(tag, ""))
			return false;
		for (size_t i = 0; first && i < tag.n; i++)
			if (!is_letter(tag.p[i]) || (tag.n == 1 && strchr("ixIX", tag.p[0]) == NULL))
				return false;
	}
	return true;
}

static bool
fits_country(struct slice s)
{
	return s.n == 2 && is_letter(s.p[0]) && is_letter(s.p[1]);
}

/* MAJOR.MINOR.PATCH, perhaps with what Semantic Versioning allows behind them. */
static bool
fits_semver(struct slice s)
{
	for (int i = 0; i < 3; i++) {
		size_t n = 0;

		while (n < s.n && ascii_is_digit(s.p[n]))
			n++;
		if (n == 0 || (n > 1 && s.p[0] == '0') || (i < 2 && (n == s.n || s.p[n] != '.')))
			return false;
		n += i < 2;
		s = slice_from(s.p + n, s.n - n);
	}
	return s.n == 0 || ((s.p[0] == '-' || s.p[0] == '+') && s.n > 1 && is_made_of(s, "-+."));
}

/* The hive is spelled out. */
static bool
fits_regkey(struct slice s)
{
	static const char *const shorts[] = { "HKLM", "HKCU", "HKCR", "HKCC", "HKU" };
	struct slice hive = slice_cut(&s, '\\');

	for (size_t i = 0; i < sizeof(shorts) / sizeof(*shorts); i++)
		if (slice_is_nocase(hive, shorts[i]))
			return false;
	return true;
}

/* [a-z0-9-] */
static bool
fits_verb(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_lower(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return s.n > 0;
}

/* Neither capitals nor blanks. */
static bool
fits_lower(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == ' ')
			return false;
	return s.n > 0;
}

/* 3 to 250 of [a-z0-9_] */
static bool
fits_property(struct slice s)
{
	if (s.n < NAME_MIN || s.n > NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_lower(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '_')
			return false;
	return true;
}

static const struct stix21_form forms[KINDS - KIND_FORMS] = {
	[KIND_IPV4 - KIND_FORMS] = { fits_ipv4, "BAD_VALUE", true,
	    "is no IPv4 address or network" },
	[KIND_IPV6 - KIND_FORMS] = { fits_ipv6, "BAD_VALUE", true,
	    "is no IPv6 address or network" },
	[KIND_MAC - KIND_FORMS] = { fits_mac, "BAD_VALUE", true,
	    "is not six pairs of lower-case hex digits with colons between" },
	[KIND_DOMAIN - KIND_FORMS] = { fits_domain, "BAD_VALUE", true, "is no domain name" },
	[KIND_EMAIL - KIND_FORMS] = { fits_email, "BAD_VALUE", true, "is no mail address" },
	[KIND_URL - KIND_FORMS] = { fits_url, "BAD_VALUE", true, "is no URL" },
	[KIND_MIME - KIND_FORMS] = { fits_mime, "BAD_VALUE", true,
	    "is no media type (type/subtype)" },
	[KIND_CHARSET - KIND_FORMS] = { fits_charset, "BAD_VALUE", true,
	    "is no name of a character set" },
	[KIND_CPE - KIND_FORMS] = { fits_cpe, "BAD_VALUE", true, "is no CPE 2.3 name" },
	[KIND_LANG - KIND_FORMS] = { fits_lang, "BAD_VALUE", true,
	    "is no language tag (RFC 5646)" },
	[KIND_COUNTRY - KIND_FORMS] = { fits_country, "UNKNOWN_WORD", false,
	    "should be a country code of two letters" },
	[KIND_SEMVER - KIND_FORMS] = { fits_semver, "BAD_VALUE", true,
	    "is no version MAJOR.MINOR.PATCH" },
	[KIND_REGKEY - KIND_FORMS] = { fits_regkey, "BAD_VALUE", true,
	    "has a hive that is not spelled out" },
	[KIND_VERB - KIND_FORMS] = { fits_verb, "BAD_NAME", true,
	    "is not lower case letters, digits and hyphens" },
	[KIND_LOWER - KIND_FORMS] = { fits_lower, "NOT_LOWER_CASE", false,
	    "should be lower case, without blanks" },
	[KIND_PROPERTY - KIND_FORMS] = { fits_property, "BAD_NAME", true,
	    "is no property name: they are 3 to 250 of [a-z0-9_]" },
};

const struct stix21_form *
stix21_form(enum stix21_kind kind)
{
	return &forms[kind - KIND_FORMS];
}
