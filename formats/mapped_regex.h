/*
 * mapped_regex.h -- regular expressions of mapping files: the part of a value that is wanted.
 *
 * Owns:    their grammar, a compiled expression, and the search.
 * Called:  by mapped_field.c (compile) and mapped_row.c (search).
 * Never:   backtracks: a search costs length of the text times length of the expression, whatever a
 *          stranger writes into the text. That is why it is not the C library's.
 *
 *	x . [a-z] [^"]	\d \w \s \D \W \S  \. \\ \t \n	^ $	( ) (?: )	|	* + ? {2} {2,} {2,5}
 *
 * A ? behind a repetition makes it take as little as it can. Letters are those of UTF-8, \d \w \s are of
 * ASCII. The first match from the left counts.
 */
#ifndef FORMATS_MAPPED_REGEX_H
#define FORMATS_MAPPED_REGEX_H

#include "gateway/base/slice.h"

struct arena;
struct map_regex;

/* Compile; `group` is what a search gives: 0 the whole match, 1 the first ( ). NULL and *why if the
 * expression cannot be understood. */
struct map_regex	*map_regex_compile(struct slice pattern, unsigned group, struct arena *mem,
			    const char **why);
/* The group of the first match; false if nothing matches, or the group is no part of the match. */
bool	map_regex_find(const struct map_regex *re, struct slice text, struct arena *mem,
	    struct slice *out);

#endif
