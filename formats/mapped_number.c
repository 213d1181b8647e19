/* mapped_number.c -- numbers in a source's own form: decimal sign, groups of digits, a scale. */
#include <stdlib.h>

#include "formats/mapped_impl.h"
#include "gateway/base/ascii.h"

enum { DIGITS_MAX = 15, FRACTION_MAX = 6 };

static const int64_t powers[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
	100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000
};

/* Read digits, dropping what groups them (a dot or comma that is not the decimal sign, a blank, '). */
static bool
read_digits(const struct map_number *n, struct slice s, int64_t *value, unsigned *fraction)
{
	unsigned digits = 0;
	bool behind = false;

	*value = 0;
	*fraction = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (ascii_is_digit(s.p[i])) {
			if (++digits > DIGITS_MAX)
				return false;
			*value = 10 * *value + (s.p[i] - '0');
			*fraction += behind;
		} else if (s.p[i] == n->decimal && !behind) {
			behind = true;
		} else if (behind || digits == 0 || memchr(".,' ", s.p[i], 4) == NULL) {
			return false;
		}
	}
	return digits > 0;
}

/* a / b, rounded half away from zero. */
static int64_t
divide(int64_t a, int64_t b)
{
	return (a < 0 ? a - b / 2 : a + b / 2) / b;
}

bool
map_number_read(const struct map_number *n, struct slice s, struct arena *mem, struct slice *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	int64_t value, scaled;
	unsigned fraction;

	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		s = slice_from(s.p + 1, s.n - 1);
	if (!read_digits(n, s, &value, &fraction) ||
	    __builtin_mul_overflow(value, n->times, &scaled) || fraction + n->scale > DIGITS_MAX)
		return false;
	scaled = divide(scaled, powers[fraction + n->scale]);
	*out = slice_of(arena_fmt(mem, "%s%lld", minus && scaled > 0 ? "-" : "", (long long)scaled));
	return true;
}

bool
map_number_write(const struct map_number *n, struct slice s, struct arena *mem, struct slice *out)
{
	struct map_number plain = { .decimal = '.', .times = 1 };
	bool minus = s.n > 0 && s.p[0] == '-';
	int64_t value, scaled;
	unsigned fraction;
	char *text;
	size_t len;

	if (minus)
		s = slice_from(s.p + 1, s.n - 1);
	if (!read_digits(&plain, s, &value, &fraction) || fraction > 0 ||
	    __builtin_mul_overflow(value, powers[FRACTION_MAX + n->scale], &scaled))
		return false;
	scaled = divide(scaled, n->times);
	text = arena_fmt(mem, "%s%lld%c%06lld", minus ? "-" : "",
	    (long long)(scaled / powers[FRACTION_MAX]), n->decimal,
	    (long long)(scaled % powers[FRACTION_MAX]));
	len = strlen(text);
	while (text[len - 1] == '0')
		len--;
	*out = slice_from(text, text[len - 1] == n->decimal ? len - 1 : len);
	return true;
}
