/*
 * pattern_lex.h -- the words of a STIX pattern.
 *
 * Owns:    the token list, white space and comments, the form of each literal.
 * Called:  by pattern.c (one token at a time) and the printers (which names need quotes).
 * Never:   looks ahead more than one token, or at a byte more than twice.
 */
#ifndef FORMATS_PATTERN_LEX_H
#define FORMATS_PATTERN_LEX_H

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;

enum pat_tok {
	PT_END, PT_IDENT, PT_HYPHENATED,
	PT_AND, PT_OR, PT_NOT, PT_FOLLOWEDBY, PT_LIKE, PT_MATCHES, PT_ISSUPERSET, PT_ISSUBSET,
	PT_EXISTS, PT_LAST, PT_IN, PT_START, PT_STOP, PT_SECONDS, PT_WITHIN, PT_REPEATS, PT_TIMES,
	PT_TRUE, PT_FALSE,
	PT_INT_POS, PT_INT_NEG, PT_FLOAT_POS, PT_FLOAT_NEG, PT_STRING, PT_BINARY, PT_HEX,
	PT_TIMESTAMP,
	PT_EQ, PT_NE, PT_LT, PT_LE, PT_GT, PT_GE,
	PT_COLON, PT_DOT, PT_COMMA, PT_LPAREN, PT_RPAREN, PT_LBRACKET, PT_RBRACKET, PT_STAR
};

struct pat_lexer {
	struct slice	 in;
	struct arena	*mem;
	size_t		 next;		/* where the following token is looked for */
	/* the current token */
	enum pat_tok	 tok;
	size_t		 at;		/* its offset */
	struct slice	 text;		/* strings: the value; b h t: between the quotes */
};

/* Step to the next token; -1 and *e if there is none at this place. */
int	pattern_lex(struct pat_lexer *lx, struct err *e);
/* A name that may stand in a path without quotes. */
bool	pattern_is_plain_name(struct slice s);

#endif
