/* If this finds something, two nodes disagree about which version of an advisory is newer. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t second_us = 1000000;

/* A time in any zone: its UTC form is the same instant, and stays as it is when done again. */
static void
check_any(struct arena *mem, struct slice s)
{
	struct slice utc, twice;
	int64_t us, same;
	bool zone;

	if (stamp_parse_any(s, &us, &zone) != stamp_to_utc(mem, s, &utc))
		abort();
	if (!stamp_parse_any(s, &us, &zone))
		return;
	if (!stamp_parse(utc, &same) || us != same || utc.p[utc.n] != '\0' ||
	    !stamp_to_utc(mem, utc, &twice) || !slice_eq(utc, twice))
		abort();
}

/* A strict time: the loose reader agrees, and text and key lead back to the same instant. */
static void
check_strict(struct arena *mem, struct slice s)
{
	char text[STAMP_TEXT + 1], http[30];
	int64_t us, same, any;
	struct slice key;
	bool zone = false;

	if (stamp_parse(s, &us) != stamp_key(mem, s, &key))
		abort();
	if (!stamp_parse(s, &us))
		return;
	if (!stamp_parse_any(s, &any, &zone) || !zone || any != us)
		abort();
	if (key.n < 19 || (key.n > 19 && (key.p[19] != '.' || key.p[key.n - 1] == '0')) ||
	    memcmp(key.p, s.p, key.n) != 0)
		abort();
	stamp_http(us, http);
	stamp_text(us, text);
	if (strlen(http) != 29 || strlen(text) != STAMP_TEXT || !stamp_parse(slice_of(text), &same))
		abort();
	/* The last second of the year 9999 has no leap second that text could say. */
	if (same != us && us - same > 2 * second_us)
		abort();
}

/* Order of keys is order of instants. */
static void
check_order(struct arena *mem, struct slice a, struct slice b)
{
	struct slice ka, kb;
	int64_t ua, ub;

	if (!stamp_parse(a, &ua) || !stamp_parse(b, &ub) || !stamp_key(mem, a, &ka) ||
	    !stamp_key(mem, b, &kb))
		return;
	/* A second 60 has the microseconds of the next minute, but its own place in the order. */
	if (memcmp(a.p + 17, "60", 2) == 0 || memcmp(b.p + 17, "60", 2) == 0)
		return;
	if ((ua < ub && slice_cmp(ka, kb) >= 0) || (ua > ub && slice_cmp(ka, kb) <= 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_from(data, size), first = slice_cut(&rest, '\n');
	struct arena *mem = arena_new();

	check_any(mem, first);
	check_strict(mem, first);
	check_order(mem, first, rest);
	arena_free(mem);
	return 0;
}
