/*
 * mapped_file.h -- what the two halves of the mapping compiler share.
 *
 * Owns:    the state of a compilation.
 * Called:  by mapped_file.c (sections and lines) and mapped_field.c (what a field line says).
 * Never:   included from elsewhere.
 */
#ifndef FORMATS_MAPPED_FILE_H
#define FORMATS_MAPPED_FILE_H

#include "formats/mapped_impl.h"

struct map_compile {
	struct arena		*mem;
	struct complaints	*c;
	const struct line	*at;
	struct mapping		*m;
	struct map_record	*rec;		/* of the section we are in */
	bool			 has_format;
};

/* Complain about the current line. */
#define COMPLAIN(k, ...) ((void)complain((k)->c, (k)->at, __VA_ARGS__))

/* The ith word of the line, or the empty slice. */
struct slice	 map_word(const struct map_compile *k, size_t i);
/* Index of a word in a NULL-terminated list, or -1 with a complaint. */
int		 map_choose(struct map_compile *k, const char *what, struct slice w,
		    const char *const *list);
/* A path as the format writes it; false with a complaint. */
bool		 map_path_word(struct map_compile *k, struct slice text, struct map_path *out);
/* A target, or T_NONE with a complaint. */
enum map_target	 map_target_word(struct map_compile *k, struct slice w);
/* `field SOURCE -> TARGET words...` and `const VALUE -> TARGET`. */
void		 map_line_row(struct map_compile *k);

#endif
