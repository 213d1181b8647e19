/* cybox_objects.c -- an Observable as observable objects of STIX 2.1 (see cybox.h). */
#include "formats/cybox.h"

size_t
cybox_read_objects(const struct cybox_read *job, struct xml_node *observable,
    struct cybox_objects *out, const struct slice **roots)
{
	(void)job;
	(void)observable;
	(void)out;
	if (roots != NULL)
		*roots = NULL;
	return 0;
}
