/*
 * err.h -- an error has a place and a reason.
 *
 * Owns:    the list of stable error words, and the one struct that carries an error.
 * Called:  by every fallible function: it fills the caller's `struct err` once, where the cause is
 *          known. Callers may put context in front (err_context), never replace the cause.
 * Never:   holds secrets or content of advisories beyond the offending word.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

/* Stable: counters, HTTP status and TAXII text hang off these. Add at the end of a group. */
enum err_code {
	ERR_NONE = 0,
	ERR_SYNTAX,		/* the text does not follow its grammar */
	ERR_ENCODING,		/* not UTF-8, a lone surrogate, a forbidden character */
	ERR_DUPLICATE,		/* a name that may occur once occurs twice */
	ERR_DEPTH,		/* nested deeper than the limit */
	ERR_LIMIT,		/* larger, longer or more than a limit allows */
	ERR_MISSING,		/* something required is not there */
	ERR_VALUE,		/* there, but no legal value */
	ERR_REFERENCE,		/* names something that does not exist */
	ERR_CONFLICT,		/* contradicts what is already there */
	ERR_UNSUPPORTED,	/* legal, but we do not do that */
	ERR_FORBIDDEN,		/* DTDs, entities and other things refused on principle */
	ERR_CONFIG,		/* what an administrator wrote cannot be used */
	ERR_IO,			/* file or socket trouble; errno's text is in the reason */
	ERR_CRYPTO,		/* OpenSSL said no */
	ERR_STORE,		/* the database said no */
	ERR_TIMEOUT,
	ERR_BUSY,		/* a queue is full: try again later */
	ERR_AUTH,		/* who are you */
	ERR_POLICY,		/* we know you, and the answer is no */
	ERR_CODES
};

/* A place in an input. line and column count from 1; 0 = unknown. offset counts bytes from 0. */
struct pos {
	uint32_t	line;
	uint32_t	column;
	size_t		offset;
};

struct err {
	enum err_code	code;
	struct pos	at;
	char		input[128];	/* file name or "POST body"; empty if none */
	char		path[160];	/* JSON path or XML path of the offender; empty if none */
	char		reason[256];	/* one sentence for the person who sent it */
};

#define ERR_INIT	{ .code = ERR_NONE }

/* Fill *e (NULL is fine). Always returns -1, so that `return err_set(...)` reads well. */
int	err_set(struct err *e, enum err_code code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* The same, with a place. */
int	err_at(struct err *e, enum err_code code, struct pos at, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
/* Name the input (borrowed text is copied, cut at the end if too long); keeps a name already set. */
void	err_input(struct err *e, const char *input);
/* Name the path of the offender; keeps one already set. */
void	err_path(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Put "text: " in front of the reason. */
void	err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "input:line:column: path: reason" with the parts that are known, into buf; returns buf. */
const char *err_text(const struct err *e, char *buf, size_t cap);
/* The stable word of a code: "syntax", "value", ... */
const char *err_word(enum err_code code);
/* line and column of a byte offset in a text. */
struct pos pos_of(const char *text, size_t len, size_t offset);
/* Move a place forward to another offset of the same text; *line_at is where its line begins. Every byte is
 * looked at once, however often it is moved. */
void	pos_move(struct pos *p, size_t *line_at, const char *text, size_t to);

#endif
