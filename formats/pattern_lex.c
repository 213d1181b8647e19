#include "formats/pattern_lex.h"

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"

static const struct {
	const char	*word;
	enum pat_tok	 tok;
} keywords[] = {
	{ "AND", PT_AND }, { "OR", PT_OR }, { "NOT", PT_NOT }, { "FOLLOWEDBY", PT_FOLLOWEDBY },
	{ "LIKE", PT_LIKE }, { "MATCHES", PT_MATCHES }, { "ISSUPERSET", PT_ISSUPERSET },
	{ "ISSUBSET", PT_ISSUBSET }, { "EXISTS", PT_EXISTS }, { "LAST", PT_LAST }, { "IN", PT_IN },
	{ "START", PT_START }, { "STOP", PT_STOP }, { "SECONDS", PT_SECONDS },
	{ "WITHIN", PT_WITHIN }, { "REPEATS", PT_REPEATS }, { "TIMES", PT_TIMES },
	{ "true", PT_TRUE }, { "false", PT_FALSE }
};

/* Longest spelling first. */
static const struct {
	const char	*text;
	enum pat_tok	 tok;
} operators[] = {
	{ "==", PT_EQ }, { "!=", PT_NE }, { "<>", PT_NE }, { "<=", PT_LE }, { ">=", PT_GE },
	{ "=", PT_EQ }, { "<", PT_LT }, { ">", PT_GT }, { ":", PT_COLON }, { ".", PT_DOT },
	{ ",", PT_COMMA }, { "(", PT_LPAREN }, { ")", PT_RPAREN }, { "[", PT_LBRACKET },
	{ "]", PT_RBRACKET }, { "*", PT_STAR }
};

/* White space beyond ASCII: U+0085, U+00A0, U+1680, U+2000-200A, U+2028, U+2029, U+202F, U+205F,
 * U+3000. */
static const char *const wide_blanks[] = {
	"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
	"\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
	"\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9",
	"\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"
};

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_base64(char c)
{
	return ascii_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
	    c == '/';
}

/* What is left of the input from `at` on. */
static struct slice
rest(const struct pat_lexer *lx, size_t at)
{
	return slice_from(lx->in.p + at, lx->in.n - at);
}

static int
fail(const struct pat_lexer *lx, struct err *e, size_t at, const char *what)
{
	return err_at(e, ERR_SYNTAX, pos_of(lx->in.p, lx->in.n, at), "%s", what);
}

/* Length of the white space character at the start of s, 0 if it is something else. */
static size_t
blank_len(struct slice s)
{
	if (s.n == 0)
		return 0;
	if (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))
		return 1;
	if ((unsigned char)s.p[0] < 0x80)
		return 0;
	for (size_t i = 0; i < COUNTOF(wide_blanks); i++)
		if (slice_starts(s, wide_blanks[i]))
			return strlen(wide_blanks[i]);
	return 0;
}

/* Step over white space and comments; -1 for a comment that does not end. */
static int
skip_blanks(struct pat_lexer *lx, struct err *e)
{
	for (;;) {
		struct slice s = rest(lx, lx->next);
		size_t n = blank_len(s);

		if (n > 0) {
			lx->next += n;
		} else if (s.n == 0 || s.p[0] != '/') {
			return 0;
		} else if (slice_starts(s, "//")) {
			for (n = 2; n < s.n && s.p[n] != '\n' && s.p[n] != '\r'; n++)
				;
			lx->next += n;
		} else if (slice_starts(s, "/*")) {
			const char *end = memmem(s.p + 2, s.n - 2, "*/", 2);

			if (end == NULL)
				return fail(lx, e, lx->next, "the comment does not end");
			lx->next += (size_t)(end - s.p) + 2;
		} else {
			return 0;
		}
	}
}

/* The value of a string literal whose raw text (without quotes) is `raw`. */
static struct slice
unescape(struct arena *mem, struct slice raw)
{
	char *p = arena_raw(mem, raw.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\')
			i++;
		p[n++] = raw.p[i];
	}
	p[n] = '\0';
	return slice_from(p, n);
}

/* 'text' at lx->at; escapes are \' and \\ and nothing else. */
static int
lex_string(struct pat_lexer *lx, struct err *e)
{
	struct slice s = rest(lx, lx->at);
	bool escapes = false;
	size_t i;

	for (i = 1; i < s.n && s.p[i] != '\''; i++) {
		if (s.p[i] != '\\')
			continue;
		if (i + 1 >= s.n || (s.p[i + 1] != '\\' && s.p[i + 1] != '\''))
			return fail(lx, e, lx->at + i,
			    "in a string, \\ must be followed by \\ or '");
		escapes = true;
		i++;
	}
	if (i >= s.n)
		return fail(lx, e, lx->at, "the string does not end");
	lx->tok = PT_STRING;
	lx->text = slice_from(s.p + 1, i - 1);
	if (escapes)
		lx->text = unescape(lx->mem, lx->text);
	lx->next = lx->at + i + 1;
	return 0;
}

/* At least one group of four, padded. */
static bool
base64_form(struct slice s)
{
	size_t body = s.n;

	if (s.n == 0 || s.n % 4 != 0)
		return false;
	for (int pad = 0; pad < 2 && s.p[body - 1] == '='; pad++)
		body--;
	for (size_t i = 0; i < body; i++)
		if (!is_base64(s.p[i]))
			return false;
	return true;
}

static bool
hex_form(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_hex(s.p[i]) < 0)
			return false;
	return s.n % 2 == 0;
}

/* Two digits at s.p[at] between lo and hi. */
static bool
two_digits(struct slice s, size_t at, int lo, int hi)
{
	int v;

	if (!ascii_is_digit(s.p[at]) || !ascii_is_digit(s.p[at + 1]))
		return false;
	v = (s.p[at] - '0') * 10 + s.p[at + 1] - '0';
	return v >= lo && v <= hi;
}

/* "YYYY-MM-DDThh:mm:ss(.f+)?Z" with fields in range, calendar aside. */
static bool
is_timestamp(struct slice s)
{
	static const char form[] = "0000-00-00T00:00:00";
	size_t n = sizeof(form) - 1;

	if (s.n < n + 1 || s.p[s.n - 1] != 'Z')
		return false;
	for (size_t i = 0; i < n; i++)
		if (form[i] == '0' ? !ascii_is_digit(s.p[i]) : s.p[i] != form[i])
			return false;
	if (!two_digits(s, 5, 1, 12) || !two_digits(s, 8, 1, 31) || !two_digits(s, 11, 0, 23) ||
	    !two_digits(s, 14, 0, 59) || !two_digits(s, 17, 0, 60))
		return false;
	if (s.n == n + 1)
		return true;
	if (s.p[n] != '.' || s.n == n + 2)
		return false;
	for (size_t i = n + 1; i < s.n - 1; i++)
		if (!ascii_is_digit(s.p[i]))
			return false;
	return true;
}

/* b'...', h'...', t'...' at lx->at. */
static int
lex_typed(struct pat_lexer *lx, struct err *e)
{
	struct slice s = rest(lx, lx->at + 2);
	const char *end = memchr(s.p, '\'', s.n);

	if (end == NULL)
		return fail(lx, e, lx->at, "the literal does not end");
	lx->text = slice_from(s.p, (size_t)(end - s.p));
	lx->next = lx->at + 2 + lx->text.n + 1;
	switch (lx->in.p[lx->at]) {
	case 'b':
		lx->tok = PT_BINARY;
		return base64_form(lx->text) ? 0 :
		    fail(lx, e, lx->at, "b'...' must hold padded base64");
	case 'h':
		lx->tok = PT_HEX;
		return hex_form(lx->text) ? 0 :
		    fail(lx, e, lx->at, "h'...' must hold an even number of hex digits");
	default:
		lx->tok = PT_TIMESTAMP;
		return is_timestamp(lx->text) ? 0 :
		    fail(lx, e, lx->at, "t'...' must hold a time like 2024-02-03T04:05:06Z");
	}
}

static enum pat_tok
keyword(struct slice word)
{
	for (size_t i = 0; i < COUNTOF(keywords); i++)
		if (slice_is(word, keywords[i].word))
			return keywords[i].tok;
	return PT_IDENT;
}

/* Length of the name at the start of s; *hyphen if it holds one. */
static size_t
name_len(struct slice s, bool *hyphen)
{
	size_t n;

	*hyphen = false;
	for (n = 0; n < s.n && (is_name_start(s.p[n]) || ascii_is_digit(s.p[n]) || s.p[n] == '-'); n++)
		if (s.p[n] == '-')
			*hyphen = true;
	return n;
}

bool
pattern_is_plain_name(struct slice s)
{
	bool hyphen;

	return s.n > 0 && is_name_start(s.p[0]) && name_len(s, &hyphen) == s.n && !hyphen &&
	    keyword(s) == PT_IDENT;
}

static int
lex_name(struct pat_lexer *lx)
{
	struct slice s = rest(lx, lx->at);
	bool hyphen;

	lx->text = slice_from(s.p, name_len(s, &hyphen));
	lx->tok = hyphen ? PT_HYPHENATED : keyword(lx->text);
	lx->next = lx->at + lx->text.n;
	return 0;
}

/* A number at lx->at: [+-] then digits '.' digits, or an integer without leading zeros ("05" is 0
 * and 5, which no rule of the grammar allows). False if it is no number. */
static bool
lex_number(struct pat_lexer *lx)
{
	struct slice s = rest(lx, lx->at);
	bool neg = s.p[0] == '-';
	size_t first = s.p[0] == '+' || neg, n = first;

	while (n < s.n && ascii_is_digit(s.p[n]))
		n++;
	if (n + 1 < s.n && s.p[n] == '.' && ascii_is_digit(s.p[n + 1])) {
		for (n++; n < s.n && ascii_is_digit(s.p[n]); n++)
			;
		lx->tok = neg ? PT_FLOAT_NEG : PT_FLOAT_POS;
	} else if (n > first) {
		if (s.p[first] == '0')
			n = first + 1;
		lx->tok = neg ? PT_INT_NEG : PT_INT_POS;
	} else {
		return false;
	}
	lx->text = slice_from(s.p, n);
	lx->next = lx->at + n;
	return true;
}

static int
lex_operator(struct pat_lexer *lx, struct err *e)
{
	struct slice s = rest(lx, lx->at);

	for (size_t i = 0; i < COUNTOF(operators); i++) {
		if (s.p[0] != operators[i].text[0] || !slice_starts(s, operators[i].text))
			continue;
		lx->tok = operators[i].tok;
		lx->text = slice_from(s.p, strlen(operators[i].text));
		lx->next = lx->at + lx->text.n;
		return 0;
	}
	return fail(lx, e, lx->at, "no word or sign of a pattern begins here");
}

int
pattern_lex(struct pat_lexer *lx, struct err *e)
{
	struct slice s;

	if (skip_blanks(lx, e) < 0)
		return -1;
	lx->at = lx->next;
	s = rest(lx, lx->at);
	if (s.n == 0) {
		lx->tok = PT_END;
		lx->text = SLICE_EMPTY;
		return 0;
	}
	if (s.p[0] == '\'')
		return lex_string(lx, e);
	if (s.n > 1 && s.p[1] == '\'' && (s.p[0] == 'b' || s.p[0] == 'h' || s.p[0] == 't'))
		return lex_typed(lx, e);
	if (is_name_start(s.p[0]))
		return lex_name(lx);
	if ((ascii_is_digit(s.p[0]) || s.p[0] == '.' || s.p[0] == '+' || s.p[0] == '-') &&
	    lex_number(lx))
		return 0;
	return lex_operator(lx, e);
}
