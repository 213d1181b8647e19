/*
 * mapped_read.h -- what reading records and finishing the advisory share.
 *
 * Owns:    the state of one reading.
 * Called:  by mapped_read.c and mapped_finish.c.
 * Never:   included from elsewhere.
 */
#ifndef FORMATS_MAPPED_READ_H
#define FORMATS_MAPPED_READ_H

#include "formats/mapped_impl.h"

/* A record that was read, until the whole input is. */
struct map_unit {
	struct map_made	 made;
	struct pos	 at;
	struct slice	 text;
	const char	*path;
	size_t		 index;
	struct texts	 groups;	/* names of reports it belongs to */
	bool		 child, refused;
};

struct map_reading {
	struct mapped_reader	 r;
	struct advisory		*adv;
	const struct mapped_watch *watch;
	struct map_unit		*units;
	size_t			 n, cap;
	size_t			 records;	/* all, refused ones too */
	size_t			 skipped;	/* did not meet the mapping's conditions */
	bool			 warned_zone;
};

/* Refuse a record: a verdict with its place and text. */
void	map_read_refuse(struct map_reading *rd, const struct mapped_record *rec, struct slice text,
	    struct slice id, const struct err *e);
/* A remark on the input as a whole. */
void	map_read_warn(struct map_reading *rd, const char *code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* Two records under one key: the same twice is one; another content under the same version is refused;
 * another version is another version. */
void	map_finish_duplicates(struct map_reading *rd);
/* Mint definitions, the producer, all objects and the reports around them. */
int	map_finish(struct map_reading *rd, struct err *e);

#endif
