/* What values mean: numbers that kept their text, raw nodes, equality. */
#include <math.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/json_impl.h"

/* ---- numbers that kept their text ---- */

/* The exact value of a number: +-0.DIGITS * 10^exp, no zero at either end of the digits. */
struct decimal {
	bool	negative;
	size_t	n;		/* digits; 0 means the value 0 */
	int64_t	exp;
	char	digits[JSON_NUMBER_MAX];
};

/* The exponent behind 'e', which the parser has bounded. */
static int64_t
exponent(const char *p)
{
	int64_t v = 0;
	bool negative = *p == '-';

	if (*p == '-' || *p == '+')
		p++;
	for (int i = 0; i < JSON_EXPONENT_MAX && *p >= '0' && *p <= '9'; i++, p++)
		v = v * 10 + (*p - '0');
	return negative ? -v : v;
}

/* Fill *d from a raw number. */
static void
decimal_read(struct decimal *d, const json *o)
{
	const char *p = o->valuestring;
	bool point = false;

	d->negative = *p == '-';
	d->n = 0;
	d->exp = 0;
	for (p += d->negative; *p == '.' || (*p >= '0' && *p <= '9'); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if (d->n > 0 || *p != '0') {
			if (d->n < sizeof(d->digits))
				d->digits[d->n++] = *p;
			d->exp += !point;
		} else {
			d->exp -= point;
		}
	}
	if (*p == 'e' || *p == 'E')
		d->exp += exponent(p + 1);
	while (d->n > 0 && d->digits[d->n - 1] == '0')
		d->n--;
	if (d->n == 0) {
		d->negative = false;
		d->exp = 0;
	}
}

/* The value as an integer; false if it is none or does not fit. */
static bool
decimal_int(const struct decimal *d, int64_t *out)
{
	uint64_t v = 0, most = (uint64_t)INT64_MAX + d->negative;

	if (d->exp < (int64_t)d->n || d->exp > 19)
		return false;
	for (int64_t i = 0; i < d->exp; i++) {
		unsigned digit = i < (int64_t)d->n ? (unsigned)(d->digits[i] - '0') : 0;

		if (v > (most - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (!d->negative)
		*out = (int64_t)v;
	else
		*out = v > INT64_MAX ? INT64_MIN : -(int64_t)v;
	return true;
}

bool
json_int(const json *o, int64_t *out)
{
	struct decimal d;

	if (json_kind(o) == cJSON_Number) {
		*out = (int64_t)o->valuedouble;
		return true;
	}
	if (!json_is_number(o))
		return false;
	decimal_read(&d, o);
	return decimal_int(&d, out);
}

bool
json_double(const json *o, double *out)
{
	double v;

	if (!json_is_number(o))
		return false;
	v = json_kind(o) == cJSON_Number ? o->valuedouble : strtod(o->valuestring, NULL);
	if (!isfinite(v))
		return false;
	*out = v;
	return true;
}

static bool
number_eq(const json *a, const json *b)
{
	struct decimal da, db;

	if (json_kind(a) == cJSON_Number && json_kind(b) == cJSON_Number)
		return a->valuedouble == b->valuedouble;
	if (json_kind(a) == cJSON_Number || json_kind(b) == cJSON_Number) {
		int64_t va, vb;

		return json_int(a, &va) && json_int(b, &vb) && va == vb;
	}
	decimal_read(&da, a);
	decimal_read(&db, b);
	return da.negative == db.negative && da.exp == db.exp && da.n == db.n &&
	    memcmp(da.digits, db.digits, da.n) == 0;
}

struct slice
json_number_text(struct arena *mem, const json *o)
{
	if (json_kind(o) == cJSON_Number)
		return slice_of(arena_fmt(mem, "%lld", (long long)o->valuedouble));
	return json_is_number(o) ? slice_of(o->valuestring) : SLICE_EMPTY;
}

const json *
json_expand(struct arena *mem, const json *o)
{
	struct json_limits deep = { .depth = JSON_DEPTH_CEILING };
	struct json_doc doc;

	if (json_kind(o) != cJSON_Raw || json_is_string(o) || json_is_number(o))
		return o;
	if (json_parse(slice_of(o->valuestring), &deep, mem, &doc, NULL) < 0)
		return NULL;
	return doc.root;
}

/* ---- equality ---- */

static bool	tree_eq(struct arena *mem, const json *a, const json *b);

static bool
list_eq(struct arena *mem, const json *a, const json *b)
{
	for (a = a->child, b = b->child; a != NULL && b != NULL; a = a->next, b = b->next)
		if (!tree_eq(mem, a, b))
			return false;
	return a == NULL && b == NULL;
}

static int
member_cmp(const void *a, const void *b)
{
	return strcmp((*(const json *const *)a)->string, (*(const json *const *)b)->string);
}

/* The n members from c on, sorted by name. */
static const json **
sorted_members(struct arena *mem, const json *c, size_t n)
{
	const json **v = arena_raw(mem, n * sizeof(*v));

	for (size_t i = 0; i < n; i++, c = c->next)
		v[i] = c;
	qsort(v, n, sizeof(*v), member_cmp);
	return v;
}

/* Most objects have their members in the same order; the rest is sorted, not searched. */
static bool
object_eq(struct arena *mem, const json *a, const json *b)
{
	const json **va, **vb;
	size_t n = json_count(a);

	if (json_count(b) != n)
		return false;
	for (a = a->child, b = b->child; n > 0 && strcmp(a->string, b->string) == 0; n--) {
		if (!tree_eq(mem, a, b))
			return false;
		a = a->next;
		b = b->next;
	}
	if (n == 0)
		return true;
	va = sorted_members(mem, a, n);
	vb = sorted_members(mem, b, n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(va[i]->string, vb[i]->string) != 0)
			return false;
	for (size_t i = 0; i < n; i++)
		if (!tree_eq(mem, va[i], vb[i]))
			return false;
	return true;
}

static bool
tree_eq(struct arena *mem, const json *a, const json *b)
{
	a = json_expand(mem, a);
	b = json_expand(mem, b);
	if (a == NULL || b == NULL)
		return false;
	if (json_is_string(a))
		return json_is_string(b) && slice_eq(json_slice(a), json_slice(b));
	if (json_is_number(a))
		return json_is_number(b) && number_eq(a, b);
	if (json_kind(a) != json_kind(b))
		return false;
	if (json_kind(a) == cJSON_Array)
		return list_eq(mem, a, b);
	return json_kind(a) != cJSON_Object || object_eq(mem, a, b);
}

bool
json_equal(const json *a, const json *b)
{
	struct arena *mem;
	bool same;

	if (a == b)
		return true;
	if (a == NULL || b == NULL)
		return false;
	mem = arena_new();
	same = tree_eq(mem, a, b);
	arena_free(mem);
	return same;
}
