/*
 * mapped_write.h -- what writing records and choosing their cells share.
 *
 * Owns:    the state of one writing, and of the record at hand.
 * Called:  by mapped_write.c and mapped_cells.c.
 * Never:   included from elsewhere.
 */
#ifndef FORMATS_MAPPED_WRITE_H
#define FORMATS_MAPPED_WRITE_H

#include "formats/mapped_impl.h"

struct map_writing {
	struct mapped_writer	 w;
	struct map_graph	 g;
	bool			*done;		/* by object: written as somebody's child, or not at all */
	bool			 wanted[TARGETS];
	struct mapped_row_out	*rows;
	size_t			 n, cap;
	size_t			 children;	/* written so far: the same may stand below many */
};

/* What a record is made from. */
struct map_source {
	struct map_writing		*wr;
	const struct map_record	*def;
	json			*tree;
	const struct facts	*facts, *parent; /* parent: of a child record, or NULL */
	json			*fields, *absent; /* of its residue, or NULL */
	json			*key;		/* of its residue, or NULL */
	json			**cells;	/* of the rows, in the end */
};

/* The fields of a residue; those that stand as JSON text are parsed. NULL: there are none. */
json	*map_residue_fields(struct map_writing *wr, json *ext);
/* For each group of rows: the residue, or what the facts say (s->cells, made by map_rows_back). */
void	 map_choose_cells(struct map_source *s);
/* Put the cells of a record together. -1 if a required one is missing. */
int	 map_assemble(struct map_source *s, struct mapped_row_out *out, struct err *e);

#endif
