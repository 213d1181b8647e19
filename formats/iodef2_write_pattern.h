/*
 * iodef2_write_pattern.h -- between the boolean structure of a pattern and the objects it speaks of.
 *
 * Owns:    struct iw_field, one equality test on an object.
 * Called:  iodef2_write_pattern.c calls iodef2_write_observable.c through it.
 * Never:   used elsewhere.
 */
#ifndef FORMATS_IODEF2_WRITE_PATTERN_H
#define FORMATS_IODEF2_WRITE_PATTERN_H

#include "formats/iodef2_write.h"

struct iw_pattern {
	struct iw	*w;
	bool		 exact;		/* false: the meaning survives, the wording of a path does not */
};

struct iw_field {
	const char		*path;		/* "hashes.MD5": without "file:" */
	struct slice		 hash;		/* "MD5"; empty if the path is none */
	struct slice		 value;		/* one line, nothing to trim */
	enum pat_literal_kind	 kind;		/* PAT_STRING or PAT_INT */
};

/* Fill the Observable with what the tests say about one object of that type; false if IODEF has no
 * class that can say all of it. */
bool		iw_pattern_object(struct iw_pattern *pw, struct xml_node *obs, struct slice type,
		    const struct iw_field *f, size_t n);
/* May this path stand several times in one object ("to_refs[*].value")? */
bool		iw_pattern_repeats(const char *path);

#endif
