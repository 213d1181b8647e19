/*
 * lines.h -- the one grammar of every file an administrator writes.
 *
 *	# comment to the end of the line
 *	include other.conf		a file relative to this one; column 1 only
 *	section NAME			a word in column 1 opens a section
 *	    key  word "quoted words"	an indented line belongs to it: one fact a line
 *
 * UTF-8 without control or invisible characters; blanks separate words; "..." is a whole word and
 * may hold blanks (\" and \\ inside); `#` outside quotes starts a comment when it begins a word.
 * Sections do not cross files: behind an include, or at the top of a file, a word in column 1 must
 * come first. A section whose first line is broken is checked but not handed out.
 * Limits: 16 KiB a line, 16 MiB a file, 64 MiB and 1,000,000 lines a load.
 *
 * Owns:    splitting files into lines of words with their places; following includes (no cycles,
 *          depth 8); collecting *all* errors of a load, not just the first.
 * Called:  by config.c, policy_rules.c, mapped.c, peer.c (credentials).
 * Never:   knows what a word means.
 */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;

struct line {
	const char	*file;		/* as named by the administrator or an include */
	uint32_t	 number;	/* from 1 */
	bool		 indented;
	size_t		 nwords;	/* at least 1 */
	struct slice	*words;		/* NUL-terminated copies in the arena */
	uint32_t	*columns;	/* of each word, from 1, in bytes */
};

/* All complaints of one load, in the order found; text "file:line: reason". Bounded: after 100 the
 * rest is counted only. */
struct complaints {
	struct arena	*mem;
	char		**text;
	size_t		 n, cap;
	size_t		 dropped;
};

struct lines {
	struct line	*v;
	size_t		 n, cap;
};

/* Read a file and what it includes. Complaints are added to *c; returns -1 if there were any. */
int	lines_read(const char *path, struct arena *mem, struct lines *out, struct complaints *c);
/* The same over text in memory (tests, fuzzing, `policy load -`); includes are refused. */
int	lines_parse(struct slice text, const char *name, struct arena *mem, struct lines *out,
	    struct complaints *c);

/* Add "file:line: ..." for a line (NULL: just the text). Always returns -1. */
int	complain(struct complaints *c, const struct line *at, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* The word of a NULL-terminated list that is nearest to `word` (edit distance at most 3 and less
 * than half its length, case set aside), or NULL. */
const char *nearest_word(struct slice word, const char *const *list);
/* complain() "unknown WHAT 'word', did you mean 'x'?" */
int	complain_unknown(struct complaints *c, const struct line *at, const char *what,
	    struct slice word, const char *const *list);

/* Values with units. All strict (no leading zeros, no capitals), all false on anything else. */
bool	word_bool(struct slice w, bool *out);		/* yes no on off true false */
bool	word_int(struct slice w, int64_t min, int64_t max, int64_t *out);
bool	word_bytes(struct slice w, int64_t *out);	/* 1024 64k 10m 2g (powers of 1024) */
bool	word_span_us(struct slice w, int64_t *out);	/* 100ms 15s 15m 24h 90d 3y(365d) -> us */
bool	word_rate(struct slice w, double *per_second);	/* 600/min 10/s 5/h, not 0 */
bool	word_date(struct slice w, int64_t *us);		/* 2027-03-31 -> the end of that day, UTC */
/* CIDR or address: fills family (4 or 6), 16 bytes (IPv4: the first four), prefix length. The bits
 * behind the prefix must be zero. */
bool	word_cidr(struct slice w, int *family, uint8_t addr[16], int *prefix);

#endif
