/* mapped.c -- format_mapped: the row of the registry. */
#include "formats/mapped.h"

#include "formats/mapped_read.h"

/* Read through the mapping of the job. */
static int
read_mapped(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	return mapped_read(job, mem, adv, NULL, e);
}

const struct format_ops format_mapped = {
	.name = "mapped",
	.media_type = "application/octet-stream",	/* CSV, JSON, XML: as the mapping says */
	.file_ending = ".txt",
	.sniff = NULL,
	.read = read_mapped,
	.write = mapped_write,
	.split = &mapped_split,
};
