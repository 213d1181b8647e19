/*
 * file.h -- whole files, safely.
 *
 * Owns:    nothing lasting.
 * Called:  by commands, config, spool, keys.
 * Never:   follows a half-written file: writes go to a temporary name, fsync, rename, fsync of the
 *          folder.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct strbuf;

/* Append the content of a regular file (or stdin for "-") of at most `max` bytes. ERR_IO, ERR_LIMIT. */
int	file_read(const char *path, size_t max, struct strbuf *out, struct err *e);
/* Replace or create `path` atomically and durably; replaced by root, it keeps its owner. */
int	file_write(const char *path, struct slice content, mode_t mode, struct err *e);
/* Create a folder and its parents (0700 unless it exists). */
int	dir_make(const char *path, mode_t mode, struct err *e);
bool	file_exists(const char *path);
/* true if group or others have any right on it. */
bool	file_is_open_to_others(const char *path);
/* rename(2) and fsync both folders. */
int	file_move(const char *from, const char *to, struct err *e);

#endif
