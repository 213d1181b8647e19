#include "gateway/base/ascii.h"
#include "gateway/base/codec.h"

#include <assert.h>

#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

const char uuid_ns_tocsin[] = "6ac30e4f-ce54-4d96-a923-7e935b6302e3";
const char uuid_ns_stix_sco[] = "00abedb4-aa42-466c-9c01-fed23315a9b7";

static const char hex_lower[] = "0123456789abcdef";
static const char alphabet_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The well-formed sequences (Unicode, table 3-7) by their first byte: length, and the range of the
 * second byte; every later byte is 80..BF. */
static size_t
lead(unsigned char c, unsigned char *lo, unsigned char *hi)
{
	*lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	*hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

size_t
utf8_len(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char lo, hi;
	size_t n;

	if (s.n == 0)
		return 0;
	n = lead(p[0], &lo, &hi);
	if (n == 0 || n > s.n)
		return 0;
	if (n > 1 && (p[1] < lo || p[1] > hi))
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

size_t
utf8_bad_at(struct slice s)
{
	size_t i = 0;

	while (i < s.n) {
		uint64_t eight;
		size_t n;

		while (s.n - i >= sizeof(eight)) {
			memcpy(&eight, s.p + i, sizeof(eight));
			if ((eight & UINT64_C(0x8080808080808080)) != 0)
				break;
			i += sizeof(eight);
		}
		while (i < s.n && (unsigned char)s.p[i] < 0x80)
			i++;
		if (i == s.n)
			break;
		if ((n = utf8_len((struct slice){ s.p + i, s.n - i })) == 0)
			return i;
		i += n;
	}
	return s.n;
}

size_t
utf8_put(char *w, uint32_t cp)
{
	assert(cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff));
	if (cp < 0x80) {
		w[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		w[0] = (char)(0xc0 | cp >> 6);
		w[1] = (char)(0x80 | (cp & 63));
		return 2;
	}
	if (cp < 0x10000) {
		w[0] = (char)(0xe0 | cp >> 12);
		w[1] = (char)(0x80 | (cp >> 6 & 63));
		w[2] = (char)(0x80 | (cp & 63));
		return 3;
	}
	w[0] = (char)(0xf0 | cp >> 18);
	w[1] = (char)(0x80 | (cp >> 12 & 63));
	w[2] = (char)(0x80 | (cp >> 6 & 63));
	w[3] = (char)(0x80 | (cp & 63));
	return 4;
}

void
utf8_add(struct strbuf *out, uint32_t cp)
{
	char b[4];

	strbuf_add(out, b, utf8_put(b, cp));
}

void
utf8_mend(struct strbuf *out, struct slice s)
{
	for (size_t bad; (bad = utf8_bad_at(s)) < s.n; s.p += bad + 1, s.n -= bad + 1) {
		strbuf_add(out, s.p, bad);
		utf8_add(out, 0xfffd);
	}
	strbuf_addsl(out, s);
}

uint32_t
utf8_next(struct slice *s)
{
	static const unsigned char first_bits[5] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t n = utf8_len(*s);
	uint32_t cp;

	assert(n > 0);
	cp = (unsigned char)s->p[0] & first_bits[n];
	for (size_t i = 1; i < n; i++)
		cp = cp << 6 | ((unsigned char)s->p[i] & 63);
	s->p += n;
	s->n -= n;
	return cp;
}

void
hex_text(const void *p, size_t n, char *out)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex_lower[b[i] >> 4];
		out[2 * i + 1] = hex_lower[b[i] & 15];
	}
	out[2 * n] = '\0';
}

void
hex_add(struct strbuf *out, const void *p, size_t n)
{
	if (n == 0)
		return;
	strbuf_reserve(out, 2 * n);
	hex_text(p, n, out->p + out->n);
	out->n += 2 * n;
}

bool
hex_decode(struct slice s, void *out, size_t n)
{
	unsigned char *b = out;

	if (n > SIZE_MAX / 2 || s.n != 2 * n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (ascii_hex(s.p[i]) < 0)
			return false;
	for (size_t i = 0; i < n; i++)
		b[i] = (unsigned char)(ascii_hex(s.p[2 * i]) << 4 | ascii_hex(s.p[2 * i + 1]));
	return true;
}

/* Append n bytes in groups of three; the last group is padded if `pad`. */
static void
base64_write(struct strbuf *out, const void *p, size_t n, const char *alphabet, bool pad)
{
	const unsigned char *b = p;
	char *w;

	if (n == 0)
		return;
	strbuf_reserve(out, n / 3 * 4 + 4);
	w = out->p + out->n;
	for (; n >= 3; n -= 3, b += 3) {
		*w++ = alphabet[b[0] >> 2];
		*w++ = alphabet[(b[0] & 3) << 4 | b[1] >> 4];
		*w++ = alphabet[(b[1] & 15) << 2 | b[2] >> 6];
		*w++ = alphabet[b[2] & 63];
	}
	if (n > 0) {
		*w++ = alphabet[b[0] >> 2];
		*w++ = alphabet[(b[0] & 3) << 4 | (n > 1 ? b[1] >> 4 : 0)];
		if (n > 1)
			*w++ = alphabet[(b[1] & 15) << 2];
		else if (pad)
			*w++ = '=';
		if (pad)
			*w++ = '=';
	}
	*w = '\0';
	out->n = (size_t)(w - out->p);
}

void
base64_add(struct strbuf *out, const void *p, size_t n)
{
	base64_write(out, p, n, alphabet_std, true);
}

void
base64url_add(struct strbuf *out, const void *p, size_t n)
{
	base64_write(out, p, n, alphabet_url, false);
}

/* The six bits of a digit whose last two letters are c62 and c63, or -1. */
static int
base64_value(char c, char c62, char c63)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == c62 ? 62 : c == c63 ? 63 : -1;
}

/* Append the bytes of s up to its padding; *digits and *rest (bits that made no byte) are for the
 * caller to judge. */
static bool
base64_read(struct slice *s, bool blanks, const char *alphabet, struct strbuf *out,
    size_t *digits, uint32_t *rest)
{
	uint32_t bits = 0;
	size_t n = 0;

	strbuf_reserve(out, s->n / 4 * 3 + 3);
	for (; s->n > 0 && s->p[0] != '='; s->p++, s->n--) {
		int v;

		if (blanks && ascii_is_blank(s->p[0]))
			continue;
		if ((v = base64_value(s->p[0], alphabet[62], alphabet[63])) < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		if (n++ % 4 != 0)
			strbuf_addc(out, (char)(bits >> (6 - 2 * ((n - 1) % 4))));
	}
	*digits = n;
	*rest = n % 4 == 2 ? bits & 15 : n % 4 == 3 ? bits & 3 : 0;
	return n % 4 != 1;
}

bool
base64_decode(struct slice s, bool blanks, struct strbuf *out)
{
	size_t before = out->n, digits, pads = 0;
	uint32_t rest;

	if (!base64_read(&s, blanks, alphabet_std, out, &digits, &rest) || rest != 0)
		goto bad;
	for (; s.n > 0; s.p++, s.n--) {
		if (s.p[0] == '=')
			pads++;
		else if (!blanks || !ascii_is_blank(s.p[0]))
			goto bad;
	}
	if (pads > 2 || (digits + pads) % 4 != 0)
		goto bad;
	return true;
bad:
	strbuf_setlen(out, before);
	return false;
}

bool
base64url_decode(struct slice s, struct strbuf *out)
{
	size_t before = out->n, digits;
	uint32_t rest;

	if (base64_read(&s, false, alphabet_url, out, &digits, &rest) && rest == 0 && s.n == 0)
		return true;
	strbuf_setlen(out, before);
	return false;
}

/* Sixteen bytes of a UUID as text. */
static void
uuid_text(const uint8_t b[16], char out[UUID_TEXT + 1])
{
	char hex[33], *w = out;

	hex_text(b, 16, hex);
	for (size_t i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*w++ = '-';
		*w++ = hex[i];
	}
	*w = '\0';
}

/* The sixteen bytes of 8-4-4-4-12 hex digits. */
static bool
uuid_bytes(struct slice s, uint8_t b[16])
{
	char hex[32];
	size_t n = 0;

	if (s.n != UUID_TEXT)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s.p[i] != '-')
				return false;
		} else {
			hex[n++] = s.p[i];
		}
	}
	return hex_decode(slice_from(hex, n), b, 16);
}

/* Are these eight hex digits? All at once: bit 7 of a byte of the sums tells on which side of a limit the
 * byte of v is, which is ASCII if bit 7 of v is clear. */
static bool
is_hex8(uint64_t v)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	const uint64_t lower = v | ones * 0x20, low = v & ~tops, low_letter = lower & ~tops;
	uint64_t digit = (low + ones * (0x80 - '0')) & ~(low + ones * (0x80 - '9' - 1));
	uint64_t letter = (low_letter + ones * (0x80 - 'a')) & ~(low_letter + ones * (0x80 - 'f' - 1));

	return ((digit | letter) & ~v & tops) == tops;
}

/* The bytes of two groups of four digits, as one. */
static uint64_t
two_groups(const char *a, const char *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (uint64_t)x << 32 | y;
}

bool
uuid_is_shaped(struct slice s)
{
	uint64_t first, last;

	if (s.n != UUID_TEXT || s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' || s.p[23] != '-')
		return false;
	memcpy(&first, s.p, sizeof(first));
	memcpy(&last, s.p + 28, sizeof(last));
	return is_hex8(first) && is_hex8(two_groups(s.p + 9, s.p + 14)) &&
	    is_hex8(two_groups(s.p + 19, s.p + 24)) && is_hex8(last);
}

bool
uuid_is_valid(struct slice s)
{
	enum { VERSION = 14, VARIANT = 19 };

	return uuid_is_shaped(s) && s.p[VERSION] >= '1' && s.p[VERSION] <= '5' &&
	    ascii_hex(s.p[VARIANT]) >> 2 == 2;
}

/* Write version and the RFC 4122 variant over the bits kept for them, and the text to out. */
static void
uuid_finish(uint8_t b[16], unsigned version, char out[UUID_TEXT + 1])
{
	b[6] = (uint8_t)((b[6] & 15) | version << 4);
	b[8] = (uint8_t)((b[8] & 63) | 0x80);
	uuid_text(b, out);
}

void
uuid_v4(char out[UUID_TEXT + 1])
{
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	uuid_finish(b, 4, out);
}

void
uuid_v5(const char *ns, struct slice name, char out[UUID_TEXT + 1])
{
	struct strbuf text = STRBUF_INIT;
	uint8_t ns_bytes[16], sha1[SHA1_LEN];
	bool ok;

	ok = uuid_bytes(slice_of(ns), ns_bytes);
	assert(ok);
	(void)ok;
	strbuf_add(&text, ns_bytes, sizeof(ns_bytes));
	strbuf_addsl(&text, name);
	digest_sha1(strbuf_slice(&text), sha1);
	strbuf_fini(&text);
	uuid_finish(sha1, 5, out);
}

bool
percent_decode(struct slice s, struct strbuf *out)
{
	size_t before = out->n;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || !hex_decode((struct slice){ s.p + i + 1, 2 }, &c, 1))
				goto bad;
			i += 2;
		}
		if (c == '\0')
			goto bad;
		strbuf_addc(out, c);
	}
	if (utf8_bad_at((struct slice){ out->p + before, out->n - before }) == out->n - before)
		return true;
bad:
	strbuf_setlen(out, before);
	return false;
}
