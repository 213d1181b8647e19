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

#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct bundle;
struct strbuf;

/* Append the content of a regular file (or stdin for "-") of at most `max` bytes. ERR_IO, ERR_LIMIT. */
int	file_read(const char *path, size_t max, struct strbuf *out, struct err *e);
/* Replace or create `path` atomically and durably; replaced by root, it keeps its owner. */
int	file_write(const char *path, struct slice content, mode_t mode, struct err *e);
/* The same for a content that comes in pieces: nothing stands under `path` before the end. Heap; NULL and
 * *e if no file can be made there. What goes wrong in between is told at the end. */
struct file_draft;
struct file_draft *file_draft_new(const char *path, struct err *e);
void	file_draft_add(struct file_draft *d, struct slice piece);
/* Either ends and frees it. */
int	file_draft_keep(struct file_draft *d, mode_t mode, struct err *e);
void	file_draft_drop(struct file_draft *d);	/* NULL is fine */
/* A file without a name, in TMPDIR (else /tmp); -1 and *e. */
int	file_nameless(struct err *e);
/* The folder of a path, without a last slash: a part of `path`, or "." or "/". */
struct slice file_folder(const char *path);
/* Write all of it; false and errno. */
bool	fd_write(int fd, struct slice text);
/* Make what happened to names in a folder survive a power cut; false and errno. */
bool	dir_sync(const char *folder);
/* Create a folder and its parents (0700 unless it exists). */
int	dir_make(const char *path, mode_t mode, struct err *e);
bool	file_exists(const char *path);
/* Tell one file from another whatever their names are; false if there is none. */
bool	file_identity(const char *path, uint64_t id[2]);
/* true if group or others have any right on it. */
bool	file_is_open_to_others(const char *path);
/* rename(2) and fsync both folders. */
int	file_move(const char *from, const char *to, struct err *e);

/* From now on each file that is read joins `b`, for `kinds` of processes (bundle.h). NULL: no more. */
void	file_record(struct bundle *b, unsigned kinds);
/* From now on the files in `b` are read from there; others from where they are. NULL: none. Kept. */
void	file_overlay(const struct bundle *b);

#endif
