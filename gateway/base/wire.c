#include "gateway/base/wire.h"

#include <string.h>

#include "gateway/base/arena.h"

#define NO_STRING UINT32_MAX

/* ---- writing ---- */

static void
put_le(struct strbuf *b, uint64_t v, size_t n)
{
	unsigned char t[8];

	for (size_t i = 0; i < n; i++)
		t[i] = (unsigned char)(v >> (8 * i));
	strbuf_add(b, t, n);
}

void
wire_put_u8(struct strbuf *b, uint8_t v)
{
	strbuf_addc(b, (char)v);
}

void
wire_put_bool(struct strbuf *b, bool v)
{
	wire_put_u8(b, v ? 1 : 0);
}

void
wire_put_u32(struct strbuf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void
wire_put_u64(struct strbuf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void
wire_put_i64(struct strbuf *b, int64_t v)
{
	put_le(b, (uint64_t)v, 8);
}

void
wire_put_f64(struct strbuf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_le(b, bits, 8);
}

void
wire_put_text(struct strbuf *b, struct slice s)
{
	wire_put_u32(b, (uint32_t)s.n);
	strbuf_addsl(b, s);
}

void
wire_put_string(struct strbuf *b, const char *s)
{
	if (s == NULL)
		wire_put_u32(b, NO_STRING);
	else
		wire_put_text(b, slice_of(s));
}

void
wire_put_fixed(struct strbuf *b, const void *p, size_t n)
{
	strbuf_add(b, p, n);
}

/* ---- reading ---- */

void
wire_open(struct wire *w, struct slice body)
{
	w->p = (const uint8_t *)body.p;
	w->end = w->p + body.n;
	w->bad = false;
}

void
wire_refuse(struct wire *w)
{
	w->bad = true;
	w->p = w->end;
}

/* The next n bytes, or NULL. */
static const uint8_t *
next(struct wire *w, size_t n)
{
	const uint8_t *p = w->p;

	if (n > (size_t)(w->end - w->p)) {
		wire_refuse(w);
		return NULL;
	}
	w->p += n;
	return p;
}

static uint64_t
get_le(struct wire *w, size_t n)
{
	const uint8_t *p = next(w, n);
	uint64_t v = 0;

	if (p == NULL)
		return 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t
wire_u8(struct wire *w)
{
	return (uint8_t)get_le(w, 1);
}

uint8_t
wire_below(struct wire *w, unsigned n)
{
	uint8_t v = wire_u8(w);

	if (v >= n) {
		wire_refuse(w);
		return 0;
	}
	return v;
}

bool
wire_bool(struct wire *w)
{
	return wire_below(w, 2) == 1;
}

uint32_t
wire_u32(struct wire *w)
{
	return (uint32_t)get_le(w, 4);
}

uint64_t
wire_u64(struct wire *w)
{
	return get_le(w, 8);
}

int64_t
wire_i64(struct wire *w)
{
	return (int64_t)get_le(w, 8);
}

double
wire_f64(struct wire *w)
{
	uint64_t bits = get_le(w, 8);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

struct slice
wire_text(struct wire *w)
{
	uint32_t n = wire_u32(w);
	const uint8_t *p = next(w, n);

	return p == NULL ? slice_from("", 0) : slice_from((const char *)p, n);
}

const char *
wire_string(struct wire *w, struct arena *mem)
{
	uint32_t n = wire_u32(w);
	const uint8_t *p;

	if (w->bad || n == NO_STRING)
		return NULL;
	p = next(w, n);
	if (p == NULL)
		return NULL;
	if (memchr(p, '\0', n) != NULL) {
		wire_refuse(w);
		return NULL;
	}
	return arena_str(mem, slice_from((const char *)p, n));
}

const char *
wire_name(struct wire *w, struct arena *mem)
{
	const char *s = wire_string(w, mem);

	if (s != NULL)
		return s;
	wire_refuse(w);
	return "";
}

bool
wire_fixed(struct wire *w, void *out, size_t n)
{
	const uint8_t *p = next(w, n);

	if (p == NULL)
		memset(out, 0, n);
	else
		memcpy(out, p, n);
	return p != NULL;
}

uint32_t
wire_count(struct wire *w, uint32_t max, size_t each)
{
	uint32_t n = wire_u32(w);

	if (n > max || n > (size_t)(w->end - w->p) / each) {
		wire_refuse(w);
		return 0;
	}
	return n;
}

bool
wire_done(const struct wire *w)
{
	return !w->bad && w->p == w->end;
}
