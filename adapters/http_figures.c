#include "adapters/http_figures.h"

#include <stddef.h>
#include <stdio.h>

#include "gateway/base/clock.h"

enum { LISTENERS = 16 };

static const struct {
	enum stats_id	 id;
	const char	*label;
	size_t		 offset;
} rows[] = {
#define ROW(id, label, member) { id, label, offsetof(struct http_counters, member) }
	ROW(STAT_CONNECTIONS, NULL, open),
	ROW(STAT_ACCEPTED, NULL, accepted),
	ROW(STAT_NOT_ACCEPTED, "total", refused_full),
	ROW(STAT_NOT_ACCEPTED, "address", refused_address),
	ROW(STAT_HANDSHAKES, "resumed", handshakes_resumed),
	ROW(STAT_HANDSHAKES, "failed", handshakes_failed),
	ROW(STAT_TIMEOUTS, "handshake", timeouts_handshake),
	ROW(STAT_TIMEOUTS, "head", timeouts_head),
	ROW(STAT_TIMEOUTS, "body", timeouts_body),
	ROW(STAT_TIMEOUTS, "write", timeouts_write),
	ROW(STAT_TIMEOUTS, "held", timeouts_held),
	ROW(STAT_ABORTED, NULL, aborted),
	ROW(STAT_BAD_REQUESTS, NULL, bad_requests),
	ROW(STAT_BODIES_REFUSED, NULL, bodies_refused),
	ROW(STAT_REQUEST_BYTES, NULL, bytes_in),
	ROW(STAT_RESPONSE_BYTES, NULL, bytes_out),
#undef ROW
};

/* For how long each listener's certificate holds. */
static void
look_at_certificates(const struct http_server *server, struct stats *s)
{
	char label[32];
	int64_t until;

	for (int i = 0; i < LISTENERS; i++) {
		if ((until = http_server_cert_until(server, i)) == 0)
			continue;
		snprintf(label, sizeof(label), "listener-%d", i);
		stats_set(s, STAT_CERT, label, (double)(until - clock_wall_us()) / 1e6);
	}
}

void
http_figures(const struct http_server *server, struct stats *s)
{
	const struct http_counters *n = http_server_counters(server);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		stats_set(s, rows[i].id, rows[i].label,
		    (double)*(const uint64_t *)((const char *)n + rows[i].offset));
	look_at_certificates(server, s);
	stats_set(s, STAT_HANDSHAKES, "full", (double)(n->handshakes - n->handshakes_resumed));
}
