/*
 * id_name.h -- ids of what has none of its own: UUIDv5 of a name such as `iodef|contact|a|b`.
 *
 * Owns:    how the fields of such a name are written, and the UUID of it.
 * Called:  by readers, with the kind of the source in front of the fields.
 * Never:   puts the type of the object into the name: a report and its incident share their UUID.
 */
#ifndef FORMATS_ID_NAME_H
#define FORMATS_ID_NAME_H

#include "gateway/base/slice.h"

struct arena;
struct strbuf;

/* Append `|` and the field; `|` and `\` in it are written with a `\` before them. */
void		id_name_add(struct strbuf *name, struct slice field);
/* The UUID of the name, in our namespace. */
struct slice	id_name_uuid(struct arena *mem, const struct strbuf *name);
/* Of a name HEAD|FIELD|FIELD... */
struct slice	id_name_of(struct arena *mem, const char *head, const struct slice *fields, size_t n);

#endif
