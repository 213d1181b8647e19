/*
 * corpus_kit.h -- what tests over many files have in common: a file's text, every file of a folder.
 *
 * Owns:    where the corpus stands, the order in which its files are looked at, an arena for each of them.
 * Called:  by tests/unit/test_*.c that look at samples.
 * Never:   skips: a test asks corpus_here() and decides.
 */
#ifndef TESTS_CORPUS_KIT_H
#define TESTS_CORPUS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

#define CORPUS "../shared/corpus/"

enum { CORPUS_FILE_MAX = 256 << 20 };

/* The corpus is no part of the repository: a clone alone has none. */
static inline bool
corpus_here(void)
{
	return file_exists(CORPUS "MANIFEST.md");
}

/* The text of a file; the test fails if it cannot be read. */
static inline struct slice
corpus_text(struct arena *mem, const char *path)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (file_read(path, CORPUS_FILE_MAX, &b, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

/* Call `each` for every file below a folder whose name ends so ("" for all), by name, with an arena of its own in
 * *mem. Returns how many there were. */
static inline size_t
corpus_each(struct arena **mem, const char *folder, const char *ending, void (*each)(const char *path))
{
	struct arena *keep = *mem;
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	size_t files = 0;

	for (int i = 0; i < n; i++) {
		struct stat st;
		const char *path;

		*mem = arena_new();
		path = arena_fmt(*mem, "%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && stat(path, &st) == 0) {
			if (S_ISDIR(st.st_mode))
				files += corpus_each(mem, path, ending, each);
			else if (slice_ends(slice_of(path), ending))
				files++, each(path);
		}
		arena_free(*mem);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	*mem = keep;
	return files;
}

/* The leaves of a JSON tree; an empty list or object is one. */
static inline size_t
corpus_leaves(const json *node)
{
	const json *c = json_first(node);
	size_t n = c == NULL;

	for (; c != NULL; c = json_next(c))
		n += corpus_leaves(c);
	return n;
}

#endif
