/* registry.c -- the rows of format.h: one a format. To add a format: its file, and a line here. */
#include "formats/format.h"

#include "formats/flat.h"
#include "gateway/base/digest.h"

enum { FAR = 4 << 20 };		/* bytes of a large input that are looked at between two words of it */

const struct format_ops *const formats[] = {
	&format_stix21,
	&format_stix20,
	&format_iodef2,
	&format_csaf,
	&format_iodef1,
	&format_iodef_json,
	&format_rid,
	&format_stix1,
	&format_taxii11,
	&format_misp,
	&format_mapped,
	NULL
};

/* Written only, and only here: nobody is sent one, and none comes in. */
const struct format_ops *const format_writers[] = {
	&format_csv,
	&format_jsonl,
	&format_txt,
	&format_hosts,
	&format_suricata,
	&format_dataset,
	&format_zeek,
	&format_wazuh,
	NULL
};

void
format_digest(const struct read_job *job, uint8_t out[SHA256_LEN])
{
	struct sha256 *h;

	if (job->sha256 != NULL) {
		memcpy(out, job->sha256, SHA256_LEN);
		return;
	}
	h = sha256_new();
	for (size_t at = 0; at < job->in.n; at += FAR) {
		if (job->passed != NULL)
			job->passed(job->passed_arg, job->in.p + at);
		sha256_add(h, slice_from(job->in.p + at, job->in.n - at < FAR ? job->in.n - at : FAR));
	}
	sha256_end(h, out);
}

/* Return the format of that name, or NULL. */
const struct format_ops *
format_find(struct slice name)
{
	for (size_t i = 0; formats[i] != NULL; i++)
		if (slice_is(name, formats[i]->name))
			return formats[i];
	return NULL;
}

/* List the names of all that come in and go out. */
void
formats_list(const char *names[FORMATS_MAX])
{
	size_t n = 0;

	_Static_assert(sizeof(formats) / sizeof(*formats) <= FORMATS_MAX, "FORMATS_MAX is too small");
	while (formats[n] != NULL) {
		names[n] = formats[n]->name;
		n++;
	}
	names[n] = NULL;
}

/* Return what writes under that name, or NULL. */
const struct format_ops *
format_find_writer(struct slice name)
{
	struct slice kind = name, first = slice_cut(&kind, ':');

	for (size_t i = 0; format_writers[i] != NULL; i++)
		if (slice_is(first, format_writers[i]->name) &&
		    (first.n == name.n || flat_output_find(name) != NULL))
			return format_writers[i];
	if (slice_is(first, format_misp_feed.name))
		return &format_misp_feed;
	return format_find(name);
}

/* Find a quoted word whose own quote is not escaped. */
bool
format_head_has(struct slice head, const char *quoted)
{
	const char *p = head.p, *end = head.p + head.n, *hit;

	for (; (hit = memmem(p, (size_t)(end - p), quoted, strlen(quoted))) != NULL; p = hit + 1)
		if (hit == head.p || hit[-1] != '\\')
			return true;
	return false;
}

/* Return the format whose sniffer is surest, the first of equals; NULL if none knows the text. */
const struct format_ops *
format_sniff(struct slice head)
{
	const struct format_ops *best = NULL;
	int surest = 0;

	for (size_t i = 0; formats[i] != NULL; i++) {
		int sure = formats[i]->sniff == NULL ? 0 : formats[i]->sniff(head);

		if (sure > surest) {
			surest = sure;
			best = formats[i];
		}
	}
	return best;
}
