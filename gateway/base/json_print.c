/* Printing trees: as they stand, and in canonical form (RFC 8785). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json_impl.h"
#include "gateway/base/strbuf.h"

enum {
	DOUBLE_DIGITS = 17,	/* enough to tell any two doubles apart */
	ES6_PLAIN_MAX = 21,	/* digits before the point without an exponent */
	ES6_PLAIN_MIN = -6,	/* zeros after it */
	FEW_MEMBERS = 32	/* are put in order one by one */
};

/* A canonical text being printed. */
struct jcs {
	struct strbuf		*out;
	struct arena		*mem;		/* NULL until it is needed */
	const json *const	*without;	/* members that are left out */
	size_t			 nwithout;
};

static void	print_jcs(struct jcs *p, const json *o);

/* ---- leaves ---- */

/* The letter behind the backslash: 'u' for those without a short form, 0 if c needs no escape. */
static char
escape_letter(unsigned char c)
{
	static const char low[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";

	return c < ' ' ? low[c] : c == '"' || c == '\\' ? (char)c : '\0';
}

/* Bytes at the start of s that need no escape. Eight at a time: a byte of `odd` has its top bit set
 * if that byte of v is a control character, '"' or '\' (or stands behind one); bytes beyond ASCII
 * stay as they are. */
static size_t
plain_run(struct slice s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		uint64_t v, odd;

		memcpy(&v, s.p + i, 8);
		odd = ((v - ones * ' ') | ((v ^ ones * '"') - ones) |
		    ((v ^ ones * '\\') - ones)) & ~v & tops;
		if (odd != 0)
			break;
	}
	while (i < s.n && escape_letter((unsigned char)s.p[i]) == '\0')
		i++;
	return i;
}

/* A literal of what is known to be UTF-8: every string in a tree. */
static void
print_string(struct strbuf *out, struct slice s)
{
	strbuf_reserve(out, s.n + 2);
	strbuf_addc(out, '"');
	for (;;) {
		size_t n = plain_run(s);
		char letter;

		strbuf_add(out, s.p, n);
		if (n == s.n)
			break;
		letter = escape_letter((unsigned char)s.p[n]);
		if (letter == 'u')
			strbuf_addf(out, "\\u%04x", (unsigned char)s.p[n]);
		else
			strbuf_add(out, (const char[]){ '\\', letter }, 2);
		s.p += n + 1;
		s.n -= n + 1;
	}
	strbuf_addc(out, '"');
}

void
json_print_string(struct strbuf *out, struct slice s)
{
	struct strbuf mended = STRBUF_INIT;

	if (utf8_bad_at(s) == s.n) {
		print_string(out, s);
		return;
	}
	utf8_mend(&mended, s);
	print_string(out, strbuf_slice(&mended));
	strbuf_fini(&mended);
}

static void
print_integer(struct strbuf *out, int64_t v)
{
	char b[20], *p = b + sizeof(b);
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do
		*--p = (char)('0' + u % 10);
	while ((u /= 10) > 0);
	if (v < 0)
		*--p = '-';
	strbuf_add(out, p, (size_t)(b + sizeof(b) - p));
}

/* ---- as it stands ---- */

static void
print_children(struct strbuf *out, const json *o, const char *brackets)
{
	strbuf_addc(out, brackets[0]);
	for (const json *c = o->child; c != NULL; c = c->next) {
		if (c != o->child)
			strbuf_addc(out, ',');
		if (brackets[0] == '{') {
			print_string(out, slice_of(c->string));
			strbuf_addc(out, ':');
		}
		json_print(out, c);
	}
	strbuf_addc(out, brackets[1]);
}

void
json_print(struct strbuf *out, const json *o)
{
	switch (json_kind(o)) {
	case cJSON_Object:
		print_children(out, o, "{}");
		break;
	case cJSON_Array:
		print_children(out, o, "[]");
		break;
	case cJSON_String:
		print_string(out, json_slice(o));
		break;
	case cJSON_Number:
		print_integer(out, (int64_t)o->valuedouble);
		break;
	case cJSON_Raw:
		strbuf_adds(out, o->valuestring);
		break;
	case cJSON_True:
		strbuf_adds(out, "true");
		break;
	case cJSON_False:
		strbuf_adds(out, "false");
		break;
	default:
		strbuf_adds(out, "null");
	}
}

/* ---- canonical ---- */

/* A positive double as 0.DIGITS * 10^exp. */
struct digits {
	char	text[DOUBLE_DIGITS + 2];
	int	n;
	int	exp;
};

static double
digits_value(const struct digits *d)
{
	char b[48];

	snprintf(b, sizeof(b), "0.%se%d", d->text, d->exp);
	return strtod(b, NULL);
}

/* v rounded to n digits. */
static void
digits_round(struct digits *d, double v, int n)
{
	unsigned long long exp = 0;
	char b[48], *e;

	snprintf(b, sizeof(b), "%.*e", n - 1, v);	/* "d.ddde-dd" */
	e = strchr(b, 'e');
	slice_u64(slice_of(e + 2), &exp);
	d->exp = (e[1] == '-' ? -(int)exp : (int)exp) + 1;
	d->n = n;
	d->text[0] = b[0];
	memcpy(d->text + 1, b + 2, (size_t)n - 1);
	d->text[n] = '\0';
}

/* Add one to the last digit. */
static void
digits_step(struct digits *d)
{
	int i = d->n - 1;

	while (i >= 0 && d->text[i] == '9')
		d->text[i--] = '0';
	if (i >= 0) {
		d->text[i]++;
	} else {
		d->text[0] = '1';
		d->exp++;
	}
}

/* The fewest digits that read back as v, and of those the nearest to v (ECMA-262,
 * Number::toString). Below a power of two doubles lie twice as dense as above it, so there the
 * nearest decimal may fall short while the next one up still reads back. */
static void
digits_shortest(struct digits *d, double v)
{
	for (int n = 1; n <= DOUBLE_DIGITS; n++) {
		digits_round(d, v, n);
		if (digits_value(d) == v)
			break;
		if (digits_value(d) < v) {
			digits_step(d);
			if (digits_value(d) == v)
				break;
		}
	}
	while (d->n > 1 && d->text[d->n - 1] == '0')
		d->text[--d->n] = '\0';
}

static void
add_zeros(struct strbuf *out, int n)
{
	while (n-- > 0)
		strbuf_addc(out, '0');
}

/* A finite double the way ECMAScript writes it. */
static void
print_double(struct strbuf *out, double v)
{
	struct digits d;
	int whole;

	if (v == 0) {
		strbuf_addc(out, '0');
		return;
	}
	if (v < 0)
		strbuf_addc(out, '-');
	digits_shortest(&d, fabs(v));
	if (d.exp > ES6_PLAIN_MAX || d.exp <= ES6_PLAIN_MIN) {
		strbuf_addc(out, d.text[0]);
		if (d.n > 1)
			strbuf_addf(out, ".%s", d.text + 1);
		strbuf_addf(out, "e%c%d", d.exp > 0 ? '+' : '-', abs(d.exp - 1));
	} else if (d.exp <= 0) {
		strbuf_adds(out, "0.");
		add_zeros(out, -d.exp);
		strbuf_adds(out, d.text);
	} else {
		whole = d.n < d.exp ? d.n : d.exp;
		strbuf_add(out, d.text, (size_t)whole);
		add_zeros(out, d.exp - whole);
		if (d.n > whole)
			strbuf_addf(out, ".%s", d.text + whole);
	}
}

/* Order of two UTF-8 texts by UTF-16 code units. It is the order of the bytes, but for one thing:
 * characters beyond U+FFFF (first byte F0 and up) are surrogates there and go before U+E000..FFFF
 * (first byte EE or EF). */
static int
utf16_cmp(const char *a, const char *b)
{
	unsigned char x, y;

	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	x = (unsigned char)*a;
	y = (unsigned char)*b;
	if ((x >= 0xf0) != (y >= 0xf0) && x >= 0xee && y >= 0xee)
		return x >= 0xf0 ? -1 : 1;
	return x - y;
}

static int
member_cmp(const void *a, const void *b)
{
	return utf16_cmp((*(const json *const *)a)->string, (*(const json *const *)b)->string);
}

/* Most objects have few members, and many have them in order. */
static void
sort_members(const json **v, size_t n)
{
	if (n > FEW_MEMBERS) {
		qsort(v, n, sizeof(*v), member_cmp);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		const json *m = v[i];
		size_t k = i;

		for (; k > 0 && utf16_cmp(v[k - 1]->string, m->string) > 0; k--)
			v[k] = v[k - 1];
		v[k] = m;
	}
}

static bool
is_left_out(const struct jcs *p, const json *member)
{
	for (size_t i = 0; i < p->nwithout; i++)
		if (p->without[i] == member)
			return true;
	return false;
}

static struct arena *
jcs_memory(struct jcs *p)
{
	if (p->mem == NULL)
		p->mem = arena_new();
	return p->mem;
}

static void
print_jcs_object(struct jcs *p, const json *o)
{
	const json *few[FEW_MEMBERS], **v = few;
	size_t n = json_count(o), i = 0;

	if (n > FEW_MEMBERS)
		v = arena_raw(jcs_memory(p), n * sizeof(*v));
	for (const json *c = o->child; c != NULL; c = c->next)
		if (!is_left_out(p, c))
			v[i++] = c;
	n = i;
	sort_members(v, n);
	strbuf_addc(p->out, '{');
	for (i = 0; i < n; i++) {
		if (i > 0)
			strbuf_addc(p->out, ',');
		print_string(p->out, slice_of(v[i]->string));
		strbuf_addc(p->out, ':');
		print_jcs(p, v[i]);
	}
	strbuf_addc(p->out, '}');
}

static void
print_jcs_list(struct jcs *p, const json *o)
{
	strbuf_addc(p->out, '[');
	for (const json *c = o->child; c != NULL; c = c->next) {
		if (c != o->child)
			strbuf_addc(p->out, ',');
		print_jcs(p, c);
	}
	strbuf_addc(p->out, ']');
}

static void
print_jcs(struct jcs *p, const json *o)
{
	const json *tree = json_kind(o) == cJSON_Raw ? json_expand(jcs_memory(p), o) : o;
	double v;

	if (json_is_object(tree))
		print_jcs_object(p, tree);
	else if (json_is_list(tree))
		print_jcs_list(p, tree);
	else if (json_is_string(tree))
		print_string(p->out, json_slice(tree));
	else if (json_kind(tree) != cJSON_Number && json_double(tree, &v))
		print_double(p->out, v);
	else
		json_print(p->out, o);	/* plain integers are canonical as they stand */
}

void
json_print_jcs(struct strbuf *out, const json *o)
{
	json_print_jcs_without(out, o, NULL, 0);
}

void
json_print_jcs_without(struct strbuf *out, const json *o, const json *const *v, size_t n)
{
	struct jcs p = { .out = out, .without = v, .nwithout = n };

	print_jcs(&p, o);
	arena_free(p.mem);
}
