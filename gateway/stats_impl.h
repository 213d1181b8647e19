/*
 * stats_impl.h -- the insides of stats.h.
 *
 *	stats.c		counting, looking up, adding up
 *	stats_print.c	Prometheus text, and the table for people
 *	stats_wire.c	from one process to another
 *
 * Owns:    struct stats.
 * Called:  by those three.
 * Never:   included by anyone else.
 */
#ifndef GATEWAY_STATS_IMPL_H
#define GATEWAY_STATS_IMPL_H

#include "gateway/stats.h"

enum stats_kind { COUNTER, GAUGE, SECONDS, LAG, SIZES, STATS_KINDS };
enum stats_of_what { EACH, NODE };

enum { BOUNDS_MAX = 15, LABEL_SEPARATOR = 0x1f };

/* Upper bounds of the buckets of a histogram; `unit` of them are 1 in print. */
struct stats_bounds {
	size_t		n;
	int64_t		v[BOUNDS_MAX];
	double		unit;
};
extern const struct stats_bounds stats_bounds[STATS_KINDS];

struct stats_row {
	enum stats_kind		 kind;
	enum stats_of_what	 of;
	const char		*name, *labels, *help;
};
extern const struct stats_row stats_rows[STATS];

struct histogram {
	uint64_t	bucket[BOUNDS_MAX + 1];
	uint64_t	count;
	int64_t		sum;
};

struct series {
	char			*label;		/* NULL: the metric itself */
	double			 v;
	struct histogram	*h;		/* of histograms */
};

struct metric {
	struct series	*v;
	size_t		 n, cap;
	size_t		 last;		/* where the last label was found: the next is often the same */
};

struct stats {
	struct metric	metrics[STATS];
};

/* The series of a label, made if need be. */
struct series	*stats_series(struct stats *s, enum stats_id id, const char *label);
/* NULL if there is none. */
struct series	*stats_find(const struct stats *s, enum stats_id id, const char *label);

static inline bool
stats_is_histogram(enum stats_id id)
{
	return stats_rows[id].kind >= SECONDS;
}

#endif
