/* If this fails, what one process writes is not what the other reads, or a short message makes its reader ask for
 * gigabytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/wire_fields.h"

enum colour { RED, GREEN, BLUE, COLOURS };

struct leaf {
	int64_t		number;
	const char	*name;
};
struct sample {
	bool		 yes;
	enum colour	 colour;
	uint32_t	 small;
	uint64_t	 large;
	int64_t		 minus;
	uint8_t		 bytes[4];
	char		 word[8];
	struct slice	 text;
	const char	*name, *nothing;
	const int64_t	*numbers;
	const char *const *names;
	const struct leaf *leaves, *one, *none;
	struct leaf	*same;
	size_t		 nnumbers, nnames, nleaves, nsame;
};

static const struct wire_field leaf_fields[] = {
	WIRE_I64(struct leaf, number), WIRE_STRING(struct leaf, name, 10), WIRE_END
};
static const struct wire_field fields[] = {
	WIRE_BOOL(struct sample, yes), WIRE_ENUM(struct sample, colour, COLOURS),
	WIRE_U32(struct sample, small), WIRE_U64(struct sample, large),
	WIRE_I64(struct sample, minus), WIRE_BYTES(struct sample, bytes),
	WIRE_WORD(struct sample, word), WIRE_TEXT(struct sample, text, 10),
	WIRE_NAME(struct sample, name, 10), WIRE_STRING(struct sample, nothing, 10),
	WIRE_NUMBERS(struct sample, numbers, nnumbers, 3),
	WIRE_NAMES(struct sample, names, nnames, 3),
	WIRE_LIST(struct sample, leaves, nleaves, 1000000, leaf_fields),
	WIRE_ONE(struct sample, one, leaf_fields), WIRE_MAYBE(struct sample, none, leaf_fields),
	WIRE_SAME(struct sample, same, nsame, 3, leaf_fields),
	WIRE_END
};

static const int64_t numbers[] = { 1, -2, 3 };
static const char *const names[] = { "a", "b" };
static const struct leaf leaves[] = { { 7, "seven" }, { 8, NULL } };
static struct leaf same[] = { { 9, "nine" } };

static struct sample
full(void)
{
	return (struct sample){ .yes = true, .colour = BLUE, .small = 5, .large = UINT64_MAX,
	    .minus = -5, .bytes = { 1, 2, 3, 4 }, .word = "sevenxx", .text = { "t\0t", 3 },
	    .name = "name", .numbers = numbers, .nnumbers = 3, .names = names, .nnames = 2,
	    .leaves = leaves, .nleaves = 2, .one = &leaves[0], .same = same, .nsame = 1 };
}

static void
there_and_back(void **state)
{
	struct arena *mem = arena_new();
	struct strbuf b = STRBUF_INIT;
	struct leaf here[1] = { { 0, NULL } };
	struct sample s = full(), got = { .same = here, .nsame = 1 };
	struct wire w;

	(void)state;
	assert_true(wire_put_fields(&b, fields, &s));
	wire_open(&w, strbuf_slice(&b));
	wire_get_fields(&w, fields, &got, mem);
	assert_true(wire_done(&w));
	assert_true(got.yes && got.colour == BLUE && got.small == 5);
	assert_true(got.large == UINT64_MAX && got.minus == -5 && got.bytes[3] == 4);
	assert_string_equal(got.word, "sevenxx");
	assert_true(slice_eq(got.text, s.text));
	assert_true(got.text.p >= b.p && got.text.p < b.p + b.n);	/* no copy */
	assert_string_equal(got.name, "name");
	assert_null(got.nothing);
	assert_int_equal(got.nnumbers, 3);
	assert_int_equal(got.numbers[1], -2);
	assert_string_equal(got.names[1], "b");
	assert_int_equal(got.nleaves, 2);
	assert_string_equal(got.leaves[0].name, "seven");
	assert_null(got.leaves[1].name);
	assert_int_equal(got.one->number, 7);
	assert_null(got.none);
	assert_int_equal(here[0].number, 9);
	strbuf_fini(&b);
	arena_free(mem);
}

static void
limits_hold_for_the_writer(void **state)
{
	static const char *const many[] = { "a", "b", "c", "d" };

	(void)state;
	for (int i = 0; i <= 7; i++) {
		struct strbuf b = STRBUF_INIT;
		struct sample s = full();

		if (i == 1)
			s.colour = COLOURS;
		else if (i == 2)
			s.text = SLICE_LIT("12345678901");
		else if (i == 3)
			s.name = NULL;
		else if (i == 4)
			s.name = "12345678901";
		else if (i == 5)
			s.names = many, s.nnames = 4;
		else if (i == 6)
			s.nnumbers = 4;
		else if (i == 7)
			memset(s.word, 'x', sizeof(s.word));
		assert_true(wire_put_fields(&b, fields, &s) == (i == 0));
		strbuf_fini(&b);
	}
}

/* Every cut and every bent byte: refused, or something within the limits. */
static void
limits_hold_for_the_reader(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct sample s = full();

	(void)state;
	assert_true(wire_put_fields(&b, fields, &s));
	for (size_t n = 0; n < b.n * 256 + b.n; n++) {
		struct arena *mem = arena_new();
		struct leaf here[1] = { { 0, NULL } };
		struct sample got = { .same = here, .nsame = 1 };
		size_t len = n < b.n ? n : b.n;
		char *copy = xmalloc(len + 1);
		struct wire w;

		memcpy(copy, b.p, len);
		if (n >= b.n)
			copy[(n - b.n) / 256] = (char)((n - b.n) % 256);
		wire_open(&w, slice_from(copy, len));
		wire_get_fields(&w, fields, &got, mem);
		if (n < b.n)
			assert_false(wire_done(&w));
		assert_true(got.colour < COLOURS && got.nnumbers <= 3 && got.nnames <= 3);
		assert_true(memchr(got.word, '\0', sizeof(got.word)) != NULL);
		assert_true(!wire_done(&w) || strlen(got.name) <= 10);
		assert_true(arena_bytes(mem) < 16384);
		free(copy);
		arena_free(mem);
	}
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(limits_hold_for_the_writer),
		cmocka_unit_test(limits_hold_for_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
