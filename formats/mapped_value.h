/*
 * mapped_value.h -- flat types: what a value is called, tested for and carried in.
 *
 * Owns:    the table of flat types.
 * Called:  by mapped_pattern.c, mapped_build.c, mapped_facts.c.
 * Never:   knows rows or records.
 */
#ifndef FORMATS_MAPPED_VALUE_H
#define FORMATS_MAPPED_VALUE_H

#include "formats/mapped_impl.h"

struct map_flat {
	const char	*type;
	enum map_target	 target;	/* the named target that normalises it */
	bool		 net;		/* the value is a network */
	const char	*path;		/* "ipv4-addr:value" in patterns */
	const char	*sco;		/* observable that carries it, or NULL */
	const char	*property, *hash;
};

extern const struct map_flat map_flats[];	/* ends with a NULL type */

const struct map_flat *map_flat_find(struct slice type);
/* An observable without its value and id. */
json	*map_observable_new(struct arena *mem, const char *type);
void	 map_observable_put(struct arena *mem, json *sco, const struct map_flat *f,
	    struct slice value);

#endif
