/*
 * bundle.h -- files in memory: what one process read, for another that may open none.
 *
 * Owns:    path, content and mode of each file, and for which kinds of processes it is. What it held is
 *          wiped when it goes.
 * Called:  by the master, which fills one while it loads (file_record) and packs a part of it for each
 *          child; by the children, whose file_read answers from theirs (file_overlay).
 * Never:   opens a file.
 */
#ifndef BASE_BUNDLE_H
#define BASE_BUNDLE_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct bundle;
struct strbuf;

struct bundle_file {
	const char	*path;
	struct slice	 content;
	bool		 open_to_others;
	unsigned	 kinds;		/* bit set */
	uint64_t	 number;	/* tells two files of a bundle apart */
};

struct bundle	*bundle_new(void);
void		 bundle_free(struct bundle *b);		/* NULL is fine */
/* A copy is kept; a path that is there already joins more kinds and has the newer content. */
void		 bundle_add(struct bundle *b, const char *path, struct slice content,
		    bool open_to_others, unsigned kinds);
const struct bundle_file *bundle_find(const struct bundle *b, const char *path);
/* Append the files for one of `kinds`. */
void		 bundle_pack(struct strbuf *out, const struct bundle *b, unsigned kinds);
/* NULL and *e if that is no packed bundle. */
struct bundle	*bundle_unpack(struct slice body, struct err *e);
/* True if both hold the same files with the same content for `kinds`. */
bool		 bundle_same(const struct bundle *a, const struct bundle *b, unsigned kinds);

#endif
