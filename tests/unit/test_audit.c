/* If this fails, somebody can change what a node wrote about its decisions, and nobody notices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/audit.h"

enum { RECORDS = 5 };

static const uint8_t key_bytes[32] = { 1, 2, 3 };
#define KEY slice_from(key_bytes, sizeof(key_bytes))

/* A chain of five records. */
static void
make_chain(struct strbuf lines[RECORDS])
{
	struct hmac *key = hmac_new(KEY);
	char mac[AUDIT_MAC_TEXT + 1] = "";

	for (int i = 0; i < RECORDS; i++) {
		char prev[AUDIT_MAC_TEXT + 1];

		memcpy(prev, mac, sizeof(prev));
		strbuf_init(&lines[i]);
		audit_seal(&lines[i], mac, key, (uint64_t)i + 1, 1700000000000000 + i,
		    "\"ev\":\"decision\",\"peer\":\"cert-b\"", i == 2 ? ",\"new\":3" : "", prev);
	}
	hmac_free(key);
}

static void
free_chain(struct strbuf lines[RECORDS])
{
	for (int i = 0; i < RECORDS; i++)
		strbuf_fini(&lines[i]);
}

/* The number of the first bad record, 0 if all are good. */
static uint64_t
verify(const struct strbuf *lines, const int *order, int n)
{
	struct audit_check c;

	audit_check_init(&c, KEY);
	for (int i = 0; i < n; i++)
		if (!audit_check_line(&c, strbuf_slice(&lines[order[i]])))
			return c.bad_seq;
	return 0;
}

static void
test_whole_chain(void **state)
{
	static const int order[] = { 0, 1, 2, 3, 4 };
	struct strbuf lines[RECORDS];

	(void)state;
	make_chain(lines);
	assert_int_equal(verify(lines, order, RECORDS), 0);
	free_chain(lines);
}

/* Drop, swap, insert: named by number. */
static void
test_order(void **state)
{
	static const struct { int order[6], n; uint64_t bad; } rows[] = {
		{ { 1, 2, 3, 4 }, 4, 1 }, { { 0, 2, 3, 4 }, 4, 2 }, { { 0, 1, 3, 2, 4 }, 5, 3 },
		{ { 0, 1, 1, 2, 3, 4 }, 6, 3 }, { { 0, 1, 2, 3, 0 }, 5, 5 },
	};
	struct strbuf lines[RECORDS];

	(void)state;
	make_chain(lines);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(verify(lines, rows[i].order, rows[i].n), rows[i].bad);
	free_chain(lines);
}

/* Every single flipped bit of every record is found, at that record. */
static void
test_flips(void **state)
{
	static const int order[] = { 0, 1, 2, 3, 4 };
	struct strbuf lines[RECORDS];

	(void)state;
	make_chain(lines);
	for (int r = 0; r < RECORDS; r++) {
		for (size_t at = 0; at < lines[r].n; at++) {
			lines[r].p[at] ^= 1;
			assert_int_equal(verify(lines, order, RECORDS), r + 1);
			lines[r].p[at] ^= 1;
		}
	}
	free_chain(lines);
}

/* A chain under another key is refused at its first record. */
static void
test_other_key(void **state)
{
	struct strbuf lines[RECORDS];
	struct audit_check c;

	(void)state;
	make_chain(lines);
	audit_check_init(&c, SLICE_LIT("another key, also thirty-two byt"));
	assert_false(audit_check_line(&c, strbuf_slice(&lines[0])));
	assert_int_equal(c.bad_seq, 1);
	free_chain(lines);
}

/* Text of clients cannot forge a member or a line. */
static void
test_members(void **state)
{
	struct strbuf b = STRBUF_INIT;

	(void)state;
	audit_text(&b, "who", SLICE_LIT("a\",\"x\":\"y\nz"));
	audit_number(&b, "n", -7);
	assert_string_equal(b.p, "\"who\":\"a\\\",\\\"x\\\":\\\"y\\nz\",\"n\":-7");
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_chain), cmocka_unit_test(test_order),
		cmocka_unit_test(test_flips), cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
