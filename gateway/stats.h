/*
 * stats.h -- counters of one process, and their Prometheus text.
 *
 * Owns:    the one table of counters and gauges (name, help, label).
 * Called:  by everyone who counts; by the operations listener and `tocsin status`.
 * Never:   labels anything with content, addresses of clients or object ids.
 */
#ifndef GATEWAY_STATS_H
#define GATEWAY_STATS_H

#include <stdint.h>

#include "gateway/base/strbuf.h"

/* X(enum, "prometheus_name", "help", "label" or NULL) -- counters. Add a row, nothing else. */
#define STATS_COUNTERS(X) \
	X(STAT_ADVISORIES,	"tocsin_advisories_total", "Advisories taken in", "source") \
	X(STAT_OBJECTS,		"tocsin_objects_total", "Objects by outcome of intake", "outcome") \
	X(STAT_REFUSED,		"tocsin_refused_total", "Objects refused, by reason", "reason") \
	X(STAT_SENT,		"tocsin_relay_sent_total", "Objects sent to a peer", "peer") \
	X(STAT_RETRIES,		"tocsin_relay_retries_total", "Deliveries tried again", "peer") \
	X(STAT_WITHHELD,	"tocsin_relay_withheld_total", "Objects held back, by reason", "reason") \
	X(STAT_HTTP,		"tocsin_http_requests_total", "Requests by status", "status") \
	X(STAT_LIMITED,		"tocsin_rate_limited_total", "Requests refused by a rate limit", "client") \
	X(STAT_PAGES,		"tocsin_pages_total", "TAXII pages: read, or kept and shown again", "how") \
	X(STAT_LOGIN_FAILED,	"tocsin_login_failed_total", "Failed authentications", NULL) \
	X(STAT_SPOOL,		"tocsin_spool_files_total", "Spool files by result", "result") \
	X(STAT_RELOADS,		"tocsin_reloads_total", "Configuration reloads by result", "result")

enum stats_counter {
#define X(id, name, help, label) id,
	STATS_COUNTERS(X)
#undef X
	STATS
};

struct stats;

struct stats	*stats_new(void);
void		 stats_free(struct stats *s);
/* Add to a counter under a label value (NULL for counters without label). At most 1,000 label values
 * a counter; the rest count as "other". */
void		 stats_add(struct stats *s, enum stats_counter id, const char *label, uint64_t n);
uint64_t	 stats_get(const struct stats *s, enum stats_counter id, const char *label);
/* A latency in microseconds into the histogram of a stage ("parse", "commit", "relay", ...). */
void		 stats_time(struct stats *s, const char *stage, int64_t us);
/* Prometheus text of all counters and histograms. */
void		 stats_print(struct strbuf *out, const struct stats *s);
/* One gauge line with its HELP and TYPE. */
void		 stats_print_gauge(struct strbuf *out, const char *name, const char *help,
		    const char *label, const char *value_label, double v);

#endif
