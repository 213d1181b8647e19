/* The strict parser: one pass over the bytes, straight into cJSON nodes in the arena. */
#include <endian.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json_impl.h"
#include "gateway/base/strbuf.h"

enum {
	DEPTH_DEFAULT = 128,
	NODES_DEFAULT = 4000000,
	FEW_NAMES = 24,			/* compared pairwise; more are sorted */
	NAME_SHOWN = 40			/* bytes of a name in an error */
};

/* A member's name, kept while its object is open. */
struct name {
	uint64_t	 head;		/* the first eight bytes: settles most comparisons */
	struct slice	 text;
	size_t		 at;		/* offset in the input */
};

struct parser {
	const char	*p;
	const char	*end;
	const char	*start;
	char		*w;		/* decoded strings go here: never longer than the input */
	struct arena	*mem;
	struct json_doc	*doc;
	size_t		 items_cap;
	unsigned	 depth_left;
	size_t		 nodes_left;
	struct name	*names;		/* of all open objects, innermost last */
	size_t		 nnames;
	size_t		 names_cap;
	struct err	*e;
};

/* What the elements of a list are to the caller. */
enum role { PLAIN, ROOT, ITEMS };

static bool	read_value(struct parser *j, cJSON *n, enum role role);

static struct pos
place(const struct parser *j, const char *p)
{
	return pos_of(j->start, (size_t)(j->end - j->start), (size_t)(p - j->start));
}

/* Say what should have stood at j->p; false. */
static bool
fail_expected(struct parser *j, const char *what)
{
	unsigned char c;

	if (j->p == j->end)
		err_at(j->e, ERR_SYNTAX, place(j, j->p), "expected %s, but the text ends", what);
	else if ((c = (unsigned char)*j->p) > ' ' && c < 0x7f)
		err_at(j->e, ERR_SYNTAX, place(j, j->p), "expected %s, found '%c'", what, c);
	else
		err_at(j->e, ERR_SYNTAX, place(j, j->p), "expected %s, found byte 0x%02x", what, c);
	return false;
}

static bool
fail(struct parser *j, enum err_code code, const char *p, const char *why)
{
	err_at(j->e, code, place(j, p), "%s", why);
	return false;
}

/* The byte at the cursor, -1 at the end. */
static inline int
peek(const struct parser *j)
{
	return j->p < j->end ? (unsigned char)*j->p : -1;
}

static inline void
skip_blanks(struct parser *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\r' || *j->p == '\t'))
		j->p++;
}

/* Copy bytes to w until one that a string cannot simply contain: '"', '\', a control character,
 * or the start of a longer code point. Eight at a time: a byte of `odd` has its top bit set if the
 * byte of v is such a one (or stands behind one). Returns the new w. */
static inline char *
copy_plain(struct parser *j, char *w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	const char *p = j->p;

	while (j->end - p >= 8) {
		uint64_t v, odd;

		memcpy(&v, p, 8);
		memcpy(w, &v, 8);
		v = le64toh(v);
		odd = (v | (v - ones * ' ') | ((v ^ ones * '"') - ones) |
		    ((v ^ ones * '\\') - ones)) & tops;
		if (odd != 0) {
			size_t n = (size_t)__builtin_ctzll(odd) / 8;

			j->p = p + n;
			return w + n;
		}
		p += 8;
		w += 8;
	}
	while (p < j->end && (unsigned char)*p - 0x20u < 0x60 && *p != '"' && *p != '\\')
		*w++ = *p++;
	j->p = p;
	return w;
}

/* Four hex digits at p, or -1. */
static int32_t
read_hex4(const struct parser *j, const char *p)
{
	uint8_t b[2];

	if (j->end - p < 4 || !hex_decode(slice_from(p, 4), b, 2))
		return -1;
	return b[0] << 8 | b[1];
}

/* Decode the \u escape at j->p, or a pair of them; NULL when it is none. */
static char *
copy_unicode(struct parser *j, char *w)
{
	const char *esc = j->p;
	int32_t cp = read_hex4(j, esc + 2), low = -1;

	if (cp < 0) {
		fail(j, ERR_SYNTAX, esc, "expected four hex digits after \\u");
		return NULL;
	}
	j->p += 6;
	if (cp >= 0xd800 && cp <= 0xdfff) {
		if (cp < 0xdc00 && j->end - j->p >= 6 && j->p[0] == '\\' && j->p[1] == 'u')
			low = read_hex4(j, j->p + 2);
		if (low < 0xdc00 || low > 0xdfff) {
			fail(j, ERR_ENCODING, esc, "a lone surrogate is no character");
			return NULL;
		}
		j->p += 6;
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	}
	return w + utf8_put(w, (uint32_t)cp);
}

/* Decode the escape at j->p; NULL when it is none. */
static char *
copy_escape(struct parser *j, char *w)
{
	static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";	/* letter, meaning, ... */

	if (j->end - j->p >= 2 && j->p[1] == 'u')
		return copy_unicode(j, w);
	for (const char *s = plain; j->end - j->p >= 2 && *s != '\0'; s += 2) {
		if (s[0] == j->p[1]) {
			j->p += 2;
			*w++ = s[1];
			return w;
		}
	}
	fail(j, ERR_SYNTAX, j->p, "expected one of \"\\/bfnrtu after a backslash");
	return NULL;
}

/* Copy a run of code points beyond ASCII; NULL when one is ill-formed. */
static char *
copy_utf8(struct parser *j, char *w)
{
	while (j->p < j->end && (unsigned char)*j->p >= 0x80) {
		size_t n = utf8_len((struct slice){ j->p, (size_t)(j->end - j->p) });

		if (n == 0) {
			fail(j, ERR_ENCODING, j->p, "this is not UTF-8");
			return NULL;
		}
		for (; n > 0; n--)
			*w++ = *j->p++;
	}
	return w;
}

/* Decode the string whose opening quote is at j->p; *escaped says whether it had escapes. */
static bool
read_string(struct parser *j, struct slice *out, bool *escaped)
{
	const char *open = j->p++;
	char *w = j->w;

	*escaped = false;
	for (;;) {
		int c;

		w = copy_plain(j, w);
		if ((c = peek(j)) == '"')
			break;
		if (c < 0)
			return fail(j, ERR_SYNTAX, open, "this string is never closed");
		if (c < ' ')
			return fail(j, ERR_SYNTAX, j->p,
			    "a control character in a string must be escaped");
		if (c == '\\')
			*escaped = true;
		if ((w = c == '\\' ? copy_escape(j, w) : copy_utf8(j, w)) == NULL)
			return false;
	}
	j->p++;
	*out = (struct slice){ j->w, (size_t)(w - j->w) };
	if (out->n > JSON_STRING_MAX)
		return fail(j, ERR_LIMIT, open, "this string is too long");
	*w++ = '\0';
	j->w = w;
	return true;
}

/* A string as a value. */
static bool
read_text(struct parser *j, cJSON *n)
{
	const char *open = j->p;
	struct slice s;
	bool escaped;

	if (!read_string(j, &s, &escaped))
		return false;
	if (escaped && memchr(s.p, '\0', s.n) != NULL) {
		json_set_raw_string(j->mem, n, slice_from(open, (size_t)(j->p - open)), s);
		return true;
	}
	json_set_text(n, s);
	return true;
}

/* Step over digits; false if there is none. */
static bool
skip_digits(struct parser *j)
{
	const char *p = j->p;

	while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
		j->p++;
	return j->p > p;
}

/* Step over fraction and exponent. */
static bool
skip_fraction(struct parser *j)
{
	const char *digits;

	if (peek(j) == '.') {
		j->p++;
		if (!skip_digits(j))
			return fail_expected(j, "a digit after the decimal point");
	}
	if (peek(j) == 'e' || peek(j) == 'E') {
		j->p++;
		if (peek(j) == '+' || peek(j) == '-')
			j->p++;
		digits = j->p;
		if (!skip_digits(j))
			return fail_expected(j, "a digit in the exponent");
		if (j->p - digits > JSON_EXPONENT_MAX)
			return fail(j, ERR_LIMIT, digits, "the exponent has too many digits");
	}
	return true;
}

/* A number; anything but a plain integer that a double holds exactly keeps its text. */
static bool
read_number(struct parser *j, cJSON *n)
{
	const char *text = j->p, *digits = text + (*text == '-');
	int64_t v = 0;
	size_t len;
	bool plain;

	j->p = digits;
	if (!skip_digits(j))
		return fail_expected(j, "a digit after '-'");
	len = (size_t)(j->p - digits);
	if (*digits == '0' && len > 1)
		return fail(j, ERR_SYNTAX, text, "a number may not start with a zero");
	plain = len <= 16 && peek(j) != '.' && peek(j) != 'e' && peek(j) != 'E';
	for (size_t i = 0; plain && i < len; i++)
		v = v * 10 + (digits[i] - '0');
	if (plain && v <= JSON_INTEGER_MAX && (v != 0 || *text != '-')) {
		json_set_integer(n, *text == '-' ? -v : v);
		return true;
	}
	if (!skip_fraction(j))
		return false;
	len = (size_t)(j->p - text);
	if (len > JSON_NUMBER_MAX)
		return fail(j, ERR_LIMIT, text, "this number is too long");
	n->type = cJSON_Raw;
	n->valuestring = memcpy(j->w, text, len);
	j->w[len] = '\0';
	j->w += len + 1;
	return true;
}

static bool
read_word(struct parser *j, cJSON *n, const char *word, int type)
{
	size_t len = strlen(word);

	if ((size_t)(j->end - j->p) < len || memcmp(j->p, word, len) != 0)
		return fail_expected(j, "a value");
	j->p += len;
	n->type = type;
	n->valueint = type == cJSON_True;
	return true;
}

/* A new last child of parent; NULL when there are too many values. */
static cJSON *
add_child(struct parser *j, cJSON *parent)
{
	cJSON *n;

	if (j->nodes_left-- == 0) {
		j->nodes_left = 0;
		fail(j, ERR_LIMIT, j->p, "too many values");
		return NULL;
	}
	n = arena_raw(j->mem, sizeof(*n));
	*n = (cJSON){ .type = cJSON_Invalid };	/* without a call: there are as many as words */
	if (parent != NULL)
		json_link(parent, n);
	return n;
}

static bool
enter(struct parser *j)
{
	if (j->depth_left == 0)
		return fail(j, ERR_DEPTH, j->p, "nested too deep");
	j->depth_left--;
	j->p++;
	skip_blanks(j);
	return true;
}

static bool
leave(struct parser *j)
{
	j->depth_left++;
	j->p++;
	return true;
}

static void
add_item(struct parser *j, cJSON *n, const char *text)
{
	struct json_doc *d = j->doc;

	d->items = arena_grow(j->mem, d->items, d->nitems, &j->items_cap, sizeof(*d->items));
	d->items[d->nitems++] = (struct json_item){
		.node = n,
		.text = { text, (size_t)(j->p - text) },
		.offset = (size_t)(text - j->start),
	};
}

/* The list that opens at j->p. */
static bool
read_list(struct parser *j, cJSON *list, enum role role)
{
	list->type = cJSON_Array;
	if (!enter(j))
		return false;
	if (peek(j) == ']')
		return leave(j);
	for (;;) {
		const char *text = j->p;
		cJSON *n = add_child(j, list);

		if (n == NULL || !read_value(j, n, PLAIN))
			return false;
		if (role != PLAIN)
			add_item(j, n, text);
		skip_blanks(j);
		if (peek(j) == ']')
			return leave(j);
		if (peek(j) != ',')
			return fail_expected(j, "',' or ']'");
		j->p++;
		skip_blanks(j);
	}
}

static bool
name_eq(const struct name *a, const struct name *b)
{
	return a->head == b->head && slice_eq(a->text, b->text);
}

/* Any total order that puts equal names side by side, the earlier first. */
static int
name_cmp(const void *va, const void *vb)
{
	const struct name *a = va, *b = vb;
	int d;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	if (a->text.n != b->text.n)
		return a->text.n < b->text.n ? -1 : 1;
	if ((d = memcmp(a->text.p, b->text.p, a->text.n)) != 0)
		return d;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* The first name of v that stands there twice (its second place), or NULL. Sorting, not hashing:
 * the names are chosen by whoever wrote the text. */
static const struct name *
find_twin(struct name *v, size_t n)
{
	const struct name *twin = NULL;

	if (n <= FEW_NAMES) {
		for (size_t i = 1; i < n; i++)
			for (size_t k = 0; k < i; k++)
				if (name_eq(&v[i], &v[k]))
					return &v[i];
		return NULL;
	}
	qsort(v, n, sizeof(*v), name_cmp);
	for (size_t i = 1; i < n; i++)
		if (name_eq(&v[i], &v[i - 1]) && (twin == NULL || v[i].at < twin->at))
			twin = &v[i];
	return twin;
}

/* Refuse the innermost object, whose names start at `base`, if two are equal. */
static bool
check_names(struct parser *j, size_t base)
{
	const struct name *twin = find_twin(j->names + base, j->nnames - base);
	struct strbuf shown = STRBUF_INIT;
	struct slice s;

	j->nnames = base;
	if (twin == NULL)
		return true;
	s = twin->text;
	if (s.n > NAME_SHOWN) {
		s.n = NAME_SHOWN;
		s.n = utf8_bad_at(s);
	}
	json_print_string(&shown, s);
	err_at(j->e, ERR_DUPLICATE, place(j, j->start + twin->at),
	    "the name %s occurs twice in one object", shown.p);
	strbuf_fini(&shown);
	return false;
}

/* The name at j->p and the colon behind it. */
static bool
read_name(struct parser *j, struct slice *out)
{
	struct name *name;
	bool escaped;

	if (peek(j) != '"')
		return fail_expected(j, "a name in quotes");
	if (j->nnames == j->names_cap) {
		j->names_cap = j->names_cap == 0 ? 64 : 2 * j->names_cap;
		j->names = xrealloc(j->names, j->names_cap * sizeof(*j->names));
	}
	name = &j->names[j->nnames++];
	name->at = (size_t)(j->p - j->start);
	if (!read_string(j, &name->text, &escaped))
		return false;
	if (escaped && memchr(name->text.p, '\0', name->text.n) != NULL)
		return fail(j, ERR_ENCODING, j->start + name->at, "a name may not hold \\u0000");
	name->head = 0;
	memcpy(&name->head, name->text.p, name->text.n < 8 ? name->text.n : 8);
	*out = name->text;
	skip_blanks(j);
	if (peek(j) != ':')
		return fail_expected(j, "':'");
	j->p++;
	skip_blanks(j);
	return true;
}

/* The object that opens at j->p. */
static bool
read_object(struct parser *j, cJSON *o, enum role role)
{
	size_t base = j->nnames;

	o->type = cJSON_Object;
	if (!enter(j))
		return false;
	if (peek(j) == '}')
		return leave(j);
	for (;;) {
		cJSON *n = add_child(j, o);
		struct slice text = SLICE_EMPTY;
		bool items;

		if (n == NULL || !read_name(j, &text))
			return false;
		items = role == ROOT && slice_is(text, "objects");
		if (!read_value(j, n, items ? ITEMS : PLAIN))
			return false;
		json_set_name(n, text);
		skip_blanks(j);
		if (peek(j) == '}')
			return check_names(j, base) && leave(j);
		if (peek(j) != ',')
			return fail_expected(j, "',' or '}'");
		j->p++;
		skip_blanks(j);
	}
}

static bool
read_value(struct parser *j, cJSON *n, enum role role)
{
	switch (peek(j)) {
	case '"':
		return read_text(j, n);
	case '{':
		return read_object(j, n, role);
	case '[':
		return read_list(j, n, role);
	case 't':
		return read_word(j, n, "true", cJSON_True);
	case 'f':
		return read_word(j, n, "false", cJSON_False);
	case 'n':
		return read_word(j, n, "null", cJSON_NULL);
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return read_number(j, n);
	default:
		return fail_expected(j, "a value");
	}
}

/* One value with blanks around it, and nothing else. */
static bool
read_document(struct parser *j)
{
	if (slice_starts(slice_from(j->p, (size_t)(j->end - j->p)), "\xef\xbb\xbf"))
		return fail(j, ERR_ENCODING, j->p, "a byte order mark may not stand before JSON");
	skip_blanks(j);
	if ((j->doc->root = add_child(j, NULL)) == NULL ||
	    !read_value(j, j->doc->root, ROOT))
		return false;
	skip_blanks(j);
	return j->p == j->end || fail_expected(j, "the end of the text");
}

int
json_parse(struct slice in, const struct json_limits *lim, struct arena *mem,
    struct json_doc *out, struct err *e)
{
	static const struct json_limits none;
	struct parser j = { .mem = mem, .doc = out, .e = e };
	bool ok;

	if (lim == NULL)
		lim = &none;
	memset(out, 0, sizeof(*out));
	if (lim->bytes != 0 && in.n > lim->bytes)
		return err_set(e, ERR_LIMIT, "%zu bytes, at most %zu are allowed", in.n,
		    lim->bytes);
	if (in.n == 0)
		in = SLICE_EMPTY;
	j.p = j.start = in.p;
	j.end = in.p + in.n;
	j.w = arena_raw(mem, in.n + 1);
	j.depth_left = lim->depth == 0 ? DEPTH_DEFAULT : lim->depth;
	if (j.depth_left > JSON_DEPTH_CEILING)
		j.depth_left = JSON_DEPTH_CEILING;
	j.nodes_left = lim->nodes == 0 ? NODES_DEFAULT : lim->nodes;
	ok = read_document(&j);
	free(j.names);
	if (!ok)
		memset(out, 0, sizeof(*out));
	return ok ? 0 : -1;
}
