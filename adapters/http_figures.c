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
	ROW(STAT_ACCEPTED, NULL, accepted),
	ROW(STAT_NOT_ACCEPTED, "total", refused_full),
	ROW(STAT_NOT_ACCEPTED, "address", refused_address),
	ROW(STAT_NOT_ACCEPTED, "handshakes", refused_handshakes),
	ROW(STAT_EVICTED, NULL, evicted),
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

static void
set_left(struct stats *s, enum stats_id id, int listener, int64_t until_us)
{
	char label[32];

	if (until_us == 0)
		return;
	snprintf(label, sizeof(label), "listener-%d", listener);
	stats_set(s, id, label, (double)(until_us - clock_wall_us()) / 1e6);
}

/* For how long each listener's certificate and revocation lists hold. */
static void
look_at_certificates(const struct http_server *server, struct stats *s)
{
	for (int i = 0; i < LISTENERS; i++) {
		const struct tls *tls = http_server_tls(server, i);

		if (tls == NULL)
			continue;
		set_left(s, STAT_CERT, i, tls_own_until(tls));
		set_left(s, STAT_CRL, i, tls_crl_until(tls));
	}
}

/* How many connections are at what. */
static void
look_at_connections(const struct http_server *server, struct stats *s)
{
	const char *state;
	size_t n;

	for (int i = 0; (state = http_server_state(server, i, &n)) != NULL; i++)
		stats_set(s, STAT_CONNECTIONS, state, (double)n);
}

void
http_figures(const struct http_server *server, struct stats *s)
{
	const struct http_counters *n = http_server_counters(server);
	uint64_t memory, files;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		stats_set(s, rows[i].id, rows[i].label,
		    (double)*(const uint64_t *)((const char *)n + rows[i].offset));
	look_at_certificates(server, s);
	look_at_connections(server, s);
	http_server_bodies(server, &memory, &files);
	stats_set(s, STAT_BODIES, "memory", (double)memory);
	stats_set(s, STAT_BODIES, "file", (double)files);
	stats_set(s, STAT_HANDSHAKES, "full", (double)(n->handshakes - n->handshakes_resumed));
}
