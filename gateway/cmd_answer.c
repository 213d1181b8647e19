#include "gateway/cmd_answer.h"

#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

enum { COLUMNS_MAX = 24 };

const char *
span_text(struct arena *mem, double seconds)
{
	static const struct { double least, unit; const char *word, *small; double part; } rows[] = {
		{ 2 * 86400, 86400, "d", "h", 3600 }, { 3600, 3600, "h", "min", 60 },
		{ 60, 60, "min", "s", 1 },
	};
	double whole;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (seconds < rows[i].least)
			continue;
		whole = (double)(long long)(seconds / rows[i].unit);
		return arena_fmt(mem, "%.0f %s %.0f %s", whole, rows[i].word,
		    (double)(long long)((seconds - whole * rows[i].unit) / rows[i].part),
		    rows[i].small);
	}
	if (seconds >= 10 || seconds <= 0)
		return arena_fmt(mem, "%.0f s", seconds < 0 ? 0 : seconds);
	return seconds >= 1 ? arena_fmt(mem, "%.2g s", seconds) :
	    arena_fmt(mem, "%.3g ms", seconds * 1e3);
}

const char *
size_text(struct arena *mem, double bytes)
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
	size_t i = 0;

	for (; bytes >= 1000 && i + 1 < sizeof(units) / sizeof(*units); i++)
		bytes /= 1024;
	return arena_fmt(mem, i == 0 || bytes >= 9.95 ? "%.0f %s" : "%.1f %s", bytes, units[i]);
}

double
number_in(const json *o, const char *member)
{
	const json *value = json_get(o, member);
	double v = 0;

	return value != NULL && json_is_number(value) && json_double(value, &v) ? v : 0;
}

/* Places count from 1: a 0 is none. */
struct slice
cell_text(struct arena *mem, const json *o, const struct column *c)
{
	const json *value = json_get(o, c->member);
	struct slice s = json_slice(value);
	int64_t us;

	if (json_is_number(value) && c->form == FORM_SPAN)
		return slice_of(span_text(mem, number_in(o, c->member)));
	if (json_is_number(value) && c->form == FORM_SIZE)
		return slice_of(size_text(mem, number_in(o, c->member)));
	if (json_is_number(value))
		s = json_number_text(mem, value);
	else if (json_is_bool(value))
		s = slice_of(json_bool(value) ? "yes" : "no");
	else if (c->form == FORM_AGE && stamp_parse(s, &us))
		s = slice_of(span_text(mem, (double)(clock_wall_us() - us) / 1e6));
	else if (s.n == STAMP_TEXT && s.p[10] == 'T' && s.p[26] == 'Z')
		s = slice_of(arena_fmt(mem, "%.19sZ", s.p));
	if (slice_is(s, "0") && (strcmp(c->member, "line") == 0 || strcmp(c->member, "column") == 0))
		return SLICE_EMPTY;
	return s;
}

void
print_list(const json *list, const struct column *columns, const char *none)
{
	const char *heads[COLUMNS_MAX + 1] = { NULL };
	struct arena *mem = arena_new();
	struct table *t;
	size_t n = 0;

	for (; n < COLUMNS_MAX && columns[n].head != NULL; n++)
		heads[n] = columns[n].head;
	t = table_new(heads);
	for (const json *o = json_first(list); o != NULL; o = json_next(o))
		for (size_t i = 0; i < n; i++)
			table_cell(t, cell_text(mem, o, &columns[i]));
	table_print(t, stdout);
	if (table_rows(t) == 0)
		printf("%s\n", none);
	table_free(t);
	arena_free(mem);
}

void
print_members(const json *o, const struct column *rows)
{
	struct arena *mem = arena_new();

	for (; rows->head != NULL; rows++) {
		struct slice s = cell_text(mem, o, rows);

		if (s.n == 0)
			continue;
		printf("%-12s ", rows->head);
		print_safe(stdout, s);
		putchar('\n');
	}
	arena_free(mem);
}
