/*
 * cmd_verdicts.h -- what was said about the objects of all inputs, on the disk rather than in memory.
 *
 * Owns:    a record a verdict, in the order of the inputs; their words on a terminal and for programs.
 * Called:  by cmd_document*.c, which add; by cmd_convert.c and cmd_validate.c, which print.
 * Never:   holds the text of a refused object.
 */
#ifndef GATEWAY_CMD_VERDICTS_H
#define GATEWAY_CMD_VERDICTS_H

#include <stdio.h>

#include "formats/object.h"

struct verdicts;

/* One as it is shown; strings live in the arena that it was got with. */
struct verdict_row {
	uint32_t	 input;		/* number of the input */
	const char	*verdict;	/* "accepted", "warning" or "refused" */
	const char	*code;
	struct slice	 id;
	struct pos	 at;
	size_t		 index;
	const char	*path, *reason;
};

struct verdicts	*verdicts_new(void);
void		 verdicts_free(struct verdicts *v);
void		 verdicts_add(struct verdicts *v, uint32_t input, const struct verdict *verdict);
/* The same behind all others of that input; these are added in the order of their inputs. */
void		 verdicts_add_late(struct verdicts *v, uint32_t input, const struct verdict *verdict);
size_t		 verdicts_refused(const struct verdicts *v);
size_t		 verdicts_warned(const struct verdicts *v);
bool		 verdicts_failed(const struct verdicts *v, struct err *e);
/* To forget what was added after a moment (not of the late ones). */
struct verdicts_mark {
	uint64_t	size;
	size_t		refused, warned;
};
struct verdicts_mark verdicts_mark(const struct verdicts *v);
void		 verdicts_cut(struct verdicts *v, struct verdicts_mark to);
/* From the first on (again); the next into *row, false at the end. */
void		 verdicts_rewind(struct verdicts *v);
bool		 verdicts_next(struct verdicts *v, struct arena *mem, struct verdict_row *row);

#endif
