/* stix1_write.c -- STIX 2.1 objects as a STIX 1.2 package. */
#include "formats/stix1.h"

/* See format.h. */
int
stix1_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	(void)job;
	(void)mem;
	(void)out;
	return err_set(e, ERR_UNSUPPORTED, "STIX 1.x is read here; writing it is not there yet");
}
