/*
 * cmd_document.h -- documents that a verb reads from files or standard input (convert, validate).
 *
 * Owns:    choosing format and mapping, the only *now* (rulings 7), collecting verdicts, and making one
 *          advisory of several inputs.
 * Called:  by cmd_convert.c, cmd_validate.c.
 * Never:   writes a document.
 */
#ifndef GATEWAY_CMD_DOCUMENT_H
#define GATEWAY_CMD_DOCUMENT_H

#include "formats/format.h"
#include "gateway/cmd.h"

#define DOCUMENT_OPTIONS							\
	{ "from", 'f', "FORMAT", "what the input is; without it, each is looked at" },		\
	{ "mapping", 'm', "NAME", "mapping of an in-house format: a file, or the name of one in the "	\
	    "mappings folder" },						\
	{ "mappings", 0, "DIR", "the mappings folder" },			\
	{ "received", 'r', "TIME", "when the input came, such as 2026-05-01T12:00:00Z; without it, "	\
	    "the newest time in it" },						\
	{ "strict", 's', NULL, "refuse what is otherwise only warned about" },	\
	{ "iodef-amber-strict", 0, NULL, "read `amber` in IODEF as AMBER+STRICT" }

/* A remark, and whose. The verdict of an input that could not be read at all has no text and no id. */
struct document_verdict {
	const char		*input, *format;
	struct verdict		 v;
};

struct documents {
	struct arena		*mem;
	const struct format_ops	*to;		/* NULL: nothing is written */
	const struct mapping	*mapping;
	struct slice		 received;	/* the newest of all inputs */
	struct loss		*loss;		/* NULL: no account */
	struct advisory		 all;		/* the objects of all inputs; no verdicts */
	struct document_verdict	*verdicts;
	size_t			 nverdicts, verdicts_cap;
	size_t			 refused;	/* how many of them */
	size_t			 unreadable;	/* inputs of which nothing could be read */
};

void	documents_init(struct documents *d, const struct format_ops *to);
void	documents_fini(struct documents *d);
/* The format of that name; NULL after saying which there are. */
const struct format_ops *document_format(const char *name);
/* The same of what can be written, flat outputs too. */
const struct format_ops *document_target(const char *name);
/* Read every operand ("-" or none: standard input). -1 after a message when a file cannot be opened or
 * an option is wrong; an input that is no document at all counts in d->unreadable. */
int	documents_read(struct documents *d, const struct args *a);
/* "input:line:column: CODE path: reason" for every verdict. */
void	documents_print_verdicts(const struct documents *d, FILE *out);

#endif
