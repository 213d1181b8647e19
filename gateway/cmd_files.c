#include "gateway/cmd_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/cmd.h"

enum { DEPTH_MAX = 64 };

static void
add_file(struct files *f, const char *path, const char *name)
{
	f->paths = arena_grow(f->mem, f->paths, f->n, &f->cap, sizeof(*f->paths));
	f->names = arena_grow(f->mem, f->names, f->n, &f->names_cap, sizeof(*f->names));
	f->paths[f->n] = path;
	f->names[f->n++] = name;
}

static bool
is_same(const char *path, const char *other)
{
	uint64_t a[2], b[2];

	return other != NULL && file_identity(path, a) && file_identity(other, b) && a[0] == b[0] &&
	    a[1] == b[1];
}

/* `below` ends with a slash unless it is empty. */
static int	add_folder(struct files *f, const char *path, const char *below, const char *skip,
		    unsigned depth);

static int
add_entry(struct files *f, const char *folder, const char *below, const char *entry, const char *skip,
    unsigned depth)
{
	const char *path = arena_fmt(f->mem, "%s/%s", folder, entry);
	const char *name = arena_fmt(f->mem, "%s%s", below, entry);
	struct stat st;

	if (entry[0] == '.' || lstat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return add_folder(f, path, arena_fmt(f->mem, "%s/", name), skip, depth + 1);
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		add_file(f, path, name);
	return 0;
}

static int
add_folder(struct files *f, const char *path, const char *below, const char *skip, unsigned depth)
{
	struct dirent **entries;
	int n, rc = 0;

	if (depth > 0 && is_same(path, skip))
		return 0;
	if (depth > DEPTH_MAX)
		return cmd_complain("%s: folders in folders deeper than %d", path, DEPTH_MAX);
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		return cmd_complain("%s: cannot read this folder: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = add_entry(f, path, below, entries[i]->d_name, skip, depth);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* The path without slashes at its end. */
static const char *
trimmed(struct arena *mem, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return arena_str(mem, slice_from(path, n));
}

int
files_find(struct files *f, struct arena *mem, const struct args *a, const char *skip)
{
	struct stat st;

	*f = (struct files){ .mem = mem };
	if (a->n == 0)
		add_file(f, "-", "stdin");
	for (size_t i = 0; i < a->n; i++) {
		const char *path = a->v[i], *slash = strrchr(path, '/');

		if (strcmp(path, "-") == 0) {
			add_file(f, path, "stdin");
		} else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
			f->folders = true;
			if (add_folder(f, trimmed(mem, path), "", skip, 0) < 0)
				return -1;
		} else {
			add_file(f, path, slash == NULL ? path : slash + 1);
		}
	}
	return 0;
}
