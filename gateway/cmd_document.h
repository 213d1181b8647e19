/*
 * cmd_document.h -- documents that a verb reads from files or standard input (convert, validate).
 *
 *	inputs --whole, or piece by piece--> objects on a shelf --one by one, or all--> one document
 *
 * Owns:    choosing format and mapping, the only *now* (rulings 7), collecting objects and verdicts of all
 *          inputs, and driving the writer. Nothing of it needs more memory than the largest piece, unless
 *          a format can only do with the whole.
 * Called:  by cmd_convert.c, cmd_validate.c.
 * Never:   decides where a document goes.
 */
#ifndef GATEWAY_CMD_DOCUMENT_H
#define GATEWAY_CMD_DOCUMENT_H

#include "formats/format.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"
#include "gateway/cmd_account.h"
#include "gateway/cmd_shelf.h"
#include "gateway/cmd_verdicts.h"

#define DOCUMENT_OPTIONS							\
	{ "from", 'f', "FORMAT", "what the input is; without it, each is looked at" },		\
	{ "mapping", 'm', "NAME", "mapping of an in-house format: a file, or the name of one in the "	\
	    "mappings folder" },						\
	{ "mappings", 0, "DIR", "the mappings folder" },			\
	{ "received", 'r', "TIME", "when the input came, such as 2026-05-01T12:00:00Z; without it, "	\
	    "the newest time in it" },						\
	{ "strict", 's', NULL, "refuse what is otherwise only warned about" },	\
	{ "iodef-amber-strict", 0, NULL, "read `amber` in IODEF as AMBER+STRICT" },	\
	{ "misp-groups", 0, "UUID=LABEL,...", "what sharing groups of MISP are to us; one that is not "	\
	    "told is TLP:RED" },						\
	{ "input-limit", 0, "SIZE", "no input may be larger (default 16G); standard input is put by "	\
	    "in a file in TMPDIR" },						\
	{ "window", 0, "SIZE", "larger inputs are read piece by piece (default: the format's "	\
	    "own, at most 8M)" },						\
	{ "stats", 0, NULL, "say on standard error how much was read, how fast, and the most memory "	\
	    "it took" }

struct input;
struct work_bar;

/* One input. Those read in pieces stay open: their objects' texts stand in them. */
struct source {
	const char		*name;
	const struct format_ops	*format;	/* NULL: none was found */
	struct input		*in;
	struct whole		*whole;
};

struct documents {
	struct arena		*mem;
	const struct format_ops	*to;		/* NULL: nothing is written */
	const struct mapping	*mapping;
	struct slice		 received;	/* the newest of all inputs */
	struct slice		 id;		/* of the message that they make */
	struct slice		 envelope;	/* JSON of the last one that an input came in (rid.h) */
	struct account		*account;	/* NULL: none is wanted */
	struct shelf		*shelf;
	struct verdicts		*verdicts;
	struct source		*sources;
	size_t			 nsources, cap;
	uint64_t		 bytes;		/* of all inputs so far */
	size_t			 accepted;	/* objects, when all is read */
	size_t			 unreadable;	/* inputs of which nothing could be read */
	size_t			 largest;	/* bytes that were read at once */
	size_t			 window;	/* SIZE_MAX: the format's own */
	size_t			 limit;
	int64_t			 began_us;
	struct work_bar		*bar;
};

/* `bar` (NULL: none) is borrowed. */
void	documents_init(struct documents *d, const struct format_ops *to, struct work_bar *bar);
void	documents_fini(struct documents *d);
/* The format of that name; NULL after saying which there are. */
const struct format_ops *document_format(const char *name);
/* The same of what can be written, flat outputs too. */
const struct format_ops *document_target(const char *name);
/* Read these inputs ("-": standard input). -1 after a message when a file cannot be opened or an option is
 * wrong; an input that is no document at all counts in d->unreadable. */
int	documents_read(struct documents *d, const struct args *a, const char *const *paths, size_t n);

/* Take a part of the document; -1 ends it. */
typedef int	document_part_fn(void *arg, struct slice part);
/* Write all objects; `job` without adv, received, mapping, loss. */
int	documents_write(struct documents *d, struct write_job job, document_part_fn *part, void *arg,
	    struct err *e);

/* "input:line:column: CODE path: reason" for every verdict. */
void	documents_print_verdicts(struct documents *d, FILE *out);
/* What --stats says. */
void	documents_print_stats(const struct documents *d, FILE *out);

/* ---- between cmd_document*.c ---- */

/* Mapping and options, once before the first input. */
int	documents_prepare(struct documents *d, const struct args *a);
/* The format of a text; NULL and *e if it looks like none. */
const struct format_ops *documents_choose(const struct documents *d, const struct args *a,
	    struct slice text, struct err *e);
/* Set job->received; false if nothing in the input can stand for it: then it is this. */
#define document_epoch "1970-01-01T00:00:00Z"
bool	documents_choose_received(struct documents *d, struct read_job *job,
	    const struct format_ops *f);
/* A document being written. */
struct giving {
	struct documents	*d;
	struct writing		*w;
	struct strbuf		 out;
	document_part_fn	*part;
	void			*arg;
	struct err		*e;
};
/* Hand on what is ready, if it is so much. */
int	documents_flush(struct giving *g, size_t least);
/* Were all inputs read container by container, and the target is written so? */
bool	documents_are_series(const struct documents *d);
/* Write them so: 0, or -1 and *g->e; 1 and nothing written: there is nothing to be gained. */
int	documents_write_series(struct giving *g, const struct write_job *job);
/* Keep `stamp` in *newest (in `mem`) if it is later; false if it is no time. */
bool	document_newest(struct arena *mem, struct slice stamp, struct slice *newest);

#endif
