/* If this finds something, a damaged log crashes `tocsin audit verify`, or passes as whole. First byte: what is
 * done to the log; second: where. The rest is what the records say, and a line that nobody sealed. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/json.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS = 4 };

#define KEY	SLICE_LIT("0123456789abcdef0123456789abcdef")

/* Seal a log whose records say pieces of `said`; each is one line of JSON. */
static void
seal_log(struct slice said, struct strbuf line[RECORDS], struct arena *mem)
{
	struct hmac *key = hmac_new(KEY);
	char mac[AUDIT_MAC_TEXT + 1] = "";

	for (unsigned i = 0; i < RECORDS; i++) {
		struct strbuf members = STRBUF_INIT;
		struct json_doc doc;

		audit_text(&members, "ev", slice_cut(&said, '\n'));
		audit_number(&members, "n", (int64_t)said.n);
		audit_seal(&line[i], mac, key, i + 1, INT64_C(1795262400) * 1000000 + i,
		    members.p, i == 1 ? ",\"new\":1" : "", mac);
		if (memchr(line[i].p, '\n', line[i].n) != NULL ||
		    json_parse(strbuf_slice(&line[i]), NULL, mem, &doc, NULL) < 0)
			abort();
		strbuf_fini(&members);
	}
	hmac_free(key);
}

/* The number of records that hold. */
static unsigned
verify(const struct strbuf line[RECORDS])
{
	struct audit_check c;
	unsigned i = 0;

	audit_check_init(&c, KEY);
	while (i < RECORDS && audit_check_line(&c, strbuf_slice(&line[i])))
		i++;
	if (i < RECORDS && (c.bad_seq != i + 1 || c.reason[0] == '\0'))
		abort();
	return i;
}

/* Do one thing to the log; returns the first record that must not hold any more. */
static unsigned
damage(struct strbuf line[RECORDS], unsigned what, unsigned where)
{
	unsigned i = where % RECORDS, other = (i + 1 + where / RECORDS % (RECORDS - 1)) % RECORDS;
	struct strbuf keep = line[i];

	switch (what % 3) {
	case 0:		/* flip a bit */
		line[i].p[where * 7 % line[i].n] ^= (char)(1 << (where % 7));
		return i;
	case 1:		/* swap */
		line[i] = line[other];
		line[other] = keep;
		return i < other ? i : other;
	default:	/* cut */
		line[i].n -= 1 + where % line[i].n;
		return i;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf line[RECORDS] = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT };
	unsigned first_bad;
	struct arena *mem;
	struct audit_check c;

	if (size < 2)
		return 0;
	mem = arena_new();
	audit_check_init(&c, KEY);
	if (audit_check_line(&c, slice_from(data + 2, size - 2)))
		abort();
	seal_log(slice_from(data + 2, size - 2), line, mem);
	if (verify(line) != RECORDS)
		abort();
	first_bad = damage(line, data[0], data[1]);
	if (verify(line) != first_bad)
		abort();
	for (unsigned i = 0; i < RECORDS; i++)
		strbuf_fini(&line[i]);
	arena_free(mem);
	return 0;
}
