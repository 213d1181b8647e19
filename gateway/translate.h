/*
 * translate.h -- the job queue to the translators.
 *
 * Owns:    jobs on their way through formats/. The contract is asynchronous; for now jobs run inline.
 * Called:  by intake.
 * Never:   looks at the result.
 */
#ifndef GATEWAY_TRANSLATE_H
#define GATEWAY_TRANSLATE_H

#include "formats/format.h"

struct translate;

struct translate *translate_new(void);
void		 translate_free(struct translate *t);

/* Read: adv is empty and e set when nothing could be read. Everything lives in `mem`, which the
 * caller keeps until after the callback. format NULL = sniff. */
typedef void translate_read_cb(void *arg, struct advisory *adv, const struct format_ops *format,
	    const struct err *e);
void	translate_read(struct translate *t, const char *format, const struct read_job *job,
	    struct arena *mem, translate_read_cb *cb, void *arg);

#endif
