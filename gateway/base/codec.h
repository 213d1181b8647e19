/*
 * codec.h -- the small encodings: UTF-8, hex, base64, UUIDs, percent escapes.
 *
 * Owns:    nothing; pure functions over slices.
 * Called:  by parsers and writers of every layer.
 * Never:   guesses. Decoders are strict and say no by returning false.
 */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include <stdint.h>

#include "gateway/base/slice.h"

struct strbuf;
struct arena;

/* Offset of the first byte that is not well-formed UTF-8 (shortest form, no surrogates, at most
 * U+10FFFF), or s.n when all is well. NUL bytes are well-formed. */
size_t	utf8_bad_at(struct slice s);
/* Bytes of the well-formed code point that starts s (1-4); 0 if none does. */
size_t	utf8_len(struct slice s);
/* Write one code point (a Unicode scalar value) to w; returns its bytes, at most 4. */
size_t	utf8_put(char *w, uint32_t cp);
void	utf8_add(struct strbuf *out, uint32_t cp);
/* Append s with U+FFFD in the place of every byte that is no UTF-8. */
void	utf8_mend(struct strbuf *out, struct slice s);
/* Decode the code point at s->p and step over it; the text must be well-formed. */
uint32_t utf8_next(struct slice *s);
/* Controls (C0, DEL, C1) and what reorders or hides text: bidirectional controls, line separators,
 * the byte order mark. Never shown raw to people, never taken from files that they review. */
static inline bool
utf8_is_unseen(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x061c || cp == 0x200e ||
	    cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	    cp == 0xfeff;
}

void	hex_add(struct strbuf *out, const void *p, size_t n);		/* lower case */
void	hex_text(const void *p, size_t n, char *out);			/* 2n + NUL */
/* Exactly 2 * n hex digits of any case. */
bool	hex_decode(struct slice s, void *out, size_t n);

void	base64_add(struct strbuf *out, const void *p, size_t n);	/* standard, padded */
void	base64url_add(struct strbuf *out, const void *p, size_t n);	/* URL-safe, no padding */
/* Standard alphabet; padding required; blanks refused unless `blanks`. Bits that encode nothing
 * must be 0, so that bytes have one spelling. On false nothing was appended. */
bool	base64_decode(struct slice s, bool blanks, struct strbuf *out);
/* URL-safe alphabet; padding refused. */
bool	base64url_decode(struct slice s, struct strbuf *out);

/* UUID text is 36 characters, lower case. */
enum { UUID_TEXT = 36 };
bool	uuid_is_shaped(struct slice s);		/* 8-4-4-4-12 hex digits, of whatever version */
bool	uuid_is_valid(struct slice s);		/* RFC 4122: version 1-5, variant 10; any case */
void	uuid_v4(char out[UUID_TEXT + 1]);	/* random */
void	uuid_v5(const char *ns, struct slice name, char out[UUID_TEXT + 1]);
extern const char uuid_ns_tocsin[];		/* 6ac30e4f-...: mapping of foreign ids */
extern const char uuid_ns_stix_sco[];		/* 00abedb4-...: STIX 2.1 section 2.9 */

/* Percent-decode once; false (and nothing appended) on broken escapes, NUL or bad UTF-8. */
bool	percent_decode(struct slice s, struct strbuf *out);

#endif
