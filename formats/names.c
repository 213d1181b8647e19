/* names.c -- see names.h. */
#include "formats/names.h"

#include <assert.h>

/* Add a name. */
void
names_add(struct names *t, const char *name, unsigned number)
{
	unsigned i = names_start(json_tag(name));

	assert(t->n < NAMES_MAX && number < NAMES_NONE);
	while (t->name[i] != NULL)
		i = (i + 1) % NAMES_SLOTS;
	t->name[i] = name;
	t->number[i] = (uint8_t)number;
	t->n++;
}
