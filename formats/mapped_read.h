/*
 * mapped_read.h -- what reading records and finishing the advisory share.
 *
 * Owns:    the state of one reading, and of the record at hand.
 * Called:  by mapped_read.c, mapped_record.c, mapped_residue.c and mapped_finish.c.
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

/* The record at hand. */
struct map_current {
	struct map_reading		*rd;
	struct mapped_record	*rec;
	const struct map_record	*def;
	json			**cells;	/* of the rows, as they came */
	json			**back;		/* as the objects give them */
	bool			*keep;		/* rows whose cells go to the residue */
	bool			*left;		/* a value of the row stays in the residue */
	struct facts		 facts;
	struct texts		 keys;
	size_t			 kept;		/* residue entries that came from rows */
	json			*absent;	/* rows that had nothing where the way back has something */
};

/* ---- mapped_record.c */
/* One record and its children: 1 = made, and its unit is the first of those that were added; 0 = skipped or
 * refused. */
int	map_read_record(struct map_reading *rd, struct mapped_record *rec,
	    const struct map_made *parent, const struct texts *parent_keys,
	    const struct facts *inherited);
/* How many records an input may have. */
size_t	map_most_records(const struct read_job *job);
/* Make room for the rows; take the cells of those that have a say. */
void	map_current_init(struct map_current *c);
void	map_read_cells(struct map_current *c);

/* ---- mapped_residue.c */
/* Turn the objects back into cells and collect what is not restored. -1: there is too much of it. */
int	map_keep_residue(struct map_current *c, struct map_made *made, struct map_fields *fields,
	    struct err *e);
/* Put the residue into the object. */
void	map_put_extension(struct map_current *c, json *tree, json *fields);
/* A row that looks into the parent record: the parent keeps that field. */
bool	map_row_is_upward(const struct map_row *row);
/* Entries for every leaf of a value; of the record (of `fields` the first c->kept are rows told before);
 * of a record and its children that are dropped; and those of the children of a record taken back. */
void	map_account_value(struct loss *l, enum loss_kind kind, const char *note, const char *path,
	    const json *v, struct arena *mem);
void	map_account_record(struct map_current *c, const json *fields, const char *refused);
void	map_account_dropped(struct map_reading *rd, struct mapped_record *rec, const char *why);
void	map_account_rewind(struct loss *now, const struct loss *then);

/* ---- mapped_read.c */
/* Refuse a record: a verdict with its place and text. */
void	map_read_refuse(struct map_reading *rd, const struct mapped_record *rec, struct slice text,
	    struct slice id, const struct err *e);
/* A remark on the input as a whole. */
void	map_read_warn(struct map_reading *rd, const char *code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* "bundle--UUID" by mapping and content: the same input gives the same bundle. */
struct slice map_bundle_id(const struct read_job *job, struct arena *mem);

/* ---- mapped_split.c: rows are a piece of a large input */
extern const struct format_split mapped_split;
/* An object of a record (each id once: records each version once). */
struct map_entry {
	json	*tree;
	enum tlp tlp;
	bool	 own, skip;
};
/* The id of the whole, for the piece that begins. */
struct slice map_piece_begin(struct map_reading *rd);
/* A row of the piece could not be cut: why, in the whole. */
void	map_piece_broken(const struct read_piece *piece, size_t row, struct err *e);
/* True if it is for this piece to tell how many records of the whole were skipped: rd->skipped. */
bool	map_piece_skipped(struct map_reading *rd);
/* True if that is all that is wanted of this piece for now. */
bool	map_piece_noted(struct map_reading *rd, const struct map_entry *v, size_t n);
/* Leave out what another piece mints, and settle labels. */
void	map_piece_join(struct map_reading *rd, struct map_entry *v, size_t n);
/* The labels of all objects of the whole, if definitions are for this piece to mint; else NULL. */
const bool *map_piece_used(const struct map_reading *rd);

/* ---- mapped_finish.c */
/* Two records under one key: the same twice is one; another content under the same version is refused;
 * another version is another version. */
void	map_finish_duplicates(struct map_reading *rd);
/* Mint definitions, the producer, all objects and the reports around them. */
int	map_finish(struct map_reading *rd, struct err *e);

#endif
