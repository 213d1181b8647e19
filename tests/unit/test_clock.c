/* If this fails, an old version replaces a new one, or an embargo ends on the wrong day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

static const struct {
	const char	*text;
	int64_t		 us;
} good_utc[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1970-01-01T00:00:00.000001Z", 1 },
	{ "1969-12-31T23:59:59.999999Z", -1 },
	{ "2000-02-29T12:00:00Z", INT64_C(951825600000000) },
	{ "2024-02-29T23:59:59.9Z", INT64_C(1709251199900000) },
	{ "2024-02-03T04:05:06.123456789012345678Z", INT64_C(1706933106123456) },
	{ "2016-12-31T23:59:60Z", INT64_C(1483228800000000) },
	{ "2400-02-29T00:00:00Z", INT64_C(13574563200000000) },
	{ "0001-01-01T00:00:00Z", INT64_C(-62135596800000000) },
	{ "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999) },
};

/* None of these is a time in UTC. */
static const char *const bad_utc[] = {
	"", "Z", "2024", "2024-02-03", "2024-02-03T04:05Z", "2024-02-03T04:05:06",
	"2024-02-03T04:05:06.Z", "2024-02-03T04:05:06,5Z", "2024-02-03t04:05:06Z",
	"2024-02-03T04:05:06z", "2024-02-03 04:05:06Z", "2024-02-03T04:05:06+00:00",
	"2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-02-30T00:00:00Z",
	"2024-04-31T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
	"2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z", "0000-01-01T00:00:00Z",
	"2024-01-01T24:00:00Z", "2024-01-01T25:00:00Z", "2024-01-01T00:60:00Z",
	"2024-01-01T00:00:61Z", "2024-1-01T00:00:00Z", "24-01-01T00:00:00Z",
	"+2024-01-01T00:00:00Z", "-2024-01-01T00:00:00Z", "12024-01-01T00:00:00Z",
	" 2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z ", "2024-01-01T00:00:00ZZ",
	"2024-01-01T00:00:00.5.5Z", "2024-01-01T00:00:-1Z", "2024-01-01T00:00:00.\xd9\xa1Z",
};

static void
test_parse_utc(void **state)
{
	char text[STAMP_TEXT + 1];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(good_utc) / sizeof(*good_utc); i++) {
		us = 42;
		if (!stamp_parse(slice_of(good_utc[i].text), &us) || us != good_utc[i].us)
			fail_msg("%s gives %lld", good_utc[i].text, (long long)us);
		assert_true(stamp_parse(slice_of(good_utc[i].text), NULL));
	}
	for (size_t i = 0; i < sizeof(bad_utc) / sizeof(*bad_utc); i++) {
		if (stamp_parse(slice_of(bad_utc[i]), &us))
			fail_msg("'%s' is taken", bad_utc[i]);
	}
	/* NUL bytes are no end of text. */
	assert_false(stamp_parse(slice_from("2024-01-01T00:00:00Z\0", 21), &us));
	assert_true(stamp_parse(SLICE_LIT("2024-02-03T04:05:06.000000Z"), &us));
	stamp_text(us, text);
	assert_string_equal(text, "2024-02-03T04:05:06.000000Z");
}

static const struct {
	const char	*text, *utc;
	bool		 zone;
} any_zone[] = {
	{ "2024-03-01T10:00:00.50+01:00", "2024-03-01T09:00:00.50Z", true },
	{ "2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z", true },
	{ "2023-03-01T00:30:00+01:00", "2023-02-28T23:30:00Z", true },
	{ "2023-12-31T20:00:00-05:30", "2024-01-01T01:30:00Z", true },
	{ "2024-03-01T10:00:00", "2024-03-01T10:00:00Z", false },
	{ "2024-03-01t10:00:00.0z", "2024-03-01T10:00:00.0Z", true },
	{ "2024-03-01T10:00:00-00:00", "2024-03-01T10:00:00Z", true },
	{ "2024-03-01T10:00:00+14:00", "2024-02-29T20:00:00Z", true },
	{ "2024-03-01T10:00:00+23:59", "2024-02-29T10:01:00Z", true },
	{ "2024-12-31T24:00:00", "2025-01-01T00:00:00Z", false },
	{ "2024-02-28T24:00:00.000Z", "2024-02-29T00:00:00.000Z", true },
	{ "2017-01-01T00:59:60+01:00", "2016-12-31T23:59:60Z", true },
	{ "2024-03-01T10:00:00.12345678901234567890Z",
	  "2024-03-01T10:00:00.12345678901234567890Z", true },
	/* No date, or none between the years 1 and 9999 in UTC. */
	{ "2024-03-01T10:00:00+24:00", NULL, false },
	{ "2024-03-01T10:00:00+01:60", NULL, false },
	{ "2024-03-01T10:00:00+0100", NULL, false },
	{ "2024-03-01T10:00:00+01", NULL, false },
	{ "2024-03-01T10:00:00+", NULL, false },
	{ "2024-03-01T24:00:01", NULL, false },
	{ "2024-03-01T24:00:00.001Z", NULL, false },
	{ "2024-03-01T10:00", NULL, false },
	{ "2024-03-01", NULL, false },
	{ "0001-01-01T00:00:00+00:01", NULL, false },
	{ "9999-12-31T23:59:00-00:01", NULL, false },
	{ "9999-12-31T24:00:00Z", NULL, false },
	{ "10000-01-01T00:00:00Z", NULL, false },
};

static void
test_any_zone(void **state)
{
	struct arena *mem = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(any_zone) / sizeof(*any_zone); i++) {
		struct slice in = slice_of(any_zone[i].text), out;
		int64_t us, again;
		bool zone = !any_zone[i].zone;

		if (any_zone[i].utc == NULL) {
			if (stamp_parse_any(in, &us, &zone) || stamp_to_utc(mem, in, &out))
				fail_msg("'%s' is taken", in.p);
			continue;
		}
		if (!stamp_to_utc(mem, in, &out))
			fail_msg("'%s' is refused", in.p);
		assert_string_equal(out.p, any_zone[i].utc);
		assert_int_equal(out.n, strlen(any_zone[i].utc));
		assert_true(stamp_parse_any(in, &us, &zone));
		assert_int_equal(zone, any_zone[i].zone);
		/* Both ways to the instant agree. */
		assert_true(stamp_parse(out, &again));
		assert_true(us == again);
		assert_true(stamp_parse_any(in, NULL, NULL));
	}
	arena_free(mem);
}

/* Written in the order of their instants; equal neighbours are marked with '='. */
static const char *const in_order[] = {
	"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z",
	"2024-02-03T04:05:06Z", "=2024-02-03T04:05:06.0Z", "=2024-02-03T04:05:06.000000Z",
	"2024-02-03T04:05:06.0000001Z", "2024-02-03T04:05:06.09Z", "2024-02-03T04:05:06.1Z",
	"=2024-02-03T04:05:06.10Z", "2024-02-03T04:05:06.100000000000000000001Z",
	"2024-02-03T04:05:06.9Z", "2024-02-03T04:05:07Z", "2024-02-29T00:00:00Z",
	"2024-03-01T00:00:00Z", "2024-12-31T23:59:59.9Z", "2024-12-31T23:59:60Z",
	"2024-12-31T23:59:60.5Z", "2025-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
};

static void
test_key_order(void **state)
{
	struct arena *mem = arena_new();
	struct slice last = SLICE_EMPTY, key;

	(void)state;
	for (size_t i = 0; i < sizeof(in_order) / sizeof(*in_order); i++) {
		bool same = in_order[i][0] == '=';

		assert_true(stamp_key(mem, slice_of(in_order[i] + same), &key));
		if (same ? slice_cmp(last, key) != 0 : slice_cmp(last, key) >= 0)
			fail_msg("'%s' after '%s'", key.p, last.p);
		last = key;
	}
	assert_true(stamp_key(mem, SLICE_LIT("2024-02-03T04:05:06.78900Z"), &key));
	assert_string_equal(key.p, "2024-02-03T04:05:06.789");
	assert_int_equal(key.n, 23);
	for (size_t i = 0; i < sizeof(bad_utc) / sizeof(*bad_utc); i++)
		assert_false(stamp_key(mem, slice_of(bad_utc[i]), &key));
	arena_free(mem);
}

/* Every day from 1600 to 2500 against the C library's calendar, there and back. */
static void
test_calendar(void **state)
{
	static const int64_t day = INT64_C(86400) * 1000000;
	int64_t us;

	(void)state;
	for (int64_t d = -135140; d < 193582; d++) {
		char text[STAMP_TEXT + 1], want[40], http[30], want_http[64];
		time_t t = (time_t)(d * 86400 + 86399);
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.999999Z", &tm);
		strftime(want_http, sizeof(want_http), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		stamp_text(d * day + day - 1, text);
		stamp_http(d * day + day - 1, http);
		if (strcmp(text, want) != 0 || strcmp(http, want_http) != 0)
			fail_msg("%s for %s, %s for %s", text, want, http, want_http);
		assert_true(stamp_parse(slice_of(text), &us));
		assert_true(us == d * day + day - 1);
	}
}

static void
test_text_ends(void **state)
{
	char text[STAMP_TEXT + 1], http[30];

	(void)state;
	stamp_text(INT64_MIN, text);
	assert_string_equal(text, "0001-01-01T00:00:00.000000Z");
	stamp_text(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
	stamp_http(INT64_C(784111777000000), http);
	assert_string_equal(http, "Sun, 06 Nov 1994 08:49:37 GMT");
	stamp_http(INT64_MIN, http);
	assert_string_equal(http, "Mon, 01 Jan 0001 00:00:00 GMT");
}

static void
test_fake(void **state)
{
	int64_t real = clock_wall_us(), mono = clock_mono_us();

	(void)state;
	assert_true(real > INT64_C(1700000000000000));
	clock_fake(1000);
	assert_true(clock_wall_us() == 1000 && clock_mono_us() == 1000);
	clock_fake_add(500);
	assert_true(clock_wall_us() == 1500 && clock_mono_us() == 1500);
	clock_real();
	assert_true(clock_wall_us() > INT64_C(1700000000000000));
	assert_true(clock_mono_us() >= mono);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_utc),
		cmocka_unit_test(test_any_zone),
		cmocka_unit_test(test_key_order),
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_text_ends),
		cmocka_unit_test(test_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
