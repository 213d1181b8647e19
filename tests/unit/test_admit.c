/* If this fails, a reader gets what policy denies him, or is denied what it gives: a verdict was
 * taken for that of other facts, or of another time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/admit.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

#define DAY	(INT64_C(86400) * 1000000)

static const char trust_text[] =
    "scheme c5\n    kind private\n    status in-force\n    levels type1 type2\n"
    "community desk\n    members dunes\n    green yes\n"
    "peer dunes\n    pin sha256:"
    "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\n"
    "    relation partner\n    vetting cleared by \"an office\" until 2027-05-31\n    stores-in DK\n"
    "peer fjord\n    pin sha256:"
    "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1\n"
    "    relation partner\n    exercise also\n"
    "consumer soc\n    relation own\n    uses block\n"
    "attestation hosting\n    peer dunes\n    scheme c5 type2\n    issuer \"Audit A/S\"\n    number 1\n"
    "    covers exchange-node\n    locations DK\n    valid 2026-03-01 2027-02-28\n"
    "    verified document by mv on 2026-03-10\n"
    "recognise c5-report\n    scheme c5 type2\n    as substantial\n    if covers exchange-node\n"
    "    if verified document\n    because \"minutes\"\n    until 2027-12-31\n"
    "require assured\n    object tlp amber\n    to relation partner\n    peer assurance substantial\n"
    "require vetted\n    object sector energy\n    to relation partner\n    peer vetting cleared\n"
    "release partners\n    object tlp clear green amber\n    object kind indicator report\n"
    "    to relation partner own\n";

static struct trust *
parsed(void)
{
	struct complaints c = { .mem = arena_new() };
	struct trust *t = trust_parse(slice_of(trust_text), "t", &c);

	if (t == NULL)
		fail_msg("%s", c.n > 0 ? c.text[0] : "?");
	arena_free(c.mem);
	return t;
}

static const struct slice kinds[] = { { "indicator", 9 }, { "report", 6 }, { "malware", 7 } };
static const struct slice audiences[] = { { "", 0 }, { "dunes", 5 }, { "fjord, soc", 10 } };
static const struct slice desks[] = { { "", 0 }, { "desk", 4 } };

/* Facts by number: all that policy tells apart, mixed. */
static struct policy_facts
facts(uint32_t i)
{
	struct policy_facts f = { .created_by = SLICE_LIT("identity--x") };

	f.tlp = (enum tlp)(i % TLP_LEVELS);
	f.pap = (enum pap)(i / 5 % 5);
	f.origin = (enum origin)(i / 25 % 3);
	f.kind = kinds[i / 75 % 3];
	f.audience = audiences[i / 225 % 3];
	f.flags = (i / 675 % 2 == 0 ? 0 : OBJECT_EMBARGO) | (i / 1350 % 2 == 0 ? 0 : OBJECT_EXERCISE);
	f.embargo_desk = desks[i / 2700 % 2];
	f.sectors = i / 5400 % 2;
	f.phase = (enum phase)(i / 10800 % 2);
	return f;
}

enum { FACTS = 21600 };

static bool
decided(const struct trust *t, const struct policy_facts *f, const struct peer *p, int64_t now_us)
{
	struct decision d;

	policy_decide(t, f, p, now_us, &d);
	return policy_effective(&d) == POLICY_RELEASE;
}

/* Rows come in any order, a few kinds over and over: as if each were decided anew. Texts move
 * about. */
static void
verdicts_are_those_of_policy(void **state)
{
	struct trust *t = parsed();
	int64_t now = INT64_C(1795262400) * 1000000;
	uint32_t x = 1;
	size_t yes = 0;

	(void)state;
	for (size_t p = 0; p < trust_peers(t); p++) {
		struct admit a;

		admit_init(&a, t, trust_peer(t, p), now);
		for (int i = 0; i < 60000; i++) {
			char kind[16];
			struct policy_facts f;
			bool want;

			x = x * 1664525 + 1013904223;
			f = facts((x >> 8) % (i % 3 == 0 ? FACTS : 12) * (i % 3 == 1 ? 1 : 1801) % FACTS);
			want = decided(t, &f, trust_peer(t, p), now);
			memcpy(kind, f.kind.p, f.kind.n);
			f.kind.p = kind;
			if (admit_row(&a, &f) != want)
				fail_msg("peer %zu, row %d: %d", p, i, want);
			memset(kind, 0, sizeof(kind));
			yes += want;
		}
	}
	assert_true(yes > 1000);
	trust_free(t);
}

/* Until the moment that is told, nothing changes by itself; and at one of those moments something
 * does. */
static void
verdicts_hold_until_then(void **state)
{
	struct trust *t = parsed();
	size_t changes = 0, moments = 0;

	(void)state;
	for (size_t p = 0; p < trust_peers(t); p++) {
		const struct peer *peer = trust_peer(t, p);
		int64_t now = INT64_C(1767225600) * 1000000;	/* 2026-01-01 */

		while (now != INT64_MAX && moments < 20) {
			int64_t then = policy_next_change_us(t, peer, now);

			assert_true(then > now);
			for (uint32_t i = 0; i < FACTS; i += 7) {
				struct policy_facts f = facts(i);
				bool is = decided(t, &f, peer, now);

				assert_int_equal(decided(t, &f, peer, then - 1), is);
				if (then - now > DAY)
					assert_int_equal(decided(t, &f, peer, then - DAY), is);
				changes += then != INT64_MAX && decided(t, &f, peer, then) != is;
			}
			moments += then != INT64_MAX;
			now = then;
		}
	}
	assert_true(moments >= 3);		/* the paper begins, ends; the vetting ends */
	assert_true(moments < 20);
	assert_true(changes > 0);
	trust_free(t);
}

/* An embargo that has an end bounds what was decided under it. */
static void
an_embargo_ends(void **state)
{
	struct trust *t = parsed();
	const struct peer *soc = trust_find(t, SLICE_LIT("soc"));
	int64_t now = INT64_C(1795262400) * 1000000;
	struct policy_facts f = { .tlp = TLP_GREEN, .pap = PAP_CLEAR, .kind = kinds[0],
	    .flags = OBJECT_EMBARGO, .embargo_until_us = now + DAY };
	struct admit a;

	(void)state;
	admit_init(&a, t, soc, now);
	assert_int_equal(a.until_us, INT64_MAX);
	assert_false(admit_row(&a, &f));
	assert_int_equal(a.until_us, now + DAY);
	assert_false(admit_row(&a, &f));
	admit_init(&a, t, soc, now + DAY);
	assert_true(admit_row(&a, &f));
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_are_those_of_policy),
		cmocka_unit_test(verdicts_hold_until_then),
		cmocka_unit_test(an_embargo_ends),
	};

	return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}
