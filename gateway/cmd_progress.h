/*
 * cmd_progress.h -- work that the node does, watched from a terminal.
 *
 *	cert-b  [=========>          ]  47 %  pushing  5,400 of 11,482 objects  1,350/s  4 s
 *
 * Owns:    the line that is drawn again and again; plain lines where nobody looks at a terminal; the wish
 *          to stop looking (Ctrl-C), which stops nothing else.
 * Called:  by cmd_run.c; cmd_document*.c for their own work.
 * Never:   asks the node.
 */
#ifndef GATEWAY_CMD_PROGRESS_H
#define GATEWAY_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/slice.h"

struct progress;

struct progress_state {
	const char	*doing;		/* "asking" */
	uint64_t	 done, total;	/* objects; total 0: nobody knows */
	uint64_t	 pages;		/* 0: there are none */
	struct slice	 trouble;	/* the last error of a try, or empty */
};

/* `quiet`: draw nothing, only wait. */
struct progress	*progress_new(const char *name, bool quiet);
/* Wipe the line and free. */
void		 progress_free(struct progress *p);
/* Wipe the line: something is printed in its place. */
void		 progress_wipe(struct progress *p);
/* Show it and wait a moment; false if the person does not want to look any longer. */
bool		 progress_show(struct progress *p, const struct progress_state *s);
int64_t		 progress_took_us(const struct progress *p);
/* ---- our own work on large inputs, on standard error: standard output has the document ---- */

/* NULL (which is fine everywhere) unless standard error is a terminal. */
struct work_bar;
struct work_bar	*work_bar_new(void);
/* Wipe the line and free. */
void		 work_bar_free(struct work_bar *b);
/* Wipe the line: something is printed in its place. */
void		 work_bar_wipe(struct work_bar *b);
/* So much of `total` is done; drawn now and then, and not at all for what is done in a moment. */
void		 work_bar_show(struct work_bar *b, const char *doing, const char *name, uint64_t done,
		    uint64_t total);

/* "11,482" in one of eight buffers that are used in turn. */
const char	*progress_number(uint64_t n);

#endif
