/*
 * cmd_answer.h -- a node's answer in JSON, as people read it.
 *
 * Owns:    which members become columns or lines, and in what form.
 * Called:  by cmd_control.c and cmd_status.c.
 * Never:   shows a control character of what a peer or a client wrote.
 */
#ifndef GATEWAY_CMD_ANSWER_H
#define GATEWAY_CMD_ANSWER_H

#include "gateway/base/json.h"
#include "gateway/cmd.h"

struct arena;
struct args;

/* How a member is shown. */
enum form {
	FORM_PLAIN,		/* words; numbers as they are; times to the second */
	FORM_SPAN,		/* seconds, as "3 h 12 min" */
	FORM_AGE,		/* a time, as how long ago it was */
	FORM_SIZE		/* bytes, as "31 MB" */
};
struct column {
	const char	*head, *member;
	enum form	 form;
};

/* A list of objects as a table; `none` if it is empty. */
void		 print_list(const json *list, const struct column *columns, const char *none);
/* "name   value" for each of these members that is there. */
void		 print_members(const json *o, const struct column *rows);
/* A value in few characters, empty if it is not there. */
struct slice	 cell_text(struct arena *mem, const json *o, const struct column *c);
/* "3 h 12 min", "250 ms"; "31 MB". */
const char	*span_text(struct arena *mem, double seconds);
const char	*size_text(struct arena *mem, double bytes);
/* The number under that name, 0 if there is none. */
double		 number_in(const json *o, const char *member);

/* ---- cmd_status.c ---- */

int		 print_status(const struct args *a, const json *answer);

#endif
