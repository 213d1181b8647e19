/*
 * pattern.h -- STIX patterns (STIX 2.1 section 9): parse, print, canonical form.
 *
 * Owns:    the lexer and the parser (depth-limited, linear), the tree, the printers.
 * Called:  by fingerprint.c, stix21.c (does it parse?), observe.c (what does it say?), readers of patterns.
 * Never:   evaluates a pattern, and never compiles a MATCHES expression.
 */
#ifndef FORMATS_PATTERN_H
#define FORMATS_PATTERN_H

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;
struct strbuf;

enum pat_kind {
	/* observation expressions */
	PAT_OBS,		/* [ comparison ]: kid[0] */
	PAT_OBS_GROUP,		/* ( observation with qualifiers ) qualifiers: kid[0] */
	PAT_OBS_AND, PAT_OBS_OR, PAT_OBS_FOLLOWEDBY,	/* kids: 2 or more, flattened */
	/* comparison expressions */
	PAT_AND, PAT_OR,	/* kids: 2 or more, flattened */
	PAT_TEST
};

enum pat_op {
	PAT_EQ, PAT_NE, PAT_LT, PAT_LE, PAT_GT, PAT_GE, PAT_IN, PAT_LIKE, PAT_MATCHES, PAT_ISSUBSET,
	PAT_ISSUPERSET, PAT_EXISTS
};

enum pat_literal_kind {
	PAT_STRING, PAT_INT, PAT_FLOAT, PAT_BOOL, PAT_BINARY, PAT_HEX, PAT_TIMESTAMP
};

struct pat_literal {
	enum pat_literal_kind kind;
	struct slice	text;		/* strings: the value; others: without quotes */
};

struct pat_step {
	enum { PAT_STEP_NAME, PAT_STEP_INDEX, PAT_STEP_ANY } kind;
	struct slice	name;		/* NAME: unescaped; INDEX: the digits */
};

struct pat_qualifier {
	enum { PAT_WITHIN, PAT_REPEATS, PAT_START_STOP } kind;
	struct slice	a, b;		/* number, or both timestamps */
};

struct pat_node {
	enum pat_kind	 kind;
	struct pat_node	**kids;
	size_t		 nkids;
	struct pat_qualifier *quals;	/* observation expressions only, in order */
	size_t		 nquals;
	bool		 group;		/* in parentheses; qualifiers stand behind them */
	/* PAT_TEST */
	struct slice	 object;	/* "ipv4-addr" */
	struct pat_step	*path;
	size_t		 npath;
	enum pat_op	 op;
	bool		 negated;	/* NOT */
	struct pat_literal *values;	/* 1; IN: 0 or more; EXISTS: none */
	size_t		 nvalues;
};

enum { PATTERN_DEPTH = 64, PATTERN_BYTES = 256 * 1024, PATTERN_LITERALS = 100000 };

/* NULL and *e (offset in the pattern) if it does not follow the 2.1 grammar, or is nested deeper,
 * longer or says more than the limits above. The tree borrows from `text`. */
struct pat_node	*pattern_parse(struct slice text, struct arena *mem, struct err *e);

/* What the grammar allows and a strict reader refuses, as bits. */
enum {
	PATTERN_TWICE	= 1 << 0,	/* a kind of qualifier twice on one expression */
	PATTERN_HASH	= 1 << 1,	/* the text compared with a hash is no hash of that name */
	PATTERN_NOT_20	= 1 << 2	/* version 2.0 has no EXISTS */
};
unsigned	 pattern_flaws(const struct pat_node *p);
/* One legal spelling; parse(print(p)) equals p. */
void		 pattern_print(struct strbuf *out, const struct pat_node *p);
/* The canonical spelling: values in the form of value.h, == and <> and != folded, NOT NOT gone,
 * CIDR equality and ISSUBSET alike, LIKE without wildcards an equality, equal paths joined by OR
 * one IN, [a] OR [b] one observation, children of commutative nodes sorted and unique, single ones
 * dissolved. Two patterns that a person would call the same have one canonical form. */
void		 pattern_canonical(struct strbuf *out, const struct pat_node *p);
/* The path of a test: "hashes.'SHA-256'" / "values[*].name", as in a pattern. */
void		 pattern_path(struct strbuf *out, const struct pat_node *test);
/* A string literal with quotes, escaping only \ and '. */
void		 pattern_string(struct strbuf *out, struct slice s);

#endif
