/*
 * mapped.h -- in-house formats: CSV, JSON, JSON lines and XML that a mapping file describes.
 *
 * Owns:    `struct mapping`, a mapping file read and compiled: one description for both directions.
 * Called:  mapping_load by whoever sets up (config, `tocsin convert`); reading and writing go through
 *          format_mapped (format.h); mapping_check by `tocsin mapping check`.
 * Never:   opens a file while it converts: time zones are read from the system when the mapping is
 *          loaded, and kept in it.
 *
 *	CSV row   \               forward rows               / indicator + relationships
 *	JSON item  >  texts   <------------------>   facts  <  observed-data + observables
 *	XML node  /               backward rows              \ report, incident, ...
 *
 * The grammar of a mapping file: conf/mappings/README.md.
 */
#ifndef FORMATS_MAPPED_H
#define FORMATS_MAPPED_H

#include "formats/format.h"
#include "gateway/base/lines.h"

/* Read and compile; NULL when there were complaints (all of them are in *c). The mapping lives in
 * `mem`. */
struct mapping	*mapping_load(const char *path, struct arena *mem, struct complaints *c);
/* The same over text; `name` stands for the file in complaints. */
struct mapping	*mapping_parse(struct slice text, const char *name, struct arena *mem,
		    struct complaints *c);
/* Load DIR/NAME.map, which must describe a mapping called NAME. An unknown name is answered with the
 * nearest one there is. */
struct mapping	*mapping_find(const char *dir, struct slice name, struct arena *mem,
		    struct complaints *c);

struct slice	 mapping_name(const struct mapping *m);

/* Read a sample and show, record by record, what became of every field:
 *	SOURCE  VALUE  ->  TARGET  [remark]
 * and the refusals. `received` is the only *now*. Returns how many records were refused, or -1 when
 * nothing could be read. */
int		 mapping_check(const struct mapping *m, struct slice sample, const char *input,
		    struct slice received, struct strbuf *out, struct err *e);

#endif
