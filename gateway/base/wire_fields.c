#include "gateway/base/wire_fields.h"

#include <string.h>

#include "gateway/base/arena.h"

/* ---- members by their place ---- */

static const void *
at(const void *from, size_t offset)
{
	return (const char *)from + offset;
}

static void *
into(void *to, size_t offset)
{
	return (char *)to + offset;
}

static size_t
count_of(const struct wire_field *f, const void *from)
{
	size_t n;

	memcpy(&n, at(from, f->count_at), sizeof(n));
	return n;
}

static const void *
pointer_of(const struct wire_field *f, const void *from)
{
	const void *p;

	memcpy(&p, at(from, f->at), sizeof(p));
	return p;
}

static void
set_pointer(const struct wire_field *f, void *to, const void *p)
{
	memcpy(into(to, f->at), &p, sizeof(p));
}

static void
set_list(const struct wire_field *f, void *to, const void *p, size_t n)
{
	set_pointer(f, to, p);
	memcpy(into(to, f->count_at), &n, sizeof(n));
}

/* ---- writing ---- */

static bool
put_string(struct strbuf *b, const struct wire_field *f, const char *s)
{
	struct slice text = slice_of(s);

	if (s == NULL)
		wire_put_string(b, NULL);
	else
		wire_put_text(b, text);
	return s == NULL ? f->kind == WIRE_K_STRING : text.n <= f->limit;
}

static bool
put_names(struct strbuf *b, const struct wire_field *f, const void *from)
{
	const char *const *v = pointer_of(f, from);
	size_t n = count_of(f, from);

	wire_put_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n && n <= f->limit; i++)
		wire_put_text(b, slice_of(v[i]));
	return n <= f->limit;
}

static bool
put_numbers(struct strbuf *b, const struct wire_field *f, const void *from)
{
	const int64_t *v = pointer_of(f, from);
	size_t n = count_of(f, from);

	wire_put_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n && n <= f->limit; i++)
		wire_put_i64(b, v[i]);
	return n <= f->limit;
}

static bool
put_list(struct strbuf *b, const struct wire_field *f, const void *from)
{
	const char *p = pointer_of(f, from);
	size_t n = count_of(f, from);

	wire_put_u32(b, (uint32_t)n);
	if (n > f->limit)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!wire_put_fields(b, f->fields, p + i * f->size))
			return false;
	return true;
}

static bool
put_one(struct strbuf *b, const struct wire_field *f, const void *from)
{
	const void *p = pointer_of(f, from);

	if (f->kind == WIRE_K_MAYBE)
		wire_put_bool(b, p != NULL);
	return p == NULL ? f->kind == WIRE_K_MAYBE : wire_put_fields(b, f->fields, p);
}

static uint32_t
u32_at(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
u64_at(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool
put_field(struct strbuf *b, const struct wire_field *f, const void *from)
{
	const void *p = at(from, f->at);
	struct slice s;

	switch (f->kind) {
	case WIRE_K_BOOL:
		wire_put_bool(b, *(const bool *)p);
		return true;
	case WIRE_K_ENUM:
		wire_put_u8(b, (uint8_t)u32_at(p));
		return u32_at(p) < f->limit;
	case WIRE_K_U32:
		wire_put_u32(b, u32_at(p));
		return true;
	case WIRE_K_U64:
	case WIRE_K_I64:
		wire_put_u64(b, u64_at(p));
		return true;
	case WIRE_K_BYTES:
		wire_put_fixed(b, p, f->limit);
		return true;
	case WIRE_K_WORD:
		wire_put_text(b, slice_from(p, strnlen(p, f->limit)));
		return strnlen(p, f->limit) < f->limit;
	case WIRE_K_TEXT:
		memcpy(&s, p, sizeof(s));
		wire_put_text(b, s);
		return s.n <= f->limit;
	case WIRE_K_NAME:
	case WIRE_K_STRING:
		return put_string(b, f, pointer_of(f, from));
	case WIRE_K_NUMBERS:
		return put_numbers(b, f, from);
	case WIRE_K_NAMES:
		return put_names(b, f, from);
	case WIRE_K_LIST:
	case WIRE_K_SAME:
		return put_list(b, f, from);
	case WIRE_K_ONE:
	case WIRE_K_MAYBE:
		return put_one(b, f, from);
	case WIRE_K_END:
		break;
	}
	return false;
}

bool
wire_put_fields(struct strbuf *b, const struct wire_field *f, const void *from)
{
	for (; f->kind != WIRE_K_END; f++)
		if (!put_field(b, f, from))
			return false;
	return true;
}

/* ---- reading ---- */

/* The fewest bytes that a struct of this table takes. */
static size_t
least(const struct wire_field *f)
{
	static const size_t bytes[] = {
		[WIRE_K_BOOL] = 1, [WIRE_K_ENUM] = 1, [WIRE_K_U32] = 4, [WIRE_K_U64] = 8,
		[WIRE_K_I64] = 8, [WIRE_K_WORD] = 4, [WIRE_K_TEXT] = 4, [WIRE_K_NAME] = 4,
		[WIRE_K_STRING] = 4, [WIRE_K_NUMBERS] = 4, [WIRE_K_NAMES] = 4, [WIRE_K_LIST] = 4,
		[WIRE_K_SAME] = 4, [WIRE_K_MAYBE] = 1,
	};
	size_t n = 0;

	for (; f->kind != WIRE_K_END; f++) {
		if (f->kind == WIRE_K_BYTES)
			n += f->limit;
		else
			n += f->kind == WIRE_K_ONE ? least(f->fields) : bytes[f->kind];
	}
	return n;
}

static struct slice
get_text(struct wire *w, size_t limit)
{
	struct slice s = wire_text(w);

	if (s.n > limit) {
		wire_refuse(w);
		return SLICE_EMPTY;
	}
	return s;
}

/* char[limit] */
static void
get_word(struct wire *w, const struct wire_field *f, char *to)
{
	struct slice s = get_text(w, f->limit - 1);

	if (memchr(s.p, '\0', s.n) != NULL)
		wire_refuse(w);
	else
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static const char *
get_string(struct wire *w, const struct wire_field *f, struct arena *mem)
{
	const char *s = f->kind == WIRE_K_NAME ? wire_name(w, mem) : wire_string(w, mem);

	if (s != NULL && strlen(s) > f->limit)
		wire_refuse(w);
	return s;
}

static void
get_names(struct wire *w, const struct wire_field *f, void *to, struct arena *mem)
{
	size_t n = wire_count(w, (uint32_t)f->limit, 4);
	const char **v = arena_raw(mem, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = wire_name(w, mem);
	set_list(f, to, v, n);
}

static void
get_numbers(struct wire *w, const struct wire_field *f, void *to, struct arena *mem)
{
	size_t n = wire_count(w, (uint32_t)f->limit, 8);
	int64_t *v = arena_raw(mem, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = wire_i64(w);
	set_list(f, to, v, n);
}

static void
get_list(struct wire *w, const struct wire_field *f, void *to, struct arena *mem)
{
	size_t n = wire_count(w, (uint32_t)f->limit, least(f->fields));
	char *p;

	if (f->kind == WIRE_K_SAME) {
		if (n != count_of(f, to)) {
			wire_refuse(w);
			return;
		}
		p = (char *)(uintptr_t)pointer_of(f, to);
	} else {
		p = n == 0 ? NULL : arena_alloc(mem, n * f->size);
		set_list(f, to, p, n);
	}
	for (size_t i = 0; i < n && !w->bad; i++)
		wire_get_fields(w, f->fields, p + i * f->size, mem);
}

static void
get_one(struct wire *w, const struct wire_field *f, void *to, struct arena *mem)
{
	void *p;

	if (f->kind == WIRE_K_MAYBE && !wire_bool(w))
		return;
	p = arena_alloc(mem, f->size);
	set_pointer(f, to, p);
	wire_get_fields(w, f->fields, p, mem);
}

static void
get_field(struct wire *w, const struct wire_field *f, void *to, struct arena *mem)
{
	void *p = into(to, f->at);
	struct slice s;
	uint32_t u32;
	uint64_t u64;

	switch (f->kind) {
	case WIRE_K_BOOL:
		*(bool *)p = wire_bool(w);
		break;
	case WIRE_K_ENUM:
		u32 = wire_below(w, (unsigned)f->limit);
		memcpy(p, &u32, sizeof(u32));
		break;
	case WIRE_K_U32:
		u32 = wire_u32(w);
		memcpy(p, &u32, sizeof(u32));
		break;
	case WIRE_K_U64:
	case WIRE_K_I64:
		u64 = wire_u64(w);
		memcpy(p, &u64, sizeof(u64));
		break;
	case WIRE_K_BYTES:
		wire_fixed(w, p, f->limit);
		break;
	case WIRE_K_WORD:
		get_word(w, f, p);
		break;
	case WIRE_K_TEXT:
		s = get_text(w, f->limit);
		memcpy(p, &s, sizeof(s));
		break;
	case WIRE_K_NAME:
	case WIRE_K_STRING:
		set_pointer(f, to, get_string(w, f, mem));
		break;
	case WIRE_K_NUMBERS:
		get_numbers(w, f, to, mem);
		break;
	case WIRE_K_NAMES:
		get_names(w, f, to, mem);
		break;
	case WIRE_K_LIST:
	case WIRE_K_SAME:
		get_list(w, f, to, mem);
		break;
	case WIRE_K_ONE:
	case WIRE_K_MAYBE:
		get_one(w, f, to, mem);
		break;
	case WIRE_K_END:
		break;
	}
}

void
wire_get_fields(struct wire *w, const struct wire_field *f, void *to, struct arena *mem)
{
	for (; f->kind != WIRE_K_END; f++)
		get_field(w, f, to, mem);
}
