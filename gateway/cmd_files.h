/*
 * cmd_files.h -- the files that the operands of a verb name: files, and all files in folders.
 *
 * Owns:    a list of paths, sorted within each folder, with the part that stands below the operand.
 * Called:  by cmd_convert.c, cmd_validate.c.
 * Never:   follows a link to a folder, or takes what begins with a dot (nobody sees it).
 */
#ifndef GATEWAY_CMD_FILES_H
#define GATEWAY_CMD_FILES_H

#include "gateway/base/slice.h"

struct arena;
struct args;

struct files {
	struct arena	*mem;
	const char	**paths;	/* "in/sub/a.json", as it is opened */
	const char	**names;	/* "sub/a.json": below the operand; "a.json" of a file */
	size_t		 n, cap, names_cap;
	bool		 folders;	/* an operand is a folder */
};

/* All files; no operand is standard input ("-"). `skip` (NULL: none): a folder that is left out. -1 after a
 * message. */
int	files_find(struct files *f, struct arena *mem, const struct args *a, const char *skip);

#endif
