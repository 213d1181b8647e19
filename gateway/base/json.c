/* Reading, building, editing and comparing trees. Parsing: json_parse.c; printing: json_print.c. */
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json_impl.h"
#include "gateway/base/strbuf.h"

static const int64_t integer_max = INT64_C(9007199254740991);	/* 2^53-1 */

static int
kind(const json *o)
{
	return o == NULL ? cJSON_Invalid : o->type & 0xff;
}

static bool
is_container(const json *o)
{
	return kind(o) == cJSON_Object || kind(o) == cJSON_Array;
}

/* ---- reading ---- */

json *
json_get(const json *o, const char *name)
{
	json *n;

	if (kind(o) != cJSON_Object || name == NULL)
		return NULL;
	for (n = o->child; n != NULL; n = n->next)
		if (n->string[0] == name[0] && strcmp(n->string, name) == 0)
			return n;
	return NULL;
}

json *
json_at(const json *list, size_t i)
{
	json *n = json_first(list);

	while (n != NULL && i-- > 0)
		n = n->next;
	return n;
}

json *
json_first(const json *o)
{
	return is_container(o) ? o->child : NULL;
}

json *
json_next(const json *child)
{
	return child == NULL ? NULL : child->next;
}

const char *
json_name(const json *member)
{
	return member == NULL ? NULL : member->string;
}

size_t
json_count(const json *o)
{
	size_t n = 0;

	for (const json *c = json_first(o); c != NULL; c = c->next)
		n++;
	return n;
}

bool
json_is_object(const json *o)
{
	return kind(o) == cJSON_Object;
}

bool
json_is_list(const json *o)
{
	return kind(o) == cJSON_Array;
}

bool
json_is_string(const json *o)
{
	return kind(o) == cJSON_String || json_raw_first(o) == '"';
}

bool
json_is_number(const json *o)
{
	char c = json_raw_first(o);

	return kind(o) == cJSON_Number || c == '-' || (c >= '0' && c <= '9');
}

bool
json_is_bool(const json *o)
{
	return kind(o) == cJSON_True || kind(o) == cJSON_False;
}

bool
json_is_null(const json *o)
{
	return kind(o) == cJSON_NULL;
}

const char *
json_str(const json *o)
{
	return kind(o) == cJSON_String ? o->valuestring : NULL;
}

struct slice
json_slice(const json *o)
{
	if (kind(o) == cJSON_String)
		return slice_of(o->valuestring);
	if (json_raw_first(o) == '"')
		return slice_from(o->valuestring + strlen(o->valuestring) + 1,
		    (size_t)o->valueint);
	return SLICE_EMPTY;
}

bool
json_bool(const json *o)
{
	return kind(o) == cJSON_True;
}

struct slice
json_number_text(struct arena *mem, const json *o)
{
	if (kind(o) == cJSON_Number)
		return slice_of(arena_fmt(mem, "%lld", (long long)o->valuedouble));
	return json_is_number(o) ? slice_of(o->valuestring) : SLICE_EMPTY;
}

struct slice
json_member(const json *o, const char *name)
{
	return json_slice(json_get(o, name));
}

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

	if (kind(o) == cJSON_Number) {
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
	v = kind(o) == cJSON_Number ? o->valuedouble : strtod(o->valuestring, NULL);
	if (!isfinite(v))
		return false;
	*out = v;
	return true;
}

static bool
number_eq(const json *a, const json *b)
{
	struct decimal da, db;

	if (kind(a) == cJSON_Number && kind(b) == cJSON_Number)
		return a->valuedouble == b->valuedouble;
	if (kind(a) == cJSON_Number || kind(b) == cJSON_Number) {
		int64_t va, vb;

		return json_int(a, &va) && json_int(b, &vb) && va == vb;
	}
	decimal_read(&da, a);
	decimal_read(&db, b);
	return da.negative == db.negative && da.exp == db.exp && da.n == db.n &&
	    memcmp(da.digits, db.digits, da.n) == 0;
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
	if (kind(a) != kind(b))
		return false;
	if (kind(a) == cJSON_Array)
		return list_eq(mem, a, b);
	return kind(a) != cJSON_Object || object_eq(mem, a, b);
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

const json *
json_expand(struct arena *mem, const json *o)
{
	struct json_limits deep = { .depth = JSON_DEPTH_CEILING };
	struct json_doc doc;

	if (kind(o) != cJSON_Raw || json_is_string(o) || json_is_number(o))
		return o;
	if (json_parse(slice_of(o->valuestring), &deep, mem, &doc, NULL) < 0)
		return NULL;
	return doc.root;
}

/* ---- building ---- */

static json *
new_node(struct arena *mem, int type)
{
	json *n = arena_alloc(mem, sizeof(*n));

	n->type = type;
	n->valueint = type == cJSON_True;
	return n;
}

void
json_set_integer(cJSON *n, int64_t v)
{
	n->type = cJSON_Number;
	n->valuedouble = (double)v;
	n->valueint = v > INT_MAX ? INT_MAX : v < INT_MIN ? INT_MIN : (int)v;
}

void
json_set_raw_string(struct arena *mem, cJSON *n, struct slice literal, struct slice content)
{
	char *w = arena_raw(mem, literal.n + content.n + 2);

	assert(content.n <= INT_MAX);
	n->type = cJSON_Raw;
	n->valuestring = w;
	n->valueint = (int)content.n;
	memcpy(w, literal.p, literal.n);
	w += literal.n;
	*w++ = '\0';
	if (content.n > 0)
		memcpy(w, content.p, content.n);
	w[content.n] = '\0';
}

json *
json_object(struct arena *mem)
{
	return new_node(mem, cJSON_Object);
}

json *
json_list(struct arena *mem)
{
	return new_node(mem, cJSON_Array);
}

/* s, or what is left of it when every byte that is no UTF-8 has become U+FFFD. */
static struct slice
clean(struct arena *mem, struct slice s)
{
	struct strbuf b = STRBUF_INIT;
	size_t bad = utf8_bad_at(s);

	if (bad == s.n)
		return s;
	for (; bad < s.n; bad = utf8_bad_at(s)) {
		strbuf_add(&b, s.p, bad);
		utf8_add(&b, 0xfffd);
		s.p += bad + 1;
		s.n -= bad + 1;
	}
	strbuf_addsl(&b, s);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

json *
json_string(struct arena *mem, struct slice s)
{
	struct strbuf literal = STRBUF_INIT;
	json *n = new_node(mem, cJSON_String);

	s = clean(mem, s);
	if (s.n == 0 || memchr(s.p, '\0', s.n) == NULL) {
		n->valuestring = arena_str(mem, s);
		return n;
	}
	json_print_string(&literal, s);
	json_set_raw_string(mem, n, strbuf_slice(&literal), s);
	strbuf_fini(&literal);
	return n;
}

json *
json_integer(struct arena *mem, int64_t v)
{
	json *n = new_node(mem, cJSON_Number);

	if (v >= -integer_max && v <= integer_max) {
		json_set_integer(n, v);
	} else {
		n->type = cJSON_Raw;
		n->valuestring = arena_fmt(mem, "%lld", (long long)v);
	}
	return n;
}

json *
json_boolean(struct arena *mem, bool v)
{
	return new_node(mem, v ? cJSON_True : cJSON_False);
}

json *
json_raw(struct arena *mem, struct slice text)
{
	json *n = new_node(mem, cJSON_Raw);
	struct json_doc doc;

	text = slice_trim(text);
	if (slice_starts(text, "\"") && json_parse(text, NULL, mem, &doc, NULL) == 0)
		json_set_raw_string(mem, n, text, json_slice(doc.root));
	else
		n->valuestring = arena_str(mem, text);
	return n;
}

/* Make n the last child. */
static void
link_last(json *parent, json *n)
{
	n->next = NULL;
	if (parent->child == NULL) {
		parent->child = n;
	} else {
		n->prev = parent->child->prev;
		n->prev->next = n;
	}
	parent->child->prev = n;
}

json *
json_copy(struct arena *mem, const json *o)
{
	json *n;

	if (o == NULL)
		return NULL;
	n = new_node(mem, kind(o));
	n->valueint = o->valueint;
	n->valuedouble = o->valuedouble;
	if (o->string != NULL)
		n->string = arena_str(mem, slice_of(o->string));
	if (json_raw_first(o) == '"')
		json_set_raw_string(mem, n, slice_of(o->valuestring), json_slice(o));
	else if (o->valuestring != NULL)
		n->valuestring = arena_str(mem, slice_of(o->valuestring));
	for (const json *c = json_first(o); c != NULL; c = c->next)
		link_last(n, json_copy(mem, c));
	return n;
}

/* ---- editing ---- */

json *
json_put(struct arena *mem, json *o, const char *name, json *value)
{
	json *old = json_get(o, name);

	if (value == NULL || old == value)
		return value;
	assert(kind(o) == cJSON_Object);
	value->string = arena_str(mem, slice_of(name));
	if (old == NULL) {
		link_last(o, value);
		return value;
	}
	value->next = old->next;
	value->prev = old->prev == old ? value : old->prev;
	if (old == o->child)
		o->child = value;
	else
		old->prev->next = value;
	if (old->next != NULL)
		old->next->prev = value;
	else
		o->child->prev = value;
	old->next = old->prev = NULL;
	return value;
}

json *
json_put_str(struct arena *mem, json *o, const char *name, struct slice s)
{
	return json_put(mem, o, name, json_string(mem, s));
}

json *
json_put_int(struct arena *mem, json *o, const char *name, int64_t v)
{
	return json_put(mem, o, name, json_integer(mem, v));
}

json *
json_put_bool(struct arena *mem, json *o, const char *name, bool v)
{
	return json_put(mem, o, name, json_boolean(mem, v));
}

json *
json_push(json *list, json *value)
{
	if (value == NULL)
		return NULL;
	assert(kind(list) == cJSON_Array);
	value->string = NULL;
	link_last(list, value);
	return value;
}

void
json_remove(json *o, const char *name)
{
	json_detach(o, json_get(o, name));
}

void
json_detach(json *parent, json *child)
{
	if (parent == NULL || child == NULL)
		return;
	if (child->next != NULL)
		child->next->prev = child->prev;
	else
		parent->child->prev = child->prev;
	if (child == parent->child)
		parent->child = child->next;
	else
		child->prev->next = child->next;
	child->next = child->prev = NULL;
}
