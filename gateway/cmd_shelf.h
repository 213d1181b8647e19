/*
 * cmd_shelf.h -- the objects of all inputs, in their order, on the disk rather than in memory.
 *
 *	input (mapped) --read--> object --shelf_add--> [ what reading found | where its text is ]
 *
 * Owns:    a record an object, and the texts that stand in no mapped input; which of them contradict each
 *          other.
 * Called:  by cmd_document*.c.
 * Never:   keeps an object in memory: shelf_load makes it anew from its text.
 */
#ifndef GATEWAY_CMD_SHELF_H
#define GATEWAY_CMD_SHELF_H

#include "formats/object.h"

struct input;
struct shelf;

struct kept {
	uint64_t	same[2];	/* hash of (id, version): equal for versions that are one */
	uint64_t	id;		/* hash of the id alone */
	uint64_t	at;		/* of the text: in the input, or among the texts put by */
	uint64_t	offset;		/* place in the input, for people */
	size_t		index;
	uint32_t	n, input, line, column;
	uint32_t	batch;		/* what was read with it */
	uint32_t	flags, sectors, remarks;
	uint8_t		tlp, label, pap, phase;
	bool		in_input;	/* which stays mapped */
	bool		judged;		/* beside the others of its input, by its reader */
};

struct shelf	*shelf_new(void);
void		 shelf_free(struct shelf *s);
/* Put an object by that input number `input` gave at `place`. `in`: its text may stand there, and `in`
 * stays open as long as the shelf; NULL: the text is copied. `judged`: contradictions within the input are
 * its reader's to find. */
void		 shelf_add(struct shelf *s, const struct object *o, uint32_t input, struct input *in,
		    struct pos place, size_t remarks, bool judged);
/* What is added from now on was read in another go than what was added before. */
void		 shelf_next_batch(struct shelf *s);
/* What kept.id of an object with that id would be. */
uint64_t	 shelf_hash(const struct shelf *s, struct slice id);
size_t		 shelf_count(const struct shelf *s);
void		 shelf_cut(struct shelf *s, size_t n);	/* forget all but the first n */
bool		 shelf_failed(const struct shelf *s, struct err *e);
/* The record of number i; false if it was taken off, or cannot be read. */
bool		 shelf_get(struct shelf *s, size_t i, struct kept *out);
/* The same of one that may have been taken off. */
bool		 shelf_find(struct shelf *s, size_t i, struct kept *out);
/* Its text, in `mem` unless it stands in an input. */
struct slice	 shelf_text(struct shelf *s, const struct kept *k, struct arena *mem);
/* The object: header and bytes. With `tree`: it, and what of the header needs it (version_key ...) too. */
bool		 shelf_load(struct shelf *s, const struct kept *k, struct arena *mem, bool tree,
		    struct object *out);

/* Two objects that claim to be one version. `own`: of the same input. */
struct clash {
	size_t		 at;
	uint32_t	 input;
	bool		 own;
};
/* Take off what an earlier input has too, and what contradicts an earlier one; of the latter, tell: in
 * order of inputs, own ones first. Equal copies within the first input stay. Heap. */
struct clash	*shelf_settle(struct shelf *s, size_t *n);

#endif
