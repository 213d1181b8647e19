/* mapped_encoding.c -- the encodings of CSV files, to UTF-8 and back. */
#include "formats/mapped_impl.h"

/* Windows-1252 from 0x80 to 0x9f; 0 = not assigned. */
static const uint16_t cp1252_high[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
	0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc,
	0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178
};

/* What ISO 8859-15 has where ISO 8859-1 has something else. */
static const struct { unsigned char byte; uint16_t cp; } latin9[] = {
	{ 0xa4, 0x20ac }, { 0xa6, 0x0160 }, { 0xa8, 0x0161 }, { 0xb4, 0x017d }, { 0xb8, 0x017e },
	{ 0xbc, 0x0152 }, { 0xbd, 0x0153 }, { 0xbe, 0x0178 },
};
enum { LATIN9 = sizeof(latin9) / sizeof(*latin9) };

/* Append s as UTF-8; false if it is not legal in that encoding. UTF-16 was taken apart before. */
bool
map_decode(enum map_encoding enc, struct slice s, struct strbuf *out)
{
	if (enc == ENC_UTF8 || enc == ENC_UTF16) {
		strbuf_addsl(out, s);
		return utf8_bad_at(s) == s.n;
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		uint32_t cp = c;

		if (enc == ENC_CP1252 && c >= 0x80 && c < 0xa0 && (cp = cp1252_high[c - 0x80]) == 0)
			return false;
		for (size_t k = 0; enc == ENC_LATIN9 && k < LATIN9; k++)
			if (latin9[k].byte == c)
				cp = latin9[k].cp;
		utf8_add(out, cp);
	}
	return true;
}

/* The byte of a code point, -1 if the encoding has none. */
static int
byte_of(enum map_encoding enc, uint32_t cp)
{
	for (size_t i = 0; enc == ENC_LATIN9 && i < LATIN9; i++) {
		if (latin9[i].cp == cp)
			return latin9[i].byte;
		if (latin9[i].byte == cp)
			return -1;
	}
	if (cp < 0x80 || (cp >= 0xa0 && cp <= 0xff) || (enc != ENC_CP1252 && cp <= 0xff))
		return (int)cp;
	for (int i = 0; enc == ENC_CP1252 && i < 32; i++)
		if (cp1252_high[i] == cp)
			return 0x80 + i;
	return -1;
}

/* Append UTF-8 text in the encoding; false if it cannot say it. */
bool
map_encode(enum map_encoding enc, struct slice s, struct strbuf *out)
{
	if (enc != ENC_UTF8 && utf8_bad_at(s) != s.n)
		return false;
	if (enc == ENC_UTF8 || enc == ENC_UTF16) {
		strbuf_addsl(out, s);
		return true;
	}
	while (s.n > 0) {
		int c = byte_of(enc, utf8_next(&s));

		if (c < 0)
			return false;
		strbuf_addc(out, (char)c);
	}
	return true;
}

/* ---- UTF-16 ----------------------------------------------------------------------------------- */

/* The unit at s.p + i, whichever byte comes first. */
static uint32_t
unit_at(struct slice s, size_t i, bool big)
{
	unsigned char a = (unsigned char)s.p[i], b = (unsigned char)s.p[i + 1];

	return big ? (uint32_t)a << 8 | b : (uint32_t)b << 8 | a;
}

/* Turn UTF-16 into UTF-8. A mark at the beginning says which byte comes first; without one it is the lower.
 * False if it is cut in the middle, or a surrogate stands alone. */
bool
map_utf16_read(struct slice s, struct arena *mem, struct slice *out)
{
	struct strbuf b = STRBUF_INIT;
	bool big = s.n >= 2 && s.p[0] == '\xfe' && s.p[1] == '\xff', good = s.n % 2 == 0;

	for (size_t i = 0; good && i < s.n; i += 2) {
		uint32_t cp = unit_at(s, i, big), low;

		if (i == 0 && cp == 0xfeff)
			continue;
		if (cp >= 0xd800 && cp < 0xdc00 && i + 3 < s.n) {
			low = unit_at(s, i + 2, big);
			good = low >= 0xdc00 && low < 0xe000;
			cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		} else {
			good = cp < 0xd800 || cp >= 0xe000;
		}
		if (good)
			utf8_add(&b, cp);
	}
	if (good)
		*out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return good;
}

static void
add_unit(struct strbuf *b, uint32_t unit)
{
	strbuf_addc(b, (char)(unit & 0xff));
	strbuf_addc(b, (char)(unit >> 8));
}

/* Turn what stands in the output from `start` on into UTF-16, lower byte first, with a mark. */
void
map_utf16_write(struct strbuf *out, size_t start)
{
	struct strbuf b = STRBUF_INIT;
	struct slice rest = slice_from(out->p + start, out->n - start);

	add_unit(&b, 0xfeff);
	while (rest.n > 0) {
		uint32_t cp = utf8_next(&rest);

		if (cp >= 0x10000) {
			add_unit(&b, 0xd800 + ((cp - 0x10000) >> 10));
			add_unit(&b, 0xdc00 + ((cp - 0x10000) & 0x3ff));
		} else {
			add_unit(&b, cp);
		}
	}
	strbuf_setlen(out, start);
	strbuf_addsl(out, strbuf_slice(&b));
	strbuf_fini(&b);
}
