/* cybox_pattern.c -- an Observable as a STIX pattern (see cybox.h). */
#include "formats/cybox.h"
#include "gateway/base/arena.h"

enum cybox_extent
cybox_read_pattern(const struct cybox_read *job, struct xml_node *observable, struct pat_node **out)
{
	(void)job;
	(void)observable;
	*out = NULL;
	return CYBOX_NOTHING;
}

struct pat_node *
cybox_join(struct arena *mem, bool all, struct pat_node *const *kids, size_t n)
{
	(void)mem;
	(void)all;
	return n > 0 ? kids[0] : NULL;
}

struct pat_node *
cybox_negate(struct arena *mem, const struct pat_node *p)
{
	(void)mem;
	(void)p;
	return NULL;
}
