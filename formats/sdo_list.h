/*
 * sdo_list.h -- lists of an object that a reader fills bit by bit: labels, aliases, external references.
 *
 * Owns:    appending what is not there yet.
 * Called:  by readers (iodef2*.c, stix1*.c, misp_read_*.c).
 * Never:   looks through more than the first of a long list, so that no input makes it slow.
 */
#ifndef FORMATS_SDO_LIST_H
#define FORMATS_SDO_LIST_H

#include "gateway/base/json.h"

/* Append a string to the list `name`; an empty one is left out. */
void	sdo_list_add(struct arena *mem, json *tree, const char *name, struct slice value);
/* Append an external reference; one that says nothing but its source is left out. */
void	sdo_reference(struct arena *mem, json *tree, const char *source, struct slice external_id,
	    struct slice url, struct slice description);

#endif
