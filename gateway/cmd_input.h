/*
 * cmd_input.h -- one input of a verb, large or small, as one text.
 *
 * Owns:    the file, mapped; standard input is put by in a file without a name first. Pages that were
 *          passed are given back, so that a large input takes no memory.
 * Called:  by cmd_document_read.c.
 * Never:   changes or copies what it maps. A file that gets shorter while it is read ends the process with
 *          a message (nobody else can be told in time).
 */
#ifndef GATEWAY_CMD_INPUT_H
#define GATEWAY_CMD_INPUT_H

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct input;

/* "-" is standard input. NULL and *e if it cannot be read, is no regular file, or has more than `most`
 * bytes. Heap. */
struct input	*input_open(const char *path, size_t most, struct err *e);
void		 input_close(struct input *in);		/* NULL is fine */
const char	*input_name(const struct input *in);	/* "stdin" */
struct slice	 input_text(const struct input *in);
bool		 input_has(const struct input *in, const char *place);
/* read_job.passed: what lies before `place` is not looked at for a while. */
void		 input_passed(void *arg, const char *place);
/* Nothing of it is looked at for a while. */
void		 input_forget(struct input *in);

#endif
