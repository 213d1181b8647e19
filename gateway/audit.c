#include "gateway/audit.h"

#include <stdio.h>

#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"

enum { LINE_ROOM = 256 };		/* of a record beside its members */

static const char mac_member[] = ",\"mac\":\"";
static const char first_prev[] =
    "0000000000000000000000000000000000000000000000000000000000000000";

static void
mac_text(struct slice key, struct slice text, char out[AUDIT_MAC_TEXT + 1])
{
	uint8_t mac[SHA256_LEN];

	digest_hmac_sha256(key, text, mac);
	hex_text(mac, sizeof(mac), out);
}

void
audit_seal(struct strbuf *line, char mac[AUDIT_MAC_TEXT + 1], struct hmac *key, uint64_t seq,
    int64_t at_us, const char *members, const char *extra, const char *prev)
{
	uint8_t raw[SHA256_LEN];
	char at[STAMP_TEXT + 1];
	size_t from = line->n;

	stamp_text(at_us, at);
	strbuf_reserve(line, strlen(members) + strlen(extra) + LINE_ROOM);
	strbuf_adds(line, "{\"seq\":");
	strbuf_addn(line, (int64_t)seq);
	strbuf_adds(line, ",\"t\":\"");
	strbuf_add(line, at, STAMP_TEXT);
	strbuf_adds(line, "\",");
	strbuf_adds(line, members);
	strbuf_adds(line, extra);
	strbuf_adds(line, ",\"prev\":\"");
	strbuf_adds(line, prev[0] == '\0' ? first_prev : prev);
	strbuf_addc(line, '"');
	hmac_sha256(key, slice_from(line->p + from, line->n - from), raw);
	hex_text(raw, sizeof(raw), mac);
	strbuf_adds(line, mac_member);
	strbuf_add(line, mac, AUDIT_MAC_TEXT);
	strbuf_adds(line, "\"}");
}

void
audit_check_init(struct audit_check *c, struct slice key)
{
	memset(c, 0, sizeof(*c));
	c->key = key;
	snprintf(c->prev, sizeof(c->prev), "%s", first_prev);
}

static bool
bad(struct audit_check *c, const char *why)
{
	c->bad_seq = c->seq + 1;
	snprintf(c->reason, sizeof(c->reason), "record %llu: %s",
	    (unsigned long long)c->bad_seq, why);
	return false;
}

/* The number behind {"seq": at the start of the line. */
static bool
line_seq(struct slice line, unsigned long long *seq)
{
	static const char head[] = "{\"seq\":";
	struct slice digits;

	if (!slice_starts(line, head))
		return false;
	digits = slice_from(line.p + sizeof(head) - 1, line.n - (sizeof(head) - 1));
	digits = slice_cut(&digits, ',');
	return slice_u64(digits, seq);
}

bool
audit_check_line(struct audit_check *c, struct slice line)
{
	const size_t tail = sizeof(mac_member) - 1 + AUDIT_MAC_TEXT + 2;
	char want[AUDIT_MAC_TEXT + 1], prev[AUDIT_MAC_TEXT + 16];
	unsigned long long seq;
	struct slice body, mac;
	int n;

	if (line.n < tail || !line_seq(line, &seq))
		return bad(c, "not a record of this log");
	if (seq != c->seq + 1)
		return bad(c, seq <= c->seq ? "a record stands out of order" : "records are missing");
	body = slice_from(line.p, line.n - tail);
	mac = slice_from(line.p + body.n + sizeof(mac_member) - 1, AUDIT_MAC_TEXT);
	if (memcmp(line.p + body.n, mac_member, sizeof(mac_member) - 1) != 0 ||
	    !slice_ends(line, "\"}"))
		return bad(c, "its seal is not where it belongs");
	n = snprintf(prev, sizeof(prev), "\"prev\":\"%s\"", c->prev);
	if (body.n < (size_t)n || memcmp(body.p + body.n - n, prev, (size_t)n) != 0)
		return bad(c, "does not continue the record before it");
	mac_text(c->key, body, want);
	if (!secret_eq(mac, slice_of(want)))
		return bad(c, "was changed after it was written");
	c->seq = seq;
	memcpy(c->prev, want, sizeof(want));
	return true;
}

void
audit_object(struct slice key, struct slice id, char out[19])
{
	uint8_t mac[SHA256_LEN];

	digest_hmac_sha256(key, id, mac);
	memcpy(out, "k:", 2);
	hex_text(mac, 8, out + 2);
}

void
audit_text(struct strbuf *b, const char *name, struct slice value)
{
	if (b->n > 0)
		strbuf_addc(b, ',');
	json_print_string(b, slice_of(name));
	strbuf_addc(b, ':');
	json_print_string(b, value);
}

void
audit_number(struct strbuf *b, const char *name, int64_t value)
{
	if (b->n > 0)
		strbuf_addc(b, ',');
	json_print_string(b, slice_of(name));
	strbuf_addc(b, ':');
	strbuf_addn(b, value);
}

void
audit_kept(void *arg, const struct err *e)
{
	(void)arg;
	if (e != NULL)
		log_event(LOG_ERROR, "audit.failed", LF_S("error", e->reason));
}
