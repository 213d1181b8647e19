/*
 * cmd_convert.h -- the two ways of `tocsin convert`: one document of all inputs, or one a file.
 *
 * Owns:    what both share: the writer's job from the options, and where a document goes.
 * Called:  by cmd_convert*.c only.
 * Never:   reads a document (cmd_document.h does).
 */
#ifndef GATEWAY_CMD_CONVERT_H
#define GATEWAY_CMD_CONVERT_H

#include "gateway/cmd_document.h"
#include "gateway/cmd_files.h"

/* One conversion. */
struct conversion {
	const struct args	*args;
	const struct format_ops	*to;
	const char		*output;	/* NULL: standard output */
	const char		*loss;		/* NULL: no account is written */
	struct work_bar		*bar;
	bool			 dropped;	/* something was, and --strict-loss asks */
	struct loss_limit	 limit;		/* of --refuse-loss */
	bool			 lost;		/* more than that: no document */
	size_t			 objects, refused;
};

/* Read `paths` and write one document. CMD_DONE; CMD_NO: something was refused or lost; CMD_FAILED after a
 * message or verdicts. */
int	convert_one(struct conversion *c, const char *const *paths, size_t n);
/* What --refuse-loss says, into *out (NULL: only looked at). -1 after a message. */
int	convert_limit(const struct args *a, struct loss_limit *out);
/* --out: a document for each file. */
int	convert_each(const struct args *a, const struct format_ops *to, const struct files *f,
	    struct work_bar *bar);

#endif
