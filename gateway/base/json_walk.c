#include "gateway/base/json_walk.h"

#include <endian.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

enum {
	DEPTH_DEFAULT = 128, DEPTH_CEILING = 1000,
	NUMBER_MAX = 4096, EXPONENT_MAX = 15,	/* as json_parse.c has them */
	FAR = 4 << 20			/* bytes between two calls of `passed` */
};

struct walker {
	const char	*p, *end;
	unsigned	 depth_left;
	json_walk_passed_fn *passed;
	void		*passed_arg;
	const char	*told;
};

static bool	skip_value(struct walker *w);

/* The byte at the cursor, -1 at the end. */
static inline int
peek(const struct walker *w)
{
	return w->p < w->end ? (unsigned char)*w->p : -1;
}

static inline void
skip_blanks(struct walker *w)
{
	while (w->p < w->end && (*w->p == ' ' || *w->p == '\n' || *w->p == '\r' || *w->p == '\t'))
		w->p++;
}

/* ---- strings ---- */

/* Step over bytes until one that a string cannot simply contain: '"', '\', a control character, or the
 * start of a longer code point; eight at a time (see copy_plain in json_parse.c). */
static inline void
skip_plain(struct walker *w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	const char *p = w->p;

	while (w->end - p >= 8) {
		uint64_t v, odd;

		memcpy(&v, p, 8);
		v = le64toh(v);
		odd = (v | (v - ones * ' ') | ((v ^ ones * '"') - ones) |
		    ((v ^ ones * '\\') - ones)) & tops;
		if (odd != 0) {
			w->p = p + __builtin_ctzll(odd) / 8;
			return;
		}
		p += 8;
	}
	while (p < w->end && (unsigned char)*p - 0x20u < 0x60 && *p != '"' && *p != '\\')
		p++;
	w->p = p;
}

/* Four hex digits at p, or -1. */
static int32_t
hex4(const char *p, const char *end)
{
	uint8_t b[2];

	if (end - p < 4 || !hex_decode(slice_from(p, 4), b, 2))
		return -1;
	return b[0] << 8 | b[1];
}

/* The code point that the \u escape at *p stands for, behind which *p is left; -1 if it is none. */
static int32_t
unicode_escape(const char **p, const char *end)
{
	int32_t cp = hex4(*p + 2, end), low = -1;

	if (cp < 0)
		return -1;
	*p += 6;
	if (cp < 0xd800 || cp > 0xdfff)
		return cp;
	if (cp < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u')
		low = hex4(*p + 2, end);
	if (low < 0xdc00 || low > 0xdfff)
		return -1;
	*p += 6;
	return 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
}

static bool
skip_escape(struct walker *w)
{
	if (w->end - w->p < 2)
		return false;
	if (w->p[1] == 'u')
		return unicode_escape(&w->p, w->end) >= 0;
	if (w->p[1] == '\0' || strchr("\"\\/bfnrt", w->p[1]) == NULL)
		return false;
	w->p += 2;
	return true;
}

static bool
skip_utf8(struct walker *w)
{
	size_t n = utf8_len(slice_from(w->p, (size_t)(w->end - w->p)));

	w->p += n;
	return n > 0;
}

/* The string whose opening quote is at the cursor. */
static bool
skip_string(struct walker *w)
{
	w->p++;
	for (;;) {
		int c;

		skip_plain(w);
		c = peek(w);
		if (c == '"') {
			w->p++;
			return true;
		}
		if (c < ' ')
			return false;
		if (c == '\\' ? !skip_escape(w) : !skip_utf8(w))
			return false;
	}
}

/* ---- numbers and words ---- */

static size_t
skip_digits(struct walker *w)
{
	const char *p = w->p;

	while (w->p < w->end && *w->p >= '0' && *w->p <= '9')
		w->p++;
	return (size_t)(w->p - p);
}

static bool
skip_number(struct walker *w)
{
	const char *text = w->p;
	bool zero;
	size_t n;

	w->p += *w->p == '-';
	zero = peek(w) == '0';
	n = skip_digits(w);
	if (n == 0 || (zero && n > 1))
		return false;
	if (peek(w) == '.') {
		w->p++;
		if (skip_digits(w) == 0)
			return false;
	}
	if (peek(w) == 'e' || peek(w) == 'E') {
		w->p++;
		w->p += peek(w) == '+' || peek(w) == '-';
		n = skip_digits(w);
		if (n == 0 || n > EXPONENT_MAX)
			return false;
	}
	return w->p - text <= NUMBER_MAX;
}

static bool
skip_word(struct walker *w, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(w->end - w->p) < n || memcmp(w->p, word, n) != 0)
		return false;
	w->p += n;
	return true;
}

/* ---- objects and lists ---- */

/* The name at the cursor and what stands between it and its value. */
static bool
take_name(struct walker *w, struct slice *name)
{
	const char *text = w->p + 1;

	if (peek(w) != '"' || !skip_string(w))
		return false;
	*name = slice_from(text, (size_t)(w->p - text) - 1);
	skip_blanks(w);
	if (peek(w) != ':')
		return false;
	w->p++;
	skip_blanks(w);
	return true;
}

/* json_parse refuses a name with a NUL in it: it could not be found again. */
static bool
is_name(struct slice raw)
{
	static const char nul[] = "\\u0000";
	const char *p = raw.p, *end = raw.p + raw.n;

	while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		if (end - p >= 6 && memcmp(p, nul, 6) == 0)
			return false;
		p += 2;			/* an escaped backslash is no start of an escape */
	}
	return true;
}

/* The object or list that opens at the cursor; its children are told. */
static bool
skip_children(struct walker *w, json_walk_fn *fn, void *ctx)
{
	const bool named = *w->p == '{';
	const char close = named ? '}' : ']';
	struct slice name = { NULL, 0 };

	if (w->depth_left == 0)
		return false;
	w->depth_left--;
	w->p++;
	skip_blanks(w);
	for (bool more = peek(w) != close; more; ) {
		const char *value;

		if (named && (!take_name(w, &name) || !is_name(name)))
			return false;
		value = w->p;
		if (w->passed != NULL && value - w->told >= FAR) {
			w->passed(w->passed_arg, value);
			w->told = value;
		}
		if (!skip_value(w) ||
		    (fn != NULL && !fn(ctx, name, slice_from(value, (size_t)(w->p - value)))))
			return false;
		skip_blanks(w);
		more = peek(w) == ',';
		w->p += more;
		if (more)
			skip_blanks(w);
		else if (peek(w) != close)
			return false;
	}
	w->p++;
	w->depth_left++;
	return true;
}

static bool
skip_value(struct walker *w)
{
	int c = peek(w);

	switch (c) {
	case '{':
	case '[':
		return skip_children(w, NULL, NULL);
	case '"':
		return skip_string(w);
	case 't':
		return skip_word(w, "true");
	case 'f':
		return skip_word(w, "false");
	case 'n':
		return skip_word(w, "null");
	default:
		return (c == '-' || (c >= '0' && c <= '9')) && skip_number(w);
	}
}

bool
json_walk(struct slice text, unsigned depth, json_walk_fn *fn, void *ctx)
{
	return json_walk_far(text, depth, fn, ctx, NULL, NULL);
}

/* Begin at the first byte; the walk says how it ended. */
static bool
walk(struct walker *w, unsigned depth, json_walk_fn *fn, void *ctx)
{
	int c;

	if (depth != 0)
		w->depth_left = depth > DEPTH_CEILING ? DEPTH_CEILING : depth;
	skip_blanks(w);
	c = peek(w);
	if (c == '{' || c == '[' ? !skip_children(w, fn, ctx) : !skip_value(w))
		return false;
	skip_blanks(w);
	return w->p == w->end;
}

bool
json_walk_far(struct slice text, unsigned depth, json_walk_fn *fn, void *ctx,
    json_walk_passed_fn *passed, void *arg)
{
	struct walker w = { text.p, text.p + text.n, DEPTH_DEFAULT, passed, arg, text.p };

	return walk(&w, depth, fn, ctx);
}

bool
json_walk_end(struct slice text, unsigned depth, json_walk_passed_fn *passed, void *arg, size_t *end)
{
	struct walker w = { text.p, text.p + text.n, DEPTH_DEFAULT, passed, arg, text.p };
	bool good = walk(&w, depth, NULL, NULL);

	*end = (size_t)(w.p - text.p);
	return good;
}

/* ---- contents ---- */

/* Append what the escape at *p stands for. */
static char *
put_escape(char *out, const char **p, const char *end)
{
	static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";	/* letter, meaning, ... */
	char letter = (*p)[1];

	if (letter == 'u')
		return out + utf8_put(out, (uint32_t)unicode_escape(p, end));
	for (const char *s = plain; *s != '\0'; s += 2)
		if (s[0] == letter)
			*out++ = s[1];
	*p += 2;
	return out;
}

struct slice
json_walk_text(struct slice raw, bool quoted, struct arena *mem)
{
	const char *p, *end;
	char *text, *out;

	if (quoted)
		raw = slice_from(raw.p + 1, raw.n - 2);
	if (memchr(raw.p, '\\', raw.n) == NULL)
		return raw;
	text = out = arena_raw(mem, raw.n + 1);
	for (p = raw.p, end = raw.p + raw.n; p < end; ) {
		if (*p == '\\')
			out = put_escape(out, &p, end);
		else
			*out++ = *p++;
	}
	return slice_from(text, (size_t)(out - text));
}
