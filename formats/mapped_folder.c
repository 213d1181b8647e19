/* mapped_folder.c -- a folder of mapping files. See mapped.h. */
#include <dirent.h>

#include "formats/mapped_impl.h"

enum { FOLDER_MAX = 1000 };

/* The names of a folder's mappings, NULL at the end. */
static const char *const *
folder_names(const char *dir, struct arena *mem)
{
	const char **names = arena_alloc(mem, (FOLDER_MAX + 1) * sizeof(*names));
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t n = 0;

	while (d != NULL && n < FOLDER_MAX && (entry = readdir(d)) != NULL) {
		struct slice s = slice_of(entry->d_name);

		if (slice_ends(s, ".map"))
			names[n++] = arena_str(mem, (struct slice){ s.p, s.n - 4 });
	}
	if (d != NULL)
		closedir(d);
	return names;
}

/* Load the mapping of that name from a folder. */
struct mapping *
mapping_find(const char *dir, struct slice name, struct arena *mem, struct complaints *c)
{
	const char *const *names = folder_names(dir, mem);
	struct mapping *m;

	for (size_t i = 0; names[i] != NULL; i++) {
		if (!slice_is(name, names[i]))
			continue;
		m = mapping_load(arena_fmt(mem, "%s/%s.map", dir, names[i]), mem, c);
		if (m != NULL && !slice_eq(m->name, name)) {
			complain(c, NULL, "%s/%s.map: describes the mapping %.*s", dir, names[i],
			    SLICE_ARG(m->name));
			return NULL;
		}
		return m;
	}
	complain_unknown(c, NULL, "mapping", name, names);
	return NULL;
}

/* Return the name of the mapping. */
struct slice
mapping_name(const struct mapping *m)
{
	return m->name;
}
