/* csaf_cpe.c -- CPE names: the URI of 2.2 and the formatted string of 2.3 (NIST IR 7695). */
#include "formats/csaf_check.h"
#include "formats/csaf_words.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { CPE23_PARTS = 11, CPE22_PARTS = 7, EDITION_PARTS = 6 };

static const char string_start[] = "cpe:2.3:";

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '.' || c == '_';
}

/* Take one part off a formatted string: up to a colon that no backslash stands before. */
static struct slice
cut_part(struct slice *rest)
{
	size_t i = 0;
	struct slice part;

	while (i < rest->n && rest->p[i] != ':')
		i += rest->p[i] == '\\' && i + 1 < rest->n ? 2 : 1;
	part = slice_from(rest->p, i);
	*rest = i < rest->n ? slice_from(rest->p + i + 1, rest->n - i - 1) :
	    slice_from(rest->p + rest->n, 0);
	return part;
}

/* A part: "*", "-", or plain and quoted characters, with wildcards at its ends. */
static bool
is_part(struct slice s)
{
	size_t from = 0, to = s.n;

	if (slice_is(s, "*") || slice_is(s, "-"))
		return true;
	while (from < to && (s.p[from] == '*' || s.p[from] == '?'))
		from++;
	while (to > from && (s.p[to - 1] == '*' || s.p[to - 1] == '?') && (to < 2 || s.p[to - 2] != '\\'))
		to--;
	for (size_t i = from; i < to; i++) {
		if (s.p[i] == '\\' && i + 1 < to && (unsigned char)s.p[i + 1] > ' ')
			i++;
		else if (!is_plain(s.p[i]))
			return false;
	}
	return to > from;
}

static bool
is_cpe23(struct slice s)
{
	size_t parts = 0;
	bool more = true;

	if (!slice_starts(s, string_start))
		return false;
	s = slice_from(s.p + sizeof(string_start) - 1, s.n - (sizeof(string_start) - 1));
	while (more && parts < CPE23_PARTS) {
		size_t had = s.n;
		struct slice part = cut_part(&s);

		if (!is_part(part) || (parts == 0 && (part.n != 1 || strchr("aho*-", part.p[0]) == NULL)))
			return false;
		more = part.n < had;
		parts++;
	}
	return parts == CPE23_PARTS && !more;
}

static bool
is_cpe22(struct slice s)
{
	size_t parts = 1;

	if (s.n < 6 || !slice_starts(s, "cpe:/"))
		return false;
	for (size_t i = 5; i < s.n; i++) {
		char hex[1];

		if (s.p[i] == ':')
			parts++;
		else if (s.p[i] == '%' && (i + 2 >= s.n || !hex_decode(slice_from(s.p + i + 1, 2), hex, 1)))
			return false;
		else if (!is_plain(s.p[i]) && s.p[i] != '%' && s.p[i] != '~')
			return false;
	}
	return parts <= CPE22_PARTS && strchr("aho:AHO", s.p[5]) != NULL;
}

bool
csaf_is_cpe(struct slice s)
{
	return is_cpe23(s) || is_cpe22(s);
}

/* Append one part of a URI as one of a formatted string: empty is any, %01 and %02 are wildcards,
 * other escapes become quoted characters. */
static void
add_part(struct strbuf *out, struct slice part)
{
	strbuf_addc(out, ':');
	if (part.n == 0)
		strbuf_addc(out, '*');
	for (size_t i = 0; i < part.n; i++) {
		char c = part.p[i];

		if (c == '%' && hex_decode(slice_from(part.p + i + 1, 2), &c, 1))
			i += 2;
		if (c == 0x01 || c == 0x02) {
			strbuf_addc(out, c == 0x01 ? '?' : '*');
			continue;
		}
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!is_plain(c) || (c == '-' && part.n > 1))
			strbuf_addc(out, '\\');
		strbuf_addc(out, c);
	}
}

/* Append edition and the four that 2.3 has behind it: packed in one part as ~e~sw~tsw~thw~other. */
static void
add_edition(struct strbuf *edition, struct strbuf *others, struct slice part)
{
	bool packed = part.n > 0 && part.p[0] == '~';

	if (packed)
		part = slice_from(part.p + 1, part.n - 1);
	add_part(edition, packed ? slice_cut(&part, '~') : part);
	for (int i = 0; i < EDITION_PARTS - 2; i++)
		add_part(others, packed ? slice_cut(&part, '~') : SLICE_EMPTY);
}

/* See csaf_words.h. */
struct slice
csaf_cpe23(struct arena *mem, struct slice cpe)
{
	struct strbuf out = STRBUF_INIT, others = STRBUF_INIT;
	struct slice rest, name;

	if (is_cpe23(cpe))
		return cpe;
	if (!is_cpe22(cpe))
		return SLICE_EMPTY;
	rest = slice_from(cpe.p + 5, cpe.n - 5);
	strbuf_adds(&out, "cpe:2.3");
	for (int i = 0; i < 5; i++)	/* part, vendor, product, version, update */
		add_part(&out, slice_cut(&rest, ':'));
	add_edition(&out, &others, slice_cut(&rest, ':'));
	add_part(&out, rest);		/* language */
	strbuf_addsl(&out, strbuf_slice(&others));
	name = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	strbuf_fini(&others);
	return name;
}
