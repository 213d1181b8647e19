/*
 * row.h -- what the row programs in C share: clocks, medians, and lines of the table (tests/bench/README.md).
 */
#ifndef TESTS_BENCH_LIB_ROW_H
#define TESTS_BENCH_LIB_ROW_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROW_RUNS = 5 };

static inline double
row_seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Seconds of CPU that this process has used. */
static inline double
row_cpu(void)
{
	return row_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

/* Seconds by the clock. */
static inline double
row_wall(void)
{
	return row_seconds(CLOCK_MONOTONIC);
}

static inline void
row_values(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%s%.6g", i == 0 ? "" : ",", v[i]);
}

/* One row: n runs of ours and (theirs not NULL) of theirs, run i beside run i. */
static inline void
row_print(const char *what, const double *ours, const double *theirs, size_t n, const char *unit, const char *target,
    const char *note)
{
	printf("row\t%s\t", what);
	row_values(ours, n);
	putchar('\t');
	if (theirs != NULL)
		row_values(theirs, n);
	printf("\t%s\t%s\t%s\n", unit, target, note);
	fflush(stdout);
}

static inline void
row_title(const char *text)
{
	printf("title\t%s\n", text);
	fflush(stdout);
}

#endif
