/* cybox_codec.c -- values as CybOX and as STIX write them (see cybox_impl.h). */
#include <string.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/cybox_impl.h"
#include "formats/value.h"
#include "gateway/base/ascii.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"

enum pat_literal_kind
cx_literal(enum cx_codec codec)
{
	static const enum pat_literal_kind kinds[CXC_CODECS] = {
		[CXC_TEXT] = PAT_STRING, [CXC_EXACT] = PAT_STRING, [CXC_INT] = PAT_INT,
		[CXC_FLOAT] = PAT_FLOAT, [CXC_BOOL] = PAT_BOOL, [CXC_HEX] = PAT_HEX,
		[CXC_TIME] = PAT_TIMESTAMP, [CXC_BASE64] = PAT_BINARY, [CXC_HEXINT] = PAT_INT,
		[CXC_HEXTIME] = PAT_TIMESTAMP, [CXC_LOWER] = PAT_STRING,
		[CXC_HTTP] = PAT_STRING, [CXC_FLAG] = PAT_INT,
		[CXC_PE_TYPE] = PAT_STRING, [CXC_MIME] = PAT_STRING,
	};

	return kinds[codec];
}

/* Decimal digits with an optional minus, without leading zeros; within what JSON holds exactly. */
static bool
decode_int(struct arena *mem, struct slice in, struct slice *out)
{
	struct slice digits = in;
	unsigned long long v;
	bool minus = in.n > 0 && in.p[0] == '-';

	if (minus)
		digits = slice_from(in.p + 1, in.n - 1);
	if (!slice_u64(digits, &v) || v > 9007199254740991ULL)
		return false;
	*out = slice_of(arena_fmt(mem, "%s%llu", minus && v > 0 ? "-" : "", v));
	return true;
}

/* Digits, a point, digits: what a pattern and JSON both take. */
static bool
decode_float(struct arena *mem, struct slice in, struct slice *out)
{
	struct slice rest = in, whole, part;
	bool minus = in.n > 0 && in.p[0] == '-';

	if (minus)
		rest = slice_from(in.p + 1, in.n - 1);
	whole = slice_cut(&rest, '.');
	part = rest.n > 0 ? rest : SLICE_LIT("0");
	if (whole.n == 0 || whole.n > 15 || part.n > 30)
		return false;
	for (size_t i = 0; i < whole.n; i++) {
		if (!ascii_is_digit(whole.p[i]))
			return false;
	}
	for (size_t i = 0; i < part.n; i++) {
		if (!ascii_is_digit(part.p[i]))
			return false;
	}
	while (whole.n > 1 && whole.p[0] == '0')
		whole = slice_from(whole.p + 1, whole.n - 1);
	*out = slice_of(arena_fmt(mem, "%s%.*s.%.*s", minus ? "-" : "", SLICE_ARG(whole),
	    SLICE_ARG(part)));
	return true;
}

static bool
decode_bool(struct slice in, struct slice *out)
{
	if (slice_is_nocase(in, "true") || slice_is(in, "1"))
		*out = SLICE_LIT("true");
	else if (slice_is_nocase(in, "false") || slice_is(in, "0"))
		*out = SLICE_LIT("false");
	else
		return false;
	return true;
}

/* Pairs of hex digits in lower case, without 0x. */
static bool
decode_hex(struct arena *mem, struct slice in, struct slice *out)
{
	struct slice digits = in;
	char *w;
	size_t n = 0;

	if (slice_starts(in, "0x") || slice_starts(in, "0X"))
		digits = slice_from(in.p + 2, in.n - 2);
	if (digits.n == 0)
		return false;
	w = arena_alloc(mem, digits.n + 2);
	if (digits.n % 2 == 1)
		w[n++] = '0';
	for (size_t i = 0; i < digits.n; i++) {
		if (ascii_hex(digits.p[i]) < 0)
			return false;
		w[n++] = ascii_lower(digits.p[i]);
	}
	*out = slice_from(w, n);
	return true;
}

static bool
hex_number(struct slice in, unsigned long long *v)
{
	struct slice digits = in;

	if (slice_starts(in, "0x") || slice_starts(in, "0X"))
		digits = slice_from(in.p + 2, in.n - 2);
	*v = 0;
	for (size_t i = 0; i < digits.n; i++) {
		int d = ascii_hex(digits.p[i]);

		if (d < 0 || *v > 0xfffffffffffffULL)
			return false;
		*v = *v * 16 + (unsigned)d;
	}
	return digits.n > 0 && *v <= 9007199254740991ULL;
}

static bool
decode_hextime(struct arena *mem, struct slice in, struct slice *out)
{
	char text[STAMP_TEXT + 1];
	unsigned long long v;

	if (!hex_number(in, &v) || v > 0xffffffffULL)
		return false;
	stamp_text((int64_t)v * 1000000, text);
	*out = slice_of(arena_fmt(mem, "%.19sZ", text));
	return true;
}

static bool
encode_hextime(struct arena *mem, struct slice in, struct slice *out)
{
	int64_t us;

	if (!stamp_parse(in, &us) || us < 0 || us % 1000000 != 0 || us / 1000000 > 0xffffffffLL)
		return false;
	*out = slice_of(arena_fmt(mem, "%08llx", (unsigned long long)(us / 1000000)));
	return true;
}

/* Base64 without blanks; other text is not taken for it. */
static bool
decode_base64(struct arena *mem, struct slice in, struct slice *out)
{
	struct strbuf bytes = STRBUF_INIT, again = STRBUF_INIT;
	bool ok = base64_decode(in, true, &bytes);

	if (ok) {
		base64_add(&again, bytes.p, bytes.n);
		*out = arena_slice(mem, strbuf_slice(&again));
	}
	strbuf_fini(&bytes);
	strbuf_fini(&again);
	return ok && out->n > 0;
}

static const struct { const char *cybox, *stix; } pe_types[] = {
	{ "Executable", "exe" }, { "Dll", "dll" },
};

static bool
decode_pe_type(struct slice in, struct slice *out)
{
	for (size_t i = 0; i < COUNTOF(pe_types); i++) {
		if (slice_is_nocase(in, pe_types[i].cybox) || slice_is_nocase(in, pe_types[i].stix)) {
			*out = slice_of(pe_types[i].stix);
			return true;
		}
	}
	return slice_is_nocase(in, "sys") ? (*out = SLICE_LIT("sys"), true) : false;
}

/* "text/html": two words with a slash. */
static bool
is_media_type(struct slice in)
{
	struct slice rest = in, type = slice_cut(&rest, '/');

	if (type.n == 0 || rest.n == 0)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		if (ascii_is_blank(in.p[i]) || (in.p[i] == '/' && in.p + i != type.p + type.n))
			return false;
	}
	return true;
}

bool
cx_decode(struct arena *mem, enum cx_codec codec, struct slice in, struct slice *out, bool *same)
{
	unsigned long long v;
	bool ok;

	*out = in;
	switch (codec) {
	case CXC_TEXT:
	case CXC_EXACT:
		ok = in.n > 0;
		break;
	case CXC_INT:
		ok = decode_int(mem, in, out);
		break;
	case CXC_FLOAT:
		ok = decode_float(mem, in, out);
		break;
	case CXC_BOOL:
		ok = decode_bool(in, out);
		break;
	case CXC_FLAG:
		if ((ok = decode_bool(in, out)))
			*out = slice_is(*out, "true") ? SLICE_LIT("1") : SLICE_LIT("0");
		else
			ok = decode_int(mem, in, out);
		break;
	case CXC_HEX:
		ok = decode_hex(mem, in, out);
		break;
	case CXC_TIME:
		ok = stamp_to_utc(mem, in, out);
		break;
	case CXC_BASE64:
		ok = decode_base64(mem, in, out);
		break;
	case CXC_HEXINT:
		if ((ok = hex_number(in, &v)))
			*out = slice_of(arena_fmt(mem, "%llu", v));
		*same = ok;
		return ok;
	case CXC_HEXTIME:
		ok = *same = decode_hextime(mem, in, out);
		return ok;
	case CXC_LOWER:
	case CXC_HTTP:
		*out = value_lower(in, mem);
		*same = in.n > 0;	/* the same word to everyone */
		return in.n > 0;
	case CXC_PE_TYPE:
		ok = *same = decode_pe_type(in, out);
		return ok;
	case CXC_MIME:
		ok = is_media_type(in);
		break;
	default:
		ok = false;
	}
	*same = ok && slice_eq(in, *out);
	return ok;
}

static struct slice
upper(struct arena *mem, struct slice in)
{
	char *text = arena_str(mem, in);

	for (size_t i = 0; i < in.n; i++) {
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 32);
	}
	return slice_from(text, in.n);
}

bool
cx_encode(struct arena *mem, enum cx_codec codec, struct slice in, struct slice *out)
{
	unsigned long long v;

	*out = in;
	switch (codec) {
	case CXC_HEXINT:
		if (!slice_u64(in, &v))
			return false;
		*out = slice_of(arena_fmt(mem, "%llx", v));
		if (out->n % 2 == 1)
			*out = slice_of(arena_fmt(mem, "0%llx", v));
		return true;
	case CXC_HEXTIME:
		return encode_hextime(mem, in, out);
	case CXC_HTTP:
		*out = upper(mem, in);
		return in.n > 0;
	case CXC_PE_TYPE:
		for (size_t i = 0; i < COUNTOF(pe_types); i++) {
			if (slice_is(in, pe_types[i].stix)) {
				*out = slice_of(pe_types[i].cybox);
				return true;
			}
		}
		return slice_is(in, "sys");
	default:
		return in.n > 0;
	}
}

bool
cx_is_network(struct arena *mem, struct slice s)
{
	struct slice out;

	return memchr(s.p, '/', s.n) != NULL && (value_ip(4, s, mem, &out) || value_ip(6, s, mem, &out));
}

struct slice
cx_quote_regex(struct arena *mem, struct slice s)
{
	char *w = arena_raw(mem, 2 * s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\0' && strchr("\\^$.|?*+()[]{}", s.p[i]) != NULL)
			w[n++] = '\\';
		w[n++] = s.p[i];
	}
	return slice_from(w, n);
}

enum cx_like
cx_like_form(struct slice pattern, struct slice *text)
{
	bool starts = pattern.n > 0 && pattern.p[pattern.n - 1] == '%';
	bool ends = pattern.n > 0 && pattern.p[0] == '%';

	*text = pattern;
	if (pattern.n == 1 && starts)
		return CX_LIKE_OTHER;
	if (ends)
		*text = slice_from(text->p + 1, text->n - 1);
	if (starts)
		text->n--;
	if (text->n == 0 || memchr(text->p, '%', text->n) != NULL ||
	    memchr(text->p, '_', text->n) != NULL)
		return CX_LIKE_OTHER;
	if (starts && ends)
		return CX_LIKE_CONTAINS;
	return starts ? CX_LIKE_STARTS : ends ? CX_LIKE_ENDS : CX_LIKE_PLAIN;
}
