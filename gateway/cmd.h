/*
 * cmd.h -- what the verbs of `tocsin` share: their table, their options, tables on the terminal.
 *
 * Owns:    struct command (a verb, with the words that --help prints), reading its arguments, and
 *          printing rows in columns.
 * Called:  by main.c and cmd_*.c.
 * Never:   does any verb's work.
 *
 * To add a verb: a file cmd_X.c that exports its struct command, and a line in main.c.
 *
 * Exit status (rulings 33): 0 done; 1 done, and the answer is no or partial; 2 not done.
 */
#ifndef GATEWAY_CMD_H
#define GATEWAY_CMD_H

#include <stdio.h>

#include "gateway/base/lines.h"

enum { CMD_DONE, CMD_NO, CMD_FAILED };

struct cmd_option {
	const char	*name;		/* without dashes; NULL ends a table */
	char		 letter;	/* short form, or 0 */
	const char	*value;		/* what stands behind it ("FILE"), NULL: a switch */
	const char	*help;
};

struct args;
struct command {
	const char		*name;		/* one or two words; NULL ends the table */
	const char		*operands;	/* "[FILE...]" as usage shows it; "" for none */
	size_t			 least, most;	/* how many */
	const char		*summary;	/* half a line, for `tocsin --help` */
	const char		*help;		/* paragraphs for `tocsin VERB --help` */
	const struct cmd_option	*options;	/* NULL: none */
	int			(*run)(const struct args *a);
};

/* ---- arguments ---- */

struct args {
	const struct command	*command;
	struct { const struct cmd_option *option; const char *value; } *given;
	size_t			 ngiven;
	const char		**v;		/* operands, NULL-terminated */
	size_t			 n;
};

/* All verbs, in the order that --help shows; NULL at the end. (main.c) */
extern const struct command *const cmd_commands[];

/* Read the words behind the verb. -1 after saying what is wrong on stderr. */
int		 args_parse(struct args *a, const struct command *c, int argc, char **argv);
void		 args_fini(struct args *a);
/* The value of an option ("" for a switch), the last if given often; NULL if not given. */
const char	*args_get(const struct args *a, const char *name);
/* Every value in turn: starts with *i = 0; NULL at the end. */
const char	*args_each(const struct args *a, const char *name, size_t *i);
/* Usage, help and options of a verb. */
void		 cmd_help(FILE *out, const struct command *c);

/* "tocsin: ..." on stderr. Always returns CMD_FAILED. */
int		 cmd_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int		 cmd_fail_err(const struct err *e);
/* The same, for helpers: always returns -1. */
int		 cmd_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Every complaint, one a line, on stderr. Always returns CMD_FAILED. */
int		 cmd_complaints(const struct complaints *c);
/* The configuration file: --config, else ./tocsin.conf, else /etc/tocsin/tocsin.conf. */
const char	*cmd_config_path(const struct args *a);
#define CMD_CONFIG { "config", 'c', "FILE", \
    "the node's configuration (default: tocsin.conf here, else /etc/tocsin/tocsin.conf)" }

/* A secret (`what`: "password", "token") from one line of standard input, asked for without echo on a
 * terminal, there `twice`. -1 after a message; the caller wipes `out` in any case. (cmd_secret.c) */
enum { CMD_SECRET_MAX = 4096 };
int		 cmd_read_secret(const char *what, bool twice, char out[CMD_SECRET_MAX + 2]);

/* Write all of it to stdout; CMD_DONE, or CMD_FAILED with a message. */
int		 cmd_print(struct slice text);

/* ---- tables on the terminal (cmd_table.c) ---- */

struct table;
/* Heads are NULL-terminated; columns that stay empty are not shown. */
struct table	*table_new(const char *const *heads);
/* The next cell of the current row, copied; a row is full when it has as many cells as heads. What
 * could move a terminal's cursor is shown as `?`. */
void		 table_cell(struct table *t, struct slice text);
void		 table_print(struct table *t, FILE *out);
/* Cut what is widest so that rows take no more than so many columns, as far as that goes. */
void		 table_fit(struct table *t, size_t columns);
/* After printing: forget the rows, and print the next ones below them without heads. */
void		 table_go_on(struct table *t);
size_t		 table_rows(const struct table *t);
void		 table_free(struct table *t);
/* The text as a terminal may show it. */
void		 print_safe(FILE *out, struct slice text);

#endif
