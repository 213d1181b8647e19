/*
 * feed_file.h -- one output of a feed: a file without a name that is written once, then sent many times.
 *
 * Owns:    the file, its mapping, its digest (the entity tag) and its length.
 * Called:  by feed_build.c, which writes; by the feeds' adapter, which sends.
 * Never:   holds the text on the heap: what is sent is the page cache's, and the kernel's to take back.
 */
#ifndef GATEWAY_FEED_FILE_H
#define GATEWAY_FEED_FILE_H

#include <stdint.h>

#include "gateway/base/digest.h"
#include "gateway/base/err.h"
#include "gateway/base/slice.h"

enum { FEED_TAG = 32 };

struct feed_file;

/* A file in `folder` that has lost its name already. NULL and *e. Held once. */
struct feed_file *feed_file_new(const char *folder, uint64_t max_bytes, struct err *e);
/* One that begins with all of a sealed one, and goes on behind it: no byte is copied, and who reads the old
 * one does not see what is added. Of one file only the last can be gone on with. */
struct feed_file *feed_file_extend(const struct feed_file *old, uint64_t max_bytes, struct err *e);
struct feed_file *feed_file_hold(struct feed_file *f);
void	feed_file_free(struct feed_file *f);		/* lets go of one hold; NULL is fine */

/* While it is written. ERR_LIMIT beyond max_bytes; after one failure all fail. */
int	feed_file_add(struct feed_file *f, struct slice s, struct err *e);
uint64_t feed_file_bytes(const struct feed_file *f);
/* No more is written: from now on the text can be read, and the tag is known. */
int	feed_file_seal(struct feed_file *f, struct err *e);

/* Of a sealed file: all of it, valid while it is held; and hex digits that follow from it alone. */
struct slice feed_file_text(const struct feed_file *f);
const char *feed_file_tag(const struct feed_file *f);
/* Copy it to `path`, at once or not at all. */
int	feed_file_publish(const struct feed_file *f, const char *path, struct err *e);

#endif
