/*
 * stats.h -- figures of one process: counters, gauges and histograms, and their Prometheus text.
 *
 * Owns:    the values under each row of the one table (stats_table.h) and label.
 * Called:  by everyone who counts; by figures.c, which gathers those of all processes.
 * Never:   knows where a figure comes from; labels anything with content, addresses of clients or ids of
 *          objects.
 */
#ifndef GATEWAY_STATS_H
#define GATEWAY_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/slice.h"
#include "gateway/base/strbuf.h"
#include "gateway/stats_table.h"

enum stats_id {
#define X(id, kind, of, name, labels, help) id,
	STATS_TABLE(X)
#undef X
	STATS
};
enum { STATS_LABELS_MAX = 1000, STATS_LABEL_BYTES = 128 };

struct stats;
struct wire;

struct stats	*stats_new(void);
void		 stats_free(struct stats *s);		/* NULL is fine */
/* Add to a counter under a label value (NULL for counters without label). What is one label value too many
 * counts as "other". */
void		 stats_add(struct stats *s, enum stats_id id, const char *label, uint64_t n);
/* The same with two labels. */
void		 stats_add2(struct stats *s, enum stats_id id, const char *first, const char *second,
		    uint64_t n);
uint64_t	 stats_get(const struct stats *s, enum stats_id id, const char *label);
/* A gauge, or a counter that somebody else keeps, as it is now. */
void		 stats_set(struct stats *s, enum stats_id id, const char *label, double v);
void		 stats_set2(struct stats *s, enum stats_id id, const char *first, const char *second,
		    double v);
/* Into a histogram: microseconds, or a size. */
void		 stats_observe(struct stats *s, enum stats_id id, const char *label, int64_t v);
/* A latency in microseconds into the histogram of a stage ("parse", "commit", "relay", ...). */
void		 stats_time(struct stats *s, const char *stage, int64_t us);

/* ---- gathered figures ---- */

/* Everything of `from` on top of what is there: it adds up, but what the node has only one of is taken. */
void		 stats_merge(struct stats *s, const struct stats *from);
/* The value of a counter or gauge, 0 if there is none; of a histogram, how many were observed. `label` as
 * above; two labels are given as "first\x1fsecond". */
double		 stats_value(const struct stats *s, enum stats_id id, const char *label);
double		 stats_value2(const struct stats *s, enum stats_id id, const char *first,
		    const char *second);
bool		 stats_has(const struct stats *s, enum stats_id id, const char *label);
/* The sum of a counter or gauge over its labels. */
double		 stats_total(const struct stats *s, enum stats_id id);
/* Every label, with what stats_value says of it. */
void		 stats_each(const struct stats *s, enum stats_id id,
		    void (*fn)(void *ctx, const char *label, double v), void *ctx);
/* What a histogram's observations come to, in seconds or units. */
double		 stats_sum(const struct stats *s, enum stats_id id, const char *label);
/* The bound under which that part (0.99) of what was observed stayed, in seconds or units; 0 if none. */
double		 stats_quantile(const struct stats *s, enum stats_id id, const char *label, double part);

void		 stats_pack(struct strbuf *b, const struct stats *s);
/* Figures of another process; NULL, and the wire is bad, if they make no sense. */
struct stats	*stats_unpack(struct wire *w);

/* Prometheus text of n processes' figures, each family once; `all` has what the node has but one of. */
struct stats_of { const char *process; const struct stats *stats; };
void		 stats_print(struct strbuf *out, const struct stats_of *v, size_t n,
		    const struct stats *all);
/* The table for people: name, kind, labels and help of every metric, as rows of man(7). */
void		 stats_print_reference(struct strbuf *out);

#endif
