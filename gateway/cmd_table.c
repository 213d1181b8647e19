/* cmd_table.c -- rows in columns on a terminal. Part of cmd.h. */
#include "gateway/cmd.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

enum { COLUMNS_MAX = 24, GAP = 2, NARROW = 16 };

struct table {
	struct arena		*mem;
	const char *const	*heads;
	size_t			 ncolumns;
	size_t			 width[COLUMNS_MAX];	/* in code points; 0: nothing but empty cells */
	bool			 headless;	/* the heads were printed above another table */
	struct slice		*cells;
	size_t			 n, cap;
};

/* How many code points; text that is no UTF-8 counts bytes. */
static size_t
width_of(struct slice s)
{
	size_t n = 0;

	if (utf8_bad_at(s) < s.n)
		return s.n;
	for (; s.n > 0; n++)
		utf8_next(&s);
	return n;
}

struct table *
table_new(const char *const *heads)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->mem = arena_new();
	t->heads = heads;
	while (t->ncolumns < COLUMNS_MAX && heads[t->ncolumns] != NULL)
		t->ncolumns++;
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	arena_free(t->mem);
	free(t);
}

void
table_cell(struct table *t, struct slice text)
{
	size_t column = t->n % t->ncolumns, width = width_of(text);

	t->cells = arena_grow(t->mem, t->cells, t->n, &t->cap, sizeof(*t->cells));
	t->cells[t->n++] = arena_slice(t->mem, text);
	if (width > t->width[column])
		t->width[column] = width;
}

size_t
table_rows(const struct table *t)
{
	return t->n / t->ncolumns;
}

void
print_safe(FILE *out, struct slice text)
{
	while (text.n > 0) {
		size_t n = utf8_len(text);
		struct slice one = slice_from(text.p, n == 0 ? 1 : n), peek = one;

		if (n == 0 || utf8_is_unseen(utf8_next(&peek)))
			fputc('?', out);
		else
			fwrite(one.p, 1, one.n, out);
		text = slice_from(text.p + one.n, text.n - one.n);
	}
}

/* The first `width` code points; what is cut off leaves a mark. */
static void
print_cut(FILE *out, struct slice text, size_t width)
{
	struct slice rest = text;

	if (width_of(text) <= width) {
		print_safe(out, text);
		return;
	}
	for (size_t i = 0; i + 1 < width && rest.n > 0; i++)
		utf8_next(&rest);
	print_safe(out, slice_from(text.p, text.n - rest.n));
	fputs("\u2026", out);
}

/* One row; the last shown column gets no blanks behind it. */
static void
print_row(const struct table *t, const struct slice *cells, FILE *out)
{
	size_t owed = 0;

	for (size_t i = 0; i < t->ncolumns; i++) {
		size_t width = t->width[i], used = width_of(cells[i]);

		if (width == 0)
			continue;
		if (cells[i].n > 0) {
			fprintf(out, "%*s", (int)owed, "");
			print_cut(out, cells[i], width);
			owed = width - (used < width ? used : width) + GAP;
		} else {
			owed += width + GAP;
		}
	}
	fputc('\n', out);
}

/* Columns that are shown are as wide as their heads at least. */
static void
widen_for_heads(struct table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++)
		if (t->width[i] > 0 && t->width[i] < strlen(t->heads[i]))
			t->width[i] = strlen(t->heads[i]);
}

/* The widest column that can still give something, the last one (which tells) only when no other can;
 * ncolumns if none. */
static size_t
widest_column(const struct table *t)
{
	size_t at = t->ncolumns;

	for (size_t i = 0; i + 1 < t->ncolumns; i++)
		if (t->width[i] > NARROW && (at == t->ncolumns || t->width[i] > t->width[at]))
			at = i;
	if (at == t->ncolumns && t->width[t->ncolumns - 1] > NARROW)
		at = t->ncolumns - 1;
	return at;
}

void
table_fit(struct table *t, size_t columns)
{
	widen_for_heads(t);
	for (;;) {
		size_t total = 0, widest = widest_column(t);

		for (size_t i = 0; i < t->ncolumns; i++)
			total += t->width[i] == 0 ? 0 : t->width[i] + GAP;
		if (total <= columns + GAP || widest == t->ncolumns)
			return;
		t->width[widest]--;
	}
}

void
table_go_on(struct table *t)
{
	t->headless = true;
	t->n = 0;
	arena_free(t->mem);
	t->mem = arena_new();
	t->cells = NULL;
	t->cap = 0;
}

void
table_print(struct table *t, FILE *out)
{
	struct slice heads[COLUMNS_MAX];

	if (t->n == 0)
		return;
	widen_for_heads(t);
	for (size_t i = 0; i < t->ncolumns; i++)
		heads[i] = slice_of(t->heads[i]);
	if (!t->headless)
		print_row(t, heads, out);
	for (size_t i = 0; i + t->ncolumns <= t->n; i += t->ncolumns)
		print_row(t, &t->cells[i], out);
}
